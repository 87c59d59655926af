"""Write report/theme/reference.docx, which defines the styles, page, header and footer of the Word edition.

The colors are from report/theme/report.css. Run the script again after you change them or this script:
`.venv/bin/python scripts/write_reference_docx.py`.

Everything else (numbering, footnotes, the theme) is Pandoc's default. The fields in the header and footer show the text
that has the character style they name. `viputils.report.render.word` fills them in for programs that do not update
fields.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pypandoc

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "report" / "theme" / "reference.docx"

W: Final = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
FONT: Final = "Public Sans"
# Fallback fonts for computers without Public Sans, in order.
FALLBACK: Final = "Segoe UI,Helvetica Neue,Arial"

# In twentieths of a point, the unit of Word: US Letter with the margins of the PDF.
PAGE_WIDTH, PAGE_HEIGHT, SIDE, TOP, BOTTOM = 12240, 15840, 1368, 1440, 1296
TEXT_WIDTH: Final = PAGE_WIDTH - 2 * SIDE


def colors() -> dict[str, str]:
    """Return the palette of the report: the custom properties of the first :root, as RRGGBB."""
    css = (ROOT / "report" / "theme" / "report.css").read_text(encoding="utf-8")
    root = re.search(r"^:root\s*\{(.*?)^\}", css, re.DOTALL | re.MULTILINE)
    return {name: value.upper() for name, value in re.findall(r"--([\w-]+):\s*#(\w{6})\b", root[1] if root else "")}


def spacing(before: float = 0, after: float = 0, line: float = 1.0) -> str:
    """Return the spacing before and after in points, and the line height."""
    return (
        f'<w:spacing w:before="{before * 20:.0f}" w:after="{after * 20:.0f}" '
        f'w:line="{line * 240:.0f}" w:lineRule="auto"/>'
    )


def letters(size: float | None = None, color: str | None = None, bold: bool = False, more: str = "") -> str:
    """Return the properties of text: size in points, color as RRGGBB. The order is that of the standard."""
    parts = ["<w:b/><w:bCs/>" if bold else "", more]
    parts.append(f'<w:color w:val="{color}"/>' if color else "")
    parts.append(f'<w:sz w:val="{size * 2:.0f}"/><w:szCs w:val="{size * 2:.0f}"/>' if size else "")
    return "".join(parts)


def paragraph_style(
    name: str, based_on: str = "Normal", paragraph: str = "", run: str = "", follow: str = "", level: int | None = None
) -> tuple[str, str]:
    """Return the id and XML of a paragraph style. With a level, it is a heading."""
    own = name in BUILT_IN
    identifier = (name.title() if own else name).replace(" ", "")
    kind = "" if own else 'w:customStyle="1" '
    kind += 'w:default="1" ' if name == "Normal" else ""
    above = "" if name == "Normal" else f'<w:basedOn w:val="{based_on}"/>'
    above += f'<w:next w:val="{follow}"/>' if follow else ""
    outline = "" if level is None else f'<w:outlineLvl w:val="{level}"/>'
    text = (
        f'<w:style w:type="paragraph" {kind}w:styleId="{identifier}"><w:name w:val="{name}"/>{above}'
        f"<w:qFormat/><w:pPr>{paragraph}{outline}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
    )
    return identifier, text


def character_style(name: str, run: str = "") -> tuple[str, str]:
    """Return the id and XML of a character style."""
    identifier = name.replace(" ", "")
    text = (
        f'<w:style w:type="character" w:customStyle="1" w:styleId="{identifier}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="DefaultParagraphFont"/><w:qFormat/><w:rPr>{run}</w:rPr></w:style>'
    )
    return identifier, text


BUILT_IN: Final = {
    "Normal", "Body Text", "Title", "Subtitle", "caption", "header", "footer",
    "heading 1", "heading 2", "heading 3", "heading 4",
}  # fmt: skip


def border(side: str, color: str, eighths: int, space: int) -> str:
    """Return one border of a box, with its width in eighths of a point."""
    return f'<w:{side} w:val="single" w:sz="{eighths}" w:space="{space}" w:color="{color}"/>'


def padded(left: str, ground: str) -> str:
    """Return the borders of a box: a visible one on the left, and invisible ones as padding."""
    others = {side: border(side, ground, 4, 6) for side in ("top", "bottom", "right")}
    return others["top"] + border("left", left, 24, 10) + others["bottom"] + others["right"]


def styles(c: dict[str, str]) -> dict[str, str]:
    """Return our own styles by id."""
    keep = "<w:keepNext/><w:keepLines/>"
    box = (
        '<w:keepLines/><w:pBdr>{}</w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="{}"/>{}'
        '<w:ind w:left="260" w:right="180"/>'
    )
    notice = box.format(padded(c["sand"], c["sand-wash"]), c["sand-wash"], spacing(0, 14, 1.2))
    provenance = box.format(padded(c["line"], c["wash"]), c["wash"], spacing(0, 14, 1.15))
    tabs = (
        f'<w:tabs><w:tab w:val="center" w:pos="{TEXT_WIDTH // 2}"/><w:tab w:val="right" w:pos="{TEXT_WIDTH}"/></w:tabs>'
    )
    running = letters(8, c["muted"])
    own = [
        paragraph_style("Normal", run="", paragraph=spacing(0, 0, 1.0)),
        paragraph_style("Body Text", paragraph=spacing(0, 8, 1.25)),
        paragraph_style("Lead", "BodyText", "<w:keepNext/>"),
        paragraph_style("First Paragraph", "BodyText", follow="BodyText"),
        paragraph_style("Compact", "BodyText", spacing(0, 4, 1.25)),
        # The cover is a block at the top of the first page.
        paragraph_style(
            "Program", paragraph=keep + spacing(0, 6), run=letters(11, c["ink"], True, "<w:caps/>"), follow="Title"
        ),
        paragraph_style(
            "Title", paragraph=keep + spacing(0, 0, 1.05), run=letters(28, c["ink"], True), follow="Subtitle"
        ),
        paragraph_style(
            "Subtitle",
            paragraph=f"{keep}<w:pBdr>{border('bottom', c['sand'], 24, 10)}</w:pBdr>{spacing(0, 12, 1.05)}",
            run=letters(24, c["ink"]),
            follow="BodyText",
        ),
        paragraph_style("Publisher", paragraph=spacing(0, 2, 1.15), run=letters(11, c["ink"])),
        paragraph_style("As Of", paragraph=spacing(0, 14, 1.15), run=letters(9.5, c["muted"])),
        paragraph_style(
            "heading 1",
            paragraph=keep + spacing(22, 8, 1.1),
            run=letters(17, c["ink"], True),
            follow="BodyText",
            level=0,
        ),
        paragraph_style(
            "heading 2",
            paragraph=keep + spacing(14, 4, 1.1),
            run=letters(12, c["ink"], True),
            follow="BodyText",
            level=1,
        ),
        paragraph_style(
            "heading 3",
            paragraph=keep + spacing(10, 4, 1.1),
            run=letters(10.5, c["ink"], True),
            follow="BodyText",
            level=2,
        ),
        paragraph_style(
            "heading 4",
            paragraph=keep + spacing(8, 4, 1.1),
            run=letters(10.5, c["muted"], True),
            follow="BodyText",
            level=3,
        ),
        paragraph_style("Tile", paragraph="<w:keepNext/>" + spacing(0, 2, 1.1)),
        paragraph_style("caption", paragraph=keep + spacing(14, 5, 1.1), run=letters(10, c["ink"], True)),
        paragraph_style("Chart", paragraph="<w:keepLines/>" + spacing(0, 8)),
        paragraph_style("Table Text", paragraph="<w:keepNext/>" + spacing(2.5, 2.5), run=letters(10)),
        paragraph_style("Table Text Last", "TableText", '<w:keepNext w:val="0"/>'),
        paragraph_style("Note", paragraph="<w:keepLines/>" + spacing(7, 8, 1.15), run=letters(9, c["muted"])),
        paragraph_style("Notice", paragraph=notice),
        paragraph_style("Provenance", paragraph=provenance, run=letters(9.5, c["muted"])),
        paragraph_style(
            "header",
            paragraph=f"<w:pBdr>{border('bottom', c['line'], 4, 5)}</w:pBdr>{spacing()}",
            run=letters(7.5, c["muted"], True, "<w:caps/>"),
        ),
        paragraph_style("footer", paragraph=tabs + spacing(), run=running),
        character_style("Tile Number", letters(22, c["ink"], True)),
        character_style("Program Name"),
        character_style("Report Name"),
        character_style("Report Month"),
        character_style("Site", letters(bold=True)),
        character_style("Records Mark"),
    ]
    found = dict(own)
    found["Hyperlink"] = (
        '<w:style w:type="character" w:styleId="Hyperlink"><w:name w:val="Hyperlink"/>'
        f'<w:basedOn w:val="DefaultParagraphFont"/><w:rPr>{letters(color=c["ink"])}<w:u w:val="single"/></w:rPr>'
        "</w:style>"
    )
    found["ReportTable"] = report_table(c)
    return found


def report_table(c: dict[str, str]) -> str:
    """Return the table style: lines between rows, with heavier ones below the header and above the total."""
    heavy, light = border("{}", c["ink"], 8, 0), border("{}", c["line"], 4, 0)
    return (
        '<w:style w:type="table" w:customStyle="1" w:styleId="ReportTable"><w:name w:val="Report Table"/>'
        '<w:basedOn w:val="Table"/><w:qFormat/><w:tblPr><w:tblBorders>'
        f"{light.format('bottom')}{light.format('insideH')}</w:tblBorders><w:tblCellMar>"
        '<w:left w:w="0" w:type="dxa"/><w:right w:w="160" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f'<w:tblStylePr w:type="firstRow"><w:rPr>{letters(color=c["muted"], bold=True)}</w:rPr>'
        f'<w:tcPr><w:tcBorders>{heavy.format("bottom")}</w:tcBorders><w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr>'
        f'<w:tblStylePr w:type="lastRow"><w:rPr>{letters(color=c["ink"], bold=True)}</w:rPr>'
        f"<w:tcPr><w:tcBorders>{heavy.format('top')}</w:tcBorders></w:tcPr></w:tblStylePr></w:style>"
    )


def field(instruction: str, shown: str) -> str:
    """Return a field with the text that it shows until it is updated."""
    return f'<w:fldSimple w:instr=" {instruction} "><w:r><w:t xml:space="preserve">{shown}</w:t></w:r></w:fldSimple>'


def words_of(style: str) -> str:
    """Return a field that shows the text with a character style."""
    return field(f"STYLEREF &quot;{style}&quot;", style)


def text(words: str) -> str:
    """Return plain text."""
    return f'<w:r><w:t xml:space="preserve">{words}</w:t></w:r>'


TAB: Final = "<w:r><w:tab/></w:r>"
HEADER: Final = text(" | ").join(words_of(style) for style in ("Program Name", "Report Name", "Report Month"))
FOOTER: Final = (
    words_of("Site") + TAB + words_of("Records Mark") + TAB + field("PAGE", "1") + text(" / ") + field("NUMPAGES", "1")
)

FONTS: Final = (
    f'{DECLARATION}<w:fonts {W}><w:font w:name="{FONT}"><w:altName w:val="{FALLBACK}"/><w:charset w:val="00"/>'
    '<w:family w:val="swiss"/><w:pitch w:val="variable"/></w:font></w:fonts>'
)
SETTINGS: Final = (
    f'{DECLARATION}<w:settings {W}><w:zoom w:percent="100"/><w:defaultTabStop w:val="720"/>'
    '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" '
    'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat><w:themeFontLang w:val="en-US"/>'
    '<w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
)
DOCUMENT: Final = (
    f'{DECLARATION}<w:document {W}><w:body><w:p><w:pPr><w:pStyle w:val="BodyText"/></w:pPr>'
    "<w:r><w:t>The styles of the report.</w:t></w:r></w:p><w:sectPr>"
    '<w:headerReference w:type="default" r:id="rId101"/><w:headerReference w:type="first" r:id="rId102"/>'
    '<w:footerReference w:type="default" r:id="rId103"/><w:footerReference w:type="first" r:id="rId104"/>'
    f'<w:pgSz w:w="{PAGE_WIDTH}" w:h="{PAGE_HEIGHT}"/><w:pgMar w:top="{TOP}" w:right="{SIDE}" w:bottom="{BOTTOM}" '
    f'w:left="{SIDE}" w:header="620" w:footer="560" w:gutter="0"/><w:titlePg/></w:sectPr></w:body></w:document>'
)
# The first page has a title instead of a running header.
PARTS: Final = {
    "header1": ("hdr", "header", "Header", HEADER),
    "header2": ("hdr", "header", "Normal", ""),
    "footer1": ("ftr", "footer", "Footer", FOOTER),
    "footer2": ("ftr", "footer", "Footer", FOOTER),
}


def reference() -> bytes:
    """Return the bytes of the file, which are the same on every machine."""
    plain = subprocess.run(
        [pypandoc.get_pandoc_path(), "--print-default-data-file", "reference.docx"], check=True, capture_output=True
    ).stdout
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    files |= {"word/fontTable.xml": FONTS, "word/settings.xml": SETTINGS, "word/document.xml": DOCUMENT}
    files["word/theme/theme1.xml"] = re.sub(
        r'<a:latin typeface="Aptos[^/]*/>', f'<a:latin typeface="{FONT}"/>', files["word/theme/theme1.xml"]
    )
    ours = styles(colors())
    sheet = files["word/styles.xml"]
    for identifier in ours:
        sheet = re.sub(rf'<w:style\b[^>]*w:styleId="{identifier}".*?</w:style>\s*', "", sheet, flags=re.DOTALL)
    # Remove the linked character styles of headings and titles, which have Pandoc's look.
    sheet = re.sub(
        r'<w:style\b[^>]*w:styleId="(?:Title|Subtitle|Heading\d)Char".*?</w:style>\s*', "", sheet, flags=re.DOTALL
    )
    sheet = re.sub(r'\s*<w:link w:val="(?:Title|Subtitle|Heading\d)Char"\s*/>', "", sheet)
    defaults = (
        f'<w:rPr><w:rFonts w:ascii="{FONT}" w:hAnsi="{FONT}" w:eastAsia="{FONT}" w:cs="{FONT}"/>'
        f'{letters(10.5, colors()["text"])}<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/></w:rPr>'
    )
    sheet = re.sub(r"(<w:rPrDefault>).*?(</w:rPrDefault>)", rf"\1{defaults}\2", sheet, flags=re.DOTALL)
    sheet = re.sub(r"(<w:pPrDefault>).*?(</w:pPrDefault>)", r"\1<w:pPr/>\2", sheet, flags=re.DOTALL)
    files["word/styles.xml"] = sheet.replace("</w:styles>", "".join(ours.values()) + "</w:styles>")
    relations, types = "", ""
    for number, (name, (root, kind, style, content)) in enumerate(PARTS.items(), start=101):
        paragraph = f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{content}</w:p>'
        files[f"word/{name}.xml"] = f"{DECLARATION}<w:{root} {W}>{paragraph}</w:{root}>"
        schema = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        relations += f'<Relationship Type="{schema}/{kind}" Id="rId{number}" Target="{name}.xml"/>'
        types += (
            f'<Override PartName="/word/{name}.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            f'wordprocessingml.{kind}+xml"/>'
        )
    # Remove the link of Pandoc's sample text.
    links = re.sub(r"<Relationship [^>]*TargetMode=\"External\"[^>]*/>", "", files["word/_rels/document.xml.rels"])
    files["word/_rels/document.xml.rels"] = links.replace("</Relationships>", relations + "</Relationships>")
    files["word/_rels/footnotes.xml.rels"] = re.sub(
        r"<Relationship [^>]*TargetMode=\"External\"[^>]*/>", "", files["word/_rels/footnotes.xml.rels"]
    )
    files["[Content_Types].xml"] = files["[Content_Types].xml"].replace("</Types>", types + "</Types>")
    files["docProps/core.xml"] = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "2023-01-01T00:00:00Z", files["docProps/core.xml"])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


if __name__ == "__main__":
    TARGET.write_bytes(reference())
    sys.stdout.write(f"{TARGET.relative_to(ROOT)}\n")
