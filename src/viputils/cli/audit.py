"""Commands that check numbers: verify, revisions, changes, trace, check."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.output import (
    say,
    say_aside,
    say_mark,
    show_csv,
    show_json,
    show_table,
    steps,
)
from viputils.core.errors import (
    ParameterError,
    Problem,
    PublishedError,
)
from viputils.core.months import ReportMonth
from viputils.core.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viputils.audit.trace import Movement, Trace
    from viputils.audit.verdicts import IssueVerdicts

from viputils.cli.options import (
    CANNOT,
    DISAGREES,
    NO_RECORDS,
    AllowOption,
    AsOfOption,
    CsvOption,
    JsonOption,
    MonthArgument,
    ProjectOption,
    open_project,
    read_as_of,
    read_date,
    require_one_form,
)

# How many records that just missed a figure are shown for each reason.
_MISSED_SHOWN = 20
# From so many columns on, whole paths and a text that folds go side by side.
_WIDE = 120
# What a person needs to find a rejected row and to see what is wrong with it.
_REJECT_COLUMNS = ("file", "line", "id", "field", "reason", "value", "nearest")


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
    require_one_form(as_json, as_csv)
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

    opened = open_project(context, project)
    day = None if as_of is None else read_as_of(as_of)
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
    require_one_form(as_json, as_csv)
    from viputils.audit.register import deliveries_not_as_published
    from viputils.audit.revisions import find_revisions

    first, last = (
        None if text is None else read_date(text, name) for text, name in ((before, "--from"), (after, "--to"))
    )
    opened = open_project(context, project)
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
    require_one_form(as_json, as_csv, as_markdown)
    from viputils.audit.changes import find_changes

    opened = open_project(context, project)
    wanted = [ReportMonth.parse(one) for one in months or ()]
    with steps() as step:
        found = find_changes(opened, before, after, wanted, all_months, step)
    if as_json:
        show_json(found.as_json())
    elif as_markdown:
        from viputils.report.verdict_sections import release_notes

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
    require_one_form(as_json, as_csv)
    from viputils.audit.trace import trace_figure, trace_movement

    report_month, opened = ReportMonth.parse(month), open_project(context, project)
    if diff is not None:
        if as_of is not None:
            raise ParameterError(
                "Two questions were asked.",
                [
                    Problem(
                        "--diff, --as-of", "were given together;", "leave out --as-of: --diff has both of its dates."
                    )
                ],
            )
        before, after = (read_date(text, "--diff") for text in diff)
        moved = trace_movement(opened, report_month, figure, before, after, allow_quarantined)
        if as_csv:
            show_csv(moved.records)
        elif as_json:
            show_json(moved.as_json())
        else:
            _show_movement(moved)
        return
    day = None if as_of is None else read_as_of(as_of)
    found = trace_figure(opened, report_month, figure, day, allow_quarantined, near)
    if as_csv:
        show_csv(found.rows)
    elif as_json:
        show_json(found.as_json())
    else:
        _show_trace(found)


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
    require_one_form(as_json, as_csv)
    from viputils.audit.health import check_project

    day = None if as_of is None else read_as_of(as_of)
    found = check_project(open_project(context, project), None if month is None else ReportMonth.parse(month), day)
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
            from viputils.records.account import account_line

            say(account_line(found.account, found.as_of))
        if found.clean:
            say("Nothing was found.")
    if not found.clean:
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
            change = off["change"].map("{:+d}".format, na_action="ignore")
            off = off[["issue", *columns]].assign(change=change)
            show_table("Figures with another verdict than reproduced", off, right=right)
    for one in found:
        name = "" if len(found) == 1 else f"{one.issue.name}: "
        say(name + one.sentence)
        for note in one.notes:
            say(f"  {note}")


def _show_trace(found: Trace) -> None:
    """Show a trace to a person: the records, what just missed and why, and what else is worth knowing."""
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
            say(f"    and {len(rows) - _MISSED_SHOWN:,} more; --json lists them all")
    for note in found.notes:
        say(f"Note: {note}")


def _show_movement(moved: Movement) -> None:
    """Show to a person what entered and left a figure."""
    change = moved.value_after - moved.value_before
    say(f"{moved.label}: {moved.value_before:,} as of {moved.before}, {moved.value_after:,} as of {moved.after}")
    say_mark(moved.mark)
    if moved.records.empty:
        say("Nothing entered or left.")
    for what, rows in moved.records.groupby("moved", sort=False):
        say(f"{str(what).capitalize()} ({len(rows):,}), {rows['change'].sum():+,}:")
        for row in rows.to_dict("records"):
            say(f"  {row['id']}, {row['date']} ({row['file']}, line {row['line']})")
            say(f"    {row['why']}")
    if not moved.records.empty:
        say(f"Together {change:+,}.")
