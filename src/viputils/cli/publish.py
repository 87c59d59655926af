"""The commands new, status, publish, reproduce, site and preview."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from viputils.cli import interrupts
from viputils.cli.interrupts import InterruptedByUser
from viputils.cli.options import (
    DISAGREES,
    AddressOption,
    CsvOption,
    EngineName,
    EngineOption,
    JsonOption,
    MonthArgument,
    OnOption,
    PeriodArgument,
    ProjectOption,
    SinceOption,
    open_project,
    past_date,
    today,
)
from viputils.cli.output import Format, emit, note, say, say_aside, says_yes, show_table, steps
from viputils.core.errors import INTERRUPTED, ParameterError, Problem, VipError
from viputils.core.text import capital, plural

if TYPE_CHECKING:
    from viputils.audit.register import PublishedIssue
    from viputils.config.project import Project
    from viputils.core.months import ReportMonth
    from viputils.publish.reproduction import Reproduction
    from viputils.publish.site.build import Site


def reproduce(
    context: typer.Context,
    issue: Annotated[
        str,
        typer.Argument(
            metavar="ISSUE|MANIFEST", help="An issue that has a manifest, such as 2023-11, or a manifest.json."
        ),
    ],
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the new files in this new folder.", show_default="delete them"),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an issue again from its recorded inputs, in a clean folder.

    Exit 0 if every byte is the same, and 1 if not.
    """
    from viputils.publish.reproduction import reproduce

    opened = open_project(context, project)
    with steps() as step:
        found = reproduce(opened, issue, keep, step)
    emit(
        Format.of(as_json),
        text=lambda: _show_reproduction(found),
        json=lambda: {
            "month": str(found.manifest.period),
            "as_of": found.manifest.as_of,
            "manifest": found.source,
            "identical": found.identical,
            "outputs": found.outputs,
            "changes": [vars(change) for change in found.changes],
            "touched": [vars(one) for one in found.touched],
            "added": [vars(one) for one in found.added],
        },
    )
    if not found.identical:
        raise typer.Exit(DISAGREES)


def _show_reproduction(found: Reproduction) -> None:
    """Print as text which files are identical, and what may explain the others."""
    manifest = found.manifest
    show_table(
        f"{capital(manifest.period.label)} as of {manifest.as_of}, made again from {found.source}", found.outputs
    )
    for line in found.conclusion:
        say(line)


def new(
    context: typer.Context,
    month: MonthArgument,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check the text for private details, and write nothing.", show_default=False),
    ] = False,
    project: ProjectOption = None,
) -> None:
    """Start the activities text of a month with last month's themes, and list the month's deliveries.

    An existing text is never changed.

    With --check, list everything in the activities and in the project's other texts that may identify a person, with
    its line: phone numbers, addresses, dates of birth, names near an age or a crime, and so on. Exit 0: nothing was
    found, or everything found is allowed by name. Exit 1: something was found. Exit 2: a text cannot be shown.
    """
    from viputils.publish.activities import new_month

    opened = open_project(context, project)
    if check:
        _check_activities(opened, month)
        return
    if month.span.start > today():
        raise ParameterError(
            f"{month.label} has not started.",
            [Problem("month", f"{month} is in the future;", "choose a month that has started.")],
        )
    started = new_month(opened, month)
    if started.created:
        themes = f"the themes of {started.themes_of}" if started.themes_of else "one sample theme"
        say(f"Written: {started.file}, with {themes}.")
        say("Describe what was done below each heading, or delete the heading.")
        say(f"Next: vip new {month} --check, then vip report {month}")
    else:
        say(f"{started.file} already exists, and was not changed.")
    show_table(f"Deliveries for {month.label}", started.tables)
    if started.as_of is not None:
        say(f"The data for {month} is complete as of {started.as_of}.")
    for problem in started.problems:
        say(f"- {problem}")


def status(
    context: typer.Context,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show the progress of each month: data complete, activities written, issue made, published, verified.

    An issue is out of date if something that it was made from has changed since. Problems are listed as notes below
    the table.
    """
    from viputils.publish.status import project_status

    found, form = project_status(open_project(context, project)), Format.of(as_json, as_csv)
    emit(
        form,
        text=lambda: show_table("All months, newest last", found.table),
        json=lambda: {
            "months": [one.as_json() for one in found.months],
            "notes": [vars(one) for one in found.notes],
        },
        csv=lambda: found.table,
    )
    for one in found.notes:
        note(form, f"Note: {one}")


def publish(
    context: typer.Context,
    period: PeriodArgument,
    printed: Annotated[
        dt.date | None,
        typer.Option(
            metavar="DATE",
            parser=past_date("--printed"),
            help="The date of publication, YYYY-MM-DD.",
            show_default="today",
        ),
    ] = None,
    approved_by: Annotated[
        str, typer.Option(metavar="NAME", help="The person who approved it. Required.", show_default=False)
    ] = "",
    reissue: Annotated[
        bool, typer.Option("--reissue", help="Publish it as a correction of the published issue.", show_default=False)
    ] = False,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="The reason for the correction.", show_default=False)
    ] = "",
    footnote: Annotated[
        str, typer.Option(metavar="TEXT", help="An explanation of figures that do not add up.", show_default=False)
    ] = "",
    reproduction: Annotated[
        bool,
        typer.Option(
            "--reproduction",
            help="Keep only the manifest, for a published issue whose figures this issue reproduces.",
            show_default=False,
        ),
    ] = False,
    sign: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="Sign the issue with this SSH key.", show_default=False),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Add an issue to the register of published figures, with its manifest. Nothing in the register is replaced.

    Make and read the issue first: vip report PERIOD.

    With --sign and no other option, sign the issue that is in the register already.
    """
    from viputils.publish.publication import keep_reproduction, publish, sign_published

    opened = open_project(context, project)
    others = bool(printed or approved_by or reissue or reason or footnote)
    if reproduction:
        if others:
            raise ParameterError(
                "Use --reproduction alone.",
                [
                    Problem(
                        "--reproduction",
                        "only keeps a manifest;",
                        "leave out --printed, --approved-by, --reissue, --reason and --footnote.",
                    )
                ],
            )
        issue = keep_reproduction(opened, period, sign)
        say(f"Saved: data/published/{issue.name}.manifest.json. Anyone can now make the issue of {period} again.")
        _show_signature(opened, issue, sign)
        return
    if sign is not None and not others:
        _show_signature(opened, sign_published(opened, period, sign), sign)
        return
    issue = publish(opened, period, printed or today(), approved_by, reissue, reason, footnote, sign)
    figures = plural(len(issue.figures), "figure")
    say(f"Published: {capital(issue.name.label)}, {figures}, in data/published/{issue.name}.csv.")
    _show_signature(opened, issue, sign)
    say("Next: commit the folders data and report, then run vip site")


def _show_signature(project: Project, issue: PublishedIssue, key: Path | None) -> None:
    """Print that an issue was signed, and what is left to do so that others can check it."""
    if key is None:
        return
    from viputils.audit.signatures import notes_on_key

    say(f"Signed: data/published/{issue.name}.sig")
    for line in notes_on_key(project, issue):
        say(line)


def site(
    context: typer.Context,
    address: AddressOption = None,
    since: SinceOption = None,
    on: OnOption = None,
    project: ProjectOption = None,
    engine: EngineOption = EngineName.auto,
    as_json: JsonOption = False,
) -> None:
    """Make the website in the folder _site: every issue in every language, with its data.

    Only issues and pages that changed are made again. If something goes wrong, the old site stays as it was.
    """
    from viputils.publish.site.build import make_site
    from viputils.report.render import choose_engine

    opened = open_project(context, project)
    try:
        with steps() as step:
            found = make_site(
                opened, choose_engine(engine.value), address, since, on_step=step, go_on=_go_on, on=on or today()
            )
    except InterruptedByUser:
        say_aside("Interrupted. The site was not changed. Issues made before the interruption are kept.")
        interrupts.end(INTERRUPTED)
    emit(
        Format.of(as_json),
        text=lambda: _show_site(opened, found, address),
        json=lambda: {
            **vars(found),
            "home": str(found.home),
            "made": [list(one) for one in found.made],
            "notes": [vars(one) for one in found.notes],
            "withheld": [vars(one) for one in found.withheld],
        },
    )


def _show_site(project: Project, found: Site, address: str | None) -> None:
    """Print as text what was made, and what the site lacks."""
    for place, reasons in found.made:
        more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        say(f"Made: issues/{place}, because {reasons[0]}{more}.")
    issues, pages = plural(found.issues, "issue"), plural(found.pages, "page")
    say(f"The site: {issues} ({len(found.made)} made), {pages} ({found.pages_made} made).")
    for one in (*found.withheld, *found.notes):
        say(f"Note: {one}")
    say(f"Open {found.home}")
    configured = project.program.identity.address
    if address is None and configured is None:
        say("Note: the site has no feed and no sitemap. Set program.address in program.toml, or use --address.")
    elif address is None and configured is not None and urlsplit(configured).netloc.endswith(".example"):
        say(f"Note: the feed and the sitemap use the sample address {configured}. Set the real one with --address.")


def _go_on(many: str) -> bool:
    """Print how much there is to do. Return the answer of the person at the terminal, or true if there is none."""
    say_aside(many)
    return not sys.stdin.isatty() or says_yes("Make them all?")


def preview(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The port of the preview. 0 picks a free port.")
    ] = 8000,
    since: SinceOption = None,
    on: OnOption = None,
    project: ProjectOption = None,
    engine: EngineOption = EngineName.auto,
) -> None:
    """Preview the website on this computer, and update it when you change a text or a record.

    Only this computer can see the preview, and _site stays as it is. Press Ctrl-C to end it.
    """
    from viputils.publish.site.build import make_site
    from viputils.publish.site.preview import follow, serving
    from viputils.report.render import choose_engine

    opened = open_project(context, project)
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
                            # Read the project again, in case program.toml changed.
                            found = make_site(
                                open_project(context, project),
                                chosen,
                                server.address,
                                since,
                                folder,
                                on_step=step,
                                go_on=_go_on,
                                on=on or today(),
                            )
                    except (VipError, OSError) as error:
                        still = "The pages were not changed." if server.state else "There are no pages yet."
                        say_aside(f"{error}\n{still}")
                    else:
                        server.state += 1
                        pages = f"{found.pages_made} of {plural(found.pages, 'page')}"
                        say(f"Made: {plural(len(found.made), 'issue')}, {pages}.")
                        for one in found.withheld:
                            say(f"Note: {one}")
                    if not said:
                        said.append(f"Open {server.address} (press Ctrl-C to end the preview)")
                        say(said[0])

                follow(opened, make)
        except (InterruptedByUser, KeyboardInterrupt):
            say_aside("The preview has ended.")
    interrupts.end(0)


def _check_activities(project: Project, month: ReportMonth) -> None:
    """Print the private details in the activities of a month and in other texts, and how to allow them."""
    from viputils.publish.activities import check_activities, hints_on
    from viputils.report.markdown import outdated_activities, shown_as_typed
    from viputils.report.privacy.screening import screen_texts

    screened = [check_activities(project, month), screen_texts(project)]
    for problem in (problem for found in screened for problem in found.problems):
        say(f"WARNING: {problem}")
    path = project.activities(month)
    for one in (*shown_as_typed(path, project.relative(path)), *outdated_activities(project, month)):
        say(f"Note: {one}")
    for hint in hints_on(project, month):
        say(f"Plain words: {hint}")
    for finding, allowance in (allowed for found in screened for allowed in found.allowed):
        say(f"Allowed: {finding.file}, line {finding.line}: {finding.name} ({allowance.reason}; {allowance.by})")
    if all(found.clean for found in screened):
        say("No private details were found.")
        return
    for found in screened:
        if found.example:
            say(f"To publish a finding anyway, add it to {found.allowed_file}:")
            say(found.example)
    raise typer.Exit(DISAGREES)
