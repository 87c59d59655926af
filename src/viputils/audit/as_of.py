"""The as-of date of an issue, and the edition of its month as of that date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from viputils.audit.register import read_register
from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, Problem, PublishedError, QuarantineError
from viputils.core.months import IssuePeriod
from viputils.core.periods import is_long, parse_period
from viputils.core.text import capital
from viputils.figures.counts import compute_figures
from viputils.figures.edition import Edition
from viputils.records.clean import Records, clean_records, first_doubt
from viputils.records.completeness import default_as_of, require_complete, require_over
from viputils.records.deliveries import Delivery, Received, find_deliveries, read_received


class Shelf:
    """The records of a project, read once for several editions. Its deliveries must not change meanwhile.

    Parameters
    ----------
    many
        Whether they are read for many days: then everything is read at once.

    Attributes
    ----------
    deliveries
        The deliveries of the project, in order of receipt.
    """

    def __init__(self, project: Project, many: bool = True) -> None:
        self._project = project
        self._many = many
        self.deliveries = find_deliveries(project)
        self._received: dict[dt.date, Received] = {}
        self._cleaned: Records | None = None

    def records(self, as_of: dt.date) -> Records:
        """Return the clean records as of a day.

        Raises
        ------
        DeliveryError
            As ``read_received``. An invalid later delivery does not matter.
        """
        if self._cleaned is None or self._cleaned.as_of != as_of:
            self._cleaned = clean_records(self._project.program, self.received(as_of))
        return self._cleaned

    def received(self, as_of: dt.date) -> Received:
        """Return everything that was received by a day, as text; see ``records``."""
        by = next((day for day in self._received if day == as_of or (self._many and day > as_of)), None)
        if by is None:
            by = max(as_of, self.deliveries[-1].received) if self._many and not self._received else as_of
            try:
                self._received[by] = read_received(self._project, self.deliveries, by)
            except DeliveryError:
                if by == as_of:
                    raise
                by = as_of
                self._received[by] = read_received(self._project, self.deliveries, by)
        return self._received[by].by(as_of)


def shelf_of(project: Project) -> Shelf:
    """Return the records of a project. A sealed copy never changes, so this process reads it once."""
    return _sealed_shelf(project.root) if project.is_sealed else Shelf(project, many=False)


@lru_cache(maxsize=1)
def _sealed_shelf(root: Path) -> Shelf:
    return Shelf(Project.open(root), many=False)


def load_edition(
    project: Project,
    period: IssuePeriod | str,
    as_of: dt.date | None = None,
    shelf: Shelf | None = None,
    days: OwnDays | None = None,
) -> Edition:
    """Read, clean and count everything that was received by the as-of date, for the issue of a period.

    Parameters
    ----------
    period
        The period of the issue, or its name: ``2023-11``, ``FY2024-Q1``.
    as_of
        By default the day that ``OwnDays`` finds.
    shelf
        The records of the project, if they are also read for other months.
    days
        The as-of dates of the project, if they are also needed for other months.

    Raises
    ------
    ParameterError
        If the name is that of no period.
    DeliveryError
        If the period has no data or is before the records, or a delivered file is invalid.
    """
    # Papermill passes what the user typed, such as a number or nothing.
    period = period if isinstance(period, IssuePeriod) else parse_period(str(period))
    shelf = shelf or shelf_of(project)
    as_of = issue_day(project, shelf.deliveries, period, as_of, days or OwnDays(project, shelf.deliveries, shelf=shelf))
    records = shelf.records(as_of)
    return Edition(period, records, compute_figures(records, period), project.language)


def require_no_quarantine(project: Project, edition: Edition) -> None:
    """Raise ``QuarantineError`` if rows are in quarantine; name the later day on which none is, if there is one."""
    try:
        edition.records.require_no_quarantine()
    except QuarantineError as error:
        day = day_of_mending(project, edition.as_of)
        if day is None:
            raise
        summary = f"{error.summary} They were corrected or withdrawn by {day}; use --as-of {day}."
        raise QuarantineError(summary, error.problems) from None


def day_of_mending(project: Project, as_of: dt.date) -> dt.date | None:
    """Return the first later day on which nothing is in quarantine, if there is one."""
    shelf = Shelf(project)
    days = [delivery.received for delivery in find_deliveries(project) if delivery.received > as_of]
    for day in dict.fromkeys(days):
        try:
            if shelf.records(day).quarantine.empty:
                return day
        except DeliveryError:
            # An invalid later delivery must not stop a command about an earlier day.
            return None
    return None


class OwnDays:
    """The as-of dates of the issues of a project.

    A published issue keeps its as-of date. For any other it is the first day by which every table of its month was
    received and nothing is in quarantine; if there is no such day, the first by which every table was received.

    Parameters
    ----------
    many
        Whether many months are needed: then it first finds out when anything could be in quarantine at all.
    shelf
        The records of the project, if they are also read for something else.

    Attributes
    ----------
    deliveries
        The deliveries of the project, in order of receipt.
    """

    def __init__(
        self, project: Project, deliveries: Sequence[Delivery], many: bool = False, shelf: Shelf | None = None
    ) -> None:
        self._project = project
        self.deliveries = deliveries
        self._many = many
        self._shelf = shelf
        self._free: dict[dt.date, bool] = {}

    def of(self, period: IssuePeriod) -> dt.date:
        """Return the as-of date of the issue of a period.

        Raises
        ------
        DeliveryError
            If the period is before the records, or a delivery that it needs is missing.
        """
        program = self._project.program
        complete = as_of_issue(program, self.deliveries, period)
        if (published := self._published.get(period)) is not None:
            return as_of_issue(program, self.deliveries, period, published)
        days = dict.fromkeys([complete, *(one.received for one in self.deliveries if one.received > complete)])
        return next((day for day in days if self.is_free(day)), complete)

    @cached_property
    def _published(self) -> dict[IssuePeriod, dt.date]:
        try:
            issues = read_register(self._project).issues
        except PublishedError:  # Commands that show the register report this.
            return {}
        # A re-issue has its own name and as-of date.
        return {one.name.period: one.as_of for one in issues if one.as_of is not None and not one.name.number}

    def is_free(self, day: dt.date) -> bool:
        """Return whether nothing is in quarantine on a day; an invalid delivery is reported when it is counted."""
        if day not in self._free:
            try:
                before_any = self._many and (self.doubt is None or day < self.doubt)
                self._free[day] = before_any or self.shelf.records(day).quarantine.empty
            except DeliveryError:
                self._free[day] = True
        return self._free[day]

    @cached_property
    def shelf(self) -> Shelf:
        """The records of the project, read once."""
        return self._shelf or (Shelf(self._project) if self._many else shelf_of(self._project))

    @cached_property
    def doubt(self) -> dt.date | None:
        """The first day on which anything could be in quarantine; see ``first_doubt``."""
        try:
            return first_doubt(self._project.program, self.shelf.received(self.deliveries[-1].received))
        except DeliveryError:  # A later delivery is invalid: nothing is known about earlier days.
            return dt.date.min


def issue_day(
    project: Project,
    deliveries: Sequence[Delivery],
    period: IssuePeriod,
    as_of: dt.date | None = None,
    days: OwnDays | None = None,
) -> dt.date:
    """Return the as-of date of an issue, by default its own, if everything that it needs was received by then.

    Raises
    ------
    DeliveryError
        As ``OwnDays.of``.
    """
    if as_of is not None:
        return as_of_issue(project.program, deliveries, period, as_of)
    return (days or OwnDays(project, deliveries)).of(period)


def note_on_day(project: Project, edition: Edition) -> str:
    """Return a note if the issue is published and records were received after its as-of date; else an empty text."""
    newest = find_deliveries(project)[-1].received
    published = read_register(project).of(edition.period)
    if not published or edition.as_of >= newest:
        return ""
    return (
        f"{published[-1].name} is published, and this counts what was received by {edition.as_of}. "
        f"More was received by {newest}; --as-of {newest} makes a correction with it."
    )


def as_of_issue(
    program: Program, deliveries: Sequence[Delivery], period: IssuePeriod, as_of: dt.date | None = None
) -> dt.date:
    """Return the as-of date of an issue, if everything that it needs was received by then.

    By default that is the first such day, even if rows are in quarantine on it.

    Raises
    ------
    DeliveryError
        If the period is before the records, or a delivery that it needs is missing.
    """
    require_covered(program, period)
    month = period.last(program.identity.fiscal_year_starts)
    if is_long(period) and deliveries:
        # The message is about the whole period, not its last month.
        require_over(program, period, as_of or deliveries[-1].received)
    as_of = default_as_of(deliveries, program, month) if as_of is None else as_of
    require_complete(deliveries, program, month, as_of)
    return as_of


def require_covered(program: Program, period: IssuePeriod) -> None:
    """Raise ``DeliveryError`` if a period or its fiscal year begins before the records: counts would be too low.

    The issue of a year marks the months that the records do not cover, and needs at least one that they do.
    """
    month, start = period.last(program.identity.fiscal_year_starts), program.identity.records_from
    begins = month.span.start if period.kind == "year" else period.days(program.identity.fiscal_year_starts).start
    year_begins = max(month.fytd(program.identity.fiscal_year_starts).start, program.identity.began)
    if begins < start or (year_begins < start and period.kind != "year"):
        label = capital(period.label)
        what = f"{label} lies" if begins < start else f"The fiscal year of {period.label} begins"
        raise DeliveryError(
            f"There is no data for {period}.",
            [
                Problem(
                    "program.records_from",
                    f"{what} before {start}, when the records begin;",
                    f"choose a later {period.kind}, or deliver the earlier records and change the key.",
                )
            ],
        )
