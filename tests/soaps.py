"""A SOAP product that nobody knows, for tests: declared by settings, and pretended by the example's back office."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from connectors.soap import SoapConnector, samples
from connectors.soap.simulator import EastvaleBackOffice
from hub.connector import Http
from hub.connector.testing import serving

REJECTS, SEARCHED, LEAST = samples.SETTINGS
RESULT = "SubmitRequestResult"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OURS, TYPES = "urn:eastvale:requests:v1", "urn:eastvale:types:v1"


def settings(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Settings with changes, each by its path: `create__outcomes=…`; None takes one away."""
    made = copy.deepcopy(base)
    for path, value in changes.items():
        *above, last = path.split("__")
        below = made
        for step in above:
            below = below[step]
        below.pop(last, None) if value is None else below.__setitem__(last, value)
    return made


def connector(stated: dict[str, Any], http: Http, *, address: str) -> Any:
    stated = {**stated, "address": address}
    return SoapConnector.configured(stated)(SoapConnector.Settings.model_validate(stated), http)


@asynccontextmanager
async def connected(
    stated: dict[str, Any], office: EastvaleBackOffice, *, at: str = "/eastvale/Requests.svc"
) -> AsyncIterator[Any]:
    http = Http(timeout=timedelta(seconds=5))
    async with serving(office) as found:
        try:
            yield connector(stated, http, address=found.url + at)
        finally:
            await http.close()


def record(verb: str = "create", **changes: Any) -> Any:
    request = {**samples.CREATE[1]["Request"], "Reference": "ABCD-EFGH", **changes}
    tree = {"create": {"Request": request}, "update": samples.UPDATE[0], "cancel": samples.CANCEL[0]}[verb]
    return SoapConnector.operations[verb].record.model_validate(tree)


RULES = [
    {"at": f"{RESULT}/Message", "values": {"Try later": "busy", "Unknown key": "misconfigured"}, "otherwise": "ok"},
    {"at": f"{RESULT}/Code", "values": {0: "ok", 1: "refused", 8: "unavailable"}, "words": f"{RESULT}/Message"},
]
FAULTS = [
    {"code": "Server", "text": "Duplicate", "means": "duplicate", "reference": "There/Number"},
    {"code": "Client", "text": "Closed for the night", "means": "unavailable"},
    {"code": "Client", "means": "refused"},
    {"code": "Client.Key", "means": "misconfigured"},
]


def fault(code: str, text: str = "It is Jo's fault", detail: str = "") -> bytes:
    inside = f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring><detail>{detail}</detail>"
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault>{inside}</s:Fault></s:Body></s:Envelope>'.encode()


def result(code: str, message: str = "Jo's own words", number: str | None = "EV1") -> bytes:
    inner = "" if code == "" else f'<Code xmlns="{TYPES}">{code}</Code>'
    inner += f'<Message xmlns="{TYPES}">{message}</Message>'
    inner += "" if number is None else f'<RequestNumber xmlns="{TYPES}">{number}</RequestNumber>'
    body = f'<SubmitRequestResponse xmlns="{OURS}"><{RESULT}>{inner}</{RESULT}></SubmitRequestResponse>'
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'.encode()
