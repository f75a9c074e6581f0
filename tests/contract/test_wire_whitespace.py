"""What Whitespace receives, byte for byte off the wire, against the envelope captured from its other clients."""

from __future__ import annotations

from typing import Any

from lxml import etree

from connectors.whitespace import Whitespace
from connectors.whitespace.simulator import WhitespaceBackOffice
from hub.connector.testing import Sent, read_xml
from tests.offices import on_the_wire

OURS = "{http://webservices.whitespacews.com/}"
INPUTS = "{http://schemas.datacontract.org/2004/07/WSAPIAuth.Web.Inputs}"
SETTINGS = {"url": "{url}/municipal/WSAPIService.svc", "username": "username", "password": "password"}

#: shared/back-offices.md, appendix "Whitespace CreateWorksheet": one client's bytes, seen on the wire.
CAPTURED = b"""\
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:wsap="http://schemas.datacontract.org/2004/07/WSAPIAuth.Web.Inputs"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 soap:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">
 <soap:Header>
  <Security xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
   mustUnderstand="true">
   <UsernameToken>
    <Username xsi:type="xsd:string">username</Username>
    <Password xsi:type="xsd:string">password</Password>
   </UsernameToken>
  </Security>
 </soap:Header>
 <soap:Body>
  <CreateWorksheet xmlns="http://webservices.whitespacews.com/">
   <worksheetInput>
    <Uprn xsi:type="xsd:int">1000001</Uprn>
    <ServiceId xsi:type="xsd:int">289</ServiceId>
    <WorksheetReference xsi:type="xsd:int">2000123</WorksheetReference>
    <WorksheetMessage xsi:type="xsd:string">Assisted collection? No

Location of containers: Front of property</WorksheetMessage>
    <ServiceItemInputs>
     <wsap:Input.CreateWorksheetInput.ServiceItemInput>
      <wsap:ServiceItemId xsi:type="xsd:int">22</wsap:ServiceItemId>
      <wsap:ServiceItemName xsi:type="xsd:string"/>
      <wsap:ServiceItemQuantity xsi:type="xsd:int">1</wsap:ServiceItemQuantity>
     </wsap:Input.CreateWorksheetInput.ServiceItemInput>
    </ServiceItemInputs>
    <ServicePropertyInputs>
     <wsap:Input.CreateWorksheetInput.ServicePropertyInput>
      <wsap:ServicePropertyId xsi:type="xsd:int">79</wsap:ServicePropertyId>
      <wsap:ServicePropertyValue xsi:type="xsd:string">No</wsap:ServicePropertyValue>
     </wsap:Input.CreateWorksheetInput.ServicePropertyInput>
     <wsap:Input.CreateWorksheetInput.ServicePropertyInput>
      <wsap:ServicePropertyId xsi:type="xsd:int">80</wsap:ServicePropertyId>
      <wsap:ServicePropertyValue xsi:type="xsd:string">Front of property</wsap:ServicePropertyValue>
     </wsap:Input.CreateWorksheetInput.ServicePropertyInput>
    </ServicePropertyInputs>
   </worksheetInput>
  </CreateWorksheet>
 </soap:Body>
</soap:Envelope>
"""

RECORD: dict[str, Any] = {
    "Uprn": "1000001",
    "ServiceId": 289,
    "WorksheetReference": "2000123",
    "WorksheetMessage": "Assisted collection? No\n\nLocation of containers: Front of property",
    "ServiceItemInputs": [{"ServiceItemId": 22, "ServiceItemQuantity": 1}],
    "ServicePropertyInputs": [
        {"ServicePropertyId": 79, "ServicePropertyValue": "No"},
        {"ServicePropertyId": 80, "ServicePropertyValue": "Front of property"},
    ],
}

#: Decorations of an RPC-style client, which a document/literal service does not read.
_HABITS = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle")


def _tree(element: etree._Element) -> Any:
    """Names with their namespaces, attributes, text and children in order; prefixes do not count."""
    attributes = {str(k): str(v) for k, v in element.attrib.items() if not str(k).startswith(_HABITS)}
    inner = [_tree(child) for child in element.iterchildren(tag=etree.Element)]
    return element.tag, attributes, (element.text or "").strip() if not inner else "", inner


async def _sent(record: dict[str, Any]) -> Sent:
    (request,) = await on_the_wire(Whitespace, WhitespaceBackOffice(), settings=SETTINGS, record=record)
    return request


async def test_the_envelope_is_the_captured_one_element_by_element() -> None:
    request = await _sent(RECORD)
    assert _tree(read_xml(request.body)) == _tree(read_xml(CAPTURED))


async def test_it_is_one_post_of_text_xml_with_an_action_without_quotes() -> None:
    request = await _sent(RECORD)
    assert (request.method, request.target) == ("POST", "/municipal/WSAPIService.svc")
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert request.headers["SOAPAction"] == "http://webservices.whitespacews.com/CreateWorksheet"
    assert "Transfer-Encoding" not in request.headers


async def test_everything_that_may_be_given_stands_in_the_order_of_the_contract() -> None:
    request = await _sent({**RECORD, "WorksheetDueDate": "2025-07-04 23:59", "AdHocRoundInstanceId": 304})
    given = read_xml(request.body).find(f".//{OURS}worksheetInput")
    assert given is not None
    assert [child.tag.removeprefix(OURS) for child in given] == [
        "Uprn",
        "ServiceId",
        "WorksheetReference",
        "WorksheetMessage",
        "WorksheetDueDate",
        "ServiceItemInputs",
        "ServicePropertyInputs",
        "AdHocRoundInstanceId",
    ]
    assert given.findtext(f"{OURS}WorksheetDueDate") == "2025-07-04 23:59"
    assert given.findtext(f"{OURS}AdHocRoundInstanceId") == "304"


async def test_what_is_not_given_is_not_there_and_an_empty_list_is_an_empty_element() -> None:
    request = await _sent({"Uprn": "1000001", "ServiceId": 81})
    given = read_xml(request.body).find(f".//{OURS}worksheetInput")
    assert given is not None
    found = {child.tag.removeprefix(OURS): (child.text, len(child)) for child in given}
    assert found == {
        "Uprn": ("1000001", 0),
        "ServiceId": ("81", 0),
        "WorksheetReference": ("ABCD-EFGH", 0),
        "WorksheetMessage": (None, 0),
        "ServiceItemInputs": (None, 0),
        "ServicePropertyInputs": (None, 0),
    }


async def test_an_item_without_an_id_and_an_answer_of_nothing_are_left_out() -> None:
    request = await _sent(
        {
            **RECORD,
            "ServiceItemInputs": [{"ServiceItemQuantity": 2}, {"ServiceItemId": 22}],
            "ServicePropertyInputs": [
                {"ServicePropertyId": 79, "ServicePropertyValue": "0"},
                {"ServicePropertyId": 80, "ServicePropertyValue": ""},
                {"ServicePropertyId": 82},
                {"ServicePropertyId": 80, "ServicePropertyValue": "By the gate"},
            ],
        }
    )
    body = read_xml(request.body)
    assert [e.text for e in body.iter(f"{INPUTS}ServiceItemId")] == ["22"]
    assert [e.text for e in body.iter(f"{INPUTS}ServicePropertyValue")] == ["By the gate"]


async def test_welsh_emoji_and_markup_arrive_as_they_were_typed() -> None:
    text = "Tŷ’r ysgol 🗑 <b>&amp;</b> ]]>"
    request = await _sent({**RECORD, "WorksheetMessage": text})
    assert read_xml(request.body).findtext(f".//{OURS}WorksheetMessage") == text
