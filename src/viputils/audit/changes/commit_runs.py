"""Figures that a commit's own code computes, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from viputils.audit.changes.commit_files import Tree, Wanted
from viputils.audit.changes.figure_tables import read_figures
from viputils.config.fields import DELIVERIES_VARIABLE
from viputils.core.errors import PublishedError

_AT_ONCE: Final = 2

# Runs `vip` with the code of the commit. Fails if Python imported the code of this process instead.
_COUNT: Final = """
import os, sys
own = sys.argv.pop(1)
import viputils
there = os.path.realpath(viputils.__file__)
if own and not there.startswith(os.path.realpath(own) + os.sep):
    sys.exit("the code of the commit was not used, but " + there)
try:
    from viputils.cli.main import main
except ModuleNotFoundError as error:
    # Before November 2026 the command line was one module.
    if error.name != "viputils.cli.main":
        raise
    from viputils.cli import main
main()
"""


@dataclass
class Runs:
    """The running processes. ``stop`` ends all of them, so none outlives an interruption."""

    stopped: bool = False
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def figures(self, tree: Tree, wanted: Wanted) -> pd.DataFrame | str:
        """Return the figures that a commit computes, or the error message if it fails."""
        process = self._start(tree, wanted)
        if process is None:
            return "was stopped"
        try:
            out, said = (part.decode(errors="replace") for part in process.communicate())
        finally:
            with self.lock:
                self.running.discard(process)
        if process.returncode:
            return _error_in(said) or f"it ended with exit code {process.returncode} and no message"
        try:
            return read_figures(out, "what it printed")
        except PublishedError as error:
            return str(error.problems[0])

    def _start(self, tree: Tree, wanted: Wanted) -> subprocess.Popen[bytes] | None:
        command = [sys.executable, "-P", "-c", _COUNT, str(tree.source or ""), "figures", str(wanted.period), "--csv"]
        command += ["--as-of", wanted.as_of] if wanted.as_of else []
        pipe = subprocess.PIPE
        with self.lock:
            if self.stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 - this Python, on code of this repository's own history
                command, cwd=tree.root, env=_environment(tree), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
            )
            self.running.add(process)
            return process

    def stop(self) -> None:
        """End all processes, and start no more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()


def _environment(tree: Tree) -> dict[str, str]:
    """Return an environment in which each side counts its own records, in UTF-8, and writes nothing into its tree."""
    path = [str(tree.source)] if tree.source else []
    path += filter(None, [os.environ.get("PYTHONPATH")])
    env = {name: value for name, value in os.environ.items() if name != DELIVERIES_VARIABLE}
    return env | {"PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def _error_in(said: str) -> str:
    """Return the line with the error: the first line, or the last error of a traceback."""
    lines = [line for line in said.splitlines() if line.strip()]
    if any(line.startswith("Traceback ") for line in lines):
        errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(:|$)", line)]
        return errors[-1] if errors else lines[-1]
    return lines[0] if lines else ""


def run_all(jobs: Sequence[tuple[Tree, Wanted]]) -> list[pd.DataFrame | str]:
    """Return the figures of each job, or the error message, in order. Some jobs run at once."""
    runs = Runs()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(lambda job: runs.figures(*job), jobs))
    except BaseException:
        runs.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
