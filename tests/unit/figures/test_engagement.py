"""Engagement is counted by person, agrees with published examples, and never compares what is not complete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.histories import with_tables
from tests.support.projects import Deliver
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures.counts import compute_figures, value_of
from viputils.figures.edition import Edition
from viputils.figures.engagement import (
    Followed,
    by_group,
    by_source,
    cohorts,
    days_until_half,
    follow,
    funnel,
    log_rank,
    median_days,
    time_to_engagement,
)
from viputils.records.clean import Records, load_records

NOVEMBER = ReportMonth(2023, 11)
Told = Callable[..., Records]

# E. J. Freireich and others, Blood 21 (1963): weeks of remission of 21 patients under 6-MP, the textbook example of
# Kaplan and Meier's estimate; D. G. Kleinbaum and M. Klein, Survival Analysis (3rd edition, 2012), chapter 2, gives S.
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
SURVIVAL = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
AT_RISK = {6: 21, 7: 17, 10: 15, 13: 12, 16: 11, 22: 7, 23: 6}


@pytest.fixture
def is_whole() -> bool:
    """Whether a test needs the whole program; a parameter of this name says so."""
    return False


@pytest.fixture
def project(project: Project, is_whole: bool) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return project if is_whole else with_tables(project, "candidates", "notifications", "engagements")


@pytest.fixture
def told(project: Project, deliver: Deliver) -> Told:
    """Records of notifications (person, day, outcome) and engagements (person, day), received after November 2023."""

    def make(
        notified: Sequence[tuple[str, str]] | Sequence[tuple[str, str, str]],
        engaged: Sequence[tuple[str, str]] = (),
        sources: dict[str, str] | None = None,
    ) -> Records:
        deliver(
            notifications=[
                f"N{place},{one[1]},{one[0]},{one[2] if len(one) > 2 else 'Delivered'},yes"
                for place, one in enumerate(notified)
            ],
            engagements=[f"E{place},{day},{person},Housing" for place, (person, day) in enumerate(engaged)],
            candidates=[f"{person},2022-07-02,{source}" for person, source in (sources or {}).items()],
        )
        return load_records(project)

    return make


def watched(days: Sequence[int], observed: Sequence[int]) -> Followed:
    """People who took up a service after some days, and others who had not when they were last seen."""
    known = pd.array([*days, *[pd.NA] * len(observed)], dtype="Int64")
    people = pd.DataFrame({"days": known, "observed": [*days, *observed], "source": "", "month": "2023-01"})
    return Followed(people.assign(engaged=people["days"].notna()), pd.Timestamp("2023-11-30"))


@pytest.mark.parametrize("number", [4, 6, 8, 12, 24, 28, 44])
def test_half_is_half_whatever_the_fractions_that_it_is_a_product_of(number: int) -> None:
    half = number // 2
    course = time_to_engagement(watched(range(1, half + 1), [90] * half))
    assert days_until_half(course) == half


def test_nobody_is_followed_beyond_a_month_of_which_nothing_is_known(project: Project, deliver: Deliver) -> None:
    toml = project.root / "program.toml"
    text = toml.read_text("utf-8").replace('delivered = "irregularly"', 'delivered = "monthly"')
    toml.write_text(text.replace("records_from = 2022-07-01", "records_from = 2023-07-01"), "utf-8")
    deliver("2023-08-02", notifications=["N1,2023-07-05,C1,Delivered,yes"], candidates=["C1,2023-07-02,"])
    # What came of August was never delivered.
    deliver("2023-10-03", engagements=["E1,2023-09-05,C1,Housing"])
    records = load_records(Project.open(project.root))
    followed = follow(records)
    assert str(followed.until.date()) == "2023-07-31"
    assert not followed.people["engaged"].any()
    with pytest.raises(ParameterError, match="choose a month from 2023-07 to 2023-07"):
        follow(records, ReportMonth(2023, 9))


def test_the_course_is_that_of_the_textbook() -> None:
    course = time_to_engagement(watched(RELAPSED, CENSORED)).set_index("day")
    assert (1 - course["share"]).round(4).to_dict() == SURVIVAL
    assert course["at_risk"].to_dict() == AT_RISK
    assert course["engaged"].to_dict() == {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    assert (course["low"] <= course["share"]).all()
    assert (course["share"] <= course["high"]).all()
    assert days_until_half(course.reset_index()) == 23  # The median of the remissions.


def test_without_anybody_censored_the_course_is_the_plain_share() -> None:
    course = time_to_engagement(watched([1, 1, 3, 8], [])).set_index("day")
    assert course["share"].to_dict() == pytest.approx({1: 0.5, 3: 0.75, 8: 1.0})


def test_where_nobody_took_up_a_service_there_is_no_course() -> None:
    course = time_to_engagement(watched([], [5, 9]))
    assert course.empty
    assert days_until_half(course) is None


def test_a_person_counts_once_from_the_first_notification_that_reached_them(told: Told) -> None:
    records = told(
        [
            ("C1", "2023-09-02", "Not located"),
            ("C1", "2023-10-02"),
            ("C1", "2023-11-02"),
            ("C2", "2023-11-03", "Declined"),
        ],
        [("c1", "2023-10-20"), ("c1", "2023-11-20")],
    )
    (person,) = follow(records).people.to_dict("records")
    assert (str(person["notified_on"].date()), str(person["engaged_on"].date())) == ("2023-10-02", "2023-10-20")
    assert (person["days"], person["observed"], person["month"]) == (18, 59, "2023-10")


def test_an_engagement_before_the_notification_does_not_count_and_one_on_the_day_does(told: Told) -> None:
    records = told(
        [("C1", "2023-10-02"), ("C2", "2023-10-02")], [("C1", "2023-10-01"), ("C2", "2023-10-02"), ("C3", "2023-10-02")]
    )
    people = follow(records).people
    assert people["engaged"].tolist() == [False, True]
    assert people["engaged_before"].tolist() == [True, False]
    assert people["days"].tolist() == [pd.NA, 0]


def test_a_cohort_that_could_not_be_watched_for_long_enough_has_no_rate(told: Told) -> None:
    records = told(
        [("C1", "2023-08-31"), ("C2", "2023-09-01"), ("C3", "2023-11-05")],
        [("C1", "2023-09-30"), ("C2", "2023-09-20"), ("C3", "2023-11-06")],
    )
    table = cohorts(follow(records)).set_index("month")
    # 91 days lie between the last day of August and the end of November, 61 between that of September and it.
    assert table.index.tolist() == ["2023-08", "2023-09", "2023-10", "2023-11"]
    assert table["people"].tolist() == [1, 1, 0, 1]
    assert table["engaged"].tolist() == [1, 1, 0, 1]
    assert table["within_30"].tolist()[:3] == [1, 1, 0]
    assert table["within_90"].isna().tolist() == [False, True, True, True]
    assert table["within_30"].isna().tolist() == [False, False, False, True]
    assert table["rate"].isna().tolist() == [False, True, True, True]
    assert table["rate"].iloc[0] == 1


def test_all_groups_have_had_the_same_time() -> None:
    # Two people had 90 days; one of them took up a service on day 91, too late. The third was seen for 89 days.
    people = pd.DataFrame(
        {
            "days": pd.array([90, 91, 5], dtype="Int64"),
            "observed": [90, 200, 89],
            "source": ["Hospital", "Hospital", "Hospital"],
            "engaged": True,
        }
    )
    (row,) = by_source(Followed(people, pd.Timestamp("2023-11-30"))).to_dict("records")
    assert (row["people"], row["engaged"], row["rate"], row["too_recent"]) == (2, 1, 0.5, 1)
    with pytest.raises(ParameterError, match="cannot be compared"):
        by_group(Followed(people, pd.Timestamp("2023-11-30")), "sauce")


def test_the_flags_of_the_first_notification_make_groups(told: Told, demonstration: Edition) -> None:
    followed = follow(demonstration.records, NOVEMBER)
    rows = demonstration.records.tables["notifications"].rows
    first = rows.loc[rows["outcome"].eq("Delivered")].sort_values("notified_date", kind="stable")
    first = first.drop_duplicates("candidate_id")
    table = by_group(followed, "community_leader_present", within=0).set_index("community_leader_present")
    assert table["people"].to_dict() == {
        "No": int((~first["community_leader_present"]).sum()),
        "Yes": int(first["community_leader_present"].sum()),
    }
    medians = median_days(followed, "community_leader_present").set_index("group")
    course = time_to_engagement(followed, by="community_leader_present")
    for name in ("Yes", "No"):
        assert medians["median"][name] == days_until_half(course.loc[course["group"].eq(name)])
    assert log_rank(followed, "community_leader_present").freedom == 1


def test_a_rate_has_wilsons_interval() -> None:
    # R. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, and none of 20.
    followed = watched([1] * 81, [200] * 182)
    followed.people["observed"] = 200
    (row,) = by_source(followed).to_dict("records")
    assert (round(row["low"], 4), round(row["high"], 4)) == (0.2553, 0.3662)
    (row,) = by_source(watched([], [200] * 20)).to_dict("records")
    assert (row["low"], round(row["high"], 4)) == (0, 0.1611)


@pytest.mark.parametrize("is_whole", [True])  # Its practice model says where people come from.
def test_people_are_told_apart_by_where_they_came_from_and_nobody_is_dropped(told: Told) -> None:
    records = told(
        [("C1", "2023-10-02"), ("C2", "2023-10-02"), ("C3", "2023-10-02")],
        [("c1", "2023-10-20")],
        {"C1": "Hospital", "C2": "Hospital"},
    )
    table = by_source(follow(records), within=30).set_index("source")
    assert table["people"].to_dict() == {"Hospital": 2, "": 1}
    assert table["engaged"].to_dict() == {"Hospital": 1, "": 0}
    assert not table["is_enough"].any()


@pytest.fixture(scope="module")
def steps(demonstration: Edition) -> pd.DataFrame:
    return funnel(demonstration.records).set_index(["step", "month"])


@pytest.mark.parametrize("month", [ReportMonth(2022, 7), ReportMonth(2023, 6), NOVEMBER])
def test_the_funnel_is_that_of_the_figures(steps: pd.DataFrame, demonstration: Edition, month: ReportMonth) -> None:
    figures = compute_figures(demonstration.records, month)
    for step in ("candidates", "people_notified", "people_engaged"):
        row = steps.xs((step, str(month)))
        assert row["value"] == value_of(figures, step, "month")
        assert row["fytd"] == value_of(figures, step, "fytd")


def test_of_the_demonstration_records_everybody_is_followed(demonstration: Edition) -> None:
    followed = follow(demonstration.records, NOVEMBER)
    notified = demonstration.records.tables["notifications"].rows
    people = notified.loc[notified["outcome"].eq("Delivered"), "candidate_id"].str.casefold().nunique()
    assert len(followed.people) == people == cohorts(followed)["people"].sum()
    assert by_source(followed)[["people", "too_recent"]].sum().sum() == people
    assert followed.people["engaged"].sum() == cohorts(followed)["engaged"].sum()


DAY = st.integers(0, 500).map(lambda ahead: str(dt.date(2022, 7, 1) + dt.timedelta(days=ahead)))
PEOPLE = st.sampled_from(["C1", "C2", "C3", "C4"])


@settings(max_examples=examples(10))
@given(
    notified=st.lists(st.tuples(PEOPLE, DAY), min_size=1, max_size=6),
    engaged=st.lists(st.tuples(PEOPLE, DAY), max_size=6),
    late=st.tuples(PEOPLE, DAY),
)
def test_one_more_engagement_never_lowers_a_count_and_order_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    demonstration: Edition,
    notified: list[tuple[str, str]],
    engaged: list[tuple[str, str]],
    late: tuple[str, str],
) -> None:
    def counted(people: list[tuple[str, str]], services: list[tuple[str, str]]) -> pd.DataFrame:
        records = demonstration.records
        tables = dict(records.tables)
        for name, column, rows in (
            ("notifications", "notified_date", people),
            ("engagements", "engaged_date", services),
        ):
            frame = pd.DataFrame(rows, columns=["candidate_id", column]).astype({"candidate_id": "str"})
            days = pd.to_datetime(frame[column]).astype("datetime64[s]")
            frame = pd.DataFrame({"candidate_id": frame["candidate_id"], column: days, "outcome": "Delivered"})
            frame["community_leader_present"] = pd.Series(False, frame.index, dtype="boolean")
            tables[name] = replace(tables[name], rows=frame)
        return cohorts(follow(replace(records, tables=tables), NOVEMBER))

    before = counted(notified, engaged)
    pd.testing.assert_frame_equal(before, counted(notified[::-1], engaged[::-1]))
    after = counted(notified, [*engaged, late])
    assert after["engaged"].ge(before["engaged"]).all()
    for column in ("within_30", "within_90", "within_180"):
        known = before[column].notna()
        assert after.loc[known, column].ge(before.loc[known, column]).all()
        assert before.loc[known, column].le(before.loc[known, "engaged"]).all()


def test_a_city_that_follows_nobody_is_told_so(repository_example: Path) -> None:
    records = load_records(Project.open(repository_example), dt.date(2020, 12, 1))
    for ask in (follow, funnel):
        with pytest.raises(ParameterError) as refused:
            ask(records)
        (problem,) = refused.value.problems
        assert "The tables are: " in problem.remedy


def test_a_month_that_is_not_known_is_refused(demonstration: Edition) -> None:
    with pytest.raises(ParameterError) as refused:
        follow(demonstration.records, ReportMonth(2024, 1))
    assert "choose a month from 2022-07 to 2023-11" in refused.value.problems[0].remedy
