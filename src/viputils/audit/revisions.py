"""Revisions: the figures of an issue that moved between two as-of dates, and the records that moved them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from viputils.audit.as_of import issue_day, load_edition, require_no_quarantine
from viputils.audit.record_history import record_changes, what_happened
from viputils.config.program import Distinct
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ParameterError, Problem
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.figures.counts import KEY, compute_figures, counted, has_records, own_periods, value_of
from viputils.figures.edition import Edition
from viputils.records.clean import Records, clean_records
from viputils.records.completeness import default_as_of
from viputils.records.deliveries import find_deliveries

RECORD_COLUMNS: Final = ("table", "id", "what", "file", "line", *KEY, "change")


@dataclass(frozen=True)
class Revisions:
    """The changes of an issue between two as-of dates.

    Attributes
    ----------
    figures
        One row for each figure that moved: ``measure``, ``category``, ``period``, ``before``, ``after``, ``change``.
    records
        One row for each record and figure that it moved: ``table``, ``id``, ``what`` (what happened to the record),
        ``file`` and ``line`` (which show it), ``measure``, ``category``, ``period``, ``change``.
    """

    period: IssuePeriod
    before: dt.date
    after: dt.date
    figures: pd.DataFrame
    records: pd.DataFrame

    @property
    def by_record(self) -> pd.DataFrame:
        """Each record once: ``table``, ``id``, ``what``, ``file``, ``line`` and the figures that it ``moved``."""
        if self.records.empty:
            return pd.DataFrame(columns=[*RECORD_COLUMNS[:5], "moved"])
        category = self.records["category"].where(self.records["category"].eq(""), "/" + self.records["category"])
        change = self.records["change"].map("{:+.0f}".format, na_action="ignore").fillna("together with others")
        moved = self.records["measure"] + category + "/" + self.records["period"] + " " + change
        key = list(RECORD_COLUMNS[:5])
        return self.records.assign(moved=moved).groupby(key, sort=False)["moved"].agg("; ".join).reset_index()


@dataclass(frozen=True)
class RevisedMonth:
    """A month whose number moved: the number when its last table was received (``as_of``), and the number now."""

    month: ReportMonth
    as_of: dt.date
    first: int
    now: int


def find_revisions(
    project: Project,
    period: IssuePeriod,
    before: dt.date | None = None,
    after: dt.date | None = None,
    allow_quarantined: bool = False,
) -> Revisions:
    """Compare the figures of a period as of two dates.

    Parameters
    ----------
    before
        By default the as-of date of the period's own issue.
    after
        By default the day of the newest delivery.

    Raises
    ------
    ParameterError
        If the second date is before the first.
    DeliveryError
        If the period has no data as of one of the dates.
    QuarantineError
        If rows are in quarantine as of one of the dates and that is not allowed.
    """
    deliveries = find_deliveries(project)
    before = issue_day(project, deliveries, period, before)
    after = max(before, deliveries[-1].received) if after is None else after
    if after < before:
        raise ParameterError(
            "The dates run backwards.",
            [Problem("--from, --to", f"{before} is after {after};", "use --from for the earlier date.")],
        )
    older, newer = (load_edition(project, period, day) for day in (before, after))
    if not allow_quarantined:
        for edition in (older, newer):
            require_no_quarantine(project, edition)
    return _compare(older, newer)


def _compare(older: Edition, newer: Edition) -> Revisions:
    # Both have the same keys: they are of one period and one program.
    figures = older.figures.rename(columns={"value": "before"}).assign(after=newer.figures["value"])
    figures = figures.assign(change=figures["after"] - figures["before"])
    figures = figures.loc[figures["change"].ne(0)].reset_index(drop=True)
    effects = list(_effects(older, newer, figures))
    records = pd.concat(effects, ignore_index=True) if effects else pd.DataFrame()
    records = _described(older.records, newer.records, records)
    return Revisions(older.period, older.as_of, newer.as_of, figures, records)


def _effects(older: Edition, newer: Edition, figures: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the records that moved each measure, one row for each figure that the record moved."""
    program, issue = newer.program, newer.period
    changes: dict[str, pd.DataFrame] = {}

    def changes_of(name: str) -> pd.DataFrame:
        if name not in changes:
            changes[name] = record_changes(older.records, newer.records, name)
        return changes[name]

    moved_in = figures[["measure", "period"]].drop_duplicates()
    for name, period in zip(moved_in["measure"], moved_in["period"], strict=True):
        measure = program.measures[name]
        sides = [counted(edition.records, name, issue, period) for edition in (older, newer)]
        if measure.followed_by is not None and isinstance(measure.count, Distinct):
            people = [set(side["once"].astype("str").str.casefold()) for side in sides]
            later = changes_of(measure.followed_by)
            person = _column_of(later, older, newer, measure.followed_by, measure.count.distinct)
            found = later.loc[person.str.casefold().isin(people[0] ^ people[1])]
            yield found.assign(measure=name, category="", period=period, change=None)
        moved = changes_of(measure.table)
        found = moved.join(_net_effect(sides, moved), how="inner")
        found = found.assign(measure=name, period=period, category=found["category"].astype("str"))
        keys = figures.loc[figures["measure"].eq(name) & figures["period"].eq(period), "category"]
        yield found.loc[found["category"].isin(keys)]


def _net_effect(sides: Sequence[pd.DataFrame], moved: pd.DataFrame) -> pd.DataFrame:
    """Return the ``category`` and the ``change`` that each changed record adds to a measure, if any."""
    parts = [
        _contribution(side, moved, place).assign(sign=sign)
        for side, place, sign in zip(sides, ("before", "after"), (-1, 1), strict=True)
    ]
    both = pd.concat(parts)
    by = [both.index, "category", *(["once"] if "once" in both else [])]
    net = both.assign(change=both["amount"] * both["sign"]).groupby(by, observed=True, dropna=False)["change"].sum()
    effect = net.loc[net.ne(0)].reset_index(level=by[1:])
    if "once" in both:
        # Several records can share a value that is counted once, so no record has a change of its own.
        effect = effect.drop(columns="once").assign(change=None, record=effect.index)
        effect = effect.drop_duplicates(["record", "category"]).drop(columns="record")
    return effect


def _contribution(side: pd.DataFrame, moved: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return the rows of the changed records that a measure counts on one side, with the index of the changes."""
    there = moved[place].dropna().astype("int64")
    there = there.loc[there.isin(side.index)]
    found = side.loc[there.to_numpy()].set_axis(there.index)
    return found.assign(category=found["category"].astype("str"))


def _described(older: Records, newer: Records, effects: pd.DataFrame) -> pd.DataFrame:
    """Add to each effect what happened to its record."""
    if effects.empty:
        return pd.DataFrame(columns=list(RECORD_COLUMNS))
    key = ["table", "id", "before", "after"]
    records = effects[key].drop_duplicates()
    columns = (records[name] for name in key)
    said = [what_happened(older, newer, *record) for record in zip(*columns, strict=True)]
    described = records.assign(
        what=[what for what, _, _ in said], file=[file for _, file, _ in said], line=[line for _, _, line in said]
    )
    return effects.merge(described, on=key, how="left")[list(RECORD_COLUMNS)]


def _column_of(changes: pd.DataFrame, older: Edition, newer: Edition, table: str, column: str) -> pd.Series:
    """Return the value of a column in each changed record: the new value, or the old one if the record is gone."""
    before, after = (edition.records.tables[table].rows[column] for edition in (older, newer))
    was = before.reindex(changes["before"].fillna(-1).astype("int64")).set_axis(changes.index)
    now = after.reindex(changes["after"].fillna(-1).astype("int64")).set_axis(changes.index)
    return now.fillna(was)


def trend_revisions(edition: Edition) -> list[RevisedMonth]:
    """Compare the earlier months of the monthly chart with the number known when each was first complete.

    Returns
    -------
    list
        The earlier months of the fiscal year whose number moved, oldest first.
    """
    name = edition.program.report.trend
    if name is None:
        return []
    measure = edition.program.measures[name]
    only = edition.program.model_copy(update={"measures": {name: measure}})
    received = edition.records.received
    revised = []
    longest = own_periods(edition.period)[-1]
    for month in edition.months[:-1]:
        if not has_records(edition.program, month):
            continue
        try:
            first_known = default_as_of(received.deliveries, edition.program, month)
        except DeliveryError:
            continue
        if first_known < edition.as_of:
            # With the crosswalks of this issue, so that only the records can differ.
            figures = compute_figures(clean_records(only, received.by(first_known, [measure.table])), edition.period)
            first, now = (value_of(table, name, longest, str(month)) for table in (figures, edition.figures))
            if first != now:
                revised.append(RevisedMonth(month, first_known, first, now))
    return revised
