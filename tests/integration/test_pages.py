"""Pages that belong to no one issue: the program, its methods, and whatever else is made of Markdown parts."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from IPython.display import Markdown

from tests.support.pages import needs_quarto, page_made
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.audit.verdicts import VERDICTS
from viputils.config.project import Project
from viputils.core.errors import RenderError, TextError
from viputils.figures.edition import Edition
from viputils.publish.site import pages
from viputils.report.markdown import read_sections
from viputils.report.render import Engine, choose_engine

DAY = dt.date(2023, 12, 4)


@pytest.fixture(params=["embedded", pytest.param("quarto", marks=needs_quarto)])
def engine(request: pytest.FixtureRequest) -> Engine:
    return choose_engine(request.param)


@pytest.fixture
def embedded() -> Engine:
    return choose_engine("embedded")


@pytest.fixture(scope="module")
def edition(edition_with: Callable[..., Edition]) -> Edition:
    return edition_with(
        reviews=["DEMO-V1,2023-11-07,3,41"],
        candidates=["DEMO-C1,2023-11-08,Hospital"],
        notifications=["DEMO-N1,2023-11-12,DEMO-C1,Delivered,yes"],
    )


def soup_of(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def words(node: BeautifulSoup | Tag | None) -> str:
    assert node is not None
    return " ".join(node.get_text(" ").split())


def headings(page: BeautifulSoup) -> list[str]:
    return [heading.get_text(strip=True) for heading in page.find_all("h2")]


# ---------------------------------------------------------------- any page


def test_a_page_has_its_own_title_and_heading_under_both_engines(whole_project: Project, engine: Engine) -> None:
    parts = [Markdown("## First\n\nWords."), Markdown(""), Markdown("## Second\n\nMore.")]
    page = pages.page_of(whole_project, "some/where", "Questions & answers", parts, DAY, False)
    made = page_made(whole_project, page, engine)
    assert made == whole_project.root / "made" / "_site" / "some" / "where" / "index.html"
    soup = soup_of(made)
    assert words(soup.title) == "Questions & answers, Violence Intervention Program"
    assert [words(heading) for heading in soup.find_all("h1")] == ["Violence Intervention Program Questions & answers"]
    assert headings(soup) == ["First", "Second"]
    assert "VIOLENCE INTERVENTION PROGRAM | QUESTIONS & ANSWERS" in words(soup.find("footer"))
    assert "Monthly Informational Report" not in words(soup)
    assert "Demonstration records" not in words(soup)
    assert "Records as of December 4, 2023" in words(soup.find("header"))


def test_what_an_engine_cannot_show_is_named_with_its_page(whole_project: Project, embedded: Engine) -> None:
    parts = [Markdown("## First\n\n::: {.callout-note}\nWords.\n:::")]
    with pytest.raises(RenderError, match=r"a/index\.ipynb: index\.ipynb, cell 2: holds a callout"):
        page_made(whole_project, pages.page_of(whole_project, "a", "A", parts, DAY, False), embedded)


def test_markup_in_the_title_is_text(whole_project: Project, embedded: Engine) -> None:
    title = "<b>bold</b> *and* `code`"
    page = pages.page_of(whole_project, "a", title, [Markdown("## First\n\nWords.")], DAY, False)
    assert title in words(soup_of(page_made(whole_project, page, embedded)).h1)


# ---------------------------------------------------------------- the program


def test_the_overview_tells_of_every_part_of_the_program(
    whole_project: Project, edition: Edition, engine: Engine
) -> None:
    page = page_made(whole_project, pages.overview_page(whole_project, edition), engine)
    soup = soup_of(page)
    assert words(soup.title) == "Program overview, Violence Intervention Program"
    assert {"Group Violence Intervention", "Weekly shooting reviews", "Custom Notifications"} <= set(headings(soup))
    assert {"Peer support and VIP All In", "The practice model"} <= set(headings(soup))
    assert words(soup.find(class_="notice")).startswith("This is sample data.")
    image = soup.select_one("#practice-model img")
    assert image is not None
    assert "persons identified 41" in str(image["alt"])
    # The steps in words and in a table.
    assert "persons identified 41" in words(soup.find("main"))
    assert [words(cell) for cell in soup.select("tbody tr")[2].find_all(["th", "td"])] == [
        "Persons identified", "41", "41",
    ]  # fmt: skip
    assert image["src"] == "charts/practice-model.svg"


def test_the_national_strategies_are_linked_to_those_who_stand_for_them(
    whole_project: Project, edition: Edition, embedded: Engine
) -> None:
    page = page_made(whole_project, pages.overview_page(whole_project, edition), embedded)
    links = {str(link["href"]) for link in soup_of(page).select("main a[href]")}
    assert all(link.startswith("https://") for link in links)
    hosts = {link.split("/")[2].removeprefix("www.") for link in links}
    assert {"thehavi.org", "nnscommunities.org", "cvg.org", "advancepeace.org"} <= hosts
    assert "nationalallianceoftraumarecoverycenters.org" in hosts


def test_a_city_without_texts_and_practice_model_has_no_overview(
    whole_project: Project, deliver: Deliver, embedded: Engine
) -> None:
    shutil.rmtree(whole_project.report / "pages")
    path = whole_project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"\[report\.practice_model\].*", "", text, flags=re.DOTALL), encoding="utf-8")
    deliver("2023-12-04")
    project = Project.open(whole_project.root)
    edition = load_edition(project, "2023-11")
    assert pages.overview_page(project, edition) is None
    # What the words mean is known all the same.
    assert "Definitions" in headings(soup_of(page_made(project, pages.methods_page(project, edition), embedded)))


def test_a_fault_in_a_text_is_named_with_its_line(whole_project: Project, edition: Edition, embedded: Engine) -> None:
    text = whole_project.report / "pages" / "overview.md"
    text.write_text("## A\n\nSee [this](javascript:alert(1)) or [that](javascript:x).\n", encoding="utf-8")
    with pytest.raises(TextError) as error:
        page_made(whole_project, pages.overview_page(whole_project, edition), embedded)
    assert any("report/pages/overview.md, line 3" in str(problem) for problem in error.value.problems)


def test_the_page_of_a_month_is_the_same_every_time(whole_project: Project, edition: Edition, embedded: Engine) -> None:
    made = []
    for _ in range(2):
        page = page_made(whole_project, pages.overview_page(whole_project, edition), embedded)
        made.append({path.name: path.read_bytes() for path in page.parent.rglob("*") if path.is_file()})
    assert made[0] == made[1]


# ---------------------------------------------------------------- methods


def test_the_methods_explain_every_verdict_crosswalk_and_measure(
    whole_project: Project, edition: Edition, engine: Engine
) -> None:
    soup = soup_of(page_made(whole_project, pages.methods_page(whole_project, edition), engine))
    assert words(soup.title) == "Methods and definitions, Violence Intervention Program"
    text = words(soup.find("main"))
    for verdict, meaning in VERDICTS.items():
        assert f"{verdict.capitalize()}: {meaning}" in text
    assert "University counted as Southeast (an assumption)." in text
    assert "We found no published definition." in text
    items = [words(item) for item in soup.select("li")]
    assert "Adults assisted: “adults assisted”, added up over the records in Outreach operations ." in items
    assert any(item.startswith("Responses by area command: the records in") for item in items)
    assert any(item.startswith("People engaged: each candidate in") and "follows" in item for item in items)
    counted = soup.find(id="how-each-number-is-counted")
    assert counted is not None
    listed = counted.find_next("ul")
    assert isinstance(listed, Tag)
    assert len(listed.find_all("li")) == len(edition.program.measures)


@pytest.mark.parametrize("name", ["overview", "strategies", "methods"])
def test_the_texts_of_the_pages_have_no_broken_link(name: str) -> None:
    # A link that is broken over two lines would be shown as the characters that were typed.
    for section in read_sections(REPOSITORY / "report" / "pages" / f"{name}.md", name):
        assert "\\](" not in section.body
        assert "](" not in re.sub(r"\[[^\[\]]+\]\(https://[^()\s]+\)", "", section.body)
