"""SOAP faults, read from an envelope and judged by the connector's own table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lxml import etree

from hub.connector.answers import REASON_CAP, Answer
from hub.errors import DeliveryFailure, Unavailable, Unclear

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

#: A fault code's local name, or (code, exact faultstring) → what it means. Nothing is found by searching words.
FaultTable = Mapping[str | tuple[str, str], type[DeliveryFailure]]
FaultKeys = Collection[str | tuple[str, str]]

_STANDARD = frozenset(
    {"Client", "Server", "VersionMismatch", "MustUnderstand", "Sender", "Receiver", "DataEncodingUnknown"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A SOAP fault: codes from the most particular to the most general, without prefixes."""

    codes: tuple[str, ...]
    text: str
    detail: str
    element: etree._Element | None = field(default=None, repr=False, compare=False)  #: the detail as it came

    def key_in(self, keys: FaultKeys) -> str | tuple[str, str] | None:
        """The entry of a table that is meant: the most particular code, and with its text before without."""
        for code in self.codes:
            for key in ((code, self.text), code):
                if key in keys:
                    return key
        return None


def find_fault(envelope: etree._Element) -> Fault | None:
    """The fault in this envelope, of SOAP 1.1 or 1.2."""
    for namespace, read in ((SOAP_11, _read_11), (SOAP_12, _read_12)):
        fault = envelope.find(f"{{{namespace}}}Body/{{{namespace}}}Fault")
        if fault is not None:
            return read(fault)
    return None


def of_fault(fault: Fault, answer: Answer, *, table: FaultTable) -> DeliveryFailure:
    """The failure that the table gives this fault; one that is not in it is Unclear on a write."""
    reasons = tuple(part[:REASON_CAP] for part in (", ".join(fault.codes), fault.text, fault.detail) if part)
    for code in fault.codes:
        kind = table.get((code, fault.text)) or table.get(code)
        if kind is not None and not (kind is Unclear and not answer.written):
            return kind(code=f"fault_{code}", reasons=reasons)
    # Codes that nobody foresaw may hold anything, so only the standard's own are named.
    known = next((code for code in fault.codes if code in _STANDARD), "unknown")
    kind = Unclear if answer.written else Unavailable
    return kind(code=f"fault_{known}", reasons=reasons)


def _read_11(fault: etree._Element) -> Fault:
    detail = fault.find("{*}detail")
    code = _local(fault.findtext("{*}faultcode"))
    # "Client.Authentication" is a particular kind of "Client" (SOAP 1.1, section 4.4.1).
    codes = [code.rsplit(".", cut)[0] for cut in range(code.count(".") + 1)]
    text = (fault.findtext("{*}faultstring") or "").strip()
    return Fault(codes=tuple(codes), text=text, detail=_words(detail), element=detail)


def _read_12(fault: etree._Element) -> Fault:
    codes = []
    code = fault.find(f"{{{SOAP_12}}}Code")
    while code is not None:
        codes.append(_local(code.findtext(f"{{{SOAP_12}}}Value")))
        code = code.find(f"{{{SOAP_12}}}Subcode")
    text = (fault.findtext(f"{{{SOAP_12}}}Reason/{{{SOAP_12}}}Text") or "").strip()
    detail = fault.find(f"{{{SOAP_12}}}Detail")
    return Fault(codes=tuple(reversed(codes)), text=text, detail=_words(detail), element=detail)


def _local(code: str | None) -> str:
    return (code or "").strip().rpartition(":")[2]


def _words(detail: etree._Element | None) -> str:
    if detail is None:
        return ""
    return " ".join(" ".join(str(piece) for piece in detail.itertext()).split())[:REASON_CAP]
