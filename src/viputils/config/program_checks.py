"""Check that the parts of program.toml agree: names exist, and rules do not contradict each other."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from viputils.config.language import available_languages
from viputils.config.program import JOINED_ID, Column, Days, Distinct, Issues, Measure, Program, Sum, heading_key
from viputils.core.errors import Problem, nearest
from viputils.core.months import ReportMonth
from viputils.core.spreadsheet import is_live
from viputils.core.text import folded


def shortcodes(value: Any, where: str = "") -> Iterator[Problem]:
    """Yield a problem for each Quarto shortcode. Quarto would run them even in metadata and attributes."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from shortcodes(key, f"{where}.{key}" if where else str(key))
            yield from shortcodes(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from shortcodes(inner, f"{where}[{number}]")
    elif isinstance(value, str) and "{{<" in value:
        yield Problem(where, "contains '{{<', which starts a Quarto shortcode;", "delete it.")


def contradictions(program: Program) -> Iterator[Problem]:
    """Yield the contradictions between keys that are valid by themselves."""
    if program.identity.records_from < program.identity.began:
        yield Problem(
            "program.records_from",
            f"{program.identity.records_from} is before program.began, {program.identity.began};",
            "records cannot be older than the program.",
        )
    yield from _language_problems(program)
    yield from _help_problems(program)
    yield from _vocabulary_problems(program)
    yield from _lifetime_problems(program)
    yield from _table_problems(program)
    yield from _code_problems(program)
    yield from _intake_problems(program)
    for name, measure in program.measures.items():
        yield from _measure_problems(program, name, measure)
    yield from _report_problems(program)
    yield from _release_problems(program)


def _language_problems(program: Program) -> Iterator[Problem]:
    known = available_languages()
    for number, code in enumerate(program.identity.also_in, start=1):
        if code not in known:
            remedy = f"write one of {', '.join(known)}, or add the language as in CONTRIBUTING.md."
            yield Problem(f"program.also_in[{number}]", f"{code!r} is not an available language;", remedy)


def _help_problems(program: Program) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, line in enumerate(program.help, start=1):
        earlier = first.setdefault(re.sub(r"\W", "", line.number).casefold(), number)
        if earlier != number:
            what = f"{line.number!r} is also the number of help[{earlier}];"
            yield Problem(f"help[{number}].number", what, "keep one of them, and say there what both are for.")


def _vocabulary_problems(program: Program) -> Iterator[Problem]:
    for number, crosswalk in enumerate(program.crosswalks, start=1):
        where = f"crosswalks[{number}]"
        values = program.vocabularies.get(crosswalk.vocabulary)
        if values is None:
            yield _unknown(f"{where}.vocabulary", crosswalk.vocabulary, program.vocabularies)
        elif crosswalk.counted_as not in values:
            yield _unknown(f"{where}.counted_as", crosswalk.counted_as, values)
        if crosswalk.valid_from and crosswalk.valid_to and crosswalk.valid_to < crosswalk.valid_from:
            yield Problem(
                f"{where}.valid_to",
                f"{crosswalk.valid_to} is before valid_from, {crosswalk.valid_from};",
                "the end must be after the start.",
            )
        for other in program.crosswalks_of(crosswalk.vocabulary):
            if (
                folded(other.value) == folded(crosswalk.counted_as)
                and _share_a_day(crosswalk, other)
                and _share_an_issue(crosswalk, other)
            ):
                yield Problem(
                    f"{where}.counted_as",
                    f"'{crosswalk.counted_as}' is itself counted as '{other.counted_as}' {other.when};",
                    "name the final value.",
                )
        for earlier, other in enumerate(program.crosswalks[: number - 1], start=1):
            if (
                (other.vocabulary, folded(other.value)) == (crosswalk.vocabulary, folded(crosswalk.value))
                and _share_a_day(crosswalk, other)
                and _share_an_issue(crosswalk, other)
            ):
                yield Problem(
                    where,
                    f"'{crosswalk.value}' is counted {crosswalk.when} here and {other.when} in crosswalks[{earlier}];",
                    "end one (valid_to) before the other starts.",
                )
    for vocabulary, values in program.vocabularies.items():
        if not values:
            yield Problem(f"vocabularies.{vocabulary}", "is empty;", "name at least one value.")
        for value in values:
            if is_live(value):
                yield Problem(
                    f"vocabularies.{vocabulary}",
                    f"{value!r} would run as a formula in a spreadsheet;",
                    "start it with a letter or a digit.",
                )
        spellings = [
            (value, f"vocabularies.{vocabulary}", spelling) for value in values for spelling in (value, *values[value])
        ]
        spellings += [
            (crosswalk.value, f"crosswalks[{number}]", spelling)
            for number, crosswalk in enumerate(program.crosswalks, start=1)
            if crosswalk.vocabulary == vocabulary
            for spelling in (crosswalk.value, *crosswalk.aliases)
        ]
        stands_for: dict[str, str] = {}
        for value, where, spelling in spellings:
            taken = stands_for.setdefault(folded(spelling), value)
            if taken != value:
                yield Problem(
                    f"{where}.{value}",
                    f"'{spelling}' would mean both '{taken}' and '{value}';",
                    "use each spelling for one value only.",
                )


def _share_a_day(one: Days, other: Days) -> bool:
    first, last = dt.date.min, dt.date.max
    return (one.valid_from or first) <= (other.valid_to or last) and (other.valid_from or first) <= (
        one.valid_to or last
    )


def _share_an_issue(one: Issues, other: Issues) -> bool:
    first, last = ReportMonth(1900, 1), ReportMonth(2999, 12)
    return (one.issues_from or first) <= (other.issues_to or last) and (other.issues_from or first) <= (
        one.issues_to or last
    )


def _lifetime_problems(program: Program) -> Iterator[Problem]:
    parts: list[tuple[str, Issues]] = [(f"crosswalks[{n}]", one) for n, one in enumerate(program.crosswalks, start=1)]
    parts += [(f"lifetimes[{n}]", one) for n, one in enumerate(program.lifetimes, start=1)]
    parts += [(f"measures.{name}", measure) for name, measure in program.measures.items()]
    for part, one in parts:
        if one.issues_from is not None and one.issues_to is not None and one.issues_to < one.issues_from:
            yield Problem(
                f"{part}.issues_to",
                f"{one.issues_to} is before issues_from, {one.issues_from};",
                "the last issue must be after the first.",
            )
    seen: set[tuple[str, str]] = set()
    for number, lifetime in enumerate(program.lifetimes, start=1):
        where = f"lifetimes[{number}]"
        values = program.vocabularies.get(lifetime.vocabulary)
        if values is None:
            yield _unknown(f"{where}.vocabulary", lifetime.vocabulary, program.vocabularies)
        elif lifetime.value not in values:
            yield _unknown(f"{where}.value", lifetime.value, values)
        if lifetime.valid_from and lifetime.valid_to and lifetime.valid_to < lifetime.valid_from:
            yield Problem(
                f"{where}.valid_to",
                f"{lifetime.valid_to} is before valid_from, {lifetime.valid_from};",
                "the end must be after the start.",
            )
        if (lifetime.vocabulary, lifetime.value) in seen:
            yield Problem(where, f"'{lifetime.value}' already has a lifetime;", "keep one of them.")
        seen.add((lifetime.vocabulary, lifetime.value))


def _intake_problems(program: Program) -> Iterator[Problem]:
    for part, by_table in (("headings", program.intake.headings), ("left_out", program.intake.left_out)):
        for name in by_table:
            if name not in program.tables:
                yield _unknown(f"intake.{part}.{name}", name, program.tables)
    for name, table in program.tables.items():
        columns = [*([] if table.id_is_made else [table.id]), *table.columns]
        headings = program.intake.headings.get(name, {})
        stands_for: dict[str, str] = {heading_key(column): column for column in columns}
        for column, known in headings.items():
            where = f"intake.headings.{name}.{column}"
            if column not in columns:
                yield _unknown(where, column, columns)
            for heading in known:
                taken = stands_for.setdefault(heading_key(heading), column)
                if taken != column:
                    yield Problem(
                        where,
                        f"'{heading}' would mean both '{taken}' and '{column}';",
                        "use each heading for one column only.",
                    )
        for heading in program.intake.left_out.get(name, []):
            if heading_key(heading) in stands_for:
                yield Problem(
                    f"intake.left_out.{name}",
                    f"'{heading}' is both left out and used for '{stands_for[heading_key(heading)]}';",
                    "remove one of them.",
                )


# Names of other tables that appear beside the tables of a program.
_OWN_TABLES = {
    "voids": "the file that withdraws records",
    "deliveries": "the list of deliveries",
    "ledger": "the account of every row",
    "quarantine": "the list of rejected rows",
    "coverage": "the list of covered dates",
    "origins": "the list of row origins",
}


def _table_problems(program: Program) -> Iterator[Problem]:
    for name, table in program.tables.items():
        where = f"tables.{name}"
        if name in _OWN_TABLES:
            yield Problem(where, f"is the name of {_OWN_TABLES[name]};", "choose another name for the table.")
        for column in {table.id, *table.columns} & {"received", "delivery", "file", "line"}:
            yield Problem(
                f"{where}.columns.{column}",
                "is a name that the library uses for the origin of a row;",
                "choose another name for the column.",
            )
        if not table.one_row_per_id and table.delivery != "snapshot":
            yield Problem(
                f"{where}.one_row_per_id",
                "is false for a table that is delivered in parts;",
                'only rows of a snapshot can share an id (delivery = "snapshot").',
            )
        if table.id in table.columns:
            yield Problem(f"{where}.columns.{table.id}", "is already the id;", "leave it out of the columns.")
        for part in table.id_parts:
            if part not in table.columns:
                yield _unknown(f"{where}.id", part, table.columns)
            elif table.columns[part].type not in ("code", "date", "count") or not table.columns[part].required:
                yield Problem(
                    f"{where}.id",
                    f"'{part}' cannot be part of an id;",
                    "name required columns of type code, date or count.",
                )
        if table.id == JOINED_ID and not 2 <= len(set(table.id_parts)) == len(table.id_parts):
            yield Problem(f"{where}.id", f"is {table.id_parts!r};", "list two or more different columns.")
        if table.date not in table.columns:
            yield _unknown(f"{where}.date", table.date, table.columns)
        elif table.columns[table.date].type != "date" or not table.columns[table.date].required:
            yield Problem(
                f"{where}.date",
                f"'{table.date}' does not assign every record to a month;",
                "name a required column of type date.",
            )
        for column in table.exactly_one_of:
            if column not in table.columns:
                yield _unknown(f"{where}.exactly_one_of", column, table.columns)
            elif table.columns[column].required:
                yield Problem(
                    f"{where}.columns.{column}",
                    "is required, and is also one of exactly_one_of;",
                    "set required = false for each of those columns.",
                )
        for column, rule in table.columns.items():
            if rule.type == "text":
                yield Problem(
                    f"{where}.columns.{column}.type",
                    "'text' columns cannot be counted, and may name people;",
                    "leave the column out (intake.left_out).",
                )
            if (rule.type == "category") != (rule.vocabulary is not None):
                yield Problem(
                    f"{where}.columns.{column}",
                    f"is of type {rule.type} {'without' if rule.vocabulary is None else 'with'} a vocabulary;",
                    "set a vocabulary for columns of type category, and for no others.",
                )
            elif rule.vocabulary is not None and rule.vocabulary not in program.vocabularies:
                yield _unknown(f"{where}.columns.{column}.vocabulary", rule.vocabulary, program.vocabularies)


def _code_problems(program: Program) -> Iterator[Problem]:
    """Yield a problem for each name in [codes] that is not a code column."""
    known = {table.id for table in program.tables.values()}
    known |= {name for table in program.tables.values() for name, rule in table.columns.items() if rule.type == "code"}
    yield from (_unknown("codes", name, sorted(known)) for name in program.codes if name not in known)


def _measure_problems(program: Program, name: str, measure: Measure) -> Iterator[Problem]:
    where = f"measures.{name}"
    taken = {former: other for other, one in program.measures.items() if other != name for former in one.formerly}
    for former in measure.formerly:
        if former in program.measures or former in taken:
            other = taken.get(former, former)
            yield Problem(
                f"{where}.formerly", f"'{former}' is also a name of {other};", "list it for one measure only."
            )
    table = program.tables.get(measure.table)
    if table is None:
        yield _unknown(f"{where}.table", measure.table, program.tables)
        return
    columns = {table.id: Column(type="code"), **table.columns}
    kinds: tuple[str, ...] = ("code",)
    if isinstance(measure.count, Sum):
        counted, kinds = measure.count.sum, ("count",)
    elif isinstance(measure.count, Distinct):
        counted, kinds = measure.count.distinct, ("code", "category")
    else:
        counted = table.id
    if counted not in columns:
        yield _unknown(f"{where}.count", counted, columns)
    elif columns[counted].type not in kinds:
        yield Problem(
            f"{where}.count",
            f"'{counted}' is a column of type {columns[counted].type};",
            f"name one of type {' or '.join(kinds)}.",
        )
    elif isinstance(measure.count, Sum) and not columns[counted].required:
        yield Problem(
            f"{where}.count",
            f"'{counted}' may be empty, and unknown values cannot be added up;",
            f"make it required in tables.{measure.table}.columns.",
        )
    if measure.by is not None and measure.by != "month":
        if measure.by not in columns:
            yield _unknown(f"{where}.by", measure.by, [*columns, "month"])
        elif columns[measure.by].type != "category":
            yield Problem(
                f"{where}.by", f"'{measure.by}' has no vocabulary;", "name a column of type category, or month."
            )
    if measure.missing is not None:
        vocabulary = columns[measure.by].vocabulary if measure.by in columns else None
        if vocabulary is None:
            yield Problem(f"{where}.missing", "needs a breakdown;", "delete it, or set `by`.")
        elif is_live(measure.missing) or (
            vocabulary in program.vocabularies and folded(measure.missing) in program.spellings(vocabulary)
        ):
            yield Problem(
                f"{where}.missing",
                f"{measure.missing!r} cannot be the name of a missing value;",
                "use a name such as 'Not recorded'.",
            )
    for column, value in measure.where.items():
        rule = columns.get(column)
        if rule is None:
            yield _unknown(f"{where}.where", column, columns)
        elif rule.type == "flag":
            if not isinstance(value, bool):
                yield Problem(f"{where}.where.{column}", f"is {value!r} for a flag;", "write true or false.")
        elif rule.vocabulary is None:
            yield Problem(
                f"{where}.where.{column}",
                f"'{column}' is a column of type {rule.type};",
                "name a column of type category or flag.",
            )
        elif not isinstance(value, str):
            yield Problem(f"{where}.where.{column}", f"is {value!r} for a category;", "write its value in quotes.")
        elif value not in program.vocabularies.get(rule.vocabulary, {}):
            yield _unknown(f"{where}.where.{column}", value, program.vocabularies.get(rule.vocabulary, {}))
    if measure.followed_by is not None:
        later = program.tables.get(measure.followed_by)
        if later is None:
            yield _unknown(f"{where}.followed_by", measure.followed_by, program.tables)
        elif not isinstance(measure.count, Distinct):
            yield Problem(f"{where}.followed_by", "needs a column of people;", 'set count = { distinct = "…" }.')
        elif measure.count.distinct not in later.columns:
            yield _unknown(f"tables.{measure.followed_by}.columns", measure.count.distinct, later.columns)


def _report_problems(program: Program) -> Iterator[Problem]:
    report = program.report
    places = [("headline", name, False) for name in report.headline]
    places += [("breakdowns", name, True) for name in report.breakdowns]
    places += [("funnel", name, False) for name in report.funnel]
    if report.trend is not None:
        places.append(("trend", report.trend, True))
    if (model := report.practice_model) is not None:
        places += [
            (f"practice_model.{step}", name, False)
            for step in ("review", "candidates", "notification", "engagement")
            for name in (model.review if step == "review" else [getattr(model, step)])
        ]
        if model.sources is not None:
            places.append(("practice_model.sources", model.sources, True))
    for place, name, broken_down in places:
        measure = program.measures.get(name)
        if measure is None:
            yield _unknown(f"report.{place}", name, program.measures)
        elif (measure.by is not None) != broken_down or (place == "trend") != (measure.by == "month"):
            by_category = "a measure by a category column"
            needs = {"trend": "a measure by month", "breakdowns": by_category, "practice_model.sources": by_category}
            yield Problem(
                f"report.{place}", f"'{name}' does not fit here;", f"name {needs.get(place, 'a measure without by')}."
            )
    if report.trend in program.measures and program.measures[report.trend].followed_by is not None:
        yield Problem(
            "report.trend",
            f"'{report.trend}' counts later events, so its months cannot be compared;",
            "name a measure without followed_by.",
        )
    funnel = [program.measures[name] for name in report.funnel if name in program.measures]
    if len(funnel) == 2 and (funnel[0].followed_by is not None or funnel[1].followed_by is None):
        yield Problem(
            "report.funnel",
            "is not in the order of the steps;",
            "list notified people, then engaged people.",
        )
    yield from _practice_model_problems(program)
    yield from _tile_map_problems(program)
    if (contact := program.contact) and not (contact.phone or contact.email or contact.address):
        yield Problem("contact", "does not say how to reach anyone;", "add phone, email or address.")
    if len(report.funnel) == 1:
        yield Problem("report.funnel", "names one measure;", "name two (notified and engaged people), or none.")


def _practice_model_problems(program: Program) -> Iterator[Problem]:
    model, measures = program.report.practice_model, program.measures
    if model is None or any(name not in measures for name in model.counts):
        return
    notified, engaged = measures[model.notification], measures[model.engagement]
    if notified.followed_by is not None or engaged.followed_by is None:
        yield Problem(
            "report.practice_model",
            "is not in the order of the steps;",
            "set notification to notified people, and engagement to those who engage (followed_by).",
        )
    if model.sources in measures and measures[model.sources].table != measures[model.candidates].table:
        yield Problem(
            "report.practice_model.sources",
            f"'{model.sources}' counts other records than '{model.candidates}';",
            "name a measure of the same table.",
        )


def _tile_map_problems(program: Program) -> Iterator[Problem]:
    tile_map = program.report.tile_map
    if tile_map is None:
        return
    measure = program.measures.get(tile_map.measure)
    if measure is None:
        yield _unknown("report.tile_map.measure", tile_map.measure, program.measures)
        return
    column = program.tables[measure.table].columns.get(measure.by or "") if measure.table in program.tables else None
    vocabulary = column.vocabulary if column is not None else None
    if tile_map.measure not in program.report.breakdowns or vocabulary not in program.vocabularies:
        problem = f"'{tile_map.measure}' has no table in the report;"
        remedy = "name one of report.breakdowns, because the map needs its table, or remove [report.tile_map]."
        yield Problem("report.tile_map.measure", problem, remedy)
        return
    areas = list(program.vocabularies[vocabulary])
    taken: dict[tuple[int, int], str] = {}
    for area, (row, at) in tile_map.tiles.items():
        where = f"report.tile_map.tiles.{area}"
        if area not in areas:
            yield _unknown(where, area, areas)
        if (row, at) in taken:
            problem = f"is in row {row}, column {at}, like '{taken[row, at]}';"
            yield Problem(where, problem, "give each area a place of its own.")
        taken.setdefault((row, at), area)
    for area in areas:
        if area not in tile_map.tiles:
            remedy = f'add "{area}" = [row, column].'
            yield Problem("report.tile_map.tiles", f"has no tile for '{area}';", remedy)


def _release_problems(program: Program) -> Iterator[Problem]:
    first: dict[ReportMonth, int] = {}
    for number, release in enumerate(program.releases, start=1):
        where, month = f"releases[{number}]", release.issue
        earlier = first.setdefault(month, number)
        if earlier != number:
            yield Problem(f"{where}.issue", f"{month} is also the issue of releases[{earlier}];", "keep one of them.")
        if release.date <= month.span.end:
            yield Problem(
                f"{where}.date",
                f"{release.date} is not after the month of the issue, {month};",
                f"write a date after {month.span.end}.",
            )


def _unknown(where: str, name: str, known: Mapping[str, Any] | list[str]) -> Problem:
    return Problem(where, f"'{name}' is not known;", nearest(name, known) or f"known: {', '.join(known)}.")
