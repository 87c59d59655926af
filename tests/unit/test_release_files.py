"""What describes the project to people and machines is in form, and says the same as pyproject.toml."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import viputils
from tests.support.projects import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
FORMS = REPOSITORY / ".github" / "ISSUE_TEMPLATE"
USERS = ("analyst", "communications", "evaluator")
AUTHORS = "The viputils contributors"


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def released() -> tuple[str, str]:
    """The newest version of the changelog, with its date."""
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", text("CHANGELOG.md"), flags=re.MULTILINE)
    assert found is not None
    return found[1], found[2]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("citation-file-format", [REPOSITORY / "CITATION.cff"]),
        ("github-issue-forms", [FORMS / f"{user}.yml" for user in USERS]),
        ("github-issue-config", [FORMS / "config.yml"]),
    ],
)
def test_each_file_is_as_its_schema_wants_it(schema: str, files: list[Path]) -> None:
    command: list[str | Path] = [
        Path(sys.executable).parent / "check-jsonschema",
        "--builtin-schema",
        f"vendor.{schema}",
        *files,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_there_is_an_issue_form_for_each_kind_of_user_and_each_warns_of_private_details() -> None:
    assert sorted(path.stem for path in FORMS.iterdir()) == sorted([*USERS, "config"])
    for user in USERS:
        first = yaml.safe_load((FORMS / f"{user}.yml").read_text(encoding="utf-8"))["body"][0]
        assert first["type"] == "markdown"
        assert "see SECURITY.md" in first["attributes"]["value"]


def test_every_file_names_the_same_version_date_license_and_authors() -> None:
    assert viputils.__version__ == VERSION
    version, day = released()
    assert version == VERSION
    citation = yaml.safe_load(text("CITATION.cff"))
    code, zenodo = json.loads(text("codemeta.json")), json.loads(text(".zenodo.json"))
    assert {citation["version"], code["version"], zenodo["version"]} == {VERSION}
    assert {str(citation["date-released"]), code["datePublished"], code["dateModified"]} == {day}
    assert zenodo["publication_date"] == day
    assert {citation["license"], zenodo["license"], code["license"].rpartition("/")[2]} == {PROJECT["license"]}
    named = [citation["authors"], code["author"], zenodo["creators"]]
    assert [[one["name"] for one in people] for people in named] == [[AUTHORS]] * 3
    assert citation["keywords"] == code["keywords"] == zenodo["keywords"] == PROJECT["keywords"]


def test_codemeta_and_zenodo_have_the_keys_that_they_require() -> None:
    code: dict[str, Any] = json.loads(text("codemeta.json"))
    assert code["@context"] == "https://w3id.org/codemeta/3.0"
    assert code["@type"] == "SoftwareSourceCode"
    assert {"name", "description", "author", "license", "version"} <= code.keys()
    # https://developers.zenodo.org/#representation: what a deposit of software must have.
    zenodo: dict[str, Any] = json.loads(text(".zenodo.json"))
    assert {"upload_type", "title", "creators", "description", "access_right", "license"} <= zenodo.keys()
    assert (zenodo["upload_type"], zenodo["access_right"]) == ("software", "open")


def test_the_security_policy_begins_with_details_about_people() -> None:
    first = re.findall(r"^## (.*)$", text("SECURITY.md"), flags=re.MULTILINE)[0]
    assert first == "If you find a detail about a person"
