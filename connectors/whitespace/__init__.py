"""Worksheets in Whitespace Work Software (SOAP 1.1, WS-Security, business errors on HTTP 200)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.whitespace.records import CreateWorksheet, ServiceItem, ServiceProperty, WhitespaceSettings
from hub.connector import (
    Delivery,
    FaultTable,
    Health,
    Http,
    Misconfigured,
    Operation,
    Receipt,
    Refused,
    ReplaySafety,
    Soap,
    Unavailable,
    Unclear,
    UsernameToken,
)

__all__ = ["CreateWorksheet", "ServiceItem", "ServiceProperty", "Whitespace", "WhitespaceSettings"]

#: The product's own faults are not documented. WS-Security's codes speak of our key; `Client` says that the message
#: was read and is wrong (SOAP 1.1, section 4.4.1). Any other leaves a create unclear.
_FAULTS: FaultTable = {
    "FailedAuthentication": Misconfigured,
    "InvalidSecurity": Misconfigured,
    "InvalidSecurityToken": Misconfigured,
    "MustUnderstand": Misconfigured,
    "VersionMismatch": Misconfigured,
    "Client": Refused,
}


class Whitespace:
    """Waste collections: worksheets, one for each service that was missed or asked for."""

    name: ClassVar[str] = "whitespace"
    simulator: ClassVar[str] = "connectors.whitespace.simulator:app"
    Settings: ClassVar[type[BaseModel]] = WhitespaceSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        "CreateWorksheet": Operation(CreateWorksheet, replay_safety=ReplaySafety.UNSAFE)
    }

    def __init__(self, settings: WhitespaceSettings, http: Http) -> None:
        token = UsernameToken(username=settings.username, password=settings.password.get_secret_value())
        self._soap = Soap(
            Path(__file__).with_name("whitespace.wsdl"),
            http,
            address=settings.url,
            wsse=token,
            faults=_FAULTS,
            action_quoted=False,
        )

    async def create(self, record: CreateWorksheet, delivery: Delivery) -> Receipt:
        """Make the worksheet. Whitespace files one reference twice, so an unclear create is a person's."""
        said = await self._soap.write(delivery, "CreateWorksheet", worksheetInput=_input(record, delivery))
        code = getattr(said, "ErrorCode", None)
        if code is None:
            raise Unclear(code="whitespace_no_result")
        if code != 0:
            text = f"Whitespace refused the worksheet (its error {code}); mend the data or the mapping, then replay."
            raise Refused(text, code=f"whitespace_{code}", reasons=_words(said.ErrorDescription))
        number = _number(said)
        await delivery.took(number)
        return Receipt(reference=number)

    async def check(self) -> Health:
        """Ask for the list of services: proves address, user name and password, changes nothing."""
        try:
            said = await self._soap.read("GetServices", serviceInput={"IncludeCommercial": 0})
        except (Misconfigured, Refused, Unavailable) as failure:
            return Health(ok=False, detail=str(failure))
        code = getattr(said, "ErrorCode", None)
        return Health(ok=code == 0, detail="" if code == 0 else f"Whitespace answers with its error {code}.")


def _input(record: CreateWorksheet, delivery: Delivery) -> dict[str, Any]:
    """The worksheet as the WSDL has it: lists wrapped, and an empty list an empty element as Whitespace sees today."""
    fields = record.model_dump(exclude_none=True)
    fields.setdefault("WorksheetReference", delivery.our_reference)
    for name, kind in (("ServiceItemInputs", "ServiceItemInput"), ("ServicePropertyInputs", "ServicePropertyInput")):
        fields[name] = {f"Input.CreateWorksheetInput.{kind}": fields[name]}
    return fields


def _number(said: Any) -> str:
    """The worksheet's number: the first of an untyped list. An answer without one leaves us not knowing."""
    listed = getattr(said.WorksheetResponse, "anyType", None) or []
    first = listed[0] if listed else None
    number = str(getattr(first, "text", first) or "").strip()
    if not number:
        raise Unclear(code="whitespace_no_number")
    return number


def _words(description: object) -> tuple[str, ...]:
    return (str(description),) if description else ()
