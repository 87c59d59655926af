"""The back test: every figure of every issue in data/published comes out of the raw records again."""

from __future__ import annotations

import pytest

from tests.support.projects import REPOSITORY
from viputils.audit.register import IssueName, PublishedIssue, read_register
from viputils.audit.verdicts import IssueVerdicts, verify_register, worst
from viputils.config.project import Project
from viputils.core.months import ReportMonth

PROJECT = Project.open(REPOSITORY)
REGISTER = read_register(PROJECT)


@pytest.fixture(scope="module")
def verdicts() -> list[IssueVerdicts]:
    return verify_register(PROJECT)


def test_the_register_holds_the_november_2023_issue() -> None:
    assert REGISTER.issue(IssueName(ReportMonth(2023, 11))).manifest is not None


@pytest.mark.parametrize(
    "issue",
    [issue for issue in REGISTER.issues if REGISTER.replaced_by(issue.name) is None],
    ids=lambda issue: str(issue.name),
)
def test_every_printed_figure_is_reproduced(issue: PublishedIssue, verdicts: list[IssueVerdicts]) -> None:
    (found,) = (one for one in verdicts if one.issue.name == issue.name)
    off = found.figures.loc[~found.figures["verdict"].isin(["reproduced", "revised since"])]
    assert off.empty, f"\n{off.to_string(index=False)}"
    assert worst([found]) is None
