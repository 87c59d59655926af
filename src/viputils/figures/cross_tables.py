"""Counts by several columns, and of some records only. Every value is counted under the name that the issue prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.core.errors import ParameterError, Problem, nearest
from viputils.core.months import ReportMonth, Span
from viputils.figures.counts import counted_within
from viputils.figures.series import (
    Frequency,
    known_months,
    known_range,
    months_of,
    require_frequency,
    require_measure,
    spans_of,
)
from viputils.records.clean import Records
from viputils.records.crosswalks import as_counted

NOT_RECORDED: Final = "Not recorded"
Wanted = str | bool | None
# What to count: by column, the values that a record has.
Where = Mapping[str, Wanted | Iterable[Wanted]]

# The types of columns that split records into groups.
_GROUPS: Final = ("category", "flag", "text", "code")
_IN_WORDS: Final = {True: "Yes", False: "No"}


def cross_series(
    records: Records,
    measure: str,
    by: Sequence[str] = (),
    where: Where | None = None,
    freq: Frequency = "month",
    start: ReportMonth | None = None,
    end: ReportMonth | None = None,
) -> pd.DataFrame:
    """Count a measure over each period of a range by columns of its table.

    Parameters
    ----------
    by
        Columns of categories, flags or codes.
    where
        Only records with these values: ``{"area_command": "Southeast"}``, or several of a column in a list. ``None``
        means that the value is not recorded.
    freq, start, end
        As ``series_of``.

    Returns
    -------
    DataFrame
        ``measure``, a column for each of ``by`` (ordered ``category`` as printed, flags ``Yes`` and ``No``, last
        ``Not recorded`` if that occurs), ``start``, ``end`` and ``value`` (``Int64``) as ``series_of``. Every
        combination has a row.

    Raises
    ------
    ParameterError
        If a measure, column, value or range does not exist; lists all of them.
    """
    program = records.program
    require_measure(program, measure)
    require_frequency(freq)
    known = known_months(records, measure)
    first, last = known_range(known, start, end)
    _require_columns(records, measure, by, where or {}, last)
    spans = list(spans_of(program, freq, first, last))
    rows = _rows(records, measure, by, where or {}, last, spans)
    counts = rows.groupby([*by, "span"], observed=False, sort=True)["amount"].sum().astype("Int64")
    found = counts.rename("value").reset_index()
    span = found["span"].astype("int64")
    is_known = span.map({place: months_of(one) <= set(known) for place, one in enumerate(spans)})
    days = {
        side: pd.to_datetime(span.map(dict(enumerate(getattr(one, side) for one in spans)))).astype("datetime64[s]")
        for side in ("start", "end")
    }
    table = found.assign(measure=pd.Series(measure, found.index, dtype="str"), **days)
    return table.assign(value=found["value"].where(is_known.astype("bool")))[["measure", *by, "start", "end", "value"]]


def cross_table(
    records: Records,
    measure: str,
    by: Sequence[str],
    where: Where | None = None,
    start: ReportMonth | None = None,
    end: ReportMonth | None = None,
) -> pd.DataFrame:
    """Count a measure over a range of months as a table: the first of ``by`` down, the others across.

    Parameters
    ----------
    by, where, start, end
        As ``cross_series``; by default all known months.

    Returns
    -------
    DataFrame
        ``int64``. A measure of different values, such as people, counts each of them once in every cell.

    Raises
    ------
    ParameterError
        As ``cross_series``; if ``by`` is empty, or a month of the range is unknown, so that counts would be too low.
    """
    program = records.program
    require_measure(program, measure)
    if not by:
        problem = Problem("by", "is empty;", f"name one or two of: {', '.join(_columns(program, measure))}.")
        raise ParameterError("There is no such table.", [problem])
    known = known_months(records, measure)
    first, last = known_range(known, start, end)
    lacking = [str(month) for month in first.until(last) if month not in known]
    if lacking:
        problem = Problem("start, end", f"{', '.join(lacking)} had not been delivered;", "choose a range without it.")
        raise ParameterError("The counts would be too low.", [problem])
    _require_columns(records, measure, by, where or {}, last)
    rows = _rows(records, measure, by, where or {}, last, [Span(first.span.start, last.span.end)])
    if len(by) == 1:
        return rows.groupby(by[0], observed=False, sort=True)["amount"].sum().astype("int64").to_frame(measure)
    table = rows.pivot_table("amount", by[0], list(by[1:]), aggfunc="sum", observed=False, sort=True, fill_value=0)
    return table.astype("int64")


def _rows(
    records: Records, measure: str, by: Sequence[str], where: Where, month: ReportMonth, spans: Sequence[Span]
) -> pd.DataFrame:
    """Return what a measure counts in each span: ``amount``, the columns of ``by``, and the number of the ``span``."""
    program, table = records.program, records.program.measures[measure].table
    every = records.tables[table].rows
    # The few columns that matter, once for all spans.
    values = {name: named_groups(program, table, name, every, month) for name in dict.fromkeys([*by, *where])}
    parts = []
    for place, span in enumerate(spans):
        rows = counted_within(records, measure, month, span)
        rows = rows.assign(span=place, **{name: one.loc[rows.index] for name, one in values.items()})
        rows = rows.loc[_has(rows, where)]
        if "once" in rows:
            rows = rows.loc[rows["once"].notna()].drop_duplicates([*by, "once"])
        parts.append(rows[[*by, "span", "amount"]])
    if not parts:
        nothing = pd.DataFrame({name: values[name].iloc[:0] for name in by})
        parts = [nothing.assign(span=0, amount=pd.Series(dtype="int64"))]
    found = pd.concat(parts, ignore_index=True)
    return found.assign(span=pd.Categorical(found["span"], range(len(spans))))


def shared_rows(records: Records, measure: str, where: Where, other: Where, month: ReportMonth) -> int:
    """Return how many of the records that a measure counts up to a month have the values of both."""
    program, table = records.program, records.program.measures[measure].table
    rows = counted_within(records, measure, month, Span(program.identity.records_from, month.span.end))
    every = records.tables[table].rows.loc[rows.index]
    values = {name: named_groups(program, table, name, every, month) for name in dict.fromkeys([*where, *other])}
    groups = pd.DataFrame(values, index=rows.index)
    return int((_has(groups, where) & _has(groups, other)).sum())


def _has(groups: pd.DataFrame, where: Where) -> pd.Series:
    """Flag the rows that have the values."""
    flags = pd.Series(True, index=groups.index)
    for name, wanted in where.items():
        flags &= groups[name].isin([_word(one) for one in _listed(wanted)])
    return flags


def named_groups(program: Program, table: str, column: str, rows: pd.DataFrame, month: ReportMonth) -> pd.Series:
    """Return a column as ordered categories: those that an issue prints, in order, and ``Not recorded`` if that occurs.

    Parameters
    ----------
    month
        The issue whose names they are counted under.
    """
    value = as_counted(program, table, column, rows, month)
    vocabulary = program.tables[table].columns[column].vocabulary
    if vocabulary is not None:
        names = program.printed_values(vocabulary, month, program.identity.records_from)
        occurs = [str(one) for one in value.cat.categories if one not in names and value.eq(one).any()]
        names = [*names, *occurs]
    elif program.tables[table].columns[column].type == "flag":
        names, value = list(_IN_WORDS.values()), value.map(_IN_WORDS)
    else:
        names = sorted(value.dropna().unique())
    text = value.astype("str").where(value.notna(), NOT_RECORDED)
    if value.isna().any():
        names = [*names, NOT_RECORDED]
    return pd.Series(pd.Categorical(text, list(dict.fromkeys(names)), ordered=True), rows.index)


def _listed(wanted: Wanted | Iterable[Wanted]) -> list[Wanted]:
    return [wanted] if wanted is None or isinstance(wanted, str | bool) else list(wanted)


def _word(wanted: Wanted) -> str:
    if wanted is None:
        return NOT_RECORDED
    return _IN_WORDS[wanted] if isinstance(wanted, bool) else wanted


def _columns(program: Program, measure: str) -> list[str]:
    """Return the columns that split the records of a measure into groups."""
    columns = program.tables[program.measures[measure].table].columns
    return [name for name, rule in columns.items() if rule.type in _GROUPS]


def _require_columns(records: Records, measure: str, by: Sequence[str], where: Where, month: ReportMonth) -> None:
    """Raise ``ParameterError`` if a column cannot split the records, or a value is none of it."""
    program = records.program
    columns = _columns(program, measure)
    problems = [
        Problem(
            kind,
            f"{name!r} is not a column that {measure} can be counted by;",
            nearest(name, columns) or f"choose: {', '.join(columns)}.",
        )
        for kind, names in (("by", by), ("where", where))
        for name in names
        if name not in columns
    ]
    table = program.measures[measure].table
    rules = program.tables[table].columns
    for name, wanted in where.items():
        if name not in columns:
            continue
        vocabulary = rules[name].vocabulary
        known, remedy = [*_IN_WORDS.values(), NOT_RECORDED], ""
        if vocabulary is not None:
            known = [*program.printed_values(vocabulary, month, program.identity.records_from), NOT_RECORDED]
        elif rules[name].type != "flag":
            known = [*records.tables[table].rows[name].dropna().unique(), NOT_RECORDED]
            remedy = "no record has it."
        problems += [
            Problem(
                f"where {name}",
                f"{one!r} is not a value of it;",
                nearest(str(one), known) or remedy or f"choose: {', '.join(known)}.",
            )
            for one in map(_word, _listed(wanted))
            if one not in known
        ]
    if problems:
        raise ParameterError("The records cannot be counted in this way.", problems)
