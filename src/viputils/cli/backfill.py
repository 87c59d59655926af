"""The command backfill."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viputils.cli import interrupts
from viputils.cli.interrupts import InterruptedByUser
from viputils.cli.options import (
    CANNOT,
    PERIODS_HELP,
    AllowOption,
    EngineName,
    EngineOption,
    Executor,
    JsonOption,
    LanguageOption,
    PapermillEngine,
    ProjectOption,
    open_project,
)
from viputils.cli.output import bar, say, say_aside, show_json, steps
from viputils.core.errors import INTERRUPTED, ParameterError, Problem
from viputils.core.months import IssuePeriod
from viputils.core.periods import parse_period
from viputils.core.text import plural

if TYPE_CHECKING:
    from viputils.publish.backfill import Order, Outcome


def backfill(
    context: typer.Context,
    first: Annotated[
        IssuePeriod | None,
        typer.Argument(metavar="FROM", parser=parse_period, help=f"The first period: {PERIODS_HELP}."),
    ] = None,
    last: Annotated[
        IssuePeriod | None,
        typer.Argument(metavar="TO", parser=parse_period, help="The last period, of the same kind."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Make every month that has records.", show_default=False)
    ] = False,
    project: ProjectOption = None,
    engine: EngineOption = EngineName.auto,
    lang: LanguageOption = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Issues to make at a time.", show_default="one per core"),
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="Where to make the issues: in processes here, or on a Dask cluster.")
    ] = Executor.processes,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler", metavar="ADDRESS", help="The address of the Dask scheduler, such as tcp://127.0.0.1:8786."
        ),
    ] = None,
    papermill_engine: Annotated[
        PapermillEngine,
        typer.Option(help="How to run notebooks: in the process of the issue (vip), or in a kernel (stock)."),
    ] = PapermillEngine.vip,
    force: Annotated[
        bool, typer.Option("--force", help="Make every issue again, even if nothing changed.", show_default=False)
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="For each issue, list everything that changed.", show_default=False)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be made, and make nothing.", show_default=False)
    ] = False,
    allow_quarantined: AllowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the issues of many months, quarters or fiscal years. Skip each issue whose inputs have not changed.

    Give the first and last period, or --all for every month. If an issue fails, the others are still made and the exit
    code is 2.
    """
    _require_months(first, last, every)
    _require_consistent(executor, scheduler, jobs)
    begin = time.monotonic()
    opened = open_project(context, project, lang)
    with steps() as step:
        step("Looking for changes")
        from viputils.core.urls import shown_address
        from viputils.publish.backfill import carry_out, orders_of
        from viputils.publish.cluster import carry_out_on
        from viputils.report.render import choose_engine

        chosen = choose_engine(engine.value)
        orders, lacking = orders_of(opened, first, last, chosen, allow_quarantined, force)
    todo = [order for order in orders if order.why]
    lines = say_aside if as_json else say
    plans = {one: [f"{opened.issue_place(str(one))}: cannot be made. {lack}"] for one, lack in lacking.items()}
    if why or dry_run:
        plans |= {order.period: _plan(order, why, dry_run) for order in todo}
    for period in sorted(plans, key=str):
        for line in plans[period]:
            lines(line)
    results = _Results(orders, {opened.issue_place(str(month)): str(lack) for month, lack in lacking.items()}, dry_run)
    wanted = [] if dry_run else todo
    if scheduler is None:
        made = carry_out(opened, wanted, chosen, jobs, papermill_engine.value)
    else:
        if wanted:
            # It can take a while to reach the cluster, and to get its first worker.
            say_aside(f"Connecting to {shown_address(scheduler)} …")
        made = carry_out_on(scheduler, opened, wanted, chosen, papermill_engine.value)
    try:
        with closing(made) as outcomes, _confirming_interrupt(), bar(len(wanted)) as advance:
            for outcome in outcomes:
                advance(results.add(outcome), lines)
                for note in outcome.notes:
                    say_aside(f"{outcome.order.place}: {note}")
        lines(f"{results.summary}; {time.monotonic() - begin:.1f} s.")
        if as_json:
            show_json(results.as_json())
    except (InterruptedByUser, OSError) as error:
        _end_early(error, results.made, len(todo), force)
    if results.failed:
        raise typer.Exit(CANNOT)


@dataclass
class _Results:
    """The results of a backfill, by issue."""

    orders: Sequence[Order]
    failed: dict[str, str]
    dry_run: bool
    states: dict[str, str] = field(init=False)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lacking = len(self.failed)
        self.states = {order.place: "unchanged" for order in self.orders if not order.why}
        if self.dry_run:
            self.states |= {order.place: "would be made" for order in self.orders if order.why}

    def add(self, outcome: Outcome) -> str:
        """Add the outcome of an order, and return a line on it."""
        from viputils.publish.backfill import first_reason

        place = outcome.order.place
        if outcome.notes:
            self.notes[place] = list(outcome.notes)
        if outcome.error is not None:
            self.failed[place] = str(outcome.error)
            return f"{place}: cannot be made. {outcome.error}"
        self.states[place] = "made"
        return f"{place}: made in {outcome.seconds:.1f} s, because {first_reason(outcome.order)}."

    @property
    def made(self) -> int:
        """The number of issues made."""
        return list(self.states.values()).count("made")

    @property
    def summary(self) -> str:
        """The number of issues in each state."""
        counts = {what: list(self.states.values()).count(what) for what in ("made", "would be made", "unchanged")}
        found = ", ".join(f"{number} {what}" for what, number in counts.items() if number) or "none made"
        found += f", {len(self.failed)} could not be made" if self.failed else ""
        return f"{plural(len(self.orders) + self._lacking, 'issue')}: {found}"

    def as_json(self) -> dict[str, Any]:
        """Return the state of every issue, with the reasons, errors and notes."""
        return {
            "issues": dict(sorted((self.states | dict.fromkeys(self.failed, "could not be made")).items())),
            "why": {order.place: list(order.why) for order in self.orders if order.why},
            "failed": dict(sorted(self.failed.items())),
            "notes": dict(sorted(self.notes.items())),
        }


def _plan(order: Order, why: bool, dry_run: bool) -> list[str]:
    """Return lines on why an issue is made: every reason, or only the first."""
    from viputils.publish.backfill import first_reason

    verb = "would be made" if dry_run else "is made"
    if why:
        return [f"{order.place}: {verb}, because:", *(f"  {reason}" for reason in order.why)]
    return [f"{order.place}: {verb}, because {first_reason(order)}."]


def _end_early(error: InterruptedByUser | OSError, made: int, of: int, force: bool) -> None:
    """Exit after Ctrl-C, or an error in writing to the terminal or to a file, and print what is complete."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    what = f"Cannot write: {error.strerror or error}." if isinstance(error, OSError) else "Interrupted."
    rest = "the others were not changed." if force else "run the command again to make the others."
    say_aside(f"{what} {made} of {plural(of, 'issue')} {'is' if made == 1 else 'are'} complete; {rest}")
    interrupts.end(CANNOT if isinstance(error, OSError) else INTERRUPTED)


@contextmanager
def _confirming_interrupt() -> Iterator[None]:
    """Confirm Ctrl-C at once, because it takes a moment to stop."""
    try:
        yield
    except InterruptedByUser:
        say_aside("Stopping …")
        raise


def _require_months(first: IssuePeriod | None, last: IssuePeriod | None, every: bool) -> None:
    """Raise ParameterError unless the user gave either both months or --all."""
    if every == (first is not None) or (first is None) != (last is None):
        problem = Problem(
            "months",
            "are not clear;",
            "give FROM and TO, as in 2022-07 2023-11 (the same month twice for one month), or --all.",
        )
        raise ParameterError("Choose the months, or --all.", [problem])


def _require_consistent(executor: Executor, scheduler: str | None, jobs: int | None) -> None:
    """Raise ParameterError if options of a backfill contradict each other."""
    problems = []
    if executor is Executor.dask and scheduler is None:
        problems.append(Problem("--executor dask", "needs a cluster;", "add --scheduler tcp://HOST:8786."))
    if executor is Executor.dask and jobs is not None:
        problems.append(
            Problem("--jobs", "sets the number of processes on this computer;", "leave it out with --executor dask.")
        )
    if executor is Executor.processes and scheduler is not None:
        problems.append(Problem("--scheduler", "is only for a cluster;", "add --executor dask, or leave it out."))
    if problems:
        raise ParameterError("The options contradict each other.", problems)
