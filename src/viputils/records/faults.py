"""Faults of rows that more than one value shows, and the table of quarantined rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import pandas as pd

from viputils.config.program import Crosswalk, Lifetime, Program
from viputils.config.tables import DELIVERY, FILE, LINE, RECEIVED, VOIDS, Schema
from viputils.records.account import QUARANTINE_COLUMNS, no_quarantine
from viputils.records.deliveries import RawTable
from viputils.records.spelling import Alike
from viputils.records.values import Fault
from viputils.records.versions import withdrawn_lines

# The reason code of a code that looks like another one.
LOOKS_ALIKE: Final = "looks_like_another"


def table_faults(program: Program, schema: Schema, rows: pd.DataFrame) -> list[Fault]:
    """Return the faults of dates, and of groups of columns that must have exactly one value."""
    name, start = schema.table.date, program.identity.records_from
    faults = [
        Fault(
            name,
            "date_after_receipt",
            rows[name].gt(rows[RECEIVED]),
            "it is after the day of its delivery; deliver the row again with the right date.",
        ),
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


def lifetime_faults(program: Program, schema: Schema, rows: pd.DataFrame) -> list[Fault]:
    """Return the faults of values that were not valid on the date of their record.

    A value is valid during its lifetime. A value that only crosswalks name is valid on the dates that
    one of them covers.
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


def alike_faults(program: Program, schema: Schema, rows: pd.DataFrame, current: pd.Series, alike: Alike) -> list[Fault]:
    """Return the faults of ids and codes that look like another code of their column, in this table or another."""
    faults = []
    for name in (one for one in schema.codes if one in alike):
        other = alike[name]
        remedy = (
            f'one record or person, or two? Write one of them in program.toml, below [codes]: {name} = "same" or '
            f'{name} = "different".'
        )
        if program.codes.get(name) == "same":
            remedy = "it is not known which of several codes is meant; send the row again with the right one."
        resembled = partial(_other_of, other)
        faults.append(Fault(name, LOOKS_ALIKE, current & rows[name].isin(other), remedy, resembled))
    return faults


def _other_of(alike: Mapping[str, str], code: str) -> str:
    return alike.get(code, "")


def void_faults(rows: pd.DataFrame, tables: Mapping[str, RawTable], schemas: Mapping[str, Schema]) -> list[Fault]:
    """Return the faults of voids that name no delivered record or line: they would never have an effect."""
    table = rows["voided_table"]
    by_line = rows["voided_file"].notna() | rows["voided_line"].notna()
    whole = rows["voided_file"].notna() & rows["voided_line"].notna()
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
            _unknown_lines(rows, whole, tables),
            "no delivery had this line of this file by then; write the file as 2023-12-04/responses.csv, as "
            "`vip check` does, and deliver the void again, corrected.",
        ),
        Fault(
            "reason",
            "missing_value",
            by_line & rows["reason"].isna(),
            "write why the line is not a record.",
        ),
        Fault(
            "voided_id",
            "unknown_record",
            _unknown_records(rows, ~by_line & rows["voided_id"].notna(), tables, schemas),
            "no record of that table with this id was delivered by then; deliver the void again, corrected.",
        ),
    ]


def _unknown_lines(rows: pd.DataFrame, by_line: pd.Series, tables: Mapping[str, RawTable]) -> pd.Series:
    """Flag the voids of lines that no delivery had by then."""
    unknown = pd.Series(False, index=rows.index)
    for row in rows.index[by_line & rows["voided_table"].isin(tables)]:
        table = rows["voided_table"].loc[row]
        unknown.loc[row] = not withdrawn_lines(tables[table].rows, table, rows.loc[[row]]).any()
    return unknown


def _unknown_records(
    rows: pd.DataFrame, by_id: pd.Series, tables: Mapping[str, RawTable], schemas: Mapping[str, Schema]
) -> pd.Series:
    """Flag the voids of records that no delivery had by then."""
    unknown = pd.Series(False, index=rows.index)
    for name, schema in schemas.items():
        voids = rows.loc[rows["voided_table"].eq(name) & by_id]
        if not voids.empty:
            # An empty table yields missing values without a type.
            first = pd.to_numeric(voids["voided_id"].map(_first_delivered(tables[name], schema, voids["voided_id"])))
            unknown.loc[voids.index] = ~first.le(voids[DELIVERY]).fillna(False).astype("bool")
    return unknown


def _first_delivered(raw: RawTable, schema: Schema, wanted: pd.Series) -> pd.Series:
    """Return the place of the first delivery with each id."""
    ids = raw.rows[schema.table.id].str.strip()
    found = ids.loc[ids.isin(wanted)]
    return raw.rows[DELIVERY].loc[found.index].groupby(found, sort=False).min()


def quarantine_of(schema: Schema, raw: pd.DataFrame, faults: list[Fault], rejected: pd.Series) -> pd.DataFrame:
    """Return one row for each fault of a rejected row, with its place, value and remedy."""
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
        return no_quarantine()
    return pd.concat(found).sort_values([FILE, LINE], kind="stable").reset_index(drop=True)[list(QUARANTINE_COLUMNS)]
