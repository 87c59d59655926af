"""Read the files that agencies send, text or workbooks, as sheets of plain text cells.

The content decides what a file is. A file with the wrong ending, or one that cannot be read completely, is refused.
Cells are text, with their blanks. Other modules decide what they mean.
"""

from __future__ import annotations

import codecs
import zipfile
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

from viputils.intake.sheet import CHUNK, WHOLE, Sheet, refuse
from viputils.intake.text_file import read_text
from viputils.intake.workbook import read_workbook, rewound

_TEXT_NAMES: Final = (".csv", ".txt", ".tsv")
_HEAD: Final = 4096
_MOST_UNPACKED: Final = 2 << 30
_BOMB_UNPACKED: Final = 200 << 20
_BOMB_RATIO: Final = 200
_AS_CSV: Final = "export it as CSV in UTF-8, or as an Excel workbook (.xlsx)."
_AS_XLSX: Final = "save it as .xlsx without a password."
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


def read_sheets(path: Path) -> list[Sheet]:
    """Open a file that an agency sent.

    Returns
    -------
    list[Sheet]
        The one table of a CSV file; every worksheet of a workbook in order, hidden and empty ones too.

    Raises
    ------
    DeliveryError
        If the file is none of these, has the wrong ending, or cannot be read completely.
    """
    name = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in path.name or str(path))
    try:
        mode = path.stat().st_mode
        if not S_ISREG(mode):
            raise refuse(name, "is a folder;" if S_ISDIR(mode) else "is not a file;", "give a .csv or .xlsx file.")
        with path.open("rb") as file:
            kind = _kind(file, name, path.suffix.lower())
            return read_workbook(file, name) if kind == "workbook" else read_text(path, file, name)
    except FileNotFoundError:
        raise refuse(name, "is missing;", "give the path of a file that exists.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refuse(name, f"cannot be read: {reason}.", "Make the file readable.") from None


@dataclass(frozen=True)
class _Content:
    """The kind of a file.

    Attributes
    ----------
    what
        The kind in words: ``is a PDF document``.
    remedy
        What to do if the file is refused.
    endings
        The right endings of its name.
    kind
        ``text`` or ``workbook``; empty if the file is refused.
    """

    what: str
    remedy: str
    endings: tuple[str, ...] = ()
    kind: str = ""


def _kind(file: BufferedReader, name: str, ending: str) -> str:
    """Return whether a file is ``text`` or a ``workbook`` by its content. Refuse other files and wrong endings."""
    head = file.read(_HEAD)
    if not head.removeprefix(codecs.BOM_UTF8):
        raise refuse(f"{name}, line 1", "is empty;", "a file without rows still has its header.")
    content = _content(file, head)
    if content.kind and ending in content.endings:
        return content.kind
    called = "" if ending in content.endings else f"is named {ending} and " if ending else "has no ending and "
    raise refuse(name, f"{called}{content.what};", content.remedy)


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
    # In UTF-16, every other byte of Latin letters is zero.
    half = len(head) // 2 > 1 and (any(head[::2]) is not any(head[1::2]))
    if half or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _Content("is text in UTF-16, from line 1 on", "save it as CSV in UTF-8.", _TEXT_NAMES)
    what = "is not a workbook" if b"\0" in head else "is text"
    return _Content(what, "give CSV text the ending .csv, .txt or .tsv, and a workbook .xlsx.", _TEXT_NAMES, "text")


def _holds(file: BufferedReader, mark: bytes) -> bool:
    file.seek(0)
    before = b""
    while chunk := file.read(CHUNK):
        if mark in before + chunk:
            return True
        before = chunk[-len(mark) :]
    return False


def _zipped(file: BufferedReader) -> _Content:
    try:
        with zipfile.ZipFile(rewound(file)) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            locked = any(member.flag_bits & 1 for member in members)
            types = _beginning(archive, "[Content_Types].xml") if not locked else b""
            kind = _beginning(archive, "mimetype") if not locked else b""
    except Exception:
        # zipfile raises many kinds of error for a damaged archive.
        return _Content("is a damaged workbook or zip archive", WHOLE, (".xlsx",))
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
            return _Content("is a workbook that contains a part twice", WHOLE, (".xlsx",))
        return _Content("is an Excel workbook", "give a workbook the ending .xlsx.", (".xlsx",), "workbook")
    if "xl/workbook.bin" in names:
        return _Content("is a binary workbook (.xlsb)", _AS_XLSX, (".xlsb",))
    if b"opendocument.spreadsheet" in kind:
        return _Content("is an OpenDocument spreadsheet", _AS_XLSX, (".ods",))
    if any(name.startswith("word/") for name in names):
        return _Content("is a Word document", _AS_CSV, (".docx",))
    return _Content("is a zip archive and not a workbook", "unpack it, and give the files in it.", (".zip",))


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b""
    with archive.open(name) as member:
        return member.read(CHUNK)
