"""Open JupyterLab in the notebooks of a project, with the kernel of this Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from viputils.config.project import Project
from viputils.core.errors import NotebookError, ParameterError, Problem, nearest
from viputils.core.extras import not_installed
from viputils.core.files import private_folder
from viputils.lab.saving import OPTION


def lab_command(
    project: Project, notebook: str | None, browser: bool, options: Sequence[str], private: Path
) -> tuple[list[str], dict[str, str]]:
    """Return the command that opens JupyterLab, and its environment.

    Parameters
    ----------
    notebook
        The notebook to open, with or without its extension; by default the folder.
    browser
        Whether to open a browser.
    options
        Other options for JupyterLab.
    private
        An empty folder for the description of the kernel.

    Raises
    ------
    ParameterError
        If the notebook does not exist.
    NotebookError
        If JupyterLab is not installed, or the project has no notebooks.
    """
    folder = notebooks_of(project)
    opened = [] if notebook is None else [_found(folder, notebook)]
    if find_spec("jupyterlab") is None:
        raise NotebookError("JupyterLab is not installed.", [not_installed("vip lab", "jupyterlab", "lab")])
    _describe_kernel(private)
    before = os.environ.get("JUPYTER_PATH")
    env = {**os.environ, "JUPYTER_PATH": os.pathsep.join([str(private), *([before] if before else [])])}
    window = [] if browser else ["--no-browser"]
    return [sys.executable, "-m", "jupyter", "lab", *opened, OPTION, *window, *options], env


def notebooks_of(project: Project) -> Path:
    """Return the folder of a project's own notebooks. Notebooks elsewhere would open their own project.

    Raises
    ------
    NotebookError
        If the project has no notebooks.
    """
    folder = project.root / "notebooks"
    if folder.is_dir():
        return folder
    remedy = "create the folder, and put notebooks into it."
    if project.shared != project.root:
        remedy = f"open the shared ones: vip lab --project '{project.shared}'."
    raise NotebookError("This project has no notebooks.", [Problem("notebooks", "is missing;", remedy)])


def open_lab(project: Project, notebook: str | None = None, browser: bool = True, options: Sequence[str] = ()) -> int:
    """Open JupyterLab, wait until it ends, and return its exit code.

    Raises
    ------
    ParameterError, NotebookError
        As ``lab_command``.
    """
    with private_folder("lab") as private:
        command, env = lab_command(project, notebook, browser, options, private)
        return _wait(subprocess.Popen(command, env=env, cwd=notebooks_of(project)))  # noqa: S603 - our own command


def _wait(running: Any) -> int:
    """Wait for a program. If interrupted, end it and let it clean up."""
    try:
        return int(running.wait())
    except BaseException:
        # JupyterLab also received Ctrl-C, and would ask for confirmation.
        running.terminate()
        running.wait()
        raise


def _found(folder: Path, notebook: str) -> str:
    known = sorted(path.stem for path in folder.glob("*.ipynb"))
    name = notebook.removesuffix(".ipynb")
    if name not in known:
        remedy = nearest(name, known) or f"choose one of: {', '.join(known)}."
        raise ParameterError(
            "The notebook does not exist.", [Problem("notebook", f"{notebook!r} is not a notebook;", remedy)]
        )
    return f"{name}.ipynb"


def _describe_kernel(private: Path) -> None:
    """Describe the kernel of this Python under the name that the notebooks use, ahead of others with that name."""
    import json

    folder = private / "kernels" / "python3"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3 (viputils)", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
