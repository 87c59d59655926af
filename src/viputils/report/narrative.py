"""The main points and the findings of a month: sentences by fixed rules that never say more than the counts do.

Each rule turns one result of ``assess`` into one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from IPython.display import Markdown

from viputils.audit.revisions import RevisedMonth
from viputils.config.language import Language, message
from viputils.core.months import ReportMonth
from viputils.core.text import capital, uncapital
from viputils.figures.assessment import Assessment, Standing, YearToDate
from viputils.figures.counts import value_of
from viputils.figures.edition import Edition
from viputils.figures.stats.control_charts import ENOUGH
from viputils.figures.stats.intervals import Interval
from viputils.figures.stats.shifts import Shift
from viputils.report.layout import PROVISIONAL, category_in, div, part
from viputils.report.markdown import counted, escape, words
from viputils.report.sections import noun_of, provisional_note, year_name

# Readers skip a longer list, and longer points.
MOST_POINTS: Final = 6
MOST_WORDS: Final = 25

_SHIFTS: Final = {
    "high": message("Since {month} there have been about {after} {measure} a month, up from {before}."),
    "low": message("Since {month} there have been about {after} {measure} a month, down from {before}."),
}
_APART: Final = {
    "higher": message("Unusually high: {names}."),
    "lower": message("Unusually low: {names}."),
}
YEARS_APART: Final = {
    "higher": message("Clearly more than a year earlier: {names}."),
    "lower": message("Clearly fewer than a year earlier: {names}."),
}
_YEARS: Final = {
    1: message("{measure} in the {year} to date: **{number}**, {difference} more than a year earlier ({before})."),
    0: message("{measure} in the {year} to date: **{number}**, the same as a year earlier."),
    -1: message("{measure} in the {year} to date: **{number}**, {difference} fewer than a year earlier ({before})."),
}
_MONTHS: Final = {
    "higher": message(
        "{measure} in {month}: {number}. That is unusually high: a normal month has between {low} and {high}."
    ),
    "lower": message(
        "{measure} in {month}: {number}. That is unusually low: a normal month has between {low} and {high}."
    ),
    "no telling": message("{measure} in {month}: {number}. That is normal: most months have between {low} and {high}."),
}
# If a month without any is normal, there is no lower limit to name.
_MONTHS_FROM_0: Final = {
    "higher": message("{measure} in {month}: {number}. That is unusually high: a normal month has {high} or fewer."),
    "no telling": message("{measure} in {month}: {number}. That is normal: most months have {high} or fewer."),
}
# A year can differ in the other direction than its last months do.
_OVERALL: Final = {
    "higher": message("Over the whole year to date, that is a clear increase."),
    "lower": message("Over the whole year to date, that is a clear decrease."),
}
# After a lasting change, a month can be normal although it differs from the months before the change.
_MONTHS_SINCE: Final = message(
    "{measure} in {month}: {number}. That is normal since the change: most months have between {low} and {high}."
)
_MONTHS_SINCE_FROM_0: Final = message(
    "{measure} in {month}: {number}. That is normal since the change: most months have {high} or fewer."
)


# ---------------------------------------------------------------- Main points


def main_points(edition: Edition, found: Assessment | None, revised: Sequence[RevisedMonth]) -> Markdown:
    """Return the part that comes first: what a reader should know who reads nothing else.

    Parameters
    ----------
    found
        What ``assess`` returns for the edition.
    revised
        What ``trend_revisions`` returns for it.
    """
    points = points_of(edition, found, revised)
    if not points:
        return Markdown("")
    notes = [div("note", note)] if (note := provisional_note(edition)) else []
    return part(words(edition.language, "Main points"), "\n".join(f"- {point}" for point in points), *notes)


def points_of(edition: Edition, found: Assessment | None, revised: Sequence[RevisedMonth]) -> list[str]:
    """Return the main points as Markdown, the most important first. The parameters are those of ``main_points``."""
    first = [
        *(_point_on_month(edition, found) if found else ()),
        *(_points_on_categories(edition, found) if found else ()),
        *(point_on_year(edition, found) if found else ()),
    ]
    last = [*_point_on_engagement(edition), *point_on_revisions(edition, revised)]
    points = [*first, *_point_on_headline(edition), *last]
    # The headline numbers are in the table right below, so that point gives way.
    if len(points) > MOST_POINTS:
        points = [*first, *last]
    return points[:MOST_POINTS]


def _point_on_month(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield how many there were in the month, and whether that is unusual."""
    language, whole = edition.language, found.whole
    number = f"**{language.number(whole.value)}**"
    values = {
        "measure": escape(capital(noun_of(edition, whole.measure))),
        "month": language.month(found.month),
        "number": f"{number} {escape(PROVISIONAL)}" if edition.is_provisional else number,
    }
    if not whole.is_enough and found.shift is not None:
        text = message("{measure} in {month}: {number}. The level changed too recently to say if that is normal.")
        yield words(language, text, **values)
    elif not whole.is_enough:
        text = message("{measure} in {month}: {number}. There are too few earlier months to say if that is normal.")
        yield words(language, text, **values)
    elif not whole.usual.is_even:
        text = message("{measure} in {month}: {number}. Earlier months varied too much to say if that is normal.")
        yield words(language, text, **values)
    else:
        low, high = language.number(whole.low), language.number(whole.high)
        text = _month_text(found)
        yield words(language, text, **values, low=low, high=high)
    if found.shift is not None:
        yield shift_sentence(edition, found, found.shift)


def _month_text(found: Assessment) -> str:
    """Return the text on a month that can be judged."""
    whole = found.whole
    if found.shift is not None and whole.verdict == "no telling":
        return _MONTHS_SINCE if whole.low else _MONTHS_SINCE_FROM_0
    return _MONTHS[whole.verdict] if whole.low else _MONTHS_FROM_0[whole.verdict]


def shift_sentence(edition: Edition, found: Assessment, shift: Shift) -> str:
    """Return since when the level is another one, and which."""
    language = edition.language
    text = _SHIFTS["high" if shift.after > shift.before else "low"]
    return words(
        language,
        text,
        month=language.month(ReportMonth.parse(str(shift.since))),
        after=f"**{language.average(shift.after)}**",
        before=language.average(shift.before),
        measure=escape(noun_of(edition, found.whole.measure)),
    )


def _points_on_categories(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield which categories were unusual, or that none was."""
    language = edition.language
    parts = [part for each in found.parts.values() for part in each]
    told = [part for part in parts if part.can_tell]
    apart = False
    for verdict in ("higher", "lower"):
        if those := [part for part in told if part.verdict == verdict]:
            apart = True
            yield shortened(language, _APART[verdict], [_with_limit(edition, found, part) for part in those])
    if told and not apart:
        yield _none_apart(edition, found, all_told=len(told) == len(parts))


def point_on_year(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield how the fiscal year to date compares with the year before."""
    if found.year is not None:
        yield " ".join(_year(edition, found))


def _point_on_headline(edition: Edition) -> Iterator[str]:
    """Yield the headline numbers of the year to date beside those of the year before."""
    language, before = edition.language, edition.year_before
    names = []
    for name in edition.program.report.headline:
        earlier = before.get((name, "", "fytd"))
        if earlier is None:
            continue
        value = value_of(edition.figures, name, "fytd")
        label = escape(edition.shown.measures[name].label)
        number = f"**{language.number(value)}**"
        text = message("{label} {number} (then {before})")
        names.append(words(language, text, label=label, number=number, before=language.number(earlier)))
    text = message("{year} to date, compared with a year earlier: {names}.")
    year = capital(year_name(edition))
    if names:
        # The first two, so that every language has the same and the point stays short. The table has all of them.
        yield words(language, text, year=year, names=", ".join(names[:2]))


def _point_on_engagement(edition: Edition) -> Iterator[str]:
    """Yield how many people were notified in the month, and how many of them engaged with a service."""
    if not edition.program.report.funnel:
        return
    language = edition.language
    notified, engaged = (value_of(edition.figures, name, "month") for name in edition.program.report.funnel)
    month = language.month(edition.month)
    if not notified:
        yield words(language, "No one received a Custom Notification in {month}.", month=month)
        return
    yield counted(
        language,
        notified,
        "Of **{number}** person who received a Custom Notification in {month}, **{engaged}** engaged with a service by "
        "the end of the month.",
        "Of **{number}** people who received a Custom Notification in {month}, **{engaged}** engaged with a service by "
        "the end of the month.",
        month=month,
        engaged=language.number(engaged),
    )


def point_on_revisions(edition: Edition, revised: Sequence[RevisedMonth]) -> Iterator[str]:
    """Yield which earlier months were revised."""
    if not revised:
        return
    language, trend = edition.language, edition.program.report.trend
    names = [
        words(
            language,
            "{month}, from {first} to {now}",
            month=language.month(one.month),
            first=language.number(one.first),
            now=language.number(one.now),
        )
        for one in reversed(revised)
    ]
    measure = escape(noun_of(edition, trend)) if trend else ""
    yield shortened(language, message("Revised {measure}: {names}."), names, measure=measure)


def shortened(language: Language, text: str, names: Sequence[str], **values: str) -> str:
    """Return a sentence with as many names as fit into a main point, and how many more there are."""
    shown = list(names)
    while True:
        more = len(names) - len(shown)
        rest = [counted(language, more, "{number} more", "{number} more")] if more else []
        # A comma in a name would run into the one behind it.
        point = words(language, text, names="; ".join([*shown, *rest]), **values)
        if len(point.split()) <= MOST_WORDS or len(shown) == 1:
            return point
        shown.pop()


# ---------------------------------------------------------------- What changed, in full


def what_changed(edition: Edition, found: Assessment | None) -> Markdown:
    """Return the part that says in full what was unusual in the month, what was normal and what cannot be judged.

    Parameters
    ----------
    found
        What ``assess`` returns; without it there is no such part.
    """
    if found is None:
        return Markdown("")
    language = edition.language
    sentences = [*_month(edition, found), *_categories(edition, found)]
    year = [*_year(edition, found), *_year_range(edition, found), *_year_categories(edition, found)]
    if edition.is_provisional:
        note = words(
            language,
            "{mark} This month's numbers are provisional. See Methods for how we decide what is normal.",
            mark=escape(PROVISIONAL),
        )
    else:
        note = words(language, "See Methods for how we decide what is normal.")
    return part(words(language, "What changed this month"), " ".join(sentences), " ".join(year), div("note", note))


def _month(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield how the month compares with the months before it."""
    language, whole = edition.language, found.whole
    values = {
        "measure": escape(capital(noun_of(edition, whole.measure))),
        "month": language.month(found.month),
        "number": language.number(whole.value),
    }
    if edition.is_provisional:
        yield words(language, "{measure} in {month}: **{number}** {mark}.", mark=escape(PROVISIONAL), **values)
    else:
        yield words(language, "{measure} in {month}: **{number}**.", **values)
    if found.shift is not None:
        yield shift_sentence(edition, found, found.shift)
        # The range is of the change beside season and trend. Beside the two averages it can mislead.
        if found.shift.before and found.shift.after / found.shift.before in found.shift.ratio:
            yield from true_range(language, found.shift.ratio)
    if not whole.is_enough and found.shift is not None:
        yield words(language, "The level changed too recently to say what is normal now.")
    elif not whole.is_enough:
        yield counted(
            language,
            whole.usual.periods,
            "We cannot say what is normal yet: there is {number} earlier month, and we need {enough}.",
            "We cannot say what is normal yet: there are {number} earlier months, and we need {enough}.",
            enough=language.number(ENOUGH),
        )
    else:
        yield from _normal(language, found)


def _normal(language: Language, found: Assessment) -> Iterator[str]:
    """Yield what is normal, and whether the month is."""
    whole = found.whole
    values = {
        "months": language.number(whole.usual.periods),
        "average": language.average(whole.usual.average),
        "low": language.number(whole.low),
        "high": language.number(whole.high),
    }
    text = _normal_text(found)
    yield words(language, text, **values)
    if not whole.usual.is_even:
        return
    if whole.verdict == "higher":
        yield words(language, "This month was unusually high.")
    elif whole.verdict == "lower":
        yield words(language, "This month was unusually low.")
    else:
        yield words(language, "This was a normal month.")
        if not whole.can_fall:
            yield words(language, "The counts are too small to show a drop in one month.")


def _normal_text(found: Assessment) -> str:
    """Return the text on what is normal."""
    if not found.whole.usual.is_even:
        return message(
            "The average of the {months} months before was about {average}, but they varied too much to judge a single "
            "month."
        )
    if found.shift is not None and found.whole.low:
        return message(
            "The average of the {months} earlier months since the change was about {average}. A normal month now has "
            "between {low} and {high}."
        )
    if found.shift is not None:
        return message(
            "The average of the {months} earlier months since the change was about {average}. A normal month now has "
            "{high} or fewer."
        )
    if found.whole.low:
        return message(
            "The average of the {months} months before was about {average}. A normal month has between {low} and "
            "{high}."
        )
    return message("The average of the {months} months before was about {average}. A normal month has {high} or fewer.")


def _categories(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield which categories were unusual in the month, and which cannot be judged."""
    language = edition.language
    parts = [part for each in found.parts.values() for part in each]
    told = [part for part in parts if part.can_tell]
    apart = 0
    for verdict in ("higher", "lower"):
        those = [part for part in told if part.verdict == verdict]
        if those:
            names = "; ".join(_with_limit(edition, found, part) for part in those)
            yield words(language, _APART[verdict], names=names)
        apart += len(those)
    if told and not apart:
        yield _none_apart(edition, found, all_told=len(told) == len(parts))
    elif len(parts) > len(told) > apart:
        yield words(language, "All other categories that we could judge were normal.")
    elif len(told) > apart:
        yield words(language, "All other categories were normal.")
    small = [part for part in told if part.verdict == "no telling" and part.usual.average and not part.can_fall]
    if small:
        yield words(
            language,
            "These counts are too small to show a drop in one month: {names}.",
            names=_names(edition, found, small),
        )
    untold = [part for part in parts if not part.can_tell]
    if untold and found.whole.is_enough:
        yield words(
            language,
            "We cannot judge {names} this month: earlier months varied too much.",
            names=_names(edition, found, untold),
        )


def _none_apart(edition: Edition, found: Assessment, all_told: bool) -> str:
    names = labels_of(edition, list(found.parts))
    if all_told:
        return words(edition.language, "By {categories}, no count was unusual.", categories=names)
    return words(edition.language, "By {categories}, no count that we could judge was unusual.", categories=names)


def _names(edition: Edition, found: Assessment, parts: Sequence[Standing]) -> str:
    return edition.language.listed(_each_name(edition, found, parts))


def _each_name(edition: Edition, found: Assessment, parts: Sequence[Standing]) -> list[str]:
    language = edition.language
    # Two breakdowns can have a category of one name, such as that of what was not recorded.
    every = [part.category for each in found.parts.values() for part in each]
    names = []
    for one in parts:
        name = escape(category_in(language, one.category))
        if every.count(one.category) > 1:
            name += f" ({escape(uncapital(edition.shown.measures[one.measure].label))})"
        names.append(name)
    return names


def labels_of(edition: Edition, measures: Sequence[str]) -> str:
    """Return the labels of some measures as a list."""
    return edition.language.listed([escape(uncapital(edition.shown.measures[name].label)) for name in measures])


def _with_limit(edition: Edition, found: Assessment, part: Standing) -> str:
    language = edition.language
    (name,) = _each_name(edition, found, [part])
    values = {"name": name, "number": f"**{language.number(part.value)}**"}
    if part.verdict == "higher":
        return words(
            language, "{name}, {number} (normally {limit} or fewer)", limit=language.number(part.high), **values
        )
    return words(language, "{name}, {number} (normally {limit} or more)", limit=language.number(part.low), **values)


def _year(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield how the fiscal year to date compares with the year before."""
    language, year = edition.language, found.year
    kind = words(language, edition.program.identity.year)
    if year is None:
        yield words(language, "There are no records of the same months a year earlier.")
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
    if sign:
        yield _reading(language, found, year)


def _reading(language: Language, found: Assessment, year: YearToDate) -> str:
    """Return whether two years to date differ clearly. A lasting change can be too recent to show, or the opposite."""
    if not year.is_even and year.ratio is not None:
        return words(language, "Monthly counts varied too much to call it a change.")
    text = _reading_text(found, year)
    return words(language, text)


def _reading_text(found: Assessment, year: YearToDate) -> str:
    shift = found.shift
    if year.verdict == "no telling":
        if shift is not None and (shift.after > shift.before) == (year.value > year.before):
            return message("Over the whole year to date, the difference is still too small to be clear.")
        return message("The difference is too small to call an increase or a decrease.")
    is_opposite = shift is not None and (shift.after > shift.before) != (year.verdict == "higher")
    if year.verdict == "higher":
        return _OVERALL["higher"] if is_opposite else message("That is a clear increase.")
    return _OVERALL["lower"] if is_opposite else message("That is a clear decrease.")


def _year_range(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield the range of the true change if a year changed clearly."""
    year = found.year
    if year is not None and year.verdict != "no telling" and year.ratio is not None:
        yield from true_range(edition.language, year.ratio)


def true_range(language: Language, ratio: Interval) -> Iterator[str]:
    """Yield the range of the true change, rounded outward."""
    if not math.isfinite(ratio.high):
        return
    low, high = math.floor(100 * (ratio.low - 1)), math.ceil(100 * (ratio.high - 1))
    values = {"low": language.percent(abs(low), 100), "high": language.percent(abs(high), 100)}
    if ratio.low > 1:
        yield words(language, "The true increase is very likely between {low} and {high}.", **values)
    else:
        yield words(language, "The true decrease is very likely between {high} and {low}.", **values)


def _year_categories(edition: Edition, found: Assessment) -> Iterator[str]:
    """Yield which categories of the year to date differ clearly from the year before."""
    language = edition.language
    parts = [part for each in found.year_parts.values() for part in each]
    told = [part for part in parts if part.is_even]
    for verdict in ("higher", "lower"):
        those = [part for part in parts if part.verdict == verdict]
        if those:
            names = "; ".join(before_and_now(language, part) for part in those)
            yield words(language, YEARS_APART[verdict], names=names)
    if not told or any(part.verdict != "no telling" for part in told):
        return
    names = labels_of(edition, list(found.year_parts))
    if len(told) == len(parts):
        yield words(language, "By {categories}, nothing changed clearly from a year earlier.", categories=names)
    else:
        yield words(
            language,
            "By {categories}, nothing that we could compare changed clearly from a year earlier.",
            categories=names,
        )


def before_and_now(language: Language, part: YearToDate) -> str:
    """Return a category with its number now and a year earlier."""
    return words(
        language,
        "{name}, {number} (a year earlier {before})",
        name=escape(category_in(language, part.category)),
        number=language.number(part.value),
        before=language.number(part.before),
    )
