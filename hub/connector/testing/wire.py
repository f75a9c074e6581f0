"""What a pretend back office was sent, and what it replies, without a web framework."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_FILE = re.compile(rb'\bname="[^"]*"; filename="([^"]*)"')
_TYPE = re.compile(rb"(?i)^content-type: ([^\s;]+)", re.MULTILINE)


class Unreadable(ValueError):
    """The bytes are not of the format they claim."""


@dataclass(slots=True)
class Call:
    """One HTTP request as it came; the body is parsed once, when it is first asked for."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    _parsed: Any = field(default=None, repr=False)

    def json(self) -> Any:
        """The body as JSON, or Unreadable."""
        if self._parsed is None:
            try:
                self._parsed = json.loads(self.body)
            except (ValueError, RecursionError) as error:
                raise Unreadable("not JSON") from error
        return self._parsed

    def xml(self) -> etree._Element:
        """The body's root element, or Unreadable. A DOCTYPE is refused: it is where entity bombs live."""
        if self._parsed is None:
            self._parsed = read_xml(self.body)
        root: etree._Element = self._parsed
        return root


@dataclass(slots=True, kw_only=True)
class Reply:
    """What the back office sends back."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def __or__(self, headers: Mapping[str, str]) -> Reply:
        """The same reply with these headers as well."""
        return replace(self, headers={**self.headers, **headers})


def json_reply(value: Any, *, status: int = 200, **headers: str) -> Reply:
    """A reply in JSON; a header's underscores become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status=status, body=json.dumps(value, ensure_ascii=False).encode(), headers=named)


def xml_reply(body: bytes, *, status: int = 200) -> Reply:
    return Reply(status=status, body=body, content_type="text/xml; charset=utf-8")


#: A back office serves from one thread, so one parser does. Comments and instructions are nobody's record.
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)


def read_xml(raw: bytes) -> etree._Element:
    """Parse XML that a stranger sent: no entities, no network, no DOCTYPE."""
    try:
        root = etree.fromstring(raw, _PARSER)
    except etree.XMLSyntaxError as error:
        raise Unreadable("not XML") from error
    if b"<!DOCTYPE" in raw and root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("XML with a DOCTYPE")
    return root


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def as_record(element: etree._Element) -> Any:
    """An element's content as `{local name: text | object | [objects]}`; a repeated name makes a list."""
    if not len(element):
        return element.text or ""
    record: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        value = as_record(child) if len(child) else child.text or ""
        if name not in record:
            record[name] = value
        elif isinstance(record[name], list):
            record[name].append(value)
        else:
            record[name] = [record[name], value]
    return record


def file_in(call: Call) -> dict[str, Any] | None:
    """The first file of a multipart body, by its name, type and size."""
    boundary = _BOUNDARY.search(call.headers.get("Content-Type", ""))
    for part in call.body.split(b"--" + boundary[1].encode()) if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        if file := _FILE.search(head):
            kind = _TYPE.search(head)
            return {
                "name": file[1].decode("utf-8", "replace"),
                "media_type": kind[1].decode("ascii", "replace") if kind else None,
                "bytes": len(content.removesuffix(b"\r\n")),
            }
    return None
