"""From bytes to plain JSON, refusing whatever two readers could read differently."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from hub.errors import HubError

#: Levels of objects and lists inside one another; the deepest contract has eight.
DEEPEST = 32
#: Fields in one object; a contract's `extra` takes a hundred.
MOST_FIELDS = 1000

_STRINGS_OR = r'"[^"\\]*(?:\\.[^"\\]*)*"?|'
_BRACKETS = re.compile(_STRINGS_OR + r"[\[{]|[\]}]", re.DOTALL)
_CONSTANTS = re.compile(_STRINGS_OR + r"NaN|-?Infinity", re.DOTALL)
_PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")


class Unreadable(HubError):
    """The body is not JSON that can be read in one way only."""


class _NotANumber(Exception):
    """NaN or Infinity stood where a number should be."""


def parse(raw: bytes) -> Any:
    """The JSON value that the bytes hold. Raises `Unreadable`, saying where and what to do."""
    return parse_text(decode(raw))


def decode(raw: bytes) -> str:
    """The text of a body. Raises `Unreadable`; a byte order mark is passed over, as RFC 8259 allows."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as fault:
        message = f"The body is not UTF-8 at byte {fault.start}; send the JSON encoded as UTF-8."
    else:
        return text.removeprefix("\ufeff")
    # Raised out here so that no chained exception carries the body.
    raise Unreadable(message)


def in_order(value: Any) -> Any:
    """The same JSON value with the keys of every object in order: one canonical form of what was sent."""
    match value:
        case dict():
            return {key: in_order(value[key]) for key in sorted(value)}
        case list():
            return [in_order(inner) for inner in value]
        case _:
            return value


def parse_text(text: str) -> Any:
    """The JSON value of a text. Raises `Unreadable`."""
    if text.count("{") + text.count("[") > DEEPEST:
        _refuse_depth(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        message = _not_json(text, fault)
    except _NotANumber:
        place = next(_outside_strings(_CONSTANTS, text), None)
        message = f"NaN and Infinity are not JSON{_at(place)}; send a number, or leave the field out."
    except ValueError:  # Python's own limit on the digits of an integer
        message = "A number in the body has too many digits; send it as text, or leave the field out."
    raise Unreadable(message)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_FIELDS:
        raise Unreadable(f"An object in the body has more than {MOST_FIELDS} fields; no contract has so many.")
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse_twice([key for key, _ in pairs])
    return found


def _refuse_twice(keys: list[str]) -> NoReturn:
    twice = Counter(keys).most_common(1)[0][0]
    # A key is the sender's word, not a resident's, but only a plain one is safe to say back.
    named = f"The field `{twice}`" if _PLAIN_KEY.fullmatch(twice) else "A field"
    raise Unreadable(f"{named} stands twice in one object; send each field once.")


def _no_constant(_: str) -> NoReturn:
    raise _NotANumber


# Made once: `json.loads` makes a decoder for each call.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _refuse_depth(text: str) -> None:
    depth = 0
    for place in _outside_strings(_BRACKETS, text):
        depth += 1 if text[place] in "[{" else -1
        if depth > DEEPEST:
            raise Unreadable(
                f"The body is nested more than {DEEPEST} levels deep{_at(place)}; no contract goes that deep."
            )


def _outside_strings(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    return (found.start() for found in pattern.finditer(text) if not found[0].startswith('"'))


def _not_json(text: str, fault: json.JSONDecodeError) -> str:
    if not text.strip():
        return "The body is empty; send one submission as a JSON object."
    return (
        f"The body is not JSON: {fault.msg.lower().removesuffix(' at')} at line {fault.lineno}, column {fault.colno}"
        f"{_at(fault.pos)}; mend it there."
    )


def _at(place: int | None) -> str:
    return "" if place is None else f" (character {place})"
