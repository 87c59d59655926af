"""Report months, fiscal years and spans of days. Nothing here depends on the clock or the locale."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, Self

from viputils.core.errors import ParameterError, Problem

# Not from `calendar`, whose names depend on the locale.
MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

# What an issue reports on; `viputils.core.periods` has the longer ones.
Kind = Literal["month", "quarter", "year"]

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, order=True)
class Span:
    """The days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and self.start <= day <= self.end


class IssuePeriod(ABC):
    """The period that an issue reports on. Its months depend on the month that fiscal years start with (1 to 12).

    As text it is the name of the issue: ``2023-11``, ``FY2024-Q1``, ``FY2024``.
    """

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """The key of the whole period in the figures table."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The period in English: ``November 2023``, ``quarter 1 of FY2024``."""

    @abstractmethod
    def months(self, starts: int) -> list[ReportMonth]:
        """Return its months in order."""

    @abstractmethod
    def parts(self, starts: int) -> list[IssuePeriod]:
        """Return the shorter periods that its issue counts too, in order."""

    @abstractmethod
    def plus(self, periods: int) -> Self:
        """Return the period of the same kind that is so many later, or earlier if negative."""

    @property
    @abstractmethod
    def year_earlier(self) -> Self:
        """The same period one year earlier."""

    def last(self, starts: int) -> ReportMonth:
        """Return its last month. The names that it uses are those of the issue of that month."""
        return self.months(starts)[-1]

    def days(self, starts: int) -> Span:
        """Return every day of it."""
        months = self.months(starts)
        return Span(months[0].span.start, months[-1].span.end)


@dataclass(frozen=True, order=True)
class ReportMonth(IssuePeriod):
    """The calendar month that an issue reports on."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and 1900 <= self.year <= 2999):
            raise ParameterError(
                f"There is no month {self.year:04}-{self.month:02}.",
                [
                    Problem(
                        "month", f"'{self.year:04}-{self.month:02}' is not a month;", "write YYYY-MM, as in 2023-11."
                    )
                ],
            )

    @classmethod
    def parse(cls, text: str) -> ReportMonth:
        """Read ``YYYY-MM``.

        Raises
        ------
        ParameterError
            For any other text: ``2023-13``, ``Nov 2023``, ``../x``.
        """
        found = _MONTH.fullmatch(text) if isinstance(text, str) else None
        if not found or not (1 <= int(found[2]) <= 12 and 1901 <= int(found[1]) <= 2998):
            raise ParameterError(
                "The month cannot be read.",
                [Problem("month", f"{text!r} is not a month;", "write YYYY-MM, as in 2023-11.")],
            )
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: dt.date) -> ReportMonth:
        """Return the month of a day."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def label(self) -> str:
        """The month in words: ``November 2023``."""
        return f"{self.name} {self.year}"

    @property
    def name(self) -> str:
        """The month's name: ``November``."""
        return MONTH_NAMES[self.month - 1]

    @property
    def short_name(self) -> str:
        """The month's name in three letters: ``Nov``."""
        return self.name[:3]

    @property
    def span(self) -> Span:
        """Every day of the month."""
        return Span(
            dt.date(self.year, self.month, 1),
            dt.date(self.year, self.month, calendar.monthrange(self.year, self.month)[1]),
        )

    @property
    def kind(self) -> Kind:
        """The key of the month in the figures table."""
        return "month"

    def months(self, starts: int) -> list[ReportMonth]:  # noqa: ARG002 - a month is the same in every fiscal year
        """Return the month itself."""
        return [self]

    def parts(self, starts: int) -> list[IssuePeriod]:  # noqa: ARG002
        """Return nothing: no part of a month is counted."""
        return []

    @property
    def year_earlier(self) -> Self:
        """The same month one year earlier."""
        return self.plus(-12)

    def plus(self, periods: int) -> Self:
        """Return the month that is so many months later, or earlier if negative."""
        count = self.year * 12 + self.month - 1 + periods
        return type(self)(count // 12, count % 12 + 1)

    def until(self, last: ReportMonth) -> Iterator[ReportMonth]:
        """Yield this month and those after it, up to and including ``last``."""
        month = self
        while month <= last:
            yield month
            month = month.plus(1)

    def fiscal_year(self, starts: int) -> FiscalYear:
        """Return the fiscal year of the month, if fiscal years start with month ``starts`` (1 to 12)."""
        first = ReportMonth(self.year if self.month >= starts else self.year - 1, starts)
        return FiscalYear(first)

    def fytd(self, starts: int) -> Span:
        """Return the fiscal year to date: its first day to the last day of this month."""
        return Span(self.fiscal_year(starts).first.span.start, self.span.end)


@dataclass(frozen=True, order=True)
class FiscalYear:
    """Twelve months from ``first``, named for the year in which they end."""

    first: ReportMonth

    @property
    def year(self) -> int:
        """The year it is named for: the fiscal year from July 2023 to June 2024 is 2024."""
        return self.last.year

    @property
    def last(self) -> ReportMonth:
        """The month it ends with."""
        return self.first.plus(11)

    def months(self, until: ReportMonth | None = None) -> Iterator[ReportMonth]:
        """Yield its months in order, up to and including ``until`` if given."""
        for ahead in range(12):
            month = self.first.plus(ahead)
            if until is not None and month > until:
                return
            yield month


def parse_date(text: str, where: str = "date") -> dt.date:
    """Read an ISO date, ``YYYY-MM-DD`` and nothing else.

    Raises
    ------
    ParameterError
        For any other text, and for a date that does not exist. ``where`` names its option or key.
    """
    if isinstance(text, str) and _DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            pass
    raise ParameterError(
        "The date cannot be read.",
        [Problem(where, f"{text!r} is not a date;", "write YYYY-MM-DD, as in 2023-12-04.")],
    )


def date_in_words(day: dt.date) -> str:
    """Return a date in words, as the United States writes it: ``December 4, 2023``."""
    return f"{MONTH_NAMES[day.month - 1]} {day.day}, {day.year}"
