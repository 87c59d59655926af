"""Repeat the value of a merged cell in each of its rows."""

from __future__ import annotations

from viputils.core.errors import Problem
from viputils.intake.export import Export
from viputils.intake.sheet import Merged


class MergedCells:
    """The merged cells of a sheet, while its rows are read in order."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._kinds = {place: export.kind(column) for column, place in export.places.items()}
        # Headings that are merged over several lines.
        self._headings = [one for one in export.sheet.merged if one.first_line <= export.heading_line < one.last_line]
        self._waiting = [
            one
            for one in export.sheet.merged
            if one.first_line > export.heading_line and one.last_line > one.first_line
        ]
        self._open: list[tuple[Merged, str]] = []
        self.problems: list[Problem] = []

    def is_heading(self, line: int, is_record: bool) -> bool:
        """Return whether a line belongs to headings that are merged over several lines. A record never does."""
        here = [one for one in self._headings if line <= one.last_line]
        if is_record:
            self.problems += [
                Problem(
                    f"{self._export.where}, cell {one}",
                    "is a heading that is merged with cells of records;",
                    "unmerge it, and write the value of each record.",
                )
                for one in here
                if one.first_column in self._kinds
            ]
            self._headings = []
        return bool(here) and not is_record

    def filled(self, line: int, row: list[str]) -> list[str]:
        """Return a row with the values of merged cells that begin in an earlier one."""
        if not self._waiting and not self._open:
            return row
        self._open = [(one, value) for one, value in self._open if one.last_line >= line]
        filled = row
        for one, value in self._open:
            filled = filled + [""] * (one.first_column + 1 - len(filled))
            filled = [*filled[: one.first_column], value, *filled[one.first_column + 1 :]]
        while self._waiting and self._waiting[0].first_line <= line:
            self._start(self._waiting.pop(0), row)
        return filled

    def _start(self, one: Merged, row: list[str]) -> None:
        """Keep the value of a merged cell for the rows below. A count cannot be the count of several rows."""
        value = row[one.first_column] if one.first_column < len(row) else ""
        if not value.strip():
            return
        self._open.append((one, value))
        if self._kinds.get(one.first_column) == "count":
            lines = one.last_line - one.first_line + 1
            what = f"is merged over {lines} lines and has one count ({value});"
            remedy = "unmerge it, and write the count of each line."
            self.problems.append(Problem(f"{self._export.where}, cell {one}", what, remedy))
