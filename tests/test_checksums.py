from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from viputils.checksums import CHECKSUMS, checksum_problems, source_checksums, write_checksums

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
        "data/raw/2023-12-04/outreach.csv is missing, and its checksum is there;",
        "data/raw/2023-12-04/responses.csv was edited after it was delivered;",
        "data/raw/2023-12-04/voids.csv was added to the delivery later;",
    ]


def test_a_torn_file_of_checksums_is_found(delivery: Path) -> None:
    path = delivery / CHECKSUMS
    path.write_text(path.read_text(encoding="utf-8")[:-30], encoding="utf-8")
    assert said(delivery)[0].startswith("data/raw/2023-12-04/SHA256SUMS, line 3 is no checksum")
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
    assert "gives responses.csv another checksum" in said(delivery)[0]
