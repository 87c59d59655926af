"""The command `vip`: as people start it, and forked from a process that has imported already what it imports.

Most of the time of a short command is spent on imports, and the tests run hundreds of them. A forked one is a process
of its own all the same, with its own arguments, folder, streams and exit code. Where anything of the environment is
another one, the command is started; so is one side of a comparison of bytes, for all that are forked share the seed of
Python's hashes.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.support.projects import REPOSITORY

VIP = Path(sys.executable).with_name("vip")

# Long enough for a slow machine that does other things, too.
TIMEOUT = 600
# Where pytest says which test it is at.
PASSED_OVER = ("PYTEST_CURRENT_TEST",)
# Beside what viputils imports at its beginning, what it imports where it is needed.
AHEAD = ("nbclient", "nbformat.v4", "papermill", "pypandoc", "typst", "jupyter_client.manager", "yaml")


def started_vip(*arguments: str, cwd: Path = REPOSITORY, **env: str) -> subprocess.CompletedProcess[str]:
    """Start the command."""
    given = {**os.environ, **env}
    return subprocess.run(
        [VIP, *arguments], cwd=cwd, capture_output=True, text=True, env=given, timeout=TIMEOUT, check=False
    )


def vip(*arguments: str, cwd: Path = REPOSITORY, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command: forked where that is the same, and started everywhere else."""
    if sys.platform != "linux" or env or environment() != ENVIRONMENT:
        return started_vip(*arguments, cwd=cwd, **env)
    command = [str(VIP), *arguments]
    asked = json.dumps([str(cwd), dict(os.environ), *arguments]).encode()
    pipes = [os.pipe() for _ in ("what is asked", "how it ends", "stdout", "stderr")]
    (theirs, ours), (answer, given), (stdout, out), (stderr, err) = pipes
    try:
        with os.fdopen(ours, "wb") as request:
            socket.send_fds(server().connection, [b"!"], [theirs, given, out, err])
            for stream in (theirs, given, out, err):
                os.close(stream)
            request.write(asked)
        said, is_over = _read((answer, stdout, stderr))
    finally:
        for stream in (answer, stdout, stderr):
            os.close(stream)
    pid, _, code = said[answer].partition(b" ")
    if not is_over:
        if pid and not code:
            os.kill(int(pid), signal.SIGKILL)
        raise subprocess.TimeoutExpired(command, TIMEOUT)
    if not code:
        raise ChildProcessError(f"Nobody knows how {arguments} ended.")
    return subprocess.CompletedProcess(command, int(code), _text(said[stdout]), _text(said[stderr]))


def _read(streams: Sequence[int]) -> tuple[dict[int, bytes], bool]:
    """Read streams until everybody has closed them, so that a process that is left behind is noticed, or time is up.

    Whether all of them were closed comes with what was read.
    """
    until = time.monotonic() + TIMEOUT
    said = dict.fromkeys(streams, b"")
    with selectors.DefaultSelector() as waiting:
        for stream in streams:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                part = os.read(key.fd, 65536)
                said[key.fd] += part
                if not part:
                    waiting.unregister(key.fd)
        return said, not waiting.get_map()


def _text(said: bytes) -> str:
    # As subprocess gives it.
    return said.decode().replace("\r\n", "\n").replace("\r", "\n")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in PASSED_OVER}


# As it is before any test changes it.
ENVIRONMENT = environment()


class Server:
    """The process that forks; it ends with this one."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.command", str(theirs.fileno())],
                cwd=REPOSITORY,
                # Threads would not come along.
                env={**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )


@cache
def server() -> Server:
    return Server()


def serve(connection: socket.socket) -> None:
    """Fork whenever that is asked for; in the process that was forked, return."""
    import viputils

    for name in (*AHEAD, *(f"viputils.{module.name}" for module in pkgutil.iter_modules(viputils.__path__))):
        # What is not installed is missed by the command that needs it.
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    # Nobody waits for those that wait for commands.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            asked, streams, _, _ = socket.recv_fds(connection, 1, 4)
        except InterruptedError:
            continue
        if not asked:
            os._exit(0)
        if os.fork() == 0:
            connection.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            pid = os.fork()
            if pid == 0:
                _become(*streams)
                return
            request, given, *output = streams
            for stream in (request, *output):
                os.close(stream)
            os.write(given, f"{pid} ".encode())
            _, status = os.waitpid(pid, 0)
            # Nobody may listen any more.
            with suppress(OSError):
                os.write(given, f"{os.waitstatus_to_exitcode(status)}".encode())
            os._exit(0)
        for stream in streams:
            os.close(stream)


def _become(request: int, given: int, stdout: int, stderr: int) -> None:
    """Be what was asked for, as if it had been started."""
    os.close(given)
    with os.fdopen(request, "rb") as file:
        cwd, env, *arguments = json.loads(file.read())
    for stream, number in ((stdout, 1), (stderr, 2)):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [str(VIP), *arguments]
    sys.path[0] = str(VIP.parent)
    # What a process that this one starts would import first.
    main = sys.modules["__main__"]
    main.__spec__, main.__package__, main.__file__ = None, None, str(VIP)


def _run() -> int:
    """Run what this process has become, with everything that Python does at its end but the clearing of its memory."""
    code: object = None
    try:
        main()
    except SystemExit as end:
        code = end.code
        if code is not None and not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    from viputils.command import main

    # To take what so many imports have brought to pieces takes longer than most commands.
    os._exit(_run())
