"""What agencies' sheets say in this program's words: dates, headings, and which rows are records."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from viputils.config.program import Column, Intake, Program, Table
from viputils.core.errors import DeliveryError, IntakeError
from viputils.intake.dates import read_day
from viputils.intake.exports import Export, Tally, match_sheet, rows_of
from viputils.intake.sheet import Sheet
from viputils.intake.sheets import read_sheets

RESPONSES = ["Case Number", "Incident date", "Type of incident", "Area Cmd"]
ROW = ["R1", "8/27/23", "DV", "SE"]
CLEAN = ["R1", "2023-08-27", "DV", "SE"]

MakeSheet = Callable[..., Sheet]


@pytest.fixture
def sheet(tmp_path: Path) -> MakeSheet:
    """Make a sheet of a real CSV file that an agency could send."""

    def make(*rows: list[str], name: str = "export") -> Sheet:
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return read_sheets(path)[0]

    return make


def matched(program: Program, sheet: Sheet, table: str | None = None) -> Export:
    export = match_sheet(program, sheet, table)
    assert export is not None
    return export


def taken(program: Program, sheet: Sheet, table: str | None = None) -> tuple[list[list[str]], Tally]:
    tally = Tally()
    return list(rows_of(matched(program, sheet, table), program.intake, tally)), tally


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(IntakeError) as refused:
        call()
    assert refused.value.problems
    return str(refused.value)


# ---------------------------------------------------------------- Dates


@pytest.mark.parametrize(
    ("text", "month_first", "day_first"),
    [
        ("2023-08-09", "2023-08-09", "2023-08-09"),
        ("2023/8/9", "2023-08-09", "2023-08-09"),
        ("2023.08.09", "2023-08-09", "2023-08-09"),
        ("20230809", "2023-08-09", "2023-08-09"),
        ("8/9/2023", "2023-08-09", "2023-09-08"),
        ("08-09-2023", "2023-08-09", "2023-09-08"),
        ("8.9.2023", "2023-08-09", "2023-09-08"),
        ("8/27/06", "2006-08-27", None),
        ("27/8/06", None, "2006-08-27"),
        ("1/1/68", "2068-01-01", "2068-01-01"),
        ("1/1/69", "1969-01-01", "1969-01-01"),
        ("27-Aug-06", "2006-08-27", "2006-08-27"),
        ("27 August 2006", "2006-08-27", "2006-08-27"),
        ("27 Aug. 2006", "2006-08-27", "2006-08-27"),
        ("9 Sept 2023", "2023-09-09", "2023-09-09"),
        ("August 27, 2006", "2006-08-27", "2006-08-27"),
        ("AUG 27 2006", "2006-08-27", "2006-08-27"),
        ("May 1, 2023", "2023-05-01", "2023-05-01"),
        ("45291", "2023-12-31", "2023-12-31"),
        ("45291.726", "2023-12-31", "2023-12-31"),
        ("20000", "1954-10-03", "1954-10-03"),
        ("2023/12/31 17:25:00", "2023-12-31", "2023-12-31"),
        ("2023-12-31T17:25:00.000", "2023-12-31", "2023-12-31"),
        ("12/31/2023 5:25 PM", "2023-12-31", None),
        ("12/31/2023 5:25:00 p.m.", "2023-12-31", None),
        ("2/29/2024", "2024-02-29", None),
        # A day that depends on a time zone is not known.
        ("2023-12-31T17:25:00Z", None, None),
        ("2023-12-31 17:25:00+00:00", None, None),
        ("2023-12-31 17:25:00-07", None, None),
        ("2023-12-31 17:25 MST", None, None),
        # No date at all.
        ("", None, None),
        ("2/29/2023", None, None),
        ("13/13/2023", None, None),
        ("0/0/00", None, None),
        ("2023-8/9", None, None),
        ("8/9", None, None),
        ("8/9/203", None, None),
        ("19999", None, None),
        ("99999", None, None),
        ("1234", None, None),
        ("2023-12-31 99:99", None, None),
        ("2023-12-31 24:00", None, None),
        ("31 Foo 2023", None, None),
        ("31 Marc4 2023", None, None),
        ("31 Marsh 2023", None, None),
        ("yesterday", None, None),
        ("-1", None, None),
        ("1e5", None, None),
        ("17:25", None, None),
    ],
)
def test_a_date_is_read_in_the_order_that_the_program_says_and_nonsense_is_not_read(
    text: str, month_first: str | None, day_first: str | None
) -> None:
    assert read_day(text, "month first") == month_first
    assert read_day(text, "day first") == day_first


FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %B %Y", "%d-%b-%Y", "%B %d, %Y", "%b %d %Y")
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S%p")


@given(
    st.datetimes(dt.datetime(1969, 1, 1), dt.datetime(2068, 12, 31)),  # noqa: DTZ001
    st.sampled_from(FORMS),
    st.sampled_from(TIMES),
    st.sampled_from(["month first", "day first"]),
)
def test_a_date_in_any_form_that_says_which_is_the_month_reads_back(
    moment: dt.datetime, form: str, time: str, order: str
) -> None:
    assert read_day(moment.strftime(form + time), order) == moment.date().isoformat()


@given(st.dates(dt.date(1969, 1, 1), dt.date(2068, 12, 31)), st.sampled_from("-/."), st.sampled_from("yY"))
def test_a_date_in_figures_reads_back_in_its_own_order(day: dt.date, mark: str, year: str) -> None:
    for order, form in (("month first", ("%m", "%d")), ("day first", ("%d", "%m"))):
        assert read_day(day.strftime(mark.join([*form, f"%{year}"])), order) == day.isoformat()


@given(st.dates(dt.date(1955, 1, 1), dt.date(2118, 12, 31)), st.floats(0, 0.99999))
def test_a_serial_of_excel_reads_back(day: dt.date, part: float) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    assert read_day(str(serial), "month first") == day.isoformat()
    assert read_day(f"{serial + part:.5f}", "month first") == day.isoformat()


@given(st.text(max_size=30))
@example("٢٠٢٣-١٢-٣١")
@example("2023-12-31\n")
def test_what_is_read_is_a_date_and_nothing_crashes(text: str) -> None:
    if (day := read_day(text, "month first")) is not None:
        assert dt.date.fromisoformat(day).isoformat() == day


# ---------------------------------------------------------------- Headings


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
    assert (tally.read, tally.above, tally.headings, tally.taken, tally.blank) == (7, 3, 2, 2, 0)
    assert list(tally.lines) == [5, 7]


def test_every_column_without_a_heading_is_said_with_the_nearest_one(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Case Number", "Resp. date", "Incident typ", "Area"], ROW)))
    assert "export.csv, line 1: no heading stands for 'response_date'" in said
    assert "did you mean 'Resp. date'? Headings that stand for nothing: 'Resp. date', 'Incident typ'." in said
    assert "no heading stands for 'incident_type' of responses; did you mean 'Incident typ'?" in said
    assert "[intake.headings.responses]\n      incident_type = [" in said


def test_a_column_that_stands_there_twice_is_refused_with_both_places(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet([*RESPONSES, "Response date"], [*ROW, "8/27/23"])))
    assert "'response_date' of responses stands there more than once" in said
    assert "'Incident date' (column 2) and 'Response date' (column 5)" in said


def test_a_sheet_of_something_else_is_refused_with_what_is_known(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Name", "Phone"], ["Jane", "555"])))
    assert "line 1: has no heading that this program knows. Its headings: 'Name', 'Phone'" in said
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
        "- letter.csv: does not look like a table: no line has headings, and its lines are not divided into the same "
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
        assert "no heading stands for 'kind' of outreach" in said
        assert "Headings that stand for nothing: 'Type'" in said
        assert "say which with --table" in said


def test_a_sheet_is_held_to_be_the_table_that_it_is_named_for(program: Program, sheet: MakeSheet) -> None:
    said = refusal(lambda: match_sheet(program, sheet(["Referral No", "Date", "Case Number"], name="referrals 2023")))
    assert "no heading stands for 'service' of referrals" in said
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


# ---------------------------------------------------------------- Rows


def test_counts_dates_and_blanks_are_tidied_and_everything_else_stays(program: Program, sheet: MakeSheet) -> None:
    header = ["operation_id", "Date", "Area", "kind", "Case Number", "Adults", "Children"]
    given = sheet(
        header,
        [" O1 ", "8/27/23 ", "South  East", "D2D", "", "1,234.00", "2.0"],
        ["O2", "08/2023", "SE", "D2D", "=1+1", "1.5", "two"],
        ["O3", "45000", "-", "@x", "007", "1,2", "-1"],
    )
    assert taken(program, given)[0] == [
        ["O1", "2023-08-27", "South East", "D2D", "", "1234", "2"],
        ["O2", "08/2023", "SE", "D2D", "=1+1", "1.5", "two"],
        ["O3", "2023-03-15", "-", "@x", "007", "1,2", "-1"],
    ]


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
    assert (tally.read, tally.taken, tally.blank, list(tally.others)) == (7, 1, 3, [4, 6])
    assert str(tally) == "7 rows = 1 taken + 1 of headings + 3 blank + 2 no records"


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


# ---------------------------------------------------------------- What a cell shows


Cell = str | int | float | dt.datetime | None


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Sheet]:
    """Make a sheet of a real workbook, changed by ``change`` before it is saved."""

    def make(*rows: list[Cell], change: Callable[[openpyxl.Workbook], None] = lambda _: None) -> Sheet:
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        change(book)
        book.save(tmp_path / "export.xlsx")
        return read_sheets(tmp_path / "export.xlsx")[0]

    return make


def test_a_merged_cell_has_its_value_in_each_of_its_lines(program: Program, workbook: Callable[..., Sheet]) -> None:
    """Excel shows Southeast beside three records, and nothing beside the last."""
    rows = [["R1", "8/1/23", "DV", "SE"], ["R2", "8/2/23", "DV"], ["R3", "8/3/23", "DV"], ["R4", "8/4/23", "DV", None]]
    given = workbook(RESPONSES, *rows, change=lambda book: book.worksheets[0].merge_cells("D2:D4"))
    assert [row[3] for row in taken(program, given)[0]] == ["SE", "SE", "SE", ""]


def test_a_blank_line_within_merged_cells_is_blank(program: Program, workbook: Callable[..., Sheet]) -> None:
    rows = [["R1", "8/1/23", "DV", "SE"], [], ["R3", "8/3/23", "DV"]]
    given = workbook(RESPONSES, *rows, change=lambda book: book.worksheets[0].merge_cells("D2:D4"))
    found, tally = taken(program, given)
    assert [(row[0], row[3]) for row in found] == [("R1", "SE"), ("R3", "SE")]
    assert (tally.blank, tally.others) == (1, {})


def test_headings_that_are_merged_over_two_lines_are_headings(program: Program, workbook: Callable[..., Sheet]) -> None:
    given = workbook(RESPONSES, [], ROW, change=lambda book: book.worksheets[0].merge_cells("A1:A2"))
    rows, tally = taken(program, given)
    assert (rows, tally.headings, tally.blank) == ([CLEAN], 2, 0)


REVIEWS = ["review_id", "review_date", "Incidents reviewed", "", "Persons identified"]


def test_a_heading_that_is_merged_over_several_columns_is_refused(
    program: Program, workbook: Callable[..., Sheet]
) -> None:
    """Which of the two columns is meant, or whether both are, cannot be known."""
    given = workbook(REVIEWS, ["W1", "8/1/23", 3, 2, 1], change=lambda book: book.worksheets[0].merge_cells("C1:D1"))
    said = refusal(lambda: match_sheet(program, given))
    assert "cell C1:D1: the heading 'Incidents reviewed' of 'incidents_reviewed' is merged over 2 columns" in said


def test_a_count_that_is_merged_over_several_lines_is_refused(program: Program, workbook: Callable[..., Sheet]) -> None:
    """Whether 3 is the count of each review, or of both, cannot be known."""
    rows = [["W1", "8/1/23", 3, None, 1], ["W2", "8/8/23", None, None, 1]]
    given = workbook(REVIEWS, *rows, change=lambda book: book.worksheets[0].merge_cells("C2:C3"))
    assert "cell C2:C3: is merged, and has one count (3) for 2 lines" in refusal(lambda: taken(program, given))


def test_a_column_with_values_and_no_heading_is_named(program: Program, sheet: MakeSheet) -> None:
    _, tally = taken(program, sheet(REVIEWS, ["W1", "8/1/23", "3", "2", "1"], ["W2", "8/8/23", "4", "", "1"]))
    (warning,) = tally.warnings
    assert "column D, right of 'Incidents reviewed', has no heading, so its 1 value is not taken" in warning


def test_days_are_counted_from_1904_in_cells_without_a_date_format(
    program: Program, workbook: Callable[..., Sheet]
) -> None:
    """Of the days since January 1, 1904, the 44,504th is November 5, 2025."""
    rows = [["R1", 44504, "DV", "SE"], ["R2", "8/1/23", "DV", "SE"]]

    def from_1904(book: openpyxl.Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    assert [row[1] for row in taken(program, workbook(RESPONSES, *rows, change=from_1904))[0]] == [
        (dt.date(1904, 1, 1) + dt.timedelta(days=44504)).isoformat(),
        "2023-08-01",
    ]


@pytest.mark.parametrize("code", ['="00123"', '="R-1"'])
def test_a_code_that_excel_is_told_to_keep_as_text_is_that_text(program: Program, sheet: MakeSheet, code: str) -> None:
    rows, _ = taken(program, sheet(RESPONSES, [code, *ROW[1:]]))
    assert rows[0][0] == code[2:-1]


# ---------------------------------------------------------------- What a spreadsheet has changed


@pytest.mark.parametrize("code", ["1.23457E+15", "1.2E+03", "2E+16"])
def test_a_code_of_which_a_spreadsheet_has_lost_digits_is_refused(
    program: Program, sheet: MakeSheet, code: str
) -> None:
    said = refusal(lambda: taken(program, sheet(RESPONSES, ROW, [code, *ROW[1:]])))
    assert f"line 3: '{code}' is a number of which a spreadsheet has lost digits" in said


def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_refused(
    program: Program, workbook: Callable[..., Sheet]
) -> None:
    given = workbook(RESPONSES, [20231105000123456, *ROW[1:]])
    assert "is a number of which a spreadsheet has lost digits" in refusal(lambda: taken(program, given))
    assert taken(program, workbook(RESPONSES, ["20231105000123456", *ROW[1:]]))[0][0][0] == "20231105000123456"


def test_long_codes_that_all_end_in_zeros_are_refused(program: Program, sheet: MakeSheet) -> None:
    rounded = [["202311050001200", *ROW[1:]], ["2023110500012300", *ROW[1:]], ["20231105000124000", *ROW[1:]]]
    assert "ends in zeros" in refusal(lambda: taken(program, sheet(RESPONSES, *rounded)))
    assert len(taken(program, sheet(RESPONSES, *rounded, ["2023110500012345", *ROW[1:]]))[0]) == 4


@pytest.mark.parametrize("code", ["12-Mar", "Mar-12", "3-Dec-24"])
def test_a_code_that_a_spreadsheet_has_made_a_date_is_refused(program: Program, sheet: MakeSheet, code: str) -> None:
    said = refusal(lambda: taken(program, sheet(RESPONSES, ROW, [code, *ROW[1:]])))
    assert f"line 3: '{code}' is a date, which a spreadsheet makes of a code such as 3-12" in said
    assert taken(program, sheet(RESPONSES, [code, *ROW[1:]]))[0][0][0] == code


def test_a_date_in_a_column_of_codes_of_a_workbook_is_refused(program: Program, workbook: Callable[..., Sheet]) -> None:
    given = workbook(RESPONSES, ROW, [dt.datetime(2023, 3, 12), *ROW[1:]])  # noqa: DTZ001
    assert "line 3: '2023-03-12' is a date" in refusal(lambda: taken(program, given))


# ---------------------------------------------------------------- Order and zone of dates


def test_a_column_of_dates_in_the_other_order_is_refused_once_with_counts(program: Program, sheet: MakeSheet) -> None:
    rows = [["R1", "8/9/2023", "DV", "SE"], ["R2", "27/8/2023", "DV", "SE"], ["R3", "31/8/2023", "DV", "SE"]]
    said = refusal(lambda: taken(program, sheet(RESPONSES, *rows)))
    assert said.count("fits another order") == 1
    assert "2 of its dates can only be read day first, and none only month first" in said
    assert '[intake]\n      date_order = "day first"' in said


def dates(program: Program, sheet: MakeSheet, *days: str) -> Tally:
    return taken(program, sheet(RESPONSES, *([f"R{number}", day, "DV", "SE"] for number, day in enumerate(days))))[1]


def test_dates_that_fit_both_orders_are_counted_with_the_months_that_they_were_read_as(
    program: Program, sheet: MakeSheet
) -> None:
    (found,) = dates(program, sheet, "01/12/2023", "02/12/2023", "07/12/2023", "05/05/2023").either
    assert str(found) == (
        "export.csv, 'Incident date': 3 dates fit both orders, such as '01/12/2023' (2023-01-12, or 2023-12-01). They "
        "were read month first (intake.date_order), so as days of 2023-01 to 2023-07; day first it would be "
        "2023-12."
    )
    assert dates(program, sheet, "01/12/2023", "01/13/2023").either == []
    assert dates(program, sheet, "2023-12-01", "5/5/23").either == []


@pytest.mark.parametrize(
    ("days", "doubtful"),
    [
        (["01/12/2023", "07/12/2023"], True),  # scattered as read, and the newest month the other way round
        (["03/08/2023", "05/09/2023"], True),  # nearer the other way round
        (["12/11/2023"], True),  # has not come yet as read
        (["12/1/2023", "12/7/2023"], False),  # one month as read
        (["10/2/2023", "11/2/2023"], False),  # one month the other way round, and long ago
        (["10/3/2023", "11/5/2023"], False),
        (["3/8/2023", "5/12/2023", "1/12/2024"], False),  # not come yet the other way round
    ],
)
def test_dates_are_in_doubt_if_the_other_order_fits_the_day_of_receipt_better(
    program: Program, sheet: MakeSheet, days: list[str], doubtful: bool
) -> None:
    (found,) = dates(program, sheet, *days).either
    assert found.is_doubtful(dt.date(2023, 12, 8)) is doubtful


def test_dates_of_both_orders_in_a_column_are_reported(program: Program, sheet: MakeSheet) -> None:
    _, tally = taken(program, sheet(RESPONSES, ROW, ["R2", "27/8/2023", "DV", "SE"]))
    assert "1 dates can only be read month first and 1 only the other way round" in tally.warnings[0]


def test_times_with_a_zone_are_refused_until_program_toml_says_what_the_zone_means(
    program: Program, sheet: MakeSheet
) -> None:
    given = sheet(RESPONSES, ["R1", "2023-11-30 23:30:00-07", "DV", "SE"], ["R2", "2023-12-01T02:00:00Z", "DV", "SE"])
    said = refusal(lambda: taken(program, given))
    assert "has 2 times with a zone, such as '2023-11-30 23:30:00-07' in line 2" in said
    assert '[intake]\n      time_zone = "as written"' in said
    for zone, days in (
        ("as written", ["2023-11-30", "2023-12-01"]),
        ("America/Denver", ["2023-11-30", "2023-11-30"]),
        ("UTC", ["2023-12-01", "2023-12-01"]),
    ):
        intake = program.intake.model_copy(update={"time_zone": zone})
        found = list(rows_of(matched(program, given), intake, Tally()))
        assert [row[1] for row in found] == days


# ---------------------------------------------------------------- Ids that intake makes


def with_id(program: Program, identity: str | list[str], **columns: str) -> Program:
    table = program.tables["responses"]
    rules = {**{name: Column(type="code") for name in columns}, **table.columns}
    given = {**table.model_dump(), "id": identity, "columns": {name: rule.model_dump() for name, rule in rules.items()}}
    return program.model_copy(update={"tables": {**program.tables, "responses": Table.model_validate(given)}})


def test_times_that_are_converted_are_counted_and_so_are_the_days_that_change(
    program: Program, sheet: MakeSheet
) -> None:
    in_denver = program.model_copy(update={"intake": program.intake.model_copy(update={"time_zone": "America/Denver"})})
    days = ["2023-12-01T05:00:00Z", "2023-11-30T20:00:00Z", "2023-11-30"]
    assert dates(in_denver, sheet, *days).notes == [
        "export.csv, 'Incident date': 2 times converted to America/Denver (intake.time_zone); 1 day changed, "
        "such as '2023-12-01T05:00:00Z' in line 2, which is 2023-11-30 here"
    ]
    assert dates(in_denver, sheet, *days[1:]).notes[0].endswith("(intake.time_zone); no day changed")
    as_written = program.model_copy(update={"intake": program.intake.model_copy(update={"time_zone": "as written"})})
    assert dates(as_written, sheet, *days).notes == [
        "export.csv, 'Incident date': 2 times with a zone, read as written (intake.time_zone)"
    ]
    assert dates(program, sheet, "2023-11-30 20:00").notes == []


def test_an_id_of_several_columns_is_joined(program: Program, sheet: MakeSheet) -> None:
    joined = with_id(program, ["case", "response_date"], case="code")
    given = sheet(["Case", *RESPONSES[1:]], ["0001", *ROW[1:]], ["0001", "8/28/23", "DV", "SE"], ["", *ROW[1:]])
    rows, _ = taken(joined, given, "responses")
    assert [row[0] for row in rows] == ["0001--2023-08-27", "0001--2023-08-28", ""]


def test_a_table_without_an_id_needs_no_heading_for_it(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(with_id(program, "row"), sheet(RESPONSES[1:], ROW[1:], ROW[1:]))
    assert rows == [["", *CLEAN[1:]]] * 2


def test_every_row_with_another_number_of_cells_is_named(program: Program, sheet: MakeSheet) -> None:
    given = sheet([*RESPONSES, ""], ROW, ["R2", "8/1/23", "DV"], [*ROW, "", ""], [*ROW, "", "Jane Doe"], ["R3", "x"])
    said = refusal(lambda: taken(program, given))
    assert "export.csv, line 3: holds 3 cells where there are 4 headings" in said
    assert "line 5: holds 6 cells" in said
    assert "line 6: holds 2 cells" in said
    assert "line 4" not in said
    assert "Jane" not in said


def test_of_very_many_wrong_rows_the_number_is_said(program: Program, sheet: MakeSheet) -> None:
    with pytest.raises(IntakeError) as refused:
        taken(program, sheet(RESPONSES, *[["R2", "8/1/23"]] * 3_000))
    assert len(refused.value.problems) == 1_001
    assert "2,000 more such lines" in str(refused.value.problems[-1])


def test_a_file_that_is_no_csv_further_down_is_refused_with_its_line(program: Program, tmp_path: Path) -> None:
    lines = [",".join(RESPONSES), *[",".join(ROW)] * 200, 'R2,"8/1/23,DV,SE']
    (tmp_path / "export.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DeliveryError) as refused:
        taken(program, read_sheets(tmp_path / "export.csv")[0])
    assert "export.csv, line 202" in str(refused.value)


def test_rows_of_a_workbook_are_named_by_sheet_and_row(program: Program, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Nov"
    for row in (["Police"], [], RESPONSES, ["R1", dt.datetime(2023, 8, 27, 17, 25), "DV", True], ["Total", 1]):  # noqa: DTZ001
        book.worksheets[0].append(row)
    book.worksheets[0].append(["R2", 45165.5, "DV", "SE", "beside the table"])
    book.save(tmp_path / "export.xlsx")
    said = refusal(lambda: taken(program, read_sheets(tmp_path / "export.xlsx")[0]))
    assert "export.xlsx, sheet 'Nov', line 6: holds 5 cells where there are 4 headings" in said
    del book.worksheets[0]["E6"]
    book.save(tmp_path / "export.xlsx")
    rows, _ = taken(program, read_sheets(tmp_path / "export.xlsx")[0])
    assert rows == [["R1", "2023-08-27", "DV", "yes"], ["R2", "2023-08-27", "DV", "SE"]]


def test_a_cell_that_no_csv_file_can_hold_is_named_by_its_column(program: Program, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (RESPONSES, ["R1", "8/27/23", "a_x0000_b", "SE"], [*ROW[:3], "x" * 32_000]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "export.xlsx")
    said = refusal(lambda: taken(program, read_sheets(tmp_path / "export.xlsx")[0]))
    assert "export.xlsx, sheet 'Sheet', line 2, 'Type of incident': holds a NUL character" in said
    assert "line 3" not in said
    (tmp_path / "export.csv").write_text(f"{','.join(RESPONSES)}\nR1,8/27/23,{'x' * 120_000},SE\n", encoding="utf-8")
    said = refusal(lambda: taken(program, read_sheets(tmp_path / "export.csv")[0]))
    assert "export.csv, line 2, 'Type of incident': holds 120,000 characters" in said


# ---------------------------------------------------------------- A workbook and a CSV file of the same export


DAYS = st.datetimes(dt.datetime(2022, 7, 1), dt.datetime(2023, 12, 31, 23, 59, 59, 999000))  # noqa: DTZ001
MILLISECONDS = DAYS.map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
EXPORTS = st.lists(
    st.tuples(st.integers(1, 99_999), MILLISECONDS, st.sampled_from(["DV", "Homicide", "NULL", ""]), st.booleans()),
    min_size=1,
    max_size=5,
)


@given(EXPORTS, st.sampled_from(["0", "00000", "000-000", '"R-"00000']))
def test_a_workbook_and_a_csv_file_of_the_same_export_give_the_same_rows(
    program: Program,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, dt.datetime, str, bool]],
    shape: str,
) -> None:
    """The CSV file has what Excel shows: the id by its number format, the moment to the millisecond."""
    folder = tmp_path_factory.mktemp("exports")
    book = openpyxl.Workbook()
    book.worksheets[0].append(RESPONSES)
    with (folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(RESPONSES)
        for line, (number, moment, kind, in_southeast) in enumerate(rows, start=2):
            area = "SE" if in_southeast else ""
            book.worksheets[0].append([number, moment, kind, area])
            book.worksheets[0].cell(line, 1).number_format = shape
            book.worksheets[0].cell(line, 2).number_format = "yyyy-mm-dd hh:mm:ss.000"
            digits = f"{number:0{shape.count('0')}}"
            shown = {"000-000": f"{digits[:-3]}-{digits[-3:]}", '"R-"00000': f"R-{digits}"}.get(shape, digits)
            writer.writerow([shown, f"{moment:%m/%d/%Y %H:%M:%S}.{moment.microsecond // 1000:03}", kind, area])
    book.save(folder / "export.xlsx")
    of_workbook, of_text = (taken(program, read_sheets(folder / f"export.{end}")[0])[0] for end in ("xlsx", "csv"))
    assert of_workbook == of_text


# ---------------------------------------------------------------- Records that look like something else


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


def test_a_title_that_is_merged_beside_the_records_takes_none_of_them(
    program: Program, workbook: Callable[..., Sheet]
) -> None:
    rows = [[None, f"R{n}", f"8/{n}/23", "DV", "SE"] for n in range(1, 4)]
    given = workbook(["VIP 2023", *RESPONSES], *rows, change=lambda book: book.worksheets[0].merge_cells("A1:A4"))
    assert [row[0] for row in taken(program, given)[0]] == ["R1", "R2", "R3"]


def test_a_heading_that_is_merged_with_records_is_refused(program: Program, workbook: Callable[..., Sheet]) -> None:
    given = workbook(RESPONSES, ROW[:3], ROW[:3], change=lambda book: book.worksheets[0].merge_cells("D1:D3"))
    said = refusal(lambda: taken(program, given))
    assert "cell D1:D3: is a heading that is merged with cells of records" in said


def test_case_numbers_that_could_be_days_are_case_numbers(program: Program, workbook: Callable[..., Sheet]) -> None:
    numbers = ["2023-11-01", "2023-11-02", "2023-11-99", "2023-11-100"]
    assert [row[0] for row in taken(program, workbook(RESPONSES, *[[n, *ROW[1:]] for n in numbers]))[0]] == numbers


def test_a_count_that_may_be_a_thousand_is_left_for_the_quarantine(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(program, sheet([*REVIEWS[:3], REVIEWS[4]], ["W1", "8/1/23", "1.000", "2.0"]))
    assert rows == [["W1", "2023-08-01", "1.000", "2"]]


def test_marks_in_remarks_do_not_divide_a_file(program: Program, sheet: MakeSheet) -> None:
    remarks = "a; b; c; d; e; f; g"
    rows, _ = taken(program, sheet([*RESPONSES, "Remarks"], *[[f"R{n}", *ROW[1:], remarks] for n in range(4)]))
    assert len(rows) == 4
