"""Many issues at once: only what changed is made, and one failure does not stop the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import VIP, started_vip, vip
from tests.support.projects import files_of, town, with_a_short_report
from tests.support.register import APPROVER
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.backfill import Order, carry_out, orders_of
from viputils.report.render.embedded import EmbeddedEngine

OCTOBER, NOVEMBER = ReportMonth(2023, 10), ReportMonth(2023, 11)


def backfill(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return vip("backfill", *arguments, "--project", str(root), "--engine", "embedded", "--jobs", "1")


@pytest.fixture
def made(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> Path:
    """A town with plain issues of two months."""
    return shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town")


def todo(root: Path) -> dict[str, tuple[str, ...]]:
    """What would be made again of the two months, and why."""
    orders, _ = orders_of(Project.open(root), OCTOBER, NOVEMBER, EmbeddedEngine())
    return {order.place: order.why for order in orders if order.why}


@pytest.mark.exact_bytes
def test_an_issue_has_the_bytes_that_it_has_when_it_is_made_alone(artifacts: Artifacts, tmp_path: Path) -> None:
    """Made by two processes that were started by a command, and by one."""
    made = shutil.copytree(artifacts.two_months_of_a_town(), tmp_path / "a town")
    before = files_of(made / "issues" / "2023-11")
    done = started_vip("report", "2023-11", "--project", str(made), "--engine", "embedded")
    assert done.returncode == 0, done.stderr
    assert files_of(made / "issues" / "2023-11") == before


def test_with_nothing_changed_nothing_is_made_whatever_the_times_of_the_files_say(made: Path) -> None:
    for path in made.rglob("*"):
        os.utime(path, (1, 1))
    before = {path: path.stat().st_mtime_ns for path in (made / "issues").rglob("*")}
    done = backfill(made, "2023-10", "2023-11", "--json")
    assert json.loads(done.stdout)["issues"] == {"2023-10": "unchanged", "2023-11": "unchanged"}
    assert {path: path.stat().st_mtime_ns for path in (made / "issues").rglob("*")} == before


def add(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_bytes(path.read_bytes() + text.encode())

    return change


BOTH, NEWEST = ["2023-10", "2023-11"], ["2023-11"]


@pytest.mark.parametrize(
    ("name", "change", "again"),
    [
        ("data/raw/2023-12-04/responses.csv", add("DEMO-R9,2023-11-09,DV,SE\n"), BOTH),
        ("program.toml", add("\n# A word.\n"), BOTH),
        ("notebooks/monthly_report.ipynb", add("\n"), BOTH),
        ("_quarto.yml", add("\n# A word.\n"), BOTH),
        ("report/theme/report.css", add("\n"), BOTH),
        ("report/fonts/PublicSans-Regular.ttf", add("\0"), BOTH),
        ("report/introduction.md", add("\nA word.\n"), BOTH),
        ("report/definitions.md", add("\n"), BOTH),
        ("report/pages/methods.md", add("\nA word.\n"), []),
        ("README.md", lambda path: path.write_text("A word.", "utf-8"), []),
        ("report/activities/2023-11.md", lambda path: path.write_text("## News\n\nA word.\n", "utf-8"), NEWEST),
        ("issues/2023-11/figures.csv", lambda path: path.unlink(), NEWEST),
        ("issues/2023-11/vip-2023-11.html", lambda path: path.write_bytes(path.read_bytes()[:-1]), NEWEST),
        ("issues/2023-11/vip-2023-11.pdf", add(" "), NEWEST),
        ("issues/2023-11/charts/chart-by-month.svg", add(" "), NEWEST),
        ("issues/2023-11/manifest.json", lambda path: path.write_text("{", "utf-8"), NEWEST),
        ("issues/2023-11/manifest.json", lambda path: path.unlink(), NEWEST),
        ("issues/2023-11/a note.txt", lambda path: path.write_text("mine", "utf-8"), []),
    ],
)
def test_one_thing_is_changed_and_what_depends_on_it_is_made_again(
    made: Path, name: str, change: Callable[[Path], None], again: list[str]
) -> None:
    assert todo(made) == {}
    change(made / name)
    found = todo(made)
    assert list(found) == again
    for reasons in found.values():
        assert any(Path(name).name in reason for reason in reasons)


def test_what_was_delivered_after_the_as_of_date_makes_no_issue_again(made: Path) -> None:
    late = shutil.copytree(made / "data" / "raw" / "2023-12-04", made / "data" / "raw" / "2024-01-04")
    for path in late.glob("*.csv"):
        path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    assert todo(made) == {}


@pytest.mark.whole_issues
def test_another_engine_and_another_register_are_reasons_too(made: Path) -> None:
    class Newer(EmbeddedEngine):
        def version(self) -> str:
            return "newer"

    orders, _ = orders_of(Project.open(made), OCTOBER, NOVEMBER, Newer())
    assert [order.why[0].startswith("engine: embedded (") for order in orders] == [True, True]
    for command in (
        ["report", "2023-10", "--engine", "embedded"],
        ["publish", "2023-10", "--approved-by", APPROVER, "--printed", "2023-12-05"],
    ):
        assert vip(*command, "--project", str(made)).returncode == 0
    # The issues of the later months of its year look at it.
    assert list(todo(made)) == NEWEST


def test_each_reason_is_listed_where_it_is_asked_for_and_nothing_is_made_in_a_dry_run(made: Path) -> None:
    add("\nA word.\n")(made / "report" / "introduction.md")
    add("\n# A word.\n")(made / "program.toml")
    before = files_of(made / "issues")
    done = backfill(made, "2023-11", "2023-11", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "2023-11: would be made, because program.toml (program): changed, and 1 more.\n1 issue: 1 w" in done.stdout
    done = backfill(made, "2023-11", "2023-11", "--dry-run", "--why")
    assert "  program.toml (program): changed\n  report/introduction.md (texts): changed\n" in done.stdout
    done = backfill(made, "2023-11", "2023-11", "--dry-run", "--json")
    reasons = ["program.toml (program): changed", "report/introduction.md (texts): changed"]
    assert json.loads(done.stdout)["why"] == {"2023-11": reasons}
    assert files_of(made / "issues") == before


@pytest.mark.whole_issues
def test_an_issue_that_was_asked_for_otherwise_is_made_again(made: Path) -> None:
    (made / "report" / "activities").rmdir()
    part = "has a part for activities, and report/activities is not there now"
    assert todo(made) == {place: (f"issues/{place} {part}",) for place in ("2023-10", "2023-11")}
    (made / "report" / "activities").mkdir()
    assert todo(made) == {}
    responses = made / "data" / "raw" / "2023-12-04" / "responses.csv"
    responses.write_text(responses.read_text("utf-8") + "DEMO-R9,2023-11-03,Homocide,SE\n", "utf-8")
    done = backfill(made, "2023-11", "2023-11", "--allow-quarantined", "--json")
    assert json.loads(done.stdout)["issues"] == {"2023-11": "made"}
    again = backfill(made, "2023-11", "2023-11", "--allow-quarantined", "--json")
    assert json.loads(again.stdout)["issues"] == {"2023-11": "unchanged"}
    # Without that word it is refused, as by `vip report`, and not taken for what would be made.
    refused = backfill(made, "2023-11", "2023-11", "--why", "--json")
    assert refused.returncode == 2
    assert "leaves out rows that were in quarantine, which was not asked for now" in refused.stderr
    assert "Homocide" in json.loads(refused.stdout)["failed"]["2023-11"]


def test_a_file_of_an_issue_that_cannot_be_read_is_a_reason_to_make_it_again(made: Path) -> None:
    figures = made / "issues" / "2023-11" / "figures.csv"
    # Even the one who may do everything cannot read this one from its beginning.
    unreadable = Path("/proc/self/mem")
    if not unreadable.is_file():
        pytest.skip("this system has no file that nobody can read")
    figures.unlink()
    figures.symlink_to(unreadable)
    assert list(todo(made)) == ["2023-11"]
    assert todo(made)["2023-11"] == ("issues/2023-11/figures.csv cannot be read (Input/output error)",)


@pytest.mark.whole_issues
def test_what_somebody_put_beside_an_issue_stays_there(made: Path) -> None:
    issue = made / "issues" / "2023-11"
    (issue / "my notes").mkdir()
    (issue / "my notes" / "ask.txt").write_text("Who counts?", "utf-8")
    (issue / "figures.csv").write_text("edited", "utf-8")
    (issue / "charts" / "old.svg").symlink_to("/etc/hostname")
    done = backfill(made, "2023-11", "2023-11", "--json")
    assert json.loads(done.stdout)["issues"] == {"2023-11": "made"}
    assert (issue / "my notes" / "ask.txt").read_text("utf-8") == "Who counts?"
    assert (issue / "charts" / "old.svg").is_symlink()
    assert (issue / "figures.csv").read_text("utf-8").startswith("measure,")
    assert todo(made) == {}
    # Also where nobody can tell any more what is the issue's own.
    for tear in (lambda: (issue / "manifest.json").write_text("{", "utf-8"), (issue / "manifest.json").unlink):
        tear()
        done = backfill(made, "2023-11", "2023-11", "--json")
        assert json.loads(done.stdout)["issues"] == {"2023-11": "made"}
        assert (issue / "my notes" / "ask.txt").read_text("utf-8") == "Who counts?"


def test_a_month_that_was_never_made_says_so_and_how_many_were_made_is_said(tmp_path: Path, plain_pages: None) -> None:
    root = with_a_short_report(town(tmp_path / "a town"))
    assert todo(root) == dict.fromkeys(BOTH, ("it was not made yet",))
    done = backfill(root, "2023-10", "2023-11")
    assert done.returncode == 0, done.stderr
    assert re.search(r"2 issues: 2 made; [0-9.]+ s\.", done.stdout)


def test_what_must_not_go_out_is_warned_of_as_by_a_report(made: Path) -> None:
    text = "## News\n\nCall 505-555-0100.\n"
    (made / "report" / "activities" / "2023-11.md").write_text(text, "utf-8")
    done = backfill(made, "2023-11", "2023-11", "--json")
    (warning,) = json.loads(done.stdout)["notes"]["2023-11"]
    assert "WARNING: report/activities/2023-11.md, line 3" in warning
    assert f"2023-11: {warning}" in done.stderr


@pytest.mark.whole_issues
def test_a_text_that_is_broken_when_its_issue_was_made_ends_no_other(tmp_path: Path, plain_pages: None) -> None:
    """What is known of the texts in an issue was found when it was made, and goes with it."""
    project = Project.open(with_a_short_report(town(tmp_path / "a town")))
    orders, _ = orders_of(project, OCTOBER, NOVEMBER, EmbeddedEngine())
    outcomes = carry_out(project, orders, EmbeddedEngine(), jobs=1)
    first = next(outcomes)
    (project.root / "report" / "activities" / f"{first.order.period}.md").write_text("# Too high\n", "utf-8")
    assert [one.error for one in (first, *outcomes)] == [None, None]
    assert first.notes == (
        f"Note: there is no report/activities/{first.order.period}.md, so the issue says that no activities were "
        "written down.",
    )


def test_a_delivery_that_is_not_what_its_checksums_say_makes_no_issue_and_is_named(made: Path) -> None:
    (made / "data" / "raw" / "2023-12-04" / "SHA256SUMS").write_text(f"{'0' * 64}  responses.csv\n", "utf-8")
    done = backfill(made, "2023-10", "2023-11", "--json")
    assert done.returncode == 2
    failed = json.loads(done.stdout)["failed"]
    assert sorted(failed) == BOTH
    assert "data/raw/2023-12-04/responses.csv: was edited after it was delivered" in failed["2023-11"]


def test_an_engine_that_is_not_there_is_refused_before_anything_is_made(made: Path) -> None:
    environment = {**os.environ, "PATH": str(VIP.parent)}
    command = [str(VIP), "backfill", "2023-11", "2023-11", "--project", str(made), "--engine", "quarto", "--dry-run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "Quarto cannot be used. The embedded engine makes the same pages." in done.stderr


def test_what_keeps_one_month_from_being_made_keeps_no_other(made: Path) -> None:
    (made / "report" / "activities" / "2023-10.md").write_text("## A\n\n![](x.png)\n", "utf-8")
    (made / "report" / "activities" / "2023-11.md").write_text("## A\n\nAll is well.\n", "utf-8")
    october = files_of(made / "issues" / "2023-10")
    done = backfill(made, "2023-10", "2023-12", "--json")
    assert done.returncode == 2
    said = json.loads(done.stdout)
    not_made = "could not be made"
    assert said["issues"] == {"2023-10": not_made, "2023-11": "made", "2023-12": not_made}
    assert "report/activities/2023-10.md, line 3: holds an image" in said["failed"]["2023-10"]
    assert said["failed"]["2023-12"].startswith(
        "There is no data for 2023-12 yet: no table was delivered after 2023-12"
    )
    assert "data/raw/…/responses.csv: was last received on 2023-12-04;" in said["failed"]["2023-12"]
    assert files_of(made / "issues" / "2023-10") == october
    assert "3 issues: 1 made, 2 could not be made" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give FROM and TO, as in 2022-07 2023-11 (the same month twice for one month), or --all"),
        (("2023-10",), "give FROM and TO"),
        (("2023-10", "2023-11", "--all"), "give FROM and TO"),
        (("2023-11", "2023-10"), "2023-11 lies after 2023-10; give the earlier month first."),
        (("2001-01", "2001-02"), "the records cover 2023-07 to 2023-11; ask for others."),
        (("2023-13", "2023-11"), "2023-13"),
    ],
)
def test_months_that_cannot_be_are_refused(made: Path, arguments: tuple[str, ...], said: str) -> None:
    done = backfill(made, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_an_order_names_its_first_reason_and_how_many_more_there_are() -> None:
    from viputils.publish.backfill import first_reason

    order = Order(NOVEMBER, NOVEMBER.plus(1).span.start, "en", "2023-11", ("one", "two", "three"))
    assert first_reason(order) == "one, and 2 more"
