"""Pages for tests: one page made as the site makes it, and plain pages for tests that are not about pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from viputils.navigation import file_of
from viputils.pages import Page
from viputils.project import Project
from viputils.render import Engine
from viputils.render.embedded import EmbeddedEngine
from viputils.render.frontmatter import SITE_FOLDER, read_front_matter
from viputils.site import write_page, write_settings


def page_made(project: Project, page: Page | None, engine: Engine) -> Path:
    """Make one page as the site does, without links to others."""
    assert page is not None
    root = project.root / "made"
    shutil.rmtree(root, ignore_errors=True)
    file = file_of(page.place)
    write_page(root, file, page)
    write_settings(project, root)
    return engine.render_site(root) / file


class PlainEngine(EmbeddedEngine):
    """Makes pages in no time: the text of the notebook as plain HTML, and the same bytes as PDF and Word.

    For tests of what happens around pages. The same notebook gives the same bytes, and another one gives others. It has
    the name and the version of the embedded engine, so that either engine takes what the other one made for its own.
    """

    def render(
        self,
        project_root: Path,  # noqa: ARG002 - it takes nothing from there
        notebook: Path,
        formats: Sequence[str],
    ) -> dict[str, Path]:
        """Write a page for each format beside the notebook."""
        paths = {name: notebook.with_suffix(f".{name}") for name in formats}
        for path in paths.values():
            path.write_text(_plain_page(notebook), encoding="utf-8")
        return paths

    def render_site(self, root: Path) -> Path:
        """Write a page for each notebook of a site."""
        site = root.resolve() / SITE_FOLDER
        for notebook in sorted(path for path in root.resolve().rglob("*.ipynb") if not path.is_relative_to(site)):
            page = (site / notebook.relative_to(root.resolve())).with_suffix(".html")
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(_plain_page(notebook), encoding="utf-8")
        return site


def _plain_page(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    metadata = read_front_matter(notebook.name, cells).metadata
    markdown = "\n\n".join(text for cell in cells[1:] for text in _shown(cell))
    title = escape(str(metadata["title"]))
    header = escape(json.dumps(metadata, sort_keys=True))
    shown = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return (
        f'<html lang="{metadata["lang"]}"><head><title>{title}</title></head>'
        f"<body><header><h1>{title}</h1><pre>{header}</pre></header><main>{shown}</main></body></html>\n"
    )


def _shown(cell: dict[str, Any]) -> list[str]:
    if cell["cell_type"] == "markdown":
        return ["".join(cell["source"])]
    return ["".join(output["data"]["text/markdown"]) for output in cell.get("outputs", []) if "data" in output]
