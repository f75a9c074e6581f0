"""The client library against a real server: publish, many, follow, and a hub that is away for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.client import Accepted, AsyncHub, Hub, Refused, Status, Unreachable
from hub.standard.missed_bin import MissedBin
from tests.files import JPEG
from tests.integration.intake_house import KEY, House, body, house
from tests.integration.test_intake_wire import served


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path}/hub.db", blobs=tmp_path / "blobs") as made:
        yield made


@pytest.fixture
async def hub(here: House) -> AsyncIterator[AsyncHub]:
    async with served(here) as port, AsyncHub(f"http://127.0.0.1:{port}/", key=KEY) as made:
        yield made


async def test_one_is_published_and_looked_up(hub: AsyncHub) -> None:
    taken = await hub.publish(body())
    assert taken.status == "accepted" and taken.council == "northborough" and not taken.replayed
    now = await hub.status(taken.reference)
    assert (now.id, now.final) == (taken.id, False)
    assert [delivery.destination for delivery in now.deliveries] == ["northborough/waste"]


async def test_a_file_is_read_from_a_path_however_the_path_is_given(hub: AsyncHub, tmp_path: Path) -> None:
    path = tmp_path / "bin.jpg"
    path.write_bytes(JPEG)
    told = [(await hub.upload(file)).raw for file in (path, str(path))]
    assert [(each["name"], each["media_type"], each["size"]) for each in told] == [
        ("bin.jpg", "image/jpeg", len(JPEG))
    ] * 2
    assert (await hub.upload(JPEG, name="inline.jpg")).raw["sha256"] == told[0]["sha256"]


async def test_a_model_of_the_standard_is_published_as_it_was_made(hub: AsyncHub) -> None:
    made = MissedBin.model_validate_json(json.dumps(body()))
    assert (await hub.publish(made)).service == "missed-bin"


async def test_the_same_key_gives_the_first_answer(hub: AsyncHub) -> None:
    first, again = [await hub.publish(body(), idempotency_key="case 7") for _ in range(2)]
    assert again.replayed and again.id == first.id


async def test_what_is_wrong_is_said_field_by_field(hub: AsyncHub) -> None:
    with pytest.raises(Refused) as no:
        await hub.publish(body(details={}))
    assert (no.value.status, no.value.code) == (422, "invalid")
    assert [fault.pointer for fault in no.value.faults] == ["#/details/containers"]


async def test_many_are_answered_in_order_and_a_bad_one_spoils_no_other(hub: AsyncHub) -> None:
    bodies: list[Any] = [body(front_end_reference=str(nr)) for nr in range(450)]
    bodies[3] = body(details={})
    answers = [answer async for answer in hub.publish_many(bodies)]
    assert [at for at, _ in answers] == list(range(450))
    assert [at for at, said in answers if isinstance(said, Refused)] == [3]
    for at in (0, 449):
        said = answers[at][1]
        assert isinstance(said, Accepted)
        assert (await hub.status(said.reference)).raw["front_end_reference"] == str(at)


async def test_the_same_many_again_make_no_second_ones(hub: AsyncHub) -> None:
    keys = [f"nr {nr}" for nr in range(30)]
    first = [said async for _, said in hub.publish_many([body()] * 30, keys=keys)]
    again = [said async for _, said in hub.publish_many([body()] * 30, keys=keys)]
    assert [said.id for said in first if isinstance(said, Accepted)] == [
        said.id for said in again if isinstance(said, Accepted) and said.replayed
    ]


async def test_services_councils_and_contracts_are_read_page_by_page(hub: AsyncHub) -> None:
    assert {"missed-bin", "complaint"} <= {service["code"] for service in await hub.services()}
    assert {council["slug"] for council in await hub.councils()} == {"northborough", "southby"}
    assert (await hub.schema("missed-bin"))["type"] == "object"


def told_of(*, final: bool, state: str) -> web.Response:
    delivery = {
        "destination": "a/b", "state": state, "reference": None, "our_reference": "ABCD-EFGH", "attempts": 0,
        "waiting": None,
    }  # fmt: skip
    return web.json_response(
        {
            "id": "1", "reference": "ABCD-EFGH", "status": "accepted", "final": final, "case_status": None,
            "deliveries": [delivery], "updates": [],
        }
    )  # fmt: skip


async def test_following_ends_when_it_is_final() -> None:
    told = iter([(False, "queued"), (False, "queued"), (True, "delivered")])

    async def status(_: web.Request) -> web.Response:
        final, state = next(told)
        return told_of(final=final, state=state)

    async with pretend(status) as url, AsyncHub(url, key="k") as hub:
        seen = [now async for now in hub.follow("ABCD-EFGH", every=timedelta(milliseconds=1))]
    assert [(now.final, now.deliveries[0].state) for now in seen] == [(False, "queued"), (True, "delivered")]


async def test_following_gives_up_in_time_and_never_ends_what_its_caller_does() -> None:
    async def status(_: web.Request) -> web.Response:
        return told_of(final=False, state="queued")

    seen = []

    async def slowly(hub: AsyncHub) -> None:
        async for now in hub.follow("ABCD-EFGH", within=timedelta(milliseconds=100)):
            await asyncio.sleep(0.2)
            seen.append(now.status)

    async with pretend(status) as url, AsyncHub(url, key="k") as hub:
        with pytest.raises(TimeoutError):
            await slowly(hub)
    assert seen == ["accepted"]


async def test_a_busy_hub_is_asked_again_under_the_same_key() -> None:
    keys = []

    async def busy(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < 3:
            return web.json_response({"code": "unavailable"}, status=503, headers={"Retry-After": "0"})
        return web.json_response({"code": "unauthenticated", "detail": "Who?"}, status=401)

    async with pretend(busy) as url, AsyncHub(url, key="k") as hub:
        with pytest.raises(Refused, match="unauthenticated"):
            await hub.publish({})
    assert len(keys) == 3 and len(set(keys)) == 1


async def test_an_address_where_nobody_answers_is_given_up_soon() -> None:
    async with AsyncHub("http://127.0.0.1:9", key="k", patience=timedelta(seconds=1)) as hub:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
            await hub.status("ABCD-EFGH")


async def test_without_asyncio_it_is_the_same(here: House) -> None:
    def blocking(url: str) -> tuple[Status, list[Any]]:
        with Hub(url, key=KEY) as hub:
            taken = hub.publish(body())
            return hub.status(taken.id), list(hub.publish_many([body(), body(details={})]))

    async with served(here) as port:
        now, many = await asyncio.to_thread(blocking, f"http://127.0.0.1:{port}")
    assert now.status == "accepted"
    assert [type(said) for _, said in many] == [Accepted, Refused]


def pretend(handler: Any) -> Any:
    """A hub of one answer; gives its address."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened() -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", handler)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")

    return opened()
