"""The files that were given: each sheet matched with a table, without files that were imported before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viputils.config.project import Project
from viputils.core.errors import IntakeError, Problem, VipError, nearest
from viputils.intake.export import Export
from viputils.intake.matching import match_sheet
from viputils.intake.rows import rows_of
from viputils.intake.sheet import Sheet
from viputils.intake.sheets import read_sheets
from viputils.intake.tally import Tally
from viputils.records.checksums import checksum, source_checksums
from viputils.records.deliveries import Delivery


@dataclass(frozen=True)
class Source:
    """One sheet of a file that was given, and what became of its rows. A sheet that is left out has no ``export``."""

    sheet: Sheet
    export: Export | None
    tally: Tally


def once_each(files: Sequence[Path], warnings: list[str]) -> list[Path]:
    """Leave out a file that is given twice."""
    first: dict[str, Path] = {}
    for path in files:
        try:
            # Files that cannot be read are reported later, when they are read.
            number = checksum(path) if path.is_file() else str(path)
        except OSError:
            number = str(path)
        if number in first:
            warnings.append(f"{path.name} is the same file as {first[number].name} and is imported once.")
        first.setdefault(number, path)
    return list(first.values())


def match_files(
    project: Project, files: Sequence[Path], tables: Sequence[str]
) -> tuple[dict[Path, list[Export]], list[Source]]:
    """Match every sheet of the files with a table.

    Returns
    -------
    tuple
        The exports of each file, and the sheets that are left out.

    Raises
    ------
    IntakeError
        With everything that is wrong in all files.
    """
    problems: list[Problem] = []
    matched: dict[Path, list[Export]] = {path: [] for path in files}
    left_out: list[Source] = []
    of_sheet = {sheet.strip(): table.strip() for sheet, mark, table in (one.partition("=") for one in tables) if mark}
    of_all = next((one for one in tables if "=" not in one), None)
    seen: set[str] = set()
    for path in files:
        before = len(problems)
        for sheet in _sheets_of(path, problems):
            seen |= {sheet.name, sheet.file}
            try:
                export = match_sheet(project.program, sheet, of_sheet.get(sheet.name, of_sheet.get(sheet.file, of_all)))
            except VipError as error:
                problems += _problems_of(error, path)
                continue
            if export is None:
                left_out.append(Source(sheet, None, Tally()))
            else:
                matched[path].append(export)
        if not matched[path] and len(problems) == before:
            problems.append(Problem(path.name, "contains no table;", "a table needs its headings, even without rows."))
    problems += [
        Problem(
            f"--table '{name}={table}'",
            "is not about a sheet of these files;",
            f"{nearest(name, seen)}sheets: {_listed(seen)}.",
        )
        for name, table in of_sheet.items()
        if name not in seen
    ]
    if problems:
        raise IntakeError("The files cannot be imported. Nothing was written.", dict.fromkeys(problems))
    return matched, left_out


def _sheets_of(path: Path, problems: list[Problem]) -> list[Sheet]:
    try:
        return read_sheets(path)
    except VipError as error:
        problems += _problems_of(error, path)
        return []


def _problems_of(error: VipError, path: Path) -> Sequence[Problem]:
    return error.problems or [Problem(path.name, error.summary)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def without_known(
    project: Project,
    matched: Mapping[Path, Sequence[Export]],
    received: dt.date,
    deliveries: Sequence[Delivery],
    warnings: list[str],
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Separate new files from those that a delivery was already made from, with the names of these deliveries.

    The same file on a later day is new if it has no rows (nothing happened in another month either) or is a snapshot
    (nothing has changed).
    """
    imported = {source: one for one in deliveries for source in source_checksums(one.folder)}
    new: list[Path] = []
    known: list[tuple[Path, str]] = []
    for path, exports in matched.items():
        before = imported.get(checksum(path))
        if before is None:
            new.append(path)
        elif received > before.received and all(_can_repeat(export, project) for export in exports):
            new.append(path)
            warnings.append(f"{path.name} is identical to the file that {before.name} was made from.")
        else:
            known.append((path, before.name))
    return new, known


def _can_repeat(export: Export, project: Project) -> bool:
    """Return whether the same export can be sent again: it is a snapshot, or has no rows."""
    is_snapshot = export.schema.table.delivery == "snapshot"
    return is_snapshot or next(rows_of(export, project.program.intake, Tally()), None) is None
