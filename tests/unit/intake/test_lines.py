"""Which lines of a sheet are records."""

from __future__ import annotations

import pytest

from tests.support.exports import CLEAN, RESPONSES, REVIEWS, ROW, MakeSheet, taken, with_id
from viputils.config.program import Program


@pytest.mark.parametrize(
    "foot",
    [
        ["Total", "", "93", ""],
        ["", "", "Grand total:", "93"],
        ["Subtotals", "", "1", "2"],
        ["Sum of cases", "93"],
        ["Count", "93", "", "", "", ""],
        ["Exported 12/4/2023 08:15 by somebody"],
        ["", "", "", "page 1 of 1"],
    ],
)
def test_totals_and_remarks_at_the_foot_are_no_records_and_their_lines_are_said(
    program: Program, sheet: MakeSheet, foot: list[str]
) -> None:
    rows, tally = taken(program, sheet(RESPONSES, ROW, [], foot, ["", ""], foot, []))
    assert rows == [CLEAN]
    assert (tally.read, tally.records, tally.blank, list(tally.others)) == (7, 1, 3, [4, 6])
    assert str(tally) == "7 rows = 1 record + 1 heading row + 3 blank + 2 other rows"


@pytest.mark.parametrize(
    "total",
    [
        ["Total", "8/31/2023", "14", "x"],
        ["Subtotal", "8/15/2023", "7", ""],
        ["Grand Total:", "8/31/2023", "", ""],
        ["Total for Southeast", "", "3", ""],
        ["SUB-TOTAL", "8/31/2023", "DV", "SE"],
        ["Gran total", "8/31/2023", "DV", "SE"],
        ["", "8/31/2023", "Total", "14"],
        ["Suma", "31/8/2023", "14", ""],
    ],
)
def test_a_total_is_no_record_with_or_without_a_date_wherever_it_is(
    program: Program, sheet: MakeSheet, total: list[str]
) -> None:
    rows, tally = taken(program, sheet(RESPONSES, total, ROW, total))
    assert rows == [CLEAN]
    assert list(tally.others) == [2, 4]


OUTREACH = ["operation_id", "operation_date", "area_command", "kind", "response_id", "adults_assisted",
            "children_assisted"]  # fmt: skip


def operation(number: int, adults: str, children: str) -> list[str]:
    return [f"O{number}", "2023-11-02", "SE", "HV", "", adults, children]


def test_a_total_without_a_word_is_no_record_if_it_is_the_sum_of_the_rows_above(
    program: Program, sheet: MakeSheet
) -> None:
    rows, tally = taken(
        program,
        sheet(
            OUTREACH,
            operation(1, "1,200", "0"),
            operation(2, "10", "0"),
            ["", "", "", "", "", "1210", "0"],
            operation(3, "5", "1"),
            operation(4, "2", "1"),
            ["", "", "", "", "", "7", "2"],
            ["", "", "", "", "", "1,217", "2"],
            operation(5, "3", "1"),
            operation(6, "3", "1"),
            ["Subtotal", "", "", "", "", "6", "2"],
            operation(7, "3", "1"),
            operation(8, "4", "1"),
            ["", "", "", "", "", "7", ""],
        ),
    )
    assert [row[0] for row in rows] == [f"O{number}" for number in range(1, 9)]
    assert list(tally.others.items()) == [(4, "1210"), (7, "7"), (8, "1,217"), (11, "Subtotal"), (14, "7")]


@pytest.mark.parametrize(
    "row",
    [
        ["", "", "", "", "", "1211", "0"],
        ["", "", "", "", "", "1210", "1"],
        ["", "", "SE", "", "", "1210", "0"],
        ["", "2023-11-30", "", "", "", "1210", "0"],
        ["O9", "", "", "", "", "1210", "0"],
    ],
)
def test_a_row_of_counts_that_may_be_a_record_is_never_left_out(
    program: Program, sheet: MakeSheet, row: list[str]
) -> None:
    given = [operation(1, "1200", "0"), operation(2, "10", "0"), row, operation(3, "1", "1")]
    rows, tally = taken(program, sheet(OUTREACH, *given))
    assert (len(rows), tally.others) == (4, {})
    # One row above is no sum, and neither is nothing.
    rows, tally = taken(program, sheet(OUTREACH, given[0], ["", "", "", "", "", "1200", "0"], given[1]))
    assert (len(rows), tally.others) == (3, {})


@pytest.mark.parametrize("code", ["SUM-1", "Total-17", "TOTAL2023-1", "COUNT-5"])
def test_a_code_that_begins_like_a_total_is_the_code_of_a_record(program: Program, sheet: MakeSheet, code: str) -> None:
    rows, tally = taken(program, sheet(RESPONSES, [code, *ROW[1:]]))
    assert (rows, tally.others) == ([[code, *CLEAN[1:]]], {})


@pytest.mark.parametrize(
    "about",
    [
        ["Report run:", "12/1/2023 8:02 AM", "", ""],
        ["Records:", "2", "", ""],
        ["Records", "2"],
        ["Printed", "", "12/1/2023", ""],
        ["Run by:", "J. Smith", "Unit 4", ""],
        ["Informe generado:", "1/12/2023", "", ""],
        ["Date range: 11/1/2023 to 11/30/2023", "", "", ""],
        ["Page 1 of 3", "", "", ""],
    ],
)
def test_what_a_report_says_about_itself_is_no_record(program: Program, sheet: MakeSheet, about: list[str]) -> None:
    rows, tally = taken(program, sheet(RESPONSES, ROW, about, RESPONSES, ["R2", *ROW[1:]], about))
    assert [row[0] for row in rows] == ["R1", "R2"]
    assert list(tally.others) == [3, 6]


def test_notes_of_any_number_at_the_foot_are_no_records(program: Program, sheet: MakeSheet) -> None:
    rows, tally = taken(program, sheet(RESPONSES, ROW, *[[f"Note {n}: may change.", "", "", ""] for n in range(100)]))
    assert rows == [CLEAN]
    assert list(tally.others) == list(range(3, 103))


def test_a_record_of_which_only_the_id_came_is_a_row_that_is_wrong(program: Program, sheet: MakeSheet) -> None:
    rows, tally = taken(program, sheet(RESPONSES, ROW, ["R2", "", "", ""]))
    assert [row[0] for row in rows] == ["R1", "R2"]
    assert not tally.others


def test_a_record_whose_date_cannot_be_read_is_never_taken_for_a_note(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(program, sheet(RESPONSES, ROW, ["R2", "11/31/2023", "DV", ""], ["R3", "soon", "", ""]))
    assert [row[:2] for row in rows] == [CLEAN[:2], ["R2", "11/31/2023"], ["R3", "soon"]]


def test_a_column_with_values_and_no_heading_is_named(program: Program, sheet: MakeSheet) -> None:
    _, tally = taken(program, sheet(REVIEWS, ["W1", "8/1/23", "3", "2", "1"], ["W2", "8/8/23", "4", "", "1"]))
    (warning,) = tally.warnings
    assert "column D, right of 'Incidents reviewed', has no heading, so its 1 value is not imported" in warning


@pytest.mark.parametrize(
    "row",
    [
        ["RUN-0441", "11/5/2023", "", ""],
        ["Report-12", "11/5/2023", "", ""],
        ["TOTAL7", "11/5/2023", "DV", "SE"],
    ],
)
def test_a_row_with_a_code_is_a_record_whatever_word_the_code_begins_with(
    program: Program, sheet: MakeSheet, row: list[str]
) -> None:
    rows, tally = taken(program, sheet(RESPONSES, ROW, row))
    assert [one[0] for one in rows] == ["R1", row[0]]
    assert not tally.others


def test_a_whole_row_without_an_id_column_is_a_record_whatever_its_first_cell_says(
    program: Program, sheet: MakeSheet
) -> None:
    headings = ["Agency", "Incident date", "Type of incident", "Area Cmd"]
    given = sheet(headings, ["Total Community Action", "8/27/23", "DV", "SE"], ["", "8/28/23", "", ""])
    rows, tally = taken(with_id(program, "row"), given, "responses")
    assert [row[1] for row in rows] == ["2023-08-27", "2023-08-28"]
    assert not tally.others


@pytest.mark.parametrize("total", ["SE Total", "SE Count", "Grand Count", "Southeast total"])
def test_a_subtotal_that_excel_inserts_is_no_record(program: Program, sheet: MakeSheet, total: str) -> None:
    rows, tally = taken(program, sheet(RESPONSES, ROW, ["", "", "", total], ["", "", total, "12"]))
    assert (rows, list(tally.others)) == ([CLEAN], [3, 4])


def test_a_dated_total_is_no_record_of_a_table_without_an_id(program: Program, sheet: MakeSheet) -> None:
    rows, tally = taken(with_id(program, "row"), sheet(RESPONSES[1:], ROW[1:], ["8/31/23", "Total", ""]), "responses")
    assert (len(rows), list(tally.others)) == (1, [3])
