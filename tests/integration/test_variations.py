"""The same inputs and versions give the same bytes, whatever day, place, user and machine they are made on.

Each run of `vip report` takes place in a world of its own, in a copy of the project. A witness (a sitecustomize.py that
every Python of the run reads, that of the issue included) writes down what world it was really in, so that no
variation passes that never took place. Pandoc alone keeps the machine's clock, because it is linked statically; what it
knows of the day is told to it.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from tests.support.artifacts import Artifacts
from tests.support.command import TIMEOUT, VIP
from tests.support.projects import REPOSITORY, contents, copy_of_the_repository

WITNESS = """
import datetime, json, locale, os, sys, time
locale.setlocale(locale.LC_ALL, "")
seen = {
    "who": "issue" if "multiprocessing.forkserver" in " ".join(sys.orig_argv) else "command",
    "day": str(datetime.date.today()),
    "zone": time.strftime("%z"),
    "weekday": time.strftime("%A", (2023, 11, 24, 0, 0, 0, 4, 328, 0)),
    "uid": os.getuid() if hasattr(os, "getuid") else 0,
    "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
    "home": os.path.expanduser("~"),
}
with open(os.environ["WITNESS"], "a", encoding="utf-8") as file:
    file.write(json.dumps(seen) + "\\n")
"""

# Every way in which a program asks for the time of day; what only runs on, such as a timeout, is left as it is.
CLOCK = """
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += AHEAD;
    return failed;
}
int timespec_get(struct timespec *at, int base) {
    return clock_gettime(CLOCK_REALTIME, at) ? 0 : base;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return failed;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


@dataclass
class World:
    """Where, when and as whom a command runs; ``expected`` is what the witness must have seen there."""

    scratch: Path
    env: dict[str, str] = field(default_factory=dict)
    before_command: tuple[str, ...] = ()
    umask: int = -1
    cores: int | None = None
    expected: dict[str, object] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def make_issue(self, project: Path, cwd: Path) -> dict[str, bytes]:
        """Make the issue of November 2023, and give its files."""
        site = self.scratch / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
        witness = self.scratch / "witness.jsonl"
        path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": path, "WITNESS": str(witness), **self.env}
        command = [*self.before_command, str(VIP), "report", "2023-11", "--engine", "embedded"]
        with cores(self.cores):
            done = subprocess.run(
                command,
                cwd=cwd,
                env=env,
                umask=self.umask,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        seen = [json.loads(line) for line in witness.read_text(encoding="utf-8").splitlines()]
        assert {one["who"] for one in seen} == {"command", "issue"}
        for one in seen:
            assert {name: one[name] for name in self.expected} == self.expected, one["who"]
        return contents(project / "issues" / "2023-11")


@contextmanager
def cores(number: int | None) -> Iterator[None]:
    """Let what is started in the block have so many cores."""
    if number is None:
        yield
        return
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(mine)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def difference(name: str, here: bytes, there: bytes) -> str:
    """Say in which file the bytes differ, and how."""
    try:
        before, after = here.decode().splitlines(), there.decode().splitlines()
    except UnicodeDecodeError:
        place = next(
            (n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there))
        )
        around = slice(max(place - 30, 0), place + 30)
        return f"{name} differs from byte {place} on:\n{here[around]!r}\n{there[around]!r}"
    found = difflib.unified_diff(before, after, "as it was", "in the other world", lineterm="", n=1)
    return f"{name} differs:\n" + "\n".join(line[:300] for line, _ in zip(found, range(20), strict=False))


def require_same(here: dict[str, bytes], there: dict[str, bytes], world: World) -> None:
    """Compare every file byte for byte; what could not be varied on this machine is said as a skip."""
    assert here.keys() == there.keys()
    found = [difference(name, here[name], there[name]) for name in here if here[name] != there[name]]
    assert not found, "\n\n".join(found)
    if world.left_out:
        pytest.skip("the bytes are the same, but for what could not be varied here: " + "; ".join(world.left_out))


# ---------------------------------------------------------------- What is varied


def on_another_day(world: World, at: dt.datetime, zone: str, offset: str, day: str) -> None:
    """Set the clock of everything that is started, but for what is linked statically."""
    world.env["TZ"] = zone
    world.expected["zone"] = offset
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        world.left_out.append("the day, for want of a C compiler on Linux")
        return
    source, library = world.scratch / "clock.c", world.scratch / "clock.so"
    source.write_text(CLOCK, encoding="utf-8")
    ahead = int((at - dt.datetime.now(dt.UTC)).total_seconds())
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", f"-DAHEAD={ahead}L", "-o", library, source], check=True, timeout=60
    )
    world.env["LD_PRELOAD"] = str(library)
    world.expected["day"] = day


def in_locale(world: World, name: str, friday: str) -> None:
    """Run in a locale that is made for the purpose, so that it need not be installed."""
    world.env |= {"LANG": f"{name}.UTF-8", "LC_ALL": f"{name}.UTF-8", "LANGUAGE": name}
    folder = world.scratch / "locales"
    folder.mkdir()
    try:
        done = subprocess.run(
            ["localedef", "-i", name, "-f", "UTF-8", folder / f"{name}.UTF-8"], capture_output=True, check=False
        )
        made = done.returncode == 0
    except OSError:
        made = False
    if not made:
        world.env |= {"LANG": "C", "LC_ALL": "C"}
        world.left_out.append(f"the locale {name}, which localedef cannot make here")
        return
    world.env["LOCPATH"] = str(folder)
    world.expected["weekday"] = friday


def as_another_user(world: World, uid: int) -> None:
    """Run under a number that no user of this machine has, and under another name."""
    world.env |= {"USER": "jörg o'brien", "LOGNAME": "jörg o'brien", "SUDO_USER": "root"}
    before = ("unshare", "--user", f"--map-user={uid}", f"--map-group={uid}", "--")
    try:
        possible = subprocess.run([*before, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        possible = False
    if possible:
        world.before_command = before
        world.expected["uid"] = uid
    else:
        world.left_out.append("the user's number, which needs user namespaces")


def on_one_core(world: World) -> None:
    if hasattr(os, "sched_setaffinity"):
        world.cores = world.expected["cores"] = 1
    else:
        world.left_out.append("the number of cores, which this system cannot limit")


def with_settings_that_spoil_everything(world: World) -> None:
    """Give a home in which every program that takes part finds settings of its own, which would be seen on a page."""
    home = world.scratch / "home"
    spoiling = """
import matplotlib as mpl, viputils.config.language
mpl.rcParams["axes.facecolor"] = mpl.rcParams["patch.edgecolor"] = "red"
viputils.config.language.Language.number = lambda self, value: "spoiled"
"""
    jupyter = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Another Python", "language": "python"}
    texts = {
        ".config/matplotlib/matplotlibrc": (
            "backend: svg\naxes.facecolor: red\npatch.edgecolor: red\npatch.force_edgecolor: True\nlines.linewidth: 9\n"
            "text.color: red\nfont.size: 30\nsavefig.bbox: tight\nsavefig.transparent: False\nsavefig.pad_inches: 3\n"
            "axes.linewidth: 7\nfigure.constrained_layout.w_pad: 1\naxes.grid: True\nsvg.hashsalt: another\n"
        ),
        ".ipython/profile_default/startup/00-spoil.py": spoiling,
        ".ipython/profile_default/ipython_config.py": "c.InteractiveShellApp.exec_lines = ['import no_such_module']\n",
        ".ipython/profile_default/ipython_kernel_config.py": "c.InteractiveShell.ast_node_interactivity = 'all'\n",
        ".jupyter/jupyter_config.json": '{"KernelManager": {"transport": "none"}}',
        ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(jupyter),
        "startup.py": spoiling,
        ".config/git/config": "[core]\n\tabbrev = 4\n[status]\n\tshort = true\n",
    }
    for name in (".pandoc", ".local/share/pandoc"):
        texts[f"{name}/defaults.yaml"] = "number-sections: true\ntoc: true\n"
        texts |= {
            f"{name}/{kind}": "spoiled"
            for kind in (
                "templates/default.html5",
                "templates/default.typst",
                "templates/default.openxml",
                "reference.docx",
            )
        }
    for name, text in texts.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    # A font of the same name whose letters are others.
    fonts = home / ".local" / "share" / "fonts"
    fonts.mkdir(parents=True)
    bold = TTFont(REPOSITORY / "report" / "fonts" / "PublicSans-SemiBold.ttf")
    regular = TTFont(REPOSITORY / "report" / "fonts" / "PublicSans-Regular.ttf")
    bold["name"] = regular["name"]
    bold.save(fonts / "PublicSans-Regular.ttf")
    world.env |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "JUPYTER_PATH": str(home / ".local" / "share" / "jupyter"),
        "PYTHONSTARTUP": str(home / "startup.py"),
        "MPLBACKEND": "svg",
        "SOURCE_DATE_EPOCH": "86400",
        "COLUMNS": "40",
        "LINES": "3",
        "TERM": "dumb",
        "FORCE_COLOR": "1",
        "OMP_NUM_THREADS": "7",
        "TYPST_FONT_PATHS": str(fonts),
    }
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MATPLOTLIBRC", "MPLCONFIGDIR"):
        assert name not in os.environ
    world.expected["home"] = str(home)


def put_down_in_another_order(project: Path) -> None:
    """Write the files of the project again, the last one first, with times that have nothing to do with them."""
    times = random.Random(20231130)  # noqa: S311 - no secret
    for path in sorted(project.rglob("*"), reverse=True):
        if path.is_file():
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)
            moment = times.randrange(2_000_000_000)
            os.utime(path, (moment, moment))


# ---------------------------------------------------------------- The runs


@pytest.fixture(scope="module")
def here(artifacts: Artifacts) -> dict[str, bytes]:
    """The issue as it is made here, by the command as it stands."""
    files = contents(artifacts.november() / "issues" / "2023-11")
    assert {Path(name).suffix for name in files} == {
        ".csv",
        ".docx",
        ".txt",
        ".html",
        ".ipynb",
        ".json",
        ".pdf",
        ".png",
        ".svg",
    }
    return files


@pytest.mark.exact_bytes
def test_the_bytes_are_the_same_on_another_day_of_another_year_in_another_time_zone(
    here: dict[str, bytes], tmp_path: Path
) -> None:
    world = World(tmp_path, env={"PYTHONHASHSEED": "7"}, umask=0o077)
    # In Kiritimati it is tomorrow already, and the first of the month.
    on_another_day(world, dt.datetime(2031, 2, 28, 10, 30, tzinfo=dt.UTC), "Pacific/Kiritimati", "+1400", "2031-03-01")
    project = copy_of_the_repository(tmp_path / "project")
    require_same(here, world.make_issue(project, project / "notebooks"), world)


@pytest.mark.exact_bytes
def test_the_bytes_are_the_same_in_another_locale_for_another_user_on_one_core(
    here: dict[str, bytes], tmp_path: Path
) -> None:
    world = World(tmp_path, env={"PYTHONHASHSEED": "0", "TZ": "Pacific/Auckland"})
    # In Turkish the small letter of I is not i, and the comma is the decimal point.
    in_locale(world, "tr_TR", "Cuma")
    as_another_user(world, 4711)
    on_one_core(world)
    project = copy_of_the_repository(tmp_path / "project")
    require_same(here, world.make_issue(project, project), world)


@pytest.mark.exact_bytes
def test_the_bytes_are_the_same_beside_settings_that_spoil_everything_in_a_folder_with_an_odd_name(
    here: dict[str, bytes], tmp_path: Path
) -> None:
    world = World(tmp_path)
    with_settings_that_spoil_everything(world)
    odd = tmp_path / "Città #1 of 100% 'so' \"called\" & <b>$HOME</b> [x] {y} *_~`;" / ("very " * 40 + "long")
    project = copy_of_the_repository(odd / ("deep" * 40))
    put_down_in_another_order(project)
    require_same(here, world.make_issue(project, project), world)


def test_a_difference_is_named_by_its_file_and_shown(tmp_path: Path) -> None:
    here: dict[str, Any] = {"figures.csv": b"a,1\nb,2\n", "vip.pdf": b"%PDF\xff1", "same": b"\xff"}
    there = {**here, "figures.csv": b"a,1\nb,3\n", "vip.pdf": b"%PDF\xff2"}
    with pytest.raises(
        AssertionError, match=r"(?s)figures\.csv differs:.*-b,2\n *\+b,3\n *\n *vip\.pdf differs from byte 5"
    ):
        require_same(here, there, World(tmp_path))
