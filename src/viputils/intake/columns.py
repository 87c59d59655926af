"""Read the cells of one column: text, counts and codes. Dates are in ``date_column``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from viputils.config.program import Intake
from viputils.core.errors import Problem
from viputils.intake.export import Export
from viputils.records.codes import missing_pattern

# A text that Excel is told to keep as it is: ="00123".
_QUOTED: Final = re.compile(r'="(.*)"')
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# What spreadsheets make of codes: 1.23457E+15, and dates.
_SCIENTIFIC: Final = re.compile(r"\d\.\d+E[+-]?\d+|\d+E\+\d+", re.IGNORECASE)
_DATED: Final = re.compile(
    rf"\d{{1,2}}-(?:{_MONTHS})(?:-\d\d)?|(?:{_MONTHS})-\d\d|\d{{4}}-\d\d-\d\d(?: .*)?", re.IGNORECASE
)
# Case numbers of this form are not dates, even if the last part is a day.
_ISO: Final = re.compile(r"\d{4}-\d{1,2}-\d+")
_EXCEL_DIGITS: Final = 15
# At most this many wrong cells of a column are listed.
_SHOWN_CELLS: Final = 20
_AS_TEXT: Final = "format the column as text, type or import the codes again, and send the file again."


class TextColumn:
    """Reads the cells of a column as they are, with single blanks. A column that the sheet lacks is empty."""

    def __init__(self, export: Export, column: str) -> None:
        self._place = export.places.get(column)
        self._where = f"{export.where}, {export.headings.get(column, column)!r}"

    def read(self, row: Sequence[str], line: int) -> str:
        """Return the cell of a row as it is written to the delivery."""
        if self._place is None:
            return ""
        text = " ".join(row[self._place].split())
        if quoted := _QUOTED.fullmatch(text):
            text = quoted[1]
        return self._value(text, line)

    def _value(self, text: str, line: int) -> str:  # noqa: ARG002 - for messages of other columns
        return text

    def problems(self) -> Iterator[Problem]:
        """Yield the reasons why the column cannot be imported."""
        yield from ()


class CountColumn(TextColumn):
    """Reads whole numbers as digits."""

    def _value(self, text: str, line: int) -> str:  # noqa: ARG002 - for messages of other columns
        return whole_number(text)


class CodeColumn(TextColumn):
    """Reads codes, and finds those that a spreadsheet has changed."""

    def __init__(self, export: Export, column: str, intake: Intake) -> None:
        super().__init__(export, column)
        self._is_worksheet = export.sheet.is_worksheet
        self._missing = re.compile(missing_pattern(tuple(intake.missing), code=True), re.IGNORECASE)
        self._inexact: list[tuple[int, str]] = []
        self._dated: list[tuple[int, str]] = []
        self._long: list[tuple[int, str]] = []
        self._plain = self._numbered = 0

    def _value(self, text: str, line: int) -> str:
        if not text:
            return text
        if _SCIENTIFIC.fullmatch(text):
            self._inexact.append((line, text))
        elif _DATED.fullmatch(text) and (self._is_worksheet or not _ISO.match(text)):
            self._dated.append((line, text))
        elif not self._missing.fullmatch(text):
            self._plain += 1
            self._numbered += _ISO.match(text) is not None
            if text.isdecimal() and len(text) > _EXCEL_DIGITS:
                self._long.append((line, text))
        return text

    def problems(self) -> Iterator[Problem]:
        """Yield the codes that a spreadsheet has changed."""
        for line, text in self._inexact[:_SHOWN_CELLS]:
            yield Problem(f"{self._where}, line {line}", f"a spreadsheet has rounded the code to {text!r};", _AS_TEXT)
        if self._plain and not self._numbered:
            for line, text in self._dated[:_SHOWN_CELLS]:
                what = f"{text!r} is a date: a spreadsheet changes codes such as 3-12 into dates;"
                yield Problem(f"{self._where}, line {line}", what, _AS_TEXT)
        zeros = [(line, text) for line, text in self._long if not text[_EXCEL_DIGITS:].strip("0")]
        if len(zeros) > 1 and len(zeros) == len(self._long):
            line, text = zeros[0]
            what = (
                f"{text!r} and every other code of more than {_EXCEL_DIGITS} digits ends in zeros: a spreadsheet has "
                "rounded them;"
            )
            yield Problem(f"{self._where}, line {line}", what, _AS_TEXT)


def count(text: str) -> int | None:
    """Return a cell as a count, if it is one."""
    text = whole_number(text.strip())
    return int(text) if text.isascii() and text.isdecimal() else None


def whole_number(text: str) -> str:
    """Return a count as digits if a spreadsheet wrote it with a decimal point or commas."""
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.0+)?", text):
        text = text.replace(",", "")
    # In countries with a decimal comma, 1.000 is a thousand.
    return text.split(".")[0] if re.fullmatch(r"\d+\.0+", text) and not re.fullmatch(r"\d{1,3}\.000", text) else text
