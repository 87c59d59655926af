"""The clean tables as Parquet files, for DuckDB and other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from viputils.config.program import Column
from viputils.config.tables import DELIVERY, FILE, LINE, RECEIVED, VOIDS, Schema, schemas_of
from viputils.core.errors import ParameterError, Problem
from viputils.core.files import replaced_whole
from viputils.records.account import QUARANTINE_COLUMNS
from viputils.records.clean import Records
from viputils.records.crosswalks import crossed_columns, with_counted_names

# By this a folder that was written here is known again.
_OURS: Final = b"viputils"
_IGNORED: Final = ".gitignore"

_TEXT: Final = pa.string()
_NAMES: Final = pa.dictionary(pa.int32(), pa.string())
_TYPES: Final[Mapping[str, Any]] = {
    "date": pa.date32(),
    "category": _NAMES,
    "count": pa.int64(),
    "flag": pa.bool_(),
    "code": _TEXT,
    "text": _TEXT,
}
_ORIGIN: Final[Mapping[str, Any]] = {RECEIVED: pa.date32(), DELIVERY: pa.int32(), FILE: _NAMES, LINE: pa.int32()}


def write_parquet(records: Records, folder: Path) -> list[Path]:
    """Write the clean tables into a folder, one file each, whole or not at all.

    Besides the tables of the program there are ``voids``, ``ledger`` (the status of every row) and ``quarantine`` (the
    faults of each row). Dates are ``date32``, counts ``int64``, flags ``bool``, categories dictionary strings, ids and
    codes strings. A column that has a crosswalk is followed by its counted names (``counted_as``). The metadata of each
    file has the program and the as-of date. The same records give the same bytes.

    Returns
    -------
    list[Path]
        The files, the tables in the order of program.toml.

    Raises
    ------
    ParameterError
        If the folder contains other files.
    """
    folder = folder.resolve()
    _require_ours(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    written = []
    with replaced_whole(folder.parent, folder.name) as partial:
        for name, table in _tables(records):
            pq.write_table(table, partial / f"{name}.parquet", compression="zstd")
            written.append(folder / f"{name}.parquet")
        # Single records are not for a repository.
        (partial / _IGNORED).write_text("*\n", encoding="utf-8", newline="")
    return written


def _require_ours(folder: Path) -> None:
    """Raise ``ParameterError`` if a folder contains other files."""
    if folder.exists() and not folder.is_dir():
        raise ParameterError("The tables cannot be written.", [Problem(str(folder), "is a file;", "name a folder.")])
    others = [path.name for path in sorted(folder.iterdir()) if not _is_ours(path)] if folder.is_dir() else []
    if others:
        listed = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        problem = Problem(str(folder), f"contains other files: {listed};", "name a new folder.")
        raise ParameterError("The tables cannot be written.", [problem])


def _is_ours(path: Path) -> bool:
    try:
        if path.name == _IGNORED:
            return path.read_text(encoding="utf-8") == "*\n"
        return path.suffix == ".parquet" and _OURS in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False


def _tables(records: Records) -> Iterator[tuple[str, Any]]:
    schemas = {**schemas_of(records.program), VOIDS.name: VOIDS}
    every = {**records.tables, VOIDS.name: records.voids}
    for name, table in every.items():
        about = {"title": schemas[name].table.title, "account": table.account}
        rows = with_counted_names(records.program, name, table.rows, records.as_of)
        yield name, _arrow(records, rows, _fields(schemas[name], crossed_columns(records.program, name)), about)
    ledgers = [
        table.ledger.assign(
            table=name, file=table.ledger[FILE].astype("str"), status=table.ledger["status"].astype("str")
        )
        for name, table in every.items()
    ]
    names = {"table": _NAMES, FILE: _NAMES, LINE: pa.int32(), "id": _TEXT, "status": _NAMES}
    fields = [pa.field(name, kind) for name, kind in names.items()]
    about = {"title": "What became of every row that was read"}
    yield "ledger", _arrow(records, pd.concat(ledgers, ignore_index=True), fields, about)
    fields = [pa.field(name, pa.int32() if name == LINE else _TEXT) for name in QUARANTINE_COLUMNS]
    about = {"title": "What is wrong with the rows in quarantine"}
    yield "quarantine", _arrow(records, records.quarantine, fields, about)


def _fields(schema: Schema, crossed: Mapping[str, str]) -> list[Any]:
    columns: dict[str, Column | None] = {schema.table.id: None}
    for name, rule in schema.table.columns.items():
        columns |= {name: rule, **({crossed[name]: rule} if name in crossed else {})}
    fields = [pa.field(name, _TEXT if rule is None else _TYPES[rule.type]) for name, rule in columns.items()]
    return [*fields, *(pa.field(name, kind) for name, kind in _ORIGIN.items())]


def _arrow(records: Records, rows: pd.DataFrame, fields: list[Any], about: Mapping[str, Any]) -> Any:
    program = records.program
    says: dict[str, Any] = {
        "program": f"{program.identity.city}: {program.identity.name}",
        "as_of": records.as_of.isoformat(),
        **about,
    }
    if records.is_demonstration and program.demonstration is not None:
        says["demonstration"] = program.demonstration.statement.strip()
    schema = pa.schema(fields, metadata={_OURS: json.dumps(says, ensure_ascii=False)})
    columns = [pa.array(rows[field.name], from_pandas=True) for field in fields]
    arrays = [
        (one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one).cast(field.type)
        for one, field in zip(columns, fields, strict=True)
    ]
    return pa.table(arrays, schema=schema)
