"""Work in a process of its own: what it returns, how it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.command import TIMEOUT
from tests.support.processes import gone, wait_until
from tests.support.projects import REPOSITORY
from viputils.core.errors import NotebookError, Problem, VipError
from viputils.report.process import PLACE, ProcessDiedError, end_all, in_own_process, start_ahead


def apart(work: Callable[..., Any], *arguments: Any, **hear: Callable[[Any], None]) -> Any:
    return in_own_process(work, *arguments, hear=hear)


def double(value: Any, tell: Callable[[str, Any], None]) -> Any:
    tell("step", f"doubling {value}")
    return 2 * value


def refuse(_tell: object) -> None:
    raise NotebookError("It cannot be made.", [Problem("cell 3", "is wrong;", "mend it.")])


def stumble(_tell: object) -> None:
    raise ZeroDivisionError("a fault")


def end(how: str, _tell: object) -> None:
    os.write(2, b"first line\nthe last thing it wrote\n")
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)


def spoil(folder: str, _tell: object) -> None:
    """Change whatever a process has of its own."""
    os.environ["SPOILED"] = "yes"
    os.chdir(folder)
    random.seed(1)
    Path(tempfile.mkstemp()[1]).write_text("left", "utf-8")
    sys.stdout.write("to stdout\n")
    os.write(1, b"to the descriptor\n")


def surroundings(_tell: object) -> dict[str, Any]:
    return {
        "folder": str(Path.cwd()),
        "said": os.environ.get("OF_THE_MOMENT"),
        "zone": time.tzname[0],
        "group": os.getpgid(0) == os.getpid(),
        "stdin": sys.stdin is None or sys.stdin.read(),
        "threads": [thread.name for thread in threading.enumerate()],
        "temporary": tempfile.gettempdir(),
    }


def warn(_tell: object) -> None:
    sys.stderr.write("a warning\n")


class OddError(NotebookError):
    """An error that cannot be made again from its message."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}", [Problem("here", "is odd;")])


def raise_what_cannot_travel(kind: str, _tell: object) -> object:
    if kind == "odd":
        raise OddError("It is", "odd.")
    if kind == "end of file":
        raise EOFError("there is no more")
    if kind == "interrupted":
        raise KeyboardInterrupt
    return threading.Lock()


class Loud:
    def __reduce__(self) -> Any:
        sys.stderr.write("on its way\n")
        return Loud, ()


def tell_loudly(tell: Callable[[str, Any], None]) -> None:
    tell("step", Loud())


def leave_a_child(mark: str, _tell: object) -> None:
    child = os.fork()
    if child == 0:
        time.sleep(900)
    Path(mark).write_text(str(child), "utf-8")
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(mark: str, _tell: object) -> None:
    child = subprocess.Popen(["sleep", "900"])
    Path(mark).write_text(f"{os.getpid()} {child.pid}", "utf-8")
    time.sleep(900)


def test_it_returns_tells_and_raises_as_if_it_were_called_here() -> None:
    heard: list[str] = []
    assert apart(double, 21, step=heard.append) == 42
    assert heard == ["doubling 21"]
    with pytest.raises(NotebookError, match=r"It cannot be made\.\n  - cell 3: is wrong; mend it\."):
        apart(refuse)
    with pytest.raises(ZeroDivisionError, match="a fault") as fault:
        apart(stumble)
    assert "in stumble" in "".join(fault.value.__notes__)


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("odd", VipError, r"It is odd\.\n  - here: is odd;"),
        ("end of file", EOFError, "there is no more"),
        ("interrupted", RuntimeError, "KeyboardInterrupt"),
        ("a lock", TypeError, "cannot pickle"),
    ],
)
def test_what_cannot_travel_says_the_same(kind: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        apart(raise_what_cannot_travel, kind)
    assert getattr(raised.value, PLACE).startswith("process.py" if kind == "a lock" else "test_process.py")


def test_what_is_written_while_something_is_told_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[Any] = []
    apart(tell_loudly, step=heard.append)
    assert len(heard) == 1
    assert capsys.readouterr().err == "on its way\n"


def test_a_process_that_dies_is_not_waited_for_because_of_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(ProcessDiedError, match="SIGKILL"):
        apart(leave_a_child, str(tmp_path / "mark"))
    child = int((tmp_path / "mark").read_text("utf-8"))
    assert not psutil.pid_exists(child) or gone([psutil.Process(child)])


@pytest.mark.parametrize(
    ("how", "said"), [("exit", "it ended with exit code 3;"), ("kill", "it was ended by SIGKILL;")]
)
def test_a_process_that_dies_is_an_error_with_the_last_line_that_it_wrote(how: str, said: str) -> None:
    with pytest.raises(ProcessDiedError, match=re.escape(said)) as died:
        apart(end, how)
    assert died.value.said == "the last thing it wrote"


def test_nothing_that_it_does_to_its_process_is_seen_here(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    apart(spoil, str(tmp_path))
    assert "SPOILED" not in os.environ
    assert Path.cwd() != tmp_path
    assert list((tmp_path / "temporary").iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_it_has_the_environment_and_the_folder_of_the_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start_ahead()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_THE_MOMENT", "now")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    found = apart(surroundings)
    assert found["folder"] == str(tmp_path)
    assert (found["said"], found["zone"]) == ("now", "NZST")
    assert found["group"]
    assert found["stdin"] in (True, "")
    assert found["threads"] == ["MainThread", "parent"]
    assert not Path(found["temporary"]).exists()


def test_what_it_writes_to_stderr_is_written_here(capsys: pytest.CaptureFixture[str]) -> None:
    apart(warn)
    assert capsys.readouterr().err == "a warning\n"


def test_whatever_ends_the_call_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    ended: list[str] = []

    def wait_for_it() -> None:
        try:
            apart(sleep, str(mark))
        except ProcessDiedError as error:
            ended.append(error.how)

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    wait_until(mark.is_file)
    wait_until(lambda: len(mark.read_text("utf-8").split()) == 2)
    processes = [psutil.Process(int(number)) for number in mark.read_text("utf-8").split()]
    end_all()
    waiting.join()
    assert ended == ["it was ended by SIGKILL;"]
    assert gone(processes)


SLEEPS = """
import sys
from tests.process.test_process import sleep
from viputils.report.process import in_own_process
in_own_process(sleep, sys.argv[1], hear={})
"""


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_the_process_that_waits_for_it_and_leaves_no_file(tmp_path: Path, how: signal.Signals) -> None:
    mark = tmp_path / "mark"
    # The path of a socket is short.
    temporary = Path(tempfile.mkdtemp(prefix="t-"))
    running = subprocess.Popen(
        [sys.executable, "-c", SLEEPS, str(mark)],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: mark.is_file() and len(mark.read_text("utf-8").split()) == 2)
    started = psutil.Process(running.pid).children(recursive=True)
    started += [psutil.Process(int(number)) for number in mark.read_text("utf-8").split()]
    # As a terminal does: to the whole group.
    os.killpg(running.pid, how)
    _, said = running.communicate(timeout=TIMEOUT)
    assert gone(started)
    if how is signal.SIGINT:
        assert said.count("Traceback") == 1, said
    else:
        # The next one removes what this one could not.
        subprocess.run(
            [sys.executable, "-c", "from viputils.core.files import private_folder\nwith private_folder('x'): pass"],
            env={**os.environ, "TMPDIR": str(temporary)},
            check=True,
        )
    assert list(temporary.iterdir()) == []


@pytest.mark.process
def test_the_process_that_others_are_forked_from_is_replaced_if_it_was_killed() -> None:
    start_ahead()
    server = next(
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "multiprocessing.forkserver" in " ".join(child.cmdline())
    )
    server.kill()
    wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    assert apart(double, 1, step=lambda _: None) == 2


@pytest.mark.process
@pytest.mark.parametrize("long", [False, True])
def test_nothing_is_imported_from_the_folder_that_somebody_is_in(tmp_path: Path, long: bool) -> None:
    here, temporary = tmp_path / "here", tmp_path / ("x" * 100)
    for folder in (here, temporary):
        folder.mkdir()
    for name in ("ctypes", "socket", "multiprocessing", "json", "pandas", "pickle"):
        (here / f"{name}.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'a').write({name!r})", "utf-8")
    code = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nfrom tests.process.test_process import double\n"
        "from viputils.report.process import in_own_process\n"
        "if __name__ == '__main__': print(in_own_process(double, 21, hear={'step': print}))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(REPOSITORY)],
        cwd=here,
        env={**os.environ, **({"TMPDIR": str(temporary)} if long else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.stdout.split("\n") == ["doubling 21", "42", ""], done.stderr
    assert not (tmp_path / "was run").exists()
    assert list(temporary.iterdir()) == []
