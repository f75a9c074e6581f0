"""The pretend Whitespace, and its connector's reading of it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.whitespace import CreateWorksheet, Whitespace
from connectors.whitespace.simulator import WhitespaceBackOffice
from hub.connector import Misconfigured, Receipt, Refused, Unavailable, Unclear
from hub.connector.testing import Call, Mode, Reply, read_xml, xml_reply
from tests.offices import Said, connected, delivery, misbehave, stranger

KEY = {"username": "hub", "password": "pass"}
WORKSHEET = CreateWorksheet(Uprn="1000001", ServiceId=81)
HEAD = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><Security xmlns="http://docs.oasis-open'
    '.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><UsernameToken><Username>u</Username>'
    "<Password>p</Password></UsernameToken></Security></s:Header>"
)


async def _create(office: WhitespaceBackOffice) -> Receipt:
    async with connected(Whitespace, office, **KEY) as connector:
        return await connector.create(WORKSHEET, delivery("CreateWorksheet"))


async def _speak(operation: str, inner: str, *, head: str = HEAD, action: str | None = None) -> Said:
    body = f'{head}<s:Body><{operation} xmlns="http://webservices.whitespacews.com/">{inner}</{operation}></s:Body>'
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": action or f"http://webservices.whitespacews.com/{operation}",
    }
    async with stranger(WhitespaceBackOffice()) as asking:
        return await asking.ask("POST", "/", data=f"{body}</s:Envelope>", headers=headers)


async def test_the_worksheet_number_is_the_first_of_an_untyped_list() -> None:
    office = WhitespaceBackOffice()
    assert await _create(office) == Receipt(reference="242259")
    assert await _create(office) == Receipt(reference="242260")
    assert [row["our_reference"] for row in office.ledger.items] == ["ABCD-EFGH"] * 2


async def test_the_ledger_has_the_body_by_local_name_without_the_password() -> None:
    office = WhitespaceBackOffice()
    await _create(office)
    record = office.ledger.items[0]["record"]
    assert record["CreateWorksheet"]["worksheetInput"]["ServiceId"] == "81"
    assert "pass" not in str(office.ledger.items)


async def test_an_unknown_property_is_refused_with_the_products_own_code() -> None:
    office = WhitespaceBackOffice()
    office.option["unknown_uprns"] = ["1000001"]
    with pytest.raises(Refused) as caught:
        await _create(office)
    assert caught.value.code == "whitespace_6"
    assert caught.value.reasons == ("No site was found for the UPRN",)
    assert "UPRN" not in str(caught.value)


async def test_a_success_without_a_number_leaves_us_not_knowing() -> None:
    class Forgetful(WhitespaceBackOffice):
        def answer(self, call: Call) -> Reply:
            reply = super().answer(call)
            return xml_reply(reply.body.replace(b"<anyType>242259</anyType>", b""))

    with pytest.raises(Unclear) as caught:
        await _create(Forgetful())
    assert caught.value.code == "whitespace_no_number"


@pytest.mark.parametrize(
    ("mode", "failure", "code"),
    [
        (Mode.REFUSE, Refused, "whitespace_1"),
        (Mode.FAULT, Unclear, "fault_Server"),
        (Mode.BAD_AUTH, Misconfigured, "fault_FailedAuthentication"),
        (Mode.UNAVAILABLE, Unavailable, "http_503"),
    ],
)
async def test_a_failure_is_named_by_what_happens_next(mode: Mode, failure: type[Exception], code: str) -> None:
    office = WhitespaceBackOffice()
    misbehave(office, mode)
    with pytest.raises(failure) as caught:
        await _create(office)
    assert getattr(caught.value, "code", None) == code


async def test_an_entity_bomb_in_the_answer_is_unclear_and_harmless() -> None:
    class Bomber(WhitespaceBackOffice):
        def answer(self, call: Call) -> Reply:
            lines = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 9))
            return xml_reply(f'<!DOCTYPE x [<!ENTITY b0 "boom">{lines}]><x>&b8;</x>'.encode())

    with pytest.raises(Unclear):
        await _create(Bomber())


async def test_fields_in_another_namespace_are_as_good_as_absent() -> None:
    said = await _speak("CreateWorksheet", '<worksheetInput><Uprn xmlns="urn:x">1</Uprn></worksheetInput>')
    assert said.status == 200
    assert b"<ErrorCode>6</ErrorCode>" in said.body


async def test_a_quoted_action_is_taken_too() -> None:
    inner = "<worksheetInput><Uprn>1</Uprn><ServiceId>81</ServiceId><ServiceItemInputs><dummy/></ServiceItemInputs>"
    action = '"http://webservices.whitespacews.com/CreateWorksheet"'
    said = await _speak("CreateWorksheet", f"{inner}</worksheetInput>", action=action)
    assert b"<anyType>242259</anyType><anyType/>" in said.body


@pytest.mark.parametrize("operation", ["GetNothing", "DeleteEverything"])
async def test_an_operation_that_is_not_there_is_a_fault(operation: str) -> None:
    said = await _speak(operation, "")
    assert (said.status, b"soap:Client" in said.body) == (500, True)


async def test_an_envelope_without_a_security_header_is_not_let_in() -> None:
    head = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    said = await _speak("GetServices", "", head=head)
    assert (said.status, b"FailedAuthentication" in said.body) == (500, True)


@pytest.mark.parametrize("body", ["", "not xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
async def test_what_is_not_an_envelope_is_a_fault(body: str) -> None:
    async with stranger(WhitespaceBackOffice()) as asking:
        said = await asking.ask("POST", "/", data=body, headers={"Content-Type": "text/xml"})
    assert (said.status, b"soap:Client" in said.body) == (500, True)


@pytest.mark.parametrize(
    ("operation", "inner", "expected"),
    [
        ("GetServices", "<serviceInput/>", "<ServiceID>81</ServiceID>"),
        ("GetServiceItems", "<serviceItemInput/>", "<ServiceItemID>22</ServiceItemID>"),
        ("GetSiteInfo", "<siteInfoInput><Uprn>7</Uprn></siteInfoInput>", "<AccountSiteUPRN>7</AccountSiteUPRN>"),
        ("GetSiteCollections", "<siteserviceInput><Uprn>7</Uprn></siteserviceInput>", "0001-01-01T00:00:00"),
        ("GetSiteWorksheets", "<worksheetInput><Uprn>7</Uprn></worksheetInput>", "<Worksheets></Worksheets>"),
        ("GetFullWorksheetDetails", "<fullworksheetDetailsInput/>", "<ErrorCode>1</ErrorCode>"),
        ("GetCollectionSlots", "<collectionSlotsInputInput/>", "<SlotsFree>5</SlotsFree>"),
        ("CancelWorksheet", "<cancelWorksheetInput/>", "<ErrorCode>1</ErrorCode>"),
    ],
)
async def test_the_other_operations_answer(operation: str, inner: str, expected: str) -> None:
    said = await _speak(operation, inner)
    assert expected in said.body.decode()
    read_xml(said.body)


async def test_a_worksheet_can_be_cancelled_once() -> None:
    office = WhitespaceBackOffice()
    await _create(office)
    inner = "<cancelWorksheetInput><WorksheetId>242259</WorksheetId></cancelWorksheetInput>"
    asked: Any = read_xml(f'<C xmlns="http://webservices.whitespacews.com/">{inner}</C>'.encode())
    codes = [read_xml(office._cancel(asked).body).findtext(".//{*}ErrorCode") for _ in range(2)]
    assert codes == ["0", "1"]


async def test_the_wsdl_is_served() -> None:
    async with stranger(WhitespaceBackOffice()) as asking:
        said = await asking.ask("GET", "/?wsdl")
    assert b"wsdl:definitions" in said.body
