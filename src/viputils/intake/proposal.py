"""A proposal: the delivery that some files would become, which is shown before it is written."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.config.program import heading_key
from viputils.config.project import Project
from viputils.config.tables import FILE, LINE
from viputils.core.errors import IntakeError, Problem
from viputils.core.files import put_in_place, staged_folder
from viputils.core.text import plural
from viputils.intake.coverage import coverage_of, with_coverage
from viputils.intake.date_column import EitherOrder
from viputils.intake.doubts import date_warnings, doubtful_corrections, record_warnings, small_snapshots
from viputils.intake.effects import CHANGES, changes_of, quarantine_of, with_and_without
from viputils.intake.moved_figures import moved_figures
from viputils.intake.sources import Source, match_files, once_each, without_known
from viputils.intake.tally import Tally
from viputils.intake.writing import write_origins, write_rows
from viputils.records.checksums import checksum, new_salt, write_checksums
from viputils.records.clean import Records
from viputils.records.deliveries import Delivery, find_deliveries, has_deliveries, write_coverage
from viputils.records.faults import LOOKS_ALIKE
from viputils.records.unknown_values import unknown_values

FIGURES_SHOWN: Final = 40
# At most this many rejected rows are listed.
REJECTS_SHOWN: Final = 50
# At most this many other lines, and merged cells, are listed for a sheet.
LINES_SHOWN: Final = 20
_LONGEST_VALUE: Final = 80
# The highest number in the name of a delivery's folder.
_MOST_PER_DAY: Final = 99


@dataclass(frozen=True)
class Proposal:
    """A delivery that is ready to be written.

    Attributes
    ----------
    name
        The folder that it would become.
    sources
        The sheets it was made from.
    changes
        One row for each table. Its ``rows`` are ``new``, ``changed``, ``unchanged``, ``superseded`` (by another row of
        this delivery, or by a later delivery) or ``quarantined``. ``withdrawn`` are records that a void or a snapshot
        removes, and ``mended`` are rows of earlier deliveries that leave the quarantine.
    quarantine
        What is wrong with the rows of this delivery that would be in quarantine, with their file and line in what was
        sent.
    held
        What is wrong with the rows of earlier deliveries that would be in quarantine because of this one, with their
        file and line in the delivery.
    figures
        One row for each figure of a month that would change: ``month``, ``measure``, ``category``, ``before``,
        ``after``. Values are missing if there is no data.
    warnings
        What a person should check before the delivery is written.
    covers
        The last day that each table covers.
    doubtful
        Rows that have the id of an earlier record, and may be another record. A person must confirm that they are
        corrections.
    withdrawals
        A sentence for each snapshot that lacks more than half of a table's records. A person must confirm it.
    dates_doubtful
        Columns of dates that fit both orders, if the other order fits the day of receipt better.
    """

    project: Project
    name: str
    staged: Path
    sources: Sequence[Source]
    changes: pd.DataFrame
    quarantine: pd.DataFrame
    held: pd.DataFrame
    figures: pd.DataFrame
    warnings: Sequence[str]
    covers: Mapping[str, dt.date]
    doubtful: Sequence[str]
    withdrawals: Sequence[str]
    dates_doubtful: Sequence[EitherOrder]

    def summary(self) -> Iterator[str]:
        """Yield what was read from each sheet, line by line. Headings are listed if they differ from the column."""
        for source in self.sources:
            sheet, export, tally = source.sheet, source.export, source.tally
            if export is None:
                yield f"{sheet.where}: left out (empty, or in intake.sheets_left_out)"
                continue
            yield f"{export.where}: read as {export.schema.name}"
            yield f"    {tally}"
            if tally.others:
                others = [f"line {line} {begins!r}" for line, begins in tally.others.items()]
                more = f" and {len(others) - LINES_SHOWN:,} more" if len(others) > LINES_SHOWN else ""
                yield f"    Other rows, not imported: {', '.join(others[:LINES_SHOWN])}{more}"
            for column in export.schema.headed:
                if column in export.headings and heading_key(export.headings[column]) != heading_key(column):
                    yield f"    {export.headings[column]!r} → {column}"
            if export.left_out:
                yield f"    Columns not imported: {', '.join(map(repr, export.left_out))}"
            for note in (*sheet.notes, *tally.notes, *map(str, tally.either)):
                yield f"    Note: {note}"
            if merged := [str(one) for one in sheet.merged if one.first_line > export.heading_line]:
                more = f" and {len(merged) - LINES_SHOWN:,} more" if len(merged) > LINES_SHOWN else ""
                listed = ", ".join(merged[:LINES_SHOWN])
                yield f"    Note: each line of a merged cell gets its value ({listed}{more})"

    def account(self) -> Iterator[str]:
        """Yield for each table what would become of its rows, which add up, and of earlier records."""
        for change in self.changes.to_dict("records"):
            became = " + ".join(f"{change[name]:,} {name}" for name in CHANGES[2:7] if change[name])
            earlier = [f"{change[name]:,} {name}" for name in CHANGES[7:] if change[name]]
            rows = plural(int(change["rows"]), "row") + (f" = {became}" if became else "")
            yield "; ".join([f"{change['table']}: {rows}", *earlier])

    def coverage(self) -> Iterator[str]:
        """Yield the last day that the tables cover, in words."""
        start = self.project.program.identity.records_from
        for day in sorted(set(self.covers.values())):
            tables = ", ".join(name for name, until in self.covers.items() if until == day)
            yield f"{tables}: until {day}" if day >= start else f"{tables}: nothing, because none of its rows count"

    def rejects(self) -> Iterator[str]:
        """Yield what is wrong with each row that would be in quarantine, or only the number after the first rows."""
        yield from _faults_in_words(self.quarantine)

    def rejects_held(self) -> Iterator[str]:
        """Yield the same for rows of earlier deliveries that would be in quarantine because of this one."""
        yield from _faults_in_words(self.held)

    @property
    def rows_held(self) -> int:
        """The number of rows of earlier deliveries that would be in quarantine because of this one."""
        return len(self.held[["table", FILE, LINE]].drop_duplicates())

    def remedies(self) -> Iterator[str]:
        """Yield how to correct the rows that would be in quarantine, once for each reason and column."""
        rows = pd.concat([self.quarantine, self.held])
        yield from (f"[unknown_value] {one}" for one in unknown_values(self.project.program, rows))
        rows = rows.loc[rows["reason"].ne("unknown_value")]
        yield from dict.fromkeys("[" + rows["reason"].astype("str") + "] " + rows["remedy"].astype("str"))

    def moved(self) -> tuple[pd.DataFrame, str]:
        """Return the figures that would change; if many, only those without a breakdown, and a line on the rest."""
        if len(self.figures) <= FIGURES_SHOWN:
            return self.figures, ""
        whole = self.figures.loc[self.figures["category"].eq("")]
        rest = len(self.figures) - len(whole)
        return (
            whole,
            f"And {plural(rest, 'figure')} by category; `vip revisions MONTH` lists them once the delivery is written.",
        )

    def accept(self) -> Path:
        """Write the delivery, as a whole or not at all."""
        final = self.project.raw / Path(self.name).name
        put_in_place(self.staged, final)
        return final


def _faults_in_words(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.head(REJECTS_SHOWN).to_dict("records"):
        near = f" Did you mean '{row['nearest']}'?" if row["nearest"] and row["reason"] != LOOKS_ALIKE else ""
        near = f" It looks like '{row['nearest']}'." if row["reason"] == LOOKS_ALIKE else near
        value = row["value"] if len(row["value"]) <= _LONGEST_VALUE else row["value"][:_LONGEST_VALUE] + "…"
        yield f"{row['file']}, line {row['line']}, {row['field']}: {value!r} [{row['reason']}]{near}"
    if more := Counter(map(str, rows["reason"].iloc[REJECTS_SHOWN:])):
        yield "And " + ", ".join(f"{number:,} more [{reason}]" for reason, number in more.items())


@dataclass(frozen=True)
class NothingNew:
    """Every file was received before. ``known`` has the name of each file and of the delivery made from it."""

    known: Sequence[tuple[str, str]]


@contextmanager
def proposed_intake(
    project: Project,
    files: Sequence[Path],
    received: dt.date,
    today: dt.date,
    tables: Sequence[str] = (),
    covers_until: Sequence[str] = (),
) -> Iterator[Proposal | NothingNew]:
    """Yield what a delivery made from some files would change. Nothing is written unless it is accepted.

    Parameters
    ----------
    received
        The day on which the files were received.
    today
        To warn of a day of receipt in the future.
    tables
        The table of one sheet, as ``SHEET=TABLE``, or of all other sheets. By default the one that a sheet fits.
    covers_until
        The last day that one table covers, as ``TABLE=DATE``, or that all other tables cover. By default the end of the
        month before the day of receipt if there are records of it, and otherwise of the month of the newest record.

    Raises
    ------
    IntakeError
        With everything that is wrong, in every file.
    """
    project.source.require_writable()
    deliveries = find_deliveries(project) if has_deliveries(project) else []
    warnings: list[str] = []
    matched, sources = match_files(project, once_each(files, warnings), tables)
    new, known = without_known(project, matched, received, deliveries, warnings)
    if not new:
        yield NothingNew([(path.name, name) for path, name in known])
        return
    warnings += [f"{path.name} was already received in {name}, and is left out." for path, name in known]
    number = max((one.number for one in deliveries if one.received == received), default=0) + 1
    if number > _MOST_PER_DAY:
        raise IntakeError(
            f"There are already {number - 1} deliveries of {received}. Nothing was written.",
            [Problem("--received", "a day cannot have more;", "import all files of a day together.")],
        )
    folder = received.isoformat() + (f"-{number}" if number > 1 else "")
    exports = [(export, Tally()) for path in new for export in matched[path]]
    with staged_folder(project.raw, folder) as staged:
        files_by_table = write_rows(project, staged, exports, folder)
        sources += [Source(export.sheet, export, tally) for export, tally in exports]
        delivery = Delivery(received, number, staged, project.raw_name(folder), files_by_table)
        before, after = with_and_without(project, deliveries, delivery, sources)
        covers, doubts = coverage_of(after, delivery, covers_until)
        warnings += doubts
        delivery = replace(delivery, covers=covers)
        after = with_coverage(after, delivery)
        write_coverage(staged, covers)
        write_origins(staged, sources)
        write_checksums(staged, [checksum(path) for path in new], new_salt())
        yield _propose(project, deliveries, delivery, before, after, sources, warnings, today)


def _propose(
    project: Project,
    deliveries: Sequence[Delivery],
    delivery: Delivery,
    before: Records,
    after: Records,
    sources: Sequence[Source],
    warnings: Sequence[str],
    today: dt.date,
) -> Proposal:
    """Compare the records with and without the delivery."""
    changes = changes_of(before, after, delivery, sources)
    quarantine, held = quarantine_of(before, after, delivery, sources)
    figures, older = moved_figures(before, after)
    every = [*date_warnings(deliveries, delivery, today), *record_warnings(after, delivery), *warnings]
    every += [warning for source in sources for warning in source.tally.warnings]
    if older:
        months = plural(len(older), "earlier month")
        every.append(
            f"Records of {months} change, too, and their figures are not listed: {', '.join(map(str, older))}."
        )
    return Proposal(
        project,
        delivery.name,
        delivery.folder,
        sources,
        pd.DataFrame(changes, columns=list(CHANGES)).fillna(0).astype(dict.fromkeys(CHANGES[1:], "int64")),
        quarantine,
        held,
        figures,
        every,
        dict(delivery.covers),
        list(doubtful_corrections(before, after, delivery)),
        list(small_snapshots(after, changes)),
        [one for source in sources for one in source.tally.either if one.is_doubtful(delivery.received)],
    )
