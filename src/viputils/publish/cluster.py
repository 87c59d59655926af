"""Make issues on the workers of a Dask cluster. They do the same work as local processes, and make the same bytes.

We send the workers everything that issues are made from, except the deliveries: each worker reads them from the same
shared folder or address. We accept an issue only if it was made from the same inputs as here, and put it into its
folder as a whole. Workers run our code on our records, so we trust them like this machine.
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
from viputils.core.extras import not_installed
from viputils.core.files import private_folder, replaced_whole
from viputils.core.git import commit_of
from viputils.core.urls import shown_address
from viputils.publish.backfill import Order, Outcome, outcome_of, unexpected
from viputils.report.elsewhere import NAME as ELSEWHERE
from viputils.report.issue import asked_otherwise, keep_what_is_not_ours, notes_on_texts
from viputils.report.notebook import PapermillEngine
from viputils.report.privacy.screening import ALLOWED_SUFFIX
from viputils.report.render import Engine, choose_engine
from viputils.report.seal import copy_project, issue_inputs, root_in, sealed

if TYPE_CHECKING:
    from distributed import Client, Future

# In seconds: how long to wait for a worker, how long to wait for an answer of the scheduler, how often to look, and how
# long to wait for an issue that has to be made again when we ask for it.
PATIENCE: Final = 30
_ANSWER: Final = 10
_LOOK: Final = 5
_AGAIN: Final = 300
# A name without a scheme means TCP.
_ADDRESS: Final = re.compile(r"(?:(?:tcp|tls|ucx|wss?)://)?(?:[^\s/:\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}/?")
# A worker runs for days, and keeps the code that it read at its start.
_AS_READ: Final = library_checksum()
# The threads of a worker share one process. It makes one issue at a time.
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True)
class Made:
    """The result of a worker: the files of an issue by their names in its folder, or the error."""

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
        The Papermill engine on the workers, as in ``run_notebook``.
    patience
        How many seconds to wait for a worker or for the scheduler.

    Yields
    ------
    Outcome
        One for each order, in the order in which they are ready.

    Raises
    ------
    ClusterError
        If Dask is not installed, the scheduler does not answer, or it has no worker.
    """
    if not orders:
        return
    project_archive = packed(project)
    with_what = (project.source.anywhere, engine.name, papermill_engine, _AS_READ)
    with _client(scheduler, patience) as client:
        # The archive is a task too: if its worker is lost, the scheduler gives it to another worker.
        sent = client.submit(_itself, project_archive, pure=False)
        waiting = {client.submit(_made_there, sent, order, *with_what, pure=False): order for order in orders}
        try:
            for future, lost in _as_they_are_ready(client, list(waiting), patience):
                order = waiting.pop(future)
                made = _not_made(order, lost) if lost else _made_by(future, order)
                yield taken(project, order, made, engine)
        finally:
            with suppress(Exception):
                client.cancel(list(waiting), force=True)


def packed(project: Project) -> bytes:
    """Return what workers need of a project, without its deliveries, as a tar archive.

    The same files give the same bytes. Lists of allowed private details and numbers reported elsewhere stay here,
    because workers do not need them.
    """
    content = io.BytesIO()
    with private_folder("cluster") as folder:
        copy_project(project, root_in(folder / "project", project.program.identity.shares))
        with tarfile.open(fileobj=content, mode="w") as archive:
            archive.add(folder / "project", arcname=".", filter=_for_workers)
    return content.getvalue()


def _for_workers(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Return an entry without its time and owner, which only the worker itself can read; None if it stays here."""
    if entry.name.endswith((ALLOWED_SUFFIX, f"/{ELSEWHERE}")):
        return None
    mode = 0o700 if entry.isdir() else 0o600
    return entry.replace(mtime=0, mode=mode, uid=0, gid=0, uname="", gname="", deep=False)


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
    """Make an issue on a worker, in a folder that is removed with the worker."""
    from distributed import get_worker

    worker = get_worker()
    # Dask starts its workers as daemons, which cannot start processes. Ours end by themselves when the worker ends.
    multiprocessing.current_process().daemon = False
    with _ONE_AT_A_TIME:
        try:
            if library != _AS_READ:
                remedy = "install the same version there, and start the worker again."
                problem = Problem("viputils", "the worker runs other code;", remedy)
                raise ClusterError("The worker would make another issue.", [problem])
            # Downloaded deliveries stay for the next issue that this worker makes.
            project = Project.open(_unpacked(packed, Path(worker.local_directory)), order.language, deliveries)
            with sealed(project) as seal:
                outcome = outcome_of(seal, order, choose_engine(engine), papermill_engine)
        except VipError as error:
            outcome = Outcome(order, 0, error)
        if outcome.error is not None:
            # The places in the error are on the worker.
            where = [replace(one, where=f"{worker.address}, {one.where}") for one in outcome.error.problems]
            return Made(replace(outcome, error=ClusterError(outcome.error.summary, where)))
        folder = project.issues / order.place
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        made = Made(outcome, {path.relative_to(folder).as_posix(): path.read_bytes() for path in found})
        shutil.rmtree(folder)
        return made


def _unpacked(packed: bytes, folder: Path) -> Path:
    """Unpack a project on a worker, if it was not unpacked before, and return its folder."""
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
    """Yield each task when it has ended. If it can no longer end, yield it with the reason."""
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
        return "the scheduler is gone;"
    return "" if workers else "no worker is left;"


def _made_by(future: Future[Made], order: Order) -> Made:
    """Return the result of a task that has ended."""
    from distributed import KilledWorker

    if future.status in ("lost", "cancelled"):
        return _not_made(order, "the scheduler is gone, or the task was canceled;")
    try:
        # If its worker is lost now, the issue is made again.
        return future.result(timeout=_AGAIN)
    except KilledWorker:
        return _not_made(order, "every worker that worked on it died;", "they may have run out of memory.")
    except Exception as error:
        return _not_made(
            order, f"{type(error).__name__}: {' '.join(str(error).split())};", "look at the log of that worker."
        )


def _not_made(order: Order, what: str, remedy: str = "run the command again; finished issues are kept.") -> Made:
    problem = Problem(f"issues/{order.place}", what, remedy)
    return Made(Outcome(order, 0, ClusterError("The cluster did not make the issue.", [problem])))


def taken(project: Project, order: Order, made: Made, engine: Engine) -> Outcome:
    """Put an issue that a worker made into its folder, if it is the one that we ordered and would make here."""
    if made.outcome.error is not None:
        return replace(made.outcome, order=order)
    spoken = project.in_language(order.language)
    name = f"issues/{order.place}"
    try:
        # The worker does not have the lists of allowed private details.
        notes = tuple(notes_on_texts(spoken, order.period))
        with replaced_whole((project.issues / order.place).parent, Path(order.place).name) as folder:
            (folder / MANIFEST).write_bytes(made.files.get(MANIFEST, b""))
            # Write only files that the manifest names. It cannot name a path outside the folder.
            manifest = read_manifest(folder / MANIFEST, f"{name}/{MANIFEST}")
            for file in manifest.outputs.keys() & made.files.keys():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(made.files[file])
            problems = [
                Problem(name, f"was made from something else: {change}.")
                for change in changed_since(
                    manifest, issue_inputs(spoken, order.period, order.as_of), (engine.name, engine.version())
                )
            ]
            asked = asked_otherwise(manifest, spoken, order.period, order.as_of, order.left_out_rows)
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
    """Connect to a scheduler until it answers, and disconnect."""
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
        problem = not_installed("--executor dask", "distributed", "cluster")
        raise ClusterError("Dask is not installed.", [problem]) from None
    if not _ADDRESS.fullmatch(scheduler):
        problem = Problem(
            shown_address(scheduler), "is not the address of a scheduler;", "write it as in tcp://127.0.0.1:8786."
        )
        raise ClusterError("The cluster cannot be reached.", [problem])
    # Our own messages say what is wrong.
    levels = {log: log.level for log in _logs_of_dask()}
    for log in levels:
        log.setLevel(logging.CRITICAL)
    try:
        try:
            # A client would wait forever for a server that never answers.
            # It runs in its own thread, because a notebook already runs an event loop.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, asyncio.wait_for(_greeted(scheduler), min(_ANSWER, patience))).result()
            with warnings.catch_warnings():
                # The manifest lists the versions of packages. An issue from other versions is not accepted.
                warnings.simplefilter("ignore")
                client = Client(scheduler, timeout=min(_ANSWER, patience), name="vip-backfill", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                "The cluster cannot be reached.",
                [
                    Problem(
                        scheduler,
                        f"does not answer ({' '.join(str(error).split()) or 'nothing came'});",
                        "give the address of a running Dask scheduler, as in tcp://127.0.0.1:8786.",
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
    """Return every log of Dask. Some have their own level."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    return [logging.getLogger(name) for name in ("distributed", *names)]
