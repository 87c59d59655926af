"""The history of a project, where git keeps one: the commit it stands at, and what a file was when it was committed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Commit:
    """Where a project stands in its history: the commit's id, and whether nothing was changed since."""

    id: str
    clean: bool


def commit_of(folder: Path) -> Commit | None:
    """Give the commit that a folder's repository stands at; none where git keeps no history of it."""
    commit = git(folder, "rev-parse", "HEAD")
    changed = git(folder, "status", "--porcelain")
    if commit is None or changed is None:
        return None
    return Commit(commit.decode().strip(), not changed.strip())


def committed(path: Path) -> bytes | None:
    """Give what a file was when it was last committed; nothing where git does not have it."""
    return git(path.parent, "show", f"HEAD:./{path.name}")


def git(folder: Path, *arguments: str) -> bytes | None:
    """Ask git something about a folder; nothing where there is no git, or it has no answer."""
    # Whoever asks must not wait for another git, nor leave anything behind.
    env = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
