"""The rows of a sheet as rows of its table."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.exports import CLEAN, RESPONSES, ROW, MakeSheet, refusal, taken, with_id
from viputils.config.program import Program
from viputils.core.errors import DeliveryError, IntakeError
from viputils.intake.sheets import read_sheets


def test_counts_dates_and_blanks_are_tidied_and_everything_else_stays(program: Program, sheet: MakeSheet) -> None:
    header = ["operation_id", "Date", "Area", "kind", "Case Number", "Adults", "Children"]
    given = sheet(
        header,
        [" O1 ", "8/27/23 ", "South  East", "D2D", "", "1,234.00", "2.0"],
        ["O2", "08/2023", "SE", "D2D", "=1+1", "1.5", "two"],
        ["O3", "45000", "-", "@x", "007", "1,2", "-1"],
    )
    assert taken(program, given)[0] == [
        ["O1", "2023-08-27", "South East", "D2D", "", "1234", "2"],
        ["O2", "08/2023", "SE", "D2D", "=1+1", "1.5", "two"],
        ["O3", "2023-03-15", "-", "@x", "007", "1,2", "-1"],
    ]


def test_an_id_of_several_columns_is_joined(program: Program, sheet: MakeSheet) -> None:
    joined = with_id(program, ["case", "response_date"], case="code")
    given = sheet(["Case", *RESPONSES[1:]], ["0001", *ROW[1:]], ["0001", "8/28/23", "DV", "SE"], ["", *ROW[1:]])
    rows, _ = taken(joined, given, "responses")
    assert [row[0] for row in rows] == ["0001--2023-08-27", "0001--2023-08-28", ""]


def test_a_table_without_an_id_needs_no_heading_for_it(program: Program, sheet: MakeSheet) -> None:
    rows, _ = taken(with_id(program, "row"), sheet(RESPONSES[1:], ROW[1:], ROW[1:]))
    assert rows == [["", *CLEAN[1:]]] * 2


def test_every_row_with_another_number_of_cells_is_named(program: Program, sheet: MakeSheet) -> None:
    given = sheet([*RESPONSES, ""], ROW, ["R2", "8/1/23", "DV"], [*ROW, "", ""], [*ROW, "", "Jane Doe"], ["R3", "x"])
    said = refusal(lambda: taken(program, given))
    assert "export.csv, line 3: has 3 cells, but there are 4 headings" in said
    assert "line 5: has 6 cells" in said
    assert "line 6: has 2 cells" in said
    assert "line 4" not in said
    assert "Jane" not in said


def test_of_very_many_wrong_rows_the_number_is_said(program: Program, sheet: MakeSheet) -> None:
    with pytest.raises(IntakeError) as refused:
        taken(program, sheet(RESPONSES, *[["R2", "8/1/23"]] * 3_000))
    assert len(refused.value.problems) == 1_001
    assert "2,000 more such lines" in str(refused.value.problems[-1])


def test_a_file_that_is_no_csv_further_down_is_refused_with_its_line(program: Program, tmp_path: Path) -> None:
    lines = [",".join(RESPONSES), *[",".join(ROW)] * 200, 'R2,"8/1/23,DV,SE']
    (tmp_path / "export.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DeliveryError) as refused:
        taken(program, read_sheets(tmp_path / "export.csv")[0])
    assert "export.csv, line 202" in str(refused.value)


def test_rows_of_a_workbook_are_named_by_sheet_and_row(program: Program, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Nov"
    for row in (["Police"], [], RESPONSES, ["R1", dt.datetime(2023, 8, 27, 17, 25), "DV", True], ["Total", 1]):  # noqa: DTZ001
        book.worksheets[0].append(row)
    book.worksheets[0].append(["R2", 45165.5, "DV", "SE", "beside the table"])
    book.save(tmp_path / "export.xlsx")
    said = refusal(lambda: taken(program, read_sheets(tmp_path / "export.xlsx")[0]))
    assert "export.xlsx, sheet 'Nov', line 6: has 5 cells, but there are 4 headings" in said
    del book.worksheets[0]["E6"]
    book.save(tmp_path / "export.xlsx")
    rows, _ = taken(program, read_sheets(tmp_path / "export.xlsx")[0])
    assert rows == [["R1", "2023-08-27", "DV", "yes"], ["R2", "2023-08-27", "DV", "SE"]]


def test_a_cell_that_no_csv_file_can_hold_is_named_by_its_column(program: Program, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (RESPONSES, ["R1", "8/27/23", "a_x0000_b", "SE"], [*ROW[:3], "x" * 32_000]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "export.xlsx")
    said = refusal(lambda: taken(program, read_sheets(tmp_path / "export.xlsx")[0]))
    assert "export.xlsx, sheet 'Sheet', line 2, 'Type of incident': contains a NUL character" in said
    assert "line 3" not in said
    (tmp_path / "export.csv").write_text(f"{','.join(RESPONSES)}\nR1,8/27/23,{'x' * 120_000},SE\n", encoding="utf-8")
    said = refusal(lambda: taken(program, read_sheets(tmp_path / "export.csv")[0]))
    assert "export.csv, line 2, 'Type of incident': has 120,000 characters" in said


DAYS = st.datetimes(dt.datetime(2022, 7, 1), dt.datetime(2023, 12, 31, 23, 59, 59, 999000))  # noqa: DTZ001


MILLISECONDS = DAYS.map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))


EXPORTS = st.lists(
    st.tuples(st.integers(1, 99_999), MILLISECONDS, st.sampled_from(["DV", "Homicide", "NULL", ""]), st.booleans()),
    min_size=1,
    max_size=5,
)


@given(EXPORTS, st.sampled_from(["0", "00000", "000-000", '"R-"00000']))
def test_a_workbook_and_a_csv_file_of_the_same_export_give_the_same_rows(
    program: Program,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, dt.datetime, str, bool]],
    shape: str,
) -> None:
    """The CSV file has what Excel shows: the id by its number format, the moment to the millisecond."""
    folder = tmp_path_factory.mktemp("exports")
    book = openpyxl.Workbook()
    book.worksheets[0].append(RESPONSES)
    with (folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(RESPONSES)
        for line, (number, moment, kind, in_southeast) in enumerate(rows, start=2):
            area = "SE" if in_southeast else ""
            book.worksheets[0].append([number, moment, kind, area])
            book.worksheets[0].cell(line, 1).number_format = shape
            book.worksheets[0].cell(line, 2).number_format = "yyyy-mm-dd hh:mm:ss.000"
            digits = f"{number:0{shape.count('0')}}"
            shown = {"000-000": f"{digits[:-3]}-{digits[-3:]}", '"R-"00000': f"R-{digits}"}.get(shape, digits)
            writer.writerow([shown, f"{moment:%m/%d/%Y %H:%M:%S}.{moment.microsecond // 1000:03}", kind, area])
    book.save(folder / "export.xlsx")
    of_workbook, of_text = (taken(program, read_sheets(folder / f"export.{end}")[0])[0] for end in ("xlsx", "csv"))
    assert of_workbook == of_text


def test_marks_in_remarks_do_not_divide_a_file(program: Program, sheet: MakeSheet) -> None:
    remarks = "a; b; c; d; e; f; g"
    rows, _ = taken(program, sheet([*RESPONSES, "Remarks"], *[[f"R{n}", *ROW[1:], remarks] for n in range(4)]))
    assert len(rows) == 4
