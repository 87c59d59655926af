"""The local copy of deliveries from an address: each file is fetched once and must not change afterwards.

A delivery is never edited. A file that was changed, removed or added after its delivery was fetched is an error. The
local copy is checked too, whenever it is read.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from viputils.core import extras
from viputils.core.errors import DeliveryError, Problem
from viputils.core.files import put_in_place
from viputils.core.urls import without_secrets
from viputils.records.checksums import changed_lines, checksum, checksum_problems

# A plain name that cannot lead out of the folder.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,199}")
_INDEX: Final = ".brought.json"
# The time to wait for another command that fetches the same deliveries.
_PATIENCE: Final = 600
_LINES_SHOWN: Final = 3

_NEVER: Final = "deliveries must not change. Restore the file there, and put corrected rows into a new delivery."


@dataclass(frozen=True)
class Offered:
    """A file at an address.

    Attributes
    ----------
    delivery
        The folder of its delivery, ``2023-12-04``.
    name
        Its name, ``responses.csv``.
    mark
        A mark that changes with the file, if the address provides one; else empty.
    bring
        Writes the file to a path here.
    """

    delivery: str
    name: str
    mark: str
    bring: Callable[[Path], None]

    @property
    def key(self) -> str:
        """Its name in the local copy."""
        return f"{self.delivery}/{self.name}"


def unreadable(where: str, what: str, remedy: str) -> DeliveryError:
    """Return the error for an address that cannot be read."""
    return DeliveryError("The deliveries cannot be read.", [Problem(where, what, remedy)])


def not_installed(shown: str, package: str) -> DeliveryError:
    """Return the error for an address that needs a package that is not installed."""
    return DeliveryError("The deliveries cannot be read.", [extras.not_installed(shown, package, "sources")])


def unreachable(shown: str, address: str, error: BaseException, lacks_package: bool) -> DeliveryError:
    """Return the error of a library that could not read an address, without secrets."""
    words = next(iter(without_secrets(str(error), address).splitlines()), "").strip().rstrip(".")
    what = f"cannot be read: {words or 'no reason was given'} ({type(error).__name__});"
    remedy = "nothing was read. Try again later."
    return unreadable(shown, what, "install the package for this kind of address." if lacks_package else remedy)


def name_problem(name: str, shown: str) -> Problem | None:
    """Return a problem if the name of a file or folder at an address cannot be used here."""
    if _NAME.fullmatch(name):
        return None
    return Problem(
        shown,
        f"{name!r} cannot be the name of a file or folder;",
        "use letters, digits, '.', '_', '-' and blanks, and begin with a letter or a digit.",
    )


def mirrored(place: Path, shown: str, offered: Iterable[Offered]) -> None:
    """Fetch new deliveries into the local copy, each whole or not at all.

    Parameters
    ----------
    place
        The folder of the copy.
    shown
        The name of the address in messages.
    offered
        Every file at the address.

    Raises
    ------
    DeliveryError
        If files were changed, removed or added after their delivery was fetched: then nothing new is fetched. If a
        new delivery does not match its own checksums: then the others are kept.
    """
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.parent / f"{place.name}.lock")
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise DeliveryError(
            "Another command is fetching the deliveries.",
            [
                Problem(
                    shown, f"the other command has not ended in {_PATIENCE // 60} minutes;", "end it, and try again."
                )
            ],
        ) from None
    try:
        _mirror(place, shown, {file.key: file for file in offered})
    finally:
        lock.release()


def _mirror(place: Path, shown: str, offered: Mapping[str, Offered]) -> None:
    brought = _read_index(place)
    if brought is None:
        # The checksums of the fetched files are lost. Compare the files as they are now.
        there = sorted(path for path in place.glob("[!.]*/*") if path.is_file())
        brought = {path.relative_to(place).as_posix(): ("", checksum(path)) for path in there}
    _remove_unknown(place, brought)
    deliveries = {key.partition("/")[0] for key in brought}
    problems: list[Problem] = []
    for key in sorted(brought.keys() | offered.keys()):
        file, known = offered.get(key), brought.get(key)
        if file is None:
            remedy = f"{_NEVER} If the file was never part of the delivery, remove {place}."
            problems.append(Problem(f"{shown}, {key}", "was fetched before, and is gone;", remedy))
        elif known is not None:
            brought[key] = _again(place, shown, file, known, problems)
        elif file.delivery in deliveries:
            later = f"put it into its own delivery. If it only came in late, remove {place}."
            problems.append(
                Problem(f"{shown}, {key}", "was added to its delivery after the delivery was fetched;", later)
            )
    _require_none(problems)
    _write_index(place, brought)
    for delivery in sorted({file.delivery for file in offered.values()} - deliveries):
        files = [file for file in offered.values() if file.delivery == delivery]
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=place) as partial:
            staged = Path(partial) / delivery
            staged.mkdir()
            for file in files:
                file.bring(staged / file.name)
            wrong = checksum_problems(staged, f"{shown}, {delivery}")
            if wrong:
                problems += wrong
                continue
            new = {file.key: (file.mark, checksum(staged / file.name)) for file in files}
            put_in_place(staged, place / delivery)
        brought |= new
        _write_index(place, brought)
    _require_none(problems)


def _require_none(problems: list[Problem]) -> None:
    if problems:
        raise DeliveryError("The deliveries are invalid, or changed since they were fetched.", problems)


def _remove_unknown(place: Path, brought: Mapping[str, tuple[str, str]]) -> None:
    """Remove files that are not part of a delivery, such as those of an interrupted run."""
    known = {*brought, *(key.partition("/")[0] for key in brought)}
    inside = [path for key in known if (place / key).is_dir() for path in (place / key).iterdir()]
    for path in (*place.iterdir(), *inside):
        name = path.relative_to(place).as_posix()
        if path.is_dir() and not path.is_symlink() and (name not in known or "/" in name):
            shutil.rmtree(path)
        elif "/" in name and name not in brought:
            path.unlink()


def _again(place: Path, shown: str, file: Offered, known: tuple[str, str], problems: list[Problem]) -> tuple[str, str]:
    """Check a file that was fetched before, and fetch it again if the copy or the address changed."""
    mark, was = known
    here = place / file.key
    intact = here.is_file() and checksum(here) == was
    if intact and mark and mark == file.mark:
        return known
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=place) as partial:
        now = Path(partial) / file.name
        file.bring(now)
        if checksum(now) == was:
            if not intact:
                here.parent.mkdir(exist_ok=True)
                now.replace(here)
            return file.mark, was
        edited = _what_changed(here, now) if intact else ""
        problems.append(Problem(f"{shown}, {file.key}", f"was changed after it was delivered{edited};", _NEVER))
    return known


def _what_changed(was: Path, now: Path) -> str:
    lines = changed_lines(was.read_bytes(), now.read_bytes())
    more = f"; and {len(lines) - _LINES_SHOWN} more" if len(lines) > _LINES_SHOWN else ""
    return f": {'; '.join(str(line) for line in lines[:_LINES_SHOWN])}{more}" if lines else ""


def _read_index(place: Path) -> dict[str, tuple[str, str]] | None:
    """Return the mark and the checksum of every fetched file, or none if the index is lost."""
    try:
        found = json.loads((place / _INDEX).read_text(encoding="utf-8"))
        return {str(key): (str(mark), str(was)) for key, (mark, was) in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _write_index(place: Path, brought: Mapping[str, tuple[str, str]]) -> None:
    partial = place / f"{_INDEX}.partial"
    partial.write_text(json.dumps(dict(sorted(brought.items())), indent=1), encoding="utf-8", newline="")
    partial.replace(place / _INDEX)
