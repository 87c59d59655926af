"""An export: a sheet whose headings were matched with the columns of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viputils.config.tables import Schema
from viputils.intake.sheet import Sheet


@dataclass(frozen=True)
class Export:
    """A sheet whose headings were matched with the columns of one table.

    Attributes
    ----------
    places
        The place of each column of the table in a row of the sheet.
    headings
        The sheet's heading for each column.
    left_out
        The other headings of the sheet.
    heading_line
        The line of the headings.
    """

    sheet: Sheet
    schema: Schema
    places: Mapping[str, int]
    headings: Mapping[str, str]
    left_out: Sequence[str]
    heading_line: int
    heading_row: Sequence[str]

    @property
    def where(self) -> str:
        """The sheet, as messages name it."""
        return self.sheet.where

    def kind(self, column: str) -> str:
        """Return the type of a column: ``code``, ``date``, ``count`` and so on."""
        return "code" if column == self.schema.table.id else self.schema.table.columns[column].type
