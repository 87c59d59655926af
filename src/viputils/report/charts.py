"""Figures as accessible SVG charts: alt text made from the data, and the same numbers in a table beside it."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import pandas as pd
from IPython.display import Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from viputils.config.language import ENGLISH, Language, message
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.core.text import capital, plural
from viputils.figures.assessment import Assessment
from viputils.figures.counts import breakdown
from viputils.figures.edition import Edition
from viputils.figures.stats.control_charts import ProcessChart, Rule
from viputils.figures.stats.intervals import Interval
from viputils.report.layout import NOT_AVAILABLE, div, signed_percent
from viputils.report.markdown import escape, words
from viputils.report.sections import noun_of, pace_table, trend_table, usual_range_table
from viputils.report.verdict_sections import ages_table

# The report's palette, as in report/theme/report.css; and the two colours of columns, apart by their brightness.
INK: Final = "#123640"
MUTED: Final = "#4d5d64"
RULE: Final = "#cfd8da"
BAR: Final = "#1f5f7a"
PAST_BAR: Final = "#6b98ad"

# So many numbers fit side by side, each right of its bar.
_LABELLED: Final = 6
_TICKS: Final = 20
# Smaller numbers are in the table alone.
_READABLE: Final = 7
# With so many columns, each has its number.
_FEW: Final = 6
_YEAR: Final = 12
# So many months from the edge, a label would reach over it.
_NEAR_THE_EDGE: Final = 4
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
    # Where there is no room for the numbers beside the bars they are in the table alone.
    has_room = ages["age"].max() - ages["age"].min() < _LABELLED
    for age, median in zip(ages["age"], ages["median"], strict=True) if has_room else ():
        axes.annotate(
            signed_percent(median),
            (age, float(median)),
            xytext=(6, 0),
            textcoords="offset points",
            ha="left",
            va="center",
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
    """Return a chart as Markdown that holds the image itself, under an id, with its caption and its alternative text.

    The caption is Markdown, the alternative text is plain.
    """
    with mpl.rc_context():
        # A user's own settings of Matplotlib have no part in an issue.
        mpl.rcdefaults()
        data = base64.b64encode(_svg(draw())).decode("ascii")
    return f'![{caption}](data:image/svg+xml;base64,{data}){{#{name} .chart fig-alt="{_attribute(alt)}"}}'


def _attribute(text: str) -> str:
    """Return text as the value of a Pandoc attribute."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def columns_chart(fonts: Path, names: list[str], values: Sequence[int | None], language: Language = ENGLISH) -> Figure:
    """Draw one column for each value, labelled where there is room; what is missing has only its place."""
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    newest = len(values) - 1
    known = [value for value in values if value is not None]
    size = _fitting(12.5, map(language.number, known), 355 / len(names))
    for place, value in enumerate(values):
        if value is None:
            continue
        axes.bar(place, value, width=0.68, color=BAR if place == newest else PAST_BAR)
        if size < _READABLE:
            continue
        axes.annotate(
            language.number(value),
            (place, value),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontproperties=bold,
            fontsize=size,
        )
    axes.set_xticks(range(len(names)), names, fontproperties=regular, fontsize=12.5, color=MUTED)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, max([1, *known]) * 1.14)
    axes.set_yticks([])
    axes.tick_params(length=0, pad=6)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def panels_chart(
    fonts: Path, months: list[str], panels: list[tuple[str, list[int | None]]], language: Language = ENGLISH
) -> Figure:
    """Draw a small column chart for each named row of values, two side by side and all of one scale.

    The newest value and the last of the largest are labelled; where there are few, all are. What is missing has only
    its place.
    """
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(5.4, 1.65 * rows), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06))
    highest = max([1, *(value for _, values in panels for value in values if value is not None)])
    for place, (name, values) in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, 2, place)
        newest = len(values) - 1
        known = [(value, at) for at, value in enumerate(values) if value is not None]
        _, largest = max(known, default=(0, 0))
        are_few = len(values) <= _FEW
        size = _fitting(11, (language.number(value) for value, _ in known), 150 / len(values)) if are_few else 11
        for at, value in enumerate(values):
            if value is None:
                continue
            axes.bar(at, value, width=0.7, color=BAR if at == newest else PAST_BAR)
            if are_few or at in (newest, largest):
                # Many columns are narrower than a number: it begins or ends where no column is higher.
                ha = "center" if are_few or newest == largest else "left" if at == newest else "right"
                axes.annotate(
                    language.number(value),
                    (at + {"center": 0, "left": -0.35, "right": 0.35}[ha], value),
                    xytext=(0, 2),
                    textcoords="offset points",
                    ha=ha,
                    color=INK,
                    fontproperties=bold,
                    fontsize=size,
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

    A month that completes a rule is a diamond with the rule's number beyond it, as seen from the average; the newest
    count is written at the right edge.
    """
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()

    def written(value: float) -> str:
        return language.number(round(value)) if is_count else f"{value:.2f}"

    def said(value: float) -> str:
        return language.number(round(value)) if is_count else f"{value:g}"

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
    below: list[tuple[float, int]] = []
    size = _fitting(11, ["(1)"], 350 / len(points))
    for place, (value, rules) in enumerate(zip(rate, points["rules"], strict=True)):
        # Below each other, so that the marks of two months beside each other stay apart.
        lines = [f"({number})" for number in rules.split()] if chart.is_even else []
        if lines:
            # Away from the average, so that no mark lies on its line.
            is_above = value >= chart.average
            below += [] if is_above else [(value, len(lines))]
            axes.annotate(
                "\n".join(lines),
                (place, value),
                xytext=(0, 6 if is_above else -6),
                textcoords="offset points",
                ha="center",
                va="bottom" if is_above else "top",
                color=INK,
                fontproperties=bold,
                fontsize=size,
                linespacing=0.95,
            )
    shown = [place for place, name in enumerate(names) if name]
    axes.set_xticks(shown, [names[place] for place in shown], fontproperties=regular, fontsize=12.5, color=MUTED)
    # The name of the first month reaches left of its place.
    axes.set_xlim(-max(0.6, 0.04 * len(points)), len(points) - 0.4)
    top = float(max(points["high"].max(), rate.max())) * 1.3 + (0.5 if is_count else 0)
    axes.set_ylim(min([0.0, *(value - lines * 0.09 * top for value, lines in below)]), top)
    if not pd.isna(rate.iloc[-1]):
        _write_at_edge(axes, bold, [(written(rate.iloc[-1]), float(rate.iloc[-1]))])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=is_count))
    axes.yaxis.set_major_formatter(lambda value, _: "" if value < 0 else said(value))
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

    ``at_end`` is where the first may end, as a bar at the last place. What ends there is written at the right edge.
    """
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    highest = max([1, *(value for _, values in lines for value in values if value is not None)])
    highest = max(highest, int(at_end.high) if at_end is not None else 0)
    axes.set_ylim(0, highest * 1.16)
    at_edge = []
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
        at, value = known[-1]
        label = f"{name}: {language.number(value)}"
        others = [one for _, other in lines for one in other[at : at + 1] if one is not None]
        is_below = any(value < one for one in others)
        # Right of the last months is the edge, and the bar.
        if at == len(names) - 1 or (is_below and at >= len(names) - _NEAR_THE_EDGE):
            at_edge.append((label, float(value)))
        else:
            _write_where_free(axes, bold, label, at, value, is_below)
    if at_end is not None:
        axes.vlines(len(names) - 1, at_end.low, at_end.high, color=PAST_BAR, linewidth=6)
        bounds = " - ".join(language.number(int(bound)) for bound in at_end)
        at_edge.append((f"{lines[0][0]}:\n{bounds}", (at_end.low + at_end.high) / 2))
    axes.set_xticks(range(len(names)), names, fontproperties=regular, fontsize=11, color=MUTED)
    axes.set_xlim(-0.6, len(names) - 0.4)
    _write_at_edge(axes, bold, at_edge)
    axes.set_yticks([])
    axes.tick_params(length=0, pad=5)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    return figure


def _fitting(size: float, texts: Iterable[str], room: float) -> float:
    """Return the size at which every text fits into so many points; a digit is 0.62 as wide as its size."""
    return min([size, *(room / (0.62 * len(text)) for text in texts)])


def _write_where_free(axes: Axes, font: FontProperties, text: str, at: int, value: int, is_below: bool) -> None:
    """Write beside the end of a line that rises: left above it, or right below it where another line is above."""
    top = axes.get_ylim()[1]
    axes.annotate(
        text,
        # Not as low as the names of the months.
        (at, max(value - 0.03 * top, 0.06 * top) if is_below else value),
        xytext=(9, 0) if is_below else (0, 8),
        textcoords="offset points",
        # Left of the first months is the edge.
        ha="left" if is_below or at < 2 else "right",
        va="center" if is_below else "bottom",
        color=INK,
        fontproperties=font,
        fontsize=12,
    )


def _write_at_edge(axes: Axes, font: FontProperties, labels: Sequence[tuple[str, float]]) -> None:
    """Write right of the chart, each label as high as its value, or above the one below it."""
    low, high = axes.get_ylim()
    # So high is a line of text.
    line = 0.085 * (high - low)
    size = _fitting(12, (part for text, _ in labels for part in text.split("\n")), 80)
    free = low - line
    for text, value in sorted(labels, key=lambda one: one[1]):
        height = line * len(text.split("\n"))
        place = max(value, free + height / 2)
        free = place + height / 2
        axes.annotate(
            text,
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            color=INK,
            fontproperties=font,
            fontsize=size,
            linespacing=1,
            annotation_clip=False,
        )


def _svg(figure: Figure) -> bytes:
    """Write a chart as SVG: text as outlines and ids from a fixed salt, so that every machine makes the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "viputils"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
