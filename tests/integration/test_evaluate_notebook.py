"""The evaluators' notebook runs from top to bottom, and shows what the commands say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.artifacts import Artifacts
from tests.support.pages import executed, notebook_shown
from tests.support.projects import REPOSITORY

NOTEBOOK = REPOSITORY / "notebooks" / "evaluate_published.ipynb"


@pytest.fixture(scope="module")
def shown(artifacts: Artifacts) -> Any:
    return notebook_shown(artifacts, NOTEBOOK.stem, {})


def markdown(run: Any) -> str:
    outputs = [output for cell in run.cells if cell.cell_type == "code" for output in cell.outputs]
    assert all(output.output_type in ("display_data", "execute_result") for output in outputs)
    return "\n\n".join(output.data["text/markdown"] for output in outputs)


@pytest.mark.exhaustive
def test_it_shows_the_register_the_verdicts_and_the_revisions(shown: Any) -> None:
    text = markdown(shown)
    assert "This is sample data" in text
    assert "| November 2023 | 28 | not known | not stated |" in text
    assert r"| Incident type\: Homicide, Nov | 5 | 5 | 5 | reproduced |" in text
    assert "| November 2023 | December 4, 2023 | 28 | 28 |" in text
    # Of the real vintages: what the files of the public repository say of November 2020.
    assert "| November 2020 | 207 | 220 | +13 | +6.3% |" in text
    assert "| November 2020 | 32 | 35 | +3 | +9.4% |" in text
    assert "Of 10 months beyond age 0, 10 now have another number than at first. The median change is +5.3%." in text
    assert "| December 2, 2020 | 23 | 22 | +149 |" in text
    assert "The records are made up" in "".join(cell.source for cell in shown.cells if cell.cell_type == "markdown")


@pytest.mark.exhaustive
def test_it_is_comfortable_to_read_where_notebooks_are_opened(shown: Any) -> None:
    text = markdown(shown)
    assert text.count("![Chart of the median change") == 3
    assert not any(line.startswith((":::", ": ")) for line in text.splitlines())
    assert "fig-alt" not in text


@pytest.mark.exhaustive
def test_the_commands_that_it_names_are_there(shown: Any) -> None:
    from typer.main import get_command

    from viputils.cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    last = shown.cells[-1].source
    named = {line.split("`vip ")[1].split()[0] for line in last.splitlines() if "`vip " in line}
    assert named == {"verify", "trace", "revisions", "reproduce", "changes"}
    assert named <= known


def test_a_copy_of_the_notebook_elsewhere_runs_from_the_project(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # As far as it takes to see that both projects are found: the verdicts take long, and nothing of them is shown.
    of_philadelphia = ("victims =", "newest(everyone)")
    notebook.cells = [
        *notebook.cells[:3],
        *(cell for cell in notebook.cells if any(part in cell.source for part in of_philadelphia)),
    ]
    verdicts = "verdicts = verify_register(project)"
    assert verdicts in notebook.cells[2].source
    notebook.cells[2].source = notebook.cells[2].source.replace(verdicts, "")
    nbformat.write(notebook, tmp_path / "copy.ipynb")
    shown = executed(tmp_path / "copy.ipynb", {"example": "examples/philadelphia"}, REPOSITORY)
    assert "| November 2020 | 207 | 220 | +13 | +6.3% |" in markdown(shown)


@pytest.mark.exhaustive
def test_a_whole_copy_of_the_notebook_elsewhere_runs_from_the_project(tmp_path: Path) -> None:
    copy = tmp_path / "copy.ipynb"
    copy.write_bytes(NOTEBOOK.read_bytes())
    shown = executed(copy, {"example": "examples/philadelphia"}, REPOSITORY)
    assert "| November 2020 | 207 | 220 | +13 | +6.3% |" in markdown(shown)
