"""What is one city's own: program.toml as typed, checked objects."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from viputils.config.language import Language, decoded, hidden_marks, message, not_decoded
from viputils.core.errors import ParameterError, Problem, ProgramError, nearest
from viputils.core.months import ReportMonth
from viputils.core.spreadsheet import is_live
from viputils.core.text import folded
from viputils.core.urls import secrets_in, shown_address

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["month", "fytd"]

# What messages, tables and manifests call the folder of the deliveries, wherever it lies.
RAW = "data/raw"
# Says where deliveries come from in the stead of program.toml, so that no password ever has to stand in a file.
DELIVERIES_VARIABLE = "VIP_DELIVERIES"

# The id column of a table without ids, and of one whose id is formed by several columns.
ROW_ID = "row"
JOINED_ID = "record_id"

# A time with a zone is taken as it is written, whatever the zone.
AS_WRITTEN = "as written"

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def heading_key(text: str) -> str:
    """Return the form in which headings are compared: words without case, blanks or marks between them."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text.casefold())))


def _is_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be lower-case letters, digits and underscores, as in 'area_command'")
    return text


def _is_line(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise ValueError("must be one line of text, not empty")
    if hidden := hidden_marks(text):
        raise ValueError(f"contains characters that cannot be seen ({hidden}); take them out")
    return text.strip()


def _is_language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise ValueError("must be a language code, as in 'en'")
    return text


def _is_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"\\^`{|}]+", text) or not text.isprintable():
        raise ValueError("must be a web address, as in 'https://example.org/data'")
    return text


def is_folder_address(text: str) -> str:
    """Return the web address of a folder as it stands, or raise ValueError with what would be right."""
    parts = urlsplit(_is_address(text)) if "?" not in text and "#" not in text else None
    if parts is not None and parts.hostname and not text.endswith("/"):
        raise ValueError(f"must end with a stroke: '{text}/'")
    # A name and a password would go online with the feed; two strokes in a row begin the name of another server.
    if parts is None or not parts.hostname or "@" in parts.netloc or "//" in parts.path or not text.endswith("/"):
        raise ValueError("must be the web address of a folder, as in 'https://example.org/vip/'")
    return text


def _is_source(text: str) -> str:
    if secrets_in(_is_line(text)):
        raise ValueError(
            f"holds a password or a key, which belongs in no file; say it with {DELIVERIES_VARIABLE} instead"
        )
    return _is_line(text)


def _is_licence_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError("must be the short name of a licence without blanks, as in 'CC0-1.0' (spdx.org/licenses)")
    return text


def _is_time_zone(text: str) -> str:
    if text != AS_WRITTEN and text not in zoneinfo.available_timezones():
        near = nearest(text, zoneinfo.available_timezones())
        raise ValueError(
            f"must be \"{AS_WRITTEN}\" or the name of a time zone, as in 'America/Denver'; {near}".strip("; ")
        )
    return text


def _is_month(value: object) -> ReportMonth:
    try:
        return ReportMonth.parse(value if isinstance(value, str) else "")
    except ParameterError:
        raise ValueError("must be a month in quotes, as in '2023-11'") from None


Name = Annotated[str, AfterValidator(_is_name)]
Line = Annotated[str, AfterValidator(_is_line)]
Month = Annotated[ReportMonth, BeforeValidator(_is_month)]
Address = Annotated[str, AfterValidator(_is_address)]


class _Part(BaseModel):
    """Refuses unknown keys, and never turns one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Identity(_Part):
    """Names and dates of the program, as they stand on the cover and in the running header and footer.

    ``address`` is where its site lies, as feeds and sitemaps give it; ``also_in`` holds the languages that it is made
    in beside its own; ``deliveries`` is where the deliveries come from; ``provisional_months`` is for how many months
    after its own a month's numbers are marked as provisional, by default always.
    """

    name: Line
    short_name: Line
    city: Line
    department: Line
    report_title: Line
    site: Line
    language: Annotated[str, AfterValidator(_is_language)] = "en"
    also_in: list[Annotated[str, AfterValidator(_is_language)]] = []
    address: Annotated[str, AfterValidator(is_folder_address)] | None = None
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12)]
    began: dt.date
    records_from: dt.date
    delivered: Literal["monthly", "irregularly"]
    deliveries: Annotated[str, AfterValidator(_is_source)] = RAW
    shares: Line | None = None
    provisional_months: Annotated[int, Field(ge=1)] | None = None

    @property
    def languages(self) -> list[str]:
        """Every language that it is published in, its own first."""
        return list(dict.fromkeys([self.language, *self.also_in]))

    @property
    def year(self) -> str:
        """What its years are called: those that begin in January are calendar years."""
        return message("calendar year") if self.fiscal_year_starts == 1 else message("fiscal year")

    @property
    def year_to_date(self) -> str:
        """The short name of the year to date, as tables head it."""
        return message("YTD") if self.fiscal_year_starts == 1 else message("FYTD")


class Demonstration(_Part):
    """How synthetic records are told from real ones, and what every page made from them says."""

    id_prefix: Line
    mark: Line
    statement: Line


class _Issues(_Part):
    """The issues that something holds for: by default all of them."""

    issues_from: Month | None = None
    issues_to: Month | None = None

    def in_issue(self, month: ReportMonth) -> bool:
        """Return whether it holds for the issue of a month."""
        return self.in_issues(month, month)

    def in_issues(self, first: ReportMonth, last: ReportMonth) -> bool:
        """Return whether it holds for any issue from one month to another."""
        return (self.issues_from is None or last >= self.issues_from) and (
            self.issues_to is None or first <= self.issues_to
        )


class _Days(_Issues):
    """The days that something holds on, both ends included: by default every day."""

    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @property
    def when(self) -> str:
        """The days on which it holds, in words."""
        words = [f"from {self.valid_from}"] if self.valid_from else []
        words += [f"to {self.valid_to}"] if self.valid_to else []
        return " ".join(words) or "on every day"

    def covers(self, days: pd.Series) -> pd.Series:
        """Flag the days on which it holds."""
        import pandas as pd

        covered = days.notna()
        if self.valid_from is not None:
            covered &= days.ge(pd.Timestamp(self.valid_from))
        if self.valid_to is not None:
            covered &= days.le(pd.Timestamp(self.valid_to))
        return covered


class Crosswalk(_Days):
    """A value that is counted under another name where its record is of a day on which this holds."""

    vocabulary: Name
    value: Line
    aliases: list[Line] = []
    counted_as: Line
    assumption: bool = False
    reason: Line


class Lifetime(_Days):
    """When a value of a vocabulary exists: on which days a record can have it, and which issues print it."""

    vocabulary: Name
    value: Line


class Column(_Part):
    """What one column of a raw table holds."""

    type: Literal["date", "category", "count", "flag", "code", "text"]
    vocabulary: Name | None = None
    required: bool = True


class Table(_Part):
    """One raw table: its id, its columns, the date that places a record in a month, and how it is delivered.

    An incremental delivery adds and corrects; a snapshot stands for the whole table. Only in a snapshot can several
    rows have one id, each of them a record: such rows cannot be told apart from one delivery to the next.

    In program.toml ``id`` is a column, a list of columns that form the id together (``id_parts``), or ``"row"`` for a
    table without ids, in which each row is a record. Intake writes the last two kinds.
    """

    title: Line
    id: Name
    id_parts: list[Name] = []
    date: Name
    delivery: Literal["incremental", "snapshot"] = "incremental"
    one_row_per_id: bool = True
    columns: Annotated[dict[Name, Column], Field(min_length=1)]
    exactly_one_of: list[Name] = []

    @model_validator(mode="before")
    @classmethod
    def _id_of_several_columns(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("id"), list):
            return {**given, "id": JOINED_ID, "id_parts": given["id"]}
        return given

    @property
    def id_is_made(self) -> bool:
        """Whether intake makes the id, so that the files that agencies send have no column for it."""
        return self.id == ROW_ID or bool(self.id_parts)


class Sum(_Part):
    """Counts the total of a count column."""

    sum: Name


class Distinct(_Part):
    """Counts the different values of a column."""

    distinct: Name


class Measure(_Issues):
    """What is counted.

    ``issues_from`` and ``issues_to`` say which issues print it, so that one that is added or given up later is not
    missed in the others. ``formerly`` holds names that it had, under which published figures are kept.
    """

    label: Line
    table: Name
    count: Literal["rows"] | Sum | Distinct
    by: Name | None = None
    where: dict[Name, Line | bool] = {}
    followed_by: Name | None = None
    missing: Line | None = None
    printed: list[Period] = []
    formerly: list[Name] = []


class Intake(_Part):
    """How the files that agencies send are read: what they call the columns, and what of them is not wanted.

    Attributes
    ----------
    headings
        By table and column: what else the column is called. Case, blanks and marks never matter.
    left_out
        By table: columns that are known and not taken.
    time_zone
        What a time with a zone means: ``as written``, or the zone that it is converted to, such as America/Denver.
    missing
        Words that mean that there is no value, beside those that are always known (``values.MISSING_WORDS``).
    """

    date_order: Literal["month first", "day first"] = "month first"
    time_zone: Annotated[str, AfterValidator(_is_time_zone)] | None = None
    missing: list[Line] = []
    sheets_left_out: list[Line] = []
    headings: dict[Name, dict[Name, list[Line]]] = {}
    left_out: dict[Name, list[Line]] = {}


class Licence(_Part):
    """What may be done with the data: a licence by its short name (CC0-1.0), its title and where it can be read."""

    name: Annotated[str, AfterValidator(_is_licence_name)]
    title: Line
    path: Address


class Source(_Part):
    """Where the data comes from."""

    title: Line
    path: Address | None = None


class Data(_Part):
    """What is said of the data that people take away."""

    licences: list[Licence] = []
    sources: list[Source] = []


class PracticeModel(_Part):
    """Which measures stand at which step of the practice model, from the shooting review to services.

    Enforcement, which is its other end, has no measure: the records hold none of it. ``services`` says which services
    people take up.
    """

    review: Annotated[list[Name], Field(min_length=1)]
    candidates: Name
    sources: Name | None = None
    notification: Name
    engagement: Name
    services: Line = "Peer support and social services"

    @property
    def counts(self) -> list[str]:
        """The measures without a breakdown, in the order of the steps."""
        return [*self.review, self.candidates, self.notification, self.engagement]


class Report(_Part):
    """Which measures stand where in the report."""

    headline: Annotated[list[Name], Field(min_length=1)]
    breakdowns: list[Name] = []
    trend: Name | None = None
    funnel: Annotated[list[Name], Field(max_length=2)] = []
    practice_model: PracticeModel | None = None


class Program(_Part):
    """program.toml, read and checked. Vocabularies, tables and measures stand in the file's order."""

    identity: Annotated[Identity, Field(alias="program")]
    demonstration: Demonstration | None = None
    vocabularies: dict[Name, dict[Line, list[Line]]] = {}
    codes: dict[Name, Literal["same", "different"]] = {}
    crosswalks: list[Crosswalk] = []
    lifetimes: list[Lifetime] = []
    intake: Intake = Intake()
    data: Data = Data()
    tables: Annotated[dict[Name, Table], Field(min_length=1)]
    measures: Annotated[dict[Name, Measure], Field(min_length=1)]
    report: Report

    def spellings(self, vocabulary: str) -> dict[str, str]:
        """Return every folded spelling in a vocabulary and its crosswalks, with the value that it stands for."""
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
        """Return the crosswalks of one vocabulary, in the file's order."""
        return [crosswalk for crosswalk in self.crosswalks if crosswalk.vocabulary == vocabulary]

    def lifetime_of(self, vocabulary: str, value: str) -> Lifetime | None:
        """Return the lifetime of a value; ``None`` where it has always existed and still does."""
        return next((one for one in self.lifetimes if (one.vocabulary, one.value) == (vocabulary, value)), None)

    def printed_values(self, vocabulary: str, month: ReportMonth, start: dt.date | None = None) -> list[str]:
        """Return the values of a vocabulary that the issue of a month prints, in printed order.

        Parameters
        ----------
        start
            With those that ceased to exist between this day and the month's fiscal year, too.

        A value that came into being after the month, or had ceased to exist before its fiscal year began, is not
        among them; nor is one of another issue, so that an issue printed with six areas has six for ever.
        """
        to_date = month.fytd(self.identity.fiscal_year_starts)
        begin = to_date.start if start is None else min(start, to_date.start)
        printed = []
        for value in self.vocabularies[vocabulary]:
            lifetime = self.lifetime_of(vocabulary, value)
            if lifetime is None or (
                lifetime.in_issues(month if start is None else ReportMonth.of(begin), month)
                and (lifetime.valid_from is None or lifetime.valid_from <= to_date.end)
                and (lifetime.valid_to is None or lifetime.valid_to >= begin)
            ):
                printed.append(value)
        return printed

    def whole_of(self, measure: str) -> str | None:
        """Return the measure that counts the same as one with a breakdown, without it; none if there is none."""
        parts = self.measures[measure]

        def counted(one: Measure) -> tuple[object, ...]:
            return one.table, one.count, one.where, one.followed_by

        same = (name for name, one in self.measures.items() if one.by is None and counted(one) == counted(parts))
        return next(same, None)

    def vocabulary_of(self, measure: str) -> str | None:
        """Return the vocabulary that a measure is broken down by, if it is."""
        counted = self.measures[measure]
        if counted.by is None or counted.by == "month":
            return None
        return self.tables[counted.table].columns[counted.by].vocabulary

    def categories(self, measure: str, month: ReportMonth, start: dt.date | None = None) -> list[str] | None:
        """Return a measure's categories in the issue of a month, in printed order; ``None`` without a vocabulary.

        ``start`` as in ``printed_values``.
        """
        vocabulary = self.vocabulary_of(measure)
        if vocabulary is None:
            return None
        missing = self.measures[measure].missing
        return [*self.printed_values(vocabulary, month, start), *([missing] if missing is not None else [])]

    def in_language(self, language: Language) -> Program:
        """Return the program with its names as a language shows them. Keys and categories stay: figures go by them."""
        if language.is_english:
            return self
        text = language.text

        def shown(part: _Part, *names: str) -> dict[str, Any]:
            return {name: text(value) for name in names if (value := getattr(part, name)) is not None}

        identity = self.identity.model_copy(
            update=shown(self.identity, "name", "short_name", "city", "department", "report_title", "site")
            | {"language": language.code}
        )
        said = self.demonstration
        model = self.report.practice_model
        return self.model_copy(
            update={
                "identity": identity,
                "demonstration": said and said.model_copy(update=shown(said, "mark", "statement")),
                "crosswalks": [one.model_copy(update=shown(one, "reason")) for one in self.crosswalks],
                "tables": {name: one.model_copy(update=shown(one, "title")) for name, one in self.tables.items()},
                "measures": {
                    name: one.model_copy(update=shown(one, "label", "missing")) for name, one in self.measures.items()
                },
                "data": self.data.model_copy(
                    update={
                        "licences": [one.model_copy(update=shown(one, "title")) for one in self.data.licences],
                        "sources": [one.model_copy(update=shown(one, "title")) for one in self.data.sources],
                    }
                ),
                "report": self.report.model_copy(
                    update={"practice_model": model and model.model_copy(update=shown(model, "services"))}
                ),
            }
        )

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield everything that a page shows of it, to be translated, each with the key under which it stands."""
        identity = self.identity
        for name in ("name", "short_name", "city", "department", "report_title", "site"):
            yield f"program.{name}", getattr(identity, name)
        if self.demonstration is not None:
            yield "demonstration.mark", self.demonstration.mark
            yield "demonstration.statement", self.demonstration.statement
        for vocabulary, values in self.vocabularies.items():
            yield from ((f"vocabularies.{vocabulary}", value) for value in values)
        for place, crosswalk in enumerate(self.crosswalks):
            yield f"crosswalks.{place}.value", crosswalk.value
            yield f"crosswalks.{place}.counted_as", crosswalk.counted_as
            yield f"crosswalks.{place}.reason", crosswalk.reason
        yield from ((f"tables.{name}.title", table.title) for name, table in self.tables.items())
        for name, measure in self.measures.items():
            yield f"measures.{name}.label", measure.label
            if measure.missing is not None:
                yield f"measures.{name}.missing", measure.missing
            columns = [*measure.where, *([measure.count.sum] if isinstance(measure.count, Sum) else [])]
            columns += [measure.count.distinct] if isinstance(measure.count, Distinct) else []
            yield from ((f"tables.{measure.table}.columns.{column}", column_in_words(column)) for column in columns)
            yield from (
                (f"measures.{name}.where.{column}", value)
                for column, value in measure.where.items()
                if isinstance(value, str)
            )
        yield from (("data.licences", one.title) for one in self.data.licences)
        yield from (("data.sources", one.title) for one in self.data.sources)
        if self.report.practice_model is not None:
            yield "report.practice_model.services", self.report.practice_model.services


def column_in_words(column: str) -> str:
    """Return the name of a column as a sentence has it: ``adults assisted``, and ``candidate`` for an id."""
    return column.removesuffix("_id").replace("_", " ")


def read_program(path: Path) -> Program:
    """Read and check program.toml.

    Raises
    ------
    ProgramError
        With every key that is wrong, what is wrong with it and what would be right.
    """
    data = b""
    try:
        data = path.read_bytes()
        text = decoded(data).replace("\r\n", "\n")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise ProgramError(
            "There is no program.toml.", [Problem(str(path), "is missing;", "every project has one at its top.")]
        ) from None
    except UnicodeDecodeError as error:
        raise ProgramError("program.toml cannot be read.", [not_decoded(str(path), data, error)]) from None
    except tomllib.TOMLDecodeError as error:
        raise ProgramError("program.toml cannot be read.", [_syntax_problem(path, text, str(error))]) from None
    except OSError as error:
        raise ProgramError(
            "program.toml cannot be read.", [Problem(str(path), f"{error.strerror}.", "Make it readable.")]
        ) from None
    return program_from(raw, str(path))


_CURLED = re.compile("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]")


def _syntax_problem(path: Path, text: str, error: str) -> Problem:
    """Show the line that is not TOML, with what is usually wrong with such a line."""
    found = re.search(r"line (\d+)", error)
    lines = text.splitlines()
    number = min(int(found[1]), len(lines)) if found else len(lines)
    line = lines[number - 1].strip() if lines else ""
    if curled := _CURLED.search(line):
        remedy = f'it has the curly quote {curled[0]}; write straight quotes (").'
    elif line.count('"') % 2:
        remedy = 'a quote (") is missing.'
    elif re.fullmatch(r"[A-Za-z0-9_.-]+\s*=\s*(?![\"'\[{0-9tf+\s-]).+", line):
        remedy = 'a text is written in quotes, as in name = "Violence Intervention Program".'
    elif line.count("[") != line.count("]") or line.count("{") != line.count("}"):
        remedy = "a bracket is not closed."
    elif "overwrite" in error or "twice" in error:
        remedy = "the key or the table is there already; keep one of them."
    else:
        remedy = "see toml.io for its form."
    return Problem(f"{path}, line {number}", f"is not TOML ({error}): {line}\n     ", remedy[0].upper() + remedy[1:])


def pasted(table: str, *lines: str) -> str:
    """Return lines to paste into program.toml, below the header of their table."""
    return "".join(f"\n      {line}" for line in (f"[{table}]", *lines))


def program_from(raw: Mapping[str, Any], source: str = "program.toml") -> Program:
    """Check the content of a program.toml; ``source`` is what errors call the file."""
    if problems := list(_shortcodes(raw)):
        raise ProgramError(f"{source} holds what an engine would run.", problems)
    try:
        program = Program.model_validate(dict(raw))
    except ValidationError as error:
        raise ProgramError(f"{source} is invalid.", [_problem_of(detail) for detail in error.errors()]) from None
    problems = [*_contradictions(program)]
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
        table = _key(detail["loc"][:-1])
        key = str(detail["loc"][-1])
        if not table:
            return Problem(where, _REMEDIES["missing"], f"add the table:{pasted(where)}")
        return Problem(where, _REMEDIES["missing"], f"add it:{pasted(table, f'{key} = …')}")
    message = detail["msg"].removeprefix("Value error, ")
    given = detail["input"]
    shown = shown_address(given) if isinstance(given, str) and secrets_in(given) else given
    return Problem(where, f"{shown!r} is refused:", message[0].lower() + message[1:] + ".")


def _field_type(model: type[BaseModel], step: str) -> Any:
    """Return the model that a key of ``model`` holds, looking into lists and tables of models."""
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


def _shortcodes(value: Any, where: str = "") -> Iterator[Problem]:
    """Find shortcodes of Quarto, which looks for them in metadata and attributes after escapes are resolved."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _shortcodes(key, f"{where}.{key}" if where else str(key))
            yield from _shortcodes(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _shortcodes(inner, f"{where}[{number}]")
    elif isinstance(value, str) and "{{<" in value:
        yield Problem(where, "holds '{{<', with which a shortcode of Quarto begins;", "take it out.")


def _contradictions(program: Program) -> Iterator[Problem]:
    """Find what is well-formed key by key, and still cannot be."""
    if program.identity.records_from < program.identity.began:
        yield Problem(
            "program.records_from",
            f"{program.identity.records_from} is before program.began, {program.identity.began};",
            "records cannot be older than the program.",
        )
    yield from _vocabulary_problems(program)
    yield from _lifetime_problems(program)
    yield from _table_problems(program)
    yield from _code_problems(program)
    yield from _intake_problems(program)
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
        if crosswalk.valid_from and crosswalk.valid_to and crosswalk.valid_to < crosswalk.valid_from:
            yield Problem(
                f"{where}.valid_to",
                f"{crosswalk.valid_to} is before valid_from, {crosswalk.valid_from};",
                "a crosswalk ends after it begins.",
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
                    "name what it is counted as in the end.",
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
                    "let one end (valid_to) before the other begins.",
                )
    for vocabulary, values in program.vocabularies.items():
        if not values:
            yield Problem(f"vocabularies.{vocabulary}", "is empty;", "name at least one value.")
        for value in values:
            if is_live(value):
                yield Problem(
                    f"vocabularies.{vocabulary}",
                    f"{value!r} begins like a formula, which it would be in a table that is opened as a spreadsheet;",
                    "begin it with a letter or a digit.",
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
                    f"'{spelling}' would stand for '{taken}' and for '{value}';",
                    "give each spelling to one value only.",
                )


def _share_a_day(one: _Days, other: _Days) -> bool:
    first, last = dt.date.min, dt.date.max
    return (one.valid_from or first) <= (other.valid_to or last) and (other.valid_from or first) <= (
        one.valid_to or last
    )


def _share_an_issue(one: _Issues, other: _Issues) -> bool:
    first, last = ReportMonth(1900, 1), ReportMonth(2999, 12)
    return (one.issues_from or first) <= (other.issues_to or last) and (other.issues_from or first) <= (
        one.issues_to or last
    )


def _lifetime_problems(program: Program) -> Iterator[Problem]:
    parts: list[tuple[str, _Issues]] = [(f"crosswalks[{n}]", one) for n, one in enumerate(program.crosswalks, start=1)]
    parts += [(f"lifetimes[{n}]", one) for n, one in enumerate(program.lifetimes, start=1)]
    parts += [(f"measures.{name}", measure) for name, measure in program.measures.items()]
    for part, one in parts:
        if one.issues_from is not None and one.issues_to is not None and one.issues_to < one.issues_from:
            yield Problem(
                f"{part}.issues_to",
                f"{one.issues_to} is before issues_from, {one.issues_from};",
                "the last issue comes after the first.",
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
                "a lifetime ends after it begins.",
            )
        if (lifetime.vocabulary, lifetime.value) in seen:
            yield Problem(where, f"'{lifetime.value}' has a lifetime already;", "keep one of them.")
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
                        f"'{heading}' would stand for '{taken}' and for '{column}';",
                        "give each heading to one column only.",
                    )
        for heading in program.intake.left_out.get(name, []):
            if heading_key(heading) in stands_for:
                yield Problem(
                    f"intake.left_out.{name}",
                    f"'{heading}' is left out, and stands for '{stands_for[heading_key(heading)]}';",
                    "take it out of one of them.",
                )


# What stands beside the tables of a program, in a delivery, in a database or where they are written.
_OWN_TABLES = {
    "voids": "the file that withdraws records",
    "deliveries": "the list of what came in when",
    "ledger": "the account of every row",
    "quarantine": "the list of rejected rows",
    "coverage": "the list of what each delivery covers",
    "origins": "the list of where each row came from",
}


def _table_problems(program: Program) -> Iterator[Problem]:
    for name, table in program.tables.items():
        where = f"tables.{name}"
        if name in _OWN_TABLES:
            yield Problem(where, f"takes the name of {_OWN_TABLES[name]};", "call the table something else.")
        for column in {table.id, *table.columns} & {"received", "delivery", "file", "line"}:
            yield Problem(
                f"{where}.columns.{column}",
                "is what the library calls where a row came from;",
                "name the column otherwise.",
            )
        if not table.one_row_per_id and table.delivery != "snapshot":
            yield Problem(
                f"{where}.one_row_per_id",
                "is false for a table that is delivered in parts;",
                'only rows of a snapshot can share an id (delivery = "snapshot").',
            )
        if table.id in table.columns:
            yield Problem(f"{where}.columns.{table.id}", "is the id already;", "leave it out of the columns.")
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
            if rule.type == "text":
                yield Problem(
                    f"{where}.columns.{column}.type",
                    "'text' is what nothing can be counted by, and may name people;",
                    "leave the column out (intake.left_out).",
                )
            if (rule.type == "category") != (rule.vocabulary is not None):
                yield Problem(
                    f"{where}.columns.{column}",
                    f"is of type {rule.type} {'without' if rule.vocabulary is None else 'with'} a vocabulary;",
                    "a column of type category names its vocabulary, and no other column does.",
                )
            elif rule.vocabulary is not None and rule.vocabulary not in program.vocabularies:
                yield _unknown(f"{where}.columns.{column}.vocabulary", rule.vocabulary, program.vocabularies)


def _code_problems(program: Program) -> Iterator[Problem]:
    """Find names under [codes] that are no column with codes."""
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
                f"{where}.formerly", f"'{former}' is a name of {other} as well;", "let one measure have had it."
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
            f"'{counted}' may be empty, and what is not known cannot be added up;",
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
            yield Problem(f"{where}.missing", "has no breakdown to stand in;", "take it out, or say by which column.")
        elif is_live(measure.missing) or (
            vocabulary in program.vocabularies and folded(measure.missing) in program.spellings(vocabulary)
        ):
            yield Problem(
                f"{where}.missing", f"{measure.missing!r} cannot stand for no value;", "call it 'Not recorded', say."
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
                f"report.{place}", f"'{name}' does not fit there;", f"name {needs.get(place, 'a measure without by')}."
            )
    if report.trend in program.measures and program.measures[report.trend].followed_by is not None:
        yield Problem(
            "report.trend",
            f"'{report.trend}' counts what follows later, so its months cannot be compared;",
            "name a measure without followed_by.",
        )
    funnel = [program.measures[name] for name in report.funnel if name in program.measures]
    if len(funnel) == 2 and (funnel[0].followed_by is not None or funnel[1].followed_by is None):
        yield Problem(
            "report.funnel", "does not lead from one step to the next;", "name who is notified, then who engages."
        )
    yield from _practice_model_problems(program)
    if len(report.funnel) == 1:
        yield Problem(
            "report.funnel", "names one measure;", "name two, who is notified and who of them engages, or none."
        )


def _practice_model_problems(program: Program) -> Iterator[Problem]:
    model, measures = program.report.practice_model, program.measures
    if model is None or any(name not in measures for name in model.counts):
        return
    notified, engaged = measures[model.notification], measures[model.engagement]
    if notified.followed_by is not None or engaged.followed_by is None:
        yield Problem(
            "report.practice_model",
            "does not lead from one step to the next;",
            "notification names who is notified, engagement who of them engages (followed_by).",
        )
    if model.sources in measures and measures[model.sources].table != measures[model.candidates].table:
        yield Problem(
            "report.practice_model.sources",
            f"'{model.sources}' counts other records than '{model.candidates}';",
            "name a measure of the same table.",
        )


def _unknown(where: str, name: str, known: Mapping[str, Any] | list[str]) -> Problem:
    return Problem(where, f"'{name}' is not known;", nearest(name, known) or f"known: {', '.join(known)}.")
