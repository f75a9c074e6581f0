"""FixMyStreet's side of Open311: bodies as its HTTP library makes them, and XML read as XML::Simple reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from xml.etree import ElementTree as ET

Pair = tuple[str, str]

#: The options of the client: a list's name and that of one element in it.
_GROUPS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "service_request_updates": "request_update",
}
_ALWAYS_LISTS = frozenset(_GROUPS.values())


def _sample(name: str) -> tuple[Pair, ...]:
    """A form as it is written down: a field a line, `\\n` for a line break."""
    lines = (Path(__file__).parent / "front_ends" / f"fixmystreet-{name}.txt").read_text(encoding="utf-8").splitlines()
    fields = (line.replace("\\n", "\n").partition("=") for line in lines if line)
    return tuple((field, value) for field, _, value in fields)


MISSED = _sample("missed-collection")
FLY_TIP = _sample("fly-tipping")


def changed(pairs: Iterable[Pair], **changes: str | None) -> list[Pair]:
    """The same form with other values; None takes a field out. `attribute__x` is `attribute[x]`."""
    new = {_field(name): value for name, value in changes.items()}
    kept = [(name, new.get(name, value)) for name, value in pairs]
    added = [(name, value) for name, value in new.items() if name not in dict(pairs)]
    return [(name, value) for name, value in (*kept, *added) if value is not None]


def _field(name: str) -> str:
    kind, found, code = name.partition("__")
    return f"{kind}[{code}]" if found else name


def form(pairs: Iterable[Pair]) -> bytes:
    """As LWP encodes a form: UTF-8, a plus for a blank, CR LF for a line break."""
    lines = [(name, value.replace("\n", "\r\n")) for name, value in pairs]
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in lines).encode()


def multipart(pairs: Iterable[Pair], files: Sequence[tuple[str, str, str, bytes]]) -> tuple[str, bytes]:
    """As LWP puts together a form with files `(field, name, media type, content)`: its Content-Type, its body."""
    boundary = "xYzZY"
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in pairs]
    for field, name, kind, content in files:
        head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        parts.append(head.encode() + content)
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return f"multipart/form-data; boundary={boundary}", body + b"--" + boundary.encode() + b"--\r\n"


def xml_in(body: bytes) -> Any:
    """What XML::Simple makes of it, the root left out: maps, lists, texts, and None for what is empty."""
    return _collapsed(ET.fromstring(body))


def _collapsed(element: ET.Element) -> Any:
    if len(element) == 0:
        return element.text if element.text and element.text.strip() else None
    made: dict[str, Any] = {}
    for child in element:
        value = _collapsed(child)
        if child.tag in _ALWAYS_LISTS:
            made.setdefault(child.tag, []).append(value)
        elif child.tag in made:
            before = made[child.tag]
            made[child.tag] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            made[child.tag] = value
    for group, one in _GROUPS.items():
        if isinstance(inner := made.get(group), dict) and list(inner) == [one]:
            made[group] = inner[one]
    return made
