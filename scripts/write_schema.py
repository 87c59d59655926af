"""Write docs/manifest.schema.json from the model of manifests."""

from __future__ import annotations

import json
from pathlib import Path

from viputils.audit.manifest import Manifest

schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Manifest.model_json_schema(by_alias=True)}
target = Path(__file__).parents[1] / "docs" / "manifest.schema.json"
target.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="")
