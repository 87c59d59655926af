"""Match the headings of a sheet with the columns of a table.

Nothing is guessed: a column without a heading, a heading that fits two columns, or a sheet that fits two tables is an
error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from viputils.config.program import Intake, Program, heading_key
from viputils.config.program_file import pasted
from viputils.config.tables import VOIDS, Schema, schemas_of
from viputils.core.errors import IntakeError, Problem, closest, nearest
from viputils.intake.export import Export
from viputils.intake.sheet import Sheet

# The headings must be in one of the first rows that are not blank.
_TOP: Final = 20
_SHOWN_HEADINGS: Final = 20


@dataclass(frozen=True)
class _Heading:
    """A row read as the headings of a table: the places of each column in it, and the places of the rest."""

    schema: Schema
    line: int
    row: Sequence[str]
    columns: Mapping[str, list[int]]
    others: Sequence[int]

    @property
    def title(self) -> str:
        return self.schema.table.title


def match_sheet(program: Program, sheet: Sheet, table: str | None = None) -> Export | None:
    """Find the table that a sheet contains, and which of its columns is which.

    Parameters
    ----------
    table
        The name of the table. By default the table that the sheet or else its file is named for, or else the one that
        the most headings fit.

    Returns
    -------
    Export
        None if the sheet is empty or listed in intake.sheets_left_out.

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
        remedy = nearest(table, schemas) or f"known: {', '.join(schemas)}."
        raise IntakeError("There is no such table.", [Problem("--table", f"'{table}' is not known;", remedy)])
    candidates = [schemas[table]] if table is not None else list(schemas.values())
    best = _chosen([_best_heading(program.intake, schema, top) for schema in candidates], sheet)
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
    """Return the first of the rows in which the most columns have a heading."""
    known = {heading_key(column): column for column in schema.headed}
    for column, headings in intake.headings.get(schema.name, {}).items():
        known.update({heading_key(heading): column for heading in headings})
    found: list[_Heading] = []
    for line, row in top:
        columns: dict[str, list[int]] = {}
        others: list[int] = []
        for place, cell in enumerate(row):
            if not cell.strip() or (column_of_cell := known.get(heading_key(cell))) is None:
                others.append(place)
            else:
                columns.setdefault(column_of_cell, []).append(place)
        found.append(_Heading(schema, line, row, columns, others))
    return max(found, key=lambda one: len(one.columns))


def _chosen(found: Sequence[_Heading], sheet: Sheet) -> _Heading:
    """Choose the table that a sheet contains: by its name, or else by the number of columns that have a heading.

    It is not enough that all columns of a small table have a heading: the sheet may be of a larger table, with a
    heading that is not known yet.
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
    raise IntakeError("", [Problem(sheet.where, f"could be any of {names};", "name the table with --table.")])


def _words(name: str) -> frozenset[str]:
    """Return the words of a name in the singular: Referral for Referrals."""
    return frozenset(word.removesuffix("s") for word in heading_key(name).split())


def _heading_problems(program: Program, found: _Heading, sheet: Sheet) -> list[Problem]:
    """Return a problem for each column that has no heading or more than one."""
    if not found.columns:
        return [_no_table(program, sheet)]
    where = f"{sheet.where}, line {found.line}"
    missing = [one for one in found.schema.headed if one not in found.columns and one not in found.schema.optional]
    problems = [_no_headings(program.intake, found, missing, where)] if missing else []
    for column, places in found.columns.items():
        if len(places) > 1:
            both = " and ".join(f"{found.row[place].strip()!r} (column {place + 1})" for place in places)
            what = f"more than one column found for {column} of {found.schema.name}: {both};"
            problems.append(Problem(where, what, "keep one of them."))
    return problems


def _no_headings(intake: Intake, found: _Heading, columns: Sequence[str], where: str) -> Problem:
    """Return the problem that columns have no heading, with the nearest headings and the lines for program.toml."""
    name = found.schema.name
    not_wanted = {heading_key(heading) for heading in intake.left_out.get(name, [])}
    free = [found.row[place].strip() for place in found.others]
    free = [heading for heading in free if heading and heading_key(heading) not in not_wanted]
    guesses = _guesses(columns, free)
    known = intake.headings.get(name, {})
    lines = [
        f"{column} = [{', '.join(map(_in_quotes, [*known.get(column, []), guesses.get(column, '…')]))}]"
        for column in columns
    ]
    hints = "".join(nearest(column.replace("_", " "), free) for column in columns) if len(columns) == 1 else ""
    return Problem(
        where,
        f"no column found for {' and '.join(columns) if len(columns) < 3 else ', '.join(columns)} of {name};",
        f"{hints}Columns not recognized: {', '.join(map(repr, free)) or 'none'}. Add the right "
        f"{'heading' if len(columns) == 1 else 'headings'} to program.toml:{pasted(f'intake.headings.{name}', *lines)}"
        "\n      If this is another table, name it with --table.",
    )


def _guesses(columns: Sequence[str], free: Sequence[str]) -> dict[str, str]:
    """Return the heading that each column most likely has. No heading is offered twice."""
    left, found = list(free), {}
    for column in columns:
        guess = closest(column.replace("_", " "), left)
        if guess:
            found[column] = guess
            left.remove(guess)
    others = [column for column in columns if column not in found]
    if len(others) == 1 and len(left) == 1:
        found[others[0]] = left[0]
    return found


def _in_quotes(text: str) -> str:
    """Return a text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def _no_table(program: Program, sheet: Sheet) -> Problem:
    """Return the problem that no heading of a sheet is known, with the table that its headings resemble most."""
    top = _top_rows(sheet)
    if not sheet.is_worksheet and not _looks_like_a_table(program, top):
        what = "does not look like a table: it has no headings, and its lines have different numbers of cells;"
        return Problem(sheet.where, what, "ask for the table as CSV or as an Excel workbook.")
    line, row = max(top, key=lambda one: sum(1 for cell in one[1] if cell.strip()))
    headings = [cell.strip() for cell in row if cell.strip()]

    def likeness(schema: Schema) -> int:
        return sum(1 for column in schema.headed if closest(column.replace("_", " "), headings))

    schemas = schemas_of(program)
    near = max(schemas.values(), key=likeness)
    known = ", ".join(f"{schema.name} ({', '.join(schema.headed)})" for schema in schemas.values())
    guess = f"the nearest table is {near.name}. " if likeness(near) else ""
    shown = ", ".join(map(repr, headings[:_SHOWN_HEADINGS]))
    left_out = ", ".join(map(_in_quotes, [*program.intake.sheets_left_out, sheet.name]))
    return Problem(
        f"{sheet.where}, line {line}",
        f"no column is recognized. Its headings: {shown};",
        f"{guess}Known: {known}. Add the headings to program.toml (intake.headings), or leave the sheet "
        f"out:{pasted('intake', f'sheets_left_out = [{left_out}]')}",
    )


def _looks_like_a_table(program: Program, top: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether most of the first lines have the same number of cells, or one of them resembles headings."""
    rows = [[cell.strip() for cell in row if cell.strip()] for _, row in top]
    several = [row for row in rows if len(row) > 1]
    most = max(Counter(map(len, several)).values(), default=0)
    if most * 3 >= len(rows) * 2:
        return True
    columns = {column.replace("_", " ") for schema in schemas_of(program).values() for column in schema.headed}
    return any(closest(column, row) for row in several for column in columns)


def _merged_headings(found: _Heading, sheet: Sheet) -> Iterator[Problem]:
    """Yield a problem for each heading that is merged over several columns: it could be the heading of any of them."""
    column_at = {place: column for column, places in found.columns.items() for place in places}
    for one in sheet.merged:
        column = column_at.get(one.first_column)
        if one.first_line <= found.line <= one.last_line and one.last_column > one.first_column and column is not None:
            yield Problem(
                f"{sheet.where}, cell {one}",
                f"the heading {found.row[one.first_column].strip()!r} of {column} is merged over "
                f"{one.last_column - one.first_column + 1} columns;",
                "unmerge it, and give each column its own heading in that line.",
            )
