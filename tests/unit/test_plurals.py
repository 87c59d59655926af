"""Whatever is counted, one of it is said in the singular."""

from __future__ import annotations

import datetime as dt
from array import array

import pandas as pd
import pytest

from tests.support.command import vip
from tests.support.projects import Deliver
from viputils.config.project import Project
from viputils.core.text import first_of, plural
from viputils.intake.tally import Tally
from viputils.publish.reproduction import IDENTICAL, Reproduction
from viputils.records.account import account_line
from viputils.records.clean import load_records


def test_a_count_agrees_with_its_noun() -> None:
    assert [plural(count, "record") for count in (0, 1, 2599)] == ["0 records", "1 record", "2,599 records"]
    assert plural(2, "person", "people") == "2 people"


def test_of_many_names_three_are_shown() -> None:
    assert first_of(["a", "b", "c"]) == "a, b, c"
    assert first_of(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@pytest.mark.parametrize(("rows", "said"), [(["R1,2023-11-02,DV,SE"], "1 row read"), ([], "0 rows read")])
def test_the_account_of_rows(project: Project, deliver: Deliver, rows: list[str], said: str) -> None:
    deliver(responses=rows)
    assert account_line(load_records(project).account, dt.date(2023, 12, 4)).startswith(said)


def test_the_account_of_a_sheet() -> None:
    assert str(Tally(read=1, lines=array("q", [2]))) == "1 row = 1 record"
    assert str(Tally(read=2, headings=1, lines=array("q", [2]))).startswith("2 rows = 1 record")


def test_a_reproduction_of_one_file() -> None:
    def said(files: int) -> str:
        outputs = pd.DataFrame({"file": ["x"] * files, "result": [IDENTICAL] * files})
        return Reproduction("manifest.json", None, outputs, (), ()).conclusion[0]  # type: ignore[arg-type]

    assert said(1) == "Reproduced: 1 file is identical, byte for byte."
    assert said(2) == "Reproduced: all 2 files are identical, byte for byte."


def test_one_figure_that_moved(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", outreach=["O1,2023-11-05,SE,Home visit,,4,0"])
    deliver("2024-01-04", outreach=["O1,2023-10-05,SE,Home visit,,4,0"])
    done = vip("revisions", "2023-11", cwd=project.root)
    assert "2 figures changed" in done.stdout
    deliver("2024-01-05", outreach=["O1,2023-11-05,SE,Home visit,,4,0", "O2,2023-10-05,SE,Home visit,,0,0"])
    done = vip("revisions", "2023-11", cwd=project.root)
    assert "1 figure changed" in done.stdout
