"""The figures table: every number that is printed, charted, checked, compared or downloaded is one row of it.

``measure`` (what is counted), ``category`` (empty for a measure with no breakdown), ``period`` (``month`` or
``fytd``, fiscal year to date) and ``value`` (a whole number). The first three are the key.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from viputils.cleaning import Records
from viputils.errors import ParameterError, Problem, nearest
from viputils.periods import ReportMonth, Span
from viputils.program import Distinct, Measure, Period, Sum

KEY: Final = ["measure", "category", "period"]
COLUMNS: Final = [*KEY, "value"]
PERIODS: Final[tuple[Period, ...]] = ("month", "fytd")


def compute_figures(records: Records) -> pd.DataFrame:
    """Count every measure of the program for the records' month and its fiscal year to date.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``period`` as ``str`` and ``value`` as ``int64``, in program.toml's order; one
        row for each key. A category with no record has the value 0. A measure by month has the period ``fytd``
        only, and one category for each month of it.
    """
    starts = records.program.identity.fiscal_year_starts
    spans = {"month": records.month.span, "fytd": records.month.fytd(starts)}
    parts = []
    for name, measure in records.program.measures.items():
        periods = ("fytd",) if measure.by == "month" else PERIODS
        for period in periods:
            counts = _count(records, name, measure, spans[period])
            parts.append(
                pd.DataFrame({"measure": name, "category": counts.index, "period": period, "value": counts.to_numpy()})
            )
    table = pd.concat(parts, ignore_index=True)
    return table.astype({"measure": "str", "category": "str", "period": "str", "value": "int64"})


def value_of(figures: pd.DataFrame, measure: str, period: str, category: str = "") -> int:
    """Give one figure.

    Raises
    ------
    ParameterError
        Where the table has no such figure, with the nearest measure.
    """
    found = figures.loc[
        figures["measure"].eq(measure) & figures["category"].eq(category) & figures["period"].eq(period), "value"
    ]
    if len(found) != 1:
        key = f"{measure}/{category}/{period}"
        raise ParameterError(
            f"There is no figure {key}.",
            [Problem("figure", f"{key!r} is not in the figures table.", nearest(measure, figures["measure"].unique()))],
        )
    return int(found.iloc[0])


def breakdown(figures: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Give a measure by category: one row for each category in printed order, one column for each period."""
    rows = figures.loc[figures["measure"].eq(measure)]
    wide = rows.pivot_table(index="category", columns="period", values="value", sort=False, aggfunc="sum")
    return wide[[period for period in PERIODS if period in wide.columns]]


def figures_csv(figures: pd.DataFrame) -> str:
    """Write the figures table as CSV, with LF line ends on every system."""
    return figures[COLUMNS].to_csv(index=False, lineterminator="\n")


def _count(records: Records, name: str, measure: Measure, span: Span) -> pd.Series:
    """Count one measure in a span: a Series of whole numbers by category, ``""`` where there is no breakdown."""
    table = records.program.tables[measure.table]
    rows = records.tables[measure.table].rows
    rows = rows.loc[rows[table.date].between(pd.Timestamp(span.start), pd.Timestamp(span.end))]
    for column, value in measure.where.items():
        rows = rows.loc[rows[column].eq(value)]
    if measure.followed_by is not None and isinstance(measure.count, Distinct):
        rows = _followed(records, measure.followed_by, measure.count.distinct, rows, table.date, span)

    if measure.by == "month":
        by = rows[table.date].dt.strftime("%Y-%m")
        starts = records.program.identity.fiscal_year_starts
        last = ReportMonth.of(span.end)
        categories = [str(month) for month in last.fiscal_year(starts).months(until=last)]
    elif measure.by is not None:
        by = rows[measure.by].astype("str")
        categories = records.program.categories(name) or []
    else:
        by = pd.Series("", index=rows.index, dtype="str")
        categories = [""]
    if isinstance(measure.count, Sum):
        counts = rows[measure.count.sum].fillna(0).astype("int64").groupby(by).sum()
    elif isinstance(measure.count, Distinct):
        counts = rows[measure.count.distinct].groupby(by).nunique()
    else:
        counts = rows[table.id].groupby(by).size()
    return counts.reindex(categories, fill_value=0).astype("int64")


def _followed(records: Records, later_table: str, who: str, rows: pd.DataFrame, date: str, span: Span) -> pd.DataFrame:
    """Keep the rows whose person has a record in ``later_table`` on or after that day and by the span's end."""
    later = records.tables[later_table].rows
    later_date = records.program.tables[later_table].date
    later = later.loc[later[later_date].le(pd.Timestamp(span.end))]
    # A code that one table writes in capitals and the other does not is the same person.
    last = later.groupby(later[who].str.casefold())[later_date].max().rename("followed_on")
    both = rows.assign(person=rows[who].str.casefold()).merge(last, left_on="person", right_index=True)
    return both.loc[both["followed_on"].ge(both[date])]
