"""The command lab."""

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
        str | None, typer.Argument(metavar="NOTEBOOK", help="The notebook to open, such as explore_trends.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    project: ProjectOption = None,
) -> None:
    """Open the notebooks in JupyterLab. Press Ctrl-C to end it.

    Other options, such as --port=8890, are passed to JupyterLab.
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
