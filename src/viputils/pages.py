"""Pages that belong to no one issue: the verdicts on all published figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nbformat
from IPython.display import Markdown
from nbformat.v4 import new_code_cell, new_notebook, new_output

from viputils.cells import inert_table
from viputils.folders import replaced_whole
from viputils.issue import front_matter
from viputils.notebook import clean_copy
from viputils.project import Project
from viputils.render import Engine
from viputils.tables import demonstration_notice, verdicts_page
from viputils.verdicts import IssueVerdicts, all_figures


def make_verdicts_page(project: Project, found: Sequence[IssueVerdicts], engine: Engine) -> Path:
    """Make the page of verdicts, with its data as CSV beside it; replaced whole or not at all.

    Returns
    -------
    Path
        The page, in ``_site/verdicts``.

    Raises
    ------
    RenderError
        Where the page cannot be made. It is then as it was before.
    """
    demonstration = any(one.demonstration for one in found)
    parts: list[Markdown] = [demonstration_notice(project.program)] if demonstration else []
    parts += [Markdown(part) for part in verdicts_page(found)]
    cells = [new_code_cell(outputs=[new_output("display_data", {"text/markdown": part.data})]) for part in parts]
    days = [day for one in found for day in (one.now, one.issue.printed) if day is not None]
    # A page about issues that nothing is known of has no day of its own; that of the first record does.
    as_of = max(days, default=project.program.identity.records_from)
    header = front_matter(project.program, "Verdicts on published figures", as_of, demonstration)
    notebook, _ = clean_copy(new_notebook(cells=cells), header)
    with replaced_whole(project.site, "verdicts") as folder:
        nbformat.write(notebook, folder / "verdicts.ipynb")
        engine.render(project.pages, folder / "verdicts.ipynb", ["html"])
        (folder / "verdicts.ipynb").unlink()
        text = inert_table(all_figures(found)).to_csv(index=False, lineterminator="\n")
        (folder / "verdicts.csv").write_text(text, encoding="utf-8", newline="")
    return project.site / "verdicts" / "verdicts.html"
