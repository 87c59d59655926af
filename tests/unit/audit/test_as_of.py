"""The as-of day of an issue: the first on which its month is whole, the same for every command."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.support.histories import with_tables
from tests.support.projects import Deliver
from tests.support.register import an_issue
from viputils.audit.as_of import OwnDays, issue_day, load_edition
from viputils.audit.register import add_issue
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.status import project_status
from viputils.records.deliveries import find_deliveries
from viputils.report.data_files import all_issues, countable_months, months_left_out
from viputils.report.sections import breakdowns

NOVEMBER = ReportMonth(2023, 11)
RECEIVED, CORRECTED, LATER = dt.date(2023, 12, 4), dt.date(2023, 12, 12), dt.date(2023, 12, 20)


@pytest.fixture
def project(project: Project) -> Project:
    return with_tables(project, "responses", "reviews")


def day_of(project: Project) -> dt.date:
    return issue_day(project, find_deliveries(project), NOVEMBER)


def test_the_day_is_the_first_on_which_nothing_is_in_quarantine(project: Project, deliver: Deliver) -> None:
    deliver(str(RECEIVED), responses=["R1,2023-11-02,Homocide,SE"], reviews=[])
    deliver(str(CORRECTED), responses=["R1,2023-11-02,Homicide,SE"])
    deliver(str(LATER), responses=["R2,2023-11-03,Homicide,SE"])
    assert day_of(project) == CORRECTED
    assert load_edition(project, NOVEMBER).as_of == CORRECTED
    deliveries = find_deliveries(project)
    days = OwnDays(project, deliveries, many=True)
    assert days.of(NOVEMBER) == CORRECTED
    assert countable_months(project, days)[0][NOVEMBER] == CORRECTED
    (status,) = (one for one in project_status(project).months if one.month == NOVEMBER)
    assert (status.as_of, status.quarantined) == (CORRECTED, 0)
    counted = all_issues(project)
    assert set(counted.loc[counted["month"].eq("2023-11"), "as_of"]) == {str(CORRECTED)}


def test_a_later_delivery_that_cannot_be_read_moves_the_day_for_no_command(project: Project, deliver: Deliver) -> None:
    deliver(str(RECEIVED), responses=["R1,2023-11-02,Homocide,SE"], reviews=[])
    deliver(str(CORRECTED), responses=["R1,2023-11-02,Homicide,SE"])
    spoiled = deliver(str(LATER), responses=["R2,2023-11-03,Homicide,SE"])
    (spoiled / "responses.csv").write_text("not,the,right,header\n", "utf-8")
    assert day_of(project) == CORRECTED
    assert OwnDays(project, find_deliveries(project), many=True).of(NOVEMBER) == CORRECTED


def test_the_day_is_the_first_whole_one_whatever_comes_later(project: Project, deliver: Deliver) -> None:
    deliver(str(RECEIVED), responses=["R1,2023-11-02,Homicide,SE"], reviews=[])
    deliver(str(CORRECTED), responses=["R1,2023-11-02,Homocide,SE"])
    assert day_of(project) == RECEIVED


def test_a_month_that_stays_in_quarantine_is_left_out_and_named(project: Project, deliver: Deliver) -> None:
    deliver("2023-11-06", responses=["R1,2023-10-02,DV,SE"], reviews=[])
    deliver(str(RECEIVED), responses=["R2,2023-11-02,Homocide,SE"], reviews=[])
    assert day_of(project) == RECEIVED
    counted = all_issues(project)
    assert set(counted["month"]) >= {"2023-10"}
    assert "2023-11" not in set(counted["month"])
    assert "vip check 2023-11" in months_left_out(project)[NOVEMBER]
    assert "2023-11" in set(all_issues(project, allow_quarantined=True)["month"])


def test_a_published_issue_keeps_its_own_day(project: Project, deliver: Deliver) -> None:
    deliver(str(RECEIVED), responses=["R1,2023-11-02,Homicide,SE"], reviews=[])
    deliver(str(LATER), responses=["R2,2023-11-03,Homicide,SE"])
    figures = load_edition(project, NOVEMBER, LATER).figures
    add_issue(project, an_issue(figures=figures, as_of=LATER))
    assert day_of(project) == LATER


def test_the_provisional_mark_ends_after_the_months_that_program_toml_says(project: Project, deliver: Deliver) -> None:
    deliver(str(RECEIVED), responses=["R1,2023-11-02,Homicide,SE"], reviews=[])
    deliver("2024-02-01", responses=["R2,2023-11-02,Homicide,SE"])
    identity = project.program.identity.model_copy(update={"provisional_months": 2})
    limited = replace(project, program=project.program.model_copy(update={"identity": identity}))
    always, early = load_edition(project, NOVEMBER, dt.date(2024, 2, 1)), load_edition(limited, NOVEMBER, RECEIVED)
    late = load_edition(limited, NOVEMBER, dt.date(2024, 2, 1))
    assert [one.is_provisional for one in (always, early, late)] == [True, True, False]
    shown = [breakdowns(one).data for one in (always, early, late)]
    assert ["\\[p\\]" in text for text in shown] == [True, True, False]
    assert "provisional" not in shown[2]
