"""Counts by several columns are those of a plain recount, under the names that the report prints."""

from __future__ import annotations

import pandas as pd
import pytest

from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures.cross_tables import cross_series, cross_table
from viputils.figures.edition import Edition
from viputils.figures.series import series_of
from viputils.records.clean import Records

JULY, NOVEMBER = ReportMonth(2023, 7), ReportMonth(2023, 11)


@pytest.fixture(scope="module")
def records(demonstration: Edition) -> Records:
    return demonstration.records


@pytest.fixture(scope="module")
def rows(records: Records) -> pd.DataFrame:
    """The responses with the area that the report counts them under, written out: University is Southeast."""
    table = records.tables["responses"].rows
    return table.assign(area=table["area_command"].astype("str").replace("University", "Southeast"))


def test_a_cross_table_is_a_plain_recount(records: Records, rows: pd.DataFrame) -> None:
    found = cross_table(records, "responses", ["incident_type", "area_command"], start=JULY)
    since = rows.loc[rows["response_date"].ge("2023-07-01")]
    for kind in found.index:
        for area in found.columns:
            here = since["incident_type"].eq(kind)
            here &= since["area"].isna() if area == "Not recorded" else since["area"].eq(area)
            assert found.loc[kind, area] == here.sum()
    assert found.to_numpy().sum() == len(since) == 320
    assert list(found.columns)[:2] == ["Southeast", "Southwest"]  # In printed order; University is no area of its own.
    assert "University" not in found.columns


def test_sums_and_different_people_are_counted_by_columns_too(records: Records) -> None:
    table = records.tables["outreach"].rows
    adults = cross_table(records, "adults_assisted", ["kind"])["adults_assisted"]
    assert adults.to_dict() == table.groupby("kind", observed=False)["adults_assisted"].sum().to_dict()
    notified = records.tables["notifications"].rows.query("outcome == 'Delivered'")
    people = cross_table(records, "people_notified", ["community_leader_present"])["people_notified"]
    by_flag = notified.groupby("community_leader_present")["candidate_id"].nunique()
    assert people.to_dict() == {"Yes": by_flag[True], "No": by_flag[False]}


def test_a_series_of_some_records_counts_these(records: Records, rows: pd.DataFrame) -> None:
    where = {"area_command": ["Southeast", None], "incident_type": "Homicide"}
    found = cross_series(records, "responses", where=where)
    here = rows["incident_type"].eq("Homicide") & (rows["area"].eq("Southeast") | rows["area"].isna())
    months = rows.loc[here, "response_date"].dt.to_period("M").value_counts()
    assert {pd.Period(one.start, "M"): one.value for one in found.itertuples() if one.value} == months.to_dict()  # type: ignore[arg-type]
    assert len(found) == 17  # A month without any is there, too.


@pytest.mark.parametrize("freq", ["month", "quarter", "fytd", "rolling_12"])
def test_the_groups_of_a_series_add_up_to_the_series(records: Records, freq: str) -> None:
    whole = series_of(records, "responses", freq=freq)  # type: ignore[arg-type]
    parts = cross_series(records, "responses", ["area_command"], freq=freq)  # type: ignore[arg-type]
    added = parts.groupby("start" if freq != "fytd" else "end")["value"].sum(min_count=1)
    assert added.tolist() == whole["value"].tolist()


def test_twelve_months_are_missing_until_there_are_twelve(records: Records) -> None:
    found = series_of(records, "responses", freq="rolling_12").set_index("end")["value"]
    assert found.isna().sum() == 11
    dates = records.tables["responses"].rows["response_date"]
    for end in ("2023-06-30", "2023-11-30"):
        last = pd.Timestamp(end)
        year = dates.between(last - pd.DateOffset(years=1) + pd.Timedelta(days=1), last)
        assert found[last] == year.sum()


@pytest.mark.parametrize(
    ("by", "where", "said"),
    [
        (
            ["area"],
            {},
            "by: 'area' is not a column that responses can be counted by; choose: incident_type, area_command",
        ),
        (["response_date"], {}, "'response_date' is not a column"),
        (
            [],
            {"area_command": "Foothil"},
            "where area_command: 'Foothil' is not a value of it; did you mean 'Foothills'?",
        ),
        ([], {"area_command": "University"}, "'University' is not a value of it;"),
    ],
)
def test_what_cannot_be_counted_is_said_with_what_would_be_right(
    records: Records, by: list[str], where: dict[str, str], said: str
) -> None:
    with pytest.raises(ParameterError) as refused:
        cross_series(records, "responses", by, where)
    assert said in str(refused.value)


def test_a_code_that_no_record_has_is_refused(records: Records) -> None:
    one = str(records.tables["outreach"].rows["response_id"].dropna().iloc[0])
    assert cross_series(records, "outreach_operations", where={"response_id": one})["value"].sum() >= 1
    with pytest.raises(ParameterError) as refused:
        cross_series(records, "outreach_operations", where={"response_id": "#"})
    assert "where response_id: '#' is not a value of it; no record has it." in str(refused.value)


@pytest.mark.parametrize("by", [[], ["area_command"], ["incident_type", "area_command"]])
def test_a_range_in_which_no_quarter_begins_has_no_rows(records: Records, by: list[str]) -> None:
    august = ReportMonth(2023, 8)
    found = cross_series(records, "responses", by, freq="quarter", start=august, end=august)
    usual = cross_series(records, "responses", by, freq="quarter")
    assert len(found) == 0
    assert found.dtypes.drop(by).to_dict() == usual.dtypes.drop(by).to_dict()
    assert list(found) == list(usual)


def test_a_table_of_a_month_that_is_not_over_is_refused(records: Records) -> None:
    with pytest.raises(ParameterError) as refused:
        cross_table(records, "responses", ["area_command"], end=ReportMonth(2023, 12))
    assert "2023-12 is beyond the data;" in str(refused.value)
    with pytest.raises(ParameterError):
        cross_table(records, "responses", [])


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("homicides", "Homicide"), ("HOM", "Homicide"), ("gun violence", "Gun/Other Violence"), ("foothill", "Foothills")],
)
def test_a_measure_is_found_by_its_category(records: Records, asked: str, meant: str) -> None:
    with pytest.raises(ParameterError) as refused:
        series_of(records, asked)
    assert f"did you mean the category '{meant}' of responses_by_" in str(refused.value)
