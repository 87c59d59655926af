"""What program.toml can contain: a JSON Schema for editors, and a page for people. Both come from its models."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from viputils.config.program import Part, Program

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_INTRODUCTION: Final = """\
# Every key of program.toml

`scripts/write_schema.py` writes this page and [program.schema.json](program.schema.json) from the models that read the
file. An editor with a TOML extension that knows JSON Schema completes and checks the keys, if the first line of
`program.toml` is `#:schema` and the path to the schema. [another-city.md](another-city.md) shows how to write the file.

A key in bold is needed. What two keys say together, such as a measure of a table that does not exist, is checked when a
command reads the file.
"""
_NAMES: Final = {
    "string": "text",
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "array": "list",
    "object": "table",
}


class _ForToml(GenerateJsonSchema):
    """Write schemas of TOML files: they have no null, and a table has no other keys than its own."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def program_schema() -> dict[str, Any]:
    """Return the JSON Schema of program.toml, with a description of each key."""
    schema = Program.model_json_schema(by_alias=True, schema_generator=_ForToml)
    models = {model.__name__: model for model in _subclasses(Part)}
    for name, part in {Program.__name__: schema, **schema["$defs"]}.items():
        remarks = _remarks(models[name])
        for key, value in part.get("properties", {}).items():
            value["description"] = remarks[key]
    return {"$schema": _DIALECT, **schema, "title": "program.toml"}


def program_page() -> str:
    """Return the page about the keys of program.toml, in Markdown."""
    schema = program_schema()
    lines = [_INTRODUCTION]
    for heading, about, part in _sections(schema, schema, ""):
        needed = part.get("required", [])
        rows = [
            f"| {f'**`{key}`**' if key in needed else f'`{key}`'} | {_kind(schema, value)} | {_cell(value)} |"
            for key, value in part["properties"].items()
            if not _is_section(schema, value)
        ]
        table = ["", "| key | value | what it is |", "|---|---|---|", *rows] if rows else []
        lines += [f"## `{heading}`", "", about, *table, ""]
    return "\n".join(lines)


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from _subclasses(one)


def _remarks(model: type[BaseModel]) -> dict[str, str]:
    """Return the remark below each key of a model, by the key as it is in the file."""
    found: dict[str, str] = {}
    for kind in reversed([one for one in model.__mro__ if issubclass(one, Part) and one is not Part]):
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
        for key, remark in pairwise(body.body if isinstance(body, ast.ClassDef) else []):
            if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name) and isinstance(remark, ast.Expr):
                text = inspect.cleandoc(ast.literal_eval(remark.value))
                found[model.model_fields[key.target.id].alias or key.target.id] = " ".join(text.split())
    return found


def _resolved(schema: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a part with what it refers to."""
    if "$ref" in value:
        target: Mapping[str, Any] = schema["$defs"][value["$ref"].rsplit("/", 1)[1]]
        return {**target, **{key: one for key, one in value.items() if key != "$ref"}}
    return value


def _inner(schema: Mapping[str, Any], value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    """Return how the heading of a part is written, with its name as ``{}``, and the table of keys that it has."""
    value = _resolved(schema, value)
    if "properties" in value:
        return "{}", value
    if "items" in value and "properties" in (item := _resolved(schema, value["items"])):
        return "[{}]", item
    for each in value.get("patternProperties", {}).values():
        if "properties" in (item := _resolved(schema, each)):
            return "{}.NAME", item
    return "", None


def _is_section(schema: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Return whether a key has keys of its own, so that it is a section of the page."""
    return _inner(schema, value)[1] is not None


def _sections(
    schema: Mapping[str, Any], part: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield each section of the file: its heading, what it is, and its keys."""
    for key, value in part["properties"].items():
        form, inner = _inner(schema, value)
        name = f"{path}.{key}" if path else key
        if inner is not None:
            heading = form.format(name)
            yield f"[{heading}]", value["description"], inner
            yield from _sections(schema, inner, heading)
        elif not path:
            # A table of names that a city chooses.
            yield f"[{name}]", value["description"], {"properties": {}}


def _kind(schema: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    """Return what can be written for a key, in words."""
    value = _resolved(schema, value)
    if "enum" in value:
        return " or ".join(f'`"{one}"`' for one in value["enum"])
    if "const" in value:
        return f'`"{value["const"]}"`'
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_kind(schema, one) for one in value["anyOf"]))
    if "properties" in value:
        return " and ".join(f"`{{ {key} = … }}`" for key in value["properties"])
    if value.get("format") == "date":
        return "date, as in `2023-11-05`"
    if "items" in value:
        return f"list of {_kind(schema, value['items'])}"
    return _NAMES[value["type"]]


def _cell(value: Mapping[str, Any]) -> str:
    """Return the description of a key, with its default."""
    default = value.get("default")
    if default in (None, [], {}):
        return str(value["description"])
    shown = {True: "true", False: "false"}.get(default, default) if isinstance(default, bool) else f'"{default}"'
    return f"{value['description']} Without it: `{shown}`."
