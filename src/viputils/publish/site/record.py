"""The record of how a site was made, which tells what has to be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from viputils.audit.library import LIBRARY_FOLDER
from viputils.audit.manifest import MANIFEST, Inventory, package_versions
from viputils.config.page_settings import named_files
from viputils.config.project import Project
from viputils.core.files import files_below
from viputils.publish.site.pages import Page
from viputils.publish.site.plan import Plan
from viputils.records.checksums import checksum
from viputils.records.remote.fetch import deliveries_folder
from viputils.report.elsewhere import NAME as ELSEWHERE
from viputils.report.render import Engine

RECORD: Final = "site.json"
# The figures of all issues are counted from these files and the deliveries.
_COUNTED: Final = ("program.toml", "data/published")


@dataclass(frozen=True)
class Record:
    """How the site in a folder was made; empty if there is none or it cannot be read.

    Attributes
    ----------
    pages
        For each page, a checksum of everything that it was made from.
    files
        The checksum of every file.
    made_from
        A checksum of everything that the site was made from.
    data
        A checksum of everything that the data of all issues was made from.
    """

    folder: Path
    pages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    made_from: str = ""
    data: str = ""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the record of a site."""
        try:
            found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return cls(folder)
        if not (isinstance(found, dict) and all(isinstance(found.get(name), dict) for name in ("pages", "files"))):
            return cls(folder)
        return cls(folder, found["pages"], found["files"], found.get("made_from", ""), found.get("data", ""))

    def is_whole(self) -> bool:
        """Return whether the folder contains exactly the files that were made, unchanged."""
        files = checksums(self.folder, ".")
        files.pop(RECORD, None)
        return files == self.files and set(self.pages) <= set(files)

    def has(self, file: str) -> bool:
        """Return whether a file is there, unchanged."""
        return (self.folder / file).is_file() and checksum(self.folder / file) == self.files.get(file)

    def has_page(self, file: str, key: str) -> bool:
        """Return whether a page is there, unchanged, and was made from the same."""
        return self.pages.get(file) == key and self.has(file)

    def write(self, engine: Engine, folder: Path) -> None:
        """Write it, with the checksum of every file, into the folder that becomes the site."""
        record = {
            "engine": {"name": engine.name, "version": engine.version()},
            "made_from": self.made_from,
            "pages": self.pages,
            "data": self.data,
            "files": checksums(folder, "."),
        }
        (folder / RECORD).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="")


def sum_of_site(plan: Plan, engine: Engine) -> str:
    """Return a checksum of everything that the site is made from and with."""
    project = plan.project
    return _sum(
        [
            [engine.name, engine.version(), plan.address, [one.language.code for one in plan.projects]],
            package_versions(),
            checksums(project.root, *_COUNTED, ELSEWHERE, "report"),
            checksums(deliveries_folder(project), "."),
            checksums(project.pages, *Inventory(project).templates),
            checksums(LIBRARY_FOLDER, "."),
            [[one.place, checksum(one.folder / MANIFEST)] for mine in plan.issues for one in mine],
            [[str(one.issue), one.date] for one in plan.releases.come],
        ]
    )


def sums_of_pages(project: Project, pages: Mapping[str, Page], engine: Engine, settings: str) -> dict[str, str]:
    """Return for each page a checksum of everything that it is made from and with."""
    theme = checksums(project.pages, "report/theme", *named_files(project.pages))
    made_with = [engine.name, engine.version(), settings, theme, _code()]
    return {file: _sum_of_page(page, made_with) for file, page in pages.items()}


def sum_of_data(plan: Plan) -> str:
    """Return a checksum of everything that the data of all issues is made from and with."""
    project, before = plan.project, str(plan.releases.withheld_from)
    return _sum([_code(), checksums(project.root, *_COUNTED), checksums(deliveries_folder(project), "."), before])


def _code() -> list[Any]:
    """Return the versions of all packages, and the checksums of the library: any line of it may affect a page."""
    return [package_versions(), checksums(LIBRARY_FOLDER, ".")]


def _sum_of_page(page: Page, made_with: Sequence[Any]) -> str:
    files = {name: hashlib.sha256(data).hexdigest() for name, data in page.files.items()}
    return _sum([made_with, page.front_matter, page.cells, files, page.dataset])


def checksums(root: Path, *names: str) -> dict[str, str]:
    """Return the checksum of some files, and of every file in some folders except hidden and compiled ones."""
    found = {}
    for name in names:
        there = root / name
        for path in [there] if there.is_file() else files_below(there):
            if path.suffix != ".pyc":
                found[path.relative_to(root).as_posix()] = checksum(path)
    return found


def _sum(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
