"""Numbers from clean tables: counts, series, quality and statistics.

In: ``Records``. Out: the figures table (measure, category, period, value), and series and assessments made from it.
Promise: the same records always give the same numbers, and each number can be recounted from the records.
"""
