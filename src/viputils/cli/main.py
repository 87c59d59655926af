"""The command line: which commands there are, in the order of `vip --help`."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from viputils import __version__
from viputils.cli import audit, data, interrupts, lab, publish, report
from viputils.cli.options import ProjectOption

app = typer.Typer(
    name="vip",
    help="Make the VIP Monthly Informational Report from raw records, and check every number in it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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


app.command()(report.report)
app.command(short_help="Make the issues of many months; only those that changed.")(report.backfill)
app.command(short_help="Give a verdict on each published figure.")(audit.verify)
app.command(short_help="Make an issue again, and compare every byte.")(publish.reproduce)
app.command(short_help="Begin a month's activities, or look for what must not go out.")(publish.new)
app.command(short_help="Show how far every month has come.")(publish.status)
app.command(short_help="Add an issue that was made here to the register.")(publish.publish)
app.command(short_help="Make the site: every issue, and the pages around them.")(publish.site)
app.command(short_help="Look at the site as it will be, and see changes at once.")(publish.preview)
app.command()(report.figures)
app.command(short_help="List what moved in a month between two as-of dates.")(audit.revisions)
app.command(short_help="Show which figures move between two issues or two commits.")(audit.changes)
app.command(short_help="List the records behind a printed number.")(audit.trace)
app.command(short_help="Take in files that an agency sent, as one delivery.")(data.intake)
app.command(short_help="Write the clean tables as Parquet files.")(data.export)
app.command(
    short_help="Open the notebooks in JupyterLab.",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(lab.lab)
app.command(short_help="Look for changed deliveries and rows in quarantine.")(audit.check)
app.command(short_help="Write the checksums and the salt of deliveries that lack them.")(data.seal)


def main() -> NoReturn:
    """Run a command."""
    interrupts.run(app)
