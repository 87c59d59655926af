"""What many tests read and is costly to make: built once for all processes of a run, and kept for the next one.

An artifact is a folder. Its place depends on everything that it is made from, so a change of the code, the report, the
notebooks or the records makes a new one. Tests that only read use it where it is; tests that write copy it first.
"""

from __future__ import annotations

import functools
import getpass
import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from tests.support.command import started_vip
from tests.support.pages import PlainEngine, in_this_process, issue_made
from tests.support.projects import REPOSITORY, contents, copy_of_the_repository, town, with_a_short_report
from tests.support.releases import with_release_dates
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.backfill import carry_out, orders_of
from viputils.publish.site.build import make_site

# The inputs of artifacts, and the modules that build them.
_MADE_FROM = ("src", "report", "notebooks", "tests/notebooks", "data", "examples", "requirements/test.txt")
_FILES = ("program.toml", "_quarto.yml", "pyproject.toml")
_BUILT_BY = ("artifacts.py", "command.py", "pages.py", "projects.py", "releases.py")
# A space and an accent in the path, as users have them.
_NAME = "città di prova"
_A_DAY = 24 * 60 * 60
# The address of the site of the artifacts.
SITE_ADDRESS = "https://vip.example/reports/"


@functools.cache
def key() -> str:
    """Return a checksum of all inputs of artifacts."""
    versions = sorted(f"{one.name} {one.version}" for one in importlib.metadata.distributions())
    known = hashlib.sha256("\n".join([sys.version, *versions]).encode())
    for name in (*_MADE_FROM, *_FILES, *(f"tests/support/{file}" for file in _BUILT_BY)):
        place = REPOSITORY / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            inside = path.relative_to(REPOSITORY)
            if path.is_file() and not {"__pycache__", "issues", "_site"} & set(inside.parts):
                known.update(inside.as_posix().encode() + b"\0")
                known.update(hashlib.sha256(path.read_bytes()).digest())
    return known.hexdigest()[:16]


def folder_for_artifacts() -> Path:
    """Return the folder for the artifacts of this checkout, the same in every process of a run and in the next run.

    It is outside any git repository, because an issue records the commit of its repository.
    """
    checkout = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:8]
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir()).resolve() / f"viputils-tests-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / checkout


class Artifacts:
    """The artifacts of a run.

    Attributes
    ----------
    seconds
        How long this process has built artifacts or waited for another one to build them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / key() / _NAME
        self.seconds = 0.0

    def get(self, name: str, build: Callable[[Path], object]) -> Path:
        """Return the folder of an artifact, and build it if necessary."""
        place = self.folder / name
        if place.is_dir():
            return place
        begin = time.monotonic()
        inner = self.seconds
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f"{name}.lock"):
            if not place.is_dir():
                unfinished = self.folder / f"{name} unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                build(unfinished)
                (self.folder / f"{name}.sum").write_text(_sum(unfinished), encoding="utf-8")
                unfinished.rename(place)
        # The seconds of nested artifacts are already counted.
        self.seconds = inner + time.monotonic() - begin
        return place

    def november(self) -> Path:
        """Return a copy of the repository's project with the issue of November 2023."""

        def build(root: Path) -> None:
            copy_of_the_repository(root)
            _run("report", "2023-11", root)

        return self.get("November", build)

    def in_two_languages(self) -> Path:
        """Return the same with the issue in Spanish as well."""

        def build(root: Path) -> None:
            shutil.copytree(self.november(), root, dirs_exist_ok=True)
            _run("report", "2023-11", root, "--lang", "es")

        return self.get("November in two languages", build)

    def site(self) -> Path:
        """Return the same with the issue of October, and with the site of both months in ``_site``."""

        def build(root: Path) -> None:
            shutil.copytree(self.in_two_languages(), root, dirs_exist_ok=True)
            _run("site", "--since", "2023-10", root, "--address", SITE_ADDRESS)

        return self.get("the site", build)

    def two_months_of_a_town(self) -> Path:
        """Return a small town whose issues of October and November 2023 were made by two processes."""

        def build(root: Path) -> None:
            with_a_short_report(town(root))
            _run("backfill", "2023-10", "2023-11", root, "--jobs", "2")

        return self.get("a town", build)

    def two_plain_months_of_a_town(self) -> Path:
        """Return a small town with plain issues of October and November 2023."""

        def build(root: Path) -> None:
            project, engine = Project.open(with_a_short_report(town(root))), PlainEngine()
            orders, _ = orders_of(project, ReportMonth(2023, 10), ReportMonth(2023, 11), engine)
            if failed := [str(one.error) for one in carry_out(project, orders, engine, jobs=1) if one.error]:
                raise AssertionError(failed)

        return self.get("a town with two issues", build)

    def plain_issue(self, month: str) -> Path:
        """Return the repository's project with a short and plain issue of a month."""

        def build(root: Path) -> None:
            project = Project.open(with_a_short_report(copy_of_the_repository(root)))
            with in_this_process():
                issue_made(project, month, PlainEngine())

        return self.get(f"plain {month}", build)

    def town_with_a_plain_site(self) -> Path:
        """Return a small town with plain pages: its issue of November 2023 and the site of that month."""

        def build(root: Path) -> None:
            with_a_short_report(town(root))
            make_site(Project.open(root), PlainEngine(), SITE_ADDRESS, ReportMonth(2023, 11))

        return self.get("a town with a site", build)

    def town_with_release_dates(self) -> Path:
        """Return a small town with plain pages, release dates and the site of October and November 2023."""

        def build(root: Path) -> None:
            with in_this_process():
                with_release_dates(root, SITE_ADDRESS)

        return self.get("a town with release dates", build)

    def philadelphia(self) -> Path:
        """Return the second city with its issue of November 2020 as of 5 January 2021."""

        def build(root: Path) -> None:
            example = REPOSITORY / "examples" / "philadelphia"
            shutil.copytree(example, root, ignore=shutil.ignore_patterns("issues", "_site", ".*"), dirs_exist_ok=True)
            program = root / "program.toml"
            text = program.read_text(encoding="utf-8").replace('"../.."', json.dumps(str(REPOSITORY)))
            program.write_text(text, encoding="utf-8")
            _run("report", "2020-11", root, "--as-of", "2021-01-05")

        return self.get("Philadelphia", build)

    def changed(self) -> list[str]:
        """Return the names of artifacts that a test has changed."""
        sums = sorted(self.folder.glob("*.sum")) if self.folder.is_dir() else []
        places = {path: path.with_suffix("") for path in sums}
        return [
            place.name
            for path, place in places.items()
            if place.is_dir() and _sum(place) != path.read_text(encoding="utf-8")
        ]

    def forget_others(self) -> None:
        """Remove artifacts that were not used for a day, or that a test has changed."""
        keep = self.folder.parent
        if keep.is_dir():
            os.utime(keep)
        for path in keep.parent.glob("*") if keep.parent.is_dir() else []:
            # Another run of this checkout may be using the others.
            if path != keep and time.time() - path.stat().st_mtime > _A_DAY:
                shutil.rmtree(path, ignore_errors=True)
        for name in self.changed():
            shutil.rmtree(self.folder / name, ignore_errors=True)


def _run(command: str, *given: str | Path) -> None:
    """Run a command on a project with the embedded engine; it must succeed."""
    arguments = [part if isinstance(part, str) else f"--project={part}" for part in given]
    done = started_vip(command, *arguments, "--engine", "embedded")
    if done.returncode:
        raise AssertionError(f"vip {command} failed: {done.stderr}")


def _sum(folder: Path) -> str:
    known = hashlib.sha256()
    for name, data in contents(folder).items():
        known.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return known.hexdigest()
