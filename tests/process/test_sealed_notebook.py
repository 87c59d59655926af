"""The notebook of an issue shows what it shows by itself, counted from records that were read once."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import viputils
from tests.support.histories import with_tables
from tests.support.pages import executed
from tests.support.projects import Deliver, with_a_short_report
from viputils.audit import library
from viputils.audit.as_of import load_edition
from viputils.audit.library import library_checksum
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.records.deliveries import Received, read_received
from viputils.report.issue import make_issue
from viputils.report.notebook import clean_copy
from viputils.report.press import link_slides
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


@pytest.mark.usefixtures("plain_pages")
@pytest.mark.parametrize("report", ["short", pytest.param("whole", marks=pytest.mark.exhaustive)])
def test_an_issue_shows_what_its_notebook_shows_that_is_run_by_itself(
    whole_project: Project, deliver: Deliver, report: str
) -> None:
    deliver(**ROWS)
    if report == "short":
        with_a_short_report(whole_project.root)
    with sealed(whole_project) as seal:
        issue = make_issue(seal, NOVEMBER, None, EmbeddedEngine())
    if report == "short":
        alone = executed(whole_project.notebook, {"month": "2023-11"}, whole_project.root)
    else:
        alone = papermill.execute_notebook(
            str(whole_project.notebook), None, {"month": "2023-11"}, cwd=str(whole_project.root), progress_bar=False
        )
    shown, _ = clean_copy(alone, {})
    link_slides(shown)
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


def test_the_records_of_a_sealed_project_are_read_once_and_those_of_any_other_as_they_are(
    project: Project, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(**ROWS)
    reads: list[Path] = []

    def read(of: Project, *arguments: Any) -> Received:
        reads.append(of.root)
        return read_received(of, *arguments)

    monkeypatch.setattr("viputils.audit.as_of.read_received", read)
    with sealed(project) as seal:
        editions = [load_edition(Project.find(seal.project.root), NOVEMBER) for _ in range(2)]
        assert reads == [seal.project.root]
        assert editions[0].records is editions[1].records
        load_edition(project, NOVEMBER)
        load_edition(project, NOVEMBER)
        assert reads == [seal.project.root, project.root, project.root]
    deliver("2023-12-11", responses=["R9,2023-11-03,Homicide,SE"])
    with sealed(project) as seal:
        later = load_edition(seal.project, NOVEMBER, dt.date(2023, 12, 11))
    assert len(later.records.tables["responses"].rows) == len(editions[0].records.tables["responses"].rows) + 1


def test_a_sealed_project_reads_its_own_deliveries_whatever_the_environment_says(
    project: Project, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(**ROWS)
    monkeypatch.setenv("VIP_DELIVERIES", str(tmp_path / "elsewhere"))
    with sealed(project) as seal:
        assert Project.find(seal.project.root).raw == seal.project.raw
