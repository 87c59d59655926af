"""List the license of each installed package, from what the packages say about themselves.

python scripts/list_licenses.py
"""

from __future__ import annotations

from importlib.metadata import Distribution, distributions
from typing import Final

UNKNOWN: Final = "not stated"
PANDOC: Final = """\
pypandoc_binary contains the program Pandoc, which is under the GNU General Public License, version 2 or later. viputils
starts it as a separate program and does not link to it. If you pass on .venv, or an image that contains it, you pass on
Pandoc as well, and must offer its source: https://github.com/jgm/pandoc."""


def license_of(package: Distribution) -> str:
    """Return the license that a package states: an expression, classifiers, or the first line of a text."""
    about = package.metadata
    classifiers = [
        one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or [] if one.startswith("License :: ")
    ]
    stated = [one.strip().partition("\n")[0] for one in about.get_all("License") or []]
    return ", ".join(about.get_all("License-Expression") or sorted(classifiers) or stated) or UNKNOWN


def listed() -> str:
    """Return a table of all installed packages, and a note about Pandoc."""
    found = {one.metadata["Name"]: one for one in distributions()}
    width = max(map(len, found))
    lines = [
        f"{name:{width}}  {one.version:14} {license_of(one)}"
        for name, one in sorted(found.items(), key=lambda each: each[0].lower())
    ]
    return "\n".join([*lines, "", PANDOC])


if __name__ == "__main__":
    print(listed())
