"""Wait for processes that tests start."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

import psutil

# Long enough for a busy machine.
PATIENCE = 300


def wait_until(happened: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until a condition is true."""
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            raise AssertionError(f"{happened} was waited for in vain")
        time.sleep(0.05)


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process has ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def gone(processes: Sequence[psutil.Process]) -> bool:
    """Wait until processes have ended, and return whether they have."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: all(map(is_gone, processes)), 60)
    return all(map(is_gone, processes))
