"""The command `vip`, as its own process or in the process of the test.

Short commands spend most of their time starting Python and importing pandas, and tests run hundreds of them. ``vip``
runs the command and its issues in this process, and checks that it leaves nothing behind. ``started_vip`` starts a
process. Use it if the start, the environment, a signal or the bytes of an issue matter.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType

import psutil

from tests.support.pages import in_this_process
from tests.support.processes import is_gone, wait_until
from tests.support.projects import REPOSITORY
from viputils.cli import main as cli

VIP = Path(sys.executable).with_name("vip")

# Long enough for a slow and busy machine.
TIMEOUT = 600
# Seconds that a process may take to end.
ENDING = 10.0
# The signals that the command handles.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
# Helper processes of the standard library that live as long as this process.
_KEPT = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")


def started_vip(*arguments: str, cwd: Path = REPOSITORY, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as its own process."""
    given = {**os.environ, **env}
    return subprocess.run(
        [VIP, *arguments], cwd=cwd, capture_output=True, text=True, env=given, timeout=TIMEOUT, check=False
    )


def vip(*arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, and return what it printed and its exit code."""
    with in_this_process(), _as_a_command(cwd, arguments) as (stdout, stderr):
        before = Leavings.now()
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        if len(set(handlers.values())) != 1:
            raise AssertionError(f"vip {arguments} left other signal handlers than it begins with: {handlers}")
        # A process may still be ending.
        with contextlib.suppress(AssertionError):
            wait_until(lambda: "processes" not in Leavings.now().beyond(before), ENDING)
        if left := Leavings.now().beyond(before):
            raise AssertionError(f"vip {arguments} left behind: {left}")
    if not isinstance(code, int):
        raise TypeError(f"vip {arguments} ended with {code!r}, which is no exit code.")
    return subprocess.CompletedProcess([str(VIP), *arguments], code, _text(stdout), _text(stderr))


@dataclass(frozen=True)
class Leavings:
    """Everything that a command could leave behind in its process."""

    locks: frozenset[str]
    processes: frozenset[str]
    threads: frozenset[str]
    environment: frozenset[tuple[str, str]]
    folder: str
    logging: int

    @classmethod
    def now(cls) -> Leavings:
        """Return the current state of this process."""
        mine = psutil.Process()
        open_files = (str(file.path) for file in mine.open_files())
        # The fork server is kept for the life of this process, but its children are not. Browsers are ignored, because
        # they start processes at any time.
        kept = [child for child in mine.children() if _is_kept(child)]
        forked = [child for one in kept for child in _children(one)]
        started = [child for child in (*mine.children(), *forked) if child not in kept and not is_gone(child)]
        threads = [thread.name for thread in threading.enumerate() if not thread.daemon]
        return cls(
            frozenset(path for path in open_files if path.endswith(".lock")),
            frozenset(str(child.pid) for child in started),
            frozenset(threads),
            frozenset((name, value) for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"),
            str(Path.cwd()),
            logging.root.manager.disable,
        )

    def beyond(self, before: Leavings) -> dict[str, object]:
        """Return what is new since an earlier state."""
        found: dict[str, object] = {}
        for one in fields(self):
            now, then = getattr(self, one.name), getattr(before, one.name)
            new = now - then if isinstance(now, frozenset) and one.name != "environment" else now if now != then else ""
            if new:
                found[one.name] = new
        return found


def _is_kept(process: psutil.Process) -> bool:
    """Return whether a process is a helper to keep. Its forks have the same command line but another parent."""
    try:
        line = " ".join(process.cmdline())
        return process.ppid() == os.getpid() and any(name in line for name in _KEPT)
    except psutil.Error:
        return True


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextlib.contextmanager
def _as_a_command(cwd: Path, arguments: tuple[str, ...]) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """Set the arguments, folder and streams of this process to those of a command, and restore them afterward."""
    out, err = io.BytesIO(), io.BytesIO()
    argv, hook, folder = sys.argv, sys.unraisablehook, Path.cwd()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    stdout, stderr = (io.TextIOWrapper(one, encoding="utf-8", write_through=True) for one in (out, err))
    os.chdir(cwd)
    sys.argv = [str(VIP), *arguments]
    # The help text takes its program name from this module, and new processes import it first.
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    sys.modules["__main__"].__file__ = str(VIP)
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            yield out, err
    finally:
        os.chdir(folder)
        sys.argv, sys.unraisablehook, sys.modules["__main__"] = argv, hook, main
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for stream in (stdout, stderr):
            stream.detach()


def _text(said: io.BytesIO) -> str:
    # As subprocess returns it.
    return said.getvalue().decode().replace("\r\n", "\n").replace("\r", "\n")
