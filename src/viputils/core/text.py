"""Text for people: plurals, capitals, lists of names and unprintable characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun, in English: ``1 response``, ``2 responses``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def first_of(names: Sequence[str]) -> str:
    """Return the first three names in English, and the number of others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def capital(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """Return a text with its first letter in lower case, unless it starts with an acronym such as ``DV``."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def folded(text: str) -> str:
    """Return a text in the form used to compare values: single spaces, no case, composed accents."""
    return unicodedata.normalize("NFC", " ".join(text.split()).casefold())


def printable(text: str) -> str:
    """Return a text with control characters, such as line breaks, replaced by Python escapes."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
