"""The period of an issue: a month, a quarter of a fiscal year, or a whole fiscal year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from viputils.core.errors import ParameterError, Problem
from viputils.core.months import IssuePeriod, Kind, ReportMonth

_FISCAL: Final = re.compile(r"FY([0-9]{4})(?:-Q([1-4]))?")
_FIRST, _LAST = 1901, 2998
_MONTHS_OF_QUARTER: Final = 3
_QUARTERS: Final = 4


@dataclass(frozen=True, order=True)
class FiscalPeriod(IssuePeriod):
    """A quarter of a fiscal year, or the whole year if ``quarter`` is 0.

    A fiscal year has the name of the year in which it ends.
    """

    year: int
    quarter: int = 0

    @property
    def kind(self) -> Kind:
        """Whether it is a quarter or a year."""
        return "quarter" if self.quarter else "year"

    def __str__(self) -> str:
        return f"FY{self.year:04}-Q{self.quarter}" if self.quarter else f"FY{self.year:04}"

    @property
    def label(self) -> str:
        """The period in English: ``quarter 1 of FY2024``, ``FY2024``."""
        return f"quarter {self.quarter} of FY{self.year}" if self.quarter else f"FY{self.year}"

    def months(self, starts: int) -> list[ReportMonth]:
        """Return its months in order, if fiscal years start with month ``starts`` (1 to 12)."""
        first = ReportMonth(self.year if starts == 1 else self.year - 1, starts)
        every = [first.plus(ahead) for ahead in range(12)]
        end = self.quarter * _MONTHS_OF_QUARTER
        return every[end - _MONTHS_OF_QUARTER : end] if self.quarter else every

    def parts(self, starts: int) -> list[IssuePeriod]:
        """Return the months of a quarter, or the quarters of a year."""
        if self.quarter:
            return list(self.months(starts))
        return [FiscalPeriod(self.year, number) for number in range(1, _QUARTERS + 1)]

    def plus(self, periods: int) -> Self:
        """Return the quarter or the year that is so many later, or earlier if negative."""
        if not self.quarter:
            return type(self)(self.year + periods)
        count = self.year * _QUARTERS + self.quarter - 1 + periods
        return type(self)(count // _QUARTERS, count % _QUARTERS + 1)

    @property
    def year_earlier(self) -> Self:
        """The same quarter of the fiscal year before, or that year."""
        return type(self)(self.year - 1, self.quarter)


def parse_period(text: str) -> IssuePeriod:
    """Read a month (``2023-11``), a quarter (``FY2024-Q1``) or a fiscal year (``FY2024``).

    Raises
    ------
    ParameterError
        For any other text.
    """
    found = _FISCAL.fullmatch(text) if isinstance(text, str) else None
    if found and _FIRST < int(found[1]) <= _LAST:
        return FiscalPeriod(int(found[1]), int(found[2] or 0))
    if not isinstance(text, str) or not re.search(r"[FQ]", text.upper()):
        return ReportMonth.parse(text)
    raise ParameterError(
        "The period cannot be read.",
        [
            Problem(
                "period",
                f"{text!r} is neither a quarter nor a fiscal year;",
                "write a quarter as FY2024-Q1 (Q1 to Q4), a fiscal year as FY2024, and a month as 2023-11.",
            )
        ],
    )


def shown_by(period: IssuePeriod, starts: int) -> list[IssuePeriod]:
    """Return the periods whose published figures an issue checks: the months of its year to date, and itself, last."""
    month = period.last(starts)
    months = month.fiscal_year(starts).months(until=month)
    return [*months, *([period] if is_long(period) else [])]


def is_long(period: IssuePeriod) -> bool:
    """Return whether a period is longer than a month."""
    return not isinstance(period, ReportMonth)
