"""Vintages: what a month's number was on each day, and how much it was revised as the month grew older.

A vintage is everything as it was known on one day. Its numbers come from a project's own deliveries, or from a file
of vintages that somebody kept.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.cleaning import clean_records
from viputils.deliveries import default_as_of, find_deliveries, read_received
from viputils.errors import DeliveryError, ParameterError, Problem, VintageError, nearest
from viputils.figures import compute_figures
from viputils.periods import ReportMonth, parse_date
from viputils.project import Project

COLUMNS: Final = ("as_of", "month", "measure", "value")

_DAY: Final = "vintage_date"
_MONTH: Final = "event_month"
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


def read_vintages(path: Path, measures: Sequence[str]) -> pd.DataFrame:
    """Read a file of vintages: ``vintage_date``, ``event_month`` and one column of counts for each measure.

    Where a day has several vintages the one that comes last in the file stands, as the last delivery of a day does.

    Returns
    -------
    DataFrame
        ``as_of`` (``datetime64[s]``), ``month`` (``YYYY-MM``), ``measure`` and ``value`` (``int64``); one row for each
        day, month and measure, in order of the days.

    Raises
    ------
    VintageError
        With every line at fault.
    """
    name = path.name
    problems: list[Problem] = []
    rows: list[tuple[str, str, str, int]] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lacking = [column for column in (_DAY, _MONTH, *measures) if column not in (reader.fieldnames or [])]
            if lacking:
                problems.append(
                    Problem(f"{name}, line 1", f"has no column {', '.join(lacking)};", "it needs all of them.")
                )
            for row in reader if not lacking else ():
                problems += _row_problems(f"{name}, line {reader.line_num}", row, measures)
                if not problems:
                    rows += [(row[_DAY], row[_MONTH], measure, int(row[measure])) for measure in measures]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(name, f"cannot be read: {error}.", "It is CSV in UTF-8."))
    if not rows and not problems:
        problems.append(Problem(name, "holds no vintage;", "it has one row for each day and month."))
    if problems:
        raise VintageError("The vintages are not as they must be.", problems)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"month": "str", "measure": "str", "value": "int64"})
    table = table.assign(as_of=pd.to_datetime(table["as_of"]).astype("datetime64[s]"))
    table = table.drop_duplicates(["as_of", "month", "measure"], keep="last")
    return table.sort_values("as_of", kind="stable").reset_index(drop=True)


def _row_problems(where: str, row: dict[str, str], measures: Iterable[str]) -> list[Problem]:
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
    """Count the months of a project as they were known on each day on which something came in.

    Parameters
    ----------
    measures
        Measures of program.toml without a breakdown.

    Returns
    -------
    DataFrame
        As ``read_vintages`` gives them. A month is counted from the day on which its last table came in.

    Raises
    ------
    ParameterError
        Where there is no such measure, or it has a breakdown.
    """
    program = project.program
    problems = [
        Problem("measures", f"{name!r} is not a measure without a breakdown;", nearest(name, program.measures))
        for name in measures
        if name not in program.measures or program.measures[name].by is not None
    ]
    if problems:
        raise ParameterError("There are no such measures.", problems)
    only = program.model_copy(update={"measures": {name: program.measures[name] for name in measures}})
    needed = {one.table for one in only.measures.values()} | {one.followed_by for one in only.measures.values()}
    deliveries = find_deliveries(project)
    received = read_received(project, deliveries, deliveries[-1].received)
    complete = {}
    month = ReportMonth.of(program.identity.records_from)
    while month.span.end < deliveries[-1].received:
        try:
            complete[month] = default_as_of(deliveries, program, month)
        except DeliveryError:
            break  # Of a month that is not all here no number is known yet.
        month = month.plus(1)
    parts = []
    for day in dict.fromkeys(one.received for one in deliveries):
        records = clean_records(only, received.by(day, [name for name in needed if name is not None]))
        for known in (each for each, since in complete.items() if since <= day):
            figures = compute_figures(records, known)
            of_month = figures.loc[figures["period"].eq("month"), ["measure", "value"]]
            parts.append(of_month.assign(as_of=pd.Timestamp(day), month=str(known)))
    empty = pd.DataFrame({"as_of": pd.Series(dtype="datetime64[s]"), "month": "", "measure": "", "value": 0})
    table = pd.concat(parts, ignore_index=True) if parts else empty
    return table[list(COLUMNS)].astype({"as_of": "datetime64[s]", "month": "str", "measure": "str", "value": "int64"})


def revisions(vintages: pd.DataFrame) -> pd.DataFrame:
    """Compare each month with its own first print.

    The first print of a month is its first vintage after the month's end, if that came within the month after it. An
    older month was first printed before the vintages begin, and has none here.

    Returns
    -------
    DataFrame
        One row for each month, measure and age: ``measure``, ``month``, ``age`` (0 in the calendar month after the
        month, 1 in the next one, and so on), ``first`` and ``value`` (the last one known at that age), ``change`` and
        ``percent`` (missing where the first print was 0).
    """
    end = pd.to_datetime(vintages["month"] + "-01") + pd.offsets.MonthEnd(0)
    age = (vintages["as_of"].dt.year - end.dt.year) * 12 + (vintages["as_of"].dt.month - end.dt.month) - 1
    after = vintages.assign(age=age.astype("int64")).loc[vintages["as_of"].gt(end)].sort_values("as_of", kind="stable")
    key = ["measure", "month"]
    first = after.loc[~after.duplicated(key)]
    first = first.loc[first["age"].eq(0), [*key, "value"]].rename(columns={"value": "first"})
    known = after.drop_duplicates([*key, "age"], keep="last").merge(first, on=key, how="inner")
    change = known["value"] - known["first"]
    percent = (100 * change / known["first"]).where(known["first"].gt(0)).astype("Float64")
    found = known.assign(change=change, percent=percent)[[*key, "age", "first", "value", "change", "percent"]]
    return found.sort_values(["measure", "month", "age"]).reset_index(drop=True)


def by_age(revised: pd.DataFrame) -> pd.DataFrame:
    """Say how much months had been revised by each age.

    Returns
    -------
    DataFrame
        One row for each measure and age: ``measure``, ``age``, ``months`` (how many are that old), ``up``, ``down``
        and ``same`` (how many of them had by then risen, fallen, or not moved), ``smallest``, ``median`` and
        ``largest`` (of the percentages).
    """
    sign = revised.assign(up=revised["change"].gt(0), down=revised["change"].lt(0), same=revised["change"].eq(0))
    groups = sign.groupby(["measure", "age"], sort=False)
    counts = groups[["up", "down", "same"]].sum().astype("int64")
    percent = groups["percent"].agg(["min", "median", "max"]).rename(columns={"min": "smallest", "max": "largest"})
    table = counts.assign(months=groups.size()).join(percent).reset_index().sort_values(["measure", "age"])
    columns = ["measure", "age", "months", "up", "down", "same", "smallest", "median", "largest"]
    return table[columns].reset_index(drop=True)


def newest(revised: pd.DataFrame) -> pd.DataFrame:
    """Give each month at the greatest age that is known of it: the first print beside the newest one."""
    return revised.loc[~revised.duplicated(["measure", "month"], keep="last")].reset_index(drop=True)


def still_as_first(vintages: pd.DataFrame) -> pd.DataFrame:
    """Say, for each day, how many months that had been printed by then still had the number of their first print.

    Returns
    -------
    DataFrame
        ``measure``, ``as_of``, ``months`` and ``same``.
    """
    first = revisions(vintages).drop_duplicates(["measure", "month"])[["measure", "month", "first"]]
    end = pd.to_datetime(vintages["month"] + "-01") + pd.offsets.MonthEnd(0)
    known = vintages.loc[vintages["as_of"].gt(end)].merge(first, on=["measure", "month"], how="inner")
    same = known.assign(same=known["value"].eq(known["first"])).groupby(["measure", "as_of"], sort=False)["same"]
    return same.agg(months="size", same="sum").astype("int64").reset_index()
