"""A pretend Jadu CXM: a key, a token that expires, flat case forms, and the gazetteer beside it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar
from urllib.parse import unquote
from xml.sax.saxutils import escape

from hub.connector.testing import At, BackOffice, Call, Reply, Unreadable, json_reply, our_reference_in, xml_reply

_SEARCH = "/SpatialRadialSearchByEastingNorthing"
_CREATE = re.compile(r".*/([^/]+)/case/create")
_ATTACH = re.compile(r".*/case/([^/]+)/attach")
_SUMMARIES = re.compile(r".*/filters/([^/]+)/summaries")
_PAGE_SIZE = 20

#: Streets near anywhere, nearest first; the first lacks a town, as real gazetteers do.
STREETS = [
    {"USRN": "25202549", "STREET": "Footpath 7", "TOWN": ""},
    {"USRN": "25202550", "STREET": "Monk's Walk", "TOWN": "Chicksands"},
    {"USRN": "25202551", "STREET": "High Street", "TOWN": "Shefford"},
]


class JaduBackOffice(BackOffice):
    """Knows any key, user name and password unless options name the only ones.

    `required` names form fields without which a case is refused;
    `unknown_case_types` names forms that are not there.
    """

    name = "jadu"
    options: ClassVar[Mapping[str, Any]] = {
        "api_key": "",
        "username": "",
        "password": "",
        "token_seconds": 1800.0,
        "required": [],
        "unknown_case_types": [],
        "streets": STREETS,
    }

    def __init__(self) -> None:
        super().__init__()
        self._case = count(101_000_001)
        self._token = count(1)
        self._tokens: dict[str, float] = {}

    def at(self, call: Call) -> At:
        if call.path.endswith("/sign-in"):
            return At.LOGIN
        if _ATTACH.fullmatch(call.path):
            return At.ATTACH
        return At.WRITE if _CREATE.fullmatch(call.path) else At.READ

    def answer(self, call: Call) -> Reply:
        if call.path.endswith(_SEARCH):
            return self._streets(call)
        if not self._knows(call.headers.get("X-API-KEY"), "api_key"):
            return self.bad_auth(call)
        if call.path.endswith("/sign-in"):
            return self._sign_in(call)
        if self._tokens.get(call.headers.get("X-API-TOKEN", ""), 0.0) < time.monotonic():
            return _problem(401, "The token is missing or has expired")
        for method, pattern, perform in self._calls():
            if call.method == method and (match := pattern.fullmatch(call.path)):
                return perform(call, unquote(match[1]))
        return _problem(404, "Not found")

    def refuse(self, call: Call) -> Reply:
        return _problem(422, "The form was not accepted", fields=["sys-town"])

    def fault(self, call: Call) -> Reply:
        return _problem(500, "An error occurred")

    def bad_auth(self, call: Call) -> Reply:
        return _problem(401, "The credentials are not known")

    def expired(self, call: Call) -> Reply:
        self._tokens.clear()
        return _problem(401, "The token is missing or has expired")

    def _knows(self, given: object, field: str) -> bool:
        return bool(given) and self.option[field] in ("", given)

    def _calls(self) -> tuple[tuple[str, re.Pattern[str], Callable[[Call, str], Reply]], ...]:
        return (
            ("POST", _CREATE, self._create),
            ("POST", _ATTACH, self._attach),
            ("GET", _SUMMARIES, self._summaries),
        )

    def _sign_in(self, call: Call) -> Reply:
        given = _json_object(call)
        if call.method != "POST" or given is None:
            return _problem(400, "Send a user name and a password as JSON")
        if not all(self._knows(given.get(field), field) for field in ("username", "password")):
            return self.bad_auth(call)
        token = f"tok-{next(self._token):06d}-{id(self):x}"
        self._tokens[token] = time.monotonic() + self.option["token_seconds"]
        return json_reply({"token": token})

    def _create(self, call: Call, case_type: str) -> Reply:
        fields = _json_object(call)
        if fields is None:
            return _problem(400, "Send the form as one JSON object")
        if case_type in self.option["unknown_case_types"]:
            return _problem(404, "There is no such case type")
        lacking = [name for name in self.option["required"] if fields.get(name) in (None, "")]
        lacking += [name for name, value in fields.items() if isinstance(value, dict | list)]
        if lacking:
            return _problem(422, "The form was not accepted", fields=lacking)
        reference = str(next(self._case))
        ours = our_reference_in(fields)
        self.ledger.add(
            reference=reference, our_reference=ours, operation="CreateCase", record=fields, case_type=case_type
        )
        return json_reply({"reference": reference}, status=201)

    def _attach(self, call: Call, reference: str) -> Reply:
        row = self.ledger.under(reference)
        if row is None:
            return _problem(404, "There is no such case")
        if b'name="file"' not in call.body or b'name="json"' not in call.body:
            return _problem(400, "Send the parts json and file")
        record = {"bytes": len(call.body), "content_type": call.headers.get("Content-Type", "").partition(";")[0]}
        self.ledger.add(reference=reference, our_reference=row["our_reference"], operation="Attach", record=record)
        return json_reply({}, status=201)

    def _summaries(self, call: Call, _: str) -> Reply:
        page = int(call.query.get("page", "1")) if call.query.get("page", "1").isdigit() else 1
        cases = [row for row in reversed(self.ledger.items) if row["operation"] == "CreateCase"]
        shown = cases[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
        items = [
            {
                "reference": row["reference"],
                "created_at": _stamp(row["received_at"]),
                "updated_at": _stamp(row["received_at"]),
                "status": {"title": "Open"},
            }
            for row in shown
        ]
        return json_reply({"num_items": len(items), "items": items})

    def _streets(self, call: Call) -> Reply:
        needed = ("apiKey", "adapterName", "easting", "northing", "unit", "distance")
        if any(not call.query.get(name) for name in needed):
            return Reply(status=400, body=b"missing parameter", content_type="text/plain")
        rows = "".join(_street(street) for street in self.option["streets"])
        text = f"<SearchResults><Results><Items>{rows}</Items></Results></SearchResults>"
        return xml_reply(b'<?xml version="1.0" encoding="utf-8"?>' + text.encode())


def _street(street: Mapping[str, str]) -> str:
    infos = "".join(
        f"<FieldInfo><Tag>{tag}</Tag><Value>{escape(value)}</Value></FieldInfo>" for tag, value in street.items()
    )
    return f"<SearchResultItem><FieldItems>{infos}</FieldItems></SearchResultItem>"


def _json_object(call: Call) -> dict[str, Any] | None:
    try:
        body = call.json()
    except Unreadable:
        return None
    return body if isinstance(body, dict) else None


def _stamp(iso: str) -> str:
    """Jadu's own form: no fraction, and a zone without a colon."""
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def _problem(status: int, message: str, **more: Any) -> Reply:
    return json_reply({"message": message, **more}, status=status)


app = JaduBackOffice
