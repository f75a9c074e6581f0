"""A pretend REST back office of no product in particular: whatever is posted is a case."""

from __future__ import annotations

import re
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from hub.connector.testing import (
    At,
    BackOffice,
    Call,
    Reply,
    Unreadable,
    as_record,
    file_in,
    json_reply,
    our_reference_in,
    xml_reply,
)

_CASE = re.compile(r".*/(CASE-\d{6}|1\d{6})(?:/([^/]*))?")
_FILES = frozenset({"files", "attachments", "documents"})
_KEY = "Idempotency-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    reference: str
    ours: str
    made: float


class RestBackOffice(BackOffice):
    """Any path takes cases; `<path>/<case>` is one, `/files` below it takes files, `…/token` gives tokens.

    A case is searched for with a GET and our reference in the query: whatever
    begins with what was asked is found, as in many real systems. A repeat is
    another case, unless it carries an Idempotency-Key that was seen, or the
    path holds `/unique/`, where it is refused as there already. Options make
    either so everywhere: `idempotent` by our reference, `rejects_duplicates`.

    Any key is known until an option names the only one. `says_no` refuses with
    status 200; `numbers` gives cases numbers and not texts; a search shows a
    case only when it is `late` seconds old.
    """

    name = "rest"
    options: ClassVar[Mapping[str, Any]] = {
        "idempotent": False,
        "rejects_duplicates": False,
        "token": "",
        "username": "",
        "password": "",
        "api_key": "",
        "api_key_header": "X-Api-Key",
        "client_id": "",
        "client_secret": "",
        "token_seconds": 3600.0,
        "says_no": False,
        "numbers": False,
        "late": 0.0,
    }

    def __init__(self) -> None:
        super().__init__()
        self._number = count(1)
        self._tokens: dict[str, float] = {}
        self.tokens_given = 0
        self.forget()

    def forget(self) -> int:
        self._by_stem: dict[str, list[Case]] = {}
        self._by_key: dict[str, Case] = {}
        self._later_keys: set[str] = set()
        return super().forget()

    def at(self, call: Call) -> At:
        if call.path.endswith("/token"):
            return At.LOGIN
        if call.method in ("GET", "HEAD") or call.path.endswith("/search"):
            return At.READ
        below = _CASE.fullmatch(call.path)
        return At.ATTACH if below and below[2] in _FILES else At.WRITE

    def answer(self, call: Call) -> Reply:
        if call.path.endswith("/token"):
            return self._token(call)
        if not self._knows(call):
            return self.bad_auth(call)
        if self.at(call) is At.READ:
            return self._search(call)
        try:
            record = _read(call)
        except Unreadable:
            return _say(call, {"ok": False, "error": "the body cannot be read"}, status=400)
        below = _CASE.fullmatch(call.path)
        return self._create(call, record) if below is None else self._later(call, below[1], below[2], record)

    def refuse(self, call: Call) -> Reply:
        status = 200 if self.option["says_no"] else 422
        return _say(call, {"ok": False, "code": 17, "error": "the case is not acceptable"}, status=status)

    def fault(self, call: Call) -> Reply:
        return _say(call, {"ok": False, "error": "internal error"}, status=500)

    def bad_auth(self, call: Call) -> Reply:
        if call.path.endswith("/token"):
            return json_reply({"error": "invalid_client"}, status=401)
        return _say(call, {"ok": False, "error": "unknown key"}, status=401)

    def expired(self, call: Call) -> Reply:
        self._tokens.clear()
        return self.bad_auth(call)

    def _knows(self, call: Call) -> bool:
        kind, _, value = call.headers.get("Authorization", "").partition(" ")
        option = self.option
        if option["api_key"] and call.headers.get(option["api_key_header"]) != option["api_key"]:
            return False
        if value.startswith("tok-") or option["client_id"]:
            return self._tokens.get(value, 0.0) > time.monotonic()
        if option["token"]:
            return (kind, value) == ("Bearer", option["token"])
        return not option["username"] or _pair(kind, value) == (option["username"], option["password"])

    def _token(self, call: Call) -> Reply:
        form = {name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
        if call.method != "POST" or form.get("grant_type") != "client_credentials":
            return json_reply({"error": "unsupported_grant_type"}, status=400)
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        kind, _, value = call.headers.get("Authorization", "").partition(" ")
        if kind:
            user, password = _pair(kind, value) or ("", "")
            given = (unquote(user), unquote(password))
        wanted = (self.option["client_id"], self.option["client_secret"])
        if not all(given) or (wanted[0] and given != wanted):
            return json_reply({"error": "invalid_client"}, status=401)
        self.tokens_given += 1
        token = f"tok-{self.tokens_given:06d}-{id(self):x}"
        self._tokens[token] = time.monotonic() + self.option["token_seconds"]
        life = int(self.option["token_seconds"])
        return json_reply({"access_token": token, "token_type": "Bearer", "expires_in": life})

    def _search(self, call: Call) -> Reply:
        below = _CASE.fullmatch(call.path)
        if below is not None:
            row = self.ledger.under(below[1])
            if row is None:
                return _say(call, {"ok": False, "error": "there is no such case"}, status=404)
            return self._say_case(call, row["reference"], row["our_reference"] or "")
        asked = our_reference_in(call.json()) if call.body else next(iter(call.query.values()), "")
        old_enough = time.time() - self.option["late"]
        found = [
            case
            for case in self._by_stem.get((asked or "")[:9], [])
            if case.ours.startswith(asked or "") and case.made <= old_enough
        ]
        return _say(call, {"total": len(found), "items": [self._shown(case.reference, case.ours) for case in found]})

    def _create(self, call: Call, record: Any) -> Reply:
        key = call.headers.get(_KEY)
        last = unquote(call.path.rpartition("/")[2])
        ours = our_reference_in(record) or our_reference_in(last) or key or ""
        there = self._by_key.get(key) if key else None
        twin = next((case for case in self._by_stem.get(ours[:9], []) if case.ours == ours), None) if ours else None
        if there is None and self.option["idempotent"]:
            there = twin
        if there is not None:
            return self._say_case(call, there.reference, there.ours)
        if twin is not None and (self.option["rejects_duplicates"] or "/unique/" in call.path):
            return self._say_case(call, twin.reference, twin.ours, status=409)
        number = next(self._number)
        reference = str(1_000_000 + number) if self.option["numbers"] else f"CASE-{number:06d}"
        self.ledger.add(reference=reference, our_reference=ours or None, operation="create", record=record)
        case = Case(reference=reference, ours=ours, made=time.time())
        self._by_stem.setdefault(ours[:9], []).append(case)
        if key:
            self._by_key[key] = case
        return self._say_case(call, reference, ours, status=201)

    def _later(self, call: Call, reference: str, below: str | None, record: Any) -> Reply:
        row, key = self.ledger.under(reference), call.headers.get(_KEY)
        if row is None:
            return _say(call, {"ok": False, "error": "there is no such case"}, status=404)
        if below in _FILES:
            operation, record = "attach", file_in(call) or _told_file(record)
            if record is None:
                return _say(call, {"ok": False, "error": "there is no file"}, status=422)
        else:
            operation = "cancel" if call.method == "DELETE" else "update"
        if key is None or key not in self._later_keys:
            self.ledger.add(reference=reference, our_reference=row["our_reference"], operation=operation, record=record)
        if key is not None:
            self._later_keys.add(key)
        return Reply(status=204) if call.method == "DELETE" else self._say_case(call, reference, row["our_reference"])

    def _say_case(self, call: Call, reference: str, ours: str, *, status: int = 200) -> Reply:
        shown = self._shown(reference, ours)
        said = _say(call, {"ok": status < 400, "data": shown, "case": shown, **shown}, status=status)
        base = call.path.partition(f"/{reference}")[0]
        return said | {"Location": f"{base if base != call.path else '/cases'}/{reference}"}

    def _shown(self, reference: str, ours: str) -> dict[str, Any]:
        number = int(reference) if self.option["numbers"] else reference
        return {"id": number, "reference": number, "external_ref": ours, "our_reference": ours, "status": "open"}


def _pair(kind: str, value: str) -> tuple[str, str] | None:
    """User and password of HTTP Basic."""
    try:
        user, _, password = b64decode(value, validate=True).decode().partition(":")
    except (NotBase64, ValueError):
        return None
    return (user, password) if kind == "Basic" else None


def _read(call: Call) -> Any:
    """What was posted, by its Content-Type; a part that is a file is read elsewhere."""
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not call.body or kind.startswith("multipart/"):
        return {}
    if kind.endswith("xml"):
        return as_record(call.xml())
    if kind == "application/x-www-form-urlencoded":
        try:
            form = parse_qs(call.body.decode(), keep_blank_values=True, strict_parsing=True)
        except ValueError as error:
            raise Unreadable("not a form") from error
        return {name: values[0] if len(values) == 1 else values for name, values in form.items()}
    return call.json()


def _told_file(record: Any) -> dict[str, Any] | None:
    """A file inside JSON: its name and type as they stand, its content by its size."""
    if not isinstance(record, Mapping) or not isinstance(record.get("content"), str):
        return None
    try:
        size = len(b64decode(record["content"], validate=True))
    except (NotBase64, ValueError):
        return None
    return {"name": record.get("name"), "media_type": record.get("type"), "bytes": size}


def _say(call: Call, said: Mapping[str, Any], *, status: int = 200) -> Reply:
    """In XML to whoever asks for XML, else in JSON."""
    if "xml" not in call.headers.get("Accept", ""):
        return json_reply(said, status=status)
    body = f'<?xml version="1.0" encoding="utf-8"?><Response>{_xml(said)}</Response>'
    return xml_reply(body.encode(), status=status)


def _xml(value: Any) -> str:
    """Elements named as the keys, in the product's own spelling: `external_ref` is `ExternalRef`."""
    match value:
        case Mapping():
            return "".join(
                f"<{name}>{_xml(each)}</{name}>" if not isinstance(each, list) else f"<{name}>{_listed(each)}</{name}>"
                for key, each in value.items()
                for name in ("".join(part.capitalize() for part in key.split("_")),)
            )
        case bool():
            return "true" if value else "false"
        case _:
            return escape(str(value))


def _listed(items: list[Any]) -> str:
    return "".join(f"<Case>{_xml(item)}</Case>" for item in items)


app = RestBackOffice
