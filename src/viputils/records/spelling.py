"""The spelling of codes across tables: which codes look alike, and one spelling for those that are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from viputils.config.program import Program
from viputils.config.tables import DELIVERY, JOINED_BY, VOIDS, Schema
from viputils.records.account import CleanTable
from viputils.records.codes import are_of_one_form, first_spellings, look_alikes
from viputils.records.deliveries import RawTable, Received
from viputils.records.values import Texts

# By column: each code that looks like another one, and the other one.
Alike = Mapping[str, Mapping[str, str]]


def all_alike(program: Program, tables: Mapping[str, CleanTable]) -> Alike:
    """Find codes that look like another code in a column of the same name, unless [codes] says they are different.

    People are matched across tables in any case of letters, so a difference of case between tables does not count.
    """
    columns: dict[str, list[pd.Series]] = {}
    for name, table in tables.items():
        for column in Schema(name, program.tables[name]).codes:
            if program.codes.get(column) != "different":
                columns.setdefault(column, []).append(table.rows[column].dropna().drop_duplicates())
    found = {}
    for column, codes in columns.items():
        every = pd.concat(codes, ignore_index=True).drop_duplicates()
        # Nearly always all codes of a column have one form, such as R-001050. Then no two look alike.
        if len(every) > 1 and not are_of_one_form(every):
            found[column] = look_alikes(_without_case_elsewhere(codes))
    return {column: alike for column, alike in found.items() if alike}


def _without_case_elsewhere(codes: Sequence[pd.Series]) -> pd.Series:
    """Return the distinct codes of several tables, without those that an earlier table has in another case."""
    found: list[pd.Series] = []
    for one in codes:
        same = one.str.casefold()
        seen = pd.concat(found).str.casefold() if found else same.iloc[:0]
        found.append(one.loc[~same.isin(seen) | same.duplicated(keep=False)])
    return pd.concat(found, ignore_index=True).drop_duplicates()


def with_one_spelling(program: Program, received: Received) -> Received:
    """Replace the spellings of codes that [codes] in program.toml calls the same by the first one received."""
    tables = dict(received.tables)
    schemas = [Schema(name, program.tables[name]) for name in tables if name != VOIDS.name]
    for column in (name for name, are in program.codes.items() if are == "same"):
        having = [schema for schema in schemas if column in schema.codes]
        first = _first_spellings(tables, having, column) if having else {}
        for schema in having if first else []:
            tables[schema.name] = _respelled(tables[schema.name], column, first)
            if column == schema.table.id and len(tables[VOIDS.name].rows):
                tables[VOIDS.name] = _respelled_voids(tables[VOIDS.name], schema.name, first)
    for schema in schemas:
        changed = tables[schema.name] is not received.tables[schema.name]
        if changed and not set(schema.table.id_parts).isdisjoint(program.codes):
            tables[schema.name] = _with_joined_ids(tables[schema.name], schema)
    return replace(received, tables=tables)


def _first_spellings(tables: Mapping[str, RawTable], having: Sequence[Schema], column: str) -> dict[str, str]:
    """Return the first spelling of each code in a column of several tables, in order of receipt."""
    written = pd.concat(
        [tables[one.name].rows[[column, DELIVERY]].astype({column: "str"}) for one in having], ignore_index=True
    ).sort_values(DELIVERY, kind="stable")[column]
    return first_spellings(written.str.strip().drop_duplicates().loc[lambda codes: codes.ne("")])


def _respelled(raw: RawTable, column: str, first: Mapping[str, str]) -> RawTable:
    kind = raw.rows[column].dtype
    codes = raw.rows[column].astype("str").str.strip().replace(first).astype(kind if kind == "str" else "category")
    return replace(raw, rows=raw.rows.assign(**{column: codes}), texts=Texts())


def _respelled_voids(voids: RawTable, table: str, first: Mapping[str, str]) -> RawTable:
    ids = voids.rows["voided_id"].astype("str").str.strip()
    ids = ids.mask(voids.rows["voided_table"].astype("str").str.strip().eq(table), ids.replace(first))
    return replace(voids, rows=voids.rows.assign(voided_id=ids.astype("category")), texts=Texts())


def _with_joined_ids(raw: RawTable, schema: Schema) -> RawTable:
    """Return a table whose ids are joined again from the columns that form them."""
    texts = raw.rows[schema.table.id_parts].astype("str").apply(lambda part: part.str.strip())
    joined = texts.agg(JOINED_BY.join, axis="columns").where(raw.rows[schema.table.id].ne(""), "")
    return replace(raw, rows=raw.rows.assign(**{schema.table.id: joined.astype("str")}))
