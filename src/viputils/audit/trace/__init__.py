"""Traces: the records behind one figure, those that just missed it and why, and those that entered and left it since.

Every received row is checked against the measure's rules, whatever its status. Kept rows that fit make the figure; rows
that fit except for one reason just missed it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils.audit.as_of import as_of_issue, issue_day, require_no_quarantine
from viputils.audit.trace.cleaned import listed_records, older_versions, what_cleaning_did
from viputils.audit.trace.missed import COLUMNS, NEAR, missed_rows, put_together, what_is_wrong
from viputils.audit.trace.moves import described, find_moves, received_later
from viputils.audit.trace.rows import PLACE, look_at, members_of, require_balance, tables_of
from viputils.config.program import Demonstration, Program
from viputils.config.project import Project
from viputils.core.errors import BalanceError, DeliveryError, ParameterError, Problem, ProgramError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.periods import parse_period
from viputils.figures.counts import FigureKey
from viputils.figures.edition import Edition
from viputils.records.clean import Records, clean_records
from viputils.records.deliveries import find_deliveries, read_received

COUNTED: Final = "counted"


@dataclass(frozen=True)
class Trace:
    """The records behind one figure.

    Attributes
    ----------
    label
        The name of the figure in words.
    records
        One row for each record: ``table``, ``id``, ``date``, ``file``, ``line``, ``amount`` (what it adds; the sum is
        the figure) and ``cleaning`` (how the row was read, what it replaced). A measure that counts different values
        has ``counted_once_as`` as well, and one that is followed by another table the first later record that makes
        it count, as ``followed_by_table``, ``…_id``, ``…_date``, ``…_file`` and ``…_line``.
    missed
        One row for each row that just missed it: ``table``, ``id``, ``date`` (as it was written, if unreadable),
        ``file``, ``line``, ``reason`` and ``detail``.
    notes
        What else a reader should know.
    demonstration
        The statement about sample data, if this is sample data.
    """

    issue: IssuePeriod
    as_of: dt.date
    key: FigureKey
    label: str
    value: int
    records: pd.DataFrame
    missed: pd.DataFrame
    notes: tuple[str, ...]
    demonstration: Demonstration | None

    def shown(self, narrow: bool = False) -> tuple[str, pd.DataFrame]:
        """Return a title and a table of the records for people, without columns that are the same for each.

        Parameters
        ----------
        narrow
            Whether to leave out whole paths and put all words into one column: then the title has the folder of the
            files. Always so if the records of another table are shown too.
        """
        rows, number = self.records, len(self.records)
        texts = [rows["cleaning"]]
        if "followed_by_table" in rows:
            narrow = True
            table, record, date, file, line = (rows[f"followed_by_{name}"].astype("str") for name in PLACE)
            texts.insert(0, "followed by " + table + " " + record + " of " + date + ", " + file + ", line " + line)
        if narrow and "counted_once_as" in rows:
            texts.insert(0, "counted once as " + rows["counted_once_as"])
        title = f"{number:,} {'record' if number == 1 else 'records'} of {rows['table'].iloc[0]}"
        where = rows["file"].str.rsplit("/", n=2, expand=True)
        columns = {
            "id": rows["id"],
            "date": rows["date"],
            "delivery" if narrow else "file": where[1] if narrow else rows["file"],
            "line": rows["line"],
            "amount": None if rows["amount"].eq(1).all() else rows["amount"],
            "counted once as": None if narrow else rows.get("counted_once_as"),
        }
        told = pd.Series(map(_joined, zip(*texts, strict=True)), index=rows.index, dtype="str")
        if told.ne("").any():
            columns["cleaning" if len(texts) == 1 else "details"] = told
        shown = pd.DataFrame({name: column for name, column in columns.items() if column is not None})
        return f"{title}, in {where[0].iloc[0]}/DELIVERY/{where[2].iloc[0]}" if narrow else title, shown

    @property
    def rows(self) -> pd.DataFrame:
        """All rows in one table: ``status`` is ``counted`` or the reason why a row missed."""
        missed = self.missed.rename(columns={"reason": "status"})
        both = pd.concat([self.records.assign(status=COUNTED), missed], ignore_index=True)
        # The amount of a row that missed may be unreadable, so it is left out.
        numbers = {name: "Int64" for name in both.columns if name == "amount" or name.endswith("line")}
        return both[["status", *self.records.columns, "detail"]].astype(numbers)

    @property
    def mark(self) -> str | None:
        """The statement about sample data, if this is sample data."""
        return None if self.demonstration is None else self.demonstration.mark

    def as_json(self) -> dict[str, Any]:
        """Return it as ``terminal.show_json`` takes it."""
        about = _about(self)
        found = {"as_of": self.as_of.isoformat(), "value": self.value}
        return {**about, **found, "records": self.records, "missed": self.missed, "notes": list(self.notes)}


@dataclass(frozen=True)
class Movement:
    """The records that entered and left one figure between two as-of dates.

    Attributes
    ----------
    value_before, value_after
        The figure as of either date.
    records
        One row for each record: ``moved`` (``entered``, ``left`` or ``changed``), ``table``, ``id``, ``date``,
        ``file`` and ``line`` (of the row that counts or did), ``change`` (the sum is the change of the figure) and
        ``why``.
    """

    issue: IssuePeriod
    before: dt.date
    after: dt.date
    key: FigureKey
    label: str
    value_before: int
    value_after: int
    records: pd.DataFrame
    demonstration: Demonstration | None

    @property
    def mark(self) -> str | None:
        """The statement about sample data, if this is sample data."""
        return None if self.demonstration is None else self.demonstration.mark

    def as_json(self) -> dict[str, Any]:
        """Return it as ``terminal.show_json`` takes it."""
        about = _about(self)
        span = {"from": self.before.isoformat(), "to": self.after.isoformat()}
        return {**about, **span, "before": self.value_before, "after": self.value_after, "records": self.records}


@dataclass(frozen=True)
class Background:
    """The records in which the figures of an issue are traced: as of a day, and as of now.

    Attributes
    ----------
    later
        The records as of the newest delivery; none if that is the same, or cannot be read.
    """

    issue: IssuePeriod
    records: Records
    later: Records | None
    notes: tuple[str, ...]


def trace_figure(
    project: Project,
    issue: IssuePeriod,
    key_text: str,
    as_of: dt.date | None = None,
    allow_quarantined: bool = False,
    near: int = NEAR,
) -> Trace:
    """Return the records behind a figure, and those that just missed it.

    Parameters
    ----------
    key_text
        The figure, ``measure/category/period``.
    as_of
        By default the as-of date of the issue.
    near
        The number of days before and after the period in which a record just misses it.

    Raises
    ------
    ParameterError
        If there is no such figure.
    DeliveryError
        If the month has no data, or a delivered file is not in form.
    QuarantineError
        If rows are in quarantine and that is not allowed.
    BalanceError
        If the records do not add up to the figure: a fault of this software.
    """
    key = FigureKey.parse(key_text, project.program, issue)
    tables = tables_of(project.program, key)
    return trace(load_background(project, issue, as_of, allow_quarantined, tables), key, near)


def load_background(
    project: Project,
    issue: IssuePeriod,
    as_of: dt.date | None = None,
    allow_quarantined: bool = False,
    tables: Collection[str] | None = None,
) -> Background:
    """Read the records in which figures of a month are traced; of later deliveries only some tables, if given.

    Raises
    ------
    DeliveryError
        If the month has no data, or a delivered file is not in form.
    QuarantineError
        If rows are in quarantine and that is not allowed.
    """
    deliveries = find_deliveries(project)
    as_of = issue_day(project, deliveries, issue, as_of)
    newest = deliveries[-1].received
    later, notes = None, []
    if newest > as_of:
        try:
            everything = read_received(project, deliveries, newest)
            received = everything.by(as_of)
            later = clean_records(project.program, everything.by(newest, list(tables or project.program.tables)))
        except DeliveryError as error:
            # An invalid later delivery must not stop a trace as of an earlier day.
            received = read_received(project, deliveries, as_of)
            what = error.problems[0] if error.problems else error.summary
            notes.append(f"Deliveries received after {as_of} cannot be read and are left out here. {what}")
    else:
        received = read_received(project, deliveries, as_of)
    records = clean_records(project.program, received)
    if not allow_quarantined:
        require_no_quarantine(project, Edition(issue, records, pd.DataFrame()))
    return Background(issue, records, later, tuple(notes))


def trace(background: Background, key: FigureKey, near: int = NEAR) -> Trace:
    """Return the records behind a figure, from records that were read already; see ``trace_figure``."""
    records, issue = background.records, background.issue
    looked_at = look_at(records, key, issue)
    members = members_of(records, key, issue)
    require_balance(looked_at, members)
    # A record that adds nothing to a sum is not behind it; one that is counted once with others is.
    listed = members if looked_at.once is not None else members.loc[members["amount"].ne(0)]
    rows = looked_at.table.kept[listed.index]
    versions = older_versions(looked_at, rows)
    missed = missed_rows(looked_at, rows, versions, near)
    value = int(members["amount"].sum())
    notes = list(background.notes)
    if nothing := len(members) - len(listed):
        notes.append(f"{nothing:,} more {'record' if nothing == 1 else 'records'} of the period add 0; not listed.")
    if background.later is not None:
        came, note = _since(records, background.later, key, issue)
        missed.append(came)
        notes += note
    notes += _about_voids(records)
    return Trace(
        issue=issue,
        as_of=records.as_of,
        key=key,
        label=label_of(records.program, key, issue),
        value=value,
        records=listed_records(looked_at, listed, what_cleaning_did(looked_at, rows, versions)),
        missed=put_together(missed, listed["once"] if looked_at.once is not None else ()),
        notes=tuple(notes),
        demonstration=_demonstration(records),
    )


def _since(records: Records, later: Records, key: FigureKey, issue: IssuePeriod) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows received later that count now, and a note if the figure or its records changed."""
    try:
        moves = find_moves(records, later, key, issue)
    except ProgramError as error:
        # A value that only later issues print is not an error of this one.
        return pd.DataFrame(columns=list(COLUMNS)), [f"It cannot be counted as of {later.as_of}: {error.summary}"]
    came, now = received_later(moves), int(moves.members[1]["amount"].sum())
    if moves.pairs.empty:
        return came, []
    days = f"--diff {records.as_of} {later.as_of}"
    return came, [f"As of {later.as_of} it is {now:,}; {days} shows what entered and left in between."]


def trace_movement(
    project: Project,
    issue: IssuePeriod,
    key_text: str,
    before: dt.date,
    after: dt.date,
    allow_quarantined: bool = False,
) -> Movement:
    """Return the records that entered and left a figure between two as-of dates, even if it did not change.

    Raises
    ------
    ParameterError
        If there is no such figure, or the second date is before the first.
    DeliveryError
        If the month has no data by one of the days, or a delivered file is not in form.
    QuarantineError
        If rows are in quarantine on one of the days and that is not allowed.
    """
    key = FigureKey.parse(key_text, project.program, issue)
    if after < before:
        raise ParameterError(
            "The dates run backwards.",
            [Problem("--diff", f"{before} is after {after};", "write the earlier date first.")],
        )
    deliveries = find_deliveries(project)
    for day in (before, after):
        as_of_issue(project.program, deliveries, issue, day)
    received = read_received(project, deliveries, after)
    older, newer = (clean_records(project.program, part) for part in (received.by(before), received))
    if not allow_quarantined:
        for records in (older, newer):
            require_no_quarantine(project, Edition(issue, records, pd.DataFrame()))
    return movement(older, newer, key, issue)


def movement(older: Records, newer: Records, key: FigureKey, issue: IssuePeriod) -> Movement:
    """Compare the records behind a figure as of two dates.

    Raises
    ------
    BalanceError
        If they do not add up to the change of the figure: a fault of this software.
    """
    moves = find_moves(older, newer, key, issue)
    before, after = (int(rows["amount"].sum()) for rows in moves.members)
    if before + int(moves.pairs["change"].sum()) != after:
        raise BalanceError(
            f"{key} went from {before} to {after}, but not by the records that moved. This is a fault of viputils."
        )
    label = label_of(newer.program, key, issue)
    return Movement(issue, older.as_of, newer.as_of, key, label, before, after, described(moves), _demonstration(newer))


def label_of(program: Program, key: FigureKey, issue: IssuePeriod) -> str:
    """Return the name of a figure in words: ``Homicide, Incident type, November 2023, month``."""
    period = key.period
    if period == "fytd":
        period = f"{program.identity.year} to date"
    elif period != issue.kind:
        period = parse_period(period).label
    measure, category = program.measures[key.measure], key.category
    category = ReportMonth.parse(category).label if measure.by == "month" else category
    return ", ".join(part for part in (category, measure.label, issue.label, period) if part)


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(text for text in texts if text)


def _about(found: Trace | Movement) -> dict[str, Any]:
    statement = None if found.demonstration is None else " ".join(found.demonstration.statement.split())
    return {"month": str(found.issue), "figure": str(found.key), "label": found.label, "demonstration": statement}


def _demonstration(records: Records) -> Demonstration | None:
    return records.program.demonstration if records.is_demonstration else None


def _about_voids(records: Records) -> list[str]:
    """Return a note for each faulty void: it may have withdrawn a record."""
    faults = records.voids.quarantine.astype("str").to_dict("records")
    return [
        f"A void is in quarantine and withdraws nothing: {fault['file']}, line {fault['line']}, "
        f"{what_is_wrong([{str(name): fault[name] for name in fault}])}."
        for fault in faults
    ]
