"""Sample data: how it differs from real records, and the error if both are in one project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.config.tables import FILE, LINE
from viputils.core.errors import DeliveryError, Problem
from viputils.records.account import CleanTable

# Up to this number, the records of the rarer kind are listed one by one.
_FEW: Final = 10


class MixedError(DeliveryError):
    """Sample data and real records are in the same deliveries.

    Parameters
    ----------
    few
        The rows of the rarer kind, with table, file, line and id.
    demonstration, total
        The number of records of sample data and of all records.
    """

    def __init__(self, few: pd.DataFrame, demonstration: int, total: int, prefix: str, more: str = "") -> None:
        self.few, self._counts, self._prefix = few, (demonstration, total), prefix
        begins, others = ("begins", "do not") if len(few) == demonstration else ("does not begin", "do")
        problems = [
            Problem(
                f"{row.file}, line {row.line}",
                f"the id '{row.id}' {begins} with '{prefix}', and {total - len(few):,} others {others};",
                "correct the id, or remove the row.",
            )
            for row in few.itertuples()
        ]
        if len(few) > _FEW:
            what = f"{demonstration:,} of {total:,} ids begin with '{prefix}';"
            remedy = "remove the deliveries of sample data before you add real ones."
            problems = [Problem("data/raw", what, remedy)]
        super().__init__(f"Sample data and real records are in the same deliveries.{more}", problems)

    def before_it_was_written(self, few: pd.DataFrame) -> MixedError:
        """Return the error for a delivery that was not written yet, with the places of the rows in the files sent."""
        return MixedError(few, *self._counts, self._prefix, " Nothing was written.")


def require_one_kind(program: Program, tables: Mapping[str, CleanTable]) -> None:
    """Raise ``MixedError`` if some records are sample data and others are not."""
    demonstration = demonstration_count(program, tables)
    total = sum(len(table.rows) for table in tables.values())
    if demonstration not in (0, total) and program.demonstration is not None:
        raise MixedError(_rarer_kind(program, tables), demonstration, total, program.demonstration.id_prefix)


def _rarer_kind(program: Program, tables: Mapping[str, CleanTable]) -> pd.DataFrame:
    """Return the records of sample data or the others, whichever are fewer, with table, file, line and id."""
    parts = []
    for name, table in tables.items():
        rows = table.rows[[FILE, LINE]].assign(file=table.rows[FILE].astype("str"), table=name)
        parts.append(rows.assign(id=table.rows[program.tables[name].id], is_made=_is_demonstration(program, table)))
    every = pd.concat(parts, ignore_index=True)
    few = every["is_made"].sum() * 2 < len(every)
    return every.loc[every["is_made"].eq(few)].drop(columns="is_made")


def demonstration_count(program: Program, tables: Mapping[str, CleanTable]) -> int:
    """Return the number of records of sample data."""
    if program.demonstration is None:
        return 0
    return sum(int(_is_demonstration(program, table).sum()) for table in tables.values())


def _is_demonstration(program: Program, table: CleanTable) -> pd.Series:
    """Flag the rows whose id has the prefix of ``[demonstration]`` in program.toml."""
    # Upper and lower case are the same here: sample data must not pass for real records.
    prefix = re.compile(re.escape(program.demonstration.id_prefix if program.demonstration else ""), re.IGNORECASE)
    return table.rows[program.tables[table.name].id].str.match(prefix)
