"""The figures that commit messages announce: ``Moves-figure: MONTH FIGURE -- REASON``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from viputils.core.errors import VipError
from viputils.core.periods import parse_period
from viputils.core.text import folded
from viputils.figures.counts import key_of_row

_FORM: Final = "Moves-figure: MONTH FIGURE -- REASON"
_TRAILER: Final = re.compile(r"^moves-figure:(.*(?:\n[ \t]+\S.*)*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Statement:
    """A change that a commit message announces; an empty month or figure means any."""

    commit: str
    which: str
    month: str
    figure: str
    reason: str

    def covers(self, row: Mapping[Any, Any]) -> bool:
        """Return whether the statement is about a figure: it names its key, its measure, or all figures."""
        month = str(row["issue"]).split(" ", maxsplit=1)[0]
        names = (folded(key_of_row(row)), folded(str(row["measure"])))
        return self.month in ("", month) and (not self.figure or folded(self.figure) in names)


def read_statements(messages: Iterable[tuple[str, str]]) -> tuple[list[Statement], list[str]]:
    """Read the statements in commit messages, and return a note for each that is malformed."""
    found, notes = [], []
    for commit, message in messages:
        for line in _TRAILER.finditer(message):
            text = " ".join(line[1].split())
            statement = _statement(commit[:9], text)
            if statement is None:
                notes.append(f"{commit[:9]} has '{text}', which lacks a figure or a reason; write: {_FORM}.")
            else:
                found.append(statement)
    return found, notes


def _statement(commit: str, text: str) -> Statement | None:
    which, reason = (part.strip() for part in (*re.split(r" (?:—|--) ", f"{text} ", maxsplit=1), "")[:2])
    month, _, figure = which.partition(" ")
    good = bool(which and reason)
    if month.casefold() == "all":
        month = ""
    else:
        good = good and bool(figure) and _is_period(month)
    figure = "" if figure.casefold() == "all" else figure.strip()
    return Statement(commit, which, month, figure, reason) if good else None


def _is_period(text: str) -> bool:
    try:
        parse_period(text)
    except VipError:
        return False
    return True
