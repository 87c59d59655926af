"""Data quality in words and tables: each figure on the page, counted by plain Python from the files beside it."""

from __future__ import annotations

import csv
import datetime as dt
import re
import statistics
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.display import Markdown

from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures import quality
from viputils.figures.edition import Edition
from viputils.records.clean import load_records
from viputils.report import quality_sections
from viputils.report.markdown import unescape

AS_OF = "2023-12-04"
TABLES = {
    "responses": ("Responses to incidents", "response_date"),
    "outreach": ("Outreach operations", "operation_date"),
    "referrals": ("Referrals made to services", "referral_date"),
    "reviews": ("Weekly shooting reviews", "review_date"),
    "candidates": ("Candidates referred into the program", "received_date"),
    "notifications": ("Custom Notifications", "notified_date"),
    "engagements": ("Engagements with a service", "engaged_date"),
}


def rows_of(part: Markdown) -> Iterator[list[str]]:
    """Yield the cells of each line of the tables, without their headings."""
    for line in part.data.splitlines():
        if line.startswith("| ") and not line.startswith(("| :", "| Table")):
            yield [unescape(cell.strip()) for cell in line.strip("|").split(" | ")]


# ---------------------------------------------------------------- the sample data, read by plain Python


class State:
    """The records of the repository after each delivery, by table and id, and what happened to each row."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, dict[str, str]]] = {name: {} for name in TABLES}
        self.first: dict[str, dict[str, dt.date]] = {name: {} for name in TABLES}
        self.happened: dict[str, Counter[str]] = {name: Counter() for name in TABLES}
        self.months: list[dict[str, Counter[str]]] = []
        self.days: list[dt.date] = []
        for folder in sorted((REPOSITORY / "data" / "raw").iterdir()):
            if folder.is_dir() and folder.name <= AS_OF:
                self.receive(folder)

    def receive(self, folder: Path) -> None:
        day = dt.date.fromisoformat(folder.name)
        for name in TABLES:
            for row in read(folder / f"{name}.csv"):
                key = next(iter(row.values()))
                before = self.records[name].get(key)
                self.happened[name]["delivered"] += 1
                if before is not None:
                    self.happened[name]["repeated" if before == row else "replaced"] += 1
                self.records[name][key] = row
                self.first[name].setdefault(key, day)
        if (folder / "voids.csv").exists():
            for void in read(folder / "voids.csv"):
                del self.records[void["voided_table"]][void["voided_id"]]
                self.happened[void["voided_table"]]["withdrawn"] += 1
        self.days.append(day)
        self.months.append(
            {name: Counter(row[TABLES[name][1]][:7] for row in rows.values()) for name, rows in self.records.items()}
        )


def read(path: Path) -> list[dict[str, str]]:
    """Read a file with one spelling of each value, so that a row in another spelling repeats the one before it."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{column: SPELLINGS.get(plain(value), plain(value)) for column, value in row.items()} for row in rows]


def plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def spellings() -> Iterator[tuple[str, str]]:
    program = tomllib.loads((REPOSITORY / "program.toml").read_text(encoding="utf-8"))
    for vocabulary in program["vocabularies"].values():
        for value, others in vocabulary.items():
            yield from ((plain(one), plain(value)) for one in (value, *others))
    for crosswalk in program["crosswalks"]:
        yield from ((plain(one), plain(crosswalk["value"])) for one in crosswalk["aliases"])


SPELLINGS = dict(spellings())


@pytest.fixture(scope="module")
def state() -> State:
    return State()


@pytest.fixture(scope="module")
def revised(demonstration: Edition) -> pd.DataFrame:
    return quality.revisions(demonstration.records)


def test_empty_values_are_those_of_the_files(demonstration: Edition, state: State) -> None:
    part = quality_sections.missing_values(demonstration)
    optional = {"responses": ["area_command"], "outreach": ["area_command", "response_id"]}
    expected = []
    for name, (title, _) in TABLES.items():
        rows = list(state.records[name].values())
        expected.append([title, "every required column", f"{len(rows):,}", "0", "0%"])
        for column in optional.get(name, []):
            empty = sum(not row[column].strip() for row in rows)
            share = f"{round(100 * empty / len(rows))}%"
            words = column.removesuffix("_id").replace("_", " ")
            expected.append([title, words, f"{len(rows):,}", f"{empty:,}", share])
    assert list(rows_of(part)) == expected
    assert "Every record has the values that it must have." in part.data
    assert "“response” in *Outreach operations* is empty most often: in 79\\% of the records." in part.data
    assert "exactly one of these columns, so they are not listed: operation, candidate." in part.data


def test_every_month_of_the_files_was_delivered(demonstration: Edition, state: State) -> None:
    part = quality_sections.missing_months(demonstration)
    months = str(len(state.days))
    assert list(rows_of(part)) == [[title, months, months, "0", "0"] for title, _ in TABLES.values()]
    assert f"Every table was delivered for all {months} months since July 1, 2022." in part.data


def test_days_until_arrival_are_those_between_two_dates_in_the_files(demonstration: Edition, state: State) -> None:
    part = quality_sections.timeliness(demonstration)
    waits = []
    for day in state.days:
        end = day.replace(day=1) - dt.timedelta(days=1)
        waits.append((day - end).days)
    said = (
        f"complete {min(waits)} to {max(waits)} days after its end. The median is {statistics.median(waits):.0f} days"
    )
    assert said in part.data
    found = {row[0]: row[1:] for row in rows_of(part)}
    for name, (title, column) in TABLES.items():
        days = sorted(
            (state.first[name][key] - dt.date.fromisoformat(row[column])).days
            for key, row in state.records[name].items()
            if state.first[name][key] != state.days[0]
        )
        nine_in_ten = days[-(-9 * len(days) // 10) - 1]
        median = round(statistics.median(days))
        assert found[title] == [f"{len(days):,}", *map(str, (median, nine_in_ten, days[0], days[-1]))], name


def test_what_happened_to_every_row_is_as_in_the_files(demonstration: Edition, state: State) -> None:
    part = quality_sections.repeated_rows(demonstration)
    found = {row[0]: row[1:] for row in rows_of(part)}
    names = ("delivered", "kept", "replaced", "repeated", "withdrawn")
    for name, (title, _) in TABLES.items():
        counts = state.happened[name] | Counter(kept=len(state.records[name]))
        # What was corrected and then withdrawn is one record that was withdrawn.
        assert found[title] == [f"{counts[one]:,}" for one in names], name
    totals = [int(cell.strip("*").replace(",", "")) for cell in found["All tables"]]
    assert totals[0] == sum(totals[1:])
    assert f"Of {totals[0]:,} delivered rows, we kept {totals[1]:,}." in part.data


@pytest.mark.exhaustive
def test_counts_that_changed_are_those_of_the_files(
    demonstration: Edition, state: State, revised: pd.DataFrame
) -> None:
    part = quality_sections.revisions(demonstration, revised)
    found = {row[0]: row[1:] for row in rows_of(part)}
    moved = set()
    for name, (title, _) in TABLES.items():
        changes = []
        for place, day in enumerate(state.days[:-1]):
            month = f"{day.replace(day=1) - dt.timedelta(days=1):%Y-%m}"
            changes.append(state.months[-1][name][month] - state.months[place][name][month])
            moved |= {month} if changes[-1] else set()
        counts = [len(changes), sum(change != 0 for change in changes)]
        sizes = [f"{size:+}" if size else "0" for size in (min(changes), max(changes))]
        assert found[title] == [*map(str, counts), *sizes], name
    said = f"We compared {len(state.days) - 1} earlier months with their first count. "
    said += f"A count changed in {len(moved)} months. The largest change is 1 record."
    assert said in part.data


# ---------------------------------------------------------------- small records in which something is wrong


@pytest.fixture
def small(project: Project, deliver: Deliver) -> Edition:
    deliver("2022-08-03", responses=["R1,2022-07-05,DV,SE"])
    deliver(
        "2022-09-02",
        responses=[
            "R2,2022-07-20,DV,SE",  # a month late
            "R3,2022-08-02,DV,",
            "R4,2022-08-02,,SE",  # without a required value
            "R5,2022-08-02,Homocide,Sauth",  # two unknown values
            "R6,2022-08-03,Homocide,SE",
        ],
    )
    return load_edition(project, "2022-08", dt.date(2022, 9, 2))


def test_rows_that_could_not_be_read_are_counted_by_reason_and_not_shown(small: Edition) -> None:
    part = quality_sections.rows_set_aside(small)
    assert "3 rows could not be read. They are set aside and not counted until they are corrected." in part.data
    assert list(rows_of(part)) == [
        ["Responses to incidents", "incident type", "a value is missing that every record must have", "1"],
        ["Responses to incidents", "incident type", "the value is not in the list of known values", "2"],
        ["Responses to incidents", "area command", "the value is not in the list of known values", "1"],
    ]


def test_no_part_shows_a_value_or_an_id(small: Edition) -> None:
    parts = quality_sections.quality_parts(small, quality.revisions(small.records))
    shown = "\n".join(part.data for part in parts)
    assert not [told for told in ("Homocide", "Sauth", "R1", "R2", "R3", "R4", "R5", "R6") if told in shown]


def test_missing_values_are_told_first(small: Edition) -> None:
    part = quality_sections.missing_values(small)
    assert "1 record lacks a value that every record must have. It is not counted." in part.data
    found = [row for row in rows_of(part) if row[0] == "Responses to incidents"]
    # R1, R2 and R3 are kept; R4, R5 and R6 are set aside.
    assert found == [
        ["Responses to incidents", "every required column", "6", "1", "17%"],
        ["Responses to incidents", "area command", "3", "1", "33%"],
    ]


def test_too_few_records_have_no_median(small: Edition) -> None:
    part = quality_sections.timeliness(small)
    assert not list(rows_of(part))
    assert "Too few records have arrived since the first delivery to measure how late they come." in part.data
    # July took three days and August two.
    assert "complete 2 to 3 days after its end. The median is 2.5 days, over 2 months." in unescape(part.data)


def test_a_table_with_few_records_has_no_median_beside_one_with_enough(project: Project, deliver: Deliver) -> None:
    deliver("2022-08-03")
    rows = [f"R{day},2022-08-{day:02},DV,SE" for day in (20, 22, 24, 26, 31)]
    deliver("2022-09-02", responses=rows, reviews=["V1,2022-08-07,3,41"])
    part = quality_sections.timeliness(load_edition(project, "2022-08"))
    found = {row[0]: row[1:] for row in rows_of(part)}
    assert found["Responses to incidents"] == ["5", "9", "13", "2", "13"]
    assert found["Weekly shooting reviews"] == ["1", *["[x]"] * 4]
    assert "[x] means not available: there are fewer than 5 records." in unescape(part.data)


def test_a_changed_count_is_told_with_its_size(small: Edition) -> None:
    part = quality_sections.revisions(small, quality.revisions(small.records))
    assert "We compared 1 earlier month with its first count. A count changed in 1 month." in part.data
    assert next(rows_of(part)) == ["Responses to incidents", "1", "1", "+1", "+1"]


def test_the_first_month_has_nothing_to_compare(project: Project, deliver: Deliver) -> None:
    deliver("2022-08-03", responses=["R1,2022-07-05,DV,SE"])
    edition = load_edition(project, "2022-07")
    part = quality_sections.revisions(edition, quality.revisions(edition.records))
    assert "No earlier month can be compared with its first count yet." in part.data
    assert not list(rows_of(part))
    waits = quality_sections.timeliness(edition)
    assert "The records of a month were complete 3 days after its end." in waits.data


def test_missing_months_are_counted_over_all_tables(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    path.write_text(path.read_text("utf-8").replace('"irregularly"', '"monthly"'), "utf-8")
    deliver("2022-08-03", responses=["R1,2022-07-05,DV,SE"])
    (deliver("2022-09-02") / "reviews.csv").unlink()
    # No issue of August can be made from it, and none of a later month shows it.
    edition = Edition(ReportMonth(2022, 8), load_records(Project.open(project.root)), pd.DataFrame())
    part = quality_sections.missing_months(edition)
    assert "Since July 1, 2022, the file of 1 month is missing." in part.data
    found = {row[0]: row[1:] for row in rows_of(part)}
    assert found["Weekly shooting reviews"] == ["2", "1", "1", "1"]
    assert "A month without a record can be right." in part.data


@pytest.mark.parametrize(
    ("empty", "rows", "says"), [(0, 10, "0%"), (1, 1000, "under 1%"), (999, 1000, "over 99%"), (10, 10, "100%")]
)
def test_a_share_is_0_or_100_percent_only_if_it_is_none_or_all(
    project: Project, deliver: Deliver, empty: int, rows: int, says: str
) -> None:
    deliver(responses=[f"R{one},2023-11-02,DV,{'' if one < empty else 'SE'}" for one in range(rows)])
    part = quality_sections.missing_values(load_edition(project, "2023-11"))
    assert list(rows_of(part))[1] == ["Responses to incidents", "area command", f"{rows:,}", f"{empty:,}", says]


# ---------------------------------------------------------------- in Spanish


@pytest.mark.exhaustive
def test_the_parts_are_in_spanish_with_the_same_numbers(demonstration: Edition, revised: pd.DataFrame) -> None:
    project = Project.open(REPOSITORY, "es")
    spanish = Edition(demonstration.month, demonstration.records, demonstration.figures, project.language)
    both = [quality_sections.quality_parts(one, revised) for one in (demonstration, spanish)]
    for one, other in zip(*both, strict=True):
        assert one.data != other.data
        # Nothing is marked as English, so every word has its translation.
        assert "lang=en" not in other.data
        numbers = [re.findall(r"\d[\d,]*\d|\d", part.data.replace("de 2022", "2022")) for part in (one, other)]
        assert Counter(numbers[0]) == Counter(numbers[1])
    assert "## Valores que faltan" in both[1][1].data
    assert "Todos los registros tienen los valores que deben tener." in unescape(both[1][1].data)
