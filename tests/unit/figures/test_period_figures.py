"""The figures of a quarter and of a year: one table, with the parts of the period as further periods."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from tests.support.histories import with_tables
from tests.support.projects import Deliver
from viputils.audit.as_of import load_edition
from viputils.audit.contradictions import contradictions
from viputils.audit.verdicts import printed_keys
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ParameterError
from viputils.core.months import ReportMonth
from viputils.core.periods import FiscalPeriod
from viputils.figures.counts import FigureKey, compute_figures, issue_periods, keys_of, value_of
from viputils.figures.edition import Edition

QUARTER, YEAR = FiscalPeriod(2024, 1), FiscalPeriod(2023)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "notifications", "engagements")


def recount(edition: Edition, table: str, first: str, last: str) -> pd.DataFrame:
    """The clean rows of a table from one month to another, without the code that counts."""
    rule = edition.program.tables[table]
    rows = edition.records.tables[table].rows
    month = rows[rule.date].dt.strftime("%Y-%m")
    found: pd.DataFrame = rows.loc[(month >= first) & (month <= last)]
    return found


def test_a_quarter_counts_its_months_itself_and_the_year_to_date(demonstration: Edition) -> None:
    figures = compute_figures(demonstration.records, QUARTER)
    assert issue_periods(demonstration.program, QUARTER) == ("2023-07", "2023-08", "2023-09", "quarter", "fytd")
    spans = {month: (month, month) for month in ("2023-07", "2023-08", "2023-09")}
    for period, (first, last) in (spans | dict.fromkeys(("quarter", "fytd"), ("2023-07", "2023-09"))).items():
        responses = recount(demonstration, "responses", first, last)
        assert value_of(figures, "responses", period) == len(responses)
        homicides = int((responses["incident_type"] == "Homicide").sum())
        assert value_of(figures, "responses_by_incident_type", period, "Homicide") == homicides
        outreach = recount(demonstration, "outreach", first, last)
        assert value_of(figures, "adults_assisted", period) == outreach["adults_assisted"].sum()
    assert [tuple(row) for row in figures[["measure", "category", "period"]].to_numpy()] == [
        tuple(key) for key in keys_of(demonstration.program, QUARTER)
    ]
    # Records without an area command make a breakdown smaller than the whole, which is possible.
    assert not any(one.impossible for one in contradictions(figures, demonstration.program, QUARTER))


def test_a_year_counts_its_quarters_and_itself(demonstration: Edition) -> None:
    figures = compute_figures(demonstration.records, YEAR)
    assert issue_periods(demonstration.program, YEAR) == ("FY2023-Q1", "FY2023-Q2", "FY2023-Q3", "FY2023-Q4", "year")
    assert value_of(figures, "responses", "year") == len(recount(demonstration, "responses", "2022-07", "2023-06"))
    second = recount(demonstration, "responses", "2022-10", "2022-12")
    assert value_of(figures, "responses", "FY2023-Q2") == len(second)
    assert set(figures.loc[figures["measure"].eq("responses_by_month"), "period"]) == {"year"}


def test_a_person_counts_once_in_each_period_and_is_followed_to_its_end(project: Project, deliver: Deliver) -> None:
    deliver(
        "2023-10-04",
        notifications=["N1,2023-07-05,C1,Delivered,yes", "N2,2023-09-01,C1,Delivered,yes"],
        engagements=["E1,2023-08-20,C1,Housing"],
    )
    figures = load_edition(project, "FY2024-Q1").figures
    notified = [value_of(figures, "people_notified", period) for period in ("2023-07", "2023-09", "quarter")]
    engaged = [value_of(figures, "people_engaged", period) for period in ("2023-07", "2023-09", "quarter")]
    assert notified == [1, 1, 1]
    assert engaged == [0, 0, 1], "the service began after July, and within the quarter"


def test_a_key_of_a_quarter_names_its_months(demonstration: Edition) -> None:
    program = demonstration.program
    key = FigureKey.parse("responses_by_incident_type/Homicide/2023-08", program, QUARTER)
    assert key == ("responses_by_incident_type", "Homicide", "2023-08")
    for text in ("responses/month", "responses/2023-10", "responses/year"):
        with pytest.raises(ParameterError, match="is not a figure of the issue of FY2024-Q1"):
            FigureKey.parse(text, program, QUARTER)


def test_a_quarter_prints_what_a_month_prints_and_a_year_has_one_period(demonstration: Edition) -> None:
    program = demonstration.program
    month = {key[2] for key in printed_keys(program, ReportMonth(2023, 9))}
    assert (month, {key[2] for key in printed_keys(program, QUARTER)}) == ({"month", "fytd"}, {"quarter", "fytd"})
    years = printed_keys(program, YEAR)
    assert {key[2] for key in years} == {"year"}
    assert len(years) == len(set(years))


def test_a_quarter_above_its_year_to_date_contradicts_itself(demonstration: Edition) -> None:
    second = FiscalPeriod(2023, 2)
    figures = compute_figures(demonstration.records, second)
    wrong = figures["measure"].eq("responses") & figures["period"].eq("fytd")
    broken = figures.assign(value=figures["value"].mask(wrong, 1))
    texts = [one.text for one in contradictions(broken, demonstration.program, second)]
    assert any("a quarter is part of its year" in text for text in texts)


def records_from(project: Project, day: str) -> Project:
    path = project.root / "program.toml"
    text = re.sub(r"(?m)^records_from = \S+", f"records_from = {day}", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    return Project.open(project.root)


def test_a_year_that_the_records_cover_in_part_has_no_figure_of_what_they_lack(
    project: Project, deliver: Deliver
) -> None:
    part = records_from(project, "2022-11-01")
    deliver("2023-07-04", responses=["R1,2022-11-02,DV,SE", "R2,2023-01-02,DV,SE"])
    figures = load_edition(part, "FY2023").figures
    assert list(dict.fromkeys(figures["period"])) == ["FY2023-Q3", "FY2023-Q4", "year"]
    assert value_of(figures, "responses", "year") == 2
    months = figures.loc[figures["measure"].eq("responses_by_month"), "category"]
    assert list(months)[:2] == ["2022-11", "2022-12"]
    assert len(months) == 8


@pytest.mark.parametrize(
    ("period", "says"),
    [
        ("FY2023-Q1", "Quarter 1 of FY2023 lies before 2022-11-01, when the records begin; choose a later quarter"),
        ("FY2023-Q3", "The fiscal year of quarter 3 of FY2023 begins before 2022-11-01"),
        ("FY2022", "FY2022 lies before 2022-11-01, when the records begin; choose a later year"),
        ("FY2024-Q1", "Quarter 1 of FY2024 was not over on 2023-07-04."),
        ("FY2024", "FY2024 was not over on 2023-07-04."),
    ],
)
def test_a_period_without_all_its_records_is_refused_in_a_sentence(
    project: Project, deliver: Deliver, period: str, says: str
) -> None:
    part = records_from(project, "2022-11-01")
    deliver("2023-07-04", responses=["R1,2022-11-02,DV,SE"])
    with pytest.raises(DeliveryError, match=re.escape(says)):
        load_edition(part, period)
