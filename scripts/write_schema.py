"""Write docs/manifest.schema.json, docs/program.schema.json and docs/program.md from the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from viputils.audit.manifest import Manifest
from viputils.config.program_schema import program_page, program_schema

DOCS = Path(__file__).parents[1] / "docs"


def written(schema: dict[str, Any]) -> str:
    """Return a schema as the text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def pages() -> dict[str, str]:
    """Return the text of each file, by its name in docs."""
    manifest = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Manifest.model_json_schema(by_alias=True)}
    return {
        "manifest.schema.json": written(manifest),
        "program.schema.json": written(program_schema()),
        "program.md": program_page(),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="")
