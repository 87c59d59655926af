"""The assessment of a month: each claim is made only if it is earned, and none hides another."""

from __future__ import annotations

import runpy
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from tests.support.projects import REPOSITORY
from viputils.core.months import ReportMonth
from viputils.figures.assessment import Assessment, chart_of, judge
from viputils.figures.stats.control_charts import process_chart
from viputils.figures.stats.intervals import ratio

FIRST = ReportMonth(2021, 7)


def assessed(counts: Sequence[int], **parts: Sequence[int]) -> Assessment:
    """The assessment of the last month of counts from July 2021 on."""
    index = [FIRST.plus(at) for at in range(len(counts))]
    table = pd.DataFrame({name: pd.Series(values, index=index, dtype="Int64") for name, values in parts.items()})
    return judge("counts", pd.Series(counts, index=index, dtype="Int64"), {"by": table} if parts else {}, 7)


# Counts as chance makes them.
CHANCE = [72, 67, 66, 57, 53, 53, 52, 54, 71, 72, 69, 59, 55, 59, 60, 56]


def test_if_chance_explains_the_months_the_limits_are_those_of_chance() -> None:
    found = assessed([*CHANCE, 90])
    series = pd.Series([*CHANCE, 90], dtype="Int64")
    alone = process_chart(series, baseline=range(16)).points.iloc[-1]
    assert (found.whole.low, found.whole.high) == (alone["low"], alone["high"])
    assert found.whole.verdict == "higher"


def test_months_that_vary_more_have_wider_limits() -> None:
    varied = [40, 80] * 8
    found = assessed([*varied, 90])
    alone = process_chart(pd.Series([*varied, 90]), baseline=range(16)).points.iloc[-1]
    assert found.whole.can_tell
    assert found.whole.low < alone["low"] < alone["high"] < found.whole.high
    assert found.whole.verdict == "no telling"


@pytest.mark.parametrize(
    "counts", [[*CHANCE, 90], [20] * 12 + [40] * 5, [60] * 14 + [120] * 6 + [60] * 5, [30, 60] * 9]
)
def test_the_chart_has_the_limits_of_the_sentence_and_an_average_for_each_level(counts: list[int]) -> None:
    found = assessed(counts)
    points = found.chart.points
    assert list(points["value"]) == counts
    assert (found.whole.low, found.whole.high) == tuple(points[["low", "high"]].iloc[-1])
    assert (points["average"].diff().iloc[1:] != 0).sum() == len(found.shifts)
    assert points["average"].iloc[-1] == found.whole.usual.average


def test_a_month_after_a_change_is_judged_by_the_months_since() -> None:
    assert assessed([20] * 12 + [60] * 6).whole.verdict == "no telling"
    assert assessed([20] * 12 + [60] * 5 + [20]).whole.verdict == "lower"
    assert not assessed([20] * 15 + [60] * 2).whole.can_tell


def test_a_change_that_is_more_than_a_year_old_is_no_news_but_sets_what_is_usual() -> None:
    found = assessed([20] * 14 + [60] * 14)
    assert found.shift is None
    assert found.whole.usual.average == 60


def test_a_doubling_within_the_year_reaches_the_year_to_date() -> None:
    found = assessed([60] * 15 + [120] * 3)
    assert found.year is not None
    assert found.year.verdict == "higher"
    assert found.year.ratio == ratio(540, 360, level=0.995)


def test_months_that_vary_more_need_a_larger_difference_of_the_years() -> None:
    random = np.random.default_rng(3)
    varied = random.poisson(random.gamma(15, 4, 36)).tolist()
    found = assessed(varied)
    assert found.year is not None
    assert found.year.ratio is not None
    exact = ratio(found.year.value, found.year.before, level=0.995)
    assert exact is not None
    assert found.year.ratio.low < exact.low < exact.high < found.year.ratio.high


def test_a_season_does_not_make_two_years_differ() -> None:
    season = [80, 76, 70, 60, 50, 44, 40, 44, 50, 60, 70, 76]
    found = assessed([*season, *season, *season[:4]])
    assert found.year is not None
    assert (found.year.value, found.year.before, found.year.verdict) == (286, 286, "no telling")
    assert found.shift is None


def test_the_year_ends_as_the_shape_of_the_year_before_says() -> None:
    season = [44, 40, 42, 46, 44, 42, 76, 78, 80, 78, 76, 74]
    at_end = assessed([*season, *season, *season[:6]]).pace.at_end
    assert at_end is not None
    assert at_end.low < sum(season) < at_end.high
    assert at_end.low > 2 * sum(season[:6])


def test_the_year_ends_at_the_level_since_a_change() -> None:
    found = assessed([40] * 27 + [80] * 3)
    assert found.shift is not None
    at_end = found.pace.at_end
    assert at_end is not None
    assert at_end.low < 3 * 40 + 9 * 80 < at_end.high
    assert at_end.low > 9 * 40 + 3 * 80


def test_the_year_end_is_unknown_without_the_year_before() -> None:
    assert assessed([40] * 10).pace.at_end is None


def test_a_category_is_judged_with_limits_for_the_number_of_categories() -> None:
    one = assessed([40] * 17, a=[20] * 17)
    two = assessed([40] * 17, a=[20] * 17, b=[20] * 17)
    assert two.parts["by"][0].high > one.parts["by"][0].high


# ---------------------------------------------------------------- How often the report is right, on made histories


@pytest.fixture(scope="module")
def simulate() -> dict[str, object]:
    return runpy.run_path(str(REPOSITORY / "scripts" / "simulate.py"))


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ({}, 3.0),
        ({"dispersion": 2.0}, 5.0),
        ({"season": 0.2}, 4.0),
        ({"season": 0.2, "dispersion": 2.0}, 5.0),
        ({"trend": 0.1}, 5.0),
    ],
)
def test_false_claims_are_rare_whatever_history_has_no_change(
    simulate: dict[str, object], kind: dict[str, float], most: float
) -> None:
    case = simulate["Case"]("quick", 60, 24, **kind)  # type: ignore[operator]
    assert simulate["measured"](case, 150, 1)["any"] <= most  # type: ignore[operator]


@pytest.mark.parametrize(
    ("mean", "times", "lasting", "least"),
    [(60, 2.0, 2, 90), (60, 2.0, 12, 90), (20, 2.0, 2, 65), (20, 2.0, 6, 85), (60, 1.5, 4, 75), (60, 0.5, 4, 85)],
)
def test_a_lasting_change_is_named(
    simulate: dict[str, object], mean: float, times: float, lasting: int, least: float
) -> None:
    case = simulate["Case"]("quick", mean, 24, times=times, lasting=lasting)  # type: ignore[operator]
    assert simulate["measured"](case, 100, 1)["named"] >= least  # type: ignore[operator]


def test_the_estimate_of_the_year_end_is_right_about_as_often_as_it_states(simulate: dict[str, object]) -> None:
    case = simulate["Case"]("quick", 60, 24, season=0.2)  # type: ignore[operator]
    assert 90 <= simulate["measured"](case, 150, 1)["year_end_right"] <= 99  # type: ignore[operator]


def test_after_two_changes_in_two_years_the_end_of_the_year_is_not_estimated() -> None:
    levels = [30] * 28 + [64, 80, 75, 54, 74, 71, 64, 85, 76, 62] + [28, 25, 38]
    found = assessed(levels)
    assert len(found.shifts) == 2
    assert found.pace.at_end is None


def test_a_chart_with_a_step_that_is_no_news_still_shows_the_step() -> None:
    chance = np.random.default_rng(1)
    found = assessed([*chance.poisson(30, 24), *chance.poisson(60, 14)])
    assert found.shift is None
    assert found.step is not None
    assert found.step.before == pytest.approx(30, abs=4)


def test_the_step_is_not_of_months_that_vary_too_much() -> None:
    before = [174, 160, 164, 143, 121, 89, 73, 67, 73, 81, 89, 92, 101, 107, 88, 178, 121, 130, 87, 72, 60, 73]
    found = assessed([*before, 104, 96, 107, 93, 93, 115, 83, 73, 53, 41, 57, 61, 16, 17])
    assert (found.shifts, found.step, found.whole.usual.is_even, found.whole.is_enough) == ([], None, False, True)


def test_a_level_of_which_too_few_months_are_known_has_no_limits_in_the_chart() -> None:
    found = assessed([*[60, 62, 57, 55, 61, 63] * 4, 130, 125])
    assert found.step is not None
    assert not found.chart.is_enough
    assert found.chart.points.loc[found.step.since :, ["low", "high"]].isna().all(axis=None)
    assert found.chart.marked.loc[found.step.since :].empty


def test_the_newest_month_of_a_level_without_limits_completes_no_rule() -> None:
    found = assessed([*[60, 62, 57, 55, 61, 63] * 4, 130, 135, 210])
    assert found.step is not None
    # Notebooks ask for all rules of each month.
    chart = chart_of(found.counts, found.shifts)
    assert [chart.signals_at(month) for month in found.counts.index[-2:]] == [[], []]
