"""A pretend Eastvale Requests: SOAP 1.1 and 1.2, sessions, duplicates refused (below `/twice/`: filed again)."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final
from xml.sax.saxutils import escape

from lxml import etree

from hub.connector.testing import At, BackOffice, Call, Reply, Unreadable, as_record, local

_SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
_OURS: Final = "urn:eastvale:requests:v1"
_TYPES: Final = "urn:eastvale:types:v1"
_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_WSDL: Final = Path(__file__).with_name("example.wsdl")
_WRITES: Final = frozenset({"SubmitRequest"})
_ADDS: Final = frozenset({"AddNote", "CancelRequest", "AttachDocument"})
CATEGORIES: Final = ("MISSED-BIN", "FLY-TIPPING", "BULKY", "STREET")


class EastvaleBackOffice(BackOffice):
    """Knows any key unless options name the only one. It wants a session, or WS-Security, or HTTP Basic beside that."""

    name = "soap"
    options: ClassVar[Mapping[str, Any]] = {"username": "", "password": "", "files_twice": False}

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(700_001)
        self._tokens = count(1)
        self._sessions: set[str] = set()
        self._operations = self._all_operations()

    def at(self, call: Call) -> At:
        asked = _asked(call)
        if asked == "SignIn":
            return At.LOGIN
        # A note is a later write like any other; only a file goes by a name of its own.
        return At.ATTACH if asked == "AttachDocument" else At.WRITE if asked in _WRITES | _ADDS else At.READ

    def answer(self, call: Call) -> Reply:
        if call.method == "GET" and "wsdl" in {name.lower() for name in call.query}:
            return Reply(body=_WSDL.read_bytes(), content_type="text/xml; charset=utf-8")
        if call.method != "POST":
            return Reply(status=405, content_type="text/plain")
        soap = _version(call)
        if soap is None:
            return Reply(status=415, content_type="text/plain")
        try:
            envelope = call.xml()
        except Unreadable as error:
            return _fault(call, "Client", f"The request cannot be read: {error}")
        if envelope.tag != f"{{{soap}}}Envelope":
            return _fault(call, "VersionMismatch", "The envelope is of another version than the request")
        body = envelope.find(f"{{{soap}}}Body")
        asked = next(iter(body), None) if body is not None else None
        if asked is None or asked.tag != f"{{{_OURS}}}{_asked(call)}" or local(asked) not in self._operations:
            return _fault(call, "Client", "The action and the body do not go together")
        return self._known(call, envelope, soap, asked)

    def refuse(self, call: Call) -> Reply:
        return _result(call, _asked(call), code=1, message="The request is not acceptable")

    def fault(self, call: Call) -> Reply:
        return _fault(call, "Server", "Object reference not set to an instance of an object")

    def bad_auth(self, call: Call) -> Reply:
        return _fault(call, "FailedAuthentication", "The caller is not known")

    def expired(self, call: Call) -> Reply:
        self._sessions.clear()
        if _local_header(call, "Session") is None:
            return self.bad_auth(call)
        return _fault(call, "Client", "The session has ended")

    def _known(self, call: Call, envelope: etree._Element, soap: str, asked: etree._Element) -> Reply:
        """Answer, if the caller may ask this: by a session, or by WS-Security."""
        operation = local(asked)
        if operation != "SignIn":
            session = envelope.findtext(f"{{{soap}}}Header/{{{_OURS}}}Session/{{{_OURS}}}Token")
            token = envelope.find(f"{{{soap}}}Header/{{{_WSSE}}}Security/{{{_WSSE}}}UsernameToken")
            if session is not None and session not in self._sessions:
                return _fault(call, "Client", "The session has ended")
            if session is None and (token is None or not self._knows(token)):
                return self.bad_auth(call)
        return self._operations[operation](call, asked)

    def _knows(self, token: etree._Element) -> bool:
        """A password in clear text, or its digest over a nonce and a time (UsernameToken profile 1.0)."""
        name, given = token.findtext(f"{{{_WSSE}}}Username"), token.find(f"{{{_WSSE}}}Password")
        if not name or self.option["username"] not in ("", name) or given is None or not given.text:
            return False
        if not given.get("Type", "").endswith("#PasswordDigest"):
            return self.option["password"] in ("", given.text)
        nonce, created = token.findtext(f"{{{_WSSE}}}Nonce"), token.findtext(f"{{{_WSU}}}Created")
        if not nonce or not created:
            return False
        secret = b64decode(nonce) + created.encode() + str(self.option["password"]).encode()
        expected = b64encode(hashlib.sha1(secret, usedforsecurity=False).digest()).decode()
        return self.option["password"] == "" or given.text == expected

    def _all_operations(self) -> dict[str, Callable[[Call, etree._Element], Reply]]:
        return {
            "SignIn": self._sign_in,
            "SubmitRequest": self._submit,
            "GetRequestByReference": self._by_reference,
            "AddNote": self._note,
            "CancelRequest": self._note,
            "AttachDocument": self._document,
            "GetCategories": self._categories,
        }

    def _sign_in(self, call: Call, asked: etree._Element) -> Reply:
        name, password = _field(asked, "UserName"), _field(asked, "Password")
        if not name or not password:
            return _answer(call, "SignIn", "<SignInResult><Code>5</Code></SignInResult>")
        if self.option["username"] not in ("", name) or self.option["password"] not in ("", password):
            return _answer(call, "SignIn", "<SignInResult><Code>5</Code></SignInResult>")
        token = f"ses-{next(self._tokens):06d}-{id(self):x}"
        self._sessions.add(token)
        return _answer(call, "SignIn", f"<SignInResult><Code>0</Code><Token>{token}</Token></SignInResult>")

    def _submit(self, call: Call, asked: etree._Element) -> Reply:
        request = asked.find(f"{{{_OURS}}}Request")
        problem = "There is no request" if request is None else _problem(request)
        if problem or request is None:
            return _result(call, "SubmitRequest", code=1, message=problem)
        ours = _typed(request, "Reference")
        there = next((row for row in self.ledger.items if row["our_reference"] == ours), None)
        if there is not None and not self._files_twice(call):
            return _result(call, "SubmitRequest", code=17, message="There already", number=there["reference"])
        number = f"EV{next(self._numbers)}"
        record = {"SubmitRequest": as_record(asked)}
        self.ledger.add(reference=number, our_reference=ours or None, operation="SubmitRequest", record=record)
        return _result(call, "SubmitRequest", code=0, message="Taken", number=number)

    def _files_twice(self, call: Call) -> bool:
        return bool(self.option["files_twice"]) or call.path.startswith("/twice/")

    def _by_reference(self, call: Call, asked: etree._Element) -> Reply:
        # As many products search: whatever begins with what was asked for.
        wanted = _field(asked, "Reference")
        rows = [
            row
            for row in self.ledger.items
            if row["operation"] == "SubmitRequest" and str(row["our_reference"]).startswith(wanted)
        ]
        found = "".join(
            f'<Request><RequestNumber xmlns="{_TYPES}">{row["reference"]}</RequestNumber>'
            f'<Reference xmlns="{_TYPES}">{escape(str(row["our_reference"]))}</Reference>'
            f'<Status xmlns="{_TYPES}">Open</Status></Request>'
            for row in reversed(rows)
        )
        return _answer(call, "GetRequestByReference", f"<Requests>{found}</Requests>")

    def _note(self, call: Call, asked: etree._Element) -> Reply:
        """A note, or a cancellation: a row of its own under the number of its case."""
        operation = local(asked)
        return self._add(call, asked, operation, {operation: as_record(asked)})

    def _document(self, call: Call, asked: etree._Element) -> Reply:
        try:
            content = b64decode(_field(asked, "Content"), validate=True)
        except NotBase64:
            return _result(call, "AttachDocument", code=2, message="Content is not base64")
        record = {"FileName": _field(asked, "FileName"), "MediaType": _field(asked, "MediaType"), "bytes": len(content)}
        return self._add(call, asked, "AttachDocument", {"AttachDocument": record})

    def _add(self, call: Call, asked: etree._Element, operation: str, record: dict[str, Any]) -> Reply:
        row = self.ledger.under(_field(asked, "RequestNumber"))
        if row is None:
            return _result(call, operation, code=1, message="No request has this number")
        self.ledger.add(
            reference=row["reference"], our_reference=row["our_reference"], operation=operation, record=record
        )
        return _result(call, operation, code=0, message="Taken", number=row["reference"])

    def _categories(self, call: Call, _: etree._Element) -> Reply:
        return _answer(call, "GetCategories", "".join(f"<Category>{one}</Category>" for one in CATEGORIES))


def _problem(request: etree._Element) -> str:
    """What a clerk of this product would not accept."""
    if not _typed(request, "Reference"):
        return "Reference is missing"
    if _typed(request, "Category") not in CATEGORIES:
        return "The category is not known"
    place = request.find(f"{{{_TYPES}}}Place")
    if place is None or not len(place):
        return "Place is missing"
    for name, reads in (("Raised", datetime.fromisoformat), ("Wanted", date.fromisoformat)):
        stated = request.findtext(f"{{{_TYPES}}}{name}")
        try:
            if stated is not None:
                reads(stated)
        except ValueError:
            return f"{name} is not a date"
    for item in request.iter(f"{{{_TYPES}}}Item"):
        if not _typed(item, "Code").isdigit():
            return "An item has no code"
    return ""


def _field(asked: etree._Element, name: str) -> str:
    return (asked.findtext(f"{{{_OURS}}}{name}") or "").strip()


def _typed(element: etree._Element, name: str) -> str:
    return (element.findtext(f"{{{_TYPES}}}{name}") or "").strip()


def _version(call: Call) -> str | None:
    """Which SOAP a request speaks, by its content type."""
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip()
    return {"text/xml": _SOAP_11, "application/soap+xml": _SOAP_12}.get(kind)


def _asked(call: Call) -> str:
    """The operation that the action names: in a header (1.1), or in the content type (1.2)."""
    if _version(call) == _SOAP_12:
        action = call.headers.get("Content-Type", "").partition("action=")[2]
    else:
        action = call.headers.get("SOAPAction", "")
    return action.strip().strip('"').rpartition("/")[2]


def _local_header(call: Call, name: str) -> etree._Element | None:
    try:
        return next(call.xml().iter(f"{{{_OURS}}}{name}"), None)
    except Unreadable:
        return None


def _result(call: Call, operation: str, *, code: int, message: str = "", number: str = "") -> Reply:
    fields = {"Code": str(code), "Message": message, "RequestNumber": number}
    inner = "".join(f'<{name} xmlns="{_TYPES}">{escape(text)}</{name}>' for name, text in fields.items() if text)
    return _answer(call, operation, f"<{operation}Result>{inner}</{operation}Result>")


def _answer(call: Call, operation: str, inner: str) -> Reply:
    return _envelope(call, f'<{operation}Response xmlns="{_OURS}">{inner}</{operation}Response>')


#: Codes that the standards themselves have, as each version writes them.
_STANDARD: Final = {"Client": "Sender", "Server": "Receiver", "VersionMismatch": "VersionMismatch"}


def _fault(call: Call, code: str, text: str) -> Reply:
    said = escape(text)
    if _version(call) == _SOAP_12:
        sub = "" if code in ("VersionMismatch",) else f"<s:Subcode><s:Value>ev:{code}</s:Value></s:Subcode>"
        value = _STANDARD.get(code, "Sender")
        inner = f"<s:Code><s:Value>s:{value}</s:Value>{sub}</s:Code>"
        inner += f'<s:Reason><s:Text xml:lang="en">{said}</s:Text></s:Reason>'
    else:
        prefix = "s" if code in _STANDARD else "ev"
        inner = f"<faultcode>{prefix}:{code}</faultcode><faultstring>{said}</faultstring>"
    return _envelope(call, f'<s:Fault xmlns:ev="{_OURS}">{inner}</s:Fault>', status=500)


def _envelope(call: Call, inner: str, *, status: int = 200) -> Reply:
    soap = _version(call) or _SOAP_11
    text = f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{soap}"><s:Body>{inner}</s:Body></s:Envelope>'
    kind = "application/soap+xml" if soap == _SOAP_12 else "text/xml"
    return Reply(status=status, body=text.encode(), content_type=f"{kind}; charset=utf-8")


app = EastvaleBackOffice
