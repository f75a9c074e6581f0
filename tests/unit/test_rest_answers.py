"""How the answer of a product that only a council knows is read: numbers, tables, repeats and looks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.rest.simulator import RestBackOffice
from hub.connector import DeliveryFailure, Misconfigured, Receipt, Refused, Unavailable, Unclear
from hub.connector.testing import Reply, json_reply, xml_reply
from tests.rests import LEAST, Canned, spoken


def said(value: Any, status: int = 200, **headers: str) -> Reply:
    return json_reply(value, status=status, **headers)


async def receipt(reply: Reply, settings: Any = None, **create: Any) -> Receipt:
    """What a create comes to when the product says this."""
    stated = {"reference": "/id"} | create
    async with spoken(Canned(reply), create=LEAST["create"] | stated, **(settings or {})) as product:
        return await product.create({"title": "secret words"})


async def fails(reply: Reply, settings: Any = None, **create: Any) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as raised:
        await receipt(reply, settings, **create)
    assert "secret" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ("C-1", "C-1"),
        (" C/1 ü ", "C/1 ü"),
        (12345678901234567890, "12345678901234567890"),
        (1234567.0, "1234567"),
        ("0012", "0012"),
    ],
)
async def test_a_number_is_a_text_or_a_number(value: Any, reference: str) -> None:
    assert (await receipt(said({"id": value}))).reference == reference


@pytest.mark.parametrize(
    "value", ["", "  ", None, 0, "0", "000", -1, True, False, [], ["C-1"], {"a": 1}, "x" * 121, "a\nb"]
)
async def test_what_can_be_no_number_is_unclear(value: Any) -> None:
    failure = await fails(said({"id": value}))
    assert (type(failure), failure.code) == (Unclear, "rest_no_reference")


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "not_json"), (b"OK", "not_json"), (b"[]", "rest_no_reference"), (b"null", "rest_no_reference")],
)
async def test_a_success_that_says_nothing_is_unclear(body: bytes, code: str) -> None:
    failure = await fails(Reply(body=body))
    assert (type(failure), failure.code) == (Unclear, code)


@pytest.mark.parametrize(
    ("pointer", "body"),
    [("/a~1b/0/~0", {"a/b": [{"~": "C-1"}]}), ("", "C-1"), ("/0/id", [{"id": "C-1"}]), ("//", {"": {"": "C-1"}})],
)
async def test_a_pointer_reaches_anything(pointer: str, body: Any) -> None:
    assert (await receipt(said(body), reference=pointer)).reference == "C-1"


async def test_a_number_may_stand_in_a_header() -> None:
    where = {"header": "location", "pattern": "/cases/([^/?]+)"}
    reply = Reply(status=201, headers={"Location": "https://crm.example/cases/C-1?x=1"})
    assert (await receipt(reply, reference=where)).reference == "C-1"
    assert (await fails(Reply(status=201), reference=where)).code == "rest_no_reference"


async def test_a_number_may_stand_in_a_text() -> None:
    reply = Reply(body="OK: créé 4711;".encode(), content_type="text/plain; charset=utf-8")
    settings = {"answers": "any"}
    assert (await receipt(reply, settings, reference={"pattern": r"^OK: \w+ (\d+);$"})).reference == "4711"
    assert (
        await fails(Reply(body=b"NO"), settings, reference={"pattern": "^OK ([0-9]+)$"})
    ).code == "rest_no_reference"


@pytest.mark.parametrize("path", ["Case/Id", "/Case/Id", "Case/@id", "Many/One/Id"])
async def test_a_number_may_stand_in_xml_whatever_its_namespaces(path: str) -> None:
    body = (
        '<r:R xmlns:r="urn:r" xmlns="urn:d"><!-- --><Case r:id="C-1"><Id> C-<b>1</b></Id></Case>'
        "<Many/><Many><One/><One><Id>C-1</Id></One></Many></r:R>"
    )
    assert (await receipt(xml_reply(body.encode()), {"answers": "xml"}, reference=path)).reference == "C-1"


@pytest.mark.parametrize(
    "body", [b"<R/>", b"<R><Case/></R>", b"<R><Case><Id/></Case></R>", b"", b"<!DOCTYPE x []><x/>"]
)
async def test_xml_without_the_number_is_unclear(body: bytes) -> None:
    assert isinstance(await fails(xml_reply(body), {"answers": "xml"}, reference="Case/Id"), Unclear)


async def test_a_product_without_numbers_knows_the_case_by_ours() -> None:
    assert await receipt(Reply(status=204), reference="our_reference") == Receipt(reference="ABCD-EFGH")
    page = Reply(body=b"<html>down</html>", content_type="text/html")
    assert isinstance(await fails(page, reference="our_reference"), Unclear)
    assert (await fails(said({"ok": 0}), reference="our_reference", ok={"at": "/ok", "is": 1})).code == "rest_not_ok"


TABLES: dict[str, Any] = {
    "ok": {"at": "/result/status", "is": ["OK", "ACCEPTED"]},
    "refused": [{"at": "/result/code", "is": [17, 18]}, {"status": 418}, {"at": "/errors"}],
    "busy": {"status": [409, 503], "at": "/result/status", "is": "LOCKED"},
    "misconfigured": {"at": "/result/code", "is": "no-key"},
}


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        ({"result": {"code": 17}}, 200, Refused, "rest_refused_17"),
        ({"result": {"code": "18"}}, 500, Refused, "rest_refused_18"),
        ({"errors": ["bad"], "result": {"status": "OK"}, "id": "C-1"}, 200, Refused, "rest_refused"),
        ({}, 418, Refused, "rest_refused"),
        ({"result": {"status": "LOCKED"}}, 409, Unavailable, "rest_busy_LOCKED"),
        ({"result": {"status": "GONE"}}, 409, Refused, "http_409"),
        ({"result": {"code": "no-key"}}, 200, Misconfigured, "rest_misconfigured_no-key"),
        ({"result": {"status": "PERHAPS"}, "id": "C-1"}, 200, Unclear, "rest_not_ok"),
        ({"id": "C-1"}, 201, Unclear, "rest_not_ok"),
        ({"result": {"status": "OK"}}, 500, None, None),
        ({"result": {"status": "NO"}}, 500, Unclear, "http_500"),
        ({"result": {"status": "OK"}}, 200, None, None),
    ],
)
async def test_the_councils_own_tables_come_before_the_status(
    body: Any, status: int, kind: type[DeliveryFailure] | None, code: str | None
) -> None:
    reply = said({"id": "C-9"} | body, status)
    if kind is None:
        assert (await receipt(reply, **TABLES)).reference == "C-9"
        return
    failure = await fails(reply, **TABLES)
    assert (type(failure), failure.code) == (kind, code)


@pytest.mark.parametrize("status", [301, 302, 304])
async def test_a_redirect_is_never_followed(status: int) -> None:
    assert (await fails(Reply(status=status, headers={"Location": "/elsewhere"}))).code == "redirect"


@pytest.mark.parametrize("status", [503, 429, 423, 200])
async def test_a_wait_that_the_product_asks_for_is_kept(status: int) -> None:
    failure = await fails(said({}, status, retry_after="9"), busy={"status": status})
    assert isinstance(failure, Unavailable) and failure.retry_after is not None
    assert failure.retry_after.total_seconds() == 9


@pytest.mark.parametrize(
    ("twin", "there", "receipt_of"),
    [
        ({"reference": "/id"}, {"id": 7}, Receipt(reference="7", joined=True)),
        ({"reference": "/id", "our_reference": "/ref"}, {"id": 7, "ref": "ABCD-EFGH"}, Receipt(reference="7")),
        ({"reference": "/id", "our_reference": "/ref"}, {"id": 7, "ref": "ZZZZ"}, Receipt(reference="7", joined=True)),
        ({"reference": "our_reference"}, {}, Receipt(reference="ABCD-EFGH")),
    ],
)
async def test_already_there_is_a_receipt_and_ours_only_where_that_is_proved(
    twin: Any, there: Any, receipt_of: Receipt
) -> None:
    assert await receipt(said(there, 409), duplicate={"status": 409, **twin}) == receipt_of


async def test_already_there_without_a_number_is_looked_up() -> None:
    office = RestBackOffice()
    office.option["rejects_duplicates"] = True
    look = {"path": "/cases?q={our_reference}", "list": "/items", "reference": "/id", "our_reference": "/external_ref"}
    create = LEAST["create"] | {"duplicate": {"status": 409}}
    async with spoken(office, create=create, lookup=look) as product:
        first = await product.create({"ref": "ABCD-EFGH"})
        assert await product.create({"ref": "ABCD-EFGH"}) == first
    assert len(office.ledger.items) == 1


LOOK: dict[str, Any] = {
    "path": "/cases?q={our_reference}",
    "list": "/items",
    "reference": "/id",
    "our_reference": "/ref",
}


async def found(reply: Reply, **look: Any) -> Receipt | None:
    settings = {key: look.pop(key) for key in ("answers",) if key in look}
    create = LEAST["create"] | {"reference": {"header": "Location"}}
    async with spoken(Canned(reply), create=create, lookup=LOOK | look, **settings) as product:
        answer: Receipt | None = await product.connector.find("ABCD-EFGH")
        return answer


@pytest.mark.parametrize(
    ("items", "reference"),
    [
        ([], None),
        ([{"id": 1, "ref": "ABCD-EFGH-1"}, {"id": 2, "ref": "ABCD-EFGH-12"}], None),
        ([{"id": 1, "ref": "ABCD-EFGH-1"}, {"id": 2, "ref": "ABCD-EFGH"}], "2"),
        ({"id": 3, "ref": "ABCD-EFGH"}, "3"),
    ],
)
async def test_a_look_finds_exactly_ours(items: Any, reference: str | None) -> None:
    answer = await found(said({"items": items}))
    assert (answer.reference if answer else None) == reference


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (said({"items": [{"id": 1, "ref": "ZZZZ-ZZZZ"}]}), "rest_search_ignored"),
        (said({"items": [{"id": 1}]}), "rest_search_ignored"),
        (said({"items": [{"ref": "ABCD-EFGH"}]}), "rest_no_reference"),
        (said({"items": None}), "rest_no_list"),
        (said({"total": 0}), "rest_no_list"),
        (said({"items": ["ABCD-EFGH"]}), "rest_no_list"),
        (said([]), "rest_no_list"),
        (Reply(body=b""), "not_json"),
        (said({"error": "x"}, 500), "http_500"),
    ],
)
async def test_a_look_that_was_not_understood_never_says_not_there(reply: Reply, code: str) -> None:
    with pytest.raises(Unavailable) as raised:
        await found(reply)
    assert raised.value.code == code


async def test_not_there_may_have_an_answer_of_its_own() -> None:
    assert await found(said({}, 404), none={"status": 404}) is None
    assert await found(said({"total": 0}), none={"at": "/total", "is": 0}) is None
    with pytest.raises(Misconfigured):
        await found(said({}, 404))


async def test_our_reference_may_stand_in_a_text_of_the_item() -> None:
    where = {"at": "/notes", "pattern": r"\[ref ([^\]]+)\]"}
    one = said({"items": [{"id": 1, "notes": "Bin. [ref ABCD-EFGH-1]"}, {"id": 2, "notes": "Bin. [ref ABCD-EFGH]"}]})
    assert await found(one, our_reference=where) == Receipt(reference="2")


async def test_a_look_reads_xml_too() -> None:
    look = {"answers": "xml", "list": "Items/Case", "reference": "@id", "our_reference": "Ref"}
    case = '<R><Items><Case id="4"><Ref>ABCD-EFGH</Ref></Case></Items></R>'
    assert await found(xml_reply(case.encode()), **look) == Receipt(reference="4")
    assert await found(xml_reply(b"<R><Items/></R>"), **look) is None
    with pytest.raises(Unavailable):
        await found(xml_reply(b"<R/>"), **look)


async def test_a_look_may_be_a_post() -> None:
    tree = {"filter": [{"field": "external_ref", "value": "{our_reference}"}], "size": 10}
    look = LOOK | {"method": "POST", "path": "/cases/search", "json": tree, "our_reference": "/external_ref"}
    async with spoken(lookup=look) as product:
        await product.create({"ref": "ABCD-EFGH"})
        assert await product.connector.find("ABCD-EFGH") == Receipt(reference="CASE-000001")
    assert json.loads(product.sent[1].body)["filter"] == [{"field": "external_ref", "value": "ABCD-EFGH"}]
