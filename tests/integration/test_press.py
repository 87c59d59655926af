"""For the press and for slides: the summary on one page, as text and as a mail, and each chart with its title."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.display import Markdown
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from pypdf import PdfReader

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.projects import REPOSITORY, Deliver
from viputils.config.project import Project
from viputils.core.errors import RenderError
from viputils.report import press
from viputils.report.issue import front_matter
from viputils.report.notebook import clean_copy
from viputils.report.render.embedded import EmbeddedEngine


@pytest.fixture(scope="module", params=["en", "es"])
def folder(request: pytest.FixtureRequest, artifacts: Artifacts) -> Path:
    place = "2023-11" if request.param == "en" else "es/2023-11"
    return artifacts.in_two_languages() / "issues" / place


def one(folder: Path, end: str) -> Path:
    """Return a file of the issue by the end of its name, behind the name of the issue."""
    (word,) = folder.glob("*.docx")
    return folder / f"{word.stem}{end}"


def words(text: str) -> str:
    return " ".join(text.split())


def points_of(folder: Path) -> list[str]:
    """Return the main points as the issue's own page shows them."""
    page = one(folder, ".html").read_text(encoding="utf-8")
    soup = BeautifulSoup(page, "html.parser")
    first = soup.main.find("ul") if soup.main else None
    assert first is not None
    return [words(item.get_text()) for item in first.find_all("li")]


def test_the_summary_has_the_main_points_of_the_issue_in_every_form(folder: Path) -> None:
    points = points_of(folder)
    assert len(points) == 6
    text = words(one(folder, "-summary.txt").read_text(encoding="utf-8"))
    mail = BeautifulSoup(one(folder, "-summary.html").read_text(encoding="utf-8"), "html.parser")
    pdf = words(" ".join(page.extract_text() for page in PdfReader(one(folder, "-summary.pdf")).pages))
    for point in points:
        assert point in text
        assert point in words(mail.get_text())
        assert point.replace(" ", "") in pdf.replace(" ", "")
    # The headline numbers, as published.
    for number in ("2,599", "101", "4,666", "2,446"):
        assert number in text
        assert number in words(mail.get_text())
    assert not list(folder.glob("*-summary.ipynb"))


def test_the_summary_is_one_page(folder: Path) -> None:
    assert len(PdfReader(one(folder, "-summary.pdf")).pages) == 1


def test_the_issue_has_at_most_seven_pages_in_english_and_one_more_in_spanish(folder: Path) -> None:
    assert len(PdfReader(one(folder, ".pdf")).pages) <= (8 if "es" in folder.parts else 7)


def test_a_mail_needs_no_other_file_and_no_style_sheet(folder: Path) -> None:
    page = one(folder, "-summary.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(page, "html.parser")
    assert not soup.find_all(["style", "link", "script", "img"])
    assert soup.html is not None
    assert soup.html["lang"] == ("es" if "es" in folder.parts else "en")
    assert all(cell.get("style") for cell in soup.find_all(["th", "td", "table", "h1", "h2"]))


def test_each_chart_has_a_picture_for_slides_that_the_page_names(folder: Path) -> None:
    page = one(folder, ".html").read_text(encoding="utf-8")
    drawings = sorted(path.stem for path in (folder / "charts").glob("*.svg"))
    assert "chart-tile-map" in drawings
    named = sorted(re.findall(r'href="(charts/[\w-]+-slide\.png)"', page))
    assert named == [f"charts/{name}-slide.png" for name in drawings]
    for name in named:
        with Image.open(folder / name) as picture:
            assert picture.size == (1600, 900)


def test_a_picture_for_slides_shows_texts_as_they_are(artifacts: Artifacts) -> None:
    fonts = artifacts.november() / "report" / "fonts"
    drawing = (artifacts.november() / "issues" / "2023-11" / "charts" / "chart-by-month.svg").read_bytes()

    def pictures(title: str, draft: str = "") -> bytes:
        class Copy:
            cells = (
                {
                    "outputs": [
                        {
                            "data": {
                                "text/markdown": f'## {title}\n\n![x](charts/a.svg){{#a .chart fig-alt="x" source="y"}}'
                            }
                        }
                    ]
                },
            )

        (made,) = press.slides(Copy, {"charts/a.svg": drawing}, fonts, draft).values()
        return made

    plain, hostile = pictures("A title"), pictures(r"\#panic(\"x\") \[x\] \$1 \*a\*")
    assert plain == pictures("A title")
    assert plain != hostile
    assert plain != pictures("A title", "Draft: not for publication")
    with Image.open(io.BytesIO(hostile)) as picture:
        assert picture.size == (1600, 900)


def test_the_first_point_stands_alone_without_a_mark_that_nothing_explains() -> None:
    data = {"text/markdown": "## Main points\n\n- **1,234** \\[p\\] people \\<b\\>.\n- Two."}
    made = new_notebook(
        cells=[
            new_code_cell(outputs=[new_output("display_data", data={"text/markdown": "None here."})]),
            new_code_cell(outputs=[new_output("display_data", data=data)]),
        ]
    )
    assert press.first_point(made) == "1,234 people <b>."
    assert press.first_point(new_notebook()) == ""


def test_a_card_on_which_the_names_do_not_fit_is_refused(artifacts: Artifacts) -> None:
    fonts = artifacts.november() / "report" / "fonts"
    names = ("program", "report", "month", "city", "department")
    fits = {"vip": dict.fromkeys(names, "A name")}
    with Image.open(io.BytesIO(press.card(fits, "One.", fonts))) as picture:
        assert picture.size == (1200, 630)
    with pytest.raises(RenderError, match=r"card\.png: does not fit; shorten the names in program\.toml"):
        press.card({"vip": fits["vip"] | {"report": "A long name of a report " * 30}}, "One.", fonts)


def test_every_page_of_a_draft_says_so_and_it_is_not_published(whole_project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,Homicide,Southeast"])
    at = f"--project={whole_project.root}"
    done = vip("report", "2023-11", "--draft", "--json", "--engine=embedded", at)
    assert done.returncode == 0, done.stderr
    folder = whole_project.issues / "2023-11"
    made = json.loads(done.stdout)
    assert (folder / one(folder, "-summary.pdf").name).samefile(whole_project.root / made["summary"])
    mark = "Draft: not for publication"
    for end in ("", "-summary"):
        for page in PdfReader(one(folder, f"{end}.pdf")).pages:
            assert mark in words(page.extract_text())
        soup = BeautifulSoup(one(folder, f"{end}.html").read_text(encoding="utf-8"), "html.parser")
        assert mark in words(soup.get_text())
    assert mark in one(folder, "-summary.txt").read_text(encoding="utf-8")
    assert any(mark in words(text) for text in footers(one(folder, ".docx")))
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["parameters"]["draft"] is True
    status = vip("status", at)
    assert "as of 2023-12-04, a draft" in words(status.stdout)
    done = vip("publish", "2023-11", "--approved-by=A. Person", "--printed=2023-12-10", at)
    assert done.returncode == 2
    assert "issues/2023-11: is a draft; run vip report 2023-11 without --draft." in done.stderr
    assert not (whole_project.published / "2023-11.csv").exists()


def footers(path: Path) -> list[str]:
    """Return the text of each footer of a Word file."""
    with zipfile.ZipFile(path) as document:
        names = [name for name in document.namelist() if re.match(r"word/footer\d*\.xml", name)]
        return ["".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)<", document.read(name).decode("utf-8"))) for name in names]


def test_a_summary_that_is_too_long_loses_its_chart_and_is_then_refused(tmp_path: Path) -> None:
    project = Project.open(REPOSITORY)
    header = front_matter(project, "November 2023", dt.date(2023, 12, 4), demonstration=True)
    chart = '## Responses\n\n![One](charts/one.svg){#one .chart fig-alt="One."}'
    (tmp_path / "charts").mkdir()
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><rect width="9" height="9"/></svg>'
    (tmp_path / "charts" / "one.svg").write_text(drawing, encoding="utf-8")

    def summary(points: int) -> tuple[int, str]:
        text = "## Main points\n\n" + "\n".join("- One point." for _ in range(points)) + f"\n\n{chart}"
        cell = new_code_cell(outputs=[new_output("display_data", data={"text/markdown": text})])
        cell.metadata["tags"] = ["summary"]
        made, _ = clean_copy(new_notebook(cells=[cell]), header, only_summary=True)
        notebook = tmp_path / "vip-summary.ipynb"
        nbformat.write(made, notebook)
        press.write_summary(EmbeddedEngine(), project.pages, notebook, header)
        return len(PdfReader(notebook.with_suffix(".pdf")).pages), notebook.read_text(encoding="utf-8")

    for points, has_chart in ((5, True), (20, False)):
        pages, notebook = summary(points)
        assert (pages, "one.svg" in notebook) == (1, has_chart)
    with pytest.raises(RenderError, match=r"vip-summary\.pdf: has 3 pages, even without its chart; shorten report"):
        summary(80)


def test_a_summary_without_a_chart_is_what_there_is() -> None:
    nothing = Markdown("")
    assert (
        press.summary(nothing, Markdown("## Main points\n\n- One."), nothing, nothing).data
        == "## Main points\n\n- One."
    )
