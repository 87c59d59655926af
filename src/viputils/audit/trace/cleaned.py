"""The records behind a figure, and how each was cleaned: how it was read, what it replaced, what repeats it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from viputils.audit.record_history import pair_rows
from viputils.audit.trace.rows import PLACE, LookedAt, Rows
from viputils.config.tables import DELIVERY
from viputils.core.text import folded
from viputils.records.account import DUPLICATE, KEPT, QUARANTINED, SUPERSEDED
from viputils.records.crosswalks import as_counted


def listed_records(looked_at: LookedAt, members: pd.DataFrame, cleaning: pd.Series) -> pd.DataFrame:
    """Return the records behind a figure: the place, amount and cleaning of each."""
    rows = looked_at.table.kept[members.index]
    found = looked_at.table.places(rows).assign(amount=members["amount"].to_numpy(dtype="int64"))
    if looked_at.once is not None:
        found = found.assign(counted_once_as=members["once"].to_numpy())
    if looked_at.follow_up is not None:
        later = looked_at.follow_up.first(looked_at.table, rows, looked_at.until)
        places = looked_at.follow_up.table.places(pd.Index(later.astype("int64")))
        found = found.assign(**{f"followed_by_{name}": places[name].to_numpy() for name in PLACE})
    return found.assign(cleaning=cleaning.loc[rows].to_numpy()).reset_index(drop=True)


def what_cleaning_did(looked_at: LookedAt, rows: Rows, versions: pd.DataFrame) -> pd.Series:
    """Return how each row was cleaned; an empty text if it was read as written."""
    table = looked_at.table
    said: dict[Any, list[str]] = {row: [] for row in rows}
    for column, rule in table.schema.table.columns.items():
        if rule.vocabulary is not None:
            for row, words in _read_as(looked_at, column, rule.vocabulary, rows).items():
                said[row].append(words)
    pairs = _told(looked_at, versions.loc[versions["stands"].isin(rows)])
    for (_, stands), words in zip(pairs, table.what_they_were(pairs), strict=True):
        if words:
            said[stands].append(words)
    return pd.Series({row: "; ".join(words) for row, words in said.items()}, index=rows, dtype="str")


def _read_as(looked_at: LookedAt, column: str, vocabulary: str, rows: Rows) -> dict[Any, str]:
    """Return how a text was read and counted, if it differs from the value."""
    table, program = looked_at.table, looked_at.table.records.program
    typed = table.typed.loc[rows]
    counted_as = as_counted(program, table.schema.name, column, typed, looked_at.month)
    texts = pd.concat([table.written(column, rows), typed[column].astype("str"), counted_as.astype("str")], axis=1)
    texts = texts.set_axis(["text", "value", "as"], axis="columns").dropna()
    crosswalks = [one for one in program.crosswalks_of(vocabulary) if one.in_issue(looked_at.month)]

    def words(text: str, value: str, name: str) -> str:
        alias = folded(text) != folded(value)
        read = f'{column} "{text}" read as {value} (alias)' if alias else f"{column} {value}"
        if name == value:
            return read if alias else ""
        assumed = any(one.assumption for one in crosswalks if (one.value, one.counted_as) == (value, name))
        return f"{read}{',' if alias else ''} counted as {name} (crosswalk{', an assumption' if assumed else ''})"

    # Millions of rows have few distinct texts.
    number = texts.groupby(list(texts.columns), sort=False).ngroup()
    said = [words(*row) for row in texts.loc[~number.duplicated()].itertuples(index=False, name=None)]
    return {row: said[place] for row, place in number.items() if said[place]}


def older_versions(looked_at: LookedAt, counted: Rows) -> pd.DataFrame:
    """Pair older and repeated rows with the current row of the record, if there is one.

    Only records that count, or that would count with an older row.

    Returns
    -------
    DataFrame
        ``row`` and ``stands`` (the current row, missing if none); ``record``, the same for all rows of one record.
    """
    table = looked_at.table
    ids = table.id.loc[looked_at.would_count].tolist() + table.id.loc[counted].tolist()
    of_them = table.id.isin(set(ids)) & table.id.ne("")
    older = of_them & table.status.isin([SUPERSEDED, DUPLICATE])
    if not older.any():
        return pd.DataFrame({"row": [], "stands": [], "record": []}, dtype="float64")
    if table.schema.table.delivery == "incremental":
        rows = table.id.loc[older]
        return pd.DataFrame(
            {"row": rows.index, "stands": table.standing(rows.index).to_numpy(), "record": rows.to_numpy()}
        )

    # A snapshot repeats every record: only a changed or missing row is a difference.
    now = table.said(table.id.index[of_them & table.status.isin([KEPT, QUARANTINED])])
    repeated = table.id.index[older & table.status.eq(DUPLICATE)]
    parts = [pd.DataFrame({"row": repeated, "stands": table.standing(repeated).to_numpy(), "number": 0})]
    superseded = table.raw[DELIVERY].loc[older & table.status.eq(SUPERSEDED)]
    for delivery in superseded.unique():
        pairs = pair_rows(table.said(superseded.index[superseded.eq(delivery)]), now)
        pairs = pairs.loc[~pairs["same"] & pairs["before"].notna()].rename(columns={"before": "row", "after": "stands"})
        parts.append(pairs.assign(number=pairs.groupby("id").cumcount())[["row", "stands", "number"]])
    every = pd.concat(parts, ignore_index=True).astype({"row": "int64", "stands": "float64"})
    gone = every["row"].map(table.id).astype("str") + " " + every["number"].astype("str")
    return every.assign(record=gone.where(every["stands"].isna(), every["stands"].astype("str")))


def _told(looked_at: LookedAt, versions: pd.DataFrame) -> list[tuple[int, float]]:
    """Return the pairs to show, the oldest first; of snapshots only the newest row that differs."""
    versions = versions.sort_values("row")
    if looked_at.table.schema.table.delivery == "snapshot":
        repeats = versions["row"].map(looked_at.table.status).eq(DUPLICATE)
        versions = versions.loc[repeats | ~versions["record"].where(~repeats).duplicated(keep="last")]
    return list(versions[["row", "stands"]].itertuples(index=False, name=None))
