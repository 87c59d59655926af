"""One palette for pages, PDF, Word and charts: the same colors, readable on their grounds and apart for every eye."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.support.projects import REPOSITORY
from viputils.report import drawing

THEME = REPOSITORY / "report" / "theme"
Color = tuple[float, float, float]

# Linear light as people see it who lack one kind of cone, from G. M. Machado, M. M. Oliveira and L. A. F. Fernandes,
# "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, at full severity.
SIGHT = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(color: str) -> Color:
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(color: Color) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


def contrast(one: Color, other: Color) -> float:
    """The ratio of WCAG 2, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def seen(color: Color, sight: str) -> Color:
    red, green, blue = (max(0.0, sum(a * b for a, b in zip(row, color, strict=True))) for row in SIGHT[sight])
    return red, green, blue


def palettes() -> dict[str, dict[str, str]]:
    """The colors of the style sheet by name, bright and dark; the dark ones fall back to the bright."""
    css = (THEME / "report.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    bright, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", root)) for root in roots)
    return {"light": bright, "dark": bright | dark}


def test_the_contrast_ratio_is_that_of_the_standard() -> None:
    # Black on white is 21:1, and #777777 on white the well-known near miss of 4.48:1.
    assert contrast(linear("#000000"), linear("#ffffff")) == pytest.approx(21)
    assert contrast(linear("#777777"), linear("#ffffff")) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_every_ground_that_it_stands_on(scheme: str) -> None:
    colors = palettes()[scheme]
    texts = [(text, ground) for text in ("ink", "text", "muted") for ground in ("ground", "wash", "sand-wash")]
    texts += [("on-cover", "cover"), ("on-cover-muted", "cover"), ("ground", "ink")]
    for text, ground in texts:
        assert contrast(linear(colors[text]), linear(colors[ground])) >= 4.5, (text, ground)
    # Rules and the ring around what has the focus are no text: 3:1 is what the standard asks for.
    for ground in ("ground", "cover", "wash", "sand-wash"):
        assert contrast(linear(colors["sand"]), linear(colors[ground])) >= 3, ground


def test_the_pdf_has_the_colors_of_the_pages() -> None:
    typst = dict(
        re.findall(r"#let ([\w-]+) = rgb\(\"(#[0-9a-f]{6})\"\)", (THEME / "theme.typ").read_text(encoding="utf-8"))
    )
    pages = palettes()["light"]
    same = {"ink": "ink", "body-color": "text", "muted": "muted", "rule-color": "line", "wash": "wash", "sand": "sand"}
    assert {name: typst[name] for name in same} == {name: pages[other] for name, other in same.items()}
    assert typst["sand-wash"] == pages["sand-wash"]


def test_charts_have_the_colors_of_the_pages() -> None:
    pages = palettes()["light"]
    assert (pages["ink"], pages["muted"], pages["line"]) == (drawing.INK, drawing.MUTED, drawing.RULE)
    assert pages["wash"] == drawing.WASH
    for text in (drawing.INK, drawing.MUTED):
        assert contrast(linear(text), linear("#ffffff")) >= 4.5
        assert contrast(linear(text), linear(drawing.WASH)) >= 4.5
    # A column is no text, but what it shows must be seen.
    for column in (drawing.BAR, drawing.PAST_BAR):
        assert contrast(linear(column), linear("#ffffff")) >= 3


@pytest.mark.parametrize("sight", [None, *SIGHT])
def test_the_colors_of_a_chart_stay_apart_for_every_eye_and_in_gray(sight: str | None) -> None:
    """By their brightness alone, so that a copy in gray shows them as well."""
    colors = [linear(color) for color in (drawing.BAR, drawing.PAST_BAR, "#ffffff")]
    seen_so = [seen(color, sight) if sight else color for color in colors]
    for one, other in itertools.combinations(seen_so, 2):
        assert contrast(one, other) >= 1.8


def test_charts_on_a_dark_page_have_its_colors_and_can_be_read_there() -> None:
    pages, dark = palettes()["dark"], drawing.DARK
    assert (dark[drawing.INK], dark[drawing.MUTED], dark[drawing.RULE], dark[drawing.WASH]) == (
        pages["ink"], pages["muted"], pages["line"], pages["wash"]
    )  # fmt: skip
    for column in (drawing.BAR, drawing.PAST_BAR):
        assert contrast(linear(dark[column]), linear(pages["ground"])) >= 3
    assert contrast(linear(dark[drawing.BAR]), linear(dark[drawing.PAST_BAR])) >= 1.8


def test_the_shades_of_a_tile_map_stay_apart_and_their_text_can_be_read() -> None:
    for one, other in itertools.pairwise(drawing.SHADES):
        assert contrast(linear(one), linear(other)) >= 1.25
    for place, shade in enumerate(drawing.SHADES):
        assert contrast(linear(shade), linear(drawing.on_tile(place))) >= 4.5


def test_no_color_is_used_beside_the_palette() -> None:
    css = (THEME / "report.css").read_text(encoding="utf-8")
    rest = re.sub(r":root \{.*?\}", "", css, flags=re.DOTALL)
    # Charts are drawn for white, whatever the page is.
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rest)) - {"#ffffff"} == set()
