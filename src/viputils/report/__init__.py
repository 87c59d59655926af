"""From a month to the pages of one issue: notebook, sections, charts, narrative and engines.

In: an edition of a month. Out: the folder of an issue, with HTML, PDF, DOCX, data files and a manifest.
Promise: an issue is replaced whole or not at all, and the same inputs give the same bytes.
"""
