"""The description of the data that search engines read: in each issue, on its page of the site and on the data page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.support.artifacts import SITE_ADDRESS, Artifacts
from tests.support.dataset import dataset_of, faults_of
from tests.support.pages import PlainEngine, in_this_process, issue_made, needs_quarto
from tests.support.projects import Deliver, with_a_short_report
from tests.support.site import soup_of
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.site.build import make_site
from viputils.records.checksums import checksum
from viputils.report.issue import make_issue
from viputils.report.render.quarto import QuartoEngine
from viputils.report.seal import sealed


@pytest.fixture(scope="module")
def site(artifacts: Artifacts) -> Path:
    return artifacts.site() / "_site"


@pytest.fixture(scope="module")
def issue(artifacts: Artifacts) -> Path:
    return artifacts.november() / "issues" / "2023-11"


def test_the_page_of_an_issue_describes_its_data(issue: Path) -> None:
    found = dataset_of(issue / "vip-2023-11.html")
    assert faults_of(found) == []
    assert found["name"] == "Violence Intervention Program Monthly Informational Report, November 2023"
    assert found["temporalCoverage"] == "2023-07-01/2023-11-30"
    assert found["dateModified"] == "2023-12-04"
    assert found["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert found["creator"]["name"] == "Albuquerque Community Safety"
    assert found["creator"]["parentOrganization"]["name"] == "City of Albuquerque"
    # Nobody takes sample data for facts, in a catalog of data either.
    assert "This is sample data. It does not describe real people or events." in found["description"]
    assert {"propertyID": "adults_assisted", "name": "Outreach operations: adults assisted"}.items() <= (
        found["variableMeasured"][0].items()
    )


def test_every_download_is_beside_the_page_with_its_checksum(issue: Path) -> None:
    found = dataset_of(issue / "vip-2023-11.html")
    assert [one["contentUrl"] for one in found["distribution"]] == ["figures.csv", "figures.json", "series.csv"]
    for one in found["distribution"]:
        assert checksum(issue / one["contentUrl"]) == one["sha256"]
    assert found["distribution"][2]["temporalCoverage"] == "2022-07-01/2023-11-30"
    assert [one["url"] for one in found["subjectOf"]] == ["datapackage.json", "manifest.json"]
    assert all((issue / one["url"]).is_file() for one in found["subjectOf"])


def test_the_page_on_the_site_names_the_addresses_of_its_data_in_every_language(site: Path) -> None:
    for language, prefix in (("en", ""), ("es", "es/")):
        found = dataset_of(site / prefix / "issues" / "2023-11" / "index.html")
        assert faults_of(found) == []
        assert found["inLanguage"] == language
        assert found["url"] == f"{SITE_ADDRESS}{prefix}issues/2023-11/"
        for one in found["distribution"]:
            assert one["contentUrl"].startswith(f"{SITE_ADDRESS}issues/2023-11/")
            assert checksum(site / one["contentUrl"].removeprefix(SITE_ADDRESS)) == one["sha256"]
    assert "Estos son datos de muestra." in found["description"]


def test_the_data_page_describes_the_numbers_of_all_reports(site: Path) -> None:
    for prefix in ("", "es/"):
        found = dataset_of(site / prefix / "data" / "index.html")
        assert faults_of(found) == []
        assert found["temporalCoverage"] == "2022-07-01/2023-11-30"
        (one,) = found["distribution"]
        assert one["contentUrl"] == f"{SITE_ADDRESS}data/all-issues.csv"
    for page in ("index.html", "methods/index.html", "verdicts/index.html"):
        assert soup_of(site / page).find("script", type="application/ld+json") is None


def test_a_translation_alone_names_no_file_that_is_elsewhere_on_the_site(artifacts: Artifacts) -> None:
    found = dataset_of(artifacts.in_two_languages() / "issues" / "es" / "2023-11" / "vip-2023-11-es.html")
    assert faults_of(found) == ["no distribution"]
    assert "subjectOf" not in found


@pytest.mark.whole_issues
def test_without_an_address_every_download_is_found_from_its_page(artifacts: Artifacts, tmp_path: Path) -> None:
    root = shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "town")
    program = root / "program.toml"
    text = program.read_text(encoding="utf-8")
    assert 'address = "https://vip.example/"' in text
    text = text.replace('address = "https://vip.example/"', 'also_in = ["es"]')
    program.write_text(text, encoding="utf-8")
    site = make_site(Project.open(root), PlainEngine(), since=ReportMonth(2023, 11)).home.parent
    for page in ("issues/2023-11", "es/issues/2023-11", "data", "es/data"):
        found = dataset_of(site / page / "index.html")
        assert "url" not in found
        for one in found["distribution"]:
            assert Path(urljoin(f"{site}/{page}/index.html", one["contentUrl"])).is_file()


def test_no_text_can_end_the_description(whole_project: Project, deliver: Deliver) -> None:
    project = whole_project
    with_a_short_report(project.root)
    hostile = 'A</script><script>alert(1)</script><!-- & "B" \\u003c ]]>'
    program = project.root / "program.toml"
    text = program.read_text(encoding="utf-8")
    assert text.count('name = "Violence Intervention Program"\nshort_name') == 1
    text = text.replace('name = "Violence Intervention Program"\nshort', f"name = {json.dumps(hostile)}\nshort")
    program.write_text(text, encoding="utf-8")
    deliver()
    issue = issue_made(Project.open(project.root), "2023-11", PlainEngine())
    assert hostile in dataset_of(issue.html)["name"]
    (node,) = soup_of(issue.html).find_all("script")
    assert not set("<>&") & set(node.get_text())


@needs_quarto
def test_quarto_makes_the_same_description(whole_project: Project, deliver: Deliver) -> None:
    with_a_short_report(whole_project.root)
    deliver()
    both = [dataset_of(issue_made(whole_project, "2023-11", engine).html) for engine in (QuartoEngine(), PlainEngine())]
    assert faults_of(both[0]) == []
    assert both[0] == both[1]


def test_a_draft_describes_no_data(whole_project: Project, deliver: Deliver) -> None:
    with_a_short_report(whole_project.root)
    deliver()
    with in_this_process(), sealed(whole_project) as seal:
        issue = make_issue(seal, ReportMonth(2023, 11), None, PlainEngine(), draft=True)
    assert soup_of(issue.html).find("script") is None
