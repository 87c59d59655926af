"""The site as it would go online: its pages and links, its data, feed, sitemap and search, and what is made again."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from tests.support.command import VIP, vip
from tests.support.projects import HEADERS, REPOSITORY, copy_of_the_repository, town
from viputils.checksums import checksum
from viputils.errors import ManifestError
from viputils.periods import ReportMonth
from viputils.preview import follow, serving
from viputils.project import Project
from viputils.published import IssueName, PublishedIssue, write_register
from viputils.render.embedded import EmbeddedEngine
from viputils.render.quarto import QuartoEngine
from viputils.site import make_site

ADDRESS = "https://vip.example/reports/"
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@dataclass(frozen=True)
class Made:
    """A project with its site, and what the command said."""

    root: Path
    said: dict[str, object]

    @property
    def site(self) -> Path:
        return self.root / "_site"

    def pages(self) -> list[Path]:
        """Every page but the one-file copies of issues, which have no links to others."""
        return [path for path in sorted(self.site.rglob("*.html")) if path.name in ("index.html", "404.html")]


def make(root: Path, *arguments: str) -> dict[str, object]:
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The repository's own site, from October 2023 on, in a folder with a blank and an accent in its path."""
    root = copy_of_the_repository(tmp_path_factory.mktemp("città di prova") / "a project")
    return Made(root, make(root, "--since", "2023-10"))


@pytest.fixture(scope="module")
def town_with_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = town(tmp_path_factory.mktemp("towns") / "a town")
    assert make(root, "--since", "2023-11")["made"] == [["2023-11", ["it was not made yet"]]]
    return root


@pytest.fixture
def built(town_with_site: Path, tmp_path: Path) -> Path:
    """A town whose site from November 2023 on was made before."""
    return shutil.copytree(town_with_site, tmp_path / "a town")


def soup_of(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def words(node: object) -> str:
    return " ".join(node.get_text(" ").split())  # type: ignore[attr-defined]


def links_of(page: Path) -> Iterator[str]:
    """Every address on a page, of links, pictures, style sheets and scripts."""
    for node in soup_of(page).find_all(True):
        for name in ("href", "src"):
            if node.has_attr(name):
                yield str(node[name])


# ---------------------------------------------------------------- what is there


def test_every_address_that_the_documentation_names_is_there(made: Made) -> None:
    text = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
    named = re.findall(r"`(/[^`]*)`", text[text.index("## Addresses") :])
    assert {"/", "/issues/2023-11/", "/data/all-issues.csv", "/verdicts/", "/overview/", "/methods/"} <= set(named)
    for address in named:
        if "-r1" in address or "…" in address or address == "/es/":
            continue
        assert (made.site / address.strip("/") / ("index.html" if address.endswith("/") else "")).exists(), address
    for name in ("vip-2023-11.pdf", "vip-2023-11.html", "vip-2023-11.docx", "figures.csv", "figures.json"):
        assert (made.site / "issues" / "2023-11" / name).is_file()
    for name in ("datapackage.json", "manifest.json"):
        assert (made.site / "issues" / "2023-11" / name).is_file()


def test_every_link_leads_to_something_that_is_there_and_none_leaves_the_folder(made: Made) -> None:
    """Relative links alone, so the site works in any folder of a server, and opened as files."""
    pages = made.pages()
    assert len(pages) > 8
    identifiers = {page: {str(node["id"]) for node in soup_of(page).find_all(id=True)} for page in pages}
    looked_at = 0
    for page in pages:
        if page.name == "404.html":
            continue
        for link in links_of(page):
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", (page, link)
                continue
            assert not link.startswith("/"), (page, link)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_relative_to(made.site), (page, link)
            assert target.is_file(), (page, link)
            if parts.fragment:
                assert parts.fragment in identifiers[target], (page, link)
            looked_at += 1
    assert looked_at > 100


def test_nothing_on_any_page_is_loaded_from_elsewhere(made: Made) -> None:
    for page in made.pages():
        for node in soup_of(page).select("img[src], script[src], link[rel=stylesheet], link[rel=icon], iframe, source"):
            assert not urlsplit(str(node.get("src") or node.get("href"))).netloc


def test_every_page_says_which_one_it_is_and_has_the_same_links(made: Made) -> None:
    places = [".", "overview", "methods", "verdicts", "data", "search"]
    spanish = [f"es/{place}".removesuffix("/.") for place in places]
    english_names = ["Home", "The program", "Methods", "Verdicts", "Data", "Search"]
    spanish_names = ["Inicio", "El programa", "Métodos", "Veredictos", "Datos", "Buscar"]
    expected = dict(zip(places + spanish, english_names + spanish_names, strict=True))
    for page in made.pages():
        links = soup_of(page).select("nav.site-nav a:not([hreflang])")
        place = page.parent.relative_to(made.site).as_posix()
        assert [words(link) for link in links] == (spanish_names if place.startswith("es") else english_names)
        own = [words(link) for link in links if link.get("aria-current") == "page"]
        assert own == ([] if page.name == "404.html" else [expected[place]] if place in expected else [])


def test_the_home_page_shows_the_newest_issue_and_all_by_fiscal_year(made: Made) -> None:
    home = soup_of(made.site / "index.html")
    headings = [words(heading) for heading in home.find_all("h2")]
    assert headings == ["The newest issue: November 2023", "Month by month", "All issues"]
    assert [words(heading) for heading in home.find_all("h3")] == ["Fiscal year 2024"]
    # The headline figures as the City printed them for November 2023.
    assert [words(number) for number in home.select(".tiles .number")] == ["2,599", "101", "4,666", "2,446"]
    month_by_month, archive = (
        [[words(cell) for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]
        for table in home.find_all("table")
    )
    october = figures_of(made.site / "issues" / "2023-10")
    assert [row[:2] for row in archive] == [
        ["November 2023 records as of December 4, 2023", "90"],
        ["October 2023 records as of November 3, 2023", october["responses", "", "month"]],
    ]
    # The numbers of the small charts: for November as the City printed them, for October as its issue has them.
    assert month_by_month[1] == ["November 2023", "55", "7", "5", "11", "7", "5"]
    types = ["Gun/Other Violence", "DV/Sexual Assault", "Homicide", "Other Deaths", "Suicide", "Other"]
    counts = [october["responses_by_incident_type", one, "month"] for one in types]
    assert month_by_month[0] == ["October 2023", *counts]
    chart = home.select_one("#month-by-month img")
    assert chart is not None
    assert f"Homicide: {counts[2]}, 5." in str(chart["alt"])


def figures_of(folder: Path) -> dict[tuple[str, str, str], str]:
    rows = csv.DictReader(io.StringIO((folder / "figures.csv").read_text(encoding="utf-8")))
    return {(row["measure"], row["category"], row["period"]): row["value"] for row in rows}


def test_synthetic_records_are_said_on_every_page_with_figures(made: Made) -> None:
    for page in made.pages():
        if page.name != "404.html":
            assert re.search("Demonstration records|Registros de demostración", words(soup_of(page))), page


def test_an_issue_leads_to_its_files_and_to_the_issues_beside_it(made: Made) -> None:
    issue = soup_of(made.site / "issues" / "2023-10" / "index.html")
    files = {words(link): str(link["href"]).rpartition("/")[2] for link in issue.select("ul.downloads a")}
    assert files == {"PDF": "vip-2023-10.pdf", "Word": "vip-2023-10.docx", "CSV": "figures.csv"}
    beside = {words(link): str(link["href"]) for link in issue.select("nav.neighbours a")}
    assert beside == {"November 2023": "../../issues/2023-11/index.html"}


def test_the_page_of_an_issue_says_what_its_own_html_says(made: Made) -> None:
    folder = made.site / "issues" / "2023-11"
    one, other = soup_of(folder / "index.html"), soup_of(folder / "vip-2023-11.html")
    assert words(one.find("main")) == words(other.find("main"))
    assert words(one.find("h1")) == words(other.find("h1"))


def test_the_files_of_an_issue_are_those_that_were_made(made: Made) -> None:
    manifest = json.loads((made.site / "issues" / "2023-11" / "manifest.json").read_text(encoding="utf-8"))
    for name, was in manifest["outputs"].items():
        assert checksum(made.site / "issues" / "2023-11" / name) == was


def test_the_data_of_all_issues_is_that_of_the_command(made: Made) -> None:
    done = vip("figures", "--all", "--csv", "--project", str(made.root))
    assert (made.site / "data" / "all-issues.csv").read_text(encoding="utf-8") == done.stdout


def test_the_record_of_the_site_holds_the_checksum_of_every_file(made: Made) -> None:
    record = json.loads((made.site / "site.json").read_text(encoding="utf-8"))
    files = {path.relative_to(made.site).as_posix() for path in made.site.rglob("*") if path.is_file()}
    assert set(record["files"]) == files - {"site.json"}
    assert all(checksum(made.site / name) == was for name, was in record["files"].items())
    assert str(REPOSITORY) not in json.dumps(record)


# ---------------------------------------------------------------- feed, sitemap, search


def test_the_feed_lists_every_issue_with_its_address_and_its_own_day(made: Made) -> None:
    feed = ET.parse(made.site / "feed.xml").getroot()  # noqa: S314 - made here
    entries = [
        (one.findtext(f"{ATOM}title"), one.findtext(f"{ATOM}id"), one.findtext(f"{ATOM}updated"))
        for one in feed.findall(f"{ATOM}entry")
    ]
    assert entries == [
        ("Monthly Informational Report, November 2023", f"{ADDRESS}issues/2023-11/", "2023-12-04T00:00:00Z"),
        ("Monthly Informational Report, October 2023", f"{ADDRESS}issues/2023-10/", "2023-11-03T00:00:00Z"),
    ]
    assert feed.findtext(f"{ATOM}updated") == "2023-12-04T00:00:00Z"
    assert all("synthetic" in str(one.findtext(f"{ATOM}summary")) for one in feed.findall(f"{ATOM}entry"))
    links = {one.get("rel"): one.get("href") for one in feed.findall(f"{ATOM}link")}
    assert links == {"self": f"{ADDRESS}feed.xml", "alternate": ADDRESS}


def test_the_sitemap_lists_every_page_once(made: Made) -> None:
    urls = ET.parse(made.site / "sitemap.xml").getroot()  # noqa: S314 - made here
    listed = [str(url.findtext(f"{MAP}loc")) for url in urls]
    assert len(set(listed)) == len(listed)
    there = [page.relative_to(made.site).as_posix().removesuffix("index.html") for page in made.pages()]
    assert sorted(listed) == sorted(urljoin(ADDRESS, place) for place in there if place != "404.html")


def test_the_page_for_what_is_not_there_works_at_any_address(made: Made) -> None:
    page = made.site / "404.html"
    assert {link for link in links_of(page) if not link.startswith(("/reports/", "#"))} == set()
    assert "There is no page at this address" in words(soup_of(page))


def test_the_search_index_holds_every_part_of_every_page(made: Made) -> None:
    def index(place: str) -> list[list[str]]:
        script = (made.site / place / "search" / "index.js").read_text(encoding="utf-8")
        found: list[list[str]] = json.loads(script.removeprefix("window.searchIndex = ").removesuffix(";\n"))
        return found

    rows, spanish = index(""), index("es")
    assert all("/es/" in address for address, *_ in spanish)
    for page in made.pages():
        if page.name == "404.html":
            continue
        place = page.relative_to(made.site).as_posix()
        place = f"../../{place}" if place.startswith("es/") else f"../{place}"
        mine = {heading: text for address, _, heading, text in rows + spanish if address.partition("#")[0] == place}
        for heading in soup_of(page).select("main h2"):
            assert words(heading) in mine, (page, words(heading))
    (found,) = [row for row in rows if row[2] == "Responses to incidents" and "2023-11" in row[0]]
    assert found[0] == "../issues/2023-11/index.html#responses-to-incidents"
    assert "Homicide 5" in found[3]


# ---------------------------------------------------------------- made again


def test_a_site_that_is_made_again_with_nothing_changed_is_left_as_it_is(made: Made) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.site.rglob("*")}
    again = make(made.root, "--since", "2023-10")
    assert (again["made"], again["pages_made"]) == ([], 0)
    assert again["pages"] == made.said["pages"]
    assert {path: path.stat().st_mtime_ns for path in made.site.rglob("*")} == before


def test_only_what_changed_is_made_again(built: Path) -> None:
    root = built
    only = ("--since", "2023-11")
    activities = root / "report" / "activities" / "2023-11.md"
    activities.write_text("## News\n\nSomething was done.\n", encoding="utf-8")
    # The page of the issue alone: its other figures, and so every other page, are what they were.
    changed = make(root, *only)
    assert changed["made"] == [["2023-11", ["report/activities/2023-11.md (texts): new"]]]
    assert changed["pages_made"] == 1
    assert "Something was done." in words(soup_of(root / "_site" / "issues" / "2023-11" / "index.html"))
    page = root / "_site" / "methods" / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("Every figure", "No figure"), encoding="utf-8")
    mended = make(root, *only)
    assert (mended["made"], mended["pages_made"]) == ([], 1)
    assert "No figure" not in page.read_text(encoding="utf-8")
    (root / "issues" / "2023-11" / "figures.csv").write_text("measure,category,period,value\n", encoding="utf-8")
    assert [one[0] for one in make(root, *only)["made"]] == ["2023-11"]  # type: ignore[attr-defined]
    # What the site holds and nobody asked for any more is gone from it, and stays where it was made.
    none = make(root, "--since", "2023-12")
    assert none["issues"] == 0
    assert not (root / "_site" / "issues").exists()
    assert (root / "issues" / "2023-11").exists()


def test_a_site_that_cannot_be_made_is_as_it_was_before(built: Path) -> None:
    root = built
    before = {path: path.read_bytes() for path in (root / "_site").rglob("*") if path.is_file()}
    texts = root / "report" / "pages" / "overview.md"
    texts.write_text("## A\n\n![a picture](x.png)\n", encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, "--since", "2023-11")
    assert done.returncode == 2
    assert "report/pages/overview.md, line 3: holds an image;" in done.stderr
    assert {path: path.read_bytes() for path in (root / "_site").rglob("*") if path.is_file()} == before
    assert not [path for path in root.iterdir() if "partial" in path.name]


def publish(root: Path, *options: str) -> None:
    """Publish November 2023, which was made in a town."""
    done = vip("publish", "2023-11", *options, "--project", str(root))
    assert done.returncode == 0, done.stderr


def made_in(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (root / "_site").rglob("*") if path.is_file()}


def test_an_issue_that_was_published_from_here_goes_online_as_it_was_and_its_figures_never_change(
    built: Path,
) -> None:
    root = built
    publish(root, "--printed", "2023-12-10")
    said = make(root, "--since", "2023-11")
    # An issue does not change by being published.
    assert said["made"] == []
    kept = json.loads((root / "data" / "published" / "2023-11.manifest.json").read_bytes())["outputs"]
    online = root / "_site" / "issues" / "2023-11"
    assert {name: checksum(online / name) for name in kept} == kept
    # A measure gets another name, and one more is counted from now on: no published figure moves.
    program = root / "program.toml"
    text = program.read_text(encoding="utf-8").replace("[measures.candidates]", "[measures.candidates_received]")
    text = text.replace('label = "candidates received"\n', 'label = "candidates received"\nformerly = ["candidates"]\n')
    text = text.replace('candidates = "candidates"', 'candidates = "candidates_received"')
    text += '\n[measures.reviews_too]\nlabel = "reviews"\ntable = "reviews"\ncount = "rows"\nissues_from = "2023-12"\n'
    program.write_text(text, encoding="utf-8")
    said = make(root, "--since", "2023-11")
    notes = said["notes"]
    assert isinstance(notes, list)
    assert [note["where"] for note in notes] == ["--since", "issues/2023-11"]
    assert "candidates_received,,month" in (online / "figures.csv").read_text(encoding="utf-8")
    before = made_in(root)
    # Somebody counts under another name from now on what was counted under this one.
    alias = '"DV/Sexual Assault" = ["DV", '
    assert alias in text
    text = text.replace(alias, '"DV/Sexual Assault" = [').replace('"Homicide" = [', '"Homicide" = ["DV", ')
    program.write_text(text, encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, "--since", "2023-11")
    assert done.returncode == 2
    key = "issues/2023-11, responses_by_incident_type/DV/Sexual Assault/month"
    assert f"{key}: was published as 1 and would be 0;" in done.stderr
    assert made_in(root) == before


def test_of_the_folder_of_an_issue_only_what_its_manifest_names_goes_online(built: Path) -> None:
    root = built
    before = made_in(root)
    issue = root / "issues" / "2023-11"
    draft = (issue / "vip-2023-11.ipynb").read_text(encoding="utf-8").replace("Responses", "Edited")
    (issue / "a draft.ipynb").write_text(draft, encoding="utf-8")
    for name in ("a.pdf", "~$p-2023-11.docx", "names of clients.docx", "charts/face.png"):
        (issue / name).write_bytes(b"not of the issue")
    (issue / "hostname").symlink_to("/etc/hostname")
    (root / "_site" / "old.html").write_text("left over", encoding="utf-8")
    (root / "report" / "pages" / "strategies.md").write_text("## A\n\nB.\n", encoding="utf-8")
    said = make(root, "--since", "2023-11")
    assert said["made"] == []
    now = made_in(root)
    assert now.keys() == before.keys()
    page = root / "_site" / "issues" / "2023-11" / "index.html"
    assert now[page] == before[page]
    # What does not belong to a site makes it no other one, and does not stay.
    (root / "_site" / "old.html").write_text("left over", encoding="utf-8")
    make(root, "--since", "2023-11")
    assert made_in(root) == now


def test_a_site_that_is_a_link_to_where_it_goes_online_stays_one(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    web = tmp_path / "web root"
    web.mkdir()
    (root / "_site").symlink_to(web)
    make(root, "--since", "2023-12")
    assert (root / "_site").is_symlink()
    assert (web / "index.html").is_file()
    # Pages about the program and its data are there, whatever issues are left out.
    assert "All issues are of earlier months" in words(soup_of(web / "index.html"))
    assert "December 4, 2023" in words(soup_of(web / "methods" / "index.html"))


def test_an_issue_that_was_replaced_says_so_and_the_one_that_stands_says_what_it_is(built: Path) -> None:
    root = built
    publish(root, "--printed", "2023-12-10")
    late = root / "data" / "raw" / "2023-12-20"
    late.mkdir()
    for table, header in HEADERS.items():
        rows = "DEMO-R3,2023-11-09,Suicide,NE\n" if table == "responses" else ""
        if table != "voids":
            (late / f"{table}.csv").write_text(f"{header}\n{rows}", encoding="utf-8", newline="")
    for command in (
        ["report", "2023-11", "--as-of", "2023-12-20", "--engine", "embedded"],
        ["publish", "2023-11", "--reissue", "--reason", "One record <b>came</b> late.", "--printed", "2023-12-21"],
    ):
        done = vip(*command, "--project", str(root))
        assert done.returncode == 0, done.stderr
    make(root, "--since", "2023-11")
    first, second = (soup_of(root / "_site" / "issues" / name / "index.html") for name in ("2023-11", "2023-11-r1"))
    notices = [words(page.select_one("[role=note]")) for page in (first, second)]
    assert notices[0].startswith("This issue was replaced. Its figures stay here as they were.")
    assert notices[1].startswith("This issue corrects an earlier one: November 2023 .")
    assert notices[1].endswith("One record <b>came</b> late.")
    links = [str(page.select_one("[role=note] a")["href"]) for page in (first, second)]  # type: ignore[index]
    assert links == ["../../issues/2023-11-r1/index.html", "../../issues/2023-11/index.html"]
    assert [page.title.get_text() for page in (first, second)] == [  # type: ignore[union-attr]
        "Violence Intervention Program Monthly Informational Report, November 2023",
        "Violence Intervention Program Monthly Informational Report, November 2023, re-issue 1",
    ]
    assert "re-issue 1" in words(second.h1)
    # The newest are found first, and the page for what is not there is never found.
    index = (root / "_site" / "search" / "index.js").read_text(encoding="utf-8")
    assert 0 < index.index("issues/2023-11-r1/index.html") < index.index("issues/2023-11/index.html")
    assert "404.html" not in index


def test_a_correction_that_nobody_dates_replaces_nothing_on_the_site_and_is_named(built: Path) -> None:
    root = built
    register = root / "data" / "published"
    register.mkdir()
    figures = pd.DataFrame({"measure": ["responses"], "category": [""], "period": ["month"], "value": [1]})
    write_register(
        register,
        [
            PublishedIssue(IssueName(ReportMonth(2023, 11), number), figures, None, None, "print", "a person", "why")
            for number in (0, 1)
        ],
    )
    said = make(root, "--since", "2023-11")
    notes = said["notes"]
    assert isinstance(notes, list)
    assert [note["where"] for note in notes] == ["data/published/2023-11-r1.csv", "--since"]
    assert notes[1]["what"] == "leaves out 4 issues of months before 2023-11;"  # July to October 2023
    page = root / "_site" / "index.html"
    assert "replaced by" not in words(soup_of(page))
    assert not (root / "_site" / "issues" / "2023-11-r1").exists()


def test_an_issue_that_was_published_without_rows_in_quarantine_is_on_the_site(built: Path) -> None:
    root = built
    delivery = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    delivery.write_text(delivery.read_text(encoding="utf-8") + "DEMO-R9,2023-11-03,Homocide,SE\n", encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, "--since", "2023-11")
    assert done.returncode == 2
    assert "1 row is in quarantine" in done.stderr
    for command in (["report", "2023-11", "--engine", "embedded", "--allow-quarantined"], ["publish", "2023-11"]):
        done = vip(*command, "--project", str(root))
        assert done.returncode == 0, done.stderr
    make(root, "--since", "2023-11")
    assert "1 record could not be read" in words(soup_of(root / "_site" / "issues" / "2023-11" / "index.html"))
    package = json.loads((root / "_site" / "data" / "datapackage.json").read_bytes())
    assert "were left out" in package["description"]


def test_a_program_that_is_saved_while_the_site_is_made_keeps_it_from_being_made(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    project = Project.open(root)
    program = root / "program.toml"
    program.write_text(program.read_text(encoding="utf-8") + "\n# Saved just now.\n", encoding="utf-8")
    with pytest.raises(ManifestError) as refused:
        make_site(project, EmbeddedEngine(), since=ReportMonth(2023, 11))
    assert refused.value.problems[0].where == "program.toml"
    assert not (root / "_site").exists()
    assert not (root / "issues" / "2023-11").exists()


def test_an_issue_that_is_made_again_while_the_site_is_put_together_keeps_it_from_being_made(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")

    def meanwhile(step: str) -> None:
        if step.startswith("Making the pages"):
            figures = root / "issues" / "2023-11" / "figures.csv"
            figures.write_text("measure,category,period,value\n", encoding="utf-8")

    with pytest.raises(ManifestError) as refused:
        make_site(Project.open(root), EmbeddedEngine(), since=ReportMonth(2023, 11), on_step=meanwhile)
    assert refused.value.problems[0].where == "issues/2023-11/figures.csv"
    assert not (root / "_site").exists()


def test_texts_around_the_issues_are_screened_as_activities_are(built: Path) -> None:
    root = built
    (root / "report" / "introduction.md").write_text("## A\n\nCall 505-555-0123.\n", encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS)
    assert done.returncode == 2
    assert "report/introduction.md, line 3: phone number" in done.stderr
    assert "report/texts.allowed.toml" in done.stderr


def test_activities_that_must_not_go_out_keep_the_site_from_being_made(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    (root / "report" / "activities" / "2023-11.md").write_text("## News\n\nCall 505-555-0123.\n", encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--since", "2023-11")
    assert done.returncode == 2
    assert "report/activities/2023-11.md, line 3" in done.stderr
    assert not (root / "_site").exists()


def test_activities_of_a_month_without_data_are_named_and_keep_nothing_else_from_being_made(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    (root / "report" / "activities" / "2024-02.md").write_text("## News\n\nToo early.\n", encoding="utf-8")
    notes: Any = make(root, "--since", "2023-12")["notes"]
    note, left_out = notes
    assert note["where"] == "report/activities/2024-02.md"
    assert left_out["where"] == "--since"
    assert "the data of its month is not complete" in note["what"]
    assert not [page for page in (root / "_site").rglob("*.html") if "Too early." in page.read_text(encoding="utf-8")]


def test_a_site_that_does_not_know_its_address_has_no_feed_and_says_so(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    program = root / "program.toml"
    program.write_text(re.sub(r"address = .*", "", program.read_text(encoding="utf-8")), encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--since", "2023-12")
    assert done.returncode == 0, done.stderr
    assert "it has no feed and no sitemap, because program.address in program.toml does not say" in done.stdout
    assert not list((root / "_site").rglob("*.xml"))
    for page in Made(root, {}).pages():
        assert not [link for link in links_of(page) if link.endswith("feed.xml")]


@pytest.mark.skipif(not QuartoEngine.available(), reason="there is no Quarto 1.9 or newer on PATH")
def test_quarto_renders_the_same_site_as_a_website_project_with_its_own_search_index(built: Path) -> None:
    root = built
    embedded = Made(root, {})
    pages = {page.relative_to(root / "_site"): words(soup_of(page).body) for page in embedded.pages()}
    done = vip(
        "site", "--project", str(root), "--engine", "quarto", "--address", ADDRESS, "--since", "2023-11", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pages_made"] == len(pages)
    by_quarto = {page.relative_to(root / "_site"): words(soup_of(page).body) for page in Made(root, {}).pages()}
    assert by_quarto == pages
    found = json.loads((root / "_site" / "search.json").read_text(encoding="utf-8"))
    assert {one["href"].partition("#")[0] for one in found} == {
        page.as_posix() for page in pages if page.name != "404.html"
    }
    again = vip(
        "site", "--project", str(root), "--engine", "quarto", "--address", ADDRESS, "--since", "2023-11", "--json"
    )
    assert json.loads(again.stdout)["pages_made"] == 0


def test_without_any_delivery_there_is_no_site_and_the_message_says_what_is_missing(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    shutil.rmtree(root / "data" / "raw" / "2023-12-04")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS)
    assert done.returncode == 2
    assert "data/raw: holds no delivery; a delivery is a folder such as data/raw/2023-12-04." in done.stderr


@pytest.mark.parametrize(
    ("address", "remark"),
    [
        ("vip.example/reports/", "must be a web address"),
        ("https://vip.example/reports", "must end with a stroke: 'https://vip.example/reports/'"),
        ("javascript:alert(1)/", "must be a web address"),
        ("https://user:secret@vip.example/", "must be the web address of a folder"),
        ("https:///reports/", "must be the web address of a folder"),
        ("https://vip.example//evil.example/", "must be the web address of a folder"),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str, remark: str) -> None:
    done = vip("site", "--project", str(REPOSITORY), "--address", address, cwd=tmp_path)
    assert done.returncode == 2
    assert remark in done.stderr


# ---------------------------------------------------------------- the preview


def read(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - on this machine
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_preview_serves_the_site_and_its_own_page_for_what_is_not_there(made: Made) -> None:
    with serving(made.site, 0) as server:
        assert server.address.startswith("http://127.0.0.1:")
        status, page = read(server.address)
        assert status == 200
        assert "The newest issue: November 2023" in page
        assert read(f"{server.address}issues/2023-11/")[0] == 200
        assert read(f"{server.address}issues/2023-11")[0] == 200
        status, page = read(f"{server.address}no/such/page")
        assert status == 404
        assert "There is no page at this address" in page
        assert read(f"{server.address}..%2f..%2fprogram.toml")[0] == 404
        assert read(f"{server.address}%2e%2e/program.toml")[0] == 404


def test_a_port_that_is_taken_is_named(made: Made) -> None:
    with serving(made.site, 0) as server:
        port = urlsplit(server.address).port
        done = vip("preview", "--project", str(made.root), "--port", str(port))
    assert done.returncode == 2
    assert f"--port: {port}: Address already in use; say another one, or 0 for any that is free." in done.stderr


def test_the_preview_answers_nobody_who_asks_by_another_name(made: Made) -> None:
    with serving(made.site, 0) as server:
        request = urllib.request.Request(server.address, headers={"Host": "evil.example"})  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)  # noqa: S310 - on this machine
        assert refused.value.code == 421
        for path, method, code in (("", "HEAD", 405), ("a" * 3_000, "GET", 404)):
            request = urllib.request.Request(server.address + path, method=method)  # noqa: S310 - on this machine
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)  # noqa: S310 - on this machine
            assert refused.value.code == code


def test_the_preview_sees_what_is_saved_while_it_makes_the_site_and_what_an_editor_puts_in_its_place(
    tmp_path: Path,
) -> None:
    root = town(tmp_path / "a town")
    project, program = Project.open(root), root / "program.toml"
    text = program.read_text(encoding="utf-8")
    made: list[str] = []

    def make_pages() -> None:
        made.append(program.read_text(encoding="utf-8")[-3:])
        if len(made) == 1:  # Somebody saves meanwhile.
            program.write_text(f"{text}# 1\n", encoding="utf-8")
        elif len(made) < 5:  # An editor writes a file beside it, and gives it the name.
            beside = root / "program.toml.new"
            beside.write_text(f"{text}# {len(made)}\n", encoding="utf-8")
            beside.replace(program)
        else:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(project, make_pages)
    assert made[1:] == [" 1\n", " 2\n", " 3\n", " 4\n"]


def test_the_preview_follows_changes_keeps_going_after_faults_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    command: list[str | Path] = [
        VIP,
        "preview",
        "--project",
        str(root),
        "--port",
        "0",
        "--since",
        "2023-11",
        "--engine",
        "embedded",
    ]
    env = {**os.environ, "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as running:
        assert running.stdout is not None
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(iter(running.stdout.readline, "")))  # type: ignore[union-attr]
        reader.start()

        def wait_for(text: str, times: int = 1) -> str:
            until = time.monotonic() + 90
            while time.monotonic() < until:
                if found := [line for line in lines if text in line][times - 1 :]:
                    return found[0]
                time.sleep(0.1)
            raise AssertionError(f"{text!r} was not said: {lines}")

        try:
            address = wait_for("Look at ").split()[2]
            assert read(address)[0] == 200
            text = root / "report" / "pages" / "methods.md"
            text.write_text("## Something new\n\nIt was written just now.\n", encoding="utf-8")
            wait_for("Made: 0 issues", 1)
            assert "It was written just now." in read(f"{address}methods/")[1]
            text.write_text("## A\n\n[here](ftp://x)\n", encoding="utf-8")
            wait_for("report/pages/methods.md, line 3: links to 'ftp://x'")
            assert "It was written just now." in read(f"{address}methods/")[1]
            text.write_text("## Mended\n\nAll is well.\n", encoding="utf-8")
            wait_for("Made: 0 issues", 2)
            assert "All is well." in read(f"{address}methods/")[1]
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0
            reader.join()
    assert "The preview has ended." in "".join(lines)
    assert not (root / "_site").exists()
