"""The preview of the site: what it serves, what it follows, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import VIP, vip
from tests.support.processes import PATIENCE, wait_until
from tests.support.projects import town
from viputils.config.project import Project
from viputils.publish.site import preview
from viputils.publish.site.preview import follow, serving


@pytest.fixture(scope="module")
def root(artifacts: Artifacts) -> Path:
    return artifacts.town_with_a_plain_site()


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    return root / "_site"


def read(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - on this machine
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_preview_serves_the_site_and_its_own_page_for_what_is_not_there(root: Path, site: Path) -> None:
    with serving(site, 0) as server:
        assert server.address.startswith("http://127.0.0.1:")
        status, page = read(server.address)
        assert status == 200
        assert "Newest report: November 2023" in page
        assert read(f"{server.address}issues/2023-11/")[0] == 200
        assert read(f"{server.address}issues/2023-11")[0] == 200
        status, page = read(f"{server.address}no/such/page")
        assert status == 404
        assert "This page does not exist" in page
        assert read(f"{server.address}..%2f..%2fprogram.toml")[0] == 404
        assert read(f"{server.address}%2e%2e/program.toml")[0] == 404


def test_a_port_that_is_taken_is_named(root: Path, site: Path) -> None:
    with serving(site, 0) as server:
        port = urlsplit(server.address).port
        done = vip("preview", "--project", str(root), "--port", str(port))
    assert done.returncode == 2
    assert f"--port: {port}: Address already in use; choose another port, or 0 for any free one." in done.stderr


def test_the_preview_answers_nobody_who_asks_by_another_name(root: Path, site: Path) -> None:
    with serving(site, 0) as server:
        request = urllib.request.Request(server.address, headers={"Host": "evil.example"})  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310 - on this machine
        assert refused.value.code == 421
        for path, method, code in (("", "HEAD", 405), ("a" * 3_000, "GET", 404)):
            request = urllib.request.Request(server.address + path, method=method)  # noqa: S310 - on this machine
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310 - on this machine
            assert refused.value.code == code


def test_the_preview_sees_what_is_saved_while_it_makes_the_site_and_what_an_editor_puts_in_its_place(
    tmp_path: Path,
) -> None:
    root = town(tmp_path / "a town")
    project, program = Project.open(root), root / "program.toml"
    text = program.read_text(encoding="utf-8")
    made: list[str] = []

    def make_pages() -> None:
        made.append(program.read_text(encoding="utf-8")[-3:])
        if len(made) == 1:  # Somebody saves meanwhile.
            program.write_text(f"{text}# 1\n", encoding="utf-8")
        elif len(made) < 5:  # An editor writes a file beside it, and gives it the name.
            beside = root / "program.toml.new"
            beside.write_text(f"{text}# {len(made)}\n", encoding="utf-8")
            beside.replace(program)
        else:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(project, make_pages)
    assert made[1:] == [" 1\n", " 2\n", " 3\n", " 4\n"]


@pytest.mark.process
def test_the_preview_follows_changes_keeps_going_after_faults_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    command: list[str | Path] = [
        VIP,
        "preview",
        "--project",
        str(root),
        "--port",
        "0",
        "--since",
        "2023-11",
        "--engine",
        "embedded",
    ]
    env = {**os.environ, "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as running:
        assert running.stdout is not None
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(iter(running.stdout.readline, "")))  # type: ignore[union-attr]
        reader.start()

        def wait_for(text: str, times: int = 1) -> str:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                if found := [line for line in lines if text in line][times - 1 :]:
                    return found[0]
                time.sleep(0.1)
            raise AssertionError(f"{text!r} was not said: {lines}")

        try:
            address = wait_for("Open http").split()[1]
            assert read(address)[0] == 200
            text = root / "report" / "pages" / "methods.md"
            text.write_text("## Something new\n\nIt was written just now.\n", encoding="utf-8")
            wait_for("Made: 0 issues", 1)
            assert "It was written just now." in read(f"{address}methods/")[1]
            text.write_text("## A\n\n[here](ftp://x)\n", encoding="utf-8")
            wait_for("report/pages/methods.md, line 3: links to 'ftp://x'")
            assert "It was written just now." in read(f"{address}methods/")[1]
            text.write_text("## Mended\n\nAll is well.\n", encoding="utf-8")
            wait_for("Made: 0 issues", 2)
            assert "All is well." in read(f"{address}methods/")[1]
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(PATIENCE) == 0
            reader.join()
    assert "The preview has ended." in "".join(lines)
    assert not (root / "_site").exists()


def test_a_browser_that_goes_away_leaves_no_traceback(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(site, 0) as server:
        port = urlsplit(server.address).port
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                # Closed with what was sent unread, which the server learns as an error.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(sent)
        assert read(server.address)[0] == 200
    assert capsys.readouterr().err == ""


def test_a_connection_that_nobody_uses_ends(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview._Handler, "timeout", 0.2)
    with serving(site, 0) as server:
        before = threading.active_count()
        with socket.create_connection(("127.0.0.1", urlsplit(server.address).port)) as client:
            wait_until(lambda: threading.active_count() > before)
            assert client.recv(1) == b""
            wait_until(lambda: threading.active_count() == before)
