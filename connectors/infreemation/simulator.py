"""A pretend Infreemation: everything is one POST, errors are HTTP 200, and `ref` means two things."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from hub.connector.testing import At, BackOffice, Call, Reply, Unreadable, json_reply, our_reference_in

#: The whole of the product's error table; `ref` is the code.
ERRORS = {
    "2": "Invalid API key, username or your account is suspended",
    "3": "Invalid date. Format expected yyyy-mm-dd",
    "4": "FOI type must be FOI or EIR",
    "5": "The requester is missing",
    "6": "The contact details are missing. Expected an email, telephone or postal address.",
    "7": "The contact type is missing. Expected EMAIL or TELEPHONE or ADDRESS",
    "8": "The request body is missing",
    "9": "RT value is missing",
    "10": "API key is missing",
    "11": "Username is missing",
    "12": "No data received",
}
_CREDENTIALS = frozenset({"key", "username"})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class InfreemationBackOffice(BackOffice):
    """Takes any content type, as the real one must: its own client sends none. Knows any key unless told of one."""

    name = "infreemation"
    options: ClassVar[Mapping[str, Any]] = {"key": "", "username": ""}

    def __init__(self) -> None:
        super().__init__()
        self._made = 0

    def at(self, call: Call) -> At:
        return At.READ if _body(call).get("rt") == "published" else At.WRITE

    def answer(self, call: Call) -> Reply:
        if call.method != "POST" or not call.path.rstrip("/").endswith("/foi"):
            return Reply(status=404, body=b"not found", content_type="text/html")
        body = _body(call)
        code = self._fault_of(body)
        if code:
            return _error(code)
        if body["rt"] == "published":
            return _published(body)
        return _error(missing) if (missing := _missing(body)) else self._create(body)

    def refuse(self, call: Call) -> Reply:
        return _error("6")

    def fault(self, call: Call) -> Reply:
        return _error("n", "Another error")

    def bad_auth(self, call: Call) -> Reply:
        return _error("2")

    def _fault_of(self, body: Mapping[str, Any]) -> str | None:
        if not body:
            return "12"
        for field, absent in (("key", "10"), ("username", "11")):
            if not body.get(field):
                return absent
            if self.option[field] not in ("", body[field]):
                return "2"
        return None if body.get("rt") in ("create", "published") else "9"

    def _create(self, body: Mapping[str, Any]) -> Reply:
        self._made += 1
        reference = f"{body['type']}/{self._made:04d}"
        record = {name: value for name, value in body.items() if name not in _CREDENTIALS}
        self.ledger.add(
            reference=reference, our_reference=our_reference_in(record), operation="CreateRequest", record=record
        )
        return json_reply({"status": "OK", "ref": reference, "error": ""})


def _body(call: Call) -> Mapping[str, Any]:
    try:
        body = call.json()
    except Unreadable:
        return {}
    return body if isinstance(body, Mapping) else {}


def _missing(body: Mapping[str, Any]) -> str | None:
    """The first fault of a create, in the order of the error table."""
    if body.get("type") not in ("FOI", "EIR"):
        return "4"
    if not body.get("requester"):
        return "5"
    if not body.get("contact"):
        return "6"
    if str(body.get("contacttype", "")).upper() not in ("EMAIL", "TELEPHONE", "ADDRESS"):
        return "7"
    return None if body.get("body") else "8"


def _published(body: Mapping[str, Any]) -> Reply:
    start, end = (str(body.get(name, "")) for name in ("startdate", "enddate"))
    for day in (start, end):
        if not _DATE.fullmatch(day) or not _is_day(day):
            return _error("3")
    found = [one for one in _LOG if start <= str(one["datepublished"]) <= end]
    if not found:
        # An empty read is a success whose `ref` is neither a reference nor an error code.
        return json_reply({"status": "OK", "ref": "0", "error": "No data is available"})
    return json_reply({"published": {"request": found, "type": "FOI", "generated": "2018-10-1 04:44:44"}})


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _error(code: str, text: str | None = None) -> Reply:
    return json_reply({"status": "ERROR", "ref": code, "error": text or ERRORS[code]})


_LOG = [
    {
        "datecreated": "2018-01-01",
        "dateclosed": "2018-01-20",
        "datepublished": "2018-02-01",
        "status": "Closed",
        "outcome": "Provided in Full",
        "category": "Environment",
        "keywords": "bins, waste, missed bins",
        "timespend": {"unit": "hours", "value": "2"},
        "costtorespond": {"unit": "GBP", "value": "50"},
        "subject": "Missed bins",
        "requestbody": "How many bins were missed last year?",
        "history": {"response": [{"responsebody": "412.", "from": "authority", "datetime": "2018-01-20 10:10:10"}]},
        "ref": "FOI-18/01",
        "url": "https://example.invalid/foi/18-01",
    }
]

app = InfreemationBackOffice
