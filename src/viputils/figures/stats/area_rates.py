"""Rates of areas, and which of them chance does not explain: a funnel plot."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from viputils.core.errors import ParameterError, Problem
from viputils.figures.plots import LIMITS, RatesFrame
from viputils.figures.stats.intervals import LEVEL, chance_limits, poisson

# Rates are for so many people.
PER: Final = 100_000
# Why an area has no rate.
NO_PEOPLE: Final = "the number of people is not known"
NOBODY: Final = "no one lives there"


def area_rates(
    counts: pd.Series, people: pd.Series, years: float = 1.0, per: int = PER, level: float = LEVEL
) -> RatesFrame:
    """Return the yearly rate of each area, with its exact interval and the limits of a funnel plot.

    An area with few people has wide limits, because chance moves its rate more: D. Spiegelhalter, Funnel plots for
    comparing institutional performance, Statistics in Medicine 24 (2005), with exact Poisson limits. The intervals are
    those of F. Garwood, Biometrika 28 (1936).

    Parameters
    ----------
    counts, people
        By area.
    years
        The length of time that is counted.
    per
        Rates are for so many people.

    Returns
    -------
    DataFrame
        ``area``, ``count``, ``people`` (``Int64``), ``rate`` with its interval from ``low`` to ``high``, the
        ``overall`` rate of all areas with people, ``low_95``, ``high_95``, ``low_998`` and ``high_998`` (``Float64``:
        the limits of chance around it), ``outside`` (``high`` or ``low`` beyond the wider limits, else ``""``) and
        ``note`` (why there is no rate).

    Raises
    ------
    ParameterError
        If a count or a number of people is negative, or no area has people.
    """
    people = people.reindex(counts.index).astype("Float64")
    _require(counts, people, years, per)
    has = people.gt(0).fillna(False).astype("bool")
    events, everyone = float(counts[has].sum()), float(people[has].sum())
    overall = events / (everyone * years) * per
    table = pd.DataFrame(
        {
            "area": counts.index.astype("str"),
            "count": counts.astype("Int64").to_numpy(),
            "people": people.round().astype("Int64").to_numpy(),
            "rate": (counts.astype("Float64") / (people.where(has) * years) * per).array,
        }
    )
    bounds = [
        poisson(int(count), float(number) * years / per, level) if here else (None, None)
        for count, number, here in zip(counts, people.fillna(0), has, strict=True)
    ]
    table[["low", "high"]] = pd.DataFrame(bounds, table.index).astype("Float64")
    table["overall"] = pd.Series(overall, table.index, dtype="Float64")
    for name, tail in LIMITS.items():
        limits = [
            [limit / (float(number) * years) * per for limit in chance_limits(events / everyone * float(number), tail)]
            if here
            else [None, None]
            for number, here in zip(people.fillna(0), has, strict=True)
        ]
        table[[f"low_{name}", f"high_{name}"]] = pd.DataFrame(limits, table.index).astype("Float64")
    sides = [table["rate"].gt(table["high_998"]).fillna(False), table["rate"].lt(table["low_998"]).fillna(False)]
    table["outside"] = np.select([side.astype("bool") for side in sides], ["high", "low"], "")
    notes = np.where(people.isna(), NO_PEOPLE, np.where(has, "", NOBODY))
    return RatesFrame(table.assign(note=notes))


def _require(counts: pd.Series, people: pd.Series, years: float, per: int) -> None:
    problems = [
        Problem(f"{name}, {area}", f"{value:g} is negative;", "it must be 0 or more.")
        for name, given in (("counts", counts), ("people", people))
        for area, value in given.dropna().items()
        if value < 0
    ]
    problems += [
        Problem(f"counts, {area}", "is not known;", "leave the area out.") for area in counts.index[counts.isna()]
    ]
    for name, value in (("years", years), ("per", per)):
        if not value > 0:
            problems.append(Problem(name, f"{value:g} is invalid;", "it must be more than 0."))
    if not people.gt(0).any():
        problems.append(Problem("people", "no area has people;", "name how many people live in each area."))
    if problems:
        raise ParameterError("There are no rates.", problems)
