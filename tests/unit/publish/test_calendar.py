"""The release calendar: its page, and the file for calendar programs (RFC 5545)."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.support.projects import REPOSITORY
from viputils.config.program import Release
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.site.calendar import CALENDAR, Event, calendar_page, icalendar
from viputils.publish.site.pages import Page
from viputils.publish.site.releases import Releases
from viputils.report.markdown import unescape

OCTOBER, NOVEMBER = ReportMonth(2023, 10), ReportMonth(2023, 11)
DATES = [
    Release.model_validate(one)
    for one in (
        {"issue": "2024-01", "date": dt.date(2024, 2, 5)},
        {"issue": "2023-10", "date": dt.date(2023, 11, 6)},
        {"issue": "2023-11", "date": dt.date(2023, 12, 11), "time": "10:00"},
        {"issue": "2023-12", "date": dt.date(2024, 1, 8), "time": "14:30", "embargo": True},
    )
]
PLACES = {OCTOBER: "issues/2023-10", NOVEMBER: "issues/2023-11"}
AS_OF = dt.date(2023, 12, 4)


def page_on(day: str, code: str = "en", address: str | None = None) -> Page:
    project = Project.open(REPOSITORY, code)
    releases = Releases(DATES, dt.date.fromisoformat(day))
    page = calendar_page(project, releases, PLACES, AS_OF, demonstration=False, address=address)
    assert page is not None
    return page


def text_of(page: Page) -> str:
    return unescape("\n".join(cell.outputs[0].data["text/markdown"] for cell in page.cells))


def rows_of(page: Page) -> list[list[str]]:
    rows = [line for line in text_of(page).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]


def unfolded(data: bytes) -> list[str]:
    lines = data.decode().replace("\r\n ", "").split("\r\n")
    assert lines.pop() == ""
    return lines


def test_a_city_without_release_dates_has_no_calendar() -> None:
    project = Project.open(REPOSITORY)
    assert project.program.releases == []
    assert calendar_page(project, Releases([], AS_OF), PLACES, AS_OF, demonstration=False) is None


def test_next_releases_come_first_and_past_ones_lead_to_their_issues() -> None:
    page = page_on("2023-12-12")
    assert (page.place, page.title) == ("calendar", "Release calendar")
    assert rows_of(page) == [
        ["Report", "Release date"],
        [":-----------------------", ":-----------------------"],
        ["December 2023", "January 8, 2024, 2:30 p.m."],
        ["January 2024", "February 5, 2024"],
        ["Report", "Release date"],
        [":-----------------------", ":-----------------------"],
        ["[November 2023](../issues/2023-11/index.html)", "December 11, 2023, 10:00 a.m."],
        ["[October 2023](../issues/2023-10/index.html)", "November 6, 2023"],
    ]


def test_a_release_of_today_is_past_once_its_issue_exists() -> None:
    text = text_of(page_on("2023-12-11"))
    assert text.index("Past releases") < text.index("November 2023")
    text = text_of(page_on("2024-01-08"))
    assert text.index("December 2023") < text.index("Past releases")


def test_without_a_next_date_the_page_says_so() -> None:
    text = text_of(page_on("2024-03-01"))
    assert "No date is set for the next report." in text
    assert "Past releases" not in text_of(page_on("2023-11-01"))


def test_the_page_is_in_spanish() -> None:
    page = page_on("2023-12-12", "es")
    assert page.title == "Calendario de publicación"
    assert ["Diciembre de 2023", "8 de enero de 2024, 2:30 p.m."] in rows_of(page)
    assert "Agregue estas fechas a su calendario: [calendar.ics](calendar.ics)" in text_of(page)
    assert "SUMMARY:Informe mensual\\, diciembre de 2023" in unfolded(page.files[CALENDAR])


def test_the_file_lists_every_release_whether_it_is_out_or_not() -> None:
    lines = unfolded(page_on("2023-12-12", address="https://vip.example/").files[CALENDAR])
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    assert [line for line in lines if line.startswith("DTSTART")] == [
        "DTSTART;VALUE=DATE:20231106",
        "DTSTART:20231211T100000",
        "DTSTART:20240108T143000",
        "DTSTART;VALUE=DATE:20240205",
    ]
    assert [line for line in lines if line.startswith("URL")] == [
        "URL:https://vip.example/issues/2023-10/",
        "URL:https://vip.example/issues/2023-11/",
        "URL:https://vip.example/calendar/",
        "URL:https://vip.example/calendar/",
    ]
    assert {line for line in lines if line.startswith("DTSTAMP")} == {"DTSTAMP:20231204T000000Z"}
    assert len({line for line in lines if line.startswith("UID")}) == 4


def test_the_file_is_the_same_on_every_day_and_an_event_is_the_same_in_every_language() -> None:
    first, other, spanish = page_on("2023-12-12"), page_on("2024-03-01"), page_on("2023-12-12", "es")
    assert first.files == other.files
    uids = [[line for line in unfolded(page.files[CALENDAR]) if line[:3] == "UID"] for page in (first, spanish)]
    assert uids[0] == uids[1]
    assert not [line for line in unfolded(first.files[CALENDAR]) if line.startswith("URL")]


def test_lines_end_and_break_as_the_standard_says_and_no_letter_is_broken() -> None:
    summary = "Número de “víctimas” " * 9
    data = icalendar("A, B; C\\D\nE\x07", [Event("one", AS_OF, None, summary)], AS_OF)
    lines = data.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert all(len(line) <= 75 for line in lines)
    assert any(line.startswith(b" ") for line in lines)
    for line in lines:
        line.decode()
    assert "X-WR-CALNAME:A\\, B\\; C\\\\D\\nE" in unfolded(data)
    assert f"SUMMARY:{summary}" in unfolded(data)


@pytest.mark.parametrize(
    ("time", "english", "spanish"),
    [
        ("00:05", "12:05 a.m.", "12:05 a.m."),
        ("12:00", "12:00 p.m.", "12:00 p.m."),
        ("23:59", "11:59 p.m.", "11:59 p.m."),
    ],
)
def test_a_time_of_day_is_written_in_words(time: str, english: str, spanish: str) -> None:
    at = dt.time.fromisoformat(time)
    assert Project.open(REPOSITORY).language.time(at) == english
    assert Project.open(REPOSITORY, "es").language.time(at) == spanish
