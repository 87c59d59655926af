"""Notebooks run by Papermill for real, and the clean copy that is rendered."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.pages import executed
from tests.support.projects import REPOSITORY
from viputils.core.errors import NotebookError
from viputils.report.notebook import clean_copy, connection_in, run_notebook

FIXTURES = REPOSITORY / "tests" / "notebooks"
PARAMETERS = {"month": "2023-10", "as_of": "2023-11-06"}


def run(name: str, parameters: dict[str, str] = PARAMETERS) -> Any:
    return executed(FIXTURES / f"{name}.ipynb", parameters, REPOSITORY)


def refusal(name: str, parameters: dict[str, str] = PARAMETERS) -> str:
    with pytest.raises(NotebookError) as refused:
        run(name, parameters)
    return str(refused.value)


@pytest.fixture(scope="module")
def shown() -> Any:
    return run("shows_markdown")


def test_parameters_reach_the_notebook(shown: Any) -> None:
    copy, _ = clean_copy(shown, {"title": "x"})
    assert copy.cells[-1].outputs[0].data == {"text/markdown": "month 2023-10 as of 2023-11-06"}


def test_an_unknown_parameter_is_refused_before_anything_runs() -> None:
    message = refusal("cell_raises", {"mnth": "2023-10"})
    assert "parameter mnth: is not one of the notebook's; did you mean 'month'?" in message
    assert "Nothing was run" in message


@pytest.mark.parametrize(("name", "number"), [("no_parameters_cell", 0), ("two_parameters_cells", 2)])
def test_a_notebook_without_one_parameters_cell_is_refused(name: str, number: int) -> None:
    assert f"{number} cells are tagged 'parameters'" in refusal(name)


def test_a_missing_notebook_is_refused() -> None:
    assert "is missing" in refusal("none")


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("no notebook", encoding="utf-8")
    with pytest.raises(NotebookError, match="cannot be read"):
        run_notebook(tmp_path / "x.ipynb", PARAMETERS, cwd=tmp_path)


def test_a_cell_that_raises_is_named_with_its_place_in_the_notebook() -> None:
    message = refusal("cell_raises")
    assert "cell 3 (# counting): ValueError: no such count" in message


@pytest.mark.parametrize(("name", "says"), [("prints_text", "printed text"), ("shows_html", "text/html")])
def test_what_is_not_markdown_has_no_place_on_a_page(name: str, says: str) -> None:
    with pytest.raises(NotebookError, match=says):
        clean_copy(run(name), {"title": "x"})


def test_a_warning_goes_to_the_terminal_and_not_onto_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    copy, _ = clean_copy(run("warns"), {"title": "x"})
    assert "a warning" in capsys.readouterr().err
    assert "a warning" not in json.dumps(copy.cells[-1].outputs)


def test_the_copy_holds_nothing_that_differs_from_run_to_run(shown: Any) -> None:
    copy, _ = clean_copy(shown, {"title": "x", "date": "2023-12-04"})
    again, _ = clean_copy(run("shows_markdown"), {"title": "x", "date": "2023-12-04"})
    assert nbformat.writes(copy) == nbformat.writes(again)
    assert "papermill" not in nbformat.writes(copy)


def test_the_copy_begins_with_its_front_matter_and_leaves_out_what_is_for_the_notebook_only(shown: Any) -> None:
    copy, _ = clean_copy(shown, {"title": 'A "title": with marks'})
    assert copy.cells[0].cell_type == "raw"
    assert copy.cells[0].source == "---\ntitle: 'A \"title\": with marks'\n---"
    assert not any("IPython" in cell.source for cell in copy.cells)
    nbformat.validate(copy)


def test_images_become_files_beside_the_copy(shown: Any) -> None:
    svg = b"<svg/>"
    data = base64.b64encode(svg).decode()
    changed = nbformat.from_dict(json.loads(json.dumps(shown)))
    changed.cells[-1].outputs[0].data["text/markdown"] = (
        f'![c](data:image/svg+xml;base64,{data}){{#chart-x .chart fig-alt="a"}}'
    )
    copy, images = clean_copy(changed, {"title": "x"})
    assert images == {"charts/chart-x.svg": svg}
    assert copy.cells[-1].outputs[0].data["text/markdown"] == '![c](charts/chart-x.svg){#chart-x .chart fig-alt="a"}'


def by_hand(path: Path) -> Any:
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}, kernel_name="python3").execute()
    return notebook


def as_it_stands(path: Path) -> Any:
    return executed(path, {}, path.parent)


@pytest.mark.parametrize("run", [as_it_stands, pytest.param(by_hand, marks=pytest.mark.engines)])
def test_the_report_runs_from_its_own_folder_as_it_stands(run: Callable[[Path], Any]) -> None:
    notebook = run(REPOSITORY / "notebooks" / "monthly_report.ipynb")
    shown = "\n".join(
        output.data["text/markdown"] for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    assert "| Adults assisted | **483** | **2,599** |" in shown
    assert "| Homicide | **5** | **20** |" in shown


@pytest.mark.parametrize("path", sorted((REPOSITORY / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def stock(path: Path, cwd: Path) -> Any:
    return run_notebook(path, PARAMETERS, cwd, "stock")


@pytest.mark.process
def test_a_kernel_that_dies_is_told_and_not_waited_for() -> None:
    with pytest.raises(NotebookError, match=r"The kernel of notebooks/kills_its_kernel\.ipynb died"):
        stock(FIXTURES / "kills_its_kernel.ipynb", REPOSITORY)


def test_a_kernel_is_reached_through_sockets_that_only_this_user_can_open(tmp_path: Path) -> None:
    short, long = Path("/tmp/vip-x"), tmp_path / ("x" * 100)  # noqa: S108 - only a path to look at
    if sys.platform != "win32":
        assert connection_in(short)["transport"] == "ipc"
    # A socket's path has a limit; the loopback address is what is left then.
    assert "transport" not in connection_in(long)


def test_a_run_leaves_nothing_behind_and_puts_no_socket_into_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    fixture = FIXTURES / "lists_its_folder.ipynb"
    shown = stock(fixture, tmp_path).cells[-1].outputs[0].data["text/markdown"]
    assert "kernel" not in shown.replace(str(tmp_path), "")
    assert list(tmp_path.iterdir()) == []
