"""XML from outside, read without trusting it."""

from __future__ import annotations

import re

from lxml import etree

_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\bencoding\s*=")


class NotXml(Exception):
    """This cannot be read as XML."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(body: bytes, *, charset: str | None = None) -> etree._Element:
    """The root element. Raises NotXml: `not_xml`, `dtd` or `charset`.

    Entities are not resolved, nothing is fetched, and whatever declares a
    document type is refused: no council system needs one, and every entity
    bomb does. `charset` is what the transport said; it counts where the
    document does not declare its own.
    """
    if charset and not charset.startswith("utf") and not _DECLARATION.match(body):
        try:
            body = body.decode(charset).encode()
        except UnicodeError:
            raise NotXml("charset") from None
    try:
        root = etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError):
        raise NotXml("dtd" if b"<!DOCTYPE" in body[:4096] else "not_xml") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("dtd")
    return root


def _parser() -> etree.XMLParser:
    # A parser each: one that is shared waits for its lock when WSDLs load in a thread.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
