"""From deliveries to clean tables, wherever the deliveries are stored.

In: the folders of CSV files in data/raw, an object store or a database. Out: ``Records``: one clean table for each
table of program.toml, as of a day.
Promise: every row of every file is counted, superseded, a duplicate, withdrawn or in quarantine, and the sums agree.
"""
