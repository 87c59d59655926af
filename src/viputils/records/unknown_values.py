"""Values that program.toml does not know, with the lines to paste."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd

from viputils.config.program import Program
from viputils.config.program_file import pasted
from viputils.core.errors import Problem
from viputils.core.text import plural


def unknown_values(program: Program, quarantine: pd.DataFrame) -> Iterator[Problem]:
    """Yield one problem for each vocabulary that lacks values of records, with their counts and the lines to paste.

    Parameters
    ----------
    quarantine
        As ``Records.quarantine``.
    """
    rows = quarantine.loc[quarantine["reason"].eq("unknown_value")]
    for (table, field), given in rows.groupby(["table", "field"], sort=False):
        vocabulary = program.tables[str(table)].columns[str(field)].vocabulary
        if vocabulary is None:
            continue
        values = program.vocabularies[vocabulary]
        nearest = dict(zip(given["value"].astype("str"), given["nearest"].astype("str"), strict=True))
        counts = given["value"].astype("str").value_counts()
        listed = ", ".join(f"{value!r} ({plural(int(number), 'row')})" for value, number in counts.items())
        lines = [f"{_quoted(value)} = []" for value in counts.index]
        remedy = f"if they are values of their own, add to program.toml:{pasted(f'vocabularies.{vocabulary}', *lines)}"
        aliases: dict[str, list[str]] = {}
        for value in counts.index:
            if nearest[value] in values:
                aliases.setdefault(nearest[value], []).append(value)
        for known, written in aliases.items():
            line = f"{_quoted(known)} = {_quoted([*values[known], *written])}"
            meant = " and ".join(map(repr, written))
            remedy += f"\n      If {meant} should be {known!r}, write instead, in the place of its line:\n      {line}"
        what = f"has values that vocabularies.{vocabulary} lacks: {listed};"
        yield Problem(f"{table}.{field}", what, remedy)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
