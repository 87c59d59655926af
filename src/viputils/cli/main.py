"""The command line: each `vip …` reads its options, calls the library, and says what came of it."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from viputils import __version__
from viputils.cli.output import (
    account_line,
    bar,
    say,
    say_aside,
    says_yes,
    show_csv,
    show_json,
    show_table,
    steps,
)
from viputils.config.language import plural
from viputils.config.project import Project
from viputils.config.source import from_environment
from viputils.core.errors import (
    INTERRUPTED,
    NOTHING_CHANGED,
    BalanceError,
    IntakeError,
    ParameterError,
    Problem,
    PublishedError,
    VipError,
)
from viputils.core.files import private_folder
from viputils.core.months import ReportMonth, parse_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viputils.audit.trace import Movement, Trace
    from viputils.audit.verdicts import IssueVerdicts
    from viputils.figures.edition import Edition
    from viputils.intake.exports import EitherOrder

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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.", show_default=False)]
# From so many columns on, whole paths and a text that folds go side by side.
_WIDE = 120
# In seconds, until Ctrl-C is said once more where Python had swallowed it.
_AGAIN = 0.01
# For so many seconds a command that was interrupted tidies up, and hears nothing more.
_TIDYING = 5.0
# What a person needs to find a rejected row and to see what is wrong with it.
# How many remedies are shown.
_REMEDIES_SHOWN = 10
# How many rows that may be no corrections are shown.
_DOUBTFUL_SHOWN = 20
_REJECT_COLUMNS = ("file", "line", "id", "field", "reason", "value", "nearest")
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


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main_options(
    context: typer.Context,
    project: ProjectOption = None,
    version: Annotated[  # noqa: ARG001 - its callback has answered already
        bool,
        typer.Option("--version", help="Print the version.", show_default=False, callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Take what stands before the command."""
    context.obj = project


@app.command()
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
    report_month, day = ReportMonth.parse(month), None if as_of is None else _as_of(as_of)
    opened = _open(context, project, lang)
    if day is not None:
        from viputils.records.deliveries import require_over

        require_over(report_month, day)
    with steps() as step:
        from viputils.report.notebook import kernel_ahead
        from viputils.report.seal import sealed

        # The kernel gets ready while the rest is imported and read.
        with sealed(opened) as seal, kernel_ahead(seal.project.root, seal.project.raw) as kernel:
            from viputils.report.issue import make_issue
            from viputils.report.render import choose_engine

            issue = make_issue(
                seal,
                report_month,
                day,
                choose_engine(engine.value),
                allow_quarantined=allow_quarantined,
                kernel=kernel,
                on_step=step,
                on_edition=_say_notes,
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


def _say_notes(project: Project, edition: Edition) -> None:
    """Print what became of the rows of an edition, and what people should know of its texts and its as-of day."""
    from viputils.audit.as_of import note_on_day
    from viputils.audit.manifest import notes_on_salts
    from viputils.report.issue import notes_on_texts

    say_aside(account_line(edition.records.account, edition.as_of))
    for note in notes_on_texts(project, edition.month):
        say_aside(note)
    for note in notes_on_salts(edition.records):
        say_aside(f"WARNING: {note}")
    if note := note_on_day(project, edition):
        say_aside(f"Note: {note}")


@app.command(short_help="Make the issues of many months; only those that changed.")
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
        typer.Option("--jobs", min=1, help="How many processes.", show_default="one for each core and two issues"),
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="Who makes them: processes here, or the workers of a Dask cluster.")
    ] = Executor.processes,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler, as in tcp://127.0.0.1:8786."),
    ] = None,
    papermill_engine: Annotated[
        PapermillEngine, typer.Option(help="Whether kernels are forked (vip) or started each (stock).")
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

    A month that cannot be made keeps no other from being made; the exit code is then 2.
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
    opened = _open(context, project, lang)
    with steps() as step:
        step("Looking at what changed")
        from viputils.core.urls import shown_address
        from viputils.publish.backfill import carry_out, first_reason, orders_of
        from viputils.publish.cluster import carry_out_on
        from viputils.report.render import choose_engine
        from viputils.report.zygote import CANNOT_FORK, can_fork

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
    if papermill_engine is PapermillEngine.vip and scheduler is None and len(wanted) > 1 and not can_fork():
        say_aside(CANNOT_FORK)
    if scheduler is None:
        made = carry_out(opened, wanted, chosen, jobs, papermill_engine.value)
    else:
        if wanted:
            # To reach a cluster can take a while, and so can its first worker.
            say_aside(f"Asking {shown_address(scheduler)} for workers …")
        made = carry_out_on(scheduler, opened, wanted, chosen, papermill_engine is PapermillEngine.vip)
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
    except (_InterruptedByUser, OSError) as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        number = list(results.values()).count("made")
        rest = "the others are as they were." if force else "the same command makes the others."
        # What goes wrong with an issue is an outcome, so it is what is said here that finds no room.
        what = f"Writing: {error.strerror or error}." if isinstance(error, OSError) else "Interrupted."
        state = "was made and is" if number == 1 else "were made and are"
        say_aside(f"{what} {number} of {len(todo)} {state} whole; {rest}")
        _end_at_once(CANNOT if isinstance(error, OSError) else INTERRUPTED)
    if failed:
        raise typer.Exit(CANNOT)


@contextmanager
def _stopping_aloud() -> Iterator[None]:
    """Say at once that Ctrl-C was heard: to end what is under way takes a moment."""
    try:
        yield
    except _InterruptedByUser:
        say_aside("Stopping …")
        raise


@app.command(short_help="Give a verdict on each published figure.")
def verify(
    context: typer.Context,
    month: Annotated[
        str | None,
        typer.Argument(metavar="[MONTH]", help="The issue, as in 2023-11 or 2023-11-r1.", show_default="all"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every issue of the register.", show_default=False)] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="Recompute as of this day alone.",
            show_default="the as-of date of the issue, and the newest delivery",
        ),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Recompute each published figure: reproduced, revised since, differs, not reproducible, internally inconsistent.

    Exit 0: every figure of every issue that stands is reproduced, be it revised since. 1: one differs or the print
    contradicts itself. 2: it cannot be told, because the register, a delivery or a figure is missing or malformed, or
    because the issue was made with other rules, code or deliveries and a figure is not as printed. 4: otherwise, but
    there are no records to tell from.
    """
    _one_form(as_json, as_csv)
    if every and month is not None:
        raise ParameterError(
            "Verify one issue, or all.", [Problem("--all", f"was given with {month};", "take one of them.")]
        )
    from viputils.audit.verdicts import (
        DIFFERS,
        NOT_COMPARABLE,
        NOT_REPRODUCIBLE,
        all_figures,
        counted_with,
        verify_register,
        worst,
    )

    opened = _open(context, project)
    day = None if as_of is None else _as_of(as_of)
    found = verify_register(opened, month, day, allow_quarantined)
    for one in found if not as_json else ():
        for line in one.caution:
            (say_aside if as_csv else say)(line)
    if as_csv:
        show_csv(all_figures(found))
    elif as_json:
        show_json({"counted_with": counted_with(opened, day), "issues": [one.as_json() for one in found]})
    else:
        _show_verdicts(found)
    if missing := [problem for one in found if one.replaced_by is None for problem in one.missing]:
        raise PublishedError("Figures are missing, so the issue cannot be verified.", missing)
    codes = {None: 0, DIFFERS: DISAGREES, NOT_COMPARABLE: CANNOT, NOT_REPRODUCIBLE: NO_RECORDS}
    code = codes[worst(found)]
    if code:
        raise typer.Exit(code)


@app.command(short_help="Make an issue again, and compare every byte.")
def reproduce(
    context: typer.Context,
    issue: Annotated[
        str,
        typer.Argument(metavar="MONTH|MANIFEST", help="An issue with a manifest, as in 2023-11, or a manifest.json."),
    ],
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep what was made in this new folder.", show_default="nothing is kept"),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an issue again from its recorded inputs, in a clean folder; exit 0 only if every byte is the same."""
    from viputils.publish.reproduction import reproduce

    opened = _open(context, project)
    with steps() as step:
        found = reproduce(opened, issue, keep, step)
    manifest = found.manifest
    if as_json:
        changes = [vars(change) for change in found.changes]
        shown = {"month": str(manifest.month), "as_of": manifest.as_of, "manifest": found.source}
        touched, added = ([vars(one) for one in those] for those in (found.touched, found.added))
        came = {"identical": found.identical, "outputs": found.outputs}
        show_json({**shown, **came, "changes": changes, "touched": touched, "added": added})
    else:
        title = f"{manifest.month.label} as of {manifest.as_of}, made again as {found.source} says"
        show_table(title, found.outputs)
        for line in found.conclusion:
            say(line)
    if not found.identical:
        raise typer.Exit(DISAGREES)


@app.command(short_help="Begin a month's activities, or look for what must not go out.")
def new(
    context: typer.Context,
    month: MonthArgument,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only look for what must not go out in what is written.", show_default=False),
    ] = False,
    project: ProjectOption = None,
) -> None:
    """Write the file for a month's activities, with the themes of the month before, and say which deliveries are in.

    A file that is there stays as it is. With --check nothing is written: what tells who somebody is, in the activities
    and in all other texts of the project, is listed with its line: phone numbers, addresses, dates of birth, names near
    an age or a crime, and the like. Exit 0: there is nothing, or all was allowed by name. 1: there is. 2: a text cannot
    be shown.
    """
    from viputils.publish.status import new_month

    opened, report_month = _open(context, project), ReportMonth.parse(month)
    if check:
        _check_activities(opened, report_month)
        return
    if report_month.span.start > _today():
        raise ParameterError(
            f"{report_month.label} has not begun.",
            [Problem("month", f"{report_month} lies in the future;", "there is nothing to write about yet.")],
        )
    begun = new_month(opened, report_month)
    if begun.created:
        themes = f"the themes of {begun.themes_of}" if begun.themes_of else "one theme to begin with"
        say(f"Written: {begun.file}, with {themes}. Say below each heading what was done, or take it out.")
        say(f"Then: vip new {month} --check, and vip report {month}.")
    else:
        say(f"{begun.file} is there already, and stays as it is.")
    show_table(f"Deliveries for {report_month.label}", begun.tables)
    if begun.as_of is not None:
        say(f"The data of {month} is complete as of {begun.as_of}.")
    for problem in begun.problems:
        say(f"- {problem}")


@app.command(short_help="Show how far every month has come.")
def status(
    context: typer.Context,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show for each month: whether its data is complete, its activities written, its issue made, published, verified.

    Stale is an issue of which something that it was made from has changed since. Whatever is wrong with one part is
    said as a note, and keeps nothing else from being shown.
    """
    _one_form(as_json, as_csv)
    from viputils.publish.status import project_status

    found = project_status(_open(context, project))
    if as_csv:
        show_csv(found.table)
    elif as_json:
        show_json({"months": [one.as_json() for one in found.months], "notes": [vars(note) for note in found.notes]})
    else:
        show_table("Every month, the newest last", found.table)
    for note in found.notes if not as_json else ():
        (say_aside if as_csv else say)(f"Note: {note}")


@app.command(short_help="Add an issue that was made here to the register.")
def publish(
    context: typer.Context,
    month: MonthArgument,
    printed: Annotated[
        str | None, typer.Option(metavar="DATE", help="The day on which it is published.", show_default="today")
    ] = None,
    reissue: Annotated[
        bool, typer.Option("--reissue", help="Publish it as a correction of the issue that is out.", show_default=False)
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why there is a correction.", show_default=False)] = "",
    footnote: Annotated[
        str, typer.Option(metavar="TEXT", help="What explains figures that do not add up.", show_default=False)
    ] = "",
    reproduction: Annotated[
        bool,
        typer.Option(
            "--reproduction",
            help="Only keep its manifest, beside an issue of the register whose figures it reproduces.",
            show_default=False,
        ),
    ] = False,
    project: ProjectOption = None,
) -> None:
    """Add an issue to the register of published figures, with its manifest; what is there is never replaced."""
    from viputils.publish.publication import keep_reproduction, publish

    opened = _open(context, project)
    report_month = ReportMonth.parse(month)
    if reproduction:
        if printed or reissue or reason or footnote:
            raise ParameterError(
                "A reproduction adds nothing to what was published.",
                [Problem("--reproduction", "stands alone;", "take the other options away.")],
            )
        issue = keep_reproduction(opened, report_month)
        say(f"Kept: data/published/{issue.name}.manifest.json, from which anyone can make the issue of {month} again.")
        return
    day = _today() if printed is None else _date(printed, "--printed")
    issue = publish(opened, report_month, day, reissue, reason, footnote)
    figures = plural(len(issue.figures), "figure")
    say(f"Published: {issue.name.label}, {figures}, in data/published/{issue.name}.csv.")
    say("Commit data and report: the register, the deliveries and the activities. Then make the site.")


@app.command(short_help="Make the site: every issue, and the pages around them.")
def site(
    context: typer.Context,
    address: AddressOption = None,
    since: SinceOption = None,
    project: ProjectOption = None,
    engine: Annotated[EngineName, typer.Option(help="What makes the pages.")] = EngineName.auto,
    as_json: JsonOption = False,
) -> None:
    """Make the whole site in _site: every issue of every month that can be counted, in every language, and its data.

    An issue is made only where it is not what would be made now, and a page only where something on it changed. The
    site is replaced whole or not at all.
    """
    from viputils.publish.site.build import make_site
    from viputils.report.render import choose_engine

    opened = _open(context, project)
    where = None if address is None else _address(address)
    first = None if since is None else ReportMonth.parse(since)
    try:
        with steps() as step:
            found = make_site(opened, choose_engine(engine.value), where, first, on_step=step, go_on=_go_on)
    except _InterruptedByUser:
        say_aside("Interrupted. The site is as it was; issues that were made meanwhile stay.")
        _end_at_once(INTERRUPTED)
    if as_json:
        notes = [vars(note) for note in found.notes]
        show_json({**vars(found), "home": str(found.home), "made": [list(one) for one in found.made], "notes": notes})
        return
    for place, reasons in found.made:
        more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        say(f"Made: issues/{place}, because {reasons[0]}{more}.")
    issues, pages = plural(found.issues, "issue"), plural(found.pages, "page")
    say(f"The site: {issues} ({len(found.made)} made), {pages} ({found.pages_made} made).")
    for note in found.notes:
        say(f"Note: {note}")
    say(f"Open {found.home}")
    configured = opened.program.identity.address
    if where is None and configured is None:
        say("Note: it has no feed and no sitemap, because program.address in program.toml does not say where it lies.")
    elif where is None and configured is not None and urlsplit(configured).netloc.endswith(".example"):
        say(f"Note: its feed and sitemap name {configured}, which is nobody's; say --address before it goes online.")


def _go_on(many: str) -> bool:
    """Print how much there is to do, and ask if a person is at the terminal."""
    say_aside(many)
    return not sys.stdin.isatty() or says_yes("Make them all?")


@app.command(short_help="Look at the site as it will be, and see changes at once.")
def preview(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to serve it; 0 is any free one.")] = 8000,
    since: SinceOption = None,
    project: ProjectOption = None,
    engine: Annotated[EngineName, typer.Option(help="What makes the pages.")] = EngineName.auto,
) -> None:
    """Serve the site on this machine alone, and make it again whenever something that it is made from changes.

    It lies in a temporary folder, so _site stays as it is. Ctrl-C ends it.
    """
    from viputils.publish.site.build import make_site
    from viputils.publish.site.preview import follow, serving
    from viputils.report.render import choose_engine

    opened = _open(context, project)
    first = None if since is None else ReportMonth.parse(since)
    chosen = choose_engine(engine.value)
    with private_folder("preview") as scratch:
        folder = scratch / "site"
        folder.mkdir()
        try:
            server_of = serving(folder, port)
            with server_of as server:
                said: list[str] = []

                def make() -> None:
                    try:
                        with steps() as step:
                            # The project is read again, since program.toml can have changed.
                            found = make_site(
                                _open(context, project),
                                chosen,
                                server.address,
                                first,
                                folder,
                                on_step=step,
                                go_on=_go_on,
                            )
                    except (VipError, OSError) as error:
                        still = "The pages are as they were before." if server.state else "There are no pages yet."
                        say_aside(f"{error}\n{still}")
                    else:
                        server.state += 1
                        pages = f"{found.pages_made} of {plural(found.pages, 'page')}"
                        say(f"Made: {plural(len(found.made), 'issue')}, {pages}.")
                    if not said:
                        said.append(f"Look at {server.address} (Ctrl-C ends it).")
                        say(said[0])

                follow(opened, make)
        except (_InterruptedByUser, KeyboardInterrupt):
            say_aside("The preview has ended.")
    _end_at_once(0)


@app.command()
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
    _one_form(as_json, as_csv)
    if every == (month is not None):
        raise ParameterError(
            "Print one month, or all.", [Problem("MONTH, --all", "go one at a time;", "say 2023-11, or --all.")]
        )
    if month is None:
        _show_all_figures(_open(context, project), as_of, allow_quarantined, as_json, as_csv)
        return
    from viputils.figures.counts import figures_csv

    edition, _ = _load(context, project, month, as_of, allow_quarantined)
    rows = edition.figures
    if as_csv:
        typer.echo(figures_csv(rows), nl=False)
    elif as_json:
        show_json({"month": str(edition.month), "as_of": edition.as_of.isoformat(), "figures": rows})
    else:
        show_table(f"{edition.month.label} as of {edition.as_of}", rows, right=("value",))


@app.command(short_help="List what moved in a month between two as-of dates.")
def revisions(
    context: typer.Context,
    month: MonthArgument,
    before: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="As of this day.", show_default="the as-of date of the issue"),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="And as of this one.", show_default="the newest delivery"),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List each figure that moved between two as-of dates, by how much, and which records did it."""
    _one_form(as_json, as_csv)
    from viputils.audit.register import deliveries_not_as_published
    from viputils.audit.revisions import find_revisions

    first, last = (None if text is None else _date(text, name) for text, name in ((before, "--from"), (after, "--to")))
    opened = _open(context, project)
    found = find_revisions(opened, ReportMonth.parse(month), first, last, allow_quarantined)
    problems = deliveries_not_as_published(opened, found.month)
    for problem in problems if not as_json else ():
        (say_aside if as_csv else say)(f"WARNING: {problem}")
    span = f"{found.month.label}, from {found.before} to {found.after}"
    if as_csv:
        show_csv(found.records)
    elif as_json:
        shown = {"month": str(found.month), "from": found.before.isoformat(), "to": found.after.isoformat()}
        warnings = [vars(problem) for problem in problems]
        show_json({**shown, "figures": found.figures, "records": found.records, "warnings": warnings})
    elif found.figures.empty:
        typer.echo(f"{span}: no figure moved.")
    else:
        figures = found.figures.assign(change=found.figures["change"].map("{:+d}".format))
        show_table(f"{span}: {plural(len(figures), 'figure')} moved", figures, right=("before", "after", "change"))
        say("The records that moved them:")
        for record in found.by_record.to_dict("records"):
            say(f"  {record['table']} {record['id']}: {record['what']} ({record['file']}, line {record['line']})")
            say(f"    {record['moved']}")


@app.command(short_help="Show which figures move between two issues or two commits.")
def changes(
    context: typer.Context,
    before: Annotated[
        str, typer.Argument(metavar="A", help="An issue (2023-11, issues/2023-11, a figures.csv), or a commit.")
    ],
    after: Annotated[str, typer.Argument(metavar="B", help="The other; of commits, '.' is the working tree.")],
    months: Annotated[
        list[str] | None,
        typer.Option(
            "--month",
            metavar="MONTH",
            help="Of commits, compare this month; can be repeated.",
            show_default="those in the register of either",
        ),
    ] = None,
    all_months: Annotated[
        bool, typer.Option("--all-months", help="Of commits, compare every month with records.", show_default=False)
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print release notes.", show_default=False)] = False,
) -> None:
    """Compare two issues, or what the code and records of two commits make, figure by figure.

    Exit 0: no printed figure moved. 1: one moved. 2: none did in what could be compared, and not all could.

    Printed is what the register holds and what program.toml says is printed; other figures are shown and decide
    nothing. A commit that moves a figure on purpose says so, with the reason, in a line of its message:

        Moves-figure: 2023-11 responses_by_incident_type/Homicide/month -- why it moves

    The month can be 'all', and the figure a measure or 'all'. Figures that are said to move decide nothing either.
    """
    _one_form(as_json, as_csv, as_markdown)
    from viputils.audit.changes import find_changes

    opened = _open(context, project)
    wanted = [ReportMonth.parse(one) for one in months or ()]
    with steps() as step:
        found = find_changes(opened, before, after, wanted, all_months, step)
    if as_json:
        show_json(found.as_json())
    elif as_markdown:
        from viputils.report.tables import release_notes

        say(release_notes(found))
    else:
        if as_csv:
            show_csv(found.figures)
        elif not found.figures.empty:
            show_table("Figures that are not the same", found.shown, right=("before", "after", "change"))
        for line in found.conclusion:
            (say_aside if as_csv else say)(line)
    if not found.unsaid.empty:
        raise typer.Exit(DISAGREES)
    if found.not_compared:
        raise typer.Exit(CANNOT)


@app.command(short_help="List the records behind a printed number.")
def trace(
    context: typer.Context,
    month: MonthArgument,
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help="MEASURE/CATEGORY/PERIOD, as in responses_by_incident_type/Homicide/month, or MEASURE/PERIOD, as in "
            "adults_assisted/fytd; in quotes where it holds a blank.",
        ),
    ],
    as_of: AsOfOption = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="DATE DATE", help="List what entered and left between these days.", show_default=False),
    ] = None,
    near: Annotated[
        int, typer.Option(metavar="DAYS", min=0, max=366, help="How many days off a record just misses the period.")
    ] = 7,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the records behind a number, and those that just missed it and why; or what entered and left it."""
    _one_form(as_json, as_csv)
    from viputils.audit.trace import trace_figure, trace_movement

    report_month, opened = ReportMonth.parse(month), _open(context, project)
    if diff is not None:
        if as_of is not None:
            raise ParameterError(
                "Two questions were asked.",
                [Problem("--diff, --as-of", "go one at a time;", "--diff names both of its days itself.")],
            )
        before, after = (_date(text, "--diff") for text in diff)
        moved = trace_movement(opened, report_month, figure, before, after, allow_quarantined)
        if as_csv:
            show_csv(moved.records)
        elif as_json:
            show_json(moved.as_json())
        else:
            _show_movement(moved)
        return
    day = None if as_of is None else _as_of(as_of)
    found = trace_figure(opened, report_month, figure, day, allow_quarantined, near)
    if as_csv:
        show_csv(found.rows)
    elif as_json:
        show_json(found.as_json())
    else:
        _show_trace(found)


@app.command(short_help="Take in files that an agency sent, as one delivery.")
def intake(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or Excel files, as they were sent.")],
    received: Annotated[str, typer.Option(metavar="DATE", help="The day on which they came in, YYYY-MM-DD.")],
    table: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SHEET=]TABLE",
            help="The table of a sheet, or of every sheet or file. Can be given several times.",
            show_default="the one whose name or columns they have",
        ),
    ] = None,
    covers_until: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TABLE=]DATE",
            help="The last day that the files cover. Can be given several times.",
            show_default="the end of the month before, or of the month of the newest record",
        ),
    ] = None,
    corrections: Annotated[
        bool,
        typer.Option(
            "--corrections",
            help="Rows that move a record by more than two months, or change nearly all of it, correct it.",
            show_default=False,
        ),
    ] = False,
    dates_as_read: Annotated[
        bool,
        typer.Option(
            "--dates-as-read",
            help="Dates that fit both orders, month first and day first, are meant as they were read.",
            show_default=False,
        ),
    ] = False,
    allow_quarantined: Annotated[
        bool,
        typer.Option(
            "--allow-quarantined",
            help="Go on if rows that are here already would be in quarantine because of the files.",
            show_default=False,
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write the delivery without asking.", show_default=False)] = False,
    project: ProjectOption = None,
) -> None:
    """Show what files would change, and write them as one delivery if you say yes."""
    from viputils.intake.proposal import NothingNew, proposed_intake

    opened = _open(context, project)
    with proposed_intake(
        opened, files, _date(received, "--received"), _today(), table or (), covers_until or ()
    ) as proposal:
        if isinstance(proposal, NothingNew):
            for file, delivery in proposal.known:
                say(f"{file} was received already: {delivery} was made from it. Nothing was written.")
            return
        for line in proposal.summary():
            say(line)
        moved, rest = proposal.moved()
        if not moved.empty:
            # Before the first delivery of a month nothing is known of it, not even that it is 0.
            shown = moved.astype("object").where(moved.notna(), "no data")
            show_table("Figures of a month that would move", shown, right=("before", "after"))
        if rest:
            say(rest)
        if not proposal.quarantine.empty:
            say("Rows that would be in quarantine:")
            for line in proposal.rejects():
                say(f"  {line}")
        if held := proposal.rows_held:
            say(f"{plural(held, 'row that is', 'rows that are')} here already would go into quarantine too:")
            for line in proposal.rejects_held():
                say(f"  {line}")
        for line in list(proposal.remedies())[:_REMEDIES_SHOWN]:
            say(f"  {line}")
        say(f"What {proposal.name} would hold:")
        for line in proposal.account():
            say(f"  {line}")
        say("What it covers:")
        for line in proposal.coverage():
            say(f"  {line}")
        for warning in proposal.warnings:
            say(f"WARNING: {warning}")
        if proposal.dates_doubtful and not dates_as_read:
            _ask_about_dates(proposal.dates_doubtful, yes)
        if proposal.doubtful and not corrections:
            _ask_about_corrections(proposal.doubtful, yes)
        if held and not allow_quarantined:
            _ask_about_held_rows(held, yes)
        if not yes and not says_yes(f"Write {proposal.name}?"):
            say("Nothing was written.")
            raise typer.Exit(DISAGREES)
        proposal.accept()
        say(f"Written: {proposal.name}")
        say(f"Next: {'vip check' if len(proposal.quarantine) or held else 'vip status'}")


def _ask_about_dates(doubtful: Sequence[EitherOrder], yes: bool) -> None:
    """Ask whether dates that fit both orders were read as they are meant; stop if not, or if there is no answer."""
    say("Dates fit both orders, and the other order fits the day of receipt better:")
    for one in doubtful:
        say(f"  {one}")
    order, other = doubtful[0].order, doubtful[0].other_order
    if yes or not says_yes(f"Were these dates written {order}?"):
        from viputils.config.program import pasted

        lines = pasted("intake", f'date_order = "{other}"')
        raise IntakeError(
            "Dates may be other days than they were read as. Nothing was written.",
            [
                Problem(
                    one.where,
                    f"was read {order}, as {one.span()}, and {other} it would be {one.span(other=True)};",
                    f"ask the sender. If the dates are {order}, run the command with --dates-as-read. If they are "
                    f"{other}, change program.toml:{lines}",
                )
                for one in doubtful
            ],
        )


def _ask_about_held_rows(held: int, yes: bool) -> None:
    """Ask whether rows that are here may go into quarantine; stop if they may not, or if there is no answer."""
    rows = plural(held, "row that is", "rows that are")
    if yes or not says_yes(f"Go on, although {rows} here already would not be counted until this is mended?"):
        raise IntakeError(
            "Rows that are here already would go into quarantine. Nothing was written.",
            [
                Problem(
                    plural(held, "row"),
                    "would not be counted any more because of these files; they are listed above with their reasons;",
                    "mend the files or program.toml as it is said there, and give the files again. To write the "
                    "delivery all the same, run the command with --allow-quarantined.",
                )
            ],
        )


def _ask_about_corrections(doubtful: Sequence[str], yes: bool) -> None:
    """Ask whether rows correct the records whose ids they have; stop if they do not, or if there is no answer."""
    say("Rows with the id of a record that is here move it by more than two months, or change nearly all of it:")
    for line in doubtful[:_DOUBTFUL_SHOWN]:
        say(f"  {line}")
    if len(doubtful) > _DOUBTFUL_SHOWN:
        say(f"  and {len(doubtful) - _DOUBTFUL_SHOWN:,} more")
    if yes or not says_yes("Do they all correct these records?"):
        raise IntakeError(
            "Rows may be other records with the same ids. Nothing was written.",
            [
                Problem(
                    f"{len(doubtful)} {'row' if len(doubtful) == 1 else 'rows'}",
                    "would replace records that they may have nothing to do with;",
                    "if all of them are corrections, run the command with --corrections. If the sender starts "
                    "numbering again, for example each year, let several columns form the id of the table in "
                    'program.toml: id = ["case_number", "response_date"].',
                )
            ],
        )


@app.command(short_help="Write the clean tables as Parquet files.")
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one that was written before.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="Only what was received by this day, YYYY-MM-DD.",
            show_default="the day of the newest delivery",
        ),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.", show_default=False)] = False,
) -> None:
    """Write the clean tables as Parquet files, one for each table, whole or not at all."""
    day = None if as_of is None else _as_of(as_of)
    opened = _open(context, project)
    with steps() as step:
        step("Reading and cleaning the records")
        from viputils.records.clean import load_records
        from viputils.records.parquet import write_parquet

        records = load_records(opened, day)
        if not allow_quarantined:
            records.require_no_quarantine()
        step("Writing the tables")
        written = write_parquet(records, folder)
    if as_json:
        show_json({"as_of": records.as_of.isoformat(), "tables": {path.stem: str(path) for path in written}})
        return
    for path in written:
        say(path)
    say(account_line(records.account, records.as_of))
    say("These are single records, with the codes of people in them: they are for analysis, not for publication.")
    if records.is_demonstration and opened.program.demonstration is not None:
        _say_mark(opened.program.demonstration.mark)


@app.command(
    short_help="Open the notebooks in JupyterLab.",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def lab(
    context: typer.Context,
    notebook: Annotated[
        str | None, typer.Argument(metavar="[NOTEBOOK]", help="One of them to open, as in explore_trends.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser, too.")] = True,
    project: ProjectOption = None,
) -> None:
    """Open the notebooks in JupyterLab, with the Python that runs this command; Ctrl-C ends it.

    What else stands there goes to JupyterLab as it is, such as --port=8890.
    """
    from viputils.lab.jupyter import open_lab

    is_option = notebook is not None and notebook.startswith("-")
    options = [*([notebook] if notebook is not None and is_option else []), *context.args]
    try:
        code = open_lab(_open(context, project), None if is_option else notebook, browser, options)
    except (_InterruptedByUser, KeyboardInterrupt):
        say_aside("JupyterLab has ended.")
        _end_at_once(0)
    raise typer.Exit(code)


@app.command(short_help="Look for changed deliveries and rows in quarantine.")
def check(
    context: typer.Context,
    month: Annotated[
        str | None, typer.Argument(metavar="[MONTH]", help="Also whether this month has all its deliveries.")
    ] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List rejected rows, changed deliveries and files out of form; exit 0 only if there are none."""
    _one_form(as_json, as_csv)
    from viputils.audit.health import check_project

    day = None if as_of is None else _as_of(as_of)
    found = check_project(_open(context, project), None if month is None else ReportMonth.parse(month), day)
    if as_csv:
        for problem in found.problems:
            say_aside(problem)
        show_csv(found.rejects)
    elif as_json:
        problems = [vars(problem) for problem in found.problems]
        show_json({"as_of": found.as_of.isoformat(), "problems": problems, "rejects": found.rejects})
    else:
        for problem in found.problems:
            say(f"- {problem}")
        if not found.rejects.empty:
            show_table(f"In quarantine as of {found.as_of}", found.rejects[list(_REJECT_COLUMNS)])
        if found.perhaps_no_record is not None:
            table, file, line = found.perhaps_no_record
            say(
                "A line that is no record can be withdrawn by a voids.csv, taken in like any other file, with a reason:"
            )
            say("  void_id,voided_date,voided_table,voided_id,voided_file,voided_line,reason")
            say(f"  V1,{found.as_of},{table},,{file.removeprefix('data/raw/')},{line},…")
            for remedy in dict.fromkeys("[" + found.rejects["reason"] + "] " + found.rejects["remedy"]):
                say(remedy)
        for note in found.notes:
            say(f"Note: {note}")
        if found.account is not None:
            say(account_line(found.account, found.as_of))
        if found.clean:
            say("Nothing was found.")
    if not found.clean:
        raise typer.Exit(DISAGREES)


@app.command(short_help="Write the checksums and the salt of deliveries that lack them.")
def seal(context: typer.Context, project: ProjectOption = None) -> None:
    """Write SHA256SUMS, with a salt, for each delivery that has none; of one that has it, add the salt alone.

    With the checksums, `vip check` finds a file that was changed. Without the salt, anyone could check a guess at a
    record with what is published. It belongs to the records: keep it with them, and never publish it.
    """
    from viputils.records.checksums import seal as seal_delivery
    from viputils.records.deliveries import find_deliveries

    opened = _open(context, project)
    if opened.source.is_address:
        problem = Problem(opened.source.shown, "is where the deliveries come from;", "docs/deliveries.md tells how.")
        raise ParameterError("Deliveries can only be sealed in a folder. Nothing was written.", [problem])
    sealed = [one.name for one in find_deliveries(opened) if seal_delivery(one.folder)]
    for name in sealed:
        say(f"Sealed: {name}")
    say("Keep SHA256SUMS with the records, and make the issues again." if sealed else "Every delivery has its salt.")


def main() -> NoReturn:
    """Run a command; turn every error that its reader can mend into a message and an exit code."""
    heard: list[float] = []

    def stop(_signum: int, _frame: object) -> None:
        # Whoever presses it twice is heard once: the second time would break into the tidying up.
        if heard and time.monotonic() - heard[-1] < _TIDYING:
            return
        heard.append(time.monotonic())
        # What a library has to say of its own end is no news to who ended it.
        logging.disable()
        raise _InterruptedByUser(INTERRUPTED)

    def again(lost: sys.UnraisableHookArgs) -> None:
        # Python lets nothing out of what tidies up an object. Then it is said once more, outside of that.
        if isinstance(lost.exc_value, _InterruptedByUser):
            heard.clear()
            threading.Timer(_AGAIN, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = again
    # A polite kill, and a terminal that is closed, clean up as Ctrl-C does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # Who says nohup wants it to go on.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    try:
        app()
    except VipError as error:
        say_aside(str(error))
        sys.exit(FAULT if isinstance(error, BalanceError) else CANNOT)
    except _InterruptedByUser:
        say_aside(NOTHING_CHANGED)
        _end_at_once(INTERRUPTED)
    except OSError as error:
        say_aside(f"{error.filename or 'Writing'}: {error.strerror or error}. Nothing was changed.")
        sys.exit(CANNOT)
    except Exception:
        # Never the exit code of a verdict: a script that reads it must not take a crash for one.
        say_aside(traceback.format_exc() + "This is a fault of viputils; please report it with the lines above.")
        sys.exit(FAULT)
    sys.exit(0)


def _end_at_once(code: int) -> NoReturn:
    """End a command that was interrupted, once everything of its own is tidied up.

    What the messages to a kernel were sent through would wait, when Python tidies it up, for a kernel that is gone.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _check_activities(project: Project, month: ReportMonth) -> None:
    """Show what must not go out in the activities of a month and in other texts, and how it is allowed if it may."""
    from viputils.publish.status import check_activities
    from viputils.report.markdown import outdated_activities, shown_as_typed
    from viputils.report.privacy.screening import screen_texts

    screened = [check_activities(project, month), screen_texts(project)]
    for problem in (problem for found in screened for problem in found.problems):
        say(f"WARNING: {problem}")
    path = project.activities(month)
    for note in (*shown_as_typed(path, project.relative(path)), *outdated_activities(project, month)):
        say(f"Note: {note}")
    for finding, allowance in (allowed for found in screened for allowed in found.allowed):
        say(f"Allowed: {finding.file}, line {finding.line}: {finding.name} ({allowance.reason}; {allowance.by})")
    if all(found.clean for found in screened):
        say("Nothing was found that must not go out.")
        return
    for found in screened:
        if found.example:
            say(f"To publish it anyway, allow it by name in {found.allowed_file}:")
            say(found.example)
    raise typer.Exit(DISAGREES)


def _show_verdicts(found: Sequence[IssueVerdicts]) -> None:
    """Show verdicts to a person: one issue figure by figure, several with the figures that are not reproduced."""
    from viputils.audit.verdicts import REPRODUCED, all_figures, summary

    columns = ["measure", "category", "period", "verdict", "published", "recomputed", "now"]
    right = ("published", "recomputed", "now", "change")
    if len(found) == 1:
        (one,) = found
        when = f"as of {one.as_of}" + (f", now as of {one.now}" if one.now != one.as_of else "")
        figures = one.figures if one.now != one.as_of else one.figures.drop(columns="now")
        title = f"{one.issue.name.label} as printed" + (f", recomputed {when}" if one.as_of else "")
        show_table(title, figures[[name for name in columns if name in figures]], right=right)
    else:
        counts = summary(found)
        counts = counts.loc[:, [*counts.columns[:3], *(name for name in counts.columns[3:] if counts[name].any())]]
        show_table("The register of published issues", counts, right=tuple(counts.columns[2:]))
        off = all_figures(found)
        off = off.loc[off["verdict"].ne(REPRODUCED)]
        if not off.empty:
            show_table("Figures that are not reproduced", off[["issue", *columns, "change"]], right=right)
    for one in found:
        name = "" if len(found) == 1 else f"{one.issue.name}: "
        say(name + one.sentence)
        for note in one.notes:
            say(f"  {note}")


def _show_all_figures(
    project: Project, as_of: str | None, allow_quarantined: bool, as_json: bool, as_csv: bool
) -> None:
    """Show the figures of every issue and month, and say which months there are none of."""
    from viputils.report.data_files import all_issues, all_issues_csv, months_left_out

    day = None if as_of is None else _as_of(as_of)
    rows = all_issues(project, day, allow_quarantined)
    for month, why in months_left_out(project, day, None if allow_quarantined else ()).items():
        say_aside(f"{month} is left out. {why}")
    if as_csv:
        typer.echo(all_issues_csv(rows), nl=False)
    elif as_json:
        show_json({"figures": rows})
    else:
        show_table("Every issue, and every month with data", rows.drop(columns=["month", "origin"]), right=("value",))


def _show_trace(found: Trace) -> None:
    """Show a trace to a person: the records, what just missed and why, and what else is worth knowing."""
    say(f"{found.label}: {found.value:,} as of {found.as_of}")
    _say_mark(found.mark)
    if found.records.empty:
        say("No record is counted.")
    else:
        narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE
        show_table(*found.shown(narrow), right=("line", "amount"))
    if not found.missed.empty:
        say("Just missed:")
    for reason, rows in found.missed.groupby("reason", sort=False):
        say(f"  {reason} ({len(rows):,})")
        for row in rows.to_dict("records"):
            say(f"    {row['id']}, {row['date']} ({row['file']}, line {row['line']})")
            say(f"      {row['detail']}")
    for note in found.notes:
        say(f"Note: {note}")


def _show_movement(moved: Movement) -> None:
    """Show to a person what entered and left a figure."""
    change = moved.value_after - moved.value_before
    say(f"{moved.label}: {moved.value_before:,} as of {moved.before}, {moved.value_after:,} as of {moved.after}")
    _say_mark(moved.mark)
    if moved.records.empty:
        say("Nothing entered or left.")
    for what, rows in moved.records.groupby("moved", sort=False):
        say(f"{str(what).capitalize()} ({len(rows):,}), {rows['change'].sum():+,}:")
        for row in rows.to_dict("records"):
            say(f"  {row['id']}, {row['date']} ({row['file']}, line {row['line']})")
            say(f"    {row['why']}")
    if not moved.records.empty:
        say(f"Together {change:+,}.")


def _say_mark(mark: str | None) -> None:
    if mark is not None:
        say(mark)


class _InterruptedByUser(SystemExit):
    """Ctrl-C or a polite kill; no library on the way mistakes it for an error of its own.

    An event loop lets out only this and Ctrl-C's own, for which Typer has words of its own. Where nobody is left to
    hear it, Python ends with the code that it carries, which is never that of a success.
    """


def _open(context: typer.Context, project: Path | None, language: str | None = None) -> Project:
    folder = project or context.obj
    opened = Project.open(folder, language, from_environment()) if folder else Project.find(language=language)
    if opened.source.is_elsewhere:
        say_aside(f"Deliveries come from {opened.source.shown}.")
    return opened


def _load(
    context: typer.Context, project: Path | None, month: str, as_of: str | None, allow_quarantined: bool
) -> tuple[Edition, Project]:
    report_month = ReportMonth.parse(month)
    day = None if as_of is None else _as_of(as_of)
    opened = _open(context, project)
    from viputils.audit.as_of import load_edition, require_no_quarantine

    edition = load_edition(opened, report_month, day)
    if not allow_quarantined:
        require_no_quarantine(opened, edition)
    return edition, opened


def _as_of(text: str) -> dt.date:
    return _date(text, "--as-of")


def _date(text: str, option: str) -> dt.date:
    """Read a date; one that has not come yet is refused, but for a day of receipt, where it is said."""
    day = parse_date(text, option)
    if option != "--received" and day > _today():
        raise ParameterError(
            f"The date of {option} is in the future.",
            [Problem(option, f"{day} has not come yet;", "nobody knows what will have been received by then.")],
        )
    return day


def _address(text: str) -> str:
    from viputils.config.program import is_folder_address

    try:
        return is_folder_address(text)
    except ValueError as error:
        raise ParameterError("The address cannot be used.", [Problem("--address", f"{text!r} {error}.")]) from None


def _today() -> dt.date:
    # Only to refuse and to warn: no result ever depends on the clock.
    return dt.datetime.now().astimezone().date()


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


def _one_form(as_json: bool, as_csv: bool, as_markdown: bool = False) -> None:
    asked = {"--json": as_json, "--csv": as_csv, "--markdown": as_markdown}
    if sum(asked.values()) > 1:
        names = ", ".join(name for name, wanted in asked.items() if wanted)
        raise ParameterError("Two forms were asked for.", [Problem(names, "go one at a time;", "take one of them.")])
