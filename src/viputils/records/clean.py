"""From delivered rows to clean tables: each row is kept, superseded, a duplicate or in quarantine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pandas as pd

from viputils.config.program import Program
from viputils.config.project import Project
from viputils.config.tables import DELIVERY, FILE, LINE, ORIGIN, RECEIVED, VOIDS, Schema, schemas_of
from viputils.core.errors import ParameterError, Problem, QuarantineError
from viputils.records.account import KEPT, QUARANTINED, STATUSES, SUPERSEDED, CleanTable, no_quarantine, require_balance
from viputils.records.deliveries import RawTable, Received, find_deliveries, read_received
from viputils.records.demonstration import demonstration_count, require_one_kind
from viputils.records.faults import alike_faults, lifetime_faults, quarantine_of, table_faults, void_faults
from viputils.records.spelling import Alike, all_alike, with_one_spelling
from viputils.records.values import ColumnReading, Fault, Reading, read_column, read_ids, type_of
from viputils.records.versions import versions_of, withdrawn_by, withdrawn_lines


@dataclass(frozen=True)
class Records:
    """The clean tables of one project as of one day."""

    program: Program
    received: Received
    tables: Mapping[str, CleanTable]
    voids: CleanTable

    @property
    def as_of(self) -> dt.date:
        """The as-of date: everything here was received by then."""
        return self.received.as_of

    @property
    def account(self) -> pd.DataFrame:
        """The number of rows read, kept, superseded, duplicate and quarantined; one row for each table."""
        every = {**self.tables, VOIDS.name: self.voids}
        return pd.DataFrame(
            [
                {"table": name, **table.account}
                for name, table in every.items()
                if name in self.tables or len(table.ledger)
            ]
        )

    @property
    def quarantine(self) -> pd.DataFrame:
        """Every fault of every quarantined row, in the order of the tables, files and lines."""
        return pd.concat([table.quarantine for table in (*self.tables.values(), self.voids)], ignore_index=True)

    @property
    def is_demonstration(self) -> bool:
        """Whether these are sample data."""
        return demonstration_count(self.program, self.tables) > 0

    def require_no_quarantine(self) -> None:
        """Raise ``QuarantineError`` with each fault and its remedy if rows are in quarantine."""
        rows = self.quarantine
        if rows.empty:
            return
        number = rows[["table", "file", "line"]].drop_duplicates().shape[0]
        raise QuarantineError(
            f"{number} {'row is' if number == 1 else 'rows are'} in quarantine and would not be counted. Deliver the "
            f"corrected rows with the same ids, or use --allow-quarantined to go on without them.",
            [
                Problem(f"{row.file}, line {row.line}, {row.field}", f"{row.value!r} [{row.reason}]:", str(row.remedy))
                for row in rows.itertuples()
            ],
        )


class HasRecords(Protocol):
    """Anything that has records, such as the tables of ``workbench.load``."""

    @property
    def records(self) -> Records:
        """The records."""
        ...


def records_of(given: Records | HasRecords) -> Records:
    """Return records, or those of tables."""
    return given if isinstance(given, Records) else given.records


def load_records(project: Project, as_of: dt.date | None = None) -> Records:
    """Read and clean everything that was received by the as-of date.

    Parameters
    ----------
    as_of
        By default the day of the newest delivery.

    Raises
    ------
    ParameterError
        If nothing was received by then.
    DeliveryError
        If there is no delivery, or a delivered file is malformed.
    """
    deliveries = find_deliveries(project)
    if as_of is not None and (first := deliveries[0].received) > as_of:
        problem = Problem("as_of", f"nothing had been received by {as_of};", f"the first delivery came on {first}.")
        raise ParameterError("There is nothing to load.", [problem])
    received = read_received(project, deliveries, deliveries[-1].received if as_of is None else as_of)
    return clean_records(project.program, received)


def clean_records(program: Program, received: Received) -> Records:
    """Clean everything that was received.

    Raises
    ------
    DeliveryError
        If sample data and real records are in the same deliveries.
    """
    received = with_one_spelling(program, received)
    raw = received.tables
    schemas = {name: schema for name, schema in schemas_of(program).items() if name in raw}
    check = partial(void_faults, tables=raw, schemas=schemas)
    voids = clean_table(program, VOIDS, raw[VOIDS.name], extra_checks=check)
    tables = {name: clean_table(program, schema, raw[name], voids.rows) for name, schema in schemas.items()}
    if alike := all_alike(program, tables):
        tables |= {
            name: clean_table(program, schema, raw[name], voids.rows, alike=alike)
            for name, schema in schemas.items()
            if not alike.keys().isdisjoint(schema.codes)
        }
    require_one_kind(program, tables)
    return Records(program, received, tables, voids)


def clean_table(
    program: Program,
    schema: Schema,
    raw: RawTable,
    voids: pd.DataFrame | None = None,
    extra_checks: Callable[[pd.DataFrame], list[Fault]] | None = None,
    alike: Alike | None = None,
) -> CleanTable:
    """Clean one table.

    For each id, the latest row wins and earlier rows are superseded. A row that repeats the one before it is a
    duplicate. A void withdraws the rows received up to then. A snapshot supersedes every earlier row. Only the rows
    that remain are checked value by value, so a later delivery can correct a faulty row.

    Parameters
    ----------
    voids
        The clean rows of the voids.
    extra_checks
        Finds more faults in the typed rows.
    alike
        Codes that look like another one: their rows go into quarantine.

    Raises
    ------
    BalanceError
        If rows in and rows out differ, which would be a fault of this software.
    """
    given = raw.rows
    if given.empty:
        return _without_rows(program, schema, given)
    ids, columns = _readings(program, schema, raw)
    typed = _typed(schema, given, ids, columns)
    gone = withdrawn_lines(given, schema.name, typed if schema is VOIDS else voids)
    status, conflicting = versions_of(schema, ids.value, raw, columns, withdrawn_by(schema.name, voids), gone)
    current = status.eq(KEPT)
    faults = [
        *ids.faults,
        Fault(schema.table.id, "conflicting_rows", conflicting, "rows of one delivery differ; deliver the right one."),
        *(fault for column in columns.values() for fault in column.faults),
        *lifetime_faults(program, schema, typed),
        *table_faults(program, schema, typed),
        *alike_faults(program, schema, typed, current, alike or {}),
        *(extra_checks(typed) if extra_checks else []),
    ]
    faults = [fault for fault in faults if fault.wrong.any()]
    for fault in faults:
        status = status.mask(current & fault.wrong, QUARANTINED)
    if schema is VOIDS:
        # A faulty void is corrected by a void with the same id in a later delivery.
        newest = given[DELIVERY].groupby(ids.value).transform("max")
        status = status.mask(status.eq(QUARANTINED) & given[DELIVERY].lt(newest), SUPERSEDED)
    ledger = given[[FILE, LINE]].assign(id=ids.value, status=status)
    quarantine = quarantine_of(schema, given, faults, status.eq(QUARANTINED))
    kept = status.eq(KEPT)
    rows = typed if kept.all() else typed.loc[kept].reset_index(drop=True)
    table = CleanTable(schema.name, rows, ledger, quarantine)
    require_balance(table)
    return table


def first_doubt(program: Program, received: Received) -> dt.date | None:
    """Return the first day of receipt of a row that could be in quarantine on any day; none if there is no such row.

    Whether a value can be read does not depend on the day; only the row that counts does. So nothing is in quarantine
    on an earlier day, and this is known without cleaning everything again.
    """
    raw, schemas = with_one_spelling(program, received).tables, schemas_of(program)
    check = partial(void_faults, tables=raw, schemas=schemas)
    voids = clean_table(program, VOIDS, raw[VOIDS.name], extra_checks=check)
    every_table = {}
    days = list(raw[VOIDS.name].rows.loc[voids.ledger["status"].ne(KEPT), RECEIVED])
    for name, schema in schemas.items():
        # If every row counts, the faults of every row are found.
        every = Schema(name, schema.table.model_copy(update={"one_row_per_id": False, "delivery": "incremental"}))
        every_table[name] = table = clean_table(program, every, raw[name])
        days += list(raw[name].rows.loc[table.ledger["status"].eq(QUARANTINED), RECEIVED])
        if schema.table.one_row_per_id:
            different = table.rows.drop_duplicates([*schema.columns, DELIVERY])
            days += list(different.loc[different.duplicated([schema.table.id, DELIVERY], keep=False), RECEIVED])
    alike = all_alike(program, every_table)
    for name, table in every_table.items():
        for column in schemas[name].codes:
            days += list(table.rows.loc[table.rows[column].isin(alike.get(column, {})), RECEIVED])
    return min(days).date() if days else None


def typed_rows(program: Program, schema: Schema, raw: RawTable) -> pd.DataFrame:
    """Return every row, whatever its status, with the types of ``CleanTable.rows`` and the index of the raw rows.

    A value that cannot be read is missing. Use this to look at rows that were not counted, never to count.
    """
    return _typed(schema, raw.rows, *_readings(program, schema, raw))


def _without_rows(program: Program, schema: Schema, given: pd.DataFrame) -> CleanTable:
    """Return a clean table without rows.

    Most tables of a small delivery are empty, and cleaning no row would take as long as cleaning a thousand.
    """
    ids = given[schema.table.id]
    columns = {
        name: pd.Series(dtype=type_of(program, rule), index=given.index) for name, rule in schema.table.columns.items()
    }
    rows = pd.DataFrame({schema.table.id: ids, **columns, **{name: given[name] for name in ORIGIN}})
    status = pd.Series(pd.Categorical([], list(STATUSES)), index=given.index)
    return CleanTable(schema.name, rows, given[[FILE, LINE]].assign(id=ids, status=status), no_quarantine())


def _readings(program: Program, schema: Schema, raw: RawTable) -> tuple[Reading, dict[str, ColumnReading]]:
    given = raw.rows
    columns = {
        name: read_column(program, name, rule, given[name].astype("category"), raw.texts)
        for name, rule in schema.table.columns.items()
    }
    return read_ids(program, schema.table.id, given[schema.table.id]), columns


def _typed(schema: Schema, given: pd.DataFrame, ids: Reading, columns: Mapping[str, ColumnReading]) -> pd.DataFrame:
    typed = {schema.table.id: ids.value, **{name: column.value for name, column in columns.items()}}
    return pd.DataFrame({**typed, **{name: given[name] for name in ORIGIN}})
