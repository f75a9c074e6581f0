"""Bells are hints: lost, doubled, late, in a storm or for nobody, they change when something is sent and no more."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from kombu.connection import Connection

from hub.broker.bell import MOST_HEARD, Bell
from hub.broker.queues import Names
from hub.model import StepState
from tests import services
from tests.bells import IMPATIENT, Ear, listening, until
from tests.integration.intake_house import house, publish
from tests.integration.test_dispatch import Bench, Script, bench, delivered, product
from tests.peers import Certificate, a_certificate
from tests.proxy import Proxy, proxy

CRM = "northborough/crm"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[tuple[Bench, Script]]:
    """A hub in this process whose one council's system takes everything at once."""
    script = Script([delivered])
    async with bench(tmp_path, product(script)) as made:
        yield made, script


@pytest.fixture
def prefix(rabbitmq_url: str) -> Iterator[str]:
    prefix = f"hub-test-{uuid4().hex[:8]}"
    yield prefix
    with Connection(rabbitmq_url, connect_timeout=3) as connection:
        Names(prefix=prefix).parked(connection.channel()).delete()
        Names(prefix=prefix).bells(connection.channel()).delete()


@pytest.fixture
async def network(rabbitmq_url: str) -> AsyncIterator[Proxy]:
    async with proxy(*services.rabbitmq_at()) as between:
        yield between


def through(url: str, network: Proxy, *, scheme: str = "amqp") -> str:
    host, port = services.rabbitmq_at()
    return url.replace(f"amqp://guest:guest@{host}:{port}", f"{scheme}://guest:guest@127.0.0.1:{network.port}")


async def test_bells_in_any_order_and_number_deliver_each_once(here: tuple[Bench, Script]) -> None:
    bench, script = here
    dice = random.Random(6)
    submissions = [await bench.publish() for _ in range(20)]
    while not all([(await bench.delivery(one)).state is StepState.DELIVERED for one in submissions]):
        for _ in range(dice.randrange(50)):
            bench.hub.bell.ring(dice.choice([CRM, "northborough/gone", "nowhere/at-all"]))
        await asyncio.sleep(0.01)
    assert len(script.calls) == len(set(script.calls)) == 20


async def test_without_a_bell_the_tick_finds_it(here: tuple[Bench, Script]) -> None:
    bench, script = here
    await asyncio.to_thread(bench.hub.bell.stop)
    await bench.until(await bench.publish(), StepState.DELIVERED)
    assert len(script.calls) == 1


async def test_a_storm_of_bells_for_nobody_leaves_no_trace_in_the_worker(here: tuple[Bench, Script]) -> None:
    bench, script = here
    worker, most = bench.hub.worker, 0
    assert worker is not None
    submission = await bench.publish()
    for number in range(20_000):
        worker.ring(f"nowhere-{number}/at-all")
        worker.ring(CRM)
        if number % 500 == 0:
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0)
    await bench.until(submission, StepState.DELIVERED)
    assert most < 50 and len(script.calls) == 1
    assert len(worker._counters) < 10, "a destination that nobody knows must not be remembered"


async def test_bells_that_come_while_the_loop_is_busy_are_heard_once_each() -> None:
    async with listening("memory://") as ear:
        for number in range(20_000):
            ear.bell._hear([f"council-{number % 40}/waste"])
        assert ear.heard == []
        await until(lambda: len(ear.heard) == 40)
        await asyncio.sleep(0.1)
    assert sorted(ear.heard) == sorted({f"council-{number}/waste" for number in range(40)})


async def test_only_so_many_are_kept_for_a_busy_loop() -> None:
    async with listening("memory://") as ear:
        for number in range(MOST_HEARD + 1_000):
            ear.bell._hear([f"council-{number}/waste"])
        await until(lambda: len(ear.heard) == MOST_HEARD)


async def test_an_hour_without_a_broker_costs_a_name_for_each_destination() -> None:
    bell = Bell("amqp://hub:opensesame@127.0.0.1:1//", patience=IMPATIENT)
    bell.start(None, None)
    for number in range(200_000):
        bell.ring(f"council-{number % 60}/waste")
    assert (bell.counts.rung, bell.counts.waiting, bell.counts.sent) == (200_000, 60, 0)
    await asyncio.to_thread(bell.stop)


async def test_what_was_rung_while_the_broker_was_away_is_heard_when_it_is_back(
    rabbitmq_url: str, prefix: str, network: Proxy
) -> None:
    network.refuse()
    ear = Ear(through(rabbitmq_url, network), prefix=prefix)
    await until(lambda: ear.bell.counts.outages == 1)
    for number in range(4_000):
        ear.bell.ring(f"council-{number % 40}/waste")
    await network.listen()
    # A listener may be back after the ringer; what left in between is for the tick.
    await until(lambda: ear.bell.healthy and ear.bell.counts.waiting == 0)
    ear.bell.ring("northborough/waste")
    await until(lambda: "northborough/waste" in ear.heard)
    assert len(ear.heard) == len(set(ear.heard))
    await asyncio.to_thread(ear.bell.stop)


async def test_connections_that_lost_their_other_end_are_noticed_by_their_heartbeat(
    rabbitmq_url: str, prefix: str, network: Proxy
) -> None:
    patience = replace(IMPATIENT, heartbeat=timedelta(seconds=2), echo=timedelta(seconds=30))
    async with listening(through(rabbitmq_url, network), prefix=prefix, patience=patience) as ear:
        network.lose()

        def heard() -> bool:
            ear.bell.ring("northborough/waste")
            return "northborough/waste" in ear.heard

        took = await until(heard, within=20)
    assert took < 3 * 2 + 2, "two heartbeats and a little"


async def test_a_broker_that_reads_no_more_holds_up_nobody_who_publishes(
    rabbitmq_url: str, prefix: str, network: Proxy, tmp_path: Path
) -> None:
    """RabbitMQ short of memory goes on talking, and stops reading from those who publish (`connection.blocked`)."""
    bell = Bell(through(rabbitmq_url, network), prefix=prefix, patience=IMPATIENT)
    bell.start(None, None)
    await until(lambda: bell.healthy)
    network.stall(down=False)
    with house(f"sqlite:///{tmp_path}/hub.db", ring=bell.ring) as made:
        async with asyncio.timeout(15):
            answers = [await publish(made.caller()) for _ in range(200)]
    assert {answer.status for answer in answers} == {202} and bell.counts.waiting <= 2
    network.flow()
    await until(lambda: bell.healthy and bell.counts.waiting == 0)
    await asyncio.to_thread(bell.stop)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return a_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def veiled(rabbitmq_url: str, certificate: Certificate) -> AsyncIterator[Proxy]:
    """RabbitMQ behind TLS."""
    async with proxy(*services.rabbitmq_at(), tls=certificate.server()) as between:
        yield between


async def test_a_bell_travels_under_tls_that_a_private_authority_vouches_for(
    rabbitmq_url: str, prefix: str, veiled: Proxy, certificate: Certificate
) -> None:
    url = f"{through(rabbitmq_url, veiled, scheme='amqps')}?ssl_ca_certs={certificate.path}"
    async with listening(url, prefix=prefix) as ear:
        ear.bell.ring("northborough/waste")
        await until(lambda: ear.heard == ["northborough/waste"])


async def test_a_broker_that_nobody_vouches_for_is_told_nothing(rabbitmq_url: str, prefix: str, veiled: Proxy) -> None:
    bell = Bell(through(rabbitmq_url, veiled, scheme="amqps"), prefix=prefix, patience=IMPATIENT)
    bell.start(None, None)
    bell.ring("northborough/waste")
    await until(lambda: bell.counts.outages == 1)
    await asyncio.sleep(0.5)
    assert not bell.healthy and bell.counts.sent == 0
    await asyncio.to_thread(bell.stop)


async def test_a_certificate_for_another_name_is_no_certificate(rabbitmq_url: str, prefix: str, tmp_path: Path) -> None:
    other = a_certificate(tmp_path, name="elsewhere.example")
    async with proxy(*services.rabbitmq_at(), tls=other.server()) as between:
        url = f"{through(rabbitmq_url, between, scheme='amqps')}?ssl_ca_certs={other.path}"
        bell = Bell(url, prefix=prefix, patience=IMPATIENT)
        bell.start(None, None)
        await until(lambda: bell.counts.outages == 1)
        await asyncio.sleep(0.5)
        assert not bell.healthy
        await asyncio.to_thread(bell.stop)
