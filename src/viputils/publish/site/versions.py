"""The pages of the site in each language, and the links between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from viputils.audit.as_of import load_edition
from viputils.audit.register import IssueName, read_register
from viputils.audit.verdicts import IssueVerdicts, verify_register
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.core.text import capital
from viputils.figures.quality import revisions
from viputils.publish.site.calendar import calendar_page
from viputils.publish.site.issues import SiteIssue, home_page, issue_page
from viputils.publish.site.navigation import Edge, Notice, Version, navigation
from viputils.publish.site.pages import (
    HOME,
    Page,
    data_page,
    elsewhere_page,
    methods_page,
    not_found_page,
    overview_page,
    quality_page,
    search_page,
    verdicts_of_all,
)
from viputils.publish.site.plan import Plan, PlannedIssue
from viputils.publish.site.revisions import revisions_page
from viputils.report.layout import label_of


def versions_of(plan: Plan) -> list[Version]:
    """Return the site in each language, the main one first."""
    project = plan.project
    verdicts = verify_register(project) if read_register(project).issues else []
    revised = _revised(project, plan.newest) if plan.newest is not None else pd.DataFrame()
    return [
        Version(
            spoken.language,
            _prefix(spoken),
            {page.place: page for page in _pages(plan, spoken, issues, verdicts, revised)},
        )
        for spoken, issues in zip(plan.projects, plan.issues, strict=True)
    ]


def _revised(project: Project, newest: PlannedIssue) -> pd.DataFrame:
    """Return how the record counts of earlier months changed, which is the same in every language."""
    return revisions(load_edition(project, newest.name.period, newest.as_of).records)


def _prefix(project: Project) -> str:
    return f"{project.language.code}/" if project.is_translation else ""


def _pages(
    plan: Plan,
    project: Project,
    issues: Sequence[SiteIssue],
    verdicts: Sequence[IssueVerdicts],
    revised: pd.DataFrame,
) -> list[Page]:
    """Return the pages in one language. Those that show figures, but are not issues, are about the newest issue."""
    newest = plan.newest
    day = newest.as_of if newest is not None else project.program.identity.records_from
    pages = [home_page(project, issues, newest.as_of if newest is not None else None)]
    pages += [issue_page(project, one, plan.address) for one in issues]
    is_demonstration = any(one.demonstration for one in issues)
    if newest is not None:
        about, of_newest = _pages_about(plan, project, newest, revised)
        pages += about
        is_demonstration = is_demonstration or of_newest
    if verdicts:
        pages.append(verdicts_of_all(project, verdicts))
    if (elsewhere := elsewhere_page(project, day, is_demonstration)) is not None:
        pages.append(elsewhere)
    pages += _pages_about_publication(plan, project, issues, day, is_demonstration)
    pages.append(search_page(project, day, is_demonstration))
    if not project.is_translation:
        pages.append(not_found_page(plan.projects, day))
    return pages


def _pages_about(plan: Plan, project: Project, newest: PlannedIssue, revised: pd.DataFrame) -> tuple[list[Page], bool]:
    """Return the pages about the program, its methods, records and data, and whether the records are sample data."""
    edition = load_edition(project, newest.name.period, newest.as_of)
    to_files = "../../data/" if project.is_translation else ""
    pages = [
        overview_page(project, edition),
        methods_page(project, edition),
        quality_page(project, edition, revised),
        data_page(project, edition, to_files, plan.address),
    ]
    return [page for page in pages if page is not None], edition.records.is_demonstration


def _pages_about_publication(
    plan: Plan, project: Project, issues: Sequence[SiteIssue], day: dt.date, is_demonstration: bool
) -> Iterator[Page]:
    """Yield the pages about revisions and about release dates, if the city has them."""
    places = {one.name: one.place for one in issues}
    by_month = {
        period: one.place
        for one in issues
        if isinstance(period := one.name.period, ReportMonth) and not one.name.number
    }
    address = f"{plan.address}{_prefix(project)}" if plan.address is not None else None
    found = (
        revisions_page(project, read_register(project).issues, places, day, is_demonstration),
        calendar_page(project, plan.releases, by_month, day, is_demonstration, address),
    )
    yield from (page for page in found if page is not None)


def with_navigation(plan: Plan, versions: Sequence[Version]) -> dict[str, Page]:
    """Return every page by its file in the site, with its links."""
    pages: dict[str, Page] = {}
    for project, version, issues in zip(plan.projects, versions, plan.issues, strict=True):
        edges = _edges(project, issues)
        for place, page in version.pages.items():
            nav = navigation(version, page, versions, edges.get(place, Edge()), plan.address)
            # A template takes an empty value for a value, so there is no key without links.
            header = {**page.front_matter, "vip": page.front_matter["vip"] | ({"nav": nav} if nav else {})}
            dataset = page.dataset
            if dataset is not None and plan.address is not None:
                dataset = {**dataset, "url": plan.address + version.address_of(place)}
            pages[version.file_of(place)] = replace(page, front_matter=header, dataset=dataset)
    return pages


def _edges(project: Project, issues: Sequence[SiteIssue]) -> dict[str, Edge]:
    """Return for each issue the ones before and after it, its files, and its notice."""
    # The home page is about the newest issue.
    edges = {HOME: Edge(card=issues[0].card)} if issues else {}
    by_name = {one.name: one for one in issues}
    named = [(one.place, capital(label_of(one.name, project.language)), one.name.period.kind) for one in issues]
    for place, issue in enumerate(issues):
        # Months, quarters and years each have their own earlier and later reports.
        earlier, later = (
            [(to, name) for to, name, kind in those if kind == issue.name.period.kind]
            for those in (named[place + 1 :], named[:place])
        )
        edges[issue.place] = Edge(
            earlier=earlier[0] if earlier else None,
            later=later[-1] if later else None,
            files=issue.downloads(project.language),
            card=issue.card,
            notice=_notice(project, issue, by_name),
        )
    return edges


def _notice(project: Project, issue: SiteIssue, issues: Mapping[IssueName, SiteIssue]) -> Notice | None:
    """Return the notice that an issue was replaced, or that it corrects another one."""
    language = project.language
    if issue.replaced_by is not None:
        other = issues[issue.replaced_by]
        return Notice(
            language.text("This report was replaced. Its numbers stay here as they were. The corrected report is:"),
            other.place,
            capital(label_of(other.name, language)),
        )
    first = issues.get(IssueName(issue.name.period))
    if not issue.name.number or first is None:
        return None
    reason, code = issue.reason, language.code
    if not language.has(reason):
        code = project.program.identity.language
    else:
        reason = language.text(reason) if reason else ""
    text = language.text("This report corrects an earlier one:")
    return Notice(text, first.place, capital(label_of(first.name, language)), reason, code)
