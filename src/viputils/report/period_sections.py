"""The sections of the report of a quarter or a year: each is a view of the figures of its edition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from IPython.display import Markdown

from viputils.audit.verdicts import without_category
from viputils.config.language import message
from viputils.config.program import Distinct
from viputils.config.project import Project
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.text import capital, uncapital
from viputils.figures.comparison import SMALL
from viputils.figures.counts import breakdown, has_records, value_of
from viputils.figures.edition import Edition
from viputils.report.layout import (
    NOT_AVAILABLE,
    PROVISIONAL,
    category_in,
    change_percent,
    div,
    part,
    percent,
    pipe_table,
)
from viputils.report.markdown import counted, escape, words
from viputils.report.sections import issue_notices, noun_of, provisional_note, year_name

_COMPARED = {
    "before": {
        "quarter": message("Compared with the quarter before"),
        "year": message("Compared with the year before"),
    },
    "year": {"quarter": message("Compared with the same quarter a year earlier")},
}
# A part can lack who engaged later, and the whole has no one twice.
_ONCE = {
    "quarter": message(
        "A person who was notified in two months counts once in the quarter. So the quarter can be more or less than "
        "the sum of its months."
    ),
    "year": message(
        "A person who was notified in two quarters counts once in the year. So the year can be more or less than the "
        "sum of its quarters."
    ),
}


def notices(project: Project, edition: Edition) -> Markdown:
    """Return what a reader must know first: the notices of any issue, and whether the records cover the period."""
    blocks = [issue_notices(project, edition).data]
    language, months = edition.language, covered_months(edition)
    every = edition.period.months(edition.program.identity.fiscal_year_starts)
    if len(months) < len(every):
        text = counted(
            language,
            len(months),
            "The records begin on {start}. This report counts {number} of the {every} months of {period}.",
            "The records begin on {start}. This report counts {number} of the {every} months of {period}.",
            start=language.date(edition.program.identity.records_from),
            every=str(len(every)),
            period=language.period(edition.period),
        )
        blocks.append(div("notice", f"**{words(language, 'This report covers a part of its year.')}** {text}"))
    return Markdown("\n\n".join(filter(None, blocks)))


def covered_months(edition: Edition) -> list[ReportMonth]:
    """Return the months of the period that the records cover."""
    months = edition.period.months(edition.program.identity.fiscal_year_starts)
    return [month for month in months if has_records(edition.program, month)]


def headline(edition: Edition) -> Markdown:
    """Show the headline figures beside those of the period before, of a year earlier, and for the year to date."""
    language, kind = edition.language, edition.period.kind
    tables = [_compared(edition, "before")]
    if kind == "quarter":
        tables.append(_compared(edition, "year"))
        if edition.period.months(edition.program.identity.fiscal_year_starts) != edition.months:
            tables.append(_year_to_date(edition))
        else:
            year = year_name(edition)
            tables.append(words(language, "The first quarter is also the {year} to date.", year=year))
    return _headline_part(edition, tables)


def short_headline(edition: Edition) -> Markdown:
    """Show the headline figures beside those of a year earlier, for the summary."""
    return _headline_part(edition, [_compared(edition, "before" if edition.period.kind == "year" else "year")])


def _headline_part(edition: Edition, tables: Sequence[str]) -> Markdown:
    notes = " ".join(filter(None, [provisional_note(edition), _percent_note(edition, "".join(tables))]))
    body = div("headline", "\n\n".join(tables))
    return part(words(edition.language, "Headline numbers"), body, *([div("note", notes)] if notes else []))


def _percent_note(edition: Edition, shown: str) -> str:
    if escape(NOT_AVAILABLE) not in shown:
        return ""
    return words(
        edition.language,
        "{mark} means not available: there are no records, or a number below {small} has no percentage.",
        mark=escape(NOT_AVAILABLE),
        small=str(SMALL),
    )


def _compared(edition: Edition, key: str) -> str:
    """Return the headline figures beside those of another period, with the change."""
    language, period = edition.language, edition.period
    other = period.plus(-1) if key == "before" else period.year_earlier
    heads = [_own_heading(edition), _heading(edition, other)]
    rows = [_change_row(edition, name, period.kind, key) for name in _headline_measures(edition)]
    text = _COMPARED[key][period.kind]
    return _change_table(edition, heads, rows, words(language, text))


def _year_to_date(edition: Edition) -> str:
    """Return the headline figures for the year to date, beside those of a year earlier."""
    language, starts = edition.language, edition.program.identity.fiscal_year_starts
    before = edition.month.year_earlier.fiscal_year(starts).months(until=edition.month.year_earlier)
    months = [edition.months, list(before)]
    heads = [_marked(edition, _months_heading(edition, months[0])), _months_heading(edition, months[1])]
    rows = [_change_row(edition, name, "fytd", "fytd") for name in _headline_measures(edition)]
    year = capital(year_name(edition))
    caption = words(language, "{year} to date, compared with a year earlier", year=year)
    return _change_table(edition, heads, rows, caption)


def _change_table(edition: Edition, heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    language = edition.language
    names = [words(language, "Count"), *heads, words(language, "Change"), words(language, "In percent")]
    return pipe_table(names, rows, caption)


def _headline_measures(edition: Edition) -> list[str]:
    """Return the headline measures, and the one that the report follows by month."""
    report, program = edition.program.report, edition.program
    followed = program.whole_of(report.trend) if report.trend else None
    return list(dict.fromkeys([*report.headline, *([followed] if followed else [])]))


def _change_row(edition: Edition, name: str, period: str, key: str) -> list[str]:
    language, now = edition.language, value_of(edition.figures, name, period)
    before = edition.earlier.get((name, "", key))
    change = NOT_AVAILABLE if before is None else language.signed(now - before) if now != before else "0"
    return [
        capital(escape(edition.shown.measures[name].label)),
        f"**{language.number(now)}**",
        escape(NOT_AVAILABLE) if before is None else language.number(before),
        escape(change),
        escape(change_percent(language, now, before)),
    ]


def breakdowns(edition: Edition) -> Markdown:
    """Show each breakdown by the parts of the period, with their sum and that of a year earlier."""
    names = edition.program.report.breakdowns
    if not names:
        return Markdown("")
    tables = [_breakdown_table(edition, name) for name in names]
    title = escape(edition.shown.tables[edition.program.measures[names[0]].table].title)
    notes = [provisional_note(edition), _not_known(edition, "".join(tables))]
    marks = " ".join(filter(None, notes))
    texts = without_category(edition.figures, edition.program, edition.period, edition.language, [edition.period.kind])
    note = "\n\n".join(filter(None, [marks, *map(escape, texts)]))
    return part(title, *tables, *([div("note", note)] if note else []))


def _not_known(edition: Edition, shown: str) -> str:
    if escape(NOT_AVAILABLE) not in shown:
        return ""
    text = message("{mark} means not available: records of some or all of these months are missing.")
    return words(edition.language, text, mark=escape(NOT_AVAILABLE))


def _breakdown_table(edition: Edition, name: str) -> str:
    language = edition.language
    label = escape(edition.shown.measures[name].label)
    wide = breakdown(edition.figures, name)
    parts = edition.period.parts(edition.program.identity.fiscal_year_starts)
    keys = [*map(str, parts), edition.period.kind]
    ended = [key[1] for key, value in edition.earlier.items() if (key[0], key[2]) == (name, "year") and value]
    rows = []
    for category in dict.fromkeys([*wide.index, *ended]):
        known = [
            language.number(int(wide.loc[category, key]))
            if key in wide and category in wide.index
            else escape(NOT_AVAILABLE)
            for key in keys
        ]
        rows.append([escape(category_in(language, category)), *known[:-1], f"**{known[-1]}**"])
        rows[-1].append(_number(edition, edition.earlier.get((name, str(category), "year"))))
    totals = [_total(edition, name, key) for key in keys]
    rows.append([f"**{words(language, 'Total')}**", *(f"**{one}**" for one in totals), _total_before(edition, name)])
    noun = capital(escape(noun_of(edition, name)))
    caption = words(language, "{measure} by {category}", measure=noun, category=uncapital(label))
    before = _heading(edition, edition.period.year_earlier)
    heads = [label, *_part_headings(edition, parts), _own_heading(edition), before]
    return pipe_table(heads, rows, caption)


def _number(edition: Edition, value: int | None) -> str:
    return escape(NOT_AVAILABLE) if value is None else edition.language.number(value)


def _total(edition: Edition, name: str, key: str) -> str:
    """Add up a breakdown. A value that is counted once can be in several categories: then the whole says how many."""
    wide = breakdown(edition.figures, name)
    if key not in wide:
        return escape(NOT_AVAILABLE)
    if not isinstance(edition.program.measures[name].count, Distinct):
        return edition.language.number(int(wide[key].sum()))
    whole = edition.program.whole_of(name)
    return edition.language.number(value_of(edition.figures, whole, key)) if whole else escape(NOT_AVAILABLE)


def _total_before(edition: Edition, name: str) -> str:
    counts = [value for key, value in edition.earlier.items() if (key[0], key[2]) == (name, "year")]
    if isinstance(edition.program.measures[name].count, Distinct):
        return _number(edition, edition.earlier.get((edition.program.whole_of(name) or "", "", "year")))
    return _number(edition, sum(counts) if counts else None)


def funnel(edition: Edition) -> Markdown:
    """Show how many people were notified in each part of the period, and how many of them engaged with a service."""
    if not edition.program.report.funnel:
        return Markdown("")
    language, figures = edition.language, edition.figures
    parts = edition.period.parts(edition.program.identity.fiscal_year_starts)
    known = set(figures["period"])
    keys = [*map(str, parts), edition.period.kind]
    counts = [
        [value_of(figures, name, key) if key in known else None for key in keys]
        for name in edition.program.report.funnel
    ]
    rates = [
        NOT_AVAILABLE if notified is None or engaged is None else percent(engaged, notified, language)
        for notified, engaged in zip(*counts, strict=True)
    ]
    steps = [message("People notified"), message("Engaged with a service")]
    rows = [
        [words(language, text), *(_number(edition, one) for one in row)]
        for text, row in zip(steps, counts, strict=True)
    ]
    rows.append([words(language, "Engagement rate"), *map(escape, rates)])
    heads = [words(language, "Step"), *_part_headings(edition, parts), _own_heading(edition)]
    table = pipe_table(heads, rows, words(language, "From Custom Notification to engagement"))
    text = _ONCE[edition.period.kind]
    notes = [
        provisional_note(edition),
        words(
            language,
            "Engaged: the person started a service on or after the day of the notification, and by the end of the "
            "period.",
        ),
        words(language, text),
    ]
    if NOT_AVAILABLE in rates:
        text = message("{mark} means not available: there are no records, or no one was notified.")
        notes.append(words(language, text, mark=escape(NOT_AVAILABLE)))
    note = div("note", " ".join(filter(None, notes)))
    return part(words(language, "From notification to engagement"), table, note)


def _part_headings(edition: Edition, parts: Sequence[IssuePeriod]) -> Iterator[str]:
    """Yield the heading of each part of the period. Each is provisional by its own end."""
    language, starts = edition.language, edition.program.identity.fiscal_year_starts
    for place, one in enumerate(parts, start=1):
        if isinstance(one, ReportMonth):
            name = escape(language.short_month(one))
        else:
            name = words(language, "Quarter {number}", number=str(place))
        is_marked = has_records(edition.program, one) and edition.is_provisional_in(one.last(starts))
        yield f"{name} {escape(PROVISIONAL)}" if is_marked else name


def _own_heading(edition: Edition) -> str:
    """Return the heading of the period itself."""
    return _marked(edition, with_months(edition, _heading(edition, edition.period)))


def with_months(edition: Edition, name: str) -> str:
    """Return a name of the period; of a year that the records cover in part, with the number of months."""
    months = len(covered_months(edition))
    if months == len(edition.period.months(edition.program.identity.fiscal_year_starts)):
        return name
    return counted(edition.language, months, "{period}, {number} month", "{period}, {number} months", period=name)


def _heading(edition: Edition, period: IssuePeriod) -> str:
    """Return a quarter as its months, which are plainer beside other quarters, and a year as its name."""
    if period.kind == "year":
        return escape(edition.language.period(period))
    return _months_heading(edition, period.months(edition.program.identity.fiscal_year_starts))


def _marked(edition: Edition, heading: str) -> str:
    return f"{heading} {escape(PROVISIONAL)}" if edition.is_provisional else heading


def _months_heading(edition: Edition, months: Sequence[ReportMonth]) -> str:
    """Return the first and the last of some months as a heading: ``Jul to Sep 2023``."""
    language, first, last = edition.language, months[0], months[-1]
    end = words(language, "{month} {year}", month=escape(language.short_month(last)), year=str(last.year))
    if first == last:
        return end
    begin = escape(language.short_month(first))
    if first.year != last.year:
        begin = words(language, "{month} {year}", month=begin, year=str(first.year))
    return words(language, "{first} to {last}", first=begin, last=end)
