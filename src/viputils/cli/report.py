"""The commands report and figures."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.options import (
    PERIODS_HELP,
    AllowOption,
    AsOfOption,
    CsvOption,
    EngineName,
    EngineOption,
    JsonOption,
    LanguageOption,
    PeriodArgument,
    ProjectOption,
    open_edition,
    open_project,
)
from viputils.cli.output import Format, emit, say_aside, show_table, steps
from viputils.core.errors import ParameterError, Problem
from viputils.core.months import IssuePeriod
from viputils.core.periods import parse_period
from viputils.core.text import capital

if TYPE_CHECKING:
    from viputils.config.project import Project
    from viputils.report.issue import Issue, Notes


def report(
    context: typer.Context,
    period: PeriodArgument,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    engine: EngineOption = EngineName.auto,
    allow_quarantined: AllowOption = False,
    lang: LanguageOption = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Mark every page as a draft, which cannot be published.", show_default=False)
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file paths as JSON.", show_default=False)] = False,
) -> None:
    """Make the issue of a month, quarter or fiscal year: web page, PDF, Word file, summary, figures and notebook.

    The files are saved in issues/PERIOD.
    """
    opened = open_project(context, project, lang)
    if as_of is not None:
        from viputils.records.completeness import require_over

        require_over(opened.program, period, as_of)
    with steps() as step:
        from viputils.report.process import start_ahead

        # It imports what the issue needs while the inputs are copied.
        start_ahead()
        from viputils.report.issue import make_issue
        from viputils.report.render import choose_engine
        from viputils.report.seal import sealed

        with sealed(opened) as seal:
            issue = make_issue(
                seal,
                period,
                as_of,
                choose_engine(engine.value),
                allow_quarantined=allow_quarantined,
                draft=draft,
                on_step=step,
                on_notes=_say_notes,
            )
    emit(Format.of(as_json), text=lambda: _show_issue(issue), json=issue.as_json)


def _show_issue(issue: Issue) -> None:
    """Print as text where the parts of an issue are."""
    typer.echo(f"The issue of {issue.period.label}, as of {issue.as_of}, made with the {issue.engine} engine:")
    for name, path in (
        ("HTML", issue.html),
        ("PDF", issue.pdf),
        ("DOCX", issue.docx),
        ("Figures", issue.figures),
        ("Notebook", issue.notebook),
        ("Manifest", issue.manifest),
        ("Summary", issue.summary),
    ):
        if path is not None:
            typer.echo(f"  {name:<9}{path}")


def _say_notes(notes: Notes) -> None:
    """Print how the rows of an issue were used, and other notes on it."""
    for note in (notes.account, *notes.texts, *notes.records):
        say_aside(note)


def figures(
    context: typer.Context,
    period: Annotated[
        IssuePeriod | None,
        typer.Argument(metavar="PERIOD", parser=parse_period, help=f"The period: {PERIODS_HELP}.", show_default=False),
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Print every published issue, and every month that has data.", show_default=False),
    ] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Print the figures of a month, quarter or fiscal year, or of every issue and month.

    Give a period, or --all.
    """
    if every == (period is not None):
        raise ParameterError(
            "Choose a period or --all.",
            [Problem("PERIOD, --all", "exactly one of them is needed;", "write a month, as in 2023-11, or --all.")],
        )
    form = Format.of(as_json, as_csv)
    if period is None:
        _emit_all_figures(open_project(context, project), as_of, allow_quarantined, form)
        return
    from viputils.figures.counts import figures_csv

    edition, _ = open_edition(context, project, period, as_of, allow_quarantined)
    rows = edition.figures
    emit(
        form,
        text=lambda: show_table(f"{capital(edition.period.label)} as of {edition.as_of}", rows, right=("value",)),
        json=lambda: {"month": str(edition.period), "as_of": edition.as_of.isoformat(), "figures": rows},
        csv=lambda: figures_csv(rows),
    )


def _emit_all_figures(project: Project, as_of: dt.date | None, allow_quarantined: bool, form: Format) -> None:
    """Print the figures of every issue and month, and name the months that are left out."""
    from viputils.report.data_files import all_issues, all_issues_csv, months_left_out

    rows = all_issues(project, as_of, allow_quarantined)
    for month, why in months_left_out(project, as_of, None if allow_quarantined else ()).items():
        say_aside(f"{month} is left out. {why}")
    shown = rows.drop(columns=["month", "origin"])
    emit(
        form,
        text=lambda: show_table("Every issue, and every month with data", shown, right=("value",)),
        json=lambda: {"figures": rows},
        csv=lambda: all_issues_csv(rows),
    )
