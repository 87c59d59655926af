"""Versions of a record: which of its rows is the current one, which are superseded, repeated or withdrawn by a void."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from viputils.config.tables import DELIVERY, FILE, LINE, Schema
from viputils.records.account import DUPLICATE, KEPT, STATUSES, SUPERSEDED
from viputils.records.deliveries import RawTable
from viputils.records.values import ColumnReading, Flags, Numbers, fingerprints

# The path of one file of one delivery.
_ONE_FILE: Final = re.compile(r"(?:^|/)\d{4}-\d\d-\d\d(?:-\d+)?/[a-z][a-z0-9_]*\.csv$")


def versions_of(
    schema: Schema,
    ids: pd.Series,
    raw: RawTable,
    columns: Mapping[str, ColumnReading],
    withdrawn_by: pd.DataFrame,
    gone: Flags,
) -> tuple[pd.Series, pd.Series]:
    """Return the status of each row, and whether it contradicts another row of its delivery.

    A row without an id has no other version. A row that was withdrawn by its line (``gone``) counts as never sent. A
    row that is sent again after a void is not a duplicate: it reinstates the record.
    """
    delivery = raw.rows[DELIVERY].to_numpy()
    kept, superseded, duplicate = (STATUSES.index(one) for one in (KEPT, SUPERSEDED, DUPLICATE))
    status = np.full(len(ids), kept, dtype="int8")
    contradicting = np.zeros(len(ids), dtype="bool")
    alive = ~gone
    if schema.table.delivery == "snapshot" and raw.delivered:
        alive &= delivery == raw.delivered[-1]
    status[~alive] = superseded
    # Most records have one row, which is kept. The rest is about the others.
    several = repeated(ids) & ids.ne("") if schema.table.one_row_per_id else pd.Series(False, index=ids.index)
    rows = np.flatnonzero(alive & (several | ids.isin(withdrawn_by["voided_id"])))
    if len(rows):
        record, known = pd.factorize(ids.iloc[rows])
        withdrawn, epoch = _withdrawn(record, known, delivery[rows], withdrawn_by)
        if schema.table.one_row_per_id:
            content = _numbered([column.key(rows) for column in columns.values()], len(rows))
            repeats, current, contradicts = _current(record, epoch, delivery[rows], content, withdrawn)
            status[rows] = np.select([current, repeats], [kept, duplicate], superseded)
            contradicting[rows] = current & contradicts
        else:
            status[rows[withdrawn]] = superseded
    statuses = pd.Categorical.from_codes(status, dtype=pd.CategoricalDtype(list(STATUSES)))
    return pd.Series(statuses, index=ids.index), pd.Series(contradicting, index=ids.index)


def _withdrawn(
    record: Numbers, known: pd.Index, delivery: Numbers, withdrawn_by: pd.DataFrame
) -> tuple[Flags, Numbers]:
    """Return for each row whether a void withdrew it, and how many voids of its record were received before it.

    Parameters
    ----------
    record
        The number of its record: its place in ``known``.
    """
    number = known.get_indexer(pd.Index(withdrawn_by["voided_id"]))
    last = withdrawn_by[DELIVERY].to_numpy()
    # One number for each record and delivery, so that all voids can be sorted together.
    width = int(max(delivery.max(initial=0), last.max(initial=0))) + 1
    voids = np.sort((number * width + last)[number >= 0])
    before = np.searchsorted(voids, record * width + delivery)
    epoch = before - np.searchsorted(voids, record * width)
    return np.searchsorted(voids, (record + 1) * width) > before, epoch


def _current(
    record: Numbers, epoch: Numbers, delivery: Numbers, content: Numbers, withdrawn: Flags
) -> tuple[Flags, Flags, Flags]:
    """Return for each row whether it repeats the one before it, whether it is current, and whether it is contradicted.

    The newest delivery of a record is current, even if it repeats an older one. If its rows differ, all of them are
    current and contradict each other.

    Parameters
    ----------
    epoch
        The number of voids before the row: rows before and after a void have different epochs.
    content
        The same number for equal rows.
    """
    order = np.lexsort((epoch, record))
    ordered = np.stack([record, epoch, content])[:, order]
    repeats = np.zeros(len(record), dtype="bool")
    repeats[order[1:]] = (ordered[:, 1:] == ordered[:, :-1]).all(axis=0)

    number = int(record.max()) + 1
    newest_of = np.full(number, -1)
    np.maximum.at(newest_of, record[~withdrawn], delivery[~withdrawn])
    newest = ~withdrawn & (delivery == newest_of[record])
    least, most = np.full(number, content.max()), np.full(number, content.min())
    np.minimum.at(least, record[newest], content[newest])
    np.maximum.at(most, record[newest], content[newest])
    contradicts = (least < most)[record]

    first_said = ~withdrawn & ~repeats
    last_said = np.full(number, -1)
    np.maximum.at(last_said, record[first_said], np.flatnonzero(first_said))
    is_last = last_said[record] == np.arange(len(record))
    return repeats, np.where(contradicts, first_said & newest, is_last), contradicts


def _numbered(keys: list[Numbers], length: int) -> Numbers:
    """Return a number for each row, the same for rows that are equal in every column."""
    number = np.zeros(length, dtype="int64")
    for key in keys:
        # Missing is -1.
        number = pd.factorize(number * (int(key.max(initial=-1)) + 2) + key + 1)[0]
    return number


def repeated(ids: pd.Series) -> pd.Series:
    """Flag every id that occurs in more than one row.

    Of millions of ids nearly all occur once. Equal ids have equal fingerprints, so only ids with the fingerprint of
    another are compared letter by letter.
    """
    none = pd.Series(False, index=ids.index)
    prints = fingerprints(ids)
    if prints is None:
        return ids.duplicated(keep=False)
    in_order = np.sort(prints)
    shared = in_order[1:][in_order[1:] == in_order[:-1]]
    if not len(shared):
        return none
    place = np.searchsorted(shared, prints).clip(max=len(shared) - 1)
    candidates = ids.loc[shared[place] == prints]
    none.loc[candidates.index] = candidates.duplicated(keep=False)
    return none


def withdrawn_by(table: str, voids: pd.DataFrame | None) -> pd.DataFrame:
    """Return the ids of a table's withdrawn records, and the place of the delivery that brought each void."""
    if voids is None or voids.empty:
        return pd.DataFrame({"voided_id": pd.Series(dtype="str"), DELIVERY: pd.Series(dtype="int32")})
    return voids.loc[voids["voided_table"].eq(table) & voids["voided_id"].notna(), ["voided_id", DELIVERY]]


def withdrawn_lines(given: pd.DataFrame, table: str, voids: pd.DataFrame | None) -> Flags:
    """Flag the rows of a table that a void of the same or a later delivery withdraws by their file and line."""
    gone = np.zeros(len(given), dtype="bool")
    if voids is None or not voids["voided_line"].notna().any():
        return gone
    by_line = voids.loc[voids["voided_table"].eq(table) & voids["voided_file"].notna() & voids["voided_line"].notna()]
    if by_line.empty:
        return gone
    file = given[FILE].astype("str")
    for void in by_line[["voided_file", "voided_line", DELIVERY]].to_dict("records"):
        if not _ONE_FILE.search(void["voided_file"]):
            continue
        named = file.eq(void["voided_file"]) | file.str.endswith(f"/{void['voided_file']}")
        here = named & given[LINE].eq(void["voided_line"]) & given[DELIVERY].le(void[DELIVERY])
        gone |= here.to_numpy(dtype="bool")
    return gone
