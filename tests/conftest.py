"""What all tests share: small projects, artifacts that are built once, and which tests run when."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.artifacts import Artifacts, folder_for_artifacts
from tests.support.pages import plain_pages
from tests.support.projects import HEADERS, REPOSITORY, Deliver, town
from viputils.audit.as_of import load_edition
from viputils.config.program import Program
from viputils.config.program_file import read_program
from viputils.config.project import Project
from viputils.figures.edition import Edition

# No deadline: a slow machine is no failure. `make test` uses the fast profile. `make test-all` uses the thorough one.
settings.register_profile("fast", deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("fast")

# Only `make test-all` runs the tests with one of these markers. pyproject.toml says what each is for.
SLOW = ("process", "cluster", "engines", "exact_bytes", "browser_matrix", "history", "whole_issues", "exhaustive")
# One dot for so many tests that passed, so that the output fits on one screen.
_A_DOT = 10

_ARTIFACTS = pytest.StashKey[Artifacts]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--most-seconds", type=float, help="fail each test that takes longer and has no marker for make test-all"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ARTIFACTS] = Artifacts(folder_for_artifacts())
    if not hasattr(config, "workerinput"):
        config.stash[_ARTIFACTS].forget_others()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.get_closest_marker(name) for name in SLOW):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that takes longer than --most-seconds and has no marker that says why."""
    most, artifacts = item.config.getoption("--most-seconds"), item.config.stash[_ARTIFACTS]
    began, computed, building = time.monotonic(), _processor_seconds(), artifacts.seconds
    yield
    # What is shared is built in the first test that asks for it. Beside other work a test takes twice as long.
    by_the_clock = time.monotonic() - began - (artifacts.seconds - building)
    took = min(by_the_clock, max(by_the_clock / 2, _processor_seconds() - computed))
    if most is not None and took > most and not item.get_closest_marker("slow"):
        pytest.fail(f"It took {took:.1f} s. Make it quicker, share what it builds, or mark it: {', '.join(SLOW)}.")


def _processor_seconds() -> float:
    """Return what this process and the processes that it waited for have used."""
    return sum(os.times()[:4])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and session.config.stash[_ARTIFACTS].changed():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_passed = 0


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    global _passed
    if report.when != "call" or not report.passed or hasattr(report, "wasxfail"):
        return None
    _passed += 1
    return "passed", "." if _passed % _A_DOT == 0 else "", "PASSED"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)
    for reason, number in reasons.most_common():
        terminalreporter.write_line(f"{number} skipped: {reason}")
    if changed := terminalreporter.config.stash[_ARTIFACTS].changed():
        names = ", ".join(changed)
        terminalreporter.write_line(f"Tests have written into shared artifacts: {names}. Copy them first.", red=True)


@pytest.fixture(scope="session")
def artifacts(request: pytest.FixtureRequest) -> Artifacts:
    """What is built once for all tests."""
    return request.config.stash[_ARTIFACTS]


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
            if table in project.program.tables or table in rows:
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
def edition_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Edition]:
    """Load an edition of November 2023 of one delivery, as ``deliver`` takes it; for what a whole module reads."""

    def load(**rows: list[str]) -> Edition:
        root = town(tmp_path_factory.mktemp("towns") / "a town")
        for table, header in HEADERS.items():
            if table != "voids":
                text = "\n".join([header, *rows.get(table, [])]) + "\n"
                (root / "data" / "raw" / "2023-12-04" / f"{table}.csv").write_text(text, encoding="utf-8", newline="")
        return load_edition(Project.open(root), "2023-11")

    return load


@pytest.fixture(scope="session")
def repository_example() -> Path:
    """The second city, with real records."""
    return REPOSITORY / "examples" / "philadelphia"


@pytest.fixture(name="plain_pages")
def _plain_pages() -> Iterator[None]:
    """Make plain pages in place of real ones, and fork the kernels; for tests that are not about pages."""
    with plain_pages():
        yield
