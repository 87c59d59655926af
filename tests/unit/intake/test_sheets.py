"""The files that agencies send: what is read, as what text, and what is refused by name."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import random
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msoffcrypto.format.ooxml  # type: ignore[import-untyped]
import openpyxl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.support.examples import examples
from viputils.core.errors import DeliveryError
from viputils.intake.sheet import Sheet
from viputils.intake.sheets import read_sheets

Write = Callable[[str, bytes], Path]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return to


def cells(sheet: Sheet, size: int = 50_000) -> list[list[str]]:
    return [row for block in sheet.blocks(size) for row in block.rows]


def numbers(sheet: Sheet, size: int = 50_000) -> list[int]:
    return [line for block in sheet.blocks(size) for line in block.lines]


def read_all(path: Path) -> None:
    for sheet in read_sheets(path):
        cells(sheet, 3)


def refusal(path: Path) -> str:
    with pytest.raises(DeliveryError) as refused:
        read_all(path)
    assert refused.value.problems
    return str(refused.value)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    return saved(book)


def with_parts(content: bytes, parts: dict[str, bytes]) -> bytes:
    """Replace or add parts of a workbook."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name, part in {**{name: old.read(name) for name in old.namelist()}, **parts}.items():
            new.writestr(name, part)
    return changed.getvalue()


def with_rows(rows: str) -> bytes:
    """Make a workbook whose only sheet holds this XML."""
    xml = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    return with_parts(workbook([["x"]]), {"xl/worksheets/sheet1.xml": xml.encode()})


# --- Text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read_with_the_line_on_which_each_row_begins(write: Write, end: str) -> None:
    text = end.join(["id,note", f'1,"two{end}lines"', "2,", "", "3"]) + end
    (sheet,) = read_sheets(write("a.csv", text.encode()))
    assert cells(sheet) == [["id", "note"], ["1", f"two{end}lines"], ["2", ""], [], ["3"]]
    assert numbers(sheet) == [1, 2, 4, 5, 6]
    assert (sheet.file, sheet.name, sheet.notes) == ("a.csv", "a", [])


def test_rows_come_in_blocks_and_again_from_the_start(write: Write) -> None:
    (sheet,) = read_sheets(write("a.csv", b"a,b\n" * 7))
    assert [len(block.rows) for block in sheet.blocks(3)] == [3, 3, 1]
    assert numbers(sheet, 2) == numbers(sheet) == [1, 2, 3, 4, 5, 6, 7]


def test_cells_are_stripped_of_nothing(write: Write) -> None:
    (sheet,) = read_sheets(write("a.csv", " a ,=1+1\n\u00a0b,-2\n".encode()))
    assert cells(sheet) == [[" a ", "=1+1"], ["\u00a0b", "-2"]]


def test_a_byte_order_mark_is_no_part_of_the_first_cell(write: Write) -> None:
    (sheet,) = read_sheets(write("a.csv", b'\xef\xbb\xbf"a",b\n'))
    assert cells(sheet) == [["a", "b"]]
    assert sheet.notes == []


def test_what_is_not_utf8_is_read_as_windows_1252_with_a_note(write: Write) -> None:
    far = b"a,b\n" * 400_000
    (sheet,) = read_sheets(write("a.csv", far + b"Pe\xf1a,\x80\n"))
    assert list(sheet.blocks())[-1].rows[-1] == ["Peña", "€"]
    assert sheet.notes == ["read as Windows-1252"]


def test_a_letter_that_falls_between_two_chunks_is_still_utf8(write: Write) -> None:
    line = "ñ,b\n".encode()
    (sheet,) = read_sheets(write("a.csv", b"x" + line * 300_000))
    assert sheet.notes == []


def test_a_file_of_two_encodings_is_noted_with_its_line(write: Write) -> None:
    (sheet,) = read_sheets(write("a.csv", "a,b\nPeña,1\n".encode() + b"Pe\xf1a,2\n"))
    assert "line 3 is not UTF-8, though other letters look like it" in "; ".join(sheet.notes)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\nPe\xf1a,\x81\n", "line 2: is neither UTF-8 nor Windows-1252: it has the byte 0x81"),
        (b"a,b\r\nc,d\r\nPe\xf1a,\x0b\r\n", "line 3: is neither UTF-8 nor Windows-1252: it has the byte 0x0b"),
        (b"\xef\xbb\xbfa,b\rPe\xf1a,1\r", "line 2: is not UTF-8, though the file begins as UTF-8"),
        (b"a,b\nc,abcdefgh\0\n", "line 2: contains a NUL byte"),
        ("a,b\n1,2\n".encode("utf-16"), "is text in UTF-16, from line 1"),
        ("a,b\n1,2\n".encode("utf-16-be"), "is text in UTF-16, from line 1"),
        (b"", "line 1: is empty"),
        (b"\xef\xbb\xbf", "line 1: is empty"),
        (b'a,b\n1,2\n3,"x" y\n', "line 3: is not CSV"),
        (b'a,b\n1,2\n3,"never closed\n4,5\n', "line 3: is not CSV: unexpected end of data"),
        (b'a,b\n1,"' + b"x" * 140_000 + b'"\n', "line 2: holds a value of more than 131072 characters"),
        (b"a,b\n" + b"x" * (20 << 20) + b"\n", "line 2: has a line of more than 16 MiB"),
    ],
)
def test_what_is_no_table_of_text_is_refused_with_its_line(write: Write, content: bytes, said: str) -> None:
    message = refusal(write("a.csv", content))
    assert said in message
    assert "a.csv" in message


def test_a_long_value_is_refused_whatever_another_library_allows(write: Write) -> None:
    path = write("a.csv", b'a,b\n1,2\n3,"' + b"x" * 131_073 + b'"\n')
    before = csv.field_size_limit()
    try:
        for limit, said in ((131_072, 131_072), (sys.maxsize, 131_072), (1_000, 1_000)):
            csv.field_size_limit(limit)
            assert f"line 3: holds a value of more than {said} characters" in refusal(path)
    finally:
        csv.field_size_limit(before)


def test_every_odd_byte_of_a_file_is_named_at_once(write: Write) -> None:
    message = refusal(write("a.csv", b"\xf1,\x81\n\x8d\n\x81\n"))
    assert "line 1: is neither" in message
    assert "line 2: is neither" in message
    assert "line 3" not in message


def test_a_last_line_without_an_end_is_noted(write: Write) -> None:
    (sheet,) = read_sheets(write("a.csv", b"a,b\n1,2"))
    assert cells(sheet)[-1] == ["1", "2"]
    assert "may have been cut off" in sheet.notes[0]


@pytest.mark.parametrize(
    ("text", "rows", "note"),
    [
        ("a;b;c\n1,5;2,5;3\n", [["a", "b", "c"], ["1,5", "2,5", "3"]], "separated by semicolons"),
        ("a\tb\n1,5\t2;5\n", [["a", "b"], ["1,5", "2;5"]], "separated by tabs"),
        ('"a";"b"\n"x, y, z";"p"\n', [["a", "b"], ["x, y, z", "p"]], "separated by semicolons"),
        ('a,b\n"x;y;z;w",1\n', [["a", "b"], ["x;y;z;w", "1"]], ""),
        ("one\ntwo\n", [["one"], ["two"]], ""),
    ],
)
def test_the_delimiter_is_found_and_what_is_quoted_does_not_count(
    write: Write, text: str, rows: list[list[str]], note: str
) -> None:
    (sheet,) = read_sheets(write("a.txt", text.encode()))
    assert cells(sheet) == rows
    assert sheet.notes == ([note] if note else [])


CODECS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "cp1252": "cp1252"}


@settings(suppress_health_check=[HealthCheck.filter_too_much], max_examples=examples(150))
@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(
                st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=8), min_size=width, max_size=width
            ),
            min_size=3,
            max_size=8,
        )
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(list(CODECS)),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_was_written_is_read_back(rows: list[list[str]], delimiter: str, encoding: str, end: str) -> None:
    # Another delimiter within the text makes no difference while it is quoted, as it is not in every other dialect.
    assume(not any(other in text for other in ",;\t" if other != delimiter for row in rows for text in row))
    content = io.StringIO()
    csv.writer(content, delimiter=delimiter, lineterminator=end).writerows(rows)
    try:
        written = content.getvalue().encode(encoding)
    except UnicodeEncodeError:
        assume(False)
    # What a page begins with is no table.
    assume(not written.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"))
    try:
        expected = written.decode("utf-8-sig")
    except UnicodeDecodeError:
        expected = content.getvalue()
    assume(expected == content.getvalue())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(written)
        (sheet,) = read_sheets(path)
        assert cells(sheet) == rows
        assert cells(sheet, 1) == rows


# --- Workbooks


def test_cells_of_a_workbook_become_text(write: Write) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    values: list[tuple[Any, str]] = [
        (" text\n2 ", " text\n2 "),
        ("007", "007"),
        (3, "3"),
        (3.0, "3"),
        (-12, "-12"),
        (35.0853, "35.0853"),
        (123456789012345, "123456789012345"),
        (True, "yes"),
        (False, "no"),
        (dt.date(2023, 11, 5), "2023-11-05"),
        (dt.datetime(2023, 11, 5, 0, 0), "2023-11-05"),  # noqa: DTZ001
        (dt.datetime(2023, 11, 5, 13, 4, 9), "2023-11-05 13:04:09"),  # noqa: DTZ001
        (dt.datetime(2023, 11, 5, 23, 59, 59, 997000), "2023-11-05 23:59:59"),  # noqa: DTZ001
        (dt.time(13, 5), "13:05:00"),
        (dt.timedelta(hours=30, minutes=5), "30:05:00"),
        (45000, "45000"),
        ("#N/A", "#N/A"),
        ("#REF!", "#REF!"),
        ("#DIV/0!", "#DIV/0!"),
        (None, ""),
        ("+1", "+1"),
        ("@a", "@a"),
        ("-", "-"),
    ]
    for column, (value, _) in enumerate(values, 1):
        sheet.cell(1, column, value)
    sheet.cell(1, len(values) + 1, "=x").data_type = "s"
    (read,) = read_sheets(write("a.xlsx", saved(book)))
    assert cells(read) == [[*(text for _, text in values), "=x"]]


def test_a_date_is_a_date_only_where_the_cell_says_so(write: Write) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = sheet["B1"] = 45000
    sheet["B1"].number_format = "m/d/yy"
    (read,) = read_sheets(write("a.xlsx", saved(book)))
    assert cells(read) == [["45000", "2023-03-15"]]


def test_dates_that_are_counted_from_1904_are_the_same_days(write: Write) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.worksheets[0]["A1"] = dt.date(2023, 1, 2)
    (read,) = read_sheets(write("a.xlsx", saved(book)))
    assert cells(read) == [["2023-01-02"]]


def test_rows_keep_the_numbers_of_the_sheet(write: Write) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["B3"], sheet["C6"], sheet["B6"] = "x", "y", "#N/A"
    (read,) = read_sheets(write("a.xlsx", saved(book)))
    rows = dict(zip(numbers(read, 2), cells(read, 2), strict=True))
    assert rows[3] == ["", "x", ""]
    assert rows[6] == ["", "#N/A", "y"]
    assert list(rows) == [1, 2, 3, 4, 5, 6]


def test_every_worksheet_is_given_in_order_also_the_hidden_and_the_empty(write: Write) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "First & last"
    book.create_chartsheet("chart")
    hidden = book.create_sheet("hidden")
    hidden.sheet_state = "veryHidden"
    hidden["A1"] = "h"
    sheets = read_sheets(write("a.xlsx", saved(book)))
    assert [(sheet.name, cells(sheet), sheet.notes) for sheet in sheets] == [
        ("First & last", [], []),
        ("hidden", [["h"]], ["the sheet is hidden"]),
    ]


def test_formulas_without_a_result_are_noted(write: Write) -> None:
    (sheet,) = read_sheets(write("a.xlsx", workbook([["id", "n"], ["=1+1", "x"]])))
    assert cells(sheet) == [["id", "n"], ["", "x"]]
    assert (
        "1 cells hold a formula whose result was not saved: they read as empty (A2). Open the file in Excel and save it"
        in sheet.notes
    )


def test_errors_that_cannot_be_read_are_named_with_their_cells(write: Write) -> None:
    row = '<row r="4"><c r="B4" t="e"><v>#SPILL!</v></c><c r="AA4" t="e"><v>#CALC!</v></c></row>'
    message = refusal(write("a.xlsx", with_rows(row)))
    assert "sheet 'Sheet', cell B4: contains the error '#SPILL!'" in message
    assert "cell AA4: contains the error '#CALC!'" in message


def test_cells_without_references_stand_where_they_follow(write: Write) -> None:
    rows = '<row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row><row><c t="inlineStr"><is><t>x</t></is></c></row>'
    (sheet,) = read_sheets(write("a.xlsx", with_rows(rows)))
    assert cells(sheet) == [["1", "#N/A"], ["x", ""]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "too far"),
        ('<row r="99999999999999"><c><v>1</v></c></row>', "has a row"),
        ('<row r="1048577"/>', "has a row 1048577"),
        ('<row r="0"/>', "has a row 0"),
        ('<row r="1"><c r="ZZZ1"><v>1</v></c></row>', "more than 16384 columns"),
        ('<row r="7"><c r="A8"><v>1</v></c></row>', "is in row 7"),
        ('<row r="1"><c r="A1"><v>1</v>', "is broken"),
        ('<row r="1"><c r="A1" t="s"><v>99</v></c></row>', "is broken"),
        ('<row r="1"><c r="A1" t="n"><v>abc</v></c></row>', "is broken"),
    ],
)
def test_a_broken_worksheet_is_refused_before_it_can_do_harm(write: Write, rows: str, said: str) -> None:
    message = refusal(write("a.xlsx", with_rows(rows)))
    assert said in message
    assert "a.xlsx, sheet 'Sheet'" in message


@pytest.mark.parametrize(
    ("part", "root", "inner"), [("sharedStrings", "sst", "si"), ("styles", "styleSheet", "cellXfs")]
)
def test_a_count_of_more_than_a_part_holds_is_refused(write: Write, part: str, root: str, inner: str) -> None:
    xml = f'<{root} xmlns="{MAIN}" uniqueCount="9999999999"><{inner} count="9999999999"/></{root}>'
    content = with_parts(workbook([["x"]]), {f"xl/{part}.xml": xml.encode()})
    assert "which is too high" in refusal(write("a.xlsx", content))


def test_a_text_may_be_shared_by_any_number_of_cells(write: Write) -> None:
    (sheet,) = read_sheets(write("a.xlsx", workbook([["same text", "same text"]] * 1_000)))
    assert cells(sheet) == [["same text", "same text"]] * 1_000
    shared = f'<sst xmlns="{MAIN}" count="2000000" uniqueCount="1"><si><t>x</t></si></sst>'
    content = with_parts(workbook([["x"]]), {"xl/sharedStrings.xml": shared.encode()})
    assert cells(read_sheets(write("b.xlsx", content))[0]) == [["x"]]


def test_every_broken_sheet_of_a_workbook_is_named(write: Write) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Two")
    broken = {f"xl/worksheets/sheet{number}.xml": b"<worksheet>" for number in (1, 2)}
    message = refusal(write("a.xlsx", with_parts(saved(book), broken)))
    assert "sheet 'Sheet': is broken" in message
    assert "sheet 'Two': is broken" in message


# --- What a file is


def protected() -> bytes:
    content = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(workbook([["x"]]))).encrypt("secret", content)
    return content.getvalue()


def zipped(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def macros() -> bytes:
    return with_parts(workbook([["x"]]), {"xl/vbaProject.bin": b"x"})


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", protected(), "a.xlsx: is protected by a password;"),
        ("a.csv", protected(), "is named .csv and is protected by a password"),
        ("a.xls", OLD, "a.xls: is an old .xls workbook; save it as .xlsx without a password"),
        ("a.xlsx", OLD, "is named .xlsx and is an old .xls workbook"),
        ("a.csv", workbook([["x"]]), "is named .csv and is an Excel workbook"),
        ("a.xls", workbook([["x"]]), "is named .xls and is an Excel workbook"),
        ("a.xlsm", workbook([["x"]]), "is named .xlsm and is an Excel workbook"),
        ("a", workbook([["x"]]), "has no ending and is an Excel workbook"),
        ("a.xlsx", macros(), "is named .xlsx and is a workbook with macros"),
        ("a.xlsm", macros(), "a.xlsm: is a workbook with macros"),
        (
            "a.xlsx",
            with_parts(workbook([["x"]]), {"[Content_Types].xml": b"application/vnd.ms-excel.sheet.macroEnabled.main"}),
            "is a workbook with macros",
        ),
        ("a.xlsx", b"a,b\n1,2\n", "is named .xlsx and is text"),
        ("a.xlsx", b"abc\0\1", "is named .xlsx and is not a workbook"),
        ("a.dat", b"a,b\n1,2\n", "is named .dat and is text"),
        ("a.xls", b"\n <Table border=1><tr><td>x", "is named .xls and is an HTML page"),
        ("a.csv", b"\xef\xbb\xbf<!DOCTYPE html>", "is named .csv and is an HTML page"),
        ("a.csv", b"<html>", "is an HTML page"),
        ("a.xls", b'<?xml version="1.0"?><Workbook/>', "is an XML document"),
        ("a.csv", b"%PDF-1.7\n", "is named .csv and is a PDF document"),
        ("a.csv", b"\x1f\x8b\x08abc", "is compressed with gzip"),
        ("a.xlsx", b"\x89PNG\r\n\x1a\n", "is named .xlsx and is an image (PNG)"),
        ("a.csv", b"\xff\xd8\xff\xe0", "is an image (JPEG)"),
        ("a.zip", zipped(a=b"x"), "a.zip: is a zip archive and not a workbook"),
        ("a.xlsx", zipped(a=b"x"), "is named .xlsx and is a zip archive and not a workbook"),
        ("a.xlsx", zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "is an OpenDocument spread"),
        ("a.xlsx", workbook([["x"]])[:-400], "is a damaged workbook"),
        ("a.xlsx", b"PK\x03\x04", "is a damaged workbook"),
        ("a.xlsx", with_parts(zipped(), {"xl/workbook.xml": b"<x/>"}), "is a broken workbook"),
    ],
)
def test_a_file_that_is_not_what_it_must_be_is_refused_by_name(
    write: Write, name: str, content: bytes, said: str
) -> None:
    assert said in refusal(write(name, content))


def test_names_are_read_in_either_case(write: Write) -> None:
    assert cells(read_sheets(write("A.CSV", b"a,b\n"))[0]) == [["a", "b"]]
    assert cells(read_sheets(write("A.XLSX", workbook([["a"]])))[0]) == [["a"]]


@pytest.mark.exhaustive
def test_an_archive_that_unpacks_to_very_much_is_refused(write: Write) -> None:
    content = with_parts(workbook([["x"]]), {"xl/media/a.bin": bytes(220 << 20)})
    assert "would unpack to 220 MiB" in refusal(write("a.xlsx", content))


def test_a_part_that_was_damaged_is_refused(write: Write) -> None:
    content = bytearray(workbook([["x", "y", "z"]] * 50))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    content[info.header_offset + 100] ^= 0xFF
    assert "is a broken workbook" in refusal(write("a.xlsx", bytes(content)))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "none.csv: is missing" in refusal(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv: is a folder" in refusal(tmp_path / "folder.csv")
    assert "cannot be read" in refusal(tmp_path / "a\0.csv")
    assert "cannot be read" in refusal(tmp_path / ("a" * 5000))


def test_a_file_that_goes_away_is_an_error_and_no_traceback(write: Write) -> None:
    path = write("a.csv", b"a,b\n")
    (sheet,) = read_sheets(path)
    path.unlink()
    with pytest.raises(DeliveryError, match="cannot be read"):
        cells(sheet)


def read_or_refuse(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with contextlib.suppress(DeliveryError):
            read_all(path)


@settings(max_examples=examples(200))
@given(
    st.binary(max_size=300) | st.text(st.sampled_from('a,;\t"\n\r\0é '), max_size=60).map(str.encode),
    st.sampled_from(["", "\ufeff", "PK\x03\x04", "<"]),
    st.sampled_from(["a.csv", "a.tsv", "a.xlsx", "a.xls", "a"]),
)
def test_any_bytes_are_read_or_refused(content: bytes, start: str, name: str) -> None:
    read_or_refuse(name, start.encode() + content)


BOOK = workbook(
    [["id", "day", "n"], ["a", dt.date(2023, 1, 2), 1.5], ["#N/A", dt.timedelta(1), True], ["=A1", "é", None]]
)


@settings(max_examples=examples(150))
@given(st.randoms(use_true_random=False), st.booleans())
def test_a_workbook_with_wrong_bytes_is_read_or_refused(chance: random.Random, within: bool) -> None:
    """Bytes are changed in the archive, or within a part of it, whose checksum is then right."""
    if not within:
        read_or_refuse("a.xlsx", changed(BOOK, chance))
        return
    with zipfile.ZipFile(io.BytesIO(BOOK)) as archive:
        name = chance.choice([name for name in archive.namelist() if name.startswith("xl/") and "theme" not in name])
        part = archive.read(name)
    read_or_refuse("a.xlsx", with_parts(BOOK, {name: changed(part, chance)}))


def changed(content: bytes, chance: random.Random) -> bytes:
    wrong = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(wrong))
        what = chance.randrange(3)
        if what == 0:
            wrong[place] = chance.choice(b'0129AZ<>"/\xff\0' + bytes([chance.randrange(256)]))
        elif what == 1:
            del wrong[place : place + chance.randint(1, 20)]
            wrong += b" " * (not wrong)
        else:
            wrong[place:place] = wrong[place : place + chance.randint(1, 20)]
    return bytes(wrong)


# ---------------------------------------------------------------- What Excel shows


@pytest.mark.parametrize(
    ("value", "shape", "shown"),
    [
        (123, "00000", "00123"),
        (123456, "00000", "123456"),
        (230412, "00-0000", "23-0412"),
        (7, '"R-"0000', "R-0007"),
        (7, "\\R0000", "R0007"),
        (5551234, "000-0000", "555-1234"),
        (12, "0", "12"),
        (12.5, "00000", "12.5"),
        (1234, "#,##0", "1234"),
    ],
)
def test_a_number_is_read_with_the_zeros_and_marks_that_its_format_adds(
    write: Write, value: float, shape: str, shown: str
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id"])
    book.worksheets[0].append([value])
    book.worksheets[0]["A2"].number_format = shape
    book.save(path := write("a.xlsx", b""))
    assert cells(read_sheets(path)[0])[1] == [shown]


def test_hidden_lines_and_columns_are_noted(write: Write) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "n"], ["R1", 1], ["R2", 2], ["R3", 3]):
        book.worksheets[0].append(row)
    book.worksheets[0].row_dimensions[3].hidden = True
    book.worksheets[0].row_dimensions[400].hidden = True
    book.worksheets[0].column_dimensions["B"].hidden = True
    book.save(path := write("a.xlsx", b""))
    (sheet,) = read_sheets(path)
    assert len(cells(sheet)) == 4
    assert sheet.notes == [
        "1 lines are hidden, by hand or by a filter, and are read like any other (line 3)",
        "hidden columns are read like any other (B)",
    ]


def test_the_last_moment_of_a_day_is_of_that_day(write: Write) -> None:
    """SQL Server's last moment of a day is 23:59:59.997; Excel is true to a millisecond."""
    book = openpyxl.Workbook()
    book.worksheets[0].append([dt.datetime(2023, 11, 30, 23, 59, 59, 997000)])  # noqa: DTZ001
    book.worksheets[0]["A1"].number_format = "yyyy-mm-dd hh:mm:ss"
    book.save(path := write("a.xlsx", b""))
    assert cells(read_sheets(path)[0]) == [["2023-11-30 23:59:59"]]


def test_merged_cells_are_named_by_their_range(write: Write) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "n"], ["R1", 1], ["R2", 2]):
        book.worksheets[0].append(row)
    book.worksheets[0].merge_cells("B2:B3")
    book.save(path := write("a.xlsx", b""))
    assert [str(one) for one in read_sheets(path)[0].merged] == ["B2:B3"]
