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
        aliases: dict[str, list[str]] = {}
        lines = []
        for value in counts.index:
            if nearest[value] in values:
                aliases.setdefault(nearest[value], list(values[nearest[value]])).append(value)
            else:
                lines.append(f"{_quoted(value)} = []")
        changed = [f"{_quoted(value)} = {_quoted(known)}  # replaces its line" for value, known in aliases.items()]
        listed = ", ".join(f"{value!r} ({plural(int(number), 'row')})" for value, number in counts.items())
        yield Problem(
            f"{table}.{field}",
            f"has values that vocabularies.{vocabulary} lacks: {listed};",
            f"if they are right, add to program.toml:{pasted(f'vocabularies.{vocabulary}', *changed, *lines)}",
        )


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
