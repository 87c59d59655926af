"""Complete months: which tables were received for a month, since when, and which delivery is missing."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter

from viputils.config.program import Program
from viputils.config.tables import VOIDS
from viputils.core.errors import DeliveryError, Problem
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.text import capital
from viputils.records.deliveries import Delivery


def default_as_of(deliveries: Sequence[Delivery], program: Program, month: ReportMonth) -> dt.date:
    """Return the as-of date of a month's own issue: the day on which its last table was received.

    This is the first day by which every table was delivered after the end of the month. It does not depend on the
    clock or on later deliveries.

    Raises
    ------
    DeliveryError
        If a table was not delivered after the end of the month.
    """
    return max(_first_received_after(deliveries, program, month, None).values())


def require_over(program: Program, period: IssuePeriod, as_of: dt.date) -> None:
    """Raise ``DeliveryError`` if the period was not over on the as-of date."""
    end = period.days(program.identity.fiscal_year_starts).end
    if as_of <= end:
        raise DeliveryError(
            f"{capital(period.label)} was not over on {as_of}.",
            [
                Problem(
                    "as-of date", f"{as_of} is not after {end};", f"choose a later date or an earlier {period.kind}."
                )
            ],
        )


def require_complete(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> None:
    """Raise ``DeliveryError`` if the month was not over on the as-of date, or a table was not received since."""
    require_over(program, month, as_of)
    _first_received_after(deliveries, program, month, as_of)
    if program.identity.delivered == "monthly":
        _require_every_month(deliveries, program, month, as_of)


def _require_every_month(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> None:
    """Raise ``DeliveryError`` if a monthly delivery of the fiscal year is missing: the counts would be too low."""
    earlier = month.fiscal_year(program.identity.fiscal_year_starts).months(until=month.plus(-1))
    problems = missing_deliveries(deliveries, program, earlier, as_of)
    if problems:
        raise DeliveryError(f"A delivery within the fiscal year of {month} is missing. Nothing was made.", problems)


def missing_deliveries(
    deliveries: Sequence[Delivery], program: Program, months: Iterable[ReportMonth], as_of: dt.date
) -> list[Problem]:
    """Return a problem for each month and table that was not delivered by the end of the next month.

    A snapshot contains the whole table, so no snapshot is ever missing.
    """
    return [
        Problem(
            f"data/raw/{month.plus(1)}-…/{table}.csv",
            f"is missing: {table} was not delivered after {month.span.end} and by {_due(month, as_of)};",
            f"it covers {month.label}. A table without rows is only a header. If deliveries are not monthly, change "
            "program.delivered in program.toml.",
        )
        for month in months
        for table in missing_tables(deliveries, program, month, as_of)
    ]


def missing_tables(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> list[str]:
    """Return the tables that were not delivered by the end of the next month; see ``missing_deliveries``."""
    if month.span.start < program.identity.records_from:
        return []
    in_time = _received_between(deliveries, month.span.end, _due(month, as_of))
    came = {table for delivery in in_time for table in _brought(delivery, program, month)}
    return [name for name, rule in program.tables.items() if name not in came and rule.delivery == "incremental"]


def _due(month: ReportMonth, as_of: dt.date) -> dt.date:
    return min(month.plus(1).span.end, as_of)


def _received_between(deliveries: Sequence[Delivery], after: dt.date, by: dt.date | None) -> Sequence[Delivery]:
    """Return the deliveries received after one day and by another, if they are in order of receipt."""
    day = attrgetter("received")
    end = len(deliveries) if by is None else bisect_right(deliveries, by, key=day)
    return deliveries[bisect_right(deliveries, after, key=day) : end]


def received_after(
    deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date | None = None
) -> dict[str, dt.date]:
    """Return the first day on which each table was received after the end of a month, if it was."""
    first: dict[str, dt.date] = {}
    for delivery in _received_between(deliveries, month.span.end, as_of):
        if not first.keys() >= delivery.files.keys():
            for table in _brought(delivery, program, month):
                first.setdefault(table, delivery.received)
    return {table: first[table] for table in (*program.tables, VOIDS.name) if table in first}


def _first_received_after(
    deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date | None
) -> dict[str, dt.date]:
    """Return the first day on which each table was received after the end of a month.

    Raises
    ------
    DeliveryError
        If a table was not.
    """
    first = received_after(deliveries, program, month, as_of)
    missing = [table for table in program.tables if table not in first]
    if missing:
        by_when = f" and by {as_of}" if as_of else ""
        known = [delivery for delivery in deliveries if as_of is None or delivery.received <= as_of]
        latest = {table: max((d.received for d in known if table in d.files), default=None) for table in missing}
        newest = max((d.received for d in deliveries), default=None)
        verb = "was" if len(missing) == 1 else "were"
        summary = (
            f"The data for {month} is incomplete: {len(missing)} of {len(program.tables)} tables {verb} not"
            if first
            else f"There is no data for {month} yet: no table was"
        )
        since = f"delivered after {month.span.end}{by_when}."
        if not first and as_of is None and newest is not None and newest > month.span.end:
            # A delivery says which days it covers. One that came later can cover less.
            summary, since = f"There is no data for {month} yet: no delivery covers it.", ""
        raise DeliveryError(
            f"{summary} {since}".strip() + f" The newest delivery was received on {newest}.",
            [
                Problem(
                    f"data/raw/…/{table}.csv",
                    f"was last received on {latest[table]}{_until(known, table)};"
                    if latest[table]
                    else "was never received;",
                    f"a delivery after {month.span.end} covers {month.label}, even if it is a header without rows. One "
                    "with only rows of earlier months is a correction, unless `vip intake --covers-until` says that "
                    "nothing happened since.",
                )
                for table in missing
            ],
        )
    return {table: first[table] for table in program.tables}


def _until(deliveries: Sequence[Delivery], table: str) -> str:
    """Return the last day that a table covers in words, if intake recorded one."""
    days = [delivery.covers[table] for delivery in deliveries if table in delivery.covers]
    return f", and covers the days until {max(days)}" if days else ""


def _brought(delivery: Delivery, program: Program, month: ReportMonth) -> list[str]:
    """Return the tables of a delivery that cover a month; the delivery was received after the end of the month.

    A table covers the days until the one recorded at intake. If there is none, the rows of the delivery decide: one
    with only rows of earlier months is a correction or an old snapshot. If it counted, a month without records would
    look complete.
    """
    declared = {name: day for name, day in delivery.covers.items() if name in delivery.files}
    others = (delivery.files.keys() & program.tables.keys()) - declared.keys()
    days = [delivery.newest_day(name, program.tables[name]) for name in others]
    by_rows = any(not newest or newest >= f"{month}-01" for newest in days)
    by_day = {name for name, day in declared.items() if day >= month.span.end}
    return [name for name in delivery.files if name in by_day or (name not in declared and (by_rows or bool(by_day)))]
