"""Process-behaviour charts for counts: which months say something, and which are what chance alone gives.

A c-chart takes counts over equal periods, a u-chart rates over an exposure that differs (days, operations). Limits are
exact for Poisson counts. Rules are those of Western Electric (Statistical Quality Control Handbook, 1956) and the trend
of L. Nelson (The Shewhart control chart, Journal of Quality Technology 16, 1984), with the chances of the normal
distribution's one, two and three standard deviations in place of these.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from viputils.config.language import message
from viputils.core.errors import ParameterError, Problem
from viputils.figures.stats.intervals import are_even, chance_limits, future, median

# The chance of lying beyond three, two and one standard deviations of a normal distribution, on one side.
TAIL: Final = 0.00135
WARNING_TAIL: Final = 0.02275
INNER_TAIL: Final = 0.15866
# Fewer periods than these say too little about what is usual.
ENOUGH: Final = 12
# Where chance alone would so seldom make periods as different as these are, more than chance is at work throughout.
UNEVEN: Final = 0.01

Side = Literal["high", "low"]
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Rule:
    """One way in which periods can say something: ``number`` is its mark on a chart, ``words`` what it means."""

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
    """A process-behaviour chart.

    Attributes
    ----------
    points
        One row for each period, under the index of what was given: ``value`` (``Int64``), ``exposure`` and ``rate``
        (``float64``; the rate is the value where there is no exposure), ``low`` and ``high`` (the limits, as rates),
        ``in_baseline``, ``rules`` (the numbers of the rules that the period completes, as text: ``"1 5"``) and
        ``sides`` (for each of them, ``high`` or ``low``: ``"high low"``; of a trend the way that it goes).
    average
        The mean rate of the baseline: the centre line. Missing where the baseline is empty.
    periods
        How many known periods the baseline has.
    is_even
        Whether the baseline differs no more than chance alone would make it; without that limits tell little.
    """

    points: pd.DataFrame
    average: float
    periods: int
    is_even: bool

    @property
    def is_enough(self) -> bool:
        """Whether the baseline has periods enough to say what is usual."""
        return self.periods >= ENOUGH

    @property
    def can_fall(self) -> bool:
        """Whether a single period could be low enough to say something; where few are usual, even none is no sign."""
        return bool(self.points["low"].iloc[-1] > 0) if len(self.points) else False

    @property
    def signals(self) -> pd.DataFrame:
        """The periods that complete a rule."""
        return self.points.loc[self.points["rules"].ne("")]

    @property
    def marked(self) -> pd.DataFrame:
        """The periods that are marked: those that complete a rule, where the limits tell anything."""
        return self.signals if self.is_even else self.points.iloc[:0]

    def marks_at(self, period: Hashable) -> list[Rule]:
        """Return the rules that a period is marked with."""
        return self.at(period) if self.is_even else []

    def at(self, period: Hashable) -> list[Rule]:
        """Return the rules that a period completes."""
        return [rule for rule, _ in self.signals_at(period)]

    def signals_at(self, period: Hashable) -> list[tuple[Rule, Side]]:
        """Return the rules that a period completes, each with its side; of a trend the way that it goes."""
        numbers, sides = (str(self.points[name].to_dict()[period]).split() for name in ("rules", "sides"))
        by_number = {str(rule.number): rule for rule in RULES}
        return [(by_number[one], "high" if side == "high" else "low") for one, side in zip(numbers, sides, strict=True)]


def process_chart(
    values: pd.Series,
    exposure: pd.Series | None = None,
    baseline: Sequence[Hashable] | None = None,
    tail: float = TAIL,
) -> ProcessChart:
    """Make the process-behaviour chart of some counts.

    Parameters
    ----------
    values
        Counts in order of time; missing where not known.
    exposure
        Over how much each was counted, under the same index: a u-chart. By default the same for all: a c-chart.
    baseline
        The periods that say what is usual; by default all. A period outside it has limits that allow for what so few
        periods leave unknown, so they are wider.
    tail
        The chance of a count beyond either limit. Of several charts that are looked at together it is a part of that
        of one.

    Raises
    ------
    ParameterError
        If a count or an exposure cannot be, or a period of the baseline is not there.
    """
    # In arrays: a table is made once, at the end, for a report makes a chart of each category.
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
    low, high = _limits(over_each, is_base, events, over, tail)
    inner = [_limits(over_each, is_base, events, over, each) for each in (WARNING_TAIL, INNER_TAIL)]
    # The median of chance, and not the average: of small counts more than half lie on one side of that.
    usual = _each_once(over_each * average, median) / over_each
    found = _rules(rate, [(low, high), *inner], usual)
    points = {
        "value": given,
        "exposure": over_each,
        "rate": rate,
        "low": low,
        "high": high,
        "in_baseline": is_base,
        "rules": [" ".join(str(number) for number, _ in each) for each in found],
        "sides": [" ".join(side for _, side in each) for each in found],
    }
    even = _are_even(value[is_base], over_each[is_base])
    return ProcessChart(pd.DataFrame(points, index=index), average, int(is_base.sum()), even)


def _limits(exposure: Numbers, is_base: Flags, events: int, over: float, tail: float) -> tuple[Numbers, Numbers]:
    """Return the limits of each period as rates: exact ones for its baseline, wider ones beyond it."""
    low, high = np.full(len(exposure), np.nan), np.full(len(exposure), np.nan)
    if not over:
        return low, high
    # Where periods are of one length they have the same limits.
    for length, is_in in {(each, bool(one)) for each, one in zip(exposure, is_base, strict=True) if not np.isnan(each)}:
        bounds = chance_limits(events / over * length, tail) if is_in else future(events, over, length, 1 - 2 * tail)
        here = (exposure == length) & (is_base == is_in)
        low[here], high[here] = bounds
    return low / exposure, high / exposure


def _each_once(numbers: Numbers, work_out: Callable[[float], float]) -> Numbers:
    """Work something out for each different number; missing where the number is."""
    found = {each: work_out(each) for each in set(numbers[~np.isnan(numbers)].tolist())}
    return np.array([found.get(each, np.nan) for each in numbers.tolist()], dtype="float64")


def _rules(rate: Numbers, limits: Sequence[tuple[Numbers, Numbers]], usual: Numbers) -> list[list[tuple[int, Side]]]:
    """Give, for each period, the rules that it completes and the side on which it does.

    Parameters
    ----------
    limits
        Those of a single period, of two of three and of four of five.
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
        for rule, where in completes.items():
            for at in where.nonzero()[0]:
                found[at].append((rule.number, side))
    return [sorted(each) for each in found]


def _so_many(where: Flags, number: int, of: int) -> Flags:
    """Say at which periods ``number`` of the last ``of`` lie there, the period itself among them."""
    up_to = np.concatenate([np.zeros(of, dtype="int64"), np.cumsum(where)])
    enough: Flags = up_to[of:] - up_to[:-of] >= number
    return where & enough


def is_even(values: pd.Series, exposure: pd.Series | None = None) -> bool:
    """Return whether counts differ no more than chance alone would make them: R. A. Fisher's test of dispersion.

    Parameters
    ----------
    values
        Counts, none of them missing.
    exposure
        Over how much each was counted; by default the same for all.
    """
    counts = values.to_numpy("float64")
    return _are_even(counts, np.ones(len(counts)) if exposure is None else exposure.to_numpy("float64"))


def _are_even(counts: Numbers, exposure: Numbers) -> bool:
    events = counts.sum()
    if len(counts) < 2 or not events > 0:
        return True
    return are_even(counts.tolist(), (exposure * (events / exposure.sum())).tolist(), UNEVEN)


def _require(index: pd.Index, value: Numbers, exposure: Numbers, baseline: Sequence[Hashable] | None) -> None:
    periods = list(index)
    problems = [
        Problem(f"{column}, {periods[place]}", f"{given[place]:g} cannot be;", remedy)
        for column, given, wrong, remedy in (
            ("value", value, value < 0, "a count is 0 or more, or missing."),
            ("exposure", exposure, ~(exposure > 0) & ~np.isnan(value), "an exposure is more than 0."),
        )
        for place in wrong.nonzero()[0]
    ]
    problems += [
        Problem("baseline", f"{period} is no period of the chart;", "name those that are.")
        for period in baseline or ()
        if period not in index
    ]
    if problems:
        raise ParameterError("There is no such chart.", problems)
