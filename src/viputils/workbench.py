"""What an analyst begins with: clean tables, figures, series and comparisons, counted as the report counts them.

``from viputils import workbench``, and go on with ``workbench.series("responses")``. It works on the project that the
current folder lies in, or on another one that is named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from viputils.audit.as_of import load_edition, require_no_quarantine
from viputils.config.program import Period
from viputils.config.project import Project
from viputils.config.source import from_environment
from viputils.core.errors import ParameterError, Problem, nearest
from viputils.core.months import ReportMonth, parse_date
from viputils.figures.counts import KEY, PERIODS, compute_figures
from viputils.figures.series import Frequency, known_months, series_of
from viputils.figures.stats.intervals import LEVEL, ratio
from viputils.records.clean import Records, load_records

Month = str | ReportMonth
Day = str | dt.date


@dataclass(frozen=True)
class Tables:
    """The clean tables of a project as of one day.

    ``tables["responses"]`` is a DataFrame: under the names of program.toml dates as ``datetime64[s]``, categories as
    ordered ``category`` in printed order, counts as ``Int64``, flags as ``boolean``, codes and ids as ``str``; and
    ``received``, ``file`` and ``line``, which say where each row came from.
    """

    project: Project
    records: Records

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a table.

        Raises
        ------
        ParameterError
            If this city does not keep such a table, with the nearest one.
        """
        if table not in self.records.tables:
            remedy = nearest(table, self.records.tables) or f"it keeps: {', '.join(self)}."
            problem = Problem("table", f"{table!r} is no table that this city keeps;", remedy)
            raise ParameterError("There is no such table.", [problem])
        return self.records.tables[table].rows

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the tables, in the order of program.toml."""
        return iter(self.records.tables)

    def __len__(self) -> int:
        """Return how many tables there are."""
        return len(self.records.tables)

    def __repr__(self) -> str:
        """Return how many rows each table has, and as of when."""
        rows = ", ".join(f"{name}: {len(self[name]):,}" for name in self)
        mark = " (sample data)" if self.records.is_demonstration else ""
        return f"<Tables as of {self.as_of}{mark}: {rows}>"

    @property
    def as_of(self) -> dt.date:
        """The day by which everything in them had been received."""
        return self.records.as_of

    def months(self, measure: str | None = None) -> list[ReportMonth]:
        """Return the months whose counts of a measure are known, or those of every measure, in order."""
        return known_months(self.records, measure)

    def figures(self, month: Month) -> pd.DataFrame:
        """Return every figure of a month as these records give it; see ``figures``."""
        return compute_figures(self.records, self._known(month))

    def series(
        self,
        measure: str,
        category: str | None = None,
        freq: Frequency = "month",
        start: Month | None = None,
        end: Month | None = None,
    ) -> pd.DataFrame:
        """Return a measure over time as these records give it; see ``series``."""
        first, last = (None if month is None else as_month(month) for month in (start, end))
        return series_of(self.records, measure, category, freq, first, last)

    def compare(self, a: Month, b: Month, level: float = LEVEL) -> pd.DataFrame:
        """Compare the figures of two months as these records give them; see ``compare``."""
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
        is_counted = found["measure"].map(lambda name: program.measures[name].count == "rows")
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

    Parameters
    ----------
    as_of
        Only what was received by this day counts (``YYYY-MM-DD``); by default everything does.
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
    day = parse_date(as_of, "as_of") if isinstance(as_of, str) else as_of
    records = load_records(opened, day)
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
    day = parse_date(as_of, "as_of") if isinstance(as_of, str) else as_of
    edition = load_edition(opened, as_month(month), day)
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
) -> pd.DataFrame:
    """Return a measure over time, tidy and complete.

    A month in which nothing happened is 0; a month that is not known is missing.

    Parameters
    ----------
    measure, category, freq, start, end
        As ``viputils.figures.series.series_of``; months as ``YYYY-MM``.
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
    return load(as_of, project).series(measure, category, freq, start, end)


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
        so it is there only for measures that count records, and missing where both counts are 0: of a sum, in which
        one record can be many, the range of chance is not known.

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


def as_month(month: Month) -> ReportMonth:
    """Return a month that is written as ``YYYY-MM``, or is one already.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    return month if isinstance(month, ReportMonth) else ReportMonth.parse(month)
