"""The edition that a report reads, counts and checks, for the notebook of the same issue in another process."""

from __future__ import annotations

import datetime as dt
import os
import pickle
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.records.clean import Records

# Where it is, for a process that was started to take it.
VARIABLE: Final = "VIP_HANDED_OVER"


def hand_over(
    path: Path, project: Project, month: ReportMonth, as_of: dt.date, records: Records, figures: pd.DataFrame
) -> None:
    """Write the edition of a sealed project for the process that takes it; nobody else can open the file."""
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_EXCL, 0o600)) as file:
        of = (str(project.root), str(month), as_of)
        pickle.dump((of, records, figures), file, protocol=pickle.HIGHEST_PROTOCOL)


def handed_over(project: Project, month: ReportMonth, as_of: dt.date) -> tuple[Records, pd.DataFrame] | None:
    """Return the records and figures of an edition if they were handed over to this process; only once."""
    path = Path(os.environ.get(VARIABLE, ""))
    if not path.is_file():
        return None
    with path.open("rb") as file:
        # Written by who started this process, in a folder that only this user can open.
        of, records, figures = pickle.load(file)  # noqa: S301
    if of != (str(project.root), str(month), as_of):
        return None
    path.unlink()
    return records, figures
