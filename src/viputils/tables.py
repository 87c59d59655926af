"""Figures and records as Markdown: notices, tiles, tables and the notes below them.

Everything here is plain Pandoc Markdown, so that both engines and JupyterLab show the same. Words that come from
a file are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown

from viputils.cleaning import STATUSES, Records
from viputils.figures import breakdown, value_of
from viputils.periods import date_in_words
from viputils.program import Measure
from viputils.project import Project
from viputils.texts import escape, read_sections, sections_markdown

# The one shorthand in use, explained beside every table that holds it.
NOT_AVAILABLE = "[x]"


def number(value: int) -> str:
    """Write a whole number with commas between thousands: ``2,599``."""
    return f"{value:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: ``1 response``, ``2 responses``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """Write a share as a whole percentage, halves up; not available where there is no whole to have a share of."""
    return f"{(200 * part + whole) // (2 * whole)}%" if whole else NOT_AVAILABLE


def pipe_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """Write a captioned pipe table: names on the left, numbers on the right. Cells are Markdown already."""
    # The dashes give the relative widths that Pandoc uses where a row is long.
    rule = [":" + "-" * 23, *["-" * 7 + ":" for _ in header[1:]]]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n: {caption}"


def div(kind: str, body: str) -> str:
    """Put Markdown into a fenced div; the empty lines keep its marks apart where a notebook shows them."""
    return f"::: {{.{kind}}}\n\n{body}\n\n:::"


def notices(records: Records) -> Markdown:
    """Say first of all what a reader must know: that records are synthetic, or that rows could not be counted."""
    texts = []
    if records.is_demonstration and records.program.demonstration:
        demonstration = records.program.demonstration
        texts.append(f"**{escape(demonstration.mark)}.** {escape(demonstration.statement)}")
    held = int(records.account["quarantined"].sum())
    if held:
        texts.append(
            f"**Not everything could be counted.** {plural(held, 'record')} could not be read and "
            f"{'is' if held == 1 else 'are'} left out of every figure, so the figures may be too low."
        )
    return Markdown("\n\n".join(div("notice", text) for text in texts))


def introduction(project: Project) -> Markdown:
    """Show the introduction to the program."""
    return _text_part(project, f"Introduction to {escape(project.program.identity.short_name)}", "introduction.md")


def headline(records: Records, figures: pd.DataFrame) -> Markdown:
    """Show the headline figures of the fiscal year to date as tiles."""
    measures = records.program.measures
    tiles = [
        f"- **{number(value_of(figures, name, 'fytd'))}** {escape(measures[name].label)}"
        for name in records.program.report.headline
    ]
    return _part("Fiscal year to date by the numbers", _fytd_sentence(records), div("tiles", "\n".join(tiles)))


def breakdowns(records: Records, figures: pd.DataFrame) -> Markdown:
    """Show the month and the fiscal year to date by category, the tables side by side, and where they disagree."""
    names = records.program.report.breakdowns
    if not names:
        return Markdown("")
    columns = [div("column", _breakdown_table(records, figures, name)) for name in names]
    label = escape(_table_title(records, names[0]))
    parts = [div("columns", "\n\n".join(columns)), *_disagreements(records, figures)]
    return _part(label, *parts)


def trend_table(records: Records, figures: pd.DataFrame) -> str:
    """Give the numbers of the chart by month as a table."""
    name = records.program.report.trend
    if name is None:
        return ""
    months = list(records.month.fiscal_year(records.program.identity.fiscal_year_starts).months(until=records.month))
    counts = breakdown(figures, name)["fytd"]
    rows = [[month.label, number(int(counts[str(month)]))] for month in months]
    rows.append(["**Fiscal year to date**", f"**{number(int(counts.sum()))}**"])
    noun = escape(noun_of(records, name))
    return pipe_table(["Month", noun.capitalize()], rows, f"{noun.capitalize()} by month")


def funnel(records: Records, figures: pd.DataFrame) -> Markdown:
    """Show how many people were notified, and how many of them engaged with a service."""
    if not records.program.report.funnel:
        return Markdown("")
    notified, engaged = records.program.report.funnel
    month_notified, month_engaged = (value_of(figures, name, "month") for name in (notified, engaged))
    year_notified, year_engaged = (value_of(figures, name, "fytd") for name in (notified, engaged))
    rates = [percent(month_engaged, month_notified), percent(year_engaged, year_notified)]
    table = pipe_table(
        ["Step", escape(records.month.short_name), "FYTD"],
        [
            ["People notified", number(month_notified), number(year_notified)],
            ["Of them, engaged with a service", number(month_engaged), number(year_engaged)],
            ["Engagement rate", *(escape(rate) for rate in rates)],
        ],
        "From Custom Notification to engagement",
    )
    sentence = (
        f"In {records.month.label}, {_people(month_notified)} received a Custom Notification; {number(month_engaged)} "
        f"of them took up a service by the end of the month. In the fiscal year to date, {number(year_engaged)} of "
        f"{number(year_notified)} did."
    )
    note = (
        "Engaged means that the person took up a service on or after the day of the notification and by the end of "
        "the period. Someone notified late in a period has had little time to do so, so the rate of a single month "
        "is lower than it will become."
    )
    if NOT_AVAILABLE in rates:
        note += f" {escape(NOT_AVAILABLE)} means not available: nobody was notified, so there is no rate."
    return _part("From notification to engagement", sentence, table, div("note", note))


def activities(project: Project, records: Records) -> Markdown:
    """Show the significant response activities of the month by theme, or say that none were written down."""
    path = project.activities(records.month)
    sections = read_sections(path, f"report/activities/{path.name}")
    body = sections_markdown(sections, 3) or f"No activities have been written down for {records.month.label}."
    return _part("Significant response activities", body)


def definitions(project: Project) -> Markdown:
    """Show what the words of the report mean, and every crosswalk with its reason."""
    program = project.program
    parts = [
        f"**{escape(crosswalk.value)} counted as {escape(crosswalk.counted_as)}"
        f"{' (an assumption)' if crosswalk.assumption else ''}.** {escape(crosswalk.reason)}"
        for crosswalk in program.crosswalks
    ]
    text = _text_part(project, "Definitions", "definitions.md")
    return Markdown("\n\n".join([text.data, *(["### Names that changed"] if parts else []), *parts]))


def provenance(records: Records) -> Markdown:
    """Say which records the issue was made from, as of when, and what became of each row that was read."""
    kind = "demonstration records" if records.is_demonstration else "records"
    names = records.program.tables
    account = records.account
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
    start = date_in_words(records.program.identity.records_from)
    sentence = (
        f"This issue was made from the {kind} received by {date_in_words(records.as_of)}, which begin on {start}. "
        "Records received later are not in it."
    )
    note = (
        "Superseded: a later delivery corrected or withdrew the row. Duplicate: the row repeats another. Quarantined: "
        "the row could not be read and waits to be corrected."
    )
    return _part("How these figures were made", div("provenance", sentence), table, div("note", note))


def _part(title: str, *blocks: str) -> Markdown:
    """Give one part of the report under its heading."""
    return Markdown("\n\n".join([f"## {title}", *(block for block in blocks if block)]))


def _text_part(project: Project, title: str, file: str) -> Markdown:
    body = sections_markdown(read_sections(project.report / file, f"report/{file}"), 3)
    return _part(title, body) if body else Markdown("")


def _fytd_sentence(records: Records) -> str:
    span = records.month.fytd(records.program.identity.fiscal_year_starts)
    return f"From {date_in_words(span.start)} to {date_in_words(span.end)}, the fiscal year to date (FYTD)."


def _people(count: int) -> str:
    return plural(count, "person", "people")


def _table_title(records: Records, measure: str) -> str:
    return records.program.tables[records.program.measures[measure].table].title


def noun_of(records: Records, measure: str) -> str:
    """Give the label of what a broken-down measure counts: that of the same measure without a breakdown."""
    whole = _whole_of(records, measure)
    return records.program.measures[whole].label if whole else records.program.measures[measure].label


def _whole_of(records: Records, measure: str) -> str | None:
    """Give the measure that counts the same without the breakdown, if the program has one."""
    parts = records.program.measures[measure]

    def counted(one: Measure) -> tuple[object, ...]:
        return one.table, one.count, one.where, one.followed_by

    return next(
        (name for name, one in records.program.measures.items() if one.by is None and counted(one) == counted(parts)),
        None,
    )


def _breakdown_table(records: Records, figures: pd.DataFrame, name: str) -> str:
    label = escape(records.program.measures[name].label)
    wide = breakdown(figures, name)
    rows = [
        [escape(category), *(number(int(wide.loc[category, period])) for period in ("month", "fytd"))]
        for category in wide.index
    ]
    rows.append(["**Total**", *(f"**{number(int(wide[period].sum()))}**" for period in ("month", "fytd"))])
    noun = escape(noun_of(records, name)).capitalize()
    return pipe_table(
        [label, escape(records.month.short_name), "FYTD"], rows, f"{noun} by {label[0].lower()}{label[1:]}"
    )


def _disagreements(records: Records, figures: pd.DataFrame) -> list[str]:
    """Say where the categories of a breakdown do not add up to the whole, and why."""
    notes = []
    for name in records.program.report.breakdowns:
        whole = _whole_of(records, name)
        if whole is None or records.program.measures[name].count != "rows":
            continue
        label = escape(records.program.measures[name].label)
        noun = escape(records.program.measures[whole].label)
        for period, words in (("month", f"In {records.month.label}"), ("fytd", "In the fiscal year to date")):
            total = value_of(figures, whole, period)
            parts = int(breakdown(figures, name)[period].sum())
            if total != parts:
                without = total - parts
                notes.append(
                    f"{words}, {number(without)} of {number(total)} {noun} {'has' if without == 1 else 'have'} no "
                    f"usable {label.lower()}, so the table by {label.lower()} adds up to {number(parts)} and not to "
                    f"{number(total)}."
                )
    return [div("note", "\n\n".join(notes))] if notes else []
