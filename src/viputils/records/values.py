"""Reading values: the value of each distinct text in a column, and the texts that cannot be read.

A column of a million rows has few distinct texts, so each is read once. Faults that depend on the row or on another
column are found in ``clean`` and ``faults``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from viputils.config.program import Column, Program
from viputils.core.errors import closest, nearest
from viputils.core.text import folded
from viputils.records.codes import in_plain_letters, missing_pattern

CODE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
CODE_IN_WORDS: Final = "letters, digits, '.', '_' and '-'; never a name."
_WITHDRAW: Final = "a line that is no record can be withdrawn by its file and line (README.md, voids.csv)."
_FLAGS: Final = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}

# A large odd number, whose multiples spread over all 64 bits (from Knuth's multiplicative hashing).
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_LONGEST_ID: Final = 64

Remedy = str | Callable[[str], str]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Fault:
    """The values that break one rule (``wrong``, one flag for each value), and the remedy.

    ``nearest`` returns the allowed value that a faulty one most resembles, if any.
    """

    field: str
    reason: str
    wrong: pd.Series
    remedy: Remedy
    nearest: Callable[[str], str] = lambda _: ""


@dataclass(frozen=True)
class Reading:
    """Texts read, one for each text given.

    Attributes
    ----------
    value
        The typed value, missing if there is none: ``datetime64[s]``, ``Int64``, ``boolean``, ``category`` (ordered
        as program.toml lists the values) or ``str``.
    key
        What the text says, for telling whether two texts say the same; also where it cannot be read.
    faults
        What cannot be read, and why.
    """

    value: pd.Series
    key: pd.Series
    faults: list[Fault]


@dataclass(frozen=True)
class ColumnReading:
    """A column read: the reading of its distinct texts, and the number of the text in each row (``codes``)."""

    codes: pd.Series
    texts: Reading

    @property
    def value(self) -> pd.Series:
        """The typed value of each row."""
        return self._spread(self.texts.value)

    @property
    def faults(self) -> list[Fault]:
        """The faults, one flag for each row."""
        return [
            replace(fault, wrong=self._spread(fault.wrong.astype("bool")))
            for fault in self.texts.faults
            if fault.wrong.any()
        ]

    def key(self, rows: Numbers) -> Numbers:
        """Return a number for each of some rows, the same for equal values."""
        numbers: Numbers = pd.factorize(self.texts.key)[0]
        return np.take(numbers, self.codes.to_numpy()[rows])

    def _spread(self, values: pd.Series) -> pd.Series:
        return values.take(self.codes.to_numpy()).set_axis(self.codes.index)


class Texts:
    """The texts of a table's columns that were read already.

    Slices of one table hold the same categories, so what each text says is found out once for all of them. It holds
    what it was read by, too, and reads again where that is another rule or vocabulary. It never travels: a pickle of it
    is empty.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[object, ...], Reading]] = {}

    def __reduce__(self) -> tuple[type[Texts], tuple[()]]:
        return Texts, ()

    def read(self, program: Program, name: str, rule: Column, texts: pd.Index) -> Reading:
        """Read the texts of a column, as ``read_texts``."""
        by = (texts, rule, program.vocabularies, program.crosswalks, program.intake)
        before = self._read.get(name)
        if before is None or any(one is not other for one, other in zip(before[0], by, strict=True)):
            before = self._read[name] = by, read_texts(program, name, rule, pd.Series(texts, dtype="str"))
        return before[1]


def read_column(program: Program, name: str, rule: Column, column: pd.Series, read: Texts) -> ColumnReading:
    """Read a column of type ``category``, whose categories are its distinct texts.

    Parameters
    ----------
    read
        The texts of this table that were read already.
    """
    return ColumnReading(pd.Series(column.cat.codes), read.read(program, name, rule, column.cat.categories))


def read_texts(program: Program, name: str, rule: Column, texts: pd.Series) -> Reading:
    """Read the texts of a column called ``name``, as its rule in program.toml says."""
    text = pd.Series([" ".join(one.split()) for one in texts.tolist()], texts.index, dtype="str")
    given = text.ne("") & ~_is_missing(program, text, code=rule.type == "code")
    if rule.vocabulary is not None:  # There a word such as Unknown can be a value.
        given |= text.map(folded).isin(program.spellings(rule.vocabulary))
    text = text if given.all() else text.where(given, "")
    readers = {"date": _dates, "count": _counts, "flag": _flags, "code": _codes, "text": _texts}
    if rule.vocabulary is not None:
        reading = _categories(program, name, rule, rule.vocabulary, text, given)
    else:
        reading = readers[rule.type](name, text, given)
    if rule.required:
        reading.faults.insert(0, Fault(name, "missing_value", ~given, "give a value; this column cannot be empty."))
    return reading


def type_of(program: Program, rule: Column) -> str | pd.CategoricalDtype:
    """Return the dtype of the typed values of a column."""
    if rule.vocabulary is not None:
        known = program.spellings(rule.vocabulary).values()
        order = list(dict.fromkeys([*program.vocabularies[rule.vocabulary], *known]))
        return pd.CategoricalDtype(pd.Index(order, dtype="str"), ordered=True)
    return {"date": "datetime64[s]", "count": "Int64", "flag": "boolean", "code": "str", "text": "str"}[rule.type]


def read_ids(program: Program, name: str, texts: pd.Series) -> Reading:
    """Read the ids of records; a row whose id is a word for a missing value has none."""
    is_code = texts.str.fullmatch(CODE)
    # No word for a missing value has such a digit, unless program.toml adds one.
    if is_code.all() and not program.intake.missing and texts.str.contains("[1-9]", regex=True).all():
        return Reading(texts, texts, [])
    none = _is_missing(program, texts, code=True)
    if is_code.all() and not none.any():
        return Reading(texts, texts, [])
    text = texts.str.strip()
    text = text.mask(none | _is_missing(program, text, code=True), "")
    missing = text.eq("")
    strange = ~text.str.fullmatch(CODE) & ~missing
    faults = [
        Fault(name, "missing_id", missing, f"give the record its id; {_WITHDRAW}"),
        Fault(name, "not_a_code", strange, f"an id is {CODE_IN_WORDS}", _plain_code),
    ]
    return Reading(text, text, faults)


def _is_missing(program: Program, texts: pd.Series, code: bool) -> pd.Series:
    """Flag texts that mean a missing value."""
    means_none = re.compile(missing_pattern(tuple(program.intake.missing), code), re.IGNORECASE).fullmatch
    return pd.Series([means_none(one) is not None for one in texts.tolist()], texts.index, dtype="bool")


def _plain_code(text: str) -> str:
    """Return the code that a text probably means, or an empty text."""
    plain = in_plain_letters(text)
    return plain if re.fullmatch(CODE, plain) else ""


def fingerprints(texts: pd.Series) -> np.ndarray[Any, np.dtype[np.uint64]] | None:
    """Return a number for each text, the same for equal texts; different texts rarely share one.

    Returns
    -------
    ndarray
        Or none if the texts are too long for this to be faster.
    """
    array = pa.array(texts, type=pa.large_string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest > _LONGEST_ID or not pc.all(pc.string_is_ascii(array)).as_py():
        return None
    # Filled up with zeros to whole words, the texts are a table of numbers.
    words = -(-max(longest, 1) // 8)
    padded = pc.ascii_rpad(array, width=8 * words, padding="\0")
    offset = padded.offset * 8 * words
    table = np.frombuffer(padded.buffers()[2], dtype="uint64", count=len(array) * words, offset=offset)
    prints = np.zeros(len(array), dtype="uint64")
    for word in table.reshape(len(array), words).T:
        prints = (prints ^ word) * _ODD
        prints ^= prints >> np.uint64(32)
    return prints


def _dates(name: str, text: pd.Series, given: pd.Series) -> Reading:
    form = text.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
    days = pd.to_datetime(text.where(form), format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")
    return Reading(days, text, [Fault(name, "not_a_date", given & days.isna(), "write YYYY-MM-DD, as in 2023-11-05.")])


def _counts(name: str, text: pd.Series, given: pd.Series) -> Reading:
    whole = text.str.fullmatch(r"[0-9]{1,9}")
    negative = text.str.fullmatch(r"-[0-9]+(\.[0-9]*)?")
    counts = pd.to_numeric(text.where(whole), errors="coerce").astype("Int64")
    faults = [
        Fault(name, "negative_count", negative, "a count is 0 or more."),
        Fault(name, "not_a_whole_number", given & ~whole & ~negative, "write a whole number in digits, as in 12."),
    ]
    return Reading(counts, counts.astype("str").where(whole, text), faults)


def _flags(name: str, text: pd.Series, given: pd.Series) -> Reading:
    flags = text.str.casefold().map(_FLAGS).astype("boolean")
    faults = [Fault(name, "not_a_flag", given & flags.isna(), "write yes or no.")]
    return Reading(flags, flags.astype("str").where(flags.notna(), text), faults)


def _codes(name: str, text: pd.Series, given: pd.Series) -> Reading:
    strange = given & ~text.str.fullmatch(CODE)
    faults = [Fault(name, "not_a_code", strange, f"a code is {CODE_IN_WORDS}", _plain_code)]
    return Reading(text.where(given), text, faults)


def _texts(_: str, text: pd.Series, given: pd.Series) -> Reading:
    return Reading(text.where(given), text, [])


def _categories(
    program: Program, name: str, rule: Column, vocabulary: str, text: pd.Series, given: pd.Series
) -> Reading:
    values = program.vocabularies[vocabulary]

    known = program.spellings(vocabulary)

    def closest_value(text: str) -> str:
        spelling = closest(text, known)
        return known.get(spelling, "")

    def suggest(text: str) -> str:
        if meant := closest_value(text):
            aliases = ", ".join(json.dumps(alias, ensure_ascii=False) for alias in (*values.get(meant, []), text))
            line = f"{json.dumps(meant, ensure_ascii=False)} = [{aliases}]"
            return f"did you mean '{meant}'? Then write in program.toml, below [vocabularies.{vocabulary}]: {line}"
        guess = nearest(text, (spelling for value, aliases in values.items() for spelling in (value, *aliases)))
        add = f"An alias for it can be added to vocabularies.{vocabulary} in program.toml."
        return f"{guess}known: {', '.join(values)}. {add}"

    says = text.map(folded)
    meant = says.map(known).astype("str")
    value: pd.Series = meant.astype(cast(pd.CategoricalDtype, type_of(program, rule)))
    unknown = Fault(name, "unknown_value", given & meant.isna(), suggest, closest_value)
    return Reading(value, meant.fillna(says), [unknown])
