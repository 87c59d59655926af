"""The account of a table: what became of each of its rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Final

import pandas as pd

from viputils.config.tables import FILE, LINE
from viputils.core.errors import BalanceError
from viputils.core.text import plural

KEPT: Final = "kept"
SUPERSEDED: Final = "superseded"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"
STATUSES: Final = (KEPT, SUPERSEDED, DUPLICATE, QUARANTINED)

QUARANTINE_COLUMNS: Final = ("table", "file", "line", "id", "field", "reason", "value", "nearest", "remedy")


@dataclass(frozen=True)
class CleanTable:
    """One table after cleaning.

    Attributes
    ----------
    rows
        The kept rows: dates as ``datetime64[s]``, categories as ordered ``category`` in printed order, counts as
        ``Int64``, flags as ``boolean``, codes and ids as ``str``; plus ``received``, ``file`` and ``line``.
    ledger
        One row for each delivered row: ``file``, ``line``, ``id`` and its ``status``.
    quarantine
        One row for each fault of a quarantined row, with its reason code and a remedy.
    """

    name: str
    rows: pd.DataFrame
    ledger: pd.DataFrame
    quarantine: pd.DataFrame

    @property
    def account(self) -> dict[str, int]:
        """The number of rows read, and of each status."""
        counts = self.ledger["status"].value_counts()
        return {"read": len(self.ledger), **{status: int(counts.get(status, 0)) for status in STATUSES}}


def require_balance(table: CleanTable) -> None:
    """Raise ``BalanceError`` if a row that was read has no status: a fault of this software, never of the records."""
    account = table.account
    out = sum(account[status] for status in STATUSES)
    held = table.quarantine[[FILE, LINE]].drop_duplicates().shape[0] if len(table.quarantine) else 0
    kept_or_held = len(table.rows) + held
    if out != account["read"] or kept_or_held != account[KEPT] + account[QUARANTINED]:
        raise BalanceError(
            f"{table.name}: {account['read']} rows were read and {out} came out. This is a fault of viputils."
        )


def account_line(account: pd.DataFrame, as_of: dt.date) -> str:
    """Return the number of rows of each status in one line."""
    totals = {name: int(account[name].sum()) for name in account.columns if name != "table"}
    return (
        f"{plural(totals['read'], 'row')} read as of {as_of} = {totals['kept']:,} kept"
        f" + {totals['superseded']:,} superseded + {totals['duplicate']:,} duplicate"
        f" + {totals['quarantined']:,} quarantined"
    )


def no_quarantine() -> pd.DataFrame:
    """Return a quarantine without rows."""
    return _no_quarantine().copy()


@cache
def _no_quarantine() -> pd.DataFrame:
    return pd.DataFrame(columns=list(QUARANTINE_COLUMNS), dtype="str").astype({LINE: "int64"})
