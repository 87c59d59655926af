"""Pages by Quarto, where it is on PATH: the same notebook, settings and theme, rendered in a copy of the project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from viputils.config.page_settings import SETTINGS, copy_named_files
from viputils.core.errors import Problem, RenderError
from viputils.core.files import copy_files, private_folder
from viputils.report.render.frontmatter import SITE_FOLDER, read_front_matter
from viputils.report.render.word import finished

OLDEST: Final = (1, 9)

# What Quarto calls the formats, and how their files end.
_TARGETS: Final = {"html": "html", "pdf": "typst", "docx": "docx"}


class QuartoEngine:
    """Makes HTML, PDF and DOCX with the Quarto command line."""

    name = "quarto"

    @classmethod
    def available(cls) -> bool:
        """Return whether a Quarto that is new enough is on PATH."""
        return not cls._lacks()

    @classmethod
    def require(cls) -> None:
        """Refuse to go on without it.

        Raises
        ------
        RenderError
            If Quarto is missing or too old.
        """
        if problems := cls._lacks():
            raise RenderError("Quarto cannot be used. The embedded engine makes the same pages.", problems)

    def version(self) -> str:
        """Name Quarto with its version."""
        return f"Quarto {_installed() or 'not found'}"

    def render(self, project_root: Path, notebook: Path, formats: Sequence[str]) -> dict[str, Path]:
        """Write ``<stem>.html``, ``<stem>.pdf`` and ``<stem>.docx`` beside the notebook.

        Quarto runs in a copy of what it reads, so that it leaves nothing behind in the project: it would write a
        cache there and edit .gitignore.

        Raises
        ------
        RenderError
            If Quarto is missing or too old, fails, or warns of what would be missing from a page.
        """
        self.require()
        if wrong := [name for name in formats if name not in _TARGETS]:
            raise RenderError(
                "This engine cannot make every format.",
                [Problem("formats", f"{name!r} is not known;", f"known: {', '.join(_TARGETS)}.") for name in wrong],
            )
        made: dict[str, bytes] = {}
        with private_folder("quarto") as root:
            folder = root / "issues" / "issue"
            shutil.copy(project_root / SETTINGS, root)
            copy_files(project_root / "report", root / "report")
            copy_named_files(project_root, root)
            shutil.copytree(notebook.parent, folder)
            for name in formats:
                _run(root, folder / notebook.name, _TARGETS[name])
                page = folder / notebook.with_suffix(f".{name}").name
                if not page.is_file():
                    raise RenderError("Quarto made no page.", [Problem("quarto", f"there is no {page.name}.")])
                made[name] = finished(page.read_bytes()) if name == "docx" else page.read_bytes()
        paths = {name: notebook.with_suffix(f".{name}") for name in formats}
        for name, path in paths.items():
            path.write_bytes(made[name])
        return paths

    def render_site(self, root: Path) -> Path:
        """Render a website project, search included; give the folder that its pages lie in.

        Raises
        ------
        RenderError
            If Quarto is missing or too old, fails, or warns of what would be missing from a page.
        """
        if problems := self._lacks():
            raise RenderError("Quarto cannot be used. The embedded engine makes the same pages.", problems)
        site = root / SITE_FOLDER
        notebooks = sorted(path for path in root.rglob("*.ipynb") if not path.is_relative_to(site))
        if notebooks:
            _quarto(root, ["render", "--to", "html"], notebooks[0])
        missing = [
            Problem("quarto", f"made no page of {name.as_posix()}.")
            for name in (path.relative_to(root) for path in notebooks)
            if not (site / name).with_suffix(".html").is_file()
        ]
        if missing:
            raise RenderError("Quarto did not make every page of the site.", missing)
        return site

    @classmethod
    def _lacks(cls) -> list[Problem]:
        needed = ".".join(str(part) for part in OLDEST)
        version = _installed()
        if version is None:
            return [
                Problem("quarto", "is not on PATH;", f"install Quarto {needed} or newer, or say --engine embedded.")
            ]
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            return [
                Problem("quarto", f"is version {version};", f"install {needed} or newer, or say --engine embedded.")
            ]
        return []


def _installed() -> str | None:
    """Return the version of the Quarto on PATH, if there is one that says it."""
    quarto = shutil.which("quarto")
    return _version_of(quarto, Path(quarto).stat().st_mtime_ns) if quarto else None


@lru_cache(maxsize=1)
def _version_of(quarto: str, _written: int) -> str | None:
    """Ask a program for its version, and again only after its file changed."""
    done = subprocess.run([quarto, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.fullmatch(r"(\d+\.\d+(?:\.\d+)*)\S*", done.stdout.strip())
    return found[1] if done.returncode == 0 and found else None


def _run(root: Path, notebook: Path, to: str) -> None:
    _quarto(root, ["render", str(notebook.relative_to(root)), "--to", to], notebook)


def _quarto(root: Path, arguments: Sequence[str], notebook: Path) -> None:
    """Run Quarto as on the as-of date of a notebook; what it warns of would be missing from a page."""
    command = [shutil.which("quarto") or "quarto", *arguments]
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    env = read_front_matter(notebook.name, cells).environment() | {"NO_COLOR": "1"}
    done = subprocess.run(  # noqa: S603 - the user's own Quarto, on a file that was made here
        command, cwd=root, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", done.stderr).splitlines() if line.strip()]
    if done.returncode:
        raise RenderError("Quarto could not make the page.", [Problem("quarto", line) for line in lines[-12:]])
    # Pandoc warns if a part of the page could not be had, and a filter fails with an error; Quarto passes both on and
    # exits with 0.
    if warned := [line for line in lines if line.startswith(("[WARNING]", "ERROR (", "ERROR:"))]:
        said = list(dict.fromkeys(warned))[:12]
        raise RenderError("Quarto warned of a fault in the page.", [Problem("quarto", line) for line in said])
