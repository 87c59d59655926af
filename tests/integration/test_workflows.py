"""The workflows that test, build and publish: pinned, with the fewest rights, and with commands that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command import vip
from tests.support.projects import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
BIN = Path(sys.executable).parent


def read(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def runs(path: Path) -> list[str]:
    """Every command of a workflow."""
    return [step["run"] for job in read(path)["jobs"].values() for step in job["steps"] if "run" in step]


def test_there_is_a_workflow_for_every_change_every_delivery_and_every_tagged_issue() -> None:
    assert [path.stem for path in WORKFLOWS] == ["build", "publish", "test"]
    # YAML takes the key "on" for a truth value.
    when = {path.stem: read(path)[True] for path in WORKFLOWS}
    assert set(when["test"]) == {"push", "pull_request"}
    assert when["build"]["push"]["paths"] == ["data/raw/**", "report/activities/**"]
    assert set(when["publish"]["push"]) == {"tags"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(path: Path) -> None:
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    for one in uses:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_only_the_step_that_puts_the_site_online_may_write(path: Path) -> None:
    content = read(path)
    assert content["permissions"] == {"contents": "read"}
    for name, job in content["jobs"].items():
        writes = {right for right, level in job.get("permissions", {}).items() if level == "write"}
        assert writes == ({"pages", "id-token"} if (path.stem, name) == ("publish", "deploy") else set())
        assert job["timeout-minutes"] <= 60


def test_the_workflows_are_in_form_and_an_auditor_finds_nothing() -> None:
    command: list[str | Path] = [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    audit = subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", FOLDER],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr


def test_every_command_and_option_of_a_workflow_is_one_that_vip_has() -> None:
    commands = [found for path in WORKFLOWS for run in runs(path) for found in re.findall(r"bin/vip ([^;\n]*)", run)]
    assert len(commands) >= 6
    for line in commands:
        name, *rest = line.split()
        done = vip(name, "--help")
        assert done.returncode == 0, line
        for option in (word for word in rest if word.startswith("--")):
            assert option in done.stdout, line


def test_a_tag_is_the_name_of_an_issue_and_nothing_from_outside_is_put_into_a_command() -> None:
    tags = read(FOLDER / "publish.yml")[True]["push"]["tags"]
    assert tags == [
        "[0-9][0-9][0-9][0-9]-[0-9][0-9]",
        "[0-9][0-9][0-9][0-9]-[0-9][0-9]-r[0-9]*",
        "FY[0-9][0-9][0-9][0-9]*",
    ]
    assert not [run for path in WORKFLOWS for run in runs(path) if "${{" in run]
