"""Codes of records and people: words that are no code, and codes that look alike.

Programs that export data change codes on the way: 1001 becomes 1001.0, 00123 becomes 123, and an empty cell becomes
the word NULL. Whether two codes that look alike are one or two cannot be known; ``[codes]`` in program.toml says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import pandas as pd

# What programs and people write where there is no value.
MISSING_WORDS: Final = (
    *("null", "(null)", "<null>", "[null]", "nil", "nan", "nat", "na", "n/a", "n.a.", "n.a", "n/k", "#n/a", "#n/d"),
    *("none", "<none>", "(none)", "<na>", "empty", "(empty)", "<empty>", "blank", "(blank)", "<blank>", "missing"),
    *("unknown", "unk", "unkn", "unspecified", "undefined", "not available", "not applicable", "not recorded"),
    *("not provided", "not given", "not known", "not entered", "no data", "no value", "no id", "tbd", "tba"),
    *("to be determined", "pending", "ninguno", "ninguna", "nulo", "desconocido", "desconocida", "se desconoce"),
    *("sin dato", "sin datos", "sin información", "no aplica", "no disponible", "no registrado", "no registrada"),
    *("(en blanco)", "en blanco", "vacío", "pendiente", "s/d"),
)  # fmt: skip
# What is no code, but a number in other columns.
_NO_CODES: Final = r"0+(?:\.0+)?"
_MARKS: Final = r"[-\u2013\u2014_?.*#/\\]+"

_SEPARATORS: Final = r"[-._/\\ ]+"
# Letters of other alphabets, and dashes, that look like those of a code.
_TWINS: Final = str.maketrans(
    "АВЕЅКМНОРСТХІЈУасеорхіјѕуΑΒΕΖΗΙΚΜΝΟΡΤΥΧοıǀ‐‑‒–—―−⁃",  # noqa: RUF001
    "ABESKMHOPCTXIJYaceopxijsyABEZHIKMNOPTYXoil--------",
)


@lru_cache(maxsize=32)
def missing_pattern(more: tuple[str, ...], code: bool) -> str:
    """Return the pattern of what means that there is no value, in a column of codes or in any other.

    Parameters
    ----------
    more
        Further words, from program.toml.
    """
    words = dict.fromkeys(" ".join(word.split()).casefold() for word in (*MISSING_WORDS, *more))
    parts = [re.escape(word) for word in words] + [_MARKS] + ([_NO_CODES] if code else [])
    return "(?:" + "|".join(parts) + ")"


def in_plain_letters(code: str) -> str:
    """Return a code without blanks around it, with the letters and dashes that every keyboard has."""
    return unicodedata.normalize("NFKC", code).translate(_TWINS).strip()


def are_of_one_form(codes: pd.Series) -> bool:
    """Return whether codes differ in their digits alone, at the same places: no two of them look alike then."""
    form = re.sub("[0-9]", "[0-9]", re.escape(codes.iloc[0]))
    return bool(codes.str.fullmatch(form).all())


def look_alikes(codes: pd.Series) -> dict[str, str]:
    """Find different codes that differ only by what programs and people change.

    That is a decimal part of zeros, leading zeros, blanks and separators, case, and characters that look the same.

    Parameters
    ----------
    codes
        Different codes, in order of receipt.

    Returns
    -------
    dict
        Each code that looks like another one, with the first other one.
    """
    return {
        code: next(other for other in group if other != code)
        for group, _ in _groups(codes)
        for code in group
        if len(group) > 1
    }


def first_spellings(codes: pd.Series) -> dict[str, str]:
    """Return for each code that looks like earlier ones, the first of them; codes are as in ``look_alikes``.

    Where it cannot be known which of several codes is meant, there is none.
    """
    return {code: group[0] for group, one in _groups(codes) if one for code in group[1:]}


def _groups(codes: pd.Series) -> Iterator[tuple[list[str], bool]]:
    """Return the codes that look alike, and whether they all do: 2023112 looks like 2023-1-12 and like 2023-11-2.

    Zeros are left out after each separator (R-007 and R-7), and then only in front (23-0412 and 230412).
    """
    separated = _forms(codes)
    for zeros in (r"(^|[^0-9])0+([0-9])", r"(^)0+([0-9])"):
        form = separated.str.replace(zeros, r"\1\2", regex=True)
        bare = form.str.replace("-", "", regex=False)
        shared = bare.duplicated(keep=False)
        for _, forms in form.loc[shared].groupby(bare.loc[shared], sort=False):
            marked = set(forms.loc[forms.str.contains("-", regex=False)])
            if len(marked) > 1 and len(marked) == forms.nunique():
                yield from ((list(codes.loc[same.index]), True) for _, same in forms.groupby(forms, sort=False))
            else:
                yield list(codes.loc[forms.index]), len(marked) < 2


def _forms(codes: pd.Series) -> pd.Series:
    """Return codes without what programs and people change, but for their zeros and where their separators are."""
    plain = codes.astype("str")
    if not plain.str.isascii().all():
        plain = plain.map(in_plain_letters).astype("str")
    plain = plain.str.lower().str.replace(r"\.0+$", "", regex=True)
    plain = plain.str.replace("o", "0", regex=False).str.replace("[il]", "1", regex=True)
    return plain.str.replace(_SEPARATORS, "-", regex=True)
