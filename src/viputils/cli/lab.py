"""The command that opens the notebooks: lab."""

from __future__ import annotations

from typing import Annotated

import typer

from viputils.cli import interrupts
from viputils.cli.interrupts import InterruptedByUser
from viputils.cli.options import (
    ProjectOption,
    open_project,
)
from viputils.cli.output import (
    say_aside,
)


def lab(
    context: typer.Context,
    notebook: Annotated[
        str | None, typer.Argument(metavar="[NOTEBOOK]", help="One of them to open, as in explore_trends.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser, too.")] = True,
    project: ProjectOption = None,
) -> None:
    """Open the notebooks in JupyterLab, with the Python that runs this command; Ctrl-C ends it.

    What else stands there goes to JupyterLab as it is, such as --port=8890.
    """
    from viputils.lab.jupyter import open_lab

    is_option = notebook is not None and notebook.startswith("-")
    options = [*([notebook] if notebook is not None and is_option else []), *context.args]
    try:
        code = open_lab(open_project(context, project), None if is_option else notebook, browser, options)
    except (InterruptedByUser, KeyboardInterrupt):
        say_aside("JupyterLab has ended.")
        interrupts.end(0)
    raise typer.Exit(code)
