"""Make text safe for spreadsheets, so that no cell of a CSV file runs as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet reads text that starts with one of these as a formula. It skips the last two.
_LIVE: Final = ("=", "+", "-", "@", "\t", "\r")
# A spreadsheet shows the text after this mark unchanged.
_MARK: Final = "'"


def is_live(text: str) -> bool:
    """Return whether a spreadsheet would read the text of a cell as a formula."""
    return text.lstrip(" \n").startswith(_LIVE)


def inert(text: str) -> str:
    """Return text as a cell that no spreadsheet reads as a formula. ``original`` reverses this."""
    if text[:1].isalnum():  # True for nearly every cell, and faster.
        return text
    return _MARK + text if is_live(text.lstrip(_MARK)) else text


def original(text: str) -> str:
    """Return the original text of a cell that ``inert`` made."""
    return text[1:] if text.startswith(_MARK) and is_live(text.lstrip(_MARK)) else text


def inert_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which a spreadsheet reads no value and no column name as a formula."""
    columns = table.select_dtypes(include=["str", "object", "category"]).columns
    return table.assign(**{name: table[name].astype("str").map(inert, na_action="ignore") for name in columns}).rename(
        columns=inert
    )
