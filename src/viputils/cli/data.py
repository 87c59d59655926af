"""Commands for records: intake, seal, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.output import say, say_mark, says_yes, show_json, show_table, steps
from viputils.core.errors import (
    IntakeError,
    ParameterError,
    Problem,
)
from viputils.core.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viputils.intake.exports import EitherOrder

from viputils.cli.options import DISAGREES, AllowOption, ProjectOption, open_project, read_as_of, read_date, today

# How many remedies are shown.
_REMEDIES_SHOWN = 10
# How many rows that may be no corrections are shown.
_DOUBTFUL_SHOWN = 20


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

    opened = open_project(context, project)
    with proposed_intake(
        opened, files, read_date(received, "--received"), today(), table or (), covers_until or ()
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
        from viputils.config.program_file import pasted

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
    day = None if as_of is None else read_as_of(as_of)
    opened = open_project(context, project)
    with steps() as step:
        step("Reading and cleaning the records")
        from viputils.records.account import account_line
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
        say_mark(opened.program.demonstration.mark)


def seal(context: typer.Context, project: ProjectOption = None) -> None:
    """Write SHA256SUMS, with a salt, for each delivery that has none; of one that has it, add the salt alone.

    With the checksums, `vip check` finds a file that was changed. Without the salt, anyone could check a guess at a
    record with what is published. It belongs to the records: keep it with them, and never publish it.
    """
    from viputils.records.checksums import seal as seal_delivery
    from viputils.records.deliveries import find_deliveries

    opened = open_project(context, project)
    if opened.source.is_address:
        problem = Problem(opened.source.shown, "is where the deliveries come from;", "docs/deliveries.md tells how.")
        raise ParameterError("Deliveries can only be sealed in a folder. Nothing was written.", [problem])
    sealed = [one.name for one in find_deliveries(opened) if seal_delivery(one.folder)]
    for name in sealed:
        say(f"Sealed: {name}")
    say("Keep SHA256SUMS with the records, and make the issues again." if sealed else "Every delivery has its salt.")
