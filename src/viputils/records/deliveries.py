"""Raw deliveries: finding and reading everything that was received by an as-of date.

A delivery is a folder named for the day of receipt, ``data/raw/2023-12-04``, with one CSV file for each table. The
second delivery of a day is ``2023-12-04-2``. A delivery is never edited: a correction is a later delivery.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from viputils.config.program import Table
from viputils.config.project import Project
from viputils.config.tables import DELIVERY, FILE, LINE, RECEIVED, VOIDS, Schema, schemas_of
from viputils.core.errors import DeliveryError, ParameterError, Problem, nearest
from viputils.core.months import parse_date
from viputils.records.checksums import CHECKSUMS, checksum_problems
from viputils.records.csv_reader import read_csv
from viputils.records.remote.fetch import deliveries_folder
from viputils.records.values import Texts

# Files that intake adds to a delivery: the last day that each table covers, and the place of each row in the file sent.
COVERAGE: Final = "coverage.csv"
ORIGINS: Final = "origins.csv"

# Before any day.
NO_DAY: Final = "0000-00-00"

_FOLDER: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:-([2-9]|[1-9][0-9]))?")


@dataclass(frozen=True)
class Delivery:
    """One delivery.

    Attributes
    ----------
    received
        The day of receipt.
    number
        1 for the first delivery of the day, 2 for the second.
    folder
        The path of its folder.
    name
        The name of the folder in messages and tables.
    files
        Table name to CSV file.
    covers
        Table name to the last day that its file covers. For a table without such a day its rows decide.
    """

    received: dt.date
    number: int
    folder: Path
    name: str
    files: Mapping[str, Path]
    covers: Mapping[str, dt.date] = field(default_factory=dict)
    # Caches: the newest day in each file, and its rows until ``take_rows`` returns them, so each file is read once.
    _newest: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    _rows: dict[str, tuple[Schema, tuple[Any, Any]]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def lying(self) -> list[Path]:
        """Every file in its folder, including its checksums, but no hidden files."""
        return sorted(path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith("."))

    @property
    def counted_from(self) -> dict[str, Path]:
        """Every file that figures depend on, by name: the tables, and the days that they cover."""
        files = {self.name_of(table): self.files[table] for table in sorted(self.files)}
        coverage = self.folder / COVERAGE
        return files | ({f"{self.name}/{COVERAGE}": coverage} if coverage.is_file() else {})

    def name_of(self, table: str) -> str:
        """Return the name of a table's file, the same on every machine."""
        return f"{self.name}/{self.files[table].name}"

    def newest_day(self, table: str, rule: Table) -> str:
        """Return the newest day in the file of a table, not after its receipt: ``NO_DAY`` if no row has one.

        It is empty if the file has no row or is malformed.
        """
        if table not in self._newest:
            schema = Schema(table, rule)
            try:
                read = self.take_rows(schema)
            except DeliveryError:
                return ""  # The error is reported when the file is read.
            self._rows[table] = schema, read
            rows, _ = read
            days = [day.strip() for day in rows[rule.date].unique().to_pylist()]
            self._newest[table] = self.newest_of(days) if days else ""
        return self._newest[table]

    def take_rows(self, schema: Schema) -> tuple[Any, Any]:
        """Return the rows of a table and their lines, as ``read_csv`` does, and forget them."""
        known, rows = self._rows.pop(schema.name, (None, None))
        if rows is not None and known == schema:
            return rows
        return read_csv(self.files[schema.name], self.name_of(schema.name), schema)

    def newest_of(self, days: Iterable[str]) -> str:
        """Return the newest of some days that is not after its receipt; ``NO_DAY`` if there is none.

        A day that cannot be read or is after the receipt does not show what a file covers.
        """
        return max((day for day in days if _is_day(day) and day <= self.received.isoformat()), default=NO_DAY)


@dataclass(frozen=True)
class RawTable:
    """The rows of one table as delivered, in order of receipt.

    Attributes
    ----------
    rows
        The schema's columns as text (the id as ``str``, the others as ``category``), plus ``received``,
        ``delivery`` (the delivery's place in order of receipt), ``file`` and ``line`` (the line on which the row
        begins; the header is line 1). One row for each row of each file.
    delivered
        The places of the deliveries with a file of this table, even without rows.
    texts
        The readings of its texts, shared with ``Received.by`` of earlier days.
    """

    rows: pd.DataFrame
    delivered: tuple[int, ...]
    texts: Texts = field(default_factory=Texts, compare=False, repr=False)


@dataclass(frozen=True)
class Received:
    """Everything that was received by a day."""

    as_of: dt.date
    deliveries: tuple[Delivery, ...]
    tables: Mapping[str, RawTable]

    def by(self, as_of: dt.date, tables: Sequence[str] | None = None) -> Received:
        """Return everything that was received by an earlier day; by default all tables, else these and the voids."""
        known = tuple(delivery for delivery in self.deliveries if delivery.received <= as_of)
        wanted = self.tables if tables is None else [*tables, VOIDS.name]
        raw = {
            name: RawTable(
                table.rows.loc[table.rows[DELIVERY].lt(len(known))],
                tuple(place for place in table.delivered if place < len(known)),
                table.texts,
            )
            for name, table in self.tables.items()
            if name in wanted
        }
        return Received(as_of, known, raw)


def has_deliveries(project: Project) -> bool:
    """Return whether data/raw contains anything that could be a delivery."""
    folder = deliveries_folder(project)
    return folder.is_dir() and any(
        entry.suffix != ".md" and not entry.name.startswith(".") for entry in folder.iterdir()
    )


def find_deliveries(project: Project) -> list[Delivery]:
    """Find every delivery of a project, oldest first.

    Raises
    ------
    DeliveryError
        If there is none, or data/raw contains a folder or file that is not a delivery: a misnamed delivery would
        not be counted.
    """
    problems: list[Problem] = []
    deliveries: list[Delivery] = []
    known = [*project.program.tables, VOIDS.name]
    try:
        folders = sorted(entry for entry in deliveries_folder(project).iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DeliveryError(
            "The raw deliveries cannot be read.",
            [
                Problem(
                    project.raw_name(),
                    f"{error.strerror or error}.",
                    "It must be a folder with one folder for each delivery.",
                )
            ],
        ) from None
    for folder in folders:
        if folder.is_file() and folder.suffix == ".md":
            continue
        name = project.raw_name(folder.name)
        try:
            received, number = _received_on(folder.name)
            entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        except ParameterError:
            problems.append(
                Problem(name, "is not a delivery;", "name the folder for the day of receipt, as in 2023-12-04.")
            )
            continue
        except OSError as error:
            problems.append(Problem(name, f"{error.strerror or error}.", "A delivery is a folder of CSV files."))
            continue
        files: dict[str, Path] = {}
        for entry in entries:
            if entry.suffix == ".csv" and entry.stem in known:
                files[entry.stem] = entry
            elif entry.name not in (CHECKSUMS, COVERAGE, ORIGINS):
                problems.append(
                    Problem(
                        project.raw_name(folder.name, entry.name),
                        "is not a table of this program;",
                        nearest(entry.stem, known)
                        or f"a delivery holds: {', '.join(f'{table}.csv' for table in known)}.",
                    )
                )
        covers = _read_coverage(folder / COVERAGE, f"{name}/{COVERAGE}", problems)
        deliveries.append(Delivery(received, number, folder, name, files, covers))
    if not deliveries and not problems:
        problems.append(
            Problem("data/raw", "contains no delivery;", "a delivery is a folder such as data/raw/2023-12-04.")
        )
    if problems:
        raise DeliveryError("The raw deliveries are invalid.", problems)
    return sorted(deliveries, key=lambda delivery: (delivery.received, delivery.number))


def _is_day(text: str) -> bool:
    try:
        return len(text) == len(NO_DAY) and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False


def _read_coverage(path: Path, name: str, problems: list[Problem]) -> dict[str, dt.date]:
    """Return the last day that each table of a delivery covers."""
    covers: dict[str, dt.date] = {}
    if not path.is_file():
        return covers
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        for table, day in rows[1:]:
            covers[table] = parse_date(day, name)
    except (OSError, ValueError, csv.Error, ParameterError) as error:
        problems.append(
            Problem(name, f"is not as intake writes it: {error};", "restore it from a copy of the project.")
        )
    return covers


def write_coverage(folder: Path, covers: Mapping[str, dt.date]) -> None:
    """Write the last day that each table of a delivery covers."""
    lines = ["table,covers_until", *(f"{table},{day}" for table, day in covers.items())]
    (folder / COVERAGE).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def _received_on(folder: str) -> tuple[dt.date, int]:
    """Return the day of receipt and the number of the delivery from the name of its folder."""
    found = _FOLDER.fullmatch(folder)
    return parse_date(found[1] if found else folder), int(found[2] or 1) if found else 1


def read_received(
    project: Project, deliveries: Sequence[Delivery], as_of: dt.date, tables: Sequence[str] | None = None
) -> Received:
    """Read everything that was received by the as-of date, as text.

    Parameters
    ----------
    deliveries
        In order of receipt, as ``find_deliveries`` returns them.
    tables
        Only these tables, and the voids; by default all.

    Raises
    ------
    DeliveryError
        If files are malformed or do not match the checksums of their delivery; lists all of them.
    """
    known = tuple(delivery for delivery in deliveries if delivery.received <= as_of)
    problems = [problem for delivery in known for problem in checksum_problems(delivery.folder, delivery.name)]
    raw = {}
    for schema in (*schemas_of(project.program).values(), VOIDS):
        if tables is None or schema.name in tables or schema is VOIDS:
            raw[schema.name] = _read_table(known, schema, problems)
    if problems:
        raise DeliveryError("Delivered files are invalid. Nothing was made.", problems)
    return Received(as_of, known, raw)


def _read_table(deliveries: Sequence[Delivery], schema: Schema, problems: list[Problem]) -> RawTable:
    """Read the files of one table, and add what is wrong with them to the problems."""
    parts: list[pa.Table] = []
    lines: list[np.ndarray[Any, Any]] = [np.array([], dtype="int32")]
    origin: list[tuple[int, Delivery, int]] = []
    for place, delivery in enumerate(deliveries):
        if schema.name not in delivery.files:
            continue
        try:
            rows, begins = delivery.take_rows(schema)
        except DeliveryError as error:
            problems += error.problems
            continue
        parts.append(rows)
        lines.append(begins)
        origin.append((place, delivery, len(rows)))
    table = _as_frame(schema, parts)
    numbers = [number for _, _, number in origin]
    names = pd.Index([delivery.name_of(schema.name) for _, delivery, _ in origin], dtype="str")
    repeated = np.repeat(np.arange(len(origin), dtype="int32"), numbers)
    days = pd.Series([delivery.received for _, delivery, _ in origin], dtype="datetime64[s]")
    places = pd.Series([place for place, _, _ in origin], dtype="int32")
    table = table.assign(
        **{
            RECEIVED: days.to_numpy()[repeated],
            DELIVERY: places.to_numpy()[repeated],
            FILE: pd.Categorical.from_codes(repeated, names) if len(names) else pd.Categorical([], names),
            LINE: np.concatenate(lines),
        }
    )
    return RawTable(table, tuple(place for place, _, _ in origin))


def _as_frame(schema: Schema, parts: Sequence[pa.Table]) -> pd.DataFrame:
    """Return the rows of several files in one frame."""
    if not parts:
        empty = pd.DataFrame({column: pd.Series(dtype="str") for column in schema.columns})
        return empty.astype(dict.fromkeys(schema.table.columns, "category"))
    frame: pd.DataFrame = pa.concat_tables(parts).unify_dictionaries().to_pandas(split_blocks=True)
    return frame
