"""The figures that a delivery would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from viputils.core.months import ReportMonth
from viputils.figures.counts import KEY, compute_figures
from viputils.records.clean import Records
from viputils.records.completeness import received_after

# The figures of this many months are compared. Older months are only named.
MONTHS_SHOWN: Final = 13


def moved_figures(before: Records, after: Records) -> tuple[pd.DataFrame, list[ReportMonth]]:
    """Return the figures of the newest months that change, and the older months whose records change."""
    months = sorted({month for records in (before, after) for month in _months_of(records)})
    moved = []
    for month in months[-MONTHS_SHOWN:]:
        old, new = (compute_figures(records, month) for records in (before, after))
        both = old.rename(columns={"value": "before"}).assign(after=new["value"], month=str(month))
        both = both.loc[both["before"].ne(both["after"]) & both["period"].eq("month")]
        table = both["measure"].map({name: measure.table for name, measure in after.program.measures.items()})
        known = {"before": _tables_with_data(before, month), "after": _tables_with_data(after, month)}
        moved.append(
            both.assign(**{side: both[side].astype("Int64").where(table.isin(of)) for side, of in known.items()})
        )
    columns = ["month", *KEY[:2], "before", "after"]
    figures = pd.concat(moved, ignore_index=True)[columns] if moved else pd.DataFrame(columns=columns)
    if len(months) <= MONTHS_SHOWN:
        return figures, []
    was, now = (_contents(records, months[-MONTHS_SHOWN]) for records in (before, after))
    return figures, [month for month in months[:-MONTHS_SHOWN] if was.get(month) != now.get(month)]


def _tables_with_data(records: Records, month: ReportMonth) -> set[str]:
    """Return the tables that have data for a month: a record, or a delivery that covers it."""
    program, span = records.program, month.span
    covered = received_after(records.received.deliveries, program, month)
    days = {name: table.rows[program.tables[name].date] for name, table in records.tables.items()}
    inside = {name for name, day in days.items() if day.between(pd.Timestamp(span.start), pd.Timestamp(span.end)).any()}
    return inside | covered.keys()


def _months_of(records: Records) -> Iterator[ReportMonth]:
    """Yield the months that have records, some of them more than once."""
    for name, table in records.tables.items():
        for day in table.rows[records.program.tables[name].date].drop_duplicates():
            yield ReportMonth(day.year, day.month)


def _contents(records: Records, until: ReportMonth) -> dict[ReportMonth, dict[str, int]]:
    """Return a checksum of the records for each earlier month and table. Their order does not matter."""
    found: dict[ReportMonth, dict[str, int]] = {}
    for name, table in records.tables.items():
        rule = records.program.tables[name]
        rows = table.rows.loc[table.rows[rule.date].lt(pd.Timestamp(until.span.start))]
        numbers = pd.util.hash_pandas_object(rows[[rule.id, *rule.columns]], index=False)
        days = rows[rule.date].dt
        totals = numbers.groupby(days.year * 12 + days.month - 1).sum()
        for month, number in zip(totals.index.tolist(), totals.tolist(), strict=True):
            found.setdefault(ReportMonth(month // 12, month % 12 + 1), {})[name] = number
    return found
