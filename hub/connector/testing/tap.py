"""Sits between a connector and a back office, and keeps every byte that the connector sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One HTTP request as it stood on the wire. Header names keep the case they were sent in."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Tap:
    """An address to call instead of the back office's own; `raw` is what came in on each connection."""

    url: str = ""
    raw: list[bytearray] = field(default_factory=list)

    def sent(self) -> list[Sent]:
        """Every request so far, by connection. Only for bodies of a known length, as our seams send them."""
        return [request for stream in self.raw for request in _requests(bytes(stream))]


@contextlib.asynccontextmanager
async def tapped(url: str) -> AsyncIterator[Tap]:
    """Relay to `url` for as long as the block runs."""
    tap, there, relays = Tap(), urlsplit(url), set[asyncio.Task[None]]()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = asyncio.current_task()
        if here is not None:
            relays.add(here)
        kept = bytearray()
        tap.raw.append(kept)
        back, forth = await asyncio.open_connection(there.hostname, there.port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(back, writer))
                both.create_task(_pump(reader, forth, kept=kept))
        finally:
            for line in (forth, writer):
                line.close()
                with contextlib.suppress(ConnectionError):
                    await line.wait_closed()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    tap.url = f"http://{host}:{port}"
    try:
        yield tap
    finally:
        server.close()
        await asyncio.gather(*relays, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, kept: bytearray | None = None) -> None:
    """Pass bytes on until one side ends, and then end the other."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            if kept is not None:
                kept += data
            writer.write(data)
            await writer.drain()
    writer.close()


def _requests(stream: bytes) -> list[Sent]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        method, target, _ = first.split(" ", 2)
        length = int(next((v for name, v in headers.items() if name.lower() == "content-length"), "0"))
        found.append(Sent(method=method, target=target, headers=headers, body=rest[:length]))
        stream = rest[length:]
    return found
