"""The git history of a project: its current commit, and committed versions of files."""

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
    """The id of the current commit, and whether the files are unchanged since."""

    id: str
    clean: bool


def commit_of(folder: Path) -> Commit | None:
    """Return the current commit of a folder's repository, or None if the folder is not in a repository."""
    commit = git(folder, "rev-parse", "HEAD")
    changed = git(folder, "status", "--porcelain")
    if commit is None or changed is None:
        return None
    return Commit(commit.decode().strip(), not changed.strip())


def committed(path: Path) -> bytes | None:
    """Return the last committed content of a file, or None if git does not track it."""
    return git(path.parent, "show", f"HEAD:./{path.name}")


def top_of(folder: Path) -> Path | None:
    """Return the top folder of a folder's repository, or None if the folder is not in a repository."""
    top = git(folder, "rev-parse", "--show-toplevel")
    return None if top is None else Path(os.fsdecode(top).rstrip("\n")).resolve()


def commit_named(folder: Path, name: str) -> str | None:
    """Return the commit id of a branch, a tag or a short id, or None if it does not exist."""
    # Git reads a name that starts with a dash as an option.
    found = None if name.startswith("-") else git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return None if found is None else found.decode().strip()


def messages_between(folder: Path, before: str, after: str) -> list[tuple[str, str]]:
    """Return the id and message of each commit in ``after`` that is not in ``before``, newest first."""
    form = ("--encoding=UTF-8", "--no-show-signature", "--no-color", "--format=%H%n%B", "-z")
    found = git(folder, "log", *form, f"{before}..{after}") or b""
    parts = (entry.partition("\n") for entry in found.decode(errors="replace").split("\0") if entry.strip())
    return [(commit.strip(), message) for commit, _, message in parts]


def check_out(top: Path, commit: str, folder: Path) -> bool:
    """Write the files of a commit into a folder. Return whether it succeeded.

    The repository is not changed, because git uses an index file beside the folder. No hook runs.
    """
    index = folder.with_name(f"{folder.name}.index")
    as_committed = (f"core.hooksPath={os.devnull}", "core.autocrlf=false", "core.eol=lf")
    options = [word for setting in as_committed for word in ("-c", setting)]
    read = git(top, *options, "read-tree", commit, index=index)
    prefix = f"--prefix={folder.as_posix()}/"
    return read is not None and git(top, *options, "checkout-index", "--all", prefix, index=index) is not None


def git(folder: Path, *arguments: str, index: Path | None = None) -> bytes | None:
    """Return the output of a git command in a folder, or None if git is missing or fails.

    Parameters
    ----------
    index
        The index file to use. By default, the index of the repository.
    """
    # The folder decides which repository is used, even in a git hook of another repository.
    env = {name: value for name, value in os.environ.items() if name not in _ANOTHER_REPOSITORY}
    # Do not wait for the locks of other git processes, and do not create locks.
    env |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
