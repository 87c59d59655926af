"""Dates as agencies write them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viputils.intake.dates import has_zone, read_day


@pytest.mark.parametrize(
    "text",
    [
        "Sunday, November 5, 2023",
        "Sun 5 Nov 2023",
        "Sun. 11/5/2023",
        "Sunday 2023-11-05",
        "November 5th, 2023",
        "5 de noviembre de 2023",
        "domingo, 5 de noviembre de 2023",
        "05/nov/2023",
        "5-NOV-23",
        "noviembre 5, 2023",
        "11/5/2023, 8:02 PM",
        "2023-11-05T23:59:59.997",
        "20231105235959",
        "5 Nov. 2023 23:59",
        "November 5, 2023 at 2:05 PM",
        "20231105T140500",
        "do\u0301mingo 5 de noviembre de 2023",
        "domingo 5 de noviembre de 2023",
    ],
)
def test_forms_that_agencies_write_are_read(text: str) -> None:
    assert read_day(text, "month first") == "2023-11-05"


SPANISH = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


@pytest.mark.parametrize("month", range(1, 13))
def test_every_spanish_month_is_read_whole_and_abbreviated(month: int) -> None:
    name = SPANISH[month - 1]
    expected = dt.date(2023, month, 9).isoformat()
    for written in (name, name.capitalize(), name[:3], name[:3].upper()):
        assert read_day(f"9 de {written} de 2023", "month first") == expected
        assert read_day(f"09-{written}-2023", "month first") == expected
    assert read_day("9 set 2023", "month first") == "2023-09-09"


@pytest.mark.parametrize("text", ["Monday, November 5, 2023", "lunes 5 de noviembre de 2023", "Tue 11/5/2023"])
def test_a_date_on_another_day_of_the_week_is_no_date(text: str) -> None:
    assert read_day(text, "month first") is None


@pytest.mark.parametrize(
    ("text", "as_written", "in_denver"),
    [
        ("2015-01-01 01:30:00+00", "2015-01-01", "2014-12-31"),
        ("2023-11-05T03:30:00.000Z", "2023-11-05", "2023-11-04"),
        ("2023-11-05 12:30 UTC", "2023-11-05", "2023-11-05"),
        ("11/5/2023 11:30 PM PST", "2023-11-05", "2023-11-06"),
        ("2023-11-05 23:30:00 -0700", "2023-11-05", "2023-11-05"),
        ("2023-07-05 23:30:00-07:00", "2023-07-05", "2023-07-06"),
        ("1699162200000", "2023-11-05", "2023-11-04"),
        ("1699162200", "2023-11-05", "2023-11-04"),
    ],
)
def test_a_time_with_a_zone_is_read_as_program_toml_says(text: str, as_written: str, in_denver: str) -> None:
    assert read_day(text, "month first") is None
    assert has_zone(text)
    assert read_day(text, "month first", "as written") == as_written
    assert read_day(text, "month first", "America/Denver") == in_denver


@given(st.datetimes(dt.datetime(2002, 1, 1), dt.datetime(2030, 1, 1)), st.sampled_from(["America/Denver", "UTC"]))  # noqa: DTZ001
def test_milliseconds_since_1970_are_the_day_of_their_zone(moment: dt.datetime, zone: str) -> None:
    import zoneinfo

    utc = moment.replace(microsecond=0, tzinfo=dt.UTC)
    expected = utc.astimezone(zoneinfo.ZoneInfo(zone)).date().isoformat()
    assert read_day(f"{int(utc.timestamp())}000", "month first", zone) == expected


def test_days_of_the_week_are_read_with_and_without_accents() -> None:
    for text in ("miercoles 8 de noviembre de 2023", "miércoles 8 de noviembre de 2023", "sa\u0301bado 11/11/2023"):
        assert read_day(text, "month first") in ("2023-11-08", "2023-11-11")


def test_the_first_day_of_all_time_is_no_date_in_another_zone() -> None:
    assert read_day("0001-01-01T00:00:00Z", "month first", "America/Denver") is None
