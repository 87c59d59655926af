"""The draft of a city: its tables, what each column is for, and the days that they cover."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from viputils.config.fields import AS_WRITTEN
from viputils.config.tables import VOIDS
from viputils.core.errors import Problem, nearest
from viputils.core.months import ReportMonth
from viputils.intake.dates import DAY_FIRST, MONTH_FIRST
from viputils.intake.sheet import refuse_all
from viputils.setup.answers import Answers, Delivery, Order, TableAnswers
from viputils.setup.columns import Column, date_column, id_column, is_unique, name_of, understood, words_of
from viputils.setup.profile import ColumnProfile, Files, SameHeadings, TableProfile, same_headings

ROW: Final = "row"
# The words at the end of a file's name that do not name its records.
_OF_AN_EXPORT: Final = {
    *("as", "of", "export", "exported", "data", "final", "copy", "new", "current", "all", "since", "from", "to", "v1"),
    *(name.casefold() for name in calendar.month_name if name),
    *(name.casefold() for name in calendar.month_abbr if name),
}
_NUMBERED: Final = re.compile(r"\d+|(?:sheet|hoja|tabelle|table|tabla|page|v)\d*")
# A file that has this share of the ids of another one repeats it.
_MOSTLY: Final = 0.5
# Days that are so many days apart from all others, and have at most this share of the rows, are errors.
_APART: Final = 3 * 365
_RARE: Final = 0.01


@dataclass(frozen=True)
class DraftTable:
    """A table as it was understood.

    Attributes
    ----------
    records
        What its records are, in the plural.
    id
        The column with the id; None if each row is a record.
    profile
        What all its sheets contain together.
    parts
        What each of its sheets contains.
    is_unique
        Whether no two rows of a sheet have the same id.
    columns
        The other columns, also those that are left out.
    first, last
        The first and the last day of its records.
    """

    name: str
    title: str
    records: str
    profile: TableProfile
    parts: Sequence[TableProfile]
    id: Column | None
    is_unique: bool
    date: Column
    columns: Sequence[Column]
    delivery: Delivery
    first: dt.date
    last: dt.date

    def of_role(self, role: str) -> list[Column]:
        """Return the columns with a role."""
        return [one for one in self.columns if one.role == role]


@dataclass(frozen=True)
class Draft:
    """A city as it was understood.

    Attributes
    ----------
    others
        The names of sheets without records.
    order
        The order of day and month in dates.
    either_order
        Whether every date fits both orders.
    zone
        What a time with a zone means, or None if no date has one.
    """

    answers: Answers
    tables: Sequence[DraftTable]
    others: Sequence[str]
    order: Order
    either_order: bool
    zone: str | None

    @property
    def first(self) -> dt.date:
        """The first day of the month of the first record."""
        return min(table.first for table in self.tables).replace(day=1)

    @property
    def fiscal_year_starts(self) -> int:
        """The month in which the fiscal year begins: as answered, or else January, or the month of the first record.

        With January, months of the first year before the first record would count as 0.
        """
        return self.answers.fiscal_year_starts or (1 if self.month.year > self.first.year else self.first.month)

    @property
    def months_of_zero(self) -> bool:
        """Whether the first report counts months as 0 only because the day on which the program began is guessed."""
        year = self.month.fytd(self.fiscal_year_starts)
        return self.answers.began is None and year.start < self.first

    @property
    def last(self) -> dt.date:
        """The last day that every table covers."""
        return min(table.last for table in self.tables)

    @property
    def received(self) -> dt.date:
        """The day after the newest record."""
        return max(table.last for table in self.tables) + dt.timedelta(1)

    @property
    def month(self) -> ReportMonth:
        """The last whole month of the records, or their first month if none is whole."""
        month = ReportMonth.of(self.last)
        return max(ReportMonth.of(self.first), self._last_whole(month))

    @property
    def has_whole_month(self) -> bool:
        """Whether the records cover a whole month."""
        return self._last_whole(ReportMonth.of(self.last)) >= ReportMonth.of(self.first)

    def _last_whole(self, month: ReportMonth) -> ReportMonth:
        return month if self.last.day == calendar.monthrange(self.last.year, self.last.month)[1] else month.plus(-1)


@dataclass(frozen=True)
class FirstDelivery:
    """Files to take in together: the day of receipt, and the table of each sheet as ``SHEET=TABLE``."""

    received: dt.date
    files: Sequence[Path]
    tables: Sequence[str]


def first_deliveries(draft: Draft) -> list[FirstDelivery]:
    """Return the deliveries of the files of a draft, each received on the day after its newest record.

    Several files of one table were received one after the other.
    """
    if all(len(table.parts) == 1 for table in draft.tables):
        files = list(dict.fromkeys(table.profile.file for table in draft.tables))
        return [FirstDelivery(draft.received, files, [_place(table, table.profile) for table in draft.tables])]
    parts = [(table, part) for table in draft.tables for part in table.parts]
    newest: dict[Path, dt.date] = {}
    for table, part in parts:
        date = part.column(table.date.heading)
        days = date.days(draft.order, draft.zone) if date is not None else []
        if days:
            newest[part.file] = max(newest.get(part.file, dt.date.min), dt.date.fromisoformat(days[-1]))
    by_day: dict[dt.date, list[Path]] = {}
    for file, day in sorted(newest.items(), key=lambda one: one[1]):
        by_day.setdefault(day + dt.timedelta(1), []).append(file)
    return [
        FirstDelivery(
            day, files, list(dict.fromkeys(_place(table, part) for table, part in parts if part.file in files))
        )
        for day, files in by_day.items()
    ]


def _place(table: DraftTable, part: TableProfile) -> str:
    # Many workbooks have a single sheet called Sheet1, so the file names it.
    return f"{part.sheet.file if part.is_alone else part.sheet.name}={table.name}"


def draft_of(files: Files, answers: Answers, today: dt.date) -> Draft:
    """Understand some files.

    Parameters
    ----------
    today
        A later day is an error of the file.

    Raises
    ------
    DeliveryError
        If a sheet has no column of dates, or answers contradict it; lists every problem.
    """
    problems = [*_unknown_tables(files.tables, answers)]
    groups = same_headings(files.tables, lambda one: _answers([one], answers).table or _title_words(one))
    dates = [_date_of(one.whole, _answers(one.parts, answers)) for one in groups]
    if any(date is not None for date in dates):
        # A list of codes, or a summary, has no days.
        others = [
            part.sheet.name for one, date in zip(groups, dates, strict=True) if date is None for part in one.parts
        ]
    else:
        others = []
        what, remedy = (
            "has no column of dates, so no record can be placed in a month;",
            "ask for the day of each record.",
        )
        problems += [Problem(one.whole.sheet.where, what, remedy) for one in groups]
    problems += [problem for one in groups for problem in _wrong_dates(one.whole, _answers(one.parts, answers))]
    order, either, zone = _order([one for one in dates if one is not None], answers, problems)
    tables: list[DraftTable] = []
    for one, date in zip(groups, dates, strict=True):
        if date is not None and (days := _usual_days(date, order, zone, today)):
            taken = [table.name for table in tables]
            tables.append(_table(one, _answers(one.parts, answers), answers, date, days, taken, problems))
    if problems or not tables:
        raise refuse_all(problems)
    return Draft(answers, tables, [*files.others, *others], order, either, zone)


def _usual_days(date: ColumnProfile, order: Order, zone: str | None, today: dt.date) -> list[str]:
    """Return the days of a column, without those after today and without a few that are years apart from all others."""
    days = [day for day in date.days(order, zone) if day <= today.isoformat()]
    counts = date.counts_of_days(order, zone)
    rare = _RARE * sum(counts.values())
    for place in range(len(days) - 1, 0, -1):
        gap = dt.date.fromisoformat(days[place]) - dt.date.fromisoformat(days[place - 1])
        if gap.days > _APART and sum(counts[day] for day in days[:place]) <= rare:
            return days[place:]
    return days


def _names(profile: TableProfile) -> list[str]:
    return list(dict.fromkeys((profile.sheet.name, Path(profile.sheet.file).stem, profile.sheet.file)))


def _answers(parts: Sequence[TableProfile], answers: Answers) -> TableAnswers:
    names = (name for part in parts for name in _names(part))
    return next((answers.tables[name] for name in names if name in answers.tables), TableAnswers())


def _unknown_tables(profiles: Sequence[TableProfile], answers: Answers) -> Iterator[Problem]:
    known = [name for profile in profiles for name in _names(profile)]
    for name in answers.tables:
        if name not in known:
            yield Problem(
                f'tables."{name}"',
                "is no sheet or file that was given;",
                nearest(name, known) or f"known: {', '.join(known)}.",
            )


def _column(profile: TableProfile, heading: str, key: str, problems: list[Problem]) -> ColumnProfile | None:
    """Return the column that an answer names."""
    column = profile.column(heading)
    if column is None:
        known = [one.heading for one in profile.columns]
        what = f"{heading!r} is not a heading of {profile.sheet.where};"
        problems.append(Problem(key, what, nearest(heading, known) or f"known: {', '.join(known)}."))
    return column


def _date_of(profile: TableProfile, given: TableAnswers) -> ColumnProfile | None:
    if given.date is None:
        return date_column(profile)
    column = profile.column(given.date)
    return column if column is not None and column.order is not None else None


def _wrong_dates(profile: TableProfile, given: TableAnswers) -> list[Problem]:
    """Return the problem of an answer that names no column of dates."""
    problems: list[Problem] = []
    if given.date is not None:
        column = _column(profile, given.date, "date", problems)
        if column is not None and column.order is None:
            some = next(iter(column.texts), "")
            what = f"{given.date!r} in {profile.sheet.where} has no dates, such as {some!r};"
            problems.append(Problem("date", what, "name a column of dates."))
    return problems


def _order(dates: Sequence[ColumnProfile], answers: Answers, problems: list[Problem]) -> tuple[Order, bool, str | None]:
    """Return the order of day and month of all files, whether it could be the other one, and what a zone means."""
    orders: tuple[Order, Order] = (MONTH_FIRST, DAY_FIRST)
    shares = {order: min((one.share_of_dates(order) for one in dates), default=0.0) for order in orders}
    best = max(orders, key=lambda order: shares[order])
    order = answers.date_order or best
    if shares[order] < shares[best]:
        what = f"{order!r} does not fit: only {shares[order]:.0%} of the dates of a column can be read in this order;"
        problems.append(Problem("date_order", what, f'write "{best}".'))
    either = shares[MONTH_FIRST] == shares[DAY_FIRST] and any(
        one.days(MONTH_FIRST, AS_WRITTEN) != one.days(DAY_FIRST, AS_WRITTEN) for one in dates
    )
    zone = (answers.time_zone or AS_WRITTEN) if any(one.has_zone for one in dates) else None
    return order, either, zone


def _table(
    group: SameHeadings,
    given: TableAnswers,
    answers: Answers,
    date: ColumnProfile,
    days: Sequence[str],
    taken: Sequence[str],
    problems: list[Problem],
) -> DraftTable:
    profile = group.whole
    words = _title_words(profile) or "records"
    # `voids` is the table that withdraws records.
    name = given.table or name_of(words, [*taken, VOIDS.name])
    delivery: Delivery = given.delivery or answers.delivery or _delivery(group, date)
    key = _id_of(group, given, date, delivery, problems)
    kept, out = (
        {found.place for one in headings if (found := _column(profile, one, label, problems)) is not None}
        for headings, label in ((given.keep, "keep"), (given.leave_out, "leave_out"))
    )
    names: list[str] = [name_of(one.heading) for one in (key, date) if one is not None]
    columns = []
    for one in profile.columns:
        if one is key or one is date:
            continue
        names.append(name_of(one.heading, names))
        column = understood(one, names[-1], one.place in kept)
        left_out = Column(names[-1], one.heading, "left out", "you asked for this", {}, column.required)
        columns.append(left_out if one.place in out else column)
    first, last = (dt.date.fromisoformat(day) for day in (days[0], days[-1]))
    shown = Column(name_of(date.heading), date.heading, "date", _seen_days(date, days), {}, True)
    unique = key is not None and _is_unique(key.heading, group)
    own = None
    if key is not None:
        own = Column(name_of(key.heading), key.heading, "code", _seen_id(key, unique), {}, True)
    title = words[:1].upper() + words[1:]
    records = given.records or words
    return DraftTable(name, title, records, profile, group.parts, own, unique, shown, columns, delivery, first, last)


def _title_words(profile: TableProfile) -> str:
    """Return the words of a sheet or else its file that name its records, without the day of the export."""
    for name in (profile.sheet.name, Path(profile.sheet.file).stem):
        words = [word for word in words_of(name) if word not in _OF_AN_EXPORT and not _NUMBERED.fullmatch(word)]
        if any(letter.isalpha() for letter in "".join(words)):
            return " ".join(words)
    return ""


def _delivery(group: SameHeadings, date: ColumnProfile) -> Delivery:
    """Return how the files of a table add up: a later file that repeats most of an earlier one is the whole table."""
    if len(group.parts) == 1:
        return "snapshot"
    key = id_column(group.parts[-1], date)
    heading = date.heading if key is None else key.heading
    texts = [set(column.texts) for part in group.parts if (column := part.column(heading)) is not None]
    repeated = [len(one & other) / max(1, min(len(one), len(other))) for one, other in pairwise(texts)]
    return "snapshot" if repeated and min(repeated) >= _MOSTLY else "incremental"


def _is_unique(heading: str, group: SameHeadings) -> bool:
    """Return whether no two rows of one file have the same id. In another file it is a correction, or the same row."""
    return all((column := part.column(heading)) is not None and is_unique(column) for part in group.parts)


def _id_of(
    group: SameHeadings, given: TableAnswers, date: ColumnProfile, delivery: Delivery, problems: list[Problem]
) -> ColumnProfile | None:
    """Return the column with the id, or None if each row is a record of its own."""
    profile = group.whole
    if given.id == ROW:
        return None
    likely = id_column(group.parts[-1], date)
    heading = given.id or (likely.heading if likely is not None else None)
    column = _column(profile, heading, "id", problems) if heading is not None else None
    if column is not None and given.id and column.filled < column.rows:
        what = f"{given.id!r} is empty in {column.rows - column.filled:,} of {column.rows:,} rows;"
        problems.append(Problem("id", what, 'name a column that every row fills, or write "row".'))
    # Files that add and correct find a record by its id, so an id of several rows is none.
    is_none = column is not None and delivery == "incremental" and not _is_unique(column.heading, group)
    return None if is_none else column


def _seen_days(date: ColumnProfile, days: Sequence[str]) -> str:
    without = date.rows - date.filled
    empty = f"; {without:,} rows have no day and would be in quarantine" if without > 0 else ""
    return f"from {days[0]} to {days[-1]}{empty}"


def _seen_id(key: ColumnProfile, unique: bool) -> str:
    if unique:
        return "every row has its own"
    return f"{len(key.texts):,} different values in {key.filled:,} rows, so several rows can have the same"
