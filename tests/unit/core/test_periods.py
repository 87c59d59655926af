"""Quarters and fiscal years as the period of an issue."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.core.periods import FiscalPeriod, parse_period, shown_by

PERIODS = st.builds(FiscalPeriod, year=st.integers(1990, 2090), quarter=st.integers(0, 4))


def test_a_fiscal_year_has_the_name_of_the_year_in_which_it_ends() -> None:
    year, quarter = parse_period("FY2024"), parse_period("FY2024-Q1")
    assert [str(month) for month in quarter.months(7)] == ["2023-07", "2023-08", "2023-09"]
    days = year.days(7)
    assert (days.start, days.end) == (dt.date(2023, 7, 1), dt.date(2024, 6, 30))
    assert (str(year), str(quarter)) == ("FY2024", "FY2024-Q1")
    assert (year.kind, quarter.kind, parse_period("2023-11").kind) == ("year", "quarter", "month")


def test_a_fiscal_year_that_begins_in_january_is_the_calendar_year() -> None:
    assert [str(month) for month in parse_period("FY2023-Q1").months(1)] == ["2023-01", "2023-02", "2023-03"]


def test_a_quarter_has_months_as_parts_and_a_year_has_quarters() -> None:
    assert [str(part) for part in parse_period("FY2024-Q2").parts(7)] == ["2023-10", "2023-11", "2023-12"]
    assert [str(part) for part in parse_period("FY2024").parts(7)] == [f"FY2024-Q{number}" for number in range(1, 5)]
    assert parse_period("2023-11").parts(7) == []


def test_the_quarter_before_the_first_is_the_last_of_the_year_before() -> None:
    quarter = FiscalPeriod(2024, 1)
    assert str(quarter.plus(-1)) == "FY2023-Q4"
    assert str(quarter.year_earlier) == "FY2023-Q1"
    assert str(FiscalPeriod(2024).plus(-1)) == "FY2023"


def test_an_issue_checks_the_months_of_its_year_to_date_and_itself() -> None:
    assert [str(one) for one in shown_by(ReportMonth(2023, 8), 7)] == ["2023-07", "2023-08"]
    assert [str(one) for one in shown_by(FiscalPeriod(2024, 1), 7)] == ["2023-07", "2023-08", "2023-09", "FY2024-Q1"]


@given(PERIODS, st.integers(1, 12), st.integers(-30, 30))
def test_periods_follow_each_other_without_a_gap(period: FiscalPeriod, starts: int, ahead: int) -> None:
    assert parse_period(str(period)) == period
    assert period.plus(1).months(starts)[0] == period.last(starts).plus(1)
    assert period.plus(ahead).plus(-ahead) == period
    assert period.year_earlier.last(starts) == period.last(starts).plus(-12)
    parts = [month for part in period.parts(starts) for month in part.months(starts)]
    assert parts == period.months(starts)


@pytest.mark.parametrize("text", ["FY24-Q5", "FY2024-Q5", "FY2024-Q0", "2023-Q1", "FY24", "fy2024", "FY2024-Q1 ", "Q1"])
def test_what_is_no_period_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ParameterError, match=r"write a quarter as FY2024-Q1 \(Q1 to Q4\), a fiscal year as FY2024"):
        parse_period(text)


@pytest.mark.parametrize("text", ["2023-13", "November", "", "../x"])
def test_what_is_no_month_is_refused_as_a_month(text: str) -> None:
    with pytest.raises(ParameterError, match="YYYY-MM"):
        parse_period(text)
