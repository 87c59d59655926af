"""The files that agencies send, CSV and Excel, as plain text cells.

What a file is, its content decides: a name that says something else is refused, and so is whatever cannot be read
whole. Cells are text, stripped of nothing; what they mean is for others to judge.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, Any, Final, TypeVar
from xml.parsers import expat

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from viputils.core.errors import DeliveryError, Problem
from viputils.records.csv_reader import LONGEST_VALUE, NEVER_CLOSED, too_long, what_is_wrong

_T = TypeVar("_T")

_TEXT_NAMES: Final = (".csv", ".txt", ".tsv")
_CHUNK: Final = 1 << 20
_HEAD: Final = 4096
_SNIFFED: Final = 50
_LONGEST_LINE: Final = 16 << 20
_DELIMITERS: Final = {
    ",": "",
    ";": "separated by semicolons",
    "\t": "separated by tabs",
    "|": "separated by vertical bars (|)",
}
_ENCODINGS: Final = {"utf-8": "", "utf-8-sig": "", "cp1252": "read as Windows-1252"}
# What no Windows-1252 text holds: control characters, and the bytes that stand for nothing.
_NOT_1252: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x81\x8d\x8f\x90\x9d]")
_UTF8_LETTER: Final = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")

# A sheet is laid out whole in memory, from its first cell to its last: 32 bytes a cell, filled or not.
_MOST_CELLS: Final = 30_000_000
_MOST_ROWS: Final = 1_048_576
_MOST_COLUMNS: Final = 16_384
_MOST_UNPACKED: Final = 2 << 30
_BOMB_UNPACKED: Final = 200 << 20
_BOMB_RATIO: Final = 200
_ERRORS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
# Excel keeps 15 digits of a number.
_EXACT: Final = 10**15
# Number formats that only add zeros and marks to the digits: 00000, 000-00-0000, "R-"0000.
_SHAPED: Final = re.compile(r"""(?:[0#]|"[^"]*"|\\.|[-() /])+""")
_SHAPE_TOKEN: Final = re.compile(r"""([0#])|"([^"]*)"|\\(.)|(.)""")
# Excel counts days from one of these two days, as the workbook says.
EPOCH_1900: Final = dt.date(1899, 12, 30)
EPOCH_1904: Final = dt.date(1904, 1, 1)
_NAMED_CELLS: Final = 10

_AS_CSV: Final = "export it as CSV in UTF-8, or as an Excel workbook (.xlsx)."
_AS_XLSX: Final = "save it as .xlsx without a password."
_WHOLE: Final = "the file is damaged or was cut off: open it in Excel and save it again, or ask for it again."
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_REFUSED: Final = (
    (b"%PDF", "is a PDF document"),
    (b"\x1f\x8b", "is compressed with gzip"),
    (b"\x89PNG", "is an image (PNG)"),
    (b"\xff\xd8\xff", "is an image (JPEG)"),
    (b"GIF8", "is an image (GIF)"),
    (b"II*\0", "is an image (TIFF)"),
    (b"MM\0*", "is an image (TIFF)"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive"),
    (b"Rar!\x1a\x07", "is a RAR archive"),
    (b"PK\x05\x06", "is an empty zip archive"),
    (b"{\\rtf", "is a rich text document"),
)
_MARKUP: Final = (
    ((b"<html", b"<!doctype", b"<table", b"<head", b"<meta", b"<style", b"<body"), "is an HTML page"),
    ((b"<?xml",), "is an XML document"),
)


@dataclass(frozen=True)
class Block:
    """Some consecutive rows.

    Attributes
    ----------
    rows
        The cells as text, stripped of nothing. Rows differ in length where the file's do.
    lines
        For each row the line of the CSV file on which it begins, or the number that Excel shows beside it.
    """

    rows: list[list[str]]
    lines: list[int]


@dataclass(frozen=True, order=True)
class Merged:
    """Cells that are merged into one: lines as Excel numbers them, columns from 0, both ends included."""

    first_line: int
    last_line: int
    first_column: int
    last_column: int

    def __str__(self) -> str:
        """Return the range as Excel writes it: ``D2:D5``."""
        return f"{letters(self.first_column)}{self.first_line}:{letters(self.last_column)}{self.last_line}"


@dataclass(frozen=True)
class Sheet:
    """A table of text cells: one worksheet, or a CSV file.

    Attributes
    ----------
    file
        The file's name without its folder, for messages.
    name
        The name of the worksheet; for a CSV file its name without the ending.
    notes
        What a person should know about how it was read.
    merged
        The ranges of merged cells, of which only the first has a value.
    epoch
        The day from which it counts the serial numbers of dates.
    """

    file: str
    name: str
    notes: list[str]
    _read: Callable[[int], Iterator[Block]] = field(repr=False, compare=False)
    merged: Sequence[Merged] = ()
    epoch: dt.date = EPOCH_1900

    def blocks(self, size: int = 50_000) -> Iterator[Block]:
        """Yield the rows from the first, at most ``size`` at a time; a CSV file is never held whole.

        Raises
        ------
        DeliveryError
            If a row is not CSV. That shows only when the row is reached.
        """
        return self._read(size)


def read_sheets(path: Path) -> list[Sheet]:
    """Open a file that an agency sent.

    Returns
    -------
    list[Sheet]
        The one table of a CSV file; every worksheet of a workbook in order, hidden and empty ones too.

    Raises
    ------
    DeliveryError
        If the file is none of these, is not what its name says, or cannot be read whole.
    """
    name = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in path.name or str(path))
    try:
        mode = path.stat().st_mode
        if not S_ISREG(mode):
            raise _refuse(name, "is a folder;" if S_ISDIR(mode) else "is no file;", "give a .csv or .xlsx file.")
        with path.open("rb") as file:
            kind = _kind(file, name, path.suffix.lower())
            return _read_workbook(file, name) if kind == "workbook" else _read_text(path, file, name)
    except FileNotFoundError:
        raise _refuse(name, "is missing;", "give the path of a file that exists.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _refuse(name, f"cannot be read: {reason}.", "Make the file readable.") from None


def _refuse(where: str, what: str, remedy: str) -> DeliveryError:
    return _refuse_all([Problem(where, what, remedy)])


def _refuse_all(problems: list[Problem]) -> DeliveryError:
    return DeliveryError("A file cannot be read.", problems)


@dataclass(frozen=True)
class _Content:
    """What a file is.

    Attributes
    ----------
    what
        In words: ``is a PDF document``.
    remedy
        What would be right, where the file is refused.
    endings
        Those with which its name says what it is.
    kind
        ``text`` or ``workbook``; nothing where the file is refused.
    """

    what: str
    remedy: str
    endings: tuple[str, ...] = ()
    kind: str = ""


def _kind(file: BufferedReader, name: str, ending: str) -> str:
    """Return whether a file is ``text`` or a ``workbook``, from its content; refuse what is neither, or is misnamed."""
    head = file.read(_HEAD)
    if not head.removeprefix(codecs.BOM_UTF8):
        raise _refuse(f"{name}, line 1", "is empty;", "a file without rows still has its header.")
    content = _content(file, head)
    if content.kind and ending in content.endings:
        return content.kind
    called = "" if ending in content.endings else f"is named {ending} and " if ending else "has no ending and "
    raise _refuse(name, f"{called}{content.what};", content.remedy)


def _content(file: BufferedReader, head: bytes) -> _Content:
    if head.startswith(b"PK\x03\x04"):
        return _zipped(file)
    if head.startswith(_OLE):
        if _holds(file, _ENCRYPTED):
            return _Content("is protected by a password", _AS_XLSX, (".xlsx",))
        return _Content("is an old .xls workbook", _AS_XLSX, (".xls",))
    for mark, what in _REFUSED:
        if head.startswith(mark):
            return _Content(what, _AS_CSV)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for marks, what in _MARKUP:
        if start.startswith(marks):
            return _Content(what, _AS_CSV)
    # Letters in UTF-16 are mostly Latin ones, of which every other byte is nothing.
    half = len(head) // 2 > 1 and (any(head[::2]) is not any(head[1::2]))
    if half or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _Content("is text in UTF-16, from line 1 on", "save it as CSV in UTF-8.", _TEXT_NAMES)
    what = "is no workbook" if b"\0" in head else "is text"
    return _Content(what, "give CSV text the ending .csv, .txt or .tsv, and a workbook .xlsx.", _TEXT_NAMES, "text")


def _holds(file: BufferedReader, mark: bytes) -> bool:
    file.seek(0)
    before = b""
    while chunk := file.read(_CHUNK):
        if mark in before + chunk:
            return True
        before = chunk[-len(mark) :]
    return False


# --- Text -----------------------------------------------------------------------------------------------------------


def _read_text(path: Path, file: BufferedReader, name: str) -> list[Sheet]:
    encoding, notes = _encoding(file, name)
    delimiter = _delimiter(path, encoding)
    said = [_ENCODINGS[encoding], _DELIMITERS[delimiter], *notes]
    stem = Path(name).stem
    return [Sheet(name, stem, [note for note in said if note], partial(_rows, path, name, encoding, delimiter))]


def _encoding(file: BufferedReader, name: str) -> tuple[str, list[str]]:
    """Return the encoding of a whole file, and what a person should know about it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    wrong: int | None = None  # where the file ceases to be UTF-8
    bad: dict[int, int] = {}  # where each byte that Windows-1252 does not have comes first
    mixed = False
    at = since = 0
    before = b""
    file.seek(0)
    while chunk := file.read(_CHUNK):
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
            raise _refuse(f"{name}, line {_line(file, at)}", "has a line of more than 16 MiB;", "this is no table.")
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
            what = "holds a NUL byte: it is not text, or is text in UTF-16;"
        elif wrong is None or marked:
            continue
        else:
            what = f"is neither UTF-8 nor Windows-1252: the byte 0x{byte:02x} stands there;"
        problems.append(Problem(f"{name}, line {_line(file, place)}", what, "export it as CSV in UTF-8."))
    if problems:
        raise _refuse_all(problems)
    notes = []
    if wrong is not None and mixed:
        notes.append(
            f"line {_line(file, wrong)} is not UTF-8, though other letters look like it: letters may be garbled"
        )
    if before[-1:] not in (b"\n", b"\r"):
        notes.append("the last line has no end of line: the file may have been cut off")
    return ("utf-8-sig" if marked else "utf-8" if wrong is None else "cp1252"), notes


def _since_line_end(chunk: bytes, since: int) -> int:
    """Return how long the last line is by the end of a chunk; the longest, where a line is longer than a chunk."""
    end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    return since + len(chunk) if end < 0 else len(chunk) - end - 1


def _line(file: BufferedReader, place: int) -> int:
    """Return the line on which a byte stands."""
    file.seek(0)
    line, last, left = 1, b"", place
    while left and (chunk := file.read(min(_CHUNK, left))):
        left -= len(chunk)
        line += chunk.count(b"\n") + chunk.count(b"\r") - (last + chunk).count(b"\r\n")
        last = chunk[-1:]
    if last == b"\r" and file.read(1) == b"\n":
        line -= 1
    return line


def _delimiter(path: Path, encoding: str) -> str:
    """Return the delimiter that makes the most fields of most of the first rows."""
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
        # Marks in remarks do not divide the headings: the delimiter is what divides the most rows alike.
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
        raise _refuse(f"{name}, line {begins}", what_is_wrong(error), NEVER_CLOSED) from None
    except (OSError, UnicodeError) as error:
        raise _refuse(f"{name}, line {begins}", f"cannot be read: {error}.", "The file may have changed.") from None
    if rows:
        yield _short(Block(rows, lines), name)


def _short(block: Block, name: str) -> Block:
    """Return a block, where none of its values is too long."""
    if max(map(len, chain.from_iterable(block.rows)), default=0) > LONGEST_VALUE:
        longest = (max(map(len, row), default=0) for row in block.rows)
        line = next(line for length, line in zip(longest, block.lines, strict=True) if length > LONGEST_VALUE)
        raise _refuse(f"{name}, line {line}", too_long(), NEVER_CLOSED)
    return block


# --- Workbooks ------------------------------------------------------------------------------------------------------


def _zipped(file: BufferedReader) -> _Content:
    try:
        with zipfile.ZipFile(_rewound(file)) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            locked = any(member.flag_bits & 1 for member in members)
            types = _beginning(archive, "[Content_Types].xml") if not locked else b""
            kind = _beginning(archive, "mimetype") if not locked else b""
    except Exception:
        # zipfile raises many kinds of error on what is no good archive.
        return _Content("is a damaged workbook or zip archive", _WHOLE, (".xlsx",))
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > _MOST_UNPACKED or (unpacked > _BOMB_UNPACKED and unpacked > _BOMB_RATIO * packed):
        what = f"is an archive that would unpack to {unpacked >> 20:,} MiB"
        return _Content(what, "send the table by itself, as CSV in UTF-8 or as .xlsx.", (".xlsx",))
    if locked:
        return _Content("is protected by a password", _AS_XLSX, (".xlsx",))
    if b"macroEnabled" in types or any(name.lower().endswith("vbaproject.bin") for name in names):
        return _Content("is a workbook with macros", "save the workbook as .xlsx, without macros.", (".xlsm",))
    if "xl/workbook.xml" in names:
        if len({name.lower() for name in names}) < len(members):
            return _Content("is a workbook that holds a part twice", _WHOLE, (".xlsx",))
        return _Content("is an Excel workbook", "give a workbook the ending .xlsx.", (".xlsx",), "workbook")
    if "xl/workbook.bin" in names:
        return _Content("is a binary workbook (.xlsb)", _AS_XLSX, (".xlsb",))
    if b"opendocument.spreadsheet" in kind:
        return _Content("is an OpenDocument spreadsheet", _AS_XLSX, (".ods",))
    if any(name.startswith("word/") for name in names):
        return _Content("is a Word document", _AS_CSV, (".docx",))
    return _Content("is a zip archive and no workbook", "unpack it and give the files that it holds.", (".zip",))


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b""
    with archive.open(name) as member:
        return member.read(_CHUNK)


@dataclass
class _Layout:
    """What the XML of a worksheet says and calamine does not.

    ``shaped`` are the number formats of cells that show a number with zeros or marks that are not part of it.
    """

    rows: int = 0
    columns: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    shaped: dict[tuple[int, int], str] = field(default_factory=dict)
    uncalculated: list[str] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    hidden_lines: list[int] = field(default_factory=list)
    hidden_columns: list[str] = field(default_factory=list)

    def problems(self, where: str) -> list[Problem]:
        """Name the cells for which calamine would refuse the whole sheet without saying which they are."""
        odd = [(place, text) for place, text in self.errors.items() if text not in _ERRORS]
        return [
            Problem(
                f"{where}, cell {letters(column)}{row + 1}",
                f"holds the error {text!r}, which cannot be read;",
                "mend the cell, or empty it.",
            )
            for (row, column), text in odd[:_NAMED_CELLS]
        ]

    def notes(self) -> list[str]:
        """Return in what the cells that are read differ from what Excel shows."""
        found = []
        if count := len(self.uncalculated):
            found.append(
                f"{count:,} cells hold a formula whose result was not saved: they read as empty "
                f"({_some(self.uncalculated)}). Open the file in Excel and save it"
            )
        if lines := [line for line in self.hidden_lines if line <= self.rows]:
            found.append(
                f"{len(lines):,} lines are hidden, by hand or by a filter, and are read like any other "
                f"(line {_some(lines)})"
            )
        if self.hidden_columns:
            found.append(f"hidden columns are read like any other ({_some(self.hidden_columns)})")
        return found


def _some(places: Sequence[object]) -> str:
    """Name the first places of a list."""
    more = len(places) - _NAMED_CELLS
    return ", ".join(map(str, places[:_NAMED_CELLS])) + (f" and {more:,} more" if more > 0 else "")


class _Broken(Exception):  # noqa: N818
    """A worksheet is not as Excel writes one."""


def _read_workbook(file: BufferedReader, name: str) -> list[Sheet]:
    """Read every worksheet: what is wrong with a workbook shows here, not in ``Sheet.blocks``."""
    layouts: dict[int, _Layout] = {}
    problems: list[Problem] = []
    try:
        with zipfile.ZipFile(_rewound(file)) as archive:
            if damaged := archive.testzip():
                raise _Broken(f"its part {damaged!r} is damaged")
            parts, epoch = _parts(archive)
            _require_true_counts(archive)
            formats = _shaped_formats(archive)
            book = _calamine(name, lambda: CalamineWorkbook.from_filelike(_rewound(file)))
            if len(parts) != len(book.sheets_metadata):
                raise _Broken("its list of sheets is damaged")
            worksheets = {
                place: sheet for place, sheet in enumerate(book.sheets_metadata) if sheet.typ is SheetTypeEnum.WorkSheet
            }
            for place, sheet in worksheets.items():
                where = f"{name}, sheet '{sheet.name}'"
                try:
                    layouts[place] = layout = _layout(archive, parts[place], formats)
                except (_Broken, KeyError, expat.ExpatError) as error:
                    problems.append(Problem(where, f"is broken: {error};", _WHOLE))
                else:
                    problems += layout.problems(where)
    except DeliveryError:
        raise
    except Exception as error:
        # zipfile raises many kinds of error on what is no good archive.
        raise _refuse(name, f"is a broken workbook: {error};", _WHOLE) from None
    if sum(layout.rows * layout.columns for layout in layouts.values()) > _MOST_CELLS:
        place, layout = max(layouts.items(), key=lambda item: item[1].rows * item[1].columns)
        where = f"{name}, sheet '{worksheets[place].name}'"
        what = f"reaches to row {layout.rows} and column {letters(layout.columns - 1)}, too far to read;"
        problems.append(Problem(where, what, "delete stray cells below and beside the table, or send it as CSV."))
    if problems:
        raise _refuse_all(problems)
    sheets = []
    for place, sheet in worksheets.items():
        where = f"{name}, sheet '{sheet.name}'"
        try:
            values = _calamine(where, partial(book.get_sheet_by_index, place))
        except DeliveryError as error:
            problems += error.problems
            continue
        hidden = ["the sheet is hidden"] if sheet.visible is not SheetVisibleEnum.Visible else []
        notes = [*hidden, *layouts[place].notes()]
        read = partial(_blocks, where, values, layouts[place])
        sheets.append(Sheet(name, sheet.name, notes, read, sorted(layouts[place].merged), epoch))
    if problems:
        raise _refuse_all(problems)
    return sheets


def _rewound(file: BufferedReader) -> BufferedReader:
    file.seek(0)
    return file


def _calamine(where: str, call: Callable[[], _T]) -> _T:
    """Call calamine. A panic of its Rust code is no ``Exception``, and neither is Ctrl-C, which goes on its way."""
    try:
        return call()
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise _refuse(where, f"is broken: {error};", _WHOLE) from None


def _parse(archive: zipfile.ZipFile, part: str, start: Callable[[str, dict[str, str]], None], **handlers: Any) -> None:
    """Parse a part of the archive; names come without their prefixes."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _no_doctype
    for handler, call in handlers.items():
        setattr(parser, handler, call)
    with archive.open(part) as member:
        stream: IO[bytes] = member
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _no_doctype(*_: object) -> None:
    raise _Broken("it holds a document type")


def _parts(archive: zipfile.ZipFile) -> tuple[list[str], dt.date]:
    """Return the part that holds each sheet, in the order of the workbook, and the day that it counts days from."""
    identities: list[str] = []
    targets: dict[str, str] = {}
    epochs = {EPOCH_1900}

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "sheet":
            identities.append(next((value for key, value in attributes.items() if key.endswith(":id")), ""))
        elif tag.rpartition(":")[2] == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epochs.add(EPOCH_1904)

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, "xl/workbook.xml", sheet)
    _parse(archive, "xl/_rels/workbook.xml.rels", relation)
    known = {name.lower(): name for name in archive.namelist()}
    parts = []
    for identity in identities:
        target = targets.get(identity, "")
        full = target[1:] if target.startswith("/") else target if target.startswith("xl/") else f"xl/{target}"
        parts.append(known.get(posixpath.normpath(full).lower(), full))
    return parts, max(epochs)


def _shaped_formats(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the number format of each cell style that shows a number with zeros or marks that are not part of it."""
    part = next((name for name in archive.namelist() if name.lower() == "xl/styles.xml"), None)
    codes: dict[str, str] = {}
    styles: list[str] = []
    inside: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "xf" and inside[-1:] == ["cellXfs"]:
            styles.append(attributes.get("numFmtId", ""))
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    if part is not None:
        _parse(archive, part, start, EndElementHandler=end)
    shaped = {number: code.split(";")[0] for number, code in codes.items()}
    shaped = {number: code for number, code in shaped.items() if _SHAPED.fullmatch(code) and code.strip("#") != "0"}
    return {str(place): shaped[number] for place, number in enumerate(styles) if number in shaped}


def _as_shown(value: float, shape: str) -> str:
    """Return a whole number as Excel shows it with a format of zeros and marks."""
    tokens = _SHAPE_TOKEN.findall(shape)
    digits = list(str(int(value)))
    shown: list[str] = []
    left = sum(1 for digit, *_ in tokens if digit)
    for digit, *marks in reversed(tokens):
        if not digit:
            shown.append("".join(marks))
            continue
        left -= 1
        if not left:  # The first place takes all digits that are left.
            shown.append("".join(digits) or ("0" if digit == "0" else ""))
        else:
            shown.append(digits.pop() if digits else "0" if digit == "0" else "")
    return "".join(reversed(shown))


def _require_true_counts(archive: zipfile.ZipFile) -> None:
    """Refuse a count of more than could be there: calamine asks for the memory before it looks."""
    for member in archive.infolist():
        keys = {"xl/sharedstrings.xml": ("uniqueCount",), "xl/styles.xml": ("count",)}.get(member.filename.lower(), ())
        if keys:

            def start(
                _: str,
                attributes: dict[str, str],
                keys: tuple[str, ...] = keys,
                part: str = member.filename,
                most: int = member.file_size,
            ) -> None:
                # The count of shared strings is of the cells that use them, which may well be more.
                for key in keys:
                    if (value := attributes.get(key, "0").strip()).isdecimal() and int(value[:20]) > most:
                        raise _Broken(f"its part {part!r} counts {value[:20]} of what it cannot hold")

            _parse(archive, member.filename, start)


def _layout(archive: zipfile.ZipFile, part: str, formats: Mapping[str, str]) -> _Layout:
    """Go through the XML of a worksheet, which must be whole.

    calamine gives an error cell as an empty one, reads XML that was cut off as far as it goes, and asks for memory
    for every cell between the first and the last.
    """
    layout = _Layout()
    tags: dict[str, str] = {}
    columns: dict[str, int] = {}
    row, column, kind, style = -1, -1, "", ""
    inside = formula = valued = False
    text: list[str] | None = None
    split = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})").fullmatch

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, style, inside, formula, valued, text
        tag = tags.get(name) or tags.setdefault(name, name.rpartition(":")[2])
        if not inside:
            inside = tag == "sheetData"
            if tag == "mergeCell":
                layout.merged.append(_merged(attributes.get("ref", "")))
            elif tag == "col" and attributes.get("hidden") in ("1", "true"):
                layout.hidden_columns.append(_columns_named(attributes))
        elif tag == "c":
            kind, formula, valued = attributes.get("t", ""), False, False
            style = attributes.get("s", "")
            if reference := attributes.get("r"):
                found = split(reference)
                if not found or int(found[2]) != row + 1:
                    raise _Broken(f"the cell {reference!r} stands in row {row + 1}")
                column = columns.get(found[1], -1)
                if column < 0:
                    column = columns[found[1]] = _column(found[1])
            else:
                column += 1
            if column >= _MOST_COLUMNS:
                raise _Broken(f"row {row + 1} has more than {_MOST_COLUMNS} columns")
        elif tag in ("v", "is"):
            valued = True
            layout.rows = max(layout.rows, row + 1)
            layout.columns = max(layout.columns, column + 1)
            text = [] if formula or kind == "e" else None
            if kind in ("", "n") and style in formats:
                layout.shaped[row, column] = formats[style]
        elif tag == "f":
            formula = True
        elif tag == "row":
            number = attributes.get("r", "")
            if number and not re.fullmatch("[0-9]{1,7}", number):
                raise _Broken(f"it has a row {number!r}")
            row, column = int(number) - 1 if number else row + 1, -1
            if not 0 <= row < _MOST_ROWS:
                raise _Broken(f"it has a row {row + 1}")
            if attributes.get("hidden") in ("1", "true"):
                layout.hidden_lines.append(row + 1)

    def data(part: str) -> None:
        if text is not None:
            text.append(part)

    def end(name: str) -> None:
        nonlocal inside, valued, text
        tag = tags[name]
        if tag == "v" and text is not None:
            if (value := "".join(text)) and kind == "e":
                layout.errors[row, column] = value
            valued = bool(value) or kind == "str"
            text = None
        elif tag == "c" and formula and not valued:
            layout.uncalculated.append(f"{letters(column)}{row + 1}")
        elif tag == "sheetData":
            inside = False

    _parse(archive, part, start, EndElementHandler=end, CharacterDataHandler=data)
    return layout


def _column(letters: str) -> int:
    """Return the place of a column, from 0: ``AA`` is 26."""
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def letters(column: int) -> str:
    """Return the letters of a column that is counted from 0."""
    name = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        name = chr(65 + place) + name
    return name


def _merged(reference: str) -> Merged:
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?", reference)
    if found is None:
        raise _Broken(f"it merges {reference!r}")
    last_letters, last_line = found[3] or found[1], found[4] or found[2]
    return Merged(int(found[2]), int(last_line), _column(found[1]), _column(last_letters))


def _columns_named(attributes: Mapping[str, str]) -> str:
    """Name the columns that one entry of a worksheet speaks of: ``D``, or ``D:F``."""
    ends = [attributes.get(end, "") for end in ("min", "max")]
    if not all(re.fullmatch("[0-9]{1,5}", end) and int(end) for end in ends):
        raise _Broken(f"it hides the columns {':'.join(ends)!r}")
    return ":".join(dict.fromkeys(letters(int(end) - 1) for end in ends))


def _blocks(where: str, values: CalamineSheet, layout: _Layout, size: int) -> Iterator[Block]:
    rows = _calamine(where, lambda: values.to_python(skip_empty_area=False))
    errors: dict[int, dict[int, str]] = {}
    for (row, column), error in layout.errors.items():
        errors.setdefault(row, {})[column] = error
    rows += [[] for _ in range(len(rows), max(errors, default=-1) + 1)]
    size = max(size, 1)
    shapes: dict[int, list[tuple[int, int, str]]] = {}
    for (row, column), shape in layout.shaped.items():
        if row < len(rows):
            shapes.setdefault(row // size, []).append((row, column, shape))
    for first in range(0, len(rows), size):
        block = [[_text(value) for value in row] for row in rows[first : first + size]]
        for place, column, shape in shapes.get(first // size, ()):
            value = rows[place][column] if column < len(rows[place]) else ""
            if isinstance(value, float) and value.is_integer() and 0 <= value < _EXACT:
                block[place - first][column] = _as_shown(value, shape)
        for place, cells in enumerate(block, first):
            for column, error in errors.get(place, {}).items():
                cells += [""] * (column + 1 - len(cells))
                cells[column] = error
        yield Block(block, list(range(first + 1, first + len(block) + 1)))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if abs(value) >= _EXACT:  # As Excel writes it: its last digits are lost.
            return f"{value:.14E}"
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        # Excel counts in days and is true to a millisecond, not beyond: 23:59:59.997 is of the day that it says.
        value = (value + dt.timedelta(microseconds=500)).replace(microsecond=0)
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat("seconds")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        minutes, second = divmod(abs(seconds), 60)
        return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}:{second:02}"
    return str(value)
