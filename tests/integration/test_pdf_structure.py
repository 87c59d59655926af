"""The PDF as a screen reader gets it: its structure, read back from the file, beside the gate of Typst itself."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tests.support.artifacts import Artifacts
from tests.support.pages import needs_quarto, with_activities
from viputils.config.project import Project
from viputils.figures.edition import Edition
from viputils.report import sections
from viputils.report.markdown import mark_of, read_sections
from viputils.report.render import choose_engine

# What the activities of the demonstration do not hold.
MORE = """
## Where to find help

See [the City's page](https://www.cabq.gov/vip).

- first, a call
- then, a visit
"""


@dataclass(frozen=True)
class Issue:
    pdf: Path
    page: BeautifulSoup


@pytest.fixture(
    scope="module",
    params=[
        ("embedded", "en"),
        ("embedded", "es"),
        pytest.param(("quarto", "en"), marks=needs_quarto),
    ],
    ids=lambda made: " ".join(made),
)
def issue(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    artifacts: Artifacts,
    demonstration: Edition,
) -> Issue:
    engine, language = request.param
    root = shutil.copytree(artifacts.in_two_languages(), tmp_path_factory.mktemp("structure") / "a project")
    activities = root / "report" / "activities"
    english, spanish = (activities / name for name in ("2023-11.md", "2023-11.es.md"))
    english.write_text(english.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    mark = mark_of(read_sections(english, english.name)[-1])
    marked = MORE.replace("find help", f"find help {{{mark}}}")
    spanish.write_text(spanish.read_text(encoding="utf-8") + marked, encoding="utf-8")
    project = Project.open(root, language)
    text = sections.activities(project, replace(demonstration, language=project.language)).data
    made = with_activities(project, text, choose_engine(engine))
    return Issue(made["pdf"], BeautifulSoup(made["html"].read_text(encoding="utf-8"), "html.parser"))


@pytest.fixture
def pdf(issue: Issue) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(issue.pdf) as opened:
        yield opened


def elements(node: Any, kind: str | None = None) -> Iterator[Any]:
    """Every element of the structure below a node, in reading order."""
    if isinstance(node, pikepdf.Array):
        for child in list(node):
            yield from elements(child, kind)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        if kind is None or str(node["/S"]) == f"/{kind}":
            yield node
        yield from elements(node.get("/K"), kind)


def all_of(pdf: pikepdf.Pdf, kind: str | None = None) -> list[Any]:
    return list(elements(pdf.Root.StructTreeRoot.K, kind))


def words(text: str) -> str:
    return " ".join(text.split())


def attribute(element: Any, name: str) -> str | None:
    owners = element.get("/A", [])
    found = [str(owner[name]) for owner in (owners if isinstance(owners, pikepdf.Array) else [owners]) if name in owner]
    return found[0] if found else None


def test_it_says_that_it_is_pdf_ua_and_what_it_is_called(issue: Issue, pdf: pikepdf.Pdf) -> None:
    assert issue.page.html is not None
    assert issue.page.title is not None
    assert str(pdf.Root.Lang).partition("-")[0] == issue.page.html["lang"]
    assert bool(pdf.Root.MarkInfo.Marked)
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    assert str(pdf.docinfo["/Title"]) == issue.page.title.get_text()
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == issue.page.title.get_text()


def test_headings_are_those_of_the_page_in_order_without_a_gap_and_each_is_a_bookmark(
    issue: Issue, pdf: pikepdf.Pdf
) -> None:
    on_page = [
        (int(heading.name[1]) - 1, words(heading.get_text()))
        for heading in issue.page.select("main h2, main h3, main h4")
    ]
    levels = [int(str(one["/S"])[2:]) for one in all_of(pdf) if re.fullmatch(r"/H\d", str(one["/S"]))]
    assert levels == [level for level, _ in on_page]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(all_of(pdf, "Title")) == 1

    def marked(items: Iterable[Any], level: int) -> Iterator[tuple[int, str]]:
        for item in items:
            yield level, words(item.title)
            yield from marked(item.children, level + 1)

    with pdf.open_outline() as outline:
        assert list(marked(outline.root, 1)) == on_page


def test_every_table_has_a_caption_and_header_cells_for_its_columns(issue: Issue, pdf: pikepdf.Pdf) -> None:
    tables = all_of(pdf, "Table")
    on_page = issue.page.find_all("table")
    assert len(tables) == len(on_page) > 5
    for table, shown in zip(tables, on_page, strict=True):
        (head,) = elements(table, "THead")
        headers = list(elements(head, "TH"))
        assert len(headers) == len(shown.select("thead th"))
        assert {attribute(cell, "/Scope") for cell in headers} == {"/Column"}
        assert list(elements(head, "TD")) == []
        rows = [row for body in elements(table, "TBody") for row in elements(body, "TR")]
        assert len(rows) == len(shown.select("tbody tr"))
        assert {len([*elements(row, "TD"), *elements(row, "TH")]) for row in rows} == {len(headers)}
    assert len(all_of(pdf, "Caption")) == len(on_page) + len(issue.page.find_all("figure"))


def test_every_chart_has_the_alternative_text_of_the_page(issue: Issue, pdf: pikepdf.Pdf) -> None:
    images = [str(image["alt"]) for image in issue.page.find_all("img")]
    assert [str(figure["/Alt"]) for figure in all_of(pdf, "Figure")] == images
    assert len(images) == 4


def test_lists_and_links_are_what_they_look_like(pdf: pikepdf.Pdf) -> None:
    (items,) = [found for one in all_of(pdf, "L") if len(found := list(elements(one, "LI"))) == 2]
    for item in items:
        assert len(list(elements(item, "LBody"))) == 1
    links = [note for page in pdf.pages for note in page.get("/Annots", []) if note["/Subtype"] == "/Link"]
    outside = [note for note in links if "/A" in note and "/URI" in note["/A"]]
    assert {str(note["/A"]["/URI"]) for note in outside} == {
        "https://www.cabq.gov/vip",
        "https://cabq.gov/VIP",
        "https://988lifeline.org",
    }
    # A reader must be told of a link in words, and find it in the structure.
    assert all(str(note.get("/Contents", "")) for note in outside)
    assert len(all_of(pdf, "Link")) == len({str(note["/A"]["/URI"]) for note in outside})


def test_what_every_page_repeats_is_no_part_of_what_is_read(pdf: pikepdf.Pdf) -> None:
    for number, page in enumerate(pdf.pages):
        inside: list[str] = []
        shown: dict[str, int] = {}
        for instruction in pikepdf.parse_content_stream(page):
            operator = str(instruction.operator)
            if operator in ("BMC", "BDC"):
                inside.append(str(instruction.operands[0]))
            elif operator == "EMC":
                inside.pop()
            elif operator in ("Tj", "TJ"):
                # Every letter belongs to the structure or is declared to be none of it.
                assert inside, f"page {number + 1}"
                kind = "artifact" if "/Artifact" in inside else "content"
                shown[kind] = shown.get(kind, 0) + 1
        assert shown.get("content", 0) > 0
        assert shown.get("artifact", 0) > 0


def test_its_words_come_in_the_order_of_the_page(issue: Issue) -> None:
    text = words(" ".join(page.extract_text() or "" for page in PdfReader(issue.pdf).pages))
    at = 0
    for heading in issue.page.select("main h2, main h3, main h4"):
        found = text.find(words(heading.get_text()), at)
        assert found >= 0, heading.get_text()
        at = found


def fonts_of(page: Any) -> list[Any]:
    return list(page.get("/Resources", {}).get("/Font", {}).values())


def test_every_letter_can_be_copied_and_comes_from_a_font_in_the_file(pdf: pikepdf.Pdf) -> None:
    fonts = {str(font["/BaseFont"]): font for page in pdf.pages for font in fonts_of(page)}
    assert fonts
    for name, font in fonts.items():
        assert "/ToUnicode" in font, name
        (descendant,) = font["/DescendantFonts"]
        assert {"/FontFile2", "/FontFile3"} & set(descendant["/FontDescriptor"].keys()), name
