"""The commands report, backfill and figures."""

from __future__ import annotations

import datetime as dt
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli import interrupts
from viputils.cli.interrupts import InterruptedByUser
from viputils.cli.options import (
    CANNOT,
    AllowOption,
    AsOfOption,
    CsvOption,
    EngineName,
    EngineOption,
    Executor,
    JsonOption,
    LanguageOption,
    MonthArgument,
    PapermillEngine,
    ProjectOption,
    open_edition,
    open_project,
)
from viputils.cli.output import Format, bar, emit, say, say_aside, show_json, show_table, steps
from viputils.core.errors import INTERRUPTED, ParameterError, Problem
from viputils.core.months import ReportMonth
from viputils.core.text import plural

if TYPE_CHECKING:
    from viputils.config.project import Project
    from viputils.report.issue import Issue, Notes


def report(
    context: typer.Context,
    month: MonthArgument,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    engine: EngineOption = EngineName.auto,
    allow_quarantined: AllowOption = False,
    lang: LanguageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file paths as JSON.", show_default=False)] = False,
) -> None:
    """Make the issue of a month: web page, PDF, Word file, figures and notebook.

    The files are saved in issues/MONTH.
    """
    opened = open_project(context, project, lang)
    if as_of is not None:
        from viputils.records.deliveries import require_over

        require_over(month, as_of)
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
                month,
                as_of,
                choose_engine(engine.value),
                allow_quarantined=allow_quarantined,
                on_step=step,
                on_notes=_say_notes,
            )
    emit(Format.of(as_json), text=lambda: _show_issue(issue), json=issue.as_json)


def _show_issue(issue: Issue) -> None:
    """Print as text where the parts of an issue are."""
    typer.echo(f"The issue of {issue.month.label}, as of {issue.as_of}, made with the {issue.engine} engine:")
    for name, path in (
        ("HTML", issue.html),
        ("PDF", issue.pdf),
        ("DOCX", issue.docx),
        ("Figures", issue.figures),
        ("Notebook", issue.notebook),
        ("Manifest", issue.manifest),
    ):
        typer.echo(f"  {name:<9}{path}")


def _say_notes(notes: Notes) -> None:
    """Print how the rows of an issue were used, and other notes on it."""
    for note in (notes.account, *notes.texts, *notes.records):
        say_aside(note)


def backfill(
    context: typer.Context,
    first: Annotated[
        ReportMonth | None,
        typer.Argument(metavar="FROM", parser=ReportMonth.parse, help="The first month, as YYYY-MM."),
    ] = None,
    last: Annotated[
        ReportMonth | None, typer.Argument(metavar="TO", parser=ReportMonth.parse, help="The last month, as YYYY-MM.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Make every month that has records.", show_default=False)
    ] = False,
    project: ProjectOption = None,
    engine: EngineOption = EngineName.auto,
    lang: LanguageOption = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Issues to make at a time.", show_default="one per core"),
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="Where to make the issues: in processes here, or on a Dask cluster.")
    ] = Executor.processes,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler", metavar="ADDRESS", help="The address of the Dask scheduler, such as tcp://127.0.0.1:8786."
        ),
    ] = None,
    papermill_engine: Annotated[
        PapermillEngine,
        typer.Option(help="How to run notebooks: in the process of the issue (vip), or in a kernel (stock)."),
    ] = PapermillEngine.vip,
    force: Annotated[
        bool, typer.Option("--force", help="Make every issue again, even if nothing changed.", show_default=False)
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="For each issue, list everything that changed.", show_default=False)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be made, and make nothing.", show_default=False)
    ] = False,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the issues of many months. Skip each issue whose inputs have not changed.

    Give the first and last month, or --all. If an issue fails, the others are still made and the exit code is 2.
    """
    if every == (first is not None) or (first is None) != (last is None):
        problem = Problem(
            "months",
            "are not clear;",
            "give FROM and TO, as in 2022-07 2023-11 (the same month twice for one month), or --all.",
        )
        raise ParameterError("Choose the months, or --all.", [problem])
    _require_consistent(executor, scheduler, jobs)
    begin = time.monotonic()
    opened = open_project(context, project, lang)
    with steps() as step:
        step("Looking for changes")
        from viputils.core.urls import shown_address
        from viputils.publish.backfill import carry_out, first_reason, orders_of
        from viputils.publish.cluster import carry_out_on
        from viputils.report.render import choose_engine

        chosen = choose_engine(engine.value)
        orders, lacking = orders_of(opened, first, last, chosen, allow_quarantined, force)
    todo = [order for order in orders if order.why]
    lines = say_aside if as_json else say
    said = {month: [f"{opened.issue_place(str(month))}: cannot be made. {lack}"] for month, lack in lacking.items()}
    if why or dry_run:
        verb = "would be made" if dry_run else "is made"
        for order in todo:
            every_reason = [f"{order.place}: {verb}, because:", *(f"  {reason}" for reason in order.why)]
            said[order.month] = every_reason if why else [f"{order.place}: {verb}, because {first_reason(order)}."]
    for month in sorted(said):
        for line in said[month]:
            lines(line)
    results = {order.place: "unchanged" for order in orders if not order.why}
    results |= {order.place: "would be made" for order in todo if dry_run}
    failed = {opened.issue_place(str(month)): lack for month, lack in lacking.items()}
    notes: dict[str, list[str]] = {}
    wanted = [] if dry_run else todo
    if scheduler is None:
        made = carry_out(opened, wanted, chosen, jobs, papermill_engine.value)
    else:
        if wanted:
            # It can take a while to reach the cluster, and to get its first worker.
            say_aside(f"Connecting to {shown_address(scheduler)} …")
        made = carry_out_on(scheduler, opened, wanted, chosen, papermill_engine.value)
    try:
        with closing(made) as outcomes, _confirming_interrupt(), bar(len(wanted)) as advance:
            for outcome in outcomes:
                order = outcome.order
                if outcome.error is not None:
                    failed[order.place] = str(outcome.error)
                    text = f"{order.place}: cannot be made. {outcome.error}"
                else:
                    results[order.place] = "made"
                    text = f"{order.place}: made in {outcome.seconds:.1f} s, because {first_reason(order)}."
                advance(text, lines)
                if outcome.notes:
                    notes[order.place] = list(outcome.notes)
                for note in outcome.notes:
                    say_aside(f"{order.place}: {note}")
        counts = {what: list(results.values()).count(what) for what in ("made", "would be made", "unchanged")}
        summary = ", ".join(f"{number} {what}" for what, number in counts.items() if number) or "none made"
        summary += f", {len(failed)} could not be made" if failed else ""
        total = len(orders) + len(lacking)
        lines(f"{plural(total, 'issue')}: {summary}; {time.monotonic() - begin:.1f} s.")
        if as_json:
            reasons = {order.place: list(order.why) for order in todo}
            said_of = {"why": reasons, "failed": dict(sorted(failed.items())), "notes": dict(sorted(notes.items()))}
            every_issue = results | dict.fromkeys(failed, "could not be made")
            show_json({"issues": dict(sorted(every_issue.items())), **said_of})
    except (InterruptedByUser, OSError) as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        number = list(results.values()).count("made")
        rest = "the others were not changed." if force else "run the command again to make the others."
        # An error in an issue is an outcome, so an OSError here comes from writing to the terminal or to a file.
        what = f"Cannot write: {error.strerror or error}." if isinstance(error, OSError) else "Interrupted."
        issues = "issue is" if number == 1 else "issues are"
        say_aside(f"{what} {number} of {len(todo)} {issues} complete; {rest}")
        interrupts.end(CANNOT if isinstance(error, OSError) else INTERRUPTED)
    if failed:
        raise typer.Exit(CANNOT)


@contextmanager
def _confirming_interrupt() -> Iterator[None]:
    """Confirm Ctrl-C at once, because it takes a moment to stop."""
    try:
        yield
    except InterruptedByUser:
        say_aside("Stopping …")
        raise


def figures(
    context: typer.Context,
    month: Annotated[
        ReportMonth | None,
        typer.Argument(
            metavar="MONTH", parser=ReportMonth.parse, help="The month of the report, as YYYY-MM.", show_default=False
        ),
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
    """Print the figures of a month, or of every issue and month.

    Give a month, or --all.
    """
    if every == (month is not None):
        raise ParameterError(
            "Choose a month or --all.",
            [Problem("MONTH, --all", "exactly one of them is needed;", "write a month, as in 2023-11, or --all.")],
        )
    form = Format.of(as_json, as_csv)
    if month is None:
        _emit_all_figures(open_project(context, project), as_of, allow_quarantined, form)
        return
    from viputils.figures.counts import figures_csv

    edition, _ = open_edition(context, project, month, as_of, allow_quarantined)
    rows = edition.figures
    emit(
        form,
        text=lambda: show_table(f"{edition.month.label} as of {edition.as_of}", rows, right=("value",)),
        json=lambda: {"month": str(edition.month), "as_of": edition.as_of.isoformat(), "figures": rows},
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


def _require_consistent(executor: Executor, scheduler: str | None, jobs: int | None) -> None:
    """Raise ParameterError if options of a backfill contradict each other."""
    problems = []
    if executor is Executor.dask and scheduler is None:
        problems.append(Problem("--executor dask", "needs a cluster;", "add --scheduler tcp://HOST:8786."))
    if executor is Executor.dask and jobs is not None:
        problems.append(
            Problem("--jobs", "sets the number of processes on this computer;", "leave it out with --executor dask.")
        )
    if executor is Executor.processes and scheduler is not None:
        problems.append(Problem("--scheduler", "is only for a cluster;", "add --executor dask, or leave it out."))
    if problems:
        raise ParameterError("The options contradict each other.", problems)
