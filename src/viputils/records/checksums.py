"""The checksums of a delivery, written once beside its files: they show a file edited, removed or added later.

``SHA256SUMS`` has the format of the tool of that name, so `sha256sum -c SHA256SUMS` in the folder checks it without
this software. A line that begins with ``# from`` has the checksum of a file that an agency sent and from which the
delivery was made. The tool ignores it, and the line that begins with ``# salt``.

The salt is a random number. What is published lists checksums that are keyed with it, so only a person who holds the
records can check them. Without it, a delivery of one row could be found by trying every row that is likely.

Where git keeps the file as it was delivered, the lines that were changed since are named.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

from viputils.core.errors import Problem
from viputils.core.git import committed

CHECKSUMS: Final = "SHA256SUMS"

_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([^/\\]+)")
_SOURCE: Final = re.compile(r"# from ([0-9a-f]{64})")
_SALT: Final = re.compile(r"# salt ([0-9a-f]{64})")

# Enough to read at a glance; git shows the rest.
_LINES_SHOWN: Final = 5
_LETTERS_SHOWN: Final = 160
# With more lines, finding those that were only moved takes too long.
_LINES_COMPARED: Final = 2_000


@dataclass(frozen=True)
class ChangedLine:
    """A line that differs between two texts: what it ``was`` and is ``now``, none if it is in one only.

    ``line`` is its number in the new text, or in the old one if it is gone.
    """

    line: int
    was: str | None
    now: str | None

    def __str__(self) -> str:
        if self.was is None:
            return f"line {self.line} was added: {_quoted(self.now)}"
        if self.now is None:
            return f"line {self.line} is gone, and was {_quoted(self.was)}"
        return f"line {self.line} is {_quoted(self.now)} and was {_quoted(self.was)}"


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def new_salt() -> str:
    """Return a random salt for a delivery."""
    return secrets.token_hex(32)


def is_salt(text: str) -> bool:
    """Return whether a text has the form of a salt: 64 hexadecimal digits."""
    return _SALT.fullmatch(f"# salt {text}") is not None


def salt_of(folder: Path) -> str:
    """Return the salt of a delivery, or an empty text if it has none."""
    return next(_lines_of(folder, _SALT), "")


def salted(content: bytes, salt: str) -> str:
    """Return the HMAC-SHA-256 of a content with a salt as its key, or its SHA-256 if there is no salt."""
    if not salt:
        return hashlib.sha256(content).hexdigest()
    return hmac.digest(bytes.fromhex(salt), content, "sha256").hex()


def salted_checksum(path: Path) -> str:
    """Return the checksum of a delivered file that may be published: see ``salted``."""
    salt = salt_of(path.parent)
    if not salt:
        return checksum(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hmac.new(bytes.fromhex(salt), digestmod="sha256")).hexdigest()


def write_checksums(folder: Path, sources: Iterable[str], salt: str = "") -> None:
    """Write the checksums of all files in a folder and of their sources, and the salt."""
    files = {path.name: checksum(path) for path in sorted(folder.iterdir()) if path.name != CHECKSUMS}
    (folder / CHECKSUMS).write_text(checksums_text(files, sources, salt), encoding="utf-8", newline="")


def checksums_text(files: Mapping[str, str], sources: Iterable[str] = (), salt: str = "") -> str:
    """Return the text of a file of checksums.

    Parameters
    ----------
    files
        The checksum of each file by its name.
    sources
        The checksums of the files that the agency sent.
    salt
        The salt of the delivery, if it has one.
    """
    lines = [f"# salt {salt}"] if salt else []
    lines += [f"# from {source}" for source in sorted(set(sources))]
    lines += [f"{value}  {name}" for name, value in files.items()]
    return "\n".join(lines) + "\n"


def seal(folder: Path) -> bool:
    """Add the missing salt and checksums of a delivery. Return whether any were missing."""
    path = folder / CHECKSUMS
    if salt_of(folder):
        return False
    if path.exists():
        path.write_bytes(f"# salt {new_salt()}\n".encode() + path.read_bytes())
    else:
        write_checksums(folder, [], new_salt())
    return True


def source_checksums(folder: Path) -> list[str]:
    """Return the recorded checksums of the files from which a delivery was made."""
    return list(_lines_of(folder, _SOURCE))


def _lines_of(folder: Path, form: re.Pattern[str]) -> Iterator[str]:
    """Return the values of the lines of one form in a file of checksums."""
    try:
        text = (folder / CHECKSUMS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    yield from (found[1] for line in text.splitlines() if (found := form.fullmatch(line)))


def checksum_problems(folder: Path, name: str) -> list[Problem]:
    """Return a problem for each file of a delivery that was edited, removed or added since its checksums were written.

    A delivery without checksums has no problem here.
    """
    path = folder / CHECKSUMS
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(f"{name}/{CHECKSUMS}", f"cannot be read: {error}.", "Restore it from a copy of the project.")]
    problems: list[Problem] = []
    expected: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found:
            if expected.setdefault(found[2], found[1]) != found[1]:
                problems.append(
                    Problem(
                        f"{name}/{CHECKSUMS}, line {number}",
                        f"has another checksum for {found[2]} than an earlier line;",
                        "restore it from a copy of the project.",
                    )
                )
        elif line and not line.startswith("#"):
            problems.append(
                Problem(
                    f"{name}/{CHECKSUMS}, line {number}", "is not a checksum;", "restore it from a copy of the project."
                )
            )
    there = {entry.name: entry for entry in folder.iterdir() if not entry.name.startswith(".")}
    there.pop(CHECKSUMS)
    never = "a delivery is never changed; restore the file, and send corrected rows as a new delivery."
    for file in sorted(expected.keys() | there.keys()):
        if file not in there:
            problems.append(Problem(f"{name}/{file}", "is missing, but has a checksum;", never))
        elif file not in expected:
            problems.append(Problem(f"{name}/{file}", "was added to the delivery later;", "send it as a new delivery."))
        else:
            try:
                same = checksum(there[file]) == expected[file]
            except OSError as error:
                problems.append(Problem(f"{name}/{file}", f"{error.strerror or error}.", "Make the file readable."))
                continue
            if not same:
                edited = f"was edited after it was delivered{what_was_edited(there[file], expected[file])};"
                problems.append(Problem(f"{name}/{file}", edited, never))
    return problems


def changed_lines(was: bytes, now: bytes) -> list[ChangedLine]:
    """Return the lines that differ between two texts, in order; line ends do not matter.

    In long texts that differ in many places, lines that were only moved are left out.
    """
    before, after = _lines(was), _lines(now)
    # Usually one line of a long file changed: equal lines before and after it need no comparison.
    shorter = min(len(before), len(after))
    head = next((place for place in range(shorter) if before[place] != after[place]), shorter)
    alike = (place for place in range(shorter - head) if before[-1 - place] != after[-1 - place])
    tail = next(alike, shorter - head)
    before, after = before[head : len(before) - tail], after[head : len(after) - tail]
    changes = []
    for olds, news in _differences(before, after):
        for old, new in zip_longest(olds, news):
            line = head + 1 + (old if new is None else new)
            gone, come = None if old is None else before[old], None if new is None else after[new]
            changes.append(ChangedLine(line, gone, come))
    return sorted(changes, key=lambda change: change.line)


def _lines(text: bytes) -> list[str]:
    # Not `splitlines`, which also ends lines where a CSV file does not.
    return text.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\n").split("\n")


def _differences(before: list[str], after: list[str]) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Yield the places of lines in one text and of the lines that replace them."""
    gone, come = _not_in(before, after), _not_in(after, before)
    in_place = [place for place, (old, new) in enumerate(zip(before, after, strict=False)) if old != new]
    if len(before) == len(after) and len(in_place) == len(gone):
        yield in_place, in_place
    elif max(len(before), len(after)) <= _LINES_COMPARED:
        import difflib

        for tag, old, old_end, new, new_end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
            if tag != "equal":
                yield range(old, old_end), range(new, new_end)
    else:
        # An edited row still begins with its id; other lines are unrelated.
        by_id = {after[place].split(",")[0]: place for place in come}
        edited = {place: by_id.pop(before[place].split(",")[0], None) for place in gone}
        for place, there in edited.items():
            yield [place], [] if there is None else [there]
        known = set(edited.values())
        yield [], [place for place in come if place not in known]


def _not_in(lines: list[str], others: list[str]) -> list[int]:
    """Return the places of the lines that another text lacks, or has less often."""
    spare = Counter(others)
    places = []
    for place, line in enumerate(lines):
        if spare[line]:
            spare[line] -= 1
        else:
            places.append(place)
    return places


def what_was_edited(path: Path, expected: str) -> str:
    """Return the changed lines in words, if git has the file as delivered."""
    was = committed(path)
    if was is None or expected not in (salted(was, ""), salted(was, salt_of(path.parent))):
        return ""
    now = path.read_bytes()
    lines = changed_lines(was, now)
    if not lines:
        return ": its lines stand in another order" if _lines(was) != _lines(now) else ": its line ends were changed"
    shown = "; ".join(str(line) for line in lines[:_LINES_SHOWN])
    return f": {shown}" + (f"; and {len(lines) - _LINES_SHOWN} more" if len(lines) > _LINES_SHOWN else "")


def _quoted(line: str | None) -> str:
    text = line or ""
    return f"'{text[:_LETTERS_SHOWN]}…'" if len(text) > _LETTERS_SHOWN else f"'{text}'"
