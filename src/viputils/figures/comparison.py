"""Two windows of months side by side: counts, changes, and the ratio of rates with its interval."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.core.text import plural
from viputils.core.windows import Window, require_comparable
from viputils.figures.series import known_counts, known_months
from viputils.figures.stats.intervals import LEVEL, ratio
from viputils.records.clean import Records

# The methods page calls smaller numbers small. A change of one has no percentage.
SMALL: Final = 20

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Comparison:
    """Two windows of months side by side.

    Attributes
    ----------
    figures
        One row for each measure and category: ``measure``, ``category``, ``first`` and ``second`` (``Int64``, missing
        if unknown), ``change`` and ``percent`` (missing for windows of different length; ``percent`` also if ``second``
        is below 20), ``ratio`` of the first rate per day to the second, and its exact interval from ``low`` to
        ``high`` (only for counts of records).
    """

    first: Window
    second: Window
    as_of: dt.date
    figures: pd.DataFrame

    @property
    def is_same_length(self) -> bool:
        """Whether both windows have the same number of months."""
        return len(self.first.months) == len(self.second.months)

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The figures as text, under the windows, for people. What is missing is ``[x]``."""
        rows, written = self.figures, {}
        for column, window in (("first", self.first), ("second", self.second)):
            written[str(window)] = rows[column].map("{:,}".format, na_action="ignore")
        if self.is_same_length:
            written["change"] = rows["change"].map("{:+,}".format, na_action="ignore").replace("+0", "0")
            written["percent"] = rows["percent"].map("{:+.1f}%".format, na_action="ignore").replace("+0.0%", "0.0%")
        written["ratio"] = rows["ratio"].map("{:.2f}".format, na_action="ignore")
        low, high = (rows[side].map("{:.2f}".format, na_action="ignore") for side in ("low", "high"))
        written["interval"] = (low + " to " + high).fillna(low + " or more")
        columns = pd.DataFrame({name: column.astype("object") for name, column in written.items()})
        return pd.concat([rows[["measure", "category"]], columns.where(columns.notna(), "[x]")], axis="columns")

    @property
    def notes(self) -> list[str]:
        """What a reader should know."""
        return list(_notes(self))


def compare_windows(records: Records, first: Window, second: Window, level: float = LEVEL) -> Comparison:
    """Compare two windows of months.

    Raises
    ------
    ParameterError
        If they overlap, or have months that were not over or not delivered, or before the records.
    """
    program = records.program
    names = _measures(program)
    delivered = {month for name in names for month in known_months(records, name)}
    require_comparable(first, second, delivered)
    spans = {"first": first.days, "second": second.days}
    counts = known_counts(records, max(first.last, second.last), names, spans)
    keys = dict.fromkeys((name, category) for name in names for one, category, _ in counts if one == name)
    table = pd.DataFrame(list(keys), columns=["measure", "category"], dtype="str")
    for key in spans:
        table[key] = pd.array([counts.get((*row, key)) for row in keys], dtype="Int64")
    rates = table["first"].div(first.length) / (table["second"].where(table["second"].gt(0)).div(second.length))
    is_same_length = len(first.months) == len(second.months)
    change = (table["first"] - table["second"]).where(pd.Series(is_same_length, index=table.index))
    percent = (100 * change / table["second"]).where(table["second"].ge(SMALL)).astype("Float64").round(1)
    is_counted = table["measure"].map(lambda name: program.measures[name].count == "rows")
    known = table[["first", "second"]].where(is_counted).astype("float64")
    bounds = [
        _interval(one, other, first, second, level) for one, other in zip(known["first"], known["second"], strict=True)
    ]
    table = table.assign(change=change, percent=percent, ratio=rates.astype("Float64").round(3))
    for place, side in enumerate(("low", "high")):
        table[side] = pd.array(
            [None if (bound := one[place]) is None else round(bound, 3) for one in bounds], dtype="Float64"
        )
    return Comparison(first, second, records.as_of, table)


def _measures(program: Program) -> list[str]:
    """Return the measures without a breakdown, and the breakdowns of the report."""
    whole = [name for name, measure in program.measures.items() if measure.by is None]
    return [*whole, *program.report.breakdowns]


def _interval(one: float, other: float, first: Window, second: Window, level: float) -> Bounds:
    """Return the exact interval of a ratio of rates. Its upper limit is None if there is none."""
    if math.isnan(one) or math.isnan(other):
        return None, None
    found = ratio(one, other, first.length, second.length, level)
    if found is None:
        return None, None
    return found.low, found.high if math.isfinite(found.high) else None


def _notes(found: Comparison) -> Iterator[str]:
    one, other = (len(window.months) for window in (found.first, found.second))
    if not found.is_same_length:
        yield (
            f"The windows differ in length: {plural(one, 'month')} and {plural(other, 'month')}. "
            "So there is no change in number or percent, and the ratio compares counts per day."
        )
    if {month.month for month in found.first.months} != {month.month for month in found.second.months}:
        yield "The windows are not the same months of the year, so a season can explain a difference."
    if found.figures["low"].notna().any():
        yield (
            "A ratio is the first count per day divided by the second. Its interval is exact, and right 95 times in "
            "100 if only chance moves the counts. If it includes 1, chance can explain the difference."
        )
        yield "Even if nothing changed, about one interval in twenty leaves out 1."
    if found.figures[["low", "ratio", "percent"]].isna().to_numpy().any():
        yield (
            f"[x] means not available: a percentage of a number below {SMALL}, a ratio to 0, or an interval of what is "
            "no count of records."
        )
