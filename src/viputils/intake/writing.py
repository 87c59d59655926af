"""Write the rows of a delivery, and where they came from."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from viputils.config.program import ROW_ID, Table
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, IntakeError, Problem
from viputils.core.spreadsheet import inert
from viputils.intake.export import Export
from viputils.intake.rows import rows_of
from viputils.intake.sources import Source
from viputils.intake.tally import Tally
from viputils.records.deliveries import ORIGINS

# The columns of the file of origins. Each line says: this many rows of the table, from this line of the delivery on,
# were in this file and sheet, from this row on.
ORIGIN_COLUMNS: Final = ("table", "line", "rows", "file", "sheet", "row")


def write_rows(project: Project, staged: Path, exports: Sequence[tuple[Export, Tally]], folder: str) -> dict[str, Path]:
    """Write the rows of all sheets, one file for each table."""
    problems: list[Problem] = []
    files: dict[str, Path] = {}
    made: dict[str, Callable[[list[str]], list[str]]] = {}
    for export, tally in exports:
        schema = export.schema
        first = schema.name not in files
        files[schema.name] = staged / f"{schema.name}.csv"
        with files[schema.name].open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if first:
                writer.writerow(schema.columns)
            try:
                with_id = made.setdefault(schema.name, _with_id(schema.table, folder))
                rows = map(with_id, rows_of(export, project.program.intake, tally))
                writer.writerows(map(inert, row) for row in rows)
            except (IntakeError, DeliveryError) as error:
                problems += error.problems
    if problems:
        raise IntakeError("The files cannot be imported. Nothing was written.", problems)
    return files


def _with_id(table: Table, folder: str) -> Callable[[list[str]], list[str]]:
    """Return a function that fills in the id of a row if its table has none.

    The id is the place of the row in its delivery. In a snapshot it is a checksum of the row, with the number of equal
    rows so far, so that the same row in the next snapshot has the same id.
    """
    if table.id != ROW_ID:
        return lambda row: row
    numbers = itertools.count(1)
    before: Counter[str] = Counter()

    def numbered(row: list[str]) -> list[str]:
        if table.delivery != "snapshot":
            return [f"{folder}.{next(numbers)}", *row[1:]]
        content = hashlib.sha256(json.dumps(row[1:]).encode()).hexdigest()[:16]
        before[content] += 1
        return [f"{content}.{before[content]}", *row[1:]]

    return numbered


def write_origins(staged: Path, sources: Sequence[Source]) -> None:
    """Write where the rows of a delivery were in the files that were sent, so that rejected rows can be sent back.

    Each line is about rows that follow each other in both.
    """
    with (staged / ORIGINS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ORIGIN_COLUMNS)
        written: Counter[str] = Counter()
        for source in sources:
            if source.export is None:
                continue
            table, lines = source.export.schema.name, np.asarray(source.tally.lines)
            starts = np.flatnonzero(np.diff(lines, prepend=-1) != 1)
            for start, end in zip(starts, np.append(starts[1:], len(lines)), strict=bool(len(lines))):
                first = written[table] + int(start) + 2
                sheet = source.sheet.name if source.sheet.is_worksheet else ""
                row = [table, first, int(end - start), source.sheet.file, sheet, int(lines[start])]
                writer.writerow([inert(str(cell)) for cell in row])
            written[table] += len(lines)
