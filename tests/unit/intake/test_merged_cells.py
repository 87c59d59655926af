"""Merged cells of a workbook."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.exports import CLEAN, RESPONSES, REVIEWS, ROW, refusal, taken
from viputils.config.program import Program
from viputils.intake.sheet import Sheet


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


def test_a_count_that_is_merged_over_several_lines_is_refused(program: Program, workbook: Callable[..., Sheet]) -> None:
    """Whether 3 is the count of each review, or of both, cannot be known."""
    rows = [["W1", "8/1/23", 3, None, 1], ["W2", "8/8/23", None, None, 1]]
    given = workbook(REVIEWS, *rows, change=lambda book: book.worksheets[0].merge_cells("C2:C3"))
    assert "cell C2:C3: is merged over 2 lines and has one count (3)" in refusal(lambda: taken(program, given))


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
