"""A real browser for tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.support.projects import REPOSITORY

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on PATH; on Debian: apt-get install chromium"
)

# Rules that depend on the view of a page, not on its content.
_LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size", "aria-hidden-focus"]
# WCAG 2.2 AA, and the best practices of axe.
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class View:
    """A view of a page: window size, colors and so on."""

    width: int
    scheme: Literal["light", "dark"] = "light"
    forced: bool = False

    def __str__(self) -> str:
        return f"{self.width} {self.scheme}{' forced' if self.forced else ''}"


WIDTHS = (390, 1280)
VIEWS = [view for width in WIDTHS for view in (View(width), View(width, "dark"), View(width, "dark", forced=True))]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        # Chromium has no sandbox as root (in containers). It only opens our own pages.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, page: Path | str, view: View, **options: Any) -> Iterator[Page]:
    """Open a page in a view. Errors in the page and requests to other hosts fail the test."""
    address = page.as_uri() if isinstance(page, Path) else page
    context = browser.new_context(reduced_motion="reduce", **options)
    faults: list[str] = []
    tab = context.new_page()
    look(tab, view)
    tab.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    # Requests that are canceled by following a link are not errors.
    tab.on(
        "requestfailed",
        lambda request: None if request.failure == "net::ERR_ABORTED" else faults.append(f"failed: {request.url}"),
    )
    own = address.partition("://")[0] + "://" + address.partition("://")[2].partition("/")[0]
    tab.on("request", lambda request: None if request.url.startswith((own, "data:")) else faults.append(request.url))
    try:
        tab.goto(address, wait_until="load")
        tab.evaluate("document.fonts.ready")
        yield tab
        if faults:
            raise AssertionError(f"{page}: {faults}")
    except BaseException as error:
        error.add_note(f"What the page looked like: {_kept_screenshot(tab)}")
        raise
    finally:
        context.close()


def _kept_screenshot(tab: Page) -> str:
    """Save a screenshot for the report of a failed test, and return its path."""
    name = re.sub(r"[^\w.-]+", "-", os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].rpartition(" ")[0])
    for folder in (REPOSITORY / ".pytest_cache", Path(tempfile.gettempdir())):
        path = folder / "screenshots" / f"{name.strip('-')}.png"
        try:
            tab.screenshot(path=path, full_page=True)
        except (OSError, PlaywrightError) as error:
            said = f"none could be made ({error})"
        else:
            return str(path)
    return said


def look(tab: Page, view: View) -> None:
    """Change the window size or the colors of a page."""
    tab.set_viewport_size({"width": view.width, "height": 900})
    tab.emulate_media(color_scheme=view.scheme, forced_colors="active" if view.forced else "none")


def violations(tab: Page, view: View) -> list[str]:
    """Return the violations and undecided rules that axe finds on a page, one line each."""
    tab.evaluate(AXE_SCRIPT)
    wanted: dict[str, Any] = {"type": "tag", "values": _RULES}
    if view.scheme == "dark":
        # The content was already checked in light colors.
        wanted = {"type": "rule", "values": _LOOKS}
    options = json.dumps({"runOnly": wanted, "resultTypes": ["violations", "incomplete"]})
    found = tab.evaluate(f"axe.run({options})")
    return [
        f"{kind}: {rule['id']}: {', '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
        for kind in ("violations", "incomplete")
        for rule in found[kind]
        for node in rule["nodes"]
    ]


def overflows(tab: Page) -> list[str]:
    """Return the elements that overflow the right edge of the page."""
    found: list[str] = tab.evaluate(
        """() => {
          const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
          const over = [...document.querySelectorAll("body *")].filter((node) => {
            const box = node.getBoundingClientRect();
            return box.width > 1 && box.right > document.documentElement.clientWidth + 1;
          });
          return wide ? over.map((node) => `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`) : [];
        }"""
    )
    return found


def clipped(tab: Page) -> list[str]:
    """Return the texts that are cut off by their boxes."""
    found: list[str] = tab.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((node) => {
          const style = getComputedStyle(node);
          const hides = style.overflowX !== "visible" || style.overflowY !== "visible";
          const hidden = style.clipPath !== "none" || style.position === "absolute";
          const wide = node.scrollWidth > node.clientWidth + 1, high = node.scrollHeight > node.clientHeight + 1;
          return hides && !hidden && (wide || high);
        }).map((node) => `${node.tagName}: ${node.textContent.slice(0, 40)}`)"""
    )
    return found


@dataclass(frozen=True)
class Stop:
    """Return the focused element after one press of Tab."""

    name: str
    href: str | None
    outline: float
    inside: bool


def stops(tab: Page, most: int = 400) -> list[Stop]:
    """Yield the focused elements while pressing Tab, until the focus leaves the page."""
    found: list[Stop] = []
    for _ in range(most):
        tab.keyboard.press("Tab")
        stop = tab.evaluate(
            """async () => {
              // What gets the focus is scrolled into view with the next picture.
              await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
              const node = document.activeElement;
              if (!node || node === document.body) return null;
              const style = getComputedStyle(node), box = node.getBoundingClientRect();
              const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
              return {
                name: (node.textContent || node.getAttribute("aria-label") || node.name || "").trim(),
                href: node.getAttribute("href"),
                outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
                inside: Math.round(box.top) >= 0 && Math.round(box.bottom) <= innerHeight
                  && (node.contains(top) || !!top?.contains(node)),
              };
            }"""
        )
        if stop is None:
            break
        found.append(Stop(**stop))
    return found
