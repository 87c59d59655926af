"""The code of viputils itself: one checksum of all of it, as it lies there now and as this process read it.

A process that runs long works on with what it read, and nothing that it makes may name other code.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from viputils.checksums import checksum


def library_checksum() -> str:
    """Give one checksum of all code of the library as it lies there now."""
    package = Path(__file__).parent
    files = sorted(package.rglob("*.py"))
    lines = "".join(f"{path.relative_to(package)} {checksum(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


# Taken before most of it is read: what changes in between is noticed, and never passes for what was read.
LIBRARY_AS_READ: Final = library_checksum()
