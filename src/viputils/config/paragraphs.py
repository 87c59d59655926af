"""Split the texts that people write into headings, paragraphs and list items."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

# The markup of a text, which its translation must keep. viputils.report.markdown reads the same.
LINK: Final = re.compile(r"\[[^\[\]]+\]\(([^()\s]+)\)")
MARKUP: Final = re.compile(r"[*_]|" + LINK.pattern)

_HEADING: Final = re.compile(r"(#+)\s+(.*)")
# Bullets as Word copies them. Hollow round and square ones mark the second and third level.
_BULLET: Final = re.compile(r"(?:([-*+])\s+|([•●‣∙·➢\uf0b7\uf0d8◦○▪■\uf0a7])\s+|([o§])(?:\t\s*| {2,}))(?=\S)")
_LEVELS: Final = {"◦": 1, "○": 1, "o": 1, "▪": 2, "■": 2, "\uf0a7": 2, "§": 2}
# "2023. They" and "(505) 555-0123" do not start an item.
_NUMBER: Final = re.compile(r"((?:\((?=\d{1,2}\)|[a-z]\)))?(?:(\d{1,3})|([a-z]))[.)])\s+(?=\S)")
RULE: Final = re.compile(r"[-*_\s]+")


@dataclass(frozen=True)
class Line:
    """A line of a text, with its role.

    Attributes
    ----------
    mark
        The Markdown mark at its start: ``## ``, ``- ``, ``    1. `` or nothing.
    text
        The text after the mark.
    is_new
        Whether it starts a heading, a paragraph or an item, rather than continuing the line above.
    opens
        Whether a list starts here directly below other text.
    """

    number: int
    mark: str
    text: str
    is_new: bool = True
    opens: bool = False


@dataclass(frozen=True)
class _Level:
    """An open list: the indents of its marks in the text and in Markdown, and whether it is numbered."""

    indent: int
    written: int
    width: int
    is_numbered: bool


def lines_of(lines: Iterable[str]) -> Iterator[Line]:
    """Yield each line of a text with its role. Lists need no empty line above, and can be nested."""
    levels: list[_Level] = []
    is_open = False
    for number, line in enumerate(lines, start=1):
        said = line.strip()
        indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
        item = None if RULE.fullmatch(said) else _item(said, levels, is_open)
        if heading := _HEADING.fullmatch(said):
            levels, is_open = [], False
            yield Line(number, f"{heading[1]} ", heading[2])
        elif not said:
            is_open = False
            yield Line(number, "", "")
        elif item:
            mark, length, deeper = item
            level, opens = _level_of(levels, indent + 4 * deeper, mark, is_open)
            yield Line(number, f"{' ' * level.written}{mark} ", said[length:], opens=opens)
            is_open = True
        else:
            levels = levels if is_open else []
            yield Line(number, "", said, is_new=not is_open)
            is_open = True


def _item(said: str, levels: Sequence[_Level], is_open: bool) -> tuple[str, int, int] | None:
    """Return the mark of an item, its length in the text, and the extra depth of its kind of bullet."""
    if bullet := _BULLET.match(said):
        mark = bullet[1] or bullet[2] or bullet[3]
        return "-", bullet.end(), _LEVELS.get(mark, 0)
    number = _NUMBER.match(said)
    # "23. They" inside a paragraph is not an item. "c. 1990" is one only after a and b.
    begins = number is not None and (number[2] == "1" or number[3] == "a" or (not is_open and number[2] is not None))
    goes_on = bool(levels) and levels[-1].is_numbered
    return (number[1], number.end(), 0) if number and (begins or goes_on) else None


def _level_of(levels: list[_Level], indent: int, mark: str, is_open: bool) -> tuple[_Level, bool]:
    """Return the list of an item, and whether it starts directly below other text. Drop the lists that end here."""
    opens = is_open and not levels
    while len(levels) > 1 and indent <= levels[-2].indent + 1:
        levels.pop()
    is_numbered = mark != "-"
    if levels and indent > levels[-1].indent + 1:
        above = levels[-1]
        levels.append(_Level(indent, above.written + above.width, len(mark) + 1, is_numbered))
    elif levels and levels[-1].is_numbered == is_numbered:
        levels[-1] = _Level(levels[-1].indent, levels[-1].written, len(mark) + 1, is_numbered)
    else:
        opens |= bool(levels)
        levels[-1:] = [_Level(indent, levels[-1].written if levels else 0, len(mark) + 1, is_numbered)]
    return levels[-1], opens


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph or a list item, joined into one line.

    Attributes
    ----------
    line
        The line number of its first line.
    mark, opens
        As in ``Line``.
    """

    line: int
    mark: str
    text: str
    opens: bool = False

    @property
    def has_markup(self) -> bool:
        """Whether it contains emphasis or a link."""
        return MARKUP.search(self.text) is not None


def blocks_of(lines: Sequence[str]) -> list[Block]:
    """Split a text into the parts that are translated separately."""
    blocks: list[Block] = []
    for line in lines_of(lines):
        if line.is_new and (line.mark or line.text):
            blocks.append(Block(line.number, line.mark, line.text.strip(), line.opens))
        elif line.text:
            blocks[-1] = replace(blocks[-1], text=f"{blocks[-1].text} {line.text}")
    return blocks
