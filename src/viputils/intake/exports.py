"""Exports: the sheets that agencies send, made into the rows of this program's tables.

A sheet has its own headings, order and form of dates, rows above its heading and totals at its foot. What it says is
never guessed at: a heading that stands for no column, or a column without a heading, is said and not passed over.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from viputils.config.fields import AS_WRITTEN
from viputils.config.program import Intake, Program, heading_key
from viputils.config.program_file import pasted
from viputils.config.tables import JOINED_BY, VOIDS, Schema, schemas_of
from viputils.core.errors import BalanceError, IntakeError, Problem, closest, nearest
from viputils.core.text import plural
from viputils.intake.dates import DAY_FIRST, MONTH_FIRST, has_zone, read_day
from viputils.intake.sheet import Merged, Sheet, letters
from viputils.records.codes import missing_pattern

# How many rows may be above the headings.
_TOP: Final = 20
# Of more lines than these that are wrong, the number is said.
_NAMED_LINES: Final = 1_000
_SAME_CELLS: Final = "one cell for each heading."
# No CSV reader takes longer cells without being told.
_LONGEST_CELL: Final = 100_000
# How much of a line that is no record is shown, and how many cells a line about the report has.
_SHOWN: Final = 40
_PAIR: Final = 2
# Of more cells than these that are wrong in a column, the first are named.
_NAMED_CELLS: Final = 20
# The first words of lines that are no records: totals, and what reports say about themselves.
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
# A text that Excel is told to keep as it is: ="00123".
_QUOTED: Final = re.compile(r'="(.*)"')
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# What spreadsheets make of codes: 1.23457E+15, and dates.
_SCIENTIFIC: Final = re.compile(r"\d\.\d+E[+-]?\d+|\d+E\+\d+", re.IGNORECASE)
_DATED: Final = re.compile(
    rf"\d{{1,2}}-(?:{_MONTHS})(?:-\d\d)?|(?:{_MONTHS})-\d\d|\d{{4}}-\d\d-\d\d(?: .*)?", re.IGNORECASE
)
# Case numbers of this form are no dates, even if the last part is a day.
_ISO: Final = re.compile(r"\d{4}-\d{1,2}-\d+")
_EXCEL_DIGITS: Final = 15
_AS_TEXT: Final = "format the column as text, type or import the codes again, and send the file again."


@dataclass(frozen=True)
class Export:
    """One sheet whose headings stand for the columns of one table.

    Attributes
    ----------
    places
        Where each of the table's columns stands in a row of the sheet.
    headings
        What the sheet calls each column.
    left_out
        The sheet's other headings.
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
        """The sheet, as messages call it."""
        return where_of(self.sheet)


@dataclass(frozen=True)
class EitherOrder:
    """A column in which dates fit both orders, and none fits only one.

    Attributes
    ----------
    where
        The sheet and the heading.
    order
        How they were read: ``month first`` or ``day first``.
    days
        How often each pair of days is there: as it was read, and as it would be in the other order.
    text
        One of the dates.
    """

    where: str
    order: str
    days: Mapping[tuple[str, str], int]
    text: str

    @property
    def other_order(self) -> str:
        """The order in which they were not read."""
        return DAY_FIRST if self.order == MONTH_FIRST else MONTH_FIRST

    def span(self, other: bool = False) -> str:
        """Return the first and the last month of the days, as they were read or in the other order."""
        months = sorted({pair[other][:7] for pair in self.days})
        return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"

    def __str__(self) -> str:
        """Return how the dates were read, and what that means for the months."""
        number = sum(self.days.values())
        this, that = next(iter(self.days))
        return (
            f"{self.where}: {plural(number, 'date fits', 'dates fit')} both orders, such as {self.text!r} ({this}, or "
            f"{that}). {'It was' if number == 1 else 'They were'} read {self.order} (intake.date_order), so as days of "
            f"{self.span()}; {self.other_order} it would be {self.span(other=True)}."
        )

    def is_doubtful(self, received: dt.date) -> bool:
        """Return whether the other order fits the day of receipt better.

        Read in it the dates are all of one month, or all nearer to that day, and as they were read they are of several;
        or as they were read some had not come by that day.
        """
        day = received.isoformat()
        if any(other > day for _, other in self.days):
            return False
        if any(this > day for this, _ in self.days):
            return True
        months = [{pair[place][:7] for pair in self.days} for place in (0, 1)]
        nearer = all(other > this for this, other in self.days)
        in_one = len(months[1]) == 1 and max(months[1]) >= max(months[0])
        return len(months[0]) > 1 and (in_one or nearer)


@dataclass
class Tally:
    """What became of each row of a sheet: above the headings, headings, blank, no record, taken.

    ``lines`` are those of the rows taken, in their order; ``others`` are the lines that are no records, such as totals,
    with how they begin. ``notes`` say how times were read, and ``warnings`` are what a person has to look at.
    ``either`` are the columns of dates that fit both orders.
    """

    read: int = 0
    above: int = 0
    headings: int = 0
    blank: int = 0
    lines: array[int] = field(default_factory=partial(array, "q"))
    others: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    either: list[EitherOrder] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many rows were taken."""
        return len(self.lines)

    def __str__(self) -> str:
        """Return what became of all of them: they add up."""
        parts = {
            "of headings": self.headings,
            "above them": self.above,
            "blank": self.blank,
            "no records": len(self.others),
        }
        left_out = "".join(f" + {number:,} {where}" for where, number in parts.items() if number)
        return f"{plural(self.read, 'row')} = {self.taken:,} taken{left_out}"

    def require_balance(self, name: str) -> None:
        """Refuse to have lost a row.

        Raises
        ------
        BalanceError
            A fault of this software, never of the file.
        """
        out = self.above + self.headings + self.blank + self.taken + len(self.others)
        if out != self.read:
            raise BalanceError(f"{name}: {self.read} rows were read and {out} came out. This is a fault of viputils.")


def match_sheet(program: Program, sheet: Sheet, table: str | None = None) -> Export | None:
    """Find the table that a sheet holds, and which of its columns is which.

    Parameters
    ----------
    table
        The table that it must be; by default the one that the sheet is named for, or else its file, or else the one
        that accounts for the most of its headings.

    Returns
    -------
    Export
        Or nothing where the sheet is empty, or program.toml says that sheets of its name are left out.

    Raises
    ------
    IntakeError
        With each column that has no heading or more than one, and the nearest heading.
    """
    if heading_key(sheet.name) in {heading_key(name) for name in program.intake.sheets_left_out}:
        return None
    top = _top_rows(sheet)
    if not top:
        return None
    schemas = {**schemas_of(program), VOIDS.name: VOIDS}
    if table is not None and table not in schemas:
        raise IntakeError(
            "There is no such table.",
            [
                Problem(
                    "--table", f"'{table}' is not known;", nearest(table, schemas) or f"known: {', '.join(schemas)}."
                )
            ],
        )
    candidates = [schemas[table]] if table is not None else list(schemas.values())
    found = [_best_heading(program.intake, schema, top) for schema in candidates]
    best = _chosen(found, sheet)
    if problems := [*_heading_problems(program, best, sheet), *_merged_headings(best, sheet)]:
        raise IntakeError("", problems)
    return Export(
        sheet,
        best.schema,
        {column: places[0] for column, places in best.columns.items()},
        {column: best.row[places[0]].strip() for column, places in best.columns.items()},
        [best.row[place].strip() for place in best.others if best.row[place].strip()],
        best.line,
        best.row,
    )


def rows_of(export: Export, intake: Intake, tally: Tally) -> Iterator[list[str]]:
    """Return the rows of a sheet as rows of its table, cells in the schema's order.

    Dates come as ``YYYY-MM-DD`` and counts as digits if they can be read as such; everything else as it is, with
    single blanks. An id that intake makes is empty, or joined from its columns. A merged cell has its value in each of
    its rows. ``tally`` says at the end what became of every row.

    Raises
    ------
    IntakeError
        With every row that has more cells than there are headings, or fewer, every cell that no CSV file or no
        spreadsheet can store, and every column of dates that cannot be read as program.toml says.
    """
    columns = {column: _Cells(export, column, intake) for column in export.schema.columns}
    lines = _Lines(export, columns[export.schema.table.date])
    merged = _MergedCells(export)
    problems: list[Problem] = []
    wrong = 0
    # At the foot, lines with one cell are no records. If a record follows, they are rows like any other, and wrong.
    foot: list[tuple[int, list[str]]] = []

    for block in export.sheet.blocks():
        for line, given in zip(block.lines, block.rows, strict=True):
            tally.read += 1
            row = merged.filled(line, given)
            if line < export.heading_line:
                tally.above += 1
            elif line == export.heading_line or lines.is_heading(row) or merged.is_heading(line, lines.has_day(row)):
                tally.headings += 1
                tally.others.update((at, _beginning(held)) for at, held in foot)
                foot.clear()
            elif not any(cell.strip() for cell in given):
                tally.blank += 1
            elif lines.is_no_record(row) or lines.is_sum(row):
                tally.others[line] = _beginning(row)
                lines.end_group(row)
            elif lines.is_short(row):
                foot.append((line, row))
            else:
                for at, held in (*foot, (line, row)):
                    if found := _row_problem(export, held, lines.width, at):
                        wrong += 1
                        if wrong <= _NAMED_LINES:
                            problems.append(found)
                        continue
                    cells = [column.read(held, at) for column in columns.values()]
                    lines.count_unnamed(held)
                    lines.add_up(held)
                    if not problems:
                        tally.lines.append(at)
                        yield cells
                foot.clear()
    tally.others.update((line, _beginning(row)) for line, row in foot)
    if wrong > _NAMED_LINES:
        problems.append(Problem(export.where, f"has {plural(wrong - _NAMED_LINES, 'more such line')}."))
    problems += [*merged.problems, *(problem for column in columns.values() for problem in column.problems())]
    if problems:
        raise IntakeError("", problems)
    for column in columns.values():
        tally.notes += column.notes()
        tally.either += column.either()
    tally.warnings += [*lines.warnings(), *(warning for column in columns.values() for warning in column.warnings())]
    tally.require_balance(export.where)


def _beginning(row: Sequence[str]) -> str:
    """Return the first cell of a row that is not empty, cut short."""
    text = " ".join(next((cell for cell in row if cell.strip()), "").split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _is_total(cell: str) -> bool:
    """Return whether a line that begins with a cell, or has it as its id, is a total: Subtotal, but not T-Total-17."""
    return not _is_code(cell) and _TOTAL.match(heading_key(cell)) is not None


def _is_code(cell: str) -> bool:
    """Return whether a cell looks like the code of a record: one word with a digit."""
    return bool(cell) and " " not in cell and any(letter.isdigit() for letter in cell)


def _has_total(cells: Iterable[str]) -> bool:
    """Return whether one of some cells says just that it is a total."""
    return any((found := _TOTAL.fullmatch(heading_key(cell))) and not found["more"] for cell in cells)


class _Lines:
    """Which lines of a sheet are records."""

    def __init__(self, export: Export, date: _Cells) -> None:
        self.export = export
        self._date = date
        self.width = max(place for place, cell in enumerate(export.heading_row) if cell.strip()) + 1
        self._heading = [heading_key(cell) for cell in export.heading_row[: self.width]]
        table = export.schema.table
        self._id = export.places.get(table.id)
        self._needed = [
            place for column, place in export.places.items() if column == table.id or table.columns[column].required
        ]
        self._counts = [place for column, place in export.places.items() if _kind(export.schema, column) == "count"]
        # What the counts come to: of all rows, and of those since the last total.
        self._sums = {"all": Counter[int](), "group": Counter[int]()}
        self._rows = dict.fromkeys(self._sums, 0)
        self._unnamed = {place: 0 for place, cell in enumerate(export.heading_row[: self.width]) if not cell.strip()}

    def is_heading(self, row: Sequence[str]) -> bool:
        """Return whether a row repeats the headings."""
        return [heading_key(cell) for cell in row[: self.width]] == self._heading

    def has_day(self, row: Sequence[str]) -> bool:
        """Return whether a row has a day where records have theirs."""
        return self._date.is_day(row)

    def is_short(self, row: Sequence[str]) -> bool:
        """Return whether a row has a single cell, which is neither the code nor the day of a record."""
        filled = [cell for cell in row if cell.strip()]
        return len(filled) == 1 and not _is_code(self._own(row)) and not self.has_day(row)

    def _own(self, row: Sequence[str]) -> str:
        return row[self._id].strip() if self._id is not None and self._id < len(row) else ""

    def is_no_record(self, row: Sequence[str]) -> bool:
        """Return whether a row is a total, or says something about the report: ``Report run: 12/1/2023``."""
        filled = [cell.strip() for cell in row if cell.strip()]
        own = self._own(row)
        whole = all(place < len(row) and row[place].strip() for place in self._needed) and self.has_day(row)
        if whole and _is_code(own):
            return False
        if (not own and _has_total(filled)) or _is_total(own):
            return True
        if _is_total(filled[0]) and not (whole and self._id is None):
            return True
        if filled[0].endswith(":") or ("" not in filled[0].partition(": ") and len(filled) == 1):
            return not whole
        about = _ABOUT.match(heading_key(filled[0])) is not None and not _is_code(filled[0])
        return len(filled) <= _PAIR and not whole and about

    def is_sum(self, row: Sequence[str]) -> bool:
        """Return whether a row without a word is a total: only counts, and each is the sum of the rows above it.

        These are two rows or more, all of them or those since the last total.
        """
        filled = {place: cell.strip() for place, cell in enumerate(row) if cell.strip()}
        if not filled or not filled.keys() <= set(self._counts):
            return False
        counts = {place: _count(cell) for place, cell in filled.items()}
        return any(counts.values()) and any(
            self._rows[which] > 1 and all(sums[place] == count for place, count in counts.items())
            for which, sums in self._sums.items()
        )

    def add_up(self, row: Sequence[str]) -> None:
        """Add the counts of a record to what they come to."""
        for which, sums in self._sums.items():
            self._rows[which] += 1
            for place in self._counts:
                sums[place] += _count(row[place]) or 0

    def end_group(self, row: Sequence[str]) -> None:
        """Begin to add up again after a total."""
        if self.is_sum(row) or any(_is_total(cell) for cell in row if cell.strip()):
            self._sums["group"].clear()
            self._rows["group"] = 0

    def count_unnamed(self, row: Sequence[str]) -> None:
        """Count the cells of a record in columns without a heading."""
        for place in self._unnamed:
            self._unnamed[place] += bool(row[place].strip())

    def warnings(self) -> Iterator[str]:
        """Return a warning for each column with data and no heading."""
        for place, number in self._unnamed.items():
            if number:
                before = next((cell.strip() for cell in reversed(self.export.heading_row[:place]) if cell.strip()), "")
                beside = f", right of {before!r}," if before else ""
                yield (
                    f"{self.export.where}: column {letters(place)}{beside} has no heading, so its {number:,} "
                    f"{'value is' if number == 1 else 'values are'} not taken. If they count, give it a heading."
                )


class _MergedCells:
    """Gives a merged cell its value in each of its rows."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._kinds = {place: _kind(export.schema, column) for column, place in export.places.items()}
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
        """Return whether a line belongs to headings that are merged over several lines; a record never does."""
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
            one = self._waiting.pop(0)
            value = row[one.first_column] if one.first_column < len(row) else ""
            if not value.strip():
                continue
            self._open.append((one, value))
            if self._kinds.get(one.first_column) == "count":
                self.problems.append(
                    Problem(
                        f"{self._export.where}, cell {one}",
                        f"is merged, and has one count ({value}) for {one.last_line - one.first_line + 1} lines;",
                        "unmerge it, and write the count of each line.",
                    )
                )
        return filled


class _Cells:
    """Reads the cells of one column, and notices what a spreadsheet has changed."""

    def __init__(self, export: Export, column: str, intake: Intake) -> None:
        table = export.schema.table
        self._kind = _kind(export.schema, column)
        self._place = export.places.get(column)
        self._parts = [_Cells(export, part, intake) for part in table.id_parts] if column == table.id else []
        self._where = f"{export.where}, {export.headings.get(column, column)!r}"
        self._order, self._zone, self._epoch = intake.date_order, intake.time_zone, export.sheet.epoch
        self._missing = re.compile(missing_pattern(tuple(intake.missing), code=True), re.IGNORECASE)
        self._zoned: list[int] = []
        self._zoned_as = ""
        self._read = Counter[str]()
        self._either: Counter[tuple[str, str]] = Counter()
        self._either_as = ""
        self._converted = 0
        self._moved = 0
        self._moved_as = ""
        self._inexact: list[tuple[int, str]] = []
        self._dated: list[tuple[int, str]] = []
        self._long: list[tuple[int, str]] = []
        self._plain = self._numbered = 0
        self._is_workbook = export.sheet.file.casefold().endswith(".xlsx")

    def read(self, row: Sequence[str], line: int) -> str:
        """Return the cell of a row as it is delivered."""
        if self._parts:
            parts = [part.read(row, line) for part in self._parts]
            return JOINED_BY.join(parts) if all(parts) else ""
        if self._place is None:
            return ""
        text = " ".join(row[self._place].split())
        if quoted := _QUOTED.fullmatch(text):
            text = quoted[1]
        if self._kind == "date":
            return self._date(text, line)
        if self._kind == "code" and text:
            self._look_at_code(text, line)
        return _whole_number(text) if self._kind == "count" else text

    def is_day(self, row: Sequence[str]) -> bool:
        """Return whether the cell of a row is a day."""
        text = " ".join(row[self._place].split()) if self._place is not None and self._place < len(row) else ""
        return read_day(text, self._order, self._zone or AS_WRITTEN, self._epoch) is not None

    def _date(self, text: str, line: int) -> str:
        day = read_day(text, self._order, self._zone, self._epoch)
        other = read_day(text, DAY_FIRST if self._order == MONTH_FIRST else MONTH_FIRST, self._zone, self._epoch)
        if day != other:
            self._read["neither order" if day and other else "this order" if day else "other order"] += 1
        if day is not None and other is not None and day != other:
            self._either[day, other] += 1
            self._either_as = self._either_as or text
        if day is not None and self._zone is not None and read_day(text, self._order, None, self._epoch) is None:
            self._converted += 1
            if day != read_day(text, self._order, AS_WRITTEN, self._epoch):
                self._moved += 1
                self._moved_as = self._moved_as or f", such as {text!r} in line {line}, which is {day} here"
        if day is None and self._zone is None and has_zone(text):
            self._zoned.append(line)
            self._zoned_as = self._zoned_as or text
        return day or text

    def _look_at_code(self, text: str, line: int) -> None:
        if _SCIENTIFIC.fullmatch(text):
            self._inexact.append((line, text))
        elif _DATED.fullmatch(text) and (self._is_workbook or not _ISO.match(text)):
            self._dated.append((line, text))
        elif not self._missing.fullmatch(text):
            self._plain += 1
            self._numbered += _ISO.match(text) is not None
            if text.isdecimal() and len(text) > _EXCEL_DIGITS:
                self._long.append((line, text))

    def problems(self) -> Iterator[Problem]:
        """Return why the column cannot be taken as it is."""
        if self._zoned:
            number = len(self._zoned)
            lines = pasted("intake", f'time_zone = "{AS_WRITTEN}"')
            yield Problem(
                self._where,
                f"has {number:,} {'time' if number == 1 else 'times'} with a zone, such as {self._zoned_as!r} in line "
                f"{self._zoned[0]}, and the day depends on what the zone means;",
                "write in program.toml that the day is as written, or the zone to convert to, such as "
                f'"America/Denver":{lines}',
            )
        if (other := self._read["other order"]) and not self._read["this order"]:
            order = DAY_FIRST if self._order == MONTH_FIRST else MONTH_FIRST
            lines = pasted("intake", f'date_order = "{order}"')
            yield Problem(
                self._where,
                f"fits another order: {other:,} of its dates can only be read {order}, and none only {self._order};",
                f"ask the sender, or change program.toml:{lines}",
            )
        for line, text in self._inexact[:_NAMED_CELLS]:
            yield Problem(
                f"{self._where}, line {line}", f"{text!r} is a number of which a spreadsheet has lost digits;", _AS_TEXT
            )
        if self._plain and not self._numbered:
            for line, text in self._dated[:_NAMED_CELLS]:
                what = f"{text!r} is a date, which a spreadsheet makes of a code such as 3-12;"
                yield Problem(f"{self._where}, line {line}", what, _AS_TEXT)
        zeros = [(line, text) for line, text in self._long if not text[_EXCEL_DIGITS:].strip("0")]
        if len(zeros) > 1 and len(zeros) == len(self._long):
            line, text = zeros[0]
            yield Problem(
                f"{self._where}, line {line}",
                f"{text!r} and every other code of more than {_EXCEL_DIGITS} digits ends in zeros: a spreadsheet has "
                "lost digits;",
                _AS_TEXT,
            )

    def either(self) -> Iterator[EitherOrder]:
        """Return the dates of the column if they fit both orders, and none says which it is."""
        if self._either and not (self._read["this order"] or self._read["other order"]):
            yield EitherOrder(self._where, self._order, self._either, self._either_as)

    def notes(self) -> Iterator[str]:
        """Return how times with a zone were read."""
        if self._converted:
            times = plural(self._converted, "time")
            if self._zone == AS_WRITTEN:
                yield f"{self._where}: {times} with a zone, read as written (intake.time_zone)"
                return
            moved = f"{plural(self._moved, 'day')} changed{self._moved_as}" if self._moved else "no day changed"
            yield f"{self._where}: {times} converted to {self._zone} (intake.time_zone); {moved}"

    def warnings(self) -> Iterator[str]:
        """Return what a person has to look at in the column."""
        if (other := self._read["other order"]) and (this := self._read["this order"]):
            yield (
                f"{self._where}: {this:,} dates can only be read {self._order} and {other:,} only the other way round. "
                "The rest may be wrong, too."
            )


def _row_problem(export: Export, row: Sequence[str], width: int, line: int) -> Problem | None:
    """Return why a row cannot be taken as one of the table, where it cannot."""
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        what = f"holds {plural(len(row), 'cell')} where there are {width} headings;"
        return Problem(f"{export.where}, line {line}", what, _SAME_CELLS)
    for column, place in export.places.items():
        where = export.headings[column]
        if "\0" in row[place]:
            return Problem(f"{export.where}, line {line}, {where!r}", "holds a NUL character;", "type the cell anew.")
        if len(row[place]) > _LONGEST_CELL:
            what = f"holds {len(row[place]):,} characters;"
            return Problem(f"{export.where}, line {line}, {where!r}", what, f"{_LONGEST_CELL:,} are the most.")
    return None


@dataclass(frozen=True)
class _Heading:
    """A row taken as the headings of a table: the places of each column in it, and the places of the rest."""

    schema: Schema
    line: int
    row: Sequence[str]
    columns: Mapping[str, list[int]]
    others: Sequence[int]

    @property
    def title(self) -> str:
        return self.schema.table.title


def _top_rows(sheet: Sheet) -> list[tuple[int, list[str]]]:
    """Return the first rows that are not blank, with their lines."""
    top: list[tuple[int, list[str]]] = []
    for block in sheet.blocks(_TOP):
        for line, row in zip(block.lines, block.rows, strict=True):
            if any(cell.strip() for cell in row):
                top.append((line, row))
            if len(top) == _TOP:
                return top
    return top


def _best_heading(intake: Intake, schema: Schema, top: Iterable[tuple[int, list[str]]]) -> _Heading:
    """Take the row in which the most columns have a heading; the first such row."""
    stands_for = {heading_key(column): column for column in schema.headed}
    for column, known in intake.headings.get(schema.name, {}).items():
        stands_for.update({heading_key(heading): column for heading in known})
    found: list[_Heading] = []
    for line, row in top:
        columns: dict[str, list[int]] = {}
        others: list[int] = []
        for place, cell in enumerate(row):
            if not cell.strip() or (meant := stands_for.get(heading_key(cell))) is None:
                others.append(place)
            else:
                columns.setdefault(meant, []).append(place)
        found.append(_Heading(schema, line, row, columns, others))
    return max(found, key=lambda one: len(one.columns))


def _chosen(found: Sequence[_Heading], sheet: Sheet) -> _Heading:
    """Choose the table that a sheet holds.

    That all columns of a small table have a heading is not enough: a sheet of a larger one may have them too, and a
    single heading more that is not known yet.
    """
    for name in dict.fromkeys((sheet.name, Path(sheet.file).stem)):
        words = _words(name)
        named = [one for one in found if any(words >= _words(called) for called in (one.schema.name, one.title))]
        if len(named) == 1:
            return named[0]

    def fit(one: _Heading) -> tuple[int, float]:
        return len(one.columns), len(one.columns) / len(one.schema.columns)

    best = [one for one in found if fit(one) == max(map(fit, found))]
    if len(best) == 1 or not best[0].columns:
        return best[0]
    names = ", ".join(one.schema.name for one in best)
    raise IntakeError("", [Problem(where_of(sheet), f"could be any of {names};", "say which with --table.")])


def _words(name: str) -> frozenset[str]:
    """Return the words of a name, each as one of many is called: Referral for Referrals."""
    return frozenset(word.removesuffix("s") for word in heading_key(name).split())


def _heading_problems(program: Program, found: _Heading, sheet: Sheet) -> list[Problem]:
    """Return which columns have no heading, or several."""
    name = found.schema.name
    if not found.columns:
        return [_no_table(program, sheet)]
    where = f"{where_of(sheet)}, line {found.line}"
    known_extra = {heading_key(heading) for heading in program.intake.left_out.get(name, [])}
    free = [found.row[place].strip() for place in found.others]
    free = [heading for heading in free if heading and heading_key(heading) not in known_extra]
    problems = []
    for column in found.schema.headed:
        places = found.columns.get(column, [])
        if not places and column in found.schema.optional:
            continue
        if not places:
            near = nearest(column.replace("_", " "), free)
            listed = ", ".join(repr(heading) for heading in free) or "none"
            guess = closest(column.replace("_", " "), free) or (free[0] if len(free) == 1 else "…")
            known = [*program.intake.headings.get(name, {}).get(column, []), guess]
            line = f"{column} = [{', '.join(map(_in_quotes, known))}]"
            remedy = f"{near}Headings that stand for nothing: {listed}. Add the right one to program.toml:"
            remedy += pasted(f"intake.headings.{name}", line)
            remedy += "\n      If it is another table, say which with --table."
            problems.append(Problem(where, f"no heading stands for '{column}' of {name};", remedy))
        elif len(places) > 1:
            both = " and ".join(f"{found.row[place].strip()!r} (column {place + 1})" for place in places)
            problems.append(
                Problem(where, f"'{column}' of {name} stands there more than once: {both};", "keep one of them.")
            )
    return problems


def _in_quotes(text: str) -> str:
    """Return a text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def _no_table(program: Program, sheet: Sheet) -> Problem:
    """Return the problem that no heading of a sheet is known, with the table that its headings resemble most."""
    top = _top_rows(sheet)
    if not sheet.file.casefold().endswith(".xlsx") and not _looks_like_a_table(program, top):
        what = "does not look like a table: no line has headings, and its lines are not divided into the same cells;"
        return Problem(where_of(sheet), what, "ask for the table as CSV or as an Excel workbook.")
    line, row = max(top, key=lambda one: sum(1 for cell in one[1] if cell.strip()))
    headings = [cell.strip() for cell in row if cell.strip()]

    def likeness(schema: Schema) -> int:
        return sum(1 for column in schema.headed if closest(column.replace("_", " "), headings))

    schemas = schemas_of(program)
    near = max(schemas.values(), key=likeness)
    known = ", ".join(f"{schema.name} ({', '.join(schema.headed)})" for schema in schemas.values())
    guess = f"the nearest table is {near.name}. " if likeness(near) else ""
    shown = ", ".join(map(repr, headings[:_NAMED_CELLS]))
    left_out = ", ".join(map(_in_quotes, [*program.intake.sheets_left_out, sheet.name]))
    return Problem(
        f"{where_of(sheet)}, line {line}",
        f"has no heading that this program knows. Its headings: {shown};",
        f"{guess}Known: {known}. Name the headings in program.toml (intake.headings), or leave out a sheet that is not "
        f"wanted:{pasted('intake', f'sheets_left_out = [{left_out}]')}",
    )


def _looks_like_a_table(program: Program, top: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether the first lines have about as many cells as each other, or one of them resembles headings."""
    rows = [[cell.strip() for cell in row if cell.strip()] for _, row in top]
    several = [row for row in rows if len(row) > 1]
    most = max(Counter(map(len, several)).values(), default=0)
    if most * 3 >= len(rows) * 2:
        return True
    columns = {column.replace("_", " ") for schema in schemas_of(program).values() for column in schema.headed}
    return any(closest(column, row) for row in several for column in columns)


def _merged_headings(found: _Heading, sheet: Sheet) -> Iterator[Problem]:
    """Find headings of columns that are merged over several columns: which of them is meant cannot be known."""
    meant = {place: column for column, places in found.columns.items() for place in places}
    for one in sheet.merged:
        column = meant.get(one.first_column)
        if one.first_line <= found.line <= one.last_line and one.last_column > one.first_column and column is not None:
            yield Problem(
                f"{where_of(sheet)}, cell {one}",
                f"the heading {found.row[one.first_column].strip()!r} of '{column}' is merged over "
                f"{one.last_column - one.first_column + 1} columns;",
                "unmerge it, and give each column a heading of its own in that line.",
            )


def where_of(sheet: Sheet) -> str:
    """Name a sheet, as messages call it."""
    return f"{sheet.file}, sheet '{sheet.name}'" if sheet.file.casefold().endswith(".xlsx") else sheet.file


def _kind(schema: Schema, column: str) -> str:
    return "code" if column == schema.table.id else schema.table.columns[column].type


def _count(text: str) -> int | None:
    """Return a cell as a count, if it is one."""
    text = _whole_number(text.strip())
    return int(text) if text.isascii() and text.isdecimal() else None


def _whole_number(text: str) -> str:
    """Return a count as digits where a spreadsheet wrote it with a decimal place or commas."""
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.0+)?", text):
        text = text.replace(",", "")
    # 1.000 is a thousand where the comma is the decimal mark.
    return text.split(".")[0] if re.fullmatch(r"\d+\.0+", text) and not re.fullmatch(r"\d{1,3}\.000", text) else text
