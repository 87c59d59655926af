"""A private folder goes with the process that made it; what a killed one left goes with the next."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from viputils.folders import private_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is cleared away on Windows")

HOLDS_ONE = """
import sys
from viputils.folders import private_folder
with private_folder("kernel") as folder:
    (folder / "records").write_text("of people")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def holder() -> tuple[subprocess.Popen[str], Path]:
    """Start a process that holds a private folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().rstrip("\n"))


def test_a_private_folder_is_open_to_its_user_alone_and_gone_at_the_end(place: Path) -> None:
    with private_folder("kernel") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "records").write_text("of people", encoding="utf-8")
    assert not list(place.iterdir())


def test_what_a_killed_process_left_is_cleared_away_by_the_next_one() -> None:
    process, left = holder()
    process.kill()
    process.communicate()
    assert (left / "records").is_file()
    with private_folder("site"):
        assert not left.exists()


def test_what_somebody_holds_stays() -> None:
    process, folder = holder()
    with private_folder("kernel") as own, private_folder("kernel"):
        assert own.is_dir()
        assert (folder / "records").is_file()
    process.communicate()
    assert process.returncode == 0
    assert not folder.exists()


def test_what_is_not_ours_stays_whatever_it_is_called(place: Path) -> None:
    (place / "vip-of-somebody").mkdir()
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / ".held").touch()
    (place / "vip-link").symlink_to(place / "elsewhere")
    with private_folder("kernel"):
        pass
    assert sorted(path.name for path in place.iterdir()) == ["elsewhere", "vip-link", "vip-of-somebody"]
    assert (place / "elsewhere" / ".held").exists()
