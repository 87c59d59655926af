"""The pages for readers: their links lead somewhere, their pictures are shown, their commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.support.projects import REPOSITORY
from viputils.cli.main import app

TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
PAGES = [*(REPOSITORY / name for name in TOP), *sorted((REPOSITORY / "docs").glob("*.md"))]
NAMES = [path.relative_to(REPOSITORY).as_posix() for path in PAGES]


def _prose(page: str) -> str:
    """Return a page without its blocks of code."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^ {4,}.*$", "", text, flags=re.MULTILINE)


def _anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links(page: str) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", _prose(page))
    return [link for link in found if not re.match(r"https?://", link)]


@pytest.mark.parametrize("page", NAMES)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: str) -> None:
    for link in _links(page):
        name, _, anchor = link.partition("#")
        target = (REPOSITORY / page).parent / name if name else REPOSITORY / page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target), link


def test_every_page_is_on_the_map_of_the_docs() -> None:
    listed = {link.partition("#")[0] for link in _links("CONTRIBUTING.md")}
    assert {name for name in NAMES if name != "CONTRIBUTING.md"} <= listed


def test_readers_meet_one_word_for_sample_data() -> None:
    paths = [*PAGES, *(REPOSITORY / "report").rglob("*.md"), *(REPOSITORY / "notebooks").glob("*.ipynb")]
    paths += [REPOSITORY / "program.toml", REPOSITORY / "data" / "raw" / "README.md"]
    for path in paths:
        other = re.findall(r"(?i)demonstration records?|synthetic", path.read_text(encoding="utf-8"))
        assert not other, path.name


def test_every_picture_is_shown_on_a_page_and_is_small() -> None:
    shown = {((REPOSITORY / page).parent / link).resolve() for page in NAMES for link in _links(page)}
    pictures = sorted((REPOSITORY / "docs" / "images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.resolve() in shown, picture.name
        assert picture.stat().st_size < 200_000, picture.name


def _commands(page: str) -> list[list[str]]:
    """Return the words of every ``.venv/bin/vip`` command line of a page, without remarks and redirections."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    lines = re.findall(r"^ {4,}\.venv/bin/vip (.+)$", text, flags=re.MULTILINE)
    return [shlex.split(line.partition(" > ")[0], comments=True) for line in lines]


def test_every_command_line_has_arguments_and_options_that_the_command_takes() -> None:
    group: Any = typer.main.get_command(app)
    looked_at: set[str] = set()
    for page in NAMES:
        for words in _commands(page):
            place = next(number for number, word in enumerate(words) if word in group.commands)
            name, rest = words[place], words[place + 1 :]
            with group.make_context("vip", words[: place + 1]) as context:
                group.commands[name].make_context(name, rest, parent=context).close()
            looked_at.add(name)
    assert {"intake", "new", "report", "publish", "site", "verify", "trace", "reproduce", "revisions"} <= looked_at
    assert {"changes", "figures", "check", "export", "backfill", "preview"} <= looked_at


def test_every_target_of_make_that_a_page_names_is_in_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    for page in NAMES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^ {4,}|`)make ([a-z-]+)", text, flags=re.MULTILINE))
        assert named <= targets, page
