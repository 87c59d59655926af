"""Report months, fiscal years and spans."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth, date_in_words, parse_date

MONTHS = st.builds(ReportMonth, year=st.integers(1990, 2090), month=st.integers(1, 12))
STARTS = st.integers(1, 12)


def test_november_2023_lies_in_the_fiscal_year_that_ends_in_june_2024() -> None:
    month = ReportMonth.parse("2023-11")
    assert month.label == "November 2023"
    assert month.fiscal_year(7).year == 2024
    span = month.fytd(7)
    assert (span.start, span.end) == (dt.date(2023, 7, 1), dt.date(2023, 11, 30))


def test_the_fiscal_year_turns_on_its_first_month() -> None:
    assert ReportMonth.parse("2023-07").fytd(7).start == dt.date(2023, 7, 1)
    assert ReportMonth.parse("2023-06").fytd(7).start == dt.date(2022, 7, 1)


def test_a_fiscal_year_that_begins_in_january_is_the_calendar_year() -> None:
    month = ReportMonth.parse("2023-11")
    assert month.fytd(1).start == dt.date(2023, 1, 1)
    assert month.fiscal_year(1).year == 2023


def test_february_ends_on_its_leap_day() -> None:
    assert ReportMonth.parse("2024-02").span.end == dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    "text",
    ["", "2023", "2023-13", "2023-00", "2023-1", "23-11", "../x", "2023-11-01", " 2023-11", "2023-11\n", "٢٠٢٣-11"],
)
def test_what_is_no_month_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ParameterError, match="YYYY-MM"):
        ReportMonth.parse(text)


@pytest.mark.parametrize("text", ["", "2023-11", "2023-02-29", "04.12.2023", "2023-12-04T00:00", "20231204"])
def test_what_is_no_date_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ParameterError, match="YYYY-MM-DD"):
        parse_date(text, "--as-of")


def test_dates_in_words_do_not_follow_the_locale() -> None:
    assert date_in_words(dt.date(2023, 12, 4)) == "December 4, 2023"


@given(MONTHS)
def test_a_month_reads_back_as_it_is_written(month: ReportMonth) -> None:
    assert ReportMonth.parse(str(month)) == month
    assert ReportMonth.of(month.span.start) == ReportMonth.of(month.span.end) == month


@given(MONTHS, STARTS)
def test_the_months_of_the_fiscal_year_to_date_tile_its_span(month: ReportMonth, starts: int) -> None:
    months = list(month.fiscal_year(starts).months(until=month))
    span = month.fytd(starts)
    assert 1 <= len(months) <= 12
    assert months[0].month == starts
    assert months[0].span.start == span.start
    assert months[-1] == month
    assert months[-1].span.end == span.end
    for before, after in itertools.pairwise(months):
        assert before.span.end + dt.timedelta(days=1) == after.span.start


@given(MONTHS, STARTS)
def test_a_month_lies_in_its_own_fiscal_year_to_date_and_the_month_before_the_year_does_not(
    month: ReportMonth, starts: int
) -> None:
    span = month.fytd(starts)
    assert month.span.start in span
    assert month.span.end in span
    assert month.plus(1).span.start not in span
    assert span.start - dt.timedelta(days=1) not in span


@given(MONTHS, st.integers(-30, 30))
def test_going_forth_and_back_by_months_returns(month: ReportMonth, by: int) -> None:
    assert month.plus(by).plus(-by) == month
