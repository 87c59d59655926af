"""Make the pictures of docs/analysts.md again: run its examples, and keep what each of them draws."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from viputils import workbench
from viputils.core.months import ReportMonth
from viputils.figures.assessment import counts_of
from viputils.report.drawing import WIDE, limits_chart, month_names, panels_chart

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "analysts.md"
_BLOCK = re.compile(r"```python\n(?P<code>.*?)```|\]\(images/(?P<picture>analyst-[a-z0-9-]+\.png)\)", re.DOTALL)


def pictures() -> Iterator[tuple[str, Figure]]:
    """Yield the name of each picture of the page, and what is on it: what the example before it draws."""
    from matplotlib import pyplot as plt

    drawn = notebook_charts()
    names: dict[str, Any] = {}
    for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if found["code"] is not None:
            plt.close("all")
            exec(found["code"], names)  # noqa: S102 - it is our own page
        elif found["picture"] in drawn:
            yield found["picture"], drawn[found["picture"]]
        else:
            yield found["picture"], plt.gcf()
    plt.close("all")


def notebook_charts() -> dict[str, Figure]:
    """Return the two charts of the notebook that the page shows."""
    tables = workbench.load(as_of="2023-12-04")
    chart = tables.process_chart("responses")
    months: list[ReportMonth] = list(chart.points.index)
    fonts = tables.project.fonts
    counts = counts_of(tables.records, months[-1], "referrals_made_by_service")
    panels = [(str(name), list[int | None](map(int, counts[name]))) for name in counts]
    return {
        "analyst-over-time.png": limits_chart(fonts, month_names(months), chart),
        "analyst-by-category.png": panels_chart(fonts, month_names(months), panels, width=WIDE),
    }


def main(folder: Path) -> None:
    """Write the pictures into a folder."""
    os.chdir(ROOT)
    mpl.rcdefaults()
    for name, figure in pictures():
        figure.savefig(folder / name, dpi=110, metadata={"Software": None})
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
