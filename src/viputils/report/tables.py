"""Figures and records as Markdown: notices, tiles, tables and the notes below them.

Everything here is plain Pandoc Markdown, so that both engines and JupyterLab show the same. Words that come from
a file are escaped.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import pandas as pd
from IPython.display import Markdown

from viputils.audit.changes import Changes
from viputils.audit.register import IssueName
from viputils.audit.revisions import trend_revisions
from viputils.audit.verdicts import (
    MISSING,
    NOT_COMPARABLE,
    REPRODUCED,
    VERDICTS,
    IssueVerdicts,
    summary,
    verdicts_as_of,
    without_category,
)
from viputils.config.language import ENGLISH, Language
from viputils.config.program import Distinct, Program, column_in_words
from viputils.config.project import Project
from viputils.core.months import ReportMonth, date_in_words
from viputils.core.text import capital, plural, uncapital
from viputils.figures.assessment import Assessment, Pace
from viputils.figures.counts import breakdown, key_of_row, value_of
from viputils.figures.edition import Edition
from viputils.records.clean import STATUSES
from viputils.report.markdown import (
    Section,
    counted,
    escape,
    read_sections,
    read_translation,
    said,
    sections_markdown,
    words,
)

# The shorthands in use, explained beside every table that holds one.
NOT_AVAILABLE = "[x]"
PROVISIONAL = "[p]"
REVISED = "[r]"


def number(value: int) -> str:
    """Write a whole number with commas between thousands: ``2,599``."""
    return f"{value:,}"


def percent(part: int, whole: int, language: Language = ENGLISH) -> str:
    """Write a share as a whole percentage, halves up; not available where there is no whole to have a share of."""
    return language.percent(part, whole) if whole else NOT_AVAILABLE


def label_of(name: IssueName, language: Language) -> str:
    """Name an issue in words: ``November 2023, re-issue 1``."""
    month = language.month(name.month)
    return language.text("{month}, re-issue {number}", month=month, number=name.number) if name.number else month


def pipe_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, words: Sequence[int] = ()) -> str:
    """Write a captioned pipe table: names on the left, numbers on the right. Cells are Markdown already.

    Parameters
    ----------
    words
        The columns, from 0, that hold words and no numbers.
    """
    # The dashes give the relative widths that Pandoc uses where a row is long.
    rule = [":" + "-" * 23 if place in (0, *words) else "-" * 7 + ":" for place, _ in enumerate(header)]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n: {caption}"


def div(kind: str, body: str) -> str:
    """Put Markdown into a fenced div; the empty lines keep its marks apart where a notebook shows them."""
    return f"::: {{.{kind}}}\n\n{body}\n\n:::"


def readable(part: Markdown) -> Markdown:
    """Return a part as a notebook shows it best: without the marks that lay out a page, images with their full text."""
    text = re.sub(
        r'!\[(.*)\]\((data:[^)]*)\)\{[^{}]*fig-alt="((?:[^"\\]|\\.)*)"\}',
        lambda found: f"![{escape(found[3])}]({found[2]})\n\n*{found[1]}*",
        part.data,
    )
    text = re.sub(r"^:::(?: \{\.\w+(?: lang=\w+)?\})?\n?", "", text, flags=re.MULTILINE)
    return Markdown(re.sub(r"^: (.+)$", r"*\1*", text, flags=re.MULTILINE).strip())


def notices(edition: Edition) -> Markdown:
    """Say first of all what a reader must know: that records are synthetic, or that rows could not be counted."""
    language = edition.language
    blocks = [demonstration_notice(edition.shown).data] if edition.records.is_demonstration else []
    held = int(edition.records.account["quarantined"].sum())
    if held:
        if edition.records.voids.account["quarantined"]:
            text = counted(
                language,
                held,
                "{number} record could not be read and is left out of every figure, so the figures may be too low or "
                "too high.",
                "{number} records could not be read and are left out of every figure, so the figures may be too low or "
                "too high.",
            )
        else:
            text = counted(
                language,
                held,
                "{number} record could not be read and is left out of every figure, so the figures may be too low.",
                "{number} records could not be read and are left out of every figure, so the figures may be too low.",
            )
        blocks.append(div("notice", f"**{words(language, 'Not everything could be counted.')}** {text}"))
    return Markdown("\n\n".join(blocks))


def demonstration_notice(program: Program) -> Markdown:
    """Return the notice that the records are synthetic.

    Parameters
    ----------
    program
        With its names as they are shown.
    """
    one = program.demonstration
    return Markdown(div("notice", f"**{escape(one.mark)}.** {escape(one.statement)}") if one else "")


def introduction(project: Project) -> Markdown:
    """Show the introduction to the program."""
    name = escape(project.shown.identity.short_name)
    return _text_part(project, words(project.language, "Introduction to {program}", program=name), "introduction.md")


def headline(edition: Edition) -> Markdown:
    """Show the headline figures of the fiscal year to date as tiles."""
    language, measures = edition.language, edition.shown.measures
    tiles = [
        f"- **{language.number(value_of(edition.figures, name, 'fytd'))}** {escape(measures[name].label)}"
        for name in edition.program.report.headline
    ]
    title = words(language, "{year} to date by the numbers", year=capital(_year(edition)))
    return _part(capital(title), _fytd_sentence(edition), div("tiles", "\n".join(tiles)))


def breakdowns(edition: Edition) -> Markdown:
    """Show the month and the fiscal year to date by category, the tables side by side, and where they disagree."""
    names = edition.program.report.breakdowns
    if not names:
        return Markdown("")
    columns = [div("column", _breakdown_table(edition, name)) for name in names]
    label = escape(_table_title(edition, names[0]))
    notes = "\n\n".join(filter(None, [_provisional_note(edition), *map(escape, disagreements(edition))]))
    parts = [div("columns", "\n\n".join(columns)), *([div("note", notes)] if notes else [])]
    return _part(label, *parts)


def trend_table(edition: Edition) -> str:
    """Return the numbers of the chart by month as a table, with which of them moved since they were first counted."""
    name = edition.program.report.trend
    if name is None:
        return ""
    language = edition.language
    counts = breakdown(edition.figures, name)["fytd"]
    revised = trend_revisions(edition)
    marks = {one.month: f" {escape(REVISED)}" for one in revised}
    if edition.is_provisional:
        marks[edition.month] = f" {escape(PROVISIONAL)}"
    rows = [
        [capital(language.month(month)), language.number(int(counts[str(month)])) + marks.get(month, "")]
        for month in edition.months
    ]
    total = _total(edition, name, "fytd", counts)
    rows.append([f"**{capital(words(language, '{year} to date', year=capital(_year(edition))))}**", f"**{total}**"])
    noun = capital(escape(noun_of(edition, name)))
    title = words(language, "{measure} by month", measure=noun)
    parts = [
        pipe_table([words(language, "Month"), noun], rows, title),
        *([div("note", note)] if (note := _provisional_note(edition)) else []),
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
            "{mark} means revised: records that came in later changed the number since it was first counted, from the "
            "records received by the day shown.",
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
        [words(language, "Step"), _month_heading(edition), _year_to_date(edition)],
        [
            [words(language, "People notified"), number(month_notified), number(year_notified)],
            [words(language, "Of them, engaged with a service"), number(month_engaged), number(year_engaged)],
            [words(language, "Engagement rate"), *map(escape, rates)],
        ],
        words(language, "From Custom Notification to engagement"),
    )
    sentence = counted(
        language,
        month_notified,
        "In {month}, {number} person received a Custom Notification; {engaged} of them took up a service by the end of "
        "the month. In the {year} to date, {year_engaged} of {year_notified} did.",
        "In {month}, {number} people received a Custom Notification; {engaged} of them took up a service by the end of "
        "the month. In the {year} to date, {year_engaged} of {year_notified} did.",
        month=language.month(edition.month),
        engaged=number(month_engaged),
        year=_year(edition),
        year_engaged=number(year_engaged),
        year_notified=number(year_notified),
    )
    engaged = words(
        language,
        "Engaged means that the person took up a service on or after the day of the notification and by the end of "
        "the period. Someone notified late in a period has had little time to do so, so the rate of a single month "
        "can still rise.",
    )
    note = f"{_provisional_note(edition)} {engaged}".strip()
    if NOT_AVAILABLE in rates:
        none = words(
            language,
            "{mark} means not available: nobody was notified, so there is no rate.",
            mark=escape(NOT_AVAILABLE),
        )
        note += f" {none}"
    return _part(words(language, "From notification to engagement"), sentence, table, div("note", note))


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
    heads = [words(language, "Count"), _month_heading(edition), _year_to_date(edition)]
    notes = "\n\n".join(filter(None, [note, _provisional_note(edition)]))
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
    return _part(words(language, "Significant response activities"), *blocks)


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


def definitions(project: Project, edition: Edition) -> Markdown:
    """Show what the words of the report mean, and every crosswalk of the issue with its reason."""
    language = edition.language
    parts = []
    for crosswalk in edition.shown.crosswalks:
        if not crosswalk.in_issue(edition.month):
            continue
        names = {
            "value": escape(category_in(language, crosswalk.value)),
            "counted_as": escape(category_in(language, crosswalk.counted_as)),
        }
        if crosswalk.assumption:
            start = words(language, "{value} counted as {counted_as} (an assumption).", **names)
        else:
            start = words(language, "{value} counted as {counted_as}.", **names)
        parts.append(f"**{start}** {escape(crosswalk.reason)}")
    text = _text_part(project, words(language, "Definitions"), "definitions.md")
    heading = [f"### {words(language, 'Names that changed')}"] if parts else []
    return Markdown("\n\n".join([text.data, *heading, *parts]))


def measures_in_words(edition: Edition) -> Markdown:
    """Return for every measure which records it counts, from the same declaration that counts them."""
    language, shown = edition.language, edition.shown
    start = words(
        language,
        "Each number counts records whose date lies in the month, or in the {year} to date. These are all that there "
        "are, by the names that the report gives them.",
        year=_year(edition),
    )
    items = []
    for name, measure in edition.program.measures.items():
        label = escape(capital(noun_of(edition, name) if measure.by else shown.measures[name].label))
        if measure.by:
            by = escape(shown.measures[name].label.lower())
            label = words(language, "{measure} by {category}", measure=label, category=by)
        items.append(f"- **{label}:** {_counted_in_words(edition, name)}.")
    return _part(words(language, "How each number is counted"), start, "\n".join(items))


def _counted_in_words(edition: Edition, name: str) -> str:
    language, measure, tables = edition.language, edition.program.measures[name], edition.shown.tables

    def column_name(column: str) -> str:
        return escape(language.text(column_in_words(column)))

    table = f"*{escape(tables[measure.table].title)}*"
    if isinstance(measure.count, Distinct):
        column = column_name(measure.count.distinct)
        parts = [words(language, "each {column} in {table} once", column=column, table=table)]
    elif measure.count == "rows":
        parts = [words(language, "the records in {table}", table=table)]
    else:
        column = column_name(measure.count.sum)
        parts = [words(language, "“{column}”, added up over the records in {table}", column=column, table=table)]
    for column, value in measure.where.items():
        if isinstance(value, bool):
            said = words(language, "yes") if value else words(language, "no")
        else:
            said = language.text(value)
        names = {"column": column_name(column), "value": escape(said)}
        parts.append(words(language, "where “{column}” is {value}", **names))
    if measure.followed_by is not None:
        later = f"*{escape(tables[measure.followed_by].title)}*"
        parts.append(
            words(
                language,
                "if a record in {table} follows on that day or later, by the end of the period",
                table=later,
            )
        )
    counts = ", ".join(parts)
    if measure.missing is not None:
        without = words(language, "those without one are under {value}", value=escape(language.text(measure.missing)))
        counts += f"; {without}"
    return counts


def verdict_meanings(language: Language = ENGLISH) -> Markdown:
    """Return what each verdict on a printed figure means."""
    start = words(
        language,
        "A figure that was printed is counted again from the raw records, as they had been received by the as-of date "
        "of its issue, and as they are now. It gets one of these verdicts:",
    )
    items = [
        f"- **{words(language, verdict).capitalize()}:** {words(language, meaning)}"
        for verdict, meaning in VERDICTS.items()
    ]
    return _part(words(language, "What the verdicts mean"), start, "\n".join(items))


def verdicts(project: Project, edition: Edition) -> Markdown:
    """Show what became of the figures that were published in this fiscal year, counted again for this edition."""
    found = verdicts_as_of(project, edition)
    if not found:
        return Markdown("")
    language = edition.language
    sentence = words(
        language,
        "Every figure that was published for a month of this {year} was counted again from the records received by "
        "{as_of}.",
        year=_year(edition),
        as_of=language.date(edition.as_of),
    )
    return _part(words(language, "Published figures, counted again"), sentence, *_verdict_tables(found, language))


def verdicts_page(found: Sequence[IssueVerdicts], language: Language = ENGLISH) -> list[str]:
    """Return the page with a verdict on every figure of the register: one block of Markdown for each of its parts."""
    issues = counted(language, len(found), "{number} issue", "{number} issues")
    figures = counted(language, sum(len(one.figures) for one in found), "{number} figure", "{number} figures")
    start = words(
        language,
        "This page gives a verdict on each figure that was published: {figures} in {issues}. Each was counted again "
        "from the raw records, as they had been received by the as-of date of the issue, and as they are now.",
        figures=figures,
        issues=issues,
    )
    heading = f"## {words(language, 'All issues')}"
    parts = ["\n\n".join([heading, start, *_verdict_tables(found, language)])]
    for one in found:
        issue = one.issue
        facts = [
            f"**{words(language, 'Source:')}** {said(language, issue.source)}",
            f"**{words(language, 'Put into the register by:')}** {said(language, issue.transcribed_by)}",
        ]
        if issue.printed:
            facts.append(f"**{words(language, 'Published:')}** {language.date(issue.printed)}")
        if one.as_of:
            facts.append(f"**{words(language, 'As of:')}** {language.date(one.as_of)}")
        if issue.reason:
            facts.append(f"**{words(language, 'Why it was printed again:')}** {said(language, issue.reason)}")
        label = escape(label_of(issue.name, language))
        caption = words(language, "Figures of {issue} as published, and counted again", issue=label)
        table = _figures_table(one, one.figures, caption, language)
        parts.append("\n\n".join([f"## {capital(label)}", *facts, table]))
    return parts


def register(found: Sequence[IssueVerdicts]) -> Markdown:
    """Show which issues the register holds, and where they come from."""
    rows = []
    notes = []
    for one in found:
        issue = one.issue
        printed = date_in_words(issue.printed) if issue.printed else "not known"
        as_of = date_in_words(issue.as_of) if issue.as_of else "not stated"
        label = escape(issue.name.label)
        rows.append([label, number(len(issue.figures)), printed, as_of])
        notes.append(f"{label}: {escape(issue.source)} Put into the register by {escape(issue.transcribed_by)}.")
        notes += [f"{label} was printed again: {escape(issue.reason)}"] if issue.reason else []
        notes += [f"{label}: {escape(issue.footnote)}"] if issue.footnote else []
    table = pipe_table(["Issue", "Figures", "Printed", "As of, as it states"], rows, "Issues in the register")
    return Markdown("\n\n".join([table, div("note", "\n\n".join(notes))]))


def as_printed(over_time: pd.DataFrame) -> Markdown:
    """Show how many figures of each issue were still as printed on each later day."""
    rows = [
        [
            escape(IssueName.parse(row["issue"]).label),
            date_in_words(row["as_of"].date()),
            number(row["figures"]),
            number(row["as_printed"]),
        ]
        for row in over_time.to_dict("records")
    ]
    heads = ["Issue", "Records received by", "Figures", "As printed"]
    return Markdown(pipe_table(heads, rows, "Figures that the records give as they were printed"))


def still_as_first(shares: pd.DataFrame, label: str) -> Markdown:
    """Show how many months still had the number that was first counted, at the end of each month."""
    last = shares.loc[~shares["as_of"].dt.to_period("M").duplicated(keep="last")]
    rows = [
        [date_in_words(row["as_of"].date()), number(row["months"]), number(row["same"])]
        for row in last.to_dict("records")
    ]
    heads = ["Records received by", "Months counted", "Still as first counted"]
    return Markdown(pipe_table(heads, rows, f"{escape(label)}: months that still have their first number"))


def first_and_newest(months: pd.DataFrame, label: str) -> Markdown:
    """Show the first number of each month beside the newest one, and how many months were revised."""
    rows = [
        [
            ReportMonth.parse(row["month"]).label,
            number(row["first"]),
            number(row["value"]),
            signed(row["change"]),
            signed_percent(row["percent"]),
        ]
        for row in months.to_dict("records")
    ]
    heads = ["Month", "First counted", "Newest", "Change", "In percent"]
    blocks = [pipe_table(heads, rows, f"{escape(label)}: first number and newest")]
    older = months.loc[months["age"].gt(0)]
    if len(older):
        note = (
            f"Of {plural(len(older), 'month')} beyond age 0, {number(int(older['change'].ne(0).sum()))} have another "
            f"number now than at first; the median change is {signed_percent(older['percent'].median())}."
        )
        blocks.append(div("note", note))
    return Markdown("\n\n".join(blocks))


def moved_together(moves: pd.DataFrame, label: str, at_least: int) -> Markdown:
    """Show the days on which so many months or more moved at once."""
    days = moves.loc[moves["moved"].ge(at_least)]
    rows = [
        [date_in_words(row["as_of"].date()), number(row["months"]), number(row["moved"]), signed(row["change"])]
        for row in days.to_dict("records")
    ]
    if not rows:
        return Markdown(f"{escape(label)}: there is no day on which {number(at_least)} months or more moved.")
    caption = f"{escape(label)}: days on which {number(at_least)} months or more moved at once"
    return Markdown(pipe_table(["Day", "Months over", "Moved", "Change"], rows, caption))


def signed(value: float) -> str:
    """Write a change with its sign, and with a decimal place only where it has one: ``+13``, ``-1.5``, ``0``."""
    return f"{value:+,.1f}".removesuffix(".0") if value else "0"


def signed_percent(value: float) -> str:
    """Write a percentage with its sign and one decimal place, ``+5.3%``; not available where there is none."""
    if pd.isna(value):
        return escape(NOT_AVAILABLE)
    return f"{value:+.1f}%" if round(value, 1) else "0.0%"


def ages_table(ages: pd.DataFrame, label: str) -> str:
    """Show how much months had been revised by each age: one row for each age."""
    rows = [
        [
            number(row["age"]),
            number(row["months"]),
            *(number(row[way]) for way in ("up", "down", "same")),
            signed(row["median_change"]),
            *(signed_percent(row[size]) for size in ("median", "smallest", "largest")),
        ]
        for row in ages.to_dict("records")
    ]
    heads = ["Age", "Months", "Up", "Down", "Same", "Median change", "Median", "Lowest", "Highest"]
    table = pipe_table(heads, rows, f"{escape(label)}: change since the first number, by age of the month")
    note = (
        "Age 0 is the calendar month after the month itself, age 1 the next one. Up, down and same say how many months "
        "of that age had a higher, a lower or the same number as at first. The last rows speak of few months."
    )
    return "\n\n".join([table, div("note", note)])


def _verdict_tables(found: Sequence[IssueVerdicts], language: Language) -> list[str]:
    """Count the verdicts by issue, show the figures that are not reproduced, and say what the verdicts mean."""
    counts = summary(found)
    given = [verdict for verdict in (*VERDICTS, *MISSING) if verdict == REPRODUCED or counts[verdict].any()]
    rows = []
    for one, row in zip(found, counts.to_dict("records"), strict=True):
        name = capital(escape(label_of(one.issue.name, language)))
        if one.replaced_by:
            name = words(language, "{issue} (replaced)", issue=name)
        rows.append([name, *(language.number(row[column]) for column in ("figures", *given))])
    heads = [
        words(language, "Issue"),
        words(language, "Figures"),
        *(words(language, verdict).capitalize() for verdict in given),
    ]
    blocks = [pipe_table(heads, rows, words(language, "Verdicts on the figures of each issue"))]
    for one in found:
        off = one.figures.loc[one.figures["verdict"].ne(REPRODUCED)]
        if not off.empty and one.as_of is not None:
            issue = escape(label_of(one.issue.name, language))
            caption = words(language, "Figures of {issue} that are not as printed, then or now", issue=issue)
            blocks.append(_figures_table(one, off, caption, language))
    notes = []
    for verdict in given:
        if verdict in VERDICTS:
            meaning = words(language, VERDICTS[verdict])
            notes.append(f"{words(language, verdict).capitalize()}: {meaning[0].lower()}{meaning[1:]}")
    for one in found:
        notes += _notes_on(one, language)
    blocks.append(div("note", "\n\n".join(notes)))
    return blocks


def _notes_on(one: IssueVerdicts, language: Language) -> list[str]:
    """Return what a reader of the verdicts on an issue must know beside them."""
    issue = escape(label_of(one.issue.name, language))
    label = capital(issue)
    notes = []
    if one.why:
        notes.append(words(language, "{issue} is not reproducible: {why}", issue=label, why=said(language, one.why)))
    if one.count(NOT_COMPARABLE):
        names = dict.fromkeys("viputils" if each.kind == "library" else each.name for each in one.made_otherwise)
        notes.append(
            words(
                language,
                "{issue} was made with other rules, code or deliveries than are here now ({names}). So a figure that "
                "is not as printed tells nothing about the print.",
                issue=label,
                names=", ".join(names),
            )
        )
    notes += [f"{label}: {said(language, each)}" for each in one.left_out]
    # A footnote says it already, and why.
    told = [each for each in one.unexplained if each.impossible or not one.issue.footnote]
    notes += [] if one.issue.footnote else [f"{label}: {escape(each)}" for each in one.explained(language)]
    notes += [
        words(language, "{issue} does not add up as printed. {text}", issue=label, text=said(language, each.text))
        for each in told
    ]
    notes += [f"{label}: {said(language, one.issue.footnote)}"] if one.issue.footnote else []
    if one.issue.reason:
        why = said(language, one.issue.reason)
        notes.append(words(language, "{issue} was printed again: {why}", issue=label, why=why))
    if one.replaced_by:
        other = escape(label_of(one.replaced_by, language))
        notes.append(words(language, "{issue} was replaced by {other}, which stands.", issue=label, other=other))
    return notes


def _figures_table(one: IssueVerdicts, figures: pd.DataFrame, caption: str, language: Language) -> str:
    """Show published figures beside what is counted, named as the report names them."""
    shown = one.program.in_language(language)
    rows = []
    for row in figures.to_dict("records"):
        name = str(row["measure"])
        measure = shown.measures[name]
        to_date = row["period"] == "fytd"
        when = language.text(shown.identity.year_to_date) if to_date else language.short_month(one.issue.name.month)
        if measure.by == "month":
            # Its categories are months, which no catalogue holds.
            category = shown.tables[measure.table].title
            when = language.month(ReportMonth.parse(str(row["category"])))
        else:
            category = measure.label
            if row["category"]:
                category = f"{measure.label}: {category_in(language, row['category'])}"
        values = [
            NOT_AVAILABLE if pd.isna(row[side]) else language.number(int(row[side]))
            for side in ("published", "recomputed", "now")
        ]
        verdict = words(language, str(row["verdict"]))
        rows.append([escape(f"{capital(category)}, {when}"), *map(escape, values), verdict])
    heads = [
        words(language, "Figure"),
        words(language, "Published"),
        words(language, "As of its date"),
        words(language, "Now"),
        words(language, "Verdict"),
    ]
    return pipe_table(heads, rows, caption)


def release_notes(found: Changes) -> str:
    """Write what moved between two issues or two commits as release notes, in Markdown."""
    rows = [
        [
            escape(" ".join(filter(None, [row.get("issue", ""), key_of_row(row)]))),
            *(escape(row[column]) for column in ("before", "after", "change", "what")),
        ]
        for row in found.shown.to_dict("records")
    ]
    parts = [f"# Figures from {escape(found.before)} to {escape(found.after)}", escape(found.sentence)]
    if rows:
        parts.append(pipe_table(["Figure", "Before", "After", "Change", "What"], rows, "Figures that are not the same"))
    said = [f"Could not be compared: {problem}" for problem in found.not_compared] + list(found.notes)
    return "\n\n".join([*parts, *(f"- {escape(line)}" for line in said)])


def provenance(edition: Edition) -> Markdown:
    """Return which records the issue was made from, as of when, and what became of each row that was read."""
    language, names = edition.language, edition.shown.tables
    account = edition.records.account
    rows = [
        [
            escape(names[str(row["table"])].title) if row["table"] in names else words(language, "Withdrawals"),
            *(language.number(int(row[column])) for column in ("read", *STATUSES)),
        ]
        for row in account.to_dict("records")
    ]
    totals = [language.number(int(account[column].sum())) for column in ("read", *STATUSES)]
    rows.append([f"**{words(language, 'All tables')}**", *(f"**{total}**" for total in totals)])
    table = pipe_table(
        [
            words(language, "Table"),
            words(language, "Rows read"),
            words(language, "Kept"),
            words(language, "Superseded"),
            words(language, "Duplicate"),
            words(language, "Quarantined"),
        ],
        rows,
        words(language, "What became of every row that was read"),
    )
    days = {
        "as_of": language.date(edition.as_of),
        "start": language.date(edition.program.identity.records_from),
    }
    if edition.records.is_demonstration:
        sentence = words(
            language,
            "This issue was made from the demonstration records received by {as_of}, which begin on {start}. Records "
            "received later are not in it.",
            **days,
        )
    else:
        sentence = words(
            language,
            "This issue was made from the records received by {as_of}, which begin on {start}. Records received later "
            "are not in it.",
            **days,
        )
    note = words(
        language,
        "Superseded: a later delivery replaced or withdrew the row. Duplicate: the row repeats another. Quarantined: "
        "the row could not be read and waits to be corrected.",
    )
    title = words(language, "How these figures were made")
    return _part(title, div("provenance", sentence), table, div("note", note))


def _part(title: str, *blocks: str) -> Markdown:
    """Return one part of the report under its heading."""
    return Markdown("\n\n".join([f"## {title}", *(block for block in blocks if block)]))


def _text_part(project: Project, title: str, file: str) -> Markdown:
    body = sections_markdown(read_sections(project.report / file, f"report/{file}", project.language, project.fonts), 3)
    return _part(title, body) if body else Markdown("")


def _fytd_sentence(edition: Edition) -> str:
    language = edition.language
    span = edition.month.fytd(edition.program.identity.fiscal_year_starts)
    return words(
        language,
        "From {start} to {end}, the {year} to date ({short}).",
        start=language.date(span.start),
        end=language.date(span.end),
        year=_year(edition),
        short=_year_to_date(edition),
    )


def _provisional_note(edition: Edition) -> str:
    """Return what the mark means, if the newest month has it."""
    if not edition.is_provisional:
        return ""
    return words(
        edition.language,
        "{mark} means provisional: records that come in later can still change the number.",
        mark=escape(PROVISIONAL),
    )


def _year(edition: Edition) -> str:
    return words(edition.language, edition.program.identity.year)


def _year_to_date(edition: Edition) -> str:
    return words(edition.language, edition.program.identity.year_to_date)


def usual_range_table(edition: Edition, found: Assessment) -> str:
    """Return the numbers of the chart of what is usual: each month with its rules; below, the limits."""
    language, chart = edition.language, found.whole.chart
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
    language, chart = edition.language, found.whole.chart
    yield from filter(None, [_provisional_note(edition)])
    low, high = (language.number(round(chart.points[side].iloc[0])) for side in ("low", "high"))
    yield words(
        language,
        "By chance alone a month would seldom be below {low} or above {high}; the newest seldom below {newest_low} or "
        "above {newest_high}, because it has no part in the average.",
        low=low,
        high=high,
        newest_low=language.number(found.whole.low),
        newest_high=language.number(found.whole.high),
    )
    if chart.points["value"].isna().any():
        yield words(language, "{mark} means not available: the month was not delivered.", mark=escape(NOT_AVAILABLE))
    marked = {rule.number: rule for month in chart.marked.index for rule in chart.marks_at(month)}
    for number, rule in sorted(marked.items()):
        yield words(language, "({number}) marks {rule}.", number=str(number), rule=words(language, rule.words))
    if not chart.is_even:
        yield words(
            language,
            "The months before the newest differ from each other more than chance alone would make them, so no month "
            "is marked.",
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
    heads = [words(language, "To the end of"), str(year.year), str(year.year - 1)]
    noun = capital(escape(noun_of(edition, pace.measure)))
    return pipe_table(
        heads, rows, words(language, "{measure} added up over the {year}", measure=noun, year=_year(edition))
    )


def _month_heading(edition: Edition) -> str:
    month = escape(edition.language.short_month(edition.month))
    return f"{month} {escape(PROVISIONAL)}" if edition.is_provisional else month


def category_in(language: Language, category: object) -> str:
    """Return a category as a language shows it; in the figures table it stays as it is."""
    return language.text(str(category)) if category else ""


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
    rows = [
        [
            escape(category_in(language, category)),
            *(language.number(int(wide.loc[category, period])) for period in ("month", "fytd")),
        ]
        for category in wide.index
    ]
    rows.append(
        [
            f"**{words(language, 'Total')}**",
            *(f"**{_total(edition, name, period, wide[period])}**" for period in ("month", "fytd")),
        ]
    )
    noun = capital(escape(noun_of(edition, name)))
    return pipe_table(
        [label, _month_heading(edition), _year_to_date(edition)],
        rows,
        words(language, "{measure} by {category}", measure=noun, category=uncapital(label)),
    )


def _total(edition: Edition, name: str, period: str, counts: pd.Series) -> str:
    """Add up a breakdown. What is counted once can be in several categories, so only the whole can say how much."""
    if not isinstance(edition.program.measures[name].count, Distinct):
        return edition.language.number(int(counts.sum()))
    whole = edition.program.whole_of(name)
    return edition.language.number(value_of(edition.figures, whole, period)) if whole else escape(NOT_AVAILABLE)


def disagreements(edition: Edition) -> list[str]:
    """Return where the categories of a breakdown do not add up to the whole, and why; as plain text."""
    return without_category(edition.figures, edition.program, edition.month, edition.language)
