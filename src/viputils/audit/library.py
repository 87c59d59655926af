"""The code and catalogs of viputils: where they are, and one checksum of all of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from viputils.records.checksums import checksum

# The folder of the library.
LIBRARY_FOLDER: Final = Path(__file__).parents[1]


def library_checksum() -> str:
    """Return one checksum of all code and catalogs of the library."""
    files = sorted(path for kind in ("*.py", "*.po", "*.pot") for path in LIBRARY_FOLDER.rglob(kind))
    lines = "".join(f"{path.relative_to(LIBRARY_FOLDER)} {checksum(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def absolute_imports(env: dict[str, str], cwd: Path) -> None:
    """Make the folders of ``PYTHONPATH`` absolute, so that a process in another folder finds them."""
    if path := env.get("PYTHONPATH"):
        env["PYTHONPATH"] = os.pathsep.join(str(cwd / part) for part in path.split(os.pathsep))
