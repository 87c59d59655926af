"""Time 24 runs of the report's notebook: stock Papermill, the engine vip, and plain Python as the lower limit.

All lines except the last include the start of processes and imports. The limit is a loop in one process that has
already run one month, so it uses the caches of the library. Processor seconds are those of all processes together. On
a busy machine they are more reliable than the clock.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
NOTEBOOK: Final = ROOT / "notebooks" / "monthly_report.ipynb"
# Every month with deliveries, and the last ones a second time.
MONTHS: Final = [f"{2022 + (6 + n) // 12}-{(6 + n) % 12 + 1:02}" for n in range(17)]
RUNS: Final = [*MONTHS, *MONTHS[-7:]]

WAYS: Final = {
    "stock": "stock Papermill",
    "vip": "papermill --engine vip",
    "apart": "in separate processes",
}


def run_papermill(months: list[str], engine: str) -> None:
    """Run the notebook with Papermill, without writing it."""
    import papermill

    for month in months:
        papermill.execute_notebook(
            str(NOTEBOOK), None, {"month": month}, engine_name=engine, cwd=str(ROOT), progress_bar=False
        )


def run_apart(months: list[str]) -> None:
    """Run the notebook as an issue does, each month in its own process."""
    from viputils.report.process import in_own_process

    for month in months:
        in_own_process(run_one, month, hear={})


def run_one(month: str, _tell: object) -> None:
    """Run the notebook in this process, without writing it."""
    from viputils.report.notebook import run_notebook

    run_notebook(NOTEBOOK, {"month": month}, ROOT)


def run_plainly(months: list[str]) -> tuple[float, float]:
    """Run the notebook's code in this process after a warm-up. Return the seconds and the processor seconds."""
    import nbformat

    os.chdir(ROOT)
    # The default backend would need a kernel.
    os.environ["MPLBACKEND"] = "agg"
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    codes = [compile(cell.source, "cell", "exec") for cell in cells]
    places = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]

    def run(month: str) -> None:
        names: dict[str, Any] = {}
        for number, code in enumerate(codes):
            exec(code, names)  # noqa: S102 - our own notebook
            if number in places:
                names["month"] = month

    run(months[0])
    begin, spent = time.perf_counter(), time.process_time()
    for month in months:
        run(month)
    return time.perf_counter() - begin, time.process_time() - spent


def measured(way: str, processes: int) -> tuple[float, float]:
    """Return the seconds and processor seconds of all runs, divided among processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    started = [
        subprocess.Popen([sys.executable, __file__, way, *RUNS[number::processes]], stdout=subprocess.PIPE, text=True)
        for number in range(processes)
    ]
    said = [process.communicate()[0] for process in started]
    seconds = time.perf_counter() - begin
    if any(process.returncode for process in started):
        raise SystemExit(f"{way} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if way == "limit":
        seconds, spent = map(float, said[0].split())
    return seconds, spent


def main() -> None:
    """Run the benchmark and print the results."""
    limit, limit_spent = measured("limit", 1)
    print(f"{len(RUNS)} runs of {NOTEBOOK.name}; machine load {os.getloadavg()[0]:.1f}")
    for way, name in WAYS.items():
        for processes in (1, 2):
            seconds, spent = measured(way, processes)
            ratio = seconds / (limit / processes)
            print(
                f"  {name:<31} {processes} process{'es' if processes > 1 else '  '} {seconds:6.1f} s, "
                f"{ratio:4.2f} x the limit{' / 2' if processes > 1 else '    '}; "
                f"processors {spent:6.1f} s, {spent / limit_spent:4.2f} x",
                flush=True,
            )
    print(f"  {'plain Python, warm: the limit':<31} 1 process   {limit:6.1f} s, processors {limit_spent:6.1f} s")


def _work(way: str, months: list[str]) -> None:
    if way == "limit":
        print(*run_plainly(months))
    elif way == "apart":
        run_apart(months)
    elif way == "vip":
        run_papermill(months, "vip")
    else:
        run_papermill(months, "nbclient")


if __name__ == "__main__":
    if sys.argv[1:]:
        _work(sys.argv[1], sys.argv[2:])
    else:
        main()
