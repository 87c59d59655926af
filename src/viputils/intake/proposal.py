"""Intake: files that an agency sent, made into one delivery, which is shown before it is written."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from viputils.config.program import ROW_ID, Table, heading_key
from viputils.config.project import Project
from viputils.config.tables import FILE, LINE, VOIDS
from viputils.core.errors import BalanceError, DeliveryError, IntakeError, Problem, VipError, nearest
from viputils.core.files import put_in_place, staged_folder
from viputils.core.months import ReportMonth, parse_date
from viputils.core.spreadsheet import inert
from viputils.core.text import plural
from viputils.figures.counts import KEY, compute_figures
from viputils.intake.exports import EitherOrder, Export, Tally, match_sheet, rows_of, where_of
from viputils.intake.sheet import Sheet
from viputils.intake.sheets import read_sheets
from viputils.records.account import DUPLICATE, KEPT, QUARANTINED, SUPERSEDED
from viputils.records.checksums import checksum, new_salt, source_checksums, write_checksums
from viputils.records.clean import Records, clean_records
from viputils.records.completeness import received_after
from viputils.records.deliveries import (
    NO_DAY,
    ORIGINS,
    Delivery,
    find_deliveries,
    has_deliveries,
    read_received,
    write_coverage,
)
from viputils.records.demonstration import MixedError
from viputils.records.faults import LOOKS_ALIKE

# How many months the figures of are compared; older ones are only named.
MONTHS_SHOWN: Final = 13
FIGURES_SHOWN: Final = 40
# How many rejected rows are listed; of the rest the number is said.
REJECTS_SHOWN: Final = 50
# How many lines that are no records, and merged cells, are listed for a sheet.
LINES_SHOWN: Final = 20
_LONGEST_VALUE: Final = 80
# A correction that moves a record by more days, or changes every column of few (all but one of more), may be none.
_FAR_DAYS: Final = 62
_FEW_COLUMNS: Final = 3

# Where rows came from: of so many rows of the delivery, from a line on, the place of the first in what was sent.
ORIGIN_COLUMNS: Final = ("table", "line", "rows", "file", "sheet", "row")
CHANGES: Final = (
    "table", "rows", "new", "changed", "unchanged", "superseded", "quarantined", "withdrawn", "mended",
)  # fmt: skip
# What a folder name of one day can count to.
_MOST_OF_A_DAY: Final = 99


@dataclass(frozen=True)
class Source:
    """One sheet of a file that was given, and what became of its rows. ``export`` is none where it is left out."""

    sheet: Sheet
    export: Export | None
    tally: Tally


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
        this delivery, or by a later one that is here already) or ``quarantined``. ``withdrawn`` are records that no
        longer stand, by a void or because a snapshot lacks them, and ``mended`` are rows of earlier deliveries that are
        no longer in quarantine.
    quarantine
        What is wrong with the rows of this delivery that would be in quarantine; ``file`` and ``line`` are those of
        the sheet that was given.
    held
        What is wrong with the rows of earlier deliveries that would be in quarantine because of this one; ``file`` and
        ``line`` are those of the delivery.
    figures
        One row for each figure of a month that would move: ``month``, ``measure``, ``category``, ``before``, ``after``;
        missing where there is no data.
    warnings
        What a person should look at before saying yes.
    covers
        The last day that each table covers.
    doubtful
        Rows with the id of a record that is here, which may be another record: whether each corrects it has to be
        answered before the delivery is written.
    dates_doubtful
        Columns of dates that fit both orders, of which the other order fits the day of receipt better.
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
    dates_doubtful: Sequence[EitherOrder]

    def summary(self) -> Iterator[str]:
        """Say line by line what was read, and as what; a heading is named where it is not the column's own name."""
        for source in self.sources:
            sheet, export, tally = source.sheet, source.export, source.tally
            if export is None:
                yield f"{where_of(sheet)}: left out (empty, or in intake.sheets_left_out)"
                continue
            yield f"{export.where}: taken as {export.schema.name}"
            yield f"    {tally}"
            if tally.others:
                others = [f"line {line} {begins!r}" for line, begins in tally.others.items()]
                more = f" and {len(others) - LINES_SHOWN:,} more" if len(others) > LINES_SHOWN else ""
                yield f"    No records, not taken: {', '.join(others[:LINES_SHOWN])}{more}"
            for column in export.schema.headed:
                if column in export.headings and heading_key(export.headings[column]) != heading_key(column):
                    yield f"    {export.headings[column]!r} → {column}"
            if export.left_out:
                yield f"    Columns not taken: {', '.join(map(repr, export.left_out))}"
            for note in (*sheet.notes, *tally.notes, *map(str, tally.either)):
                yield f"    Note: {note}"
            if merged := [str(one) for one in sheet.merged if one.first_line > export.heading_line]:
                more = f" and {len(merged) - LINES_SHOWN:,} more" if len(merged) > LINES_SHOWN else ""
                listed = ", ".join(merged[:LINES_SHOWN])
                yield f"    Note: merged cells have their value in each of their lines ({listed}{more})"

    def account(self) -> Iterator[str]:
        """Say table by table what would become of its rows, which add up, and of records that came before."""
        for change in self.changes.to_dict("records"):
            became = " + ".join(f"{change[name]:,} {name}" for name in CHANGES[2:7] if change[name])
            earlier = [f"{change[name]:,} {name}" for name in CHANGES[7:] if change[name]]
            rows = plural(int(change["rows"]), "row") + (f" = {became}" if became else "")
            yield "; ".join([f"{change['table']}: {rows}", *earlier])

    def coverage(self) -> Iterator[str]:
        """Return the last day that the tables cover, in words."""
        start = self.project.program.identity.records_from
        for day in sorted(set(self.covers.values())):
            tables = ", ".join(name for name, until in self.covers.items() if until == day)
            yield f"{tables}: until {day}" if day >= start else f"{tables}: nothing, because no row of it counts"

    def rejects(self) -> Iterator[str]:
        """Yield for each row that would be in quarantine what is wrong with it; of very many, how many there are."""
        yield from _faults_in_words(self.quarantine)

    def rejects_held(self) -> Iterator[str]:
        """Say the same of each row of an earlier delivery that would be in quarantine because of this one."""
        yield from _faults_in_words(self.held)

    @property
    def rows_held(self) -> int:
        """How many rows of earlier deliveries would be in quarantine because of this one."""
        return len(self.held[["table", FILE, LINE]].drop_duplicates())

    def remedies(self) -> Iterator[str]:
        """Say once what mends the rows that would be in quarantine, for each reason and column."""
        rows = pd.concat([self.quarantine, self.held])
        yield from dict.fromkeys("[" + rows["reason"].astype("str") + "] " + rows["remedy"].astype("str"))

    def moved(self) -> tuple[pd.DataFrame, str]:
        """Return the figures that would move; if very many, only those without a breakdown and a line on the rest."""
        if len(self.figures) <= FIGURES_SHOWN:
            return self.figures, ""
        whole = self.figures.loc[self.figures["category"].eq("")]
        rest = len(self.figures) - len(whole)
        return (
            whole,
            f"And {plural(rest, 'figure')} by category; `vip revisions MONTH` lists them once the delivery is written.",
        )

    def accept(self) -> Path:
        """Write the delivery: its folder is there whole, or not at all."""
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
    """Every file was received before. ``known`` says where: the file's name, and the delivery made from it."""

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
    """Read files and say what a delivery made from them would do. Nothing is written unless it is accepted.

    Parameters
    ----------
    received
        The day on which the files came in.
    today
        Only to warn of a day of receipt that has not come yet.
    tables
        The table of one sheet, as ``SHEET=TABLE``, or of every other sheet; by default the one that each sheet fits.
    covers_until
        The last day that one table covers, as ``TABLE=DATE``, or that every other table does; by default the end of
        the month before the day of receipt if there are records of it, and otherwise of the month of the newest record.

    Raises
    ------
    IntakeError
        With everything that stands in the way, for every file.
    """
    project.source.require_writable()
    deliveries = find_deliveries(project) if has_deliveries(project) else []
    warnings: list[str] = []
    matched, sources = _match(project, _once_each(files, warnings), tables)
    fresh, known = _without_known(project, matched, received, deliveries, warnings)
    if not fresh:
        yield NothingNew([(path.name, name) for path, name in known])
        return
    warnings += [f"{path.name} was received in {name} already and is left out." for path, name in known]
    number = max((one.number for one in deliveries if one.received == received), default=0) + 1
    if number > _MOST_OF_A_DAY:
        raise IntakeError(
            f"{received} has {number - 1} deliveries already. Nothing was written.",
            [Problem("--received", "a day has no room for another;", "give the files that came that day together.")],
        )
    folder = received.isoformat() + (f"-{number}" if number > 1 else "")
    exports = [(export, Tally()) for path in fresh for export in matched[path]]
    with staged_folder(project.raw, folder) as staged:
        files_by_table = _write(project, staged, exports, folder)
        sources += [Source(export.sheet, export, tally) for export, tally in exports]
        delivery = Delivery(received, number, staged, project.raw_name(folder), files_by_table)
        before, after = _with_and_without(project, deliveries, delivery, sources)
        covers, stale = _coverage(after, delivery, covers_until)
        warnings += stale
        delivery = replace(delivery, covers=covers)
        after = _with_coverage(after, delivery)
        write_coverage(staged, covers)
        _write_origins(staged, sources)
        write_checksums(staged, [checksum(path) for path in fresh], new_salt())
        yield _propose(project, deliveries, delivery, before, after, sources, warnings, today)


def _once_each(files: Sequence[Path], warnings: list[str]) -> list[Path]:
    """Leave out a file that is given twice."""
    first: dict[str, Path] = {}
    for path in files:
        try:
            # What is wrong with a file that cannot be read, or never ends, is said where it is read.
            number = checksum(path) if path.is_file() else str(path)
        except OSError:
            number = str(path)
        if number in first:
            warnings.append(f"{path.name} is the same file as {first[number].name} and is taken once.")
        first.setdefault(number, path)
    return list(first.values())


def _match(
    project: Project, files: Sequence[Path], tables: Sequence[str]
) -> tuple[dict[Path, list[Export]], list[Source]]:
    """Match every sheet of the files with a table; everything that is wrong is reported at once."""
    problems: list[Problem] = []
    matched: dict[Path, list[Export]] = {}
    left_out: list[Source] = []
    of_sheet = {sheet.strip(): table.strip() for sheet, mark, table in (one.partition("=") for one in tables) if mark}
    of_all = next((one for one in tables if "=" not in one), None)
    seen: set[str] = set()
    for path in files:
        matched[path] = []
        try:
            sheets = read_sheets(path)
        except VipError as error:
            problems += error.problems or [Problem(path.name, error.summary)]
            continue
        before = len(problems)
        for sheet in sheets:
            seen |= {sheet.name, sheet.file}
            try:
                table = of_sheet.get(sheet.name, of_sheet.get(sheet.file, of_all))
                export = match_sheet(project.program, sheet, table)
            except VipError as error:
                problems += error.problems or [Problem(path.name, error.summary)]
                continue
            if export is None:
                left_out.append(Source(sheet, None, Tally()))
            else:
                matched[path].append(export)
        if not matched[path] and len(problems) == before:
            problems.append(Problem(path.name, "holds no table;", "a table has its headings, be it without rows."))
    problems += [
        Problem(
            f"--table '{name}={table}'",
            "names no sheet of these files;",
            f"{nearest(name, seen)}sheets: {_listed(seen)}.",
        )
        for name, table in of_sheet.items()
        if name not in seen
    ]
    if problems:
        raise IntakeError("The files cannot be taken in. Nothing was written.", dict.fromkeys(problems))
    return matched, left_out


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def _without_known(
    project: Project,
    matched: Mapping[Path, Sequence[Export]],
    received: dt.date,
    deliveries: Sequence[Delivery],
    warnings: list[str],
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Tell files that add something from those that a delivery was made from already.

    The same file again adds something where it has no rows (nothing occurred in another month either), or where it
    is a snapshot of a later day (everything stayed as it was).
    """
    taken = {source: one for one in deliveries for source in source_checksums(one.folder)}
    fresh: list[Path] = []
    known: list[tuple[Path, str]] = []
    for path, exports in matched.items():
        before = taken.get(checksum(path))
        if before is None:
            fresh.append(path)
            continue
        later = received > before.received
        says_more = all(
            later
            and (
                export.schema.table.delivery == "snapshot"
                or next(rows_of(export, project.program.intake, Tally()), None) is None
            )
            for export in exports
        )
        if says_more:
            fresh.append(path)
            warnings.append(f"{path.name} is the file that {before.name} was made from, to the byte.")
        else:
            known.append((path, before.name))
    return fresh, known


def _write(project: Project, staged: Path, exports: Sequence[tuple[Export, Tally]], folder: str) -> dict[str, Path]:
    """Write the rows of all sheets, one file for each table."""
    problems: list[Problem] = []
    files: dict[str, Path] = {}
    made: dict[str, Callable[[list[str]], list[str]]] = {}
    for export, tally in exports:
        schema = export.schema
        first = schema.name not in files
        files[schema.name] = staged / f"{schema.name}.csv"
        with files[schema.name].open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if first:
                writer.writerow(schema.columns)
            try:
                identified = made.setdefault(schema.name, _identified(schema.table, folder))
                rows = map(identified, rows_of(export, project.program.intake, tally))
                writer.writerows(map(inert, row) for row in rows)
            except (IntakeError, DeliveryError) as error:
                problems += error.problems
    if problems:
        raise IntakeError("The files cannot be taken in. Nothing was written.", problems)
    return files


def _identified(table: Table, folder: str) -> Callable[[list[str]], list[str]]:
    """Return what puts an id before the cells of a row, if the table has none.

    It is the place of the row in its delivery. In a snapshot it is what the row says, and how many rows said it before,
    so that the same row in the next snapshot has the same id.
    """
    if table.id != ROW_ID:
        return lambda row: row
    numbers = itertools.count(1)
    before: Counter[str] = Counter()

    def numbered(row: list[str]) -> list[str]:
        if table.delivery != "snapshot":
            return [f"{folder}.{next(numbers)}", *row[1:]]
        content = hashlib.sha256(json.dumps(row[1:]).encode()).hexdigest()[:16]
        before[content] += 1
        return [f"{content}.{before[content]}", *row[1:]]

    return numbered


def _coverage(after: Records, delivery: Delivery, covers_until: Sequence[str]) -> tuple[dict[str, dt.date], list[str]]:
    """Return the last day that each table covers, and what a person has to look at.

    A month without a record may be empty, or may not have been sent. A row in quarantine covers nothing.
    """
    program = after.program
    tables = {name: program.tables[name] for name in delivery.files if name in program.tables}
    declared = {name.strip(): _day(day) for name, mark, day in (one.partition("=") for one in covers_until) if mark}
    if unknown := [name for name in declared if name not in tables]:
        problem = Problem(
            "--covers-until", f"'{unknown[0]}' is no table of these files;", f"known: {', '.join(tables)}."
        )
        raise IntakeError("The files cannot be taken in. Nothing was written.", [problem])
    of_all = next((_day(one) for one in covers_until if "=" not in one), None)
    newest = {name: _newest_day(after, delivery, name) for name in tables}
    days = [dt.date.fromisoformat(day) for day in newest.values() if day not in ("", NO_DAY)]
    before = ReportMonth.of(delivery.received).plus(-1).span.end
    nothing = program.identity.records_from - dt.timedelta(days=1)
    known = max(days, default=nothing if NO_DAY in newest.values() else before)
    proposed = max(before, known) if known >= before.replace(day=1) else ReportMonth.of(known).span.end
    covers = {name: declared.get(name, of_all or min(proposed, delivery.received)) for name in tables}
    stale = [
        f"The newest record of {name} is of {newest[name]}. Did nothing more happen until {covers[name]}? If you do "
        f"not know, say --covers-until {name}={ReportMonth.of(dt.date.fromisoformat(newest[name])).span.end}."
        for name in tables
        if name not in declared
        and of_all is None
        and newest[name] not in ("", NO_DAY)
        and ReportMonth.of(dt.date.fromisoformat(newest[name])).plus(1) < ReportMonth.of(covers[name])
    ]
    for name in tables:
        held = delivery.newest_day(name, tables[name])
        if name not in declared and of_all is None and held > max(newest[name], covers[name].isoformat()):
            stale.append(
                f"Rows of {name} in quarantine are of later days, until {held}, and do not count for what it covers. "
                f"If their dates are right, say --covers-until {name}={held}."
            )
    if days and of_all is None and proposed < before and any(one.delivery == "snapshot" for one in tables.values()):
        stale.append(
            f"The newest record is of {known}, so nothing is known of the days after {proposed}, and later months get "
            f"no issue. If nothing happened since, say --covers-until {before}."
        )
    return covers, stale


def _with_coverage(after: Records, delivery: Delivery) -> Records:
    """Return the records with what their newest delivery covers."""
    known = (delivery if one.name == delivery.name else one for one in after.received.deliveries)
    return replace(after, received=replace(after.received, deliveries=tuple(known)))


def _newest_day(after: Records, delivery: Delivery, name: str) -> str:
    """Return the newest day of the rows of a delivery's table that are not in quarantine, as ``Delivery`` does."""
    rule, given = after.program.tables[name], after.received.tables[name].rows
    own = given[FILE].eq(delivery.name_of(name))
    counts = own & after.tables[name].ledger["status"].ne(QUARANTINED)
    days = given.loc[counts, rule.date].astype("str").str.strip()
    return delivery.newest_of(days.unique()) if counts.any() else NO_DAY if own.any() else ""


def _day(text: str) -> dt.date:
    return parse_date(text.strip(), "--covers-until")


def _write_origins(staged: Path, sources: Sequence[Source]) -> None:
    """Write where the rows of a delivery were in the files that came, for rejects to be sent back.

    One line for each run of rows that follow each other in both.
    """
    with (staged / ORIGINS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ORIGIN_COLUMNS)
        written: Counter[str] = Counter()
        for source in sources:
            if source.export is None:
                continue
            table, lines = source.export.schema.name, np.asarray(source.tally.lines)
            starts = np.flatnonzero(np.diff(lines, prepend=-1) != 1)
            for start, end in zip(starts, np.append(starts[1:], len(lines)), strict=bool(len(lines))):
                first = written[table] + int(start) + 2
                sheet = source.sheet.name if source.sheet.file.casefold().endswith(".xlsx") else ""
                row = [table, first, int(end - start), source.sheet.file, sheet, int(lines[start])]
                writer.writerow([inert(str(cell)) for cell in row])
            written[table] += len(lines)


def _with_and_without(
    project: Project, deliveries: Sequence[Delivery], delivery: Delivery, sources: Sequence[Source]
) -> tuple[Records, Records]:
    """Return the records without and with a delivery.

    Raises
    ------
    MixedError
        If demonstration records and real ones come together, with their places in what was given.
    """
    every = sorted([*deliveries, delivery], key=lambda one: (one.received, one.number))
    last = every[-1].received
    before = clean_records(project.program, read_received(project, deliveries, last))
    received = read_received(project, every, last)
    try:
        return before, clean_records(project.program, received)
    except MixedError as error:
        own = error.few[FILE].str.startswith(f"{delivery.name}/")
        given = _at_source(error.few.loc[own].reset_index(drop=True), sources)
        raise error.before_it_was_written(pd.concat([error.few.loc[~own], given], ignore_index=True)) from None


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
    rows = [_change(before, after, name, delivery) for name in delivery.files]
    _require_balance(rows, sources)
    rows += [
        {"table": name, "rows": 0, "withdrawn": number}
        for name in after.tables
        if name not in delivery.files and (number := _voided(before, after, name, delivery))
    ]
    own = after.quarantine[FILE].str.startswith(f"{delivery.name}/")
    of_delivery = after.quarantine.loc[own]
    moved, older = _moved(before, after)
    said = [*_date_warnings(deliveries, delivery, today), *_record_warnings(after, delivery, rows), *warnings]
    said += [warning for source in sources for warning in source.tally.warnings]
    if older:
        said.append(
            f"Records of {len(older)} earlier {'month' if len(older) == 1 else 'months'} change too, and the figures "
            f"of these are not listed: {', '.join(map(str, older))}."
        )
    return Proposal(
        project,
        delivery.name,
        delivery.folder,
        sources,
        pd.DataFrame(rows, columns=list(CHANGES)).fillna(0).astype(dict.fromkeys(CHANGES[1:], "int64")),
        _at_source(of_delivery.reset_index(drop=True), sources),
        _newly_held(before, after.quarantine.loc[~own]),
        moved,
        said,
        dict(delivery.covers),
        list(_doubtful_corrections(before, after, delivery)),
        [one for source in sources for one in source.tally.either if one.is_doubtful(delivery.received)],
    )


def _change(before: Records, after: Records, name: str, delivery: Delivery) -> dict[str, str | int]:
    """Count what a delivery does to one table."""
    was, now = (records.voids if name == VOIDS.name else records.tables[name] for records in (before, after))
    ledger = now.ledger.loc[now.ledger[FILE].eq(delivery.name_of(name))]
    status = ledger["status"].value_counts()
    count: dict[str, str | int] = {
        "table": name,
        "rows": len(ledger),
        "new": 0,
        "changed": 0,
        "unchanged": 0,
        "superseded": int(status.get(SUPERSEDED, 0)),
    }
    kept = ledger.loc[ledger["status"].eq(KEPT), "id"]
    if name != VOIDS.name and after.program.tables[name].delivery == "snapshot":
        new, changed, gone = _different(before, after, name).sum()
        count |= {"new": int(new), "changed": int(changed), "withdrawn": int(gone)}
        count["unchanged"] = len(kept) - int(new) - int(changed) + int(status.get(DUPLICATE, 0))
    else:
        known = kept.loc[kept.isin(was.ledger["id"])]
        # Before a later delivery that says the same it stands for it, and changes nothing.
        same = 0 if name == VOIDS.name else int((~known.isin(_different(before, after, name, known).index)).sum())
        count |= {"new": len(kept) - len(known), "changed": len(known) - same}
        count["unchanged"] = int(status.get(DUPLICATE, 0)) + same
        count["withdrawn"] = _voided(before, after, name, delivery)
    held = [
        pd.MultiIndex.from_frame(
            table.ledger.loc[table.ledger["status"].eq(QUARANTINED), [FILE, LINE]].astype({FILE: "str"})
        )
        for table in (was, now)
    ]
    mended = len(held[0].difference(held[1]))
    return count | {"quarantined": int(status.get(QUARANTINED, 0)), "mended": mended}


def _newly_held(before: Records, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return those rows of earlier deliveries in quarantine that were not in it without the new delivery."""
    place = ["table", FILE, LINE]
    known = pd.MultiIndex.from_frame(before.quarantine[place])
    return earlier.loc[~pd.MultiIndex.from_frame(earlier[place]).isin(known)].reset_index(drop=True)


def _different(before: Records, after: Records, name: str, ids: pd.Series | None = None) -> pd.DataFrame:
    """Count by id the records that are not as they were: those that are new, changed and gone."""
    table = after.program.tables[name]
    sides = []
    for records, sign in ((before, -1), (after, 1)):
        rows = records.tables[name].rows[[table.id, *table.columns]]
        rows = rows if ids is None else rows.loc[rows[table.id].isin(ids)]
        sides.append(rows.astype("str").assign(sign=sign))
    both = pd.concat(sides)
    net = both.groupby([table.id, *table.columns], sort=False, dropna=False)["sign"].sum()
    net = net.loc[net.ne(0)]
    come, gone = (part.groupby(level=table.id).sum() for part in (net.clip(lower=0), -net.clip(upper=0)))
    changed = come.clip(upper=gone)
    return pd.DataFrame({"new": come - changed, "changed": changed, "gone": gone - changed})


def _require_balance(changes: Sequence[Mapping[str, str | int]], sources: Sequence[Source]) -> None:
    """Refuse to have lost a row between a sheet and the account of the records."""
    taken: dict[str, int] = {}
    for source in sources:
        if source.export is not None:
            taken[source.export.schema.name] = taken.get(source.export.schema.name, 0) + source.tally.taken
    for change in changes:
        rows, became = change["rows"], sum(int(change[name]) for name in CHANGES[2:7])
        if not taken[str(change["table"])] == rows == became:
            raise BalanceError(
                f"{change['table']}: {taken[str(change['table'])]} rows were taken, {rows} were read back and {became} "
                "came out. This is a fault of viputils."
            )


def _at_source(quarantine: pd.DataFrame, sources: Sequence[Source]) -> pd.DataFrame:
    """Return of rejected rows where they stand in what was given: a row that was taken is one line of the delivery."""
    parts = []
    for name, rejected in quarantine.groupby("table", sort=False):
        given = [one for one in sources if one.export is not None and one.export.schema.name == name]
        row = rejected[LINE].to_numpy() - 2
        lines = np.concatenate([np.asarray(one.tally.lines) for one in given])[row]
        sheet = np.repeat(range(len(given)), [one.tally.taken for one in given])[row]
        where = [where_of(given[place].sheet) for place in sheet]
        parts.append(rejected.assign(**{FILE: where, LINE: lines}))
    return pd.concat(parts, ignore_index=True) if parts else quarantine


def _voided(before: Records, after: Records, name: str, delivery: Delivery) -> int:
    """Count the records of a table that stood before and that voids of the delivery withdraw."""
    if VOIDS.name not in delivery.files or name == VOIDS.name:
        return 0
    ledger = after.tables[name].ledger
    standing = ledger.loc[ledger["status"].isin([KEPT, QUARANTINED]), "id"]
    stood = before.tables[name].rows[after.program.tables[name].id]
    return int((~stood.isin(standing)).sum())


def _moved(before: Records, after: Records) -> tuple[pd.DataFrame, list[ReportMonth]]:
    """Compare the figures of the newest months before and after, and name the older months whose records differ."""
    months = sorted({month for records in (before, after) for month in _months_of(records)})
    moved = []
    for month in months[-MONTHS_SHOWN:]:
        old, new = (compute_figures(records, month) for records in (before, after))
        both = old.rename(columns={"value": "before"}).assign(after=new["value"], month=str(month))
        both = both.loc[both["before"].ne(both["after"]) & both["period"].eq("month")]
        table = both["measure"].map({name: measure.table for name, measure in after.program.measures.items()})
        known = {"before": _tables_with_data(before, month), "after": _tables_with_data(after, month)}
        moved.append(
            both.assign(**{side: both[side].astype("Int64").where(table.isin(of)) for side, of in known.items()})
        )
    columns = ["month", *KEY[:2], "before", "after"]
    figures = pd.concat(moved, ignore_index=True)[columns] if moved else pd.DataFrame(columns=columns)
    if len(months) <= MONTHS_SHOWN:
        return figures, []
    was, now = (_contents(records, months[-MONTHS_SHOWN]) for records in (before, after))
    return figures, [month for month in months[:-MONTHS_SHOWN] if was.get(month) != now.get(month)]


def _tables_with_data(records: Records, month: ReportMonth) -> set[str]:
    """Return the tables of which a month has data: a record, or a delivery that covers the month."""
    program, span = records.program, month.span
    covered = received_after(records.received.deliveries, program, month)
    days = {name: table.rows[program.tables[name].date] for name, table in records.tables.items()}
    inside = {name for name, day in days.items() if day.between(pd.Timestamp(span.start), pd.Timestamp(span.end)).any()}
    return inside | covered.keys()


def _months_of(records: Records) -> Iterator[ReportMonth]:
    """Yield the months in which something lies, some of them more than once."""
    for name, table in records.tables.items():
        for day in table.rows[records.program.tables[name].date].drop_duplicates():
            yield ReportMonth(day.year, day.month)


def _contents(records: Records, until: ReportMonth) -> dict[ReportMonth, dict[str, int]]:
    """Return a number for each earlier month and table: equal if its records are, in any order."""
    found: dict[ReportMonth, dict[str, int]] = {}
    for name, table in records.tables.items():
        rule = records.program.tables[name]
        rows = table.rows.loc[table.rows[rule.date].lt(pd.Timestamp(until.span.start))]
        numbers = pd.util.hash_pandas_object(rows[[rule.id, *rule.columns]], index=False)
        days = rows[rule.date].dt
        totals = numbers.groupby(days.year * 12 + days.month - 1).sum()
        for month, number in zip(totals.index.tolist(), totals.tolist(), strict=True):
            found.setdefault(ReportMonth(month // 12, month % 12 + 1), {})[name] = number
    return found


def _doubtful_corrections(before: Records, after: Records, delivery: Delivery) -> Iterator[str]:
    """Name the rows that move a record by more than two months, or change nearly everything that it said.

    A table whose numbers start again each year sends such rows, and so does a mistyped id.
    """
    for name in delivery.files.keys() & after.tables.keys():
        rule = after.program.tables[name]
        if rule.delivery == "snapshot" or not rule.one_row_per_id or rule.id_is_made:
            continue
        was, now = (records.tables[name].rows.set_index(rule.id) for records in (before, after))
        now = now.loc[now[FILE].eq(delivery.name_of(name)) & now.index.isin(was.index)]
        was = was.loc[now.index]
        columns = list(rule.columns)
        differ = pd.DataFrame(
            {one: was[one].astype("str").fillna("").ne(now[one].astype("str").fillna("")) for one in columns}
        )
        days = (now[rule.date] - was[rule.date]).dt.days.abs()
        most = len(columns) if len(columns) <= _FEW_COLUMNS else len(columns) - 1
        doubtful = days.gt(_FAR_DAYS) | (differ.sum(axis="columns").ge(most) & (len(columns) > 1))
        for record in now.index[doubtful]:
            moved = [one for one in columns if differ.loc[record, one]]
            old, new = (", ".join(f"{one} {_shown(table.loc[record, one])}" for one in moved) for table in (was, now))
            yield f"{name}, {rule.id} {record}: {old} becomes {new}"


def _shown(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "(empty)"
    return value.date().isoformat() if isinstance(value, dt.datetime) else str(value)


def _date_warnings(deliveries: Sequence[Delivery], delivery: Delivery, today: dt.date) -> Iterator[str]:
    if delivery.received > today:
        yield f"The day of receipt, {delivery.received}, has not come yet."
    if later := [one for one in deliveries if one.received > delivery.received]:
        yield (
            f"{len(later)} later {'delivery is' if len(later) == 1 else 'deliveries are'} here already, the newest "
            f"received on {later[-1].received}. Every figure as of {delivery.received} or later can move, those of "
            "issues made by then included."
        )
    if same := [one.name for one in deliveries if one.received == delivery.received]:
        yield (
            f"There is a delivery of that day already ({', '.join(same)}). This one comes after it, and figures as of "
            "that day can move, those of issues made by then included."
        )


def _record_warnings(after: Records, delivery: Delivery, changes: Sequence[Mapping[str, str | int]]) -> Iterator[str]:
    """Warn of ids that other tables have too, and of a snapshot that lacks much of what was there."""
    ids = {name: table.ledger["id"] for name, table in after.tables.items()}
    for name in delivery.files:
        if name not in ids:
            continue
        new = after.tables[name].ledger
        own = new.loc[new[FILE].eq(delivery.name_of(name)) & new["id"].ne(""), "id"]
        for other, of_other in ids.items():
            if other != name and (shared := int(own.isin(of_other).sum())):
                ids_are = plural(shared, f"id of {name} is an id", f"ids of {name} are ids")
                yield f"{ids_are} of {other} too. Is it the right table?"
    for name in delivery.files.keys() & after.tables.keys():
        rule = after.program.tables[name]
        if rule.id == ROW_ID and rule.delivery != "snapshot":
            rows = after.tables[name].rows
            own = rows[FILE].eq(delivery.name_of(name))
            before = rows.loc[~own, [*rule.columns]].drop_duplicates()
            if same := len(rows.loc[own, [*rule.columns]].merge(before)):
                yield (
                    f"{plural(same, 'row')} of {name} {'is' if same == 1 else 'are'} the same as rows that are here, "
                    "and count again. If the files overlap, send only what is new."
                )
    snapshots = {name for name, table in after.program.tables.items() if table.delivery == "snapshot"}
    for change in changes:
        if change["table"] in snapshots and int(change["withdrawn"]) > int(change["unchanged"]) + int(
            change["changed"]
        ):
            yield f"More than half of the records of {change['table']} are no longer there in this snapshot."
