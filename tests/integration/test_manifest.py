"""The manifest of an issue: everything that it was made from and with, and nothing about who made it where and when."""

from __future__ import annotations

import getpass
import json
import platform
import re
import shutil
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from packaging.requirements import Requirement

from tests.support.artifacts import Artifacts
from tests.support.projects import REPOSITORY, Deliver
from tests.support.register import printed
from viputils.audit.as_of import load_edition
from viputils.audit.manifest import (
    Inventory,
    Manifest,
    changed_inputs,
    changed_versions,
    inputs_of,
    package_versions,
    read_manifest,
    require_deliveries,
    touched_since,
)
from viputils.audit.register import read_register
from viputils.audit.verdicts import verify_register
from viputils.config.project import Project
from viputils.core.errors import ManifestError, RenderError
from viputils.core.months import ReportMonth
from viputils.publish.site.preview import watched
from viputils.publish.site.render import write_settings
from viputils.records.checksums import checksum
from viputils.report.render.embedded import EmbeddedEngine


@pytest.fixture(scope="module")
def city(artifacts: Artifacts) -> Project:
    """The repository's project in another folder, and its November issue, made there."""
    return Project.open(artifacts.november())


@pytest.fixture(scope="module")
def text(city: Project) -> str:
    return (city.issues / "2023-11" / "manifest.json").read_text(encoding="utf-8")


@pytest.fixture
def raw(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    return read


def written(folder: Path, raw: dict[str, Any]) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def test_every_issue_has_a_manifest_in_the_documented_form(raw: dict[str, Any]) -> None:
    schema = json.loads((REPOSITORY / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(raw)
    for key in ("deliveries", "program", "notebook", "templates", "texts", "library", "register"):
        assert raw["inputs"][key], key


def test_the_documented_form_is_that_of_the_code() -> None:
    documented = json.loads((REPOSITORY / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
    documented.pop("$schema")
    assert documented == Manifest.model_json_schema(by_alias=True)
    words = (REPOSITORY / "docs" / "manifest.md").read_text(encoding="utf-8")
    for name in Manifest.model_fields:
        assert f"`{name}" in words


def test_it_names_every_file_that_was_read_and_every_file_that_was_made(city: Project, raw: dict[str, Any]) -> None:
    def below(folder: str) -> set[str]:
        paths = (city.root / folder).rglob("*")
        return {path.relative_to(city.root).as_posix() for path in paths if path.is_file()}

    inputs = raw["inputs"]
    assert set(inputs["deliveries"]) == {name for name in below("data/raw") if name.endswith(".csv")}
    assert set(inputs["templates"]) == {"_quarto.yml"} | below("report/theme") | below("report/fonts")
    assert set(inputs["texts"]) == {"report/introduction.md", "report/definitions.md", "report/activities/2023-11.md"}
    assert set(inputs["program"]) == {"program.toml"}
    assert set(inputs["notebook"]) == {"notebooks/monthly_report.ipynb"}
    package = REPOSITORY / "src"
    assert set(inputs["library"]) == {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    made = {path.removeprefix("issues/2023-11/") for path in below("issues/2023-11")}
    assert set(raw["outputs"]) == made - {"manifest.json"}
    for kind in ("deliveries", "program", "notebook", "templates", "texts"):
        for name, was in inputs[kind].items():
            assert checksum(city.root / name) == was
    for name, was in raw["outputs"].items():
        assert checksum(city.issues / "2023-11" / name) == was


def test_it_knows_the_versions_of_what_makes_the_bytes_and_of_nothing_else(raw: dict[str, Any]) -> None:
    assert raw["python"] == platform.python_version()
    assert raw["packages"] == package_versions()
    # What each of them requires here is among them, and nothing but that.
    needed = [Requirement(text) for name in raw["packages"] for text in distribution(name).requires or []]
    here = [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    assert raw["packages"].keys() == {"viputils", *(re.sub(r"[-_.]+", "-", name).lower() for name in here)}
    for name in ("viputils", "pandas", "matplotlib", "papermill", "typst", "pypandoc-binary"):
        assert raw["packages"][name] == version(name)
    # What tests need is here, and has no part in an issue.
    assert not {"pytest", "hypothesis", "mypy", "jupyterlab"} & set(raw["packages"])
    assert raw["engine"]["name"] == "embedded"
    assert f"Typst {version('typst')}" in raw["engine"]["version"]


def test_it_knows_no_clock_no_user_no_folder_and_no_machine(city: Project, text: str) -> None:
    for secret in (str(city.root.parent), str(Path.home()), platform.node(), str(REPOSITORY)):
        assert secret not in text
    assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)
    assert not re.search(r"\d\d:\d\d", text)
    days = set(re.findall(r"\b20\d\d-\d\d-\d\d\b", text))
    received = {path.name for path in city.raw.iterdir() if path.is_dir()}
    assert days <= received


def test_where_git_keeps_a_history_it_names_the_commit_and_whether_the_tree_was_clean(
    city: Project, raw: dict[str, Any], tmp_path: Path
) -> None:
    assert raw["git"] is None
    from viputils.core.git import commit_of, git

    (tmp_path / "a file").touch()
    assert git(tmp_path, "init", "--quiet") is not None
    assert commit_of(tmp_path) is None
    git(tmp_path, "add", ".")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    assert git(tmp_path, *who, "commit", "--quiet", "-m", "x") is not None
    commit = commit_of(tmp_path)
    assert commit is not None
    assert re.fullmatch(r"[0-9a-f]{40}", commit.id)
    assert commit.clean
    (tmp_path / "another").touch()
    changed = commit_of(tmp_path)
    assert changed is not None
    assert (changed.id, changed.clean) == (commit.id, False)


def test_the_inputs_of_an_issue_are_those_of_its_day(city: Project) -> None:
    october = load_edition(city, "2023-10")
    inputs = inputs_of(city, october.month, october.as_of, {})
    assert max(inputs.deliveries) < "data/raw/2023-11-04"
    assert "report/activities/2023-11.md" not in inputs.texts


def test_the_theme_that_is_named_is_the_one_that_is_used(repository_example: Path, tmp_path: Path) -> None:
    root = tmp_path / "cities" / "philadelphia"
    shutil.copytree(repository_example, root, ignore=shutil.ignore_patterns("issues", ".*"))
    for name in ("notebooks", "report"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    shutil.copy(REPOSITORY / "_quarto.yml", tmp_path)
    # A theme of its own that no page is made with, since the settings of the pages are the shared ones.
    own = root / "report" / "theme"
    shutil.copytree(tmp_path / "report" / "theme", own)
    (own / "report.css").write_text("/* unused */", encoding="utf-8")
    project = Project.open(root)
    inputs = inputs_of(project, ReportMonth.parse("2020-11"), load_edition(project, "2020-11").as_of, {})
    assert inputs.templates["report/theme/report.css"] == checksum(tmp_path / "report" / "theme" / "report.css")


def test_what_the_settings_name_and_what_a_link_leads_to_are_inputs_too(city: Project, tmp_path: Path) -> None:
    root = shutil.copytree(city.root, tmp_path / "a city")
    for file in (root / "report" / "city" / "city.css", tmp_path / "elsewhere" / "more.css"):
        file.parent.mkdir()
        file.write_text("h1 { color: red }", "utf-8")
    (root / "report" / "theme" / "sub").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "elsewhere")
    settings = root / "_quarto.yml"
    css, before = "report/theme/report.css", settings.read_text("utf-8")
    assert css in before
    settings.write_text(before.replace(css, f"[{css}, report/city/city.css]"), "utf-8")
    names = Inventory(Project.open(root)).templates
    assert {"report/city/city.css", "report/theme/sub/more.css"} <= set(names)
    assert len(names) == len(set(names))
    settings.write_text(before.replace(css, "../elsewhere/more.css"), "utf-8")
    with pytest.raises(ManifestError, match=r"'\.\./elsewhere/more\.css', which is outside the project"):
        _ = Inventory(Project.open(root)).templates


def test_a_folder_that_two_links_lead_to_is_an_input_under_both_names(city: Project, tmp_path: Path) -> None:
    root = shutil.copytree(city.root, tmp_path / "a city")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more.css").write_text("h1 { color: red }", "utf-8")
    for link in ("b", "a", "c"):
        (root / "report" / "theme" / link).symlink_to(tmp_path / "elsewhere")
    names = [name for name in Inventory(Project.open(root)).templates if name.endswith("/more.css")]
    assert names == [f"report/theme/{link}/more.css" for link in "abc"]


def test_a_site_is_made_with_all_templates_and_the_preview_looks_at_all_of_them(city: Project, tmp_path: Path) -> None:
    root = shutil.copytree(city.root, tmp_path / "a city")
    for name in ("elsewhere/more.css", "a city/assets/.own.css"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("h1 { color: red }", "utf-8")
    (root / "report" / "theme" / "sub").symlink_to(tmp_path / "elsewhere")
    settings = root / "_quarto.yml"
    css = "report/theme/report.css"
    settings.write_text(settings.read_text("utf-8").replace(css, f"[{css}, assets/.own.css]"), "utf-8")
    project = Project.open(root)
    names = Inventory(project).templates
    assert {"report/theme/sub/more.css", "assets/.own.css"} <= set(names)
    looked_at = watched(project)
    assert all(any((root / name).is_relative_to(place) for place in looked_at) for name in names)
    (tmp_path / "a copy").mkdir()
    write_settings(project, tmp_path / "a copy")
    assert all((tmp_path / "a copy" / name).is_file() for name in names)


@pytest.mark.parametrize(
    "settings",
    [b"# Gr\xfc\xdfe\n", b"date: 2023-02-30\n", b"a: &a [*a]\n", b"a: [\n"],
    ids=["latin", "day", "round", "torn"],
)
def test_settings_that_cannot_be_read_name_no_file_and_the_engine_says_what_is_wrong(
    city: Project, tmp_path: Path, settings: bytes
) -> None:
    root = shutil.copytree(city.root, tmp_path / "a city")
    (root / "_quarto.yml").write_bytes(settings)
    assert "_quarto.yml" in Inventory(Project.open(root)).templates
    with pytest.raises(RenderError, match=r"_quarto\.yml"):
        EmbeddedEngine().render(root, root / "issue.ipynb", ["html"])


def test_a_file_that_cannot_even_be_looked_for_was_touched(raw: dict[str, Any], tmp_path: Path) -> None:
    name = "x" * 300
    manifest = read_manifest(written(tmp_path, raw | {"outputs": {name: "0" * 64}}))
    (problem,) = touched_since(manifest, tmp_path, "issues/2023-11")
    assert str(problem) == f"issues/2023-11/{name}: cannot be read (File name too long); make the issue again."


def test_nothing_changed_is_no_change(city: Project, raw: dict[str, Any], tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, raw))
    assert changed_inputs(city, manifest) == []
    assert changed_versions(manifest, (manifest.engine.name, manifest.engine.version)) == []


def test_each_change_is_named(city: Project, raw: dict[str, Any], tmp_path: Path) -> None:
    raw["inputs"]["templates"]["report/theme/report.css"] = "0" * 64
    raw["inputs"]["texts"]["report/activities/2023-09.md"] = "0" * 64
    raw["packages"] |= {"pandas": "1.0", "gone": "2.0"}
    del raw["packages"]["numpy"]
    raw["python"] = "2.7"
    manifest = read_manifest(written(tmp_path, raw))
    assert [str(change) for change in changed_inputs(city, manifest)] == [
        "report/theme/report.css (templates): changed",
        "report/activities/2023-09.md (texts): gone",
    ]
    versions = [str(change) for change in changed_versions(manifest, ("quarto", "Quarto 1.9"))]
    assert versions == [
        "gone: 2.0 then, not there now",
        f"numpy: not there then, {version('numpy')} now",
        f"pandas: 1.0 then, {version('pandas')} now",
        f"Python: 2.7 then, {platform.python_version()} now",
        f"engine: embedded ({manifest.engine.version}) then, quarto (Quarto 1.9) now",
    ]


def test_a_delivery_that_is_gone_or_changed_is_refused(city: Project, raw: dict[str, Any], tmp_path: Path) -> None:
    raw["inputs"]["deliveries"] |= {
        "data/raw/2023-12-04/responses.csv": "0" * 64,
        "data/raw/2023-12-05/x.csv": "0" * 64,
    }
    manifest = read_manifest(written(tmp_path, raw))
    with pytest.raises(ManifestError) as refused:
        require_deliveries(city, manifest, "manifest.json")
    message = str(refused.value)
    assert "data/raw/2023-12-04/responses.csv: is not the file that manifest.json names" in message
    assert "data/raw/2023-12-05/x.csv: is missing, and manifest.json names it" in message


def test_an_issue_whose_delivery_is_gone_gets_no_verdict(
    project: Project, deliver: Deliver, raw: dict[str, Any]
) -> None:
    issue = printed(project, 0)
    deliver("2023-12-04")
    raw["inputs"]["deliveries"] = {"data/raw/2023-12-05/outreach.csv": "0" * 64}
    path = project.published / f"{issue.name}.manifest.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    index = project.published / "index.csv"
    index.write_text(index.read_text(encoding="utf-8").rstrip("\n") + checksum(path) + "\n", encoding="utf-8")
    assert read_register(project).issues[0].manifest == path
    with pytest.raises(ManifestError, match=r"data/raw/2023-12-05/outreach\.csv: is missing"):
        verify_register(project)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"manifest_version": 3}, "manifest.json, manifest_version: 3 is newer than 2"),
        ({"manifest_version": 0}, "manifest.json, manifest_version"),
        ({"manifest_version": "1"}, "manifest.json, manifest_version"),
        ({"made_at": "12:00"}, "manifest.json, made_at: Extra inputs"),
        ({"outputs": {"../x": "0" * 64}}, "must be a path inside the project"),
        ({"outputs": {"/etc/passwd": "0" * 64}}, "must be a path inside the project"),
        ({"outputs": {"C:/x": "0" * 64}}, "must be a path inside the project"),
        ({"outputs": {"a": "0" * 63}}, "manifest.json, outputs.a: String should match pattern"),
        (
            {"parameters": {"month": "2023-13", "as_of": "20231204", "allow_quarantined": 0, "has_activities": True}},
            "must be a month",
        ),
        (
            {"parameters": {"month": "2023-13", "as_of": "20231204", "allow_quarantined": 0, "has_activities": True}},
            "must be a date",
        ),
        (
            {"parameters": {"month": "2023-13", "as_of": "20231204", "allow_quarantined": 0, "has_activities": True}},
            "allow_quarantined",
        ),
        ({"engine": {"name": "word", "version": "1"}}, "manifest.json, engine.name"),
    ],
)
def test_a_manifest_of_another_form_is_refused_by_key(
    raw: dict[str, Any], change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ManifestError) as refused:
        read_manifest(written(tmp_path, raw | change))
    assert says in str(refused.value)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", "[" * 100_000, '{"a": 1, "a": 2}', "\0"])
def test_what_is_no_manifest_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        read_manifest(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(path)
    path.unlink()
    with pytest.raises(ManifestError, match="is missing"):
        read_manifest(path)
