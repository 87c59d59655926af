"""Cells of a CSV file that people open in a spreadsheet: text stays text there, and never becomes a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

# With one of these a spreadsheet takes what follows for a formula, with the last two after passing over them.
_LIVE: Final = ("=", "+", "-", "@", "\t", "\r")
# A spreadsheet shows what follows this mark as it stands.
_MARK: Final = "'"


def is_live(text: str) -> bool:
    """Return whether a spreadsheet would take text for a formula where it stands in a cell of its own."""
    return text.lstrip(" \n").startswith(_LIVE)


def inert(text: str) -> str:
    """Return text as a cell that no spreadsheet takes for a formula. ``original`` gives the text back."""
    if text[:1].isalnum():  # Nearly every cell is, and then there is nothing to look for.
        return text
    return _MARK + text if is_live(text.lstrip(_MARK)) else text


def original(text: str) -> str:
    """Return the text of a cell that ``inert`` wrote."""
    return text[1:] if text.startswith(_MARK) and is_live(text.lstrip(_MARK)) else text


def inert_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text, header included, is taken for a formula."""
    columns = table.select_dtypes(include=["str", "object", "category"]).columns
    return table.assign(**{name: table[name].astype("str").map(inert, na_action="ignore") for name in columns}).rename(
        columns=inert
    )
