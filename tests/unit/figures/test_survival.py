"""Curves, medians and the log-rank test agree with published results, and say in one sentence what they cannot tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viputils.core.errors import ParameterError
from viputils.figures.stats.survival import curves, log_rank, medians

# E. Freireich et al., Blood 21 (1963): weeks of remission with a drug and with a placebo, as in the textbooks.
_DRUG = [6, 6, 6, 7, 10, 13, 16, 22, 23]
_DRUG_CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
_PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
DAYS = pd.Series([*_DRUG, *_DRUG_CENSORED, *_PLACEBO])
HAPPENED = pd.Series([True] * 9 + [False] * 12 + [True] * 21)
GROUPS = pd.Series(["drug"] * 21 + ["placebo"] * 21)


def test_medians_and_their_intervals_are_those_of_the_textbook() -> None:
    # SAS, PROC LIFETEST (log-log): 23 from 13 without an upper bound, and 8 from 4 to 11.
    drug, placebo = medians(DAYS, HAPPENED, GROUPS).to_dict("records")
    assert [drug[name] for name in ("group", "people", "happened", "median", "low")] == ["drug", 21, 9, 23, 13]
    assert drug["high"] is None  # As to_dict returns what is missing.
    assert [placebo[name] for name in ("people", "happened", "median", "low", "high")] == [21, 21, 8, 4, 11]
    assert placebo["reading"] == "Half had it by day 8 (95% interval: day 4 to 11)."
    assert drug["reading"] == "Half had it by day 23 (95% interval: day 13 or later)."


def test_the_log_rank_test_is_that_of_the_textbook() -> None:
    # D. Kleinbaum and M. Klein, Survival Analysis: 16.79 on 1 degree of freedom, expected 19.3 and 10.7.
    found = log_rank(DAYS, HAPPENED, GROUPS)
    assert round(found.chi2, 2) == 16.79
    assert found.freedom == 1
    assert found.groups["expected"].round(1).to_dict() == {"drug": 19.3, "placebo": 10.7}
    assert str(found) == "The groups differ more than by chance (log-rank test, p < 0.001)."


def test_the_log_rank_test_is_that_of_r() -> None:
    # R's survdiff on the example of Boston University's course on survival analysis: 6.9160, p = 0.008543.
    days = pd.Series([8, 12, 26, 14, 21, 27, 8, 32, 20, 40, 33, 28, 41, 48, 48, 25, 37, 48, 25, 43])
    happened = pd.Series([True] * 6 + [False] * 4 + [True] * 3 + [False] * 7)
    found = log_rank(days, happened, pd.Series([1] * 10 + [2] * 10))
    assert round(found.chi2, 4) == 6.916
    assert round(found.p, 6) == 0.008543


def test_curves_of_groups_are_those_of_each_group_alone() -> None:
    both = curves(DAYS, HAPPENED, GROUPS)
    for name in ("drug", "placebo"):
        here = GROUPS.eq(name)
        alone = curves(DAYS[here], HAPPENED[here])
        pd.testing.assert_frame_equal(
            both.loc[both["group"].eq(name)].drop(columns="group").reset_index(drop=True), alone
        )
    # By hand: of 21 people three had it in week 6, and of 17 who were left one in week 7.
    assert both["share"].iloc[:2].to_numpy() == pytest.approx([3 / 21, 1 - 18 / 21 * 16 / 17])
    # Of the last group everyone had it, so its curve ends at 1, and has no interval there.
    assert both["share"].iloc[-1] == pytest.approx(1)
    assert np.isnan(both["low"].iloc[-1])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("days", "happened", "median", "said"),
    [
        ([], [], None, ""),
        ([5], [True], 5, "Half had it by day 5 (too few people for an interval)."),
        ([5], [False], None, "Fewer than half had it while they were observed, so there is no median."),
        ([0, 0, 0], [True, True, True], 0, "Half had it by day 0 (too few people for an interval)."),
        ([3, 9, 9, 9], [True, False, False, False], None, "Fewer than half had it while they were observed"),
    ],
)
def test_too_few_people_have_no_median_and_no_warning(
    days: list[int], happened: list[bool], median: int | None, said: str
) -> None:
    found = medians(pd.Series(days, dtype="int64"), pd.Series(happened, dtype="bool"))
    assert len(found) == (1 if days else 0)
    assert len(curves(pd.Series(days, dtype="int64"), pd.Series(happened, dtype="bool"))) == int(any(happened))
    if days:
        assert said in found["reading"][0]
        assert (None if pd.isna(found["median"][0]) else found["median"][0]) == median


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("days", "happened", "groups", "said"),
    [
        ([], [], [], "No comparison: there are fewer than two groups."),
        ([1, 2], [True, True], ["a", "a"], "No comparison: there are fewer than two groups."),
        ([1, 2], [False, False], ["a", "b"], "No comparison: it has not happened to anyone yet."),
        ([1, 9, 9], [False, True, True], ["a", "b", "b"], "No comparison: a group was not observed long enough."),
        ([4, 4, 9], [True, True, True], ["a", "b", "b"], "Groups of fewer than 5 people: a, b."),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_sentence(
    days: list[int], happened: list[bool], groups: list[str], said: str
) -> None:
    found = log_rank(pd.Series(days, dtype="int64"), pd.Series(happened, dtype="bool"), pd.Series(groups, dtype="str"))
    assert said in found.reading


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(ParameterError, match="cannot be compared"):
        curves(pd.Series([3, -1]), pd.Series([True, True]))
