"""The notebook of data quality runs from top to bottom on both cities and where rows are in quarantine."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.artifacts import Artifacts
from tests.support.histories import with_tables
from tests.support.pages import executed, notebook_shown
from tests.support.projects import REPOSITORY, Deliver
from viputils import workbench
from viputils.config.project import Project
from viputils.lab import data_quality
from viputils.records.faults import LOOKS_ALIKE
from viputils.report.quality_sections import REASONS

NOTEBOOK = REPOSITORY / "notebooks" / "data_quality.ipynb"
RAW = REPOSITORY / "data" / "raw"


@pytest.fixture
def kept() -> tuple[str, ...]:
    """The tables that most tests need; a parameter of this name gives other ones."""
    return ("responses", "candidates")


@pytest.fixture
def project(project: Project, kept: tuple[str, ...]) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, *kept)


def shown(run: Any) -> str:
    """Give everything that the cells show, images without their bytes."""
    outputs = [output for cell in run.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.data.get("text/markdown", output.data.get("text/plain", "")) for output in outputs]
    return re.sub(r"\(data:image/svg\+xml;base64,[^)]*\)", "(image)", "\n\n".join(texts))


def cells(text: str, begins: str) -> list[list[str]]:
    """Give the cells of each line of a table that begins with a cell, after that one."""
    lines = [line for line in text.replace("\\", "").splitlines() if line.startswith(f"| {begins} |")]
    return [line.removeprefix("| ").removesuffix(" |").split(" | ")[1:] for line in lines]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def text(artifacts: Artifacts) -> str:
    return shown(notebook_shown(artifacts, NOTEBOOK.stem, {"as_of": "2023-12-04"}))


@pytest.mark.exhaustive
def test_it_says_what_became_of_every_row_of_the_files(text: str) -> None:
    assert "This is sample data" in text
    tables = ("responses", "outreach", "referrals", "reviews", "candidates", "notifications", "engagements")
    lines = {table: sum(len(rows_of(path)) for path in RAW.glob(f"*/{table}.csv")) for table in tables}
    assert f"17 deliveries had brought {sum(lines.values()):,} rows in 7 tables." in text
    assert "No row is in quarantine." in text
    first = cells(text, "Responses to incidents")[0]
    assert first[0] == f"{lines['responses']:,}"
    # One void, and every other row of an id beyond its first corrects or repeats.
    ids = Counter(row["response_id"].strip() for path in RAW.glob("*/responses.csv") for row in rows_of(path))
    assert int(first[1].replace(",", "")) == len(ids) - 1
    assert sum(int(number) for number in first[2:4]) == lines["responses"] - len(ids)
    assert first[4:] == ["1", "0"]
    assert cells(text, "Weekly shooting reviews")[0] == [str(lines["reviews"])] * 2 + ["0"] * 4
    assert cells(text, "Voids") == [["1", "1", "0", "0", "0", "0"]]


@pytest.mark.exhaustive
def test_it_says_what_is_missing_and_how_soon_records_come(text: str) -> None:
    newest = [row["area_command"].strip() for row in rows_of(RAW / "2023-12-04" / "responses.csv")]
    assert all(newest)
    ((share, *_), *_) = [line for line in cells(text, "2023-12-04") if "%" in line[0]]
    # A row that repeats an earlier one counts once.
    kept = len({row["response_id"].strip() for row in rows_of(RAW / "2023-12-04" / "responses.csv")})
    assert share == f"100.0% ({kept} of {kept})"
    assert "Referrals made to services: operation or candidate, but only one of them" in text
    # Reviews come once and are never corrected: those of the first delivery are not timed.
    reviews = sum(len(rows_of(path)) for path in RAW.glob("*/reviews.csv"))
    at_first = len(rows_of(RAW / "2022-08-03" / "reviews.csv"))
    _, months, times, apart, _ = cells(text, "Weekly shooting reviews")
    assert months == ["17", "0", ""]
    assert times[0] == str(reviews - at_first)
    assert apart == [str(reviews), str(at_first), "0", times[0], "0"]


@pytest.mark.exhaustive
def test_it_says_how_much_months_moved_after_they_were_first_counted(text: str) -> None:
    # `vip revisions` of each month names the records; reviews are never corrected.
    *_, moved = cells(text, "Weekly shooting reviews")
    assert moved == ["17", "0", "0", "0", "0", "0"]
    assert cells(text, "1")[0][3] == "0 of 16"
    *_, responses = cells(text, "Responses to incidents")
    assert int(responses[1]) == int(responses[2]) + int(responses[3]) > 0


@pytest.mark.exhaustive
def test_its_charts_say_in_words_what_they_show(text: str) -> None:
    texts = re.findall(r"!\[(.*)\]\(image\)", text)
    assert len(texts) == 3
    empty, delays, ages = (alt.replace("\\", "") for alt in texts)
    assert empty.startswith("Small column charts on the same scale: percent of rows empty, by delivery, the newest 12.")
    # Where only one of two columns can be filled, the other is empty by right.
    assert "Outreach: area command:" in empty
    assert "candidate" not in empty
    assert "Reviews: 0-7 days" in delays
    assert "age 0 0, age 1" in ages
    assert "Reviews" not in ages
    assert not any(line.startswith((":::", ": ")) for line in text.splitlines())
    assert "fig-alt" not in text


@pytest.mark.exhaustive
def test_no_id_of_a_record_is_on_the_page(text: str) -> None:
    assert not re.search(r"DEMO-[A-Z]", text)


@pytest.mark.exhaustive
def test_it_runs_for_another_city_that_sends_everything_each_time(artifacts: Artifacts) -> None:
    text = shown(notebook_shown(artifacts, NOTEBOOK.stem, {"project": "../examples/philadelphia"}))
    assert "This is sample data" not in text
    raw = REPOSITORY / "examples" / "philadelphia" / "data" / "raw"
    snapshots = [Counter(row["dc_key"] for row in rows_of(path)) for path in sorted(raw.glob("*/victims.csv"))]
    sizes = [snapshot.total() for snapshot in snapshots]
    withdrawn = [(snapshots[place] - snapshots[place + 1]).total() for place in (0, 1)]
    account, fatal, police, months, times, apart, moved = cells(text, "Victims of shootings")
    assert account == [
        f"{number:,}" for number in (sum(sizes), sizes[2], sum(sizes[:2]) - sum(withdrawn), 0, sum(withdrawn), 0)
    ]
    # As README.md of the example counts them.
    assert (fatal[3], police[3]) == ("17", "213")
    assert months == ["30", "0", ""]
    assert int(times[0].replace(",", "")) + int(apart[1].replace(",", "")) == sizes[2]
    # November 2020 was 207 at first, and is 220.
    assert moved[-1] == "+13"
    # Of its months too few are known at any age for a percentage.
    assert text.count("![") == 1
    assert cells(text, "7") == [["1 of 1"]]


def test_rows_in_quarantine_do_not_stop_it_and_nothing_that_they_say_is_shown(
    whole_project: Project, deliver: Deliver
) -> None:
    deliver("2023-11-03", responses=["DEMO-R-1,2023-10-05,DV,SE"])
    deliver(
        "2023-12-04",
        responses=["DEMO-R-2,2023-11-05,Jane Roe 505-555-0123,Sauth", "DEMO-R-3,2023-12-24,DV,NE"],
        candidates=["Jane Roe,2023-11-02,Hospital"],
        voids=["DEMO-V-1,2023-12-04,responses,DEMO-R-77"],
    )
    notebook = whole_project.root / "notebooks" / NOTEBOOK.name
    text = shown(executed(notebook, {}, notebook.parent))
    assert "**3 rows are in quarantine and not counted.** **1 void is in quarantine and not applied.**" in text
    file = "data/raw/2023-12-04/responses.csv"
    lines = [line.replace("\\", "") for line in text.splitlines() if "2023-12-04/" in line.replace("\\", "")]
    assert f"| {file} | 1 | incident_type | `unknown_value` | the value is not in the list of known values |" in lines
    assert f"| {file} | 1 | area_command | `unknown_value` | the value is not in the list of known values |" in lines
    assert f"| {file} | 1 | response_date | `date_after_receipt` | the date is after the day of receipt |" in lines
    assert any("candidates.csv | 1 | candidate_id | `not_a_code`" in line for line in lines)
    assert any("voids.csv | 1 | voided_id | `unknown_record`" in line for line in lines)
    assert len(lines) == 5
    assert "These are 4 rows." in text
    assert not re.search(r"Jane|Roe|505|0123|Sauth|DEMO-", text)
    account, area, months, times, apart, *_ = cells(text, "Responses to incidents")
    assert account == ["3", "1", "0", "0", "0", "2"]
    assert area == ["area command", "1", "1", "0", "100.0%"]
    # November has no row that stands.
    assert months[2].endswith("September 2023, November 2023")
    assert times == ["0", "[x]", "[x]", "[x]", "[x]"]
    assert apart == ["1", "1", "0", "0", "1"]


def test_a_project_of_which_hardly_anything_is_known_has_tables_all_the_same(
    whole_project: Project, deliver: Deliver
) -> None:
    deliver("2022-07-20", responses=["R1,2022-07-05,DV,"])
    tables = workbench.load(project=whole_project)
    assert data_quality.revisions(tables).data == "No month has a first count yet."
    assert data_quality.account_by_delivery(tables).data == "Every row of every file was kept."
    assert "![" not in data_quality.timeliness(tables).data
    assert "![" not in data_quality.completeness_by_delivery(tables).data
    assert "means not available" in data_quality.timeliness(tables).data
    assert "| Responses to incidents | 0 | 0 |  |" in data_quality.months_without_rows(tables).data


@pytest.mark.parametrize("kept", [("responses", "outreach", "referrals")])
def test_only_what_has_no_gap_is_called_complete(whole_project: Project, deliver: Deliver) -> None:
    days = [f"2023-11-{1 + number % 30:02}" for number in range(3000)]
    rows = [f"R{number},{day},DV,{'SE' if number else ''}" for number, day in enumerate(days)]
    deliver(responses=rows, outreach=["O1,2023-11-02,SE,D2D,R1,1,0"])
    text = data_quality.completeness(workbench.load(project=whole_project)).data
    assert cells(text, "Responses to incidents") == [["area command", "3,000", "2,999", "1", "99.9%"]]
    assert [line[-1] for line in cells(text, "Outreach operations")] == ["100.0%", "100.0%"]
    assert [line[-1] for line in cells(text, "Referrals made to services")] == ["[x]", "[x]"]
    assert "means not available" in text


def test_many_months_without_a_row_are_counted_and_the_newest_named(whole_project: Project, deliver: Deliver) -> None:
    deliver("2023-11-03", responses=["R1,2022-07-05,DV,SE", "R2,2023-10-05,DV,SE"])
    text = data_quality.months_without_rows(workbench.load(project=whole_project)).data
    assert cells(text, "Responses to incidents") == [
        [
            "16",
            "14",
            "8 earlier, " + ", ".join(f"{m} 2023" for m in ("April", "May", "June", "July", "August", "September")),
        ]
    ]


def test_every_reason_of_the_quarantine_is_explained() -> None:
    reasons: set[object] = set()
    for module in ("clean", "faults", "values"):
        for node in ast.walk(
            ast.parse((REPOSITORY / "src" / "viputils" / "records" / f"{module}.py").read_text("utf-8"))
        ):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault":
                reason = node.args[1]
                if isinstance(reason, ast.Name):
                    assert reason.id == "LOOKS_ALIKE"
                    reasons.add(LOOKS_ALIKE)
                    continue
                assert isinstance(reason, ast.Constant)
                reasons.add(reason.value)
    assert reasons == set(REASONS)
