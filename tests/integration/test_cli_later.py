"""`vip check`, `vip revisions` and every other command once a later delivery is here."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from tests.support.command import vip
from tests.support.projects import REPOSITORY, copy_of_the_repository, without_manifests

RESPONSES = "response_id,response_date,incident_type,area_command\n"
VOIDS = "void_id,voided_date,voided_table,voided_id\n"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The repository's project, with a January delivery that corrects, withdraws and adds responses of November."""
    root = copy_of_the_repository(tmp_path / "a project")
    later = root / "data" / "raw" / "2024-01-04"
    later.mkdir()
    november = (root / "data" / "raw" / "2023-12-04" / "responses.csv").read_text(encoding="utf-8").splitlines()
    of_month = [line.split(",")[0] for line in november if ",2023-11-" in line]
    rows = f"{of_month[0]},2023-11-02,Homicide,SE\nDEMO-R-900000,2023-11-30,Suicide,NE\n"
    (later / "responses.csv").write_text(RESPONSES + rows, encoding="utf-8")
    (later / "voids.csv").write_text(f"{VOIDS}DEMO-V-900000,2024-01-04,responses,{of_month[1]}\n", encoding="utf-8")
    return root


@pytest.mark.whole_issues
def test_an_issue_verifies_as_before_with_a_later_delivery_present(city: Path) -> None:
    done = vip("verify", "2023-11", "--as-of", "2023-12-04", "--project", str(city))
    assert done.returncode == 0
    assert "28 of 28 figures reproduced." in done.stdout
    # Against what is known now it is as it was printed, too; and says which figures were revised since.
    done = vip("verify", "2023-11", "--csv", "--project", str(city))
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["verdict"] for row in rows} == {"reproduced", "revised since"}
    assert all(row["published"] == row["recomputed"] for row in rows)
    homicides = next(row for row in rows if (row["category"], row["period"]) == ("Homicide", "month"))
    assert (homicides["verdict"], homicides["change"]) == ("revised since", "1")
    # Without a manifest the print is judged by the rules and the code that are here.
    without_manifests(city / "data" / "published")
    now = vip("verify", "2023-11", "--as-of", "2024-01-04", "--project", str(city))
    assert now.returncode == 1, "as of January the printed figures are no longer those of the records"


@pytest.mark.exhaustive
def test_revisions_are_printed_for_people_and_as_json_and_csv(city: Path) -> None:
    text = vip("revisions", "2023-11", "--project", str(city))
    assert text.returncode == 0, text.stderr
    assert "November 2023, from 2023-12-04 to 2024-01-04:" in text.stdout
    assert "responses DEMO-R-900000: received (data/raw/2024-01-04/responses.csv, line 3)" in text.stdout
    assert "withdrawn by a void (data/raw/2024-01-04/voids.csv, line 2)" in text.stdout
    as_json = json.loads(vip("revisions", "2023-11", "--json", "--project", str(city)).stdout)
    assert (as_json["from"], as_json["to"]) == ("2023-12-04", "2024-01-04")
    # One came and one went.
    assert not [row for row in as_json["figures"] if row["measure"] == "responses"]
    assert {row["change"] for row in as_json["figures"] if row["category"] == "Homicide"} == {1}
    rows = list(csv.DictReader(io.StringIO(vip("revisions", "2023-11", "--csv", "--project", str(city)).stdout)))
    assert len(rows) == len(as_json["records"])
    assert {row["id"] for row in rows} >= {"DEMO-R-900000"}


def test_revisions_between_two_days_on_which_nothing_came_say_so(city: Path) -> None:
    done = vip("revisions", "2023-11", "--from", "2023-12-04", "--to", "2024-01-03", "--project", str(city))
    assert (done.returncode, done.stdout) == (0, "November 2023, from 2023-12-04 to 2024-01-03: no figure changed.\n")
    backwards = vip("revisions", "2023-11", "--from", "2024-01-04", "--to", "2023-12-04", "--project", str(city))
    assert backwards.returncode == 2
    assert "run backwards" in backwards.stderr
    future = vip("revisions", "2023-11", "--to", "2999-01-01", "--project", str(city))
    assert future.returncode == 2
    assert "--to: 2999-01-01 has not come yet" in future.stderr


def test_check_has_an_exit_code_and_lists_what_is_to_be_done(city: Path) -> None:
    clean = vip("check", "--project", str(city))
    assert clean.returncode == 0
    assert "No problems were found." in clean.stdout
    worse = city / "data" / "raw" / "2024-01-05"
    worse.mkdir()
    (worse / "responses.csv").write_text(RESPONSES + "DEMO-R-900001,2023-11-03,=1+1,Vally\n", encoding="utf-8")
    found = vip("check", "--project", str(city))
    assert found.returncode == 1
    assert "Valley" in found.stdout
    assert "1 quarantined" in found.stdout
    # As of a day before it came there is nothing, and the November issue is not touched by it.
    assert vip("check", "--as-of", "2024-01-04", "--project", str(city)).returncode == 0
    assert vip("check", "2023-11", "--project", str(city)).returncode == 0


def test_check_writes_rejects_as_csv_that_no_spreadsheet_computes(city: Path) -> None:
    worse = city / "data" / "raw" / "2024-01-05"
    worse.mkdir()
    (worse / "responses.csv").write_text(RESPONSES + "DEMO-R-900001,2023-11-03,=1+1,SE\n", encoding="utf-8")
    done = vip("check", "--csv", "--project", str(city))
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert done.returncode == 1
    assert (row["file"], row["line"], row["field"]) == ("data/raw/2024-01-05/responses.csv", "2", "incident_type")
    assert (row["reason"], row["value"]) == ("unknown_value", "'=1+1")
    as_json = json.loads(vip("check", "--json", "--project", str(city)).stdout)
    assert as_json["rejects"][0]["value"] == "=1+1"


def test_a_file_edited_after_it_was_delivered_stops_a_report_and_is_found_by_check(tmp_path: Path) -> None:
    root = tmp_path / "a project"
    shutil.copytree(REPOSITORY / "data", root / "data", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(REPOSITORY / "program.toml", root)
    without_manifests(root / "data" / "published")
    edited = root / "data" / "raw" / "2023-10-04" / "responses.csv"
    edited.write_bytes(edited.read_bytes().replace(b",2023-09-", b",2023-08-", 1))
    for command in (["figures", "2023-11"], ["verify", "2023-11"], ["report", "2023-11"]):
        done = vip(*command, "--project", str(root))
        assert done.returncode == 2
        assert "data/raw/2023-10-04/responses.csv: was edited after it was delivered" in done.stderr
    check = vip("check", "--project", str(root))
    assert check.returncode == 1
    assert "data/raw/2023-10-04/responses.csv: was edited" in check.stdout
    assert vip("check", "--as-of", "2023-09-30", "--project", str(root)).returncode == 0


def test_check_says_with_its_own_exit_code_that_it_cannot_tell(tmp_path: Path) -> None:
    assert vip("check", "--project", str(tmp_path)).returncode == 2
    assert vip("check", "--json", "--csv", "--project", str(REPOSITORY)).returncode == 2
