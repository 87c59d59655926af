"""Pages that belong to no one issue: about the program, about its methods, and the verdicts on published figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from IPython.display import Markdown
from nbformat.v4 import new_code_cell, new_notebook, new_output

from viputils.cells import inert_table
from viputils.diagram import practice_model
from viputils.edition import Edition
from viputils.folders import replaced_whole
from viputils.issue import front_matter
from viputils.notebook import clean_copy
from viputils.program import Program
from viputils.project import Project
from viputils.render import Engine
from viputils.tables import (
    definitions,
    demonstration_notice,
    measures_in_words,
    notices,
    verdict_meanings,
    verdicts_page,
)
from viputils.texts import escape, read_sections, sections_markdown
from viputils.verdicts import IssueVerdicts, all_figures


def make_page(
    project: Project,
    place: str,
    title: str,
    parts: Iterable[Markdown],
    as_of: dt.date,
    demonstration: bool,
    engine: Engine,
    formats: Sequence[str] = ("html",),
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """Make one page of the site, with its pictures beside it; replaced whole or not at all.

    Parameters
    ----------
    place
        The folder in ``_site``, strokes between its parts.
    title
        Its only heading of the first level, in plain text.
    parts
        Markdown with headings from the second level on; an empty part is left out.
    as_of
        The records that it was made from are those received by this day.
    demonstration
        Whether they are synthetic.
    formats
        Any of ``"html"`` and ``"pdf"``.
    files
        What else lies beside the page, by name.

    Returns
    -------
    Path
        The page, ``index.html`` (or ``index.pdf``, for the formats without HTML).

    Raises
    ------
    RenderError
        Where the page cannot be made. It is then as it was before.
    """
    shown = [part.data for part in parts if part.data.strip()]
    cells = [new_code_cell(outputs=[new_output("display_data", {"text/markdown": part})]) for part in shown]
    header = _front_matter(project.program, title, as_of, demonstration)
    notebook, images = clean_copy(new_notebook(cells=cells), header)
    final = project.site.joinpath(*place.split("/"))
    with replaced_whole(final.parent, final.name) as folder:
        for name, data in (images | dict(files or {})).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        nbformat.write(notebook, folder / "index.ipynb")
        engine.render(project.pages, folder / "index.ipynb", formats)
        (folder / "index.ipynb").unlink()
    return final / f"index.{'html' if 'html' in formats else formats[0]}"


def make_overview_page(
    project: Project, edition: Edition, engine: Engine, formats: Sequence[str] = ("html",)
) -> Path | None:
    """Make the page about the program: what it does, the practice model with the edition's counts, the strategies.

    Its texts are report/pages/overview.md and, below the diagram, report/pages/strategies.md.

    Returns
    -------
    Path or None
        The page; ``None`` where the project has neither a text nor a practice model.

    Raises
    ------
    TextError, RenderError
        Where a text cannot be shown, or the page cannot be made.
    """
    above, below = _text(project, "overview"), _text(project, "strategies")
    parts = [above, practice_model(project, edition), below]
    if not any(part.data for part in parts):
        return None
    demonstration = edition.records.is_demonstration
    parts.insert(0, notices(edition))
    return make_page(project, "overview", "Program overview", parts, edition.as_of, demonstration, engine, formats)


def make_methods_page(project: Project, edition: Edition, engine: Engine, formats: Sequence[str] = ("html",)) -> Path:
    """Make the page of methods and definitions: how records become figures, and what each word and mark means.

    Its text is report/pages/methods.md; what is counted, the verdicts and the crosswalks come from where they are
    used, so that the page never says something else.

    Raises
    ------
    TextError, RenderError
        Where a text cannot be shown, or the page cannot be made.
    """
    demonstration = edition.records.is_demonstration
    parts = [
        notices(edition),
        _text(project, "methods"),
        verdict_meanings(),
        definitions(project, edition),
        measures_in_words(edition),
    ]
    title = "Methods and definitions"
    return make_page(project, "methods", title, parts, edition.as_of, demonstration, engine, formats)


def make_verdicts_page(
    project: Project, found: Sequence[IssueVerdicts], engine: Engine, formats: Sequence[str] = ("html",)
) -> Path:
    """Make the page of verdicts, with its data as verdicts.csv beside it.

    Raises
    ------
    RenderError
        Where the page cannot be made. It is then as it was before.
    """
    demonstration = any(one.demonstration for one in found)
    parts: list[Markdown] = [demonstration_notice(project.program)] if demonstration else []
    parts += [Markdown(part) for part in verdicts_page(found)]
    days = [day for one in found for day in (one.now, one.issue.printed) if day is not None]
    # A page about issues that nothing is known of has no day of its own; that of the first record does.
    as_of = max(days, default=project.program.identity.records_from)
    text = inert_table(all_figures(found)).to_csv(index=False, lineterminator="\n")
    files = {"verdicts.csv": text.encode("utf-8")}
    title = "Verdicts on published figures"
    return make_page(project, "verdicts", title, parts, as_of, demonstration, engine, formats, files)


def _text(project: Project, name: str) -> Markdown:
    """Read a text of report/pages; a project without it has an empty one."""
    sections = read_sections(project.report / "pages" / f"{name}.md", f"report/pages/{name}.md")
    return Markdown(sections_markdown(sections, 2))


def _front_matter(program: Program, title: str, as_of: dt.date, demonstration: bool) -> dict[str, Any]:
    """Give the front matter of a page that is no issue: its own title stands where an issue names the report."""
    header = front_matter(program, title, as_of, demonstration)
    name = program.identity.name
    header["title"] = escape(f"{title}, {name}")
    header["vip"] |= {"report": escape(title), "month": "", "running-header": escape(f"{name} | {title}".upper())}
    return header
