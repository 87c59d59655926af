"""Pages that are not issues: overview, methods, verdicts, data quality, numbers elsewhere, data, search, not found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd
from IPython.display import Markdown
from nbformat.v4 import new_code_cell, new_notebook, new_output

from viputils.audit.verdicts import IssueVerdicts, all_figures
from viputils.config.project import Project
from viputils.core.months import Span
from viputils.core.spreadsheet import inert_table
from viputils.figures.edition import Edition
from viputils.report.about import definitions, measures_in_words
from viputils.report.data_files import ALL_ISSUES, PACKAGE
from viputils.report.dataset import all_issues_dataset
from viputils.report.elsewhere import numbers_elsewhere, read_elsewhere
from viputils.report.issue import front_matter
from viputils.report.layout import part, pipe_table
from viputils.report.markdown import escape, read_sections, sections_markdown, words
from viputils.report.notebook import clean_copy
from viputils.report.practice_model import practice_model
from viputils.report.quality_sections import quality_parts
from viputils.report.sections import demonstration_notice, notices
from viputils.report.verdict_sections import verdict_meanings, verdicts_page

HOME: Final = ""
NOT_FOUND: Final = "404"


@dataclass(frozen=True)
class Page:
    """A page of the site, before an engine makes it into HTML.

    Attributes
    ----------
    place
        Its folder in the site, with slashes; empty for the home page.
    title
        Its title, as plain text.
    front_matter
        Its front matter, as Markdown.
    cells
        The cells of its notebook after the front matter.
    files
        The files in its folder, by name.
    dataset
        The description of its data for programs, if it has data.
    """

    place: str
    title: str
    front_matter: Mapping[str, Any]
    cells: Sequence[Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    dataset: Mapping[str, Any] | None = None


def page_of(
    project: Project,
    place: str,
    title: str,
    parts: Iterable[Markdown],
    as_of: dt.date,
    demonstration: bool,
    files: Mapping[str, bytes] | None = None,
    description: str = "",
) -> Page:
    """Return a page, with its pictures as files.

    Parameters
    ----------
    place, title, files
        See ``Page``.
    parts
        Markdown with headings of the second level and below. Empty parts are left out.
    as_of
        The day until which records were received.
    demonstration
        Whether the records are sample data.
    description
        What search engines and social media show of the page; by default its title.
    """
    shown = [part.data for part in parts if part.data.strip()]
    cells = [new_code_cell(outputs=[new_output("display_data", {"text/markdown": part})]) for part in shown]
    header = _front_matter(project, title, as_of, demonstration)
    header["vip"]["description"] = escape(description or f"{title}. {project.shown.identity.name}.")
    notebook, images = clean_copy(new_notebook(cells=cells), header)
    return Page(place, title, header, notebook.cells[1:], images | dict(files or {}))


def overview_page(project: Project, edition: Edition) -> Page | None:
    """Return the page about the program: its overview, the practice model with the edition's counts, the strategies.

    The texts are report/pages/overview.md and, below the diagram, report/pages/strategies.md.

    Returns
    -------
    Page or None
        None if the project has neither a text nor a practice model.

    Raises
    ------
    TextError
        If a text cannot be shown.
    """
    above, below = _text(project, "overview"), _text(project, "strategies")
    parts = [above, practice_model(project, edition), below]
    if not any(part.data for part in parts):
        return None
    demonstration = edition.records.is_demonstration
    parts.insert(0, notices(edition))
    title = project.language.text("Program overview")
    return page_of(project, "overview", title, parts, edition.as_of, demonstration)


def methods_page(project: Project, edition: Edition) -> Page:
    """Return the page of methods and definitions: how records become figures, and what the words and marks mean.

    Its text is report/pages/methods.md. The measures, verdicts and crosswalks come from the code that uses them, so the
    page always agrees with it.

    Raises
    ------
    TextError
        If a text cannot be shown.
    """
    parts = [
        notices(edition),
        _text(project, "methods"),
        _to_elsewhere(project),
        verdict_meanings(project.language),
        definitions(project, edition),
        measures_in_words(edition),
    ]
    title = project.language.text("Methods and definitions")
    return page_of(project, "methods", title, parts, edition.as_of, edition.records.is_demonstration)


def verdicts_of_all(project: Project, found: Sequence[IssueVerdicts]) -> Page:
    """Return the page of verdicts, with its data as verdicts.csv beside it."""
    demonstration = any(one.demonstration for one in found)
    parts: list[Markdown] = [demonstration_notice(project.shown)] if demonstration else []
    parts += [Markdown(part) for part in verdicts_page(found, project.language)]
    known = [one.now for one in found if one.now is not None]
    printed = [one.issue.printed for one in found if one.issue.printed is not None]
    # If no issue has a date, the page has the date of the first record.
    as_of = max(known or printed, default=project.shown.identity.records_from)
    text = inert_table(all_figures(found)).to_csv(index=False, lineterminator="\n")
    files = {"verdicts.csv": text.encode("utf-8")}
    title = project.language.text("Number checks")
    return page_of(project, "verdicts", title, parts, as_of, demonstration, files)


def quality_page(project: Project, edition: Edition, revised: pd.DataFrame) -> Page:
    """Return the page about the quality of the edition's records.

    Parameters
    ----------
    revised
        As from ``viputils.figures.quality.revisions`` for the edition.
    """
    parts = [notices(edition), *quality_parts(edition, revised)]
    text, demonstration = project.language.text, edition.records.is_demonstration
    description = text("How complete the records are, how soon they arrive, and how often they change later.")
    return page_of(
        project, "quality", text("Data quality"), parts, edition.as_of, demonstration, description=description
    )


def elsewhere_page(project: Project, as_of: dt.date, demonstration: bool) -> Page | None:
    """Return the page of numbers that others reported, from data/elsewhere.csv; None without that file.

    Raises
    ------
    PublishedError
        If the file is malformed.
    """
    numbers = read_elsewhere(project)
    if not numbers:
        return None
    parts = numbers_elsewhere(numbers, project.language, demonstration)
    text = project.language.text
    title = text("Numbers reported elsewhere")
    description = text("Numbers that others reported, and whether our records give them.")
    return page_of(project, "elsewhere", title, parts, as_of, demonstration, description=description)


def _to_elsewhere(project: Project) -> Markdown:
    """Return the part of the methods page that leads to the numbers reported elsewhere, if there are any."""
    if not read_elsewhere(project):
        return Markdown("")
    language = project.language
    link = f"[{words(language, 'Numbers reported elsewhere')}](../elsewhere/index.html)"
    sentence = words(
        language,
        "Others report numbers about this program and about violence in the city, too. This page lists them, and "
        "whether our records give them: {page}.",
        page=link,
    )
    return part(words(language, "Numbers from other sources"), sentence)


def _text(project: Project, name: str) -> Markdown:
    """Read a text of report/pages, empty if there is none."""
    sections = read_sections(project.report / "pages" / f"{name}.md", f"report/pages/{name}.md", project.language)
    return Markdown(sections_markdown(sections, 2))


def _front_matter(project: Project, title: str, as_of: dt.date, demonstration: bool) -> dict[str, Any]:
    """Return the front matter of a page that is not an issue, with its own title in place of the report's."""
    header = front_matter(project, title, as_of, demonstration)
    name = project.shown.identity.name
    header["title"] = escape(f"{title}, {name}")
    running, skip = f"{name} | {title}".upper(), project.language.text("Skip to content")
    header["vip"] |= {"report": escape(title), "month": ""}
    header["vip"] |= {"running-header": escape(running), "words-skip": escape(skip)}
    return header


def data_page(project: Project, edition: Edition, to_files: str = "", address: str | None = None) -> Page:
    """Return the page about the data: the files, the meaning of their columns, and the license.

    Parameters
    ----------
    to_files
        The relative path from the page to the files, which are the same in every language.
    address
        The web address of the site, if known.
    """
    text, demonstration = project.language.text, edition.records.is_demonstration
    files = [
        (ALL_ISSUES, text("every number of every report as published, and of every month as its own records gave it")),
        (PACKAGE, text("what the columns mean, the license and the sources, for programs")),
    ]
    items = "\n".join(f"- [{escape(name)}]({to_files}{name}): {escape(said)}" for name, said in files)
    beside = text(
        "Each report has its own data files as CSV and JSON, with their description. Addresses never change, and the "
        "numbers at an address stay as published. A correction is a report of its own."
    )
    columns = [
        (
            "source",
            text("whether the number is as published, or as its own records gave it; never add up the two"),
        ),
        ("issue", text("the month, quarter or year of the report, and the number of a re-issue")),
        ("month", text("the month, quarter or year that the report is about")),
        ("as_of", text("only records received by this day are counted; empty if the report does not state a day")),
        ("replaced_by", text("the corrected report that replaces this number")),
        ("origin", text("where the number comes from")),
        ("measure", text("what is counted")),
        ("category", text("the part of it; empty if there is no breakdown")),
        ("period", text("the month, quarter or year, a part of a quarter or year, or the year to date")),
        ("value", text("the number, without decimals")),
    ]
    rows = [[f"`{name}`", escape(said)] for name, said in columns]
    table = pipe_table(
        [escape(text("Column")), escape(text("Meaning"))], rows, escape(text("Columns of the file")), words=[1]
    )
    parts = [
        f"## {escape(text('All numbers in one file'))}\n\n{items}\n\n{escape(beside)}",
        f"## {escape(text('What the columns mean'))}\n\n{table}",
        _terms(project),
    ]
    page = page_of(
        project, "data", text("Data"), [notices(edition), *map(Markdown, parts)], edition.as_of, demonstration
    )
    identity = project.program.identity
    span = Span(identity.records_from, edition.period.days(identity.fiscal_year_starts).end)
    to_data = f"{address}data/" if address else to_files
    return replace(page, dataset=all_issues_dataset(project, span, demonstration, to_data))


def _terms(project: Project) -> str:
    """Return the license and the sources of the data."""
    text, data = project.language.text, project.shown.data
    licenses = [f"- [{escape(one.title)}]({one.path})" for one in data.licenses]
    sources = [f"- [{escape(one.title)}]({one.path})" if one.path else f"- {escape(one.title)}" for one in data.sources]
    none = escape(text("No license is stated: ask the publisher before you use the data."))
    parts = [f"## {escape(text('License and sources'))}", *(["\n".join(licenses)] if licenses else [none])]
    return "\n\n".join([*parts, *([escape(text("Sources:")), "\n".join(sources)] if sources else [])])


def search_page(project: Project, as_of: dt.date, demonstration: bool) -> Page:
    """Return the search page. A script adds the form and the results; without scripts the page says so."""
    text = project.language.text
    said = escape(text("This page needs JavaScript. Every other page of the site works without it."))
    form = Markdown(f"## {escape(text('Search all pages'))}\n\n::: {{#search}}\n\n{said}\n\n:::")
    return page_of(project, "search", text("Search"), [form], as_of, demonstration)


def not_found_page(projects: Sequence[Project], as_of: dt.date) -> Page:
    """Return the "not found" page, in every language: the address does not tell which one the reader wants."""
    parts = []
    for project in projects:
        text, code = project.language.text, project.language.code
        said = text(
            "The address may have a typing error. Published pages keep their addresses, and the home page has links to "
            "all of them."
        )
        heading = text("This page does not exist")
        parts.append(Markdown(f"::: {{lang={code}}}\n\n## {escape(heading)}\n\n{escape(said)}\n\n:::"))
    title = projects[0].language.text("Not found")
    return page_of(projects[0], NOT_FOUND, title, parts, as_of, demonstration=False)
