"""Pages without Quarto: Pandoc and Typst from PyPI, with the settings and the theme that Quarto would use.

This is no second Quarto. It takes the few settings and constructs that the report needs and refuses every other one
by name, so that a page is either the one that Quarto would make or is not made at all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from viputils.config.page_settings import SETTINGS, UNREADABLE, path_in_pages
from viputils.core.errors import Problem, RenderError
from viputils.core.files import private_folder
from viputils.report.render.frontmatter import SITE_FOLDER, FrontMatter, read_front_matter
from viputils.report.render.word import finished

# What only Quarto understands. Pandoc would print it as it stands, or drop it.
_QUARTO_ONLY = {
    "a shortcode": r"(?<!\\)\{\{<.*",
    "a callout": r"^\s*:{3,}.*\bcallout-\w+.*",
    "a tabset": r"^\s*:{3,}.*\bpanel-tabset\b.*",
    "a layout": r"^\s*:{3,}.*(?:\blayout[\w-]*=|\.(?:column-|content-|panel-|aside\b)).*",
    "a cross-reference": r"(?<![\\\w])@(?:fig|tbl|sec|eq|lst|thm)-[\w-]+",
    "a cross-reference label": r"\{[^{}\n]*#(?:fig|tbl|sec|eq|lst|thm)-[^{}\n]*\}",
    "a raw or executable block": r"^\s*(?:`{3,}|~{3,})\s*\{[=\w].*",
    "a raw span": r"`\{=.*",
}

# The keys of _quarto.yml that have these values here, because the engine can do nothing else.
_FIXED: dict[str, tuple[Any, ...]] = {
    "project.type": ("default", "website"),
    "project.output-dir": (SITE_FOLDER,),
    "execute.enabled": (False,),
    "execute.echo": (False,),
    "format.html.theme": ("none",),
    "format.html.minimal": (True,),
}
# Those that name files of the project, and those that Pandoc takes as they are; None where it needs no telling.
_FILES = {
    "filters": "lua-filter",
    "format.html.template": "template",
    "format.html.css": "css",
    "format.typst.template": "template",
    "format.typst.template-partials": None,  # Pandoc finds them beside their template
    "format.typst.font-paths": None,
    "format.docx.template": "template",
    "format.docx.reference-doc": "reference-doc",
}
# What Pandoc calls the formats.
_WRITERS = {"html": "html", "pdf": "typst", "docx": "docx"}
_OPTIONS = {
    "project.render": None,  # which files `quarto render` takes by itself; here it is one notebook, or all of a site
    "website.title": None,
    "website.site-url": None,
    "from": None,
    "format.html.embed-resources": "embed-resources",
    "format.html.toc": "toc",
    "format.html.toc-depth": "toc-depth",
    "format.typst.shift-heading-level-by": "shift-heading-level-by",
    "format.typst.papersize": "variable=papersize",
    "format.typst.pdf-standard": None,
}


@dataclass(frozen=True)
class _Settings:
    """What _quarto.yml asks for: arguments of Pandoc for each format, and lists of values by key."""

    pandoc: dict[str, list[str]]
    values: dict[str, list[Any]]


@dataclass(frozen=True)
class _Document:
    """A notebook as Pandoc takes it."""

    folder: Path
    markdown: str
    front_matter: FrontMatter


@cache
def _versions() -> str:
    from importlib.metadata import version

    import pypandoc

    return f"Pandoc {pypandoc.get_pandoc_version()}, Typst {version('typst')}"


class EmbeddedEngine:
    """Makes HTML, PDF and DOCX with nothing but Python packages."""

    name = "embedded"

    def version(self) -> str:
        """Name Pandoc and Typst, each with its version."""
        return _versions()

    def render(self, project_root: Path, notebook: Path, formats: Sequence[str]) -> dict[str, Path]:
        """Write ``<stem>.html``, ``<stem>.pdf`` and ``<stem>.docx`` beside the notebook.

        Parameters
        ----------
        project_root
            The folder of _quarto.yml.
        notebook
            An executed notebook. Nothing in it is executed again.
        formats
            Any of ``"html"``, ``"pdf"`` and ``"docx"``. A DOCX shows the PNG that lies beside each SVG.

        Raises
        ------
        RenderError
            With every setting, cell or warning that stands in the way. Nothing is written then.
        """
        if wrong := [name for name in formats if name not in _WRITERS]:
            known = ", ".join(_WRITERS)
            raise RenderError(
                "The embedded engine cannot make every format.",
                [Problem("formats", f"{name!r} is not known;", f"known: {known}.") for name in wrong],
            )
        settings = _read_settings(project_root.resolve(), notebook.resolve().parent)
        document = _read_notebook(notebook.resolve())
        # Each is made by a program of its own, so that they need not wait for each other.
        with ThreadPoolExecutor(max(len(formats), 1)) as pool:
            pages = dict(zip(formats, pool.map(lambda name: _page(settings, document, name), formats), strict=True))
        paths = {name: notebook.with_suffix(f".{name}") for name in pages}
        for name, path in paths.items():
            path.write_bytes(pages[name])
        return paths

    def render_site(self, root: Path) -> Path:
        """Make a page of every notebook of a website project; give the folder that they lie in.

        Raises
        ------
        RenderError
            With everything that stands in the way of any page.
        """
        root = root.resolve()
        site = root / SITE_FOLDER

        def make(notebook: Path) -> list[Problem]:
            name = notebook.relative_to(root)
            try:
                page = _pandoc(_read_settings(root, notebook.parent), _read_notebook(notebook), "html")
            except RenderError as error:
                return [replace(one, where=f"{name.as_posix()}: {one.where}") for one in error.problems]
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).with_suffix(".html").write_bytes(page)
            return []

        notebooks = sorted(path for path in root.rglob("*.ipynb") if not path.is_relative_to(site))
        # Each page is made by a process of its own, so threads are enough to keep every core at it.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = [problem for found in pool.map(make, notebooks) for problem in found]
        if problems:
            raise RenderError("Not every page of the site could be made.", problems)
        return site


def _read_settings(root: Path, folder: Path) -> _Settings:
    """Read _quarto.yml, and refuse every key and value there that only Quarto could honor.

    Files are named as seen from the folder of the notebook, because Pandoc takes "#" or "%" in the name of a folder
    above the project for a part of a web address.
    """
    try:
        content = yaml.safe_load((root / SETTINGS).read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise RenderError("The settings of the pages cannot be read.", [Problem("_quarto.yml", str(error))]) from None
    settings = _Settings({writer: [] for writer in _WRITERS.values()}, {})
    problems = []
    for key, value in _leaves(content):
        values = value if isinstance(value, list) else [value]
        option = _FILES.get(key) or _OPTIONS.get(key)
        if key in _FIXED:
            if value not in _FIXED[key]:
                known = " or ".join(map(repr, _FIXED[key]))
                problems.append(Problem("_quarto.yml", f"{key} can only be {known} here, not {value!r}."))
        elif key in _FILES:
            # A filter may say at which of Quarto's stages it runs; here there is one.
            names = [each.get("path") if isinstance(each, dict) else each for each in values]
            values = [os.path.relpath(root / path_in_pages(str(name)), folder) for name in names]
            gone = [name for name in names if not (root / path_in_pages(str(name))).exists()]
            problems += [Problem("_quarto.yml", f"{key} names {name!r}, which is not there.") for name in gone]
        elif key not in _OPTIONS:
            remedy = "Take it out, or render with Quarto."
            problems.append(Problem("_quarto.yml", f"the embedded engine does not know the key {key!r}.", remedy))
        settings.values[key] = values
        for to, args in settings.pandoc.items():
            if option and (not key.startswith("format.") or key.startswith(f"format.{to}.")):
                args += [
                    f"--{option}" if each is True else f"--{option}={each}" for each in values if each is not False
                ]
    if problems:
        raise RenderError("The embedded engine cannot honor every setting.", problems)
    return settings


def _leaves(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    known = _FIXED.keys() | _FILES.keys() | _OPTIONS.keys()
    for name, value in content.items() if isinstance(content, dict) else ():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and any(other.startswith(f"{key}.") for other in known):
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _read_notebook(path: Path) -> _Document:
    """Take from a notebook what its page shows: the Markdown of its cells and outputs, in order."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RenderError("The notebook cannot be read.", [Problem(path.name, f"{error}")]) from None
    problems: list[Problem] = []
    try:
        front_matter = read_front_matter(path.name, cells)
    except RenderError as error:
        front_matter = None
        problems += error.problems
    parts: list[str] = []
    for number, cell in enumerate(cells[1:], start=2):
        where = f"{path.name}, cell {number}"
        for part in _shown(cell, where, problems):
            parts.append(part)
            for name, pattern in _QUARTO_ONLY.items():
                problems.extend(
                    Problem(where, f"holds {name}, which only Quarto understands: {found[0].strip()!r}.")
                    for found in re.finditer(pattern, part, re.MULTILINE)
                )
    if problems or front_matter is None:
        raise RenderError("The embedded engine cannot show every part of the notebook.", problems)
    return _Document(path.parent, "\n\n".join(parts) + "\n", front_matter)


def _shown(cell: dict[str, Any], where: str, problems: list[Problem]) -> Iterator[str]:
    """Yield what one cell shows. Code is never shown; an output that is not Markdown has no form on a page."""
    source = "".join(cell.get("source", ""))
    if cell.get("cell_type") == "markdown":
        yield source
    elif cell.get("cell_type") == "raw":
        problems.append(Problem(where, "is a raw cell;", "only the first cell can be one."))
    elif options := re.findall(r"^#\|.*", source, re.MULTILINE):
        problems += [
            Problem(where, f"holds a cell option, which only Quarto understands: {each!r}.") for each in options
        ]
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if output.get("output_type") == "error":
            problems.append(Problem(where, f"failed: {output.get('ename')}: {output.get('evalue')}."))
        elif "text/markdown" in data:
            yield "".join(data["text/markdown"])
        else:
            kind = ", ".join(data) or output.get("name") or output.get("output_type")
            problems.append(Problem(where, f"shows {kind} and no text/markdown.", "Display Markdown(…) instead."))


def _page(settings: _Settings, document: _Document, name: str) -> bytes:
    page = _pandoc(settings, document, _WRITERS[name])
    if name == "pdf":
        return _typst(settings, document, page)
    return finished(page) if name == "docx" else page


def _pandoc(settings: _Settings, document: _Document, to: str) -> bytes:
    """Run Pandoc. What it warns of would be missing from the page, so a warning is an error."""
    import pypandoc

    reader = settings.values.get("from", ["markdown"])[0]
    with private_folder("page") as scratch:
        metadata = scratch / "metadata.json"
        metadata.write_text(json.dumps(document.front_matter.metadata, default=str), encoding="utf-8")
        command = [
            pypandoc.get_pandoc_path(),
            # The metadata come from the first cell alone, never from what looks like metadata in a text.
            f"--from={reader}-yaml_metadata_block-pandoc_title_block",
            f"--to={to}",
            "--standalone",
            "--wrap=none",
            f"--metadata-file={metadata}",
            "--resource-path=.",
            f"--data-dir={scratch}",  # a user's own templates and filters have no part in an issue
            "--fail-if-warnings",
            *settings.pandoc[to],
        ]
        env = document.front_matter.environment()
        done = subprocess.run(  # noqa: S603 - Pandoc of the pinned package, with arguments made here
            command, input=document.markdown.encode(), capture_output=True, cwd=document.folder, env=env, check=False
        )
    if done.returncode:
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise RenderError("Pandoc could not make the page.", [Problem("Pandoc", line) for line in lines])
    return done.stdout


def _typst(settings: _Settings, document: _Document, source: bytes) -> bytes:
    """Run Typst, which reads no file outside the folder of the notebook but the project's fonts."""
    import typst

    # Its stubs want the source, the root and the fonts to be of one type, which they need not be.
    compile_with_warnings: Any = typst.compile_with_warnings
    try:
        pdf, warnings = compile_with_warnings(
            source,
            root=document.folder,
            font_paths=[document.folder / name for name in settings.values.get("format.typst.font-paths", [])],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=settings.values.get("format.typst.pdf-standard", []),
            timestamp=document.front_matter.timestamp,
        )
    except typst.TypstError as error:
        problems = [Problem("Typst", error.message, " ".join(error.hints))]
        raise RenderError("Typst could not make the page.", problems) from None
    if warnings:
        raise RenderError("Typst warned of a fault in the page.", [Problem("Typst", w.message) for w in warnings])
    return bytes(pdf)
