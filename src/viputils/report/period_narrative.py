"""The main points and the findings of a quarter or a year: sentences by fixed rules, as for a month.

A count is compared with the same months of the year before, so that a season cancels. The period before is shown in
numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from IPython.display import Markdown

from viputils.audit.revisions import RevisedMonth
from viputils.config.language import message
from viputils.core.text import capital
from viputils.figures.assessment import Assessment, YearToDate, assess
from viputils.figures.counts import value_of
from viputils.figures.edition import Edition
from viputils.report.layout import PROVISIONAL, div, part
from viputils.report.markdown import counted, escape, words
from viputils.report.narrative import (
    MOST_POINTS,
    YEARS_APART,
    before_and_now,
    labels_of,
    point_on_revisions,
    point_on_year,
    shift_sentence,
    shortened,
    true_range,
)
from viputils.report.period_sections import with_months
from viputils.report.sections import noun_of, provisional_note

_COMPARED: Final = {
    1: message("{measure} in {period}: {number}, {difference} more than a year earlier ({before})."),
    0: message("{measure} in {period}: {number}, the same as a year earlier."),
    -1: message("{measure} in {period}: {number}, {difference} fewer than a year earlier ({before})."),
}
_CLEAR: Final = {
    "higher": message("That is a clear increase."),
    "lower": message("That is a clear decrease."),
    "no telling": message("That is no clear change."),
}


def assess_period(edition: Edition) -> Assessment | None:
    """Return the assessment of the last month, with the period in place of the year to date."""
    return assess(edition, len(edition.period.months(edition.program.identity.fiscal_year_starts)))


def main_points(
    edition: Edition, whole: Assessment | None, to_date: Assessment | None, revised: Sequence[RevisedMonth]
) -> Markdown:
    """Return the part that comes first: what a reader should know who reads nothing else.

    Parameters
    ----------
    whole, to_date
        What ``assess_period`` and ``assess`` return for the edition.
    revised
        What ``trend_revisions`` returns for it.
    """
    points = points_of(edition, whole, to_date, revised)
    if not points:
        return Markdown("")
    notes = [div("note", note)] if (note := provisional_note(edition)) else []
    return part(words(edition.language, "Main points"), "\n".join(f"- {point}" for point in points), *notes)


def points_of(
    edition: Edition, whole: Assessment | None, to_date: Assessment | None, revised: Sequence[RevisedMonth]
) -> list[str]:
    """Return the main points as Markdown, the most important first. The parameters are those of ``main_points``."""
    first = [*_point_on_period(edition, whole), *(_points_on_categories(edition, whole) if whole else ())]
    months = edition.period.months(edition.program.identity.fiscal_year_starts)
    if to_date is not None and months != edition.months:
        first += point_on_year(edition, to_date)
    last = [
        *_point_on_engagement(edition),
        *point_on_revisions(edition, [one for one in revised if one.month in months]),
    ]
    points = [*first, *_point_on_headline(edition), *last]
    # The headline numbers are in the tables right below, so that point gives way.
    return (points if len(points) <= MOST_POINTS else [*first, *last])[:MOST_POINTS]


def _point_on_period(edition: Edition, whole: Assessment | None) -> Iterator[str]:
    """Yield how many there were, whether that clearly differs from a year earlier, and a recent lasting change."""
    trend = edition.program.report.trend
    name = edition.program.whole_of(trend) if trend else None
    if name is None:
        return
    sentence, year = _compared(edition, name), whole.year if whole else None
    if year is not None and year.value != year.before:
        sentence += f" {_reading(edition, year)}"
    yield sentence
    if whole is not None and whole.shift is not None:
        yield shift_sentence(edition, whole, whole.shift)


def _compared(edition: Edition, name: str) -> str:
    """Return how many there were in the period, and how many more or fewer than a year earlier."""
    language, value = edition.language, value_of(edition.figures, name, edition.period.kind)
    before = edition.earlier.get((name, "", "year"))
    number = f"**{language.number(value)}**"
    values = {
        "measure": escape(capital(noun_of(edition, name))),
        "period": with_months(edition, language.period(edition.period)),
        "number": f"{number} {escape(PROVISIONAL)}" if edition.is_provisional else number,
    }
    if before is None:
        text = message("{measure} in {period}: {number}. There are no records of the same months a year earlier.")
        return words(language, text, **values)
    values |= {"before": language.number(before), "difference": language.number(abs(value - before))}
    text = _COMPARED[(value > before) - (value < before)]
    return words(language, text, **values)


def _reading(edition: Edition, year: YearToDate) -> str:
    """Return whether two periods differ clearly."""
    if not year.is_even and year.ratio is not None:
        return words(edition.language, "Monthly counts varied too much to call it a change.")
    text = _CLEAR[year.verdict]
    return words(edition.language, text)


def _points_on_categories(edition: Edition, whole: Assessment) -> Iterator[str]:
    """Yield which categories differ clearly from a year earlier, as many as fit, or that none does."""
    return _categories(edition, whole, lambda text, names: shortened(edition.language, text, names))


def _categories(edition: Edition, whole: Assessment, listed: Callable[[str, Sequence[str]], str]) -> Iterator[str]:
    """Yield which categories differ clearly from a year earlier, or that none does.

    Parameters
    ----------
    listed
        Returns a sentence with a list of names.
    """
    language = edition.language
    parts = [one for each in whole.year_parts.values() for one in each]
    told = [one for one in parts if one.is_even]
    for verdict in ("higher", "lower"):
        if those := [one for one in parts if one.verdict == verdict]:
            yield listed(YEARS_APART[verdict], [before_and_now(language, one) for one in those])
    if not told or any(one.verdict != "no telling" for one in told):
        return
    names = labels_of(edition, list(whole.year_parts))
    text = message("By {categories}, nothing changed clearly from a year earlier.")
    if len(told) < len(parts):
        text = message("By {categories}, nothing that we could compare changed clearly from a year earlier.")
    yield words(language, text, categories=names)


def _point_on_headline(edition: Edition) -> Iterator[str]:
    """Yield the first two headline numbers beside those of a year earlier."""
    language, names = edition.language, []
    for name in edition.program.report.headline[:2]:
        before = edition.earlier.get((name, "", "year"))
        if before is None:
            continue
        number = language.number(value_of(edition.figures, name, edition.period.kind))
        label = escape(edition.shown.measures[name].label)
        text = message("{label} {number} (then {before})")
        names.append(words(language, text, label=label, number=f"**{number}**", before=language.number(before)))
    if names:
        period = capital(language.period(edition.period))
        text = message("{period}, compared with a year earlier: {names}.")
        yield words(language, text, period=period, names=", ".join(names))


def _point_on_engagement(edition: Edition) -> Iterator[str]:
    """Yield how many people were notified in the period, and how many of them engaged with a service."""
    if not edition.program.report.funnel:
        return
    language, kind = edition.language, edition.period.kind
    notified, engaged = (value_of(edition.figures, name, kind) for name in edition.program.report.funnel)
    period = language.period(edition.period)
    if not notified:
        yield words(language, "No one received a Custom Notification in {month}.", month=period)
        return
    yield counted(
        language,
        notified,
        "Of **{number}** person who received a Custom Notification in {period}, **{engaged}** engaged with a service "
        "by its end.",
        "Of **{number}** people who received a Custom Notification in {period}, **{engaged}** engaged with a service "
        "by its end.",
        period=period,
        engaged=language.number(engaged),
    )


def what_changed(edition: Edition, whole: Assessment | None) -> Markdown:
    """Return the part that states in full what changed from a year earlier.

    Parameters
    ----------
    whole
        What ``assess_period`` returns; without it, or without records of the year before, there is no such part.
    """
    if whole is None or whole.year is None:
        return Markdown("")
    language, year = edition.language, whole.year
    sentences = [_compared(edition, year.measure)]
    if year.value != year.before:
        sentences.append(_reading(edition, year))
    if year.verdict != "no telling" and year.ratio is not None:
        sentences += true_range(language, year.ratio)
    if whole.shift is not None:
        sentences.append(shift_sentence(edition, whole, whole.shift))
    apart = _categories(edition, whole, lambda text, names: words(language, text, names="; ".join(names)))
    note = words(language, "See Methods for how we decide what is a clear change.")
    title = words(language, "What changed from a year earlier")
    return part(title, " ".join(sentences), " ".join(apart), div("note", note))
