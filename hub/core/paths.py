"""What a path may reach: a contract's JSON Schema, walked key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.core.kinds import kind_of

Schema = Mapping[str, Any]

#: What the hub adds to every submission before a mapping sees it.
_HUB: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["our_reference", "reference", "received_at", "council", "warnings"],
    "properties": {
        "our_reference": {"type": "string"},
        "reference": {"type": "string"},
        "front_end_reference": {"type": "string"},
        "received_at": {"type": "string", "format": "date-time"},
        "due_by": {"type": "string", "format": "date"},
        "council": {"type": "string"},
        "warnings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["pointer", "message"],
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_ADDED: Final[Schema] = {
    "type": "object",
    "properties": {"hub": _HUB, "contact": {"properties": {"phone_e164": {"type": "string"}}}},
    "required": ["hub"],
}
#: What a follow-up block sees besides; these come with the follow-up, not with the contract.
_OF_CASE: Final[Schema] = {
    "type": "object", "required": ["case_reference"], "properties": {"case_reference": {"type": "string"}},
}  # fmt: skip
_LATER: Final[Schema] = {
    "type": "object", "properties": {"update": {}, "attachment": {}, "receipt": {}, "hub": _OF_CASE},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Facet:
    """One subschema that applies here; `certain` unless it hangs on a condition or an alternative."""

    schema: Schema
    root: Schema
    certain: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand at one place of a submission: every subschema that speaks of it."""

    facets: tuple[_Facet, ...]

    @classmethod
    def of(cls, *schemas: Schema) -> Shape:
        """The shape of a whole document that follows one of these schemas (versions of one contract)."""
        return cls(tuple(facet for schema in schemas for facet in _spread(schema, schema, certain=len(schemas) == 1)))

    @classmethod
    def of_submission(cls, *schemas: Schema, follow_up: bool = False) -> Shape:
        """A submission of a service, with what the hub adds."""
        added = (_ADDED, _LATER) if follow_up else (_ADDED,)
        return cls(cls.of(*schemas).facets + tuple(f for each in added for f in _spread(each, each, certain=True)))

    @property
    def is_open(self) -> bool:
        """Nothing is said about the keys here, so any may stand."""
        objects = [facet for facet in self.facets if "properties" in facet.schema]
        if not objects and not self.types & {"string", "number", "integer", "boolean", "array"}:
            return True
        return any(_allows_more(facet.schema) for facet in self.facets)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for facet in self.facets for name in facet.schema.get("properties", ()))

    @property
    def types(self) -> frozenset[str]:
        """JSON types that may stand here; empty when nothing is said."""
        found: set[str] = set()
        for facet in self.facets:
            stated = facet.schema.get("type", ())
            found.update([stated] if isinstance(stated, str) else stated)
            if "const" in facet.schema and not stated:
                found.add(kind_of(facet.schema["const"]))
        return frozenset(found - {"null"})

    @property
    def enum(self) -> tuple[Any, ...]:
        """Every value of a closed list; empty when the list is open."""
        values: list[Any] = []
        for facet in self.facets:
            if "const" in facet.schema:
                values.append(facet.schema["const"])
            values.extend(facet.schema.get("enum", ()))
            if facet.schema.get("type") in ("string", "integer") and not {"const", "enum"} & facet.schema.keys():
                closed = any({"const", "enum"} & other.schema.keys() and other.certain for other in self.facets)
                if not closed:
                    return ()
        return tuple(dict.fromkeys(value for value in values if value is not None))

    @property
    def most(self) -> int | None:
        """How many elements a list may have; None when that is open."""
        limits = [facet.schema["maxItems"] for facet in self.facets if "maxItems" in facet.schema]
        return max(limits) if limits else None

    def key(self, name: str) -> Shape | None:
        """What stands under a key; None where the contract has no such key."""
        found = [
            facet
            for outer in self.facets
            if name in outer.schema.get("properties", ())
            for facet in _spread(outer.schema["properties"][name], outer.root, certain=outer.certain)
        ]
        if found:
            return Shape(tuple(found))
        return self._more() if self.is_open else None

    def element(self) -> Shape:
        """What one element of the list here is."""
        found = [
            facet
            for outer in self.facets
            for schema in [*_list_of(outer.schema.get("items")), *outer.schema.get("prefixItems", ())]
            for facet in _spread(schema, outer.root, certain=outer.certain)
        ]
        return Shape(tuple(found))

    def always(self, name: str) -> bool:
        """Whether the key is in every submission (required, or filled in with a default)."""
        if any(facet.certain and name in facet.schema.get("required", ()) for facet in self.facets):
            return True
        below = self.key(name)
        return below is not None and any(
            facet.certain and facet.schema.get("default") is not None for facet in below.facets
        )

    def _more(self) -> Shape:
        more = [
            facet
            for outer in self.facets
            for schema in _list_of(outer.schema.get("additionalProperties"))
            for facet in _spread(schema, outer.root, certain=False)
        ]
        return Shape(tuple(more))

    def find_all(self, name: str, *, depth: int = 12) -> Iterator[Shape]:
        """Every shape that stands under a key of this name, anywhere below."""
        if depth == 0:
            return
        for known in sorted(self.names):
            below = self.key(known)
            if below is None:
                continue
            if known == name:
                yield below
            yield from below.find_all(name, depth=depth - 1)
            if "array" in below.types:
                yield from below.element().find_all(name, depth=depth - 1)


ANYTHING: Final = Shape(())


def _allows_more(schema: Schema) -> bool:
    more = schema.get("additionalProperties", "unsaid")
    return isinstance(more, Mapping) or more is True


def _list_of(schema: object) -> list[Schema]:
    return [schema] if isinstance(schema, Mapping) else []


def _spread(schema: Any, root: Schema, *, certain: bool, seen: frozenset[str] = frozenset()) -> Iterator[_Facet]:
    """The schema and everything that it draws in: references, combinations and conditions."""
    if not isinstance(schema, Mapping):
        return
    yield _Facet(schema, root, certain)
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        yield from _spread(_resolve(reference, root), root, certain=certain, seen=seen | {reference})
    for part in schema.get("allOf", ()):
        yield from _spread(part, root, certain=certain, seen=seen)
    for word in ("anyOf", "oneOf"):
        real = _not_null(schema.get(word, ()))
        for part in real:
            yield from _spread(part, root, certain=certain and len(real) == 1, seen=seen)
    for word in ("then", "else"):
        yield from _spread(schema.get(word), root, certain=False, seen=seen)
    for part in schema.get("dependentSchemas", {}).values():
        yield from _spread(part, root, certain=False, seen=seen)


def _not_null(schemas: Sequence[Schema]) -> list[Schema]:
    return [schema for schema in schemas if schema.get("type") != "null"]


def _resolve(reference: str, root: Schema) -> Any:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
    return found
