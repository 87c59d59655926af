"""What an issue is made from beside its deliveries, taken out of a project: enough to make it in another folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from viputils.audit.manifest import KINDS, Inputs, input_file
from viputils.config.project import Project


@dataclass(frozen=True)
class Parcel:
    """Files of a project by their names in it, and what has to be there besides.

    Attributes
    ----------
    files
        What each file holds. Names were checked when they were written into a manifest.
    has_activities
        Whether the report has a part for activities, be it without any.
    shares
        The folder that the project takes the notebook and the theme from, relative to its own.
    """

    files: dict[str, bytes]
    has_activities: bool
    shares: str

    def unpack(self, folder: Path) -> Path:
        """Put it into an empty folder; give the folder of the project in that."""
        root = root_in(folder, self.shares)
        for name, data in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        # The folder alone says that the report has this part.
        folders = ["data/raw", "data/published", *(["report/activities"] if self.has_activities else [])]
        for name in folders:
            (root / name).mkdir(parents=True, exist_ok=True)
        return root


def root_in(folder: Path, shares: str | None) -> Path:
    """Make a folder for a project in an empty folder, deep enough that what it shares is in that folder as well."""
    shared = Path(shares or ".")
    root = folder.joinpath("of", *("its", *("own" for part in shared.parts if part == "..")))
    root.mkdir(parents=True)
    if not shared.is_absolute():
        Path(os.path.normpath(root / shared)).mkdir(parents=True, exist_ok=True)
    return root


def packed(project: Project, inputs: Iterable[Inputs], has_activities: bool) -> Parcel:
    """Take what issues are made from out of a project; not the deliveries, nor the library, nor the register."""
    files: dict[str, bytes] = {}
    for one in inputs:
        for kind in KINDS:
            if kind in ("deliveries", "library"):
                continue
            for name in getattr(one, kind):
                path = input_file(project, kind, name)
                if name not in files and path.is_file():
                    files[name] = path.read_bytes()
    return Parcel(files, has_activities, project.program.identity.shares or ".")
