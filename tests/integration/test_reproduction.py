"""An issue is made again from its record alone, and every byte that is another one is said, with what changed."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import started_vip, vip
from tests.support.histories import with_tables
from tests.support.pages import issue_made
from tests.support.projects import HEADERS, REPOSITORY, with_a_short_report, without_manifests
from viputils.config.project import Project
from viputils.core.errors import ManifestError, ParameterError
from viputils.publish.reproduction import reproduce
from viputils.records.deliveries import write_coverage
from viputils.report.render import choose_engine

OUTPUTS = {
    "figures.csv", "figures.json", "series.csv", "datapackage.json", "vip-2023-11.ipynb",
    *(
        f"charts/chart-{name}{end}"
        for name in ("by-month", "usual-range", "pace", "tile-map")
        for end in (".svg", ".png", "-slide.png")
    ),
    "vip-2023-11.html", "vip-2023-11.pdf", "vip-2023-11.docx",
    *(f"vip-2023-11-summary.{kind}" for kind in ("html", "pdf", "txt")), "card.png",
}  # fmt: skip
# The report of tests that are not about pages has one chart and no summary.
FEW_OUTPUTS = {
    name for name in OUTPUTS if not any(one in name for one in ("usual-range", "pace", "tile-map", "summary", "card"))
}


def without_record(root: Path) -> Path:
    """Leave only the figures in the register, so that the issue that was made in this folder is made again.

    The record in the register has its own test.
    """
    without_manifests(root / "data" / "published")
    return root


@pytest.fixture
def city(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> Project:
    """The repository's project with its November issue, short and plain."""
    return Project.open(without_record(shutil.copytree(artifacts.plain_issue("2023-11"), tmp_path / "a project")))


@pytest.fixture
def manifest(city: Project) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((city.issues / "2023-11" / "manifest.json").read_text(encoding="utf-8"))
    return read


def results(found: Any) -> dict[str, str]:
    return dict(zip(found.outputs["file"], found.outputs["result"], strict=True))


def test_the_november_2023_issue_of_the_register_is_reproduced_byte_for_byte() -> None:
    done = vip("reproduce", "2023-11", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["manifest"] == "data/published/2023-11.manifest.json"
    assert {row["file"]: row["result"] for row in said["outputs"]} == dict.fromkeys(OUTPUTS, "identical")
    parts = [row["part"] for row in said["outputs"]]
    # In the order of the pages, each part together.
    assert [part for part, _ in itertools.groupby(parts)] == [
        "Figures", "Data", "Notebook outputs", "Charts", "HTML", "PDF", "DOCX", "Summary",
    ]  # fmt: skip
    assert (parts.count("Data"), parts.count("Charts"), parts.count("HTML"), parts.count("PDF")) == (3, 13, 2, 2)


def test_what_was_reproduced_is_said_with_the_number_of_files(city: Project) -> None:
    before = sorted(city.root.rglob("*"))
    done = vip("reproduce", "2023-11", "--project", str(city.root))
    assert done.returncode == 0, done.stderr
    assert sorted(city.root.rglob("*")) == before
    assert f"Reproduced: all {len(FEW_OUTPUTS)} files are identical, byte for byte." in done.stdout


@pytest.mark.whole_issues
def test_later_deliveries_other_months_and_later_issues_have_no_part_in_it(city: Project, tmp_path: Path) -> None:
    root = tmp_path / "later"
    shutil.copytree(city.root, root)
    shutil.copytree(root / "data" / "raw" / "2023-12-04", root / "data" / "raw" / "2024-01-04")
    (root / "report" / "activities" / "2023-12.md").write_text("## Later\n\nText.\n", encoding="utf-8")
    (root / "report" / "theme" / "notes.txt").write_text("not a part of any page", encoding="utf-8")
    later = Project.open(root)
    found = reproduce(later, "2023-11", keep=tmp_path / "kept")
    assert found.identical, found.conclusion
    assert found.changes == ()
    assert found.source == "issues/2023-11/manifest.json"
    for name in FEW_OUTPUTS:
        assert (tmp_path / "kept" / name).read_bytes() == (city.issues / "2023-11" / name).read_bytes()


@pytest.mark.whole_issues
def test_what_made_the_bytes_differ_is_named(artifacts: Artifacts, tmp_path: Path) -> None:
    root = without_record(shutil.copytree(artifacts.november(), tmp_path / "changed"))
    css = root / "report" / "theme" / "report.css"
    css.write_text(css.read_text(encoding="utf-8") + "\n/* another page */\n", encoding="utf-8")
    found = reproduce(Project.open(root), "2023-11")
    assert not found.identical
    assert results(found) == dict.fromkeys(OUTPUTS, "identical") | {"vip-2023-11.html": "differs"}
    assert [str(change) for change in found.changes] == ["report/theme/report.css (templates): changed"]
    assert found.conclusion[0] == "Not reproduced: vip-2023-11.html."


@pytest.mark.whole_issues
def test_an_alias_that_was_added_since_makes_no_difference_and_is_named(city: Project, tmp_path: Path) -> None:
    root = tmp_path / "alias"
    shutil.copytree(city.root, root)
    settings = root / "program.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace('["HOM", ', '["HOM", "Killing", '), encoding="utf-8"
    )
    found = reproduce(Project.open(root), "2023-11")
    assert found.identical
    assert "  program.toml (program): changed" in found.conclusion


def test_another_print_in_the_register_is_a_change(city: Project, manifest: dict[str, Any], tmp_path: Path) -> None:
    manifest["inputs"]["register"]["2023-11"] = "0" * 64
    manifest["outputs"]["gone.pdf"] = "0" * 64
    del manifest["outputs"]["figures.csv"]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found = reproduce(city, str(path))
    assert [str(change) for change in found.changes] == ["data/published/2023-11.csv (register): changed"]
    assert results(found)["gone.pdf"] == "not made again"
    assert results(found)["figures.csv"] == "was not there"
    assert not found.identical


@pytest.mark.whole_issues
def test_a_city_that_shares_the_notebook_and_the_theme_is_reproduced(
    tmp_path: Path, repository_example: Path, plain_pages: None
) -> None:
    root = tmp_path / "cities" / "philadelphia"
    shutil.copytree(repository_example, root, ignore=shutil.ignore_patterns("issues", ".*"))
    shared = tmp_path
    for name in ("notebooks", "report"):
        shutil.copytree(REPOSITORY / name, shared / name)
    shutil.copy(REPOSITORY / "_quarto.yml", shared)
    with_a_short_report(shared)
    project = Project.open(root)
    made = issue_made(project, "2020-11", choose_engine("embedded"))
    manifest = json.loads(made.manifest.read_text(encoding="utf-8"))
    assert "report/fonts/PublicSans-Regular.ttf" in manifest["inputs"]["templates"]
    assert reproduce(project, "2020-11").identical


def test_an_issue_of_which_a_file_was_edited_since_is_not_reproduced(city: Project, tmp_path: Path) -> None:
    root = tmp_path / "touched"
    shutil.copytree(city.root, root)
    html = root / "issues" / "2023-11" / "vip-2023-11.html"
    html.write_text(html.read_text(encoding="utf-8").replace("Homicide", "Suicide"), encoding="utf-8")
    (root / "issues" / "2023-11" / "vip-2023-11.pdf").unlink()
    done = vip("reproduce", "2023-11", "--project", str(root))
    assert done.returncode == 1
    assert "Reproduced" not in done.stdout
    assert "issues/2023-11/vip-2023-11.html: was edited after it was made" in done.stdout
    assert "issues/2023-11/vip-2023-11.pdf: is missing" in done.stdout
    # A manifest that lies alone describes what lies elsewhere.
    alone = tmp_path / "manifest.json"
    shutil.copy(root / "issues" / "2023-11" / "manifest.json", alone)
    assert reproduce(Project.open(root), str(alone)).identical


def test_a_delivery_that_the_manifest_names_and_that_is_gone_is_refused(city: Project, tmp_path: Path) -> None:
    root = tmp_path / "gone"
    shutil.copytree(city.root, root)
    (root / "data" / "raw" / "2022-08-03" / "reviews.csv").unlink()
    done = vip("reproduce", "2023-11", "--project", str(root))
    assert done.returncode == 2
    assert "data/raw/2022-08-03/reviews.csv: is missing, and issues/2023-11/manifest.json names it" in done.stderr
    assert "Reproduced" not in done.stdout


def test_an_edited_delivery_is_refused(city: Project, tmp_path: Path) -> None:
    root = tmp_path / "edited"
    shutil.copytree(city.root, root)
    path = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("HOM", "SUI", 1), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"2023-12-04/responses\.csv: is not the file that"):
        reproduce(Project.open(root), "2023-11")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"manifest_version": 3}, "3 is newer than 2"),
        (
            {
                "parameters": {
                    "month": "2023-10",
                    "as_of": "2023-12-04",
                    "allow_quarantined": False,
                    "has_activities": True,
                }
            },
            "is 2023-10",
        ),
    ],
)
def test_a_newer_manifest_or_that_of_another_month_is_refused(
    city: Project, manifest: dict[str, Any], change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    root = tmp_path / "other"
    shutil.copytree(city.root, root)
    path = root / "issues" / "2023-11" / "manifest.json"
    path.write_text(json.dumps(manifest | change), encoding="utf-8")
    with pytest.raises(ManifestError, match=says):
        reproduce(Project.open(root), "2023-11")


def test_an_issue_without_a_manifest_is_refused(city: Project) -> None:
    for issue in ("2023-10", "2023-11-r1"):
        with pytest.raises(ManifestError, match=f"There is no manifest of the issue of {issue}"):
            reproduce(city, issue)
    with pytest.raises(ParameterError, match="neither an issue nor a manifest"):
        reproduce(city, "november")
    with pytest.raises(ManifestError, match=r"nowhere\.json: is missing"):
        reproduce(city, "nowhere.json")


def test_what_is_there_is_not_overwritten_by_what_is_kept(city: Project, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="name a new one"):
        reproduce(city, "2023-11", keep=tmp_path)


@pytest.mark.whole_issues
def test_nothing_is_left_behind(artifacts: Artifacts, tmp_path: Path) -> None:
    root = without_record(shutil.copytree(artifacts.november(), tmp_path / "a project"))
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = started_vip("reproduce", "2023-11", "--project", str(root), TMPDIR=str(scratch))
    assert done.returncode == 0, done.stderr
    assert f"Reproduced: all {len(OUTPUTS)} files are identical, byte for byte." in done.stdout
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before
    assert not [path for path in scratch.iterdir() if path.name.startswith("vip-")]


@pytest.mark.whole_issues
def test_an_issue_is_made_again_with_the_days_that_its_deliveries_cover(
    artifacts: Artifacts, tmp_path: Path, plain_pages: None
) -> None:
    root = shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town")
    project = with_tables(Project.open(root), "responses", "reviews")
    folder = project.raw / "2023-12-04"
    for path in folder.glob("*.csv"):
        if path.stem not in project.program.tables:
            path.unlink()
    # Nothing occurred in November, as was said when the rows of October came.
    (folder / "responses.csv").write_text(f"{HEADERS['responses']}\nDEMO-R2,2023-10-07,Homicide,NE\n", encoding="utf-8")
    (folder / "reviews.csv").write_text(f"{HEADERS['reviews']}\nDEMO-V1,2023-10-07,3,41\n", encoding="utf-8")
    write_coverage(folder, dict.fromkeys(project.program.tables, dt.date(2023, 11, 30)))
    made = issue_made(project, "2023-11", choose_engine("embedded"))
    manifest = json.loads(made.manifest.read_text(encoding="utf-8"))
    assert "data/raw/2023-12-04/coverage.csv" in manifest["inputs"]["deliveries"]
    assert reproduce(project, "2023-11").identical
    (folder / "coverage.csv").unlink()
    with pytest.raises(ManifestError, match=r"data/raw/2023-12-04/coverage\.csv: is missing"):
        reproduce(project, "2023-11")
