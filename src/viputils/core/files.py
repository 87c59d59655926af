"""List the files of folders, and create folders completely or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from viputils.core.errors import FolderError, ParameterError, Problem

fcntl: Any
try:
    import fcntl
except ImportError:
    fcntl = None  # Windows does not have it, so folders of killed processes stay behind.

# The most folders below links. Links that lead in circles turn a few folders into many.
_MOST_LINKED: Final = 1_000
_PRIVATE: Final = "vip"
# Private folders, and those of multiprocessing. Only folders that ``hold`` marked are removed.
_LEFT: Final = (f"{_PRIVATE}-*", "pymp-*")
_HELD: Final = ".held"


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder in sorted order, without hidden files. The list is empty if there is no folder.

    Links are followed, so a file is listed under each of its names. A link to a folder that contains the link is
    skipped.

    Raises
    ------
    FolderError
        If more than a thousand folders lie below links.
    OSError
        If a folder cannot be read.
    """
    linked = 0

    def below(here: Path, above: frozenset[str], by_link: bool) -> Iterator[Path]:
        nonlocal linked
        real = os.path.realpath(here)
        if real in above:
            return
        linked += by_link
        if linked > _MOST_LINKED:
            what = f"contains links to more than {_MOST_LINKED:,} folders, or links that lead in circles;"
            raise FolderError("A folder cannot be listed.", [Problem(folder.name, what, "remove the links.")])
        for path in here.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                yield from below(path, above | {real}, by_link or path.is_symlink())
            elif path.is_file():
                yield path

    return sorted(below(folder, frozenset(), by_link=False)) if folder.is_dir() else []


def copy_files(folder: Path, to: Path) -> None:
    """Copy every file that ``files_below`` lists to another folder. Links become files.

    Raises
    ------
    FolderError, OSError
        As ``files_below``.
    """
    for path in files_below(folder):
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


@contextmanager
def replaced_whole(parent: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder to fill, which becomes ``parent/name`` when the block ends without an error.

    If anything fails, ``parent/name`` is not changed. The next run cleans up after a killed run.
    """
    with _aside(parent, name) as partial:
        yield partial
        _swap(partial, parent / name)


@contextmanager
def staged_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield an empty hidden folder in ``parent`` to fill. It is deleted at the end, unless ``put_in_place`` moved it.

    No other process can stage a folder of that name in the meantime.
    """
    with _aside(parent, name) as partial:
        yield partial


def put_in_place(partial: Path, final: Path) -> None:
    """Move a staged folder to its place in one step, after its files are on the disk.

    Raises
    ------
    FileExistsError
        If ``final`` exists.
    """
    if final.exists():
        raise FileExistsError(17, "already exists", str(final))
    for path in (*partial.iterdir(), partial):
        _flush(path)
    partial.rename(final)
    _flush(final.parent)


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk. Windows cannot do this for folders."""
    if sys.platform == "win32" and path.is_dir():
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def private_folder(what: str) -> Iterator[Path]:
    """Yield an empty folder that only this user can open. It is deleted when the block ends.

    A killed process cannot clean up, so each call also deletes this user's folders that no process holds any more.

    Parameters
    ----------
    what
        Its purpose, as part of its name.
    """
    for form in _LEFT:
        for left in Path(tempfile.gettempdir()).glob(form):
            _clear_if_left(left)
    with tempfile.TemporaryDirectory(prefix=f"{_PRIVATE}-{what}-") as name, _mark_held(Path(name)):
        yield Path(name).resolve()


@contextmanager
def _mark_held(folder: Path) -> Iterator[None]:
    """Hold a lock in a folder until the block ends. The lock file appears only after it is locked."""
    number = hold(folder)
    try:
        yield
    finally:
        if number is not None:
            os.close(number)


def hold(folder: Path) -> int | None:
    """Lock a folder for the life of this process. Afterwards, other processes may remove it.

    Returns
    -------
    int, optional
        The file descriptor of the lock, or None if the system has no such locks or the folder is already locked.
    """
    if fcntl is None or (folder / _HELD).exists():
        return None
    new = folder / f"{_HELD}.new"
    number = os.open(new, os.O_WRONLY | os.O_CREAT, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)
    new.rename(folder / _HELD)
    return number


def _clear_if_left(folder: Path) -> None:
    """Remove a private folder of this user if no process holds it."""
    if fcntl is None:
        return
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        with (folder / _HELD).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return  # Another process holds it, or has just removed it.


@contextmanager
def held(parent: Path, name: str) -> Iterator[None]:
    """Keep other processes from replacing ``parent/name`` until the block ends.

    Raises
    ------
    ParameterError
        If another process holds it.
    """
    parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(parent / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ParameterError(
            f"{name} is already being made.",
            [Problem(f"{parent.name}/{name}", "is locked by another vip command;", "wait until it ends.")],
        ) from None
    try:
        yield
    finally:
        if sys.platform != "win32":
            # Delete it before releasing it, so that no process can lock a deleted file.
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


@contextmanager
def _aside(parent: Path, name: str) -> Iterator[Path]:
    with held(parent, name):
        for aside in parent.glob(f".{name}.partial-*-old"):
            if not (parent / name).exists():
                aside.rename(parent / name)
        for left_over in parent.glob(f".{name}.partial-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # It becomes the finished folder, so its permissions follow the umask, unlike those of a temporary folder.
        partial = parent / f".{name}.partial-{secrets.token_hex(4)}"
        partial.mkdir()
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _swap(new: Path, old: Path) -> None:
    """Replace ``old`` with ``new``. If a kill comes between the renames, ``_aside`` repairs it."""
    if old.exists():
        aside = new.with_name(new.name + "-old")
        old.rename(aside)
        new.rename(old)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        new.rename(old)


def matplotlib_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variable that gives Matplotlib a permanent folder, if the user's home is read-only.

    Otherwise Matplotlib makes a new temporary folder each time, and a killed process leaves it behind.
    """
    home = Path(environment.get("HOME", ""))
    places = [
        Path(environment.get(variable) or home / default) / "matplotlib"
        for variable, default in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
    ]
    if "MPLCONFIGDIR" in environment or not hasattr(os, "getuid") or all(map(_can_be_made, places)):
        return {}
    own = Path(tempfile.gettempdir()) / f"vip-matplotlib-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    known = own.lstat()
    # Another user could have created this folder, with their own settings.
    return {"MPLCONFIGDIR": str(own)} if (known.st_uid, known.st_mode) == (os.getuid(), 0o40700) else {}


def _can_be_made(folder: Path) -> bool:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return there.is_dir() and os.access(there, os.W_OK)
