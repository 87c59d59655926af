"""Lasting changes are found at their month and with their levels, and chance, a season or one odd month is none."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from viputils.core.errors import ParameterError
from viputils.figures.stats.shifts import BEFORE, Course, course


def course_of(*counts: float | None) -> Course:
    return course(pd.Series(counts, dtype="Int64"))


def poisson(rates: np.ndarray, number: int, seed: int = 1) -> list[Course]:
    """The courses of some histories by chance, with these rates."""
    drawn = np.random.default_rng(seed).poisson(rates, (number, len(rates)))
    return [course_of(*each) for each in drawn.tolist()]


def test_a_doubling_is_found_at_its_month_with_both_levels() -> None:
    counts = [19, 22, 20, 18, 21, 20, 23, 17, 20, 21, 19, 20, 41, 38, 42, 40]
    shift = course_of(*counts).shift
    assert shift is not None
    assert (shift.since, shift.before, shift.after) == (12, 20.0, 40.25)
    assert 1 < shift.ratio.low < 2 < shift.ratio.high


def test_a_drop_is_found_with_a_range_below_one() -> None:
    shift = course_of(*[40] * 14, *[20] * 6).shift
    assert shift is not None
    assert shift.since == 14
    assert 0 < shift.ratio.low < 0.5 < shift.ratio.high < 1


def test_one_odd_month_is_no_lasting_change() -> None:
    assert course_of(*[20] * 20, 60).shift is None
    assert course_of(*[20] * 18, 60, 20, 20).shift is None


def test_a_season_is_no_lasting_change_but_a_doubling_within_it_is() -> None:
    season = np.array([60 * (1 + 0.2 * math.sin(math.pi * at / 6)) for at in range(42)])
    assert course_of(*season.round().tolist()).shift is None
    changed = np.where(np.arange(42) >= 38, 2 * season, season)
    shift = course_of(*changed.round().tolist()).shift
    assert shift is not None
    assert shift.since == 38


def test_a_slow_trend_is_no_lasting_change() -> None:
    assert course_of(*(round(60 * 1.1 ** (at / 12)) for at in range(30))).shift is None


def test_a_rise_that_has_ended_is_two_changes_and_the_latest_is_told() -> None:
    found = course_of(*[60] * 14, *[120] * 6, *[60] * 5)
    assert [(shift.since, shift.before, shift.after) for shift in found.shifts] == [(14, 60, 120), (20, 120, 60)]
    assert found.shift == found.shifts[-1]


def test_an_unknown_month_is_left_out_and_the_months_beside_it_keep_their_names() -> None:
    counts = pd.Series([20] * 7 + [None] + [20] * 8 + [45] * 4, index=[f"m{at}" for at in range(20)], dtype="Int64")
    shift = course(counts).shift
    assert shift is not None
    assert (shift.since, shift.before, shift.after) == ("m16", 20.0, 45.0)


def test_with_too_few_months_or_too_small_counts_no_change_is_found() -> None:
    assert course_of(*[20] * (BEFORE - 1), 60, 60).shift is None
    assert course_of(*[0] * 14, *[2] * 6) == Course([], 1.0)
    assert course_of() == Course([], 1.0)


def test_a_change_from_none_has_no_upper_bound() -> None:
    shift = course_of(*[0] * 14, *[12] * 6).shift
    assert shift is not None
    assert (shift.before, shift.ratio.high) == (0, math.inf)


def test_the_dispersion_is_that_of_chance_if_chance_explains_the_counts_and_more_if_not() -> None:
    alone = poisson(np.full(24, 20.0), 60)
    assert sum(one.dispersion == 1 for one in alone) > 50
    random = np.random.default_rng(2)
    varied = [course_of(*each) for each in random.poisson(random.gamma(10, 2, (60, 36))).tolist()]
    # The variance is three times the mean.
    assert 2 < np.mean([one.dispersion for one in varied]) < 4
    assert course_of(*[20] * 14, *[40] * 8).dispersion == 1, "a change of the level is no dispersion"


def test_the_range_of_a_change_has_the_true_change_about_as_often_as_it_states() -> None:
    found = [one.shift for one in poisson(np.array([40.0] * 24 + [80.0] * 6), 200)]
    told = [one for one in found if one is not None]
    assert len(told) >= 198
    assert np.mean([one.ratio.low <= 2 <= one.ratio.high for one in told]) >= 0.92


def test_the_same_counts_have_the_same_course_however_often() -> None:
    counts = [19, 22, 20, 18, 21, 20, 23, 17, 20, 21, 19, 20, 41, 38, 42, 40]
    assert course_of(*counts) == course_of(*counts)


def test_a_count_below_zero_is_an_error() -> None:
    with pytest.raises(ParameterError, match="course"):
        course_of(*[20] * 14, -1)
