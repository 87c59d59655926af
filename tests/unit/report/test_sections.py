"""Figures as Markdown: what the tables and notes say."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest
from IPython.display import Markdown
from matplotlib.figure import Figure

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver, with_measures
from tests.support.register import an_issue
from viputils.audit.as_of import load_edition
from viputils.audit.register import add_issue
from viputils.audit.revisions import trend_revisions
from viputils.config.project import Project
from viputils.core.text import plural
from viputils.figures.edition import Edition
from viputils.report import about, charts, drawing, layout, narrative, sections
from viputils.report.markdown import unescape


@pytest.fixture
def kept() -> tuple[str, ...]:
    """The tables that most tests need; a parameter of this name gives other ones."""
    return ("responses", "reviews")


@pytest.fixture
def project(project: Project, kept: tuple[str, ...]) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, *kept)


@pytest.mark.parametrize(
    ("part", "whole", "says"), [(7, 13, "54%"), (1, 8, "13%"), (0, 5, "0%"), (5, 5, "100%"), (0, 0, "[x]")]
)
def test_a_share_is_a_whole_percentage_halves_up(part: int, whole: int, says: str) -> None:
    assert layout.percent(part, whole) == says


def test_numbers_have_commas_and_nouns_agree() -> None:
    assert layout.number(4666) == "4,666"
    assert plural(1, "record") == "1 record"
    assert plural(2, "person", "people") == "2 people"


def test_the_headline_numbers_are_those_of_the_month_beside_the_year_to_date(demonstration: Edition) -> None:
    text = sections.headline(demonstration).data
    rows = {row[0]: row[1:] for row in rows_of(text)}
    assert {name: row[1] for name, row in rows.items()} == {
        "Adults assisted": "**2,599**",
        "Children assisted": "**101**",
        "Referrals made": "**4,666**",
        "Outreach operations": "**2,446**",
    }  # As published.
    operations = demonstration.records.tables["outreach"].rows["operation_date"].dt.strftime("%Y-%m")
    counts = [operations.eq("2023-11"), operations.between("2023-07", "2023-11"), operations.eq("2022-11")]
    counts.append(operations.between("2022-07", "2022-11"))
    assert [cell.strip("*").replace(",", "") for cell in rows["Outreach operations"]] == [
        str(one.sum()) for one in counts
    ]
    assert "November 2023 and the fiscal year to date (FYTD), which began on July 1, 2023" in text
    assert r"| Nov \[p\] | FYTD \[p\] | Nov 2022 | FYTD to Nov 2022 |" in text


def test_what_is_not_known_of_the_year_before_is_marked_and_explained(project: Project, deliver: Deliver) -> None:
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    text = text.replace("records_from = 2022-07-01", "records_from = 2022-10-01")
    (project.root / "program.toml").write_text(text, encoding="utf-8")
    deliver(responses=["R1,2022-11-02,DV,SE", "R2,2023-11-02,DV,SE"])
    text = sections.breakdowns(load_edition(Project.open(project.root), "2023-11")).data
    # November 2022 is known; the year to date is not, because it began in July.
    assert r"| DV/Sexual Assault | **1** | **1** | 1 | \[x\] |" in text
    assert r"| **Total** | **1** | **1** | 1 | \[x\] |" in text
    assert r"\[x\] means not available: there are no records." in text


def test_a_category_that_began_within_the_year_has_no_number_a_year_earlier(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    begins = '[[lifetimes]]\nvocabulary = "incident_type"\nvalue = "Suicide"\nvalid_from = 2023-01-01\n\n[[crosswalks]]'
    path.write_text(path.read_text(encoding="utf-8").replace("[[crosswalks]]", begins, 1), encoding="utf-8")
    deliver(responses=["R1,2022-11-02,DV,SE", "R2,2022-11-03,DV,", "R3,2023-11-02,Suicide,SE"])
    text = sections.breakdowns(load_edition(Project.open(project.root), "2023-11")).data
    assert r"| Suicide | **1** | **1** | \[x\] | \[x\] |" in text
    assert "| **Total** | **1** | **1** | 2 | 2 |" in text
    # The table by area has one fewer, and says so.
    assert "Nov 2022: 1 of 2 responses had no usable area command." in text


def test_a_category_that_ended_within_the_year_before_keeps_its_row(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    ended = '[[lifetimes]]\nvocabulary = "incident_type"\nvalue = "Suicide"\nvalid_to = 2023-01-31\n\n[[crosswalks]]'
    path.write_text(path.read_text(encoding="utf-8").replace("[[crosswalks]]", ended, 1), encoding="utf-8")
    deliver(responses=["R1,2022-11-02,Suicide,SE", "R2,2022-11-03,DV,SE", "R3,2023-11-02,DV,SE"])
    text = sections.breakdowns(load_edition(Project.open(project.root), "2023-11")).data
    assert r"| Suicide | \[x\] | \[x\] | 1 | 1 |" in text
    assert "| **Total** | **1** | **1** | 2 | 2 |" in text


def test_the_two_tables_have_the_month_and_the_year_to_date_with_their_totals(demonstration: Edition) -> None:
    text = sections.breakdowns(demonstration).data
    assert text.count("::: {.column}") == 2
    assert "| Gun/Other Violence | **55** | **178** |" in text
    assert "| Northwest | **7** | **22** |" in text
    assert "| **Total** | **90** | **320** |" in text
    assert "| **Total** | **90** | **319** |" in text


def test_a_note_says_why_the_two_tables_do_not_add_up_to_the_same(demonstration: Edition) -> None:
    text = sections.breakdowns(demonstration).data
    note = "In the fiscal year to date, 1 of 320 responses has no usable area command"
    assert note in text
    assert "adds up to 319 and not to 320" in text
    assert "In November 2023, " not in text


def test_a_month_that_does_not_add_up_has_its_own_note(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,", "R3,2023-11-02,DV,"])
    edition = load_edition(project, "2023-11")
    text = sections.breakdowns(edition).data
    assert "In November 2023, 2 of 3 responses have no usable area command" in text
    assert "In the fiscal year to date, 2 of 3" in text


def test_no_note_where_they_agree(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    edition = load_edition(project, "2023-11")
    assert "usable" not in sections.breakdowns(edition).data


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
def test_the_funnel_says_not_available_where_nobody_was_notified(project: Project, deliver: Deliver) -> None:
    deliver()
    edition = load_edition(project, "2023-11")
    text = sections.funnel(edition).data
    assert r"| Engagement rate | \[x\] | \[x\] |" in text
    assert "no one was notified" in text


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
def test_the_funnel_counts_people_once(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=["N1,2023-11-02,C1,Delivered,yes", "N2,2023-08-02,C2,Delivered,yes"],
        engagements=["E1,2023-11-03,C1,Food", "E2,2023-11-04,C1,Housing"],
    )
    edition = load_edition(project, "2023-11")
    text = sections.funnel(edition).data
    assert "In November 2023, 1 person received a Custom Notification, and 1 engaged with a service" in text
    assert "In the fiscal year to date, 1 of 2 did." in text
    assert "| People notified | 1 | 2 |" in text
    assert "| Engagement rate | 100\\% | 50\\% |" in text


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        (0, "No one received a Custom Notification in November 2023."),
        (1, "Of 1 person who received a Custom Notification in November 2023, 1 engaged with a service by the end of "),
        (2, "Of 2 people who received a Custom Notification in November 2023, 1 engaged with a service by the end of "),
    ],
)
def test_people_notified_and_engaged_are_one_main_point(
    project: Project, deliver: Deliver, people: int, sentence: str
) -> None:
    deliver(
        notifications=[f"N{one},2023-11-02,C{one},Delivered,yes" for one in range(people)],
        engagements=["E1,2023-11-03,C0,Food"],
    )
    points = narrative.points_of(load_edition(project, "2023-11"), None, [])
    assert any(unescape(point).startswith(sentence) for point in points)


@pytest.mark.parametrize("kept", [("notifications", "engagements")])
def test_the_sentence_of_the_funnel_tells_the_month_from_the_year(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=[
            *(f"N{n},2023-11-02,C{n},Delivered,yes" for n in range(1, 5)),
            *(f"N{n},2023-08-02,C{n},Delivered,yes" for n in range(5, 8)),
        ],
        engagements=["E1,2023-11-03,C1,Food", "E5,2023-08-04,C5,Food", "E6,2023-08-04,C6,Food"],
    )
    edition = load_edition(project, "2023-11")
    text = sections.funnel(edition).data
    assert "In November 2023, 4 people received a Custom Notification, and 1 engaged with a service" in text
    assert "In the fiscal year to date, 3 of 7 did." in text


def test_demonstration_records_say_so_and_real_ones_do_not(
    project: Project, deliver: Deliver, demonstration: Edition
) -> None:
    assert r"This is sample data\. It does not describe real people or events\." in sections.notices(demonstration).data
    assert "sample data received by December 4, 2023" in about.provenance(demonstration).data
    whole = about.about(Project.open(REPOSITORY), demonstration).data
    # True of every issue: records that come in later can change the numbers of November.
    assert "counted from the records received by December 4, 2023" in whole
    deliver(responses=["R1,2023-11-02,DV,SE"])
    edition = load_edition(project, "2023-11")
    assert sections.notices(edition).data == ""
    assert "sample data" not in about.about(project, edition).data


@pytest.mark.parametrize("kept", [("responses", "outreach")])
def test_an_issue_with_later_records_than_a_published_one_of_unknown_day_says_so(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    add_issue(project, an_issue("2023-11", as_of=None))
    assert "updated report" not in sections.issue_notices(project, load_edition(project, "2023-11")).data
    deliver("2023-12-20", responses=["R2,2023-11-09,HOM,NE"])
    text = unescape(sections.issue_notices(project, load_edition(project, "2023-11", dt.date(2023, 12, 20))).data)
    assert "This is an updated report. A report of this month was published before. This one counts the" in text
    assert "records received by December 20, 2023." in text


@pytest.mark.parametrize("kept", [("responses", "outreach")])
def test_an_issue_with_later_records_than_the_published_one_says_which_report_it_updates(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    add_issue(project, an_issue("2023-11", printed=dt.date(2023, 12, 8)))
    own = load_edition(project, "2023-11")
    assert "updated report" not in sections.issue_notices(project, own).data, "publication does not change an issue"
    deliver("2023-12-20", responses=["R2,2023-11-09,HOM,NE"])
    corrected = load_edition(project, "2023-11", dt.date(2023, 12, 20))
    text = unescape(sections.issue_notices(project, corrected).data)
    assert "This is an updated report. The report published on December 8, 2023 counts the records received by" in text
    assert "by December 4, 2023. This one counts the records received by December 20, 2023." in text
    add_issue(project, an_issue("2023-11-r1", as_of=dt.date(2023, 12, 20), reason="A late record."))
    assert unescape(sections.issue_notices(project, corrected).data) == text, "publication does not change an issue"
    deliver("2023-12-22", responses=["R3,2023-11-09,HOM,NE"])
    again = load_edition(project, "2023-11", dt.date(2023, 12, 22))
    text = unescape(sections.issue_notices(project, again).data)
    assert "The published report counts the records received by December 20, 2023. This one" in text
    assert "updated report" not in sections.notices(corrected).data, "other pages than an issue do not say so"


def test_rows_in_quarantine_are_told_on_the_page(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Burglary,SE"])
    text = sections.notices(load_edition(project, "2023-11")).data
    assert "1 record could not be read and is not counted" in text


def test_every_row_that_was_read_is_accounted_for_on_the_page(demonstration: Edition) -> None:
    text = about.provenance(demonstration).data
    account = demonstration.records.account.drop(columns="table").sum()
    total = " | ".join(f"**{number:,}**" for number in account)
    assert f"| **All tables** | {total} |" in text


def test_a_month_without_activities_says_so(project: Project, deliver: Deliver) -> None:
    deliver()
    edition = load_edition(project, "2023-11")
    assert sections.activities(project, edition).data == "", "a city that writes none down has no such part"
    project.activities(edition.month).parent.mkdir(parents=True)
    text = sections.activities(project, edition).data
    assert "No activities have been written down for November 2023." in text


def test_the_crosswalk_is_shown_as_an_assumption(demonstration: Edition) -> None:
    text = about.definitions(Project.open(REPOSITORY), demonstration).data
    assert "University counted as Southeast (an assumption)" in text
    assert "February 12, 2023" in text


def test_a_crosswalk_that_is_no_assumption_is_not_called_one(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("assumption = true", 'issues_to = "2023-11"'), "utf-8")
    deliver()
    deliver("2024-01-04")
    project = Project.open(project.root)
    assert "**University counted as Southeast.**" in about.definitions(project, load_edition(project, "2023-11")).data
    # An issue that it does not hold for does not speak of it.
    assert "University" not in about.definitions(project, load_edition(project, "2023-12")).data


def trend_table(edition: Edition) -> str:
    return sections.trend_table(edition, trend_revisions(edition))


def rows_of(markdown: str) -> list[list[str]]:
    lines = [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("| ")]
    return lines[2:]


def test_the_table_beside_the_chart_holds_its_numbers_and_their_total(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-07-02,DV,SE", "R2,2023-11-02,DV,SE", "R3,2023-11-03,DV,SE"])
    text = trend_table(load_edition(project, "2023-11"))
    assert rows_of(text) == [
        ["July 2023", "1"], ["August 2023", "0"], ["September 2023", "0"], ["October 2023", "0"],
        ["November 2023", r"2 \[p\]"], ["**Fiscal year to date**", r"**3 \[p\]**"],
    ]  # fmt: skip
    assert r"\[p\] means provisional" in text
    assert "revised" not in text


def test_a_month_that_moved_since_it_was_first_counted_is_marked_with_both_numbers(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-11-03", responses=["R1,2023-10-02,DV,SE", "R2,2023-10-02,DV,SE"])
    deliver(
        "2023-12-04",
        responses=["R1,2023-09-30,DV,SE", "R3,2023-10-03,DV,SE", "R4,2023-10-03,DV,SE", "R5,2023-11-03,DV,SE"],
    )
    first, revised = trend_table(load_edition(project, "2023-11")).split("Responses by month")
    assert rows_of(first)[2:5] == [
        ["September 2023", r"1 \[r\]"], ["October 2023", r"3 \[r\]"], ["November 2023", r"1 \[p\]"],
    ]  # fmt: skip
    assert rows_of(revised) == [
        ["September 2023", "November 3, 2023", "0", "1", "+1"],
        ["October 2023", "November 3, 2023", "2", "3", "+1"],
    ]
    assert r"\[r\] means revised" in revised


def test_a_number_that_includes_the_newest_month_is_marked_as_provisional_like_the_month(
    demonstration: Edition,
) -> None:
    for part in (sections.headline, sections.breakdowns, sections.funnel):
        heads = [line for line in part(demonstration).data.splitlines() if r"| Nov \[p\] |" in line]
        assert heads
        assert all(r"| FYTD \[p\] |" in line for line in heads)


def test_every_table_has_its_own_account_on_the_page(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-01", responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,DV,SE"])
    deliver("2023-12-04", responses=["R1,2023-11-02,HOM,SE", "R2,2023-11-02,x,SE"], reviews=["W1,2023-11-02,3,2"])
    edition = load_edition(project, "2023-11", dt.date(2023, 12, 4))
    rows = {row[0]: row[1:] for row in rows_of(about.provenance(edition).data)}
    assert rows["Responses to incidents"] == ["4", "1", "1", "1", "1"]
    assert rows["Weekly shooting reviews"] == ["1", "1", "0", "0", "0"]


def test_words_from_program_toml_are_never_markup(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    hostile = path.read_text(encoding="utf-8").replace('"Gun/Other Violence" =', '"<b>|{x}" =')
    path.write_text(hostile, encoding="utf-8")
    deliver(responses=["R1,2023-11-02,GSW,SE"])
    project = Project.open(project.root)
    edition = load_edition(project, "2023-11")
    text = sections.breakdowns(edition).data
    assert r"| \<b\>\|\{x\} | **1** | **1** |" in text


def by_month(project: Project, edition: Edition) -> str:
    return str(charts.by_month(project, edition, trend_revisions(edition)).data)


@pytest.fixture(scope="module")
def chart(demonstration: Edition) -> str:
    return by_month(Project.open(REPOSITORY), demonstration)


def test_the_alt_text_of_the_chart_says_every_number(chart: str, demonstration: Edition) -> None:
    figures = demonstration.figures
    counts = figures.loc[figures["measure"].eq("responses_by_month"), "value"]
    alt = chart.split('fig-alt="')[1].split('"')[0]
    assert alt.startswith("Column chart of responses by month in FY2024: July 2023 ")
    assert [
        int(word) for word in alt.replace(",", "").replace(".", "").split() if word.isdecimal() and int(word) < 1000
    ] == list(counts)
    assert "November 2023 90." in alt


def test_a_month_that_is_not_known_has_its_place_and_no_column() -> None:
    (gap,) = drawing.columns_chart(REPOSITORY / "report" / "fonts", ["a", "b"], [None, 3]).axes
    assert [text.get_text() for text in gap.texts] == ["3"]


def test_the_chart_has_one_column_for_each_month_as_high_as_its_number() -> None:
    names = ["Jul", "Aug", "Sep", "Oct"]
    (axes,) = drawing.columns_chart(REPOSITORY / "report" / "fonts", names, [55, 0, 1200]).axes
    assert [bar.get_height() for bar in axes.patches] == [55, 0, 1200]  # type: ignore[attr-defined]
    assert [text.get_text() for text in axes.texts] == ["55", "0", "1,200"]
    assert [label.get_text() for label in axes.get_xticklabels()] == names
    assert axes.get_ylim()[0] == 0


def test_the_alt_text_of_the_chart_keeps_the_quotes_of_a_label(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    path.write_text(
        path.read_text("utf-8").replace('label = "responses"', """label = 'so-called "responses"'"""), "utf-8"
    )
    deliver()
    opened = Project.open(project.root)
    shutil.copytree(REPOSITORY / "report" / "fonts", opened.report / "fonts")
    edition = load_edition(opened, "2023-11")
    text = by_month(opened, edition)
    assert 'fig-alt="Column chart of so-called \\"responses\\" by month' in text


def test_the_caption_of_the_chart_says_its_span(chart: str) -> None:
    assert "![Responses by month, FY2024 to November 30, 2023](" in chart


def test_the_same_figures_give_the_same_chart_to_the_byte(chart: str, demonstration: Edition) -> None:
    assert by_month(Project.open(REPOSITORY), demonstration) == chart


@pytest.mark.parametrize("kept", [("responses", "notifications")])
def test_the_total_of_what_is_counted_once_is_not_the_sum_of_its_parts(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    more = """
[measures.people]
label = "people"
table = "notifications"
count = { distinct = "candidate_id" }

[measures.people_by_outcome]
label = "Outcome"
table = "notifications"
count = { distinct = "candidate_id" }
by = "outcome"

[measures.people_by_month]
label = "Month"
table = "notifications"
count = { distinct = "candidate_id" }
by = "month"
"""
    with_measures(project, more)
    text = path.read_text(encoding="utf-8")
    text = text.replace('"responses_by_area_command"]', '"people_by_outcome"]').replace(
        'trend = "responses_by_month"', 'trend = "people_by_month"'
    )
    path.write_text(text, encoding="utf-8")
    deliver(notifications=["N1,2023-10-02,C1,Declined,no", "N2,2023-11-02,C1,Delivered,no", "N3,2023-11-03,C1,UTL,no"])
    edition = load_edition(Project.open(project.root), "2023-11")
    assert rows_of(sections.breakdowns(edition).data)[-1] == ["**Total**", "**1**", "**1**", "0", "0"]
    assert rows_of(trend_table(edition))[-1] == ["**Fiscal year to date**", r"**1 \[p\]**"]


def test_a_void_in_quarantine_can_make_figures_too_high(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"], voids=["V1,2023-12-04,responses,R2"])
    assert "may be too low or too high" in sections.notices(load_edition(project, "2023-11")).data


@pytest.mark.parametrize("kept", [("responses", "outreach")])
def test_a_sum_that_its_parts_do_not_add_up_to_is_explained(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    more = """
[measures.adults_by_area]
label = "Area command"
table = "outreach"
count = { sum = "adults_assisted" }
by = "area_command"
"""
    with_measures(project, more)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"responses_by_area_command"]', '"adults_by_area"]'), encoding="utf-8")
    deliver(outreach=["O1,2023-11-02,SE,Home visit,,5,0", "O2,2023-11-02,,Home visit,,7,0"])
    text = sections.breakdowns(load_edition(Project.open(project.root), "2023-11")).data
    assert "In November 2023, 7 of 12 adults assisted have no usable area command" in text


def test_the_tile_map_has_the_numbers_of_its_table(demonstration: Edition) -> None:
    shown = charts.tile_map(Project.open(REPOSITORY), demonstration).data
    # As published: month and year to date of each area.
    published = {"Southeast": (33, 133), "Southwest": (5, 45), "Valley": (7, 47), "Foothills": (11, 28)}
    published |= {"Northeast": (27, 44), "Northwest": (7, 22)}
    alt = shown.split('fig-alt="')[1].split('"')[0]
    for area, (month, to_date) in published.items():
        assert f"{area} {month} (FYTD {to_date})" in alt
    assert shown.startswith("## Responses: most in Southeast\n")
    assert "Tiles show rough positions, not boundaries" in shown
    assert "Source: sample data, received by December 4, 2023." in shown


def test_an_area_without_a_tile_is_named_below_the_map(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    program = (REPOSITORY / "program.toml").read_text(encoding="utf-8")
    tiles = program[program.index("[report.tile_map]") : program.index("# Which measures stand at which step of")]
    measure = '[measures.responses_by_area_command]\nmissing = "Not recorded"'
    text = path.read_text(encoding="utf-8").replace("[measures.responses_by_area_command]", measure)
    path.write_text(f"{text}\n{tiles}", encoding="utf-8")
    rows = [f"R{place},2023-11-02,DV,{area}" for place, area in enumerate(("SE", "SE", "NE", "NE", ""))]
    deliver(responses=rows)
    opened = Project.open(project.root)
    shutil.copytree(REPOSITORY / "report" / "fonts", opened.report / "fonts")
    shown = charts.tile_map(opened, load_edition(opened, "2023-11")).data
    assert shown.startswith("## Responses: most in Southeast and Northeast\n")
    assert "Not on the map, but in the table: Not recorded." in shown
    # An area without a tile that has the most leaves the map without a finding.
    deliver("2023-12-05", responses=[f"R1{place},2023-11-02,DV," for place in range(3)])
    shown = charts.tile_map(opened, load_edition(opened, "2023-11", dt.date(2023, 12, 5))).data
    assert shown.startswith("## Responses by area command, November 2023\n")


def test_names_that_changed_have_a_heading_above_them_without_a_text_of_definitions(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    text = about.about(project, load_edition(project, "2023-11")).data
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[:3] == ["## About this report", "### Definitions", "#### Names that changed"]


def test_where_to_get_help_is_shown_only_if_a_city_says_where(project: Project) -> None:
    shown = about.where_to_get_help(Project.open(REPOSITORY)).data
    assert shown.startswith("## Where to get help\n\n- In an emergency, call **911**\n")
    assert r"call or text **988** ([988lifeline\.org](https://988lifeline.org))" in shown
    assert "- Questions about this report: Violence Intervention Program (" in shown
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("[[help]]"), text.index("[demonstration]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    assert about.where_to_get_help(Project.open(project.root)).data == ""


def test_brackets_in_an_address_do_not_end_its_link(project: Project) -> None:
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8").replace("https://988lifeline.org", "https://example.org/a_(b)[c]!")
    path.write_text(text, encoding="utf-8")
    shown = about.where_to_get_help(Project.open(project.root)).data
    assert "](https://example.org/a_%28b%29%5Bc%5D%21))" in shown


def test_a_notebook_shows_the_full_text_of_a_chart_and_none_of_its_attributes() -> None:
    def draw() -> Figure:
        return drawing.columns_chart(REPOSITORY / "report" / "fonts", ["Jul"], [1])

    image = drawing.image_markdown(draw, "chart", "A *caption*", 'Say "one" \\ {two}', 'Source: the "City" {x}')
    shown = layout.readable(Markdown(f"## Part\n\n{image}")).data
    said, rest = shown.split("](data:", 1)
    assert said == '## Part\n\n![Say \\"one\\" \\\\ \\{two\\}'
    assert rest.endswith(")\n\n*A *caption**")
