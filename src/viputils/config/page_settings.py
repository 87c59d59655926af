"""The settings of the pages, _quarto.yml: which files of the project they name, wherever these lie."""

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
# YAML that can be read can still hold a day that does not exist, a value of no type, or a list that holds itself.
UNREADABLE: Final = (OSError, ValueError, LookupError, AttributeError, RecursionError, yaml.YAMLError)
# What stands under these keys can be a folder, and everything in it is named.
_FOLDERS: Final = ("font-paths", "resources")


def named_files(pages: Path) -> list[str]:
    """Name the files that the settings name, each once, by its path in the folder of the settings.

    A path that begins with a stroke begins there, too, as Quarto has it.

    What is wrong with settings that cannot be read is for the engines to say; they name no file then.

    Raises
    ------
    ManifestError
        If one lies outside the folder: nobody could make the pages again.
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
            # Of a folder that lies elsewhere, nothing is looked at.
            found = [name] if _is_outside(name) else [path.relative_to(pages).as_posix() for path in files_below(there)]
        else:
            continue
        (outside if _is_outside(name) else names).extend(found)
    if outside:
        problems = [
            Problem(SETTINGS, f"names {name!r}, which lies outside the project;", "put it into report/.")
            for name in dict.fromkeys(outside)
        ]
        raise ManifestError("Nobody could make these pages again.", problems)
    return list(dict.fromkeys(names))


def path_in_pages(text: str) -> str:
    """Return the path of what the settings name, as seen from their folder."""
    return os.path.normpath(text.lstrip("/") or ".").replace(os.sep, "/")


def copy_named_files(pages: Path, folder: Path) -> None:
    """Copy the files that the settings name to the same places in another folder, where they are not there yet.

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
    """Yield every text in the settings, with the key that it stands under."""
    if isinstance(value, str):
        yield from [(key, value)] if value and "\0" not in value else []
    elif isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else ((key, each) for each in value):
            yield from _texts(one, str(name))


def _is_outside(name: str) -> bool:
    """Return whether a path leads out of its folder."""
    return name == ".." or name.startswith("../") or Path(name).is_absolute()


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    try:
        return what(path)
    except OSError:
        return False  # A text so long that it is no file's name.
