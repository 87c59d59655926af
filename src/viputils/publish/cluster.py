"""Issues that the workers of a Dask cluster make: the same work as by processes here, and the same bytes.

What issues are made from travels to the workers, but for the deliveries: each worker reads them from the same shared
folder or address. What comes back is taken only where it was made from what would be taken here, and put into its
folder whole. Workers run our code with our records, so they are trusted as this machine is.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import multiprocessing
import re
import shutil
import tarfile
import tempfile
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from viputils.audit.library import library_checksum
from viputils.audit.manifest import MANIFEST, GitCommit, changed_since, read_manifest, touched_since
from viputils.config.project import Project
from viputils.core.errors import ClusterError, Problem, VipError
from viputils.core.files import private_folder, replaced_whole
from viputils.core.git import commit_of
from viputils.core.urls import shown_address
from viputils.publish.backfill import Order, Outcome, outcome_of, unexpected
from viputils.report.issue import asked_otherwise, keep_what_is_not_ours, notes_on_texts
from viputils.report.notebook import PapermillEngine
from viputils.report.render import Engine, choose_engine
from viputils.report.seal import copy_project, issue_inputs, root_in, sealed

if TYPE_CHECKING:
    from distributed import Client, Future

# In seconds: how long a worker may be away, how long a scheduler may take to answer, how often we look, and how long an
# issue may take that has to be made once more while we ask for it.
PATIENCE: Final = 30
_ANSWER: Final = 10
_LOOK: Final = 5
_AGAIN: Final = 300
# A name without a scheme is one of TCP.
_ADDRESS: Final = re.compile(r"(?:(?:tcp|tls|ucx|wss?)://)?(?:[^\s/:\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}/?")
# A worker runs for days, and goes on with the code that it has read.
_AS_READ: Final = library_checksum()
# The threads of one worker are one process, in which one issue is made at a time.
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True)
class Made:
    """What a worker made: the files of an issue by their names in its folder, or the error that kept it from that."""

    outcome: Outcome
    files: dict[str, bytes] = field(default_factory=dict)


def carry_out_on(
    scheduler: str,
    project: Project,
    orders: Sequence[Order],
    engine: Engine,
    papermill_engine: PapermillEngine = "vip",
    patience: float = PATIENCE,
) -> Generator[Outcome]:
    """Let the workers of a Dask cluster make issues; one failure does not stop the others.

    Parameters
    ----------
    scheduler
        The address of the cluster's scheduler, ``tcp://127.0.0.1:8786``.
    papermill_engine
        What runs the notebooks there, as ``run_notebook`` takes it.
    patience
        For how many seconds a worker, or the scheduler, is waited for when there is none.

    Yields
    ------
    Outcome
        One for each order, as they are ready.

    Raises
    ------
    ClusterError
        If Dask is not installed, the scheduler does not answer, or it has no worker.
    """
    if not orders:
        return
    packed = _packed(project)
    with_what = (project.source.anywhere, engine.name, papermill_engine, _AS_READ)
    with _client(scheduler, patience) as client:
        # A task like the others: where the worker that holds it is lost, the scheduler gives it to another one.
        sent = client.submit(_itself, packed, pure=False)
        waiting = {client.submit(_made_there, sent, order, *with_what, pure=False): order for order in orders}
        try:
            for future, lost in _as_they_are_ready(client, list(waiting), patience):
                order = waiting.pop(future)
                made = _not_made(order, lost) if lost else _made_by(future, order)
                yield taken(project, order, made, engine)
        finally:
            with suppress(Exception):
                client.cancel(list(waiting), force=True)


def _packed(project: Project) -> bytes:
    """Return a project without its deliveries as a tar archive: the same bytes for the same files."""
    content = io.BytesIO()
    with private_folder("cluster") as folder:
        copy_project(project, root_in(folder / "project", project.program.identity.shares))
        with tarfile.open(fileobj=content, mode="w") as archive:
            archive.add(folder / "project", arcname=".", filter=_without_time_and_owner)
    return content.getvalue()


def _without_time_and_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    return entry.replace(mtime=0, uid=0, gid=0, uname="", gname="", deep=False)


def _itself(project: bytes) -> bytes:
    return project


def _made_there(
    packed: bytes,
    order: Order,
    deliveries: str,
    engine: Literal["quarto", "embedded"],
    papermill_engine: PapermillEngine,
    library: str,
) -> Made:
    """Make an issue on a worker, in a folder that goes with the worker."""
    from distributed import get_worker

    worker = get_worker()
    # Dask starts its workers as daemons, which may have no processes of their own; these end with theirs by themselves.
    multiprocessing.current_process().daemon = False
    with _ONE_AT_A_TIME:
        try:
            if library != _AS_READ:
                remedy = "install the same there, and start it again."
                problem = Problem("viputils", "the worker has read other code;", remedy)
                raise ClusterError("The worker would make another issue.", [problem])
            # What was brought from an address stays for the next issue that this worker makes.
            project = Project.open(_unpacked(packed, Path(worker.local_directory)), order.language, deliveries)
            with sealed(project) as seal:
                outcome = outcome_of(seal, order, choose_engine(engine), papermill_engine)
        except VipError as error:
            outcome = Outcome(order, 0, error)
        if outcome.error is not None:
            # It speaks of what lies there, not here.
            where = [replace(one, where=f"{worker.address}, {one.where}") for one in outcome.error.problems]
            return Made(replace(outcome, error=ClusterError(outcome.error.summary, where)))
        folder = project.issues / order.place
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        made = Made(outcome, {path.relative_to(folder).as_posix(): path.read_bytes() for path in found})
        shutil.rmtree(folder)
        return made


def _unpacked(packed: bytes, folder: Path) -> Path:
    """Return the folder in which a worker has unpacked a project."""
    place = folder / f"vip-{hashlib.sha256(packed).hexdigest()[:16]}"
    if not place.is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                archive.extractall(Path(scratch) / "project", filter="data")
            (Path(scratch) / "project").rename(place)
    return next(path.parent for path in place.rglob("program.toml"))


def _as_they_are_ready(
    client: Client, futures: list[Future[Made]], patience: float
) -> Iterator[tuple[Future[Made], str]]:
    """Yield each task when it has ended, or with what keeps it from ever ending."""
    from distributed import CancelledError, wait

    seen = time.monotonic()
    left = futures
    while left:
        with suppress(TimeoutError, CancelledError):
            wait(left, timeout=min(_LOOK, patience), return_when="FIRST_COMPLETED")
        ended = [future for future in left if future.status != "pending"]
        yield from ((future, "") for future in ended)
        left = [future for future in left if future not in ended]
        lost = _what_is_lost(client)
        if not lost:
            seen = time.monotonic()
        elif time.monotonic() - seen > patience:
            yield from ((future, lost) for future in left)
            return


def _what_is_lost(client: Client) -> str:
    try:
        workers = client.scheduler_info()["workers"] if client.status == "running" else None
    except (OSError, TimeoutError):
        workers = None
    if workers is None:
        return "the scheduler has gone;"
    return "" if workers else "no worker is left;"


def _made_by(future: Future[Made], order: Order) -> Made:
    """Return what came of a task that has ended."""
    from distributed import KilledWorker

    if future.status in ("lost", "cancelled"):
        return _not_made(order, "the scheduler has gone, or somebody cancelled it;")
    try:
        # Where the worker that holds it is lost just now, it is made once more.
        return future.result(timeout=_AGAIN)
    except KilledWorker:
        return _not_made(order, "every worker that worked on it died;", "they may have run out of memory.")
    except Exception as error:
        return _not_made(
            order, f"{type(error).__name__}: {' '.join(str(error).split())};", "look at that worker's log."
        )


def _not_made(order: Order, what: str, remedy: str = "begin again; what is made already stays.") -> Made:
    problem = Problem(f"issues/{order.place}", what, remedy)
    return Made(Outcome(order, 0, ClusterError("The cluster did not make the issue.", [problem])))


def taken(project: Project, order: Order, made: Made, engine: Engine) -> Outcome:
    """Put into its folder what a worker made, where it is what was ordered and would be made here."""
    if made.outcome.error is not None:
        return replace(made.outcome, order=order)
    spoken = project.in_language(order.language)
    name = f"issues/{order.place}"
    try:
        # The worker has not all that they are about, such as what was allowed by name.
        notes = tuple(notes_on_texts(spoken, order.month))
        with replaced_whole((project.issues / order.place).parent, Path(order.place).name) as folder:
            (folder / MANIFEST).write_bytes(made.files.get(MANIFEST, b""))
            # Nothing but what it names is written, and it names no path outside the folder.
            manifest = read_manifest(folder / MANIFEST, f"{name}/{MANIFEST}")
            for file in manifest.outputs.keys() & made.files.keys():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(made.files[file])
            problems = [
                Problem(name, f"was made from something else: {change}.")
                for change in changed_since(
                    manifest, issue_inputs(spoken, order.month, order.as_of), (engine.name, engine.version())
                )
            ]
            asked = asked_otherwise(manifest, spoken, order.month, order.as_of, order.left_out_rows)
            problems += [Problem(name, f"is another issue than was asked for: it {what}.") for what in asked]
            problems += touched_since(manifest, folder, name)
            if problems:
                raise ClusterError(
                    "What the worker made is not what would be made here. Nothing was written.", problems
                )
            commit = commit_of(project.root)
            git = GitCommit(commit=commit.id, clean=commit.clean) if commit else None
            text = manifest.model_copy(update={"git": git}).text()
            (folder / MANIFEST).write_text(text, encoding="utf-8", newline="")
            keep_what_is_not_ours(project.issues / order.place, folder)
    except VipError as error:
        return Outcome(order, made.outcome.seconds, error)
    except OSError as error:
        problem = Problem(name, str(error))
        return Outcome(order, made.outcome.seconds, ClusterError("A file could not be read or written.", [problem]))
    except Exception as error:
        return Outcome(order, made.outcome.seconds, unexpected(order, error))
    return Outcome(order, made.outcome.seconds, notes=notes)


async def _greeted(scheduler: str) -> None:
    """Go as far as the greeting of a scheduler."""
    from distributed.comm.core import connect
    from distributed.security import Security

    comm = await connect(scheduler, timeout=_ANSWER, **Security().get_connection_args("client"))
    comm.abort()


@contextmanager
def _client(scheduler: str, patience: float) -> Iterator[Client]:
    """Yield a connection to a cluster that has workers."""
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError(
            "Dask is not installed.",
            [Problem("--executor dask", "needs the package distributed;", "run make cluster.")],
        ) from None
    if not _ADDRESS.fullmatch(scheduler):
        problem = Problem(
            shown_address(scheduler), "is no address of a scheduler;", "one looks like tcp://127.0.0.1:8786."
        )
        raise ClusterError("The cluster cannot be reached.", [problem])
    # What is wrong is said here in plain words.
    levels = {log: log.level for log in _logs_of_dask()}
    for log in levels:
        log.setLevel(logging.CRITICAL)
    try:
        try:
            # A client would wait for ever where somebody listens and never answers.
            # In a thread of its own, for a notebook has an event loop that runs already.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, asyncio.wait_for(_greeted(scheduler), min(_ANSWER, patience))).result()
            with warnings.catch_warnings():
                # Of other versions of packages the manifest tells, and what was made with them is not taken.
                warnings.simplefilter("ignore")
                client = Client(scheduler, timeout=min(_ANSWER, patience), name="vip-backfill", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                "The cluster cannot be reached.",
                [
                    Problem(
                        scheduler,
                        f"does not answer ({' '.join(str(error).split()) or 'nothing came'});",
                        "name a Dask scheduler that runs, as in tcp://127.0.0.1:8786.",
                    )
                ],
            ) from None
        try:
            try:
                client.wait_for_workers(1, timeout=patience)
            except TimeoutError:
                problem = Problem(scheduler, "has no worker;", f"start one: dask worker {scheduler}")
                raise ClusterError("The cluster has no worker that can make issues.", [problem]) from None
            with client.as_current():
                yield client
        finally:
            client.close(timeout=_ANSWER)
    finally:
        for log, level in levels.items():
            log.setLevel(level)


def _logs_of_dask() -> list[logging.Logger]:
    """Return every log that Dask writes; some have a level of their own."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    return [logging.getLogger(name) for name in ("distributed", *names)]
