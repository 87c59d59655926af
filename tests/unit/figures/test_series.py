"""Series are tidy and complete: a month with nothing is 0, a month of which nothing is known is missing."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.projects import Deliver
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures.assessment import assess
from viputils.figures.counts import compute_figures, value_of
from viputils.figures.edition import Edition
from viputils.figures.series import every_measure, known_months, series_of
from viputils.records.clean import load_records

NOVEMBER = ReportMonth(2023, 11)


def by_start(table: pd.DataFrame) -> dict[str, int | None]:
    values = [None if pd.isna(value) else int(value) for value in table["value"]]
    return dict(zip(table["start"].dt.strftime("%Y-%m"), values, strict=True))


@pytest.mark.parametrize("measure", ["responses", "people_notified", "people_engaged", "adults_assisted"])
def test_a_series_gives_each_month_the_number_that_its_figures_give(demonstration: Edition, measure: str) -> None:
    records = demonstration.records
    table = series_of(records, measure)
    assert len(table) == 17
    for month in (ReportMonth(2022, 7), ReportMonth(2023, 2), NOVEMBER):
        assert by_start(table)[str(month)] == value_of(compute_figures(records, month), measure, "month")


def test_the_fiscal_year_to_date_is_that_of_the_figures(demonstration: Edition) -> None:
    for measure in ("responses", "people_engaged", "people_notified"):
        table = series_of(demonstration.records, measure, freq="fytd", start=NOVEMBER)
        assert by_start(table) == {"2023-07": value_of(demonstration.figures, measure, "fytd")}


def test_categories_and_all_of_them_together_give_the_same(demonstration: Edition) -> None:
    every = series_of(demonstration.records, "responses_by_incident_type")
    assert list(every["category"].unique()) == demonstration.program.categories("responses_by_incident_type", NOVEMBER)
    one = series_of(demonstration.records, "responses_by_incident_type", "Homicide")
    assert every.loc[every["category"].eq("Homicide"), "value"].tolist() == one["value"].tolist()
    assert one["value"].iloc[-1] == 5  # As printed in the November 2023 issue.
    assert (
        every.groupby("start")["value"].sum().tolist()
        == series_of(demonstration.records, "responses")["value"].tolist()
    )


def test_types_are_documented_and_stay_the_same_whatever_is_asked(demonstration: Edition) -> None:
    for freq in ("month", "quarter", "fiscal_year", "fytd"):
        table = series_of(demonstration.records, "candidates_by_source", freq=freq)
        assert [str(kind) for kind in table.dtypes] == ["str", "str", "datetime64[s]", "datetime64[s]", "Int64"]


def test_a_month_with_nothing_is_zero_and_one_that_was_not_delivered_is_missing(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-10-03", responses=["R1,2023-09-02,DV,SE"])
    # What comes in on November 20 is of October; November is not over.
    deliver("2023-11-20", responses=["R2,2023-11-02,DV,SE"])
    records = load_records(project)
    table = series_of(records, "responses", start=ReportMonth(2023, 8))
    assert by_start(table) == {"2023-08": 0, "2023-09": 1, "2023-10": 0}
    assert known_months(records)[-1] == ReportMonth(2023, 10)


def test_where_deliveries_come_monthly_a_month_that_was_skipped_is_missing_and_no_zero(
    project: Project, deliver: Deliver
) -> None:
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    (project.root / "program.toml").write_text(text.replace('delivered = "irregularly"', 'delivered = "monthly"'))
    deliver("2023-10-03", responses=["R1,2023-09-02,DV,SE"])
    deliver("2023-12-04", responses=["R2,2023-11-02,DV,SE"])
    project = Project.open(project.root)
    table = series_of(load_records(project), "responses", start=ReportMonth(2023, 9))
    assert by_start(table) == {"2023-09": 1, "2023-10": None, "2023-11": 1}
    quarters = series_of(load_records(project), "responses", freq="fytd", start=ReportMonth(2023, 9))
    assert quarters["value"].isna().all()  # July and August were not delivered either.


def test_a_category_that_ceased_before_the_year_is_still_in_the_series_and_in_no_newer_issue(
    project: Project, deliver: Deliver
) -> None:
    toml = project.root / "program.toml"
    ceased = '[[lifetimes]]\nvocabulary = "area_command"\nvalue = "Foothills"\nvalid_to = 2023-03-31\n\n'
    mark = "# The raw tables"
    text = toml.read_text(encoding="utf-8")
    assert text.count(mark) == 1
    toml.write_text(text.replace(mark, ceased + mark), encoding="utf-8")
    deliver("2023-12-04", responses=["R1,2023-02-02,DV,Foothills", "R2,2023-11-02,DV,SE"])
    edition = load_edition(Project.open(project.root), "2023-11")
    series = every_measure(edition.records, NOVEMBER)
    areas = series.loc[series["measure"].eq("responses_by_area_command") & series["value"].gt(0)]
    assert areas[["category", "month"]].to_numpy().tolist() == [["Southeast", "2023-11"], ["Foothills", "2023-02"]]
    assessment = assess(edition)
    assert assessment is not None
    assert "Foothills" not in [part.category for part in assessment.parts["responses_by_area_command"]]
    assert "Foothills" not in set(edition.figures["category"])


def test_a_table_that_did_not_come_hides_only_what_is_counted_from_it(project: Project, deliver: Deliver) -> None:
    folder = deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    (folder / "engagements.csv").unlink()
    records = load_records(project)
    assert by_start(series_of(records, "responses", start=NOVEMBER)) == {"2023-11": 1}
    with pytest.raises(ParameterError, match="no series"):
        series_of(records, "people_engaged")
    assert "people_engaged" not in set(every_measure(records, NOVEMBER)["measure"])


def test_a_fiscal_year_that_is_not_over_is_missing_and_a_quarter_is_one_of_the_fiscal_year(
    demonstration: Edition,
) -> None:
    years = series_of(demonstration.records, "responses", freq="fiscal_year")
    assert years["start"].dt.strftime("%Y-%m").tolist() == ["2022-07", "2023-07"]
    assert years["value"].isna().tolist() == [False, True]
    quarters = series_of(demonstration.records, "responses", freq="quarter")
    assert set(quarters["start"].dt.month) == {1, 4, 7, 10}
    assert quarters["value"].iloc[:4].sum() == years["value"].iloc[0]


def test_a_person_notified_in_two_months_counts_once_in_each_and_once_in_the_year(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        notifications=[
            "N1,2023-10-02,C1,Delivered,yes",
            "N2,2023-10-09,C1,Delivered,yes",
            "N3,2023-11-09,C1,Delivered,no",
        ]
    )
    records = load_records(project)
    start = ReportMonth(2023, 10)
    assert by_start(series_of(records, "people_notified", start=start)) == {"2023-10": 1, "2023-11": 1}
    assert series_of(records, "people_notified", freq="fytd", start=NOVEMBER)["value"].tolist() == [1]


def test_what_follows_a_record_counts_by_the_end_of_its_own_month(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=["N1,2023-10-02,C1,Delivered,yes"],
        engagements=["E1,2023-11-03,C1,Housing"],
    )
    records = load_records(project)
    assert by_start(series_of(records, "people_engaged", start=ReportMonth(2023, 10))) == {"2023-10": 0, "2023-11": 0}
    assert series_of(records, "people_engaged", freq="fytd", start=NOVEMBER)["value"].tolist() == [1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"measure": "respones"}, "responses"),
        ({"measure": "responses_by_incident_type", "category": "Homicides"}, "Homicide"),
        ({"measure": "responses", "category": "Homicide"}, "it has none"),
        ({"measure": "responses", "freq": "monthly"}, "month"),
        ({"measure": "responses", "start": NOVEMBER, "end": ReportMonth(2023, 10)}, "is after"),
        (
            {"measure": "responses", "end": ReportMonth(2024, 1)},
            "beyond the data; choose a month from 2022-07 to 2023-11",
        ),
        ({"measure": "responses", "start": ReportMonth(2021, 1)}, "before the data"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(
    demonstration: Edition, asked: dict[str, object], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        series_of(demonstration.records, **asked)  # type: ignore[arg-type]


@settings(max_examples=examples(15))
@given(st.sampled_from(["responses", "referrals_made", "people_notified"]), st.integers(0, 16), st.integers(0, 16))
def test_a_shorter_range_gives_the_same_numbers(demonstration: Edition, measure: str, one: int, other: int) -> None:
    first, last = sorted((one, other))
    whole = series_of(demonstration.records, measure)
    months = [ReportMonth.of(day) for day in whole["start"]]
    part = series_of(demonstration.records, measure, start=months[first], end=months[last])
    assert part["value"].tolist() == whole["value"].iloc[first : last + 1].tolist()


def test_the_order_of_the_records_changes_nothing(project: Project, deliver: Deliver) -> None:
    rows = [
        f"R{number},2023-{month},{kind},SE"
        for number, (month, kind) in enumerate([("11-02", "DV"), ("10-02", "DV"), ("11-30", "HOM"), ("09-01", "SUI")])
    ]
    found = []
    for order in (rows, rows[::-1]):
        deliver(responses=order)
        found.append(series_of(load_edition(project, "2023-11").records, "responses_by_incident_type"))
    pd.testing.assert_frame_equal(found[0], found[1])
