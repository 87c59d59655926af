"""Intervals agree with published tables, and hold as often as they say."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from viputils.core.errors import ParameterError
from viputils.figures.stats.intervals import Interval, are_even, chance_limits, future, median, poisson, ratio, wilson

TAILS = st.sampled_from([0.00135, 0.00135 / 11, 0.02275, 0.15866]) | st.floats(1e-6, 0.49)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # E. S. Pearson and H. O. Hartley, Biometrika Tables for Statisticians, vol. 1 (1966), table 40.
    [(0, 0.0, 3.69), (1, 0.0253, 5.57), (5, 1.62, 11.67), (10, 4.80, 18.39), (20, 12.22, 30.89), (50, 37.11, 65.92)],
)
def test_the_interval_of_a_count_is_that_of_the_biometrika_tables(count: int, low: float, high: float) -> None:
    assert poisson(count) == pytest.approx(Interval(low, high), abs=0.006)


def test_the_interval_of_a_rate_is_that_of_the_count_by_the_exposure() -> None:
    assert poisson(10, 4) == pytest.approx([bound / 4 for bound in poisson(10)])


def test_the_interval_of_a_ratio_is_that_of_the_rateratio_test() -> None:
    # M. P. Fay, Testing the Ratio of Two Poisson Rates, vignette of the R package rateratio.test (2022), section 1.
    assert ratio(2, 9, 17877, 16660) == pytest.approx(Interval(0.02177406, 1.00054910), abs=1e-7)


def test_a_ratio_to_nothing_has_no_upper_bound_and_one_of_nothing_no_lower() -> None:
    assert ratio(5, 0) == (pytest.approx(1 / ratio(0, 5)[1]), math.inf)  # type: ignore[index]
    assert ratio(0, 5).low == 0  # type: ignore[union-attr]
    assert ratio(0, 0) is None


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    # R. Newcombe, Statistics in Medicine 17 (1998), pages 857 to 872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_that_of_newcombe(successes: int, total: int, low: float, high: float) -> None:
    assert wilson(successes, total) == pytest.approx(Interval(low, high), abs=0.00006)


def test_nobody_has_no_share() -> None:
    assert wilson(0, 0) is None


def test_a_share_of_all_reaches_one_and_not_beyond() -> None:
    found = wilson(20, 20)
    assert found is not None
    assert found.high == 1
    assert found.low == pytest.approx(1 - 0.1611, abs=0.00006)


@pytest.mark.parametrize("rate", [0.3, 1, 2.5, 7, 20])
@pytest.mark.parametrize(("exposure", "ahead"), [(5, 1), (5, 7), (12, 1), (1, 1)])
def test_what_comes_lies_in_its_interval_at_least_as_often_as_it_says(
    rate: float, exposure: float, ahead: float
) -> None:
    seen = range(int(stats.poisson.ppf(1 - 1e-9, rate * exposure)) + 1)
    holds = 0.0
    for count in seen:
        low, high = future(count, exposure, ahead)
        inside = stats.poisson.cdf(high, rate * ahead) - stats.poisson.cdf(low - 1, rate * ahead)
        holds += stats.poisson.pmf(count, rate * exposure) * inside
    assert holds >= 0.95 - 1e-8


@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from([0.8, 0.95, 0.99]))
def test_every_interval_holds_what_was_seen(count: int, base: int, level: float) -> None:
    assert count in poisson(count, level=level)
    found = ratio(count, base, level=level)
    if found is not None:
        assert (count / base if base else math.inf) in found
    share = wilson(count, count + base, level=level)
    assert share is None or share.low - 1e-12 <= count / (count + base) <= share.high + 1e-12


@given(st.floats(0, 400), st.sampled_from([0.00135, 0.025]))
def test_a_count_falls_outside_its_limits_no_more_often_than_they_say(mean: float, tail: float) -> None:
    low, high = chance_limits(mean, tail)
    assert stats.poisson.cdf(low - 1, mean) <= tail
    assert stats.poisson.sf(high, mean) <= tail


@given(st.floats(-4, 4).map(lambda power: 10**power), TAILS)
def test_limits_and_medians_are_the_quantiles_that_scipy_gives(mean: float, tail: float) -> None:
    assert chance_limits(mean, tail) == tuple(stats.poisson.ppf([tail, 1 - tail], mean))
    assert median(mean) == stats.poisson.ppf(0.5, mean)


@given(st.integers(0, 3000), st.floats(0.1, 400), st.floats(0.1, 50), TAILS)
def test_what_comes_is_between_the_quantiles_that_scipy_gives(
    count: int, exposure: float, ahead: float, tail: float
) -> None:
    share, level = exposure / (exposure + ahead), 1 - 2 * tail
    low = stats.nbinom.ppf((1 - level) / 2, count, share) if count else 0
    assert future(count, exposure, ahead, level) == (low, stats.nbinom.ppf(1 - (1 - level) / 2, count + 1, share))


@given(st.integers(0, 500), st.integers(0, 500), TAILS)
def test_the_interval_of_a_ratio_is_that_of_the_exact_binomial_test(count: int, base: int, tail: float) -> None:
    assume(count + base)
    share = stats.binomtest(count, count + base).proportion_ci(1 - 2 * tail, method="exact")
    found = ratio(count, base, level=1 - 2 * tail)
    assert found is not None
    # The test looks for its bounds step by step, and stops within a few in 10 to the 12.
    shares = [part / (1 + part) if part < math.inf else 1 for part in found]
    assert shares == pytest.approx([share.low, share.high], abs=1e-9)


@pytest.mark.parametrize("mean", [0.7, 4, 33.3, 500])
def test_a_count_whose_chance_is_just_that_of_the_limit_lies_within_it(mean: float) -> None:
    for count in range(int(mean) + 1):
        tail = float(stats.poisson.cdf(count, mean))
        if 1e-9 < tail < 0.5:
            assert chance_limits(mean, tail).low == count


@given(st.lists(st.integers(5, 25), min_size=2, max_size=30))
def test_counts_are_even_down_to_the_chance_that_the_chi_square_test_gives(counts: list[int]) -> None:
    expected = [sum(counts) / len(counts)] * len(counts)
    chance = float(stats.chisquare(counts, expected).pvalue)
    assert are_even(counts, expected, chance * (1 - 1e-9))
    assert not are_even(counts, expected, chance * (1 + 1e-9))


def test_what_cannot_be_is_refused_and_every_fault_is_named() -> None:
    with pytest.raises(ParameterError) as refused:
        poisson(-1, 0, 1.5)
    assert len(refused.value.problems) == 3
    with pytest.raises(ParameterError, match="more than the total"):
        wilson(3, 2)
    with pytest.raises(ParameterError):
        ratio(1, 1, 1, -1)
    with pytest.raises(ParameterError):
        future(1, 5, 0)
    with pytest.raises(ParameterError):
        chance_limits(3, 0.5)
