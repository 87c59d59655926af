"""What each column of an export is for: the id, the day, a category, a count, or nothing that a report needs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from viputils.config.program import heading_key
from viputils.core.text import plural
from viputils.intake.columns import count, whole_number
from viputils.records.values import CODE
from viputils.setup.profile import FEW, ColumnProfile, TableProfile

Role = Literal["date", "category", "count", "flag", "code", "left out"]

_ID_WORDS: Final = {"id", "no", "num", "number", "nbr", "key", "case", "incident", "report", "ref", "code", "dr"}
# Row numbers of an export. They can differ in the next one.
_ROW_NUMBERS: Final = {"objectid", "object id", "fid", "oid", "index", "id", "row", "row id", "cartodb id", "unnamed 0"}
_COUNT_WORDS: Final = {
    *("count", "counts", "qty", "quantity", "victims", "adults", "children", "people", "persons", "wounded", "injured"),
    *(
        "killed",
        "served",
        "assisted",
        "participants",
        "referrals",
        "cantidad",
        "victimas",
        "adultos",
        "menores",
        "ninos",
    ),
}
# These count something only with "of": number of calls.
_COUNT_OF: Final = {"number", "num", "no", "total", "sum", "numero"}
_CODE_WORDS: Final = {
    *("district", "beat", "precinct", "ward", "zone", "sector", "area", "division", "psa", "zip", "zipcode", "type"),
    *("code", "category", "council", "region", "police", "dist", "command", "status"),
}
# A heading with such a word, or with one of the second kind beside one of the third, names codes of records or people.
_CODES: Final = {"id", "ids", "uuid", "guid", "key"}
_NUMBERS: Final = {"no", "number", "num", "nbr"}
_OF_RECORDS: Final = {
    *("case", "incident", "report", "ref", "reference", "dr", "complaint", "client", "person", "victim", "participant"),
    *("contact", "file", "record", "badge", "officer", "event", "candidate", "arrest", "booking", "call"),
}
_OF_THE_DATE: Final = {"year", "month", "day", "hour", "quarter", "weekday", "day of week", "month name", "time"}
# Who a column can be about, and what makes it about something else than who that is.
_PERSON: Final = {
    *("victim", "suspect", "officer", "person", "client", "participant", "offender", "arrestee", "mother", "father"),
    *("guardian", "family", "contact", "patient", "candidate", "worker", "staff", "caseworker", "employee", "user"),
    *("analyst", "alias", "nickname", "aka", "initials", "initial", "mi", "sid", "mrn", "author", "investigator"),
    *("victima", "sospechoso", "oficial", "persona", "cliente", "participante", "familia", "trabajador", "empleado"),
    *("first", "last", "full", "middle", "sur", "given", "iniciales", "apodo"),
}
_NOT_WHO: Final = {
    *(
        "type",
        "kind",
        "count",
        "number",
        "group",
        "status",
        "outcome",
        "category",
        "present",
        "fatal",
        "multi",
        "method",
    ),
    *("relationship", "injury", "role", "source", "reason", "date", "result", "level", "tipo", "estado", "resultado"),
}
_PERSONAL: Final = {
    word: what
    for what, words in {
        "a name": "surname firstname lastname fullname nombre apellido apellidos",
        "a day of birth": "dob birth birthdate birthday born nacimiento",
        "an address": "address street block addr direccion residence intersection domicilio calle vivienda",
        "a place": "latitude longitude lat lon lng long geo geom point coordinates x y location geolocation geometry",
        "how to reach a person": "phone telephone email mail cell telefono correo celular",
        "a number of a person": "ssn social passport license plate vin",
        "what a person is like": "age sex gender race ethnicity latino edad sexo raza",
        "free text": "narrative notes remarks comments description summary notas comentarios observaciones descripcion",
    }.items()
    for word in words.split()
}
_GOOD_DATES: Final = {
    *("occurred", "occurrence", "incident", "shooting", "event", "offense", "crime", "response", "service", "contact"),
    *("visit", "encounter", "homicide", "assault", "incidente", "ocurrencia", "hecho", "evento", "suceso"),
}
_BAD_DATES: Final = {
    *("reported", "report", "entered", "entry", "updated", "update", "modified", "created", "closed", "birth", "dob"),
    *("printed", "exported", "loaded", "load", "edited", "arrest", "last", "received", "sent", "due", "expires"),
    *("reporte", "reportado", "actualizado", "registro", "creado", "cerrado", "captura"),
}
_LONGEST_VALUE: Final = 80
# With more different texts, spellings do not matter any more.
_MANY: Final = 1_000
_FLAGS: Final = {"yes", "y", "true", "no", "n", "false"}
_EMAIL: Final = re.compile(r"\S+@\S+\.\S+")


@dataclass(frozen=True)
class Column:
    """A column of a table, as it was understood.

    Attributes
    ----------
    name
        Its name in program.toml.
    role
        What it is for.
    seen
        What was seen, and what else it could be. It becomes a comment.
    values
        The values of a category with their spellings, the most frequent first.
    required
        Whether every row has a value.
    """

    name: str
    heading: str
    role: Role
    seen: str
    values: Mapping[str, list[str]]
    required: bool


def words_of(heading: str) -> list[str]:
    """Return the words of a heading in small letters without accents, also of ``IncidentDate``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading).replace("_", " ")
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", parted) if not unicodedata.combining(letter))
    return heading_key(plain).split()


def name_of(heading: str, taken: Collection[str] = ()) -> str:
    """Return a name for a heading that program.toml accepts and that is not taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", "_".join(words_of(heading)).casefold()).strip("_")
    name = plain if re.match(r"[a-z]", plain) else f"column_{plain}".rstrip("_")
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def date_column(table: TableProfile) -> ColumnProfile | None:
    """Return the column that most likely has the day of the event, or None without a column of dates."""
    dates = [one for one in table.columns if one.is_date and 2 * one.filled >= one.rows and not _personal(one)]

    def fit(column: ColumnProfile) -> int:
        words = set(words_of(column.heading))
        return 2 * bool(words & _GOOD_DATES) + (words == {"date"}) - 3 * bool(words & _BAD_DATES)

    return max(dates, key=fit, default=None)


def id_column(table: TableProfile, date: ColumnProfile | None) -> ColumnProfile | None:
    """Return the column that most likely has the id of a record or of an event, or None if there is none."""
    found = [one for one in table.columns if one is not date and _can_be_id(one)]

    def fit(column: ColumnProfile) -> tuple[bool, bool, float]:
        known = bool(set(words_of(column.heading)) & _ID_WORDS)
        return known, heading_key(column.heading) not in _ROW_NUMBERS, len(column.texts) / column.rows

    best = max(found, key=fit, default=None)
    return best if best is not None and (fit(best)[0] or is_unique(best)) else None


def _can_be_id(column: ColumnProfile) -> bool:
    if column.filled < column.rows or 2 * len(column.texts) < column.rows or column.is_date or _personal(column):
        return False
    return all(re.fullmatch(CODE, text) for text in column.texts) and any(
        letter.isdigit() for letter in next(iter(column.texts))
    )


def is_unique(column: ColumnProfile) -> bool:
    """Return whether every row that was counted has its own value."""
    return column.rows == len(column.texts)


def understood(column: ColumnProfile, name: str, keep: bool) -> Column:
    """Return what a column is for that is neither the id nor the date.

    Parameters
    ----------
    keep
        Whether to keep it although it may describe a person.
    """
    number, filled = len(column.texts), column.filled
    share = "every row has one" if filled >= column.rows else f"{plural(column.rows - filled, 'row')} without one"
    seen = f"{plural(len(_values(column)) if number <= _MANY else number, 'value')}; {share}"

    def found(role: Role, said: str, values: Mapping[str, list[str]] | None = None) -> Column:
        return Column(name, column.heading, role, said, values or {}, filled >= column.rows)

    if not filled:
        return found("left out", "it is empty")
    if (what := _personal(column)) and not keep:
        return found("left out", f"it may be {what}; a report must not make anyone recognizable")
    if column.is_date:
        return found("left out", "the report uses one day of each record")
    if heading_key(column.heading) in _OF_THE_DATE:
        return found("left out", "it follows from the date")
    words = set(words_of(column.heading))
    if "of" not in words and (words & _CODES or (words & _NUMBERS and words & _OF_RECORDS)):
        return found("left out", "it has codes of records or people")
    if {text.casefold() for text in column.texts} <= _FLAGS:
        return found("flag", f"{seen}; yes or no")
    if all(count(text) is not None for text in column.texts) and not words & _CODE_WORDS:
        is_count = bool(words & _COUNT_WORDS) or (words & _COUNT_OF and words & {"of", "de"})
        if is_count and filled < column.rows:
            return found("left out", f"{share}, and unknown numbers cannot be added up")
        if is_count:
            return found("count", f"whole numbers from {_least(column)} to {_most(column)}")
        if number > FEW or number == 1:
            return found(
                "left out", f"{plural(number, 'different number')}, and its heading does not say what it counts"
            )
        values = _values(column)
        return found("category", f'{seen}; if these numbers are to be added up, write type = "count"', values)
    values = _values(column) if number <= _MANY else {text: [] for text in column.texts}
    if 2 <= len(values) <= FEW and 2 * len(values) <= max(filled, 6) and max(map(len, values)) <= _LONGEST_VALUE:
        return found("category", seen, values)
    what = "it always has the same value" if len(values) == 1 else f"it has {number:,} different values"
    return found("left out", what)


def _personal(column: ColumnProfile) -> str:
    """Return what a column tells about a person, or an empty text."""
    words = words_of(column.heading)
    if "name" in words and (words == ["name"] or set(words) & _PERSON):
        return "a name"
    if set(words) & _PERSON and not set(words) & _NOT_WHO:
        return "who somebody is"
    if any(_EMAIL.fullmatch(text) for text in list(column.texts)[:100]):
        return "how to reach a person"
    return next((_PERSONAL[word] for word in words if word in _PERSONAL), "")


def _values(column: ColumnProfile) -> dict[str, list[str]]:
    """Return the values with their other spellings, the most frequent value first.

    Spellings that differ only in case are one for intake, and need no line of their own.
    """
    totals: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = {}
    for text, number in column.texts.items():
        key = whole_number(text).casefold()
        totals[key] += number
        spellings.setdefault(key, Counter())[text] += number
    found = {}
    for key, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0])):
        # Small letters read better than capitals, if the file has both.
        written = sorted(spellings[key].items(), key=lambda one: (len(one[0]) > 3 and one[0].isupper(), -one[1]))
        best = whole_number(written[0][0])
        others = dict.fromkeys(text for text, _ in written if text.casefold() != best.casefold())
        found[best] = list({text.casefold(): text for text in others}.values())
    return found


def counts_of(column: ColumnProfile, values: Mapping[str, list[str]]) -> Iterator[tuple[str, int]]:
    """Yield each value of a category with the number of its rows."""
    by_key: Counter[str] = Counter()
    for text, number in column.texts.items():
        by_key[whole_number(text).casefold()] += number
    for value in values:
        yield value, by_key[value.casefold()]


def _least(column: ColumnProfile) -> int:
    return min(number for text in column.texts if (number := count(text)) is not None)


def _most(column: ColumnProfile) -> int:
    return max(number for text in column.texts if (number := count(text)) is not None)
