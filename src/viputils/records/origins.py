"""The place of a delivered row in the file that the agency sent."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import pandas as pd

from viputils.config.tables import FILE, LINE
from viputils.core.spreadsheet import original
from viputils.records.deliveries import ORIGINS, Delivery


def where_sent(deliveries: Sequence[Delivery], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the file, sheet and row that delivered rows had in the files sent, if intake recorded them.

    Parameters
    ----------
    rows
        Rows with ``file``, ``table`` and ``line``.

    Returns
    -------
    DataFrame
        ``sent_file``, ``sent_sheet`` and ``sent_row`` as text, with the same index.
    """
    runs = {one.name: _read_origins(one) for one in deliveries if rows[FILE].str.startswith(f"{one.name}/").any()}
    found = []
    for file, table, line in zip(rows[FILE], rows["table"], rows[LINE], strict=True):
        first = [
            (run["file"], run["sheet"], str(int(run["row"]) + int(line) - int(run["line"])))
            for run in runs.get(file.rpartition("/")[0], [])
            if run["table"] == table and 0 <= int(line) - int(run["line"]) < int(run["rows"])
        ]
        found.append(first[0] if first else ("", "", ""))
    return pd.DataFrame(found, index=rows.index, columns=["sent_file", "sent_sheet", "sent_row"], dtype="str")


def _read_origins(delivery: Delivery) -> list[dict[str, str]]:
    path = delivery.folder / ORIGINS
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: original(value) for key, value in row.items()} for row in csv.DictReader(file)]
