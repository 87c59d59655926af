"""One browser for each process of the tests, and the site that it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.artifacts import Artifacts
from tests.support.browser import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def site(artifacts: Artifacts) -> Path:
    """The repository's own site with its two newest issues, in both languages."""
    return artifacts.site() / "_site"
