"""A new project: what every city has, and the texts of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from viputils import __version__
from viputils.core.errors import ParameterError, Problem
from viputils.core.files import replaced_whole

# What a city has as it is: the notebooks, the look, and the page on methods. The wheel has a copy.
SHARED: Final = (
    *(f"notebooks/{name}.ipynb" for name in ("monthly_report", "period_report", "explore_trends", "data_quality")),
    *("report/theme", "report/fonts", "report/pages/methods.md", "_quarto.yml"),
)
_TEMPLATES: Final = Path(__file__).parent / "templates"
_PLACES: Final[Mapping[str, str]] = {
    "README.md": "README.md",
    "Makefile": "Makefile",
    "requirements.txt": "requirements.txt",
    "gitignore": ".gitignore",
    "test_register.txt": "tests/test_register.py",
    "check.yml": ".github/workflows/check.yml",
    "activities.md": "report/activities/README.md",
}
_EMPTY: Final = ("data/raw", "data/published")


def require_new(folder: Path) -> None:
    """Raise ``ParameterError`` if a folder has anything in it: nothing is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problem = Problem(str(folder), "is not empty;", "name a new folder, or an empty one.")
        raise ParameterError("Nothing was made: nothing is overwritten.", [problem])


def shared_files() -> Path:
    """Return the folder with what every city has: in an installed package, or in a checkout of it."""
    inside = Path(__file__).parent / "skeleton"
    return inside if (inside / "_quarto.yml").is_file() else Path(__file__).parents[3]


def starting_program() -> str:
    """Return a program.toml to change, for a city that gives no files."""
    return (_TEMPLATES / "program.toml").read_text(encoding="utf-8")


def write_project(folder: Path, program: str, words: Mapping[str, str], month: str) -> None:
    """Write a new project completely, or not at all.

    Parameters
    ----------
    program
        The text of program.toml.
    words
        The names that the texts mention: ``city`` and ``report_title``.
    month
        The month of the first report.
    """
    require_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replaced_whole(folder.parent, folder.name) as made:
        for name in SHARED:
            source, target = shared_files() / name, made / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                target.write_bytes(source.read_bytes())
        notebook = made / "notebooks" / "monthly_report.ipynb"
        text = notebook.read_text(encoding="utf-8").replace('month = \\"2023-11\\"', f'month = \\"{month}\\"')
        notebook.write_text(text.replace("vip report 2023-11", f"vip report {month}"), encoding="utf-8", newline="")
        for name, place in _PLACES.items():
            target = made / place
            target.parent.mkdir(parents=True, exist_ok=True)
            given = Template((_TEMPLATES / name).read_text(encoding="utf-8"))
            text = (
                given.substitute(words, month=month, version=__version__) if "$" in given.template else given.template
            )
            target.write_text(text, encoding="utf-8", newline="")
        for name in _EMPTY:
            (made / name).mkdir(parents=True)
            (made / name / ".gitkeep").touch()
        (made / "program.toml").write_text(program, encoding="utf-8", newline="")
