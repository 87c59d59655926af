"""Read program.toml, and report all mistakes together with their keys and lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from viputils.config.program import Program
from viputils.config.program_checks import contradictions, shortcodes
from viputils.core.encoding import decoded, not_decoded
from viputils.core.errors import Problem, ProgramError, nearest
from viputils.core.urls import secrets_in, shown_address


def read_program(path: Path) -> Program:
    """Read and check program.toml.

    Raises
    ------
    ProgramError
        If the file is invalid. Lists every wrong key and its correction.
    """
    data = b""
    try:
        data = path.read_bytes()
        text = decoded(data).replace("\r\n", "\n")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise ProgramError(
            "There is no program.toml.", [Problem(str(path), "is missing;", "create it in the top folder.")]
        ) from None
    except UnicodeDecodeError as error:
        raise ProgramError("program.toml cannot be read.", [not_decoded(str(path), data, error)]) from None
    except tomllib.TOMLDecodeError as error:
        raise ProgramError("program.toml cannot be read.", [_syntax_problem(path, text, str(error))]) from None
    except OSError as error:
        raise ProgramError(
            "program.toml cannot be read.", [Problem(str(path), f"{error.strerror}.", "Make the file readable.")]
        ) from None
    return program_from(raw, str(path))


_CURLED = re.compile("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]")


def _syntax_problem(path: Path, text: str, error: str) -> Problem:
    """Return the problem of a line that is not TOML, with the likely cause."""
    found = re.search(r"line (\d+)", error)
    lines = text.splitlines()
    number = min(int(found[1]), len(lines)) if found else len(lines)
    line = lines[number - 1].strip() if lines else ""
    if curled := _CURLED.search(line):
        remedy = f'it has the curly quote {curled[0]}; write straight quotes (").'
    elif line.count('"') % 2:
        remedy = 'a quote (") is missing.'
    elif re.fullmatch(r"[A-Za-z0-9_.-]+\s*=\s*(?![\"'\[{0-9tf+\s-]).+", line):
        remedy = 'write text in quotes, as in name = "Violence Intervention Program".'
    elif line.count("[") != line.count("]") or line.count("{") != line.count("}"):
        remedy = "a bracket is not closed."
    elif "overwrite" in error or "twice" in error:
        remedy = "the key or the table is repeated; keep one of them."
    else:
        remedy = "see toml.io for the format."
    return Problem(f"{path}, line {number}", f"is not TOML ({error}): {line}\n     ", remedy[0].upper() + remedy[1:])


def pasted(table: str, *lines: str) -> str:
    """Return lines to paste into program.toml, with the header of their table."""
    return "".join(f"\n      {line}" for line in (f"[{table}]", *lines))


def program_from(raw: Mapping[str, Any], source: str = "program.toml") -> Program:
    """Return the checked content of a program.toml. ``source`` is the file name in errors."""
    if problems := list(shortcodes(raw)):
        raise ProgramError(f"{source} contains code that an engine would run.", problems)
    try:
        program = Program.model_validate(dict(raw))
    except ValidationError as error:
        raise ProgramError(f"{source} is invalid.", [_problem_of(detail) for detail in error.errors()]) from None
    problems = [*contradictions(program)]
    if problems:
        raise ProgramError(f"{source} contradicts itself.", problems)
    return program


# Messages of pydantic in the words of this project.
_REMEDIES = {
    "missing": "is missing;",
    "extra_forbidden": "is not a known key;",
}


def _problem_of(detail: Any) -> Problem:
    where = _key(detail["loc"])
    if detail["type"] == "extra_forbidden":
        parent = Program
        for step in detail["loc"][:-1]:
            parent = _field_type(parent, str(step)) or parent
        known = [field.alias or name for name, field in parent.model_fields.items()]
        guess = nearest(str(detail["loc"][-1]), known)
        return Problem(where, _REMEDIES["extra_forbidden"], guess or f"known keys: {', '.join(known)}.")
    if detail["type"] == "missing":
        table = _key(detail["loc"][:-1])
        key = str(detail["loc"][-1])
        if not table:
            return Problem(where, _REMEDIES["missing"], f"add the table:{pasted(where)}")
        # A part of a list begins with the name of the list in double brackets.
        if part := re.fullmatch(r"(.*)\[(\d+)\]", table):
            return Problem(where, _REMEDIES["missing"], f"add the line {key} = … to [[{part[1]}]] number {part[2]}.")
        return Problem(where, _REMEDIES["missing"], f"add it:{pasted(table, f'{key} = …')}")
    message = detail["msg"].removeprefix("Value error, ")
    given = detail["input"]
    shown = shown_address(given) if isinstance(given, str) and secrets_in(given) else given
    return Problem(where, f"{shown!r} is invalid:", message[0].lower() + message[1:] + ".")


def _field_type(model: type[BaseModel], step: str) -> Any:
    """Return the model of a key, also in lists and tables of models."""
    for name, field in model.model_fields.items():
        if step in (name, field.alias):
            inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
            inner += [arg for kind in inner for arg in getattr(kind, "__args__", ())]
            return next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return None


def _key(location: tuple[int | str, ...]) -> str:
    """Return a place in the file as users write it: ``crosswalks[1].valid_from``."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        elif step not in ("[key]", "Sum", "Distinct", "literal['rows']"):
            quoted = step if re.fullmatch(r"[A-Za-z0-9_-]+", step) else f'"{step}"'
            text += f".{quoted}" if text else quoted
    return text
