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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.command import VIP, vip
from tests.support.processes import PATIENCE, gone
from tests.support.projects import REPOSITORY

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
    assert "run `make lab` to install and open it." in done.stderr


@pytest.mark.process
@pytest.mark.skipif(not HAS_LAB, reason="JupyterLab is not installed here; make lab installs it")
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


@pytest.mark.skipif(shutil.which("nbstripout", path=str(VIP.parent)) is None, reason="nbstripout is not installed")
def test_notebooks_are_committed_without_outputs() -> None:
    notebooks = [str(path) for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]
    command = [str(VIP.with_name("nbstripout")), "--verify", "--keep-id", *notebooks]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
