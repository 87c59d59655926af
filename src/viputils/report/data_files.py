"""Data to take away: the figures of an issue as CSV and JSON, those of all issues as one CSV, and what they hold.

Each folder of data has a ``datapackage.json`` (a Data Package, https://datapackage.org), from which people and programs
learn what every column means, where the data comes from and what may be done with it. docs/data.md describes the files.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import pandas as pd

from viputils.audit.as_of import OwnDays, issue_day
from viputils.audit.register import Register, read_register
from viputils.audit.verdicts import RecordsByDay
from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.errors import DeliveryError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.periods import is_long, parse_period
from viputils.core.spreadsheet import inert_table
from viputils.core.text import plural, uncapital
from viputils.figures.counts import COLUMNS, FIGURES_CSV, KEY, PERIODS, figures_csv, issue_periods
from viputils.figures.edition import Edition
from viputils.figures.series import every_measure
from viputils.records.deliveries import find_deliveries, has_deliveries

FIGURES_JSON: Final = "figures.json"
SERIES_CSV: Final = "series.csv"
ALL_ISSUES: Final = "all-issues.csv"
PACKAGE: Final = "datapackage.json"

PUBLISHED: Final = "published"
COUNTED: Final = "counted"
ALL_COLUMNS: Final = ("source", "issue", "month", "as_of", "replaced_by", "origin", *COLUMNS)

_PROFILES: Final = "https://datapackage.org/profiles/2.0/"


def issue_data(edition: Edition, name: str) -> dict[str, bytes]:
    """Return the files of data that stand beside an issue.

    Parameters
    ----------
    name
        What the issue's files are called: ``vip-2023-11``.

    Returns
    -------
    dict
        The content of ``figures.csv``, ``figures.json``, ``series.csv`` and ``datapackage.json``, the same bytes on
        every machine.
    """
    program = edition.program
    title = f"{program.identity.name} {program.identity.report_title}, {edition.period.label}"
    left_out = len(edition.records.quarantine)
    statement = _statement(program, edition.records.is_demonstration)
    about = {
        "month": str(edition.period),
        "as_of": edition.as_of.isoformat(),
        "demonstration": statement,
        "rows_left_out": left_out,
    }
    labels = edition.figures["measure"].map({key: measure.label for key, measure in program.measures.items()})
    figures = edition.figures.assign(label=labels)[["measure", "label", "category", "period", "value"]]
    files = {
        FIGURES_CSV: figures_csv(edition.figures).encode(),
        FIGURES_JSON: _json({"issue": title, **about, "figures": figures.to_dict("records")}),
        SERIES_CSV: every_measure(edition.records, edition.month).to_csv(index=False, lineterminator="\n").encode(),
    }
    description = (
        f"Every number of the report, one a row: {_counted_periods(edition)}, "
        f"counted from the records received by {edition.as_of}."
    )
    if left_out:
        description += (
            f" {plural(left_out, 'row')} that could not be read {'was' if left_out == 1 else 'were'} left out."
        )
    resources = [
        _resource(
            FIGURES_CSV,
            files[FIGURES_CSV],
            "The figures as CSV",
            "One row for each figure.",
            _schema(program, COLUMNS, [edition.period]),
        ),
        _resource(
            FIGURES_JSON,
            files[FIGURES_JSON],
            "The figures as JSON",
            "The same, each with the label of its measure, in the list `figures`; beside it what the report is.",
            _schema(program, figures.columns, [edition.period]),
        ),
        _resource(
            SERIES_CSV,
            files[SERIES_CSV],
            "Every measure month by month, as CSV",
            "One row for each measure, category and month since the records begin, as they were known by the as-of "
            "date: the numbers of the charts that reach back beyond the report's own months.",
            _series_schema(program),
        ),
    ]
    files[PACKAGE] = _package(program, name, title, description, edition.as_of, about, resources)
    return files


def all_issues(
    project: Project,
    as_of: dt.date | None = None,
    allow_quarantined: bool = False,
    left_out: Collection[dt.date] = (),
    before: ReportMonth | None = None,
) -> pd.DataFrame:
    """Return every figure of every issue as it was published, and of every month as it is counted.

    A month is counted as of its issue's own date, which does not change with what is delivered later.

    Parameters
    ----------
    as_of
        Count every month as of this day instead, and leave out the issues that were made from later records.
    allow_quarantined, left_out
        Whether every month may be counted without the rows that are in quarantine, or those that are counted as of
        some days. Any other month with rows in quarantine is left out (``months_left_out``).
    before
        Leave out this month and later ones, by default none.

    Returns
    -------
    DataFrame
        ``source`` (``published`` or ``counted``), ``issue``, ``month``, ``as_of`` (a date as text, empty where the
        print states none), ``replaced_by`` (the re-issue in whose favor it does not stand), ``origin`` (where the
        figures come from) and the columns of the figures table. All of them ``str``, ``value`` ``int64``. Published
        issues come first.

    Raises
    ------
    PublishedError
        If the register is invalid.
    DeliveryError
        If there is nothing at all, or a delivery cannot be read.
    """
    program, register = project.program, read_register(project)
    parts = [pd.DataFrame(columns=list(ALL_COLUMNS))]
    starts = program.identity.fiscal_year_starts
    # Of a re-issue that was not made by that day, the issue that it replaces says nothing.
    by = as_of or dt.date.max
    seen = Register(
        tuple(
            one
            for one in register.issues
            if one.name.period.days(starts).end < by
            and (one.as_of or by) <= by
            and (before is None or one.name.period.last(starts) < before)
        )
    )
    for issue in seen.issues:
        replaced_by = seen.replaced_by(issue.name)
        said = (str(issue.name), issue.name.period, issue.as_of, str(replaced_by.name) if replaced_by else "")
        parts.append(_rows(PUBLISHED, *said, issue.source, issue.figures))
    if has_deliveries(project) or not register.issues:
        days = OwnDays(project, find_deliveries(project), many=True)
        months, _ = countable_months(project, days, as_of, None if allow_quarantined else left_out)
        months = {month: day for month, day in months.items() if before is None or month < before}
        newest = max(months.values(), default=days.deliveries[-1].received)
        records = RecordsByDay(program, days.shelf.received(newest))
        for month, day in months.items():
            edition = Edition(month, records.on(day), records.figures(month, day))
            mark = program.demonstration.mark if program.demonstration else ""
            origin = mark if edition.records.is_demonstration else "Records"
            parts.append(_rows(COUNTED, str(month), month, day, "", origin, edition.figures))
    table = pd.concat(parts, ignore_index=True)
    return table.astype({name: "str" for name in ALL_COLUMNS if name != "value"} | {"value": "int64"})


def countable_months(
    project: Project,
    days: OwnDays,
    as_of: dt.date | None = None,
    with_quarantine: Collection[dt.date] | None = None,
) -> tuple[dict[ReportMonth, dt.date], dict[ReportMonth, str]]:
    """Find the months whose issue can be counted, from the first that the records cover to the newest delivered.

    Parameters
    ----------
    as_of
        Only what was received by this day counts.
    with_quarantine
        The as-of days of months that can be counted although rows are in quarantine; by default all days.

    Returns
    -------
    tuple
        The as-of date of each month that can be counted, and why each of the others cannot.
    """
    months: dict[ReportMonth, dt.date] = {}
    others: dict[ReportMonth, str] = {}
    month = ReportMonth.of(project.program.identity.records_from)
    newest = days.deliveries[-1].received if as_of is None else min(as_of, days.deliveries[-1].received)
    while month.span.end < newest:
        try:
            day = issue_day(project, days.deliveries, month, as_of, days)
            if with_quarantine is None or day in with_quarantine or days.is_free(day):
                months[month] = day
            else:
                others[month] = f"Rows are in quarantine as of {day}: `vip check {month}` lists them."
        except DeliveryError as error:
            others[month] = error.summary.removesuffix(" Nothing was made.")
        month = month.plus(1)
    return months, others


def months_left_out(
    project: Project, as_of: dt.date | None = None, with_quarantine: Collection[dt.date] | None = ()
) -> dict[ReportMonth, str]:
    """Return the months that ``all_issues`` cannot count although they are over, each with the reason."""
    return (
        countable_months(project, OwnDays(project, find_deliveries(project), many=True), as_of, with_quarantine)[1]
        if has_deliveries(project)
        else {}
    )


def all_issues_csv(table: pd.DataFrame) -> str:
    """Write what ``all_issues`` gives as CSV in which no spreadsheet finds a formula, with LF line ends."""
    return inert_table(table).to_csv(index=False, lineterminator="\n")


def all_issues_data(
    project: Project,
    allow_quarantined: bool = False,
    left_out: Collection[dt.date] = (),
    before: ReportMonth | None = None,
) -> dict[str, bytes]:
    """Return the content of ``all-issues.csv`` and of the ``datapackage.json`` beside it.

    Parameters
    ----------
    allow_quarantined, left_out, before
        As ``all_issues``.

    Raises
    ------
    PublishedError, DeliveryError
        As ``all_issues``.
    """
    program = project.program
    table = all_issues(project, allow_quarantined=allow_quarantined, left_out=left_out, before=before)
    content = all_issues_csv(table).encode()
    mark = program.demonstration.mark if program.demonstration else ""
    demonstration = bool((table["source"].eq(COUNTED) & table["origin"].eq(mark)).any())
    days = [dt.date.fromisoformat(day) for day in table["as_of"].unique() if day]
    resource = _resource(
        ALL_ISSUES,
        content,
        "The figures of all issues as CSV",
        "One row for each figure. The same month can stand here as published, as published again, and as counted.",
        _schema(program, ALL_COLUMNS, [parse_period(name) for name in table["month"].unique()]),
    )
    description = "Every figure of every issue as it was published, and of every month with data as it is counted."
    if allow_quarantined or left_out:
        description += " Rows that could not be read as they should, where there were any, were left out."
    package = _package(
        program,
        "all-issues",
        f"{program.identity.name} {program.identity.report_title}, all issues",
        description,
        # Without any date of its own it has that of the first record.
        max(days, default=program.identity.records_from),
        {"demonstration": _statement(program, demonstration)},
        [resource],
    )
    return {ALL_ISSUES: content, PACKAGE: package}


def _rows(
    source: str,
    issue: str,
    period: IssuePeriod,
    as_of: dt.date | None,
    replaced_by: str,
    origin: str,
    figures: pd.DataFrame,
) -> pd.DataFrame:
    said = {
        "source": source,
        "issue": issue,
        "month": str(period),
        "as_of": as_of.isoformat() if as_of else "",
        "replaced_by": replaced_by,
        "origin": origin,
    }
    return figures.assign(**said)[list(ALL_COLUMNS)]


def _package(
    program: Program,
    name: str,
    title: str,
    description: str,
    as_of: dt.date,
    about: dict[str, Any],
    resources: Sequence[dict[str, Any]],
) -> bytes:
    """Write a Data Package. What stands in ``about`` are properties of our own, which the standard allows."""
    if about["demonstration"]:
        # Readers take a description for Markdown, so it holds no text from a file.
        description += " This is sample data, as `demonstration` explains."
    if not program.data.licenses:
        description += " No license is stated: ask the publisher before you use it."
    return _json(
        {
            "$schema": f"{_PROFILES}datapackage.json",
            "name": name,
            "title": title,
            "description": description,
            # A version as semver.org would have it, and never the day on which it was made.
            "version": f"{as_of.year}.{as_of.month}.{as_of.day}",
            **about,
            **_terms(program),
            "resources": list(resources),
        }
    )


def _terms(program: Program) -> dict[str, Any]:
    """Return licenses and sources; the standard has no empty list of them."""
    terms = {
        "licenses": [one.model_dump() for one in program.data.licenses],
        "sources": [one.model_dump(exclude_none=True) for one in program.data.sources],
    }
    return {name: each for name, each in terms.items() if each}


def _resource(file: str, content: bytes, title: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    kind = file.rsplit(".", maxsplit=1)[1]
    resource: dict[str, Any] = {
        "name": file.replace(".", "-"),
        "type": "table",
        "path": file,
        "title": title,
        "description": description,
        "format": kind,
        "mediatype": {"csv": "text/csv", "json": "application/json"}[kind],
        "encoding": "utf-8",
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    if kind == "json":
        # Where the rows are: as the standard says it, and as its Python library still reads it.
        resource["dialect"] = {"property": "figures", "json": {"property": "figures"}}
    return {**resource, "schema": schema}


def _schema(program: Program, columns: Iterable[str], issues: Collection[IssuePeriod] = ()) -> dict[str, Any]:
    """Describe a table of figures.

    Parameters
    ----------
    issues
        The issues that the table is about. Months need no more than the description of the columns.
    """
    names = list(columns)
    longer = [one for one in issues if is_long(one)]
    more = _longer_fields(program, longer, periods=PERIODS if len(longer) < len(issues) else ()) if longer else {}
    key = ["source", "issue", *KEY] if "source" in names else list(KEY)
    return {
        "$schema": f"{_PROFILES}tableschema.json",
        "fieldsMatch": "exact",
        "fields": [_field(program, name) | more.get(name, {}) for name in names],
        "primaryKey": key,
        # An empty category is a value: it says that there is no breakdown.
        "missingValues": [],
    }


def _longer_fields(
    program: Program, issues: Collection[IssuePeriod], periods: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Describe the columns of a table that has figures of quarters or years, beside those of some other periods."""
    every = dict.fromkeys([*periods, *(name for one in issues for name in issue_periods(program, one))])
    of_each = {name: f"the {name}" for name in ("month", "quarter", "year")}
    of_each["fytd"] = f"the {program.identity.year} to date"
    required = {"required": True}
    return {
        "issue": {
            "description": "The name of the issue: its month, quarter or fiscal year, and for a re-issue its number.",
            "constraints": {**required, "pattern": r"([0-9]{4}-[0-9]{2}|FY[0-9]{4}(-Q[1-4])?)(-r[1-9][0-9]?)?"},
        },
        "month": {
            "type": "string",
            "title": "Period",
            "description": "The month (2023-11), quarter (FY2024-Q1) or fiscal year (FY2024) of the issue.",
        },
        "period": {
            "description": "The days that are counted. Periods other than the whole and the year to date are parts of "
            "a quarter or of a fiscal year.",
            "categories": [{"value": name, "label": of_each.get(name) or parse_period(name).label} for name in every],
            "constraints": {**required, "enum": list(every)},
        },
    }


def _counted_periods(edition: Edition) -> str:
    """Return in words what the figures of an issue count."""
    year, period = edition.program.identity.year, edition.period
    if period.kind == "month":
        return f"{period.label} and its {year} to date"
    return (
        f"{period.label} and its quarters"
        if period.kind == "year"
        else f"{period.label}, its months and the {year} to date"
    )


def _series_schema(program: Program) -> dict[str, Any]:
    """Describe the table of months; there a number can be missing."""
    month = _field(program, "month") | {"description": "The month that is counted."}
    value = _field(program, "value")
    value |= {
        "description": "How many: 0 where there was none, and empty where it is not known, because the month was not "
        "delivered.",
        "constraints": {"minimum": 0},
        "missingValues": [""],
    }
    fields = [_field(program, "measure"), _field(program, "category"), month, value]
    return _schema(program, []) | {"fields": fields, "primaryKey": ["measure", "category", "month"]}


def _field(program: Program, name: str) -> dict[str, Any]:
    """Describe a column of any of the tables."""
    year = program.identity.year
    required: dict[str, Any] = {"required": True}
    fields: dict[str, dict[str, Any]] = {
        "source": {
            "type": "string",
            "title": "Published or counted",
            "description": "Whether the figure is as it was printed, or as the records received by the as-of date "
            "give it. Never add them up.",
            "categories": [
                {"value": PUBLISHED, "label": "as it was printed in the issue"},
                {"value": COUNTED, "label": "as the records received by the as-of date give it"},
            ],
            "constraints": {**required, "enum": [PUBLISHED, COUNTED]},
        },
        "issue": {
            "type": "string",
            "title": "Issue",
            "description": "The name of the issue: its month, and for a re-issue its number, as in 2023-11-r1. Of a "
            "counted figure, its month.",
            "constraints": {**required, "pattern": r"[0-9]{4}-[0-9]{2}(-r[1-9][0-9]?)?"},
        },
        "month": {
            "type": "yearmonth",
            "title": "Month",
            "description": "The month that the issue reports on.",
            "constraints": required,
        },
        "as_of": {
            "type": "date",
            "title": "As-of date",
            "description": "The day by which everything counted had been received; empty where a printed issue states "
            "none.",
            "missingValues": [""],
        },
        "replaced_by": {
            "type": "string",
            "title": "Replaced by",
            "description": "The newest re-issue of the month, where the issue was replaced; empty where it stands.",
        },
        "origin": {
            "type": "string",
            "title": "Origin",
            "description": "Where the figure comes from: the printed issue, or which kind of records.",
            "constraints": required,
        },
        "measure": {
            "type": "string",
            "title": "Measure",
            "description": "What is counted.",
            "categories": [{"value": each, "label": _in_words(program, each)} for each in program.measures],
            "constraints": {**required, "enum": list(program.measures)},
        },
        "label": {
            "type": "string",
            "title": "Label",
            "description": "What the report calls the measure, or what it is broken down by.",
            "constraints": required,
        },
        "category": {
            "type": "string",
            "title": "Category",
            "description": "The category that is counted, as the report prints it; a month where the measure is broken "
            "down by month; empty where it is not broken down.",
        },
        "period": {
            "type": "string",
            "title": "Period",
            "description": f"Whether the month is counted, or the {year} to date, which ends with the month.",
            "categories": [{"value": "month", "label": "the month"}, {"value": "fytd", "label": f"the {year} to date"}],
            "constraints": {**required, "enum": list(PERIODS)},
        },
        "value": {
            "type": "integer",
            "title": "Value",
            "description": "How many: a whole number. It is 0 where there was none.",
            "constraints": {**required, "minimum": 0},
        },
    }
    return {"name": name, **fields[name]}


def _in_words(program: Program, name: str) -> str:
    """Return what a measure counts: ``Responses to incidents, by area command``."""
    measure = program.measures[name]
    title = program.tables[measure.table].title
    if measure.by is None:
        return f"{title}: {measure.label}"
    return f"{title}, by {uncapital(measure.label)}"


def _statement(program: Program, demonstration: bool) -> str | None:
    """Return the statement about sample data, if this is sample data."""
    return program.demonstration.statement.strip() if demonstration and program.demonstration else None


def _json(content: dict[str, Any]) -> bytes:
    """Write JSON with LF line ends on every system."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
