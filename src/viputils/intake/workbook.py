"""Read the sheets of a workbook as its user sees them."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from typing import IO, Any, Final
from xml.parsers import expat

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from viputils.core.errors import DeliveryError, Problem
from viputils.intake.sheet import CHUNK, EPOCH_1900, WHOLE, Block, Merged, Sheet, T, letters, refuse, refuse_all

# The whole sheet is in memory, from its first cell to its last. Each cell takes 32 bytes, even an empty one.
_MOST_CELLS: Final = 30_000_000
_MOST_ROWS: Final = 1_048_576
_MOST_COLUMNS: Final = 16_384
_ERRORS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
# Excel keeps 15 digits of a number.
_EXACT: Final = 10**15
# Number formats that only add zeros and marks to the digits: 00000, 000-00-0000, "R-"0000.
_SHAPED: Final = re.compile(r"""(?:[0#]|"[^"]*"|\\.|[-() /])+""")
_SHAPE_TOKEN: Final = re.compile(r"""([0#])|"([^"]*)"|\\(.)|(.)""")
EPOCH_1904: Final = dt.date(1904, 1, 1)
_NAMED_CELLS: Final = 10


@dataclass
class _Layout:
    """The properties of a worksheet that calamine does not return.

    ``shaped`` has the formats of cells that show zeros or marks that are not part of the number.
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
        """Return a problem for each cell that makes calamine refuse the sheet. It does not name the cell."""
        odd = [(place, text) for place, text in self.errors.items() if text not in _ERRORS]
        return [
            Problem(
                f"{where}, cell {letters(column)}{row + 1}",
                f"contains the error {text!r}, which cannot be read;",
                "correct the cell, or empty it.",
            )
            for (row, column), text in odd[:_NAMED_CELLS]
        ]

    def notes(self) -> list[str]:
        """Return notes on how the cells differ from what Excel shows."""
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
    """Return the first places of a list as text."""
    more = len(places) - _NAMED_CELLS
    return ", ".join(map(str, places[:_NAMED_CELLS])) + (f" and {more:,} more" if more > 0 else "")


class _Broken(Exception):  # noqa: N818
    """A worksheet is malformed."""


def read_workbook(file: BufferedReader, name: str) -> list[Sheet]:
    """Read every worksheet. Errors in a workbook are raised here, not in ``Sheet.blocks``."""
    layouts: dict[int, _Layout] = {}
    problems: list[Problem] = []
    try:
        with zipfile.ZipFile(rewound(file)) as archive:
            if damaged := archive.testzip():
                raise _Broken(f"its part {damaged!r} is damaged")
            parts, epoch = _parts(archive)
            _require_true_counts(archive)
            formats = _shaped_formats(archive)
            book = _calamine(name, lambda: CalamineWorkbook.from_filelike(rewound(file)))
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
                    problems.append(Problem(where, f"is broken: {error};", WHOLE))
                else:
                    problems += layout.problems(where)
    except DeliveryError:
        raise
    except Exception as error:
        # zipfile raises many kinds of error for a damaged archive.
        raise refuse(name, f"is a broken workbook: {error};", WHOLE) from None
    if sum(layout.rows * layout.columns for layout in layouts.values()) > _MOST_CELLS:
        place, layout = max(layouts.items(), key=lambda item: item[1].rows * item[1].columns)
        where = f"{name}, sheet '{worksheets[place].name}'"
        what = f"reaches to row {layout.rows} and column {letters(layout.columns - 1)}, too far to read;"
        problems.append(Problem(where, what, "delete stray cells below and beside the table, or send it as CSV."))
    if problems:
        raise refuse_all(problems)
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
        raise refuse_all(problems)
    return sheets


def rewound(file: BufferedReader) -> BufferedReader:
    """Move to the beginning of a file, and return it."""
    file.seek(0)
    return file


def _calamine(where: str, call: Callable[[], T]) -> T:
    """Call calamine. A panic of its Rust code is not an ``Exception``; neither is Ctrl-C, which is raised again."""
    try:
        return call()
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise refuse(where, f"is broken: {error};", WHOLE) from None


def _parse(archive: zipfile.ZipFile, part: str, start: Callable[[str, dict[str, str]], None], **handlers: Any) -> None:
    """Parse a part of the archive. Handlers get names without prefixes."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _no_doctype
    for handler, call in handlers.items():
        setattr(parser, handler, call)
    with archive.open(part) as member:
        stream: IO[bytes] = member
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _no_doctype(*_: object) -> None:
    raise _Broken("it holds a document type")


def _parts(archive: zipfile.ZipFile) -> tuple[list[str], dt.date]:
    """Return the part of each sheet, in the order of the workbook, and the first day of its date numbers."""
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
    """Return the format of each cell style that shows zeros or marks that are not part of the number."""
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
        if not left:  # The first place takes all remaining digits.
            shown.append("".join(digits) or ("0" if digit == "0" else ""))
        else:
            shown.append(digits.pop() if digits else "0" if digit == "0" else "")
    return "".join(reversed(shown))


def _require_true_counts(archive: zipfile.ZipFile) -> None:
    """Refuse counts that are too high for the file, because calamine reserves memory for them before it reads."""
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
                # The other count of shared strings is that of the cells that use them. It can be higher.
                for key in keys:
                    if (value := attributes.get(key, "0").strip()).isdecimal() and int(value[:20]) > most:
                        raise _Broken(f"its part {part!r} has a count of {value[:20]}, which is too high")

            _parse(archive, member.filename, start)


def _layout(archive: zipfile.ZipFile, part: str, formats: Mapping[str, str]) -> _Layout:
    """Return the layout of a worksheet from its XML, which must be complete.

    calamine returns error cells as empty, accepts XML that was cut off, and reserves memory for every cell between the
    first and the last.
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
                    raise _Broken(f"the cell {reference!r} is in row {row + 1}")
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
    """Return the number of a column, counted from 0: ``AA`` is 26."""
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _merged(reference: str) -> Merged:
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?", reference)
    if found is None:
        raise _Broken(f"it merges {reference!r}")
    last_letters, last_line = found[3] or found[1], found[4] or found[2]
    return Merged(int(found[2]), int(last_line), _column(found[1]), _column(last_letters))


def _columns_named(attributes: Mapping[str, str]) -> str:
    """Return the columns of one entry of a worksheet: ``D``, or ``D:F``."""
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
        if abs(value) >= _EXACT:  # Written as in Excel, which has lost the last digits.
            return f"{value:.14E}"
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        # Excel counts in days, and is exact to a millisecond: 23:59:59.997 is still on that day.
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
