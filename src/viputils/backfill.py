"""Many issues: what is not as it would be made now is made, by several processes, each issue whole or not at all.

No issue depends on another one that is made, only on the register, so their order and number change nothing: each has
the bytes that it has when it is made alone.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viputils.datapackage import countable_months
from viputils.deliveries import find_deliveries
from viputils.edition import require_no_quarantine
from viputils.errors import ManifestError, NotebookError, ParameterError, Problem, VipError
from viputils.issue import Present, issue_begun, make_issue, reasons_to_make
from viputils.manifest import library_checksum
from viputils.notebook import Kernel, kernel_ahead
from viputils.periods import ReportMonth
from viputils.project import Project
from viputils.render import Engine, choose_engine
from viputils.zygote import can_fork, own_zygote, seed_of

EngineName = Literal["quarto", "embedded"]
PapermillEngine = Literal["vip", "stock"]

FORCED = "it was asked for"


@dataclass(frozen=True)
class Order:
    """An issue that is to be made.

    Attributes
    ----------
    language
        The language that it is made in.
    place
        Its folder in ``issues``.
    why
        What is not as it was when the issue that lies there was made; nothing where it is as it would be made now.
    left_out_rows
        Whether rows that are in quarantine are left out.
    """

    month: ReportMonth
    as_of: dt.date
    language: str
    place: str
    why: tuple[str, ...]
    left_out_rows: bool = False


@dataclass(frozen=True)
class Shop:
    """With what issues are made: the engine of the pages, whether kernels are forked, the checksum of the library."""

    engine: EngineName
    forks: bool
    library: str


@dataclass(frozen=True)
class Outcome:
    """What came of an order: made in so many seconds, or the error that kept it from being made."""

    order: Order
    seconds: float
    error: VipError | None = None


def orders_of(
    project: Project,
    first: ReportMonth | None,
    last: ReportMonth | None,
    engine: Engine,
    allow_quarantined: bool = False,
    forced: bool = False,
) -> tuple[list[Order], dict[ReportMonth, str]]:
    """Find the issues of some months, and why each would be made again.

    Parameters
    ----------
    first, last
        From the one month to the other; by default from the first to the last that can be made.
    forced
        Whether each is made again, whatever lies there.

    Returns
    -------
    list[Order]
        One for each month that can be made, in order, those that need not be made included.
    dict
        The other months of the range, and what each lacks.

    Raises
    ------
    ParameterError
        Where the range runs backwards or holds no month of which there could be data.
    DeliveryError
        Where there is no delivery at all.
    """
    if first is not None and last is not None and first > last:
        problem = Problem("FROM, TO", f"{first} lies after {last};", "give the earlier month first.")
        raise ParameterError("There is no such range of months.", [problem])
    deliveries = find_deliveries(project)
    months, others = countable_months(project, deliveries)
    known = sorted({*months, *others})
    begin, end = first or (known[0] if known else None), last or (known[-1] if known else None)
    if begin is None or end is None or not known or begin > known[-1] or end < known[0]:
        what = f"the records cover {known[0]} to {known[-1]};" if known else "no month is over;"
        raise ParameterError("No issue can be made of these months.", [Problem("FROM, TO", what, "ask for others.")])
    wanted = list(begin.until(end))
    lacking = {month: others.get(month, "The records do not cover it.") for month in wanted if month not in months}
    orders, present = [], Present.of(project)
    for month in wanted:
        if month in months:
            place = project.issue_place(str(month))
            why = reasons_to_make(project, month, months[month], engine, place, present)
            reasons = (FORCED, *why) if forced else tuple(why)
            orders.append(Order(month, months[month], project.language.code, place, reasons, allow_quarantined))
    return orders, lacking


def carry_out(
    project: Project,
    orders: Sequence[Order],
    engine: Engine,
    jobs: int | None = None,
    papermill_engine: PapermillEngine = "vip",
) -> Generator[Outcome]:
    """Make issues; what goes wrong with one keeps no other from being made.

    Parameters
    ----------
    jobs
        How many processes make them; by default one for each core. A single issue, or one process, is made here.
    papermill_engine
        ``vip`` forks kernels where that can be done, ``stock`` starts each.

    Yields
    ------
    Outcome
        One for each order, as they are ready.
    """
    jobs = min(jobs or cores(), len(orders))
    shop = shop_of(engine, papermill_engine == "vip" and len(orders) > 1)
    if jobs > 1:
        yield from _by_several(project, orders, shop, jobs)
    else:
        yield from _one_by_one(project, orders, engine, shop)


def shop_of(engine: Engine, forks: bool) -> Shop:
    """Say with what issues are made here; kernels are forked where that can be done."""
    return Shop("quarto" if engine.name == "quarto" else "embedded", forks and can_fork(), library_checksum())


def cores() -> int:
    """Give how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one_by_one(project: Project, orders: Sequence[Order], engine: Engine, shop: Shop) -> Iterator[Outcome]:
    """Make issues one after the other; the kernel of the next gets ready while one is made."""

    def kernel_of(order: Order) -> AbstractContextManager[Kernel]:
        return kernel_ahead(project.root, project.raw, own_zygote() if shop.forks else None, _seed(order))

    with ExitStack() as ahead:
        ready = ahead.enter_context(kernel_of(orders[0])) if orders else None
        for number, order in enumerate(orders, start=1):
            kernel, ready = ready, None
            # Of the kernels that were begun ahead, this one ends with its issue.
            with ahead.pop_all():
                if number < len(orders):
                    ready = ahead.enter_context(kernel_of(orders[number]))
                outcome = outcome_of(project, order, engine, shop, kernel)
            yield outcome


def _seed(order: Order) -> int:
    """Give the seed of an issue's random numbers: they never depend on what was made before it."""
    return seed_of({"month": str(order.month)})


def outcome_of(project: Project, order: Order, engine: Engine, shop: Shop, kernel: Kernel | None = None) -> Outcome:
    """Make an issue, or say what kept it from being made.

    Parameters
    ----------
    kernel
        One that was started ahead. By default one is started or forked, as the shop does.
    """
    if kernel is None and shop.forks:
        with kernel_ahead(project.root, project.raw, own_zygote(), _seed(order)) as forked:
            return outcome_of(project, order, engine, shop, forked)
    begin = time.perf_counter()
    error: VipError | None = None
    try:
        if library_checksum() != shop.library:
            problem = Problem("viputils", "is not the code that was read any more;", "begin again.")
            raise ManifestError("The library was changed while issues were being made.", [problem])
        spoken = project.in_language(order.language)
        with issue_begun(spoken, order.month, order.as_of, kernel) as begun:
            if not order.left_out_rows:
                require_no_quarantine(spoken, begun.edition)
            make_issue(spoken, begun.edition, engine, place=order.place, begun=begun)
    except VipError as found:
        error = found
    except OSError as found:
        error = NotebookError("The issue could not be written.", [Problem(f"issues/{order.place}", str(found))])
    except Exception as found:
        where = traceback.extract_tb(found.__traceback__)[-1]
        what = f"{type(found).__name__}: {found} ({Path(where.filename).name}, line {where.lineno});"
        error = NotebookError(
            "Something unexpected happened. Nothing was made.",
            [Problem(f"issues/{order.place}", what, "this is a fault of viputils.")],
        )
    return Outcome(order, time.perf_counter() - begin, error)


def _by_several(project: Project, orders: Sequence[Order], shop: Shop, jobs: int) -> Iterator[Outcome]:
    """Let processes make issues; where one of them dies, those that it may have been at are made each by its own."""
    waiting = list(orders)
    with _processes(jobs) as pool:
        for outcome in _submitted(pool, project, waiting, shop):
            waiting.remove(outcome.order)
            yield outcome
    for order in waiting:
        with _processes(1) as pool:
            died = Problem(
                f"issues/{order.place}", "the process that made it died;", "the memory may not have sufficed."
            )
            lost = Outcome(order, 0, NotebookError("The issue could not be made.", [died]))
            yield next(_submitted(pool, project, [order], shop), lost)


def _submitted(pool: Executor, project: Project, orders: Sequence[Order], shop: Shop) -> Iterator[Outcome]:
    futures: list[Future[Outcome]] = [
        pool.submit(_made, project.root, str(project.raw), order, shop) for order in orders
    ]
    for future in as_completed(futures):
        try:
            yield future.result()
        except BrokenProcessPool:
            continue


def _made(root: Path, deliveries: str, order: Order, shop: Shop) -> Outcome:
    """Make an issue in a process of its own, of the same project and the same deliveries."""
    try:
        project = Project.open(root, deliveries=deliveries)
    except VipError as error:
        return Outcome(order, 0, error)
    return outcome_of(project, order, choose_engine(shop.engine), shop)


@contextmanager
def _processes(number: int) -> Iterator[Executor]:
    """Give a pool of fresh processes, of which none is left when the block ends, however it does."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_begin)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        children = multiprocessing.active_children()
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.terminate()
        for child in children:
            child.join(10)
        raise


def _begin() -> None:
    """Let a process end with the one that it works for: it tidies up where it is told to, and never stays behind."""

    def stop(_signum: int, _frame: object) -> None:
        # What breaks now breaks because of this, and what libraries would say of it is for nobody.
        logging.disable()
        raise SystemExit(1)

    # Ctrl-C goes to all of them; the one that people see says what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            multiprocessing.connection.wait([parent.sentinel])
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def first_reason(order: Order) -> str:
    """Give the first reason why an issue is made, and how many more there are."""
    more = f", and {len(order.why) - 1} more" if len(order.why) > 1 else ""
    return f"{order.why[0]}{more}"
