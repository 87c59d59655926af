from __future__ import annotations

import pytest

from viputils.core.csv_rows import csv_rows


def test_each_row_has_the_line_on_which_it_ends() -> None:
    rows, problems = csv_rows('a,b\n1,"two\nlines"\n3,4\n', "file.csv", ["a", "b"])
    assert rows == [(3, {"a": "1", "b": "two\nlines"}), (4, {"a": "3", "b": "4"})]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ["file.csv, line 1: the header is ''; it must be a,b."]),
        ("b,a\n1,2\n", ["file.csv, line 1: the header is 'b,a'; it must be a,b."]),
        (
            "a,b\n1\n2,3\n4,5,6\n",
            [
                "file.csv, line 2: has 1 field; it must have 2: a, b.",
                "file.csv, line 4: has 3 fields; it must have 2: a, b.",
            ],
        ),
        ('a,b\n1,"2\n', ["file.csv, line 2: is not CSV: unexpected end of data. Write a quote inside a value twice."]),
    ],
)
def test_every_malformed_line_is_a_problem(text: str, says: list[str]) -> None:
    assert [str(problem) for problem in csv_rows(text, "file.csv", ["a", "b"])[1]] == says


def test_a_header_that_is_no_header_is_shown_in_part() -> None:
    (problem,) = csv_rows("x" * 10_000, "file.csv", ["a"])[1]
    assert len(str(problem)) < 200
