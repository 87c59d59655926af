"""Pages for tests: a page as on the site, and plain pages for tests that do not check pages."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from markdown_it import MarkdownIt

from tests.support.projects import REPOSITORY
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.site.navigation import file_of
from viputils.publish.site.pages import Page
from viputils.publish.site.render import write_page, write_settings
from viputils.report.issue import Issue, make_issue
from viputils.report.notebook import run_notebook
from viputils.report.process import in_own_process
from viputils.report.render import Engine
from viputils.report.render.embedded import EmbeddedEngine
from viputils.report.render.frontmatter import SITE_FOLDER, read_front_matter
from viputils.report.render.quarto import QuartoEngine
from viputils.report.seal import sealed

if TYPE_CHECKING:
    from tests.support.artifacts import Artifacts

needs_quarto = pytest.mark.skipif(
    not QuartoEngine.available(),
    reason="Quarto 1.9 or newer is not on PATH; install it from quarto.org to run these",
)


def page_made(project: Project, page: Page | None, engine: Engine) -> Path:
    """Make a page as on the site, without links to other pages."""
    assert page is not None
    root = project.root / "made"
    shutil.rmtree(root, ignore_errors=True)
    file = file_of(page.place)
    write_page(root, file, page)
    write_settings(project, root)
    return engine.render_site(root) / file


def executed(path: Path, parameters: Mapping[str, str], cwd: Path) -> Any:
    """Run a notebook in its own process, as an issue does."""
    return in_own_process(_executed, path, dict(parameters), cwd, hear={})


def _executed(path: Path, parameters: Mapping[str, str], cwd: Path, _tell: Callable[[str, Any], None]) -> Any:
    return run_notebook(path, parameters, cwd)


def notebook_shown(artifacts: Artifacts, name: str, parameters: Mapping[str, str], cwd: Path | None = None) -> Any:
    """Return an executed notebook of the repository, run once for all tests; by default in its own folder."""
    path = REPOSITORY / "notebooks" / f"{name}.ipynb"

    def build(folder: Path) -> None:
        nbformat.write(executed(path, parameters, cwd or path.parent), folder / path.name)

    of = " ".join(value.replace("/", "-").strip(".-") for value in parameters.values())
    return nbformat.read(artifacts.get(f"{name} of {of or 'nothing'}", build) / path.name, as_version=4)


def issue_made(
    project: Project,
    month: str,
    engine: Engine,
    as_of: dt.date | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    allow_quarantined: bool = False,
) -> Issue:
    """Make the issue of a month as the command does."""
    with in_this_process(), sealed(project) as seal:
        return make_issue(
            seal, ReportMonth.parse(month), as_of, engine, allow_quarantined=allow_quarantined, on_step=on_step
        )


def with_activities(project: Project, text: str, engine: Engine | None = None) -> dict[str, Path]:
    """Render the issue of November 2023 again with other activities, without running the rest of its notebook again."""
    (notebook,) = (project.issues / project.issue_place("2023-11")).glob("*.ipynb")
    shown = nbformat.read(notebook, as_version=4)
    (cell,) = [cell for cell in shown.cells if "activities(" in cell.source]
    cell.outputs[0].data["text/markdown"] = text
    nbformat.write(shown, notebook)
    return (engine or EmbeddedEngine()).render(project.pages, notebook, ["html", "pdf"])


@contextmanager
def plain_pages() -> Iterator[None]:
    """Make plain pages instead of real ones, in this process, for tests that do not check pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddedEngine, "render", PlainEngine.render)
        patch.setattr(EmbeddedEngine, "render_site", PlainEngine.render_site)
        with in_this_process():
            yield


@contextmanager
def in_this_process() -> Iterator[None]:
    """Make issues in this process, one by one, so that changes by tests take effect."""

    def directly(work: Callable[..., Any], *arguments: Any, hear: Mapping[str, Callable[[Any], None]]) -> Any:
        return work(*arguments, lambda name, value: hear[name](value))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("viputils.report.issue.in_own_process", directly)
        patch.setattr("viputils.publish.backfill.ThreadPoolExecutor", OneByOne)
        for module in ("report.process", "publish.backfill"):
            patch.setattr(f"viputils.{module}.start_ahead", lambda: None)
        yield


class OneByOne(Executor):
    """An executor that runs work at once, in this thread."""

    def __init__(self, _at_a_time: int) -> None:
        super().__init__()

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:
        """Run the work at once."""
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **more))
        return future


class PlainEngine(EmbeddedEngine):
    """A fast engine: the text of the notebook as plain HTML, in any format.

    For tests of what happens around pages. The same notebook gives the same bytes, and another one gives others. It has
    the name and the version of the embedded engine, so that either engine takes what the other one made for its own.
    """

    def render(
        self,
        project_root: Path,  # noqa: ARG002 - not needed
        notebook: Path,
        formats: Sequence[str],
    ) -> dict[str, Path]:
        """Write a page for each format beside the notebook."""
        paths = {name: notebook.with_suffix(f".{name}") for name in formats}
        for path in paths.values():
            path.write_text(f"<!-- {path.suffix} -->\n{_plain_page(notebook)}", encoding="utf-8")
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
