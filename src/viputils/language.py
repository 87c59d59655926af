"""Languages: the words, numbers and dates in which a report is shown. Figures, keys and data have none.

A message stands in the code in English, and that is its key in the catalogue of every other language. Formats come from
the CLDR (through Babel) and never from the machine's locale.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from viputils.errors import LanguageError, Problem
from viputils.periods import ReportMonth

# Which country's formats a language has here: 2,599 and not 2.599 in both.
_REGION: Final = "US"


@dataclass(frozen=True)
class Language:
    """A language with its catalogue.

    Attributes
    ----------
    code
        As HTML's ``lang`` has it.
    messages
        What each English message is called; of one with a plural, under the singular, every form. English needs none.
    """

    code: str
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def locale(self) -> Locale:
        """Its formats."""
        return Locale.parse(f"{self.code}_{_REGION}")

    @property
    def own_name(self) -> str:
        """What its speakers call it: ``Español``."""
        name = Locale.parse(self.code).get_language_name(self.code) or self.code
        return name[:1].upper() + name[1:]

    def text(self, message: str, /, **values: object) -> str:
        """Give a message, with values in the place of its names in braces.

        Raises
        ------
        LanguageError
            Where the catalogue lacks it.
        """
        found = message if self.code == ENGLISH.code else self._forms(message)[0]
        return found.format(**values) if values else found

    def count(self, number: int, one: str, many: str, /, **values: object) -> str:
        """Give a message for a number of things; ``{number}`` in it is the number as this language writes it.

        Raises
        ------
        LanguageError
            Where the catalogue lacks it.
        """
        if self.code == ENGLISH.code:
            found = one if number == 1 else many
        else:
            forms = self._forms(one)
            found = forms[min(self.locale.plural_form(number) == "other", len(forms) - 1)]
        return found.format(number=self.number(number), **values)

    def number(self, value: int) -> str:
        """Write a whole number: ``2,599``."""
        return str(format_decimal(value, locale=self.locale))

    def date(self, day: dt.date) -> str:
        """Write a day: ``December 4, 2023``, ``4 de diciembre de 2023``."""
        return str(format_date(day, "long", locale=self.locale))

    def month(self, month: ReportMonth) -> str:
        """Write a month: ``November 2023``, ``noviembre de 2023``."""
        return str(format_skeleton("yMMMM", month.span.start, locale=self.locale))

    def short_month(self, month: ReportMonth) -> str:
        """Write a month without its year in few letters: ``Nov``."""
        return str(format_date(month.span.start, "LLL", locale=self.locale)).rstrip(".").capitalize()

    def _forms(self, message: str) -> tuple[str, ...]:
        try:
            return self.messages[message]
        except KeyError:
            problem = Problem(f"{self.code}: {message!r}", "has no translation;", "add it to the catalogue.")
            raise LanguageError("A catalogue lacks a message.", [problem]) from None


ENGLISH: Final = Language("en")
