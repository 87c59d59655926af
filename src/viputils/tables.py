"""Figures and records as Markdown: notices, tiles, tables and the notes below them.

Everything here is plain Pandoc Markdown, so that both engines and JupyterLab show the same. Words that come from
a file are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown

from viputils.changes import Changes
from viputils.cleaning import STATUSES
from viputils.edition import Edition
from viputils.figures import KEY, breakdown, value_of
from viputils.periods import ReportMonth, date_in_words
from viputils.program import Distinct, Measure, Program
from viputils.project import Project
from viputils.published import IssueName
from viputils.revisions import trend_revisions
from viputils.texts import escape, read_sections, sections_markdown
from viputils.verdicts import MISSING, REPRODUCED, VERDICTS, IssueVerdicts, summary, verdicts_as_of

# The shorthands in use, explained beside every table that holds one.
NOT_AVAILABLE = "[x]"
PROVISIONAL = "[p]"
REVISED = "[r]"
_PROVISIONAL_NOTE = f"{escape(PROVISIONAL)} means provisional: records that come in later can still change the number."


def number(value: int) -> str:
    """Write a whole number with commas between thousands: ``2,599``."""
    return f"{value:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: ``1 response``, ``2 responses``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """Write a share as a whole percentage, halves up; not available where there is no whole to have a share of."""
    return f"{(200 * part + whole) // (2 * whole)}%" if whole else NOT_AVAILABLE


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
    """Give a part as a notebook shows it best: without the marks that lay out a page, images with their full text."""
    text = re.sub(
        r'!\[(.*)\]\((data:[^)]*)\)\{[^{}]*fig-alt="((?:[^"\\]|\\.)*)"\}',
        lambda found: f"![{escape(found[3])}]({found[2]})\n\n*{found[1]}*",
        part.data,
    )
    text = re.sub(r"^:::(?: \{\.\w+\})?\n?", "", text, flags=re.MULTILINE)
    return Markdown(re.sub(r"^: (.+)$", r"*\1*", text, flags=re.MULTILINE).strip())


def notices(edition: Edition) -> Markdown:
    """Say first of all what a reader must know: that records are synthetic, or that rows could not be counted."""
    blocks = [demonstration_notice(edition.program).data] if edition.records.is_demonstration else []
    held = int(edition.records.account["quarantined"].sum())
    if held:
        wrong = "too low or too high" if edition.records.voids.account["quarantined"] else "too low"
        text = (
            f"**Not everything could be counted.** {plural(held, 'record')} could not be read and "
            f"{'is' if held == 1 else 'are'} left out of every figure, so the figures may be {wrong}."
        )
        blocks.append(div("notice", text))
    return Markdown("\n\n".join(blocks))


def demonstration_notice(program: Program) -> Markdown:
    """Say that the records are synthetic."""
    said = program.demonstration
    return Markdown(div("notice", f"**{escape(said.mark)}.** {escape(said.statement)}") if said else "")


def introduction(project: Project) -> Markdown:
    """Show the introduction to the program."""
    return _text_part(project, f"Introduction to {escape(project.program.identity.short_name)}", "introduction.md")


def headline(edition: Edition) -> Markdown:
    """Show the headline figures of the fiscal year to date as tiles."""
    measures = edition.program.measures
    tiles = [
        f"- **{number(value_of(edition.figures, name, 'fytd'))}** {escape(measures[name].label)}"
        for name in edition.program.report.headline
    ]
    year = edition.program.identity.year.capitalize()
    return _part(f"{year} to date by the numbers", _fytd_sentence(edition), div("tiles", "\n".join(tiles)))


def breakdowns(edition: Edition) -> Markdown:
    """Show the month and the fiscal year to date by category, the tables side by side, and where they disagree."""
    names = edition.program.report.breakdowns
    if not names:
        return Markdown("")
    columns = [div("column", _breakdown_table(edition, name)) for name in names]
    label = escape(_table_title(edition, names[0]))
    notes = "\n\n".join([_PROVISIONAL_NOTE, *map(escape, disagreements(edition))])
    parts = [div("columns", "\n\n".join(columns)), div("note", notes)]
    return _part(label, *parts)


def trend_table(edition: Edition) -> str:
    """Give the numbers of the chart by month as a table, and say which of them moved since they were first counted."""
    name = edition.program.report.trend
    if name is None:
        return ""
    counts = breakdown(edition.figures, name)["fytd"]
    revised = trend_revisions(edition)
    marks = {one.month: f" {escape(REVISED)}" for one in revised} | {edition.month: f" {escape(PROVISIONAL)}"}
    rows = [[month.label, number(int(counts[str(month)])) + marks.get(month, "")] for month in edition.months]
    total = _total(edition, name, "fytd", counts)
    rows.append([f"**{edition.program.identity.year.capitalize()} to date**", f"**{total}**"])
    noun = escape(noun_of(edition, name)).capitalize()
    parts = [pipe_table(["Month", noun], rows, f"{noun} by month"), div("note", _PROVISIONAL_NOTE)]
    if revised:
        heading = ["Month", "Received by", "First counted", "Now", "Change"]
        moved = [
            [one.month.label, date_in_words(one.as_of), number(one.first), number(one.now), f"{one.now - one.first:+,}"]
            for one in revised
        ]
        note = (
            f"{escape(REVISED)} means revised: records that came in later changed the number since it was first "
            "counted, from the records received by the day shown."
        )
        parts += [pipe_table(heading, moved, f"{noun} of earlier months that were revised"), div("note", note)]
    return "\n\n".join(parts)


def funnel(edition: Edition) -> Markdown:
    """Show how many people were notified, and how many of them engaged with a service."""
    if not edition.program.report.funnel:
        return Markdown("")
    notified, engaged = edition.program.report.funnel
    month_notified, month_engaged = (value_of(edition.figures, name, "month") for name in (notified, engaged))
    year_notified, year_engaged = (value_of(edition.figures, name, "fytd") for name in (notified, engaged))
    rates = [percent(month_engaged, month_notified), percent(year_engaged, year_notified)]
    table = pipe_table(
        ["Step", _month_heading(edition), edition.program.identity.year_to_date],
        [
            ["People notified", number(month_notified), number(year_notified)],
            ["Of them, engaged with a service", number(month_engaged), number(year_engaged)],
            ["Engagement rate", *(escape(rate) for rate in rates)],
        ],
        "From Custom Notification to engagement",
    )
    year = edition.program.identity.year
    sentence = (
        f"In {edition.month.label}, {_people(month_notified)} received a Custom Notification; {number(month_engaged)} "
        f"of them took up a service by the end of the month. In the {year} to date, {number(year_engaged)} of "
        f"{number(year_notified)} did."
    )
    note = (
        f"{_PROVISIONAL_NOTE} "
        "Engaged means that the person took up a service on or after the day of the notification and by the end of "
        "the period. Someone notified late in a period has had little time to do so, so the rate of a single month "
        "is lower than it will become."
    )
    if NOT_AVAILABLE in rates:
        note += f" {escape(NOT_AVAILABLE)} means not available: nobody was notified, so there is no rate."
    return _part("From notification to engagement", sentence, table, div("note", note))


def counts_table(edition: Edition, names: Sequence[str], caption: str, note: str) -> str:
    """Show measures for the month and the year to date, one with a breakdown by its categories.

    Parameters
    ----------
    caption, note
        Markdown: above the table, and below it before what its marks mean.
    """
    rows = []
    for name in names:
        label, wide = noun_of(edition, name), breakdown(edition.figures, name)
        by = "" if edition.program.measures[name].by is None else f", {edition.program.measures[name].label.lower()}: "
        rows += [
            [
                escape(f"{label[:1].upper()}{label[1:]}{by}{category}"),
                *(number(int(wide.loc[category, period])) for period in ("month", "fytd")),
            ]
            for category in wide.index
        ]
    heads = ["Count", _month_heading(edition), edition.program.identity.year_to_date]
    return "\n\n".join([pipe_table(heads, rows, caption), div("note", f"{note}\n\n{_PROVISIONAL_NOTE}")])


def activities(project: Project, edition: Edition) -> Markdown:
    """Show the significant response activities of the month by theme, or say that none were written down.

    A project that has no folder for them has no such part.
    """
    path = project.activities(edition.month)
    if not path.parent.is_dir():
        return Markdown("")
    sections = read_sections(path, f"report/activities/{path.name}")
    body = sections_markdown(sections, 3) or f"No activities have been written down for {edition.month.label}."
    return _part("Significant response activities", body)


def definitions(project: Project, edition: Edition) -> Markdown:
    """Show what the words of the report mean, and every crosswalk of the issue with its reason."""
    parts = [
        f"**{escape(crosswalk.value)} counted as {escape(crosswalk.counted_as)}"
        f"{' (an assumption)' if crosswalk.assumption else ''}.** {escape(crosswalk.reason)}"
        for crosswalk in edition.program.crosswalks
        if crosswalk.in_issue(edition.month)
    ]
    text = _text_part(project, "Definitions", "definitions.md")
    return Markdown("\n\n".join([text.data, *(["### Names that changed"] if parts else []), *parts]))


def measures_in_words(edition: Edition) -> Markdown:
    """Say of every measure which records it counts, from the same declaration that counts them."""
    year = edition.program.identity.year
    start = (
        f"Each number counts records whose date lies in the month, or in the {year} to date. These are all that there "
        "are, by the names that the report gives them."
    )
    items = []
    for name, measure in edition.program.measures.items():
        label = escape(noun_of(edition, name)) if measure.by else escape(measure.label)
        by = f" by {escape(measure.label.lower())}" if measure.by else ""
        items.append(f"- **{label[:1].upper()}{label[1:]}{by}:** {_counted_in_words(edition.program, measure)}.")
    return _part("How each number is counted", start, "\n".join(items))


def _counted_in_words(program: Program, measure: Measure) -> str:
    def words(column: str) -> str:
        return escape(column.removesuffix("_id").replace("_", " "))

    table = f"*{escape(program.tables[measure.table].title)}*"
    if isinstance(measure.count, Distinct):
        said = f"each {words(measure.count.distinct)} in {table} once"
    elif measure.count == "rows":
        said = f"the records in {table}"
    else:
        said = f"“{words(measure.count.sum)}”, added up over the records in {table}"
    for column, value in measure.where.items():
        said += f", where “{words(column)}” is {escape(value)}"
    if measure.followed_by is not None:
        later = escape(program.tables[measure.followed_by].title)
        said += f", if a record in *{later}* follows on that day or later, by the end of the period"
    if measure.missing is not None:
        said += f"; those without one are under {escape(measure.missing)}"
    return said


def verdict_meanings() -> Markdown:
    """Say what each verdict on a printed figure means."""
    start = (
        "A figure that was printed is counted again from the raw records, as they had been received by the as-of date "
        "of its issue, and as they are now. It gets one of these verdicts:"
    )
    items = [f"- **{escape(verdict).capitalize()}:** {escape(meaning)}" for verdict, meaning in VERDICTS.items()]
    return _part("What the verdicts mean", start, "\n".join(items))


def verdicts(project: Project, edition: Edition) -> Markdown:
    """Show what became of the figures that were published in this fiscal year, counted again for this edition."""
    found = verdicts_as_of(project, edition)
    if not found:
        return Markdown("")
    sentence = (
        f"Every figure that was published for a month of this {edition.program.identity.year} was counted again from "
        f"the records received by {date_in_words(edition.as_of)}."
    )
    return _part("Published figures, counted again", sentence, *_verdict_tables(found))


def verdicts_page(found: Sequence[IssueVerdicts]) -> list[str]:
    """Give the page with a verdict on every figure of the register: one block of Markdown for each of its parts."""
    issues = plural(len(found), "issue")
    figures = plural(sum(len(one.figures) for one in found), "figure")
    start = (
        f"This page gives a verdict on each figure that was published: {figures} in {issues}. Each was counted again "
        "from the raw records, as they had been received by the as-of date of the issue, and as they are now."
    )
    parts = ["\n\n".join(["## All issues", start, *_verdict_tables(found)])]
    for one in found:
        issue = one.issue
        facts = [f"**Source:** {escape(issue.source)}", f"**Put into the register by:** {escape(issue.transcribed_by)}"]
        facts += [f"**Published:** {date_in_words(issue.printed)}"] if issue.printed else []
        facts += [f"**As of:** {date_in_words(one.as_of)}"] if one.as_of else []
        facts += [f"**Why it was printed again:** {escape(issue.reason)}"] if issue.reason else []
        table = _figures_table(
            one, one.figures, f"Figures of {escape(issue.name.label)} as published, and counted again"
        )
        parts.append("\n\n".join([f"## {escape(issue.name.label)}", *facts, table]))
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


def _verdict_tables(found: Sequence[IssueVerdicts]) -> list[str]:
    """Count the verdicts by issue, show the figures that are not reproduced, and say what the verdicts mean."""
    counts = summary(found)
    given = [verdict for verdict in (*VERDICTS, *MISSING) if verdict == REPRODUCED or counts[verdict].any()]
    rows = []
    for one, row in zip(found, counts.to_dict("records"), strict=True):
        name = escape(one.issue.name.label) + (" (replaced)" if one.replaced_by else "")
        rows.append([name, number(row["figures"]), *(number(row[verdict]) for verdict in given)])
    heads = ["Issue", "Figures", *(verdict.capitalize() for verdict in given)]
    blocks = [pipe_table(heads, rows, "Verdicts on the figures of each issue")]
    for one in found:
        off = one.figures.loc[one.figures["verdict"].ne(REPRODUCED)]
        if not off.empty and one.as_of is not None:
            caption = f"Figures of {escape(one.issue.name.label)} that are not as printed, then or now"
            blocks.append(_figures_table(one, off, caption))
    notes = [
        f"{escape(verdict).capitalize()}: {VERDICTS[verdict][0].lower()}{VERDICTS[verdict][1:]}"
        for verdict in given
        if verdict in VERDICTS
    ]
    for one in found:
        label = escape(one.issue.name.label)
        notes += [f"{label} is not reproducible: {escape(one.why)}"] if one.why else []
        notes += [f"{label}: {escape(each)}" for each in one.left_out]
        # A footnote says it already, and why.
        told = [each for each in one.contradictions if each.impossible or not one.issue.footnote]
        notes += [f"{label} does not add up as printed. {escape(each.text)}" for each in told]
        notes += [f"{label}: {escape(one.issue.footnote)}"] if one.issue.footnote else []
        notes += [f"{label} was printed again: {escape(one.issue.reason)}"] if one.issue.reason else []
        notes += [f"{label} was replaced by {escape(one.replaced_by.label)}, which stands."] if one.replaced_by else []
    blocks.append(div("note", "\n\n".join(notes)))
    return blocks


def _figures_table(one: IssueVerdicts, figures: pd.DataFrame, caption: str) -> str:
    """Show published figures beside what is counted, named as the report names them."""
    program = one.program
    rows = []
    for row in figures.to_dict("records"):
        measure = program.measures[str(row["measure"])]
        category = f"{measure.label}: {row['category']}" if row["category"] else measure.label
        when = program.identity.year_to_date if row["period"] == "fytd" else one.issue.name.month.short_name
        if measure.by == "month":
            category, when = program.tables[measure.table].title, ReportMonth.parse(str(row["category"])).label
        values = [
            NOT_AVAILABLE if pd.isna(row[side]) else number(int(row[side]))
            for side in ("published", "recomputed", "now")
        ]
        rows.append(
            [escape(f"{category[0].upper()}{category[1:]}, {when}"), *map(escape, values), escape(row["verdict"])]
        )
    return pipe_table(["Figure", "Published", "As of its date", "Now", "Verdict"], rows, caption)


def release_notes(found: Changes) -> str:
    """Write what moved between two issues or two commits as release notes, in Markdown."""
    rows = [
        [
            escape(" ".join(filter(None, [row.get("issue", ""), "/".join(filter(None, (row[part] for part in KEY)))]))),
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
    """Say which records the issue was made from, as of when, and what became of each row that was read."""
    kind = "demonstration records" if edition.records.is_demonstration else "records"
    names = edition.program.tables
    account = edition.records.account
    rows = [
        [
            escape(names[str(row["table"])].title if row["table"] in names else "Withdrawals"),
            *(number(int(row[column])) for column in ("read", *STATUSES)),
        ]
        for row in account.to_dict("records")
    ]
    totals = [number(int(account[column].sum())) for column in ("read", *STATUSES)]
    rows.append(["**All tables**", *(f"**{total}**" for total in totals)])
    table = pipe_table(
        ["Table", "Rows read", "Kept", "Superseded", "Duplicate", "Quarantined"],
        rows,
        "What became of every row that was read",
    )
    start = date_in_words(edition.program.identity.records_from)
    sentence = (
        f"This issue was made from the {kind} received by {date_in_words(edition.as_of)}, which begin on {start}. "
        "Records received later are not in it."
    )
    note = (
        "Superseded: a later delivery replaced or withdrew the row. Duplicate: the row repeats another. Quarantined: "
        "the row could not be read and waits to be corrected."
    )
    return _part("How these figures were made", div("provenance", sentence), table, div("note", note))


def _part(title: str, *blocks: str) -> Markdown:
    """Give one part of the report under its heading."""
    return Markdown("\n\n".join([f"## {title}", *(block for block in blocks if block)]))


def _text_part(project: Project, title: str, file: str) -> Markdown:
    body = sections_markdown(read_sections(project.report / file, f"report/{file}"), 3)
    return _part(title, body) if body else Markdown("")


def _fytd_sentence(edition: Edition) -> str:
    identity = edition.program.identity
    span = edition.month.fytd(identity.fiscal_year_starts)
    days = f"{date_in_words(span.start)} to {date_in_words(span.end)}"
    return f"From {days}, the {identity.year} to date ({identity.year_to_date})."


def _month_heading(edition: Edition) -> str:
    return f"{escape(edition.month.short_name)} {escape(PROVISIONAL)}"


def _people(count: int) -> str:
    return plural(count, "person", "people")


def _table_title(edition: Edition, measure: str) -> str:
    return edition.program.tables[edition.program.measures[measure].table].title


def noun_of(edition: Edition, measure: str) -> str:
    """Give the label of what a broken-down measure counts: that of the same measure without a breakdown."""
    whole = _whole_of(edition, measure)
    return edition.program.measures[whole].label if whole else edition.program.measures[measure].label


def _whole_of(edition: Edition, measure: str) -> str | None:
    """Give the measure that counts the same without the breakdown, if the program has one."""
    parts = edition.program.measures[measure]

    def counted(one: Measure) -> tuple[object, ...]:
        return one.table, one.count, one.where, one.followed_by

    return next(
        (name for name, one in edition.program.measures.items() if one.by is None and counted(one) == counted(parts)),
        None,
    )


def _breakdown_table(edition: Edition, name: str) -> str:
    label = escape(edition.program.measures[name].label)
    wide = breakdown(edition.figures, name)
    rows = [
        [escape(category), *(number(int(wide.loc[category, period])) for period in ("month", "fytd"))]
        for category in wide.index
    ]
    rows.append(["**Total**", *(f"**{_total(edition, name, period, wide[period])}**" for period in ("month", "fytd"))])
    noun = escape(noun_of(edition, name)).capitalize()
    return pipe_table(
        [label, _month_heading(edition), edition.program.identity.year_to_date],
        rows,
        f"{noun} by {label[0].lower()}{label[1:]}",
    )


def _total(edition: Edition, name: str, period: str, counts: pd.Series) -> str:
    """Add up a breakdown. What is counted once can be in several categories, so only the whole can say how much."""
    if not isinstance(edition.program.measures[name].count, Distinct):
        return number(int(counts.sum()))
    whole = _whole_of(edition, name)
    return number(value_of(edition.figures, whole, period)) if whole else escape(NOT_AVAILABLE)


def disagreements(edition: Edition) -> list[str]:
    """Say where the categories of a breakdown do not add up to the whole, and why; as plain text."""
    notes = []
    for name in edition.program.report.breakdowns:
        whole = _whole_of(edition, name)
        if whole is None or isinstance(edition.program.measures[name].count, Distinct):
            continue
        label = edition.program.measures[name].label
        noun = edition.program.measures[whole].label
        for period, words in (
            ("month", f"In {edition.month.label}"),
            ("fytd", f"In the {edition.program.identity.year} to date"),
        ):
            total = value_of(edition.figures, whole, period)
            parts = int(breakdown(edition.figures, name)[period].sum())
            if total != parts:
                without = total - parts
                notes.append(
                    f"{words}, {number(without)} of {number(total)} {noun} {'has' if without == 1 else 'have'} no "
                    f"usable {label.lower()}, so the table by {label.lower()} adds up to {number(parts)} and not to "
                    f"{number(total)}."
                )
    return notes
