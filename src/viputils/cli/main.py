"""The command line: its commands, in the order of `vip --help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from viputils import __version__
from viputils.cli import audit, backfill, compare, data, interrupts, lab, publish, report, setup
from viputils.cli.options import ProjectOption

app = typer.Typer(
    name="vip",
    help="Make the VIP Monthly Informational Report from raw records, and check every number in it.",
    epilog="For help on a command: vip COMMAND --help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class _Command(TyperCommand):
    """A command whose help names its arguments without braces and without Python types."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.translate({ord("{"): None, ord("}"): None}) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for heading, kind in (("Arguments", "argument"), ("Options", "option")):
            records = (one.get_help_record(ctx) for one in self.get_params(ctx) if one.param_type_name == kind)
            rows = [
                (name.partition(" <")[0] if kind == "argument" else name, words)
                for name, words in filter(None, records)
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


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
    """Keep the options that come before the command."""
    context.obj = project


def _add(command: Callable[..., None], summary: str, example: str, **settings: Any) -> None:
    """Add a command with its line in `vip --help` and the example at the end of its own help."""
    app.command(cls=_Command, short_help=summary, epilog=f"Example: {example}", **settings)(command)


_add(setup.init, "Start the project of another city from its files.", "vip init ourcity shootings.csv")
_add(setup.doctor, "Check program.toml against the records.", "vip doctor November.xlsx")
_add(report.report, "Make the issue of a month.", "vip report 2023-11")
_add(backfill.backfill, "Make the issues of many months, if anything changed.", "vip backfill 2022-07 2023-11")
_add(audit.verify, "Check each published figure against the records.", "vip verify 2023-11")
_add(publish.reproduce, "Make an issue again, and compare every byte.", "vip reproduce 2023-11")
_add(publish.new, "Start the text of a month, or check it for private details.", "vip new 2023-12")
_add(publish.status, "Show the progress of every month.", "vip status")
_add(
    publish.publish,
    "Add an issue to the register of published figures.",
    'vip publish 2023-12 --approved-by "A. Person"',
)
_add(publish.site, "Make the website.", "vip site --address https://example.org/vip/")
_add(publish.preview, "Preview the website on this computer.", "vip preview --since 2023-12")
_add(report.figures, "Print the figures of a month.", "vip figures 2023-11")
_add(
    audit.revisions,
    "List the figures of a month that later records changed.",
    "vip revisions 2023-10 --from 2023-11-03 --to 2023-12-04",
)
_add(audit.changes, "Compare the figures of two issues or two commits.", "vip changes 2023-11 2023-11-r1")
_add(compare.compare, "Compare two windows of months.", "vip compare 2023-07..2023-11 2022-07..2022-11")
_add(
    audit.trace,
    "List the records behind a figure.",
    "vip trace 2023-11 responses_by_incident_type/Homicide/month",
)
_add(data.intake, "Add files from an agency as a delivery.", "vip intake November.xlsx --received 2023-12-04")
_add(data.export, "Write the clean tables as Parquet files.", "vip export clean-tables")
_add(
    lab.lab,
    "Open the notebooks in JupyterLab.",
    "vip lab explore_trends",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
_add(audit.check, "Find rejected rows and changed deliveries.", "vip check 2023-11")
_add(data.seal, "Add checksums and a salt to deliveries that lack them.", "vip seal")


def main() -> NoReturn:
    """Run a command."""
    interrupts.run(app)
