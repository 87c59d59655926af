"""Data quality: what is missing, late, repeated, refused or revised, counted by hand and by plain Python beside it."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import statistics
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given

from tests.support.histories import HISTORIES, KINDS, ON_DISK, History, as_snapshot, remade
from tests.support.projects import REPOSITORY, Deliver
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.core.months import ReportMonth
from viputils.figures import quality, vintages
from viputils.records.clean import Records, load_records

ACCOUNT = ["delivered", "kept", "superseded", "duplicate", "withdrawn", "quarantined"]


@pytest.fixture
def records(project: Project, deliver: Deliver) -> Records:
    """Three deliveries of responses in which everything happens once."""
    deliver("2023-11-03", responses=["R1,2023-10-05,DV,SE", "R2,2023-10-20,DV,", "R3,2023-10-25,Homicide,NE"])
    deliver(
        "2023-12-04",
        responses=[
            "R2,2023-10-20,DV,SW",  # corrects
            "R3,2023-10-25,Homicide,NE",  # repeats
            "R4,2023-11-02,DV,SE",  # is withdrawn later
            "R5,2023-11-27,DV,",  # after 7 days
            "R6,2023-11-03,Homicide,NE",  # its date is moved beyond its first receipt later
            "R7,2023-12-05,DV,SE",  # before it occurred
            "R8,2023-11-09,Homocide,Sauth",  # two values that nobody knows
            "R10,2023-11-03,DV,SE",  # after 31 days
            "R11,2023-11-26,DV,",  # after 8 days
        ],
    )
    deliver(
        "2024-01-04",
        responses=["R6,2023-12-20,Homicide,NE", "R9,2023-12-01,DV,SE"],  # R9 after 34 days
        voids=["V1,2024-01-04,responses,R4", "V2,2024-01-04,responses,R99"],  # and one of a record that nobody sent
    )
    return load_records(project)


def rows_of(found: pd.DataFrame, columns: list[str], table: str = "responses") -> list[list[object]]:
    return found.loc[found["table"].eq(table), columns].to_numpy().tolist()


# ---------------------------------------------------------------- what became of every row


def test_every_row_of_every_delivery_is_one_of_five_things(records: Records) -> None:
    found = quality.account(records, "responses", by="delivery")
    assert list(found["delivery"]) == ["data/raw/2023-11-03", "data/raw/2023-12-04", "data/raw/2024-01-04"]
    assert found["received"].dtype == "datetime64[s]"
    assert rows_of(found, ACCOUNT) == [[3, 2, 1, 0, 0, 0], [9, 4, 1, 1, 1, 2], [2, 2, 0, 0, 0, 0]]
    every = quality.account(records)
    assert rows_of(every, ACCOUNT) == [[14, 8, 2, 1, 1, 2]]
    assert rows_of(every, ACCOUNT, "reviews") == [[0, 0, 0, 0, 0, 0]]
    assert rows_of(every, ACCOUNT, "voids") == [[2, 1, 0, 0, 0, 1]]
    assert {str(kind) for kind in found[ACCOUNT].dtypes} == {str(kind) for kind in every[ACCOUNT].dtypes} == {"int64"}


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        # What was corrected before it was withdrawn is one record that was withdrawn.
        (
            [(["DV"], False), (["Homicide"], False), ([], True)],
            [(0, 1, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0)],
        ),
        # Repeated, withdrawn, sent again, withdrawn again: two withdrawals.
        (
            [(["DV", "DV"], False), ([], True), (["DV"], False), ([], True)],
            [(0, 0, 1, 1), (0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0)],
        ),
        # A second void withdraws nothing more.
        ([(["DV"], True), ([], True)], [(0, 0, 0, 1), (0, 0, 0, 0)]),
        # Sent again, it stands.
        ([(["DV"], True), (["DV"], False)], [(0, 0, 0, 1), (1, 0, 0, 0)]),
        # Of two rows that contradict each other one record is withdrawn.
        ([(["DV", "Homicide"], False), ([], True)], [(0, 1, 0, 1), (0, 0, 0, 0)]),
    ],
)
def test_a_record_is_withdrawn_once_for_each_time_that_it_stood(
    project: Project,
    deliver: Deliver,
    deliveries: list[tuple[list[str], bool]],
    expected: list[tuple[int, int, int, int]],
) -> None:
    for number, (kinds, is_voided) in enumerate(deliveries):
        void = [f"V{number},2023-12-01,responses,R1"] if is_voided else []
        rows = [f"R1,2023-11-02,{kind},SE" for kind in kinds]
        deliver(f"2023-12-{4 + number:02}", responses=rows, voids=void)
    found = quality.account(load_records(project), "responses", by="delivery")
    outcomes = found[["kept", "superseded", "duplicate", "withdrawn"]]
    assert list(outcomes.itertuples(index=False, name=None)) == expected


def test_what_the_next_snapshot_no_longer_has_is_withdrawn(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project)
    deliver("2023-12-04", responses=[f"R{number},2023-11-02,DV,SE" for number in (1, 2, 3)])
    deliver("2023-12-05", responses=["R1,2023-11-02,DV,SE", "R3,2023-11-02,Homicide,SE"])
    (deliver("2023-12-06") / "responses.csv").unlink()
    deliver("2023-12-07", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE"])
    found = quality.account(load_records(project), "responses", by="delivery")
    assert list(found["delivery"].str[-2:]) == ["04", "05", "07"]
    assert rows_of(found, ACCOUNT) == [[3, 0, 2, 0, 1, 0], [2, 0, 1, 0, 1, 0], [2, 2, 0, 0, 0, 0]]


def test_of_rows_that_share_an_id_as_many_are_withdrawn_as_there_are_fewer(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project, one_row_per_id=False)
    row = "R1,2023-11-02,DV,SE"
    deliver("2023-12-04", responses=[row, "R2,2023-11-02,DV,SE", row, row])
    deliver("2023-12-05", responses=[row, "R3,2023-11-02,DV,SE", "R3,2023-11-02,DV,SE"])
    deliver(
        "2023-12-06",
        responses=[row, row, "R3,2023-11-02,DV,SE", "R3,2023-11-02,DV,SE"],
        voids=["V1,2023-12-06,responses,R3"],
    )
    records = load_records(project)
    found = quality.account(records, "responses", by="delivery")
    assert rows_of(found, ACCOUNT) == [[4, 0, 1, 0, 3, 0], [3, 0, 3, 0, 0, 0], [4, 2, 0, 0, 2, 0]]


def withdrawals(kind: tuple[str, str], history: History) -> int:
    """Count the rows that nothing took the place of, by going through the deliveries one after the other."""
    standing: Counter[str] = Counter()
    found = 0
    for number, (rows, voids) in enumerate(history):
        came = Counter([*(["R0"] if number == 0 else []), *(row[0] for row in rows)])
        if kind[1] == "true":
            came = Counter(set(came))
        if kind[0] == "snapshot":
            found += (standing - came).total()
            standing = came
        else:
            standing |= came
        found += sum(standing[record] for record in set(voids))
        standing -= Counter({record: standing[record] for record in set(voids)})
    return found


@ON_DISK
@given(history=HISTORIES, kind=KINDS)
def test_the_account_balances_whatever_is_delivered(tmp_path: Path, history: History, kind: tuple[str, str]) -> None:
    project = remade(tmp_path / "project", kind, history)
    records = load_records(project)
    found = quality.account(records, by="delivery")
    assert found[ACCOUNT[1:]].sum(axis="columns").equals(found["delivered"])
    for line in found.to_dict("records"):
        with (project.root / line["delivery"] / f"{line['table']}.csv").open(encoding="utf-8", newline="") as file:
            assert line["delivered"] == len(list(csv.DictReader(file)))
    whole = quality.account(records)
    sums = found.groupby("table", sort=False)[ACCOUNT].sum()
    assert whole.set_index("table")[ACCOUNT].equals(sums.loc[list(whole["table"])].rename_axis("table"))
    library = records.account.set_index("table")
    whole = whole.set_index("table").loc[list(library.index)]
    assert whole["delivered"].equals(library["read"])
    for status in ("kept", "duplicate", "quarantined"):
        assert whole[status].equals(library[status])
    assert (whole["superseded"] + whole["withdrawn"]).equals(library["superseded"].rename(None))

    assert whole["withdrawn"].sum() == withdrawals(kind, history)

    times = quality.timeliness(records, by="delivery")
    assert times["records"].sum() == len(records.tables["responses"].rows)
    assert times[["with_first", "date_moved", "timed"]].sum(axis="columns").equals(times["records"].rename(None))
    spans = quality.delays(records)
    assert spans["records"].sum() == times["timed"].sum()


def test_the_account_of_the_demonstration_records_balances_with_the_files(demonstration_records: Records) -> None:
    found = quality.account(demonstration_records, by="delivery")
    assert found[ACCOUNT[1:]].sum(axis="columns").equals(found["delivered"])
    lines = {
        (path.parent.name, path.stem): len(path.read_text(encoding="utf-8").splitlines()) - 1
        for path in (REPOSITORY / "data" / "raw").glob("*/*.csv")
    }
    got = zip(found["delivery"].str.rsplit("/").str[-1], found["table"], found["delivered"], strict=True)
    assert {(day, table): rows for day, table, rows in got} == lines
    # The one void of the demonstration records.
    assert found.loc[found["withdrawn"].gt(0), ["table", "withdrawn"]].to_numpy().tolist() == [["responses", 1]]


@pytest.fixture(scope="module")
def demonstration_records() -> Records:
    return load_records(Project.open(REPOSITORY))


# ---------------------------------------------------------------- what is missing


def test_columns_that_may_be_empty_are_counted_with_the_delivery_whose_row_stands(records: Records) -> None:
    found = quality.completeness(records, "responses", by="delivery")
    assert rows_of(found, ["column", "rows", "filled"]) == [
        ["area_command", 2, 2],
        ["area_command", 4, 2],
        ["area_command", 2, 2],
    ]
    assert list(found["share"]) == [1.0, 0.5, 1.0]
    every = quality.completeness(records)
    assert rows_of(every, ["column", "rows", "filled", "share"]) == [["area_command", 8, 6, 0.75]]
    assert list(every["table"]) == ["responses", "outreach", "outreach", "referrals", "referrals"]
    # Of no row at all there is no share, not even of nothing.
    assert every.loc[every["table"].ne("responses"), "share"].isna().all()


def test_a_table_in_which_every_column_must_be_filled_has_no_completeness(records: Records) -> None:
    for by in ("table", "delivery"):
        found = quality.completeness(records, "reviews", by=by)
        assert found.empty
        assert list(found) == list(quality.completeness(records, by=by))


def test_a_month_is_covered_once_it_is_over_and_the_table_came_after_it(project: Project, deliver: Deliver) -> None:
    deliver("2022-08-02", responses=["R1,2022-07-05,DV,SE"], reviews=["W1,2022-07-05,1,1"])
    deliver("2022-10-04", responses=["R2,2022-09-05,DV,SE", "R3,2022-08-05,Homocide,SE"])
    (deliver("2022-11-03", responses=["R4,2022-10-05,DV,SE"]) / "reviews.csv").unlink()
    records = load_records(project)
    found = quality.coverage(records)
    # August has one row of responses, and it is in quarantine.
    assert rows_of(found, ["month", "rows"]) == [["2022-07", 1], ["2022-08", 0], ["2022-09", 1], ["2022-10", 1]]
    assert rows_of(found, ["month", "rows"], "reviews") == [["2022-07", 1], ["2022-08", 0], ["2022-09", 0]]
    assert rows_of(quality.coverage(records, "candidates"), ["month"], "candidates") == [
        [f"2022-{month:02}"] for month in range(7, 11)
    ]


# ---------------------------------------------------------------- how soon


def test_delays_go_from_a_records_own_date_to_its_first_receipt(records: Records) -> None:
    columns = ["records", "with_first", "date_moved", "timed", "median", "most", "within_7", "within_31", "refused"]
    found = quality.timeliness(records, "responses")
    # R1, R2 and R3 came with the first delivery; R6 was moved; the others took 7, 8, 31 and 34 days.
    assert rows_of(found, columns) == [[8, 3, 1, 4, 19.5, 34.0, 0.25, 0.75, 1]]
    found = quality.timeliness(records, "responses", by="delivery")
    counts = ["records", "with_first", "date_moved", "timed", "refused"]
    assert rows_of(found, counts) == [[3, 3, 0, 0, 0], [4, 0, 1, 3, 1], [1, 0, 0, 1, 0]]
    assert found["median"].isna().tolist() == [True, False, False]
    assert list(found["median"])[1:] == [8.0, 34.0]
    assert list(found["within_31"])[1:] == [1.0, 0.0]
    spans = quality.delays(records, "responses")
    assert spans["high"].isna().tolist() == [False] * 4 + [True]
    assert rows_of(spans, ["low", "records", "share"]) == [
        [0, 1, 0.25],
        [8, 1, 0.25],
        [15, 1, 0.25],
        [32, 1, 0.25],
        [63, 0, 0.0],
    ]
    nothing = quality.timeliness(records, "reviews")
    assert rows_of(nothing, counts, "reviews") == [[0, 0, 0, 0, 0]]
    assert nothing[["median", "most", "within_7", "within_31"]].isna().all(axis=None)


@pytest.mark.parametrize(("number", "most"), [(1, 1), (9, 9), (10, 9), (11, 10), (20, 18)])
def test_within_so_many_days_nine_in_ten_really_had_come(
    project: Project, deliver: Deliver, number: int, most: int
) -> None:
    deliver("2023-11-03")
    days = [dt.date(2023, 12, 4) - dt.timedelta(days) for days in range(1, number + 1)]
    deliver("2023-12-04", responses=[f"R{place},{day},DV,SE" for place, day in enumerate(days)])
    found = quality.timeliness(load_records(project), "responses")
    assert found["most"].item() == most
    assert most >= 0.9 * number > most - 1


def test_delays_of_the_demonstration_records_are_those_between_two_dates_in_the_files(
    demonstration_records: Records,
) -> None:
    first: dict[str, tuple[str, str]] = {}
    for path in sorted((REPOSITORY / "data" / "raw").glob("*/candidates.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                first.setdefault(row["candidate_id"].strip(), (row["received_date"].strip(), path.parent.name))
    opening = min(came for _, came in first.values())
    days = [
        (dt.date.fromisoformat(came) - dt.date.fromisoformat(day)).days
        for day, came in first.values()
        if came != opening
    ]
    found = quality.timeliness(demonstration_records, "candidates").iloc[0]
    assert (found["records"], found["timed"]) == (len(first), len(days))
    assert found["median"] == statistics.median(days)
    assert found["within_31"] == pytest.approx(sum(one <= 31 for one in days) / len(days))


def test_of_rows_that_share_an_id_the_second_came_when_there_first_were_two(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project, one_row_per_id=False)
    row = "R1,2023-11-02,DV,SE"
    deliver("2023-12-04", responses=[row])
    deliver("2023-12-05", responses=[row, row, "R2,2023-12-01,DV,SE"])
    deliver("2023-12-06", responses=["R2,2023-12-01,DV,SE", row, row, row])
    found = quality.first_receipts(load_records(project), "responses")
    assert found["with_first"].tolist() == [False, True, False, False]
    assert found["days"].tolist() == [4, 32, 33, 34]
    assert found["received"].tolist() == [pd.Timestamp(f"2023-12-0{day}") for day in (5, 4, 5, 6)]


# ---------------------------------------------------------------- quarantine and revisions


def test_quarantine_is_counted_by_file_and_reason_and_says_nothing_of_the_rows(records: Records) -> None:
    found = quality.quarantine(records)
    file = "data/raw/2023-12-04/responses.csv"
    assert found[["file", "field", "reason", "rows"]].to_numpy().tolist() == [
        [file, "response_date", "date_after_receipt", 1],
        [file, "incident_type", "unknown_value", 1],
        [file, "area_command", "unknown_value", 1],
        ["data/raw/2024-01-04/voids.csv", "voided_id", "unknown_record", 1],
    ]
    assert list(found["delivery"].unique()) == ["data/raw/2023-12-04", "data/raw/2024-01-04"]
    written = found.to_csv()
    assert not any(said in written for said in ("Homocide", "Sauth", "R7", "R8", "R99", "V2"))
    assert quality.quarantine(records, "reviews").empty


def test_rows_with_the_same_fault_in_one_file_are_counted_together(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,x,SE", "R2,2023-11-02,y,SE", "R3,2023-11-02,DV,SE"])
    assert list(quality.quarantine(load_records(project), "responses")["rows"]) == [2]


def test_revisions_count_the_rows_of_each_table_by_age_of_the_month(project: Project, deliver: Deliver) -> None:
    deliver("2022-08-02", responses=["R1,2022-07-05,DV,SE"], reviews=["W1,2022-07-05,1,1"])
    deliver("2022-09-02", responses=["R2,2022-07-30,DV,SE", "R3,2022-08-05,DV,SE"])
    deliver("2022-10-04", responses=["R4,2022-07-30,DV,SE"], voids=["V1,2022-10-04,responses,R3"])
    found = quality.revisions(load_records(project))
    columns = ["month", "age", "first", "value", "change"]
    assert found.loc[found["measure"].eq("responses"), columns].to_numpy().tolist() == [
        ["2022-07", 0, 1, 1, 0],
        ["2022-07", 1, 1, 2, 1],
        ["2022-07", 2, 1, 3, 2],
        ["2022-08", 0, 1, 1, 0],
        ["2022-08", 1, 1, 0, -1],
        ["2022-09", 0, 0, 0, 0],
    ]
    assert found.loc[found["measure"].eq("reviews"), "change"].eq(0).all()
    ages = vintages.by_age(quality.revisions(load_records(project), "responses"))
    assert ages[["age", "months", "up", "down"]].to_numpy().tolist() == [[0, 3, 0, 0], [1, 2, 1, 1], [2, 1, 1, 0]]
    # As it was known before the last delivery came.
    before = quality.revisions(load_records(project, dt.date(2022, 10, 3)), "responses")
    assert before[columns].to_numpy().tolist() == [
        ["2022-07", 0, 1, 1, 0],
        ["2022-07", 1, 1, 2, 1],
        ["2022-08", 0, 1, 1, 0],
    ]


@pytest.mark.exhaustive
def test_revisions_of_tables_are_those_of_measures_that_count_their_rows(
    demonstration_records: Records,
) -> None:
    # `responses` and `outreach_operations` of program.toml count the rows of their tables.
    measures = {"responses": "responses", "outreach_operations": "outreach"}
    kept = vintages.vintages_of(Project.open(REPOSITORY), list(measures))
    kept = kept.loc[kept["as_of"].le(pd.Timestamp(demonstration_records.as_of))]
    expected = vintages.revisions(kept.assign(measure=kept["measure"].map(measures)))
    found = quality.revisions(demonstration_records)
    found = found.loc[found["measure"].isin(measures.values())]
    key = ["measure", "month", "age"]
    pd.testing.assert_frame_equal(
        found.sort_values(key).reset_index(drop=True), expected.sort_values(key).reset_index(drop=True)
    )


# ---------------------------------------------------------------- months and required values


def test_months_are_delivered_missing_or_without_rows(project: Project, deliver: Deliver) -> None:
    deliver("2022-08-02", responses=["R1,2022-07-05,DV,SE"])
    deliver("2022-10-04", responses=["R2,2022-09-05,DV,SE"])
    records = load_records(project)
    found = quality.missing_months(records, ReportMonth(2022, 10))
    columns = ["months", "delivered", "missing", "without_rows"]
    # Nothing came after October. If files come irregularly, the one of October covers August, too.
    assert rows_of(found, columns) == [[4, 3, 1, 1]]
    assert rows_of(found, columns, "reviews") == [[4, 3, 1, 3]]
    identity = records.program.identity.model_copy(update={"delivered": "monthly"})
    monthly = dataclasses.replace(records, program=records.program.model_copy(update={"identity": identity}))
    assert rows_of(quality.missing_months(monthly, ReportMonth(2022, 10)), columns) == [[4, 2, 2, 0]]
    assert {str(kind) for kind in found[columns].dtypes} == {"int64"}


def test_rows_without_a_required_value_are_counted_once(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,,,SE", "R2,2023-11-02,DV,", ",2023-11-02,DV,SE", "R3,2023-11-02,x,SE"])
    found = quality.missing_required(load_records(project), "responses")
    assert found.to_numpy().tolist() == [["responses", 4, 2]]


def test_months_are_complete_when_their_last_table_came(project: Project, deliver: Deliver) -> None:
    deliver("2022-09-02", responses=["R1,2022-07-05,DV,SE", "R2,2022-08-05,DV,SE"])
    deliver("2022-10-04", responses=["R3,2022-09-05,DV,SE"])
    (deliver("2022-11-02", responses=["R4,2022-10-05,DV,SE"]) / "reviews.csv").unlink()
    deliver("2022-12-05", reviews=["W1,2022-11-05,1,1"])
    records = load_records(project)
    # July came late with the first delivery, and the last table of October with the one of November.
    days = [["2022-08", 2], ["2022-09", 4], ["2022-10", 35], ["2022-11", 5]]
    assert quality.days_to_complete(records, ReportMonth(2022, 11)).to_numpy().tolist() == days
    assert quality.days_to_complete(records, ReportMonth(2022, 10)).to_numpy().tolist() == days[:-1]


# ---------------------------------------------------------------- what cannot be


def test_a_table_that_is_not_kept_is_refused_with_the_nearest_one(project: Project, records: Records) -> None:
    for ask in (
        quality.account,
        quality.completeness,
        quality.coverage,
        quality.timeliness,
        quality.first_receipts,
        quality.delays,
        quality.quarantine,
        quality.missing_required,
        quality.revisions,
    ):
        require_refused(partial(ask, records, "response"))
    require_refused(lambda: quality.missing_months(records, ReportMonth(2023, 11), "response"))


def require_refused(ask: Callable[[], object]) -> None:
    with pytest.raises(ParameterError) as refused:
        ask()
    (problem,) = refused.value.problems
    assert str(problem) == "table: 'response' is not a table of this city; did you mean 'responses'? "


def test_voids_are_no_table_of_records_and_an_account_is_by_table_or_by_delivery(records: Records) -> None:
    with pytest.raises(ParameterError, match="not a table of this city"):
        quality.timeliness(records, "voids")
    for ask in (quality.account, quality.completeness, quality.timeliness):
        with pytest.raises(ParameterError, match="write one of: table, delivery"):
            ask(records, by="month")  # type: ignore[arg-type]
