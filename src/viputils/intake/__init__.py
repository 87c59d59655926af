"""From the files that an agency sends to one delivery in data/raw.

In: workbooks and text files of any form, and [intake] of program.toml. Out: a folder with one CSV file for each table,
its checksums, and what each row came from.
Promise: nothing is written before everything is understood; what is not understood is asked or refused, never guessed.
"""
