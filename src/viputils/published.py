"""The register of printed figures, and a verdict on each of them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.errors import Problem, PublishedError, nearest
from viputils.figures import COLUMNS, KEY
from viputils.periods import ReportMonth
from viputils.program import Program
from viputils.project import Project

REPRODUCED: Final = "reproduced"
DIFFERS: Final = "differs"
NOT_RECOMPUTED: Final = "not recomputed"
NOT_PUBLISHED: Final = "not in the published file"


_WHOLE: Final = re.compile(r"[0-9]{1,9}")


def printed_keys(program: Program, month: ReportMonth) -> list[tuple[str, str, str]]:
    """Give the key of every figure that the issue of a month prints, in printed order."""
    return [
        (name, category, period)
        for name, measure in program.measures.items()
        for period in measure.printed
        for category in (program.categories(name, month) or [""])
    ]


def read_published(project: Project, month: ReportMonth) -> pd.DataFrame:
    """Read the figures of one issue as they were printed.

    Returns
    -------
    DataFrame
        The figures table: ``measure``, ``category``, ``period``, ``value``.

    Raises
    ------
    PublishedError
        Where no issue of that month is in data/published, or its file is malformed; with every line at fault.
    """
    path = project.published(month)
    name = f"data/published/{month}.csv"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(str(known) for known in published_months(project)) or "none"
        raise PublishedError(
            f"The issue of {month} is not in the register of published figures.",
            [Problem(name, "is missing;", f"issues in the register: {known}.")],
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise PublishedError(
            "Published figures cannot be read.", [Problem(name, f"{error}.", "It is CSV in UTF-8.")]
        ) from None
    return _parse(text, name, project.program, month)


def published_months(project: Project) -> list[ReportMonth]:
    """Give the month of every issue in data/published, oldest first.

    Raises
    ------
    PublishedError
        Where a CSV file there is not named for a month: it would never be checked.
    """
    folder: Path = project.root / "data" / "published"
    months: list[ReportMonth] = []
    for path in sorted(folder.glob("*.csv")):
        try:
            months.append(ReportMonth.parse(path.stem))
        except Exception as error:
            raise PublishedError(
                "A file of published figures has no month.",
                [Problem(f"data/published/{path.name}", "is not named for a month;", "name it as in 2023-11.csv.")],
            ) from error
    return months


def compare(published: pd.DataFrame, figures: pd.DataFrame, program: Program, month: ReportMonth) -> pd.DataFrame:
    """Give a verdict on each printed figure.

    The figures that an issue prints are those that program.toml says it prints, and those that the published file
    holds beside them. One that is missing on either side is never a pass.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``period``, ``published`` and ``recomputed`` (``Int64``, missing where there is
        none), ``verdict``.
    """
    expected = pd.DataFrame(printed_keys(program, month), columns=KEY, dtype="str")
    keys = pd.concat([expected, published[KEY]], ignore_index=True).drop_duplicates()
    table = (
        keys.merge(published.rename(columns={"value": "published"}), on=KEY, how="left")
        .merge(figures.rename(columns={"value": "recomputed"}), on=KEY, how="left")
        .astype({"published": "Int64", "recomputed": "Int64"})
    )
    same = table["published"].eq(table["recomputed"]).fillna(value=False)
    verdict = pd.Series(DIFFERS, index=table.index, dtype="str").mask(same, REPRODUCED)
    verdict = verdict.mask(table["recomputed"].isna(), NOT_RECOMPUTED).mask(table["published"].isna(), NOT_PUBLISHED)
    return table.assign(verdict=verdict)


def _parse(text: str, name: str, program: Program, month: ReportMonth) -> pd.DataFrame:
    problems: list[Problem] = []
    rows: list[tuple[str, str, str, int]] = []
    first_line: dict[tuple[str, str, str], int] = {}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if header != COLUMNS:
            problems.append(
                Problem(f"{name}, line 1", f"the header is {','.join(header)!r};", f"it is {','.join(COLUMNS)}.")
            )
        for row in reader:
            where = f"{name}, line {reader.line_num}"
            if len(row) != len(COLUMNS):
                problems.append(
                    Problem(where, f"holds {len(row)} fields;", f"it holds {len(COLUMNS)}: {', '.join(COLUMNS)}.")
                )
                continue
            measure, category, period, value = row
            problems += _row_problems(program, month, where, measure, category, period, value)
            before = first_line.setdefault((measure, category, period), reader.line_num)
            if before != reader.line_num:
                problems.append(
                    Problem(
                        where,
                        f"'{measure}/{category}/{period}' stands on line {before} already;",
                        "keep the printed one.",
                    )
                )
            rows.append((measure, category, period, int(value) if _WHOLE.fullmatch(value) else -1))
    except csv.Error as error:
        problems.append(
            Problem(f"{name}, line {reader.line_num}", f"is not CSV: {error}.", "A quote inside a value is doubled.")
        )
    if not rows and not problems:
        problems.append(Problem(name, "holds no figure;", "transcribe the printed issue, one figure a line."))
    if problems:
        raise PublishedError("Published figures are not as they must be.", problems)
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"measure": "str", "category": "str", "period": "str", "value": "int64"}
    )


def _row_problems(
    program: Program, month: ReportMonth, where: str, measure: str, category: str, period: str, value: str
) -> list[Problem]:
    problems = []
    if measure not in program.measures:
        remedy = nearest(measure, program.measures) or f"known: {', '.join(program.measures)}."
        problems.append(Problem(f"{where}, measure", f"{measure!r} is not a measure of program.toml;", remedy))
    elif category not in (known := program.categories(measure, month) or [""]):
        remedy = nearest(category, known) or f"known: {', '.join(known) or 'the empty category'}."
        problems.append(Problem(f"{where}, category", f"{category!r} is not a category of {measure};", remedy))
    if period not in ("month", "fytd"):
        problems.append(Problem(f"{where}, period", f"{period!r} is not a period;", "write month or fytd."))
    if not _WHOLE.fullmatch(value):
        problems.append(
            Problem(f"{where}, value", f"{value!r} is not a whole number;", "write digits only, as in 2599.")
        )
    return problems
