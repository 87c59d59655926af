"""How long an issue takes, step by step, beside the plain pair of tools: `make bench`.

Every figure is the median of a few runs on this machine, and what counts are the ratios: all come from one run.
The plain pair is `papermill` and then `jupyter nbconvert --to html` on the same notebook, as two processes; it
makes HTML only, and nothing that a city would publish.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from viputils.edition import load_edition
from viputils.issue import front_matter
from viputils.notebook import clean_copy, run_notebook
from viputils.project import Project
from viputils.render import choose_engine

MONTH = "2023-11"
ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def median(action: Callable[[], object], runs: int = 5) -> float:
    """Time an action; the first time, when files and modules are read, does not count."""
    action()
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def process(*command: str | Path) -> None:
    """Run a command to its end."""
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def main() -> None:
    """Measure, and print the ratios."""
    import nbformat

    project = Project.open(ROOT)
    edition = load_edition(project, MONTH)
    engine = choose_engine("embedded")
    parameters = {"month": MONTH, "as_of": edition.as_of.isoformat()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        executed = run_notebook(project.notebook, parameters, cwd=ROOT)
        copy, images = clean_copy(executed, front_matter(edition))
        (folder / "charts").mkdir()
        for name, image in images.items():
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
            "the whole of vip report (HTML and PDF)": median(
                lambda: process(BIN / "vip", "report", MONTH, "--engine", "embedded"), runs=3
            ),
            "plain: papermill": median(papermill, runs=3),
            "plain: jupyter nbconvert --to html": median(nbconvert, runs=3),
        }
    pair = steps["plain: papermill"] + steps["plain: jupyter nbconvert --to html"]
    print(f"{MONTH}, {engine.version()}; ratios to the plain pair, papermill and jupyter nbconvert --to html\n")
    for name, seconds in [*steps.items(), ("the plain pair (HTML only)", pair)]:
        print(f"{name:<42}{seconds:>8.2f} s{seconds / pair:>8.2f}")


if __name__ == "__main__":
    main()
