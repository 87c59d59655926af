"""A forked command is the command: what it says, how it ends, and what it leaves behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support import command
from tests.support.command import started_vip, vip

linux = pytest.mark.skipif(sys.platform != "linux", reason="commands are forked on Linux alone")


@linux
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["figures", "2023-11", "--json"], 0),
        (["trace", "2023-11", "responses/month"], 0),
        (["figures", "2023-13"], 2),
        (["figures", "2029-11"], 2),
        (["no-such-command"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_forked_command_says_and_ends_with_what_a_started_one_does(arguments: list[str], code: int) -> None:
    forked, started = vip(*arguments), started_vip(*arguments)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)
    assert forked.returncode == code


def test_it_runs_in_the_folder_that_is_given(tmp_path: Path) -> None:
    assert str(tmp_path) in vip("figures", "2023-11", cwd=tmp_path).stderr


@linux
def test_a_process_that_holds_on_to_its_streams_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a command that is started: it has not come to its end before everything that it started has."""
    monkeypatch.setattr(command, "TIMEOUT", 2)
    ours, theirs = os.pipe()
    other, its = os.pipe()
    os.write(its, b"1 0")
    os.close(its)
    begin = time.monotonic()
    # Somebody, such as a kernel, still holds the other end of the second stream.
    assert command._read((other, ours)) == ({other: b"1 0", ours: b""}, False)
    assert time.monotonic() - begin >= 2
    os.close(theirs)
    for stream in (ours, other):
        os.close(stream)


@linux
def test_what_a_command_leaves_behind_is_a_fault_though_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    def sent(connection: socket.socket, data: list[bytes], streams: list[int]) -> int:
        held.append(os.dup(streams[2]))
        return send(connection, data, streams)

    send = socket.send_fds
    monkeypatch.setattr("tests.support.command.socket.send_fds", sent)
    monkeypatch.setattr(command, "TIMEOUT", 5)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            vip("--version")
    finally:
        for stream in held:
            os.close(stream)


@linux
def test_a_command_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    vip("--version")
    monkeypatch.setattr(command, "TIMEOUT", 0.1)
    before = set(psutil.Process(command.server().process.pid).children(recursive=True))
    with pytest.raises(subprocess.TimeoutExpired):
        vip("figures", "--all")
    # By itself it would go on for longer than it is waited for here.
    left = set(psutil.Process(command.server().process.pid).children(recursive=True)) - before
    _, alive = psutil.wait_procs(left, 3)
    assert alive == []
