"""The search index: the text of every page, part by part. The search page reads it.

It is a script, not JSON: a page that was opened as a file may run a script but may not read another file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from viputils.publish.site.navigation import Version
from viputils.publish.site.pages import NOT_FOUND

# Elements without an end tag.
_VOID: Final = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# These elements can be inside a word. All others end one.
_INLINE: Final = {"a", "abbr", "b", "code", "em", "i", "span", "strong", "sub", "sup", "time"}
_NEVER: Final = {"script", "style", "nav", "template"}


@dataclass
class Part:
    """A part of a page: its heading, all text below it, and each row of its tables as a line."""

    address: str
    page: str
    heading: str
    text: str = ""
    rows: str = ""


def parts_of(page: str, address: str) -> list[Part]:
    """Return the parts of an HTML page: the text above the first second-level heading, then one for each heading.

    Parameters
    ----------
    address
        The address of the page, for links to its parts.
    """
    reader = _Reader(address)
    reader.feed(page)
    reader.close()
    title = " ".join(reader.title.split())
    parts = [
        Part(one.address, title, " ".join(one.heading.split()), " ".join(one.text.split()), one.rows.rstrip("\n"))
        for one in reader.parts
    ]
    return [one for one in parts if one.text or one.rows]


def index_script(pages: Iterable[tuple[Path, str]]) -> str:
    """Return the index of some pages, files with their addresses, as a script that sets ``searchIndex``."""
    parts = [part for path, address in pages for part in parts_of(path.read_text(encoding="utf-8"), address)]
    rows = [[one.address, one.page, one.heading, one.text, one.rows] for one in parts]
    return f"window.searchIndex = {json.dumps(rows, ensure_ascii=False, indent=0)};\n"


def write_index(version: Version, folder: Path) -> None:
    """Write the index of the site in one language, into the folder of the whole site. The newest issues come first."""
    up = "../" * (version.prefix.count("/") + 1)
    files = [version.file_of(place) for place in version.pages if place != NOT_FOUND]
    index = folder / version.prefix / "search" / "index.js"
    index.write_text(index_script((folder / name, f"{up}{name}") for name in files), encoding="utf-8", newline="")


class _Reader(HTMLParser):
    """Reads the text in ``main``, and the first-level heading anywhere."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.title = ""
        self.parts = [Part(address, "", "")]
        # The open elements, and whether each is hidden.
        self.open: list[tuple[str, bool]] = []
        self.section: str | None = None
        # The cells of the current row, and those of its table's heading row.
        self.cells: list[str] = []
        self.heads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        said = dict(attrs)
        hidden = tag in _NEVER or "hidden" in said or self.is_hidden
        self.open.append((tag, hidden))
        if tag == "section":
            self.section = said.get("id")
        elif tag == "h2" and not hidden and self.is_in("main"):
            # If Pandoc makes sections, the section has the id of the heading.
            identifier = said.get("id") or self.section
            self.parts.append(Part(f"{self.address}#{identifier}" if identifier else self.address, "", ""))
        elif tag == "tr":
            self.cells = []
        elif tag in ("th", "td"):
            self.cells.append("")
        self.end_word(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self.end_row()
        if self.is_in(tag):
            while self.open.pop()[0] != tag:
                pass
        self.end_word(tag)

    def handle_data(self, data: str) -> None:
        if self.is_hidden:
            return
        if self.is_in("h1"):
            self.title += data
        elif self.is_in("main"):
            if self.is_in("h2"):
                self.parts[-1].heading += data
            elif self.is_in("tr") and self.cells:
                self.cells[-1] += data
            else:
                self.parts[-1].text += data

    def end_row(self) -> None:
        """Keep a row as a line: its first cell, then each number with its heading, so that every number has context."""
        cells = [" ".join(cell.split()) for cell in self.cells]
        if self.is_in("thead"):
            self.heads = cells
        elif cells:
            said = [f"{head} {cell}".strip() for head, cell in zip(self.heads[1:], cells[1:], strict=False)]
            self.parts[-1].rows += f"{cells[0]}: {', '.join(said)}\n"

    def end_word(self, tag: str) -> None:
        """Keep the words of two cells or paragraphs apart."""
        if tag not in _INLINE or self.is_in("h1"):
            self.parts[-1].text += " "
            self.title += " "
            if self.cells:
                self.cells[-1] += " "

    @property
    def is_hidden(self) -> bool:
        return bool(self.open) and self.open[-1][1]

    def is_in(self, tag: str) -> bool:
        return any(name == tag for name, _ in self.open)
