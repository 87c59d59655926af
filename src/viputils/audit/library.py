"""The code and catalogues of viputils: one checksum of all of it, as it lies there now and as this process read it.

A process that runs long works on with what it read, and nothing that it makes may name other code.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from viputils.core.errors import ManifestError, Problem
from viputils.records.checksums import checksum

# The folder of the library.
LIBRARY_FOLDER: Final = Path(__file__).parents[1]


def library_checksum() -> str:
    """Give one checksum of all code and catalogues of the library as they lie there now."""
    files = sorted(path for kind in ("*.py", "*.po", "*.pot") for path in LIBRARY_FOLDER.rglob(kind))
    lines = "".join(f"{path.relative_to(LIBRARY_FOLDER)} {checksum(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


# What a kernel is told of the library of the process that it works for.
VARIABLE: Final = "VIP_LIBRARY"

# Taken before most of it is read: what changes in between is noticed, and never passes for what was read.
LIBRARY_AS_READ: Final = library_checksum()


def absolute_imports(env: dict[str, str], cwd: Path) -> None:
    """Let what is imported from ``PYTHONPATH`` be found from any other folder, too."""
    if path := env.get("PYTHONPATH"):
        env["PYTHONPATH"] = os.pathsep.join(str(cwd / part) for part in path.split(os.pathsep))


def require_one_library() -> None:
    """Refuse to work for a process that has read another viputils than this one.

    Raises
    ------
    ManifestError
        Naming where this one lies.
    """
    if os.environ.get(VARIABLE, LIBRARY_AS_READ) != LIBRARY_AS_READ:
        problem = Problem(
            str(LIBRARY_FOLDER),
            "is what this kernel has read, and it works for a process that has read another one;",
            "install one of them only, and name it in PYTHONPATH by its whole path.",
        )
        raise ManifestError("The notebook would run other code than the issue names.", [problem])
