"""Vintages: the figures of each month as known on each day, and how much they were revised over time.

A vintage is all figures as they were known on one day. They come from a project's own deliveries, or from a file of
saved vintages.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ParameterError, Problem, VintageError, nearest
from viputils.core.months import ReportMonth, parse_date
from viputils.figures.counts import counted, total
from viputils.records.clean import Records, clean_records
from viputils.records.completeness import default_as_of
from viputils.records.deliveries import Delivery, find_deliveries, read_received

COLUMNS: Final = ("as_of", "month", "measure", "value")

_DAY: Final = "vintage_date"
_MONTH: Final = "event_month"
_VINTAGE: Final = "commit"
_KEY: Final = ["measure", "month"]
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


def read_vintages(path: Path, measures: Sequence[str]) -> pd.DataFrame:
    """Read a file of vintages: ``vintage_date``, ``event_month`` and one column of counts for each measure.

    The optional column ``commit`` distinguishes several vintages of one day. The last one in the file wins.

    Returns
    -------
    DataFrame
        ``as_of`` (``datetime64[s]``), ``month`` (``YYYY-MM``), ``measure`` and ``value`` (``int64``); one row for each
        day, month and measure, ordered by day.

    Raises
    ------
    VintageError
        If the file is malformed. Lists every bad line.
    """
    name = path.name
    problems: list[Problem] = []
    rows: list[tuple[str, str, str, int]] = []
    lines: dict[tuple[str, str, str], int] = {}
    try:
        # Programs that write CSV for Excel start the file with a byte-order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            problems += _header_problems(f"{name}, line 1", list(reader.fieldnames or []), measures)
            for row in reader if not problems else ():
                where = f"{name}, line {reader.line_num}"
                faults = _row_problems(where, row, measures)
                if not faults:
                    key = (row[_DAY], row.get(_VINTAGE, ""), row[_MONTH])
                    first = lines.setdefault(key, reader.line_num)
                    if first != reader.line_num:
                        what = f"repeats the day and the month of line {first};"
                        faults = [Problem(where, what, "keep one row for each month of a vintage.")]
                    rows += [(row[_DAY], row[_MONTH], measure, int(row[measure])) for measure in measures]
                problems += faults
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(name, f"cannot be read: {error}.", "Save it as CSV in UTF-8."))
    if not rows and not problems:
        problems.append(Problem(name, "contains no vintage;", "add one row for each day and month."))
    if problems:
        raise VintageError("The vintages are invalid.", problems)
    table = _tidy(rows).drop_duplicates(["as_of", "month", "measure"], keep="last")
    return table.sort_values("as_of", kind="stable").reset_index(drop=True)


def _tidy(rows: Iterable[tuple[str, str, str, int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"month": "str", "measure": "str", "value": "int64"})
    return table.assign(as_of=pd.to_datetime(table["as_of"]).astype("datetime64[s]"))


def _header_problems(where: str, header: Sequence[str], measures: Iterable[str]) -> list[Problem]:
    needed = (_DAY, _MONTH, *measures)
    lacking = [column for column in needed if column not in header]
    twice = [column for column in (*needed, _VINTAGE) if header.count(column) > 1]
    problems = [Problem(where, f"has no column {', '.join(lacking)};", "add the missing columns.")] if lacking else []
    problems += [Problem(where, f"has several columns {column};", "keep one of them.") for column in twice]
    return problems


def _row_problems(where: str, row: Mapping[str | None, str | None], measures: Iterable[str]) -> list[Problem]:
    if None in row or None in row.values():
        what = f"has {'more' if None in row else 'fewer'} fields than the header;"
        return [Problem(where, what, "write one value for each column.")]
    problems = []
    for parse, column in ((parse_date, _DAY), (ReportMonth.parse, _MONTH)):
        try:
            parse(row[column] or "")
        except ParameterError as error:
            problems += [Problem(f"{where}, {column}", problem.what, problem.remedy) for problem in error.problems]
    for measure in measures:
        if not _WHOLE.fullmatch(row[measure] or ""):
            problems.append(
                Problem(
                    f"{where}, {measure}", f"{row[measure]!r} is not a whole number;", "write digits only, as in 12."
                )
            )
    return problems


def vintages_of(project: Project, measures: Sequence[str]) -> pd.DataFrame:
    """Count the months of a project as they were known on the day of each delivery.

    Parameters
    ----------
    measures
        Measures of program.toml without a breakdown.

    Returns
    -------
    DataFrame
        As from ``read_vintages``. A month is counted from the day its last table arrived.

    Raises
    ------
    ParameterError
        If a measure does not exist, or has a breakdown.
    """
    program = project.program
    problems = [
        Problem("measures", f"{name!r} is not a measure without a breakdown;", nearest(name, program.measures))
        for name in measures
        if name not in program.measures or program.measures[name].by is not None
    ]
    if problems:
        raise ParameterError("There are no such measures.", problems)
    counts = [program.measures[name] for name in measures]
    needed = {one.table for one in counts} | {one.followed_by for one in counts if one.followed_by is not None}
    deliveries = find_deliveries(project)
    received = read_received(project, deliveries, deliveries[-1].received)
    complete = complete_months(deliveries, program)
    rows = []
    for day in dict.fromkeys(one.received for one in deliveries):
        records = clean_records(program, received.by(day, sorted(needed)))
        rows += [
            (str(day), str(known), name, int(total(counted(records, name, known, "month")).sum()))
            for known, since in complete.items()
            if since <= day
            for name in measures
        ]
    return _tidy(rows)


def table_vintages(records: Records, tables: Sequence[str]) -> pd.DataFrame:
    """Count the rows of tables by month as they were known on the day of each delivery.

    Returns
    -------
    DataFrame
        As from ``read_vintages``, with the name of the table as the ``measure``. A month is counted from the day its
        last table arrived.
    """
    program, received = records.program, records.received
    complete = complete_months(received.deliveries, program)
    rows = []
    for day in dict.fromkeys(one.received for one in received.deliveries):
        known = clean_records(program, received.by(day, tables))
        months = [str(month) for month, since in complete.items() if since <= day]
        for name in tables:
            counts = rows_by_month(known, name, months)
            rows += [(str(day), month, name, int(count)) for month, count in zip(months, counts, strict=True)]
    return _tidy(rows)


def rows_by_month(records: Records, table: str, months: Sequence[str]) -> pd.Series:
    """Return the number of kept rows of a table in each of the months (``YYYY-MM``)."""
    days = records.tables[table].rows[records.program.tables[table].date]
    counts: pd.Series = days.dt.strftime("%Y-%m").value_counts().reindex(months, fill_value=0)
    return counts


def complete_months(deliveries: Sequence[Delivery], program: Program) -> dict[ReportMonth, dt.date]:
    """Return the months that can be counted, in order, with the day on which the last table of each arrived."""
    complete: dict[ReportMonth, dt.date] = {}
    month = ReportMonth.of(program.identity.records_from)
    while month.span.end < deliveries[-1].received:
        try:
            complete[month] = default_as_of(deliveries, program, month)
        except DeliveryError:
            break  # An incomplete month has no figures yet, and neither have later months.
        month = month.plus(1)
    return complete


def first_prints(vintages: pd.DataFrame) -> pd.DataFrame:
    """Return the first print of each month: its first vintage, if that is from the next calendar month.

    Months that were first printed before the vintages begin are left out. Their first figures are unknown, and a change
    in what the data covers would look like a revision.

    Returns
    -------
    DataFrame
        One row for each measure and month: ``measure``, ``month``, ``first_on`` (the day) and ``first`` (the number).
    """
    after = _after_the_month(vintages)
    first = after.loc[~after.duplicated(_KEY)]
    first = first.loc[first["age"].eq(0), [*_KEY, "as_of", "value"]]
    return first.rename(columns={"as_of": "first_on", "value": "first"}).reset_index(drop=True)


def revisions(vintages: pd.DataFrame) -> pd.DataFrame:
    """Compare each month with its own first print.

    Returns
    -------
    DataFrame
        One row for each month, measure and age with a vintage: ``measure``, ``month``, ``age`` (0 in the
        calendar month after the month, 1 in the next one, and so on), ``first`` (its first print) and ``value`` (the
        last one known at that age), ``change`` and ``percent`` (missing if the first print was 0).
    """
    last = _after_the_month(vintages).drop_duplicates([*_KEY, "age"], keep="last")
    known = last.merge(first_prints(vintages), on=_KEY, how="inner")
    change = known["value"] - known["first"]
    percent = (100 * change / known["first"]).where(known["first"].gt(0)).astype("Float64")
    found = known.assign(change=change, percent=percent)[[*_KEY, "age", "first", "value", "change", "percent"]]
    return found.sort_values([*_KEY, "age"]).reset_index(drop=True)


def _after_the_month(vintages: pd.DataFrame) -> pd.DataFrame:
    """Return the vintages of finished months with the age of the month, ordered by day."""
    end = pd.to_datetime(vintages["month"] + "-01") + pd.offsets.MonthEnd(0)
    age = (vintages["as_of"].dt.year - end.dt.year) * 12 + (vintages["as_of"].dt.month - end.dt.month) - 1
    over = vintages["as_of"].gt(end)
    return vintages.assign(age=age.astype("int64")).loc[over].sort_values("as_of", kind="stable")


def by_age(revised: pd.DataFrame) -> pd.DataFrame:
    """Return how much months were revised by each age.

    Returns
    -------
    DataFrame
        One row for each measure and age: ``measure``, ``age``, ``months`` (the number with a vintage at that age),
        ``up``, ``down`` and ``same`` (how many of them had risen, fallen or stayed the same), ``smallest_change``,
        ``median_change`` and ``largest_change`` (of the counts), ``smallest``, ``median`` and ``largest`` (of the
        percentages; missing if no month has one).
    """
    sign = revised.assign(up=revised["change"].gt(0), down=revised["change"].lt(0), same=revised["change"].eq(0))
    groups = sign.groupby(["measure", "age"], sort=False)
    counts = groups[["up", "down", "same"]].sum().astype("int64")
    sizes = {"min": "smallest", "median": "median", "max": "largest"}
    change = groups["change"].agg(list(sizes)).rename(columns=sizes).add_suffix("_change")
    percent = groups["percent"].agg(list(sizes)).rename(columns=sizes)
    table = counts.assign(months=groups.size()).join(change).join(percent).reset_index()
    columns = ["measure", "age", "months", "up", "down", "same", *change.columns, *percent.columns]
    return table[columns].sort_values(["measure", "age"]).reset_index(drop=True)


def newest(revised: pd.DataFrame) -> pd.DataFrame:
    """Return each month at its greatest known age, with its first print and its newest figure."""
    return revised.loc[~revised.duplicated(_KEY, keep="last")].reset_index(drop=True)


def still_as_first(vintages: pd.DataFrame) -> pd.DataFrame:
    """Return, for each day, how many printed months still had the figure of their first print.

    Returns
    -------
    DataFrame
        ``measure``, ``as_of``, ``months`` and ``same``.
    """
    known = _after_the_month(vintages).merge(first_prints(vintages), on=_KEY, how="inner")
    same = known.assign(same=known["value"].eq(known["first"])).groupby(["measure", "as_of"], sort=False)["same"]
    return same.agg(months="size", same="sum").astype("int64").reset_index()


def moves(vintages: pd.DataFrame) -> pd.DataFrame:
    """Return, for each day, how many finished months differ from the previous vintage.

    A late record changes one month. If many months change on one day, the coverage or the compilation of the data has
    changed.

    Returns
    -------
    DataFrame
        ``measure``, ``as_of``, ``months``, ``moved`` (how many of them changed) and ``change`` (the total change).
    """
    after = _after_the_month(vintages)
    change = after.groupby(_KEY, sort=False)["value"].diff()
    found = after.assign(moved=change.ne(0), change=change).loc[change.notna()]
    days = found.groupby(["measure", "as_of"], sort=False)
    return (
        days.agg(months=("month", "size"), moved=("moved", "sum"), change=("change", "sum"))
        .astype("int64")
        .reset_index()
    )
