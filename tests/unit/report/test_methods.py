"""The page on methods has the numbers that were measured."""

from __future__ import annotations

import runpy

import pandas as pd

from tests.support.projects import REPOSITORY


def test_the_page_on_methods_has_the_numbers_of_the_simulation() -> None:
    summary = runpy.run_path(str(REPOSITORY / "scripts" / "simulate.py"))["summary"]
    page = " ".join((REPOSITORY / "report" / "pages" / "methods.md").read_text(encoding="utf-8").split())
    missing = [one for one in summary(pd.read_csv(REPOSITORY / "docs" / "simulation.csv")) if one not in page]
    assert missing == [], "run make simulate, and write its sentences into report/pages/methods.md"
