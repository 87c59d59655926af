"""Trends for notebooks: counts over time, by category, year on year and against chance.

In English only. Findings worth publishing become statements of the report, which are translated.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from IPython.display import Markdown

from viputils.config.program import Period
from viputils.core.errors import ParameterError, Problem
from viputils.core.months import ReportMonth
from viputils.core.text import capital, plural
from viputils.figures import engagement
from viputils.figures.assessment import counts_of, followed, report_chart
from viputils.figures.stats.control_charts import ProcessChart, is_even, process_chart
from viputils.figures.stats.shifts import course
from viputils.report.drawing import (
    WIDE,
    columns_chart,
    course_chart,
    image_markdown,
    limits_chart,
    month_names,
    panels_chart,
)
from viputils.report.layout import NOT_AVAILABLE, PROVISIONAL, div, number, pipe_table, readable, signed
from viputils.report.markdown import escape
from viputils.report.sections import demonstration_notice
from viputils.workbench import Month, Tables, as_month

# The most panels that people can compare.
_PANELS = 12


def notice(tables: Tables) -> Markdown:
    """Return a notice if the records are sample data, or else nothing."""
    return readable(demonstration_notice(tables.project.program)) if tables.records.is_demonstration else Markdown("")


def main_measure(tables: Tables, measure: str = "") -> str:
    """Return the total to show for a measure: the measure itself, or its total if it has categories.

    By default, it is the measure that the report follows by month, or else the first of the program.

    Raises
    ------
    ParameterError
        If the measure does not exist, or has categories but no total.
    """
    program = tables.project.program
    if not measure:
        return followed(program) or next(name for name, one in program.measures.items() if one.by is None)
    if program.measures[_known(tables, measure)].by is None:
        return measure
    whole = program.whole_of(measure)
    if whole is None:
        others = ", ".join(name for name, one in program.measures.items() if one.by is None)
        problem = Problem("measure", f"{measure} has no total;", f"choose one of: {others}.")
        raise ParameterError("The chart cannot be made.", [problem])
    return whole


def breakdowns(tables: Tables) -> list[str]:
    """Return the measures that have categories and at least one known month."""
    measures = tables.project.program.measures
    return [name for name, one in measures.items() if one.by not in (None, "month") and tables.months(name)]


def over_time(tables: Tables, measure: str, category: str = "", end: Month | None = None) -> Markdown:
    """Show a measure, or one of its categories, by month with the limits of chance.

    Measures that add up a column or count people are shown without limits, because the effect of chance is unknown.

    Raises
    ------
    ParameterError
        If the measure, category or month does not exist.
    """
    counts = _counts(tables, measure, category, end)
    label = _label(tables, measure, category)
    if tables.project.program.measures[measure].count == "rows":
        chart = report_chart(tables.records, counts.index[-1], measure, category)
        return _process(tables, label, chart, f"time-{measure}")
    months, values = list(counts.index)[-24:], [_value(value) for value in counts][-24:]
    said = ", ".join(f"{month.label} {_shown(value)}" for month, value in zip(months, values, strict=True))
    image = image_markdown(
        lambda: columns_chart(
            tables.project.fonts, [f"{month.short_name} {month.year}" for month in months], list(values), width=WIDE
        ),
        f"time-{measure}",
        f"{capital(escape(label))} by month",
        f"Column chart of {label} by month: {said}.",
    )
    rows = [[month.label, escape(_shown(value))] for month, value in zip(months, values, strict=True)]
    table = pipe_table(["Month", capital(escape(label))], rows, f"{capital(escape(label))} by month")
    note = "One record can add several here, so the effect of chance is unknown and no month is marked."
    return readable(Markdown("\n\n".join([image, table, div("note", note)])))


def rate_by_day(tables: Tables, measure: str, end: Month | None = None) -> Markdown:
    """Show the daily rate of a measure for each month (a u-chart), so that months of different lengths compare.

    Raises
    ------
    ParameterError
        If the measure or the month does not exist.
    """
    if tables.project.program.measures[_known(tables, measure)].count != "rows":
        return Markdown("This measure adds up a column or counts people, so the effect of chance by day is unknown.")
    counts = _counts(tables, measure, "", end).iloc[-25:]
    days = pd.Series([(month.span.end - month.span.start).days + 1 for month in counts.index], counts.index)
    chart = process_chart(counts, days, baseline=list(counts.index[:-1]))
    return _process(tables, f"{_label(tables, measure, '')} a day", chart, f"rate-{measure}", by="day")


def small_multiples(tables: Tables, measure: str, end: Month | None = None, own_scales: bool = False) -> Markdown:
    """Show each category of a measure by month.

    Parameters
    ----------
    own_scales
        Whether each chart has its own scale, which shows the course of small counts. By default, all have the same.

    Raises
    ------
    ParameterError
        If the measure or the month does not exist, or the measure has no categories.
    """
    if tables.project.program.measures[_known(tables, measure)].by in (None, "month"):
        problem = Problem("measure", f"{measure} has no categories;", f"choose: {', '.join(breakdowns(tables))}.")
        raise ParameterError("The chart cannot be made.", [problem])
    counts = counts_of(tables.records, _end(tables, measure, end), measure).iloc[-18:]
    label = _label(tables, measure, "")
    names = list(counts)[:_PANELS]
    panels = [(str(name), [_value(value) for value in counts[name]]) for name in names]
    months = list(counts.index)
    scale = "each on its own scale" if own_scales else "on the same scale"
    alt = f"Small column charts {scale}, {label}, {months[0].label} to {months[-1].label}."
    alt += "".join(f" {name}: {', '.join(map(_shown, values))}." for name, values in panels)
    caption = f"{capital(escape(label))}, {months[0].label} to {months[-1].label}, {scale}"
    image = image_markdown(
        lambda: panels_chart(tables.project.fonts, month_names(months), panels, own_scales=own_scales, width=WIDE),
        f"panels-{measure}",
        caption,
        alt,
    )
    rows = [
        [month.label, *(escape(_shown(_value(line[name]))) for name in counts)]
        for month, line in zip(months, counts.to_dict("records"), strict=True)
    ]
    table = pipe_table(["Month", *(escape(str(name)) for name in counts)], rows, f"{capital(escape(label))} by month")
    left_out = len(counts.columns) - len(names)
    more = [div("note", f"The chart shows the first {_PANELS} of {len(counts.columns)}.")] if left_out > 0 else []
    return readable(Markdown("\n\n".join([image, *more, table])))


def year_on_year(tables: Tables, measure: str, end: Month | None = None) -> Markdown:
    """Show each month of a measure beside the same month of earlier years, with the fiscal years to date.

    Raises
    ------
    ParameterError
        If the measure or the month does not exist.
    """
    counts = _counts(tables, measure, "", end)
    last: ReportMonth = counts.index[-1]
    starts = tables.project.program.identity.fiscal_year_starts
    years = sorted({month.fiscal_year(starts) for month in counts.index}, reverse=True)
    known = counts.to_dict()
    rows = []
    for ahead in range(12):
        months = [year.first.plus(ahead) for year in years]
        rows.append([months[0].name, *(escape(_shown(_value(known.get(month)))) for month in months)])
    to_date = [list(year.months())[: len(list(last.fiscal_year(starts).months(until=last)))] for year in years]
    sums = [[_value(known.get(month)) for month in months] for months in to_date]
    totals = [NOT_AVAILABLE if None in each else number(sum(value or 0 for value in each)) for each in sums]
    rows.append([f"**To the end of {last.name}**", *(f"**{escape(total)}**" for total in totals)])
    label = capital(escape(_label(tables, measure, "")))
    kind = capital(tables.project.program.identity.year)
    heads = ["Month", *(f"{kind} {year.year}" for year in years)]
    note = div("note", f"{escape(NOT_AVAILABLE)} means not available: the month is not over, or was not delivered.")
    return readable(Markdown(f"{pipe_table(heads, rows, f'{label}, year on year')}\n\n{note}"))


def against(tables: Tables, a: Month, b: Month, period: Period = "fytd") -> Markdown:
    """Show how the figures of two months differ, and which differences chance can explain.

    Parameters
    ----------
    period
        ``month``, or ``fytd`` for the fiscal years to date.

    Raises
    ------
    ParameterError
        If a month is unknown, or the period is invalid.
    """
    if period not in ("month", "fytd"):
        problem = Problem("period", f"{period!r} is not a period;", "write month or fytd.")
        raise ParameterError("The months cannot be compared.", [problem])
    found = tables.compare(a, b)
    if reason := tables.why_not(period, a, b):
        problem = Problem(period, reason, "compare the same month of two years, or use period='month'.")
        raise ParameterError("The months cannot be compared.", [problem])
    rows = []
    last = max(as_month(a), as_month(b))
    by_measure: dict[str, pd.DataFrame] = {}
    for line in found.loc[found["period"].eq(period)].to_dict("records"):
        between = [f"{line[side]:.2f}" if pd.notna(line[side]) else "" for side in ("low", "high")]
        told = ""
        if all(between):
            name, category = str(line["measure"]), str(line["category"])
            if name not in by_measure:
                by_measure[name] = counts_of(tables.records, last, name)
            counts = by_measure[name][category] if category in by_measure[name] else pd.Series(dtype="Int64")
            if not (_fits_years(counts) if period == "fytd" else is_even(counts.iloc[-25:].dropna())):
                told = "months differ too much"
            elif line["low"] <= 1 <= line["high"]:
                told = "cannot be told"
            else:
                told = "higher" if line["low"] > 1 else "lower"
        rows.append(
            [
                escape(capital(_label(tables, str(line["measure"]), str(line["category"])))),
                *(escape(_shown(_value(line[side]))) for side in ("a", "b")),
                NOT_AVAILABLE if pd.isna(line["change"]) else signed(line["change"]),
                " to ".join(filter(None, between)),
                told,
            ]
        )
    kind = tables.project.program.identity.year_to_date if period == "fytd" else "the month"
    heads = ["Measure", str(a), str(b), "Change", "Ratio, 95% interval", "Difference"]
    table = pipe_table(heads, rows, f"{a} against {b}, {escape(kind)}", words=[5])
    note = (
        "The interval shows which ratios of the two true rates fit the counts, if events are independent. If it "
        "includes 1.00, the counts cannot tell whether there were more or fewer. If months differ more than by chance, "
        "events are not independent, and the ratio is not interpreted. Sums have no interval, because one record can "
        "add several. About one in twenty of the others differs by chance."
    )
    return readable(Markdown(f"{table}\n\n{div('note', note)}"))


def against_year_before(tables: Tables, month: Month) -> Markdown:
    """Show the fiscal year to date of a month against the year before, or a note if that is unknown.

    Raises
    ------
    ParameterError
        If the month is unknown.
    """
    last = as_month(month)
    before, known = last.plus(-12), tables.months()
    first = before.fiscal_year(tables.project.program.identity.fiscal_year_starts).first
    if not known or first < known[0]:
        since = f", which begin with {known[0].label}" if known else ""
        return Markdown(f"The year before {last.label} is not in the records{since}.")
    return against(tables, last, before)


def cohorts(tables: Tables, end: Month | None = None) -> Markdown:
    """Show how many of the people notified in each month took up a service. Recent months are incomplete.

    Raises
    ------
    ParameterError
        If this city does not follow people, or the month is unknown.
    """
    found = engagement.cohorts(_followed(tables, end))
    within = [f"within_{days}" for days in engagement.DAYS]
    rows = []
    for line in found.to_dict("records"):
        incomplete = escape(PROVISIONAL)
        share = f"{100 * line['rate']:.0f}%" if pd.notna(line["rate"]) else escape(NOT_AVAILABLE)
        between = f"{100 * line['low']:.0f}% to {100 * line['high']:.0f}%" if pd.notna(line["low"]) else ""
        rows.append(
            [
                ReportMonth.parse(str(line["month"])).label,
                number(line["people"]),
                *(incomplete if pd.isna(line[name]) else number(int(line[name])) for name in within),
                number(line["engaged"]),
                share,
                between,
            ]
        )
    heads = [
        "Notified in",
        "People",
        *(f"{days} days" for days in engagement.DAYS),
        "So far",
        "Rate, 90 days",
        "95% interval",
    ]
    table = pipe_table(heads, rows, "People who took up a service, by month of the Custom Notification")
    note = (
        f"{escape(PROVISIONAL)} means provisional: not all people of that month have been observed that long, so there "
        f"is no number yet. {escape(NOT_AVAILABLE)} means not available. A month has few people, so its rate varies "
        "much by chance. The interval shows how much."
    )
    return readable(Markdown(f"{table}\n\n{div('note', note)}"))


def time_to_engagement(tables: Tables, end: Month | None = None) -> Markdown:
    """Show the share of people who took up a service by each day after the notification.

    Raises
    ------
    ParameterError
        If this city does not follow people, or the month is unknown.
    """
    followed = _followed(tables, end)
    course = engagement.time_to_engagement(followed)
    if course.empty:
        return Markdown("None of the people notified has taken up a service yet.")
    at = [1, 7, 14, *engagement.DAYS]
    rows, said = [], []
    for day in at:
        known = course.loc[course["day"].le(day)]
        watched = int(followed.people["observed"].ge(day).sum())
        if known.empty or not watched:
            # No one was observed that long, or no one had engaged by then.
            shown = "0%" if known.empty and watched else escape(NOT_AVAILABLE)
            rows.append([number(day), shown, "", number(int(known["engaged"].sum())), number(watched)])
            continue
        last = known.iloc[-1]
        share, low, high = (f"{100 * last[name]:.0f}%" for name in ("share", "low", "high"))
        between = f"{low} to {high}" if pd.notna(last["low"]) and pd.notna(last["high"]) else escape(NOT_AVAILABLE)
        rows.append([number(day), share, between, number(int(known["engaged"].sum())), number(watched)])
        said.append(f"{share} by day {day}")
    median = str(engagement.median_days(followed)["reading"][0])
    alt = "Rising line of the share of people who took up a service after a Custom Notification: "
    alt += f"{', '.join(said)}. {median}"
    image = image_markdown(
        lambda: course_chart(tables.project.fonts, course, int(followed.people["observed"].max())),
        "time-to-engagement",
        "Share of people who have taken up a service, by days after the notification, with the 95% band",
        alt,
    )
    heads = ["By day", "Share", "95% interval", "Took up a service by then", "People observed that long"]
    table = pipe_table(heads, rows, "Time to the first engagement")
    note = f"Kaplan-Meier estimate: people observed for a shorter time count for that time. {median}"
    return readable(Markdown("\n\n".join([image, table, div("note", note)])))


def engagement_by_source(tables: Tables, end: Month | None = None) -> Markdown:
    """Show how many people took up a service within 90 days, by the source of the candidate.

    Raises
    ------
    ParameterError
        If this city does not follow people, or the month is unknown.
    """
    rows = []
    found = engagement.by_source(_followed(tables, end))
    for line in found.to_dict("records"):
        told = f"{100 * line['rate']:.0f}%" if line["is_enough"] else "too few"
        between = f"{100 * line['low']:.0f}% to {100 * line['high']:.0f}%" if line["is_enough"] else ""
        rows.append(
            [
                escape(str(line["source"]) or "Not recorded"),
                number(line["people"]),
                number(line["engaged"]),
                told,
                between,
            ]
        )
    days, recent = engagement.WITHIN, int(found["too_recent"].sum())
    heads = ["Candidate came from", "People", f"Took up a service in {days} days", "Rate", "95% interval"]
    table = pipe_table(heads, rows, f"Engagement within {days} days, by source of the candidate")
    note = (
        "If intervals overlap widely, the counts do not show that one source does better. Everyone here has had "
        f"{days} days. {capital(plural(recent, 'person was', 'people were'))} notified later than that, and left out."
    )
    return readable(Markdown(f"{table}\n\n{div('note', note)}"))


def funnel(tables: Tables, end: Month | None = None) -> Markdown:
    """Show the people at each step from identified to engaged, by month and for the fiscal year to date.

    Raises
    ------
    ParameterError
        If this city does not follow people, or the month is unknown.
    """
    found = engagement.funnel(tables.records, None if end is None else _end(tables, "", end))
    steps = list(dict.fromkeys(found["step"]))
    wide = {step: found.loc[found["step"].eq(step)].set_index("month") for step in steps}
    labels = [capital(escape(_label(tables, step, ""))) for step in steps]
    rows = [
        [
            ReportMonth.parse(month).label,
            *(escape(_shown(_value(wide[step]["value"].get(month)))) for step in steps),
            *(escape(_shown(_value(wide[step]["fytd"].get(month)))) for step in steps),
        ]
        for month in sorted(set(found["month"]))[-12:]
    ]
    short = tables.project.program.identity.year_to_date
    heads = ["Month", *labels, *(f"{label}, {escape(short)}" for label in labels)]
    return readable(Markdown(pipe_table(heads, rows, "From identified to engaged, the last twelve months")))


def choose(tables: Tables) -> Any:
    """Return widgets to choose a measure, a category and a last month, with the chart of ``over_time`` below.

    Raises
    ------
    ModuleNotFoundError
        If ipywidgets is not installed. The extra ``lab`` installs it.
    """
    import ipywidgets as widgets

    program = tables.project.program
    measures = [name for name, one in program.measures.items() if one.by != "month"]
    measure = widgets.Dropdown(options=[(_option(tables, name), name) for name in measures], description="Measure")
    category = widgets.Dropdown(description="Category")
    month = widgets.Dropdown(description="Last month")
    shown = widgets.Output()

    def fill() -> None:
        months = tables.months(measure.value)
        month.options = [(one.label, one) for one in reversed(months)]
        names = list(counts_of(tables.records, months[-1], measure.value)) if months else []
        category.options = [(str(name) or "all", str(name)) for name in names]
        category.disabled = len(names) < 2
        # New options alone leave nothing chosen.
        month.index, category.index = (0 if options else None for options in (months, names))

    def show(_: Any = None) -> None:
        said = Markdown("No month of this measure is known yet.")
        if month.value is not None and category.value is not None:
            said = over_time(tables, measure.value, category.value, month.value)
        # Not by displaying it: where no one looks, it would be an output of the cell.
        data = {"text/markdown": said.data, "text/plain": ""}
        shown.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)

    def another(_: Any = None) -> None:
        for box in (category, month):
            box.unobserve_all("value")
        fill()
        for box in (category, month):
            box.observe(show, "value")
        show()

    another()
    measure.observe(another, "value")
    return widgets.VBox([measure, category, month, shown])


def _fits_years(counts: pd.Series) -> bool:
    """Return whether chance explains how months vary at each level of the counts. A season cancels between years."""
    return course(counts).dispersion == 1


def _process(tables: Tables, label: str, chart: ProcessChart, name: str, by: str = "month") -> Markdown:
    points, months = chart.points, list(chart.points.index)
    is_rate = by != "month"

    def rounded(value: float) -> str:
        if pd.isna(value):
            return escape(NOT_AVAILABLE)
        return f"{value:.2f}" if is_rate else number(round(value))

    if chart.periods < 1:
        return readable(Markdown(f"There is no chart of {escape(label)}, because no month before the newest is known."))
    marked = [
        f"{month.label} ({'; '.join(rule.words for rule in chart.marks_at(month))})" for month in chart.marked.index
    ]
    said = ", ".join(
        f"{month.label} {_shown(_value(value))}" for month, value in zip(months, points["value"], strict=True)
    )
    alt = f"Chart of {label}: {said}. "
    alt += f"Marked: {', '.join(marked)}." if marked else "No month is marked."
    image = image_markdown(
        lambda: limits_chart(tables.project.fonts, month_names(months), chart),
        name,
        f"{capital(escape(label))}: counts, their average, and the range of chance",
        alt,
    )
    rows = [
        [
            month.label,
            escape(_shown(_value(row["value"]))),
            *([rounded(row["rate"])] if is_rate else []),
            *(rounded(row[side]) for side in ("low", "high")),
            ", ".join(dict.fromkeys(side for _, side in chart.signals_at(month) if chart.is_even)),
            "; ".join(rule.words for rule in chart.marks_at(month)),
        ]
        for month, row in zip(months, points.to_dict("records"), strict=True)
    ]
    heads = ["Month", "Count", *(["A day"] if is_rate else []), "Seldom below", "Seldom above", "Side", "Rule"]
    table = pipe_table(heads, rows, f"{capital(escape(label))}", words=[len(heads) - 2, len(heads) - 1])
    return readable(Markdown("\n\n".join([image, table, div("note", " ".join(chart.remarks))])))


def _counts(tables: Tables, measure: str, category: str, end: Month | None) -> pd.Series:
    counts = counts_of(tables.records, _end(tables, measure, end), measure)
    if category not in counts:
        # Raises the error of the series, which suggests the most similar one.
        tables.series(measure, category)
    return counts[category]


def _followed(tables: Tables, end: Month | None) -> engagement.Followed:
    return engagement.follow(tables.records, None if end is None else _end(tables, "", end))


def _end(tables: Tables, measure: str, end: Month | None) -> ReportMonth:
    if end is not None:
        return as_month(end)
    known = tables.months(_known(tables, measure))
    if not known:
        problem = Problem("measure", f"no month of {measure} is complete as of {tables.as_of};", "load a later date.")
        raise ParameterError("There is nothing to show.", [problem])
    return known[-1]


def _known(tables: Tables, measure: str) -> str:
    if measure not in tables.project.program.measures:
        tables.series(measure)  # Raises an error that suggests the most similar one.
    return measure


def _label(tables: Tables, measure: str, category: str) -> str:
    program = tables.project.program
    whole = program.measures[program.whole_of(measure) or measure].label
    one = program.measures[measure]
    if category:
        return f"{whole}, {category}"
    return f"{whole} by {one.label.lower()}" if one.by is not None else whole


def _option(tables: Tables, measure: str) -> str:
    return capital(_label(tables, measure, ""))


def _value(value: object) -> int | None:
    return None if value is None or pd.isna(value) else int(value)  # type: ignore[call-overload]


def _shown(value: int | None) -> str:
    return NOT_AVAILABLE if value is None else number(value)
