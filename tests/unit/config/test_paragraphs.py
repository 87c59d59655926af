"""Texts are split into headings, paragraphs and items, each of which is translated as one."""

from __future__ import annotations

from viputils.config.paragraphs import blocks_of


def test_each_heading_paragraph_and_item_is_translated_as_one() -> None:
    blocks = blocks_of(["## A b", "", "one", "two", "", "- three", "  four", "- five", "six", "", "seven"])
    assert [(one.mark, one.text) for one in blocks] == [
        ("## ", "A b"), ("", "one two"), ("- ", "three four"), ("- ", "five six"), ("", "seven"),
    ]  # fmt: skip
