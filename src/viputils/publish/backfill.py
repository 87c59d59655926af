"""Make many issues: those that are missing or out of date, each in its own process, as a whole or not at all.

Issues depend on the register but not on each other, so their order and number do not matter: each has the same bytes as
when it is made alone.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
import traceback
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass
from pathlib import Path

from viputils.audit.as_of import OwnDays, issue_day
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, NotebookError, ParameterError, Problem, VipError
from viputils.core.months import IssuePeriod
from viputils.records.checksums import checksum_problems
from viputils.records.deliveries import find_deliveries
from viputils.report.data_files import countable_months
from viputils.report.issue import Notes, make_issue, reasons_to_make
from viputils.report.notebook import PapermillEngine
from viputils.report.process import PLACE, end_all, start_ahead
from viputils.report.render import Engine
from viputils.report.seal import Present, Sealed, sealed

FORCED = "it was asked for"
# Seconds between attempts to end the issues that are being made.
_LOOK = 0.05


@dataclass(frozen=True)
class Order:
    """An issue to make.

    Attributes
    ----------
    language
        Its language.
    place
        Its folder in ``issues``.
    why
        Why it is out of date; empty if it is not.
    left_out_rows
        Whether rows in quarantine are left out.
    """

    period: IssuePeriod
    as_of: dt.date
    language: str
    place: str
    why: tuple[str, ...]
    left_out_rows: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result of an order: the seconds that it took, or the error.

    Attributes
    ----------
    notes
        Notes on its texts.
    """

    order: Order
    seconds: float
    error: VipError | None = None
    notes: tuple[str, ...] = ()


def orders_of(
    project: Project,
    first: IssuePeriod | None,
    last: IssuePeriod | None,
    engine: Engine,
    allow_quarantined: bool = False,
    forced: bool = False,
) -> tuple[list[Order], dict[IssuePeriod, str]]:
    """Find the issues of some months, quarters or years, and why each would be made again.

    Parameters
    ----------
    first, last
        From the one period to the other; by default from the first to the last month that can be made.
    forced
        Whether each is made again, whatever lies there.

    Returns
    -------
    list[Order]
        One for each period that can be made, in order, those that need not be made included.
    dict
        The other periods of the range, and what each lacks.

    Raises
    ------
    ParameterError
        If the range runs backwards, mixes kinds of periods, or contains no month that could have data.
    DeliveryError
        If there is no delivery at all.
    """
    if first is not None and last is not None:
        _require_range(project, first, last)
    deliveries = find_deliveries(project)
    days = OwnDays(project, deliveries, many=True)
    months, others = countable_months(project, days)
    known, starts = sorted({*months, *others}), project.program.identity.fiscal_year_starts
    begin, end = first or (known[0] if known else None), last or (known[-1] if known else None)
    if begin is None or end is None or not known or begin.months(starts)[0] > known[-1] or end.last(starts) < known[0]:
        what = f"the records cover {known[0]} to {known[-1]};" if known else "no month is over;"
        kind = first.kind if first is not None else "month"
        raise ParameterError(f"No issue can be made of these {kind}s.", [Problem("FROM, TO", what, "ask for others.")])
    wanted = _range(begin, end, starts)
    touched = [(one.received, checksum_problems(one.folder, one.name)) for one in deliveries]
    lacking: dict[IssuePeriod, str] = {}
    orders, present = [], Present.of(project)
    for period in wanted:
        try:
            as_of = issue_day(project, deliveries, period, days=days)
            if problems := [problem for day, found in touched if day <= as_of for problem in found]:
                raise DeliveryError("Delivered files are invalid. Nothing was made.", problems)
        except DeliveryError as error:
            lacking[period] = str(error)
        else:
            place = project.issue_place(str(period))
            why = reasons_to_make(project, period, as_of, engine, place, present, allow_quarantined)
            reasons = (FORCED, *why) if forced else tuple(why)
            orders.append(Order(period, as_of, project.language.code, place, reasons, allow_quarantined))
    return orders, lacking


def _require_range(project: Project, first: IssuePeriod, last: IssuePeriod) -> None:
    """Raise ParameterError if two periods are not the ends of a range."""
    starts = project.program.identity.fiscal_year_starts
    if first.kind != last.kind:
        what = f"{first} is a {first.kind} and {last} is a {last.kind};"
        problem = Problem("FROM, TO", what, "give two months, two quarters or two fiscal years.")
        raise ParameterError("There is no such range.", [problem])
    if first.last(starts) > last.last(starts):
        problem = Problem("FROM, TO", f"{first} lies after {last};", f"give the earlier {first.kind} first.")
        raise ParameterError(f"There is no such range of {first.kind}s.", [problem])


def _range(first: IssuePeriod, last: IssuePeriod, starts: int) -> list[IssuePeriod]:
    """Return the periods from one to another of the same kind, both included."""
    found = [first]
    while found[-1].last(starts) < last.last(starts):
        found.append(found[-1].plus(1))
    return found


def carry_out(
    project: Project,
    orders: Sequence[Order],
    engine: Engine,
    jobs: int | None = None,
    papermill_engine: PapermillEngine = "vip",
) -> Generator[Outcome]:
    """Make issues; one failure does not stop the others.

    Parameters
    ----------
    jobs
        How many are made at a time; by default one for each core.
    papermill_engine
        What runs the notebooks, as ``run_notebook`` takes it.

    Yields
    ------
    Outcome
        One for each order, as they are ready.
    """
    if not orders:
        return
    start_ahead()
    with sealed(project) as seal, ThreadPoolExecutor(min(jobs or cores(), len(orders))) as pool:
        futures = [pool.submit(outcome_of, seal, order, engine, papermill_engine) for order in orders]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
            while wait(futures, _LOOK).not_done:
                end_all()


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def outcome_of(seal: Sealed, order: Order, engine: Engine, papermill_engine: PapermillEngine = "vip") -> Outcome:
    """Make an issue, or return the error."""
    begin = time.perf_counter()
    notes: list[Notes] = []
    try:
        make_issue(
            seal.in_language(order.language),
            order.period,
            order.as_of,
            engine,
            place=order.place,
            allow_quarantined=order.left_out_rows,
            papermill_engine=papermill_engine,
            on_notes=notes.append,
        )
    except VipError as found:
        error = found
    except OSError as found:
        error = _unreadable(order, found)
    except Exception as found:
        error = unexpected(order, found)
    else:
        return Outcome(order, time.perf_counter() - begin, notes=notes[0].texts)
    return Outcome(order, time.perf_counter() - begin, error)


def unexpected(order: Order, found: Exception) -> NotebookError:
    """Return the error for a fault of viputils."""
    last = traceback.extract_tb(found.__traceback__)[-1]
    where = getattr(found, PLACE, "") or f"{Path(last.filename).name}, line {last.lineno}"
    what = f"{type(found).__name__}: {found} ({where});"
    return NotebookError(
        "Something unexpected happened. Nothing was made.",
        [Problem(f"issues/{order.place}", what, "this is a fault of viputils.")],
    )


def _unreadable(order: Order, found: OSError) -> NotebookError:
    """Return the error for a file that could not be read or written."""
    return NotebookError("A file could not be read or written.", [Problem(f"issues/{order.place}", str(found))])


def first_reason(order: Order) -> str:
    """Return the first reason why an issue is made, and how many more there are."""
    more = f", and {len(order.why) - 1} more" if len(order.why) > 1 else ""
    return f"{order.why[0].rstrip('.')}{more}"
