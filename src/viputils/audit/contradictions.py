"""Contradictions of a print: printed figures that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from viputils.config.program import Distinct, Measure, Program
from viputils.core.months import IssuePeriod
from viputils.core.periods import parse_period
from viputils.core.text import uncapital
from viputils.figures.counts import KEY, categories_of, issue_periods, key_text


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


def contradictions(published: pd.DataFrame, program: Program, issue: IssuePeriod) -> list[Contradiction]:
    """Return the contradictions of a print, whatever the records are.

    Every breakdown of a count must add up to the count itself. A month or quarter must not exceed its fiscal year to
    date, and must equal it if it is the first of the year.
    """
    return [*_totals_that_differ(published, program, issue), *_periods_above_their_year(published, program, issue)]


def _totals_that_differ(published: pd.DataFrame, program: Program, issue: IssuePeriod) -> Iterator[Contradiction]:
    counted: dict[tuple[object, ...], list[str]] = {}
    for name, measure in program.measures.items():
        if not isinstance(measure.count, Distinct):  # A value that is counted once can be in several categories.
            counted.setdefault(_what(measure), []).append(name)
    printed = published.set_index(KEY)["value"].to_dict()
    for names in counted.values():
        for period in issue_periods(program, issue):
            totals = {}
            for name in names:
                keys = [(name, category, period) for category in categories_of(program, name, issue)]
                if all(key in printed for key in keys):
                    totals[name] = (sum(int(printed[key]) for key in keys), keys)
            if len({total for total, _ in totals.values()}) > 1:
                adds = [f"{_by(program, name)} {total:,}" for name, (total, _) in totals.items()]
                title = program.tables[program.measures[names[0]].table].title
                whole = {total for name, (total, _) in totals.items() if _counts_every_record(program, name)}
                most = max(total for total, _ in totals.values())
                yield Contradiction(
                    f"{title}, {_period_words(program, issue, period)}: {', '.join(adds[:-1])} and {adds[-1]}.",
                    tuple(key for _, keys in totals.values() for key in keys),
                    impossible=len(whole) > 1 or (bool(whole) and most > max(whole)),
                )


def _periods_above_their_year(published: pd.DataFrame, program: Program, issue: IssuePeriod) -> Iterator[Contradiction]:
    wide = published.pivot_table(
        index=["measure", "category"], columns="period", values="value", aggfunc="first", sort=False
    )
    kind, starts = issue.kind, program.identity.fiscal_year_starts
    if not {kind, "fytd"} <= set(wide.columns):
        return
    first = issue.months(starts)[0].month == starts
    both = wide[[kind, "fytd"]].dropna()
    wrong = both.loc[both[kind].ne(both["fytd"]) if first else both[kind].gt(both["fytd"])]
    for measure, category, own, to_date in wrong.reset_index().itertuples(index=False):
        name = key_text((measure, category))
        rule = f"in the first {kind} of the year both are the same" if first else f"a {kind} is part of its year"
        yield Contradiction(
            f"{name}: {own:,.0f} for the {kind} and {to_date:,.0f} for the year to date; {rule}.",
            ((measure, category, kind), (measure, category, "fytd")),
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


def _period_words(program: Program, issue: IssuePeriod, period: str) -> str:
    if period == "fytd":
        return f"{program.identity.year} to date ({program.identity.year_to_date})"
    return (issue if period == issue.kind else parse_period(period)).label
