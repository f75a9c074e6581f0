"""The bell on RabbitMQ: other processes, broken networks, and messages that are no bells."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from kombu.connection import Connection

from hub.broker.bell import Bell
from hub.broker.queues import RING, Names
from tests import services
from tests.bells import IMPATIENT, Ear, listening, until
from tests.proxy import Proxy, proxy


@pytest.fixture
def prefix(rabbitmq_url: str) -> Iterator[str]:
    """A name of this test's own, taken out of the broker afterwards."""
    prefix = f"hub-test-{uuid4().hex[:8]}"
    yield prefix
    with Connection(rabbitmq_url, connect_timeout=3) as connection:
        Names(prefix=prefix).parked(connection.channel()).delete()
        Names(prefix=prefix).bells(connection.channel()).delete()


@pytest.fixture
async def ear(rabbitmq_url: str, prefix: str) -> AsyncIterator[Ear]:
    async with listening(rabbitmq_url, prefix=prefix) as ear:
        yield ear


@pytest.fixture
async def network(rabbitmq_url: str) -> AsyncIterator[Proxy]:
    async with proxy(*services.rabbitmq_at()) as between:
        yield between


@pytest.fixture
async def far_ear(rabbitmq_url: str, prefix: str, network: Proxy) -> AsyncIterator[Ear]:
    """An ear that reaches the broker over a network which the test can break."""
    async with listening(through(rabbitmq_url, network), prefix=prefix) as ear:
        yield ear


def through(url: str, network: Proxy) -> str:
    host, port = services.rabbitmq_at()
    return url.replace(f"{host}:{port}", f"127.0.0.1:{network.port}")


def publish(url: str, prefix: str, body: bytes, *, content_type: str = "application/json") -> None:
    with Connection(url, connect_timeout=3) as connection:
        exchange = Names(prefix=prefix).bells(connection.channel())
        connection.Producer(exchange.channel, exchange, routing_key=RING).publish(
            body, content_type=content_type, content_encoding="utf-8"
        )


def parked(url: str, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    with Connection(url, connect_timeout=3) as connection:
        queue = Names(prefix=prefix).parked(connection.channel())
        while message := queue.get(no_ack=True):
            found.append((message.headers["why"], bytes(message.body)))
    return found


async def heard_again(ear: Ear, destination: str, *, within: float = 10.0) -> None:
    """Ring until it is heard: a hint may be lost while the broker is away."""
    began = len(ear.heard)

    def ring() -> bool:
        ear.bell.ring(destination)
        return destination in ear.heard[began:]

    await until(ring, within=within)


RING_ELSEWHERE = """
import sys, time
from hub.broker.bell import Bell
url, prefix = sys.argv[1:]
bell = Bell(url, prefix=prefix)
bell.start(None, None)
while not bell.healthy:
    time.sleep(0.01)
bell.ring("northborough/waste")
bell.stop()
"""


async def test_a_ring_in_one_process_is_heard_in_every_other(ear: Ear, rabbitmq_url: str, prefix: str) -> None:
    async with listening(rabbitmq_url, prefix=prefix) as second:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", RING_ELSEWHERE, rabbitmq_url, prefix)
        assert await process.wait() == 0
        await until(lambda: ear.heard == second.heard == ["northborough/waste"])


async def test_a_thousand_rings_at_once_are_few_messages(ear: Ear) -> None:
    for _ in range(1000):
        ear.bell.ring("northborough/waste")
    await asyncio.sleep(0.2)
    assert 1 <= len(ear.heard) == ear.bell.counts.sent <= 3


async def test_heartbeats_go_on_while_bells_keep_coming(ear: Ear) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + 3.5  # the broker hangs up on one that is silent for two to three seconds
    while loop.time() < until:
        ear.bell.ring(f"council-{len(ear.heard)}/waste")
        await asyncio.sleep(0.002)
    assert ear.bell.counts.outages == 0


async def test_a_cut_connection_is_made_again(far_ear: Ear, network: Proxy) -> None:
    network.cut()
    await until(lambda: far_ear.bell.counts.outages >= 1)
    await until(lambda: far_ear.bell.healthy)
    await heard_again(far_ear, "northborough/waste")
    # One account of the cut; a second only where one line was back before the other noticed.
    assert far_ear.bell.counts.outages <= 2


async def test_a_half_open_connection_is_noticed_and_made_again(far_ear: Ear, network: Proxy) -> None:
    network.stall()
    await until(lambda: not far_ear.bell.healthy)
    network.flow()
    await heard_again(far_ear, "northborough/waste")


async def test_one_that_only_rings_notices_a_half_open_connection_by_its_heartbeat(
    rabbitmq_url: str, prefix: str, network: Proxy
) -> None:
    bell = Bell(through(rabbitmq_url, network), prefix=prefix, patience=IMPATIENT)
    bell.start(None, None)
    await until(lambda: bell.healthy)
    network.stall()
    await until(lambda: bell.counts.outages == 1)
    await asyncio.to_thread(bell.stop)


async def test_ringing_into_a_half_open_connection_never_blocks(far_ear: Ear, network: Proxy) -> None:
    network.stall()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(20_000):
        far_ear.bell.ring(f"council-{number % 400}/waste")
    assert loop.time() - began < 1.0


async def test_a_stalled_broker_does_not_hold_up_the_end(far_ear: Ear, network: Proxy) -> None:
    network.stall()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.to_thread(far_ear.bell.stop)
    assert loop.time() - began < 5.5


async def test_a_hub_that_starts_before_its_broker_finds_it_later(
    rabbitmq_url: str, prefix: str, network: Proxy
) -> None:
    network.stall()
    ear = Ear(through(rabbitmq_url, network), prefix=prefix)
    await until(lambda: ear.bell.counts.outages == 1)
    assert not ear.bell.healthy
    network.flow()
    await heard_again(ear, "northborough/waste")
    await asyncio.to_thread(ear.bell.stop)


@pytest.mark.parametrize(
    ("body", "content_type", "why"),
    [
        pytest.param(b"{not json", "application/json", "not JSON", id="not JSON"),
        pytest.param(b"\xff\xfe", "application/json", "not JSON", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "application/json", "not JSON", id="nested too deep"),
        pytest.param(b"cos\nsystem\n(S'true'\ntR.", "application/x-python-serialize", "not JSON", id="a pickle"),
        pytest.param(b'{"council": "northborough"}', "application/json", "not a bell", id="a submission"),
        pytest.param(b'{"destinations": []}', "application/json", "not a bell", id="a bell for nobody"),
        pytest.param(b'{"destinations": [7]}', "application/json", "not a bell", id="a number"),
        pytest.param(b'{"destinations": ["Mrs O\'Neil"]}', "application/json", "not a bell", id="a name"),
        pytest.param(b"null", "application/json", "not a bell", id="null"),
    ],
)
async def test_what_is_no_bell_is_parked_and_the_next_bell_is_heard(
    ear: Ear, rabbitmq_url: str, prefix: str, body: bytes, content_type: str, why: str
) -> None:
    publish(rabbitmq_url, prefix, body, content_type=content_type)
    await until(lambda: ear.bell.counts.parked == 1)
    ear.bell.ring("northborough/waste")
    await until(lambda: ear.heard == ["northborough/waste"])
    assert parked(rabbitmq_url, prefix) == [(why, body[:4096])]
    assert ear.bell.counts.outages == 0


async def test_a_listener_that_lost_its_binding_notices_that_it_is_deaf(
    ear: Ear, rabbitmq_url: str, prefix: str
) -> None:
    with Connection(rabbitmq_url, connect_timeout=3) as connection:
        Names(prefix=prefix).bells(connection.channel()).delete()
    await heard_again(ear, "northborough/waste")


async def test_a_parking_queue_with_other_limits_does_not_stop_the_bell(rabbitmq_url: str, prefix: str) -> None:
    with Connection(rabbitmq_url, connect_timeout=3) as connection:
        connection.channel().queue_declare(Names(prefix=prefix).parked.name, durable=True, auto_delete=False)
    async with listening(rabbitmq_url, prefix=prefix) as ear:
        await heard_again(ear, "northborough/waste")
