"""The scriptable back office: how it treats repeats, looks, numbers and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from hub.connector import Connector, Refused, StepKind, Unavailable, Unclear
from hub.connector.testing import Call, Mode, Reply, json_reply, load
from hub.connector.testing.scriptable import (
    ALL,
    Scriptable,
    ScriptableListing,
    ScriptableLookup,
    ScriptableNumber,
    ScriptableRejects,
)
from hub.connector.testing.scriptable_simulator import ScriptableBackOffice
from hub.connector.testing.trial import photo
from hub.model import Receipt
from tests.offices import Said, Stranger, connected, delivery, misbehave, stranger

BEFORE = quote("2020-01-01T00:00:00+00:00")


@pytest.fixture
async def office() -> AsyncIterator[Stranger]:
    async with stranger(ScriptableBackOffice()) as asking:
        yield asking


async def _post(asking: Stranger, ours: str = "ABCD-EFGH") -> Said:
    return await asking.ask("POST", "/cases", json={"our_reference": ours})


async def _find(asking: Stranger, ours: str = "ABCD-EFGH") -> list[Any]:
    items: list[Any] = (await asking.ask("GET", f"/cases?our_reference={ours}")).json["items"]
    return items


async def _list(asking: Stranger, more: str = "") -> Any:
    return (await asking.ask("GET", f"/cases?since={BEFORE}{more}")).json


async def _create(connector: Connector, ours: str = "ABCD-EFGH") -> Receipt:
    record = connector.operations["CreateCase"].record.model_validate({"title": "A bin was missed"})
    return await connector.create(record, delivery("CreateCase", our_reference=ours))


@pytest.mark.parametrize("kind", ALL)
def test_each_connector_has_a_back_office_that_is_of_its_class(kind: type[Connector]) -> None:
    option, safety = load(kind.simulator).option, kind.operations["CreateCase"].replay_safety.value
    assert option["idempotent"] is (safety == "idempotent")
    assert option["rejects_duplicates"] is (safety == "rejects_duplicates")
    assert option["number_later"] is hasattr(kind, "number")


async def test_what_is_there_already_is_rejected_with_its_number(office: Stranger) -> None:
    office.office.option["rejects_duplicates"] = True
    await _post(office)
    again = await _post(office)
    assert again.status == 409
    assert again.json == {"error": "already exists", "reference": "CASE-000001", "our_reference": "ABCD-EFGH"}


async def test_a_rejected_repeat_is_a_receipt() -> None:
    async with connected(ScriptableRejects, load(ScriptableRejects.simulator)) as connector:
        assert [await _create(connector) for _ in range(2)] == [Receipt(reference="CASE-000001")] * 2


async def test_another_conflict_is_refused() -> None:
    class Frozen(ScriptableBackOffice):
        def answer(self, call: Call) -> Reply:
            return json_reply({"error": "the register is frozen"}, status=409)

    async with connected(ScriptableRejects, Frozen()) as connector:
        with pytest.raises(Refused):
            await _create(connector)


async def test_a_case_is_seen_by_a_look_only_when_it_is_old_enough(office: Stranger) -> None:
    office.office.option["late"] = 0.2
    await _post(office)
    assert len(office.office.ledger.items) == 1
    assert (await _find(office), (await _list(office))["items"]) == ([], [])
    await asyncio.sleep(0.25)
    assert [row["reference"] for row in await _find(office)] == ["CASE-000001"]
    assert [row["reference"] for row in (await _list(office))["items"]] == ["CASE-000001"]


async def test_a_late_look_makes_no_repeat_a_second_case(office: Stranger) -> None:
    office.office.option["late"] = 60
    assert [(await _post(office)).json for _ in range(2)] == [{"reference": "CASE-000001"}] * 2


async def test_a_listing_is_in_order_and_in_pages(office: Stranger) -> None:
    office.office.option["page_size"] = 2
    for n in range(5):
        await _post(office, f"KTST-AAA{n + 2}")
    pages = [first := await _list(office)]
    while pages[-1]["next"]:
        pages.append(await _list(office, f"&cursor={pages[-1]['next']}"))
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert first["items"][0].keys() == {"reference", "our_reference", "status", "at"}
    references = [item["our_reference"] for page in pages for item in page["items"]]
    assert references == [f"KTST-AAA{n + 2}" for n in range(5)]


async def test_a_listing_begins_where_it_is_asked_to(office: Stranger) -> None:
    await _post(office, "KTST-AAA2")
    await asyncio.sleep(0.01)
    since = quote(datetime.now(UTC).isoformat())
    await _post(office, "KTST-AAA3")
    listed = (await office.ask("GET", f"/cases?since={since}")).json["items"]
    assert [item["our_reference"] for item in listed] == ["KTST-AAA3"]


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-01-01T00:00:00", f"since={BEFORE}&cursor=x"])
async def test_a_listing_that_means_nothing_is_told_so(office: Stranger, query: str) -> None:
    assert (await office.ask("GET", f"/cases?{query}")).status == 400


async def test_every_page_of_a_listing_is_read() -> None:
    office = load(ScriptableListing.simulator)
    async with connected(ScriptableListing, office) as connector:
        register: Any = connector
        for n in range(450):
            office.answer(Call("POST", "/cases", {}, {}, f'{{"our_reference": "KTST-{n:04d}"}}'.encode()))
        seen = [one async for one in register.changes(datetime.now(UTC) - timedelta(minutes=1))]
    assert len({one.our_reference for one in seen}) == len(seen) == 450
    assert seen[-1].at.tzinfo is not None


async def test_a_look_takes_exactly_our_reference() -> None:
    async with connected(ScriptableLookup, load(ScriptableLookup.simulator)) as connector:
        register: Any = connector
        await _create(connector, "ABCD-EFGH-1")
        assert await register.find("ABCD-EFGH") is None
        assert await register.find("ABCD-EFGH-1") == Receipt(reference="CASE-000001")


async def test_a_number_follows_its_token(office: Stranger) -> None:
    office.office.option.update(number_later=True, number_seconds=0.2)
    taken = await _post(office)
    assert (taken.status, taken.json) == (202, {"token": "TOK-000001"})
    assert (await office.ask("GET", "/tokens/TOK-000001")).status == 404
    await asyncio.sleep(0.25)
    assert (await office.ask("GET", "/tokens/TOK-000001")).json == {"reference": "CASE-000001"}


async def test_a_number_that_is_not_there_yet_is_asked_for_again() -> None:
    office = load(ScriptableNumber.simulator)
    office.option["number_seconds"] = 60.0
    async with connected(ScriptableNumber, office) as connector:
        register: Any = connector
        receipt = await _create(connector)
        assert receipt == Receipt(token="TOK-000001")
        with pytest.raises(Unavailable) as caught:
            await register.number(receipt.token, delivery("CreateCase"))
    assert caught.value.code == "scriptable_number_to_follow"


async def test_a_file_is_a_row_of_its_case(office: Stranger) -> None:
    await _post(office)
    form = aiohttp.FormData()
    form.add_field("file", bytes(range(256)) * 3 + b"\r\n", filename="tŷ.jpg", content_type="image/jpeg")
    assert (await office.ask("POST", "/cases/CASE-000001/attachments", data=form)).status == 201
    case, file = office.office.ledger.items
    assert (file["operation"], file["reference"], file["our_reference"]) == ("Attach", "CASE-000001", "ABCD-EFGH")
    assert file["record"]["media_type"] == "image/jpeg"
    assert file["record"]["bytes"] == 770
    assert case["operation"] == "CreateCase"


@pytest.mark.parametrize(("case", "body", "status"), [("CASE-9", b"x", 404), ("CASE-000001", b"x", 422)])
async def test_a_file_without_a_case_or_a_case_without_a_file(
    office: Stranger, case: str, body: bytes, status: int
) -> None:
    await _post(office)
    assert (await office.ask("POST", f"/cases/{case}/attachments", data=body)).status == status


async def test_files_may_fail_while_cases_are_made(office: Stranger) -> None:
    await office.behave("unavailable", at="attach")
    assert (await _post(office)).status == 201
    assert (await office.ask("POST", "/cases/CASE-000001/attachments", data=b"x")).status == 503


async def test_cases_may_fail_while_files_are_taken(office: Stranger) -> None:
    await office.behave("unavailable", at="write")
    assert (await _post(office)).status == 503
    assert (await office.ask("POST", "/cases/CASE-1/attachments", data=b"x")).status == 404


async def test_a_behaviour_for_all_writes_is_used_up_by_either(office: Stranger) -> None:
    await office.behave("unavailable", times=1)
    assert (await office.ask("POST", "/cases/CASE-1/attachments", data=b"x")).status == 503
    assert (await _post(office)).status == 201


async def test_a_photo_arrives_whole_and_is_marked_before_it_leaves() -> None:
    office = load(Scriptable.simulator)
    async with connected(Scriptable, office) as connector:
        register: Any = connector
        receipt = await _create(connector)
        step = delivery("CreateCase", kind=StepKind.ATTACH)
        await register.attach(photo(), receipt, step)
    assert office.ledger.items[-1]["record"] == {
        "name": "by the gate.jpg",
        "media_type": "image/jpeg",
        "bytes": photo().size,
    }
    assert step.writes == 1


async def test_a_photo_whose_fate_is_not_known_is_unclear() -> None:
    office = load(Scriptable.simulator)
    async with connected(Scriptable, office) as connector:
        register: Any = connector
        receipt = await _create(connector)
        misbehave(office, Mode.COMMIT_THEN_DROP)
        step = delivery("CreateCase", kind=StepKind.ATTACH)
        with pytest.raises(Unclear):
            await register.attach(photo(), receipt, step)
    assert [row["operation"] for row in office.ledger.items] == ["CreateCase", "Attach"]


async def test_what_is_forgotten_is_found_by_no_look(office: Stranger) -> None:
    await _post(office)
    await office.ask("DELETE", "/_ledger")
    assert (await _find(office), (await _list(office))["items"]) == ([], [])
    assert (await _post(office)).status == 201
    assert len(office.office.ledger.items) == 1
