"""The history of a record: which of its rows belong together, what happened to it, and which file and line show it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from viputils.config.tables import DELIVERY, FILE, LINE, ORIGIN
from viputils.records.account import QUARANTINED
from viputils.records.clean import Records


def record_changes(older: Records, newer: Records, name: str) -> pd.DataFrame:
    """Return the records of a table that were added, removed or changed between two as-of dates.

    Returns
    -------
    DataFrame
        One row for each record: ``table``, ``id``, and the index of its row in either table (``before`` and ``after``,
        missing if it has none).
    """
    pairs = record_pairs(older, newer, name)
    return pairs.loc[~pairs["same"]].drop(columns="same").reset_index(drop=True)


def record_pairs(older: Records, newer: Records, name: str, ids: Collection[str] | None = None) -> pd.DataFrame:
    """Match the records of a table as of two dates, including those that did not change.

    Parameters
    ----------
    ids
        Only records with these ids; by default all.

    Returns
    -------
    DataFrame
        The columns of ``record_changes``, and whether both rows are the ``same``.
    """
    table = newer.program.tables[name]
    sides = []
    for records in (older, newer):
        rows = records.tables[name].rows[[table.id, *table.columns]]
        sides.append((rows if ids is None else rows.loc[rows[table.id].isin(ids)]).astype("str"))
    return pair_rows(*sides).assign(table=name)[["table", "id", "before", "after", "same"]]


def pair_rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Match the rows of two tables of texts: first equal rows, then rows with the same id, in order.

    Parameters
    ----------
    before, after
        Tables with the same columns, the id first.

    Returns
    -------
    DataFrame
        One row for each pair: the ``id``, the index of its row ``before`` and ``after`` (missing if it has none),
        and whether both are the ``same``. Pairs that changed come first.
    """
    # Numbers as column names: a table may have columns with the names that are added here.
    columns = list(range(before.shape[1]))
    sides = [side.set_axis(columns, axis="columns") for side in (before, after)]
    # Equal rows are numbered: the first of one table matches the first of the other.
    left, right = (
        side.assign(number=side.groupby(columns, sort=False, dropna=False).cumcount()).reset_index(names=name)
        for side, name in zip(sides, ("before", "after"), strict=True)
    )
    matched = left.merge(right, on=[*columns, "number"], how="outer").rename(columns={0: "id"})
    gone = matched.loc[matched["after"].isna(), ["id", "before"]].sort_values("before")
    come = matched.loc[matched["before"].isna(), ["id", "after"]].sort_values("after")
    same = matched.loc[matched["before"].notna() & matched["after"].notna(), ["id", "before", "after"]]
    # Unmatched rows of one id on both sides are one record that changed.
    gone, come = (part.assign(number=part.groupby("id").cumcount()) for part in (gone, come))
    pairs = gone.merge(come, on=["id", "number"], how="outer").sort_values(["after", "before"])
    both = pd.concat([pairs.assign(same=False), same.sort_values("after").assign(same=True)], ignore_index=True)
    return both[["id", "before", "after", "same"]].astype({"before": "float64", "after": "float64"})


def what_happened(
    older: Records, newer: Records, name: str, record: str, before: float, after: float
) -> tuple[str, str, int]:
    """Return what happened to one record, and the file and line that show it.

    Parameters
    ----------
    before, after
        The index of its row in either clean table, missing if it has none.
    """
    if pd.isna(after):
        return _why_gone(older, newer, name, record, before)
    new = newer.tables[name].rows
    what = _how_received(older, name, record) if pd.isna(before) else _corrections(older, newer, name, before, after)
    return what, *origin(new, after)


def _corrections(older: Records, newer: Records, name: str, before: float, after: float) -> str:
    was, now = (
        records.tables[name].rows.loc[int(row)] for records, row in zip((older, newer), (before, after), strict=True)
    )
    fields = [field for field in was.index if field not in ORIGIN and str(was[field]) != str(now[field])]
    return "corrected: " + "; ".join(f"{field} {_shown(was[field])} → {_shown(now[field])}" for field in fields)


def _how_received(older: Records, name: str, record: str) -> str:
    ledger = older.tables[name].ledger
    earlier = set(ledger.loc[ledger["id"].eq(record), "status"])
    if not earlier or not older.program.tables[name].one_row_per_id:
        return "received"
    return "could be read since it was corrected" if QUARANTINED in earlier else "sent again after it was withdrawn"


def _why_gone(older: Records, newer: Records, name: str, record: str, before: float) -> tuple[str, str, int]:
    held = newer.tables[name].quarantine
    held = held.loc[held["id"].eq(record)]
    if not held.empty:
        field, value, reason = (held[column].iloc[0] for column in ("field", "value", "reason"))
        return f"in quarantine: {field} {value!r} [{reason}]", *origin(held, held.index[0])
    rows = older.tables[name].rows
    voids = voids_of(newer, name, record, rows, before)
    if not voids.empty:
        return "withdrawn by a void", *origin(voids, voids.index[-1])
    return "no longer in the snapshot", *origin(rows, before)


def voids_of(records: Records, name: str, record: str, rows: pd.DataFrame, place: float) -> pd.DataFrame:
    """Return the voids that withdrew one row of a table, by its id or by its file and line, in order of receipt."""
    voids = records.voids.rows
    voids = voids.loc[voids["voided_table"].eq(name) & voids[DELIVERY].ge(rows[DELIVERY].loc[int(place)])]
    file, line = origin(rows, place)
    by_line = [
        line == its_line and (file == its_file or file.endswith(f"/{its_file}"))
        for its_file, its_line in zip(voids["voided_file"], voids["voided_line"].fillna(0), strict=True)
    ]
    return voids.loc[voids["voided_id"].eq(record) | pd.Series(by_line, index=voids.index, dtype="bool")]


def origin(rows: pd.DataFrame, place: float) -> tuple[str, int]:
    """Return the file and the line that a row came from."""
    return str(rows[FILE].loc[int(place)]), int(rows[LINE].loc[int(place)])


def _shown(value: Any) -> str:
    """Return a value of a clean table as text for people."""
    if pd.isna(value):
        return "(empty)"
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)
