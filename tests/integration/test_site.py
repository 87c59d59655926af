"""The site as it would go online: its pages and links, its data, feed, sitemap and search."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.support.artifacts import SITE_ADDRESS as ADDRESS
from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.projects import REPOSITORY
from tests.support.site import links_of, pages_of, soup_of, words
from viputils.records.checksums import checksum

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def root(artifacts: Artifacts) -> Path:
    """The repository's own project with its site, from October 2023 on."""
    return artifacts.site()


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    return root / "_site"


def test_every_address_that_the_documentation_names_is_there(site: Path) -> None:
    text = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
    named = re.findall(r"`(/[^`]*)`", text[text.index("## Addresses") :])
    assert {"/", "/issues/2023-11/", "/data/all-issues.csv", "/verdicts/", "/overview/", "/methods/"} <= set(named)
    for address in named:
        # The City has not set release dates, and has published no quarter.
        if "-r1" in address or "FY" in address or "…" in address or address in ("/es/", "/calendar/"):
            continue
        assert (site / address.strip("/") / ("index.html" if address.endswith("/") else "")).exists(), address
    for name in ("vip-2023-11.pdf", "vip-2023-11.html", "vip-2023-11.docx", "figures.csv", "figures.json"):
        assert (site / "issues" / "2023-11" / name).is_file()
    for name in ("datapackage.json", "manifest.json"):
        assert (site / "issues" / "2023-11" / name).is_file()


def test_every_link_leads_to_something_that_is_there_and_none_leaves_the_folder(site: Path) -> None:
    """Relative links alone, so the site works in any folder of a server, and opened as files."""
    pages = pages_of(site)
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
            assert target.is_relative_to(site), (page, link)
            assert target.is_file(), (page, link)
            if parts.fragment:
                assert parts.fragment in identifiers[target], (page, link)
            looked_at += 1
    assert looked_at > 100


def test_no_page_has_an_id_twice(site: Path) -> None:
    for page in sorted(site.rglob("*.html")):
        ids = Counter(str(node["id"]) for node in soup_of(page).find_all(id=True))
        assert [name for name, times in ids.items() if times > 1] == [], page


def test_every_page_names_its_versions_by_their_whole_addresses(site: Path) -> None:
    """As search engines ask for it: each version names all of them, itself as well."""
    for page in pages_of(site):
        named = {
            str(link["hreflang"]): str(link["href"])
            for link in soup_of(page).select("head link[rel=alternate][hreflang]")
        }
        place = page.relative_to(site).as_posix().removesuffix("index.html").removeprefix("es/")
        expected = {"en": f"{ADDRESS}{place}", "es": f"{ADDRESS}es/{place}"}
        assert named == ({} if page.name == "404.html" else expected), page


def test_the_first_link_of_a_page_says_where_it_leads(site: Path) -> None:
    said = {
        "en": ("Skip to the report", "Skip to content"),
        "es": ("Ir directamente al informe", "Ir al contenido principal"),
    }
    for page in pages_of(site):
        soup = soup_of(page)
        assert soup.html is not None
        of_an_issue, of_others = said[str(soup.html["lang"])]
        expected = of_an_issue if "issues" in page.parts else of_others
        assert words(soup.select_one("a.skip-link")) == expected, page


def test_nothing_on_any_page_is_loaded_from_elsewhere(site: Path) -> None:
    for page in pages_of(site):
        for node in soup_of(page).select("img[src], script[src], link[rel=stylesheet], link[rel=icon], iframe, source"):
            assert not urlsplit(str(node.get("src") or node.get("href"))).netloc


def test_every_page_says_which_one_it_is_and_has_the_same_links(site: Path) -> None:
    places = [".", "overview", "methods", "verdicts", "quality", "elsewhere", "data", "revisions", "search"]
    spanish = [f"es/{place}".removesuffix("/.") for place in places]
    english_names = ["Home", "The program", "Methods", "Number checks", "Data quality", "Numbers elsewhere"]
    english_names += ["Data", "Revisions", "Search"]
    spanish_names = ["Inicio", "El programa", "Métodos", "Verificación de cifras", "Calidad de los datos"]
    spanish_names += ["Otras cifras", "Datos", "Revisiones", "Buscar"]
    expected = dict(zip(places + spanish, english_names + spanish_names, strict=True))
    for page in pages_of(site):
        links = soup_of(page).select("nav.site-nav a:not([hreflang])")
        place = page.parent.relative_to(site).as_posix()
        assert [words(link) for link in links] == (spanish_names if place.startswith("es") else english_names)
        own = [words(link) for link in links if link.get("aria-current") == "page"]
        assert own == ([] if page.name == "404.html" else [expected[place]] if place in expected else [])


def test_the_home_page_shows_the_newest_issue_and_all_by_fiscal_year(site: Path) -> None:
    home = soup_of(site / "index.html")
    headings = [words(heading) for heading in home.find_all("h2")]
    assert headings == ["Newest report: November 2023", "Month by month", "Where to get help", "All reports"]
    assert [words(heading) for heading in home.find_all("h3")] == ["Fiscal year 2024"]
    points = [words(item) for item in home.select("main ul")[0].find_all("li")]
    issue = soup_of(site / "issues" / "2023-11" / "index.html")
    assert points == [words(item) for item in issue.select("main ul")[0].find_all("li")]
    headline, month_by_month, archive = (
        [[words(cell) for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]
        for table in home.find_all("table")
    )
    # The headline figures of the year to date, as the City published them for November 2023.
    assert [row[2] for row in headline] == ["2,599", "101", "4,666", "2,446"]
    october = figures_of(site / "issues" / "2023-10")
    assert [row[:2] for row in archive] == [
        ["November 2023 records as of December 4, 2023", "90"],
        ["October 2023 records as of November 3, 2023", october["responses", "", "month"]],
    ]
    # The numbers of the small charts: for November as the City printed them, for October as its issue has them.
    assert month_by_month[1] == ["November 2023", "55", "7", "5", "11", "7", "5"]
    types = ["Gun/Other Violence", "DV/Sexual Assault", "Homicide", "Other Deaths", "Suicide", "Other"]
    counts = [october["responses_by_incident_type", one, "month"] for one in types]
    assert month_by_month[0] == ["October 2023", *counts]
    chart = home.select_one("#chart-month-by-month img")
    assert chart is not None
    assert f"Homicide: {counts[2]}, 5." in str(chart["alt"])


def figures_of(folder: Path) -> dict[tuple[str, str, str], str]:
    rows = csv.DictReader(io.StringIO((folder / "figures.csv").read_text(encoding="utf-8")))
    return {(row["measure"], row["category"], row["period"]): row["value"] for row in rows}


def test_synthetic_records_are_said_on_every_page_with_figures(site: Path) -> None:
    for page in pages_of(site):
        if page.name != "404.html":
            assert re.search("Sample data|Datos de muestra", words(soup_of(page))), page


def test_an_issue_leads_to_its_files_and_to_the_issues_beside_it(site: Path) -> None:
    issue = soup_of(site / "issues" / "2023-10" / "index.html")
    files = {words(link): str(link["href"]).rpartition("/")[2] for link in issue.select("ul.downloads a")}
    assert files == {
        "PDF": "vip-2023-10.pdf",
        "Word": "vip-2023-10.docx",
        "Summary": "vip-2023-10-summary.pdf",
        "CSV": "figures.csv",
    }
    beside = {words(link): str(link["href"]) for link in issue.select("nav.neighbors a")}
    assert beside == {"November 2023": "../../issues/2023-11/index.html"}


def test_the_page_of_an_issue_says_what_its_own_html_says(site: Path) -> None:
    folder = site / "issues" / "2023-11"
    one, other = soup_of(folder / "index.html"), soup_of(folder / "vip-2023-11.html")
    assert words(one.find("main")) == words(other.find("main"))
    assert words(one.find("h1")) == words(other.find("h1"))


def test_the_files_of_an_issue_are_those_that_were_made(site: Path) -> None:
    manifest = json.loads((site / "issues" / "2023-11" / "manifest.json").read_text(encoding="utf-8"))
    # What goes into a mail is no page of the site.
    files = {name: was for name, was in manifest["outputs"].items() if not name.endswith("-summary.html")}
    assert len(files) == len(manifest["outputs"]) - 1
    for name, was in files.items():
        assert checksum(site / "issues" / "2023-11" / name) == was


@pytest.mark.exhaustive
def test_the_data_of_all_issues_is_that_of_the_command(root: Path, site: Path) -> None:
    done = vip("figures", "--all", "--csv", "--project", str(root))
    assert (site / "data" / "all-issues.csv").read_text(encoding="utf-8") == done.stdout


def test_the_record_of_the_site_holds_the_checksum_of_every_file(site: Path) -> None:
    record = json.loads((site / "site.json").read_text(encoding="utf-8"))
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(record["files"]) == files - {"site.json"}
    assert all(checksum(site / name) == was for name, was in record["files"].items())
    assert str(REPOSITORY) not in json.dumps(record)


# ---------------------------------------------------------------- feed, sitemap, search


def test_the_feed_lists_every_issue_with_its_address_and_its_own_day(site: Path) -> None:
    feed = ET.parse(site / "feed.xml").getroot()  # noqa: S314 - made here
    entries = [
        (one.findtext(f"{ATOM}title"), one.findtext(f"{ATOM}id"), one.findtext(f"{ATOM}updated"))
        for one in feed.findall(f"{ATOM}entry")
    ]
    assert entries == [
        ("Monthly Informational Report, November 2023", f"{ADDRESS}issues/2023-11/", "2023-12-04T00:00:00Z"),
        ("Monthly Informational Report, October 2023", f"{ADDRESS}issues/2023-10/", "2023-11-03T00:00:00Z"),
    ]
    assert feed.findtext(f"{ATOM}updated") == "2023-12-04T00:00:00Z"
    assert all("sample data" in str(one.findtext(f"{ATOM}summary")) for one in feed.findall(f"{ATOM}entry"))
    links = {one.get("rel"): one.get("href") for one in feed.findall(f"{ATOM}link")}
    assert links == {"self": f"{ADDRESS}feed.xml", "alternate": ADDRESS}


def test_the_sitemap_lists_every_page_once(site: Path) -> None:
    urls = ET.parse(site / "sitemap.xml").getroot()  # noqa: S314 - made here
    listed = [str(url.findtext(f"{MAP}loc")) for url in urls]
    assert len(set(listed)) == len(listed)
    there = [page.relative_to(site).as_posix().removesuffix("index.html") for page in pages_of(site)]
    assert sorted(listed) == sorted(urljoin(ADDRESS, place) for place in there if place != "404.html")


def test_the_page_for_what_is_not_there_works_at_any_address(site: Path) -> None:
    page = site / "404.html"
    assert {link for link in links_of(page) if not link.startswith(("/reports/", "#"))} == set()
    assert "This page does not exist" in words(soup_of(page))


def test_the_search_index_holds_every_part_of_every_page(site: Path) -> None:
    def index(place: str) -> list[list[str]]:
        script = (site / place / "search" / "index.js").read_text(encoding="utf-8")
        found: list[list[str]] = json.loads(script.removeprefix("window.searchIndex = ").removesuffix(";\n"))
        return found

    rows, spanish = index(""), index("es")
    assert all("/es/" in address for address, *_ in spanish)
    for page in pages_of(site):
        if page.name == "404.html":
            continue
        place = page.relative_to(site).as_posix()
        place = f"../../{place}" if place.startswith("es/") else f"../{place}"
        mine = {heading: text for address, _, heading, text, _ in rows + spanish if address.partition("#")[0] == place}
        for heading in soup_of(page).select("main h2"):
            assert words(heading) in mine, (page, words(heading))
    (found,) = [row for row in rows if row[2] == "Responses to incidents" and "2023-11" in row[0]]
    assert found[0] == "../issues/2023-11/index.html#responses-to-incidents"
    # Prose and rows of tables are kept apart, and each number has its heading.
    assert "Homicide" not in found[3]
    assert any(row.startswith("Homicide: Nov [p] 5, FYTD [p] 20, Nov 2022 ") for row in found[4].split("\n"))
