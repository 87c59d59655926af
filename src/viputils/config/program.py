"""What is one city's own: program.toml as typed, checked objects."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import zoneinfo
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from viputils.config.language import Language, hidden_marks, message
from viputils.core.errors import ParameterError, nearest
from viputils.core.months import ReportMonth
from viputils.core.text import folded
from viputils.core.urls import secrets_in

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
Place = Annotated[int, Field(ge=1, le=12)]


class Part(BaseModel):
    """Refuses unknown keys, and never turns one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Identity(Part):
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


class Demonstration(Part):
    """How synthetic records are told from real ones, and what every page made from them says."""

    id_prefix: Line
    mark: Line
    statement: Line
    details: Line | None = None


class Issues(Part):
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


class Days(Issues):
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


class Crosswalk(Days):
    """A value that is counted under another name where its record is of a day on which this holds."""

    vocabulary: Name
    value: Line
    aliases: list[Line] = []
    counted_as: Line
    assumption: bool = False
    reason: Line


class Lifetime(Days):
    """When a value of a vocabulary exists: on which days a record can have it, and which issues print it."""

    vocabulary: Name
    value: Line


class Column(Part):
    """What one column of a raw table holds."""

    type: Literal["date", "category", "count", "flag", "code", "text"]
    vocabulary: Name | None = None
    required: bool = True


class Table(Part):
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


class Sum(Part):
    """Counts the total of a count column."""

    sum: Name


class Distinct(Part):
    """Counts the different values of a column."""

    distinct: Name


class Measure(Issues):
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


class Intake(Part):
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


class Licence(Part):
    """What may be done with the data: a licence by its short name (CC0-1.0), its title and where it can be read."""

    name: Annotated[str, AfterValidator(_is_licence_name)]
    title: Line
    path: Address


class Source(Part):
    """Where the data comes from."""

    title: Line
    path: Address | None = None


class Data(Part):
    """What is said of the data that people take away."""

    licences: list[Licence] = []
    sources: list[Source] = []


class PracticeModel(Part):
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


class TileMap(Part):
    """A map of tiles: which measure it shows, and the row and column of the tile of each category, from 1 on."""

    measure: Name
    tiles: Annotated[dict[Line, Annotated[list[Place], Field(min_length=2, max_length=2)]], Field(min_length=1)]


class HelpLine(Part):
    """A number where people get help, and what it is for."""

    number: Line
    use: Line
    address: Address | None = None


class Contact(Part):
    """Whom readers can ask about the report."""

    name: Line
    phone: Line | None = None
    email: Line | None = None
    address: Address | None = None


class Report(Part):
    """Which measures stand where in the report."""

    headline: Annotated[list[Name], Field(min_length=1)]
    breakdowns: list[Name] = []
    trend: Name | None = None
    funnel: Annotated[list[Name], Field(max_length=2)] = []
    practice_model: PracticeModel | None = None
    tile_map: TileMap | None = None


class Program(Part):
    """program.toml, read and checked. Vocabularies, tables and measures stand in the file's order."""

    identity: Annotated[Identity, Field(alias="program")]
    demonstration: Demonstration | None = None
    vocabularies: dict[Name, dict[Line, list[Line]]] = {}
    codes: dict[Name, Literal["same", "different"]] = {}
    crosswalks: list[Crosswalk] = []
    lifetimes: list[Lifetime] = []
    intake: Intake = Intake()
    data: Data = Data()
    help: list[HelpLine] = []
    contact: Contact | None = None
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

        def shown(part: Part, *names: str) -> dict[str, Any]:
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
                "demonstration": said and said.model_copy(update=shown(said, "mark", "statement", "details")),
                "help": [one.model_copy(update=shown(one, "use")) for one in self.help],
                "contact": self.contact and self.contact.model_copy(update=shown(self.contact, "name")),
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
            if self.demonstration.details is not None:
                yield "demonstration.details", self.demonstration.details
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
        yield from ((f"help.{place}.use", one.use) for place, one in enumerate(self.help))
        if self.contact is not None:
            yield "contact.name", self.contact.name


def column_in_words(column: str) -> str:
    """Return the name of a column as a sentence has it: ``adults assisted``, and ``candidate`` for an id."""
    return column.removesuffix("_id").replace("_", " ")
