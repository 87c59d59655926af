"""The release calendar: a page with the next and past releases, and the same dates for calendar programs (RFC 5545)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from IPython.display import Markdown

from viputils.config.language import Language
from viputils.config.program import Release
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.core.text import capital
from viputils.publish.site.pages import Page, page_of
from viputils.publish.site.releases import Releases
from viputils.report.layout import pipe_table
from viputils.report.markdown import escape, words

CALENDAR: Final = "calendar.ics"
# In bytes, without the line end.
_LONGEST_LINE: Final = 75


@dataclass(frozen=True)
class Event:
    """A release in a calendar program.

    Attributes
    ----------
    uid
        Its identifier, which never changes.
    date, time
        When it is. Without a time it takes the whole day.
    address
        The web address of the issue or of the release calendar, if known.
    """

    uid: str
    date: dt.date
    time: dt.time | None
    summary: str
    address: str | None = None


def calendar_page(
    project: Project,
    releases: Releases,
    places: Mapping[ReportMonth, str],
    as_of: dt.date,
    demonstration: bool,
    address: str | None = None,
) -> Page | None:
    """Return the release calendar, with its dates as calendar.ics beside it.

    Parameters
    ----------
    places
        The place of each month's issue on the site.
    as_of
        The day until which records were received.
    demonstration
        Whether the records are sample data.
    address
        The web address of the site in the project's language, if known.

    Returns
    -------
    Page or None
        None if program.toml has no release dates.
    """
    if not releases.dates:
        return None
    language = project.language
    # A release that is due today and not made yet is still to come.
    coming = [one for one in releases.dates if one.date >= releases.on and not _is_out(one, releases, places)]
    coming.sort(key=_moment)
    past = sorted((one for one in releases.dates if one not in coming), key=_moment, reverse=True)
    none = words(language, "No date is set for the next report.")
    link = words(language, "Add these dates to your calendar: {file}", file=f"[{escape(CALENDAR)}]({CALENDAR})")
    also = words(language, "Calendar programs can also subscribe to the address of this file.")
    parts = [
        f"## {words(language, 'Next releases')}",
        _table(language, coming, places, words(language, "Next releases, the first one on top")) if coming else none,
        f"## {words(language, 'Past releases')}" if past else "",
        _table(language, past, places, words(language, "Past releases, the newest first")) if past else "",
        f"## {words(language, 'In your calendar')}",
        f"{link}. {also}",
    ]
    title = language.text("Release calendar")
    text = Markdown("\n\n".join(filter(None, parts)))
    files = {CALENDAR: icalendar(_name(project), _events(project, releases, places, address), as_of)}
    return page_of(project, "calendar", title, [text], as_of, demonstration, files)


def _is_out(release: Release, releases: Releases, places: Mapping[ReportMonth, str]) -> bool:
    return release.date <= releases.on and release.issue in places


def _moment(release: Release) -> tuple[dt.date, dt.time, ReportMonth]:
    return release.date, release.time or dt.time.min, release.issue


def _table(language: Language, releases: Sequence[Release], places: Mapping[ReportMonth, str], caption: str) -> str:
    rows = []
    for one in releases:
        label = escape(capital(language.month(one.issue)))
        day = language.date(one.date)
        if one.time is not None:
            day = f"{day}, {language.time(one.time)}"
        place = places.get(one.issue)
        rows.append([f"[{label}](../{place}/index.html)" if place else label, escape(day)])
    return pipe_table([words(language, "Report"), words(language, "Release date")], rows, caption, words=[1])


def _name(project: Project) -> str:
    return f"{project.shown.identity.name}: {project.shown.identity.report_title}"


def _events(
    project: Project, releases: Releases, places: Mapping[ReportMonth, str], address: str | None
) -> Iterator[Event]:
    """Yield each release, the first one on top."""
    shown = project.shown.identity
    for one in sorted(releases.dates, key=_moment):
        place = places.get(one.issue, "calendar")
        yield Event(
            # The same in every language and at every address of the site.
            f"{uuid.uuid5(uuid.NAMESPACE_URL, f'{project.program.identity.site}/{one.issue}')}",
            one.date,
            one.time,
            f"{shown.report_title}, {project.language.month(one.issue)}",
            f"{address}{place}/" if address is not None else None,
        )


def icalendar(name: str, events: Iterator[Event] | Sequence[Event], as_of: dt.date) -> bytes:
    """Write events for calendar programs. The same events always make the same bytes.

    Parameters
    ----------
    name
        The name of the calendar.
    as_of
        The day on which the calendar was written, as it states.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//viputils//Release calendar//EN",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for one in events:
        day = f"{one.date:%Y%m%d}"
        # A time without a zone is that of the city.
        start = f"DTSTART:{day}T{one.time:%H%M%S}" if one.time is not None else f"DTSTART;VALUE=DATE:{day}"
        lines += ["BEGIN:VEVENT", f"UID:{one.uid}", f"DTSTAMP:{as_of:%Y%m%d}T000000Z", start]
        lines += [f"SUMMARY:{_text(one.summary)}", *([f"URL:{one.address}"] if one.address else [])]
        lines += ["TRANSP:TRANSPARENT", "END:VEVENT"]
    return "".join(_folded(line) for line in [*lines, "END:VCALENDAR"]).encode()


def _text(text: str) -> str:
    r"""Return a text as a value: ``One\, two\; three\\four``."""
    for special in "\\;,":
        text = text.replace(special, f"\\{special}")
    text = "\\n".join(text.splitlines())
    return "".join(letter for letter in text if letter.isprintable())


def _folded(line: str) -> str:
    """Return a line with its end, broken where it is longer than a reader must accept. A letter is never broken."""
    folded, length = "", 0
    for letter in line:
        size = len(letter.encode())
        if length + size > _LONGEST_LINE:
            folded, length = f"{folded}\r\n ", 1
        folded, length = folded + letter, length + size
    return f"{folded}\r\n"
