"""What a folder holds. A private one goes with the process that made it; what a killed one left goes with the next."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from viputils.core.errors import FolderError, ParameterError
from viputils.core.files import (
    copy_files,
    files_below,
    held,
    matplotlib_settings,
    private_folder,
    put_in_place,
    replaced_whole,
    staged_folder,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is cleared away on Windows")

HOLDS_ONE = """
import sys
from viputils.core.files import private_folder
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


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def below(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_below(folder)]


def test_every_file_of_a_folder_is_found_in_order_but_hidden_ones(place: Path) -> None:
    folder = tree(place / "theme", "b/c", "b/a", "a", "b/.hidden", ".git/config", "z/.b/c")
    assert below(folder) == ["a", "b/a", "b/c"]
    assert below(place / "none") == []


def test_what_a_link_leads_to_is_found_under_every_name_and_no_link_leads_round(place: Path) -> None:
    other = tree(place / "other", "x", "deep/y")
    folder = tree(place / "theme", "a")
    for name in ("two", "one"):
        (folder / name).symlink_to(other)
    (other / "deep" / "up").symlink_to(other)
    (folder / "self").symlink_to(folder)
    (folder / "file").symlink_to(other / "x")
    (folder / "gone").symlink_to(other / "nothing")
    assert below(folder) == ["a", "file", "one/deep/y", "one/x", "two/deep/y", "two/x"]


@pytest.mark.exhaustive
def test_links_that_make_very_many_folders_of_few_are_refused(place: Path) -> None:
    for one in "abcdefgh":
        tree(place / "theme", f"{one}/x")
        for other in "abcdefgh":
            (place / "theme" / one / other).symlink_to(place / "theme" / other)
    with pytest.raises(
        FolderError, match="theme: contains links to more than 1,000 folders, or links that lead in circles"
    ):
        files_below(place / "theme")


def test_a_folder_can_hold_any_number_of_folders_of_its_own(place: Path) -> None:
    """Such as those of deliveries that came every day for years."""
    names = [f"{number:04}/x" for number in range(1_100)]
    assert below(tree(place / "raw", *names)) == names


def test_a_copy_holds_what_was_found_and_no_link(place: Path) -> None:
    folder = tree(place / "theme", "a", "b/c", ".hidden")
    (folder / "self").symlink_to(folder)
    (folder / "link").symlink_to(folder / "b")
    copy_files(folder, place / "copy")
    assert below(place / "copy") == below(folder) == ["a", "b/c", "link/c"]
    assert not any(path.is_symlink() for path in (place / "copy").rglob("*"))
    assert (place / "copy" / "link" / "c").read_text(encoding="utf-8") == "b/c"


def test_a_folder_that_is_being_replaced_is_held_until_that_is_over(place: Path) -> None:
    with held(place, "2023-11"):
        with pytest.raises(ParameterError, match="2023-11 is already being made"), held(place, "2023-11"):
            pass
        with held(place, "2023-10"):
            pass
    with held(place, "2023-11"):
        pass
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o002, 0o775), (0o077, 0o700), (0o027, 0o750)])
def test_a_folder_that_was_made_whole_has_the_mode_that_the_umask_gives(place: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        for _ in ("new", "replaced"):
            with replaced_whole(place, "2023-11") as folder:
                (folder / "figures.csv").write_text("", encoding="utf-8")
            assert stat.S_IMODE((place / "2023-11").stat().st_mode) == mode
        with staged_folder(place, "delivery") as staged:
            put_in_place(staged, place / "delivery")
        assert stat.S_IMODE((place / "delivery").stat().st_mode) == mode
    finally:
        os.umask(before)
    assert stat.S_IMODE((place / "2023-11" / "figures.csv").stat().st_mode) == 0o666 & ~umask


def test_matplotlib_has_a_lasting_folder_where_the_home_can_have_none(place: Path, tmp_path: Path) -> None:
    assert matplotlib_settings({"HOME": str(tmp_path)}) == {}
    assert matplotlib_settings({"HOME": "/dev/null", "MPLCONFIGDIR": "/x"}) == {}
    homeless = {**os.environ, "HOME": "/dev/null", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""}
    homeless.pop("MPLCONFIGDIR", None)
    settings = matplotlib_settings(homeless)
    folder = Path(settings["MPLCONFIGDIR"])
    assert (folder.parent, stat.S_IMODE(folder.stat().st_mode)) == (place, 0o700)
    asks = "import os, matplotlib; print(matplotlib.get_cachedir(), flush=True); os.kill(os.getpid(), 9)"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", asks], env=homeless | settings, capture_output=True, text=True)
        assert Path(done.stdout.strip()).is_relative_to(folder), done.stderr
    assert [path.name for path in place.iterdir()] == [folder.name]
    folder.chmod(0o755)
    assert matplotlib_settings(homeless) == {}
