"""Two windows of months: their counts, and the exact interval of the ratio of their rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from tests.support.histories import as_snapshot, with_tables
from tests.support.projects import Deliver
from viputils.audit.as_of import Shelf
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.core.windows import parse_window
from viputils.figures.comparison import Comparison, compare_windows
from viputils.records.clean import Records


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


def with_responses(project: Project, deliver: Deliver, **counts: int) -> Records:
    """The records as of April 2024, with so many domestic incidents on the second day of each month."""
    rows = [
        f"R{month}-{number},{month[1:].replace('_', '-')}-02,DV,SE"
        for month, count in counts.items()
        for number in range(count)
    ]
    deliver("2024-04-03", responses=rows, reviews=["V1,2023-11-07,3,41"])
    shelf = Shelf(project)
    return shelf.records(shelf.deliveries[-1].received)


def compared(records: Records, first: str, second: str) -> Comparison:
    return compare_windows(records, parse_window(first, 7), parse_window(second, 7))


def of_measure(found: Comparison, measure: str, category: str = "") -> pd.Series:
    rows = found.figures
    return rows.loc[rows["measure"].eq(measure) & rows["category"].eq(category)].iloc[0]


def clopper_pearson(count: int, base: int) -> Sequence[float]:
    """The limits of the odds, by SciPy's own interval of a share: it is the ratio of two counts of equal time."""
    found = stats.binomtest(count, count + base).proportion_ci(0.95, method="exact")
    return [round(part / (1 - part), 3) for part in found]


def test_counts_of_two_windows_stand_side_by_side_with_the_exact_interval(project: Project, deliver: Deliver) -> None:
    even = {f"m{month}": 9 for month in pd.period_range("2022-10", "2023-06", freq="M").strftime("%Y_%m")}
    now, before = {"m2023_07": 9, "m2023_08": 10, "m2023_09": 11}, {"m2022_07": 9, "m2022_08": 8, "m2022_09": 8}
    records = with_responses(project, deliver, **even, **now, **before)
    found = compared(records, "2023-07..2023-09", "2022-07..2022-09")
    whole = of_measure(found, "responses")
    assert (whole["first"], whole["second"], whole["change"], whole["percent"]) == (30, 25, 5, 20.0)
    assert whole["ratio"] == 1.2
    assert [whole["low"], whole["high"]] == clopper_pearson(30, 25)
    assert of_measure(found, "responses_by_incident_type", "Homicide")["first"] == 0
    assert not any("length" in note for note in found.notes)


def test_windows_of_different_length_are_compared_by_day_and_have_no_change(project: Project, deliver: Deliver) -> None:
    records = with_responses(project, deliver, m2024_02=29, m2023_02=28, m2023_03=31)
    found = compared(records, "2024-02", "2023-02..2023-03")
    whole = of_measure(found, "responses")
    assert whole["ratio"] == 1, "one a day in both"
    assert pd.isna(whole["change"])
    assert pd.isna(whole["percent"])
    assert any("The windows differ in length: 1 month and 2 months." in note for note in found.notes)
    assert any("a season can explain" in note for note in found.notes)


def test_a_small_number_has_no_percentage_and_nothing_has_no_ratio(project: Project, deliver: Deliver) -> None:
    records = with_responses(project, deliver, m2022_10=38, m2022_07=19)
    found = compared(records, "2022-10", "2022-07")
    assert pd.isna(of_measure(found, "responses")["percent"])
    assert of_measure(found, "responses")["ratio"] == 2
    none = of_measure(found, "responses_by_incident_type", "Suicide")
    assert (none["first"], none["second"], none["change"]) == (0, 0, 0)
    assert none[["percent", "ratio", "low", "high"]].isna().all()
    only_now = compared(records, "2022-10", "2022-08")
    assert pd.isna(of_measure(only_now, "responses")["ratio"])
    assert pd.isna(of_measure(only_now, "responses")["high"]), "it can be any number of times as many"
    assert of_measure(only_now, "responses")["low"] > 1


def test_a_sum_has_a_ratio_and_no_interval(project: Project, deliver: Deliver) -> None:
    found = compared(with_responses(project, deliver, m2023_07=1), "2023-11", "2022-11")
    assert of_measure(found, "incidents_reviewed")["first"] == 3
    assert pd.isna(of_measure(found, "incidents_reviewed")["low"])
    assert not pd.isna(of_measure(found, "shooting_reviews")["low"])


def test_months_that_vary_more_than_by_chance_widen_the_interval(project: Project, deliver: Deliver) -> None:
    # From 10 to 90 without order: chance makes a standard deviation of about 7.
    uneven = [20, 75, 35, 90, 10, 60, 85, 15, 70, 30, 55, 40, 30, 85, 65]
    months = pd.period_range("2022-07", "2023-09", freq="M").strftime("m%Y_%m")
    records = with_responses(project, deliver, **dict(zip(months, uneven, strict=True)))
    whole = of_measure(compared(records, "2023-07..2023-09", "2022-07..2022-09"), "responses")
    assert (whole["first"], whole["second"]) == (180, 130)
    low, high = clopper_pearson(180, 130)
    assert low > 1
    assert whole["low"] < 1 < whole["ratio"] < high < whole["high"], "chance as wide as that explains the difference"


def test_rows_that_share_an_id_have_no_interval(project: Project, deliver: Deliver) -> None:
    records = with_responses(as_snapshot(project, one_row_per_id=False), deliver, m2022_10=38, m2022_07=19)
    found = compared(records, "2022-10", "2022-07")
    assert of_measure(found, "responses")["ratio"] == 2
    assert of_measure(found, "responses")[["low", "high"]].isna().all()
    assert any("rows that share an id have no interval" in note for note in found.notes)


def test_a_limit_close_to_one_is_shown_with_three_digits(project: Project, deliver: Deliver) -> None:
    found = compared(with_responses(project, deliver, m2022_10=38, m2022_07=19), "2022-10", "2022-07")
    near = found.figures.assign(low=0.8, high=pd.array([0.996] * len(found.figures), dtype="Float64"))
    assert set(replace(found, figures=near).shown["interval"]) == {"0.80 to 0.996"}


def test_the_notes_list_why_something_is_not_available(project: Project, deliver: Deliver) -> None:
    found = compared(with_responses(project, deliver, m2022_10=38, m2022_07=19), "2022-10", "2022-07")
    reasons = "a percentage of a number below 20, a ratio to 0, or an interval of 0 against 0."
    assert found.notes[-1] == f"[x] means not available: {reasons}"
    rows = found.figures.assign(first=found.figures["first"].where(found.figures["category"].ne("Homicide")))
    without = replace(found, figures=rows)
    assert (
        without.notes[-1]
        == "A count is [x] if the category did not exist in that window, or its table was not delivered."
    )


def test_windows_that_overlap_are_refused(project: Project, deliver: Deliver) -> None:
    records = with_responses(project, deliver, m2023_07=1)
    with pytest.raises(ParameterError, match="overlap"):
        compared(records, "2023-07..2023-09", "2023-09..2023-10")
