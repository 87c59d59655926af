"""Read a text file such as CSV: its encoding, its delimiter and its rows."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import Final

from viputils.core.errors import Problem
from viputils.intake.sheet import CHUNK, Block, Sheet, refuse, refuse_all
from viputils.records.csv_reader import LONGEST_VALUE, NEVER_CLOSED, too_long, what_is_wrong

_SNIFFED: Final = 50
_LONGEST_LINE: Final = 16 << 20
_DELIMITERS: Final = {
    ",": "",
    ";": "separated by semicolons",
    "\t": "separated by tabs",
    "|": "separated by vertical bars (|)",
}
_ENCODINGS: Final = {"utf-8": "", "utf-8-sig": "", "cp1252": "read as Windows-1252"}
# Bytes that Windows-1252 text cannot contain: control characters and unused codes.
_NOT_1252: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x81\x8d\x8f\x90\x9d]")
_UTF8_LETTER: Final = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def read_text(path: Path, file: BufferedReader, name: str) -> list[Sheet]:
    """Read a text file as one sheet."""
    encoding, notes = _encoding(file, name)
    delimiter = _delimiter(path, encoding)
    said = [_ENCODINGS[encoding], _DELIMITERS[delimiter], *notes]
    stem = Path(name).stem
    return [Sheet(name, stem, [note for note in said if note], partial(_rows, path, name, encoding, delimiter))]


def _encoding(file: BufferedReader, name: str) -> tuple[str, list[str]]:
    """Return the encoding of a whole file, and notes about it for the user."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    wrong: int | None = None  # the first byte that is not UTF-8
    bad: dict[int, int] = {}  # the first place of each byte that Windows-1252 does not have
    mixed = False
    at = since = 0
    before = b""
    file.seek(0)
    while chunk := file.read(CHUNK):
        if wrong is None:
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                wrong = at - pending + error.start
        for found in _NOT_1252.finditer(chunk):
            bad.setdefault(chunk[found.start()], at + found.start())
        mixed = mixed or _UTF8_LETTER.search(before[-3:] + chunk) is not None
        since = _since_line_end(chunk, since)
        if since > _LONGEST_LINE:
            raise refuse(f"{name}, line {_line(file, at)}", "has a line of more than 16 MiB;", "this is not a table.")
        at += len(chunk)
        before = chunk
    if wrong is None and (pending := len(decoder.getstate()[0])):
        wrong = at - pending
    problems = []
    file.seek(0)
    marked = file.read(3) == codecs.BOM_UTF8
    if wrong is not None and marked:
        where = f"{name}, line {_line(file, wrong)}"
        problems.append(
            Problem(where, "is not UTF-8, though the file begins as UTF-8;", "save the whole file as CSV in UTF-8.")
        )
    for byte, place in sorted(bad.items(), key=lambda item: item[1]):
        if byte == 0:
            what = "contains a NUL byte, so it is not text, or is text in UTF-16;"
        elif wrong is None or marked:
            continue
        else:
            what = f"is neither UTF-8 nor Windows-1252: it has the byte 0x{byte:02x};"
        problems.append(Problem(f"{name}, line {_line(file, place)}", what, "export it as CSV in UTF-8."))
    if problems:
        raise refuse_all(problems)
    notes = []
    if wrong is not None and mixed:
        notes.append(
            f"line {_line(file, wrong)} is not UTF-8, though other letters look like it: letters may be garbled"
        )
    if before[-1:] not in (b"\n", b"\r"):
        notes.append("the last line has no end of line: the file may have been cut off")
    return ("utf-8-sig" if marked else "utf-8" if wrong is None else "cp1252"), notes


def _since_line_end(chunk: bytes, since: int) -> int:
    """Return the length of the unfinished line at the end of a chunk, which may start in an earlier chunk."""
    end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    return since + len(chunk) if end < 0 else len(chunk) - end - 1


def _line(file: BufferedReader, place: int) -> int:
    """Return the number of the line that a byte is in."""
    file.seek(0)
    line, last, left = 1, b"", place
    while left and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        line += chunk.count(b"\n") + chunk.count(b"\r") - (last + chunk).count(b"\r\n")
        last = chunk[-1:]
    if last == b"\r" and file.read(1) == b"\n":
        line -= 1
    return line


def _delimiter(path: Path, encoding: str) -> str:
    """Return the delimiter that divides most of the first rows into the same number of fields."""
    best, best_rank = ",", (False, 0, 0)
    for delimiter in _DELIMITERS:
        lengths: Counter[int] = Counter()
        sound = True
        with path.open(encoding=encoding, newline="") as file:
            try:
                for row in islice(csv.reader(file, delimiter=delimiter, strict=True), _SNIFFED):
                    lengths[len(row)] += bool(row)
            except (csv.Error, UnicodeError):
                sound = False
        rows, fields = max(((rows, fields) for fields, rows in lengths.items()), default=(0, 0))
        # Commas in remarks divide only some rows. The delimiter divides the most rows in the same way.
        rank = (sound and fields > 1, rows if fields > 1 else 0, fields)
        if rank > best_rank:
            best, best_rank = delimiter, rank
    return best


def _rows(path: Path, name: str, encoding: str, delimiter: str, size: int) -> Iterator[Block]:
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for row in reader:
                rows.append(row)
                lines.append(begins)
                begins = reader.line_num + 1
                if len(rows) >= size:
                    yield _short(Block(rows, lines), name)
                    rows, lines = [], []
    except csv.Error as error:
        raise refuse(f"{name}, line {begins}", what_is_wrong(error), NEVER_CLOSED) from None
    except (OSError, UnicodeError) as error:
        raise refuse(f"{name}, line {begins}", f"cannot be read: {error}.", "The file may have changed.") from None
    if rows:
        yield _short(Block(rows, lines), name)


def _short(block: Block, name: str) -> Block:
    """Return the block. Raise DeliveryError if one of its values is too long."""
    if max(map(len, chain.from_iterable(block.rows)), default=0) > LONGEST_VALUE:
        longest = (max(map(len, row), default=0) for row in block.rows)
        line = next(line for length, line in zip(longest, block.lines, strict=True) if length > LONGEST_VALUE)
        raise refuse(f"{name}, line {line}", too_long(), NEVER_CLOSED)
    return block
