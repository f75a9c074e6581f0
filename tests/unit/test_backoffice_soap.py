"""The pretend Eastvale Requests, as a stranger with a SOAP client meets it."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from connectors.soap.simulator import EastvaleBackOffice
from tests.offices import Said, Stranger, stranger

OURS = "urn:eastvale:requests:v1"
TYPES = "urn:eastvale:types:v1"
SOAP = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_TOKEN = "<w:Username>u</w:Username><w:Password>p</w:Password>"
KEY = f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken>{_TOKEN}</w:UsernameToken></w:Security>'


def request(reference: str = "ABCD-EFGH", category: str = "BULKY") -> str:
    place = "<t:Place><t:Uprn>100012345678</t:Uprn></t:Place>"
    inner = f"<t:Reference>{reference}</t:Reference><t:Category>{category}</t:Category>{place}"
    return f'<Request xmlns:t="{TYPES}">{inner}</Request>'


async def ask(
    office: Stranger, operation: str, inner: str = "", *, header: str = KEY, soap: str = "1.1", at: str = "/eastvale"
) -> Said:
    body = f'<{operation} xmlns="{OURS}">{inner}</{operation}>'
    envelope = f'<s:Envelope xmlns:s="{SOAP[soap]}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    action = f"{OURS}/{operation}"
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
    if soap == "1.2":
        headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    return await office.ask("POST", at, data=envelope.encode(), headers=headers)


def text(said: Said, name: str) -> str | None:
    return next((element.text for element in etree.fromstring(said.body).iter(f"{{*}}{name}")), None)


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
async def test_a_request_is_taken_in_either_version_and_answered_in_it(soap: str) -> None:
    async with stranger(EastvaleBackOffice()) as office:
        said = await ask(office, "SubmitRequest", request(), soap=soap)
        rows = (await office.ask("GET", "/_ledger")).json["items"]
    assert (said.status, text(said, "Code"), text(said, "RequestNumber")) == (200, "0", "EV700001")
    assert etree.fromstring(said.body).tag == f"{{{SOAP[soap]}}}Envelope"
    assert rows[0]["our_reference"] == "ABCD-EFGH" and "Security" not in str(rows[0]["record"])


async def test_the_same_reference_is_the_case_that_is_there_but_below_twice() -> None:
    async with stranger(EastvaleBackOffice()) as office:
        answers = [
            await ask(office, "SubmitRequest", request(), at=at) for at in ("/eastvale", "/eastvale", "/twice/x")
        ]
    assert [text(said, "Code") for said in answers] == ["0", "17", "0"]
    assert [text(said, "RequestNumber") for said in answers] == ["EV700001", "EV700001", "EV700002"]


@pytest.mark.parametrize(
    "inner", [request(reference=""), request(category="NONE"), request().replace("t:Place", "t:Places"), ""]
)
async def test_what_a_clerk_would_not_take_is_a_code_on_http_200(inner: str) -> None:
    async with stranger(EastvaleBackOffice()) as office:
        said = await ask(office, "SubmitRequest", inner)
        rows = (await office.ask("GET", "/_ledger")).json["items"]
    assert (said.status, text(said, "Code"), rows) == (200, "1", [])


async def test_a_session_is_had_by_signing_in_and_ends_when_the_office_says_so() -> None:
    async with stranger(EastvaleBackOffice()) as office:
        signed = await ask(office, "SignIn", "<UserName>u</UserName><Password>p</Password>", header="")
        session = f'<Session xmlns="{OURS}"><Token>{text(signed, "Token")}</Token></Session>'
        first = await ask(office, "GetCategories", header=session)
        await office.behave("expired_session", at="read")
        answers = [await ask(office, "GetCategories", header=session) for _ in range(2)]
    assert text(first, "Category") == "MISSED-BIN"
    assert [(said.status, text(said, "faultstring")) for said in answers] == [(500, "The session has ended")] * 2


async def test_whoever_is_not_known_gets_a_fault_of_the_products_own() -> None:
    async with stranger(EastvaleBackOffice()) as office:
        old = await ask(office, "GetCategories", header="")
        new = await ask(office, "GetCategories", header="", soap="1.2")
    assert text(old, "faultcode") == "ev:FailedAuthentication"
    assert [one.text for one in etree.fromstring(new.body).iter("{*}Value")] == ["s:Sender", "ev:FailedAuthentication"]


async def test_a_search_takes_the_beginning_of_a_reference_for_the_whole() -> None:
    async with stranger(EastvaleBackOffice()) as office:
        for one in ("ABCD-EFGH-1", "ABCD-EFGH", "WXYZ-2345"):
            await ask(office, "SubmitRequest", request(one))
        said = await ask(office, "GetRequestByReference", "<Reference>ABCD-EFGH</Reference>")
    found = [element.text for element in etree.fromstring(said.body).iter(f"{{{TYPES}}}Reference")]
    assert found == ["ABCD-EFGH", "ABCD-EFGH-1"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"data": b"<x", "headers": {"Content-Type": "text/xml"}}, 500),
        ({"data": b"<x/>", "headers": {"Content-Type": "text/xml"}}, 500),
        ({"data": b"{}", "headers": {"Content-Type": "application/json"}}, 415),
    ],
)
async def test_what_is_no_envelope_is_a_fault_and_never_a_case(how: dict[str, Any], status: int) -> None:
    async with stranger(EastvaleBackOffice()) as office:
        assert (await office.ask("POST", "/eastvale", **how)).status == status
        assert (await office.ask("GET", "/_ledger")).json["items"] == []


async def test_it_shows_its_wsdl_to_whoever_asks() -> None:
    async with stranger(EastvaleBackOffice()) as office:
        said = await office.ask("GET", "/eastvale?wsdl")
    assert said.status == 200 and b"EastvaleRequests" in said.body
