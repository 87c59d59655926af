"""Data quality: how complete and timely the records are, and what happened to every delivered row.

The numbers are for each table, or for each of its deliveries. They never name a record or show its values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from viputils.config.program import Measure, Program
from viputils.config.tables import DELIVERY, FILE, LINE, VOIDS
from viputils.core.errors import ParameterError, Problem, nearest
from viputils.core.months import ReportMonth
from viputils.figures import vintages
from viputils.figures.series import known_months
from viputils.records.account import DUPLICATE, KEPT, QUARANTINED, SUPERSEDED, CleanTable
from viputils.records.clean import HasRecords, Records, records_of

By = Literal["table", "delivery"]

WITHDRAWN: Final = "withdrawn"
OUTCOMES: Final = (KEPT, SUPERSEDED, DUPLICATE, WITHDRAWN, QUARANTINED)

# The last day of each range of delays. One more range is open-ended.
DELAYS: Final = (7, 14, 31, 62)

_AFTER_RECEIPT: Final = "date_after_receipt"
_MISSING: Final = ("missing_id", "missing_value")
# The columns that name the table, or the delivery of a table.
_TYPES: Final[Mapping[By, dict[str, str]]] = {
    "table": {"table": "str"},
    "delivery": {"table": "str", "delivery": "str", "received": "datetime64[s]"},
}

# The columns on delays, in order.
_TIMES: Final = {
    **dict.fromkeys(("records", "with_first", "date_moved", "timed"), "int64"),
    **dict.fromkeys(("shortest", "median", "most", "longest", "within_7", "within_31"), "float64"),
    "refused": "int64",
}


def account(records: Records | HasRecords, table: str | None = None, by: By = "table") -> pd.DataFrame:
    """Return what happened to every delivered row, including voids.

    A row is kept, a duplicate of an earlier row, superseded by a later row of the same record, withdrawn (by a void, or
    because the next snapshot no longer has it), or in quarantine.

    Parameters
    ----------
    table
        Only this one.
    by
        One row for each ``table``, or for each ``delivery`` with a file of it.

    Returns
    -------
    DataFrame
        ``table`` (``str``); by delivery also ``delivery`` (its name, ``str``) and the day ``received``
        (``datetime64[s]``); ``delivered``, ``kept``, ``superseded``, ``duplicate``, ``withdrawn`` and ``quarantined``
        (``int64``: rows). The last five add up to ``delivered``.

    Raises
    ------
    ParameterError
        If the table does not exist, or ``by`` is invalid.
    """
    records = records_of(records)
    _require_by(by)
    parts = []
    for name in _names(records, table, with_voids=True):
        rows = _outcomes(records, name)
        counts = pd.crosstab(rows[DELIVERY], rows["status"]).reindex(columns=list(OUTCOMES), fill_value=0)
        counts.insert(0, "delivered", rows.groupby(DELIVERY).size())
        parts.append(_by_delivery(records, name, by, counts))
    return pd.concat(parts, ignore_index=True)


def completeness(records: Records | HasRecords, table: str | None = None, by: By = "table") -> pd.DataFrame:
    """Return how many kept rows have a value in each optional column.

    Parameters
    ----------
    table, by
        As ``account``. A row counts for the delivery of its current version.

    Returns
    -------
    DataFrame
        ``table`` (by delivery also ``delivery`` and ``received``) and ``column`` (``str``), ``rows`` and ``filled``
        (``int64``), ``share`` (``float64``, missing if there is no row). Tables without optional columns
        are left out.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    _require_by(by)
    parts = []
    for name in _names(records, table):
        rows = records.tables[name].rows
        for column in [column for column, rule in records.program.tables[name].columns.items() if not rule.required]:
            filled = rows[column].notna().groupby(rows[DELIVERY])
            counts = pd.DataFrame({"rows": filled.size(), "filled": filled.sum()})
            parts.append(_by_delivery(records, name, by, counts).assign(column=column))
    types = _TYPES[by] | {"column": "str", "rows": "int64", "filled": "int64"}
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(types))
    found = found[list(types)].astype(types)
    return found.assign(share=_share(found["filled"], found["rows"]))


def coverage(records: Records | HasRecords, table: str | None = None) -> pd.DataFrame:
    """Count the kept rows of each finished month that the deliveries cover.

    A month with 0 rows had no events, or was forgotten. Only the agency knows which.

    Returns
    -------
    DataFrame
        ``table`` and ``month`` (``str``, ``YYYY-MM``), ``rows`` (``int64``); one row for each table and month.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    names = _names(records, table)
    counting = dataclasses.replace(records, program=_counting_rows(records.program))
    parts = []
    for name in names:
        months = [str(month) for month in known_months(counting, name)]
        counts = vintages.rows_by_month(records, name, months)
        parts.append(pd.DataFrame({"table": name, "month": months, "rows": counts.to_numpy()}))
    return pd.concat(parts, ignore_index=True).astype({"table": "str", "month": "str", "rows": "int64"})


def missing_months(records: Records | HasRecords, until: ReportMonth, table: str | None = None) -> pd.DataFrame:
    """Count the months that each table was delivered for, and those that it was not.

    Parameters
    ----------
    until
        The last month that is expected.

    Returns
    -------
    DataFrame
        ``table`` (``str``); ``months`` (all since the records begin), ``delivered``, ``missing`` and ``without_rows``
        (those that were delivered without a row), all ``int64``.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    start = records.program.identity.records_from
    first = ReportMonth.of(start) if start.day == 1 else ReportMonth.of(start).plus(1)
    months = [str(month) for month in first.until(until)]
    found = coverage(records, table)
    found = found.loc[found["month"].isin(months)]
    groups = found.assign(without=found["rows"].eq(0)).groupby("table")["without"].agg(["size", "sum"])
    names = _names(records, table)
    delivered, without = (groups[column].reindex(names, fill_value=0).to_numpy() for column in ("size", "sum"))
    counts = {
        "months": len(months),
        "delivered": delivered,
        "missing": len(months) - delivered,
        "without_rows": without,
    }
    return pd.DataFrame({"table": names, **counts}).astype({"table": "str", **dict.fromkeys(counts, "int64")})


def missing_required(records: Records | HasRecords, table: str | None = None) -> pd.DataFrame:
    """Count the current rows that lack their id or a value of a required column. They are in quarantine.

    Returns
    -------
    DataFrame
        ``table`` (``str``), ``rows`` (kept or in quarantine) and ``lacking``, both ``int64``.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    parts = []
    for name in _names(records, table):
        clean = records.tables[name]
        lacking = clean.quarantine.loc[clean.quarantine["reason"].isin(_MISSING), [FILE, LINE]].drop_duplicates()
        rows = int(clean.ledger["status"].isin((KEPT, QUARANTINED)).sum())
        parts.append((name, rows, len(lacking)))
    found = pd.DataFrame(parts, columns=["table", "rows", "lacking"])
    return found.astype({"table": "str", "rows": "int64", "lacking": "int64"})


def days_to_complete(records: Records | HasRecords, until: ReportMonth) -> pd.DataFrame:
    """Return how many days after its end the last table of each month arrived.

    The first delivery can bring many earlier months at once. Only the newest one of them is here.

    Parameters
    ----------
    until
        The last month that counts.

    Returns
    -------
    DataFrame
        ``month`` (``str``, ``YYYY-MM``) and ``days`` (``int64``), in order.
    """
    records = records_of(records)
    deliveries = records.received.deliveries
    complete = vintages.complete_months(deliveries, records.program)
    early = [month for month, day in complete.items() if day == deliveries[0].received][:-1]
    rows = [
        (str(month), (day - month.span.end).days)
        for month, day in complete.items()
        if month <= until and month not in early
    ]
    return pd.DataFrame(rows, columns=["month", "days"]).astype({"month": "str", "days": "int64"})


def timeliness(records: Records | HasRecords, table: str | None = None, by: By = "table") -> pd.DataFrame:
    """Return how many days after its date each record was first received.

    Records in the first delivery of a table are counted separately, because they could not have arrived earlier. So are
    records whose date was corrected to a day after their first receipt. Cleaning puts rows that are dated after their
    receipt into quarantine.

    Parameters
    ----------
    table, by
        As ``account``. A record counts for the delivery in which it first arrived.

    Returns
    -------
    DataFrame
        ``table`` (by delivery also ``delivery`` and ``received``); ``records`` kept, including ``with_first`` and
        ``date_moved`` (counted separately) and ``timed``, the rest (``int64``). For the rest: ``shortest``,
        ``median``, ``most`` (the days within which nine in ten arrived) and ``longest``, ``within_7`` and ``within_31``
        (shares), all ``float64`` and missing if there are none. ``refused`` (``int64``): rows in quarantine because
        they are dated after their receipt.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    names = _names(records, table)
    _require_by(by)
    held = quarantine(records, table)
    held = held.loc[held["reason"].eq(_AFTER_RECEIPT)]
    parts = []
    for name in names:
        received = first_receipts(records, name)
        rows = held.loc[held["table"].eq(name)]
        refused = rows.groupby(_places(records)[rows["delivery"]].to_numpy())["rows"].sum()
        if by == "delivery":
            places = list(records.received.tables[name].delivered)
            groups = [(received.loc[received[DELIVERY].eq(place)], int(refused.get(place, 0))) for place in places]
            origin = _origin(records, name, places)
        else:
            groups = [(received, int(refused.sum()))]
            origin = pd.DataFrame({"table": [name]})
        times = [_times(group, number) for group, number in groups]
        parts.append(origin.join(pd.DataFrame(times, origin.index, columns=list(_TIMES))))
    return pd.concat(parts, ignore_index=True).astype(_TYPES[by] | _TIMES)


def first_receipts(records: Records | HasRecords, table: str) -> pd.DataFrame:
    """Return when each kept record was first received, in any version.

    If rows share an id (``one_row_per_id = false``), the second row was first received with the first delivery that had
    two of them, and so on.

    Returns
    -------
    DataFrame
        One row for each record: its current ``date`` and ``received`` (``datetime64[s]``), ``delivery`` (the position
        of that delivery in order of receipt), ``days`` from date to receipt (``int64``, negative if the date was
        corrected later) and ``with_first`` (``bool``: it was in the first delivery of the table).

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    _names(records, table)
    rule, raw, clean = records.program.tables[table], records.received.tables[table], records.tables[table]
    rows = pd.DataFrame({"id": clean.ledger["id"], DELIVERY: raw.rows[DELIVERY]})
    number = 0 if rule.one_row_per_id else rows.groupby(["id", DELIVERY], sort=False).cumcount()
    rows = rows.assign(number=number)
    first = rows.groupby(["id", "number"], sort=False)[DELIVERY].transform("min")
    place = first.loc[clean.ledger["status"].eq(KEPT)].to_numpy()
    days = pd.Series([one.received for one in records.received.deliveries], dtype="datetime64[s]")
    date = clean.rows[rule.date].reset_index(drop=True)
    received = days.take(place).reset_index(drop=True)
    return pd.DataFrame(
        {
            "date": date,
            "received": received,
            DELIVERY: place,
            "days": (received - date).dt.days.astype("int64"),
            "with_first": place == min(raw.delivered, default=-1),
        }
    )


def delays(records: Records | HasRecords, table: str | None = None) -> pd.DataFrame:
    """Count the records that ``timeliness`` times by their delay in days.

    Returns
    -------
    DataFrame
        ``table`` (``str``), ``low`` (``int64``) and ``high`` (``Int64``: the days, both included; missing if the
        range is open-ended), ``records`` (``int64``) and ``share`` (``float64``, missing if there are no records).

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    parts = []
    for name in _names(records, table):
        days = _timed(first_receipts(records, name))["days"]
        span = np.searchsorted(DELAYS, days)
        counts = pd.Series(span).value_counts().reindex(range(len(DELAYS) + 1), fill_value=0)
        parts.append(
            pd.DataFrame(
                {
                    "table": pd.Series(name, range(len(counts)), dtype="str"),
                    "low": [0, *(last + 1 for last in DELAYS)],
                    "high": pd.array([*DELAYS, pd.NA], dtype="Int64"),
                    "records": counts.astype("int64"),
                    "share": _share(counts, pd.Series(len(days), counts.index)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def quarantine(records: Records | HasRecords, table: str | None = None) -> pd.DataFrame:
    """Count the rows in quarantine by file, column and reason, without their values.

    Returns
    -------
    DataFrame
        ``table``, ``delivery``, ``file``, ``field`` and ``reason`` (``str``), ``rows`` (``int64``); in order of the
        tables and files. A row with several errors counts for each of them, so the rows do not add up.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    key = ["table", "delivery", "file", "field", "reason"]
    parts = []
    for name in _names(records, table, with_voids=True):
        held = _clean(records, name).quarantine
        files = {one.name_of(name): one.name for one in records.received.deliveries if name in one.files}
        parts.append(held.assign(delivery=held["file"].map(files)))
    held = pd.concat(parts, ignore_index=True).astype(dict.fromkeys(key, "str"))
    faults = held.drop_duplicates([*key, LINE])
    return faults.groupby(key, sort=False).size().astype("int64").rename("rows").reset_index()


def revisions(records: Records | HasRecords, table: str | None = None) -> pd.DataFrame:
    """Compare the first record count of each month with its count at each later age, for each table.

    Returns
    -------
    DataFrame
        As from ``vintages.revisions``, with the name of the table as the ``measure``. Use it with ``vintages.by_age``
        and ``vintages.newest``.

    Raises
    ------
    ParameterError
        As ``account``.
    """
    records = records_of(records)
    return vintages.revisions(vintages.table_vintages(records, _names(records, table)))


def _counting_rows(program: Program) -> Program:
    """Return the program with one measure for each table, which counts its rows."""
    measures = {name: Measure(label=rule.title, table=name, count="rows") for name, rule in program.tables.items()}
    return program.model_copy(update={"measures": measures})


def _outcomes(records: Records, name: str) -> pd.DataFrame:
    """Return every row of a table with its ``delivery`` and its outcome (``status``)."""
    rows = _clean(records, name).ledger.assign(**{DELIVERY: records.received.tables[name].rows[DELIVERY]})
    status = rows["status"].astype(pd.CategoricalDtype(list(OUTCOMES)))
    return rows.assign(status=status.mask(_withdrawn(records, name, rows), WITHDRAWN))[[DELIVERY, "status"]]


def _withdrawn(records: Records, name: str, rows: pd.DataFrame) -> pd.Series:
    """Flag the superseded rows that no later row of their record replaced."""
    none = pd.Series(False, rows.index)
    superseded = rows.loc[rows["status"].eq(SUPERSEDED), ["id", DELIVERY]]
    if superseded.empty or name == VOIDS.name:
        return none
    rule = records.program.tables[name]
    voids = records.voids.rows
    voids = voids.loc[voids["voided_table"].eq(name), ["voided_id", DELIVERY]]
    # A void withdraws the rows received by then, so each row belongs to the next void of its record.
    closed = pd.merge_asof(
        superseded.reset_index(names="row").sort_values([DELIVERY, "row"]),
        # If there are no voids, the columns have no fixed type.
        voids.assign(closed=voids[DELIVERY]).sort_values(DELIVERY).astype({"voided_id": "str"}),
        on=DELIVERY,
        left_by="id",
        right_by="voided_id",
        direction="forward",
    ).set_index("row")
    closed = closed.loc[closed["closed"].notna()]
    newest = closed.groupby(["id", "closed"], sort=False)[DELIVERY].transform("max")
    last = closed.loc[closed[DELIVERY].eq(newest)]
    if rule.one_row_per_id:
        last = last.loc[~last.duplicated(["id", "closed"], keep="last")]
    withdrawn = none.mask(none.index.isin(last.index), True)
    if rule.delivery == "snapshot":
        withdrawn |= _gone(rows[["id", DELIVERY]], records.received.tables[name].delivered, rule.one_row_per_id)
    return withdrawn


def _gone(rows: pd.DataFrame, delivered: Iterable[int], one_row_per_id: bool) -> pd.Series:
    """Flag the rows of each snapshot that the next one no longer has.

    If rows share an id, the last ones are flagged, because it is unknown which of them are gone.
    """
    places = list(delivered)
    following = rows[DELIVERY].map(dict(pairwise(places)))
    number = rows.groupby(["id", DELIVERY], sort=False).size().rename("still").reset_index()
    keys = rows.assign(following=following.fillna(-1).astype("int64"))
    still = keys.merge(
        number, how="left", left_on=["id", "following"], right_on=["id", DELIVERY], suffixes=("", "_next")
    )["still"].fillna(0)
    still = still.set_axis(rows.index)
    before_it = rows.groupby(["id", DELIVERY], sort=False).cumcount()
    if one_row_per_id:
        is_last = ~rows.duplicated(["id", DELIVERY], keep="last")
        return following.notna() & is_last & still.eq(0)
    return following.notna() & before_it.ge(still)


def _timed(received: pd.DataFrame) -> pd.DataFrame:
    return received.loc[~received["with_first"] & received["days"].ge(0)]


def _times(received: pd.DataFrame, refused: int) -> dict[str, float]:
    """Summarize the first receipts of some records."""
    days = _timed(received)["days"]
    with_first = int(received["with_first"].sum())
    return {
        "records": len(received),
        "with_first": with_first,
        "date_moved": len(received) - with_first - len(days),
        "timed": len(days),
        "shortest": float(days.min()) if len(days) else float("nan"),
        "median": float(days.median()) if len(days) else float("nan"),
        # An observed number of days, not one interpolated between two.
        "most": float(np.quantile(days, 0.9, method="inverted_cdf")) if len(days) else float("nan"),
        "longest": float(days.max()) if len(days) else float("nan"),
        "within_7": float(days.le(7).mean()) if len(days) else float("nan"),
        "within_31": float(days.le(31).mean()) if len(days) else float("nan"),
        "refused": refused,
    }


def _by_delivery(records: Records, name: str, by: By, counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of a table for each delivery with a file of it, even an empty one, or their total.

    Parameters
    ----------
    counts
        Numbers of rows, indexed by the position of the delivery.
    """
    places = list(records.received.tables[name].delivered)
    found = counts.rename_axis(columns=None).reindex(places, fill_value=0).astype("int64")
    if by == "table":
        return found.sum().to_frame().T.assign(table=name).astype(_TYPES[by])[["table", *found.columns]]
    return _origin(records, name, places).join(found.reset_index(drop=True))


def _origin(records: Records, name: str, places: Sequence[int]) -> pd.DataFrame:
    """Return a row with the names of the table and the delivery for each delivery."""
    deliveries = [records.received.deliveries[place] for place in places]
    origin = pd.DataFrame(
        {
            "table": name,
            "delivery": [one.name for one in deliveries],
            "received": [one.received for one in deliveries],
        }
    )
    return origin.astype(_TYPES["delivery"])


def _places(records: Records) -> pd.Series:
    """Return the position of each delivery in order of receipt, by its name."""
    names = [one.name for one in records.received.deliveries]
    return pd.Series(range(len(names)), names, dtype="int64")


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.astype("float64").div(whole.where(whole.gt(0)).astype("float64"))


def _clean(records: Records, name: str) -> CleanTable:
    return records.voids if name == VOIDS.name else records.tables[name]


def _names(records: Records, table: str | None, with_voids: bool = False) -> list[str]:
    """Return the requested tables, in the order of program.toml."""
    voids = [VOIDS.name] if with_voids and len(records.voids.ledger) else []
    every = [*records.tables, *voids]
    if table is None:
        return every
    _require_table([table], every)
    return [table]


def _require_table(names: Iterable[str], known: Iterable[str]) -> None:
    kept = list(known)
    problems = [
        Problem("table", f"{name!r} is not a table of this city;", nearest(name, kept) or f"tables: {listed}.")
        for listed in [", ".join(kept)]
        for name in names
        if name not in kept
    ]
    if problems:
        raise ParameterError("There is no such table.", problems)


def _require_by(by: str) -> None:
    if by not in get_args(By):
        problem = Problem("by", f"{by!r} is invalid;", f"write one of: {', '.join(get_args(By))}.")
        raise ParameterError("There is no such account.", [problem])
