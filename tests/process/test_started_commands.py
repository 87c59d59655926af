"""Each command as people start it: a process of its own, from the script that the package installs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from typer.main import get_command

from tests.support.artifacts import Artifacts
from tests.support.command import TIMEOUT, VIP, started_vip
from tests.support.processes import wait_until
from tests.support.projects import REPOSITORY
from viputils.cli.main import app

# The command line of each command, in a town with the issues of October and November 2023; its exit code; what it says.
COMMANDS = {
    "verify": (["2023-11", "--project", str(REPOSITORY)], 0, "28 of 28 figures reproduced"),
    "new": (["2023-11"], 0, "report/activities/2023-11.md"),
    "status": (["--csv"], 0, "2023-11,complete as of 2023-12-04"),
    "publish": (["2023-10", "--approved-by", "A. Person", "--printed", "2023-12-05"], 0, "data/published/2023-10.csv"),
    "revisions": (["2023-11", "--from", "2023-12-04", "--to", "2023-12-04"], 0, "no figure changed"),
    "changes": (["issues/2023-10", "issues/2023-11"], 1, "Figures that differ"),
    "intake": (["new.csv", "--received", "2023-12-05", "--yes"], 0, "Written: data/raw/2023-12-05"),
    # Its pages were plain, and are real ones now.
    "reproduce": (["2023-11"], 1, "Not reproduced: "),
    "export": (["tables"], 0, "responses.parquet"),
    "check": ([], 0, "No problems were found."),
    "seal": ([], 0, "Sealed: data/raw/2023-12-04"),
    "lab": (["no-such-notebook"], 2, "'no-such-notebook'"),
    "compare": (["2023-11", "2023-10"], 0, "2023-11 and 2023-10, as of 2023-12-04"),
    "init": (["ourcity", "new.csv", "--yes"], 0, "make report"),
    "doctor": ([], 0, "counts nothing"),
}
# Started elsewhere: preview below, report, backfill and site where artifacts are built, figures and trace in
# test_command.py.
ELSEWHERE = {"preview", "report", "backfill", "site", "figures", "trace"}


def test_every_command_is_started_by_a_test() -> None:
    assert set(get_command(app).commands) == set(COMMANDS) | ELSEWHERE  # type: ignore[attr-defined]


@pytest.fixture
def root(artifacts: Artifacts, tmp_path: Path) -> Path:
    return shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_starts_and_does_its_work(root: Path, command: str) -> None:
    arguments, code, said = COMMANDS[command]
    delivered = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    (root / "new.csv").write_text(f"{delivered.read_text('utf-8')}DEMO-R9,2023-11-12,DV,SE\n", "utf-8")
    done = started_vip(command, *arguments, cwd=root)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_preview_serves_the_site_until_ctrl_c(root: Path, tmp_path: Path) -> None:
    command = [str(VIP), "preview", "--project", str(root), "--port", "0", "--since", "2023-12", "--engine", "embedded"]
    said = tmp_path / "said"
    env = {**os.environ, "COLUMNS": "200"}
    with said.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=env) as running:
        try:
            wait_until(lambda: re.search(r"Open (http\S+)", said.read_text()) or running.poll() is not None)
            address = re.search(r"Open (http\S+)", said.read_text())
            assert address is not None, said.read_text()
            with urllib.request.urlopen(address[1], timeout=TIMEOUT) as answer:  # noqa: S310 - on this machine
                assert "All reports are of earlier months" in answer.read().decode()
        finally:
            running.send_signal(signal.SIGINT)
            code = running.wait(TIMEOUT)
    assert code == 0
    assert "The preview has ended." in said.read_text()
