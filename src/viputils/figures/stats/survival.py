"""Time until something happens to people, of whom some are still observed without it: curves, medians and a test."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from viputils.core.errors import ParameterError, Problem
from viputils.core.extras import require_statsmodels
from viputils.figures.stats.intervals import LEVEL

COLUMNS: Final = ("day", "at_risk", "happened", "share", "low", "high")
# The group of a curve, or of a median, if people are in groups.
GROUP: Final = "group"
# The fewest people of a group that can be compared.
ENOUGH: Final = 5


@dataclass(frozen=True)
class LogRank:
    """The result of a log-rank test.

    Attributes
    ----------
    groups
        By group: ``people``, ``happened`` and ``expected`` (how many would have had it if all groups were alike).
    chi2, freedom, p
        The test statistic, its degrees of freedom, and the chance of groups this different if all are alike. Missing if
        there is nothing to compare.
    reading
        What the test can tell, in one sentence.
    """

    groups: pd.DataFrame
    chi2: float
    freedom: int
    p: float
    reading: str

    def __str__(self) -> str:
        return self.reading


def curves(days: pd.Series, happened: pd.Series, groups: pd.Series | None = None, level: float = LEVEL) -> pd.DataFrame:
    """Return the Kaplan-Meier share of people to whom something has happened by each day.

    Source: E. L. Kaplan and P. Meier, Nonparametric estimation from incomplete observations, Journal of the American
    Statistical Association 53 (1958); statsmodels' ``SurvfuncRight``, with SciPy's interval on the log-log scale.

    Parameters
    ----------
    days
        The days until it happened, or until the last day on which the person was observed.
    happened
        Whether it happened. The others are censored.
    groups
        The group of each person. People without a group are left out.

    Returns
    -------
    DataFrame
        One row for each day on which it happened to a person: ``group`` (if there are groups), ``day``, ``at_risk``
        (people observed that long to whom it had not happened before) and ``happened`` on that day (``int64``),
        ``share``, ``low`` and ``high`` (``float64``; the last two are missing if it has happened to everyone).

    Raises
    ------
    ParameterError
        If a number of days is negative or missing.
    """
    _require(days)
    parts = [
        _curve(days[rows], happened[rows], level).assign(**({} if groups is None else {GROUP: name}))
        for name, rows in _members(days, groups)
    ]
    names = [*([] if groups is None else [GROUP]), *COLUMNS]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def medians(
    days: pd.Series, happened: pd.Series, groups: pd.Series | None = None, level: float = LEVEL
) -> pd.DataFrame:
    """Return the day by which it had happened to half of the people, with its interval.

    Source: R. Brookmeyer and J. Crowley, A confidence interval for the median survival time, Biometrics 38 (1982);
    statsmodels' ``quantile_ci`` on the log-log scale.

    Returns
    -------
    DataFrame
        One row, or one for each group: ``group``, ``people``, ``happened`` (``int64``), ``median``, ``low`` and
        ``high`` (``Int64``: days; missing if the people were not observed long enough to tell) and ``reading``.

    Raises
    ------
    ParameterError
        As ``curves``.
    """
    _require(days)
    rows = [
        {**({} if groups is None else {GROUP: name}), **_median(days[those], happened[those], level)}
        for name, those in _members(days, groups)
    ]
    names = [*([] if groups is None else [GROUP]), "people", "happened", "median", "low", "high", "reading"]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(("median", "low", "high"), "Int64"))


def log_rank(days: pd.Series, happened: pd.Series, groups: pd.Series) -> LogRank:
    """Test whether it takes equally long in all groups.

    Source: N. Mantel, Evaluation of survival data and two new rank order statistics arising in its consideration,
    Cancer Chemotherapy Reports 50 (1966); statsmodels' ``survdiff``.

    Raises
    ------
    ParameterError
        As ``curves``.
    """
    _require(days)
    known = groups.notna()
    days, happened, groups = days[known], happened[known].astype("bool"), groups[known]
    counts = pd.DataFrame({"people": groups.groupby(groups, observed=True).size()})
    counts["happened"] = happened.groupby(groups, observed=True).sum().astype("int64")
    counts["expected"] = _expected(days, happened, groups, counts.index)
    counts = counts.rename_axis(GROUP)
    small = [str(name) for name in counts.index[counts["people"].lt(ENOUGH)]]
    why_not = ""
    if len(counts) < 2:
        why_not = "there are fewer than two groups"
    elif not happened.any():
        why_not = "it has not happened to anyone yet"
    elif counts["expected"].le(0).any():
        why_not = "a group was not observed long enough"
    if why_not:
        return LogRank(counts, float("nan"), max(len(counts) - 1, 0), float("nan"), f"No comparison: {why_not}.")
    require_statsmodels("log_rank")
    from statsmodels.duration.survfunc import survdiff

    chi2, p = survdiff(days.to_numpy(), happened.to_numpy("int64"), groups.astype("str").to_numpy())
    reading = _words(float(p))
    if small:
        reading += f" Groups of fewer than {ENOUGH} people: {', '.join(small)}."
    return LogRank(counts, float(chi2), len(counts) - 1, float(p), reading)


def _words(p: float) -> str:
    chance = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if p < 1 - LEVEL:
        return f"The groups differ more than by chance (log-rank test, {chance})."
    return f"The counts do not show that the groups differ (log-rank test, {chance})."


def _members(days: pd.Series, groups: pd.Series | None) -> Iterator[tuple[Any, pd.Series]]:
    """Yield each group that has people, with its people."""
    if groups is None:
        if len(days):
            yield "", pd.Series(True, days.index)
        return
    names = groups.cat.categories if isinstance(groups.dtype, pd.CategoricalDtype) else groups.dropna().unique()
    for name in names:
        rows = groups.eq(name).fillna(False).astype("bool")
        if rows.any():
            yield name, rows


def _curve(days: pd.Series, happened: pd.Series, level: float) -> pd.DataFrame:
    if not happened.any():
        return pd.DataFrame(columns=list(COLUMNS))
    require_statsmodels("curves")
    from scipy import stats
    from statsmodels.duration.survfunc import SurvfuncRight

    days, happened = days.astype("int64"), happened.astype("bool")
    found = SurvfuncRight(days, happened.astype("int64"))
    # SciPy takes censored people separately.
    censored = stats.CensoredData(uncensored=days[happened], right=days[~happened])
    survival = stats.ecdf(censored).sf
    with warnings.catch_warnings():
        # There is no interval if it has happened to everyone. SciPy warns about it needlessly.
        warnings.simplefilter("ignore", RuntimeWarning)
        bounds = survival.confidence_interval(level, method="log-log")
    at = pd.Index(survival.quantiles)
    low, high = (pd.Series(1 - side.probabilities, at).reindex(found.surv_times) for side in (bounds.high, bounds.low))
    return pd.DataFrame(
        {
            "day": found.surv_times.astype("int64"),
            "at_risk": found.n_risk.astype("int64"),
            "happened": found.n_events.astype("int64"),
            "share": 1 - found.surv_prob,
            "low": low.to_numpy(),
            "high": high.to_numpy(),
        }
    )


def _median(days: pd.Series, happened: pd.Series, level: float) -> dict[str, Any]:
    counts = {"people": len(days), "happened": int(happened.sum())}
    nothing: dict[str, Any] = {"median": None, "low": None, "high": None}
    course = _curve(days, happened, level)
    # Allow for rounding errors in the product of fractions.
    reached = [int(day) for day, share in zip(course["day"], course["share"], strict=True) if share >= 0.5 - 1e-9]
    if not reached:
        return counts | nothing | {"reading": "Fewer than half had it while they were observed, so there is no median."}
    from statsmodels.duration.survfunc import SurvfuncRight

    found: Any = SurvfuncRight(days.astype("int64"), happened.astype("int64"))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = [float(end) for end in found.quantile_ci(0.5, alpha=1 - level, method="cloglog")]
    bounds = {side: int(end) if np.isfinite(end) else None for side, end in zip(("low", "high"), ends, strict=True)}
    middle = reached[0]
    until = f" to {bounds['high']}" if bounds["high"] is not None else " or later"
    between = " (too few people for an interval)"
    if bounds["low"] is not None:
        between = f" ({100 * level:.0f}% interval: day {bounds['low']}{until})"
    return counts | {"median": middle, **bounds, "reading": f"Half had it by day {middle}{between}."}


def _expected(days: pd.Series, happened: pd.Series, groups: pd.Series, names: pd.Index) -> pd.Series:
    """Return how many people of each group it would have happened to, if all groups were alike."""
    expected = pd.Series(0.0, names)
    for day in days[happened].unique():
        at_risk = groups[days.ge(day)].value_counts().reindex(names, fill_value=0)
        expected += at_risk / at_risk.sum() * int((happened & days.eq(day)).sum())
    return expected


def _require(days: pd.Series) -> None:
    wrong = days.isna() | days.lt(0)
    if wrong.any():
        first = days.index[wrong.to_numpy()][0]
        problem = Problem(f"days, {first}", f"{days[first]} is not a number of days;", "it must be 0 or more.")
        raise ParameterError("The times cannot be compared.", [problem])
