"""Each interval, limit, test and curve agrees with R. r/answers.R made the table of answers, which names its calls."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pytest

from viputils.core.months import ReportMonth
from viputils.figures.engagement import Followed, time_to_engagement
from viputils.figures.stats import control_charts, interrupted, intervals, shifts, survival

TABLE: Final = Path(__file__).parent / "r" / "answers.csv"
# The columns of R's survfit, as shares of people who engaged.
CURVE: Final = {
    "time": lambda course: course["day"],
    "n.risk": lambda course: course["at_risk"],
    "n.event": lambda course: course["engaged"],
    "surv": lambda course: 1 - course["share"],
    "lower": lambda course: 1 - course["high"],
    "upper": lambda course: 1 - course["low"],
}


class Answer(NamedTuple):
    """One row of the table."""

    what: str
    inputs: dict[str, Any]
    numbers: list[float]


def _read() -> list[Answer]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [Answer(row["what"], _inputs(row["inputs"]), _numbers(row["answer"])) for row in csv.DictReader(file)]


def _inputs(text: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in text.split(";") if pair)
    return {name: given[0] if len(given := _numbers(values)) == 1 else given for name, values in pairs}


def _numbers(text: str) -> list[float]:
    return [math.nan if each == "NA" else float(each.replace("Inf", "inf")) for each in text.split()]


ANSWERS: Final = _read()


def _median(mean: float) -> list[float]:
    return [intervals.median(mean)]


def _tails() -> list[float]:
    return [control_charts.TAIL, control_charts.WARNING_TAIL, control_charts.INNER_TAIL]


def _usual_of(counts: Sequence[float], tail: float) -> list[float]:
    found = control_charts.usual_of([np.array(counts)], tail)
    return [found.dispersion, found.limits.low, found.limits.high]


def _odds_of_a_step(counts: Sequence[float]) -> list[float]:
    value = np.array(counts)
    return [shifts._scan(np.arange(len(value), dtype="float64"), value, []).odds]


def _curve(days: Sequence[int], engaged: Sequence[int], level: float) -> pd.DataFrame:
    observed = pd.Series(days, dtype="int64")
    happened = pd.Series(engaged, dtype="bool")
    people = pd.DataFrame({"days": observed.astype("Int64").where(happened), "observed": observed, "engaged": happened})
    return time_to_engagement(Followed(people, pd.Timestamp("2023-11-30")), level)


def _flags(numbers: Sequence[float]) -> pd.Series:
    return pd.Series(numbers).astype("bool")


def _median_days(days: Sequence[int], engaged: Sequence[int], level: float) -> list[float]:
    found = survival.medians(pd.Series(days, dtype="int64"), _flags(engaged), level=level)
    return found[["median", "low", "high"]].astype("Float64").to_numpy("float64", na_value=math.nan)[0].tolist()  # type: ignore[no-any-return]


def _log_rank(days: Sequence[int], engaged: Sequence[int], group: Sequence[int]) -> list[float]:
    found = survival.log_rank(pd.Series(days, dtype="int64"), _flags(engaged), pd.Series(group))
    return [found.chi2, found.freedom, found.p, *found.groups["expected"]]


def _interrupted(counts: Sequence[float], before: float) -> list[float]:
    months = pd.Index([ReportMonth(2021, 1).plus(ahead) for ahead in range(len(counts))])
    values = pd.Series(counts, index=months, dtype="Int64")
    found = interrupted.interrupted(values, months[int(before)], season=False)
    return [found.level.ratio, *found.level.interval, found.dispersion]


OURS: Final[dict[str, Callable[..., Any]]] = {
    "poisson": intervals.poisson,
    "ratio": intervals.ratio,
    "wilson": intervals.wilson,
    "future": intervals.future,
    "chance_limits": intervals.chance_limits,
    "median": _median,
    "tails": _tails,
    "usual_of": _usual_of,
    "odds of a step": _odds_of_a_step,
    "median days": _median_days,
    "log_rank": _log_rank,
    "interrupted": _interrupted,
    **{
        f"curve {name}": lambda name=name, **inputs: CURVE[name](_curve(**inputs)).astype("float64").tolist()
        for name in CURVE
    },
}


@pytest.mark.parametrize("what", list(OURS))
def test_it_agrees_with_r(what: str) -> None:
    asked = [answer for answer in ANSWERS if answer.what == what]
    assert asked
    # Chances at one, two and three standard deviations are written with five digits.
    # A regression stops once a step changes nothing that matters.
    places = {"tails": {"abs": 5e-6}, "interrupted": {"rel": 1e-6}}.get(what, {"rel": 1e-9, "abs": 1e-12})
    for answer in asked:
        found = list(OURS[what](**answer.inputs))
        assert found == pytest.approx(answer.numbers, nan_ok=True, **places), answer.inputs


@pytest.mark.parametrize("answer", [answer for answer in ANSWERS if answer.what == "are_even"])
def test_counts_are_even_up_to_the_chance_that_r_computes(answer: Answer) -> None:
    counts, (chance,) = answer.inputs["counts"], answer.numbers
    expected = answer.inputs.get("expected", [sum(counts) / len(counts)] * len(counts))
    expected = [each * sum(counts) / sum(expected) for each in expected]
    assert intervals.are_even(counts, expected, chance * (1 - 1e-6))
    assert not intervals.are_even(counts, expected, chance * (1 + 1e-6))


def test_each_of_rs_answers_is_compared() -> None:
    assert {answer.what for answer in ANSWERS} == {*OURS, "are_even"}
