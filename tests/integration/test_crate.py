"""An issue as an RO-Crate: what the specification (1.1) requires, and nothing that is not published."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.projects import REPOSITORY, files_of
from viputils.audit.register import IssueName
from viputils.config.project import Project
from viputils.core.errors import ManifestError, ParameterError
from viputils.publish.crate import write_crate
from viputils.records.checksums import checksum

NOVEMBER = IssueName.parse("2023-11")
# What our entities say beyond `@id` and `@type`: all are terms of https://w3id.org/ro/crate/1.1/context, and `sha256`.
TERMS = {
    "about", "agent", "conformsTo", "contentSize", "datePublished", "description", "encodingFormat", "hasPart",
    "identifier", "instrument", "isBasedOn", "license", "mentions", "name", "object", "publisher", "result", "sha256",
    "softwareRequirements", "url", "value", "version",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(artifacts: Artifacts) -> Path:
    return artifacts.november()


@pytest.fixture(scope="module")
def crate(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crates") / "crate"
    done = vip("export", str(folder), "--crate", "2023-11", f"--project={root}")
    assert done.returncode == 0, done.stderr
    assert "ro-crate-metadata.json, with the " in done.stdout
    return folder


@pytest.fixture(scope="module")
def graph(crate: Path) -> dict[str, Any]:
    """The entities of the crate by their id."""
    found = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert found["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    assert len({one["@id"] for one in found["@graph"]}) == len(found["@graph"])
    return {one["@id"]: one for one in found["@graph"]}


def links(value: Any) -> Iterator[str]:
    """Yield what an entity links to."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            assert set(one) == {"@id"}, "an entity is flat: it links to others"
            yield one["@id"]


def test_the_descriptor_and_the_root_are_as_the_specification_requires(graph: dict[str, Any]) -> None:
    descriptor = graph["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    root = graph["./"]
    assert root["@type"] == "Dataset"
    assert root["name"] == "Violence Intervention Program Monthly Informational Report, November 2023"
    assert "This is sample data. It does not describe real people or events." in root["description"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", root["datePublished"])
    assert [graph[one]["identifier"] for one in links(root["license"])] == ["CC0-1.0"]
    assert "scripts/make_demonstration_records.py" in graph[next(links(root["isBasedOn"]))]["name"]


def test_every_entity_has_a_type_known_terms_and_links_to_others(graph: dict[str, Any]) -> None:
    for name, one in graph.items():
        assert one["@type"], name
        assert one.keys() - {"@id", "@type"} <= TERMS, name
        for key, value in one.items():
            if key not in ("@id", "@type", "conformsTo"):
                assert set(links(value)) <= graph.keys(), (name, key)


def test_every_file_is_a_part_with_its_checksum_and_nothing_else_is_there(crate: Path, graph: dict[str, Any]) -> None:
    parts = list(links(graph["./"]["hasPart"]))
    assert all(graph[one]["@type"] == "File" for one in parts)
    there = files_of(crate)
    del there["ro-crate-metadata.json"]
    assert {unquote(one): graph[one]["sha256"] for one in parts} == there
    assert all(graph[one]["contentSize"] == str((crate / unquote(one)).stat().st_size) for one in parts)
    assert all("/" in graph[one]["encodingFormat"] for one in parts)
    # No part, and no other entity, is a path of this machine or leads out of the crate.
    assert not [one for one in graph if one.startswith(("/", "file:", ".."))]


def test_the_action_links_inputs_software_and_outputs_as_the_manifest_lists_them(
    crate: Path, graph: dict[str, Any]
) -> None:
    manifest = json.loads((crate / "manifest.json").read_bytes())
    action = graph[next(links(graph["./"]["mentions"]))]
    assert action["@type"] == "CreateAction"
    assert {unquote(one) for one in links(action["result"])} == {*manifest["outputs"], "manifest.json"}
    files = {name: known for kind, those in manifest["inputs"].items() if kind != "register" for name, known in
             those.items()}  # fmt: skip
    inputs = {graph[one]["name"]: graph[one] for one in links(action["object"])}
    assert {name: inputs[name]["identifier"].removeprefix("sha256:") for name in files} == files
    assert inputs["as_of"]["value"] == "2023-12-04"
    used = {graph[one]["name"]: graph[one] for one in links(action["instrument"])}
    assert used["Python"]["version"] == manifest["python"]
    assert used["embedded engine"]["version"] == manifest["engine"]["version"]
    packages = {graph[one]["name"]: graph[one]["version"] for one in links(used["viputils"]["softwareRequirements"])}
    assert packages | {"viputils": used["viputils"]["version"]} == manifest["packages"]
    assert graph[next(links(action["agent"]))]["@type"] == "Organization"


def test_no_record_and_no_private_path_is_in_the_description(crate: Path, root: Path) -> None:
    text = (crate / "ro-crate-metadata.json").read_text(encoding="utf-8")
    assert "DEMO-" not in text
    for place in (root, crate, REPOSITORY, Path.home()):
        assert f"{place}/" not in text
    # The register knows who approved an issue; the crate does not.
    assert "approved_by" not in text


def test_the_same_issue_makes_the_same_bytes(crate: Path, root: Path, tmp_path: Path) -> None:
    write_crate(Project.open(root), NOVEMBER, tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(crate)


def test_only_an_issue_as_it_was_made_goes_into_a_new_folder(root: Path, tmp_path: Path) -> None:
    project = Project.open(shutil.copytree(root, tmp_path / "a project"))
    (project.issues / "2023-11" / "notes.txt").write_text("mine", encoding="utf-8")
    write_crate(project, NOVEMBER, tmp_path / "crate")
    assert not (tmp_path / "crate" / "notes.txt").exists()
    with pytest.raises(ParameterError, match=r"exists; name a new folder\."):
        write_crate(project, NOVEMBER, tmp_path / "crate")
    with pytest.raises(ManifestError, match=r"issues/2023-12/manifest.json: is missing"):
        write_crate(project, IssueName.parse("2023-12"), tmp_path / "other")
    (project.issues / "2023-11" / "figures.csv").write_text("measure\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"issues/2023-11/figures.csv: was edited after it was made"):
        write_crate(project, NOVEMBER, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    done = vip("export", str(tmp_path / "x"), "--crate", "2023-11", "--as-of", "2023-12-04", f"--project={root}")
    assert (done.returncode, "an issue has its own as-of date" in done.stderr) == (2, True)


def test_real_records_without_a_salt_are_not_exported(artifacts: Artifacts, tmp_path: Path) -> None:
    root = shutil.copytree(artifacts.philadelphia(), tmp_path / "Philadelphia")
    project = Project.open(root)
    write_crate(project, IssueName.parse("2020-11"), tmp_path / "crate")
    manifest = project.issues / "2020-11" / "manifest.json"
    known = json.loads(manifest.read_bytes())
    name = next(iter(known["inputs"]["deliveries"]))
    known["inputs"]["deliveries"][name] = checksum(root / name)
    manifest.write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(ManifestError, match="check a guess at a record"):
        write_crate(project, IssueName.parse("2020-11"), tmp_path / "other")
