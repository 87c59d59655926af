"""From the files of an agency to the project of a city.

In: exports of any form, and answers to what they cannot tell. Out: a complete folder, with a program.toml that fits.
Promise: each guess is a comment in the file, with what was seen and what else it could be; nothing is overwritten.
"""
