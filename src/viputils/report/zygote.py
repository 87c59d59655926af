"""A process that has imported what notebooks need, and forks: each kernel begins fresh, and starting up is paid once.

``python -m viputils.report.zygote FD`` is that process; ``Zygote`` is how others talk to it. It has one thread, no
event loop and no figure. What it forks is an ordinary ipykernel that knows nothing of those before it: environment,
folder, streams and random state are its own.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

from viputils.audit.library import absolute_imports

# Imported before the first fork, because they take long. Not matplotlib_inline: it sets itself up for the kernel in
# which it is imported, and would drop every figure of another one in silence. Nor anything that starts threads.
_AHEAD: Final = (
    "matplotlib.figure",
    "matplotlib.backends.backend_svg",
    "pandas",
    "pyarrow.csv",
    "pyarrow.compute",
    "pydantic",
    "scipy.special",
    "IPython",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "matplotlib.style",
    "pandas.core.methods.to_dict",
    "pyarrow.pandas_compat",
    "sqlite3",
    "tornado.platform.asyncio",
    "viputils.report.narrative",
    "viputils.report.charts",
    "viputils.figures.edition",
    "viputils.figures.assessment",
)
# Threads of libraries would not come along.
_ONE_THREAD: Final = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# What a debugger would say of the Python that it is imported into.
_QUIET: Final = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
# What it sets where it is imported, as every kernel does.
_DEBUGGER: Final = "PYDEVD_USE_FRAME_EVAL"
# As ipykernel sets it in a kernel, before anything imports Matplotlib.
_INLINE: Final = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
_PR_SET_PDEATHSIG: Final = 1
# Keeps Python from importing from the folder that somebody happens to be in. A zygote never does.
SAFE_PATH: Final = "PYTHONSAFEPATH"

CANNOT_FORK: Final = "Kernels cannot be forked on this system; each is started, which takes longer."


def can_fork() -> bool:
    """Return whether kernels can be forked on this system."""
    return sys.platform == "linux"


def seed_of(parameters: Mapping[str, Any]) -> int:
    """Return the seed of a notebook's random numbers: the same parameters give the same, whatever ran before."""
    return zlib.crc32(json.dumps(dict(parameters), sort_keys=True, default=str).encode())


class Zygote:
    """A process that forks kernels, and ends with the one that started it, and its kernels with it."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._lock = threading.Lock()
        # What is forked from this process would keep the connection open when this process has gone.
        os.register_at_fork(after_in_child=self._ours.close)
        env = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP"}
        absolute_imports(env, Path.cwd())
        self._python = _python_of(env)
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own module, with our own Python
                # Nothing is imported from the folder that somebody happens to be in, and no settings are read there.
                [sys.executable, "-m", "viputils.report.zygote", str(theirs.fileno())],
                cwd="/",
                env=_INLINE | env | _ONE_THREAD | _QUIET,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def suits(self, env: Mapping[str, str]) -> bool:
        """Whether a kernel of this environment can be forked: what Python itself is told when it starts is the same."""
        return _python_of(env) == self._python

    def fork(
        self,
        arguments: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        seed: int,
        stdout: IO[bytes] | int | None,
        stderr: IO[bytes] | int | None,
    ) -> Forked:
        """Fork a kernel.

        Parameters
        ----------
        arguments
            What ``python -m ipykernel_launcher`` would be given.
        seed
            Of the random numbers of ``random`` and of NumPy's global state.
        stdout, stderr
            Where it writes; by default where this process does.
        """
        streams = [1 if stdout is None else stdout, 2 if stderr is None else stderr]
        numbers = [stream if isinstance(stream, int) else stream.fileno() for stream in streams]
        asked = {"arguments": list(arguments), "cwd": cwd, "env": dict(env), "seed": seed}
        return Forked(self, int(self._ask(asked, numbers)["pid"]))

    def poll(self, pid: int) -> int | None:
        """Return the exit code of a kernel, or nothing while it runs; that of a signal is its number, negative."""
        try:
            code = self._ask({"poll": pid})["code"]
        except OSError:
            return -signal.SIGKILL  # Where this process has gone, so have its kernels.
        return None if code is None else int(code)

    @property
    def usable(self) -> bool:
        """Whether it can be asked for kernels: it runs, and nothing interrupted what was said to it."""
        return self._ours.fileno() >= 0 and self.process.poll() is None

    def close(self) -> None:
        """End the process, and every kernel that is left."""
        with self._lock:
            self._ours.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _ask(self, asked: dict[str, Any], streams: Sequence[int] = ()) -> dict[str, Any]:
        text = json.dumps(asked).encode()
        with self._lock:
            try:
                socket.send_fds(self._ours, [len(text).to_bytes(8, "big")], list(streams))
                self._ours.sendall(text)
                size = int.from_bytes(_exactly(self._ours, 8), "big")
                answer: dict[str, Any] = json.loads(_exactly(self._ours, size))
            except BaseException:
                # After Ctrl-C in the middle, the next question would be given the answer to this one.
                self._ours.close()
                raise
        return answer


def own_zygote() -> Zygote:
    """Return the zygote of this process, which is started when it is first asked for and ends with this process.

    Another one is started where it has gone, and in a process that was forked from this one.
    """
    zygote = _zygote_of(os.getpid())
    if not zygote.usable:
        zygote.close()
        _zygote_of.cache_clear()
        zygote = _zygote_of(os.getpid())
    return zygote


@cache
def _zygote_of(_pid: int) -> Zygote:
    zygote = Zygote()
    atexit.register(zygote.close)
    return zygote


class Forked:
    """A kernel that was forked, as ``subprocess.Popen`` would show it."""

    stdin = stdout = stderr = None

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self.zygote = zygote
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or nothing while it runs."""
        if self.returncode is None:
            self.returncode = self.zygote.poll(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises
        ------
        TimeoutExpired
            If it still runs after ``timeout`` seconds.
        """
        waited = 0.0
        while (code := self.poll()) is None:
            if timeout is not None and waited >= timeout:
                raise subprocess.TimeoutExpired("kernel", timeout)
            select.select([], [], [], 0.02)
            waited += 0.02
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, where it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _python_of(env: Mapping[str, str]) -> dict[str, str]:
    """Return what an environment tells Python of where it imports from, how it hashes, what it warns of."""
    passed_over = ("PYTHONSTARTUP", "PYTHONEXECUTABLE", SAFE_PATH)
    return {name: value for name, value in env.items() if name.startswith("PYTHON") and name not in passed_over}


def _exactly(connection: socket.socket, number: int) -> bytes:
    data = b""
    while len(data) < number:
        part = connection.recv(number - len(data))
        if not part:
            raise ConnectionResetError("the process that forks kernels has gone")
        data += part
    return data


def serve(connection: socket.socket) -> Callable[[], None]:
    """Fork a kernel whenever one is asked for; in the kernel, give what it does. End with the other side."""
    import importlib

    for name in _AHEAD:
        # What is not there is missed by the notebook that needs it, and by no other.
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    running: dict[int, int | None] = {}
    while True:
        try:
            head, streams, _, _ = socket.recv_fds(connection, 8, 2)
            if not head:
                raise ConnectionResetError
            head += _exactly(connection, 8 - len(head))
            asked = json.loads(_exactly(connection, int.from_bytes(head, "big")))
        except OSError:
            break
        if "poll" in asked:
            answer: dict[str, Any] = {"code": _reaped(asked["poll"], running)}
        else:
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                connection.close()
                return lambda: _become_kernel(asked, streams, parent)
            running[pid] = None
            answer = {"pid": pid}
        for stream in streams:
            os.close(stream)
        text = json.dumps(answer).encode()
        try:
            connection.sendall(len(text).to_bytes(8, "big") + text)
        except OSError:
            break
    for pid, code in running.items():
        if code is None:
            _kill(pid)
    os._exit(0)


def _reaped(pid: int, running: dict[int, int | None]) -> int | None:
    """Return the exit code of a kernel, once."""
    if running.get(pid, 0) is None:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            running[pid] = os.waitstatus_to_exitcode(status)
    return running.get(pid, -signal.SIGKILL)


def _kill(pid: int) -> None:
    for end in (os.killpg, os.kill):
        try:
            end(pid, signal.SIGKILL)
        except OSError:
            continue


def die_with(parent: int) -> None:
    """Let this process be killed when its parent ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _become_kernel(asked: Mapping[str, Any], streams: Sequence[int], zygote: int) -> None:
    """Be a kernel, as ``python -m ipykernel_launcher`` is one."""
    os.setsid()
    die_with(zygote)
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
        os.close(stream)
    for number in range(1, signal.NSIG):
        if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN, None):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(asked["cwd"])
    debugger = os.environ.get(_DEBUGGER)
    os.environ.clear()
    os.environ.update(asked["env"])
    if debugger is not None:
        os.environ.setdefault(_DEBUGGER, debugger)
    _follow_environment()
    import random

    import numpy as np

    random.seed(asked["seed"])
    np.random.seed(asked["seed"] % 2**32)
    launcher = find_spec("ipykernel_launcher")
    sys.argv = [launcher.origin if launcher and launcher.origin else "ipykernel_launcher", *asked["arguments"]]
    # A kernel looks after who started it, and ends with that one. ipykernel read the variable when it was imported.
    os.environ["JPY_PARENT_PID"] = str(zygote)
    gc.unfreeze()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance([*asked["arguments"], f"--IPKernelApp.parent_handle={zygote}"])


def _follow_environment() -> None:
    """Take over what libraries read from the environment when they were imported."""
    import time

    import matplotlib as mpl

    time.tzset()
    # In its own folder, and by its own environment, there can be other settings.
    settings = mpl.rc_params()
    settings["backend"] = os.environ.setdefault("MPLBACKEND", _INLINE["MPLBACKEND"])
    mpl.rcParams.update(settings)


def _main() -> None:
    # What notebooks import comes from their own folder, once they are in it.
    if sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]
    # Ctrl-C is for who started it. When that one has gone, the connection ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket.socket(fileno=int(sys.argv[1])))()


if __name__ == "__main__":
    _main()
