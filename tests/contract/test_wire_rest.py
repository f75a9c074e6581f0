"""What a REST product receives, off the wire, and that every example of its settings passes the kit."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from connectors.rest import Rest
from connectors.rest.simulator import RestBackOffice
from hub.connector import Attachment, Misconfigured, Receipt, Refused, StepKind, Unavailable
from hub.connector.testing import Mode
from hub.connector.testing.conformance import conform
from hub.connector.testing.trial import photo
from tests.offices import delivery, misbehave
from tests.rests import LEAST, spoken

RECORD: dict[str, Any] = {
    "title": "Müller’s café & <bins>",
    "count": 3,
    "share": 0.5,
    "urgent": True,
    "note": None,
    "place": {"uprn": "007"},
    "bins": [{"code": "a"}, {"code": "b"}],
    "tags": ["x", "y"],
}
OAUTH = {
    "oauth2": {
        "token_url": "http://crm.example/oauth/token",
        "client_id": "hub:1",
        "client_secret": "s3cret/+",
        "scope": "cases.write",
    }
}


@pytest.mark.parametrize("example", [1, 2, 3])
async def test_each_way_of_being_declared_conforms(example: int) -> None:
    report = await conform(Rest, example=example, say=lambda _: None)
    assert [str(check) for check in report.failed] == []


async def _body(record: dict[str, Any] = RECORD, **create: Any) -> Any:
    async with spoken(create=LEAST["create"] | create) as product:
        await product.create(record)
    (sent,) = product.sent
    return sent


async def test_a_record_is_json_as_the_mapping_made_it() -> None:
    sent = await _body()
    assert (sent.method, sent.target, sent.headers["Content-Type"]) == ("POST", "/cases", "application/json")
    assert list(json.loads(sent.body).items()) == list(RECORD.items())
    assert "Müller’s".encode() in sent.body and sent.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("wrap", "shape"),
    [
        ("case", {"case": RECORD}),
        ("data/attributes", {"data": {"attributes": RECORD}}),
        ("cases/[]", {"cases": [RECORD]}),
    ],
)
async def test_a_record_may_be_wrapped(wrap: str, shape: Any) -> None:
    assert json.loads((await _body(wrap=wrap)).body) == shape


async def test_a_form_repeats_a_name_and_puts_what_is_nested_in_brackets() -> None:
    sent = await _body(body="form")
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent.body.decode() == (
        "title=M%C3%BCller%E2%80%99s+caf%C3%A9+%26+%3Cbins%3E&count=3&share=0.5&urgent=true&note="
        "&place%5Buprn%5D=007&bins%5B0%5D%5Bcode%5D=a&bins%5B1%5D%5Bcode%5D=b&tags=x&tags=y"
    )


async def test_a_wrapped_form_has_its_wrapping_before_the_brackets() -> None:
    assert (await _body({"title": "x"}, body="form", wrap="case")).body == b"case%5Btitle%5D=x"


async def test_xml_has_its_root_and_namespace_and_repeats_elements() -> None:
    record = {"@version": 2, **RECORD, "weight": {"@unit": "kg", "#text": 5}}
    sent = await _body(record, body="xml", xml={"root": "Case", "namespace": "urn:x"})
    assert sent.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert sent.body.decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<Case xmlns="urn:x" version="2"><title>Müller’s café &amp; &lt;bins&gt;</title><count>3</count>'
        "<share>0.5</share><urgent>true</urgent><note></note><place><uprn>007</uprn></place><bins><code>a</code></bins>"
        '<bins><code>b</code></bins><tags>x</tags><tags>y</tags><weight unit="kg">5</weight></Case>'
    )


@pytest.mark.parametrize("record", [{"two words": 1}, {"a": [["x"]]}, {"a": "\x01"}, {"@a": {"b": 1}}])
async def test_what_xml_cannot_hold_is_refused_before_anything_is_sent(record: dict[str, Any]) -> None:
    async with spoken(create=LEAST["create"] | {"body": "xml", "xml": {"root": "Case"}}) as product:
        with pytest.raises(Refused, match="cannot be written as XML"):
            await product.create(record)
    assert product.sent == []


async def test_fields_in_the_address_are_encoded_and_not_sent_again() -> None:
    path = "/types/{type}/cases?ward={ward}&ref={our_reference}"
    sent = await _body({"type": "a/b c?%é", "ward": "a&b+c=d#é", "title": "x"}, path=path)
    assert sent.target == "/types/a%2Fb%20c%3F%25%C3%A9/cases?ward=a%26b%2Bc%3Dd%23%C3%A9&ref=ABCD-EFGH"
    assert json.loads(sent.body) == {"title": "x"}


@pytest.mark.parametrize("step", [".", "..", "..."])
async def test_a_value_never_walks_through_the_address(step: str) -> None:
    async with spoken(create=LEAST["create"] | {"path": "/types/{type}/cases"}) as product:
        with pytest.raises(Refused, match="stands in the address"):
            await product.create({"type": step})
    assert product.sent == []


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"bearer": {"token": "tok"}}, {"Authorization": "Bearer tok"}),
        ({"basic": {"username": "hub", "password": "pass"}}, {"Authorization": "Basic aHViOnBhc3M="}),
        ({"header": {"name": "X-Api-Key", "value": "k"}}, {"X-Api-Key": "k"}),
    ],
)
async def test_each_key_stands_where_the_product_looks_for_it(auth: Any, headers: dict[str, str]) -> None:
    async with spoken(auth=auth, headers={"X-Client": "hub", "accept": "text/json"}) as product:
        await product.create({"title": "x"})
    (sent,) = product.sent
    assert sent.headers.items() >= (headers | {"X-Client": "hub", "accept": "text/json"}).items()
    assert "Accept" not in sent.headers


@pytest.mark.parametrize(
    ("media_type", "create"),
    [("application/vnd.api+json", {}), ("application/vnd.x+xml", {"body": "xml", "xml": {"root": "Case"}})],
)
async def test_a_council_may_name_the_media_type_that_its_product_insists_on(media_type: str, create: Any) -> None:
    async with spoken(headers={"content-type": media_type}, create=LEAST["create"] | create) as product:
        await product.create({"title": "x"})
    assert [value for name, value in product.sent[0].headers.items() if name.lower() == "content-type"] == [media_type]


async def test_a_token_is_asked_for_as_oauth_has_it_and_used_for_all() -> None:
    async with spoken(auth=OAUTH) as product:
        await asyncio.gather(*(product.create({"title": "x"}, f"ABCD-EFG{n}") for n in "HJKLM"))
    asked = [sent for sent in product.sent if sent.target == "/oauth/token"]
    assert [sent.body for sent in asked] == [b"grant_type=client_credentials&scope=cases.write"]
    assert asked[0].headers["Authorization"] == "Basic aHViJTNBMTpzM2NyZXQlMkYlMkI="
    tokens = {sent.headers["Authorization"] for sent in product.sent if sent.target == "/cases"}
    assert len(tokens) == 1 and tokens.pop().startswith("Bearer tok-000001")


async def test_id_and_secret_may_stand_in_the_body_of_the_token_request() -> None:
    oauth = OAUTH["oauth2"] | {"client_auth": "body", "parameters": {"audience": "crm"}}
    async with spoken(auth={"oauth2": oauth}) as product:
        await product.create({"title": "x"})
    asked = product.sent[0]
    assert "Authorization" not in asked.headers
    assert asked.body.endswith(b"audience=crm&scope=cases.write&client_id=hub%3A1&client_secret=s3cret%2F%2B")


async def test_a_token_is_renewed_shortly_before_it_expires() -> None:
    office = RestBackOffice()
    office.option["token_seconds"] = 1.9  # said as 1 second
    async with spoken(office, auth=OAUTH) as product:
        await product.create({"title": "x"})
        await asyncio.sleep(1)
        await product.create({"title": "x"})
    assert [sent.target for sent in product.sent].count("/cases") == 2
    assert office.tokens_given == 2


async def test_a_token_that_the_product_forgot_is_renewed_once_for_all_who_were_told_so() -> None:
    office = RestBackOffice()
    async with spoken(office, auth=OAUTH) as product:
        await product.create({"title": "x"})
        misbehave(office, Mode.EXPIRED_SESSION)
        await asyncio.gather(*(product.create({"title": "x"}, f"ABCD-EFG{n}") for n in "HJKLM"))
    assert (office.tokens_given, len(office.ledger.items)) == (2, 6)


async def test_a_product_that_forgets_every_token_is_asked_twice_and_no_more() -> None:
    office = RestBackOffice()
    async with spoken(office, auth=OAUTH) as product:
        misbehave(office, Mode.EXPIRED_SESSION, times=9)
        with pytest.raises(Misconfigured) as raised:
            await product.create({"title": "x"})
    assert (raised.value.code, raised.value.suspect) == ("http_401", True)
    assert [sent.target for sent in product.sent] == ["/oauth/token", "/cases", "/oauth/token", "/cases"]


async def test_a_key_that_no_token_comes_of_is_misconfigured() -> None:
    office = RestBackOffice()
    office.option |= {"client_id": "another", "client_secret": "one"}
    async with spoken(office, auth=OAUTH) as product:
        with pytest.raises(Misconfigured) as raised:
            await product.create({"title": "x"})
    assert (raised.value.code, raised.value.suspect, office.ledger.items) == ("rest_token", False, [])


async def test_an_idempotency_key_is_ours_and_another_one_for_each_thing_said_later() -> None:
    later = {"path": "/cases/{reference}/notes"}
    files = {"path": "/cases/{reference}/files", "fields": {"title": "{name}", "ref": "{our_reference}"}}
    async with spoken(idempotency_header="X-Key", update=later, attach=files) as product:
        receipt = await product.create({"title": "x"})
        await product.tell("update", {"text": "y"}, receipt.reference)
        await product.connector.attach(photo(), receipt, delivery("attach", kind=StepKind.ATTACH))
        await product.connector.attach(photo(), receipt, delivery("attach", kind=StepKind.ATTACH))
    keys = [sent.headers["X-Key"] for sent in product.sent]
    assert keys[:2] == ["ABCD-EFGH", "ABCD-EFGH-u1-update"]
    assert keys[2] == keys[3] and keys[2].startswith("ABCD-EFGH-attach-")
    assert [sent.target for sent in product.sent[1:3]] == ["/cases/CASE-000001/notes", "/cases/CASE-000001/files"]
    parts = product.sent[2].body
    assert b'name="title"\r\n\r\nby the gate.jpg\r\n' in parts and b'name="ref"\r\n\r\nABCD-EFGH\r\n' in parts
    assert b'name="file"; filename="by the gate.jpg"\r\nContent-Type: image/jpeg\r\n' in parts


async def test_a_file_may_travel_inside_json() -> None:
    async def chunks() -> Any:
        yield b"\xff\x00"

    tree = {"doc": {"n": "{name}", "t": "{media_type}", "s": "{size}", "kept": "{this}"}, "data": ["{base64}"]}
    attach = {"path": "/cases/{reference}/files", "body": "json", "json": tree, "answers": "any"}
    async with spoken(attach=attach) as product:
        receipt = await product.create({"title": "x"})
        file = Attachment(name="ä {size}.png", media_type="image/png", size=2, chunks=chunks)
        with pytest.raises(Refused, match="HTTP 422"):  # the pretend product looks for `content`
            await product.connector.attach(file, receipt, delivery("attach", kind=StepKind.ATTACH))
    assert json.loads(product.sent[1].body) == {
        "doc": {"n": "ä {size}.png", "t": "image/png", "s": "2", "kept": "{this}"},
        "data": ["/wA="],
    }


async def test_a_case_without_a_number_cannot_be_told_anything_yet() -> None:
    async with spoken(update={"path": "/cases/{reference}/notes"}) as product:
        with pytest.raises(Unavailable) as raised:
            await product.tell("update", {"text": "y"}, None)
    assert (raised.value.code, product.sent) == ("rest_number_to_follow", [])


async def test_a_cancellation_may_be_a_call_without_a_body() -> None:
    async with spoken(cancel={"method": "DELETE", "path": "/cases/{reference}", "body": "none"}) as product:
        receipt = await product.create({"title": "x"})
        assert await product.tell("cancel", {}, receipt.reference) == Receipt(reference="CASE-000001")
    sent = product.sent[-1]
    assert (sent.method, sent.target, sent.body) == ("DELETE", "/cases/CASE-000001", b"")
