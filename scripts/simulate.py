"""Measure how often the report's own assessment is right, on histories that we make: false claims, and changes found.

Each history ends in the month that is judged, at any place of the fiscal year. Its counts are split at random into six
types and six areas, as in the report. The table goes to docs/simulation.csv. The sentences that are printed last are
those of report/pages/methods.md, and a test compares them.

    python scripts/simulate.py                  2,000 histories for each line, with one process for each core
    python scripts/simulate.py --histories 100 --output quick.csv
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from viputils.core.months import ReportMonth
from viputils.figures.assessment import Assessment, judge

ROOT: Final = Path(__file__).parent.parent
TABLE: Final = ROOT / "docs" / "simulation.csv"
HISTORIES: Final = 2000
SEED: Final = 20231101
# The shares of six categories, as uneven as those of the report.
SHARES: Final = (0.5, 0.15, 0.12, 0.1, 0.08, 0.05)
CLAIMS: Final = ("month", "categories", "change", "year", "year of categories")

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Randoms = np.random.Generator


@dataclass(frozen=True)
class Case:
    """One line of the tables.

    Attributes
    ----------
    months
        The months before the change, or all months if nothing changes.
    season, trend
        The largest distance from the average; the change in a year (as logarithm).
    dispersion, correlation
        The variance in units of the mean, and the correlation of what exceeds chance from one month to the next.
    times, lasting
        By how much the level changes, and for how many months, the judged one included.
    """

    name: str
    mean: float
    months: int
    season: float = 0.0
    trend: float = 0.0
    dispersion: float = 1.0
    correlation: float = 0.0
    times: float = 1.0
    lasting: int = 0


NULLS: Final[dict[str, dict[str, Any]]] = {
    "only chance": {},
    "variance 1.5 times the mean": {"dispersion": 1.5},
    "variance twice the mean": {"dispersion": 2.0},
    "season of 10%": {"season": 0.1},
    "season of 20%": {"season": 0.2},
    "season of 20%, variance twice the mean": {"season": 0.2, "dispersion": 2.0},
    "trend of 10% a year": {"trend": 0.1},
    "neighboring months alike, variance twice the mean": {"dispersion": 2.0, "correlation": 0.5},
}
MEANS: Final = (5, 20, 60)


def null_cases() -> list[Case]:
    """Return the histories without a change."""
    every = [
        Case(name, mean, months, **kind) for (name, kind), mean, months in product(NULLS.items(), MEANS, (16, 24, 36))
    ]
    return [*every, *(Case("season of 30% and three years of records", mean, 36, season=0.3) for mean in MEANS)]


def changed_cases(lasting: Sequence[int] = range(1, 13)) -> list[Case]:
    """Return the histories with a lasting change."""
    return [
        Case(name, mean, months, season=season, times=times, lasting=last)
        for (name, season, months), mean, times, last in product(
            (("no season", 0.0, 24), ("season of 20%", 0.2, 36)), MEANS, (2.0, 1.5, 1.25, 0.5), lasting
        )
    ]


def rates_of(case: Case, number: int, random: Randoms) -> Numbers:
    """Return the true rates of each month of some histories, one row each, for a year beyond the judged month."""
    judged = case.months + case.lasting
    time = np.arange(judged + 12)
    rates = np.full((number, len(time)), float(case.mean))
    if case.season:
        rates = rates * (1 + case.season * np.sin(2 * np.pi * (time / 12 + random.random((number, 1)))))
    if case.trend:
        rates = rates * np.exp(random.choice([-1, 1], (number, 1)) * case.trend / 12 * (time - judged / 2))
    if case.lasting:
        rates = rates * np.where(time >= case.months, case.times, 1.0)
    return rates * _excess(case, rates, random)


def _excess(case: Case, rates: Numbers, random: Randoms) -> Numbers:
    """Return factors around 1 that make counts vary more than chance does."""
    if case.dispersion == 1:
        return np.ones_like(rates)
    if not case.correlation:
        scale = (case.dispersion - 1) / rates
        return random.gamma(1 / scale, scale)
    spread = np.sqrt(np.log1p((case.dispersion - 1) / case.mean))
    noise: Numbers = np.asarray(random.standard_normal(rates.shape))
    for at in range(1, rates.shape[1]):
        noise[:, at] = case.correlation * noise[:, at - 1] + np.sqrt(1 - case.correlation**2) * noise[:, at]
    return np.asarray(np.exp(spread * noise - spread**2 / 2))


def judged(case: Case, rates: Numbers, place: int, random: Randoms) -> tuple[Assessment, int]:
    """Return the assessment of one history, at a place of the fiscal year, and the true count of its full year."""
    counts = random.poisson(rates)
    months = case.months + case.lasting
    last = ReportMonth(2023, 7).plus(place)
    index = [last.plus(at - months + 1) for at in range(months)]
    so_far = pd.Series(counts[:months], index=index, dtype="Int64")
    parts = {}
    # A change of the whole is found in the whole.
    for name in () if case.lasting else ("type", "area"):
        split = random.multinomial(counts[:months], SHARES)
        parts[name] = pd.DataFrame(split, index=index, columns=list("abcdef"), dtype="Int64")
    year = counts[months - 1 - place : months - 1 - place + 12].sum() if months > place else -1
    return judge("counts", so_far, parts, 7), int(year)


def claims_of(found: Assessment, rising: float) -> dict[str, bool]:
    """Return which claims of an issue are made. That a year differs is no false claim if ``rising`` says so, too."""
    wrong = {"higher": rising <= 0, "lower": rising >= 0, "no telling": False}
    return {
        "month": found.whole.verdict != "no telling",
        "categories": any(part.verdict != "no telling" for each in found.parts.values() for part in each),
        "change": found.shift is not None,
        "year": found.year is not None and wrong[found.year.verdict],
        "year of categories": any(wrong[part.verdict] for each in found.year_parts.values() for part in each),
    }


def measured(case: Case, number: int, seed: int) -> dict[str, object]:
    """Return one line of the tables: the percent of histories with each claim, and how often estimates are right."""
    random = np.random.default_rng(seed)
    rates = rates_of(case, number, random)
    claims, ends, changes = [], [], []
    for at in range(number):
        found, year = judged(case, rates[at], at % 12, random)
        claims.append(claims_of(found, rates[at, case.months - 1] - rates[at, 0] if case.trend else 0.0))
        if found.pace.at_end is not None:
            ends.append(year in found.pace.at_end)
        if found.shift is not None:
            changes.append(found.shift)
    table = pd.DataFrame(claims)
    percent = {name: round(100 * float(table[name].mean()), 2) for name in CLAIMS}
    line: dict[str, object] = {"case": case.name, "mean": case.mean, "months": case.months}
    line |= {"times": case.times, "lasting": case.lasting, "histories": number, **percent}
    line["any"] = round(100 * float(table.any(axis=1).mean()), 2)
    line["estimates"] = len(ends)
    line["year_end_right"] = round(100 * float(np.mean(ends)), 2) if ends else ""
    if case.lasting:
        toward = [one for one in changes if (one.ratio.low > 1) == (case.times > 1)]
        named = table["month"] | table["change"]
        line["named"] = round(100 * float(named.mean()), 2)
        line["range_right"] = (
            round(100 * float(np.mean([case.times in one.ratio for one in toward])), 2) if toward else ""
        )
    return line


def summary(table: pd.DataFrame) -> list[str]:
    """Return the sentences of the page on methods: the worst line of each kind."""
    null = table.loc[table["lasting"].eq(0)]
    changed = table.loc[table["lasting"].gt(0)]
    worst = null.groupby("case", sort=False)["any"].max()
    said = [f"{str(kind).capitalize()}: {np.ceil(10 * most) / 10:g} percent." for kind, most in worst.items()]
    for case, records in (("no season", "two"), ("season of 20%", "three")):
        of_case = changed.loc[changed["case"].eq(case)]
        for mean, times, first, what in (
            (60, 2.0, 2, "doubling from 60"),
            (20, 2.0, 2, "doubling from 20"),
            (60, 1.5, 3, "rise from 60 to 90"),
            (60, 0.5, 3, "drop from 60 to 30"),
        ):
            lines = of_case.loc[of_case["mean"].eq(mean) & of_case["times"].eq(times) & of_case["lasting"].ge(first)]
            least = np.floor(lines["named"].min())
            said.append(
                f"A {what}, {case}, {records} years of records before it: named in at least {least:g} percent of cases "
                f"{first} to 12 months after it."
            )
    ends = null["year_end_right"].astype("float64")
    weights = null["estimates"] / null["estimates"].sum()
    right = (ends * weights).sum()
    said.append(f"If nothing changed, the range for the end of the year was right in {right:.0f} percent of cases.")
    return said


def _run(job: tuple[Case, int, int]) -> dict[str, object]:
    return measured(*job)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every line and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=("null", "changed"))
    parser.add_argument("--match", default="")
    parser.add_argument("--output", type=Path, default=TABLE)
    chosen = parser.parse_args(arguments)
    kinds = {"null": null_cases(), "changed": changed_cases()}
    jobs = [
        (case, chosen.histories, SEED + number)
        for kind, cases in kinds.items()
        for number, case in enumerate(cases)
        if chosen.only in (None, kind) and chosen.match in case.name
    ]
    lines = []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for line in pool.map(_run, jobs):
            lines.append(line)
            print(*line.values(), file=sys.stderr, flush=True)
    names = list(dict.fromkeys(name for line in lines for name in line))
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    with chosen.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    if not chosen.only and not chosen.match:
        sys.stdout.write("\n".join(summary(pd.read_csv(chosen.output))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
