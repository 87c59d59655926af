"""What programs read: a feed of the issues (Atom, RFC 4287), a sitemap (sitemaps.org) and robots.txt."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from viputils.config.project import Project
from viputils.publish.site.issues import SiteIssue
from viputils.publish.site.navigation import Version
from viputils.publish.site.pages import NOT_FOUND
from viputils.publish.site.plan import Plan
from viputils.publish.site.releases import Releases
from viputils.report.layout import label_of, report_title

_ATOM: Final = "http://www.w3.org/2005/Atom"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML: Final = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True)
class Entry:
    """An issue in the feed.

    Attributes
    ----------
    place
        Its folder below the address of the site, with a slash at the end.
    updated
        The day on which it was published, or else its as-of date; not before its release.
    released
        Its release date, if it has one and that day has come.
    """

    title: str
    place: str
    updated: dt.date
    summary: str
    released: dt.date | None = None


def write_feeds(plan: Plan, versions: Sequence[Version], address: str, folder: Path) -> None:
    """Write a feed in every language, one sitemap of all pages, and robots.txt."""
    for project, version, issues in zip(plan.projects, versions, plan.issues, strict=True):
        identity = project.shown.identity
        entries = [_entry(project, version, one, plan.releases) for one in issues]
        title, author = f"{identity.name}: {identity.report_title}", f"{identity.city}, {identity.department}"
        place = f"{version.prefix}feed.xml"
        feed = atom_feed(address, place, title, author, project.language.code, entries, identity.records_from)
        (folder / place).write_bytes(feed)
    places = [
        (
            [(one.language.code, one.address_of(place)) for one in versions if place in one.pages],
            dt.date.fromisoformat(str(page.front_matter["date"])),
        )
        for place, page in versions[0].pages.items()
        if place != NOT_FOUND
    ]
    (folder / "sitemap.xml").write_bytes(sitemap(address, places))
    (folder / "robots.txt").write_text(f"Sitemap: {address}sitemap.xml\n", encoding="utf-8")


def _entry(project: Project, version: Version, issue: SiteIssue, releases: Releases) -> Entry:
    language, demonstration = project.language, project.shown.demonstration
    summary = language.text("Counted from the records received by {as_of}.", as_of=language.date(issue.as_of))
    if issue.demonstration:
        summary += f" {demonstration.statement if demonstration else ''}"
    release = None if issue.name.number else releases.of(issue.name.period)
    released = release.date if release is not None and release in releases.come else None
    return Entry(
        f"{report_title(project.shown, language, issue.name.period)}, {label_of(issue.name, language)}",
        f"{version.prefix}{issue.place}/",
        max(issue.published or issue.as_of, released or dt.date.min),
        summary,
        released,
    )


def atom_feed(
    address: str, place: str, title: str, author: str, language: str, entries: Sequence[Entry], none_yet: dt.date
) -> bytes:
    """Write the feed, the newest entry first.

    Parameters
    ----------
    address
        The address of the site, with a slash at the end.
    place
        The path of the feed below it.
    none_yet
        The date of a feed without entries.

    Returns
    -------
    bytes
        XML in UTF-8. The same entries always make the same bytes, because all dates come from the entries.
    """
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": language})
    home = address + place.rpartition("/")[0].removesuffix("/") + ("/" if "/" in place else "")
    _add(feed, "title", title)
    _add(feed, "id", address + place)
    _add(feed, "updated", _moment(max((one.updated for one in entries), default=none_yet)))
    ET.SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": address + place})
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": home})
    _add(ET.SubElement(feed, "author"), "name", author)
    for one in entries:
        entry = ET.SubElement(feed, "entry")
        _add(entry, "title", one.title)
        _add(entry, "id", address + one.place)
        _add(entry, "updated", _moment(one.updated))
        if one.released is not None:
            _add(entry, "published", _moment(one.released))
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": address + one.place})
        _add(entry, "summary", one.summary)
    return _written(feed)


def sitemap(address: str, places: Iterable[tuple[Sequence[tuple[str, str]], dt.date]]) -> bytes:
    """Write the sitemap.

    Parameters
    ----------
    places
        For each page its paths by language, such as ``("en", "methods/")``, and its date.
    """
    urls = ET.Element("urlset", {"xmlns": _SITEMAP, "xmlns:xhtml": _XHTML})
    for versions, day in places:
        for _, place in versions:
            url = ET.SubElement(urls, "url")
            _add(url, "loc", address + place)
            _add(url, "lastmod", day.isoformat())
            if len(versions) > 1:
                for code, other in versions:
                    ET.SubElement(url, "xhtml:link", {"rel": "alternate", "hreflang": code, "href": address + other})
    return _written(urls)


def _add(parent: ET.Element, name: str, text: str) -> None:
    # XML does not allow most control characters.
    ET.SubElement(parent, name).text = "".join(letter for letter in text if letter.isprintable())


def _moment(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _written(root: ET.Element) -> bytes:
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
