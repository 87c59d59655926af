"""The figures table: what is counted, where, and in which period."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.support.histories import with_tables
from tests.support.projects import Deliver, with_measures
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.errors import ParameterError, ProgramError
from viputils.figures.counts import KEY, breakdown, figures_csv, value_of
from viputils.figures.edition import Edition


@pytest.fixture
def kept() -> tuple[str, ...]:
    """The tables that most tests need; a parameter of this name gives other ones."""
    return ("responses", "reviews")


@pytest.fixture
def project(project: Project, kept: tuple[str, ...]) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, *kept)


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


@pytest.mark.parametrize("kept", [("outreach",)])
def test_people_assisted_are_added_up_over_operations(project: Project, deliver: Deliver) -> None:
    deliver(outreach=["O1,2023-11-02,SE,D2D,,2,1", "O2,2023-08-02,SE,D2D,,3,0"])
    figures = figures_of(project)
    assert value_of(figures, "adults_assisted", "fytd") == 5
    assert value_of(figures, "adults_assisted", "month") == 2
    assert value_of(figures, "children_assisted", "fytd") == 1
    assert value_of(figures, "outreach_operations", "fytd") == 2


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
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


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
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


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
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


# ---------------------------------------------------------------- areas that come, go and are renamed


def with_areas(project: Project, more: str, **names: str) -> Project:
    """Give the project other areas: names replaced in its vocabulary, and crosswalks and lifetimes added."""
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in names.items():
        text = text.replace(f'"{old}" = [', f'{new}\n"{old}" = [')
    path.write_text(text.replace("# The raw tables", f"{more}\n# The raw tables"), encoding="utf-8")
    return Project.open(project.root)


def areas(edition: Edition, period: str = "month") -> dict[str, int]:
    counts = breakdown(edition.figures, "responses_by_area_command")[period]
    return {str(area): int(count) for area, count in counts.items()}


SIX = ["Southeast", "Southwest", "Valley", "Foothills", "Northeast", "Northwest"]
UNIVERSITY = """
[[lifetimes]]
vocabulary = "area_command"
value = "University"
valid_from = 2023-02-12
issues_from = "2024-01"
"""


def seven_areas(project: Project) -> Project:
    """From the issue of January 2024 on, University is printed on a line of its own."""
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("assumption = true", 'issues_to = "2023-12"\nassumption = true')
    path.write_text(text, encoding="utf-8")
    return with_areas(project, UNIVERSITY, Southwest='"University" = []')


def test_an_issue_printed_with_six_areas_has_six_after_a_seventh_is_added(project: Project, deliver: Deliver) -> None:
    rows = ["R1,2023-11-02,DV,UNI", "R2,2023-11-03,DV,SE", "R3,2024-01-05,DV,University", "R4,2024-01-06,DV,SE"]
    deliver(responses=rows[:2])
    before = load_edition(project, "2023-11")
    project = seven_areas(project)
    after = load_edition(project, "2023-11")
    assert list(areas(before)) == list(areas(after)) == SIX
    assert areas(before)["Southeast"] == areas(after)["Southeast"] == 2
    assert after.figures.equals(before.figures)

    deliver("2024-02-02", responses=rows[2:])
    january = load_edition(project, "2024-01")
    assert list(areas(january)) == ["Southeast", "University", *SIX[1:]]
    assert (areas(january)["University"], areas(january)["Southeast"]) == (1, 1)
    # The year to date of an issue with seven areas counts University on its own line from the start.
    assert (areas(january, "fytd")["University"], areas(january, "fytd")["Southeast"]) == (2, 2)
    assert load_edition(project, "2023-11", january.as_of).figures.equals(before.figures)


def test_a_row_of_an_area_before_it_existed_is_quarantined_in_either_case(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-02-11,DV,UNI", "R2,2023-02-12,DV,UNI"])
    for opened in (project, seven_areas(project)):
        quarantine = load_edition(opened, "2023-11").records.quarantine
        assert quarantine[["id", "reason"]].to_numpy().tolist() == [["R1", "not_valid_on_date"]]
        assert "2023-02-12" in quarantine["remedy"].iloc[0]


def test_an_area_that_ceased_to_exist_is_printed_until_its_last_fiscal_year_ends(
    project: Project, deliver: Deliver
) -> None:
    ceased = '[[lifetimes]]\nvocabulary = "area_command"\nvalue = "Foothills"\nvalid_to = 2023-09-30'
    project = with_areas(project, ceased)
    deliver(responses=["R1,2023-09-30,DV,FH", "R2,2023-10-01,DV,FH"])
    november = load_edition(project, "2023-11")
    assert areas(november, "fytd")["Foothills"] == 1
    assert november.records.quarantine[["id", "reason"]].to_numpy().tolist() == [["R2", "not_valid_on_date"]]
    deliver("2024-07-02")
    deliver("2024-08-02")
    assert "Foothills" in areas(load_edition(project, "2024-06"))
    assert "Foothills" not in areas(load_edition(project, "2024-07"))


def test_a_renamed_area_has_its_old_name_in_old_issues_and_its_new_one_in_new_ones(
    project: Project, deliver: Deliver
) -> None:
    renamed = """
[[crosswalks]]
vocabulary = "area_command"
value = "Valley"
counted_as = "Central"
issues_from = "2023-11"
reason = "Valley was renamed Central on November 1, 2023."
[[crosswalks]]
vocabulary = "area_command"
value = "Central"
counted_as = "Valley"
issues_to = "2023-10"
reason = "Central was Valley before November 1, 2023."
[[lifetimes]]
vocabulary = "area_command"
value = "Valley"
issues_to = "2023-10"
[[lifetimes]]
vocabulary = "area_command"
value = "Central"
issues_from = "2023-11"
"""
    project = with_areas(project, renamed, Valley='"Central" = []')
    deliver(responses=["R1,2023-10-05,DV,VA", "R2,2023-11-05,DV,Central", "R3,2023-10-06,DV,Central"])
    october = load_edition(project, "2023-10")
    assert list(areas(october)) == SIX
    assert areas(october)["Valley"] == 2
    november = load_edition(project, "2023-11")
    assert "Valley" not in areas(november)
    assert (areas(november)["Central"], areas(november, "fytd")["Central"]) == (1, 3)


def test_a_crosswalk_of_some_days_counts_the_records_of_those_days_alone(project: Project, deliver: Deliver) -> None:
    lent = """
[[crosswalks]]
vocabulary = "area_command"
value = "Foothills"
counted_as = "Northeast"
valid_from = 2023-11-03
valid_to = 2023-11-15
reason = "Northeast answered for Foothills."
"""
    project = with_areas(project, lent)
    deliver(responses=[f"R{day},2023-11-{day},DV,FH" for day in ("02", "03", "15", "16")])
    counted = areas(load_edition(project, "2023-11"))
    assert (counted["Foothills"], counted["Northeast"]) == (2, 2)


def test_records_that_an_issue_has_no_line_for_are_never_lost_in_silence(project: Project, deliver: Deliver) -> None:
    gone = '[[lifetimes]]\nvocabulary = "area_command"\nvalue = "Valley"\nissues_from = "2024-01"'
    project = with_areas(project, gone)
    deliver(responses=["R1,2023-11-05,DV,VA", "R2,2023-11-06,DV,VA"])
    with pytest.raises(ProgramError) as caught:
        load_edition(project, "2023-11")
    assert "2 records have 'Valley', which this issue does not print" in str(caught.value)


def test_values_that_are_missing_have_a_line_where_program_toml_names_one(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace('by = "area_command"', 'by = "area_command"\nmissing = "Not recorded"')
    path.write_text(text, encoding="utf-8")
    deliver(responses=["R1,2023-11-05,DV,", "R2,2023-11-06,DV,SE"])
    assert list(areas(load_edition(Project.open(project.root), "2023-11")).items())[-1] == ("Not recorded", 1)


def test_a_measure_of_a_value_that_the_issue_calls_otherwise_is_refused_and_not_zero(
    project: Project, deliver: Deliver
) -> None:
    more = """
[measures.valley]
label = "in Valley"
table = "responses"
where = { area_command = "Valley" }
count = "rows"
"""
    project = with_measures(project, more)
    project = with_areas(project, '[[lifetimes]]\nvocabulary = "area_command"\nvalue = "Valley"\nissues_to = "2023-06"')
    deliver(responses=["R1,2023-06-02,DV,VA"])
    assert value_of(load_edition(project, "2023-06").figures, "valley", "month") == 1
    with pytest.raises(ProgramError) as caught:
        load_edition(project, "2023-11")
    assert "measures.valley.where.area_command: 'Valley' is not a value of the issue of 2023-11" in str(caught.value)


def test_different_values_are_counted_under_the_names_of_the_issue(project: Project, deliver: Deliver) -> None:
    more = """
[measures.areas]
label = "area commands"
table = "responses"
count = { distinct = "area_command" }
"""
    project = with_measures(project, more)
    deliver(responses=["R1,2023-11-02,DV,UNI", "R2,2023-11-02,DV,SE", "R3,2023-11-02,DV,"])
    assert value_of(load_edition(project, "2023-11").figures, "areas", "month") == 1


def test_a_value_in_two_categories_is_counted_once_in_each(project: Project, deliver: Deliver) -> None:
    more = """
[measures.areas_by_type]
label = "area commands by type"
table = "responses"
by = "incident_type"
count = { distinct = "area_command" }
"""
    project = with_measures(project, more)
    deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,HOM,SE", "R3,2023-11-03,HOM,SE"])
    figures = load_edition(project, "2023-11").figures
    for category in ("DV/Sexual Assault", "Homicide"):
        assert value_of(figures, "areas_by_type", "month", category) == 1


@pytest.mark.parametrize("month", [2023.11, None, ["2023-11"]])
def test_a_month_of_another_kind_is_refused_as_one_that_is_misspelt(
    project: Project, deliver: Deliver, month: object
) -> None:
    deliver()
    with pytest.raises(ParameterError, match="is not a month; write YYYY-MM"):
        load_edition(project, month)  # type: ignore[arg-type]
