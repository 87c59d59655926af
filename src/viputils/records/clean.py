"""From rows as delivered to clean tables. Every row in is a row out: kept, superseded, duplicate or quarantined."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from viputils.config.program import Crosswalk, Lifetime, Program
from viputils.config.project import Project
from viputils.config.tables import DELIVERY, FILE, JOINED_BY, LINE, ORIGIN, RECEIVED, VOIDS, Schema, schemas_of
from viputils.core.errors import BalanceError, DeliveryError, ParameterError, Problem, QuarantineError
from viputils.core.text import plural
from viputils.records.codes import are_of_one_form, first_spellings, look_alikes
from viputils.records.deliveries import RawTable, Received, find_deliveries, read_received
from viputils.records.values import (
    ColumnReading,
    Fault,
    Flags,
    Numbers,
    Reading,
    Texts,
    fingerprints,
    read_column,
    read_ids,
    type_of,
)

KEPT: Final = "kept"
SUPERSEDED: Final = "superseded"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"
# The reason for which a code is in doubt that looks like another one.
LOOKS_ALIKE: Final = "looks_like_another"
# By column: each code that looks like another one, and the other one.
Alike = Mapping[str, Mapping[str, str]]
STATUSES: Final = (KEPT, SUPERSEDED, DUPLICATE, QUARANTINED)

# So many records of the wrong kind are named one by one.
_FEW: Final = 10
# What names one file of one delivery.
_ONE_FILE: Final = re.compile(r"(?:^|/)\d{4}-\d\d-\d\d(?:-\d+)?/[a-z][a-z0-9_]*\.csv$")

QUARANTINE_COLUMNS: Final = ("table", "file", "line", "id", "field", "reason", "value", "nearest", "remedy")


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
    """The clean tables of one project as of one day."""

    program: Program
    received: Received
    tables: Mapping[str, CleanTable]
    voids: CleanTable

    @property
    def as_of(self) -> dt.date:
        """The day by which everything here had been received."""
        return self.received.as_of

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


class MixedError(DeliveryError):
    """Demonstration records and real ones lie together.

    Parameters
    ----------
    few
        The rows of the kind of which there are fewer, with table, file, line and id.
    demonstration, total
        How many records are demonstration records, of how many.
    """

    def __init__(self, few: pd.DataFrame, demonstration: int, total: int, prefix: str, more: str = "") -> None:
        self.few, self._counts, self._prefix = few, (demonstration, total), prefix
        begins, others = ("begins", "do not") if len(few) == demonstration else ("does not begin", "do")
        problems = [
            Problem(
                f"{row.file}, line {row.line}",
                f"the id '{row.id}' {begins} with '{prefix}', and {total - len(few):,} others {others};",
                "correct the id, or take the row away.",
            )
            for row in few.itertuples()
        ]
        if len(few) > _FEW:
            what = f"{demonstration:,} of {total:,} ids begin with '{prefix}';"
            remedy = "take the demonstration deliveries away before real ones are counted."
            problems = [Problem("data/raw", what, remedy)]
        super().__init__(f"Demonstration records and real ones lie in the same deliveries.{more}", problems)

    def before_it_was_written(self, few: pd.DataFrame) -> MixedError:
        """Return the error for a delivery that was not written yet, with the rows at other places."""
        return MixedError(few, *self._counts, self._prefix, " Nothing was written.")


def _of_the_few(program: Program, tables: Mapping[str, CleanTable]) -> pd.DataFrame:
    """Return the rows of the demonstration or the others, whichever are fewer, with table, file, line and id."""
    parts = []
    for name, table in tables.items():
        rows = table.rows[[FILE, LINE]].assign(file=table.rows[FILE].astype("str"), table=name)
        parts.append(rows.assign(id=table.rows[program.tables[name].id], is_made=_is_demonstration(program, table)))
    every = pd.concat(parts, ignore_index=True)
    few = every["is_made"].sum() * 2 < len(every)
    return every.loc[every["is_made"].eq(few)].drop(columns="is_made")


def account_line(account: pd.DataFrame, as_of: dt.date) -> str:
    """Return in one line what became of every row that was read."""
    totals = {name: int(account[name].sum()) for name in account.columns if name != "table"}
    return (
        f"{plural(totals['read'], 'row')} read as of {as_of} = {totals['kept']:,} kept"
        f" + {totals['superseded']:,} superseded + {totals['duplicate']:,} duplicate"
        f" + {totals['quarantined']:,} quarantined"
    )


def load_records(project: Project, as_of: dt.date | None = None) -> Records:
    """Read and clean everything that had been received by the as-of date.

    Parameters
    ----------
    as_of
        Only what was received by this day counts. By default everything does.

    Raises
    ------
    ParameterError
        If nothing had been received by then.
    DeliveryError
        If there is no delivery, or a delivered file is not in form.
    """
    deliveries = find_deliveries(project)
    if as_of is not None and (first := deliveries[0].received) > as_of:
        problem = Problem("as_of", f"nothing had been received by {as_of};", f"the first delivery came on {first}.")
        raise ParameterError("There is nothing to load.", [problem])
    received = read_received(project, deliveries, deliveries[-1].received if as_of is None else as_of)
    return clean_records(project.program, received)


def clean_records(program: Program, received: Received) -> Records:
    """Clean what was received.

    Raises
    ------
    DeliveryError
        If demonstration records and real ones lie together.
    """
    received = with_one_spelling(program, received)
    raw = received.tables
    schemas = {name: schema for name, schema in schemas_of(program).items() if name in raw}
    check = partial(_void_faults, tables=raw, schemas=schemas)
    voids = clean_table(program, VOIDS, raw[VOIDS.name], extra_checks=check)
    tables = {name: clean_table(program, schema, raw[name], voids.rows) for name, schema in schemas.items()}
    if alike := _all_alike(program, tables):
        tables |= {
            name: clean_table(program, schema, raw[name], voids.rows, alike=alike)
            for name, schema in schemas.items()
            if not alike.keys().isdisjoint(schema.codes)
        }
    demonstration = _demonstration_count(program, tables)
    total = sum(len(table.rows) for table in tables.values())
    if demonstration not in (0, total) and program.demonstration is not None:
        raise MixedError(_of_the_few(program, tables), demonstration, total, program.demonstration.id_prefix)
    return Records(program, received, tables, voids)


def clean_table(
    program: Program,
    schema: Schema,
    raw: RawTable,
    voids: pd.DataFrame | None = None,
    extra_checks: Callable[[pd.DataFrame], list[Fault]] | None = None,
    alike: Alike | None = None,
) -> CleanTable:
    """Clean one table; the rows of codes that look like another one (``alike``) are in doubt.

    For each id, the latest row wins, and earlier ones are superseded; a row that repeats the
    one before it is a duplicate; a void withdraws what was received up to then; a snapshot supersedes every row that
    came before it. Only then are the rows that stand checked value by value, so that a later delivery can mend a row
    that was wrong.

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
    gone = _withdrawn_lines(given, schema.name, typed if schema is VOIDS else voids)
    status, conflicting = _versions(schema, ids.value, raw, columns, _withdrawn_by(schema.name, voids), gone)
    stands = status.eq(KEPT)
    faults = [
        *ids.faults,
        Fault(schema.table.id, "conflicting_rows", conflicting, "rows of one delivery differ; deliver the right one."),
        *(fault for column in columns.values() for fault in column.faults),
        *_lifetime_faults(program, schema, typed),
        *_table_faults(program, schema, typed),
        *_alike_faults(program, schema, typed, stands, alike or {}),
        *(extra_checks(typed) if extra_checks else []),
    ]
    faults = [fault for fault in faults if fault.wrong.any()]
    for fault in faults:
        status = status.mask(stands & fault.wrong, QUARANTINED)
    if schema is VOIDS:
        # A void that nothing can be made of is mended by one with its number in a later delivery.
        newest = given[DELIVERY].groupby(ids.value).transform("max")
        status = status.mask(status.eq(QUARANTINED) & given[DELIVERY].lt(newest), SUPERSEDED)
    ledger = given[[FILE, LINE]].assign(id=ids.value, status=status)
    quarantine = _quarantine(schema, given, faults, status.eq(QUARANTINED))
    kept = status.eq(KEPT)
    rows = typed if kept.all() else typed.loc[kept].reset_index(drop=True)
    table = CleanTable(schema.name, rows, ledger, quarantine)
    require_balance(table)
    return table


def first_doubt(program: Program, received: Received) -> dt.date | None:
    """Return the first day of receipt of a row that could be in quarantine on any day; none where there is no such row.

    Whether a value can be read does not depend on the day, only whether its row stands. So on a day before this one
    nothing is in quarantine, and nobody has to clean everything again to know it.
    """
    raw, schemas = with_one_spelling(program, received).tables, schemas_of(program)
    check = partial(_void_faults, tables=raw, schemas=schemas)
    voids = clean_table(program, VOIDS, raw[VOIDS.name], extra_checks=check)
    every_table = {}
    days = list(raw[VOIDS.name].rows.loc[voids.ledger["status"].ne(KEPT), RECEIVED])
    for name, schema in schemas.items():
        # In a table in which every row stands, the fault of every row is seen.
        every = Schema(name, schema.table.model_copy(update={"one_row_per_id": False, "delivery": "incremental"}))
        every_table[name] = table = clean_table(program, every, raw[name])
        days += list(raw[name].rows.loc[table.ledger["status"].eq(QUARANTINED), RECEIVED])
        if schema.table.one_row_per_id:
            different = table.rows.drop_duplicates([*schema.columns, DELIVERY])
            days += list(different.loc[different.duplicated([schema.table.id, DELIVERY], keep=False), RECEIVED])
    alike = _all_alike(program, every_table)
    for name, table in every_table.items():
        for column in schemas[name].codes:
            days += list(table.rows.loc[table.rows[column].isin(alike.get(column, {})), RECEIVED])
    return min(days).date() if days else None


def typed_rows(program: Program, schema: Schema, raw: RawTable) -> pd.DataFrame:
    """Read every row as ``CleanTable.rows`` holds those that are kept, whatever became of it; same index as the raw.

    A value that cannot be read is missing. This is for looking at rows that were not counted, never for counting.
    """
    return _typed(schema, raw.rows, *_readings(program, schema, raw))


def _without_rows(program: Program, schema: Schema, given: pd.DataFrame) -> CleanTable:
    """Return a table without rows, with the columns and types of any other.

    Most tables of a small delivery have none, and each step of cleaning costs the same for no row as for a thousand.
    """
    ids = given[schema.table.id]
    columns = {
        name: pd.Series(dtype=type_of(program, rule), index=given.index) for name, rule in schema.table.columns.items()
    }
    rows = pd.DataFrame({schema.table.id: ids, **columns, **{name: given[name] for name in ORIGIN}})
    status = pd.Series(pd.Categorical([], list(STATUSES)), index=given.index)
    return CleanTable(schema.name, rows, given[[FILE, LINE]].assign(id=ids, status=status), _no_quarantine())


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


def _lifetime_faults(program: Program, schema: Schema, rows: pd.DataFrame) -> list[Fault]:
    """Find values that did not exist on the day of their record: outside their lifetime, or known by a crosswalk only.

    A value that only crosswalks know is known on the days for which one of them counts it under another name.
    """
    day = rows[schema.table.date]
    faults = []
    for name, rule in schema.table.columns.items():
        if rule.vocabulary is None:
            continue
        values = program.vocabularies[rule.vocabulary]
        crosswalks = [one for one in program.crosswalks_of(rule.vocabulary) if one.value not in values]
        known: dict[str, list[Crosswalk | Lifetime]] = {}
        for crosswalk in crosswalks:
            known.setdefault(crosswalk.value, []).append(crosswalk)
        for lifetime in program.lifetimes:
            if lifetime.vocabulary == rule.vocabulary:
                known[lifetime.value] = [lifetime]
        for value, spans in known.items():
            here = rows[name].eq(value) & day.notna()
            for span in spans:
                here &= ~span.covers(day)
            when = " and ".join(span.when for span in spans)
            key = "lifetimes" if value in values else "crosswalks"
            remedy = f"'{value}' is known only {when} ({key} in program.toml); correct it or the date."
            faults.append(Fault(name, "not_valid_on_date", here, remedy))
    return faults


def _alike_faults(
    program: Program, schema: Schema, rows: pd.DataFrame, standing: pd.Series, alike: Alike
) -> list[Fault]:
    """Find ids and codes that look like another one of their column, in this table or in another one."""
    faults = []
    for name in (one for one in schema.codes if one in alike):
        # Only of few codes.
        other = alike[name]
        remedy = (
            f'one record or person, or two? Write one of them in program.toml, below [codes]: {name} = "same" or '
            f'{name} = "different".'
        )
        if program.codes.get(name) == "same":
            remedy = "it is not known which of several codes is meant; send the row again with the right one."
        resembled = partial(_other_of, other)
        faults.append(Fault(name, LOOKS_ALIKE, standing & rows[name].isin(other), remedy, resembled))
    return faults


def _other_of(alike: Mapping[str, str], code: str) -> str:
    return alike.get(code, "")


def _all_alike(program: Program, tables: Mapping[str, CleanTable]) -> Alike:
    """Find the codes that look like another one of a column of that name, where [codes] does not tell them apart.

    People are followed from table to table whatever the case of their code, so there only other differences are found.
    """
    columns: dict[str, list[pd.Series]] = {}
    for name, table in tables.items():
        for column in Schema(name, program.tables[name]).codes:
            if program.codes.get(column) != "different":
                columns.setdefault(column, []).append(table.rows[column].dropna().drop_duplicates())
    found = {}
    for column, codes in columns.items():
        every = pd.concat(codes, ignore_index=True).drop_duplicates()
        # Nearly always all codes of a column are of one form, such as R-001050, and then none is like another one.
        if len(every) > 1 and not are_of_one_form(every):
            found[column] = look_alikes(_without_case_elsewhere(codes))
    return {column: alike for column, alike in found.items() if alike}


def _without_case_elsewhere(codes: Sequence[pd.Series]) -> pd.Series:
    """Return the different codes of several tables, but for those that another table before has in another case."""
    found: list[pd.Series] = []
    for one in codes:
        same = one.str.casefold()
        seen = pd.concat(found).str.casefold() if found else same.iloc[:0]
        found.append(one.loc[~same.isin(seen) | same.duplicated(keep=False)])
    return pd.concat(found, ignore_index=True).drop_duplicates()


def with_one_spelling(program: Program, received: Received) -> Received:
    """Return what was received with one spelling, the first, for codes that [codes] in program.toml calls the same."""
    tables = dict(received.tables)
    schemas = [Schema(name, program.tables[name]) for name in tables if name != VOIDS.name]
    for column in (name for name, are in program.codes.items() if are == "same"):
        having = [schema for schema in schemas if column in schema.codes]
        if not having:
            continue
        written = pd.concat(
            [tables[one.name].rows[[column, DELIVERY]].astype({column: "str"}) for one in having], ignore_index=True
        ).sort_values(DELIVERY, kind="stable")[column]
        first = first_spellings(written.str.strip().drop_duplicates().loc[lambda codes: codes.ne("")])
        for schema in having if first else []:
            raw = tables[schema.name]
            kind = raw.rows[column].dtype
            codes = (
                raw.rows[column].astype("str").str.strip().replace(first).astype(kind if kind == "str" else "category")
            )
            tables[schema.name] = replace(raw, rows=raw.rows.assign(**{column: codes}), texts=Texts())
            voids = tables[VOIDS.name]
            if column == schema.table.id and len(voids.rows):
                ids = voids.rows["voided_id"].astype("str").str.strip()
                ids = ids.mask(voids.rows["voided_table"].astype("str").str.strip().eq(schema.name), ids.replace(first))
                tables[VOIDS.name] = replace(
                    voids, rows=voids.rows.assign(voided_id=ids.astype("category")), texts=Texts()
                )
    for schema in schemas:
        parts = schema.table.id_parts
        if tables[schema.name] is not received.tables[schema.name] and not set(parts).isdisjoint(program.codes):
            raw = tables[schema.name]
            texts = raw.rows[parts].astype("str").apply(lambda part: part.str.strip())
            joined = texts.agg(JOINED_BY.join, axis="columns").where(raw.rows[schema.table.id].ne(""), "")
            tables[schema.name] = replace(raw, rows=raw.rows.assign(**{schema.table.id: joined.astype("str")}))
    return replace(received, tables=tables)


def _versions(
    schema: Schema,
    ids: pd.Series,
    raw: RawTable,
    columns: Mapping[str, ColumnReading],
    withdrawn_by: pd.DataFrame,
    gone: Flags,
) -> tuple[pd.Series, pd.Series]:
    """Return for each row whether it is the latest of its id, and whether it contradicts another of its delivery.

    A row without an id has no other version. A row that was withdrawn by its line (``gone``) counts as never sent. A
    void closes what came up to its delivery: the same row sent again
    afterwards is not a duplicate, it reinstates the record.
    """
    delivery = raw.rows[DELIVERY].to_numpy()
    kept, superseded, duplicate = (STATUSES.index(one) for one in (KEPT, SUPERSEDED, DUPLICATE))
    status = np.full(len(ids), kept, dtype="int8")
    contradicting = np.zeros(len(ids), dtype="bool")
    alive = ~gone
    if schema.table.delivery == "snapshot" and raw.delivered:
        alive &= delivery == raw.delivered[-1]
    status[~alive] = superseded
    # Most records have one row, which stands; all that follows is about the others.
    several = _repeated(ids) & ids.ne("") if schema.table.one_row_per_id else pd.Series(False, index=ids.index)
    rows = np.flatnonzero(alive & (several | ids.isin(withdrawn_by["voided_id"])))
    if len(rows):
        record, known = pd.factorize(ids.iloc[rows])
        withdrawn, epoch = _withdrawn(record, known, delivery[rows], withdrawn_by)
        if schema.table.one_row_per_id:
            content = _numbered([column.key(rows) for column in columns.values()], len(rows))
            repeats, stands, contradicts = _standing(record, epoch, delivery[rows], content, withdrawn)
            status[rows] = np.select([stands, repeats], [kept, duplicate], superseded)
            contradicting[rows] = stands & contradicts
        else:
            status[rows[withdrawn]] = superseded
    statuses = pd.Categorical.from_codes(status, dtype=pd.CategoricalDtype(list(STATUSES)))
    return pd.Series(statuses, index=ids.index), pd.Series(contradicting, index=ids.index)


def _withdrawn(
    record: Numbers, known: pd.Index, delivery: Numbers, withdrawn_by: pd.DataFrame
) -> tuple[Flags, Numbers]:
    """Return for each row whether a void withdrew it, and how many had withdrawn its record before the row came.

    Parameters
    ----------
    record
        The number of its record, by its place in ``known``.
    """
    number = known.get_indexer(pd.Index(withdrawn_by["voided_id"]))
    last = withdrawn_by[DELIVERY].to_numpy()
    # A number for each record and delivery, so that all voids stand in one order.
    width = int(max(delivery.max(initial=0), last.max(initial=0))) + 1
    voids = np.sort((number * width + last)[number >= 0])
    before = np.searchsorted(voids, record * width + delivery)
    epoch = before - np.searchsorted(voids, record * width)
    return np.searchsorted(voids, (record + 1) * width) > before, epoch


def _standing(
    record: Numbers, epoch: Numbers, delivery: Numbers, content: Numbers, withdrawn: Flags
) -> tuple[Flags, Flags, Flags]:
    """Return for each row whether it repeats the one before it, whether it stands, and whether its record is in doubt.

    What the newest delivery of a record says stands, also where it repeats what an older one said. Where it says
    several things, all of them stand, and the record is in doubt.

    Parameters
    ----------
    epoch
        Rows of one record that a void lies between are of different epochs.
    content
        The same number for rows that say the same.
    """
    order = np.lexsort((epoch, record))
    ordered = np.stack([record, epoch, content])[:, order]
    repeats = np.zeros(len(record), dtype="bool")
    repeats[order[1:]] = (ordered[:, 1:] == ordered[:, :-1]).all(axis=0)

    number = int(record.max()) + 1
    newest_of = np.full(number, -1)
    np.maximum.at(newest_of, record[~withdrawn], delivery[~withdrawn])
    newest = ~withdrawn & (delivery == newest_of[record])
    least, most = np.full(number, content.max()), np.full(number, content.min())
    np.minimum.at(least, record[newest], content[newest])
    np.maximum.at(most, record[newest], content[newest])
    contradicts = (least < most)[record]

    first_said = ~withdrawn & ~repeats
    last_said = np.full(number, -1)
    np.maximum.at(last_said, record[first_said], np.flatnonzero(first_said))
    is_last = last_said[record] == np.arange(len(record))
    return repeats, np.where(contradicts, first_said & newest, is_last), contradicts


def _numbered(keys: list[Numbers], length: int) -> Numbers:
    """Return rows a number, the same to those in which every column has the same number."""
    number = np.zeros(length, dtype="int64")
    for key in keys:
        # Missing is -1.
        number = pd.factorize(number * (int(key.max(initial=-1)) + 2) + key + 1)[0]
    return number


def _repeated(ids: pd.Series) -> pd.Series:
    """Flag every id that stands in more than one row.

    Of millions of ids nearly all stand alone. Equal ids have equal fingerprints, so only ids that share theirs with
    another are compared letter by letter.
    """
    none = pd.Series(False, index=ids.index)
    prints = fingerprints(ids)
    if prints is None:
        return ids.duplicated(keep=False)
    in_order = np.sort(prints)
    shared = in_order[1:][in_order[1:] == in_order[:-1]]
    if not len(shared):
        return none
    place = np.searchsorted(shared, prints).clip(max=len(shared) - 1)
    candidates = ids.loc[shared[place] == prints]
    none.loc[candidates.index] = candidates.duplicated(keep=False)
    return none


def _withdrawn_by(table: str, voids: pd.DataFrame | None) -> pd.DataFrame:
    """Return the ids of a table's withdrawn records, and the place of the delivery that brought each void."""
    if voids is None or voids.empty:
        return pd.DataFrame({"voided_id": pd.Series(dtype="str"), DELIVERY: pd.Series(dtype="int32")})
    return voids.loc[voids["voided_table"].eq(table) & voids["voided_id"].notna(), ["voided_id", DELIVERY]]


def _withdrawn_lines(given: pd.DataFrame, table: str, voids: pd.DataFrame | None) -> Flags:
    """Flag the rows of a table that a void of the same or a later delivery withdraws by their file and line."""
    gone = np.zeros(len(given), dtype="bool")
    if voids is None or voids.empty:
        return gone
    by_line = voids.loc[voids["voided_table"].eq(table) & voids["voided_file"].notna() & voids["voided_line"].notna()]
    if by_line.empty:
        return gone
    file = given[FILE].astype("str")
    for void in by_line[["voided_file", "voided_line", DELIVERY]].to_dict("records"):
        if not _ONE_FILE.search(void["voided_file"]):
            continue
        named = file.eq(void["voided_file"]) | file.str.endswith(f"/{void['voided_file']}")
        here = named & given[LINE].eq(void["voided_line"]) & given[DELIVERY].le(void[DELIVERY])
        gone |= here.to_numpy(dtype="bool")
    return gone


def _first_delivered(raw: RawTable, schema: Schema, wanted: pd.Series) -> pd.Series:
    """Return the place of the first delivery that held each of some ids."""
    ids = raw.rows[schema.table.id].str.strip()
    found = ids.loc[ids.isin(wanted)]
    return raw.rows[DELIVERY].loc[found.index].groupby(found, sort=False).min()


def _void_faults(rows: pd.DataFrame, tables: Mapping[str, RawTable], schemas: Mapping[str, Schema]) -> list[Fault]:
    """Find voids of nothing: they would stay without effect, also when such a record comes later."""
    table = rows["voided_table"]
    by_line = rows["voided_file"].notna() | rows["voided_line"].notna()
    whole = rows["voided_file"].notna() & rows["voided_line"].notna()
    unknown = pd.Series(False, index=rows.index)
    no_line = pd.Series(False, index=rows.index)
    for name in [*schemas, VOIDS.name]:
        for row in rows.index[table.eq(name) & whole]:
            no_line.loc[row] = not _withdrawn_lines(tables[name].rows, name, rows.loc[[row]]).any()
    for name, schema in schemas.items():
        voids = rows.loc[table.eq(name) & ~by_line & rows["voided_id"].notna()]
        if not voids.empty:
            # Of a table without a row, whatever is looked up is missing and of no type.
            first = pd.to_numeric(voids["voided_id"].map(_first_delivered(tables[name], schema, voids["voided_id"])))
            unknown.loc[voids.index] = ~first.le(voids[DELIVERY]).fillna(False).astype("bool")
    return [
        Fault(
            "voided_table",
            "unknown_table",
            ~table.isin([*schemas, VOIDS.name]),
            f"name one of: {', '.join(schemas)}.",
        ),
        Fault(
            "voided_id or voided_file",
            "not_exactly_one",
            by_line.eq(rows["voided_id"].notna()) | by_line.ne(whole),
            "name a record by its voided_id, or a line by its voided_file and voided_line, and nothing else.",
        ),
        Fault(
            "voided_line",
            "unknown_line",
            no_line,
            "no delivery had this line of this file by then; write the file as 2023-12-04/responses.csv, as "
            "`vip check` does, and deliver the void again, corrected.",
        ),
        Fault(
            "reason",
            "missing_value",
            by_line & rows["reason"].isna(),
            "say why the line is no record.",
        ),
        Fault(
            "voided_id",
            "unknown_record",
            unknown,
            "no record of that table with this id had been delivered by then; deliver the void again, corrected.",
        ),
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
        values = rows[fields].astype("str").agg(", ".join, axis="columns").str.strip()
        found.append(
            rows[[FILE, LINE]].assign(
                file=rows[FILE].astype("str"),
                table=schema.name,
                id=rows[schema.table.id].str.strip(),
                field=fault.field,
                reason=fault.reason,
                value=values,
                nearest=values.map(fault.nearest),
                remedy=values.map(fault.remedy) if callable(fault.remedy) else fault.remedy,
            )
        )
    if not found:
        return _no_quarantine()
    return pd.concat(found).sort_values([FILE, LINE], kind="stable").reset_index(drop=True)[list(QUARANTINE_COLUMNS)]


def _no_quarantine() -> pd.DataFrame:
    return pd.DataFrame(columns=list(QUARANTINE_COLUMNS), dtype="str").astype({LINE: "int64"})


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


def _demonstration_count(program: Program, tables: Mapping[str, CleanTable]) -> int:
    if program.demonstration is None:
        return 0
    return sum(int(_is_demonstration(program, table).sum()) for table in tables.values())


def _is_demonstration(program: Program, table: CleanTable) -> pd.Series:
    """Flag the rows that are demonstration records, which ``[demonstration]`` says how to tell."""
    # In whatever case: a synthetic record must not be taken for a real one.
    prefix = re.compile(re.escape(program.demonstration.id_prefix if program.demonstration else ""), re.IGNORECASE)
    return table.rows[program.tables[table.name].id].str.match(prefix)
