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
from pathlib import Path
from typing import Any, Final

from viputils.core.files import hold, private_folder

# Keeps Python from importing from the folder that somebody happens to be in.
_SAFE_PATH: Final = "PYTHONSAFEPATH"
# A path of a socket has at most so many bytes; the name in the folder takes less than the rest.
_LONGEST_FOLDER: Final = 80
# Held while the environment is not that of the user.
_STARTING: Final = threading.Lock()

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
        try:
            with theirs, _undisturbed():
                process.start()
            return _answer(ours, hear)
        except EOFError:
            process.join()
            raise ProcessDiedError(_how(process.exitcode), _last_line(scratch / "said")) from None
        finally:
            _end(process)
            ours.close()


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
    for process in multiprocessing.active_children():
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


def _answer(connection: Any, hear: Mapping[str, Callable[[Any], None]]) -> Any:
    while True:
        kind, value = connection.recv()
        if kind == "returned":
            return value
        if kind == "raised":
            raise value
        if kind == "stderr":
            sys.stderr.write(value)
        else:
            hear[kind](value)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"it was ended by {signal.Signals(-code).name};"
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
    lock = threading.Lock()

    def tell(name: str, value: Any) -> None:
        with lock, suppress(BrokenPipeError):
            connection.send((name, value))

    _stand_alone(scratch, folder, environment, tell)
    try:
        work, arguments = pickle.loads(what)  # noqa: S301 - written by the process that waits for it
        answer = ("returned", work(*arguments, tell))
    except BaseException as error:
        error.add_note("".join(traceback.format_tb(error.__traceback__)))
        answer = ("raised", error)
    tell(*answer)


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
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
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
