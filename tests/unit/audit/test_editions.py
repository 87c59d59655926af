"""What was read once for many editions gives each what it would have read, and nothing that has changed since."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import Shelf, load_edition
from viputils.config.project import Project
from viputils.core.errors import DeliveryError
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.records.checksums import write_checksums

NOVEMBER = ReportMonth(2023, 11)
EARLY, LATE = dt.date(2023, 12, 4), dt.date(2023, 12, 11)


def require_same(found: Edition, expected: Edition) -> None:
    """Refuse editions that differ in a figure, a row, or what became of one."""
    pd.testing.assert_frame_equal(found.figures, expected.figures)
    pd.testing.assert_frame_equal(found.records.account, expected.records.account)
    pd.testing.assert_frame_equal(found.records.quarantine, expected.records.quarantine)
    assert found.program == expected.program
    assert found.records.received.deliveries == expected.records.received.deliveries
    for name, table in expected.records.tables.items():
        of_shelf = found.records.tables[name]
        # Names of files that came later are known, and stand in no row.
        pd.testing.assert_frame_equal(of_shelf.rows.astype({"file": "str"}), table.rows.astype({"file": "str"}))
        pd.testing.assert_frame_equal(of_shelf.ledger.astype({"file": "str"}), table.ledger.astype({"file": "str"}))


@pytest.mark.parametrize(
    ("root", "months"),
    [
        (REPOSITORY, ["2022-07"]),
        pytest.param(
            REPOSITORY,
            ["2023-11", "2022-07", "2023-02", "2023-10"],
            marks=pytest.mark.exhaustive,
        ),
        (REPOSITORY / "examples" / "philadelphia", ["2020-11", "2020-12", "2020-10"]),
    ],
)
def test_an_edition_is_the_same_from_a_shelf(root: Path, months: list[str]) -> None:
    project = Project.open(root)
    shelf = Shelf(project)
    for month in months:
        require_same(load_edition(project, month, shelf=shelf), load_edition(project, month))


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


@pytest.fixture
def late(project: Project, deliver: Deliver) -> Project:
    """Two deliveries: the later one corrects, repeats and withdraws rows, and brings one that cannot be read."""
    write_checksums(deliver(responses=["R1,2023-11-02,DV,SE", "R2,2023-11-07,murder,NE", "R3,2023-11-08,DV,NE"]), [])
    later = deliver(
        "2023-12-11",
        responses=["R1,2023-11-02,Homicide,SE", "R2,2023-11-07,murder,NE", "R4,2023-11-31,DV,SE"],
        voids=["V1,2023-12-11,responses,R3"],
    )
    write_checksums(later, [])
    return project


def test_what_was_known_on_an_earlier_day_is_the_same_from_a_shelf_that_holds_more(late: Project) -> None:
    shelf = Shelf(late)
    for day in (LATE, EARLY, LATE):
        require_same(load_edition(late, NOVEMBER, day, shelf), load_edition(late, NOVEMBER, day))


def test_it_is_read_once(late: Project) -> None:
    shelf = Shelf(late)
    first, second = (shelf.records(day).received for day in (EARLY, LATE))
    assert second.tables["responses"].texts is first.tables["responses"].texts
    assert len(second.tables["responses"].rows) == 6
    assert len(first.tables["responses"].rows) == 3


def test_what_is_wrong_with_a_later_delivery_keeps_no_earlier_edition_from_being_read(late: Project) -> None:
    path = late.root / "data/raw/2023-12-11/responses.csv"
    path.write_text(path.read_text("utf-8").replace("R1,2023-11-02", "R1,2023-11-02,,"), "utf-8")
    shelf = Shelf(late)
    require_same(load_edition(late, NOVEMBER, EARLY, shelf), load_edition(late, NOVEMBER, EARLY))
    with pytest.raises(DeliveryError, match=r"2023-12-11/responses\.csv"):
        load_edition(late, NOVEMBER, LATE, shelf)
