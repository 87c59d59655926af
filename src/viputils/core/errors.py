"""What was wrong, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# What a command that was interrupted before it changed anything says, and its exit code.
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
        What would be right. Empty only where ``what`` already says it.
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
        Each problem with its place, in the order in which a person would work through them.
    """

    def __init__(self, summary: str, problems: Iterable[Problem] = ()) -> None:
        self.summary = summary
        self.problems = tuple(problems)
        super().__init__(summary)

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  - {problem}" for problem in self.problems)])


class ParameterError(VipError):
    """A month, a date, a measure or another parameter that cannot be."""


class ProgramError(VipError):
    """program.toml, or the folder that it stands in, is invalid."""


class DeliveryError(VipError):
    """A delivery is missing, or a file in it is not what it must be."""


class IntakeError(VipError):
    """A file that an agency sent cannot be made into a delivery."""


class QuarantineError(VipError):
    """Rows are in quarantine, so figures made without them would be wrong and look right."""


class BalanceError(VipError):
    """Rows in and rows out differ: a fault of this software, never of the records."""


class PublishedError(VipError):
    """A file of published figures is missing or malformed."""


class FolderError(VipError):
    """A folder holds what nobody can look through."""


class ManifestError(VipError):
    """A manifest is missing or malformed, or what it names is not there any more."""


class VintageError(VipError):
    """A file of vintages is missing or malformed."""


class LanguageError(VipError):
    """A catalogue of translations is missing, malformed or not complete."""


class TextError(VipError):
    """A text that people write, such as the activities of a month, cannot be shown as it stands."""


class NotebookError(VipError):
    """A notebook cannot take the parameters it was given, or one of its cells failed."""


class ClusterError(VipError):
    """Other machines cannot be asked to make issues, or what they made is not what would be made here."""


class RenderError(VipError):
    """An engine could not make a page from an executed notebook."""


def closest(value: str, choices: Iterable[str]) -> str:
    """Return the one of ``choices`` that the value most resembles, or nothing where it resembles none."""
    import difflib

    by_folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(value.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def nearest(value: str, choices: Iterable[str]) -> str:
    """Return which of ``choices`` the value most resembles: ``"did you mean 'Homicide'? "``, or nothing."""
    close = closest(value, choices)
    return f"did you mean '{close}'? " if close else ""
