"""Process behavior charts agree with published ones, and each rule is completed by what it says and nothing less."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from viputils.core.errors import ParameterError
from viputils.figures.stats.control_charts import (
    EIGHT,
    FOUR_OF_FIVE,
    OUTSIDE,
    TAIL,
    TREND,
    TWO_OF_THREE,
    Rule,
    is_even,
    process_chart,
)

# D. C. Montgomery, Introduction to Statistical Quality Control, 6th edition (2009), table 7.7: nonconformities in 26
# samples of 100 printed circuit boards. Center line 19.85; samples 6 and 20 are out of control (example 7.3).
BOARDS = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16, 19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15]
# The same, table 7.10: flaws in ten rolls of dyed cloth, and inspection units in each. Center line 1.42; the process is
# in control (example 7.5, a u-chart whose limits vary).
CLOTH = [14, 12, 20, 11, 7, 10, 21, 16, 19, 23]
UNITS = [10.0, 8.0, 13.0, 10.0, 9.5, 10.0, 12.0, 10.5, 12.0, 12.5]
# L. von Bortkiewicz, Das Gesetz der kleinen Zahlen (1898): soldiers killed by the kick of a horse in 14 corps of the
# Prussian army, by year from 1875 to 1894. The textbook example of counts that chance alone makes differ.
KICKS = [3, 5, 7, 9, 10, 18, 6, 14, 11, 9, 5, 11, 15, 6, 11, 17, 12, 15, 8, 4]


def rules_at(values: Sequence[int | None], place: int = -1, usual: int = 20) -> list[Rule]:
    """The rules that a month completes, after 24 months of which each has the same number."""
    series = pd.Series([usual] * 24 + list(values), dtype="Int64")
    chart = process_chart(series, baseline=range(24))
    return chart.at(series.index[place])


def test_a_chart_of_counts_finds_the_samples_that_montgomery_does() -> None:
    chart = process_chart(pd.Series(BOARDS, index=range(1, 27)))
    assert chart.average == pytest.approx(19.85, abs=0.005)
    outside = [sample for sample in chart.points.index if OUTSIDE in chart.at(sample)]
    assert outside == [6, 20]
    # What is wrong with the process shows in the whole of it too: example 7.3 takes the two samples out.
    assert not chart.is_even
    kept = [sample for sample in range(1, 27) if sample not in (6, 20)]
    without = process_chart(pd.Series(BOARDS, index=range(1, 27)), baseline=kept)
    assert without.average == pytest.approx(19.67, abs=0.005)
    assert [sample for sample in without.points.index if OUTSIDE in without.at(sample)] == [6, 20]


def test_a_chart_of_rates_finds_the_dyed_cloth_in_control_as_montgomery_does() -> None:
    chart = process_chart(pd.Series(CLOTH), pd.Series(UNITS))
    assert chart.average == pytest.approx(1.42, abs=0.005)
    assert chart.signals.empty
    assert chart.is_even
    # More units, narrower limits.
    width = chart.points["high"] - chart.points["low"]
    assert width.idxmin() == 2
    assert width.idxmax() == 1


def test_no_year_of_kicks_by_horses_lies_outside_what_chance_gives() -> None:
    chart = process_chart(pd.Series(KICKS))
    assert sum(KICKS) == 196
    assert chart.signals["rules"].str.contains("1").sum() == 0


def test_kicks_by_corps_and_year_differ_no_more_than_chance_makes_them_and_those_of_all_corps_together_do() -> None:
    # R. A. Fisher, Statistical Methods for Research Workers (1925), section 15: 122 kicks in the ten like corps.
    corps = [deaths for deaths, times in {0: 109, 1: 65, 2: 22, 3: 3, 4: 1}.items() for _ in range(times)]
    assert (len(corps), sum(corps)) == (200, 122)
    assert is_even(pd.Series(corps))
    assert not is_even(pd.Series(KICKS))


def test_one_month_outside_the_limits_is_a_signal_and_one_at_the_limit_is_none() -> None:
    chart = process_chart(pd.Series([20] * 24 + [0]), baseline=range(24))
    low, high = (int(chart.points[column].iloc[-1]) for column in ("low", "high"))
    assert rules_at([high + 1]) == [OUTSIDE]
    assert rules_at([high]) == []
    assert rules_at([low - 1]) == [OUTSIDE]
    assert rules_at([low]) == []


def test_two_of_three_months_near_the_same_limit_are_a_signal() -> None:
    assert rules_at([31, 20, 31]) == [TWO_OF_THREE]
    assert rules_at([31, 20, 9]) == []
    assert rules_at([31, 20, 20, 31]) == []
    # The month that is not near the limit completes nothing.
    assert rules_at([31, 31, 20]) == []


def test_four_of_five_months_well_to_one_side_are_a_signal() -> None:
    assert rules_at([26, 26, 20, 26, 26]) == [FOUR_OF_FIVE]
    assert rules_at([26, 26, 20, 14, 26]) == []


def test_eight_months_on_one_side_of_the_average_are_a_signal_and_one_on_it_ends_the_run() -> None:
    assert rules_at([21] * 8) == [EIGHT]
    assert rules_at([21] * 7) == []
    assert rules_at([21] * 5 + [20] + [21] * 4) == []
    assert rules_at([19] * 8) == [EIGHT]


def test_six_months_each_higher_or_each_lower_are_a_signal() -> None:
    assert rules_at([17, 18, 19, 21, 22, 23], usual=30)[-1] == TREND
    assert TREND in rules_at([15, 16, 17, 18, 21, 22])
    assert TREND not in rules_at([16, 17, 18, 18, 21, 22])
    assert TREND in rules_at([25, 23, 22, 18, 17, 16])


def test_each_rule_has_its_own_side_and_a_trend_the_way_it_goes() -> None:
    falling_above = pd.Series([20] * 24 + [21, 21, 27, 26, 25, 24, 23, 22], dtype="Int64")
    chart = process_chart(falling_above, baseline=range(24))
    assert chart.signals_at(31) == [(EIGHT, "high"), (TREND, "low")]
    assert chart.points["sides"].iloc[-1] == "high low"


def test_months_as_usual_are_on_no_side_though_one_high_month_lifts_the_average_above_them() -> None:
    chart = process_chart(pd.Series([20] * 16 + [23] + [20] * 3), baseline=range(19))
    assert chart.average > 20
    assert chart.signals.empty
    # Of small counts most lie below their average by chance alone: a Poisson count of mean 1.1 is 0 or 1 in 70 of 100.
    small = process_chart(pd.Series([1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), baseline=range(12))
    assert 1 < small.average < 1.1
    assert small.signals.empty


def test_what_is_not_known_of_a_rate_is_missing_and_no_fault() -> None:
    days = pd.Series([31.0] * 12 + [float("nan"), 30.0])
    chart = process_chart(pd.Series([20] * 12 + [None, 21], dtype="Int64"), days)
    assert chart.points["low"].isna().tolist() == [False] * 12 + [True, False]
    assert chart.signals.empty


def test_limits_of_several_charts_that_are_looked_at_together_are_wider() -> None:
    counts = pd.Series([20] * 13)
    alone, one_of_ten = (process_chart(counts, baseline=range(12), tail=tail) for tail in (TAIL, TAIL / 10))
    assert one_of_ten.points["high"].iloc[-1] > alone.points["high"].iloc[-1]
    assert one_of_ten.points["low"].iloc[-1] < alone.points["low"].iloc[-1]


def test_a_missing_month_ends_a_run_and_is_no_month_of_none() -> None:
    assert rules_at([21, 21, 21, 21, None, 21, 21, 21, 21]) == []
    chart = process_chart(pd.Series([20, None, 22], dtype="Int64"))
    assert chart.average == 21
    assert chart.periods == 2


def test_limits_beyond_the_baseline_allow_for_what_few_months_leave_unknown() -> None:
    for months in (12, 24, 120):
        chart = process_chart(pd.Series([20] * (months + 1)), baseline=range(months))
        inside, beyond = chart.points.iloc[0], chart.points.iloc[-1]
        assert beyond["high"] >= inside["high"]
        assert beyond["low"] <= inside["low"]


def test_too_few_months_are_not_enough_and_small_counts_cannot_fall() -> None:
    assert not process_chart(pd.Series([20] * 11)).is_enough
    assert process_chart(pd.Series([20] * 12)).is_enough
    assert not process_chart(pd.Series([5] * 24)).can_fall
    assert process_chart(pd.Series([20] * 24)).can_fall


def test_nothing_is_said_of_no_events_and_of_no_months() -> None:
    none = process_chart(pd.Series([0, 0, 0]))
    assert (none.average, none.is_even, none.signals.empty) == (0, True, True)
    empty = process_chart(pd.Series([], dtype="Int64"))
    assert empty.points.empty
    assert not empty.is_enough


def test_what_cannot_be_is_refused_and_every_fault_is_named() -> None:
    with pytest.raises(ParameterError) as refused:
        process_chart(pd.Series([1, -2]), pd.Series([1.0, 0.0]), baseline=[7])
    assert [problem.where for problem in refused.value.problems] == ["value, 1", "exposure, 1", "baseline"]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40))
def test_limits_and_average_do_not_depend_on_the_order_of_the_baseline(values: list[int]) -> None:
    forwards, backwards = process_chart(pd.Series(values)), process_chart(pd.Series(values[::-1]))
    assert forwards.average == backwards.average
    assert forwards.points["high"].tolist() == backwards.points["high"].tolist()
    assert forwards.points["rules"].str.contains("1").sum() == backwards.points["rules"].str.contains("1").sum()
    assert all(chart.points["low"].le(chart.average).all() for chart in (forwards, backwards))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "There is no chart, because no month that could set its limits is known."),
        ([None] * 5, "There is no chart, because no month that could set its limits is known."),
        ([5], "That is too few: at least 12 months are needed to show what is usual."),
        ([0] * 24, "The counts are too small to show a fall in one month: even 0 would not be unusual."),
        ([5, None, 6] * 8, "The average of the 16 months here is 5.5."),
    ],
)
def test_what_a_chart_cannot_show_is_said_in_one_sentence(values: list[int | None], said: str) -> None:
    chart = process_chart(pd.Series(values, dtype="Int64"))
    assert said in chart.remarks
    if any(value is not None for value in values):
        assert chart.plot().lines
        plt.close("all")
    else:
        with pytest.raises(ParameterError, match="nothing to draw"):
            chart.plot()
