"""Checks before figures can be trusted: changed deliveries, malformed files, rejected rows.

Deliveries are compared with their own checksums and with the manifests of published issues.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from viputils.audit.as_of import day_of_mending, issue_day
from viputils.audit.manifest import MANIFEST, delivery_problems, notes_on_salts, read_manifest
from viputils.audit.register import deliveries_not_as_published
from viputils.config.program import RAW
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError, Problem
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.text import first_of
from viputils.records.account import QUARANTINE_COLUMNS
from viputils.records.checksums import CHECKSUMS
from viputils.records.clean import clean_records
from viputils.records.completeness import missing_deliveries
from viputils.records.deliveries import Delivery, find_deliveries, read_received
from viputils.records.faults import LOOKS_ALIKE
from viputils.records.origins import where_sent


@dataclass(frozen=True)
class Findings:
    """The findings of a check.

    Attributes
    ----------
    as_of
        The as-of date: the check covers everything received by then.
    problems
        Deliveries that were changed, removed or added since they were delivered or published; malformed files; months
        that lack a delivery.
    rejects
        The quarantine: one row for each fault of a row.
    rows
        The number of rows in quarantine.
    account
        Rows read, kept, superseded, duplicate and quarantined; none if files could not be read.
    notes
        What else a reader should know.
    perhaps_no_record
        One line that a void could withdraw, as table, file and line; none if nothing is in quarantine.
    """

    as_of: dt.date
    problems: tuple[Problem, ...]
    rejects: pd.DataFrame
    rows: int
    account: pd.DataFrame | None
    notes: tuple[str, ...]
    perhaps_no_record: tuple[str, str, int] | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.problems and self.rejects.empty


def _months_over(project: Project, as_of: dt.date) -> list[ReportMonth]:
    """Return the months whose deliveries are due: from the first record to the month before last."""
    return list(ReportMonth.of(project.program.identity.records_from).until(ReportMonth.of(as_of).plus(-2)))


def check_project(project: Project, period: IssuePeriod | None = None, as_of: dt.date | None = None) -> Findings:
    """Check everything that was received by a day.

    Parameters
    ----------
    period
        Also check that this period has all its deliveries; the day is then by default its as-of date.
    as_of
        By default the day of the newest delivery.

    Raises
    ------
    DeliveryError
        If there is no delivery.
    """
    deliveries = find_deliveries(project)
    problems: list[Problem] = []
    if period is not None:
        try:
            as_of = issue_day(project, deliveries, period, as_of)
        except DeliveryError as error:
            problems += error.problems
    as_of = deliveries[-1].received if as_of is None else as_of
    known = [one for one in deliveries if one.received <= as_of]
    if period is None and project.program.identity.delivered == "monthly":
        problems += missing_deliveries(known, project.program, _months_over(project, as_of), as_of)
    problems += _not_as_published(project, as_of)
    bare = [one.name for one in known if not (one.folder / CHECKSUMS).exists()]
    notes = []
    if bare and len(bare) < len(known):
        # If others have checksums, these may have been removed.
        problems += [
            Problem(f"{name}/{CHECKSUMS}", "is missing;", "restore it, or write it with `vip seal`.") for name in bare
        ]
    elif bare and not project.source.is_address:
        notes.append(
            f"{first_of(bare)} {'has' if len(bare) == 1 else 'have'} no checksums, so changed files would not be "
            "noticed. `vip seal` writes them."
        )
    try:
        records = clean_records(project.program, read_received(project, deliveries, as_of))
    except DeliveryError as error:
        nothing = pd.DataFrame(columns=list(QUARANTINE_COLUMNS))
        return Findings(as_of, (*problems, *error.problems), nothing, 0, None, tuple(notes))
    notes += notes_on_salts(records)
    rejects = records.quarantine.pipe(lambda rows: rows.join(where_sent(known, rows)))
    if not rejects.empty and (day := day_of_mending(project, as_of)) is not None:
        notes.append(f"All of these rows were corrected or withdrawn by {day}; use --as-of {day}.")
    rows = rejects[["file", "line"]].drop_duplicates().shape[0]
    line = _perhaps_no_record(rejects, known)
    return Findings(as_of, tuple(problems), rejects, rows, records.account, tuple(notes), line)


def _perhaps_no_record(rejects: pd.DataFrame, deliveries: Sequence[Delivery]) -> tuple[str, str, int] | None:
    """Return the line that the example withdraws: never a good one whose code only looks like a later code."""
    if rejects.empty:
        return None
    received = {one.name: place for place, one in enumerate(deliveries)}
    rows = rejects.assign(received=rejects["file"].str.rpartition("/")[0].map(received))
    alike = rows["reason"].eq(LOOKS_ALIKE)
    chosen = rows.loc[~alike]
    if chosen.empty:
        # Of two codes that look alike, the one received later is in doubt.
        ordered = rows.sort_values(["received", "line"], kind="stable")
        codes = list(zip(ordered["field"], ordered["value"], strict=True))
        others = zip(ordered["field"], ordered["nearest"], strict=True)
        first = {code: place for place, code in reversed(list(enumerate(codes)))}
        later = [first[code] > first.get(other, -1) for code, other in zip(codes, others, strict=True)]
        chosen = ordered.loc[later] if any(later) else ordered.iloc[-1:]
    row = chosen.iloc[0]
    return str(row["table"]), str(row["file"]), int(row["line"])


def _not_as_published(project: Project, as_of: dt.date) -> list[Problem]:
    """Return the problems of the register, and of the deliveries received by a day from which issues were made."""
    problems = deliveries_not_as_published(project)
    for path in sorted(project.issues.rglob(MANIFEST)):
        with suppress(ManifestError):  # An issue without a valid manifest must be made again.
            problems += delivery_problems(project, read_manifest(path), project.relative(path))
    first = {problem.where: problem for problem in reversed(problems)}
    late = f"{RAW}/{as_of + dt.timedelta(days=1)}"
    return [first[where] for where in sorted(first) if not (where.startswith(f"{RAW}/") and where >= late)]
