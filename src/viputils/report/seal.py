"""Seal: copy everything that issues are made from into a private folder, where nothing can change it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from viputils.audit.manifest import Inputs, Inventory, inputs_of
from viputils.audit.register import Register, read_register
from viputils.config.page_settings import SETTINGS, copy_named_files
from viputils.config.program import RAW
from viputils.config.project import LONG_NOTEBOOK, NOTEBOOK, SEALED, Project
from viputils.core.files import copy_files, private_folder
from viputils.core.git import Commit, commit_of
from viputils.core.months import IssuePeriod
from viputils.core.periods import shown_by
from viputils.records.remote.fetch import deliveries_folder
from viputils.report.elsewhere import NAME as ELSEWHERE


@dataclass(frozen=True)
class Present:
    """What issues would be made from, looked at once for however many of them."""

    files: Inventory
    register: Register

    @classmethod
    def of(cls, project: Project) -> Present:
        """Look at a project."""
        return cls(Inventory(project), read_register(project))


def issue_inputs(project: Project, period: IssuePeriod, as_of: dt.date, present: Present | None = None) -> Inputs:
    """Find everything that the issue of a period is made from, the register's other issues of the year included."""
    present = present or Present.of(project)
    seen = present.register.seen_by(shown_by(period, project.program.identity.fiscal_year_starts), as_of)
    return inputs_of(project, period, as_of, {str(one.name): one.fingerprint for one in seen}, present.files)


@dataclass(frozen=True)
class Sealed:
    """The inputs of issues as they were when they were sealed.

    Attributes
    ----------
    project
        The project of the sealed copies: everything is read from there, and issues go to its home.
    """

    project: Project

    @classmethod
    def open(cls, root: Path, home: Path, language: str | None = None) -> Sealed:
        """Open sealed copies, in any process."""
        return cls(Project.open(root, language, home=home))

    def __reduce__(self) -> tuple[Callable[[Path, Path, str], Sealed], tuple[Path, Path, str]]:
        """Travel to another process as the place of the copies."""
        return Sealed.open, (self.project.root, self.home, self.project.language.code)

    @property
    def home(self) -> Path:
        """The folder of the project whose inputs they are."""
        return self.project.home or self.project.root

    def inputs(self, period: IssuePeriod, as_of: dt.date) -> Inputs:
        """Return what the issue of a period is made from; each file is hashed once, however many issues there are."""
        return issue_inputs(self.project, period, as_of, self._present)

    def in_language(self, code: str) -> Sealed:
        """Return the same copies as they are shown in a language."""
        return replace(self, project=self.project.in_language(code))

    @cached_property
    def commit(self) -> Commit | None:
        """Where the project is in its repository, if it is in one."""
        return commit_of(self.home)

    @cached_property
    def _present(self) -> Present:
        return Present.of(self.project)


@contextmanager
def sealed(project: Project) -> Iterator[Sealed]:
    """Copy everything that an issue of a project can be made from; the copies go when the block ends.

    A project that is sealed already is taken as it is.

    Raises
    ------
    DeliveryError
        If the deliveries are elsewhere and cannot be read there.
    ManifestError, ProgramError, LanguageError
        If the project is not in order.
    """
    if project.home is not None:
        yield Sealed(project)
        return
    with private_folder("seal") as folder:
        root = root_in(folder, project.program.identity.shares)
        copy_project(project, root)
        _copy_deliveries(deliveries_folder(project), root / RAW)
        (root / SEALED).touch()
        yield Sealed.open(root, project.root, project.language.code)


def root_in(folder: Path, shares: str | None) -> Path:
    """Create a project's folder in an empty folder, deep enough that the folder that it shares is inside, too."""
    shared = Path(shares or ".")
    root = folder.joinpath("of", *("its", *("own" for part in shared.parts if part == "..")))
    root.mkdir(parents=True)
    if not shared.is_absolute():
        Path(os.path.normpath(root / shared)).mkdir(parents=True, exist_ok=True)
    return root


def copy_project(project: Project, root: Path) -> None:
    """Copy what a project says and looks like: everything but its deliveries. What it shares becomes its own."""
    copies = {
        project.root / "program.toml": root / "program.toml",
        project.root / ELSEWHERE: root / ELSEWHERE,
        **{project.own_or_shared(name): root / name for name in (NOTEBOOK, LONG_NOTEBOOK)},
        project.pages / SETTINGS: root / SETTINGS,
    }
    copy_files(project.report, root / "report")
    for source, copy in copies.items():
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    for name in ("theme", "fonts"):
        copy_files(project.pages / "report" / name, root / "report" / name)
    if (root / SETTINGS).is_file():
        copy_named_files(project.pages, root)
    copy_files(project.published, root / "data" / "published")
    if (project.report / "activities").is_dir():
        (root / "report" / "activities").mkdir(parents=True, exist_ok=True)


def _copy_deliveries(folder: Path, to: Path) -> None:
    """Copy deliveries. Empty folders are copied too: they are reported as errors."""
    if not folder.is_dir():
        return
    to.mkdir(parents=True)
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            shutil.copytree(entry, to / entry.name, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(entry, to / entry.name)
