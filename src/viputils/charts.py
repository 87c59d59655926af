"""Figures as accessible SVG charts: alt text made from the data, and the same numbers in a table beside it."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from viputils.assessment import Assessment
from viputils.edition import Edition
from viputils.figures import breakdown
from viputils.intervals import Interval
from viputils.language import ENGLISH, Language, capital, message, plural
from viputils.periods import ReportMonth
from viputils.project import Project
from viputils.signals import ProcessChart, Rule
from viputils.tables import (
    NOT_AVAILABLE,
    ages_table,
    div,
    noun_of,
    pace_table,
    signed_percent,
    trend_table,
    usual_range_table,
)
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
_YEAR: Final = 12
# So many names of months fit below a line.
_NAMED: Final = 9


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
    shown = capital(escape(noun))
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


def usual_range(project: Project, edition: Edition, found: Assessment | None) -> Markdown:
    """Show the months that the report follows beside what is usual: a process-behaviour chart, and its numbers.

    The limits of the newest month come from the months before it.

    Parameters
    ----------
    found
        As ``assess`` gives it; without it there is no such part.
    """
    if found is None or not found.whole.chart.is_enough:
        return Markdown("")
    language, chart = edition.language, found.whole.chart
    points, months = chart.points, list(chart.points.index)
    values = {
        "measure": noun_of(edition, found.whole.measure),
        "average": language.average(chart.average),
        "low": language.number(found.whole.low),
        "high": language.number(found.whole.high),
    }
    marked = {month: chart.marks_at(month) for month in chart.marked.index}
    counts = ", ".join(
        f"{language.month(month)} {_known(language, value)}"
        for month, value in zip(months, points["value"], strict=True)
    )
    text = message(
        "Chart of {measure} by month: {counts}. The average of the months before the newest is {average}; for the "
        "newest, chance alone would seldom give fewer than {low} or more than {high}."
    )
    if not found.whole.low:
        text = message(
            "Chart of {measure} by month: {counts}. The average of the months before the newest is {average}; for the "
            "newest, chance alone would seldom give more than {high}."
        )
    alt = language.text(text, counts=counts, **values)
    alt += " " + _signals_in_words(language, marked)
    values = {name: escape(value) for name, value in values.items()}
    caption = words(
        language,
        "{measure} by month. The line in the middle is the average, about {average}; the band is what chance alone "
        "would seldom leave",
        **(values | {"measure": capital(values["measure"])}),
    )
    names = month_names(months, language)
    image = image_markdown(
        lambda: limits_chart(project.fonts, names, chart, language), "chart-usual-range", caption, alt
    )
    title = words(language, "{measure}: what is usual", measure=capital(values["measure"]))
    return Markdown(f"## {title}\n\n{image}\n\n{usual_range_table(edition, found)}")


def pace(project: Project, edition: Edition, found: Assessment | None) -> Markdown:
    """Show how the fiscal year goes on beside the year before, month by month: a chart, and its numbers in a table.

    Parameters
    ----------
    found
        As ``assess`` gives it; without it there is no such part.
    """
    if found is None or len(found.pace.year_before) == 0:
        return Markdown("")
    language, pace = edition.language, found.pace
    year = edition.month.fiscal_year(edition.program.identity.fiscal_year_starts)
    kind, noun = edition.program.identity.year, noun_of(edition, found.whole.measure)
    until = found.pace.year_before.to_dict().get(edition.month.plus(-12))
    values = {
        "measure": noun,
        "year": language.text(kind),
        "number": str(year.year),
        "before": str(year.year - 1),
        "month": language.month(edition.month),
        "count": _known(language, pace.this_year.iloc[-1]),
        "count_before": _known(language, until),
        "month_before": language.month(edition.month.plus(-12)),
    }
    alt = language.text(
        "Line chart of {measure} added up over {year} {number}: {count} by the end of {month}. In {year} {before} it "
        "was {count_before} by the end of {month_before}.",
        **values,
    )
    at_end = ""
    if pace.at_end is not None:
        bounds = {"low": language.number(int(pace.at_end.low)), "high": language.number(int(pace.at_end.high))}
        sentence = language.text(
            "If the rest of the year goes on as it has so far, it ends between {low} and {high}.", **bounds
        )
        alt += f" {sentence}"
        at_end = div("note", escape(sentence))
    elif len(pace.this_year) < _YEAR:
        text = message("How the year will end is not reckoned: too little is known of it so far.")
        if not pace.is_even:
            text = message(
                "How the year will end is not reckoned: its months so far, or those of the year before, differ from "
                "each other more than chance alone would make them."
            )
        at_end = div("note", words(language, text))
    caption = words(
        language,
        "{measure} added up over the {year}, {number} and {before}",
        **{name: escape(value) for name, value in (values | {"measure": capital(noun)}).items()},
    )
    names = [language.short_month(month) for month in year.months()]
    lines = [(str(year.year), _numbers(pace.this_year)), (str(year.year - 1), _numbers(pace.year_before))]
    image = image_markdown(
        lambda: lines_chart(project.fonts, names, lines, pace.at_end, language), "chart-pace", caption, alt
    )
    title = words(
        language, "{measure}: this {year} and the one before", measure=capital(escape(noun)), year=values["year"]
    )
    return Markdown(f"## {title}\n\n{image}\n\n{pace_table(edition, pace)}\n\n{at_end}".rstrip())


def _signals_in_words(language: Language, marked: dict[ReportMonth, list[Rule]]) -> str:
    if not marked:
        return language.text("No month is marked.")
    each = [
        f"{language.month(month)} ({'; '.join(language.text(rule.words) for rule in rules)})"
        for month, rules in marked.items()
    ]
    return language.text("Marked: {months}.", months=", ".join(each))


def _known(language: Language, value: object) -> str:
    return NOT_AVAILABLE if pd.isna(value) else language.number(int(value))  # type: ignore[call-overload]


def _numbers(values: pd.Series) -> list[int | None]:
    return [None if pd.isna(value) else int(value) for value in values]


def month_names(months: Sequence[ReportMonth], language: Language = ENGLISH) -> list[str]:
    """Name so many months of an axis as fit, the newest among them, each year where it begins; the others are ""."""
    step = -(-len(months) // _NAMED)
    names, year = [], None
    for place, month in enumerate(months):
        is_named = (len(months) - 1 - place) % step == 0
        begins = f"\n{month.year}" if is_named and month.year != year else ""
        names.append(language.short_month(month) + begins if is_named else "")
        year = month.year if is_named else year
    return names


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


def columns_chart(fonts: Path, names: list[str], values: Sequence[int | None], language: Language = ENGLISH) -> Figure:
    """Draw one column for each value, labelled with its number; what is missing has only its place."""
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    newest = len(values) - 1
    for place, value in enumerate(values):
        if value is None:
            continue
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
    axes.set_ylim(0, max([1, *(value for value in values if value is not None)]) * 1.14)
    axes.set_yticks([])
    axes.tick_params(length=0, pad=6)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def panels_chart(
    fonts: Path, months: list[str], panels: list[tuple[str, list[int | None]]], language: Language = ENGLISH
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
        # Half a chart is as wide as so many letters.
        title = textwrap.fill(name, 25)
        axes.set_title(title, loc="left", color=INK, fontproperties=bold, fontsize=12.5)
        axes.set_xticks(range(len(months)), months, fontproperties=regular, fontsize=11, color=MUTED)
        axes.set_xlim(-0.6, len(months) - 0.4)
        axes.set_ylim(0, highest * 1.2)
        axes.set_yticks([])
        axes.tick_params(length=0, pad=4)
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(RULE)
    return figure


def limits_chart(fonts: Path, names: list[str], chart: ProcessChart, language: Language = ENGLISH) -> Figure:
    """Draw a process-behaviour chart: a line of counts, the average, the band of chance, and a mark for each signal.

    A month that completes a rule is a diamond with the rule's number beside it; the newest count is written out.
    """
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()

    def written(value: float) -> str:
        return language.number(round(value)) if is_count else f"{value:.2f}"

    points = chart.points
    at = range(len(points))
    rate = points["rate"].astype("float64")
    is_count = bool(points["exposure"].eq(1).all())
    axes.fill_between(at, points["low"], points["high"], color=RULE, alpha=0.55, linewidth=0, step="mid")
    axes.axhline(chart.average, color=MUTED, linewidth=1.2)
    axes.plot(at, rate, color=PAST_BAR, linewidth=1.6)
    signals = points.index.isin(chart.marked.index)
    axes.plot([one for one in at if not signals[one]], rate[~signals], "o", color=BAR, markersize=5.5)
    axes.plot([one for one in at if signals[one]], rate[signals], "D", color=INK, markersize=7)
    for place, (value, rules) in enumerate(zip(rate, points["rules"], strict=True)):
        lines = [written(value)] if place == len(points) - 1 and not pd.isna(value) else []
        # Below each other, so that the marks of two months beside each other stay apart.
        lines += [f"({number})" for number in rules.split()] if chart.is_even else []
        if lines:
            axes.annotate(
                "\n".join(lines),
                (place, value),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                color=INK,
                fontproperties=bold,
                fontsize=11,
                linespacing=0.95,
            )
    shown = [place for place, name in enumerate(names) if name]
    axes.set_xticks(shown, [names[place] for place in shown], fontproperties=regular, fontsize=12.5, color=MUTED)
    axes.set_xlim(-0.6, len(points) - 0.4)
    axes.set_ylim(0, float(max(points["high"].max(), rate.max())) * 1.3 + (0.5 if is_count else 0))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=is_count))
    axes.yaxis.set_major_formatter(lambda value, _: language.number(round(value)) if is_count else f"{value:g}")
    for label in axes.get_yticklabels():
        label.set(fontproperties=regular, fontsize=12.5, color=MUTED)
    axes.tick_params(length=0, pad=5)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def course_chart(fonts: Path, course: pd.DataFrame, until: int) -> Figure:
    """Draw a share that rises day by day as steps, with its band, from 0 to the last day that anybody was watched."""
    regular = FontProperties(fname=fonts / "PublicSans-Regular.ttf")
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    days = [0, *course["day"], until]
    steps = {name: [0.0, *course[name], course[name].iloc[-1]] for name in ("share", "low", "high")}
    axes.fill_between(days, steps["low"], steps["high"], step="post", color=RULE, alpha=0.55, linewidth=0)
    axes.step(days, steps["share"], where="post", color=BAR, linewidth=2)
    axes.set_xlim(0, until)
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_xlabel("days after the notification", fontproperties=regular, fontsize=11, color=MUTED)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontproperties=regular, fontsize=11, color=MUTED)
    axes.tick_params(length=0, pad=5)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def lines_chart(
    fonts: Path,
    names: list[str],
    lines: list[tuple[str, list[int | None]]],
    at_end: Interval | None,
    language: Language,
) -> Figure:
    """Draw named lines over the same places: the first is solid, the others are dashed. Each ends in its number.

    ``at_end`` is where the first may end, as a bar at the last place.
    """
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    highest = max([1, *(value for _, values in lines for value in values if value is not None)])
    for place, (name, values) in enumerate(lines):
        known = [(at, value) for at, value in enumerate(values) if value is not None]
        if not known:
            continue
        is_first = place == 0
        axes.plot(
            [at for at, _ in known],
            [value for _, value in known],
            "-o" if is_first else "--",
            color=BAR if is_first else MUTED,
            linewidth=2.4 if is_first else 1.4,
            markersize=5,
        )
        axes.annotate(
            f"{name}: {language.number(known[-1][1])}",
            known[-1],
            xytext=(0, 8) if known[-1][0] < len(names) - 1 else (2, 6),
            textcoords="offset points",
            ha="right",
            color=INK,
            fontproperties=bold,
            fontsize=12,
        )
    if at_end is not None:
        highest = max(highest, int(at_end.high))
        axes.vlines(len(names) - 1, at_end.low, at_end.high, color=PAST_BAR, linewidth=6)
        axes.annotate(
            " - ".join(language.number(int(bound)) for bound in at_end),
            (len(names) - 1, at_end.low),
            xytext=(0, -16),
            textcoords="offset points",
            ha="right",
            color=INK,
            fontproperties=regular,
            fontsize=11,
        )
    axes.set_xticks(range(len(names)), names, fontproperties=regular, fontsize=11, color=MUTED)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, highest * 1.16)
    axes.set_yticks([])
    axes.tick_params(length=0, pad=5)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def _svg(figure: Figure) -> bytes:
    """Write a chart as SVG: text as outlines and ids from a fixed salt, so that every machine makes the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "viputils"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
