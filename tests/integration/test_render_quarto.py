"""Real Quarto on a real issue: the same words and numbers as the embedded engine gives, and by hand as well."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import docx
import pytest
from bs4 import BeautifulSoup
from docx.oxml.ns import qn
from pypdf import PdfReader

from tests.support.dataset import dataset_of
from tests.support.pages import issue_made, needs_quarto
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.errors import RenderError
from viputils.report.issue import Issue
from viputils.report.render import choose_engine
from viputils.report.render.quarto import QuartoEngine


def words_of_page(path: Path) -> list[str]:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return page.get_text(" ").split()


def structure_of_page(path: Path) -> list[tuple[str, str]]:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    shown = page.find_all(["h1", "h2", "h3", "caption", "th", "td", "figcaption", "li", "img", "svg"])
    return [(tag.name, str(tag.get("alt") or tag.get("aria-label") or tag.get_text(" ", strip=True))) for tag in shown]


def words_of_pdf(path: Path) -> list[str]:
    return [word for page in PdfReader(path).pages for word in (page.extract_text() or "").split()]


def text_of_docx(path: Path) -> list[tuple[str, str]]:
    """Every paragraph with its style, those of tables included, and the alternative text of every picture."""
    body = docx.Document(str(path)).element.body
    found = []
    for paragraph in body.iter(qn("w:p")):
        style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        text = "".join(part.text or "" for part in paragraph.iter(qn("w:t")))
        found.append(("" if style is None else style.get(qn("w:val")), text))
        found += [("picture", picture.get("descr")) for picture in paragraph.iter(qn("wp:docPr"))]
    return found


@pytest.fixture
def project_with_activities(whole_project: Project, deliver: Deliver) -> Project:
    deliver(
        responses=["DEMO-R-1,2023-11-02,DV,SE", "DEMO-R-2,2023-08-03,GSW,", "DEMO-R-3,2023-11-30,HOM,UNI"],
        outreach=["DEMO-O-1,2023-11-02,SE,D2D,,1200,3"],
        notifications=["DEMO-N-1,2023-11-02,DEMO-C-1,Delivered,yes"],
    )
    hostile = "\n\n## Odd <b>marks</b>\n\n{{< include ../../program.toml >}}\n\n`x`{=html} $y$ @fig-z #set text(red)\n"
    with whole_project.activities(load_edition(whole_project, "2023-11").month).open("a", encoding="utf-8") as file:
        file.write(hostile)
    return whole_project


def made_with(project: Project, engine: str) -> Issue:
    issue = issue_made(project, "2023-11", choose_engine(engine))  # type: ignore[arg-type]
    kept = project.root / engine
    shutil.copytree(issue.html.parent, kept)
    return Issue(
        issue.period,
        issue.as_of,
        issue.engine,
        *(kept / p.name for p in (issue.html, issue.pdf, issue.docx, issue.figures, issue.notebook, issue.manifest)),
    )


@needs_quarto
def test_both_engines_give_the_same_words_numbers_and_structure(project_with_activities: Project) -> None:
    quarto, embedded = (made_with(project_with_activities, engine) for engine in ("quarto", "embedded"))
    assert quarto.engine == "quarto"
    assert words_of_page(quarto.html) == words_of_page(embedded.html)
    assert structure_of_page(quarto.html) == structure_of_page(embedded.html)
    assert words_of_pdf(quarto.pdf) == words_of_pdf(embedded.pdf)
    assert text_of_docx(quarto.docx) == text_of_docx(embedded.docx)
    assert "1,200" in words_of_pdf(quarto.pdf)
    assert dataset_of(quarto.html) == dataset_of(embedded.html)
    # What an activities file says is text in both, whatever it looks like.
    assert "{{< include ../../program.toml >}}" in " ".join(words_of_page(quarto.html))
    assert quarto.notebook.read_bytes() == embedded.notebook.read_bytes()
    assert quarto.figures.read_bytes() == embedded.figures.read_bytes()


@needs_quarto
def test_a_file_beside_the_theme_that_the_settings_name_is_found_by_both_engines(
    project_with_activities: Project,
) -> None:
    root = project_with_activities.root
    (root / "assets").mkdir()
    (root / "assets" / "city.css").write_text(":root { --of-the-city: 1 }", "utf-8")
    settings = root / "_quarto.yml"
    css = "report/theme/report.css"
    text = settings.read_text("utf-8")
    assert text.count(css) == 1
    settings.write_text(text.replace(css, f"[{css}, assets/city.css]"), "utf-8")
    for engine in ("quarto", "embedded"):
        issue = made_with(project_with_activities, engine)
        assert "of-the-city" in issue.html.read_text("utf-8")
        assert "assets/city.css" in json.loads(issue.manifest.read_bytes())["inputs"]["templates"]


@needs_quarto
def test_quarto_leaves_nothing_behind_in_the_project(project_with_activities: Project) -> None:
    made_with(project_with_activities, "quarto")
    assert not (project_with_activities.root / ".quarto").exists()
    assert {path.name for path in (project_with_activities.issues / "2023-11").iterdir()} == {
        "charts", "figures.csv", "series.csv", "figures.json", "datapackage.json", "manifest.json",
        "card.png", "vip-2023-11-summary.html", "vip-2023-11-summary.pdf", "vip-2023-11-summary.txt",
        "vip-2023-11.docx", "vip-2023-11.html", "vip-2023-11.ipynb", "vip-2023-11.pdf",
    }  # fmt: skip


@needs_quarto
def test_quarto_render_by_hand_works_on_an_issue_that_was_made(project_with_activities: Project) -> None:
    issue = made_with(project_with_activities, "embedded")
    folder = project_with_activities.issues / "2023-11"
    for name in ("vip-2023-11.html", "vip-2023-11.pdf", "vip-2023-11.docx"):
        (folder / name).unlink()
    done = subprocess.run(
        ["quarto", "render"], cwd=project_with_activities.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert words_of_page(folder / "vip-2023-11.html") == words_of_page(issue.html)
    assert words_of_pdf(folder / "vip-2023-11.pdf") == words_of_pdf(issue.pdf)
    assert text_of_docx(folder / "vip-2023-11.docx") == text_of_docx(issue.docx)


@needs_quarto
def test_a_page_of_which_quarto_says_that_something_is_missing_is_not_made(project_with_activities: Project) -> None:
    issue = made_with(project_with_activities, "embedded")
    shutil.rmtree(issue.html.parent / "charts")
    issue.html.unlink()
    with pytest.raises(RenderError, match="Quarto"):
        choose_engine("quarto").render(project_with_activities.root, issue.notebook, ["html"])
    assert not issue.html.exists()


def test_without_quarto_the_quarto_engine_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_project: Project
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not QuartoEngine.available()
    assert choose_engine("auto").name == "embedded"
    with pytest.raises(RenderError, match=r"quarto: is not on PATH; install Quarto 1\.9 or newer"):
        choose_engine("quarto").render(whole_project.root, tmp_path / "x.ipynb", ["html"])


def test_a_quarto_that_is_too_old_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_project: Project
) -> None:
    old = tmp_path / "quarto"
    old.write_text("#!/bin/sh\necho 1.8.27\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert choose_engine("auto").name == "embedded"
    with pytest.raises(RenderError, match=r"is version 1\.8\.27; install 1\.9 or newer"):
        choose_engine("quarto").render(whole_project.root, tmp_path / "x.ipynb", ["html"])


@pytest.mark.parametrize("line", ["ERROR (report.lua:12) a filter failed", "[WARNING] Could not fetch resource x.png"])
def test_an_error_that_quarto_passes_on_with_exit_code_0_makes_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """A program in place of Quarto makes a page, reports the line, and exits with 0."""
    program = tmp_path / "quarto"
    page = 'echo page > "${2%.ipynb}.html"'
    program.write_text(f"#!/bin/sh\n[ $1 = render ] || {{ echo 1.9.3; exit; }}\n{page}\necho '{line}' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    notebook = tmp_path / "x.ipynb"
    cell = {"cell_type": "raw", "metadata": {}, "source": "---\ntitle: x\nlang: en\ndate: 2023-12-04\n---\n", "id": "a"}
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    with pytest.raises(RenderError) as refused:
        choose_engine("quarto").render(REPOSITORY, notebook, ["html"])
    assert [str(problem) for problem in refused.value.problems] == [f"quarto: {line}"]
