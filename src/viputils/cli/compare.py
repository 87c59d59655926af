"""The command compare."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.options import AllowOption, CsvOption, JsonOption, ProjectOption, open_project, past_date
from viputils.cli.output import Format, emit, say, say_mark, show_table

if TYPE_CHECKING:
    from viputils.config.project import Project
    from viputils.figures.comparison import Comparison
    from viputils.records.clean import Records

_WINDOW = "as 2023-07..2023-11, or a period as 2023-11, FY2024-Q1 or FY2023"


def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="FIRST", help=f"The first window of months, {_WINDOW}.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="The window that it is compared with.")],
    as_of: Annotated[
        dt.date | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            parser=past_date("--as-of"),
            help="Count only records received by this date, YYYY-MM-DD.",
            show_default="the day of the newest delivery",
        ),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Compare the counts of two windows of months, with the ratio of their rates and its interval.

    The windows must not overlap. Windows of different length are compared per day.
    """
    from viputils.core.windows import parse_window
    from viputils.figures.comparison import compare_windows

    form, opened = Format.of(as_json, as_csv), open_project(context, project)
    starts = opened.program.identity.fiscal_year_starts
    one, other = parse_window(first, starts, "FIRST"), parse_window(second, starts, "SECOND")
    records = _records(opened, as_of, allow_quarantined)
    found = compare_windows(records, one, other)
    mark = records.program.demonstration.mark if records.is_demonstration and records.program.demonstration else None
    emit(
        form,
        text=lambda: _show(found, mark),
        json=lambda: {
            "first": str(found.first),
            "second": str(found.second),
            "as_of": found.as_of.isoformat(),
            "demonstration": mark,
            "notes": found.notes,
            "figures": found.figures,
        },
        csv=lambda: found.figures,
    )


def _records(project: Project, as_of: dt.date | None, allow_quarantined: bool) -> Records:
    from viputils.audit.as_of import shelf_of

    shelf = shelf_of(project)
    records = shelf.records(as_of or shelf.deliveries[-1].received)
    if not allow_quarantined:
        records.require_no_quarantine()
    return records


def _show(found: Comparison, mark: str | None) -> None:
    """Print as text the figures of both windows side by side, and what to know about them."""
    title = f"{found.first} and {found.second}, as of {found.as_of}"
    show_table(title, found.shown, right=tuple(found.shown.columns[2:]))
    say_mark(mark)
    for line in found.notes:
        say(f"Note: {line}")
