"""WSDL files read from disk by zeep, once for all destinations of a product."""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from lxml import etree

from hub.connector.scalars import Unfit
from hub.errors import Misconfigured

if TYPE_CHECKING:
    from zeep.wsdl.bindings.soap import SoapBinding, SoapOperation

_loading = threading.Lock()
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIX = re.compile(r"(?!ns\d|xml)[A-Za-z_][\w.-]*", re.ASCII)


def load(
    path: Path, *, binding: str | None = None, service: str | None = None, port: str | None = None, strict: bool
) -> SoapBinding:
    """The SOAP binding named, that of the service and port named, or the first one.

    Blocks for up to 100 ms the first time: call it in a thread.
    """
    try:
        changed_at = path.stat().st_mtime_ns
    except OSError as fault:
        raise Misconfigured(f"{path.name} cannot be read ({type(fault).__name__}).", code="wsdl") from None
    with _loading:
        found = _document(path.resolve(), changed_at, strict=strict)
    if service is not None or port is not None:
        return _behind(found, path, service=service, port=port)
    if binding is None:
        return next(iter(found.bindings.values()))
    for name, one in found.bindings.items():
        if binding in (name, name.rpartition("}")[2]):
            return one
    known = ", ".join(name.rpartition("}")[2] for name in found.bindings)
    raise Misconfigured(f"{path.name} has no SOAP binding {binding}; it has {known}.", code="wsdl")


def _behind(found: _Found, path: Path, *, service: str | None, port: str | None) -> SoapBinding:
    """The binding of the first port that is called so."""
    for (in_service, name), one in found.ports.items():
        if service in (None, in_service) and port in (None, name):
            return one
    known = ", ".join(f"{in_service}/{name}" for in_service, name in found.ports) or "none"
    asked = "/".join(filter(None, (service, port)))
    raise Misconfigured(f"{path.name} has no SOAP port {asked}; it has {known}.", code="wsdl")


class _Found(NamedTuple):
    """What a WSDL has of SOAP."""

    bindings: dict[str, SoapBinding]
    ports: dict[tuple[str, str], SoapBinding]  #: by service and port


@functools.lru_cache(maxsize=64)
def _document(path: Path, _changed_at: int, *, strict: bool) -> _Found:
    from zeep.exceptions import Error
    from zeep.settings import Settings
    from zeep.wsdl.bindings import soap
    from zeep.wsdl.wsdl import Document

    for name in ("zeep", "zeep.transports"):  # which log whole bodies at DEBUG, and values that they cannot read
        logging.getLogger(name).setLevel(logging.CRITICAL)
    settings = Settings(
        strict=strict,
        force_https=False,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        xml_huge_tree=False,
    )
    try:
        document = Document(str(path), cast("Any", _Disk()), settings=settings)
    except (Error, OSError, SyntaxError) as fault:
        text = f"{path.name} is not a WSDL that can be read: {type(fault).__name__}."
        raise Misconfigured(text, code="wsdl") from fault
    bindings = {name: one for name, one in document.bindings.items() if isinstance(one, soap.SoapBinding)}
    if not bindings:
        raise Misconfigured(f"{path.name} has no SOAP binding.", code="wsdl")
    ports = {
        (service.name, port.name): port.binding
        for service in document.services.values()
        for port in service.ports.values()
        if isinstance(port.binding, soap.SoapBinding)
    }
    return _Found(bindings, ports)


def envelope(
    operation: SoapOperation, tree: Mapping[str, Any], *, headers: Mapping[str, Any], namespaces: Mapping[str, str]
) -> tuple[etree._Element, etree._Element]:
    """An envelope with this tree in its body, and an element that holds these headers. Raises Unfit."""
    from hub.connector.trees import TreeWriter

    soap, message = operation.nsmap["soap-env"], operation.input
    writer = TreeWriter(operation.binding.wsdl.types, namespaces)
    # Prefixes that the tree itself uses are declared once; lxml keeps `ns0` and its like to itself.
    prefixes = {prefix: each for prefix, each in namespaces.items() if _PREFIX.fullmatch(prefix)}
    root = etree.Element(f"{{{soap}}}Envelope", nsmap={**prefixes, "soap-env": soap, "xsi": _XSI})
    # A body of several parts is an element of the WSDL's own; any other one stands in a body.
    wrapped = message is not None and message._is_body_wrapped
    below = root if wrapped else etree.SubElement(root, f"{{{soap}}}Body")
    writer.body(below, message.body if message is not None else None, tree)
    header = etree.Element(f"{{{soap}}}Header")
    writer.free(header, headers)
    return root, header


@dataclass(frozen=True, slots=True)
class Wsdl:
    """One port of a WSDL on disk: what fits it can be asked before anything is sent."""

    name: str
    _binding: SoapBinding = field(repr=False)

    @classmethod
    def read(cls, path: Path, *, service: str | None = None, port: str | None = None, strict: bool = True) -> Self:
        """Blocks for up to 100 ms the first time. Raises Misconfigured, which says what is wrong with it."""
        return cls(path.name, load(path, service=service, port=port, strict=strict))

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(sorted(self._binding.all()))

    def refusal(
        self, operation: str, tree: Mapping[str, Any], *, namespaces: Mapping[str, str] | None = None
    ) -> str | None:
        """Why this tree cannot be written as the operation has it; None where it can. Quotes no value."""
        try:
            envelope(self._binding.get(operation), tree, headers={}, namespaces=namespaces or {})
        except Unfit as unfit:
            return str(unfit)
        return None

    def answers(self, operation: str, steps: Sequence[str]) -> bool:
        """Whether an answer of the operation may hold this path of local names, from below the body's element."""
        from hub.connector.particles import reaches

        output = self._binding.get(operation).output
        return output is not None and reaches(output.body, steps)


class _Disk:
    """What zeep loads documents through; it reads files and knows no network."""

    def load(self, url: Any) -> bytes:
        address = str(url).removeprefix("file://")
        if "://" in address:
            raise OSError("a WSDL and all it imports stand beside the connector; nothing is fetched")
        return Path(address).read_bytes()
