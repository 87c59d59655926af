"""Many issues: what is not as it would be made now is made, by several processes, each issue whole or not at all.

No issue depends on another one that is made, only on the register, so their order and number change nothing: each has
the bytes that it has when it is made alone.
"""

from __future__ import annotations

import datetime as dt
import gc
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
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Final, Literal

from viputils.audit.as_of import OwnDays, issue_day
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, NotebookError, ParameterError, Problem, VipError
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.records.checksums import checksum_problems
from viputils.records.deliveries import find_deliveries
from viputils.report.data_files import countable_months
from viputils.report.issue import make_issue, notes_on_texts, reasons_to_make
from viputils.report.notebook import Kernel, kernel_ahead
from viputils.report.render import Engine, choose_engine
from viputils.report.seal import Present, Sealed, sealed
from viputils.report.zygote import SAFE_PATH, can_fork, own_zygote, seed_of

EngineName = Literal["quarto", "embedded"]
PapermillEngine = Literal["vip", "stock"]

FORCED = "it was asked for"
# For so many seconds a process that is told to stop may tidy up.
_TIDYING: Final = 5.0


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
    """With what issues are made.

    Attributes
    ----------
    engine
        That of the pages.
    forks
        Whether kernels are forked.
    """

    engine: EngineName
    forks: bool


@dataclass(frozen=True)
class Outcome:
    """What came of an order: made in so many seconds, or the error that kept it from being made.

    Attributes
    ----------
    notes
        What people should know of the texts in it.
    """

    order: Order
    seconds: float
    error: VipError | None = None
    notes: tuple[str, ...] = ()


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
        If the range runs backwards or holds no month of which there could be data.
    DeliveryError
        If there is no delivery at all.
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
    touched = [(one.received, checksum_problems(one.folder, one.name)) for one in deliveries]
    lacking: dict[ReportMonth, str] = {}
    orders, present = [], Present.of(project)
    days = OwnDays(project, deliveries, many=True)
    for month in wanted:
        try:
            as_of = issue_day(project, deliveries, month, days=days)
            if problems := [problem for day, found in touched if day <= as_of for problem in found]:
                raise DeliveryError("Delivered files are invalid. Nothing was made.", problems)
        except DeliveryError as error:
            lacking[month] = str(error)
        else:
            place = project.issue_place(str(month))
            why = reasons_to_make(project, month, as_of, engine, place, present, allow_quarantined)
            reasons = (FORCED, *why) if forced else tuple(why)
            orders.append(Order(month, as_of, project.language.code, place, reasons, allow_quarantined))
    return orders, lacking


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
        How many processes make them; by default one for each core, where each has two issues to make: to start one
        costs as much as to make an issue. A single issue is made here, and so is everything with one process.
    papermill_engine
        ``vip`` forks kernels where that can be done, ``stock`` starts each.

    Yields
    ------
    Outcome
        One for each order, as they are ready.
    """
    jobs = min(jobs or min(cores(), -(-len(orders) // 2)), len(orders))
    if not orders:
        return
    shop = shop_of(engine, papermill_engine == "vip" and len(orders) > 1)
    with sealed(project) as seal:
        if jobs > 1:
            yield from _by_several(seal, orders, shop, jobs)
        else:
            yield from _one_by_one(seal, orders, engine, shop)


def shop_of(engine: Engine, forks: bool) -> Shop:
    """Say with what issues are made here; kernels are forked where that can be done."""
    name: EngineName = "quarto" if engine.name == "quarto" else "embedded"
    return Shop(name, forks and can_fork())


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one_by_one(seal: Sealed, orders: Sequence[Order], engine: Engine, shop: Shop) -> Iterator[Outcome]:
    """Make issues one after the other; the kernel of the next gets ready while one is made."""

    def begun(order: Order) -> Kernel | None:
        # What keeps it from being begun is said when its turn comes.
        with suppress(OSError, VipError):
            return ahead.enter_context(_kernel_of(seal, order, shop))
        return None

    with ExitStack() as ahead:
        ready = begun(orders[0])
        for number, order in enumerate(orders, start=1):
            kernel, ready = ready, None
            # Of the kernels that were begun ahead, this one ends with its issue.
            with ahead.pop_all():
                if number < len(orders):
                    ready = begun(orders[number])
                outcome = outcome_of(seal, order, engine, shop, kernel)
            yield outcome


@contextmanager
def _kernel_of(seal: Sealed, order: Order, shop: Shop) -> Iterator[Kernel]:
    """Yield a kernel for an order. Where none can be forked it is started, which only takes longer."""
    with ExitStack() as stack:
        kernel: Kernel | None = None
        if shop.forks:
            with suppress(OSError):
                kernel = stack.enter_context(
                    kernel_ahead(seal.project.root, seal.project.raw, own_zygote(), _seed(order))
                )
        yield kernel or stack.enter_context(kernel_ahead(seal.project.root, seal.project.raw))


def _seed(order: Order) -> int:
    """Return the seed of an issue's random numbers: they never depend on what was made before it."""
    return seed_of({"month": str(order.month)})


def outcome_of(seal: Sealed, order: Order, engine: Engine, shop: Shop, kernel: Kernel | None = None) -> Outcome:
    """Make an issue, or say what kept it from being made.

    Parameters
    ----------
    kernel
        One that was started ahead. By default one is started or forked, as the shop does.
    """
    begin = time.perf_counter()
    error: VipError | None = None
    notes: list[str] = []

    def note(project: Project, _edition: Edition) -> None:
        # What cannot be shown of the texts is said here, with each line, and not by the notebook.
        notes.extend(notes_on_texts(project, order.month))

    try:
        with nullcontext(kernel) if kernel else _kernel_of(seal, order, shop) as own:
            make_issue(
                seal.in_language(order.language),
                order.month,
                order.as_of,
                engine,
                place=order.place,
                allow_quarantined=order.left_out_rows,
                kernel=own,
                on_edition=note,
            )
    except VipError as found:
        error = found
    except OSError as found:
        error = _unreadable(order, found)
    except Exception as found:
        error = unexpected(order, found)
    return Outcome(order, time.perf_counter() - begin, error, tuple(notes) if error is None else ())


def unexpected(order: Order, found: Exception) -> NotebookError:
    """Return the error of an issue that met an error that no reader of it can mend."""
    where = traceback.extract_tb(found.__traceback__)[-1]
    what = f"{type(found).__name__}: {found} ({Path(where.filename).name}, line {where.lineno});"
    return NotebookError(
        "Something unexpected happened. Nothing was made.",
        [Problem(f"issues/{order.place}", what, "this is a fault of viputils.")],
    )


def _unreadable(order: Order, found: OSError) -> NotebookError:
    """Return the error for a file of an issue, or of what it is made from, that could not be read or written."""
    return NotebookError("A file could not be read or written.", [Problem(f"issues/{order.place}", str(found))])


def _by_several(seal: Sealed, orders: Sequence[Order], shop: Shop, jobs: int) -> Iterator[Outcome]:
    """Let processes make issues; where one of them dies, those that it may have been at are made each by its own."""
    waiting = list(orders)
    while waiting:
        with _processes(min(jobs, len(waiting))) as pool:
            for outcome in _ended(_handed_to(pool, seal, waiting, shop)):
                waiting.remove(outcome.order)
                yield outcome
        # A pool hands out as many as it has processes, as many again and one more, in order.
        handed_out, waiting = waiting[: 2 * jobs + 1], waiting[2 * jobs + 1 :]
        for begin in range(0, len(handed_out), jobs):
            yield from _each_by_its_own(seal, handed_out[begin : begin + jobs], shop)


def _each_by_its_own(seal: Sealed, orders: Sequence[Order], shop: Shop) -> Iterator[Outcome]:
    """Let as many processes make one issue each, so that the one that kills its process is known."""
    left = list(orders)
    with ExitStack() as pools:
        every = [pools.enter_context(_processes(1)) for _ in orders]
        futures = [_handed_to(pool, seal, [order], shop) for pool, order in zip(every, orders, strict=True)]
        for outcome in _ended([future for of_one in futures for future in of_one]):
            left.remove(outcome.order)
            yield outcome
    for order in left:
        what = "the process that made it died;"
        died = Problem(f"issues/{order.place}", what, "the memory may not have sufficed.")
        yield Outcome(order, 0, NotebookError("The issue could not be made.", [died]))


def _handed_to(pool: Executor, seal: Sealed, orders: Sequence[Order], shop: Shop) -> list[Future[Outcome]]:
    """Hand orders to a pool, which starts its processes."""
    futures: list[Future[Outcome]] = []
    with _undisturbed(), _nothing_from_this_folder(), suppress(BrokenProcessPool):
        # Where one dies meanwhile, those before stay in the list.
        futures.extend(pool.submit(_made, seal.project.root, seal.home, order, shop) for order in orders)
    return futures


def _ended(futures: Sequence[Future[Outcome]]) -> Iterator[Outcome]:
    """Yield what came of orders as they are ready; nothing for those whose process died."""
    for future in as_completed(futures):
        try:
            yield future.result()
        except BrokenProcessPool:
            continue


def _made(root: Path, home: Path, order: Order, shop: Shop) -> Outcome:
    """Make an issue in a process of its own, from the same sealed inputs."""
    try:
        return outcome_of(_own_seal(root, home), order, choose_engine(shop.engine), shop)
    except VipError as error:
        return Outcome(order, 0, error)
    except OSError as found:
        return Outcome(order, 0, _unreadable(order, found))
    except SystemExit:
        # It was told to stop, and has tidied up. The pool would take that for what came of the order, and go on with
        # the next one.
        os._exit(1)


@lru_cache(maxsize=1)
def _own_seal(root: Path, home: Path) -> Sealed:
    """Return the sealed inputs as this process has opened them: what it read and hashed serves all of its issues."""
    return Sealed.open(root, home)


@contextmanager
def _processes(number: int) -> Iterator[Executor]:
    """Yield a pool of fresh processes, of which none is left when the block ends, however it does."""
    context = multiprocessing.get_context("spawn")
    given = (os.environ.get(SAFE_PATH),)
    with _nothing_from_this_folder():
        _begin_quiet_tracker()
        pool = ProcessPoolExecutor(number, mp_context=context, initializer=_begin, initargs=given)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        with _undisturbed():
            children = multiprocessing.active_children()
            for child in children:
                child.terminate()
            for child in children:
                child.join(10)
                child.kill()
            # What it has of the system it gives back once its thread has ended and nothing holds its queues any more.
            pool.shutdown(cancel_futures=True)
            gc.collect()
        raise


def _begin_quiet_tracker() -> None:
    """Start the process that clears away what pools have of the system, and is to say nothing of it.

    It has something to do where this process is killed, or told to stop twice; what it says of that is for nobody.
    """
    with _undisturbed(), open(os.devnull, "w") as nothing:  # noqa: PTH123 - its number is what counts
        was = os.dup(2)
        os.dup2(nothing.fileno(), 2)
        try:
            resource_tracker.ensure_running()
        finally:
            os.dup2(was, 2)
            os.close(was)


@contextmanager
def _nothing_from_this_folder() -> Iterator[None]:
    """Let processes that are started now import nothing from the folder that somebody happens to be in."""
    was = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        del os.environ[SAFE_PATH]
        os.environ.update({} if was is None else {SAFE_PATH: was})


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back for a moment; it is heard at the end.

    A process that is just being started would meet it before it knows what to do, and so hears of it later, too.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        # Python lets no other thread hear of it.
        yield
        return
    came: list[int] = []
    # What this thread does not hear can reach a thread of some library, and Python would tell this one all the same.
    handler = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def _begin(safe_path: str | None) -> None:
    """Let a process end with the one that it works for: it tidies up where it is told to, and never stays behind.

    Parameters
    ----------
    safe_path
        What the environment says of ``PYTHONSAFEPATH``, for the kernels that it starts.
    """
    os.environ.pop(SAFE_PATH, None)
    os.environ.update({} if safe_path is None else {SAFE_PATH: safe_path})

    def stop(_signum: int, _frame: object) -> None:
        # To be told once is enough: a second time would break into the tidying up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # A library can take the end that is raised here for an error of its own, and go on.
        at_last = threading.Timer(_TIDYING, os._exit, (1,))
        at_last.daemon = True
        at_last.start()
        # What breaks now breaks because of this, and what libraries and Python would say of it is for nobody.
        logging.disable()
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        raise SystemExit(1)

    # Ctrl-C goes to all of them; the one that people see says what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            multiprocessing.connection.wait([parent.sentinel])
            os.kill(os.getpid(), signal.SIGTERM)
            # The handler waits for what runs in C.
            time.sleep(_TIDYING)
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def first_reason(order: Order) -> str:
    """Return the first reason why an issue is made, and how many more there are."""
    more = f", and {len(order.why) - 1} more" if len(order.why) > 1 else ""
    return f"{order.why[0].rstrip('.')}{more}"
