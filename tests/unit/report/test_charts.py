"""What stands on a chart can be read: no label lies on a bar, a mark, a line to compare with, or another label."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from tests.support.projects import REPOSITORY
from viputils.config.language import ENGLISH
from viputils.core.months import ReportMonth
from viputils.figures.assessment import chart_of
from viputils.figures.stats.control_charts import OUTSIDE, process_chart
from viputils.figures.stats.intervals import Interval
from viputils.figures.stats.shifts import course
from viputils.report import drawing

FONTS = REPOSITORY / "report" / "fonts"
MONTHS = ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun"]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Return each label with what it lies on, as the chart is drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    found = []
    for axes in figure.axes:
        ticks = [
            tick.label1
            for axis in (axes.xaxis, axes.yaxis)
            for tick in axis.get_major_ticks()
            if min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        ]
        texts = [*axes.texts, *ticks, axes.title]
        labels = [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text()]
        drawn = [*_drawn(axes, figure.dpi / 72)]
        for text, box in labels:
            inside = [figure.bbox.contains(x, y) for x, y in (box.min, box.max)]
            assert all(inside), f"{text} leaves the chart"
            found += [(text, what) for what, other in drawn if _lie_on(box, other)]
        found += [(one, other) for (one, a), (other, b) in itertools.combinations(labels, 2) if _lie_on(a, b)]
    return found


def _lie_on(one: Bbox, other: Bbox) -> bool:
    """Tell whether two boxes share more than an edge: letters do not fill their box."""
    shared = Bbox.intersection(one, other)
    return shared is not None and shared.width > 0.5 and shared.height > 1


def _drawn(axes: Axes, point: float) -> Iterator[tuple[str, Bbox]]:
    """Yield bars, marks, and level or upright lines, each with its box in pixels."""
    for patch in axes.patches:
        yield "bar", patch.get_window_extent()
    for lines in axes.collections:
        if isinstance(lines, LineCollection):
            half = float(np.max(lines.get_linewidth())) * point / 2
            for segment in lines.get_segments():
                yield "line", Bbox.from_extents(*_ends(axes, segment)).padded(half)
    for line in axes.lines:
        places = line.get_transform().transform(np.column_stack(line.get_data()).astype(float))
        if line.get_marker() not in ("None", None):
            half = line.get_markersize() * point / 2
            for x, y in places:
                yield "mark", Bbox.from_extents(x - half, y - half, x + half, y + half)
        elif len(places) == 2:
            (x0, y0), (x1, y1) = places
            yield "line", Bbox.from_extents(x0, y0 - 1, x1, y1 + 1)


def _ends(axes: Axes, segment: Any) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = axes.transData.transform(segment)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def test_a_label_on_a_bar_is_found() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.bar(0, 10)
    axes.annotate("10", (0, 5))
    assert overlaps(figure) == [("10", "bar")]


@pytest.mark.parametrize("known", [1, 4, 5, 9, 11, 12])
@pytest.mark.parametrize(
    ("month", "month_before", "low", "high"),
    # This year above and below the one before, as high, far from it, nearly nothing, and in thousands.
    [
        (64, 62, 700, 810),
        (55, 62, 600, 745),
        (62, 62, 744, 746),
        (90, 20, 900, 1300),
        (0, 1, 0, 3),
        (4100, 3900, 45000, 52000),
    ],
)
def test_no_label_of_two_years_lies_on_what_is_drawn(
    known: int, month: int, month_before: int, low: int, high: int
) -> None:
    this_year: list[int | None] = [month * (place + 1) for place in range(known)]
    before: list[int | None] = [month_before * (place + 1) for place in range(12)]
    # A year ends no lower than it already is.
    at_end = Interval(max(low, month * known), max(high, month * known)) if known < 12 else None
    figure = drawing.lines_chart(FONTS, MONTHS, [("2024", this_year), ("2023", before)], at_end, ENGLISH)
    assert overlaps(figure) == []


def test_names_of_months_stay_apart_in_spanish() -> None:
    names = ["Jul", "Ago", "Sept", "Oct", "Nov", "Dic", "Ene", "Feb", "Mar", "Abr", "May", "Jun"]
    before: list[int | None] = [700 * (place + 1) for place in range(12)]
    figure = drawing.lines_chart(FONTS, names, [("2024", [690, 1400]), ("2023", before)], Interval(7000, 9900), ENGLISH)
    assert overlaps(figure) == []


def test_the_range_at_the_end_says_of_which_year_it_is() -> None:
    lines: list[tuple[str, list[int | None]]] = [("2024", [64, 128]), ("2023", [60, 120, 180])]
    (axes,) = drawing.lines_chart(FONTS, MONTHS[:3], lines, Interval(181, 203), ENGLISH).axes
    assert [text.get_text() for text in axes.texts] == ["2024: 128", "2023: 180", "2024:\n181 - 203"]


@pytest.mark.parametrize(
    "counts",
    [
        [60] * 8 + [50] * 9,
        [60, 61, 59, 62, 58, 60, 61, 59, 55, 63, 57, 60, 62, 58, 61, 59, 90],
        [60] * 12 + [20, 100, 20, 100, 60],
        [80] * 10 + [60] * 15,
        list(range(40, 74, 2)),
        [1, 0, 2, 1, 0, 1, 3, 0, 1, 0, 0, 1, 2, 1, 0, 9, 0],
        [1200 + 40 * (place % 3) for place in range(30)] + [1900],
    ],
)
def test_no_label_of_what_is_usual_lies_on_a_mark_or_on_the_average(counts: list[int]) -> None:
    first = ReportMonth(2021, 1)
    months = [first.plus(place) for place in range(len(counts))]
    chart = process_chart(pd.Series(counts, index=months, dtype="Int64"))
    figure = drawing.limits_chart(FONTS, drawing.month_names(months), chart)
    assert overlaps(figure) == []


@pytest.mark.parametrize(
    "counts",
    [[60] * 12 + [95, 88, 102, 91, 99], [20] * 15 + [60] * 2, [120] * 12 + [60] * 5, [60] * 14 + [120] * 6 + [60] * 5],
)
def test_a_change_of_the_level_is_drawn_as_a_step_that_no_label_lies_on(counts: list[int]) -> None:
    months = [ReportMonth(2021, 1).plus(place) for place in range(len(counts))]
    series = pd.Series(counts, index=months, dtype="Int64")
    shifts = course(series).shifts
    chart = chart_of(series, shifts, [OUTSIDE])
    figure = drawing.limits_chart(FONTS, drawing.month_names(months), chart)
    assert overlaps(figure) == []
    (axes,) = figure.axes
    heights = list(dict.fromkeys(float(height) for height in np.asarray(axes.lines[0].get_ydata())))
    assert heights == list(dict.fromkeys(chart.points["average"]))
    assert len(heights) >= 2


@pytest.mark.parametrize("newest", range(1, 13))
def test_the_axis_of_a_year_names_its_last_month_or_the_newest_beside_it(newest: int) -> None:
    lines: list[tuple[str, list[int | None]]] = [
        ("2024", [60 * (month + 1) for month in range(newest)]),
        ("2023", [62 * (month + 1) for month in range(12)]),
    ]
    (axes,) = drawing.lines_chart(FONTS, MONTHS, lines, None, ENGLISH).axes
    named = [label.get_text() for label in axes.get_xticklabels()]
    assert MONTHS[newest - 1] in named
    assert named[-1] == ("May" if newest == 11 else "Jun")


@pytest.mark.parametrize(
    "counts", [[55, 60, 48, 90, 90], [1200, 900, 1300] * 4, [12345, 11000, 9000] * 4, [2345, 1100] * 12, [0] * 12, [3]]
)
def test_no_label_of_columns_lies_on_a_column(counts: list[int]) -> None:
    assert (
        overlaps(
            drawing.columns_chart(
                FONTS, MONTHS[: len(counts)] if len(counts) <= 12 else [""] * len(counts), list(counts)
            )
        )
        == []
    )


@pytest.mark.parametrize(
    "counts",
    [[55, 60, 48, 90, 88], [120, 118] * 6, [100] * 11 + [99], [1300, 1200] * 6, [0] * 12, [7, 3], [None, 5] * 6],
)
def test_no_label_of_small_charts_lies_on_a_column(counts: list[int | None]) -> None:
    letters = [month[0] for month in MONTHS[: len(counts)]]
    panels: list[tuple[str, list[int | None]]] = [
        ("Gun/Other Violence", counts),
        ("Homicide", counts[::-1]),
        ("Other", counts),
    ]
    assert overlaps(drawing.panels_chart(FONTS, letters, panels)) == []


@pytest.mark.parametrize("values", [[33, 5, 7, 11, 27, 7], [0] * 6, [1, 0, 0, 0, 2, 3], [12345, 9, 800, 4000, 7000, 1]])
def test_no_label_of_a_tile_lies_on_another_and_each_shade_is_told_by_its_squares(values: list[int]) -> None:
    names = ["Northwest", "Valley", "Northeast", "Foothills", "Southwest", "A long name of an area"]
    places = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 3)]
    tiles = [
        drawing.Tile(name, *place, value, f"FYTD {9 * value:,}")
        for name, place, value in zip(names, places, values, strict=True)
    ]
    figure = drawing.tiles_chart(FONTS, tiles)
    # A label is inside its tile, which is a patch as a column is.
    assert [found for found in overlaps(figure) if found[1] != "bar"] == []
    (axes,) = figure.axes
    written = [text.get_text() for text in axes.texts]
    for tile in tiles:
        assert f"{tile.value:,}" in written
        assert tile.below in written
    rectangles = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    boxes = [patch for patch in rectangles if patch.get_linewidth()]
    squares = [patch for patch in rectangles if not patch.get_linewidth()]
    shades = {box.get_facecolor() for box in boxes}
    assert len(shades) <= 4
    for box, value in zip(boxes, values, strict=False):
        inside = [
            one
            for one in squares
            if box.get_x() < one.get_x() < box.get_x() + box.get_width()
            and box.get_y() < one.get_y() < box.get_y() + box.get_height()
        ]
        # More squares for a higher number: the shade of each class has its own number.
        most = max(values)
        step = -(-(most + 1) // 4)
        assert len(inside) == value // step + 1


def test_small_charts_have_one_scale_unless_one_would_flatten_the_rest() -> None:
    def heights(panels: list[tuple[str, list[int | None]]]) -> list[float]:
        own = drawing.one_flattens_the_rest(panels)
        figure = drawing.panels_chart(FONTS, ["J", "A"], panels, own_scales=own)
        return [round(axes.get_ylim()[1], 3) for axes in figure.axes]

    alike: list[tuple[str, list[int | None]]] = [("a", [10, 20]), ("b", [100, 90]), ("c", [None, 25])]
    assert not drawing.one_flattens_the_rest(alike)
    assert heights(alike) == [120, 120, 120]
    flat: list[tuple[str, list[int | None]]] = [("a", [10, 12]), ("b", [100, 90]), ("c", [None, 19])]
    assert drawing.one_flattens_the_rest(flat)
    assert heights(flat) == [14.4, 120, 22.8]
    assert not drawing.one_flattens_the_rest([("a", [1, 1000])])
    assert not drawing.one_flattens_the_rest([("a", [0, 0]), ("b", [0, 0])])


@pytest.mark.parametrize("number", [1, 4, 8, 12, 30])
def test_no_label_of_the_ages_lies_on_a_range(number: int) -> None:
    ages = pd.DataFrame(
        {
            "age": range(1, number + 1),
            "smallest": [-5.6 - place for place in range(number)],
            "median": [5.0 + place / 2 for place in range(number)],
            "largest": [12.0 + place for place in range(number)],
        }
    )
    assert overlaps(drawing.ages_chart(FONTS, ages)) == []


@pytest.mark.parametrize("number", [1, pytest.param(6, marks=pytest.mark.exhaustive), 18])
@pytest.mark.parametrize("highest", [pytest.param(1, marks=pytest.mark.exhaustive), 60, 1_234])
def test_wide_panels_of_notebooks_can_be_read(number: int, highest: int) -> None:
    names = drawing.month_names([ReportMonth(2022, 7).plus(place) for place in range(number)])
    values: list[int | None] = [highest - place % 7 if highest > 7 else place % 2 for place in range(number)]
    panels: list[tuple[str, list[int | None]]] = [
        ("Gun/Other Violence", values),
        ("A service with a long name for people who move", values),
        ("None", [0] * number),
    ]
    for own_scales in (False, True):
        figure = drawing.panels_chart(FONTS, names, panels, own_scales=own_scales, width=drawing.WIDE)
        assert overlaps(figure) == []


@pytest.mark.parametrize("number", [1, 12, 17, 24])
def test_wide_columns_of_notebooks_can_be_read(number: int) -> None:
    months = [ReportMonth(2022, 7).plus(place) for place in range(number)]
    figure = drawing.columns_chart(
        FONTS, [f"{month.short_name} {month.year}" for month in months], [540 + place for place in range(number)],
        width=drawing.WIDE,
    )  # fmt: skip
    assert overlaps(figure) == []


def test_the_normal_range_of_small_counts_is_written_above_the_months() -> None:
    months = [ReportMonth(2022, 7).plus(place) for place in range(17)]
    counts = pd.Series([7, 6, 8, 5, 1, 2, 2, 2, 6, 6, 10, 5, 1, 6, 7, 3, 11], months, dtype="Int64")
    assert overlaps(drawing.limits_chart(FONTS, drawing.month_names(months), chart_of(counts))) == []
