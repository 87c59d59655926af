"""The links on every page of the site. They are relative, so they work in any folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from viputils.config.language import Language
from viputils.publish.site.pages import HOME, NOT_FOUND, Page
from viputils.report.markdown import escape


@dataclass(frozen=True)
class Notice:
    """The notice above an issue that was replaced, or that replaced another one."""

    text: str
    place: str
    other: str
    reason: str = ""
    language: str = ""


@dataclass(frozen=True)
class Edge:
    """The links of an issue's page besides those to other pages: to the issues next to it, and to its files.

    Attributes
    ----------
    earlier, later
        The place of the issue, and its name.
    files
        Each file to download, relative to the home page of its language, and its kind.
    card
        The picture that social media show with a link to the page, relative to the home page of its language.
    notice
        That the issue was replaced or corrects another one, with a link to the other issue and the reason, which is in
        the language of the register.
    """

    earlier: tuple[str, str] | None = None
    later: tuple[str, str] | None = None
    files: Sequence[tuple[str, str]] = ()
    card: str | None = None
    notice: Notice | None = None


@dataclass(frozen=True)
class Version:
    """The pages of the site in one language. The folder is empty for the main language, and otherwise like ``es/``."""

    language: Language
    prefix: str
    pages: Mapping[str, Page]

    def file_of(self, place: str) -> str:
        """Return the file of a page, relative to the home page of the whole site."""
        return self.prefix + file_of(place)

    def address_of(self, place: str) -> str:
        """Return the address of a page, relative to that of the whole site."""
        return self.file_of(place).removesuffix("index.html")


def file_of(place: str) -> str:
    """Return the file of a page in the site of its language."""
    if place == NOT_FOUND:
        return f"{NOT_FOUND}.html"
    return f"{place}/index.html" if place else "index.html"


def navigation(
    version: Version,
    page: Page,
    versions: Sequence[Version],
    edge: Edge,
    address: str | None = None,
) -> dict[str, Any]:
    """Return the values that the template needs for the links on a page, as Markdown.

    The "not found" page has no links if the address of the site is not known: it is shown at any address, so relative
    links on it would not work.

    Parameters
    ----------
    versions
        The site in every language, the main one first.
    address
        The web address of the site, if known.
    """
    text = version.language.text
    own = version.file_of(page.place)
    root = "../" * own.count("/")
    if page.place == NOT_FOUND:
        if address is None:
            return {}
        root = urlsplit(address).path
    names = {
        HOME: text("Home"),
        "overview": text("The program"),
        "methods": text("Methods"),
        "verdicts": text("Number checks"),
        "quality": text("Data quality"),
        "elsewhere": text("Numbers elsewhere"),
        "data": text("Data"),
        "revisions": text("Revisions"),
        "calendar": text("Calendar"),
        "search": text("Search"),
    }
    found: dict[str, Any] = {
        "root": root,
        "label": text("Pages of this site"),
        "links": [
            {
                "href": root + version.file_of(place),
                "text": name,
                # On the page of an issue, the home page is not the current page.
                **({"current": "page"} if place == page.place else {}),
            }
            for place, name in names.items()
            if place in version.pages
        ],
        "languages": [
            {
                "href": root + other.file_of(page.place if page.place in other.pages else HOME),
                "text": other.language.own_name,
                "code": other.language.code,
            }
            for other in versions
            if other is not version
        ],
        "versions": _versions(version, page.place, versions, address),
    }
    if address is not None:
        found["feed"] = {"href": f"{root}{version.prefix}feed.xml", "text": text("All reports, as a feed")}
    if page.place == "search":
        found["index"] = f"{root}{version.prefix}search/index.js"
        found["search"] = {
            "label": text("Search all pages"),
            "button": text("Search"),
            "none": text("Nothing was found. Try another word, or fewer of them."),
            "one": text("1 part of a page was found."),
            "many": text("{number} parts of pages were found.", number="%d"),
            "first": text("The first {number} are shown.", number="%d"),
        }
    if edge.notice:
        found["notice"] = {
            "text": edge.notice.text,
            "href": root + version.file_of(edge.notice.place),
            "other": edge.notice.other,
            **({"reason": edge.notice.reason, "code": edge.notice.language} if edge.notice.reason else {}),
        }
    if address is not None and (card := edge.card) is not None:
        found["card"] = f"{address}{version.prefix}{card}"
    if edge.files:
        found["downloads"] = {
            "label": text("Files of this report"),
            "files": [{"href": f"{root}{version.prefix}{file}", "text": kind} for file, kind in edge.files],
        }
    if edge.earlier or edge.later:
        found["neighbors"] = {"label": text("Earlier and later reports")}
        for name, to in (("earlier", edge.earlier), ("later", edge.later)):
            if to is not None:
                found["neighbors"][name] = {"href": root + version.file_of(to[0]), "text": to[1]}
    return {name: _escaped(value) for name, value in found.items()}


def _versions(version: Version, place: str, versions: Sequence[Version], address: str | None) -> list[dict[str, str]]:
    """Return the languages of a page for search engines: all of them, with full addresses if these are known."""
    there = [one for one in versions if place in one.pages]
    if len(there) == 1:
        return []
    if address is not None:
        return [{"href": address + one.address_of(place), "code": one.language.code} for one in there]
    root = "../" * version.file_of(place).count("/")
    return [{"href": root + one.file_of(place), "code": one.language.code} for one in there if one is not version]


def _escaped(value: Any) -> Any:
    """Escape every text for Markdown."""
    if isinstance(value, dict):
        return {name: _escaped(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    return escape(value)
