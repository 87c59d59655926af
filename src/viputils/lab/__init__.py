"""Tools for analysts' notebooks, besides ``viputils.workbench``: trends, data quality and JupyterLab.

In: the tables of the workbench. Out: charts and tables.
Promise: the numbers are the same as in the report.
"""
