"""A command in the process of a test is the command: what it says, how it ends, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import started_vip, vip
from viputils.cli import main


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["--version"], 0, marks=pytest.mark.process),
        pytest.param(["figures", "2023-13"], 2, marks=pytest.mark.process),
        (["--help"], 0),
        (["figures", "2023-11", "--json"], 0),
        pytest.param(["trace", "2023-11", "responses/month"], 0, marks=pytest.mark.process),
        (["figures", "2029-11"], 2),
        (["no-such-command"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_says_and_ends_with_what_a_started_one_does(arguments: list[str], code: int) -> None:
    here, started = vip(*arguments), started_vip(*arguments)
    assert (here.returncode, here.stdout, here.stderr) == (started.returncode, started.stdout, started.stderr)
    assert here.returncode == code


def test_it_runs_in_the_folder_that_is_given_and_the_test_in_its_own(tmp_path: Path) -> None:
    before = Path.cwd(), sys.argv, sys.stdout, signal.getsignal(signal.SIGINT), sys.unraisablehook
    assert str(tmp_path) in vip("figures", "2023-11", cwd=tmp_path).stderr
    assert (Path.cwd(), sys.argv, sys.stdout, signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


def take_a_handler() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def hold_a_lock() -> None:
    HELD.append(Path(os.environ["HELD"]).open("w"))  # noqa: SIM115 - that is the fault


def start_a_process() -> None:
    HELD.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))


def change_the_environment() -> None:
    os.environ["LEFT"] = "behind"


HELD: list[object] = []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (take_a_handler, "other signal handlers"),
        (hold_a_lock, "left behind: {'locks'"),
        (start_a_process, "left behind: {'processes'"),
        (change_the_environment, "left behind: {'environment'"),
        (lambda: os.chdir("/"), "left behind: {'folder'"),
    ],
)
def test_what_a_command_leaves_behind_fails_its_test(
    fault: Callable[[], None], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HELD", str(tmp_path / "a.lock"))
    monkeypatch.setenv("LEFT", "")
    monkeypatch.setattr(main, "app", fault)
    monkeypatch.setattr("tests.support.command.ENDING", 0.1)
    try:
        with pytest.raises(AssertionError, match=said):
            vip("--version")
    finally:
        while HELD:
            held = HELD.pop()
            if isinstance(held, subprocess.Popen):
                held.communicate()
            else:
                held.close()  # type: ignore[attr-defined]


def test_a_started_command_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.command.TIMEOUT", 0.1)
    begin = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        started_vip("figures", "--all")
    assert time.monotonic() - begin < 60
