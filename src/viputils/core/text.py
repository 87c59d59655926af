"""Text for people: plurals, capitals, lists of names, and what cannot be printed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun, in English: ``1 response``, ``2 responses``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def first_of(names: Sequence[str]) -> str:
    """Return the first three of some names, in English, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def capital(text: str) -> str:
    """Begin a text with a capital, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """Begin a text with a small letter, as within a sentence; a word in capitals, such as ``DV``, stays one."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def folded(text: str) -> str:
    """Return the form in which values are compared: one blank between words, no case, accents in one piece."""
    return unicodedata.normalize("NFC", " ".join(text.split()).casefold())


def printable(text: str) -> str:
    """Return a text with the escapes of Python in the place of what a terminal would act on, such as a line break."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
