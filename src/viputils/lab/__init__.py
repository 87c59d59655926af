"""What analysts use in notebooks beside ``viputils.workbench``: trends, data quality and JupyterLab.

In: the tables of the workbench. Out: charts and tables to look at.
Promise: the numbers are those of the report.
"""
