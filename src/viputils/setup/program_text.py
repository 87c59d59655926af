"""The text of program.toml for a draft, with a comment for each guess."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from viputils.config.program import heading_key
from viputils.core.text import plural
from viputils.records.values import CODE_IN_WORDS
from viputils.setup.columns import Column, counts_of
from viputils.setup.draft import Draft, DraftTable
from viputils.setup.profile import ColumnProfile

_MOST_BREAKDOWNS = 4
_MOST_HEADLINES = 4
_NOT_RECORDED = "Not recorded"


def program_text(draft: Draft, city: str) -> str:
    """Return program.toml for a draft.

    Parameters
    ----------
    city
        The name of the city if no answer gives it.
    """
    vocabularies = _vocabularies(draft)
    names = {(table, column.name): name for name, table, column, _ in vocabularies}
    parts = [
        _identity(draft, city),
        *(line for name, _, column, profile in vocabularies for line in _vocabulary(name, column, profile)),
        *(line for table in draft.tables for line in _table(table, names)),
        *_intake(draft),
        *_measures(draft),
        *_report(draft),
    ]
    return "\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _identity(draft: Draft, city: str) -> str:
    given = draft.answers
    guess = "  # a guess: change it"
    names = {
        "name": "Violence Intervention Program",
        "short_name": "VIP",
        "city": city,
        "department": "Department of Public Safety",
        "report_title": "Monthly Informational Report",
        "site": "EXAMPLE.ORG",
    }
    lines = [
        "# Everything that is specific to this city. Each guess has a comment that says what was seen.",
        "# `vip doctor` checks this file against the records, and prints the lines to change.",
        "",
        "[program]",
        *(
            f"{key} = {_quoted(answer or value)}{'' if answer else guess}"
            for key, value in names.items()
            for answer in [getattr(given, key)]
        ),
        f"language = {_quoted(given.language or 'en')}",
        f"fiscal_year_starts = {draft.fiscal_year_starts}"
        + ("" if given.fiscal_year_starts else "  # a guess: the month in which your fiscal year begins; 1 is January"),
        f"began = {given.began or draft.first}"
        + ("" if given.began else "  # a guess: the day on which the program began"),
        f"records_from = {draft.first}  # the first record is of {min(table.first for table in draft.tables)}",
        'delivered = "irregularly"  # or "monthly", if a month without a delivery is an error',
    ]
    return "\n".join(lines)


def _vocabularies(draft: Draft) -> list[tuple[str, str, Column, ColumnProfile]]:
    """Return the vocabularies: the name, the table, the column, and what the column contains."""
    found: list[tuple[str, str, Column, ColumnProfile]] = []
    for table in draft.tables:
        for column in table.of_role("category"):
            profile = table.profile.column(column.heading)
            name = column.name if column.name not in {one[0] for one in found} else f"{table.name}_{column.name}"
            if profile is not None:
                found.append((name, table.name, column, profile))
    return found


def _vocabulary(name: str, column: Column, profile: ColumnProfile) -> Iterator[str]:
    counts = dict(counts_of(profile, column.values))
    yield ""
    yield f"# {_one_line(column.heading)}: {column.seen}. The report prints the values in this order."
    yield f"[vocabularies.{name}]"
    for value, spellings in column.values.items():
        yield f"{_quoted(value)} = {json.dumps(spellings, ensure_ascii=False)}  # {plural(counts[value], 'row')}"


def _one_line(text: str) -> str:
    """Return a text of a file for a comment."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _table(table: DraftTable, vocabularies: Mapping[tuple[str, str], str]) -> Iterator[str]:
    profile = table.profile
    read = "" if profile.read >= profile.rows else f"; the values of {profile.read:,} were counted"
    yield ""
    yield f"# {_one_line(profile.sheet.where)}: {plural(profile.rows, 'row')}{read}."
    yield f"[tables.{table.name}]"
    yield f"title = {_quoted(table.title)}"
    if table.id is None:
        yield f'id = "row"  # no column has an id for each row ({CODE_IN_WORDS}), so each row is a record'
    else:
        yield f"id = {_quoted(table.id.name)}  # {_one_line(table.id.heading)}: {table.id.seen}"
    yield f"date = {_quoted(table.date.name)}  # {_one_line(table.date.heading)}: {table.date.seen}"
    if table.delivery == "snapshot":
        yield 'delivery = "snapshot"  # each file is the whole table; if files add and correct, write "incremental"'
        if table.id is not None and not table.is_unique:
            yield "one_row_per_id = false"
    yield f'columns.{table.date.name} = {{ type = "date" }}'
    for column in table.columns:
        if column.role == "left out":
            continue
        vocabulary = (
            f", vocabulary = {_quoted(vocabularies[table.name, column.name])}" if column.role == "category" else ""
        )
        needed = "" if column.required else ", required = false"
        yield (
            f'columns.{column.name} = {{ type = "{column.role}"{vocabulary}{needed} }}'
            f"  # {_one_line(column.heading)}: {column.seen}"
        )


def _intake(draft: Draft) -> Iterator[str]:
    yield ""
    yield "[intake]"
    either = "a guess: every date fits both orders" if draft.either_order else "judged by all dates"
    yield f'date_order = "{draft.order}"  # {either}; the other one is "{_other(draft.order)}"'
    if draft.zone is not None:
        guess = "" if draft.answers.time_zone else "a guess: some times have a zone, which is ignored; "
        yield f'time_zone = {_quoted(draft.zone)}  # {guess}or a zone to convert to, as in "America/Denver"'
    if draft.others:
        yield f"sheets_left_out = {json.dumps(list(draft.others), ensure_ascii=False)}  # no records"
    for table in draft.tables:
        headed = [one for one in (table.id, table.date, *table.columns) if one is not None and one.role != "left out"]
        unlike = [one for one in headed if heading_key(one.heading) != heading_key(one.name)]
        if unlike:
            yield ""
            yield f"[intake.headings.{table.name}]"
            yield from (f"{one.name} = [{_quoted(one.heading)}]" for one in unlike)
    left_out = {table.name: table.of_role("left out") for table in draft.tables}
    if any(left_out.values()):
        yield ""
        yield "# Columns that the report does not need. To use one, delete its line and describe it in its table above."
        yield "[intake.left_out]"
    for name, columns in left_out.items():
        if columns:
            yield f"{name} = ["
            yield from (f"    {_quoted(one.heading)},  # {one.seen}" for one in columns)
            yield "]"


def _other(order: str) -> str:
    return "day first" if order == "month first" else "month first"


def _measure(name: str, label: str, table: str, count: str, *more: str) -> list[str]:
    return ["", f"[measures.{name}]", f"label = {_quoted(label)}", f'table = "{table}"', f"count = {count}", *more]


_PRINTED = 'printed = ["month", "fytd"]'


def _headlines(table: DraftTable) -> Iterator[tuple[str, list[str]]]:
    """Yield the measures without a breakdown: their names, and their lines."""
    yield table.name, _measure(table.name, table.records, table.name, '"rows"', _PRINTED)
    if table.id is not None and not table.is_unique:
        name = f"{table.name}_{table.id.name}"
        label = f"different values of {_one_line(table.id.heading)}"
        yield name, _measure(name, label, table.name, f'{{ distinct = "{table.id.name}" }}', _PRINTED)
    for column in table.of_role("count"):
        name, words = f"{table.name}_{column.name}", column.name.replace("_", " ")
        yield name, _measure(name, words, table.name, f'{{ sum = "{column.name}" }}', _PRINTED)
    for column in table.of_role("flag"):
        name, words = f"{table.name}_{column.name}", column.name.replace("_", " ")
        where = f"where = {{ {column.name} = true }}"
        yield name, _measure(name, f"{table.records}: {words}", table.name, '"rows"', where, _PRINTED)


def _breakdowns(table: DraftTable) -> Iterator[tuple[str, list[str]]]:
    """Yield the measures by category: their names, and their lines."""
    for column in table.of_role("category"):
        name, label = f"{table.name}_by_{column.name}", column.name.replace("_", " ").capitalize()
        missing = [] if column.required else [f"missing = {_quoted(_NOT_RECORDED)}"]
        yield name, _measure(name, label, table.name, '"rows"', f'by = "{column.name}"', *missing, _PRINTED)


def _measures(draft: Draft) -> Iterator[str]:
    for table in draft.tables:
        for _, lines in (*_headlines(table), *_breakdowns(table)):
            yield from lines
    first = draft.tables[0]
    yield from _measure(f"{first.name}_by_month", "Month", first.name, '"rows"', 'by = "month"')


def _report(draft: Draft) -> Iterator[str]:
    headline = [name for table in draft.tables for name, _ in _headlines(table)]
    by_category = [name for table in draft.tables for name, _ in _breakdowns(table)]
    yield ""
    yield "# Which measures are in each part of the report. The other measures are counted, and not shown."
    yield "[report]"
    yield f"headline = {_listed(headline, _MOST_HEADLINES)}"
    yield f"breakdowns = {_listed(by_category, _MOST_BREAKDOWNS)}"
    yield f'trend = "{draft.tables[0].name}_by_month"'


def _listed(names: Sequence[str], most: int) -> str:
    return json.dumps(list(names[:most]))
