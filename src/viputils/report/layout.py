"""Parts of every section: numbers, marks and tables in Markdown."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown

from viputils.audit.register import IssueName
from viputils.config.language import ENGLISH, Language
from viputils.config.program import Program
from viputils.core.months import IssuePeriod
from viputils.figures.comparison import SMALL
from viputils.report.markdown import (
    escape,
)

# The shorthands in use, explained beside every table that holds one.
NOT_AVAILABLE = "[x]"
PROVISIONAL = "[p]"
REVISED = "[r]"

# The variable by which Jupyter tells a kernel which notebook it runs.
IN_JUPYTER = "JPY_SESSION_NAME"


def number(value: int) -> str:
    """Write a whole number with commas between thousands: ``2,599``."""
    return f"{value:,}"


def percent(part: int, whole: int, language: Language = ENGLISH) -> str:
    """Write a share as a whole percentage, halves up; not available where there is no whole to have a share of."""
    return language.percent(part, whole) if whole else NOT_AVAILABLE


def label_of(name: IssueName, language: Language) -> str:
    """Name an issue in words: ``November 2023, re-issue 1``."""
    period = language.period(name.period)
    return language.text("{month}, re-issue {number}", month=period, number=name.number) if name.number else period


def report_title(program: Program, language: Language, period: IssuePeriod) -> str:
    """Return the title of the report of a period.

    Parameters
    ----------
    program
        With its names as they are shown.
    """
    if period.kind == "quarter":
        return language.text("Quarterly Report")
    return language.text("Annual Report") if period.kind == "year" else program.identity.report_title


def pipe_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, words: Sequence[int] = ()) -> str:
    """Write a captioned pipe table: names on the left, numbers on the right. Cells are Markdown already.

    Parameters
    ----------
    words
        The columns, from 0, that hold words and no numbers.
    """
    # The dashes give the relative widths that Pandoc uses where a row is long.
    rule = [":" + "-" * 23 if place in (0, *words) else "-" * 7 + ":" for place, _ in enumerate(header)]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n: {caption}"


def attribute(text: str) -> str:
    """Return text as the value of a Pandoc attribute."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def div(kind: str, body: str) -> str:
    """Put Markdown into a fenced div; the empty lines keep its marks apart where a notebook shows them."""
    return f"::: {{.{kind}}}\n\n{body}\n\n:::"


def readable(part: Markdown) -> Markdown:
    """Return a part as a notebook shows it best: without the marks that lay out a page, images with their full text."""
    value = r'"((?:[^"\\]|\\.)*)"'

    def image(found: re.Match[str]) -> str:
        caption, data, alt = found[1], found[2], re.sub(r"\\(.)", r"\1", found[3])
        return f"![{escape(alt)}]({data})\n\n*{caption}*"

    text = re.sub(rf'!\[(.*)\]\((data:[^)]*)\)\{{[^{{}}"]*fig-alt={value}(?:[^{{}}"]|{value})*\}}', image, part.data)
    text = re.sub(r"^:::(?: \{\.\w+(?: lang=\w+)?\})?\n?", "", text, flags=re.MULTILINE)
    return Markdown(re.sub(r"^: (.+)$", r"*\1*", text, flags=re.MULTILINE).strip())


def show_readable() -> None:
    """Show Markdown as ``readable`` from now on, if a person runs the notebook in JupyterLab.

    The report itself is made from the marks, so elsewhere nothing changes.
    """
    from ipykernel.zmqshell import ZMQInteractiveShell
    from IPython import get_ipython

    shell = get_ipython()
    # Jupyter tells its kernels which notebook they run.
    if IN_JUPYTER in os.environ and isinstance(shell, ZMQInteractiveShell) and shell.display_formatter is not None:
        formatter = shell.display_formatter.formatters["text/markdown"]
        formatter.for_type(Markdown, lambda part: readable(part).data)


def signed(value: float) -> str:
    """Write a change with its sign, and with a decimal place only where it has one: ``+13``, ``-1.5``, ``0``."""
    return f"{value:+,.1f}".removesuffix(".0") if value else "0"


def signed_percent(value: float) -> str:
    """Write a percentage with its sign and one decimal place, ``+5.3%``; not available where there is none."""
    if pd.isna(value):
        return escape(NOT_AVAILABLE)
    return f"{value:+.1f}%" if round(value, 1) else "0.0%"


def change_percent(language: Language, now: int, before: int | None) -> str:
    """Return a change as a whole percentage with its sign: ``+12%``. Not available if there is too little before."""
    if before is None or before < SMALL:
        return NOT_AVAILABLE
    share = language.percent(abs(now - before), before)
    return share if share == language.percent(0, 1) else f"{'+' if now > before else '-'}{share}"


def part(title: str, *blocks: str) -> Markdown:
    """Return one part of the report under its heading."""
    return Markdown("\n\n".join([f"## {title}", *(block for block in blocks if block)]))


def category_in(language: Language, category: object) -> str:
    """Return a category as a language shows it; in the figures table it stays as it is."""
    return language.text(str(category)) if category else ""
