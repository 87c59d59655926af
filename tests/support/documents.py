"""A small handwritten executed notebook for tests of the engines."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import v4

from tests.support.projects import REPOSITORY

ALT = 'Bar chart of responses by month: July 48, August 62, "September" 51, October 69, November 90.'


QUOTED_ALT = ALT.replace('"', '\\"')


FRONT_MATTER: dict[str, Any] = {
    "title": "Violence Intervention Program Monthly Informational Report, November 2023",
    "lang": "en",
    "date": "2023-12-04",
    "author": "City of Albuquerque, Albuquerque Community Safety",
    "vip": {
        "program": "Violence Intervention Program",
        "report": "Monthly Informational Report",
        "month": "November 2023",
        "city": "City of Albuquerque",
        "department": "Albuquerque Community Safety",
        "site": "CABQ.GOV/VIP",
        "running-header": "VIOLENCE INTERVENTION PROGRAM | MONTHLY INFORMATIONAL REPORT | NOVEMBER 2023",
        "as-of": "December 4, 2023",
        "demonstration": "These are demonstration records. No record stands for a real person.",
    },
}


INTRODUCTION = """\
## Introduction to VIP

The program reaches the people most likely to be hurt.

### Custom Notifications

Peer support workers and officers go to meet a person together.

### Referrals

Most candidates are found in crime data.
"""


NOTICE = "::: {.notice}\n**These are demonstration records.** No record stands for a real person.\n:::"


TILES = """\
## Impact by the numbers

::: {.tiles}
- **2,599** adults assisted
- **101** children assisted
- **4,666** referrals made
- **2,446** outreach operations
:::
"""


RESPONSES = """\
## Responses

::: {.columns}
::: {.column}
| Incident type | Nov | FYTD |
|:--|--:|--:|
| Gun/Other Violence | 55 | 178 |
| DV/Sexual Assault | 7 | 39 |
| Homicide | 5 | 20 |
| Other Deaths | 11 | 43 |
| Suicide | 7 | 15 |
| Other | 5 | 25 |
| **Total** | **90** | **320** |

: Responses by incident type
:::

::: {.column}
| Area command | Nov | FYTD |
|:--|--:|--:|
| Southeast | 33 | 133 |
| Southwest | 5 | 45 |
| Valley | 7 | 47 |
| Foothills | 11 | 28 |
| Northeast | 27 | 44 |
| Northwest | 7 | 22 |
| **Total** | **90** | **319** |

: Responses by area command
:::
:::

::: {.note}
One response has no area command on record.
:::
"""


CHART = f"""\
### Responses by month

![Responses in each month of the fiscal year](charts/responses-by-month.svg){{.chart fig-alt="{QUOTED_ALT}"}}

| Month | Responses |
|:--|--:|
| October 2023 | 69 |
| November 2023 | 90 |

: Responses by month
"""


ACTIVITIES = """\
## Significant response activities

### Community healing

The team went from door to door and offered emotional support, see [the site](https://www.cabq.gov/vip).
"""


PROVENANCE = "## About these figures\n\n::: {.provenance}\nMade from records received by December 4, 2023.\n:::"


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="480" height="290" viewBox="0 0 480 290">'
    '<path d="M40 250V150H90V250ZM140 250V120H190V250ZM240 250V60H290V250Z" fill="#123640"/></svg>'
)


def cell(*markdown: str, source: str = "secret_source_code()") -> Any:
    """Return a code cell that shows each text, as in the report's notebook."""
    outputs = [
        v4.new_output("display_data", data={"text/markdown": text, "text/plain": "<Markdown object>"})
        for text in markdown
    ]
    return v4.new_code_cell(source, outputs=outputs)


def front_matter(metadata: dict[str, Any]) -> Any:
    return v4.new_raw_cell("---\n" + yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True) + "---")


def issue_cells() -> list[Any]:
    return [
        cell(NOTICE),
        cell(INTRODUCTION),
        cell(TILES),
        cell(RESPONSES),
        cell(CHART),
        v4.new_markdown_cell(ACTIVITIES),
        cell(PROVENANCE),
    ]


def project(folder: Path) -> Path:
    """Return a project folder with the theme and settings of this repository."""
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "_quarto.yml", folder)
    for part in ("theme", "fonts"):
        shutil.copytree(REPOSITORY / "report" / part, folder / "report" / part)
    return folder


def issue(root: Path, *cells: Any, metadata: dict[str, Any] | None = None) -> Path:
    """Return an issue folder with a chart and an executed notebook with the given cells after the front matter."""
    folder = root / "issues" / "2023-11"
    (folder / "charts").mkdir(parents=True)
    (folder / "charts" / "responses-by-month.svg").write_text(SVG, encoding="utf-8")
    notebook = v4.new_notebook(cells=[front_matter(metadata or FRONT_MATTER), *(cells or issue_cells())])
    for number, each in enumerate(notebook.cells):
        each["id"] = f"cell-{number}"
    nbformat.write(notebook, folder / "vip-2023-11.ipynb")
    return folder / "vip-2023-11.ipynb"


HOSTILE = [
    r"<script>alert(1)</script>",
    r"<img src=x onerror=alert(1)>",
    r"#import 'x.typ' and #panic()",
    r"$x^2$ and \textbf{bold}",
    r"`#panic()`",
    r"@somebody and <label> and // no comment",
    r"// vip: the next one //",
    r"[@citation]",
    r"\{\{\< include ../secret.txt \>\}\}",
]


def same(text: str) -> str:
    """Return a text without differences of typography and line ends."""
    return re.sub(r"[\s'\"\u2018\u2019\u201c\u201d]", "", text)
