"""Dates as agencies write them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
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
