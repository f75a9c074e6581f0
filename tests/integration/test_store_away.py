"""PostgreSQL refused, cut, silent, locked, full of others, read-only: 503 in good time, and nothing lost or twice."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from hub.store.patience import Patience
from tests import services
from tests.asgi import Answer
from tests.integration.intake_house import House, house, publish
from tests.proxy import Proxy, proxy

pytestmark = pytest.mark.timeout(120)

BRISK = Patience(
    statement=timedelta(seconds=2),
    greeting=timedelta(seconds=0.5),
    key=timedelta(seconds=1),
    read=timedelta(seconds=1),
    taken_up=timedelta(seconds=1),
    written=timedelta(seconds=0.5),
    read_back=timedelta(seconds=4),
    farewell=timedelta(seconds=1),
)
BOUND = 2.5 + 1.0  #: a key and a write by that patience, and a second for a busy machine

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def network(postgres_url: str) -> AsyncIterator[Proxy]:
    host, _, port = services.postgres_at().partition(":")
    async with proxy(host, int(port or 5432)) as between:
        yield between


@pytest.fixture
async def far(postgres_url: str, network: Proxy) -> AsyncIterator[House]:
    """An intake that reaches its database over a network which the test can break."""
    url = postgres_url.replace(services.postgres_at(), f"127.0.0.1:{network.port}")
    opened = await asyncio.to_thread(lambda: (made := house(url, patience=BRISK), made.__enter__()))
    yield opened[1]
    await asyncio.to_thread(opened[0].__exit__, None, None, None)


@contextmanager
def direct(url: str) -> Iterator[psycopg.Connection[Any]]:
    """The database itself, past the network."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def count(url: str) -> int:
    with direct(url) as connection:
        return int(connection.execute("SELECT count(*) FROM submission").fetchone()[0])  # type: ignore[index]


async def timed(asking: Any) -> tuple[Answer, float]:
    began = time.monotonic()
    answer = await asking
    return answer, time.monotonic() - began


async def until_taken(here: House, *, key: str, within: float = 15) -> Answer:
    """As a front end does: the same again, until it is taken."""
    end = time.monotonic() + within
    while (answer := await publish(here.caller(), key=key)).status != 202:
        assert answer.status == 503 and answer.headers["retry-after"], answer.body
        assert time.monotonic() < end, "it was never taken"
        await asyncio.sleep(0.1)
    return answer


async def ready(here: House) -> Answer:
    return await here.caller(None).get("/health/ready")


async def until_ready(here: House, *, within: float = 15) -> None:
    end = time.monotonic() + within
    while (await ready(here)).status != 200:
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def is_away(here: House) -> None:
    """What everybody is told while the store is away: a 503 in good time, and that the process lives."""
    answers = await asyncio.gather(
        timed(publish(here.caller(), key="while it was away")),
        timed(here.caller().get("/v1/submissions")),
        timed(ready(here)),
    )
    for answer, took in answers:
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0, answer.body
        assert took < max(BOUND, 3.5) + 1, took
    assert answers[2][0].json()["detail"]
    live, took = await timed(here.caller(None).get("/health/live"))
    assert live.status == 200 and took < 1


async def test_a_database_that_refuses(far: House, network: Proxy, postgres_url: str) -> None:
    await until_taken(far, key="before")
    network.refuse()
    await is_away(far)
    await network.listen()
    answers = [await until_taken(far, key=key) for key in ("before", "while it was away")]
    await until_ready(far)
    assert answers[0].headers["idempotent-replayed"] == "true" and count(postgres_url) == 2


async def test_a_database_that_falls_silent_and_comes_back(far: House, network: Proxy, postgres_url: str) -> None:
    await until_taken(far, key="before")
    network.stall()
    await is_away(far)
    network.flow()
    await until_taken(far, key="while it was away")
    await until_ready(far)
    assert count(postgres_url) == 2


async def test_connections_that_lost_their_other_end_are_given_up_for_new_ones(
    far: House, network: Proxy, postgres_url: str
) -> None:
    await asyncio.gather(*[until_taken(far, key=f"k{number}") for number in range(20)])
    network.stall()  # so that something is under way when they are lost
    waiting = [asyncio.ensure_future(until_taken(far, key=f"k{number}")) for number in range(10, 40)]
    await asyncio.sleep(0.3)
    network.lose()
    network.flow()
    began = time.monotonic()
    await asyncio.gather(*waiting)
    assert time.monotonic() - began < BRISK.statement.total_seconds() + 4
    await until_ready(far)
    assert count(postgres_url) == 40


@pytest.mark.parametrize("landed", [True, False])
async def test_a_connection_that_is_cut_at_commit(far: House, network: Proxy, postgres_url: str, landed: bool) -> None:
    await until_taken(far, key="before")
    trap = network.cut_at(b"COMMIT", forward=landed)
    answer = await publish(far.caller(), key="cut")
    assert trap.sprung.is_set()
    assert (answer.status, count(postgres_url)) == ((202, 2) if landed else (503, 1))
    again = await until_taken(far, key="cut")
    assert count(postgres_url) == 2 and (not landed or again.json()["id"] == answer.json()["id"])


async def test_a_connection_that_is_cut_before_commit_is_nobodys_trouble(
    far: House, network: Proxy, postgres_url: str
) -> None:
    await until_taken(far, key="before")
    trap = network.cut_at(b"INSERT INTO submission", forward=True)
    answer = await publish(far.caller(), key="cut")
    assert trap.sprung.is_set() and answer.status == 202 and count(postgres_url) == 2


async def test_sessions_that_are_terminated_in_a_stream_lose_and_double_nothing(far: House, postgres_url: str) -> None:
    done = asyncio.Event()

    async def terminate() -> None:
        while not done.is_set():
            with direct(postgres_url) as connection:
                connection.execute(TERMINATE)
            await asyncio.sleep(0.05)

    killing = asyncio.ensure_future(terminate())
    kept = []
    for start in range(0, 300, 20):
        kept += await asyncio.gather(*[until_taken(far, key=f"k{number}") for number in range(start, start + 20)])
    done.set()
    await killing
    assert len({answer.json()["id"] for answer in kept}) == count(postgres_url) == 300


async def test_a_locked_table_is_a_503_within_six_seconds_and_holds_up_nothing_else(postgres_url: str) -> None:
    with house(postgres_url) as here, direct(postgres_url) as other:
        await until_taken(here, key="before")
        other.autocommit = False
        other.execute("LOCK TABLE submission IN ACCESS EXCLUSIVE MODE")
        readers = [asyncio.ensure_future(timed(here.caller().get("/v1/submissions"))) for _ in range(30)]
        answers = await asyncio.gather(*[timed(publish(here.caller(), key=f"k{number}")) for number in range(100)])
        assert {answer.status for answer, _ in answers} == {503} and max(took for _, took in answers) < 6 + 1
        assert (await ready(here)).status == 503
        assert {(answer.status, took < 5 + 2) for answer, took in await asyncio.gather(*readers)} == {(503, True)}
        other.rollback()
        await asyncio.gather(*[until_taken(here, key=f"k{number}") for number in range(100)])
    assert count(postgres_url) == 101


async def test_nothing_that_was_answered_503_is_kept_behind_a_lock(postgres_url: str) -> None:
    with house(postgres_url, patience=BRISK) as here, direct(postgres_url) as other:
        await until_taken(here, key="before")
        other.autocommit = False
        other.execute("LOCK TABLE submission IN ACCESS EXCLUSIVE MODE")
        answers = await asyncio.gather(*[publish(here.caller()) for number in range(100)])
        assert {answer.status for answer in answers} == {503}
        other.rollback()
        await until_taken(here, key="after")
    assert count(postgres_url) == 2, "none of them had a key, so one that was kept would be made twice"


async def test_slow_readers_hold_up_neither_those_who_publish_nor_those_who_watch(postgres_url: str) -> None:
    with house(postgres_url, patience=BRISK) as here:
        await until_taken(here, key="before")
        sleep = sa.text("SELECT pg_sleep(3)")
        slow = [asyncio.ensure_future(here.store.read(lambda c: c.execute(sleep))) for _ in range(8)]
        await asyncio.sleep(0.1)
        assert (await publish(here.caller())).status == 202 and (await ready(here)).status == 200
        await asyncio.gather(*slow, return_exceptions=True)


async def test_a_database_that_became_read_only_is_away_until_it_is_not(postgres_url: str) -> None:
    name = postgres_url.rsplit("/", 1)[1]
    with house(postgres_url, patience=BRISK) as here, direct(postgres_url) as other:
        await until_taken(here, key="before")
        for switch in ("on", "off"):
            other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {switch}")
            if switch == "on":
                other.execute(TERMINATE)
                await asyncio.sleep(1.1)
                assert (await publish(here.caller())).status == (await ready(here)).status == 503
        # Nobody ends the read-only sessions: the hub has to leave them by itself.
        await until_taken(here, key="after")
        await until_ready(here)


async def test_a_store_that_is_silent_does_not_hold_up_the_end(far: House, network: Proxy) -> None:
    await until_taken(far, key="before")
    network.stall()
    waiting = [asyncio.ensure_future(publish(far.caller())) for _ in range(3)]
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await asyncio.to_thread(far.store.close)
    assert time.monotonic() - began < BRISK.farewell.total_seconds() + 7
    await asyncio.gather(*waiting)


async def test_a_thousand_requests_do_not_pile_up_while_the_store_is_silent(far: House, network: Proxy) -> None:
    await until_taken(far, key="before")
    network.stall()
    answers = await asyncio.gather(*[timed(publish(far.caller())) for _ in range(1_000)])
    assert {answer.status for answer, _ in answers} == {503}
    assert max(took for _, took in answers) < BOUND + 3
    assert len(asyncio.all_tasks()) < 20
    network.flow()


async def test_no_word_of_the_database_reaches_a_front_end(far: House, network: Proxy) -> None:
    await until_taken(far, key="before")
    network.refuse()
    answer = await publish(far.caller())
    assert not re.search(r"psycopg|postgres|127\.0\.0\.1|INSERT|SELECT", answer.body.decode(), re.IGNORECASE)
