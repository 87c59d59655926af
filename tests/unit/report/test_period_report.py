"""The report of a quarter and of a year: sentences by the rules of months, and tables that show nothing unknown."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from matplotlib.colors import to_hex

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.audit.revisions import trend_revisions
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures.assessment import assess
from viputils.figures.edition import Edition
from viputils.report import charts, period_narrative, period_sections
from viputils.report.drawing import BAR, PAST_BAR, columns_chart
from viputils.report.layout import change_percent
from viputils.report.markdown import unescape
from viputils.report.narrative import MOST_POINTS, MOST_WORDS

FIRST = ReportMonth(2022, 7)
Told = Callable[..., Edition]


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


@pytest.fixture
def told(project: Project, deliver: Deliver) -> Told:
    """The edition of a period, with so many domestic incidents in each month from July 2022 on."""

    def make(period: str, counts: Sequence[int]) -> Edition:
        for earlier in project.raw.iterdir():
            shutil.rmtree(earlier)
        rows = [
            f"R{place}-{number},{FIRST.plus(place)}-01,DV,SE"
            for place, count in enumerate(counts)
            for number in range(count)
        ]
        deliver(str(FIRST.plus(len(counts)).span.start), responses=rows)
        return load_edition(project, period)

    return make


def points(edition: Edition) -> list[str]:
    whole, to_date = period_narrative.assess_period(edition), assess(edition)
    found = period_narrative.points_of(edition, whole, to_date, trend_revisions(edition))
    return [unescape(point).replace("**", "") for point in found]


def table_rows(markdown: str) -> dict[str, list[str]]:
    """The rows of the first table, by the first cell."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    cells = [[unescape(cell.strip()).replace("**", "") for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


EVEN = [20] * 15


def test_a_quarter_that_chance_explains_is_no_change(told: Told) -> None:
    found = points(told("FY2024-Q1", [*EVEN[:-1], 24]))
    assert found[0] == (
        "Responses in quarter 1 of FY2024: 64 [p], 4 more than a year earlier (60). That is no clear change."
    )
    assert found[1] == "By incident type and area command, nothing changed clearly from a year earlier."


def test_a_quarter_that_differs_clearly_is_named_with_its_categories(told: Told) -> None:
    edition = told("FY2024-Q1", [*EVEN[:12], 45, 45, 45])
    first, *others = points(edition)
    assert first.endswith("135 [p], 75 more than a year earlier (60). That is a clear increase.")
    assert any(point.startswith("Clearly more than a year earlier: DV/Sexual Assault, 135") for point in others)
    text = period_narrative.what_changed(edition, period_narrative.assess_period(edition)).data
    assert "The true increase is very likely between" in text
    fewer = points(told("FY2024-Q1", [*[45] * 12, 20, 20, 20]))
    assert "75 fewer than a year earlier (135). That is a clear decrease." in fewer[0]


def test_a_later_quarter_has_the_year_to_date_as_well(told: Told) -> None:
    found = points(told("FY2024-Q2", [20] * 18))
    assert found[0] == "Responses in quarter 2 of FY2024: 60 [p], the same as a year earlier."
    assert "Responses in the fiscal year to date: 120, the same as a year earlier." in found


@pytest.mark.parametrize("counts", [EVEN, [0] * 15, [*[0] * 14, 1], [*EVEN[:12], 60, 60, 60], [200, *[1] * 14]])
def test_points_are_few_and_short_and_no_number_is_unknown(told: Told, counts: list[int]) -> None:
    edition = told("FY2024-Q1", counts)
    found = points(edition)
    assert 1 <= len(found) <= MOST_POINTS
    assert max(len(point.split()) for point in found) <= MOST_WORDS
    shown = "".join(
        part.data
        for part in (
            period_sections.headline(edition),
            period_sections.breakdowns(edition),
            period_narrative.what_changed(edition, period_narrative.assess_period(edition)),
        )
    )
    assert not re.search(r"\b(nan|NaN|inf|None|<NA>)\b", shown)


def test_without_a_year_before_the_report_says_so(told: Told) -> None:
    edition = told("FY2023-Q1", [20, 20, 20])
    assert points(edition)[0] == (
        "Responses in quarter 1 of FY2023: 60 [p]. There are no records of the same months a year earlier."
    )
    assert table_rows(period_sections.headline(edition).data)["Responses"] == ["60", "[x]", "[x]", "[x]"]
    assert period_narrative.what_changed(edition, period_narrative.assess_period(edition)).data == ""


def test_a_breakdown_has_the_months_their_sum_and_the_year_before(told: Told) -> None:
    edition = told("FY2024-Q1", [*EVEN[:12], 5, 6, 7])
    shown = table_rows(period_sections.breakdowns(edition).data)
    assert shown["Incident type"] == ["Jul [p]", "Aug [p]", "Sep [p]", "Jul to Sep 2023 [p]", "Jul to Sep 2022"]
    assert shown["DV/Sexual Assault"] == ["5", "6", "7", "18", "60"]
    assert shown["Homicide"] == ["0", "0", "0", "0", "0"]
    assert shown["Total"] == ["5", "6", "7", "18", "60"]


@pytest.mark.parametrize(
    ("months", "marked"), [(1, ["Jul", "Aug", "Sep [p]"]), (2, ["Jul", "Aug [p]", "Sep [p]"]), (3, None)]
)
def test_each_part_is_provisional_by_its_own_end(told: Told, months: int, marked: list[str] | None) -> None:
    # As of October 1: September is provisional until the end of October, and with 2 months August is, too.
    edition = told("FY2024-Q1", EVEN)
    identity = edition.program.identity.model_copy(update={"provisional_months": months})
    program = edition.program.model_copy(update={"identity": identity})
    changed = replace(edition, records=replace(edition.records, program=program))
    shown = table_rows(period_sections.breakdowns(changed).data)["Incident type"]
    assert shown[:3] == (marked or ["Jul [p]", "Aug [p]", "Sep [p]"])


def test_the_engagement_of_a_quarter_is_not_said_to_be_the_sum_of_its_months() -> None:
    edition = load_edition(Project.open(REPOSITORY), "FY2024-Q1")
    shown = period_sections.funnel(edition).data
    assert "the quarter can be more or less than the sum of its months" in shown
    assert "more than its parts" not in shown


def test_the_headline_compares_with_the_quarter_before_and_a_year_earlier(told: Told) -> None:
    edition = told("FY2024-Q2", [20, 20, 20, 20, 20, 20, 20, 20, 20, 1, 1, 1, 20, 20, 20, 30, 30, 30])
    before, year, to_date = period_sections.headline(edition).data.split("| Count")[1:]
    assert table_rows("| Count" + before)["Responses"] == ["90", "60", "+30", "+50%"]
    assert table_rows("| Count" + year)["Responses"] == ["90", "60", "+30", "+50%"]
    assert table_rows("| Count" + to_date)["Responses"] == ["150", "120", "+30", "+25%"]
    small = told("FY2024-Q1", [20] * 9 + [1, 1, 1, 20, 20, 20])
    before, year = period_sections.headline(small).data.split("| Count")[1:]
    assert table_rows("| Count" + before)["Responses"] == ["60", "3", "+57", "[x]"]
    assert table_rows("| Count" + year)["Responses"] == ["60", "60", "0", "0%"]


def test_a_percentage_needs_a_number_that_is_not_small() -> None:
    english = Project.open(REPOSITORY).language
    assert [change_percent(english, now, before) for now, before in ((30, 20), (19, 20), (20, 20), (1001, 1000))] == [
        "+50%",
        "-5%",
        "0%",
        "0%",
    ]
    assert [change_percent(english, 5, before) for before in (None, 0, 19)] == ["[x]"] * 3


def test_the_chart_marks_the_months_of_the_quarter(told: Told, project: Project) -> None:
    edition = told("FY2024-Q1", EVEN)
    shown = charts.by_month_marked(Project.open(REPOSITORY), edition).data
    assert "The last 3 columns are quarter 1 of FY2024." in shown
    rows = table_rows(shown)
    assert len(rows) == 15 + 2
    assert "| September 2023 | **20** \\[p\\] |" in shown
    assert "| June 2023 | 20 |" in shown


def test_a_year_shows_its_quarters_and_marks_what_is_not_available(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    text = re.sub(r"(?m)^records_from = \S+", "records_from = 2022-11-01", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    deliver("2023-07-04", responses=["R1,2022-11-02,DV,SE", "R2,2023-01-02,DV,SE", "R3,2023-06-02,DV,SE"])
    part = Project.open(project.root)
    edition = load_edition(part, "FY2023")
    notice = period_sections.notices(part, edition).data
    assert "The records begin on November 1, 2022. This report counts 8 of the 12 months of FY2023." in notice
    assert points(edition)[0].startswith("Responses in FY2023, 8 months: 3 [p].")
    shown = table_rows(period_sections.breakdowns(edition).data)
    assert shown["Incident type"][-2:] == ["FY2023, 8 months [p]", "FY2022"]
    assert shown["DV/Sexual Assault"] == ["[x]", "[x]", "1", "1", "3", "[x]"]


def test_only_the_columns_of_the_period_are_dark() -> None:
    figure = columns_chart(REPOSITORY / "report" / "fonts", list("abcde"), [3, 4, 5, 6, 7], marked=3)
    colors = [to_hex(column.get_facecolor()) for column in figure.axes[0].patches]
    assert colors == [PAST_BAR] * 2 + [BAR] * 3


@pytest.mark.parametrize("period", ["FY2024-Q1", "FY2023"])
def test_in_spanish_no_english_is_left(demonstration: Edition, period: str) -> None:
    spanish = Project.open(REPOSITORY, "es")
    edition = replace(load_edition(Project.open(REPOSITORY), period), language=spanish.language)
    shown = period_sections.headline(edition).data + period_sections.funnel(edition).data
    shown += period_narrative.main_points(
        edition, period_narrative.assess_period(edition), assess(edition), trend_revisions(edition)
    ).data
    assert not re.search(r"\b(quarter|year|Compared|engaged|means)\b", shown)
    assert max(len(point.split()) for point in points(edition)) <= MOST_WORDS + 8
