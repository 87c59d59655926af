"""An edition: the figures of one month, quarter or year as known on one day. Issues are made from editions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from viputils.config.language import ENGLISH, Language
from viputils.config.program import Program
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.figures.series import a_year_earlier, known_counts
from viputils.records.clean import Records


@dataclass(frozen=True)
class Edition:
    """The figures of one period, their records, and the language to show them in."""

    period: IssuePeriod
    records: Records
    figures: pd.DataFrame
    language: Language = ENGLISH

    @cached_property
    def month(self) -> ReportMonth:
        """The month, or the last month of a longer period."""
        return self.period.last(self.program.identity.fiscal_year_starts)

    @property
    def program(self) -> Program:
        """The program of the records."""
        return self.records.program

    @cached_property
    def shown(self) -> Program:
        """The program with its names in the language of the edition."""
        return self.program.in_language(self.language)

    @cached_property
    def year_before(self) -> dict[tuple[str, str, str], int]:
        """The report's headline figures and breakdowns a year earlier, as ``a_year_earlier`` returns them."""
        report = self.program.report
        wholes = [name for one in report.breakdowns if (name := self.program.whole_of(one)) is not None]
        return a_year_earlier(self.records, self.month, [*report.headline, *report.breakdowns, *wholes])

    @cached_property
    def earlier(self) -> dict[tuple[str, str, str], int]:
        """The report's counts of earlier periods, as ``known_counts`` returns them.

        ``before`` is the period before, ``year`` the same period a year earlier, and ``fytd`` that year to date.
        """
        program, report, period = self.program, self.program.report, self.period
        starts = program.identity.fiscal_year_starts
        spans = {
            "before": period.plus(-1).days(starts),
            "year": period.year_earlier.days(starts),
            "fytd": period.year_earlier.last(starts).fytd(starts),
        }
        names = [*report.headline, *report.breakdowns]
        wholes = [name for one in [*report.breakdowns, report.trend] if one and (name := program.whole_of(one))]
        return known_counts(self.records, self.month, list(dict.fromkeys([*names, *wholes])), spans)

    @property
    def as_of(self) -> dt.date:
        """The day up to which records were received."""
        return self.records.as_of

    @property
    def is_provisional(self) -> bool:
        """Whether later records can still change the month (``program.provisional_months``)."""
        return self.is_provisional_in(self.month)

    def is_provisional_in(self, month: ReportMonth) -> bool:
        """Return whether later records can still change the numbers of a month, or of a period that ends with it."""
        months = self.program.identity.provisional_months
        return months is None or self.as_of <= month.plus(months).span.end

    @property
    def months(self) -> list[ReportMonth]:
        """The months of the fiscal year to date, up to this one."""
        return list(self.month.fiscal_year(self.program.identity.fiscal_year_starts).months(until=self.month))
