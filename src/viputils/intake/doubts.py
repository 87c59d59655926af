"""What a person should check before a delivery is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pandas as pd

from viputils.config.program import ROW_ID
from viputils.config.tables import FILE
from viputils.core.text import plural
from viputils.records.clean import Records
from viputils.records.deliveries import Delivery

# A correction is doubtful if it moves a record by more days than this, or changes all columns of a table with at most
# this many columns (all but one of a table with more).
_FAR_DAYS: Final = 62
_FEW_COLUMNS: Final = 3


def doubtful_corrections(before: Records, after: Records, delivery: Delivery) -> Iterator[str]:
    """Yield the rows that move a record by more than two months, or change nearly all of its columns.

    Such rows may be other records: the sender may start numbering again each year, or an id may be mistyped.
    """
    for name in (one for one in delivery.files if one in after.tables):
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


def date_warnings(deliveries: Sequence[Delivery], delivery: Delivery, today: dt.date) -> Iterator[str]:
    """Yield a warning if a delivery is of a future day, or not the newest."""
    if delivery.received > today:
        yield f"The day of receipt, {delivery.received}, is in the future."
    if later := [one for one in deliveries if one.received > delivery.received]:
        there_are = plural(len(later), "later delivery already exists", "later deliveries already exist")
        yield (
            f"{there_are}, the newest received on {later[-1].received}. Figures as of {delivery.received} or later can "
            "change, including those of issues that were already made."
        )
    if same := [one.name for one in deliveries if one.received == delivery.received]:
        yield (
            f"There is already a delivery of that day ({', '.join(same)}). This one comes after it, and figures as of "
            "that day can change, including those of issues that were already made."
        )


def record_warnings(after: Records, delivery: Delivery) -> Iterator[str]:
    """Yield what looks wrong with the records of a delivery."""
    yield from _shared_ids(after, delivery)
    yield from _repeated_rows(after, delivery)


def _shared_ids(after: Records, delivery: Delivery) -> Iterator[str]:
    """Yield a warning for each pair of tables that have the same ids."""
    ids = {name: table.ledger["id"] for name, table in after.tables.items()}
    for name in delivery.files:
        if name not in ids:
            continue
        ledger = after.tables[name].ledger
        own = ledger.loc[ledger[FILE].eq(delivery.name_of(name)) & ledger["id"].ne(""), "id"]
        for other, of_other in ids.items():
            if other != name and (shared := int(own.isin(of_other).sum())):
                ids_are = plural(shared, f"id of {name} is an id", f"ids of {name} are ids")
                yield f"{ids_are} of {other}, too. Is it the right table?"


def _repeated_rows(after: Records, delivery: Delivery) -> Iterator[str]:
    """Yield a warning for each table without ids whose rows were already delivered."""
    for name in (one for one in delivery.files if one in after.tables):
        rule = after.program.tables[name]
        if rule.id != ROW_ID or rule.delivery == "snapshot":
            continue
        rows = after.tables[name].rows
        own = rows[FILE].eq(delivery.name_of(name))
        before = rows.loc[~own, [*rule.columns]].drop_duplicates()
        if same := len(rows.loc[own, [*rule.columns]].merge(before)):
            yield (
                f"{plural(same, f'row of {name} is', f'rows of {name} are')} identical to earlier rows, and would be "
                "counted again. If the files overlap, send only new rows."
            )


def small_snapshots(after: Records, changes: Sequence[Mapping[str, str | int]]) -> Iterator[str]:
    """Yield a sentence for each snapshot that lacks more than half of the records of its table."""
    snapshots = {name for name, table in after.program.tables.items() if table.delivery == "snapshot"}
    for change in changes:
        if change["table"] not in snapshots or "unchanged" not in change:  # The delivery has only voids of this table.
            continue
        if int(change["withdrawn"]) > int(change["unchanged"]) + int(change["changed"]):
            number = plural(int(change["withdrawn"]), "record")
            yield f"{number} of {change['table']}, more than half, are missing from this file and would be withdrawn."
