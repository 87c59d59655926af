"""Languages: the words, numbers and dates in which a report is shown. Figures, keys and data have none.

A message stands in the code in English, and that is its key in the catalogue of every other language. Formats come from
the CLDR (through Babel) and never from the machine's locale. A catalogue is checked as a whole before anything is
shown, so that no message comes out in English unnoticed.
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from viputils.core.errors import LanguageError, Problem
from viputils.core.months import MONTH_NAMES, ReportMonth

if TYPE_CHECKING:
    from babel import Locale

# Which country's formats a language has here: 2,599 and not 2.599 in both.
_REGION: Final = "US"
LOCALES: Final = Path(__file__).parents[1] / "locale"
TEMPLATE: Final = "viputils.pot"

# What a text can hold beside words; a translation holds the same of it. As viputils.report.markdown reads it.
_LINK: Final = re.compile(r"\[[^\[\]]+\]\(([^()\s]+)\)")
_MARKUP: Final = re.compile(r"[*_]|" + _LINK.pattern)


def message(text: str) -> str:
    """Mark a text that is translated where it is shown, so that it is found for the catalogue."""
    return text


def _one_other(number: int) -> int:
    return int(number != 1)


@dataclass(frozen=True)
class Language:
    """A language with its catalogue.

    Attributes
    ----------
    code
        As HTML's ``lang`` has it.
    messages
        What each English message is called; of one with a plural, under the singular, every form. English needs none.
    plural
        Which of the forms belongs to a number.
    """

    code: str
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    plural: Callable[[int], int] = field(default=_one_other, repr=False, compare=False)

    @property
    def locale(self) -> Locale:
        """Its formats."""
        from babel import Locale

        return Locale.parse(f"{self.code}_{_REGION}")

    @property
    def own_name(self) -> str:
        """What its speakers call it: ``Español``."""
        from babel import Locale

        name = Locale.parse(self.code).get_language_name(self.code) or self.code
        return name[:1].upper() + name[1:]

    def text(self, message: str, /, **values: object) -> str:
        """Return a message, with values in the place of its names in braces.

        Raises
        ------
        LanguageError
            If the catalogue lacks it.
        """
        found = message if self.is_english else self._forms(message)[0]
        return found.format(**values) if values else found

    def count(self, number: int, one: str, many: str, /, **values: object) -> str:
        """Return a message for a number of things; ``{number}`` in it is the number as this language writes it.

        Raises
        ------
        LanguageError
            If the catalogue lacks it.
        """
        return self.form(number, one, many).format(**{"number": self.number(number), **values})

    def form(self, number: int, one: str, many: str, /) -> str:
        """Return the form of a message that belongs to a number, its names in braces as they are."""
        forms = (one, many) if self.is_english else self._forms(one)
        return forms[self.plural(number)]

    def has(self, message: str) -> bool:
        """Return whether a message can be shown in this language."""
        return self.is_english or message in self.messages

    @property
    def is_english(self) -> bool:
        """Whether a message is its own translation."""
        return self.code == "en"

    def number(self, value: int) -> str:
        """Write a whole number: ``2,599``."""
        if self.is_english:
            return f"{value:,}"
        from babel.numbers import format_decimal

        return str(format_decimal(value, locale=self.locale))

    def average(self, value: float) -> str:
        """Write an average: ``63``, and with one decimal where it is below ten: ``0.4``."""
        if round(value, 1) >= 10 or round(value, 1) == round(value):
            return self.number(round(value))
        if self.is_english:
            return f"{value:.1f}"
        from babel.numbers import format_decimal

        return str(format_decimal(round(value, 1), locale=self.locale))

    def signed(self, value: int) -> str:
        """Write a change of a whole number with its sign: ``+1,234``."""
        if self.is_english:
            return f"{value:+,}"
        from babel.numbers import format_decimal

        return str(format_decimal(value, format="+#,##0;-#,##0", locale=self.locale))

    def percent(self, part: int, whole: int) -> str:
        """Write a share as a whole percentage, halves up: ``43%``. The whole is not zero."""
        share = (200 * part + whole) // (2 * whole)
        if self.is_english:
            return f"{share}%"
        from decimal import Decimal

        from babel.numbers import format_percent

        return str(format_percent(Decimal(share) / 100, locale=self.locale))

    def date(self, day: dt.date) -> str:
        """Write a day: ``December 4, 2023``, ``4 de diciembre de 2023``."""
        if self.is_english:
            return f"{MONTH_NAMES[day.month - 1]} {day.day}, {day.year}"
        from babel.dates import format_date

        return str(format_date(day, "long", locale=self.locale))

    def month(self, month: ReportMonth) -> str:
        """Write a month: ``November 2023``, ``noviembre de 2023``."""
        if self.is_english:
            return month.label
        from babel.dates import format_skeleton

        return str(format_skeleton("yMMMM", month.span.start, locale=self.locale))

    def month_name(self, month: ReportMonth) -> str:
        """Write a month without its year: ``November``, ``noviembre``."""
        if self.is_english:
            return MONTH_NAMES[month.month - 1]
        from babel.dates import format_date

        return str(format_date(month.span.start, "LLLL", locale=self.locale))

    def short_month(self, month: ReportMonth) -> str:
        """Write a month without its year in few letters: ``Nov``."""
        if self.is_english:
            return month.short_name
        from babel.dates import format_date

        name = str(format_date(month.span.start, "LLL", locale=self.locale)).rstrip(".").capitalize()
        # In Spanish, all other months have three letters.
        return "Sep" if name == "Sept" else name

    def listed(self, words: Sequence[str]) -> str:
        """Join words with commas and an "and" before the last: ``a, b and c``, ``a, b y c``."""
        if self.is_english:
            return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
        from babel.lists import format_list

        return str(format_list(list(words), locale=self.locale))

    def _forms(self, message: str) -> tuple[str, ...]:
        try:
            return self.messages[message]
        except KeyError:
            problem = Problem(f"{self.code}: {message!r}", "has no translation;", "add it to the catalogue.")
            raise LanguageError("A catalogue lacks a message.", [problem]) from None


ENGLISH: Final = Language("en")


def read_language(code: str, catalogue: Path, name: str, wanted: Iterable[str]) -> Language:
    """Read a language: the library's own catalogue, and that of a city.

    Parameters
    ----------
    catalogue, name
        The city's catalogue, and what errors call it.
    wanted
        The messages of the city, which that catalogue must hold.

    Raises
    ------
    LanguageError
        If a catalogue is missing or cannot be read; with every message that it lacks, or whose translation is empty,
        marked as fuzzy, or has not the names in braces and the links of the English one.
    """
    if code == ENGLISH.code:
        return ENGLISH
    from gettext import c2py

    library = f"viputils/locale/{code}.po"
    _require_known(code, library)
    own, template = (
        _read_po(LOCALES / f"{code}.po", library),
        _read_po(LOCALES / TEMPLATE, f"viputils/locale/{TEMPLATE}"),
    )
    needed = [found.id for found in template if found.id]
    problems: list[Problem] = []
    messages = _checked(own, library, needed, formatted=True, problems=problems)
    names = {one for found in needed for one in (found if isinstance(found, tuple) else (found,))}
    city = _read_po(catalogue, name)
    # A word that is the library's as well, such as "Month", the city can leave to it.
    missing_here = [one for one in dict.fromkeys(wanted) if one not in names or city.get(one)]
    messages |= _checked(city, name, missing_here, formatted=False, problems=problems)
    # What else it holds, such as what the register says, is shown in English and marked so where it is not translated.
    others = [one.id for one in city if isinstance(one.id, str) and one.id and one.string and not one.fuzzy]
    messages |= _checked(
        city,
        name,
        [one for one in others if one not in messages and one not in names],
        formatted=False,
        problems=problems,
    )
    if problems:
        raise LanguageError(f"The catalogues of {code!r} are not complete. Nothing is shown in it.", problems)
    return Language(code, messages, c2py(str(own.plural_expr)))


def _require_known(code: str, name: str) -> None:
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(f"{code}_{_REGION}")
        known = (LOCALES / f"{code}.po").is_file()
    except (UnknownLocaleError, ValueError):
        known = False
    if not known:
        there = ", ".join(["en", *sorted(path.stem for path in LOCALES.glob("*.po"))])
        raise LanguageError(
            f"There is no language {code!r} here.",
            [Problem(name, "is missing;", f"take one of {there}, or translate viputils/locale/{TEMPLATE}.")],
        )


def _read_po(path: Path, name: str) -> Any:
    """Read a catalogue.

    Raises
    ------
    LanguageError
        If there is none, or it is not in form; with its line.
    """
    from babel.messages.pofile import PoFileError, read_po

    data = b""
    try:
        data = path.read_bytes()
        catalogue = read_po(
            io.StringIO(decoded(data)), locale=path.stem if path.suffix == ".po" else None, abort_invalid=True
        )
    except FileNotFoundError:
        raise LanguageError(
            "There is no catalogue.", [Problem(name, "is missing;", "make catalogue writes it, to be translated.")]
        ) from None
    except PoFileError as error:
        where, what = f"{name}, line {error.lineno + 1}", f"{str(error).partition(' on ')[0]}: {error.line!r}"
        raise LanguageError("A catalogue cannot be read.", [Problem(where, f"{what};", "mend the line.")]) from None
    except UnicodeDecodeError as error:
        raise LanguageError("A catalogue cannot be read.", [not_decoded(name, data, error)]) from None
    except (OSError, ValueError, LookupError, KeyError, IndexError, SyntaxError) as error:
        raise LanguageError(
            "A catalogue cannot be read.", [Problem(name, f"is not in form: {error};", "mend it.")]
        ) from None
    problems = [
        Problem(f"{name}, line {line}", f"contains characters that cannot be seen ({hidden});", "take them out.")
        for line, text in _forms_of(catalogue)
        if (hidden := hidden_marks(text))
    ]
    if problems:
        raise LanguageError("A catalogue contains what cannot be seen.", problems)
    return catalogue


def translations(path: Path, name: str) -> list[tuple[int, str]]:
    """Return every translation in a catalogue, each with the line of its message.

    Raises
    ------
    LanguageError
        If it cannot be read.
    """
    return list(_forms_of(_read_po(path, name)))


def _forms_of(catalogue: Any) -> Iterator[tuple[int, str]]:
    for found in catalogue:
        forms = found.string if isinstance(found.string, tuple) else (found.string,)
        yield from ((found.lineno or 1, form) for form in forms if found.id and form)


def _checked(
    catalogue: Any, name: str, needed: Iterable[str | tuple[str, str]], formatted: bool, problems: list[Problem]
) -> dict[str, tuple[str, ...]]:
    """Return the translations of messages; what is wrong with them goes to ``problems``."""
    messages = {}
    for wanted in needed:
        english = wanted if isinstance(wanted, tuple) else (wanted,)
        found = catalogue.get(english[0])
        forms = () if found is None else found.string if isinstance(found.string, tuple) else (found.string,)
        where = f"{name}, {_shortened(english[0])}"
        if found is not None and found.fuzzy:
            problems.append(Problem(where, "is marked as fuzzy;", "look at it, and take the mark out."))
        elif not forms or not all(form and form.strip() for form in forms):
            problems.append(Problem(where, "has no translation;", "run make catalogue, and translate it there."))
        elif len(forms) != (catalogue.num_plurals if len(english) > 1 else 1):
            problems.append(Problem(where, "has not one translation for each plural form;", "add what is missing."))
        else:
            wrong = [what for place, form in enumerate(forms) for what in _differences(english, form, place, formatted)]
            problems += [Problem(where, what) for what in dict.fromkeys(wrong)]
            messages[english[0]] = tuple(forms)
    return messages


def _differences(english: Sequence[str], form: str, place: int, formatted: bool) -> Iterator[str]:
    if formatted:
        # A singular can do without its number.
        allowed = [_names(one) for one in (english if place == 0 else english[-1:])]
        if _names(english[0]) is not None and any(allowed) and _names(form) not in allowed:
            names = ", ".join(sorted(f"{{{name}}}" for name in set().union(*(one or () for one in allowed))))
            yield f"its translation must have the same names in braces, which are {names}."
    if formatted and english[0].count("**") != form.count("**"):
        yield "its translation must set as much in bold."
    # Where the English message has no markup, what looks like a link is text.
    if _MARKUP.search(english[0]) and sorted(_LINK.findall(english[0])) != sorted(_LINK.findall(form)):
        yield "its translation must have the same links."


def _names(text: str) -> frozenset[str] | None:
    """Return the names in braces; ``None`` if ``str.format`` cannot read the text or would do more with it."""
    try:
        fields = [found for found in Formatter().parse(text) if found[1] is not None]
    except ValueError:
        return None
    if any(kind or conversion or not str(name).isidentifier() for _, name, kind, conversion in fields):
        return None
    return frozenset(str(name) for _, name, _, _ in fields)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) < 80 else line[:77] + "...")


# ---------------------------------------------------------------- Texts that people write

_HEADING: Final = re.compile(r"(#+)\s+(.*)")
# A bullet as Word copies it; the round and the square one are those of the second and third level.
_BULLET: Final = re.compile(r"(?:([-*+])\s+|([•●‣∙·➢\uf0b7\uf0d8◦○▪■\uf0a7])\s+|([o§])(?:\t\s*| {2,}))(?=\S)")
_LEVELS: Final = {"◦": 1, "○": 1, "o": 1, "▪": 2, "■": 2, "\uf0a7": 2, "§": 2}
# "2023. They" begins no item, nor does "(505) 555-0123".
_NUMBER: Final = re.compile(r"((?:\((?=\d{1,2}\)|[a-z]\)))?(?:(\d{1,3})|([a-z]))[.)])\s+(?=\S)")
RULE: Final = re.compile(r"[-*_\s]+")


@dataclass(frozen=True)
class Line:
    """A line of a text, and what it is there.

    Attributes
    ----------
    mark
        What it begins with, as Markdown needs it: ``## ``, ``- ``, ``    1. `` or nothing.
    text
        What follows.
    is_new
        Whether it begins a heading, a paragraph or an item, and does not go on with the one above it.
    opens
        Whether a list begins here right below other text.
    """

    number: int
    mark: str
    text: str
    is_new: bool = True
    opens: bool = False


@dataclass(frozen=True)
class _Level:
    """A list that is open: how far its marks are indented, in the text and in Markdown, and whether it is numbered."""

    indent: int
    written: int
    width: int
    is_numbered: bool


def lines_of(lines: Iterable[str]) -> Iterator[Line]:
    """Return what each line of a text is. A list needs no empty line above it, and can be within another one."""
    levels: list[_Level] = []
    is_open = False
    for number, line in enumerate(lines, start=1):
        said = line.strip()
        indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
        item = None if RULE.fullmatch(said) else _item(said, levels, is_open)
        if heading := _HEADING.fullmatch(said):
            levels, is_open = [], False
            yield Line(number, f"{heading[1]} ", heading[2])
        elif not said:
            is_open = False
            yield Line(number, "", "")
        elif item:
            mark, length, deeper = item
            level, opens = _level_of(levels, indent + 4 * deeper, mark, is_open)
            yield Line(number, f"{' ' * level.written}{mark} ", said[length:], opens=opens)
            is_open = True
        else:
            levels = levels if is_open else []
            yield Line(number, "", said, is_new=not is_open)
            is_open = True


def _item(said: str, levels: Sequence[_Level], is_open: bool) -> tuple[str, int, int] | None:
    """Return the mark of an item, how long it is in the text, and how much deeper it lies by its kind."""
    if bullet := _BULLET.match(said):
        mark = bullet[1] or bullet[2] or bullet[3]
        return "-", bullet.end(), _LEVELS.get(mark, 0)
    number = _NUMBER.match(said)
    # "23. They" in the middle of a paragraph is no item, and "c. 1990" never is one but after a and b.
    begins = number is not None and (number[2] == "1" or number[3] == "a" or (not is_open and number[2] is not None))
    goes_on = bool(levels) and levels[-1].is_numbered
    return (number[1], number.end(), 0) if number and (begins or goes_on) else None


def _level_of(levels: list[_Level], indent: int, mark: str, is_open: bool) -> tuple[_Level, bool]:
    """Return the list that an item belongs to, and whether it begins right below other text; lists that end go."""
    opens = is_open and not levels
    while len(levels) > 1 and indent <= levels[-2].indent + 1:
        levels.pop()
    is_numbered = mark != "-"
    if levels and indent > levels[-1].indent + 1:
        above = levels[-1]
        levels.append(_Level(indent, above.written + above.width, len(mark) + 1, is_numbered))
    elif levels and levels[-1].is_numbered == is_numbered:
        levels[-1] = _Level(levels[-1].indent, levels[-1].written, len(mark) + 1, is_numbered)
    else:
        opens |= bool(levels)
        levels[-1:] = [_Level(indent, levels[-1].written if levels else 0, len(mark) + 1, is_numbered)]
    return levels[-1], opens


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph or an item of a list, on one line.

    Attributes
    ----------
    line
        The number of its first line in the file.
    mark, opens
        As ``Line`` has them.
    """

    line: int
    mark: str
    text: str
    opens: bool = False

    @property
    def has_markup(self) -> bool:
        """Whether it holds emphasis or a link."""
        return _MARKUP.search(self.text) is not None


def blocks_of(lines: Sequence[str]) -> list[Block]:
    """Take a text apart into what is translated as one."""
    blocks: list[Block] = []
    for line in lines_of(lines):
        if line.is_new and (line.mark or line.text):
            blocks.append(Block(line.number, line.mark, line.text.strip(), line.opens))
        elif line.text:
            blocks[-1] = replace(blocks[-1], text=f"{blocks[-1].text} {line.text}")
    return blocks


# ---------------------------------------------------------------- Files that people save


def decoded(data: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with its mark, with accents as one character each.

    Raises
    ------
    UnicodeDecodeError
        If it is neither.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16")
    elif (place := data.find(b"\0")) >= 0:
        raise UnicodeDecodeError("utf-8", data, place, place + 1, "no text contains it")
    else:
        text = data.decode("utf-8-sig")
    return unicodedata.normalize("NFC", text)


def decoded_lines(data: bytes) -> list[str]:
    """Return the lines of a text, as editors count them.

    Raises
    ------
    UnicodeDecodeError
        As ``decoded``.
    """
    lines = re.split(r"\r\n|\r|\n", decoded(data))
    return lines if lines[-1] else lines[:-1]


def not_decoded(name: str, data: bytes, error: UnicodeDecodeError) -> Problem:
    """Return why a file could not be read as text, and how it is saved so that it can be."""
    line = data[: error.start].count(b"\n") + 1
    return Problem(
        f"{name}, line {line}",
        f"is not UTF-8 (byte {error.start + 1} of the file);",
        "save it as UTF-8. In Word: Save As, Plain Text (.txt), Other encoding, Unicode (UTF-8). In Notepad: Save As, "
        "Encoding, UTF-8. In Excel: Save As, CSV UTF-8.",
    )


def hidden_marks(text: str) -> str:
    """Name the characters in a text that have no shape of their own, but for those that join emoji: ``U+202E``."""
    found = dict.fromkeys(
        letter
        for letter in text
        if unicodedata.category(letter) in ("Cf", "Cc", "Cs", "Zl", "Zp") and letter not in "\u200d\ufe0f\t\n"
    )
    return ", ".join(f"U+{ord(letter):04X}" for letter in found)
