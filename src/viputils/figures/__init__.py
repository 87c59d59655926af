"""From clean tables to numbers: counts, series, quality and statistics.

In: ``Records``. Out: the figures table (measure, category, period, value), and series and assessments made from it.
Promise: the same records give the same numbers, and each number can be counted again from the records.
"""
