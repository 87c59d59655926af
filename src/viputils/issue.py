"""One issue: a month's report in its own folder, replaced whole or not at all."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from viputils.edition import Edition
from viputils.errors import ParameterError, Problem
from viputils.figures import figures_csv
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


@contextmanager
def replaced_whole(parent: Path, name: str) -> Iterator[Path]:
    """Give an empty folder to fill, which becomes ``parent/name`` when the block ends without an error.

    Whatever happens in between, a kill included, ``parent/name`` is either as it was or as it became. What a
    killed run left behind is cleared away by the next one.
    """
    parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(parent / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ParameterError(
            f"The issue of {name} is being made already.",
            [Problem(f"issues/{name}", "another vip report holds its lock;", "wait for it to end.")],
        ) from None
    try:
        for aside in parent.glob(f".{name}.partial-*-old"):
            if not (parent / name).exists():
                aside.rename(parent / name)
        for left_over in parent.glob(f".{name}.partial-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{name}.partial-", dir=parent))
        try:
            partial.chmod(0o755)
            yield partial
            _swap(partial, parent / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        lock.release()


def _swap(new: Path, old: Path) -> None:
    """Put ``new`` in the place of ``old``; where ``old`` was, ``new`` then holds it."""
    if not old.exists():
        new.rename(old)
    elif not exchange_folders(new, old):
        # Without an exchange in one step there is a moment in which the issue's folder is only under its other name.
        aside = new.with_name(new.name + "-old")
        old.rename(aside)
        new.rename(old)
        shutil.rmtree(aside, ignore_errors=True)


def exchange_folders(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system can; say whether it did."""
    if sys.platform != "linux":
        return False
    at_fdcwd, exchange = -100, 2
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(at_fdcwd, os.fsencode(one), at_fdcwd, os.fsencode(other), exchange) == 0)
