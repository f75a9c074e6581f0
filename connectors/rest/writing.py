"""A record as the product wants it on the wire: JSON, a form, or XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lxml import etree

from connectors.rest.settings import Body, Writing, Xml
from hub.connector import Parts, Refused

LIST: Final = "[]"


def parts(call: Writing, tree: Mapping[str, Any]) -> Parts:
    """What the request carries. Raises Refused where the record cannot be written so, and then nothing was sent."""
    match call.body:
        case Body.NONE:
            return {}
        case Body.JSON:
            return {"json": _wrapped(tree, call.wrap)}
        case Body.FORM:
            return {"form": [pair for name, each in _named(tree, call.wrap) for pair in _pairs(name, each)]}
        case Body.XML:
            content = to_xml(_wrapped(tree, call.wrap), call.xml or Xml(root="record"))
            return {"content": content, "headers": {"Content-Type": "application/xml; charset=utf-8"}}


def _wrapped(tree: Any, wrap: str | None) -> Any:
    for name in reversed(wrap.split("/") if wrap else []):
        tree = [tree] if name == LIST else {name: tree}
    return tree


def _named(tree: Mapping[str, Any], wrap: str | None) -> Iterator[tuple[str, Any]]:
    """The fields of a form: `case[title]` where the record is wrapped."""
    steps = [name for name in (wrap or "").split("/") if name and name != LIST]
    for key, value in tree.items():
        first, *rest = [*steps, key]
        yield first + "".join(f"[{name}]" for name in rest), value


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A list of plain values repeats its name; what is nested has its path in brackets."""
    match value:
        case Mapping():
            for key, each in value.items():
                yield from _pairs(f"{name}[{key}]", each)
        case list():
            plain = not any(isinstance(each, Mapping | list) for each in value)
            for at, each in enumerate(value):
                yield from _pairs(name if plain else f"{name}[{at}]", each)
        case _:
            yield name, text_of(value)


def text_of(value: Any) -> str:
    """A plain value as text: true and false in small letters, nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def to_xml(tree: Any, how: Xml) -> bytes:
    """The document. Raises Refused for a name or a character that XML has not, and for a list in a list."""
    namespace = f"{{{how.namespace}}}" if how.namespace else ""
    try:
        names: Any = {None: how.namespace} if how.namespace else None
        root = etree.Element(namespace + how.root, nsmap=names)
        _fill(root, tree, namespace)
    except ValueError:  # lxml quotes the value in its text
        raise _unwritable() from None
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _fill(element: etree._Element, value: Any, namespace: str) -> None:
    if not isinstance(value, Mapping):
        if isinstance(value, list):
            raise _unwritable()
        element.text = text_of(value)
        return
    for key, each in value.items():
        if key.startswith("@"):
            element.set(key[1:], text_of(_plain(each)))
        elif key == "#text":
            element.text = text_of(_plain(each))
        else:
            repeated: Sequence[Any] = each if isinstance(each, list) else [each]
            for one in repeated:
                _fill(etree.SubElement(element, namespace + key), one, namespace)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        raise _unwritable()
    return value


def _unwritable() -> Refused:
    text = "The record cannot be written as XML (a name, a character, a list in a list); mend the mapping, then replay."
    return Refused(text, code="unsendable")
