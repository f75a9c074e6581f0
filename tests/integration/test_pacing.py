"""No second at a back office sees more than r + 1 arrivals, whoever calls: real calls, real processes, one clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.connector import Http, Unavailable
from hub.dispatch import pace
from hub.dispatch.pace import Pacer
from hub.store import destinations, slots, tables
from hub.store.engine import database_now
from hub.store.ids import uuid7
from hub.store.store import Store
from tests import paced, peers
from tests.paced import Rated, busiest_second, heard, line, press, running
from tests.peers import a_delivery, peer
from tests.stores import HASHER, SEALER, WASTE, add_destination, open_store

RATES: dict[str, float | None] = {"paced/one": 1, "paced/five": 5, "paced/twenty": 20, "paced/fifty": 50}
SECONDS = 3.0


@contextmanager
def office() -> Iterator[Any]:
    with running("office") as process:
        yield process, line(process)


def kept(arrivals: dict[str, list[float]], name: str, rate: float) -> bool:
    """Not faster than it may be, and not so slow that the rate was missed for another reason."""
    came = arrivals[name]
    assert busiest_second(came) <= rate + 1, (name, busiest_second(came))
    assert len(came) >= rate * SECONDS / 3, (name, len(came))
    return True


@pytest.mark.postgres
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_however_many_workers_no_second_sees_more_than_the_rate_and_one(postgres_url: str, workers: int) -> None:
    store = paced_store(postgres_url)
    with ExitStack() as stack:
        process, url = stack.enter_context(office())
        given = json.dumps({"database": postgres_url, "url": url, "rates": RATES, "seconds": SECONDS})
        pressing = [stack.enter_context(running("worker", given)) for _ in range(workers)]
        assert [line(each) for each in pressing] == ["ready"] * workers
        for each in pressing:
            assert each.stdin is not None
            each.stdin.write("go\n")
        assert [each.wait(timeout=30) for each in pressing] == [0] * workers
        arrivals = heard(process)
    store.close()
    assert all(kept(arrivals, name, rate) for name, rate in RATES.items() if rate)


def paced_store(url: str) -> Store:
    store = open_store(url)
    for name, rate in RATES.items():
        add_destination(store, name, per_second=rate)
    return store


async def test_on_sqlite_too(tmp_path: Path) -> None:
    store = paced_store(f"sqlite:///{tmp_path / 'hub.db'}")
    with office() as (process, url):
        await press(store, url, RATES, seconds=SECONDS)
        arrivals = heard(process)
    store.close()
    assert all(kept(arrivals, name, rate) for name, rate in RATES.items() if rate)


def an_operation(store: Store, *, rate: float | None) -> str:
    operation = uuid7()

    def work(connection: sa.Connection) -> None:
        values = {"id": operation, "kind": "replay", "filter": {}, "state": "running", "rate": rate}
        connection.execute(
            sa.insert(tables.operation).values(created_by="jo", created_at=database_now(connection), **values)
        )

    store.transact_now(work)
    return operation


@pytest.mark.parametrize("of_its_own", [None, 50.0], ids=["destination without a rate", "destination with one"])
async def test_a_bulk_operation_keeps_to_its_own_rate_as_well(store: Store, of_its_own: float | None) -> None:
    operation = an_operation(store, rate=20)
    with office() as (process, url):
        await press(store, url, {WASTE: of_its_own}, seconds=SECONDS, bulk=operation)
        arrivals = heard(process)
    assert kept(arrivals, WASTE, 20)


def test_an_operation_without_a_rate_holds_nothing_up(store: Store) -> None:
    operation = an_operation(store, rate=None)
    assert store.transact_now(lambda c: slots.reserve_bulk(c, operation)) is None
    assert store.transact_now(lambda c: slots.reserve_bulk(c, uuid7())) is None


def test_slots_are_apart_by_a_little_more_than_the_rate(store: Store) -> None:
    first, second = (store.transact_now(lambda c: slots.reserve(c, WASTE, per_second=1)) for _ in range(2))
    assert second.at - first.at == timedelta(seconds=1.05)
    assert first.wait < timedelta(seconds=0.01) < second.wait


def test_a_slot_may_be_asked_for_from_a_time_on(store: Store) -> None:
    slot = store.transact_now(lambda c: slots.reserve(c, WASTE, per_second=1, after=timedelta(seconds=5)))
    assert slot.wait == pytest.approx(timedelta(seconds=5), abs=timedelta(milliseconds=10))


def test_a_clock_that_was_set_back_holds_no_call_for_an_hour(store: Store) -> None:
    def jump(connection: sa.Connection) -> None:
        ahead = database_now(connection) + timedelta(hours=1)
        connection.execute(sa.update(tables.destination).values(pace_next_at=ahead))

    store.transact_now(jump)
    assert store.transact_now(lambda c: slots.reserve(c, WASTE, per_second=1)).wait < timedelta(seconds=1)
    assert store.transact_now(lambda c: destinations.get(c, WASTE)).pace_next_at is not None


async def test_where_there_is_no_rate_no_slot_is_reserved(store: Store) -> None:
    http = Http(pace=Pacer(store=store).of(Rated(WASTE, None)))
    async with peer(peers.answer(200, b"{}")) as at:
        await http.write(a_delivery(), "POST", at.url, json={})
    await http.close()
    assert store.transact_now(lambda c: destinations.get(c, WASTE)).pace_next_at is None


async def test_a_write_waits_for_its_turn_before_it_is_marked_as_leaving(store: Store) -> None:
    http = Http(timeout=timedelta(seconds=0.4), pace=Pacer(store=store).of(Rated(WASTE, 1)))
    delivery = a_delivery()
    async with peer(peers.answer(200, b"{}")) as at:
        await http.read("GET", at.url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await http.write(delivery, "POST", at.url, json={})
        await http.write(delivery, "POST", at.url, json={})  # a second of waiting is not taken off its deadline
        assert len(at.heard) == 2
    await http.close()


async def test_a_call_that_missed_its_slot_waits_for_another(store: Store) -> None:
    http = Http(pace=Pacer(store=store).of(Rated(WASTE, 10)))

    async def slow_mark() -> None:
        await asyncio.sleep(0.2)

    async with peer(peers.answer(200, b"{}")) as at:
        before = store.transact_now(database_now)
        await http.write(a_delivery(on_sending=slow_mark), "POST", at.url, json={})
    await http.close()
    mark = store.transact_now(lambda c: destinations.get(c, WASTE)).pace_next_at
    assert mark - before > timedelta(seconds=0.3)


async def test_without_the_store_nothing_leaves() -> None:
    away = Store("postgresql+psycopg://nobody@127.0.0.1:9/none", sealer=SEALER, hasher=HASHER)
    http = Http(pace=Pacer(store=away).of(Rated(WASTE, 10)))
    async with peer(peers.answer(200, b"{}")) as at:
        with pytest.raises(Unavailable) as raised:
            await http.write(a_delivery(), "POST", at.url, json={})
        assert (raised.value.code, at.heard) == ("store", [])
    await http.close()
    away.close()


def test_the_databases_clock_is_known_by_its_quickest_answer() -> None:
    clock, said = pace.Clock(), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    for at in (100.030, 100.002, 100.050):
        clock.hear(said, at)
    assert clock.monotonic(said) == pytest.approx(100.002, abs=0.0002)


def test_a_database_clock_that_was_set_is_believed_at_once() -> None:
    clock, said = pace.Clock(), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    for hours in (0, 1, -2):
        clock.hear(said + timedelta(hours=hours), 100.0)
        assert clock.monotonic(said + timedelta(hours=hours)) == pytest.approx(100.0)


def test_the_busiest_second_counts_both_its_ends() -> None:
    assert busiest_second([0.0, 0.5, 1.0, 1.01]) == 3
    assert paced.busiest_second([]) == 0
