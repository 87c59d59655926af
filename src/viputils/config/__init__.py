"""What a city writes down: program.toml as typed objects, the folders of a project, its tables and its languages.

In: program.toml, _quarto.yml and the catalogs of translations. Out: ``Project``, ``Program``, ``Language``, schemas.
Promise: everything in them was checked, and every mistake was reported at once with its key and its line.
"""
