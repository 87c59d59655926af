"""Columns of dates: their order and their time zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.support.exports import RESPONSES, ROW, MakeSheet, matched, refusal, taken
from viputils.config.program import Program
from viputils.intake.rows import rows_of
from viputils.intake.sheet import Sheet
from viputils.intake.tally import Tally


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


def test_a_column_of_dates_in_the_other_order_is_refused_once_with_counts(program: Program, sheet: MakeSheet) -> None:
    rows = [["R1", "8/9/2023", "DV", "SE"], ["R2", "27/8/2023", "DV", "SE"], ["R3", "31/8/2023", "DV", "SE"]]
    said = refusal(lambda: taken(program, sheet(RESPONSES, *rows)))
    assert said.count("has dates in the other order") == 1
    assert "2 can only be read day first, and none only month first" in said
    assert '[intake]\n      date_order = "day first"' in said


def dates(program: Program, sheet: MakeSheet, *days: str) -> Tally:
    return taken(program, sheet(RESPONSES, *([f"R{number}", day, "DV", "SE"] for number, day in enumerate(days))))[1]


def test_dates_that_fit_both_orders_are_counted_with_the_months_that_they_were_read_as(
    program: Program, sheet: MakeSheet
) -> None:
    (found,) = dates(program, sheet, "01/12/2023", "02/12/2023", "07/12/2023", "05/05/2023").either
    assert str(found) == (
        "export.csv, 'Incident date': 3 dates fit both orders, such as '01/12/2023' (2023-01-12 or 2023-12-01). They "
        "were read month first (intake.date_order), which gives 2023-01 to 2023-07. Read day first, "
        "they would give 2023-12."
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
    assert "1 date can only be read month first, and 1 only day first" in tally.warnings[0]


def test_times_with_a_zone_are_refused_until_program_toml_says_what_the_zone_means(
    program: Program, sheet: MakeSheet
) -> None:
    given = sheet(RESPONSES, ["R1", "2023-11-30 23:30:00-07", "DV", "SE"], ["R2", "2023-12-01T02:00:00Z", "DV", "SE"])
    said = refusal(lambda: taken(program, given))
    assert "has 2 times with a time zone, such as '2023-11-30 23:30:00-07' in line 2" in said
    assert '[intake]\n      time_zone = "as written"' in said
    for zone, days in (
        ("as written", ["2023-11-30", "2023-12-01"]),
        ("America/Denver", ["2023-11-30", "2023-11-30"]),
        ("UTC", ["2023-12-01", "2023-12-01"]),
    ):
        intake = program.intake.model_copy(update={"time_zone": zone})
        found = list(rows_of(matched(program, given), intake, Tally()))
        assert [row[1] for row in found] == days


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
        "export.csv, 'Incident date': 2 times with a time zone, read as written (intake.time_zone)"
    ]
    assert dates(program, sheet, "2023-11-30 20:00").notes == []
