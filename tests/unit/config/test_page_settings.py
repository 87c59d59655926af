"""The settings of the pages: every file that they name is found, once, and none outside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from viputils.config.page_settings import copy_named_files, named_files
from viputils.core.errors import ManifestError


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for name in ("report/theme/report.css", "assets/city.css", "filters/own.lua", "README.md"):
        path = tmp_path / "a city" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")
    return tmp_path / "a city"


def write(pages: Path, text: str) -> None:
    (pages / "_quarto.yml").write_text(text, "utf-8")


def test_files_are_named_once_each_wherever_in_the_settings_they_stand(pages: Path) -> None:
    css = "[report/theme/report.css, ./assets/city.css, assets/../assets/city.css, assets/none.css]"
    write(
        pages,
        f"filters:\n  - path: filters/own.lua\n    at: pre-ast\nformat:\n  html:\n    css: {css}\n    toc: true\n",
    )
    assert named_files(pages) == ["filters/own.lua", "report/theme/report.css", "assets/city.css"]


def test_texts_that_are_no_names_of_files_name_none(pages: Path) -> None:
    write(
        pages,
        f'website:\n  title: "{"x" * 5000}"\n  "site-url": "https://vip.example/"\n  empty: ""\n  none: "a\\0b"\n',
    )
    assert named_files(pages) == []
    (pages / "_quarto.yml").unlink()
    assert named_files(pages) == []


def test_a_path_that_begins_with_a_stroke_begins_in_the_project(pages: Path) -> None:
    (pages.parent / "outside.css").write_text("", "utf-8")
    write(pages, f"css: [/assets/city.css, {pages.parent}/outside.css, /bin/sh]")
    assert named_files(pages) == ["assets/city.css"]


def test_everything_in_a_folder_that_is_named_as_one_is_named(pages: Path) -> None:
    (pages / "assets" / "bold").mkdir()
    (pages / "assets" / "bold" / "a:b.ttf").write_text("", "utf-8")
    write(pages, "title: filters\nformat:\n  typst:\n    font-paths: [report/none, ./assets]\n")
    assert named_files(pages) == ["assets/bold/a:b.ttf", "assets/city.css"]
    write(pages, "project:\n  resources: assets/bold\n")
    assert named_files(pages) == ["assets/bold/a:b.ttf"]


@pytest.mark.parametrize("text", ["x: !!timestamp abc", "x: !!bool foo", "x: !!int ''", "date: 2023-02-30", "x: ["])
def test_settings_that_cannot_be_read_name_nothing(pages: Path, text: str) -> None:
    write(pages, f"css: assets/city.css\n{text}\n")
    assert named_files(pages) == []


@pytest.mark.parametrize(
    "line",
    ["css: [assets/city.css, ../outside.css]", "css: assets/../../outside.css", "font-paths: ../outside.css/.."],
)
def test_a_file_outside_the_project_is_refused_by_name(pages: Path, line: str) -> None:
    (pages.parent / "outside.css").write_text("", "utf-8")
    write(pages, line)
    with pytest.raises(
        ManifestError, match=r"_quarto\.yml: names '\.\.(/outside\.css)?', which is outside the project;"
    ):
        named_files(pages)


def test_they_are_copied_to_the_same_places_and_none_that_is_there_is_written_over(pages: Path, tmp_path: Path) -> None:
    write(pages, "css: [report/theme/report.css, assets/city.css]")
    copy = tmp_path / "a copy"
    (copy / "assets").mkdir(parents=True)
    (copy / "assets" / "city.css").write_text("here before", "utf-8")
    copy_named_files(pages, copy)
    assert (copy / "report" / "theme" / "report.css").read_text("utf-8") == "report/theme/report.css"
    assert (copy / "assets" / "city.css").read_text("utf-8") == "here before"
    assert not (copy / "README.md").exists()
