"""What a month says: how its counts stand against the months before it and the year to date against the year before.

It says no more than the counts do. A difference that chance alone would often make is none; where there are too few
months or events to tell, that is the result.
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

# What is usual is what the newest of the months before were, at most so many: older ones tell of another time.
USUAL: Final = 24

# Every month looks at a year to date; at a lower level one look in twenty would find a difference where there is none.
YEAR_LEVEL: Final = 0.99

Verdict = Literal["higher", "lower", "no telling"]


@dataclass(frozen=True)
class Standing:
    """A month of one count against the months before it.

    Attributes
    ----------
    verdict
        ``higher`` or ``lower`` than chance alone makes a month, ``no telling`` where it is not, or where the months
        before are too few or differ too much among themselves.
    """

    measure: str
    category: str
    value: int
    chart: ProcessChart
    verdict: Verdict

    @property
    def low(self) -> int:
        """The lowest count that chance alone makes of such a month."""
        return int(self.chart.points["low"].iloc[-1])

    @property
    def high(self) -> int:
        """The highest one."""
        return int(self.chart.points["high"].iloc[-1])

    @property
    def can_tell(self) -> bool:
        """Whether the months before say what is usual."""
        return self.chart.is_enough and self.chart.is_even


@dataclass(frozen=True)
class YearToDate:
    """The fiscal year to date of one count against the same months of the year before.

    Attributes
    ----------
    ratio
        The exact interval of the two rates' ratio; none where both counts are 0.
    is_even
        Whether the months of each of the two years, of the one before all twelve, differ no more than chance alone
        would make them. Without that the interval is too narrow to tell anything by.
    """

    measure: str
    category: str
    value: int
    before: int
    ratio: Interval | None
    is_even: bool

    @property
    def verdict(self) -> Verdict:
        """Whether the two differ more than chance alone makes them."""
        if self.ratio is None or not self.is_even or 1 in self.ratio:
            return "no telling"
        return "higher" if self.ratio.low > 1 else "lower"


@dataclass(frozen=True)
class Pace:
    """How a fiscal year goes on, month by month, beside the year before.

    Attributes
    ----------
    this_year, year_before
        The count from the year's first month to the end of each (``Int64`` by ``ReportMonth``); missing where not
        known, and empty where nothing of the year before is.
    at_end
        The interval that the whole year's count falls into if the rest of it goes on as the year has so far; none
        where it is over, too little of it is known, or its months or those of the year before differ too much.
    is_even
        Whether these months differ no more than chance alone would make them.
    """

    measure: str
    this_year: pd.Series
    year_before: pd.Series
    at_end: Interval | None
    is_even: bool


@dataclass(frozen=True)
class Assessment:
    """What a month says.

    Attributes
    ----------
    whole
        All of it together.
    parts
        Its categories, by measure, with limits at which all the categories of a measure together hold.
    runs
        What the last months together complete: rules other than that of the single month.
    year
        The fiscal year to date of the whole; none where the year before is not known.
    year_parts
        Those of the categories, by measure, at a level at which all the categories of a measure together hold.
    """

    month: ReportMonth
    whole: Standing
    parts: dict[str, list[Standing]]
    runs: list[tuple[Rule, Side]]
    year: YearToDate | None
    year_parts: dict[str, list[YearToDate]]
    pace: Pace


def assess(edition: Edition) -> Assessment | None:
    """Assess the month of an edition; none where the report follows nothing by month that chance can be reckoned for.

    That is a measure that counts records: of sums, in which one record can be many, chance alone is not known.
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
            # So many that are looked at together stand apart by chance no oftener than one that is looked at alone.
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
    """Return the measure that the report follows by month, as a whole, where it counts records."""
    trend = program.report.trend
    name = trend and (program.whole_of(trend) or trend)
    return name if name and program.measures[name].count == "rows" else None


def counts_of(records: Records, month: ReportMonth, measure: str) -> pd.DataFrame:
    """Return a measure month by month up to a month, as far as it is known.

    Returns
    -------
    DataFrame
        ``Int64``, one column for each category (``""`` without a breakdown), by ``ReportMonth`` and without a gap;
        what is not known within it is missing.
    """
    table = series_of(records, measure, end=month)
    months = [ReportMonth.of(day) for day in table["start"].unique()]
    of_each = table.groupby("category", sort=False)["value"]
    return pd.DataFrame({name: pd.Series(values.array, index=months) for name, values in of_each})


def chart_of(counts: pd.Series, tail: float = TAIL) -> ProcessChart:
    """Return the process-behaviour chart of counts by month; the limits of the last come from the months before it."""
    newest = counts.iloc[-USUAL - 1 :]
    return process_chart(newest, baseline=list(newest.index[:-1]), tail=tail)


def _pace(standing: Standing, counts: pd.Series, fiscal_year_starts: int) -> Pace:
    """Return how the fiscal year of the last month goes on, beside the year before."""
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
    # A sum over a month that is not known is not known either, nor is any after it.
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
    """Return whether the months of a fiscal year to date, and those of the year before, differ only as by chance.

    A year that has only begun says nothing of how much its months differ; the whole year before does.
    """
    months = list(month.fiscal_year(fiscal_year_starts).months(until=month))
    year_before = counts.reindex(list(months[0].plus(-12).fiscal_year(fiscal_year_starts).months()))
    return is_even(counts.reindex(months).dropna()) and is_even(year_before.dropna())


def _year_to_date(standing: Standing, counts: pd.Series, fiscal_year_starts: int, level: float) -> YearToDate | None:
    """Compare the fiscal year to date with that of the year before; none where one of them is not known whole."""
    newest = counts.index[-1]
    months = list(newest.fiscal_year(fiscal_year_starts).months(until=newest))
    sides = [counts.reindex(one) for one in (months, [month.plus(-12) for month in months])]
    if any(side.isna().any() for side in sides):
        return None
    value, before = (int(side.sum()) for side in sides)
    even = years_are_even(counts, newest, fiscal_year_starts)
    return YearToDate(standing.measure, standing.category, value, before, ratio(value, before, level=level), even)
