"""Rates of areas have exact intervals and the limits of a funnel plot. Without people there is no rate."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from viputils.core.errors import ParameterError
from viputils.figures.stats.area_rates import area_rates

COUNTS = pd.Series({"North": 40, "South": 10, "East": 30, "West": 0, "Airport": 2, "Hills": 3})
PEOPLE = pd.Series({"North": 20_000, "South": 20_000, "East": 40_000, "West": 1_000, "Airport": 0})


def test_rates_have_their_intervals_and_their_limits() -> None:
    found = area_rates(COUNTS, PEOPLE).set_index("area")
    # 80 events among 81,000 people.
    assert found["overall"].unique().tolist() == pytest.approx([80 / 81_000 * 100_000])
    assert found.loc["North", "rate"] == pytest.approx(200)
    # K. Ulm, American Journal of Epidemiology 131 (1990): Garwood's interval by the chi-square distribution.
    low, high = stats.chi2.ppf(0.025, 80) / 2, stats.chi2.ppf(0.975, 82) / 2
    assert (found.loc["North", "low"], found.loc["North", "high"]) == pytest.approx((low * 5, high * 5))
    # A Poisson count of the mean 80 / 81,000 * 20,000 is seldom above this.
    mean = 80 / 81_000 * 20_000
    assert found.loc["North", "high_998"] == pytest.approx(stats.poisson.ppf(0.999, mean) * 5)
    assert found.loc["South", "low_95"] == pytest.approx(stats.poisson.ppf(0.025, mean) * 5)
    assert found["outside"].to_dict() == {
        "North": "high", "South": "", "East": "", "West": "", "Airport": "", "Hills": "",
    }  # fmt: skip


@pytest.mark.filterwarnings("error")
def test_areas_without_people_have_no_rate_and_say_why() -> None:
    found = area_rates(COUNTS, PEOPLE).set_index("area")
    assert found["note"].to_dict() == {
        "North": "",
        "South": "",
        "East": "",
        "West": "",
        "Airport": "no one lives there",
        "Hills": "the number of people is not known",
    }
    for area in ("Airport", "Hills"):
        assert found.loc[area, ["rate", "low", "high", "low_95", "high_998"]].isna().all()
    # None of a few is a rate of 0, with an interval.
    assert (found.loc["West", "rate"], found.loc["West", "low"]) == (0, 0)
    assert found.loc["West", "high"] == pytest.approx(stats.chi2.ppf(0.975, 2) / 2 * 100)
    assert str(found["rate"].dtype) == "Float64"  # Missing is <NA>, never NaN.
    assert len(found.reset_index().plot().lines) > 3


def test_two_years_have_half_the_yearly_rate() -> None:
    assert (area_rates(COUNTS, PEOPLE, years=2)["rate"] * 2 - area_rates(COUNTS, PEOPLE)["rate"]).abs().max() < 1e-9


@pytest.mark.filterwarnings("error")
def test_no_event_at_all_is_a_rate_of_nothing() -> None:
    found = area_rates(COUNTS * 0, PEOPLE)
    assert found["overall"].eq(0).all()
    assert found["outside"].eq("").all()


@pytest.mark.parametrize(
    ("counts", "people", "said"),
    [
        (COUNTS, PEOPLE * 0, "no area has people;"),
        (COUNTS, -PEOPLE, "people, North: -20000 is negative;"),
        (-COUNTS, PEOPLE, "counts, North: -40 is negative;"),
        (COUNTS, PEOPLE.iloc[:0], "no area has people;"),
    ],
)
def test_what_is_no_population_is_refused(counts: pd.Series, people: pd.Series, said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        area_rates(counts, people)
    assert said in str(refused.value)
