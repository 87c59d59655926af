"""Screening: what must not go out in a text, found before it does.

A person is found by a phone number, an e-mail address, a date of birth, a social security, case or plate number, a
street address with a house number, or a full name beside an age or a charge. A finding keeps an issue from being
published until it is allowed by name: in ``report/activities/2023-11.allowed.toml``, with a reason and who says so.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from viputils.errors import Problem, TextError, nearest
from viputils.periods import MONTH_NAMES, ReportMonth
from viputils.project import Project
from viputils.texts import read_lines

PHONE: Final = "phone number"
EMAIL: Final = "e-mail address"
BIRTH: Final = "date of birth"
SECURITY: Final = "social security number"
CASE: Final = "case or plate number"
ADDRESS: Final = "street address"
AGE: Final = "name and age"
CHARGE: Final = "name and charge"
UNWRITTEN: Final = "not written yet"

KINDS: Final = {
    PHONE: "take it out.",
    EMAIL: "take it out.",
    BIRTH: "take it out; an age group says enough.",
    SECURITY: "take it out.",
    CASE: "take it out; it leads to the people in the case.",
    ADDRESS: "name the neighborhood, or the block: 'the 1200 block of Central Avenue SE'.",
    AGE: "take the name out, or the age.",
    CHARGE: "take the name out: nobody is guilty before a court says so, and this report is no place for it.",
    UNWRITTEN: "write it, or take it out with its heading.",
}

# What `vip new` leaves to be written, and what keeps it from being published unwritten.
TO_WRITE: Final = "TO BE WRITTEN"

ALLOWED_SUFFIX: Final = ".allowed.toml"


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
        """Say whether it names a finding."""
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
        """How the first finding is allowed by name, as it is written into the file."""
        one = next((one for one in self.findings if one.kind != UNWRITTEN), Finding("", 1, PHONE, "…", ""))
        # JSON writes a string as TOML does.
        said = {"kind": one.kind, "text": one.excerpt, "reason": "why it may go out", "by": "who says so"}
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items()]
        return "\n".join(f"    {line}" for line in ["[[allowed]]", *lines])

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
_HEADING = re.compile(r"\s*#+\s")
_ITEM = re.compile(r"\s*(?:([-*+])\s|[0-9]+[.)]\s)")
_MARKUP = re.compile(r"[*`\\]|(?<!\w)_+|_+(?!\w)")
_QUOTES: Final = str.maketrans({"‘": "'", "’": "'", "‛": "'", "“": '"', "”": '"', "„": '"'})  # noqa: RUF001


def _plain(text: str) -> str:
    """Give text in the characters that a typist has: one kind of digit, of hyphen and of blank, nothing invisible.

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
    words, kind = "", ""
    numbers: list[int] = []
    for number, line in enumerate([*lines, ""], start=1):
        text = _plain(line)
        heading, item = _HEADING.match(text), _ITEM.match(text)
        begins = "heading" if heading else "list" + (item[1] or "1") if item else ""
        # Within a paragraph "23. " begins no item, and a list ends only where another item of it begins.
        if words and (not text.strip() or kind == "heading" or begins == "heading" or (begins and begins == kind)):
            yield _Block(words, tuple(numbers))
            words, numbers = "", []
        for link in _LINK.finditer(text):
            yield _Block(link[2], (number,) * len(link[2]))
        seen = _MARKUP.sub("", _LINK.sub(r"\1", text)).strip()
        if seen:
            kind = kind if words else begins
            seen = f" {seen}" if words else seen
            words += seen
            numbers += [number] * len(seen)


# ------------------------------------------------------------------ what is looked for

_Span = tuple[int, int]

_EMAIL = re.compile(
    r"[\w.%+'-]*\w ?@ ?\w[\w-]*(?:\.\w[\w-]*)+|[\w.%+'-]*\w@ ?\w[\w.-]*\w"
    r"|[\w.%+'-]*\w ?[(\[{] ?at ?[)\]}] ?\w[\w.-]*|\w[\w.]* at \w+ dot (?:com|org|net|gov|edu|us)\b",
    re.IGNORECASE,
)
# A number without area code has seven digits; what has more groups than this is a row of counts.
_LOCAL: Final = 7
_MOST_GROUPS: Final = 4
_LOCAL_PHONE = re.compile(r"[2-9]\d{2}([-. ]{1,3})(\d{4})")
_YEAR = r"(?:19|20)\d{2}"
# Where other digits stand right beside it, the library takes both together, and then neither.
_GROUPED_PHONE = re.compile(
    r"(?<!\d)(?:\+?1[-. ]{0,3})?\(?[2-9]\d{2}\)?[-./ ]{1,3}\d{3}[-. ]{1,3}\d{4}(?!\d)"
    r"|(?<!\d)[2-9]\d{9}(?!\d)|(?<![\d-])[2-9]\d{2}-\d{4}(?!\d)"
)
# Not the middle of a number: 202.311.0000.
_SERVICE_CODE = re.compile(r"(?<![\d-])(?<!\d\.)[2-9]-?1-?1(?!-?\d)(?!\.\d)")
_UNGROUPED_PHONE = re.compile(
    r"\b(?:call(?:ed)?|phone|text|tel|cell|mobile|dial|number)\b\W+(?:[a-z]+\W+){0,3}?(?P<found>[2-9]\d{6})\b",
    re.IGNORECASE,
)
_MONTH = rf"(?:{'|'.join(name[:3] for name in MONTH_NAMES)})[a-z]{{0,6}}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATES = tuple(
    re.compile(rf"(?<![\d/.-])(?:{form})(?![\d/-])", re.IGNORECASE)
    for form in (
        rf"(?P<year>{_YEAR})\s?([/.-])\s?(?P<month>\d{{1,2}})\s?\2\s?\d{{1,2}}",
        r"(?P<month>\d{1,2})\s?([/.-])\s?(?P<day>\d{1,2})\s?\2\s?(?P<year>\d{4})",
        r"(?P<month>\d{1,2})\s?([/-])\s?(?P<day>\d{1,2})\s?\2\s?(?P<year>\d{2})",
        rf"(?P<name>{_MONTH})\s{_DAY},?\s(?P<year>\d{{4}})",
        rf"{_DAY}\s(?:of\s)?(?P<name>{_MONTH}),?\s(?P<year>\d{{4}})",
    )
)
_BORN = re.compile(
    r"\b(?:DOB|D\. ?O\. ?B|(?:date|day|year|month) of birth|birth ?-?(?:date|day|year)|b-day|born"
    r"|nacid[oa]|nació|fecha de nacimiento)\b[^!?;]{0,25}?"
    rf"(?:\b\d{{1,4}}\s?[/.-]\s?\d{{1,2}}(?:\s?[/.-]\s?\d{{1,4}})?\b|\b{_MONTH}\s{_DAY}(?:,?\s\d{{4}})?\b"
    rf"|\b{_DAY}\s(?:of\s)?{_MONTH}\b(?:,?\s\d{{4}})?|\b{_YEAR}\b)",
    re.IGNORECASE,
)
_SECURITY = re.compile(
    r"(?<![\d-])(?:\d{3}\s?([-.])\s?\d{2}\s?\1\s?\d{4}|\d{3} \d{2} \d{4})(?![\d-])"
    r"|\b(?:SSN|[Ss]ocial [Ss]ecurity)\b[^.!?;]{0,20}?\b\d[\d -]{2,}\d\b"
)
_CASE = re.compile(
    r"\b[A-Z]{1,2}-\d{3,4}-[A-Z]{2}-\d{2,4}-\d{3,6}\b|(?<![\d-])\d{2}-\d{7}(?![\d-])"
    r"|\b(?i:case|incident|police report|docket|booking|warrant|citation|cad)\s?(?i:no\.?|nos\.|numbers?|#)\s?[:#]?\s?"
    r"(?=[A-Z-]*\d)[A-Z0-9][A-Z0-9-]{3,}\b"
    r"|\b(?i:plates?)\b[ ,:#]*(?:(?i:no\.?|numbers?|is|was|of)[ :#]*)?(?=[A-Z0-9 -]*[A-Z])(?=[A-Z -]*\d)"
    r"[A-Z0-9]{2,4}[- ]?[A-Z0-9]{2,5}\b"
)

_SUFFIX = (
    "Street|St|Avenue|Ave|Av|Boulevard|Blvd|Road|Rd|Drive|Dr|Lane|Ln|Court|Ct|Place|Pl|Way|Circle|Cir|Trail|Trl|Tr"
    "|Parkway|Pkwy|Highway|Hwy|Loop|Terrace|Ter|Alley|Plaza|Square|Sq|Freeway|Frontage"
)
_QUADRANT = r"(?:N\.?E|N\.?W|S\.?E|S\.?W|Northeast|Northwest|Southeast|Southwest)\b"
_HOUSE = r"(?<![\d$.,:/-])\d{1,5}(?:-?[A-Za-z]\b)?(?:-\d{1,4}|\s1/2)?,?\s"
_HEADED = r"(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\b\.?\s)?"
_PART = r"(?:(?:de|del|la|las|los|el)\s){0,2}(?=[^a-z])(?:[^\W\d_][\w'.-]*|\d{1,3}(?:st|nd|rd|th))\s"
_ADDRESS = re.compile(
    rf"{_HOUSE}{_HEADED}(?:{_PART}){{1,4}}(?:{_SUFFIX})\b\.?(?:\s{_QUADRANT})?"
    rf"|{_HOUSE}{_HEADED}(?:{_PART}){{1,4}}{_QUADRANT}"
    rf"|{_HOUSE}{_HEADED}(?:Calle|Camino|Avenida|Paseo|Via|Vista|Highway|Hwy|Route|County Road|US|NM)\s"
    r"(?:(?:de|del|la|las|los|el)\s){0,2}[A-Z0-9][\w'-]*"
    r"|(?<![\d$.,:/-])\d{2,5} [a-z]{3,} (?:st|ave|blvd|rd|dr|ln|ct|pl)\b(?:\.| (?:ne|nw|se|sw)\b)?"
    r"|(?<![\d$.,:/-])\d{2,5} [a-z]{3,} (?:street|avenue|boulevard|road|drive|lane|court|place) (?:ne|nw|se|sw)\b"
    r"|\b(?i:apt|apartment|unit)\b\.?\s?#\s?\w+|\b[Aa]pt\.\s?\w*\d\w*"
)
# "In 2023 Main Street SE …": a year, and no house number.
_WHEN = re.compile(rf"(?:\b(?:in|since|during|{_MONTH}|\d,)\s)$", re.IGNORECASE)

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*\.?")
_BETWEEN = re.compile(r"[\"']?\s[\"']?|(?<=\.)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTICLES: Final = _words("de del la las los el y van von der den da di dos bin al")
_WITH_STOP: Final = frozenset(["jr.", "sr.", "st.", "mr.", "mrs.", "ms.", "dr.", "sta.", "sto."])
_GENERATION: Final = frozenset(["ii", "iii", "iv", "jr", "jr.", "sr", "sr."])
# What can stand before a name with a capital letter, and is no part of it.
_BEFORE_A_NAME: Final = _words(
    "a after all also an and as at before both but by during for from he her his if in it its last man most no "
    "not now of officers on one or police since she so some staff that the their then there these they this those "
    "to today two under until when where which while who with woman yesterday you "
    "january february march july september october november december "
    "monday tuesday wednesday thursday friday saturday sunday suspect victim client defendant witness name"
)
# So can these, but they are first names as well.
_FIRST_NAMES: Final = _words("april may june august")
# Words of places, offices and days: what holds one is no person's name.
_NO_NAME: Final = _words(
    "street avenue boulevard road drive circle trail parkway highway loop terrace plaza square "
    "ave blvd st rd dr ln ne nw se sw northeast northwest southeast southwest central downtown "
    "area command district county city town village valley heights hills pueblo mall building "
    "university school college academy hospital clinic center centre library housing home homes apartments "
    "shelter motel hotel community communities community's department division office agency bureau council "
    "commission coalition program project initiative team unit task force services service safety health healthy "
    "healing violence intervention outreach prevention police sheriff sheriff's rescue justice state united "
    "states america albuquerque bernalillo mexico santa rio grande thanksgiving christmas easter week "
    "month year families family youth adults children people resources center's association foundation network "
    "company inc llc report medicaid medicare voucher section stable assistance food custom "
    "notification notifications attorney attorney's federal national international american domestic group"
)
# These are surnames as well, unless the words before say that it is a place.
_PLACES: Final = _words("hill park west church day grant lane north east south house court place way base mesa inn")
_AT = re.compile(r"\b(?:at|near|outside|inside|along|around|behind|in|on|toward|towards)\s(?:the\s)?$", re.IGNORECASE)
_TITLES: Final = _words(
    "officer officers chief deputy detective sergeant lieutenant captain mayor councilor judge director "
    "president governor senator reporter spokesman spokeswoman spokesperson"
)

_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_N = (
    rf"(?:\b(?:1[01]\d|[1-9]\d?)|\b(?:{_TENS})(?:[ -](?:{_ONES}))?|\b(?:{_ONES})|\bten|\beleven|\btwelve|\bthirteen"
    r"|\bfourteen|\bfifteen|\bsixteen|\bseventeen|\beighteen|\bnineteen)\b(?![.,]?\d)"
)
_YEARS_OLD = r"\s?-?\s?(?:years?|yrs?\.?|months?|weeks?)\s?-?\s?olds?\b|\s?y/?\.?o\b|\saños\b"
_AGE_AFTER = re.compile(
    rf",?\s?\(\s?(?:ages?:?\s|aged\s)?{_N}(?:{_YEARS_OLD})?\s?\)"
    rf"|\s?(?:,|-)\s?(?:(?:both|now|then|just|only)\s)?{_N}(?=\s?(?:[,.;:)!?-]|$)|\s(?:and|or|from|who|was|were|is|has|had"
    r"|died|said|told|faces|of\sAlbuquerque)\b)"
    rf"|(?:,|\s)\s?(?:(?:who|whose|was|is|were|are|now|then|just|only|turned|both|a|an|the|de|tiene)\s){{0,3}}"
    rf"(?:(?:ages?|aged)\b(?:\sis)?[: ]\s?{_N}|{_N}(?:{_YEARS_OLD}))"
    rf"|\s(?:has\s|had\s|just\s)?turn(?:ed|s|ing)\s{_N}",
    re.IGNORECASE,
)
_AGE_BEFORE = re.compile(rf"{_N}(?:{_YEARS_OLD})[^.!?;]{{0,30}}$|\bage[sd]?:?\s?{_N}\W{{1,4}}$", re.IGNORECASE)
_CHARGE = re.compile(
    r"\b(?:charged|indict(?:ed|ment)|convict(?:ed|ion|s)?|arrest(?:ed|s|ing)?|arraigned|sentenced|accused|"
    r"plead(?:ed|s|ing)?|pled|booked|jailed|imprisoned|wanted (?:for|in|on|by)|suspect(?:s|ed)?|defendants?|"
    r"perpetrators?|shooter|acusad[oa]s?|arrestad[oa]s?|detenid[oa]s?|condenad[oa]s?|imputad[oa]s?|sospechos[oa]s?|culpables?|"
    r"murderer|felon|guilty|in custody|warrants? for|(?<!free of )(?<!in )(?<!no )charges?)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"(?<!\b\w)(?<!\b[JSMD]r)(?<!\bMrs)(?<!\bMs)(?<!\bSt)(?<!\b[LS]t)(?<!\bSgt)[.!?]['\")]?\s(?=\S)"
)
# As far from a name as this, a charge is beside it.
_BESIDE: Final = 60


def _emails(text: str) -> Iterator[_Span]:
    yield from (found.span() for found in _EMAIL.finditer(text))


def _phones(text: str) -> Iterator[_Span]:
    """Find phone numbers of any country, and those of the United States also without area code.

    A number need not be in service: one that was mistyped, or is made up, belongs to somebody as well.
    """
    # Only where it is needed, which is not in every command.
    from phonenumbers import Leniency, PhoneNumberMatcher, is_valid_number

    others = [
        found.span() for pattern in (*_DATES, _SECURITY, _CASE, _SERVICE_CODE) for found in pattern.finditer(text)
    ]
    for start, end in others:
        text = text[:start] + "|" * (end - start) + text[end:]
    found = []
    for match in PhoneNumberMatcher(text, "US", leniency=Leniency.POSSIBLE):
        groups = re.findall(r"\d+", match.raw_string)
        if len("".join(groups)) == _LOCAL:
            local = _LOCAL_PHONE.search(match.raw_string)
            year = local and local[1].isspace() and re.fullmatch(_YEAR, local[2])
            if not local or year or text[: match.start].endswith(("-", "$")):
                continue
        elif len(groups) > _MOST_GROUPS and not is_valid_number(match.number):
            continue
        found.append((match.start, match.end))
    found += [one.span() for one in _GROUPED_PHONE.finditer(text)]
    found += [one.span("found") for one in _UNGROUPED_PHONE.finditer(text)]
    seen = list(_addresses(text))
    for start, end in sorted(found, key=lambda span: span[0] - span[1]):
        # Of what overlaps, the longest is the number.
        if not any(start < other_end and other_start < end for other_start, other_end in seen):
            seen.append((start, end))
            yield start, end


def _births(text: str, month: ReportMonth) -> Iterator[_Span]:
    """Find what is said to be a birthday, and days so long ago that they are no day of this month's activities."""
    said = [found.span() for found in _BORN.finditer(text)]
    yield from said
    past = month.plus(-12)
    for pattern in _DATES:
        for found in pattern.finditer(text):
            parts = found.groupdict()
            year = int(parts["year"])
            if year < 100:
                year += 2000 if year <= month.year % 100 else 1900
            if name := parts.get("name"):
                number = next(n for n, full in enumerate(MONTH_NAMES, 1) if full[:3].lower() == name[:3].lower())
            else:
                number = min(int(part) for part in (parts["month"], parts.get("day") or "12"))
            beside = any(start < found.end() and found.start() < end for start, end in said)
            if (year, number) < (past.year, past.month) and year > month.year - 120 and not beside:
                yield found.span()


def _securities(text: str) -> Iterator[_Span]:
    yield from (found.span() for found in _SECURITY.finditer(text))


def _cases(text: str) -> Iterator[_Span]:
    yield from (found.span() for found in _CASE.finditer(text))


def _addresses(text: str) -> Iterator[_Span]:
    for found in _ADDRESS.finditer(text):
        if not (re.match(_YEAR + r"\s", found[0]) and _WHEN.search(text[: found.start()])):
            yield found.span()


def _names(text: str) -> Iterator[_Span]:
    """Find full names: capitalised words in a row, with initials and particles, that name no place and no office."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        part = _is_part(word[0])
        if run and not (part and _BETWEEN.fullmatch(text, run[-1].end(), word.start())):
            yield from _person(text, run)
            run = []
        if part and (run or word[0][0].isupper()):
            run.append(word)
            if word[0].endswith(".") and not _keeps_stop(word[0]):
                yield from _person(text, run)
                run = []
    yield from _person(text, run)


def _is_part(word: str) -> bool:
    return word[0].isupper() or word in _PARTICLES


def _keeps_stop(word: str) -> bool:
    return word.casefold() in _WITH_STOP or len(word) == 2


def _person(text: str, run: list[re.Match[str]]) -> Iterator[_Span]:
    """Give the span of a person's name in capitalised words, if they hold one."""
    words = list(run)
    while words and (
        _bare(words[0]) in _BEFORE_A_NAME
        or _is_acronym(words[0][0], words)
        or (_bare(words[0]) in _FIRST_NAMES and len(words) > 2)
    ):
        del words[0]
    while words and (words[-1][0] in _PARTICLES or _is_acronym(words[-1][0], words)):
        del words[-1]
    names = [word for word in words if word[0] not in _PARTICLES and word[0].casefold() not in _GENERATION]
    if len(names) < 2 or len(names[-1][0].rstrip(".")) == 1 or any(_bare(word) in _NO_NAME for word in names):
        return
    if any(_bare(word) in _PLACES for word in names) and _AT.search(text, 0, words[0].start()):
        return
    last = words[-1]
    yield words[0].start(), last.end() - (last[0].endswith(".") and not _keeps_stop(last[0]))


def _bare(word: re.Match[str]) -> str:
    return word[0].rstrip(".").casefold()


def _is_acronym(word: str, words: list[re.Match[str]]) -> bool:
    """Say whether a word in capitals stands among others that are not: ``APD``, and not ``JOHN SMITH``."""
    written_out = any(not other[0].isupper() for other in words if other[0] not in _PARTICLES)
    return written_out and word.isupper() and len(word.rstrip(".")) > 1 and word.casefold() not in _GENERATION


def _ages(text: str) -> Iterator[_Span]:
    for start, end in _names(text):
        if after := _AGE_AFTER.match(text, end):
            yield start, after.end()
        elif before := _AGE_BEFORE.search(text, 0, start):
            yield before.start(), end


def _charges(text: str) -> Iterator[_Span]:
    charges = [found.span() for found in _CHARGE.finditer(text)]
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    for start, end in _names(text) if charges else ():
        if _TITLES & {word.rstrip(".").casefold() for word in text[start:end].split()}:
            continue  # An officer who made an arrest.
        near = [
            (max(start - last, first - end), first, last)
            for first, last in charges
            if max(start - last, first - end) <= _BESIDE
            and not any(min(start, first) < stop <= max(start, first) for stop in ends)
        ]
        if near:
            _, first, last = min(near)
            yield min(start, first), max(end, last)


def _unwritten(text: str) -> Iterator[_Span]:
    yield from (found.span() for found in re.finditer(re.escape(TO_WRITE), text))


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
        Where the file cannot be read.
    """
    seek: dict[str, Callable[[str], Iterator[_Span]]] = {
        PHONE: _phones,
        EMAIL: _emails,
        BIRTH: lambda text: _births(text, month),
        SECURITY: _securities,
        CASE: _cases,
        ADDRESS: _addresses,
        AGE: _ages,
        CHARGE: _charges,
        UNWRITTEN: _unwritten,
    }
    found = {
        Finding(name, block.lines[start], kind, " ".join(block.text[start:end].split()), KINDS[kind]): None
        for block in _blocks(read_lines(path, name))
        for (start, end), kind in sorted((span, kind) for kind, find in seek.items() for span in find(block.text))
    }
    return sorted(found, key=lambda one: one.line)


def screen_activities(project: Project, month: ReportMonth) -> Screening:
    """Screen the activities of a month, and take out what was allowed by name.

    Raises
    ------
    TextError
        Where the text or its allowances cannot be read, with everything that is wrong with the allowances.
    """
    path = project.activities(month)
    # A translation says the same about the same people.
    texts = [path, *sorted(path.parent.glob(f"{month}.*.md")), *sorted(path.parent.glob(f"*/{month}.md"))]
    return _screened(project, texts, path.with_name(f"{month}{ALLOWED_SUFFIX}"), month)


def screen_texts(project: Project, month: ReportMonth) -> Screening:
    """Screen what stands in every issue and on the pages of the site, as ``screen_activities`` does.

    ``report/texts.allowed.toml`` allows by name.

    Parameters
    ----------
    month
        The newest month of an issue.

    Raises
    ------
    TextError
        As ``screen_activities``.
    """
    texts = [project.report / "introduction.md", project.report / "definitions.md"]
    texts += sorted((project.report / "pages").glob("*.md"))
    return _screened(project, texts, project.report / f"texts{ALLOWED_SUFFIX}", month)


def _screened(project: Project, texts: Sequence[Path], allowed_path: Path, month: ReportMonth) -> Screening:
    allowed_file = project.relative(allowed_path)
    allowances = read_allowances(allowed_path, allowed_file)
    findings = [one for text in texts for one in screen(text, project.relative(text), month)]
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
        if allowance.kind not in KINDS or allowance.kind == UNWRITTEN:
            known = [kind for kind in KINDS if kind != UNWRITTEN]
            remedy = nearest(allowance.kind, known) or f"known: {', '.join(known)}."
            problems.append(Problem(f"{where}, kind", f"{allowance.kind!r} is nothing that can be allowed;", remedy))
        allowances.append(allowance)
    if problems:
        raise TextError("What was allowed is not as it must be.", problems)
    return allowances


def require_screened(screening: Screening) -> None:
    """Refuse to let a text go out while something in it was not allowed.

    Raises
    ------
    TextError
        With each finding and its line.
    """
    if screening.findings:
        raise TextError(
            "A text holds what must not go out. Nothing was published. What may go out is allowed by "
            f"name in {screening.allowed_file}.",
            [one.problem for one in screening.findings],
        )
