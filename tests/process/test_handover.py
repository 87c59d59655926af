"""What a report read and handed to its notebook is what the notebook would read."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import viputils
from tests.support.histories import with_tables
from tests.support.pages import executed
from tests.support.projects import Deliver, with_a_short_report
from viputils.audit import library
from viputils.audit.as_of import load_edition
from viputils.audit.handover import VARIABLE, hand_over
from viputils.audit.library import library_checksum
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.records.deliveries import find_deliveries
from viputils.report.issue import make_issue
from viputils.report.notebook import clean_copy, kernel_ahead
from viputils.report.render.embedded import EmbeddedEngine
from viputils.report.seal import sealed

ASKS = """
from pathlib import Path
import viputils.report.sections
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
assert "# Another one." in Path(viputils.report.sections.__file__).read_text("utf-8")
load_edition(Project.find(), month)
"""
RUNS = """
import sys
from pathlib import Path
from viputils.report.notebook import run_notebook
run_notebook(Path(sys.argv[1]), {"month": "2023-11"}, Path(sys.argv[2]))
"""
NOVEMBER = ReportMonth(2023, 11)
ROWS = {"responses": ["R1,2023-11-02,DV,SE", "R2,2023-10-07,murder,NE"], "reviews": ["W1,2023-11-07,3,41"]}


@pytest.fixture
def project(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time; for the report it has all."""
    return project if "whole_project" in request.fixturenames else with_tables(project, "responses", "reviews")


@pytest.fixture
def place(project: Project, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that hands over figures which no records give, so that it shows whether they are taken."""
    deliver(**ROWS)
    edition = load_edition(project, NOVEMBER)
    found = tmp_path / "handed over"
    hand_over(found, project, NOVEMBER, edition.as_of, edition.records, edition.figures.assign(value=-1))
    monkeypatch.setenv(VARIABLE, str(found))
    return found


def is_taken(edition: Edition) -> bool:
    return bool(edition.figures["value"].eq(-1).all())


def test_what_was_handed_over_is_what_would_be_read(
    project: Project, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(**ROWS)
    deliver("2023-12-11", responses=["R1,2023-11-02,Homicide,SE", "R3,2023-11-31,DV,SE"])
    day = find_deliveries(project)[-1].received
    read = load_edition(project, NOVEMBER, day)
    hand_over(tmp_path / "it", project, NOVEMBER, day, read.records, read.figures)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "it"))
    taken = load_edition(project, NOVEMBER, day)
    assert not (tmp_path / "it").exists()
    pd.testing.assert_frame_equal(taken.figures, read.figures)
    pd.testing.assert_frame_equal(taken.records.account, read.records.account)
    pd.testing.assert_frame_equal(taken.records.quarantine, read.records.quarantine)
    assert len(taken.records.quarantine) == 1
    for name, table in read.records.tables.items():
        pd.testing.assert_frame_equal(taken.records.tables[name].rows, table.rows)
        pd.testing.assert_frame_equal(taken.records.tables[name].ledger, table.ledger)
    assert taken.program == read.program
    assert taken.as_of == read.as_of


def test_it_is_taken_once_and_nobody_else_can_open_it(place: Path, project: Project) -> None:
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert is_taken(load_edition(project, NOVEMBER))
    assert not place.exists()
    assert not is_taken(load_edition(project, NOVEMBER))


def test_another_project_month_and_day_are_read(
    place: Path, project: Project, deliver: Deliver, tmp_path: Path
) -> None:
    elsewhere = shutil.copytree(project.root, tmp_path / "another")
    assert not is_taken(load_edition(Project.open(elsewhere), NOVEMBER))
    assert not is_taken(load_edition(project, NOVEMBER.plus(-1)))
    deliver("2023-12-05", responses=["R4,2023-11-02,DV,SE"])
    assert not is_taken(load_edition(project, NOVEMBER, find_deliveries(project)[-1].received))
    # What came in later changes nothing of what was known on the day that it was handed over for.
    assert is_taken(load_edition(project, NOVEMBER, find_deliveries(project)[0].received))


@pytest.mark.usefixtures("plain_pages")
@pytest.mark.parametrize("report", ["short", pytest.param("whole", marks=pytest.mark.exhaustive)])
def test_an_issue_shows_what_its_notebook_shows_that_is_run_by_itself(
    whole_project: Project, deliver: Deliver, report: str
) -> None:
    deliver(**ROWS)
    if report == "short":
        with_a_short_report(whole_project.root)
    with sealed(whole_project) as seal, kernel_ahead(seal.project.root, seal.project.raw) as kernel:
        issue = make_issue(seal, NOVEMBER, None, EmbeddedEngine(), kernel=kernel)
        assert not kernel.handed_over.exists(), "the notebook read for itself"
    if report == "short":
        alone = executed(whole_project.notebook, {"month": "2023-11"}, whole_project.root)
    else:
        alone = papermill.execute_notebook(
            str(whole_project.notebook), None, {"month": "2023-11"}, cwd=str(whole_project.root), progress_bar=False
        )
    shown, _ = clean_copy(alone, {})
    in_issue = [cell["outputs"] for cell in json.loads(issue.notebook.read_text("utf-8"))["cells"] if "outputs" in cell]
    assert in_issue == [
        [
            {**output, "data": {name: value.splitlines(keepends=True) for name, value in output["data"].items()}}
            for output in cell.outputs
        ]
        for cell in shown.cells
        if cell.cell_type == "code"
    ]


def test_code_and_catalogues_are_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "viputils"
    shutil.copytree(Path(viputils.__file__).parent, copy)
    found = [library_checksum()]
    monkeypatch.setattr(library, "LIBRARY_FOLDER", copy)
    assert found == [library_checksum()]
    for name in ("locale/es.po", "locale/viputils.pot", "report/render/word.py"):
        (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
        assert library_checksum() not in found
        found.append(library_checksum())


@pytest.mark.history
def test_a_kernel_reads_the_library_of_the_process_that_it_works_for(
    project: Project, deliver: Deliver, tmp_path: Path
) -> None:
    deliver(**ROWS)
    source = Path(viputils.__file__).parent
    shutil.copytree(source, tmp_path / "src" / "viputils", ignore=shutil.ignore_patterns("__pycache__"))
    told = tmp_path / "src" / "viputils" / "report" / "sections.py"
    told.write_text(told.read_text("utf-8") + "\n# Another one.\n", "utf-8")
    cells = [new_code_cell("month = ''", metadata={"tags": ["parameters"]}), new_code_cell(ASKS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "n.ipynb")
    # A path that leads to it from here, and nowhere from the folder of the project.
    done = subprocess.run(
        [sys.executable, "-c", RUNS, str(tmp_path / "n.ipynb"), str(project.root)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_notebook_that_is_handed_nothing_reads(whole_project: Project, deliver: Deliver) -> None:
    deliver(**ROWS)
    with_a_short_report(whole_project.root)
    run = executed(whole_project.notebook, {"month": "2023-11"}, whole_project.root)
    assert any("responses" in str(cell.get("outputs")).lower() for cell in run.cells)
