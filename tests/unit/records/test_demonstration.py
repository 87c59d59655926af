"""The demonstration records: made again byte for byte, and as untidy as real exports."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.support.projects import REPOSITORY
from viputils.core.text import folded
from viputils.figures.edition import Edition

RAW = REPOSITORY / "data" / "raw"


@pytest.mark.exact_bytes
def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "make_demonstration_records.py"
    env = {**os.environ, "PYTHONHASHSEED": "11", "TZ": "Asia/Kolkata", "LC_ALL": "C"}
    subprocess.run([sys.executable, script, "--output", tmp_path / "raw"], check=True, env=env, capture_output=True)
    made = {
        path.relative_to(tmp_path / "raw"): path.read_bytes()
        for path in (tmp_path / "raw").rglob("*")
        if path.is_file()
    }
    kept = {path.relative_to(RAW): path.read_bytes() for path in RAW.rglob("[!.]*") if path.is_file()}
    assert made == kept


def test_seventeen_months_are_delivered_each_with_all_seven_tables(demonstration: Edition) -> None:
    folders = sorted(path for path in RAW.iterdir() if path.is_dir())
    assert len(folders) == 17
    for folder in folders:
        assert set(demonstration.records.tables) <= {path.stem for path in folder.glob("*.csv")}
    assert demonstration.records.tables["responses"].rows["response_date"].min() < pd.Timestamp("2022-08-01")


def test_nothing_is_in_quarantine_and_every_record_says_that_it_is_synthetic(demonstration: Edition) -> None:
    assert demonstration.records.quarantine.empty
    for name, table in demonstration.records.tables.items():
        assert table.rows[demonstration.program.tables[name].id].str.startswith("DEMO-").all()


def test_they_are_as_untidy_as_real_exports(demonstration: Edition) -> None:
    account = demonstration.records.account.set_index("table")
    assert account["duplicate"].sum() >= 5
    assert account["superseded"].sum() >= 5
    files = [path.read_text(encoding="utf-8").splitlines() for path in RAW.glob("*/responses.csv")]
    delivered = [row for lines in files for row in csv.DictReader(lines)]
    types = {row["incident_type"] for row in delivered}
    assert {folded(kind) for kind in types} >= {"dv", "gsw"}
    assert any(kind != kind.strip() for kind in types)
    assert any(kind.isupper() and len(kind) > 3 for kind in types)
    university = [row["response_date"] for row in delivered if folded(row["area_command"]).startswith("uni")]
    assert university
    assert min(university) >= "2023-02-12"
    assert any("DEMO-V-" in path.read_text(encoding="utf-8") for path in RAW.glob("*/voids.csv"))


def test_no_record_holds_more_about_a_person_than_a_code(demonstration: Edition) -> None:
    assert {path.stem for path in RAW.glob("*/*.csv")} <= {*demonstration.records.tables, "voids"}
    for table in demonstration.records.tables.values():
        assert not {"name", "first_name", "last_name", "date_of_birth", "address"} & set(table.rows.columns)
