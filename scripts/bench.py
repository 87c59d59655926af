"""Time issues, the site and records against plain tools: `make bench`, or `make bench ROWS=10000`.

Compare the ratios, which come from the same run. There are three parts.

An issue, step by step, as the median of a few runs. The plain pair is `papermill` and then `jupyter nbconvert --to
html` on the same notebook, as two processes. It makes only HTML.

The site of every month: from scratch, compared with one `vip report`; then with no change, and with one text changed.

Records, by the number of rows of `responses`: intake, and raw to figures, compared with `pandas.read_csv` of the same
file, with the peak memory of each. Each runs in its own process. The second delivery corrects one row in a thousand.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from viputils.audit.as_of import load_edition
from viputils.audit.trace import trace_figure
from viputils.audit.verdicts import verify_register
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.reproduction import reproduce
from viputils.report.issue import front_matter
from viputils.report.notebook import clean_copy, run_notebook
from viputils.report.render import choose_engine
from viputils.report.render.rasters import rasters

MONTH = "2023-11"
FIGURE = "responses_by_incident_type/Homicide/month"
ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def median(action: Callable[[], object], runs: int = 5) -> float:
    """Return the median time of an action, after a first run that loads files and modules."""
    action()
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def process(*command: str | Path) -> None:
    """Run a command and wait for it."""
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def rows_of_responses(path: Path, numbers: Iterable[int], seed: int) -> None:
    """Write random responses, with the spellings of agencies."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    kinds = ["GSW", "DV", "Homicide", "Murder", "Suicide", "Other", "domestic violence"]
    areas = ["SE", "Southwest", "VA", "NE", "Northwest", ""]
    days = [f"2023-{month:02}-{day:02}" for month in range(1, 11) for day in range(1, 29)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write("response_id,response_date,incident_type,area_command\n")
        for number in numbers:
            day, kind, area = chance.choice(days), chance.choice(kinds), chance.choice(areas)
            file.write(f"R-{number:09},{day},{kind},{area}\n")


def measured(task: str, *arguments: str | Path) -> tuple[float, float]:
    """Run a task in its own process. Return its seconds without imports, and its peak memory in MB."""
    command = [sys.executable, __file__, task, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, megabytes


def run_task(task: str, arguments: Sequence[str]) -> None:
    """Run a task for ``measured``."""
    import pandas as pd

    from viputils.figures.counts import compute_figures
    from viputils.intake.proposal import Proposal, proposed_intake
    from viputils.records.clean import load_records

    begin = time.perf_counter()
    if task == "plain":
        for path in arguments:
            pd.read_csv(path)
    elif task == "figures":
        compute_figures(load_records(Project.open(Path(arguments[0]))), ReportMonth(2023, 10))
    else:
        day = dt.date(2023, 12, 4)
        with proposed_intake(Project.open(Path(arguments[0])), [Path(arguments[1])], day, day) as proposal:
            if isinstance(proposal, Proposal):
                proposal.accept()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([time.perf_counter() - begin, used]))


def measure_records(sizes: Sequence[int]) -> None:
    """Measure intake and raw to figures at several sizes, and print the ratios."""
    print("Records: seconds (times the plain read; seconds per million rows), and peak memory")
    print(f"{'rows':>12}  {'pandas.read_csv':>22}  {'raw to figures':>34}  {'vip intake':>34}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            settings = (ROOT / "program.toml").read_text(encoding="utf-8")
            settings = settings.replace('delivered = "monthly"', 'delivered = "irregularly"')
            for name in ("counted", "taken in"):
                (root / name / "data" / "raw").mkdir(parents=True)
                (root / name / "program.toml").write_text(settings, encoding="utf-8")
            raw = root / "counted" / "data" / "raw"
            whole, mended = raw / "2023-11-03" / "responses.csv", raw / "2023-12-04" / "responses.csv"
            rows_of_responses(whole, range(size), seed=1)
            rows_of_responses(mended, range(0, size, 1000), seed=2)
            plain, plain_memory = measured("plain", whole, mended)
            cells = []
            for task in (("figures", root / "counted"), ("intake", root / "taken in", whole)):
                seconds, memory = measured(*task)
                per_million = seconds / size * 1_000_000
                cells.append(
                    f"{seconds:.2f} s ({seconds / plain:.1f}; {per_million:.2f}) "
                    f"{memory:,.0f} MB ({memory / plain_memory:.2f})"
                )
        print(f"{size:>12,}  {f'{plain:.2f} s {plain_memory:,.0f} MB':>22}  {cells[0]:>34}  {cells[1]:>34}", flush=True)
    print()


def measure_issue() -> None:
    """Measure an issue step by step, and print the ratios."""
    import nbformat

    project = Project.open(ROOT)
    edition = load_edition(project, MONTH)
    engine = choose_engine("embedded")
    parameters = {"month": MONTH, "as_of": edition.as_of.isoformat()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        executed = run_notebook(project.notebook, parameters, cwd=ROOT)
        demonstration = edition.records.is_demonstration
        header = front_matter(project, edition.month.label, edition.as_of, demonstration)
        copy, images = clean_copy(executed, header)
        (folder / "charts").mkdir()
        for name, image in (images | rasters(images)).items():
            (folder / name).write_bytes(image)
        notebook = folder / "issue.ipynb"
        nbformat.write(copy, notebook)
        plain = folder / "plain.ipynb"

        def papermill() -> None:
            process(BIN / "papermill", project.notebook, plain, "-p", "month", MONTH, "--no-progress-bar")

        def nbconvert() -> None:
            process(BIN / "jupyter", "nbconvert", "--to", "html", plain)

        steps: dict[str, float] = {
            "raw to figures": median(lambda: load_edition(project, MONTH)),
            "Papermill (notebook to outputs)": median(
                lambda: run_notebook(project.notebook, parameters, cwd=ROOT), runs=3
            ),
            "HTML": median(lambda: engine.render(ROOT, notebook, ["html"])),
            "PDF": median(lambda: engine.render(ROOT, notebook, ["pdf"])),
            "DOCX": median(lambda: engine.render(ROOT, notebook, ["docx"])),
            "all three, side by side": median(lambda: engine.render(ROOT, notebook, ["html", "pdf", "docx"])),
            "PNG of every chart": median(lambda: rasters(images)),
            "the whole of vip report": median(
                lambda: process(BIN / "vip", "report", MONTH, "--engine", "embedded"), runs=3
            ),
            "vip trace (5 homicides), after start-up": median(lambda: trace_figure(project, edition.month, FIGURE)),
            "vip verify --all, after start-up": median(lambda: verify_register(project), runs=3),
            "vip reproduce": median(lambda: reproduce(project, MONTH), runs=3),
            "plain: papermill": median(papermill, runs=3),
            "plain: jupyter nbconvert --to html": median(nbconvert, runs=3),
        }
    pair = steps["plain: papermill"] + steps["plain: jupyter nbconvert --to html"]
    print(f"{MONTH}, {engine.version()}; ratios to the plain pair, papermill and jupyter nbconvert --to html\n")
    for name, seconds in [*steps.items(), ("the plain pair (HTML only)", pair)]:
        print(f"{name:<42}{seconds:>8.2f} s{seconds / pair:>8.2f}")


def measure_site() -> None:
    """Measure the site of every month: from scratch, with no change, and with one text changed."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "project"
        for name in ("data", "notebooks", "report"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".*"))
        for name in ("program.toml", "_quarto.yml"):
            shutil.copy(ROOT / name, root)

        def timed(*arguments: str) -> tuple[float, dict[str, Any]]:
            begin = time.perf_counter()
            done = subprocess.run(
                [BIN / "vip", *arguments, "--engine", "embedded", "--json"], cwd=root, check=True, capture_output=True
            )
            return time.perf_counter() - begin, json.loads(done.stdout)

        report = statistics.median(timed("report", MONTH)[0] for _ in range(3))
        shutil.rmtree(root / "issues")
        first, made = timed("site")
        again, _ = timed("site")
        (root / "report" / "activities" / "2023-10.md").write_text("## News\n\nText.\n", encoding="utf-8")
        one, changed = timed("site")
    print(f"\nThe site: {made['issues']} issues, {made['pages']} pages")
    rows = [
        ("one vip report", report, ""),
        ("vip site, from scratch", first, f"{first / made['issues'] / report:.2f} of a vip report for each issue"),
        ("vip site, nothing changed", again, f"{again / first:.4f} of the first time"),
        (f"vip site, a text of {len(changed['made'])} changed", one, f"{one / first:.4f} of the first time"),
    ]
    for name, seconds, ratio in rows:
        print(f"{name:<42}{seconds:>8.2f} s  {ratio}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        run_task(sys.argv[1], sys.argv[2:])
    else:
        sizes = (
            [int(size) for size in sys.argv[1].split(",")] if len(sys.argv) == 2 else [10_000, 1_000_000, 10_000_000]
        )
        measure_records(sizes)
        measure_issue()
        measure_site()
