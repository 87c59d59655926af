"""Simple pictures for analysts: ``.plot()`` of series, charts and curves. The report draws its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from viputils.core.errors import ParameterError, Problem
from viputils.figures.stats.intervals import chance_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE: Final = (8.0, 3.6)
_LINE: Final = "#1f5f7a"
_BAND: Final = "#cfd8da"
_INK: Final = "#123640"
_LIMIT: Final = "#7c8f96"
# The limits of a funnel plot: about two and three standard errors.
LIMITS: Final = {"95": 0.025, "998": 0.001}
_GRID: Final = 300
# More lines than this cannot be told apart.
_LINES: Final = 8


class SeriesFrame(pd.DataFrame):
    """A series over time. ``plot()`` draws ``value`` over time, one line for each category."""

    @property
    def _constructor(self) -> type[SeriesFrame]:
        return SeriesFrame

    @property
    def plot(self) -> Any:
        """Draw the series, or what pandas draws if other options are used."""
        return _plot_of(self, {"start", "value"}, plot_series)


class CurveFrame(pd.DataFrame):
    """Shares that rise with time. ``plot()`` draws them as steps with their bands, one for each group."""

    @property
    def _constructor(self) -> type[CurveFrame]:
        return CurveFrame

    @property
    def plot(self) -> Any:
        """Draw the curves, or what pandas draws if other options are used."""
        return _plot_of(self, {"day", "share", "low", "high"}, plot_curves)


class RatesFrame(pd.DataFrame):
    """Rates of areas. ``plot()`` draws the funnel plot."""

    @property
    def _constructor(self) -> type[RatesFrame]:
        return RatesFrame

    @property
    def plot(self) -> Any:
        """Draw the funnel plot, or what pandas draws if other options are used."""
        return _plot_of(self, {"people", "rate", "low_95", "high_998"}, plot_funnel)


def shown_html(sentences: Sequence[str], points: pd.DataFrame) -> str:
    """Return sentences and a table as notebooks show them. What is missing is blank."""
    said = "".join(f"<p>{escape(one)}</p>" for one in sentences)
    return said + points.to_html(na_rep="", float_format="{:.1f}".format)


def new_axes(ax: Axes | None) -> Axes:
    """Return some axes: those given, or those of a new figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    _, created = plt.subplots(figsize=_SIZE, layout="constrained")
    return created


def plot_series(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw ``value`` over time, one line for each combination of the other columns. Unknown periods are gaps."""
    _require_rows(table["value"].dropna(), "no period is known")
    axes = new_axes(ax)
    names = [name for name in table if name not in ("measure", "start", "end", "value")]
    names = [name for name in names if len(table[name].unique()) > 1]
    groups: list[Any] = [("", table)] if not names else list(table.groupby(names, sort=False, observed=True))
    # The largest, because more lines cannot be told apart.
    groups = sorted(groups, key=lambda one: -int(one[1]["value"].sum()))
    for key, rows in groups[:_LINES]:
        label = ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
        # Running periods, which overlap, are named for their last month.
        is_running = rows["start"].shift(-1).le(rows["end"]).any()
        at = rows["end"].dt.to_period("M").dt.to_timestamp() if is_running else rows["start"]
        axes.plot(at, rows["value"].astype("float64"), marker="o", markersize=4, label=label)
    if len(groups) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    title = str(table["measure"].iloc[0]).replace("_", " ") if "measure" in table and len(table) else ""
    left_out = f" (the largest {_LINES} of {len(groups)})" if len(groups) > _LINES else ""
    axes.set_title(title + left_out, loc="left")
    return _plain(axes)


def plot_curves(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw shares by day as steps from 0, each with its band."""
    _require_rows(table, "it has not happened to anyone yet")
    axes = new_axes(ax)
    groups = list(table.groupby("group", sort=False, observed=True)) if "group" in table else [("", table)]
    for name, rows in groups:
        days = [0, *rows["day"]]
        (line,) = axes.step(days, [0.0, *rows["share"]], where="post", label=str(name))
        axes.fill_between(
            days,
            [0.0, *rows["low"]],
            [0.0, *rows["high"]],
            step="post",
            alpha=0.15,
            color=line.get_color(),
            linewidth=0,
        )
    if len(groups) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_xlabel("days")
    axes.set_xlim(left=0)
    return _plain(axes, 1)


def plot_funnel(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the rate of each area over its people, with the limits of chance around the rate of all areas."""
    axes = new_axes(ax)
    known = table.loc[table["rate"].notna()].sort_values("people")
    for name in ("95", "998"):
        people, low, high = _funnel_limits(known, LIMITS[name])
        for limit in (low, high):
            axes.plot(people, limit, "--" if name == "95" else "-", color=_LIMIT, linewidth=1)
    if len(known):
        axes.axhline(float(known["overall"].iloc[0]), color=_INK, linewidth=1)
    axes.plot(known["people"].astype("float64"), known["rate"].astype("float64"), "o", color=_LINE)
    for row in known.loc[known["outside"].ne("")].itertuples():
        axes.annotate(str(row.area), (float(row.people), float(row.rate)), xytext=(6, 4), textcoords="offset points")  # type: ignore[arg-type]
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("people who live there")
    return _plain(axes)


def plot_chart(points: pd.DataFrame, marked: pd.Index, ax: Axes | None = None) -> Axes:
    """Draw a process behavior chart: counts, their average, the band of chance, and the marked periods."""
    _require_rows(points["value"].dropna(), "no period is known")
    axes = new_axes(ax)
    at = range(len(points))
    axes.fill_between(
        at, points["low"], points["high"], color=_BAND, alpha=0.55, linewidth=0, step="mid", label="normal"
    )
    axes.step(at, points["average"], where="mid", color=_INK, linewidth=1, label="average")
    axes.plot(at, points["rate"].astype("float64"), "-o", color=_LINE, markersize=4)
    here = points.index.isin(marked)
    axes.plot([one for one in at if here[one]], points["rate"].astype("float64")[here], "D", color=_INK, label="marked")
    _name_periods(axes, points.index)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return _plain(axes)


def plot_interrupted(points: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw an interrupted time series: counts or rates, the fitted course, and the course without the change."""
    axes = new_axes(ax)
    at = pd.Series(range(len(points)), points.index)
    after = points["is_after"]
    axes.plot(at, points["rate"].astype("float64"), "o", color=_LINE, markersize=4, label="as counted")
    axes.plot(at, points["fitted"], color=_INK, linewidth=1.6, label="fitted")
    axes.plot(
        at[after], points.loc[after, "expected"], "--", color=_INK, linewidth=1.2, label="expected without the change"
    )
    if "comparison" in points:
        axes.plot(
            at,
            points["comparison"].astype("float64"),
            "o",
            color="#b07c1a",
            markersize=3,
            alpha=0.7,
            label="comparison",
        )
    axes.axvspan(float(at[after].iloc[0]) - 0.5, len(points) - 0.5, color=_BAND, alpha=0.35, linewidth=0)
    _name_periods(axes, points.index)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return _plain(axes)


def _funnel_limits(known: pd.DataFrame, tail: float) -> tuple[list[float], list[float], list[float]]:
    """Return numbers of people, and the limits of the rate for each."""
    some = known.loc[known["count"].gt(0)]
    if some.empty:
        return [], [], []
    # The rate of one event among one person.
    unit = float(some["rate"].iloc[0]) * float(some["people"].iloc[0]) / float(some["count"].iloc[0])
    low, high = float(known["people"].min()), float(known["people"].max())
    people = [low + (high - low) * place / (_GRID - 1) for place in range(_GRID)]
    overall = float(known["overall"].iloc[0])
    limits = [chance_limits(overall * number / unit, tail) for number in people]
    rates = [
        [side * unit / number for side, number in zip(sides, people, strict=True)]
        for sides in zip(*limits, strict=True)
    ]
    return people, rates[0], rates[1]


def _plot_of(table: pd.DataFrame, needed: set[str], draw: Any) -> Any:
    """Return what ``plot`` of a table is: the picture if it has its columns, and all that pandas offers."""
    pandas_plot = pd.DataFrame(table).plot
    if not needed <= set(table.columns):
        return pandas_plot

    class Plot:
        def __call__(self, *args: Any, **options: Any) -> Any:
            ours = not args and set(options) <= {"ax"}
            return draw(table, **options) if ours else pandas_plot(*args, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(pandas_plot, name)

    return Plot()


def _require_rows(rows: pd.DataFrame | pd.Series, why: str) -> None:
    if not len(rows):
        raise ParameterError("There is nothing to draw.", [Problem("plot", f"{why}, so there is no picture.")])


def _name_periods(axes: Axes, periods: pd.Index) -> None:
    step = max(1, -(-len(periods) // 6))
    shown = [place for place in range(len(periods)) if (len(periods) - 1 - place) % step == 0]
    axes.set_xticks(shown, [str(periods[place])[:10] for place in shown])
    axes.set_xlim(-0.5, len(periods) - 0.5)


def _plain(axes: Axes, top: float | None = None) -> Axes:
    highest = float(axes.dataLim.ymax)
    axes.set_ylim(0, top or (1.08 * highest if 0 < highest < float("inf") else 1))
    axes.spines[["top", "right"]].set_visible(False)
    return axes
