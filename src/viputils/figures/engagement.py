"""Engagement after a Custom Notification: how many of the people notified took up a service, and how soon.

Each person is followed once, from the first notification that reached them. People notified recently have had little
time, so recent cohorts are incomplete and are not compared with complete ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from viputils.config.program import Distinct, Measure, Program
from viputils.core.errors import ParameterError, Problem, nearest
from viputils.core.months import ReportMonth, Span
from viputils.figures.counts import counted_within
from viputils.figures.plots import CurveFrame
from viputils.figures.series import known_months, series_of
from viputils.figures.stats import survival
from viputils.figures.stats.intervals import LEVEL, wilson
from viputils.records.clean import HasRecords, Records, records_of
from viputils.records.crosswalks import as_counted

# The days after which the share of a cohort is measured.
DAYS: Final = (30, 90, 180)
# Everyone who is compared has had this many days to take up a service.
WITHIN: Final = 90
# The fewest people for a share that can be compared.
ENOUGH: Final = 10
NO_SOURCE: Final = ""


@dataclass(frozen=True)
class Followed:
    """People followed from their first notification to the end of the known data.

    Attributes
    ----------
    people
        One row for each person, in order of notification: ``notified_on`` and ``engaged_on`` (``datetime64[s]``,
        missing if not known yet), ``source`` (``str``, ``""`` if the candidate has none), ``month`` of the notification
        (``YYYY-MM``), each flag of the notification under its own name, such as ``community_leader_present``
        (``boolean``), ``days`` from notification to engagement (``Int64``), ``observed`` (``int64``: days from the
        notification to ``until``), ``engaged`` (``bool``) and ``engaged_before`` (``bool``: whether there was an
        engagement before the notification, which does not count).
    until
        The last day with complete data.
    """

    people: pd.DataFrame
    until: pd.Timestamp


def follow(records: Records | HasRecords, end: ReportMonth | None = None) -> Followed:
    """Follow all notified people up to the end of a month.

    Parameters
    ----------
    records
        Records, or the tables of ``workbench.load``.
    end
        By default, the last month with complete data and no gap before it.

    Raises
    ------
    ParameterError
        If ``report.funnel`` is not set, or the month is unknown.
    """
    records = records_of(records)
    program = records.program
    notified, engaged = _funnel(program)
    known = known_months(records, program.report.funnel[1])
    # Stop at the first unknown month, because engagements in it are unknown.
    known = [month for place, month in enumerate(known) if month == known[0].plus(place)]
    last = end or (known[-1] if known else None)
    if last is None or last not in known:
        remedy = f"choose a month from {known[0]} to {known[-1]}." if known else "no month is complete."
        problem = Problem("month", f"{last or 'the newest'} is not complete as of {records.as_of};", remedy)
        raise ParameterError("People cannot be followed to that month.", [problem])
    until = pd.Timestamp(last.span.end)
    reached = _reached(records, last)
    first = reached["notified_on"]
    later = _days(records, engaged.followed_by or "", _person(engaged)).loc[lambda rows: rows["day"].le(until)]
    both = later.merge(first, left_on="person", right_index=True, how="inner")
    after = both.loc[both["day"].ge(both["notified_on"])].groupby("person")["day"].min().rename("engaged_on")
    before = both.loc[both["day"].lt(both["notified_on"]), "person"]
    people = first.to_frame().join(after)
    days = (people["engaged_on"] - people["notified_on"]).dt.days.astype("Int64")
    people = people.assign(
        source=_sources(records, notified, last, people.index),
        month=people["notified_on"].dt.strftime("%Y-%m").astype("str"),
        **{str(name): reached[name] for name in reached if name != "notified_on"},
        days=days,
        observed=(until - people["notified_on"]).dt.days.astype("int64"),
        engaged=days.notna(),
        engaged_before=people.index.isin(before),
    )
    flags = [name for name in reached if name != "notified_on"]
    columns = ["notified_on", "source", "month", *flags, "engaged_on", "days", "observed", "engaged", "engaged_before"]
    return Followed(people[columns].reset_index(drop=True), until)


def cohorts(followed: Followed) -> pd.DataFrame:
    """Return how many of the people notified in each month took up a service.

    Returns
    -------
    DataFrame
        One row for each month from the first to the last, even without people: ``month``, ``people``, ``engaged`` (by
        the end of the known data) as ``int64``; ``within_30``, ``within_90`` and ``within_180`` (``Int64``: how many
        engaged within that many days, missing if the whole cohort was not observed that long); the ``rate`` within 90
        days with Wilson's interval from ``low`` to ``high`` (``float64``, missing if the count is missing or no one was
        notified).
    """
    people, last = followed.people, ReportMonth.of(followed.until.date())
    if people.empty:
        return pd.DataFrame(
            columns=["month", "people", "engaged", *(f"within_{n}" for n in DAYS), "rate", "low", "high"]
        )
    begin = ReportMonth.parse(min(people["month"]))
    months = list(begin.until(last))
    groups = people.groupby("month")
    names = [str(month) for month in months]
    table = pd.DataFrame({"people": groups.size(), "engaged": groups["engaged"].sum()})
    table = table.reindex(names, fill_value=0).astype("int64")
    ends = pd.Series([pd.Timestamp(month.span.end) for month in months], names)
    for number in DAYS:
        within = people["days"].le(number).fillna(False).groupby(people["month"]).sum()
        count = within.reindex(names, fill_value=0).astype("Int64")
        table = table.assign(**{f"within_{number}": count.where((followed.until - ends).dt.days.ge(number))})
    return _with_rates(table, "within_90").rename_axis("month").reset_index()


def by_source(followed: Followed, within: int = WITHIN, level: float = LEVEL) -> pd.DataFrame:
    """Return how many people took up a service within some days, by the source of the candidate; see ``by_group``."""
    return by_group(followed, "source", within, level)


def by_group(followed: Followed, by: str, within: int = WITHIN, level: float = LEVEL) -> pd.DataFrame:
    """Return how many people took up a service within some days, by group. Everyone has had that much time.

    Parameters
    ----------
    by
        A column of ``followed.people``, such as ``source``, ``month`` or ``community_leader_present``.
    within
        The days after the notification. People who were notified later than that before the end are left out.

    Returns
    -------
    DataFrame
        By group, the largest first: the group (``source``: ``""`` if the candidate has none), ``people`` (observed that
        long) and ``engaged`` of them within that time (``int64``), ``rate`` with Wilson's interval from ``low`` to
        ``high`` (``float64``, missing without people), ``is_enough`` (whether there are enough people to compare the
        rate) and ``too_recent`` (``int64``: people who are left out).

    Raises
    ------
    ParameterError
        If there is no such column, or ``within`` is negative.
    """
    groups = _groups(followed, by)
    if within < 0:
        raise ParameterError("People cannot be compared.", [Problem("within", f"{within} is negative;", "write days.")])
    is_observed = followed.people["observed"].ge(within)
    in_time = is_observed & followed.people["days"].le(within).fillna(False)
    flags = {"people": is_observed, "engaged": in_time, "too_recent": ~is_observed}
    table = pd.DataFrame({name: flag.groupby(groups, sort=False, dropna=False).sum() for name, flag in flags.items()})
    table = table.astype("int64").sort_values("people", ascending=False, kind="stable")
    recent = table.pop("too_recent")
    table = _with_rates(table, "engaged", level)
    table = table.assign(is_enough=table["people"].ge(ENOUGH), too_recent=recent)
    return table.rename_axis(by).reset_index()


def time_to_engagement(followed: Followed, level: float = LEVEL, by: str | None = None) -> CurveFrame:
    """Return the Kaplan-Meier share of people who took up a service by each day after the notification.

    People who have not engaged by the end of the known data count up to that day (they are censored).

    Parameters
    ----------
    by
        A column of ``followed.people``, for a curve of each ``group``.

    Returns
    -------
    DataFrame
        As ``survival.curves``, with ``engaged`` for what happened. ``plot()`` draws it.

    Raises
    ------
    ParameterError
        If there is no such column.
    """
    groups = None if by is None else _groups(followed, by)
    found = survival.curves(_times(followed), followed.people["engaged"], groups, level)
    return CurveFrame(found.rename(columns={"happened": "engaged"}))


def median_days(followed: Followed, by: str | None = None, level: float = LEVEL) -> pd.DataFrame:
    """Return the day by which half of the people had taken up a service, with its interval, as ``survival.medians``.

    Raises
    ------
    ParameterError
        If there is no such column as ``by``.
    """
    groups = None if by is None else _groups(followed, by)
    found = survival.medians(_times(followed), followed.people["engaged"], groups, level)
    return found.rename(columns={"happened": "engaged"})


def log_rank(followed: Followed, by: str) -> survival.LogRank:
    """Test whether it takes people of all groups equally long to take up a service, as ``survival.log_rank``.

    Raises
    ------
    ParameterError
        If there is no such column as ``by``.
    """
    return survival.log_rank(_times(followed), followed.people["engaged"], _groups(followed, by))


def _times(followed: Followed) -> pd.Series:
    """Return the days to the engagement, or those that people have been observed without one."""
    return followed.people["days"].fillna(followed.people["observed"]).astype("int64")


def _groups(followed: Followed, by: str) -> pd.Series:
    if by not in followed.people:
        known = [str(name) for name in followed.people if name not in ("notified_on", "engaged_on", "days", "observed")]
        remedy = nearest(by, known) or f"choose: {', '.join(known)}."
        raise ParameterError(
            "People cannot be compared.", [Problem("by", f"{by!r} is not a column of people;", remedy)]
        )
    groups = followed.people[by]
    return groups.map({True: "Yes", False: "No"}) if groups.dtype == "boolean" else groups


def days_until_half(course: pd.DataFrame) -> int | None:
    """Return the day by which half of the people had taken up a service, or None if that has not happened."""
    # Allow for rounding errors in the product of fractions.
    reached = course.loc[course["share"].ge(0.5 - 1e-9), "day"]
    return int(reached.iloc[0]) if len(reached) else None


def funnel(records: Records | HasRecords, end: ReportMonth | None = None) -> pd.DataFrame:
    """Return the people at each step of the funnel, by month and for the fiscal year to date.

    Returns
    -------
    DataFrame
        ``step`` (a measure), ``month`` (``YYYY-MM``), ``value`` of the month and ``fytd`` of its fiscal year to date
        (``Int64``, missing if unknown).

    Raises
    ------
    ParameterError
        As ``follow``.
    """
    records = records_of(records)
    program = records.program
    _funnel(program)
    model = program.report.practice_model
    steps = [*([model.candidates] if model is not None else []), *program.report.funnel]
    parts = []
    for step in steps:
        month, year = (series_of(records, step, freq=freq, end=end) for freq in ("month", "fytd"))
        name = month["start"].dt.strftime("%Y-%m").astype("str")
        parts.append(pd.DataFrame({"step": step, "month": name, "value": month["value"], "fytd": year["value"]}))
    return pd.concat(parts, ignore_index=True).astype({"step": "str", "month": "str"})


def _funnel(program: Program) -> tuple[Measure, Measure]:
    """Return the measures of notified people and of engaged people."""
    if not program.report.funnel:
        tables = ", ".join(program.tables)
        problem = Problem(
            "report.funnel", "is not set;", f"set it to two measures of people. The tables are: {tables}."
        )
        raise ParameterError("This program does not follow people from a notification to a service.", [problem])
    notified, engaged = (program.measures[name] for name in program.report.funnel)
    return notified, engaged


def _person(measure: Measure) -> str:
    if not isinstance(measure.count, Distinct):
        problem = Problem("report.funnel", "does not count people;", "use measures that count distinct values.")
        raise ParameterError("People cannot be followed.", [problem])
    return measure.count.distinct


def _days(records: Records, table: str, who: str) -> pd.DataFrame:
    rows = records.tables[table].rows
    day = rows[records.program.tables[table].date]
    return pd.DataFrame({"person": rows[who].str.casefold(), "day": day})


def _reached(records: Records, last: ReportMonth) -> pd.DataFrame:
    """Return the first day on which each person was reached, as counted by the report's measure, and its flags."""
    program = records.program
    name = program.report.funnel[0]
    rows = counted_within(records, name, last, Span(program.identity.records_from, last.span.end))
    table = program.measures[name].table
    flags = [one for one, rule in program.tables[table].columns.items() if rule.type == "flag"]
    days = (
        _days(records, table, _person(program.measures[name])).join(records.tables[table].rows[flags]).loc[rows.index]
    )
    first = days.dropna(subset=["person"]).sort_values("day", kind="stable").drop_duplicates("person")
    return first.set_index("person").rename(columns={"day": "notified_on"}).rename_axis(None)


def _sources(records: Records, notified: Measure, last: ReportMonth, people: pd.Index) -> pd.Series:
    """Return the source of each candidate, from the source measure of the practice model."""
    model, program = records.program.report.practice_model, records.program
    by = program.measures[model.sources].by if model is not None and model.sources is not None else None
    if model is None or by is None:
        return pd.Series(NO_SOURCE, people, dtype="str")
    table = program.measures[model.sources or ""].table
    rows = records.tables[table].rows
    person = _person(notified)
    # If the table lacks the person column of the notifications, its id identifies the person.
    who = rows[person if person in rows else program.tables[table].id].str.casefold()
    named = as_counted(program, table, by, rows, last)
    source = pd.Series(named.astype("str").where(named.notna(), NO_SOURCE).to_numpy(), who)
    return source.loc[~source.index.duplicated(keep="last")].reindex(people).fillna(NO_SOURCE).astype("str")


def _with_rates(table: pd.DataFrame, column: str, level: float = LEVEL) -> pd.DataFrame:
    found = [
        wilson(int(part), int(whole), level) if pd.notna(part) else None
        for part, whole in zip(table[column], table["people"], strict=True)
    ]
    nothing = (float("nan"), float("nan"))
    bounds = pd.DataFrame(
        [one or nothing for one in found], index=table.index, columns=["low", "high"], dtype="float64"
    )
    rate = table[column].astype("Float64").div(table["people"].where(table["people"].gt(0)).astype("Float64"))
    return table.assign(rate=rate.astype("float64"), low=bounds["low"], high=bounds["high"])
