"""Measure how easy the texts are to read, and list the hardest sentences.

English by the Flesch-Kincaid grade, Spanish by Szigriszt-Pazos (0 to 100, higher is easier), both by textstat.

    python scripts/words.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import textstat
from babel.messages.pofile import read_po

from viputils.config.paragraphs import blocks_of
from viputils.core.encoding import decoded_lines
from viputils.report.plain_words import MOST_WORDS, refused, sentences

ROOT: Final = Path(__file__).parent.parent
CATALOGS: Final = (ROOT / "src/viputils/locale/es.po", ROOT / "report/locale/es.po")
HARDEST: Final = 10
# Shorter ones have a grade that says nothing.
FEWEST_WORDS: Final = 6
PAGES_GRADE: Final = 7
SPANISH_EASE: Final = 65


def paragraphs(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a Markdown file as plain text: no headings, tables, code or link targets."""
    text = re.sub(r"(?ms)^(```|~~~).*?^\1\s*$", "", path.read_text(encoding="utf-8"))
    lines = [
        line for line in decoded_lines(text.encode()) if not line.lstrip().startswith(("|", "#", "![", ":::", "    "))
    ]
    for block in blocks_of(lines):
        yield plain(block.text)


def messages(language: str) -> Iterator[str]:
    """Yield the messages of the catalogs that are sentences, in English or in Spanish."""
    for path in CATALOGS:
        with path.open("rb") as file:
            for message in read_po(file):
                text = message.id if language == "en" else message.string
                first = text if isinstance(text, str) else tuple(text or ("",))[-1]
                if message.id and first.rstrip().endswith("."):
                    yield plain(re.sub(r"\{\w+\}", "5", first))


def plain(text: str) -> str:
    """Return Markdown without its marks."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\*\*|`|\\|(?<!\w)\*|\*(?!\w)", "", text))


def measure(name: str, texts: Iterable[str], language: str, aim: str) -> list[tuple[float, str]]:
    """Print the readability of a group of texts; return its sentences with how hard each is."""
    textstat.set_lang(language)
    every = list(dict.fromkeys(one for text in texts for one in sentences(text)))
    scored = textstat.flesch_kincaid_grade if language == "en" else textstat.szigriszt_pazos
    whole = scored(" ".join(every))
    number = sum(len(one.split()) for one in every)
    long = sum(len(one.split()) > MOST_WORDS for one in every)
    words = sum(len(refused(one)) for one in every) if language == "en" else 0
    print(
        f"{name:34} {whole:5.1f} (aim: {aim}), {number / max(len(every), 1):4.1f} words a sentence, "
        f"{long} over {MOST_WORDS} words, {words} refused words"
    )
    sign = 1 if language == "en" else -1
    return [(sign * scored(one), one) for one in every if len(one.split()) >= FEWEST_WORDS]


def main() -> None:
    """Print the measures of each group, and the hardest sentences of pages in each language."""
    report, docs = ROOT / "report", ROOT / "docs"
    texts = [*report.glob("*.md"), *report.glob("pages/*.md"), *report.glob("activities/????-??.md")]
    grade = f"{PAGES_GRADE} or lower"
    english = measure(
        "Texts of the report and the site", (p for path in sorted(texts) for p in paragraphs(path)), "en", grade
    )
    english += measure("Messages on pages", messages("en"), "en", grade)
    guides = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *docs.glob("*.md")]
    guide = measure("README and docs", (p for path in sorted(guides) for p in paragraphs(path)), "en", "9 or lower")
    translated = [p for path in sorted(report.glob("activities/*.es.md")) for p in paragraphs(path)]
    spanish = measure("Spanish", [*messages("es"), *translated], "es", f"{SPANISH_EASE} or higher")
    for title, scored in (("pages", english), ("docs", guide), ("Spanish pages", spanish)):
        print(f"\nHardest sentences of {title}:")
        for score, sentence in sorted(scored, reverse=True)[:HARDEST]:
            print(f"  {abs(score):5.1f}  {sentence}")


if __name__ == "__main__":
    main()
