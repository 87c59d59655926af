"""The status of every month: its data, its activities, its issue, its publication and its verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils.audit.as_of import OwnDays, require_covered
from viputils.audit.manifest import MANIFEST, Manifest, added_deliveries, changed_inputs, read_manifest, touched_since
from viputils.audit.register import PublishedIssue, Register, read_register
from viputils.audit.verdicts import NOT_REPRODUCIBLE, RecordsByDay, made_otherwise, verdict_of
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError, ParameterError, Problem, PublishedError, TextError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.periods import is_long, parse_period
from viputils.publish.activities import activity_files, day_or_problems
from viputils.records.completeness import received_after
from viputils.records.deliveries import Delivery, find_deliveries, has_deliveries
from viputils.report.markdown import read_sections
from viputils.report.privacy.particulars import UNWRITTEN
from viputils.report.privacy.screening import screen_activities

# The value of a cell that an error makes unknown. A note describes the error.
UNKNOWN: Final = "cannot be told"
COLUMNS: Final = ("month", "data", "activities", "made", "published", "verdict")
# What an issue is made from, as messages name it.
_NAMES: Final = {
    "deliveries": "deliveries",
    "program": "program.toml",
    "notebook": "the notebook",
    "templates": "page templates",
    "texts": "texts",
    "library": "viputils",
}
_SINGULAR: Final = ("program", "notebook", "library")


@dataclass(frozen=True)
class MonthStatus:
    """The status of one month, or of a quarter or year that was made or published.

    Attributes
    ----------
    as_of
        The as-of date of its issue, on which its data is complete; none if something is missing.
    missing
        The tables that were not received yet.
    quarantined
        The number of rows in quarantine on that date.
    data, activities, made, published, verdict
        The status in words.
    changed
        The kinds of inputs that changed since its issue was made.
    """

    month: IssuePeriod
    as_of: dt.date | None = None
    missing: tuple[str, ...] = ()
    quarantined: int = 0
    data: str = ""
    activities: str = ""
    made: str = ""
    published: str = ""
    verdict: str = ""
    changed: tuple[str, ...] = ()

    @property
    def row(self) -> dict[str, str]:
        """The row of the month in the table."""
        row = {name: str(getattr(self, name)) for name in COLUMNS}
        if self.changed:
            verb = "has" if len(self.changed) == 1 and self.changed[0] in _SINGULAR else "have"
            row["made"] += f", out of date: {' and '.join(_NAMES[kind] for kind in self.changed)} {verb} changed"
        return row

    def as_json(self) -> dict[str, Any]:
        """Return everything by name. The values are for programs, so their words do not change."""
        details = {"as_of": self.as_of, "missing": list(self.missing), "quarantined": self.quarantined}
        stale = f", stale: other {' and '.join(self.changed)} now" if self.changed else ""
        return {**self.row, "made": f"{self.made}{stale}", **details}


@dataclass(frozen=True)
class Status:
    """The status of every month, the newest last.

    Attributes
    ----------
    notes
        What is wrong, and where.
    """

    months: tuple[MonthStatus, ...]
    notes: tuple[Problem, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each month."""
        return pd.DataFrame([one.row for one in self.months], columns=list(COLUMNS), dtype="str")


def project_status(project: Project) -> Status:
    """Return the status of each month, from the first that records cover to the newest that has anything.

    Quarters and years that were made or published come after the months.

    An error in one part becomes a note, and does not hide the others.
    """
    notes: list[Problem] = []
    desk = _read(project, notes)
    for month, name in activity_files(project):
        if month is None:
            notes.append(Problem(name, "is not shown in any issue;", "name it after its month, such as 2023-11.md."))
    periods = [*desk.months(), *desk.longer()]
    return Status(tuple(desk.period(period) for period in periods), tuple(dict.fromkeys(notes)))


def _read(project: Project, notes: list[Problem]) -> _Desk:
    """Read what the status of every month depends on."""
    deliveries: Sequence[Delivery] = ()
    records, register = None, None
    try:
        deliveries = find_deliveries(project) if has_deliveries(project) else ()
    except DeliveryError as error:
        notes += error.problems
    days = OwnDays(project, deliveries, many=True)
    try:
        if deliveries:
            records = RecordsByDay(project.program, days.shelf.received(deliveries[-1].received))
    except DeliveryError as error:
        notes += error.problems
    try:
        register = read_register(project)
    except PublishedError as error:
        notes += error.problems
    return _Desk(project, deliveries, records, register, notes, days)


@dataclass(frozen=True)
class _Desk:
    """What the status of every month depends on.

    Attributes
    ----------
    records
        None if there are none or they cannot be read.
    register
        None if it is invalid.
    notes
        Errors that are found are added here.
    """

    project: Project
    deliveries: Sequence[Delivery]
    records: RecordsByDay | None
    register: Register | None
    notes: list[Problem]
    days: OwnDays

    def months(self) -> list[ReportMonth]:
        """Return every month that records could cover by now, and every other one that has anything."""
        begins = self.project.program.identity.records_from
        first = ReportMonth.of(begins) if begins.day == 1 else ReportMonth.of(begins).plus(1)
        months = {month for month, _ in activity_files(self.project) if month is not None}
        months |= {period for period in self._seen() if isinstance(period, ReportMonth)}
        if self.deliveries:
            newest = ReportMonth.of(self.deliveries[-1].received)
            months |= {
                first.plus(ahead) for ahead in range((newest.year - first.year) * 12 + newest.month - first.month)
            }
        return sorted(months)

    def longer(self) -> list[IssuePeriod]:
        """Return the quarters and years that were made or published."""
        return sorted((period for period in self._seen() if is_long(period)), key=str)

    def _seen(self) -> set[IssuePeriod]:
        """Return the periods whose issues were made or published."""
        published = {issue.name.period for issue in self.register.issues} if self.register else set()
        return published | set(_periods_made(self.project))

    def period(self, period: IssuePeriod) -> MonthStatus:
        """Return the status of one period."""
        month = period.last(self.project.program.identity.fiscal_year_starts)
        as_of, problems = day_or_problems(self.project, self.deliveries, period, self.days)
        received = received_after(self.deliveries, self.project.program, month)
        missing = tuple(table for table in self.project.program.tables if table not in received)
        quarantined = self.quarantined(as_of)
        issues = self.register.of(period) if self.register else []
        made, changed = self.made(period)
        return MonthStatus(
            period,
            as_of,
            missing,
            quarantined,
            data=self.data(period, as_of, missing, problems, quarantined),
            activities=self.activities(period, as_of) if isinstance(period, ReportMonth) else "",
            made=made,
            published=", ".join(str(issue.name) for issue in issues) or ("no" if self.register else UNKNOWN),
            verdict=self.verdict(issues[-1]) if issues else "",
            changed=changed,
        )

    def quarantined(self, as_of: dt.date | None) -> int:
        """Return the number of rows in quarantine on a day."""
        if as_of is None or self.records is None or self.days.doubt is None or as_of < self.days.doubt:
            return 0
        return self.records.on(as_of).quarantine[["file", "line"]].drop_duplicates().shape[0]

    def data(
        self,
        period: IssuePeriod,
        as_of: dt.date | None,
        missing: Sequence[str],
        problems: Sequence[Problem],
        quarantined: int,
    ) -> str:
        """Return whether the data of a period is complete."""
        if as_of is not None:
            words = f"complete as of {as_of}"
            if self.records is None:
                return f"{words}, and {UNKNOWN}"
            return f"{words}, {quarantined} in quarantine" if quarantined else words
        try:
            require_covered(self.project.program, period)
        except DeliveryError:
            return "none: before the records"
        if len(missing) == len(self.project.program.tables):
            return "none yet"
        if missing:
            return f"missing: {', '.join(missing)}"
        self.notes.extend(problems)
        return "an earlier month is missing"

    def activities(self, month: ReportMonth, as_of: dt.date | None) -> str:
        """Return whether the activities of a month are written and can be published."""
        path = self.project.activities(month)
        name = self.project.relative(path)
        if not path.is_file():
            return "no"
        if as_of is None:
            self.notes.append(
                Problem(
                    name,
                    "has no complete data for its month;",
                    "an issue can be made once the data is complete.",
                )
            )
        try:
            found = screen_activities(self.project, month)
            self.notes.extend(found.unused)
            read_sections(path, name, fonts=self.project.fonts)
        except TextError as error:
            self.notes.extend(error.problems)
            return "cannot be shown"
        if any(one.kind == UNWRITTEN for one in found.findings):
            return "to be written"
        count = len(found.findings)
        return f"{count} {'finding' if count == 1 else 'findings'}" if count else "yes"

    def made(self, period: IssuePeriod) -> tuple[str, tuple[str, ...]]:
        """Return whether an issue was made, and which kinds of its inputs have changed since."""
        folder = self.project.issues / str(period)
        if not folder.is_dir():
            return "no", ()
        name = f"issues/{period}"
        if not (folder / MANIFEST).is_file():
            return "without a manifest", ()
        try:
            manifest = read_manifest(folder / MANIFEST, f"{name}/{MANIFEST}")
        except ManifestError as error:
            self.notes.extend(error.problems)
            return UNKNOWN, ()
        edited = touched_since(manifest, folder, name)
        self.notes.extend(edited)
        made = f"as of {manifest.as_of}" + (", a draft" if manifest.parameters.draft else "")
        made += ", edited or incomplete" if edited else ""
        return made, tuple(self._changed_kinds(period, manifest))

    def _changed_kinds(self, period: IssuePeriod, manifest: Manifest) -> list[str]:
        added = added_deliveries(self.project, manifest) if self.records is not None else []
        changes = [*changed_inputs(self.project, manifest), *added]
        changed: list[str] = list(dict.fromkeys(change.kind for change in changes))
        text = self.project.activities(period) if isinstance(period, ReportMonth) else None
        if text is None:
            return changed
        if text.is_file() and self.project.relative(text) not in manifest.inputs.texts and "texts" not in changed:
            changed.append("texts")
        return changed

    def verdict(self, issue: PublishedIssue) -> str:
        """Return the verdicts on a published issue, with the number of figures of each."""
        if self.register is None or (self.records is None and self.deliveries):
            return UNKNOWN
        if self.records is None:
            return f"{len(issue.figures)} {NOT_REPRODUCIBLE}"
        try:
            changes = made_otherwise(self.project, issue)
            found = verdict_of(self.register, issue, self.records, made_otherwise=changes)
        except (ManifestError, DeliveryError) as error:
            self.notes.extend(error.problems)
            return UNKNOWN
        words = ", ".join(found.in_words())
        return f"{words}; rows in quarantine" if self.quarantined(found.as_of) or self.quarantined(found.now) else words


def _periods_made(project: Project) -> Iterator[IssuePeriod]:
    for folder in project.issues.glob("*/"):
        try:
            yield parse_period(folder.name)
        except ParameterError:
            continue
