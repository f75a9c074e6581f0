"""A bell under test: what it heard, and patience short enough for a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

from hub.broker.bell import Bell
from hub.broker.line import Patience

#: As in production, but in tenths of seconds.
IMPATIENT = Patience(
    connect=timedelta(seconds=1),
    answer=timedelta(seconds=1),
    heartbeat=timedelta(seconds=1),
    echo=timedelta(milliseconds=300),
    turn=timedelta(milliseconds=50),
    settled=timedelta(milliseconds=100),
    longest_wait=timedelta(milliseconds=300),
    stuck=timedelta(seconds=20),
)


async def until(condition: Callable[[], bool], *, within: float = 10.0) -> float:
    """Wait for it, and say how long it took."""
    began = monotonic()
    while not condition():
        assert monotonic() - began < within, "this never came true"
        await asyncio.sleep(0.002)
    return monotonic() - began


@asynccontextmanager
async def listening(url: str, *, prefix: str = "hub-test", patience: Patience = IMPATIENT) -> AsyncIterator[Ear]:
    """A bell that is up and listens, stopped afterwards."""
    ear = Ear(url, prefix=prefix, patience=patience)
    try:
        await until(lambda: ear.bell.healthy)
        yield ear
    finally:
        await asyncio.to_thread(ear.bell.stop)


class Ear:
    """A bell, and the destinations it has heard in the order in which they came."""

    def __init__(self, url: str, *, prefix: str, patience: Patience = IMPATIENT) -> None:
        self.heard: list[str] = []
        self.bell = Bell(url, prefix=prefix, patience=patience)
        self.bell.start(asyncio.get_running_loop(), self.heard.append)
