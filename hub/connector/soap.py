"""zeep over that same seam: faults in, outcomes out."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from hub.connector import wsdl as wsdls
from hub.connector.answers import Answer
from hub.connector.bodies import Parts
from hub.connector.door import Delivery
from hub.connector.faults import SOAP_12, Fault, FaultKeys, FaultTable, find_fault, of_fault
from hub.connector.http import Http
from hub.connector.outcomes import of_status
from hub.connector.scalars import Unfit
from hub.connector.wsse import UsernameToken
from hub.errors import DeliveryFailure, Misconfigured, Refused
from hub.model import StepKind

if TYPE_CHECKING:
    from zeep.wsdl.bindings.soap import SoapBinding, SoapOperation

#: A fault travels with 500 (SOAP 1.1), or 400 for the sender's and 500 for the receiver's (1.2).
_FAULT_STATUSES = frozenset({400, 500})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer as XML: the element below the SOAP body (None where it is empty), or a fault that was asked for."""

    answer: Answer
    element: etree._Element | None
    fault: Fault | None = None


class Soap:
    """One SOAP service of one destination.

    zeep builds envelopes and reads answers; it never opens a socket. The WSDL
    is a local file, read in a thread at the first call. `faults` is the
    connector's own table (`FaultTable`). `headers`, given the operation's
    name, makes elements for the SOAP header of one envelope. `auth` is HTTP
    Basic: user, password. `secret` keeps no exchange as evidence, for a
    service that only signs in. `namespaces` are the prefixes of trees.
    """

    def __init__(
        self,
        wsdl: Path,
        http: Http,
        *,
        address: str,
        binding: str | None = None,
        wsse: UsernameToken | None = None,
        headers: Callable[[str], Sequence[etree._Element]] | None = None,
        faults: FaultTable | None = None,
        action_quoted: bool = True,
        strict: bool = True,
        service: str | None = None,
        port: str | None = None,
        auth: tuple[str, str] | None = None,
        secret: bool = False,
        namespaces: Mapping[str, str] | None = None,
    ) -> None:
        self._wsdl = wsdl
        self._http = http
        self._address = address
        self._binding_name = binding
        self._wsse = wsse
        self._headers = headers
        self._faults: FaultTable = faults or {}
        self._action_quoted = action_quoted
        self._strict = strict
        self._port = {"service": service, "port": port}
        self._auth = auth
        self._secret = secret
        self._namespaces = namespaces or {}
        self._security: etree._Element | None = None  # made once: a copy costs a third of a new one
        self._binding: SoapBinding | None = None
        self._loading = asyncio.Lock()

    async def read(self, operation: str, /, **arguments: Any) -> Any:
        """Ask something; may be repeated at will, so it is never Unclear."""
        spoken = await self._operation(operation)
        answer = await self._ask(self._envelope(spoken, arguments))
        return self._understand(spoken, answer, kind=None)

    async def write(self, delivery: Delivery, operation: str, /, **arguments: Any) -> Any:
        """Make or change the case; awaits `delivery.sending()` just before the envelope leaves."""
        spoken = await self._operation(operation)
        parts = self._envelope(spoken, arguments)
        answer = await self._http.write(delivery, "POST", self._address, accept=_FAULT_STATUSES, **parts)
        return self._understand(spoken, answer, kind=delivery.kind)

    async def read_tree(
        self,
        operation: str,
        tree: Mapping[str, Any],
        *,
        headers: Mapping[str, Any] | None = None,
        accept: FaultKeys = (),
    ) -> Said:
        """Ask something with a plain tree (`TreeWriter` says what it may hold); never Unclear.

        `headers` are elements for the SOAP header, as a tree too. Faults in
        `accept` are returned and not raised.
        """
        spoken = await self._operation(operation)
        answer = await self._ask(self._tree(spoken, tree, headers or {}))
        return self._said(spoken, answer, kind=None, accept=accept)

    async def write_tree(
        self,
        delivery: Delivery,
        operation: str,
        tree: Mapping[str, Any],
        *,
        headers: Mapping[str, Any] | None = None,
        accept: FaultKeys = (),
    ) -> Said:
        """Make or change the case with a plain tree. Refused, before anything is sent, names what does not fit."""
        spoken = await self._operation(operation)
        parts = self._tree(spoken, tree, headers or {})
        answer = await self._http.write(delivery, "POST", self._address, accept=_FAULT_STATUSES, **parts)
        return self._said(spoken, answer, kind=delivery.kind, accept=accept)

    async def _ask(self, parts: Parts) -> Answer:
        return await self._http.read("POST", self._address, accept=_FAULT_STATUSES, secret=self._secret, **parts)

    async def _operation(self, name: str) -> SoapOperation:
        if self._binding is None:
            async with self._loading:
                if self._binding is None:
                    self._binding = await asyncio.to_thread(
                        wsdls.load, self._wsdl, binding=self._binding_name, strict=self._strict, **self._port
                    )
        try:
            operation: SoapOperation = self._binding.get(name)
        except ValueError:
            raise Misconfigured(f"{self._wsdl.name} has no operation {name}.", code="wsdl") from None
        return operation

    def _envelope(self, operation: SoapOperation, arguments: dict[str, Any]) -> Parts:
        try:
            message = operation.create(**arguments)
        except Exception as fault:  # zeep raises a dozen kinds; all mean that the record does not fit the WSDL
            text = f"The record does not fit {operation.name} of the WSDL; mend the mapping or the data, then replay."
            raise Refused(text, code="unsendable", reasons=(str(fault),)) from None
        return self._packed(operation, message.content, [])

    def _tree(self, operation: SoapOperation, tree: Mapping[str, Any], headers: Mapping[str, Any]) -> Parts:
        try:
            envelope, header = wsdls.envelope(operation, tree, headers=headers, namespaces=self._namespaces)
        except Unfit as unfit:
            text = f"The record does not fit {operation.name} of the WSDL: {unfit}; mend the mapping, then replay."
            raise Refused(text, code="unsendable") from None
        except Exception as fault:  # a WSDL that zeep reads in a way that nobody foresaw; nothing was sent
            text = f"The record cannot be written as {operation.name} of the WSDL ({type(fault).__name__})."
            raise Refused(text, code="unsendable") from None
        return self._packed(operation, envelope, list(header))

    def _packed(self, operation: SoapOperation, envelope: etree._Element, elements: list[etree._Element]) -> Parts:
        """The envelope with its headers, as a request."""
        if self._headers is not None:
            elements = [*self._headers(operation.name), *elements]
        namespace = operation.nsmap["soap-env"]
        if self._wsse is not None:
            if self._security is None or self._wsse.fresh:
                self._security = self._wsse.element(namespace)
            elements.insert(0, copy.deepcopy(self._security))
        if elements:
            header = envelope.find(f"{{{namespace}}}Header")
            if header is None:
                header = etree.Element(f"{{{namespace}}}Header")
                envelope.insert(0, header)
            header.extend(elements)
        content = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        parts: Parts = {"content": content, "headers": self._http_headers(operation)}
        if self._auth is not None:
            parts["auth"] = self._auth
        return parts

    def _http_headers(self, operation: SoapOperation) -> dict[str, str]:
        action = operation.soapaction or ""
        if operation.nsmap["soap-env"] == SOAP_12:
            return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        return {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{action}"' if self._action_quoted else action,
        }

    def _understand(self, operation: SoapOperation, answer: Answer, *, kind: StepKind | None) -> Any:
        """What the answer says, as zeep reads it."""
        envelope, _ = self._heard(operation, answer, kind=kind)
        return None if envelope is None else _as_values(operation, envelope, answer)

    def _said(self, operation: SoapOperation, answer: Answer, *, kind: StepKind | None, accept: FaultKeys) -> Said:
        """What the answer says, as it stands; where the WSDL is to be kept to, it has been."""
        envelope, fault = self._heard(operation, answer, kind=kind, accept=accept)
        if envelope is None or fault is not None:
            return Said(answer=answer, element=None, fault=fault)
        if self._strict:
            _as_values(operation, copy.deepcopy(envelope), answer)  # which takes apart what it reads
        body = envelope.find(f"{{{operation.nsmap['soap-env']}}}Body")
        return Said(answer=answer, element=next(iter(body), None) if body is not None else None)

    def _heard(
        self, operation: SoapOperation, answer: Answer, *, kind: StepKind | None, accept: FaultKeys = ()
    ) -> tuple[etree._Element | None, Fault | None]:
        """The envelope, and the fault in it if it is in `accept`. A fault is looked for before the status is judged."""
        failure = of_status(answer, kind=kind)
        if failure is None and not answer.body and operation.output is None:
            return None, None
        try:
            envelope = answer.xml()
        except DeliveryFailure as unreadable:
            raise failure or unreadable from None
        fault = find_fault(envelope)
        if fault is not None and fault.key_in(accept) is None:
            raise of_fault(fault, answer, table=self._faults)
        if fault is None and failure is not None:
            raise failure
        if fault is None and self._strict and not _is_its_answer(operation, envelope):
            raise answer.puzzling("not_wsdl")
        return envelope, fault


def _as_values(operation: SoapOperation, envelope: etree._Element, answer: Answer) -> Any:
    try:
        return operation.process_reply(envelope)
    except Exception:  # whatever zeep stumbles over, the answer is not of the WSDL
        raise answer.puzzling("not_wsdl") from None


def _is_its_answer(operation: SoapOperation, envelope: etree._Element) -> bool:
    """Whether the body holds the element that the WSDL names; zeep reads any other as an answer without values."""
    body = envelope.find(f"{{{operation.nsmap['soap-env']}}}Body")
    if body is None or len(body) == 0:
        return False
    expected = operation.output.body if operation.output is not None and operation.style == "document" else None
    return expected is None or len(body) > 1 or body[0].tag == expected.qname.text
