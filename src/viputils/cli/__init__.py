"""The command line, `vip`.

In: arguments. Out: what people or programs read, and an exit code.
Promise: no calculation happens here; each command calls one function of another room and prints what it returns.
"""
