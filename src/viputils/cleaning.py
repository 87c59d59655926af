"""From rows as delivered to clean tables. Every row in is a row out: kept, superseded, duplicate or quarantined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from viputils.deliveries import default_as_of, find_deliveries, read_table, require_complete
from viputils.errors import BalanceError, DeliveryError, Problem, QuarantineError
from viputils.periods import ReportMonth
from viputils.program import Program
from viputils.project import Project
from viputils.schemas import FILE, LINE, ORIGIN, RECEIVED, VOIDS, Schema, schemas_of
from viputils.values import Fault, Reading, read_ids, read_texts

KEPT: Final = "kept"
SUPERSEDED: Final = "superseded"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"
STATUSES: Final = (KEPT, SUPERSEDED, DUPLICATE, QUARANTINED)

QUARANTINE_COLUMNS: Final = ("table", "file", "line", "id", "field", "reason", "value", "remedy")


@dataclass(frozen=True)
class CleanTable:
    """One table after cleaning.

    Attributes
    ----------
    rows
        The rows kept: dates as ``datetime64[s]``, categories as ordered ``category`` in printed order, counts as
        ``Int64``, flags as ``boolean``, codes and ids as ``str``; plus ``received``, ``file`` and ``line``.
    ledger
        One row for each row read: ``file``, ``line``, ``id`` and its ``status``.
    quarantine
        One row for each thing that is wrong with a quarantined row, with its reason code and what would mend it.
    """

    name: str
    rows: pd.DataFrame
    ledger: pd.DataFrame
    quarantine: pd.DataFrame

    @property
    def account(self) -> dict[str, int]:
        """How many rows were read, and what became of them."""
        counts = self.ledger["status"].value_counts()
        return {"read": len(self.ledger), **{status: int(counts.get(status, 0)) for status in STATUSES}}


@dataclass(frozen=True)
class Records:
    """The clean tables of one project as of one day, for the issue of one month."""

    program: Program
    month: ReportMonth
    as_of: dt.date
    tables: Mapping[str, CleanTable]
    voids: CleanTable

    @property
    def account(self) -> pd.DataFrame:
        """Rows read, kept, superseded, duplicate and quarantined; one row for each table."""
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
        """Everything that is wrong with any quarantined row, in the order of the tables, files and lines."""
        return pd.concat([table.quarantine for table in (*self.tables.values(), self.voids)], ignore_index=True)

    @property
    def is_demonstration(self) -> bool:
        """Whether these are demonstration records."""
        return _demonstration_count(self.program, self.tables) > 0

    def require_no_quarantine(self) -> None:
        """Refuse to go on while rows are in quarantine.

        Raises
        ------
        QuarantineError
            With every row that would be left out, and what would mend it.
        """
        rows = self.quarantine
        if rows.empty:
            return
        number = rows[["table", "file", "line"]].drop_duplicates().shape[0]
        raise QuarantineError(
            f"{number} {'row is' if number == 1 else 'rows are'} in quarantine and would not be counted. Deliver the "
            f"corrected rows with the same ids, or say --allow-quarantined to go on without them.",
            [
                Problem(f"{row.file}, line {row.line}, {row.field}", f"{row.value!r} [{row.reason}]:", str(row.remedy))
                for row in rows.itertuples()
            ],
        )


def load_records(project: Project, month: ReportMonth | str, as_of: dt.date | None = None) -> Records:
    """Read and clean everything that had been received by the as-of date, for the issue of a month.

    Parameters
    ----------
    month
        The month of the issue, or ``YYYY-MM``.
    as_of
        Only what was received by this day counts. By default the day on which the month's last table came in.

    Raises
    ------
    ParameterError
        Where the month is none.
    DeliveryError
        Where the month has no data, or lies outside what the records cover; where a delivered file is not in form.
    """
    month = ReportMonth.parse(month) if isinstance(month, str) else month
    program = project.program
    _require_covered(program, month)
    deliveries = find_deliveries(project)
    if as_of is None:
        as_of = default_as_of(deliveries, program, month)
    require_complete(deliveries, program, month, as_of)
    raw: dict[str, pd.DataFrame] = {}
    problems: list[Problem] = []
    for schema in (*schemas_of(program).values(), VOIDS):
        try:
            raw[schema.name] = read_table(project, deliveries, schema, as_of)
        except DeliveryError as error:
            problems += error.problems
    if problems:
        raise DeliveryError("Delivered files are not as they must be. Nothing was made.", problems)
    return clean_records(program, month, as_of, raw)


def clean_records(program: Program, month: ReportMonth, as_of: dt.date, raw: Mapping[str, pd.DataFrame]) -> Records:
    """Clean rows as ``read_table`` gives them, one frame for each table and one for ``voids``."""
    schemas = schemas_of(program)
    known = {name: set(raw[name][schema.table.id].str.strip()) for name, schema in schemas.items()}
    voids = clean_table(program, VOIDS, raw[VOIDS.name], extra_checks=lambda rows: _void_faults(rows, known))
    tables = {name: clean_table(program, schema, raw[name], voids.rows) for name, schema in schemas.items()}
    records = Records(program, month, as_of, tables, voids)
    demonstration = _demonstration_count(program, tables)
    total = sum(len(table.rows) for table in tables.values())
    if demonstration not in (0, total) and program.demonstration is not None:
        raise DeliveryError(
            "Demonstration records and real ones lie in the same deliveries.",
            [
                Problem(
                    "data/raw",
                    f"{demonstration} of {total} ids begin with '{program.demonstration.id_prefix}';",
                    "take the demonstration deliveries away before real ones are counted.",
                )
            ],
        )
    return records


def clean_table(
    program: Program,
    schema: Schema,
    raw: pd.DataFrame,
    voids: pd.DataFrame | None = None,
    extra_checks: Callable[[pd.DataFrame], list[Fault]] | None = None,
) -> CleanTable:
    """Clean one table.

    Of the rows with one id the one received last stands, and earlier ones are superseded; a row that repeats the
    one before it is a duplicate; a void withdraws what was received up to its day. Only then are the rows that
    stand checked value by value, so that a later delivery can mend a row that was wrong.

    Raises
    ------
    BalanceError
        Where rows in and rows out differ, which would be a fault of this software.
    """
    ids = read_ids(schema.table.id, raw[schema.table.id])
    columns = {name: _read_column(program, schema, name, raw) for name in schema.table.columns}
    columns = {name: _crosswalked(program, schema, name, columns) for name in columns}
    content = pd.DataFrame({name: column.key for name, column in columns.items()}, index=raw.index)
    status, conflicting = _versions(ids.value, raw[RECEIVED], content, _withdrawn_on(schema.name, voids))

    typed = pd.DataFrame({schema.table.id: ids.value, **{name: column.value for name, column in columns.items()}})
    typed = typed.assign(**{name: raw[name] for name in ORIGIN})
    faults = [
        *ids.faults,
        Fault(schema.table.id, "conflicting_rows", conflicting, "rows of one delivery differ; deliver the right one."),
        *(fault for column in columns.values() for fault in column.faults),
        *_table_faults(program, schema, typed),
        *_case_faults(schema, typed, status.eq(KEPT)),
        *(extra_checks(typed) if extra_checks else []),
    ]
    wrong = pd.Series(False, index=raw.index)
    for fault in faults:
        wrong |= fault.wrong
    status = status.mask(status.eq(KEPT) & wrong, QUARANTINED)
    ledger = raw[[FILE, LINE]].assign(id=ids.value, status=status)
    rows = typed.loc[status.eq(KEPT)].reset_index(drop=True)
    orders = {
        name: pd.CategoricalDtype(list(program.vocabularies[rule.vocabulary]), ordered=True)
        for name, rule in schema.table.columns.items()
        if rule.vocabulary is not None
    }
    quarantine = _quarantine(schema, raw, faults, status.eq(QUARANTINED))
    table = CleanTable(schema.name, rows.astype(orders), ledger, quarantine)
    require_balance(table)
    return table


def _read_column(program: Program, schema: Schema, name: str, raw: pd.DataFrame) -> Reading:
    codes, texts = pd.factorize(raw[name])
    reading = read_texts(program, name, schema.table.columns[name], pd.Series(texts, dtype="str"))
    return reading.rows(pd.Series(codes, index=raw.index))


def _crosswalked(program: Program, schema: Schema, name: str, columns: Mapping[str, Reading]) -> Reading:
    """Count values under the names that the crosswalks give them on the day of each row."""
    reading = columns[name]
    vocabulary = schema.table.columns[name].vocabulary
    crosswalks = program.crosswalks_of(vocabulary) if vocabulary else []
    day = columns[schema.table.date].value
    counted, faults = reading.value, list(reading.faults)
    for old in dict.fromkeys(crosswalk.value for crosswalk in crosswalks):
        here = reading.value.eq(old)
        covered = pd.Series(False, index=here.index)
        of_old = [crosswalk for crosswalk in crosswalks if crosswalk.value == old]
        for crosswalk in of_old:
            valid = day.ge(pd.Timestamp(crosswalk.valid_from))
            if crosswalk.valid_to is not None:
                valid &= day.le(pd.Timestamp(crosswalk.valid_to))
            counted = counted.mask(here & valid, crosswalk.counted_as)
            covered |= valid
        if old not in program.vocabularies[of_old[0].vocabulary]:
            when = " and ".join(crosswalk.when for crosswalk in of_old)
            remedy = f"'{old}' is known only {when} (crosswalks in program.toml); correct it or the date."
            faults.append(Fault(name, "not_valid_on_date", here & ~covered & day.notna(), remedy))
            counted = counted.mask(here & ~covered)
    return Reading(counted, reading.key, faults)


def _case_faults(schema: Schema, rows: pd.DataFrame, standing: pd.Series) -> list[Fault]:
    """Find ids and codes that differ from others of their column only in case.

    Whether ``r1`` and ``R1`` are one record or two cannot be known, and one of the two readings counts wrongly.
    """
    codes = [schema.table.id, *(name for name, rule in schema.table.columns.items() if rule.type == "code")]
    remedy = "another one differs from it only in case; write both alike, or void one of them."
    faults = []
    for name in codes:
        different = rows.loc[standing, name].dropna().drop_duplicates()
        alike = different.loc[different.str.casefold().duplicated(keep=False)]
        faults.append(Fault(name, "differs_only_in_case", standing & rows[name].isin(alike), remedy))
    return faults


def _versions(
    ids: pd.Series, received: pd.Series, content: pd.DataFrame, withdrawn_on: pd.DataFrame
) -> tuple[pd.Series, pd.Series]:
    """Say of each row whether it is the one of its id that stands, and whether it contradicts another of the same day.

    A row without an id has no other version. A void closes what came up to its day: the same row sent again
    afterwards is not a duplicate, it reinstates the record.
    """
    frame = pd.DataFrame({"id": ids, "received": received})
    # Rows without an id are each a record of their own.
    frame["record"] = pd.factorize(frame["id"])[0]
    nameless = frame["id"].eq("")
    frame.loc[nameless, "record"] = -1 - frame.index[nameless]
    frame["content"] = _same_content(content)
    frame["withdrawn"] = False
    frame["epoch"] = 0
    for record_id, day in withdrawn_on.itertuples(index=False):
        of_record = frame["id"].eq(record_id)
        frame.loc[of_record & frame["received"].le(day), "withdrawn"] = True
        frame.loc[of_record & frame["received"].gt(day), "epoch"] += 1

    before = frame.groupby(["record", "epoch"], sort=False)["content"].shift()
    duplicate = before.eq(frame["content"])
    valid = frame.loc[~frame["withdrawn"]]
    # What the newest delivery of a record says stands, also where it repeats what an older one said.
    newest = valid.loc[valid["received"].eq(valid.groupby("record", sort=False)["received"].transform("max"))]
    said = newest.groupby("record", sort=False)["content"].nunique()
    contradicts = frame["record"].isin(said.index[said.gt(1)])
    first_said = valid.loc[~duplicate.loc[valid.index]]
    last = first_said.loc[~first_said.duplicated("record", keep="last")]
    rivals = first_said.index.intersection(newest.index)
    is_rival, is_last = (frame.index.to_series().isin(rows) for rows in (rivals, last.index))
    stands = (is_last & ~contradicts) | (is_rival & contradicts)
    status = pd.Series(SUPERSEDED, index=frame.index, dtype="str").mask(duplicate, DUPLICATE).mask(stands, KEPT)
    return status, stands & contradicts


def _same_content(content: pd.DataFrame) -> pd.Series:
    """Give each row a number that it shares with the rows that say the same."""
    numbers = pd.DataFrame({name: pd.factorize(content[name])[0] for name in content}, index=content.index)
    return numbers.groupby(list(numbers.columns), sort=False).ngroup()


def _withdrawn_on(table: str, voids: pd.DataFrame | None) -> pd.DataFrame:
    """Give the ids of a table's withdrawn records, and the day of receipt of each void."""
    if voids is None or voids.empty:
        return pd.DataFrame({"voided_id": [], RECEIVED: []})
    return voids.loc[voids["voided_table"].eq(table), ["voided_id", RECEIVED]]


def _void_faults(rows: pd.DataFrame, known: Mapping[str, set[str]]) -> list[Fault]:
    table, record = rows["voided_table"], rows["voided_id"]
    unknown = pd.Series(
        [name in known and code not in known[name] for name, code in zip(table, record, strict=True)],
        index=rows.index,
        dtype="bool",
    )
    return [
        Fault("voided_table", "unknown_table", ~table.isin(list(known)), f"name one of: {', '.join(known)}."),
        Fault("voided_id", "unknown_record", unknown, "no record of that table has this id."),
    ]


def _table_faults(program: Program, schema: Schema, rows: pd.DataFrame) -> list[Fault]:
    """Find what it takes more than one column to see."""
    name, start = schema.table.date, program.identity.records_from
    faults = [
        Fault(name, "date_after_receipt", rows[name].gt(rows[RECEIVED]), "it is after the day of its delivery."),
        Fault(
            name,
            "date_before_records",
            rows[name].lt(pd.Timestamp(start)),
            f"the records begin on {start} (program.records_from in program.toml).",
        ),
    ]
    if schema.table.exactly_one_of:
        filled = rows[schema.table.exactly_one_of].notna().sum(axis="columns")
        names = " or ".join(schema.table.exactly_one_of)
        faults.append(Fault(names, "not_exactly_one", filled.ne(1), f"fill exactly one of {names}."))
    return faults


def _quarantine(schema: Schema, raw: pd.DataFrame, faults: list[Fault], rejected: pd.Series) -> pd.DataFrame:
    found = []
    for fault in faults:
        rows = raw.loc[fault.wrong & rejected]
        if rows.empty:
            continue
        fields = [field for field in schema.columns if field in fault.field.split(" or ")]
        values = rows[fields].agg(", ".join, axis="columns").str.strip()
        found.append(
            rows[[FILE, LINE]].assign(
                table=schema.name,
                id=rows[schema.table.id].str.strip(),
                field=fault.field,
                reason=fault.reason,
                value=values,
                remedy=values.map(fault.remedy) if callable(fault.remedy) else fault.remedy,
            )
        )
    if not found:
        return pd.DataFrame(
            {column: pd.Series(dtype="int64" if column == LINE else "str") for column in QUARANTINE_COLUMNS}
        )
    return pd.concat(found).sort_values([FILE, LINE], kind="stable").reset_index(drop=True)[list(QUARANTINE_COLUMNS)]


def require_balance(table: CleanTable) -> None:
    """Refuse a table in which not every row read is kept, superseded, duplicate or quarantined.

    Raises
    ------
    BalanceError
        A fault of this software, never of the records.
    """
    account = table.account
    out = sum(account[status] for status in STATUSES)
    kept_or_held = len(table.rows) + table.quarantine[[FILE, LINE]].drop_duplicates().shape[0]
    if out != account["read"] or kept_or_held != account[KEPT] + account[QUARANTINED]:
        raise BalanceError(
            f"{table.name}: {account['read']} rows were read and {out} came out. This is a fault of viputils."
        )


def _require_covered(program: Program, month: ReportMonth) -> None:
    """Refuse a month, or a fiscal year to date, that begins before the records do: its counts would be too low."""
    start = program.identity.records_from
    year_begins = max(month.fytd(program.identity.fiscal_year_starts).start, program.identity.began)
    if month.span.start < start or year_begins < start:
        what = f"{month.label} lies" if month.span.start < start else f"The fiscal year of {month.label} begins"
        raise DeliveryError(
            f"There is no data for {month}.",
            [
                Problem(
                    "program.records_from",
                    f"{what} before {start}, when the records begin;",
                    "ask for a later month, or deliver the earlier records and change the key.",
                )
            ],
        )


def _demonstration_count(program: Program, tables: Mapping[str, CleanTable]) -> int:
    if program.demonstration is None:
        return 0
    prefix = program.demonstration.id_prefix
    return sum(int(table.rows[program.tables[name].id].str.startswith(prefix).sum()) for name, table in tables.items())
