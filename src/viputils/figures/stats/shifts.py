"""Lasting changes of monthly counts: since which month the level is higher or lower than before.

Each month is a candidate. We compare how well the counts fit a step at that month with how well they fit no step. Both
models have a season, a slow trend, and a variance that can be larger than chance makes it, in neighboring months alike.
So counts that only follow the season are no step. What a short history cannot show is bounded by a prior, and the
posterior averages over it. Counts are compared on the scale of F. Anscombe (The transformation of Poisson, binomial and
negative-binomial data, Biometrika 35, 1948), on which chance has the variance 1. Comparing models by Bayes factors:
R. Kass and A. Raftery, Journal of the American Statistical Association 90 (1995).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from viputils.core.errors import ParameterError, Problem
from viputils.figures.stats.control_charts import Numbers
from viputils.figures.stats.intervals import ERRORS, Interval

# The most months that are read. Older months reflect other conditions.
LONGEST: Final = 48
# The fewest months before a change and since it.
BEFORE: Final = 12
SINCE: Final = 2
# Below this average, counts are too small for the scale on which they are compared.
SMALL: Final = 2.0
# The most changes of one history.
_MOST: Final = 3

# What we assume before we see counts, as standard deviations of the logarithm of the level. Each season is a wave of
# twelve months, and one of six. A history has a weak season or a strong one.
_SEASONS: Final = ((0.03, 0.5), (0.18, 0.5))
_HALF_YEAR: Final = 0.05
_TREND: Final = 0.08
_STEP: Final = 0.5
# The variance beyond that of chance, in units of the mean, with its probability.
_EXCESS: Final = ((0.0, 0.5), (0.5, 0.125), (1.0, 0.125), (2.0, 0.125), (4.0, 0.1), (10.0, 0.025))
# The correlation of that variance from one month to the next.
_CORRELATION: Final = 0.7
# One month apart from the others explains less than a step does. It is half as likely as no change.
_PULSES: Final = 12
_PULSE: Final = 0.5
# A step must be this many times as likely as none: more in a shorter history, and if counts are small. Measured with
# scripts/simulate.py (docs/decisions/0048).
_ODDS: Final = 1.6
_ODDS_MONTHS: Final = 60.0
_FEW: Final = 10.0


@dataclass(frozen=True)
class Shift:
    """A lasting change of the level.

    Attributes
    ----------
    since
        The first period of the new level.
    before, after
        The average of the periods before, back to an earlier change, and of those since.
    ratio
        The 95 percent interval of the new level divided by the old one. Without bound if the old one is 0.
    """

    since: Hashable
    before: float
    after: float
    ratio: Interval


@dataclass(frozen=True)
class Course:
    """The course of monthly counts.

    Attributes
    ----------
    shifts
        The supported lasting changes, the latest last.
    dispersion
        The variance of a month in units of the variance that chance makes, without season and shifts; 1 if
        chance explains the counts well.
    """

    shifts: list[Shift]
    dispersion: float

    @property
    def shift(self) -> Shift | None:
        """The latest lasting change."""
        return self.shifts[-1] if self.shifts else None


class _Scan(NamedTuple):
    """The comparison of steps with none: the logarithm of the odds, and the best step with the error of its size."""

    odds: float
    place: int
    size: float
    error: float
    dispersion: float


def course(counts: pd.Series) -> Course:
    """Return the lasting changes of counts, and how much more they vary than chance.

    Parameters
    ----------
    counts
        One row for each month, in order and without gaps; missing if unknown.

    Raises
    ------
    ParameterError
        If a count is negative.
    """
    newest = counts.iloc[-LONGEST:]
    value: Numbers = np.asarray(newest.astype("Float64").to_numpy("float64", na_value=np.nan))
    if (value < 0).any():
        raise ParameterError("The course cannot be found.", [Problem("counts", "a count must be 0 or more.")])
    known = np.flatnonzero(~np.isnan(value))
    if len(known) < BEFORE or value[known].mean() < SMALL:
        return Course([], 1.0)
    found, dispersion = _steps(known.astype(np.float64), value[known])
    return Course(_shifts(newest.index[known], value[known], found), dispersion)


def _steps(time: Numbers, value: Numbers) -> tuple[list[_Scan], float]:
    """Return the supported steps, each found beside those before it, and the dispersion around them."""
    found: list[_Scan] = []
    needed = math.log(max(_ODDS, _ODDS_MONTHS / len(value)) * max(1.0, _FEW / value.mean()))
    while True:
        scan = _scan(time, value, [one.place for one in found])
        if scan.odds < needed or len(found) == _MOST or abs(scan.size) < ERRORS * scan.error:
            return found, scan.dispersion
        found.append(scan)


def _shifts(index: pd.Index, value: Numbers, found: list[_Scan]) -> list[Shift]:
    """Return steps as changes from the average before to the average since."""
    ordered = sorted(found, key=lambda one: one.place)
    edges = [0, *(one.place for one in ordered), len(value)]
    levels = [float(value[start:end].mean()) for start, end in pairwise(edges)]
    return [
        Shift(index[one.place], before, after, _ratio(one, before))
        for one, (before, after) in zip(ordered, pairwise(levels), strict=True)
    ]


def _ratio(step: _Scan, before: float) -> Interval:
    if not before:
        return Interval(0.0, math.inf)
    root = 2 * math.sqrt(before)
    low, high = (max(0.0, 1 + (step.size + side * ERRORS * step.error) / root) ** 2 for side in (-1, 1))
    return Interval(low, high)


def _scan(time: Numbers, value: Numbers, places: list[int]) -> _Scan:
    """Compare a step at each month with none, beside the steps at ``places``."""
    from scipy import special

    number, mean = len(value), float(value.mean())
    scaled = 2 * np.sqrt(value + 0.375)
    fixed = np.array([np.ones(number), *(_step(number, place) for place in places)]).T
    weights, projected, score = _models(time, mean, scaled, fixed)
    prior = _STEP**2 * mean
    starts = [at for at in range(BEFORE, number - SINCE + 1) if all(abs(at - one) >= SINCE for one in places)]
    pulses, _, _ = _fits(np.eye(number)[:, -_PULSES:], projected, score, prior)
    one_apart = special.logsumexp(weights[:, None] + pulses, axis=1) + math.log(_PULSE / _PULSES)
    none = np.logaddexp(weights, one_apart)
    if not starts:
        return _Scan(-math.inf, 0, 0.0, 1.0, _dispersion(special.softmax(none)))
    fits, size, information = _fits(np.array([_step(number, at) for at in starts]).T, projected, score, prior)
    steps = weights[:, None] + fits - math.log(len(starts))
    dispersion = _dispersion(special.softmax(np.logaddexp(none, special.logsumexp(steps, axis=1))))
    odds = special.logsumexp(steps) - special.logsumexp(none)
    best = int(special.logsumexp(steps, axis=0).argmax())
    share = special.softmax(steps[:, best])
    center = float(share @ size[:, best])
    error = math.sqrt(float(share @ (1 / information[:, best] + (size[:, best] - center) ** 2)))
    return _Scan(float(odds), starts[best], center, error, dispersion)


def _step(number: int, place: int) -> Numbers:
    return (np.arange(number) >= place).astype(np.float64)


def _models(time: Numbers, mean: float, scaled: Numbers, fixed: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return, for each model without a step, its log likelihood, its inverse variance and the scaled residuals.

    The last two are those of restricted maximum likelihood: the fixed effects are taken out.
    """
    apart = np.abs(time[:, None] - time[None, :])
    center = (time - time.mean()) / 12
    slow = _HALF_YEAR**2 * np.cos(np.pi * apart / 3) + _TREND**2 * np.outer(center, center)
    near = _CORRELATION**apart
    variance = np.array(
        [
            np.eye(len(time)) + mean * (slow + wave**2 * np.cos(np.pi * apart / 6)) + excess * near
            for wave, _ in _SEASONS
            for excess, _ in _EXCESS
        ]
    )
    prior = np.log([chance * weight for _, weight in _SEASONS for _, chance in _EXCESS])
    inverse = np.linalg.inv(variance)
    inner = fixed.T @ inverse @ fixed
    projected = inverse - inverse @ fixed @ np.linalg.inv(inner) @ fixed.T @ inverse
    score = projected @ scaled
    weights = prior - (np.linalg.slogdet(variance)[1] + np.linalg.slogdet(inner)[1] + score @ scaled) / 2
    return weights, projected, score


def _fits(columns: Numbers, projected: Numbers, score: Numbers, prior: float) -> tuple[Numbers, Numbers, Numbers]:
    """Return, by model and column, its log Bayes factor, its size and the precision of its size.

    The prior is only for the comparison: it would make a large step smaller than it is.
    """
    along = score @ columns
    information = ((projected @ columns) * columns).sum(1)
    factor = (along**2 / (information + 1 / prior) - np.log1p(prior * information)) / 2
    return factor, along / information, information


def _dispersion(chances: Numbers) -> float:
    """Return 1 if chance is the likeliest explanation, or else the expected dispersion."""
    share = chances.reshape(len(_SEASONS), -1).sum(0)
    if share[0] >= 0.5:
        return 1.0
    return 1 + float(share @ [excess for excess, _ in _EXCESS])
