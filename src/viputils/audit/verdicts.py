"""Verdicts: whether the records give each printed figure, once gave it, or are missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils import __version__
from viputils.audit.as_of import as_of_issue, require_covered, require_no_quarantine
from viputils.audit.contradictions import Contradiction, contradictions
from viputils.audit.library import library_checksum
from viputils.audit.manifest import (
    Change,
    Inventory,
    added_deliveries,
    changed_inputs,
    lines_of,
    read_manifest,
    require_deliveries,
)
from viputils.audit.register import IssueName, PublishedIssue, Register, read_register
from viputils.config.language import ENGLISH, Language, message
from viputils.config.program import Distinct, Program
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, Problem, PublishedError
from viputils.core.months import IssuePeriod
from viputils.core.periods import shown_by
from viputils.figures.counts import (
    KEY,
    breakdown,
    categories_of,
    compute_figures,
    key_of_row,
    own_periods,
    value_of,
)
from viputils.figures.edition import Edition
from viputils.records.clean import Records, clean_records
from viputils.records.deliveries import Delivery, Received, find_deliveries, has_deliveries, read_received

REPRODUCED: Final = message("reproduced")
REVISED: Final = message("revised since")
DIFFERS: Final = message("differs")
INCONSISTENT: Final = message("internally inconsistent")
NOT_COMPARABLE: Final = message("not comparable")
NOT_REPRODUCIBLE: Final = message("not reproducible")
NOT_RECOMPUTED: Final = message("not recomputed")
NOT_PUBLISHED: Final = message("not in the published file")

VERDICTS: Final = {
    REPRODUCED: message("The records received by the as-of date of the report give the published number."),
    REVISED: message("The records gave the published number then, but records received later changed it."),
    DIFFERS: message("The records received by the as-of date of the report give another number."),
    INCONSISTENT: message(
        "No records could give the published number, because the published numbers contradict each other."
    ),
    NOT_COMPARABLE: message(
        "The report was made with other rules, code or deliveries. They may be why the records give another number."
    ),
    NOT_REPRODUCIBLE: message("We have no raw records to check the published number."),
}
# A figure that is missing on one side has no verdict: it is an error of the register or of program.toml.
MISSING: Final = (NOT_RECOMPUTED, NOT_PUBLISHED)

COLUMNS: Final = (*KEY, "verdict", "published", "recomputed", "now", "change", "note")


@dataclass(frozen=True)
class IssueVerdicts:
    """A verdict on each figure of one issue.

    Attributes
    ----------
    as_of
        The as-of date of the issue; none if no records cover it.
    now
        The later as-of date of the comparison; none if no records cover the issue.
    figures
        ``measure``, ``category``, ``period``; ``verdict``; ``published``, ``recomputed`` (as of the issue's date) and
        ``now`` (all ``Int64``, missing if there is none); ``change`` from published to now; ``note``.
    contradictions
        The contradictions of the print.
    why
        Why no records cover the issue.
    replaced_by
        The re-issue that replaces it, if there is one.
    demonstration
        Whether the records are sample data.
    left_out
        The days on which rows were in quarantine, so that figures may lack them, in words.
    made_otherwise
        The rules, code and deliveries that changed since the issue was made.
    counted
        The figures as of the as-of date; none if no records cover the issue.
    """

    program: Program
    issue: PublishedIssue
    as_of: dt.date | None
    now: dt.date | None
    figures: pd.DataFrame
    contradictions: tuple[Contradiction, ...]
    why: str = ""
    replaced_by: IssueName | None = None
    demonstration: bool = False
    left_out: tuple[str, ...] = ()
    made_otherwise: tuple[Change, ...] = ()
    counted: pd.DataFrame | None = None

    def count(self, *verdicts: str) -> int:
        """Return the number of figures with one of these verdicts."""
        return int(self.figures["verdict"].isin(verdicts).sum())

    @property
    def sentence(self) -> str:
        """The number of figures with each verdict: ``27 of 28 figures reproduced, 1 revised since.``."""
        figures = "figure" if len(self.figures) == 1 else "figures"
        words = [f"{self.count(REPRODUCED)} of {len(self.figures)} {figures} reproduced"]
        return ", ".join([*words, *self.in_words([*list(VERDICTS)[1:], *MISSING])]) + "."

    def in_words(self, verdicts: Sequence[str] = (*VERDICTS, *MISSING)) -> list[str]:
        """Return the number of figures with each verdict, such as ``1 differs``, if there are any."""
        counts = {verdict: self.count(verdict) for verdict in verdicts}
        return [
            f"{number} {'differ' if verdict == DIFFERS and number > 1 else verdict}"
            for verdict, number in counts.items()
            if number
        ]

    @property
    def caution(self) -> list[str]:
        """The lines to read before the verdicts: what changed since the issue was made."""
        if not self.made_otherwise:
            return []
        name = self.issue.name
        so = "So a figure that is not as printed tells nothing about the print. " if self.count(NOT_COMPARABLE) else ""
        return [
            f"{name} was made with other rules, code or deliveries than are here now:",
            *lines_of(self.made_otherwise),
            f"{so}`vip reproduce {name}` makes the issue again, and names what can have made a difference.",
        ]

    def explained(self, language: Language = ENGLISH) -> list[str]:
        """Return the number of records that a table leaves out, if this explains why printed totals differ."""
        if self.counted is None or not self._left_out_of_tables:
            return []
        return without_category(self.counted, self.program, self.issue.name.period, language)

    @property
    def unexplained(self) -> list[Contradiction]:
        """The contradictions of the print that the records do not explain; none if the rules changed since."""
        if self.made_otherwise:
            return []
        return [one for one in self.contradictions if one not in self._left_out_of_tables]

    @property
    def _left_out_of_tables(self) -> list[Contradiction]:
        as_printed = self.figures.loc[self.figures["verdict"].isin([REPRODUCED, REVISED]), KEY]
        given = set(as_printed.itertuples(index=False, name=None))
        shown = self.program.report.breakdowns
        return [
            one
            for one in self.contradictions
            if not one.impossible
            and given.issuperset(one.keys)
            and any(key[0] in shown and self.program.whole_of(key[0]) for key in one.keys)
        ]

    @property
    def notes(self) -> list[str]:
        """Notes for the reader of the verdicts."""
        notes = [f"Not reproducible: {self.why}"] if self.why else []
        notes += self.left_out
        notes += [f"{key_of_row(row)}: {row['note']}" for row in self.figures.to_dict("records") if row["note"]]
        notes += [f"The print does not add up. {one.text}" for one in self.unexplained]
        # A footnote explains this already.
        notes += [f"Footnote of the register: {self.issue.footnote}"] if self.issue.footnote else self.explained()
        if self.unexplained and not self.issue.footnote:
            notes.append("The register has no footnote that explains it.")
        if self.issue.reason:
            notes.append(f"Printed again because: {self.issue.reason}")
        if self.replaced_by:
            notes.append(f"Replaced by {self.replaced_by}; this one stays for the record and decides nothing.")
        if self.demonstration and self.program.demonstration:
            notes.append(self.program.demonstration.statement)
        return notes

    def as_json(self) -> dict[str, Any]:
        """Return everything by name; the figures as a table."""
        return {
            "issue": str(self.issue.name),
            "source": self.issue.source,
            "printed": self.issue.printed,
            "as_of": self.as_of,
            "now": self.now,
            "replaced_by": str(self.replaced_by) if self.replaced_by else None,
            "made_otherwise": [vars(change) for change in self.made_otherwise],
            "counts": {verdict: self.count(verdict) for verdict in (*VERDICTS, *MISSING)},
            "notes": self.notes,
            "figures": self.figures,
        }

    @property
    def missing(self) -> list[Problem]:
        """A problem for each figure that one side lacks."""
        said = {
            NOT_RECOMPUTED: ("is in the register, and is not counted;", "let a measure of program.toml count it."),
            NOT_PUBLISHED: (
                "is not in the register, and the issue prints it;",
                "transcribe it (program.toml, printed).",
            ),
        }
        rows = self.figures.loc[self.figures["verdict"].isin(MISSING)]
        return [
            Problem(f"{self.issue.name}, {key_of_row(row)}", *said[str(row["verdict"])])
            for row in rows.to_dict("records")
        ]


def printed_keys(program: Program, issue: IssuePeriod) -> list[tuple[str, str, str]]:
    """Return the key of every figure that an issue prints, in printed order.

    What a month's issue prints of the month, a longer one prints of the quarter or the year.
    """
    printed = {"month": issue.kind, "fytd": own_periods(issue)[-1]}
    return [
        (name, category, period)
        for name, measure in program.measures.items()
        if measure.in_issue(issue.last(program.identity.fiscal_year_starts))
        for period in dict.fromkeys(printed[one] for one in measure.printed)
        for category in categories_of(program, name, issue)
    ]


def compare(
    published: pd.DataFrame,
    recomputed: pd.DataFrame | None,
    now: pd.DataFrame | None,
    program: Program,
    issue: IssuePeriod,
) -> pd.DataFrame:
    """Return a verdict on each printed figure.

    An issue prints the figures that program.toml declares as printed, and any others in the register. A figure that
    is missing on either side never passes.

    Parameters
    ----------
    published, recomputed, now
        Figures tables: as printed, as of the issue's date, and as of a later date. Without ``recomputed`` no figure can
        be reproduced; without ``now`` none counts as revised.

    Returns
    -------
    DataFrame
        The columns of ``IssueVerdicts.figures``.
    """
    expected = pd.DataFrame(printed_keys(program, issue), columns=KEY, dtype="str")
    keys = pd.concat([expected, published[KEY]], ignore_index=True).drop_duplicates()
    none = pd.DataFrame(columns=[*KEY, "value"]).astype(dict.fromkeys(KEY, "str"))
    sides = {"published": published, "recomputed": recomputed, "now": now if now is not None else recomputed}
    table = keys
    for name, side in sides.items():
        values = (none if side is None else side)[[*KEY, "value"]].rename(columns={"value": name})
        table = table.merge(values, on=KEY, how="left").astype({name: "Int64"})
    given = table["published"].eq(table["recomputed"]).fillna(value=False)
    moved = given & table["now"].ne(table["published"]).fillna(value=True)
    verdict = pd.Series(DIFFERS, index=table.index, dtype="str").mask(given, REPRODUCED).mask(moved, REVISED)
    contradicted = {key for one in contradictions(published, program, issue) if one.impossible for key in one.keys}
    in_doubt = pd.Series([key in contradicted for key in table[KEY].itertuples(index=False, name=None)], table.index)
    if recomputed is None:
        verdict = pd.Series(NOT_REPRODUCIBLE, index=table.index, dtype="str")
    else:
        verdict = verdict.mask(table["recomputed"].isna(), NOT_RECOMPUTED)
        in_doubt &= table["recomputed"].notna()
    verdict = verdict.mask(in_doubt & ~given, INCONSISTENT).mask(table["published"].isna(), NOT_PUBLISHED)
    table = table.assign(verdict=verdict, change=table["now"] - table["published"], note="")
    return table[list(COLUMNS)]


def without_category(
    figures: pd.DataFrame,
    program: Program,
    issue: IssuePeriod,
    language: Language = ENGLISH,
    periods: Sequence[str] | None = None,
) -> list[str]:
    """Return the number of records without a usable category that each breakdown of the report leaves out.

    Parameters
    ----------
    periods
        The periods of the issue to look at; by default the issue's own and the year to date.
    """
    notes = []
    shown = program.in_language(language).measures
    for name in program.report.breakdowns:
        whole = program.whole_of(name)
        if whole is None or isinstance(program.measures[name].count, Distinct):
            continue
        for period in periods or own_periods(issue):
            total = value_of(figures, whole, period)
            parts = int(breakdown(figures, name)[period].sum())
            if total == parts:
                continue
            values = {
                "total": language.number(total),
                "parts": language.number(parts),
                "measure": shown[whole].label,
                "category": shown[name].label.lower(),
            }
            if period != "fytd":
                note = language.count(
                    total - parts,
                    "In {month}, {number} of {total} {measure} has no usable {category}. The table by {category} "
                    "adds up to {parts} and not to {total}.",
                    "In {month}, {number} of {total} {measure} have no usable {category}. The table by {category} "
                    "adds up to {parts} and not to {total}.",
                    month=language.period(issue),
                    **values,
                )
            else:
                note = language.count(
                    total - parts,
                    "In the {year} to date, {number} of {total} {measure} has no usable {category}. The table by "
                    "{category} adds up to {parts} and not to {total}.",
                    "In the {year} to date, {number} of {total} {measure} have no usable {category}. The table by "
                    "{category} adds up to {parts} and not to {total}.",
                    year=language.text(program.identity.year),
                    **values,
                )
            notes.append(note)
    return notes


def _made_without(issue: PublishedIssue) -> bool:
    """Return whether the issue itself was made without quarantined rows, which it states."""
    return issue.manifest is not None and read_manifest(issue.manifest).parameters.allow_quarantined


def all_figures(verdicts: Sequence[IssueVerdicts]) -> pd.DataFrame:
    """Return the verdicts of several issues in one table, the ``issue`` and its ``as_of`` date first."""
    parts = [one.figures.assign(issue=str(one.issue.name), as_of=str(one.as_of or "")) for one in verdicts]
    table = pd.concat(parts, ignore_index=True)
    return table[["issue", "as_of", *COLUMNS]]


def summary(verdicts: Sequence[IssueVerdicts]) -> pd.DataFrame:
    """Count the verdicts: one row for each issue, one column for each verdict."""
    rows = [
        {"issue": str(one.issue.name), "as_of": str(one.as_of or ""), "figures": len(one.figures)}
        | {verdict: one.count(verdict) for verdict in (*VERDICTS, *MISSING)}
        for one in verdicts
    ]
    return pd.DataFrame(rows)


def worst(verdicts: Sequence[IssueVerdicts]) -> str | None:
    """Return the worst verdict of several issues; none if every figure is reproduced or revised since.

    An issue that was replaced by a re-issue does not count.
    """
    current = [one for one in verdicts if one.replaced_by is None] or verdicts
    if any(one.count(DIFFERS, INCONSISTENT) for one in current):
        return DIFFERS
    rest = (NOT_COMPARABLE, NOT_REPRODUCIBLE)
    return next((verdict for verdict in rest if any(one.count(verdict) for one in current)), None)


def verify_register(
    project: Project,
    issue: str | None = None,
    as_of: dt.date | None = None,
    allow_quarantined: bool = False,
) -> list[IssueVerdicts]:
    """Return a verdict on each figure of the register.

    Parameters
    ----------
    issue
        Only ``2023-11`` with its re-issues, or only ``2023-11-r1``; by default all.
    as_of
        Recompute everything as of this day, instead of each issue's own date and the newest delivery.

    Raises
    ------
    PublishedError
        If the register is invalid or lacks the issue.
    DeliveryError
        If a delivery of an issue cannot be read, was edited or is missing.
    QuarantineError
        If rows are in quarantine and that is not allowed.
    """
    register = read_register(project)
    issues = register.issues if issue is None else register.named(issue)
    if not issues:
        raise PublishedError(
            "The register of published figures is empty.",
            [Problem("data/published", "contains no issue;", "publish one that was made here: vip publish MONTH.")],
        )
    otherwise = [made_otherwise(project, one) for one in issues]
    if not has_deliveries(project):
        return [_without_records(register, one, project.program, "There is no delivery.") for one in issues]
    deliveries = find_deliveries(project)
    now = deliveries[-1].received if as_of is None else as_of
    records = RecordsByDay(project.program, read_received(project, deliveries, now))
    verdicts = []
    for one, changes in zip(issues, otherwise, strict=True):
        verdicts.append(verdict_of(register, one, records, as_of, made_otherwise=changes))
        for day in {verdicts[-1].as_of, verdicts[-1].now}:
            if day is not None and not allow_quarantined and not (day == verdicts[-1].as_of and _made_without(one)):
                # Verdicts from figures without these rows would look right.
                edition = Edition(one.name.period, records.on(day), records.figures(one.name.period, day))
                require_no_quarantine(project, edition)
    return verdicts


def made_otherwise(project: Project, issue: PublishedIssue) -> list[Change]:
    """Return the rules, code and deliveries that changed since an issue was made, by its manifest.

    Raises
    ------
    ManifestError
        If delivered files in the manifest changed or are missing; lists all of them.
    """
    if issue.manifest is None:
        return []
    name = f"data/published/{issue.manifest.name}"
    manifest = read_manifest(issue.manifest, name)
    require_deliveries(project, manifest, name)
    return [*changed_inputs(project, manifest, ["program", "library"]), *added_deliveries(project, manifest)]


def counted_with(project: Project, as_of: dt.date | None = None) -> dict[str, Any]:
    """Return the checksums of the program, the code and the deliveries that figures are counted with.

    Parameters
    ----------
    as_of
        Only deliveries that were received by this day; by default all.
    """
    files = Inventory(project)
    known = files.deliveries if has_deliveries(project) else []
    used = [one for one in known if as_of is None or one.received <= as_of]
    names = [name for one in used for name in one.counted_from]
    return {
        "program": {"program.toml": files.checksum("program", "program.toml")},
        "code": {"viputils": __version__, "checksum": library_checksum()},
        "deliveries": {name: files.checksum("deliveries", name) for name in names},
    }


def verdicts_as_of(project: Project, edition: Edition) -> list[IssueVerdicts]:
    """Return the verdicts on the issues of an edition's fiscal year, from the records of that edition alone.

    Issues of later months, or from later records, are left out.
    """
    register = read_register(project)
    shown = shown_by(edition.period, edition.program.identity.fiscal_year_starts)
    # Without re-issues that are not seen yet: they must not replace an issue here.
    seen = Register(tuple(register.seen_by(shown, edition.as_of)))
    records = RecordsByDay(edition.program, edition.records.received, edition)
    return [verdict_of(seen, issue, records, strict=False) for issue in seen.issues]


def as_printed_over_time(project: Project) -> pd.DataFrame:
    """Count the figures that are as printed, for each published issue and each later day of receipt.

    Returns
    -------
    DataFrame
        ``issue``, ``as_of`` (``datetime64[s]``), ``figures`` and ``as_printed``; no row for an issue without records.
    """
    register = read_register(project)
    rows: list[tuple[str, pd.Timestamp, int, int]] = []
    if register.issues and has_deliveries(project):
        deliveries = find_deliveries(project)
        records = RecordsByDay(project.program, read_received(project, deliveries, deliveries[-1].received))
        days = list(dict.fromkeys(one.received for one in deliveries))
        for issue in register.issues:
            found = verdict_of(register, issue, records, strict=False)
            if found.as_of is None:
                continue
            for day in dict.fromkeys([found.as_of, *(day for day in days if day > found.as_of)]):
                both = issue.figures.merge(records.figures(issue.name.period, day), on=KEY, suffixes=("", "_then"))
                same = int(both["value"].eq(both["value_then"]).sum())
                rows.append((str(issue.name), pd.Timestamp(day), len(issue.figures), same))
    table = pd.DataFrame(rows, columns=["issue", "as_of", "figures", "as_printed"])
    return table.astype({"issue": "str", "as_of": "datetime64[s]", "figures": "int64", "as_printed": "int64"})


def verdict_of(
    register: Register,
    issue: PublishedIssue,
    records: RecordsByDay,
    as_of: dt.date | None = None,
    strict: bool = True,
    made_otherwise: Sequence[Change] = (),
) -> IssueVerdicts:
    """Return a verdict on each figure of one issue, from the records given.

    Parameters
    ----------
    strict
        Raise an error if only some of the records are there: something was lost. Otherwise nothing is reproducible.
    made_otherwise
        As in ``IssueVerdicts``. If there is any, a figure that differs from the print is not comparable with it.

    Raises
    ------
    DeliveryError
        If a delivery is missing, or the as-of date is too early.
    """
    program, period = records.program, issue.name.period
    end = period.days(program.identity.fiscal_year_starts).end
    deliveries = records.received.deliveries
    try:
        day = as_of_issue(program, deliveries, period, issue.as_of if as_of is None else as_of)
        if issue.as_of is None and as_of is None:
            later = (one.received for one in deliveries if one.received > day)
            day = next((one for one in (day, *later) if records.on(one).quarantine.empty), day)
    except DeliveryError as error:
        too_early = as_of is not None and as_of <= end
        if strict and (too_early or _should_be_there(program, deliveries, period)):
            raise
        places = "; ".join(f"{problem.where} {problem.what.rstrip(';')}" for problem in error.problems[:3])
        return _without_records(register, issue, program, f"{error.summary} {places}".strip())
    now = max(day, records.received.as_of) if as_of is None else day
    then, today = records.figures(period, day), records.figures(period, now)
    table = compare(issue.figures, then, today, program, period)
    if made_otherwise:
        table = table.assign(verdict=table["verdict"].replace([DIFFERS, INCONSISTENT], NOT_COMPARABLE))
    days = [one.received for one in deliveries if end < one.received <= now]
    table = table.assign(
        note=_days_that_give_it(table, records, period, [one for one in dict.fromkeys(days) if one != day])
    )
    replaced_by = register.replaced_by(issue.name)
    held = {each: int(records.on(each).account["quarantined"].sum()) for each in (day, now)}
    return IssueVerdicts(
        program,
        issue,
        day,
        now,
        table,
        tuple(contradictions(issue.figures, program, period)),
        replaced_by=replaced_by.name if replaced_by else None,
        demonstration=records.on(now).is_demonstration,
        left_out=tuple(
            f"Rows in quarantine as of {each}: {count:,}. They are not counted, so figures may be wrong."
            for each, count in held.items()
            if count
        ),
        made_otherwise=tuple(made_otherwise),
        counted=then,
    )


def _should_be_there(program: Program, deliveries: Sequence[Delivery], period: IssuePeriod) -> bool:
    """Return whether the records of a period should exist: they begin before it, and a delivery came after it."""
    try:
        require_covered(program, period)
    except DeliveryError:
        return False
    end = period.days(program.identity.fiscal_year_starts).end
    return any(one.received > end for one in deliveries)


class RecordsByDay:
    """The records received by a day, cleaned and counted as of any earlier day, each once.

    Parameters
    ----------
    known
        An edition whose records and figures need not be computed again.
    """

    def __init__(self, program: Program, received: Received, known: Edition | None = None) -> None:
        self.program = program
        self.received = received
        self._records: dict[dt.date, Records] = {}
        self._figures: dict[tuple[IssuePeriod, dt.date], pd.DataFrame] = {}
        if known is not None:
            self._records[known.as_of] = known.records
            self._figures[known.period, known.as_of] = known.figures

    def on(self, day: dt.date) -> Records:
        """Return the clean tables as of a day."""
        if day not in self._records:
            self._records[day] = clean_records(self.program, self.received.by(day))
        return self._records[day]

    def figures(self, period: IssuePeriod, day: dt.date) -> pd.DataFrame:
        """Return the figures of a period as of a day."""
        if (period, day) not in self._figures:
            self._figures[period, day] = compute_figures(self.on(day), period)
        return self._figures[period, day]


def _days_that_give_it(
    table: pd.DataFrame, records: RecordsByDay, period: IssuePeriod, days: Sequence[dt.date]
) -> pd.Series:
    """Return a note for each figure that differs but was as printed on another day."""
    note = table["note"]
    for day in days:
        differs = table["verdict"].isin([DIFFERS, INCONSISTENT]) & note.eq("")
        if not differs.any():
            break
        figures = records.figures(period, day).rename(columns={"value": "then"})
        then = table.merge(figures, on=KEY, how="left")["then"].astype("Int64")
        given = differs & then.eq(table["published"]).fillna(value=False)
        note = note.mask(given, f"The records received by {day} give it.")
    return note


def _without_records(register: Register, issue: PublishedIssue, program: Program, why: str) -> IssueVerdicts:
    period = issue.name.period
    replaced_by = register.replaced_by(issue.name)
    return IssueVerdicts(
        program,
        issue,
        None,
        None,
        compare(issue.figures, None, None, program, period),
        tuple(contradictions(issue.figures, program, period)),
        why=why,
        replaced_by=replaced_by.name if replaced_by else None,
    )
