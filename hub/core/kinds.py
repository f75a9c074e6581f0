"""The JSON types of values, and their names in findings."""

from __future__ import annotations

from typing import Final

TEXT: Final = frozenset(["string"])
BOOLEAN: Final = frozenset(["boolean"])
NUMBERS: Final = frozenset(["number", "integer"])
SCALARS: Final = TEXT | BOOLEAN | NUMBERS
UNKNOWN: Final[frozenset[str]] = frozenset()

_WORDS: Final = {
    "string": "text",
    "boolean": "true/false value",
    "array": "list",
    "object": "map",
    "integer": "number",
    "omit": "omitted value",
}


def kind_of(value: object) -> str:
    """The JSON type of a plain value."""
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "number"
        case None:
            return "null"
        case list() | tuple():
            return "array"
        case _:
            return "object"


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether a value could be of both; a whole number is a number."""
    return bool(one & other) or bool(one & NUMBERS and other & NUMBERS)


def words(types: frozenset[str]) -> str:
    """What people call these types."""
    return " or ".join(sorted({_WORDS.get(each, each) for each in types}))
