"""The report's notebook: run by Papermill, and the clean copy of it that the engines render."""

from __future__ import annotations

import base64
import binascii
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from viputils.audit.library import absolute_imports
from viputils.core.errors import NotebookError, Problem, nearest
from viputils.report.layout import IN_JUPYTER

PapermillEngine = Literal["vip", "stock"]

# Cells with this tag are for people who open the notebook, and stay out of the report.
NOTEBOOK_ONLY: Final = "notebook-only"
# What cells with this tag show is the one-page summary.
SUMMARY: Final = "summary"

_IMAGE = re.compile(r"\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)\{#([a-z0-9-]+)")


def run_notebook(
    path: Path, parameters: Mapping[str, str], cwd: Path, papermill_engine: PapermillEngine = "vip"
) -> Any:
    """Run a notebook with Papermill.

    Parameters
    ----------
    parameters
        By name; each must be set in the notebook's cell that is tagged ``parameters``.
    cwd
        The folder in which it runs.
    papermill_engine
        ``vip`` runs it in this process, ``stock`` starts a kernel of this Python.

    Returns
    -------
    NotebookNode
        The executed notebook. Nothing is written.

    Raises
    ------
    NotebookError
        Before anything runs: if the notebook is missing, has no parameters cell, or lacks one of the parameters. While
        it runs: if a cell raises, with the cell's number and its error.
    """
    parameters_at = _require_parameters(path, parameters)
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    options: dict[str, Any] = {"engine_name": "vip", "in_this_process": True}
    if papermill_engine == "stock":
        options = {"kernel_manager_class": _manager_of_this_python()}
    try:
        return papermill.execute_notebook(
            # Papermill would take braces in the name of a folder for a parameter.
            str(path).replace("{", "{{").replace("}", "}}"),
            None,
            parameters=dict(parameters),
            cwd=str(cwd),
            kernel_name="python3",
            progress_bar=False,
            **options,
        )
    except PapermillExecutionError as error:
        raise _failed_cell(path, error, parameters_at) from None
    except (DeadKernelError, RuntimeError) as error:
        raise NotebookError(
            f"The kernel of notebooks/{path.name} died. Nothing was made.", [Problem("kernel", str(error))]
        ) from None


def clean_copy(
    executed: Any, front_matter: Mapping[str, Any], only_summary: bool = False
) -> tuple[Any, dict[str, bytes]]:
    """Return the copy of an executed notebook that is rendered and kept beside the issue, or that of its summary.

    What would differ from run to run goes: times, random cell ids, execution counts, versions of the kernel. The
    front matter comes first, as Quarto reads it. Images that the notebook holds become files beside it.

    Returns
    -------
    NotebookNode
        The copy.
    dict
        The images by their path beside the notebook.

    Raises
    ------
    NotebookError
        If a cell holds an error, or shows something other than Markdown: it has no place on a page.
    """
    import nbformat.v4
    import yaml

    images: dict[str, bytes] = {}
    problems: list[Problem] = []
    header = yaml.safe_dump(dict(front_matter), allow_unicode=True, sort_keys=False, width=10_000)
    cells = [nbformat.v4.new_raw_cell(f"---\n{header}---")]
    for place, cell in enumerate(executed.cells, start=1):
        tags = cell.metadata.get("tags", [])
        if NOTEBOOK_ONLY in tags or (SUMMARY in tags) != only_summary:
            continue
        if cell.cell_type != "code":
            cells.append(nbformat.v4.new_markdown_cell(cell.source))
            continue
        outputs = []
        for output in cell.outputs:
            shown = _shown_markdown(output, f"cell {place}", problems)
            if shown.strip():
                outputs.append(
                    nbformat.v4.new_output("display_data", {"text/markdown": _without_images(shown, images)})
                )
        copy = nbformat.v4.new_code_cell(cell.source, outputs=outputs)
        if "injected-parameters" in tags or "parameters" in tags:
            copy.metadata["tags"] = list(tags)
        cells.append(copy)
    if problems:
        raise NotebookError("The notebook shows what cannot go on a page.", problems)
    for place, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{place:02}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    copy = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    return copy, images


def _shown_markdown(output: Any, where: str, problems: list[Problem]) -> str:
    """Return the Markdown of one output. What a library says on stderr goes to the terminal, not onto a page."""
    if output.output_type == "error":
        problems.append(Problem(where, f"ended in {output.ename}: {output.evalue};", "mend the cell and run it again."))
    elif output.output_type == "stream" and output.name == "stderr":
        sys.stderr.write(output.text)
    elif output.output_type == "stream" or "text/markdown" not in output.data:
        kind = "printed text" if output.output_type == "stream" else ", ".join(output.data)
        problems.append(Problem(where, f"shows {kind};", "show it as Markdown, from IPython.display."))
    else:
        return str(output.data["text/markdown"])
    return ""


def _without_images(markdown: str, images: dict[str, bytes]) -> str:
    """Take images out of Markdown and point to them as files, named for their ids."""

    def to_file(found: re.Match[str]) -> str:
        name = f"charts/{found[2]}.svg"
        try:
            images[name] = base64.b64decode(found[1], validate=True)
        except binascii.Error:
            return found[0]
        return f"({name}){{#{found[2]}"

    return _IMAGE.sub(to_file, markdown)


def _manager_of_this_python() -> type[Any]:
    """Return a kernel manager whose kernels are of this Python, and know nothing of their user's settings.

    It talks to them through sockets in a folder of this process. Without one they would be in the project, and two runs
    at once would find each other's.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    here = Path.cwd()

    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            # No folder is searched, so a kernel that somebody installed under the same name is not found.
            super().__init__(**options, kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
            self._private = tempfile.TemporaryDirectory(prefix="vip-stock-")
            for name, value in connection_in(Path(self._private.name)).items():
                setattr(self, name, value)

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            # A file that people let their notebooks begin with has no part in an issue.
            env = {name: value for name, value in os.environ.items() if name not in ("PYTHONSTARTUP", IN_JUPYTER)}
            env["IPYTHONDIR"] = str(Path(self._private.name) / "ipython")
            absolute_imports(env, here)
            await super().start_kernel(**options, env=env)

        async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]
            await super().cleanup_resources(restart)
            if not restart:
                self._private.cleanup()

    return Manager


def connection_in(private: Path) -> dict[str, str]:
    """Return how to reach a kernel: through sockets in a folder that only this user can open.

    If the system has no such sockets, or the path is too long for one, it is the loopback address.
    """
    sockets = private / "kernel"
    if sys.platform == "win32" or len(f"{sockets}-1".encode()) > 100:
        return {"connection_file": str(private / "kernel.json")}
    return {"connection_file": str(private / "kernel.json"), "transport": "ipc", "ip": str(sockets)}


def _require_parameters(path: Path, parameters: Mapping[str, str]) -> int:
    """Refuse parameters that the notebook does not take; give the place of the cell that sets them."""
    import nbformat

    where = f"notebooks/{path.name}"
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise NotebookError(
            "There is no notebook to run.", [Problem(where, "is missing;", "it is the report.")]
        ) from None
    except (OSError, UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise NotebookError(
            "The notebook cannot be read.", [Problem(where, f"{str(error).splitlines()[0]}", "")]
        ) from None
    tagged = [place for place, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            "The notebook cannot take parameters.",
            [Problem(where, f"{len(tagged)} cells are tagged 'parameters';", "tag the one cell that sets them.")],
        )
    known = re.findall(r"^([A-Za-z_]\w*)\s*(?::[^=]+)?=", notebook.cells[tagged[0]].source, flags=re.MULTILINE)
    problems = [
        Problem(
            f"parameter {name}", "is not one of the notebook's;", nearest(name, known) or f"known: {', '.join(known)}."
        )
        for name in parameters
        if name not in known
    ]
    if problems:
        raise NotebookError(f"{where} does not take these parameters. Nothing was run.", problems)
    return tagged[0]


def _failed_cell(path: Path, error: Any, parameters_at: int) -> NotebookError:
    # Papermill runs the notebook with one more cell, after the one that sets the parameters.
    place = error.cell_index + (1 if error.cell_index <= parameters_at else 0)
    first_line = next((line for line in error.source.splitlines() if line.strip()), "")
    said = " ".join(str(error.evalue).split("\n"))
    return NotebookError(
        f"A cell of notebooks/{path.name} failed. Nothing was made.",
        [Problem(f"cell {place} ({first_line.strip()})", f"{error.ename}: {said}")],
    )
