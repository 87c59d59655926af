"""Folders: which files lie in them, and how they come into being whole or not at all."""

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
    fcntl = None  # Windows has none; what a killed process leaves behind stays there.

# Below links alone: those that lead round and round make many folders of few.
_MOST_LINKED: Final = 1_000
_PRIVATE: Final = "vip"
# Of private folders and of multiprocessing's; of the latter only those that ``hold`` marked are ever removed.
_LEFT: Final = (f"{_PRIVATE}-*", "pymp-*")
_HELD: Final = ".held"


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder, in an order that no file system decides; hidden ones are nobody's input.

    What a link leads to is read as any other file, so it counts as one, under every name that it has; only a link to a
    folder in which it lies itself leads nowhere new. Where there is no folder, it holds nothing.

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
            what = f"holds links to more than {_MOST_LINKED:,} folders, or links that lead in circles;"
            raise FolderError("What lies in a folder cannot be told.", [Problem(folder.name, what, "take them out.")])
        for path in here.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                yield from below(path, above | {real}, by_link or path.is_symlink())
            elif path.is_file():
                yield path

    return sorted(below(folder, frozenset(), by_link=False)) if folder.is_dir() else []


def copy_files(folder: Path, to: Path) -> None:
    """Copy every file below a folder, as ``files_below`` finds them, to another one. Links become what they lead to.

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

    Whatever happens in between, ``parent/name`` is either as it was or as it became. What a killed run left behind is
    put right by the next one.
    """
    with _aside(parent, name) as partial:
        yield partial
        _swap(partial, parent / name)


@contextmanager
def staged_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder to fill, hidden in ``parent``; what is not moved to its place by then goes at the end.

    ``put_in_place`` moves it. Nobody else can stage a folder of that name in the meantime.
    """
    with _aside(parent, name) as partial:
        yield partial


def put_in_place(partial: Path, final: Path) -> None:
    """Move a staged folder to its place, in one step, once its files are on the disk.

    Raises
    ------
    FileExistsError
        If there is something already.
    """
    if final.exists():
        raise FileExistsError(17, "is there already", str(final))
    for path in (*partial.iterdir(), partial):
        _flush(path)
    partial.rename(final)
    _flush(final.parent)


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, where the system can say so of a folder."""
    if sys.platform == "win32" and path.is_dir():
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def private_folder(what: str) -> Iterator[Path]:
    """Yield an empty folder that only this user can open, and that is gone when the block ends.

    What it holds is for nobody else. A process that is killed cannot tidy up, so whoever makes the next one clears away
    those of this user that nobody holds any more.

    Parameters
    ----------
    what
        What it is for, as a part of its name.
    """
    for form in _LEFT:
        for left in Path(tempfile.gettempdir()).glob(form):
            _clear_if_left(left)
    with tempfile.TemporaryDirectory(prefix=f"{_PRIVATE}-{what}-") as name, _mark_held(Path(name)):
        yield Path(name).resolve()


@contextmanager
def _mark_held(folder: Path) -> Iterator[None]:
    """Hold a lock in a folder until the block ends. It is seen only once it is held."""
    number = hold(folder)
    try:
        yield
    finally:
        if number is not None:
            os.close(number)


def hold(folder: Path) -> int | None:
    """Hold a lock in a folder for as long as this process lives, and let others remove the folder afterwards.

    Returns
    -------
    int, optional
        The descriptor that holds the lock; nothing if this system has no such locks, or somebody holds it already.
    """
    if fcntl is None or (folder / _HELD).exists():
        return None
    new = folder / f"{_HELD}.new"
    number = os.open(new, os.O_WRONLY | os.O_CREAT, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)
    new.rename(folder / _HELD)
    return number


def _clear_if_left(folder: Path) -> None:
    """Remove a private folder of this user whose holder has gone."""
    if fcntl is None:
        return
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        with (folder / _HELD).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return  # It is held, or it has just gone.


@contextmanager
def held(parent: Path, name: str) -> Iterator[None]:
    """Keep everybody else from replacing ``parent/name`` meanwhile.

    Raises
    ------
    ParameterError
        If somebody else is at it.
    """
    parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(parent / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ParameterError(
            f"{name} is being made already.",
            [Problem(f"{parent.name}/{name}", "another vip command holds its lock;", "wait for it to end.")],
        ) from None
    try:
        yield
    finally:
        if sys.platform != "win32":
            # While it is held, so that nobody can hold a file that has gone. What lies in the folder is all of it.
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
        # Unlike a temporary folder it is open to those whom the umask lets in, because it becomes the finished one.
        partial = parent / f".{name}.partial-{secrets.token_hex(4)}"
        partial.mkdir()
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _swap(new: Path, old: Path) -> None:
    """Put ``new`` in the place of ``old``, which goes. ``_aside`` repairs what a kill between the renames left."""
    if old.exists():
        aside = new.with_name(new.name + "-old")
        old.rename(aside)
        new.rename(old)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        new.rename(old)


def matplotlib_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that gives Matplotlib a lasting folder, if the user's home cannot have one.

    Matplotlib would take a new temporary folder each time, which a process that is killed leaves behind.
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
    # Another user could have put a folder there, with settings of theirs.
    return {"MPLCONFIGDIR": str(own)} if (known.st_uid, known.st_mode) == (os.getuid(), 0o40700) else {}


def _can_be_made(folder: Path) -> bool:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return there.is_dir() and os.access(there, os.W_OK)
