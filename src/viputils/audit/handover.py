"""What one process read, cleaned and counted, for another one that would read the same: the notebook of an issue.

It is taken only where it is what would be read: the same month and as-of date, and the same program.toml and delivered
files, byte for byte. Everything else is read as ever.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.records.checksums import checksum
from viputils.records.clean import Records
from viputils.records.deliveries import Delivery

# Where it lies, for a process that was started to take it.
VARIABLE: Final = "VIP_HANDED_OVER"


def key_of(project: Project, deliveries: Sequence[Delivery], month: ReportMonth, as_of: dt.date) -> str:
    """Give one checksum of all that the figures of a month depend on, as it lies there now."""
    read = hashlib.sha256(f"{month} {as_of}\n".encode())
    for name, path in [
        ("program.toml", project.root / "program.toml"),
        *(
            (one.name_of(table), one.files[table])
            for one in deliveries
            if one.received <= as_of
            for table in sorted(one.files)
        ),
    ]:
        read.update(f"{checksum(path)} {name}\n".encode())
    return read.hexdigest()


def hand_over(path: Path, key: str, records: Records, figures: pd.DataFrame) -> None:
    """Write what was read and counted for the process that takes it; nobody else can open the file."""
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_EXCL, 0o600)) as file:
        file.write(key.encode())
        pickle.dump((records, figures), file, protocol=pickle.HIGHEST_PROTOCOL)


def is_handed_over() -> bool:
    """Say whether there is anything to take."""
    return Path(os.environ.get(VARIABLE, "")).is_file()


def handed_over(key: str) -> tuple[Records, pd.DataFrame] | None:
    """Take what was handed over, where it is what would be read now; what was taken is gone."""
    place = Path(os.environ[VARIABLE])
    with place.open("rb") as file:
        if file.read(len(key)) != key.encode():
            return None
        # Written by who started this process, in a folder that only this user can open.
        records, figures = pickle.load(file)  # noqa: S301
    place.unlink()
    return records, figures
