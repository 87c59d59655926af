"""Windows of months, and the two that are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from viputils.core.errors import ParameterError, Problem
from viputils.core.months import ReportMonth, Span
from viputils.core.periods import parse_period
from viputils.core.text import first_of

_BETWEEN: Final = ".."


@dataclass(frozen=True)
class Window:
    """The months from ``first`` to ``last``, both included."""

    first: ReportMonth
    last: ReportMonth

    def __str__(self) -> str:
        return f"{self.first}{_BETWEEN}{self.last}" if self.first != self.last else str(self.first)

    @property
    def months(self) -> list[ReportMonth]:
        """The months in order."""
        return list(self.first.until(self.last))

    @property
    def days(self) -> Span:
        """Every day of the window."""
        return Span(self.first.span.start, self.last.span.end)

    @property
    def length(self) -> int:
        """The number of days."""
        return (self.days.end - self.days.start).days + 1


def parse_window(text: str, starts: int, where: str = "window") -> Window:
    """Read ``2023-07..2023-11``, or one month, quarter or fiscal year, if years start with month ``starts``.

    Raises
    ------
    ParameterError
        For any other text, and if the window runs backwards. ``where`` names its argument.
    """
    begin, between, end = text.partition(_BETWEEN)
    try:
        if not between:
            months = parse_period(text).months(starts)
            return Window(months[0], months[-1])
        window = Window(ReportMonth.parse(begin), ReportMonth.parse(end))
    except ParameterError:
        remedy = "write two months as 2023-07..2023-11, or a period as 2023-11, FY2024-Q1 or FY2023."
        raise ParameterError(
            "The window cannot be read.", [Problem(where, f"{text!r} is not a window of months;", remedy)]
        ) from None
    if window.first > window.last:
        remedy = f"write the earlier month first: {Window(window.last, window.first)}."
        raise ParameterError("The window runs backwards.", [Problem(where, f"{begin} is after {end};", remedy)])
    return window


def require_comparable(first: Window, second: Window, known: Collection[ReportMonth]) -> None:
    """Raise ``ParameterError`` if two windows overlap or have months whose counts are unknown; lists all of them."""
    if both := [str(month) for month in first.months if month in second.months]:
        problem = Problem("windows", f"both have {first_of(both)};", "choose windows without a month in common.")
        raise ParameterError("The windows overlap, so they cannot be compared.", [problem])
    problems = [problem for window in (first, second) for problem in _unknown(window, known)]
    if problems:
        raise ParameterError("The windows cannot be compared.", problems)


def _unknown(window: Window, known: Collection[ReportMonth]) -> Iterator[Problem]:
    missing = [month for month in window.months if month not in known]
    if not missing:
        return
    if not known:
        yield Problem(str(window), "no month was over and delivered;", "deliver records first.")
        return
    what = [
        ("before the records begin", [month for month in missing if month < min(known)]),
        ("not over or not delivered", [month for month in missing if month > max(known)]),
        ("not delivered", [month for month in missing if min(known) < month < max(known)]),
    ]
    remedy = f"choose months from {min(known)} to {max(known)}."
    for text, months in what:
        if months:
            names = first_of([str(month) for month in months])
            yield Problem(str(window), f"has no counts for {names} ({text});", remedy)
