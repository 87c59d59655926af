"""Follow-up of responses and flags of notifications: counted by hand, and by a plain recount."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.support.histories import as_snapshot, with_tables
from tests.support.projects import Deliver
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.figures.follow_up import flag_shares, follow_up, followed_shares, median_follow_up, time_to_follow_up
from viputils.records.clean import load_records


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read in a fraction of the time."""
    return with_tables(project, "responses", "outreach")


def test_the_first_operation_on_or_after_the_response_counts(project: Project, deliver: Deliver) -> None:
    deliver(
        responses=[
            "R1,2023-10-02,DV,SE",
            "R2,2023-10-02,DV,",
            "R3,2023-11-28,DV,NE",
            "R4,2023-12-02,DV,NE",  # Not in a month that is over.
        ],
        outreach=[
            "O1,2023-10-01,SE,Follow-up,R1,1,0",  # Before the response.
            "O2,2023-10-09,SE,Follow-up,R1,1,0",
            "O3,2023-10-04,SE,Follow-up,R1,1,0",  # Sooner.
            "O4,2023-12-02,SE,Follow-up,R2,1,0",  # Not in a month that is over.
            "O5,2023-11-28,NE,Follow-up,R3,1,0",
            "O6,2023-11-29,NE,Door-to-door,,1,0",
        ],
    )
    found = follow_up(load_records(project), end=ReportMonth(2023, 11)).set_index("response_id")
    assert found["days"].to_dict() == {"R1": 2, "R2": None, "R3": 0}
    assert found["observed"].to_dict() == {"R1": 59, "R2": 59, "R3": 2}
    assert found["area_command"].astype("str").to_dict() == {"R1": "Southeast", "R2": "Not recorded", "R3": "Northeast"}
    shares = followed_shares(found.reset_index()).set_index("month")
    assert shares[["records", "followed", "too_recent"]].to_numpy().tolist() == [[2, 1, 0], [0, 0, 1]]
    assert shares["share"].tolist() == [0.5, pd.NA]


def test_a_later_row_of_an_id_has_a_follow_up_of_its_own(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project, one_row_per_id=False)
    deliver(
        responses=["R1,2023-10-02,DV,SE", "R1,2023-10-20,DV,SE", "R1,2023-11-01,DV,SE"],
        outreach=["O1,2023-10-04,SE,Follow-up,R1,1,0", "O2,2023-10-25,SE,Follow-up,R1,1,0"],
    )
    found = follow_up(load_records(project), end=ReportMonth(2023, 11))
    assert found["days"].tolist() == [2, 5, pd.NA]
    assert followed_shares(found, within=7)["followed"].sum() == 2


def test_shares_and_medians_of_the_sample_data_are_a_plain_recount(demonstration: Edition) -> None:
    found = follow_up(demonstration.records)
    responses = demonstration.records.tables["responses"].rows
    outreach = demonstration.records.tables["outreach"].rows.dropna(subset=["response_id"])
    first = outreach.groupby("response_id")["operation_date"].min()
    assert len(found) == len(responses) == 1065
    assert found["followed"].sum() == responses["response_id"].isin(first.index).sum()
    shares = followed_shares(found, within=14)
    assert shares["records"].sum() + shares["too_recent"].sum() == len(responses)
    assert shares["followed"].sum() == found.loc[found["observed"].ge(14), "days"].le(14).sum()
    (median,) = median_follow_up(found).to_dict("records")
    course = time_to_follow_up(found).set_index("day")["share"]
    assert course[median["median"]] >= 0.5 > course[median["median"] - 1]
    assert set(time_to_follow_up(found, "area_command")["group"]) <= set(found["area_command"])


def test_the_flags_of_notifications_are_counted_by_month(demonstration: Edition) -> None:
    rows = demonstration.records.tables["notifications"].rows
    found = flag_shares(demonstration.records, "notifications", "community_leader_present")
    assert len(found) == 17
    assert (
        (found["yes"].sum(), found["records"].sum()) == (rows["community_leader_present"].sum(), len(rows)) == (84, 294)
    )
    by_outcome = flag_shares(demonstration.records, "notifications", "community_leader_present", "outcome")
    assert by_outcome.set_index("outcome")["yes"].to_dict() == {"Delivered": 65, "Declined": 15, "Not located": 4}
    assert by_outcome["share"][0] == pytest.approx(65 / 210)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"table": "respones"}, "'respones' is no table that this city keeps; did you mean 'responses'?"),
        ({"link": "reponse_id"}, "'reponse_id' is not a code of outreach; did you mean 'response_id'?"),
        ({"end": ReportMonth(2024, 1)}, "choose a month from 2022-07 to 2023-11."),
    ],
)
def test_what_cannot_be_followed_is_said(demonstration: Edition, asked: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        follow_up(demonstration.records, **asked)  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_a_flag_that_is_none_is_refused(demonstration: Edition) -> None:
    with pytest.raises(ParameterError) as refused:
        flag_shares(demonstration.records, "notifications", "outcome")
    assert "'outcome' is not a flag of notifications; choose: community_leader_present." in str(refused.value)
