"""The options and exit codes that commands share. Options parse what users type, so commands get months and dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.output import say_aside
from viputils.core.errors import ParameterError, Problem
from viputils.core.months import IssuePeriod, ReportMonth, parse_date
from viputils.core.periods import parse_period

if TYPE_CHECKING:
    from viputils.config.project import Project
    from viputils.figures.edition import Edition

# Exit codes. The README documents them.
DISAGREES = 1
CANNOT = 2
FAULT = 3
NO_RECORDS = 4


class EngineName(StrEnum):
    """The engine that makes the pages."""

    auto = "auto"
    quarto = "quarto"
    embedded = "embedded"


class PapermillEngine(StrEnum):
    """The Papermill engine that runs notebooks."""

    vip = "vip"
    stock = "stock"


class Executor(StrEnum):
    """What makes the issues of a backfill."""

    processes = "processes"
    dask = "dask"


def today() -> dt.date:
    """Return today's date here."""
    # Used only in checks and warnings, and as the default of options. The library never reads the clock.
    return dt.datetime.now().astimezone().date()


def any_date(option: str) -> Callable[[str], dt.date]:
    """Return the parser of an option that takes a date."""

    def read(text: str) -> dt.date:
        return parse_date(text, option)

    return read


def past_date(option: str) -> Callable[[str], dt.date]:
    """Return the parser of an option that takes a date up to today."""

    def read(text: str) -> dt.date:
        day = parse_date(text, option)
        if day > today():
            raise ParameterError(
                f"The date of {option} is in the future.",
                [Problem(option, f"{day} has not come yet;", "choose a date up to today.")],
            )
        return day

    return read


def read_address(text: str) -> str:
    """Return the web address of --address, which must be that of a folder."""
    from viputils.config.fields import is_folder_address

    try:
        return is_folder_address(text)
    except ValueError as error:
        raise ParameterError("The address cannot be used.", [Problem("--address", f"{text!r} {error}.")]) from None


def _only_format(context: typer.Context, parameter: typer.CallbackParam, asked: bool) -> bool:
    """Raise ParameterError if the user chose another output format as well."""
    chosen: set[str] = context.meta.setdefault("viputils.formats", set())
    if asked:
        chosen.add(parameter.opts[0])
    if len(chosen) > 1:
        names = [name for name in ("--json", "--csv", "--markdown") if name in chosen]
        raise ParameterError(
            f"Choose one output format: {' or '.join(names)}.", [Problem(", ".join(names), "were given together.")]
        )
    return asked


PERIODS_HELP = "a month as 2023-11, a quarter as FY2024-Q1, a fiscal year as FY2024"
PeriodArgument = Annotated[
    IssuePeriod,
    typer.Argument(metavar="PERIOD", parser=parse_period, help=f"The period of the report: {PERIODS_HELP}."),
]
MonthArgument = Annotated[
    ReportMonth, typer.Argument(metavar="MONTH", parser=ReportMonth.parse, help="The month of the report, as YYYY-MM.")
]
ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The project folder.", show_default="the current project"),
]
AsOfOption = Annotated[
    dt.date | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        parser=past_date("--as-of"),
        help="Count only records received by this date, YYYY-MM-DD.",
        show_default="the day the period's last table arrived",
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(
        "--lang", metavar="CODE", help="The language of the pages, such as es.", show_default="the project's language"
    ),
]
EngineOption = Annotated[EngineName, typer.Option("--engine", help="The program that makes the pages.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON.", show_default=False, callback=_only_format)
]
CsvOption = Annotated[
    bool, typer.Option("--csv", help="Print the result as CSV.", show_default=False, callback=_only_format)
]
MarkdownOption = Annotated[
    bool,
    typer.Option("--markdown", help="Print the result as release notes.", show_default=False, callback=_only_format),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="URL",
        parser=read_address,
        help="The web address of the finished site.",
        show_default="program.address in program.toml",
    ),
]
SinceOption = Annotated[
    ReportMonth | None,
    typer.Option(
        "--since",
        metavar="MONTH",
        parser=ReportMonth.parse,
        help="Leave out issues of earlier months.",
        show_default="include all",
    ),
]
OnOption = Annotated[
    dt.date | None,
    typer.Option(
        "--on",
        metavar="DATE",
        parser=any_date("--on"),
        help="The day for release dates and embargoes, YYYY-MM-DD.",
        show_default="today",
    ),
]
AllowOption = Annotated[
    bool, typer.Option("--allow-quarantined", help="Continue without quarantined rows.", show_default=False)
]


def open_project(context: typer.Context, project: Path | None, language: str | None = None) -> Project:
    """Open the project that --project names, before or after the command, or else the current project."""
    from viputils.config.project import Project
    from viputils.config.source import from_environment

    folder = project or context.obj
    opened = Project.open(folder, language, from_environment()) if folder else Project.find(language=language)
    if opened.source.is_elsewhere:
        say_aside(f"Deliveries come from {opened.source.shown}.")
    return opened


def open_edition(
    context: typer.Context, project: Path | None, period: IssuePeriod, as_of: dt.date | None, allow_quarantined: bool
) -> tuple[Edition, Project]:
    """Return the edition of a period and its project. Raise QuarantineError if rows in quarantine are not allowed."""
    opened = open_project(context, project)
    from viputils.audit.as_of import load_edition, require_no_quarantine

    edition = load_edition(opened, period, as_of)
    if not allow_quarantined:
        require_no_quarantine(opened, edition)
    return edition, opened
