"""What is published confirms no guess at a record, and a person who holds the records can check it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.pages import PlainEngine
from tests.support.projects import HEADERS, Deliver
from tests.support.register import APPROVER, NOVEMBER, published_here
from viputils.audit.health import check_project
from viputils.audit.manifest import (
    added_deliveries,
    changed_inputs,
    inputs_of,
    read_manifest,
    require_deliveries,
)
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError
from viputils.intake.proposal import Proposal, proposed_intake
from viputils.publish.publication import publish
from viputils.publish.site.build import make_site
from viputils.records.checksums import checksum, checksum_problems, salt_of, write_checksums
from viputils.records.deliveries import find_deliveries

NEW_YEAR = dt.date(2024, 1, 4)
CORRECTED = "data/raw/2024-01-04/responses.csv"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def taken_in(project: Project, row: str, received: dt.date = NEW_YEAR) -> Path:
    """Take in a correction of one row, as an agency sends it."""
    file = project.root / "correction.csv"
    file.write_text(f"{HEADERS['responses']}\n{row}\n", encoding="utf-8")
    with proposed_intake(project, [file], received, received) as proposal:
        assert isinstance(proposal, Proposal)
        return proposal.accept()


def test_nobody_finds_a_correction_of_one_row_by_trying_every_row_that_is_likely(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-12-04", responses=["R7,2023-11-06,DV/Sexual Assault,Southeast"])
    folder = taken_in(project, "R7,2023-11-06,Homicide,Southeast")
    listed = inputs_of(project, NOVEMBER, NEW_YEAR, {}).deliveries[CORRECTED]
    content = (folder / "responses.csv").read_bytes()
    vocabularies = project.program.vocabularies
    likely = itertools.product(
        (f"R{number}" for number in range(1, 21)),
        (f"2023-11-{day:02}" for day in range(1, 31)),
        vocabularies["incident_type"],
        vocabularies["area_command"],
    )
    guesses = {sha256(f"{HEADERS['responses']}\n{','.join(row)}\n".encode()) for row in likely}
    assert len(guesses) > 10_000
    assert sha256(content) in guesses, "the row is among those that are tried"
    assert listed not in guesses
    # The salt lies with the records, so a person who holds them can check what the manifest lists.
    (salt,) = (line.removeprefix("# salt ") for line in sums(folder) if line.startswith("# salt "))
    assert listed == hmac.new(bytes.fromhex(salt), content, hashlib.sha256).hexdigest()


def sums(folder: Path) -> list[str]:
    return (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()


def test_each_delivery_has_a_salt_of_its_own_and_its_checksums_are_checked_as_before(
    project: Project, deliver: Deliver
) -> None:
    deliver("2023-12-04")
    first, second = (taken_in(project, f"R{day},2023-11-06,DV,SE", dt.date(2024, 1, day)) for day in (4, 5))
    assert len({salt_of(first), salt_of(second)}) == 2
    assert len(salt_of(first)) == 64
    assert checksum_problems(first, "x") == []
    if tool := shutil.which("sha256sum"):
        assert subprocess.run([tool, "--check", "--strict", "SHA256SUMS"], cwd=first, check=False).returncode == 0


@pytest.mark.whole_issues
def test_nothing_that_is_published_holds_a_salt_or_a_checksum_that_confirms_a_guess(
    artifacts: Artifacts, tmp_path: Path, plain_pages: None
) -> None:
    root = shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town")
    assert vip("seal", cwd=root).returncode == 0
    town = Project.open(root)
    taken_in(town, "DEMO-R1,2023-11-02,Homicide,SE", dt.date(2023, 12, 3))
    make_site(town, PlainEngine(), "https://vip.example/", NOVEMBER)
    publish(town, NOVEMBER, dt.date(2023, 12, 5), APPROVER)
    secrets = [salt_of(one.folder) for one in find_deliveries(town)]
    secrets += [checksum(path) for one in find_deliveries(town) for path in one.lying]
    assert all(secrets)
    places = [path for place in ("_site", "issues", "data/published") for path in (root / place).rglob("*")]
    public = b"".join(path.read_bytes() for path in places if path.is_file() and "2023-10" not in path.parts)
    assert b"data/raw/2023-12-03/responses.csv" in public
    assert [secret for secret in secrets if secret.encode() in public] == []


def test_the_same_records_give_the_same_manifest(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    deliver("2023-12-04")
    taken_in(project, "R7,2023-11-06,Homicide,Southeast")
    copy = Project.open(shutil.copytree(project.root, tmp_path / "a copy"))
    here, there = (inputs_of(one, NOVEMBER, NEW_YEAR, {}).deliveries for one in (project, copy))
    assert here == there


# ---------------------------------------------------------------- manifests, old and new


@pytest.fixture
def city(whole_project: Project, deliver: Deliver) -> Project:
    deliver("2023-12-04", responses=["R1,2023-11-06,DV,SE"])
    return whole_project


def test_a_manifest_from_before_the_salt_is_still_read_and_checked(city: Project) -> None:
    issue = published_here(city)
    assert issue.manifest is not None
    raw = json.loads(issue.manifest.read_text(encoding="utf-8"))
    issue.manifest.write_text(json.dumps({**raw, "manifest_version": 1}), encoding="utf-8")
    plain = read_manifest(issue.manifest)
    assert plain.inputs.deliveries["data/raw/2023-12-04/responses.csv"] == checksum(
        city.raw / "2023-12-04" / "responses.csv"
    )
    assert vip("seal", cwd=city.root).stdout.splitlines()[0] == "Sealed: data/raw/2023-12-04"
    assert changed_inputs(city, plain) == added_deliveries(city, plain) == []
    require_deliveries(city, plain, "manifest.json")
    rows = city.raw / "2023-12-04" / "responses.csv"
    rows.write_text(rows.read_text(encoding="utf-8").replace("DV", "Suicide"), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"2023-12-04/responses\.csv: is not the file that manifest\.json names"):
        require_deliveries(city, plain, "manifest.json")


def test_with_the_salt_an_edit_is_found_and_without_it_nobody_can_tell(city: Project) -> None:
    vip("seal", cwd=city.root)
    issue = published_here(city)
    assert issue.manifest is not None
    manifest = read_manifest(issue.manifest)
    assert manifest.manifest_version == 2
    rows, checks = (city.raw / "2023-12-04" / name for name in ("responses.csv", "SHA256SUMS"))
    before = rows.read_bytes()
    rows.write_bytes(before.replace(b"DV", b"Suicide"))
    assert [change.name for change in changed_inputs(city, manifest)] == ["data/raw/2023-12-04/responses.csv"]
    rows.write_bytes(before)
    assert changed_inputs(city, manifest) == []
    write_checksums(checks.parent, [])
    with pytest.raises(ManifestError, match="or its salt is gone from SHA256SUMS"):
        require_deliveries(city, manifest, "manifest.json")


@pytest.mark.whole_issues
def test_an_issue_made_again_elsewhere_lists_the_same_deliveries(
    artifacts: Artifacts, tmp_path: Path, plain_pages: None
) -> None:
    root = shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town")
    vip("seal", cwd=root)
    assert vip("backfill", "2023-11", "2023-11", "--engine", "embedded", cwd=root).returncode == 0
    kept = tmp_path / "kept"
    done = vip("reproduce", "2023-11", "--keep", str(kept), cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    made, again = (read_manifest(folder / "manifest.json") for folder in (root / "issues" / "2023-11", kept))
    assert again.inputs.deliveries == made.inputs.deliveries
    salted = made.inputs.deliveries["data/raw/2023-12-04/responses.csv"]
    assert salted != checksum(root / "data/raw/2023-12-04/responses.csv")


# ---------------------------------------------------------------- deliveries without a salt


@pytest.mark.whole_issues
def test_real_records_without_a_salt_are_neither_published_nor_put_online(city: Project, plain_pages: None) -> None:
    done = vip("report", "2023-11", "--engine", "embedded", cwd=city.root)
    assert done.returncode == 0, done.stderr
    assert "WARNING: data/raw/2023-12-04 has no salt" in done.stderr
    assert "Run vip seal, and make the issues again." in done.stderr
    with pytest.raises(ManifestError, match="data/raw/2023-12-04: has checksums without a salt"):
        publish(city, NOVEMBER, dt.date(2023, 12, 5), APPROVER)
    with pytest.raises(DeliveryError, match="data/raw/2023-12-04: has no salt; run vip seal"):
        make_site(city, PlainEngine(), since=NOVEMBER)
    assert not city.site.exists()
    assert vip("seal", cwd=city.root).returncode == 0
    done = vip("report", "2023-11", "--engine", "embedded", cwd=city.root)
    assert "WARNING: data/raw" not in done.stderr
    publish(city, NOVEMBER, dt.date(2023, 12, 5), APPROVER)


def test_check_says_how_to_add_a_salt(project: Project, deliver: Deliver) -> None:
    write_checksums(deliver("2023-12-04", responses=["R1,2023-11-06,DV,SE"]), [])
    (note,) = check_project(project).notes
    assert "data/raw/2023-12-04 has no salt" in note
    assert "vip seal" in note
    assert vip("seal", cwd=project.root).stdout.splitlines()[0] == "Sealed: data/raw/2023-12-04"
    assert check_project(project).notes == ()
    assert check_project(project).clean
    assert vip("seal", cwd=project.root).stdout == "Every delivery already has a salt.\n"


def test_demonstration_records_need_no_salt(project: Project, deliver: Deliver) -> None:
    write_checksums(deliver("2023-12-04", responses=["DEMO-R1,2023-11-06,DV,SE"]), [])
    assert check_project(project).notes == ()


def test_a_seal_keeps_what_the_checksums_say(project: Project, deliver: Deliver) -> None:
    folder = deliver("2023-12-04", responses=["R1,2023-11-06,DV,SE"])
    write_checksums(folder, ["a" * 64])
    before = sums(folder)
    (folder / "responses.csv").write_text("edited\n", encoding="utf-8")
    vip("seal", cwd=project.root)
    assert sums(folder)[1:] == before
    assert "was edited" in str(check_project(project).problems[0])


# ---------------------------------------------------------------- an address, and a database


def test_a_salt_comes_with_the_delivery_from_an_address(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    deliver("2023-12-04")
    vip("seal", cwd=project.root)
    taken_in(project, "R7,2023-11-06,Homicide,Southeast")
    here = inputs_of(project, NOVEMBER, NEW_YEAR, {}).deliveries
    shared = tmp_path / "shared"
    project.raw.rename(shared)
    there = Project.open(project.root, deliveries=f"file://{shared}")
    assert inputs_of(there, NOVEMBER, NEW_YEAR, {}).deliveries == here
    (shared / "2023-12-04" / "SHA256SUMS").write_text("# salt " + "0" * 64 + "\n", encoding="utf-8")
    with pytest.raises(DeliveryError, match="2023-12-04/SHA256SUMS: was changed after it was delivered"):
        find_deliveries(Project.open(project.root, deliveries=f"file://{shared}"))


def test_deliveries_at_an_address_are_not_sealed_here(
    project: Project, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver("2023-12-04")
    shared = tmp_path / "shared"
    project.raw.rename(shared)
    monkeypatch.setenv("VIP_DELIVERIES", f"file://{shared}")
    done = vip("seal", cwd=project.root)
    assert done.returncode == 2
    assert "see docs/deliveries.md" in done.stderr
    assert not (shared / "2023-12-04" / "SHA256SUMS").exists()


def test_a_database_holds_the_salt_of_each_delivery(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-06,DV,SE"])
    salt = "5a" * 32
    path = project.root / "records.db"
    with sqlite3.connect(path) as database:
        for table in project.program.tables:
            columns = ", ".join(f"{name} TEXT" for name in (*HEADERS[table].split(","), "received"))
            database.execute(f"CREATE TABLE {table} ({columns})")
        database.execute("INSERT INTO responses VALUES ('R1', '2023-11-06', 'DV', 'SE', '2023-12-04')")
        database.execute("CREATE TABLE deliveries (received TEXT, table_name TEXT, salt TEXT)")
        came = [("2023-12-04", table, salt if table == "responses" else None) for table in project.program.tables]
        database.executemany("INSERT INTO deliveries VALUES (?, ?, ?)", came)
    there = Project.open(project.root, deliveries="sqlite:///records.db")
    (delivery,) = find_deliveries(there)
    assert salt_of(delivery.folder) == salt
    assert checksum_problems(delivery.folder, "x") == []
    listed = inputs_of(there, NOVEMBER, dt.date(2023, 12, 4), {}).deliveries["data/raw/2023-12-04/responses.csv"]
    content = (delivery.folder / "responses.csv").read_bytes()
    assert listed == hmac.new(bytes.fromhex(salt), content, hashlib.sha256).hexdigest()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE deliveries SET salt = 'x' WHERE table_name = 'reviews'")
        database.execute("UPDATE deliveries SET salt = ? WHERE table_name = 'outreach'", ("6b" * 32,))
    with pytest.raises(DeliveryError) as refusal:
        find_deliveries(Project.open(project.root, deliveries="sqlite:///records.db"))
    assert "salt is not a salt; a salt has 64 hexadecimal digits" in str(refusal.value)
    assert "2023-12-04 has another salt in another row" in str(refusal.value)
