"""The layout shows the architecture; import-linter enforces the directions of imports in `make lint`."""

from __future__ import annotations

import re

from tests.support.projects import REPOSITORY

SOURCE = REPOSITORY / "src" / "viputils"


def test_only_the_way_in_is_outside_of_the_rooms() -> None:
    assert {path.name for path in SOURCE.glob("*.py")} == {"__init__.py", "__main__.py", "workbench.py"}


def test_each_room_says_what_comes_in_what_goes_out_and_what_it_promises() -> None:
    for path in SOURCE.glob("*/__init__.py"):
        text = path.read_text(encoding="utf-8")
        assert all(f"{part}: " in text for part in ("In", "Out", "Promise")), path


def test_the_command_line_and_the_notebooks_stay_thin() -> None:
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        notebook = path.read_text(encoding="utf-8")
        assert "def " not in notebook
        assert "import pandas" not in notebook
    for path in (SOURCE / "cli").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert path.name == "output.py" or "import pandas" not in text


def test_lock_files_hold_hashes_and_no_address() -> None:
    for path in (REPOSITORY / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        packages = re.findall(r"^\S+==\S+.*\\\n    --hash=sha256:", text, flags=re.MULTILINE)
        assert len(packages) == len(re.findall(r"^[a-zA-Z].*==", text, flags=re.MULTILINE)) > 50
