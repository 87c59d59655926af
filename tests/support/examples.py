"""The number of examples of Hypothesis tests: few in `make test`, and many in `make test-all`."""

from __future__ import annotations

from hypothesis import settings

# The number in the profile `thorough` in tests/conftest.py.
_THOROUGH = 100
# The fewest examples that are useful.
_FEWEST = 5


def examples(thorough: int, fewest: int = _FEWEST) -> int:
    """Return the given number with the profile `thorough`, or else a tenth of it."""
    return thorough if settings().max_examples >= _THOROUGH else max(fewest, thorough // 10)
