"""The assessment of a month: its counts against earlier months, lasting changes, and its year against the year before.

Differences that chance or the season often make are ignored. If there are too few months or events, the result is that
nothing can be told. All levels together keep false claims rare; docs/decisions/0048 has the measured rates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd

from viputils.config.program import Program
from viputils.core.months import ReportMonth
from viputils.figures.counts import categories_of
from viputils.figures.edition import Edition
from viputils.figures.series import known_months, require_records, series_of
from viputils.figures.stats.control_charts import (
    ENOUGH,
    ENOUGH_SINCE,
    OUTSIDE,
    RULES,
    TAIL,
    Numbers,
    ProcessChart,
    Rule,
    Usual,
    process_chart,
    usual_of,
)
from viputils.figures.stats.intervals import ERRORS, Interval, ratio
from viputils.figures.stats.shifts import Course, Shift, course
from viputils.records.clean import Records

# The most earlier months used to tell what is usual. Older months reflect other conditions.
USUAL: Final = 24

# A report has many claims, so a lower level would make false ones too often.
YEAR_LEVEL: Final = 0.995
# After this many months, a change is no news. It still sets what is usual.
NEWS: Final = 12

Verdict = Literal["higher", "lower", "no telling"]


@dataclass(frozen=True)
class Standing:
    """One count of a month against the months before it.

    Attributes
    ----------
    usual
        What is usual at the current level.
    enough
        The fewest months that show it.
    """

    measure: str
    category: str
    value: int
    usual: Usual
    enough: int

    @property
    def low(self) -> int:
        """The lowest normal count."""
        return int(self.usual.limits.low) if self.usual.periods else 0

    @property
    def high(self) -> int:
        """The highest normal count."""
        return int(self.usual.limits.high) if self.usual.periods else 0

    @property
    def is_enough(self) -> bool:
        """Whether enough months are known to show what is usual."""
        return self.usual.periods >= self.enough

    @property
    def can_tell(self) -> bool:
        """Whether the months before show what is usual."""
        return self.is_enough and self.usual.is_even

    @property
    def can_fall(self) -> bool:
        """Whether a single month can be unusually low. If counts are small, even 0 is not unusual."""
        return self.low > 0

    @property
    def verdict(self) -> Verdict:
        """``higher`` or ``lower`` than chance makes a month. ``no telling`` if neither, or if months do not show it."""
        if not self.can_tell or self.value in self.usual.limits:
            return "no telling"
        return "higher" if self.value > self.high else "lower"


@dataclass(frozen=True)
class YearToDate:
    """The fiscal year to date of one count against the same months of the year before.

    Attributes
    ----------
    ratio
        The interval of the ratio of the two rates, or None if both counts are 0. It is exact if chance explains
        the months, or else wider. Both counts have the same months, so a season cancels.
    is_even
        Whether the months vary little enough to use the interval.
    """

    measure: str
    category: str
    value: int
    before: int
    ratio: Interval | None
    is_even: bool

    @property
    def verdict(self) -> Verdict:
        """Whether the two years differ more than by chance."""
        if self.ratio is None or not self.is_even or 1 in self.ratio:
            return "no telling"
        return "higher" if self.ratio.low > 1 else "lower"


@dataclass(frozen=True)
class Pace:
    """The course of a fiscal year, month by month, beside the year before.

    Attributes
    ----------
    this_year, year_before
        The running total by month (``Int64`` by ``ReportMonth``), missing if unknown. The second is empty if nothing of
        the year before is known.
    at_end
        The 95 percent interval of the full year's count, if the rest of the year compares with the year before as its
        months so far do. None if the year is over, if too little is known, if months vary too much, or if the level
        changed more than once.
    is_even
        Whether the months vary little enough to estimate it.
    """

    measure: str
    this_year: pd.Series
    year_before: pd.Series
    at_end: Interval | None
    is_even: bool


@dataclass(frozen=True)
class Assessment:
    """The assessment of a month.

    Attributes
    ----------
    counts
        The monthly counts of the total.
    shifts
        All lasting changes of the total, the latest last. Empty if its months vary too much beside them.
    whole
        The total.
    parts
        Its categories by measure. The limits are adjusted for the number of categories.
    shift
        The latest lasting change of the total, if it is news: it began in the last 12 months.
    year
        The fiscal year to date of the total, or None if the year before is unknown.
    year_parts
        The fiscal years to date of the categories by measure. The level is adjusted for the number of categories.
    """

    month: ReportMonth
    counts: pd.Series
    shifts: list[Shift]
    whole: Standing
    parts: dict[str, list[Standing]]
    shift: Shift | None
    year: YearToDate | None
    year_parts: dict[str, list[YearToDate]]
    pace: Pace

    @property
    def step(self) -> Shift | None:
        """The latest lasting change that the chart shows, whether it is news or not."""
        months = list(self.chart.points.index[1:])
        return next((shift for shift in reversed(self.shifts) if shift.since in months), None)

    @cached_property
    def chart(self) -> ProcessChart:
        """The chart of the total, with a step at its lasting change. Only single months are marked."""
        return chart_of(self.counts, self.shifts, [OUTSIDE])


def assess(edition: Edition, length: int | None = None) -> Assessment | None:
    """Return the assessment of an edition's last month, or None if the report follows no measure that counts records.

    The effect of chance is known for counts of records, but not for sums.

    Parameters
    ----------
    length
        How many months are compared with the same months of the year before; by default those of the fiscal year to
        date.
    """
    program, month = edition.program, edition.month
    name = followed(program)
    if name is None or month not in known_months(edition.records, name):
        return None
    counts = counts_of(edition.records, month, name)[""]
    parts = {
        one: counts_of(edition.records, month, one)[categories_of(program, one, month)]
        for one in program.report.breakdowns
        if program.whole_of(one) == name
    }
    return judge(name, counts, parts, program.identity.fiscal_year_starts, length)


def judge(
    name: str,
    counts: pd.Series,
    parts: Mapping[str, pd.DataFrame],
    fiscal_year_starts: int,
    length: int | None = None,
) -> Assessment:
    """Return the assessment of the last month of some counts.

    Parameters
    ----------
    name, counts
        The measure, and its known monthly counts as from ``counts_of``.
    parts
        The counts of its categories by measure.
    length
        As ``assess`` takes it.
    """
    found = course(counts)
    newest = counts.index[-1]
    ahead = newest.fiscal_year(fiscal_year_starts).first
    to_date = length or len(list(ahead.fiscal_year(fiscal_year_starts).months(until=newest)))
    recent = counts.iloc[-USUAL - 1 :]
    levels = _levels(recent, found.shifts)
    whole = _standing(name, "", _numbers(counts), levels)
    if not whole.usual.is_even:
        # A level among months that vary too much tells nothing.
        found, levels = replace(found, shifts=[]), _levels(recent, ())
        whole = _standing(name, "", _numbers(counts), levels)
    year = _year_to_date(whole, _numbers(counts), to_date, YEAR_LEVEL, found.dispersion)
    standings, years = {}, {}
    # Adjust for the number of categories, so that together they give no more false alarms than one alone.
    every = max(1, sum(len(table.columns) for table in parts.values()))
    for one, table in parts.items():
        values = {str(each): _numbers(table[each]) for each in table}
        tail, level = TAIL / max(1, len(values)), 1 - (1 - YEAR_LEVEL) / every
        standings[one] = [_standing(one, each, values[each], levels, tail) for each in values]
        compared = (
            _year_to_date(part, values[part.category], to_date, level, _of_part(part, whole, found.dispersion))
            for part in standings[one]
        )
        years[one] = [each for each in compared if each is not None]
    oldest = newest.plus(1 - NEWS)
    shift = found.shift if found.shift is not None and found.shift.since >= oldest else None
    pace = _pace(whole, counts, fiscal_year_starts, found)
    return Assessment(newest, counts, found.shifts, whole, standings, shift, year, years, pace)


def followed(program: Program) -> str | None:
    """Return the total of the measure that the report follows by month, if it counts records."""
    trend = program.report.trend
    name = trend and (program.whole_of(trend) or trend)
    return name if name and program.measures[name].count == "rows" else None


def counts_of(records: Records, month: ReportMonth, measure: str) -> pd.DataFrame:
    """Return the known monthly counts of a measure up to a month.

    Returns
    -------
    DataFrame
        ``Int64``, one column for each category (``""`` without a breakdown), one row for each ``ReportMonth``. Unknown
        months are missing values.
    """
    table = series_of(records, measure, end=month)
    months = [ReportMonth.of(day) for day in table["start"].unique()]
    of_each = table.groupby("category", sort=False)["value"]
    return pd.DataFrame({name: pd.Series(values.array, index=months) for name, values in of_each})


def report_chart(records: Records, month: ReportMonth, measure: str, category: str = "") -> ProcessChart:
    """Return the chart of a measure, or of one of its categories, with the limits that the report uses for the month.

    All rules are looked for; the report marks only single months.

    Raises
    ------
    ParameterError
        If the measure does not count records, so that the effect of chance is unknown.
    """
    program = records.program
    require_records(program, measure, "There is no chart.")
    table = counts_of(records, month, measure)
    counts, whole = table[category], program.whole_of(measure) or measure
    if whole != followed(program) or (category and measure not in program.report.breakdowns):
        chart = chart_of(counts, course(counts).shifts)
        return replace(chart, report="The report does not judge this measure, so it has no limits to agree with.")
    total = counts_of(records, month, whole)[""]
    shifts = judge(whole, total, {}, program.identity.fiscal_year_starts).shifts
    printed = max(1, len(categories_of(program, measure, month))) if category else 1
    chart = chart_of(counts, shifts, tail=TAIL / printed)
    wider = f" The limits are wider, because {printed} categories are judged together." if printed > 1 else ""
    return replace(chart, report=f"The limits are those of the report.{wider}")


def chart_of(
    counts: pd.Series, shifts: Sequence[Shift] = (), rules: Sequence[Rule] = RULES, tail: float = TAIL
) -> ProcessChart:
    """Return the process behavior chart of monthly counts. The months before the last one set its limits.

    Parameters
    ----------
    shifts
        The lasting changes, the latest last. Each level has its own average and limits.
    rules
        The rules to look for.
    tail
        The chance of a count beyond either limit.
    """
    newest = counts.iloc[-USUAL - 1 :]
    levels = _levels(newest, shifts)
    usual = _usual(_numbers(newest), levels, tail)
    *earlier, current = (newest.iloc[level] for level in levels)
    chart = process_chart(
        current, baseline=list(current.index[:-1]), tail=tail, dispersion=usual.dispersion, rules=rules
    )
    chart = replace(chart, is_even=usual.is_even, enough=ENOUGH_SINCE if earlier else ENOUGH)
    if earlier and not chart.is_enough:
        # The new level has no limits yet.
        chart = replace(chart, points=chart.points.assign(low=math.nan, high=math.nan, rules="", sides=""))
    points = [process_chart(each, tail=tail, dispersion=usual.dispersion, rules=rules).points for each in earlier]
    return replace(chart, points=pd.concat([*points, chart.points]))


def _levels(newest: pd.Series, shifts: Sequence[Shift]) -> list[slice]:
    """Return the places of each level."""
    months = list(newest.index)
    starts = [0, *(months.index(shift.since) for shift in shifts if shift.since in months[1:])]
    return [slice(start, end) for start, end in pairwise([*starts, len(months)])]


def _usual(values: Numbers, levels: Sequence[slice], tail: float) -> Usual:
    """Return what is usual in the newest month."""
    before = values.copy()
    before[-1] = np.nan
    return usual_of([each[~np.isnan(each)] for each in (before[level] for level in levels)], tail)


def _numbers(counts: pd.Series) -> Numbers:
    return np.asarray(counts.to_numpy("float64", na_value=np.nan), dtype=np.float64)


def _of_part(part: Standing, whole: Standing, dispersion: float) -> float:
    """Return the dispersion of a category: its share of that of the whole, or its own if that is larger."""
    share = part.usual.average / whole.usual.average if whole.usual.average else 0.0
    return max(part.usual.dispersion, 1 + (dispersion - 1) * share)


def _pace(standing: Standing, counts: pd.Series, fiscal_year_starts: int, found: Course) -> Pace:
    """Return the course of the last month's fiscal year, beside the year before."""
    first = counts.index[-1].fiscal_year(fiscal_year_starts).first
    months = counts.loc[counts.index >= first]
    before = counts.reindex([first.plus(ahead - 12) for ahead in range(12)])
    is_whole = len(months) == len(list(first.fiscal_year(fiscal_year_starts).months(until=counts.index[-1])))
    at_end, even = None, standing.usual.is_even
    if len(months) < 12 and is_whole and even and months.notna().all() and before.notna().all():
        at_end = _at_end(months, before, found)
    # A running total is unknown from the first unknown month on.
    to_date = [one.cumsum().mask(one.isna().cummax()) for one in (months, before)]
    return Pace(
        standing.measure, to_date[0], to_date[1] if to_date[1].notna().any() else to_date[1].iloc[:0], at_end, even
    )


def _at_end(months: pd.Series, before: pd.Series, found: Course) -> Interval | None:
    """Return the interval of a full year's count: its rest compares with the year before as its months so far do.

    After a lasting change, only the months since then count, and earlier ones are brought to the new level. After
    several in these two years, no one level of the year before can be compared.
    """
    if sum(shift.since > before.index[0] for shift in found.shifts) > 1:
        return None
    shift = found.shift
    now = months if shift is None else months.loc[months.index >= shift.since]
    earlier = before.astype("float64")
    if shift is not None:
        earlier = earlier.where(before.index >= shift.since, earlier * (shift.after / max(shift.before, 0.5)))
    same = earlier.iloc[len(months) - len(now) : len(months)].sum()
    rest_before, so_far = earlier.iloc[len(months) :].sum(), float(now.sum())
    if not (same and rest_before and so_far):
        return None
    rest = so_far * rest_before / same
    variance = for_sums(found.dispersion) * sum(1 / one for one in (so_far, same, rest_before, rest))
    error = ERRORS * math.sqrt(variance)
    total = int(months.sum())
    return Interval(total + math.floor(rest * math.exp(-error)), total + math.ceil(rest * math.exp(error)))


def for_sums(dispersion: float) -> float:
    """Return the dispersion of sums of months: neighboring months vary alike, so a sum varies more than its months."""
    return 1 + 2 * (dispersion - 1)


def _standing(measure: str, category: str, values: Numbers, levels: Sequence[slice], tail: float = TAIL) -> Standing:
    usual = _usual(values[-USUAL - 1 :], levels, tail)
    return Standing(measure, category, int(values[-1]), usual, ENOUGH_SINCE if len(levels) > 1 else ENOUGH)


def _year_to_date(
    standing: Standing, values: Numbers, to_date: int, level: float, dispersion: float
) -> YearToDate | None:
    """Compare the fiscal year to date with the year before. Return None if a month of either is unknown."""
    now, then = values[-to_date:], values[-to_date - 12 : -12]
    if len(values) < to_date + 12 or np.isnan(now).any() or np.isnan(then).any():
        return None
    scale = for_sums(dispersion)
    found = ratio(now.sum() / scale, then.sum() / scale, level=level)
    is_even = standing.usual.is_even
    return YearToDate(standing.measure, standing.category, int(now.sum()), int(then.sum()), found, is_even)
