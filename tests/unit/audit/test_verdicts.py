"""A verdict on each printed figure, and never a pass where there is none."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from tests.support.command import vip
from tests.support.pages import page_made
from tests.support.projects import REPOSITORY, Deliver
from tests.support.register import KEY, all_printed, an_issue, printed
from viputils.audit.as_of import load_edition
from viputils.audit.contradictions import contradictions
from viputils.audit.register import IssueName, add_issue, read_register
from viputils.audit.verdicts import IssueVerdicts, compare, printed_keys, verify_register, worst
from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, PublishedError, QuarantineError
from viputils.core.months import ReportMonth
from viputils.publish.site.pages import verdicts_of_all
from viputils.report import verdict_sections
from viputils.report.render import choose_engine

NOVEMBER = ReportMonth(2023, 11)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return read_register(Project.open(REPOSITORY)).issues[0].figures


def other(figures: pd.DataFrame, row: int = 8, by: int = 1) -> pd.DataFrame:
    """The same figures, one of them off; 8 is homicides in November."""
    return figures.assign(value=figures["value"].where(figures.index != row, figures["value"] + by))


def verdicts_of(table: pd.DataFrame) -> dict[str, int]:
    return {str(name): int(count) for name, count in table["verdict"].value_counts().items()}


# ---------------------------------------------------------------- one issue


def test_the_same_figures_are_all_reproduced(published: pd.DataFrame, program: Program) -> None:
    assert len(printed_keys(program, NOVEMBER)) == 28
    assert verdicts_of(compare(published, published, published, program, NOVEMBER)) == {"reproduced": 28}


def test_one_figure_that_is_off_by_one_differs(published: pd.DataFrame, program: Program) -> None:
    table = compare(published, other(published), other(published), program, NOVEMBER)
    assert verdicts_of(table) == {"reproduced": 27, "differs": 1}
    row = table.loc[table["verdict"].eq("differs")].iloc[0]
    assert (row["category"], row["published"], row["recomputed"], row["change"]) == ("Homicide", 5, 6, 1)


def test_a_figure_that_was_right_then_and_is_another_now_was_revised_since(
    published: pd.DataFrame, program: Program
) -> None:
    table = compare(published, published, other(published, by=-2), program, NOVEMBER)
    assert verdicts_of(table) == {"reproduced": 27, "revised since": 1}
    row = table.loc[table["verdict"].eq("revised since")].iloc[0]
    assert (row["published"], row["recomputed"], row["now"], row["change"]) == (5, 5, 3, -2)


def test_a_figure_that_is_wrong_then_and_right_now_still_differs(published: pd.DataFrame, program: Program) -> None:
    table = compare(published, other(published), published, program, NOVEMBER)
    assert verdicts_of(table) == {"reproduced": 27, "differs": 1}


def test_without_records_nothing_is_reproducible(published: pd.DataFrame, program: Program) -> None:
    clean = published.loc[~published["measure"].eq("responses_by_area_command")].reset_index(drop=True)
    table = compare(clean, None, None, program, NOVEMBER)
    assert verdicts_of(table) == {"not reproducible": 16, "not in the published file": 12}


@pytest.mark.parametrize(
    ("side", "verdict"), [("published", "not in the published file"), ("recomputed", "not recomputed")]
)
def test_a_figure_that_is_missing_on_either_side_is_never_a_pass(
    published: pd.DataFrame, program: Program, side: str, verdict: str
) -> None:
    sides = {"published": published, "recomputed": published} | {side: published.drop(index=[0])}
    table = compare(sides["published"], sides["recomputed"], sides["recomputed"], program, NOVEMBER)
    assert len(table) == 28
    assert table["verdict"].iloc[0] == verdict


def test_a_figure_that_was_printed_beside_the_usual_ones_is_checked_as_well(
    published: pd.DataFrame, program: Program
) -> None:
    more = pd.DataFrame([{"measure": "people_notified", "category": "", "period": "month", "value": 18}])
    extended = pd.concat([published, more], ignore_index=True)
    assert verdicts_of(compare(extended, extended, extended, program, NOVEMBER)) == {"reproduced": 29}
    assert compare(extended, published, published, program, NOVEMBER)["verdict"].iloc[-1] == "not recomputed"


# ---------------------------------------------------------------- a print that contradicts itself


def test_the_print_of_november_2023_contradicts_itself_in_one_place(published: pd.DataFrame, program: Program) -> None:
    (found,) = contradictions(published, program, NOVEMBER)
    assert "by incident type 320 and by area command 319" in found.text
    assert len(found.keys) == 12
    assert {period for _, _, period in found.keys} == {"fytd"}


def test_figures_that_cannot_all_be_right_are_internally_inconsistent_where_the_records_do_not_give_them(
    published: pd.DataFrame, program: Program
) -> None:
    # Southeast in November as 34: the areas then add up to 91, and no more than 90 responses had a type.
    printed = other(published, row=16)
    assert printed.loc[16, "category"] == "Southeast"
    table = compare(printed, published, published, program, NOVEMBER)
    assert verdicts_of(table) == {"reproduced": 27, "internally inconsistent": 1}
    # Without records, whatever contradicts itself says so; the rest cannot be told.
    without = verdicts_of(compare(printed, None, None, program, NOVEMBER))
    assert without == {"internally inconsistent": 12, "not reproducible": 16}


def test_a_month_above_its_year_to_date_is_a_contradiction(published: pd.DataFrame, program: Program) -> None:
    printed = published.assign(value=published["value"].where(published.index != 8, 21))
    texts = [one.text for one in contradictions(printed, program, NOVEMBER)]
    assert any("Homicide: 21 for the month and 20 for the year to date" in text for text in texts)


def test_in_the_first_month_of_the_year_month_and_year_to_date_are_the_same(program: Program) -> None:
    july = ReportMonth(2023, 7)
    rows = [
        {"measure": "outreach_operations", "category": "", "period": period, "value": value}
        for period, value in (("month", 400), ("fytd", 401))
    ]
    (found,) = contradictions(pd.DataFrame(rows), program, july)
    assert "in the first month of the year both are the same" in found.text
    assert contradictions(pd.DataFrame(rows), program, ReportMonth(2023, 8)) == []


def test_what_is_counted_once_in_several_categories_is_no_contradiction(program: Program) -> None:
    by_source = program.measures["people_notified"].model_copy(update={"by": "outcome", "label": "Outcome"})
    two = program.model_copy(update={"measures": {**program.measures, "people_notified_by_outcome": by_source}})
    rows = [("people_notified", "", "month", 3)]
    rows += [("people_notified_by_outcome", name, "month", 2) for name in ("Delivered", "Declined", "Not located")]
    assert contradictions(pd.DataFrame(rows, columns=[*KEY, "value"]), two, NOVEMBER) == []


# ---------------------------------------------------------------- the register


def an_operation(adults: int, number: int = 1) -> list[str]:
    return [f"O{number},2023-11-05,SE,Home visit,,{adults},0"]


def adults(verdicts: IssueVerdicts) -> pd.Series:
    return verdicts.figures.iloc[0]


@pytest.fixture
def city(project: Project, deliver: Deliver) -> Project:
    """One operation in November, with four adults; in January it turns out that they were six."""
    deliver("2023-12-04", outreach=an_operation(4))
    deliver("2024-01-04", outreach=an_operation(6))
    return project


@pytest.mark.parametrize(
    ("value", "verdict", "note"),
    [(4, "revised since", ""), (6, "differs", "The records received by 2024-01-04 give it."), (5, "differs", "")],
)
def test_a_figure_is_compared_as_of_its_issue_and_as_of_now(city: Project, value: int, verdict: str, note: str) -> None:
    printed(city, value)
    (found,) = verify_register(city)
    assert (found.as_of, found.now) == (dt.date(2023, 12, 4), dt.date(2024, 1, 4))
    row = adults(found)
    assert (row["verdict"], row["recomputed"], row["now"], row["note"]) == (verdict, 4, 6, note)
    assert row["change"] == 6 - value


def test_as_of_one_day_there_is_no_now(city: Project) -> None:
    printed(city, 6)
    (found,) = verify_register(city, as_of=dt.date(2024, 1, 4))
    assert (adults(found)["verdict"], found.as_of, found.now) == (
        "reproduced",
        dt.date(2024, 1, 4),
        dt.date(2024, 1, 4),
    )


def test_the_as_of_date_that_an_issue_states_decides(city: Project) -> None:
    issue = printed(city, 6)
    (found,) = verify_register(city)
    assert adults(found)["verdict"] == "differs"
    add_issue(city, replace(issue, name=type(issue.name)(NOVEMBER, 1), as_of=dt.date(2024, 1, 4), reason="Corrected."))
    first, second = verify_register(city)
    assert adults(second)["verdict"] == "reproduced"
    # The first one is wrong, and known to be: that is why there is another one.
    assert adults(first)["verdict"] == "differs"
    assert str(first.replaced_by) == "2023-11-r1"
    assert worst([first]) == "differs"


def test_a_replaced_issue_decides_nothing(city: Project) -> None:
    issue = printed(city, 5)
    zero = verify_register(city)
    assert worst(zero) == "differs"
    add_issue(
        city,
        replace(
            issue,
            figures=issue.figures.assign(
                value=lambda t: (
                    t["value"]
                    .where(t["measure"].ne("adults_assisted"), 4)
                    .where(t["measure"].ne("outreach_operations"), 1)
                )
            ),
            name=type(issue.name)(NOVEMBER, 1),
            reason="Corrected.",
        ),
    )
    assert worst(verify_register(city)) is None


def test_a_month_that_was_never_delivered_is_not_reproducible(project: Project, deliver: Deliver) -> None:
    printed(project, 4)
    deliver("2023-11-03")
    (found,) = verify_register(project)
    assert set(found.figures["verdict"]) == {"not reproducible"}
    assert "There is no data for 2023-11 yet" in found.why
    assert found.as_of is None
    assert worst([found]) == "not reproducible"


def test_an_issue_from_before_the_records_is_not_reproducible(project: Project, deliver: Deliver) -> None:
    add_issue(project, an_issue("2021-05"))
    deliver("2023-12-04")
    (found,) = verify_register(project)
    assert found.count("not reproducible") == 1
    assert "when the records begin" in found.why


def test_without_any_delivery_nothing_is_reproducible(project: Project) -> None:
    printed(project, 4)
    (found,) = verify_register(project)
    assert set(found.figures["verdict"]) == {"not reproducible"}


def test_an_empty_register_cannot_be_verified(project: Project, deliver: Deliver) -> None:
    deliver()
    with pytest.raises(PublishedError, match="The register of published figures is empty"):
        verify_register(project)


def test_a_delivery_that_cannot_be_read_is_an_error_and_no_verdict(city: Project) -> None:
    printed(city, 4)
    (city.raw / "2024-01-04" / "outreach.csv").write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(DeliveryError, match=r"2024-01-04/outreach\.csv"):
        verify_register(city)
    # As of an earlier day it has no part in the answer.
    (found,) = verify_register(city, as_of=dt.date(2023, 12, 4))
    assert adults(found)["verdict"] == "reproduced"


def test_rows_in_quarantine_are_no_verdict_either(project: Project, deliver: Deliver) -> None:
    printed(project, 4)
    deliver("2023-12-04", outreach=[*an_operation(4), "O2,2023-11-06,SE,Home visit,,many,0"])
    with pytest.raises(QuarantineError, match="'many'"):
        verify_register(project)
    (found,) = verify_register(project, allow_quarantined=True)
    assert adults(found)["verdict"] == "reproduced"


def test_missing_figures_are_named(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    add_issue(project, an_issue(value=0))
    (found,) = verify_register(project)
    assert found.count("not in the published file") == 27
    assert "2023-11, children_assisted/fytd: is not in the register" in str(found.missing[0])
    assert len(found.missing) == 27


# ---------------------------------------------------------------- what people, machines and pages get


@pytest.fixture
def mixed(city: Project) -> Project:
    """A city whose November was revised, whose correction differs, and of whose October there are no records."""
    issue = printed(city, 4, footnote="A footnote with <b> and | in it.")
    figures = issue.figures
    add_issue(city, replace(issue, name=IssueName(NOVEMBER, 1), figures=figures, reason="A reason.", footnote=""))
    october = ReportMonth(2021, 10)
    add_issue(city, replace(issue, name=IssueName(october), figures=all_printed(city, october, 3), footnote=""))
    return city


def test_verdicts_are_shown_to_people_to_machines_and_to_scripts(mixed: Project) -> None:
    people, as_json, as_csv = (vip("verify", *form, cwd=mixed.root) for form in (("--all",), ("--json",), ("--csv",)))
    # outreach_operations was printed as 0 and is 1.
    assert {done.returncode for done in (people, as_json, as_csv)} == {1}
    assert "2023-11: 26 of 28 figures reproduced, 1 revised since, 1 differs." in people.stdout
    assert "2021-10: 0 of 28 figures reproduced, 28 not reproducible." in people.stdout
    assert "Replaced by 2023-11-r1; this one stays for the record and decides nothing." in people.stdout
    assert "Printed again because: A reason." in people.stdout
    issues = json.loads(as_json.stdout)["issues"]
    assert [issue["issue"] for issue in issues] == ["2021-10", "2023-11", "2023-11-r1"]
    assert issues[1]["counts"]["revised since"] == 1
    rows = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert len(rows) == 3 * 28
    row = next(row for row in rows if row["verdict"] == "revised since")
    assert (row["issue"], row["as_of"], row["published"], row["now"], row["change"]) == (
        "2023-11", "2023-12-04", "4", "6", "2",
    )  # fmt: skip
    assert issues[1]["figures"][0]["now"] == 6


@pytest.mark.parametrize(
    ("issue", "code"), [("2021-10", 4), ("2023-11", 1), ("2023-11-r1", 1), ("2023-12", 2), ("x", 2)]
)
def test_the_exit_code_says_which_verdict_decides(mixed: Project, issue: str, code: int) -> None:
    assert vip("verify", issue, cwd=mixed.root).returncode == code


def test_a_missing_figure_is_an_error_and_never_a_pass(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    add_issue(project, an_issue(value=0))
    done = vip("verify", "2023-11", cwd=project.root)
    assert done.returncode == 2
    assert "not in the published file" in done.stdout
    assert "2023-11, children_assisted/fytd: is not in the register, and the issue prints it" in done.stderr


def test_one_issue_or_all_of_them(city: Project) -> None:
    printed(city, 4)
    assert "leave out one of them" in vip("verify", "2023-11", "--all", cwd=city.root).stderr


def test_the_issue_says_what_became_of_the_figures_of_its_year(mixed: Project) -> None:
    edition = load_edition(mixed, NOVEMBER)
    text = verdict_sections.verdicts(mixed, edition).data
    # As of the issue's own date nothing had been revised yet; October 2021 is of another year.
    assert "| November 2023 (replaced) | 28 | 27 | 1 |" in text
    assert r"| November 2023, re\-issue 1 | 28 | 27 | 1 |" in text
    assert "October 2021" not in text
    assert r"A footnote with \<b\> and \| in it" in text
    later = verdict_sections.verdicts(mixed, load_edition(mixed, NOVEMBER, dt.date(2024, 1, 4))).data
    assert "| Adults assisted, FYTD | 4 | 4 | 6 | revised since |" in later
    assert "Revised since: the records gave the published number then" in later


def test_an_issue_does_not_know_of_what_was_published_from_later_records(city: Project) -> None:
    issue = printed(city, 6)
    later = replace(issue, name=IssueName(NOVEMBER, 1), as_of=dt.date(2024, 1, 4), reason="A reason.")
    add_issue(city, later)
    text = verdict_sections.verdicts(city, load_edition(city, NOVEMBER)).data
    assert "re-issue" not in text
    assert "replaced" not in text


def test_an_issue_of_a_city_without_a_register_has_no_such_part(city: Project) -> None:
    assert verdict_sections.verdicts(city, load_edition(city, NOVEMBER)).data == ""


def test_the_page_of_verdicts_holds_every_issue_and_its_data(mixed: Project) -> None:
    for name in ("notebooks", "report"):
        shutil.copytree(REPOSITORY / name, mixed.root / name)
    shutil.copy(REPOSITORY / "_quarto.yml", mixed.root)
    done = vip("verify", "--all", "--csv", cwd=mixed.root)
    page_of_all = verdicts_of_all(mixed, verify_register(mixed))
    assert page_of_all.files == {"verdicts.csv": done.stdout.encode()}
    made = page_made(mixed, page_of_all, choose_engine("embedded"))
    page = BeautifulSoup(made.read_text(encoding="utf-8"), "html.parser")
    headings = [heading.get_text(strip=True) for heading in page.find_all("h2")]
    assert headings == [
        "All reports", "October 2021", "November 2023", "November 2023, re-issue 1",
    ]  # fmt: skip
    assert [heading.get_text(" ", strip=True) for heading in page.find_all("h1")] == [
        "Violence Intervention Program Number checks"
    ]
    words = " ".join(page.get_text(" ").split())
    assert "84 numbers in 3 reports" in words
    assert "A footnote with <b> and | in it." in words
    # The counts; of the two issues with records, what is not reproduced; every figure.
    assert len(page.select("tbody tr")) == 3 + 2 * 2 + 3 * 28
    assert page.select("th[scope=row]")


def test_rows_that_were_left_out_are_said_wherever_the_verdicts_are(project: Project, deliver: Deliver) -> None:
    printed(project, 4)
    deliver("2023-12-04", outreach=[*an_operation(4), "O2,2023-11-06,SE,Home visit,,many,0"])
    done = vip("verify", "2023-11", "--allow-quarantined", cwd=project.root)
    said = "Rows in quarantine as of 2023-12-04: 1. They are not counted, so figures may be wrong."
    assert said in done.stdout
    done = vip("verify", "2023-11", "--allow-quarantined", "--json", cwd=project.root)
    assert said in json.loads(done.stdout)["issues"][0]["notes"]
    assert "Rows in quarantine" in verdict_sections.verdicts(project, load_edition(project, NOVEMBER)).data


def test_nothing_that_a_terminal_acts_on_reaches_it_from_the_register(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    printed(project, 0)
    index = project.published / "index.csv"
    index.write_text(index.read_text(encoding="utf-8").replace("a person", "a \u009b31mperson\u202e"), encoding="utf-8")
    done = vip("verify", "2023-11", cwd=project.root)
    assert (done.returncode, "has a character that cannot be seen" in done.stderr) == (2, True)
    assert "\u009b" not in done.stdout + done.stderr


def test_a_delivery_that_is_lost_is_an_error_and_no_missing_records(project: Project, deliver: Deliver) -> None:
    printed(project, 0)
    deliver("2023-12-04")
    (project.raw / "2023-12-04" / "outreach.csv").unlink()
    with pytest.raises(DeliveryError, match="1 of 7 tables was not"):
        verify_register(project)


def test_an_as_of_date_before_the_end_of_the_month_is_an_error(city: Project) -> None:
    printed(city, 4)
    done = vip("verify", "--all", "--as-of", "2023-11-15", cwd=city.root)
    assert done.returncode == 2
    assert "was not over on 2023-11-15" in done.stderr


def test_a_printed_figure_that_nothing_counts_is_missing_also_where_the_print_contradicts_itself(
    published: pd.DataFrame, program: Program
) -> None:
    rows = [("people_notified", "", "month", 9), ("people_notified", "", "fytd", 4)]
    more = pd.concat([published, pd.DataFrame(rows, columns=[*KEY, "value"])], ignore_index=True)
    table = compare(more, published, published, program, NOVEMBER)
    assert verdicts_of(table) == {"reproduced": 28, "not recomputed": 2}


def test_a_measure_that_was_added_later_is_not_missed_in_earlier_issues(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    settings = project.root / "program.toml"
    text = settings.read_text(encoding="utf-8")
    later = text.replace(
        'label = "people notified"', 'label = "people notified"\nprinted = ["month"]\nissues_from = "2023-12"'
    )
    settings.write_text(later, encoding="utf-8")
    printed(project, 0)
    (found,) = verify_register(Project.open(project.root))
    assert (len(found.figures), found.missing) == (28, [])
    settings.write_text(later.replace('issues_from = "2023-12"', 'issues_from = "2023-11"'), encoding="utf-8")
    (found,) = verify_register(Project.open(project.root))
    assert [str(problem).split(":")[0] for problem in found.missing] == ["2023-11, people_notified/month"]


def test_figures_stay_what_they_were_when_their_measure_is_renamed(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    printed(project, 0)
    settings = project.root / "program.toml"
    text = settings.read_text(encoding="utf-8").replace("adults_assisted]", "grown_ups_assisted]")
    text = text.replace('headline = ["adults_assisted"', 'headline = ["grown_ups_assisted"')
    settings.write_text(text, encoding="utf-8")
    with pytest.raises(PublishedError, match="'adults_assisted' is not a measure"):
        verify_register(Project.open(project.root))
    label = 'label = "adults assisted"'
    settings.write_text(text.replace(label, f'{label}\nformerly = ["adults_assisted"]'), encoding="utf-8")
    (found,) = verify_register(Project.open(project.root))
    assert found.count("reproduced") == 28
    assert "grown_ups_assisted" in set(found.figures["measure"])
