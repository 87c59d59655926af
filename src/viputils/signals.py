"""Process-behaviour charts for counts: which months say something, and which are what chance alone gives.

A c-chart takes counts over equal periods, a u-chart rates over an exposure that differs (days, operations). Limits are
exact for Poisson counts. Rules are those of Western Electric (Statistical Quality Control Handbook, 1956) and the trend
of L. Nelson (The Shewhart control chart, Journal of Quality Technology 16, 1984), with the chances of the normal
distribution's one, two and three standard deviations in place of these.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from viputils.errors import ParameterError, Problem
from viputils.intervals import Interval, are_even, chance_limits, future, median
from viputils.language import message

# The chance of lying beyond three, two and one standard deviations of a normal distribution, on one side.
TAIL: Final = 0.00135
WARNING_TAIL: Final = 0.02275
INNER_TAIL: Final = 0.15866
# Fewer periods than these say too little about what is usual.
ENOUGH: Final = 12
# Where chance alone would so seldom make periods as different as these are, more than chance is at work throughout.
UNEVEN: Final = 0.01

Side = Literal["high", "low"]


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
        """Give the rules that a period is marked with."""
        return self.at(period) if self.is_even else []

    def at(self, period: Hashable) -> list[Rule]:
        """Give the rules that a period completes."""
        return [rule for rule, _ in self.signals_at(period)]

    def signals_at(self, period: Hashable) -> list[tuple[Rule, Side]]:
        """Give the rules that a period completes, each with its side; of a trend the way that it goes."""
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
        Where a count or an exposure cannot be, or a period of the baseline is not there.
    """
    table = pd.DataFrame({"value": values.astype("Int64")})
    table = table.assign(exposure=1.0 if exposure is None else exposure.reindex(values.index).astype("float64"))
    in_baseline = pd.Series(True if baseline is None else table.index.isin(list(baseline)), table.index, dtype="bool")
    _require(table, baseline)
    table = table.assign(
        rate=table["value"].astype("float64") / table["exposure"], in_baseline=in_baseline & table["value"].notna()
    )
    base = table.loc[table["in_baseline"]]
    events, over = int(base["value"].sum()), float(base["exposure"].sum())
    average = events / over if over else float("nan")
    limits = _limits(table, events, over, tail)
    table = table.assign(low=limits["low"], high=limits["high"])
    rules = _rules(table, average, {inner: _limits(table, events, over, inner) for inner in (WARNING_TAIL, INNER_TAIL)})
    table = table.assign(
        rules=[" ".join(str(number) for number, _ in found) for found in rules],
        sides=[" ".join(side for _, side in found) for found in rules],
    )
    columns = ["value", "exposure", "rate", "low", "high", "in_baseline", "rules", "sides"]
    return ProcessChart(table[columns], average, len(base), is_even(base["value"], base["exposure"]))


def _limits(table: pd.DataFrame, events: int, over: float, tail: float) -> pd.DataFrame:
    """Give the limits of each period as rates: exact ones for its baseline, wider ones beyond it."""
    if not over:
        return pd.DataFrame({"low": float("nan"), "high": float("nan")}, index=table.index)
    # Where periods are of one length they have the same limits.
    kinds = table[["exposure", "in_baseline"]].dropna().drop_duplicates()
    bounds = {
        (exposure, is_base): chance_limits(events / over * exposure, tail)
        if is_base
        else future(events, over, exposure, 1 - 2 * tail)
        for exposure, is_base in zip(kinds["exposure"], kinds["in_baseline"], strict=True)
    }
    unknown = Interval(float("nan"), float("nan"))
    found = [bounds.get(kind, unknown) for kind in zip(table["exposure"], table["in_baseline"], strict=True)]
    limits = pd.DataFrame(found, index=table.index, columns=["low", "high"], dtype="float64")
    return limits.div(table["exposure"], axis="index")


def _rules(table: pd.DataFrame, average: float, inner: dict[float, pd.DataFrame]) -> list[list[tuple[int, Side]]]:
    """Give, for each period, the rules that it completes and the side on which it does."""
    rate = table["rate"]
    # The median of chance, and not the average: of small counts more than half lie on one side of that.
    mean = table["exposure"] * average
    usual = mean.map({each: median(each) for each in mean.dropna().unique()}).div(table["exposure"])
    warning, near = inner[WARNING_TAIL], inner[INNER_TAIL]
    beyond: dict[Side, Callable[[pd.DataFrame], pd.Series]] = {
        "high": lambda limits: rate.gt(limits["high"]),
        "low": lambda limits: rate.lt(limits["low"]),
    }
    found: list[list[tuple[int, Side]]] = [[] for _ in range(len(table))]
    rising = rate.diff().gt(0)
    falling = rate.diff().lt(0)
    for side, is_beyond in beyond.items():
        off = rate.gt(usual) if side == "high" else rate.lt(usual)
        completes = {
            OUTSIDE: is_beyond(table),
            TWO_OF_THREE: _so_many(is_beyond(warning), 2, 3),
            FOUR_OF_FIVE: _so_many(is_beyond(near), 4, 5),
            EIGHT: _so_many(off, 8, 8),
            TREND: _so_many(rising if side == "high" else falling, 5, 5),
        }
        for rule, where in completes.items():
            for place in where.to_numpy().nonzero()[0]:
                found[place].append((rule.number, side))
    return [sorted(each) for each in found]


def _so_many(where: pd.Series, number: int, of: int) -> pd.Series:
    """Say at which periods ``number`` of the last ``of`` lie there, the period itself among them."""
    return where & where.rolling(of, min_periods=number).sum().ge(number)


def is_even(values: pd.Series, exposure: pd.Series | None = None) -> bool:
    """Say whether counts differ no more than chance alone would make them: R. A. Fisher's test of dispersion.

    Parameters
    ----------
    values
        Counts, none of them missing.
    exposure
        Over how much each was counted; by default the same for all.
    """
    events = values.astype("float64")
    if len(events) < 2 or not events.sum() > 0:
        return True
    over = pd.Series(1.0, events.index) if exposure is None else exposure.astype("float64")
    return are_even(events.tolist(), (over * (events.sum() / over.sum())).tolist(), UNEVEN)


def _require(table: pd.DataFrame, baseline: Sequence[Hashable] | None) -> None:
    problems = [
        Problem(f"{column}, {period}", f"{value} cannot be;", remedy)
        for column, wrong, remedy in (
            ("value", table["value"].lt(0).fillna(False), "a count is 0 or more, or missing."),
            ("exposure", ~table["exposure"].gt(0) & table["value"].notna(), "an exposure is more than 0."),
        )
        for period, value in table.loc[wrong.astype("bool"), column].items()
    ]
    problems += [
        Problem("baseline", f"{period} is no period of the chart;", "name those that are.")
        for period in baseline or ()
        if period not in table.index
    ]
    if problems:
        raise ParameterError("There is no such chart.", problems)
