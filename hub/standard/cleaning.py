"""Takes control characters out of what was typed, and says where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hub.model import Warning
from hub.standard.parsing import Unreadable
from hub.standard.pointers import Loc, pointer

#: An escape in a JSON text that may hide a control character or half a character.
_ESCAPED = re.compile(r"\\[ubfr]")
_IN_PLAIN_SIGHT = re.compile(r"[\x7f-\x9f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HALF = re.compile(r"[\ud800-\udfff]")
_REMOVED = "Control characters were removed from this text."


def suspicious(text: str) -> bool:
    """Whether a JSON text needs `clean` at all; most do not."""
    # The two tests before the patterns are many times faster, and settle it for most bodies.
    escaped = "\\" in text and _ESCAPED.search(text) is not None
    return escaped or (not text.isprintable() and _IN_PLAIN_SIGHT.search(text) is not None)


def clean(tree: Any) -> tuple[Any, list[Warning]]:
    """The tree without control characters (tab and newline stay, CR LF becomes LF), and a warning for each text.

    Raises `Unreadable` for a lone surrogate: no encoding can carry it further.
    """
    warnings: list[Warning] = []

    def cleaned(text: str, loc: Loc) -> str:
        if _HALF.search(text):
            _refuse_half(loc)
        level = _level(text, loc)
        clean = _CONTROL.sub("", level)
        if clean != level:
            warnings.append(Warning(pointer=pointer(loc), message=_REMOVED))
        return clean

    return _each(tree, (), cleaned), warnings


def level(tree: Any) -> Any:
    """The tree with LF for every CR LF, and the rest of its control characters where they were: to be measured."""
    return _each(tree, (), _level)


def _level(text: str, _: Loc) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _each(value: Any, loc: Loc, change: Callable[[str, Loc], str]) -> Any:
    match value:
        case str():
            return change(value, loc)
        case dict():
            return {key: _each(inner, (*loc, key), change) for key, inner in _whole_keys(value, loc)}
        case list():
            return [_each(inner, (*loc, place), change) for place, inner in enumerate(value)]
        case _:
            return value


def _whole_keys(tree: dict[Any, Any], loc: Loc) -> Iterator[tuple[Any, Any]]:
    for key, inner in tree.items():
        if isinstance(key, str) and _HALF.search(key):
            _refuse_half(loc)
        yield key, inner


def _refuse_half(loc: Loc) -> None:
    raise Unreadable(f"Half of a surrogate pair stands at {pointer(loc)}; send whole characters.")
