"""What a council may write down of a SOAP system, and what is found before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree
from pydantic import ValidationError

from connectors.soap import SoapConnector, samples
from connectors.soap.answers import place
from hub.connector import BadSetting, ReplaySafety
from tests.soaps import FAULTS, LEAST, REJECTS, RESULT, SEARCHED, settings

# Paths


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Rows/Row/Number", "7"),
        ("Rows/Row[Kind=2]/Number", "8"),
        ("Rows/Row[Kind=3]/Number", None),
        ("Rows/Row/@id", "a"),
        ("Rows/Row/Blank", ""),
        ("Rows/None", None),
    ],
)
def test_a_path_finds_the_first_that_is_not_empty(path: str, text: str | None) -> None:
    rows = (
        '<p:Row id="a"><Kind>1</Kind><Number> </Number><Blank/></p:Row><p:Row><Kind>1</Kind><Number>7</Number></p:Row>'
    )
    rows += "<p:Row><Kind>2</Kind><Number>8</Number></p:Row>"
    element = etree.fromstring(f'<a xmlns:p="urn:p"><p:Rows>{rows}</p:Rows></a>')
    assert place(path).text(element) == text


@pytest.mark.parametrize("path", ["", "/A", "A/", "p:A", "A[1]", "A/@b/C", "A B"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="write names without prefixes"):
        place(path)


# Settings


@pytest.mark.parametrize(
    ("changes", "safety"),
    [
        ({}, ReplaySafety.REJECTS_DUPLICATES),
        ({"create__outcomes": []}, ReplaySafety.LOOKUP),
        ({"create__outcomes": [], "lookup": None}, ReplaySafety.UNSAFE),
        (
            {"create__outcomes": [], "faults": [*FAULTS, {"code": "E", "means": "expired"}]},
            ReplaySafety.REJECTS_DUPLICATES,
        ),
    ],
)
def test_a_repeat_is_as_safe_as_what_is_declared(changes: dict[str, Any], safety: ReplaySafety) -> None:
    made = SoapConnector.configured(settings(REJECTS, **changes))
    assert made.operations["create"].replay_safety is safety


def test_a_verb_that_is_not_declared_is_not_there() -> None:
    made = SoapConnector.configured(LEAST)
    assert set(made.operations) == {"create"}
    assert [verb for verb in ("update", "cancel", "attach", "find", "check") if getattr(made, verb)] == []


def test_what_is_still_a_reference_is_not_judged() -> None:
    stated = settings(REJECTS, wsdl="env:WSDL", address="env:ADDRESS", sign_in__arguments__Password="env:PASSWORD")
    made = SoapConnector.configured(stated)
    assert made.operations["create"].replay_safety is ReplaySafety.REJECTS_DUPLICATES
    assert made.operations["create"].record.model_validate({"Anything": 1})


def test_a_record_is_held_against_the_wsdl_where_it_is_there() -> None:
    model = SoapConnector.configured(REJECTS).operations["create"].record
    with pytest.raises(ValidationError, match="`Request/Kategory` is unknown to the WSDL; do you mean `Category`"):
        model.model_validate({"Request": {**samples.CREATE[1]["Request"], "Kategory": "x"}})


@pytest.mark.parametrize(
    ("changes", "at", "said"),
    [
        ({"create__operation": "Submit"}, ("create", "operation"), "it has AddNote, AttachDocument"),
        ({"create__reference": f"{RESULT}/Number"}, ("create", "reference"), "has no `SubmitRequestResult/Number`"),
        ({"lookup__list": "Request"}, ("lookup", "list"), "has no `Request`"),
        ({"lookup__our_reference": "Ref"}, ("lookup", "our_reference"), "has no `Requests/Request/Ref`"),
        (
            {"lookup__arguments": {"Ref": "1"}},
            ("lookup", "arguments"),
            "`Ref` is unknown to the WSDL; it knows Reference",
        ),
        ({"attach__arguments__Kind": "photo"}, ("attach", "arguments"), "`Kind` is unknown"),
        ({"wsdl": "/nowhere/x.wsdl"}, ("wsdl",), r"x\.wsdl cannot be read"),
        ({"port": "Other"}, ("port",), "it has EastvaleRequests/RequestsSoap"),
    ],
)
def test_settings_that_do_not_go_with_the_wsdl_are_found_where_they_stand(
    changes: dict[str, Any], at: tuple[str, ...], said: str
) -> None:
    with pytest.raises(BadSetting, match=said) as raised:
        SoapConnector.configured(settings(REJECTS, **changes))
    assert raised.value.at == at


@pytest.mark.parametrize(
    ("base", "changes", "said"),
    [
        (REJECTS, {"headers": {}}, "put the token of `sign_in` somewhere"),
        (REJECTS, {"sign_in": None}, "`{token}` needs `sign_in`"),
        (LEAST, {"faults": [{"code": "X", "means": "expired"}]}, "`expired` needs `sign_in`"),
        (LEAST, {"faults": [{"code": "X", "means": "ok"}]}, "a fault is never `ok`"),
        (LEAST, {"faults": [{"code": "X", "means": "duplicate"}]}, "say where a duplicate names its case"),
        (LEAST, {"create__arguments": {"A": "{refrence}"}}, "`create` knows no {refrence}"),
        (LEAST, {"create__arguments": {"A": "{reference}"}}, "`create` knows no {reference}"),
        (SEARCHED, {"attach__arguments": {}}, "`attach` must send the file"),
        (SEARCHED, {"strict": False}, "`lookup` needs `outcomes`"),
        (SEARCHED, {"check__outcomes": [{"at": "A", "values": {"1": "none"}}]}, "`none` is for `lookup`"),
        (LEAST, {"create__reference": "A//B"}, "write names without prefixes"),
        (LEAST, {"wsdl": "<?xml version='1.0'?>"}, "give the path of the WSDL"),
    ],
)
def test_settings_that_do_not_go_together_say_what_would(
    base: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        SoapConnector.Settings.model_validate(settings(base, **changes))
    assert said in str(raised.value)
