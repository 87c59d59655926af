"""What a draft understands of an export: its id, its day, its categories, and what it leaves out."""

from __future__ import annotations

import csv
import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from viputils.config.program import Program
from viputils.config.program_file import program_from
from viputils.core.errors import VipError
from viputils.intake.sheet import Block, Sheet
from viputils.setup.answers import Answers, TableAnswers
from viputils.setup.columns import name_of
from viputils.setup.draft import Draft, DraftTable, draft_of, first_deliveries
from viputils.setup.profile import profiles_of
from viputils.setup.program_text import program_text

TODAY = dt.date(2024, 6, 1)
DAYS = [dt.date(2023, 1, 2) + dt.timedelta(days=3 * number) for number in range(100)]


def export(folder: Path, columns: dict[str, Sequence[object]], name: str = "shootings.csv") -> Path:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return folder / name


def drafted(*files: Path, **answers: object) -> Draft:
    return draft_of(profiles_of(files), Answers.model_validate(answers), TODAY)


def one_table(folder: Path, columns: dict[str, Sequence[object]], **answers: object) -> DraftTable:
    (table,) = drafted(export(folder, {"Case No": range(100), "Date": DAYS, **columns}), **answers).tables
    return table


def program_of(draft: Draft) -> Program:
    return program_from(tomllib.loads(program_text(draft, "Exampleton")))


@pytest.mark.parametrize(
    ("heading", "values", "role"),
    [
        ("District", ["A", "B", "C", "D"] * 25, "category"),
        ("police_district", [1, 2, 3, 4] * 25, "category"),
        ("Victims", [0, 1, 2, 3] * 25, "count"),
        ("Children assisted", ["1.0", "2.0", "4.0", "0.0"] * 25, "count"),
        # Unknown numbers cannot be added up.
        ("Adults assisted", ["1", "2", "", "0"] * 25, "left out"),
        ("Number of people", [1, 2, 3, 4] * 25, "count"),
        # Codes of people are nothing to print.
        ("candidate_id", ["P1", "P2", "P3", "P4"] * 25, "left out"),
        ("Report Number", [101, 102, 103, 104] * 25, "left out"),
        ("District No", [1, 2, 3, 4] * 25, "category"),
        ("Fatal", ["Yes", "no", "Y", ""] * 25, "flag"),
        ("Narrative", ["fell", "shot", "ran", "hid"] * 25, "left out"),
        ("Remarks from the scene", [f"text {number}" for number in range(100)], "left out"),
        ("Always", ["x"] * 100, "left out"),
        ("Never", [""] * 100, "left out"),
        ("Year", [2023] * 50 + [2024] * 50, "left out"),
        ("Date reported", DAYS, "left out"),
        ("Kind", [f"value {number}" for number in range(61)] + ["value 1"] * 39, "left out"),
        # What may describe a person.
        ("Victim name", ["A", "B"] * 50, "left out"),
        ("Name", ["A", "B"] * 50, "left out"),
        ("DOB", ["1980", "1981"] * 50, "left out"),
        ("BlockAddress", ["A", "B"] * 50, "left out"),
        ("lat", ["1.5", "2.5"] * 50, "left out"),
        ("age", ["18", "19"] * 50, "left out"),
        ("Contact of worker", ["a@example.org", "b@example.org"] * 50, "left out"),
        ("Participant", ["Ana", "Bo"] * 50, "left out"),
        ("Participant ID", ["P-1", "P-2"] * 50, "left out"),
        ("Outreach Worker", ["Ana", "Bo"] * 50, "left out"),
        ("HOMICIDE_VICTIM_MI", ["A", "B"] * 50, "left out"),
        ("Dirección", ["Calle 1", "Calle 2"] * 50, "left out"),
        ("Teléfono", ["1", "2"] * 50, "left out"),
        ("Client Number", [100_001, 100_002] * 50, "left out"),
        ("Total", [1, 2, 3, 4] * 25, "category"),
        ("Victim outcome", ["A", "B"] * 50, "category"),
        # A name of a place is none of a person.
        ("Area name", ["North", "South"] * 50, "category"),
    ],
)
def test_what_a_column_is_for(tmp_path: Path, heading: str, values: Sequence[object], role: str) -> None:
    (column,) = one_table(tmp_path, {heading: values}).columns
    assert column.role == role
    assert column.seen


def test_values_are_counted_with_their_spellings_the_most_frequent_first(tmp_path: Path) -> None:
    values = (
        ["south"] * 20 + ["South "] * 30 + ["NORTH"] * 26 + ["North"] * 10 + ["unknown", "N/A", "", "-"] * 3 + ["x"] * 2
    )
    draft = drafted(export(tmp_path, {"Case No": range(100), "Date": DAYS, "Area": values}))
    text = program_text(draft, "Exampleton")
    assert '"South" = []  # 50 rows\n"North" = []  # 36 rows\n"x" = []  # 2 rows\n' in text
    assert "Area: 3 values; 12 rows without one" in text
    assert program_of(draft).measures["shootings_by_area"].missing == "Not recorded"


def test_numbers_written_with_a_decimal_are_one_value(tmp_path: Path) -> None:
    (column,) = one_table(tmp_path, {"beat": ["1.0", "1", "2.0", "2.0"] * 25}).columns
    assert column.values == {"2": ["2.0"], "1": ["1.0"]}


@pytest.mark.parametrize(
    ("ids", "chosen", "unique"),
    [
        ({"Incident ID": [f"I-{number}" for number in range(100)]}, "Incident ID", True),
        ({"Incident ID": [f"I-{number // 2}" for number in range(100)]}, "Incident ID", False),
        ({"OBJECTID": range(100), "Case No": [f"C{number}" for number in range(100)]}, "Case No", True),
        ({"Street": [f"{number} Main St" for number in range(100)]}, None, False),
        ({"Case No": ["", *(f"C{number}" for number in range(99))]}, None, False),
    ],
)
def test_the_id_is_a_code_that_every_row_has(
    tmp_path: Path, ids: dict[str, Sequence[object]], chosen: str | None, unique: bool
) -> None:
    (table,) = drafted(export(tmp_path, {"Date": DAYS, "Area": ["N", "S"] * 50, **ids})).tables
    assert (table.id and table.id.heading, table.is_unique) == (chosen, unique)


def test_if_several_rows_have_an_id_each_is_counted_and_so_are_the_ids(tmp_path: Path) -> None:
    incidents = [f"I-{number // 2}" for number in range(100)]
    program = program_of(drafted(export(tmp_path, {"Incident": incidents, "Date": DAYS})))
    table = program.tables["shootings"]
    assert (table.delivery, table.one_row_per_id) == ("snapshot", False)
    assert list(program.measures) == ["shootings", "shootings_incident", "shootings_by_month"]


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        ([f"{day:%m/%d/%Y}" for day in DAYS], "month first"),
        ([f"{day:%d/%m/%Y}" for day in DAYS], "day first"),
        # The last row alone shows it.
        (["01/02/2023"] * 99 + ["13/02/2023"], "day first"),
    ],
)
def test_the_order_of_dates_is_judged_by_the_whole_column(tmp_path: Path, texts: list[str], order: str) -> None:
    draft = drafted(export(tmp_path, {"Case No": range(100), "Date": texts}))
    assert draft.order == order
    assert not draft.either_order


def test_dates_that_fit_both_orders_are_a_guess(tmp_path: Path) -> None:
    draft = drafted(export(tmp_path, {"Case No": range(4), "Date": ["01/02/2023", "02/03/2023"] * 2}))
    assert draft.either_order
    assert "a guess: every date fits both orders" in program_text(draft, "Exampleton")


def test_the_day_of_the_event_is_chosen_and_not_that_of_the_report(tmp_path: Path) -> None:
    later = [day + dt.timedelta(days=1) for day in DAYS]
    columns = {"Reported date": later, "Last updated": later, "Incident date": DAYS, "Case No": range(100)}
    (table,) = drafted(export(tmp_path, columns)).tables
    assert table.date.heading == "Incident date"
    assert (table.first, table.last) == (DAYS[0], DAYS[-1])


@pytest.mark.parametrize("birth", ["Birthdate", "DOB", "Fecha de nacimiento"])
def test_a_day_of_birth_is_never_the_day_of_a_record(tmp_path: Path, birth: str) -> None:
    born = [dt.date(1980, 1, 1) + dt.timedelta(days=50 * number) for number in range(100)]
    (table,) = drafted(export(tmp_path, {"Case No": range(100), birth: born, "Contact Date": DAYS})).tables
    assert table.date.heading == "Contact Date"
    (column,) = table.columns
    assert (column.role, "day of birth" in column.seen) == ("left out", True)


@pytest.mark.parametrize("odd", ["2033-05-01", "1900-01-01"])
def test_a_single_row_of_another_time_moves_no_month(tmp_path: Path, odd: str) -> None:
    days = [*(f"2023-{7 + number // 28:02}-{number % 28 + 1:02}" for number in range(112)), "2023-11-01", odd]
    draft = drafted(export(tmp_path, {"Case No": range(114), "Date": days}))
    assert (str(draft.month), draft.first, draft.last) == ("2023-10", dt.date(2023, 7, 1), dt.date(2023, 11, 1))


def test_what_follows_the_rows_that_were_counted_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viputils.setup.profile.READ_WHOLE", 10)
    monkeypatch.setattr("viputils.intake.sheet.Sheet.blocks", _in_blocks_of_ten)
    ids = [*range(99), 98]
    times = [f"{day} 10:{number % 60:02}" for number, day in enumerate(DAYS)]
    (table,) = drafted(export(tmp_path, {"Incident No": ids, "Date": times, "Area": ["N", "S"] * 50})).tables
    assert (table.first, table.last) == (DAYS[0], DAYS[-1])
    assert not table.is_unique
    assert table.profile.read < table.profile.rows


def _in_blocks_of_ten(sheet: Sheet, size: int = 10) -> Iterator[Block]:
    return sheet._read(min(size, 10))


def test_two_rows_of_headings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = "".join(f"2023-11-{number + 1:02},North,Fatal,A\n" for number in range(28))
    path.write_text("Incident,,Victim,\nDate,District,Kind,Outcome\n" + rows, "utf-8")
    with pytest.raises(VipError, match=r"column B has values in 29 rows and no heading; give each column a heading"):
        drafted(path)


def test_a_sheet_without_days_beside_one_with_days_is_left_out_and_named(tmp_path: Path) -> None:
    codes = export(tmp_path, {"Code": ["A", "B"], "Meaning": ["x", "y"]}, "codes.csv")
    draft = drafted(export(tmp_path, {"Case No": range(100), "Date": DAYS}), codes)
    assert [table.name for table in draft.tables] == ["shootings"]
    assert draft.others == ["codes"]


@pytest.mark.parametrize(
    ("last", "month"), [("2023-10-31", "2023-10"), ("2023-10-30", "2023-09"), ("2024-02-29", "2024-02")]
)
def test_the_first_report_is_of_the_last_whole_month(tmp_path: Path, last: str, month: str) -> None:
    draft = drafted(export(tmp_path, {"Case No": range(3), "Date": ["2023-07-15", "2023-08-02", last]}))
    assert str(draft.month) == month
    assert draft.received == dt.date.fromisoformat(last) + dt.timedelta(days=1)
    assert draft.first == dt.date(2023, 7, 1)


@pytest.mark.parametrize(
    ("first", "last", "answered", "starts", "zeros"),
    [
        ("2021-07-03", "2023-11-30", None, 1, False),
        ("2023-07-03", "2023-11-30", None, 7, False),
        ("2023-07-03", "2023-11-30", 1, 1, True),
        ("2023-01-03", "2023-11-30", None, 1, False),
    ],
)
def test_no_month_counts_as_0_only_because_of_a_guess(
    tmp_path: Path, first: str, last: str, answered: int | None, starts: int, zeros: bool
) -> None:
    file = export(tmp_path, {"Case No": range(2), "Date": [first, last]})
    draft = drafted(file, fiscal_year_starts=answered)
    assert (draft.fiscal_year_starts, draft.months_of_zero) == (starts, zeros)
    if answered:
        began = drafted(file, fiscal_year_starts=answered, began=dt.date(2023, 7, 1))
        assert not began.months_of_zero


def test_records_without_a_whole_month_say_so(tmp_path: Path) -> None:
    draft = drafted(export(tmp_path, {"Case No": range(2), "Date": ["2023-11-02", "2023-11-20"]}))
    assert not draft.has_whole_month
    assert (str(draft.month), draft.months_of_zero) == ("2023-11", False)


@pytest.mark.parametrize(
    ("name", "table"), [("voids.csv", "voids_2"), ("2023.csv", "records"), ("2023-11.csv", "records")]
)
def test_a_table_has_a_name_of_its_own(tmp_path: Path, name: str, table: str) -> None:
    (found,) = drafted(export(tmp_path, {"Case No": range(100), "Date": DAYS}, name)).tables
    assert found.name == table


def cases(folder: Path, name: str, *rows: tuple[str, str]) -> Path:
    return export(folder, {"Case No": [row[0] for row in rows], "Date": [row[1] for row in rows]}, name)


def test_files_with_the_same_headings_are_one_table_and_add_up_if_their_ids_are_new(tmp_path: Path) -> None:
    october = cases(tmp_path, "October.csv", ("A1", "2023-10-01"), ("A2", "2023-10-31"))
    draft = drafted(cases(tmp_path, "November.csv", ("A3", "2023-11-30")), october)
    (table,) = draft.tables
    assert (table.delivery, table.is_unique, table.profile.rows) == ("incremental", True, 3)
    assert [(one.received.isoformat(), [path.name for path in one.files]) for one in first_deliveries(draft)] == [
        ("2023-11-01", ["October.csv"]),
        ("2023-12-01", ["November.csv"]),
    ]


def test_files_that_repeat_the_ids_of_others_are_each_the_whole_table(tmp_path: Path) -> None:
    rows = [("A1", "2023-10-01"), ("A2", "2023-10-31"), ("A3", "2023-11-02")]
    (table,) = drafted(cases(tmp_path, "as of 1.csv", *rows[:2]), cases(tmp_path, "as of 2.csv", *rows)).tables
    assert (table.delivery, table.is_unique) == ("snapshot", True)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"tables": {"shooting": {}}}, r'tables\."shooting": is no sheet or file that was given; did you mean'),
        (
            {"tables": {"shootings": {"id": "Case"}}},
            "id: 'Case' is not a heading of shootings.csv; did you mean 'Case No'",
        ),
        ({"tables": {"shootings": {"date": "Case No"}}}, "date: 'Case No' in shootings.csv has no dates, such as '0'"),
        ({"tables": {"shootings": {"id": "Area"}}}, "id: 'Area' is empty in 1 of 100 rows"),
        ({"tables": {"shootings": {"keep": ["Ages"]}}}, "keep: 'Ages' is not a heading"),
        ({"date_order": "day first"}, "date_order: 'day first' does not fit"),
    ],
)
def test_answers_that_contradict_the_file_are_refused(tmp_path: Path, answers: dict[str, object], said: str) -> None:
    dates = [f"{day:%m/%d/%Y}" for day in DAYS]
    file = export(tmp_path, {"Case No": range(100), "Date": dates, "Area": ["", *["N", "S", "W"] * 33]})
    with pytest.raises(VipError) as refused:
        drafted(file, **answers)
    assert re.search(said, "\n".join(map(str, refused.value.problems)))


def test_answers_are_taken(tmp_path: Path) -> None:
    own = TableAnswers(records="people hurt", table="victims", id="row", keep=["age"], leave_out=["Area"])
    draft = drafted(
        export(tmp_path, {"Case No": range(100), "Date": DAYS, "age": ["18", "19"] * 50, "Area": ["N", "S"] * 50}),
        city="Exampleton",
        fiscal_year_starts=7,
        tables={"shootings": own},
    )
    program = program_of(draft)
    assert (program.identity.city, program.identity.fiscal_year_starts) == ("Exampleton", 7)
    assert program.measures["victims"].label == "people hurt"
    assert (program.tables["victims"].id, list(program.tables["victims"].columns)) == ("row", ["date", "age"])
    assert "Area" in program.intake.left_out["victims"]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Incident Date", "incident_date"),
        ("incident_num", "incident_num"),
        ("IncidentType", "incident_type"),
        ("2023 total", "column_2023_total"),
        ("Año", "ano"),
        ("###", "column"),
    ],
)
def test_a_heading_becomes_a_name(heading: str, name: str) -> None:
    assert name_of(heading) == name
    assert name_of(heading, [name]) == f"{name}_2"


def test_what_a_file_says_is_text_and_never_code(tmp_path: Path) -> None:
    evil = ['"]\n[measures.x]', "a'b\"c\\", "1+1", "# x"] * 25
    draft = drafted(export(tmp_path, {"Case No": range(100), "Date": DAYS, "Kind\n[measures.z]": evil}))
    program = program_of(draft)
    assert not program.measures.keys() & {"x", "z"}
    assert set(program.vocabularies["kind_measures_z"]) == {" ".join(text.split()) for text in evil}


def test_a_shortcode_in_a_value_is_refused(tmp_path: Path) -> None:
    draft = drafted(export(tmp_path, {"Case No": range(100), "Date": DAYS, "Kind": ["{{< include x >}}", "y"] * 50}))
    with pytest.raises(VipError, match="code that an engine would run"):
        program_of(draft)
