"""Published figures in Markdown: verdicts, first prints, and what moved."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown

from viputils.audit.changes.result import Changes
from viputils.audit.register import IssueName
from viputils.audit.verdicts import (
    MISSING,
    NOT_COMPARABLE,
    REPRODUCED,
    VERDICTS,
    IssueVerdicts,
    summary,
    verdicts_as_of,
)
from viputils.config.language import ENGLISH, Language
from viputils.config.project import Project
from viputils.core.months import ReportMonth, date_in_words
from viputils.core.periods import parse_period
from viputils.core.text import capital, plural
from viputils.figures.counts import key_of_row
from viputils.figures.edition import Edition
from viputils.report.layout import (
    NOT_AVAILABLE,
    attribute,
    category_in,
    div,
    label_of,
    number,
    part,
    pipe_table,
    signed,
    signed_percent,
)
from viputils.report.markdown import (
    counted,
    escape,
    said,
    words,
)
from viputils.report.sections import year_name


def verdict_meanings(language: Language = ENGLISH) -> Markdown:
    """Return what each verdict on a printed figure means."""
    start = words(
        language,
        "We recount every published number from the raw records: once as they were on the as-of date of the report, "
        "and once as they are now. Each number gets one of these results:",
    )
    items = [
        f"- **{words(language, verdict).capitalize()}:** {words(language, meaning)}"
        for verdict, meaning in VERDICTS.items()
    ]
    return part(words(language, "What the results mean"), start, "\n".join(items))


def verdicts(project: Project, edition: Edition) -> Markdown:
    """Show what became of the figures that were published in this fiscal year, counted again for this edition."""
    found = verdicts_as_of(project, edition)
    if not found:
        return Markdown("")
    language = edition.language
    sentence = words(
        language,
        "We recounted every number published for this {year}, using the records received by {as_of}.",
        year=year_name(edition),
        as_of=language.date(edition.as_of),
    )
    return part(words(language, "Number checks"), sentence, *_verdict_tables(found, language))


def verdicts_page(found: Sequence[IssueVerdicts], language: Language = ENGLISH) -> list[str]:
    """Return the page with a verdict on every figure of the register: one block of Markdown for each of its parts."""
    issues = counted(language, len(found), "{number} report", "{number} reports")
    figures = counted(language, sum(len(one.figures) for one in found), "{number} number", "{number} numbers")
    start = words(
        language,
        "We recounted every published number. Here are the results: {figures} in {issues}. We used the raw records as "
        "they were on the as-of date of each report, and as they are now.",
        figures=figures,
        issues=issues,
    )
    why = words(language, "A number that anyone can recount is a number that people can trust.")
    heading = f"## {words(language, 'All reports')}"
    parts = ["\n\n".join([heading, f"{start} {why}", *_verdict_tables(found, language)])]
    for one in found:
        issue = one.issue
        facts = [
            f"**{words(language, 'Source:')}** {said(language, issue.source)}",
            f"**{words(language, 'Recorded by:')}** {said(language, issue.transcribed_by)}",
        ]
        if issue.approved_by:
            facts.append(f"**{words(language, 'Approved by:')}** {escape(issue.approved_by)}")
        if issue.printed:
            facts.append(f"**{words(language, 'Published:')}** {language.date(issue.printed)}")
        if one.as_of:
            facts.append(f"**{words(language, 'Counted again from records received by:')}** {language.date(one.as_of)}")
        if issue.reason:
            facts.append(f"**{words(language, 'Why it was published again:')}** {said(language, issue.reason)}")
        label = escape(label_of(issue.name, language))
        caption = words(language, "Numbers published for {issue}, and our recount", issue=label)
        table = _figures_table(one, one.figures, caption, language)
        if one.figures["verdict"].eq(REPRODUCED).all():
            total = language.number(len(one.figures))
            all_reproduced = language.text("{number} of {number} reproduced: show all numbers", number=total)
            table = f'::: {{.details summary="{attribute(all_reproduced)}"}}\n\n{table}\n\n:::'
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
        label = escape(capital(issue.name.label))
        rows.append([label, number(len(issue.figures)), printed, as_of])
        notes.append(f"{label}: {escape(issue.source)} Recorded by {escape(issue.transcribed_by)}.")
        notes += [f"{label} was published again: {escape(issue.reason)}"] if issue.reason else []
        notes += [f"{label}: {escape(issue.footnote)}"] if issue.footnote else []
    table = pipe_table(["Report", "Numbers", "Published", "As-of date stated"], rows, "Reports in the register")
    return Markdown("\n\n".join([table, div("note", "\n\n".join(notes))]))


def as_printed(over_time: pd.DataFrame) -> Markdown:
    """Show how many figures of each issue were still as printed on each later day."""
    rows = [
        [
            escape(capital(IssueName.parse(row["issue"]).label)),
            date_in_words(row["as_of"].date()),
            number(row["figures"]),
            number(row["as_printed"]),
        ]
        for row in over_time.to_dict("records")
    ]
    heads = ["Report", "Records received by", "Numbers", "As published"]
    return Markdown(pipe_table(heads, rows, "Numbers that the records give as published"))


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
            f"Of {plural(len(older), 'month')} beyond age 0, {number(int(older['change'].ne(0).sum()))} now have "
            f"another number than at first. The median change is {signed_percent(older['percent'].median())}."
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
        "Age 0 is the calendar month after the month itself. Age 1 is the next one. Up, down and same show how many "
        "months of that age had a higher, a lower or the same number as at first. The last rows cover few months."
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
        words(language, "Report"),
        words(language, "Numbers"),
        *(words(language, verdict).capitalize() for verdict in given),
    ]
    blocks = [pipe_table(heads, rows, words(language, "Number checks for each report"))]
    for one in found:
        off = one.figures.loc[one.figures["verdict"].ne(REPRODUCED)]
        if not off.empty and one.as_of is not None:
            issue = escape(label_of(one.issue.name, language))
            caption = words(language, "Numbers published for {issue} that did not match, then or now", issue=issue)
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
        notes.append(words(language, "{issue} cannot be recounted: {why}", issue=label, why=said(language, one.why)))
    if one.count(NOT_COMPARABLE):
        names = dict.fromkeys("viputils" if each.kind == "library" else each.name for each in one.made_otherwise)
        notes.append(
            words(
                language,
                "{issue} was made with other rules, code or deliveries than we have now ({names}). So another number "
                "does not mean that the published one was wrong.",
                issue=label,
                names=", ".join(names),
            )
        )
    notes += [f"{label}: {said(language, each)}" for each in one.left_out]
    # A footnote says it already, and why.
    told = [each for each in one.unexplained if each.impossible or not one.issue.footnote]
    notes += [] if one.issue.footnote else [f"{label}: {escape(each)}" for each in one.explained(language)]
    notes += [
        words(language, "{issue} does not add up as published. {text}", issue=label, text=said(language, each.text))
        for each in told
    ]
    notes += [f"{label}: {said(language, one.issue.footnote)}"] if one.issue.footnote else []
    if one.issue.reason:
        why = said(language, one.issue.reason)
        notes.append(words(language, "{issue} was published again: {why}", issue=label, why=why))
    if one.replaced_by:
        other = escape(label_of(one.replaced_by, language))
        notes.append(words(language, "{issue} was replaced by {other}.", issue=label, other=other))
    return notes


def _figures_table(one: IssueVerdicts, figures: pd.DataFrame, caption: str, language: Language) -> str:
    """Show published figures beside what is counted, named as the report names them."""
    shown = one.program.in_language(language)
    rows = []
    for row in figures.to_dict("records"):
        name = str(row["measure"])
        measure = shown.measures[name]
        to_date = row["period"] == "fytd"
        when = (
            language.text(shown.identity.year_to_date) if to_date else _short_period(language, one, str(row["period"]))
        )
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
        words(language, "Count"),
        words(language, "Published"),
        words(language, "As of its date"),
        words(language, "Now"),
        words(language, "Result"),
    ]
    return pipe_table(heads, rows, caption)


def _short_period(language: Language, one: IssueVerdicts, period: str) -> str:
    """Return a period of an issue, except the year to date, in few letters."""
    issue = one.issue.name.period
    counted_in = issue if period == issue.kind else parse_period(period)
    if isinstance(counted_in, ReportMonth):
        return language.short_month(counted_in)
    return language.period(counted_in)


def release_notes(found: Changes) -> str:
    """Return the figures that changed between two issues or two commits as release notes, in Markdown."""
    rows = [
        [
            escape(" ".join(filter(None, [row.get("issue", ""), key_of_row(row)]))),
            *(escape(row[column]) for column in ("before", "after", "change", "what")),
        ]
        for row in found.shown.to_dict("records")
    ]
    parts = [f"# Figures from {escape(found.before)} to {escape(found.after)}", escape(found.sentence)]
    if rows:
        parts.append(pipe_table(["Figure", "Before", "After", "Change", "What"], rows, "Figures that changed"))
    said = [f"Could not be compared: {problem}" for problem in found.not_compared] + list(found.notes)
    return "\n\n".join([*parts, *(f"- {escape(line)}" for line in said)])
