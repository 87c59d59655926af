"""Read a column of dates: in which order day and month are, and what a time zone means."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from viputils.config.fields import AS_WRITTEN
from viputils.config.program import Intake
from viputils.config.program_file import pasted
from viputils.core.errors import Problem
from viputils.core.text import plural
from viputils.intake.columns import TextColumn
from viputils.intake.dates import DAY_FIRST, MONTH_FIRST, has_zone, read_day
from viputils.intake.export import Export


@dataclass(frozen=True)
class EitherOrder:
    """A column with dates that fit both orders, and none that fits only one.

    Attributes
    ----------
    where
        The sheet and the heading.
    order
        The order in which they were read: ``month first`` or ``day first``.
    days
        Each day as it was read and as it would be in the other order, with its number of dates.
    text
        One of the dates.
    """

    where: str
    order: str
    days: Mapping[tuple[str, str], int]
    text: str

    @property
    def other_order(self) -> str:
        """The order in which they were not read."""
        return _other(self.order)

    def span(self, other: bool = False) -> str:
        """Return the first and the last month of the days, as they were read or in the other order."""
        months = sorted({pair[other][:7] for pair in self.days})
        return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"

    def __str__(self) -> str:
        """Return how the dates were read, and which months each order gives."""
        number = sum(self.days.values())
        this, that = next(iter(self.days))
        return (
            f"{self.where}: {plural(number, 'date fits', 'dates fit')} both orders, such as {self.text!r} ({this} or "
            f"{that}). {'It was' if number == 1 else 'They were'} read {self.order} (intake.date_order), which gives "
            f"{self.span()}. Read {self.other_order}, {'it' if number == 1 else 'they'} would give "
            f"{self.span(other=True)}."
        )

    def is_doubtful(self, received: dt.date) -> bool:
        """Return whether the other order fits the day of receipt better.

        It does if some dates are after that day as they were read. It also does if the dates are in several months as
        they were read, and in the other order are all in one month, or all nearer to that day.
        """
        day = received.isoformat()
        if any(other > day for _, other in self.days):
            return False
        if any(this > day for this, _ in self.days):
            return True
        months = [{pair[place][:7] for pair in self.days} for place in (0, 1)]
        nearer = all(other > this for this, other in self.days)
        in_one = len(months[1]) == 1 and max(months[1]) >= max(months[0])
        return len(months[0]) > 1 and (in_one or nearer)


@dataclass
class _Seen:
    """The number of cells of one kind, and an example."""

    number: int = 0
    example: str = ""

    def add(self, example: str) -> None:
        self.number += 1
        self.example = self.example or example


class DateColumn(TextColumn):
    """Reads dates as ``YYYY-MM-DD``; a text that is not a date stays as it is."""

    def __init__(self, export: Export, column: str, intake: Intake) -> None:
        super().__init__(export, column)
        self._order, self._zone, self._epoch = intake.date_order, intake.time_zone, export.sheet.epoch
        self._only_this_order = self._only_other_order = 0
        self._either: Counter[tuple[str, str]] = Counter()
        self._either_as = ""
        self._unknown_zone, self._converted, self._moved = _Seen(), _Seen(), _Seen()

    def is_day(self, row: Sequence[str]) -> bool:
        """Return whether the cell of a row is a day."""
        text = " ".join(row[self._place].split()) if self._place is not None and self._place < len(row) else ""
        return read_day(text, self._order, self._zone or AS_WRITTEN, self._epoch) is not None

    def _value(self, text: str, line: int) -> str:
        day = read_day(text, self._order, self._zone, self._epoch)
        self._compare_orders(day, read_day(text, _other(self._order), self._zone, self._epoch), text)
        if self._zone is None:
            if day is None and has_zone(text):
                self._unknown_zone.add(f"{text!r} in line {line}")
        elif day is not None and read_day(text, self._order, None, self._epoch) is None:
            self._converted.add(text)
            if day != read_day(text, self._order, AS_WRITTEN, self._epoch):
                self._moved.add(f"{text!r} in line {line}, which is {day} here")
        return day or text

    def _compare_orders(self, day: str | None, other: str | None, text: str) -> None:
        if day == other:
            return
        if day is None:
            self._only_other_order += 1
        elif other is None:
            self._only_this_order += 1
        else:
            self._either[day, other] += 1
            self._either_as = self._either_as or text

    def problems(self) -> Iterator[Problem]:
        """Yield the reasons why the column cannot be imported: an unknown time zone, or the other order of dates."""
        if number := self._unknown_zone.number:
            lines = pasted("intake", f'time_zone = "{AS_WRITTEN}"')
            yield Problem(
                self._where,
                f"has {plural(number, 'time')} with a time zone, such as {self._unknown_zone.example}. The day depends "
                "on the zone;",
                f'in program.toml, keep the day as written, or name the zone to convert to, such as "America/Denver":'
                f"{lines}",
            )
        if self._only_other_order and not self._only_this_order:
            other = _other(self._order)
            lines = pasted("intake", f'date_order = "{other}"')
            yield Problem(
                self._where,
                f"has dates in the other order: {self._only_other_order:,} can only be read {other}, and none only "
                f"{self._order};",
                f"ask the sender, or change program.toml:{lines}",
            )

    def either(self) -> Iterator[EitherOrder]:
        """Yield the dates of the column if they fit both orders and no date settles the order."""
        if self._either and not (self._only_this_order or self._only_other_order):
            yield EitherOrder(self._where, self._order, self._either, self._either_as)

    def notes(self) -> Iterator[str]:
        """Yield how times with a time zone were read."""
        if not self._converted.number:
            return
        times = plural(self._converted.number, "time")
        if self._zone == AS_WRITTEN:
            yield f"{self._where}: {times} with a time zone, read as written (intake.time_zone)"
            return
        moved = "no day changed"
        if self._moved.number:
            moved = f"{plural(self._moved.number, 'day')} changed, such as {self._moved.example}"
        yield f"{self._where}: {times} converted to {self._zone} (intake.time_zone); {moved}"

    def warnings(self) -> Iterator[str]:
        """Yield a warning if some dates fit only one order, and some only the other."""
        if (this := self._only_this_order) and (other := self._only_other_order):
            yield (
                f"{self._where}: {plural(this, 'date')} can only be read {self._order}, and {other:,} only "
                f"{_other(self._order)}. The other dates may be wrong, too."
            )


def _other(order: str) -> str:
    return DAY_FIRST if order == MONTH_FIRST else MONTH_FIRST
