"""Many issues by several processes: the same bytes as one by one, and whole issues whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import TIMEOUT, VIP, vip
from tests.support.processes import gone
from tests.support.projects import files_of, town, with_a_short_report
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.backfill import carry_out, orders_of
from viputils.records.checksums import checksum
from viputils.report.render.embedded import EmbeddedEngine

pytestmark = pytest.mark.process

OCTOBER, NOVEMBER = ReportMonth(2023, 10), ReportMonth(2023, 11)


@pytest.fixture
def made(artifacts: Artifacts, tmp_path: Path) -> Path:
    """A town whose issues of two months were made by two processes."""
    return shutil.copytree(artifacts.two_months_of_a_town(), tmp_path / "a town")


def backfill(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return vip("backfill", *arguments, "--project", str(root), "--engine", "embedded", "--jobs", "2")


def test_what_is_said_aside_of_an_issue_goes_where_stderr_goes_also_beside_a_progress_bar(
    made: Path, tmp_path: Path
) -> None:
    command = [str(VIP), "backfill", "2023-11", "2023-11", "--project", str(made), "--engine", "embedded", "--force"]
    ours, theirs = pty.openpty()
    with (tmp_path / "log").open("wb") as log:
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        running = subprocess.Popen(command, stdout=theirs, stderr=log, stdin=subprocess.DEVNULL, env=env)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert running.wait(TIMEOUT) == 0
    said = (tmp_path / "log").read_text("utf-8").splitlines()
    assert any(line.startswith("2023-11: Note: there is no report/activities/2023-11.md, so the") for line in said)
    assert b"Making issues" in shown
    assert b"2023-11: made in" in shown
    assert b"Note:" not in shown


def test_nothing_is_imported_from_the_folder_that_somebody_is_in(made: Path, tmp_path: Path) -> None:
    for name in ("ctypes", "socket", "multiprocessing", "json", "pandas", "viputils"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'a').write({name!r})", "utf-8")
    command = [str(VIP), "backfill", "2023-10", "2023-11", "--project", str(made), "--engine", "embedded", "--force"]
    done = subprocess.run(
        [*command, "--jobs", "2"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "was run").exists()


def begun(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a backfill in two processes, as a terminal does: Ctrl-C goes to its whole group."""
    command = [str(VIP), "backfill", *arguments, "--project", str(root), "--engine", "embedded", "--jobs", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def started(root: Path, *arguments: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Start a backfill, and wait until its first issue is made; give it and every process that it started."""
    running = begun(root, *arguments)
    assert running.stdout is not None
    for line in running.stdout:
        if ": made in" in line:
            return running, psutil.Process(running.pid).children(recursive=True)
    raise AssertionError("nothing was made")


def ctrl_c(running: subprocess.Popen[str], times: int = 1) -> list[str]:
    """Press Ctrl-C, give the lines that are said from then on, and wait for the end."""
    for _ in range(times):
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(0.2)
    assert running.stdout is not None
    lines = running.stdout.read().splitlines()
    assert running.wait(TIMEOUT) == 130
    # Of an issue that had just been made, it may still have been said.
    return [line for line in lines if ": made in" not in line and ": Note: there is no report/activities/" not in line]


def test_ctrl_c_leaves_whole_issues_and_no_process_and_the_next_run_goes_on(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    running, processes = started(root, "2023-07", "2023-11")
    lines = ctrl_c(running)
    assert gone(processes)
    assert lines[:-1] == ["Stopping …"]
    left = sorted(path.name for path in (root / "issues").iterdir() if not path.name.startswith("."))
    # None was started afterwards; one may just have been put into its folder.
    number = re.fullmatch(r"Interrupted\. ([1-4]) of 5 issues (?:is|are) complete; run the command .*", lines[-1])
    assert number is not None
    assert int(number[1]) <= len(left) <= int(number[1]) + 1
    for name in left:
        manifest = json.loads((root / "issues" / name / "manifest.json").read_bytes())
        assert {file: checksum(root / "issues" / name / file) for file in manifest["outputs"]} == manifest["outputs"]
    done = backfill(root, "2023-07", "2023-11", "--dry-run", "--json")
    found = json.loads(done.stdout)["issues"]
    assert [month for month, what in found.items() if what == "unchanged"] == left


@pytest.mark.parametrize("wait", [1.0, 2.0, 3.0])
def test_ctrl_c_while_its_processes_start_says_the_same_and_nothing_of_their_insides(
    tmp_path: Path, wait: float
) -> None:
    running = begun(with_a_short_report(town(tmp_path / "a town")), "2023-07", "2023-11")
    time.sleep(wait)
    lines = ctrl_c(running, times=2)
    *before, last = lines
    assert before in ([], ["Looking for changes …"], ["Looking for changes …", "Stopping …"])
    # A quick machine has made some by then.
    whole = r"Interrupted\. [0-4] of 5 issues (?:is|are) complete; run the command again to make the others\."
    assert re.fullmatch(whole if "Stopping …" in before else r"Interrupted\. Nothing was changed\.", last)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_what_finds_no_room_to_be_said_is_done_and_that_is_said(made: Path) -> None:
    before = files_of(made / "issues")
    command = [str(VIP), "backfill", "2023-11", "2023-11", "--project", str(made), "--engine", "embedded", "--force"]
    for more in ([], ["--json"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*command, *more], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT
            )
        assert done.returncode == 2
        assert "No space left on device. 1 of 1 issue is complete; the others were not changed." in done.stderr
        assert "Nothing was changed" not in done.stderr
    assert files_of(made / "issues") == before


def test_nothing_of_it_goes_on_after_its_parent_was_killed(tmp_path: Path) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    running, processes = started(root, "2023-08", "2023-11")
    running.kill()
    running.wait()
    assert processes
    assert gone(processes)


def test_an_issue_that_kills_its_process_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    path = root / "notebooks" / "monthly_report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    kills = "import os, signal\nif month == '2023-10':\n    os.kill(os.getpid(), signal.SIGKILL)"
    notebook.cells.append(nbformat.v4.new_code_cell(kills))
    nbformat.write(notebook, path)
    orders, _ = orders_of(Project.open(root), ReportMonth(2023, 9), NOVEMBER, EmbeddedEngine())
    outcomes = list(carry_out(Project.open(root), orders, EmbeddedEngine(), jobs=2))
    errors = {one.order.place: str(one.error) for one in outcomes if one.error is not None}
    assert list(errors) == ["2023-10"]
    assert "The process that made the issue ended unexpectedly. Nothing was made." in errors["2023-10"]
    assert "issues/2023-10: it was ended by SIGKILL; it may have run out of memory." in errors["2023-10"]
    made = {one.order.place for one in outcomes if one.error is None}
    assert made == {"2023-09", "2023-11"}
    assert all((root / "issues" / place / "manifest.json").is_file() for place in made)
    assert sorted(path.name for path in (root / "issues").iterdir()) == sorted(made)
