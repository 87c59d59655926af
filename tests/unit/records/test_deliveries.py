"""Deliveries: what had been received by a day, and files that are not what they must be."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from tests.support.projects import HEADERS, REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.errors import DeliveryError
from viputils.core.months import ReportMonth
from viputils.records.completeness import default_as_of
from viputils.records.deliveries import find_deliveries

NOVEMBER = ReportMonth(2023, 11)


def refusal(project: Project, as_of: dt.date | None = None) -> str:
    with pytest.raises(DeliveryError) as refused:
        load_edition(project, NOVEMBER, as_of)
    return str(refused.value)


def test_the_as_of_date_of_an_issue_is_the_day_its_last_table_came_in(project: Project, deliver: Deliver) -> None:
    deliver("2023-11-15")
    early = deliver("2023-12-04")
    (early / "outreach.csv").unlink()
    late = deliver("2023-12-07")
    for table in HEADERS:
        if table != "outreach":
            (late / f"{table}.csv").unlink(missing_ok=True)
    deliver("2024-01-05")
    assert default_as_of(find_deliveries(project), project.program, NOVEMBER) == dt.date(2023, 12, 7)


def test_what_is_delivered_later_does_not_move_an_issue(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    before = load_edition(project, NOVEMBER)
    deliver("2024-01-04", responses=["R1,2023-11-02,Homicide,SE", "R2,2023-11-03,DV,SE"])
    after = load_edition(project, NOVEMBER)
    assert after.as_of == before.as_of
    assert after.records.tables["responses"].rows.equals(before.records.tables["responses"].rows)
    assert after.figures.equals(before.figures)


def test_a_month_that_is_not_delivered_yet_is_refused_with_the_newest_delivery(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-11-30")
    message = refusal(project)
    assert "no data for 2023-11 yet" in message
    assert "newest delivery was received on 2023-11-30" in message


def test_a_table_that_did_not_come_is_named(project: Project, deliver: Deliver) -> None:
    (deliver() / "referrals.csv").unlink()
    message = refusal(project)
    assert "1 of 7 tables was not delivered after 2023-11-30" in message
    assert "referrals.csv: was never received" in message


def test_an_as_of_date_before_the_month_was_over_is_refused(project: Project, deliver: Deliver) -> None:
    deliver()
    assert "was not over on 2023-11-30" in refusal(project, dt.date(2023, 11, 30))


def test_a_month_before_the_records_begin_is_refused(project: Project, deliver: Deliver) -> None:
    deliver()
    with pytest.raises(DeliveryError, match="when the records begin"):
        load_edition(project, "2022-06")


@pytest.mark.parametrize("gone", ["", "outreach.csv"])
def test_a_delivery_that_is_missing_within_the_fiscal_year_is_refused(tmp_path: Path, gone: str) -> None:
    shutil.copy(REPOSITORY / "program.toml", tmp_path)
    shutil.copytree(REPOSITORY / "data", tmp_path / "data")
    missing = tmp_path / "data" / "raw" / "2023-10-04" / gone
    shutil.rmtree(missing) if missing.is_dir() else missing.unlink()
    project = Project.open(tmp_path)
    message = refusal(project)
    assert "A delivery within the fiscal year of 2023-11 is missing" in message
    assert (
        "2023-10-…/outreach.csv: is missing: outreach was not delivered after 2023-09-30 and by 2023-10-31" in message
    )
    assert ("reviews.csv" in message) == (gone == "")
    assert load_edition(project, "2023-08").as_of == dt.date(2023, 9, 5)


def test_a_delivery_folder_may_be_a_link(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    folder = deliver()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(folder, elsewhere)
    folder.symlink_to(elsewhere)
    assert load_edition(project, NOVEMBER).as_of == dt.date(2023, 12, 4)


def test_a_fiscal_year_that_began_before_the_records_is_refused(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("records_from = 2022-07-01", "records_from = 2023-09-01"), encoding="utf-8")
    deliver()
    with pytest.raises(DeliveryError, match="fiscal year of November 2023 begins before 2023-09-01"):
        load_edition(Project.open(project.root), "2023-11")


def test_a_program_that_began_within_the_fiscal_year_has_all_of_it(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8").replace("records_from = 2022-07-01", "records_from = 2023-09-01")
    path.write_text(text.replace("began = 2020-03-01", "began = 2023-09-01"), encoding="utf-8")
    deliver()
    assert load_edition(Project.open(project.root), "2023-11").as_of == dt.date(2023, 12, 4)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "responses.csv: is empty"),
        (b"response_id,response_date,incident_type\n", "line 1: the column 'area_command' is missing"),
        (b"response_id,response_date,incident_type,area_command,client_name\n", "'client_name' is not part of"),
        (b"response_id,response_date,incident_type,area_comand\n", "did you mean 'area_command'?"),
        (b"response_id,response_date,incident_type,area_command,area_command\n", "is repeated"),
        (b"response_id,response_date,incident_type,area_command\nR1,2023-11-02,DV\n", "line 2: holds 3 fields"),
        (b"response_id,response_date,incident_type,area_command\nR1,2023-11-02,DV,SE,\n", "line 2: holds 5 fields"),
        (b"response_id,response_date,incident_type,area_command\n\nR1,2023-11-02,DV,SE\n", "line 2: is blank"),
        (b"response_id,response_date,incident_type,area_command\nR1,2023-11-02,DV,SE\nR2,2023-1", "line 3: has no end"),
        (b"response_id,response_date,incident_type,area_command\nR1,2023-11-02,\"DV\n", "line 2: is not CSV"),
        (b"\xef\xbb\xbfresponse_id,response_date,incident_type,area_command\n", "byte-order mark"),
        ("response_id,response_date\n".encode("utf-16"), "is not UTF-8 text"),
        (b"response_id,response_date,incident_type,area_command\nR1,2023-11-02,DV,Ni\xf1o\n", "line 2: is not UTF-8"),
        (b"response_id,response_date,incident_type,area_command\nR1,2023-11-02,D\0V,SE\n", "is not UTF-8 text"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_in_form_is_refused_by_file_and_line(
    project: Project, deliver: Deliver, content: bytes, says: str
) -> None:
    (deliver() / "responses.csv").write_bytes(content)
    message = refusal(project)
    assert "data/raw/2023-12-04/responses.csv" in message
    assert says in message


def test_an_unreadable_file_is_refused(project: Project, deliver: Deliver) -> None:
    path = deliver() / "responses.csv"
    path.unlink()
    path.mkdir()
    assert "responses.csv: Is a directory" in refusal(project)


def test_the_faults_of_all_files_are_told_at_once(project: Project, deliver: Deliver) -> None:
    folder = deliver()
    (folder / "responses.csv").write_text("x\n", encoding="utf-8")
    (folder / "reviews.csv").write_bytes(b"")
    message = refusal(project)
    assert "responses.csv" in message
    assert "reviews.csv: is empty" in message


@pytest.mark.parametrize("name", ["2023-12", "new", "2023-02-30"])
def test_a_folder_that_is_not_named_for_a_day_is_refused(project: Project, deliver: Deliver, name: str) -> None:
    deliver()
    (project.raw / name).mkdir()
    assert f"data/raw/{name}: is not a delivery" in refusal(project)


def test_a_file_that_is_no_table_is_refused_with_the_nearest_name(project: Project, deliver: Deliver) -> None:
    (deliver() / "response.csv").write_text("x\n", encoding="utf-8")
    assert "did you mean 'responses'?" in refusal(project)


def test_a_project_without_deliveries_is_refused(project: Project) -> None:
    assert "contains no delivery" in refusal(project)
    project.raw.rmdir()
    assert "data/raw: No such file or directory" in refusal(project)


def test_a_correction_of_an_earlier_month_does_not_bring_the_month(project: Project, deliver: Deliver) -> None:
    deliver("2023-11-03", responses=["R1,2023-10-02,DV,SE"])
    correction = project.raw / "2023-12-02"
    correction.mkdir()
    rows = "response_id,response_date,incident_type,area_command\nR1,2023-10-02,Homicide,SE\n"
    (correction / "responses.csv").write_text(rows, encoding="utf-8")
    message = refusal(project)
    assert "There is no data for 2023-11 yet: no delivery covers it. The newest delivery was received on" in message
    assert "a correction" in message
    deliver("2023-12-05", responses=["R2,2023-11-02,DV,SE"])
    edition = load_edition(project, NOVEMBER)
    assert edition.as_of == dt.date(2023, 12, 5)
    assert len(edition.records.tables["responses"].rows) == 2
    assert "was last received on 2023-12-02" in refusal(project, dt.date(2023, 12, 4))


def test_a_delivery_without_rows_says_that_nothing_occurred(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    assert load_edition(project, NOVEMBER).as_of == dt.date(2023, 12, 4)
