"""Deliveries that lie elsewhere: the same rows give the same issue, and nothing there changes unnoticed."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import sqlalchemy as sa

from tests.support.command import started_vip, vip
from tests.support.projects import REPOSITORY, Deliver, with_a_short_report
from viputils import workbench
from viputils.audit.as_of import load_edition
from viputils.audit.manifest import read_manifest
from viputils.config.program_file import read_program
from viputils.config.project import Project
from viputils.config.tables import VOIDS, schemas_of
from viputils.core.errors import DeliveryError, IntakeError, ProgramError
from viputils.core.months import parse_date
from viputils.core.urls import place_of, secrets_in, shown_address, without_secrets
from viputils.figures.edition import Edition
from viputils.intake.proposal import proposed_intake
from viputils.records.deliveries import find_deliveries
from viputils.records.remote.fetch import deliveries_folder

RAW = REPOSITORY / "data" / "raw"


def elsewhere(project: Project, deliveries: str) -> Project:
    return Project.open(project.root, deliveries=deliveries)


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".md"
    }


def require_same(theirs: Edition, mine: Edition) -> None:
    assert theirs.as_of == mine.as_of
    assert theirs.figures.equals(mine.figures)
    assert theirs.records.account.equals(mine.records.account)


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder of fsspec's store in memory, which no other test sees."""
    name = f"memory://bucket-{uuid.uuid4().hex}/deliveries"
    yield name
    fsspec.filesystem("memory").rm(name.removeprefix("memory:/").rpartition("/")[0], recursive=True)


def upload(folder: Path, address: str) -> None:
    store = fsspec.filesystem("memory")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.pipe(f"{address}/{path.relative_to(folder).as_posix()}", path.read_bytes())


# ---------------------------------------------------------------- another folder


def test_deliveries_can_lie_in_another_folder(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    shared = tmp_path / "on a share"
    project.raw.rename(shared)
    there = elsewhere(project, str(shared))
    assert [one.name for one in find_deliveries(there)] == ["data/raw/2023-12-04"]
    assert len(workbench.load(project=there)["responses"]) == 1
    relative = elsewhere(project, "../on a share")
    assert len(workbench.load(project=relative)["responses"]) == 1
    assert len(workbench.load(project=project, deliveries=str(shared))["responses"]) == 1


def test_a_folder_that_is_not_there_is_named(project: Project) -> None:
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(elsewhere(project, "/nowhere/at all"))
    assert "/nowhere/at all: is not a folder here" in str(raised.value)


def test_the_environment_says_where_before_program_toml_does_and_the_command_says_so(
    project: Project, deliver: Deliver, tmp_path: Path
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    shared = tmp_path / "shared"
    project.raw.rename(shared)
    toml = project.root / "program.toml"
    toml.write_text(toml.read_text().replace("[program]", '[program]\ndeliveries = "not there"', 1))
    done = started_vip("check", "--project", str(project.root), VIP_DELIVERIES=str(shared))
    assert done.returncode == 0, done.stderr
    assert f"Deliveries come from {shared}." in done.stderr
    refused = vip("check", "--project", str(project.root))
    assert refused.returncode == 2
    assert "not there: is not a folder here" in refused.stderr


# ---------------------------------------------------------------- an object store


def test_an_object_store_gives_the_same_files_and_figures_as_the_folder(
    project: Project, bucket: str, demonstration: Edition
) -> None:
    upload(RAW, bucket)
    there = elsewhere(project, bucket)
    assert files_of(deliveries_folder(there)) == files_of(RAW)
    require_same(load_edition(there, "2023-11"), demonstration)


@pytest.mark.whole_issues
@pytest.mark.usefixtures("plain_pages")
def test_a_report_from_an_address_is_the_one_from_the_folder(
    whole_project: Project, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_short_report(whole_project.root)
    deliver(responses=["R1,2023-11-02,DV,SE"])
    report = ("report", "2023-11", "--project", str(whole_project.root), "--engine", "embedded")
    manifest = whole_project.issues / "2023-11" / "manifest.json"
    assert vip(*report).returncode == 0
    from_folder = read_manifest(manifest)
    shutil.rmtree(whole_project.issues)
    shared = tmp_path / "shared"
    whole_project.raw.rename(shared)
    monkeypatch.setenv("VIP_DELIVERIES", f"file://{shared}")
    done = vip(*report)
    assert done.returncode == 0, done.stderr
    made = read_manifest(manifest)
    assert made.inputs.deliveries == from_folder.inputs.deliveries
    assert made.outputs == from_folder.outputs


@pytest.mark.exact_bytes
def test_a_report_is_made_from_an_address_byte_for_byte(whole_project: Project, tmp_path: Path) -> None:
    shutil.copytree(RAW, whole_project.raw, dirs_exist_ok=True)
    shutil.copy(REPOSITORY / "program.toml", whole_project.root)
    shutil.copytree(REPOSITORY / "data" / "published", whole_project.published, dirs_exist_ok=True)
    shared = tmp_path / "shared"
    whole_project.raw.rename(shared)
    done = started_vip("report", "2023-11", "--project", str(whole_project.root), VIP_DELIVERIES=f"file://{shared}")
    assert done.returncode == 0, done.stderr
    made = read_manifest(whole_project.issues / "2023-11" / "manifest.json")
    kept = read_manifest(REPOSITORY / "data" / "published" / "2023-11.manifest.json")
    assert made.inputs.deliveries == kept.inputs.deliveries
    # Where this alone fails, the record is out of date: make record.
    assert made.outputs == kept.outputs


@pytest.fixture
def in_bucket(project: Project, deliver: Deliver, bucket: str) -> tuple[Project, str]:
    """A project whose two deliveries lie in an object store and were brought here once."""
    deliver("2023-11-03", responses=["R0,2023-10-02,DV,SE"])
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-03,DV,SE"])
    upload(project.raw, bucket)
    there = elsewhere(project, bucket)
    assert len(find_deliveries(there)) == 2
    return elsewhere(project, bucket), bucket


def test_a_new_delivery_is_brought_and_the_others_are_not_again(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    before = {path: path.stat().st_mtime_ns for path in project.raw.rglob("*.csv")}
    new = project.root / "new" / "2024-01-04"
    shutil.copytree(project.root / "data/raw/2023-12-04", new)
    upload(new.parent, bucket)
    again = Project.open(project.root, deliveries=bucket)
    assert [one.name for one in find_deliveries(again)][-1] == "data/raw/2024-01-04"
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_file_changed_there_is_refused_with_its_line(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    path = f"{bucket}/2023-12-04/responses.csv"
    store = fsspec.filesystem("memory")
    store.pipe(path, store.cat(path).replace(b"R2,2023-11-03,DV", b"R2,2023-11-03,GSW"))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    assert f"{bucket}, 2023-12-04/responses.csv: was changed after it was delivered" in str(raised.value)
    assert "line 3 is 'R2,2023-11-03,GSW,SE' and was 'R2,2023-11-03,DV,SE'" in str(raised.value)


def test_what_is_gone_or_added_there_is_refused_all_at_once(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    store = fsspec.filesystem("memory")
    store.rm(f"{bucket}/2023-11-03/reviews.csv")
    store.pipe(f"{bucket}/2023-12-04/voids.csv", b"void_id,voided_date,voided_table,voided_id\n")
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    assert f"{bucket}, 2023-11-03/reviews.csv: was fetched before, and is gone" in str(raised.value)
    assert f"{bucket}, 2023-12-04/voids.csv: was added to its delivery after" in str(raised.value)


@pytest.mark.parametrize("tear", ["edit", "delete", "cut short"])
def test_a_copy_that_was_touched_here_is_brought_again(in_bucket: tuple[Project, str], tear: str) -> None:
    project, bucket = in_bucket
    file = project.raw / "2023-12-04" / "responses.csv"
    was = file.read_bytes()
    if tear == "delete":
        file.unlink()
    else:
        file.write_bytes(was.replace(b"DV", b"GSW") if tear == "edit" else was[:40])
    again = Project.open(project.root, deliveries=bucket)
    assert (deliveries_folder(again) / "2023-12-04" / "responses.csv").read_bytes() == was


def test_what_a_killed_run_left_half_brought_and_what_somebody_put_there_goes(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    half = project.raw / ".partial-x" / "2024-01-04"
    half.mkdir(parents=True)
    (half / "responses.csv").write_text("half", "utf-8")
    added = project.raw / "2023-12-04" / "voids.csv"
    added.write_text("void_id,voided_date,voided_table,voided_id\nV1,2023-12-04,responses,R1\n", "utf-8")
    again = Project.open(project.root, deliveries=bucket)
    assert [one.name for one in find_deliveries(again)] == ["data/raw/2023-11-03", "data/raw/2023-12-04"]
    assert not half.exists()
    assert not added.exists()


def test_what_is_brought_here_never_goes_into_a_repository(in_bucket: tuple[Project, str]) -> None:
    project, _ = in_bucket
    assert (project.raw.parent / ".gitignore").read_text("utf-8") == "*\n"


def test_the_environment_speaks_for_the_project_that_one_is_in_and_for_no_other(
    project: Project, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    shared = tmp_path / "shared"
    shutil.copytree(project.raw, shared)
    deliver("2023-12-05", responses=["R2,2023-11-02,DV,SE"])
    monkeypatch.setenv("VIP_DELIVERIES", str(shared))
    monkeypatch.chdir(project.root)
    assert len(workbench.load()["responses"]) == len(workbench.load(project=".")["responses"]) == 1
    monkeypatch.chdir(tmp_path)
    assert len(workbench.load(project=project.root)["responses"]) == 2


def test_what_was_brought_is_remembered_though_the_record_of_it_is_lost(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    (project.raw / ".brought.json").unlink()
    assert len(find_deliveries(Project.open(project.root, deliveries=bucket))) == 2
    (project.raw / ".brought.json").unlink()
    store = fsspec.filesystem("memory")
    path = f"{bucket}/2023-12-04/responses.csv"
    store.pipe(path, store.cat(path).replace(b"R2,2023-11-03,DV", b"R2,2023-11-03,GSW"))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(Project.open(project.root, deliveries=bucket))
    assert "line 3 is 'R2,2023-11-03,GSW,SE' and was 'R2,2023-11-03,DV,SE'" in str(raised.value)


def test_a_delivery_that_lacks_what_its_checksums_name_is_not_taken(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    store = fsspec.filesystem("memory")
    rows = b"response_id,response_date,incident_type,area_command\n"
    sums = f"{hashlib.sha256(rows).hexdigest()}  responses.csv\n{'0' * 64}  reviews.csv\n"
    store.pipe(f"{bucket}/2024-01-04/responses.csv", rows)
    store.pipe(f"{bucket}/2024-01-04/SHA256SUMS", sums.encode())
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    assert f"{bucket}, 2024-01-04/reviews.csv: is missing, but has a checksum" in str(raised.value)
    store.pipe(f"{bucket}/2024-01-04/SHA256SUMS", sums.splitlines()[0].encode() + b"\n")
    assert len(find_deliveries(Project.open(project.root, deliveries=bucket))) == 3


@pytest.mark.parametrize("name", ["2023-12-04/a\nb.csv", "2023-12-04/deep/responses.csv", "$(id)/x.csv", "=x/y.csv"])
def test_a_name_there_never_becomes_a_path_here(in_bucket: tuple[Project, str], name: str) -> None:
    project, bucket = in_bucket
    fsspec.filesystem("memory").pipe(f"{bucket}/{name}", b"x")
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    assert "cannot be the name of a file or folder" in str(raised.value) or "is not in a delivery" in str(raised.value)
    assert "\nb.csv" not in str(raised.value)


def test_a_misnamed_file_there_is_refused_like_one_here(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    fsspec.filesystem("memory").pipe(f"{bucket}/2024-01-04/response.csv", b"x\n")
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    assert "data/raw/2024-01-04/response.csv: is not a table of this program; did you mean 'responses'" in str(
        raised.value
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://nothing-here/at-all", "is not a folder there"),
        ("s33://bucket/deliveries", "'s33://' is not a known kind of address; did you mean 's3'"),
        ("file:///nowhere/at/all", "is not a folder there"),
        ("zip://x::file:///nowhere.zip", "cannot be read"),
    ],
)
def test_a_place_that_cannot_be_read_is_one_clear_line(project: Project, address: str, said: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(elsewhere(project, address))
    (problem,) = raised.value.problems
    assert said in str(problem)


def test_a_connection_that_is_cut_off_leaves_whole_deliveries_alone(
    in_bucket: tuple[Project, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, bucket = in_bucket
    new = project.root / "new" / "2024-01-04"
    shutil.copytree(project.root / "data/raw/2023-12-04", new)
    upload(new.parent, bucket)
    store = type(fsspec.filesystem("memory"))
    real: Callable[..., Any] = store.get_file

    def cut(self: Any, path: str, target: str, **options: Any) -> Any:
        if path.endswith("reviews.csv"):
            raise ConnectionResetError("the connection was reset")
        return real(self, path, target, **options)

    monkeypatch.setattr(store, "get_file", cut)
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    assert "2024-01-04/reviews.csv: cannot be read: the connection was reset (ConnectionResetError)" in str(
        raised.value
    )
    monkeypatch.undo()
    assert len(find_deliveries(Project.open(project.root, deliveries=bucket))) == 3


def test_the_place_is_asked_once_for_each_opened_project(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    find_deliveries(project)
    fsspec.filesystem("memory").rm(bucket, recursive=True)
    assert len(find_deliveries(project)) == 2
    upload(project.root / "data/raw", bucket)


def test_nothing_is_taken_in_where_deliveries_come_from_an_address(in_bucket: tuple[Project, str]) -> None:
    project, bucket = in_bucket
    file = project.root / "data/raw/2023-12-04/responses.csv"
    day = parse_date("2024-01-04")
    with pytest.raises(IntakeError) as raised, proposed_intake(project, [file], day, day):
        pass
    assert f"{bucket}: is the source of the deliveries" in str(raised.value)


# ---------------------------------------------------------------- a database


def fill(engine: sa.Engine, raw: Path, program: Any, listed: bool = True) -> None:
    """Put the deliveries of a folder into a database, with the types that a database would use for them."""
    kinds: dict[str, Any] = {"date": sa.Date(), "count": sa.Integer(), "flag": sa.Boolean()}
    meta = sa.MetaData()
    here = [folder for folder in sorted(raw.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    came = sa.Table("deliveries", meta, sa.Column("received", sa.Date()), sa.Column("delivery_number", sa.Integer()))
    came.append_column(sa.Column("table_name", sa.String(40)))
    tables: dict[str, sa.Table] = {}
    for name, schema in {**schemas_of(program), VOIDS.name: VOIDS}.items():
        rule = schema.table
        columns: list[sa.Column[Any]] = [sa.Column(rule.id, sa.String(60))]
        columns += [sa.Column(one, kinds.get(kind.type, sa.String(80))) for one, kind in rule.columns.items()]
        columns += [sa.Column("received", sa.Date()), sa.Column("delivery_number", sa.Integer())]
        tables[name] = sa.Table(name, meta, *columns)
    if not listed:
        meta.remove(came)
    meta.create_all(engine)
    with engine.begin() as connection:
        for folder in here:
            day, number = parse_date(folder.name[:10]), int(folder.name[11:] or 1)
            for name, table in tables.items():
                file = folder / f"{name}.csv"
                if not file.is_file():
                    continue
                if listed:
                    connection.execute(came.insert(), {"received": day, "delivery_number": number, "table_name": name})
                with file.open(encoding="utf-8", newline="") as text:
                    rows = [
                        {
                            **{key: typed(table.c[key].type, value) for key, value in row.items()},
                            "received": day,
                            "delivery_number": number,
                        }
                        for row in csv.DictReader(text)
                    ]
                if rows:
                    connection.execute(table.insert(), rows)


def typed(kind: Any, text: str) -> Any:
    if text == "":
        return None
    if isinstance(kind, sa.Date):
        return parse_date(text)
    if isinstance(kind, sa.Boolean):
        return text.casefold() in ("yes", "y", "true", "1")
    return int(text) if isinstance(kind, sa.Integer) else text


@pytest.fixture
def records_db(project: Project, deliver: Deliver, tmp_path: Path) -> tuple[Project, sa.Engine, str]:
    """A project whose two deliveries lie in an SQLite database in its folder."""
    deliver("2023-11-03", responses=["R0,2023-10-02,DV,SE"])
    deliver("2023-12-04", responses=["R1,2023-11-02,DV,SE", "R2,2023-11-03,DV,SE"])
    engine = sa.create_engine(f"sqlite:///{project.root / 'records.db'}")
    fill(engine, project.raw, project.program)
    return elsewhere(project, "sqlite:///records.db"), engine, "sqlite:///records.db"


def test_a_database_gives_the_same_figures_as_the_files(project: Project, demonstration: Edition) -> None:
    engine = sa.create_engine(f"sqlite:///{project.root / 'records.db'}")
    fill(engine, RAW, project.program)
    require_same(load_edition(elsewhere(project, "sqlite:///records.db"), "2023-11"), demonstration)


def test_rows_come_as_a_delivered_file_has_them(records_db: tuple[Project, sa.Engine, str]) -> None:
    project, _, _ = records_db
    assert (deliveries_folder(project) / "2023-12-04" / "responses.csv").read_text("utf-8") == (
        "response_id,response_date,incident_type,area_command\nR1,2023-11-02,DV,SE\nR2,2023-11-03,DV,SE\n"
    )
    # A table that came in without a row is there with its header.
    assert (deliveries_folder(project) / "2023-12-04" / "reviews.csv").read_text("utf-8").count("\n") == 1


def test_an_unlisted_empty_table_is_not_taken_for_delivered(project: Project, deliver: Deliver) -> None:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    engine = sa.create_engine(f"sqlite:///{project.root / 'records.db'}")
    fill(engine, project.raw, project.program, listed=False)
    (only,) = find_deliveries(elsewhere(project, "sqlite:///records.db"))
    assert list(only.files) == ["responses"]


def test_text_in_a_database_is_never_a_formula_nor_another_row(records_db: tuple[Project, sa.Engine, str]) -> None:
    project, engine, address = records_db
    odd = '=1+1,"\nR9,2023-11-02,DV,SE'
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO responses VALUES ('R3', '2023-11-04', :odd, 'SE', '2023-12-04', 2)"), {"odd": odd}
        )
        connection.execute(sa.text("INSERT INTO deliveries VALUES ('2023-12-04', 2, 'responses')"))
    again = Project.open(project.root, deliveries=address)
    tables = workbench.load(project=again, allow_quarantined=True)
    assert len(tables["responses"]) == 3
    assert list(tables.records.quarantine["reason"]) == ["unknown_value"]
    assert list(tables.records.quarantine["file"]) == ["data/raw/2023-12-04-2/responses.csv"]


def test_a_row_changed_in_the_database_is_refused_with_its_line(records_db: tuple[Project, sa.Engine, str]) -> None:
    project, engine, address = records_db
    find_deliveries(project)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE responses SET area_command = 'NE' WHERE response_id = 'R2'"))
        connection.execute(sa.text("DELETE FROM responses WHERE response_id = 'R0'"))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(Project.open(project.root, deliveries=address))
    assert "line 3 is 'R2,2023-11-03,DV,NE' and was 'R2,2023-11-03,DV,SE'" in str(raised.value)
    assert "2023-11-03/responses.csv: was changed after it was delivered: line 2 is gone" in str(raised.value)


def test_missing_tables_and_columns_are_all_named_with_what_comes_nearest(
    records_db: tuple[Project, sa.Engine, str],
) -> None:
    project, engine, _ = records_db
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE responses RENAME COLUMN area_command TO area_comand"))
        connection.execute(sa.text("ALTER TABLE reviews RENAME TO review"))
        connection.execute(sa.text("ALTER TABLE outreach DROP COLUMN received"))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    said = [str(problem) for problem in raised.value.problems]
    assert len(said) == 3
    assert any("responses: the column 'area_command' is missing; did you mean 'area_comand'" in one for one in said)
    assert any("reviews: there is no such table; did you mean 'review'" in one for one in said)
    assert any("outreach: the column 'received' is missing" in one for one in said)


def test_rows_that_do_not_say_when_they_came_are_refused_by_their_id(
    records_db: tuple[Project, sa.Engine, str],
) -> None:
    project, engine, _ = records_db
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE responses SET received = NULL WHERE response_id = 'R1'"))
        connection.execute(sa.text("UPDATE responses SET delivery_number = 0 WHERE response_id = 'R2'"))
        connection.execute(sa.text("UPDATE responses SET received = '2023-11-04' WHERE response_id = 'R0'"))
        connection.execute(sa.text("INSERT INTO deliveries VALUES ('2023-12-04', 1, 'respones')"))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(project)
    said = str(raised.value)
    assert "responses, response_id 'R1': received is missing; every row needs the day on which it was received" in said
    assert "responses, response_id 'R2': delivery_number is '0'" in said
    assert "responses: 1 row is of the delivery 2023-11-04; the table deliveries has no row for" in said
    assert "table_name 'respones': is not a table of this program; did you mean 'responses'" in said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:///nowhere.db", "there is no file 'nowhere.db'"),
        ("postgresql+psycopg://vip:hush-hush@127.0.0.1:1/records", "cannot be read: connection failed"),
        ("mysql+nodriver://vip:hush-hush@127.0.0.1/records", "cannot be read"),
        ("oracle://vip:hush-hush@127.0.0.1/records", "install the package for this kind of address"),
        ("postgresql+psycopg://vip:hush@127.0.0.1:port/records", "cannot be read"),
        (
            "postgres://vip:hush@127.0.0.1/records",
            "'postgres://' is not a known kind of address; did you mean 'postgresql'",
        ),
    ],
)
def test_a_database_that_is_not_there_is_one_clear_line_without_its_password(
    project: Project, address: str, said: str
) -> None:
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(elsewhere(project, address))
    (problem,) = raised.value.problems
    assert said in str(problem)
    assert "hush" not in str(raised.value)


def test_a_file_that_is_no_database_is_one_clear_line(project: Project) -> None:
    (project.root / "records.db").write_text("this is no database at all\n" * 50, "utf-8")
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(elsewhere(project, "sqlite:///records.db"))
    (problem,) = raised.value.problems
    assert "sqlite:///records.db: cannot be read: file is not a database" in str(problem)


# ---------------------------------------------------------------- PostgreSQL, where there is a server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of an empty database on a real server: one that is named, or one of our own."""
    if named := os.environ.get("VIP_TEST_POSTGRES"):
        # Never in a database that holds anything: in one of our own beside it.
        server = sa.create_engine(named, isolation_level="AUTOCOMMIT")
        name = f"vip_test_{uuid.uuid4().hex}"
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield sa.make_url(named).set(database=name).render_as_string(hide_password=False)
        finally:
            with server.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip(
            "there is no PostgreSQL here; Debian's package postgresql brings one, or VIP_TEST_POSTGRES names it"
        )
    programs = found[-1].parent
    # The server never runs as root, and no other user gets into the folders of these tests.
    place = Path(tempfile.mkdtemp(prefix="vip-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(place, "postgres")
    data = place / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run(*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "vip", "--no-sync")
    options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
    start = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-l", str(place / "log"), "-w"]
    run(*start, "-o", options, "start")
    try:
        yield f"postgresql+psycopg://vip:hush-hush@127.0.0.1:{port}/postgres"
    finally:
        run(*as_user, str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(place)


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}\n{done.stderr}"


def test_postgresql_gives_the_same_figures_as_the_files(
    postgres: str, project: Project, demonstration: Edition
) -> None:
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    fill(engine, RAW, project.program)
    require_same(load_edition(elsewhere(project, postgres), "2023-11"), demonstration)


def test_postgresql_that_lacks_a_table_is_one_clear_line(postgres: str, project: Project) -> None:
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
        connection.execute(sa.text('CREATE TABLE "Responses" (response_id text)'))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(elsewhere(project, postgres))
    assert "responses: there is no such table; did you mean 'Responses'" in str(raised.value)
    assert "hush" not in str(raised.value)
    wrong = elsewhere(project, postgres.replace("/postgres", "/nowhere"))
    with pytest.raises(DeliveryError) as raised:
        find_deliveries(wrong)
    assert 'database "nowhere" does not exist' in str(raised.value)


# ---------------------------------------------------------------- what must stay secret


@pytest.mark.parametrize(
    ("address", "secrets", "shown"),
    [
        ("s3://bucket/raw", [], "s3://bucket/raw"),
        ("postgresql://vip:p%40ss@host/db", ["p%40ss", "p@ss"], "postgresql://host/db"),
        ("https://host/raw?sig=abc&x=1", ["abc"], "https://host/raw"),
        ("postgresql://vip:a/b?c#d@e@host/db", ["a/b?c#d@e"], "postgresql://host/db"),
        (
            "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Dhush",
            ["DRIVER%3DX%3BPWD%3Dhush", "DRIVER=X;PWD=hush"],
            "mssql+pyodbc:///",
        ),
        ("zip://x::sftp://me:hush@host/all.zip", ["hush"], "zip://x::sftp://host/all.zip"),
        ("s3://bucket/a@b/raw", [], "s3://bucket/a@b/raw"),
        ("sftp://me@host/raw", [], "sftp://host/raw"),
        ("data/raw", [], "data/raw"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, secrets: list[str], shown: str) -> None:
    assert secrets_in(address) == secrets
    assert shown_address(address) == shown
    said = without_secrets(f"no answer from {address} ({' '.join(secrets)})", address)
    assert not any(secret in said for secret in secrets)


def test_a_letter_of_a_password_is_not_taken_out_of_every_word() -> None:
    said = without_secrets("no answer: refused", "postgresql://vip:e@rest-of-it@host/db")
    assert said == "no answer: refused"
    assert without_secrets("host 'rest-of-it@host'", "postgresql://vip:e@rest-of-it@host/db") == "host '***@host'"


def test_another_password_leads_to_the_same_place() -> None:
    assert place_of("postgresql://vip:old@host/db?sslmode=require") == place_of(
        "postgresql://me:new@host/db?sslmode=require"
    )
    assert place_of("postgresql://vip@host/db") != place_of("postgresql://vip@host/other")


def test_another_driver_or_spelling_leads_to_the_same_copy(project: Project) -> None:
    def place(address: str) -> str:
        source = elsewhere(project, address).source
        assert source is not None
        return source._place()

    assert place("postgresql+psycopg://vip:a@host/db") == place("postgresql://other:b@host/db?sslmode=require")
    assert place("sqlite:///records.db") == place(f"sqlite:///{project.root}/records.db?timeout=5")
    assert place("s3://bucket/raw/") == place("s3://bucket/raw")
    assert place("s3://bucket/raw") != place("s3://bucket/other")


def test_a_password_in_program_toml_is_refused_without_repeating_it(project: Project) -> None:
    toml = project.root / "program.toml"
    text = toml.read_text("utf-8")
    toml.write_text(text.replace("[program]", '[program]\ndeliveries = "postgresql://vip:hush@host/db"', 1), "utf-8")
    with pytest.raises(ProgramError) as raised:
        read_program(toml)
    assert "VIP_DELIVERIES" in str(raised.value)
    assert "hush" not in str(raised.value)
