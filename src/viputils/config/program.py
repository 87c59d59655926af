"""The settings of a city: program.toml as typed, checked objects."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from viputils.config.fields import (
    ID_SCHEMA,
    Address,
    Day,
    DeliveriesPlace,
    Email,
    FolderAddress,
    LanguageCode,
    LicenseName,
    Line,
    Month,
    Name,
    Phone,
    TilePlace,
    Time,
    TimeZone,
)
from viputils.config.language import Language, message
from viputils.core.months import ReportMonth
from viputils.core.text import folded

if TYPE_CHECKING:
    import pandas as pd

Period = Literal["month", "fytd"]

# The name of the delivery folder in messages, tables and manifests, wherever it is.
RAW = "data/raw"

# The id column of a table without ids, and of a table whose id is made from several columns.
ROW_ID = "row"
JOINED_ID = "record_id"


def heading_key(text: str) -> str:
    """Return a heading in the form used to compare headings: words without case and punctuation."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text.casefold())))


class Part(BaseModel):
    """A part of program.toml. Unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Identity(Part):
    """Names and dates of the program, for the cover and the running header and footer."""

    name: Line
    """The name of the program, on the cover."""
    short_name: Line
    """Its short name, as in `VIP`."""
    city: Line
    """The city, on the cover."""
    department: Line
    """The department that runs the program."""
    report_title: Line
    """The title of the report, as in `Monthly Informational Report`."""
    site: Line
    """The web address of the program as people read it, in the footer."""
    language: LanguageCode = "en"
    """The main language, as a code: `en` or `es`."""
    also_in: list[LanguageCode] = []
    """More languages of the site."""
    address: FolderAddress | None = None
    """The web address of the site, with a slash at the end. Leave it out until you know it."""
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12)]
    """The month in which the fiscal year begins. With 1, January, the report says calendar year."""
    began: dt.date
    """The day on which the program began."""
    records_from: dt.date
    """The first day that the records cover. No record can be older."""
    delivered: Literal["monthly", "irregularly"]
    """`monthly` if a month without a delivery is an error, or else `irregularly`."""
    deliveries: DeliveriesPlace = RAW
    """Where the deliveries are: a folder, an object store or a database."""
    shares: Line | None = None
    """The path to another project whose notebooks, texts and theme this one uses."""
    provisional_months: Annotated[int, Field(ge=1)] | None = None
    """For how many months the numbers of a month are marked as provisional. Without it, always."""

    @property
    def languages(self) -> list[str]:
        """Every language of the report, starting with its own."""
        return list(dict.fromkeys([self.language, *self.also_in]))

    @property
    def year(self) -> str:
        """The name of its years: a fiscal year that starts in January is a calendar year."""
        return message("calendar year") if self.fiscal_year_starts == 1 else message("fiscal year")

    @property
    def year_to_date(self) -> str:
        """The short name of the year to date, for table headings."""
        return message("YTD") if self.fiscal_year_starts == 1 else message("FYTD")


class Demonstration(Part):
    """The id prefix of sample data, and the notice on every page made from them."""

    id_prefix: Line
    """Records whose id begins with this are sample data."""
    mark: Line
    """The notice at the foot of every page made from sample data."""
    statement: Line
    """The notice at the beginning of such a page."""
    details: Line | None = None
    """What is real and what is made up, at the end of such a page."""


class Issues(Part):
    """A rule that applies to some issues, by default to all."""

    issues_from: Month | None = None
    """The first issue to which this applies. Without it, from the first issue."""
    issues_to: Month | None = None
    """The last issue to which this applies. Without it, to the newest."""

    def in_issue(self, month: ReportMonth) -> bool:
        """Return whether the rule applies to the issue of a month."""
        return self.in_issues(month, month)

    def in_issues(self, first: ReportMonth, last: ReportMonth) -> bool:
        """Return whether the rule applies to any issue from ``first`` to ``last``."""
        return (self.issues_from is None or last >= self.issues_from) and (
            self.issues_to is None or first <= self.issues_to
        )


class Days(Issues):
    """A rule that applies on some days, both ends included, by default on all."""

    valid_from: dt.date | None = None
    """The first day on which this applies."""
    valid_to: dt.date | None = None
    """The last day on which this applies."""

    @property
    def when(self) -> str:
        """The days on which the rule applies, in words."""
        words = [f"from {self.valid_from}"] if self.valid_from else []
        words += [f"to {self.valid_to}"] if self.valid_to else []
        return " ".join(words) or "on every day"

    def covers(self, days: pd.Series) -> pd.Series:
        """Flag the days on which the rule applies."""
        import pandas as pd

        covered = days.notna()
        if self.valid_from is not None:
            covered &= days.ge(pd.Timestamp(self.valid_from))
        if self.valid_to is not None:
            covered &= days.le(pd.Timestamp(self.valid_to))
        return covered


class Crosswalk(Days):
    """A value that is counted under another name for records of the days on which the rule applies."""

    vocabulary: Name
    """The vocabulary of the value."""
    value: Line
    """The value that records have."""
    aliases: list[Line] = []
    """Other spellings of the value."""
    counted_as: Line
    """The value of the vocabulary that it is counted as."""
    assumption: bool = False
    """Whether this rule is not confirmed. Pages say so."""
    reason: Line
    """Why, in words for readers."""


class Lifetime(Days):
    """The lifetime of a value: the days on which records can have it, and the issues that print it."""

    vocabulary: Name
    """The vocabulary of the value."""
    value: Line
    """The value that exists only on some days."""


class Column(Part):
    """A column of a raw table."""

    type: Literal["date", "category", "count", "flag", "code", "text"]
    """What the column has: days, values of a vocabulary, whole numbers, yes or no, or codes of records and people."""
    vocabulary: Name | None = None
    """The vocabulary of a `category` column."""
    required: bool = True
    """Whether every row must have a value."""


class Table(Part):
    """A raw table: its id, its columns, the date that assigns a record to a month, and its kind of delivery.

    An incremental delivery adds and corrects records. A snapshot replaces the whole table. Only in a snapshot may
    several rows share an id, because such rows cannot be matched between deliveries.

    Intake writes the ids that are made from several columns, and those of a table without ids.
    """

    title: Line
    """The name of the table in the report."""
    id: Annotated[Name, WithJsonSchema(ID_SCHEMA)]
    """The column with the id of a record, a list of columns that form it together, or `row` if there is none."""
    # Not a key: ``id`` is written as a list.
    id_parts: SkipJsonSchema[list[Name]] = []
    date: Name
    """The column that places a record in a month."""
    delivery: Literal["incremental", "snapshot"] = "incremental"
    """`snapshot` if each file is the whole table; a row that is no longer in it is withdrawn. `incremental` if files
    add and correct.
    """
    one_row_per_id: bool = True
    """Whether an id has one row. Only rows of a snapshot can share an id."""
    columns: Annotated[dict[Name, Column], Field(min_length=1)]
    """The columns besides the id, by name."""
    exactly_one_of: list[Name] = []
    """Each row fills exactly one of these columns."""

    @model_validator(mode="before")
    @classmethod
    def _id_of_several_columns(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("id"), list):
            return {**given, "id": JOINED_ID, "id_parts": given["id"]}
        return given

    @property
    def id_is_made(self) -> bool:
        """Whether intake makes the id, so that agency files have no column for it."""
        return self.id == ROW_ID or bool(self.id_parts)


class Sum(Part):
    """A count that adds up a column."""

    sum: Name
    """The column that is added up."""


class Distinct(Part):
    """A count of the distinct values of a column."""

    distinct: Name
    """The column whose different values are counted."""


class Measure(Issues):
    """A measure: what is counted. ``issues_from`` and ``issues_to`` are the issues that print it."""

    label: Line
    """What the report calls it."""
    table: Name
    """The table whose records it counts."""
    count: Literal["rows"] | Sum | Distinct
    """`rows`, the sum of a column, or the number of different values of a column."""
    by: Name | None = None
    """The category column that breaks it down, or `month`."""
    where: dict[Name, Line | bool] = {}
    """Only records with these values, by column."""
    followed_by: Name | None = None
    """A table: only people with a later record in it by the end of the period are counted."""
    missing: Line | None = None
    """The name of the line for records without a category."""
    printed: list[Period] = []
    """The periods that the issue prints. `vip verify` expects these in the register."""
    formerly: list[Name] = []
    """Former names, which older published figures use."""


class Intake(Part):
    """Rules for reading agency files: names of columns, and columns and sheets to leave out."""

    date_order: Literal["month first", "day first"] = "month first"
    """How agencies write a day such as 8/9/2023."""
    time_zone: TimeZone | None = None
    """The zone to which times with a zone are converted, as in `America/Denver`, or `as written`."""
    missing: list[Line] = []
    """More words that mean that a value is missing."""
    sheets_left_out: list[Line] = []
    """Sheets of workbooks that have no records."""
    headings: dict[Name, dict[Name, list[Line]]] = {}
    """What agencies call the columns, by table and column. Case, spaces and punctuation do not matter."""
    left_out: dict[Name, list[Line]] = {}
    """Columns that agencies send and you do not want, by table."""


class License(Part):
    """A license of the data: its short name (CC0-1.0), its title and its web address."""

    name: LicenseName
    """The short name of the license, as in `CC0-1.0`."""
    title: Line
    """Its full title."""
    path: Address
    """Its web address."""


class Source(Part):
    """A source of the data."""

    title: Line
    """What the data comes from."""
    path: Address | None = None
    """Its web address."""


class Data(Part):
    """The licenses and sources of the published data."""

    licenses: list[License] = []
    """What people may do with the numbers."""
    sources: list[Source] = []
    """Where the numbers come from."""


class PracticeModel(Part):
    """The measures at each step of the practice model, from the shooting review to services.

    Enforcement has no measure, because the records do not cover it.
    """

    review: Annotated[list[Name], Field(min_length=1)]
    """The measures of the shooting review."""
    candidates: Name
    """The measure of candidates who came in."""
    sources: Name | None = None
    """The measure of candidates by source."""
    notification: Name
    """The measure of people notified."""
    engagement: Name
    """The measure of people who took up a service."""
    services: Line = "Peer support and social services"
    """The services that people take up."""

    @property
    def counts(self) -> list[str]:
        """The measures without a breakdown, in the order of the steps."""
        return [*self.review, self.candidates, self.notification, self.engagement]


class TileMap(Part):
    """A map of tiles: which measure it shows, and the row and column of the tile of each category, from 1 on."""

    measure: Name
    """The measure that the map shows. It is one of the breakdowns."""
    tiles: Annotated[dict[Line, Annotated[list[TilePlace], Field(min_length=2, max_length=2)]], Field(min_length=1)]
    """The row and the column of the tile of each category, counted from 1."""


class HelpLine(Part):
    """A number where people get help, and what it is for."""

    number: Line
    """The number to call."""
    use: Line
    """What the number is for."""
    address: Address | None = None
    """A web address with more about it."""


class Contact(Part):
    """Whom readers can ask about the report."""

    name: Line
    """Whom readers can ask about the report."""
    phone: Phone | None = None
    """A phone number."""
    email: Email | None = None
    """An e-mail address."""
    address: Address | None = None
    """A web address."""


class Release(Part):
    """The day on which the issue of a month is to be released.

    The site leaves out an issue with an embargo until that day.
    """

    issue: Month
    """The month of the issue."""
    date: Day
    """The day on which it comes out."""
    time: Time | None = None
    """The time of day in the city, as in `10:00`."""
    embargo: bool = False
    """Whether the site leaves out the issue until then."""


class Report(Part):
    """The measures in each part of the report."""

    headline: Annotated[list[Name], Field(min_length=1)]
    """The large numbers: measures without a breakdown."""
    breakdowns: list[Name] = []
    """The tables: measures by a category."""
    trend: Name | None = None
    """The chart by month: a measure by month."""
    funnel: Annotated[list[Name], Field(max_length=2)] = []
    """Two measures: who is notified, and who of them engages."""
    practice_model: PracticeModel | None = None
    """The steps of the diagram on the page about the program."""
    tile_map: TileMap | None = None
    """A map of tiles, one for each area."""


class Program(Part):
    """program.toml, read and checked. Vocabularies, tables and measures are in the order of the file."""

    identity: Annotated[Identity, Field(alias="program")]
    """The names and dates of the program."""
    demonstration: Demonstration | None = None
    """What marks sample data. Delete it if you have real records."""
    vocabularies: dict[Name, dict[Line, list[Line]]] = {}
    """The values of each category in printed order, with the other spellings that agencies use."""
    codes: dict[Name, Literal["same", "different"]] = {}
    """For a column of codes that look alike: whether they are the `same` record or person, or `different` ones."""
    crosswalks: list[Crosswalk] = []
    """Values that are counted under another name."""
    lifetimes: list[Lifetime] = []
    """Values that exist only from or until a day."""
    intake: Intake = Intake()
    """How to read what agencies send."""
    data: Data = Data()
    """The license and the sources of the published data."""
    help: list[HelpLine] = []
    """Where readers get help, on every issue and on the home page."""
    contact: Contact | None = None
    """Whom readers can ask about the report. It needs at least one of `phone`, `email` and `address`."""
    releases: list[Release] = []
    """When issues come out, for the calendar of the site."""
    tables: Annotated[dict[Name, Table], Field(min_length=1)]
    """The raw tables: one CSV file each in a delivery."""
    measures: Annotated[dict[Name, Measure], Field(min_length=1)]
    """What is counted."""
    report: Report
    """Which measures are in each part of the report."""

    def spellings(self, vocabulary: str) -> dict[str, str]:
        """Return every folded spelling in a vocabulary and its crosswalks, with its value."""
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
        """Return the crosswalks of a vocabulary, in the order of the file."""
        return [crosswalk for crosswalk in self.crosswalks if crosswalk.vocabulary == vocabulary]

    def lifetime_of(self, vocabulary: str, value: str) -> Lifetime | None:
        """Return the lifetime of a value, or None if it always exists."""
        return next((one for one in self.lifetimes if (one.vocabulary, one.value) == (vocabulary, value)), None)

    def printed_values(self, vocabulary: str, month: ReportMonth, start: dt.date | None = None) -> list[str]:
        """Return the values of a vocabulary that the issue of a month prints, in order.

        Parameters
        ----------
        start
            Also include values that ended between this day and the month's fiscal year.

        Values that started after the month, or ended before its fiscal year, are left out. So are values of other
        issues, so that an issue printed with six areas always has six.
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
        """Return the measure that counts the same without a breakdown, or None if there is none."""
        parts = self.measures[measure]

        def counted(one: Measure) -> tuple[object, ...]:
            return one.table, one.count, one.where, one.followed_by

        same = (name for name, one in self.measures.items() if one.by is None and counted(one) == counted(parts))
        return next(same, None)

    def vocabulary_of(self, measure: str) -> str | None:
        """Return the vocabulary of a measure's breakdown, or None without a breakdown."""
        counted = self.measures[measure]
        if counted.by is None or counted.by == "month":
            return None
        return self.tables[counted.table].columns[counted.by].vocabulary

    def categories(self, measure: str, month: ReportMonth, start: dt.date | None = None) -> list[str] | None:
        """Return the categories of a measure in the issue of a month, in printed order, or None without a vocabulary.

        ``start`` is as in ``printed_values``.
        """
        vocabulary = self.vocabulary_of(measure)
        if vocabulary is None:
            return None
        missing = self.measures[measure].missing
        return [*self.printed_values(vocabulary, month, start), *([missing] if missing is not None else [])]

    def in_language(self, language: Language) -> Program:
        """Return the program with translated names. Keys and categories stay the same, because figures use them."""
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
                        "licenses": [one.model_copy(update=shown(one, "title")) for one in self.data.licenses],
                        "sources": [one.model_copy(update=shown(one, "title")) for one in self.data.sources],
                    }
                ),
                "report": self.report.model_copy(
                    update={"practice_model": model and model.model_copy(update=shown(model, "services"))}
                ),
            }
        )

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield the key and text of every name that pages show, for translation."""
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
        yield from (("data.licenses", one.title) for one in self.data.licenses)
        yield from (("data.sources", one.title) for one in self.data.sources)
        if self.report.practice_model is not None:
            yield "report.practice_model.services", self.report.practice_model.services
        yield from ((f"help.{place}.use", one.use) for place, one in enumerate(self.help))
        if self.contact is not None:
            yield "contact.name", self.contact.name


def column_in_words(column: str) -> str:
    """Return the name of a column for use in a sentence: ``adults assisted``, or ``candidate`` for an id."""
    return column.removesuffix("_id").replace("_", " ")
