"""What every room needs and nothing of this program: errors, months, files, git, addresses, safe text in spreadsheets.

In: nothing of this library. Out: values and functions that know neither pandas nor the records.
Promise: a problem that a user can fix is a ``VipError`` that lists every problem with its place and remedy; a folder is
replaced whole or not at all.
"""
