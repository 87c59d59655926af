"""Interrupted time series: whether counts changed when a program began, beside their trend, season and other areas.

A Poisson regression of the counts on time and on a step at the change, with wider intervals if months vary more than by
chance: J. Lopez Bernal, S. Cummins and A. Gasparrini, Interrupted time series regression for the evaluation of public
health interventions, International Journal of Epidemiology 46 (2017). With a comparison, the change beside that of the
comparison: the same authors, The use of controls in interrupted time series studies, ibid. 47 (2018).
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from viputils.core.errors import ParameterError, Problem
from viputils.core.extras import require_statsmodels
from viputils.figures import plots
from viputils.figures.stats.intervals import LEVEL, Interval, ratio_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The fewest known periods before a change and since it. With fewer, a trend is only a guess.
BEFORE: Final = 12
SINCE: Final = 3
# The fewest known periods before a change that show a season.
SEASON: Final = 24
# The waves of a season, in periods of a year.
_WAVES: Final = (1, 2)
# Below this average, a Poisson regression has hardly any information in a period.
_FEW: Final = 1.0

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Effect:
    """A change as a ratio: 0.80 means a fifth fewer. ``interval`` is that of the true ratio."""

    ratio: float
    interval: Interval

    def __str__(self) -> str:
        low, high = map(ratio_text, self.interval)
        return f"{ratio_text(self.ratio)} (from {low} to {high})"


@dataclass(frozen=True)
class Interrupted:
    """An interrupted time series.

    Attributes
    ----------
    points
        By period: ``value`` (``Int64``), ``exposure``, ``rate``, ``fitted`` (``float64``: the model), ``expected`` (the
        model without the change), ``is_after``, and with a comparison its rate as ``comparison``.
    level
        The change of the level, beside that of the comparison if there is one.
    trend
        The further change of the level with each period since then, or None if it was not asked for.
    dispersion
        The variance of a period in units of the variance that chance makes. If it is above 1, intervals are wider.
    remarks
        What limits these results, one sentence each.
    """

    points: pd.DataFrame = field(repr=False)
    level: Effect
    trend: Effect | None
    dispersion: float
    remarks: tuple[str, ...]

    @property
    def reading(self) -> str:
        """What the counts can tell: one sentence on the level, and one on the trend if that was asked for."""
        sentences = [self._told("level", self.level, f"the ratio is {self.level}.")]
        if self.trend is not None:
            sentences.append(self._told("trend", self.trend, f"the ratio is {self.trend} with each month."))
        return " ".join(sentences)

    def _told(self, what: str, effect: Effect, ratio: str) -> str:
        """Return how the counts differ from the time before, or from what the comparison leads one to expect."""
        is_compared = "comparison" in self.points
        if 1 in effect.interval:
            beside = " beside the comparison areas" if is_compared else ""
            return f"The counts do not show a change of the {what}{beside}: {ratio}"
        since = "than the comparison areas lead one to expect" if is_compared else "since then"
        return f"The {what} is {'higher' if effect.interval.low > 1 else 'lower'} {since}: {ratio}"

    def __str__(self) -> str:
        return " ".join([self.reading, *self.remarks])

    def _repr_html_(self) -> str:
        """Return the result as notebooks show it: what it says, what limits it, and its months."""
        return plots.shown_html([self.reading, *self.remarks], self.points[["value", "fitted", "expected"]])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the counts, the fitted course, and the course that was expected without the change."""
        return plots.plot_interrupted(self.points, ax)


def interrupted(
    values: pd.Series,
    since: Hashable,
    comparison: pd.Series | None = None,
    exposure: pd.Series | None = None,
    comparison_exposure: pd.Series | None = None,
    trend_change: bool = False,
    season: bool | None = None,
    level: float = LEVEL,
) -> Interrupted:
    """Return whether counts changed when a program began.

    Parameters
    ----------
    values
        Counts by month, in order; missing if unknown. An index of months (``ReportMonth``, ``Period`` or days).
    since
        The first month of the program.
    comparison
        Counts of areas without the program in the same months. What changed there as well is not an effect.
    exposure, comparison_exposure
        The people, or days, of each count; by default equal for all.
    trend_change
        Whether the effect can also grow or shrink with each month.
    season
        Whether to allow for a season; by default if there are 24 months before.
    level
        The level of confidence.

    Raises
    ------
    ParameterError
        If there are too few months or events to tell, or an input is invalid; lists all of them.
    """
    places = _place(values.index, since)
    is_known = values.notna().to_numpy().copy()
    problems = _problems(values, places, "values")
    if comparison is not None:
        comparison = comparison.reindex(values.index)
        is_known &= comparison.notna().to_numpy()
        problems += _problems(comparison, places, "comparison")
    for name, over in (("exposure", exposure), ("comparison_exposure", comparison_exposure)):
        if over is not None and not (over.reindex(values.index)[is_known] > 0).all():
            problems.append(Problem(name, "is 0 or missing in a month;", "name the people of each month."))
    if problems:
        raise ParameterError("A change at that time cannot be judged.", problems)
    with_season = season if season is not None else int((is_known & ~places).sum()) >= SEASON
    sides = [(values, exposure), *([(comparison, comparison_exposure)] if comparison is not None else [])]
    design, names = _design(values.index, places, len(sides), trend_change, with_season)
    counts = np.concatenate([one.to_numpy("float64", na_value=np.nan) for one, _ in sides])
    people = np.concatenate([_over(each, values.index) for _, each in sides])
    used = np.tile(is_known, len(sides))
    found, dispersion = _fit(design[used], counts[used], people[used])
    bounds = found.conf_int(1 - level)
    effects = {
        name: Effect(*_exp(found.params[at], *bounds[at]))
        for at, name in enumerate(names)
        if name in ("level", "trend")
    }
    points = _points(values, people[: len(values)], places, design[: len(values)], names, found.params)
    if comparison is not None:
        points = points.assign(comparison=comparison.to_numpy("float64", na_value=np.nan) / people[len(values) :])
    residual = found.resid_pearson[: int(is_known.sum())]
    remarks = _remarks(residual, dispersion, with_season, int((~is_known).sum()), comparison is not None)
    return Interrupted(points, effects["level"], effects.get("trend"), dispersion, remarks)


def _place(index: pd.Index, since: Hashable) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Flag the periods since the change."""
    after = np.asarray([one >= since for one in index], dtype="bool")
    if not len(index) or since not in index:
        between = f"choose a month from {index[0]} to {index[-1]}." if len(index) else "there are no months."
        raise ParameterError(
            "A change at that time cannot be judged.", [Problem("since", f"{since} is not in the data;", between)]
        )
    return after


def _problems(values: pd.Series, after: np.ndarray[Any, np.dtype[np.bool_]], name: str) -> list[Problem]:
    known = values.notna().to_numpy()
    problems = []
    for kind, here, least in (("before", ~after, BEFORE), ("since", after, SINCE)):
        number = int((known & here).sum())
        if number < least:
            what = f"{number} {'month is' if number == 1 else 'months are'} known {kind} the change;"
            problems.append(Problem(name, what, f"at least {least} are needed."))
        elif float(values[known & here].mean()) < _FEW:
            what = f"there is less than one event a month {kind} the change;"
            problems.append(Problem(name, what, "that is too few to tell."))
    if values[known].lt(0).any():
        problems.append(Problem(name, "a count is negative;", "counts are 0 or more."))
    return problems


def _design(
    index: pd.Index, after: np.ndarray[Any, np.dtype[np.bool_]], sides: int, trend_change: bool, season: bool
) -> tuple[Numbers, list[str]]:
    """Return the columns of the model, and their names: ``level`` and ``trend`` are the effects."""
    time = np.arange(len(index), dtype="float64")
    step = after.astype("float64")
    growth = step * (time - time[after][0])
    shared = {"mean": np.ones(len(time)), "time": time / 12}
    changes = {"level": step, **({"trend": growth} if trend_change else {})}
    waves: dict[str, Numbers] = {}
    if season:
        month = np.asarray([int(one.month) for one in index], dtype="float64")
        for wave in _WAVES:
            waves |= {
                f"sin {wave}": np.sin(2 * np.pi * wave * month / 12),
                f"cos {wave}": np.cos(2 * np.pi * wave * month / 12),
            }
    if sides == 1:
        columns = {**shared, **changes, **waves}
        return np.column_stack(list(columns.values())), list(columns)
    # The first half is the program's area. What both have in common is the comparison's.
    nothing = np.zeros(len(time))
    both = {name: (one, one) for name, one in {**shared, **waves}.items()}
    both |= {f"common {name}": (one, one) for name, one in changes.items()}
    own = {**{f"own {name}": one for name, one in shared.items()}, **changes}
    both |= {name: (one, nothing) for name, one in own.items()}
    return np.column_stack([np.concatenate(pair) for pair in both.values()]), list(both)


def _over(exposure: pd.Series | None, index: pd.Index) -> Numbers:
    if exposure is None:
        return np.ones(len(index))
    return np.asarray(exposure.reindex(index).to_numpy("float64", na_value=np.nan))


def _fit(design: Numbers, counts: Numbers, over: Numbers) -> tuple[Any, float]:
    """Return the fitted model, and the dispersion that its intervals allow for."""
    require_statsmodels("interrupted")
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    model = GLM(counts, design, family=Poisson(), offset=np.log(over))
    with warnings.catch_warnings():
        # Counts that do not vary are no error.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        plain = model.fit()
        dispersion = max(1.0, float(plain.pearson_chi2 / plain.df_resid))
        return model.fit(scale=dispersion, use_t=True), dispersion


def _exp(estimate: float, low: float, high: float) -> tuple[float, Interval]:
    return float(np.exp(estimate)), Interval(float(np.exp(low)), float(np.exp(high)))


def _points(
    values: pd.Series,
    over: Numbers,
    after: np.ndarray[Any, np.dtype[np.bool_]],
    design: Numbers,
    names: list[str],
    fitted: Numbers,
) -> pd.DataFrame:
    without = np.where(np.isin(names, ["level", "trend"]), 0.0, fitted)
    given = values.astype("Int64")
    return pd.DataFrame(
        {
            "value": given,
            "exposure": over,
            "rate": given.to_numpy("float64", na_value=np.nan) / over,
            "fitted": np.exp(design @ fitted),
            "expected": np.exp(design @ without),
            "is_after": after,
        },
        index=values.index,
    )


def _remarks(residual: Numbers, dispersion: float, season: bool, missing: int, compared: bool) -> tuple[str, ...]:
    said = []
    if not compared:
        said.append("Without a comparison area, anything else that changed at that time looks like an effect.")
    if not season:
        said.append(f"The season is not taken out: that takes {SEASON} months before the change.")
    if missing:
        said.append(f"{missing} unknown {'month is' if missing == 1 else 'months are'} left out.")
    if dispersion > 1:
        said.append(f"Months vary {dispersion:.1f} times as much as by chance, and the interval allows for that.")
    alike = float((residual[1:] * residual[:-1]).sum() / (residual**2).sum()) if (residual**2).sum() else 0.0
    if alike > 2 / np.sqrt(len(residual)):
        said.append("Neighboring months are alike beyond the model, so the interval is too narrow.")
    return tuple(said)
