"""How many people live in each area: ``data/populations.csv``, which a city can keep. It has no records."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.core.errors import DeliveryError, Problem

FILE: Final = "data/populations.csv"
COLUMNS: Final = ("area", "year", "people", "source")


def read_populations(root: Path) -> pd.DataFrame:
    """Read the populations of a project.

    Returns
    -------
    DataFrame
        ``area`` (``str``), ``year`` and ``people`` (``int64``) and ``source`` (``str``: where the number is from).
        Without the file, it has no rows.

    Raises
    ------
    DeliveryError
        If the file is invalid; lists everything that is wrong.
    """
    path = root / FILE
    if not path.is_file():
        return _typed([])
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DeliveryError(
            "The populations cannot be read.", [Problem(FILE, f"{error};", "save it as CSV in UTF-8.")]
        ) from None
    header = tuple(rows[0]) if rows else ()
    if header != COLUMNS:
        problem = Problem(f"{FILE}, line 1", f"is {', '.join(header) or 'empty'};", f"it must be: {','.join(COLUMNS)}")
        raise DeliveryError("The populations are invalid.", [problem])
    seen: set[tuple[str, str]] = set()
    problems = []
    for line, row in enumerate(rows[1:], start=2):
        problems += _problems(f"{FILE}, line {line}", row, seen)
    if problems:
        raise DeliveryError("The populations are invalid.", problems)
    return _typed([[cell.strip() for cell in row] for row in rows[1:]])


def _problems(where: str, row: list[str], seen: set[tuple[str, str]]) -> list[Problem]:
    if len(row) != len(COLUMNS):
        return [Problem(where, f"has {len(row)} values;", f"write {len(COLUMNS)}: {', '.join(COLUMNS)}.")]
    area, year, people, source = (cell.strip() for cell in row)
    problems = [
        Problem(where, f"{name} is empty;", "every population needs its area and its source.")
        for name, value in (("area", area), ("source", source))
        if not value
    ]
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        problems.append(Problem(where, f"{year!r} is not a year;", "write a year, as in 2022."))
    if not (people.isascii() and people.isdigit()):
        problems.append(
            Problem(where, f"{people!r} is not a number of people;", "write a whole number without commas.")
        )
    if (area, year) in seen:
        problems.append(Problem(where, f"{area} in {year} is there twice;", "keep one line."))
    seen.add((area, year))
    return problems


def _typed(rows: list[list[str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
    return table.astype({"year": "int64", "people": "int64"})


def people_in(populations: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return the people of each area in a year, or in the last year before it that is known.

    Returns
    -------
    DataFrame
        By area: ``people``, their ``year`` and the ``source``.
    """
    known = populations.loc[populations["year"].le(year)].sort_values("year", kind="stable")
    return known.drop_duplicates("area", keep="last").set_index("area")[["people", "year", "source"]]
