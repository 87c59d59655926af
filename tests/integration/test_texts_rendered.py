"""What `vip new --check` accepts can be made in every format, and comes out as it was typed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import docx
import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from tests.support.documents import cell, issue, project
from tests.support.examples import examples
from tests.support.projects import REPOSITORY
from viputils.core.errors import Problem, TextError
from viputils.report.markdown import read_sections, sections_markdown
from viputils.report.render.embedded import EmbeddedEngine

FONTS = REPOSITORY / "report" / "fonts"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("texts") / "project")


def checked(root: Path, text: str) -> str:
    path = root / "text.md"
    path.write_text(text, encoding="utf-8", newline="")
    return sections_markdown(read_sections(path, "text.md", fonts=FONTS), 3)


def refused(root: Path, text: str) -> tuple[Problem, ...]:
    try:
        checked(root, text)
    except TextError as error:
        return error.problems
    return ()


def made(root: Path, text: str) -> dict[str, Path]:
    """Return the pages with a text, which the check accepts."""
    markdown = checked(root, text)
    shutil.rmtree(root / "issues", ignore_errors=True)
    notebook = issue(root, cell(f"## Activities\n\n{markdown}"))
    return EmbeddedEngine().render(root, notebook, ["html", "pdf", "docx"])


def texts_of(pages: dict[str, Path]) -> dict[str, str]:
    """Return what each page shows, without blanks."""
    html = BeautifulSoup(pages["html"].read_text(encoding="utf-8"), "html.parser").main
    assert html is not None
    shown = {
        "html": html.get_text(),
        "pdf": "".join(page.extract_text() for page in PdfReader(pages["pdf"]).pages),
        "docx": "".join(paragraph.text for paragraph in docx.Document(str(pages["docx"])).paragraphs),
    }
    return {name: "".join(text.split()) for name, text in shown.items()}


AS_TYPED = "We paid $500 -- \"for food\" -- to the '98 group... 3 * 4 * 5 boxes --- 'so it is', 7-8, or -? so-?."


def test_quotes_dashes_dots_dollars_and_stars_come_out_as_typed_in_every_format(root: Path) -> None:
    pages = made(root, f'## Theme\n\n{AS_TYPED}\n\nA list: "one" -- two...\n- "three" -- four...\n')
    for name, text in texts_of(pages).items():
        assert "".join(AS_TYPED.split()) in text, name
        assert '"three"--four...' in text, name


LISTS = """## Theme

Our team visited three neighborhoods:
- Trumbull Village, with the
  block captain
- Kirtland
    * twice
    + with a translator
- South San Jose

Two things remain:
1. Hire a second team.
2. Open the office.
   1) on Saturdays

From Word:
•\tone
o\tinner
§\tinnermost
•\ttwo
"""


def test_a_list_right_below_a_sentence_is_a_list_in_every_format(root: Path) -> None:
    pages = made(root, LISTS)
    main = BeautifulSoup(pages["html"].read_text(encoding="utf-8"), "html.parser").main
    assert main is not None
    parts = [one for one in main.find_all(["ul", "ol"]) if one.find_parent("li") is None]
    assert [(one.name, len(one.find_all("li", recursive=False))) for one in parts[-3:]] == [
        ("ul", 3),
        ("ol", 2),
        ("ul", 2),
    ]
    kirtland, two, word = parts[-3].find_all("li")[1], parts[-2].find_all("li")[1], parts[-1].find_all("li")[0]
    assert [len(one.find_all("li")) for one in (kirtland, two, word)] == [2, 1, 2]
    levels = [
        (one.text, int(level[0]))
        for one in docx.Document(str(pages["docx"])).paragraphs
        if (level := one._p.xpath("w:pPr/w:numPr/w:ilvl/@w:val"))
    ]
    assert ("Kirtland", 0) in levels
    assert ("twice", 1) in levels
    assert ("on Saturdays", 1) in levels
    assert ("innermost", 2) in levels
    assert "•TrumbullVillage,withtheblockcaptain•Kirtland" in texts_of(pages)["pdf"]


MARKS = [
    "- ", "* ", "+ ", "1. ", "2) ", "a) ", "b. ", "(1) ", "(505) ", "2023. ", "•\t", "· ", "o\t", "§\t", "- - ",
    "1. - ", "- ::: ", "- # ", "- > ", "::: ", "---", "***", "===", "| ", "> ", ": ", "~ ", "% ", "@", "#. ", "(@) ",
    "[^1]: ", "A. ", "ii. ", "-? ", "\\", "`", "```", "~~~ ", "$", "$$", "<div>", "{{< ", "{.a}", "**", "*", "_", "__",
    "'", '"', "--", "...", "", "    ", "  ", "\t", "   - ", "\t* ", "        1. ", "//", "/*", "#let", "<!--", "&amp;",
    "https://", "^", "!", "]", "](x", "[",
]  # fmt: skip
LETTERS = st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs", "Cc", "Cf", "Co", "Mn"])
ODD = st.one_of(
    st.sampled_from(["✓", "Ω", "漢", "\x0b", "\x00", "\x7f", "\u2028", "\u202f", "\u2003", "\u0301", "\uf0b7"]), LETTERS
)
LINES = st.lists(
    st.tuples(st.sampled_from(MARKS), st.text(ODD, max_size=2), st.sampled_from(MARKS)), min_size=1, max_size=12
)


@settings(max_examples=examples(60))
@example([("- ::: ", "note", ""), ("1. ", "---", ""), ("- ", "x", "---")], False)
@example([("", "a\x0bb", ""), ("- ", "✓", "")], False)
@example([("", "\u202f\u2003\u2009", ""), ("- ", "\u00a0", "")], False)
@given(LINES, st.booleans())
def test_what_the_check_accepts_can_be_made_in_every_format(
    root: Path, lines: list[tuple[str, str, str]], is_wide: bool
) -> None:
    between = "\n\n" if is_wide else "\n"
    text = between.join(f"{mark}word{place}x {odd}{end}" for place, (mark, odd, end) in enumerate(lines))
    text = f"## Theme\n\nbefore\n{text}\nafterwards\n"
    if problems := refused(root, text):
        assert all(re.match(r"text\.md, line \d+$", problem.where) for problem in problems)
        return
    for name, shown in texts_of(made(root, text)).items():
        for word in ("before", "afterwards", *(f"word{place}x" for place in range(len(lines)))):
            assert word in shown, (name, word)
