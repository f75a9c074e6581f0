"""The pretend Jadu, and its connector's way of signing in to it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from connectors.jadu import CreateCase, Jadu
from connectors.jadu.simulator import JaduBackOffice
from hub.connector import Connector, Misconfigured, Receipt, Refused, StepKind, Unavailable, http_evidence
from hub.connector.testing import Call, Mode, Reply, json_reply
from hub.connector.testing.trial import photo
from tests.offices import connected, delivery, misbehave, stranger

KEY = {"api_key": "key", "username": "user", "password": "pass"}
CASE = CreateCase.model_validate({"case_type": "complaint", "title": "Bins", "fms-reference": "ABCD-EFGH"})


class Counting(JaduBackOffice):
    """Counts sign-ins."""

    sign_ins = 0

    def _sign_in(self, call: Call) -> Reply:
        self.sign_ins += 1
        return super()._sign_in(call)


async def _create(connector: Connector) -> Receipt:
    return await connector.create(CASE, delivery("CreateCase"))


async def test_a_token_is_kept_for_the_next_case() -> None:
    office = Counting()
    async with connected(Jadu, office, **KEY) as connector:
        receipts = [await _create(connector) for _ in range(3)]
    assert len({receipt.reference for receipt in receipts}) == 3
    assert office.sign_ins == 1


async def test_twenty_at_once_share_one_sign_in() -> None:
    office = Counting()
    async with connected(Jadu, office, **KEY) as connector:
        await asyncio.gather(*(_create(connector) for _ in range(20)))
    assert (office.sign_ins, len(office.ledger.items)) == (1, 20)


async def test_an_expired_token_is_renewed_and_the_case_made_once() -> None:
    office = Counting()
    async with connected(Jadu, office, **KEY) as connector:
        await _create(connector)
        misbehave(office, Mode.EXPIRED_SESSION)
        await _create(connector)
    assert (office.sign_ins, len(office.ledger.items)) == (2, 2)


async def test_a_token_that_died_of_age_is_renewed_too() -> None:
    office = Counting()
    office.option["token_seconds"] = 0.05
    async with connected(Jadu, office, **KEY) as connector:
        await _create(connector)
        await asyncio.sleep(0.06)
        await _create(connector)
    assert (office.sign_ins, len(office.ledger.items)) == (2, 2)


async def test_a_second_401_is_suspect_and_no_third_is_tried() -> None:
    office = Counting()
    async with connected(Jadu, office, **KEY) as connector:
        misbehave(office, Mode.EXPIRED_SESSION, times=5)
        with pytest.raises(Misconfigured) as caught:
            await _create(connector)
    assert caught.value.suspect
    assert office.script.by_call and office.ledger.items == []


async def test_a_wrong_password_is_ours_to_mend() -> None:
    office = JaduBackOffice()
    office.option["password"] = "another"
    async with connected(Jadu, office, **KEY) as connector:
        with pytest.raises(Misconfigured) as caught:
            await _create(connector)
    assert (caught.value.code, caught.value.suspect) == ("jadu_sign_in", False)


async def test_a_sign_in_without_a_token_is_unavailable() -> None:
    class Tokenless(JaduBackOffice):
        def _sign_in(self, call: Call) -> Reply:
            return json_reply({"ok": True})

    async with connected(Jadu, Tokenless(), **KEY) as connector:
        with pytest.raises(Unavailable) as caught:
            await _create(connector)
    assert caught.value.code == "jadu_no_token"


async def test_neither_token_nor_password_is_kept_as_evidence() -> None:
    async with connected(Jadu, JaduBackOffice(), **KEY) as connector:
        with http_evidence() as log:
            await _create(connector)
    assert len(log) == 1
    assert "tok-" not in repr(log)


async def test_a_file_is_sent_again_to_a_session_that_had_expired() -> None:
    office = Counting()
    async with connected(Jadu, office, **KEY) as connector:
        jadu: Any = connector
        receipt = await _create(connector)
        misbehave(office, Mode.EXPIRED_SESSION)
        await jadu.attach(photo(), receipt, delivery("CreateCase", kind=StepKind.ATTACH))
    assert [row["operation"] for row in office.ledger.items] == ["CreateCase", "Attach"]
    assert office.sign_ins == 2


async def test_a_file_for_a_case_that_is_not_there_is_refused() -> None:
    async with connected(Jadu, JaduBackOffice(), **KEY) as connector:
        jadu: Any = connector
        with pytest.raises(Refused):
            await jadu.attach(photo(), Receipt(reference="9"), delivery("CreateCase", kind=StepKind.ATTACH))


async def test_a_form_that_lacks_an_answer_is_refused() -> None:
    office = JaduBackOffice()
    office.option["required"] = ["sys-last-name"]
    async with connected(Jadu, office, **KEY) as connector:
        with pytest.raises(Refused):
            await _create(connector)
    assert office.ledger.items == []


async def test_no_street_near_the_place_is_refused_before_anything_is_written() -> None:
    office = JaduBackOffice()
    office.option["streets"] = [{"USRN": "1", "STREET": "", "TOWN": "Shefford"}]
    record = CreateCase.model_validate({"case_type": "x", "near": {"easting": 1, "northing": 2}})
    async with connected(Jadu, office, **KEY, gazetteer={"url": "http://x", "api_key": "g"}) as connector:
        gazetteer: Any = connector
        gazetteer._gazetteer._url = gazetteer._session.base + "SpatialRadialSearchByEastingNorthing"
        made = delivery("CreateCase")
        with pytest.raises(Refused) as caught:
            await connector.create(record, made)
    assert (caught.value.code, made.writes) == ("jadu_no_street", 0)


async def test_summaries_are_newest_first_and_say_how_many_are_on_the_page() -> None:
    office = JaduBackOffice()
    async with stranger(office) as asking:
        said = await asking.ask("POST", "/sign-in", json=KEY, headers={"X-API-KEY": "key"})
        headers = {"X-API-KEY": "key", "X-API-TOKEN": said.json["token"]}
        for _ in range(21):
            await asking.ask("POST", "/complaint/case/create", json={"a": "b"}, headers=headers)
        first = (await asking.ask("GET", "/filters/all/summaries?page=1", headers=headers)).json
        last = (await asking.ask("GET", "/filters/all/summaries?page=2", headers=headers)).json
    assert (first["num_items"], last["num_items"]) == (20, 1)
    assert first["items"][0]["reference"] == "101000021"
    assert first["items"][0]["updated_at"].endswith("+0000")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/sign-in", {}, 401),
        ("POST", "/complaint/case/create", {"X-API-KEY": "key"}, 401),
        ("POST", "/complaint/case/create", {"X-API-KEY": "key", "X-API-TOKEN": "guess"}, 401),
        ("GET", "/SpatialRadialSearchByEastingNorthing", {}, 400),
    ],
)
async def test_a_stranger_is_not_let_in(method: str, path: str, headers: dict[str, str], status: int) -> None:
    async with stranger(JaduBackOffice()) as asking:
        assert (await asking.ask(method, path, headers=headers, data="{}")).status == status


async def test_a_photo_is_attached_to_a_case_that_is_there() -> None:
    import aiohttp

    async with stranger(JaduBackOffice()) as asking:
        said = await asking.ask("POST", "/sign-in", json=KEY, headers={"X-API-KEY": "key"})
        headers = {"X-API-KEY": "key", "X-API-TOKEN": said.json["token"]}
        made = await asking.ask("POST", "/complaint/case/create", json={}, headers=headers)
        statuses = []
        for reference in (made.json["reference"], "999"):
            form = aiohttp.FormData({"json": json.dumps({"name": "a.jpg"})})
            form.add_field("file", b"jpeg", filename="a.jpg")
            statuses.append((await asking.ask("POST", f"/case/{reference}/attach", data=form, headers=headers)).status)
    assert statuses == [201, 404]
