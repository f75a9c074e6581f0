"""Wires that can be cut: TCP lines to the servers, in a process of its own: `python -m hub.gameday.wire`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import cast

HOST = "127.0.0.1"


class End(asyncio.Protocol):
    """One end of a connection that is passed on; what it hears goes out at the other."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._early: list[bytes] = []  #: heard before the other end was there
        self.other: End | None = None
        self.frozen = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not derived from asyncio's
        self._wire.ends.add(self)
        if self.other is None:
            self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        end = End(self._wire)
        end.other = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: end, *self._wire.upstream)
        except OSError:
            self.cut()
            return
        self.other = end
        for data in self._early:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        elif self.other._transport is not None:
            self.other._transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other._transport is not None and not self.other.frozen:
            self.other._transport.resume_reading()

    def connection_lost(self, failure: Exception | None) -> None:
        self._wire.ends.discard(self)
        if self.other is not None and self.other._transport is not None and not self.frozen:
            self.other._transport.close()

    def freeze(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self.frozen = True
        if self._transport is not None:
            self._transport.pause_reading()

    def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Wire:
    """A port that stands before a server."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.ends: set[End] = set()
        self.port = 0
        self.taken = 0  #: connections that came, ever
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take connections, at the same port as before. Safe to call twice."""
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(
                self._take, HOST, self.port, backlog=256, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse what comes and cut what is there, as a server does that was killed."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.cut()

    async def cut(self) -> None:
        for end in list(self.ends):
            end.cut()

    async def freeze(self) -> None:
        """Every connection of now is half open for ever; new ones are well."""
        for end in list(self.ends):
            end.freeze()

    def _take(self) -> End:
        self.taken += 1
        return End(self)


async def serve(upstreams: dict[str, tuple[str, int]], *, say: Callable[[object], None]) -> None:
    """Obey `NAME VERB` from standard input until it ends; answers each with how many connections came so far."""
    wires = {name: Wire(upstream) for name, upstream in upstreams.items()}
    for wire in wires.values():
        await wire.start()
    say({name: wire.port for name, wire in wires.items()})
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        name, verb = line
        wire = wires[name]
        match verb:
            case "start":
                await wire.start()
            case "stop":
                await wire.stop()
            case "cut":
                await wire.cut()
            case "freeze":
                await wire.freeze()
            case _:
                pass
        say({"taken": wire.taken, "open": len(wire.ends) // 2})
    for wire in wires.values():
        await wire.stop()


def _say(told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    upstreams = {name: (host, port) for name, (host, port) in json.loads(sys.argv[1]).items()}
    try:
        import uvloop
    except ImportError:
        runner = asyncio.Runner()
    else:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with suppress(KeyboardInterrupt), runner:
        runner.run(serve(upstreams, say=_say))


if __name__ == "__main__":
    main()
