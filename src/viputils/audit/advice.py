"""What program.toml should say and does not: values, measures and months that look wrong, with the lines to change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.errors import Problem
from viputils.core.months import ReportMonth, Span
from viputils.core.text import plural
from viputils.figures.counts import counted_within, total
from viputils.records.clean import Records, load_records
from viputils.records.deliveries import has_deliveries
from viputils.records.faults import LOOKS_ALIKE
from viputils.records.unknown_values import unknown_values

# How `vip init` marks what it could not know.
_GUESS: Final = re.compile(r"#\s*a guess\b(?P<what>.*)")
_SHOWN: Final = 12


@dataclass(frozen=True)
class Advice:
    """What looks wrong in a project.

    Attributes
    ----------
    problems
        What keeps records from being counted.
    hints
        What may be right, and often is not.
    """

    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...]


def advice_on(project: Project) -> Advice:
    """Return what looks wrong in program.toml, judged by every record that was received.

    Raises
    ------
    DeliveryError
        If a delivery cannot be read.
    """
    hints = list(_guesses(project))
    if not has_deliveries(project):
        what, remedy = "has no delivery yet;", "take in a file: vip intake FILE --received DATE"
        return Advice((), (*hints, Problem("data/raw", what, remedy)))
    records = load_records(project)
    problems = [*unknown_values(project.program, records.quarantine), *_look_alikes(records), *_other_rows(records)]
    if span := _covered(records):
        hints += [*_never(records), *_always_zero(records, span), *_empty_months(records)]
    return Advice(tuple(problems), tuple(hints))


def _guesses(project: Project) -> Iterator[Problem]:
    """Yield the lines that `vip init` could only guess."""
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if found := _GUESS.search(line):
            value = line[: found.start()].strip()
            what = found["what"].strip(" :") or "check it"
            yield Problem(f"program.toml, line {number}", f"{value} is a guess;", f"{what}. Then delete the comment.")


def _covered(records: Records) -> Span | None:
    """Return the days from the first record to the last, or None without records."""
    days = [
        day
        for name, table in records.program.tables.items()
        for rows in [records.tables[name].rows[table.date].dropna()]
        if len(rows)
        for day in (rows.min().date(), rows.max().date())
    ]
    return Span(min(days), max(days)) if days else None


def _look_alikes(records: Records) -> Iterator[Problem]:
    rows = records.quarantine.loc[records.quarantine["reason"].eq(LOOKS_ALIKE)]
    for field, given in rows.groupby("field", sort=False):
        both = zip(given["value"].astype("str"), given["nearest"].astype("str"), strict=True)
        pairs = list(dict.fromkeys(tuple(sorted(pair)) for pair in both))
        listed = ", ".join(f"{one!r} and {other!r}" for one, other in pairs[:_SHOWN])
        yield Problem(
            str(field),
            f"has codes that look like each other: {listed};",
            f'if they are one person or record, write in program.toml:\n      [codes]\n      {field} = "same"\n'
            f'      and if they are not: {field} = "different"',
        )


def _other_rows(records: Records) -> Iterator[Problem]:
    """Yield how many rows are in quarantine for each other reason."""
    rows = records.quarantine.loc[~records.quarantine["reason"].isin(["unknown_value", LOOKS_ALIKE])]
    for (table, field, reason), given in rows.groupby(["table", "field", "reason"], sort=False):
        first = given.iloc[0]
        yield Problem(
            f"{table}.{field}",
            f"keeps {plural(len(given), 'row')} from being counted [{reason}], such as {first['value']!r} in "
            f"{first['file']}, line {first['line']};",
            str(first["remedy"]),
        )


def _never(records: Records) -> Iterator[Problem]:
    """Yield the values of a vocabulary that no record has."""
    program = records.program
    used: dict[str, set[str]] = {}
    for name, table in program.tables.items():
        for column, rule in table.columns.items():
            if rule.vocabulary is not None:
                found = records.tables[name].rows[column].dropna().astype("str").unique()
                used.setdefault(rule.vocabulary, set()).update(found)
    for vocabulary, values in program.vocabularies.items():
        unused = [value for value in values if value not in used.get(vocabulary, set())]
        if unused and vocabulary in used:
            listed = ", ".join(map(repr, unused[:_SHOWN]))
            what = f"has values that no record has: {listed};"
            yield Problem(f"vocabularies.{vocabulary}", what, "check their spelling; if they are right, leave them.")


def _always_zero(records: Records, span: Span) -> Iterator[Problem]:
    """Yield the measures that count nothing."""
    program, month = records.program, ReportMonth.of(span.end)
    for name, measure in program.measures.items():
        if measure.in_issue(month) and not int(total(counted_within(records, name, month, span)).sum()):
            what = f"counts nothing from {span.start} to {span.end};"
            yield Problem(f"measures.{name}", what, f"check {_rules(program, name)}.")


def _rules(program: Program, name: str) -> str:
    measure = program.measures[name]
    where = [f"where.{column} = {value!r}" for column, value in measure.where.items()]
    return " and ".join([*where, f"that table {measure.table} has records"])


def _empty_months(records: Records) -> Iterator[Problem]:
    """Yield the months without a record, between the first and the last record of a table."""
    for name, table in records.program.tables.items():
        days = records.tables[name].rows[table.date].dropna()
        if days.empty:
            continue
        months = set(days.dt.strftime("%Y-%m"))
        every = ReportMonth.of(days.min().date()).until(ReportMonth.of(days.max().date()))
        if empty := [str(month) for month in every if str(month) not in months]:
            what = f"has no record in {', '.join(empty[:_SHOWN])}{' and later months' if len(empty) > _SHOWN else ''};"
            yield Problem(f"tables.{name}", what, "check that no file is missing for these months.")
