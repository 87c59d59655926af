"""Revisions: which figures of a month moved between two as-of dates, by how much, and which records did it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils.audit.as_of import issue_day, load_edition, require_no_quarantine
from viputils.config.program import Distinct
from viputils.config.project import Project
from viputils.config.tables import DELIVERY, FILE, LINE, ORIGIN
from viputils.core.errors import DeliveryError, ParameterError, Problem
from viputils.core.months import ReportMonth
from viputils.figures.counts import KEY, compute_figures, counted, value_of
from viputils.figures.edition import Edition
from viputils.records.clean import QUARANTINED, Records, clean_records
from viputils.records.deliveries import default_as_of, find_deliveries

RECORD_COLUMNS: Final = ("table", "id", "what", "file", "line", *KEY, "change")


@dataclass(frozen=True)
class Revisions:
    """What moved between two as-of dates.

    Attributes
    ----------
    figures
        One row for each figure that moved: ``measure``, ``category``, ``period``, ``before``, ``after``, ``change``.
    records
        One row for each record and figure that it moved: ``table``, ``id``, ``what`` (what happened to the record),
        ``file`` and ``line`` (where it says so), ``measure``, ``category``, ``period``, ``change``.
    """

    month: ReportMonth
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
    """A month whose number moved: what it was when its last table had come in (``as_of``), and what it is now."""

    month: ReportMonth
    as_of: dt.date
    first: int
    now: int


def find_revisions(
    project: Project,
    month: ReportMonth,
    before: dt.date | None = None,
    after: dt.date | None = None,
    allow_quarantined: bool = False,
) -> Revisions:
    """Compare a month as it was known on two days.

    Parameters
    ----------
    before
        By default the as-of date of the month's own issue.
    after
        By default the day of the newest delivery.

    Raises
    ------
    ParameterError
        If the second day does not lie after the first.
    DeliveryError
        If the month has no data by one of the days.
    QuarantineError
        If rows are in quarantine on one of the days and that is not allowed.
    """
    deliveries = find_deliveries(project)
    before = issue_day(project, deliveries, month, before)
    after = max(before, deliveries[-1].received) if after is None else after
    if after < before:
        raise ParameterError(
            "The dates run backwards.",
            [Problem("--from, --to", f"{before} is after {after};", "give the earlier date to --from.")],
        )
    older, newer = (load_edition(project, month, day) for day in (before, after))
    if not allow_quarantined:
        for edition in (older, newer):
            require_no_quarantine(project, edition)
    return compare_editions(older, newer)


def compare_editions(older: Edition, newer: Edition) -> Revisions:
    """Compare two editions of one month."""
    # Both have the same keys: they are of one month and one program.
    figures = older.figures.rename(columns={"value": "before"}).assign(after=newer.figures["value"])
    figures = figures.assign(change=figures["after"] - figures["before"])
    figures = figures.loc[figures["change"].ne(0)].reset_index(drop=True)
    effects = list(_effects(older, newer, figures))
    records = pd.concat(effects, ignore_index=True) if effects else pd.DataFrame()
    records = _described(older.records, newer.records, records)
    return Revisions(older.month, older.as_of, newer.as_of, figures, records)


def _effects(older: Edition, newer: Edition, figures: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the records that moved each measure, one row for each figure that the record moved."""
    program, month = newer.program, newer.month
    changes: dict[str, pd.DataFrame] = {}

    def changes_of(name: str) -> pd.DataFrame:
        if name not in changes:
            changes[name] = record_changes(older.records, newer.records, name)
        return changes[name]

    moved_in = figures[["measure", "period"]].drop_duplicates()
    for name, period in zip(moved_in["measure"], moved_in["period"], strict=True):
        measure = program.measures[name]
        sides = [counted(edition.records, name, month, period) for edition in (older, newer)]
        moved = changes_of(measure.table)
        parts = [
            _contribution(side, moved, place).assign(sign=sign)
            for side, place, sign in zip(sides, ("before", "after"), (-1, 1), strict=True)
        ]
        both = pd.concat(parts)
        by = [both.index, "category", *(["once"] if "once" in both else [])]
        net = both.assign(change=both["amount"] * both["sign"]).groupby(by, observed=True, dropna=False)["change"].sum()
        effect = net.loc[net.ne(0)].reset_index(level=by[1:])
        if "once" in both:
            # Several records can share what is counted once, so none of them is worth one on its own.
            effect = effect.drop(columns="once").assign(change=None, record=effect.index)
            effect = effect.drop_duplicates(["record", "category"]).drop(columns="record")
        if measure.followed_by is not None and isinstance(measure.count, Distinct):
            people = [set(side["once"].astype("str").str.casefold()) for side in sides]
            later = changes_of(measure.followed_by)
            person = _column_of(later, older, newer, measure.followed_by, measure.count.distinct)
            found = later.loc[person.str.casefold().isin(people[0] ^ people[1])]
            yield found.assign(measure=name, category="", period=period, change=None)
        found = moved.join(effect, how="inner")
        found = found.assign(measure=name, period=period, category=found["category"].astype("str"))
        keys = figures.loc[figures["measure"].eq(name) & figures["period"].eq(period), "category"]
        yield found.loc[found["category"].isin(keys)]


def _contribution(side: pd.DataFrame, moved: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return what the changed records add to a measure on one side, under the index of the changes."""
    there = moved[place].dropna().astype("int64")
    there = there.loc[there.isin(side.index)]
    found = side.loc[there.to_numpy()].set_axis(there.index)
    return found.assign(category=found["category"].astype("str"))


def record_changes(older: Records, newer: Records, name: str) -> pd.DataFrame:
    """Find the records of a table that came, went or changed between two as-of dates.

    Returns
    -------
    DataFrame
        One row for each of them: ``table``, ``id``, and the places of its row in either table (``before`` and
        ``after``, missing where it has none).
    """
    pairs = record_pairs(older, newer, name)
    return pairs.loc[~pairs["same"]].drop(columns="same").reset_index(drop=True)


def record_pairs(older: Records, newer: Records, name: str, ids: Collection[str] | None = None) -> pd.DataFrame:
    """Match the records of a table as of two dates, those that did not change as well.

    Parameters
    ----------
    ids
        Only records with these ids; by default all.

    Returns
    -------
    DataFrame
        What ``record_changes`` gives, and whether both rows say the ``same``.
    """
    table = newer.program.tables[name]
    sides = []
    for records in (older, newer):
        rows = records.tables[name].rows[[table.id, *table.columns]]
        sides.append((rows if ids is None else rows.loc[rows[table.id].isin(ids)]).astype("str"))
    return pair_rows(*sides).assign(table=name)[["table", "id", "before", "after", "same"]]


def pair_rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Match the rows of two tables of texts: first those that say the same, then those of one id in their order.

    Parameters
    ----------
    before, after
        Both with the same columns, the id first.

    Returns
    -------
    DataFrame
        One row for each pair: the ``id``, the index of its row ``before`` and ``after`` (missing where it has none),
        and whether both say the ``same``. Those that changed come first.
    """
    # Numbers for names: a table can have columns that are called what is added here.
    columns = list(range(before.shape[1]))
    sides = [side.set_axis(columns, axis="columns") for side in (before, after)]
    # Rows that say the same are told apart by their number, the first of one table being that of the other.
    left, right = (
        side.assign(number=side.groupby(columns, sort=False, dropna=False).cumcount()).reset_index(names=name)
        for side, name in zip(sides, ("before", "after"), strict=True)
    )
    matched = left.merge(right, on=[*columns, "number"], how="outer").rename(columns={0: "id"})
    gone = matched.loc[matched["after"].isna(), ["id", "before"]].sort_values("before")
    come = matched.loc[matched["before"].isna(), ["id", "after"]].sort_values("after")
    same = matched.loc[matched["before"].notna() & matched["after"].notna(), ["id", "before", "after"]]
    # What is left over on both sides under one id is one record that changed.
    gone, come = (part.assign(number=part.groupby("id").cumcount()) for part in (gone, come))
    pairs = gone.merge(come, on=["id", "number"], how="outer").sort_values(["after", "before"])
    both = pd.concat([pairs.assign(same=False), same.sort_values("after").assign(same=True)], ignore_index=True)
    return both[["id", "before", "after", "same"]].astype({"before": "float64", "after": "float64"})


def _described(older: Records, newer: Records, effects: pd.DataFrame) -> pd.DataFrame:
    """Return what happened to each record, once it is known which ones moved a figure."""
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
    """Return what a column says of each changed record: now, or before where it is gone."""
    before, after = (edition.records.tables[table].rows[column] for edition in (older, newer))
    was = before.reindex(changes["before"].fillna(-1).astype("int64")).set_axis(changes.index)
    now = after.reindex(changes["after"].fillna(-1).astype("int64")).set_axis(changes.index)
    return now.fillna(was)


def what_happened(
    older: Records, newer: Records, name: str, record: str, before: float, after: float
) -> tuple[str, str, int]:
    """Return what happened to one record, and the file and line that show it."""
    was = None if pd.isna(before) else older.tables[name].rows.loc[int(before)]
    now = None if pd.isna(after) else newer.tables[name].rows.loc[int(after)]
    if was is not None and now is not None:
        fields = [field for field in was.index if field not in ORIGIN and str(was[field]) != str(now[field])]
        words = "; ".join(f"{field} {shown(was[field])} → {shown(now[field])}" for field in fields)
        return f"corrected: {words}", *origin(newer.tables[name].rows, after)
    if now is not None:
        ledger = older.tables[name].ledger
        before_it = set(ledger.loc[ledger["id"].eq(record), "status"])
        what = "received"
        if before_it and newer.program.tables[name].one_row_per_id:
            read = "could be read since it was corrected"
            what = read if QUARANTINED in before_it else "sent again after it was withdrawn"
        return what, *origin(newer.tables[name].rows, after)
    voids = newer.voids.rows
    void = voids.loc[voids["voided_table"].eq(name) & voids["voided_id"].eq(record)]
    void = void.loc[void[DELIVERY].ge(older.tables[name].rows[DELIVERY].loc[int(before)])]
    held = newer.tables[name].quarantine
    held = held.loc[held["id"].eq(record)]
    if not held.empty:
        field, value, reason = (held[column].iloc[0] for column in ("field", "value", "reason"))
        return f"in quarantine: {field} {value!r} [{reason}]", str(held[FILE].iloc[0]), int(held[LINE].iloc[0])
    if not void.empty:
        return "withdrawn by a void", str(void[FILE].iloc[-1]), int(void[LINE].iloc[-1])
    return "no longer in the snapshot", *origin(older.tables[name].rows, before)


def origin(rows: pd.DataFrame, place: float) -> tuple[str, int]:
    """Return the file and the line that a row came from."""
    return str(rows[FILE].loc[int(place)]), int(rows[LINE].loc[int(place)])


def shown(value: Any) -> str:
    """Write a value of a clean table as people read it."""
    if pd.isna(value):
        return "(empty)"
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)


def trend_revisions(edition: Edition) -> list[RevisedMonth]:
    """Compare the earlier months of the chart by month with what was known when each had just been delivered.

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
    for month in edition.months[:-1]:
        try:
            first_known = default_as_of(received.deliveries, edition.program, month)
        except DeliveryError:
            continue
        if first_known < edition.as_of:
            # Under the names of this issue, so that only the records can make a difference.
            figures = compute_figures(clean_records(only, received.by(first_known, [measure.table])), edition.month)
            first, now = (value_of(table, name, "fytd", str(month)) for table in (figures, edition.figures))
            if first != now:
                revised.append(RevisedMonth(month, first_known, first, now))
    return revised
