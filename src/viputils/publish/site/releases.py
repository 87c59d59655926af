"""The release dates of program.toml: which issues are due, and which wait for the end of their embargo."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from viputils.audit.register import MANIFEST_SUFFIX, read_register, write_register
from viputils.config.program import Release
from viputils.config.project import Project
from viputils.core.errors import Problem, ProgramError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.records.deliveries import find_deliveries


@dataclass(frozen=True)
class Releases:
    """The release dates, seen on a day.

    Attributes
    ----------
    dates
        The dates, in the order of program.toml.
    on
        The day. A release is due on its date, and an embargo ends then.
    """

    dates: Sequence[Release]
    on: dt.date

    def of(self, period: IssuePeriod) -> Release | None:
        """Return the release of a period's issue, if it has a date. Only months have dates."""
        return next((one for one in self.dates if one.issue == period), None)

    @property
    def come(self) -> list[Release]:
        """The releases whose date has come."""
        return [one for one in self.dates if one.date <= self.on]

    @property
    def withheld_from(self) -> ReportMonth | None:
        """The first month whose issue has an embargo on this day. Later issues would show its numbers too."""
        return min((one.issue for one in self.dates if one.embargo and one.date > self.on), default=None)

    def withholds(self, month: ReportMonth) -> bool:
        """Return whether the site must not show the issue of a month on this day."""
        first = self.withheld_from
        return first is not None and month >= first

    def notes(self, months: Collection[ReportMonth]) -> list[Problem]:
        """Return a note for each of these months whose issue is withheld."""
        notes = []
        for month in sorted(month for month in set(months) if self.withholds(month)):
            number = next((place for place, one in enumerate(self.dates, start=1) if one.issue == month), None)
            one = self.of(month)
            if one is not None and one.embargo and one.date > self.on:
                what = f"the issue of {month} has an embargo until {one.date} and was left out;"
                notes.append(Problem(f"releases[{number}]", what, "make the site again on that day."))
            else:
                what = f"was left out, because it shows numbers of {self.withheld_from}, which has an embargo."
                notes.append(Problem(f"issues/{month}", what))
        return notes

    def require_made(self, months: Collection[ReportMonth]) -> None:
        """Raise ProgramError if the date of a release has passed and none of these months is its issue's month."""
        problems = [
            Problem(
                f"releases[{number}]",
                f"the issue of {one.issue} was due on {one.date} and does not exist;",
                "make it, or change the date.",
            )
            for number, one in enumerate(self.dates, start=1)
            if one.date < self.on and one.issue not in months
        ]
        if problems:
            raise ProgramError("A release date has passed without an issue. No site was made.", problems)


def withhold(project: Project, releases: Releases, last: dt.date | None) -> None:
    """Take the issues with an embargo out of a private copy of a project, so that no page can show a figure of them.

    Parameters
    ----------
    last
        The newest as-of date of the other issues. Deliveries that were received later are taken out too. None if there
        are no other issues.
    """
    register, starts = read_register(project).issues, project.program.identity.fiscal_year_starts
    gone = [issue.name for issue in register if releases.withholds(issue.name.period.last(starts))]
    for name in gone:
        for suffix in (".csv", MANIFEST_SUFFIX):
            (project.published / f"{name}{suffix}").unlink(missing_ok=True)
    if gone:
        write_register(project.published, [issue for issue in register if issue.name not in gone])
    later = [one.folder for one in find_deliveries(project) if one.received > last] if last is not None else []
    for folder in later:
        shutil.rmtree(folder)
