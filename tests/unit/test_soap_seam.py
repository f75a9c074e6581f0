"""SOAP over the one seam: what the product hears, what its faults mean, and what is no answer at all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from hub.connector import (
    DeliveryFailure,
    Http,
    Misconfigured,
    Refused,
    Soap,
    StepKind,
    Unavailable,
    Unclear,
    UsernameToken,
    http_evidence,
)
from tests import peers
from tests.peers import a_delivery, answer, peer

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
BINS = "http://bins.example/"

WSDL = """<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/{soap}/"
    xmlns:t="http://bins.example/" targetNamespace="http://bins.example/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <types><xs:schema targetNamespace="http://bins.example/" elementFormDefault="qualified">
  <xs:element name="Create"><xs:complexType><xs:sequence>
   <xs:element name="Uprn" type="xs:string"/><xs:element name="Count" type="xs:int" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="CreateResponse"><xs:complexType><xs:sequence>
   <xs:element name="Reference" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
 </xs:schema></types>
 <message name="In"><part name="p" element="t:Create"/></message>
 <message name="Out"><part name="p" element="t:CreateResponse"/></message>
 <portType name="Port"><operation name="Create"><input message="t:In"/><output message="t:Out"/></operation></portType>
 <binding name="Bins" type="t:Port"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="Create"><s:operation soapAction="http://bins.example/Create" style="document"/>
   <input><s:body use="literal"/></input><output><s:body use="literal"/></output></operation></binding>
 <service name="Service"><port name="Port" binding="t:Bins"><s:address location="http://never.invalid/"/></port></service>
</definitions>"""


def envelope(body: str, *, soap: str = SOAP_11) -> bytes:
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{soap}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


DONE = envelope(f'<CreateResponse xmlns="{BINS}"><Reference>WS-1</Reference></CreateResponse>')


def fault(code: str, text: str = "It is Jo's fault", detail: str = "") -> bytes:
    inside = f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring>"
    return envelope(f"<s:Fault>{inside}<detail><e>{detail}</e></detail></s:Fault>")


def fault_12(code: str, subcode: str) -> bytes:
    codes = f"<s:Value>s:{code}</s:Value><s:Subcode><s:Value>x:{subcode}</s:Value></s:Subcode>"
    reason = '<s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason>'
    return envelope(f'<s:Fault xmlns:x="urn:x"><s:Code>{codes}</s:Code>{reason}</s:Fault>', soap=SOAP_12)


Bins = Callable[..., Soap]


@pytest.fixture
async def bins(tmp_path: Path) -> AsyncIterator[Bins]:
    """Makes a `Soap` of the little bins product."""
    http = Http(timeout=timedelta(seconds=2), secrets=["s3cret&word"])

    def make(url: str, *, version: str = "soap", **options: Any) -> Soap:
        path = tmp_path / f"bins-{version}.wsdl"
        path.write_text(WSDL.format(soap=version))
        return Soap(path, http, address=url, **options)

    yield make
    await http.close()


async def written(soap: Soap, kind: StepKind = StepKind.CREATE) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as raised:
        await soap.write(a_delivery(kind), "Create", Uprn="1")
    return raised.value


async def asked(soap: Soap) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as raised:
        await soap.read("Create", Uprn="1")
    return raised.value


def heard(office: peers.Peer) -> tuple[str, etree._Element]:
    head, _, body = office.heard[-1].partition(b"\r\n\r\n")
    return head.decode(), etree.fromstring(body)


async def test_a_soap_11_call_says_its_action_and_hears_its_answer(bins: Bins) -> None:
    async with peer(answer(200, DONE, Content_Type="text/xml")) as office:
        assert await bins(office.url).write(a_delivery(), "Create", Uprn="1", Count=2) == "WS-1"
    head, sent = heard(office)
    assert 'SOAPAction: "http://bins.example/Create"' in head
    assert "Content-Type: text/xml; charset=utf-8" in head
    assert sent.findtext(f"{{{SOAP_11}}}Body/{{{BINS}}}Create/{{{BINS}}}Count") == "2"
    assert sent.find(f"{{{SOAP_11}}}Header") is None


async def test_an_action_may_go_without_quotes(bins: Bins) -> None:
    async with peer(answer(200, DONE)) as office:
        await bins(office.url, action_quoted=False).read("Create", Uprn="1")
    assert "SOAPAction: http://bins.example/Create\r\n" in heard(office)[0] + "\r\n"


async def test_a_soap_12_call_carries_its_action_in_the_content_type(bins: Bins) -> None:
    done = DONE.replace(SOAP_11.encode(), SOAP_12.encode())
    async with peer(answer(200, done)) as office:
        assert await bins(office.url, version="soap12").read("Create", Uprn="1") == "WS-1"
    head, sent = heard(office)
    assert 'Content-Type: application/soap+xml; charset=utf-8; action="http://bins.example/Create"' in head
    assert "SOAPAction" not in head and sent.tag == f"{{{SOAP_12}}}Envelope"


async def test_security_stands_unprefixed_in_clear_text_in_every_envelope(bins: Bins) -> None:
    token = UsernameToken(username="hub", password="s3cret&word")
    async with peer(answer(200, DONE)) as office:
        soap = bins(office.url, wsse=token)
        for _ in range(2):
            await soap.read("Create", Uprn="1")
    security = heard(office)[1].find(f"{{{SOAP_11}}}Header/{{{WSSE}}}Security")
    assert security is not None and not security.prefix
    assert dict(security.attrib) == {"mustUnderstand": "true"}
    names = [(etree.QName(one).localname, one.text, dict(one.attrib)) for one in security.iter()]
    assert names[2:] == [("Username", "hub", {}), ("Password", "s3cret&word", {})]


async def test_security_may_be_as_the_standard_writes_it(bins: Bins) -> None:
    token = UsernameToken(username="hub", password="x", must_understand="soap", typed=True, prefix="wsse")
    async with peer(answer(200, DONE)) as office:
        await bins(office.url, wsse=token).read("Create", Uprn="1")
    security = heard(office)[1].find(f"{{{SOAP_11}}}Header/{{{WSSE}}}Security")
    assert security is not None and security.prefix == "wsse"
    assert dict(security.attrib) == {f"{{{SOAP_11}}}mustUnderstand": "1"}
    assert security[0][1].get("Type", "").endswith("#PasswordText")


async def test_a_connector_adds_headers_of_its_own(bins: Bins) -> None:
    def addressing(operation: str) -> list[etree._Element]:
        action = etree.Element("{urn:wsa}Action")
        action.text = f"urn:{operation}"
        return [action]

    async with peer(answer(200, DONE)) as office:
        await bins(office.url, headers=addressing).read("Create", Uprn="1")
    assert heard(office)[1].findtext(f"{{{SOAP_11}}}Header/{{urn:wsa}}Action") == "urn:Create"


async def test_the_password_is_not_in_the_evidence(bins: Bins) -> None:
    token = UsernameToken(username="hub", password="s3cret&word")
    async with peer(answer(200, DONE)) as office:
        with http_evidence() as log:
            await bins(office.url, wsse=token).read("Create", Uprn="1")
    assert b"<Password>\xe2\x80\xb9secret\xe2\x80\xba</Password>" in log[0].request
    assert "s3cret" not in repr(log) and "s3cret" not in repr(token)


TABLE = {"Client": Refused, "Busy": Unavailable, ("Server", "Login expired"): Misconfigured}


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (fault("s:Client"), Refused, "fault_Client"),
        (fault("s:Client.Validation"), Refused, "fault_Client"),
        (fault("Busy"), Unavailable, "fault_Busy"),
        (fault("s:Server", "Login expired"), Misconfigured, "fault_Server"),
        (fault("s:Server", "Login expired for Jo"), Unclear, "fault_Server"),
        (fault("x:Jo.Resident"), Unclear, "fault_unknown"),
        (fault(""), Unclear, "fault_unknown"),
        (fault_12("Receiver", "Busy"), Unavailable, "fault_Busy"),
        (fault_12("Sender", "Odd"), Unclear, "fault_Sender"),
    ],
)
async def test_a_fault_means_what_the_connectors_table_says_whatever_the_status(
    bins: Bins, status: int, reply: bytes, kind: type[DeliveryFailure], code: str
) -> None:
    async with peer(answer(status, reply)) as office:
        failure = await written(bins(office.url, faults=TABLE))
    assert (type(failure), failure.code) == (kind, code)
    assert "Jo" not in str(failure) + failure.code


async def test_the_faults_words_are_reasons(bins: Bins) -> None:
    async with peer(answer(500, fault("s:Server", "Jo is\n unknown", "row 7"))) as office:
        failure = await written(bins(office.url))
    assert failure.reasons == ("Server", "Jo is\n unknown", "row 7")


async def test_a_fault_on_a_read_is_never_unclear(bins: Bins) -> None:
    async with peer(answer(500, fault("s:Client"))) as office:
        for table in (None, {"Client": Unclear}):
            assert isinstance(await asked(bins(office.url, faults=table)), Unavailable)


HA = "".join(
    f'<!ENTITY {b} "&{a};&{a};&{a};&{a};&{a};&{a};&{a};&{a};">' for a, b in zip("abcdef", "bcdefg", strict=True)
)

NO_ANSWERS = {
    "html": (b"<html><head><title>Sorry</title><body>We are closed<br></html>", "not_xml"),
    "empty": (b"", "not_xml"),
    "cut": (DONE[:-20], "not_xml"),
    "entity bomb": (b'<!DOCTYPE s [<!ENTITY a "ha">' + HA.encode() + b"]>" + DONE[21:].replace(b"WS-1", b"&g;"), "dtd"),
    "file": (b'<!DOCTYPE s [<!ENTITY g SYSTEM "file:///etc/passwd">]>' + DONE[21:].replace(b"WS-1", b"&g;"), "dtd"),
    "doctype": (b"<!DOCTYPE html>" + DONE[21:], "dtd"),
    "charset": (DONE.replace(b"WS-1", b"WS-\xe9"), "not_xml"),
    "other xml": (b"<ok/>", "not_wsdl"),
    "no body": (f'<s:Envelope xmlns:s="{SOAP_11}"/>'.encode(), "not_wsdl"),
    "empty body": (envelope(""), "not_wsdl"),
    "other body": (envelope("<Other/>"), "not_wsdl"),
    "other fields": (envelope(f'<CreateResponse xmlns="{BINS}"><Else>1</Else></CreateResponse>'), "not_wsdl"),
    "soap 1.2": (DONE.replace(SOAP_11.encode(), SOAP_12.encode()), "not_wsdl"),
}


@pytest.mark.parametrize(("reply", "code"), NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_a_200_that_is_no_answer_is_unclear_on_a_write_and_unavailable_on_a_read(
    bins: Bins, reply: bytes, code: str
) -> None:
    async with peer(answer(200, reply, Content_Type="text/xml")) as office:
        write, read = await written(bins(office.url)), await asked(bins(office.url))
    assert (type(write), write.code) == (Unclear, code)
    assert (type(read), read.code) == (Unavailable, code)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (500, b"<html>oops</html>", Unclear, "http_500"),
        (500, DONE, Unclear, "http_500"),
        (400, b"Bad Request", Refused, "http_400"),
        (503, b"<html>", Unavailable, "http_503"),
        (401, b"", Misconfigured, "http_401"),
        (302, b"", Misconfigured, "redirect"),
    ],
)
async def test_a_status_without_a_fault_means_what_it_always_means(
    bins: Bins, status: int, body: bytes, kind: type[DeliveryFailure], code: str
) -> None:
    async with peer(answer(status, body)) as office:
        failure = await written(bins(office.url))
    assert (type(failure), failure.code) == (kind, code)


async def test_a_gone_case_refuses_an_update_by_its_status(bins: Bins) -> None:
    async with peer(answer(404)) as office:
        assert isinstance(await written(bins(office.url), StepKind.UPDATE), Refused)


@pytest.mark.parametrize("record", [{}, {"Uprn": "1", "Street": "x"}, {"Uprn": "Jo\x00b"}])
async def test_a_record_that_does_not_fit_is_refused_before_anything_is_marked_or_sent(
    bins: Bins, record: dict[str, Any]
) -> None:
    delivery = a_delivery()
    with pytest.raises(Refused) as raised:
        await bins("http://127.0.0.1:9/").write(delivery, "Create", **record)
    assert (raised.value.code, delivery.writes) == ("unsendable", 0)
    assert "Jo" not in str(raised.value)


async def test_an_operation_or_binding_that_the_wsdl_does_not_have_is_ours_to_mend(bins: Bins) -> None:
    with pytest.raises(Misconfigured, match="Destroy"):
        await bins("http://127.0.0.1:9/").read("Destroy")
    with pytest.raises(Misconfigured, match="it has Bins"):
        await bins("http://127.0.0.1:9/", binding="Other").read("Create", Uprn="1")


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<a/>",
        '<!DOCTYPE a [<!ENTITY e "x">]>' + WSDL[22:].format(soap="soap"),
        WSDL.format(soap="soap").replace(
            "<types>", '<import namespace="u" location="http://x.invalid/a.wsdl"/><types>'
        ),
    ],
)
async def test_a_wsdl_that_is_broken_or_reaches_out_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.wsdl"
    path.write_text(text)
    with pytest.raises(Misconfigured) as raised:
        await Soap(path, Http(), address="http://127.0.0.1:9/").read("Create")
    assert raised.value.code == "wsdl"


async def test_many_first_calls_at_once_load_the_wsdl_once_and_all_succeed(bins: Bins) -> None:
    async with peer(answer(200, DONE)) as office:
        soap = bins(office.url)
        found = await asyncio.gather(*[soap.write(a_delivery(), "Create", Uprn=str(n)) for n in range(20)])
        sent = {etree.fromstring(one.partition(b"\r\n\r\n")[2]).findtext(f".//{{{BINS}}}Uprn") for one in office.heard}
    assert found == ["WS-1"] * 20 and sent == {str(n) for n in range(20)}


async def test_zeep_logs_no_body_even_where_all_is_logged(bins: Bins, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with peer(answer(200, DONE)) as office:
            await bins(office.url).write(a_delivery(), "Create", Uprn="Jo-Resident")
    assert "Jo-Resident" not in caplog.text and "WS-1" not in caplog.text


async def drips_an_answer(line: peers.Line) -> None:
    await line.hear()
    await peers.drip(line, answer(200, DONE + b" " * 1000, Content_Type="text/xml"))


async def test_an_answer_that_drips_is_cut_off(tmp_path: Path) -> None:
    http = Http(timeout=timedelta(seconds=0.4))
    (tmp_path / "bins.wsdl").write_text(WSDL.format(soap="soap"))
    async with peer(drips_an_answer) as office, asyncio.timeout(5):
        soap = Soap(tmp_path / "bins.wsdl", http, address=office.url)
        assert isinstance(await written(soap), Unclear)
        assert isinstance(await asked(soap), Unavailable)
    await http.close()
