"""The home page: what it shows of the issues, month by month and by year."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import nbformat
import pytest

from tests.support.projects import REPOSITORY
from viputils.audit.register import IssueName
from viputils.config.project import Project
from viputils.publish.site.issues import SiteIssue, home_page
from viputils.records.checksums import checksum

TYPES = ["Gun/Other Violence", "DV/Sexual Assault", "Homicide", "Other Deaths", "Suicide", "Other"]


@pytest.fixture
def city() -> Project:
    return Project.open(REPOSITORY)


def an_issue(folder: Path, name: str, counts: dict[str, int], replaced_by: str | None = None) -> SiteIssue:
    """An issue whose folder holds the figures that the home page reads, and nothing more."""
    place = folder / name
    place.mkdir(parents=True)
    kind = IssueName.parse(name).period.kind
    rows = [f"responses_by_incident_type,{one},{kind},{count}" for one, count in counts.items()]
    rows += [f"responses,,{kind},{sum(counts.values())}"]
    rows += [
        f"{one},,fytd,1" for one in ("adults_assisted", "children_assisted", "referrals_made", "outreach_operations")
    ]
    (place / "figures.csv").write_text("\n".join(["measure,category,period,value", *rows]) + "\n", encoding="utf-8")
    (place / "figures.json").write_text(json.dumps({"demonstration": None}), encoding="utf-8")
    (place / "vip.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()), encoding="utf-8")
    issue = IssueName.parse(name)
    later = IssueName.parse(replaced_by) if replaced_by else None
    as_of = issue.period.days(7).end + dt.timedelta(days=4 + issue.number)
    files = {path.name: checksum(path) for path in place.iterdir()}
    return SiteIssue(issue, as_of, place, files, f"issues/{name}", "", None, later)


def shown(project: Project, issues: list[SiteIssue]) -> str:
    page = home_page(project, issues)
    return "\n\n".join(cell.outputs[0].data["text/markdown"] for cell in page.cells)


def row_of(text: str, month: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {month} |")]
    return [cell.strip() for cell in line.strip("| ").split("|")]


def test_a_month_without_an_issue_and_a_value_that_an_issue_does_not_count_are_not_available_and_never_zero(
    city: Project, tmp_path: Path
) -> None:
    july = dict(zip(TYPES, [30, 5, 0, 4, 2, 1], strict=True))
    september = {name: count for name, count in zip(TYPES, [20, 6, 3, 2, 1, 9], strict=True) if name != "Suicide"}
    text = shown(city, [an_issue(tmp_path, "2023-09", september), an_issue(tmp_path, "2023-07", july)])
    # The order is that of the newest issue; what only an earlier one has comes last.
    order = [name for name in TYPES if name != "Suicide"] + ["Suicide"]
    (head,) = [line for line in text.splitlines() if line.startswith("| Month |")]
    assert [cell.strip().replace("\\", "") for cell in head.strip("| ").split("|")[1:]] == order
    assert row_of(text, "July 2023") == ["July 2023", "30", "5", "0", "4", "1", "2"]
    assert row_of(text, "August 2023") == ["August 2023", *[r"\[x\]"] * 6]
    assert row_of(text, "September 2023") == ["September 2023", "20", "6", "3", "2", "9", r"\[x\]"]
    assert "Suicide: 2, [x], [x]." in text
    assert "means not available" in text


def test_of_an_issue_and_its_correction_the_chart_takes_the_correction_and_the_archive_both(
    city: Project, tmp_path: Path
) -> None:
    first, second = (dict(zip(TYPES, [n, 1, 1, 1, 1, 1], strict=True)) for n in (10, 12))
    issues = [
        an_issue(tmp_path, "2023-10-r1", second),
        an_issue(tmp_path, "2023-10", first, replaced_by="2023-10-r1"),
        an_issue(tmp_path, "2023-09", first),
    ]
    text = shown(city, issues)
    assert row_of(text, "October 2023")[1] == "12"
    assert "means not available" not in text
    assert "[October 2023, re\\-issue 1](issues/2023-10-r1/index.html)" in text
    assert "replaced by October 2023, re\\-issue 1" in text
    assert "[October 2023](issues/2023-10/index.html)" in text


def test_quarters_and_years_are_listed_below_the_months_and_are_in_no_chart(city: Project, tmp_path: Path) -> None:
    counts = dict.fromkeys(TYPES, 10)
    names = ["2023-10", "2023-09", "FY2024-Q1", "FY2023"]
    text = shown(city, [an_issue(tmp_path, name, counts) for name in names])
    months, longer = text.split("### Quarterly and annual reports")
    assert "Read the report for October 2023" in months
    assert "[Quarter 1 of FY2024](issues/FY2024-Q1/index.html)" in longer
    assert "[FY2023](issues/FY2023/index.html)" in longer
    assert "| 60 |" in longer
    assert "FY2023" not in months
    assert "Quarterly" not in shown(city, [an_issue(tmp_path / "none", "2023-10", counts)])


def test_small_numbers_are_called_so_where_most_of_them_are(city: Project, tmp_path: Path) -> None:
    said = "Small numbers often go up and down by chance"
    small, large = dict.fromkeys(TYPES, 19), dict.fromkeys(TYPES, 20)
    assert said in shown(city, [an_issue(tmp_path / "a", f"2023-{month}", small) for month in ("10", "09")])
    assert said not in shown(city, [an_issue(tmp_path / "b", f"2023-{month}", large) for month in ("10", "09")])


def test_one_month_alone_has_no_chart_and_no_issue_at_all_is_said(city: Project, tmp_path: Path) -> None:
    one = [an_issue(tmp_path, "2023-09", dict.fromkeys(TYPES, 1))]
    assert "Month by month" not in shown(city, one)
    assert r"No report can be made from the records yet\." in shown(city, [])
