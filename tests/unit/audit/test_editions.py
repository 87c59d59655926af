"""What was read once for many editions gives each what it would have read, and nothing that has changed since."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import Shelf, load_edition
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.records.checksums import write_checksums
from viputils.records.deliveries import Received, find_deliveries, read_received
from viputils.report.issue import issue_begun

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
    ("root", "months", "by"),
    [
        (REPOSITORY, ["2022-07"], dt.date(2023, 12, 4)),
        pytest.param(
            REPOSITORY,
            ["2023-11", "2022-07", "2023-02", "2023-10"],
            dt.date(2023, 12, 4),
            marks=pytest.mark.exhaustive,
        ),
        (REPOSITORY / "examples" / "philadelphia", ["2020-11", "2020-12", "2020-10"], dt.date(2021, 7, 19)),
    ],
)
def test_an_edition_is_the_same_from_a_shelf(root: Path, months: list[str], by: dt.date) -> None:
    project, shelf = Project.open(root), Shelf(by)
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
    shelf = Shelf(LATE)
    for day in (LATE, EARLY, LATE):
        require_same(load_edition(late, NOVEMBER, day, shelf), load_edition(late, NOVEMBER, day))


def test_it_is_read_once_as_long_as_nothing_changes(late: Project) -> None:
    shelf, deliveries = Shelf(LATE), find_deliveries(late)
    first, second = (shelf.received(late, deliveries, day)[1] for day in (EARLY, LATE))
    assert second.tables["responses"].texts is first.tables["responses"].texts
    assert len(second.tables["responses"].rows) == 6
    assert len(first.tables["responses"].rows) == 3


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return change


def _deliver_more(root: Path) -> None:
    (root / "data/raw/2023-12-04-2").mkdir()
    shutil.copy(root / "data/raw/2023-12-11/responses.csv", root / "data/raw/2023-12-04-2")


@pytest.mark.parametrize(
    "change",
    [
        _edit("program.toml", '"HOM", "Murder"', '"HOM"'),
        _deliver_more,
    ],
)
def test_where_program_or_deliveries_have_changed_they_are_read_again(
    late: Project, change: Callable[[Path], None]
) -> None:
    shelf = Shelf(LATE)
    before = load_edition(late, NOVEMBER, EARLY, shelf).records.received.tables["responses"].texts
    change(late.root)
    again = Project.open(late.root)
    found = load_edition(again, NOVEMBER, EARLY, shelf)
    assert found.records.received.tables["responses"].texts is not before
    require_same(found, load_edition(again, NOVEMBER, EARLY))


def test_a_program_that_was_read_before_program_toml_was_changed_is_not_taken_for_the_new_one(late: Project) -> None:
    shelf = Shelf(LATE)
    _edit("program.toml", '"HOM", "Murder"', '"HOM"')(late.root)
    assert load_edition(late, NOVEMBER, EARLY, shelf).records.quarantine.empty
    again = Project.open(late.root)
    assert len(load_edition(again, NOVEMBER, EARLY, shelf).records.quarantine) == 1
    require_same(load_edition(again, NOVEMBER, EARLY, shelf), load_edition(again, NOVEMBER, EARLY))


@pytest.fixture
def half_written(late: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is read for the first time, a file holds less than before and after, as in the middle of a copy."""
    path = late.root / "data/raw/2023-12-04/responses.csv"
    (path.parent / "SHA256SUMS").unlink()
    text = path.read_text("utf-8")

    def read(*arguments: Any) -> Received:
        monkeypatch.undo()
        path.write_text("\n".join([*text.splitlines()[:2], ""]), "utf-8")
        found = read_received(*arguments)
        path.write_text(text, "utf-8")
        return found

    monkeypatch.setattr("viputils.audit.as_of.read_received", read)


@pytest.mark.usefixtures("half_written")
def test_what_was_half_written_while_it_was_read_is_not_held(late: Project) -> None:
    shelf = Shelf(LATE)
    require_same(load_edition(late, NOVEMBER, EARLY, shelf), load_edition(late, NOVEMBER, EARLY))


@pytest.mark.usefixtures("half_written")
def test_no_issue_is_made_of_what_was_half_written_while_it_was_read(late: Project) -> None:
    with pytest.raises(ManifestError, match="was changed while it was being made"), issue_begun(late, NOVEMBER, EARLY):
        pass


@pytest.fixture
def swapped(late: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Callable[[], None]]:
    """Puts another file in the place of one when a checksum has just been taken, and gives what puts it back."""
    path = late.root / "data/raw/2023-12-04/responses.csv"
    (path.parent / "SHA256SUMS").unlink()
    text = path.read_text("utf-8")

    def begin(name: str, call: int) -> Callable[[], None]:
        module, function = name.rsplit(".", 1)
        real, calls = getattr(import_module(module), function), count(1)

        def taken(*arguments: Any) -> Any:
            found = real(*arguments)
            if next(calls) == call:
                path.write_text(text.replace("R1,2023-11-02", "R1,2023-11-03"), "utf-8")
            return found

        def put_back() -> None:
            monkeypatch.undo()
            path.write_text(text, "utf-8")

        monkeypatch.setattr(name, taken)
        return put_back

    return begin


def test_what_is_swapped_after_its_checksum_was_taken_is_not_held(
    late: Project, swapped: Callable[[str, int], Callable[[], None]]
) -> None:
    shelf = Shelf(LATE)
    put_back = swapped("viputils.audit.as_of._lying", 2)
    load_edition(late, NOVEMBER, EARLY, shelf)
    put_back()
    require_same(load_edition(late, NOVEMBER, EARLY, shelf), load_edition(late, NOVEMBER, EARLY))


@pytest.mark.parametrize(
    "name", ["viputils.report.issue.issue_day", "viputils.report.issue.key_of", "viputils.report.issue.issue_inputs"]
)
def test_no_issue_is_made_of_what_is_swapped_after_its_checksum_was_taken(
    late: Project, swapped: Callable[[str, int], Callable[[], None]], name: str
) -> None:
    swapped(name, 1)
    with pytest.raises(ManifestError, match="was changed while it was being made"), issue_begun(late, NOVEMBER, EARLY):
        pass


@pytest.mark.parametrize(
    "change",
    [
        _edit("data/raw/2023-12-04/responses.csv", "R1,2023-11-02,DV", "R1,2023-11-03,DV"),
        _edit("data/raw/2023-12-04/SHA256SUMS", "a", "b"),
        lambda root: (root / "data/raw/2023-12-04/reviews.csv").unlink(),
        lambda root: shutil.copy(root / "data/raw/2023-12-11/voids.csv", root / "data/raw/2023-12-04"),
    ],
)
def test_a_delivery_that_was_touched_since_is_refused_as_if_it_had_just_been_read(
    late: Project, change: Callable[[Path], None]
) -> None:
    shelf = Shelf(LATE)
    load_edition(late, NOVEMBER, EARLY, shelf)
    change(late.root)
    with pytest.raises(DeliveryError) as alone:
        load_edition(late, NOVEMBER, EARLY)
    with pytest.raises(DeliveryError) as refused:
        load_edition(late, NOVEMBER, EARLY, shelf)
    assert str(refused.value) == str(alone.value)


def test_what_is_wrong_with_a_later_delivery_keeps_no_earlier_edition_from_being_read(late: Project) -> None:
    _edit("data/raw/2023-12-11/responses.csv", "R1,2023-11-02", "R1,2023-11-02,,")(late.root)
    shelf = Shelf(LATE)
    require_same(load_edition(late, NOVEMBER, EARLY, shelf), load_edition(late, NOVEMBER, EARLY))
    with pytest.raises(DeliveryError, match=r"2023-12-11/responses\.csv"):
        load_edition(late, NOVEMBER, LATE, shelf)


def test_a_later_delivery_that_changes_is_nothing_to_an_earlier_edition(late: Project) -> None:
    shelf = Shelf(LATE)
    held = load_edition(late, NOVEMBER, EARLY, shelf).records.received.tables["responses"].texts
    shutil.rmtree(late.root / "data/raw/2023-12-11")
    found = load_edition(late, NOVEMBER, EARLY, shelf)
    assert found.records.received.tables["responses"].texts is held
    require_same(found, load_edition(late, NOVEMBER, EARLY))
