"""What is one city's own: program.toml as typed, checked objects."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from viputils.errors import Problem, ProgramError, nearest

Period = Literal["month", "fytd"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def folded(text: str) -> str:
    """Give the form in which values are compared: one blank between words, no case."""
    return " ".join(text.split()).casefold()


def _is_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be lower-case letters, digits and underscores, as in 'area_command'")
    return text


def _is_line(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise ValueError("must be one line of text, not empty")
    return text.strip()


def _is_language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise ValueError("must be a language code, as in 'en'")
    return text


Name = Annotated[str, AfterValidator(_is_name)]
Line = Annotated[str, AfterValidator(_is_line)]


class _Part(BaseModel):
    """Refuses unknown keys, and never turns one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Identity(_Part):
    """Names and dates of the program, as they stand on the cover and in the running header and footer."""

    name: Line
    short_name: Line
    city: Line
    department: Line
    report_title: Line
    site: Line
    language: Annotated[str, AfterValidator(_is_language)] = "en"
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12)]
    began: dt.date
    records_from: dt.date
    delivered: Literal["monthly", "irregularly"]


class Demonstration(_Part):
    """How synthetic records are told from real ones, and what every page made from them says."""

    id_prefix: Line
    mark: Line
    statement: Line


class Crosswalk(_Part):
    """A value that is counted under another name between two days, both included."""

    vocabulary: Name
    value: Line
    aliases: list[Line] = []
    counted_as: Line
    valid_from: dt.date
    valid_to: dt.date | None = None
    assumption: bool = False
    reason: Line

    @property
    def when(self) -> str:
        """The days on which it holds, in words."""
        return f"from {self.valid_from}" + (f" to {self.valid_to}" if self.valid_to else "")


class Column(_Part):
    """What one column of a raw table holds."""

    type: Literal["date", "category", "count", "flag", "code"]
    vocabulary: Name | None = None
    required: bool = True


class Table(_Part):
    """One raw table: its id, its columns, and the date that places a record in a month."""

    title: Line
    id: Name
    date: Name
    columns: Annotated[dict[Name, Column], Field(min_length=1)]
    exactly_one_of: list[Name] = []


class Sum(_Part):
    """Counts the total of a count column."""

    sum: Name


class Distinct(_Part):
    """Counts the different values of a column."""

    distinct: Name


class Measure(_Part):
    """What is counted."""

    label: Line
    table: Name
    count: Literal["rows"] | Sum | Distinct
    by: Name | None = None
    where: dict[Name, Line] = {}
    followed_by: Name | None = None
    printed: list[Period] = []


class Report(_Part):
    """Which measures stand where in the report."""

    headline: Annotated[list[Name], Field(min_length=1)]
    breakdowns: list[Name] = []
    trend: Name | None = None
    funnel: Annotated[list[Name], Field(max_length=2)] = []


class Program(_Part):
    """program.toml, read and checked. Vocabularies, tables and measures stand in the file's order."""

    identity: Annotated[Identity, Field(alias="program")]
    demonstration: Demonstration | None = None
    vocabularies: dict[Name, dict[Line, list[Line]]]
    crosswalks: list[Crosswalk] = []
    tables: Annotated[dict[Name, Table], Field(min_length=1)]
    measures: Annotated[dict[Name, Measure], Field(min_length=1)]
    report: Report

    def spellings(self, vocabulary: str) -> dict[str, str]:
        """Give every folded spelling in a vocabulary and its crosswalks, with the value that it stands for."""
        known = {
            folded(spelling): value
            for value, aliases in self.vocabularies[vocabulary].items()
            for spelling in (value, *aliases)
        }
        known.update(
            {
                folded(spelling): crosswalk.value
                for crosswalk in self.crosswalks_of(vocabulary)
                for spelling in (crosswalk.value, *crosswalk.aliases)
            }
        )
        return known

    def crosswalks_of(self, vocabulary: str) -> list[Crosswalk]:
        """Give the crosswalks of one vocabulary, in the file's order."""
        return [crosswalk for crosswalk in self.crosswalks if crosswalk.vocabulary == vocabulary]

    def categories(self, measure: str) -> list[str] | None:
        """Give a measure's categories in printed order; ``None`` where it has no vocabulary to break it down by."""
        counted = self.measures[measure]
        if counted.by is None or counted.by == "month":
            return None
        vocabulary = self.tables[counted.table].columns[counted.by].vocabulary
        return list(self.vocabularies[vocabulary]) if vocabulary else None


def read_program(path: Path) -> Program:
    """Read and check program.toml.

    Raises
    ------
    ProgramError
        With every key that is wrong, what is wrong with it and what would be right.
    """
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise ProgramError(
            "There is no program.toml.", [Problem(str(path), "is missing;", "every project has one at its top.")]
        ) from None
    except UnicodeDecodeError as error:
        raise ProgramError(
            "program.toml cannot be read.",
            [Problem(str(path), f"is not UTF-8 (byte {error.start});", "save it as UTF-8.")],
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ProgramError(
            "program.toml cannot be read.", [Problem(str(path), f"is not TOML: {error}.", "See toml.io for its form.")]
        ) from None
    except OSError as error:
        raise ProgramError(
            "program.toml cannot be read.", [Problem(str(path), f"{error.strerror}.", "Make it readable.")]
        ) from None
    return program_from(raw, str(path))


def program_from(raw: Mapping[str, Any], source: str = "program.toml") -> Program:
    """Check the content of a program.toml; ``source`` is what errors call the file."""
    try:
        program = Program.model_validate(dict(raw))
    except ValidationError as error:
        raise ProgramError(
            f"{source} is not as it must be.", [_problem_of(detail) for detail in error.errors()]
        ) from None
    problems = list(_contradictions(program))
    if problems:
        raise ProgramError(f"{source} contradicts itself.", problems)
    return program


# What pydantic says of itself, in this project's words.
_REMEDIES = {
    "missing": "is missing;",
    "extra_forbidden": "is not a key that is known here;",
}


def _problem_of(detail: Any) -> Problem:
    where = _key(detail["loc"])
    if detail["type"] == "extra_forbidden":
        parent = Program
        for step in detail["loc"][:-1]:
            parent = _field_type(parent, str(step)) or parent
        known = [field.alias or name for name, field in parent.model_fields.items()]
        guess = nearest(str(detail["loc"][-1]), known)
        return Problem(where, _REMEDIES["extra_forbidden"], guess or f"known here: {', '.join(known)}.")
    if detail["type"] == "missing":
        return Problem(where, _REMEDIES["missing"], "add it.")
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(where, f"{detail['input']!r} is refused:", message[0].lower() + message[1:] + ".")


def _field_type(model: type[BaseModel], step: str) -> Any:
    """Give the model that a key of ``model`` holds, looking into lists and tables of models."""
    for name, field in model.model_fields.items():
        if step in (name, field.alias):
            inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
            inner += [arg for kind in inner for arg in getattr(kind, "__args__", ())]
            return next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return None


def _key(location: tuple[int | str, ...]) -> str:
    """Write a place in the file as TOML users write it: ``crosswalks[0].valid_from``."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        elif step not in ("[key]", "Sum", "Distinct", "literal['rows']"):
            quoted = step if re.fullmatch(r"[A-Za-z0-9_-]+", step) else f'"{step}"'
            text += f".{quoted}" if text else quoted
    return text


def _contradictions(program: Program) -> Iterator[Problem]:
    """Find what is well-formed key by key, and still cannot be."""
    shown = {"program": program.identity, "demonstration": program.demonstration}
    for part, said in shown.items():
        for key, value in said or ():
            # Quarto reads a document's metadata for shortcodes after every escape has been resolved.
            if isinstance(value, str) and "{{<" in value:
                yield Problem(f"{part}.{key}", "holds '{{<', with which a shortcode of Quarto begins;", "take it out.")
    if program.identity.records_from < program.identity.began:
        yield Problem(
            "program.records_from",
            f"{program.identity.records_from} is before program.began, {program.identity.began};",
            "records cannot be older than the program.",
        )
    yield from _vocabulary_problems(program)
    yield from _table_problems(program)
    for name, measure in program.measures.items():
        yield from _measure_problems(program, name, measure)
    yield from _report_problems(program)


def _vocabulary_problems(program: Program) -> Iterator[Problem]:
    for number, crosswalk in enumerate(program.crosswalks, start=1):
        where = f"crosswalks[{number}]"
        values = program.vocabularies.get(crosswalk.vocabulary)
        if values is None:
            yield _unknown(f"{where}.vocabulary", crosswalk.vocabulary, program.vocabularies)
        elif crosswalk.counted_as not in values:
            yield _unknown(f"{where}.counted_as", crosswalk.counted_as, values)
        if crosswalk.valid_to is not None and crosswalk.valid_to < crosswalk.valid_from:
            yield Problem(
                f"{where}.valid_to",
                f"{crosswalk.valid_to} is before valid_from, {crosswalk.valid_from};",
                "a crosswalk ends after it begins.",
            )
        for earlier, other in enumerate(program.crosswalks[: number - 1], start=1):
            if (other.vocabulary, folded(other.value)) == (crosswalk.vocabulary, folded(crosswalk.value)) and (
                other.valid_from <= (crosswalk.valid_to or dt.date.max)
                and crosswalk.valid_from <= (other.valid_to or dt.date.max)
            ):
                yield Problem(
                    where,
                    f"'{crosswalk.value}' is counted {crosswalk.when} here and {other.when} in crosswalks[{earlier}];",
                    "let one end (valid_to) before the other begins.",
                )
    for vocabulary, values in program.vocabularies.items():
        if not values:
            yield Problem(f"vocabularies.{vocabulary}", "is empty;", "name at least one value.")
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
                    f"'{spelling}' would stand for '{taken}' and for '{value}';",
                    "give each spelling to one value only.",
                )


def _table_problems(program: Program) -> Iterator[Problem]:
    for name, table in program.tables.items():
        where = f"tables.{name}"
        if name == "voids":
            yield Problem(where, "takes the name of the file that withdraws records;", "call the table something else.")
        for column in {table.id, *table.columns} & {"received", "file", "line"}:
            yield Problem(
                f"{where}.columns.{column}",
                "is what the library calls where a row came from;",
                "name the column otherwise.",
            )
        if table.id in table.columns:
            yield Problem(f"{where}.columns.{table.id}", "is the id already;", "leave it out of the columns.")
        if table.date not in table.columns:
            yield _unknown(f"{where}.date", table.date, table.columns)
        elif table.columns[table.date].type != "date" or not table.columns[table.date].required:
            yield Problem(
                f"{where}.date",
                f"'{table.date}' does not place every record in a month;",
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
            if (rule.type == "category") != (rule.vocabulary is not None):
                yield Problem(
                    f"{where}.columns.{column}",
                    f"is of type {rule.type} {'without' if rule.vocabulary is None else 'with'} a vocabulary;",
                    "a column of type category names its vocabulary, and no other column does.",
                )
            elif rule.vocabulary is not None and rule.vocabulary not in program.vocabularies:
                yield _unknown(f"{where}.columns.{column}.vocabulary", rule.vocabulary, program.vocabularies)


def _measure_problems(program: Program, name: str, measure: Measure) -> Iterator[Problem]:
    where = f"measures.{name}"
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
    if measure.by is not None and measure.by != "month":
        if measure.by not in columns:
            yield _unknown(f"{where}.by", measure.by, [*columns, "month"])
        elif columns[measure.by].type != "category":
            yield Problem(
                f"{where}.by", f"'{measure.by}' has no vocabulary;", "name a column of type category, or month."
            )
    for column, value in measure.where.items():
        rule = columns.get(column)
        if rule is None:
            yield _unknown(f"{where}.where", column, columns)
        elif rule.vocabulary is None:
            yield Problem(f"{where}.where.{column}", "has no vocabulary;", "name a column of type category.")
        elif value not in program.vocabularies.get(rule.vocabulary, {}):
            yield _unknown(f"{where}.where.{column}", value, program.vocabularies.get(rule.vocabulary, {}))
    if measure.followed_by is not None:
        later = program.tables.get(measure.followed_by)
        if later is None:
            yield _unknown(f"{where}.followed_by", measure.followed_by, program.tables)
        elif not isinstance(measure.count, Distinct):
            yield Problem(
                f"{where}.followed_by", "needs to know who is followed;", 'count = { distinct = "…" } names the column.'
            )
        elif measure.count.distinct not in later.columns:
            yield _unknown(f"tables.{measure.followed_by}.columns", measure.count.distinct, later.columns)


def _report_problems(program: Program) -> Iterator[Problem]:
    report = program.report
    places = [("headline", name, False) for name in report.headline]
    places += [("breakdowns", name, True) for name in report.breakdowns]
    places += [("funnel", name, False) for name in report.funnel]
    if report.trend is not None:
        places.append(("trend", report.trend, True))
    for place, name, broken_down in places:
        measure = program.measures.get(name)
        if measure is None:
            yield _unknown(f"report.{place}", name, program.measures)
        elif (measure.by is not None) != broken_down or (place == "trend") != (measure.by == "month"):
            needs = {"trend": "a measure by month", "breakdowns": "a measure by a category column"}
            yield Problem(
                f"report.{place}", f"'{name}' does not fit there;", f"name {needs.get(place, 'a measure without by')}."
            )
    funnel = [program.measures[name] for name in report.funnel if name in program.measures]
    if len(funnel) == 2 and (funnel[0].followed_by is not None or funnel[1].followed_by is None):
        yield Problem(
            "report.funnel", "does not lead from one step to the next;", "name who is notified, then who engages."
        )
    if len(report.funnel) == 1:
        yield Problem(
            "report.funnel", "names one measure;", "name two, who is notified and who of them engages, or none."
        )


def _unknown(where: str, name: str, known: Mapping[str, Any] | list[str]) -> Problem:
    return Problem(where, f"'{name}' is not known;", nearest(name, known) or f"known: {', '.join(known)}.")
