"""Two figures tables: reading them from CSV, and the figures that differ between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

from viputils.core.csv_rows import csv_rows
from viputils.core.errors import Problem, PublishedError
from viputils.figures.counts import COLUMNS, KEY, key_text

MOVED: Final = "moved"
ADDED: Final = "added"
REMOVED: Final = "removed"

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the figures that differ between two figures tables.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``period``, ``before``, ``after``, ``change``, ``what``: one row for each figure
        that differs, in the order of ``after``, with removed figures at the end.
    """
    keys = pd.concat([after[KEY], before[KEY]], ignore_index=True).drop_duplicates()
    table = keys
    for name, side in (("before", before), ("after", after)):
        values = side[COLUMNS].rename(columns={"value": name}).astype({name: "Int64"})
        table = table.merge(values, on=KEY, how="left", validate="one_to_one")
    table = table.assign(change=table["after"] - table["before"], what=MOVED)
    table["what"] = table["what"].mask(table["before"].isna(), ADDED).mask(table["after"].isna(), REMOVED)
    return table.loc[table["change"].ne(0).fillna(True)].reset_index(drop=True)


def is_printed(key: tuple[str, ...], printed: Mapping[str, frozenset[str]]) -> bool:
    """Return whether issues print a figure; a measure that no program.toml declares counts as printed."""
    measure, _, period = key
    return measure not in printed or period in printed[measure]


def read_figures(text: str, name: str) -> pd.DataFrame:
    """Read a figures table from the CSV that ``vip figures --csv`` prints and figures.csv contains.

    Raises
    ------
    PublishedError
        If a line is invalid; lists all of them. ``name`` is the source that the messages name.
    """
    lines, problems = csv_rows(text, name, COLUMNS)
    rows: dict[tuple[str, ...], int] = {}
    for number, row in lines:
        where = f"{name}, line {number}"
        *parts, value = row.values()
        key = tuple(parts)
        if not _WHOLE.fullmatch(value):
            problems.append(Problem(where, f"{value!r} is not a whole number;", "write digits only, as in 2599."))
        elif key in rows:
            problems.append(Problem(where, f"{key_text(key)!r} occurs twice;", "keep one of them."))
        else:
            rows[key] = int(value)
    if problems:
        raise PublishedError("Figures cannot be read.", problems)
    table = pd.DataFrame([(*key, value) for key, value in rows.items()], columns=COLUMNS)
    return table.astype({**dict.fromkeys(KEY, "str"), "value": "int64"})
