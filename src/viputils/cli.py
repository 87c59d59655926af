"""The command line: `vip report`, `vip verify`, `vip figures`."""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from viputils import __version__
from viputils.errors import BalanceError, ParameterError, Problem, VipError
from viputils.periods import ReportMonth, parse_date
from viputils.project import Project

if TYPE_CHECKING:
    from viputils.edition import Edition

# What a command's exit code says; the README documents them.
DISAGREES = 1
CANNOT = 2
FAULT = 3
INTERRUPTED = 130


class EngineName(StrEnum):
    """Which engine makes the pages."""

    auto = "auto"
    quarto = "quarto"
    embedded = "embedded"


app = typer.Typer(
    name="vip",
    help="Make the VIP Monthly Informational Report from raw records, and check every number in it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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
AllowOption = Annotated[
    bool, typer.Option("--allow-quarantined", help="Go on without the rows that are in quarantine.", show_default=False)
]


@app.callback()
def main_options(
    context: typer.Context,
    project: ProjectOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", show_default=False)] = False,
) -> None:
    """Take what stands before the command."""
    context.obj = project
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def report(
    context: typer.Context,
    month: MonthArgument,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    engine: Annotated[EngineName, typer.Option(help="What makes the pages.")] = EngineName.auto,
    allow_quarantined: AllowOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.", show_default=False)] = False,
) -> None:
    """Make an issue: HTML, PDF, figures and the executed notebook."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with _steps(console) as step:
        step("Reading and cleaning the records")
        edition, opened = _load(context, project, month, as_of, allow_quarantined)
        from viputils.issue import make_issue
        from viputils.render import choose_engine

        _print_account(console, edition)
        activities = opened.activities(edition.month)
        if activities.parent.is_dir() and not activities.is_file():
            name = f"report/activities/{edition.month}.md"
            console.print(f"Note: there is no {name}, so the issue says that no activities were written down.")
        issue = make_issue(opened, edition, choose_engine(engine.value), on_step=step)
    if as_json:
        typer.echo(json.dumps(issue.as_json(), indent=2))
        return
    typer.echo(f"The issue of {issue.month.label}, as of {issue.as_of}, made with the {issue.engine} engine:")
    for name, path in (
        ("HTML", issue.html),
        ("PDF", issue.pdf),
        ("Figures", issue.figures),
        ("Notebook", issue.notebook),
    ):
        typer.echo(f"  {name:<9}{path}")


@app.command(short_help="Compare recomputed figures with the published ones.")
def verify(
    context: typer.Context,
    month: MonthArgument,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
) -> None:
    """Compare recomputed figures with the published ones, figure by figure; exit 0 only if all agree."""
    from viputils.published import REPRODUCED, compare, read_published

    opened = _open(context, project)
    published = read_published(opened, ReportMonth.parse(month))
    edition, _ = _load(context, project, month, as_of, allow_quarantined)
    verdicts = compare(published, edition.figures, opened.program, edition.month)
    table = Table(
        "Measure",
        "Category",
        "Period",
        "Verdict",
        title=f"{edition.month.label} as of {edition.as_of}",
        title_justify="left",
    )
    table.add_column("Published", justify="right")
    table.add_column("Recomputed", justify="right")
    for row in verdicts.to_dict("records"):
        numbers = (str(row[side]).replace("<NA>", "none") for side in ("published", "recomputed"))
        cells = (str(row[name]) for name in ("measure", "category", "period", "verdict"))
        table.add_row(*(plain(cell) for cell in cells), *numbers)
    _console().print(table)
    agree = int(verdicts["verdict"].eq(REPRODUCED).sum())
    typer.echo(f"{agree} of {len(verdicts)} figures reproduced.")
    if agree != len(verdicts):
        raise typer.Exit(DISAGREES)


@app.command()
def figures(
    context: typer.Context,
    month: MonthArgument,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", show_default=False)] = False,
) -> None:
    """Print the figures table of a month."""
    if as_json and as_csv:
        raise ParameterError(
            "Two forms were asked for.", [Problem("--json, --csv", "go one at a time;", "take one of them.")]
        )
    from viputils.figures import figures_csv

    edition, _ = _load(context, project, month, as_of, allow_quarantined)
    rows = edition.figures
    if as_csv:
        typer.echo(figures_csv(rows), nl=False)
    elif as_json:
        shown: dict[str, Any] = {"month": str(edition.month), "as_of": edition.as_of.isoformat()}
        typer.echo(json.dumps({**shown, "figures": rows.to_dict("records")}, indent=2, ensure_ascii=False))
    else:
        table = Table(
            "Measure", "Category", "Period", title=f"{edition.month.label} as of {edition.as_of}", title_justify="left"
        )
        table.add_column("Value", justify="right")
        for row in rows.to_dict("records"):
            table.add_row(*(plain(str(row[name])) for name in ("measure", "category", "period", "value")))
        _console().print(table)


def main() -> NoReturn:
    """Run a command; turn every error that its reader can mend into a message and an exit code."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def stop(_signum: int, _frame: object) -> NoReturn:
        raise _InterruptedByUser

    # A polite kill cleans up as Ctrl-C does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        app()
    except VipError as error:
        console.print(plain(str(error)))
        sys.exit(FAULT if isinstance(error, BalanceError) else CANNOT)
    except _InterruptedByUser:
        console.print("Interrupted. Nothing was changed.")
        sys.exit(INTERRUPTED)
    except OSError as error:
        console.print(plain(f"{error.filename or 'Writing'}: {error.strerror or error}. Nothing was changed."))
        sys.exit(CANNOT)
    except Exception:
        # Never the exit code of a verdict: a script that reads it must not take a crash for one.
        console.print(
            plain(traceback.format_exc() + "This is a fault of viputils; please report it with the lines above.")
        )
        sys.exit(FAULT)
    sys.exit(0)


class _InterruptedByUser(BaseException):
    """Ctrl-C or a polite kill; no library on the way mistakes it for an error of its own."""


def plain(text: object) -> Text:
    """Give text for the terminal as it is: no markup, no emoji, and no control character that a file smuggled in."""
    return Text("".join(mark if mark.isprintable() or mark == "\n" else repr(mark)[1:-1] for mark in str(text)))


def _console() -> Console:
    """Give the console for tables; wide enough never to cut a figure off where the output is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=110)


def _open(context: typer.Context, project: Path | None) -> Project:
    folder = project or context.obj
    return Project.open(folder) if folder else Project.find()


def _load(
    context: typer.Context, project: Path | None, month: str, as_of: str | None, allow_quarantined: bool
) -> tuple[Edition, Project]:
    report_month = ReportMonth.parse(month)
    day = None if as_of is None else _as_of(as_of)
    opened = _open(context, project)
    from viputils.edition import load_edition

    edition = load_edition(opened, report_month, day)
    if not allow_quarantined:
        edition.records.require_no_quarantine()
    return edition, opened


def _as_of(text: str) -> dt.date:
    day = parse_date(text, "--as-of")
    # Only to refuse: no result ever depends on the clock.
    if day > dt.datetime.now().astimezone().date():
        raise ParameterError(
            "The as-of date is in the future.",
            [Problem("--as-of", f"{day} has not come yet;", "nobody knows what will have been received by then.")],
        )
    return day


def _print_account(console: Console, edition: Edition) -> None:
    account = edition.records.account
    totals = {name: int(account[name].sum()) for name in account.columns if name != "table"}
    console.print(
        f"{totals['read']:,} rows read as of {edition.as_of} = {totals['kept']:,} kept"
        f" + {totals['superseded']:,} superseded + {totals['duplicate']:,} duplicate"
        f" + {totals['quarantined']:,} quarantined"
    )


@contextmanager
def _steps(console: Console) -> Iterator[Callable[[str], None]]:
    """Show which step is under way: a spinner on a terminal, one line a step elsewhere."""
    if not console.is_terminal:
        yield lambda words: console.print(f"{words} …")
        return
    with console.status("Starting") as status:

        def step(words: str) -> None:
            status.update(f"{words} …")

        yield step
