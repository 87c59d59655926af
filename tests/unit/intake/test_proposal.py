"""Files that agencies sent, made into a delivery: what is proposed, what is written, and that no row is lost."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.histories import as_snapshot, with_tables
from tests.support.projects import BESIDE_TABLES, REPOSITORY, Deliver
from viputils.audit.as_of import OwnDays, as_of_issue, load_edition
from viputils.audit.health import check_project
from viputils.config.program import RAW, Program
from viputils.config.project import Project
from viputils.config.source import Source
from viputils.core.errors import BalanceError, DeliveryError, IntakeError, VipError
from viputils.core.months import ReportMonth
from viputils.figures.counts import value_of
from viputils.intake.effects import CHANGES
from viputils.intake.proposal import NothingNew, Proposal, proposed_intake
from viputils.records.checksums import write_checksums
from viputils.records.clean import load_records
from viputils.records.deliveries import find_deliveries
from viputils.report.data_files import countable_months

TODAY = dt.date(2024, 1, 31)
WRITTEN = {"2023-12-04", *(f"2023-12-04/{name}" for name in (*BESIDE_TABLES, "responses.csv"))}
RESPONSES = "Case Number,Incident date,Type of incident,Area Cmd"

Send = Callable[..., Path]


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews", "candidates")


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """Write a CSV file as an agency would send it, beside the project."""

    def write(*lines: str, name: str = "export.csv") -> Path:
        path = tmp_path / "inbox" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
        return path

    return write


def propose(
    project: Project, *files: Path, received: str = "2023-12-04", tables: Sequence[str] = (), accept: bool = False
) -> Proposal | NothingNew:
    with proposed_intake(project, files, dt.date.fromisoformat(received), TODAY, tables) as found:
        if accept and isinstance(found, Proposal):
            found.accept()
    return found


def proposal_of(project: Project, *files: Path, received: str = "2023-12-04", accept: bool = False) -> Proposal:
    found = propose(project, *files, received=received, accept=accept)
    assert isinstance(found, Proposal)
    return found


def changes(proposal: Proposal, table: str = "responses") -> dict[str, int]:
    (row,) = proposal.changes.loc[proposal.changes["table"].eq(table)].to_dict("records")
    return {str(name): value for name, value in row.items() if name != "table" and value}


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(VipError) as refused:
        call()
    assert not isinstance(refused.value, BalanceError)
    return str(refused.value)


def visible(project: Project) -> dict[str, bytes]:
    """Everything in data/raw but what is hidden."""
    found = (path.relative_to(project.raw) for path in sorted(project.raw.rglob("*")))
    return {
        str(path): (project.raw / path).read_bytes() if (project.raw / path).is_file() else b""
        for path in found
        if not path.parts[0].startswith(".")
    }


# ---------------------------------------------------------------- What is proposed


def test_a_first_delivery_is_proposed_and_written_only_when_it_is_accepted(project: Project, send: Send) -> None:
    sent = send(RESPONSES, "R1,11/2/23,DV,SE", "R2,11/3/23,GSW,VA", "Total,2,,")
    found = proposal_of(project, sent)
    assert (found.name, changes(found)) == ("data/raw/2023-12-04", {"rows": 2, "new": 2})
    assert visible(project) == {}
    moved = found.figures.loc[found.figures["measure"].eq("responses")]
    assert moved["before"].isna().all()
    assert moved.drop(columns="before").to_numpy().tolist() == [["2023-11", "responses", "", 2]]
    proposal_of(project, sent, accept=True)
    assert (project.raw / "2023-12-04" / "responses.csv").read_text(encoding="utf-8") == (
        "response_id,response_date,incident_type,area_command\nR1,2023-11-02,DV,SE\nR2,2023-11-03,GSW,VA\n"
    )
    assert visible(project).keys() == WRITTEN
    assert [path.name for path in project.raw.iterdir() if "partial" in path.name] == []
    assert check_project(project).clean


def test_rows_are_told_apart_as_new_changed_unchanged_superseded_and_quarantined(
    project: Project, deliver: Deliver, send: Send
) -> None:
    deliver("2023-11-03", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE", "R9,2023-11-02,Fire,SE"])
    sent = send(
        RESPONSES,
        "R1,11/2/23,DV,SE",
        "R2,11/2/23,DV,NE",
        "R3,11/4/23,DV,NE",
        "R3,11/4/23,DV,NE",
        "R4,11/4/23,Flood,NE",
        "R9,11/2/23,DV,NE",
    )
    found = proposal_of(project, sent)
    assert changes(found) == {"rows": 6, "new": 1, "changed": 2, "unchanged": 2, "quarantined": 1, "mended": 1}
    assert list(found.account()) == ["responses: 6 rows = 1 new + 2 changed + 2 unchanged + 1 quarantined; 1 mended"]


def test_a_rejected_row_is_named_by_the_sheet_and_line_that_were_given(project: Project, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name, rows in {
        "Oct": [["R1", "10/2/23", "DV"], ["R2", "10/2/23", "Homocide"]],
        "Nov": [["R3", "x", "DV"]],
    }.items():
        sheet = book.create_sheet(name)
        for row in (["Police"], [], ["Case Number", "Date", "Type", "Area"], *rows, ["Total", len(rows)]):
            sheet.append(row)
    path = tmp_path / "sent.xlsx"
    book.save(path)
    found = proposal_of(project, path)
    rejected = found.quarantine[["file", "line", "id", "field", "value", "nearest"]].to_numpy().tolist()
    assert rejected == [
        ["sent.xlsx, sheet 'Oct'", 5, "R2", "incident_type", "Homocide", "Homicide"],
        ["sent.xlsx, sheet 'Nov'", 4, "R3", "response_date", "x", ""],
    ]
    assert changes(found) == {"rows": 3, "new": 1, "quarantined": 2}
    assert list(found.rejects()) == [
        "sent.xlsx, sheet 'Oct', line 5, incident_type: 'Homocide' [unknown_value] Did you mean 'Homicide'?",
        "sent.xlsx, sheet 'Nov', line 4, response_date: 'x' [not_a_date]",
    ]


def test_of_very_many_rejected_rows_the_number_is_said_by_reason(project: Project, send: Send) -> None:
    said = list(proposal_of(project, send(RESPONSES, *[f"R{n},11/2/23,Fire,SE" for n in range(80)])).rejects())
    assert len(said) == 51
    assert said[-1] == "And 30 more [unknown_value]"


def test_the_summary_says_of_each_sheet_what_was_taken_and_shows_no_value_of_other_columns(
    project: Project, send: Send
) -> None:
    sent = send(f"{RESPONSES},Victim name,Remarks", "R1,11/2/23,DV,SE,Jane Doe,called twice", "Exported by somebody")
    said = "\n".join(proposal_of(project, sent, accept=True).summary())
    assert "export.csv: read as responses" in said
    assert "3 rows = 1 record + 1 heading row + 1 other row" in said
    assert "Other rows, not imported: line 3 'Exported by somebody'" in said
    assert "'Case Number' → response_id" in said
    assert "Columns not imported: 'Victim name', 'Remarks'" in said
    assert "Jane" not in said
    assert b"Jane" not in b"".join(visible(project).values())


def test_several_files_and_sheets_become_one_delivery(project: Project, send: Send, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Read me"
    book.worksheets[0].append(["Ask us"])
    for name in ("October", "November", "Empty"):
        sheet = book.create_sheet(name)
        if name != "Empty":
            sheet.append(["Review ID", "Review Date", "Incidents reviewed", "Persons identified"])
            sheet.append([f"W-{name}", dt.date(2023, 10, 4), 3, 6])
    book.save(tmp_path / "reviews.xlsx")
    found = proposal_of(project, send(RESPONSES, "R1,11/2/23,DV,SE"), tmp_path / "reviews.xlsx", accept=True)
    assert dict(zip(found.changes["table"], found.changes["rows"], strict=True)) == {"responses": 1, "reviews": 2}
    assert [source.export is None for source in found.sources] == [True, True, False, False, False]
    assert load_records(project).account.set_index("table")["kept"].sum() == 3


def test_cells_that_would_be_formulas_are_written_as_text_and_come_back_as_they_were(
    project: Project, tmp_path: Path
) -> None:
    values = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "'=x", "=1\n+1", "plain"]
    path = tmp_path / "sent.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [RESPONSES.split(","), *([f"R{n}", "11/2/23", v, "SE"] for n, v in enumerate(values))]
        )
    found = proposal_of(project, path, accept=True)
    assert found.quarantine["value"].tolist() == [" ".join(value.split()) for value in values]
    with (project.raw / "2023-12-04" / "responses.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert load_records(project).quarantine["value"].tolist() == found.quarantine["value"].tolist()


# ---------------------------------------------------------------- Again, later, earlier


def test_the_same_file_twice_adds_nothing_under_another_name_too(project: Project, send: Send) -> None:
    sent = send(RESPONSES, "R1,11/2/23,DV,SE")
    proposal_of(project, sent, accept=True)
    before = visible(project)
    again = send(RESPONSES, "R1,11/2/23,DV,SE", name="again.csv")
    for received in ("2023-12-04", "2023-12-05", "2023-11-05"):
        found = propose(project, again, received=received, accept=True)
        assert found == NothingNew([("again.csv", "data/raw/2023-12-04")])
    assert visible(project) == before
    with_news = proposal_of(project, sent, send(RESPONSES, "R2,11/2/23,DV,SE", name="new.csv"), accept=True)
    assert changes(with_news) == {"rows": 1, "new": 1}
    assert "export.csv was already received in data/raw/2023-12-04, and is left out." in with_news.warnings


def test_a_file_given_twice_is_taken_once(project: Project, send: Send) -> None:
    rows = (RESPONSES, "R1,11/2/23,DV,SE")
    found = proposal_of(project, send(*rows), send(*rows, name="copy.csv"))
    assert changes(found) == {"rows": 1, "new": 1}
    assert "copy.csv is the same file as export.csv and is imported once." in found.warnings


def test_a_file_without_rows_says_something_again_on_a_later_day_only(project: Project, send: Send) -> None:
    sent = send(RESPONSES)
    proposal_of(project, sent, accept=True)
    assert isinstance(propose(project, sent), NothingNew)
    later = proposal_of(project, sent, received="2024-01-04", accept=True)
    assert changes(later) == {}
    assert "is identical to the file" in later.warnings[0]
    assert [one.name for one in find_deliveries(project)] == ["data/raw/2023-12-04", "data/raw/2024-01-04"]


def test_a_second_delivery_of_a_day_gets_a_folder_of_its_own(project: Project, send: Send) -> None:
    for number, name in enumerate(("2023-12-04", "2023-12-04-2", "2023-12-04-3"), start=1):
        before = visible(project)
        found = proposal_of(project, send(RESPONSES, f"R{number},11/2/23,DV,SE"), accept=True)
        assert found.name == f"data/raw/{name}"
        assert any("There is already a delivery of that day" in one for one in found.warnings) == (number > 1)
        assert before.items() <= visible(project).items()
    assert load_records(project).account.set_index("table").loc["responses", "kept"] == 3


def test_the_hundredth_delivery_of_a_day_is_refused_before_it_can_be_misread(project: Project, send: Send) -> None:
    for number in range(1, 100):
        folder = project.raw / ("2023-12-04" + (f"-{number}" if number > 1 else ""))
        folder.mkdir()
        (folder / "responses.csv").write_text("response_id,response_date,incident_type,area_command\n", "utf-8")
    said = refusal(lambda: propose(project, send(RESPONSES, "R1,11/2/23,DV,SE"), accept=True))
    assert "There are already 99 deliveries of 2023-12-04. Nothing was written." in said
    assert len(find_deliveries(project)) == 99


def test_a_day_that_has_not_come_or_lies_before_other_deliveries_is_said(project: Project, send: Send) -> None:
    proposal_of(project, send(RESPONSES, "R1,11/2/23,DV,SE", "R2,11/2/23,DV,SE"), received="2023-12-04", accept=True)
    sent = send(RESPONSES, "R1,11/2/23,DV,SE", "R2,11/2/23,DV,NE", "R3,11/2/23,DV,NE")
    future = proposal_of(project, sent, received="2031-01-01")
    assert "The day of receipt, 2031-01-01, is in the future." in future.warnings
    earlier = proposal_of(project, sent, received="2023-11-15", accept=True)
    assert any("1 later delivery already exists, the newest received on 2023-12-04" in o for o in earlier.warnings)
    # What the later delivery says goes on to stand.
    assert changes(earlier) == {"rows": 3, "new": 1, "unchanged": 1, "superseded": 1}
    rows = load_records(project).tables["responses"].rows
    assert rows.loc[rows["response_id"].eq("R2"), "area_command"].tolist() == ["Southeast"]


@pytest.mark.exhaustive
def test_a_month_too_long_ago_to_list_is_named(project: Project, deliver: Deliver, send: Send) -> None:
    months = [f"{2022 + (6 + n) // 12}-{(6 + n) % 12 + 1:02}" for n in range(17)]
    deliver("2023-12-04", responses=[f"R{n},{month}-05,DV,SE" for n, month in enumerate(months)])
    sent = send(RESPONSES, "R0,7/5/22,DV,NE", "R1,8/5/22,DV,SE", "R16,11/5/23,DV,NE")
    found = proposal_of(project, sent, received="2023-12-05")
    assert found.figures["month"].unique().tolist() == ["2023-11"]
    assert "Records of 1 earlier month change, too, and their figures are not listed: 2022-07." in found.warnings


def test_ids_that_another_table_has_are_said(project: Project, deliver: Deliver, send: Send) -> None:
    deliver("2023-11-03", candidates=["R1,2023-11-01,Hospital"])
    found = proposal_of(project, send(RESPONSES, "R1,11/2/23,DV,SE"))
    assert "1 id of responses is an id of candidates, too. Is it the right table?" in found.warnings


def test_a_void_withdraws_a_record(project: Project, deliver: Deliver, send: Send) -> None:
    deliver("2023-11-03", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE"])
    found = proposal_of(project, send("Void ID,Voided date,Voided table,Voided ID", "V1,12/1/23,responses,R1"))
    assert changes(found, "voids") == {"rows": 1, "new": 1}
    assert changes(found, "responses") == {"withdrawn": 1}
    moved = found.figures.loc[found.figures["measure"].eq("responses"), ["before", "after"]]
    assert moved.to_numpy().tolist() == [[2, 1]]


def test_rows_that_are_here_and_would_go_into_quarantine_are_listed_with_their_place_and_reason(
    project: Project, deliver: Deliver, send: Send
) -> None:
    deliver("2023-11-03", candidates=["C-00400,2023-11-01,Other", "C-00401,2023-11-01,Other", "D-1,2023-11-01,Nobody"])
    headings = "candidate_id,received_date,source"
    found = proposal_of(project, send(headings, "C-400,11/2/23,Other", "D-1,11/1/23,Other"))
    file = "data/raw/2023-11-03/candidates.csv"
    assert found.held[["file", "line", "id", "reason"]].to_numpy().tolist() == [
        [file, 2, "C-00400", "looks_like_another"],
    ]
    assert list(found.rejects_held()) == [
        f"{file}, line 2, candidate_id: 'C-00400' [looks_like_another] It looks like 'C-400'."
    ]
    assert any('candidate_id = "same"' in remedy for remedy in found.remedies())
    # A row that is mended and one that is held do not cancel each other out.
    assert changes(found, "candidates") == {"rows": 2, "changed": 1, "quarantined": 1, "mended": 1}
    assert proposal_of(project, send(headings, "C-00402,11/2/23,Other")).rows_held == 0


# ---------------------------------------------------------------- Snapshots


@pytest.fixture
def snapshots(project: Project) -> Project:
    responses = project.program.tables["responses"].model_copy(update={"delivery": "snapshot"})
    tables = {**project.program.tables, "responses": responses}
    return replace(project, program=project.program.model_copy(update={"tables": tables}))


def test_what_a_snapshot_lacks_is_withdrawn_and_much_of_it_is_said(snapshots: Project, send: Send) -> None:
    full = send(RESPONSES, *[f"R{n},11/2/23,DV,SE" for n in range(5)], name="full.csv")
    proposal_of(snapshots, full, received="2023-12-04", accept=True)
    found = proposal_of(snapshots, send(RESPONSES, "R0,11/2/23,DV,SE", "R1,11/2/23,DV,NE", "R7,11/2/23,DV,NE"))
    assert changes(found) == {"rows": 3, "new": 1, "changed": 1, "unchanged": 1, "withdrawn": 3}
    (lacking,) = found.withdrawals
    assert lacking == "3 records of responses, more than half, are missing from this file and would be withdrawn."
    everything_stayed = proposal_of(snapshots, full, received="2023-12-05")
    assert changes(everything_stayed) == {"rows": 5, "unchanged": 5}
    assert everything_stayed.withdrawals == []
    nothing = proposal_of(snapshots, send(RESPONSES), received="2023-12-05")
    assert changes(nothing) == {"withdrawn": 5}


def test_a_void_withdraws_a_record_of_a_snapshot(snapshots: Project, send: Send) -> None:
    proposal_of(snapshots, send(RESPONSES, "R1,11/2/23,DV,SE", "R2,11/2/23,DV,SE"), accept=True)
    voids = send("Void ID,Voided date,Voided table,Voided ID", "V1,12/5/23,responses,R1", name="voids.csv")
    found = proposal_of(snapshots, voids, received="2023-12-05")
    assert changes(found, "responses") == {"withdrawn": 1}
    assert not [one for one in found.warnings if "snapshot" in one]


def test_a_snapshot_before_a_newer_one_changes_nothing(snapshots: Project, send: Send) -> None:
    proposal_of(snapshots, send(RESPONSES, "R1,11/2/23,DV,SE"), received="2023-12-04", accept=True)
    sent = send(RESPONSES, "R1,11/2/23,DV,NE", "R2,11/2/23,DV,NE")
    found = proposal_of(snapshots, sent, received="2023-12-01")
    assert changes(found) == {"rows": 2, "superseded": 2}
    assert found.figures.empty


# ---------------------------------------------------------------- What is refused


def test_all_that_is_wrong_with_all_files_is_said_at_once(project: Project, send: Send, tmp_path: Path) -> None:
    (tmp_path / "page.xlsx").write_text("<html>", encoding="utf-8")
    files = [
        send("Case Number,Incident date,Typ,Area Cmd", "R1,11/2/23,DV,SE", name="a.csv"),
        tmp_path / "page.xlsx",
        tmp_path / "missing.csv",
        send("Case Number,Case Number,Date,Type,Area", name="b.csv"),
        tmp_path,
    ]
    said = refusal(lambda: propose(project, *files))
    assert said.startswith("The files cannot be imported. Nothing was written.")
    parts = (
        "a.csv, line 1",
        "page.xlsx: is named .xlsx and is an HTML page",
        "missing.csv: is missing",
        "b.csv, line 1",
    )
    for part in (*parts, "is a folder"):
        assert part in said
    rows = [send(RESPONSES, "R1,11/2/23", name="a.csv"), send(RESPONSES, "R1,11/2/23,DV,SE,x", name="b.csv")]
    said = refusal(lambda: propose(project, *rows))
    assert "a.csv, line 2: has 2 cells, but there are 4 headings" in said
    assert "b.csv, line 2: has 5 cells, but there are 4 headings" in said
    assert visible(project) == {}


def test_an_unknown_table_is_said_once(project: Project, send: Send) -> None:
    files = [send(RESPONSES, name="a.csv"), send("Void ID", name="b.csv")]
    assert refusal(lambda: propose(project, *files, tables=["response"])).count("--table") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(project: Project, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "pipe.csv: is not a file" in refusal(lambda: propose(project, tmp_path / "pipe.csv"))


def test_a_delivery_that_was_edited_stops_the_intake(project: Project, send: Send) -> None:
    proposal_of(project, send(RESPONSES, "R1,11/2/23,DV,SE"), accept=True)
    path = project.raw / "2023-12-04" / "responses.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("R1", "R2"), encoding="utf-8")
    said = refusal(lambda: propose(project, send(RESPONSES, "R3,11/2/23,DV,SE"), accept=True))
    assert "was edited after it was delivered" in said


def test_real_records_do_not_come_among_demonstration_records(project: Project, deliver: Deliver, send: Send) -> None:
    deliver("2023-11-03", responses=["DEMO-R1,2023-11-02,DV,SE"])
    said = refusal(lambda: propose(project, send(RESPONSES, "R1,11/2/23,DV,SE"), accept=True))
    assert "Sample data and real records" in said
    assert sorted(visible(project))[0] == "2023-11-03"


def test_one_record_that_is_no_demonstration_is_named_by_its_file_and_line(
    project: Project, deliver: Deliver, send: Send
) -> None:
    deliver("2023-11-03", responses=[f"DEMO-R{number},2023-11-02,DV,SE" for number in range(5)])
    sent = send(RESPONSES, "DEMO-R8,11/2/23,DV,SE", "O-9004,11/2/23,DV,SE")
    said = refusal(lambda: propose(project, sent, accept=True))
    assert said == (
        "Sample data and real records are in the same deliveries. Nothing was written.\n"
        "  - export.csv, line 3: the id 'O-9004' does not begin with 'DEMO-', and 6 others do; correct the id, or "
        "remove the row."
    )
    many = send(RESPONSES, *(f"R{number},11/2/23,DV,SE" for number in range(100)))
    assert "data/raw/2023-11-03/responses.csv, line 6: the id 'DEMO-R4' begins with 'DEMO-', and 100 others do not" in (
        refusal(lambda: propose(project, many))
    )
    half = send(RESPONSES, *(f"{'DEMO-' * (number < 80)}R{number},11/2/23,DV,SE" for number in range(91)))
    assert "data/raw: 80 of 91 ids begin with 'DEMO-'; remove the" in refusal(lambda: propose(project, half))


def test_the_name_of_a_sheet_is_never_a_path(project: Project, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, name in enumerate(["../x", "\x1b[31mred", "[bold]x[/bold]", "a/b\\c", "CON", "x" * 31, "'"]):
        sheet = book.create_sheet()
        # As only a program other than Excel would name it.
        setattr(sheet, "_WorkbookChild__title", name.replace("\x1b", "_x001B_"))  # noqa: B010
        for row in (RESPONSES.split(","), [f"R{number}", "11/2/23", "DV", "SE"]):
            sheet.append(row)
    book.save(tmp_path / "sent.xlsx")
    found = proposal_of(project, tmp_path / "sent.xlsx", accept=True)
    assert changes(found) == {"rows": 7, "new": 7}
    assert visible(project).keys() == WRITTEN
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a project", "sent.xlsx"]


# ---------------------------------------------------------------- Whatever they send

EXAMPLES = int(os.environ.get("VIP_FUZZ_EXAMPLES", examples(15)))
# Of few examples each is tried in a program of few tables.
EVERY_TABLE = ("responses", "outreach", "referrals", "reviews", "candidates", "notifications", "engagements")
TABLES = EVERY_TABLE if EXAMPLES >= 15 else ("responses", "outreach", "reviews")
DELIVERED = REPOSITORY / "data" / "raw" / "2023-12-04"
ODD = st.sampled_from(
    ["", " ", "=1+1", "+1", "-1", "@x", "'", "''=x", '"', '""', "a,b", "a;b", "x" * 40_000, "x" * 140_000, "Total",
     "8/27/06", "27/8/06", "2023/12/31 17:25:00", "45000", "45000.5", "99999999999999999999", "1,234", "3.0", "ä", "€",
     "\ufeff", "\u2028", "\x85", "\x0b", "\x1b[31m", "\t", "\r", "\n", "\r\n", "a\nb", "#REF!", "TRUE", "NaN", "None",
     "\ud7ff", "../x", "a_x0000_b", "<script>", "response_id", "Date", "DEMO-R-000921"]
)  # fmt: skip
FOOT = st.sampled_from([["Total", "", "93"], ["Exported by x"], [], [""], ["", "", ""], ["Grand total"]])

Rows = list[list[str]]


@st.composite
def mutated_rows(draw: st.DrawFn, table: str) -> Rows:
    """A table that came through somebody's hands: cells, rows and columns moved, lost, doubled and typed over."""
    with (DELIVERED / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[: draw(st.integers(1, 25))]
    width = len(rows[0])
    place, column = st.integers(0, 1_000), st.integers(0, width - 1)
    for kind in draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=4)):
        at, other = draw(place) % len(rows), draw(column)
        if kind == "cell" and len(rows[at]) > other:
            rows[at][other] = draw(ODD)
        elif kind == "column twice":
            rows = [[*row, *row[other : other + 1]] for row in rows]
        elif kind == "column away":
            rows = [row[:other] + row[other + 1 :] for row in rows]
        elif kind == "column moved":
            rows = [[*row[other:], *row[:other]] for row in rows]
        elif kind == "column added":
            name, value = draw(ODD), draw(ODD)
            rows = [[*row, value if n else name] for n, row in enumerate(rows)]
        elif kind == "row twice":
            rows.insert(draw(place) % len(rows) + 1, list(rows[at]))
        elif kind == "row away":
            rows = [row for n, row in enumerate(rows) if n != at] or [[]]
        elif kind == "row short":
            rows[at] = rows[at][:other]
        elif kind == "row added":
            rows.insert(at, draw(FOOT))
        elif kind == "foot":
            rows.append(draw(FOOT))
        elif kind == "title":
            rows = [["A title"], [], *rows]
        elif kind == "dates":
            rows = [[_as_sent(cell) for cell in row] for row in rows]
    return rows


KINDS = {"cell", "column twice", "column away", "column moved", "column added", "row twice", "row away", "row short",
         "row added", "foot", "title", "dates"}  # fmt: skip


def _as_sent(cell: str) -> str:
    try:
        return dt.date.fromisoformat(cell.strip()).strftime("%m/%d/%y")
    except ValueError:
        return cell


@st.composite
def sent_bytes(draw: st.DrawFn, rows: Rows) -> bytes:
    """The rows as CSV of some kind, with bytes put in, or the end cut off."""
    text = io.StringIO()
    quoting: Any = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    delimiter, end = draw(st.sampled_from(",,;\t")), draw(st.sampled_from(["\n", "\r\n"]))
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    data = text.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16"])), "replace")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(data)))
        data = (
            data[:at]
            + draw(st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\x93", b"\xc3\xa9", b"  "]))
            + data[at:]
        )
    return data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 0 else data


def sent_workbook(sheets: Mapping[str, Rows]) -> bytes:
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_cell(cell) for cell in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(text: str) -> Any:
    return "".join(mark for mark in text if mark in "\n\t" or mark.isprintable())[:32_767]


@st.composite
def what_is_sent(draw: st.DrawFn) -> dict[str, bytes]:
    tables = {
        table: draw(mutated_rows(table)) for table in draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=2))
    }
    if draw(st.integers(0, 3)) == 0:
        return {"sent.xlsx": sent_workbook(tables)}
    return {f"{table}.csv": draw(sent_bytes(rows)) for table, rows in tables.items()}


def taken_in(project: Project, files: Sequence[Path], received: dt.date) -> Proposal | VipError:
    try:
        with proposed_intake(project, files, received, TODAY) as found:
            assert isinstance(found, Proposal)
            list(found.summary())
            found.accept()
            return found
    except VipError as error:
        return error


def require_sound(project: Project, files: Sequence[Path], received: dt.date) -> None:
    """Take files in; whatever they hold, the delivery is written whole and can be read, or nothing is written."""
    before = visible(project)
    rows_before = int(load_records(project).account["read"].sum())
    found = taken_in(project, files, received)
    event(type(found).__name__)
    if isinstance(found, VipError):
        assert not isinstance(found, BalanceError)
        assert found.problems
        assert all(problem.where and problem.what for problem in found.problems)
        assert visible(project) == before
        return
    taken = 0
    for source in found.sources:
        tally = source.tally
        taken += tally.records
        assert tally.read == tally.records + tally.headings + tally.above + tally.blank + len(tally.others)
        assert tally.read == (sum(len(block.rows) for block in source.sheet.blocks()) if source.export else 0)
    assert found.changes["rows"].sum() == taken
    assert found.changes["rows"].eq(found.changes[list(CHANGES[2:7])].sum(axis="columns")).all()
    assert int(load_records(project).account["read"].sum()) - rows_before == taken
    checked = check_project(project)
    assert checked.problems == ()
    assert before.items() <= visible(project).items()
    assert isinstance(propose(project, *files, received=received.isoformat()), NothingNew)
    names = [name for name in visible(project) if name.startswith(received.isoformat()) and name.endswith(".csv")]
    for name in names:
        with (project.raw / name).open(encoding="utf-8", newline="") as file:
            assert not [c for row in csv.reader(file) for c in row if c.lstrip(" \n").startswith(("=", "+", "-", "@"))]


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(what_is_sent())
def test_whatever_is_sent_ends_in_a_sound_delivery_or_a_refusal(program: Program, sent: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        # Ids that were typed over do not begin with DEMO- any more, and that is not what this is about.
        identity = program.identity.model_copy(update={"delivered": "irregularly"})
        tables = {name: table for name, table in program.tables.items() if name in TABLES}
        measures = {name: measure for name, measure in program.measures.items() if measure.table in TABLES}
        changed = {"demonstration": None, "identity": identity, "tables": tables, "measures": measures}
        project = Project(root, program.model_copy(update=changed), Source(root, RAW))
        earlier = project.raw / "2023-11-03"
        earlier.mkdir(parents=True)
        for table in ("responses", "outreach"):
            lines = (DELIVERED / f"{table}.csv").read_text(encoding="utf-8").splitlines()[:6]
            (earlier / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_checksums(earlier, [])
        files = [root / name for name in sent]
        for path in files:
            path.write_bytes(sent[path.name])
        require_sound(project, files, dt.date(2023, 12, 4))


def test_a_month_without_data_has_no_figure_and_a_month_that_is_covered_has_0(project: Project, send: Send) -> None:
    proposal_of(project, send(RESPONSES, "R1,10/2/23,DV,SE"), received="2023-11-03", accept=True)
    found = proposal_of(project, send(RESPONSES, "R2,11/2/23,DV,SE", "R3,9/2/23,DV,SE", name="more.csv")).figures
    found = found.loc[found["measure"].eq("responses"), ["month", "before", "after"]]
    found = found.astype("object").where(found.notna(), "no data")
    assert found.to_numpy().tolist() == [["2023-09", 0, 1], ["2023-11", "no data", 1]]


def test_of_very_many_figures_only_those_without_a_breakdown_are_shown(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    kinds, areas = (list(project.program.vocabularies[name]) for name in ("incident_type", "area_command"))
    rows = [
        f"R{month}-{n},2023-{month:02}-0{n + 1},{kind},{area}"
        for month in (8, 9, 10, 11)
        for n, (kind, area) in enumerate(zip(kinds, areas, strict=True))
    ]
    path.write_text("\n".join(["response_id,response_date,incident_type,area_command", *rows]) + "\n", encoding="utf-8")
    day = dt.date(2023, 12, 4)
    with proposed_intake(project, [path], day, day) as proposal:
        assert isinstance(proposal, Proposal)
        shown, rest = proposal.moved()
        assert len(proposal.figures) == 4 * 13
        assert shown["category"].eq("").all()
        assert len(shown) == 4
        assert "And 48 figures by category" in rest


# ---------------------------------------------------------------- What a delivery covers


def snapshot(project: Project) -> Project:
    return as_snapshot(with_tables(project, "responses"))


def months_with_data(project: Project) -> list[str]:
    return [str(month) for month in countable_months(project, OwnDays(project, find_deliveries(project)))[0]]


def test_an_old_snapshot_says_nothing_about_the_months_after_its_newest_record(project: Project, send: Send) -> None:
    """Records until February 2023, received in January 2024: whether anything occurred from March on is not known."""
    project = snapshot(project)
    sent = send(RESPONSES, "R1,11/2/22,DV,SE", "R2,2/3/23,GSW,VA")
    found = proposal_of(project, sent, received="2024-01-15", accept=True)
    assert found.covers == {"responses": dt.date(2023, 2, 28)}
    assert any("so the days after 2023-02-28 are not covered" in warning for warning in found.warnings)
    assert months_with_data(project)[-1] == "2023-02"
    with pytest.raises(DeliveryError, match="There is no data for 2023-03 yet"):
        as_of_issue(project.program, find_deliveries(project), ReportMonth(2023, 3))


def test_a_snapshot_covers_the_days_that_are_declared(project: Project, send: Send) -> None:
    project = snapshot(project)
    sent = send(RESPONSES, "R1,11/2/22,DV,SE", "R2,2/3/23,GSW,VA")
    with proposed_intake(project, [sent], dt.date(2024, 1, 15), TODAY, (), ["responses=2023-04-30"]) as found:
        assert isinstance(found, Proposal)
        found.accept()
    assert months_with_data(project)[-1] == "2023-04"
    assert value_of(load_edition(project, "2023-04").figures, "responses", period="month") == 0


def test_a_delivery_of_the_month_before_covers_it_whole_and_an_empty_one_too(project: Project, send: Send) -> None:
    rows = send(RESPONSES, "R1,11/2/23,DV,SE")
    assert proposal_of(project, rows).covers == {"responses": dt.date(2023, 11, 30)}
    assert proposal_of(project, send(RESPONSES, name="none.csv")).covers == {"responses": dt.date(2023, 11, 30)}
    assert proposal_of(project, rows, received="2023-11-20").covers == {"responses": dt.date(2023, 11, 2)}


def test_a_table_that_is_not_there_cannot_be_covered(project: Project, send: Send) -> None:
    with (
        pytest.raises(IntakeError, match="'outreach' is not a table of these files"),
        proposed_intake(project, [send(RESPONSES)], dt.date(2023, 12, 4), TODAY, (), ["outreach=2023-11-30"]),
    ):
        pass


# ---------------------------------------------------------------- Corrections that may be none


def test_ids_that_start_again_each_year_are_reported_before_they_replace_records(project: Project, send: Send) -> None:
    first = send(RESPONSES, "0001,12/5/22,DV,SE", "0002,12/6/22,GSW,SE", name="2022.csv")
    proposal_of(project, first, received="2023-01-04", accept=True)
    again = send(RESPONSES, "0001,11/5/23,GSW,VA", "0002,12/7/22,GSW,SE", name="2023.csv")
    assert proposal_of(project, again).doubtful == [
        "responses, response_id 0001: response_date 2022-12-05, incident_type DV/Sexual Assault, area_command "
        "Southeast becomes response_date 2023-11-05, incident_type Gun/Other Violence, area_command Valley"
    ]


def test_a_correction_that_changes_everything_is_reported_on_any_day(project: Project, send: Send) -> None:
    proposal_of(project, send(RESPONSES, "R1,11/5/23,DV,SE"), received="2023-12-04", accept=True)
    other = send(RESPONSES, "R1,11/6/23,GSW,VA", name="other.csv")
    assert len(proposal_of(project, other, received="2023-12-05").doubtful) == 1
    correction = send(RESPONSES, "R1,11/6/23,GSW,SE", name="correction.csv")
    assert proposal_of(project, correction, received="2023-12-05").doubtful == []


# ---------------------------------------------------------------- Tables without an id


def test_each_row_of_a_table_without_an_id_is_a_record(project: Project, send: Send) -> None:
    project = with_id(project, "row")
    headings = RESPONSES.partition(",")[2]
    sent = send(headings, "11/2/23,DV,SE", "11/2/23,DV,SE", "11/3/23,DV,SE")
    assert changes(proposal_of(project, sent, accept=True)) == {"rows": 3, "new": 3}
    more = send(headings, "11/2/23,DV,SE", name="more.csv")
    assert changes(proposal_of(project, more, accept=True)) == {"rows": 1, "new": 1}
    rows = load_records(project).tables["responses"].rows
    assert list(rows["row"]) == ["2023-12-04.1", "2023-12-04.2", "2023-12-04.3", "2023-12-04-2.1"]


def test_a_row_of_a_snapshot_without_an_id_is_the_same_record_in_the_next(project: Project, send: Send) -> None:
    project = with_id(snapshot(project), "row")
    headings = RESPONSES.partition(",")[2]
    proposal_of(project, send(headings, "11/2/23,DV,SE", "11/2/23,DV,SE", "11/3/23,DV,SE"), accept=True)
    later = send(headings, "11/3/23,DV,SE", "11/2/23,DV,SE", "11/4/23,DV,SE", name="later.csv")
    found = changes(proposal_of(project, later, received="2023-12-05"))
    assert {name: found[name] for name in ("rows", "new", "unchanged", "withdrawn")} == {
        "rows": 3,
        "new": 1,
        "unchanged": 2,
        "withdrawn": 1,
    }


def with_id(project: Project, identity: str) -> Project:
    given = {**project.program.tables["responses"].model_dump(), "id": identity}
    table = project.program.tables["responses"].model_validate(given)
    tables = {**project.program.tables, "responses": table}
    return replace(project, program=project.program.model_copy(update={"tables": tables}))


# ---------------------------------------------------------------- Which sheet is which table


def test_the_table_of_a_sheet_can_be_given_by_its_name(project: Project, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    both = ["response_id", "response_date", "incident_type", "area_command", "candidate_id", "received_date", "source"]
    for name, row in (("One", ["R1", "11/2/23", "DV", "SE"]), ("Two", ["", "", "", "", "C1", "11/2/23", "Hospital"])):
        book.create_sheet(name).append(both)
        book[name].append(row)
    book.remove(book.worksheets[0])
    book.save(tmp_path / "sent.xlsx")
    found = propose(project, tmp_path / "sent.xlsx", tables=["Two=candidates", "responses"])
    assert isinstance(found, Proposal)
    assert set(found.covers) == {"responses", "candidates"}
    said = refusal(lambda: propose(project, tmp_path / "sent.xlsx", tables=["Too=candidates"]))
    assert "--table 'Too=candidates': is not about a sheet of these files; did you mean 'Two'?" in said


# ---------------------------------------------------------------- Rejects name what was sent


def test_rejects_name_the_file_sheet_and_row_that_were_sent(project: Project, tmp_path: Path, send: Send) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Nov"
    for row in (["Police"], [], RESPONSES.split(","), ["R1", "11/2/23", "DV", "SE"], [], ["R2", "11/3/23", "Xx", "SE"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "sent.xlsx")
    other = send(RESPONSES, "R3,11/4/23,Yy,SE", name="more.csv")
    proposal_of(project, tmp_path / "sent.xlsx", other, accept=True)
    rejects = check_project(project).rejects
    assert rejects[["id", "sent_file", "sent_sheet", "sent_row"]].to_numpy().tolist() == [
        ["R2", "sent.xlsx", "Nov", "6"],
        ["R3", "more.csv", "", "2"],
    ]


def test_a_row_that_a_snapshot_repeats_is_a_duplicate_and_the_counts_balance(project: Project, send: Send) -> None:
    project = snapshot(project)
    sent = send(RESPONSES, "R1,11/2/23,DV,SE", "R1,11/2/23,DV,SE", "R2,11/3/23,DV,SE")
    assert changes(proposal_of(project, sent, accept=True)) == {"rows": 3, "new": 2, "unchanged": 1}
    again = send(RESPONSES, "R2,11/3/23,DV,SE", "R2,11/3/23,DV,SE", name="again.csv")
    found = changes(proposal_of(project, again, received="2023-12-05"))
    assert found == {"rows": 2, "unchanged": 2, "withdrawn": 1}


# ---------------------------------------------------------------- What one wrong row must not do


@pytest.mark.parametrize("day", ["see file", "2032-10-05", "9999-12-31"])
def test_a_day_that_is_wrong_covers_no_month(project: Project, send: Send, day: str) -> None:
    sent = send(RESPONSES, "R1,10/2/23,DV,SE", f"R2,{day},DV,SE")
    assert proposal_of(project, sent).covers == {"responses": dt.date(2023, 10, 31)}
    only = send(RESPONSES, f"R2,{day},DV,SE", name="only.csv")
    found = proposal_of(project, only)
    assert found.covers["responses"] < project.program.identity.records_from
    assert list(found.coverage()) == ["responses: nothing, because none of its rows count"]


def test_a_row_in_quarantine_covers_no_month_and_it_is_said(project: Project, send: Send) -> None:
    sent = send(RESPONSES, "R1,10/2/23,DV,SE", "R2,11/29/23,Flood,SE")
    found = proposal_of(project, sent, accept=True)
    assert found.covers == {"responses": dt.date(2023, 10, 31)}
    assert any(
        "in quarantine have later dates, until 2023-11-29" in one and "add --covers-until responses=2023-11-29." in one
        for one in found.warnings
    )
    (delivery,) = find_deliveries(project)
    assert delivery.covers == found.covers
    whole = proposal_of(project, send(RESPONSES, "R3,10/2/23,DV,SE", "R4,11/29/23,DV,SE", name="whole.csv"))
    assert whole.covers == {"responses": dt.date(2023, 11, 30)}
    assert not [one for one in whole.warnings if "in quarantine" in one]


def test_a_table_whose_newest_record_is_old_is_reported_beside_a_new_one(project: Project, send: Send) -> None:
    old = send(RESPONSES, "R1,9/2/23,DV,SE")
    new = send("review_id,review_date,incidents_reviewed,persons_identified", "W1,11/2/23,3,1", name="reviews.csv")
    found = proposal_of(project, old, new)
    assert any("The newest record of responses is of 2023-09-02" in warning for warning in found.warnings)


def test_rows_of_a_table_without_an_id_that_came_before_are_reported(project: Project, send: Send) -> None:
    project = with_id(project, "row")
    headings = RESPONSES.partition(",")[2]
    proposal_of(project, send(headings, "11/2/23,DV,SE", "11/3/23,DV,SE"), accept=True)
    again = proposal_of(project, send(headings, "11/2/23,DV,SE", "11/4/23,DV,SE", name="more.csv"))
    assert any(
        "1 row of responses is identical to earlier rows, and would be counted again" in one for one in again.warnings
    )


def test_voids_without_the_optional_columns_are_imported(project: Project, send: Send) -> None:
    proposal_of(project, send(RESPONSES, "R1,11/2/23,DV,SE"), accept=True)
    voids = send("void_id,voided_date,voided_table,voided_id", "V1,12/5/23,responses,R1", name="voids.csv")
    found = proposal_of(project, voids, received="2023-12-05")
    assert "read as voids" in "\n".join(found.summary())
