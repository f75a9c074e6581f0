"""The pretend REST product: strict where a product is, and open where no product is like another."""

from __future__ import annotations

import base64

import pytest

from connectors.rest.simulator import RestBackOffice
from tests.offices import Stranger, stranger

ONE = {"title": "x", "ref": "ABCD-EFGH"}


async def _made(caller: Stranger, path: str = "/cases", **parts: object) -> str:
    said = await caller.ask("POST", path, **(parts or {"json": ONE}))
    assert said.status == 201, said.body
    return str(said.json["id"])


async def test_whatever_is_posted_is_a_case_as_it_was_parsed() -> None:
    async with stranger(RestBackOffice()) as caller:
        await _made(caller, "/a/b/c", json={"deep": [{"er": None}], "ref": "ABCD-EFGH"})
        await _made(caller, data={"a": "1", "r": "ABCD-EFGJ"})
        xml = b'<c:Case xmlns:c="urn:c"><c:Ref>ABCD-EFGK</c:Ref><c:Bin>a</c:Bin><c:Bin>b</c:Bin></c:Case>'
        await _made(caller, data=xml, headers={"Content-Type": "application/xml"})
        rows = (await caller.ask("GET", "/_ledger")).json["items"]
    assert [(row["our_reference"], row["record"]) for row in rows] == [
        ("ABCD-EFGH", {"deep": [{"er": None}], "ref": "ABCD-EFGH"}),
        ("ABCD-EFGJ", {"a": "1", "r": "ABCD-EFGJ"}),
        ("ABCD-EFGK", {"Ref": "ABCD-EFGK", "Bin": ["a", "b"]}),
    ]


async def test_a_repeat_is_another_case_unless_something_makes_it_the_same() -> None:
    async with stranger(RestBackOffice()) as caller:
        assert await _made(caller) != await _made(caller)
        keyed = {"json": ONE, "headers": {"Idempotency-Key": "k"}}
        first = await _made(caller, **keyed)
        again = await caller.ask("POST", "/cases", **keyed)
        assert (again.status, again.json["id"]) == (200, first)


async def test_the_option_of_the_contract_makes_every_repeat_the_same_case() -> None:
    async with stranger(RestBackOffice()) as caller:
        assert (await caller.ask("PUT", "/_options", json={"idempotent": True})).json["idempotent"] is True
        first = await _made(caller)
        again = await caller.ask("POST", "/elsewhere", json=ONE)
        assert (again.status, again.json["id"]) == (200, first)
        assert len((await caller.ask("GET", "/_ledger")).json["items"]) == 1


@pytest.mark.parametrize(("path", "options"), [("/unique/cases", {}), ("/cases", {"rejects_duplicates": True})])
async def test_a_register_may_refuse_what_it_has(path: str, options: dict[str, bool]) -> None:
    async with stranger(RestBackOffice()) as caller:
        await caller.ask("PUT", "/_options", json=options)
        first = await _made(caller, path)
        again = await caller.ask("POST", path, json=ONE)
    assert (again.status, again.json["id"], again.json["external_ref"]) == (409, first, "ABCD-EFGH")


async def test_a_search_finds_what_begins_with_it() -> None:
    async with stranger(RestBackOffice()) as caller:
        for ours in ("ABCD-EFGH-1", "ABCD-EFGH-12", "ABCD-EFGJ"):
            await _made(caller, json={"ref": ours})
        found = (await caller.ask("GET", "/cases?q=ABCD-EFGH-1")).json["items"]
        assert [item["external_ref"] for item in found] == ["ABCD-EFGH-1", "ABCD-EFGH-12"]
        assert (await caller.ask("GET", "/cases?q=none")).json == {"total": 0, "items": []}
        assert (await caller.ask("GET", "/cases/CASE-000003")).json["external_ref"] == "ABCD-EFGJ"
        assert (await caller.ask("GET", "/cases/CASE-000004")).status == 404
        accepts = {"Accept": "application/xml"}
        xml = (await caller.ask("GET", "/cases?q=ABCD-EFGJ", headers=accepts)).body.decode()
    assert "<Items><Case><Id>CASE-000003</Id>" in xml


async def test_what_comes_later_is_filed_under_its_case() -> None:
    async with stranger(RestBackOffice()) as caller:
        case = await _made(caller)
        await caller.ask("PATCH", f"/cases/{case}", json={"note": "y"})
        content = base64.b64encode(b"abc").decode()
        await caller.ask(
            "POST", f"/cases/{case}/files", json={"name": "a.png", "type": "image/png", "content": content}
        )
        assert (await caller.ask("DELETE", f"/cases/{case}")).status == 204
        assert (await caller.ask("PATCH", "/cases/CASE-999999", json={})).status == 404
        assert (await caller.ask("POST", f"/cases/{case}/files", json={"content": "!"})).status == 422
        rows = (await caller.ask("GET", "/_ledger")).json["items"]
    assert [(row["operation"], row["reference"]) for row in rows[1:]] == [
        ("update", case), ("attach", case), ("cancel", case),
    ]  # fmt: skip
    assert rows[2]["record"] == {"name": "a.png", "media_type": "image/png", "bytes": 3}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}, {"Authorization": "Basic !!"}])
@pytest.mark.parametrize(
    "options", [{"token": "t"}, {"username": "u", "password": "p"}, {"api_key": "k"}, {"client_id": "c"}]
)
async def test_an_option_names_the_only_key(options: dict[str, str], headers: dict[str, str]) -> None:
    async with stranger(RestBackOffice()) as caller:
        await caller.ask("PUT", "/_options", json=options)
        said = await caller.ask("POST", "/cases", json=ONE, headers=headers)
        assert said.status == 401 and (await caller.ask("GET", "/_ledger")).json["items"] == []


@pytest.mark.parametrize(
    "parts",
    [
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"<a", "headers": {"Content-Type": "text/xml"}},
        {"data": b"\xff&=", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "headers": {"Content-Type": "text/xml"}},
    ],
)
async def test_a_body_that_is_none_is_400(parts: dict[str, object]) -> None:
    async with stranger(RestBackOffice()) as caller:
        assert (await caller.ask("POST", "/cases", **parts)).status == 400


async def test_a_product_may_number_its_cases_and_say_no_with_200() -> None:
    async with stranger(RestBackOffice()) as caller:
        await caller.ask("PUT", "/_options", json={"numbers": True, "says_no": True})
        assert (await caller.ask("POST", "/cases", json=ONE)).json["id"] == 1_000_001
        assert (await caller.ask("PATCH", "/cases/1000001", json={})).json["id"] == 1_000_001
        await caller.behave("refuse")
        said = await caller.ask("POST", "/cases", json=ONE)
    assert (said.status, said.json["ok"], said.json["code"]) == (200, False, 17)
