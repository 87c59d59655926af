"""Decode text files as people save them, and find invisible characters."""

from __future__ import annotations

import codecs
import re
import unicodedata

from viputils.core.errors import Problem


def decoded(data: bytes) -> str:
    """Return the text of a UTF-8 file, or a UTF-16 file with a byte-order mark, with composed accents.

    Raises
    ------
    UnicodeDecodeError
        If the file is neither.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16")
    elif (place := data.find(b"\0")) >= 0:
        raise UnicodeDecodeError("utf-8", data, place, place + 1, "no text contains it")
    else:
        text = data.decode("utf-8-sig")
    return unicodedata.normalize("NFC", text)


def decoded_lines(data: bytes) -> list[str]:
    """Return the lines of a text file, as editors count them.

    Raises
    ------
    UnicodeDecodeError
        As ``decoded``.
    """
    lines = re.split(r"\r\n|\r|\n", decoded(data))
    return lines if lines[-1] else lines[:-1]


def not_decoded(name: str, data: bytes, error: UnicodeDecodeError) -> Problem:
    """Return the problem of a file that is not UTF-8, with instructions to save it correctly."""
    line = data[: error.start].count(b"\n") + 1
    return Problem(
        f"{name}, line {line}",
        f"is not UTF-8 (byte {error.start + 1} of the file);",
        "save it as UTF-8. In Word: Save As, Plain Text (.txt), Other encoding, Unicode (UTF-8). In Notepad: Save As, "
        "Encoding, UTF-8. In Excel: Save As, CSV UTF-8.",
    )


def hidden_marks(text: str) -> str:
    """Return the codes of invisible characters in a text, such as ``U+202E``, except those that join emoji."""
    found = dict.fromkeys(
        letter
        for letter in text
        if unicodedata.category(letter) in ("Cf", "Cc", "Cs", "Zl", "Zp") and letter not in "\u200d\ufe0f\t\n"
    )
    return ", ".join(f"U+{ord(letter):04X}" for letter in found)
