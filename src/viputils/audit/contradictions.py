"""Contradictions of a print: printed figures that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from viputils.config.program import Distinct, Measure, Period, Program
from viputils.core.months import ReportMonth
from viputils.core.text import uncapital
from viputils.figures.counts import KEY, PERIODS, categories_of, key_text


@dataclass(frozen=True)
class Contradiction:
    """Printed figures that do not add up.

    Attributes
    ----------
    text
        The figures, in words.
    keys
        The keys of the figures.
    impossible
        Whether no records could give all of them. Records without a value can explain a breakdown that adds up to less
        than the whole.
    """

    text: str
    keys: tuple[tuple[str, str, str], ...]
    impossible: bool


def contradictions(published: pd.DataFrame, program: Program, month: ReportMonth) -> list[Contradiction]:
    """Return the contradictions of a print, whatever the records are.

    Every breakdown of a count must add up to the count itself. A month must not exceed its fiscal year to date, and
    must equal it in the first month of the year.
    """
    return [*_totals_that_differ(published, program, month), *_months_above_their_year(published, program, month)]


def _totals_that_differ(published: pd.DataFrame, program: Program, month: ReportMonth) -> Iterator[Contradiction]:
    counted: dict[tuple[object, ...], list[str]] = {}
    for name, measure in program.measures.items():
        if not isinstance(measure.count, Distinct):  # A value that is counted once can be in several categories.
            counted.setdefault(_what(measure), []).append(name)
    printed = published.set_index(KEY)["value"].to_dict()
    for names in counted.values():
        for period in PERIODS:
            totals = {}
            for name in names:
                keys = [(name, category, period) for category in categories_of(program, name, month)]
                if all(key in printed for key in keys):
                    totals[name] = (sum(int(printed[key]) for key in keys), keys)
            if len({total for total, _ in totals.values()}) > 1:
                adds = [f"{_by(program, name)} {total:,}" for name, (total, _) in totals.items()]
                title = program.tables[program.measures[names[0]].table].title
                whole = {total for name, (total, _) in totals.items() if _counts_every_record(program, name)}
                most = max(total for total, _ in totals.values())
                yield Contradiction(
                    f"{title}, {_period_words(program, month, period)}: {', '.join(adds[:-1])} and {adds[-1]}.",
                    tuple(key for _, keys in totals.values() for key in keys),
                    impossible=len(whole) > 1 or (bool(whole) and most > max(whole)),
                )


def _months_above_their_year(published: pd.DataFrame, program: Program, month: ReportMonth) -> Iterator[Contradiction]:
    wide = published.pivot_table(
        index=["measure", "category"], columns="period", values="value", aggfunc="first", sort=False
    )
    if not {"month", "fytd"} <= set(wide.columns):
        return
    first = month.fiscal_year(program.identity.fiscal_year_starts).first == month
    both = wide.dropna()
    wrong = both.loc[both["month"].ne(both["fytd"]) if first else both["month"].gt(both["fytd"])]
    for measure, category, of_month, to_date in wrong[["month", "fytd"]].reset_index().itertuples(index=False):
        name = key_text((measure, category))
        rule = "in the first month of the year both are the same" if first else "a month is part of its year"
        yield Contradiction(
            f"{name}: {of_month:,.0f} for the month and {to_date:,.0f} for the year to date; {rule}.",
            ((measure, category, "month"), (measure, category, "fytd")),
            impossible=True,
        )


def _counts_every_record(program: Program, name: str) -> bool:
    """Return whether every record that a measure could count has a category."""
    measure = program.measures[name]
    if measure.by is None or measure.by == "month":
        return True
    return program.tables[measure.table].columns[measure.by].required or measure.missing is not None


def _by(program: Program, name: str) -> str:
    """Return the breakdown of a total in words: ``by incident type``, or ``in all`` if there is none."""
    measure = program.measures[name]
    return "in all" if measure.by is None else f"by {uncapital(measure.label)}"


def _what(measure: Measure) -> tuple[object, ...]:
    return measure.table, str(measure.count), tuple(measure.where.items()), measure.followed_by


def _period_words(program: Program, month: ReportMonth, period: Period) -> str:
    return month.label if period == "month" else f"{program.identity.year} to date ({program.identity.year_to_date})"
