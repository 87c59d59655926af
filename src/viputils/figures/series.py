"""Series: the count of a measure in each period, complete and tidy.

A month with no events is 0. A month is missing if the records begin later, or if it was not delivered by the as-of
date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from viputils.config.program import Program
from viputils.core.errors import ParameterError, Problem, closest, nearest
from viputils.core.months import ReportMonth, Span
from viputils.core.text import folded
from viputils.figures.counts import PERIODS, categories_of, counted_within, span_of, total
from viputils.records.clean import Records
from viputils.records.completeness import missing_tables, received_after
from viputils.records.values import Numbers

Frequency = Literal["month", "quarter", "fiscal_year", "fytd", "rolling_12"]
FREQUENCIES: Final[tuple[Frequency, ...]] = get_args(Frequency)
COLUMNS: Final = ("measure", "category", "start", "end", "value")

# The months in a period of each frequency.
_LENGTHS: Final = {"month": 1, "quarter": 3, "fiscal_year": 12}


def known_months(records: Records, measure: str | None = None) -> list[ReportMonth]:
    """Return the months whose counts are known, in order.

    These are the months since the records begin that were over by the as-of date, and whose tables were all delivered:
    the tables that the measure counts, or every table if no measure is given.

    Raises
    ------
    ParameterError
        If there is no such measure, with the nearest name.
    """
    program = records.program
    if measure is not None:
        require_measure(program, measure)
    needed = frozenset(program.tables) if measure is None else _tables_of(program, measure)
    return [month for month, tables in _known_tables(records).items() if needed <= tables]


def _known_tables(records: Records) -> dict[ReportMonth, set[str]]:
    """Return the complete tables of each month since the records begin that was over by the as-of date."""
    program, deliveries, as_of = records.program, records.received.deliveries, records.as_of
    first = ReportMonth.of(program.identity.records_from)
    if program.identity.records_from > first.span.start:
        first = first.plus(1)  # The count of a partly covered month is unknown.
    monthly = program.identity.delivered == "monthly"
    return {
        month: received_after(deliveries, program, month, as_of).keys()
        - (missing_tables(deliveries, program, month, as_of) if monthly else ())
        for month in first.until(ReportMonth.of(as_of).plus(-1))
    }


def series_of(
    records: Records,
    measure: str,
    category: str | None = None,
    freq: Frequency = "month",
    start: ReportMonth | None = None,
    end: ReportMonth | None = None,
) -> pd.DataFrame:
    """Count a measure over each period of a range.

    Parameters
    ----------
    measure
        A measure of program.toml.
    category
        One category of it; by default all. Categories are those of the issue of ``end``: values that had other names
        before are counted under their new names.
    freq
        ``month``, ``quarter`` (of the fiscal year), ``fiscal_year``, ``fytd`` (for each month the fiscal year up to its
        end), or ``rolling_12``: for each month the 12 months up to its end.
    start, end
        The first and the last month; by default the first and the last known month.

    Returns
    -------
    DataFrame
        ``measure`` and ``category`` (``str``, ``""`` without a breakdown), ``start`` and ``end`` of the period
        (``datetime64[s]``, both included) and ``value`` (``Int64``, missing if a month of the period is unknown);
        one row for each category and period that begins in the range, in order of the categories.

    Raises
    ------
    ParameterError
        If the measure, category or frequency does not exist, or if the range runs backwards or goes beyond the data.
    """
    require_measure(records.program, measure)
    return _series(records, known_months(records, measure), measure, category, freq, start, end)


def _series(
    records: Records,
    known: list[ReportMonth],
    measure: str,
    category: str | None = None,
    freq: Frequency = "month",
    start: ReportMonth | None = None,
    end: ReportMonth | None = None,
) -> pd.DataFrame:
    program = records.program
    require_frequency(freq)
    start, end = known_range(known, start, end)
    by_month = program.measures[measure].by == "month"
    spans = list(spans_of(program, freq, start, end))
    first = min([start.span.start, *(span.start for span in spans)])
    names = [""] if by_month else categories_of(program, measure, end, first)
    if category is not None:
        if category not in names:
            remedy = nearest(category, names) or (f"it has: {', '.join(names)}." if any(names) else "it has none.")
            raise ParameterError(
                "There is no such series.",
                [Problem("category", f"{measure} has no category {category!r};", remedy)],
            )
        names = [category]
    of_each = set(known)
    is_known = np.array([months_of(span) <= of_each for span in spans], dtype="bool")
    begins, ends = (
        np.array([getattr(span, name) for span in spans], dtype="datetime64[s]") for name in ("start", "end")
    )
    counts = _counts(records, measure, names, end, spans)
    return pd.DataFrame(
        {
            "measure": pd.Index([measure], dtype="str").repeat(counts.size),
            "category": pd.Index(names, dtype="str").repeat(len(spans)),
            "start": np.tile(begins, len(names)),
            "end": np.tile(ends, len(names)),
            "value": pd.arrays.IntegerArray(counts.ravel(), np.tile(~is_known, len(names))),
        }
    )


def every_measure(records: Records, end: ReportMonth) -> pd.DataFrame:
    """Count every measure month by month, up to ``end``.

    Returns
    -------
    DataFrame
        ``measure``, ``category`` and ``month`` (``YYYY-MM``) as ``str``, ``value`` as ``Int64``, missing if the
        month is unknown. Measures with no known month are left out.
    """
    program = records.program
    known_tables = _known_tables(records)
    parts = []
    for name, one in program.measures.items():
        needed = _tables_of(program, name)
        known = [month for month, tables in known_tables.items() if needed <= tables]
        if one.by != "month" and known:
            parts.append(_series(records, known, name, end=end))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    month = pd.to_datetime(table["start"]).dt.strftime("%Y-%m").astype("str")
    return table.assign(month=month)[["measure", "category", "month", "value"]]


def a_year_earlier(records: Records, month: ReportMonth, measures: Sequence[str]) -> dict[tuple[str, str, str], int]:
    """Count measures for the same month a year earlier, and for its fiscal year to date, as ``known_counts``."""
    spans: dict[str, Span] = {period: span_of(records.program, month.year_earlier, period) for period in PERIODS}
    return known_counts(records, month, measures, spans)


def known_counts(
    records: Records, month: ReportMonth, measures: Sequence[str], spans: Mapping[str, Span]
) -> dict[tuple[str, str, str], int]:
    """Count measures in spans of whole months, under the names that the issue of ``month`` prints.

    Returns
    -------
    dict
        Counts by measure, category and name of the span. A category that ended within the fiscal year of the span is
        included. What is not known is not.
    """
    program, starts = records.program, records.program.identity.fiscal_year_starts
    known_tables = _known_tables(records)
    found: dict[tuple[str, str, str], int] = {}
    for name in measures:
        needed = _tables_of(program, name)
        known = {one for one, tables in known_tables.items() if needed <= tables}
        for key, span in spans.items():
            if not months_of(span) <= known:
                continue
            earlier = ReportMonth.of(span.end)
            begins = min(span.start, earlier.fytd(starts).start)
            categories = categories_of(program, name, month, begins)
            # A category that did not exist yet had no 0.
            then = set(categories_of(program, name, earlier, begins))
            counts = total(counted_within(records, name, month, span)).to_dict()
            found |= {(name, one, key): counts.get(one, 0) for one in categories if one in counts or one in then}
    return found


def _tables_of(program: Program, measure: str) -> frozenset[str]:
    one = program.measures[measure]
    return frozenset({one.table, *([one.followed_by] if one.followed_by else [])})


def require_measure(program: Program, measure: str) -> None:
    """Raise ``ParameterError`` if a measure does not exist. Suggest the nearest one, or the category of that name."""
    if measure not in program.measures:
        remedy = (
            _meant_category(program, measure)
            or nearest(measure, program.measures)
            or f"measures: {', '.join(program.measures)}."
        )
        raise ParameterError(
            "There is no such series.", [Problem("measure", f"{measure!r} is not a measure of program.toml;", remedy)]
        )


def require_records(program: Program, measure: str, what: str) -> None:
    """Raise ``ParameterError`` if a measure does not count records, so that the effect of chance is unknown.

    Parameters
    ----------
    what
        The sentence on what cannot be told.
    """
    if program.measures[measure].count != "rows":
        counts = f"{measure} adds up a column or counts people;"
        problem = Problem("measure", counts, "the effect of chance is known only for counts of records.")
        raise ParameterError(what, [problem])


def is_of_events(program: Program, measure: str) -> bool:
    """Return whether a measure counts separate events: records that do not share an id."""
    one = program.measures[measure]
    return one.count == "rows" and program.tables[one.table].one_row_per_id


def _meant_category(program: Program, text: str) -> str:
    """Return a suggestion if a text looks like a category, its plural or one of its other spellings."""
    for name, measure in program.measures.items():
        vocabulary = program.vocabulary_of(name)
        if vocabulary is None or measure.by is None:
            continue
        spellings = program.spellings(vocabulary)
        if meant := spellings.get(folded(text)) or spellings.get(closest(text.replace("_", " "), spellings)):
            return f"did you mean the category {meant!r} of {name}?"
    return ""


def known_range(
    known: list[ReportMonth], start: ReportMonth | None, end: ReportMonth | None
) -> tuple[ReportMonth, ReportMonth]:
    """Return the first and the last month of a series. Raise ParameterError if they are not in the known months."""
    if not known:
        raise ParameterError(
            "There is no series.",
            [Problem("as-of date", "no month was over and delivered by then;", "choose a later date.")],
        )
    problems = []
    if start is not None and end is not None and start > end:
        problems.append(Problem("start, end", f"{start} is after {end};", "use the earlier month as start."))
    remedy = f"choose a month from {known[0]} to {known[-1]}."
    problems += [
        Problem(name, f"{month} is {'before' if month < known[0] else 'beyond'} the data;", remedy)
        for name, month in (("start", start), ("end", end))
        if month is not None and not known[0] <= month <= known[-1]
    ]
    if problems:
        raise ParameterError("There is no such range of months.", problems)
    first, last = start or known[0], end or known[-1]
    return first, last


def require_frequency(freq: str) -> None:
    """Raise ``ParameterError`` if a frequency does not exist."""
    if freq not in FREQUENCIES:
        remedy = nearest(freq, FREQUENCIES) or f"write one of: {', '.join(FREQUENCIES)}."
        raise ParameterError("There is no such series.", [Problem("freq", f"{freq!r} is not a frequency;", remedy)])


def spans_of(program: Program, freq: Frequency, start: ReportMonth, end: ReportMonth) -> Iterator[Span]:
    """Yield the periods that begin in a range, or the running periods (``fytd``, ``rolling_12``) that end in it."""
    begins = program.identity.fiscal_year_starts
    for month in start.until(end):
        if freq == "fytd":
            yield month.fytd(begins)
        elif freq == "rolling_12":
            yield Span(month.plus(-11).span.start, month.span.end)
        elif (month.month - begins) % _LENGTHS[freq] == 0:
            yield Span(month.span.start, month.plus(_LENGTHS[freq] - 1).span.end)


def _counts(records: Records, measure: str, names: Sequence[str], month: ReportMonth, spans: Sequence[Span]) -> Numbers:
    """Return the counts of a measure: one row for each category, one column for each span."""
    one = records.program.measures[measure]
    counts = np.zeros((len(names), len(spans)), dtype="int64")
    if not spans:
        return counts
    if any(later.start <= earlier.end for earlier, later in pairwise(spans)):
        each = (counted_within(records, measure, month, span) for span in spans)
        rows = pd.concat([rows.assign(place=place) for place, rows in enumerate(each)])
    else:
        rows = counted_within(records, measure, month, Span(spans[0].start, spans[-1].end))
        days = records.tables[one.table].rows[records.program.tables[one.table].date].loc[rows.index]
        starts = pd.DatetimeIndex([span.start for span in spans])
        rows = rows.assign(place=starts.searchsorted(days, side="right") - 1)
        if "followed_on" in rows:
            # A follow-up counts only up to the end of its own span.
            ends = pd.Series([pd.Timestamp(span.end) for span in spans])
            rows = rows.loc[rows["followed_on"].le(rows["place"].map(ends))]
    if "once" in rows:
        rows = rows.loc[rows["once"].notna()].drop_duplicates(["category", "place", "once"])
    if one.by == "month":
        row = np.zeros(len(rows), dtype="int64")
    else:
        # Compare the few categories, not the text of each row.
        category = rows["category"].astype("category").cat
        row = np.append(pd.Index(names).get_indexer(category.categories), -1)[category.codes]
    asked = row >= 0
    np.add.at(counts, (row[asked], rows["place"].to_numpy()[asked]), rows["amount"].to_numpy()[asked])
    return counts


def months_of(span: Span) -> set[ReportMonth]:
    """Return the months of a span of whole months."""
    last = ReportMonth.of(span.end)
    return set(ReportMonth.of(span.start).until(last))
