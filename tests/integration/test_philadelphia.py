"""The second city: real records at three vintages, and no Python of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.support.artifacts import Artifacts
from viputils.audit.as_of import load_edition
from viputils.audit.health import check_project
from viputils.config.project import Project
from viputils.figures.counts import breakdown, value_of
from viputils.figures.edition import Edition


@pytest.fixture(scope="module")
def example(repository_example: Path) -> Project:
    return Project.open(repository_example)


@pytest.fixture(scope="module")
def known(example: Project) -> Callable[[str, dt.date], Edition]:
    """What was known of a month by a day; each is read once."""
    return cache(lambda month, as_of: load_edition(example, month, as_of))


# Victims, of whom fatal, and incidents, counted in the files of the public repository with other tools.
@pytest.mark.parametrize(
    ("month", "as_of", "victims", "fatal", "incidents"),
    [
        ("2020-11", dt.date(2020, 12, 1), 207, 32, 207),
        ("2020-11", dt.date(2021, 1, 5), 220, 32, 212),
        ("2020-11", dt.date(2021, 7, 19), 220, 35, 212),
        ("2021-02", dt.date(2021, 7, 19), 122, 25, None),
    ],
)
def test_the_figures_of_each_vintage_come_out(
    known: Callable[[str, dt.date], Edition],
    month: str,
    as_of: dt.date,
    victims: int,
    fatal: int,
    incidents: int | None,
) -> None:
    figures = known(month, as_of).figures
    assert value_of(figures, "victims", "month") == victims
    assert value_of(figures, "fatal_victims", "month") == fatal
    if incidents is not None:
        assert value_of(figures, "incidents", "month") == incidents


@pytest.mark.parametrize(
    ("as_of", "rows", "no_outcome", "no_district"),
    [(dt.date(2020, 12, 1), 3393, 17, 78), (dt.date(2021, 1, 5), 3737, 17, 84), (dt.date(2021, 7, 19), 4983, 17, 213)],
)
def test_rows_without_an_outcome_or_a_district_are_kept_and_counted_as_not_recorded(
    known: Callable[[str, dt.date], Edition], as_of: dt.date, rows: int, no_outcome: int, no_district: int
) -> None:
    edition = known("2020-11", as_of)
    victims = edition.records.tables["victims"]
    assert edition.records.quarantine.empty
    assert len(victims.rows) == rows
    assert int(victims.rows["fatal"].isna().sum()) == no_outcome
    assert int(victims.rows["police"].isna().sum()) == no_district
    for name in ("victims_by_outcome", "victims_by_police_district"):
        for period in ("month", "fytd"):
            parts = breakdown(edition.figures, name)[period]
            assert parts.index[-1] == "Not recorded"
            assert parts.sum() == value_of(edition.figures, "victims", period)


def test_the_year_to_date_is_the_calendar_year(known: Callable[[str, dt.date], Edition]) -> None:
    edition = known("2021-02", dt.date(2021, 7, 19))
    assert [str(month) for month in edition.months] == ["2021-01", "2021-02"]
    assert value_of(edition.figures, "victims", "fytd") == 196 + 122


@pytest.mark.whole_issues
def test_its_report_is_made_by_the_command_with_no_part_that_the_city_does_not_have(
    artifacts: Artifacts, repository_example: Path
) -> None:
    assert not list(repository_example.rglob("*.py"))
    made = artifacts.philadelphia() / "issues" / "2020-11"
    (path,) = (one for one in made.glob("*.html") if "summary" not in one.name)
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    headings = [heading.get_text(strip=True) for heading in page.find_all("h2")]
    # Neither a map, nor activities, nor engagement, nor where to get help.
    assert headings == [
        "Main points",
        "Headline numbers",
        "Victims of shootings",
        "Victims: between 90 and 282 a month so far in 2020",
        "Victims: about 227 a month since May 2020, up from 122",
        "What changed this month",
        "Victims: 2,070 so far in 2020, 1,358 a year earlier",
        "About this report",
    ]
    words = page.get_text(" ", strip=True)
    assert "not a publication of the City" in words
    assert "MIT license" in words
    assert "Not recorded" in words
    assert "sample data" not in words.casefold()
    assert "fiscal" not in words.casefold()
    assert "220 [p]" in words
    assert "256 [r]" in words


def test_its_deliveries_are_as_they_were_taken_in(example: Project) -> None:
    found = check_project(example)
    assert found.clean
    assert found.notes == ()
