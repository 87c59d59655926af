"""Plain words: refused words are in no message and on no page, and hints name what is hard to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po

from tests.support.projects import REPOSITORY
from viputils.report.plain_words import hints, refused, sentences

SOURCE = REPOSITORY / "src" / "viputils"
TEXTS = [*(REPOSITORY / "report").rglob("*.md"), REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]


def strings() -> Iterator[tuple[str, str]]:
    """Yield each text in the library's code with its place: messages, docstrings and help."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "plain_words.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node.value


def test_no_message_of_the_library_has_a_refused_word() -> None:
    assert [(place, found) for place, text in strings() if (found := refused(text))] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_text_has_a_refused_word(path: object) -> None:
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert refused(re.sub(r"`[^`]*`", "", text)) == []


def test_no_english_message_of_the_project_has_a_refused_word() -> None:
    with (REPOSITORY / "report" / "locale" / "es.po").open("rb") as file:
        every = [part for one in read_po(file) for part in ([one.id] if isinstance(one.id, str) else one.id)]
    assert [part for part in every if refused(part)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nobody was there, all the\nsame.", ["Nobody", "all the same"]),
        ("It was taken in and reckoned anew.", ["taken in", "reckoned", "anew"]),
        ("A renewal of the canew.", []),
    ],
)
def test_refused_words_are_found_across_lines_and_not_within_words(text: str, found: list[str]) -> None:
    assert refused(text) == found


def test_sentences_end_where_a_reader_sees_their_end() -> None:
    text = 'Dr. A. Lopez came at 5 p.m. on May 1. "Who?" No. 3 was 4.5 m. high. He left.'
    assert sentences(text)[-1] == "He left."
    assert "4.5 m." in " ".join(sentences(text))
    assert len(sentences("One. Two! Three? Four")) == 4


def test_hints_name_long_sentences_and_words_with_what_to_write() -> None:
    long = " ".join(["word"] * 29) + "."
    assert list(hints(f"{long} Nobody came.")) == [
        "A sentence has 29 words; split it: “word word word word word word word word …”",
        "“Nobody”: write no one.",
    ]
    assert list(hints(" ".join(["word"] * 28) + ".")) == []
