"""How many examples a test of Hypothesis tries: few in `make test`, and as many as it needs in `make test-all`."""

from __future__ import annotations

from hypothesis import settings

# The number of the profile `thorough` in tests/conftest.py.
_THOROUGH = 100
# Fewer would hardly try anything.
_FEWEST = 5


def examples(thorough: int, fewest: int = _FEWEST) -> int:
    """Return the number given where the profile `thorough` is loaded, and else a tenth of it."""
    return thorough if settings().max_examples >= _THOROUGH else max(fewest, thorough // 10)
