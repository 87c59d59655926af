"""Traces: the records behind a figure, those that just missed it, and what entered and left it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.command import vip
from tests.support.examples import examples
from tests.support.histories import as_snapshot, with_tables
from tests.support.projects import (
    HEADERS,
    REPOSITORY,
    Deliver,
    copy_of_the_repository,
    with_measures,
    without_manifests,
)
from viputils.audit.trace import (
    Background,
    Movement,
    Trace,
    load_background,
    movement,
    trace,
    trace_figure,
    trace_movement,
)
from viputils.config.program_file import program_from
from viputils.config.project import Project
from viputils.core.errors import ParameterError, ProgramError, QuarantineError
from viputils.core.months import ReportMonth
from viputils.figures.counts import KEY, FigureKey, compute_figures, keys_of
from viputils.records.clean import load_records

NOVEMBER = ReportMonth(2023, 11)
FIRST, LAST = dt.date(2023, 12, 4), dt.date(2024, 1, 4)
HOMICIDE = "responses_by_incident_type/Homicide/month"
DELIVERED = "data/raw/2023-12-04/responses.csv"


def counted(found: Trace) -> dict[str, str]:
    """What cleaning did to each record that is counted."""
    return dict(zip(found.records["id"], found.records["cleaning"], strict=True))


def missed(found: Trace, reason: str | None = None) -> dict[str, str]:
    """Why each row just missed it: ``id``, and where a reason is asked for, only what is said of it."""
    rows = found.missed if reason is None else found.missed.loc[found.missed["reason"].eq(reason)]
    said = rows["detail"] if reason is not None else rows["reason"] + ": " + rows["detail"]
    return dict(zip(rows["id"], said, strict=True))


def moved(found: Movement) -> dict[str, str]:
    rows = found.records
    said = rows["moved"] + " " + rows["change"].map("{:+d}".format) + ": " + rows["why"]
    return dict(zip(rows["id"], said, strict=True))


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "outreach", "notifications", "engagements")


# ---------------------------------------------------------------- the records behind a figure


def test_each_record_is_listed_with_its_file_and_line_and_what_cleaning_did_to_it(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        responses=[
            "R1,2023-11-02,HOM,University",
            "R2,2023-11-03,  hoMicide ,UNI",
            "R3,2023-11-04,DV,NE",
            "R4,2023-11-05,Murder,",
        ]
    )
    found = trace_figure(project, NOVEMBER, HOMICIDE)
    assert (found.value, found.as_of) == (3, FIRST)
    assert found.label == "Homicide, Incident type, November 2023, month"
    assert found.records[["table", "id", "date", "file", "line", "amount"]].to_numpy().tolist() == [
        ["responses", "R1", "2023-11-02", DELIVERED, 2, 1],
        ["responses", "R2", "2023-11-03", DELIVERED, 3, 1],
        ["responses", "R4", "2023-11-05", DELIVERED, 5, 1],
    ]
    southeast = "counted as Southeast (crosswalk, an assumption)"
    assert counted(found) == {
        "R1": f'incident_type "HOM" read as Homicide (alias); area_command University {southeast}',
        # Blanks and case never matter, so there is nothing to check.
        "R2": f'area_command "UNI" read as University (alias), {southeast}',
        "R4": 'incident_type "Murder" read as Homicide (alias)',
    }
    assert found.missed.empty
    assert found.demonstration is None


def test_a_record_says_which_row_it_replaced_and_which_one_repeats_it(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,Homicide,SE", "R2,2023-11-03,Homicide,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-04,Homicide,", "R2,2023-11-03,HOM,Southeast"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, dt.date(2023, 12, 5))
    first = f"replaced {DELIVERED}, line 2, which said response_date 2023-11-02, incident_type DV/Sexual Assault"
    assert counted(found) == {
        "R1": f"{first}, area_command Southeast; "
        f"replaced {DELIVERED}, line 3, which said response_date 2023-11-02, area_command Southeast",
        "R2": 'area_command "SE" read as Southeast (alias); repeated on data/raw/2023-12-05/responses.csv, line 3',
    }
    assert missed(found) == {"R2": f"duplicate: repeats {DELIVERED}, line 4"}


def test_a_record_that_was_sent_again_after_a_void_says_so(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE"])
    deliver("2023-12-05", voids=["V1,2023-12-05,responses,R1"])
    deliver("2023-12-06", responses=["R1,2023-11-02,Homicide,Southeast"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, dt.date(2023, 12, 6))
    void = "data/raw/2023-12-05/voids.csv, line 2"
    assert counted(found) == {"R1": f"sent again after {DELIVERED}, line 2, was withdrawn ({void})"}


def test_what_adds_nothing_to_a_sum_is_not_behind_it(project: Project, deliver: Deliver) -> None:
    deliver(
        outreach=[
            "O1,2023-11-02,Southeast,Home visit,,3,0",
            "O2,2023-11-02,Southeast,Home visit,,0,0",
            "O3,2023-11-03,Southeast,Home visit,,2,4",
            "O4,2023-10-31,Southeast,Home visit,,0,0",
        ]
    )
    found = trace_figure(project, NOVEMBER, "adults_assisted/month")
    assert found.value == 5
    assert found.records[["id", "amount"]].to_numpy().tolist() == [["O1", 3], ["O3", 2]]
    assert found.notes == ("1 more record of the period add 0; not listed.",)
    assert found.missed.empty


def test_different_values_are_counted_once_each(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=[
            "N1,2023-11-02,C1,Delivered,yes",
            "N2,2023-11-09,C1,Notified,no",
            "N3,2023-11-09,C2,Declined,no",
            "N4,2023-11-09,C3,Delivered,no",
            "N5,2023-12-01,C1,Delivered,no",
            "N6,2023-12-01,C2,Delivered,no",
        ]
    )
    found = trace_figure(project, NOVEMBER, "people_notified/month")
    assert found.value == 2
    assert found.records[["id", "counted_once_as", "amount"]].to_numpy().tolist() == [
        ["N1", "C1", 1],
        ["N2", "C1", 0],
        ["N4", "C3", 1],
    ]
    assert missed(found, "out of the period") == {
        "N5": "notified_date is 1 day after 2023-11-30; C1 is counted already",
        "N6": "notified_date is 1 day after 2023-11-30",
    }


def test_a_column_can_be_looked_at_by_several_rules(project: Project, deliver: Deliver) -> None:
    project = with_measures(
        project,
        """
[measures.valley]
label = "Valley"
table = "responses"
where = { area_command = "Valley" }
count = { distinct = "area_command" }
by = "area_command"
""",
    )
    deliver(responses=["R1,2023-11-02,DV,VA", "R2,2023-11-02,DV,SE", "R3,2023-11-02,DV,Valley"])
    assert list(counted(trace_figure(project, NOVEMBER, "valley/Valley/month"))) == ["R1", "R3"]
    assert trace_figure(project, NOVEMBER, "valley/Southeast/month").records.empty


def test_each_person_who_engaged_is_listed_with_the_record_that_says_so(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=[f"N{number},2023-11-10,C{number},Delivered,yes" for number in range(1, 6)],
        engagements=[
            "E1,2023-11-09,C1,Food",  # before
            "E2,2023-11-20,c2,Food",
            "E3,2023-11-12,c2,Food",  # the first; in another case
            "E4,2023-12-03,C3,Food",  # after November
            "E6,2023-11-11,C5,Food",
            "E7,2023-11-11,C9,Food",
        ],
    )
    deliver("2023-12-31", engagements=["E6,2023-11-01,C5,Food"])
    found = trace_figure(project, NOVEMBER, "people_engaged/month", dt.date(2023, 12, 31))
    assert found.value == 1
    (record,) = found.records.filter(like="followed_by").to_dict("records")
    assert record == {
        "followed_by_table": "engagements",
        "followed_by_id": "E3",
        "followed_by_date": "2023-11-12",
        "followed_by_file": "data/raw/2023-12-04/engagements.csv",
        "followed_by_line": 4,
    }
    assert missed(found) == {
        "E6": "superseded: replaced: engaged_date 2023-11-11 → 2023-11-01 "
        "(data/raw/2023-12-31/engagements.csv, line 2); it would make N5 count",
        "E4": "out of the period: engaged_date is 3 days after 2023-11-30; it would make N3 count",
    }


# ---------------------------------------------------------------- what just missed it


def test_records_shortly_before_and_after_the_period_just_missed_it(project: Project, deliver: Deliver) -> None:
    days = ["2023-10-24", "2023-10-25", "2023-10-31", "2023-11-01", "2023-11-30", "2023-12-01", "2023-12-07"]
    deliver("2023-12-09", responses=[f"R{number},{day},Homicide,SE" for number, day in enumerate(days)])
    found = trace_figure(project, NOVEMBER, HOMICIDE)
    assert set(counted(found)) == {"R3", "R4"}
    assert missed(found, "out of the period") == {
        "R1": "response_date is 7 days before 2023-11-01",
        "R2": "response_date is 1 day before 2023-11-01",
        "R5": "response_date is 1 day after 2023-11-30",
        "R6": "response_date is 7 days after 2023-11-30",
    }
    assert set(missed(trace_figure(project, NOVEMBER, HOMICIDE, near=1))) == {"R2", "R5"}
    assert missed(trace_figure(project, NOVEMBER, HOMICIDE, near=0)) == {}
    # A month of the chart is a period of its own.
    october = trace_figure(project, NOVEMBER, "responses_by_month/2023-10/fytd", near=1)
    assert (october.value, set(missed(october))) == (3, {"R3"})
    assert october.label == "October 2023, Month, November 2023, fiscal year to date"


def test_an_older_row_that_would_have_counted_says_why_it_does_not(project: Project, deliver: Deliver) -> None:
    rows = ["R1,2023-11-02,Homicide,SE", "R2,2023-11-03,Homicide,SE", "R3,2023-11-04,Homicide,SE"]
    deliver(responses=rows)
    deliver("2023-12-05", responses=["R1,2023-11-02,DV,SE", rows[1]], voids=["V1,2023-12-05,responses,R2"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, dt.date(2023, 12, 5))
    assert set(counted(found)) == {"R3"}
    assert missed(found) == {
        "R1": "superseded: replaced: incident_type Homicide → DV/Sexual Assault "
        "(data/raw/2023-12-05/responses.csv, line 2)",
        "R2": "superseded: withdrawn by a void (data/raw/2023-12-05/voids.csv, line 2)",
    }


def test_of_several_older_rows_the_newest_that_would_have_counted_is_listed(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE", "R1,2023-11-03,Homicide,SE", "R1,2023-11-03,DV,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-03,DV,NE"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, dt.date(2023, 12, 5))
    assert found.missed[["id", "date", "line", "reason"]].to_numpy().tolist() == [["R1", "2023-11-03", 3, "superseded"]]
    assert "incident_type Homicide → DV/Sexual Assault; area_command Southeast → Northeast" in missed(found)["R1"]


def test_a_row_is_said_to_be_withdrawn_by_the_void_that_did_it_and_not_by_one_before(
    project: Project, deliver: Deliver
) -> None:
    row = "R1,2023-11-02,Homicide,SE"
    for number in (4, 6):
        deliver(f"2023-12-0{number}", responses=[row])
        day = f"2023-12-0{number + 1}"
        deliver(day, voids=[f"V{number},{day},responses,R1"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, dt.date(2023, 12, 7))
    assert missed(found) == {"R1": "superseded: withdrawn by a void (data/raw/2023-12-07/voids.csv, line 2)"}
    assert found.missed["file"].tolist() == ["data/raw/2023-12-06/responses.csv"]


def test_a_record_that_is_no_longer_in_a_snapshot_says_so(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project, False)
    deliver(responses=["R1,2023-11-02,Homicide,SE", "R1,2023-11-02,Homicide,SE", "R2,2023-11-03,DV,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-02,Homicide,SE", "R2,2023-11-03,Other,SE"])
    deliver("2023-12-06", responses=["R1,2023-11-02,Homicide,SE", "R2,2023-11-03,Homicide,SE"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, dt.date(2023, 12, 6))
    alias = 'area_command "SE" read as Southeast (alias)'
    assert counted(found) == {
        "R1": alias,
        "R2": f"{alias}; replaced data/raw/2023-12-05/responses.csv, line 3, which said incident_type Other",
    }
    assert missed(found) == {"R1": "superseded: no longer in the snapshot (data/raw/2023-12-06/responses.csv)"}


def test_a_row_in_quarantine_that_may_count_is_listed_and_one_that_cannot_is_not(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        responses=[
            "R1,2023-11-02,Homocide,SE",
            "R2,2023-11-03,Homicide,Southeastt",
            "R3,2023-11-31,Homicide,SE",
            "R4,2023-11-04,zzz,SE",
            "R5,2023-11-05,,SE",
            "R6,2023-11-06,Suicid,SE",
            "R7,2023-10-02,Homocide,SE",
            "R8,2024-11-02,Homicide,SE",
            "R9,2023-11-07,Suicide,Sauth",
        ]
    )
    with pytest.raises(QuarantineError):
        trace_figure(project, NOVEMBER, HOMICIDE)
    found = trace_figure(project, NOVEMBER, HOMICIDE, allow_quarantined=True)
    assert found.value == 0
    assert missed(found, "quarantined") == {
        "R1": "cannot be ruled out: incident_type 'Homocide' [unknown_value], nearest Homicide",
        "R2": "would be counted: area_command 'Southeastt' [unknown_value], nearest Southeast",
        "R3": "cannot be ruled out: response_date '2023-11-31' [not_a_date]",
        "R4": "cannot be ruled out: incident_type 'zzz' [unknown_value]",
        "R5": "cannot be ruled out: incident_type '' [missing_value]",
        "R8": "cannot be ruled out: response_date '2024-11-02' [date_after_receipt]",
    }
    assert len(missed(found)) == 6
    dates = dict(zip(found.missed["id"], found.missed["date"], strict=True))
    assert dates["R3"] == "2023-11-31"
    southeast = trace_figure(
        project, NOVEMBER, "responses_by_area_command/Southeast/month", allow_quarantined=True, near=0
    )
    assert set(missed(southeast, "quarantined")) == {"R1", "R2", "R3", "R4", "R5", "R6", "R8", "R9"}


def test_a_value_that_did_not_exist_on_its_day_may_be_the_one_it_is_counted_as(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-03-03", responses=["R1,2023-02-01,DV,UNI"])
    for area, rows in (("Southeast", {"R1"}), ("Valley", set())):
        key = f"responses_by_area_command/{area}/month"
        found = trace_figure(project, ReportMonth(2023, 2), key, allow_quarantined=True)
        assert set(missed(found, "quarantined")) == rows


def test_an_engagement_in_quarantine_may_make_somebody_count(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=["N1,2023-11-10,C1,Delivered,yes", "N2,2023-11-10,C2,Delivered,yes"],
        engagements=["E1,2023-11-12,C1,Fod", "E2,2023-11-09,C2,Fod", "E3,2023-11-31,C2,Food", "E4,2023-11-20,C 7,Food"],
    )
    found = trace_figure(project, NOVEMBER, "people_engaged/month", allow_quarantined=True)
    assert missed(found) == {
        "E1": "quarantined: service 'Fod' [unknown_value], nearest Food; it would make N1 count",
        "E3": "quarantined: engaged_date '2023-11-31' [not_a_date]; it would make N2 count",
        "E4": "quarantined: candidate_id 'C 7' [not_a_code]; it would make N1, N2 count",
    }


def test_a_record_with_nothing_in_the_breakdown_is_named_for_each_line_of_it(
    project: Project, deliver: Deliver
) -> None:
    # R4 has no area either, and is of another month.
    rows = ["R1,2023-11-02,DV,", "R2,2023-11-02,DV,SE", "R3,2023-11-02,DV,NE", "R4,2023-08-20,DV,"]
    deliver(responses=rows)
    for area in ("Southeast", "Valley"):
        found = trace_figure(project, NOVEMBER, f"responses_by_area_command/{area}/month")
        assert missed(found) == {"R1": "no value: area_command is empty"}


def test_what_was_received_later_and_would_count_is_listed(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE", "R2,2023-11-02,DV,SE", "R3,2023-11-02,Homicide,SE"])
    deliver(
        "2024-01-04",
        responses=["R1,2023-11-02,Homicide,NE", "R2,2023-11-02,Homicide,SE", "R4,2023-11-30,HOM,SE"],
        voids=["V1,2024-01-04,responses,R3"],
    )
    found = trace_figure(project, NOVEMBER, HOMICIDE)
    assert set(counted(found)) == {"R1", "R3"}
    assert missed(found) == {
        "R2": "received later: received on 2024-01-04, corrected: incident_type DV/Sexual Assault → Homicide",
        "R4": "received later: received on 2024-01-04",
    }
    assert found.missed["file"].unique().tolist() == ["data/raw/2024-01-04/responses.csv"]
    (note,) = found.notes
    assert note.startswith("As of 2024-01-04 it is 3; --diff 2023-12-04 2024-01-04 shows")
    # What came on a day is no longer late on that day.
    assert trace_figure(project, NOVEMBER, HOMICIDE, LAST).value == 3


def test_an_engagement_that_was_received_later_is_the_row_that_is_listed(project: Project, deliver: Deliver) -> None:
    deliver(notifications=["N1,2023-11-02,C1,Delivered,yes"])
    deliver("2024-01-04", engagements=["E1,2023-11-20,C1,Food"])
    found = trace_figure(project, NOVEMBER, "people_engaged/month")
    assert missed(found) == {"E1": "received later: received on 2024-01-04; it would make N1 count"}


def test_a_later_delivery_that_cannot_be_read_is_noted_and_does_not_stand_in_the_way(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE"])
    (deliver("2024-01-04") / "responses.csv").write_text("response_id\nR2\n", encoding="utf-8")
    found = trace_figure(project, NOVEMBER, HOMICIDE)
    assert found.value == 1
    (note,) = found.notes
    assert note.startswith("Deliveries received after 2023-12-04 cannot be read")
    assert "data/raw/2024-01-04/responses.csv, line 1" in note


def test_a_later_record_of_a_value_that_the_issue_does_not_print_is_noted(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    gone = '[[lifetimes]]\nvocabulary = "area_command"\nvalue = "Valley"\nissues_from = "2024-01"\n\n# The raw tables'
    path.write_text(path.read_text(encoding="utf-8").replace("# The raw tables", gone), encoding="utf-8")
    deliver(responses=["R1,2023-11-02,Homicide,SE"])
    deliver("2024-01-04", responses=["R2,2023-11-03,Homicide,Valley"])
    project = Project.open(project.root)
    found = trace_figure(project, NOVEMBER, "responses_by_area_command/Southeast/month")
    assert found.value == 1
    assert found.notes[0].startswith("It cannot be counted as of 2024-01-04")
    with pytest.raises(ProgramError):
        trace_figure(project, NOVEMBER, "responses_by_area_command/Southeast/month", LAST)


def test_a_figure_that_is_not_there_is_refused_with_the_nearest(project: Project, deliver: Deliver) -> None:
    deliver()
    for text, hint in (
        ("response_by_incident_type/Homicide/month", "did you mean 'responses_by_incident_type'"),
        ("responses_by_incident_type/Homocide/month", "did you mean 'responses_by_incident_type/Homicide/month'"),
        ("adults_assisted/year", "did you mean 'adults_assisted/"),
    ):
        with pytest.raises(ParameterError) as caught:
            trace_figure(project, NOVEMBER, text)
        assert hint in str(caught.value)
    # Case does not matter, and a category can hold a stroke.
    assert trace_figure(project, NOVEMBER, "Responses_by_incident_type/gun/other violence/FYTD").value == 0


# ---------------------------------------------------------------- the records are the figure, always


def require_records(project: Project, month: ReportMonth, as_of: dt.date | None, every: bool) -> None:
    """A figure has its records: as many as it says, each of them once, in the file and line it names.

    Every figure of the month is looked at, or one of each measure that is counted otherwise than those before it.
    """
    background = load_background(project, month, as_of)
    figures = compute_figures(background.records, month).set_index(KEY)["value"]
    keys = list(keys_of(project.program, month))
    assert [tuple(key) for key in keys] == figures.index.tolist()
    if not every:
        keys = one_of_each_kind(project, keys, figures)
    lines = {}
    for key in keys:
        found = trace(background, key)
        value = figures[tuple(key)]
        assert found.value == found.records["amount"].sum() == value, key
        assert not found.records.duplicated(["file", "line"]).any(), key
        if "counted_once_as" in found.records:
            assert found.records["counted_once_as"].nunique() == value, key
        elif found.records["amount"].eq(1).all():
            assert len(found.records) == value, key
        for row in (*found.records.head(3).to_dict("records"), *found.missed.head(3).to_dict("records")):
            if row["file"] not in lines:
                lines[row["file"]] = (project.root / row["file"]).read_text(encoding="utf-8").splitlines()
            assert row["id"] in lines[row["file"]][row["line"] - 1], key


def one_of_each_kind(project: Project, keys: list[FigureKey], figures: pd.Series[int]) -> list[FigureKey]:
    """Give a figure of each way of counting and of each kind of breakdown, and the largest one of those."""
    found: dict[tuple[str, str, bool], FigureKey] = {}
    for key in sorted(keys, key=lambda key: -figures[tuple(key)]):
        measure = project.program.measures[key.measure]
        found.setdefault((str(measure.count), str(measure.by), measure.followed_by is None), key)
    return list(found.values())


MONTHS = [(REPOSITORY, "2022-07", None), (REPOSITORY, "2023-11", None)]
# A city with several rows of one id.
PHILADELPHIA = (REPOSITORY / "examples" / "philadelphia", "2020-11", dt.date(2021, 7, 19))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("root", "month", "as_of"), [*MONTHS, PHILADELPHIA])
def test_every_figure_has_its_records(root: Path, month: str, as_of: dt.date | None) -> None:
    require_records(Project.open(root), ReportMonth.parse(month), as_of, every=True)


@pytest.mark.parametrize(("root", "month", "as_of"), [MONTHS[1], PHILADELPHIA])
def test_a_figure_of_each_kind_has_its_records(root: Path, month: str, as_of: dt.date | None) -> None:
    require_records(Project.open(root), ReportMonth.parse(month), as_of, every=False)


# One table that is summed, and one that is followed by another: small, so that many histories can be tried.
SMALL = """
[vocabularies.outcome]
"Delivered" = ["Notified"]
"Declined" = []
[tables.notices]
title = "Notices"
id = "notice_id"
date = "day"
delivery = "DELIVERY"
one_row_per_id = UNIQUE
columns.day = { type = "date" }
columns.person = { type = "code", required = false }
columns.outcome = { type = "category", vocabulary = "outcome", required = false }
columns.hours = { type = "count" }
[tables.visits]
title = "Visits"
id = "visit_id"
date = "day"
columns.day = { type = "date" }
columns.person = { type = "code" }
[measures.notices]
label = "notices"
table = "notices"
count = "rows"
[measures.notices_by_outcome]
label = "Outcome"
table = "notices"
count = "rows"
by = "outcome"
missing = "Not recorded"
[measures.hours]
label = "hours"
table = "notices"
where = { outcome = "Delivered" }
count = { sum = "hours" }
[measures.people]
label = "people"
table = "notices"
where = { outcome = "Delivered" }
count = { distinct = "person" }
[measures.people_by_month]
label = "People by month"
table = "notices"
count = { distinct = "person" }
by = "month"
[measures.visited]
label = "people visited"
table = "notices"
count = { distinct = "person" }
followed_by = "visits"
[report]
headline = ["notices"]
"""

IDS = st.sampled_from(["A1", "A2", "A3"])
DAYS = st.sampled_from(["2023-10-30", "2023-11-02", "2023-11-29", "2023-12-01"])
NOTICES = st.tuples(
    IDS, DAYS, st.sampled_from(["C1", "C2", "C1", ""]), st.sampled_from(["Delivered", "x", ""]), st.sampled_from("012")
)
VISITS = st.tuples(IDS, DAYS, st.sampled_from(["C1", "c1", "C2"]))
VOIDS = st.tuples(st.sampled_from(["notices", "visits"]), IDS)
DELIVERY = st.tuples(st.lists(NOTICES, max_size=4), st.lists(VISITS, max_size=2), st.lists(VOIDS, max_size=1))
History = list[tuple[list[tuple[str, ...]], list[tuple[str, ...]], list[tuple[str, str]]]]


def small_program(kind: tuple[str, str]) -> str:
    whole = (REPOSITORY / "program.toml").read_text(encoding="utf-8")
    identity = whole[whole.index("[program]") : whole.index("# Records whose id")].replace("monthly", "irregularly")
    return identity + SMALL.replace("DELIVERY", kind[0]).replace("UNIQUE", kind[1])


def remade(root: Path, kind: tuple[str, str], history: History) -> Project:
    """Write a small project with a history of deliveries, one a day, in place of the one that was there."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / "program.toml").write_text(small_program(kind), encoding="utf-8")
    for number, (notices, visits, voids) in enumerate(history):
        brings = [("A0", "2023-11-15", "C0", "Delivered", "1")] if number == 0 else []
        came = [("V0", "2023-11-16", "C0")] if number == 0 else []
        withdrawn = [(f"W{number}", "2023-12-01", table, record) for table, record in voids]
        folder = root / "data" / "raw" / f"2023-12-{4 + number:02}"
        folder.mkdir(parents=True)
        for name, header, rows in (
            ("notices", "notice_id,day,person,outcome,hours", [*brings, *notices]),
            ("visits", "visit_id,day,person", [*came, *visits]),
            ("voids", HEADERS["voids"], withdrawn),
        ):
            lines = [header, *(",".join(row) for row in rows)]
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Project.open(root)


def behind(found: Trace) -> list[tuple[str, str]]:
    """Give what is behind a figure, whatever the file and line: the records and what each adds or stands for."""
    columns = [name for name in ("id", "counted_once_as", "amount") if name in found.records]
    columns = columns[:2] if len(columns) == 3 else columns
    return sorted(found.records[columns].astype("str").itertuples(index=False, name=None))


KEYS = [
    FigureKey.parse(text, program_from(tomllib.loads(small_program(("incremental", "true")))), NOVEMBER)
    for text in (
        "notices/fytd",
        "notices_by_outcome/Delivered/month",
        "notices_by_outcome/Not recorded/fytd",
        "hours/month",
        "people/fytd",
        "people_by_month/2023-11/fytd",
        "visited/month",
        "visited/fytd",
    )
]


# Each figure is traced on two days, so fewer of them are where fewer histories are tried.
AT_ONCE = 3 if examples(12) == 12 else 1


@pytest.mark.exhaustive
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(12))
@given(
    history=st.lists(DELIVERY, min_size=2, max_size=3),
    kind=st.sampled_from([("incremental", "true"), ("snapshot", "true"), ("snapshot", "false")]),
    keys=st.lists(st.sampled_from(KEYS), min_size=AT_ONCE, max_size=AT_ONCE, unique=True),
)
def test_what_entered_and_left_is_what_a_figure_moved_by(
    tmp_path: Path, history: History, kind: tuple[str, str], keys: list[FigureKey]
) -> None:
    project = remade(tmp_path / "project", kind, history)
    days = (FIRST, dt.date(2023, 12, 3 + len(history)))
    older, newer = (Background(NOVEMBER, load_records(project, day), None, ()) for day in days)
    values = [compute_figures(side.records, NOVEMBER).set_index(KEY)["value"] for side in (older, newer)]
    for key in keys:
        before, after = (trace(side, key) for side in (older, newer))
        found = movement(older.records, newer.records, key, NOVEMBER)
        assert (before.value, after.value) == (values[0][tuple(key)], values[1][tuple(key)])
        assert (found.value_before, found.value_after) == (before.value, after.value)
        assert found.value_before + found.records["change"].sum() == found.value_after
        entered, left = (
            sorted(found.records.loc[found.records["moved"].eq(what), "id"]) for what in ("entered", "left")
        )
        # The records behind it before, without those that left and with those that entered, are those behind it after.
        ids = [list(side.records["id"]) for side in (before, after)]
        for one in left:
            ids[0].remove(one)
        assert sorted(ids[0] + entered) == sorted(ids[1])
        if behind(before) == behind(after):
            assert found.records.empty
        assert found.records["why"].ne("").all()
        # A row is behind the figure, or it missed it; never both.
        for side in (before, after):
            assert not side.rows.duplicated(["table", "file", "line"]).any()


# ---------------------------------------------------------------- what entered and left


def test_each_record_that_entered_or_left_says_why(project: Project, deliver: Deliver) -> None:
    deliver(
        responses=[
            "R1,2023-11-02,Homicide,SE",
            "R2,2023-11-03,Homicide,SE",
            "R3,2023-11-04,DV,SE",
            "R4,2023-11-05,Homocide,SE",
            "R5,2023-11-06,Homicide,SE",
            "R6,2023-11-07,Homicide,SE",
        ]
    )
    deliver(
        "2024-01-04",
        responses=[
            "R1,2023-11-02,DV,SE",
            "R3,2023-11-04,HOM,SE",
            "R4,2023-11-05,Homicide,SE",
            "R5,2023-11-06,Homicide,NE",
            "R7,2023-11-30,Homicide,SE",
        ],
        voids=["V1,2024-01-04,responses,R2"],
    )
    found = trace_movement(project, NOVEMBER, HOMICIDE, FIRST, LAST, allow_quarantined=True)
    assert (found.value_before, found.value_after) == (4, 5)
    file = "data/raw/2024-01-04/responses.csv"
    assert moved(found) == {
        "R3": "entered +1: corrected: incident_type DV/Sexual Assault → Homicide",
        "R4": "entered +1: could be read since it was corrected",
        "R7": "entered +1: received",
        "R1": f"left -1: corrected: incident_type Homicide → DV/Sexual Assault ({file}, line 2)",
        "R2": "left -1: withdrawn by a void (data/raw/2024-01-04/voids.csv, line 2)",
    }
    places = {row["id"]: (row["file"], row["line"]) for row in found.records.to_dict("records")}
    assert (places["R3"], places["R1"]) == ((file, 3), (DELIVERED, 2))


def test_a_figure_that_did_not_move_because_one_came_and_one_went_says_so(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE"])
    deliver("2024-01-04", responses=["R2,2023-11-02,Homicide,SE"], voids=["V1,2024-01-04,responses,R1"])
    found = trace_movement(project, NOVEMBER, HOMICIDE, FIRST, LAST)
    assert (found.value_before, found.value_after) == (1, 1)
    assert found.records[["moved", "id"]].to_numpy().tolist() == [["entered", "R2"], ["left", "R1"]]
    assert trace_movement(project, NOVEMBER, HOMICIDE, FIRST, FIRST).records.empty
    with pytest.raises(ParameterError, match="run backwards"):
        trace_movement(project, NOVEMBER, HOMICIDE, LAST, FIRST)


def test_what_a_record_adds_otherwise_has_changed(project: Project, deliver: Deliver) -> None:
    deliver(outreach=["O1,2023-11-02,SE,D2D,,3,0", "O2,2023-11-02,SE,D2D,,0,0", "O3,2023-11-02,SE,D2D,,2,0"])
    deliver(
        "2024-01-04",
        outreach=["O1,2023-11-02,SE,D2D,,5,0", "O2,2023-11-02,SE,D2D,,1,0", "O3,2023-11-02,SE,D2D,,0,0"],
    )
    found = trace_movement(project, NOVEMBER, "adults_assisted/month", FIRST, LAST)
    assert moved(found) == {
        "O2": "entered +1: corrected: adults_assisted 0 → 1",
        "O3": "left -2: corrected: adults_assisted 2 → 0 (data/raw/2024-01-04/outreach.csv, line 4)",
        "O1": "changed +2: corrected: adults_assisted 3 → 5",
    }


def test_people_enter_and_leave_with_their_first_and_last_record(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=[
            "N1,2023-11-02,C1,Delivered,yes",
            "N2,2023-11-03,C2,Delivered,yes",
            "N3,2023-11-03,C3,Delivered,yes",
            "N4,2023-11-03,C3,Delivered,yes",
        ]
    )
    deliver(
        "2024-01-04",
        notifications=["N2,2023-11-03,C9,Delivered,yes", "N5,2023-11-05,C1,Delivered,yes"],
        voids=["V1,2024-01-04,notifications,N4"],
    )
    found = trace_movement(project, NOVEMBER, "people_notified/month", FIRST, LAST)
    assert (found.value_before, found.value_after) == (3, 3)
    assert moved(found) == {
        "N5": "entered +0: received; C1 is counted through N1",
        "N4": "left +0: withdrawn by a void (data/raw/2024-01-04/voids.csv, line 2); C3 is still counted",
        "N2": "changed +0: corrected: candidate_id C2 → C9",
    }


def test_who_counts_since_a_later_record_names_it(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=["N1,2023-11-02,C1,Delivered,yes", "N2,2023-11-02,C2,Delivered,yes"],
        engagements=["E2,2023-11-05,C2,Food"],
    )
    deliver("2024-01-04", engagements=["E1,2023-11-20,c1,Food"], voids=["V1,2024-01-04,engagements,E2"])
    found = trace_movement(project, NOVEMBER, "people_engaged/month", FIRST, LAST)
    assert moved(found) == {
        "N1": "entered +1: followed by engagements E1: received (data/raw/2024-01-04/engagements.csv, line 2)",
        "N2": "left -1: no longer followed by engagements E2: withdrawn by a void "
        "(data/raw/2024-01-04/voids.csv, line 2)",
    }


def test_philadelphia_moved_by_the_records_that_say_so(repository_example: Path) -> None:
    project = Project.open(repository_example)
    month, days = ReportMonth(2020, 11), (dt.date(2020, 12, 1), dt.date(2021, 7, 19))
    died = trace_movement(project, month, "fatal_victims/month", *days)
    assert (died.value_before, died.value_after) == (32, 35)
    assert set(moved(died).values()) == {"entered +1: corrected: fatal Not fatal → Fatal"}
    victims = trace_movement(project, month, "victims/month", *days)
    assert (victims.value_before, victims.value_after, len(victims.records)) == (207, 220, 13)
    before = trace_figure(project, month, "fatal_victims/month")
    assert set(missed(before, "received later")) == set(moved(died))


def test_a_void_in_quarantine_is_noted(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE"], voids=["V1,2023-12-04,response,R1"])
    found = trace_figure(project, NOVEMBER, HOMICIDE, allow_quarantined=True)
    assert found.value == 1
    (note,) = found.notes
    assert note.startswith("A void is in quarantine and withdraws nothing: data/raw/2023-12-04/voids.csv, line 2")


# ---------------------------------------------------------------- vip trace


def test_the_command_lists_the_records_for_people_and_as_json_and_csv() -> None:
    text = vip("trace", "2023-11", HOMICIDE)
    assert text.returncode == 0, text.stderr
    lines = text.stdout.splitlines()
    assert lines[0] == "Homicide, Incident type, November 2023, month: 5 as of 2023-12-04"
    assert lines[1] == "Sample data"
    as_json = json.loads(vip("trace", "2023-11", HOMICIDE, "--json").stdout)
    assert (as_json["figure"], as_json["value"], len(as_json["records"])) == (HOMICIDE, 5, 5)
    assert as_json["demonstration"].startswith("This is sample data.")
    for row in as_json["records"]:
        assert f"{row['id']} │ {row['date']} │ {row['file']} │ {row['line']:4} │" in text.stdout
        line = (REPOSITORY / row["file"]).read_text(encoding="utf-8").splitlines()[row["line"] - 1]
        assert line.startswith(f"{row['id']},{row['date']}")
    (near,) = as_json["missed"]
    assert (
        f"    {near['id']}, {near['date']} ({near['file']}, line {near['line']})\n      {near['detail']}" in text.stdout
    )
    rows = list(csv.DictReader(io.StringIO(vip("trace", "2023-11", HOMICIDE, "--csv", "--near", "0").stdout)))
    assert [row["status"] for row in rows] == ["counted"] * 5
    assert [row["id"] for row in rows] == [row["id"] for row in as_json["records"]]
    every = list(csv.DictReader(io.StringIO(vip("trace", "2023-11", HOMICIDE, "--csv").stdout)))
    assert every[-1]["status"] == "out of the period"


def test_the_command_says_in_words_what_cannot_be(tmp_path: Path) -> None:
    for arguments, said in (
        (["2023-11", "responses_by_incident_type/Homocide/month"], "did you mean"),
        (["2023-11", "adult_assisted/fytd"], "did you mean 'adults_assisted'"),
        (["2023-11", HOMICIDE, "--diff", "2023-12-04", "2023-12-03"], "run backwards"),
        (["2023-11", HOMICIDE, "--diff", "2023-12-04", "2999-01-01"], "has not come yet"),
        (["2023-11", HOMICIDE, "--diff", "2023-12-04", "2023-12-04", "--as-of", "2023-12-04"], "were given together"),
        (["2023-11", HOMICIDE, "--json", "--csv"], "Choose one output format: --json or --csv."),
        (["2029-11", HOMICIDE], "no data"),
    ):
        done = vip("trace", *arguments)
        assert done.returncode == 2, arguments
        assert said in done.stderr
    assert vip("trace", "2023-11", "--project", str(tmp_path), HOMICIDE).returncode == 2


@pytest.mark.exhaustive
def test_the_command_shows_what_entered_and_left(project: Project, deliver: Deliver) -> None:
    deliver(
        responses=["DEMO-R-1,2023-11-02,HOM,SE", "DEMO-R-2,2023-11-30,Murder,NE"],
        outreach=["DEMO-O-1,2023-11-02,SE,D2D,,3,0"],
    )
    deliver("2024-01-04", responses=["DEMO-R-900000,2023-11-30,HOM,SE"])
    diff = ("trace", "2023-11", HOMICIDE, "--diff", "2023-12-04", "2024-01-04", "--project", str(project.root))
    text = vip(*diff).stdout
    assert "month: 2 as of 2023-12-04, 3 as of 2024-01-04\n" in text
    place = "DEMO-R-900000, 2023-11-30 (data/raw/2024-01-04/responses.csv, line 2)"
    assert f"Entered (1), +1:\n  {place}\n    received\nTotal change: +1\n" in text
    as_json = json.loads(vip(*diff, "--json").stdout)
    assert (as_json["before"], as_json["after"], as_json["records"][0]["why"]) == (2, 3, "received")
    (only,) = csv.DictReader(io.StringIO(vip(*diff, "--csv").stdout))
    assert (only["moved"], only["id"], only["line"]) == ("entered", "DEMO-R-900000", "2")
    unmoved = vip("trace", "2023-11", "adults_assisted/fytd", *diff[3:])
    assert "No record entered or left." in unmoved.stdout
    shown = vip(*diff[:3], "--project", str(project.root)).stdout
    assert "Note: As of 2024-01-04 it is 3; --diff 2023-12-04 2024-01-04 shows" in shown


def commit(root: Path) -> None:
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "in"]):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_row_changed_by_hand_makes_verify_fail(tmp_path: Path) -> None:
    """Every command names the line by the manifest or the checksums. Without both, `vip check` asks for checksums."""
    root = copy_of_the_repository(tmp_path / "a project")
    shutil.copy(REPOSITORY / "data" / "raw" / "2023-12-04" / "SHA256SUMS", root / "data" / "raw" / "2023-12-04")
    file = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    commit(root)
    was = next(line for line in file.read_text(encoding="utf-8").splitlines() if ",Murder," in line)
    now = was.replace("Murder", "Suicide")
    replace(file, was, now)
    by_manifest = vip("verify", "2023-11", "--project", str(root))
    assert by_manifest.returncode == 2
    line = f"line 78 is '{now}' and was '{was}';"
    name = "data/published/2023-11.manifest.json"
    assert f"responses.csv: is not the file that {name} names: {line}" in by_manifest.stderr
    without_manifests(root / "data" / "published")
    refused = vip("verify", "2023-11", "--project", str(root))
    assert refused.returncode == 2
    assert f"responses.csv: was edited after it was delivered: {line}" in refused.stderr
    (file.parent / "SHA256SUMS").unlink()
    differs = vip("verify", "2023-11", "--project", str(root))
    assert differs.returncode == 1
    assert "have no checksums, so changed files would not be" in vip("check", "--project", str(root)).stdout
