"""The commands verify, revisions, changes, trace and check."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.options import (
    CANNOT,
    DISAGREES,
    NO_RECORDS,
    PERIODS_HELP,
    AllowOption,
    AsOfOption,
    CsvOption,
    JsonOption,
    MarkdownOption,
    PeriodArgument,
    ProjectOption,
    open_project,
    past_date,
)
from viputils.cli.output import Format, emit, note, say, say_mark, show_table, steps
from viputils.core.errors import ParameterError, Problem, PublishedError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.periods import parse_period
from viputils.core.text import capital, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viputils.audit.changes.result import Changes
    from viputils.audit.health import Findings
    from viputils.audit.revisions import Revisions
    from viputils.audit.signatures import Signature
    from viputils.audit.trace import Movement, Trace
    from viputils.audit.verdicts import IssueVerdicts
    from viputils.config.project import Project

# Records that just missed a figure, shown for each reason.
_MISSED_SHOWN = 20
# The terminal width, in columns, from which full paths fit beside other text.
_WIDE = 120
# The columns that a person needs to find a rejected row and see what is wrong.
_REJECT_COLUMNS = ("file", "line", "id", "field", "reason", "value", "nearest")


def verify(
    context: typer.Context,
    issue: Annotated[
        str | None,
        typer.Argument(
            metavar="ISSUE",
            help="The published issue, such as 2023-11, 2023-11-r1 or FY2024-Q1.",
            show_default="all issues",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Check every issue in the register.", show_default=False)
    ] = False,
    as_of: Annotated[
        dt.date | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            parser=past_date("--as-of"),
            help="Count only records received by this date, YYYY-MM-DD.",
            show_default="the as-of date of the issue, and the newest delivery",
        ),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Recompute each published figure from the records, and give it a verdict.

    The verdicts are: reproduced, revised since, differs, internally inconsistent, not comparable, not reproducible.

    Exit 0: every figure of every current issue is reproduced, or was revised later. Exit 1: a figure differs, or the
    printed figures contradict each other. Exit 2: no verdict is possible. The register, a delivery or a figure is
    missing or malformed, or a figure is not as printed and the issue was made with other rules, code or deliveries.
    Exit 4: no records cover the month.

    If an issue is signed, its signature is checked against data/published/allowed_signers. Exit 1: it does not fit.
    Exit 2: its key is not listed there, or it cannot be checked.
    """
    if every and issue is not None:
        raise ParameterError(
            "Choose one issue or --all.", [Problem("--all", f"was given with {issue};", "leave out one of them.")]
        )
    from viputils.audit.signatures import NOT_CHECKED, UNKNOWN, WRONG, check_signatures
    from viputils.audit.verdicts import (
        DIFFERS,
        NOT_COMPARABLE,
        NOT_REPRODUCIBLE,
        all_figures,
        counted_with,
        verify_register,
        worst,
    )

    opened = open_project(context, project)
    found = verify_register(opened, issue, as_of, allow_quarantined)
    signatures = check_signatures(opened, [one.issue for one in found])
    form = Format.of(as_json, as_csv)
    for line in (line for one in found for line in one.caution):
        note(form, line)
    emit(
        form,
        text=lambda: _show_verdicts(found, signatures),
        json=lambda: {
            "counted_with": counted_with(opened, as_of),
            "issues": [
                one.as_json() | {"signature": vars(signed)} for one, signed in zip(found, signatures, strict=True)
            ],
        },
        csv=lambda: all_figures(found),
    )
    states = {one.status for one in signatures}
    if WRONG in states:
        raise typer.Exit(DISAGREES)
    if missing := [problem for one in found if one.replaced_by is None for problem in one.missing]:
        raise PublishedError("Figures are missing, so the issue cannot be verified.", missing)
    codes = {None: 0, DIFFERS: DISAGREES, NOT_COMPARABLE: CANNOT, NOT_REPRODUCIBLE: NO_RECORDS}
    code = codes[worst(found)]
    if code != DISAGREES and states & {UNKNOWN, NOT_CHECKED}:
        code = CANNOT
    if code:
        raise typer.Exit(code)


def revisions(
    context: typer.Context,
    period: PeriodArgument,
    before: Annotated[
        dt.date | None,
        typer.Option(
            "--from",
            metavar="DATE",
            parser=past_date("--from"),
            help="The earlier as-of date, YYYY-MM-DD.",
            show_default="the as-of date of the issue",
        ),
    ] = None,
    after: Annotated[
        dt.date | None,
        typer.Option(
            "--to",
            metavar="DATE",
            parser=past_date("--to"),
            help="The later as-of date, YYYY-MM-DD.",
            show_default="the day of the newest delivery",
        ),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List each figure of an issue that changed between two as-of dates, with the records that changed it."""
    from viputils.audit.register import deliveries_not_as_published
    from viputils.audit.revisions import find_revisions

    opened = open_project(context, project)
    found = find_revisions(opened, period, before, after, allow_quarantined)
    problems = deliveries_not_as_published(opened, found.period)
    form = Format.of(as_json, as_csv)
    for problem in problems:
        note(form, f"WARNING: {problem}")
    emit(
        form,
        text=lambda: _show_revisions(found),
        json=lambda: {
            "month": str(found.period),
            "from": found.before.isoformat(),
            "to": found.after.isoformat(),
            "figures": found.figures,
            "records": found.records,
            "warnings": [vars(problem) for problem in problems],
        },
        csv=lambda: found.records,
    )


def changes(
    context: typer.Context,
    before: Annotated[
        str,
        typer.Argument(
            metavar="BEFORE", help="An issue (2023-11, issues/2023-11 or a figures.csv file), or a git commit."
        ),
    ],
    after: Annotated[
        str, typer.Argument(metavar="AFTER", help="Another issue or commit. Write '.' for the files as they are now.")
    ],
    months: Annotated[
        list[ReportMonth] | None,
        typer.Option(
            "--month",
            metavar="MONTH",
            parser=ReportMonth.parse,
            help="For commits: compare this month. You can repeat this option.",
            show_default="the months in either register",
        ),
    ] = None,
    all_months: Annotated[
        bool,
        typer.Option("--all-months", help="For commits: compare every month that has records.", show_default=False),
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_markdown: MarkdownOption = False,
) -> None:
    r"""Compare the figures of two issues, or of two git commits.

    Exit 0: no printed figure changed. Exit 1: a printed figure changed. Exit 2: no change was found, but some figures
    could not be compared.

    Printed figures are those in the register, and those that program.toml prints. Other figures are listed, but do not
    affect the exit code. If a commit changes a figure on purpose, add a line with the reason to its message:

    \b
        Moves-figure: 2023-11 responses_by_incident_type/Homicide/month -- REASON

    The month can be 'all'. The figure can be a measure or 'all'. Changes announced this way do not affect the exit
    code.
    """
    from viputils.audit.changes import find_changes

    opened = open_project(context, project)
    with steps() as step:
        found = find_changes(opened, before, after, months or [], all_months, step)
    form = Format.of(as_json, as_csv, as_markdown)
    emit(
        form,
        text=lambda: _show_changes(found),
        json=found.as_json,
        csv=lambda: found.figures,
        markdown=lambda: _release_notes(found),
    )
    for line in () if as_markdown else found.conclusion:
        note(form, line)
    if not found.unsaid.empty:
        raise typer.Exit(DISAGREES)
    if found.not_compared:
        raise typer.Exit(CANNOT)


def trace(
    context: typer.Context,
    issue: Annotated[
        str,
        typer.Argument(
            metavar="ISSUE", help=f"The issue: {PERIODS_HELP}, or a re-issue as 2023-11-r1.", show_default=False
        ),
    ],
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help="The figure, as MEASURE/CATEGORY/PERIOD or MEASURE/PERIOD, such as adults_assisted/fytd. `vip verify` "
            "lists them. Use quotes if it contains a space.",
        ),
    ],
    as_of: AsOfOption = None,
    diff: Annotated[
        tuple[dt.date, dt.date] | None,
        typer.Option(
            metavar="DATE DATE",
            parser=past_date("--diff"),
            help="List records that entered or left the figure between these as-of dates.",
            show_default=False,
        ),
    ] = None,
    near: Annotated[
        int,
        typer.Option(metavar="DAYS", min=0, max=366, help="Also list records that miss the period by up to DAYS days."),
    ] = 7,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the records behind a figure, and those that just missed it and why.

    With --diff, list the records that entered or left the figure between two as-of dates.
    """
    from viputils.audit.trace import trace_figure, trace_movement

    form, opened = Format.of(as_json, as_csv), open_project(context, project)
    period, own_day = _period_and_day(opened, issue)
    as_of = as_of or (own_day if diff is None else None)
    if diff is None:
        found = trace_figure(opened, period, figure, as_of, allow_quarantined, near)
        emit(form, text=lambda: _show_trace(found), json=found.as_json, csv=lambda: found.rows)
        return
    if as_of is not None:
        raise ParameterError(
            "Choose --diff or --as-of.",
            [Problem("--diff, --as-of", "were given together;", "leave out --as-of, because --diff sets both dates.")],
        )
    moved = trace_movement(opened, period, figure, *diff, allow_quarantined)
    emit(form, text=lambda: _show_movement(moved), json=moved.as_json, csv=lambda: moved.records)


def _period_and_day(project: Project, issue: str) -> tuple[IssuePeriod, dt.date | None]:
    """Return the period of an issue, and the as-of date of a re-issue."""
    if "-r" not in issue:
        return parse_period(issue), None
    from viputils.audit.register import IssueName, read_register

    return IssueName.parse(issue).period, read_register(project).issue(IssueName.parse(issue)).as_of


def check(
    context: typer.Context,
    period: Annotated[
        IssuePeriod | None,
        typer.Argument(
            metavar="PERIOD",
            parser=parse_period,
            help=f"Also check that this period has all its deliveries: {PERIODS_HELP}.",
        ),
    ] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List rejected rows, changed deliveries and malformed files. Exit 0 if there are none, and 1 if there are some."""
    from viputils.audit.health import check_project

    found = check_project(open_project(context, project), period, as_of)
    form = Format.of(as_json, as_csv)
    for problem in found.problems:
        note(form, problem if as_csv else f"- {problem}")
    emit(
        form,
        text=lambda: _show_health(found),
        json=lambda: {
            "as_of": found.as_of.isoformat(),
            "problems": [vars(problem) for problem in found.problems],
            "rejects": found.rejects,
        },
        csv=lambda: found.rejects,
    )
    if not found.clean:
        raise typer.Exit(DISAGREES)


def _show_verdicts(found: Sequence[IssueVerdicts], signatures: Sequence[Signature]) -> None:
    """Print verdicts as text: every figure of one issue, or a summary of several and the figures not reproduced."""
    from viputils.audit.verdicts import REPRODUCED, all_figures, summary

    columns = ["measure", "category", "period", "verdict", "published", "recomputed", "now"]
    right = ("published", "recomputed", "now", "change")
    if len(found) == 1:
        (one,) = found
        when = f"as of {one.as_of}" + (f", now as of {one.now}" if one.now != one.as_of else "")
        figures = one.figures if one.now != one.as_of else one.figures.drop(columns="now")
        title = f"{capital(one.issue.name.label)} as printed" + (f", recomputed {when}" if one.as_of else "")
        show_table(title, figures[[name for name in columns if name in figures]], right=right)
    else:
        counts = summary(found)
        counts = counts.loc[:, [*counts.columns[:3], *(name for name in counts.columns[3:] if counts[name].any())]]
        show_table("The register of published issues", counts, right=tuple(counts.columns[2:]))
        off = all_figures(found)
        off = off.loc[off["verdict"].ne(REPRODUCED)]
        if not off.empty:
            change = off["change"].map("{:+d}".format, na_action="ignore")
            off = off[["issue", *columns]].assign(change=change)
            show_table("Figures not reproduced, or revised since", off, right=right)
    for one, signed in zip(found, signatures, strict=True):
        name = "" if len(found) == 1 else f"{one.issue.name}: "
        say(name + one.sentence)
        for line in (*one.notes, signed.sentence):
            say(f"  {line}")


def _show_revisions(found: Revisions) -> None:
    """Print as text which figures changed, and which records changed them."""
    span = f"{capital(found.period.label)}, from {found.before} to {found.after}"
    if found.figures.empty:
        typer.echo(f"{span}: no figure changed.")
        return
    figures = found.figures.assign(change=found.figures["change"].map("{:+d}".format))
    show_table(f"{span}: {plural(len(figures), 'figure')} changed", figures, right=("before", "after", "change"))
    say("Records that changed them:")
    for record in found.by_record.to_dict("records"):
        say(f"  {record['table']} {record['id']}: {record['what']} ({record['file']}, line {record['line']})")
        say(f"    {record['moved']}")


def _show_changes(found: Changes) -> None:
    """Print as text which figures differ."""
    if not found.figures.empty:
        show_table("Figures that differ", found.shown, right=("before", "after", "change"))


def _release_notes(found: Changes) -> str:
    from viputils.report.verdict_sections import release_notes

    return release_notes(found)


def _show_health(found: Findings) -> None:
    """Print as text the rows in quarantine, and what to do about them."""
    if not found.rejects.empty:
        show_table(f"In quarantine as of {found.as_of}", found.rejects[list(_REJECT_COLUMNS)])
    if found.perhaps_no_record is not None:
        table, file, number = found.perhaps_no_record
        say("If a line is not a record, withdraw it. Add a voids.csv with `vip intake`, and give a reason:")
        say("  void_id,voided_date,voided_table,voided_id,voided_file,voided_line,reason")
        say(f"  V1,{found.as_of},{table},,{file.removeprefix('data/raw/')},{number},…")
        for remedy in dict.fromkeys("[" + found.rejects["reason"] + "] " + found.rejects["remedy"]):
            say(remedy)
    for line in found.notes:
        say(f"Note: {line}")
    if found.account is not None:
        from viputils.records.account import account_line

        say(account_line(found.account, found.as_of))
    if found.clean:
        say("No problems were found.")


def _show_trace(found: Trace) -> None:
    """Print a trace as text: the records, the records that just missed it and why, and notes."""
    say(f"{found.label}: {found.value:,} as of {found.as_of}")
    say_mark(found.mark)
    if found.records.empty:
        say("No record is counted.")
    else:
        narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE
        show_table(*found.shown(narrow), right=("line", "amount"))
    if not found.missed.empty:
        say("Just missed:")
    for reason, rows in found.missed.groupby("reason", sort=False):
        say(f"  {reason} ({len(rows):,})")
        for row in rows.head(_MISSED_SHOWN).to_dict("records"):
            say(f"    {row['id']}, {row['date']} ({row['file']}, line {row['line']})")
            say(f"      {row['detail']}")
        if len(rows) > _MISSED_SHOWN:
            say(f"    and {len(rows) - _MISSED_SHOWN:,} more (--json lists them all)")
    for line in found.notes:
        say(f"Note: {line}")


def _show_movement(moved: Movement) -> None:
    """Print as text which records entered and left a figure."""
    change = moved.value_after - moved.value_before
    say(f"{moved.label}: {moved.value_before:,} as of {moved.before}, {moved.value_after:,} as of {moved.after}")
    say_mark(moved.mark)
    if moved.records.empty:
        say("No record entered or left.")
    for what, rows in moved.records.groupby("moved", sort=False):
        say(f"{str(what).capitalize()} ({len(rows):,}), {rows['change'].sum():+,}:")
        for row in rows.to_dict("records"):
            say(f"  {row['id']}, {row['date']} ({row['file']}, line {row['line']})")
            say(f"    {row['why']}")
    if not moved.records.empty:
        say(f"Total change: {change:+,}")
