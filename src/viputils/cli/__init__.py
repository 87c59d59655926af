"""The command line, `vip`.

In: arguments. Out: text, JSON or CSV, and an exit code.
Promise: no calculation happens here. Each command calls one function of another room and prints the result.
"""
