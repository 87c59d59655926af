"""Two windows of months side by side: counts, changes, and the ratio of rates with its interval."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from viputils.config.program import Program
from viputils.core.months import ReportMonth
from viputils.core.text import plural
from viputils.core.windows import Window, require_comparable
from viputils.figures.assessment import counts_of, for_sums
from viputils.figures.series import is_of_events, known_counts, known_months
from viputils.figures.stats.intervals import LEVEL, ratio, ratio_text
from viputils.figures.stats.shifts import course
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
        is below 20), ``ratio`` of the first rate per day to the second, and its interval from ``low`` to ``high``
        (only for counts of records with an id of their own). It is exact if chance explains the months, or else wider.
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
        written["ratio"], low, high = (
            rows[name].map(ratio_text, na_action="ignore") for name in ("ratio", "low", "high")
        )
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
    is_counted = table["measure"].map(lambda name: is_of_events(program, name))
    known = table[["first", "second"]].where(is_counted).astype("float64")
    vary = _dispersions(records, table.loc[is_counted, "measure"].unique(), max(first.last, second.last))
    bounds = [
        _interval(one, other, first, second, level, vary.get((name, category), 1.0))
        for name, category, one, other in zip(
            table["measure"], table["category"], known["first"], known["second"], strict=True
        )
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


def _dispersions(records: Records, measures: Iterable[str], until: ReportMonth) -> dict[tuple[str, str], float]:
    """Return the dispersion of the months of each measure and category up to a month.

    That of a category is its share of that of the whole, or its own if that is larger.
    """
    found: dict[tuple[str, str], float] = {}
    for name in measures:
        known = known_months(records, name)
        if not known:
            continue
        counts = counts_of(records, min(until, known[-1]), name)
        total = counts.sum(axis="columns", skipna=False)
        excess = course(total).dispersion - 1
        for category in counts:
            share = float(counts[category].sum() / total.sum()) if total.sum() else 0.0
            found[name, str(category)] = max(course(counts[category]).dispersion, 1 + excess * share)
    return found


def _interval(one: float, other: float, first: Window, second: Window, level: float, dispersion: float) -> Bounds:
    """Return the interval of a ratio of rates. Its upper limit is None if there is none.

    Counts whose months vary more than by chance tell as much as fewer events in less time.
    """
    if math.isnan(one) or math.isnan(other):
        return None, None
    of_first, of_second = (for_sums(dispersion) if len(window.months) > 1 else dispersion for window in (first, second))
    found = ratio(one / of_first, other / of_second, first.length / of_first, second.length / of_second, level)
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
            "A ratio is the first count per day divided by the second. Its interval is right 95 times in 100. It is "
            "exact if months vary only by chance, and wider if they vary more. If it includes 1, such variation can "
            "explain the difference."
        )
        yield "Even if nothing changed, about one interval in twenty leaves out 1."
    yield from _missing(found)


def _missing(found: Comparison) -> Iterator[str]:
    """Yield why something in the table is not available."""
    rows = found.figures
    first, second = rows["first"], rows["second"]
    is_known = first.notna() & second.notna()
    is_nothing = is_known & first.eq(0) & second.eq(0)
    reasons = {
        f"a percentage of a number below {SMALL}": is_known & second.lt(SMALL) & found.is_same_length,
        "a ratio to 0": is_known & second.eq(0),
        "an interval of 0 against 0": is_nothing,
    }
    if present := [text for text, flags in reasons.items() if flags.any()]:
        yield f"[x] means not available: {', or '.join(filter(None, [', '.join(present[:-1]), present[-1]]))}."
    if (is_known & ~is_nothing & rows["low"].isna()).any():
        yield "Sums, counts of people and counts of rows that share an id have no interval: it takes separate records."
    if not is_known.all():
        yield "A count is [x] if the category did not exist in that window, or its table was not delivered."
