"""What a delivery would do to the records: new, changed and withdrawn records, and rows in quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from viputils.config.project import Project
from viputils.config.tables import FILE, LINE, VOIDS
from viputils.core.errors import BalanceError
from viputils.intake.sources import Source
from viputils.records.account import DUPLICATE, KEPT, QUARANTINED, SUPERSEDED
from viputils.records.clean import Records, clean_records
from viputils.records.deliveries import Delivery, read_received
from viputils.records.demonstration import MixedError

CHANGES: Final = (
    "table", "rows", "new", "changed", "unchanged", "superseded", "quarantined", "withdrawn", "mended",
)  # fmt: skip


def with_and_without(
    project: Project, deliveries: Sequence[Delivery], delivery: Delivery, sources: Sequence[Source]
) -> tuple[Records, Records]:
    """Return the records without and with a delivery.

    Raises
    ------
    MixedError
        If sample data and real records would be mixed, with their places in the files that were sent.
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


def changes_of(
    before: Records, after: Records, delivery: Delivery, sources: Sequence[Source]
) -> list[dict[str, str | int]]:
    """Return what a delivery does to each table, as rows of ``CHANGES``.

    Raises
    ------
    BalanceError
        If a row was lost.
    """
    changes = [_change(before, after, name, delivery) for name in delivery.files]
    _require_balance(changes, sources)
    others = [name for name in after.tables if name not in delivery.files]
    withdrawn = {name: _withdrawn_by_voids(before, after, name, delivery) for name in others}
    changes += [{"table": name, "rows": 0, "withdrawn": number} for name, number in withdrawn.items() if number]
    return changes


def _change(before: Records, after: Records, name: str, delivery: Delivery) -> dict[str, str | int]:
    """Count what a delivery does to one table."""
    was, now = (records.voids if name == VOIDS.name else records.tables[name] for records in (before, after))
    ledger = now.ledger.loc[now.ledger[FILE].eq(delivery.name_of(name))]
    status = ledger["status"].value_counts()
    kept = ledger.loc[ledger["status"].eq(KEPT), "id"]
    count: dict[str, str | int] = {"table": name, "rows": len(ledger)}
    if name != VOIDS.name and after.program.tables[name].delivery == "snapshot":
        new, changed, withdrawn = (int(number) for number in _different(before, after, name).sum())
        same = len(kept) - new - changed
    else:
        known = kept.loc[kept.isin(was.ledger["id"])]
        # A row that an equal row of a later delivery replaces changes nothing.
        same = 0 if name == VOIDS.name else int((~known.isin(_different(before, after, name, known).index)).sum())
        new, changed = len(kept) - len(known), len(known) - same
        withdrawn = _withdrawn_by_voids(before, after, name, delivery)
    return count | {
        "new": new,
        "changed": changed,
        "unchanged": same + int(status.get(DUPLICATE, 0)),
        "superseded": int(status.get(SUPERSEDED, 0)),
        "withdrawn": withdrawn,
        "quarantined": int(status.get(QUARANTINED, 0)),
        "mended": len(_places_in_quarantine(was.ledger).difference(_places_in_quarantine(now.ledger))),
    }


def _places_in_quarantine(ledger: pd.DataFrame) -> pd.MultiIndex:
    rows = ledger.loc[ledger["status"].eq(QUARANTINED), [FILE, LINE]]
    return pd.MultiIndex.from_frame(rows.astype({FILE: "str"}))


def quarantine_of(
    before: Records, after: Records, delivery: Delivery, sources: Sequence[Source]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is wrong with the rows of a delivery, and with earlier rows that it puts into quarantine."""
    own = after.quarantine[FILE].str.startswith(f"{delivery.name}/")
    of_delivery = after.quarantine.loc[own].reset_index(drop=True)
    return _at_source(of_delivery, sources), _newly_held(before, after.quarantine.loc[~own])


def _newly_held(before: Records, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of earlier deliveries that are in quarantine only with the new delivery."""
    place = ["table", FILE, LINE]
    known = pd.MultiIndex.from_frame(before.quarantine[place])
    return earlier.loc[~pd.MultiIndex.from_frame(earlier[place]).isin(known)].reset_index(drop=True)


def _different(before: Records, after: Records, name: str, ids: pd.Series | None = None) -> pd.DataFrame:
    """Count by id the records that are new, changed and gone."""
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
    """Raise BalanceError if a row was lost between the sheets and the records."""
    given: dict[str, int] = {}
    for source in sources:
        if source.export is not None:
            given[source.export.schema.name] = given.get(source.export.schema.name, 0) + source.tally.records
    for change in changes:
        rows, became = change["rows"], sum(int(change[name]) for name in CHANGES[2:7])
        sent = given[str(change["table"])]
        if not sent == rows == became:
            raise BalanceError(
                f"{change['table']}: {sent} rows were written, {rows} were read back and {became} came out. This is a "
                "fault of viputils."
            )


def _at_source(quarantine: pd.DataFrame, sources: Sequence[Source]) -> pd.DataFrame:
    """Replace the file and line of rejected rows by their places in the files that were sent."""
    parts = []
    for name, rejected in quarantine.groupby("table", sort=False):
        given = [one for one in sources if one.export is not None and one.export.schema.name == name]
        row = rejected[LINE].to_numpy() - 2
        lines = np.concatenate([np.asarray(one.tally.lines) for one in given])[row]
        sheet = np.repeat(range(len(given)), [one.tally.records for one in given])[row]
        where = [given[place].sheet.where for place in sheet]
        parts.append(rejected.assign(**{FILE: where, LINE: lines}))
    return pd.concat(parts, ignore_index=True) if parts else quarantine


def _withdrawn_by_voids(before: Records, after: Records, name: str, delivery: Delivery) -> int:
    """Count the records of a table that the voids of a delivery withdraw."""
    if VOIDS.name not in delivery.files or name == VOIDS.name:
        return 0
    ledger = after.tables[name].ledger
    left = ledger.loc[ledger["status"].isin([KEPT, QUARANTINED]), "id"]
    counted = before.tables[name].rows[after.program.tables[name].id]
    return int((~counted.isin(left)).sum())
