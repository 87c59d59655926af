"""Which lines of a sheet are records, and which are headings, totals or remarks about the report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from viputils.config.program import Intake, heading_key
from viputils.intake.columns import count
from viputils.intake.date_column import DateColumn
from viputils.intake.export import Export
from viputils.intake.sheet import letters

# A line about the report has at most two cells.
_PAIR: Final = 2
# The first words of totals, and of lines about the report, in English and Spanish.
_TOTAL: Final = re.compile(
    r"(?:grand |gran |sub ?)?total(?:s|es)?(?P<more>\b.*)|(?:sum|suma|count|recuento)s?(?: of.*| de.*)?$"
    r"|(?:\w+ )+(?:total|count)$"
)
_ABOUT: Final = re.compile(
    r"(?:report|run|printed?|print|generated|created|exported|produced|prepared|extracted|as of|date range|period|"
    r"records?|rows?|number of|page|source|notes?|filters?|filtered|criteria|end of|confidential|disclaimer|legend|"
    r"last updated|updated|query|user|informe|impreso|generado|fecha de|registros?|filas?|p[aá]gina|fuente|notas?|"
    r"fin de|per[ií]odo|usuario)\b"
)


class Lines:
    """Tells which lines of a sheet are records."""

    def __init__(self, export: Export, intake: Intake) -> None:
        self.export = export
        table = export.schema.table
        self._date = DateColumn(export, table.date, intake)
        self.width = max(place for place, cell in enumerate(export.heading_row) if cell.strip()) + 1
        self._heading = [heading_key(cell) for cell in export.heading_row[: self.width]]
        self._id = export.places.get(table.id)
        self._needed = [
            place for column, place in export.places.items() if column == table.id or table.columns[column].required
        ]
        self._counts = [place for column, place in export.places.items() if export.kind(column) == "count"]
        # The sums of the count columns: of all rows, and of the rows since the last total.
        self._sums = {"all": Counter[int](), "group": Counter[int]()}
        self._rows = dict.fromkeys(self._sums, 0)
        self._unnamed = {place: 0 for place, cell in enumerate(export.heading_row[: self.width]) if not cell.strip()}

    def is_heading(self, row: Sequence[str]) -> bool:
        """Return whether a row repeats the headings."""
        return [heading_key(cell) for cell in row[: self.width]] == self._heading

    def has_day(self, row: Sequence[str]) -> bool:
        """Return whether a row has a day in its date column."""
        return self._date.is_day(row)

    def is_short(self, row: Sequence[str]) -> bool:
        """Return whether a row has a single cell, which is neither a code in the id column nor a day."""
        filled = [cell for cell in row if cell.strip()]
        return len(filled) == 1 and not _is_code(self._own_id(row)) and not self.has_day(row)

    def _own_id(self, row: Sequence[str]) -> str:
        return row[self._id].strip() if self._id is not None and self._id < len(row) else ""

    def is_no_record(self, row: Sequence[str]) -> bool:
        """Return whether a row is a total or a remark about the report, such as ``Report run: 12/1/2023``."""
        filled = [cell.strip() for cell in row if cell.strip()]
        own = self._own_id(row)
        whole = all(place < len(row) and row[place].strip() for place in self._needed) and self.has_day(row)
        if whole and _is_code(own):
            return False
        if (not own and _has_total(filled)) or is_total(own):
            return True
        if is_total(filled[0]) and not (whole and self._id is None):
            return True
        if filled[0].endswith(":") or ("" not in filled[0].partition(": ") and len(filled) == 1):
            return not whole
        about = _ABOUT.match(heading_key(filled[0])) is not None and not _is_code(filled[0])
        return len(filled) <= _PAIR and not whole and about

    def is_sum(self, row: Sequence[str]) -> bool:
        """Return whether a row is a total without words: it has only counts, which are the sums of the rows above it.

        These are at least two rows: either all rows, or those since the last total.
        """
        filled = {place: cell.strip() for place, cell in enumerate(row) if cell.strip()}
        if not filled or not filled.keys() <= set(self._counts):
            return False
        counts = {place: count(cell) for place, cell in filled.items()}
        return any(counts.values()) and any(
            self._rows[which] > 1 and all(sums[place] == number for place, number in counts.items())
            for which, sums in self._sums.items()
        )

    def end_group(self, row: Sequence[str]) -> None:
        """Start new sums after a total."""
        if self.is_sum(row) or any(is_total(cell) for cell in row if cell.strip()):
            self._sums["group"].clear()
            self._rows["group"] = 0

    def add(self, row: Sequence[str]) -> None:
        """Add the counts of a record to the sums, and count its cells in columns without a heading."""
        for place in self._unnamed:
            self._unnamed[place] += bool(row[place].strip())
        for which, sums in self._sums.items():
            self._rows[which] += 1
            for place in self._counts:
                sums[place] += count(row[place]) or 0

    def warnings(self) -> Iterator[str]:
        """Yield a warning for each column that has data and no heading."""
        for place, number in self._unnamed.items():
            if number:
                before = next((cell.strip() for cell in reversed(self.export.heading_row[:place]) if cell.strip()), "")
                beside = f", right of {before!r}," if before else ""
                yield (
                    f"{self.export.where}: column {letters(place)}{beside} has no heading, so its {number:,} "
                    f"{'value is' if number == 1 else 'values are'} not imported. If they matter, give it a heading."
                )


def is_total(cell: str) -> bool:
    """Return whether a cell begins like a total: Subtotal, but not T-Total-17."""
    return not _is_code(cell) and _TOTAL.match(heading_key(cell)) is not None


def _is_code(cell: str) -> bool:
    """Return whether a cell looks like the code of a record: one word with a digit."""
    return bool(cell) and " " not in cell and any(letter.isdigit() for letter in cell)


def _has_total(cells: Iterable[str]) -> bool:
    """Return whether one of the cells is a word for a total and nothing else."""
    return any((found := _TOTAL.fullmatch(heading_key(cell))) and not found["more"] for cell in cells)
