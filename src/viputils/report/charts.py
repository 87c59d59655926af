"""Figures as accessible SVG charts: alt text made from the data, and the same numbers in a table beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from viputils.audit.revisions import RevisedMonth, trend_revisions
from viputils.config.language import Language, message
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.core.text import capital, plural, uncapital
from viputils.figures.assessment import Assessment, counts_of
from viputils.figures.counts import breakdown
from viputils.figures.edition import Edition
from viputils.figures.stats.control_charts import Rule
from viputils.report.drawing import (
    Tile,
    ages_chart,
    columns_chart,
    image_markdown,
    limits_chart,
    lines_chart,
    month_names,
    tiles_chart,
)
from viputils.report.layout import NOT_AVAILABLE, PROVISIONAL, category_in, div, part, pipe_table, signed_percent
from viputils.report.markdown import escape, words
from viputils.report.sections import noun_of, pace_table, provisional_note, trend_table, usual_range_table, year_label
from viputils.report.verdict_sections import ages_table

_YEAR: Final = 12
_USUAL_TITLES: Final = {
    "higher": message("{measure}: unusually high in {month}"),
    "lower": message("{measure}: unusually low in {month}"),
    "no telling": message("{measure}: normal in {month}"),
    "cannot tell": message("{measure}: months vary too much to judge {month}"),
    "up": message("{measure}: about {after} a month since {since}, up from {before}"),
    "down": message("{measure}: about {after} a month since {since}, down from {before}"),
}
# What a tile says of the year to date, in few letters.
_ON_TILE: Final = {"FYTD": message("FYTD {number}"), "YTD": message("YTD {number}")}


def by_month(project: Project, edition: Edition, revised: Sequence[RevisedMonth] | None = None) -> Markdown:
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
    alt = language.text(
        "Column chart of {measure} by month in {year}: {counts}.",
        measure=noun,
        year=year_label(edition, year.year),
        counts=", ".join(
            f"{language.month(month)} {language.number(value)}" for month, value in zip(months, values, strict=True)
        ),
    )
    shown = capital(escape(noun))
    caption = words(
        language,
        "{measure} by month, {year} to {end}",
        measure=shown,
        year=year_label(edition, year.year),
        end=language.date(edition.month.span.end),
    )
    since = [
        value for month, value in zip(months, values, strict=True) if month.span.end >= edition.program.identity.began
    ]
    title = _by_month_title(edition, shown, since, year_label(edition, year.year))
    names = [language.short_month(month) for month in year.months()]
    image = _image(
        project, edition, lambda: columns_chart(project.fonts, names, values, language), "chart-by-month", caption, alt
    )
    table = trend_table(edition, trend_revisions(edition) if revised is None else revised)
    return Markdown(f"## {title}\n\n{image}\n\n{table}")


def by_month_marked(project: Project, edition: Edition) -> Markdown:
    """Show the months of a quarter or a year after those of the year before it: a chart, and its numbers in a table."""
    trend = edition.program.report.trend
    name = edition.program.whole_of(trend) if trend else None
    if name is None:
        return Markdown("")
    language, starts = edition.language, edition.program.identity.fiscal_year_starts
    own = edition.period.months(starts)
    counts = dict(counts_of(edition.records, edition.month, name)[""])
    months = [month for month in own[0].plus(-_YEAR).until(own[-1]) if month in counts]
    values = _numbers(pd.Series([counts[month] for month in months], dtype="Int64"))
    noun, period = noun_of(edition, name), language.period(edition.period)
    marked = sum(month in own for month in months)
    between = language.text("{first} to {last}", first=language.month(months[0]), last=language.month(months[-1]))
    said = [f"{language.month(month)} {_known(language, value)}" for month, value in zip(months, values, strict=True)]
    alt = language.text(
        "Column chart of {measure} by month, {between}: {counts}. The last {number} columns are {period}.",
        measure=noun,
        between=between,
        counts=", ".join(said),
        number=marked,
        period=period,
    )
    shown = {"measure": capital(escape(noun)), "period": period}
    caption = words(language, "{measure} by month, {between}. Dark columns: {period}", between=escape(between), **shown)
    image = _image(
        project,
        edition,
        lambda: columns_chart(project.fonts, month_names(months, language), values, language, marked),
        "chart-by-month",
        caption,
        alt,
    )
    title = words(language, "{measure} by month", measure=shown["measure"])
    return part(title, image, *_marked_table(edition, shown, dict(zip(months, values, strict=True))))


def _marked_table(
    edition: Edition, shown: Mapping[str, str], values: Mapping[ReportMonth, int | None]
) -> Iterator[str]:
    """Yield the numbers of the chart of a period's months as a table, and what its marks mean."""
    language, own = edition.language, edition.period.months(edition.program.identity.fiscal_year_starts)
    rows = []
    for month, value in values.items():
        number = escape(_known(language, value))
        number = f"**{number}**" if month in own else number
        mark = f" {escape(PROVISIONAL)}" if month == edition.month and edition.is_provisional else ""
        rows.append([capital(language.month(month)), f"{number}{mark}"])
    caption = words(language, "{measure} by month, {period} in bold", **shown)
    yield pipe_table([words(language, "Month"), shown["measure"]], rows, caption)
    notes = [provisional_note(edition)]
    if None in values.values():
        text = message("{mark} means not available: the month was not delivered.")
        notes.append(words(language, text, mark=escape(NOT_AVAILABLE)))
    if note := " ".join(filter(None, notes)):
        yield div("note", note)


def tile_map(project: Project, edition: Edition) -> Markdown:
    """Show a breakdown by area as tiles, one for each area, placed as program.toml says; its table is the equal.

    A program without such a map has no such part.
    """
    where = edition.program.report.tile_map
    if where is None:
        return Markdown("")
    language = edition.language
    wide = breakdown(edition.figures, where.measure)
    noun, label = noun_of(edition, where.measure), uncapital(edition.shown.measures[where.measure].label)
    month, to_date = language.month(edition.month), edition.program.identity.year_to_date
    tiles = [
        Tile(
            category_in(language, area),
            where.tiles[str(area)][0],
            where.tiles[str(area)][1],
            int(counts["month"]),
            language.text(_ON_TILE[to_date], number=language.number(int(counts["fytd"]))),
        )
        for area, counts in wide.iterrows()
        if area in where.tiles
    ]
    values = {"measure": noun, "category": label, "month": month}
    said = "; ".join(f"{tile.name} {language.number(tile.value)} ({tile.below})" for tile in tiles)
    alt = language.text("Tile map of {measure} by {category}, {month}: {counts}.", counts=said, **values)
    values = {name: escape(value) for name, value in (values | {"measure": capital(noun)}).items()}
    caption = words(
        language,
        "{measure} by {category}: {month} in large numbers, the year to date below. Tiles show rough positions, not "
        "boundaries",
        **values,
    )
    most = int(wide["month"].max())
    first = [tile for tile in tiles if tile.value == most]
    title = words(language, "{measure} by {category}, {month}", **values)
    # Many at the top, or one without a tile, are no finding.
    if most and 0 < len(first) <= 2 and (wide["month"] == most).sum() == len(first):
        leading = language.listed([escape(tile.name) for tile in first])
        title = words(language, "{measure}: most in {areas}", measure=values["measure"], areas=leading)
    image = _image(
        project, edition, lambda: tiles_chart(project.fonts, tiles, language), "chart-tile-map", caption, alt
    )
    left_out = [escape(category_in(language, area)) for area in wide.index if area not in where.tiles]
    notes = []
    if left_out:
        note = words(language, "Not on the map, but in the table: {areas}.", areas=language.listed(left_out))
        notes = [div("note", note)]
    return part(title, image, *notes)


def _by_month_title(edition: Edition, measure: str, values: Sequence[int], year: str) -> str:
    """Return what the chart by month shows: whether the newest month has the most or the fewest of its year so far."""
    language = edition.language
    month = capital(language.month_name(edition.month))
    newest, earlier = values[-1], values[:-1]
    if earlier and newest > max(earlier):
        return words(
            language, "{measure}: {month} had the most of {year} so far", measure=measure, month=month, year=year
        )
    # Records that come in later can still add to the newest month.
    if earlier and newest < min(earlier) and not edition.is_provisional:
        return words(
            language, "{measure}: {month} had the fewest of {year} so far", measure=measure, month=month, year=year
        )
    if earlier:
        text = message("{measure}: between {low} and {high} a month so far in {year}")
        low, high = (language.number(value) for value in (min(values), max(values)))
        return words(language, text, measure=measure, low=low, high=high, year=year)
    return words(language, "{measure} by month", measure=measure)


def _image(project: Project, edition: Edition, draw: Callable[[], Figure], name: str, caption: str, alt: str) -> str:
    """Return a chart of an issue: with its source, and marked if its records are sample data."""
    language, program = edition.language, edition.shown
    is_sample = edition.records.is_demonstration and program.demonstration is not None
    values = {"department": program.identity.department, "as_of": language.date(edition.as_of)}
    if is_sample:
        source = language.text("Source: sample data, received by {as_of}.", as_of=values["as_of"])
    else:
        source = language.text("Source: {department}, records received by {as_of}.", **values)
    mark = (program.demonstration.mark, project.fonts) if is_sample and program.demonstration else None
    return image_markdown(draw, name, caption, alt, source, mark)


def usual_range(project: Project, edition: Edition, found: Assessment | None) -> Markdown:
    """Show the months that the report follows beside what is usual: a process behavior chart, and its numbers.

    The limits of the newest month come from the months before it.

    Parameters
    ----------
    found
        As ``assess`` gives it; without it there is no such part.
    """
    if found is None or (not found.whole.is_enough and found.step is None):
        return Markdown("")
    language, chart = edition.language, found.chart
    months = list(chart.points.index)
    noun = noun_of(edition, found.whole.measure)
    text = _caption(found)
    caption = words(language, text, measure=capital(escape(noun)), average=language.average(chart.average))
    names, alt = month_names(months, language), _usual_in_words(language, found, noun)
    image = _image(
        project, edition, lambda: limits_chart(project.fonts, names, chart, language), "chart-usual-range", caption, alt
    )
    values = {
        "measure": capital(escape(noun)),
        "month": language.month(edition.month),
        **_shift_values(language, found),
    }
    verdict = _usual_title(found)
    title = words(language, _USUAL_TITLES[verdict], **values)
    return Markdown(f"## {title}\n\n{image}\n\n{usual_range_table(edition, found)}")


def _usual_title(found: Assessment) -> str:
    """Return what the chart shows: an unusual month, or else a lasting change, or else what is known of the month."""
    if found.shift is not None and found.whole.verdict == "no telling":
        return "up" if found.shift.after > found.shift.before else "down"
    return found.whole.verdict if found.whole.can_tell else "cannot tell"


def _caption(found: Assessment) -> str:
    if found.step is None:
        return message("{measure} by month. Line: average ({average}). Shaded: normal range.")
    return message("{measure} by month. Line: average, with a step where the level changed. Shaded: normal range.")


def _shift_values(language: Language, found: Assessment) -> dict[str, str]:
    """Return the values of texts on a lasting change."""
    if found.step is None:
        return {}
    return {
        "since": language.month(ReportMonth.parse(str(found.step.since))),
        "after": language.average(found.step.after),
        "before": language.average(found.step.before),
    }


def _usual_in_words(language: Language, found: Assessment, noun: str) -> str:
    """Return the alternative text of the chart of what is usual."""
    chart, points = found.chart, found.chart.points
    counts = ", ".join(
        f"{language.month(month)} {_known(language, value)}"
        for month, value in zip(points.index, points["value"], strict=True)
    )
    values = {
        "measure": noun,
        "counts": counts,
        "average": language.average(chart.average),
        "low": language.number(found.whole.low),
        "high": language.number(found.whole.high),
        **_shift_values(language, found),
    }
    text = message(
        "Chart of {measure} by month: {counts}. The average of the earlier months is {average}. A normal month has "
        "between {low} and {high}."
    )
    if found.step is not None:
        text = message(
            "Chart of {measure} by month: {counts}. The average is {after} since {since} and was {before} before."
        )
    elif not found.whole.low:
        text = message(
            "Chart of {measure} by month: {counts}. The average of the earlier months is {average}. A normal month has "
            "{high} or fewer."
        )
    marked = {month: chart.marks_at(month) for month in chart.marked.index}
    return f"{language.text(text, **values)} {_signals_in_words(language, marked)}"


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
        "number": year_label(edition, year.year),
        "before": year_label(edition, year.year - 1),
        "month": language.month(edition.month),
        "count": _known(language, pace.this_year.iloc[-1]),
        "count_before": _known(language, until),
        "month_before": language.month(edition.month.plus(-12)),
    }
    alt = language.text(
        "Line chart of {measure} added up over {number}: {count} by the end of {month}. In {before} it was "
        "{count_before} by the end of {month_before}.",
        **values,
    )
    at_end = ""
    if pace.at_end is not None:
        bounds = {"low": language.number(int(pace.at_end.low)), "high": language.number(int(pace.at_end.high))}
        sentence = language.text(
            "If the rest of the year compares with the year before as the months so far do, the year will end between "
            "{low} and {high}. Such a range is right about 19 times out of 20.",
            **bounds,
        )
        alt += f" {sentence}"
        at_end = div("note", escape(sentence))
    elif len(pace.this_year) < _YEAR:
        text = message("We give no year-end estimate, because the counts of these months do not allow one.")
        if not pace.is_even:
            text = message("We give no year-end estimate because monthly counts varied too much.")
        at_end = div("note", words(language, text))
    caption = words(
        language,
        "{measure} added up over the {year}, {number} and {before}",
        **{name: escape(value) for name, value in (values | {"measure": capital(noun)}).items()},
    )
    names = [language.short_month(month) for month in year.months()]
    lines = [(values["number"], _numbers(pace.this_year)), (values["before"], _numbers(pace.year_before))]
    image = _image(
        project,
        edition,
        lambda: lines_chart(project.fonts, names, lines, pace.at_end, language),
        "chart-pace",
        caption,
        alt,
    )
    title = words(
        language,
        "{measure}: {count} so far in {number}, {count_before} a year earlier",
        **{name: escape(value) for name, value in (values | {"measure": capital(noun)}).items()},
    )
    if NOT_AVAILABLE in (values["count"], values["count_before"]):
        title = words(language, "{measure} added up over the year", measure=capital(escape(noun)))
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
        none = f"{escape(label)}: no month has a first number that we can compare with a later one in percent."
        return Markdown("\n\n".join([none, *([] if ages.empty else [ages_table(ages, label)])]))
    alt = f"Chart of the median change of {label} since the first number of the month, by age: {', '.join(steps)}."
    caption = (
        f"{escape(label)}: change since the first number in percent, by age of the month. The dot is the median; the "
        "bar reaches from the lowest change to the highest"
    )
    image = image_markdown(lambda: ages_chart(project.fonts, shown), name, caption, alt)
    return Markdown(f"{image}\n\n{ages_table(ages, label)}")
