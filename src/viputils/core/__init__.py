"""Tools for every room: errors, months, files, git, addresses and safe text for spreadsheets.

In: nothing from this library. Out: values and functions that use neither pandas nor the records.
Promise: a problem that a user can fix is a ``VipError`` that lists every problem with its place and remedy. A folder is
replaced completely or not at all.
"""
