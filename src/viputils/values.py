"""Reading values: what each different spelling in a column stands for, and which of them cannot be read.

A column of a million rows holds few different spellings, so each is read once. Which row they stand in, and so
what depends on another column, is the business of ``cleaning``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from viputils.errors import nearest
from viputils.program import Column, Program, folded

_CODE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_FLAGS: Final = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}

Remedy = str | Callable[[str], str]


@dataclass(frozen=True)
class Fault:
    """Values that one rule refuses (``wrong``, one flag for each value), and what would mend them."""

    field: str
    reason: str
    wrong: pd.Series
    remedy: Remedy


@dataclass(frozen=True)
class Reading:
    """Values read, one for each text given.

    Attributes
    ----------
    value
        The typed value, missing where there is none: ``datetime64[s]``, ``Int64``, ``boolean`` or ``str``.
    key
        What the text says, for telling whether two texts say the same; also where it cannot be read.
    faults
        What cannot be read, and why.
    """

    value: pd.Series
    key: pd.Series
    faults: list[Fault]

    def rows(self, codes: pd.Series) -> Reading:
        """Give the reading of every row, where ``codes`` says which of the texts stands in it."""

        def spread(values: pd.Series) -> pd.Series:
            return values.take(codes.to_numpy()).set_axis(codes.index)

        faults = [Fault(f.field, f.reason, spread(f.wrong), f.remedy) for f in self.faults if f.wrong.any()]
        return Reading(spread(self.value), spread(self.key), faults)


def read_texts(program: Program, name: str, rule: Column, texts: pd.Series) -> Reading:
    """Read the texts of a column called ``name``, as its rule in program.toml says."""
    text = texts.str.split().str.join(" ")
    given = text.ne("")
    readers = {"date": _dates, "count": _counts, "flag": _flags, "code": _codes}
    if rule.vocabulary is not None:
        reading = _categories(program, name, rule.vocabulary, text, given)
    else:
        reading = readers[rule.type](name, text, given)
    if rule.required:
        reading.faults.insert(0, Fault(name, "missing_value", ~given, "give a value; this column cannot be empty."))
    return reading


def read_ids(name: str, texts: pd.Series) -> Reading:
    """Read the ids of records."""
    text = texts.str.strip()
    faults = [
        Fault(name, "missing_id", text.eq(""), "give the record its id."),
        Fault(
            name,
            "not_a_code",
            ~text.str.fullmatch(_CODE) & text.ne(""),
            "an id is letters, digits, '.', '_' and '-'; never a name.",
        ),
    ]
    return Reading(text, text, faults)


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
    strange = given & ~text.str.fullmatch(_CODE)
    faults = [Fault(name, "not_a_code", strange, "a code is letters, digits, '.', '_' and '-'; never a name.")]
    return Reading(text.where(given), text, faults)


def _categories(program: Program, name: str, vocabulary: str, text: pd.Series, given: pd.Series) -> Reading:
    values = program.vocabularies[vocabulary]

    def suggest(value: str) -> str:
        guess = nearest(value, (spelling for known, aliases in values.items() for spelling in (known, *aliases)))
        add = f"An alias for it can be added to vocabularies.{vocabulary} in program.toml."
        return f"{guess}known: {', '.join(values)}. {add}"

    known = program.spellings(vocabulary)
    says = text.map(folded)
    meant = says.map(known).astype("str")
    return Reading(meant, meant.fillna(says), [Fault(name, "unknown_value", given & meant.isna(), suggest)])
