"""Raw deliveries: finding and reading what had been received by an as-of date.

A delivery is a folder named for the day of receipt, ``data/raw/2023-12-04``, with one CSV file for each table
that came; the second of a day is ``2023-12-04-2``. A delivery is never edited: a correction is a later one.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from viputils.config.program import Program, Table
from viputils.config.project import Project
from viputils.config.tables import DELIVERY, FILE, LINE, RECEIVED, VOIDS, Schema, schemas_of
from viputils.core.errors import DeliveryError, ParameterError, Problem, nearest
from viputils.core.months import ReportMonth, parse_date
from viputils.core.spreadsheet import original
from viputils.records.checksums import CHECKSUMS, checksum_problems
from viputils.records.csv_reader import read_csv
from viputils.records.remote.fetch import deliveries_folder
from viputils.records.values import Texts

# What intake writes beside the tables: the last day that each covers, and where each row was in the file that came.
COVERAGE: Final = "coverage.csv"
ORIGINS: Final = "origins.csv"

# Before any day.
NO_DAY: Final = "0000-00-00"

_FOLDER: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:-([2-9]|[1-9][0-9]))?")


@dataclass(frozen=True)
class Delivery:
    """What was received at one time.

    Attributes
    ----------
    received
        The day of receipt.
    number
        1 for the first delivery of the day, 2 for the next.
    folder
        The folder it lies in.
    name
        What messages and tables call the folder.
    files
        Table name to CSV file.
    covers
        Table name to the last day that its file covers: nothing is known of later days. Of a table without such a day
        its rows decide.
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
        """Every file in its folder, its checksums included; hidden ones are nobody's."""
        return sorted(path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith("."))

    @property
    def counted_from(self) -> dict[str, Path]:
        """Every file of it that figures depend on, by its name: the tables, and which days they cover."""
        files = {self.name_of(table): self.files[table] for table in sorted(self.files)}
        coverage = self.folder / COVERAGE
        return files | ({f"{self.name}/{COVERAGE}": coverage} if coverage.is_file() else {})

    def name_of(self, table: str) -> str:
        """Name the file of a table the same way on every machine."""
        return f"{self.name}/{self.files[table].name}"

    def newest_day(self, table: str, rule: Table) -> str:
        """Return the newest day by its receipt in its file of a table: ``NO_DAY`` if no row has one.

        It is empty if the file has no row, or is not in form.
        """
        if table not in self._newest:
            schema = Schema(table, rule)
            try:
                read = self.take_rows(schema)
            except DeliveryError:
                return ""  # What is wrong with the file is reported where it is read.
            self._rows[table] = schema, read
            rows, _ = read
            days = [day.strip() for day in rows[rule.date].unique().to_pylist()]
            self._newest[table] = self.newest_of(days) if days else ""
        return self._newest[table]

    def take_rows(self, schema: Schema) -> tuple[Any, Any]:
        """Return the rows of its file of a table and their lines, as ``read_csv``; they are not kept here."""
        known, rows = self._rows.pop(schema.name, (None, None))
        if rows is not None and known == schema:
            return rows
        return read_csv(self.files[schema.name], self.name_of(schema.name), schema)

    def newest_of(self, days: Iterable[str]) -> str:
        """Return the newest of some days by its receipt; ``NO_DAY`` if there is none.

        A day that cannot be read, or has not come by the day of receipt, says nothing about what a file covers.
        """
        return max((day for day in days if _is_day(day) and day <= self.received.isoformat()), default=NO_DAY)


@dataclass(frozen=True)
class RawTable:
    """The rows of one table as they stand in the files, in order of receipt.

    Attributes
    ----------
    rows
        The schema's columns as text (the id as ``str``, the others as ``category``), plus ``received``,
        ``delivery`` (the delivery's place in order of receipt), ``file`` and ``line`` (the line on which the row
        begins; the header is line 1). One row for each row of each file.
    delivered
        The places of the deliveries that held a file of this table, be it without a row.
    texts
        What texts of it were read as; what was received by an earlier day shares them.
    """

    rows: pd.DataFrame
    delivered: tuple[int, ...]
    texts: Texts = field(default_factory=Texts, compare=False, repr=False)


@dataclass(frozen=True)
class Received:
    """Everything that had been received by a day."""

    as_of: dt.date
    deliveries: tuple[Delivery, ...]
    tables: Mapping[str, RawTable]

    def by(self, as_of: dt.date, tables: Sequence[str] | None = None) -> Received:
        """Return what of it had been received by an earlier day; only of some tables and the voids where so asked."""
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
    """Return whether anything at all lies in data/raw that could be a delivery."""
    folder = deliveries_folder(project)
    return folder.is_dir() and any(
        entry.suffix != ".md" and not entry.name.startswith(".") for entry in folder.iterdir()
    )


def find_deliveries(project: Project) -> list[Delivery]:
    """Find every delivery of a project, oldest first.

    Raises
    ------
    DeliveryError
        If there is none, or where data/raw holds a folder or file that is no delivery: what is misnamed would
        otherwise go uncounted without a word.
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
                    "Deliveries lie there, one folder for each day of receipt.",
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
                        "is no table of this program;",
                        nearest(entry.stem, known)
                        or f"a delivery holds: {', '.join(f'{table}.csv' for table in known)}.",
                    )
                )
        covers = _read_coverage(folder / COVERAGE, f"{name}/{COVERAGE}", problems)
        deliveries.append(Delivery(received, number, folder, name, files, covers))
    if not deliveries and not problems:
        problems.append(
            Problem("data/raw", "holds no delivery;", "a delivery is a folder such as data/raw/2023-12-04.")
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
    """Read the last day that each table of a delivery covers."""
    covers: dict[str, dt.date] = {}
    if not path.is_file():
        return covers
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        for table, day in rows[1:]:
            covers[table] = parse_date(day, name)
    except (OSError, ValueError, csv.Error, ParameterError) as error:
        problems.append(Problem(name, f"is not as intake writes it: {error};", "take it from a copy of the project."))
    return covers


def write_coverage(folder: Path, covers: Mapping[str, dt.date]) -> None:
    """Write the last day that each table of a delivery covers."""
    lines = ["table,covers_until", *(f"{table},{day}" for table, day in covers.items())]
    (folder / COVERAGE).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def where_sent(deliveries: Sequence[Delivery], rows: pd.DataFrame) -> pd.DataFrame:
    """Return for some rows of deliveries the file, sheet and row that they had in what was sent, if that is known.

    Parameters
    ----------
    rows
        With ``file``, ``table`` and ``line``.

    Returns
    -------
    DataFrame
        ``sent_file``, ``sent_sheet`` and ``sent_row`` as text, under the same index.
    """
    runs = {one.name: _read_origins(one) for one in deliveries if rows[FILE].str.startswith(f"{one.name}/").any()}
    found = []
    for file, table, line in zip(rows[FILE], rows["table"], rows[LINE], strict=True):
        first = [
            (run["file"], run["sheet"], str(int(run["row"]) + int(line) - int(run["line"])))
            for run in runs.get(file.rpartition("/")[0], [])
            if run["table"] == table and 0 <= int(line) - int(run["line"]) < int(run["rows"])
        ]
        found.append(first[0] if first else ("", "", ""))
    return pd.DataFrame(found, index=rows.index, columns=["sent_file", "sent_sheet", "sent_row"], dtype="str")


def _read_origins(delivery: Delivery) -> list[dict[str, str]]:
    path = delivery.folder / ORIGINS
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: original(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _received_on(folder: str) -> tuple[dt.date, int]:
    """Return the day of receipt that a folder is named for, and which delivery of that day it holds."""
    found = _FOLDER.fullmatch(folder)
    return parse_date(found[1] if found else folder), int(found[2] or 1) if found else 1


def default_as_of(deliveries: Sequence[Delivery], program: Program, month: ReportMonth) -> dt.date:
    """Return the as-of date of a month's own issue: the day on which its last table came in.

    That is the first day by which every table has been delivered after the month's end, so it never depends on
    the clock, nor on anything delivered later.

    Raises
    ------
    DeliveryError
        If a table has not been delivered since the month ended.
    """
    return max(_first_received_after(deliveries, program, month, None).values())


def require_over(month: ReportMonth, as_of: dt.date) -> None:
    """Refuse an as-of date on which the month was not over.

    Raises
    ------
    DeliveryError
        With the last day of the month.
    """
    if as_of <= month.span.end:
        raise DeliveryError(
            f"{month.label} was not over on {as_of}.",
            [
                Problem(
                    "as-of date", f"{as_of} is not after {month.span.end};", "give a later date, or an earlier month."
                )
            ],
        )


def require_complete(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> None:
    """Refuse an as-of date on which the month was not over, or a table had not come in since it ended."""
    require_over(month, as_of)
    _first_received_after(deliveries, program, month, as_of)
    if program.identity.delivered == "monthly":
        _require_every_month(deliveries, program, month, as_of)


def _require_every_month(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> None:
    """Refuse a fiscal year to date in which a monthly delivery is missing: its counts would be too low."""
    earlier = month.fiscal_year(program.identity.fiscal_year_starts).months(until=month.plus(-1))
    problems = missing_deliveries(deliveries, program, earlier, as_of)
    if problems:
        raise DeliveryError(f"A delivery within the fiscal year of {month} is missing. Nothing was made.", problems)


def missing_deliveries(
    deliveries: Sequence[Delivery], program: Program, months: Iterable[ReportMonth], as_of: dt.date
) -> list[Problem]:
    """Return of which months a table was not delivered by the end of the next one.

    A snapshot stands for the whole table, so the newest one lacks nothing.
    """
    return [
        Problem(
            f"data/raw/{month.plus(1)}-…/{table}.csv",
            f"is missing: {table} was not delivered after {month.span.end} and by {_due(month, as_of)};",
            f"it holds {month.label}. Without rows it is a header; where deliveries come at other times, say so "
            "in program.delivered in program.toml.",
        )
        for month in months
        for table in missing_tables(deliveries, program, month, as_of)
    ]


def missing_tables(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> list[str]:
    """Name the tables of a month that were not delivered by the end of the next one; see ``missing_deliveries``."""
    if month.span.start < program.identity.records_from:
        return []
    in_time = _received_between(deliveries, month.span.end, _due(month, as_of))
    came = {table for delivery in in_time for table in _brought(delivery, program, month)}
    return [name for name, rule in program.tables.items() if name not in came and rule.delivery == "incremental"]


def _due(month: ReportMonth, as_of: dt.date) -> dt.date:
    return min(month.plus(1).span.end, as_of)


def _received_between(deliveries: Sequence[Delivery], after: dt.date, by: dt.date | None) -> Sequence[Delivery]:
    """Return those of some deliveries, in order of receipt, that came after one day and by another."""
    day = attrgetter("received")
    end = len(deliveries) if by is None else bisect_right(deliveries, by, key=day)
    return deliveries[bisect_right(deliveries, after, key=day) : end]


def received_after(
    deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date | None = None
) -> dict[str, dt.date]:
    """Give, for each table that came after a month's end, the first day on which it did."""
    first: dict[str, dt.date] = {}
    for delivery in _received_between(deliveries, month.span.end, as_of):
        if not first.keys() >= delivery.files.keys():
            for table in _brought(delivery, program, month):
                first.setdefault(table, delivery.received)
    return {table: first[table] for table in (*program.tables, VOIDS.name) if table in first}


def _first_received_after(
    deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date | None
) -> dict[str, dt.date]:
    """Give, for each table, the first day after the month's end on which it was delivered; refuse if one was not."""
    first = received_after(deliveries, program, month, as_of)
    missing = [table for table in program.tables if table not in first]
    if missing:
        by_when = f" and by {as_of}" if as_of else ""
        known = [delivery for delivery in deliveries if as_of is None or delivery.received <= as_of]
        latest = {table: max((d.received for d in known if table in d.files), default=None) for table in missing}
        newest = max((d.received for d in deliveries), default=None)
        verb = "was" if len(missing) == 1 else "were"
        summary = (
            f"The data for {month} is incomplete: {len(missing)} of {len(program.tables)} tables {verb} not"
            if first
            else f"There is no data for {month} yet: no table was"
        )
        raise DeliveryError(
            f"{summary} delivered after {month.span.end}{by_when}. The newest delivery was received on {newest}.",
            [
                Problem(
                    f"data/raw/…/{table}.csv",
                    f"was last received on {latest[table]}{_until(known, table)};"
                    if latest[table]
                    else "was never received;",
                    f"a delivery after {month.span.end} covers {month.label}, even if it is a header without rows. One "
                    "with only rows of earlier months is a correction, unless `vip intake --covers-until` says that "
                    "nothing happened since.",
                )
                for table in missing
            ],
        )
    return {table: first[table] for table in program.tables}


def _until(deliveries: Sequence[Delivery], table: str) -> str:
    """Return the last day that a table covers, in words, if it was declared."""
    days = [delivery.covers[table] for delivery in deliveries if table in delivery.covers]
    return f", and covers the days until {max(days)}" if days else ""


def _brought(delivery: Delivery, program: Program, month: ReportMonth) -> list[str]:
    """Name the tables that a delivery from after a month's end brings for the month.

    A table covers the days until the one that was declared at intake. If none was, the rows of the delivery tell: one
    with nothing but rows of earlier months is a correction, or an old snapshot. Taken for the month's own, it would
    let the month look complete with nothing in it.
    """
    declared = {name: day for name, day in delivery.covers.items() if name in delivery.files}
    others = (delivery.files.keys() & program.tables.keys()) - declared.keys()
    days = [delivery.newest_day(name, program.tables[name]) for name in others]
    by_rows = any(not newest or newest >= f"{month}-01" for newest in days)
    by_day = {name for name, day in declared.items() if day >= month.span.end}
    return [name for name in delivery.files if name in by_day or (name not in declared and (by_rows or bool(by_day)))]


def read_received(
    project: Project, deliveries: Sequence[Delivery], as_of: dt.date, tables: Sequence[str] | None = None
) -> Received:
    """Read everything that had been received by the as-of date, as text.

    Parameters
    ----------
    deliveries
        In order of receipt, as ``find_deliveries`` gives them.
    tables
        Only these tables, and the voids; by default all.

    Raises
    ------
    DeliveryError
        With everything that is wrong with the form of any file, and every file that is not what its delivery's
        checksums say.
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
    """Read the files of one table; what is wrong with any of them is added to the problems."""
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
    """Put the rows of several files into one frame."""
    if not parts:
        empty = pd.DataFrame({column: pd.Series(dtype="str") for column in schema.columns})
        return empty.astype(dict.fromkeys(schema.table.columns, "category"))
    frame: pd.DataFrame = pa.concat_tables(parts).unify_dictionaries().to_pandas(split_blocks=True)
    return frame
