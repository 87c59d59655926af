"""The embedded engine, with real renders of a small issue that are opened and read again."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat import v4
from pypdf import PdfReader

from tests.support.documents import ALT, FRONT_MATTER, HOSTILE, INTRODUCTION, cell, issue, project, same
from tests.support.projects import REPOSITORY
from viputils.core.errors import RenderError
from viputils.report.render import choose_engine
from viputils.report.render.embedded import EmbeddedEngine


def render(root: Path, *cells: Any, metadata: dict[str, Any] | None = None) -> dict[str, Path]:
    return EmbeddedEngine().render(root, issue(root, *cells, metadata=metadata), ["html", "pdf"])


def refusal(root: Path, *cells: Any, metadata: dict[str, Any] | None = None) -> str:
    """What the engine says when it refuses an issue, after a check that it has written nothing."""
    notebook = issue(root, *cells, metadata=metadata)
    with pytest.raises(RenderError) as refused:
        EmbeddedEngine().render(root, notebook, ["html", "pdf"])
    assert sorted(path.name for path in notebook.parent.iterdir()) == ["charts", "vip-2023-11.ipynb"]
    return str(refused.value)


def words(text: str) -> str:
    return " ".join(text.split())


def soup_of(page: Path) -> Any:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def text_of(pdf: Path) -> str:
    return words(" ".join(page.extract_text() for page in PdfReader(pdf).pages))


def elements(pdf: Path) -> Iterator[tuple[str, Any]]:
    """Every element of the structure tree in reading order, as (type, dictionary)."""

    def walk(node: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(node, pikepdf.Array):
            for child in list(node):
                yield from walk(child)
        elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
            yield str(node["/S"]).lstrip("/"), node
            yield from walk(node.get("/K"))

    with pikepdf.open(io.BytesIO(pdf.read_bytes())) as document:
        yield from walk(document.Root.StructTreeRoot.K)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("render") / "project")


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, Path]:
    return render(root)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


# ---------------------------------------------------------------- The page


def test_both_formats_stand_beside_the_notebook(pages: dict[str, Path], root: Path) -> None:
    folder = root / "issues" / "2023-11"
    assert pages == {"html": folder / "vip-2023-11.html", "pdf": folder / "vip-2023-11.pdf"}
    assert pages["pdf"].read_bytes().startswith(b"%PDF-")


def test_html_is_one_file_without_scripts_or_anything_to_fetch(pages: dict[str, Path]) -> None:
    text = pages["html"].read_text(encoding="utf-8")
    soup = soup_of(pages["html"])
    assert not soup.find_all(["script", "iframe"])
    # An empty icon keeps a browser from asking for one.
    assert [str(link["href"]) for link in soup.find_all("link")] == ["data:,"]
    assert all(str(image["src"]).startswith("data:") for image in soup.find_all("img"))
    fetched = re.findall(r"url\((?!\"?'?data:)[^)]*\)|@import", text)
    assert fetched == []
    assert text.count("data:font/woff2;base64,") == 2


def test_html_has_one_h1_and_headings_in_order(pages: dict[str, Path]) -> None:
    soup = soup_of(pages["html"])
    levels = [int(heading.name[1]) for heading in soup.find_all(re.compile(r"^h[1-6]$"))]
    assert levels == [1, 2, 3, 3, 2, 2, 3, 2, 3, 2]
    assert words(soup.h1.get_text()) == "Violence Intervention Program Monthly Informational Report November 2023"


def test_html_has_landmarks_and_a_skip_link_that_leads_to_main(pages: dict[str, Path]) -> None:
    soup = soup_of(pages["html"])
    assert soup.html["lang"] == "en"
    assert soup.title.string == FRONT_MATTER["title"]
    assert [len(soup.find_all(name)) for name in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert soup.body.find("a")["href"] == f"#{soup.main['id']}"
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in soup.nav.find_all("a")} <= set(ids)


def test_html_tables_have_captions_column_and_row_headers(pages: dict[str, Path]) -> None:
    tables = soup_of(pages["html"]).find_all("table")
    assert [words(table.caption.get_text()) for table in tables] == [
        "Responses by incident type",
        "Responses by area command",
        "Responses by month",
    ]
    for table in tables:
        assert {header["scope"] for header in table.thead.find_all("th")} == {"col"}
        for row in table.tbody.find_all("tr"):
            assert [row.find("th")["scope"], *(each.name for each in row.find_all(["th", "td"]))][:3] == [
                "row",
                "th",
                "td",
            ]
    totals = [words(row.get_text(" ")) for row in soup_of(pages["html"]).find_all("tr", class_="total")]
    assert totals == ["Total 90 320", "Total 90 319"]


def test_every_table_keeps_its_roles_and_labels_where_little_room_shows_it_as_blocks(empty: Path) -> None:
    wide = "| Table | Read | Kept | Late | Twice |\n|:--|--:|--:|--:|--:|\n| Responses | 4 | 3 | 2 | 1 |\n\n: Rows"
    narrow = "| Month | Responses |\n|:--|--:|\n| November | 90 |\n\n: Months"
    page = soup_of(render(empty, cell(f"## Part\n\n{wide}\n\n{narrow}"))["html"])
    for table, labels in zip(page.find_all("table"), (["Read", "Kept", "Late", "Twice"], ["Responses"]), strict=True):
        assert table["role"] == "table"
        row = table.tbody.tr
        assert [each["role"] for each in row.find_all(["th", "td"])] == ["rowheader", *["cell"] * len(labels)]
        assert [each["data-label"] for each in row.find_all("td")] == labels


def test_chart_has_a_caption_and_its_own_alternative_text_in_both_formats(pages: dict[str, Path]) -> None:
    figure = soup_of(pages["html"]).figure
    assert figure.img["alt"] == ALT
    assert words(figure.figcaption.get_text()) == "Responses in each month of the fiscal year"
    alternatives = [str(node["/Alt"]) for kind, node in elements(pages["pdf"]) if kind == "Figure"]
    assert alternatives == [ALT]
    assert "Responses in each month of the fiscal year" in text_of(pages["pdf"])


def test_code_and_plain_text_are_never_shown(pages: dict[str, Path]) -> None:
    for text in (soup_of(pages["html"]).get_text(), text_of(pages["pdf"])):
        assert "secret_source_code" not in text
        assert "Markdown object" not in text


@pytest.mark.parametrize(
    "shown",
    [
        "2,599 adults assisted",
        "Gun/Other Violence 55 178",
        "Total 90 319",
        "One response has no area command on record.",
        "The team went from door to door and offered emotional support, see the site.",
        "Made from records received by December 4, 2023.",
        "These are demonstration records.",
    ],
)
def test_both_formats_say_the_same(pages: dict[str, Path], shown: str) -> None:
    assert shown in words(soup_of(pages["html"]).get_text(" ")).replace(" .", ".")
    assert shown in text_of(pages["pdf"])


def test_pdf_is_tagged_titled_and_dated(pages: dict[str, Path]) -> None:
    with pikepdf.open(pages["pdf"]) as pdf:
        assert str(pdf.Root.Lang) == "en"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert str(pdf.docinfo["/Title"]) == FRONT_MATTER["title"]
        assert str(pdf.docinfo["/Author"]) == FRONT_MATTER["author"]
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20231204")
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root][:2] == ["Introduction to VIP", "Impact by the numbers"]
            assert [item.title for item in outline.root[0].children] == ["Custom Notifications", "Referrals"]


def test_pdf_structure_has_a_title_headings_in_order_and_table_headers(pages: dict[str, Path]) -> None:
    kinds = [kind for kind, _ in elements(pages["pdf"])]
    assert kinds.count("Title") == 1
    assert [kind for kind in kinds if re.fullmatch(r"H\d", kind)] == [
        "H1",
        "H2",
        "H2",
        "H1",
        "H1",
        "H2",
        "H1",
        "H2",
        "H1",
    ]
    assert kinds.count("Table") == 3
    assert kinds.count("Caption") == 4
    assert kinds.count("TH") == 3 + 3 + 2


def test_pdf_is_letter_with_a_footer_on_all_pages_and_a_header_on_all_but_the_first(pages: dict[str, Path]) -> None:
    reader = PdfReader(pages["pdf"])
    count = len(reader.pages)
    assert count >= 2
    for number, page in enumerate(reader.pages, start=1):
        text = words(page.extract_text())
        assert (page.mediabox.width, page.mediabox.height) == (612, 792)
        assert (FRONT_MATTER["vip"]["running-header"] in text) == (number > 1)
        assert f"{number} / {count}" in text
        assert "CABQ.GOV/VIP" in text
    cover = words(reader.pages[0].extract_text())
    assert "Monthly Informational Report November 2023" in cover


def test_pdf_uses_only_the_fonts_of_the_project(pages: dict[str, Path]) -> None:
    pages_of: Any = PdfReader(pages["pdf"]).pages
    fonts = {str(font["/BaseFont"]) for page in pages_of for font in page["/Resources"]["/Font"].values()}
    assert fonts
    assert {font.split("+")[1].split("-")[0] for font in fonts} == {"PublicSans"}


def test_language_may_name_a_region(empty: Path) -> None:
    made = render(empty, cell(INTRODUCTION), metadata=FRONT_MATTER | {"lang": "en-US"})
    assert soup_of(made["html"]).html["lang"] == "en-US"
    with pikepdf.open(made["pdf"]) as pdf:
        assert str(pdf.Root.Lang) == "en-US"


def test_real_records_leave_no_trace_of_a_notice(empty: Path) -> None:
    vip = {key: value for key, value in FRONT_MATTER["vip"].items() if key != "demonstration"}
    made = render(empty, cell(INTRODUCTION), metadata=FRONT_MATTER | {"vip": vip})
    assert "demonstration" not in text_of(made["pdf"])
    assert soup_of(made["html"]).find(class_="notice") is None


# ---------------------------------------------------------------- Text stays text


PLACES = {
    "a paragraph": "{}",
    "a table": "| Name | Count |\n|:--|--:|\n| {} | 1 |\n\n: Caption",
    "a tile": "::: {{.tiles}}\n- **5** {}\n:::",
    "a notice": "::: {{.notice}}\n{}\n:::",
}


@pytest.fixture(scope="module")
def hostile_pages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str, str]:
    """One document with every hostile text in every place: its page, and the words of both formats."""
    cells = [
        cell(f"## Part {number} of {place}\n\n{PLACES[place].format(f'Words {text} end in {place} {number}.')}")
        for place in PLACES
        for number, text in enumerate(HOSTILE)
    ]
    made = render(project(tmp_path_factory.mktemp("hostile") / "project"), *cells)
    soup = soup_of(made["html"])
    return soup, same(words(soup.main.get_text())), same(text_of(made["pdf"]))


@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_text_that_looks_like_code_is_shown_as_text(
    hostile_pages: tuple[Any, str, str], number: int, place: str
) -> None:
    soup, *shown = hostile_pages
    assert not soup.find_all(["script", "label"])
    assert not soup.main.find_all("img")
    # What a reader sees: backslashes that only escape, and the marks of inline code, are gone.
    seen = re.sub(r"\\(?=[{}<>])|`", "", HOSTILE[number])
    for text in shown:
        assert same(f"Words {seen} end in {place} {number}.") in text


def test_text_that_looks_like_front_matter_cannot_change_the_document(empty: Path) -> None:
    made = render(
        empty, cell("% Another title\n\n---\ntitle: Another title\nlang: xx\n---\n"), cell("## Part\n\nText.")
    )
    soup = soup_of(made["html"])
    assert soup.title.string == FRONT_MATTER["title"]
    assert soup.html["lang"] == "en"


# ---------------------------------------------------------------- The same bytes


@pytest.mark.exact_bytes
def test_bytes_do_not_depend_on_folder_time_zone_or_locale(tmp_path: Path) -> None:
    made = []
    for name, zone, locale in (
        ("a", "UTC", "C"),
        ("another folder: #1, 100%41 ä", "Pacific/Kiritimati", "de_DE.UTF-8"),
    ):
        root = project(tmp_path / name)
        notebook = issue(root)
        code = (
            "import sys; from pathlib import Path; from viputils.report.render import choose_engine;"
            "choose_engine('embedded').render(Path(sys.argv[1]), Path(sys.argv[2]), ['html', 'pdf'])"
        )
        env = os.environ | {
            "TZ": zone,
            "LC_ALL": locale,
            "PYTHONPATH": str(REPOSITORY / "src"),
            "SOURCE_DATE_EPOCH": "1",
        }
        subprocess.run([sys.executable, "-c", code, root, notebook], env=env, cwd=tmp_path / name, check=True)
        made.append([notebook.with_suffix(suffix).read_bytes() for suffix in (".html", ".pdf")])
    assert made[0] == made[1]


def test_bytes_do_not_depend_on_the_folder_and_the_environment_of_the_caller_is_left_alone(
    pages: dict[str, Path], tmp_path: Path
) -> None:
    before = dict(os.environ)
    made = render(project(tmp_path / "another folder: #1, 100%41 ä"))
    assert {name: path.read_bytes() for name, path in made.items()} == {
        name: path.read_bytes() for name, path in pages.items()
    }
    assert dict(os.environ) == before


# ---------------------------------------------------------------- Refused


@pytest.mark.parametrize(
    ("markdown", "construct"),
    [
        ("{{< include secret.txt >}}", "a shortcode"),
        ("::: {.callout-note}\nText.\n:::", "a callout"),
        ("::: {.panel-tabset}\n## A\n:::", "a tabset"),
        ("::: {layout-ncol=2}\nText.\n:::", "a layout"),
        ("::: {.column-margin}\nText.\n:::", "a layout"),
        ("See @fig-responses.", "a cross-reference"),
        ("| A | B |\n|---|---|\n| 1 | 2 |\n\n: Caption {#tbl-one}", "a cross-reference label"),
        ("```{=html}\n<b>x</b>\n```", "a raw or executable block"),
        ("`#pagebreak()`{=typst}", "a raw span"),
    ],
)
def test_what_only_quarto_understands_is_refused_with_its_cell(empty: Path, markdown: str, construct: str) -> None:
    said = refusal(empty, cell(INTRODUCTION), cell(markdown))
    assert f"vip-2023-11.ipynb, cell 3: holds {construct}, which only Quarto understands" in said


def test_cell_option_is_refused_with_its_cell(empty: Path) -> None:
    said = refusal(empty, cell(INTRODUCTION, source="#| label: fig-responses\nshow()"))
    assert "cell 2: holds a cell option, which only Quarto understands: '#| label: fig-responses'" in said


def test_every_problem_is_named_at_once(empty: Path) -> None:
    said = refusal(empty, cell("{{< pagebreak >}}"), cell("See @tbl-one."))
    assert "cell 2" in said
    assert "cell 3" in said


def test_error_output_is_refused(empty: Path) -> None:
    failed = v4.new_code_cell(
        "1 / 0", outputs=[v4.new_output("error", ename="ZeroDivisionError", evalue="division by zero")]
    )
    assert "cell 3: failed: ZeroDivisionError: division by zero." in refusal(empty, cell(INTRODUCTION), failed)


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        (v4.new_output("stream", name="stdout", text="debugging"), "stdout"),
        (v4.new_output("display_data", data={"image/png": "aGk=", "text/plain": "<Figure>"}), "image/png, text/plain"),
    ],
)
def test_output_that_is_not_markdown_is_refused(empty: Path, output: Any, kind: str) -> None:
    said = refusal(empty, v4.new_code_cell("show()", outputs=[output]))
    assert f"cell 2: shows {kind} and no text/markdown." in said


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("![Caption](charts/missing.svg){fig-alt='What it shows.'}", "missing.svg"),
        ("![Caption](charts/responses-by-month.svg)", "has no alternative text"),
        ("![Caption](../../report/theme/report.svg){fig-alt='What it shows.'}", "is not in the folder of the notebook"),
        ("![Caption](https://example.org/x.svg){fig-alt='What it shows.'}", "is not in the folder of the notebook"),
        ("# Another title", "is of level 1"),
        ("#### Too deep", "leaves out a level"),
        ("::: {.notice}\nNever closed.", "unclosed"),
        ("::: {.tiles}\nNo list.\n:::", "one bullet list"),
    ],
)
def test_page_that_would_be_poorer_is_refused(empty: Path, markdown: str, said: str) -> None:
    assert said in refusal(empty, cell(INTRODUCTION), cell("## Part"), cell(markdown))


def test_pdf_that_would_not_be_accessible_is_refused(empty: Path) -> None:
    notebook = issue(empty, cell("## Part"), cell("#### Too deep"))
    with pytest.raises(RenderError, match="PDF/UA-1"):
        EmbeddedEngine().render(empty, notebook, ["pdf"])


def test_a_font_that_the_project_does_not_ship_is_refused_wherever_it_is_installed(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fonts = tmp_path / "home" / "fonts"
    fonts.mkdir(parents=True)
    for font in (empty / "report" / "fonts").glob("*.ttf"):
        shutil.move(font, fonts)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    assert "unknown font family: public sans" in refusal(empty, cell(INTRODUCTION))


@pytest.mark.parametrize("key", ["title", "lang", "date"])
def test_front_matter_without_what_a_page_needs_is_refused(empty: Path, key: str) -> None:
    metadata = {name: value for name, value in FRONT_MATTER.items() if name != key}
    assert f"cell 1: the front matter has no '{key}'" in refusal(empty, cell(INTRODUCTION), metadata=metadata)


def test_front_matter_without_a_part_of_the_cover_is_refused(empty: Path) -> None:
    vip = {key: value for key, value in FRONT_MATTER["vip"].items() if key != "running-header"}
    said = refusal(empty, cell(INTRODUCTION), metadata=FRONT_MATTER | {"vip": vip})
    assert 'The front matter has no "vip: running-header"' in said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"bibliography": "x.bib"}, "'bibliography'"),
        ({"format": {"html": {"code-fold": True}}}, "'format.html.code-fold'"),
        ({"format": {"docx": {"toc": True}}}, "'format.docx.toc'"),
        ({"filters": ["gone.lua"]}, "filters names 'gone.lua'"),
        ({"execute": {"enabled": True}}, "execute.enabled"),
        ({"project": {"type": "book"}}, "project.type"),
        ({"format": {"html": {"css": "report/theme/gone.css"}}}, "format.html.css"),
    ],
)
def test_setting_that_cannot_be_honored_is_refused_by_name(empty: Path, change: dict[str, Any], named: str) -> None:
    settings = yaml.safe_load((empty / "_quarto.yml").read_text(encoding="utf-8"))
    for key, value in change.items():
        settings[key] = settings.get(key, {}) | value if isinstance(value, dict) else value
    (empty / "_quarto.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert named in refusal(empty, cell(INTRODUCTION))


def test_unknown_format_is_refused(empty: Path) -> None:
    with pytest.raises(RenderError, match="'epub' is not known; known: html, pdf, docx"):
        EmbeddedEngine().render(empty, issue(empty), ["html", "epub"])


# ---------------------------------------------------------------- The engine


def test_engine_names_its_programs() -> None:
    engine = choose_engine("embedded")
    assert engine.name == "embedded"
    assert re.fullmatch(r"Pandoc \d+(\.\d+)+, Typst \d+(\.\d+)+", engine.version())


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'word'"):
        choose_engine("word")  # type: ignore[arg-type]
