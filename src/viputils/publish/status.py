"""The desk of who writes and publishes: a month's activities to be written, and how far every month has come."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils.audit.as_of import OwnDays, issue_day, require_covered
from viputils.audit.manifest import MANIFEST, added_deliveries, changed_inputs, read_manifest, touched_since
from viputils.audit.register import PublishedIssue, Register, read_register
from viputils.audit.verdicts import NOT_REPRODUCIBLE, RecordsByDay, made_otherwise, verdict_of
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError, ParameterError, Problem, PublishedError, TextError
from viputils.core.months import ReportMonth
from viputils.records.clean import first_doubt
from viputils.records.completeness import received_after
from viputils.records.deliveries import Delivery, find_deliveries, has_deliveries, read_received
from viputils.report.markdown import read_sections, read_translation, require_names_shown
from viputils.report.privacy.particulars import TO_WRITE, UNWRITTEN
from viputils.report.privacy.screening import Screening, screen_activities

# What stands in a cell where something is so wrong that it cannot be told; a note says what.
UNKNOWN: Final = "cannot be told"
COLUMNS: Final = ("month", "data", "activities", "made", "published", "verdict")


@dataclass(frozen=True)
class NewMonth:
    """A month whose activities are to be written.

    Attributes
    ----------
    file
        What messages call the file of its activities.
    created
        Whether the file was written; otherwise it was there, and is as it was.
    themes
        The headings that were suggested.
    themes_of
        The month that they were taken from, if any.
    tables
        ``table``, and ``received``: the day on which it came in after the month's end, or nothing.
    as_of
        The as-of date of the month's issue; none where something is missing.
    problems
        What is missing, or else wrong with the deliveries.
    """

    month: ReportMonth
    file: str
    created: bool
    themes: tuple[str, ...]
    themes_of: ReportMonth | None
    tables: pd.DataFrame
    as_of: dt.date | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class MonthStatus:
    """How far one month has come.

    Attributes
    ----------
    as_of
        The as-of date of its issue, by which its data is complete; none where something is missing.
    missing
        The tables that did not come in yet.
    quarantined
        How many rows are in quarantine on that date.
    data, activities, made, published, verdict
        The same, and the rest, in words.
    """

    month: ReportMonth
    as_of: dt.date | None = None
    missing: tuple[str, ...] = ()
    quarantined: int = 0
    data: str = ""
    activities: str = ""
    made: str = ""
    published: str = ""
    verdict: str = ""

    @property
    def row(self) -> dict[str, str]:
        """It as a row of the table."""
        return {name: str(getattr(self, name)) for name in COLUMNS}

    def as_json(self) -> dict[str, Any]:
        """Return everything by name."""
        details = {"as_of": self.as_of, "missing": list(self.missing), "quarantined": self.quarantined}
        return {**self.row, **details}


@dataclass(frozen=True)
class Status:
    """How far every month has come, the newest last.

    Attributes
    ----------
    notes
        What is wrong somewhere, each with its place.
    """

    months: tuple[MonthStatus, ...]
    notes: tuple[Problem, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each month."""
        return pd.DataFrame([one.row for one in self.months], columns=list(COLUMNS), dtype="str")


def new_month(project: Project, month: ReportMonth) -> NewMonth:
    """Write the file in which a month's activities are to be written, and say which deliveries are in.

    The themes of the newest earlier month are suggested. A file that is there stays as it is.

    Raises
    ------
    DeliveryError
        If records can never cover the month, or data/raw holds what is no delivery.
    """
    require_covered(project.program, month)
    deliveries = find_deliveries(project) if has_deliveries(project) else []
    as_of, problems = _complete(project, deliveries, month)
    came = received_after(deliveries, project.program, month)
    tables = pd.DataFrame(
        [{"table": table, "received": str(came.get(table, "")) or "missing"} for table in project.program.tables]
    )
    themes_of, themes = _themes_before(project, month)
    path = project.activities(month)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [f"## {theme}\n\n{TO_WRITE}: what was done in {month.label}.\n" for theme in themes]
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write("\n".join(texts))
        created = True
    except FileExistsError:
        created = False
    return NewMonth(month, project.relative(path), created, themes, themes_of, tables, as_of, tuple(problems))


def check_activities(project: Project, month: ReportMonth) -> Screening:
    """Look at the activities of a month as they would go out: whether they can be shown, and what must not.

    Raises
    ------
    ParameterError
        If there are none.
    TextError
        If they, or what was allowed of them, cannot be read or shown.
    """
    path = project.activities(month)
    if not path.is_file():
        raise ParameterError(
            f"There is nothing to check for {month}.",
            [Problem(project.relative(path), "is missing;", f"vip new {month} writes one to begin with.")],
        )
    found = screen_activities(project, month)
    try:
        sections = read_sections(path, project.relative(path), fonts=project.fonts)
        for code in project.program.identity.languages:
            translation = path.with_suffix(f".{code}.md")
            if translation.is_file():
                read_translation(translation, project.relative(translation), sections, project.fonts)
        spoken = project.in_every_language()
        require_names_shown(*spoken)
        for name in ("introduction.md", "definitions.md"):
            for one in spoken:
                read_sections(project.report / name, f"report/{name}", one.language, project.fonts)
    except TextError as error:
        raise TextError(error.summary, [*error.problems, *found.problems]) from None
    return found


def project_status(project: Project) -> Status:
    """Return how far each month has come, from the first that records cover to the newest that anything is there for.

    Nothing that is wrong with one part keeps the others from being told: it becomes a note.
    """
    notes: list[Problem] = []
    desk = _read(project, notes)
    for month, name in _activity_files(project):
        if month is None:
            notes.append(Problem(name, "is shown in no issue;", "name it for its month, as in 2023-11.md."))
    return Status(tuple(desk.month(month) for month in desk.months()), tuple(dict.fromkeys(notes)))


def _complete(
    project: Project, deliveries: Sequence[Delivery], month: ReportMonth, days: OwnDays | None = None
) -> tuple[dt.date | None, Sequence[Problem]]:
    try:
        return issue_day(project, deliveries, month, days=days), ()
    except DeliveryError as error:
        return None, error.problems


def _themes_before(project: Project, month: ReportMonth) -> tuple[ReportMonth | None, tuple[str, ...]]:
    """Return the newest earlier month with activities, and their themes; else one theme to begin with."""
    written = [one for one, _ in _activity_files(project) if one is not None]
    for earlier in sorted(written, reverse=True):
        if earlier < month:
            path = project.activities(earlier)
            try:
                sections = read_sections(path, project.relative(path))
            except TextError:
                continue
            if sections:
                # Titles come with what Markdown needs; in the file they stand as they were typed.
                return earlier, tuple(re.sub(r"\\(.)", r"\1", section.title) for section in sections)
    return None, ("Activities",)


def _activity_files(project: Project) -> Iterator[tuple[ReportMonth | None, str]]:
    """Yield every text of activities with its month; none where its name is no month."""
    folder = project.report / "activities"
    for path in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        if path.name == "README.md" or path.name.startswith("."):
            continue
        # A translation is named 2023-11.es.md, and is a part of its month.
        name, *language = path.stem.split(".")
        try:
            month: ReportMonth | None = ReportMonth.parse(name)
        except ParameterError:
            month = None
        if month is None or not language:
            yield month, project.relative(path)


def _read(project: Project, notes: list[Problem]) -> _Desk:
    """Read once what the status of every month is told from."""
    deliveries: Sequence[Delivery] = ()
    records, doubt, register = None, None, None
    try:
        deliveries = find_deliveries(project) if has_deliveries(project) else ()
        if deliveries:
            received = read_received(project, deliveries, deliveries[-1].received)
            doubt = first_doubt(project.program, received)
            records = RecordsByDay(project.program, received)
    except DeliveryError as error:
        notes += error.problems
    try:
        register = read_register(project)
    except PublishedError as error:
        notes += error.problems
    return _Desk(project, deliveries, records, doubt, register, notes, OwnDays(project, deliveries, many=True))


@dataclass(frozen=True)
class _Desk:
    """What the status of every month is told from.

    Attributes
    ----------
    records
        None where they cannot be read, or there are none.
    doubt
        The first day on which a row could be in quarantine.
    register
        None where it is invalid.
    notes
        What turns out to be wrong is added here.
    """

    project: Project
    deliveries: Sequence[Delivery]
    records: RecordsByDay | None
    doubt: dt.date | None
    register: Register | None
    notes: list[Problem]
    days: OwnDays

    def months(self) -> list[ReportMonth]:
        """Return every month that records could cover by now, and every other one that anything is there for."""
        begins = self.project.program.identity.records_from
        first = ReportMonth.of(begins) if begins.day == 1 else ReportMonth.of(begins).plus(1)
        months = {month for month, _ in _activity_files(self.project) if month is not None}
        months |= {issue.name.month for issue in self.register.issues} if self.register else set()
        months |= set(_months_made(self.project))
        if self.deliveries:
            newest = ReportMonth.of(self.deliveries[-1].received)
            months |= {
                first.plus(ahead) for ahead in range((newest.year - first.year) * 12 + newest.month - first.month)
            }
        return sorted(months)

    def month(self, month: ReportMonth) -> MonthStatus:
        """Tell the status of one month."""
        as_of, problems = _complete(self.project, self.deliveries, month, self.days)
        came = received_after(self.deliveries, self.project.program, month)
        missing = tuple(table for table in self.project.program.tables if table not in came)
        quarantined = self.quarantined(as_of)
        issues = self.register.of(month) if self.register else []
        return MonthStatus(
            month,
            as_of,
            missing,
            quarantined,
            data=self.data(month, as_of, missing, problems, quarantined),
            activities=self.activities(month, as_of),
            made=self.made(month),
            published=", ".join(str(issue.name) for issue in issues) or ("no" if self.register else UNKNOWN),
            verdict=self.verdict(issues[-1]) if issues else "",
        )

    def quarantined(self, as_of: dt.date | None) -> int:
        """Count the rows that are in quarantine on a day."""
        if as_of is None or self.records is None or self.doubt is None or as_of < self.doubt:
            return 0
        return self.records.on(as_of).quarantine[["file", "line"]].drop_duplicates().shape[0]

    def data(
        self,
        month: ReportMonth,
        as_of: dt.date | None,
        missing: Sequence[str],
        problems: Sequence[Problem],
        quarantined: int,
    ) -> str:
        """Return whether the data of a month is complete."""
        if as_of is not None:
            words = f"complete as of {as_of}"
            if self.records is None:
                return f"{words}, and {UNKNOWN}"
            return f"{words}, {quarantined} in quarantine" if quarantined else words
        try:
            require_covered(self.project.program, month)
        except DeliveryError:
            return "none: before the records"
        if len(missing) == len(self.project.program.tables):
            return "none yet"
        if missing:
            return f"missing: {', '.join(missing)}"
        self.notes.extend(problems)
        return "an earlier month is missing"

    def activities(self, month: ReportMonth, as_of: dt.date | None) -> str:
        """Return whether the activities of a month are written, and what keeps them from going out."""
        path = self.project.activities(month)
        name = self.project.relative(path)
        if not path.is_file():
            return "no"
        if as_of is None:
            self.notes.append(
                Problem(
                    name,
                    "is there, and the data of its month is not;",
                    "no issue can be made of it before the data is complete.",
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

    def made(self, month: ReportMonth) -> str:
        """Return whether an issue was made, and whether it is still what would be made."""
        folder = self.project.issues / str(month)
        if not folder.is_dir():
            return "no"
        name = f"issues/{month}"
        if not (folder / MANIFEST).is_file():
            return "without a manifest"
        try:
            manifest = read_manifest(folder / MANIFEST, f"{name}/{MANIFEST}")
        except ManifestError as error:
            self.notes.extend(error.problems)
            return UNKNOWN
        added = added_deliveries(self.project, manifest) if self.records is not None else []
        changes = [*changed_inputs(self.project, manifest), *added]
        changed: list[str] = list(dict.fromkeys(change.kind for change in changes))
        text = self.project.activities(month)
        if text.is_file() and self.project.relative(text) not in manifest.inputs.texts and "texts" not in changed:
            changed.append("texts")
        edited = touched_since(manifest, folder, name)
        self.notes.extend(edited)
        words = [f"as of {manifest.as_of}"]
        words += ["edited or incomplete"] if edited else []
        words += [f"stale: other {' and '.join(changed)} now"] if changed else []
        return ", ".join(words)

    def verdict(self, issue: PublishedIssue) -> str:
        """Return how many figures of a published issue have which verdict."""
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


def _months_made(project: Project) -> Iterator[ReportMonth]:
    for folder in project.issues.glob("*/"):
        try:
            yield ReportMonth.parse(folder.name)
        except ParameterError:
            continue
