"""What commands share: options, exit codes, and how their texts are read."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.output import (
    say_aside,
)
from viputils.core.errors import (
    ParameterError,
    Problem,
)
from viputils.core.months import ReportMonth, parse_date

if TYPE_CHECKING:
    from viputils.config.project import Project
    from viputils.figures.edition import Edition

# What a command's exit code says; the README documents them.
DISAGREES = 1
CANNOT = 2
FAULT = 3
NO_RECORDS = 4


class EngineName(StrEnum):
    """Which engine makes the pages."""

    auto = "auto"
    quarto = "quarto"
    embedded = "embedded"


class PapermillEngine(StrEnum):
    """Which engine of Papermill executes notebooks."""

    vip = "vip"
    stock = "stock"


class Executor(StrEnum):
    """Who makes the issues of a backfill."""

    processes = "processes"
    dask = "dask"


MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help="The month of the issue, YYYY-MM.")]
ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The project's folder.", show_default="the one you are in"),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Count only what was received by this day, YYYY-MM-DD.",
        show_default="the day the month's last table came in",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.", show_default=False)]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="URL", help="Where the site will lie.", show_default="program.address in program.toml"
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="MONTH", help="Leave out the issues of earlier months.", show_default="none"),
]
AllowOption = Annotated[
    bool, typer.Option("--allow-quarantined", help="Go on without the rows that are in quarantine.", show_default=False)
]


def open_project(context: typer.Context, project: Path | None, language: str | None = None) -> Project:
    """Open the project that --project names, before or after the command, or the one that the user is in."""
    from viputils.config.project import Project
    from viputils.config.source import from_environment

    folder = project or context.obj
    opened = Project.open(folder, language, from_environment()) if folder else Project.find(language=language)
    if opened.source.is_elsewhere:
        say_aside(f"Deliveries come from {opened.source.shown}.")
    return opened


def open_edition(
    context: typer.Context, project: Path | None, month: str, as_of: str | None, allow_quarantined: bool
) -> tuple[Edition, Project]:
    """Load the edition of a month, and the project that it is from; rows in quarantine are refused unless allowed."""
    report_month = ReportMonth.parse(month)
    day = None if as_of is None else read_as_of(as_of)
    opened = open_project(context, project)
    from viputils.audit.as_of import load_edition, require_no_quarantine

    edition = load_edition(opened, report_month, day)
    if not allow_quarantined:
        require_no_quarantine(opened, edition)
    return edition, opened


def read_as_of(text: str) -> dt.date:
    """Read the date of --as-of."""
    return read_date(text, "--as-of")


def read_date(text: str, option: str) -> dt.date:
    """Read a date. A date in the future is refused, except for --received, where the command says so."""
    day = parse_date(text, option)
    if option != "--received" and day > today():
        raise ParameterError(
            f"The date of {option} is in the future.",
            [Problem(option, f"{day} has not come yet;", "nobody knows what will have been received by then.")],
        )
    return day


def read_address(text: str) -> str:
    """Read the address of --address: that of a folder on the web."""
    from viputils.config.program import is_folder_address

    try:
        return is_folder_address(text)
    except ValueError as error:
        raise ParameterError("The address cannot be used.", [Problem("--address", f"{text!r} {error}.")]) from None


def today() -> dt.date:
    """Return the day that it is here."""
    # Only to refuse and to warn: no result ever depends on the clock.
    return dt.datetime.now().astimezone().date()


def require_one_form(as_json: bool, as_csv: bool, as_markdown: bool = False) -> None:
    """Refuse two output formats at once."""
    asked = {"--json": as_json, "--csv": as_csv, "--markdown": as_markdown}
    if sum(asked.values()) > 1:
        names = [name for name, wanted in asked.items() if wanted]
        one = f"{', '.join(names[:-1])} or {names[-1]}"
        raise ParameterError(f"Choose one output format: {one}.", [Problem(", ".join(names), "were given together.")])
