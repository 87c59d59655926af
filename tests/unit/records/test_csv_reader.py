from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from viputils.config.program import Column, Table
from viputils.config.tables import Schema
from viputils.core.errors import DeliveryError
from viputils.core.spreadsheet import original
from viputils.records import csv_reader
from viputils.records.csv_reader import LONGEST_VALUE

SCHEMA = Schema("things", Table(title="Things", id="a", date="b", columns={"b": Column(type="date")}))
TEXTS = st.text(alphabet=["x", "é", " ", '"', ",", "\n", "\r", "'", "=", "\U0001f600"], max_size=4)
# Pieces of files, good and bad.
PIECES = [b"a,b\n", b"b,a\r\n", b"x,y\n", b"x,y", b"x\n", b'"', b"\r", b"\n", b"\0", b"\xff", b"\xc3", b",", b"'=1,2\n"]


def read(path: Path) -> tuple[list[tuple[str, str]], list[int]]:
    table, lines = csv_reader.read_csv(path, "things.csv", SCHEMA)
    return list(zip(table["a"].to_pylist(), table["b"].to_pylist(), strict=True)), lines.tolist()


def read_slowly(text: str) -> tuple[list[tuple[str, str]], list[int]]:
    """What Python's own reader says, with the line on which each row begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, lines, begins = [], [], 1
    for row in reader:
        rows.append(row)
        lines.append(begins)
        begins = reader.line_num + 1
    order = [rows[0].index("a"), rows[0].index("b")]
    return [(row[order[0]], row[order[1]]) for row in rows[1:]], lines[1:]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS)),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.sampled_from([("a", "b"), ("b", "a")]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_csv_file_reads_back_as_python_reads_it(
    tmp_path: Path, rows: list[tuple[str, str]], end: str, header: tuple[str, str], quoting: Literal[0, 1]
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerow(header)
    # Python does not quote a carriage return by itself.
    writer.writerows(
        [[cell.replace("\r", "" if quoting == csv.QUOTE_MINIMAL else "\r") for cell in row] for row in rows]
    )
    path = tmp_path / "things.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    expected, lines = read_slowly(text.getvalue())
    got, got_lines = read(path)
    # A mark that keeps a spreadsheet from computing is taken off again.
    assert got == [(original(a), original(b)) for a, b in expected]
    assert got_lines == lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300))
@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_any_bytes_are_rows_or_a_named_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "things.csv"
    path.write_bytes(b"a,b\n" + data)
    try:
        rows = read(path)
    except DeliveryError as error:
        problems = error.problems
    else:
        expected, lines = read_slowly((b"a,b\n" + data).decode("utf-8"))
        assert rows == ([(original(a), original(b)) for a, b in expected], lines)
        return
    assert problems
    assert all(problem.where.startswith("things.csv") for problem in problems)


def test_a_file_that_takes_several_blocks_is_read_alike_plain_and_with_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "_BLOCK", 64)
    monkeypatch.setattr(csv_reader, "_ROWS", 3)
    plain, quoted = tmp_path / "plain.csv", tmp_path / "quoted.csv"
    plain.write_bytes(b"a,b\r\n" + b"".join(b"R%d,\xc3\xa9\xf0\x9f\x98\x80\r\n" % n for n in range(40)))
    quoted.write_bytes(plain.read_bytes().replace(b"R39,", b'"R39",'))
    assert read(plain) == read(quoted)
    assert read(plain)[1] == list(range(2, 42))


@pytest.mark.parametrize("rows", [b"x,y\nx\n", b"x,y,z\n", b"x,y\n\nx,y\n", b"x,y,z\nx\n"])
def test_a_row_of_another_length_is_found_by_its_line_in_a_plain_file_too(tmp_path: Path, rows: bytes) -> None:
    path = tmp_path / "things.csv"
    path.write_bytes(b"a,b\n" + rows)
    with pytest.raises(DeliveryError) as caught:
        read(path)
    wrong = [number for number, line in enumerate(rows.splitlines(), start=2) if line.count(b",") != 1]
    assert [problem.where for problem in caught.value.problems] == [f"things.csv, line {number}" for number in wrong]


def test_a_letter_that_is_cut_in_two_between_blocks_is_no_error_and_half_a_letter_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "_BLOCK", 7)
    path = tmp_path / "things.csv"
    path.write_bytes('a,b\n"ééééé",é\n'.encode())
    assert read(path)[0] == [("ééééé", "é")]
    path.write_bytes('a,b\nx,y\n"éé'.encode() + b"\xc3\n")
    with pytest.raises(DeliveryError) as caught:
        read(path)
    assert caught.value.problems[0].where == "things.csv, line 3"
    assert "not UTF-8: the byte 0xc3" in caught.value.problems[0].what


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("limit", [LONGEST_VALUE, sys.maxsize])
def test_a_long_value_is_refused_quoted_or_not_whatever_another_library_allows(
    tmp_path: Path, quote: str, limit: int
) -> None:
    path = tmp_path / "things.csv"
    before = csv.field_size_limit()
    try:
        csv.field_size_limit(limit)
        for length, is_read in ((LONGEST_VALUE, True), (LONGEST_VALUE + 1, False)):
            path.write_text(f"a,b\n1,2\n{quote}{'é' * length}{quote},2\n3,4\n", encoding="utf-8")
            if is_read:
                assert len(read(path)[0]) == 3
            else:
                with pytest.raises(
                    DeliveryError, match=r"things\.csv, line 3: holds a value of more than 131072 characters"
                ):
                    read(path)
    finally:
        csv.field_size_limit(before)
