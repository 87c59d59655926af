"""Many issues at once: the same bytes as one by one, only what changed, and whole whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.command import VIP, started_vip, vip
from tests.support.processes import gone
from tests.support.projects import files_of, town
from viputils.backfill import Order, carry_out, orders_of
from viputils.checksums import checksum
from viputils.periods import ReportMonth
from viputils.project import Project
from viputils.render.embedded import EmbeddedEngine
from viputils.zygote import Zygote

OCTOBER, NOVEMBER = ReportMonth(2023, 10), ReportMonth(2023, 11)


def backfill(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return vip("backfill", *arguments, "--project", str(root), "--engine", "embedded", "--jobs", "2")


@pytest.fixture(scope="module")
def two_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town whose issues of two months were made by two processes."""
    root = town(tmp_path_factory.mktemp("backfill") / "a town")
    done = backfill(root, "2023-10", "2023-11")
    assert done.returncode == 0, done.stderr
    assert re.search(r"2 issues: 2 made; [0-9.]+ s\.", done.stdout)
    return root


@pytest.fixture
def made(two_made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(two_made, tmp_path / "a town")


def todo(root: Path) -> dict[str, tuple[str, ...]]:
    """What would be made again of the two months, and why."""
    orders, _ = orders_of(Project.open(root), OCTOBER, NOVEMBER, EmbeddedEngine())
    return {order.place: order.why for order in orders if order.why}


def test_an_issue_has_the_bytes_that_it_has_when_it_is_made_alone(made: Path) -> None:
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


def test_another_engine_and_another_register_are_reasons_too(made: Path) -> None:
    class Newer(EmbeddedEngine):
        def version(self) -> str:
            return "newer"

    orders, _ = orders_of(Project.open(made), OCTOBER, NOVEMBER, Newer())
    assert [order.why[0].startswith("engine: embedded (") for order in orders] == [True, True]
    for command in (["report", "2023-10", "--engine", "embedded"], ["publish", "2023-10", "--printed", "2023-12-05"]):
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


def test_what_must_not_go_out_is_warned_of_as_by_a_report(made: Path) -> None:
    text = "## News\n\nCall 505-555-0100.\n"
    (made / "report" / "activities" / "2023-11.md").write_text(text, "utf-8")
    done = backfill(made, "2023-11", "2023-11", "--json")
    (warning,) = json.loads(done.stdout)["notes"]["2023-11"]
    assert "WARNING: report/activities/2023-11.md, line 3" in warning
    assert f"2023-11: {warning}" in done.stderr


def test_what_is_said_aside_of_an_issue_goes_where_stderr_goes_also_beside_a_progress_bar(
    made: Path, tmp_path: Path
) -> None:
    command = [str(VIP), "backfill", "2023-11", "2023-11", "--project", str(made), "--engine", "embedded", "--force"]
    ours, theirs = pty.openpty()
    with (tmp_path / "log").open("wb") as log:
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        running = subprocess.Popen(command, stdout=theirs, stderr=log, stdin=subprocess.DEVNULL, env=env)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # nobody is at the other end any more
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert running.wait(60) == 0
    said = (tmp_path / "log").read_text("utf-8").splitlines()
    assert any(line.startswith("2023-11: Note: there is no report/activities/2023-11.md, so the") for line in said)
    assert b"Making issues" in shown
    assert b"2023-11: made in" in shown
    assert b"Note:" not in shown


def test_a_text_that_is_broken_when_its_issue_was_made_ends_no_other(tmp_path: Path) -> None:
    """What is known of the texts in an issue was found when it was made, and goes with it."""
    project = Project.open(town(tmp_path / "a town"))
    orders, _ = orders_of(project, OCTOBER, NOVEMBER, EmbeddedEngine())
    outcomes = carry_out(project, orders, EmbeddedEngine(), jobs=1)
    first = next(outcomes)
    (project.root / "report" / "activities" / f"{first.order.month}.md").write_text("# Too high\n", "utf-8")
    assert [one.error for one in (first, *outcomes)] == [None, None]
    assert first.notes == (
        "Note: there is no report/activities/2023-10.md, so the issue says that no activities were written down.",
    )


def test_a_delivery_that_is_not_what_its_checksums_say_makes_no_issue_and_is_named(made: Path) -> None:
    (made / "data" / "raw" / "2023-12-04" / "SHA256SUMS").write_text(f"{'0' * 64}  responses.csv\n", "utf-8")
    done = backfill(made, "2023-10", "2023-11", "--json")
    assert done.returncode == 2
    failed = json.loads(done.stdout)["failed"]
    assert sorted(failed) == BOTH
    assert "data/raw/2023-12-04/responses.csv: was edited after it was delivered" in failed["2023-11"]


def test_where_no_kernel_can_be_forked_it_is_started(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = Zygote()
    killed.process.kill()
    killed.process.wait()
    monkeypatch.setattr("viputils.backfill.own_zygote", lambda: killed)
    before = files_of(made / "issues")
    project = Project.open(made)
    orders, _ = orders_of(project, OCTOBER, NOVEMBER, EmbeddedEngine(), forced=True)
    outcomes = list(carry_out(project, orders, EmbeddedEngine(), jobs=1))
    assert [one.error for one in outcomes] == [None, None]
    assert files_of(made / "issues") == before


def test_nothing_is_imported_from_the_folder_that_somebody_is_in(made: Path, tmp_path: Path) -> None:
    for name in ("ctypes", "socket", "multiprocessing", "json", "pandas", "viputils"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'a').write({name!r})", "utf-8")
    command = [str(VIP), "backfill", "2023-10", "2023-11", "--project", str(made), "--engine", "embedded", "--force"]
    done = subprocess.run(
        [*command, "--jobs", "2"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "was run").exists()


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
        ((), "say FROM and TO, as in 2022-07 2023-11 (the same twice for one month), or --all"),
        (("2023-10",), "say FROM and TO"),
        (("2023-10", "2023-11", "--all"), "and not both"),
        (("2023-11", "2023-10"), "2023-11 lies after 2023-10; give the earlier month first."),
        (("2001-01", "2001-02"), "the records cover 2023-07 to 2023-11; ask for others."),
        (("2023-13", "2023-11"), "2023-13"),
    ],
)
def test_months_that_cannot_be_are_refused(two_made: Path, arguments: tuple[str, ...], said: str) -> None:
    done = backfill(two_made, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def begun(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a backfill in two processes, as a terminal does: Ctrl-C goes to its whole group."""
    command = [str(VIP), "backfill", *arguments, "--project", str(root), "--engine", "embedded", "--jobs", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def started(root: Path, *arguments: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Start a backfill, and wait until its first issue is made; give it and every process that it started."""
    running = begun(root, *arguments)
    assert running.stdout is not None
    for line in running.stdout:
        if ": made in" in line:
            return running, psutil.Process(running.pid).children(recursive=True)
    raise AssertionError("nothing was made")


def ctrl_c(running: subprocess.Popen[str], times: int = 1) -> list[str]:
    """Press Ctrl-C, give the lines that are said from then on, and wait for the end."""
    for _ in range(times):
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(0.2)
    assert running.stdout is not None
    lines = running.stdout.read().splitlines()
    assert running.wait(60) == 130
    # Of an issue that had just been made, it may still have been said.
    return [line for line in lines if ": made in" not in line and ": Note: there is no report/activities/" not in line]


def test_ctrl_c_leaves_whole_issues_and_no_process_and_the_next_run_goes_on(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    running, processes = started(root, "2023-07", "2023-11")
    lines = ctrl_c(running)
    assert gone(processes)
    assert lines[:-1] == ["Stopping …"]
    left = sorted(path.name for path in (root / "issues").iterdir() if not path.name.startswith("."))
    # None was begun afterwards; one may just have been put into its folder.
    number = re.fullmatch(r"Interrupted\. ([1-3]) of 5 were made and are whole; the same command makes .*", lines[-1])
    assert number is not None
    assert int(number[1]) <= len(left) <= int(number[1]) + 1
    for name in left:
        manifest = json.loads((root / "issues" / name / "manifest.json").read_bytes())
        assert {file: checksum(root / "issues" / name / file) for file in manifest["outputs"]} == manifest["outputs"]
    done = backfill(root, "2023-07", "2023-11", "--dry-run", "--json")
    found = json.loads(done.stdout)["issues"]
    assert [month for month, what in found.items() if what == "unchanged"] == left


@pytest.mark.parametrize("wait", [1.0, 2.0, 3.0])
def test_ctrl_c_while_its_processes_start_says_the_same_and_nothing_of_their_insides(
    tmp_path: Path, wait: float
) -> None:
    running = begun(town(tmp_path / "a town"), "2023-07", "2023-11")
    time.sleep(wait)
    lines = ctrl_c(running, times=2)
    beginning = ["Looking at what changed …"]
    assert lines in (
        ["Interrupted. Nothing was changed."],
        [*beginning, "Interrupted. Nothing was changed."],
        [
            *beginning,
            "Stopping …",
            "Interrupted. 0 of 5 were made and are whole; the same command makes the others.",
        ],
    )


HOLDS_BACK = """
import signal, threading, time
from viputils.backfill import _undisturbed
over = threading.Event()
other = threading.Thread(target=over.wait)
other.start()
try:
    with _undisturbed():
        signal.pthread_kill(other.ident, signal.SIGINT)
        time.sleep(0.2)
        print("started")
    print("went on")
except KeyboardInterrupt:
    print("heard")
over.set()
"""


def test_ctrl_c_that_reaches_another_thread_is_heard_after_processes_have_started() -> None:
    done = subprocess.run([sys.executable, "-c", HOLDS_BACK], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["started", "heard"], done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_what_finds_no_room_to_be_said_is_done_and_that_is_said(made: Path) -> None:
    before = files_of(made / "issues")
    command = [str(VIP), "backfill", "2023-11", "2023-11", "--project", str(made), "--engine", "embedded", "--force"]
    for more in ([], ["--json"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*command, *more], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120
            )
        assert done.returncode == 2
        assert "No space left on device. 1 of 1 were made and are whole; the others are as they were." in done.stderr
        assert "Nothing was changed" not in done.stderr
    assert files_of(made / "issues") == before


def test_nothing_of_it_goes_on_after_its_parent_was_killed(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    running, processes = started(root, "2023-08", "2023-11")
    running.kill()
    running.wait()
    assert processes
    assert gone(processes)


def test_a_process_that_somebody_ends_costs_no_issue(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    program = root / "program.toml"
    text = program.read_text(encoding="utf-8").replace("records_from = 2023-07-01", "records_from = 2022-07-01")
    program.write_text(text, encoding="utf-8")
    project, engine = Project.open(root), EmbeddedEngine()
    # More than the processes may have in hand, so that the others are made together again.
    orders, _ = orders_of(project, ReportMonth(2023, 5), NOVEMBER, engine)
    outcomes = carry_out(project, orders, engine, jobs=2)
    made = next(outcomes)
    workers = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
    assert workers
    workers[0].terminate()
    rest = list(outcomes)
    assert [one.error for one in (made, *rest)] == [None] * len(orders)
    assert sorted(one.order.place for one in (made, *rest)) == [order.place for order in orders]
    assert all((root / "issues" / order.place / "manifest.json").is_file() for order in orders)


def test_an_issue_that_kills_every_process_that_makes_it_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    root = town(tmp_path / "a town")
    orders, _ = orders_of(Project.open(root), ReportMonth(2023, 9), NOVEMBER, EmbeddedEngine())
    over = threading.Event()

    def kill_whoever_is_at_it() -> None:
        while not over.wait(0.05):
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    if any(file.path.endswith(".2023-10.lock") for file in child.open_files()):
                        child.kill()

    watching = threading.Thread(target=kill_whoever_is_at_it)
    watching.start()
    try:
        outcomes = list(carry_out(Project.open(root), orders, EmbeddedEngine(), jobs=2))
    finally:
        over.set()
        watching.join()
    errors = {one.order.place: str(one.error) for one in outcomes if one.error is not None}
    assert list(errors) == ["2023-10"]
    assert "issues/2023-10: the process that made it died; the memory may not have sufficed." in errors["2023-10"]
    made = {one.order.place for one in outcomes if one.error is None}
    assert made == {"2023-09", "2023-11"}
    assert all((root / "issues" / place / "manifest.json").is_file() for place in made)
    assert not (root / "issues" / "2023-10").exists()


def test_an_order_names_its_first_reason_and_how_many_more_there_are() -> None:
    from viputils.backfill import first_reason

    order = Order(NOVEMBER, NOVEMBER.plus(1).span.start, "en", "2023-11", ("one", "two", "three"))
    assert first_reason(order) == "one, and 2 more"
