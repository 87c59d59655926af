"""Languages: the words, numbers and dates of a report. Figures, keys and data are never translated.

The English message in the code is its key in the catalogs of other languages. Formats come from the CLDR (through
Babel), not from the machine's locale. Each catalog is checked completely before use, so that no English message is
shown unnoticed.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from viputils.config.paragraphs import LINK, MARKUP
from viputils.core.encoding import decoded, hidden_marks, not_decoded
from viputils.core.errors import LanguageError, Problem
from viputils.core.months import MONTH_NAMES, IssuePeriod, ReportMonth
from viputils.core.periods import FiscalPeriod

if TYPE_CHECKING:
    from babel import Locale

# The country of dates and times, if the language has its own forms there.
_REGION: Final = "US"
LOCALES: Final = Path(__file__).parents[1] / "locale"
TEMPLATE: Final = "viputils.pot"


def message(text: str) -> str:
    """Return the text unchanged. This marks it for the catalog; it is translated when shown."""
    return text


def _one_other(number: int) -> int:
    return int(number != 1)


@dataclass(frozen=True)
class Language:
    """A language with its catalog.

    Attributes
    ----------
    code
        The code, as in HTML's ``lang``.
    messages
        The translations of each English message. A message with a plural has all its forms under the singular. English
        has none.
    plural
        The index of the plural form for a number.
    """

    code: str
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    plural: Callable[[int], int] = field(default=_one_other, repr=False, compare=False)

    @property
    def locale(self) -> Locale:
        """The locale with its formats."""
        from babel import Locale, UnknownLocaleError

        try:
            return Locale.parse(f"{self.code}_{_REGION}")
        except UnknownLocaleError:
            return Locale.parse(self.code)

    @property
    def own_name(self) -> str:
        """The name of the language in itself: ``Español``."""
        from babel import Locale

        name = Locale.parse(self.code).get_language_name(self.code) or self.code
        return name[:1].upper() + name[1:]

    def text(self, message: str, /, **values: object) -> str:
        """Return a translated message, with its names in braces replaced by values.

        Raises
        ------
        LanguageError
            If the catalog lacks the message.
        """
        found = message if self.is_english else self._forms(message)[0]
        return found.format(**values) if values else found

    def count(self, number: int, one: str, many: str, /, **values: object) -> str:
        """Return a translated message for a number of things. ``{number}`` in it is the formatted number.

        Raises
        ------
        LanguageError
            If the catalog lacks the message.
        """
        return self.form(number, one, many).format(**{"number": self.number(number), **values})

    def form(self, number: int, one: str, many: str, /) -> str:
        """Return the form of a message for a number, without replacing its names in braces."""
        forms = (one, many) if self.is_english else self._forms(one)
        return forms[self.plural(number)]

    def has(self, message: str) -> bool:
        """Return whether a message has a translation."""
        return self.is_english or message in self.messages

    @property
    def is_english(self) -> bool:
        """Whether the language is English, which needs no catalog."""
        return self.code == "en"

    def number(self, value: int) -> str:
        """Return a whole number as text, in every language as the United States write it: ``2,599``."""
        return f"{value:,}"

    def average(self, value: float) -> str:
        """Return an average as text: ``63``, or with one decimal if it is below ten: ``0.4``.

        An average of 1 is ``1.0``, because it counts a plural.
        """
        shown = round(value, 1)
        if shown >= 10 or (shown == round(value) and shown != 1):
            return self.number(round(value))
        return f"{value:.1f}"

    def signed(self, value: int) -> str:
        """Return a change with its sign: ``+1,234``."""
        return f"{value:+,}"

    def percent(self, part: int, whole: int) -> str:
        """Return a share as a whole percentage, rounding halves up: ``43%``. The whole must not be 0."""
        share = (200 * part + whole) // (2 * whole)
        if self.is_english:
            return f"{share}%"
        from decimal import Decimal

        from babel.numbers import format_percent

        return str(format_percent(Decimal(share) / 100, locale=self.locale))

    def date(self, day: dt.date) -> str:
        """Return a date in words: ``December 4, 2023``, ``4 de diciembre de 2023``."""
        if self.is_english:
            return f"{MONTH_NAMES[day.month - 1]} {day.day}, {day.year}"
        from babel.dates import format_date

        return str(format_date(day, "long", locale=self.locale))

    def time(self, time: dt.time) -> str:
        """Return a time of day: ``9:00 a.m.``."""
        if self.is_english:
            return f"{time.hour % 12 or 12}:{time.minute:02} {'a.m.' if time.hour < 12 else 'p.m.'}"
        from babel.dates import format_time

        # Fonts may lack the narrow spaces of the CLDR.
        return " ".join(str(format_time(time, "short", locale=self.locale)).split())

    def month(self, month: ReportMonth) -> str:
        """Return a month in words: ``November 2023``, ``noviembre de 2023``."""
        if self.is_english:
            return month.label
        from babel.dates import format_skeleton

        return str(format_skeleton("yMMMM", month.span.start, locale=self.locale))

    def period(self, period: IssuePeriod) -> str:
        """Return a period in words: ``November 2023``, ``quarter 1 of FY2024``, ``FY2024``."""
        if isinstance(period, ReportMonth):
            return self.month(period)
        if isinstance(period, FiscalPeriod) and period.quarter:
            return self.text("quarter {quarter} of FY{year}", quarter=period.quarter, year=period.year)
        return self.text("FY{year}", year=str(period).removeprefix("FY"))

    def month_name(self, month: ReportMonth) -> str:
        """Write a month without its year: ``November``, ``noviembre``."""
        if self.is_english:
            return MONTH_NAMES[month.month - 1]
        from babel.dates import format_date

        return str(format_date(month.span.start, "LLLL", locale=self.locale))

    def short_month(self, month: ReportMonth) -> str:
        """Return the short name of a month, without its year: ``Nov``."""
        if self.is_english:
            return month.short_name
        from babel.dates import format_date

        name = str(format_date(month.span.start, "LLL", locale=self.locale)).rstrip(".").capitalize()
        # In Spanish, all other months have three letters.
        return "Sep" if name == "Sept" else name

    def listed(self, words: Sequence[str]) -> str:
        """Return words as a list: ``a, b and c``, ``a, b y c``."""
        if self.is_english:
            return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
        from babel.lists import format_list

        return str(format_list(list(words), locale=self.locale))

    def _forms(self, message: str) -> tuple[str, ...]:
        try:
            return self.messages[message]
        except KeyError:
            problem = Problem(f"{self.code}: {message!r}", "has no translation;", "add it to the catalog.")
            raise LanguageError("A catalog lacks a message.", [problem]) from None


ENGLISH: Final = Language("en")


def read_language(code: str, catalogue: Path, name: str, wanted: Iterable[str]) -> Language:
    """Read the library's and a city's catalogs of a language.

    Parameters
    ----------
    catalogue, name
        The city's catalog, and its name in errors.
    wanted
        The messages that the city's catalog must contain.

    Raises
    ------
    LanguageError
        If a catalog is missing or malformed, or a translation is missing, empty, marked as fuzzy, or has other names in
        braces or links than the English message. Lists every such message.
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
    # The city may omit messages that the library translates too, such as "Month".
    missing_here = [one for one in dict.fromkeys(wanted) if one not in names or city.get(one)]
    messages |= _checked(city, name, missing_here, formatted=False, problems=problems)
    # Other messages, such as those of the register, are optional. Without a translation, they are shown in English.
    others = [one.id for one in city if isinstance(one.id, str) and one.id and one.string and not one.fuzzy]
    messages |= _checked(
        city,
        name,
        [one for one in others if one not in messages and one not in names],
        formatted=False,
        problems=problems,
    )
    if problems:
        raise LanguageError(f"The catalogs of {code!r} are incomplete, so the language cannot be used.", problems)
    return Language(code, messages, c2py(str(own.plural_expr)))


def available_languages() -> list[str]:
    """Return the codes of the languages that the library has messages in."""
    return [ENGLISH.code, *sorted(path.stem for path in LOCALES.glob("*.po"))]


def _require_known(code: str, name: str) -> None:
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(code)
        known = (LOCALES / f"{code}.po").is_file()
    except (UnknownLocaleError, ValueError):
        known = False
    if not known:
        there = ", ".join(available_languages())
        raise LanguageError(
            f"The language {code!r} is not available.",
            [Problem(name, "is missing;", f"choose one of {there}, or translate viputils/locale/{TEMPLATE}.")],
        )


def _read_po(path: Path, name: str) -> Any:
    """Read a catalog.

    Raises
    ------
    LanguageError
        If it is missing or malformed. Names the line.
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
            "A catalog is missing.", [Problem(name, "is missing;", "run `make catalogue`, and translate the file.")]
        ) from None
    except PoFileError as error:
        where, what = f"{name}, line {error.lineno + 1}", f"{str(error).partition(' on ')[0]}: {error.line!r}"
        raise LanguageError("A catalog cannot be read.", [Problem(where, f"{what};", "correct the line.")]) from None
    except UnicodeDecodeError as error:
        raise LanguageError("A catalog cannot be read.", [not_decoded(name, data, error)]) from None
    except (OSError, ValueError, LookupError, KeyError, IndexError, SyntaxError) as error:
        raise LanguageError(
            "A catalog cannot be read.", [Problem(name, f"is malformed: {error};", "correct the file.")]
        ) from None
    problems = [
        Problem(f"{name}, line {line}", f"contains invisible characters ({hidden});", "delete them.")
        for line, text in _forms_of(catalogue)
        if (hidden := hidden_marks(text))
    ]
    if problems:
        raise LanguageError("A catalog contains invisible characters.", problems)
    return catalogue


def translations(path: Path, name: str) -> list[tuple[int, str]]:
    """Return the line and text of every translation in a catalog.

    Raises
    ------
    LanguageError
        If the catalog cannot be read.
    """
    return list(_forms_of(_read_po(path, name)))


def _forms_of(catalogue: Any) -> Iterator[tuple[int, str]]:
    for found in catalogue:
        forms = found.string if isinstance(found.string, tuple) else (found.string,)
        yield from ((found.lineno or 1, form) for form in forms if found.id and form)


def _checked(
    catalogue: Any, name: str, needed: Iterable[str | tuple[str, str]], formatted: bool, problems: list[Problem]
) -> dict[str, tuple[str, ...]]:
    """Return the translations of messages, and add their problems to ``problems``."""
    messages = {}
    for wanted in needed:
        english = wanted if isinstance(wanted, tuple) else (wanted,)
        found = catalogue.get(english[0])
        forms = () if found is None else found.string if isinstance(found.string, tuple) else (found.string,)
        where = f"{name}, {_shortened(english[0])}"
        if found is not None and found.fuzzy:
            problems.append(Problem(where, "is marked as fuzzy;", "check the translation, and delete the mark."))
        elif not forms or not all(form and form.strip() for form in forms):
            problems.append(Problem(where, "has no translation;", "run `make catalogue`, and translate it there."))
        elif len(forms) != (catalogue.num_plurals if len(english) > 1 else 1):
            problems.append(Problem(where, "lacks translations of plural forms;", "add them."))
        else:
            wrong = [what for place, form in enumerate(forms) for what in _differences(english, form, place, formatted)]
            problems += [Problem(where, what) for what in dict.fromkeys(wrong)]
            messages[english[0]] = tuple(forms)
    return messages


def _differences(english: Sequence[str], form: str, place: int, formatted: bool) -> Iterator[str]:
    if formatted:
        # A singular form may omit its number.
        allowed = [_names(one) for one in (english if place == 0 else english[-1:])]
        if _names(english[0]) is not None and any(allowed) and _names(form) not in allowed:
            names = ", ".join(sorted(f"{{{name}}}" for name in set().union(*(one or () for one in allowed))))
            yield f"its translation must have the same names in braces, which are {names}."
    if formatted and english[0].count("**") != form.count("**"):
        yield "its translation must have the same amount of bold text."
    # If the English message has no markup, apparent links are plain text.
    if MARKUP.search(english[0]) and sorted(LINK.findall(english[0])) != sorted(LINK.findall(form)):
        yield "its translation must have the same links."


def _names(text: str) -> frozenset[str] | None:
    """Return the names in braces, or None if the text is not a simple format string."""
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
