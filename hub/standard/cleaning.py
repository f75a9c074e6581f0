"""Takes control characters out of what was typed, and says where."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    return _clean(tree, (), warnings), warnings


def _clean(value: Any, loc: Loc, warnings: list[Warning]) -> Any:
    match value:
        case str():
            return _clean_text(value, loc, warnings)
        case dict():
            return {key: _clean(inner, (*loc, key), warnings) for key, inner in _whole_keys(value, loc)}
        case list():
            return [_clean(inner, (*loc, place), warnings) for place, inner in enumerate(value)]
        case _:
            return value


def _whole_keys(tree: dict[Any, Any], loc: Loc) -> Iterator[tuple[Any, Any]]:
    for key, inner in tree.items():
        if isinstance(key, str) and _HALF.search(key):
            _refuse_half(loc)
        yield key, inner


def _clean_text(text: str, loc: Loc, warnings: list[Warning]) -> str:
    if _HALF.search(text):
        _refuse_half(loc)
    if not _CONTROL.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    cleaned = _CONTROL.sub("", text)
    if cleaned != text:
        warnings.append(Warning(pointer=pointer(loc), message=_REMOVED))
    return cleaned


def _refuse_half(loc: Loc) -> None:
    raise Unreadable(f"Half of a surrogate pair stands at {pointer(loc)}; send whole characters.")
