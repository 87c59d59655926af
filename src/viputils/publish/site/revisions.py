"""The page about revisions and corrections: the city's policy, and the log of every published report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from IPython.display import Markdown

from viputils.audit.register import IssueName, PublishedIssue
from viputils.config.language import Language
from viputils.config.project import Project
from viputils.core.text import capital
from viputils.figures.counts import KEY
from viputils.publish.site.pages import Page, page_of
from viputils.report.layout import label_of, pipe_table
from viputils.report.markdown import counted, escape, read_sections, said, sections_markdown, words
from viputils.report.sections import demonstration_notice


def revisions_page(
    project: Project,
    issues: Sequence[PublishedIssue],
    places: Mapping[IssueName, str],
    as_of: dt.date,
    demonstration: bool,
) -> Page | None:
    """Return the page about revisions: report/pages/revisions.md, and below it the log of published issues.

    Parameters
    ----------
    issues
        The issues of the register, in its order.
    places
        The place of each issue that is on the site.
    as_of
        The day until which records were received.
    demonstration
        Whether the records are sample data.

    Returns
    -------
    Page or None
        None if there is neither a text nor a published issue.

    Raises
    ------
    TextError
        If the text cannot be shown.
    """
    language, name = project.language, "pages/revisions.md"
    policy = sections_markdown(read_sections(project.report / name, f"report/{name}", language), 2)
    log = revisions_log(issues, places, language) if issues else ""
    if not policy and not log:
        return None
    notice = demonstration_notice(project.shown) if demonstration else Markdown("")
    title = language.text("Revisions and corrections")
    return page_of(project, "revisions", title, [notice, Markdown(policy), Markdown(log)], as_of, demonstration)


def revisions_log(issues: Sequence[PublishedIssue], places: Mapping[IssueName, str], language: Language) -> str:
    """Return a table of published issues, the newest publication first."""
    by_name = {one.name: one for one in issues}
    unknown = words(language, "not recorded")
    rows = []
    for one in sorted(issues, key=lambda one: (one.printed or dt.date.min, one.name), reverse=True):
        label, place = capital(escape(label_of(one.name, language))), places.get(one.name)
        rows.append(
            [
                f"[{label}](../{place}/index.html)" if place else label,
                language.date(one.printed) if one.printed else unknown,
                _change(one, by_name.get(IssueName(one.name.period, one.name.number - 1)), language),
                said(language, one.transcribed_by),
                escape(one.approved_by) or unknown,
            ]
        )
    heads = [
        words(language, "Report"),
        words(language, "Published"),
        words(language, "What changed"),
        words(language, "Recorded by"),
        words(language, "Approved by"),
    ]
    start = words(language, "Every report has a line here. A correction has its own line, and the report stays online.")
    caption = words(language, "Published reports and corrections, the newest first")
    table = pipe_table(heads, rows, caption, words=range(1, len(heads)))
    return "\n\n".join([f"## {words(language, 'All reports and corrections')}", start, table])


def _change(issue: PublishedIssue, before: PublishedIssue | None, language: Language) -> str:
    """Return how many numbers of a re-issue changed, and why it was published."""
    if before is None:
        return words(language, "First publication")
    number = numbers_changed(before, issue)
    changed = counted(language, number, "{number} number changed.", "{number} numbers changed.")
    return f"{changed} {said(language, issue.reason)}"


def numbers_changed(before: PublishedIssue, after: PublishedIssue) -> int:
    """Return how many figures of an issue are different or missing in the one that replaces it.

    A figure that only the newer one has changes no published number.
    """
    both = before.figures.merge(after.figures, on=KEY, how="left", suffixes=("_before", "_after"))
    return int((both["value_before"] != both["value_after"]).sum())
