"""The workflows that test, build and publish: pinned, with the fewest rights, and with commands that there are."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command import vip
from tests.support.projects import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
BIN = Path(sys.executable).parent
MAY_WRITE = {
    ("publish", "deploy"): {"pages", "id-token"},
    ("release", "publish"): {"contents", "id-token", "attestations"},
}


def read(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def runs(path: Path) -> list[str]:
    """Every command of a workflow."""
    return [step["run"] for job in read(path)["jobs"].values() for step in job["steps"] if "run" in step]


def test_there_is_a_workflow_for_every_change_every_delivery_every_day_and_every_tag() -> None:
    assert [path.stem for path in WORKFLOWS] == ["build", "daily", "publish", "release", "test"]
    # YAML takes the key "on" for a truth value.
    when = {path.stem: read(path)[True] for path in WORKFLOWS}
    assert set(when["test"]) == {"push", "pull_request"}
    paths = when["build"]["push"]["paths"]
    assert paths[:3] == ["data/raw/**", "program.toml", "report/activities/**"]
    catalogs = [path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("**/locale/es.po")]
    assert {f"{Path(name).parent}/**" for name in catalogs if not name.startswith(".")} == set(paths[3:])
    assert set(when["daily"]) == {"schedule", "workflow_dispatch"}
    assert set(when["publish"]["push"]) == set(when["release"]["push"]) == {"tags"}


def test_a_push_runs_the_quick_tests_and_a_day_all_of_them_on_the_oldest_and_the_newest_python() -> None:
    jobs = {path.stem: read(path)["jobs"] for path in WORKFLOWS}
    assert "bash .ci/run quick" in runs(FOLDER / "test.yml")
    assert "bash .ci/run" in runs(FOLDER / "daily.yml")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = [one.rpartition(" ")[2] for one in project["classifiers"] if "Python :: 3." in one]
    ends = [versions[0], versions[-1]]
    for job in (jobs["test"]["test"], jobs["daily"]["test-all"]):
        assert job["strategy"]["matrix"]["python"] == ends
    assert project["requires-python"] == f">={ends[0]}"
    # The version that is tested since the beginning, and the newest that there is.
    assert jobs["test"]["quarto"]["strategy"]["matrix"]["quarto"] == ["1.9.38", "release"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(path: Path) -> None:
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    for one in uses:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_only_the_jobs_that_publish_may_write(path: Path) -> None:
    content = read(path)
    assert content["permissions"] == {"contents": "read"}
    for name, job in content["jobs"].items():
        writes = {right for right, level in job.get("permissions", {}).items() if level == "write"}
        assert writes == MAY_WRITE.get((path.stem, name), set())
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
