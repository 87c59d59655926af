"""Commands for what goes public: new, status, publish, reproduce, site, preview."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from viputils.cli.output import (
    say,
    say_aside,
    says_yes,
    show_csv,
    show_json,
    show_table,
    steps,
)
from viputils.core.errors import (
    INTERRUPTED,
    ParameterError,
    Problem,
    VipError,
)
from viputils.core.months import ReportMonth
from viputils.core.text import plural

if TYPE_CHECKING:
    from viputils.config.project import Project

from viputils.cli import interrupts
from viputils.cli.interrupts import InterruptedByUser
from viputils.cli.options import (
    DISAGREES,
    AddressOption,
    CsvOption,
    EngineName,
    JsonOption,
    MonthArgument,
    ProjectOption,
    SinceOption,
    open_project,
    read_address,
    read_date,
    require_one_form,
    today,
)


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

    opened = open_project(context, project)
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
    from viputils.publish.activities import new_month

    opened, report_month = open_project(context, project), ReportMonth.parse(month)
    if check:
        _check_activities(opened, report_month)
        return
    if report_month.span.start > today():
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


def status(
    context: typer.Context,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show for each month: whether its data is complete, its activities written, its issue made, published, verified.

    An issue is out of date if something that it was made from has changed since. An error in one part is shown as a
    note, and does not hide the others.
    """
    require_one_form(as_json, as_csv)
    from viputils.publish.status import project_status

    found = project_status(open_project(context, project))
    if as_csv:
        show_csv(found.table)
    elif as_json:
        show_json({"months": [one.as_json() for one in found.months], "notes": [vars(note) for note in found.notes]})
    else:
        show_table("Every month, the newest last", found.table)
    for note in found.notes if not as_json else ():
        (say_aside if as_csv else say)(f"Note: {note}")


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

    opened = open_project(context, project)
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
    day = today() if printed is None else read_date(printed, "--printed")
    issue = publish(opened, report_month, day, reissue, reason, footnote)
    figures = plural(len(issue.figures), "figure")
    say(f"Published: {issue.name.label}, {figures}, in data/published/{issue.name}.csv.")
    say("Commit data and report: the register, the deliveries and the activities. Then make the site.")


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

    opened = open_project(context, project)
    where = None if address is None else read_address(address)
    first = None if since is None else ReportMonth.parse(since)
    try:
        with steps() as step:
            found = make_site(opened, choose_engine(engine.value), where, first, on_step=step, go_on=_go_on)
    except InterruptedByUser:
        say_aside("Interrupted. The site is as it was; issues that were made meanwhile stay.")
        interrupts.end(INTERRUPTED)
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

    opened = open_project(context, project)
    first = None if since is None else ReportMonth.parse(since)
    chosen = choose_engine(engine.value)
    from viputils.core.files import private_folder

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
                                open_project(context, project),
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
        except (InterruptedByUser, KeyboardInterrupt):
            say_aside("The preview has ended.")
    interrupts.end(0)


def _check_activities(project: Project, month: ReportMonth) -> None:
    """Show what must not go out in the activities of a month and in other texts, and how it is allowed if it may."""
    from viputils.publish.activities import check_activities
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
