"""The OpenAPI description of this door: its own content types, its own errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from hub.intake.open311.telling import as_xml
from hub.standard.fields import SOME_WORDS

TAG = "open311"
ABOUT = {
    "name": TAG,
    "description": "Open311 GeoReport v2, for FixMyStreet and its kin: XML (the usual) or JSON, by the extension or by "
    "Accept. Errors are Open311's own: a status and a description.",
}
SCHEMES: Mapping[str, Any] = {
    "open311_api_key": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "The key of a front end; in the form of POST requests as well.",
    }
}
_KEYED: list[dict[str, list[str]]] = [{"open311_api_key": []}, {"front_end_key_header": []}, {"front_end_key": []}]
_OPEN: list[dict[str, list[str]]] = [*_KEYED, {}]

_WHY: Mapping[int, str] = {
    400: "No location of any kind, a number or date that cannot be read, another council's jurisdiction_id, or no form",
    403: "The api_key is missing or wrong, or not for this council and service",
    404: "No such council, jurisdiction_id, service_code, number or call",
    408: "The body did not arrive in time",
    413: "The form is too large",
    415: "The body is compressed",
    429: "Faster than agreed",
    503: "Nothing can be kept, or no whole list of services be made, just now",
}
_TEXT = {"type": "string"}
_ERRORS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code", "description"],
        "properties": {"code": {"type": "integer"}, "description": _TEXT},
    },
}


def _map(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _list(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_YES_NO = {"type": "boolean"}
_NUMBERED = {**_map(service_request_id=_TEXT), "additionalProperties": True}
_REQUESTS = _list(_map(service_request_id=_TEXT, status={"enum": ["open", "closed"]}, service_code=_TEXT))
_NUMBER = {"service_request_id": "ABCD-EFGH"}

#: Each call: what it is for, the root of its XML, the schema of its JSON, an example of both.
_CALLS: Mapping[str, tuple[str, str, Any, Any]] = {
    "get_discovery": (
        "Where this door is and what it speaks",
        "discovery",
        _map(endpoints=_list({})),
        {"contact": "…"},
    ),
    "list_services": (
        "Every service of a council, or none: never a part",
        "services",
        _list(_map(service_code=_TEXT, service_name=_TEXT, metadata=_YES_NO, type={"enum": ["realtime", "batch"]})),
        [{"service_code": "fly-tipping", "service_name": "Fly-tipping", "metadata": True, "type": "realtime"}],
    ),
    "get_service": (
        "What a service asks for",
        "service_definition",
        _map(service_code=_TEXT, attributes=_list(_map(code=_TEXT, datatype=_TEXT, required=_YES_NO))),
        {"service_code": "fly-tipping", "attributes": [{"code": "easting", "datatype": "number", "required": False}]},
    ),
    "create_request": ("Take one report in", "service_requests", _list(_NUMBERED), [_NUMBER]),
    "list_requests": ("Requests that are named: open or closed", "service_requests", _REQUESTS, [_NUMBER]),
    "get_request": ("One request: open or closed", "service_requests", _REQUESTS, [_NUMBER]),
    "get_token": ("A token's number, which is the token itself", "service_requests", _list(_NUMBERED), [_NUMBER]),
}
_FIELDS = (
    "api_key jurisdiction_id service_code description lat long address_string address_id email first_name last_name "
    "phone account_id device_id media_url"
).split()


_SAYS = {"type": "string", "pattern": SOME_WORDS}
#: Degrees as the door reads them; blank is as good as absent.
_DEGREES = {
    "lat": r"^\s*([+-]?([0-8]?[0-9](\.[0-9]{0,15})?|90(\.0{0,15})?|\.[0-9]{1,15}))?\s*$",
    "long": r"^\s*([+-]?((1[0-7][0-9]|[0-9]?[0-9])(\.[0-9]{0,15})?|180(\.0{0,15})?|\.[0-9]{1,15}))?\s*$",
}
_PLACED = (("lat", "long"), ("address_string",), ("address_id",), ("attribute[uprn]",), ("attribute[usrn]",))


def described(call: str) -> dict[str, Any]:
    """What a route says of itself."""
    summary, root, schema, example = _CALLS[call]
    return {
        "summary": summary,
        "tags": [TAG],
        "response_class": Response,
        "responses": {200: {"description": summary + ".", "content": _content(root, schema, example)}},
        "openapi_extra": _more(call),
    }


def _content(root: str, schema: Any, example: Any) -> dict[str, Any]:
    return {
        "text/xml": {"schema": _TEXT, "example": as_xml(root, example).decode()},
        "application/json": {"schema": schema, "example": example},
    }


def _more(call: str) -> dict[str, Any]:
    parameters = [
        _parameter("council", "path", "A council's slug or GSS code."),
        _parameter("extension", "path", "How to answer.", schema={"type": "string", "enum": ["xml", "json"]}),
        _parameter("jurisdiction_id", "query", "The council once more, or nothing."),
    ]
    if call in ("get_service", "get_request", "get_token"):
        parameters.insert(1, _parameter("name", "path", "A service_code, or a service_request_id."))
    if call == "list_requests":
        parameters.append(_parameter("service_request_id", "query", "Numbers with commas between.", required=True))
    more: dict[str, Any] = {"parameters": parameters, "security": _OPEN}
    if call == "create_request":
        form = {
            "schema": {
                "type": "object",
                "required": ["service_code"],
                "properties": {
                    **dict.fromkeys(_FIELDS, _TEXT),
                    **{name: {"type": "string", "pattern": pattern} for name, pattern in _DEGREES.items()},
                },
                "additionalProperties": _TEXT,
                "anyOf": [{"required": list(names), "properties": dict.fromkeys(names, _SAYS)} for names in _PLACED],
            },
            "example": {"service_code": "fly-tipping", "description": "A sofa.", "lat": "51.5", "long": "-0.1"},
        }
        more["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": form, "multipart/form-data": form},
        }
        more["security"] = _KEYED
    return more


def _parameter(
    name: str, place: str, about: str, *, required: bool = False, schema: Mapping[str, Any] = _TEXT
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required or place == "path",
        "schema": schema,
        "description": about,
    }


def complete(operation: dict[str, Any]) -> None:
    """Every no that a call may answer with."""
    takes = "requestBody" in operation
    for status in (400, 403, 404, *((408, 413, 415, 429) if takes else ()), 503):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{TAG}-{status}"}
    operation["responses"].pop("422", None)


def answers() -> dict[str, Any]:
    """Those noes, as components."""
    made: dict[str, Any] = {}
    for status, why in _WHY.items():
        example = [{"code": status, "description": f"{why}."}]
        made[f"{TAG}-{status}"] = {"description": f"{why}.", "content": _content("errors", _ERRORS, example)}
        if status in (429, 503):
            retry = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
            made[f"{TAG}-{status}"]["headers"] = {"Retry-After": retry}
    return made
