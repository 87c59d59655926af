"""Pages that belong to no one issue: the program, its methods, and whatever else is made of Markdown parts."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from IPython.display import Markdown

from tests.support.pages import needs_quarto, page_made
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.audit.verdicts import VERDICTS
from viputils.config.project import Project
from viputils.core.errors import PublishedError, RenderError, TextError
from viputils.figures import quality
from viputils.figures.edition import Edition
from viputils.publish.site import pages
from viputils.report.markdown import escape, read_sections
from viputils.report.privacy.screening import screen_texts
from viputils.report.render import Engine, choose_engine
from viputils.report.seal import sealed

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


def test_what_stands_in_an_attribute_is_text_without_markup(whole_project: Project, engine: Engine) -> None:
    said = 'Call 24-7: <b>"A & B"</b> > *c*'
    parts = [Markdown("## First\n\nCall 24-7 now.")]
    page = pages.page_of(whole_project, "a", f"{said} d", parts, DAY, False, description=said)
    page.front_matter["vip"]["words-contents"] = escape(said)
    link = {"href": "../2023-11.html", "text": escape(said)}
    page.front_matter["vip"]["nav"] = {
        "root": "../",
        "label": escape(said),
        "links": [link],
        "feed": link,
        "neighbors": {"label": escape(said), "earlier": link},
        "search": {name: escape(said) for name in ("label", "button", "none", "one", "many", "first")},
    }
    soup = soup_of(page_made(whole_project, page, engine))
    for name in ("description", "og:description", "og:title"):
        (meta,) = soup.select(f'meta[name="{name}"], meta[property="{name}"]')
        assert str(meta["content"]).startswith(said)
    assert {nav["aria-label"] for nav in soup.select("nav[aria-label]")} == {said}
    (template,) = soup.select("template#search-words")
    assert {value for name, value in template.attrs.items() if name.startswith("data-")} == {said}
    assert [feed["title"] for feed in soup.select('link[type="application/atom+xml"]')] == [said]
    assert {link["href"] for link in soup.select(".site-nav a, .neighbors a")} == {"../2023-11.html"}
    # In the text of the page such a number stays on one line.
    assert [words(one) for one in soup.select("main .nowrap")] == ["24-7"]


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


def test_the_methods_lead_to_the_numbers_reported_elsewhere(
    whole_project: Project, edition: Edition, embedded: Engine
) -> None:
    without = soup_of(page_made(whole_project, pages.methods_page(whole_project, edition), embedded))
    assert "Numbers from other sources" not in headings(without)
    report_elsewhere(whole_project, ELSEWHERE.read_text(encoding="utf-8"))
    soup = soup_of(page_made(whole_project, pages.methods_page(whole_project, edition), embedded))
    assert "Numbers from other sources" in headings(soup)
    (link,) = soup.select('main a[href*="elsewhere"]')
    assert (link["href"], words(link)) == ("../elsewhere/index.html", "Numbers reported elsewhere")
    # The page itself has the numbers.
    assert "KRQE" not in words(soup.find("main"))


@pytest.mark.parametrize("name", ["overview", "strategies", "methods"])
def test_the_texts_of_the_pages_have_no_broken_link(name: str) -> None:
    # A link that is broken over two lines would be shown as the characters that were typed.
    for section in read_sections(REPOSITORY / "report" / "pages" / f"{name}.md", name):
        assert "\\](" not in section.body
        assert "](" not in re.sub(r"\[[^\[\]]+\]\(https://[^()\s]+\)", "", section.body)


# ---------------------------------------------------------------- data quality


@pytest.fixture(scope="module")
def revised(edition: Edition) -> pd.DataFrame:
    return quality.revisions(edition.records)


def test_the_page_on_data_quality_has_a_finding_and_a_table_for_each_part(
    whole_project: Project, edition: Edition, revised: pd.DataFrame, engine: Engine
) -> None:
    soup = soup_of(page_made(whole_project, pages.quality_page(whole_project, edition, revised), engine))
    assert words(soup.title) == "Data quality, Violence Intervention Program"
    assert words(soup.find(class_="notice")).startswith("This is sample data.")
    assert headings(soup) == [
        "What this page shows",
        "Missing values",
        "Missing months",
        "Days until the records arrived",
        "Repeated and replaced rows",
        "Rows set aside",
        "Counts that changed later",
    ]
    text = words(soup.find("main"))
    assert "the report for November 2023: those received by December 4, 2023" in text
    assert "Of 3 delivered rows, we kept 3." in text
    # Nothing is set aside, and three records are too few to measure delays, so those parts have no table.
    assert len(soup.select("main table")) == 3
    assert "DEMO-" not in text


def test_the_page_on_data_quality_is_in_spanish(whole_project: Project, edition: Edition, embedded: Engine) -> None:
    spanish = whole_project.in_language("es")
    shown = dataclasses.replace(edition, language=spanish.language)
    page = pages.quality_page(spanish, shown, quality.revisions(edition.records))
    soup = soup_of(page_made(spanish, page, embedded))
    assert words(soup.title).startswith("Calidad de los datos, ")
    assert headings(soup)[1:3] == ["Valores que faltan", "Meses que faltan"]
    assert not soup.select("main [lang=en]")


# ---------------------------------------------------------------- numbers reported elsewhere


ELSEWHERE = REPOSITORY / "data" / "elsewhere.csv"
HEADER = "as_of,number,what,definition,source,link,answer"


def report_elsewhere(project: Project, text: str) -> None:
    (project.root / "data" / "elsewhere.csv").write_text(text, encoding="utf-8")


def test_numbers_reported_elsewhere_are_shown_with_our_answers(whole_project: Project, engine: Engine) -> None:
    report_elsewhere(whole_project, ELSEWHERE.read_text(encoding="utf-8"))
    soup = soup_of(page_made(whole_project, pages.elsewhere_page(whole_project, DAY, True), engine))
    assert words(soup.title) == "Numbers reported elsewhere, Violence Intervention Program"
    assert headings(soup) == ["Why there are different numbers", "Numbers and our answers"]
    assert "a definition and a date" in words(soup.find("main"))
    assert "The numbers in this table are not sample data: others reported them." in words(soup.find(class_="notice"))
    with ELSEWHERE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shown = [[words(cell) for cell in row.find_all(["th", "td"])] for row in soup.select("tbody tr")]
    assert [[cells[0], cells[1], cells[3], cells[4]] for cells in shown] == [
        [row["as_of"], row["number"], row["source"], row["answer"]] for row in rows
    ]
    assert shown[0][2] == "People notified since March 2020. No definition is known to us."
    assert [cells[1] for cells in shown if cells[0] == "May 28, 2021"] == ["“nearly 140”", "133", "149"]
    assert all(cells[4].startswith("Cannot be reproduced from these records.") for cells in shown)


def test_numbers_reported_elsewhere_are_in_spanish(whole_project: Project, embedded: Engine) -> None:
    extra = "2025,7,Words without a translation,,KOB,,Cannot be reproduced from these records. They are sample data.\n"
    report_elsewhere(whole_project, ELSEWHERE.read_text(encoding="utf-8") + extra)
    spanish = whole_project.in_language("es")
    soup = soup_of(page_made(spanish, pages.elsewhere_page(spanish, DAY, False), embedded))
    assert words(soup.title).startswith("Cifras publicadas en otros lugares, ")
    cells = [words(cell) for cell in soup.select("tbody tr")[0].find_all(["th", "td"])]
    assert cells == [
        "Mediados de diciembre de 2020",
        "74",
        "Personas notificadas desde marzo de 2020. No conocemos ninguna definición.",
        "Solutions Journalism",
        "Estos registros no dan esta cifra. Empiezan en julio de 2022.",
    ]
    # What no one has translated is marked as English.
    assert [words(one) for one in soup.select("main [lang=en]")] == ["Words without a translation"]
    # The sample data is not named if there is none.
    assert not soup.select(".notice")


def test_a_city_without_the_file_has_no_such_page(whole_project: Project) -> None:
    assert pages.elsewhere_page(whole_project, DAY, False) is None


def test_a_malformed_file_is_refused_with_every_line_and_key(whole_project: Project) -> None:
    lines = [HEADER, "2022,13,People,,KOB", ",13,People,,KOB,http://kob.example,", "2022,1\u202e3,People,,KOB,,No."]
    report_elsewhere(whole_project, "\n".join(lines))
    with pytest.raises(PublishedError) as error:
        pages.elsewhere_page(whole_project, DAY, False)
    assert [str(problem) for problem in error.value.problems] == [
        "data/elsewhere.csv, line 2: has 5 fields; it must have 7: as_of, number, what, definition, source, link, "
        "answer.",
        "data/elsewhere.csv, line 3, as_of: is empty; write the day or the time that the number is about, as in May "
        "2021.",
        "data/elsewhere.csv, line 3, answer: is empty; write whether the records give this number, and if not, why.",
        "data/elsewhere.csv, line 3, link: 'http://kob.example' is not a web address; write one as in "
        "https://example.org/news, or leave it empty.",
        "data/elsewhere.csv, line 4, number: contains invisible characters (U+202E); delete them.",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", f"data/elsewhere.csv, line 1: the header is ''; it must be {HEADER}."),
        (f"{HEADER}\n", "data/elsewhere.csv: has no row; add one for each number, or delete the file."),
        ("as_of,count\n", f"data/elsewhere.csv, line 1: the header is 'as_of,count'; it must be {HEADER}."),
        (f'{HEADER}\n"2022', "data/elsewhere.csv, line 2: is not CSV: unexpected end of data."),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(whole_project: Project, text: str, problem: str) -> None:
    report_elsewhere(whole_project, text)
    with pytest.raises(PublishedError) as error:
        pages.elsewhere_page(whole_project, DAY, False)
    assert str(error.value.problems[0]).startswith(problem)


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "https://a.example/)<b>", "https://a b.example", "https://", "https://a.example/|x"],
)
def test_a_link_that_is_no_web_address_is_refused(whole_project: Project, link: str) -> None:
    report_elsewhere(whole_project, f"{HEADER}\n2022,13,People,,KOB,{link},No.\n")
    with pytest.raises(PublishedError, match="line 2, link"):
        pages.elsewhere_page(whole_project, DAY, False)


def test_hostile_text_in_the_file_is_shown_as_typed(whole_project: Project, engine: Engine) -> None:
    hostile = "<script>alert(1)</script> | *x* [y](javascript:z) {{.raw}} $a$ `b` ::: ^c^ ![d](e)"
    row = ",".join([hostile] * 5 + ["https://example.org/a_b*c?d=e&f#g", hostile])
    report_elsewhere(whole_project, f"{HEADER}\n{row}\n")
    soup = soup_of(page_made(whole_project, pages.elsewhere_page(whole_project, DAY, False), engine))
    (line,) = soup.select("tbody tr")
    cells = [words(cell) for cell in line.find_all(["th", "td"])]
    assert cells == [hostile, hostile, f"{hostile}. {hostile}", hostile, hostile]
    assert not soup.select("main script, main img, main em, main code")
    assert [link["href"] for link in soup.select("main tbody a")] == ["https://example.org/a_b*c?d=e&f#g"]


def test_the_file_is_sealed_with_the_project(whole_project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    report_elsewhere(whole_project, ELSEWHERE.read_text(encoding="utf-8"))
    with sealed(whole_project) as seal:
        assert pages.elsewhere_page(seal.project, DAY, False) == pages.elsewhere_page(whole_project, DAY, False)


def test_what_tells_of_a_person_is_found_in_the_file(whole_project: Project) -> None:
    report_elsewhere(whole_project, f"{HEADER}\n2022,13,People,,KOB,,Call 505-555-0123.\n")
    (found,) = screen_texts(whole_project).findings
    assert (found.file, found.line, found.excerpt) == ("data/elsewhere.csv", 2, "505-555-0123")
