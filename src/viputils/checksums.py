"""The checksums of a delivery, written once beside its files: a file edited, missing or added later is found.

``SHA256SUMS`` has the form of the tool of that name, so `sha256sum -c SHA256SUMS` in the folder checks it without this
software. A line that begins with ``# from`` holds the checksum of a file that an agency sent and that the delivery
was made from; the tool passes over it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from viputils.errors import Problem

CHECKSUMS: Final = "SHA256SUMS"

_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([^/\\]+)")
_SOURCE: Final = re.compile(r"# from ([0-9a-f]{64})")


def checksum(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path, sources: Iterable[str]) -> None:
    """Write the checksums of all files in a folder, and those of the files that they were made from."""
    lines = [f"# from {source}" for source in sorted(set(sources))]
    lines += [f"{checksum(path)}  {path.name}" for path in sorted(folder.iterdir()) if path.name != CHECKSUMS]
    (folder / CHECKSUMS).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def source_checksums(folder: Path) -> list[str]:
    """Give the checksums of the files that a delivery was made from; none where that was not written down."""
    try:
        text = (folder / CHECKSUMS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [found[1] for line in text.splitlines() if (found := _SOURCE.fullmatch(line))]


def checksum_problems(folder: Path, name: str) -> list[Problem]:
    """Say which files of a delivery were edited, are missing or were added since its checksums were written.

    A delivery without a file of checksums has nothing to be checked against, and no problem here.
    """
    path = folder / CHECKSUMS
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(f"{name}/{CHECKSUMS}", f"cannot be read: {error}.", "Take it from a copy of the project.")]
    problems: list[Problem] = []
    expected: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found:
            if expected.setdefault(found[2], found[1]) != found[1]:
                problems.append(
                    Problem(
                        f"{name}/{CHECKSUMS}, line {number}",
                        f"gives {found[2]} another checksum than a line before it;",
                        "take it from a copy of the project.",
                    )
                )
        elif line and not line.startswith("#"):
            problems.append(
                Problem(f"{name}/{CHECKSUMS}, line {number}", "is no checksum;", "take it from a copy of the project.")
            )
    there = {entry.name: entry for entry in folder.iterdir() if not entry.name.startswith(".")}
    there.pop(CHECKSUMS)
    never = "a delivery is never changed; bring the file back, and deliver corrected rows as a delivery of their own."
    for file in sorted(expected.keys() | there.keys()):
        if file not in there:
            problems.append(Problem(f"{name}/{file}", "is missing, and its checksum is there;", never))
        elif file not in expected:
            problems.append(
                Problem(f"{name}/{file}", "was added to the delivery later;", "deliver it as a delivery of its own.")
            )
        else:
            try:
                same = checksum(there[file]) == expected[file]
            except OSError as error:
                problems.append(Problem(f"{name}/{file}", f"{error.strerror or error}.", "Make the file readable."))
                continue
            if not same:
                problems.append(Problem(f"{name}/{file}", "was edited after it was delivered;", never))
    return problems
