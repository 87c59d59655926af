"""What of a site is made again, and what keeps a site from being made."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pypdf import PdfReader

from tests.support.artifacts import SITE_ADDRESS as ADDRESS
from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.pages import PlainEngine, needs_quarto
from tests.support.projects import HEADERS, REPOSITORY, town, with_a_short_report
from tests.support.register import APPROVER
from tests.support.site import links_of, pages_of, soup_of, words
from viputils.audit.register import IssueName, PublishedIssue, write_register
from viputils.config.project import Project
from viputils.core.errors import ManifestError, ParameterError
from viputils.core.months import ReportMonth
from viputils.publish.site.build import make_site
from viputils.records.checksums import checksum
from viputils.report.render.embedded import EmbeddedEngine


def make(root: Path, *arguments: str) -> dict[str, object]:
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    return said


@pytest.fixture
def built(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> Path:
    """A town whose site from November 2023 on was made before."""
    return shutil.copytree(artifacts.town_with_a_plain_site(), tmp_path / "a town")


def test_a_site_that_is_made_again_with_nothing_changed_is_left_as_it_is(artifacts: Artifacts, tmp_path: Path) -> None:
    root = shutil.copytree(artifacts.site(), tmp_path / "a project")
    before = {path: path.stat().st_mtime_ns for path in (root / "_site").rglob("*")}
    again = make(root, "--since", "2023-10")
    assert (again["made"], again["pages_made"]) == ([], 0)
    assert again["pages"] == len(pages_of(root / "_site"))
    assert {path: path.stat().st_mtime_ns for path in (root / "_site").rglob("*")} == before


def test_the_data_of_all_issues_is_that_of_the_command(built: Path) -> None:
    done = vip("figures", "--all", "--csv", "--project", str(built))
    assert done.stdout.count("\n") > 100
    assert (built / "_site" / "data" / "all-issues.csv").read_text(encoding="utf-8") == done.stdout


@pytest.mark.whole_issues
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
    page.write_text(
        page.read_text(encoding="utf-8").replace("We count every number", "We count no number"), encoding="utf-8"
    )
    mended = make(root, *only)
    assert (mended["made"], mended["pages_made"]) == ([], 1)
    assert "We count no number" not in page.read_text(encoding="utf-8")
    (root / "issues" / "2023-11" / "figures.csv").write_text("measure,category,period,value\n", encoding="utf-8")
    assert [one[0] for one in make(root, *only)["made"]] == ["2023-11"]  # type: ignore[attr-defined]
    # An issue that is left out is gone from the site, and stays where it was made.
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


@pytest.mark.whole_issues
def test_the_page_of_numbers_reported_elsewhere_is_made_again_when_its_file_changes(built: Path) -> None:
    root = built
    only = ("--since", "2023-11")
    page, file = root / "_site" / "elsewhere" / "index.html", root / "data" / "elsewhere.csv"
    assert not page.exists()
    text = (REPOSITORY / "data" / "elsewhere.csv").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    added = make(root, *only)
    # Every page has a link to the new one, and no issue is made again.
    assert (added["made"], added["pages_made"]) == ([], added["pages"])
    assert "nearly 140" in words(soup_of(page))
    file.write_text(text.replace("nearly 140", "about 140"), encoding="utf-8")
    changed = make(root, *only)
    assert (changed["made"], changed["pages_made"]) == ([], 1)
    assert "about 140" in words(soup_of(page))
    before = made_in(root)
    file.write_text(text.replace("KOB", "", 1), encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, *only)
    assert done.returncode == 2
    assert "data/elsewhere.csv, line 4, source: is empty; write who reported the number." in done.stderr
    assert made_in(root) == before


def publish(root: Path, *options: str) -> None:
    """Publish November 2023, which was made in a town."""
    done = vip("publish", "2023-11", f"--approved-by={APPROVER}", *options, "--project", str(root))
    assert done.returncode == 0, done.stderr


def made_in(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (root / "_site").rglob("*") if path.is_file()}


def test_an_issue_that_was_published_from_here_goes_online_as_it_was(built: Path) -> None:
    root = built
    publish(root, "--printed", "2023-12-10")
    said = make(root, "--since", "2023-11")
    # An issue does not change by being published.
    assert said["made"] == []
    kept = json.loads((root / "data" / "published" / "2023-11.manifest.json").read_bytes())["outputs"]
    online = root / "_site" / "issues" / "2023-11"
    assert {name: checksum(online / name) for name in kept} == kept


@pytest.mark.whole_issues
def test_a_published_measure_may_get_another_name_and_company(built: Path) -> None:
    """No published figure moves by it."""
    root = built
    publish(root, "--printed", "2023-12-10")
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
    online = root / "_site" / "issues" / "2023-11"
    assert "candidates_received,,month" in (online / "figures.csv").read_text(encoding="utf-8")
    require_refused_if_counted_otherwise(root)


def test_a_site_with_another_number_than_was_published_is_not_made(built: Path) -> None:
    publish(built, "--printed", "2023-12-10")
    require_refused_if_counted_otherwise(built)


def require_refused_if_counted_otherwise(root: Path) -> None:
    before = made_in(root)
    program = root / "program.toml"
    text = program.read_text(encoding="utf-8")
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


@pytest.mark.whole_issues
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


@pytest.mark.whole_issues
def test_a_site_that_is_a_link_to_where_it_goes_online_stays_one(tmp_path: Path, plain_pages: None) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    web = tmp_path / "web root"
    web.mkdir()
    (root / "_site").symlink_to(web)
    make(root, "--since", "2023-12")
    assert (root / "_site").is_symlink()
    assert (web / "index.html").is_file()
    # Pages about the program and its data are there, whatever issues are left out.
    assert "All reports are of earlier months" in words(soup_of(web / "index.html"))
    assert "December 4, 2023" in words(soup_of(web / "methods" / "index.html"))


@pytest.mark.whole_issues
def test_a_month_that_cannot_be_made_is_left_out_of_the_site_until_it_can(built: Path) -> None:
    """One row of December is in quarantine; a correction comes as docs/communications.md describes."""
    deliver_to(built, "2024-01-04", "DEMO-R3,2023-12-09,Suicyde,NE")
    notes = json.dumps(make(built, "--since", "2023-11")["notes"])
    assert not (built / "_site" / "issues" / "2023-12").exists()
    assert (built / "_site" / "issues" / "2023-11" / "index.html").is_file()
    assert "issues/2023-12" in notes
    assert "has no page: rows are in quarantine as of 2024-01-04" in notes
    deliver_to(built, "2024-01-09", "DEMO-R3,2023-12-09,Suicide,NE")
    make(built, "--since", "2023-11")
    page = words(soup_of(built / "_site" / "issues" / "2023-12" / "index.html"))
    assert "January 9, 2024" in page
    status = json.loads(vip("status", "--json", "--project", str(built)).stdout)
    assert [one["as_of"] for one in status["months"] if one["month"] == "2023-12"] == ["2024-01-09"]


def deliver_to(root: Path, day: str, row: str) -> None:
    """Deliver one response; nothing occurred in the other tables."""
    folder = root / "data" / "raw" / day
    folder.mkdir()
    for table, header in HEADERS.items():
        if table != "voids":
            rows = f"{row}\n" if table == "responses" else ""
            (folder / f"{table}.csv").write_text(f"{header}\n{rows}", encoding="utf-8", newline="")


@pytest.mark.whole_issues
def test_an_issue_that_was_replaced_says_so_and_the_one_that_stands_says_what_it_is(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    # Real pages: the notice is in the template.
    root = shutil.copytree(artifacts.town_with_a_plain_site(), tmp_path / "a town")
    publish(root, "--printed", "2023-12-10")
    late = root / "data" / "raw" / "2023-12-20"
    late.mkdir()
    for table, header in HEADERS.items():
        rows = "DEMO-R3,2023-11-09,Suicide,NE\n" if table == "responses" else ""
        if table != "voids":
            (late / f"{table}.csv").write_text(f"{header}\n{rows}", encoding="utf-8", newline="")
    for command in (
        ["report", "2023-11", "--as-of", "2023-12-20", "--engine", "embedded"],
        [
            "publish",
            "2023-11",
            "--approved-by",
            APPROVER,
            "--reissue",
            "--reason",
            "One record <b>came</b> late.",
            "--printed",
            "2023-12-21",
        ],
    ):
        done = vip(*command, "--project", str(root))
        assert done.returncode == 0, done.stderr
    make(root, "--since", "2023-11")
    first, second = (soup_of(root / "_site" / "issues" / name / "index.html") for name in ("2023-11", "2023-11-r1"))
    # A correction says on its own pages what it updates, and is made again byte for byte.
    updated = "This is an updated report. The report published on December 10, 2023 counts the records received by"
    texts = [
        " ".join(
            "".join(page.extract_text() for page in PdfReader(root / "issues" / name / "vip-2023-11.pdf").pages).split()
        )
        for name in ("2023-11", "2023-11-r1")
    ]
    assert [updated in text for text in texts] == [False, True]
    assert updated in words(second.main)
    manifests = [root / "data/published/2023-11-r1.manifest.json", root / "issues/2023-11-r1/manifest.json"]
    outputs = [json.loads(path.read_text(encoding="utf-8"))["outputs"] for path in manifests]
    assert outputs[0] == outputs[1]
    notices = [words(page.select_one("[role=note]")) for page in (first, second)]
    assert notices[0].startswith("This report was replaced. Its numbers stay here as they were.")
    assert notices[1].startswith("This report corrects an earlier one: November 2023 .")
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


@pytest.mark.whole_issues
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


@pytest.mark.whole_issues
def test_an_issue_that_was_published_without_rows_in_quarantine_is_on_the_site(built: Path) -> None:
    root = built
    delivery = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    delivery.write_text(delivery.read_text(encoding="utf-8") + "DEMO-R9,2023-11-03,Homocide,SE\n", encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS, "--since", "2023-11")
    assert done.returncode == 2
    assert "No issue can be made" in done.stderr
    assert "rows are in quarantine as of 2023-12-04; see vip check 2023-11." in done.stderr
    assert (root / "_site" / "issues" / "2023-11" / "index.html").is_file(), "the site is as it was"
    for command in (
        ["report", "2023-11", "--engine", "embedded", "--allow-quarantined"],
        ["publish", "2023-11", "--approved-by", APPROVER],
    ):
        done = vip(*command, "--project", str(root))
        assert done.returncode == 0, done.stderr
    make(root, "--since", "2023-11")
    assert "1 record could not be read" in words(soup_of(root / "_site" / "issues" / "2023-11" / "index.html"))
    package = json.loads((root / "_site" / "data" / "datapackage.json").read_bytes())
    assert "were left out" in package["description"]


@pytest.mark.whole_issues
def test_what_is_saved_while_the_site_is_made_is_in_the_next_site(tmp_path: Path, plain_pages: None) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    page = root / "report" / "pages" / "overview.md"

    def meanwhile(step: str) -> None:
        if step.startswith("Making the pages"):
            page.write_text(page.read_text("utf-8") + "\nSaved just now.\n", "utf-8")

    texts = []
    for on_step in (meanwhile, lambda _: None):
        made = make_site(Project.open(root), EmbeddedEngine(), since=ReportMonth(2023, 11), on_step=on_step)
        texts.append((root / "_site" / "overview" / "index.html").read_text("utf-8"))
        assert made.pages_made
    assert ["Saved just now." in text for text in texts] == [False, True]


@pytest.mark.whole_issues
def test_an_issue_that_is_made_again_while_the_site_is_put_together_keeps_it_from_being_made(
    tmp_path: Path, plain_pages: None
) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))

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


def test_activities_that_must_not_go_out_keep_the_site_from_being_made(tmp_path: Path, plain_pages: None) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    (root / "report" / "activities" / "2023-11.md").write_text("## News\n\nCall 505-555-0123.\n", encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--since", "2023-11")
    assert done.returncode == 2
    assert "report/activities/2023-11.md, line 3" in done.stderr
    assert not (root / "_site").exists()


@pytest.mark.whole_issues
def test_activities_of_a_month_without_data_are_named_and_keep_nothing_else_from_being_made(
    tmp_path: Path, plain_pages: None
) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    (root / "report" / "activities" / "2024-02.md").write_text("## News\n\nToo early.\n", encoding="utf-8")
    notes: Any = make(root, "--since", "2023-12")["notes"]
    note, left_out = notes
    assert note["where"] == "report/activities/2024-02.md"
    assert left_out["where"] == "--since"
    assert "the data of its month is not complete" in note["what"]
    assert not [page for page in (root / "_site").rglob("*.html") if "Too early." in page.read_text(encoding="utf-8")]


@pytest.mark.whole_issues
def test_a_site_that_does_not_know_its_address_has_no_feed_and_says_so(tmp_path: Path, plain_pages: None) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    program = root / "program.toml"
    program.write_text(
        re.sub(r"(?m)^address = .*example/.*", "", program.read_text(encoding="utf-8")), encoding="utf-8"
    )
    done = vip("site", "--project", str(root), "--engine", "embedded", "--since", "2023-12")
    assert done.returncode == 0, done.stderr
    assert "the site has no feed and no sitemap. Set program.address in program.toml" in done.stdout
    assert not list((root / "_site").rglob("*.xml"))
    for page in pages_of(root / "_site"):
        # A plain page shows its front matter, where the links of the template come from.
        assert "feed.xml" not in page.read_text(encoding="utf-8")


@pytest.mark.whole_issues
def test_the_page_for_what_is_not_there_needs_no_other_file_where_the_address_is_not_known(tmp_path: Path) -> None:
    """Somebody may have asked for an address in any folder: what is relative would lead elsewhere from there."""
    root = with_a_short_report(town(tmp_path / "a town"))
    program = root / "program.toml"
    text = re.sub(r"(?m)^(?:address = .*example/|also_in = ).*", "", program.read_text(encoding="utf-8"))
    program.write_text(text, encoding="utf-8")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--since", "2023-12")
    assert done.returncode == 0, done.stderr
    page = root / "_site" / "404.html"
    assert {link for link in links_of(page) if not link.startswith("#")} == {"data:,"}
    (style,) = soup_of(page).select("head style")
    assert ".skip-link" in style.get_text()
    assert "url(" not in style.get_text()
    assert "This page does not exist" in words(soup_of(page))
    # Every other page knows where it is.
    assert "../report/theme/report.css" in set(links_of(root / "_site" / "methods" / "index.html"))


@needs_quarto
def test_quarto_renders_the_same_site_as_a_website_project_with_its_own_search_index(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    make(root, "--since", "2023-11")
    pages = {page.relative_to(root / "_site"): words(soup_of(page).body) for page in pages_of(root / "_site")}
    done = vip(
        "site", "--project", str(root), "--engine", "quarto", "--address", ADDRESS, "--since", "2023-11", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pages_made"] == len(pages)
    by_quarto = {page.relative_to(root / "_site"): words(soup_of(page).body) for page in pages_of(root / "_site")}
    assert by_quarto == pages
    found = json.loads((root / "_site" / "search.json").read_text(encoding="utf-8"))
    assert {one["href"].partition("#")[0] for one in found} == {
        page.as_posix() for page in pages if page.name != "404.html"
    }
    again = vip(
        "site", "--project", str(root), "--engine", "quarto", "--address", ADDRESS, "--since", "2023-11", "--json"
    )
    assert json.loads(again.stdout)["pages_made"] == 0


def test_without_any_delivery_there_is_no_site_and_the_message_says_what_is_missing(
    tmp_path: Path, plain_pages: None
) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    shutil.rmtree(root / "data" / "raw" / "2023-12-04")
    done = vip("site", "--project", str(root), "--engine", "embedded", "--address", ADDRESS)
    assert done.returncode == 2
    assert "data/raw: contains no delivery; a delivery is a folder such as data/raw/2023-12-04." in done.stderr


@pytest.mark.parametrize(
    ("address", "remark"),
    [
        ("vip.example/reports/", "must be a web address"),
        ("https://vip.example/reports", "must end with a slash: 'https://vip.example/reports/'"),
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


@pytest.mark.whole_issues
def test_very_many_issues_are_made_only_if_the_answer_is_yes(
    tmp_path: Path, plain_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    monkeypatch.setattr("viputils.publish.site.outdated._MANY", 1)
    asked: list[str] = []

    def say_no(many: str) -> bool:
        asked.append(many)
        return False

    with pytest.raises(ParameterError, match="No site was made"):
        make_site(Project.open(root), PlainEngine(), go_on=say_no)
    assert asked == [
        "5 issues have to be made, which takes about 1 minute. --since 2022-12 makes the site of the last twelve "
        "months first."
    ]
    assert not (root / "_site").exists()
    assert not list((root / "issues").glob("20*"))
    assert make_site(Project.open(root), PlainEngine(), since=ReportMonth(2023, 11), go_on=lambda _: False).issues == 1
