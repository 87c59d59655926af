"""What an analyst begins with: clean tables, figures, series and comparisons, counted as the report counts them.

``from viputils import workbench``, and go on with ``workbench.series("responses")``. It works on the project that the
current folder lies in, or on another one that is named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from viputils.audit.as_of import load_edition, require_no_quarantine
from viputils.config.program import Period
from viputils.config.project import Project
from viputils.config.source import from_environment
from viputils.core.errors import ParameterError, Problem, nearest
from viputils.core.months import ReportMonth, parse_date
from viputils.core.text import capital, plural
from viputils.figures.assessment import report_chart
from viputils.figures.counts import KEY, PERIODS, compute_figures
from viputils.figures.cross_tables import Where, cross_series, cross_table, shared_rows
from viputils.figures.plots import RatesFrame, SeriesFrame
from viputils.figures.series import (
    Frequency,
    is_of_events,
    known_months,
    require_measure,
    require_records,
    series_of,
)
from viputils.figures.stats.area_rates import PER, area_rates
from viputils.figures.stats.control_charts import ProcessChart
from viputils.figures.stats.interrupted import Interrupted, interrupted
from viputils.figures.stats.intervals import LEVEL, ratio
from viputils.records.clean import Records, load_records
from viputils.records.crosswalks import with_counted_names
from viputils.records.populations import COLUMNS, people_in, read_populations
from viputils.records.remote.fetch import deliveries_folder

# A month or a day in any form that pandas takes for one, except texts that could be read in two ways.
Month = str | ReportMonth | dt.date | pd.Period | np.datetime64
Day = str | dt.date | pd.Period | np.datetime64

# So many loads are remembered: two days of one project, for example.
_REMEMBERED: Final = 2
_loaded: dict[tuple[object, ...], Records] = {}


@dataclass(frozen=True)
class Tables:
    """The clean tables of a project as of one day.

    ``tables["responses"]``, or ``tables.responses``, is a DataFrame: under the names of program.toml dates as
    ``datetime64[s]``, categories as ordered ``category`` in printed order, counts as ``Int64``, flags as ``boolean``,
    codes and ids as ``str``; and ``received``, ``file`` and ``line``, which say where each row came from. A column that
    has a crosswalk is followed by ``counted_as``, the name that the report counts the row under.

    ``tables.measures`` lists what can be counted.
    """

    project: Project
    records: Records

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a table. Changes to it stay in the copy that you have.

        Raises
        ------
        ParameterError
            If this city does not keep such a table, with the nearest one.
        """
        if table not in self.records.tables:
            remedy = nearest(table, self.records.tables) or f"it keeps: {', '.join(self)}."
            problem = Problem("table", f"{table!r} is no table that this city keeps;", remedy)
            raise ParameterError("There is no such table.", [problem])
        rows = self.records.tables[table].rows.copy(deep=False)
        return with_counted_names(self.records.program, table, rows, self.as_of)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a table by its name."""
        if name.startswith("_") or name in ("project", "records"):
            raise AttributeError(name)
        if name not in self.records.tables:
            remedy = capital(nearest(name, dir(self))) or f"Its tables are: {', '.join(self)}."
            raise AttributeError(f"The tables have no {name!r}. {remedy}".strip())
        return self[name]

    def __dir__(self) -> list[str]:
        """Return what can be written after the dot, the tables among them."""
        return [*super().__dir__(), *self]

    def _ipython_key_completions_(self) -> list[str]:
        """Return what notebooks offer in the brackets."""
        return list(self)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the tables, in the order of program.toml."""
        return iter(self.records.tables)

    def __len__(self) -> int:
        """Return how many tables there are."""
        return len(self.records.tables)

    def __repr__(self) -> str:
        """Return how many rows each table has, and as of when."""
        rows = ", ".join(f"{name}: {len(self.records.tables[name].rows):,}" for name in self)
        mark = " (sample data)" if self.records.is_demonstration else ""
        return f"<Tables as of {self.as_of}{mark}: {rows}>"

    def _repr_html_(self) -> str:
        """Return the tables as notebooks show them: their rows, their days and their titles."""
        program = self.records.program
        lines = []
        for name in self:
            rows = self.records.tables[name].rows
            days = rows[program.tables[name].date].dropna()
            span = f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else "no rows"
            cells = [f"tables.{name}", program.tables[name].title, f"{len(rows):,}", span]
            lines.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        mark = " (sample data)" if self.records.is_demonstration else ""
        head = "".join(f"<th>{name}</th>" for name in ("Table", "What it has", "Rows", "Days"))
        about = f"{escape(program.identity.city)}, as of {self.as_of}{mark}"
        return f"<table><caption>{about}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"

    @property
    def as_of(self) -> dt.date:
        """The day by which everything in them had been received."""
        return self.records.as_of

    @property
    def measures(self) -> pd.DataFrame:
        """What can be counted: one row for each measure of program.toml.

        ``label`` (its words in the report), ``table``, ``counts`` (``rows``, the sum of a column or the different
        values of one), ``by`` (the column of its categories, or ``""``), ``categories`` (their names) and the ``first``
        and ``last`` known month (``""`` if none is). The index is the name for ``series`` and the others.
        """
        program = self.records.program
        rows = {}
        for name, one in program.measures.items():
            known = self.months(name)
            rows[name] = {
                "label": one.label,
                "table": one.table,
                "counts": one.count
                if isinstance(one.count, str)
                else "".join(f"{kind} of {column}" for kind, column in one.count),
                "by": one.by or "",
                "categories": ", ".join(program.categories(name, known[-1]) or []) if known else "",
                "first": str(known[0]) if known else "",
                "last": str(known[-1]) if known else "",
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")

    @property
    def populations(self) -> pd.DataFrame:
        """How many people live in each area, from ``data/populations.csv``. Without that file, it has no rows.

        ``area`` (``str``), ``year``, ``people`` (``int64``) and ``source`` (``str``).

        Raises
        ------
        DeliveryError
            If the file is invalid, with everything that is wrong.
        """
        return read_populations(self.project.root)

    def months(self, measure: str | None = None) -> list[ReportMonth]:
        """Return the months whose counts of a measure are known, or those of every measure, in order.

        Raises
        ------
        ParameterError
            If there is no such measure, with the nearest one.
        """
        return known_months(self.records, measure)

    def figures(self, month: Month) -> pd.DataFrame:
        """Return every figure of a month as these records give it.

        Parameters
        ----------
        month
            The month: ``"2023-11"``, or any day of it.

        Returns
        -------
        DataFrame
            ``measure``, ``category`` (``""`` without a breakdown) and ``period`` (``month`` or ``fytd``) as ``str``,
            ``value`` as ``int64``: how many.

        Raises
        ------
        ParameterError
            If the month was not over or not delivered by the as-of date.
        """
        return compute_figures(self.records, self._known(month))

    def series(
        self,
        measure: str,
        category: str | None = None,
        freq: Frequency = "month",
        start: Month | None = None,
        end: Month | None = None,
        where: Where | None = None,
        by: Sequence[str] = (),
    ) -> SeriesFrame:
        """Return a measure over time, tidy and complete. ``plot()`` draws it.

        A month in which nothing happened is 0; a month that is not known is missing.

        Parameters
        ----------
        measure
            A name in ``tables.measures``.
        category
            One category of the measure; by default all.
        freq
            ``month``, ``quarter`` (of the fiscal year), ``fiscal_year``, ``fytd`` (for each month the fiscal year up to
            its end) or ``rolling_12`` (for each month the 12 months up to its end).
        start, end
            The first and the last month; by default the first and the last known month.
        where
            Only records with these values, as in ``{"area_command": "Southeast"}``.
        by
            Columns of the table to count by, as in ``["incident_type", "area_command"]``.

        Returns
        -------
        DataFrame
            ``measure``, ``category`` (or the columns of ``by``), ``start`` and ``end`` of the period
            (``datetime64[s]``, both included) and ``value`` (``Int64``).

        Raises
        ------
        ParameterError
            If there is no such measure, category, column, value, frequency or range, with what would be right.
        """
        first, last = (None if month is None else as_month(month) for month in (start, end))
        if not by and where is None:
            return SeriesFrame(series_of(self.records, measure, category, freq, first, last))
        if category is not None:
            problem = Problem("category", "cannot be used with where or by;", "write it into where.")
            raise ParameterError("There is no such series.", [problem])
        return SeriesFrame(cross_series(self.records, measure, _names(by), where, freq, first, last))

    def cross_table(
        self,
        measure: str,
        by: Sequence[str],
        where: Where | None = None,
        start: Month | None = None,
        end: Month | None = None,
    ) -> pd.DataFrame:
        """Count a measure over a range of months as a table: the first of ``by`` down, the others across.

        Parameters
        ----------
        measure, by, where, start, end
            As ``series``; by default all known months.

        Returns
        -------
        DataFrame
            ``int64``. Categories are in printed order and under the names that the report prints; ``Not recorded``
            comes last if it occurs.

        Raises
        ------
        ParameterError
            As ``series``; if a month of the range is unknown, so that counts would be too low.

        Examples
        --------
        >>> from viputils import workbench
        >>> tables = workbench.load(as_of="2023-12-04")
        >>> both = tables.cross_table("responses", ["incident_type", "area_command"], start="2023-07")
        >>> int(both.loc["Homicide", "Southeast"])
        12
        """
        first, last = (None if month is None else as_month(month) for month in (start, end))
        return cross_table(self.records, measure, _names(by), where, first, last)

    def process_chart(self, measure: str, category: str = "", end: Month | None = None) -> ProcessChart:
        """Return the process behavior chart of a measure, with the limits of the report. ``plot()`` draws it.

        Parameters
        ----------
        measure, category
            As ``series``.
        end
            The month that is judged by those before it; by default the last known one.

        Returns
        -------
        ProcessChart
            ``remarks`` states what it can show, and whether the report has such a chart to agree with.

        Raises
        ------
        ParameterError
            As ``series``; if the measure does not count records, so that the effect of chance is unknown.
        """
        last = self._end(measure, end)
        series_of(self.records, measure, category or None, end=last)
        return report_chart(self.records, last, measure, category)

    def rates(
        self,
        measure: str,
        start: Month | None = None,
        end: Month | None = None,
        populations: pd.DataFrame | None = None,
        per: int = PER,
    ) -> RatesFrame:
        """Return the yearly rate of each category of a measure, such as an area. ``plot()`` draws the funnel plot.

        Parameters
        ----------
        measure
            A measure whose categories are areas.
        start, end
            The first and the last month; by default the last 12 known months.
        populations
            ``area``, ``year``, ``people`` and ``source``; by default ``tables.populations``.
        per
            Rates are for so many people.

        Returns
        -------
        DataFrame
            As ``viputils.figures.stats.area_rates.area_rates``, with ``year`` and ``source`` of the population: that
            of the year of the last month, or of the last year before it that is known.

        Raises
        ------
        ParameterError
            If the measure does not count records or has no categories, there is no population, or a month of the range
            is unknown.
        """
        last = self._end(measure, end)
        first = last.plus(-11) if start is None else as_month(start)
        given = self.populations if populations is None else populations
        column = self.records.program.measures[measure].by
        require_records(self.records.program, measure, "There are no rates.")
        _require_rates(measure, column, given)
        counts = cross_table(self.records, measure, [str(column)], None, first, last)[measure]
        counts = counts.drop(index="Not recorded", errors="ignore").set_axis(
            counts.index.drop("Not recorded", errors="ignore").astype("str")
        )
        known = people_in(given, last.year).reindex(counts.index)
        years = len(list(first.until(last))) / 12
        found = area_rates(counts, known["people"], years, per)
        return RatesFrame(
            found.assign(year=known["year"].astype("Int64").array, source=known["source"].fillna("").array)
        )

    def interrupted(
        self,
        measure: str,
        since: Month,
        where: Where | None = None,
        comparison: Where | None = None,
        end: Month | None = None,
        trend_change: bool = False,
    ) -> Interrupted:
        """Return whether a measure changed when a program began, beside its trend and season. ``plot()`` draws it.

        Parameters
        ----------
        measure
            A measure that counts records.
        since
            The first month of the program.
        where
            The records of the program's areas, as in ``{"area_command": "Southeast"}``; by default all.
        comparison
            The records of areas without the program. They share none with ``where``. What changed there as well is
            not an effect.
        end
            The last month; by default the last known one.
        trend_change
            Whether the effect can also grow or shrink with each month.

        Raises
        ------
        ParameterError
            If there are too few months or events to tell, the measure does not count records, a record is on both
            sides, or an area, measure or month does not exist.
        """
        last = self._end(measure, end)
        require_records(self.records.program, measure, "A change at that time cannot be judged.")
        sides = [
            None if one is None and place else _by_month(cross_series(self.records, measure, [], one, end=last))
            for place, one in enumerate((where, comparison))
        ]
        if comparison is not None and (shared := shared_rows(self.records, measure, where or {}, comparison, last)):
            what = f"{plural(shared, 'record is', 'records are')} in the program's areas, too;"
            remedy = "name the areas of the program in where, and only other areas in comparison."
            raise ParameterError(
                "A change at that time cannot be judged.", [Problem("where, comparison", what, remedy)]
            )
        values = sides[0] if sides[0] is not None else pd.Series(dtype="Int64")
        return interrupted(values, as_month(since), sides[1], trend_change=trend_change)

    def compare(self, a: Month, b: Month, level: float = LEVEL) -> pd.DataFrame:
        """Compare the figures of two months, with the range that chance explains.

        Parameters
        ----------
        a, b
            The months.
        level
            The level of confidence of the intervals.

        Returns
        -------
        DataFrame
            ``measure``, ``category``, ``period``; ``a``, ``b`` and ``change`` (a less b) as ``Int64``; ``ratio`` (a by
            b) with its exact interval from ``low`` to ``high`` as ``float64``, missing if the effect of chance is not
            known.

        Raises
        ------
        ParameterError
            If a month was not over or not delivered by the as-of date.
        """
        program = self.records.program
        sides = [
            self.figures(month).loc[
                lambda rows: rows["measure"].map(lambda name: program.measures[name].by).ne("month")
            ]
            for month in (a, b)
        ]
        # In printed order; what only the other month has comes last.
        keys = pd.concat([side[KEY] for side in sides], ignore_index=True).drop_duplicates(KEY)
        a_and_b = {
            name: keys.merge(side, on=KEY, how="left")["value"].astype("Int64")
            for name, side in zip(("a", "b"), sides, strict=True)
        }
        found = keys.reset_index(drop=True).assign(**a_and_b, change=a_and_b["a"] - a_and_b["b"])
        is_counted = found["measure"].map(lambda name: is_of_events(program, name))
        intervals = [
            ratio(int(one), int(other), level=level) if counted and pd.notna(one) and pd.notna(other) else None
            for one, other, counted in zip(found["a"], found["b"], is_counted, strict=True)
        ]
        bounds = pd.DataFrame(
            [(float("nan"), float("nan")) if one is None else one for one in intervals],
            index=found.index,
            columns=["low", "high"],
            dtype="float64",
        )
        can = {period: not self.why_not(period, a, b) for period in PERIODS}
        bounds = bounds.where(found["period"].map(can).astype("bool"))
        of_both = found["a"].astype("Float64").div(found["b"].where(found["b"].gt(0)).astype("Float64"))
        return found.assign(ratio=of_both.astype("float64"), low=bounds["low"], high=bounds["high"])

    def why_not(self, period: Period, a: Month, b: Month) -> str:
        """Return why the counts of two months, or of their fiscal years to date, are no two rates to set side by side.

        Counts that overlap, or that cover different lengths of time, cannot be compared. Empty if they can.
        """
        first, second = as_month(a), as_month(b)
        if first == second:
            return "both are the same month;"
        starts, known = self.records.program.identity.fiscal_year_starts, self.months()
        cut = [str(month) for month in (first, second) if not known or month.fiscal_year(starts).first < known[0]]
        if period == "fytd" and cut:
            begin = f"the records begin with {known[0]}" if known else "no month is known"
            return f"{begin}, within that of {' and '.join(cut)};"
        if period == "fytd" and first.month != second.month:
            return f"those of {first} and {second} are of different length, or one holds the other;"
        return ""

    def _end(self, measure: str, end: Month | None) -> ReportMonth:
        """Return the last month to look at: the one given, or the last known one."""
        require_measure(self.records.program, measure)
        known = self.months(measure)
        last = None if end is None else as_month(end)
        if known and (last is None or known[0] <= last <= known[-1]):
            return last or known[-1]
        remedy = f"choose a month from {known[0]} to {known[-1]}." if known else "load a later date."
        problem = Problem("month", f"{last or 'the newest'} was not over or not delivered by {self.as_of};", remedy)
        raise ParameterError("There is nothing to show.", [problem])

    def _known(self, month: Month) -> ReportMonth:
        """Return a month whose figures are known, those of its fiscal year to date among them."""
        month, known = as_month(month), self.months()
        program = self.records.program
        to_date = month.fiscal_year(program.identity.fiscal_year_starts).months(until=month)
        lacking = [str(one) for one in to_date if known and known[0] <= one and one not in known]
        if month in known and lacking:
            what = f"of its fiscal year to date {', '.join(lacking)} had not been delivered by {self.as_of};"
            problem = Problem(f"month {month}", what, "its counts would be too low; series() leaves such months out.")
            raise ParameterError("There are no figures of that month.", [problem])
        if month not in known:
            remedy = f"known are {known[0]} to {known[-1]}." if known else "no month is."
            problem = Problem("month", f"{month} was not over or not delivered by {self.as_of};", remedy)
            raise ParameterError("There are no figures of that month.", [problem])
        return month


def load(
    as_of: Day | None = None,
    project: Project | Path | str | None = None,
    allow_quarantined: bool = False,
    deliveries: str | None = None,
) -> Tables:
    """Read and clean everything that had been received by a day.

    The same files are read once: a second load takes what the first one found, unless a file or program.toml changed.

    Parameters
    ----------
    as_of
        Only what was received by this day counts: ``"2023-12-04"``, or any date that pandas takes. By default
        everything does.
    project
        A project or its folder; by default the one that the current folder lies in.
    allow_quarantined
        Whether to go on without the rows that are in quarantine.
    deliveries
        Where the deliveries of the project come from: a folder, an address of fsspec or one of SQLAlchemy. By default
        what the project says.

    Raises
    ------
    ParameterError
        If the day is none.
    DeliveryError
        If there is no delivery by then, they cannot be reached, or a delivered file is not in form.
    QuarantineError
        If rows are in quarantine and that is not allowed.

    Examples
    --------
    >>> from viputils import workbench
    >>> tables = workbench.load(as_of="2023-12-04")
    >>> tables
    <Tables as of 2023-12-04 (sample data): responses: 1,065, outreach: 8,308, ...>
    >>> str(tables["responses"]["response_date"].dtype)
    'datetime64[s]'
    """
    opened = _project(project)
    if deliveries is not None:
        opened = Project.open(opened.root, opened.language.code, deliveries)
    records = _records(opened, None if as_of is None else as_day(as_of))
    if not allow_quarantined:
        records.require_no_quarantine()
    return Tables(opened, records)


def figures(month: Month, as_of: Day | None = None, project: Project | Path | str | None = None) -> pd.DataFrame:
    """Return every figure of the issue of a month: the same table as ``figures.csv`` beside it.

    Parameters
    ----------
    month
        The month, ``YYYY-MM``.
    as_of
        By default the issue's own as-of date.
    project
        As ``load``.

    Returns
    -------
    DataFrame
        ``measure``, ``category`` (``""`` without a breakdown) and ``period`` (``month`` or ``fytd``) as ``str``,
        ``value`` as ``int64``: how many.

    Raises
    ------
    ParameterError, DeliveryError, QuarantineError
        If there is no such month, its data is not complete, or rows are in quarantine.

    Examples
    --------
    >>> from viputils import workbench
    >>> november = workbench.figures("2023-11")
    >>> int(november.query("measure == 'referrals_made' and period == 'fytd'")["value"].item())
    4666
    """
    opened = _project(project)
    edition = load_edition(opened, as_month(month), None if as_of is None else as_day(as_of))
    require_no_quarantine(opened, edition)
    return edition.figures


def series(
    measure: str,
    category: str | None = None,
    freq: Frequency = "month",
    start: Month | None = None,
    end: Month | None = None,
    as_of: Day | None = None,
    project: Project | Path | str | None = None,
    where: Where | None = None,
    by: Sequence[str] = (),
) -> SeriesFrame:
    """Return a measure over time, tidy and complete. ``plot()`` draws it.

    A month in which nothing happened is 0; a month that is not known is missing.

    Parameters
    ----------
    measure, category, freq, start, end, where, by
        As ``Tables.series``.
    as_of, project
        As ``load``.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``start`` and ``end`` of the period (``datetime64[s]``) and ``value`` (``Int64``).

    Raises
    ------
    ParameterError, DeliveryError, QuarantineError
        As ``load``; if there is no such measure, category, frequency or range, with what would be right.

    Examples
    --------
    >>> from viputils import workbench
    >>> homicides = workbench.series("responses_by_incident_type", "Homicide", start="2023-09", end="2023-11")
    >>> homicides["value"].tolist()
    [3, 5, 5]
    """
    return load(as_of, project).series(measure, category, freq, start, end, where, by)


def compare(
    a: Month, b: Month, as_of: Day | None = None, project: Project | Path | str | None = None, level: float = LEVEL
) -> pd.DataFrame:
    """Compare the figures of two months, with the range that chance explains.

    Parameters
    ----------
    a, b
        The months, ``YYYY-MM``.
    as_of, project
        As ``load``. Both months are counted from the same records.
    level
        The level of confidence of the intervals.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``period``; ``a``, ``b`` and ``change`` (a less b) as ``Int64``; ``ratio`` (a by b)
        with its exact interval from ``low`` to ``high`` as ``float64``. The interval takes events to be independent,
        so it is there only for measures that count records with an id of their own, and missing where both counts are
        0: of a sum, in which one record can be many, the range of chance is not known. It takes months to vary only by
        chance.

    Raises
    ------
    ParameterError, DeliveryError, QuarantineError
        As ``load``; if a month is not known by the as-of date.

    Examples
    --------
    >>> from viputils import workbench
    >>> both = workbench.compare("2023-11", "2022-11", as_of="2023-12-04")
    >>> row = both.query("measure == 'responses' and period == 'fytd'").iloc[0]
    >>> int(row["a"]), int(row["b"]), f"{row['low']:.2f} to {row['high']:.2f}"
    (320, 315, '0.87 to 1.19')
    """
    return load(as_of, project).compare(a, b, level)


def _project(project: Project | Path | str | None) -> Project:
    if isinstance(project, Project):
        return project
    if project is None:
        return Project.find()
    root = Path(project).resolve()
    # What the environment says is about the project that one is in, and no other one.
    return Project.open(root, deliveries=from_environment() if root == Project.folder_of(Path.cwd()) else None)


def _records(project: Project, as_of: dt.date | None) -> Records:
    """Return the records of a project as of a day, those of an earlier load if no file has changed."""
    folder = deliveries_folder(project)
    files = []
    if folder.is_dir():
        for path in sorted(folder.glob("*/*")):
            state = path.stat()
            files.append((str(path), state.st_size, state.st_mtime_ns))
    key = (project.root, folder, as_of, tuple(files))
    found = _loaded.pop(key, None)
    if found is None or found.program != project.program:
        found = load_records(project, as_of)
    _loaded[key] = found
    while len(_loaded) > _REMEMBERED:
        _loaded.pop(next(iter(_loaded)))
    return found


def _names(by: Sequence[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(by)


def _by_month(table: pd.DataFrame) -> pd.Series:
    return pd.Series(table["value"].array, [ReportMonth.of(day) for day in table["start"]])


def _require_rates(measure: str, column: str | None, populations: pd.DataFrame) -> None:
    problems = []
    if column is None or column == "month":
        problems.append(Problem("measure", f"{measure} has no areas;", "choose a measure by area."))
    lacking = [name for name in COLUMNS if name not in populations]
    if lacking:
        what = f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing;"
        problems.append(Problem("populations", what, f"its columns are: {', '.join(COLUMNS)}."))
    elif populations.empty:
        remedy = "write data/populations.csv (docs/analysts.md), or use populations=."
        problems.append(Problem("populations", "no population is known, so there is no rate;", remedy))
    if problems:
        raise ParameterError("There are no rates.", problems)


def as_day(day: Day) -> dt.date:
    """Return a day that is written as ``YYYY-MM-DD``, or is a date of Python, NumPy or pandas.

    Raises
    ------
    ParameterError
        If it is none of these.
    """
    if isinstance(day, str):
        return parse_date(day, "as_of")
    if isinstance(day, pd.Period):
        return day.end_time.date()
    found = pd.Timestamp(day) if isinstance(day, dt.date | np.datetime64) else None
    if found is None or pd.isna(found):
        problem = Problem("as_of", f"{day!r} is not a date;", "write YYYY-MM-DD, as in 2023-12-04.")
        raise ParameterError("The date cannot be read.", [problem])
    return found.date()


def as_month(month: Month) -> ReportMonth:
    """Return the month that is written as ``YYYY-MM``, or the month of a day in any form that ``as_day`` takes.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    if isinstance(month, ReportMonth):
        return month
    if isinstance(month, str) and len(month) != len("2023-11-05"):
        return ReportMonth.parse(month)
    if isinstance(month, pd.Period) and month.end_time.to_period("M") != month.start_time.to_period("M"):
        problem = Problem("month", f"{month} is longer than a month;", "write YYYY-MM, as in 2023-11.")
        raise ParameterError("The month cannot be read.", [problem])
    return ReportMonth.of(as_day(month))
