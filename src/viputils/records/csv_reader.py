"""One delivered CSV file: its rows as text, or everything that is wrong with its form.

Nearly every file is plain: no quote and no stray carriage return, so that a line is a row. Arrow reads such a file
many times faster than Python can, and is strict enough once the marks have been counted. Any other file, and any
that turns out to be wrong, is read by Python's own strict reader, which can say on which line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from viputils.config.tables import Schema
from viputils.core.errors import DeliveryError, Problem
from viputils.core.spreadsheet import original
from viputils.core.text import plural

# In characters: more than any spreadsheet takes, and where Python's own reader stops. What is longer is a quote that is
# never closed. Python's limit is one for all libraries, and some of them raise it.
LONGEST_VALUE: Final = 131_072

_BLOCK: Final = 1 << 21
_ROWS: Final = 50_000
# What mends nearly every file that is no CSV.
NEVER_CLOSED: Final = "look for a quote that is never closed; a quote inside a quoted value is doubled."


def read_csv(path: Path, name: str, schema: Schema) -> tuple[Any, Any]:
    """Read a file.

    Parameters
    ----------
    name
        What errors call it.

    Returns
    -------
    Table
        The schema's columns: the id as strings, the others as strings with a dictionary.
    ndarray
        The line on which each row begins, ``int32``; the header is line 1.

    Raises
    ------
    DeliveryError
        With everything that is wrong with the form of the file.
    """
    try:
        table = _read_if_plain(path, schema)
        if table is None and schema.optional:
            table = _read_if_plain(path, schema.without_optional)
            table = None if table is None else _with_optional(table, schema)
    except OSError as error:
        raise _refuse(name, f"{error.strerror or error}.", "Make the file readable.") from None
    if table is None:
        return _read_any(path, name, schema)
    return table, np.arange(2, len(table) + 2, dtype="int32")


def _read_if_plain(path: Path, schema: Schema) -> Any:
    rows = _rows_if_plain(path, schema)
    return _read_plain(path, schema, rows) if rows is not None else None


def _with_optional(table: Any, schema: Schema) -> Any:
    """Return a table with its optional columns, empty."""
    kinds = _types(schema)
    for column in schema.optional:
        table = table.append_column(column, _array([""] * len(table), kinds[column]))
    return table.select(list(kinds))


def _types(schema: Schema) -> dict[str, Any]:
    texts = pa.dictionary(pa.int32(), pa.string())
    return {schema.table.id: pa.large_string(), **dict.fromkeys(schema.table.columns, texts)}


def too_long(limit: int = LONGEST_VALUE) -> str:
    """Return the error for a value that is longer than a limit."""
    return f"holds a value of more than {limit} characters;"


def what_is_wrong(error: csv.Error) -> str:
    """Return the error of Python's reader in words."""
    return too_long(csv.field_size_limit()) if "field limit" in str(error) else f"is not CSV: {error};"


def _rows_if_plain(path: Path, schema: Schema) -> int | None:
    """Return the number of rows of a file in which each line is a row; otherwise none."""
    commas = lines = 0
    last = b""
    with path.open("rb") as file:
        header = file.readline().rstrip(b"\r\n")
        if sorted(header.split(b",")) != sorted(column.encode() for column in schema.columns):
            return None
        while block := file.read(_BLOCK):
            # A carriage return at the end of a block belongs to the line feed at the beginning of the next.
            if last == b"\r" and block[:1] != b"\n":
                return None
            last = block[-1:]
            if b'"' in block or b"\0" in block or b"'" in block:
                return None
            if b"\r" in block and block.count(b"\r") - (last == b"\r") != block.count(b"\r\n"):
                return None
            commas += block.count(b",")
            lines += block.count(b"\n")
    # Arrow refuses a line that is too long or too short, but takes a blank one for a row of nothing.
    plain = last in (b"", b"\n") and commas == lines * (len(schema.columns) - 1)
    return lines if plain else None


def _read_plain(path: Path, schema: Schema, rows: int) -> Any:
    """Read a file without quotes, or return none if Arrow finds an error."""
    try:
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=_types(schema), include_columns=schema.columns, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    # No value is longer than its file.
    is_short = path.stat().st_size <= LONGEST_VALUE or _longest(table) <= LONGEST_VALUE
    return table if len(table) == rows and is_short else None


def _longest(table: Any) -> int:
    """Return the bytes of the longest text in a table."""
    columns = (chunk for column in table.columns for chunk in column.chunks)
    texts = (chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk for chunk in columns)
    return max((pc.max(pc.binary_length(chunk)).as_py() or 0 for chunk in texts if len(chunk)), default=0)


def _read_any(path: Path, name: str, schema: Schema) -> tuple[Any, Any]:
    """Read any file, with every line that is wrong."""
    problems: list[Problem] = []
    tables: list[Any] = []
    lines: list[int] = []
    _require_text(path, name)
    kinds = _types(schema)
    header: list[str] = []
    with path.open(encoding="utf-8", newline="") as file:
        for rows, begins in _blocks(file, name, problems):
            if not header:
                header, rows, begins = rows[0], rows[1:], begins[1:]
                problems += schema.header_problems(header, f"{name}, line 1")
            good = [row if len(row) == len(header) else None for row in rows]
            for row, begin in zip(rows, begins, strict=True):
                if len(row) != len(header):
                    what = (
                        f"holds {plural(len(row), 'field')} where the header holds {len(header)};"
                        if row
                        else "is blank;"
                    )
                    problems.append(Problem(f"{name}, line {begin}", what, "one row has one value for each column."))
            if not problems:
                columns = dict(zip(header, zip(*good, strict=True), strict=True)) if good else {}
                nothing = [""] * len(good)
                tables.append(
                    pa.table({column: _array(columns.get(column, nothing), kind) for column, kind in kinds.items()})
                )
                lines += begins
    if problems:
        raise DeliveryError("", problems)
    return pa.concat_tables(tables), np.array(lines, dtype="int32")


def _array(texts: Iterable[str], kind: Any) -> Any:
    """Return texts as an Arrow array, without the marks that keep spreadsheets from computing."""
    plain = [original(text) for text in texts]
    if pa.types.is_dictionary(kind):
        return pa.array(plain, kind.value_type).dictionary_encode()
    return pa.array(plain, kind)


def _blocks(file: Any, name: str, problems: list[Problem]) -> Iterator[tuple[list[list[str]], list[int]]]:
    """Yield the rows, some at a time, with the line on which each begins."""
    reader = csv.reader(file, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    try:
        for row in reader:
            if max(map(len, row), default=0) > LONGEST_VALUE:
                problems.append(Problem(f"{name}, line {begins}", too_long(), NEVER_CLOSED))
            rows.append(row)
            lines.append(begins)
            begins = reader.line_num + 1
            if len(rows) == _ROWS:
                yield rows, lines
                rows, lines = [], []
    except csv.Error as error:
        problems.append(Problem(f"{name}, line {begins}", what_is_wrong(error), NEVER_CLOSED))
    if rows:
        yield rows, lines


def _require_text(path: Path, name: str) -> None:
    """Raise ``DeliveryError`` for an empty file, another encoding, or a file that was cut off."""
    before, line, last = b"", 1, b""
    with path.open("rb") as file:
        first = file.read(3)
        if not first:
            raise _refuse(name, "is empty;", "a file without rows still has its header.")
        if first == b"\xef\xbb\xbf":
            raise _refuse(name, "begins with a byte-order mark;", "save it as UTF-8 without one.")
        file.seek(0)
        while block := file.read(_BLOCK):
            if b"\0" in block:
                raise _refuse(name, "is not UTF-8 text (UTF-16, or not text at all);", "export it as CSV in UTF-8.")
            data = before + block
            try:
                data.decode("utf-8")
                before = b""
            except UnicodeDecodeError as error:
                # A letter may have been cut in two at the end of the block.
                if error.end < len(data) or len(data) - error.start > 3 or not (before := data[error.start :]):
                    raise _not_utf8(name, data, error.start, line) from None
                data = data[: error.start]
            line += data.count(b"\n")
            last = block[-1:]
    if before:
        raise _not_utf8(name, before, 0, line)
    if last not in (b"\n", b"\r"):
        raise _refuse(
            f"{name}, line {line}",
            "has no end of line: the file may have been cut off here;",
            "deliver the whole file, with an end of line after the last row.",
        )


def _not_utf8(name: str, data: bytes, at: int, line: int) -> DeliveryError:
    line += data.count(b"\n", 0, at)
    return _refuse(
        f"{name}, line {line}",
        f"is not UTF-8: the byte 0x{data[at]:02x} stands where a letter should;",
        "save it as UTF-8 (it may be Windows-1252).",
    )


def _refuse(where: str, what: str, remedy: str) -> DeliveryError:
    return DeliveryError("", [Problem(where, what, remedy)])
