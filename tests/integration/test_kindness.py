"""A whole hub and a system that is not well: it is left alone, asked by one, and then served again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.connector import Delivery, Misconfigured, Receipt, Unavailable
from hub.model import StepState
from hub.store import breakers, destinations, tables
from hub.store.engine import database_now
from tests.integration.test_dispatch import Bench, Script, bench, delivered, product, raising

CRM = "northborough/crm"


def row(here: Bench) -> Any:
    return here.store.transact_now(lambda c: destinations.get(c, CRM))


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def time_passes(here: Bench) -> None:
    """The breaker's time is over."""

    def work(connection: sa.Connection) -> None:
        past = database_now(connection) - timedelta(seconds=1)
        circuits = breakers.circuits_of(destinations.get(connection, CRM))
        kept = {call: {**each.to_json(), "until": past.isoformat()} for call, each in circuits.items()}
        connection.execute(sa.update(tables.destination).values(breaker_counts=kept, breaker_until=past))

    here.store.transact_now(work)


async def test_a_sick_system_is_left_alone_then_asked_by_one_and_nothing_is_lost(tmp_path: Path) -> None:
    script = Script([raising(Unavailable(), after_write=False)])
    async with bench(tmp_path, product(script)) as here:
        submissions = [await here.publish() for _ in range(12)]
        await until(lambda: row(here).breaker == "open")
        await asyncio.sleep(0.3)  # what was under way comes back
        asked = len(script.calls)
        await asyncio.sleep(1.5)  # every retry is due by now
        assert len(script.calls) == asked
        assert (await here.delivery(submissions[-1])).health.breaker_until is not None
        script.answers = [delivered]
        time_passes(here)
        views = [await here.until(each, StepState.DELIVERED) for each in submissions]
        assert row(here).breaker == "closed"
    assert len(script.calls) == asked + 12
    assert {view.attempts_used for view in views} <= {1, 2, 3}


async def test_probes_go_one_at_a_time_and_a_sick_one_is_the_last_for_longer(tmp_path: Path) -> None:
    script = Script([raising(Unavailable(), after_write=False)])
    async with bench(tmp_path, product(script)) as here:
        for _ in range(12):
            await here.publish()
        await until(lambda: row(here).breaker == "open")
        await asyncio.sleep(1.5)
        asked = len(script.calls)
        time_passes(here)
        await until(lambda: "trips" in str(row(here).breaker_counts) and len(script.calls) > asked)
        await asyncio.sleep(0.5)
        (kept,) = row(here).breaker_counts.values()
    assert (len(script.calls), kept["trips"], kept["state"]) == (asked + 1, 2, "open")


async def test_a_retry_after_is_kept_to_by_all_and_uses_no_attempt(tmp_path: Path) -> None:
    script = Script([raising(Unavailable(retry_after=timedelta(seconds=2)), after_write=False), delivered])
    async with bench(tmp_path, product(script)) as here:
        first = await here.publish()
        await until(lambda: row(here).breaker == "open")
        second = await here.publish()
        await asyncio.sleep(1)
        assert len(script.calls) == 1
        views = [await here.until(each, StepState.DELIVERED) for each in (first, second)]
    assert [view.attempts_used for view in views] == [1, 1]


async def calls_when_tried(here: Bench, script: Script) -> int:
    """The 15 minutes are over: how many calls follow."""
    before, sweep = len(script.calls), here.hub.sweep
    assert sweep is not None and await sweep.doubts.probe(here.hub.core.councils().destination(CRM))
    sweep.worker.ring(CRM)
    await asyncio.sleep(1)
    return len(script.calls) - before


async def test_a_wrong_key_without_a_check_is_tried_by_one_delivery_until_it_is_right(tmp_path: Path) -> None:
    script = Script([raising(Misconfigured(), after_write=False)])
    async with bench(tmp_path, product(script, checks=False)) as here:
        submissions = [await here.publish() for _ in range(4)]
        await until(lambda: row(here).paused_by == "hub")
        await asyncio.sleep(0.3)
        assert await calls_when_tried(here, script) == 1
        assert row(here).paused_by == "hub"
        script.answers = [delivered]
        assert await calls_when_tried(here, script) == 4
        views = [await here.until(each, StepState.DELIVERED) for each in submissions]
    assert {view.attempts_used for view in views} == {1}


async def test_at_a_rate_the_hub_is_as_slow_as_it_must_be_and_no_slower(tmp_path: Path) -> None:
    script = Script([delivered])
    at: list[float] = []

    async def timed(delivery: Delivery) -> Receipt:
        at.append(asyncio.get_running_loop().time())
        return await delivered(delivery)

    script.answers = [timed]
    async with bench(tmp_path, product(script)) as here:
        here.store.transact_now(lambda c: c.execute(sa.update(tables.destination).values(per_second=5.0)))
        submissions = [await here.publish() for _ in range(12)]
        for each in submissions:
            await here.until(each, StepState.DELIVERED)
    assert 1.7 < max(at) - min(at) < 5
