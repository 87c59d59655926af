"""Release dates on a day: what is due, what is withheld, and what an embargo takes out of a copy of a project."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.support.projects import Deliver
from tests.support.register import an_issue
from viputils.audit.register import add_issue, read_register
from viputils.config.program import Release
from viputils.config.project import Project
from viputils.core.errors import ProgramError
from viputils.core.months import ReportMonth
from viputils.publish.site.releases import Releases, withhold
from viputils.records.deliveries import find_deliveries

OCTOBER, NOVEMBER, DECEMBER = (ReportMonth(2023, month) for month in (10, 11, 12))
DATES = [
    Release.model_validate(one)
    for one in (
        {"issue": "2023-10", "date": dt.date(2023, 11, 6)},
        {"issue": "2023-11", "date": dt.date(2023, 12, 11), "embargo": True},
        {"issue": "2023-12", "date": dt.date(2024, 1, 8)},
    )
]


def on(day: str) -> Releases:
    return Releases(DATES, dt.date.fromisoformat(day))


def test_an_embargo_holds_until_its_date_and_for_later_issues_which_show_the_same_numbers() -> None:
    before, after = on("2023-12-10"), on("2023-12-11")
    assert [before.withholds(month) for month in (OCTOBER, NOVEMBER, DECEMBER)] == [False, True, True]
    assert not any(after.withholds(month) for month in (OCTOBER, NOVEMBER, DECEMBER))
    assert [one.issue for one in before.come] == [OCTOBER]
    assert [one.issue for one in after.come] == [OCTOBER, NOVEMBER]


def test_a_note_names_each_issue_that_is_withheld_and_exists() -> None:
    assert [str(note) for note in on("2023-12-10").notes([DECEMBER, NOVEMBER, OCTOBER])] == [
        "releases[2]: the issue of 2023-11 has an embargo until 2023-12-11 and was left out; "
        "make the site again on that day.",
        "issues/2023-12: was left out, because it shows numbers of 2023-11, which has an embargo.",
    ]
    assert on("2023-12-10").notes([OCTOBER]) == []
    assert on("2023-12-11").notes([DECEMBER, NOVEMBER, OCTOBER]) == []


def test_without_a_day_every_embargo_holds_and_nothing_is_due() -> None:
    releases = Releases(DATES, dt.date.min)
    assert releases.withheld_from == NOVEMBER
    releases.require_made([])


def test_a_release_is_due_on_its_date_and_late_on_the_next_day() -> None:
    on("2023-11-06").require_made([])
    with pytest.raises(ProgramError) as refused:
        on("2024-01-09").require_made([OCTOBER])
    assert [str(problem) for problem in refused.value.problems] == [
        "releases[2]: the issue of 2023-11 was due on 2023-12-11 and does not exist; make it, or change the date.",
        "releases[3]: the issue of 2023-12 was due on 2024-01-08 and does not exist; make it, or change the date.",
    ]


def test_what_is_withheld_is_neither_in_the_register_nor_in_the_deliveries(project: Project, deliver: Deliver) -> None:
    for day in ("2023-11-03", "2023-12-04", "2023-12-09"):
        deliver(day)
    for name in ("2023-10", "2023-11", "2023-11-r1"):
        add_issue(project, an_issue(name, as_of=None, reason="why"))
    withhold(project, on("2023-12-10"), dt.date(2023, 11, 3))
    assert [str(issue.name) for issue in read_register(project).issues] == ["2023-10"]
    assert sorted(path.name for path in project.published.iterdir()) == ["2023-10.csv", "index.csv"]
    assert [one.received for one in find_deliveries(project)] == [dt.date(2023, 11, 3)]


def test_if_every_issue_is_withheld_the_deliveries_stay(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    add_issue(project, an_issue("2023-11"))
    withhold(project, on("2023-12-10"), None)
    assert read_register(project).issues == ()
    assert len(find_deliveries(project)) == 1
