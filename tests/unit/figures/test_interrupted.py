"""An interrupted time series agrees with the published one and with plain NumPy, and refuses what cannot be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures.stats.interrupted import Effect, interrupted
from viputils.figures.stats.intervals import Interval, ratio_text

# J. Lopez Bernal, S. Cummins and A. Gasparrini, International Journal of Epidemiology 46 (2017): admissions for acute
# coronary events in Sicily from January 2002, before and after the ban on smoking of January 2005, and people.
ADMISSIONS = [
    *(728, 659, 791, 734, 757, 726, 760, 740, 720, 814, 795, 858, 887, 766, 851, 769, 781, 756, 766, 752, 765, 831),
    *(879, 928, 914, 808, 937, 840, 916, 828, 845, 818, 860, 839, 887, 886, 831, 796, 833, 820, 877, 758, 767, 738),
    *(781, 843, 850, 908, 1021, 859, 976, 888, 962, 838, 810, 876, 843, 936, 912),
]
PEOPLE = [
    *(379875.3, 376495.5, 377040.8, 377116.4, 377383.4, 374113.1, 379513.3, 376295.5, 374653.2, 378485.6, 375955.5),
    *(378349.7, 376762.4, 379032.3, 379360.4, 376162, 377972.4, 381830.7, 379888.6, 380872.2, 380966.9, 381240.4),
    *(382104.9, 381802.7, 381656.3, 383680, 383504.2, 386462.9, 383783.1, 380836.8, 383483, 380906.2, 382926.8),
    *(384052.4, 384449.6, 383428.4, 388153.2, 388373.2, 386470.1, 386033.2, 383686.4, 385509.3, 385901.9, 386516.6),
    *(388436.5, 383255.2, 390148.7, 385874.9, 391613.6, 391750.4, 394005.6, 391364.9, 391664.6, 389022.3, 391878.5),
    *(388575.3, 392989, 390018.8, 390712.3),
]
MONTHS = pd.period_range("2002-01", "2006-11", freq="M")
BAN = pd.Period("2005-01")
Numbers = np.ndarray[Any, np.dtype[np.float64]]


def counts(values: Any) -> pd.Series:
    return pd.Series(values, MONTHS[: len(values)], dtype="Int64")


def poisson_regression(design: Numbers, values: Numbers, offset: Numbers) -> tuple[Numbers, Numbers, float]:
    """Return the estimates, their standard errors and the dispersion, by Fisher scoring in plain NumPy."""
    estimate = np.zeros(design.shape[1])
    estimate[0] = np.log(values.sum() / np.exp(offset).sum())
    for _ in range(50):
        mean = np.exp(design @ estimate + offset)
        estimate = estimate + np.linalg.solve(design.T @ (design * mean[:, None]), design.T @ (values - mean))
    mean = np.exp(design @ estimate + offset)
    dispersion = float(((values - mean) ** 2 / mean).sum() / (len(values) - design.shape[1]))
    variance = np.linalg.inv(design.T @ (design * mean[:, None])) * max(dispersion, 1)
    return estimate, np.sqrt(np.diag(variance)), dispersion


def test_the_effect_of_the_ban_is_the_published_one() -> None:
    # The tutorial prints a decrease of 11 percent, with the trend and without the season.
    found = interrupted(counts(ADMISSIONS), BAN, exposure=pd.Series(PEOPLE, MONTHS), season=False)
    assert round(found.level.ratio, 2) == 0.89
    assert found.level.interval.high < 1
    assert found.reading.startswith("The level is lower since then: the ratio is 0.89 (from 0.84 to 0.95).")
    # 2.00 is the 97.5th percentile of the t distribution with 56 degrees of freedom.
    time, ban = np.arange(59.0), (np.arange(59) >= 36).astype("float64")
    design = np.column_stack([np.ones(59), time, ban])
    estimate, error, dispersion = poisson_regression(design, np.array(ADMISSIONS, "float64"), np.log(PEOPLE))
    assert found.dispersion == pytest.approx(dispersion)
    assert found.level.ratio == pytest.approx(np.exp(estimate[2]))
    assert found.level.interval == pytest.approx(np.exp(estimate[2] + np.array([-1, 1]) * 2.0032 * error[2]), rel=1e-4)


def test_a_season_and_a_change_of_the_trend_are_terms_of_the_model() -> None:
    found = interrupted(counts(ADMISSIONS), BAN, exposure=pd.Series(PEOPLE, MONTHS), trend_change=True)
    time, ban = np.arange(59.0), (np.arange(59) >= 36).astype("float64")
    waves = [side(2 * np.pi * wave * (time % 12 + 1) / 12) for wave in (1, 2) for side in (np.sin, np.cos)]
    design = np.column_stack([np.ones(59), time, ban, ban * (time - 36), *waves])
    estimate, _, dispersion = poisson_regression(design, np.array(ADMISSIONS, "float64"), np.log(PEOPLE))
    assert found.trend is not None
    assert (found.level.ratio, found.trend.ratio) == pytest.approx(tuple(np.exp(estimate[2:4])))
    assert found.dispersion == pytest.approx(dispersion)


def test_what_changed_in_the_comparison_area_too_is_no_effect() -> None:
    # Both areas fall by half, so there is no effect beside the comparison. Alone it would look like one.
    before, after = [40, 44, 36, 42, 38, 40] * 2, [20, 22, 18, 21, 19, 20]
    values, other = counts(before + after), counts([2 * one for one in before + after])
    since = MONTHS[12]
    alone = interrupted(values, since)
    assert alone.level.interval.high < 1
    assert "Without a comparison area" in " ".join(alone.remarks)
    beside = interrupted(values, since, comparison=other)
    assert beside.level.ratio == pytest.approx(1)
    assert 1 in beside.level.interval
    assert "do not show a change" in beside.reading
    assert not any("comparison" in one for one in beside.remarks)


def test_a_rise_that_is_smaller_than_that_of_the_comparison_is_not_called_lower_than_before() -> None:
    # A rise of 22 percent beside a doubling: 1.22 / 2 is 0.61.
    found = interrupted(counts([100] * 24 + [122] * 12), MONTHS[24], comparison=counts([100] * 24 + [200] * 12))
    assert found.level.ratio == pytest.approx(0.61)
    assert found.reading.startswith(
        "The level is lower than the comparison areas lead one to expect: the ratio is 0.61"
    )


def test_a_change_of_the_trend_is_in_the_reading() -> None:
    # As many as before at first, and then 5 percent fewer with each month.
    found = interrupted(
        counts([400] * 24 + [round(400 * 0.95**month) for month in range(18)]), MONTHS[24], trend_change=True
    )
    level, trend = found.reading.split(". ")
    assert level.startswith("The counts do not show a change of the level: the ratio is 1.00")
    assert trend.startswith("The trend is lower since then: the ratio is 0.95 (from 0.94 to 0.96) with each month.")
    steady = interrupted(counts([400] * 36), MONTHS[24], trend_change=True)
    assert "The counts do not show a change of the trend" in steady.reading


def test_a_limit_close_to_one_shows_on_which_side_it_is() -> None:
    assert str(Effect(0.98, Interval(0.964, 0.996))) == "0.98 (from 0.96 to 0.996)"
    assert ratio_text(1.0) == "1.00"


def test_the_expected_course_is_that_without_the_change() -> None:
    found = interrupted(counts([30] * 12 + [15] * 6), MONTHS[12])
    assert found.points["expected"].tolist() == pytest.approx([30] * 18)
    assert found.points["fitted"].iloc[-1] == pytest.approx(15)
    assert found.level.ratio == pytest.approx(0.5)


def test_months_of_the_report_are_months(recwarn: pytest.WarningsRecorder) -> None:
    first = ReportMonth(2021, 1)
    values = pd.Series([30] * 24 + [15] * 6, [first.plus(place) for place in range(30)], dtype="Int64")
    values.iloc[3] = None
    found = interrupted(values, ReportMonth(2023, 1))
    assert found.level.ratio == pytest.approx(0.5, rel=0.05)
    assert "1 unknown month is left out." in found.remarks
    found.plot()
    assert not recwarn.list


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "since", "said"),
    [
        ([], BAN, "is not in the data"),
        ([5], MONTHS[0], "0 months are known before the change; at least 12 are needed."),
        ([5] * 12 + [4] * 2, MONTHS[12], "2 months are known since the change; at least 3 are needed."),
        ([0] * 24, MONTHS[12], "there is less than one event a month before the change;"),
        ([9] * 12 + [0] * 6, MONTHS[12], "there is less than one event a month since the change;"),
        ([9] * 12 + [-1] * 6, MONTHS[12], "a count is negative;"),
        ([pd.NA] * 24, MONTHS[12], "0 months are known before the change;"),
        ([9] * 24, BAN, "2005-01 is not in the data; choose a month from 2002-01 to 2003-12."),
    ],
)
def test_what_cannot_be_told_is_said_in_one_sentence(values: list[Any], since: Any, said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        interrupted(counts(values), since)
    assert said in str(refused.value)


def test_an_exposure_of_nobody_is_refused() -> None:
    with pytest.raises(ParameterError, match="cannot be judged") as refused:
        interrupted(counts([9] * 24), MONTHS[12], exposure=pd.Series([0] * 24, MONTHS[:24]))
    assert "exposure: is 0 or missing in a month;" in str(refused.value)
