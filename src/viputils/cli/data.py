"""The commands intake, seal and export."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.options import DISAGREES, AllowOption, ProjectOption, any_date, open_project, past_date, today
from viputils.cli.output import Format, emit, say, say_mark, says_yes, show_table, steps
from viputils.core.errors import IntakeError, ParameterError, Problem
from viputils.core.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viputils.config.project import Project
    from viputils.intake.date_column import EitherOrder
    from viputils.records.clean import Records

# Suggested corrections to show.
_REMEDIES_SHOWN = 10
# Rows to show that may not be corrections.
_DOUBTFUL_SHOWN = 20


def intake(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV or Excel files, as the agency sent them.")],
    received: Annotated[
        dt.date,
        typer.Option(metavar="DATE", parser=any_date("--received"), help="The day the files arrived, YYYY-MM-DD."),
    ],
    table: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SHEET=]TABLE",
            help="The table that a sheet, or every sheet and file, belongs to. You can repeat this option.",
            show_default="found from names and columns",
        ),
    ] = None,
    covers_until: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TABLE=]DATE",
            help="The last day that the files cover. You can repeat this option.",
            show_default="the end of the previous month, or of the month of the newest record",
        ),
    ] = None,
    corrections: Annotated[
        bool,
        typer.Option(
            "--corrections",
            help="Accept rows that move a record by more than two months or change nearly all of it, and files that "
            "withdraw most records.",
            show_default=False,
        ),
    ] = False,
    dates_as_read: Annotated[
        bool,
        typer.Option(
            "--dates-as-read",
            help="Accept the dates as read if they could be month first or day first.",
            show_default=False,
        ),
    ] = False,
    allow_quarantined: Annotated[
        bool,
        typer.Option(
            "--allow-quarantined",
            help="Continue even if the files would put existing rows into quarantine.",
            show_default=False,
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write the delivery without asking.", show_default=False)] = False,
    project: ProjectOption = None,
) -> None:
    """Show what the files would change, and write them as one delivery if you answer yes."""
    opened, accepted = open_project(context, project), Accepted(yes, corrections, dates_as_read, allow_quarantined)
    following = take_in(opened, files, received, table or (), covers_until or (), accepted)
    if following:
        say(f"Next: {following}")


@dataclass(frozen=True)
class Accepted:
    """What is accepted without asking: the delivery, corrections, the order of dates, and rows in quarantine."""

    delivery: bool = False
    corrections: bool = False
    dates_as_read: bool = False
    quarantine: bool = False


def take_in(
    project: Project,
    files: Sequence[Path],
    received: dt.date,
    tables: Sequence[str],
    covers_until: Sequence[str],
    accepted: Accepted,
) -> str:
    """Show what some files would change, and write them as one delivery if that is accepted.

    Returns
    -------
    str
        The next command, or an empty text if nothing was new.
    """
    from viputils.intake.proposal import NothingNew, proposed_intake

    yes = accepted.delivery
    with proposed_intake(project, files, received, today(), tables, covers_until) as proposal:
        if isinstance(proposal, NothingNew):
            for file, delivery in proposal.known:
                say(f"{file} is already in {delivery}. Nothing was written.")
            return ""
        for line in proposal.summary():
            say(line)
        moved, rest = proposal.moved()
        if not moved.empty:
            # Before the first delivery of a month, its figures are unknown, not 0.
            shown = moved.astype("object").where(moved.notna(), "no data")
            show_table("Monthly figures that would change", shown, right=("before", "after"))
        if rest:
            say(rest)
        if not proposal.quarantine.empty:
            say("Rows that would be in quarantine:")
            for line in proposal.rejects():
                say(f"  {line}")
        if held := proposal.rows_held:
            say(f"{plural(held, 'row')} already here would also go into quarantine:")
            for line in proposal.rejects_held():
                say(f"  {line}")
        for line in list(proposal.remedies())[:_REMEDIES_SHOWN]:
            say(f"  {line}")
        say(f"{proposal.name} would contain:")
        for line in proposal.account():
            say(f"  {line}")
        say("It covers:")
        for line in proposal.coverage():
            say(f"  {line}")
        for warning in proposal.warnings:
            say(f"WARNING: {warning}")
        if proposal.dates_doubtful and not accepted.dates_as_read:
            _ask_about_dates(proposal.dates_doubtful, yes)
        if proposal.doubtful and not accepted.corrections:
            _ask_about_corrections(proposal.doubtful, yes)
        if proposal.withdrawals and not accepted.corrections:
            _ask_about_withdrawals(proposal.withdrawals, yes)
        if held and not accepted.quarantine:
            _ask_about_held_rows(held, yes)
        if not yes and not says_yes(f"Write {proposal.name}?"):
            say("Nothing was written.")
            raise typer.Exit(DISAGREES)
        proposal.accept()
        say(f"Written: {proposal.name}")
        return "vip check" if len(proposal.quarantine) or held else "vip status"


def _ask_about_dates(doubtful: Sequence[EitherOrder], yes: bool) -> None:
    """Ask whether ambiguous dates were read in the right order. Raise IntakeError if the answer is not yes."""
    say("These dates can be month first or day first, and the other order fits the day of receipt better:")
    for one in doubtful:
        say(f"  {one}")
    order, other = doubtful[0].order, doubtful[0].other_order
    if yes or not says_yes(f"Were these dates written {order}?"):
        from viputils.config.program_file import pasted

        lines = pasted("intake", f'date_order = "{other}"')
        raise IntakeError(
            "Dates may have been read in the wrong order. Nothing was written.",
            [
                Problem(
                    one.where,
                    f"was read {order}, as {one.span()}. Read {other}, it would be {one.span(other=True)};",
                    f"ask the sender. If the dates are {order}, run the command with --dates-as-read. If they are "
                    f"{other}, change program.toml:{lines}",
                )
                for one in doubtful
            ],
        )


def _ask_about_held_rows(held: int, yes: bool) -> None:
    """Ask whether existing rows may go into quarantine. Raise IntakeError if the answer is not yes."""
    rows = plural(held, "row")
    if yes or not says_yes(f"Continue, although {rows} already here would not be counted until this is fixed?"):
        raise IntakeError(
            "Rows already here would go into quarantine. Nothing was written.",
            [
                Problem(
                    plural(held, "row"),
                    "would no longer be counted because of these files. The reasons are listed above;",
                    "fix the files or program.toml as suggested there, and run the command again. To write the "
                    "delivery anyway, add --allow-quarantined.",
                )
            ],
        )


def _ask_about_corrections(doubtful: Sequence[str], yes: bool) -> None:
    """Ask whether rows correct existing records with the same ids. Raise IntakeError if the answer is not yes."""
    say("These rows have the id of an existing record, but move it by more than two months or change nearly all of it:")
    for line in doubtful[:_DOUBTFUL_SHOWN]:
        say(f"  {line}")
    if len(doubtful) > _DOUBTFUL_SHOWN:
        say(f"  and {len(doubtful) - _DOUBTFUL_SHOWN:,} more")
    if yes or not says_yes("Do all these rows correct existing records?"):
        raise IntakeError(
            "Rows may be new records that reuse old ids. Nothing was written.",
            [
                Problem(
                    plural(len(doubtful), "row"),
                    "would replace existing records that may be unrelated;",
                    "if all of them are corrections, run the command with --corrections. If the sender reuses "
                    "numbers, for example each year, list several columns as the id of the table in "
                    'program.toml: id = ["case_number", "response_date"].',
                )
            ],
        )


def _ask_about_withdrawals(withdrawals: Sequence[str], yes: bool) -> None:
    """Ask whether snapshots are whole. Raise IntakeError if the answer is not yes."""
    for line in withdrawals:
        say(line)
    if yes or not says_yes("Is this file the whole table?"):
        raise IntakeError(
            "A snapshot would withdraw most records. Nothing was written.",
            [
                Problem(
                    line,
                    "",
                    "If the file is the whole table, run the command with --corrections. If it only has new rows, "
                    'write delivery = "incremental" for the table in program.toml.',
                )
                for line in withdrawals
            ],
        )


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or the folder of an earlier export.")],
    as_of: Annotated[
        dt.date | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            parser=past_date("--as-of"),
            help="Export only records received by this date, YYYY-MM-DD.",
            show_default="the day of the newest delivery",
        ),
    ] = None,
    crate: Annotated[
        str | None,
        typer.Option(
            metavar="ISSUE", help="Export this issue as an RO-Crate instead, such as 2023-11.", show_default=False
        ),
    ] = None,
    project: ProjectOption = None,
    allow_quarantined: AllowOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file paths as JSON.", show_default=False)] = False,
) -> None:
    """Write the clean tables as Parquet files, one per table. If a table fails, nothing is written.

    The files contain individual records. Do not publish them.

    With --crate, write the files of an issue into a new folder instead, with a description for archives of research
    data (RO-Crate 1.1). These files can be published.
    """
    opened = open_project(context, project)
    if crate is not None:
        if as_of or allow_quarantined:
            what, remedy = "were given with --crate;", "leave them out: an issue has its own as-of date."
            raise ParameterError("Use --crate alone.", [Problem("--as-of, --allow-quarantined", what, remedy)])
        _export_crate(opened, crate, folder, as_json)
        return
    with steps() as step:
        step("Reading and cleaning the records")
        from viputils.records.clean import load_records
        from viputils.records.parquet import write_parquet

        records = load_records(opened, as_of)
        if not allow_quarantined:
            records.require_no_quarantine()
        step("Writing the tables")
        written = write_parquet(records, folder)
    emit(
        Format.of(as_json),
        text=lambda: _show_export(opened, records, written),
        json=lambda: {"as_of": records.as_of.isoformat(), "tables": {path.stem: str(path) for path in written}},
    )


def _export_crate(project: Project, issue: str, folder: Path, as_json: bool) -> None:
    """Write the crate of an issue, and print where it is."""
    from viputils.audit.register import IssueName
    from viputils.publish.crate import write_crate

    written = write_crate(project, IssueName.parse(issue), folder)
    emit(
        Format.of(as_json),
        text=lambda: say(f"Written: {written[0]}, with the {plural(len(written) - 1, 'file')} of the issue."),
        json=lambda: {"issue": issue, "files": [str(path) for path in written]},
    )


def _show_export(project: Project, records: Records, written: Sequence[Path]) -> None:
    """Print as text which files were written, and from which records."""
    from viputils.records.account import account_line

    for path in written:
        say(path)
    say(account_line(records.account, records.as_of))
    say("These files contain individual records with codes of people. Use them for analysis, and do not publish them.")
    if records.is_demonstration and project.program.demonstration is not None:
        say_mark(project.program.demonstration.mark)


def seal(context: typer.Context, project: ProjectOption = None) -> None:
    """Add a SHA256SUMS file, with checksums and a salt, to each delivery that lacks them.

    With the checksums, `vip check` finds changed files. Without the salt, anyone could use published manifests to
    confirm a guess about a record. Keep SHA256SUMS with the records, and never publish it.
    """
    from viputils.records.checksums import seal as seal_delivery
    from viputils.records.deliveries import find_deliveries

    opened = open_project(context, project)
    if opened.source.is_address:
        problem = Problem(opened.source.shown, "is not a folder;", "see docs/deliveries.md.")
        raise ParameterError("Deliveries can only be sealed in a folder. Nothing was changed.", [problem])
    sealed = [one.name for one in find_deliveries(opened) if seal_delivery(one.folder)]
    for name in sealed:
        say(f"Sealed: {name}")
    say(
        "Keep SHA256SUMS with the records, and make the issues again."
        if sealed
        else "Every delivery already has a salt."
    )
