"""Write the bill of materials of a release: every locked package with its hashes, as CycloneDX 1.6.

    python scripts/write_sbom.py requirements/report.txt > sbom.cdx.json

Pandoc and Typst are programs inside packages, so they are listed on their own, with the versions that are installed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import pypandoc
from packaging.requirements import Requirement

import viputils

_ENTRY: Final = re.compile(r"^([A-Za-z0-9][^\\\n]*)\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", re.MULTILINE)


def components(lock: str) -> Iterator[dict[str, Any]]:
    """Yield a component for each package of a lock, with the hash of each of its files."""
    for entry, hashes in _ENTRY.findall(lock):
        needed = Requirement(entry.strip())
        version = str(needed.specifier).removeprefix("==")
        page = f"https://pypi.org/project/{needed.name}/{version}/#files"
        found = [{"alg": "SHA-256", "content": one} for one in re.findall(r"[0-9a-f]{64}", hashes)]
        yield {
            "type": "library",
            "bom-ref": f"{needed.name}=={version}",
            "name": needed.name,
            "version": version,
            "purl": f"pkg:pypi/{needed.name}@{version}",
            "externalReferences": [{"type": "distribution", "url": page, "hashes": found}],
            **({"properties": [{"name": "viputils:marker", "value": str(needed.marker)}]} if needed.marker else {}),
        }


def bill(lock: str, when: datetime) -> dict[str, Any]:
    """Return the bill of materials. The same lock and time have the same bill."""
    version = viputils.__version__
    pandoc: str = pypandoc.get_pandoc_version()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, f"viputils {version} {when.isoformat()} {lock}").urn,
        "version": 1,
        "metadata": {
            "timestamp": when.isoformat().replace("+00:00", "Z"),
            "component": {
                "type": "application",
                "bom-ref": f"viputils=={version}",
                "name": "viputils",
                "version": version,
                "purl": f"pkg:pypi/viputils@{version}",
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": [
            *components(lock),
            {
                "type": "application",
                "bom-ref": f"pandoc=={pandoc}",
                "name": "pandoc",
                "version": pandoc,
                "purl": f"pkg:github/jgm/pandoc@{pandoc}",
                "description": "The program inside the package pypandoc-binary",
                "licenses": [{"license": {"id": "GPL-2.0-or-later"}}],
            },
        ],
    }


def written(lock: Path) -> str:
    """Return the bill of a lock file as text, with the time of ``SOURCE_DATE_EPOCH``."""
    when = datetime.fromtimestamp(int(environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    return json.dumps(bill(lock.read_text(encoding="utf-8"), when), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written(Path(sys.argv[1])))
