"""Make the issues of the site that are not up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final

from viputils.config.project import Project
from viputils.core.errors import ParameterError, Problem
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.text import plural
from viputils.publish.backfill import Order, carry_out, cores
from viputils.publish.site.plan import PlannedIssue
from viputils.report.issue import reasons_to_make
from viputils.report.privacy.screening import require_screened, screen_activities, screen_texts
from viputils.report.render import Engine
from viputils.report.seal import Present

# Above this number of issues to make, the user is told first, and asked if at a terminal.
_MANY: Final = 40
_SECONDS_PER_ISSUE: Final = 6


def make_outdated(
    projects: Sequence[Project],
    planned: Sequence[PlannedIssue],
    engine: Engine,
    on_step: Callable[[str], None],
    go_on: Callable[[str], bool],
) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], dict[IssuePeriod, list[Problem]]]:
    """Make the issues that are missing or out of date.

    Returns
    -------
    tuple
        The folder of each issue that was made, with the reasons; and the months that failed, with their problems.

    Raises
    ------
    VipError
        If none can be made.
    """
    todo = list(_orders(projects, planned, engine))
    if len(todo) > _MANY and not go_on(_how_many(projects[0], todo)):
        raise ParameterError("No site was made.", [Problem("--since", "leaves out earlier issues;", "name a month.")])
    if todo:
        on_step(f"Making {todo[0].place}, 1 of {len(todo)} ({todo[0].why[0]})")
    failed: dict[IssuePeriod, list[Problem]] = {}
    with closing(carry_out(projects[0], todo, engine)) as outcomes:
        for done, outcome in enumerate(outcomes, start=1):
            if outcome.error is not None:
                if len(failed | {outcome.order.period: []}) == len({one.name.period for one in planned}):
                    raise outcome.error
                problem = Problem(f"issues/{outcome.order.place}", f"has no page: {outcome.error.summary}")
                failed.setdefault(outcome.order.period, []).extend([problem, *outcome.error.problems])
            elif done < len(todo):
                on_step(f"Made {outcome.order.place}, {done} of {len(todo)}")
    return tuple((order.place, order.why) for order in todo if order.period not in failed), failed


def _orders(projects: Sequence[Project], planned: Sequence[PlannedIssue], engine: Engine) -> Iterator[Order]:
    """Yield an order for each issue that is missing or out of date, in every language."""
    present = Present.of(projects[0])
    if planned:
        require_screened(screen_texts(projects[0]))
    for spoken in projects:
        for one in planned:
            period, without = one.name.period, one.left_out_rows
            if isinstance(period, ReportMonth):
                require_screened(screen_activities(spoken, period))
            place = spoken.issue_place(str(one.name))
            if why := tuple(reasons_to_make(spoken, period, one.as_of, engine, place, present, without)):
                yield Order(period, one.as_of, spoken.language.code, place, why, without)


def _how_many(project: Project, todo: Sequence[Order]) -> str:
    """Return how many issues have to be made, how long that takes, and how to make fewer."""
    minutes = max(1, round(len(todo) * _SECONDS_PER_ISSUE / cores() / 60))
    starts = project.program.identity.fiscal_year_starts
    since = max(order.period.last(starts) for order in todo).plus(-11)
    return (
        f"{len(todo)} issues have to be made, which takes about {plural(minutes, 'minute')}. "
        f"--since {since} makes the site of the last twelve months first."
    )
