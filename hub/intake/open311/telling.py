"""Answers of this door: XML as its clients read it, or JSON in the Spark convention, errors among them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

#: What one element of a list is called in XML. JSON leaves these names out.
_ONE = {
    "services": "service",
    "groups": "group",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}
#: Everything that XML 1.0 has no way to hold, however it is escaped.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Form(StrEnum):
    """In which of its two shapes an answer is wanted."""

    XML = "xml"
    JSON = "json"


_TYPES = {Form.XML: "text/xml; charset=utf-8", Form.JSON: "application/json"}


def form_of(request: Request) -> Form:
    """By the extension of the address, else by Accept; XML where neither says, as its clients expect."""
    path: str = request.scope["path"]
    if path.endswith((".json", ".xml")):
        return Form(path.rpartition(".")[2])
    wanted = [(_weight(each), each.partition(";")[0].strip().lower()) for each in _accepted(request)]
    as_json = max((weight for weight, kind in wanted if kind.endswith("/json")), default=0.0)
    as_xml = max((weight for weight, kind in wanted if kind.endswith(("/xml", "/*"))), default=0.0)
    return Form.JSON if as_json > as_xml else Form.XML


def _accepted(request: Request) -> list[str]:
    return request.headers.get("accept", "").split(",")


def _weight(accepted: str) -> float:
    """The `q` of one entry of Accept."""
    found = re.search(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", accepted)
    return float(found[1]) if found else 1.0


def tell(
    root: str, content: Any, *, form: Form, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer: maps, lists, texts, numbers, true and false, under `root` where it is XML."""
    body = as_xml(root, content) if form is Form.XML else as_json(content)
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=_TYPES[form])


def tell_error(status: int, description: str, *, form: Form, headers: Mapping[str, str] | None = None) -> Response:
    """A no as this protocol says it: the status twice, and what to do."""
    error = {"code": status, "description": description}
    return tell("errors", [error], form=form, status=status, headers=headers)


def as_xml(root: str, content: Any) -> bytes:
    top = etree.Element(root)
    _put(top, content)
    return etree.tostring(top, encoding="utf-8", xml_declaration=True)


def _put(element: etree._Element, content: Any) -> None:
    match content:
        case Mapping():
            for name, value in content.items():
                _put(etree.SubElement(element, name), value)
        case str():
            element.text = held(content)
        case bool():
            element.text = "true" if content else "false"
        case Sequence():
            for each in content:
                _put(etree.SubElement(element, _ONE[str(element.tag)]), each)
        case None:
            pass
        case _:
            element.text = str(content)


def held(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _NO_XML.sub("", text)


def as_json(content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate can be in no UTF-8; XML has lost it as well.
    return text.encode("utf-8", errors="ignore")
