"""What a Word document needs beyond what Pandoc writes: for both engines, on the file that either of them made.

Headers, footers and styles come from report/theme/reference.docx. Nothing is added here that would be lost when
somebody saves the file in Word.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree import ElementTree as ET

_NAMESPACES: Final = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
}
_STYLEREF: Final = re.compile(r'\s*STYLEREF "([^"]+)"\s*')
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Pandoc counts the words of its sample there, and puts metadata that Word has no name for into custom.xml.
_PROPERTIES: Final = (
    _DECLARATION + b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    b"<Application>Microsoft Word</Application></Properties>"
)


def finished(document: bytes) -> bytes:
    """Return a document of Pandoc's with what makes it a good one in Word, and for a screen reader there.

    Tables get their name, the look of their first column and of a total row, and rows that stay whole. Fields in
    header and footer say what they stand for, and one that stands for nothing goes. The same document gives the same
    bytes on every machine, because nothing is compressed.
    """
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        entries = archive.infolist()
        files = {entry.filename: archive.read(entry) for entry in entries}
    body = _read(files["word/document.xml"])
    _finish_tables(body)
    _finish_pictures(body)
    files["word/document.xml"] = _written(body)
    words = _words_by_style(body)
    for name in files:
        if re.fullmatch(r"word/(?:header|footer)\d+\.xml", name):
            files[name] = _with_fields_worked_out(files[name], words)
    _set_language(files)
    files["docProps/app.xml"] = _PROPERTIES
    files.pop("docProps/custom.xml", None)
    for name, tag in (("[Content_Types].xml", rb"Override"), ("_rels/.rels", rb"Relationship")):
        files[name] = re.sub(rb"<" + tag + rb"\b[^>]*docProps/custom\.xml[^>]*/>", b"", files[name])
    day = next(entry.date_time for entry in entries if entry.filename == "word/document.xml")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            if entry.filename in files:
                archive.writestr(zipfile.ZipInfo(entry.filename, day), files[entry.filename])
    return made.getvalue()


def _set_language(files: dict[str, bytes]) -> None:
    """Name the dialect where the language alone is named: the dictionaries of Word are those of countries."""
    for name in ("word/styles.xml", "word/document.xml"):
        files[name] = re.sub(rb'(<w:lang\b[^>]*\bw:val="(?:en|es))"', rb'\1-US"', files[name])
    language = re.search(rb'<w:lang\b[^>]*\bw:val="([^"]+)"', files["word/styles.xml"])
    if language:
        files["word/settings.xml"] = re.sub(
            rb'(<w:themeFontLang w:val=")[^"]*', rb"\g<1>" + language[1], files["word/settings.xml"]
        )


def _name(short: str) -> str:
    prefix, name = short.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{name}"


_VAL: Final = _name("w:val")


def _read(xml: bytes) -> ET.Element:
    for prefix, uri in _NAMESPACES.items():
        ET.register_namespace(prefix, uri)
    return ET.fromstring(xml)  # noqa: S314 - Pandoc wrote it, on this machine, a moment ago


def _written(root: ET.Element) -> bytes:
    return _DECLARATION + bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=False))


def _text(element: ET.Element) -> str:
    return "".join(part.text or "" for part in element.iter(_name("w:t")))


# ---------------------------------------------------------------- Tables and pictures


def _finish_tables(root: ET.Element) -> None:
    body = root.find("w:body", _NAMESPACES)
    if body is None:
        return
    width = _text_width(body)
    for above, table in _with_the_one_above(body):
        if table.tag != _name("w:tbl"):
            continue
        _look_of(table)
        _widths_of(table, width)
        if above is not None and _style(above) == "Caption":
            ET.SubElement(_found(table, "w:tblPr"), _name("w:tblCaption"), {_VAL: _text(above)})
        for row in table.iterfind("w:tr", _NAMESPACES):
            properties = row.find("w:trPr", _NAMESPACES)
            if properties is None:
                properties = ET.Element(_name("w:trPr"))
                row.insert(0, properties)
            properties.insert(0, ET.Element(_name("w:cantSplit")))


def _with_the_one_above(body: ET.Element) -> Iterator[tuple[ET.Element | None, ET.Element]]:
    above = None
    for element in body:
        # A bookmark is no part of the text.
        if element.tag in (_name("w:p"), _name("w:tbl")):
            yield above, element
            above = element


def _style(paragraph: ET.Element) -> str:
    style = paragraph.find("w:pPr/w:pStyle", _NAMESPACES)
    return "" if style is None else style.get(_VAL, "")


def _found(element: ET.Element, path: str) -> ET.Element:
    found = element.find(path, _NAMESPACES)
    if found is None:
        raise ValueError(f"Pandoc wrote a table without {path}.")
    return found


def _text_width(body: ET.Element) -> int:
    """Return the width of the text in twentieths of a point."""
    page, margins = (_found(body, f"w:sectPr/w:{name}") for name in ("pgSz", "pgMar"))
    sides = int(margins.get(_name("w:left"), 0)) + int(margins.get(_name("w:right"), 0))
    return int(page.get(_name("w:w"), 0)) - sides


def _look_of(table: ET.Element) -> None:
    """Say that the first column holds row headers, and whether the last row is the total, which is bold."""
    look = _found(table, "w:tblPr/w:tblLook")
    header = table.find("w:tr/w:trPr/w:tblHeader", _NAMESPACES) is not None
    last = table.findall("w:tr", _NAMESPACES)[-1]
    total = last.find("w:tc/w:p/w:r/w:rPr/w:b", _NAMESPACES) is not None
    flags = {"firstRow": header, "lastRow": total, "firstColumn": True, "lastColumn": False}
    flags |= {"noHBand": True, "noVBand": True}
    bits = (0x20, 0x40, 0x80, 0x100, 0x200, 0x400)
    look.attrib.clear()
    look.set(_VAL, f"{sum(bit for bit, flag in zip(bits, flags.values(), strict=True) if flag):04X}")
    for name, flag in flags.items():
        look.set(_name(f"w:{name}"), str(int(flag)))


def _widths_of(table: ET.Element, text_width: int) -> None:
    """Give the widths of the columns in absolute numbers, for each cell, as every program understands them."""
    whole = _found(table, "w:tblPr/w:tblW")
    columns = table.findall("w:tblGrid/w:gridCol", _NAMESPACES)
    if whole.get(_name("w:type")) != "pct":
        return
    width = text_width * int(whole.get(_name("w:w"), 0)) / 5000
    shares = [int(column.get(_name("w:w"), 0)) for column in columns]
    twips = [str(round(width * share / sum(shares))) for share in shares]
    whole.set(_name("w:type"), "dxa")
    whole.set(_name("w:w"), str(sum(int(each) for each in twips)))
    for column, each in zip(columns, twips, strict=True):
        column.set(_name("w:w"), each)
    for row in table.iterfind("w:tr", _NAMESPACES):
        for cell, each in zip(row.iterfind("w:tc", _NAMESPACES), twips, strict=True):
            _found(cell, "w:tcPr").insert(0, ET.Element(_name("w:tcW"), {_name("w:w"): each, _name("w:type"): "dxa"}))


def _finish_pictures(root: ET.Element) -> None:
    for number, inline in enumerate(root.iter(_name("wp:inline")), start=1):
        said = _found(inline, "wp:docPr")
        said.attrib.pop("title", None)
        said.set("name", f"Picture {number}")
        for twin in inline.iter(_name("pic:cNvPr")):
            twin.set("name", f"Picture {number}")
            twin.set("descr", said.get("descr", ""))


# ---------------------------------------------------------------- Header and footer


def _words_by_style(root: ET.Element) -> dict[str, str]:
    """Return the words that first have each character style, as the field STYLEREF finds them."""
    words: dict[str, str] = {}
    for paragraph in root.iter(_name("w:p")):
        here: dict[str, str] = {}
        for run in paragraph.iterfind("w:r", _NAMESPACES):
            style = run.find("w:rPr/w:rStyle", _NAMESPACES)
            if style is not None:
                name = style.get(_VAL, "")
                here[name] = here.get(name, "") + _text(run)
        words = here | words
    return words


def _with_fields_worked_out(xml: bytes, words: Mapping[str, str]) -> bytes:
    root = _read(xml)
    for paragraph in root.iter(_name("w:p")):
        for field in paragraph.findall("w:fldSimple", _NAMESPACES):
            style = _STYLEREF.fullmatch(field.get(_name("w:instr"), ""))
            if style is None:
                continue
            shown = words.get(style[1].replace(" ", ""), "")
            if shown:
                _found(field, "w:r/w:t").text = shown
                continue
            # Word would show an error in its place. What parts it from the words before it goes as well.
            place = list(paragraph).index(field)
            before = paragraph[place - 1] if place else None
            paragraph.remove(field)
            if before is not None and _text(before).strip() == "|":
                paragraph.remove(before)
    return _written(root)
