from __future__ import annotations

import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viputils.records.checksums import CHECKSUMS, changed_lines, checksum_problems, source_checksums, write_checksums

SOURCE = "a" * 64


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "2023-12-04"
    folder.mkdir()
    for name in ("responses.csv", "outreach.csv"):
        (folder / name).write_text(f"{name}\n", encoding="utf-8")
    write_checksums(folder, [SOURCE])
    return folder


def said(folder: Path) -> list[str]:
    return [f"{problem.where} {problem.what}" for problem in checksum_problems(folder, "data/raw/2023-12-04")]


def test_a_delivery_as_it_was_written_has_no_problem(delivery: Path) -> None:
    assert said(delivery) == []
    assert source_checksums(delivery) == [SOURCE]


def test_an_edited_a_missing_and_an_added_file_are_each_found(delivery: Path) -> None:
    (delivery / "responses.csv").write_text("responses.csv \n", encoding="utf-8")
    (delivery / "outreach.csv").unlink()
    (delivery / "voids.csv").touch()
    assert said(delivery) == [
        "data/raw/2023-12-04/outreach.csv is missing, but has a checksum;",
        "data/raw/2023-12-04/responses.csv was edited after it was delivered;",
        "data/raw/2023-12-04/voids.csv was added to the delivery later;",
    ]


def test_a_torn_file_of_checksums_is_found(delivery: Path) -> None:
    path = delivery / CHECKSUMS
    path.write_text(path.read_text(encoding="utf-8")[:-30], encoding="utf-8")
    assert said(delivery)[0].startswith("data/raw/2023-12-04/SHA256SUMS, line 3 is not a checksum")
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in said(delivery)[0]


def test_a_delivery_without_checksums_has_nothing_to_be_checked_against(delivery: Path) -> None:
    (delivery / CHECKSUMS).unlink()
    assert said(delivery) == []
    assert source_checksums(delivery) == []


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_tool_of_that_name_can_check_it(delivery: Path) -> None:
    check = ["sha256sum", "--check", "--strict", CHECKSUMS]
    assert subprocess.run(check, cwd=delivery, capture_output=True, check=False).returncode == 0
    (delivery / "responses.csv").write_text("edited\n", encoding="utf-8")
    assert subprocess.run(check, cwd=delivery, capture_output=True, check=False).returncode == 1


def test_two_checksums_of_one_file_are_found(delivery: Path) -> None:
    path = delivery / CHECKSUMS
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{'0' * 64}  responses.csv\n")
    assert "has another checksum for responses.csv" in said(delivery)[0]


# ---------------------------------------------------------------- what was edited, where git knows it


def changes(was: list[str], now: list[str]) -> list[str]:
    as_bytes = ["".join(f"{line}\n" for line in lines).encode() for lines in (was, now)]
    return [str(change) for change in changed_lines(*as_bytes)]


def test_lines_that_were_changed_added_and_taken_away_are_named_with_what_they_were() -> None:
    was = ["id,kind", "R1,HOM", "R2,SUI", "R3,DV", "R4,DV"]
    assert changes(was, ["id,kind", "R1,HOM", "R2,HOM", "R3,DV", "R4,DV"]) == ["line 3 is 'R2,HOM' and was 'R2,SUI'"]
    assert changes(was, ["id,kind", "R1,HOM", "R3,DV", "R4,DV", "R5,DV"]) == [
        "line 3 is gone, and was 'R2,SUI'",
        "line 5 was added: 'R5,DV'",
    ]
    assert changes(was, was) == []
    assert changed_lines(b"id\r\nR1\r\n", b"id\nR1") == []


def test_a_long_file_that_was_changed_in_many_places_is_compared_quickly_and_by_the_ids_of_its_rows() -> None:
    was = [f"R{number},2023-11-02,HOM" for number in range(100_000)]
    now = [line.replace("HOM", "SUI") if place % 2 else line for place, line in enumerate(was)]
    begun = time.perf_counter()
    found = changes(was, now[:5] + now[6:] + ["R100000,2023-11-02,HOM"])
    assert time.perf_counter() - begun < 5
    assert len(found) == 50_001
    assert found[:2] == [
        "line 2 is 'R1,2023-11-02,SUI' and was 'R1,2023-11-02,HOM'",
        "line 4 is 'R3,2023-11-02,SUI' and was 'R3,2023-11-02,HOM'",
    ]
    assert "line 6 is gone, and was 'R5,2023-11-02,HOM'" in found
    assert found[-1] == "line 100000 was added: 'R100000,2023-11-02,HOM'"


LINES = st.lists(st.sampled_from(["a", "b", "c,1", "c,2", ""]), max_size=12)


@given(was=LINES, now=LINES)
def test_with_the_changed_lines_one_text_becomes_the_other(was: list[str], now: list[str]) -> None:
    as_bytes = ["".join(f"{line}\n" for line in lines).encode() for lines in (was, now)]
    found = changed_lines(*as_bytes)
    # Whatever the order: the lines that came and went are what the texts differ in.
    before, after = (Counter(lines or [""]) for lines in (was, now))
    after.subtract(change.now for change in found if change.now is not None)
    before.subtract(change.was for change in found if change.was is not None)
    assert +before == +after
    assert min([*before.values(), *after.values()]) >= 0
    assert all(change.now is None or now[change.line - 1] == change.now for change in found if now)


@pytest.fixture
def kept_in_git(delivery: Path) -> Path:
    (delivery / "responses.csv").write_text("id,kind\nR1,HOM\nR2,SUI\n", encoding="utf-8")
    write_checksums(delivery, [SOURCE])
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "in"]):
        subprocess.run(["git", *command], cwd=delivery, check=True, capture_output=True)
    return delivery


def test_an_edited_file_says_which_lines_were_changed_where_git_keeps_it(kept_in_git: Path) -> None:
    path = kept_in_git / "responses.csv"
    path.write_text("id,kind\nR1,HOM\nR2,HOM\n", encoding="utf-8")
    edited = "data/raw/2023-12-04/responses.csv was edited after it was delivered"
    assert said(kept_in_git) == [f"{edited}: line 3 is 'R2,HOM' and was 'R2,SUI';"]
    path.write_text("id,kind\n" + "".join(f"N{number},DV\n" for number in range(9)), encoding="utf-8")
    (only,) = said(kept_in_git)
    assert "line 2 is 'N0,DV' and was 'R1,HOM'; " in only
    assert only.endswith("; and 4 more;")
    path.write_bytes(b"id,kind\r\nR1,HOM\r\nR2,SUI\r\n")
    assert said(kept_in_git) == [f"{edited}: its line ends were changed;"]
    path.write_text("id,kind\nR2,SUI\nR1,HOM\n", encoding="utf-8")
    assert "is gone" in said(kept_in_git)[0]


def test_a_commit_that_does_not_hold_what_was_delivered_is_not_asked(kept_in_git: Path) -> None:
    path = kept_in_git / "responses.csv"
    path.write_text("id,kind\nR1,HOM\nR2,HOM\n", encoding="utf-8")
    commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "edited"]
    subprocess.run(["git", *commit], cwd=kept_in_git, check=True, capture_output=True)
    assert said(kept_in_git) == ["data/raw/2023-12-04/responses.csv was edited after it was delivered;"]
