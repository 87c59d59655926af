"""Rows that just missed a figure: they fit its rules except for one reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from viputils.audit.trace.edits import EDITED, Edit, as_they_were
from viputils.audit.trace.rows import PLACE, FollowUp, LookedAt, Rows, Table, look_at, within
from viputils.core.months import Span
from viputils.core.text import folded
from viputils.records.account import DUPLICATE, KEPT, QUARANTINED, SUPERSEDED
from viputils.records.faults import LOOKS_ALIKE

OUT_OF_PERIOD: Final = "out of the period"
RECEIVED_LATER: Final = "received later"
NO_VALUE: Final = "no value"
# In the order of display; a row that missed for two reasons has the first.
REASONS: Final = (EDITED, QUARANTINED, SUPERSEDED, DUPLICATE, NO_VALUE, OUT_OF_PERIOD, RECEIVED_LATER)
COLUMNS: Final = (*PLACE, "reason", "detail")
# The number of days before and after a period in which a record just misses it.
NEAR: Final = 7

# The number of ids written out in a sentence.
_LISTED: Final = 3


def missed_rows(
    looked_at: LookedAt, counted: Rows, versions: pd.DataFrame, edits: Sequence[Edit], near: int
) -> list[pd.DataFrame]:
    """Return the received rows that just missed a figure, by reason.

    Parameters
    ----------
    counted
        The rows behind the figure.
    versions
        Older and repeated rows, as ``cleaned.older_versions`` returns them.
    near
        The number of days before and after the period in which a record just misses it.
    """
    found = [
        _edited(looked_at, counted, edits),
        _in_quarantine(looked_at),
        *_older_and_repeated(looked_at, counted, versions),
        _without_value(looked_at),
        _out_of_period(looked_at, near),
    ]
    if looked_at.follow_up is not None:
        found += _followers(looked_at, looked_at.follow_up, edits, near)
    return found


def put_together(parts: Sequence[pd.DataFrame], values: Iterable[str]) -> pd.DataFrame:
    """Return rows that missed in one table, each once.

    Parameters
    ----------
    values
        Values that are counted once already: another record of them changes nothing.
    """
    found = [part for part in parts if len(part)]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="int64" if name == "line" else "str") for name in COLUMNS})
    every = pd.concat(found, ignore_index=True)
    already = every["once"].isin(list(values))
    said = every["detail"] + "; " + every["once"].astype("str") + " is counted already"
    every = every.assign(detail=every["detail"].mask(already, said), order=every["reason"].map(REASONS.index))
    # A removed line can have the number of another row now.
    every = every.sort_values("order", kind="stable").drop_duplicates(["table", "id", "file", "line"])
    return every[list(COLUMNS)].reset_index(drop=True)


def _missed(table: Table, details: Mapping[int, str], reason: str, once: pd.Series | None = None) -> pd.DataFrame:
    """Return rows that missed, each with its detail and the value that it would be counted once as."""
    if not details:
        return pd.DataFrame(columns=[*COLUMNS, "once"])
    rows = pd.Index(details, dtype="int64")
    found = table.places(rows).assign(reason=reason, detail=pd.Series(details, index=rows, dtype="str"))
    return found.assign(once=None if once is None else once.loc[rows])


def _edited(looked_at: LookedAt, counted: Rows, edits: Sequence[Edit]) -> pd.DataFrame:
    """Return lines that would have counted as they were committed and do not count now."""
    table = looked_at.table
    edits = [edit for edit in edits if edit.table == table.schema.name and edit.was is not None]
    if not edits:
        return _missed(table, {}, EDITED)
    was = as_they_were(table.records, table.schema, edits)
    would_count = look_at(table.records, looked_at.key, looked_at.issue, was).would_count
    places = {place for _, place in table.by_place(counted)}
    # A record that counts by another of its rows was not lost by the edit.
    ids = set(table.id.loc[counted]) if table.schema.table.one_row_per_id else set()
    lost = {
        row: edits[row].what
        for row in would_count.index[would_count]
        # A removed line can have the number of another row now.
        if (edits[row].now is None or (edits[row].file, edits[row].line) not in places) and was.id.loc[row] not in ids
    }
    return _missed(was, lost, EDITED)


def _older_and_repeated(looked_at: LookedAt, counted: Rows, versions: pd.DataFrame) -> list[pd.DataFrame]:
    """Return older rows that would count although the current one does not, and repeats of one that does."""
    table = looked_at.table
    versions = versions.loc[versions["row"].isin(looked_at.would_count.index[looked_at.would_count])]
    duplicate = versions["row"].map(table.status).eq(DUPLICATE)
    is_counted = versions["stands"].isin(counted)
    older = versions.loc[~duplicate & ~is_counted].sort_values("row").drop_duplicates("record", keep="last")
    again = versions.loc[duplicate & is_counted].sort_values("row")

    replaced, repeating = (list(zip(of["row"], of["stands"], strict=True)) for of in (older, again))
    repeats = {
        row: f"repeats {'an older row of the record in ' if different else ''}{table.where(stands)}"
        for (row, stands), different in zip(repeating, table.differences(repeating), strict=True)
    }
    return [_missed(table, table.now_say(replaced), SUPERSEDED), _missed(table, repeats, DUPLICATE)]


def _without_value(looked_at: LookedAt) -> pd.DataFrame:
    """Return records of the period that fit except for an empty column, so that no category counts them."""
    kept = looked_at.in_span & looked_at.table.status.eq(KEPT)
    found: dict[int, str] = {}
    for column, empty in looked_at.empty.items():
        fits = kept & empty & looked_at.fits_but(column)
        found |= dict.fromkeys(fits.index[fits], f"{column} is empty")
    return _missed(looked_at.table, found, NO_VALUE)


def _out_of_period(looked_at: LookedAt, near: int) -> pd.DataFrame:
    """Return records that fit except for their day, shortly before or after the period."""
    days = looked_at.days
    wider = Span(days.start - dt.timedelta(near), days.end + dt.timedelta(near))
    table = looked_at.table
    fits = looked_at.fits_but() & table.status.eq(KEPT) & within(table.date, wider) & ~looked_at.in_span
    rows = fits.index[fits]
    rows = rows[looked_at.followed(rows, max(wider.end, looked_at.until))]
    return _missed(table, {row: _how_far(table, row, days) for row in rows}, OUT_OF_PERIOD, looked_at.once)


def _how_far(table: Table, row: int, days: Span) -> str:
    """Return the distance of a row's day from a period in words."""
    day = table.date.loc[row].date()
    number = (days.start - day).days if day < days.start else (day - days.end).days
    side = f"before {days.start}" if day < days.start else f"after {days.end}"
    return f"{table.schema.table.date} is {number} {'day' if number == 1 else 'days'} {side}"


def _in_quarantine(looked_at: LookedAt) -> pd.DataFrame:
    """Return rows in quarantine that would or could count."""
    table, measure = looked_at.table, looked_at.measure
    held = table.id.index[table.status.eq(QUARANTINED)]
    wanted: dict[str, str | bool] = dict(measure.where)
    if measure.by is not None and measure.by != "month":
        wanted[measure.by] = looked_at.key.category
    in_span, followed = looked_at.in_span, looked_at.followed(held, looked_at.until)
    found = {}
    for row, faults in _faults(table, held).items():
        wrong = {field: fault for fault in faults for field in fault["field"].split(" or ")}
        # A faulty day may be the wrong day.
        possible = table.schema.table.date in wrong or bool(in_span.loc[row])
        for column, fits in looked_at.rules.items():
            if column not in wrong:
                possible &= bool(fits.loc[row])
            elif column in wanted:
                possible &= _can_be(looked_at, column, wrong[column], table.date.loc[row], wanted[column])
        if looked_at.follow_up is not None and wrong.keys().isdisjoint(
            {table.schema.table.date, looked_at.follow_up.who}
        ):
            possible &= bool(followed.loc[row])
        if possible:
            sure = wrong.keys().isdisjoint({table.schema.table.date, *looked_at.rules})
            found[row] = f"{'would be counted' if sure else 'cannot be ruled out'}: {what_is_wrong(faults)}"
    return _missed(table, found, QUARANTINED, looked_at.once)


def _faults(table: Table, rows: Rows) -> dict[int, list[dict[str, str]]]:
    """Return the faults of each of some rows in quarantine."""
    by_place: dict[tuple[str, int], list[dict[str, str]]] = {}
    for fault in table.records.tables[table.schema.name].quarantine.astype("str").to_dict("records"):
        by_place.setdefault((fault["file"], int(fault["line"])), []).append({str(key): fault[key] for key in fault})
    return {row: by_place[place] for row, place in table.by_place(rows)}


def what_is_wrong(faults: Iterable[Mapping[str, str]]) -> str:
    """Return the faults of a row in words, with the value that was likely meant."""
    return "; ".join(
        f"{fault['field']} '{fault['value']}' [{fault['reason']}]"
        + (f", nearest {fault['nearest']}" if fault["nearest"] else "")
        for fault in faults
    )


def _can_be(looked_at: LookedAt, column: str, fault: Mapping[str, str], day: pd.Timestamp, wanted: str | bool) -> bool:
    """Return whether a faulty value may mean the wanted one."""
    program = looked_at.table.records.program
    vocabulary = looked_at.table.schema.table.columns[column].vocabulary
    if vocabulary is None:
        return True
    meant = fault["nearest"] or program.spellings(vocabulary).get(folded(fault["value"]), "")
    if not meant:
        return True
    of_it = [one for one in program.crosswalks_of(vocabulary) if one.value == meant and one.in_issue(looked_at.month)]
    if fault["reason"] == "not_valid_on_date" or pd.isna(day):
        return wanted in {meant, *(one.counted_as for one in of_it)}
    return wanted == next((one.counted_as for one in of_it if one.covers(pd.Series([day])).all()), meant)


def _followers(looked_at: LookedAt, follow_up: FollowUp, edits: Sequence[Edit], near: int) -> list[pd.DataFrame]:
    """Return later records that would make a record of the period count, except for one reason."""
    asked, later = looked_at.table, follow_up.table
    end, near_end = looked_at.until, looked_at.until + dt.timedelta(near)
    fits = looked_at.fits_but() & looked_at.in_span & asked.status.eq(KEPT)
    waiting = fits.index[fits]
    waiting = waiting[~looked_at.followed(waiting, end)]
    people = pd.concat([asked.date, asked.typed[follow_up.who].str.casefold(), asked.id], axis=1).loc[waiting]
    people = people.set_axis(["from", "who", "id"], axis="columns")

    def makes_count(
        table: Table, rows: Rows, until: dt.date, unread: Mapping[int, Collection[str]] | None = None
    ) -> dict[int, str]:
        """Return which records each of the rows would make count; a field that is ``unread`` rules nothing out."""
        who, day = table.typed[follow_up.who].str.casefold().loc[rows], table.date.loc[rows]
        said = {}
        for row in rows if unread is not None else rows[who.isin(people["who"]) & day.le(pd.Timestamp(until))]:
            open_fields = unread[row] if unread is not None else ()
            fits = pd.Series(True, index=people.index)
            if follow_up.who not in open_fields:
                fits &= people["who"].eq(who.loc[row])
            if table.schema.table.date not in open_fields:
                fits &= people["from"].le(day.loc[row]) & (day.loc[row] <= pd.Timestamp(until))
            ids = people["id"].loc[fits]
            if len(ids):
                more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
                said[row] = f"it would make {', '.join(ids.iloc[:_LISTED])}{more} count"
        return said

    days = Span(looked_at.days.start, end)
    late = makes_count(later, later.kept[later.date.loc[later.kept].gt(pd.Timestamp(end))], near_end)
    # No current record makes it count, so none of these equals one that does.
    older = makes_count(later, later.id.index[later.status.eq(SUPERSEDED)], end)
    newest = later.id.loc[list(older)].drop_duplicates(keep="last").index
    replaced = later.now_say(list(zip(newest, later.standing(newest), strict=True)))
    held = _faults(later, later.id.index[later.status.eq(QUARANTINED)])
    # A code that looks like another one still tells whom it may be about.
    unread = {row: [one["field"] for one in faults if one["reason"] != LOOKS_ALIKE] for row, faults in held.items()}
    doubtful = makes_count(later, pd.Index(held, dtype="int64"), end, unread)
    lines = [edit for edit in edits if edit.table == later.schema.name and edit.was is not None]
    was = as_they_were(later.records, later.schema, lines)
    edited = makes_count(was, was.raw.index, end)
    return [
        _missed(was, {row: f"{lines[row].what}; {makes}" for row, makes in edited.items()}, EDITED),
        _missed(later, {row: f"{what_is_wrong(held[row])}; {makes}" for row, makes in doubtful.items()}, QUARANTINED),
        _missed(later, {row: f"{words}; {older[row]}" for row, words in replaced.items()}, SUPERSEDED),
        _missed(later, {row: f"{_how_far(later, row, days)}; {makes}" for row, makes in late.items()}, OUT_OF_PERIOD),
    ]
