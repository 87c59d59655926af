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

from viputils.figures.engagement import Followed, time_to_engagement
from viputils.figures.stats import control_charts, intervals, shifts

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
    places = {"abs": 5e-6} if what == "tails" else {"rel": 1e-9, "abs": 1e-12}
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
