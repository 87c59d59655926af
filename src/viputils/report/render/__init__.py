"""From an executed notebook to the pages of an issue: one interface, two engines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol


class Engine(Protocol):
    """What makes HTML, PDF and DOCX of an executed notebook, with the settings of the project's _quarto.yml."""

    @property
    def name(self) -> str:
        """Return the name by which ``--engine`` chooses it."""

    def version(self) -> str:
        """Name the programs and versions that make the bytes, for the manifest of an issue."""

    def render(self, project_root: Path, notebook: Path, formats: Sequence[str]) -> dict[str, Path]:
        """Write each of ``formats`` beside the notebook and say where.

        Raises
        ------
        RenderError
            With everything that stands in the way of a page. No format is written then.
        """

    def render_site(self, root: Path) -> Path:
        """Make a page of every notebook of a website project; give the folder that they lie in.

        Raises
        ------
        RenderError
            With everything that stands in the way of any page.
        """


def choose_engine(name: Literal["auto", "quarto", "embedded"]) -> Engine:
    """Return the engine of that name; ``auto`` is Quarto where a Quarto that can do it is on PATH.

    Raises
    ------
    ValueError
        For another name.
    RenderError
        If it is Quarto that was asked for, and there is none, or one that is too old.
    """
    if name not in ("auto", "quarto", "embedded"):
        raise ValueError(f"engine must be 'auto', 'quarto' or 'embedded', not {name!r}.")
    if name != "embedded":
        from viputils.report.render.quarto import QuartoEngine

        if name == "quarto":
            QuartoEngine.require()
        if QuartoEngine.available():
            return QuartoEngine()
    from viputils.report.render.embedded import EmbeddedEngine

    return EmbeddedEngine()
