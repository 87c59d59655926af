"""Statements: what a month says, in sentences by fixed rules, and never more than its counts do.

Each rule looks at one result of ``assessment`` and gives one sentence. What chance alone explains is called so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from IPython.display import Markdown

from viputils.config.language import Language, message
from viputils.core.text import capital, uncapital
from viputils.figures.assessment import Assessment, Standing, YearToDate
from viputils.figures.edition import Edition
from viputils.figures.stats.control_charts import ENOUGH, TREND
from viputils.report.layout import PROVISIONAL, category_in, div
from viputils.report.markdown import counted, escape, words
from viputils.report.sections import noun_of

_RUNS: Final = {
    "high": message("Together, the last months are higher than those before: {rule}."),
    "low": message("Together, the last months are lower than those before: {rule}."),
}
_RUNS_TREND: Final = {
    "high": message("Together, the last months rise: {rule}."),
    "low": message("Together, the last months fall: {rule}."),
}
_APART: Final = {
    "higher": message("Categories higher than chance alone explains: {names}."),
    "lower": message("Categories lower than chance alone explains: {names}."),
}
_YEARS_APART: Final = {
    "higher": message("Categories with more than a year before, beyond what chance alone explains: {names}."),
    "lower": message("Categories with fewer than a year before, beyond what chance alone explains: {names}."),
}
_YEARS: Final = {
    1: message(
        "{measure} in the {year} to date: **{number}**, {difference} more than in the same months a year "
        "before ({before})."
    ),
    0: message("{measure} in the {year} to date: **{number}**, as many as in the same months a year before."),
    -1: message(
        "{measure} in the {year} to date: **{number}**, {difference} fewer than in the same months a year "
        "before ({before})."
    ),
}


def what_changed(edition: Edition, found: Assessment | None) -> Markdown:
    """Return in a short paragraph what changed in the month of an edition and what did not.

    Parameters
    ----------
    found
        As ``assess`` gives it; without it there is no such part.
    """
    if found is None:
        return Markdown("")
    language = edition.language
    sentences = [*_month(edition, found), *_categories(edition, found)]
    year = [*_year(edition, found), *_year_categories(edition, found)]
    if edition.is_provisional:
        note = words(
            language,
            "{mark} This month's numbers are provisional. Chance alone means: what would be usual if incidents came "
            "independently of each other and as often as before. See Methods for how we calculate this.",
            mark=escape(PROVISIONAL),
        )
    else:
        note = words(
            language,
            "Chance alone means: what would be usual if incidents came independently of each other and as often as "
            "before. See Methods for how we calculate this.",
        )
    blocks = [f"## {words(language, 'What changed this month')}", " ".join(sentences), " ".join(year)]
    return Markdown("\n\n".join([*filter(None, blocks), div("note", note)]))


def _month(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield how the month stands against the months before it."""
    language, whole = edition.language, found.whole
    chart = whole.chart
    values = {
        "measure": escape(capital(noun_of(edition, whole.measure))),
        "month": language.month(found.month),
        "number": language.number(whole.value),
        "months": language.number(chart.periods),
        "enough": language.number(ENOUGH),
    }
    if edition.is_provisional:
        yield words(language, "{measure} in {month}: **{number}** {mark}.", mark=escape(PROVISIONAL), **values)
    else:
        yield words(language, "{measure} in {month}: **{number}**.", **values)
    if not chart.is_enough:
        yield counted(
            language,
            chart.periods,
            "What is usual cannot be said yet: the records hold {number} earlier month, and it takes {enough}.",
            "What is usual cannot be said yet: the records hold {number} earlier months, and it takes {enough}.",
            enough=values["enough"],
        )
        return
    values |= {
        "average": language.average(chart.average),
        "low": language.number(whole.low),
        "high": language.number(whole.high),
    }
    if not chart.is_even:
        yield words(
            language,
            "The {months} months before it, with an average of about {average}, differ from each other more than "
            "chance alone would make them, so nothing is read into a single month.",
            **values,
        )
        return
    text = message(
        "The {months} months before it had about {average} a month on average; chance alone would seldom take a month "
        "below {low} or above {high}."
    )
    if not whole.low:
        text = message(
            "The {months} months before it had about {average} a month on average; chance alone would seldom take a "
            "month above {high}."
        )
    usual = words(language, text, **values)
    if whole.verdict == "higher":
        yield usual
        yield words(language, "This month is higher than chance alone explains.")
    elif whole.verdict == "lower":
        yield usual
        yield words(language, "This month is lower than chance alone explains.")
    else:
        yield usual
        yield words(language, "This month lies within that: by itself it shows neither a rise nor a fall.")
        if not chart.can_fall:
            yield words(language, "With so few a month, even a month without any would not show a fall.")
    for rule, side in found.runs:
        meaning = words(language, rule.words)
        text = (_RUNS_TREND if rule == TREND else _RUNS)[side]
        yield words(language, text, rule=meaning)


def _categories(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield which categories of the month stand apart, and of which nothing could be said."""
    language = edition.language
    parts = [part for each in found.parts.values() for part in each]
    told = [part for part in parts if part.can_tell]
    apart = 0
    for verdict in ("higher", "lower"):
        those = [part for part in told if part.verdict == verdict]
        if those:
            names = language.listed([_with_limit(language, part) for part in those])
            yield words(language, _APART[verdict], names=names)
        apart += len(those)
    names = _labels(edition, list(found.parts)) if parts else ""
    if told and not apart and len(told) == len(parts):
        yield words(language, "Of its categories ({names}), none is outside what chance alone gives.", names=names)
    elif told and not apart:
        yield words(
            language,
            "Of those of its categories ({names}) of which it can be told, none is outside what chance alone gives.",
            names=names,
        )
    elif len(parts) > len(told) > apart:
        yield words(language, "No other category of which it can be told is outside what chance alone gives.")
    elif len(told) > apart:
        yield words(language, "No other category is outside what chance alone gives.")
    small = [part for part in told if part.verdict == "no telling" and part.chart.average and not part.chart.can_fall]
    if small:
        yield words(
            language,
            "The counts of {names} are too small for one month to show a fall.",
            names=_names(edition, found, small),
        )
    untold = [part for part in parts if not part.can_tell]
    if untold and found.whole.chart.is_enough:
        yield words(
            language,
            "We cannot judge {names} this month: earlier months vary too much.",
            names=_names(edition, found, untold),
        )


def _names(edition: Edition, found: Assessment, parts: Sequence[Standing]) -> str:
    language = edition.language
    # Two breakdowns can have a category of one name, such as that of what was not recorded.
    every = [part.category for each in found.parts.values() for part in each]
    names = []
    for part in parts:
        name = escape(category_in(language, part.category))
        if every.count(part.category) > 1:
            name += f" ({escape(uncapital(edition.shown.measures[part.measure].label))})"
        names.append(name)
    return language.listed(names)


def _labels(edition: Edition, measures: Sequence[str]) -> str:
    return edition.language.listed([escape(uncapital(edition.shown.measures[name].label)) for name in measures])


def _with_limit(language: Language, part: Standing) -> str:
    values = {"name": escape(category_in(language, part.category)), "number": language.number(part.value)}
    if part.verdict == "higher":
        limit = language.number(part.high)
        return words(language, "{name} ({number}; by chance seldom more than {limit})", limit=limit, **values)
    limit = language.number(part.low)
    return words(language, "{name} ({number}; by chance seldom fewer than {limit})", limit=limit, **values)


def _year(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield how the fiscal year to date stands against the year before."""
    language, year = edition.language, found.year
    kind = words(language, edition.program.identity.year)
    if year is None:
        yield words(language, "The same months of the {year} before are not in the records.", year=kind)
        return
    values = {
        "measure": escape(capital(noun_of(edition, year.measure))),
        "year": kind,
        "number": language.number(year.value),
        "before": language.number(year.before),
        "difference": language.number(abs(year.value - year.before)),
    }
    sign = (year.value > year.before) - (year.value < year.before)
    yield words(language, _YEARS[sign], **values)
    yield _reading(language, year)


def _reading(language: Language, year: YearToDate) -> str:
    """Return what two years to date can tell: the changes that fit with both counts, rounded so as to say less."""
    if year.ratio is None or (not math.isfinite(year.ratio.high) and year.verdict == "no telling" and year.is_even):
        return words(language, "The numbers are too small to say whether that is a change.")
    if not year.is_even:
        return words(
            language,
            "The months within these years differ from each other more than chance alone would make them, so nothing "
            "is read into that.",
        )
    if not math.isfinite(year.ratio.high):
        return words(language, "That is more than chance alone explains.")
    low, high = math.floor(100 * (year.ratio.low - 1)), math.ceil(100 * (year.ratio.high - 1))
    values = {"low": language.percent(abs(low), 100), "high": language.percent(abs(high), 100)}
    if year.verdict == "higher":
        return words(
            language,
            "That is more than chance alone explains. These counts fit a rise of between {low} and {high}.",
            **values,
        )
    if year.verdict == "lower":
        return words(
            language,
            "That is less than chance alone explains. These counts fit a fall of between {high} and {low}.",
            **values,
        )
    return words(
        language,
        "Anything from a fall of {low} to a rise of {high} would fit these counts, so they show neither.",
        **values,
    )


def _year_categories(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield which categories of the year to date differ from the year before."""
    language = edition.language
    parts = [part for each in found.year_parts.values() for part in each]
    told = [part for part in parts if part.is_even]
    for verdict in ("higher", "lower"):
        those = [part for part in parts if part.verdict == verdict]
        if those:
            names = language.listed([_before_and_now(language, part) for part in those])
            yield words(language, _YEARS_APART[verdict], names=names)
    if not told or any(part.verdict != "no telling" for part in told):
        return
    names = _labels(edition, list(found.year_parts))
    if len(told) == len(parts):
        yield words(
            language,
            "Of its categories ({names}), none differs from the year before by more than chance alone explains.",
            names=names,
        )
    else:
        yield words(
            language,
            "Of those categories ({names}) whose months differ no more than by chance, none differs from the year "
            "before by more than chance alone explains.",
            names=names,
        )


def _before_and_now(language: Language, part: YearToDate) -> str:
    return words(
        language,
        "{name} ({number}, a year before {before})",
        name=escape(category_in(language, part.category)),
        number=language.number(part.value),
        before=language.number(part.before),
    )
