"""One issue: a month's report in its own folder, replaced whole or not at all."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from viputils.edition import Edition
from viputils.figures import figures_csv
from viputils.folders import replaced_whole
from viputils.notebook import clean_copy, run_notebook
from viputils.periods import ReportMonth, date_in_words
from viputils.project import Project
from viputils.render import Engine
from viputils.texts import escape


@dataclass(frozen=True)
class Issue:
    """Where the parts of one issue are."""

    month: ReportMonth
    as_of: dt.date
    engine: str
    html: Path
    pdf: Path
    figures: Path
    notebook: Path

    def as_json(self) -> dict[str, str]:
        """Give every part as text, paths as they are on this machine."""
        return {name: str(value) for name, value in vars(self).items()}


def make_issue(
    project: Project,
    edition: Edition,
    engine: Engine,
    on_step: Callable[[str], None] = lambda _: None,
) -> Issue:
    """Make the issue of an edition and put it into its folder.

    Parameters
    ----------
    on_step
        Called with a few words at the beginning of each step.

    Raises
    ------
    NotebookError, RenderError
        Where a cell fails or a page cannot be made. The issue's folder is then as it was before.
    """
    month, program = edition.month, edition.program
    name = f"{_slug(program.identity.short_name)}-{month}"
    with replaced_whole(project.issues, str(month)) as folder:
        on_step("Running the notebook")
        parameters = {"month": str(month), "as_of": edition.as_of.isoformat()}
        executed = run_notebook(project.notebook, parameters, cwd=project.root)
        on_step("Writing the figures")
        copy, images = clean_copy(executed, front_matter(edition))
        _write_sources(folder, name, copy, images, edition.figures)
        on_step(f"Making HTML and PDF ({engine.name} engine)")
        engine.render(project.pages, folder / f"{name}.ipynb", ["html", "pdf"])
    final = project.issues / str(month)
    return Issue(
        month,
        edition.as_of,
        engine.name,
        html=final / f"{name}.html",
        pdf=final / f"{name}.pdf",
        figures=final / "figures.csv",
        notebook=final / f"{name}.ipynb",
    )


def front_matter(edition: Edition) -> dict[str, Any]:
    """Give what the cover, the running header and the document's properties say. Engines read it as Markdown."""
    identity = edition.program.identity
    running = f"{identity.name} | {identity.report_title} | {edition.month.label}".upper()
    vip = {
        "program": identity.name,
        "report": identity.report_title,
        "month": edition.month.label,
        "city": identity.city,
        "department": identity.department,
        "site": identity.site,
        "running-header": running,
        "as-of": date_in_words(edition.as_of),
    }
    if edition.records.is_demonstration and edition.program.demonstration:
        vip["demonstration"] = edition.program.demonstration.statement
        vip["mark"] = edition.program.demonstration.mark
    return {
        "title": escape(f"{identity.name} {identity.report_title}, {edition.month.label}"),
        "author": escape(f"{identity.city}, {identity.department}"),
        "lang": identity.language,
        "date": edition.as_of.isoformat(),
        "vip": {key: escape(value) for key, value in vip.items()},
    }


def _slug(text: str) -> str:
    """Give text as the beginning of a file name: nothing that comes from a file is ever a path."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "report"


def _write_sources(folder: Path, name: str, notebook: Any, images: dict[str, bytes], figures: pd.DataFrame) -> None:
    import nbformat

    for path, data in images.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "figures.csv").write_text(figures_csv(figures), encoding="utf-8", newline="")
    nbformat.write(notebook, folder / f"{name}.ipynb")
