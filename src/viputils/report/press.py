"""For the press and for slides: the one-page summary of an issue, and each of its charts with title and source."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, Final

from IPython.display import Markdown

from viputils.core.errors import Problem, RenderError
from viputils.report.layout import PROVISIONAL
from viputils.report.markdown import unescape
from viputils.report.render import Engine

# Mail programs read no style sheets.
_STYLES: Final = {
    "h1": "font-size: 24px; line-height: 1.25; color: #123640; margin: 0 0 4px;",
    "h2": "font-size: 19px; color: #123640; margin: 24px 0 8px;",
    "table": "border-collapse: collapse; width: 100%;",
    "caption": "text-align: left; font-weight: bold; padding: 0 0 6px;",
    "th": "border-bottom: 2px solid #123640; padding: 4px 6px;",
    "td": "border-bottom: 1px solid #cfd8da; padding: 4px 6px;",
}
_MAIL: Final = """\
<!DOCTYPE html>
<html lang="{lang}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family: Arial, Helvetica, sans-serif; font-size: 16px; line-height: 1.5; color: #1e2a2f; \
max-width: 640px; margin: 0 auto; padding: 16px;">
{body}</body>
</html>
"""
_IMAGE: Final = re.compile(r"^!\[(?P<caption>.*)\]\((?P<file>[^()\s]*)\)\{#(?P<name>[\w-]+) .*\}$", re.MULTILINE)
_CHART: Final = re.compile(rf"(?:^## .*\n+)?{_IMAGE.pattern}", re.MULTILINE)
_SOURCE: Final = re.compile(r' source="((?:[^"\\]|\\.)*)"')


def summary(notices: Markdown, points: Markdown, headline: Markdown, chart: Markdown) -> Markdown:
    """Return the summary of an issue: what a reader must know first, main points, headline numbers and one chart."""
    title = re.search(r"^## .*$", chart.data, re.MULTILINE)
    picture = _IMAGE.search(chart.data)
    drawn = [title[0], picture[0]] if title and picture else []
    table = headline.data
    if r"\[x\]" not in table and points.data:
        # The note below the main points says what the same mark means in the table.
        table = re.sub(r"\n::: \{\.note\}.*?\n:::", "", table, flags=re.DOTALL)
    return Markdown("\n\n".join(filter(None, [notices.data, points.data, table, *drawn])))


def write_summary(engine: Engine, pages: Path, notebook: Path, front_matter: Mapping[str, Any]) -> None:
    """Write the summary beside its notebook as PDF, as plain text and as HTML for a mail.

    Parameters
    ----------
    pages
        The folder of _quarto.yml.
    notebook
        The clean notebook of the summary.

    Raises
    ------
    RenderError
        If the summary does not fit on one page, even without its chart.
    """
    engine.render(pages, notebook, ["pdf"])
    if _pages_of(notebook) > 1:
        # The issue shows the chart too.
        notebook.write_text(_without_chart(notebook.read_text(encoding="utf-8")), encoding="utf-8", newline="")
        engine.render(pages, notebook, ["pdf"])
        if (number := _pages_of(notebook)) > 1:
            what = f"has {number} pages, even without its chart;"
            remedy = (
                "shorten report.headline or the labels of its measures in program.toml, so that one page is enough."
            )
            problem = Problem(notebook.with_suffix(".pdf").name, what, remedy)
            raise RenderError("The summary is too long for one page.", [problem])
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = "\n\n".join(
        "".join(output["data"]["text/markdown"]) for cell in cells for output in cell.get("outputs", ())
    )
    # Mail programs hide pictures.
    shown = _CHART.sub("", shown)
    vip = front_matter["vip"]
    head = f"# {vip['program']}: {vip['report']}, {vip['month']}\n\n{vip['city']}, {vip['department']}"
    if "draft" in vip:
        head += f"\n\n**{vip['draft']}**"
    foot = f"{vip['words-as-of']} {vip['as-of']}. {vip['site']}"
    text = "\n\n".join([head, shown, foot])
    with ThreadPoolExecutor(2) as pool:
        plain, page = pool.map(lambda to: _converted(text, to), ("plain", "html"))
    page = re.sub(rf'<({"|".join(_STYLES)})(?: style="([^"]*)")?(?=[ >])', _styled, page)
    title = html.escape(unescape(f"{vip['report']}, {vip['month']}"))
    notebook.with_suffix(".txt").write_text(plain, encoding="utf-8", newline="")
    mail = _MAIL.format(lang=html.escape(front_matter["lang"]), title=title, body=page)
    notebook.with_suffix(".html").write_text(mail, encoding="utf-8", newline="")


def _pages_of(notebook: Path) -> int:
    """Return the number of pages of the PDF beside a notebook."""
    return len(re.findall(rb"/Type\s*/Page\b", notebook.with_suffix(".pdf").read_bytes()))


def _without_chart(notebook: str) -> str:
    """Return a notebook without its charts and their titles."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        for output in cell.get("outputs", ()):
            shown = "".join(output["data"]["text/markdown"])
            output["data"]["text/markdown"] = _CHART.sub("", shown)
    return json.dumps(content)


def _styled(tag: re.Match[str]) -> str:
    return f'<{tag[1]} style="{_STYLES[tag[1]]} {tag[2] or ""}"'


def _converted(markdown: str, to: str) -> str:
    import pypandoc

    options = ["--columns=80"] if to == "plain" else ["--wrap=none"]
    return str(pypandoc.convert_text(markdown, to, format="markdown-yaml_metadata_block", extra_args=options))


def first_point(summary: Any) -> str:
    """Return the first main point of a summary's notebook as plain text."""
    for cell in summary.cells:
        for output in cell.get("outputs", ()):
            if point := re.search(r"^- (.*)$", output["data"]["text/markdown"], re.MULTILINE):
                # Where it is shown alone, nothing explains the mark.
                return unescape(point[1]).replace(f" {PROVISIONAL}", "")
    return ""


# ---------------------------------------------------------------- Pictures for slides and for links

# What a link to the issue shows in social media: 1200 x 630.
CARD: Final = "card.png"
# How the names of the summary's files end.
SUMMARY: Final = "-summary"
_CARD: Final = """\
#set page(width: 10in, height: 5.25in, margin: 0.6in, fill: rgb("#123640"))
#set text(font: "Public Sans", size: 17pt, fill: white, hyphenate: false)
#let said = json(bytes(sys.inputs.words))
#text(weight: 600, tracking: 0.06em, upper(said.program))
#v(4pt)
#text(size: 24pt, weight: 700, said.report)
#h(8pt)
#text(size: 24pt, said.month)
#v(1fr)
#block(height: 2.1in, clip: true, text(size: if said.point.len() > 130 { 20pt } else { 27pt }, weight: 600, said.point))
#v(1fr)
#grid(columns: (1fr, auto), said.publisher, said.mark)
"""

# 16:9, title and source on the left, the chart on the right.
_PIXELS_PER_INCH: Final = 120.0
_SLIDE: Final = """\
#set page(width: 13.333in, height: 7.5in, margin: 0.7in, fill: white)
#set text(font: "Public Sans", size: 17pt, fill: rgb("#1e2a2f"), hyphenate: false)
#set par(leading: 0.6em)
#let said = json(bytes(sys.inputs.words))
#grid(
  columns: (3.9in, 1fr),
  column-gutter: 0.5in,
  block(height: 6.1in, {
    text(size: 30pt, weight: 700, fill: rgb("#123640"), said.title)
    v(8pt)
    text(said.caption)
    v(1fr)
    text(size: 13pt, fill: rgb("#4d5d64"), said.source)
  }),
  align(horizon, image(bytes(sys.inputs.drawing), format: "svg", width: 7.5in, height: 6.1in, fit: "contain")),
)
"""


def slides(copy: Any, images: Mapping[str, bytes], fonts: Path, draft: str = "") -> dict[str, bytes]:
    """Return each chart of an issue as a picture for slides, under the name of its drawing and ``-slide.png``.

    Parameters
    ----------
    copy
        The clean notebook of the issue.
    images
        Its drawings, by path.
    draft
        What marks a draft.

    Raises
    ------
    RenderError
        If a picture cannot be made.
    """
    found = {}
    for cell in copy.cells:
        for output in cell.get("outputs", ()):
            text = output["data"]["text/markdown"]
            title = re.search(r"^##+ (.*)$", text, re.MULTILINE)
            for image in _IMAGE.finditer(text):
                source = _SOURCE.search(image[0])
                said = {
                    "title": unescape(title[1]) if title else "",
                    "caption": unescape(image["caption"]),
                    "source": "\n".join(filter(None, [draft, re.sub(r"\\(.)", r"\1", source[1]) if source else ""])),
                }
                found[image["file"]] = said
    drawn = {file: said for file, said in found.items() if file in images}
    with ThreadPoolExecutor(max(len(drawn), 1)) as pool:
        made = pool.map(lambda file: _slide(file, images[file], drawn[file], fonts), drawn)
        return {slide_of(file): data for file, data in zip(drawn, made, strict=True)}


def link_slides(copy: Any) -> None:
    """Let each chart of an issue's notebook name its picture for slides, to which the HTML page has a link."""
    for cell in copy.cells:
        for output in cell.get("outputs", ()):
            text = output["data"]["text/markdown"]
            output["data"]["text/markdown"] = _IMAGE.sub(
                lambda image: f'{image[0][:-1]} slide="{slide_of(image["file"])}"}}', text
            )


def slide_of(drawing: str) -> str:
    """Return the path of the picture for slides of a drawing."""
    path = PurePosixPath(drawing)
    return str(path.with_name(f"{path.stem}-slide.png"))


def _slide(name: str, drawing: bytes, said: Mapping[str, str], fonts: Path) -> bytes:
    return _picture(name, _SLIDE, fonts, {"drawing": drawing.decode("utf-8"), "words": json.dumps(said)})


def card(front_matter: Mapping[str, Any], point: str, fonts: Path) -> bytes:
    """Return the picture that a link to an issue shows in social media: its title and its first main point."""
    vip = {name: unescape(value) for name, value in front_matter["vip"].items() if isinstance(value, str)}
    said = {name: vip[name] for name in ("program", "report", "month")}
    said |= {"publisher": f"{vip['city']}, {vip['department']}", "mark": vip.get("mark", ""), "point": point}
    return _picture(CARD, _CARD, fonts, {"words": json.dumps(said)})


def _picture(name: str, page: str, fonts: Path, inputs: Mapping[str, str]) -> bytes:
    import typst

    compile_picture: Any = typst.compile
    try:
        picture = compile_picture(
            page.encode(),
            format="png",
            ppi=_PIXELS_PER_INCH,
            font_paths=[fonts],
            ignore_system_fonts=True,
            sys_inputs=dict(inputs),
        )
    except typst.TypstError as error:
        raise RenderError("A picture cannot be made.", [Problem(name, f"{error.message}.")]) from None
    if not isinstance(picture, bytes):
        problem = Problem(name, "does not fit;", "shorten the names in program.toml.")
        raise RenderError("A picture cannot be made.", [problem])
    return picture
