"""Errors that tell the user what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# The message and exit code of a command that was interrupted before it changed anything.
NOTHING_CHANGED: Final = "Interrupted. Nothing was changed."
INTERRUPTED: Final = 130


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    where
        The place: a file with its line and field, a key of program.toml, an option.
    what
        What is wrong there, with the offending value.
    remedy
        What to do. Empty only if ``what`` already says it.
    """

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" {self.remedy}" if self.remedy else "")


class VipError(Exception):
    """A user-fixable error that lists every problem found, not only the first.

    Parameters
    ----------
    summary
        One sentence for all the problems together.
    problems
        Each problem, in the order in which a person would fix them.
    """

    def __init__(self, summary: str, problems: Iterable[Problem] = ()) -> None:
        self.summary = summary
        self.problems = tuple(problems)
        super().__init__(summary)

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  - {problem}" for problem in self.problems)])


class ParameterError(VipError):
    """A month, a date, a measure or another parameter is invalid."""


class ProgramError(VipError):
    """program.toml or its folder is invalid."""


class DeliveryError(VipError):
    """A delivery is missing, or a file in it is invalid."""


class IntakeError(VipError):
    """A file from an agency cannot be made into a delivery."""


class QuarantineError(VipError):
    """Rows are in quarantine, so figures would be wrong without a visible sign."""


class BalanceError(VipError):
    """Rows in and rows out differ. This is a bug in this software, not an error in the records."""


class PublishedError(VipError):
    """A file of published figures is missing or malformed."""


class FolderError(VipError):
    """A folder contains links that cannot be followed."""


class ManifestError(VipError):
    """A manifest is missing or malformed, or a file that it lists is gone."""


class VintageError(VipError):
    """A file of vintages is missing or malformed."""


class LanguageError(VipError):
    """A catalog of translations is missing, malformed or incomplete."""


class TextError(VipError):
    """A text that people write, such as the activities of a month, cannot be shown."""


class NotebookError(VipError):
    """A notebook does not accept its parameters, or one of its cells failed."""


class ClusterError(VipError):
    """A cluster cannot be reached, or its issues differ from those made here."""


class RenderError(VipError):
    """An engine could not make a page from an executed notebook."""


def closest(value: str, choices: Iterable[str]) -> str:
    """Return the choice that is most similar to the value, or an empty text if none is similar.

    A value with a number is similar only to choices with the same number: District 27 is not District 7.
    """
    import difflib

    numbers = re.findall(r"\b[0-9]+\b", value)
    same = (choice for choice in choices if not numbers or re.findall(r"\b[0-9]+\b", choice) == numbers)
    by_folded = {choice.casefold(): choice for choice in same}
    close = difflib.get_close_matches(value.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def nearest(value: str, choices: Iterable[str]) -> str:
    """Return a suggestion such as ``"did you mean 'Homicide'? "``, or an empty text if no choice is similar."""
    close = closest(value, choices)
    return f"did you mean '{close}'? " if close else ""
