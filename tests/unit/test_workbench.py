"""What an analyst begins with gives the same numbers as the report, and says in one line what cannot be."""

from __future__ import annotations

import datetime as dt
import doctest
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver
from viputils import workbench
from viputils.config.project import Project
from viputils.core.errors import ParameterError, QuarantineError
from viputils.figures.edition import Edition
from viputils.figures.stats import intervals
from viputils.lab import trends
from viputils.records.clean import Records, load_records


@pytest.fixture(scope="module")
def records_read() -> Callable[[Project, dt.date | None], Records]:
    """Records of the repository as they are read and cleaned, once for each day."""

    @cache
    def read(as_of: dt.date | None) -> Records:
        return load_records(Project.open(REPOSITORY), as_of)

    def load(project: Project, as_of: dt.date | None = None) -> Records:
        return read(as_of) if project.root == REPOSITORY else load_records(project, as_of)

    return load


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch, records_read: Callable[..., Records]) -> None:
    monkeypatch.setattr(workbench, "load_records", records_read)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


def row(table: pd.DataFrame, measure: str, category: str, period: str) -> pd.Series[float]:
    found = table.loc[table["measure"].eq(measure) & table["category"].eq(category) & table["period"].eq(period)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.usefixtures("read_once")
def test_the_examples_in_the_documentation_give_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY / "notebooks")
    found = doctest.testmod(workbench, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 10
    assert found.failed == 0


@pytest.mark.usefixtures("read_once")
def test_the_code_of_the_documentation_runs_and_its_remarks_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    text = (REPOSITORY / "docs" / "analysts.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - it is our own page
    assert [round(bound, 1) for bound in intervals.poisson(5)] == [1.6, 11.7]
    assert [f"{bound:.2f}" for bound in intervals.ratio(20, 25) or ()] == ["0.42", "1.50"]
    assert [f"{bound:.0%}" for bound in intervals.wilson(24, 57) or ()] == ["30%", "55%"]


def test_figures_are_those_of_the_report(demonstration: Edition) -> None:
    pd.testing.assert_frame_equal(workbench.figures("2023-11", project=REPOSITORY), demonstration.figures)


def test_tables_are_the_clean_ones_with_their_documented_types() -> None:
    tables = workbench.load("2023-12-04", REPOSITORY)
    assert list(tables) == [
        "responses",
        "outreach",
        "referrals",
        "reviews",
        "candidates",
        "notifications",
        "engagements",
    ]
    assert len(tables) == 7
    responses = tables["responses"]
    assert str(responses["response_date"].dtype) == "datetime64[s]"
    assert list(responses["incident_type"].cat.categories)[:2] == ["Gun/Other Violence", "DV/Sexual Assault"]
    assert responses["incident_type"].cat.ordered
    assert str(tables["outreach"]["adults_assisted"].dtype) == "Int64"
    assert str(tables["notifications"]["community_leader_present"].dtype) == "boolean"
    for name in ("response_id", "operation_id"):
        assert str(tables["outreach"][name].dtype) == "str"
    assert {"received", "file", "line"} <= set(responses.columns)
    assert "responses: 1,065" in repr(tables)


@pytest.mark.usefixtures("read_once")
def test_a_comparison_holds_both_counts_and_an_interval_only_where_chance_is_known() -> None:
    both = workbench.compare("2023-11", "2022-11", project=REPOSITORY)
    november = workbench.figures("2023-11", project=REPOSITORY)
    expected = november.loc[november["measure"].ne("responses_by_month")]
    merged = both.merge(expected, on=["measure", "category", "period"], how="outer", indicator=True)
    assert merged["_merge"].eq("both").all()
    assert merged["a"].eq(merged["value"]).all()
    assert (both["change"] == both["a"] - both["b"]).all()
    responses = row(both, "responses", "", "fytd")
    assert responses["low"] < responses["ratio"] < responses["high"]
    # One operation can assist many: of such a sum chance alone is not known.
    assert row(both, "adults_assisted", "", "fytd")[["low", "high"]].isna().all()
    assert (
        both[["measure", "category", "period"]].to_numpy().tolist()
        == expected[["measure", "category", "period"]].to_numpy().tolist()
    )  # In printed order.


def test_a_year_to_date_that_lacks_a_month_is_refused_and_never_too_low(project: Project, deliver: Deliver) -> None:
    toml = project.root / "program.toml"
    toml.write_text(toml.read_text("utf-8").replace('delivered = "irregularly"', 'delivered = "monthly"'), "utf-8")
    for month, day in (("2023-07", "2023-08-02"), ("2023-08", "2023-09-04"), ("2023-10", "2023-11-03")):
        deliver(day, responses=[f"R{month},{month}-02,DV,SE"])
    tables = workbench.load(project=project.root)
    assert len(tables.figures("2023-08")) > 0
    with pytest.raises(ParameterError) as raised:
        tables.figures("2023-10")
    assert "month 2023-10: of its fiscal year to date 2023-09 had not been delivered by 2023-11-03" in str(raised.value)
    with pytest.raises(ParameterError):
        tables.compare("2023-10", "2023-08")


@pytest.mark.usefixtures("read_once")
def test_fiscal_years_to_date_of_other_lengths_have_no_interval() -> None:
    tables = workbench.load(as_of="2023-12-04")
    found = tables.compare("2023-11", "2023-10")
    assert found.loc[found["period"].eq("fytd"), "low"].isna().all()
    assert found.loc[found["period"].eq("month") & found["measure"].eq("responses"), "low"].notna().all()
    assert tables.compare("2023-11", "2023-11")["low"].isna().all()
    with pytest.raises(ParameterError, match="cannot be compared"):
        trends.against(tables, "2023-11", "2023-10")


def test_nothing_is_divided_by_nothing(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    both = workbench.compare("2023-11", "2023-10", project=project)
    one = row(both, "responses", "", "month")
    assert pd.isna(one["ratio"])
    assert (one["low"] > 0, one["high"]) == (True, float("inf"))
    none = row(both, "responses_by_incident_type", "Homicide", "month")
    assert none[["ratio", "low", "high"]].isna().all()


def test_rows_in_quarantine_are_never_left_out_in_silence(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homocide,SE"])
    for ask in (
        lambda: workbench.load(project=project),
        lambda: workbench.series("responses", project=project),
        lambda: workbench.figures("2023-11", project=project),
        lambda: workbench.compare("2023-11", "2023-10", project=project),
    ):
        with pytest.raises(QuarantineError, match="1 row is in quarantine"):
            ask()
    assert len(workbench.load(project=project, allow_quarantined=True)["responses"]) == 0


@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("workbench.load('2021-01-01')", "the first delivery came on"),
        ("workbench.load('4.12.2023')", "'4.12.2023' is not a date; write YYYY-MM-DD"),
        ("workbench.load()['respones']", "'respones' is no table that this city keeps; did you mean 'responses'?"),
        ("workbench.series('homicides')", "'homicides' is not a measure of program.toml;"),
        ("workbench.series('responses', start='2023-11', end='2023-10')", "2023-11 is after 2023-10;"),
        ("workbench.series('responses', end='2031-01')", "2031-01 is beyond the data;"),
        ("workbench.compare('2023-11', '2019-11')", "2019-11 was not over or not delivered"),
        ("workbench.figures('Nov 2023')", "'Nov 2023' is not a month; write YYYY-MM"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(ParameterError) as refused:
        eval(code, {"workbench": workbench})  # noqa: S307 - it stands above
    (problem,) = refused.value.problems
    assert said in str(problem)


def test_another_city_is_asked_in_the_same_way(repository_example: Path) -> None:
    tables = workbench.load("2020-12-01", repository_example)
    assert tables.series("victims", start="2020-11")["value"].tolist() == [207]
    with pytest.raises(ParameterError, match="no table that this city keeps"):
        tables["notifications"]


def test_the_package_is_quick_to_import_for_who_wants_no_numbers() -> None:
    code = "import sys, viputils.cli.main; sys.exit('pandas' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
