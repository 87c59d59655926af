"""Cleaning: what each row becomes, and that none is lost."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.histories import as_snapshot
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import as_of_issue, load_edition
from viputils.config.program import Program
from viputils.config.project import Project
from viputils.config.tables import VOIDS, schemas_of
from viputils.core.errors import BalanceError, DeliveryError, QuarantineError
from viputils.core.months import ReportMonth
from viputils.figures.counts import value_of
from viputils.figures.edition import Edition
from viputils.records.account import STATUSES, require_balance
from viputils.records.clean import Records, clean_records, clean_table, load_records, typed_rows
from viputils.records.deliveries import RawTable, find_deliveries, read_received
from viputils.records.versions import repeated


def responses(project: Project, month: str = "2023-11", as_of: dt.date | None = None) -> Records:
    """Read and clean what an issue would be made from, but for tables without a row."""
    deliveries = find_deliveries(project)
    day = as_of_issue(project.program, deliveries, ReportMonth.parse(month), as_of)
    received = read_received(project, deliveries, day)
    filled = [name for name, table in received.tables.items() if name != VOIDS.name and len(table.rows)]
    return clean_records(project.program, received.by(day, filled))


def statuses(records: Records, table: str = "responses") -> list[str]:
    return list(records.tables[table].ledger["status"])


def reasons(records: Records) -> list[tuple[str, str]]:
    rows = records.quarantine
    return list(zip(rows["field"], rows["reason"], strict=True))


@pytest.mark.parametrize("spelling", ["Homicide", "homicide", "  HOMICIDE ", "hom", "Murder"])
def test_an_alias_in_any_case_and_with_any_blanks_becomes_the_printed_value(
    project: Project, deliver: Deliver, spelling: str
) -> None:
    deliver(responses=[f"R1,2023-11-02,{spelling},SE"])
    rows = responses(project).tables["responses"].rows
    assert list(rows["incident_type"]) == ["Homicide"]
    assert list(rows["area_command"]) == ["Southeast"]


def test_clean_columns_have_the_documented_types(project: Project, deliver: Deliver) -> None:
    deliver(
        responses=["R1,2023-11-02,DV,"],
        outreach=["O1,2023-11-03,SE,D2D,R1,2,0"],
        notifications=["N1,2023-11-03,C1,Delivered,Y"],
    )
    records = responses(project)
    rows = records.tables["responses"].rows
    assert rows["response_date"].dtype == "datetime64[s]"
    assert isinstance(rows["area_command"].dtype, pd.CategoricalDtype)
    assert rows["area_command"].isna().all()
    assert list(rows["area_command"].cat.categories)[:2] == ["Southeast", "Southwest"]
    assert records.tables["outreach"].rows["adults_assisted"].dtype == "Int64"
    assert list(records.tables["notifications"].rows["community_leader_present"]) == [True]


def test_a_row_that_repeats_another_counts_once(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,domestic violence, Southeast "])
    records = responses(project)
    assert statuses(records) == ["kept", "duplicate"]


def test_a_later_delivery_supersedes_an_earlier_row_with_the_same_id(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,Other Deaths,SE"])
    deliver("2023-12-20", responses=["R1,2023-11-02,Homicide,SE"])
    then, now = responses(project, as_of=dt.date(2023, 12, 4)), responses(project, as_of=dt.date(2023, 12, 31))
    assert list(then.tables["responses"].rows["incident_type"]) == ["Other Deaths"]
    assert list(now.tables["responses"].rows["incident_type"]) == ["Homicide"]
    assert statuses(now) == ["superseded", "kept"]


def test_a_correction_that_is_taken_back_stands_again(project: Project, deliver: Deliver) -> None:
    for day, kind in (("2023-12-04", "DV"), ("2023-12-11", "Homicide"), ("2023-12-18", "DV")):
        deliver(day, responses=[f"R1,2023-11-02,{kind},SE"])
    records = responses(project, as_of=dt.date(2023, 12, 31))
    assert statuses(records) == ["superseded", "superseded", "kept"]


def test_a_void_withdraws_a_record_and_a_later_row_reinstates_it(project: Project, deliver: Deliver) -> None:
    row = "R1,2023-11-02,DV,SE"
    deliver("2023-12-04", responses=[row])
    deliver("2023-12-11", voids=["V1,2023-12-10,responses,R1"])
    deliver("2023-12-18", responses=[row])
    assert statuses(responses(project, as_of=dt.date(2023, 12, 11))) == ["superseded"]
    assert statuses(responses(project, as_of=dt.date(2023, 12, 18))) == ["superseded", "kept"]


def test_voids_are_rows_that_are_read_and_have_their_account(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    assert "voids" not in list(responses(project).account["table"])
    deliver(responses=["R1,2023-11-02,DV,SE"], voids=["V1,2023-12-01,responses,R1"])
    assert responses(project).account.set_index("table").loc["voids"].to_dict() == {
        "read": 1, "kept": 1, "superseded": 0, "duplicate": 0, "quarantined": 0,
    }  # fmt: skip


def test_a_void_of_the_same_day_withdraws_what_came_that_day(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"], voids=["V1,2023-12-04,responses,R1"])
    assert statuses(responses(project)) == ["superseded"]


def test_a_row_that_is_sent_again_unchanged_in_a_later_delivery_is_a_duplicate(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    deliver("2023-12-11", responses=["R1,2023-11-02,domestic violence,Southeast"])
    assert statuses(responses(project, as_of=dt.date(2023, 12, 31))) == ["kept", "duplicate"]


@pytest.mark.parametrize(
    ("table", "one", "same"),
    [
        ("outreach", "O1,2023-11-02,SE,D2D,,2,0", "O1,2023-11-02,se,Door to door,,02,00"),
        ("notifications", "N1,2023-11-02,C1,Delivered,Y", "N1,2023-11-02,C1,notified,TRUE"),
        ("referrals", "F1,2023-11-02,Food,O1,", "F1, 2023-11-02 ,FOOD BOX, O1 ,"),
    ],
)
def test_rows_that_say_the_same_in_other_words_are_duplicates(
    project: Project, deliver: Deliver, table: str, one: str, same: str
) -> None:
    deliver(**{table: [one, same]})
    assert statuses(responses(project), table) == ["kept", "duplicate"]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("yes", True),
        ("Y", True),
        ("True", True),
        ("1", True),
        ("no", False),
        ("N", False),
        ("FALSE", False),
        ("0", False),
    ],
)
def test_a_flag_is_read_however_it_is_written(project: Project, deliver: Deliver, flag: str, value: bool) -> None:
    deliver(notifications=[f"N1,2023-11-02,C1,Delivered,{flag}"])
    assert list(responses(project).tables["notifications"].rows["community_leader_present"]) == [value]


def test_a_row_that_goes_missing_on_the_way_is_an_error_and_never_a_lower_figure(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE"])
    table = responses(project).tables["responses"]
    require_balance(table)
    with pytest.raises(BalanceError, match="2 rows were read"):
        require_balance(dataclasses.replace(table, rows=table.rows.iloc[:1]))
    with pytest.raises(BalanceError):
        require_balance(dataclasses.replace(table, ledger=table.ledger.assign(status=["kept", "lost"])))


@pytest.mark.parametrize(
    ("void", "field", "reason"),
    [
        ("V1,2023-12-01,responses,R9", "voided_id", "unknown_record"),
        ("V1,2023-12-01,answers,R1", "voided_table", "unknown_table"),
    ],
)
def test_a_void_of_nothing_is_quarantined(
    project: Project, deliver: Deliver, void: str, field: str, reason: str
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"], voids=[void])
    assert reasons(responses(project)) == [(field, reason)]


def test_different_rows_of_one_delivery_with_the_same_id_are_all_quarantined(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,Homicide,SE"])
    records = responses(project)
    assert statuses(records) == ["quarantined", "quarantined"]
    assert {reason for _, reason in reasons(records)} == {"conflicting_rows"}


A, B = "R1,2023-11-02,DV,SE", "R1,2023-11-02,Homicide,SE"


@pytest.mark.parametrize(
    ("first", "then", "stand"),
    [
        ([A, B], [A], ["superseded", "superseded", "kept"]),
        ([A, B], [B], ["superseded", "kept", "duplicate"]),
        ([A], [A, B], ["superseded", "duplicate", "quarantined"]),
        ([A], [B, A], ["superseded", "quarantined", "quarantined"]),
        ([A], [B, B], ["superseded", "kept", "duplicate"]),
        ([A], [A, A], ["kept", "duplicate", "duplicate"]),
    ],
)
def test_what_the_newest_delivery_says_stands_and_is_quarantined_where_it_contradicts_itself(
    project: Project, deliver: Deliver, first: list[str], then: list[str], stand: list[str]
) -> None:
    deliver("2023-12-04", responses=first)
    deliver("2023-12-05", responses=then)
    assert statuses(responses(project, as_of=dt.date(2023, 12, 5))) == stand


def test_a_wrong_row_is_mended_by_a_later_delivery(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,Shoting,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-02,Shooting,SE"])
    assert statuses(responses(project, as_of=dt.date(2023, 12, 5))) == ["superseded", "kept"]


@pytest.mark.parametrize(
    ("table", "row", "field", "reason"),
    [
        ("responses", ",2023-11-02,DV,SE", "response_id", "missing_id"),
        ("responses", "R 1,2023-11-02,DV,SE", "response_id", "not_a_code"),
        ("responses", "R1,2023-11-31,DV,SE", "response_date", "not_a_date"),
        ("responses", "R1,11/2/2023,DV,SE", "response_date", "not_a_date"),
        ("responses", "R1,,DV,SE", "response_date", "missing_value"),
        ("responses", "R1,2023-12-05,DV,SE", "response_date", "date_after_receipt"),
        ("responses", "R1,0203-11-05,DV,SE", "response_date", "date_before_records"),
        ("responses", "R1,2023-11-02,Burglary,SE", "incident_type", "unknown_value"),
        ("responses", "R1,2023-11-02,,SE", "incident_type", "missing_value"),
        ("responses", "R1,2023-11-02,DV,Downtown", "area_command", "unknown_value"),
        ("responses", "R1,2023-02-11,DV,University", "area_command", "not_valid_on_date"),
        ("outreach", "O1,2023-11-02,SE,D2D,,-1,0", "adults_assisted", "negative_count"),
        ("outreach", "O1,2023-11-02,SE,D2D,,-1.5,0", "adults_assisted", "negative_count"),
        ("outreach", "O1,2023-11-02,SE,D2D,,1.5,0", "adults_assisted", "not_a_whole_number"),
        ("outreach", "O1,2023-11-02,SE,D2D,,two,0", "adults_assisted", "not_a_whole_number"),
        ("outreach", "O1,2023-11-02,SE,D2D,,99999999999,0", "adults_assisted", "not_a_whole_number"),
        ("outreach", "O1,2023-11-02,SE,D2D,,,0", "adults_assisted", "missing_value"),
        ("notifications", "N1,2023-11-02,C1,Delivered,perhaps", "community_leader_present", "not_a_flag"),
        ("notifications", "N1,2023-11-02,Jane Doe,Delivered,yes", "candidate_id", "not_a_code"),
        ("referrals", "F1,2023-11-02,Food,,", "operation_id or candidate_id", "not_exactly_one"),
        ("referrals", "F1,2023-11-02,Food,O1,C1", "operation_id or candidate_id", "not_exactly_one"),
    ],
)
def test_a_row_that_cannot_be_read_is_quarantined_with_its_line_and_reason(
    project: Project, deliver: Deliver, table: str, row: str, field: str, reason: str
) -> None:
    deliver(**{table: [row]})
    records = responses(project)
    assert reasons(records) == [(field, reason)]
    held = records.quarantine.iloc[0]
    assert (held["file"], held["line"]) == (f"data/raw/2023-12-04/{table}.csv", 2)
    assert held["remedy"]
    assert records.tables[table].rows.empty


def test_every_fault_of_a_row_is_told_at_once(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,yesterday,Burglary,Downtown"])
    assert [field for field, _ in reasons(responses(project))] == ["response_date", "incident_type", "area_command"]


def test_quarantine_is_refused_with_what_would_mend_each_row(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,Homocide,SE", "R2,2023-11-03,DV,Downtown"])
    with pytest.raises(QuarantineError) as refused:
        responses(project).require_no_quarantine()
    message = str(refused.value)
    assert "2 rows are in quarantine" in message
    assert "data/raw/2023-12-04/responses.csv, line 2, incident_type: 'Homocide'" in message
    assert "did you mean 'Homicide'?" in message
    assert "line 3, area_command: 'Downtown'" in message


def test_university_is_counted_as_southeast_from_the_day_it_was_split_off(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-02-12,DV,University", "R2,2023-02-11,DV,univ", "R3,2023-11-02,DV,UNI"])
    edition = load_edition(project, "2023-11")
    assert statuses(edition.records) == ["kept", "quarantined", "kept"]
    assert list(edition.records.tables["responses"].rows["area_command"]) == ["University", "University"]
    assert value_of(edition.figures, "responses_by_area_command", "month", "Southeast") == 1


def test_a_value_can_be_counted_under_one_name_and_later_under_another(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    first = text.split("[[crosswalks]]")[1].split("# The raw tables")[0]
    ends = first.replace("valid_from = 2023-02-12", "valid_from = 2023-02-12\nvalid_to = 2023-09-30")
    then = first.replace("2023-02-12", "2023-11-01").replace('counted_as = "Southeast"', 'counted_as = "Northeast"')
    path.write_text(text.replace(first, f"{ends}[[crosswalks]]{then}"), encoding="utf-8")
    deliver(responses=["R1,2023-09-30,DV,UNI", "R2,2023-10-01,DV,UNI", "R3,2023-10-31,DV,UNI", "R4,2023-11-01,DV,UNI"])
    edition = load_edition(Project.open(project.root), "2023-11")
    records = edition.records
    assert value_of(edition.figures, "responses_by_area_command", "fytd", "Southeast") == 1
    assert value_of(edition.figures, "responses_by_area_command", "fytd", "Northeast") == 1
    assert statuses(records) == ["kept", "quarantined", "quarantined", "kept"]
    assert "from 2023-02-12 to 2023-09-30 and from 2023-11-01" in records.quarantine["remedy"].iloc[0]


@pytest.mark.parametrize(
    "rows",
    [
        {"responses": ["R1,2023-11-02,DV,SE", "r1,2023-11-02,DV,SE"]},
        {"notifications": ["N1,2023-11-02,C1,Delivered,yes", "N2,2023-11-03,c1,Delivered,yes"]},
    ],
)
def test_ids_and_codes_that_differ_only_in_case_are_never_counted_as_two(
    project: Project, deliver: Deliver, rows: dict[str, list[str]]
) -> None:
    deliver(**rows)
    assert [reason for _, reason in reasons(responses(project))] == ["looks_like_another"] * 2


def test_a_record_sent_with_its_id_in_another_case_is_mended_by_a_void(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", "r1,2023-11-02,DV,SE"])
    deliver("2023-12-05", voids=["V1,2023-12-05,responses,r1"])
    assert statuses(responses(project, as_of=dt.date(2023, 12, 5))) == ["kept", "superseded"]


def test_the_line_of_a_row_after_a_value_with_a_line_break_is_the_line_in_the_file(
    project: Project, deliver: Deliver
) -> None:
    deliver(responses=['"R1",2023-11-02,"D\nV",SE', "R2,2023-11-03,Burglary,SE"])
    assert list(responses(project).quarantine["line"]) == [2, 4]


def test_demonstration_records_are_never_counted_with_real_ones(project: Project, deliver: Deliver) -> None:
    deliver(responses=["DEMO-R-1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE"])
    with pytest.raises(DeliveryError, match="Sample data and real records"):
        responses(project)


def test_the_account_of_every_table_balances_on_the_demonstration_records(demonstration: Edition) -> None:
    account = demonstration.records.account
    assert list(account["table"])[:2] == ["responses", "outreach"]
    assert account[list(STATUSES)].sum(axis="columns").eq(account["read"]).all()
    raw = REPOSITORY / "data" / "raw"
    for row in account.to_dict("records"):
        lines = sum(len(path.read_text().splitlines()) - 1 for path in raw.glob(f"*/{row['table']}.csv"))
        assert row["read"] == lines


CELLS = st.sampled_from(
    ["", "R1", "R2", "R3", " R1 ", "2023-11-02", "2023-13-01", "DV", "dv ", "GSW", "SE", "UNI", "x"]
)
ROWS = st.lists(
    st.tuples(CELLS, CELLS, CELLS, CELLS, st.sampled_from(["2023-02-20", "2023-12-04", "2023-12-20"])), max_size=12
)
VOID_ROWS = st.lists(
    st.tuples(st.sampled_from(["R1", "R2"]), st.sampled_from(["2023-02-21", "2023-12-04", "2023-12-05"])), max_size=3
)


def raw_of(rows: Sequence[tuple[str, ...]], columns: list[str]) -> RawTable:
    ordered = sorted(rows, key=lambda row: row[-1])
    frame = pd.DataFrame(ordered, columns=[*columns, "received"], dtype="str")
    lines = pd.Series(range(2, len(frame) + 2), dtype="int64")
    received = pd.to_datetime(frame["received"]).astype("datetime64[s]")
    delivery = (received - pd.Timestamp("2023-01-01")).dt.days
    raw = frame.assign(received=received, delivery=delivery, file="f.csv", line=lines)
    return RawTable(raw, tuple(sorted(set(delivery))))


@given(rows=ROWS, voids=VOID_ROWS)
def test_rows_in_are_rows_out_whatever_is_delivered(
    program: Program, rows: list[tuple[str, ...]], voids: list[tuple[str, str]]
) -> None:
    schema = schemas_of(program)["responses"]
    raw = raw_of(rows, schema.columns)
    void_rows = [(f"V{n}", "2023-02-21", "responses", record, "", "", "", day) for n, (record, day) in enumerate(voids)]
    withdrawn = clean_table(program, VOIDS, raw_of(void_rows, VOIDS.columns))
    clean = clean_table(program, schema, raw, withdrawn.rows)
    account = clean.account
    assert account["kept"] + account["superseded"] + account["duplicate"] + account["quarantined"] == len(rows)
    assert len(clean.rows) == account["kept"]
    assert len(clean.quarantine.drop_duplicates(["file", "line"])) == account["quarantined"]
    assert clean.rows["response_id"].is_unique
    assert set(clean.quarantine["line"]).isdisjoint(clean.rows["line"])


@settings(max_examples=examples(40))
@given(rows=ROWS)
def test_delivering_the_same_rows_once_more_changes_nothing_that_is_kept(
    program: Program, rows: list[tuple[str, ...]]
) -> None:
    schema = schemas_of(program)["responses"]
    columns = schema.columns
    once = clean_table(program, schema, raw_of(rows, columns))
    latest = {row[0].strip(): row for row in sorted(rows, key=lambda row: row[-1])}
    again = [(*row[:-1], "2023-12-31") for record, row in latest.items() if record]
    standing = {(row[0].strip()) for row in again} & set(once.rows["response_id"])
    twice = clean_table(program, schema, raw_of([*rows, *[r for r in again if r[0].strip() in standing]], columns))
    pd.testing.assert_frame_equal(once.rows[columns], twice.rows[columns])


# ---------------------------------------------------------------- snapshots


def test_a_snapshot_stands_for_the_whole_table(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project)
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-03,x,SE", "R3,2023-11-04,DV,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-02,DV,SE", "R3,2023-11-04,Homicide,SE"])
    records = responses(project, as_of=dt.date(2023, 12, 5))
    assert statuses(records) == ["superseded"] * 3 + ["kept"] * 2
    assert list(records.tables["responses"].rows["incident_type"]) == ["DV/Sexual Assault", "Homicide"]
    assert records.quarantine.empty, "a row that the newest snapshot no longer has cannot be wrong any more"
    assert len(responses(project, as_of=dt.date(2023, 12, 4)).tables["responses"].rows) == 2


def test_a_snapshot_without_rows_withdraws_all_of_them(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project)
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    deliver("2023-12-05")
    assert statuses(responses(project, as_of=dt.date(2023, 12, 5))) == ["superseded"]


def test_a_delivery_without_the_table_leaves_its_snapshot_standing(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project)
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    (deliver("2023-12-05") / "responses.csv").unlink()
    assert statuses(responses(project, as_of=dt.date(2023, 12, 5))) == ["kept"]


def test_within_a_snapshot_ids_are_held_as_elsewhere(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project)
    deliver(
        responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,dv,SE", "R2,2023-11-02,DV,SE", "R2,2023-11-03,DV,SE"],
        voids=["V1,2023-12-04,responses,R1"],
    )
    assert statuses(responses(project)) == ["superseded", "duplicate", "quarantined", "quarantined"]


def test_rows_of_a_snapshot_can_share_an_id_and_each_counts(project: Project, deliver: Deliver) -> None:
    project = as_snapshot(project, one_row_per_id=False)
    deliver(
        responses=["R1,2023-11-02,DV,SE", "R1,2023-11-02,DV,SE", "R1,2023-11-02,DV,NE", "R2,2023-11-02,DV,NE"],
        voids=["V1,2023-12-04,responses,R2"],
    )
    assert statuses(responses(project)) == ["kept", "kept", "kept", "superseded"]


def test_the_second_delivery_of_a_day_comes_after_the_first(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE"])
    deliver("2023-12-04-2", responses=["R1,2023-11-02,Homicide,SE"], voids=["V1,2023-12-04,responses,R2"])
    records = responses(project)
    assert statuses(records) == ["superseded", "superseded", "kept"]
    assert records.as_of == dt.date(2023, 12, 4)
    deliver("2023-12-04-10", responses=["R1,2023-11-02,Suicide,SE"])
    assert list(responses(project).tables["responses"].rows["incident_type"]) == ["Suicide"]


IDS = st.lists(
    st.sampled_from(["", "R1", "R2", "r1", "R-0000001", "R-0000002", "R-00000001", "é", "R" * 70]), max_size=9
)


@given(IDS | st.lists(st.text(max_size=12), max_size=9))
def test_repeated_ids_are_found_whatever_they_look_like(ids: list[str]) -> None:
    texts = pd.Series(ids, dtype="str")
    assert repeated(texts).tolist() == [ids.count(one) > 1 for one in ids]


def test_ids_with_the_same_fingerprint_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pd.Series(["R1", "R2", "R1", "R3"], dtype="str")
    monkeypatch.setattr("viputils.records.versions.fingerprints", lambda texts: np.zeros(len(texts), dtype="uint64"))
    assert repeated(texts).tolist() == [True, False, True, False]


# ---------------------------------------------------------------- voids that are numbered again


def test_a_void_with_the_number_of_an_older_one_leaves_the_older_one_in_force(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-02,DV,SE", "R3,2023-11-02,DV,SE"])
    deliver("2023-12-05", voids=["V1,2023-12-05,responses,R1"])
    deliver("2023-12-06", voids=["V1,2023-12-06,responses,R2"])
    records = responses(project, as_of=dt.date(2023, 12, 6))
    assert statuses(records) == ["superseded", "superseded", "kept"]
    assert records.voids.account["kept"] == 2


def test_a_void_of_nothing_is_mended_by_one_with_its_number(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"], voids=["V1,2023-12-04,response,R1"])
    assert reasons(responses(project)) == [("voided_table", "unknown_table")]
    deliver("2023-12-05", voids=["V1,2023-12-05,responses,R1"])
    records = responses(project, as_of=dt.date(2023, 12, 5))
    assert records.quarantine.empty
    assert records.voids.account == {"read": 2, "kept": 1, "superseded": 1, "duplicate": 0, "quarantined": 0}
    assert statuses(records) == ["superseded"]


def test_a_void_that_came_before_its_record_stays_in_quarantine_when_the_record_comes(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-12-04", voids=["V1,2023-12-04,responses,R1"])
    deliver("2023-12-05", responses=["R1,2023-11-02,DV,SE"])
    records = responses(project, as_of=dt.date(2023, 12, 5))
    assert statuses(records) == ["kept"]
    assert reasons(records) == [("voided_id", "unknown_record")]


def test_a_synthetic_record_is_known_by_its_id_in_whatever_case(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "demo-2,2023-11-02,DV,SE"])
    with pytest.raises(DeliveryError, match="are in the same deliveries"):
        responses(project)


def test_a_void_that_is_written_wrong_leaves_the_others_in_force(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"], voids=["V1,2023-12-04,responses,R1"])
    deliver("2023-12-05", voids=["v1,2023-12-05,Responses,r1"])
    records = responses(project, as_of=dt.date(2023, 12, 5))
    assert statuses(records) == ["superseded"]
    assert [reason for _, reason in reasons(records)] == ["unknown_table"]


@pytest.mark.parametrize("city", [REPOSITORY, REPOSITORY / "examples" / "philadelphia"], ids=["demonstration", "other"])
def test_a_table_without_rows_has_the_columns_and_types_of_one_with_rows(city: Path) -> None:
    project = Project.open(city)
    deliveries = find_deliveries(project)
    received = read_received(project, deliveries, deliveries[-1].received)
    schemas = {**schemas_of(project.program), VOIDS.name: VOIDS}
    for name in received.tables:
        raw = received.tables[name]
        whole = clean_table(project.program, schemas[name], raw)
        none = clean_table(project.program, schemas[name], dataclasses.replace(raw, rows=raw.rows.iloc[:0]))
        for part in ("rows", "ledger", "quarantine"):
            pd.testing.assert_frame_equal(getattr(none, part), getattr(whole, part).iloc[:0])
        assert none.account == dict.fromkeys(whole.account, 0)


def test_a_table_of_headings_alone_is_read_like_any_other(project: Project, deliver: Deliver) -> None:
    deliver()
    deliveries = find_deliveries(project)
    received = read_received(project, deliveries, deliveries[-1].received)
    schemas = schemas_of(project.program)
    assert {rule.type for schema in schemas.values() for rule in schema.table.columns.values()} == {
        "date", "category", "count", "flag", "code",
    }  # fmt: skip
    for name, schema in schemas.items():
        raw = received.tables[name]
        assert raw.rows.empty
        # What reads rows that were not counted takes every step.
        pd.testing.assert_frame_equal(
            clean_table(project.program, schema, raw).rows, typed_rows(project.program, schema, raw)
        )


# ---------------------------------------------------------------- Lines withdrawn by their file and line


BY_LINE = "void_id,voided_date,voided_table,voided_id,voided_file,voided_line,reason"


def send_voids(project: Project, day: str, *rows: str) -> None:
    folder = project.raw / day
    folder.mkdir(exist_ok=True)
    (folder / "voids.csv").write_text("\n".join([BY_LINE, *rows]) + "\n", encoding="utf-8", newline="")


@pytest.mark.parametrize("file", ["2023-12-04/responses.csv", "data/raw/2023-12-04/responses.csv"])
def test_a_line_in_quarantine_is_withdrawn_by_its_file_and_line(project: Project, deliver: Deliver, file: str) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", ",2023-11-02,DV,SE", "Report run:,12/1/2023,,"])
    send_voids(
        project,
        "2023-12-05",
        f"V1,2023-12-05,responses,,{file},3,a line of notes",
        f"V2,2023-12-05,responses,,{file},4,a line of notes",
    )
    records = load_records(project)
    assert records.quarantine.empty
    assert list(records.tables["responses"].rows["response_id"]) == ["R1"]
    assert statuses(records) == ["kept", "superseded", "superseded"]
    earlier = load_records(project, dt.date(2023, 12, 4))
    assert len(earlier.quarantine[["file", "line"]].drop_duplicates()) == 2


def test_a_correction_that_is_withdrawn_by_its_line_counts_as_never_sent(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    deliver("2023-12-05", responses=["R1,2023-11-02,Homicide,SE"])
    send_voids(project, "2023-12-06", "V1,2023-12-06,responses,,2023-12-05/responses.csv,2,sent by mistake")
    assert list(load_records(project).tables["responses"].rows["incident_type"]) == ["DV/Sexual Assault"]


def test_a_void_in_quarantine_is_withdrawn_by_its_line(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"], voids=["V1,2023-12-04,responses,Report run:"])
    send_voids(project, "2023-12-05", "V2,2023-12-05,voids,,2023-12-04/voids.csv,2,a line of notes")
    assert load_records(project).quarantine.empty


@pytest.mark.parametrize(
    ("void", "reason"),
    [
        ("responses,R1,2023-12-04/responses.csv,2,why", "not_exactly_one"),
        ("responses,,2023-12-04/responses.csv,,why", "not_exactly_one"),
        ("responses,,,,why", "not_exactly_one"),
        ("responses,,2023-12-04/responses.csv,99,why", "unknown_line"),
        ("responses,,2023-12-04/outreach.csv,2,why", "unknown_line"),
        ("responses,,responses.csv,2,why", "unknown_line"),
        ("responses,,2023-12-04/responses.csv,2,", "missing_value"),
    ],
)
def test_a_void_that_names_no_line_or_no_reason_is_in_quarantine(
    project: Project, deliver: Deliver, void: str, reason: str
) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE"])
    send_voids(project, "2023-12-05", f"V1,2023-12-05,{void}")
    records = load_records(project)
    assert list(records.quarantine["reason"]) == [reason]
    assert len(records.tables["responses"].rows) == 1
