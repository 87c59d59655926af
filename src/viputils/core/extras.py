"""Packages that only some users need: each extra of pyproject.toml installs those of one use."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from viputils.core.errors import ParameterError, Problem


def not_installed(where: str, package: str, extra: Literal["lab", "cluster", "sources"]) -> Problem:
    """Return the problem of a package that is not installed, with the extra that installs it."""
    remedy = f"run `pip install 'viputils[{extra}]'`."
    return Problem(where, f"needs the package {package}, which is not installed;", remedy)


def require_statsmodels(where: str) -> None:
    """Raise ``ParameterError`` if statsmodels, which only analysts need, is not installed."""
    if find_spec("statsmodels") is None:
        raise ParameterError("The analysis cannot be computed.", [not_installed(where, "statsmodels", "lab")])
