"""What a back office answered."""

from __future__ import annotations

import codecs
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from lxml import etree

from hub.connector.markup import NotXml, parse
from hub.errors import DeliveryFailure, Unavailable, Unclear

REASON_CAP = 4000  #: characters of a back office's own words that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer whose status was a success, or one the caller said it accepts.

    `headers` are found in any case. What does not parse is Unclear if this
    answered a write (it may well have been done) and Unavailable if it
    answered a read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    written: bool  #: this answered a write

    def text(self) -> str:
        """The body as text, in the charset the answer names (UTF-8 where it names none)."""
        try:
            return self.body.decode(self._charset() or "utf-8-sig")
        except UnicodeError:
            raise self.puzzling("not_text") from None

    def json(self) -> Any:
        """The body's JSON."""
        try:
            charset = self._charset()
            # Python finds UTF-8, -16 and -32 by itself; only an old code page has to be told.
            legacy = charset is not None and not charset.startswith("utf")
            return json.loads(self.body.decode(charset) if legacy and charset else self.body)
        except (ValueError, RecursionError):
            raise self.puzzling("not_json") from None

    def xml(self) -> etree._Element:
        """The root of the body's XML; a document with a DTD is not taken."""
        try:
            return parse(self.body, charset=self._charset())
        except NotXml as fault:
            raise self.puzzling(fault.code) from None

    def puzzling(self, code: str, message: str | None = None) -> DeliveryFailure:
        """What to raise when this answer does not say what it should; `code` is stable and quotes nothing."""
        reasons = (self.excerpt(),) if self.body else ()
        if self.written:
            text = message or "The destination took the request and its answer cannot be read; look before you replay."
            return Unclear(text, code=code, reasons=reasons)
        text = message or "The destination's answer cannot be read; the hub tries again on schedule."
        return Unavailable(text, code=code, reasons=reasons)

    def excerpt(self) -> str:
        """The start of the body for a person to read: sealed with the evidence, never in an exception's text."""
        return self.body[: 4 * REASON_CAP].decode(self._charset() or "utf-8", "replace")[:REASON_CAP]

    def _charset(self) -> str | None:
        return _charset(self.headers.get("Content-Type", ""))


@functools.lru_cache(maxsize=256)
def _charset(content_type: str) -> str | None:
    """The charset a Content-Type names, where Python knows it as one of text."""
    header = Message()
    header["Content-Type"] = content_type
    try:
        codec = codecs.lookup(header.get_content_charset() or "")
        "".encode(codec.name)  # refuses hex, zlib and others that make no text
    except LookupError:
        return None
    return codec.name
