"""The last part of an issue: the program, the words of the report, the number checks and the records."""

from __future__ import annotations

import re

from IPython.display import Markdown

from viputils.config.program import Distinct, column_in_words
from viputils.config.project import Project
from viputils.core.text import capital
from viputils.figures.edition import Edition
from viputils.records.account import STATUSES
from viputils.report.layout import category_in, div, part, pipe_table
from viputils.report.markdown import escape, read_sections, sections_markdown, words
from viputils.report.sections import noun_of, year_name
from viputils.report.verdict_sections import verdicts


def about(project: Project, edition: Edition) -> Markdown:
    """Return the last part: the introduction, the definitions, the number checks and where the records come from."""
    language, demonstration = edition.language, edition.shown.demonstration
    parts = [introduction(project), definitions(project, edition), verdicts(project, edition)]
    if edition.records.is_demonstration and demonstration and demonstration.details:
        parts.append(part(words(language, "About the sample data"), escape(demonstration.details)))
    parts.append(provenance(edition))
    return part(words(language, "About this report"), *(_one_level_down(one.data) for one in parts))


def _one_level_down(markdown: str) -> str:
    return re.sub("^##", "###", markdown, flags=re.MULTILINE)


def where_to_get_help(project: Project) -> Markdown:
    """Return the numbers where people get help, and whom to ask about the report. A city can have neither."""
    language, program = project.language, project.shown
    lines = [
        words(language, "{use} {number}", use=escape(one.use), number=f"**{escape(one.number)}**")
        + _linked(one.address)
        for one in program.help
    ]
    if (contact := program.contact) is not None:
        ways = [escape(way) for way in (contact.phone, contact.email) if way]
        asked = ", ".join([escape(contact.name), *ways]) + _linked(contact.address)
        lines.append(words(language, "Questions about this report: {contact}", contact=asked))
    if not lines:
        return Markdown("")
    return part(words(language, "Where to get help"), "\n".join(f"- {line}" for line in lines))


def _linked(address: str | None) -> str:
    """Return an address as a link behind a name, by the name that people know it by."""
    if not address:
        return ""
    # Brackets would end the link.
    target = re.sub(r"[()\[\]!]", lambda mark: f"%{ord(mark[0]):02X}", address)
    return f" ([{escape(address.removeprefix('https://'))}]({target}))"


def introduction(project: Project) -> Markdown:
    """Return the introduction to the program."""
    name = escape(project.shown.identity.short_name)
    return _text_part(project, words(project.language, "Introduction to {program}", program=name), "introduction.md")


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
        "Each number counts the records dated in the month, or in the {year} to date.",
        year=year_name(edition),
    )
    items = []
    for name, measure in edition.program.measures.items():
        label = escape(capital(noun_of(edition, name) if measure.by else shown.measures[name].label))
        if measure.by:
            by = escape(shown.measures[name].label.lower())
            label = words(language, "{measure} by {category}", measure=label, category=by)
        items.append(f"- **{label}:** {_counted_in_words(edition, name)}.")
    return part(words(language, "How each number is counted"), start, "\n".join(items))


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
        parts.append(words(language, "with {value} as “{column}”", **names))
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
        without = words(language, "records without one are under {value}", value=escape(language.text(measure.missing)))
        counts += f"; {without}"
    return counts


def provenance(edition: Edition) -> Markdown:
    """Return which records the issue was made from, as of when, and what became of each row that was read."""
    language, names = edition.language, edition.shown.tables
    account = edition.records.account
    rows = [
        [
            escape(names[str(row["table"])].title) if row["table"] in names else words(language, "Withdrawn records"),
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
            words(language, "Replaced"),
            words(language, "Repeated"),
            words(language, "Set aside"),
        ],
        rows,
        words(language, "What happened to every row of the records"),
    )
    days = {
        "as_of": language.date(edition.as_of),
        "start": language.date(edition.program.identity.records_from),
    }
    if edition.records.is_demonstration:
        sentence = words(
            language,
            "This report uses the sample data received by {as_of}, which begins on {start}. Records received later are "
            "not in it.",
            **days,
        )
    else:
        sentence = words(
            language,
            "This report uses the records received by {as_of}, which begin on {start}. Records received later are not "
            "in it.",
            **days,
        )
    note = words(
        language,
        "Replaced: a later delivery replaced or withdrew the row. Repeated: the row repeats another row. "
        "Set aside: the row could not be read and needs a correction.",
    )
    title = words(language, "Where the numbers come from")
    return part(title, div("provenance", sentence), table, div("note", note))


def _text_part(project: Project, title: str, file: str) -> Markdown:
    body = sections_markdown(read_sections(project.report / file, f"report/{file}", project.language, project.fonts), 3)
    return part(title, body) if body else Markdown("")
