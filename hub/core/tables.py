"""Lookup tables: a council's codes for the standard's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.core.sandbox import Absent, Mishap


class OnMissing(StrEnum):
    """What a table does about a code that it does not list."""

    REFUSE = "refuse"  #: the delivery waits for a person, who adds the row
    DEFAULT = "default"  #: the table's default stands in


def key_of(value: object) -> str:
    """Keys are compared as text: 7 and "7" are one key, true is `true`."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            raise Mishap("type", "only a text, a number or true/false can be looked up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows by key, in the order of the file. Never a value itself: `lookup` and keys reach into it."""

    name: str
    rows: Mapping[str, Any]
    lines: Mapping[str, int]  #: the line of each row, for traces
    on_missing: OnMissing = OnMissing.REFUSE
    default: Any = None
    file: str = ""

    def find(self, value: object) -> tuple[Any, int | None]:
        """The row of this code and its line; the default has no line."""
        key = key_of(value)
        try:
            return self.rows[key], self.lines.get(key)
        except KeyError:
            if self.on_missing is OnMissing.DEFAULT:
                return self.default, None
        raise Mishap("no_entry", f"table `{self.name}` has no entry for this code; add the row", key=key)

    def row(self, key: str) -> Any:
        return self.rows[key] if key in self.rows else Absent(name=key)
