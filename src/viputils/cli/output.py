"""How commands print: text, tables, CSV, JSON, and which step is running."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

import typer

from viputils.core.spreadsheet import inert_table
from viputils.core.text import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.text import Text


class Format(Enum):
    """The format in which a command prints its answer."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"

    @classmethod
    def of(cls, as_json: bool, as_csv: bool = False, as_markdown: bool = False) -> Format:
        """Return the format that the options ask for: text unless one is given."""
        chosen = {cls.JSON: as_json, cls.CSV: as_csv, cls.MARKDOWN: as_markdown}
        return next((form for form, asked in chosen.items() if asked), cls.TEXT)


def emit(
    form: Format,
    *,
    text: Callable[[], None],
    json: Callable[[], dict[str, Any]],
    csv: Callable[[], pd.DataFrame | str] | None = None,
    markdown: Callable[[], str] | None = None,
) -> None:
    """Print an answer in one format. Only that format is made."""
    if form is Format.JSON:
        show_json(json())
    elif form is Format.CSV and csv is not None:
        rows = csv()
        typer.echo(rows, nl=False) if isinstance(rows, str) else show_csv(rows)
    elif form is Format.MARKDOWN and markdown is not None:
        say(markdown())
    else:
        text()


def note(form: Format, line: object) -> None:
    """Print a note on an answer: on stderr beside CSV, and not at all beside JSON, which includes its notes."""
    if form is not Format.JSON:
        (say_aside if form is Format.CSV else say)(line)


def plain(text: object) -> Text:
    """Return text for the terminal without markup, emoji codes and control characters."""
    from rich.text import Text

    return Text("\n".join(printable(line) for line in str(text).split("\n")))


def say(text: object) -> None:
    """Print text on stdout."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(plain(text))


def say_aside(text: object) -> None:
    """Print text on stderr, apart from the answer."""
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True).print(plain(text))


def say_mark(mark: str | None) -> None:
    """Print the mark of sample data, if there is one."""
    if mark is not None:
        say(mark)


def says_yes(question: str) -> bool:
    """Return whether the user answers yes. The answer is no if there is no terminal."""
    try:
        return typer.confirm(question)
    except typer.Abort:
        typer.echo()
        return False


def show_table(title: str, rows: pd.DataFrame, right: Iterable[str] = ()) -> None:
    """Print a table with its columns as headings. Columns named in ``right`` are aligned right."""
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    table = Table(title=plain(title), title_justify="left")
    for column in rows.columns:
        table.add_column(
            column.capitalize().replace("_", " "), justify="right" if column in list(right) else "left", overflow="fold"
        )
    for row in rows.astype("object").to_numpy():
        table.add_row(*(plain("none" if pd.isna(cell) else cell) for cell in row))
    # Without a terminal, use a width that cuts off no figure.
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=130)).print(table)


def show_csv(rows: pd.DataFrame) -> None:
    """Print a table as CSV, with values that a spreadsheet cannot run as formulas."""
    typer.echo(inert_table(rows).to_csv(index=False, lineterminator="\n"), nl=False)


def show_json(shown: dict[str, Any]) -> None:
    """Print JSON: tables as lists of rows, missing values as null, dates in ISO form."""

    def plain_value(value: Any) -> Any:
        return json.loads(value.to_json(orient="records")) if hasattr(value, "to_json") else value.isoformat()

    text = json.dumps(shown, indent=2, ensure_ascii=False, default=plain_value)
    # Escape control characters, so that the terminal does not act on them.
    typer.echo("".join(mark if mark.isprintable() or mark == "\n" else json.dumps(mark)[1:-1] for mark in text))


@contextmanager
def bar(total: int) -> Iterator[Callable[[object, Callable[[object], None]], None]]:
    """Show a progress bar on a terminal, and print a line for each item done."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True) if Console().is_terminal else Console(stderr=True)
    if not console.is_terminal or not total:
        yield lambda words, say_it: say_it(words)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    # The text beside the bar takes 41 columns. On a narrow terminal, show the time left instead of the bar.
    room = console.width - 41
    wide = [TextColumn("{task.description}"), BarColumn(min(room, 40))] if room > 3 else []
    columns = [*wide, MofNCompleteColumn(), TextColumn("time left"), TimeRemainingColumn()]
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as shown:
        task = shown.add_task("Making issues", total=total)

        def advance(words: object, say_it: Callable[[object], None]) -> None:
            if console.stderr:
                say_it(words)
            else:
                console.print(plain(words))
            shown.advance(task)

        yield advance


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show on stderr which step is running: a spinner on a terminal, or else one line per step."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield lambda words: console.print(f"{words} …")
        return
    with console.status("Starting") as status:

        def step(words: str) -> None:
            status.update(f"{words} …")

        yield step
