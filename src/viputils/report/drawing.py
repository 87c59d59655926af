"""Draw charts with Matplotlib, and write them as SVG. Nothing here knows what is counted."""

from __future__ import annotations

import base64
import io
import locale
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from viputils.config.language import ENGLISH, Language
from viputils.core.months import ReportMonth
from viputils.figures.stats.control_charts import ProcessChart
from viputils.figures.stats.intervals import Interval
from viputils.report.layout import attribute, signed_percent

# The colors of report/theme/report.css, and the two colors of columns, which differ in brightness.
INK: Final = "#123640"
MUTED: Final = "#4d5d64"
RULE: Final = "#cfd8da"
WASH: Final = "#f2f6f6"
BAR: Final = "#1f5f7a"
PAST_BAR: Final = "#6b98ad"

# The same colors on a dark page, as in report.css.
DARK: Final = {INK: "#d9eef2", MUTED: "#a9b8bd", RULE: "#3b4b51", WASH: "#18252a", BAR: "#8fd0e6", PAST_BAR: "#4f8aa3"}

# The shades of tiles, the same on a dark page. The text on the last one is white.
SHADES: Final = ("#eef4f5", "#bfd6de", "#84b1c2", "#1d5d78")
_ON_TILE: Final = "#0f2f39"

# In inches and in points: the text of a chart is then about as large as the text of the page, on any screen.
SIZE: Final = (4.0, 2.5)
# The width of charts in notebooks.
WIDE: Final = 8.0
TEXT: Final = 11.5

# How many numbers fit beside each other, each to the right of its bar.
_LABELED: Final = 4
_TICKS: Final = 12
# Smaller numbers appear only in the table.
_READABLE: Final = 7
# Up to this many columns, each has its number.
_FEW: Final = 6
# A label that starts within this many months of the right edge would cross it.
_NEAR_THE_EDGE: Final = 4
# How many letters fit above half of a chart.
_HALF_WIDTH: Final = 21
# How many month names fit below a chart.
_NAMED: Final = 6


def fonts_in(folder: Path) -> tuple[FontProperties, FontProperties]:
    """Return the regular and the bold font of the report."""
    regular, bold = (FontProperties(fname=folder / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    return regular, bold


def month_names(months: Sequence[ReportMonth], language: Language = ENGLISH) -> list[str]:
    """Return the months of an axis by name, as many as fit, with the newest and each new year; the others are ""."""
    step = -(-len(months) // _NAMED)
    names, year = [], None
    for place, month in enumerate(months):
        is_named = (len(months) - 1 - place) % step == 0
        begins = f"\n{month.year}" if is_named and month.year != year else ""
        names.append(language.short_month(month) + begins if is_named else "")
        year = month.year if is_named else year
    return names


def image_markdown(
    draw: Callable[[], Figure],
    name: str,
    caption: str,
    alt: str,
    source: str = "",
    mark: tuple[str, Path] | None = None,
) -> str:
    """Return a chart as Markdown that contains the image itself.

    Parameters
    ----------
    name
        The id of the image.
    caption
        Markdown: what the chart shows.
    alt, source
        Plain text: the alternative text, and where the numbers come from.
    mark
        The words to write inside the picture, and the folder of their font.
    """
    with mpl.rc_context(), _no_locale():
        # A user's own settings for Matplotlib must not change an issue.
        mpl.rcdefaults()
        figure = draw()
        if mark is not None:
            regular, _ = fonts_in(mark[1])
            figure.suptitle(mark[0], x=0.995, ha="right", fontproperties=regular, fontsize=9, color=MUTED)
        data = base64.b64encode(_svg(figure)).decode("ascii")
    attributes = f'fig-alt="{attribute(alt)}"' + (f' source="{attribute(source)}"' if source else "")
    return f"![{caption}](data:image/svg+xml;base64,{data}){{#{name} .chart {attributes}}}"


def columns_chart(
    fonts: Path,
    names: list[str],
    values: Sequence[int | None],
    language: Language = ENGLISH,
    marked: int = 1,
    width: float = SIZE[0],
) -> Figure:
    """Draw one column for each value, labeled where there is room. A missing value leaves its place empty.

    Parameters
    ----------
    marked
        How many of the last columns are dark.
    width
        In inches.
    """
    regular, bold = fonts_in(fonts)
    figure = Figure(figsize=(width, SIZE[1]), layout="constrained")
    axes = figure.add_subplot()
    newest = len(values) - 1
    known = [value for value in values if value is not None]
    size = _fitting(TEXT, map(language.number, known), (265 + 54 * (width - SIZE[0])) / len(names))
    for place, value in enumerate(values):
        if value is None:
            continue
        axes.bar(place, value, width=0.68, color=BAR if place > newest - marked else PAST_BAR)
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
    _name_places(axes, regular, names, newest, len(names) if "" in names else 9)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, max([1, *known]) * 1.14)
    axes.set_yticks([])
    _leave_base_line(axes, pad=6)
    return figure


def one_flattens_the_rest(panels: Sequence[tuple[str, Sequence[int | None]]]) -> bool:
    """Return whether, on one scale, the columns of most panels would be less than a fifth as high as the highest."""
    highest = sorted(max((value or 0 for value in values), default=0) for _, values in panels)
    return len(highest) > 1 and highest[(len(highest) - 1) // 2] * 5 < highest[-1]


def panels_chart(
    fonts: Path,
    months: list[str],
    panels: list[tuple[str, list[int | None]]],
    language: Language = ENGLISH,
    own_scales: bool = False,
    width: float = SIZE[0],
) -> Figure:
    """Draw a small column chart for each named row of values, two side by side, on one scale or each on its own.

    If there are few values, each has a label; otherwise the newest and the last of the largest have one. A missing
    value leaves its place empty. A month without a name has none below it.
    """
    regular, bold = fonts_in(fonts)
    rows = -(-len(panels) // 2)
    lines = max((month.count("\n") for month in months), default=0)
    figure = Figure(figsize=(width, (1.4 + 0.2 * lines) * rows), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06))
    highest = max([1, *(value for _, values in panels for value in values if value is not None)])
    for place, (name, values) in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, 2, place)
        newest = len(values) - 1
        known = [(value, at) for at, value in enumerate(values) if value is not None]
        _, largest = max(known, default=(0, 0))
        are_few = len(values) <= _FEW
        size = (
            _fitting(TEXT, (language.number(value) for value, _ in known), 110 * width / SIZE[0] / len(values))
            if are_few
            else TEXT
        )
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
        title = textwrap.fill(name, round(_HALF_WIDTH * width / SIZE[0]))
        axes.set_title(title, loc="left", color=INK, fontproperties=bold, fontsize=TEXT)
        named = [at for at, month in enumerate(months) if month]
        axes.set_xticks(named, [months[at] for at in named], fontproperties=regular, fontsize=TEXT, color=MUTED)
        axes.set_xlim(-0.6, len(months) - 0.4)
        axes.set_ylim(0, (max([1, *(value for value, _ in known)]) if own_scales else highest) * 1.2)
        axes.set_yticks([])
        _leave_base_line(axes, pad=4)
    return figure


@dataclass(frozen=True)
class Tile:
    """One tile of a map: its name, its place from 1 on, the number that shades it, and a line below the number."""

    name: str
    row: int
    column: int
    value: int
    below: str


def tiles_chart(fonts: Path, tiles: Sequence[Tile], language: Language = ENGLISH) -> Figure:
    """Draw tiles in up to four shades. Small squares in each tile and in the legend show the shade without color."""
    regular, bold = fonts_in(fonts)
    rows, columns = max(tile.row for tile in tiles), max(tile.column for tile in tiles)
    step = -(-(max(tile.value for tile in tiles) + 1) // len(SHADES))
    number = max(tile.value for tile in tiles) // step + 1
    wide = 4 / max(columns, 4)
    figure = Figure(figsize=(SIZE[0], SIZE[0] * (rows / max(columns, 4)) * 0.86 + 0.55), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(0, max(columns, 4))
    axes.set_ylim(rows + 0.36, 0)
    axes.set_axis_off()
    name_size = _fitting(TEXT, (tile.name for tile in tiles), 62 * wide)
    for tile in tiles:
        left, top, shade = tile.column - 1, tile.row - 1, tile.value // step
        color = on_tile(shade)
        axes.add_patch(_square(left + 0.02, top + 0.02, 0.96, 0.96, shade))
        for text, down, size, font in (
            (tile.name, 0.17, name_size, regular),
            (language.number(tile.value), 0.44, _fitting(16.0, [language.number(tile.value)], 58) * wide, bold),
            (tile.below, 0.72, _fitting(9.5, [tile.below], 64) * wide, regular),
        ):
            place = (left + 0.5, top + down)
            axes.text(*place, text, ha="center", va="center", color=color, fontproperties=font, fontsize=size)
        _write_shade(axes, left + 0.5, top + 0.9, shade, color)
    for shade in range(number):
        edge = shade * max(columns, 4) / len(SHADES)
        axes.add_patch(_square(edge + 0.02, rows + 0.14, 0.24, 0.2, shade))
        _write_shade(axes, edge + 0.14, rows + 0.24, shade, on_tile(shade))
        low, high = shade * step, (shade + 1) * step - 1
        span = language.number(low) if low == high else f"{language.number(low)}-{language.number(high)}"
        axes.text(edge + 0.31, rows + 0.24, span, va="center", color=MUTED, fontproperties=regular, fontsize=10)
    return figure


def on_tile(shade: int) -> str:
    """Return the color of text on a tile of a shade, from 0 on."""
    return "#ffffff" if shade == len(SHADES) - 1 else _ON_TILE


def _square(left: float, top: float, width: float, height: float, shade: int) -> Rectangle:
    return Rectangle((left, top), width, height, facecolor=SHADES[shade], edgecolor=SHADES[-1])


def _write_shade(axes: Axes, center: float, down: float, shade: int, color: str) -> None:
    """Draw as many small squares as the number of the shade, from 1 on."""
    side, gap = 0.045, 0.06
    left = center - (shade * gap + side) / 2
    for place in range(shade + 1):
        axes.add_patch(Rectangle((left + place * gap, down - side / 2), side, side, facecolor=color, linewidth=0))


def limits_chart(fonts: Path, names: list[str], chart: ProcessChart, language: Language = ENGLISH) -> Figure:
    """Draw a process behavior chart: a line of counts, the average, the band of chance, and a mark for each signal.

    The average is a step if the level changed.

    A month that completes a rule is a diamond with the rule's number beyond it, as seen from the average; the newest
    count is written at the right edge.
    """
    regular, bold = fonts_in(fonts)
    figure = Figure(figsize=SIZE, layout="constrained")
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
    edges = [one + side for one in at for side in (-0.5, 0.5)]
    # To both edges, as the limits are drawn around each month.
    axes.plot(
        [-len(points), *edges, 2 * len(points)],
        points["average"].repeat(2).iloc[[0, *range(len(edges)), -1]],
        color=MUTED,
        linewidth=1.2,
    )
    axes.plot(at, rate, color=PAST_BAR, linewidth=1.6)
    signals = points.index.isin(chart.marked.index)
    axes.plot([one for one in at if not signals[one]], rate[~signals], "o", color=BAR, markersize=5.5)
    axes.plot([one for one in at if signals[one]], rate[signals], "D", color=INK, markersize=7)
    below: list[tuple[float, int]] = []
    size = _fitting(TEXT, ["(1)"], 230 / len(points))
    for place, (value, rules) in enumerate(zip(rate, points["rules"], strict=True)):
        # Below each other, so that the marks of two months beside each other stay apart.
        lines = [f"({number})" for number in rules.split()] if chart.is_even else []
        if lines:
            # Away from the average, so that no mark lies on its line.
            is_above = value >= points["average"].iloc[place]
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
    axes.set_xticks(shown, [names[place] for place in shown], fontproperties=regular, fontsize=TEXT, color=MUTED)
    # The name of the first month reaches left of its place.
    axes.set_xlim(-max(0.6, 0.04 * len(points)), len(points) - 0.4)
    top = float(max(points["high"].max(), rate.max())) * 1.3 + (0.5 if is_count else 0)
    axes.set_ylim(min([0.0, *(value - lines * 0.09 * top for value, lines in below)]), top)
    at_edge = []
    if chart.is_enough:
        low, high = (float(points[side].iloc[-1]) for side in ("low", "high"))
        at_edge = [(language.text("normal:\n{low} to {high}", low=written(low), high=written(high)), low, regular)]
        # A line with a step has several averages. They are written beside the chart.
        if len(points["average"].dropna().unique()) == 1:
            average = language.text("average: {number}", number=written(chart.average))
            at_edge = [(average, chart.average, regular), *at_edge]
    if not pd.isna(rate.iloc[-1]):
        at_edge.append((written(rate.iloc[-1]), float(rate.iloc[-1]), bold))
    _write_at_edge(axes, at_edge)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=is_count))
    axes.yaxis.set_major_formatter(lambda value, _: "" if value < 0 else said(value))
    for label in axes.get_yticklabels():
        label.set(fontproperties=regular, fontsize=TEXT, color=MUTED)
    _leave_base_line(axes, pad=5)
    return figure


def lines_chart(
    fonts: Path,
    names: list[str],
    lines: list[tuple[str, list[int | None]]],
    at_end: Interval | None,
    language: Language,
) -> Figure:
    """Draw named lines over the same places: the first is solid, the others are dashed. Each ends in its number.

    ``at_end`` is the range in which the first may end, drawn as a bar at the last place. The labels of lines that
    reach the last place are at the right edge.
    """
    regular, bold = fonts_in(fonts)
    figure = Figure(figsize=SIZE, layout="constrained")
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
        # To the right of the last months are the edge and the bar.
        if at == len(names) - 1 or (is_below and at >= len(names) - _NEAR_THE_EDGE):
            at_edge.append((label, float(value), bold))
        else:
            _write_where_free(axes, bold, label, at, value, is_below)
    if at_end is not None:
        axes.vlines(len(names) - 1, at_end.low, at_end.high, color=PAST_BAR, linewidth=6)
        bounds = " - ".join(language.number(int(bound)) for bound in at_end)
        at_edge.append((f"{lines[0][0]}:\n{bounds}", (at_end.low + at_end.high) / 2, bold))
    first = next((place for place, value in enumerate(lines[0][1][::-1]) if value is not None), 0)
    _name_places(axes, regular, names, len(lines[0][1]) - 1 - first, most=6)
    axes.set_xlim(-0.6, len(names) - 0.4)
    _write_at_edge(axes, at_edge)
    axes.set_yticks([])
    _leave_base_line(axes, pad=5)
    return figure


def ages_chart(fonts: Path, ages: pd.DataFrame) -> Figure:
    """Draw, for each age, the range of the changes as a line and the median as a labeled dot."""
    regular, bold = fonts_in(fonts)
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color=RULE, linewidth=1)
    axes.vlines(ages["age"], ages["smallest"].astype(float), ages["largest"].astype(float), color=PAST_BAR, linewidth=5)
    axes.plot(ages["age"], ages["median"].astype(float), "o", color=BAR, markersize=7)
    # Without room for the numbers beside the bars, they appear only in the table.
    has_room = ages["age"].max() - ages["age"].min() < _LABELED
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
            fontsize=TEXT,
        )
    ticks = list(ages["age"])[:: -(-len(ages) // _TICKS)]
    axes.set_xticks(ticks, [str(age) for age in ticks], fontproperties=regular, fontsize=TEXT, color=MUTED)
    axes.set_xlabel("age of the month, in months", fontproperties=regular, fontsize=TEXT, color=MUTED)
    axes.set_xlim(ages["age"].min() - 0.7, ages["age"].max() + 0.7)
    axes.yaxis.set_major_formatter(lambda value, _: signed_percent(value).replace(".0%", "%"))
    for text in axes.get_yticklabels():
        text.set(fontproperties=regular, fontsize=TEXT, color=MUTED)
    axes.tick_params(length=0, pad=6)
    axes.spines[["top", "left", "right", "bottom"]].set_visible(False)
    return figure


def course_chart(fonts: Path, course: pd.DataFrame, until: int) -> Figure:
    """Draw a share that rises day by day as steps, with its band, from 0 to the last day with anyone observed."""
    regular, _ = fonts_in(fonts)
    figure = Figure(figsize=SIZE, layout="constrained")
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
    axes.set_xlabel("days after the notification", fontproperties=regular, fontsize=TEXT, color=MUTED)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontproperties=regular, fontsize=TEXT, color=MUTED)
    _leave_base_line(axes, pad=5)
    return figure


def _name_places(axes: Axes, font: FontProperties, names: Sequence[str], newest: int, most: int = 9) -> None:
    """Write names below their places, among them the newest and the last; every second or third if room is short."""
    step = -(-len(names) // most)
    shown = [place for place in range(len(names)) if (place - newest) % step == 0]
    if shown[-1] != newest:
        shown[-1] = len(names) - 1
    axes.set_xticks(shown, [names[place] for place in shown], fontproperties=font, fontsize=TEXT, color=MUTED)


def _leave_base_line(axes: Axes, pad: int) -> None:
    """Remove the frame and the tick marks, except the line below; ``pad`` is the space before the names, in points."""
    axes.tick_params(length=0, pad=pad)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _fitting(size: float, texts: Iterable[str], room: float) -> float:
    """Return the size at which every text fits into ``room`` points. A digit is 0.62 times as wide as its size."""
    return min([size, *(room / (0.62 * len(text)) for text in texts)])


def _write_where_free(axes: Axes, font: FontProperties, text: str, at: int, value: int, is_below: bool) -> None:
    """Write beside the end of a rising line: above and to the left, or to the right if another line is above it."""
    top = axes.get_ylim()[1]
    axes.annotate(
        text,
        # Above the names of the months.
        (at, max(value - 0.03 * top, 0.06 * top) if is_below else value),
        xytext=(9, 0) if is_below else (0, 8),
        textcoords="offset points",
        # To the left of the first months is the edge.
        ha="left" if is_below or at < 2 else "right",
        va="center" if is_below else "bottom",
        color=INK,
        fontproperties=font,
        fontsize=TEXT,
    )


def _write_at_edge(axes: Axes, labels: Sequence[tuple[str, float, FontProperties]]) -> None:
    """Write labels to the right of the chart, each at the height of its value, or above the label below it."""
    low, high = axes.get_ylim()
    # The height of one line of text.
    line = 0.1 * (high - low)
    size = _fitting(TEXT, (part for text, _, _ in labels for part in text.split("\n")), 84)
    # Below the line are the names of the months.
    free = low
    for text, value, font in sorted(labels, key=lambda one: one[1]):
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


@contextmanager
def _no_locale() -> Iterator[None]:
    """Take the user's locale away: it decides how letters are shaped, as the letter i in Turkish."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _svg(figure: Figure) -> bytes:
    """Return a chart as SVG, with text as outlines and fixed ids, so that every machine makes the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "viputils"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue().replace(b" <defs>", f" <style>{_dark_style()}</style>\n <defs>".encode(), 1)


def _dark_style() -> str:
    """Return the style that changes the colors of a chart for readers who prefer a dark page."""
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme: dark){{{rules}}}"
