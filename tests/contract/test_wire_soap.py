"""What a declared SOAP system receives, byte for byte off the wire, against envelopes written by hand from its WSDL."""

from __future__ import annotations

import base64
import copy
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from connectors.soap import SoapConnector, samples
from connectors.soap.simulator import EastvaleBackOffice
from hub.connector import Http, StepKind
from hub.connector.testing import Sent, read_xml, serving, tapped
from hub.connector.testing.conformance import conform, trials
from hub.connector.testing.trial import photo
from tests.offices import delivery

WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"

EXPECTED = """\
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="urn:eastvale:types:v1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soap:Header>
  <Session xmlns="urn:eastvale:requests:v1"><Token>%s</Token></Session>
 </soap:Header>
 <soap:Body>
  <SubmitRequest xmlns="urn:eastvale:requests:v1">
   <Request channel="web">
    <t:Reference>ABCD-EFGH</t:Reference>
    <t:Category>MISSED-BIN</t:Category>
    <t:Place><t:Uprn>100012345678</t:Uprn></t:Place>
    <t:Raised>2026-11-23T09:00:00</t:Raised>
    <t:Wanted>2026-11-24</t:Wanted>
    <t:Notes>The bin was out by 6 am; Müller’s café &lt;by the gate&gt;</t:Notes>
    <t:Items>
     <t:Item assisted="false"><t:Code>22</t:Code><t:Quantity>1</t:Quantity></t:Item>
     <t:Item><t:Code>31</t:Code><t:Remark xsi:nil="true"/></t:Item>
    </t:Items>
    <t:Answer>
     <t:Name>was it contaminated</t:Name><t:Value xsi:type="xsd:boolean">false</t:Value>
    </t:Answer>
    <t:Answer><t:Name>bins</t:Name><t:Value xsi:type="xsd:int">2</t:Value></t:Answer>
   </Request>
  </SubmitRequest>
 </soap:Body>
</soap:Envelope>"""


async def sent(stated: dict[str, Any], verb: str = "create") -> list[Sent]:
    """Every request of one create (and of a file to its case)."""
    tree = _filled(samples.CREATE[0])
    http = Http(timeout=timedelta(seconds=5))
    async with serving(EastvaleBackOffice()) as office, tapped(office.url) as tap:
        stated = {**copy.deepcopy(stated), "address": f"{tap.url}/eastvale/Requests.svc"}
        kind: Any = SoapConnector.configured(stated)
        made = kind(kind.Settings.model_validate(stated), http)
        try:
            receipt = await made.create(kind.operations["create"].record.model_validate(tree), delivery("create"))
            if verb == "attach":
                await made.attach(photo(), receipt, delivery("attach", kind=StepKind.ATTACH))
        finally:
            await http.close()
        return tap.sent()


def _filled(tree: Any) -> Any:
    made = copy.deepcopy(tree)
    made["Request"]["Reference"] = "ABCD-EFGH"
    return made


def _tree(element: etree._Element) -> Any:
    """Names with their namespaces, attributes, text and children in order; prefixes do not count."""
    attributes = {str(key): str(value).rpartition(":")[2] for key, value in element.attrib.items()}
    inner = [_tree(child) for child in element.iterchildren(tag=etree.Element)]
    return element.tag, attributes, (element.text or "").strip() if not inner else "", inner


async def test_the_envelope_is_the_one_written_by_hand_element_by_element() -> None:
    signing, creating = await sent(samples.SETTINGS[0])
    token = read_xml(creating.body).findtext(".//{urn:eastvale:requests:v1}Token")
    assert token and _tree(read_xml(creating.body)) == _tree(read_xml((EXPECTED % token).encode()))
    assert read_xml(signing.body).findtext(".//{*}UserName") == "hub"
    assert read_xml(signing.body).find(".//{*}Session") is None


async def test_soap_11_is_a_post_of_text_xml_with_a_quoted_action_and_a_length() -> None:
    request = (await sent(samples.SETTINGS[0]))[-1]
    assert (request.method, request.target) == ("POST", "/eastvale/Requests.svc")
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert request.headers["SOAPAction"] == '"urn:eastvale:requests:v1/SubmitRequest"'
    assert "Transfer-Encoding" not in request.headers and "Authorization" not in request.headers


async def test_an_action_may_go_bare() -> None:
    request = (await sent({**samples.SETTINGS[0], "soap_action": "bare"}))[-1]
    assert request.headers["SOAPAction"] == "urn:eastvale:requests:v1/SubmitRequest"


async def test_soap_12_carries_its_action_in_the_content_type_and_basic_beside_it() -> None:
    (request,) = await sent(samples.SETTINGS[1])
    action = "urn:eastvale:requests:v1/SubmitRequest"
    assert request.headers["Content-Type"] == f'application/soap+xml; charset=utf-8; action="{action}"'
    assert "SOAPAction" not in request.headers
    assert (
        base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"hub:conformance-basic-password"
    )


async def test_a_digest_is_of_nonce_time_and_password_and_its_timestamp_ends() -> None:
    first, second = [(await sent(samples.SETTINGS[1]))[0] for _ in range(2)]
    security = read_xml(first.body).find(f".//{WSSE}Security")
    assert security is not None
    assert security.get("{http://www.w3.org/2003/05/soap-envelope}mustUnderstand") == "1"
    nonce, created = (
        security.findtext(f".//{name}") or "" for name in (f"{WSSE}Nonce", f"{WSSE}UsernameToken/{WSU}Created")
    )
    hashed = hashlib.sha1(base64.b64decode(nonce) + created.encode() + b"conformance-password").digest()
    assert security.findtext(f".//{WSSE}Password") == base64.b64encode(hashed).decode()
    begins, ends = (security.findtext(f"{WSU}Timestamp/{WSU}{name}") or "" for name in ("Created", "Expires"))
    assert datetime.fromisoformat(ends) - datetime.fromisoformat(begins) == timedelta(seconds=60)
    assert nonce != read_xml(second.body).findtext(f".//{WSSE}Nonce") and b"conformance-password" not in first.body


async def test_a_file_goes_as_base64_in_the_envelope() -> None:
    request = (await sent(samples.SETTINGS[0], "attach"))[-1]
    content = read_xml(request.body).findtext(".//{urn:eastvale:requests:v1}Content") or ""
    assert base64.b64decode(content) == b"".join([bytes([n % 251]) * 7_000 for n in range(3)])
    assert read_xml(request.body).findtext(".//{urn:eastvale:requests:v1}RequestNumber") == "EV700001"


@pytest.mark.parametrize(("example", "operation"), trials(SoapConnector))
async def test_it_conforms_in_every_manner(example: int, operation: str) -> None:
    report = await conform(SoapConnector, example=example, operation=operation, say=lambda _: None)
    assert [str(check) for check in report.failed] == []
