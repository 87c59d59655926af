"""The texts that people write for the report: introduction, definitions, the activities of a month.

A text is plain Markdown: ``## headings``, each with paragraphs or lists below it, **bold**, *italic* and links
to web addresses. Everything else comes out as the characters that were typed, in every format; only an apostrophe
between two letters becomes a typographic one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

from viputils.config.language import ENGLISH, Language
from viputils.config.paragraphs import RULE, Block, Line, blocks_of, lines_of
from viputils.config.project import Project
from viputils.core.encoding import decoded_lines, hidden_marks, not_decoded
from viputils.core.errors import Problem, TextError
from viputils.core.months import ReportMonth
from viputils.core.text import folded

# What could begin a construct of Markdown, Quarto, HTML, TeX or Typst anywhere in a line.
_SPECIAL = re.compile(r"([\\`{}\[\]<>#|$@~^!&=])")
# What could do so only at the beginning of one.
_AT_START = re.compile(r"[-+*:%](?=\s|[-+:%]|$)|[-+:%]")
# A number or letter that begins no item of a list: "2023. They", "A. Lopez", "ii)".
_ENUMERATED = re.compile(r"\(?(?:\d+|[A-Za-z]|[ivxlcdmIVXLCDM]+)(?=[.)](?:\s|$))")
# What Pandoc would make quotation marks, dashes and dots of another kind from.
_TYPOGRAPHY = re.compile(r"""(?<=-)-|(?<=\.)\.|"|(?<![^\W\d_])'|'(?![^\W\d_])""")
# Every mark that Markdown has a use for, typographic ones included: "--" and "..." stay what they are.
_IN_DATA = re.compile(r"""([\\`*_{}\[\]<>#|$@~^!&"':=%+.()-])""")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()\s]+)\)")
# With or without words that would stand for it, and wherever it lies.
_IMAGE = re.compile(r"!\[[^\[\]]*\]\s*(?:\([^)]*\)|\[[^\[\]]*\])")
_WITHIN = re.compile(r"(?<=[^\W_])\*(?=[^\W_])")
# Anything else that reads as a link: with another scheme, or to a place beside the page.
_ODD_LINK = re.compile(r"\[[^\[\]]+\]\(\s*([^\s)]*)")
# What other programs make something of, and what stands here as it was typed.
_TYPED = {
    "a table": re.compile(r"^\s*\|.*\|\s*$"),
    "a quotation": re.compile(r"^\s*>"),
    "a footnote": re.compile(r"\[\^[^\]]+\]"),
    "code": re.compile(r"`"),
    "struck-out text": re.compile(r"~~"),
    "a heading without a blank": re.compile(r"^\s*#+[^\s#]"),
    "a bold part that does not end": re.compile(r"^(?:(?!\*\*).)*\*\*(?:(?!\*\*).)*$"),
    "HTML": re.compile(r"</?[A-Za-z][^>]*>"),
    "an address without a link": re.compile(r"(?<![(\[])https?://"),
}
_WEB = re.compile(r"https?://[^\s<>\"'`{}\\|^]+")


@dataclass(frozen=True)
class Section:
    """A heading and the Markdown below it, safe to show as it stands."""

    title: str
    body: str


def escape(text: object) -> str:
    """Return text from a file or a record as Markdown that shows exactly these characters, on one line."""
    # What only a terminal would act on is no character of a page.
    return _inert(" ".join(_seen(str(text)).split()))


def unescape(markdown: str) -> str:
    """Return what Markdown made by ``escape`` shows, without bold."""
    return re.sub(r"\\(.)|\*\*", lambda found: found[1] or "", markdown)


def _seen(text: str) -> str:
    return "".join(letter for letter in text if letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cs"))


def _inert(text: str) -> str:
    return _IN_DATA.sub(r"\\\1", text)


def words(language: Language, message: str, /, **values: str) -> str:
    """Return a message as Markdown, with values in the place of its names in braces that are Markdown already.

    What a catalogue says is escaped; it can set in bold only where the English message does.
    """
    if language.is_english:
        return message.format(**values) if values else message
    return _filled(language.text(message), "**" in message, values)


def counted(language: Language, number: int, one: str, many: str, /, **values: str) -> str:
    """Return a message for a number of things as Markdown, as ``words`` does; ``{number}`` is the number."""
    values = {"number": language.number(number), **values}
    if language.is_english:
        return (one if number == 1 else many).format(**values)
    return _filled(language.form(number, one, many), "**" in one, values)


def said(language: Language, text: str) -> str:
    """Return what somebody wrote as Markdown: its translation where there is one, or else marked as English."""
    if language.has(text):
        return escape(language.text(text))
    return f"[{escape(text)}]{{lang=en}}"


def _filled(template: str, is_bold: bool, values: Mapping[str, str]) -> str:
    """Put Markdown into a template that is text."""
    parts = [(template, None, None, None)] if not values else list(Formatter().parse(template))
    filled = ""
    for literal, name, _, _ in parts:
        pieces = literal.split("**") if is_bold else [literal]
        filled += "**".join(_inert(re.sub(r"\s+", " ", _seen(piece))) for piece in pieces)
        filled += values[name] if name else ""
    return filled


def read_sections(path: Path, name: str, language: Language = ENGLISH, fonts: Path | None = None) -> list[Section]:
    """Read a text; an absent file is an empty text.

    Parameters
    ----------
    name
        What errors call the file.
    language
        The language into which each of its headings, paragraphs and list items is translated.
    fonts
        The folder of the fonts that it is shown in; by default any character is taken.

    Raises
    ------
    TextError
        With every line that cannot be shown: text before the first heading, a heading of another level, without
        text or used twice, an image, a link that is no web address, a character that no font has.
    """
    lines = read_lines(path, name)
    problems = _characters_out_of_place(lines, name, fonts)
    if not language.is_english:
        return _translated(lines, name, language, problems)
    sections: list[tuple[int, str, list[str]]] = []
    for line in lines_of(lines):
        where = f"{name}, line {line.number}"
        if line.mark.startswith("#"):
            title = re.sub(r"\s*#*$", "", line.text)
            if line.mark != "## ":
                shown = f"{line.mark}{line.text}"
                problems.append(
                    Problem(where, f"the heading {shown!r} is of another level;", "begin it with two: ## Theme.")
                )
            if not title.strip():
                problems.append(Problem(where, "is a heading without words;", "write them: ## Theme."))
            elif any(folded(title) == folded(other) for _, other, _ in sections):
                problems.append(
                    Problem(where, f"the heading {title!r} stands there twice;", "put its text under one of them.")
                )
            sections.append((line.number, title, []))
        elif sections:
            sections[-1][2].append(_markdown(line, where, problems))
        elif line.text:
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


def _markdown(line: Line, where: str, problems: list[Problem]) -> str:
    """Return a line of a paragraph or a list as Markdown; an empty line leads to a list that has none above it."""
    return f"{chr(10) if line.opens else ''}{line.mark}{_safe_line(line.text, where, problems)}"


def _translated(lines: list[str], name: str, language: Language, problems: list[Problem]) -> list[Section]:
    """Return a text in another language. What the English one does not mark up is text in the other one, too."""
    sections: list[tuple[str, list[str]]] = []
    before = Block(0, "", "")
    for block in blocks_of(lines):
        text = " ".join(language.text(block.text).split())
        if block.mark.startswith("#"):
            sections.append((text, []))
        elif sections:
            where = f"{name} in {language.code}, line {block.line}"
            shown = _safe_line(text, where, problems) if block.has_markup else escape(text)
            is_next_item = block.mark and before.mark and not before.mark.startswith("#") and not block.opens
            sections[-1][1].append(f"{'' if is_next_item else chr(10)}{block.mark}{shown}")
        before = block
    if problems:
        raise TextError("A translated text cannot be shown as it stands.", problems)
    return [Section(escape(title), "\n".join(body).strip()) for title, body in sections]


def _characters_out_of_place(lines: Sequence[str], name: str, fonts: Path | None) -> list[Problem]:
    """Return a problem for each line with characters that cannot be seen, or that the report cannot show."""
    problems = []
    for number, line in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        if hidden := hidden_marks(line):
            problems.append(Problem(where, f"contains characters that cannot be seen ({hidden});", "take them out."))
        problems += missing_characters(line, where, fonts)
    return problems


def missing_characters(text: str, where: str, fonts: Path | None) -> list[Problem]:
    """Return a problem if a text contains characters that a font of the report lacks: no PDF can be made with them.

    Parameters
    ----------
    fonts
        The folder of the fonts; nothing is looked for without one.
    """
    known = None if fonts is None else _characters_in(fonts)
    if known is None:
        return []
    found = dict.fromkeys(
        letter for letter in text if ord(letter) not in known and not letter.isspace() and not hidden_marks(letter)
    )
    if not found:
        return []
    listed = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in found)
    return [
        Problem(
            where, f"contains characters that the fonts of the report lack: {listed};", "use other characters or words."
        )
    ]


def require_names_shown(*projects: Project) -> None:
    """Raise TextError if the fonts of a report lack a character of a name in program.toml or of a translation."""
    problems = [
        problem
        for project in projects
        for where, text in project.messages()
        if not where.startswith("report/pages" if project.is_translation else "report")
        for problem in missing_characters(
            project.language.text(text),
            f"report/locale/{project.language.code}.po, {text[:60]!r}" if project.is_translation else where,
            project.fonts,
        )
    ]
    if problems:
        raise TextError("A name cannot be shown as it stands.", problems)


@cache
def _characters_in(fonts: Path) -> frozenset[int] | None:
    """Return the characters that every font in a folder has; none of them can be told apart without a font."""
    # Only where it is needed, which is not in every command.
    from matplotlib.ft2font import FT2Font

    has = [frozenset(FT2Font(path).get_charmap()) for path in sorted(fonts.glob("*.ttf"))]
    return frozenset.intersection(*has) if has else None


def shown_as_typed(path: Path, name: str) -> list[Problem]:
    """Name the lines that hold what other programs make something of, and that come out as they were typed.

    Parameters
    ----------
    name
        What errors call the file.
    """
    return [
        Problem(f"{name}, line {number}", f"holds {what};", "it will be shown just as it was typed.")
        for number, line in enumerate(read_lines(path, name), start=1)
        for what, mark in _TYPED.items()
        if mark.search(_LINK.sub("", line))
    ]


def mark_of(section: Section) -> str:
    """Return the mark of a section, by which its translation names it: another text has another mark."""
    return hashlib.sha256(f"{section.title}\n\n{section.body}".encode()).hexdigest()[:8]


def read_translation(
    path: Path, name: str, sections: Sequence[Section], fonts: Path | None = None
) -> list[tuple[Section, bool]]:
    """Read the translation of a text into another language, section by section.

    Each heading ends with the mark of the section that it translates: ``## Sanación comunitaria {3f2a91c0}``. What
    translates a text that stands there no more, or not in these words, is left out: it would say something else.

    Parameters
    ----------
    name
        What errors call the file.
    sections
        The text that is translated.
    fonts
        As ``read_sections`` takes it.

    Returns
    -------
    list of tuple
        For each section its translation and True, or, where there is none, itself and False.

    Raises
    ------
    TextError
        As ``read_sections``; with every heading that has no mark, or the mark of one before it.
    """
    found = _by_mark(path, name, sections, fonts)
    return [(found.get(mark_of(section), section), mark_of(section) in found) for section in sections]


def outdated_translations(path: Path, name: str, sections: Sequence[Section]) -> list[Problem]:
    """Name the translated sections that are not shown, because the text that they translate was changed.

    Raises
    ------
    TextError
        As ``read_translation``.
    """
    marks = {mark_of(section) for section in sections}
    return [
        Problem(
            f"{name}, the heading {_plain(section.title)!r}",
            "is not shown, because the text that it translates was changed;",
            f"translate it again, and end the heading with its mark: {_marks(sections)}.",
        )
        for mark, section in _by_mark(path, name, sections).items()
        if mark not in marks
    ]


def outdated_activities(project: Project, month: ReportMonth) -> list[Problem]:
    """Name the translated activities of a month that are not shown, in every language of the project.

    Raises
    ------
    TextError
        As ``read_translation``.
    """
    path = project.activities(month)
    sections = read_sections(path, project.relative(path))
    found = [path.with_suffix(f".{code}.md") for code in project.program.identity.languages]
    return [
        problem
        for translation in found
        if translation.is_file()
        for problem in outdated_translations(translation, project.relative(translation), sections)
    ]


def _by_mark(path: Path, name: str, sections: Sequence[Section], fonts: Path | None = None) -> dict[str, Section]:
    found: dict[str, Section] = {}
    problems: list[Problem] = []
    for section in read_sections(path, name, fonts=fonts):
        title = _plain(section.title)
        where = f"{name}, the heading {title!r}"
        marked = re.fullmatch(r"(.*\S)\s*\{([0-9a-f]{8})\}", title)
        if not marked:
            remedy = f"end it with the mark of that text: {_marks(sections)}." if sections else "there is none."
            problems.append(Problem(where, "does not say which text it translates;", remedy))
        elif marked[2] in found:
            problems.append(Problem(where, "is the second one with this mark;", "put them together."))
        else:
            found[marked[2]] = Section(escape(marked[1]), section.body)
    if problems:
        raise TextError("A translation does not say what it translates.", problems)
    return found


def _marks(sections: Sequence[Section]) -> str:
    return ", ".join(f"{{{mark_of(section)}}} for {_plain(section.title)!r}" for section in sections)


def _plain(title: str) -> str:
    return re.sub(r"\\(.)", r"\1", title)


def read_lines(path: Path, name: str) -> list[str]:
    """Read the lines of a text; an absent file has none.

    Raises
    ------
    TextError
        If the file cannot be read, or is neither UTF-8 nor UTF-16.
    """
    data = b""
    try:
        data = path.read_bytes()
        return decoded_lines(data)
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise TextError("A text cannot be read.", [not_decoded(name, data, error)]) from None
    except OSError as error:
        raise TextError(
            "A text cannot be read.", [Problem(name, f"{error.strerror or error}.", "Make it readable.")]
        ) from None


def sections_markdown(sections: Iterable[Section], level: int) -> str:
    """Return sections as Markdown with headings of one level."""
    return "\n\n".join(f"{'#' * level} {section.title}\n\n{section.body}" for section in sections)


def _safe_line(line: str, where: str, problems: list[Problem]) -> str:
    """Return one line, without the mark of an item, with everything escaped that is neither emphasis nor a link."""
    line = line.strip()
    if RULE.fullmatch(line):
        return re.sub(r"([-*_])", r"\\\1", line)
    safe, after = "", 0
    problems += [
        Problem(where, "holds an image;", "a text is words and links; take the image out.")
        for _ in _IMAGE.finditer(line)
    ]
    line = _IMAGE.sub("", line)
    for link in _LINK.finditer(line):
        words, address = link.groups()
        if not _WEB.fullmatch(address):
            problems.append(Problem(where, f"links to {address!r};", "link to a web address, https://…"))
        safe += f"{_escape_special(line[after : link.start()])}[{_escape_special(words)}]({address})"
        after = link.end()
    problems += [
        Problem(where, f"links to {odd[1]!r};", "link to a web address, https://…, without brackets.")
        for odd in _ODD_LINK.finditer(_LINK.sub("", line))
    ]
    safe += _escape_special(line[after:])
    safe = _ENUMERATED.sub(lambda found: found[0] + "\\", safe, count=1) if _ENUMERATED.match(safe) else safe
    return "\\" + safe if _AT_START.match(safe) else safe


def _escape_special(text: str) -> str:
    # A star within a word is no emphasis: 5*3*2 must not come out as 532.
    return _TYPOGRAPHY.sub(r"\\\g<0>", _WITHIN.sub(r"\\*", _SPECIAL.sub(r"\\\1", text)))
