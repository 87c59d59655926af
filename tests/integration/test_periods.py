"""A quarter goes the way of a month: made, published, verified, traced, made again, listed and shown on the site."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.command import vip
from tests.support.projects import contents, town
from tests.support.register import APPROVER, published_here
from viputils.audit.register import IssueName, read_register
from viputils.config.project import LONG_NOTEBOOK, Project
from viputils.core.periods import FiscalPeriod
from viputils.publish.site.plan import plan_issues


@pytest.fixture
def city(tmp_path: Path, plain_pages: None) -> Path:
    """A town whose first quarter of fiscal year 2024 has two responses."""
    root = town(tmp_path / "a town")
    rows = ["DEMO-R1,2023-08-02,DV,SE", "DEMO-R2,2023-09-07,Homicide,NE", "DEMO-R3,2023-10-07,Homicide,NE"]
    path = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return root


def run(city: Path, *arguments: str) -> str:
    done = vip(*arguments, "--project", str(city))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.whole_issues
def test_a_quarter_is_made_published_verified_traced_and_made_again(city: Path) -> None:
    said = run(city, "report", "FY2024-Q1", "--engine", "embedded")
    assert "The issue of quarter 1 of FY2024, as of 2023-12-04" in said
    folder = city / "issues" / "FY2024-Q1"
    assert {"figures.csv", "manifest.json", "vip-FY2024-Q1.html", "vip-FY2024-Q1.pdf"} <= set(contents(folder))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["month"] == "FY2024-Q1"
    assert list(manifest["inputs"]["notebook"]) == [LONG_NOTEBOOK]
    assert not manifest["parameters"]["has_activities"]
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    (period,) = [field for field in package["resources"][0]["schema"]["fields"] if field["name"] == "period"]
    with (folder / "figures.csv").open(encoding="utf-8") as file:
        periods = {row["period"] for row in csv.DictReader(file)}
    assert periods == set(period["constraints"]["enum"]) == {"2023-07", "2023-08", "2023-09", "quarter", "fytd"}
    published = run(city, "publish", "FY2024-Q1", "--approved-by", APPROVER)
    assert "Published: Quarter 1 of FY2024" in published
    assert "figures reproduced." in run(city, "verify", "FY2024-Q1")
    traced = run(city, "trace", "FY2024-Q1", "responses_by_incident_type/Homicide/2023-09")
    assert "Homicide, Incident type, quarter 1 of FY2024, September 2023: 1 as of 2023-12-04" in traced
    assert "DEMO-R2" in traced
    assert "files are identical, byte for byte." in run(city, "reproduce", "FY2024-Q1")
    row = run(city, "status", "--csv").splitlines()[-1]
    assert row.startswith("FY2024-Q1,complete as of 2023-12-04,,as of 2023-12-04,FY2024-Q1,")
    assert "1 unchanged" in run(city, "backfill", "FY2024-Q1", "FY2024-Q1", "--engine", "embedded")


def test_the_site_shows_the_quarters_that_are_published_after_the_months(city: Path) -> None:
    project = Project.open(city)
    assert FiscalPeriod(2024, 1) not in {one.name.period for one in plan_issues(project)[0]}
    published_here(project, "FY2024-Q1")
    planned, notes = plan_issues(project)
    assert [str(one.name) for one in planned] == ["2023-11", "2023-10", "2023-09", "2023-08", "2023-07", "FY2024-Q1"]
    assert notes == []


@pytest.mark.whole_issues
def test_a_correction_of_a_quarter_is_a_re_issue_beside_it(city: Path) -> None:
    project = Project.open(city)
    published_here(project, "FY2024-Q1")
    published_here(project, "2023-09")
    register = read_register(project)
    assert [str(one.name) for one in register.issues] == ["2023-09", "FY2024-Q1"], "months come first"
    assert [str(one.name) for one in register.named("FY2024-Q1")] == ["FY2024-Q1"]
    assert IssueName.parse("FY2024-Q1-r1").number == 1
    assert "figures reproduced." in run(city, "verify", "FY2024-Q1")
    done = vip("publish", "FY2024-Q1", "--approved-by", APPROVER, "--project", str(city))
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("report", "FY24-Q5"), "'FY24-Q5' is neither a quarter nor a fiscal year; write a quarter as FY2024-Q1"),
        (("report", "2023-Q1"), "write a quarter as FY2024-Q1 (Q1 to Q4), a fiscal year as FY2024"),
        (("report", "FY2024-Q2"), "Quarter 2 of FY2024 was not over on 2023-12-04."),
        (("figures", "FY2023"), "FY2023 lies before 2023-07-01, when the records begin; choose a later year"),
        (("backfill", "2023-07", "FY2024-Q1"), "give two months, two quarters or two fiscal years"),
        (("compare", "2023-07..2023-09", "2023-09"), "both have 2023-09; choose windows without a month in common"),
        (("compare", "FY2024-Q2", "2023-07"), "has no counts for 2023-12 (not over or not delivered)"),
    ],
)
def test_what_cannot_be_made_or_compared_is_refused_in_a_sentence(
    city: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = vip(*arguments, "--project", str(city))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_two_windows_are_printed_with_what_to_know_about_them(city: Path) -> None:
    text = run(city, "compare", "2023-09", "2023-10..2023-11")
    assert "The windows differ in length: 1 month and 2 months." in text
    assert "[x]" in text
    assert "nan" not in text.casefold()
    found = json.loads(run(city, "compare", "2023-09", "2023-08", "--json"))
    (responses,) = [row for row in found["figures"] if row["measure"] == "responses"]
    assert (responses["first"], responses["second"], responses["change"], responses["percent"]) == (1, 1, 0, None)
