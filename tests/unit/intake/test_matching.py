"""Which table a sheet contains, and which of its columns is which."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.exports import CLEAN, RESPONSES, REVIEWS, ROW, MakeSheet, matched, refusal, taken
from viputils.config.program import Intake, Program
from viputils.intake.matching import match_sheet
from viputils.intake.sheet import Sheet
from viputils.intake.sheets import read_sheets


def test_headings_are_matched_whatever_their_order_case_and_marks(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(program, sheet(["AREA_CMD", " type  of incident:", "", "Case-Number", "Incident\ndate"],
                                   ["SE", "DV", "x", "R1", "8/27/23"]))  # fmt: skip
    assert rows == [CLEAN]


def test_columns_that_stand_for_nothing_are_named_and_not_taken(program: Program, sheet: MakeSheet) -> None:
    given = sheet([*RESPONSES, "Remarks", "Victim name"], [*ROW, "called twice", "John Q. Public"])
    assert matched(program, given).left_out == ["Remarks", "Victim name"]
    assert taken(program, given)[0] == [CLEAN]


def test_headings_stand_below_a_title_and_may_be_repeated(program: Program, sheet: MakeSheet) -> None:
    given = sheet(["Police"], ["Incidents, November"], [], RESPONSES, ROW, ["case number", *RESPONSES[1:]], ROW)
    export = matched(program, given)
    assert (export.heading_line, export.schema.name) == (4, "responses")
    rows, tally = taken(program, given)
    assert rows == [CLEAN, CLEAN]
    assert (tally.read, tally.above, tally.headings, tally.records, tally.blank) == (7, 3, 2, 2, 0)
    assert list(tally.lines) == [5, 7]


def test_every_column_without_a_heading_is_said_with_the_nearest_one(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Case Number", "Resp. date", "Incident typ", "Area"], ROW)))
    assert "export.csv, line 1: no column found for response_date and incident_type of responses;" in said
    assert "Columns not recognized: 'Resp. date', 'Incident typ'." in said
    # One block, because TOML has each table once. No heading is offered for two columns.
    (block,) = re.findall(r"\[intake\.headings\.responses\]\n      (.*)\n      (.*)\n", said)
    assert block[0].startswith("response_date = [")
    assert block[0].endswith('"Resp. date"]')
    assert block[1].startswith("incident_type = [")
    assert block[1].endswith('"Incident typ"]')


def test_a_single_column_without_a_heading_is_said_with_the_nearest_one(program: Program, sheet: MakeSheet) -> None:
    headings = ["Case Number", "Incident date", "Incident typ", "Area Cmd"]
    said = refusal(lambda: match_sheet(program, sheet(headings, ROW)))
    assert "no column found for incident_type of responses; did you mean 'Incident typ'?" in said


def test_a_column_that_stands_there_twice_is_refused_with_both_places(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet([*RESPONSES, "Response date"], [*ROW, "8/27/23"])))
    assert "more than one column found for response_date of responses" in said
    assert "'Incident date' (column 2) and 'Response date' (column 5)" in said


def test_a_sheet_of_something_else_is_refused_with_what_is_known(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Name", "Phone"], ["Jane", "555"])))
    assert "line 1: no column is recognized. Its headings: 'Name', 'Phone'" in said
    assert "responses (response_id, response_date" in said
    assert "Jane" not in said


@pytest.mark.parametrize(
    "letter",
    [
        "Dear colleague,\nplease find below what we know.\nWe had 12 responses, and 3 more.\n\nKind regards,\nJane\n",
        "Nothing happened in November.\n",
        "To whom it may concern:\n\nIn October, November, and December we did a lot.\nMore soon.\n",
    ],
)
def test_a_letter_is_no_table_and_that_is_all_that_is_said_of_it(program: Program, tmp_path: Path, letter: str) -> None:
    path = tmp_path / "letter.csv"
    path.write_text(letter, encoding="utf-8")
    said = refusal(lambda: match_sheet(program, read_sheets(path)[0]))
    assert said.strip() == (
        "- letter.csv: does not look like a table: it has no headings, and its lines have different numbers of "
        "cells; ask for the table as CSV or as an Excel workbook."
    )


def test_a_sheet_without_a_known_heading_is_refused_with_the_nearest_table(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Engagement", "Engaged on", "Candidates", "Services"])))
    assert "the nearest table is engagements" in said


BOTH = ["response_id", "response_date", "incident_type", "area_command",
        "candidate_id", "received_date", "source"]  # fmt: skip


def test_a_sheet_that_fits_two_tables_is_the_one_that_its_name_or_more_columns_say(
    program: Program, sheet: MakeSheet
) -> None:
    assert matched(program, sheet(BOTH)).schema.name == "responses"
    assert matched(program, sheet(BOTH, name="Candidates 2023")).schema.name == "candidates"
    assert matched(program, sheet(BOTH), "candidates").schema.name == "candidates"
    three = [*HEADERS_OF_THREE, *BOTH[4:]]
    said = refusal(lambda: match_sheet(program, sheet(three)))
    assert "could be any of" in said
    assert "--table" in said
    assert matched(program, sheet(three), "candidates").schema.name == "candidates"


# As many columns as candidates have, and one of them more: engagements.
HEADERS_OF_THREE = ["review_id", "review_date", "incidents_reviewed", "persons_identified",
                    "engagement_id", "engaged_date", "service"]  # fmt: skip


def test_a_sheet_of_a_larger_table_is_not_taken_for_a_smaller_one_that_its_headings_fit_too(
    program: Program, sheet: MakeSheet
) -> None:
    headings = ["Operation Number", "Date", "Area", "Type", "Case Number", "Adults", "Children"]
    for name in ("export", "Outreach January"):
        said = refusal(lambda name=name: match_sheet(program, sheet(headings, name=name)))  # type: ignore[misc]
        assert "no column found for kind of outreach" in said
        assert "Columns not recognized: 'Type'" in said
        assert "name it with --table" in said


def test_a_sheet_is_held_to_be_the_table_that_it_is_named_for(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Referral No", "Date", "Case Number"], name="referrals 2023")))
    assert "no column found for service, operation_id, candidate_id of referrals" in said
    assert "candidates" not in said


def test_a_table_that_was_asked_for_must_be_known_and_fit(program: Program, sheet: MakeSheet) -> None:
    assert "did you mean 'responses'?" in refusal(lambda: match_sheet(program, sheet(RESPONSES), "response"))
    assert "of reviews" in refusal(lambda: match_sheet(program, sheet(["review_id"]), "reviews"))


def test_voids_can_come_as_a_sheet(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(
        program, sheet(["Void ID", "voided date", "Voided table", "Voided id"], ["V1", "12/1/23", "x", "R1"])
    )
    assert rows == [["V1", "2023-12-01", "x", "R1", "", "", ""]]


def test_an_empty_sheet_and_one_that_program_toml_names_hold_nothing(program: Program, sheet: MakeSheet) -> None:
    assert match_sheet(program, sheet(["", " "], [])) is None
    assert match_sheet(program, sheet(["Ask Jane"], name="Read me")) is None


def test_a_heading_of_marks_alone_never_stands_for_columns_without_a_heading(
    program: Program, sheet: MakeSheet
) -> None:
    headings = {"responses": {**program.intake.headings["responses"], "response_id": ["#"]}}
    marked = program.model_copy(update={"intake": Intake(headings=headings)})
    rows, _ = taken(marked, sheet(["#", "", *RESPONSES[1:]], ["R1", "x", *ROW[1:]]))
    assert rows == [CLEAN]


def test_a_heading_that_is_merged_over_several_columns_is_refused(
    program: Program, workbook: Callable[..., Sheet]
) -> None:
    """Which of the two columns is meant, or whether both are, cannot be known."""
    given = workbook(REVIEWS, ["W1", "8/1/23", 3, 2, 1], change=lambda book: book.worksheets[0].merge_cells("C1:D1"))
    said = refusal(lambda: match_sheet(program, given))
    assert "cell C1:D1: the heading 'Incidents reviewed' of incidents_reviewed is merged over 2 columns" in said
