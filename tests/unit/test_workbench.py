"""What an analyst begins with gives the same numbers as the report, and says in one line what cannot be."""

from __future__ import annotations

import datetime as dt
import doctest
import re
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.completer import IPCompleter, provisionalcompleter

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver
from viputils import workbench
from viputils.config.project import Project
from viputils.core.errors import ParameterError, QuarantineError
from viputils.figures import engagement
from viputils.figures.assessment import assess
from viputils.figures.cross_tables import Where
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


@pytest.fixture(scope="module")
def tables(demonstration: Edition) -> workbench.Tables:
    return workbench.Tables(Project.open(REPOSITORY), demonstration.records)


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
def test_the_code_of_the_documentation_runs_and_its_remarks_are_true(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    text = (REPOSITORY / "docs" / "analysts.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"images/(analyst-[a-z0-9-]+\.png)", text))
    make_pictures = runpy.run_path(str(REPOSITORY / "scripts" / "make_pictures.py"))
    made = {name: figure.axes for name, figure in make_pictures["pictures"]()}
    # Each picture of the page is what the example above it draws.
    assert made.keys() == shown
    assert len(re.findall(r"```python\n", text)) == 8
    said = capsys.readouterr().out.splitlines()
    for line in said:
        assert line.partition(" (from")[0].partition(", p = ")[0] in text.replace("\n", " ") or "ratio is" in line
    assert made["analyst-rolling-12.png"][0].lines[0].get_ydata()[-1] == 750
    assert [text.get_text() for text in made["analyst-funnel.png"][0].texts] == ["Area A"]
    assert said[-1].startswith("The level is lower than the comparison areas lead one to expect: the ratio is 0.66")
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


def test_tables_are_offered_and_shown_by_name(tables: workbench.Tables) -> None:
    pd.testing.assert_frame_equal(tables.responses, tables["responses"])
    assert {"responses", "measures", "series", "process_chart"} <= set(dir(tables))
    completer = IPCompleter(namespace={"tables": tables})
    for begun, name in (("tables.resp", "responses"), ("tables['no", "notifications")):
        with provisionalcompleter():
            assert [one.text.lstrip(".") for one in completer.completions(begun, len(begun))] == [name]
    shown = tables._repr_html_()
    assert "<td>Responses to incidents</td><td>1,065</td><td>2022-07-01 to 2023-11-30</td>" in shown
    assert "sample data" in shown
    with pytest.raises(AttributeError, match="Did you mean 'responses'"):
        tables.respones  # noqa: B018
    assert not hasattr(tables, "_repr_png_")


def test_what_a_file_says_is_escaped_in_notebooks(project: Project, deliver: Deliver) -> None:
    toml = project.root / "program.toml"
    toml.write_text(toml.read_text("utf-8").replace("Responses to incidents", "<b>Responses</b>"), "utf-8")
    deliver(responses=["R1,2023-11-02,DV,SE"])
    shown = workbench.load(project=project.root)._repr_html_()
    assert "&lt;b&gt;Responses&lt;/b&gt;" in shown
    assert "no rows" in shown


def test_the_measures_are_those_of_the_program(tables: workbench.Tables) -> None:
    measures = tables.measures
    assert list(measures.index) == list(tables.project.program.measures)
    homicides = measures.loc["responses_by_incident_type"]
    assert (homicides["table"], homicides["by"], homicides["last"]) == ("responses", "incident_type", "2023-11")
    assert "Homicide" in homicides["categories"]
    assert measures.loc["adults_assisted", "counts"] == "sum of adults_assisted"


def test_a_copy_can_be_changed_and_the_tables_stay_as_they_are(tables: workbench.Tables) -> None:
    for name in tables:
        own = tables[name]
        own["more"] = 1
        assert "more" not in tables[name]
    mine = tables.responses
    mine["more"] = 1
    mine.loc[0, "area_command"] = "Valley"
    assert "more" not in tables.responses
    assert tables.responses["area_command"][0] == tables.records.tables["responses"].rows["area_command"][0] != "Valley"


def test_a_category_that_was_split_off_is_counted_as_the_report_counts_it(tables: workbench.Tables) -> None:
    rows = tables.responses
    assert list(rows)[3:5] == ["area_command", "counted_as"]
    is_university = rows["area_command"].eq("University")
    assert is_university.sum() > 0
    assert rows.loc[is_university, "counted_as"].eq("Southeast").all()
    assert rows.loc[~is_university, "counted_as"].dropna().eq(rows.loc[~is_university, "area_command"].dropna()).all()
    assert "counted_as" not in tables.notifications


@pytest.mark.parametrize(
    "day",
    [
        "2023-12-04",
        dt.date(2023, 12, 4),
        dt.datetime(2023, 12, 4, 9, 30, tzinfo=dt.UTC),
        pd.Timestamp("2023-12-04"),
        np.datetime64("2023-12-04"),
        pd.Period("2023-12-04"),
    ],
    ids=lambda day: type(day).__name__,
)
def test_a_date_of_any_kind_is_a_date(day: workbench.Day) -> None:
    assert workbench.as_day(day) == dt.date(2023, 12, 4)
    assert str(workbench.as_month(day)) == "2023-12"


@pytest.mark.parametrize("day", [pd.NaT, np.datetime64("NaT"), 20231204, "04/12/2023", "2023-13-01", pd.Period("2023")])
def test_what_is_no_date_is_refused(day: Any) -> None:
    with pytest.raises(ParameterError):
        workbench.as_month(day)


def test_a_chart_has_the_limits_of_the_report_and_says_so(tables: workbench.Tables, demonstration: Edition) -> None:
    assessment = assess(demonstration)
    assert assessment is not None
    for standing in (assessment.whole, *(one for part in assessment.parts.values() for one in part)):
        chart = tables.process_chart(standing.measure, standing.category)
        last = chart.points.iloc[-1]
        assert (last["low"], last["high"]) == (standing.low, standing.high)
        assert chart.is_even == standing.usual.is_even
        assert any("The limits are those of the report." in one for one in chart.remarks)
    pd.testing.assert_frame_equal(
        tables.process_chart("responses").points[["low", "high", "average"]],
        assessment.chart.points[["low", "high", "average"]],
    )
    assert "The report does not judge this measure" in tables.process_chart("referrals_made").remarks[-1]
    with pytest.raises(ParameterError, match="There is no chart"):
        tables.process_chart("adults_assisted")


@pytest.mark.filterwarnings("error")
def test_series_charts_and_curves_draw_themselves(tables: workbench.Tables) -> None:
    from matplotlib import pyplot as plt

    series = tables.series("responses_by_incident_type").plot()
    assert len(series.lines) == 6
    assert tables.series("responses", freq="fytd").plot().lines[0].get_xdata().size == 17
    many = tables.series("responses", by=["incident_type", "area_command"]).plot()
    assert "the largest 8 of 42" in many.get_title(loc="left")
    assert tables.process_chart("responses").plot().get_ylim()[0] == 0
    followed = engagement.follow(tables)
    assert len(engagement.time_to_engagement(followed, by="source").plot().lines) == 4
    # pandas has its own plots still.
    assert tables.series("responses").plot.line(y="value") is not None
    assert tables.series("responses")[["value"]].plot() is not None
    plt.close("all")


def test_charts_and_results_are_shown_in_words_and_without_nan(tables: workbench.Tables) -> None:
    for shown in (
        tables.process_chart("responses")._repr_html_(),
        tables.process_chart("responses", end="2022-08")._repr_html_(),  # One month before it.
        tables.process_chart("responses", end="2022-07")._repr_html_(),  # None.
        tables.interrupted("responses", "2023-07")._repr_html_(),
    ):
        assert shown.startswith("<p>The") or "too few" in shown
        assert "nan" not in shown.casefold().replace("normal", "")


def test_rates_need_people_and_name_their_source(tables: workbench.Tables) -> None:
    with pytest.raises(ParameterError) as refused:
        tables.rates("responses_by_area_command")
    assert "populations: no population is known, so there is no rate;" in str(refused.value)
    areas = ["Southeast", "Southwest", "Valley"]
    people = pd.DataFrame(
        {"area": areas, "year": [2020, 2021, 2024], "people": [100_000, 50_000, 1], "source": "made up"}
    )
    found = tables.rates("responses_by_area_command", populations=people).set_index("area")
    year = tables.series("responses_by_area_command", "Southeast", freq="rolling_12")["value"].iloc[-1]
    assert found.loc["Southeast", "count"] == year
    assert found.loc["Southeast", "rate"] == pytest.approx(year)
    assert (found.loc["Southwest", "year"], found.loc["Southwest", "source"]) == (2021, "made up")
    assert found.loc["Valley", "note"] == "the number of people is not known"  # It is that of a later year.
    with pytest.raises(ParameterError, match="There are no rates"):
        tables.rates("responses", populations=people)


def test_a_program_is_evaluated_beside_other_areas(tables: workbench.Tables) -> None:
    found = tables.interrupted("responses", "2023-07", {"area_command": "Southeast"}, {"area_command": "Southwest"})
    assert found.points["value"].sum() == tables.responses["counted_as"].eq("Southeast").sum()
    assert found.points["is_after"].sum() == 5
    assert "ratio is" in found.reading
    with pytest.raises(ParameterError) as refused:
        tables.interrupted("responses", "2023-10")
    assert "2 months are known since the change; at least 3 are needed." in str(refused.value)


@pytest.mark.parametrize("where", [None, {"area_command": ["Southeast", "Valley"]}, {"incident_type": "Homicide"}])
def test_areas_are_not_compared_with_themselves(tables: workbench.Tables, where: Where | None) -> None:
    with pytest.raises(ParameterError) as refused:
        tables.interrupted("responses", "2023-07", where, comparison={"area_command": "Valley"})
    (problem,) = refused.value.problems
    rows = tables.responses.query("counted_as == 'Valley'")
    both = rows if where is None or "area_command" in where else rows.query("incident_type == 'Homicide'")
    assert str(problem).startswith(f"where, comparison: {len(both)} records are in the program's areas, too;")


@pytest.mark.parametrize("measure", ["adults_assisted", "people_notified"])
def test_chance_is_told_only_of_counts_of_records(tables: workbench.Tables, measure: str) -> None:
    said = "adds up a column or counts people; the effect of chance is known only for counts of records."
    with pytest.raises(ParameterError, match=said):
        tables.rates(measure)
    with pytest.raises(ParameterError, match=said):
        tables.interrupted(measure, "2023-07")


def test_the_same_files_are_read_once_and_a_changed_one_again(project: Project, deliver: Deliver) -> None:
    folder = deliver(responses=["R1,2023-11-02,DV,SE"])
    first = workbench.load(project=project.root)
    began = time.process_time()
    assert workbench.load(project=project.root).records is first.records
    assert time.process_time() - began < 0.1
    file = folder / "responses.csv"
    file.write_text(file.read_text("utf-8") + "R2,2023-11-03,DV,SE\n", encoding="utf-8", newline="")
    assert len(workbench.load(project=project.root).responses) == 2
    toml = project.root / "program.toml"
    toml.write_text(toml.read_text("utf-8").replace('"DV",', '"Domestic",'), "utf-8")
    with pytest.raises(QuarantineError):
        workbench.load(project=project.root)


def test_the_package_is_quick_to_import_for_who_wants_no_numbers() -> None:
    code = "import sys, viputils.cli.main; sys.exit('pandas' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
