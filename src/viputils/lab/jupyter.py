"""JupyterLab on the notebooks of a project, with the kernel of this Python."""

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
from viputils.core.files import private_folder


def lab_command(
    project: Project, notebook: str | None, browser: bool, options: Sequence[str], private: Path
) -> tuple[list[str], dict[str, str]]:
    """Return the command that opens JupyterLab, and its environment.

    Parameters
    ----------
    notebook
        One of the notebooks to open, with or without its ending; by default their folder.
    browser
        Whether to open a browser, too.
    options
        What else to tell JupyterLab.
    private
        An empty folder, in which the kernel is described.

    Raises
    ------
    ParameterError
        If there is no such notebook.
    NotebookError
        If JupyterLab is not installed here, or the project has no notebooks.
    """
    folder = notebooks_of(project)
    opened = [] if notebook is None else [_found(folder, notebook)]
    if find_spec("jupyterlab") is None:
        raise NotebookError(
            "JupyterLab is not installed here.",
            [Problem(sys.prefix, "it is in the packages for labs;", "make lab installs them, and opens it.")],
        )
    _describe_kernel(private)
    before = os.environ.get("JUPYTER_PATH")
    env = {**os.environ, "JUPYTER_PATH": os.pathsep.join([str(private), *([before] if before else [])])}
    return [sys.executable, "-m", "jupyter", "lab", *opened, *([] if browser else ["--no-browser"]), *options], env


def notebooks_of(project: Project) -> Path:
    """Return the folder of a project's own notebooks: one from elsewhere would look at the project that it is in.

    Raises
    ------
    NotebookError
        If it has none.
    """
    folder = project.root / "notebooks"
    if folder.is_dir():
        return folder
    remedy = "it is the folder that JupyterLab would open."
    if project.shared != project.root:
        remedy = f"open those that it shares with: vip lab --project '{project.shared}'."
    raise NotebookError("There is nothing to open.", [Problem("notebooks", "is missing;", remedy)])


def open_lab(project: Project, notebook: str | None = None, browser: bool = True, options: Sequence[str] = ()) -> int:
    """Open JupyterLab and wait until it ends; give its exit code.

    Raises
    ------
    ParameterError, NotebookError
        As ``lab_command``.
    """
    with private_folder("lab") as private:
        command, env = lab_command(project, notebook, browser, options, private)
        return _wait(subprocess.Popen(command, env=env, cwd=notebooks_of(project)))  # noqa: S603 - our own command


def _wait(running: Any) -> int:
    """Wait for a program, and let it tidy up when it is told to end."""
    try:
        return int(running.wait())
    except BaseException:
        # Ctrl-C went to it as well; it would ask whether it is meant.
        running.terminate()
        running.wait()
        raise


def _found(folder: Path, notebook: str) -> str:
    known = sorted(path.stem for path in folder.glob("*.ipynb"))
    name = notebook.removesuffix(".ipynb")
    if name not in known:
        remedy = nearest(name, known) or f"known: {', '.join(known)}."
        raise ParameterError("There is no such notebook.", [Problem("notebook", f"{notebook!r} is none;", remedy)])
    return f"{name}.ipynb"


def _describe_kernel(private: Path) -> None:
    """Describe the kernel of this Python under the name that the notebooks ask for, before any other of that name."""
    import json

    folder = private / "kernels" / "python3"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3 (viputils)", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
