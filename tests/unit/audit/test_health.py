from __future__ import annotations

import datetime as dt
import shutil

import pytest

from tests.support.histories import with_tables
from tests.support.projects import Deliver
from viputils.audit.as_of import load_edition, require_no_quarantine
from viputils.audit.health import check_project
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, QuarantineError
from viputils.core.months import ReportMonth
from viputils.records.checksums import new_salt, write_checksums

NOVEMBER = ReportMonth(2023, 11)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


def test_rejects_are_told_by_file_line_field_reason_value_and_the_nearest_allowed_one(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,Homocide,SE", "R2,2023-11-31,gun violance,Vally", "R3,2023-11-03,DV,SE"])
    found = check_project(project)
    assert not found.clean
    assert found.rows == 2
    columns = ["file", "line", "id", "field", "reason", "value", "nearest"]
    file = "data/raw/2023-12-04/responses.csv"
    assert found.rejects[columns].to_numpy().tolist() == [
        [file, 2, "R1", "incident_type", "unknown_value", "Homocide", "Homicide"],
        [file, 3, "R2", "response_date", "not_a_date", "2023-11-31", ""],
        [file, 3, "R2", "incident_type", "unknown_value", "gun violance", "Gun/Other Violence"],
        [file, 3, "R2", "area_command", "unknown_value", "Vally", "Valley"],
    ]


def test_the_line_that_may_be_no_record_is_never_the_older_one_of_two_that_look_alike(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-11-03", responses=["R-00400,2023-11-02,DV,SE", "R-00401,2023-11-02,DV,SE"])
    deliver("2023-12-04-2", responses=["R-400,2023-11-02,DV,SE", "R-401,2023-11-02,DV,SE"])
    found = check_project(project)
    assert found.rows == 4
    assert found.perhaps_no_record == ("responses", "data/raw/2023-12-04-2/responses.csv", 2)
    deliver("2023-12-05", responses=["R-5,2023-11-02,Nothing,SE"])
    assert check_project(project).perhaps_no_record == ("responses", "data/raw/2023-12-05/responses.csv", 2)


def test_an_alias_in_program_toml_is_all_that_it_takes_to_accept_a_value(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Stabbing,SE"])
    assert check_project(project).rows == 1
    path = project.root / "program.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"GSW", ', '"GSW", "Stabbing", '), encoding="utf-8")
    assert check_project(Project.open(project.root)).clean


def test_a_delivery_that_was_changed_is_found_before_it_is_counted(project: Project, deliver: Deliver) -> None:
    folder = deliver(responses=["R1,2023-11-02,DV,SE"])
    write_checksums(folder, [], new_salt())
    assert check_project(project).notes == ()
    (folder / "responses.csv").write_text("response_id,response_date,incident_type,area_command\n", encoding="utf-8")
    found = check_project(project)
    assert [problem.where for problem in found.problems] == ["data/raw/2023-12-04/responses.csv"]
    assert found.account is None
    # Before that day there was nothing to change.
    deliver("2023-11-03")
    assert check_project(project, as_of=dt.date(2023, 11, 3)).clean


def test_a_delivery_without_checksums_is_named(project: Project, deliver: Deliver) -> None:
    deliver()
    found = check_project(project)
    assert found.clean
    assert "data/raw/2023-12-04" in found.notes[0]
    assert "`vip seal` writes them" in found.notes[0]


def test_a_month_is_checked_for_its_deliveries_and_as_of_its_own_issue(project: Project, deliver: Deliver) -> None:
    deliver("2023-11-30")
    assert check_project(project).clean
    found = check_project(project, NOVEMBER)
    assert len(found.problems) == len(project.program.tables) == 2
    assert "was last received on 2023-11-30" in str(found.problems[0])
    deliver("2023-12-04")
    deliver("2024-01-04", responses=["R1,2023-11-02,x,SE"])
    assert check_project(project, NOVEMBER).clean
    assert not check_project(project).clean


def test_rows_that_were_corrected_later_name_the_day_from_which_they_count(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,x,SE", "R2,2023-11-02,y,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-02,DV,SE"])
    first = dt.date(2023, 12, 4)
    assert "--as-of" not in " ".join(check_project(project, NOVEMBER, first).notes)
    deliver("2023-12-08", responses=["R2,2023-11-02,DV,SE"])
    assert "use --as-of 2023-12-08" in " ".join(check_project(project, NOVEMBER, first).notes)
    assert check_project(project, NOVEMBER).as_of == dt.date(2023, 12, 8)
    with pytest.raises(QuarantineError) as caught:
        require_no_quarantine(project, load_edition(project, NOVEMBER, first))
    assert "use --as-of 2023-12-08" in str(caught.value)
    require_no_quarantine(project, load_edition(project, NOVEMBER, dt.date(2023, 12, 8)))


def test_where_nothing_was_delivered_there_is_nothing_to_check(project: Project) -> None:
    with pytest.raises(DeliveryError, match="are invalid"):
        check_project(project)


def test_checksums_that_were_taken_away_are_found_where_other_deliveries_have_them(
    project: Project, deliver: Deliver
) -> None:
    folders = [deliver("2023-12-04"), deliver("2023-12-05")]
    for folder in folders:
        write_checksums(folder, [])
    assert check_project(project).clean
    (folders[0] / "SHA256SUMS").unlink()
    assert [problem.where for problem in check_project(project).problems] == ["data/raw/2023-12-04/SHA256SUMS"]


def test_a_later_delivery_out_of_form_says_nothing_about_an_earlier_day(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,x,SE"])
    (deliver("2023-12-05") / "responses.csv").write_text("torn", encoding="utf-8")
    found = check_project(project, as_of=dt.date(2023, 12, 4))
    assert (found.rows, found.problems) == (1, ())


def test_a_delivery_that_was_taken_away_whole_is_found_where_deliveries_come_monthly(
    project: Project, deliver: Deliver
) -> None:
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8").replace('delivered = "irregularly"', 'delivered = "monthly"')
    path.write_text(text.replace("records_from = 2022-07-01", "records_from = 2023-08-01"), encoding="utf-8")
    project = Project.open(project.root)
    for day in ("2023-09-05", "2023-10-04", "2023-11-03"):
        deliver(day)
    assert check_project(project).problems == ()
    shutil.rmtree(project.raw / "2023-10-04")
    found = check_project(project)
    assert {problem.where.split("/")[2] for problem in found.problems} == {"2023-10-…"}
    assert len(found.problems) == len(project.program.tables) == 2
