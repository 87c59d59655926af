"""Sheets as agencies send them, and what is read from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from viputils.config.program import Column, Program, Table
from viputils.core.errors import IntakeError
from viputils.intake.export import Export
from viputils.intake.matching import match_sheet
from viputils.intake.rows import rows_of
from viputils.intake.sheet import Sheet
from viputils.intake.tally import Tally

RESPONSES = ["Case Number", "Incident date", "Type of incident", "Area Cmd"]
ROW = ["R1", "8/27/23", "DV", "SE"]
CLEAN = ["R1", "2023-08-27", "DV", "SE"]
REVIEWS = ["review_id", "review_date", "Incidents reviewed", "", "Persons identified"]

Cell = str | int | float | dt.datetime | None
MakeSheet = Callable[..., Sheet]


def matched(program: Program, sheet: Sheet, table: str | None = None) -> Export:
    export = match_sheet(program, sheet, table)
    assert export is not None
    return export


def taken(program: Program, sheet: Sheet, table: str | None = None) -> tuple[list[list[str]], Tally]:
    tally = Tally()
    return list(rows_of(matched(program, sheet, table), program.intake, tally)), tally


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(IntakeError) as refused:
        call()
    assert refused.value.problems
    return str(refused.value)


def with_id(program: Program, identity: str | list[str], **columns: str) -> Program:
    table = program.tables["responses"]
    rules = {**{name: Column(type="code") for name in columns}, **table.columns}
    given = {**table.model_dump(), "id": identity, "columns": {name: rule.model_dump() for name, rule in rules.items()}}
    return program.model_copy(update={"tables": {**program.tables, "responses": Table.model_validate(given)}})
