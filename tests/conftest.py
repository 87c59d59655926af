"""What all tests share: small projects, artifacts that are built once, and which tests run when."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.artifacts import Artifacts
from tests.support.pages import PlainEngine
from tests.support.projects import HEADERS, REPOSITORY, Deliver
from viputils.edition import Edition, load_edition
from viputils.notebook import kernel_ahead
from viputils.program import Program, read_program
from viputils.project import Project
from viputils.render.embedded import EmbeddedEngine
from viputils.zygote import can_fork, own_zygote

# No deadline: a slow machine is no failure. `make test` uses the fast profile. `make test-all` uses the thorough one.
settings.register_profile("fast", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("fast")

# Only `make test-all` runs the tests with one of these markers. pyproject.toml says what each is for.
SLOW = ("process", "cluster", "engines", "exact_bytes", "browser_matrix", "history", "exhaustive")
# One dot for so many tests that passed, so that the output fits on one screen.
_A_DOT = 10

_ARTIFACTS = pytest.StashKey[Artifacts]()
_BEGAN = pytest.StashKey[tuple[float, float]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--most-seconds", type=float, help="fail each test that takes longer and has no marker for make test-all"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ARTIFACTS] = Artifacts(_folder_for_artifacts(config))
    if not hasattr(config, "workerinput"):
        config.stash[_ARTIFACTS].forget_others()


def _folder_for_artifacts(config: pytest.Config) -> Path:
    """Return the same folder in every process of a run, and in the next run."""
    try:
        folder = config.cache.mkdir("artifacts")
        (folder / "writable").touch()
    except (AttributeError, OSError):
        # The checkout is read-only, or there is no cache.
        folder = Path(tempfile.gettempdir()) / f"viputils tests of {os.getuid() if hasattr(os, 'getuid') else 'a user'}"
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.get_closest_marker(name) for name in SLOW):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_BEGAN] = (time.monotonic(), item.config.stash[_ARTIFACTS].seconds)
    return (yield)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    most = item.config.getoption("--most-seconds")
    if most is None or item.get_closest_marker("slow"):
        return
    began, building = item.stash[_BEGAN]
    took = time.monotonic() - began - (item.config.stash[_ARTIFACTS].seconds - building)
    if took > most:
        pytest.fail(f"It took {took:.1f} s. Make it quicker, share what it builds, or mark it: {', '.join(SLOW)}.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and (changed := session.config.stash[_ARTIFACTS].changed()):
        pytest.exit(f"Tests have written into shared artifacts: {', '.join(changed)}. Copy them first.", 1)


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


@pytest.fixture
def plain_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make plain pages in place of real ones, and fork the kernels; for tests that are not about pages."""
    monkeypatch.setattr(EmbeddedEngine, "render", PlainEngine.render)
    monkeypatch.setattr(EmbeddedEngine, "render_site", PlainEngine.render_site)
    if can_fork():
        monkeypatch.setattr(
            "viputils.issue.kernel_ahead", lambda root, raw: kernel_ahead(root, raw, own_zygote(), seed=0)
        )
