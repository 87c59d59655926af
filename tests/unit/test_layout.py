"""The layout shows the architecture: data flows one way through the modules."""

from __future__ import annotations

import ast
import re

import viputils
from tests.support.projects import REPOSITORY

SOURCE = REPOSITORY / "src" / "viputils"
ORDER = re.findall(r"``(\w+)``", viputils.__doc__ or "")


def module_of(name: str) -> str:
    return name.split(".")[1]


def test_the_docstring_of_the_package_lists_every_module() -> None:
    modules = {path.stem if path.is_file() else path.name for path in SOURCE.iterdir() if not path.name.startswith("_")}
    assert modules - {"py", "locale"} == set(ORDER)


def test_each_module_imports_only_those_that_stand_before_it() -> None:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        here = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if here == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if name.startswith("viputils."):
                    there = module_of(name)
                    if there != here and ORDER.index(there) >= ORDER.index(here):
                        wrong.append(f"{here} imports {there}")
    assert not wrong


def test_the_command_line_and_the_notebooks_stay_thin() -> None:
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        notebook = path.read_text(encoding="utf-8")
        assert "def " not in notebook
        assert "import pandas" not in notebook
    assert "import pandas" not in (SOURCE / "cli.py").read_text(encoding="utf-8")


def test_lock_files_hold_hashes_and_no_address() -> None:
    for path in (REPOSITORY / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        packages = re.findall(r"^\S+==\S+.*\\\n    --hash=sha256:", text, flags=re.MULTILINE)
        assert len(packages) == len(re.findall(r"^[a-zA-Z].*==", text, flags=re.MULTILINE)) > 50
