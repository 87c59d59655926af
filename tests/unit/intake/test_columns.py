"""Codes and counts, and what a spreadsheet does to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from tests.support.exports import RESPONSES, REVIEWS, ROW, MakeSheet, refusal, taken
from viputils.config.program import Program
from viputils.intake.sheet import Sheet


@pytest.mark.parametrize("code", ['="00123"', '="R-1"'])
def test_a_code_that_excel_is_told_to_keep_as_text_is_that_text(program: Program, sheet: MakeSheet, code: str) -> None:
    rows, _ = taken(program, sheet(RESPONSES, [code, *ROW[1:]]))
    assert rows[0][0] == code[2:-1]


@pytest.mark.parametrize("code", ["1.23457E+15", "1.2E+03", "2E+16"])
def test_a_code_of_which_a_spreadsheet_has_lost_digits_is_refused(
    program: Program, sheet: MakeSheet, code: str
) -> None:
    said = refusal(lambda: taken(program, sheet(RESPONSES, ROW, [code, *ROW[1:]])))
    assert f"line 3: a spreadsheet has rounded the code to '{code}'" in said


def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_refused(
    program: Program, workbook: Callable[..., Sheet]
) -> None:
    given = workbook(RESPONSES, [20231105000123456, *ROW[1:]])
    assert "a spreadsheet has rounded the code to '2.02311050001235E+16'" in refusal(lambda: taken(program, given))
    assert taken(program, workbook(RESPONSES, ["20231105000123456", *ROW[1:]]))[0][0][0] == "20231105000123456"


def test_long_codes_that_all_end_in_zeros_are_refused(program: Program, sheet: MakeSheet) -> None:
    rounded = [["202311050001200", *ROW[1:]], ["2023110500012300", *ROW[1:]], ["20231105000124000", *ROW[1:]]]
    assert "ends in zeros" in refusal(lambda: taken(program, sheet(RESPONSES, *rounded)))
    assert len(taken(program, sheet(RESPONSES, *rounded, ["2023110500012345", *ROW[1:]]))[0]) == 4


@pytest.mark.parametrize("code", ["12-Mar", "Mar-12", "3-Dec-24"])
def test_a_code_that_a_spreadsheet_has_made_a_date_is_refused(program: Program, sheet: MakeSheet, code: str) -> None:
    said = refusal(lambda: taken(program, sheet(RESPONSES, ROW, [code, *ROW[1:]])))
    assert f"line 3: '{code}' is a date: a spreadsheet changes codes such as 3-12 into dates" in said
    assert taken(program, sheet(RESPONSES, [code, *ROW[1:]]))[0][0][0] == code


def test_a_date_in_a_column_of_codes_of_a_workbook_is_refused(program: Program, workbook: Callable[..., Sheet]) -> None:
    given = workbook(RESPONSES, ROW, [dt.datetime(2023, 3, 12), *ROW[1:]])  # noqa: DTZ001
    assert "line 3: '2023-03-12' is a date" in refusal(lambda: taken(program, given))


def test_case_numbers_that_could_be_days_are_case_numbers(program: Program, workbook: Callable[..., Sheet]) -> None:
    numbers = ["2023-11-01", "2023-11-02", "2023-11-99", "2023-11-100"]
    assert [row[0] for row in taken(program, workbook(RESPONSES, *[[n, *ROW[1:]] for n in numbers]))[0]] == numbers


def test_a_count_that_may_be_a_thousand_is_left_for_the_quarantine(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(program, sheet([*REVIEWS[:3], REVIEWS[4]], ["W1", "8/1/23", "1.000", "2.0"]))
    assert rows == [["W1", "2023-08-01", "1.000", "2"]]
