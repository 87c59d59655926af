"""What the columns of an export contain: how many values, which ones, and which days."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

from viputils.config.fields import AS_WRITTEN
from viputils.config.program import heading_key
from viputils.core.errors import DeliveryError, Problem
from viputils.core.text import printable
from viputils.intake.dates import DAY_FIRST, MONTH_FIRST, has_zone, read_day
from viputils.intake.lines import is_total
from viputils.intake.sheet import Sheet, letters, refuse_all
from viputils.intake.sheets import read_sheets
from viputils.records.codes import missing_pattern

# Values are counted in so many rows. In later rows, only the values of columns with few values and days are.
READ_WHOLE: Final = 100_000
# The most values of a category.
FEW: Final = 60
# The heading is one of the first rows.
_TOP: Final = 25
_NEARLY_ALL: Final = 0.95
_MANY_DATES: Final = 20_000
_FIRST_TEXTS: Final = 200
_LIKELY: Final = 0.5
_DAY_PART: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?=[T ])")


@dataclass
class ColumnProfile:
    """What a column contains.

    Attributes
    ----------
    heading
        As it is in the file.
    texts
        How often each text occurs, with single blanks, without words for a missing value.
    rows
        The number of rows that were counted.
    """

    heading: str
    place: int
    texts: Counter[str] = field(default_factory=Counter)
    rows: int = 0

    @property
    def filled(self) -> int:
        """The number of rows with a value."""
        return self.texts.total()

    @cached_property
    def _different_days(self) -> list[str]:
        """The texts without their times of day, so that a column with a time in each row has few."""
        return list(dict.fromkeys(map(_day_part, self.texts)))

    def share_of_dates(self, order: str, most: int | None = None) -> float:
        """Return the share of the different texts that are dates, with day and month in this order."""
        some = self._different_days[:most]
        return sum(read_day(text, order, AS_WRITTEN) is not None for text in some) / len(some) if some else 0.0

    @cached_property
    def is_date(self) -> bool:
        """Whether nearly all texts are dates. A number without any mark between its digits is none."""
        if self.order is None:
            return False
        marked = [text for text in self._different_days if not text.replace(".", "").isdecimal()]
        return 2 * len(marked) > len(self._different_days)

    @cached_property
    def order(self) -> str | None:
        """The order of day and month with which nearly all texts are dates, or None. It is judged by the column."""
        # Most columns are no dates, and a few texts show it.
        if max(self.share_of_dates(order, _FIRST_TEXTS) for order in (MONTH_FIRST, DAY_FIRST)) < _LIKELY:
            return None
        shares = {order: self.share_of_dates(order) for order in (MONTH_FIRST, DAY_FIRST)}
        best = max(shares, key=lambda order: shares[order])
        return best if shares[best] >= _NEARLY_ALL else None

    @property
    def has_zone(self) -> bool:
        """Whether the day of some date depends on a time zone."""
        return any(has_zone(text) for text in islice(self.texts, _MANY_DATES))

    def days(self, order: str, zone: str | None) -> list[str]:
        """Return the different days of a column of dates, in order."""
        return sorted(self.counts_of_days(order, zone))

    def counts_of_days(self, order: str, zone: str | None) -> Counter[str]:
        """Return the number of rows of each day."""
        texts: Counter[str] = self.texts
        if zone in (None, AS_WRITTEN):
            texts = Counter()
            for text, number in self.texts.items():
                texts[_day_part(text)] += number
        days: Counter[str] = Counter()
        for text, number in texts.items():
            if (day := read_day(text, order, zone)) is not None:
                days[day] += number
        return days

    def forget(self) -> None:
        """Forget what was found out about fewer texts."""
        for name in ("_different_days", "is_date", "order"):
            self.__dict__.pop(name, None)


@dataclass
class TableProfile:
    """What a sheet contains.

    Attributes
    ----------
    line
        The line of the headings.
    rows
        The number of its records.
    read
        The number of records whose values were all counted.
    is_alone
        Whether no other sheet of its file has records.
    """

    file: Path
    sheet: Sheet
    line: int
    columns: list[ColumnProfile]
    rows: int = 0
    read: int = 0
    is_alone: bool = True

    def column(self, heading: str) -> ColumnProfile | None:
        """Return a column by its heading; case, blanks and punctuation do not matter."""
        return next((one for one in self.columns if heading_key(one.heading) == heading_key(heading)), None)


@dataclass
class SameHeadings:
    """Sheets with the same headings: one table, received in one file or in several.

    Attributes
    ----------
    parts
        Each sheet.
    whole
        All sheets together.
    """

    parts: list[TableProfile]
    whole: TableProfile


def same_headings(profiles: Sequence[TableProfile], name: Callable[[TableProfile], str]) -> list[SameHeadings]:
    """Put sheets with the same headings and the same name together, in the order given.

    Parameters
    ----------
    name
        The name of the records of a sheet: homicides and assaults can have the same headings.
    """
    groups: dict[tuple[str, frozenset[str]], list[TableProfile]] = {}
    for one in profiles:
        headings = frozenset(heading_key(column.heading) for column in one.columns)
        groups.setdefault((name(one), headings), []).append(one)
    return [SameHeadings(parts, _together(parts)) for parts in groups.values()]


def _together(parts: Sequence[TableProfile]) -> TableProfile:
    first = parts[0]
    if len(parts) == 1:
        return first
    columns = [ColumnProfile(one.heading, one.place, Counter(one.texts), one.rows) for one in first.columns]
    for part in parts[1:]:
        for column in columns:
            if (other := part.column(column.heading)) is not None:
                column.texts.update(other.texts)
                column.rows += other.rows
    rows, read = sum(part.rows for part in parts), sum(part.read for part in parts)
    return TableProfile(first.file, first.sheet, first.line, columns, rows, read)


@dataclass(frozen=True)
class Files:
    """What some files contain: the sheets with records, and the names of sheets with anything else."""

    tables: list[TableProfile]
    others: list[str]


def profiles_of(files: Sequence[Path]) -> Files:
    """Read every sheet.

    Raises
    ------
    DeliveryError
        If a file cannot be read, has no records, or has the same heading twice; lists all of them.
    """
    found: list[TableProfile] = []
    others: list[str] = []
    problems: list[Problem] = []
    for path in files:
        try:
            sheets = [(sheet, rows) for sheet in read_sheets(path) if (rows := _top_rows(sheet))]
            profiles = {sheet.name: _profile(path, sheet, rows, problems) for sheet, rows in sheets}
            tables = [one for one in profiles.values() if one is not None]
            for one in tables:
                one.is_alone = len(tables) == 1
            others += [name for name, one in profiles.items() if one is None]
            if not tables and not problems:
                what = "has no table: no row with headings and records below it;"
                problems.append(
                    Problem(path.name, what, "send a sheet with one row of headings, and one row a record.")
                )
            found += tables
        except DeliveryError as error:
            problems += error.problems
    if problems:
        raise refuse_all(problems)
    return Files(found, others)


def _top_rows(sheet: Sheet) -> list[tuple[int, list[str]]]:
    """Return the first rows that are not blank, with their lines."""
    return [
        (line, row)
        for block in islice(sheet.blocks(_TOP), 1)
        for line, row in zip(block.lines, block.rows, strict=True)
        if any(cell.strip() for cell in row)
    ]


def _profile(
    path: Path, sheet: Sheet, top: Sequence[tuple[int, list[str]]], problems: list[Problem]
) -> TableProfile | None:
    """Return what a sheet contains, or None if it has no records."""
    line, heading = _heading(top)
    named = [(place, printable(" ".join(cell.split()))) for place, cell in enumerate(heading) if cell.strip()]
    seen: dict[str, int] = {}
    for place, name in named:
        if (key := heading_key(name)) in seen:
            where = f"columns {letters(seen[key])} and {letters(place)}"
            problems.append(Problem(sheet.where, f"has the heading {name!r} twice, in {where};", "rename one of them."))
        seen.setdefault(key, place)
    table = TableProfile(path, sheet, line, [ColumnProfile(name, place) for place, name in named])
    unnamed = _count(table, heading)
    for place in (place for place, number in unnamed.items() if 2 * number > table.rows):
        what = f"column {letters(place)} has values in {unnamed[place]:,} rows and no heading;"
        remedy = "give each column a heading, in one row."
        problems.append(Problem(f"{sheet.where}, line {line}", what, remedy))
    return table if table.rows else None


def _heading(top: Sequence[tuple[int, list[str]]]) -> tuple[int, list[str]]:
    """Return the row of headings: the first row of words that is as wide as most."""
    width = max(_filled(row) for _, row in top)
    wide = [(line, row) for line, row in top if 2 * _filled(row) >= width]
    return next((one for one in wide if all(_is_word(cell) for cell in one[1] if cell.strip())), wide[0])


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_word(cell: str) -> bool:
    return any(letter.isalpha() for letter in cell) and read_day(cell.strip(), MONTH_FIRST) is None


def _count(table: TableProfile, heading: Sequence[str]) -> Counter[int]:
    """Count the rows and the values of a sheet. Return the number of values in each column without a heading."""
    named = {column.place for column in table.columns}
    unnamed: Counter[int] = Counter()
    open_columns = list(table.columns)
    fewest = 2 if len(table.columns) > 2 else 1
    for block in table.sheet.blocks():
        rows = [
            row
            for line, row in zip(block.lines, block.rows, strict=True)
            if line > table.line and _is_record(row, fewest) and not _repeats(row, heading)
        ]
        if table.rows >= READ_WHOLE:
            # An id that repeats in a later row is no id of a row.
            open_columns = [
                one for one in open_columns if len(one.texts) <= FEW or len(one.texts) == one.rows or one.is_date
            ]
        else:
            table.read += len(rows)
        for column in open_columns:
            place = column.place
            texts = [" ".join(row[place].split()) if place < len(row) else "" for row in rows]
            if table.rows >= READ_WHOLE and column.is_date:
                texts = [_day_part(text) for text in texts]
            column.texts.update(texts)
            column.rows += len(rows)
        table.rows += len(rows)
        for row in rows:
            if len(row) > len(named):
                unnamed.update(place for place, cell in enumerate(row) if place not in named and cell.strip())
    missing = re.compile(missing_pattern((), code=False), re.IGNORECASE)
    for column in table.columns:
        column.forget()
        for text in [text for text in column.texts if not text or missing.fullmatch(text)]:
            del column.texts[text]
    return unnamed


def _repeats(row: Sequence[str], heading: Sequence[str]) -> bool:
    """Return whether a row repeats the headings. The first cell shows it nearly always."""
    if row[0].strip().casefold() != heading[0].strip().casefold():
        return False
    return [heading_key(cell) for cell in row] == [heading_key(cell) for cell in heading]


def _day_part(text: str) -> str:
    """Return a date without its time of day."""
    found = _DAY_PART.match(text)
    return found[0] if found else text


def _is_record(row: Sequence[str], fewest: int) -> bool:
    """Return whether a row can be a record: not a blank line, a total or a remark."""
    return _filled(row) >= fewest and not is_total(next(cell.strip() for cell in row if cell.strip()))
