"""A site with release dates: an issue with an embargo is on no page and in no file until its day."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.support.artifacts import SITE_ADDRESS as ADDRESS
from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.pages import PlainEngine
from tests.support.register import APPROVER
from tests.support.releases import AFTER, BEFORE, OCTOBER, RELEASES, SECRETS
from tests.support.site import pages_of, soup_of, words
from viputils.audit.register import read_register
from viputils.config.project import Project
from viputils.core.errors import ProgramError
from viputils.publish.site.build import Site, make_site

ATOM = "{http://www.w3.org/2005/Atom}"
MakeOn = Callable[[dt.date], Site]


@pytest.fixture
def town(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> Project:
    return Project.open(shutil.copytree(artifacts.town_with_release_dates(), tmp_path / "a town"))


@pytest.fixture
def make_on(town: Project) -> MakeOn:
    return lambda day: make_site(town, PlainEngine(), ADDRESS, OCTOBER, on=day)


def figures_of(site: Path) -> pd.DataFrame:
    return pd.read_csv(site / "data" / "all-issues.csv", dtype=str, keep_default_na=False)


def test_until_its_day_an_issue_with_an_embargo_is_in_no_file_of_the_site(town: Project, make_on: MakeOn) -> None:
    shutil.rmtree(town.site)
    found = make_on(BEFORE)
    assert [str(note) for note in found.withheld] == [
        "releases[2]: the issue of 2023-11 has an embargo until 2023-12-11 and was left out; "
        "make the site again on that day."
    ]
    assert found.issues == 2, "October, in two languages"
    site = town.site
    assert sorted(path.name for path in (site / "issues").iterdir()) == ["2023-10"]
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in data, path
            assert f"{int(secret):,}".encode() not in data, path
        if path.name != "site.json":
            assert b"issues/2023-11" not in data, path
    # Each place by itself.
    for home, month in ((site / "index.html", "November 2023"), (site / "es" / "index.html", "Noviembre de 2023")):
        text = words(soup_of(home).main).replace("November 3, 2023", "")
        assert month not in text
    for folder in (site, site / "es"):
        entries = ET.parse(folder / "feed.xml").getroot().findall(f"{ATOM}entry")  # noqa: S314 - made here
        assert [str(one.findtext(f"{ATOM}id")).rsplit("/", 2)[1] for one in entries] == ["2023-10"]
        index = (folder / "search" / "index.js").read_text(encoding="utf-8")
        assert "issues/2023-10/" in index
        assert "issues/2023-11/" not in index
    assert set(figures_of(site)["month"]) == {"2023-07", "2023-08", "2023-09", "2023-10"}
    assert "2023-11" not in set(figures_of(site)["category"])
    assert json.loads((site / "data" / "datapackage.json").read_bytes())["version"] == "2023.11.3"
    assert "2023-11/" not in (site / "sitemap.xml").read_text(encoding="utf-8")


@pytest.mark.whole_issues
def test_the_record_that_came_with_the_delivery_of_an_embargo_moves_no_number_before_its_day(
    town: Project, make_on: MakeOn
) -> None:
    """The page of number checks counts October again, but not from the records of November."""
    verdicts = {}
    for day in (BEFORE, AFTER):
        make_on(day)
        table = pd.read_csv(town.site / "verdicts" / "verdicts.csv", dtype=str, keep_default_na=False)
        verdicts[day] = dict(table.groupby("issue")["verdict"].unique().map(set))
    assert verdicts[BEFORE] == {"2023-10": {"reproduced"}}
    assert verdicts[AFTER] == {"2023-10": {"reproduced", "revised since"}, "2023-11": {"reproduced"}}


@pytest.mark.whole_issues
def test_the_calendar_lists_it_and_the_log_of_revisions_does_not(town: Project, make_on: MakeOn) -> None:
    make_on(BEFORE)
    calendar = words(soup_of(town.site / "calendar" / "index.html").main)
    assert "November 2023 December 11, 2023, 10:00 a.m." in calendar
    dates = (town.site / "calendar" / "calendar.ics").read_text(encoding="utf-8")
    assert dates.count("BEGIN:VEVENT") == 3
    assert "DTSTART:20231211T100000" in dates
    assert "DTSTAMP:20231103T000000Z" in dates
    log = words(soup_of(town.site / "revisions" / "index.html").main)
    assert f"October 2023 November 6, 2023 First publication vip publish {APPROVER}" in log
    assert "November 2023" not in log


@pytest.mark.whole_issues
def test_on_its_day_the_issue_is_on_the_site_and_the_register_was_never_changed(town: Project, make_on: MakeOn) -> None:
    before = {path: path.read_bytes() for path in sorted((town.root / "data").rglob("*")) if path.is_file()}
    assert [str(issue.name) for issue in read_register(town).issues] == ["2023-10", "2023-11"]
    make_on(BEFORE)
    found = make_on(AFTER)
    assert found.withheld == ()
    assert found.made == (), "it was made before"
    assert {path: path.read_bytes() for path in sorted((town.root / "data").rglob("*")) if path.is_file()} == before
    home = words(soup_of(town.site / "index.html").main)
    assert "70,017" in home
    assert set(figures_of(town.site)["issue"]) >= {"2023-10", "2023-11"}
    feed = ET.parse(town.site / "feed.xml").getroot()  # noqa: S314 - made here
    days = {
        str(one.findtext(f"{ATOM}id")): (one.findtext(f"{ATOM}published"), one.findtext(f"{ATOM}updated"))
        for one in feed.findall(f"{ATOM}entry")
    }
    # Not the day on which it was approved, but the day on which readers could see it.
    assert days == {
        f"{ADDRESS}issues/2023-11/": ("2023-12-11T00:00:00Z", "2023-12-11T00:00:00Z"),
        f"{ADDRESS}issues/2023-10/": ("2023-11-06T00:00:00Z", "2023-11-06T00:00:00Z"),
    }
    # Each page has the new pages in its menu.
    for page in pages_of(town.site):
        header = words(soup_of(page).header)
        assert "calendar/index" in header, page
        assert "revisions/index" in header, page


@pytest.mark.whole_issues
def test_nothing_is_made_again_while_no_release_date_comes(make_on: MakeOn) -> None:
    make_on(AFTER)
    assert make_on(dt.date(2023, 12, 30)).pages_made == 0
    assert make_on(BEFORE).pages_made > 0


@pytest.mark.whole_issues
def test_a_release_date_that_has_passed_without_an_issue_keeps_the_site_from_being_made(
    town: Project, make_on: MakeOn
) -> None:
    make_on(AFTER)
    before = {path: path.read_bytes() for path in town.site.rglob("*") if path.is_file()}
    make_on(dt.date(2024, 1, 8))
    with pytest.raises(ProgramError) as refused:
        make_on(dt.date(2024, 1, 9))
    assert [str(problem) for problem in refused.value.problems] == [
        "releases[3]: the issue of 2023-12 was due on 2024-01-08 and does not exist; make it, or change the date."
    ]
    after = {path: path.read_bytes() for path in town.site.rglob("*") if path.is_file()}
    assert after.keys() == before.keys()


@pytest.mark.whole_issues
def test_the_command_takes_the_day_and_says_what_it_left_out(town: Project) -> None:
    command = ["site", "--project", str(town.root), "--engine", "embedded", "--address", ADDRESS, "--since", "2023-10"]
    done = vip(*command, "--on", "2023-12-10")
    assert done.returncode == 0, done.stderr
    assert "Note: releases[2]: the issue of 2023-11 has an embargo until 2023-12-11 and was left out;" in done.stdout
    said = json.loads(vip(*command, "--on", "2023-12-10", "--json").stdout)
    assert [note["where"] for note in said["withheld"]] == ["releases[2]"]
    done = vip(*command, "--on", "2023-12-11")
    assert (done.returncode, "embargo" in done.stdout) == (0, False), done.stderr
    # Today is later than every date.
    done = vip(*command)
    assert (done.returncode, "the issue of 2023-12 was due on 2024-01-08" in done.stderr) == (2, True)
    done = vip(*command, "--on", "soon")
    assert (done.returncode, "--on: 'soon' is not a date" in done.stderr) == (2, True)


@pytest.mark.whole_issues
def test_the_preview_leaves_it_out_too_and_says_so(town: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viputils.publish.site.preview.follow", lambda _, make: make())
    # The command would ignore later signals, but this process goes on.
    monkeypatch.setattr("viputils.cli.interrupts.end", sys.exit)
    command = ["preview", "--project", str(town.root), "--engine", "embedded", "--port", "0", "--since", "2023-10"]
    said = {day: vip(*command, "--on", str(day)).stdout for day in (BEFORE, AFTER)}
    assert "Note: releases[2]: the issue of 2023-11 has an embargo until 2023-12-11" in said[BEFORE]
    assert "embargo" not in said[AFTER]
    assert "Open http://" in said[AFTER]


def test_if_all_issues_have_an_embargo_the_site_has_none(town: Project) -> None:
    program = town.root / "program.toml"
    text = program.read_text(encoding="utf-8").replace(RELEASES, "")
    first = RELEASES[RELEASES.index('[[releases]]\nissue = "2023-11"') :].replace("2023-11", "2023-07")
    program.write_text(f"{text}\n{first}", encoding="utf-8")
    project = Project.open(town.root)
    found = make_site(project, PlainEngine(), ADDRESS, on=BEFORE)
    assert (found.issues, len(found.withheld)) == (0, 5)
    assert found.withheld[4].where == "issues/2023-11"
    assert len(figures_of(project.site)) == 0
    for path in sorted(path for path in project.site.rglob("*") if path.is_file()):
        assert SECRETS[0].encode() not in path.read_bytes(), path
