"""Any SOAP system: operations, keys, answers and faults as a council's file declares them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from connectors.soap import samples
from connectors.soap.answers import Means, place
from connectors.soap.contract import check_answers, check_calls, held_against
from connectors.soap.settings import Call, SoapSettings
from connectors.soap.speaker import Heard, Speaker
from hub.connector import (
    Attachment,
    BadSetting,
    Delivery,
    FreeRecord,
    Health,
    Http,
    Misconfigured,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    Unavailable,
    Wsdl,
    tailored,
)

__all__ = ["CancelRecord", "CreateRecord", "SoapConnector", "SoapSettings", "UpdateRecord"]


class CreateRecord(FreeRecord):
    """The arguments of the operation that makes a case, as the WSDL has them."""

    model_config = ConfigDict(json_schema_extra={"examples": samples.CREATE})


class UpdateRecord(FreeRecord):
    """The arguments of the operation that adds something to a case."""

    model_config = ConfigDict(json_schema_extra={"examples": samples.UPDATE})


class CancelRecord(FreeRecord):
    """The arguments of the operation that withdraws a case."""

    model_config = ConfigDict(json_schema_extra={"examples": samples.CANCEL})


class AttachRecord(FreeRecord):
    """Arguments beside those of the settings, for the operation that adds a file."""


_RECORDS: Final[Mapping[str, type[FreeRecord]]] = {
    "create": CreateRecord,
    "update": UpdateRecord,
    "cancel": CancelRecord,
    "attach": AttachRecord,
}


class SoapConnector:
    """Any SOAP system, declared wholly in the council file: its WSDL on disk, its operations, its words."""

    name: ClassVar[str] = "soap"
    simulator: ClassVar[str] = "connectors.soap.simulator:app"
    Settings: ClassVar[type[BaseModel]] = SoapSettings
    operations: ClassVar[Mapping[str, Operation]] = {verb: Operation(record) for verb, record in _RECORDS.items()}

    @classmethod
    def configured(cls, settings: Mapping[str, Any]) -> type[SoapConnector]:
        """The verbs and the replay safety that these settings allow; records held against the WSDL, if it is there."""
        stated = SoapSettings.model_validate(_with_addresses(settings))
        wsdl = _wsdl(stated)
        if wsdl is not None:
            check_calls(stated, wsdl)
            check_answers(stated, wsdl)
        operations = {}
        for verb, record in _RECORDS.items():
            call = getattr(stated, verb)
            if call is not None:
                held = record if wsdl is None else held_against(record, wsdl, stated, verb)
                safety = _safety(stated) if verb == "create" else ReplaySafety.UNSAFE
                operations[verb] = Operation(held, replay_safety=safety)
        without = {verb for verb in _RECORDS if verb not in operations}
        without |= {"find"} if stated.lookup is None else set()
        without |= {"check"} if stated.check is None and stated.sign_in is None else set()
        return tailored(cls, operations=operations, without=without)

    def __init__(self, settings: SoapSettings, http: Http) -> None:
        self._settings = settings
        self._speaker = Speaker(settings, http)

    async def create(self, record: FreeRecord, delivery: Delivery) -> Receipt:
        """Make the case. "There already" is its receipt, where the settings say how that is said."""
        call = self._settings.create
        heard = await self._speaker.tell(delivery, call, record=record.tree())
        if heard.means is Means.DUPLICATE:
            return await self._joined(heard, delivery)
        reference = place(call.reference).text(heard.below)
        if not reference:
            raise heard.said.answer.puzzling("soap_no_reference")
        await delivery.took(reference)
        return Receipt(reference=reference)

    async def update(self, record: FreeRecord, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self._follow_up(self._settings.update, record, receipt, delivery)

    async def cancel(self, record: FreeRecord, receipt: Receipt, delivery: Delivery) -> Receipt:
        return await self._follow_up(self._settings.cancel, record, receipt, delivery)

    async def attach(self, attachment: Attachment, receipt: Receipt, delivery: Delivery) -> None:
        """Add a file to the case: whole in one envelope, so no larger than the settings allow."""
        call = self._settings.attach
        assert call is not None
        if attachment.size > call.largest:
            text = "The file is larger than `attach.largest` allows; tell the council by hand, then discard this."
            raise Refused(text, code="soap_too_large")
        content = b"".join([chunk async for chunk in attachment.chunks()])
        name, _, extension = attachment.name.rpartition(".")
        await self._speaker.tell(
            delivery,
            call,
            reference=_number(receipt),
            name=attachment.name,
            extension=extension if name else attachment.media_type.rpartition("/")[2],
            media_type=attachment.media_type,
            size=attachment.size,
            base64=content,
        )

    async def find(self, our_reference: str) -> Receipt | None:
        """The first case under exactly our reference. A look that could not be made raises."""
        call = self._settings.lookup
        assert call is not None
        heard = await self._speaker.ask(call, none=call.none, our_reference=our_reference)
        if heard.means is Means.NONE:
            return None
        if heard.below is None:
            raise heard.said.answer.puzzling("soap_empty")
        for item in place(call.items).elements(heard.below):
            if place(call.our_reference).text(item) == our_reference:
                reference = place(call.reference).text(item)
                if not reference:
                    raise heard.said.answer.puzzling("soap_no_reference")
                return Receipt(reference=reference)
        return None

    async def check(self) -> Health:
        """Sign in afresh and make the call that the settings name: proves address and key, changes nothing."""
        try:
            await self._speaker.sign_in()
            if self._settings.check is not None:
                await self._speaker.ask(self._settings.check)
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        return Health(ok=True)

    async def _follow_up(self, call: Call | None, record: FreeRecord, receipt: Receipt, delivery: Delivery) -> Receipt:
        assert call is not None
        await self._speaker.tell(delivery, call, record=record.tree(), reference=_number(receipt))
        return receipt

    async def _joined(self, heard: Heard, delivery: Delivery) -> Receipt:
        """The case that is there: named by the answer, or looked up."""
        rule = heard.rule
        assert rule is not None
        if rule.reference is None:
            try:
                found = await self.find(delivery.our_reference)
            except Refused as refusal:  # the look was; the case is there
                raise Unavailable(code=refusal.code, reasons=refusal.reasons) from None
            reference = found.reference if found is not None else None
        else:
            reference = place(rule.reference).text(heard.below)
        if not reference:
            raise heard.said.answer.puzzling("soap_no_reference")
        await delivery.took(reference)
        theirs = place(rule.our_reference).text(heard.below) if rule.our_reference is not None else None
        strange = rule.our_reference is not None and theirs != delivery.our_reference
        return Receipt(reference=reference, joined=rule.joined or strange)


def _number(receipt: Receipt) -> str:
    if receipt.reference is None:
        raise Unavailable("The case has no number yet.", code="soap_number_to_follow")
    return receipt.reference


def _safety(settings: SoapSettings) -> ReplaySafety:
    if settings.rejects_duplicates:
        return ReplaySafety.REJECTS_DUPLICATES
    return ReplaySafety.LOOKUP if settings.lookup is not None else ReplaySafety.UNSAFE


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("env:", "file:"))


def _with_addresses(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose addresses may be references still: what is asked of them here does not depend on those."""
    stated = dict(settings)
    for holder in (stated, sign_in := dict(stated.get("sign_in") or {})):
        if _is_reference(holder.get("address")):
            holder["address"] = "https://reference.invalid"
    return {**stated, "sign_in": sign_in} if sign_in else stated


def _wsdl(settings: SoapSettings) -> Wsdl | None:
    """The WSDL, where the settings name a file and not a reference to one. Raises BadSetting."""
    if _is_reference(settings.wsdl):
        return None
    try:
        return Wsdl.read(Path(settings.wsdl), service=settings.service, port=settings.port, strict=settings.strict)
    except Misconfigured as fault:
        at = "port" if " port " in str(fault) else "wsdl"
        raise BadSetting(str(fault), at=(at,)) from None
