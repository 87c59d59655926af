"""Values under the names that an issue counts them under: a category that was renamed or split off."""

from __future__ import annotations

import datetime as dt
from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.core.months import ReportMonth

COUNTED_AS: Final = "counted_as"


def as_counted(program: Program, table: str, column: str, rows: pd.DataFrame, month: ReportMonth) -> pd.Series:
    """Return the values of a column under the names that the issue of a month uses."""
    rule = program.tables[table]
    value, day = rows[column], rows[rule.date]
    counted_as = value
    vocabulary = rule.columns[column].vocabulary if column in rule.columns else None
    for crosswalk in program.crosswalks_of(vocabulary or ""):
        if crosswalk.in_issue(month):
            counted_as = counted_as.mask(value.eq(crosswalk.value) & crosswalk.covers(day), crosswalk.counted_as)
    return counted_as


def crossed_columns(program: Program, table: str) -> dict[str, str]:
    """Return the columns of a table that have a crosswalk, each with the name of its column of counted names.

    That is ``counted_as``, or ``area_command_counted_as`` and so on if several columns of the table have one.
    """
    if table not in program.tables:
        return {}
    columns = program.tables[table].columns
    crossed = [name for name, rule in columns.items() if program.crosswalks_of(rule.vocabulary or "")]
    is_free = len(crossed) == 1 and COUNTED_AS not in columns
    return {name: COUNTED_AS if is_free else f"{name}_{COUNTED_AS}" for name in crossed}


def with_counted_names(program: Program, table: str, rows: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return the rows of a table with a column of counted names behind each column that has a crosswalk.

    The names are those of the issue of the last month that was over by the as-of date.
    """
    month = ReportMonth.of(as_of).plus(-1)
    for column, name in crossed_columns(program, table).items():
        rows = rows.copy(deep=False)
        rows.insert(list(rows).index(column) + 1, name, as_counted(program, table, column, rows, month))
    return rows
