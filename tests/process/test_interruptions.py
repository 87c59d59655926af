"""Commands that somebody interrupts, ends or kills: nothing is changed, and nothing is left behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.support.command import TIMEOUT, VIP, vip
from tests.support.processes import gone, wait_until
from tests.support.projects import Deliver, contents, with_a_short_report
from viputils.config.project import Project


@pytest.fixture
def small(whole_project: Project, deliver: Deliver) -> Project:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    old = whole_project.issues / "2023-11"
    old.mkdir(parents=True)
    (old / "vip-2023-11.html").write_text("the issue as it was", encoding="utf-8")
    with_a_short_report(whole_project.root)
    return whole_project


@dataclass
class UnderWay:
    """A `vip report` that is filling its folder, and the processes that it started."""

    process: subprocess.Popen[str]
    started: list[psutil.Process]

    def wait_until_gone(self) -> None:
        assert self.started
        assert gone(self.started)


@pytest.fixture
def under_way(small: Project, tmp_path: Path) -> Iterator[UnderWay]:
    """A report whose notebook is at a cell that takes ten minutes."""
    asleep = tmp_path / "asleep"
    notebook = nbformat.read(small.notebook, as_version=4)
    notebook.cells[1].source = f"import pathlib, time\npathlib.Path({str(asleep)!r}).touch()\ntime.sleep(600)"
    nbformat.write(notebook, small.notebook)
    process = subprocess.Popen(
        [VIP, "report", "2023-11", "--engine", "embedded"],
        cwd=small.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(asleep.exists)
    started = psutil.Process(process.pid).children(recursive=True)
    yield UnderWay(process, started)
    process.kill()
    for one in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.communicate()


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="kill", marks=pytest.mark.process),
        pytest.param(signal.SIGHUP, id="the terminal is closed", marks=pytest.mark.process),
    ],
)
def test_an_interrupted_report_changes_nothing_and_leaves_nothing_behind(
    small: Project, under_way: UnderWay, number: signal.Signals
) -> None:
    under_way.process.send_signal(number)
    _, said = under_way.process.communicate(timeout=TIMEOUT)
    assert under_way.process.returncode == 130
    assert "Interrupted. Nothing was changed." in said
    assert "Traceback" not in said
    assert contents(small.issues / "2023-11") == {"vip-2023-11.html": b"the issue as it was"}
    assert not list(small.issues.glob(".*partial*"))
    under_way.wait_until_gone()


def test_a_killed_report_changes_nothing_and_the_next_one_clears_up(small: Project, under_way: UnderWay) -> None:
    under_way.process.kill()
    under_way.process.communicate(timeout=TIMEOUT)
    assert contents(small.issues / "2023-11") == {"vip-2023-11.html": b"the issue as it was"}
    under_way.wait_until_gone()
    with_a_short_report(small.root)
    done = vip("report", "2023-11", "--engine", "embedded", cwd=small.root)
    assert done.returncode == 0, done.stderr
    assert (small.issues / "2023-11" / "figures.csv").is_file()
    assert [path.name for path in small.issues.iterdir() if "partial" in path.name] == []


@pytest.mark.process
def test_two_reports_of_one_month_at_once_do_not_mix(small: Project, under_way: UnderWay) -> None:
    done = vip("report", "2023-11", "--engine", "embedded", cwd=small.root)
    assert done.returncode == 2
    assert "is already being made" in done.stderr


def python(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that interrupts itself."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)


IMPORTING = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv = ["vip", "--help"]
from viputils.__main__ import main
main()
"""


def test_ctrl_c_while_everything_is_imported_says_the_same_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted. Nothing was changed.\n")


SWALLOWING = """
import os, signal, sys, time
import viputils.cli.main as cli
class Waits:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass
def app():
    Waits()
    time.sleep(600)
cli.app = app
cli.main()
"""


def test_ctrl_c_that_python_swallows_is_heard_all_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWING], capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted. Nothing was changed.\n")


SAYING = """
import os, signal
import viputils.cli.main as cli
from viputils.cli import interrupts
from viputils.core.errors import VipError
say = interrupts.say_aside
def said(text):
    say(text)
    os.kill(os.getpid(), signal.SIGINT)
def app():
    raise {error}
cli.app, interrupts.say_aside = app, said
cli.main()
"""


@pytest.mark.parametrize("error", ["VipError('It cannot be.')", "OSError(28, 'No space', 'a')", "KeyError('x')"])
def test_ctrl_c_while_an_error_is_said_is_never_a_success(error: str) -> None:
    done = python(SAYING.format(error=error))
    assert done.returncode == 130
    assert done.stderr


LOOPING = """
import asyncio, os, signal
import viputils.cli.main as cli
def app():
    async def work():
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        await asyncio.sleep(600)
    asyncio.run(work())
cli.app = app
cli.main()
"""


def test_ctrl_c_in_the_middle_of_an_event_loop_is_heard_at_once() -> None:
    """As a notebook is run in one."""
    done = python(LOOPING)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted. Nothing was changed.\n")
