"""Windows of months: what they are, and which two can be compared."""

from __future__ import annotations

import pytest

from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.core.windows import Window, parse_window, require_comparable

KNOWN = list(ReportMonth(2022, 7).until(ReportMonth(2023, 11)))


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("2023-07..2023-11", ["2023-07", "2023-08", "2023-09", "2023-10", "2023-11"]),
        ("2023-12..2024-01", ["2023-12", "2024-01"]),
        ("2023-11", ["2023-11"]),
        ("FY2024-Q1", ["2023-07", "2023-08", "2023-09"]),
    ],
)
def test_a_window_is_two_months_or_a_period(text: str, months: list[str]) -> None:
    assert [str(month) for month in parse_window(text, 7).months] == months


def test_a_window_is_as_long_as_its_days() -> None:
    assert parse_window("2023-07..2023-11", 7).length == 31 + 31 + 30 + 31 + 30
    assert parse_window("2024-02", 7).length == 29


@pytest.mark.parametrize(
    "text", ["", "2023-07..", "..2023-07", "2023-07...2023-08", "2023-07-2023-11", "FY24-Q1", "FY2024-Q1..2023-11"]
)
def test_what_is_no_window_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ParameterError, match=r"FIRST: .* write two months as 2023-07\.\.2023-11, or a period"):
        parse_window(text, 7, "FIRST")


def test_a_window_that_runs_backwards_is_refused_with_its_months_in_order() -> None:
    with pytest.raises(ParameterError, match=r"2023-11 is after 2023-07; .*: 2023-07\.\.2023-11\."):
        parse_window("2023-11..2023-07", 7)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("2023-07..2023-11", "2023-11", r"both have 2023-11; choose windows without a month in common"),
        ("2022-07..2023-11", "2023-01..2023-03", r"both have 2023-01, 2023-02, 2023-03;"),
        ("2023-11..2024-01", "2022-11", r"has no counts for 2023-12, 2024-01 \(not over or not delivered\)"),
        ("2022-05..2022-07", "2023-07", r"has no counts for 2022-05, 2022-06 \(before the records begin\)"),
    ],
)
def test_windows_that_cannot_be_compared_are_refused(first: str, second: str, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        require_comparable(parse_window(first, 7), parse_window(second, 7), KNOWN)


def test_a_month_that_was_not_delivered_is_named() -> None:
    window = Window(ReportMonth(2023, 7), ReportMonth(2023, 9))
    gap = [month for month in KNOWN if month != ReportMonth(2023, 8)]
    with pytest.raises(ParameterError, match=r"2023-07\.\.2023-09: has no counts for 2023-08 \(not delivered\)"):
        require_comparable(window, parse_window("2022-07", 7), gap)
    with pytest.raises(ParameterError, match="no month was over and delivered"):
        require_comparable(window, parse_window("2022-07", 7), [])
