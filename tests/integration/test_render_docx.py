"""The DOCX of an issue, opened again as Word and a screen reader find it; and text in it that stays text."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docx
import nbformat
import pytest
from bs4 import BeautifulSoup
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from tests.support.artifacts import Artifacts
from tests.support.documents import ALT, FRONT_MATTER, HOSTILE, INTRODUCTION, cell, issue, issue_cells, project, same
from tests.support.pages import in_this_process, issue_made, needs_quarto
from tests.support.projects import REPOSITORY, Deliver, with_a_short_report
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.errors import RenderError
from viputils.figures.edition import Edition
from viputils.report.render import choose_engine
from viputils.report.render.embedded import EmbeddedEngine
from viputils.report.render.rasters import rasters

ENGINES = ["embedded", pytest.param("quarto", marks=needs_quarto)]


def with_pictures(notebook: Path) -> Path:
    """Put beside the charts of a small issue what `vip report` puts there for Word."""
    folder = notebook.parent
    for name, picture in rasters(
        {f"charts/{path.name}": path.read_bytes() for path in folder.glob("charts/*")}
    ).items():
        (folder / name).write_bytes(picture)
    return notebook


def render(root: Path, *cells: Any, metadata: dict[str, Any] | None = None, engine: str = "embedded") -> Path:
    notebook = with_pictures(issue(root, *cells, metadata=metadata))
    return choose_engine(engine).render(root, notebook, ["docx"])["docx"]  # type: ignore[arg-type]


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def blocks(document: Document) -> list[Paragraph | Table]:
    return list(document.iter_inner_content())


def styles_of(document: Document) -> list[tuple[str, str]]:
    """Style and words of every paragraph that stands outside a table."""
    return [(str(each.style.name), each.text) for each in document.paragraphs if each.style is not None]


def all_words(document: Document) -> str:
    """What a reader sees: every word of every text element, tables included."""
    return "".join(each.text or "" for each in document.element.body.iter(qn("w:t")))


def rows_of(table: Table) -> list[list[str]]:
    return [[each.text for each in row.cells] for row in table.rows]


def attributes(element: Any) -> dict[str, str]:
    return {name.split("}")[-1]: value for name, value in element.attrib.items()}


@pytest.fixture(params=ENGINES, scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("docx") / "project")
    metadata = FRONT_MATTER | {"vip": FRONT_MATTER["vip"] | {"words-as-of": "Records as of"}}
    return render(root, *issue_cells(), metadata=metadata, engine=request.param)


@pytest.fixture(scope="module")
def document(made: Path) -> Document:
    return docx.Document(str(made))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


# ---------------------------------------------------------------- What Word and a screen reader find


def test_title_and_cover_come_first_each_in_a_style_of_its_own(document: Document) -> None:
    vip = FRONT_MATTER["vip"]
    assert styles_of(document)[:7] == [
        ("Program", vip["program"]),
        ("Title", vip["report"]),
        ("Subtitle", vip["month"]),
        ("Publisher", vip["city"]),
        ("Publisher", vip["department"]),
        ("As Of", "Records as of December 4, 2023 | CABQ.GOV/VIP"),
        ("Notice", "These are demonstration records. No record stands for a real person."),
    ]


def test_headings_are_headings_of_word_in_order_and_without_a_gap(document: Document) -> None:
    found = [(name, text) for name, text in styles_of(document) if name.startswith("Heading")]
    assert found == [
        ("Heading 1", "Introduction to VIP"),
        ("Heading 2", "Custom Notifications"),
        ("Heading 2", "Referrals"),
        ("Heading 1", "Impact by the numbers"),
        ("Heading 1", "Responses"),
        ("Heading 2", "Responses by month"),
        ("Heading 1", "Significant response activities"),
        ("Heading 2", "Community healing"),
        ("Heading 1", "About these figures"),
    ]
    outline = [document.styles[f"Heading {level}"].element.pPr.find(qn("w:outlineLvl")) for level in (1, 2, 3)]
    assert [each.get(qn("w:val")) for each in outline] == ["0", "1", "2"]


def test_tables_are_tables_of_word_with_caption_headers_and_numbers_to_the_right(document: Document) -> None:
    assert [rows_of(table)[-1] for table in document.tables] == [
        ["Total", "90", "320"], ["Total", "90", "319"], ["November 2023", "90"],
    ]  # fmt: skip
    inner = blocks(document)
    captions = ["Responses by incident type", "Responses by area command", "Responses by month"]
    for table, caption, total in zip(document.tables, captions, (True, True, False), strict=True):
        above = inner[[each._element for each in inner].index(table._element) - 1]
        assert isinstance(above, Paragraph)
        assert above.style is not None
        assert (above.style.name, above.text) == ("Caption", caption)
        properties = table._element.tblPr
        assert properties.find(qn("w:tblCaption")).get(qn("w:val")) == caption
        look = attributes(properties.find(qn("w:tblLook")))
        assert (look["firstRow"], look["firstColumn"], look["lastRow"]) == ("1", "1", str(int(total)))
        # What an older Word reads says the same: the bits of 17.4.56 of the standard.
        assert int(look["val"], 16) == 0x20 + 0x80 + 0x600 + 0x40 * total
        assert [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows] == [
            number == 0 for number in range(len(table.rows))
        ]
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
        for row in table.rows:
            first, *numbers = (each.paragraphs[0] for each in row.cells)
            assert first.alignment == WD_ALIGN_PARAGRAPH.LEFT
            assert {each.alignment for each in numbers} == {WD_ALIGN_PARAGRAPH.RIGHT}
        last = [run.bold for each in table.rows[-1].cells for run in each.paragraphs[0].runs]
        assert set(last) == ({True} if total else {None})


def test_columns_of_a_table_are_as_wide_as_the_table_and_no_wider_than_the_page(document: Document) -> None:
    section = document.sections[0]
    assert None not in (section.page_width, section.left_margin, section.right_margin)
    room = (section.page_width - section.left_margin - section.right_margin) // 635  # type: ignore[operator]
    for table in document.tables:
        grid = [int(column.get(qn("w:w"))) for column in table._element.tblGrid.findall(qn("w:gridCol"))]
        whole = attributes(table._element.tblPr.find(qn("w:tblW")))
        assert whole == {"type": "dxa", "w": str(sum(grid))}
        assert sum(grid) <= room
        for row in table.rows:
            assert [int(each._tc.tcPr.find(qn("w:tcW")).get(qn("w:w"))) for each in row.cells] == grid


def test_picture_has_its_caption_above_and_its_alternative_text(document: Document, made: Path) -> None:
    pictures = list(document.element.body.iter(qn("wp:docPr")))
    assert [each.get("descr") for each in pictures] == [ALT]
    assert ("Caption", "Responses in each month of the fiscal year") in styles_of(document)
    names = [name for name, _ in styles_of(document)]
    assert names[names.index("Chart") - 1] == "Caption"
    shown = [data for name, data in parts(made).items() if name.startswith("word/media/")]
    assert [data[:8] for data in shown] == [b"\x89PNG\r\n\x1a\n"]
    # 480 by 290 in the drawing: so wide that its text is as large as the page's.
    extent = attributes(document.inline_shapes[0]._inline.extent)
    assert int(extent["cx"]) == pytest.approx(4.4 * 914400, abs=1)
    assert int(extent["cx"]) / int(extent["cy"]) == pytest.approx(480 / 290, rel=0.01)


def test_tiles_are_a_list_of_numbers_with_their_labels(document: Document) -> None:
    tiles = [each for each in document.paragraphs if each.style is not None and each.style.name == "Tile"]
    assert [each.text for each in tiles] == [
        "2,599 adults assisted", "101 children assisted", "4,666 referrals made", "2,446 outreach operations",
    ]  # fmt: skip
    for tile in tiles:
        assert tile._p.pPr is not None
        assert tile._p.pPr.numPr is not None
        assert tile.runs[0].style is not None
        assert tile.runs[0].style.name == "Tile Number"


def test_notices_notes_and_provenance_have_styles_of_their_own(document: Document) -> None:
    found = dict(styles_of(document))
    assert found["Notice"].startswith("These are demonstration records.")
    assert found["Note"] == "One response has no area command on record."
    assert found["Provenance"] == "Made from records received by December 4, 2023."


def test_no_paragraph_is_empty_and_every_style_is_one_that_the_file_describes(document: Document, made: Path) -> None:
    every = [Paragraph(each, document) for each in document.element.body.iter(qn("w:p"))]
    assert all(each.text.strip() or each._p.findall(f".//{qn('w:drawing')}") for each in every)
    described = {each.get(qn("w:styleId")) for each in document.styles.element.findall(qn("w:style"))}
    used = re.findall(rb'<w:(?:pStyle|rStyle|tblStyle) w:val="([^"]+)"', parts(made)["word/document.xml"])
    assert {each.decode() for each in used} <= described


def test_page_is_us_letter_with_running_header_and_page_numbers(document: Document) -> None:
    section = document.sections[0]
    assert (section.page_width, section.page_height) == (7772400, 10058400)  # 8.5 by 11 inches in EMU
    assert section.different_first_page_header_footer
    assert section.first_page_header.paragraphs[0].text == ""
    header = "".join(each.text or "" for each in section.header._element.iter(qn("w:t")))
    assert header == "Violence Intervention Program | Monthly Informational Report | November 2023"
    assert header.upper() == FRONT_MATTER["vip"]["running-header"]
    for footer in (section.footer, section.first_page_footer):
        fields = [each.get(qn("w:instr")).strip() for each in footer._element.iter(qn("w:fldSimple"))]
        assert fields == ['STYLEREF "Site"', "PAGE", "NUMPAGES"]
        assert "CABQ.GOV/VIP" in "".join(each.text or "" for each in footer._element.iter(qn("w:t")))


def test_mark_of_synthetic_records_stands_in_the_footer_of_every_page(empty: Path) -> None:
    metadata = FRONT_MATTER | {"vip": FRONT_MATTER["vip"] | {"mark": "Not <real> & no more"}}
    document = docx.Document(str(render(empty, cell(INTRODUCTION), metadata=metadata)))
    for footer in (document.sections[0].footer, document.sections[0].first_page_footer):
        assert "Not <real> & no more" in "".join(each.text or "" for each in footer._element.iter(qn("w:t")))


def test_a_page_without_a_month_has_no_hole_where_it_would_stand(empty: Path) -> None:
    metadata = FRONT_MATTER | {"vip": FRONT_MATTER["vip"] | {"month": ""}}
    document = docx.Document(str(render(empty, cell(INTRODUCTION), metadata=metadata)))
    header = "".join(each.text or "" for each in document.sections[0].header._element.iter(qn("w:t")))
    assert header == "Violence Intervention Program | Monthly Informational Report"
    assert "Subtitle" not in dict(styles_of(document))


def test_properties_say_title_author_language_and_the_as_of_date(document: Document, made: Path) -> None:
    said = document.core_properties
    assert said.title == FRONT_MATTER["title"]
    assert said.author == FRONT_MATTER["author"]
    assert said.language == "en"
    assert {str(said.created), str(said.modified)} == {"2023-12-04 00:00:00+00:00"}
    files = parts(made)
    # The dictionaries of Word are those of countries.
    assert re.findall(rb'<w:lang [^>]*w:val="([^"]+)"', files["word/styles.xml"]) == [b"en-US"]
    assert b'<w:themeFontLang w:val="en-US"' in files["word/settings.xml"]
    assert "docProps/custom.xml" not in files


def test_letters_are_public_sans_and_another_font_is_named_for_those_who_lack_it(made: Path) -> None:
    files = parts(made)
    assert set(re.findall(rb'w:ascii="([^"]+)"', files["word/styles.xml"])) - {b"Consolas"} == {b"Public Sans"}
    assert re.search(rb'<w:font w:name="Public Sans"\s*><w:altName w:val="[^"]*Arial"', files["word/fontTable.xml"])


def test_a_passage_in_another_language_says_so(empty: Path) -> None:
    metadata = FRONT_MATTER | {"lang": "es"}
    made = render(empty, cell("## Parte\n\n::: {lang=en}\nNot translated.\n:::\n\nTraducido."), metadata=metadata)
    document = docx.Document(str(made))
    languages = {
        "".join(each.text or "" for each in run.iter(qn("w:t"))): run.find(f".//{qn('w:lang')}")
        for run in document.element.body.iter(qn("w:r"))
    }
    assert languages["Not translated."].get(qn("w:val")) == "en-US"
    assert languages["Traducido."] is None
    assert b'w:val="es-US"' in parts(made)["word/styles.xml"]


# ---------------------------------------------------------------- Text stays text

FIELD = (
    "{ INCLUDETEXT C:\\\\secret.txt } and { DDEAUTO cmd } and \\<w:p\\>\\<w:fldSimple w:instr='INCLUDEPICTURE x'/\\>"
)


def external(files: dict[str, bytes]) -> Iterator[str]:
    for name, data in files.items():
        if name.endswith(".rels"):
            for relation in re.findall(rb"<Relationship [^>]*TargetMode=\"External\"[^>]*>", data):
                yield re.findall(r'Target="([^"]*)"', relation.decode())[0]


def require_harmless(files: dict[str, bytes]) -> None:
    """Nothing runs, nothing is fetched, and no field is there but those of header and footer."""
    assert not [name for name in files if re.search(r"vba|macro|embeddings|activeX|attachedTemplate", name, re.I)]
    assert all(re.match(r"https?://", target) for target in external(files))
    for name, data in files.items():
        assert b"<w:instrText" not in data, name
        assert b"<w:altChunk" not in data, name
        fields = {each.strip().split()[0] for each in re.findall(rb'<w:fldSimple w:instr="([^"]*)"', data)}
        assert fields <= ({b"STYLEREF", b"PAGE", b"NUMPAGES"} if re.search("header|footer", name) else set()), name


def test_no_text_ever_becomes_code_a_field_or_markup(empty: Path) -> None:
    everything = [*HOSTILE, FIELD]
    lines = [f"Words {hostile} end." for hostile in everything]
    shown = [
        *lines,
        *(f"| Name | Count |\n|:--|--:|\n| {line} | 1 |\n\n: {line}" for line in lines),
        *(f"::: {{.tiles}}\n- **5** {line}\n:::" for line in lines),
        *(f"::: {{.notice}}\n{line}\n:::" for line in lines),
    ]
    made = render(empty, *(cell("## Part\n\n" + each) for each in shown))
    text = all_words(docx.Document(str(made)))
    for hostile in everything:
        # What a reader sees: backslashes that only escape, and the marks of inline code, are gone.
        seen = same(re.sub(r"\\(?=[{}<>\\])|`", "", hostile))
        assert same(text).count(f"Words{seen}end.") == 5, hostile
    require_harmless(parts(made))


class WithoutPdf(EmbeddedEngine):
    """Makes no PDF of the issue, which takes longest."""

    def render(self, project_root: Path, notebook: Path, formats: Sequence[str]) -> dict[str, Path]:
        return super().render(project_root, notebook, ["html", "docx"] if "docx" in formats else formats)


@pytest.mark.parametrize("report", ["short", pytest.param("whole", marks=pytest.mark.exhaustive)])
def test_what_activities_categories_and_the_cover_say_is_text_in_the_docx_of_an_issue(
    whole_project: Project, deliver: Deliver, report: str
) -> None:
    if report == "short":
        with_a_short_report(whole_project.root)
        notebook = nbformat.read(whole_project.notebook, as_version=4)
        notebook.cells[-1].source = "sections.breakdowns(edition)"
        nbformat.write(notebook, whole_project.notebook)
    category = '<w:p><w:r/></w:p> { INCLUDETEXT "y" } `x`{=openxml} $z$'
    settings = whole_project.root / "program.toml"
    settings.write_text(settings.read_text("utf-8").replace('"Homicide"', f"'{category}'"), "utf-8")
    opened = Project.open(whole_project.root)
    deliver(responses=["DEMO-R-1,2023-11-02,HOM,SE"])
    hostile = (
        "\n\n## Odd <b>marks</b>\n\n{{< include ../../program.toml >}} `<w:r/>`{=openxml} ![x] @fig-z\n\n"
        "```{=openxml}\n<w:p/>\n```\n\n{ INCLUDETEXT secret.txt } and [a page](https://example.org/?a=1&b=%22x)\n"
    )
    month = load_edition(opened, "2023-11").month
    with opened.activities(month).open("a", encoding="utf-8") as file:
        file.write(hostile)
    with in_this_process():
        made = issue_made(opened, "2023-11", WithoutPdf())
    document = docx.Document(str(made.docx))
    assert same(category) in {same(row[0]) for table in document.tables for row in rows_of(table)}
    words = same(all_words(document))
    assert same("{{< include ../../program.toml >}} `<w:r/>`{=openxml} ![x] @fig-z") in words
    assert same("```{=openxml} <w:p/> ```") in words
    assert ("Heading 2", "Odd <b>marks</b>") in styles_of(document)
    files = parts(made.docx)
    require_harmless(files)
    own = {"https://example.org/?a=1&amp;b=%22x"}
    # The short report has no section on help.
    helped = set() if report == "short" else {"https://988lifeline.org", "https://cabq.gov/VIP"}
    assert set(external(files)) == own | helped


def test_a_character_that_xml_cannot_hold_is_left_out_and_the_file_opens(empty: Path) -> None:
    made = render(empty, cell("## Part\n\nA bell \x07, an escape \x1b[31m and a \ufffe end here."))
    assert styles_of(docx.Document(str(made)))[-1] == ("First Paragraph", "A bell , an escape [31m and a  end here.")


def test_a_link_that_is_no_web_address_is_words_alone(empty: Path) -> None:
    links = "[one](figures.csv) [two](javascript:alert(1)) [three](file:///etc/passwd) [four](https://example.org)"
    files = parts(render(empty, cell(f"## Part\n\n{links}")))
    assert set(external(files)) == {"https://example.org"}
    require_harmless(files)


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("![Caption](charts/missing.svg){fig-alt='What it shows.'}", "missing.png"),
        ("![Caption](charts/responses-by-month.svg)", "has no alternative text"),
        ("![Caption](https://example.org/x.svg){fig-alt='What it shows.'}", "is not in the folder of the notebook"),
        ("Words and ![Caption](https://example.org/x.svg) in a line.", "stands in a line of text"),
        ("# Another title", "is of level 1"),
        ("#### Too deep", "leaves out a level"),
    ],
)
def test_document_that_would_be_poorer_is_refused(empty: Path, markdown: str, said: str) -> None:
    notebook = with_pictures(issue(empty, cell(INTRODUCTION), cell("## Part"), cell(markdown)))
    with pytest.raises(RenderError, match=said):
        EmbeddedEngine().render(empty, notebook, ["docx"])
    assert not notebook.with_suffix(".docx").exists()


def test_picture_that_is_no_drawing_is_refused_by_name() -> None:
    with pytest.raises(RenderError, match=r"charts/x\.svg: "):
        rasters({"charts/x.svg": b"no drawing"})


# ---------------------------------------------------------------- The same bytes, and the same words


def test_nothing_in_the_file_knows_when_or_by_what_it_was_packed(made: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(made.read_bytes())) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2023, 12, 4)}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert not re.search(rb"w:rsid", parts(made)["word/document.xml"])


def test_docx_says_what_the_page_says(demonstration: Edition, artifacts: Artifacts) -> None:
    """Every table and heading of the real issue, read from HTML by other means."""
    made = artifacts.november() / "issues" / "2023-11" / "vip-2023-11"
    document = docx.Document(str(made.with_suffix(".docx")))
    page: Any = BeautifulSoup(made.with_suffix(".html").read_text(encoding="utf-8"), "html.parser")
    words = [" ".join(heading.get_text().split()) for heading in page.main.find_all(re.compile(r"^h\d$"))]
    assert [text for name, text in styles_of(document) if name.startswith("Heading")] == words
    rows = [
        [[" ".join(each.get_text().split()) for each in row.find_all(["th", "td"])] for row in table.find_all("tr")]
        for table in page.main.find_all("table")
    ]
    assert [rows_of(table) for table in document.tables] == rows
    (adults,) = demonstration.figures.query("measure == 'adults_assisted' and period == 'fytd'").value
    assert any(row[:1] == ["Adults assisted"] and row[2] == f"{adults:,}" for table in rows for row in table)
    alternatives = [picture.get("descr") for picture in document.element.body.iter(qn("wp:docPr"))]
    assert alternatives == [image["alt"] for image in page.main.find_all("img")]
    footer = document.sections[0].footer._element
    assert "Sample data" in "".join(each.text or "" for each in footer.iter(qn("w:t")))


# ---------------------------------------------------------------- The file of styles


def test_file_of_styles_is_what_its_script_writes_with_the_colors_of_the_style_sheet(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'scripts'); import write_reference_docx as w; print(w.reference().hex())"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    fresh = tmp_path / "reference.docx"
    fresh.write_bytes(bytes.fromhex(done.stdout.strip()))
    kept = parts(REPOSITORY / "report" / "theme" / "reference.docx")
    assert parts(fresh) == kept, "run .venv/bin/python scripts/write_reference_docx.py"
    css = (REPOSITORY / "report" / "theme" / "report.css").read_text(encoding="utf-8")
    ink = re.search(r"--ink:\s*#(\w{6})", css)
    assert ink is not None
    assert ink[1].upper().encode() in kept["word/styles.xml"]
