"""Particulars: what in a text tells who somebody is, in English and Spanish.

A person is found by a phone number, an e-mail address, a social-media account, a date of birth, an address, a room, a
number in somebody's files, a school that a child goes to, or a name near an age or a crime.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from viputils.core.months import MONTH_NAMES, ReportMonth
from viputils.report.privacy.names import Span, can_be_a_name, has_an_office, people

PHONE: Final = "phone number"
EMAIL: Final = "e-mail address"
HANDLE: Final = "social-media account"
BIRTH: Final = "date of birth"
SECURITY: Final = "social security number"
CASE: Final = "case or plate number"
FILE: Final = "number of a person"
ADDRESS: Final = "street address"
ROOM: Final = "room or bed"
SCHOOL: Final = "child at a named school"
AGE: Final = "name and age"
CHARGE: Final = "name and charge"
UNWRITTEN: Final = "not written yet"

KINDS: Final = {
    PHONE: "take it out.",
    EMAIL: "take it out.",
    HANDLE: "take it out.",
    BIRTH: "take it out; an age group is enough.",
    SECURITY: "take it out.",
    CASE: "take it out; it leads to the people in the case.",
    FILE: "take it out; it leads to the person in whose papers it is.",
    ADDRESS: "name the neighborhood, or the block: 'the 1200 block of Central Avenue SE'.",
    ROOM: "take it out, or write only 'the hospital'.",
    SCHOOL: "take out the name of the school, or write of several students.",
    AGE: "take the name out, or the age.",
    CHARGE: "take the name out: only a court decides who is guilty, and the report names no person near a crime.",
    UNWRITTEN: "write it, or take it out with its heading.",
}
# For a person to whom a crime was done.
OF_A_VICTIM: Final = (
    "take the name out: the family of a victim decides who learns it, and the report names no person near a crime."
)

# What `vip new` leaves to be written, and what keeps it from being published unwritten.
TO_WRITE: Final = "TO BE WRITTEN"


def particulars(text: str, month: ReportMonth) -> list[tuple[Span, str]]:
    """Return where a text tells who somebody is, each place with its kind.

    Parameters
    ----------
    text
        A paragraph on one line, in plain characters and without markup.
    month
        The month that it is about: a day long before it is taken for a date of birth.
    """
    found = [(span, kind) for kind, seek in _RULES.items() for span in seek(text)]
    return sorted([*found, *((span, BIRTH) for span in _births(text, month))])


def remedy_of(kind: str, text: str, found: Span) -> str:
    """Return what would be right for a place of a text, with a reason that is about victims for the name of one."""
    if kind == CHARGE:
        start, end = next(one for one in _sentences(text) if one[0] <= found[0] < one[1])
        is_deed = _OFFENDER.search(text, start, end) or _DID.search(text, *found)
        if _VICTIM.search(text, start, end) and not is_deed:
            return OF_A_VICTIM
    return KINDS[kind]


def _any_of(*patterns: str, flags: int = 0) -> Callable[[str], Iterator[Span]]:
    """Return a rule that finds what any of the patterns finds: its part ``found`` if it has one."""
    compiled = [re.compile(pattern, flags) for pattern in patterns]

    def seek(text: str) -> Iterator[Span]:
        for pattern in compiled:
            for found in pattern.finditer(text):
                yield found.span("found") if "found" in pattern.groupindex else found.span()

    return seek


# ---------------------------------------------------------------- numbers

_ONES: Final = "one|two|three|four|five|six|seven|eight|nine"
_TEENS: Final = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_UNOS: Final = "una?|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve"
_DIECI: Final = "diez|once|doce|trece|catorce|quince|dieciséis|diecisiete|dieciocho|diecinueve|veinte|veinti[a-zéó]+"
_DECENAS: Final = "treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa"
_N: Final = (
    rf"\b(?:1[01]\d|[1-9]\d?|(?:{_TENS})(?:[ -](?:{_ONES}))?|{_ONES}|{_TEENS}"
    rf"|(?:{_DECENAS})(?:\sy\s(?:{_UNOS}))?|{_DIECI}|{_UNOS})\b(?![.,:/]?\d)(?!\s?%)"
)
_YEAR: Final = r"(?:19|20)\d{2}"
# A number of things is no number of a house, a room or a file: "40 households", "12 people".
_NO_PLURAL: Final = (
    "is|was|has|as|us|his|this|across|less|does|plus|perhaps|always|because|belongs|lives|wants|needs|says|asks"
    "|goes|owns"
    "|lists|shows|reads|sits|stands|stays|looks|comes|gets|gives|takes|makes|works|tells|thinks|feels|knows|hears|keeps"
    "|leaves|remains|expires|arrives|appears|moves|calls|sees|helps|uses|tras|es|más|después|además|antes"
)
_COUNTED: Final = (
    rf"(?!\s(?!(?:{_NO_PLURAL})\b)"
    r"(?:[a-z]+-)?(?:[a-zñáéíóú]+s|people|children|youth|women|men|staff|percent|new|more|other|nuev[ao]s?)\b)"
)

# ---------------------------------------------------------------- dates

_MONTHS_ES: Final = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_MONTH = (
    rf"(?:(?:{'|'.join(name[:3] for name in MONTH_NAMES)})[a-z]{{0,6}}\.?"
    rf"|{'|'.join(_MONTHS_ES)}|setiembre|(?:ene|abr|ago|dic)\b\.?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|º|o)?"
_OF = r"(?:\sdel?|,)?"
_DATES = tuple(
    re.compile(rf"(?<![\d/.-])(?:{form})(?![\d/-])", re.IGNORECASE)
    for form in (
        rf"(?P<year>{_YEAR})\s?([/.-])\s?(?P<month>\d{{1,2}})\s?\2\s?\d{{1,2}}",
        r"(?P<month>\d{1,2})\s?([/.-])\s?(?P<day>\d{1,2})\s?\2\s?(?P<year>\d{4})",
        r"(?P<month>\d{1,2})\s?([/-])\s?(?P<day>\d{1,2})\s?\2\s?(?P<year>\d{2})",
        rf"(?P<name>{_MONTH})\s{_DAY},?\s(?P<year>\d{{4}})",
        rf"{_DAY}\s(?:(?:of|de)\s)?(?P<name>{_MONTH}){_OF}\s(?P<year>\d{{4}})",
    )
)
_BORN = re.compile(
    r"\b(?:DOB|D\. ?O\. ?B|(?:date|day|year|month) of birth|birth ?-?(?:date|day|year)|b-day|born"
    r"|nacid[oa]|nació|nacimiento|cumpleaños)\b[^!?;]{0,25}?"
    rf"(?:\b\d{{1,4}}\s?[/.-]\s?\d{{1,2}}(?:\s?[/.-]\s?\d{{1,4}})?\b|\b{_MONTH}\s{_DAY}(?:,?\s\d{{4}})?\b"
    rf"|\b{_DAY}\s(?:(?:of|de)\s)?{_MONTH}\b(?:{_OF}\s\d{{4}})?|\b{_YEAR}\b)",
    re.IGNORECASE,
)


def _number_of(name: str) -> int:
    """Return the number of a month from the beginning of its name, in either language."""
    known = [*MONTH_NAMES, *_MONTHS_ES]
    return next(place for place, full in enumerate(known) if full[:3].lower() == name[:3].lower()) % 12 + 1


def _births(text: str, month: ReportMonth) -> Iterator[Span]:
    """Find what is called a birthday, and days so long ago that they are no day of this month's activities."""
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
                number = _number_of(name)
            else:
                number = min(int(part) for part in (parts["month"], parts.get("day") or "12"))
            beside = any(start < found.end() and found.start() < end for start, end in said)
            if (year, number) < (past.year, past.month) and year > month.year - 120 and not beside:
                yield found.span()


# ---------------------------------------------------------------- phone numbers, addresses of mail and accounts

_EMAIL: Final = (
    r"(?<![\w.%+'-])(?:[\w.%+'-]*\w ?@ ?\w[\w-]*(?:\.\w[\w-]*)+|[\w.%+'-]*\w@ ?\w[\w.-]*\w"
    r"|[\w.%+'-]*\w ?[(\[{] ?(?:at|arroba) ?[)\]}] ?\w[\w.-]*"
    r"|\w[\w.]* (?:at|arroba) \w+ (?:dot|punto) (?:com|org|net|gov|edu|us)\b|\w[\w.]* arroba \w+)"
)
_SECURITY: Final = (
    r"(?<![\d-])(?:\d{3}\s?([-.])\s?\d{2}\s?\1\s?\d{4}|\d{3} \d{2} \d{4})(?![\d-])",
    r"\b(?i:SSN|social security|seguro social)\b[^.!?;]{0,20}?\b\d[\d -]{2,}\d\b",
    r"\b(?:his|her|their|the|su|el) [Ss]ocial\b,?\s(?:number\s)?(?:ends|ending|is|starts|begins"
    r"|termina)\b[^.!?;\d]{0,12}\d{3,}",
)
# A number without area code has seven digits; what has more groups than this is a row of counts.
_LOCAL: Final = 7
_MOST_GROUPS: Final = 4
_LOCAL_PHONE = re.compile(r"[2-9]\d{2}([-. ]{1,3})(\d{4})")
# Where other digits stand right beside it, the library takes both together, and then neither.
_GROUPED_PHONE = re.compile(
    r"(?<!\d)(?:\+?1[-. ]{0,3})?\(?[2-9]\d{2}\)?[-./ ]{1,3}\d{3}[-. ]{1,3}\d{4}(?!\d)"
    r"|(?<!\d)\([2-9]\d{2}\)\d{3}[-. ]{0,3}\d{4}(?!\d)"
    r"|(?<!\d)[2-9]\d{9}(?!\d)|(?<![\d-])[2-9]\d{2}-\d{4}(?!\d)"
)
# Not the middle of a number: 202.311.0000.
_SERVICE_CODE = re.compile(r"(?<![\d-])(?<!\d\.)[2-9]-?1-?1(?!-?\d)(?!\.\d)")
_UNGROUPED_PHONE = re.compile(
    r"\b(?:call(?:ed)?|phone|text|tel|cell|mobile|dial|number|llam[ae]|celular|teléfono|marque)\b\W+(?:[a-z]+\W+){0,3}?"
    r"(?P<found>[2-9]\d{6})\b",
    re.IGNORECASE,
)
_FIGURE: Final = rf"(?:zero|oh|o|{_ONES}|cero|{_UNOS})"
_FIGURES: Final = rf"(?:(?:{_TENS})(?:[ -](?:{_ONES}))?|{_TEENS}|(?:{_DECENAS})(?:\sy\s(?:{_UNOS}))?|{_DIECI})"
_SPOKEN_PHONE = re.compile(
    rf"\b(?:(?:{_FIGURE}|{_FIGURES}|\d{{1,4}})\b(?:[\s,.-]{{1,3}}(?:dash |guion |guión )?(?=[\w])|$|(?=\W|$))){{4,}}",
    re.IGNORECASE,
)


def _phones(text: str) -> Iterator[Span]:
    """Find phone numbers of any country, and those of the United States also without area code.

    A number need not be in service: one that was mistyped, or is made up, belongs to somebody as well.
    """
    # Only where it is needed, which is not in every command.
    from phonenumbers import Leniency, PhoneNumberMatcher, is_valid_number

    others = [found.span() for pattern in (*_DATES, _SERVICE_CODE) for found in pattern.finditer(text)]
    others += [*_RULES[SECURITY](text), *_RULES[CASE](text), *_RULES[FILE](text)]
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
    found += [one.span() for one in _SPELLED_PHONE.finditer(text)]
    found += _spoken_phones(text)
    seen = list(_addresses(text))
    for start, end in sorted(found, key=lambda span: span[0] - span[1]):
        # Of what overlaps, the longest is the number.
        if not any(start < other_end and other_start < end for other_start, other_end in seen):
            seen.append((start, end))
            yield start, end


_SPELLED_PHONE = re.compile(r"(?<![\d.,-])\d(?:[-., ]{1,3}\d){6,}(?![\d])")


def _spoken_phones(text: str) -> Iterator[Span]:
    """Find seven digits or more, some written as words: "five oh five, 555 oh one two three"."""
    for found in _SPOKEN_PHONE.finditer(text):
        ones = re.findall(rf"\b{_FIGURE}\b", re.sub(_FIGURES, "", found[0], flags=re.IGNORECASE), re.IGNORECASE)
        pairs = re.findall(_FIGURES, found[0], re.IGNORECASE)
        digits = re.findall(r"\d", found[0])
        if len(ones) >= 2 and len(ones) + 2 * len(pairs) + len(digits) >= _LOCAL:
            yield found.start(), found.start() + len(found[0].rstrip(" ,.-"))


_NETWORKS: Final = (
    r"(?:[Ii]nstagram|IG|[Ii]nsta|[Ss]nap(?:chat)?|[Tt]ik ?[Tt]ok|[Ff]acebook|FB|[Tt]witter|[Dd]iscord|[Tt]elegram"
    r"|[Ww]hats[Aa]pp|[Tt]hreads|[Yy]ou[Tt]ube|[Mm]essenger|[Vv]enmo|[Cc]ash ?[Aa]pp)"
)
# A name with a digit, an underscore or a full stop in it is no word of a sentence.
_ACCOUNT: Final = r"(?=[\w.]*[\d_.][\w])(?=[\w.]*[a-z])[\w.]*[\w]"
_HANDLES: Final = (
    r"(?<![\w@.])@(?P<found>[A-Za-z_][\w.]*\w)",
    rf"\b{_NETWORKS}\b[^.!?;\d@]{{0,25}}?[\s:(\"'](?P<found>{_ACCOUNT})",
    r"\b(?i:handle|user ?name|screen name|usuario|account|profile|cuenta|perfil)\b"
    r"(?:\s(?:name|called|named|is|was|under|llamad[oa]|es|de usuario)){0,2}[\s:,(\"']{1,3}"
    rf"(?P<found>{_ACCOUNT})",
    r"\b(?i:handle|user ?name|screen name|usuario)\s(?:is|was|es|:)\s?[\"']?(?P<found>\w+)",
    rf"\b{_NETWORKS}\s?:\s?(?P<found>[a-z][a-z0-9]{{5,}})(?=\s?[.,;)]|$)",
    rf"\b(?P<found>{_ACCOUNT})(?=,?\s(?:on|en)\s{_NETWORKS}\b)",
    r"\b(?i:facebook|instagram|tiktok|snapchat|twitter|x|threads)\.com/(?:add/)?@?(?P<found>[\w.]*\w)",
)
# Accounts of offices and organizations are public.
_PUBLIC_ACCOUNT = re.compile(
    r"cabq|oneabq|albuquerque|police|sheriff|city|county|safety|community|health|hospital|school|library|council|mayor|"
    r"parks|program|center|official|news|gov|dept|coalition|foundation|nonprofit|^unm|^abqride|krqe|^kob|koat",
    re.IGNORECASE,
)


def _handles(text: str) -> Iterator[Span]:
    found: list[Span] = []
    for start, end in _any_of(*_HANDLES)(text):
        known = any(first < end and start < last for first, last in found)
        if not known and not _PUBLIC_ACCOUNT.search(text[start:end]):
            found.append((start, end))
    yield from found


# ---------------------------------------------------------------- numbers in papers

# From one of these words to its number is a short way, with words such as "number is" or "card reads" on it.
_WAY: Final = r"(?:[^.;!?\d$]|\b[Nn]o\.(?=\s?[\dA-Z#])|\b[Nn]úm\.){0,26}?"
_ID: Final = (
    r"(?:\b[A-Z]{1,4}[- ]?)?(?<![\d$.,])\d[\dA-Z]*(?:[- ]{1,2}(?:\d[\dA-Z]*|[A-Z]{1,3}\b(?=[- ]?\d)))*(?![\d.,/:]\d)"
)
_COURT_TYPE: Final = "CR|CV|DV|DM|JR|JQ|LR|FR|PB|SA|YR|VM|MR|DW|TR|PD"
_PAPERS = re.compile(
    r"\b(?i:case|incident|docket|warrant|citation|cad|cause|complaint|court|inmate|prisoner|preso|recluso|reo"
    r"|interno|offender|booking|jail|caso"
    r"|expediente|causa|citatorio|police report|reporte|report (?=no\.|number|#)|plates?|placas?|matrículas?|tags?"
    r"|vin)\b"
    rf"{_WAY}(?P<found>{_ID})"
)
_FILES = re.compile(
    r"\b(?i:driver'?s'? licen[sc]e|driving licen[sc]e|licen[sc]e|licencia|passport|pasaporte|visa|green card"
    r"|member(?:ship)?"
    r"|subscriber|policy|póliza|health plan|plan|insurance|seguro|aseguradora|medicaid|medicare|medical record|mrn"
    r"|blue cross|chart|patient|paciente|afiliad[oa]|afiliación|hospital|ebt|snap|client|cliente|student"
    r"|participant|account"
    r"|cuenta|identification|identificación|folio|id)\b(?:'s)?"
    rf"{_WAY}(?P<found>{_ID})"
)
_ANY_NUMBER = re.compile(rf"\b(?i:number|número|no\.|núm\.|id)\s?[:#]?\s?(?:(?:is|was|es)\s)?(?P<found>{_ID})")
_ANY_CASE: Final = (
    r"\b[A-Z]{1,2}-\d{3,4}-[A-Z]{2}-\d{2,4}-\d{3,6}\b|(?<![\d-])\d{2}-\d{7}(?![\d-])",
    rf"\b(?:[A-Z]{{1,2}}[- ]\d{{1,4}}[- ])?(?:{_COURT_TYPE})[- ]{_YEAR}[- ]\d{{3,6}}\b",
    r"\b(?i:case|incident|police report|docket|booking|warrant|citation|cad)\s?(?i:no\.?|nos\.|numbers?|#)\s?[:#]?\s?"
    r"(?=[A-Z-]*\d)[A-Z0-9][A-Z0-9-]{3,}\b",
    # The marks of a plate stand in groups or one by one; letters and digits are mixed.
    r"\b(?i:plates?|tags?|placas?|matrículas?)\b(?:[^.;!?\d]{0,24}?[\s:#])(?=[A-Z0-9 -]*[A-Z])(?=[A-Z -]*\d)"
    r"(?P<found>(?:[A-Z0-9]\s){4,7}[A-Z0-9]|[A-Z0-9]{1,4}[- ]?[A-Z0-9]{2,5})\b",
    r"\b(?i:plates?|placas?)\b(?:\s(?:number|is|was|son|es))?[\s:#,]{1,2}(?P<found>[a-z]{2,4}[- ]?\d{3,4})\b",
)
_FEWEST_DIGITS: Final = 5


def _numbered(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Span]]:
    """Return a rule that finds the numbers of a pattern that have many digits and count nothing."""
    counted = re.compile(_COUNTED)

    def seek(text: str) -> Iterator[Span]:
        for found in pattern.finditer(text):
            number = found["found"].strip()
            is_date = re.fullmatch(
                rf"{_YEAR}-\d{{1,2}}(?:-\d{{1,2}})?|(?:0?[1-9]|[12]\d|3[01])-(?:0?[1-9]|[12]\d|3[01])-(?:\d\d)?\d\d"
                rf"|{_YEAR}-{_YEAR}",
                number,
            )
            if len(re.findall(r"\d", number)) >= _FEWEST_DIGITS and not is_date and counted.match(text, found.end()):
                yield found.start(), found.end()

    return seek


def _files(text: str) -> Iterator[Span]:
    found = [*_numbered(_FILES)(text)]
    yield from found
    for start, end in _numbered(_ANY_NUMBER)(text):
        if not any(first < end and start < last for first, last in found):
            yield start, end


def _cases(text: str) -> Iterator[Span]:
    found = [*_any_of(*_ANY_CASE)(text)]
    yield from found
    for start, end in _numbered(_PAPERS)(text):
        if not any(first < end and start < last for first, last in found):
            yield start, end


# ---------------------------------------------------------------- where somebody lives, lies or learns

_SUFFIX: Final = (
    "Street|St|Avenue|Ave|Av|Boulevard|Blvd|Road|Rd|Drive|Dr|Lane|Ln|Court|Ct|Place|Pl|Way|Circle|Cir|Trail|Trl|Tr"
    "|Parkway|Pkwy|Highway|Hwy|Loop|Terrace|Ter|Alley|Plaza|Square|Sq|Freeway|Frontage"
)
_QUADRANT: Final = r"(?:N\.?E|N\.?W|S\.?E|S\.?W|Northeast|Northwest|Southeast|Southwest)\b"
_HOUSE: Final = r"(?<![\d$.,:/-])\d{1,5}(?:-?[A-Za-z]\b)?(?:-\d{1,4}|\s1/2)?,?\s"
_HEADED: Final = r"(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\b\.?\s)?"
_ARTICLES: Final = r"(?:(?:de|del|la|las|los|el)\s){0,2}"
_PART: Final = rf"{_ARTICLES}(?=[^a-z])(?:[^\W\d_][\w'.-]*|\d{{1,3}}(?:st|nd|rd|th))\s"
_CALLE: Final = r"(?i:calle|avenida|av\.|camino|paseo|vía|bulevar|boulevard|callejón|privada|calzada|carretera)"
_MARKED: Final = r"(?i:no\.?|number|num\.?|número|núm\.?|nº|house|casa|#)\s?#?\s?"
# After a street: a number with "number" before it, or one that ends the clause and is no year.
_ENDS: Final = (
    r"(?=\s?[.,;:)!?]|$|\s(?:in|on|at|near|and|with|by|is|was|since|for|last|where|when|after|before|y|en|con|desde"
    r"|donde)\b)"
)
_AFTER_STREET: Final = (
    rf"(?:,?\s{_MARKED}\d{{1,5}}-?[A-Z]?\b|[^.;\d]{{1,30}}\s(?i:number|número)\s\d{{1,5}}\b"
    rf"|,?\s(?!{_YEAR}\b)\d{{3,5}}\b{_ENDS})"
)
_NO_STREET: Final = (
    rf"(?!(?:{_MONTH}|American|Hispanic|Native|Custom|Spanish|English|Albuquerque|Mexican|African|Asian|Latino|Latina"
    r"|Black|White|Peer|Christmas|Thanksgiving|Section|Medicaid)\b)"
)
_A_STREET: Final = rf"{_NO_STREET}{_ARTICLES}[A-ZÁÉÍÓÚÑ][a-záéíóúñ'.]+(?:\s[A-ZÁÉÍÓÚÑ][a-záéíóúñ'.]+){{0,2}}\b"
_LIVES: Final = (
    r"\b(?:place|lives?|lived|living|stays?|stayed|staying|resid(?:es?|ing)|moved?|home|house|residence|address"
    r"|apartment"
    r"|vive[ns]?"
    r"|vivía|vivimos|casa|domicilio|dirección|mudó)\b"
)
_IN_A_STREET: Final = (
    rf"\b(?i:lives?|living|vive[ns]?|vivimos|vivía)\s(?:en|on|in)\s(?P<found>{_A_STREET}\s(?!{_YEAR}\b)\d{{2,5}}\b)"
)
_ADDRESS: Final = (
    rf"{_HOUSE}{_HEADED}(?:{_PART}){{1,4}}(?:{_SUFFIX})\b\.?(?:\s{_QUADRANT})?",
    rf"{_HOUSE}{_HEADED}(?:{_PART}){{1,4}}{_QUADRANT}",
    rf"{_HOUSE}{_HEADED}(?:Calle|Camino|Avenida|Paseo|Via|Vista|Highway|Hwy|Route|County Road|US|NM)\s"
    rf"{_ARTICLES}[A-Z0-9][\w'-]*",
    r"(?<![\d$.,:/-])\d{2,5} [a-z]{3,} (?:st|ave|blvd|rd|dr|ln|ct|pl)\b(?:\.| (?:ne|nw|se|sw)\b)?",
    r"(?<![\d$.,:/-])\d{2,5} [a-z]{3,} (?:street|avenue|boulevard|road|drive|lane|court|place)\b(?: (?:ne|nw|se"
    r"|sw)\b)?",
    rf"(?:{_PART}){{1,3}}(?:{_SUFFIX})\b\.?(?:\s{_QUADRANT})?{_AFTER_STREET}",
    rf"\b{_CALLE}\s{_ARTICLES}[A-ZÁÉÍÓÚÑ][\w'-]+(?:\s[A-ZÁÉÍÓÚÑ][\w'-]+){{0,2}}{_AFTER_STREET}",
    rf"(?<!cuadra )(?<!bloque )(?<![\d$.,:/-])\b(?!{_YEAR}\b)\d{{1,5}}\s(?:de|en|sobre)\s(?:la\s"
    rf"|el\s)?{_CALLE}\s{_ARTICLES}[A-ZÁÉÍÓÚÑ]\w+",
    _IN_A_STREET,
    # Without the kind of street: where "at" or "is" stands before it.
    rf"(?:\b(?:at|to|of|from|is|was|in|on|by|outside|inside|behind|near|past|en|es|frente al?)\s|[,:(]\s?)"
    rf"(?P<found>(?!{_YEAR}\b)\d{{3,5}}\s{_HEADED}{_A_STREET})(?!\s[A-Z]){_COUNTED}",
    rf"(?i:{_LIVES})\W{{1,3}}(?:\w+\W){{0,3}}?(?P<found>(?!{_YEAR}\b)\d{{2,5}}{_COUNTED}\s(?!blocks?\b|de\b"
    rf"|en\b)[^\W\d_]{{3,}})",
)
_HOME_ID: Final = r"(?:\d{1,4}(?:-?[A-Z])?|[A-Z]-?\d{0,4})\b(?![.,]?\d)"
_NUMBER_IS: Final = r"\.?,?\s(?:(?:is|es)\s(?:the\s|el\s)?)?(?i:number|no\.?|número|núm\.?|#)?\s?#?\s?"
_UNIT: Final = (
    rf"\b(?i:apartment|apt|apartamento|depto|departamento|dpto|unit|unidad|trailer|tráiler|building|bldg|edificio)"
    rf"{_NUMBER_IS}{_HOME_ID}{_COUNTED}",
    rf"\b(?<!a )(?i:space|lot|espacio|lote)\s(?i:number|no\.?|número|#)?\s?#?\s?\d{{1,4}}[A-Z]?\b{_COUNTED}",
    r"\b(?i:apt|apartment|unit)\b\.?\s?#\s?\w+|\b[Aa]pt\.\s?\w*\d\w*",
    r"\b(?i:p\.?\s?o\.?|post\s?office|postal)\s?(?i:box)\s?#?\s?(?i:no\.?|number)?\s?\d+",
    r"\b(?i:apartado|apdo\.?|casilla)\s(?i:postal|de correos)?\s?(?i:#|número|no\.?|núm\.?)?\s?\d+",
)
# "In 2023 Main Street SE …": a year, and no house number.
_WHEN = re.compile(rf"(?:\b(?:in|since|during|{_MONTH}|\d,)\s)$", re.IGNORECASE)


def _addresses(text: str) -> Iterator[Span]:
    found: list[Span] = []
    for start, end in _any_of(*_ADDRESS, *_UNIT)(text):
        is_year = re.match(_YEAR + r"\s", text[start:end]) and _WHEN.search(text[:start])
        if not is_year and not any(first < end and start < last for first, last in found):
            found.append((start, end))
    yield from found


_ROOM = re.compile(
    rf"\b(?i:room|rm|cuarto|habitación|sala)\.?\s(?i:number|no\.?|número"
    rf"|#)?\s?#?\s?\d{{1,4}}-?[A-Z]?\b(?![.,:]?\d){_COUNTED}"
)
_LODGING = re.compile(
    r"\b(?:Lodge|Motel|Inn|Hotel|Suites|Apartments|Apartamentos)\b\W{1,3}(?i:(?:number|room|no\.?|número|cuarto)\s"
    r"|#\s?)\d{1,4}\b"
)
_BED = re.compile(
    rf"\b(?i:bed|cama|cell|celda)\s(?i:number|no\.?|número|#)?\s?#?\s?(?:\d{{1,4}}-?[A-Z]?"
    rf"|[A-Z])\b(?![.,:]?\d){_COUNTED}"
)
_MEETING = re.compile(
    r"\b(?:meetings?|met|meets?|workshops?|class(?:es)?|trainings?|held|events?|library|community center|court"
    r"|office|church|opened|conference"
    r"|reunión|reuniones|taller(?:es)?|clases?|biblioteca|centro comunitario|city hall)\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(
    r"\b(?:hospital|unmh?|icu|patient|motel|hotel|shelter|recover\w*|he|she|his|her|him|visit\w*|client|paciente|él"
    r"|ella"
    r"|albergue|se recupera)\b",
    re.IGNORECASE,
)


def _rooms(text: str) -> Iterator[Span]:
    for pattern in (_BED, _LODGING):
        yield from (found.span() for found in pattern.finditer(text))
    for start, end in _sentences(text):
        # A room in which people meet is public.
        if not _MEETING.search(text, start, end) or _SOMEBODY.search(text, start, end):
            yield from (found.span() for found in _ROOM.finditer(text, start, end))


_ORDINAL: Final = (
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\d{1,2}(?:st|nd|rd|th))"
)
_GRADO: Final = r"(?:primer|segundo|tercer|cuarto|quinto|sexto|séptimo|octavo|noveno)"
_ONES_OWN: Final = r"(?:mother|father|woman|man|client|victim|family|couple|sister|brother)'s"
_CHILD = re.compile(
    # Of one person; "their children" are those of many families.
    rf"\b(?:(?:his|her|my|whose|{_ONES_OWN})\s(?:[\w'-]+\s){{0,2}}?(?:sons|daughters|children|kids|nephews|nieces"
    r"|brothers|sisters|twins)\b(?!')|(?:he|she|who)\s(?:now\s|also\s)?attends\b"
    rf"|(?:(?:a|an|one|the|this|that|his|her|my|our|their|whose|{_ONES_OWN})\s(?:[\w'-]+\s){{0,2}}?"
    r"(?:son|daughter|child|kid|boy|girl|student|pupil|freshman|sophomore|teen(?:ager)?|nephew|niece|grandson"
    r"|grandchild"
    rf"|granddaughter|brother|sister|cousin|year-old)|(?:{_ORDINAL}|\w+)\s?-?grader|kindergartner"
    rf"|in (?:the )?{_ORDINAL} grade)"
    # Not "a student group", "the child care center".
    r"(?=[,.;:)]|\s?\(|$|\s(?:at|of|from|in|who|whose|that|is|was|attends|attended|goes|told|said|saw|lost|had|has|and"
    r"|with|to"
    r"|did|will|would|hid|came|went|got|\w+ed)\b))"
    r"|\b(?:(?:un|una|el|la|su|mi|nuestr[oa])\s(?:[\w-]+\s){0,2}?(?:hij[oa]|niñ[oa]|estudiante|alumn[oa]|sobrin[oa]"
    r"|niet[oa]"
    rf"|herman[oa]|herman(?:ito|ita)|primo|prima|menor|muchach[oa]|chic[oa]|joven)|en (?:el )?{_GRADO}\s(?:grado"
    rf"|año))\b",
    re.IGNORECASE,
)
_SCHOOL = re.compile(
    r"(?<![\w'])(?:[A-Z][\w'.-]+\s){1,4}(?:Elementary|Middle|High|Academy|Charter|School|Preschool|Mid-School"
    r"|Montessori)\b"
    r"(?:\sSchool)?"
    r"|\b(?i:escuela|primaria|secundaria|preparatoria|prepa|kínder|colegio|academia)\s"
    r"(?:(?i:primaria|secundaria|preparatoria|elemental|media|de|del|la|el|los"
    r"|las)\s){0,3}[A-ZÁÉÍÓÚÑ]\w+(?:\s[A-ZÁÉÍÓÚÑ]\w+)*"
)
_IN_GRADE = re.compile(rf"\b{_ORDINAL}[ -]grade|\b{_GRADO}\s(?:grado|año)", re.IGNORECASE)
_GOES_TO = re.compile(
    r"\b(?:goes to|attends|enrolled at|a student at|studies at|va a|asiste a|estudia en|(?:student|estudiante"
    r"|alumn[oa]|pupil)\s(?:at|de|del|en))\s(?!Albuquerque|New |Nuevo|M[eé]xico|UNM|CNM|APS)(?:la\s"
    r"|el\s)?[A-ZÁÉÍÓÚÑ]\w+(?:\s[A-ZÁÉÍÓÚÑ]\w+)*"
)
# So near to each other a child and a school belong together.
_TOGETHER: Final = 90


def _schools(text: str) -> Iterator[Span]:
    for start, end in _sentences(text):
        children = [found.span() for found in _CHILD.finditer(text, start, end)]
        schools = [found.span() for found in _SCHOOL.finditer(text, start, end)]
        if _IN_GRADE.search(text, start, end) or children:
            schools += [found.span() for found in _GOES_TO.finditer(text, start, end)]
        near = [
            (min(first, begin), max(last, stop))
            for first, last in children
            for begin, stop in schools
            if max(begin - last, first - stop) <= _TOGETHER and not (begin <= first < stop)
        ]
        if near:
            yield min(near, key=lambda span: span[1] - span[0])


# ---------------------------------------------------------------- names near an age or a crime

_YEARS_OLD: Final = r"\s?-?\s?(?:years?|yrs?\.?|months?|weeks?)\s?-?\s?olds?\b|\s?y/?\.?o\.?/?a?\b|\saños\b"
_AGE_AFTER = re.compile(
    rf",?\s?\(\s?(?:ages?:?\s|aged\s|edad:?\s)?{_N}(?:{_YEARS_OLD})?\s?\)"
    rf"|\s?(?:,|-)\s?(?:(?:both|now|then|just|only)\s)?{_N}(?=\s?(?:[,.;:)!?-]|$)|\s(?:and|or|from|who|was|were|is"
    rf"|has|had"
    rf"|died|said|told|faces|y|de|of\sAlbuquerque)\b)(?!\saños\sde\s(?:prisión|cárcel|experiencia))"
    rf"|(?:,|\s)\s?(?:(?:who|whose|was|is|were|are|now|then|just|only|turned|both|a|an|the|de|tiene)\s){{0,3}}"
    rf"(?:(?:ages?|aged|edad)\b(?:\sis)?[: ]\s?{_N}|{_N}(?:{_YEARS_OLD}))"
    rf"|\s(?:has\s|had\s|just\s)?turn(?:ed|s|ing)\s{_N}",
    re.IGNORECASE,
)
_AGE_BEFORE = re.compile(rf"{_N}(?:{_YEARS_OLD})[^.!?;]{{0,30}}$|\bage[sd]?:?\s?{_N}\W{{1,4}}$", re.IGNORECASE)
# What is an age wherever it stands. Several people of an age are nobody: "ages 14 to 16", "12-year-olds".
_BARELY: Final = (
    r"(?:only|just|now|already|barely|about|almost|nearly|still|around|not|yet|even|to|turn|going|on|pushing|apenas"
    r"|casi|ya)"
)
_AGE = re.compile(
    rf"{_N}(?:\s?-?\s?(?:years?|yrs?\.?|months?)\s?-?\s?old\b(?!s)|\s?y/?\.?o\.?/?a?\b)"
    rf"|\b(?:aged?|edad:?(?:\sde)?)\s{_N}(?!\s?(?:to|through|and|or|a|y|o|-)\s?\d)"
    rf"|\b(?:de|tiene|tenía|con|cumpl\w+|sus|los|apenas|solo|sólo)\s{_N}\saños\b(?!\sde\s(?:prisión|cárcel"
    rf"|experiencia))"
    rf"|\bcumpl(?:ió|e|irá|iría|ir|ía)\s(?:los\s)?{_N}\b"
    rf"|\b(?:is|was|were|turn(?:s|ed|ing)?|be|been|he's|she's)\s(?:{_BARELY}\s){{0,3}}{_N}"
    r"(?=\s?(?:[,.;:)!?]|$)|\s(?:and|now|in|on|this|last|the|when|but|today|yesterday|years)\b)"
    rf"|\b(?:at|a los|a sus)\s(?:only\s|just\s|barely\s|the age of\s|apenas\s)*{_N}(?=\s?,|\saños)"
    rf"|\b(?:\d{{1,2}}(?:st|nd|rd|th)|{_ORDINAL}|\w+teenth|\w+tieth|twenty-\w+)\sbirthday|\bcumpleaños\snúmero\s{_N}"
    rf"|^\s?age\s{_N}",
    re.IGNORECASE,
)
# Of police, courts and prisons; what people do to each other; and the same in Spanish.
_CRIMES: Final = (
    r"charged|indict(?:ed|ment)|convict(?:ed|ion|s)?|arrest(?:ed|s|ing)?|arraigned|sentenced|accused|accomplice"
    r"|acquitted",
    r"plead(?:ed|s|ing)?|pled|no contest|confess(?:ed|es)|admitted (?:that|to|he|she)|allegedly|booked|detained"
    r"|detention",
    r"jailed|imprisoned|incarcerated|locked up|behind bars|(?:in|to|from) (?:jail|prison)|inmate|ankle monitor",
    r"held (?:at|without|on)|wanted (?:for|in|on|by)|suspect(?:s|ed)?|defendants?|perpetrators?|shooter|murderer|felon",
    r"fugitive|guilty|in custody|warrants?|restraining order|(?<!free of )(?<!in )(?<!no )charges?",
    r"(?:on|out on) (?:trial|probation|parole|bail|bond)|(?:violated|broke) (?:\w+ )?(?:parole|probation)",
    r"(?:his|her|whose|their) (?:\w+ ){0,2}(?:trial|probation|parole|conviction)|whose (?:\w+ ){0,3}case",
    r"(?:facing|faces|faced|awaiting|awaits) (?:\w+ ){0,3}(?:trial|prison|years|court)|did (?:\w+ )?time",
    r"served? (?:\w+ ){0,2}(?:time|years|months|prison)|gang member|drug (?:dealer|dealing|charges)|drunk driving",
    r"shot|stabb(?:ed|ing)|killed|killing|murder(?:ed)?|robbed|robbing|robbery|stole|steal(?:s|ing)?|raped"
    r"|strangled|choked",
    r"assault(?:ed|ing)?|kidnapp(?:ed|ing)|molested|carjack(?:ed|ing)|shoplift(?:ed|ing)|burglar(?:y|ies|ized)"
    r"|beaten|beat up",
    r"attacked|threaten(?:ed|s)|homicide|manslaughter|larceny|arson|battery|fraud|forgery|vandalism|hit-and-run|DWI"
    r"|DUI",
    r"felony|misdemeanor|trafficking|(?:dealing|selling|sold) (?:drugs|fentanyl|meth|heroin|cocaine)|possession of",
    r"fired (?:back|at|a gun|shots)|opened fire|(?:pulled|pull) the trigger|gunshot|wounded",
    r"stolen|shots|bullets?|gunfire|(?:the|a|his|her) (?:gun|pistol|rifle|knife|weapon)|(?:had )?taken the car"
    r"|caught with",
    r"police (?:believe|say|said|think|want|seek|found)|(?:from|by|to) (?:the )?police|the victim"
    r"|witness(?:es)? saw|crime scene",
    r"(?:to|in|before) (?:the )?(?:court|judge)|court (?:records|date|case)|hearing|prosecutors?",
    r"acus\w+|arrest[aóoe]\w*|detenid[oa]s?|detuv\w+|detien\w+|conden\w+|sentenciad[oa]|imputad[oa]s?|imputan?"
    r"|sospechos[oa]s?",
    r"culpables?|pres[oa]s? por|(?:está|sigue|estuvo) pres[oa]|prisión|cárcel|encarcelad[oa]|prófug[oa]|fugitiv[oa]"
    r"|enfrenta",
    r"cargos? (?:por|de|penales)|libertad condicional|juicio|fianza|orden de (?:arresto|aprehensión)"
    r"|la policía (?:lo |la )?busca",
    r"busca(?:da|do)? por|robó|robo|mató|asesin\w+|homicidio|disparó|apuñal\w+|asalt[oó]\w*|agresión|agredi\w+"
    r"|amenaz(?:ó|ado|ada)",
    r"golpeó|violó|fraude|narcotráfico|vend(?:e|ía|ió) drogas?|pandiller[oa]|baleado|baleada|balearon|a tiros"
    r"|herid[oa] de bala",
    r"set fire|broke in(?:to)?|break-in|punched|slapped|ran over|trespass\w*|stalk(?:ed|ing)|harass(?:ed|ing)"
    r"|abus(?:ed|er)",
    r"rapist|killer|thief|overdosed|jury|gang|señalad[oa] (?:como|por)|secuestr\w+|pandillas?|por drogas|cómplice"
    r"|ladrón",
    r"ladrona|incendió|jurado|tribunal|la corte|fiscalía|delitos?|pistola|disparos|balazos?|la víctima|tiroteo"
    r"|robad[oa]s?",
)
_CHARGE = re.compile(rf"\b(?:{'|'.join(_CRIMES)})\b", re.IGNORECASE)
# A crime that is a subject of work and no deed of somebody: "a training on sexual assault", "homicide victims".
_AS_A_SUBJECT = re.compile(
    r"\b(?:about|against|on|prevent\w*|survivors? of|victims? of|famil\w+ of|affected by|reduce|stop|domestic"
    r"|sexual|sobre|contra"
    r"|víctimas? de|sobrevivientes? de|familias? de)\s(?:\w+\s)?$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\s(?:victims?|survivors?|families|prevention|awareness|reviews?|detectives?|unit|cases|rates?)\b", re.IGNORECASE
)
_HARMED: Final = (
    r"(?:shot|killed|murdered|stabbed|robbed|raped|strangled|choked|assaulted|kidnapped|molested|carjacked|beaten|attacked"
    r"|threatened|wounded|injured|slain|hurt)"
)
# Somebody to whom it was done: "was shot", ", killed on Tuesday", "the family of".
_VICTIM = re.compile(
    rf"\b(?:was|were|been|being|got|is|are)\s(?:\w+ly\s|also\s)?{_HARMED}\b|,\s(?:\w+ly\s)?{_HARMED}\s(?:on|in|by|at"
    r"|last|near|when|during|outside)\b"
    r"|\b(?:victims?|survivors?|grieving|funeral|vigil|memorial|mourn\w*|in memory of|the late|death of"
    r"|murder of|killing of|shooting of|homicide of|lost (?:his|her|their))\b"
    r"|\b(?:family|families|mother|father|parents|sister|brother|widow|wife|husband|relatives|loved ones) of\b"
    r"|\b(?:asesinad|balead|apuñalad|agredid|herid|atacad|golpead|asaltad|secuestrad)[oa]s?\b|\bmataron a\b"
    r"|\bvíctimas?\b|\bla (?:familia|madre|muerte) de\b|\bel padre de\b|\bvelorio\b",
    re.IGNORECASE,
)
# "Jose Martinez shot", with nothing between.
_DID = re.compile(rf"[A-ZÁÉÍÓÚÑ][\w'-]+\s{_HARMED}$")
# Somebody who is said to have done it.
_OFFENDER = re.compile(
    r"\b(?:charged|indict\w*|convict\w*|arrest\w*|arraign\w*|sentenced|accused|accomplice|plead\w*|pled|confess\w*"
    r"|suspect\w*|defendant\w*|perpetrator\w*|shooter|murderer|killer|felon|fugitive|guilty|in custody|warrants?|wanted"
    r"|probation|parole|inmate|jail\w*|prison\w*|incarcerated|booked|detained|gang|acus\w+|detenid\w*|conden\w+"
    r"|sentenciad\w*|imputad\w*|sospechos\w*|culpables?|pres[oa]|cárcel|prisión)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"(?<!\b\w)(?<!\b[JSMD]r)(?<!\bMrs)(?<!\bMs)(?<!\bSt)(?<!\b[LS]t)(?<!\bSgt)(?<!\bRm)(?<!\bNo)(?<!\bApt)(?<!\bBldg)(?<!\bSra)[.!?]['\")]?\s(?=\S)"
)
# What begins so goes on with the person of the sentence before.
_GOES_ON = re.compile(r"(?:He|She|They|His|Her|Their|Age|Él|Ella|Su|Tiene|Tenía|Cumpli\w+|Es|Fue)\b")
# An age right before a name begins no further from it than this.
_NEAR: Final = 80
# As far from a name as this, a crime of the same sentence belongs to it.
_BESIDE: Final = 110


def _sentences(text: str, joined: bool = False) -> Iterator[Span]:
    """Return each sentence; ``joined`` with those after it that go on about the same person."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    starts = [0, *(end for end in ends if not (joined and _GOES_ON.match(text, end)))]
    yield from zip(starts, [*starts[1:], len(text)], strict=True)


# A single name that is in no list: beside an age that is called one.
_NAME_AND_AGE = re.compile(
    r"(?<=[a-zñ,] )(?<!\bin )(?<!\bto )(?<!\bat )(?<!\bon )(?<!\ben )(?<!from )(?<!near"
    r" )(?P<name>[A-ZÁÉÍÓÚÑ][a-záéíóúñü]+)"
    rf"(?:,?\s\(?(?:who|she|he|que|ella|él)\s(?:is|was|has turned|turned|tiene"
    rf"|tenía)\s(?:{_BARELY}\s){{0,2}}{_N}(?!\s?%)"
    rf"|,\s{_N}(?=,\s|\.)|,?\s\(?aged?\s{_N}|\sis\s{_N}\syears|,?\s(?:a\s|una?\s\w+\s)?(?:de\s)?{_N}(?:{_YEARS_OLD}))"
    rf"|^(?P<first>[A-ZÁÉÍÓÚÑ][a-záéíóúñü]+)\s?(?:\((?:she|he|who|ella|él)\s|,\swho\s)(?:is|was|tiene)\s{_N}\b"
)


def _ages(text: str) -> Iterator[Span]:
    names = people(text)
    passages = list(_sentences(text, joined=True))
    for start, end in names:
        if after := _AGE_AFTER.match(text, end):
            yield start, after.end()
        elif before := _AGE_BEFORE.search(text, max(start - _NEAR, 0), start):
            yield before.start(), end
        elif not has_an_office(text, (start, end)):
            yield from _far_age(text, (start, end), next(one for one in passages if one[0] <= start < one[1]))
    for found in _NAME_AND_AGE.finditer(text):
        is_known = any(start < found.end() and found.start() < end for start, end in names)
        if not is_known and can_be_a_name(found["name"] or found["first"]):
            yield found.span()


def _far_age(text: str, name: Span, passage: Span) -> Iterator[Span]:
    """Find an age that belongs to a name: in its sentence, or in one that goes on about the same person."""
    ages = [found.span() for found in _AGE.finditer(text, *passage)]
    if ages:
        first, last = min(ages, key=lambda age: max(name[0] - age[1], age[0] - name[1]))
        yield min(name[0], first), max(name[1], last)


def _charges(text: str) -> Iterator[Span]:
    charges = [
        found.span()
        for found in _CHARGE.finditer(text)
        if not _AS_A_SUBJECT.search(text, 0, found.start()) and not _SUBJECT.match(text, found.end())
    ]
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    for start, end in people(text) if charges else ():
        if has_an_office(text, (start, end)):
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


_RULES: Final[dict[str, Callable[[str], Iterator[Span]]]] = {
    PHONE: _phones,
    EMAIL: _any_of(_EMAIL, flags=re.IGNORECASE),
    HANDLE: _handles,
    SECURITY: _any_of(*_SECURITY),
    CASE: _cases,
    FILE: _files,
    ADDRESS: _addresses,
    ROOM: _rooms,
    SCHOOL: _schools,
    AGE: _ages,
    CHARGE: _charges,
    UNWRITTEN: _any_of(re.escape(TO_WRITE)),
}
