"""The JSON Schema and the page of program.toml agree with the models that read the file."""

from __future__ import annotations

import copy
import datetime as dt
import runpy
import tomllib
from collections.abc import Callable
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from tests.support.projects import REPOSITORY
from viputils.config.program_file import program_from
from viputils.config.program_schema import program_page, program_schema
from viputils.core.errors import ProgramError

Raw = dict[str, Any]
Change = Callable[[Raw], object]

OURS: Final = tomllib.loads((REPOSITORY / "program.toml").read_text("utf-8"))
CITIES: Final = [REPOSITORY, *sorted(REPOSITORY.glob("examples/*"))]


def as_an_editor_sees(value: Any) -> Any:
    """TOML has days and times; JSON has text."""
    if isinstance(value, dict):
        return {key: as_an_editor_sees(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_an_editor_sees(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def complaints(raw: Raw) -> list[str]:
    check = Draft202012Validator(program_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.json_path for error in check.iter_errors(as_an_editor_sees(raw))]


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_every_city_here_is_valid(city: Any) -> None:
    assert complaints(tomllib.loads((city / "program.toml").read_text("utf-8"))) == []


def test_what_the_examples_do_not_use_is_valid_too() -> None:
    raw = copy.deepcopy(OURS)
    raw["releases"] = [{"issue": "2023-12", "date": dt.date(2024, 1, 8), "time": "10:00", "embargo": True}]
    raw["lifetimes"] = [{"vocabulary": "service", "value": "Food", "valid_to": dt.date(2023, 6, 30)}]
    raw["tables"]["reviews"] |= {"id": ["review_date", "incidents_reviewed"], "delivery": "snapshot"}
    raw["codes"] = {"candidate_id": "same"}
    raw["contact"] |= {"phone": "505-555-0100", "email": "office@example.org"}
    program_from(raw)
    assert complaints(raw) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda raw: raw.update(programme={}), "$"),
        (lambda raw: raw.pop("report"), "$"),
        (lambda raw: raw["program"].update(Citys="x"), "$.program"),
        (lambda raw: raw["program"].pop("city"), "$.program"),
        (lambda raw: raw["program"].update(city=" "), "$.program.city"),
        (lambda raw: raw["program"].update(fiscal_year_starts=13), "$.program.fiscal_year_starts"),
        (lambda raw: raw["program"].update(fiscal_year_starts="7"), "$.program.fiscal_year_starts"),
        (lambda raw: raw["program"].update(began="March 2020"), "$.program.began"),
        (lambda raw: raw["program"].update(delivered="weekly"), "$.program.delivered"),
        (lambda raw: raw["program"].update(language="English"), "$.program.language"),
        (lambda raw: raw["program"].update(address="https://vip.example"), "$.program.address"),
        (lambda raw: raw["help"].append({"number": "211"}), "$.help[3]"),
        (lambda raw: raw["vocabularies"].update({"Service": {}}), "$.vocabularies"),
        (lambda raw: raw["vocabularies"]["service"].update(Food="Food box"), "$.vocabularies.service.Food"),
        (lambda raw: raw["tables"]["outreach"]["columns"]["kind"].update(type="number"), "type"),
        (lambda raw: raw["tables"]["outreach"].update(id=7), "$.tables.outreach.id"),
        (lambda raw: raw["tables"]["outreach"].update(delivery="full"), "$.tables.outreach.delivery"),
        (lambda raw: raw["measures"]["responses"].update(count="row"), "$.measures.responses.count"),
        (lambda raw: raw["measures"]["responses"].update(count={"sum": "A B"}), "$.measures.responses.count"),
        (lambda raw: raw["measures"]["responses"].update(printed=["week"]), "$.measures.responses.printed[0]"),
        (lambda raw: raw["report"]["tile_map"]["tiles"].update(Valley=[1]), "$.report.tile_map.tiles.Valley"),
        (lambda raw: raw["report"].update(headline=[]), "$.report.headline"),
    ],
)
def test_what_the_schema_refuses_is_refused_when_the_file_is_read(change: Change, path: str) -> None:
    raw = copy.deepcopy(OURS)
    change(raw)
    assert any(path in one for one in complaints(raw))
    with pytest.raises(ProgramError):
        program_from(raw)


def test_every_key_has_a_description_and_a_line_of_the_page() -> None:
    page = program_page()
    schema = program_schema()
    for part in (schema, *schema["$defs"].values()):
        for key, value in part["properties"].items():
            assert value["description"].endswith((".", ".)"))
            assert f"`{key}`" in page or f"{key}]" in page or f"{key}." in page or f"{{ {key} = " in page
    assert "| **`city`** | text | The city, on the cover. |" in page


@pytest.mark.parametrize("name", ["program.schema.json", "program.md"])
def test_the_files_in_docs_are_those_of_the_models(name: str) -> None:
    pages = runpy.run_path(str(REPOSITORY / "scripts" / "write_schema.py"))["pages"]()
    assert (REPOSITORY / "docs" / name).read_text("utf-8") == pages[name]
