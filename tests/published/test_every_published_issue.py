"""The back test: every figure of every issue in data/published comes out of the raw records again."""

from __future__ import annotations

import pytest

from tests.conftest import REPOSITORY
from viputils.edition import load_edition
from viputils.periods import ReportMonth
from viputils.project import Project
from viputils.published import compare, published_months, read_published

PROJECT = Project.open(REPOSITORY)
MONTHS = published_months(PROJECT)


def test_the_register_holds_the_november_2023_issue() -> None:
    assert ReportMonth(2023, 11) in MONTHS


@pytest.mark.parametrize("month", MONTHS, ids=str)
def test_every_printed_figure_is_reproduced(month: ReportMonth) -> None:
    figures = load_edition(PROJECT, month).figures
    verdicts = compare(read_published(PROJECT, month), figures, PROJECT.program, month)
    off = verdicts.loc[verdicts["verdict"].ne("reproduced")]
    assert off.empty, f"\n{off.to_string(index=False)}"
