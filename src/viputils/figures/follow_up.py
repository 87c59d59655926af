"""Follow-up of records: how soon a response is followed by an outreach operation, and how often a flag is set."""

from __future__ import annotations

from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.core.errors import ParameterError, Problem, nearest
from viputils.core.months import ReportMonth
from viputils.figures.cross_tables import named_groups
from viputils.figures.plots import CurveFrame
from viputils.figures.series import known_months
from viputils.figures.stats import survival
from viputils.figures.stats.intervals import LEVEL, wilson
from viputils.records.clean import HasRecords, Records, records_of

# A response without a follow-up by then is not followed up in time.
WITHIN: Final = 30


def follow_up(
    given: Records | HasRecords,
    table: str = "responses",
    later: str = "outreach",
    link: str = "response_id",
    end: ReportMonth | None = None,
) -> pd.DataFrame:
    """Return for each record the day of the first later record that names it.

    Parameters
    ----------
    given
        Records, or the tables of ``workbench.load``.
    table, later
        The table of the records, and the table of their follow-ups.
    link
        The column of ``later`` with the id of the record.
    end
        The last month that is looked at; by default the last one for which both tables are complete.

    Returns
    -------
    DataFrame
        One row for each record, in order: its id, ``month`` (``YYYY-MM``), its categories as counted, ``day`` and
        ``followed_on`` (``datetime64[s]``, missing if there is no follow-up by the end of the month), ``days`` between
        them (``Int64``), ``observed`` (``int64``: days from the record to the end) and ``followed`` (``bool``). A
        follow-up before the record does not count.

    Raises
    ------
    ParameterError
        If this city keeps no such table or column, or the month is unknown.
    """
    records = records_of(given)
    program = records.program
    _require(program, table, later, link)
    last = _last(records, [table, later], end)
    until = pd.Timestamp(last.span.end)
    rule, rows = program.tables[table], records.tables[table].rows
    rows = rows.loc[rows[rule.date].le(until)].sort_values(rule.date, kind="stable")
    came = (
        records.tables[later].rows[[link, program.tables[later].date]].dropna().set_axis(["id", "on"], axis="columns")
    )
    came = came.loc[came["on"].le(until)]
    key = rows[rule.id].str.casefold()
    # Rows can share an id. Each has its own day.
    asked = pd.DataFrame({"id": key, "day": rows[rule.date], "row": rows.index})
    both = asked.merge(came.assign(id=came["id"].str.casefold()), on="id")
    first = both.loc[both["on"].ge(both["day"])].groupby("row")["on"].min()
    day, followed_on = rows[rule.date], first.reindex(rows.index).astype("datetime64[s]")
    days = (followed_on - day).dt.days.astype("Int64")
    categories = [name for name, column in rule.columns.items() if column.vocabulary is not None]
    found = pd.DataFrame(
        {
            rule.id: rows[rule.id],
            "month": day.dt.strftime("%Y-%m").astype("str"),
            **{name: named_groups(program, table, name, rows, last) for name in categories},
            "day": day,
            "followed_on": followed_on,
            "days": days,
            "observed": (until - day).dt.days.astype("int64"),
            "followed": days.notna(),
        }
    )
    return found.reset_index(drop=True)


def followed_shares(found: pd.DataFrame, by: str = "month", within: int = WITHIN, level: float = LEVEL) -> pd.DataFrame:
    """Return the share of records that were followed up within some days, all observed that long.

    Parameters
    ----------
    found
        As from ``follow_up``.
    by
        ``month``, or a column of categories.

    Returns
    -------
    DataFrame
        By group: ``records`` (observed that long) and ``followed`` of them (``int64``), ``share`` with Wilson's
        interval from ``low`` to ``high`` (``Float64``, missing without records), and ``too_recent`` (``int64``:
        records that were not observed that long, and are left out).

    Raises
    ------
    ParameterError
        If there is no such column, or ``within`` is not a number of days.
    """
    if by not in found:
        known = ["month", *(str(name) for name in found if found[name].dtype == "category")]
        problem = Problem(
            "by", f"{by!r} is not a column of the records;", nearest(by, known) or f"choose: {', '.join(known)}."
        )
        raise ParameterError("The shares cannot be counted.", [problem])
    if within < 0:
        raise ParameterError(
            "The shares cannot be counted.", [Problem("within", f"{within} is negative;", "write days.")]
        )
    is_observed = found["observed"].ge(within)
    in_time = is_observed & found["days"].le(within).fillna(False)
    groups = found[by]
    counts = pd.DataFrame(
        {
            name: flag.groupby(groups, observed=False).sum().astype("int64")
            for name, flag in (("records", is_observed), ("followed", in_time), ("too_recent", ~is_observed))
        }
    )
    return _with_shares(counts, "followed", "records", level).rename_axis(by).reset_index()


def time_to_follow_up(found: pd.DataFrame, by: str | None = None, level: float = LEVEL) -> CurveFrame:
    """Return the Kaplan-Meier share of records that were followed up by each day, as ``survival.curves``."""
    days = found["days"].fillna(found["observed"]).astype("int64")
    groups = None if by is None else found[by]
    return CurveFrame(survival.curves(days, found["followed"], groups, level))


def median_follow_up(found: pd.DataFrame, by: str | None = None, level: float = LEVEL) -> pd.DataFrame:
    """Return the day by which half of the records were followed up, with its interval, as ``survival.medians``."""
    days = found["days"].fillna(found["observed"]).astype("int64")
    return survival.medians(days, found["followed"], None if by is None else found[by], level)


def flag_shares(
    given: Records | HasRecords,
    table: str,
    flag: str,
    by: str = "month",
    end: ReportMonth | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return in how many records a flag is set, such as notifications with a community leader present.

    Parameters
    ----------
    by
        ``month``, or a column of categories.

    Returns
    -------
    DataFrame
        By group: ``records`` with the flag recorded, ``yes`` and ``not_recorded`` (``int64``), ``share`` with Wilson's
        interval from ``low`` to ``high`` (``Float64``, missing without records).

    Raises
    ------
    ParameterError
        If this city keeps no such table or column, or the month is unknown.
    """
    records = records_of(given)
    program = records.program
    _require_column(program, table, flag, "flag", "flag")
    last = _last(records, [table], end)
    rule, rows = program.tables[table], records.tables[table].rows
    rows = rows.loc[rows[rule.date].le(pd.Timestamp(last.span.end))]
    if by == "month":
        months = [str(month) for month in known_range_of(records, table, last)]
        groups = pd.Series(pd.Categorical(rows[rule.date].dt.strftime("%Y-%m"), months), rows.index)
    else:
        _require_column(program, table, by, "by", "category")
        groups = named_groups(program, table, by, rows, last)
    counts = pd.DataFrame(
        {
            name: each.groupby(groups, observed=False).sum().astype("int64")
            for name, each in (
                ("records", rows[flag].notna()),
                ("yes", rows[flag].fillna(False).astype("bool")),
                ("not_recorded", rows[flag].isna()),
            )
        }
    )
    return _with_shares(counts, "yes", "records", level).rename_axis(by).reset_index()


def known_range_of(records: Records, table: str, last: ReportMonth) -> list[ReportMonth]:
    """Return the months of a table that are complete, up to a month."""
    measures = [name for name, one in records.program.measures.items() if one.table == table and not one.followed_by]
    known = known_months(records, measures[0] if measures else None)
    return [month for month in known if month <= last]


def _last(records: Records, tables: list[str], end: ReportMonth | None) -> ReportMonth:
    """Return the last month to look at: the one given, or the last that is complete in all tables without a gap."""
    sets = [set(known_range_of(records, table, ReportMonth.of(records.as_of))) for table in tables]
    known = sorted(set.intersection(*sets))
    known = [month for place, month in enumerate(known) if month == known[0].plus(place)]
    if known and (end is None or end in known):
        return end or known[-1]
    remedy = f"choose a month from {known[0]} to {known[-1]}." if known else "no month is complete."
    problem = Problem("month", f"{end or 'the newest'} is not complete as of {records.as_of};", remedy)
    raise ParameterError("The records cannot be followed to that month.", [problem])


def _with_shares(counts: pd.DataFrame, part: str, whole: str, level: float) -> pd.DataFrame:
    bounds = [
        wilson(int(some), int(every), level) or (None, None)
        for some, every in zip(counts[part], counts[whole], strict=True)
    ]
    table = pd.DataFrame(bounds, counts.index, columns=["low", "high"]).astype("Float64")
    share = counts[part].astype("Float64") / counts[whole].where(counts[whole].gt(0)).astype("Float64")
    first = [whole, part]
    others = [str(name) for name in counts if name not in first]
    return counts[first].assign(
        share=share, low=table["low"], high=table["high"], **{name: counts[name] for name in others}
    )


def _require(program: Program, table: str, later: str, link: str) -> None:
    problems = []
    for kind, name in (("table", table), ("later", later)):
        if name not in program.tables:
            remedy = nearest(name, program.tables) or f"it keeps: {', '.join(program.tables)}."
            problems.append(Problem(kind, f"{name!r} is no table that this city keeps;", remedy))
    if problems:
        raise ParameterError("The records cannot be followed.", problems)
    _require_column(program, later, link, "link", "code")


def _require_column(program: Program, table: str, column: str, what: str, kind: str) -> None:
    if table not in program.tables:
        remedy = nearest(table, program.tables) or f"it keeps: {', '.join(program.tables)}."
        raise ParameterError(
            "The records cannot be counted.", [Problem("table", f"{table!r} is no table that this city keeps;", remedy)]
        )
    known = [name for name, rule in program.tables[table].columns.items() if rule.type == kind]
    if column not in known:
        remedy = nearest(column, known) or (f"choose: {', '.join(known)}." if known else "it has none.")
        raise ParameterError(
            "The records cannot be counted.", [Problem(what, f"{column!r} is not a {kind} of {table};", remedy)]
        )
