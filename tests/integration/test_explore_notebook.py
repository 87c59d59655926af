"""The analysts' notebook runs from top to bottom on both cities, and shows what the library counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.artifacts import Artifacts
from tests.support.pages import notebook_shown
from tests.support.projects import REPOSITORY, Deliver
from viputils import workbench
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures import engagement
from viputils.figures.edition import Edition
from viputils.lab import trends
from viputils.workbench import Tables

NOTEBOOK = "explore_trends"


def markdown(executed: Any) -> str:
    outputs = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n\n".join(output.data.get("text/markdown", "") for output in outputs if "data" in output)


@pytest.fixture(scope="module")
def executed(artifacts: Artifacts) -> Any:
    return notebook_shown(artifacts, NOTEBOOK, {"as_of": "2023-12-04"})


@pytest.fixture(scope="module")
def tables(demonstration: Edition) -> Tables:
    # As workbench.load gives them.
    return Tables(Project.open(REPOSITORY), demonstration.records)


def test_it_shows_counts_by_type_area_service_and_source_beside_what_chance_gives(executed: Any) -> None:
    text = markdown(executed)
    assert "This is sample data" in text
    # The month as printed; it alone stands out of the demonstration records.
    assert "| November 2023 | 90 | 38 | 87 | high | one month outside the limits |" in text
    assert "| November 2023 | 55 | 7 | 5 | 11 | 7 | 5 |" in text
    for category in ("Homicide", "Southeast", "Housing", "Crime data"):
        assert f"| {category} |" in text.replace("  ", " ")
    assert "| **To the end of November** | **320** | **315** |" in text
    assert r"| Responses | 320 | 315 | +5 | 0.87 to 1.19 | cannot be told |" in text
    assert "| Adults assisted | 2,599 |" in text


def test_it_follows_people_to_a_service_and_shows_recent_months_as_incomplete(executed: Any, tables: Tables) -> None:
    text = markdown(executed)
    followed = engagement.follow(tables.records)
    for line in engagement.cohorts(followed).to_dict("records")[-2:]:
        month = ReportMonth.parse(str(line["month"])).label
        (row,) = [one for one in text.splitlines() if one.startswith(f"| {month} | {line['people']} | ") and "p" in one]
        cells = [cell.strip().replace("\\", "") for cell in row.strip("| ").split("|")]
        assert cells[3:5] == ["[p]", "[p]"]  # Nobody of these months could be watched for 90 days.
        assert cells[6] == "[x]"
    assert "![Rising line of the share of people who took up a service after a Custom Notification" in text
    # The report prints 13 and 7 for November, 57 and 24 for the fiscal year to date.
    assert any(
        line.startswith("| November 2023 |") and "| 13 | 7 |" in line and line.endswith("| 57 | 24 |")
        for line in text.splitlines()
    )


def test_it_can_be_read_without_a_kernel_and_its_charts_say_what_they_show(executed: Any) -> None:
    text = markdown(executed)
    assert text.count("![Chart of responses") == 2
    assert "Marked\\: November 2023 \\(one month outside the limits\\)" in text or "Marked: November 2023" in text
    assert not any(line.startswith((":::", ": ")) for line in text.splitlines())
    assert "fig-alt" not in text
    (chooser,) = [cell for cell in executed.cells if cell.source == "trends.choose(tables)"]
    assert [output.output_type for output in chooser.outputs] == ["execute_result"]


@pytest.mark.exhaustive
def test_it_runs_for_another_city_and_another_measure(artifacts: Artifacts) -> None:
    parameters = {"as_of": "2020-12-01", "measure": "victims", "project": "../examples/philadelphia"}
    text = markdown(notebook_shown(artifacts, NOTEBOOK, parameters))
    assert "| November 2020 | 207 |" in text
    assert "This is sample data" not in text
    assert "Custom Notification" not in text
    assert "These months differ from each other more than by chance" in text


def test_without_a_measure_it_shows_the_one_that_the_report_of_that_city_follows() -> None:
    tables = workbench.load(project=REPOSITORY / "examples" / "philadelphia")
    program = tables.project.program
    assert trends.main_measure(tables) in program.measures
    assert program.whole_of(program.report.trend or "") == trends.main_measure(tables)
    with pytest.raises(ParameterError) as raised:
        tables.months("responsez")
    assert "'responsez' is not a measure of program.toml" in str(raised.value)


def test_a_choice_of_a_measure_offers_its_categories_and_its_months(tables: Tables) -> None:
    box = trends.choose(tables)
    measure, category, month, shown = box.children
    assert (measure.value, category.value, str(month.value)) == ("adults_assisted", "", "2023-11")
    assert category.disabled
    measure.value = "responses_by_incident_type"
    assert "Homicide" in [name for name, _ in category.options]
    assert month.options[0][0] == "November 2023"
    assert not category.disabled
    assert (category.value, str(month.value)) == ("Gun/Other Violence", "2023-11")
    category.value = "Homicide"
    assert "Responses, Homicide" in shown.outputs[0]["data"]["text/markdown"]
    measure.value = "responses"
    assert "| November 2023 | 90 | 38 | 87 |" in shown.outputs[0]["data"]["text/markdown"]
    assert (category.value, str(month.value), category.disabled) == ("", "2023-11", True)


@pytest.mark.exhaustive
def test_a_sum_is_shown_without_limits_and_says_why(tables: Tables) -> None:
    text = trends.over_time(tables, "adults_assisted").data
    assert "One record can add several here" in text
    assert "Seldom" not in text
    assert "adds up a column or counts people" in trends.rate_by_day(tables, "adults_assisted").data
    # Every measure can be asked for: one with categories is shown as a whole.
    for whole in {trends.main_measure(tables, measure) for measure in tables.project.program.measures}:
        assert trends.over_time(tables, whole).data
        assert trends.rate_by_day(tables, whole).data


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda tables: trends.over_time(tables, "homicides"), "is not a measure"),
        (lambda tables: trends.over_time(tables, "responses_by_incident_type", "Homicides"), "'Homicide'"),
        (lambda tables: trends.over_time(tables, "responses", end="2031-01"), "beyond the data"),
        (lambda tables: trends.small_multiples(tables, "responses"), "responses_by_incident_type"),
        (lambda tables: trends.against(tables, "2023-11", "2022-11", "year"), "write month or fytd"),  # type: ignore[arg-type]
        (lambda tables: trends.against(tables, "2023-11", "2019-11"), "known are 2022-07 to 2023-11"),
    ],
)
def test_what_cannot_be_is_said_with_what_would_be_right(tables: Tables, ask: Any, said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        ask(tables)
    assert said in str(refused.value.problems[0])


def test_a_level_that_has_just_changed_has_no_limits_yet(whole_project: Project, deliver: Deliver) -> None:
    days = ("2023-10-20", "2023-11-20")
    deliver("2023-12-20", responses=[f"R{day}-{number},{day},DV,SE" for day in days for number in range(90)])
    text = trends.over_time(workbench.load(project=whole_project), "responses").data
    rows = [line for line in text.splitlines() if line.startswith(("| October 2023 |", "| November 2023 |"))]
    assert [row.count(r"\[x\]") for row in rows] == [2, 2]
    assert "That is too few: at least 3 months are needed to show what is usual." in text
    assert "too small to show a fall" not in text


def test_small_counts_and_few_months_say_that_they_are(whole_project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    text = trends.over_time(workbench.load(project=whole_project), "responses", end="2022-10").data
    assert "That is too few: at least 12 months are needed to show what is usual." in text
    text = trends.over_time(workbench.load(project=whole_project), "responses").data
    assert "The counts are too small to show a fall in one month: even 0 would not be unusual." in text
