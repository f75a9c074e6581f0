"""Callers that keep to a rate, and an office that writes down when each call came; each a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub.connector import Delivery, Http
from hub.dispatch import pace
from hub.dispatch.pace import Pacer
from hub.store.store import Store
from tests.peers import a_delivery
from tests.stores import HASHER, SEALER

ROOT = Path(__file__).parent.parent
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def busiest_second(arrivals: list[float]) -> int:
    """The most arrivals that any second saw, its ends included."""
    return max((sum(1 for each in arrivals if start <= each <= start + 1.0) for start in arrivals), default=0)


@dataclass
class Office(asyncio.Protocol):
    """Answers everything, and notes by path when it came."""

    arrivals: dict[str, list[float]] = field(default_factory=dict)
    transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if b" HTTP/1.1\r\n" in data:
            self.arrivals.setdefault(data.split(b" ", 2)[1].decode(), []).append(time.monotonic())
            self.transport.write(ANSWER)


async def office() -> None:
    """Serve until standard input ends, then say what came."""
    with suppress(PermissionError):
        os.nice(-10)  # a machine that is busy with other tests must not bring the calls together
    arrivals: dict[str, list[float]] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Office(arrivals), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(arrivals), flush=True)


@dataclass(frozen=True)
class Rated:
    """A destination as far as a pacer knows it."""

    id: str
    per_second: float | None

    @property
    def limits(self) -> Rated:
        return self


async def call(http: Http, url: str, *, write: bool) -> None:
    if write:
        delivery: Delivery = a_delivery()
        await http.write(delivery, "POST", url, json={"a": 1})
    else:
        await http.read("GET", url)


async def press(
    store: Store, url: str, rates: dict[str, float | None], *, seconds: float, at_once: int = 4, bulk: str | None = None
) -> None:
    """Call each destination as fast as it may be called, reads and writes in turn."""
    pacer = Pacer(store=store)
    pace.operation.set(bulk)
    https = {
        name: Http(timeout=timedelta(seconds=30), pace=pacer.of(Rated(name, rate))) for name, rate in rates.items()
    }

    async def caller(name: str, number: int) -> None:
        turn = number
        while True:
            turn += 1
            await call(https[name], f"{url}/{name}", write=bulk is not None or bool(turn % 2))

    tasks = [asyncio.create_task(caller(name, number)) for name in rates for number in range(at_once)]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for http in https.values():
        await http.close()
    for each in ended:
        if not isinstance(each, asyncio.CancelledError):
            raise AssertionError(f"a caller ended: {each!r}")


async def worker(given: dict[str, Any]) -> None:
    store = Store(given["database"], sealer=SEALER, hasher=HASHER)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    with suppress(asyncio.CancelledError):
        await press(store, given["url"], given["rates"], seconds=given["seconds"], bulk=given.get("bulk"))
    store.close()


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.paced", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def heard(office: subprocess.Popen[str]) -> dict[str, list[float]]:
    """End the office; when each call came, by destination."""
    assert office.stdin is not None
    office.stdin.close()
    return {path[1:]: sorted(times) for path, times in json.loads(line(office)).items()}


if __name__ == "__main__":
    asyncio.run(office() if sys.argv[1] == "office" else worker(json.loads(sys.argv[2])))
