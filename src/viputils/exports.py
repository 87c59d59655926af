"""Exports: the sheets that agencies send, made into the rows of this program's tables.

A sheet has its own headings, order and form of dates, rows above its heading and totals at its foot. What it says is
never guessed at: a heading that stands for no column, or a column without a heading, is said and not passed over.
"""

from __future__ import annotations

import datetime as dt
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final

from viputils.errors import BalanceError, IntakeError, Problem, nearest
from viputils.periods import MONTH_NAMES
from viputils.program import Intake, Program, heading_key
from viputils.schemas import VOIDS, Schema, schemas_of
from viputils.sheets import Sheet

# How many rows may stand above the headings, and how many at the foot.
_TOP: Final = 20
_FOOT: Final = 20
# Of more lines than these that are wrong, the number is said.
_NAMED_LINES: Final = 1_000
_SAME_CELLS: Final = "one cell for each heading."
# No CSV reader takes longer cells without being told.
_LONGEST_CELL: Final = 100_000
_TOTAL: Final = re.compile(r"(grand |sub ?)?(total|sum|count)s?\b")
_MONTHS: Final = {name[:3].casefold(): number for number, name in enumerate(MONTH_NAMES, start=1)}
_TIME: Final = re.compile(r"[T ]\s*([01]?\d|2[0-3])(:[0-5]\d){1,2}(\.\d+)?(\s*[AaPp]\.?[Mm]\.?)?$")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_DAY_MONTH: Final = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})\.?,?[- ](\d{4}|\d{2})")
_MONTH_DAY: Final = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?")
# Excel counts days from here; as a date, a serial is one of the years 1954 to 2119.
_EPOCH: Final = dt.date(1899, 12, 30)
_SERIALS: Final = range(20_000, 80_000)


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


@dataclass
class Tally:
    """What became of each row of a sheet: above the headings, headings, blank, at the foot, taken.

    ``lines`` are those of the rows taken, in their order.
    """

    read: int = 0
    above: int = 0
    headings: int = 0
    blank: int = 0
    lines: array[int] = field(default_factory=partial(array, "q"))
    foot: list[int] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many rows were taken."""
        return len(self.lines)

    def __str__(self) -> str:
        """Say what became of all of them: they add up."""
        parts = {
            "of headings": self.headings,
            "above them": self.above,
            "blank": self.blank,
            "at the foot": len(self.foot),
        }
        left_out = "".join(f" + {number:,} {where}" for where, number in parts.items() if number)
        return f"{self.read:,} rows = {self.taken:,} taken{left_out}"

    def require_balance(self, name: str) -> None:
        """Refuse to have lost a row.

        Raises
        ------
        BalanceError
            A fault of this software, never of the file.
        """
        out = self.above + self.headings + self.blank + self.taken + len(self.foot)
        if out != self.read:
            raise BalanceError(f"{name}: {self.read} rows were read and {out} came out. This is a fault of viputils.")


def match_sheet(program: Program, sheet: Sheet, table: str | None = None) -> Export | None:
    """Find the table that a sheet holds, and which of its columns is which.

    Parameters
    ----------
    table
        The table that it must be; by default the one that the sheet or its file is named for, or else the one that
        accounts for the most of its headings.

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
    if problems := _heading_problems(program, best, sheet):
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
    """Give the rows of a sheet as rows of its table, cells in the schema's order.

    Dates come as ``YYYY-MM-DD`` and counts as digits where they can be read as such; everything else as it stands,
    with single blanks. ``tally`` says at the end what became of every row.

    Raises
    ------
    IntakeError
        With every row that holds more cells than there are headings, or fewer, or a cell that no CSV file can hold.
    """
    width = max(place for place, cell in enumerate(export.heading_row) if cell.strip()) + 1
    order = intake.date_order
    kinds = [(export.places[column], _kind(export.schema, column)) for column in export.schema.columns]
    heading = [heading_key(cell) for cell in export.heading_row[:width]]
    begins = next(key for key, cell in zip(heading, export.heading_row, strict=False) if cell.strip())
    problems: list[Problem] = []
    wrong = 0
    foot: list[tuple[int, list[str]]] = []

    def day(row: list[str]) -> str:
        place = export.places[export.schema.table.date]
        return " ".join(row[place].split()) if place < len(row) else ""

    for block in export.sheet.blocks():
        for line, row in zip(block.lines, block.rows, strict=True):
            tally.read += 1
            if line <= export.heading_line:
                tally.above += line < export.heading_line
                tally.headings += line == export.heading_line
                continue
            filled = [cell for cell in row if cell.strip()]
            if not filled:
                tally.blank += 1
                continue
            key = heading_key(filled[0])
            if len(foot) < _FOOT and (len(filled) == 1 or (_TOTAL.match(key) and not read_day(day(row), order))):
                # At the foot it is no record. Where a record follows, it is a row like any other, and wrong.
                foot.append((line, row))
                continue
            if key == begins and [heading_key(cell) for cell in row[:width]] == heading:
                tally.headings += 1
                continue
            for at, held in (*foot, (line, row)):
                if found := _row_problem(export, held, width, at):
                    wrong += 1
                    if wrong <= _NAMED_LINES:
                        problems.append(found)
                elif not problems:
                    tally.lines.append(at)
                    yield [_cell(held[place], kind, order) for place, kind in kinds]
            foot.clear()
    tally.foot = [line for line, _ in foot]
    if wrong > _NAMED_LINES:
        problems.append(Problem(export.where, f"has {wrong - _NAMED_LINES:,} more such lines."))
    if problems:
        raise IntakeError("", problems)
    tally.require_balance(export.where)


def _row_problem(export: Export, row: Sequence[str], width: int, line: int) -> Problem | None:
    """Say why a row cannot be taken as one of the table, where it cannot."""
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        what = f"holds {len(row)} cells where there are {width} headings;"
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
    """Give the first rows that are not blank, with their lines."""
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
    stands_for = {heading_key(column): column for column in schema.columns}
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
    words = f" {heading_key(f'{sheet.file} {sheet.name}')} "
    named = [one for one in found if any(f" {heading_key(name)} " in words for name in (one.schema.name, one.title))]
    if len(named) == 1:
        return named[0]

    def fit(one: _Heading) -> tuple[int, float]:
        return len(one.columns), len(one.columns) / len(one.schema.columns)

    best = [one for one in found if fit(one) == max(map(fit, found))]
    if len(best) == 1 or not best[0].columns:
        return best[0]
    names = ", ".join(one.schema.name for one in best)
    raise IntakeError("", [Problem(where_of(sheet), f"could be any of {names};", "say which with --table.")])


def _heading_problems(program: Program, found: _Heading, sheet: Sheet) -> list[Problem]:
    """Say which columns have no heading, or several."""
    name = found.schema.name
    if not found.columns:
        known = ", ".join(f"{schema.name} ({', '.join(schema.columns)})" for schema in schemas_of(program).values())
        return [
            Problem(
                where_of(sheet),
                "holds no table of this program;",
                f"known: {known}. A sheet that is not wanted can be named in intake.sheets_left_out in program.toml.",
            )
        ]
    where = f"{where_of(sheet)}, line {found.line}"
    known_extra = {heading_key(heading) for heading in program.intake.left_out.get(name, [])}
    free = [found.row[place].strip() for place in found.others]
    free = [heading for heading in free if heading and heading_key(heading) not in known_extra]
    problems = []
    for column in found.schema.columns:
        places = found.columns.get(column, [])
        if not places:
            near = nearest(column.replace("_", " "), free)
            listed = ", ".join(repr(heading) for heading in free) or "none"
            remedy = f"{near}Headings that stand for nothing: {listed}. Add the right one to intake.headings.{name}."
            remedy += f"{column} in program.toml. If it is another table, say which with --table."
            problems.append(Problem(where, f"no heading stands for '{column}' of {name};", remedy))
        elif len(places) > 1:
            both = " and ".join(f"{found.row[place].strip()!r} (column {place + 1})" for place in places)
            problems.append(
                Problem(where, f"'{column}' of {name} stands there more than once: {both};", "keep one of them.")
            )
    return problems


def where_of(sheet: Sheet) -> str:
    """Name a sheet, as messages call it."""
    return f"{sheet.file}, sheet '{sheet.name}'" if sheet.file.casefold().endswith(".xlsx") else sheet.file


def _kind(schema: Schema, column: str) -> str:
    return "code" if column == schema.table.id else schema.table.columns[column].type


def _cell(text: str, kind: str, order: str) -> str:
    text = " ".join(text.split())
    if kind == "date":
        return read_day(text, order) or text
    return _whole_number(text) if kind == "count" else text


def _whole_number(text: str) -> str:
    """Give a count as digits where a spreadsheet wrote it with a decimal place or commas."""
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.0+)?", text):
        text = text.replace(",", "")
    return text.split(".")[0] if re.fullmatch(r"\d+\.0+", text) else text


@lru_cache(maxsize=65_536)
def read_day(text: str, order: str) -> str | None:
    """Read a date in any form that spreadsheets export, and give it as ``YYYY-MM-DD``.

    Parameters
    ----------
    order
        ``month first`` or ``day first``, for dates such as 8/9/2023. Nothing is tried the other way round.

    Returns
    -------
    str
        Or nothing where it is no date. A time of day is left out; a time with a zone is not read, since the day
        depends on it. Two digits of a year are 1969 to 2068.
    """
    if (found := _SERIAL.fullmatch(text)) and int(float(text)) in _SERIALS:
        return (_EPOCH + dt.timedelta(days=int(float(text)))).isoformat()
    day = _TIME.sub("", text).strip()
    if found := _YEAR_FIRST.fullmatch(day):
        return _date(found[1], found[3], found[4])
    if found := _YEAR_LAST.fullmatch(day):
        month, date = (found[1], found[3]) if order == "month first" else (found[3], found[1])
        return _date(found[4], month, date)
    if found := _DAY_MONTH.fullmatch(day):
        return _date(found[3], _month(found[2]), found[1])
    if found := _MONTH_DAY.fullmatch(day):
        return _date(found[3], _month(found[1]), found[2])
    if found := _COMPACT.fullmatch(day):
        return _date(found[1], found[2], found[3])
    return None


def _month(name: str) -> str:
    number = _MONTHS.get(name[:3].casefold(), 0)
    whole = number and MONTH_NAMES[number - 1].casefold().startswith(name.casefold())
    return str(number) if whole or name.casefold() == "sept" else "0"


def _date(year: str, month: str, day: str) -> str | None:
    number = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
    try:
        return dt.date(number, int(month), int(day)).isoformat()
    except ValueError:
        return None
