"""The history of a project, where git keeps one: the commit it stands at, and what a file was when it was committed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ANOTHER_REPOSITORY: Final = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX",
})  # fmt: skip


@dataclass(frozen=True)
class Commit:
    """Where a project stands in its history: the commit's id, and whether nothing was changed since."""

    id: str
    clean: bool


def commit_of(folder: Path) -> Commit | None:
    """Return the commit that a folder's repository stands at; none where git keeps no history of it."""
    commit = git(folder, "rev-parse", "HEAD")
    changed = git(folder, "status", "--porcelain")
    if commit is None or changed is None:
        return None
    return Commit(commit.decode().strip(), not changed.strip())


def committed(path: Path) -> bytes | None:
    """Return what a file was when it was last committed; nothing where git does not have it."""
    return git(path.parent, "show", f"HEAD:./{path.name}")


def top_of(folder: Path) -> Path | None:
    """Return the top folder of the repository that a folder lies in; none where git keeps no history of it."""
    top = git(folder, "rev-parse", "--show-toplevel")
    return None if top is None else Path(os.fsdecode(top).rstrip("\n")).resolve()


def commit_named(folder: Path, name: str) -> str | None:
    """Return the id of the commit that a branch, a tag or the beginning of an id stands for; none if there is none."""
    # Git would take a name that begins with a dash for an option.
    found = None if name.startswith("-") else git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return None if found is None else found.decode().strip()


def messages_between(folder: Path, before: str, after: str) -> list[tuple[str, str]]:
    """Return the id and the message of every commit that led to ``after`` and not to ``before``, the newest first."""
    form = ("--encoding=UTF-8", "--no-show-signature", "--no-color", "--format=%H%n%B", "-z")
    found = git(folder, "log", *form, f"{before}..{after}") or b""
    parts = (entry.partition("\n") for entry in found.decode(errors="replace").split("\0") if entry.strip())
    return [(commit.strip(), message) for commit, _, message in parts]


def check_out(top: Path, commit: str, folder: Path) -> bool:
    """Write the files of a commit into a folder, and say whether that could be done.

    Nothing of it stays in the repository, and no hook runs: the index that git needs for it lies beside the folder.
    """
    index = folder.with_name(f"{folder.name}.index")
    as_committed = (f"core.hooksPath={os.devnull}", "core.autocrlf=false", "core.eol=lf")
    options = [word for setting in as_committed for word in ("-c", setting)]
    read = git(top, *options, "read-tree", commit, index=index)
    prefix = f"--prefix={folder.as_posix()}/"
    return read is not None and git(top, *options, "checkout-index", "--all", prefix, index=index) is not None


def git(folder: Path, *arguments: str, index: Path | None = None) -> bytes | None:
    """Ask git something about a folder; nothing where there is no git, or it has no answer.

    Parameters
    ----------
    index
        Where git keeps the index while it answers; by default that of the folder's repository.
    """
    # It is the folder that says which repository is meant, also where a hook of another one asks.
    env = {name: value for name, value in os.environ.items() if name not in _ANOTHER_REPOSITORY}
    # Whoever asks must not wait for another git, nor leave anything behind.
    env |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
