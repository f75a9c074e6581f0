"""The bell on kombu's memory broker, as in the embedded default."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from kombu.transport.memory import Channel, Transport

from hub.broker.bell import Bell
from hub.errors import SettingsError
from tests.bells import IMPATIENT, Ear, listening, until


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listening("memory://") as ear:
        yield ear


async def test_a_ring_is_heard_in_the_loop(ear: Ear) -> None:
    ear.bell.ring("northborough/waste")
    await until(lambda: ear.heard == ["northborough/waste"])


async def test_a_thousand_rings_at_once_are_few_bells(ear: Ear) -> None:
    for _ in range(1000):
        ear.bell.ring("northborough/waste")
    await asyncio.sleep(0.2)
    assert 1 <= len(ear.heard) <= 3
    assert ear.bell.counts.rung == 1000


async def test_a_ring_after_the_first_is_heard_too(ear: Ear) -> None:
    ear.bell.ring("northborough/waste")
    await until(lambda: len(ear.heard) == 1)
    ear.bell.ring("northborough/waste")
    await until(lambda: len(ear.heard) == 2, within=1.0)


async def test_many_destinations_share_few_messages(ear: Ear) -> None:
    for number in range(400):
        ear.bell.ring(f"council-{number}/crm")
    await until(lambda: len(ear.heard) == 400)
    assert ear.bell.counts.sent < 20


async def test_two_hubs_in_one_process_do_not_hear_each_other(ear: Ear) -> None:
    async with listening("memory://") as other:
        ear.bell.ring("northborough/waste")
        await until(lambda: ear.heard == ["northborough/waste"])
        assert other.heard == []


async def test_a_ring_before_the_start_leaves_after_it() -> None:
    bell = Bell("memory://")
    bell.ring("northborough/waste")
    bell.start(None, None)
    await until(lambda: bell.counts.sent == 1)
    bell.stop()


async def test_what_still_waits_leaves_before_the_end(ear: Ear) -> None:
    ear.bell.ring("northborough/waste")
    await until(lambda: ear.bell.counts.sent == 1)
    ear.bell.ring("northborough/waste")
    await asyncio.to_thread(ear.bell.stop)
    assert ear.bell.counts.sent == 2


async def test_a_stopped_bell_leaves_no_name_and_no_thread_behind() -> None:
    async with listening("memory://", prefix="hub-gone") as ear:
        ear.bell.ring("northborough/waste")
        await until(lambda: ear.heard != [])
    assert not [name for name in [*Channel.queues, *Transport.global_state.exchanges] if name.startswith("hub-gone")]
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("hub-bell")])


def test_ringing_a_stopped_bell_is_no_error() -> None:
    bell = Bell("memory://")
    bell.start(None, None)
    bell.stop()
    bell.stop()
    bell.ring("northborough/waste")
    assert not bell.healthy


async def test_a_broker_that_is_not_there_stops_nobody_and_is_mentioned_once() -> None:
    with structlog.testing.capture_logs() as lines:
        ear = Ear("amqp://hub:opensesame@127.0.0.1:1//", prefix="hub-test")
        ear.bell.ring("northborough/waste")
        await asyncio.sleep(0.5)
        assert not ear.bell.healthy
        await asyncio.to_thread(ear.bell.stop)
    assert [(line["event"], line["broker"], line["error"]) for line in lines] == [
        ("broker.away", "127.0.0.1:1", "ConnectionRefusedError")
    ]


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "memory://;amqp://a", "rabbit", ""])
def test_an_address_that_is_no_broker_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(SettingsError, match="HUB_BROKER_URL must begin with memory://, amqp:// or amqps://"):
        Bell(url)


class StallingLoop:
    """Stands where the event loop stands, and blocks the thread that brings the first bell."""

    def __init__(self) -> None:
        self.calls: list[Callable[..., object]] = []
        self.release = threading.Event()

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        self.calls.append(callback)
        if len(self.calls) == 1:
            self.release.wait(20)


async def test_a_thread_that_no_longer_turns_is_replaced() -> None:
    loop = StallingLoop()
    bell = Bell("memory://", patience=replace(IMPATIENT, stuck=timedelta(milliseconds=400)))
    bell.start(loop, lambda destination: None)  # type: ignore[arg-type]
    await until(lambda: bell.healthy)
    bell.ring("northborough/waste")
    await until(lambda: bell.counts.replaced == 1 and bell.healthy)
    bell.ring("northborough/crm")
    await until(lambda: bell.counts.heard == 2)
    loop.release.set()
    await asyncio.to_thread(bell.stop)
