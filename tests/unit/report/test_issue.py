"""An issue's folder: replaced whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from viputils.config.program import RAW
from viputils.config.project import Project
from viputils.config.source import Source
from viputils.core.errors import ParameterError
from viputils.core.files import replaced_whole
from viputils.figures.edition import Edition
from viputils.report import issue


def test_what_the_cover_says_is_never_markup(demonstration: Edition, tmp_path: Path) -> None:
    identity = demonstration.program.identity.model_copy(update={"site": "<b>{{< x >}}</b>", "name": "# *A* $b$"})
    program = demonstration.program.model_copy(update={"identity": identity})
    said = issue.front_matter(
        Project(tmp_path, program, Source(tmp_path, RAW)), "November 2023", demonstration.as_of, demonstration=True
    )
    assert said["vip"]["site"] == r"\<b\>\{\{\< x \>\}\}\</b\>"
    assert said["vip"]["running-header"].startswith(r"\# \*A\* \$B\$ \| MONTHLY")
    assert said["title"].startswith(r"\# \*A\* \$b\$ Monthly")


@pytest.fixture
def issues(tmp_path: Path) -> Path:
    (tmp_path / "2023-11").mkdir()
    (tmp_path / "2023-11" / "old").touch()
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_the_folder_becomes_what_was_filled(issues: Path) -> None:
    with replaced_whole(issues, "2023-11") as folder:
        (folder / "new").touch()
        assert names(issues / "2023-11") == ["old"]
    assert names(issues) == ["2023-11"]
    assert names(issues / "2023-11") == ["new"]


def test_a_first_issue_gets_its_folder(tmp_path: Path) -> None:
    with replaced_whole(tmp_path / "issues", "2023-11") as folder:
        (folder / "new").touch()
    assert names(tmp_path / "issues" / "2023-11") == ["new"]


def test_an_error_leaves_the_folder_as_it_was(issues: Path) -> None:
    with contextlib.suppress(ValueError), replaced_whole(issues, "2023-11") as folder:
        (folder / "new").touch()
        raise ValueError
    assert names(issues) == ["2023-11"]
    assert names(issues / "2023-11") == ["old"]


def test_what_a_kill_between_two_renames_left_is_put_right(issues: Path) -> None:
    (issues / "2023-11").rename(issues / ".2023-11.partial-x-old")
    (issues / ".2023-11.partial-x").mkdir()
    with contextlib.suppress(ValueError), replaced_whole(issues, "2023-11"):
        raise ValueError
    assert names(issues) == ["2023-11"]
    assert names(issues / "2023-11") == ["old"]


def test_one_month_is_made_by_one_run_at_a_time(issues: Path) -> None:
    with replaced_whole(issues, "2023-11"):
        with pytest.raises(ParameterError, match="is already being made"), replaced_whole(issues, "2023-11"):
            pass
        with replaced_whole(issues, "2023-10"):
            pass
