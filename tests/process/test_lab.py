"""JupyterLab on the notebooks, with the kernel of this Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from tests.support.browser import chromium, needs_browser
from tests.support.command import VIP, vip
from tests.support.processes import PATIENCE, gone, wait_until
from tests.support.projects import REPOSITORY, copy_of_the_repository

HAS_LAB = find_spec("jupyterlab") is not None


def asked(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - on this machine
        return json.load(answer)


def test_a_notebook_that_is_not_there_is_named_with_the_nearest() -> None:
    done = vip("lab", "explore_trend")
    assert done.returncode == 2
    assert "notebook: 'explore_trend' is not a notebook; did you mean 'explore_trends'?" in done.stderr


def test_a_project_that_shares_its_notebooks_says_where_they_are(repository_example: Path) -> None:
    done = vip("lab", "--project", str(repository_example))
    assert done.returncode == 2
    assert f"notebooks: is missing; open the shared ones: vip lab --project '{REPOSITORY}'." in done.stderr


@pytest.mark.skipif(HAS_LAB, reason="JupyterLab is installed here")
def test_without_jupyterlab_it_says_what_installs_it() -> None:
    done = vip("lab")
    assert done.returncode == 2
    assert (
        "vip lab: needs the package jupyterlab, which is not installed; run `pip install 'viputils[lab]'`."
        in done.stderr
    )


@pytest.mark.process
@pytest.mark.skipif(not HAS_LAB, reason="JupyterLab is not installed here; the extra lab installs it")
def test_it_opens_the_notebooks_with_this_python_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # A kernel under the same name that somebody installed for another Python.
    foreign = tmp_path / "home" / ".local" / "share" / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"})
    )
    env = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    command = [str(VIP), "lab", "explore_trends", "--no-browser", "--allow-root", "--port=0"]
    said = tmp_path / "said"
    with said.open("w") as out, subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=out, env=env) as running:
        try:
            until = time.monotonic() + PATIENCE
            while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/lab\S*token=([0-9a-f]+)", said.read_text())):
                assert time.monotonic() < until, said.read_text()
                time.sleep(0.2)
            kernels = asked(f"{found[1]}/api/kernelspecs?token={found[2]}")
            assert kernels["kernelspecs"]["python3"]["spec"]["argv"][0] == sys.executable
            names = {one["name"] for one in asked(f"{found[1]}/api/contents?token={found[2]}")["content"]}
            assert {"explore_trends.ipynb", "monthly_report.ipynb"} <= names
            started = psutil.Process(running.pid).children(recursive=True)
        finally:
            running.send_signal(signal.SIGINT)
            code = running.wait(PATIENCE)
    assert code == 0
    assert "JupyterLab has ended." in said.read_text()
    assert gone(started)
    assert not list(tmp_path.glob("vip-lab-*"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """JupyterLab on a committed copy of the project: its address, its token and the folder."""
    root = copy_of_the_repository(tmp_path / "project")
    shutil.copy(REPOSITORY / ".gitignore", root)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *name, *arguments], cwd=root, check=True)
    env = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "viputils", "lab", "--no-browser", "--allow-root", "--port=0"]
    said = tmp_path / "said"
    with said.open("w") as out, subprocess.Popen(command, cwd=root, stdout=out, stderr=out, env=env) as running:
        try:
            form = r"(http://127\.0\.0\.1:\d+)/lab\S*token=([0-9a-f]+)"
            wait_until(lambda: re.search(form, said.read_text()))
            found = re.search(form, said.read_text())
            assert found is not None
            yield found[1], found[2], root
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(PATIENCE)


def _run_all(tab: Any, address: str, token: str, name: str) -> None:
    """Open a notebook and run all of its cells."""

    def kernel_is(state: str) -> bool:
        sessions = asked(f"{address}/api/sessions?token={token}")
        kernels = [one["kernel"] for one in sessions if one["path"] == f"{name}.ipynb"]
        return any(one["execution_state"] == state and one["connections"] for one in kernels)

    tab.goto(f"{address}/lab/tree/{name}.ipynb?token={token}&reset")
    wait_until(lambda: kernel_is("idle"))
    tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=PATIENCE * 1000)
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    wait_until(lambda: kernel_is("busy"))
    wait_until(lambda: kernel_is("idle"))


def _is_saved(tab: Any) -> bool:
    """Save the notebook, and return whether nothing is left to save."""
    tab.keyboard.press("Control+s")
    tab.wait_for_timeout(200)
    return bool(tab.locator(".jp-mod-dirty").count() == 0)


@pytest.mark.process
@needs_browser
@pytest.mark.skipif(not HAS_LAB, reason="JupyterLab is not installed here; the extra lab installs it")
def test_a_person_chooses_a_count_reads_the_report_and_leaves_the_notebooks_as_they_were(
    lab: tuple[str, str, Path],
) -> None:
    address, token, root = lab
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1300, "height": 1000})
        _run_all(tab, address, token, "explore_trends")
        boxes, shown = tab.locator(".widget-dropdown select"), tab.locator(".jp-OutputArea-output .widget-output").first
        boxes.first.scroll_into_view_if_needed()
        assert boxes.first.locator("option:checked").inner_text().replace("\xa0", " ") == "Adults assisted"
        # A measure without categories, one with categories, and one of people.
        for label in ("Responses", "Responses by incident type", "People notified"):
            boxes.first.select_option(label=label)
            month = shown.locator("table tr", has_text="November 2023")
            month.wait_for(timeout=PATIENCE * 1000)
            shown.get_by_text(re.compile(label.partition(" by ")[0])).first.wait_for(timeout=PATIENCE * 1000)
        wait_until(lambda: _is_saved(tab))
        _run_all(tab, address, token, "monthly_report")
        tab.get_by_role("heading", name="Main points").first.wait_for(timeout=PATIENCE * 1000)
        assert ":::" not in tab.locator(".jp-Notebook").inner_text()
        wait_until(lambda: _is_saved(tab))
        status = ["git", "status", "--porcelain"]
        assert subprocess.run(status, cwd=root, capture_output=True, check=True).stdout == b""


def test_notebooks_are_committed_as_jupyterlab_writes_them() -> None:
    for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        assert text == nbformat.writes(nbformat.reads(text, as_version=4)).rstrip("\n") + "\n", path.name


@pytest.mark.skipif(shutil.which("nbstripout", path=str(VIP.parent)) is None, reason="nbstripout is not installed")
def test_notebooks_are_committed_without_outputs() -> None:
    notebooks = [str(path) for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]
    command = [str(VIP.with_name("nbstripout")), "--verify", "--keep-id", *notebooks]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
