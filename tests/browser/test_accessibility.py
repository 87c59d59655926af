"""The pages as people with and without sight, with and without a mouse, large or small, bright or dark, use them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.support.browser import (
    VIEWS,
    WIDTHS,
    View,
    chromium,
    clipped,
    look,
    needs_browser,
    opened,
    overflows,
    stops,
    violations,
)
from tests.support.command import vip
from tests.support.projects import copy_of_the_repository

pytestmark = needs_browser

PLACES = ["", "issues/2023-11/", "overview/", "methods/", "verdicts/", "data/", "search/"]
PAGES = [f"{language}{place}index.html" for language in ("", "es/") for place in PLACES]
PAGES += ["404.html", "issues/2023-11/vip-2023-11.html", "es/issues/2023-11/vip-2023-11-es.html"]
PHONE, DESKTOP = View(390), View(1280)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's own site with its newest issue, in both languages."""
    root = copy_of_the_repository(tmp_path_factory.mktemp("accessible") / "a project")
    # The page for what is not there begins its links at the top of the server, as the preview serves it.
    address = "https://vip.example/"
    done = vip("site", "--project", str(root), "--engine", "embedded", "--since", "2023-11", "--address", address)
    assert done.returncode == 0, done.stderr
    return root / "_site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@contextmanager
def served(site: Path) -> Iterator[str]:
    """A server as a city has it: files and nothing else."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def soup_of(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_every_page_of_the_site_is_looked_at(site: Path) -> None:
    assert {page.relative_to(site).as_posix() for page in site.rglob("*.html")} == set(PAGES)


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page(site: Path, browser: Browser, width: int) -> None:
    found = {}
    with served(site) as root:
        for name in PAGES:
            views = [view for view in VIEWS if view.width == width]
            with opened(browser, f"{root}{name}", views[0]) as tab:
                # Colours are the same in every language.
                for view in views[:1] if name.startswith("es/") else views:
                    look(tab, view)
                    found[f"{name}, {view}"] = violations(tab, view)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


# How people look at pages who need more room for less, and what the styles of their browser say.
NEEDS = {
    "as 1280 pixels at 200 %": (View(640), ""),
    "as 1280 pixels at 400 %": (View(320), ""),
    "on a phone": (PHONE, ""),
    "with the text alone at 200 %": (DESKTOP, "html { font-size: 200% !important; }"),
    "with more space between letters, words and lines": (
        PHONE,
        "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } "
        "p { margin-bottom: 2em !important; }",
    ),
}


@pytest.mark.parametrize("name", [name for name in PAGES if name != "404.html"])
def test_nothing_is_lost_and_nobody_scrolls_sideways(site: Path, browser: Browser, name: str) -> None:
    """WCAG 1.4.4, 1.4.10 and 1.4.12."""
    found = {}
    with opened(browser, site / name, DESKTOP) as tab:
        for how, (view, style) in NEEDS.items():
            look(tab, view)
            sheet = tab.add_style_tag(content=style) if style else None
            found[how] = overflows(tab) + clipped(tab)
            if sheet is not None:
                sheet.evaluate("node => node.remove()")
    assert {how: lost for how, lost in found.items() if lost} == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_used_by_keyboard_alone(site: Path, browser: Browser, name: str) -> None:
    with served(site) as root, opened(browser, f"{root}{name}", DESKTOP) as tab:
        found = stops(tab)
        first = found[0]
        assert first.href == "#main"
        links = [str(link["href"]) for link in soup_of(site / name).select("body a[href]")]
        assert [stop.href for stop in found if stop.href] == links
        for stop in found:
            assert stop.outline >= 2, stop
            assert stop.inside, stop
        # The first link leads past everything that all pages have.
        tab.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        tab.goto(f"{root}{name}")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "main"


def test_what_can_be_pressed_is_large_enough_for_a_finger(site: Path, browser: Browser) -> None:
    """WCAG 2.5.8: 24 by 24 pixels, but for links in a line of text."""
    for name in PAGES:
        if name == "404.html":
            continue
        with opened(browser, site / name, PHONE) as tab:
            small = tab.evaluate(
                """() => [...document.querySelectorAll("nav a, td a, .newest a, button, input")].filter((node) => {
                  const box = node.getBoundingClientRect();
                  return !node.classList.contains("skip-link") && (box.height < 24 || box.width < 24);
                }).map((node) => node.textContent)"""
            )
            assert small == [], name


def test_every_chart_says_what_it_shows_and_its_numbers_stand_in_a_table(site: Path) -> None:
    charts = 0
    for name in PAGES:
        page = soup_of(site / name)
        # The limits of a chart stand in the note below its table, each word for itself.
        cells = {cell.get_text(strip=True) for cell in page.select("td")}
        cells |= {
            re.sub(r"[,;.]( |$)", r"\1", note.get_text(" ", strip=True)) for note in page.select(".note, figcaption")
        }
        for image in page.find_all("img"):
            alt = str(image.get("alt", ""))
            assert len(alt) > 40, name
            # Years and the numbers in names, such as 9-1-1, are no figures.
            numbers = [
                one for one in re.findall(r"(?<![\d-])\d[\d,]*(?![\d-])", alt) if not re.fullmatch("20[0-9]{2},?", one)
            ]
            assert numbers, name
            missing = [
                one.rstrip(",") for one in numbers if not any(one.rstrip(",") in cell.split(" ") for cell in cells)
            ]
            assert missing == [], (name, alt)
            charts += 1
    assert charts >= 6


def test_the_language_of_a_page_and_of_each_link_to_another_one_is_said(site: Path) -> None:
    for name in PAGES:
        page = soup_of(site / name)
        assert page.html is not None
        assert page.html["lang"] == ("es" if name.startswith("es/") else "en")
        for link in page.select("nav.site-nav a[hreflang]"):
            assert link["lang"] == link["hreflang"] != page.html["lang"]


def test_a_link_in_text_is_more_than_a_colour(site: Path, browser: Browser) -> None:
    for name in ("overview/index.html", "index.html", "verdicts/index.html"):
        with opened(browser, site / name, DESKTOP) as tab:
            plain = tab.evaluate(
                """() => [...document.querySelectorAll("main p a, main li a, main td a, main th a")]
                  .filter((node) => !node.closest(".newest li:first-child"))
                  .filter((node) => !getComputedStyle(node).textDecorationLine.includes("underline"))
                  .map((node) => node.textContent)"""
            )
            assert plain == []


def test_a_printed_page_has_no_links_of_the_site_and_keeps_its_tables(site: Path, browser: Browser) -> None:
    with opened(browser, site / "issues/2023-11/index.html", View(1280, "dark")) as tab:
        printed = PdfReader(BytesIO(tab.pdf(format="Letter", print_background=True)))
    text = " ".join(" ".join((page.extract_text() or "").split()) for page in printed.pages)
    assert "Responses by incident type" in text
    assert "Homicide 5" in text
    for gone in ("Skip to the report", "Verdicts Data Search", "Files of this issue", "On this page"):
        assert gone not in text
    with opened(browser, site / "issues/2023-11/index.html", View(1280, "dark")) as tab:
        tab.emulate_media(media="print")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert tab.evaluate("getComputedStyle(document.querySelector('.cover')).color") == "rgb(18, 54, 64)"


@pytest.mark.parametrize("language", ["", "es/"])
def test_the_search_finds_a_part_of_a_page_and_says_how_many(site: Path, browser: Browser, language: str) -> None:
    question, heading, count = {
        "": ("unconditional", None, "Nothing was found"),
        "es/": ("homicidio", "Respuestas", "partes de páginas"),
    }[language]
    with opened(browser, site / f"{language}search/index.html", PHONE) as tab:
        field = tab.get_by_role("searchbox")
        field.fill(question)
        field.press("Enter")
        assert count in tab.get_by_role("status").inner_text()
        # Marks around a word are no part of it, and a number is a word.
        for asked in (f"«{question}»,", f"¿{question}?"):
            field.fill(asked)
            field.press("Enter")
            assert count in tab.get_by_role("status").inner_text()
        field.fill("5")
        field.press("Enter")
        assert tab.locator(".results a").count() > 0
        field.fill("?!")
        field.press("Enter")
        assert {"": "Nothing was found", "es/": "No se encontró nada"}[language] in tab.get_by_role(
            "status"
        ).inner_text()
        field.fill(question)
        field.press("Enter")
        if heading is not None:
            link = tab.locator(".results a", has_text=heading).first
            link.click()
            assert tab.evaluate("location.hash") != ""
            assert "Homicidio" in tab.locator("main").inner_text()
    with opened(browser, (site / f"{language}search/index.html").as_uri() + "?q=%3Cimg%20src%3Dx%3E", PHONE) as tab:
        assert tab.get_by_role("searchbox").input_value() == "<img src=x>"
        assert tab.locator("main img").count() == 0


def test_a_page_that_is_opened_as_a_file_leads_to_all_others(site: Path, browser: Browser) -> None:
    with opened(browser, site / "index.html", DESKTOP) as tab:
        for name in ("The program", "Methods", "Verdicts", "Data", "Search", "Español"):
            tab.get_by_role("navigation").get_by_role("link", name=name, exact=True).first.click()
            assert tab.locator("h1").count() == 1
            tab.go_back()
        tab.get_by_role("link", name="Read the issue of November 2023").click()
        assert "November 2023" in tab.locator("h1").inner_text()
