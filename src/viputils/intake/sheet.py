"""A sheet as it was sent: its rows in blocks, its hidden parts and its merged cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from viputils.core.errors import DeliveryError, Problem

T = TypeVar("T")
CHUNK: Final = 1 << 20
# The day from which Excel counts days, unless the workbook names another one.
EPOCH_1900: Final = dt.date(1899, 12, 30)
WHOLE: Final = "the file is damaged or was cut off: open it in Excel and save it again, or ask for it again."


@dataclass(frozen=True)
class Block:
    """Some consecutive rows.

    Attributes
    ----------
    rows
        The cells as text, with their blanks. Rows can have different lengths.
    lines
        For each row, the line of the CSV file where it begins, or the number that Excel shows beside it.
    """

    rows: list[list[str]]
    lines: list[int]


@dataclass(frozen=True, order=True)
class Merged:
    """Cells that are merged into one: lines as Excel numbers them, columns from 0, both ends included."""

    first_line: int
    last_line: int
    first_column: int
    last_column: int

    def __str__(self) -> str:
        """Return the range as Excel writes it: ``D2:D5``."""
        return f"{letters(self.first_column)}{self.first_line}:{letters(self.last_column)}{self.last_line}"


@dataclass(frozen=True)
class Sheet:
    """A table of text cells: one worksheet, or a CSV file.

    Attributes
    ----------
    file
        The file's name without its folder, for messages.
    name
        The name of the worksheet; for a CSV file its name without the ending.
    notes
        Notes for the user on how it was read.
    merged
        The ranges of merged cells. Only the first cell of each has a value.
    epoch
        The day from which it counts the serial numbers of dates.
    """

    file: str
    name: str
    notes: list[str]
    _read: Callable[[int], Iterator[Block]] = field(repr=False, compare=False)
    merged: Sequence[Merged] = ()
    epoch: dt.date = EPOCH_1900

    @property
    def is_worksheet(self) -> bool:
        """Whether it is part of a workbook."""
        return self.file.casefold().endswith(".xlsx")

    @property
    def where(self) -> str:
        """The sheet, as messages name it."""
        return f"{self.file}, sheet '{self.name}'" if self.is_worksheet else self.file

    def blocks(self, size: int = 50_000) -> Iterator[Block]:
        """Yield the rows from the first, at most ``size`` at a time. A CSV file is never in memory as a whole.

        Raises
        ------
        DeliveryError
            If a row is not CSV. It is raised when the row is reached.
        """
        return self._read(size)


def refuse(where: str, what: str, remedy: str) -> DeliveryError:
    """Return the error for a file that is refused."""
    return refuse_all([Problem(where, what, remedy)])


def refuse_all(problems: list[Problem]) -> DeliveryError:
    """Return the error for a file that is refused for several reasons."""
    return DeliveryError("A file cannot be read.", problems)


def letters(column: int) -> str:
    """Return the letters of a column that is counted from 0."""
    name = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        name = chr(65 + place) + name
    return name
