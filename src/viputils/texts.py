"""The texts that people write for the report: introduction, definitions, the activities of a month.

A text is plain Markdown: ``## headings``, each with paragraphs or lists below it, **bold**, *italic* and links
to web addresses. Everything else comes out as the characters that were typed, in every format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from viputils.errors import Problem, TextError
from viputils.program import folded

# What could begin a construct of Markdown, Quarto, HTML, TeX or Typst anywhere in a line.
_SPECIAL = re.compile(r"([\\`{}\[\]<>#|$@~^!&=])")
# What could do so only at the beginning of one. "- " and "1. " stay: they are lists.
_AT_START = re.compile(r"(?!- )[-+:%]")
_RULE = re.compile(r"[-*_\s]+")
# Every mark that Markdown has a use for, typographic ones included: "--" and "..." stay what they are.
_IN_DATA = re.compile(r"""([\\`*_{}\[\]<>#|$@~^!&"':=%+.()-])""")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()\s]+)\)")
_WEB = re.compile(r"https?://[^\s<>\"'`{}\\|^]+")


@dataclass(frozen=True)
class Section:
    """A heading and the Markdown below it, safe to show as it stands."""

    title: str
    body: str


def escape(text: object) -> str:
    """Give text from a file or a record as Markdown that shows exactly these characters, on one line."""
    # What only a terminal would act on is no character of a page.
    seen = "".join(
        letter for letter in str(text) if letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cs")
    )
    return _IN_DATA.sub(r"\\\1", " ".join(seen.split()))


def read_sections(path: Path, name: str) -> list[Section]:
    """Read a text; an absent file is an empty text.

    Parameters
    ----------
    name
        What errors call the file.

    Raises
    ------
    TextError
        With every line that cannot be shown: text before the first heading, a heading of another level, without
        text or used twice, an image, a link that is no web address.
    """
    lines = read_lines(path, name)
    problems: list[Problem] = []
    sections: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        heading = re.fullmatch(r"(#+)\s+(.*?)\s*#*", line.strip())
        if heading:
            if heading[1] != "##":
                problems.append(
                    Problem(where, f"the heading {line.strip()!r} is of another level;", "begin it with two: ## Theme.")
                )
            if any(folded(heading[2]) == folded(title) for _, title, _ in sections):
                problems.append(
                    Problem(where, f"the heading {heading[2]!r} stands there twice;", "put its text under one of them.")
                )
            sections.append((number, heading[2], []))
        elif sections:
            sections[-1][2].append(_safe_line(line, where, problems))
        elif line.strip():
            problems.append(Problem(where, "stands before the first heading;", "begin with a heading: ## Theme."))
    problems += [
        Problem(
            f"{name}, line {number}",
            f"the heading {title!r} has no text below it;",
            "write it, or take the heading out.",
        )
        for number, title, body in sections
        if not "".join(body).strip()
    ]
    if problems:
        raise TextError("A text cannot be shown as it stands.", problems)
    return [Section(escape(title), "\n".join(body).strip()) for _, title, body in sections]


def read_lines(path: Path, name: str) -> list[str]:
    """Read the lines of a text; an absent file has none.

    Raises
    ------
    TextError
        Where the file cannot be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise TextError(
            "A text cannot be read.", [Problem(name, f"is not UTF-8 (byte {error.start});", "save it as UTF-8.")]
        ) from None
    except OSError as error:
        raise TextError(
            "A text cannot be read.", [Problem(name, f"{error.strerror or error}.", "Make it readable.")]
        ) from None


def sections_markdown(sections: Iterable[Section], level: int) -> str:
    """Give sections as Markdown with headings of one level."""
    return "\n\n".join(f"{'#' * level} {section.title}\n\n{section.body}" for section in sections)


def _safe_line(line: str, where: str, problems: list[Problem]) -> str:
    """Give one line with everything escaped that is neither emphasis, a list nor a link to a web address."""
    line = line.strip()
    if _RULE.fullmatch(line):
        return re.sub(r"([-*_])", r"\\\1", line)
    safe, after = "", 0
    for link in _LINK.finditer(line):
        words, address = link.groups()
        if line[: link.start()].endswith("!"):
            problems.append(Problem(where, "holds an image;", "a text is words and links; take the image out."))
        elif not _WEB.fullmatch(address):
            problems.append(Problem(where, f"links to {address!r};", "link to a web address, https://…"))
        safe += f"{_escape_special(line[after : link.start()])}[{_escape_special(words)}]({address})"
        after = link.end()
    safe += _escape_special(line[after:])
    return "\\" + safe if _AT_START.match(safe) else safe


def _escape_special(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
