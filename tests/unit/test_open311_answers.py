"""Open311's answers: XML that XML::Simple reads, JSON without wrappers, whatever characters are in them."""

from __future__ import annotations

import json

import pytest
from starlette.requests import Request

from hub.intake.open311.telling import Form, as_xml, form_of, tell, tell_error
from tests.open311 import xml_in

SERVICES = [{"service_code": "a", "metadata": True, "groups": ["One", "Two"], "keywords": ""}]
DEFINITION = {"service_code": "a", "attributes": [{"code": "x", "order": 1, "values": [{"key": "k", "name": "K"}]}]}


def asked(path: str, accept: str = "") -> Form:
    return form_of(Request({"type": "http", "path": path, "headers": [(b"accept", accept.encode())]}))


def test_one_service_comes_out_as_a_list_of_one() -> None:
    assert xml_in(as_xml("services", SERVICES)) == {
        "service": [{"service_code": "a", "metadata": "true", "groups": {"group": ["One", "Two"]}, "keywords": None}]
    }


def test_attributes_and_their_values_come_out_as_lists() -> None:
    assert xml_in(as_xml("service_definition", DEFINITION)) == {
        "service_code": "a",
        "attributes": [{"code": "x", "order": "1", "values": [{"key": "k", "name": "K"}]}],
    }


def test_a_request_stands_below_the_root() -> None:
    made = xml_in(as_xml("service_requests", [{"service_request_id": "ABCD-EFGH", "account_id": None}]))
    assert made["request"][0]["service_request_id"] == "ABCD-EFGH"


def test_json_is_without_wrappers_and_keeps_types() -> None:
    body = json.loads(tell("services", SERVICES, form=Form.JSON).body)
    assert body == SERVICES
    assert json.loads(tell("service_definition", DEFINITION, form=Form.JSON).body) == DEFINITION


def test_errors_are_open311s_own() -> None:
    xml, told = (tell_error(404, "No.", form=form) for form in (Form.XML, Form.JSON))
    assert xml_in(bytes(xml.body)) == {"error": [{"code": "404", "description": "No."}]}
    assert json.loads(told.body) == [{"code": 404, "description": "No."}]
    assert (xml.status_code, xml.headers["content-type"]) == (404, "text/xml; charset=utf-8")


@pytest.mark.parametrize("odd", ["\x00a\x0bb\x1f", "a\ufffeb\uffff", "a\ud800b", "<a>&amp;]]>b"])
def test_no_character_makes_an_answer_that_cannot_be_read(odd: str) -> None:
    read = xml_in(as_xml("errors", [{"description": odd}]))["error"][0]["description"]
    assert read == "".join(letter for letter in odd if letter.isprintable() or letter in "\n\t").replace("\ud800", "")
    json.loads(tell_error(400, odd, form=Form.JSON).body)


def test_lines_and_tabs_stay() -> None:
    assert xml_in(as_xml("errors", [{"description": "a\tb\nc 🗑"}]))["error"][0]["description"] == "a\tb\nc 🗑"


@pytest.mark.parametrize(
    ("path", "accept", "form"),
    [
        ("/open311/n/services", "", Form.XML),
        ("/open311/n/services", "*/*", Form.XML),
        ("/open311/n/services", "text/html", Form.XML),
        ("/open311/n/services", "application/json", Form.JSON),
        ("/open311/n/services", "application/xml;q=0.5, application/json", Form.JSON),
        ("/open311/n/services", "application/json;q=0.1, text/xml", Form.XML),
        ("/open311/n/services", "application/json;q=0", Form.XML),
        ("/open311/n/services.json", "text/xml", Form.JSON),
        ("/open311/n/services.xml", "application/json", Form.XML),
    ],
)
def test_the_extension_says_how_to_answer_and_then_accept(path: str, accept: str, form: Form) -> None:
    assert asked(path, accept) is form
