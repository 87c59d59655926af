"""What programs read of the site: a feed of its issues (Atom, RFC 4287) and a sitemap (sitemaps.org)."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_ATOM: Final = "http://www.w3.org/2005/Atom"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML: Final = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True)
class Entry:
    """An issue in the feed.

    Attributes
    ----------
    place
        Its folder below the address of the site, with a stroke at the end.
    updated
        The day on which it was published, or else its as-of date.
    """

    title: str
    place: str
    updated: dt.date
    summary: str


def atom_feed(
    address: str, place: str, title: str, author: str, language: str, entries: Sequence[Entry], none_yet: dt.date
) -> bytes:
    """Write the feed, the newest entry first.

    Parameters
    ----------
    address
        Where the site lies, with a stroke at the end.
    place
        Where the feed lies below it.
    none_yet
        The day that a feed without entries gives.

    Returns
    -------
    bytes
        XML in UTF-8, the same for the same entries: its dates are those of the issues.
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
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": address + one.place})
        _add(entry, "summary", one.summary)
    return _written(feed)


def sitemap(address: str, places: Iterable[tuple[Sequence[tuple[str, str]], dt.date]]) -> bytes:
    """Write the sitemap.

    Parameters
    ----------
    places
        For each page its places by language, ``("en", "methods/")``, and the day of what it says.
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
    # What no XML file can hold is no part of a title either.
    ET.SubElement(parent, name).text = "".join(letter for letter in text if letter.isprintable())


def _moment(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _written(root: ET.Element) -> bytes:
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
