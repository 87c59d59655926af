"""The container: what its Containerfile runs also runs in a clean folder, as a user who is not root."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import REPOSITORY

# On every Linux, and allowed nothing.
NOBODY = 65534


def instructions() -> list[tuple[str, str]]:
    """Return each instruction of the Containerfile with its arguments."""
    text = (REPOSITORY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def commands_of_the_user() -> list[str]:
    """Return the commands that run as the user of the container and not as root."""
    found = instructions()
    return [said for kind, said in found[found.index(("USER", "vip")) :] if kind == "RUN"]


def test_both_commands_of_the_readme_are_set_up_from_locked_lists_as_an_ordinary_user() -> None:
    assert [said for kind, said in instructions() if kind == "USER"] == ["vip"]
    ran = commands_of_the_user()
    assert ran == ["make report", "sh scripts/set_up.sh test"]
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert "report:\n\t@sh scripts/set_up.sh report\n" in makefile
    # As root, only packages of the system are installed and the user is made.
    before = [said for kind, said in instructions() if kind == "RUN"][: -len(ran)]
    assert all(re.match("apt-get update|useradd ", said) for said in before)


def test_the_development_container_is_a_stage_of_the_containerfile() -> None:
    settings = json.loads((REPOSITORY / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    build = settings["build"]
    assert (REPOSITORY / ".devcontainer" / build["dockerfile"]).resolve() == REPOSITORY / "Containerfile"
    assert (REPOSITORY / ".devcontainer" / build["context"]).resolve() == REPOSITORY
    stages = [said.split(" AS ")[1] for kind, said in instructions() if kind == "FROM"]
    assert build["target"] in stages
    assert ("USER", settings["remoteUser"]) in instructions()
    assert settings["postCreateCommand"].split(" && ") == commands_of_the_user()


def test_binder_installs_the_locked_packages_of_the_notebooks() -> None:
    script = REPOSITORY / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", script], check=True)
    assert "--require-hashes --requirement requirements/lab.txt" in script.read_text(encoding="utf-8")
    assert (REPOSITORY / ".binder" / "runtime.txt").read_text(encoding="utf-8") == "python-3.11\n"


@pytest.fixture
def clean_copy() -> Iterator[Path]:
    """A copy of the files of the repository in a folder of another user, if this is root."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "home" / "viputils"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (REPOSITORY / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / name, root / name)
        if os.geteuid() == 0:
            for path in (Path(place), *Path(place).rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield root


def as_user(command: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as the container does: in a plain shell, with a home of its own, and not as root."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    env = {**kept, "PATH": os.defpath + ":/usr/local/bin", "HOME": str(root.parent), "LANG": "C.UTF-8"}
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        ["/bin/sh", "-c", command], cwd=root, env=env, capture_output=True, text=True, check=False, **other
    )


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="the container is one of Linux")
def test_every_command_of_the_containerfile_runs_in_a_clean_folder_as_another_user(clean_copy: Path) -> None:
    found = as_user("python3 -c 'import sys, venv, ensurepip; print(sys.version_info >= (3, 11))'", clean_copy)
    if found.stdout.strip() != "True":
        pytest.skip(f"another user has no Python 3.11 with venv here: {found.stderr or found.stdout}")
    some = next(
        line.split()[0] for line in (REPOSITORY / "requirements" / "report.txt").read_text().splitlines()
        if line.startswith("idna==")
    )  # fmt: skip
    try_it = f"python3 -m venv ../try && ../try/bin/pip download -q --no-deps -d ../try {some}"
    if (fetched := as_user(try_it, clean_copy)).returncode:
        pytest.skip(f"no package index can be reached here: {fetched.stderr.strip()[-200:]}")
    for command in commands_of_the_user():
        done = as_user(command, clean_copy)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert (clean_copy / "issues" / "2023-11" / "vip-2023-11.pdf").is_file()
    done = as_user(".venv/bin/vip verify 2023-11 && .venv/bin/python -m pytest --version", clean_copy)
    assert "28 of 28 figures reproduced" in done.stdout
    assert "pytest" in done.stdout
