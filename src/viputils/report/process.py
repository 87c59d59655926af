"""Run one piece of work in a separate process, so that it cannot change anything in this one.

The process can be killed at any time and leaves nothing behind: its temporary files are in a folder of the process that
waits for it, and it ends when that process ends. On Linux it is forked from a server that has already imported what the
work needs (``preload``); on other systems it is started from scratch.
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

# Keeps Python from importing modules from the current folder.
_SAFE_PATH: Final = "PYTHONSAFEPATH"
# A socket's path is limited to about 100 bytes; this leaves room for its name.
_LONGEST_FOLDER: Final = 80
# Held while os.environ is changed.
_STARTING: Final = threading.Lock()

# How many times to try to start a process, and the seconds between tries.
_TRIES: Final = 5
_MOMENT: Final = 0.2
# The attribute of an error that says where it was raised.
PLACE: Final = "raised_at"
# The processes that work for this one.
_OURS: Final[dict[Any, threading.Lock]] = {}

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

    However this call ends, Ctrl-C included, the process and everything it started have ended as well.

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
        # Unpickled inside the try block of the other process, so that an error there is reported.
        what = pickle.dumps((work, arguments))
        given = (theirs, scratch, Path.cwd(), environment, what)
        process = _context().Process(target=_serve, args=given)
        _OURS[process] = threading.Lock()
        try:
            with theirs:
                _start(process)
            return _answer(ours, process, hear)
        except _NothingMore:
            _join(process)
            raise ProcessDiedError(_how(process.exitcode), _last_line(scratch / "said")) from None
        finally:
            _end(process)
            del _OURS[process]
            ours.close()


def _start(process: Any) -> None:
    """Start a process. Try again if the server it is forked from has just died, which takes a moment to notice."""
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
    """Start the server that processes are forked from, if it is not running. It imports in the background."""
    if _context().get_start_method() == "forkserver":
        with _STARTING, _safe_path():
            # Starting the tracker unblocks Ctrl-C, so it must come first.
            resource_tracker.ensure_running()
            with _undisturbed():
                forkserver.ensure_running()


def end_all() -> None:
    """Kill every process that works for this one."""
    for process in list(_OURS):
        _end(process)


@cache
def _context() -> Any:
    """Return the multiprocessing context: forkserver if possible, else spawn."""
    folder = Path(util.get_temp_dir())
    if sys.platform != "linux" or len(os.fsencode(folder)) > _LONGEST_FOLDER:
        return multiprocessing.get_context("spawn")
    # The server's socket is in this folder. If this process is killed, a later command removes the folder.
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
    """Return the next message. A child of a dead process may keep the connection open, so watch the process too."""
    if connection not in multiprocessing.connection.wait([connection, process.sentinel]) and not connection.poll():
        raise _NothingMore
    try:
        message: tuple[str, Any] = connection.recv()
    except (EOFError, OSError):
        raise _NothingMore from None
    return message


class _NothingMore(Exception):  # noqa: N818 - it is no error
    """A process has ended and will send no more messages."""


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        names = {int(one): one.name for one in signal.Signals}
        return f"it was ended by {names.get(-code, f'signal {-code}')};"
    return f"it ended with exit code {code};"


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.is_file() else []
    return lines[-1] if lines else ""


def _end(process: Any) -> None:
    """Kill a process and everything it started."""
    if process.pid is None:
        return
    if hasattr(os, "killpg"):
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    _join(process)


def _join(process: Any) -> None:
    """Wait for the end of a process. Only the first thread that asks can read how it ended."""
    lock = _OURS.get(process)
    if lock is not None:
        with lock:
            process.join()


def _serve(
    connection: Any,
    scratch: Path,
    folder: Path,
    environment: Mapping[str, str],
    what: bytes,
) -> None:
    """Do the work in this process, and send the result to the process that waits for it."""
    # Pickling a message may write to stderr, which sends a message itself.
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
    """Return an error that can be pickled, with the same message and its traceback as a note."""
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
    """Set the process group, environment, folder and streams of this process."""
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
    """Kill this process and everything it started as soon as the process that waits for it has ended."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            multiprocessing.connection.wait([parent.sentinel])
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Told(io.TextIOBase):
    """Standard error, written by the process that waits."""

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
    """Block Ctrl-C in processes started here: a terminal sends it to all of them."""
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
    """Keep processes started here from importing modules from the current folder."""
    was = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        del os.environ[_SAFE_PATH]
        os.environ.update({} if was is None else {_SAFE_PATH: was})
