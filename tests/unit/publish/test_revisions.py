"""The page about revisions and corrections: the policy of the city, and the log of the register."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from tests.support.projects import REPOSITORY
from tests.support.register import APPROVER, an_issue
from viputils.audit.register import IssueName, PublishedIssue
from viputils.config.project import Project
from viputils.publish.site.pages import Page
from viputils.publish.site.revisions import numbers_changed, revisions_log, revisions_page
from viputils.report.markdown import unescape

AS_OF = dt.date(2023, 12, 4)
DAYS = [dt.date(2023, 11, 6), dt.date(2023, 12, 11), dt.date(2023, 12, 21)]
ISSUES = [
    an_issue("2023-10", printed=DAYS[0]),
    an_issue("2023-10-r1", value=6, printed=DAYS[2], reason="One <b>record</b> was late.", approved_by=APPROVER),
    an_issue("2023-11", printed=DAYS[1], transcribed_by="vip publish"),
]
PLACES = {IssueName.parse(name): f"issues/{name}" for name in ("2023-10", "2023-10-r1")}


def rows_of(log: str) -> list[list[str]]:
    rows = [line for line in log.splitlines() if line.startswith("| ")][2:]
    return [[unescape(cell.strip()) for cell in row.strip("| ").split(" | ")] for row in rows]


def text_of(page: Page | None) -> str:
    assert page is not None
    return unescape("\n".join(cell.outputs[0].data["text/markdown"] for cell in page.cells))


def figures(**values: int) -> PublishedIssue:
    rows = [{"measure": name, "category": "", "period": "month", "value": value} for name, value in values.items()]
    return an_issue(figures=pd.DataFrame(rows))


def test_the_log_names_each_issue_the_newest_publication_first() -> None:
    assert rows_of(revisions_log(ISSUES, PLACES, Project.open(REPOSITORY).language)) == [
        [
            "[October 2023, re-issue 1](../issues/2023-10-r1/index.html)",
            "December 21, 2023",
            "1 number changed. One <b>record</b> was late.",
            "a person",
            APPROVER,
        ],
        ["November 2023", "December 11, 2023", "First publication", "vip publish", "not recorded"],
        [
            "[October 2023](../issues/2023-10/index.html)",
            "November 6, 2023",
            "First publication",
            "a person",
            "not recorded",
        ],
    ]


def test_the_log_is_in_spanish_and_marks_what_is_not() -> None:
    log = revisions_log(ISSUES, PLACES, Project.open(REPOSITORY, "es").language)
    first, second, _ = rows_of(log)
    assert first[0] == "[Octubre de 2023, reedición 1](../issues/2023-10-r1/index.html)"
    assert first[2] == "Cambió 1 cifra. [One <b>record</b> was late.]{lang=en}"
    assert second[1:3] + second[4:] == ["11 de diciembre de 2023", "Primera publicación", "no consta"]
    assert "<b>" not in log


def test_a_published_number_that_differs_or_is_missing_counts_as_changed_and_a_new_one_does_not() -> None:
    before = figures(responses=90, outreach_operations=3, reviews=1)
    assert numbers_changed(before, before) == 0
    assert numbers_changed(before, figures(responses=91, outreach_operations=3, referrals_made=0)) == 2


def test_a_city_has_the_policy_or_the_log_or_both_or_no_page(project: Project) -> None:
    def page(issues: list[PublishedIssue]) -> Page | None:
        return revisions_page(project, issues, {}, AS_OF, demonstration=False)

    assert page([]) is None
    assert text_of(page(ISSUES)).startswith("## All reports and corrections")
    text = project.report / "pages" / "revisions.md"
    text.parent.mkdir(parents=True)
    text.write_text("## Our policy\n\nWe say what we change.\n", encoding="utf-8")
    assert text_of(page([])).strip() == "## Our policy\n\nWe say what we change."
    both = text_of(page(ISSUES))
    assert both.index("Our policy") < both.index("All reports and corrections")
    assert "sample data" not in both


def test_sample_data_is_called_so(project: Project) -> None:
    page = revisions_page(project, ISSUES, {}, AS_OF, demonstration=True)
    assert "This is sample data." in text_of(page)
    assert page is not None
    assert "demonstration" in page.front_matter["vip"]
