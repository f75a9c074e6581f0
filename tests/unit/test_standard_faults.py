"""Faults of shape: all at once, each with its place and what to do, none quoting what was sent."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from hub.errors import Invalid, NotThere
from hub.standard import SERVICES, read

TODAY = date(2026, 3, 10)
BIN = SERVICES["missed-bin"].good[0].body
FOI = SERVICES["foi-request"].good[0].body
COMPLAINT = SERVICES["complaint"].good[0].body
CONTAINER = {"waste_type": "refuse"}


def faults(body: object) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read(json.dumps(body).encode(), today=TODAY)
    return dict(refused.value.faults)


def details(**changes: Any) -> dict[str, Any]:
    return {**BIN, "details": {"containers": [CONTAINER], **changes}}


@pytest.mark.parametrize(
    ("change", "pointer", "told"),
    [
        ({"property": {"uprn": 100012345678}}, "#/property/uprn", "double quotes"),
        ({"property": {"uprn": "12a"}}, "#/property/uprn", "1 to 12 digits"),
        ({"property": {"uprn": "١٢٣"}}, "#/property/uprn", "1 to 12 digits"),
        ({"property": {"uprn": "1234567890123"}}, "#/property/uprn", "at most 12"),
        ({"property": {"usrn": "123456789", "uprn": "1"}}, "#/property/usrn", "at most 8"),
        ({"property": {"address": {"lines": []}}}, "#/property/address/lines", "at least 1"),
        ({"property": {"address": {"lines": ["a"] * 5}}}, "#/property/address/lines", "at most 4"),
        ({"property": {"address": {"lines": ["x" * 101]}}}, "#/property/address/lines/0", "at most 100 characters"),
        ({"property": {"address": {"lines": [None]}}}, "#/property/address/lines/0", "null out of this list"),
        ({"channel": "fax"}, "#/channel", "web, app, email, phone, face_to_face, staff, api"),
        ({"channel": None}, "#/channel", "Leave this field out"),
        ({"contact": None}, "#/contact", "Leave this field out"),
        ({"details": None}, "#/details", "required and may not be null"),
        ({"language": "fr"}, "#/language", "`en` or `cy`"),
        ({"council": "No Such Council!"}, "#/council", "slug"),
        ({"submitted_at": "2026-03-09T10:30:00"}, "#/submitted_at", "with its zone"),
        ({"submitted_at": "2026-03-09T25:30:00Z"}, "#/submitted_at", "with its zone"),
        ({"submitted_at": 1773052200}, "#/submitted_at", "Send text"),
        ({"submitted_at": "1773052200"}, "#/submitted_at", "with its zone"),
        ({"test": "true"}, "#/test", "true or false"),
        ({"contact": {"email": "alex at example.org"}}, "#/contact/email", "one @"),
        ({"contact": {"email": "a@b@example.org"}}, "#/contact/email", "one @"),
        ({"location": {"lat": 91, "long": 0}}, "#/location/lat", "from -90 to 90"),
        ({"location": {"lat": True, "long": 0}}, "#/location/lat", "from -90 to 90"),
        ({"location": {"lat": 51}}, "#/location/long", "Add `long`"),
        ({"payment": {"reference": "x", "amount_pence": 45.5}}, "#/payment/amount_pence", "whole number"),
        ({"payment": {"reference": "x", "currency": "EUR"}}, "#/payment/currency", "Send GBP."),
        ({"declarations": {"marketing": True}}, "#/declarations/marketing", "false"),
        ({"extra": {"a": 1}}, "#/extra/a", "as a text"),
        ({"extra": {"a": ["b", None]}}, "#/extra/a", "as a text"),
        ({"extra": {"a": "x" * 2001}}, "#/extra/a", "at most 2000"),
        ({"extra": {str(n): "x" for n in range(101)}}, "#/extra", "at most 100"),
        ({"attachments": [{"id": "1"}] * 11}, "#/attachments", "at most 10"),
        ({"attachments": [{"name": "a.jpg"}]}, "#/attachments/0", "Send `id`, or"),
    ],
)
def test_a_fault_says_where_and_what_to_do(change: dict[str, Any], pointer: str, told: str) -> None:
    assert told in faults({**BIN, **change})[pointer]


@pytest.mark.parametrize(
    "day", ["2026-02-30", "20260309", "2026-3-9", "1773014400", "2026-03-09T00:00:00Z", "0000-01-01"]
)
def test_a_date_is_a_real_day_written_in_one_way(day: str) -> None:
    assert faults(details(collection_date=day)) == {"#/details/collection_date": "Send a real date as YYYY-MM-DD."}


@pytest.mark.parametrize("version", [3, 0, "1", True, 1.0, None, [1]], ids=repr)
def test_a_version_that_there_is_not_is_told_those_that_there_are(version: object) -> None:
    assert faults({**BIN, "version": version}) == {"#/version": "Send a version that there is: 1, 2."}
    assert faults({**FOI, "version": version}) == {"#/version": "Send a version that there is: 1."}


def test_a_version_in_quotes_is_read_as_the_one_that_was_meant() -> None:
    old = {**BIN, "details": {**BIN["details"], "reason": "spillage"}}
    assert set(faults({**old, "version": "1"})) == {"#/version"}
    assert set(faults({**old, "version": "2"})) == {"#/version", "#/details/reason"}


def test_faults_are_found_behind_a_version_that_there_is_not() -> None:
    assert set(faults({**BIN, "version": 9, "channel": "fax"})) == {"#/version", "#/channel"}


def test_a_service_that_there_is_not_is_told_those_that_there_are() -> None:
    with pytest.raises(NotThere, match=", ".join(SERVICES)):
        read(json.dumps({**BIN, "service": "lost-cat"}).encode(), today=TODAY)


@pytest.mark.parametrize("service", [None, 5], ids=["null", "a number"])
def test_faults_are_found_when_no_service_is_named(service: object) -> None:
    found = faults({**BIN, "service": service, "channel": "fax"})
    assert found["#/service"] == f"Send one of: {', '.join(SERVICES)}."
    assert set(found) == {"#/service", "#/channel"}


@pytest.mark.parametrize(
    ("change", "pointer", "told"),
    [
        ({"chanel": "web"}, "#/chanel", "did you mean `channel`?"),
        ({"frontEndReference": "x"}, "#/frontEndReference", "did you mean `front_end_reference`?"),
        ({"waste_type": "food"}, "#/waste_type", "did you mean `details.containers[].waste_type`?"),
        ({"contact": {"phone": "1", "post_code": "x"}}, "#/contact/post_code", "did you mean `address.postcode`?"),
        ({"received_at": "x"}, "#/received_at", "leave it out"),
        ({"favourite_colour": "x"}, "#/favourite_colour", "go into `extra`"),
        ({"contact": {"phone": "1", "phone_e164": "+44"}}, "#/contact/phone_e164", "the hub makes it itself"),
        ({"a/b~c é": 1}, "#/a~1b~0c%20%C3%A9", "not a field"),
        ({"k" * 500: 1}, "#", "not a field"),
    ],
)
def test_an_unknown_field_is_named_with_the_nearest_real_one(change: dict[str, Any], pointer: str, told: str) -> None:
    assert told in faults({**BIN, **change})[pointer]


@pytest.mark.parametrize(
    ("contact", "pointer", "told"),
    [
        ({}, "#/contact", "Add `email`, `phone` or `address`"),
        ({"full_name": "A", "preferred": "post"}, "#/contact", "Add `email`, `phone` or `address`"),
        ({"phone": "1", "full_name": "A", "first_name": "A", "last_name": "B"}, "#/contact/first_name", "not both"),
        ({"phone": "1", "first_name": "A"}, "#/contact/last_name", "Add `last_name`"),
        ({"anonymous": True, "email": "a@example.org"}, "#/contact/email", "`anonymous` is true"),
        ({"anonymous": False}, "#/contact", "Add `email`, `phone` or `address`"),
    ],
)
def test_a_contact_can_be_answered_or_is_anonymous(contact: dict[str, Any], pointer: str, told: str) -> None:
    assert told in faults({**COMPLAINT, "contact": contact})[pointer]


@pytest.mark.parametrize(
    "contact",
    [
        {"full_name": "A", "phone": "1"},
        {"email": "a@example.org"},
        {"organisation": "A", "email": "a@example.org"},
        {"anonymous": True},
    ],
)
def test_a_request_for_information_needs_a_name_and_somewhere_to_answer(contact: dict[str, Any]) -> None:
    assert "#/contact" in faults({**FOI, "contact": contact})


def test_words_for_other_come_only_with_other() -> None:
    found = faults(details(containers=[{**CONTAINER, "waste_type_other": "x"}], reason_other="x"))
    assert set(found) == {"#/details/containers/0/waste_type_other", "#/details/reason_other"}


def test_broken_rules_are_told_beside_broken_fields() -> None:
    body = {**BIN, "property": {"custodian_code": "x"}, "contact": {"preferred": "pigeon"}}
    assert set(faults(body)) == {"#/property/custodian_code", "#/property", "#/contact/preferred", "#/contact"}


def test_only_the_first_hundred_faults_are_listed() -> None:
    found = faults({**BIN, **{f"x{n}": 1 for n in range(500)}})
    assert len(found) == 101
    assert found["#"] == "There are more faults; the first 100 are listed."


@pytest.mark.parametrize(
    ("content", "told"),
    [("not base64", "base64"), ("aG\nk=", "base64"), ("A" * 1_398_104, "1 MiB"), ("A" * 1_400_000, "1 MiB")],
    ids=["words", "a line break", "a little over", "far over"],
)
def test_a_file_inside_a_submission_is_base64_and_small(content: str, told: str) -> None:
    file = {"name": "a.jpg", "media_type": "image/jpeg", "content_base64": content}
    assert told in faults({**BIN, "attachments": [file]})["#/attachments/0/content_base64"]


def test_no_message_quotes_what_was_sent() -> None:
    marker = "Zebedee"
    body = {
        **COMPLAINT,
        "contact": {"full_name": marker * 50, "email": marker, "preferred": marker, "anonymous": marker},
        "details": {"kind": marker, "happened_on": marker, "stage": [marker], "what_happened": {marker: 1}},
        "extra": {"a": {"b": marker}},
        "submitted_at": marker,
        "language": marker,
    }
    with pytest.raises(Invalid) as refused:
        read(json.dumps(body).encode(), today=TODAY)
    assert marker not in str(refused.value) + "".join(message for _, message in refused.value.faults)
    assert refused.value.__context__ is None
