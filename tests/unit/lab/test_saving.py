"""JupyterLab saves what a person wrote, and nothing of a run, into a notebook that git keeps without outputs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from viputils.lab.saving import without_outputs


def notebook(outputs: bool = False) -> Any:
    found = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    shown = [nbformat.v4.new_output("stream", text="3")] if outputs else []
    found.cells = [
        nbformat.v4.new_markdown_cell("# A title", id="title"),
        nbformat.v4.new_code_cell("1 + 2", id="sum", metadata={"tags": ["parameters"]}, outputs=shown),
    ]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for arguments in (["init", "-q"], ["config", "user.name", "x"], ["config", "user.email", "x@example.org"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    nbformat.write(notebook(), tmp_path / "kept.ipynb")
    nbformat.write(notebook(outputs=True), tmp_path / "with_outputs.ipynb")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "x"], cwd=tmp_path, check=True)
    return tmp_path


def saved(folder: Path, name: str, source: str = "1 + 2") -> Any:
    """Return a notebook as JupyterLab saves it after a run."""
    ran = notebook(outputs=True)
    ran.metadata = {"kernelspec": {"name": "python3", "display_name": "another"}, "widgets": {"state": {}}}
    cell = ran.cells[1]
    cell.update(execution_count=7, source=source)
    cell.metadata.update(execution={"iopub.execute_input": "now"}, scrolled=True)
    without_outputs({"type": "notebook", "content": ran}, name, SimpleNamespace(root_dir=str(folder)))
    return ran


def test_a_run_changes_nothing_in_a_notebook_that_git_keeps(folder: Path) -> None:
    nbformat.write(saved(folder, "kept.ipynb"), folder / "kept.ipynb")
    status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, check=True)
    assert status.stdout == b""


def test_what_a_person_wrote_is_saved(folder: Path) -> None:
    assert saved(folder, "kept.ipynb", source="1 + 3").cells[1].source == "1 + 3"


@pytest.mark.parametrize("name", ["new.ipynb", "with_outputs.ipynb"])
def test_other_notebooks_keep_their_outputs(folder: Path, name: str) -> None:
    ran = saved(folder, name)
    assert ran.cells[1].outputs[0].text == "3"
    assert ran.metadata["widgets"] == {"state": {}}


def test_without_git_and_for_other_files_nothing_happens(tmp_path: Path) -> None:
    assert saved(tmp_path, "kept.ipynb").cells[1].outputs
    without_outputs({"type": "file", "content": "text"}, "a.txt", SimpleNamespace(root_dir=str(tmp_path)))
