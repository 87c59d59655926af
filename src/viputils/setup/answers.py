"""What no file can tell: names, the fiscal year, what one record is, and how files are delivered."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from viputils.config.fields import LanguageCode, Line, Name, TimeZone
from viputils.core.errors import ParameterError, Problem

Delivery = Literal["snapshot", "incremental"]
Order = Literal["month first", "day first"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TableAnswers(_Part):
    """Answers about one sheet or file. Headings are written as in the file.

    Attributes
    ----------
    table
        The name of the table.
    records
        What its records are, in the plural: ``victims``.
    id
        The heading of the column with the id, or ``row`` if there is none.
    date
        The heading of the column that places a record in a month.
    keep, leave_out
        Headings of columns to keep although they were left out, and to leave out although they were kept.
    """

    table: Name | None = None
    records: Line | None = None
    id: Line | None = None
    date: Line | None = None
    keep: list[Line] = []
    leave_out: list[Line] = []
    delivery: Delivery | None = None


class Answers(_Part):
    """Answers about a city and its files. What is not answered is guessed.

    Attributes
    ----------
    tables
        By the name of the sheet, or of the file without its ending.
    """

    name: Line | None = None
    short_name: Line | None = None
    city: Line | None = None
    department: Line | None = None
    report_title: Line | None = None
    site: Line | None = None
    language: LanguageCode | None = None
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12)] | None = None
    began: dt.date | None = None
    delivery: Delivery | None = None
    date_order: Order | None = None
    time_zone: TimeZone | None = None
    tables: dict[Line, TableAnswers] = {}


def read_answers(path: Path) -> Answers:
    """Read a file of answers.

    Raises
    ------
    ParameterError
        If it is missing, is not TOML, or has a wrong key or value; lists all of them.
    """
    try:
        return Answers.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _invalid([Problem(path.name, f"cannot be read: {error}.", "It is a TOML file in UTF-8.")]) from None
    except ValidationError as error:
        raise _invalid([_problem(path, detail["loc"], detail["msg"]) for detail in error.errors()]) from None


def _problem(path: Path, place: tuple[int | str, ...], what: str) -> Problem:
    key = ".".join(str(step) for step in place)
    if what.startswith("Extra inputs"):
        model = TableAnswers if place[0] == "tables" else Answers
        return Problem(f"{path.name}, {key}", "is not a known key;", f"known: {', '.join(model.model_fields)}.")
    return Problem(f"{path.name}, {key}", "is invalid:", what.removeprefix("Value error, ") + ".")


def _invalid(problems: list[Problem]) -> ParameterError:
    return ParameterError("The answers cannot be used.", problems)
