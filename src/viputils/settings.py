"""The settings of the pages, _quarto.yml: which files of the project they name, wherever these lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from viputils.errors import ManifestError, Problem

SETTINGS: Final = "_quarto.yml"


def named_files(pages: Path) -> list[str]:
    """Name the files that the settings name, each once, by its path in the folder of the settings.

    What is wrong with settings that cannot be read is for the engines to say; they name no file then.

    Raises
    ------
    ManifestError
        Where one lies outside the folder: nobody could make the pages again.
    """
    try:
        texts = list(_texts(yaml.safe_load((pages / SETTINGS).read_text(encoding="utf-8"))))
    # YAML that is read can still hold a day that does not exist, or a list that holds itself.
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return []
    names = dict.fromkeys(os.path.normpath(text).replace(os.sep, "/") for text in texts if _is_file(pages / text))
    remedy = "put it into report/."
    problems = [
        Problem(SETTINGS, f"names {name!r}, which lies outside the project;", remedy)
        for name in names
        if _is_outside(name)
    ]
    if problems:
        raise ManifestError("Nobody could make these pages again.", problems)
    return list(names)


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


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if value and "\0" not in value else []
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _is_outside(name: str) -> bool:
    """Say whether a path leads out of its folder, here or on another system."""
    return name.startswith(("/", "../")) or "\\" in name or ":" in name.partition("/")[0]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # A text so long that it is no file's name.
