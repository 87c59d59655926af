"""Figures as accessible SVG charts: alt text made from the data, and the same numbers in a table beside it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final

import matplotlib as mpl
from IPython.display import Markdown
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from viputils.edition import Edition
from viputils.figures import breakdown
from viputils.periods import date_in_words
from viputils.project import Project
from viputils.tables import noun_of, number, trend_table
from viputils.texts import escape

# The report's palette, as in report/theme/report.css.
INK: Final = "#17324d"
MUTED: Final = "#55636f"
RULE: Final = "#c9d2d8"
BAR: Final = "#1f5f7a"
PAST_BAR: Final = "#8fb3c2"


def by_month(project: Project, edition: Edition) -> Markdown:
    """Show the trend measure of the fiscal year by month: a chart, and its numbers in a table.

    The image is in the Markdown itself, so that the notebook shows it wherever it is opened.
    """
    name = edition.program.report.trend
    if name is None:
        return Markdown("")
    year = edition.month.fiscal_year(edition.program.identity.fiscal_year_starts)
    counts = breakdown(edition.figures, name)["fytd"]
    months = edition.months
    values = [int(counts[str(month)]) for month in months]
    noun = noun_of(edition, name)
    words = edition.program.identity.year
    alt = (
        f"Column chart of {noun} by month in {words} {year.year}: "
        + ", ".join(f"{month.label} {number(value)}" for month, value in zip(months, values, strict=True))
        + "."
    )
    with mpl.rc_context():
        # A user's own settings of Matplotlib have no part in an issue.
        mpl.rcdefaults()
        drawn = columns_chart(project.fonts, [month.short_name for month in year.months()], values)
        data = base64.b64encode(_svg(drawn)).decode("ascii")
    caption = f"{escape(noun).capitalize()} by month, {words} {year.year} to {date_in_words(edition.month.span.end)}"
    image = f'![{caption}](data:image/svg+xml;base64,{data}){{#chart-by-month .chart fig-alt="{_attribute(alt)}"}}'
    return Markdown(f"## {escape(noun).capitalize()} by month\n\n{image}\n\n{trend_table(edition)}")


def _attribute(text: str) -> str:
    """Give text as the value of a Pandoc attribute."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def columns_chart(fonts: Path, names: list[str], values: list[int]) -> Figure:
    """Draw one column for each value, labelled with its number; a name without a value has only its place."""
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    newest = len(values) - 1
    for place, value in enumerate(values):
        axes.bar(place, value, width=0.68, color=BAR if place == newest else PAST_BAR)
        axes.annotate(
            number(value),
            (place, value),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontproperties=bold,
            fontsize=12.5,
        )
    axes.set_xticks(range(len(names)), names, fontproperties=regular, fontsize=12.5, color=MUTED)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, max([*values, 1]) * 1.14)
    axes.set_yticks([])
    axes.tick_params(length=0, pad=6)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def _svg(figure: Figure) -> bytes:
    """Write a chart as SVG: text as outlines and ids from a fixed salt, so that every machine makes the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "viputils"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
