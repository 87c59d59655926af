"""Commands that make and count issues: report, backfill, figures."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.output import (
    bar,
    say,
    say_aside,
    show_json,
    show_table,
    steps,
)
from viputils.core.errors import (
    INTERRUPTED,
    ParameterError,
    Problem,
)
from viputils.core.months import ReportMonth
from viputils.core.text import plural

if TYPE_CHECKING:
    from viputils.config.project import Project
    from viputils.report.issue import Notes

from viputils.cli import interrupts
from viputils.cli.interrupts import InterruptedByUser
from viputils.cli.options import (
    CANNOT,
    AllowOption,
    AsOfOption,
    CsvOption,
    EngineName,
    Executor,
    JsonOption,
    MonthArgument,
    PapermillEngine,
    ProjectOption,
    open_edition,
    open_project,
    read_as_of,
    require_one_form,
)


def report(
    context: typer.Context,
    month: MonthArgument,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    engine: Annotated[EngineName, typer.Option(help="What makes the pages.")] = EngineName.auto,
    allow_quarantined: AllowOption = False,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang", metavar="CODE", help="The language of the issue, as in es.", show_default="that of the project"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.", show_default=False)] = False,
) -> None:
    """Make an issue: HTML, PDF, DOCX, figures and the executed notebook."""
    report_month, day = ReportMonth.parse(month), None if as_of is None else read_as_of(as_of)
    opened = open_project(context, project, lang)
    if day is not None:
        from viputils.records.completeness import require_over

        require_over(report_month, day)
    with steps() as step:
        from viputils.report.process import start_ahead

        # It imports what the issue needs while its inputs are copied.
        start_ahead()
        from viputils.report.issue import make_issue
        from viputils.report.render import choose_engine
        from viputils.report.seal import sealed

        with sealed(opened) as seal:
            issue = make_issue(
                seal,
                report_month,
                day,
                choose_engine(engine.value),
                allow_quarantined=allow_quarantined,
                on_step=step,
                on_notes=_say_notes,
            )
    if as_json:
        typer.echo(json.dumps(issue.as_json(), indent=2))
        return
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
    """Print what became of the rows of an issue, and what people should know of it."""
    for note in (notes.account, *notes.texts, *notes.records):
        say_aside(note)


def backfill(
    context: typer.Context,
    first: Annotated[str | None, typer.Argument(metavar="FROM", help="The first month, YYYY-MM.")] = None,
    last: Annotated[str | None, typer.Argument(metavar="TO", help="The last month.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every month that the records hold.", show_default=False)
    ] = False,
    project: ProjectOption = None,
    engine: Annotated[EngineName, typer.Option(help="What makes the pages.")] = EngineName.auto,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="CODE", help="The language.", show_default="that of the project")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="How many issues at a time.", show_default="one for each core"),
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="Who makes them: processes here, or the workers of a Dask cluster.")
    ] = Executor.processes,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler, as in tcp://127.0.0.1:8786."),
    ] = None,
    papermill_engine: Annotated[
        PapermillEngine, typer.Option(help="Run notebooks in the process of their issue (vip), or in kernels (stock).")
    ] = PapermillEngine.vip,
    force: Annotated[bool, typer.Option("--force", help="Make them all again.", show_default=False)] = False,
    why: Annotated[
        bool, typer.Option("--why", help="List everything that changed, for each issue.", show_default=False)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made.", show_default=False)
    ] = False,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the issues of many months again where something that they depend on has changed.

    One failure does not stop the others; the exit code is then 2.
    """
    if every == (first is not None) or (first is None) != (last is None):
        problem = Problem(
            "months",
            "say FROM and TO, as in 2022-07 2023-11 (the same twice for one month), or --all;",
            "and not both.",
        )
        raise ParameterError("Which months is not clear.", [problem])
    _who_makes_them(executor, scheduler, jobs)
    months = [None if month is None else ReportMonth.parse(month) for month in (first, last)]
    begin = time.monotonic()
    opened = open_project(context, project, lang)
    with steps() as step:
        step("Looking at what changed")
        from viputils.core.urls import shown_address
        from viputils.publish.backfill import carry_out, first_reason, orders_of
        from viputils.publish.cluster import carry_out_on
        from viputils.report.render import choose_engine

        chosen = choose_engine(engine.value)
        orders, lacking = orders_of(opened, months[0], months[1], chosen, allow_quarantined, force)
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
            # To reach a cluster can take a while, and so can its first worker.
            say_aside(f"Asking {shown_address(scheduler)} for workers …")
        made = carry_out_on(scheduler, opened, wanted, chosen, papermill_engine.value)
    try:
        with closing(made) as outcomes, _stopping_aloud(), bar(len(wanted)) as advance:
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
        rest = "the others are as they were." if force else "the same command makes the others."
        # What goes wrong with an issue is an outcome, so it is what is said here that finds no room.
        what = f"Writing: {error.strerror or error}." if isinstance(error, OSError) else "Interrupted."
        state = "was made and is" if number == 1 else "were made and are"
        say_aside(f"{what} {number} of {len(todo)} {state} whole; {rest}")
        interrupts.end(CANNOT if isinstance(error, OSError) else INTERRUPTED)
    if failed:
        raise typer.Exit(CANNOT)


@contextmanager
def _stopping_aloud() -> Iterator[None]:
    """Say at once that Ctrl-C was heard: to end what is under way takes a moment."""
    try:
        yield
    except InterruptedByUser:
        say_aside("Stopping …")
        raise


def figures(
    context: typer.Context,
    month: Annotated[
        str | None, typer.Argument(metavar="[MONTH]", help="The month of the issue, YYYY-MM.", show_default=False)
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Every published issue, and every month with data as counted.", show_default=False),
    ] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Print the figures table of a month, or of all of them."""
    require_one_form(as_json, as_csv)
    if every == (month is not None):
        raise ParameterError(
            "Choose a month or --all.",
            [Problem("MONTH, --all", "one of them is needed, and not both;", "write 2023-11, or --all.")],
        )
    if month is None:
        _show_all_figures(open_project(context, project), as_of, allow_quarantined, as_json, as_csv)
        return
    from viputils.figures.counts import figures_csv

    edition, _ = open_edition(context, project, month, as_of, allow_quarantined)
    rows = edition.figures
    if as_csv:
        typer.echo(figures_csv(rows), nl=False)
    elif as_json:
        show_json({"month": str(edition.month), "as_of": edition.as_of.isoformat(), "figures": rows})
    else:
        show_table(f"{edition.month.label} as of {edition.as_of}", rows, right=("value",))


def _show_all_figures(
    project: Project, as_of: str | None, allow_quarantined: bool, as_json: bool, as_csv: bool
) -> None:
    """Show the figures of every issue and month, and say which months there are none of."""
    from viputils.report.data_files import all_issues, all_issues_csv, months_left_out

    day = None if as_of is None else read_as_of(as_of)
    rows = all_issues(project, day, allow_quarantined)
    for month, why in months_left_out(project, day, None if allow_quarantined else ()).items():
        say_aside(f"{month} is left out. {why}")
    if as_csv:
        typer.echo(all_issues_csv(rows), nl=False)
    elif as_json:
        show_json({"figures": rows})
    else:
        show_table("Every issue, and every month with data", rows.drop(columns=["month", "origin"]), right=("value",))


def _who_makes_them(executor: Executor, scheduler: str | None, jobs: int | None) -> None:
    """Refuse options of a backfill that contradict each other."""
    problems = []
    if executor is Executor.dask and scheduler is None:
        problems.append(Problem("--executor dask", "needs a cluster;", "add --scheduler tcp://HOST:8786."))
    if executor is Executor.dask and jobs is not None:
        problems.append(
            Problem("--jobs", "is how many processes work here;", "a cluster has as many as it has workers.")
        )
    if executor is Executor.processes and scheduler is not None:
        problems.append(Problem("--scheduler", "is for a cluster;", "add --executor dask, or leave it out."))
    if problems:
        raise ParameterError("Who makes the issues is not clear.", problems)
