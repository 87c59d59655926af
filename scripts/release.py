"""Build a release from the commit HEAD into dist: wheel, source, bill of materials and notes.

    python scripts/release.py [--since COMMIT] [--tag TAG]

Wheel and source are built twice: from the files of the commit, and again from the source of the first build. Both must
have the same bytes. The notes are the section of CHANGELOG.md and the printed figures that moved.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import viputils
from write_sbom import written

ROOT: Final = Path(__file__).parent.parent
DIST: Final = ROOT / "dist"
# `vip changes`: what an old commit cannot compute is said, and does not stop a release.
_NOT_ALL_COMPARED: Final = 2


def git(*arguments: str) -> str:
    """Return what a git command prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def section(changelog: str, version: str) -> str:
    """Return the section of a version.

    Raises
    ------
    SystemExit
        If there is none with a date, or it is empty.
    """
    pattern = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## \[|\Z)"
    found = re.search(pattern, changelog, flags=re.DOTALL | re.MULTILINE)
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md: has no section '## [{version}] - YYYY-MM-DD' with text; write it.")
    return found[1].strip()


def build(source: Path, target: Path) -> dict[str, bytes]:
    """Build wheel and source of a folder, and return them by name."""
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-d", target]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in sorted(target.iterdir())}


def built_twice(commit: str) -> dict[str, bytes]:
    """Return wheel and source of a commit by name.

    Raises
    ------
    SystemExit
        If the second build, from the source of the first, has other bytes.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "commit").mkdir()
        git("archive", "--format=tar", f"--output={folder / 'commit.tar'}", commit)
        with tarfile.open(folder / "commit.tar") as archive:
            archive.extractall(folder / "commit", filter="data")
        first = build(folder / "commit", folder / "first")
        with tarfile.open(next((folder / "first").glob("*.tar.gz"))) as archive:
            archive.extractall(folder / "again", filter="data")
        second = build(next((folder / "again").iterdir()), folder / "second")
    differ = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
    if differ:
        raise SystemExit(f"The second build has other bytes: {', '.join(sorted(differ))}.")
    return first


def previous(commit: str) -> str:
    """Return the last tag of a version before a commit, or else the commit before it."""
    tag = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", f"{commit}^"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return tag.stdout.strip() if tag.returncode == 0 else git("rev-parse", "--short=9", f"{commit}~1")


def moved_figures(since: str, commit: str) -> str:
    """Return what `vip changes` says of the printed figures.

    Raises
    ------
    SystemExit
        If a figure moved that no commit message names.
    """
    command = [sys.executable, "-m", "viputils", "changes", since, commit]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode not in (0, _NOT_ALL_COMPARED):
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout.strip()


def main() -> None:
    """Build the release of HEAD."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--since", help="the commit to compare printed figures with; by default the last tag v*")
    parser.add_argument("--tag", help="the tag of the release, which must be that of the version")
    asked = parser.parse_args()
    version, commit = viputils.__version__, git("rev-parse", "HEAD")
    if asked.tag and asked.tag != f"v{version}":
        raise SystemExit(f"--tag: {asked.tag} is not the version of this commit; the tag of {version} is v{version}.")
    if git("status", "--porcelain"):
        print("Some files are not committed. They are not in the release.")
    about = section(git("show", f"{commit}:CHANGELOG.md"), version)
    os.environ["SOURCE_DATE_EPOCH"] = git("log", "-1", "--format=%ct", commit)
    made = built_twice(commit)
    since = asked.since or previous(commit)
    figures = moved_figures(since, commit[:9])
    notes = f"{about}\n\n### Printed figures\n\nCompared by `vip changes`:\n\n```text\n{figures}\n```\n"
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for name, content in made.items():
        (DIST / name).write_bytes(content)
    sbom = written(ROOT / "requirements" / "report.txt")
    (DIST / f"viputils-{version}.cdx.json").write_text(sbom, encoding="utf-8", newline="")
    (DIST / "NOTES.md").write_text(notes, encoding="utf-8", newline="")
    print(f"The release {version}, built twice with the same bytes, from {commit[:9]}:")
    for path in sorted(DIST.iterdir()):
        print(f"  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
