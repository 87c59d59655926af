"""The settings of a city: program.toml as typed objects, project folders, tables and languages.

In: program.toml, _quarto.yml and the catalogs of translations. Out: ``Project``, ``Program``, ``Language``, schemas.
Promise: all settings are checked, and all mistakes are reported together with their keys and lines.
"""
