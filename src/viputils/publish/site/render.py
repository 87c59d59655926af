"""Make HTML of the pages of the site. Pages that did not change are copied from the site that is there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import nbformat
import yaml
from nbformat.v4 import new_notebook

from viputils.config.page_settings import SETTINGS, copy_named_files
from viputils.config.project import Project
from viputils.core.files import copy_files, private_folder
from viputils.publish.site.pages import Page
from viputils.publish.site.record import Record
from viputils.report.dataset import describe
from viputils.report.notebook import clean_copy
from viputils.report.render import Engine

STYLES: Final = "report/theme/report.css"


def make_pages(
    project: Project, engine: Engine, pages: Mapping[str, Page], keys: Mapping[str, str], old: Record, folder: Path
) -> int:
    """Put every page into a folder, and return how many were made again.

    Parameters
    ----------
    keys
        For each page, the checksum of what it is made from.
    old
        The site that is there.
    """
    outdated = {file for file, key in keys.items() if not old.has_page(file, key)}
    if outdated and engine.name == "quarto":
        outdated = set(pages)  # Quarto writes files that depend on all pages.
    if outdated:
        _render(project, engine, {file: pages[file] for file in sorted(outdated)}, folder)
    for file in pages.keys() - outdated:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(old.folder / file, folder / file)
    for file, page in pages.items():
        _write_files(page, (folder / file).parent)
    return len(outdated)


def _render(project: Project, engine: Engine, pages: Mapping[str, Page], folder: Path) -> None:
    with private_folder("site") as root:
        for file, page in pages.items():
            write_page(root, file, page)
        write_settings(project, root)
        shutil.copytree(engine.render_site(root), folder, dirs_exist_ok=True)
    for file, page in pages.items():
        if page.dataset is not None:
            describe(folder / file, page.dataset)
        if "nav" not in page.front_matter["vip"]:
            _put_styles_into(folder / file, project)


def _put_styles_into(page: Path, project: Project) -> None:
    """Put the style sheet into a page that does not know its own address. It cannot link to fonts, either."""
    css = (project.pages / STYLES).read_text(encoding="utf-8")
    style = "<style>" + re.sub(r"@font-face \{.*?\}\n", "", css, flags=re.DOTALL) + "</style>\n</head>"
    text = page.read_text(encoding="utf-8").replace("</head>", style, 1)
    page.write_text(text, encoding="utf-8", newline="")


def write_page(root: Path, file: str, page: Page) -> None:
    """Write a page and its files as a notebook of a website project, which an engine makes into ``file``."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    header = page.front_matter
    if description := header["vip"].get("description"):
        # Quarto writes what social media show of a page once more, from these.
        header = {**header, "pagetitle": header["title"], "description": description}
    notebook, _ = clean_copy(new_notebook(cells=list(page.cells)), header)
    nbformat.write(notebook, path.with_suffix(".ipynb"))
    _write_files(page, path.parent)


def _write_files(page: Page, folder: Path) -> None:
    for name, data in page.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def write_settings(project: Project, root: Path) -> None:
    """Write the settings of the website, and copy the theme, the fonts and the files that the settings name."""
    (root / SETTINGS).write_text(settings_of(project), encoding="utf-8")
    for name in ("report/theme", "report/fonts"):
        copy_files(project.pages / name, root / name)
    copy_named_files(project.pages, root)


def settings_of(project: Project) -> str:
    """Return the settings of the website: those of an issue, except that styles and images are separate files."""
    settings = yaml.safe_load((project.pages / SETTINGS).read_text(encoding="utf-8"))
    html = {name: value for name, value in settings["format"]["html"].items() if name not in ("css", "embed-resources")}
    website = {
        **settings,
        "project": {"type": "website", "output-dir": "_site", "render": ["**/*.ipynb"]},
        "website": {"title": project.program.identity.name},
        "format": {"html": html},
    }
    return yaml.safe_dump(website, allow_unicode=True, sort_keys=False)
