"""A small project of the repository's own shape, with whatever deliveries a test needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.projects import HEADERS, REPOSITORY, Deliver
from viputils.edition import Edition, load_edition
from viputils.program import Program, read_program
from viputils.project import Project

# A slow machine is no failure.
settings.register_profile("viputils", deadline=None)
settings.load_profile("viputils")


# What takes longest begins first, so that no process is left with it alone at the end.
LONGEST = ["accessibility", "site", "backfill", "changes", "trace", "cli", "publication", "cluster", "engine"]
LONGEST += ["reproduction", "vintages", "language", "intake", "variations"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = [f"test_{name}.py" for name in LONGEST]
    items.sort(key=lambda item: names.index(item.path.name) if item.path.name in names else len(names))


@pytest.fixture(scope="session")
def program() -> Program:
    return read_program(REPOSITORY / "program.toml")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a folder with a blank in its name: the repository's program.toml, and no delivery yet."""
    root = tmp_path / "a project"
    root.mkdir()
    # A test delivers what it is about, and not month for month.
    text = (REPOSITORY / "program.toml").read_text(encoding="utf-8")
    (root / "program.toml").write_text(text.replace('delivered = "monthly"', 'delivered = "irregularly"'), "utf-8")
    (root / "data" / "raw").mkdir(parents=True)
    (root / "data" / "published").mkdir()
    return Project.open(root)


@pytest.fixture
def deliver(project: Project) -> Deliver:
    """Write one delivery: every table empty but for the rows given, ``responses=["R1,2023-11-02,DV,SE"]``."""

    def write(received: str = "2023-12-04", **rows: list[str]) -> Path:
        folder = project.raw / received
        folder.mkdir(exist_ok=True)
        for table, header in HEADERS.items():
            if table != "voids" or table in rows:
                text = "\n".join([header, *rows.get(table, [])]) + "\n"
                (folder / f"{table}.csv").write_text(text, encoding="utf-8", newline="")
        return folder

    return write


@pytest.fixture
def whole_project(project: Project) -> Project:
    """The same with what an issue needs beside its records: the notebook, and what the report looks like and says."""
    for name in ("notebooks", "report"):
        shutil.copytree(REPOSITORY / name, project.root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(REPOSITORY / "_quarto.yml", project.root)
    return project


@pytest.fixture(scope="session")
def demonstration() -> Edition:
    """The repository's own records, for the November 2023 issue as of its own date."""
    return load_edition(Project.open(REPOSITORY), "2023-11")


@pytest.fixture(scope="session")
def repository_example() -> Path:
    """The second city, with real records."""
    return REPOSITORY / "examples" / "philadelphia"
