"""The page settings, _quarto.yml, and the files that they name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from viputils.core.errors import ManifestError, Problem
from viputils.core.files import files_below

SETTINGS: Final = "_quarto.yml"
# Well-formed YAML can still contain invalid dates, values of no type, or lists that contain themselves.
UNREADABLE: Final = (OSError, ValueError, LookupError, AttributeError, RecursionError, yaml.YAMLError)
# The values of these keys can be folders. All their files count as named.
_FOLDERS: Final = ("font-paths", "resources")


def named_files(pages: Path) -> list[str]:
    """Return the files that the settings name, each once, relative to the folder of the settings.

    As in Quarto, a path that begins with a slash starts there too. If the settings cannot be read, the list is empty,
    and the engines report the error.

    Raises
    ------
    ManifestError
        If a file is outside the folder, because then the pages could not be reproduced.
    """
    try:
        texts = list(_texts(yaml.safe_load((pages / SETTINGS).read_text(encoding="utf-8"))))
    except UNREADABLE:
        return []
    names: list[str] = []
    outside: list[str] = []
    for key, text in texts:
        name = path_in_pages(text)
        there = pages / name
        if _is(there, Path.is_file):
            found = [name]
        elif key in _FOLDERS and _is(there, Path.is_dir):
            # Do not list folders outside the project.
            found = [name] if _is_outside(name) else [path.relative_to(pages).as_posix() for path in files_below(there)]
        else:
            continue
        (outside if _is_outside(name) else names).extend(found)
    if outside:
        problems = [
            Problem(SETTINGS, f"names {name!r}, which is outside the project;", "move it into report/.")
            for name in dict.fromkeys(outside)
        ]
        raise ManifestError("These pages could not be reproduced.", problems)
    return list(dict.fromkeys(names))


def path_in_pages(text: str) -> str:
    """Return a path in the settings relative to their folder."""
    return os.path.normpath(text.lstrip("/") or ".").replace(os.sep, "/")


def copy_named_files(pages: Path, folder: Path) -> None:
    """Copy the files that the settings name to another folder, unless they are already there.

    Raises
    ------
    ManifestError
        As ``named_files``.
    """
    for name in named_files(pages):
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pages / name, folder / name)


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the key and value of every text in the settings."""
    if isinstance(value, str):
        yield from [(key, value)] if value and "\0" not in value else []
    elif isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else ((key, each) for each in value):
            yield from _texts(one, str(name))


def _is_outside(name: str) -> bool:
    """Return whether a path is outside its folder."""
    return name == ".." or name.startswith("../") or Path(name).is_absolute()


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    try:
        return what(path)
    except OSError:
        return False  # The text is too long for a file name.
