"""Settings and records that the conformance kit tries, each the same product used in another manner."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

_WSDL: Final = str(Path(__file__).with_name("example.wsdl"))
#: An outcome in a field, as every answer of the product has it.
_CODES: Final[dict[str, str]] = {"0": "ok", "1": "refused", "2": "refused", "9": "busy"}


def _outcome(operation: str, **more: Any) -> dict[str, Any]:
    result = f"{operation}Result"
    return {"at": f"{result}/Code", "values": _CODES, "words": f"{result}/Message", **more}


_FAULTS: Final[list[dict[str, Any]]] = [
    {"code": "FailedAuthentication", "means": "misconfigured"},
    {"code": "Client", "text": "The session has ended", "means": "expired"},
    {"code": "Client", "means": "refused"},
    {"code": "Busy", "means": "busy"},
]
_LATER: Final[dict[str, Any]] = {
    "update": {
        "operation": "AddNote",
        "arguments": {"RequestNumber": "{reference}"},
        "outcomes": [_outcome("AddNote")],
    },
    "cancel": {
        "operation": "CancelRequest",
        "arguments": {"RequestNumber": "{reference}"},
        "outcomes": [_outcome("CancelRequest")],
    },
    "attach": {
        "operation": "AttachDocument",
        "arguments": {
            "RequestNumber": "{reference}",
            "FileName": "{our_reference}.{extension}",
            "MediaType": "{media_type}",
            "Content": "{base64}",
        },
        "outcomes": [_outcome("AttachDocument")],
    },
}
_LOOKUP: Final[dict[str, Any]] = {
    "operation": "GetRequestByReference",
    "arguments": {"Reference": "{our_reference}"},
    "list": "Requests/Request",
    "reference": "RequestNumber",
    "our_reference": "Reference",
}
_SIGN_IN: Final[dict[str, Any]] = {
    "operation": "SignIn",
    "arguments": {"UserName": "hub", "Password": "conformance-password"},
    "outcomes": [{"at": "SignInResult/Code", "values": {"0": "ok", "5": "misconfigured"}}],
    "token_at": "SignInResult/Token",
}

#: SOAP 1.1, a session in the header, and a product that says "there already" and which case that is.
_REJECTS: Final[dict[str, Any]] = {
    "wsdl": _WSDL,
    "address": "https://requests.example/eastvale/Requests.svc",
    "namespaces": {"ev": "urn:eastvale:requests:v1"},
    "headers": {"ev:Session": {"ev:Token": "{token}"}},
    "sign_in": _SIGN_IN,
    "create": {
        "operation": "SubmitRequest",
        "reference": "SubmitRequestResult/RequestNumber",
        "outcomes": [
            _outcome(
                "SubmitRequest", values={**_CODES, "17": "duplicate"}, reference="SubmitRequestResult/RequestNumber"
            )
        ],
    },
    **_LATER,
    "lookup": _LOOKUP,
    "faults": _FAULTS,
    "check": {"operation": "GetCategories"},
}
#: SOAP 1.2, WS-Security and HTTP Basic, no session; files a reference twice and can be asked for it.
_SEARCHED: Final[dict[str, Any]] = {
    "wsdl": _WSDL,
    "address": "https://requests.example/twice/Requests.svc",
    "port": "RequestsSoap12",
    "security": {
        "username_token": {"username": "hub", "password": "conformance-password", "digest": True, "timestamp": 60},
        "basic": {"username": "hub", "password": "conformance-basic-password"},
    },
    "create": {
        "operation": "SubmitRequest",
        "reference": "SubmitRequestResult/RequestNumber",
        "outcomes": [_outcome("SubmitRequest")],
    },
    **_LATER,
    "lookup": _LOOKUP,
    "faults": [each for each in _FAULTS if each["means"] != "expired"],
    "check": {"operation": "GetCategories"},
}
#: The least that can be said, of a product that files a reference twice and tells nobody.
_LEAST: Final[dict[str, Any]] = {
    "wsdl": _WSDL,
    "address": "https://requests.example/twice/Requests.svc",
    "security": {"username_token": {"username": "hub", "password": "conformance-password"}},
    "create": {
        "operation": "SubmitRequest",
        "reference": "SubmitRequestResult/RequestNumber",
        "outcomes": [_outcome("SubmitRequest")],
    },
    "faults": [{"code": "FailedAuthentication", "means": "misconfigured"}],
}
SETTINGS: Final[list[Any]] = [_REJECTS, _SEARCHED, _LEAST]

CREATE: Final[list[Any]] = [
    {
        "Request": {
            "@channel": "web",
            "Reference": "{our_reference}",
            "Category": "MISSED-BIN",
            "Place": {"Uprn": "100012345678"},
            "Raised": "2026-11-23 09:00",
            "Wanted": "2026-11-24",
            "Notes": "The bin was out by 6 am; Müller’s café <by the gate>",
            "Items": [{"Code": 22, "Quantity": 1, "assisted": False}, {"Code": "31", "Remark": None}],
            "Answer": [{"Name": "was it contaminated", "Value": False}, {"Name": "bins", "Value": 2}],
        }
    },
    {
        "Request": {
            "Reference": "{our_reference}",
            "Category": "MISSED-BIN",
            "Place": {"Easting": 532710.5, "Northing": "181320"},
        }
    },
]
UPDATE: Final[list[Any]] = [{"Text": "The resident says that the gate was open"}]
CANCEL: Final[list[Any]] = [{"Reason": "The resident found another way"}]
