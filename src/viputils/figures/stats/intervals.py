"""Exact intervals for counts: how far chance can move a number.

The distributions are from ``scipy.special``, because ``scipy.stats`` takes most of a second to import. It is imported
only when used, because few commands need it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from viputils.core.errors import ParameterError, Problem

LEVEL: Final = 0.95
# An interval of that level around a normal estimate reaches so many standard errors to each side.
ERRORS: Final = 1.96


class Interval(NamedTuple):
    """From ``low`` to ``high``, both included. ``high`` can be infinite."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


def ratio_text(ratio: float) -> str:
    """Return a ratio with two digits, or three if two would show 1.00 for what is not 1."""
    text = f"{ratio:.2f}"
    return f"{ratio:.3f}" if text == "1.00" and ratio != 1 else text


def poisson(count: int, exposure: float = 1, level: float = LEVEL) -> Interval:
    """Return the exact interval of a rate, given ``count`` events over an ``exposure``.

    Source: F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936).

    Raises
    ------
    ParameterError
        If a count is negative, an exposure is not above 0 or a level is not between 0 and 1.
    """
    from scipy import special

    _require(count=count, exposure=exposure, level=level)
    tail = (1 - level) / 2
    low = special.gammaincinv(count, tail) if count else 0
    return Interval(float(low / exposure), float(special.gammainccinv(count + 1, tail) / exposure))


def ratio(
    count: float, base: float, exposure: float = 1, base_exposure: float = 1, level: float = LEVEL
) -> Interval | None:
    """Return the exact interval of the ratio of two rates, first to second, or None if both counts are 0.

    Given the sum of two counts, the first is binomial: J. Przyborowski and H. Wilenski, Homogeneity of results in
    testing samples from Poisson series, Biometrika 31 (1940); as R's ``poisson.test``.

    Raises
    ------
    ParameterError
        As ``poisson``.
    """
    from scipy import special

    _require(count=count, exposure=exposure, level=level)
    _require(count=base, exposure=base_exposure, level=level)
    if count + base == 0:
        return None
    # C. Clopper and E. Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934), by the beta
    # distribution.
    tail = (1 - level) / 2
    low = float(special.betaincinv(count, base + 1, tail)) if count else 0.0
    high = float(special.betaincinv(count + 1, base, 1 - tail)) if base else 1.0
    odds = [part / (1 - part) if part < 1 else float("inf") for part in (low, high)]
    return Interval(*(base_exposure / exposure * part for part in odds))


def wilson(successes: int, total: int, level: float = LEVEL) -> Interval | None:
    """Return Wilson's interval of a share, ``successes`` of ``total``, or None if the total is 0.

    Source: R. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998).

    Raises
    ------
    ParameterError
        If there are more successes than the total, or as in ``poisson``.
    """
    from scipy import special

    _require(count=successes, exposure=1, level=level)
    if total < successes:
        raise ParameterError(
            "The share cannot be computed.", [Problem("successes", f"{successes} is more than the total, {total}.")]
        )
    if total == 0:
        return None
    share, spread = successes / total, float(special.ndtri((1 + level) / 2)) ** 2 / total
    center = (share + spread / 2) / (1 + spread)
    reach = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return Interval(max(0.0, center - reach), min(1.0, center + reach))


def future(count: float, exposure: float, ahead: float, level: float = LEVEL) -> Interval:
    """Return the prediction interval of a count over a future exposure ``ahead``, if the rate does not change.

    It includes the uncertainty of the rate, estimated from ``count`` events over an ``exposure``, and has at least the
    stated level: W. Nelson, Confidence intervals for the ratio of two Poisson means and Poisson predictor
    intervals, IEEE Transactions on Reliability 19 (1970). ``low`` and ``high`` are whole numbers.

    Raises
    ------
    ParameterError
        As ``poisson``.
    """
    from scipy import special

    _require(count=count, exposure=exposure, level=level)
    _require(count=count, exposure=ahead, level=level)
    share, tail = exposure / (exposure + ahead), (1 - level) / 2

    def quantile(chance: float, successes: float) -> float:
        near = special.nbdtrik(chance, successes, share)
        return _whole(near, chance, lambda to: special.betainc(successes, to + 1, share))

    return Interval(quantile(tail, count) if count else 0.0, quantile(1 - tail, count + 1))


def chance_limits(mean: float, tail: float) -> Interval:
    """Return the limits that a Poisson count goes below, or above, with a chance of at most ``tail`` each.

    Raises
    ------
    ParameterError
        If the mean is negative or the tail is not between 0 and one half.
    """
    _require(count=mean, exposure=1, level=1 - 2 * tail)
    if mean == 0:
        return Interval(0.0, 0.0)
    return Interval(_poisson_quantile(tail, mean), _poisson_quantile(1 - tail, mean))


def median(mean: float) -> float:
    """Return the median of a Poisson distribution.

    Raises
    ------
    ParameterError
        If the mean is negative.
    """
    if not mean > 0:
        _require(count=mean, exposure=1, level=LEVEL)
        return 0.0
    return _poisson_quantile(0.5, mean)


def are_even(counts: Sequence[float], expected: Sequence[float], chance: float) -> bool:
    """Return whether chance makes counts this different from the expected ones with at least the given chance.

    Source: K. Pearson's test, Philosophical Magazine 50 (1900). Both have the same sum.

    Parameters
    ----------
    counts, expected
        The counts and the expected counts of the same periods. Expected counts are above 0.
    chance
        Between 0 and 1.
    """
    from scipy import special

    distance = sum((count - usual) ** 2 / usual for count, usual in zip(counts, expected, strict=True))
    return bool(special.chdtrc(len(counts) - 1, distance) >= chance)


def _poisson_quantile(chance: float, mean: float) -> float:
    from scipy import special

    return _whole(special.pdtrik(chance, mean), chance, lambda to: special.pdtr(to, mean))


def _whole(near: float, chance: float, up_to: Callable[[float], float]) -> float:
    """Return the smallest whole number whose cumulative chance reaches ``chance``, close to ``near``."""
    number = max(math.ceil(near), 0)
    # The inverse is exact except for rounding.
    return float(number - 1 if number and up_to(number - 1) >= chance else number)


def _require(count: float, exposure: float, level: float) -> None:
    problems = []
    if not 0 <= count < float("inf"):
        problems.append(Problem("count", f"{count} is not a number of events;", "it must be 0 or more."))
    if not 0 < exposure < float("inf"):
        problems.append(Problem("exposure", f"{exposure} is invalid;", "it must be more than 0."))
    if not 0 < level < 1:
        problems.append(Problem("level", f"{level} is not a confidence level;", "it must be between 0 and 1."))
    if problems:
        raise ParameterError("The interval cannot be computed.", problems)
