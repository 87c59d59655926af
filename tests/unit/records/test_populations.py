"""The populations of areas are read whole, or every line that is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from viputils.core.errors import DeliveryError
from viputils.records.populations import people_in, read_populations

TEXT = """area,year,people,source
North,2020,"20000",made-up numbers
North,2022,21000,made-up numbers
South,2022,9000,made-up numbers
"""


def written(root: Path, text: str) -> Path:
    (root / "data").mkdir()
    (root / "data" / "populations.csv").write_text(text, encoding="utf-8")
    return root


def test_the_people_of_a_year_are_those_last_counted(tmp_path: Path) -> None:
    found = read_populations(written(tmp_path, TEXT))
    assert found.dtypes.astype("str").to_dict() == {"area": "str", "year": "int64", "people": "int64", "source": "str"}
    assert people_in(found, 2023)["people"].to_dict() == {"North": 21000, "South": 9000}
    assert people_in(found, 2021)["people"].to_dict() == {"North": 20000}
    assert people_in(found, 2019).empty


def test_a_city_without_populations_has_none(tmp_path: Path) -> None:
    assert read_populations(tmp_path).empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "data/populations.csv, line 1: is empty; it must be: area,year,people,source"),
        ("area,people\n", "line 1: is area, people;"),
        ("area,year,people,source\nNorth,2020,x\n", "line 2: has 3 values;"),
        ("area,year,people,source\nNorth,2020,-5,Census\n", "line 2: '-5' is not a number of people;"),
        ('area,year,people,source\nNorth,20,"1,000",Census\n', "line 2: '20' is not a year;"),
        ("area,year,people,source\nNorth,2020,1000,\n", "line 2: source is empty;"),
        (TEXT + "South,2022,1,Census\n", "line 5: South in 2022 is there twice;"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DeliveryError) as refused:
        read_populations(written(tmp_path, text))
    assert said in str(refused.value)
