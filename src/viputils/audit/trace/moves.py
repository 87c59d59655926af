"""Records that entered or left a figure between two as-of dates, or changed their amount in it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils.audit.record_history import record_changes, record_pairs, what_happened
from viputils.audit.trace import missed
from viputils.audit.trace.rows import PLACE, first_later, members_of, place_of
from viputils.config.program import Distinct, Measure
from viputils.config.tables import DELIVERY, RECEIVED
from viputils.core.months import IssuePeriod
from viputils.figures.counts import FigureKey, span_of
from viputils.records.clean import Records

ENTERED: Final = "entered"
LEFT: Final = "left"
CHANGED: Final = "changed"
COLUMNS: Final = ("moved", *PLACE, "change", "why")


@dataclass(frozen=True)
class Moves:
    """The records that entered or left a figure between two dates, or changed their amount in it.

    Attributes
    ----------
    pairs
        One row for each: ``id``; ``before`` and ``after``, the places of its row in either clean table (missing if it
        has none); whether both rows are the ``same``; ``moved`` and ``change``; ``once``, if distinct values are
        counted.
    members
        The records of the figure on either side.
    """

    older: Records
    newer: Records
    key: FigureKey
    issue: IssuePeriod
    pairs: pd.DataFrame
    members: tuple[pd.DataFrame, pd.DataFrame]

    @property
    def measure(self) -> Measure:
        """The measure of the figure."""
        return self.newer.program.measures[self.key.measure]


def find_moves(older: Records, newer: Records, key: FigureKey, issue: IssuePeriod) -> Moves:
    """Match the records behind a figure on both sides, and return those that moved.

    The changes add up to the change of the figure. A record that adds nothing to a sum is not behind it.
    """
    name = newer.program.measures[key.measure].table
    record = newer.program.tables[name].id
    members = (members_of(older, key, issue), members_of(newer, key, issue))
    ids = {
        one
        for side, rows in zip((older, newer), members, strict=True)
        for one in side.tables[name].rows[record].loc[rows.index]
    }
    pairs = record_pairs(older, newer, name, ids)
    places = [pairs[side].fillna(-1).astype("int64") for side in ("before", "after")]
    was, now = (rows.reindex(place).set_axis(pairs.index) for rows, place in zip(members, places, strict=True))
    added, adds = (side["amount"].fillna(0).astype("int64") for side in (was, now))
    there, here = added.ne(0), adds.ne(0)
    if "once" in was:
        # Of records that are counted once together only the first adds something.
        there, here = was["once"].notna(), now["once"].notna()
        change = _first_of(now["once"], members[0]["once"]) - _first_of(was["once"], members[1]["once"])
        differs = was["once"].ne(now["once"])
        pairs = pairs.assign(once=now["once"].fillna(was["once"]))
        moved = (there | here) & (there.ne(here) | differs)
    else:
        change = adds - added
        moved = change.ne(0)
    what = pd.Series(CHANGED, index=pairs.index, dtype="str").mask(here & ~there, ENTERED).mask(there & ~here, LEFT)
    pairs = pairs.assign(moved=what, change=change).loc[moved]
    order = pairs["moved"].map([ENTERED, LEFT, CHANGED].index)
    pairs = pairs.assign(order=order).sort_values(["order", "after", "before"]).drop(columns="order")
    return Moves(older, newer, key, issue, pairs.reset_index(drop=True), members)


def _first_of(values: pd.Series, others: pd.Series) -> pd.Series:
    """Return 1 for the first record of each value that the other side lacks, else 0."""
    new = values.notna() & ~values.isin(others)
    return (new & ~values.where(new).duplicated()).astype("int64")


def described(moves: Moves) -> pd.DataFrame:
    """Return the place of each record that moved, and why it moved."""
    follow = _later_records(moves)
    found = []
    for number, one in enumerate(_rows(moves.pairs)):
        gone = one["moved"] == LEFT
        side, row = (moves.older, one["before"]) if gone else (moves.newer, one["after"])
        place = place_of(side, moves.measure.table, row)
        why = _why(moves, one, place, follow.get(number))
        found.append({"moved": one["moved"], **place, "change": one["change"], "why": why})
    table = pd.DataFrame(found, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(COLUMNS, "str") | {"line": "int64", "change": "int64"})


def _why(moves: Moves, one: Mapping[str, Any], place: Mapping[str, Any], later: Mapping[str, Any] | None) -> str:
    """Return why a record moved, in words."""
    reasons = []
    if not one["same"]:
        changed = (moves.measure.table, one["id"], one["before"], one["after"])
        what, file, line = what_happened(moves.older, moves.newer, *changed)
        elsewhere = (file, line) != (place["file"], place["line"])
        reasons.append(f"{what} ({file}, line {line})" if elsewhere else what)
    if later is not None:
        changed = (later["table"], later["id"], later["before"], later["after"])
        what, file, line = what_happened(moves.older, moves.newer, *changed)
        follows = "no longer followed by" if one["moved"] == LEFT else "followed by"
        reasons.append(f"{follows} {later['table']} {later['id']}: {what} ({file}, line {line})")
    if "once" in one and one["moved"] != CHANGED and not one["change"]:
        reasons.append(_counted_through(moves, one))
    return "; ".join(reasons)


def _counted_through(moves: Moves, one: Mapping[str, Any]) -> str:
    """Return the record through which the value of a record is counted already or still, in words."""
    gone, value = one["moved"] == LEFT, one["once"]
    before, after = moves.members
    if gone and after["once"].eq(value).any():
        return f"{value} is still counted"
    side, members = (moves.older, before) if gone else (moves.newer, after)
    first = members.index[members["once"].eq(value) & members["amount"].eq(1)][0]
    through = place_of(side, moves.measure.table, first)["id"]
    return f"{value} {'was' if gone else 'is'} counted through {through}"


def _later_records(moves: Moves) -> dict[int, dict[str, Any]]:
    """Return the later records whose change made a record enter or leave, by its place."""
    measure, program = moves.measure, moves.newer.program
    if measure.followed_by is None or not isinstance(measure.count, Distinct):
        return {}
    who, until = measure.count.distinct, span_of(program, moves.issue, moves.key.period).end
    date, later_date = (program.tables[name].date for name in (measure.table, measure.followed_by))
    changes = record_changes(moves.older, moves.newer, measure.followed_by)
    found: dict[int, dict[str, Any]] = {}
    for side, records, moved in (("before", moves.older, LEFT), ("after", moves.newer, ENTERED)):
        here = moves.pairs.loc[moves.pairs["moved"].eq(moved)]
        rows = records.tables[measure.table].rows.loc[here[side].astype("int64")].set_axis(here.index)
        later = records.tables[measure.followed_by].rows[[later_date, who]]
        first = first_later(later, rows[date], rows[who], until)
        by_place = {int(one[side]): one for one in _rows(changes.loc[changes[side].notna()])}
        first = first.dropna().astype("int64")
        found |= {int(place): by_place[row] for place, row in zip(first.index, first, strict=True) if row in by_place}
    return found


def received_later(moves: Moves) -> pd.DataFrame:
    """Return the records received later that entered a figure, or made a record enter."""
    known = len(moves.older.received.deliveries)
    follow = _later_records(moves)
    measure, found = moves.measure, []
    for number, one in enumerate(_rows(moves.pairs)):
        if one["moved"] != ENTERED:
            continue
        row, name, makes = one, measure.table, ""
        if not _came_later(moves.newer, name, one["after"], known):
            if number not in follow:
                continue
            row, makes = follow[number], f"; it would make {one['id']} count"
            name = row["table"]
            if not _came_later(moves.newer, name, row["after"], known):
                continue
        what, _, _ = what_happened(moves.older, moves.newer, name, row["id"], row["before"], row["after"])
        received = moves.newer.tables[name].rows[RECEIVED].loc[int(row["after"])]
        # The newest snapshot repeats what an earlier one may have brought.
        is_snapshot = moves.newer.program.tables[name].delivery == "snapshot"
        why = f"{'in the snapshot of' if is_snapshot else 'received on'} {received:%Y-%m-%d}"
        why += ("" if what == "received" else f", {what}") + makes
        place = place_of(moves.newer, name, row["after"])
        found.append(
            {**place, "reason": missed.RECEIVED_LATER, "detail": why, "once": None if makes else one.get("once")}
        )
    return pd.DataFrame(found, columns=[*missed.COLUMNS, "once"])


def _came_later(records: Records, name: str, row: float, known: int) -> bool:
    return bool(records.tables[name].rows[DELIVERY].loc[int(row)] >= known)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
