"""Time years of issues: one by one with stock tools, and with `vip backfill`.

The records are those of the demonstration, copied with other ids for each earlier year. They are in a temporary folder.
Compare the ratios, which come from the same run.

For each month, the stock loop runs `papermill` and then the embedded engine for HTML and PDF, each in its own process.
Backfill also makes DOCX, data and the manifest. If Quarto is installed, the loop also runs with `quarto render` for a
few months.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import psutil

from viputils.core.months import ReportMonth

ROOT: Final = Path(__file__).resolve().parents[1]
BIN: Final = Path(sys.executable).parent
LAST: Final = ReportMonth(2023, 11)
# The days of receipt of the demonstration's first fiscal year. Earlier years are copies of it.
WHOLE_YEAR: Final = ("2022-08-03", "2023-07-06")
FIRST_YEAR: Final = 2022
QUARTO_MONTHS: Final = 4


def project_of(folder: Path, months: int) -> Path:
    """Make a project with records for the last ``months`` months and the rest of their first fiscal year."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in tracked.rstrip("\0").split("\0"):
        if not name.startswith(("tests/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    raw = folder / "data" / "raw"
    year = LAST.plus(1 - months).fiscal_year(7).first.year
    for back in range(1, FIRST_YEAR - year + 1):
        for delivery in sorted(ROOT.joinpath("data", "raw").iterdir()):
            if WHOLE_YEAR[0] <= delivery.name <= WHOLE_YEAR[1]:
                earlier = raw / _earlier(delivery.name, back)
                earlier.mkdir()
                for table in delivery.glob("*.csv"):
                    text = _earlier(table.read_text(encoding="utf-8"), back)
                    (earlier / table.name).write_text(re.sub("(DEMO-[A-Z]-)0", rf"\g<1>{back}", text), encoding="utf-8")
    program = folder / "program.toml"
    text = program.read_text(encoding="utf-8")
    for key in ("began", "records_from", "valid_from"):
        text = re.sub(rf"^{key}( *)= [0-9-]+", rf"{key}\1= {year}-07-01", text, flags=re.MULTILINE)
    program.write_text(text, encoding="utf-8")
    return folder


def _earlier(text: str, years: int) -> str:
    return re.sub(r"\b(20[0-9]{2})(-[0-9]{2}-[0-9]{2})\b", lambda day: f"{int(day[1]) - years}{day[2]}", text)


def run(folder: Path, *command: str | Path) -> float:
    """Run a command in a project, and return its seconds."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - begin


def backfill(folder: Path, months: int) -> float:
    """Make the issues of the last months, and return the seconds."""
    first = LAST.plus(1 - months)
    return run(folder, BIN / "vip", "backfill", str(first), str(LAST), "--engine", "embedded", "--allow-quarantined")


def stock_loop(folder: Path, months: list[ReportMonth], engine: str) -> float:
    """Make HTML and PDF of each month with `papermill` and then an engine, and return the seconds."""
    seconds = 0.0
    for month in months:
        made = folder / "loop" / engine / str(month)
        made.mkdir(parents=True)
        out = made / f"{month}.ipynb"
        notebook = folder / "notebooks" / "monthly_report.ipynb"
        seconds += run(folder, BIN / "papermill", notebook, out, "-p", "month", str(month))
        seconds += run(folder, sys.executable, __file__, "render", engine, str(folder), str(out))
    return seconds


def render(engine: str, folder: Path, notebook: Path) -> None:
    """Make HTML and PDF of an executed notebook, in its folder."""
    import nbformat

    from viputils.audit.as_of import as_of_issue
    from viputils.config.project import Project
    from viputils.records.deliveries import find_deliveries
    from viputils.report.issue import front_matter
    from viputils.report.notebook import clean_copy
    from viputils.report.render import choose_engine

    project = Project.open(folder)
    month = ReportMonth.parse(notebook.stem)
    as_of = as_of_issue(project.program, find_deliveries(project), month)
    header = front_matter(project, month.label, as_of, demonstration=True)
    copy, images = clean_copy(nbformat.read(notebook, as_version=4), header)
    (notebook.parent / "charts").mkdir()
    for name, data in images.items():
        (notebook.parent / name).write_bytes(data)
    nbformat.write(copy, notebook)
    choose_engine("quarto" if engine == "quarto" else "embedded").render(folder, notebook, ["html", "pdf"])


class Memory(threading.Thread):
    """A thread that records the peak memory of child processes in MB. Shared memory is divided among them."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.at_once = 0.0
        self.of_one = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        """Sample the memory until stopped."""
        while not self._over.wait(0.3):
            sizes = []
            for process in psutil.Process().children(recursive=True):
                try:
                    sizes.append(process.memory_full_info().pss / 1e6)
                except psutil.Error:
                    continue
            self.at_once, self.of_one = max(self.at_once, sum(sizes)), max(self.of_one, *sizes, 0.0)

    def stop(self) -> None:
        """Stop sampling."""
        self._over.set()
        self.join()


def main(sizes: list[int]) -> None:
    """Run the benchmark and print the results."""
    with tempfile.TemporaryDirectory(prefix="vip-bench-") as scratch:
        rows: dict[int, float] = {}
        for months in sizes:
            folder = project_of(Path(scratch).resolve() / str(months), months)
            rows[months] = backfill(folder, months)
            print(
                f"{months} months: vip backfill {rows[months]:.1f} s, {rows[months] / months:.2f} s an issue, "
                f"{rows[months] / months / (rows[sizes[0]] / sizes[0]):.2f} x that of {sizes[0]} months",
                flush=True,
            )
            again = backfill(folder, months)
            print(f"  nothing changed: {again:.2f} s, 1/{rows[months] / again:.0f} of that", flush=True)
            if months == 24:
                _beside(folder, months, rows[months])
            # Measure memory in a separate run, because sampling takes time.
            shutil.rmtree(folder / "issues")
            memory = Memory()
            memory.start()
            backfill(folder, min(months, 6))
            memory.stop()
            print(
                f"  memory at most {memory.of_one:.0f} MB in one process, {memory.at_once:.0f} MB in all "
                f"(the last {min(months, 6)} months)",
                flush=True,
            )
            shutil.rmtree(folder)


def _beside(folder: Path, months: int, seconds: float) -> None:
    every = list(LAST.plus(1 - months).until(LAST))
    loop = stock_loop(folder, every, "embedded")
    print(f"  papermill and the embedded engine, one by one: {loop:.1f} s, {loop / seconds:.1f} x backfill", flush=True)
    alone = sum(run(folder, BIN / "vip", "report", str(month), "--engine", "embedded") for month in every)
    print(f"  vip report, one by one: {alone:.1f} s, {alone / seconds:.1f} x backfill", flush=True)
    if shutil.which("quarto"):
        quarto = stock_loop(folder, every[-QUARTO_MONTHS:], "quarto") / QUARTO_MONTHS
        print(
            f"  papermill and quarto render: {quarto:.1f} s an issue ({QUARTO_MONTHS} were made), "
            f"{quarto / (seconds / months):.1f} x backfill",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["render"]:
        render(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main([int(size) for size in sys.argv[1:]] or [12, 24, 120])
