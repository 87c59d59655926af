"""The figures table. Every number that is printed, charted, checked, compared or downloaded is one row of it.

``measure`` (what is counted), ``category`` (empty for a measure with no breakdown), ``period`` and ``value`` (a whole
number). The first three are the key. The periods of a month's issue are ``month`` and ``fytd`` (fiscal year to date).
Those of a quarter are its months (``2023-07``), ``quarter`` and ``fytd``; those of a fiscal year are its quarters
(``FY2024-Q1``) and ``year``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from viputils.config.program import Distinct, Period, Program, Sum
from viputils.core.errors import ParameterError, Problem, ProgramError, nearest
from viputils.core.months import IssuePeriod, ReportMonth, Span
from viputils.core.periods import is_long, parse_period
from viputils.core.text import folded, plural
from viputils.records.clean import Records
from viputils.records.crosswalks import as_counted

KEY: Final = ["measure", "category", "period"]
COLUMNS: Final = [*KEY, "value"]
# The file name of the figures table in an issue folder.
FIGURES_CSV: Final = "figures.csv"
PERIODS: Final[tuple[Period, ...]] = ("month", "fytd")


def key_text(parts: Iterable[object]) -> str:
    """Return the key of a figure as tables and messages write it, from its measure, category and period."""
    return "/".join(str(part) for part in parts if part)


def key_of_row(row: Mapping[Any, object]) -> str:
    """Return the key of the figure in a row of a figures table."""
    return key_text(row[part] for part in KEY)


class FigureKey(NamedTuple):
    """The key of a figure: ``measure/category/period``, or ``measure/period`` without a breakdown."""

    measure: str
    category: str
    period: str

    def __str__(self) -> str:
        return key_text(self)

    @classmethod
    def parse(cls, text: str, program: Program, issue: IssuePeriod) -> FigureKey:
        """Read a key as tables and messages write it. The category may contain slashes.

        Raises
        ------
        ParameterError
            If the issue has no such figure. Suggests the most similar one.
        """
        known = {str(key): key for key in keys_of(program, issue)}
        by_folded = {folded(name): key for name, key in known.items()}
        found = by_folded.get(folded(text.replace("//", "/")))
        if found is not None:
            return found
        measure = text.split("/", maxsplit=1)[0]
        if measure not in program.measures:
            remedy = nearest(measure, program.measures) or f"measures: {', '.join(program.measures)}."
            problem = Problem("figure", f"{measure!r} is not a measure of program.toml;", remedy)
        else:
            of_measure = [name for name, key in known.items() if key.measure == measure]
            listed = ", ".join(of_measure[:4]) + (", …" if len(of_measure) > 4 else "")
            remedy = nearest(text, of_measure) or f"write one of: {listed}."
            problem = Problem("figure", f"{text!r} is not a figure of the issue of {issue};", remedy)
        raise ParameterError("There is no such figure.", [problem])


def keys_of(program: Program, issue: IssuePeriod) -> list[FigureKey]:
    """Return the key of every figure of an issue, in the order of program.toml."""
    return [
        FigureKey(name, category, period)
        for name in program.measures
        for period in periods_of(program, name, issue)
        for category in categories_of(program, name, issue)
    ]


def categories_of(program: Program, name: str, issue: IssuePeriod, start: dt.date | None = None) -> list[str]:
    """Return the categories of a measure in an issue, or ``[""]`` without a breakdown.

    With ``start``, a day before the issue's fiscal year, also include categories that ended after that day.
    """
    starts = program.identity.fiscal_year_starts
    month = issue.last(starts)
    if program.measures[name].by != "month":
        return program.categories(name, month, start) or [""]
    months = month.fiscal_year(starts).months(until=month)
    return [str(one) for one in months if not is_long(issue) or has_records(program, one)]


def has_records(program: Program, period: IssuePeriod) -> bool:
    """Return whether the records cover a whole period. There is nothing to cover before the program began."""
    begins = period.days(program.identity.fiscal_year_starts).start
    return max(begins, program.identity.began) >= program.identity.records_from


def compute_figures(records: Records, issue: IssuePeriod) -> pd.DataFrame:
    """Count every measure of the program for each period of an issue.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``period`` as ``str`` and ``value`` as ``int64``, in the order of
        program.toml; one row for each key. A category without records has the value 0. A measure by month has only the
        longest period, and one category for each month of it. Parts of a year that begin before the records have no
        row: their counts are unknown.

    Raises
    ------
    ProgramError
        If records have a value that the issue does not print, and no crosswalk covers it.
    """
    program = records.program
    keys: list[FigureKey] = []
    values: list[int] = []
    for name in program.measures:
        categories = categories_of(program, name, issue)
        *_, longest = periods_of(program, name, issue)
        whole = counted(records, name, issue, longest)
        for period in periods_of(program, name, issue):
            counts = total(_counted_in(records, name, issue, period, longest, whole)).to_dict()
            keys += [FigureKey(name, category, period) for category in categories]
            values += [counts.get(category, 0) for category in categories]
    figures = pd.DataFrame(keys, columns=KEY, dtype="str")
    return figures.assign(value=pd.Series(values, dtype="int64"))


def _counted_in(
    records: Records, name: str, issue: IssuePeriod, period: str, longest: str, whole: pd.DataFrame
) -> pd.DataFrame:
    """Return the records of a period, from those of the longest one if both end on the same day."""
    program = records.program
    span, every = (span_of(program, issue, one) for one in (period, longest))
    if span.end != every.end:
        return counted(records, name, issue, period)
    table = program.measures[name].table
    day = records.tables[table].rows[program.tables[table].date].loc[whole.index]
    return whole if span == every else whole.loc[day.ge(pd.Timestamp(span.start))]


def periods_of(program: Program, measure: str, issue: IssuePeriod) -> tuple[str, ...]:
    """Return the periods that a measure is counted for in an issue, the longest last."""
    every = issue_periods(program, issue)
    return every[-1:] if program.measures[measure].by == "month" else every


def issue_periods(program: Program, issue: IssuePeriod) -> tuple[str, ...]:
    """Return the periods of the figures of an issue, the longest last."""
    parts = [str(part) for part in issue.parts(program.identity.fiscal_year_starts) if has_records(program, part)]
    return (*parts, *own_periods(issue))


def own_periods(issue: IssuePeriod) -> tuple[str, ...]:
    """Return the periods of an issue without its parts: the period itself, and the fiscal year to date."""
    return ("year",) if issue.kind == "year" else (issue.kind, "fytd")


def value_of(figures: pd.DataFrame, measure: str, period: str, category: str = "") -> int:
    """Return one figure.

    Raises
    ------
    ParameterError
        If the table has no such figure. Suggests the most similar measure.
    """
    found = figures.loc[
        figures["measure"].eq(measure) & figures["category"].eq(category) & figures["period"].eq(period), "value"
    ]
    if len(found) != 1:
        key = key_text((measure, category, period))
        raise ParameterError(
            f"There is no figure {key}.",
            [Problem("figure", f"{key!r} is not in the figures table.", nearest(measure, figures["measure"].unique()))],
        )
    return int(found.iloc[0])


def breakdown(figures: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a measure by category: one row for each category in printed order, one column for each period."""
    rows = figures.loc[figures["measure"].eq(measure)]
    wide = rows.pivot_table(index="category", columns="period", values="value", sort=False, aggfunc="sum")
    parts = [period for period in wide.columns if period not in PERIODS]
    return wide[[*parts, *(period for period in PERIODS if period in wide.columns)]]


def figures_csv(figures: pd.DataFrame) -> str:
    """Return the figures table as CSV, with LF line ends on every system."""
    return figures[COLUMNS].to_csv(index=False, lineterminator="\n")


def counted(records: Records, name: str, issue: IssuePeriod, period: str) -> pd.DataFrame:
    """Return the records that a measure counts in a period of an issue, as ``counted_within``."""
    month = issue.last(records.program.identity.fiscal_year_starts)
    return counted_within(records, name, month, span_of(records.program, issue, period))


def counted_within(records: Records, name: str, month: ReportMonth, span: Span) -> pd.DataFrame:
    """Return the records that a measure counts in any span of days.

    Parameters
    ----------
    month
        The issue whose names they are counted under.

    Returns
    -------
    DataFrame
        Rows of the measure's table, with the same index: ``category`` (``""`` without a breakdown) and ``amount``
        (what the record adds). For a measure of distinct values, ``once``: records with the same value in a category
        count once. For a measure of follow-ups, ``followed_on``: the day of the first follow-up record.
    """
    program, measure = records.program, records.program.measures[name]
    table = program.tables[measure.table]
    every = records.tables[measure.table].rows
    by = None if measure.by == "month" else measure.by
    # Categories that ended before the issue's fiscal year have a line only if earlier days are counted.
    begins = month.fytd(program.identity.fiscal_year_starts).start
    early = span.start if span.start < begins else None
    value = None
    if isinstance(measure.count, Sum):
        value = measure.count.sum
    elif isinstance(measure.count, Distinct):
        value = measure.count.distinct
    needed = dict.fromkeys(column for column in (table.date, by, value, *measure.where) if column is not None)
    in_span = every[table.date].between(pd.Timestamp(span.start), pd.Timestamp(span.end))
    rows = every[list(needed)].loc[in_span]
    for column, wanted in measure.where.items():
        _require_value_printed(program, name, column, month, early)
        value_of_rows = as_counted(program, measure.table, column, rows, month)
        _require_printed(value_of_rows, program, name, column, month, early)
        rows = rows.loc[value_of_rows.eq(wanted).fillna(False)]
    if measure.followed_by is not None and isinstance(measure.count, Distinct):
        rows = _followed(records, measure.followed_by, measure.count.distinct, rows, table.date, span)

    if measure.by == "month":
        day = rows[table.date].dt
        category = pd.Series(day.year * 100 + day.month, dtype="category")
        category = category.cat.rename_categories(lambda number: f"{number // 100:04}-{number % 100:02}")
    elif measure.by is not None:
        category = as_counted(program, measure.table, measure.by, rows, month)
        _require_printed(category, program, name, measure.by, month, early)
        if measure.missing is not None:
            category = category.cat.add_categories(measure.missing).fillna(measure.missing)
    else:
        category = pd.Series("", index=rows.index, dtype="category")
    amount = rows[measure.count.sum].fillna(0).astype("int64") if isinstance(measure.count, Sum) else 1
    found = pd.DataFrame({"category": category, "amount": amount}, index=rows.index)
    if "followed_on" in rows:
        found = found.assign(followed_on=rows["followed_on"])
    if isinstance(measure.count, Distinct):
        return found.assign(once=as_counted(program, measure.table, measure.count.distinct, rows, month))
    return found


def total(rows: pd.DataFrame) -> pd.Series:
    """Return the total of the rows of ``counted`` by category."""
    if rows.empty:
        return pd.Series(dtype="int64")
    if "once" in rows:
        rows = rows.loc[rows["once"].notna()].drop_duplicates(["category", "once"])
    return rows.groupby("category", observed=True)["amount"].sum().astype("int64")


def span_of(program: Program, issue: IssuePeriod, period: str) -> Span:
    """Return the days of a period of an issue."""
    starts = program.identity.fiscal_year_starts
    if period == "fytd":
        return issue.last(starts).fytd(starts)
    return (issue if period == issue.kind else parse_period(period)).days(starts)


def _require_value_printed(program: Program, name: str, column: str, month: ReportMonth, start: dt.date | None) -> None:
    """Raise ProgramError if the issue counts the value under another name, because the count would silently be 0."""
    measure = program.measures[name]
    vocabulary = program.tables[measure.table].columns[column].vocabulary
    if vocabulary is None:
        return
    printed = program.printed_values(vocabulary, month, start)
    if measure.where[column] not in printed:
        raise ProgramError(
            f"{name} cannot be counted for {month}.",
            [
                Problem(
                    f"measures.{name}.where.{column}",
                    f"'{measure.where[column]}' is not a value of the issue of {month};",
                    f"it has: {', '.join(printed)} (vocabularies and lifetimes in program.toml).",
                )
            ],
        )


def _require_printed(
    values: pd.Series, program: Program, name: str, column: str, month: ReportMonth, start: dt.date | None
) -> None:
    """Raise ProgramError if records have a value that the issue does not print, because they would be lost."""
    vocabulary = program.tables[program.measures[name].table].columns[column].vocabulary
    if vocabulary is None:
        return
    printed = program.printed_values(vocabulary, month, start)
    # Check the few distinct values first, and the rows only if one of them has no line.
    if set(values.dropna().unique()) - set(printed):
        lost = values.loc[values.notna() & ~values.isin(printed)].value_counts()
        lost = lost.loc[lost.gt(0)]
        raise ProgramError(
            f"The issue of {month} has no line for some records, so {name} would lose them.",
            [
                Problem(
                    f"vocabularies.{vocabulary}",
                    f"{plural(count, 'record has', 'records have')} '{value}', which this issue does not print;",
                    "print the value (lifetimes), or count it under another value (crosswalks).",
                )
                for value, count in lost.items()
            ],
        )


def _followed(records: Records, later_table: str, who: str, rows: pd.DataFrame, date: str, span: Span) -> pd.DataFrame:
    """Return the rows whose person has a record in ``later_table`` on or after that day, up to the end of the span.

    ``followed_on`` is the day of the first such record.
    """
    later = records.tables[later_table].rows
    later_date = records.program.tables[later_table].date
    # Codes that differ only in case are the same person.
    came = pd.DataFrame({"person": later[who].str.casefold(), "followed_on": later[later_date]}).dropna()
    asked = pd.DataFrame({"person": rows[who].str.casefold(), "day": rows[date], "row": rows.index}).dropna()
    first = pd.merge_asof(
        asked.sort_values("day", kind="stable"),
        came.sort_values("followed_on", kind="stable"),
        left_on="day",
        right_on="followed_on",
        by="person",
        direction="forward",
    )
    followed_on = first.set_index("row")["followed_on"].reindex(rows.index)
    return rows.assign(followed_on=followed_on).loc[followed_on.le(pd.Timestamp(span.end))]
