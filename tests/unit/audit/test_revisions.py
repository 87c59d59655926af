from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given

from tests.support.histories import HISTORIES, KINDS, ON_DISK, History, as_snapshot, remade, with_tables
from tests.support.projects import Deliver, with_measures
from viputils.audit.as_of import OwnDays, Shelf, load_edition
from viputils.audit.revisions import Revisions, find_revisions, trend_revisions
from viputils.config.project import Project
from viputils.core.errors import ParameterError, QuarantineError
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.records.deliveries import find_deliveries

NOVEMBER = ReportMonth(2023, 11)
FIRST, LAST = dt.date(2023, 12, 4), dt.date(2024, 1, 4)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "outreach", "notifications", "engagements")


def moved(found: Revisions, measure: str, period: str = "month") -> dict[str, tuple[int, int]]:
    rows = found.figures.loc[found.figures["measure"].eq(measure) & found.figures["period"].eq(period)]
    return {row["category"]: (row["before"], row["after"]) for row in rows.to_dict("records")}


def happened(found: Revisions) -> dict[str, str]:
    return {row["id"]: f"{row['what']} ({row['file']}:{row['line']})" for row in found.by_record.to_dict("records")}


def test_each_figure_that_moved_is_listed_with_the_records_that_did_it(project: Project, deliver: Deliver) -> None:
    deliver(
        responses=[
            "R1,2023-11-02,Homicide,SE",
            "R2,2023-11-03,DV,SE",
            "R3,2023-11-04,DV,NE",
            "R4,2023-11-05,DV,NE",
            "R5,2023-11-06,Suicide,NE",
        ]
    )
    deliver(
        "2024-01-04",
        responses=[
            "R1,2023-11-02,Other Deaths,SE",
            "R3,2023-10-31,DV,NE",
            "R5,2023-11-06,Suicide,Northeast",
            "R6,2023-11-30,DV,SE",
            "R7,2023-12-01,DV,SE",
        ],
        voids=["V1,2024-01-04,responses,R4"],
    )
    found = find_revisions(project, NOVEMBER)
    assert (found.before, found.after) == (FIRST, LAST)
    assert moved(found, "responses") == {"": (5, 4)}
    assert moved(found, "responses_by_incident_type") == {
        "DV/Sexual Assault": (3, 2),
        "Homicide": (1, 0),
        "Other Deaths": (0, 1),
    }
    assert moved(found, "responses_by_month", "fytd") == {"2023-10": (0, 1), "2023-11": (5, 4)}
    file = "data/raw/2024-01-04/responses.csv"
    assert happened(found) == {
        "R1": f"corrected: incident_type Homicide → Other Deaths ({file}:2)",
        "R3": f"corrected: response_date 2023-11-04 → 2023-10-31 ({file}:3)",
        "R4": "withdrawn by a void (data/raw/2024-01-04/voids.csv:2)",
        "R6": f"received ({file}:5)",
    }


def test_a_month_that_did_not_move_has_no_revision(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    deliver("2024-01-04", responses=["R1,2023-11-02,Domestic Violence,Southeast", "R2,2023-12-02,DV,SE"])
    found = find_revisions(project, NOVEMBER)
    assert found.figures.empty
    assert found.records.empty
    assert found.by_record.empty


def test_a_row_that_went_into_quarantine_and_one_that_came_out_of_it_say_so(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-03,Homocide,SE"])
    deliver("2024-01-04", responses=["R1,2023-11-02,DV,Sauth", "R2,2023-11-03,Homicide,SE"])
    with pytest.raises(QuarantineError):
        find_revisions(project, NOVEMBER)
    found = find_revisions(project, NOVEMBER, allow_quarantined=True)
    assert happened(found) == {
        "R1": "in quarantine: area_command 'Sauth' [unknown_value] (data/raw/2024-01-04/responses.csv:2)",
        "R2": "could be read since it was corrected (data/raw/2024-01-04/responses.csv:3)",
    }


def test_a_record_that_a_void_withdraws_by_its_line_says_so(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    folder = deliver("2024-01-04")
    header = "void_id,voided_date,voided_table,voided_id,voided_file,voided_line,reason"
    void = "V1,2024-01-04,responses,,2023-12-04/responses.csv,2,a line of notes"
    (folder / "voids.csv").write_text(f"{header}\n{void}\n", encoding="utf-8", newline="")
    found = find_revisions(project, NOVEMBER)
    assert happened(found) == {"R1": "withdrawn by a void (data/raw/2024-01-04/voids.csv:2)"}


def test_a_person_who_engaged_later_is_told_by_the_record_that_says_so(project: Project, deliver: Deliver) -> None:
    deliver(notifications=["N1,2023-11-02,C1,Delivered,yes", "N2,2023-11-02,C2,Delivered,yes"])
    deliver("2024-01-04", engagements=["E1,2023-11-20,c1,Housing", "E2,2023-12-20,C2,Housing"])
    found = find_revisions(project, NOVEMBER)
    assert moved(found, "people_engaged") == {"": (0, 1)}
    (record,) = found.by_record.to_dict("records")
    assert (record["table"], record["id"], record["what"]) == ("engagements", "E1", "received")
    assert "together with others" in record["moved"]


def test_a_record_that_is_about_another_person_now_is_listed_though_it_counts_as_before(
    project: Project, deliver: Deliver
) -> None:
    deliver(notifications=["N1,2023-11-02,C1,Delivered,yes", "N2,2023-11-03,C2,Delivered,yes"])
    deliver("2024-01-04", notifications=["N2,2023-11-03,C1,Delivered,yes"])
    found = find_revisions(project, NOVEMBER)
    assert moved(found, "people_notified") == {"": (2, 1)}
    assert happened(found) == {
        "N2": "corrected: candidate_id C2 → C1 (data/raw/2024-01-04/notifications.csv:2)",
    }


def test_what_a_record_adds_to_a_sum_is_told_as_it_changed(project: Project, deliver: Deliver) -> None:
    deliver(outreach=["O1,2023-11-02,SE,Home visit,,3,0", "O2,2023-11-02,SE,Home visit,,1,0"])
    deliver("2024-01-04", outreach=["O1,2023-11-02,SE,Home visit,,5,0"])
    found = find_revisions(project, NOVEMBER)
    assert moved(found, "adults_assisted") == {"": (4, 6)}
    month = found.records.loc[found.records["period"].eq("month")]
    assert month[["id", "what", "change"]].to_numpy().tolist() == [["O1", "corrected: adults_assisted 3 → 5", 2]]


def test_dates_that_run_backwards_are_refused(project: Project, deliver: Deliver) -> None:
    deliver()
    with pytest.raises(ParameterError, match="run backwards"):
        find_revisions(project, NOVEMBER, dt.date(2023, 12, 5), FIRST)


def test_rows_without_an_id_of_their_own_are_matched_by_what_they_say(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project, False)
    deliver(responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,DV,SE", "R1,2023-11-02,Homicide,SE", "R2,2023-11-02,DV,"])
    deliver("2024-01-04", responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,Other,SE", "R3,2023-11-09,DV,NE"])
    found = find_revisions(project, NOVEMBER)
    assert moved(found, "responses") == {"": (4, 3)}
    assert sorted((row["id"], row["what"]) for row in found.by_record.to_dict("records")) == [
        ("R1", "corrected: incident_type DV/Sexual Assault → Other"),
        ("R1", "no longer in the snapshot"),
        ("R2", "no longer in the snapshot"),
        ("R3", "received"),
    ]


def own_edition(project: Project) -> Edition:
    """Return the edition of November as of its own day, from records that are read once."""
    days = OwnDays(project, find_deliveries(project), many=True)
    return load_edition(project, NOVEMBER, shelf=Shelf(project), days=days)


@ON_DISK
@given(history=HISTORIES, later=HISTORIES, kind=KINDS)
def test_figures_as_of_a_day_never_change_whatever_is_delivered_afterwards(
    tmp_path: Path, history: History, later: History, kind: tuple[str, str]
) -> None:
    as_of = dt.date(2023, 12, 3 + len(history))
    project = remade(tmp_path / "project", kind, history)
    before, own_before = load_edition(project, NOVEMBER, as_of), own_edition(project)
    project = remade(tmp_path / "project", kind, [*history, *later])
    after, own_after = load_edition(project, NOVEMBER, as_of), own_edition(project)
    assert after.figures.equals(before.figures)
    # Only a month that waited for its first day without quarantine can get a later day of its own.
    if own_before.records.quarantine.empty or not own_after.records.quarantine.empty:
        assert own_after.as_of == own_before.as_of
        assert own_after.figures.equals(own_before.figures)
    else:
        assert own_after.as_of > as_of
    assert after.records.quarantine.equals(before.records.quarantine)
    assert after.records.account.equals(before.records.account)
    rows = [edition.records.tables["responses"].rows.astype("str") for edition in (before, after)]
    assert rows[0].equals(rows[1])


@ON_DISK
@given(history=HISTORIES.filter(lambda history: len(history) > 1), kind=KINDS)
def test_the_records_account_for_every_figure_that_moved(
    tmp_path: Path, history: History, kind: tuple[str, str]
) -> None:
    project = remade(tmp_path / "project", kind, history)
    found = find_revisions(project, NOVEMBER, allow_quarantined=True)
    key = ["measure", "category", "period"]
    by_records = found.records.astype({"change": "int64"}).groupby(key, as_index=False)["change"].sum()
    by_records = by_records.loc[by_records["change"].ne(0)]
    both = found.figures.merge(by_records, on=key, suffixes=("", "_by_records"), how="outer")
    assert both["change"].equals(both["change_by_records"].astype("int64"))


def test_philadelphia_moved_as_its_three_deliveries_say(repository_example: Path) -> None:
    project = Project.open(repository_example)
    november = ReportMonth(2020, 11)
    found = find_revisions(project, november)
    assert moved(found, "victims") == {"": (207, 220)}
    assert moved(found, "fatal_victims") == {"": (32, 35)}
    later = find_revisions(project, november, dt.date(2021, 1, 5))
    assert moved(later, "victims") == {}
    assert moved(later, "fatal_victims") == {"": (32, 35)}
    died = later.by_record.loc[later.by_record["moved"].str.contains("fatal_victims/month")]
    assert len(died) == 3


def test_a_record_sent_again_after_a_void_says_so_also_where_it_had_been_sent_twice(
    project: Project, deliver: Deliver
) -> None:
    row = "R1,2023-11-02,DV,SE"
    deliver("2023-12-04", responses=[row])
    deliver("2023-12-05", responses=[row])
    deliver("2023-12-06", voids=["V1,2023-12-06,responses,R1"])
    deliver("2023-12-07", responses=[row])
    found = find_revisions(project, NOVEMBER, dt.date(2023, 12, 6), dt.date(2023, 12, 7))
    assert happened(found) == {"R1": "sent again after it was withdrawn (data/raw/2023-12-07/responses.csv:2)"}


def test_a_record_that_a_snapshot_drops_is_not_said_to_be_withdrawn_by_an_old_void(
    project: Project, deliver: Deliver
) -> None:
    project = as_snapshot(project, True)
    row = "R1,2023-11-02,DV,SE"
    deliver("2023-12-04", responses=[row])
    deliver("2023-12-05", responses=[row], voids=["V1,2023-12-05,responses,R1"])
    deliver("2023-12-06", responses=[row])
    deliver("2023-12-07")
    found = find_revisions(project, NOVEMBER, dt.date(2023, 12, 6), dt.date(2023, 12, 7))
    assert happened(found) == {"R1": "no longer in the snapshot (data/raw/2023-12-06/responses.csv:2)"}


def test_a_month_is_not_revised_because_a_later_issue_counts_under_another_name(
    project: Project, deliver: Deliver
) -> None:
    path = project.root / "program.toml"
    more = """
[measures.southeast_by_month]
label = "Month"
table = "responses"
where = { area_command = "Southeast" }
count = "rows"
by = "month"
"""
    with_measures(project, more)
    text = path.read_text(encoding="utf-8").replace('trend = "responses_by_month"', 'trend = "southeast_by_month"')
    path.write_text(text.replace("assumption = true", 'issues_from = "2023-11"\nassumption = true'), encoding="utf-8")
    project = Project.open(project.root)
    deliver("2023-11-03", responses=["R1,2023-10-02,DV,SE", "R2,2023-10-03,DV,SE"])
    deliver("2023-12-04", responses=["R3,2023-11-02,DV,UNI"])
    assert trend_revisions(load_edition(project, NOVEMBER)) == []
    deliver("2023-12-05", responses=["R4,2023-10-02,DV,UNI"])
    (october,) = trend_revisions(load_edition(project, NOVEMBER, dt.date(2023, 12, 5)))
    assert (october.month, october.first, october.now) == (ReportMonth(2023, 10), 2, 3)
