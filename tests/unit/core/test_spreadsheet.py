from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viputils.core.spreadsheet import inert, inert_table, is_live, original


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=cmd|' /C calc'!A0"])
def test_text_that_a_spreadsheet_would_compute_is_marked_as_text(text: str) -> None:
    assert is_live(text)
    assert inert(text) == "'" + text
    assert not is_live(inert(text))


@pytest.mark.parametrize("text", ["", "Southeast", "2023-11-05", "D'Angelo", "'quoted'", "R-1", "a=b"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == original(text) == text


@given(st.text(alphabet="'=+-@ \t\rab1"))
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert original(inert(text)) == text
    assert not is_live(inert(text))


def test_no_cell_of_a_table_is_a_formula_and_numbers_stay_numbers() -> None:
    table = inert_table(pd.DataFrame({"=head": ["@x", "y", None], "number": [-1, 2, 3]}))
    assert list(table.columns) == ["'=head", "number"]
    assert table["'=head"].dropna().tolist() == ["'@x", "y"]
    assert table["number"].tolist() == [-1, 2, 3]
