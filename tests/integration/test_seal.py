"""An issue is made from its inputs as they were when they were sealed, whatever happens to them meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.artifacts import Artifacts
from tests.support.pages import PlainEngine, issue_made
from tests.support.projects import REPOSITORY, files_of
from viputils.config.project import Project
from viputils.records.checksums import checksum
from viputils.report.seal import sealed

STEPS = ("Running the notebook", "Making HTML, PDF and DOCX (embedded engine)", "Writing the manifest")


@pytest.fixture
def a_town(artifacts: Artifacts, tmp_path: Path) -> Project:
    """A small town with the plain issue of November 2023."""
    return Project.open(shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town"))


def edit_a_delivery(project: Project) -> None:
    path = project.raw / "2023-12-04" / "responses.csv"
    path.write_text(path.read_text("utf-8").replace("DEMO-R1,2023-11-02", "DEMO-R1,2023-10-02"), "utf-8")


def deliver_more(project: Project) -> None:
    shutil.copytree(project.raw / "2023-12-04", project.raw / "2023-12-04-2")


def take_a_delivery_away(project: Project) -> None:
    shutil.rmtree(project.raw)


def write_a_text(project: Project) -> None:
    (project.report / "activities" / "2023-11.md").write_text("## News\n\nText.\n", "utf-8")


def spoil_the_program(project: Project) -> None:
    (project.root / "program.toml").write_text("nothing", "utf-8")


def edit_the_notebook(project: Project) -> None:
    (project.root / "notebooks" / "monthly_report.ipynb").unlink()


def take_the_theme_away(project: Project) -> None:
    shutil.rmtree(project.report / "theme")


@pytest.mark.usefixtures("plain_pages")
@pytest.mark.parametrize(
    ("change", "step"),
    [
        # What changes at the first step is different for the later ones, too.
        (deliver_more, STEPS[0]),
        (spoil_the_program, STEPS[0]),
        *(
            pytest.param(change, STEPS[0], marks=pytest.mark.exhaustive)
            for change in (take_a_delivery_away, write_a_text, edit_the_notebook, take_the_theme_away)
        ),
        *(pytest.param(edit_a_delivery, step, marks=pytest.mark.exhaustive) for step in STEPS[1:]),
        (edit_a_delivery, STEPS[0]),
    ],
)
def test_what_changes_while_an_issue_is_made_is_no_part_of_it(
    a_town: Project, change: Callable[[Project], None], step: str
) -> None:
    before = files_of(a_town.issues / "2023-11")

    changed: list[str] = []

    def meanwhile(begun: str) -> None:
        if begun == step:
            change(a_town)
            changed.append(step)

    issue_made(a_town, "2023-11", PlainEngine(), on_step=meanwhile)
    assert changed == [step]
    assert files_of(a_town.issues / "2023-11") == before


def test_a_seal_has_every_input_and_the_manifest_lists_what_is_in_it(a_town: Project) -> None:
    manifest = json.loads((a_town.issues / "2023-11" / "manifest.json").read_bytes())
    with sealed(a_town) as seal:
        assert seal.project.root != a_town.root
        for name in ("program.toml", *manifest["inputs"]["templates"], *manifest["inputs"]["notebook"]):
            assert checksum(seal.project.root / name) == checksum(a_town.root / name)
        assert files_of(seal.project.raw) == files_of(a_town.raw)
    assert not seal.project.root.exists()


def test_what_a_project_shares_with_another_one_is_sealed_with_it() -> None:
    city = Project.open(REPOSITORY / "examples" / "philadelphia")
    with sealed(city) as seal:
        assert checksum(seal.project.notebook) == checksum(city.notebook)
        assert seal.project.notebook.is_relative_to(seal.project.root)
        assert files_of(seal.project.pages / "report" / "theme") == files_of(city.pages / "report" / "theme")
