"""A load generator that costs little: prepared requests over kept-alive connections, one latency each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of a load: seconds from first byte to full answer for each, and how long it all took."""

    latencies: Sequence[float]
    statuses: dict[int, int]
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


class _Wire(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._buffer = b""
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, failure: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(failure or ConnectionError("the hub hung up"))

    async def ask(self, request: bytes) -> int:
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


async def send(
    host: str, port: int, requests: Iterator[bytes], *, connections: int, per_second: float | None = None
) -> Sent:
    """Send every request; flat out, or at a steady rate with latencies counted from when each was due."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    started = time.perf_counter()
    due = _due_times(started, per_second)

    async def work() -> None:
        _, wire = await loop.create_connection(_Wire, host, port)
        for request in requests:
            at = due()
            wait = at - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                at = time.perf_counter() if per_second is None else at
            status = await wire.ask(request)
            latencies.append(time.perf_counter() - at)
            statuses[status] = statuses.get(status, 0) + 1
        assert wire.transport is not None
        wire.transport.close()

    await asyncio.gather(*[work() for _ in range(connections)])
    return Sent(latencies=latencies, statuses=statuses, seconds=time.perf_counter() - started)


def _due_times(started: float, per_second: float | None) -> Callable[[], float]:
    if per_second is None:
        return lambda: 0.0
    numbers = iter(range(10**9))
    return lambda: started + next(numbers) / per_second
