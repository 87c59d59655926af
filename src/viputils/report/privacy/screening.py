"""Screening: every text that becomes public is searched for what tells who somebody is, before it goes out.

A finding keeps an issue from being published until it is allowed by name, with a reason and who allows it: in
``report/activities/2023-11.allowed.toml`` for the activities, in ``report/texts.allowed.toml`` for all other texts.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from viputils.audit.register import read_register
from viputils.config.language import translations
from viputils.config.paragraphs import lines_of
from viputils.config.project import Project
from viputils.core.errors import Problem, TextError, nearest
from viputils.core.months import ReportMonth
from viputils.report.elsewhere import NAME as ELSEWHERE
from viputils.report.elsewhere import read_elsewhere
from viputils.report.markdown import read_lines
from viputils.report.privacy.particulars import KINDS, UNWRITTEN, particulars, remedy_of

ALLOWED_SUFFIX: Final = ".allowed.toml"
# What the example of an allowance leaves to be written.
WHY: Final = "why it may go out"
WHO: Final = "who allows it"


@dataclass(frozen=True)
class Finding:
    """What must not go out.

    Attributes
    ----------
    file
        What messages call the file.
    line
        The line of it on which it begins.
    kind
        One of ``KINDS``.
    excerpt
        The words themselves, on one line and in plain characters.
    remedy
        What would be right.
    """

    file: str
    line: int
    kind: str
    excerpt: str
    remedy: str

    @property
    def name(self) -> str:
        """What it is allowed by: ``phone number: 505-555-0123``."""
        return f"{self.kind}: {self.excerpt}"

    @property
    def problem(self) -> Problem:
        """It as a problem, with its place."""
        return Problem(f"{self.file}, line {self.line}", f"{self.kind}: {self.excerpt!r};", self.remedy)


class Allowance(BaseModel):
    """One finding that may go out, named exactly, with the reason and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: str
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

    def allows(self, finding: Finding) -> bool:
        """Return whether it names a finding."""
        return self.kind == finding.kind and _plain(self.text).split() == finding.excerpt.split()


@dataclass(frozen=True)
class Screening:
    """What was found in the activities of a month.

    Attributes
    ----------
    allowed_file
        Where findings are allowed by name.
    findings
        What must not go out, and was not allowed.
    allowed
        What was, each with its allowance.
    unused
        Allowances that name nothing in the text.
    """

    allowed_file: str
    findings: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, Allowance], ...] = ()
    unused: tuple[Problem, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """Everything that is left to do."""
        return [*(one.problem for one in self.findings), *self.unused]

    @property
    def example(self) -> str:
        """How the findings are allowed by name, as it is written into the file; empty if none can be."""
        # JSON writes a string as TOML does.
        said = [
            {"kind": one.kind, "text": one.excerpt, "reason": WHY, "by": WHO}
            for one in {(one.kind, one.excerpt): one for one in reversed(self.findings)}.values()
            if one.kind != UNWRITTEN
        ]
        blocks = [
            ["[[allowed]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in one.items())]
            for one in reversed(said)
        ]
        return "\n\n".join("\n".join(f"    {line}" for line in block) for block in blocks)

    @property
    def clean(self) -> bool:
        """Whether there is nothing left to do."""
        return not self.findings and not self.unused


@dataclass(frozen=True)
class _Block:
    """A paragraph, a heading or a list item, as it is read: its words, and the line of each character."""

    text: str
    lines: tuple[int, ...]


# ------------------------------------------------------------------ the text as a reader sees it

_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()\s]+)\)")
_MARKUP = re.compile(r"[*`\\]|(?<!\w)_+|_+(?!\w)")
_QUOTES: Final = str.maketrans({"‘": "'", "’": "'", "‛": "'", "“": '"', "”": '"', "„": '"'})  # noqa: RUF001


def _plain(text: str) -> str:
    """Return text in the characters that a typist has: one kind of digit, of hyphen and of blank, nothing invisible.

    A number with full-width digits or with a hyphen that does not break is the same number to its reader.
    """
    marks = []
    for mark in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(mark)
        if category == "Nd":
            marks.append(str(unicodedata.digit(mark)))
        elif category == "Pd" or mark == "\N{MINUS SIGN}":
            marks.append("-")
        elif category in ("Zs", "Cc"):
            marks.append(" ")
        elif category != "Cf":
            marks.append(mark)
    return "".join(marks).translate(_QUOTES)


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    """Put wrapped lines together, without markup; the address of a link is a block of its own."""
    words = ""
    numbers: list[int] = []
    for line in lines_of([*lines, ""]):
        if words and line.is_new:
            yield _Block(words, tuple(numbers))
            words, numbers = "", []
        text = _plain(line.text)
        for link in _LINK.finditer(text):
            yield _Block(link[2], (line.number,) * len(link[2]))
        seen = _MARKUP.sub("", _LINK.sub(r"\1", text)).strip()
        seen = f" {seen}" if words and seen else seen
        words += seen
        numbers += [line.number] * len(seen)


# ------------------------------------------------------------------ screening


def screen(path: Path, name: str, month: ReportMonth) -> list[Finding]:
    """Find what must not go out in a text.

    Parameters
    ----------
    name
        What errors call the file.
    month
        The month that it is about: a day long before it is taken for a date of birth.

    Returns
    -------
    list of Finding
        In the order in which they stand there; the same words on one line once.

    Raises
    ------
    TextError
        If the file cannot be read.
    """
    return _found(read_lines(path, name), name, month)


def screen_text(text: str, where: str, month: ReportMonth) -> list[Finding]:
    """Return what must not go out in a text that is no file, such as ``--reason``, as ``screen`` does."""
    return _found(text.splitlines(), where, month)


def _found(lines: Sequence[str], name: str, month: ReportMonth) -> list[Finding]:
    found = {
        Finding(
            name,
            block.lines[start],
            kind,
            " ".join(block.text[start:end].split()),
            remedy_of(kind, block.text, (start, end)),
        ): None
        for block in _blocks(lines)
        for (start, end), kind in particulars(block.text, month)
    }
    return sorted(found, key=lambda one: one.line)


def screen_activities(project: Project, month: ReportMonth) -> Screening:
    """Screen the activities of a month, and take out what was allowed by name.

    Raises
    ------
    TextError
        If the text or its allowances cannot be read, with everything that is wrong with the allowances.
    """
    path = project.activities(month)
    # A translation says the same about the same people.
    texts = [path, *sorted(path.parent.glob(f"{month}.*.md")), *sorted(path.parent.glob(f"*/{month}.md"))]
    findings = [one for text in texts for one in screen(text, project.relative(text), month)]
    return _screened(project, findings, path.with_name(f"{month}{ALLOWED_SUFFIX}"))


def screen_texts(project: Project, words: Iterable[tuple[str, str]] = ()) -> Screening:
    """Screen everything else that the project shows, as ``screen_activities`` does.

    These are the texts in every issue and on the pages of the site, program.toml, the catalogues, the numbers reported
    elsewhere, and the names of approvers, reasons and footnotes of the register. ``report/texts.allowed.toml`` allows
    by name.

    Parameters
    ----------
    words
        What is to become public as well, such as a reason, each text with what messages call it.

    Raises
    ------
    TextError
        As ``screen_activities``.
    PublishedError
        As ``read_elsewhere``.
    """
    # A day since the program began can be a part of its story.
    month = ReportMonth.of(project.program.identity.began).plus(12)
    texts = [project.report / "introduction.md", project.report / "definitions.md"]
    texts += sorted((project.report / "pages").glob("*.md"))
    findings = [one for text in texts for one in screen(text, project.relative(text), month)]
    findings += _in_program(project, month)
    for path in sorted((project.report / "locale").glob("*.po")):
        name = project.relative(path)
        for line, text in translations(path, name):
            findings += [replace(one, line=line) for one in screen_text(text, name, month)]
    register = [
        (f"data/published/index.csv, {issue.name}, {column}", text)
        for issue in read_register(project).issues
        for column, text in (("approved_by", issue.approved_by), ("reason", issue.reason), ("footnote", issue.footnote))
    ]
    for one in read_elsewhere(project):
        for _, text in one.texts():
            findings += [replace(found, line=one.line) for found in screen_text(text, ELSEWHERE, month)]
    for where, text in dict.fromkeys((*register, *words)):
        findings += screen_text(text, where, month)
    return _screened(project, findings, project.report / f"texts{ALLOWED_SUFFIX}")


def _in_program(project: Project, month: ReportMonth) -> Iterator[Finding]:
    """Find what must not go out in the names and statements of program.toml, each on the line on which it begins."""
    lines = read_lines(project.root / "program.toml", "program.toml")
    for _, text in project.program.names():
        first = text.split(maxsplit=4)[:4]
        line = next((number for number, one in enumerate(lines, start=1) if all(word in one for word in first)), 1)
        yield from (replace(one, line=line) for one in screen_text(text, "program.toml", month))


def _screened(project: Project, findings: Sequence[Finding], allowed_path: Path) -> Screening:
    allowed_file = project.relative(allowed_path)
    allowances = read_allowances(allowed_path, allowed_file)
    allowed = [(one, allowance) for one in findings for allowance in allowances if allowance.allows(one)]
    known = [one for one, _ in allowed]
    unused = [
        Problem(
            f"{allowed_file}, allowed {number}",
            f"names nothing in the text: {allowance.kind}: {allowance.text!r};",
            "take it out, so that it allows nothing later on.",
        )
        for number, allowance in enumerate(allowances, start=1)
        if not any(allowance is used for _, used in allowed)
    ]
    return Screening(allowed_file, tuple(one for one in findings if one not in known), tuple(allowed), tuple(unused))


def read_allowances(path: Path, name: str) -> list[Allowance]:
    """Read what was allowed by name; an absent file allows nothing.

    Raises
    ------
    TextError
        With everything in the file that allows nothing by name.
    """
    lines = read_lines(path, name)
    try:
        raw = tomllib.loads("\n".join(lines))
    # Brackets within brackets within brackets are no error of their own.
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TextError("What was allowed cannot be read.", [Problem(name, f"is not TOML: {error}.")]) from None
    entries = raw.pop("allowed", [])
    problems = [Problem(f"{name}, {key}", "is not known here;", "each one is [[allowed]].") for key in raw]
    if not isinstance(entries, list):
        problems.append(Problem(f"{name}, allowed", "is no list;", "each one begins with [[allowed]]."))
        entries = []
    allowances = []
    for number, entry in enumerate(entries, start=1):
        where = f"{name}, allowed {number}"
        try:
            allowance = Allowance.model_validate(entry)
        except ValidationError as error:
            problems += [
                Problem(
                    ", ".join([where, *(str(step) for step in detail["loc"])]),
                    f"{detail['msg']};",
                    "it has a kind, a text, a reason, and by: who allows it.",
                )
                for detail in error.errors()
            ]
            continue
        problems += [
            Problem(f"{where}, {key}", f"{said!r} was not replaced;", f"write {key_is}.")
            for key, said, example, key_is in (
                ("reason", allowance.reason, WHY, "why these words may go out"),
                ("by", allowance.by, WHO, "the name of the person who allows it"),
            )
            if said.casefold() == example
        ]
        if allowance.kind not in KINDS or allowance.kind == UNWRITTEN:
            known = [kind for kind in KINDS if kind != UNWRITTEN]
            remedy = nearest(allowance.kind, known) or f"known: {', '.join(known)}."
            problems.append(Problem(f"{where}, kind", f"{allowance.kind!r} is nothing that can be allowed;", remedy))
        allowances.append(allowance)
    if problems:
        raise TextError("What was allowed is invalid.", problems)
    return allowances


def require_screened(screening: Screening) -> None:
    """Refuse to let a text go out while something in it was not allowed.

    Raises
    ------
    TextError
        With each finding and its line.
    """
    if screening.findings:
        problems = [one.problem for one in screening.findings]
        if screening.example:
            what = "allows by name what may still be published, for example with these lines:\n"
            problems.append(Problem(screening.allowed_file, what, screening.example))
        raise TextError("A text contains what must not go out. Nothing was published.", problems)
