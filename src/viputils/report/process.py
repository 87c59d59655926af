"""A process of its own for one piece of work: whatever the work does to its process, nobody else meets it.

The process can be ended at any moment and leaves nothing behind: its temporary files lie in a folder of the process
that waits for it, and it ends when that one does. On Linux it is forked from a process that has imported what the work
needs (``preload``); elsewhere it is started.
"""

from __future__ import annotations

import io
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, Final

from viputils.core.errors import VipError
from viputils.core.files import hold, private_folder

# Keeps Python from importing from the folder that somebody happens to be in.
_SAFE_PATH: Final = "PYTHONSAFEPATH"
# A path of a socket has at most so many bytes; the name in the folder takes less than the rest.
_LONGEST_FOLDER: Final = 80
# Held while the environment is not that of the user.
_STARTING: Final = threading.Lock()

# How often a process is started that could not be, and the seconds between.
_TRIES: Final = 5
_MOMENT: Final = 0.2
# The attribute of an error that tells where it was raised.
PLACE: Final = "raised_at"
# Those that work for this process.
_OURS: Final[set[Any]] = set()

Tell = Callable[[str, Any], None]


class ProcessDiedError(Exception):
    """A process ended before its work was done.

    Attributes
    ----------
    how
        How it ended, in words.
    said
        The last line that it wrote.
    """

    def __init__(self, how: str, said: str) -> None:
        super().__init__(f"{how} {said}".strip())
        self.how = how
        self.said = said

    def __reduce__(self) -> tuple[type[ProcessDiedError], tuple[str, str]]:
        return type(self), (self.how, self.said)


def in_own_process(work: Callable[..., Any], *arguments: Any, hear: Mapping[str, Callable[[Any], None]]) -> Any:
    """Return what ``work(*arguments, tell)`` returns in a process of its own, and raise what it raises.

    Whatever ends this call, Ctrl-C included, the process and everything that it started have ended, too.

    Parameters
    ----------
    hear
        Called here, by name, with what the work tells by ``tell(name, value)``.

    Raises
    ------
    ProcessDiedError
        If the process ended before the work did.
    """
    start_ahead()
    with private_folder("work") as scratch:
        ours, theirs = _context().Pipe(duplex=False)
        with _STARTING:
            environment = dict(os.environ)
        # Taken apart only where what is wrong with it can be told.
        what = pickle.dumps((work, arguments))
        given = (theirs, scratch, Path.cwd(), environment, what)
        process = _context().Process(target=_serve, args=given)
        _OURS.add(process)
        try:
            with theirs:
                _start(process)
            return _answer(ours, process, hear)
        except _NothingMore:
            process.join()
            raise ProcessDiedError(_how(process.exitcode), _last_line(scratch / "said")) from None
        finally:
            _end(process)
            _OURS.discard(process)
            ours.close()


def _start(process: Any) -> None:
    """Start a process; once more if what it is forked from died just now, which is seen a moment later."""
    for _ in range(_TRIES):
        try:
            with _STARTING, _safe_path(), _undisturbed():
                process.start()
        except (EOFError, ConnectionError) as error:
            reason = str(error)
            time.sleep(_MOMENT)
        else:
            return
    raise ProcessDiedError("it could not be started;", reason)


def start_ahead() -> None:
    """Start the process that others are forked from, which takes a moment, if it does not run yet."""
    if _context().get_start_method() == "forkserver":
        with _STARTING, _safe_path():
            # It lets Ctrl-C through once it has started, so it is first.
            resource_tracker.ensure_running()
            with _undisturbed():
                forkserver.ensure_running()


def end_all() -> None:
    """End every process that works for this one."""
    for process in list(_OURS):
        _end(process)


@cache
def _context() -> Any:
    """Return the way in which processes are started."""
    folder = Path(util.get_temp_dir())
    if sys.platform != "linux" or len(os.fsencode(folder)) > _LONGEST_FOLDER:
        return multiprocessing.get_context("spawn")
    # The socket of that process is in this folder. If this process is killed, a later one removes it.
    hold(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["viputils.report.preload"])
    return context


def _answer(connection: Any, process: Any, hear: Mapping[str, Callable[[Any], None]]) -> Any:
    while True:
        kind, value = _next(connection, process)
        if kind == "returned":
            return value
        if kind == "raised":
            raise value
        if kind == "stderr":
            sys.stderr.write(value)
        else:
            hear[kind](value)


def _next(connection: Any, process: Any) -> tuple[str, Any]:
    """Return the next message of a process. What it started may hold the connection open after its end."""
    if connection not in multiprocessing.connection.wait([connection, process.sentinel]) and not connection.poll():
        raise _NothingMore
    try:
        message: tuple[str, Any] = connection.recv()
    except (EOFError, OSError):
        raise _NothingMore from None
    return message


class _NothingMore(Exception):  # noqa: N818 - it is no error
    """A process has ended and told everything that it will ever tell."""


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        names = {int(one): one.name for one in signal.Signals}
        return f"it was ended by {names.get(-code, f'signal {-code}')};"
    return f"it ended with exit code {code};"


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.is_file() else []
    return lines[-1] if lines else ""


def _end(process: Any) -> None:
    """End a process and what it started."""
    if process.pid is None:
        return
    if hasattr(os, "killpg"):
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    process.join()


def _serve(
    connection: Any,
    scratch: Path,
    folder: Path,
    environment: Mapping[str, str],
    what: bytes,
) -> None:
    """Do a piece of work in this process, and tell the one that waits for it what comes of it."""
    # What is written while a message is made is a message, too.
    lock = threading.RLock()

    def tell(name: str, value: Any) -> None:
        message = ForkingPickler.dumps((name, value))
        with lock, suppress(BrokenPipeError):
            connection.send_bytes(message)

    try:
        _stand_alone(scratch, folder, environment, tell)
        work, arguments = pickle.loads(what)  # noqa: S301 - written by the process that waits for it
        answer = ("returned", work(*arguments, tell))
        pickle.dumps(answer)
    except BaseException as error:
        answer = ("raised", _that_travels(error))
    tell(*answer)


def _that_travels(error: BaseException) -> Exception:
    """Return an error as it can be raised in another process, where it says the same."""
    trace = traceback.extract_tb(error.__traceback__)
    travels: Exception
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        if not isinstance(error, Exception):
            raise TypeError
        travels = error
    except Exception:
        if isinstance(error, VipError):
            travels = VipError(error.summary, error.problems)
        else:
            travels = RuntimeError(f"{type(error).__name__}: {error}")
    travels.add_note("".join(traceback.format_list(trace)))
    travels.__dict__[PLACE] = f"{Path(trace[-1].filename).name}, line {trace[-1].lineno}" if trace else ""
    return travels


def _stand_alone(scratch: Path, folder: Path, environment: Mapping[str, str], tell: Tell) -> None:
    """Give this process a group, an environment, a folder and streams of its own."""
    if hasattr(os, "setsid"):
        os.setsid()
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    said = os.open(scratch / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(said, number)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - for good
    sys.stderr = _Told(tell)
    os.environ.clear()
    os.environ.update(environment)
    temporary = scratch / "tmp"
    temporary.mkdir()
    tempfile.tempdir = str(temporary)
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))
    os.chdir(folder)
    if hasattr(time, "tzset"):
        time.tzset()


def _end_with_parent() -> None:
    """Let this process end, with all that it started, as soon as the one that waits for it has ended."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            multiprocessing.connection.wait([parent.sentinel])
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Told(io.TextIOBase):
    """Standard error that the waiting process writes."""

    encoding = "utf-8"

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._tell("stderr", text)
        return len(text)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Start processes that never hear Ctrl-C: it reaches everything that a terminal started."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _safe_path() -> Iterator[None]:
    """Let processes that are started now import nothing from the folder that somebody happens to be in."""
    was = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        del os.environ[_SAFE_PATH]
        os.environ.update({} if was is None else {_SAFE_PATH: was})
