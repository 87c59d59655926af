"""Process behavior charts for counts: which months are unusual, and which are within chance.

A c-chart uses counts over equal periods, a u-chart rates over a varying exposure (days, operations). Limits are
exact for Poisson counts. Rules are those of Western Electric (Statistical Quality Control Handbook, 1956) and the trend
of L. Nelson (The Shewhart control chart, Journal of Quality Technology 16, 1984), with the chances of the normal
distribution at one, two and three standard deviations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from viputils.config.language import message
from viputils.core.errors import ParameterError, Problem
from viputils.core.text import plural
from viputils.figures import plots
from viputils.figures.stats.intervals import Interval, are_even, chance_limits, future, median

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The chance beyond three, two and one standard deviations of a normal distribution, on one side.
TAIL: Final = 0.00135
WARNING_TAIL: Final = 0.02275
INNER_TAIL: Final = 0.15866
# The fewest periods that show what is usual.
ENOUGH: Final = 12
# The fewest periods since a change. Those before it show how much periods vary.
ENOUGH_SINCE: Final = 3
# If chance makes periods this different less often, something other than chance affects the whole baseline.
UNEVEN: Final = 0.01
# If chance makes periods this different more often, it explains them well, and limits are those of chance.
FITS: Final = 0.2
# The most that limits allow for, in units of the variance of chance. If periods vary more, they show nothing usual.
MOST_DISPERSION: Final = 4.0

Side = Literal["high", "low"]
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Rule:
    """A rule for unusual periods: ``number`` is its mark on a chart, ``words`` its meaning."""

    number: int
    words: str


OUTSIDE: Final = Rule(1, message("one month outside the limits"))
TWO_OF_THREE: Final = Rule(2, message("two of three months in a row near or beyond the same limit"))
FOUR_OF_FIVE: Final = Rule(3, message("four of five months in a row well to the same side of the average"))
EIGHT: Final = Rule(4, message("eight months in a row on the same side of the average"))
TREND: Final = Rule(5, message("six months in a row that rise, or fall, without a break"))
RULES: Final = (OUTSIDE, TWO_OF_THREE, FOUR_OF_FIVE, EIGHT, TREND)


@dataclass(frozen=True)
class ProcessChart:
    """A process behavior chart.

    Attributes
    ----------
    points
        One row for each period, with the index of the input: ``value`` (``Int64``), ``exposure`` and ``rate``
        (``float64``; without an exposure, the rate is the value), ``average``, ``low`` and ``high`` (as rates),
        ``in_baseline``, ``rules`` (the numbers of the rules that the period completes, as text: ``"1 5"``) and
        ``sides`` (the side of each rule, as text: ``"high low"``; for a trend, its direction).
    average
        The mean rate of the baseline: the center line. Missing if the baseline is empty.
    periods
        The number of known periods in the baseline.
    is_even
        Whether the periods of the baseline differ no more than the limits allow for. If not, the limits mean little.
    enough
        The fewest periods of the baseline that show what is usual.
    report
        How the chart stands to that of the report, in one sentence; empty if it was made of bare counts.
    """

    points: pd.DataFrame
    average: float
    periods: int
    is_even: bool
    enough: int = ENOUGH
    report: str = ""

    def _repr_html_(self) -> str:
        """Return the chart as notebooks show it: what it can show, and its months."""
        return plots.shown_html(self.remarks, self.points[["value", "low", "high", "rules", "sides"]])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the chart with its average, the range of chance, and a mark for each month that completes a rule."""
        return plots.plot_chart(self.points, self.marked.index, ax)

    @property
    def remarks(self) -> list[str]:
        """What the chart can and cannot show, in sentences."""
        if self.periods < 1:
            return ["There is no chart, because no month that could set its limits is known."]
        of = "here" if self.points["in_baseline"].iloc[-1] else "before the newest"
        said = [f"The average of the {plural(self.periods, 'month')} {of} is {self.average:.1f}."]
        if not self.is_enough:
            said.append(f"That is too few: at least {self.enough} months are needed to show what is usual.")
        if not self.is_even:
            said.append(
                "These months differ from each other more than by chance, so the limits are too narrow to judge a "
                "single month."
            )
        if self.is_enough and not self.can_fall:
            said.append("The counts are too small to show a fall in one month: even 0 would not be unusual.")
        return [*said, *([self.report] if self.report else [])]

    @property
    def is_enough(self) -> bool:
        """Whether the baseline has enough periods to show what is usual."""
        return self.periods >= self.enough

    @property
    def can_fall(self) -> bool:
        """Whether a single period can be unusually low. If counts are small, even 0 is not unusual."""
        return bool(self.points["low"].iloc[-1] > 0) if len(self.points) else False

    @property
    def signals(self) -> pd.DataFrame:
        """The periods that complete a rule."""
        return self.points.loc[self.points["rules"].ne("")]

    @property
    def marked(self) -> pd.DataFrame:
        """The periods to mark: those that complete a rule, if the limits are meaningful."""
        return self.signals if self.is_even else self.points.iloc[:0]

    def marks_at(self, period: Hashable) -> list[Rule]:
        """Return the rules to mark a period with."""
        return self.at(period) if self.is_even else []

    def at(self, period: Hashable) -> list[Rule]:
        """Return the rules that a period completes."""
        return [rule for rule, _ in self.signals_at(period)]

    def signals_at(self, period: Hashable) -> list[tuple[Rule, Side]]:
        """Return the rules that a period completes, each with its side. The side of a trend is its direction."""
        numbers, sides = (str(self.points[name].to_dict()[period]).split() for name in ("rules", "sides"))
        by_number = {str(rule.number): rule for rule in RULES}
        return [(by_number[one], "high" if side == "high" else "low") for one, side in zip(numbers, sides, strict=True)]


@dataclass(frozen=True)
class Usual:
    """What is usual in a period.

    Attributes
    ----------
    average, periods
        The average of the current level so far, and the number of its periods.
    limits
        The lowest and highest usual count. Missing without a period.
    dispersion
        The variance that they allow for, in units of the variance of chance: 1 if chance explains the counts well.
    is_even
        Whether the counts vary little enough to show what is usual.
    """

    average: float
    periods: int
    limits: Interval
    dispersion: float
    is_even: bool


def process_chart(
    values: pd.Series,
    exposure: pd.Series | None = None,
    baseline: Sequence[Hashable] | None = None,
    tail: float = TAIL,
    dispersion: float = 1.0,
    rules: Sequence[Rule] = RULES,
) -> ProcessChart:
    """Return the process behavior chart of some counts.

    The report's own chart does more: the newest month sets no limits, lasting changes are steps, limits allow for
    months that vary more than by chance, and categories have wider limits. ``tables.process_chart`` of
    ``viputils.workbench`` is that chart.

    Parameters
    ----------
    values
        Counts in order of time, missing if unknown.
    exposure
        The exposure of each count, with the same index, for a u-chart. By default equal for all, for a c-chart.
    baseline
        The periods that show what is usual; by default all. Other periods have wider limits, which allow for the
        uncertainty of the baseline.
    tail
        The chance of a count beyond either limit. Divide it by the number of charts that are read together.
    dispersion
        The variance of a count in units of the variance of chance. A count divided by it is then about Poisson.
    rules
        The rules to look for.

    Raises
    ------
    ParameterError
        If a count or an exposure is invalid, or a period of the baseline does not exist.
    """
    # Use arrays for speed, because a report makes a chart for each category.
    index, given = values.index, values.astype("Int64")
    value: Numbers = np.asarray(given.astype("float64"), dtype=np.float64)
    over_each: Numbers = np.ones(len(value))
    if exposure is not None:
        over_each = np.asarray(exposure.reindex(index), dtype=np.float64)
    _require(index, value, over_each, baseline)
    is_base = ~np.isnan(value) & (True if baseline is None else index.isin(list(baseline)))
    events, over = int(value[is_base].sum()), float(over_each[is_base].sum())
    average = events / over if over else float("nan")
    rate = value / over_each
    low, high = _limits(over_each, is_base, events, over, tail, dispersion)
    inner = [_limits(over_each, is_base, events, over, each, dispersion) for each in (WARNING_TAIL, INNER_TAIL)]
    # The median, not the average: with small counts, more than half are on one side of the average.
    usual = _each_once(over_each * average, median) / over_each
    found = _rules(rate, [(low, high), *inner], usual, rules)
    points = {
        "value": given,
        "exposure": over_each,
        "rate": rate,
        "average": average,
        "low": low,
        "high": high,
        "in_baseline": is_base,
        "rules": [" ".join(str(number) for number, _ in each) for each in found],
        "sides": [" ".join(side for _, side in each) for each in found],
    }
    even = _are_even(value[is_base] / dispersion, over_each[is_base])
    return ProcessChart(pd.DataFrame(points, index=index), average, int(is_base.sum()), even)


def _limits(
    exposure: Numbers, is_base: Flags, events: int, over: float, tail: float, dispersion: float
) -> tuple[Numbers, Numbers]:
    """Return the limits of each period as rates: exact for the baseline, wider for other periods."""
    low, high = np.full(len(exposure), np.nan), np.full(len(exposure), np.nan)
    if not over:
        return low, high
    # Periods of the same length have the same limits.
    for length, is_in in {(each, bool(one)) for each, one in zip(exposure, is_base, strict=True) if not np.isnan(each)}:
        here = (exposure == length) & (is_base == is_in)
        low[here], high[here] = _bounds(events, over, length, tail, dispersion, is_in)
    return low / exposure, high / exposure


def _bounds(events: float, over: float, length: float, tail: float, dispersion: float, is_in: bool) -> Interval:
    """Return the limits of a count over ``length``. A count divided by its dispersion is about Poisson."""
    usual = events / dispersion
    bounds = chance_limits(usual / over * length, tail) if is_in else future(usual, over, length, 1 - 2 * tail)
    return Interval(math.floor(bounds.low * dispersion), math.ceil(bounds.high * dispersion))


def _each_once(numbers: Numbers, work_out: Callable[[float], float]) -> Numbers:
    """Apply a function once to each distinct number. Missing numbers stay missing."""
    found = {each: work_out(each) for each in set(numbers[~np.isnan(numbers)].tolist())}
    return np.array([found.get(each, np.nan) for each in numbers.tolist()], dtype="float64")


def _rules(
    rate: Numbers, limits: Sequence[tuple[Numbers, Numbers]], usual: Numbers, rules: Sequence[Rule]
) -> list[list[tuple[int, Side]]]:
    """Return the rules that each period completes, with their sides.

    Parameters
    ----------
    limits
        The limits for a single period, for two of three and for four of five.
    """
    step = np.diff(rate, prepend=np.nan)
    found: list[list[tuple[int, Side]]] = [[] for _ in rate]
    sides: tuple[Side, Side] = ("high", "low")
    for place, side in enumerate(sides):
        beyond = np.less if side == "low" else np.greater
        outside, warning, near = (beyond(rate, one[1 - place]) for one in limits)
        completes = {
            OUTSIDE: outside,
            TWO_OF_THREE: _so_many(warning, 2, 3),
            FOUR_OF_FIVE: _so_many(near, 4, 5),
            EIGHT: _so_many(beyond(rate, usual), 8, 8),
            TREND: _so_many(beyond(step, 0), 5, 5),
        }
        for rule in rules:
            for at in completes[rule].nonzero()[0]:
                found[at].append((rule.number, side))
    return [sorted(each) for each in found]


def _so_many(where: Flags, number: int, of: int) -> Flags:
    """Flag the periods in ``where`` at which ``number`` of the last ``of`` periods are in it."""
    up_to = np.concatenate([np.zeros(of, dtype="int64"), np.cumsum(where)])
    enough: Flags = up_to[of:] - up_to[:-of] >= number
    return where & enough


def is_even(values: pd.Series, exposure: pd.Series | None = None) -> bool:
    """Return whether counts differ no more than by chance, by R. A. Fisher's test of dispersion.

    Parameters
    ----------
    values
        Counts, none of them missing.
    exposure
        The exposure of each count; by default equal for all.
    """
    counts = values.to_numpy("float64")
    return _are_even(counts, np.ones(len(counts)) if exposure is None else exposure.to_numpy("float64"))


def usual_of(levels: Sequence[Numbers], tail: float = TAIL) -> Usual:
    """Return what is usual in the period after some counts.

    Parameters
    ----------
    levels
        The counts by level, none of them missing, the current level last. How much they vary is the same in all.
    tail
        As for ``process_chart``.
    """
    from scipy import special

    current, counts = levels[-1], [each for each in levels if len(each) > 1 and each.sum() > 0]
    distance = sum(float(((each - each.mean()) ** 2).sum() / each.mean()) for each in counts)
    freedom = sum(len(each) - 1 for each in counts)
    dispersion, even = 1.0, True
    if freedom and special.chdtrc(freedom, distance) < FITS:
        dispersion = min(distance / freedom, MOST_DISPERSION)
        even = bool(special.chdtrc(freedom, distance / dispersion) >= UNEVEN)
    limits = Interval(math.nan, math.nan)
    if len(current):
        limits = _bounds(float(current.sum()), len(current), 1, tail, dispersion, is_in=False)
    average = float(current.mean()) if len(current) else math.nan
    return Usual(average, len(current), limits, dispersion, even)


def _are_even(counts: Numbers, exposure: Numbers) -> bool:
    events = counts.sum()
    if len(counts) < 2 or not events > 0:
        return True
    return are_even(counts.tolist(), (exposure * (events / exposure.sum())).tolist(), UNEVEN)


def _require(index: pd.Index, value: Numbers, exposure: Numbers, baseline: Sequence[Hashable] | None) -> None:
    periods = list(index)
    problems = [
        Problem(f"{column}, {periods[place]}", f"{given[place]:g} is invalid;", remedy)
        for column, given, wrong, remedy in (
            ("value", value, value < 0, "a count must be 0 or more, or missing."),
            ("exposure", exposure, ~(exposure > 0) & ~np.isnan(value), "an exposure must be more than 0."),
        )
        for place in wrong.nonzero()[0]
    ]
    problems += [
        Problem("baseline", f"{period} is not a period of the chart;", "name periods of the chart.")
        for period in baseline or ()
        if period not in index
    ]
    if problems:
        raise ParameterError("The chart cannot be made.", problems)
