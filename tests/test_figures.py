"""The figures table: what is counted, where, and in which period."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.conftest import Deliver
from viputils.edition import Edition, load_edition
from viputils.errors import ParameterError
from viputils.figures import KEY, breakdown, figures_csv, value_of
from viputils.project import Project


def figures_of(project: Project, month: str = "2023-11") -> pd.DataFrame:
    return load_edition(project, month).figures


def test_a_month_counts_its_own_days_and_the_fiscal_year_to_date_counts_from_july(
    project: Project, deliver: Deliver
) -> None:
    days = ["2023-06-30", "2023-07-01", "2023-10-31", "2023-11-01", "2023-11-30", "2023-12-01"]
    deliver(responses=[f"R{n},{day},DV,SE" for n, day in enumerate(days)])
    figures = figures_of(project)
    assert value_of(figures, "responses", "month") == 2
    assert value_of(figures, "responses", "fytd") == 4
    assert value_of(figures, "responses_by_incident_type", "fytd", "DV/Sexual Assault") == 4


def test_a_category_without_records_is_zero(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    assert value_of(figures_of(project), "responses_by_incident_type", "month", "Homicide") == 0


def test_a_response_without_an_area_counts_by_type_and_not_by_area(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,"])
    figures = figures_of(project)
    assert breakdown(figures, "responses_by_incident_type")["month"].sum() == 2
    assert breakdown(figures, "responses_by_area_command")["month"].sum() == 1


def test_people_assisted_are_added_up_over_operations(project: Project, deliver: Deliver) -> None:
    deliver(outreach=["O1,2023-11-02,SE,D2D,,2,1", "O2,2023-08-02,SE,D2D,,3,0"])
    figures = figures_of(project)
    assert value_of(figures, "adults_assisted", "fytd") == 5
    assert value_of(figures, "adults_assisted", "month") == 2
    assert value_of(figures, "children_assisted", "fytd") == 1
    assert value_of(figures, "outreach_operations", "fytd") == 2


def test_a_person_notified_twice_is_one_person_and_an_undelivered_notification_is_none(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        notifications=[
            "N1,2023-11-02,C1,Delivered,yes",
            "N2,2023-11-09,C1,Delivered,no",
            "N3,2023-11-09,C2,Declined,no",
            "N4,2023-11-09,C3,Not located,no",
        ]
    )
    assert value_of(figures_of(project), "people_notified", "month") == 1


def test_engaged_means_on_or_after_the_notification_and_by_the_end_of_the_period(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        notifications=[f"N{n},2023-10-10,C{n},Delivered,yes" for n in range(1, 6)],
        engagements=[
            "E1,2023-10-09,C1,Food",  # before the notification
            "E2,2023-10-10,C2,Food",  # the same day
            "E3,2023-10-31,C3,Food",
            "E4,2023-11-01,C4,Food",  # after October
            "E5,2023-12-01,C5,Food",  # after November
            "E6,2023-11-05,C9,Food",  # never notified
            "E7,2023-10-02,C3,Food",  # before, and again after
        ],
    )
    october, november = figures_of(project, "2023-10"), figures_of(project)
    assert value_of(october, "people_engaged", "month") == 2
    assert value_of(november, "people_engaged", "month") == 0
    assert value_of(november, "people_engaged", "fytd") == 3


def test_a_person_is_followed_whatever_the_case_of_the_code(project: Project, deliver: Deliver) -> None:
    deliver(notifications=["N1,2023-11-02,C1,Delivered,yes"], engagements=["E1,2023-11-05,c1,Food"])
    assert value_of(figures_of(project), "people_engaged", "month") == 1


def test_the_months_of_the_fiscal_year_are_a_breakdown_of_it(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-07-02,DV,SE", "R2,2023-11-02,DV,SE", "R3,2023-11-03,DV,SE"])
    counts = breakdown(figures_of(project), "responses_by_month")["fytd"]
    assert counts.to_dict() == {"2023-07": 1, "2023-08": 0, "2023-09": 0, "2023-10": 0, "2023-11": 2}


def test_an_empty_month_is_a_table_of_zeros(project: Project, deliver: Deliver) -> None:
    deliver()
    assert set(figures_of(project)["value"]) == {0}


def test_a_figure_that_does_not_exist_is_refused_with_the_nearest_measure(demonstration: Edition) -> None:
    with pytest.raises(ParameterError, match="did you mean 'adults_assisted'"):
        value_of(demonstration.figures, "adult_assisted", "fytd")


def test_the_table_has_one_row_for_each_key_and_whole_numbers(demonstration: Edition) -> None:
    figures = demonstration.figures
    assert not figures.duplicated(KEY).any()
    assert figures["value"].dtype == "int64"
    assert figures["value"].ge(0).all()


def test_parts_add_up_to_the_whole_on_the_demonstration_records(demonstration: Edition) -> None:
    figures = demonstration.figures
    for period in ("month", "fytd"):
        parts = breakdown(figures, "responses_by_incident_type")[period].sum()
        assert parts == value_of(figures, "responses", period)
    assert breakdown(figures, "responses_by_month")["fytd"].sum() == value_of(figures, "responses", "fytd")
    without_area = demonstration.records.tables["responses"].rows
    without_area = without_area.loc[
        without_area["area_command"].isna() & (without_area["response_date"] >= "2023-07-01")
    ]
    areas = breakdown(figures, "responses_by_area_command")["fytd"].sum()
    assert value_of(figures, "responses", "fytd") - areas == len(without_area) == 1


def test_csv_reads_back_as_the_same_table(demonstration: Edition) -> None:
    import io

    figures = demonstration.figures
    again = pd.read_csv(io.StringIO(figures_csv(figures)), keep_default_na=False)
    assert again.to_dict("records") == figures.to_dict("records")
