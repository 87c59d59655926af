"""The pages as people with and without sight, with and without a mouse, large or small, bright or dark, use them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from tests.support.artifacts import SITE_ADDRESS
from tests.support.browser import (
    VIEWS,
    WIDTHS,
    View,
    clipped,
    look,
    needs_browser,
    opened,
    overflows,
    stops,
    violations,
)
from tests.support.site import soup_of, words

pytestmark = needs_browser

PLACES = [
    "",
    "issues/2023-11/",
    "overview/",
    "methods/",
    "verdicts/",
    "quality/",
    "elsewhere/",
    "revisions/",
    "data/",
    "search/",
]
PAGES = [f"{language}{place}index.html" for language in ("", "es/") for place in PLACES]
PAGES += ["404.html", "issues/2023-11/vip-2023-11.html", "es/issues/2023-11/vip-2023-11-es.html"]
PHONE, DESKTOP = View(390), View(1280)
# Looked at in every view; `make test-all` looks at all the others in every view, too.
IN_EVERY_VIEW = ("index.html", "issues/2023-11/index.html", "es/verdicts/index.html")
# Where the address of the site says that it is on its server.
BELOW = urlsplit(SITE_ADDRESS).path

# The Spanish pages are made as the English ones; the longest is looked at in `make test`, too.
every_other_page = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.browser_matrix)
        if name.startswith("es/") and not name.endswith("-es.html")
        else name
        for name in PAGES
        if name not in IN_EVERY_VIEW
    ],
)
some_pages = pytest.mark.parametrize(
    "name",
    [name if name in IN_EVERY_VIEW else pytest.param(name, marks=pytest.mark.browser_matrix) for name in PAGES],
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site below the path that its address has."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(BELOW.rstrip("/")))

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[str]:
    """A server as a city has it: files and nothing else."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}{BELOW}"
        finally:
            running.shutdown()
            thread.join()


def test_every_page_of_the_site_is_looked_at(site: Path) -> None:
    """But for those of October, which are made like those of November."""
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    assert {page for page in pages if "2023-10" not in page} == set(PAGES)


@every_other_page
def test_nothing_is_wrong_with_a_page(server: str, browser: Browser, name: str) -> None:
    """In one view: English pages on a wide screen, Spanish ones, whose words are longer, on a phone."""
    view = PHONE if name.startswith("es/") else DESKTOP
    with opened(browser, f"{server}{name}", view) as tab:
        assert violations(tab, view) == []
        assert overflows(tab) + clipped(tab) == []
        if view == PHONE:
            assert too_small(tab) == []


@some_pages
def test_axe_finds_nothing_in_any_view(server: str, browser: Browser, name: str) -> None:
    found = {}
    for width in WIDTHS:
        # Colors are the same in every language.
        views = [one for one in VIEWS if one.width == width and (one.scheme == "light" or not name.startswith("es/"))]
        with opened(browser, f"{server}{name}", views[0]) as tab:
            for view in views:
                look(tab, view)
                found[str(view)] = violations(tab, view)
    assert {view: wrong for view, wrong in found.items() if wrong} == {}


# How people look at pages who need more room for less, and what the styles of their browser say.
NEEDS = {
    "as 1280 pixels at 200 %": (View(640), ""),
    "as 1280 pixels at 400 %": (View(320), ""),
    "on a phone": (PHONE, ""),
    "on a phone with the text alone at 200 %": (PHONE, "html { font-size: 200% !important; }"),
    "with the text alone at 200 %": (DESKTOP, "html { font-size: 200% !important; }"),
    "with more space between letters, words and lines": (
        PHONE,
        "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } "
        "p { margin-bottom: 2em !important; }",
    ),
}


@some_pages
def test_nothing_is_lost_or_needs_sideways_scrolling(server: str, browser: Browser, name: str) -> None:
    """WCAG 1.4.4, 1.4.10 and 1.4.12."""
    found = {}
    with opened(browser, f"{server}{name}", DESKTOP) as tab:
        for how, (view, style) in NEEDS.items():
            look(tab, view)
            sheet = tab.add_style_tag(content=style) if style else None
            found[how] = overflows(tab) + clipped(tab)
            if sheet is not None:
                sheet.evaluate("node => node.remove()")
    assert {how: lost for how, lost in found.items() if lost} == {}


@pytest.mark.parametrize("name", ["es/index.html", "es/issues/2023-11/index.html"])
def test_a_number_stands_at_the_end_of_the_first_line_of_its_label_on_a_phone(
    server: str, browser: Browser, name: str
) -> None:
    """Spanish labels are longer, and take two lines or three."""
    with opened(browser, f"{server}{name}", PHONE) as tab:
        places: list[tuple[str, float, float]] = tab.evaluate(
            """() => [...document.querySelectorAll("td")]
              .filter((cell) => getComputedStyle(cell).display === "flex" && /^[\\d,]+$/.test(cell.textContent.trim()))
              .map((cell) => {
                const range = document.createRange();
                range.selectNodeContents(cell);
                const own = cell.getBoundingClientRect(), text = range.getBoundingClientRect();
                return [cell.dataset.label, text.top - own.top, own.right - text.right];
              })"""
        )
    assert len(places) >= 12
    assert [one for one in places if one[1] > 12 or abs(one[2]) > 1] == []


@some_pages
def test_a_page_can_be_used_by_keyboard_alone(site: Path, server: str, browser: Browser, name: str) -> None:
    with opened(browser, f"{server}{name}", DESKTOP) as tab:
        found = stops(tab)
        first = found[0]
        assert first.href == "#main"
        # What is folded is reached once it is unfolded.
        links = [
            str(link["href"])
            for link in soup_of(site / name).select("body a[href]")
            if link.find_parent("details") is None
        ]
        assert [stop.href for stop in found if stop.href] == links
        for stop in found:
            assert stop.outline >= 2, stop
            assert stop.inside, stop
        # The first link leads past everything that all pages have.
        tab.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        tab.goto(f"{server}{name}")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "main"


def too_small(tab: Page) -> list[str]:
    """Return what can be pressed and is too small for a finger.

    WCAG 2.5.8: 24 by 24 pixels, but for links in a line of text.
    """
    small: list[str] = tab.evaluate(
        """() => [...document.querySelectorAll("nav a, td a, .newest a, button, input")].filter((node) => {
          const box = node.getBoundingClientRect();
          return !node.classList.contains("skip-link") && (box.height < 24 || box.width < 24);
        }).map((node) => node.textContent)"""
    )
    return small


@some_pages
def test_what_can_be_pressed_is_large_enough_for_a_finger(server: str, browser: Browser, name: str) -> None:
    with opened(browser, f"{server}{name}", PHONE) as tab:
        assert too_small(tab) == []


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


def test_a_link_in_text_is_more_than_a_color(site: Path, browser: Browser) -> None:
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


def results_for(tab: Page, question: str) -> list[tuple[str, str]]:
    """Return the name and the excerpt of each part that is found."""
    field = tab.get_by_role("searchbox")
    field.fill(question)
    field.press("Enter")
    return [(one.locator("a").inner_text(), one.locator("p").inner_text()) for one in tab.locator(".results li").all()]


@pytest.mark.parametrize(
    ("language", "singular", "plural"),
    [
        ("", "homicide", "homicides"),
        ("", "agency", "agencies"),
        ("", "response", "Responses"),
        ("es/", "homicidio", "homicidios"),
        ("es/", "informe", "informes"),
    ],
)
def test_a_word_is_found_in_singular_and_plural(
    site: Path, browser: Browser, language: str, singular: str, plural: str
) -> None:
    with opened(browser, site / f"{language}search/index.html", DESKTOP) as tab:
        one, many = (results_for(tab, question) for question in (singular, plural))
        assert one == many != []
        # Words that only hold these letters are others.
        assert results_for(tab, singular[1:]) == []


def test_an_excerpt_is_of_whole_words_and_no_number_in_it_is_without_its_name(site: Path, browser: Browser) -> None:
    with opened(browser, site / "search/index.html", DESKTOP) as tab:
        found = dict(results_for(tab, "homicides"))
        (counts,) = [
            said for name, said in found.items() if name.startswith("Responses to incidents") and "Nov" in name
        ]
        # A sentence, and of the rows of tables the names: no number without its heading.
        assert counts.startswith("Homicide. Responses by incident type")
        assert not re.search(r"\b(?:5|20)\b", counts)
        assert tab.locator("mark").first.inner_text() in ("Homicide", "Homicides")
        text = {
            word for page in site.rglob("index.html") for word in re.findall(r"\w+", words(soup_of(page).find("main")))
        }
        for _, said in results_for(tab, "month"):
            assert said
            assert said.count("…") == said.startswith("… ") + said.endswith(" …")
            assert set(re.findall(r"\w+", said)) <= text


@pytest.mark.browser_matrix
def test_a_page_that_is_opened_as_a_file_leads_to_all_others(site: Path, browser: Browser) -> None:
    with opened(browser, site / "index.html", DESKTOP) as tab:
        for name in ("The program", "Methods", "Number checks", "Data", "Search", "Español"):
            tab.get_by_role("navigation").get_by_role("link", name=name, exact=True).first.click()
            assert tab.locator("h1").count() == 1
            tab.go_back()
        tab.get_by_role("link", name="Read the report for November 2023").click()
        assert "November 2023" in tab.locator("h1").inner_text()
