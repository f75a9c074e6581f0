"""The contracts as JSON Schema 2020-12, and what their annotations tell: which fields are personal."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

from hub.standard.labels import Personal
from hub.standard.part import Part

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalPath:
    """A field that says something about a person; `*` stands for every element of a list."""

    path: tuple[str, ...]  #: from the submission, as ("contact", "address", "lines", "*")
    sensitive: bool  #: special category, or about a third party


class _Contract(GenerateJsonSchema):
    """Pydantic's generator without what front ends do not need: made-up titles and `default: null`."""

    schema_dialect = DIALECT

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": DIALECT, **super().generate(schema, mode)}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: cs.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if schema.get("default", ...) is None:
            made.pop("default", None)
        return made


@cache
def _made(model: type[Part]) -> dict[str, Any]:
    made = model.model_json_schema(schema_generator=_Contract)
    for definition in made.get("$defs", {}).values():
        for word in ("title", "description"):  # names and docstrings of our enums
            definition.pop(word, None)
    return made


def schema_of(model: type[Part]) -> dict[str, Any]:
    """The JSON Schema of a model; the caller's own copy."""
    return copy.deepcopy(_made(model))


@cache
def personal_paths(model: type[Part]) -> tuple[PersonalPath, ...]:
    """Every path whose field is marked `x-personal`; what stands below such a path is personal too."""
    root = _made(model)
    return tuple(_personal(root, root, ()))


def _personal(node: dict[str, Any], root: dict[str, Any], path: tuple[str, ...]) -> Iterator[PersonalPath]:
    mark = node.get("x-personal")
    if mark:
        yield PersonalPath(path=path, sensitive=mark == Personal.SENSITIVE)
        return
    if "$ref" in node:
        yield from _personal(root["$defs"][node["$ref"].rpartition("/")[2]], root, path)
    for name, inner in node.get("properties", {}).items():
        yield from _personal(inner, root, (*path, name))
    if isinstance(node.get("items"), dict):
        yield from _personal(node["items"], root, (*path, "*"))
