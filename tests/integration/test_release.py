"""A release: the same bytes twice, all that a city needs, notes, a bill of materials and the licenses."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.projects import REPOSITORY
from viputils import __version__
from viputils.setup.skeleton import SHARED

SCRIPTS = REPOSITORY / "scripts"
LOCK = REPOSITORY / "requirements" / "report.txt"


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return runpy.run_path(str(SCRIPTS / f"{name}.py"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Wheel and source of the files of this folder."""
    folder = tmp_path_factory.mktemp("dist")
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, cwd=REPOSITORY, env=env, check=True, capture_output=True, timeout=60)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_wheel_has_each_file_that_a_new_city_gets(built: dict[str, bytes]) -> None:
    wheel = zipfile.ZipFile(io.BytesIO(built[f"viputils-{__version__}-py3-none-any.whl"]))
    names = set(wheel.namelist())
    for shared in SHARED:
        path = REPOSITORY / shared
        for file in [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]:
            name = f"viputils/setup/skeleton/{file.relative_to(REPOSITORY).as_posix()}"
            assert wheel.read(name) == file.read_bytes(), name
    templates = REPOSITORY / "src" / "viputils" / "setup" / "templates"
    assert {f"viputils/setup/templates/{path.name}" for path in templates.iterdir()} <= names
    assert not [
        name for name in names if name.startswith("viputils/") and name.endswith((".pyc", ".ipynb_checkpoints"))
    ]


@pytest.mark.whole_issues
def test_a_city_without_a_clone_makes_and_publishes_its_report_with_the_wheel_alone(
    built: dict[str, bytes], tmp_path: Path
) -> None:
    site, city = tmp_path / "site", tmp_path / "ourcity"
    wheel = f"viputils-{__version__}-py3-none-any.whl"
    (tmp_path / wheel).write_bytes(built[wheel])
    shutil.unpack_archive(tmp_path / wheel, site, "zip")
    days = [day.strftime("%Y-%m-%d") for day in pd.date_range("2023-01-01", "2024-01-31", freq="5D")]
    rows = [f"C-{number},{day},{('Homicide', 'Shooting')[number % 2]}" for number, day in enumerate(days)]
    export = tmp_path / "export.csv"
    export.write_text("\n".join(["case number,occurred date,offense", *rows, ""]), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(site)}

    def run(*words: str | Path, cwd: Path = city) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert run("-c", "import viputils; print(viputils.__file__)", cwd=tmp_path).startswith(str(site))
    run("-m", "viputils", "init", city, export, "--yes", cwd=tmp_path)
    run("-m", "viputils", "report", "2024-01")
    run("-m", "viputils", "publish", "2024-01", "--approved-by", "The program")
    assert "Ran 1 test" in (said := run("-m", "unittest", "discover", "-s", "tests"))
    assert "skipped" not in said
    figures = pd.read_csv(city / "issues" / "2024-01" / "figures.csv")
    total = figures.query("period == 'month' and category.isna()")["value"]
    assert total.tolist() == [sum(day.startswith("2024-01") for day in days)]


def test_the_source_builds_the_same_wheel(built: dict[str, bytes], tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(built[f"viputils-{__version__}.tar.gz"])) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-d", tmp_path / "dist"]
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, cwd=source, env=env, check=True, capture_output=True, timeout=60)
    again = {path.name: path.read_bytes() for path in (tmp_path / "dist").iterdir()}
    assert again.keys() == built.keys()
    assert [name for name, content in again.items() if content != built[name]] == []


def test_the_extras_are_those_of_the_docs_and_the_core_needs_no_statsmodels(built: dict[str, bytes]) -> None:
    wheel = zipfile.ZipFile(io.BytesIO(built[f"viputils-{__version__}-py3-none-any.whl"]))
    about = wheel.read(f"viputils-{__version__}.dist-info/METADATA").decode()
    extras = set(re.findall(r"^Provides-Extra: (.*)$", about, flags=re.MULTILINE))
    assert extras == {"build", "cluster", "lab", "sources", "test"}
    core = [one for one in re.findall(r"^Requires-Dist: (.*)$", about, flags=re.MULTILINE) if "extra ==" not in one]
    assert not [one for one in core if one.startswith(("statsmodels", "duckdb", "jupyterlab", "distributed", "fsspec"))]
    assert "statsmodels" not in LOCK.read_text(encoding="utf-8")


def test_the_bill_of_materials_has_each_locked_package_with_each_of_its_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    sbom = script("write_sbom", monkeypatch)
    bill = json.loads(sbom["written"](LOCK))
    assert sbom["written"](LOCK) == json.dumps(bill, indent=2) + "\n"
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    locked = re.findall(r"^(\S+)==(\S+)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    libraries = [one for one in bill["components"] if one["type"] == "library"]
    assert [(one["name"], one["version"]) for one in libraries] == locked
    hashes = [one["content"] for each in libraries for one in each["externalReferences"][0]["hashes"]]
    assert hashes == re.findall(r"sha256:([0-9a-f]{64})", LOCK.read_text(encoding="utf-8"))
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references))
    (pandoc,) = [one for one in bill["components"] if one["name"] == "pandoc"]
    assert pandoc["licenses"] == [{"license": {"id": "GPL-2.0-or-later"}}]


def test_the_list_of_licenses_names_each_package_and_the_license_of_pandoc(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = script("list_licenses", monkeypatch)["listed"]()
    for name in ("pandas", "pypandoc_binary", "typst", "scipy"):
        assert re.search(rf"(?m)^{name} +\d\S* +\S", listed), name
    assert "GNU General Public License, version 2 or later" in listed


def test_the_notes_are_the_section_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    section = script("release", monkeypatch)["section"]
    text = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2027-01-02\n\n### Added\n\n- One.\n\n"
    text += "## [1.0.0] - 2026-11-29\n\n- All.\n"
    assert section(text, "1.1.0") == "### Added\n\n- One."
    assert section(text, "1.0.0") == "- All."
    with pytest.raises(SystemExit, match=r"has no section '## \[1.2.0\] - YYYY-MM-DD'"):
        section(text, "1.2.0")
    with pytest.raises(SystemExit):
        section("## [1.2.0] - 2027-02-03\n\n## [1.1.0] - 2027-01-02\n\n- One.\n", "1.2.0")


def test_a_tag_of_another_version_is_refused() -> None:
    command: list[str | Path] = [sys.executable, SCRIPTS / "release.py", "--tag", "v0.0.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert (
        f"--tag: v0.0.1 is not the version of this commit; the tag of {__version__} is v{__version__}." in done.stderr
    )
