"""Figures as accessible SVG charts: alt text made from the data, and the same numbers in a table beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

import matplotlib as mpl
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine

from viputils.edition import Edition
from viputils.figures import breakdown
from viputils.language import ENGLISH, Language
from viputils.project import Project
from viputils.tables import ages_table, noun_of, plural, signed_percent, trend_table
from viputils.texts import escape, words

# The report's palette, as in report/theme/report.css; and the two colours of columns, apart by their brightness.
INK: Final = "#123640"
MUTED: Final = "#4d5d64"
RULE: Final = "#cfd8da"
BAR: Final = "#1f5f7a"
PAST_BAR: Final = "#6b98ad"

# So many numbers fit side by side.
_LABELLED: Final = 12
_TICKS: Final = 20
# With so many columns, each has its number.
_FEW: Final = 6


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
    noun, language = noun_of(edition, name), edition.language
    kind = edition.program.identity.year
    alt = language.text(
        "Column chart of {measure} by month in {year} {number}: {counts}.",
        measure=noun,
        year=language.text(kind),
        number=year.year,
        counts=", ".join(
            f"{language.month(month)} {language.number(value)}" for month, value in zip(months, values, strict=True)
        ),
    )
    shown = escape(noun).capitalize()
    caption = words(
        language,
        "{measure} by month, {year} {number} to {end}",
        measure=shown,
        year=words(language, kind),
        number=str(year.year),
        end=language.date(edition.month.span.end),
    )
    title = words(language, "{measure} by month", measure=shown)
    names = [language.short_month(month) for month in year.months()]
    image = image_markdown(
        lambda: columns_chart(project.fonts, names, values, language), "chart-by-month", caption, alt
    )
    return Markdown(f"## {title}\n\n{image}\n\n{trend_table(edition)}")


def revisions_by_age(project: Project, ages: pd.DataFrame, label: str, name: str) -> Markdown:
    """Show how much months had been revised by each age: a chart, and its numbers in a table.

    Parameters
    ----------
    ages
        Of one measure, as ``vintages.by_age`` gives them.
    label
        What is counted.
    name
        The id of the chart.
    """
    shown = ages.dropna(subset=["median"])
    steps = [
        f"at age {row['age']} {signed_percent(row['median'])} (of {plural(row['months'], 'month')})"
        for row in shown.to_dict("records")
    ]
    if shown.empty:
        none = f"{escape(label)}: no month has a first number that a later one could be compared with in percent."
        return Markdown("\n\n".join([none, *([] if ages.empty else [ages_table(ages, label)])]))
    alt = f"Chart of the median change of {label} since the first number of the month, by age: {', '.join(steps)}."
    caption = (
        f"{escape(label)}: change since the first number in percent, by age of the month. The dot is the median; the "
        "bar reaches from the lowest change to the highest"
    )
    image = image_markdown(lambda: ages_chart(project.fonts, shown), name, caption, alt)
    return Markdown(f"{image}\n\n{ages_table(ages, label)}")


def ages_chart(fonts: Path, ages: pd.DataFrame) -> Figure:
    """Draw, for each age, the range of the changes as a line and the median as a labelled dot."""
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color=RULE, linewidth=1)
    axes.vlines(ages["age"], ages["smallest"].astype(float), ages["largest"].astype(float), color=PAST_BAR, linewidth=5)
    axes.plot(ages["age"], ages["median"].astype(float), "o", color=BAR, markersize=7)
    # Where there is no room for the numbers they stand in the table alone.
    for age, median in zip(ages["age"], ages["median"], strict=True) if len(ages) <= _LABELLED else ():
        axes.annotate(
            signed_percent(median),
            (age, float(median)),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontproperties=bold,
            fontsize=8.5,
        )
    ticks = list(ages["age"])[:: -(-len(ages) // _TICKS)]
    axes.set_xticks(ticks, [str(age) for age in ticks], fontproperties=regular, fontsize=11, color=MUTED)
    axes.set_xlabel("age of the month, in months", fontproperties=regular, fontsize=11, color=MUTED)
    axes.set_xlim(ages["age"].min() - 0.7, ages["age"].max() + 0.7)
    axes.yaxis.set_major_formatter(lambda value, _: signed_percent(value).replace(".0%", "%"))
    for text in axes.get_yticklabels():
        text.set(fontproperties=regular, fontsize=11, color=MUTED)
    axes.tick_params(length=0, pad=6)
    axes.spines[["top", "left", "right", "bottom"]].set_visible(False)
    return figure


def image_markdown(draw: Callable[[], Figure], name: str, caption: str, alt: str) -> str:
    """Give a chart as Markdown that holds the image itself, under an id, with its caption and its alternative text.

    The caption is Markdown, the alternative text is plain.
    """
    with mpl.rc_context():
        # A user's own settings of Matplotlib have no part in an issue.
        mpl.rcdefaults()
        data = base64.b64encode(_svg(draw())).decode("ascii")
    return f'![{caption}](data:image/svg+xml;base64,{data}){{#{name} .chart fig-alt="{_attribute(alt)}"}}'


def _attribute(text: str) -> str:
    """Give text as the value of a Pandoc attribute."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def columns_chart(fonts: Path, names: list[str], values: list[int], language: Language = ENGLISH) -> Figure:
    """Draw one column for each value, labelled with its number; a name without a value has only its place."""
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    newest = len(values) - 1
    for place, value in enumerate(values):
        axes.bar(place, value, width=0.68, color=BAR if place == newest else PAST_BAR)
        axes.annotate(
            language.number(value),
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


def panels_chart(
    fonts: Path, months: list[str], panels: list[tuple[str, list[int | None]]], language: Language
) -> Figure:
    """Draw a small column chart for each named row of values, two side by side and all of one scale.

    The newest value and the largest are labelled; where there are few, all are. What is missing has only its place.
    """
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(5.4, 1.65 * rows), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06))
    highest = max([1, *(value for _, values in panels for value in values if value is not None)])
    for place, (name, values) in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, 2, place)
        newest, largest = len(values) - 1, max((value for value in values if value is not None), default=0)
        for at, value in enumerate(values):
            if value is None:
                continue
            axes.bar(at, value, width=0.7, color=BAR if at == newest else PAST_BAR)
            if len(values) <= _FEW or at == newest or value == largest:
                axes.annotate(
                    language.number(value),
                    (at, value),
                    xytext=(0, 2),
                    textcoords="offset points",
                    ha="center",
                    color=INK,
                    fontproperties=bold,
                    fontsize=11,
                )
        axes.set_title(name, loc="left", color=INK, fontproperties=bold, fontsize=12.5)
        axes.set_xticks(range(len(months)), months, fontproperties=regular, fontsize=11, color=MUTED)
        axes.set_xlim(-0.6, len(months) - 0.4)
        axes.set_ylim(0, highest * 1.2)
        axes.set_yticks([])
        axes.tick_params(length=0, pad=4)
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(RULE)
    return figure


def _svg(figure: Figure) -> bytes:
    """Write a chart as SVG: text as outlines and ids from a fixed salt, so that every machine makes the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "viputils"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
