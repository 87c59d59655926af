"""`vip intake` as people run it: real files, a real terminal, a real disk that fills, and nothing half-written."""

from __future__ import annotations

import csv
import io
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msoffcrypto.format.ooxml  # type: ignore[import-untyped]
import openpyxl
import psutil
import pytest

from tests.support.command import TIMEOUT, VIP, vip
from tests.support.histories import with_tables
from tests.support.projects import BESIDE_TABLES, REPOSITORY, Deliver, contents
from viputils.config.project import Project

HEADINGS = "Case Number,Incident date,Type of incident,Area Cmd,Victim name"
ROWS = ["R1,11/2/23,DV,SE,Jane Doe", "R2,11/3/23,GSW,VA,Jane Doe"]
DAY = ("--received", "2023-12-04")

Send = Callable[..., Path]

DELIVERY = sorted(f"2023-12-04/{name}" for name in (*BESIDE_TABLES, "responses.csv"))


@pytest.fixture
def project(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project of one table, which is read and counted in a fraction of the time; for the demonstration it has all."""
    return project if "demonstration" in request.node.name else with_tables(project, "responses")


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """Write a file as an agency would send it, beside the project."""

    def write(*lines: str, name: str = "export.csv", content: bytes | None = None) -> Path:
        path = tmp_path / "inbox" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes("".join(f"{line}\n" for line in lines).encode() if content is None else content)
        return path

    return write


def intake(project: Project, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return vip("intake", *map(str, arguments), cwd=project.root)


def delivered(project: Project) -> dict[str, bytes]:
    """What lies in data/raw, but for what is hidden and empty, such as a lock."""
    if not project.raw.is_dir():
        return {}
    return {name: content for name, content in contents(project.raw).items() if content or not name.startswith(".")}


# ---------------------------------------------------------------- The command


def test_intake_writes_a_delivery_that_every_other_command_counts(project: Project, send: Send) -> None:
    done = intake(project, send(HEADINGS, *ROWS, "Total,2,,,"), *DAY, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 rows = 2 records + 1 heading row + 1 other row" in done.stdout
    assert "'Case Number' → response_id" in done.stdout
    assert "no data" in done.stdout
    assert "Columns not imported: 'Victim name'" in done.stdout
    assert "Written: data/raw/2023-12-04" in done.stdout
    assert "Jane" not in done.stdout
    assert sorted(delivered(project)) == DELIVERY
    assert b"Jane" not in b"".join(delivered(project).values())
    checked = vip("check", cwd=project.root)
    assert (checked.returncode, "2 rows read" in checked.stdout) == (0, True)
    sums = shutil.which("sha256sum")
    if sums:
        assert subprocess.run([sums, "-c", "SHA256SUMS"], cwd=project.raw / "2023-12-04", check=False).returncode == 0


def test_the_same_file_again_is_noticed_and_nothing_is_written(project: Project, send: Send) -> None:
    sent = send(HEADINGS, *ROWS)
    intake(project, sent, *DAY, "--yes")
    before = delivered(project)
    done = intake(project, sent, "--received", "2023-12-05", "--yes")
    assert done.returncode == 0
    assert "export.csv is already in data/raw/2023-12-04. Nothing was written." in done.stdout
    assert delivered(project) == before


def test_a_second_delivery_of_a_day_is_another_folder_and_the_first_stays_as_it_was(
    project: Project, send: Send
) -> None:
    intake(project, send(HEADINGS, *ROWS), *DAY, "--yes")
    before = delivered(project)
    done = intake(project, send(HEADINGS, "R3,11/4/23,DV,SE,x", name="more.csv"), *DAY, "--yes")
    assert "WARNING: There is already a delivery of that day" in done.stdout
    assert before.items() < delivered(project).items()
    assert "2023-12-04-2/responses.csv" in delivered(project)


def test_a_delivery_dated_in_the_future_or_the_past_is_taken_with_a_warning(project: Project, send: Send) -> None:
    later = intake(project, send(HEADINGS, ROWS[0]), "--received", "2099-01-01", "--yes")
    assert later.returncode == 0
    assert "WARNING: The day of receipt, 2099-01-01, is in the future." in later.stdout
    earlier = intake(project, send(HEADINGS, ROWS[1], name="old.csv"), *DAY, "--yes")
    assert earlier.returncode == 0
    assert "WARNING: 1 later delivery already exists, the newest received on 2099-01-01." in earlier.stdout


def test_the_demonstration_files_come_in_as_they_went_out(project: Project) -> None:
    files = sorted((REPOSITORY / "data" / "raw" / "2023-12-04").glob("*.csv"))
    done = intake(project, *files, *DAY, "--yes")
    assert done.returncode == 0, done.stderr
    for path in files:
        given, written = (
            list(csv.reader(io.StringIO(one.read_text(encoding="utf-8"))))
            for one in (path, project.raw / "2023-12-04" / path.name)
        )
        assert [[" ".join(cell.split()) for cell in row] for row in given] == written


def test_what_a_file_says_reaches_the_terminal_as_text(project: Project, send: Send) -> None:
    done = intake(project, send(f"{HEADINGS},\x1b[31m[bold]x[/bold]", "R1,11/2/23,[red]x[/red]\x1b[0m,SE,x,y"), *DAY)
    assert "\x1b" not in done.stdout + done.stderr
    assert "[bold]x[/bold]" in done.stdout
    assert "[red]x[/red]" in done.stdout


# ---------------------------------------------------------------- What is refused


def workbook(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def locked() -> bytes:
    content = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(workbook([[HEADINGS]]))).encrypt("secret", content)
    return content.getvalue()


def with_macros() -> bytes:
    content = io.BytesIO(workbook([[HEADINGS]]))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xlsx", b"Case Number,Date\n", "a.xlsx: is named .xlsx and is text"),
        ("a.csv", workbook([["x"]]), "a.csv: is named .csv and is an Excel workbook"),
        ("a.csv", b"%PDF-1.7", "is a PDF document"),
        ("a.xlsx", locked(), "a.xlsx: is protected by a password"),
        ("a.xlsm", with_macros(), "a.xlsm: is a workbook with macros"),
        ("a.csv", b"", "a.csv, line 1: is empty"),
        ("a.csv", b"Case Number,Date,Type\nR1,x,y\n", "a.csv, line 1: no column found for area_command"),
        ("a.csv", b"Case Number,Date,Type,Area,Area Cmd\n", "'Area' (column 4) and 'Area Cmd' (column 5)"),
        ("a.csv", f"{HEADINGS}\nR1,11/2/23,DV\nR2\n".encode(), "a.csv, line 3: has 1 cell, but"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_nothing_is_written(
    project: Project, send: Send, name: str, content: bytes, says: str
) -> None:
    rows = ROWS if b"R2\n" in content else []
    sent = send(name=name, content=content + "".join(f"{row}\n" for row in rows).encode())
    done = intake(project, send(HEADINGS, *ROWS, name="good.csv"), sent, *DAY, "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert delivered(project) == {}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--received"),
        (("--received", "4 Dec"), "--received: '4 Dec' is not a date"),
        (("--received", "2023-02-30"), "'2023-02-30' is not a date"),
        (("--received", "../x"), "'../x' is not a date"),
        ((*DAY, "--table", "response"), "did you mean 'responses'?"),
        ((*DAY, "--covers-until", "response=2023-11-30"), "table of these files; did you mean 'responses'?"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(
    project: Project, send: Send, arguments: tuple[str, ...], says: str
) -> None:
    done = intake(project, send(HEADINGS, *ROWS), *arguments, "--yes")
    assert done.returncode == 2
    assert says in done.stderr
    assert delivered(project) == {}


# ---------------------------------------------------------------- The prompt


def on_terminal(project: Project, sent: Path, answer: bytes | signal.Signals) -> tuple[int, str]:
    """Run the command on a pseudo-terminal, and answer once it asks."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [VIP, "intake", str(sent), *DAY],
        cwd=project.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    asked = False
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 1)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
        elif asked and isinstance(answer, signal.Signals):
            # Python can miss one that comes just before it begins to read; a person presses Ctrl-C again.
            process.send_signal(answer)
        if not asked and b"[y/N]" in said:
            asked = True
            if isinstance(answer, signal.Signals):
                process.send_signal(answer)
            else:
                os.write(ours, answer)
    os.close(ours)
    if process.poll() is None and time.monotonic() >= deadline:
        process.kill()
    return process.wait(timeout=TIMEOUT), said.decode()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"y\n", 0),
        (b"what?\nn\n", 1),
        *(
            pytest.param(*one, marks=pytest.mark.process)
            for one in ((b"yes\n", 0), (b"n\n", 1), (b"\n", 1), (b"\x04", 1))
        ),
    ],
)
def test_the_answer_at_the_prompt_decides(project: Project, send: Send, answer: bytes, code: int) -> None:
    returned, said = on_terminal(project, send(HEADINGS, *ROWS), answer)
    assert returned == code, said
    assert "Write data/raw/2023-12-04? [y/N]" in said
    assert ("Written: data/raw/2023-12-04" in said) == (code == 0)
    assert ("Nothing was written." in said) == (code == 1)
    assert bool(delivered(project)) == (code == 0)


def test_ctrl_c_at_the_prompt_writes_nothing(project: Project, send: Send) -> None:
    returned, said = on_terminal(project, send(HEADINGS, *ROWS), signal.SIGINT)
    assert returned == 130
    assert "Interrupted. Nothing was changed." in said
    assert delivered(project) == {}


def test_rows_that_are_here_do_not_go_into_quarantine_unless_somebody_says_so(
    project: Project, deliver: Deliver, send: Send
) -> None:
    deliver("2023-11-03", responses=["R-00400,2023-11-02,DV,SE"])
    before = delivered(project)
    sent = send(HEADINGS, "R-400,11/2/23,DV,SE,x")
    done = intake(project, sent, *DAY, "--yes")
    assert done.returncode == 2
    assert "1 row already here would also go into quarantine:\n  data/raw/2023-11-03/responses.csv, line 2" in (
        done.stdout
    )
    assert "Rows already here would go into quarantine. Nothing was written." in done.stderr
    assert delivered(project) == before
    returned, said = on_terminal(project, sent, b"n\n")
    assert (returned, delivered(project)) == (2, before)
    assert "Continue, although 1 row already here would not be counted" in said
    assert intake(project, sent, *DAY, "--yes", "--allow-quarantined").returncode == 0
    assert delivered(project) != before


def test_dates_that_fit_both_orders_are_asked_about_if_the_other_fits_better(project: Project, send: Send) -> None:
    sent = send(HEADINGS, "R1,01/11/2023,DV,SE,x", "R2,07/11/2023,DV,SE,x")
    done = intake(project, sent, *DAY, "--yes")
    assert done.returncode == 2
    assert "Note: export.csv, 'Incident date': 2 dates fit both orders" in done.stdout
    assert '[intake]\n      date_order = "day first"' in done.stderr
    assert "Nothing was written." in done.stderr
    assert delivered(project) == {}
    returned, said = on_terminal(project, sent, b"n\n")
    assert (returned, delivered(project)) == (2, {})
    assert "Were these dates written month first? [y/N]" in said
    assert intake(project, sent, *DAY, "--yes", "--dates-as-read").returncode == 0
    assert b"2023-01-11" in delivered(project)["2023-12-04/responses.csv"]


def test_a_snapshot_that_withdraws_most_records_needs_a_yes_of_its_own(project: Project, send: Send) -> None:
    toml = project.root / "program.toml"
    whole = 'id = "response_id"\ndelivery = "snapshot"'
    toml.write_text(toml.read_text("utf-8").replace('id = "response_id"', whole, 1), "utf-8")
    rows = [f"R{number},11/{number + 1}/2023,DV,SE,x" for number in range(5)]
    assert intake(project, send(HEADINGS, *rows), *DAY, "--yes").returncode == 0
    before = delivered(project)
    fewer = send(HEADINGS, "R0,11/1/2023,DV,SE,x", name="fewer.csv")
    refused = intake(project, fewer, *DAY, "--yes")
    assert refused.returncode == 2
    assert "4 records of responses, more than half, are missing from this file and would be withdrawn" in refused.stderr
    assert 'write delivery = "incremental" for the table' in refused.stderr
    assert delivered(project) == before
    returned, said = on_terminal(project, fewer, b"n\n")
    assert (returned, delivered(project)) == (2, before)
    assert "Is this file the whole table? [y/N]" in said
    assert intake(project, fewer, *DAY, "--yes", "--corrections").returncode == 0


def test_where_nobody_can_answer_the_answer_is_no(project: Project, send: Send) -> None:
    done = subprocess.run(
        [VIP, "intake", str(send(HEADINGS, *ROWS)), *DAY],
        cwd=project.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "Nothing was written." in done.stdout
    assert delivered(project) == {}


# ---------------------------------------------------------------- The disk, and interruptions


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_leaves_nothing_half_written(
    project: Project, deliver: Deliver, send: Send, small_disk: Path
) -> None:
    deliver("2023-11-03", responses=["R0,2023-11-02,DV,SE"])
    shutil.copytree(project.root, small_disk / "p")
    full = Project.open(small_disk / "p")
    before = delivered(full)
    many = send(HEADINGS, *(f"R{number:07},11/2/23,DV,SE,x" for number in range(1, 10_000)))
    done = intake(full, many, *DAY, "--yes")
    assert done.returncode == 2
    assert "No space left on device. Nothing was changed." in done.stderr
    assert "Traceback" not in done.stderr
    assert delivered(full) == before
    assert [path.name for path in full.raw.iterdir() if "partial" in path.name] == []
    # With room again, the next one works.
    assert intake(full, send(HEADINGS, *ROWS, name="less.csv"), *DAY, "--yes").returncode == 0


# Runs the command, and stops it for the tests when the rows are written and their checksums are not.
PAUSED = """
import sys, time
from viputils.intake import proposal
from viputils.cli.main import main

proposal.write_checksums = lambda *_: time.sleep(600)
sys.argv[0] = "vip"
main()
"""


@pytest.fixture(params=["paused", pytest.param("many rows", marks=pytest.mark.process)])
def under_way(request: pytest.FixtureRequest, project: Project, send: Send) -> Iterator[subprocess.Popen[str]]:
    """An intake that is in the middle of writing: it waits there, or it has very many rows to write."""
    rows, command = (2, [sys.executable, "-c", PAUSED]) if request.param == "paused" else (300_000, [VIP])
    many = send(HEADINGS, *(f"R{number:07},11/2/23,DV,SE,x" for number in range(rows)))
    process = subprocess.Popen(
        [*command, "intake", str(many), *DAY, "--yes"],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    written = ".2023-12-04.partial-*/responses.csv"
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        if any(path.stat().st_size for path in project.raw.glob(written)):
            break
        time.sleep(0.01)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="kill", marks=pytest.mark.process),
    ],
)
def test_an_interrupted_intake_writes_nothing_and_leaves_nothing_behind(
    project: Project, under_way: subprocess.Popen[str], number: signal.Signals
) -> None:
    under_way.send_signal(number)
    out, said = under_way.communicate(timeout=TIMEOUT)
    assert under_way.returncode == 130, out + said
    assert "Interrupted. Nothing was changed." in said
    assert "Traceback" not in said
    assert delivered(project) == {}
    assert [path.name for path in project.raw.iterdir() if "partial" in path.name] == []


def test_a_killed_intake_writes_nothing_and_the_next_one_works_and_clears_up(
    project: Project, under_way: subprocess.Popen[str], send: Send
) -> None:
    psutil.Process(under_way.pid).kill()
    under_way.communicate(timeout=TIMEOUT)
    assert not (project.raw / "2023-12-04").exists()
    assert list(project.raw.glob(".*partial*"))
    done = intake(project, send(HEADINGS, *ROWS, name="next.csv"), *DAY, "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(delivered(project)) == DELIVERY
    assert not list(project.raw.glob(".*partial*"))


def test_two_intakes_of_one_day_at_once_do_not_mix(
    project: Project, under_way: subprocess.Popen[str], send: Send
) -> None:
    done = intake(project, send(HEADINGS, *ROWS, name="other.csv"), *DAY, "--yes")
    assert done.returncode == 2
    assert "is already being made" in done.stderr
    assert not (project.raw / "2023-12-04").exists()
