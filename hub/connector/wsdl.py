"""WSDL files read from disk by zeep, once for all destinations of a product."""

from __future__ import annotations

import functools
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hub.errors import Misconfigured

if TYPE_CHECKING:
    from zeep.wsdl.bindings.soap import SoapBinding

_loading = threading.Lock()


def load(path: Path, *, binding: str | None, strict: bool) -> SoapBinding:
    """The SOAP binding named, or the first one. Blocks for up to 100 ms the first time: call it in a thread."""
    with _loading:
        bindings = _document(path.resolve(), path.stat().st_mtime_ns, strict=strict)
    if binding is None:
        return next(iter(bindings.values()))
    for name, found in bindings.items():
        if binding in (name, name.rpartition("}")[2]):
            return found
    known = ", ".join(name.rpartition("}")[2] for name in bindings)
    raise Misconfigured(f"{path.name} has no SOAP binding {binding}; it has {known}.", code="wsdl")


@functools.lru_cache(maxsize=64)
def _document(path: Path, _changed_at: int, *, strict: bool) -> dict[str, SoapBinding]:
    from zeep.exceptions import Error
    from zeep.settings import Settings
    from zeep.wsdl.bindings import soap
    from zeep.wsdl.wsdl import Document

    for name in ("zeep", "zeep.transports"):  # which log whole bodies at DEBUG
        logging.getLogger(name).setLevel(logging.WARNING)
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
    return bindings


class _Disk:
    """What zeep loads documents through; it reads files and knows no network."""

    def load(self, url: Any) -> bytes:
        address = str(url).removeprefix("file://")
        if "://" in address:
            raise OSError("a WSDL and all it imports stand beside the connector; nothing is fetched")
        return Path(address).read_bytes()
