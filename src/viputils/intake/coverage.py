"""The days that a delivery covers: the last day until which it has all records of a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from viputils.config.program import Table
from viputils.config.tables import FILE
from viputils.core.errors import IntakeError, Problem, nearest
from viputils.core.months import ReportMonth, parse_date
from viputils.records.account import QUARANTINED
from viputils.records.clean import Records
from viputils.records.deliveries import NO_DAY, Delivery


def coverage_of(
    after: Records, delivery: Delivery, covers_until: Sequence[str]
) -> tuple[dict[str, dt.date], list[str]]:
    """Return the last day that each table covers, and warnings.

    A month without records may be empty, or its records may not have been sent. Rows in quarantine cover nothing.

    Parameters
    ----------
    covers_until
        See ``proposed_intake``.
    """
    program = after.program
    tables = {name: program.tables[name] for name in delivery.files if name in program.tables}
    declared, of_all = _declared(covers_until, tables)
    newest = {name: _newest_day(after, delivery, name) for name in tables}
    days = [dt.date.fromisoformat(day) for day in newest.values() if day not in ("", NO_DAY)]
    before = ReportMonth.of(delivery.received).plus(-1).span.end
    nothing = program.identity.records_from - dt.timedelta(days=1)
    known = max(days, default=nothing if NO_DAY in newest.values() else before)
    proposed = max(before, known) if known >= before.replace(day=1) else ReportMonth.of(known).span.end
    covers = {name: declared.get(name, of_all or min(proposed, delivery.received)) for name in tables}
    if of_all is not None:
        return covers, []
    proposed_tables = [name for name in tables if name not in declared]
    warnings = [*_old(newest, covers, proposed_tables), *_held(delivery, tables, newest, covers, proposed_tables)]
    if days and proposed < before and any(one.delivery == "snapshot" for one in tables.values()):
        warnings.append(
            f"The newest record is of {known}, so the days after {proposed} are not covered, and later months get no "
            f"issue. If nothing happened since, add --covers-until {before}."
        )
    return covers, warnings


def _declared(covers_until: Sequence[str], tables: Collection[str]) -> tuple[dict[str, dt.date], dt.date | None]:
    """Return the days in ``--covers-until``, of single tables and of all others."""
    declared = {name.strip(): _day(day) for name, mark, day in (one.partition("=") for one in covers_until) if mark}
    listed = ", ".join(tables)
    problems = [
        Problem(
            "--covers-until",
            f"'{name}' is not a table of these files;",
            nearest(name, tables) or f"tables of these files: {listed}.",
        )
        for name in declared
        if name not in tables
    ]
    if problems:
        raise IntakeError("The files cannot be imported. Nothing was written.", problems)
    return declared, next((_day(one) for one in covers_until if "=" not in one), None)


def _old(newest: Mapping[str, str], covers: Mapping[str, dt.date], names: Sequence[str]) -> Iterator[str]:
    """Yield a warning for each table whose newest record is more than a month before the day that it covers."""
    for name in names:
        if newest[name] in ("", NO_DAY):
            continue
        month = ReportMonth.of(dt.date.fromisoformat(newest[name]))
        if month.plus(1) < ReportMonth.of(covers[name]):
            yield (
                f"The newest record of {name} is of {newest[name]}, and the table would be covered until "
                f"{covers[name]}. If later records may be missing, add --covers-until {name}={month.span.end}."
            )


def _held(
    delivery: Delivery,
    tables: Mapping[str, Table],
    newest: Mapping[str, str],
    covers: Mapping[str, dt.date],
    names: Sequence[str],
) -> Iterator[str]:
    """Yield a warning for each table that has rows in quarantine with later dates than it covers."""
    for name in names:
        held = delivery.newest_day(name, tables[name])
        if held > max(newest[name], covers[name].isoformat()):
            yield (
                f"Rows of {name} in quarantine have later dates, until {held}, which the delivery does not cover. If "
                f"the dates are right, add --covers-until {name}={held}."
            )


def with_coverage(after: Records, delivery: Delivery) -> Records:
    """Return the records with what their newest delivery covers."""
    known = (delivery if one.name == delivery.name else one for one in after.received.deliveries)
    return replace(after, received=replace(after.received, deliveries=tuple(known)))


def _newest_day(after: Records, delivery: Delivery, name: str) -> str:
    """Return the newest day of a delivery's rows that are not in quarantine, in the form of ``Delivery.newest_day``."""
    rule, given = after.program.tables[name], after.received.tables[name].rows
    own = given[FILE].eq(delivery.name_of(name))
    counts = own & after.tables[name].ledger["status"].ne(QUARANTINED)
    days = given.loc[counts, rule.date].astype("str").str.strip()
    return delivery.newest_of(days.unique()) if counts.any() else NO_DAY if own.any() else ""


def _day(text: str) -> dt.date:
    return parse_date(text.strip(), "--covers-until")
