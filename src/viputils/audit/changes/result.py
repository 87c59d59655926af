"""The result of a comparison: the figures that changed, and what could not be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from viputils.audit.changes.figure_tables import ADDED, MOVED, REMOVED
from viputils.core.errors import Problem
from viputils.figures.counts import KEY

CHANGES: Final = ["issue", *KEY, "before", "after", "change", "what", "printed", "said"]


@dataclass(frozen=True)
class Changes:
    """The changes between two issues or two commits.

    Attributes
    ----------
    before, after
        What was compared, in words.
    figures
        One row for each figure that differs: ``issue`` (empty if two issues are compared), ``measure``, ``category``,
        ``period``; ``before``, ``after`` and ``change`` (``Int64``, missing if there is no value); ``what`` (moved,
        added, removed); ``printed``; ``said`` (the reason in a commit message).
    compared
        The issues that both sides could compute.
    not_compared
        What a side could not compute, and why.
    notes
        What else a reader must know.
    """

    before: str
    after: str
    figures: pd.DataFrame
    compared: tuple[str, ...] = ()
    not_compared: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def unsaid(self) -> pd.DataFrame:
        """The printed figures that changed without a reason in a commit message."""
        return self.figures.loc[self.figures["printed"] & self.figures["said"].eq("")]

    def counts(self, printed: bool) -> dict[str, int]:
        """Return how many figures moved, were added and were removed, of those that are printed or of the others."""
        kinds = self.figures.loc[self.figures["printed"].eq(printed), "what"].value_counts()
        return {what: int(kinds.get(what, 0)) for what in (MOVED, ADDED, REMOVED)}

    @property
    def sentence(self) -> str:
        """How many figures moved, were added and were removed, in a sentence."""
        rows = self.figures
        where = " in what could be compared" if self.not_compared else ""
        if rows.empty:
            return f"No figure changed{where}." if self.compared else "Nothing could be compared."
        said = int((rows["printed"] & rows["said"].ne("")).sum())
        words = _in_words(self.counts(printed=True), "printed figure", "printed figures") or "No printed figure changed"
        words += where + (f", {said} of them explained by commit messages" if said else "")
        others = _in_words(self.counts(printed=False), "figure that no issue prints", "figures that no issue prints")
        return f"{words}; {others}." if others else f"{words}."

    @property
    def conclusion(self) -> list[str]:
        """The result in sentences: what changed, what could not be compared, and the notes."""
        return [
            f"{self.before} to {self.after}: {self.sentence}",
            *(f"COULD NOT BE COMPARED: {problem}" for problem in self.not_compared),
            *(f"Note: {note}" for note in self.notes),
        ]

    @property
    def shown(self) -> pd.DataFrame:
        """The changes as a table of texts for people."""
        rows = self.figures
        text = {name: rows[name].map("{:d}".format, na_action="ignore") for name in ("before", "after")}
        text["change"] = rows["change"].map("{:+d}".format, na_action="ignore")
        said = rows["said"].map(lambda reason: f", as said: {reason}" if reason else "")
        what = rows["what"] + rows["printed"].map({True: "", False: ", not printed"}) + said
        table = rows[["issue", *KEY]].assign(**text, what=what).astype("object").fillna("")
        return table if rows["issue"].ne("").any() else table.drop(columns="issue")

    def as_json(self) -> dict[str, Any]:
        """Return everything by name; the figures as a table."""
        return {
            "before": self.before,
            "after": self.after,
            "sentence": self.sentence,
            "counts": {"printed": self.counts(printed=True), "not_printed": self.counts(printed=False)},
            "unsaid": len(self.unsaid),
            "figures": self.figures,
            "compared": list(self.compared),
            "not_compared": [vars(problem) for problem in self.not_compared],
            "notes": list(self.notes),
        }


def _in_words(counts: Mapping[str, int], one: str, many: str) -> str:
    """Return counts in words: ``2 figures moved and 1 was added``; empty if there are none."""
    parts: list[str] = []
    for what, number in counts.items():
        if number:
            noun = "" if parts else f" {one if number == 1 else many}"
            verb = "" if what == MOVED else " was" if number == 1 else " were"
            parts.append(f"{number}{noun}{verb} {what}")
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of changes with the columns and types of ``Changes.figures``."""
    types = dict.fromkeys(["issue", *KEY, "what", "said"], "str") | dict.fromkeys(
        ["before", "after", "change"], "Int64"
    )
    return table[CHANGES].astype({**types, "printed": "bool"}).reset_index(drop=True)


def nothing() -> pd.DataFrame:
    """Return a table of no changes."""
    return typed(pd.DataFrame(columns=CHANGES))
