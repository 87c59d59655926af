"""Texts that people write: what they may hold, and what comes out as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pypandoc
import pytest
import yaml
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from tests.support.projects import REPOSITORY
from viputils.core.errors import TextError
from viputils.report.markdown import escape, read_sections, sections_markdown, shown_as_typed

# As both engines read it.
READER = yaml.safe_load((REPOSITORY / "_quarto.yml").read_text(encoding="utf-8"))["from"]


def shown(markdown: str) -> str:
    """What Pandoc reads in the Markdown, with every extension on that a project might forget to switch off."""
    return str(pypandoc.convert_text(markdown, "plain", format="markdown-smart", extra_args=["--wrap=none"]))


def sections(tmp_path: Path, text: str) -> str:
    path = tmp_path / "2023-11.md"
    path.write_text(text, encoding="utf-8")
    return sections_markdown(read_sections(path, "report/activities/2023-11.md"), 3)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(TextError) as refused:
        sections(tmp_path, text)
    return str(refused.value)


HOSTILE = [
    "<script>alert(1)</script>",
    "{{< include /etc/passwd >}}",
    "`#read(\"/etc/passwd\")`{=typst}",
    "\\input{/etc/passwd}",
    "$x^2$",
    "@fig-secret [@ref]",
    "<!-- gone -->",
    "&lt;b&gt;",
    "#set text(red)",
    "::: {.notice}",
    "| a | b |",
    "~~~ python",
    "% title",
    "[^1]: note",
    "![](charts/a.svg)x",
    "x^2^ H~2~O",
    ":smile: (@) == ++",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_could_be_code_comes_out_as_typed(tmp_path: Path, text: str) -> None:
    if "](" in text:
        assert "image" in refusal(tmp_path, "## Theme\n\n![x](https://example.org)\n")
        return
    markdown = sections(tmp_path, f"## Theme\n\nbefore\n\n{text}\n\nafter\n")
    assert "".join(text.split()) in "".join(shown(markdown).split())
    assert "{{<" not in markdown


def test_emphasis_lists_and_links_are_kept(tmp_path: Path) -> None:
    text = "## Theme\n\n**Bold** and *slanted*, [a link](https://www.cabq.gov/vip).\n\n- one\n- two\n"
    html = pypandoc.convert_text(sections(tmp_path, text), "html", format="markdown", extra_args=["--wrap=none"])
    assert "<strong>Bold</strong>" in html
    assert "<em>slanted</em>" in html
    assert '<a href="https://www.cabq.gov/vip">a link</a>' in html
    assert html.count("<li>") == 2


@pytest.mark.parametrize("line", ["---", "***", "___", "- - -", "* * *", "====", "----"])
def test_a_line_of_marks_is_neither_a_rule_nor_a_heading(tmp_path: Path, line: str) -> None:
    text = f"## Theme\n\nbefore\n{line}\n\n{line}\n\nafter\n"
    html = pypandoc.convert_text(sections(tmp_path, text), "html", format="markdown-smart")
    assert "<hr" not in html
    assert html.count("<h") == 1
    assert html.count(line) == 2


def test_a_block_of_yaml_cannot_change_the_document(tmp_path: Path) -> None:
    markdown = sections(tmp_path, "## Theme\n\n---\ntitle: stolen\n---\n\ntext\n")
    html = pypandoc.convert_text(
        markdown, "html", format="markdown", extra_args=["--standalone", "--metadata=title:kept"]
    )
    assert "<title>kept</title>" in html


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("words\n\n## Theme\n\nx\n", "line 1: stands before the first heading"),
        ("## Theme\n\n## Other\n\nx\n", "line 1: the heading 'Theme' has no text"),
        ("## Theme\n\nx\n\n##  theme\n\ny\n", "line 5: the heading 'theme' stands there twice"),
        ("## Theme\n\nx\n\n## #\n\ny\n", "line 5: is a heading without words; write them"),
        ("# Theme\n\nx\n", "line 1: the heading '# Theme' is of another level"),
        ("## Theme\n\n[x](javascript:alert(1))\n", "line 3: links to 'javascript:alert(1'"),
        ("## Theme\n\n[x]( /forms/a (b))\n", "line 3: links to '/forms/a'"),
        ("## Theme\n\n[x](javascript:alert)\n", "line 3: links to 'javascript:alert'"),
        ("## Theme\n\n[x](data:text/html,x)\n", "line 3: links to 'data:text/html,x'"),
        ("## Theme\n\n![x](https://example.org/a.png)\n", "line 3: holds an image"),
        ("## Theme\n\n![](a.png)\n", "line 3: holds an image"),
        ("## Theme\n\n![]( a b.png 'x')\n", "line 3: holds an image"),
        ("## Theme\n\n![face][1]\n", "line 3: holds an image"),
        (
            "## Theme\n\nadults \u202e9952\u202c\n",
            "line 3: contains characters that cannot be seen (U+202E, U+202C); take them out",
        ),
        ("## Th\u200beme\n\nx\n", "line 1: contains characters that cannot be seen (U+200B)"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    message = refusal(tmp_path, text)
    assert f"report/activities/2023-11.md, {says}" in message


def test_what_comes_out_as_typed_is_named_with_its_line(tmp_path: Path) -> None:
    lines = ["## Theme", "", "| a | b |", "> said", "Known[^1] as `x`, ~~y~~ <b>z</b>.", "See https://a.example here."]
    lines += [
        "",
        "Plain words, **bold**, 3 > 2, and [a page](https://a.example/x).",
        "- an item",
        "##Next",
        "It is **not closed.",
    ]
    path = tmp_path / "2023-11.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = [(problem.where, problem.what) for problem in shown_as_typed(path, "a text")]
    assert found == [
        ("a text, line 3", "holds a table;"),
        ("a text, line 4", "holds a quotation;"),
        *[("a text, line 5", f"holds {what};") for what in ("a footnote", "code", "struck-out text", "HTML")],
        ("a text, line 6", "holds an address without a link;"),
        ("a text, line 10", "holds a heading without a blank;"),
        ("a text, line 11", "holds a bold part that does not end;"),
    ]


def test_a_star_within_a_word_or_number_is_a_star(tmp_path: Path) -> None:
    html = pypandoc.convert_text(
        sections(tmp_path, "## A\n\n5*3*2 and *slanted* and **bold**.\n"), "html", format="markdown"
    )
    assert "5*3*2 and <em>slanted</em> and <strong>bold</strong>" in html


TYPED = "## Año nuevo\n\nMás niños — y “más”.\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with its mark", "utf-16-be with its mark"]
)
def test_a_text_is_read_in_each_form_that_word_and_notepad_save(tmp_path: Path, encoding: str) -> None:
    name, _, mark = encoding.partition(" ")
    path = tmp_path / "x.md"
    path.write_bytes((("\ufeff" if mark else "") + TYPED.replace("\n", "\r\n")).encode(name))
    plain = tmp_path / "plain.md"
    plain.write_text(TYPED, encoding="utf-8")
    assert read_sections(path, "x.md") == read_sections(plain, "x.md")


@pytest.mark.parametrize("data", [TYPED.encode("cp1252"), TYPED.encode("utf-16-le"), b"## A\n\n\xff\n"])
def test_a_text_that_is_not_utf8_is_refused_with_its_line_and_how_to_save_it(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.md"
    path.write_bytes(data)
    with pytest.raises(TextError) as raised:
        read_sections(path, "x.md")
    (problem,) = raised.value.problems
    assert problem.where == f"x.md, line {3 if data.startswith(b'## A' + bytes([10])) else 1}"
    assert all(program in problem.remedy for program in ("Word", "Notepad", "Excel", "UTF-8"))


def test_an_accent_of_its_own_is_read_as_part_of_its_letter(tmp_path: Path) -> None:
    assert sections(tmp_path, "## A\n\nMa\u0301s nin\u0303os\n") == sections(tmp_path, "## A\n\nMás niños\n")


def test_characters_that_no_font_of_the_report_has_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("## Theme\n\nplain, “quoted” — 5 € ½ ñ\n\n- done ✓ and 漢, ✓\n- Ω\n\ta\x0bb\n", encoding="utf-8")
    with pytest.raises(TextError) as raised:
        read_sections(path, "x.md", fonts=REPOSITORY / "report" / "fonts")
    assert [str(problem) for problem in raised.value.problems] == [
        "x.md, line 5: contains characters that the fonts of the report lack: ✓ (U+2713), 漢 (U+6F22); "
        "use other characters or words.",
        "x.md, line 6: contains characters that the fonts of the report lack: Ω (U+03A9); "
        "use other characters or words.",
        "x.md, line 7: contains characters that cannot be seen (U+000B); take them out.",
    ]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("Two:\n- one\n- two\n", ["one", "two"]),
        ("Two:\n* one\n+ two\n", ["one", "two"]),
        ("Two:\n1. one\n2. two\n", ["one", "two"]),
        ("Two:\n1) one\n2) two\n", ["one", "two"]),
        ("Two:\na) one\nb) two\n", ["one", "two"]),
        ("Two:\n(1) one\n(2) two\n", ["one", "two"]),
        ("Two:\n•\tone\n•\ttwo\n", ["one", "two"]),
        ("Two:\n· one\n· two\n", ["one", "two"]),
        ("Two:\no\tone\no\ttwo\n", ["one", "two"]),
        ("Two:\n§\tone\n§\ttwo\n", ["one", "two"]),
        ("Two:\n\uf0b7\tone\n\uf0b7 two\n", ["one", "two"]),
        ("Two:\n  - one\n    more\n  - two\n", ["one more", "two"]),
        ("Two:\n\n- one\n- two\n", ["one", "two"]),
        ("They came in\n2023. They left.\n", []),
        ("They came in\n23. They left.\n", []),
        ("(505) 555-0123 is a number.\n", []),
        ("A. Lopez wrote it.\n", []),
        ("§ 30-1-1 applies.\n", []),
        ("A line:\n---\n- - -\n", []),
    ],
)
def test_a_list_needs_no_empty_line_above_it_and_nothing_else_is_one(
    tmp_path: Path, text: str, items: list[str]
) -> None:
    html = pypandoc.convert_text(sections(tmp_path, f"## Theme\n\n{text}"), "html", format=READER)
    page = BeautifulSoup(html, "html.parser")
    assert [" ".join(one.get_text().split()) for one in page.find_all("li")] == items
    assert bool(page.find(["ul", "ol"])) == bool(items)
    if not items:
        assert " ".join(text.split()) in " ".join(page.get_text().split())


def test_a_text_that_is_absent_is_empty(tmp_path: Path) -> None:
    assert read_sections(tmp_path / "none.md", "none.md") == []


# Blanks fold to one, as in HTML; the rest must come through to the letter.
LINES = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40)


@given(LINES)
def test_escaped_text_shows_exactly_its_characters(text: str) -> None:
    document = pypandoc.convert_text(f"x {escape(text)} x", "json", format="markdown")
    (paragraph,) = json.loads(document)["blocks"]
    assert {inline["t"] for inline in paragraph["c"]} <= {"Str", "Space"}
    assert "".join(inline.get("c", "") for inline in paragraph["c"]) == "x" + "".join(text.split()) + "x"
