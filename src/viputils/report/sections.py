"""The sections of the report, as Markdown: each is a view of the figures of an edition."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pandas as pd
from IPython.display import Markdown

from viputils.audit.register import read_register
from viputils.audit.revisions import RevisedMonth
from viputils.audit.verdicts import (
    without_category,
)
from viputils.config.language import Language, message
from viputils.config.program import Distinct, Program
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.core.text import capital, uncapital
from viputils.figures.assessment import Assessment, Pace
from viputils.figures.counts import PERIODS, breakdown, value_of
from viputils.figures.edition import Edition
from viputils.records.completeness import default_as_of
from viputils.report.layout import (
    NOT_AVAILABLE,
    PROVISIONAL,
    REVISED,
    category_in,
    div,
    part,
    percent,
    pipe_table,
)
from viputils.report.markdown import (
    Section,
    counted,
    escape,
    read_sections,
    read_translation,
    sections_markdown,
    words,
)


def notices(edition: Edition) -> Markdown:
    """Return what a reader must know first: that this is sample data, or that rows could not be counted."""
    language = edition.language
    blocks = [demonstration_notice(edition.shown).data] if edition.records.is_demonstration else []
    held = int(edition.records.account["quarantined"].sum())
    if held:
        if edition.records.voids.account["quarantined"]:
            text = counted(
                language,
                held,
                "{number} record could not be read and is not counted, so the numbers may be too low or too high.",
                "{number} records could not be read and are not counted, so the numbers may be too low or too high.",
            )
        else:
            text = counted(
                language,
                held,
                "{number} record could not be read and is not counted, so the numbers may be too low.",
                "{number} records could not be read and are not counted, so the numbers may be too low.",
            )
        blocks.append(div("notice", f"**{words(language, 'Some records could not be counted.')}** {text}"))
    return Markdown("\n\n".join(blocks))


def issue_notices(project: Project, edition: Edition) -> Markdown:
    """Return what a reader of an issue must know first: its notices, and which published issue it updates."""
    return Markdown("\n\n".join(filter(None, [notices(edition).data, _updated_notice(project, edition)])))


def _updated_notice(project: Project, edition: Edition) -> str:
    """Return that an issue of the month was published with fewer deliveries, if so.

    A correction gets its number and its reason when it is published, so its pages cannot show them.
    """
    own = default_as_of(edition.records.received.deliveries, edition.program, edition.month)
    earlier = [one for one in read_register(project).of(edition.period) if (one.as_of or own) < edition.as_of]
    if not earlier:
        return ""
    language, before = edition.language, earlier[-1]
    days = {"before": language.date(before.as_of or own), "as_of": language.date(edition.as_of)}
    if before.as_of is None:
        text = words(
            language,
            "A report of this month was published before. This one counts the records received by {as_of}.",
            as_of=days["as_of"],
        )
    elif before.printed is None:
        text = words(
            language,
            "The published report counts the records received by {before}. This one counts the records received "
            "by {as_of}.",
            **days,
        )
    else:
        text = words(
            language,
            "The report published on {printed} counts the records received by {before}. This one counts the records "
            "received by {as_of}.",
            printed=language.date(before.printed),
            **days,
        )
    return div("notice", f"**{words(language, 'This is an updated report.')}** {text}")


def demonstration_notice(program: Program) -> Markdown:
    """Return the notice that this is sample data, in one line.

    Parameters
    ----------
    program
        With its names as they are shown.
    """
    one = program.demonstration
    return Markdown(div("notice", escape(one.statement)) if one else "")


def headline(edition: Edition) -> Markdown:
    """Show the headline figures: the month and the fiscal year to date, and both a year earlier."""
    language = edition.language
    rows = [
        [
            capital(escape(edition.shown.measures[name].label)),
            *(f"**{language.number(value_of(edition.figures, name, period))}**" for period in PERIODS),
            *_a_year_earlier(edition, name),
        ]
        for name in edition.program.report.headline
    ]
    title = words(language, "Headline numbers")
    table = pipe_table([words(language, "Count"), *_heads(edition)], rows, _fytd_sentence(edition))
    not_known = _not_known_note(edition) if any(escape(NOT_AVAILABLE) in row for row in rows) else ""
    notes = " ".join(filter(None, [provisional_note(edition), not_known]))
    return part(title, div("headline", table), *([div("note", notes)] if notes else []))


def breakdowns(edition: Edition) -> Markdown:
    """Show the month and the fiscal year to date by category, the tables side by side, and where they disagree."""
    names = edition.program.report.breakdowns
    if not names:
        return Markdown("")
    columns = [div("column", _breakdown_table(edition, name)) for name in names]
    label = escape(_table_title(edition, names[0]))
    not_known = _not_known_note(edition) if any(escape(NOT_AVAILABLE) in column for column in columns) else ""
    marks = " ".join(filter(None, [provisional_note(edition), not_known]))
    earlier = " ".join(one for name in names for one in _without_category_a_year_earlier(edition, name))
    notes = "\n\n".join(filter(None, [marks, *map(escape, disagreements(edition)), earlier]))
    parts = [div("columns", "\n\n".join(columns)), *([div("note", notes)] if notes else [])]
    return part(label, *parts)


def trend_table(edition: Edition, revised: Sequence[RevisedMonth]) -> str:
    """Return the numbers of the chart by month as a table, with which of them moved since they were first counted."""
    name = edition.program.report.trend
    if name is None:
        return ""
    language = edition.language
    counts = breakdown(edition.figures, name)["fytd"]
    marks = {one.month: f" {escape(REVISED)}" for one in revised}
    if edition.is_provisional:
        marks[edition.month] = f" {escape(PROVISIONAL)}"
    rows = [
        [capital(language.month(month)), language.number(int(counts[str(month)])) + marks.get(month, "")]
        for month in edition.months
    ]
    total = _total(edition, name, "fytd", counts)
    year = capital(words(language, "{year} to date", year=capital(year_name(edition))))
    # It includes the newest month.
    rows.append([f"**{year}**", f"**{total}{f' {escape(PROVISIONAL)}' if edition.is_provisional else ''}**"])
    noun = capital(escape(noun_of(edition, name)))
    title = words(language, "{measure} by month", measure=noun)
    parts = [
        pipe_table([words(language, "Month"), noun], rows, title),
        *([div("note", note)] if (note := provisional_note(edition)) else []),
    ]
    if revised:
        heading = [
            words(language, "Month"),
            words(language, "Received by"),
            words(language, "First counted"),
            words(language, "Now"),
            words(language, "Change"),
        ]
        moved = [
            [
                capital(language.month(one.month)),
                language.date(one.as_of),
                language.number(one.first),
                language.number(one.now),
                language.signed(one.now - one.first),
            ]
            for one in revised
        ]
        note = words(
            language,
            "{mark} means revised: records received later changed the number since it was first counted.",
            mark=escape(REVISED),
        )
        caption = words(language, "{measure} of earlier months that were revised", measure=noun)
        parts += [pipe_table(heading, moved, caption), div("note", note)]
    return "\n\n".join(parts)


def funnel(edition: Edition) -> Markdown:
    """Show how many people were notified, and how many of them engaged with a service."""
    if not edition.program.report.funnel:
        return Markdown("")
    notified, engaged = edition.program.report.funnel
    month_notified, month_engaged = (value_of(edition.figures, name, "month") for name in (notified, engaged))
    year_notified, year_engaged = (value_of(edition.figures, name, "fytd") for name in (notified, engaged))
    language = edition.language
    number = language.number
    rates = [percent(month_engaged, month_notified, language), percent(year_engaged, year_notified, language)]
    table = pipe_table(
        [words(language, "Step"), _month_heading(edition), _year_heading(edition)],
        [
            [words(language, "People notified"), number(month_notified), number(year_notified)],
            [words(language, "Engaged with a service"), number(month_engaged), number(year_engaged)],
            [words(language, "Engagement rate"), *map(escape, rates)],
        ],
        words(language, "From Custom Notification to engagement"),
    )
    sentence = counted(
        language,
        month_notified,
        "In {month}, {number} person received a Custom Notification, and {engaged} engaged with a service by the end "
        "of the month. In the {year} to date, {year_engaged} of {year_notified} did.",
        "In {month}, {number} people received a Custom Notification, and {engaged} engaged with a service by the end "
        "of the month. In the {year} to date, {year_engaged} of {year_notified} did.",
        month=language.month(edition.month),
        engaged=number(month_engaged),
        year=year_name(edition),
        year_engaged=number(year_engaged),
        year_notified=number(year_notified),
    )
    engaged = words(
        language,
        "Engaged: the person started a service on or after the day of the notification, and by the end of the period. "
        "People notified late in a month have had little time, so its rate can still rise.",
    )
    note = f"{provisional_note(edition)} {engaged}".strip()
    if NOT_AVAILABLE in rates:
        none = words(
            language,
            "{mark} means not available: no one was notified, so there is no rate.",
            mark=escape(NOT_AVAILABLE),
        )
        note += f" {none}"
    return part(words(language, "From notification to engagement"), sentence, table, div("note", note))


def counts_table(edition: Edition, names: Sequence[str], caption: str, note: str) -> str:
    """Show measures for the month and the year to date, one with a breakdown by its categories.

    Parameters
    ----------
    caption, note
        Markdown: above the table, and below it before what its marks mean.
    """
    rows = []
    language = edition.language
    for name in names:
        label, wide = noun_of(edition, name), breakdown(edition.figures, name)
        by = "" if edition.program.measures[name].by is None else f", {edition.shown.measures[name].label.lower()}: "
        rows += [
            [
                escape(f"{capital(label)}{by}{category_in(language, category)}"),
                *(language.number(int(wide.loc[category, period])) for period in ("month", "fytd")),
            ]
            for category in wide.index
        ]
    heads = [words(language, "Count"), _month_heading(edition), _year_heading(edition)]
    notes = "\n\n".join(filter(None, [note, provisional_note(edition)]))
    return "\n\n".join([pipe_table(heads, rows, caption), div("note", notes)])


def activities(project: Project, edition: Edition) -> Markdown:
    """Show the significant response activities of the month by theme, or say that none were written down.

    A project that has no folder for them has no such part.
    """
    path = project.activities(edition.month)
    if not path.parent.is_dir():
        return Markdown("")
    language = edition.language
    sections = read_sections(path, f"report/activities/{path.name}", fonts=project.fonts)
    translation = project.translated_activities(edition.month)
    if translation is None:
        blocks = [sections_markdown(sections, 3)]
    else:
        blocks = _in_both(
            read_translation(translation, f"report/activities/{translation.name}", sections, project.fonts), language
        )
    if not sections:
        month = language.month(edition.month)
        blocks = [words(language, "No activities have been written down for {month}.", month=month)]
    return part(words(language, "Significant response activities"), *blocks)


def _in_both(sections: Sequence[tuple[Section, bool]], language: Language) -> list[str]:
    """Return each section; those that were not translated in English and marked as such, below a notice."""
    blocks = []
    for is_translated, those in itertools.groupby(sections, key=lambda one: one[1]):
        shown = sections_markdown([section for section, _ in those], 3)
        if is_translated:
            blocks.append(shown)
        else:
            notice = words(language, "The text below has not been translated yet. It is shown in English.")
            blocks += [div("notice", notice), f"::: {{.untranslated lang=en}}\n\n{shown}\n\n:::"]
    return blocks


def _fytd_sentence(edition: Edition) -> str:
    language = edition.language
    span = edition.month.fytd(edition.program.identity.fiscal_year_starts)
    return words(
        language,
        "{month} and the {year} to date ({short}), which began on {start}",
        month=capital(language.month(edition.month)),
        start=language.date(span.start),
        year=year_name(edition),
        short=_year_to_date(edition),
    )


def provisional_note(edition: Edition) -> str:
    """Return what the mark means, if the newest month has it."""
    if not edition.is_provisional:
        return ""
    return words(
        edition.language,
        "{mark} means provisional: records that come in later can still change the number.",
        mark=escape(PROVISIONAL),
    )


def _not_known_note(edition: Edition) -> str:
    return words(edition.language, "{mark} means not available: there are no records.", mark=escape(NOT_AVAILABLE))


def year_name(edition: Edition) -> str:
    """Return what the program calls its year, in the language of the edition."""
    return words(edition.language, edition.program.identity.year)


def year_label(edition: Edition, year: int) -> str:
    """Return a year of the program as ``FY2024``, a calendar year as ``2024``."""
    is_fiscal = edition.program.identity.year == "fiscal year"
    return edition.language.text("FY{year}", year=year) if is_fiscal else str(year)


def _year_to_date(edition: Edition) -> str:
    return words(edition.language, edition.program.identity.year_to_date)


def usual_range_table(edition: Edition, found: Assessment) -> str:
    """Return the numbers of the chart of what is usual: each month with its rules; below, the limits."""
    language, chart = edition.language, found.chart
    rows = []
    for month, value in chart.points["value"].items():
        # The newest month is provisional here as everywhere.
        marks = [PROVISIONAL] if month == edition.month and edition.is_provisional else []
        marks += [f"({rule.number})" for rule in chart.marks_at(month)]
        count = NOT_AVAILABLE if pd.isna(value) else " ".join([language.number(int(value)), *marks])
        rows.append([capital(language.month(ReportMonth.parse(str(month)))), escape(count)])
    noun = capital(escape(noun_of(edition, found.whole.measure)))
    title = words(language, "{measure} by month", measure=noun)
    table = pipe_table([words(language, "Month"), noun], rows, title)
    return f"{table}\n\n{div('note', ' '.join(_usual_range_notes(edition, found)))}"


def _usual_range_notes(edition: Edition, found: Assessment) -> Iterator[str]:
    language, chart = edition.language, found.chart
    yield from filter(None, [provisional_note(edition)])
    low, high = (language.number(round(chart.points[side].dropna().iloc[0])) for side in ("low", "high"))
    values = {
        "average": language.average(chart.average),
        "low": low,
        "high": high,
        "newest_low": language.number(found.whole.low),
        "newest_high": language.number(found.whole.high),
    }
    if found.step is None:
        text = message(
            "Normal range: {low} to {high} for the earlier months, {newest_low} to {newest_high} for the newest. "
            "Average of the earlier months: {average}."
        )
        yield words(language, text, **values)
    else:
        text = message("Average: {before} before the change, {after} since.")
        after, before = (language.average(one) for one in (found.step.after, found.step.before))
        yield words(language, text, before=before, after=after)
        if found.whole.is_enough:
            text = message(
                "Normal range: {low} to {high} at first, {newest_low} to {newest_high} for the newest month."
            )
            yield words(language, text, **values)
    if chart.points["value"].isna().any():
        yield words(language, "{mark} means not available: the month was not delivered.", mark=escape(NOT_AVAILABLE))
    marked = {rule.number: rule for month in chart.marked.index for rule in chart.marks_at(month)}
    for number, rule in sorted(marked.items()):
        yield words(language, "({number}) marks {rule}.", number=str(number), rule=words(language, rule.words))
    if not chart.is_even:
        yield words(
            language,
            "Earlier months varied too much, so no month is marked.",
        )


def pace_table(edition: Edition, pace: Pace) -> str:
    """Return the numbers of the chart of the fiscal year and the one before: what had come together by each month."""
    language = edition.language
    year = edition.month.fiscal_year(edition.program.identity.fiscal_year_starts)

    def shown(value: object) -> str:
        return escape(NOT_AVAILABLE) if pd.isna(value) else language.number(int(value))  # type: ignore[call-overload]

    this_year, year_before = pace.this_year.to_dict(), pace.year_before.to_dict()
    rows = []
    for month in year.months():
        mark = f" {escape(PROVISIONAL)}" if month == edition.month and edition.is_provisional else ""
        now = shown(this_year[month]) + mark if month in this_year else ""
        rows.append([language.short_month(month), now, shown(year_before[month.plus(-12)])])
    heads = [words(language, "To the end of"), *(year_label(edition, one) for one in (year.year, year.year - 1))]
    noun = capital(escape(noun_of(edition, pace.measure)))
    return pipe_table(
        heads, rows, words(language, "{measure} added up over the {year}", measure=noun, year=year_name(edition))
    )


def _month_heading(edition: Edition) -> str:
    month = escape(edition.language.short_month(edition.month))
    return f"{month} {escape(PROVISIONAL)}" if edition.is_provisional else month


def _year_heading(edition: Edition) -> str:
    """Return the heading of the year to date. Its numbers include the newest month, so they are provisional, too."""
    year = _year_to_date(edition)
    return f"{year} {escape(PROVISIONAL)}" if edition.is_provisional else year


def _table_title(edition: Edition, measure: str) -> str:
    return edition.shown.tables[edition.program.measures[measure].table].title


def noun_of(edition: Edition, measure: str) -> str:
    """Return the label of what a broken-down measure counts: that of the same measure without a breakdown."""
    whole = edition.program.whole_of(measure)
    return edition.shown.measures[whole or measure].label


def _breakdown_table(edition: Edition, name: str) -> str:
    language = edition.language
    label = escape(edition.shown.measures[name].label)
    wide = breakdown(edition.figures, name)
    ended = [key[1] for key, value in edition.year_before.items() if key[0] == name and value]
    rows = [
        [
            escape(category_in(language, category)),
            *(
                f"**{language.number(int(wide.loc[category, period]))}**"
                if category in wide.index
                else escape(NOT_AVAILABLE)
                for period in PERIODS
            ),
            *_a_year_earlier(edition, name, category),
        ]
        for category in dict.fromkeys([*wide.index, *ended])
    ]
    rows.append(
        [
            f"**{words(language, 'Total')}**",
            *(f"**{_total(edition, name, period, wide[period])}**" for period in PERIODS),
            *(_total_a_year_earlier(edition, name, period) for period in PERIODS),
        ]
    )
    noun = capital(escape(noun_of(edition, name)))
    return pipe_table(
        [label, *_heads(edition)],
        rows,
        words(language, "{measure} by {category}", measure=noun, category=uncapital(label)),
    )


def _heads(edition: Edition) -> list[str]:
    """Return the headings of the month and the year to date, and of both a year earlier."""
    earlier = escape(edition.language.short_month(edition.month.plus(-12)))
    earlier = words(edition.language, "{month} {year}", month=earlier, year=str(edition.month.year - 1))
    to_date = words(edition.language, "{year_to_date} to {month}", year_to_date=_year_to_date(edition), month=earlier)
    return [_month_heading(edition), _year_heading(edition), earlier, to_date]


def _a_year_earlier(edition: Edition, name: str, category: str = "") -> list[str]:
    """Return a figure of the same month a year earlier, and of its year to date."""
    known = (edition.year_before.get((name, category, period)) for period in PERIODS)
    return [escape(NOT_AVAILABLE) if value is None else edition.language.number(value) for value in known]


def _total_a_year_earlier(edition: Edition, name: str, period: str) -> str:
    counts = [value for key, value in edition.year_before.items() if key[::2] == (name, period)]
    if not counts:
        return escape(NOT_AVAILABLE)
    if not isinstance(edition.program.measures[name].count, Distinct):
        return edition.language.number(sum(counts))
    whole = edition.year_before.get((edition.program.whole_of(name) or "", "", period))
    return escape(NOT_AVAILABLE) if whole is None else edition.language.number(whole)


def _without_category_a_year_earlier(edition: Edition, name: str) -> Iterator[str]:
    """Yield in which period a year earlier the categories do not add up to the whole."""
    language, program = edition.language, edition.program
    whole = program.whole_of(name)
    if whole is None or isinstance(program.measures[name].count, Distinct):
        return
    for period, head in zip(PERIODS, _heads(edition)[2:], strict=True):
        total = edition.year_before.get((whole, "", period))
        parts = sum(value for key, value in edition.year_before.items() if key[::2] == (name, period))
        if total is not None and total != parts:
            yield words(
                language,
                "{period}: {number} of {total} {measure} had no usable {category}.",
                period=head,
                number=language.number(total - parts),
                total=language.number(total),
                measure=escape(noun_of(edition, name)),
                category=escape(uncapital(edition.shown.measures[name].label)),
            )


def _total(edition: Edition, name: str, period: str, counts: pd.Series) -> str:
    """Add up a breakdown. What is counted once can be in several categories, so only the whole can say how much."""
    if not isinstance(edition.program.measures[name].count, Distinct):
        return edition.language.number(int(counts.sum()))
    whole = edition.program.whole_of(name)
    return edition.language.number(value_of(edition.figures, whole, period)) if whole else escape(NOT_AVAILABLE)


def disagreements(edition: Edition) -> list[str]:
    """Return where the categories of a breakdown do not add up to the whole, and why; as plain text."""
    return without_category(edition.figures, edition.program, edition.period, edition.language)
