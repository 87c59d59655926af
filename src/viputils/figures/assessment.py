"""The assessment of a month: its counts against earlier months, and its year to date against the year before.

Differences that chance often makes are ignored. If there are too few months or events, the result is that
nothing can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from viputils.config.program import Program
from viputils.core.months import ReportMonth
from viputils.figures.counts import categories_of
from viputils.figures.edition import Edition
from viputils.figures.series import known_months, series_of
from viputils.figures.stats.control_charts import OUTSIDE, TAIL, ProcessChart, Rule, Side, is_even, process_chart
from viputils.figures.stats.intervals import Interval, future, ratio
from viputils.records.clean import Records

# The most earlier months used to tell what is usual. Older months reflect other conditions.
USUAL: Final = 24

# Each issue compares years to date, so a lower level would find a false difference in one issue of twenty.
YEAR_LEVEL: Final = 0.99

Verdict = Literal["higher", "lower", "no telling"]


@dataclass(frozen=True)
class Standing:
    """One count of a month against the months before it.

    Attributes
    ----------
    verdict
        ``higher`` or ``lower`` than chance makes a month. ``no telling`` if it is neither, or if the months
        before are too few or differ too much.
    """

    measure: str
    category: str
    value: int
    chart: ProcessChart
    verdict: Verdict

    @property
    def low(self) -> int:
        """The lowest normal count."""
        return int(self.chart.points["low"].iloc[-1])

    @property
    def high(self) -> int:
        """The highest normal count."""
        return int(self.chart.points["high"].iloc[-1])

    @property
    def can_tell(self) -> bool:
        """Whether the months before show what is usual."""
        return self.chart.is_enough and self.chart.is_even


@dataclass(frozen=True)
class YearToDate:
    """The fiscal year to date of one count against the same months of the year before.

    Attributes
    ----------
    ratio
        The exact interval of the ratio of the two rates, or None if both counts are 0.
    is_even
        Whether the months of this year to date, and all months of the year before, differ no more than by chance. If
        not, the interval is too narrow to use.
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
        The expected interval of the full year's count, if the year continues as it has so far. None if the year is
        over, if too little of it is known, or if its months or those of the year before differ too much.
    is_even
        Whether these months differ no more than by chance.
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
    whole
        The total.
    parts
        Its categories by measure. The limits are adjusted for the number of categories.
    runs
        Rules that the last months complete together, without the rule for a single month.
    year
        The fiscal year to date of the total, or None if the year before is unknown.
    year_parts
        The fiscal years to date of the categories by measure. The level is adjusted for the number of categories.
    """

    month: ReportMonth
    whole: Standing
    parts: dict[str, list[Standing]]
    runs: list[tuple[Rule, Side]]
    year: YearToDate | None
    year_parts: dict[str, list[YearToDate]]
    pace: Pace


def assess(edition: Edition) -> Assessment | None:
    """Return the assessment of an edition's month, or None if the report follows no measure that counts records.

    The effect of chance is known for counts of records, but not for sums.
    """
    program, month = edition.program, edition.month
    name = followed(program)
    if name is None or month not in known_months(edition.records, name):
        return None
    starts = program.identity.fiscal_year_starts
    counts = counts_of(edition.records, month, name)[""]
    whole = _standing(name, "", counts)
    parts, year_parts = {}, {}
    for one in program.report.breakdowns:
        if program.whole_of(one) == name:
            of_part = counts_of(edition.records, month, one)[categories_of(program, one, month)]
            # Adjust for the number of categories, so that together they give no more false alarms than one alone.
            number = len(of_part.columns)
            level, tail = 1 - (1 - YEAR_LEVEL) / number, TAIL / number
            parts[one] = [_standing(one, str(each), of_part[each], tail) for each in of_part]
            found = (_year_to_date(part, of_part[part.category], starts, level) for part in parts[one])
            year_parts[one] = [each for each in found if each is not None]
    runs = [(rule, side) for rule, side in whole.chart.signals_at(month) if rule != OUTSIDE]
    return Assessment(
        month,
        whole,
        parts,
        runs if whole.can_tell else [],
        _year_to_date(whole, counts, starts, YEAR_LEVEL),
        year_parts,
        _pace(whole, counts, starts),
    )


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


def chart_of(counts: pd.Series, tail: float = TAIL) -> ProcessChart:
    """Return the process behavior chart of monthly counts. The months before the last one set its limits."""
    newest = counts.iloc[-USUAL - 1 :]
    return process_chart(newest, baseline=list(newest.index[:-1]), tail=tail)


def _pace(standing: Standing, counts: pd.Series, fiscal_year_starts: int) -> Pace:
    """Return the course of the last month's fiscal year, beside the year before."""
    first = counts.index[-1].fiscal_year(fiscal_year_starts).first
    months = counts.loc[counts.index >= first]
    before = counts.reindex([first.plus(ahead - 12) for ahead in range(12)])
    ahead, at_end = 12 - len(months), None
    is_whole = len(months) == len(list(first.fiscal_year(fiscal_year_starts).months(until=counts.index[-1])))
    enough = max(len(months), int(before.notna().sum())) > 1
    even = years_are_even(counts, counts.index[-1], fiscal_year_starts)
    if ahead and is_whole and enough and months.notna().all() and even:
        so_far = int(months.sum())
        rest = future(so_far, len(months), ahead)
        at_end = Interval(so_far + rest.low, so_far + rest.high)
    # A running total is unknown from the first unknown month on.
    to_date = [one.cumsum().mask(one.isna().cummax()) for one in (months, before)]
    return Pace(
        standing.measure, to_date[0], to_date[1] if to_date[1].notna().any() else to_date[1].iloc[:0], at_end, even
    )


def _standing(measure: str, category: str, counts: pd.Series, tail: float = TAIL) -> Standing:
    chart = chart_of(counts, tail)
    verdict: Verdict = "no telling"
    side = dict(chart.signals_at(counts.index[-1])).get(OUTSIDE)
    if side is not None and chart.is_enough and chart.is_even:
        verdict = "higher" if side == "high" else "lower"
    return Standing(measure, category, int(counts.iloc[-1]), chart, verdict)


def years_are_even(counts: pd.Series, month: ReportMonth, fiscal_year_starts: int) -> bool:
    """Return whether the months of a fiscal year to date, and those of the year before, differ only by chance.

    The full year before is used, because a year that has just started has too few months.
    """
    months = list(month.fiscal_year(fiscal_year_starts).months(until=month))
    year_before = counts.reindex(list(months[0].plus(-12).fiscal_year(fiscal_year_starts).months()))
    return is_even(counts.reindex(months).dropna()) and is_even(year_before.dropna())


def _year_to_date(standing: Standing, counts: pd.Series, fiscal_year_starts: int, level: float) -> YearToDate | None:
    """Compare the fiscal year to date with the year before. Return None if a month of either is unknown."""
    newest = counts.index[-1]
    months = list(newest.fiscal_year(fiscal_year_starts).months(until=newest))
    sides = [counts.reindex(one) for one in (months, [month.plus(-12) for month in months])]
    if any(side.isna().any() for side in sides):
        return None
    value, before = (int(side.sum()) for side in sides)
    even = years_are_even(counts, newest, fiscal_year_starts)
    return YearToDate(standing.measure, standing.category, value, before, ratio(value, before, level=level), even)
