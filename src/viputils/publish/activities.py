"""The activities of a month: the file in which they are written, and the check of what is written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from viputils.audit.as_of import OwnDays, issue_day, require_covered
from viputils.config.paragraphs import blocks_of
from viputils.config.project import Project
from viputils.core.encoding import decoded_lines
from viputils.core.errors import DeliveryError, ParameterError, Problem, TextError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.records.completeness import received_after
from viputils.records.deliveries import Delivery, find_deliveries, has_deliveries
from viputils.report.markdown import read_sections, read_translation, require_names_shown
from viputils.report.plain_words import hints
from viputils.report.privacy.particulars import TO_WRITE
from viputils.report.privacy.screening import Screening, screen_activities


@dataclass(frozen=True)
class NewMonth:
    """A month whose activities are to be written.

    Attributes
    ----------
    file
        The file of its activities, as messages name it.
    created
        Whether the file is new. An existing file is not changed.
    themes
        The suggested headings.
    themes_of
        The month that the headings come from, if any.
    tables
        ``table``, and ``received``: the day on which it was received after the end of the month, or ``missing``.
    as_of
        The as-of date of the month's issue; none if something is missing.
    problems
        What is missing, or wrong with the deliveries.
    """

    month: ReportMonth
    file: str
    created: bool
    themes: tuple[str, ...]
    themes_of: ReportMonth | None
    tables: pd.DataFrame
    as_of: dt.date | None
    problems: tuple[Problem, ...]


def new_month(project: Project, month: ReportMonth) -> NewMonth:
    """Create the file for a month's activities, and return which deliveries were received.

    The themes of the newest earlier month are suggested. An existing file is not changed.

    Raises
    ------
    DeliveryError
        If the month is before the first records, or data/raw contains something that is not a delivery.
    """
    require_covered(project.program, month)
    deliveries = find_deliveries(project) if has_deliveries(project) else []
    as_of, problems = day_or_problems(project, deliveries, month)
    received = received_after(deliveries, project.program, month)
    tables = pd.DataFrame(
        [{"table": table, "received": str(received.get(table, "")) or "missing"} for table in project.program.tables]
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
    """Check whether the activities of a month can be shown, and return what must not be published.

    Raises
    ------
    ParameterError
        If there are none.
    TextError
        If they, or the list of what is allowed, cannot be read or shown.
    """
    path = project.activities(month)
    if not path.is_file():
        raise ParameterError(
            f"There is nothing to check for {month}.",
            [Problem(project.relative(path), "is missing;", f"create it with vip new {month}.")],
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


def hints_on(project: Project, month: ReportMonth) -> list[Problem]:
    """Return what would make the activities of a month easier to read. They are in English."""
    path = project.activities(month)
    blocks = blocks_of(decoded_lines(path.read_bytes()))
    name = project.relative(path)
    return [Problem(f"{name}, line {block.line}", hint) for block in blocks if block.text for hint in hints(block.text)]


def _themes_before(project: Project, month: ReportMonth) -> tuple[ReportMonth | None, tuple[str, ...]]:
    """Return the newest earlier month with activities, and their themes; or else a single theme."""
    written = [one for one, _ in activity_files(project) if one is not None]
    for earlier in sorted(written, reverse=True):
        if earlier < month:
            path = project.activities(earlier)
            try:
                sections = read_sections(path, project.relative(path))
            except TextError:
                continue
            if sections:
                # Titles are escaped for Markdown. The file has them as they were typed.
                return earlier, tuple(re.sub(r"\\(.)", r"\1", section.title) for section in sections)
    return None, ("Activities",)


def activity_files(project: Project) -> Iterator[tuple[ReportMonth | None, str]]:
    """Yield every text of activities with its month, or None if its name is not a month."""
    folder = project.report / "activities"
    for path in sorted(folder.glob("*.md")) if folder.is_dir() else ():
        if path.name == "README.md" or path.name.startswith("."):
            continue
        # A translation is named 2023-11.es.md.
        name, *language = path.stem.split(".")
        try:
            month: ReportMonth | None = ReportMonth.parse(name)
        except ParameterError:
            month = None
        if month is None or not language:
            yield month, project.relative(path)


def day_or_problems(
    project: Project, deliveries: Sequence[Delivery], period: IssuePeriod, days: OwnDays | None = None
) -> tuple[dt.date | None, Sequence[Problem]]:
    """Return the as-of date of a period's issue, or why there is none."""
    try:
        return issue_day(project, deliveries, period, days=days), ()
    except DeliveryError as error:
        return None, error.problems
