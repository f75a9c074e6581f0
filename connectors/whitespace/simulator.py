"""A pretend Whitespace: worksheets over SOAP 1.1, business errors on HTTP 200, no duplicate detection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from lxml import etree

from hub.connector.testing import (
    At,
    BackOffice,
    Call,
    Reply,
    Unreadable,
    as_record,
    local,
    our_reference_in,
    xml_reply,
)

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_OURS = "http://webservices.whitespacews.com/"
_QUALIFIED = f"{{{_OURS}}}"
_INPUTS = "http://schemas.datacontract.org/2004/07/WSAPIAuth.Web.Inputs"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSDL = Path(__file__).with_name("whitespace.wsdl")
_WRITES = frozenset({"CreateWorksheet", "CancelWorksheet"})
_FOR_EVER = "0001-01-01T00:00:00"

#: Services as Bexley numbers them, for councils to try against.
SERVICES = {
    76: "Assisted remove",
    77: "Assisted add",
    78: "Bulky collection",
    81: "Missed refuse",
    289: "New container",
}


class WhitespaceBackOffice(BackOffice):
    """Accepts any user name and password unless options name the only ones it knows."""

    name = "whitespace"
    options: ClassVar[Mapping[str, Any]] = {"username": "", "password": "", "unknown_uprns": []}

    def __init__(self) -> None:
        super().__init__()
        self._last = 242258
        self._cancelled: set[str] = set()
        self._operations = self._all_operations()

    def at(self, call: Call) -> At:
        return At.READ if _action(call) not in _WRITES | {""} else At.WRITE

    def answer(self, call: Call) -> Reply:
        if call.method == "GET" and "wsdl" in {name.lower() for name in call.query}:
            return xml_reply(_WSDL.read_bytes())
        if call.method != "POST":
            return Reply(status=405, content_type="text/plain")
        if not call.headers.get("Content-Type", "").startswith("text/xml"):
            return Reply(status=415, content_type="text/plain")
        try:
            envelope = call.xml()
        except Unreadable as error:
            return _fault("soap:Client", f"Server was unable to read request: {error}")
        if envelope.tag != f"{{{_SOAP}}}Envelope":
            return _fault("soap:VersionMismatch", "Possible SOAP version mismatch")
        if not self._knows(envelope):
            return self.bad_auth(call)
        body = envelope.find(f"{{{_SOAP}}}Body")
        asked = next(iter(body), None) if body is not None else None
        if asked is None or asked.tag != f"{_QUALIFIED}{_action(call)}":
            return _fault("soap:Client", "Server did not recognize the value of HTTP Header SOAPAction")
        perform = self._operations.get(local(asked))
        if perform is None:
            return _fault("soap:Client", f"{local(asked)} is not simulated")
        return perform(asked)

    def refuse(self, call: Call) -> Reply:
        return _result(_action(call), code=1, description="The worksheet input is not valid")

    def fault(self, call: Call) -> Reply:
        return _fault("soap:Server", "Server was unable to process request. ---> Object reference not set")

    def bad_auth(self, call: Call) -> Reply:
        return _fault("wsse:FailedAuthentication", "The security token could not be authenticated or authorized")

    def _knows(self, envelope: etree._Element) -> bool:
        token = envelope.find(f"{{{_SOAP}}}Header/{{{_WSSE}}}Security/{{{_WSSE}}}UsernameToken")
        if token is None:
            return False
        for field in ("username", "password"):
            given = token.findtext(f"{{{_WSSE}}}{field.title()}") or ""
            if not given or self.option[field] not in ("", given):
                return False
        return True

    def _all_operations(self) -> dict[str, Callable[[etree._Element], Reply]]:
        return {
            "CreateWorksheet": self._create,
            "CancelWorksheet": self._cancel,
            "GetServices": self._services,
            "GetServiceItems": lambda _: _result("GetServiceItems", _rows("ServiceItems", "ServiceItem", _ITEMS)),
            "GetSiteInfo": self._site,
            "GetSiteCollections": self._collections,
            "GetSiteWorksheets": self._worksheets,
            "GetFullWorksheetDetails": self._details,
            "GetCollectionSlots": lambda _: _result("GetCollectionSlots", _slots()),
        }

    def _create(self, asked: etree._Element) -> Reply:
        fields = _fields(asked, "worksheetInput")
        if not fields.get("Uprn", "").isdigit() or fields["Uprn"] in self.option["unknown_uprns"]:
            return _result("CreateWorksheet", code=6, description="No site was found for the UPRN")
        problem = _first_problem(asked, fields)
        if problem:
            return _result("CreateWorksheet", code=1, description=problem)
        self._last += 1
        record = {"CreateWorksheet": as_record(asked)}
        ours = fields.get("WorksheetReference") or our_reference_in(record)
        self.ledger.add(
            reference=str(self._last), our_reference=ours or None, operation="CreateWorksheet", record=record
        )
        # The answer's list is untyped: the number first, then an empty one.
        made = f"<WorksheetResponse><anyType>{self._last}</anyType><anyType/></WorksheetResponse>"
        return _result("CreateWorksheet", made)

    def _cancel(self, asked: etree._Element) -> Reply:
        number = _fields(asked, "cancelWorksheetInput").get("WorksheetId", "")
        row = self.ledger.under(number)
        if row is None or number in self._cancelled:
            return _result("CancelWorksheet", code=1, description="No open worksheet has this id")
        self._cancelled.add(number)
        record = {"CancelWorksheet": as_record(asked)}
        self.ledger.add(
            reference=number, our_reference=row["our_reference"], operation="CancelWorksheet", record=record
        )
        return _result("CancelWorksheet")

    def _services(self, _: etree._Element) -> Reply:
        rows = [{"ServiceID": number, "ServiceName": name} for number, name in SERVICES.items()]
        return _result("GetServices", _rows("Services", "Service", rows))

    def _site(self, asked: etree._Element) -> Reply:
        uprn = _fields(asked, "siteInfoInput").get("Uprn", "")
        if not uprn.isdigit() or uprn in self.option["unknown_uprns"]:
            return _result("GetSiteInfo")
        place = "<Site><SiteShortAddress>, 1, THE AVENUE, DA1 3NP</SiteShortAddress>"
        place += "<SiteLatitude>51.47</SiteLatitude><SiteLongitude>0.17</SiteLongitude>"
        place += "<SiteParentID>0</SiteParentID></Site><AccountSiteID>1</AccountSiteID>"
        return _result("GetSiteInfo", f"<Site>{place}<AccountSiteUPRN>{uprn}</AccountSiteUPRN></Site>")

    def _collections(self, asked: etree._Element) -> Reply:
        row = {
            "SiteServiceID": 1,
            "ServiceID": 81,
            "ServiceName": "Non-recyclable refuse",
            "ServiceItemName": "FO-140",
            "NextCollectionDate": _day_after(3),
            "RoundSchedule": "RND-1 Tue Wk 2",
            "SiteServiceValidFrom": "2024-03-31T00:00:00",
            "SiteServiceValidTo": _FOR_EVER,
        }
        return _result("GetSiteCollections", _rows("SiteServices", "SiteService", [row]))

    def _worksheets(self, asked: etree._Element) -> Reply:
        uprn = _fields(asked, "worksheetInput").get("Uprn")
        rows = [
            {
                "WorksheetID": row["reference"],
                "WorksheetStatusName": self._status(row["reference"]),
                "WorksheetStartDate": row["received_at"][:19],
                "WorksheetEscallatedDate": _FOR_EVER,
            }
            for row in self.ledger.items
            if row["operation"] == "CreateWorksheet"
            and row["record"]["CreateWorksheet"]["worksheetInput"].get("Uprn") == uprn
        ]
        return _result("GetSiteWorksheets", _rows("Worksheets", "Worksheet", rows))

    def _details(self, asked: etree._Element) -> Reply:
        number = _fields(asked, "fullworksheetDetailsInput").get("WorksheetId", "")
        if self.ledger.under(number) is None:
            return _result("GetFullWorksheetDetails", code=1, description="No worksheet has this id")
        status = f"<Worksheet><WorksheetStatusName>{self._status(number)}</WorksheetStatusName></Worksheet>"
        return _result("GetFullWorksheetDetails", f"<FullWSDetails>{status}<WSServiceProperties/></FullWSDetails>")

    def _status(self, number: str) -> str:
        return "Cancelled" if number in self._cancelled else "Open"


_ITEMS = [
    {"ServiceItemID": 3, "ServiceItemName": "SHARPS"},
    {"ServiceItemID": 22, "ServiceItemName": "FO-140"},
    {"ServiceItemID": 144, "ServiceItemName": "BULKY"},
]


def _action(call: Call) -> str:
    """The operation that SOAPAction names; real clients send it with quotes and without."""
    return str(call.headers.get("SOAPAction", "")).strip().strip('"').rpartition("/")[2]


def _fields(asked: etree._Element, wrapper: str) -> dict[str, str]:
    """The wrapper's plain fields; an element in any other namespace is as good as absent."""
    inner = asked.find(f"{{{_OURS}}}{wrapper}")
    if inner is None:
        return {}
    return {local(e): (e.text or "").strip() for e in inner if e.tag.startswith(_QUALIFIED)}


def _first_problem(asked: etree._Element, fields: Mapping[str, str]) -> str | None:
    if not fields.get("ServiceId", "").isdigit():
        return "ServiceId is missing or is not a number"
    if not fields.get("AdHocRoundInstanceId", "0").isdigit():
        return "AdHocRoundInstanceId is not a number"
    for kind, number in (("ServiceItem", "ServiceItemId"), ("ServiceProperty", "ServicePropertyId")):
        for row in asked.iter(f"{{{_INPUTS}}}Input.CreateWorksheetInput.{kind}Input"):
            if not (row.findtext(f"{{{_INPUTS}}}{number}") or "").isdigit():
                return f"{number} is missing or is not a number"
    return None


def _day_after(days: int) -> str:
    return f"{datetime.now(UTC).date() + timedelta(days=days)}T00:00:00"


def _slots() -> str:
    rows = [
        {
            "AdHocRoundInstanceID": 300 + n,
            "AdHocRoundInstanceDate": _day_after(7 * n),
            "SlotsFree": 5 * n,
        }
        for n in (1, 2)
    ]
    return _rows("ApiAdHocRoundInstances", "ApiAdHocRoundInstance", rows)


def _rows(plural: str, singular: str, rows: list[dict[str, Any]]) -> str:
    """Rows as Whitespace writes them: a single one is one element, and no list."""
    text = "".join(
        f"<{singular}>" + "".join(f"<{name}>{escape(str(v))}</{name}>" for name, v in row.items()) + f"</{singular}>"
        for row in rows
    )
    return f"<{plural}>{text}</{plural}>"


def _result(operation: str, inner: str = "", *, code: int = 0, description: str = "Success") -> Reply:
    return _envelope(
        f'<{operation}Response xmlns="{_OURS}"><{operation}Result><ErrorCode>{code}</ErrorCode>'
        f"<ErrorDescription>{escape(description)}</ErrorDescription>{inner}"
        f"</{operation}Result></{operation}Response>"
    )


def _fault(code: str, text: str) -> Reply:
    inner = f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{escape(text)}</faultstring></soap:Fault>"
    return _envelope(inner, status=500)


def _envelope(inner: str, *, status: int = 200) -> Reply:
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{_SOAP}" xmlns:wsse="{_WSSE}"><soap:Body>{inner}</soap:Body></soap:Envelope>'
    )
    return xml_reply(text.encode(), status=status)


app = WhitespaceBackOffice
