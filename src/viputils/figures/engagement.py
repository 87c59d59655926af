"""Engagement after a Custom Notification: how many of the people notified took up a service, and how soon.

Each person is followed once, from the first notification that reached them. People notified recently have had little
time, so recent cohorts are incomplete and are not compared with complete ones.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import pandas as pd

from viputils.config.program import Distinct, Measure, Program
from viputils.core.errors import ParameterError, Problem
from viputils.core.months import ReportMonth, Span
from viputils.figures.counts import as_counted, counted_within
from viputils.figures.series import known_months, series_of
from viputils.figures.stats.intervals import LEVEL, wilson
from viputils.records.clean import Records

# The days after which the share of a cohort is measured.
DAYS: Final = (30, 90, 180)
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
        (``YYYY-MM``), ``days`` from notification to engagement (``Int64``), ``observed`` (``int64``: days from the
        notification to ``until``), ``engaged`` (``bool``) and ``engaged_before`` (``bool``: whether there was an
        engagement before the notification, which does not count).
    until
        The last day with complete data.
    """

    people: pd.DataFrame
    until: pd.Timestamp


def follow(records: Records, end: ReportMonth | None = None) -> Followed:
    """Follow all notified people up to the end of a month.

    Parameters
    ----------
    end
        By default, the last month with complete data and no gap before it.

    Raises
    ------
    ParameterError
        If ``report.funnel`` is not set, or the month is unknown.
    """
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
    first = _reached(records, last).sort_values(kind="stable").rename("notified_on")
    later = _days(records, engaged.followed_by or "", _person(engaged)).loc[lambda rows: rows["day"].le(until)]
    both = later.merge(first, left_on="person", right_index=True, how="inner")
    after = both.loc[both["day"].ge(both["notified_on"])].groupby("person")["day"].min().rename("engaged_on")
    before = both.loc[both["day"].lt(both["notified_on"]), "person"]
    people = first.to_frame().join(after)
    days = (people["engaged_on"] - people["notified_on"]).dt.days.astype("Int64")
    people = people.assign(
        source=_sources(records, notified, last, people.index),
        month=people["notified_on"].dt.strftime("%Y-%m").astype("str"),
        days=days,
        observed=(until - people["notified_on"]).dt.days.astype("int64"),
        engaged=days.notna(),
        engaged_before=people.index.isin(before),
    )
    columns = ["notified_on", "source", "month", "engaged_on", "days", "observed", "engaged", "engaged_before"]
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


def by_source(followed: Followed) -> pd.DataFrame:
    """Return how many people took up a service, by the source of the candidate.

    Returns
    -------
    DataFrame
        ``source`` (``""`` if the candidate has none), ``people``, ``engaged`` (by the end of the known data), ``rate``
        with Wilson's interval from ``low`` to ``high``, and ``is_enough``: whether there are enough people to compare
        the rate.
    """
    groups = followed.people.groupby("source", sort=False)
    table = pd.DataFrame({"people": groups.size(), "engaged": groups["engaged"].sum()}).astype("int64")
    table = _with_rates(table.sort_values("people", ascending=False, kind="stable"), "engaged")
    return table.assign(is_enough=table["people"].ge(ENOUGH)).rename_axis("source").reset_index()


def time_to_engagement(followed: Followed, level: float = LEVEL) -> pd.DataFrame:
    """Return the Kaplan-Meier share of people who took up a service by each day after the notification.

    People who have not engaged by the end of the known data count up to that day (they are censored).

    Source: E. L. Kaplan and P. Meier, Nonparametric estimation from incomplete observations, Journal of the American
    Statistical Association 53 (1958); statsmodels' ``SurvfuncRight``, with SciPy's interval on the log-log scale.

    Returns
    -------
    DataFrame
        One row for each day with an engagement: ``day``, ``at_risk`` (people observed that long who had not engaged
        before) and ``engaged`` on that day (``int64``), ``share``, ``low`` and ``high`` (``float64``; the last two are
        missing if everyone has engaged).
    """
    people = followed.people
    if not people["engaged"].any():
        return pd.DataFrame(columns=["day", "at_risk", "engaged", "share", "low", "high"])
    from scipy import stats
    from statsmodels.duration.survfunc import SurvfuncRight

    days = people["days"].fillna(people["observed"]).astype("int64")
    found = SurvfuncRight(days, people["engaged"].astype("int64"))
    # SciPy takes censored people separately.
    censored = stats.CensoredData(uncensored=days[people["engaged"]], right=days[~people["engaged"]])
    survival = stats.ecdf(censored).sf
    with warnings.catch_warnings():
        # There is no interval if everyone has engaged. SciPy warns about it needlessly.
        warnings.simplefilter("ignore", RuntimeWarning)
        bounds = survival.confidence_interval(level, method="log-log")
    at = pd.Index(survival.quantiles)
    low, high = (pd.Series(1 - side.probabilities, at).reindex(found.surv_times) for side in (bounds.high, bounds.low))
    return pd.DataFrame(
        {
            "day": found.surv_times.astype("int64"),
            "at_risk": found.n_risk.astype("int64"),
            "engaged": found.n_events.astype("int64"),
            "share": 1 - found.surv_prob,
            "low": low.to_numpy(),
            "high": high.to_numpy(),
        }
    )


def days_until_half(course: pd.DataFrame) -> int | None:
    """Return the day by which half of the people had taken up a service, or None if that has not happened."""
    # Allow for rounding errors in the product of fractions.
    reached = course.loc[course["share"].ge(0.5 - 1e-9), "day"]
    return int(reached.iloc[0]) if len(reached) else None


def funnel(records: Records, end: ReportMonth | None = None) -> pd.DataFrame:
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


def _reached(records: Records, last: ReportMonth) -> pd.Series:
    """Return the first day on which each person was reached, as counted by the report's measure."""
    program = records.program
    name = program.report.funnel[0]
    rows = counted_within(records, name, last, Span(program.identity.records_from, last.span.end))
    days = _days(records, program.measures[name].table, _person(program.measures[name])).loc[rows.index]
    return days.groupby("person")["day"].min().rename_axis(None)


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


def _with_rates(table: pd.DataFrame, column: str) -> pd.DataFrame:
    found = [
        wilson(int(part), int(whole)) if pd.notna(part) else None
        for part, whole in zip(table[column], table["people"], strict=True)
    ]
    nothing = (float("nan"), float("nan"))
    bounds = pd.DataFrame(
        [one or nothing for one in found], index=table.index, columns=["low", "high"], dtype="float64"
    )
    rate = table[column].astype("Float64").div(table["people"].where(table["people"].gt(0)).astype("Float64"))
    return table.assign(rate=rate.astype("float64"), low=bounds["low"], high=bounds["high"])
