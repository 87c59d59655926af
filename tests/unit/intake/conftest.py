"""Sheets of real files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tests.support.exports import Cell, MakeSheet
from viputils.intake.sheet import Sheet
from viputils.intake.sheets import read_sheets


@pytest.fixture
def sheet(tmp_path: Path) -> MakeSheet:
    """Make a sheet of a real CSV file that an agency could send."""

    def make(*rows: list[str], name: str = "export") -> Sheet:
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return read_sheets(path)[0]

    return make


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Sheet]:
    """Make a sheet of a real workbook, changed by ``change`` before it is saved."""

    def make(*rows: list[Cell], change: Callable[[openpyxl.Workbook], None] = lambda _: None) -> Sheet:
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        change(book)
        book.save(tmp_path / "export.xlsx")
        return read_sheets(tmp_path / "export.xlsx")[0]

    return make
