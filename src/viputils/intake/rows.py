"""The rows of a sheet as rows of its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from viputils.config.program import Intake
from viputils.config.tables import JOINED_BY
from viputils.core.errors import IntakeError, Problem
from viputils.core.text import plural
from viputils.intake.columns import CodeColumn, CountColumn, TextColumn
from viputils.intake.date_column import DateColumn
from viputils.intake.export import Export
from viputils.intake.lines import Lines
from viputils.intake.merged_cells import MergedCells
from viputils.intake.tally import Tally

# At most this many wrong lines are listed.
_LISTED_LINES: Final = 1_000
# CSV readers do not accept longer cells by default.
_LONGEST_CELL: Final = 100_000
# The number of characters that are shown of a line that is not a record.
_SHOWN: Final = 40


def rows_of(export: Export, intake: Intake, tally: Tally) -> Iterator[list[str]]:
    """Yield the rows of a sheet as rows of its table, with cells in the schema's order.

    Dates become ``YYYY-MM-DD`` and counts become digits if they can be read as such. Everything else stays as it is,
    with single blanks. An id that intake makes is empty, or joined from its columns. A merged cell has its value in
    each of its rows. At the end, ``tally`` has what became of every row.

    Raises
    ------
    IntakeError
        With every row that has more or fewer cells than there are headings, every cell that no CSV file or spreadsheet
        can store, and every column of dates that cannot be read with the settings of program.toml.
    """
    columns = [_column(export, column, intake) for column in export.schema.columns]
    lines, merged = Lines(export, intake), MergedCells(export)
    problems: list[Problem] = []
    wrong = 0
    # Lines with one cell at the end of a sheet are not records. If a record follows, they are rows that are wrong.
    end: list[tuple[int, list[str]]] = []

    for block in export.sheet.blocks():
        for line, given in zip(block.lines, block.rows, strict=True):
            tally.read += 1
            row = merged.filled(line, given)
            if line < export.heading_line:
                tally.above += 1
            elif line == export.heading_line or lines.is_heading(row) or merged.is_heading(line, lines.has_day(row)):
                tally.headings += 1
                tally.others.update((at, _beginning(held)) for at, held in end)
                end.clear()
            elif not any(cell.strip() for cell in given):
                tally.blank += 1
            elif lines.is_no_record(row) or lines.is_sum(row):
                tally.others[line] = _beginning(row)
                lines.end_group(row)
            elif lines.is_short(row):
                end.append((line, row))
            else:
                for at, held in (*end, (line, row)):
                    if problem := _row_problem(export, held, lines.width, at):
                        wrong += 1
                        if wrong <= _LISTED_LINES:
                            problems.append(problem)
                        continue
                    cells = [column.read(held, at) for column in columns]
                    lines.add(held)
                    if not problems:
                        tally.lines.append(at)
                        yield cells
                end.clear()
    tally.others.update((line, _beginning(row)) for line, row in end)
    if wrong > _LISTED_LINES:
        problems.append(Problem(export.where, f"has {plural(wrong - _LISTED_LINES, 'more such line')}."))
    problems += [*merged.problems, *(problem for column in columns for problem in column.problems())]
    if problems:
        raise IntakeError("", problems)
    dates = [column for column in columns if isinstance(column, DateColumn)]
    tally.notes += [note for column in dates for note in column.notes()]
    tally.either += [one for column in dates for one in column.either()]
    tally.warnings += [*lines.warnings(), *(warning for column in dates for warning in column.warnings())]
    tally.require_balance(export.where)


class _JoinedColumn:
    """Reads an id that is joined from several columns; empty if one of them is."""

    def __init__(self, parts: Sequence[TextColumn | _JoinedColumn]) -> None:
        self._parts = parts

    def read(self, row: Sequence[str], line: int) -> str:
        parts = [part.read(row, line) for part in self._parts]
        return JOINED_BY.join(parts) if all(parts) else ""

    def problems(self) -> Iterator[Problem]:
        yield from ()  # The parts are columns of the table, too, which report theirs.


def _column(export: Export, column: str, intake: Intake) -> TextColumn | _JoinedColumn:
    """Return what reads the cells of a column."""
    table = export.schema.table
    if column == table.id and table.id_parts:
        return _JoinedColumn([_column(export, part, intake) for part in table.id_parts])
    match export.kind(column):
        case "date":
            return DateColumn(export, column, intake)
        case "code":
            return CodeColumn(export, column, intake)
        case "count":
            return CountColumn(export, column)
    return TextColumn(export, column)


def _beginning(row: Sequence[str]) -> str:
    """Return the first cell of a row that is not empty, shortened."""
    text = " ".join(next((cell for cell in row if cell.strip()), "").split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _row_problem(export: Export, row: Sequence[str], width: int, line: int) -> Problem | None:
    """Return why a row cannot be imported, if it cannot."""
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        what = f"has {plural(len(row), 'cell')}, but there are {width} headings;"
        return Problem(f"{export.where}, line {line}", what, "each row needs one cell for each heading.")
    for column, place in export.places.items():
        if "\0" in row[place]:
            what, remedy = "contains a NUL character;", "type the cell again."
        elif len(row[place]) > _LONGEST_CELL:
            what, remedy = f"has {len(row[place]):,} characters;", f"the limit is {_LONGEST_CELL:,}."
        else:
            continue
        return Problem(f"{export.where}, line {line}, {export.headings[column]!r}", what, remedy)
    return None
