"""Numbers that others reported about the program or its city: the table data/elsewhere.csv."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from IPython.display import Markdown

from viputils.config.language import Language
from viputils.config.project import Project
from viputils.core.csv_rows import csv_rows
from viputils.core.encoding import hidden_marks
from viputils.core.errors import Problem, PublishedError
from viputils.report.layout import div, part, pipe_table
from viputils.report.markdown import escape, read_lines, said, words

NAME: Final = "data/elsewhere.csv"
COLUMNS: Final = ("as_of", "number", "what", "definition", "source", "link", "answer")
# What a cell can be without.
_OPTIONAL: Final = ("definition", "link")
_REMEDIES: Final = {
    "as_of": "write the day or the time that the number is about, as in May 2021.",
    "number": "write the number as it was reported.",
    "what": "write what the number counts.",
    "source": "write who reported the number.",
    "answer": "write whether the records give this number, and if not, why.",
}
_ADDRESS: Final = re.compile(r"https://[\w-]+(\.[\w-]+)+(:\d+)?([/?#][^\s<>\"'`{}\\|^()\[\]]*)?", re.ASCII)


@dataclass(frozen=True)
class ReportedNumber:
    """A number that someone else reported.

    Attributes
    ----------
    line
        The line of the file on which it ends.
    as_of
        The day or time that it is about, in words.
    number
        The number in the words of the source.
    what, definition
        What it counts, and how the source defines that; the definition may be empty.
    source, link
        Who reported it, and its web address; the link may be empty.
    answer
        Whether the records give the same number, or why not.
    """

    line: int
    as_of: str
    number: str
    what: str
    definition: str
    source: str
    link: str
    answer: str

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the column and text of each cell that has words to translate or to screen."""
        for column in COLUMNS:
            text = getattr(self, column)
            if column != "link" and _has_words(text):
                yield column, text


def read_elsewhere(project: Project) -> list[ReportedNumber]:
    """Return the numbers of data/elsewhere.csv; a project without the file has none.

    Raises
    ------
    TextError
        If the file cannot be read.
    PublishedError
        If the file is malformed. Lists every bad line.
    """
    path = project.root / NAME
    if not path.is_file():
        return []
    rows, problems = csv_rows("\n".join(read_lines(path, NAME)), NAME, COLUMNS)
    numbers = [ReportedNumber(line, *(row[column].strip() for column in COLUMNS)) for line, row in rows]
    problems += [problem for one in numbers for problem in _problems(one, f"{NAME}, line {one.line}")]
    if not rows and not problems:
        problems.append(Problem(NAME, "has no row;", "add one for each number, or delete the file."))
    if problems:
        raise PublishedError("The numbers reported elsewhere cannot be shown.", problems)
    return numbers


def _problems(one: ReportedNumber, where: str) -> Iterator[Problem]:
    for column in COLUMNS:
        text = getattr(one, column)
        if not text and column not in _OPTIONAL:
            yield Problem(f"{where}, {column}", "is empty;", _REMEDIES[column])
        if hidden := hidden_marks(text):
            yield Problem(f"{where}, {column}", f"contains invisible characters ({hidden});", "delete them.")
    if one.link and not _ADDRESS.fullmatch(one.link):
        what = f"{one.link!r} is not a web address;"
        yield Problem(f"{where}, link", what, "write one as in https://example.org/news, or leave it empty.")


def numbers_elsewhere(numbers: Sequence[ReportedNumber], language: Language, demonstration: bool) -> list[Markdown]:
    """Return the page of numbers reported elsewhere: why numbers differ, and a table of them with our answers."""
    why = words(
        language,
        "Others report numbers about this program and about violence in the city, too. Often there is more than one "
        "number for the same thing. That does not mean that one of them is wrong.",
    )
    needed = words(
        language,
        "A number means little without two things: a definition and a date. The definition tells what was counted. The "
        "date tells how far, because later records can change a number.",
    )
    example = words(
        language,
        "For example, one source may count people and another one meetings. Or one counts to May and another one to "
        "June. So we show each number as it was reported, and whether our records give it.",
    )
    sample = words(
        language,
        "The records behind this site are sample data. The numbers in this table are not sample data: others reported "
        "them.",
    )
    return [
        part(words(language, "Why there are different numbers"), why, needed, example),
        part(
            words(language, "Numbers and our answers"),
            div("notice", sample) if demonstration else "",
            _table(numbers, language),
        ),
    ]


def _table(numbers: Sequence[ReportedNumber], language: Language) -> str:
    unknown = words(language, "No definition is known to us.")
    rows = [
        [
            _cell(one.as_of, language),
            f"**{_cell(one.number, language)}**",
            f"{_cell(one.what, language)}. {_cell(one.definition, language) if one.definition else unknown}",
            _source(one, language),
            _cell(one.answer, language),
        ]
        for one in numbers
    ]
    heads = [
        words(language, "As of"),
        words(language, "Number as reported"),
        words(language, "What it counts"),
        words(language, "Reported by"),
        words(language, "Our answer"),
    ]
    caption = words(language, "Numbers reported elsewhere")
    return pipe_table(heads, rows, caption, words=range(len(heads)))


def _source(one: ReportedNumber, language: Language) -> str:
    source = _cell(one.source, language)
    return f"[{source}]({one.link})" if one.link else source


def _cell(text: str, language: Language) -> str:
    """Return a text of the table as Markdown; what has no words needs no translation."""
    return said(language, text) if _has_words(text) else escape(text)


def _has_words(text: str) -> bool:
    return any(letter.isalpha() for letter in text)
