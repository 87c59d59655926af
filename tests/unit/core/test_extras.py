"""Without the package of an extra, an analysis names the extra that installs it."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from viputils.core.errors import ParameterError
from viputils.figures.stats.survival import curves
from viputils.records.remote.mirror import not_installed


def test_a_curve_without_statsmodels_names_the_extra_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    with pytest.raises(ParameterError) as raised:
        curves(pd.Series([3, 5]), pd.Series([True, False]))
    assert str(raised.value).splitlines() == [
        "The analysis cannot be computed.",
        "  - curves: needs the package statsmodels, which is not installed; run `pip install 'viputils[lab]'`.",
    ]


def test_an_address_without_its_package_names_the_extra_that_installs_it() -> None:
    (problem,) = not_installed("s3://records", "fsspec").problems
    assert problem.remedy == "run `pip install 'viputils[sources]'`."
