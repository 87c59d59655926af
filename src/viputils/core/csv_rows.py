"""Small CSV files with a fixed header: their rows with line numbers, and every malformed line."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from typing import Final

from viputils.core.errors import Problem
from viputils.core.text import plural

# A text that is not a table at all may have a very long first line.
_HEADER_SHOWN: Final = 120


def csv_rows(
    text: str, name: str, columns: Sequence[str], optional: Collection[str] = ()
) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    """Return each row by column with the line on which it ends, and a problem for each malformed line.

    Parameters
    ----------
    name
        The name of the file in messages.
    columns
        The header.
    optional
        The columns that the header may lack. Their values are then empty.
    """
    rows: list[tuple[int, dict[str, str]]] = []
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if header != [column for column in columns if column in header or column not in optional]:
            what = f"the header is {','.join(header)[:_HEADER_SHOWN]!r};"
            return [], [Problem(f"{name}, line 1", what, f"it must be {','.join(columns)}.")]
        for row in reader:
            if len(row) == len(header):
                values = dict.fromkeys(columns, "") | dict(zip(header, row, strict=True))
                rows.append((reader.line_num, values))
            else:
                what = f"has {plural(len(row), 'field')};"
                remedy = f"it must have {len(header)}: {', '.join(header)}."
                problems.append(Problem(f"{name}, line {reader.line_num}", what, remedy))
    except csv.Error as error:
        what = f"is not CSV: {error}."
        problems.append(Problem(f"{name}, line {reader.line_num}", what, "Write a quote inside a value twice."))
    return rows, problems
