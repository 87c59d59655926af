"""Which issues the site shows, and which texts and issues it leaves out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from viputils.audit.as_of import OwnDays
from viputils.audit.manifest import MANIFEST, read_manifest
from viputils.audit.register import IssueName, PublishedIssue, Register, read_register
from viputils.config.project import Project
from viputils.core.errors import ParameterError, Problem
from viputils.core.months import ReportMonth
from viputils.core.periods import is_long
from viputils.core.text import plural
from viputils.publish.site.issues import SiteIssue
from viputils.publish.site.releases import Releases
from viputils.records.deliveries import find_deliveries, has_deliveries
from viputils.report.data_files import countable_months
from viputils.report.markdown import outdated_activities


@dataclass(frozen=True)
class PlannedIssue:
    """An issue that belongs on the site.

    Attributes
    ----------
    published
        Its entry in the register, if it has one.
    replaced_by
        The re-issue that replaced it.
    """

    name: IssueName
    as_of: dt.date
    published: PublishedIssue | None = None
    replaced_by: IssueName | None = None

    @property
    def left_out_rows(self) -> bool:
        """Whether it was published without the rows in quarantine, and says so."""
        if self.published is None or self.published.manifest is None:
            return False
        name = f"data/published/{self.published.manifest.name}"
        return read_manifest(self.published.manifest, name).parameters.allow_quarantined

    def in_site(self, project: Project) -> SiteIssue:
        """Return the issue as the site shows it in the language of a project. The issue must have been made."""
        place = project.issue_place(str(self.name))
        manifest = read_manifest(project.issues / place / MANIFEST, f"issues/{place}/{MANIFEST}")
        return SiteIssue(
            self.name,
            self.as_of,
            project.issues / place,
            manifest.outputs,
            f"issues/{self.name}",
            "../" if project.is_translation else "",
            self.published.printed if self.published is not None else None,
            self.replaced_by,
            self.published.reason if self.published is not None else "",
        )


@dataclass(frozen=True)
class Plan:
    """What the site shows.

    Attributes
    ----------
    projects
        The project in every language, the main one first.
    issues
        The issues in each of these languages, the newest first.
    newest
        The newest issue, even if ``--since`` leaves it out.
    address
        The web address of the site, if known.
    releases
        The release dates, seen on the day for which the site is made.
    """

    projects: Sequence[Project]
    issues: Sequence[Sequence[SiteIssue]]
    newest: PlannedIssue | None
    address: str | None
    releases: Releases

    @property
    def project(self) -> Project:
        """The project in its main language."""
        return self.projects[0]

    @property
    def number_of_issues(self) -> int:
        """The number of issues, counted once for each language."""
        return sum(map(len, self.issues))


def plan_issues(project: Project) -> tuple[list[PlannedIssue], list[Problem]]:
    """Return every month that can be counted and every re-issue in the register, the newest first.

    Published quarters and years come after the months. Months with rows in quarantine are left out and returned as
    problems.
    """
    if not has_deliveries(project):
        return [], []
    register = read_register(project)
    months, quarantined = _countable(project, register)
    notes = [
        Problem(f"issues/{month}", f"has no page: rows are in quarantine as of {day};", f"see vip check {month}.")
        for month, day in quarantined.items()
    ]
    planned = {IssueName(month): PlannedIssue(IssueName(month), as_of) for month, as_of in months.items()}
    for issue in register.issues:
        as_of = _as_of(issue)
        if as_of is None and issue.name in planned:
            as_of = planned[issue.name].as_of
        if as_of is not None and (is_long(issue.name.period) or issue.name.period in months):
            planned[issue.name] = PlannedIssue(issue.name, as_of, issue)
    for issue in register.issues:
        by = register.replaced_by(issue.name)
        # A replacement that was printed elsewhere may have no known as-of date. It then has no page to link to.
        if issue.name in planned and by is not None and by.name in planned:
            planned[issue.name] = replace(planned[issue.name], replaced_by=by.name)
    newest_first = [planned[name] for name in sorted(planned, reverse=True)]
    return sorted(newest_first, key=lambda one: is_long(one.name.period)), notes


def _countable(project: Project, register: Register) -> tuple[dict[ReportMonth, dt.date], dict[ReportMonth, dt.date]]:
    """Return the months that can be counted, and those that rows in quarantine prevent, with their as-of dates."""
    published_without = {
        issue.as_of
        for issue in register.issues
        if issue.as_of is not None and PlannedIssue(issue.name, issue.as_of, issue).left_out_rows
    }
    days = OwnDays(project, find_deliveries(project), many=True)
    months, _ = countable_months(project, days, with_quarantine=published_without)
    every, _ = countable_months(project, days)
    return months, {month: day for month, day in every.items() if month not in months}


def _as_of(issue: PublishedIssue) -> dt.date | None:
    """Return the as-of date of a published issue, from the register or else from its manifest."""
    if issue.as_of is None and issue.manifest is not None:
        return read_manifest(issue.manifest, f"data/published/{issue.manifest.name}").as_of
    return issue.as_of


def not_shown(
    project: Project, shown: Collection[PlannedIssue], since: ReportMonth | None, releases: Releases
) -> Iterator[Problem]:
    """Yield a note for each text of activities and each re-issue that is on no page, except those withheld."""
    periods = {one.name.period for one in shown}
    for path in sorted((project.report / "activities").glob("*.md")):
        try:
            month = ReportMonth.parse(path.stem)
        except ParameterError:
            continue
        if month in periods:
            yield from outdated_activities(project, month)
        elif (since is None or month >= since) and not releases.withholds(month):
            what = "is on no page, because the data of its month is not complete;"
            yield Problem(project.relative(path), what, f"run vip status to see what {month} lacks.")
    names = {one.name for one in shown}
    for issue in read_register(project).issues:
        if issue.name.number and issue.name not in names and issue.name.period in periods:
            what = "is on no page, because its as-of date is not known;"
            yield Problem(f"data/published/{issue.name}.csv", what, "add its as-of date to the index.")


def left_out_since(
    every: Collection[PlannedIssue], shown: Collection[PlannedIssue], since: ReportMonth | None
) -> list[Problem]:
    """Return a note if ``--since`` leaves out issues: such a site must not go online."""
    number = len(every) - len(shown)
    if not number:
        return []
    what = f"leaves out {plural(number, 'issue')} of months before {since};"
    return [Problem("--since", what, "make the site without it before it goes online.")]
