"""Raw deliveries: finding and reading what had been received by an as-of date.

A delivery is a folder named for the day of receipt, ``data/raw/2023-12-04``, with one CSV file for each table
that came. A delivery is never edited: a correction is a later one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from viputils.errors import DeliveryError, ParameterError, Problem, nearest
from viputils.periods import ReportMonth, parse_date
from viputils.program import Program
from viputils.project import Project
from viputils.schemas import FILE, LINE, RECEIVED, VOIDS, Schema


@dataclass(frozen=True)
class Delivery:
    """What was received on one day: table name to CSV file."""

    received: dt.date
    files: dict[str, Path]


def find_deliveries(project: Project) -> list[Delivery]:
    """Find every delivery of a project, oldest first.

    Raises
    ------
    DeliveryError
        Where there is none, or where data/raw holds a folder or file that is no delivery: what is misnamed would
        otherwise go uncounted without a word.
    """
    problems: list[Problem] = []
    deliveries: list[Delivery] = []
    known = [*project.program.tables, VOIDS.name]
    try:
        folders = sorted(entry for entry in project.raw.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DeliveryError(
            "The raw deliveries cannot be read.",
            [
                Problem(
                    "data/raw",
                    f"{error.strerror or error}.",
                    "Deliveries lie there, one folder for each day of receipt.",
                )
            ],
        ) from None
    for folder in folders:
        if folder.is_file() and folder.suffix == ".md":
            continue
        name = project.relative(folder)
        try:
            received = parse_date(folder.name)
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
            else:
                problems.append(
                    Problem(
                        project.relative(entry),
                        "is no table of this program;",
                        nearest(entry.stem, known)
                        or f"a delivery holds: {', '.join(f'{table}.csv' for table in known)}.",
                    )
                )
        deliveries.append(Delivery(received, files))
    if not deliveries and not problems:
        problems.append(
            Problem("data/raw", "holds no delivery;", "a delivery is a folder such as data/raw/2023-12-04.")
        )
    if problems:
        raise DeliveryError("The raw deliveries are not as they must be.", problems)
    return deliveries


def default_as_of(deliveries: Sequence[Delivery], program: Program, month: ReportMonth) -> dt.date:
    """Give the as-of date of a month's own issue: the day on which its last table came in.

    That is the first day by which every table has been delivered after the month's end, so it never depends on
    the clock, nor on anything delivered later.

    Raises
    ------
    DeliveryError
        Where a table has not been delivered since the month ended.
    """
    return max(_first_received_after(deliveries, program, month, None).values())


def require_complete(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> None:
    """Refuse an as-of date on which the month was not over, or a table had not come in since it ended."""
    if as_of <= month.span.end:
        raise DeliveryError(
            f"{month.label} was not over on {as_of}.",
            [
                Problem(
                    "as-of date", f"{as_of} is not after {month.span.end};", "give a later date, or an earlier month."
                )
            ],
        )
    _first_received_after(deliveries, program, month, as_of)
    if program.identity.delivered == "monthly":
        _require_every_month(deliveries, program, month, as_of)


def _require_every_month(deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date) -> None:
    """Refuse a fiscal year to date in which a monthly delivery is missing: its counts would be too low."""
    starts = program.identity.fiscal_year_starts
    problems = []
    for earlier in month.fiscal_year(starts).months(until=month.plus(-1)):
        after, by = earlier.span.end, min(earlier.plus(1).span.end, as_of)
        if earlier.span.start < program.identity.records_from:
            continue
        came = {table for d in deliveries if after < d.received <= by for table in d.files}
        problems += [
            Problem(
                f"data/raw/{earlier.plus(1)}-…/{table}.csv",
                f"is missing: {table} was not delivered after {after} and by {by};",
                f"it holds {earlier.label}. Without rows it is a header; where deliveries come at other times, say so "
                "in program.delivered in program.toml.",
            )
            for table in program.tables
            if table not in came
        ]
    if problems:
        raise DeliveryError(f"A delivery within the fiscal year of {month} is missing. Nothing was made.", problems)


def _first_received_after(
    deliveries: Sequence[Delivery], program: Program, month: ReportMonth, as_of: dt.date | None
) -> dict[str, dt.date]:
    """Give, for each table, the first day after the month's end on which it was delivered."""
    first: dict[str, dt.date] = {}
    for delivery in deliveries:
        if delivery.received > month.span.end and (as_of is None or delivery.received <= as_of):
            for table in delivery.files:
                first.setdefault(table, delivery.received)
    missing = [table for table in program.tables if table not in first]
    if missing:
        by_when = f" and by {as_of}" if as_of else ""
        latest = {table: max((d.received for d in deliveries if table in d.files), default=None) for table in missing}
        newest = max((d.received for d in deliveries), default=None)
        summary = (
            f"The data for {month} is incomplete: {len(missing)} of {len(program.tables)} tables were not"
            if first
            else f"There is no data for {month} yet: no table was"
        )
        raise DeliveryError(
            f"{summary} delivered after {month.span.end}{by_when}. The newest delivery was received on {newest}.",
            [
                Problem(
                    f"data/raw/…/{table}.csv",
                    f"was last received on {latest[table]};" if latest[table] else "was never received;",
                    f"a delivery after {month.span.end} says what {month.label} holds, be it a header and no rows.",
                )
                for table in missing
            ],
        )
    return {table: first[table] for table in program.tables}


def read_table(project: Project, deliveries: Iterable[Delivery], schema: Schema, as_of: dt.date) -> pd.DataFrame:
    """Read the rows of one table from every delivery received by the as-of date, as text, in order of receipt.

    Returns
    -------
    DataFrame
        The schema's columns as they stand in the files, plus ``received``, ``file`` and ``line`` (the line on
        which the row begins; the header is line 1). One row for each row of each file.

    Raises
    ------
    DeliveryError
        With everything that is wrong with the form of any file.
    """
    problems: list[Problem] = []
    columns: dict[str, list[str]] = {column: [] for column in schema.columns}
    received: list[dt.date] = []
    files: list[str] = []
    lines: list[int] = []
    for delivery in deliveries:
        path = delivery.files.get(schema.name)
        if path is None or delivery.received > as_of:
            continue
        name = project.relative(path)
        try:
            header, rows, begins = _read_csv(path, name, schema)
        except DeliveryError as error:
            problems += error.problems
            continue
        for column, values in zip(header, zip(*rows, strict=True), strict=False):
            columns[column] += values
        received += [delivery.received] * len(rows)
        files += [name] * len(rows)
        lines += begins
    if problems:
        raise DeliveryError(f"The deliveries of {schema.name} cannot be read.", problems)
    table = pd.DataFrame({**columns, RECEIVED: received, FILE: files, LINE: lines})
    return table.astype({**dict.fromkeys([*columns, FILE], "str"), RECEIVED: "datetime64[s]", LINE: "int64"})


def _read_csv(path: Path, name: str, schema: Schema) -> tuple[list[str], list[list[str]], list[int]]:
    """Give the header of a CSV file, its rows, and the line on which each of these begins."""
    text = _read_text(path, name)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    begins = 1
    try:
        for row in reader:
            if rows and len(row) != len(rows[0]):
                what = f"holds {len(row)} fields where the header holds {len(rows[0])};" if row else "is blank;"
                problems.append(Problem(f"{name}, line {begins}", what, "one row has one value for each column."))
            rows.append(row)
            lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.append(
            Problem(f"{name}, line {begins}", f"is not CSV: {error};", "a quote inside a quoted value is doubled.")
        )
    if rows:
        problems = schema.header_problems(rows[0], f"{name}, line 1") + problems
    if problems:
        raise DeliveryError("", problems)
    return rows[0], rows[1:], lines[1:]


def _read_text(path: Path, name: str) -> str:
    """Give the text of a delivered file, or say why it cannot be taken as it is."""

    def refuse(what: str, remedy: str, line: int | None = None) -> DeliveryError:
        return DeliveryError("", [Problem(name if line is None else f"{name}, line {line}", what, remedy)])

    try:
        data = path.read_bytes()
    except OSError as error:
        raise refuse(f"{error.strerror or error}.", "Make the file readable.") from None
    if not data:
        raise refuse("is empty;", "a file without rows still has its header.")
    if data.startswith(b"\xef\xbb\xbf"):
        raise refuse("begins with a byte-order mark;", "save it as UTF-8 without one.")
    if b"\0" in data:
        raise refuse("is not UTF-8 text (UTF-16, or not text at all);", "export it as CSV in UTF-8.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(
            f"is not UTF-8: the byte 0x{data[error.start]:02x} stands where a letter should;",
            "save it as UTF-8 (it may be Windows-1252).",
            data.count(b"\n", 0, error.start) + 1,
        ) from None
    if not text.endswith(("\n", "\r")):
        raise refuse(
            "has no end of line: the file may have been cut off here;",
            "deliver the whole file, with an end of line after the last row.",
            len(text.splitlines()),
        )
    return text
