"""What became of each row of a sheet."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import partial

from viputils.core.errors import BalanceError
from viputils.core.text import plural
from viputils.intake.date_column import EitherOrder


@dataclass
class Tally:
    """The rows of a sheet by what became of them: above the headings, headings, blank, records, or others.

    Attributes
    ----------
    lines
        The lines of the records, in order.
    others
        The other lines, such as totals, and the text that they begin with.
    notes
        How times were read.
    warnings
        What a person should check.
    either
        The columns of dates that fit both orders.
    """

    read: int = 0
    above: int = 0
    headings: int = 0
    blank: int = 0
    lines: array[int] = field(default_factory=partial(array, "q"))
    others: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    either: list[EitherOrder] = field(default_factory=list)

    @property
    def records(self) -> int:
        """The number of records."""
        return len(self.lines)

    def __str__(self) -> str:
        """Return the numbers of rows, which add up."""
        parts = [
            plural(self.records, "record"),
            f"{self.above:,} above the headings" if self.above else "",
            plural(self.headings, "heading row") if self.headings else "",
            f"{self.blank:,} blank" if self.blank else "",
            plural(len(self.others), "other row") if self.others else "",
        ]
        return f"{plural(self.read, 'row')} = {' + '.join(filter(None, parts))}"

    def require_balance(self, name: str) -> None:
        """Raise BalanceError if a row was lost: a fault of this software, never of the file."""
        out = self.above + self.headings + self.blank + self.records + len(self.others)
        if out != self.read:
            raise BalanceError(f"{name}: {self.read} rows were read and {out} came out. This is a fault of viputils.")
