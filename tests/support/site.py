"""Read the pages of a site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup


def pages_of(site: Path) -> list[Path]:
    """Return every page except the single-file copies of issues, which have no links."""
    return [path for path in sorted(site.rglob("*.html")) if path.name in ("index.html", "404.html")]


def soup_of(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def words(node: object) -> str:
    return " ".join(node.get_text(" ").split())  # type: ignore[attr-defined]


def links_of(page: Path) -> Iterator[str]:
    """Yield every address on a page: links, pictures, style sheets and scripts."""
    for node in soup_of(page).find_all(True):
        for name in ("href", "src"):
            if node.has_attr(name):
                yield str(node[name])
