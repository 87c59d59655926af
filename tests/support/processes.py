"""Processes that tests start."""

from __future__ import annotations

import time

import psutil


def gone(processes: list[psutil.Process]) -> bool:
    until = time.monotonic() + 30
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
