"""Codes of records and people: which words are no code, and which codes look alike."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from tests.support.projects import Deliver
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures.counts import compute_figures, value_of
from viputils.records.clean import Records, load_records
from viputils.records.codes import first_spellings, look_alikes

NOVEMBER = ReportMonth(2023, 11)


def alike(*codes: str) -> dict[str, str]:
    return look_alikes(pd.Series(codes, dtype="str"))


def figure(records: Records, measure: str) -> int:
    return value_of(compute_figures(records, NOVEMBER), measure, period="month")


def with_codes(project: Project, **are: str) -> Project:
    return replace(project, program=project.program.model_copy(update={"codes": are}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1001", "1001.0"),
        ("1001", "1001.00"),
        ("123", "00123"),
        ("R-7", "R-007"),
        ("r1", "R1"),
        ("23-0412", "230412"),
        ("23-0412", "23_0412"),
        ("23-0412", "23.0412"),
        ("R10", "R1O"),
        ("A1", "AI"),
        ("A1", "Al"),
        ("A-1", "\N{CYRILLIC CAPITAL LETTER A}-1"),
        ("A-1", "A\N{NON-BREAKING HYPHEN}1"),
        ("12", "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}"),
        ("R 1", "R1"),
    ],
)
def test_codes_that_programs_and_people_change_look_alike(one: str, other: str) -> None:
    assert alike(one, "X-99", other) == {one: other, other: one}


@pytest.mark.parametrize(
    "codes",
    [
        ("2023-1-12", "2023-11-2"),
        ("1-01", "10-1"),
        ("1001", "10010"),
        ("1001.1", "1001.2"),
        ("R-1", "O-1"),
        ("DEMO-R-00001", "DEMO-R-00010", "DEMO-O-00001"),
        ("12.10", "12.1"),
    ],
)
def test_codes_that_differ_in_more_do_not(codes: tuple[str, ...]) -> None:
    assert alike(*codes) == {}


def test_a_code_that_could_be_either_of_two_is_in_doubt_and_never_read_as_one() -> None:
    codes = pd.Series(["2023-1-12", "2023112", "2023-11-2"], dtype="str")
    assert set(look_alikes(codes)) == set(codes)
    assert first_spellings(codes) == {}
    assert first_spellings(pd.Series(["1001", "5", "1001.0", "01001"], dtype="str")) == {
        "1001.0": "1001",
        "01001": "1001",
    }


WORDS = [
    "NULL",
    "NA",
    "N/A",
    "(null)",
    "<null>",
    "None",
    "n/a",
    "#N/A",
    "UNKNOWN",
    "TBD",
    "0",
    "-",
    "nan",
    "Desconocido",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_a_missing_value_is_no_record_and_no_person(project: Project, deliver: Deliver, word: str) -> None:
    deliver(
        responses=["R1,2023-11-02,DV,SE", f"{word},2023-11-02,DV,SE", f"{word},2023-10-02,DV,SW"],
        notifications=[f"N1,2023-11-02,{word},Delivered,yes", "N2,2023-11-02,C1,Delivered,yes"],
        engagements=[f"E1,2023-11-03,{word},Food"],
    )
    records = load_records(project)
    reasons = records.quarantine.groupby("table")["reason"].agg(list).to_dict()
    assert reasons == {
        "responses": ["missing_id"] * 2,
        "notifications": ["missing_value"],
        "engagements": ["missing_value"],
    }
    assert figure(records, "people_notified") == 1
    assert figure(records, "people_engaged") == 0


def test_a_word_for_a_missing_value_is_a_value_where_a_vocabulary_has_it(project: Project, deliver: Deliver) -> None:
    vocabularies = {**project.program.vocabularies}
    vocabularies["area_command"] = {**vocabularies["area_command"], "Unknown": []}
    known = replace(project, program=project.program.model_copy(update={"vocabularies": vocabularies}))
    deliver(responses=["R1,2023-11-02,DV,UNKNOWN", "R2,2023-11-02,DV,N/A"])
    assert list(load_records(known).tables["responses"].rows["area_command"].astype("str").fillna("")) == [
        "Unknown",
        "",
    ]


def test_a_zero_is_a_count_and_words_of_program_toml_are_missing(project: Project, deliver: Deliver) -> None:
    intake = project.program.intake.model_copy(update={"missing": ["see file"]})
    more = replace(project, program=project.program.model_copy(update={"intake": intake}))
    deliver(reviews=["W1,2023-11-02,0,1", "W2,2023-11-09,-,1"], responses=["R1,2023-11-02,DV,See  File"])
    assert figure(load_records(more), "incidents_reviewed") == 0
    assert list(load_records(more).quarantine["reason"]) == ["missing_value"]
    assert "unknown_value" in list(load_records(project).quarantine["reason"])


def test_people_whose_codes_differ_by_a_decimal_part_are_in_doubt_in_every_table(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        notifications=["N1,2023-11-02,1001.0,Delivered,yes", "N2,2023-11-02,1003.0,Delivered,yes"],
        engagements=["E1,2023-11-03,1001,Food"],
    )
    held = load_records(project).quarantine
    assert list(held["reason"]) == ["looks_like_another"] * 2
    assert dict(zip(held["value"], held["nearest"], strict=True)) == {"1001.0": "1001", "1001": "1001.0"}
    assert set(held["remedy"]) == {
        "one record or person, or two? Write one of them in program.toml, below [codes]: "
        'candidate_id = "same" or candidate_id = "different".'
    }


def test_codes_that_program_toml_calls_the_same_are_one_person(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=["N1,2023-11-02,1001.0,Delivered,yes", "N2,2023-11-02,1003.0,Delivered,yes"],
        engagements=["E1,2023-11-03,1001,Food"],
    )
    records = load_records(with_codes(project, candidate_id="same"))
    assert records.quarantine.empty
    assert (figure(records, "people_notified"), figure(records, "people_engaged")) == (2, 1)


def test_codes_that_program_toml_calls_different_are_two_people(project: Project, deliver: Deliver) -> None:
    deliver(
        notifications=["N1,2023-11-02,1001.0,Delivered,yes", "N2,2023-11-02,01001.0,Delivered,yes"],
        engagements=["E1,2023-11-03,1001,Food"],
    )
    records = load_records(with_codes(project, candidate_id="different"))
    assert records.quarantine.empty
    assert (figure(records, "people_notified"), figure(records, "people_engaged")) == (2, 0)


def test_a_correction_with_its_id_in_another_spelling_corrects_or_waits(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["00123,2023-11-02,DV,SE"])
    deliver("2023-12-05", responses=["123,2023-11-02,Homicide,SE"], voids=["V1,2023-12-05,responses,nobody"])
    assert list(load_records(project).quarantine["reason"])[:2] == ["looks_like_another"] * 2
    same = load_records(with_codes(project, response_id="same"))
    rows = same.tables["responses"].rows
    assert list(rows["response_id"]) == ["00123"]
    assert list(rows["incident_type"]) == ["Homicide"]


def test_a_void_of_a_record_finds_it_in_another_spelling_if_they_are_the_same(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-12-04", responses=["00123,2023-11-02,DV,SE", "123,2023-11-02,DV,SE"])
    deliver("2023-12-05", voids=["V1,2023-12-05,responses,123"])
    same = load_records(with_codes(project, response_id="same"))
    assert same.tables["responses"].rows.empty
    assert same.quarantine.empty


def test_an_id_of_several_columns_has_the_one_spelling_of_its_parts(project: Project, deliver: Deliver) -> None:
    given = {**project.program.tables["engagements"].model_dump(), "id": ["candidate_id", "engaged_date"]}
    tables = {
        **project.program.tables,
        "engagements": type(project.program.tables["engagements"]).model_validate(given),
    }
    program = project.program.model_copy(update={"tables": tables, "codes": {"candidate_id": "same"}})
    joined = replace(project, program=program)
    header = "record_id,engaged_date,candidate_id,service"
    for day, row in (
        ("2023-12-04", "00123--2023-11-02,2023-11-02,00123,Food"),
        ("2023-12-05", "123--2023-11-02,2023-11-02,123,Legal"),
    ):
        deliver(day, responses=[])
        (project.raw / day / "engagements.csv").write_text(f"{header}\n{row}\n", encoding="utf-8", newline="")
    rows = load_records(joined).tables["engagements"].rows
    assert list(rows["record_id"]) == ["00123--2023-11-02"]
    assert list(rows["service"]) == ["Legal help"]
