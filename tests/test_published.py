"""The register of printed figures, and the verdicts on them."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.conftest import REPOSITORY
from viputils.errors import PublishedError
from viputils.periods import ReportMonth
from viputils.program import Program
from viputils.project import Project
from viputils.published import compare, printed_keys, published_months, read_published

NOVEMBER = ReportMonth(2023, 11)
HEADER = "measure,category,period,value\n"


@pytest.fixture
def published() -> pd.DataFrame:
    return read_published(Project.open(REPOSITORY), NOVEMBER)


def refusal(project: Project, text: str) -> str:
    project.published(NOVEMBER).write_text(text, encoding="utf-8")
    with pytest.raises(PublishedError) as refused:
        read_published(project, NOVEMBER)
    return str(refused.value)


def test_the_november_2023_issue_prints_28_figures_that_do_not_add_up(
    published: pd.DataFrame, program: Program
) -> None:
    # From the printed issue: both tables are right as published, and their totals differ by one.
    assert len(published) == len(printed_keys(program, NOVEMBER)) == 28
    totals = published.groupby(["measure", "period"])["value"].sum()
    assert totals["responses_by_incident_type"].to_dict() == {"fytd": 320, "month": 90}
    assert totals["responses_by_area_command"].to_dict() == {"fytd": 319, "month": 90}


def test_the_same_figures_are_all_reproduced(published: pd.DataFrame, program: Program) -> None:
    assert set(compare(published, published, program, NOVEMBER)["verdict"]) == {"reproduced"}


def test_one_figure_that_is_off_by_one_differs(published: pd.DataFrame, program: Program) -> None:
    recomputed = published.assign(value=published["value"].where(published.index != 8, published["value"] + 1))
    verdicts = compare(published, recomputed, program, NOVEMBER)
    assert verdicts["verdict"].value_counts().to_dict() == {"reproduced": 27, "differs": 1}
    assert verdicts.loc[verdicts["verdict"].eq("differs"), "category"].tolist() == ["Homicide"]


@pytest.mark.parametrize(
    ("side", "verdict"), [("published", "not in the published file"), ("figures", "not recomputed")]
)
def test_a_figure_that_is_missing_on_either_side_is_never_a_pass(
    published: pd.DataFrame, program: Program, side: str, verdict: str
) -> None:
    sides = {"published": published, "figures": published}
    sides[side] = published.drop(index=[0])
    verdicts = compare(sides["published"], sides["figures"], program, NOVEMBER)
    assert len(verdicts) == 28
    assert verdicts["verdict"].iloc[0] == verdict


def test_a_figure_that_was_printed_beside_the_usual_ones_is_checked_as_well(
    published: pd.DataFrame, program: Program
) -> None:
    more = pd.DataFrame([{"measure": "responses", "category": "", "period": "month", "value": 90}])
    extended = pd.concat([published, more], ignore_index=True)
    assert compare(extended, extended, program, NOVEMBER)["verdict"].eq("reproduced").sum() == 29
    assert compare(extended, published, program, NOVEMBER)["verdict"].iloc[-1] == "not recomputed"


def test_an_issue_that_is_not_in_the_register_is_named_with_those_that_are() -> None:
    with pytest.raises(PublishedError, match=r"2023-10\.csv: is missing; issues in the register: 2023-11"):
        read_published(Project.open(REPOSITORY), ReportMonth(2023, 10))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the header is ''"),
        (HEADER, "holds no figure"),
        ("measure,category,value\n", "it is measure,category,period,value"),
        (HEADER + "adult_assisted,,fytd,1\n", "line 2, measure: 'adult_assisted' is not a measure"),
        (HEADER + "adults_assisted,Homicide,fytd,1\n", "'Homicide' is not a category of adults_assisted"),
        (HEADER + "responses_by_incident_type,Homocide,fytd,1\n", "did you mean 'Homicide'?"),
        (HEADER + "adults_assisted,,year,1\n", "'year' is not a period"),
        (HEADER + "adults_assisted,,fytd,1.0\n", "'1.0' is not a whole number"),
        (HEADER + 'adults_assisted,,fytd,"1,000"\n', "'1,000' is not a whole number"),
        (HEADER + "adults_assisted,,fytd,-1\n", "'-1' is not a whole number"),
        (HEADER + "adults_assisted,,fytd,99999999999999999999\n", "is not a whole number"),
        (HEADER + "adults_assisted,,fytd,٣\n", "is not a whole number"),
        (HEADER + "adults_assisted,,fytd\n", "line 2: holds 3 fields"),
        (HEADER + "adults_assisted,,fytd,1\nadults_assisted,,fytd,2\n", "stands on line 2 already"),
        (HEADER + 'adults_assisted,,fytd,"1\n', "is not CSV"),
    ],
)
def test_a_malformed_register_is_refused_by_line(project: Project, text: str, says: str) -> None:
    message = refusal(project, text)
    assert "data/published/2023-11.csv" in message
    assert says in message


def test_a_register_file_without_a_month_is_refused(project: Project) -> None:
    (project.root / "data" / "published" / "november.csv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(PublishedError, match="is not named for a month"):
        published_months(project)
