"""The clean tables as Parquet: every row with its type and origin, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.command import vip
from tests.support.projects import REPOSITORY, Deliver
from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.errors import ParameterError
from viputils.figures.counts import value_of
from viputils.figures.edition import Edition
from viputils.records.clean import load_records
from viputils.records.parquet import write_parquet

KINDS = {"date": pa.date32(), "count": pa.int64(), "flag": pa.bool_(), "code": pa.string()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, demonstration: Edition) -> Path:
    folder = tmp_path_factory.mktemp("parquet") / "clean tables"
    write_parquet(demonstration.records, folder)
    return folder


def test_every_table_is_there_with_exact_types_and_every_row_kept(
    written: Path, demonstration: Edition, program: Program
) -> None:
    for name, rule in program.tables.items():
        table = pq.read_table(written / f"{name}.parquet")
        assert len(table) == len(demonstration.records.tables[name].rows)
        for column, kind in rule.columns.items():
            found = table.schema.field(column).type
            assert found == KINDS.get(kind.type, pa.dictionary(pa.int32(), pa.string())), f"{name}.{column}"
        assert table.schema.field("received").type == pa.date32()
    rows = pq.read_table(written / "outreach.parquet").to_pandas()
    kept = demonstration.records.tables["outreach"].rows
    assert rows["adults_assisted"].tolist() == kept["adults_assisted"].tolist()
    assert pd.to_datetime(rows["operation_date"]).tolist() == kept["operation_date"].tolist()
    assert rows["file"].astype("str").tolist() == kept["file"].astype("str").tolist()


def test_a_column_with_a_crosswalk_is_followed_by_the_counted_names(written: Path, demonstration: Edition) -> None:
    table = pq.read_table(written / "responses.parquet")
    assert table.column_names[3:5] == ["area_command", "counted_as"]
    rows = table.to_pandas().astype({"area_command": "str", "counted_as": "str"})
    # The University area command is counted as Southeast, from which it was split off.
    was = rows["area_command"].eq("University")
    assert was.sum() > 0
    assert rows.loc[was, "counted_as"].eq("Southeast").all()
    assert rows.loc[~was, "counted_as"].equals(rows.loc[~was, "area_command"])
    assert "counted_as" not in pq.read_table(written / "notifications.parquet").column_names


def test_every_row_that_was_read_is_in_the_ledger(written: Path, demonstration: Edition) -> None:
    ledger = pq.read_table(written / "ledger.parquet").to_pandas()
    found = ledger.groupby(["table", "status"], observed=True).size()
    for line in demonstration.records.account.to_dict("records"):
        for status in ("kept", "superseded", "duplicate", "quarantined"):
            assert found.get((line["table"], status), 0) == line[status], (line["table"], status)


def test_each_file_says_as_of_when_it_is_and_that_its_records_are_synthetic(written: Path) -> None:
    assert (written / ".gitignore").read_text("utf-8") == "*\n"
    for path in written.glob("*.parquet"):
        says = json.loads(pq.read_schema(path).metadata[b"viputils"])
        assert says["as_of"] == "2023-12-04"
        assert says["demonstration"].startswith("This is sample data.")


def test_the_queries_of_the_documentation_give_the_figures_of_the_report(
    written: Path, demonstration: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (REPOSITORY / "docs" / "analysts.md").read_text(encoding="utf-8")
    by_type, adults = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(written.parent)
    figures = demonstration.figures
    found = duckdb.execute(by_type).fetchall()
    assert len(found) == 6
    for incident_type, number in found:
        assert number == value_of(figures, "responses_by_incident_type", "month", incident_type)
    ((assisted,),) = duckdb.execute(adults).fetchall()
    assert assisted == value_of(figures, "adults_assisted", "fytd")


def test_the_same_records_give_the_same_bytes_and_take_the_place_of_what_was_there(
    written: Path, tmp_path: Path, demonstration: Edition
) -> None:
    def sums(folder: Path) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}

    folder = tmp_path / "again"
    write_parquet(demonstration.records, folder)
    write_parquet(demonstration.records, folder)
    assert sums(folder) == sums(written)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


@pytest.mark.parametrize("name", ["notes.txt", "other.parquet"])
def test_a_folder_that_holds_other_things_is_left_alone(tmp_path: Path, demonstration: Edition, name: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    pq.write_table(pa.table({"a": [1]}), folder / name)
    with pytest.raises(ParameterError) as raised:
        write_parquet(demonstration.records, folder)
    assert f"contains other files: {name}" in str(raised.value)
    assert [path.name for path in folder.iterdir()] == [name]
    with pytest.raises(ParameterError):
        write_parquet(demonstration.records, folder / name)


def test_rows_in_quarantine_are_never_left_out_in_silence(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-03,Homocide,SE"])
    refused = vip("export", str(tmp_path / "out"), "--project", str(project.root))
    assert refused.returncode == 2
    assert "1 row is in quarantine" in refused.stderr
    assert not (tmp_path / "out").exists()
    done = vip("export", str(tmp_path / "out"), "--allow-quarantined", "--json", "--project", str(project.root))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["as_of"] == "2023-12-04"
    (row,) = pq.read_table(said["tables"]["quarantine"]).to_pylist()
    assert (row["value"], row["reason"], row["line"]) == ("Homocide", "unknown_value", 3)
    assert pq.read_table(said["tables"]["responses"]).num_rows == 1


def test_another_city_is_written_too(repository_example: Path, tmp_path: Path) -> None:
    records = load_records(Project.open(repository_example))
    write_parquet(records, tmp_path / "out")
    for name, table in records.tables.items():
        path = tmp_path / "out" / f"{name}.parquet"
        assert pq.read_table(path).num_rows == len(table.rows)
        assert b"demonstration" not in pq.read_schema(path).metadata[b"viputils"]


def test_before_the_first_delivery_there_is_nothing_to_write(tmp_path: Path) -> None:
    done = vip("export", str(tmp_path / "out"), "--as-of", "2001-01-01")
    assert done.returncode == 2
    assert "nothing had been received by 2001-01-01; the first delivery came on 2022-08-03." in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_tables_as_of_an_earlier_day_hold_what_was_known_then(tmp_path: Path) -> None:
    done = vip("export", str(tmp_path / "out"), "--as-of", "2023-11-03")
    assert done.returncode == 0, done.stderr
    assert "rows read as of 2023-11-03" in done.stdout
    assert "do not publish them" in done.stdout
    received = pq.read_table(tmp_path / "out" / "responses.parquet")["received"].to_pylist()
    assert str(max(received)) == "2023-11-03"
