"""Plain words: what makes a sentence hard to read. `vip new --check`, `make words` and a test use the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# A reader loses the beginning of a longer sentence.
MOST_WORDS: Final = 28
# English words and phrases that pages and messages do not use, and what to write.
INSTEAD: Final = {
    "reckoned": "counted or calculated",
    "begun": "started",
    "anew": "again",
    "taken in": "accepted or added",
    "all the same": "anyway, or leave it out",
    "nobody": "no one",
    "in the stead": "instead",
    "be it": "whether it is",
    "of which": "a new sentence",
    "loudly": "with a warning",
    "chance alone": "the normal range",
    "none of them stands": "none of them describes",
}
_REFUSED: Final = re.compile(rf"\b({'|'.join(map(re.escape, INSTEAD))})\b", re.IGNORECASE)
# Not behind a number, a single letter or a short form.
_END: Final = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\bNo\.)(?<!\be\.g\.)(?<!\bi\.e\.)[\"”)]*\s+(?=[\"“(]?[A-ZÁÉÍÓÚÑ¿¡0-9])"
)


def refused(text: str) -> list[str]:
    """Return the words and phrases of a text that pages and messages do not use, in their order."""
    return [found[1] for found in _REFUSED.finditer(" ".join(text.split()))]


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph of plain text."""
    return [one for one in _END.split(" ".join(text.split())) if one]


def hints(text: str) -> Iterator[str]:
    """Yield what would make a paragraph of plain English easier to read, one sentence for each finding."""
    for sentence in sentences(text):
        number = len(sentence.split())
        if number > MOST_WORDS:
            yield f"A sentence has {number} words; split it: “{' '.join(sentence.split()[:8])} …”"
        for word in refused(sentence):
            yield f"“{word}”: write {INSTEAD[word.lower()]}."
