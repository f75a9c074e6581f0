"""A TCP proxy that refuses, stalls, cuts or loses what passes through it: the network on a bad day."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext


@dataclass(eq=False)
class _Way:
    """One direction of one connection."""

    up: bool  #: towards the server
    writer: asyncio.StreamWriter
    lost: bool = False


@dataclass(eq=False)
class Trap:
    """Springs once, when these bytes pass towards the server; every connection is reset then."""

    word: bytes
    forward: bool  #: whether the server still gets them
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Stands before a server at `port`; runs in the loop that started it. With `tls` it speaks TLS to whoever comes."""

    def __init__(self, host: str, port: int, *, tls: SSLContext | None = None) -> None:
        self._upstream = (host, port)
        self._tls = tls
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._ways: set[_Way] = set()
        self._listening: asyncio.Server | None = None
        self._trap: Trap | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.taken = 0  #: connections that came
        self.flow()

    def stall(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing through, and tell nobody: every connection is half open, new ones too.

        With one direction alone, the server hears nothing (`up`) or is not heard (`down`).
        """
        for way, stalled in ((self._up, up), (self._down, down)):
            if stalled:
                way.clear()

    def flow(self) -> None:
        """Let everything through again, what was held back first."""
        self._up.set()
        self._down.set()

    def lose(self) -> None:
        """Forget the connections there are: both ends hold them for good and hear nothing more. New ones are well."""
        for way in self._ways:
            way.lost = True

    def cut(self) -> None:
        """Reset every connection."""
        for way in self._ways:
            way.writer.transport.abort()

    def cut_at(self, word: bytes, *, forward: bool) -> Trap:
        """Reset every connection when `word` next passes to the server; with `forward` the server gets it first."""
        self._trap = Trap(word, forward)
        return self._trap

    async def listen(self) -> None:
        """Take connections, at the same port as before if there was one."""
        self._listening = await asyncio.start_server(self._take, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._listening.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Take no connection, and reset those there are: the server is down. `listen` brings it back."""
        if self._listening is not None:
            self._listening.close()
        self._listening = None
        self.cut()

    async def end(self) -> None:
        """Be gone, with all connections."""
        self.flow()
        self.refuse()
        await asyncio.sleep(0.01)  # the pumps see that their connections are gone
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        self.taken += 1
        with suppress(OSError, asyncio.CancelledError):  # cancelled by `end` alone
            onward_reader, onward_writer = await asyncio.open_connection(*self._upstream)
            there, back = _Way(True, onward_writer), _Way(False, writer)
            self._ways |= {there, back}
            await asyncio.gather(self._pump(reader, there), self._pump(onward_reader, back))
            self._ways -= {there, back}

    async def _pump(self, reader: asyncio.StreamReader, way: _Way) -> None:
        flowing = self._up if way.up else self._down
        with suppress(OSError):
            while data := await reader.read(65536):
                await flowing.wait()
                if way.lost:
                    continue
                if way.up and self._springs(data):
                    await self._spring(data, way)
                    return
                way.writer.write(data)
                await way.writer.drain()
        if way.lost:
            await asyncio.Event().wait()  # nobody is told that the other end has left
        way.writer.close()

    def _springs(self, data: bytes) -> bool:
        return self._trap is not None and self._trap.word in data

    async def _spring(self, data: bytes, way: _Way) -> None:
        trap, self._trap = self._trap, None
        assert trap is not None
        if trap.forward:
            self.stall(up=False)
            way.writer.write(data)
            await way.writer.drain()
            await asyncio.sleep(0.2)  # the server does as it is told
        self.cut()
        self.flow()
        trap.sprung.set()


@asynccontextmanager
async def proxy(host: str, port: int, *, tls: SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A proxy on a free port, gone afterwards with all its connections."""
    it = Proxy(host, port, tls=tls)
    await it.listen()
    try:
        yield it
    finally:
        await it.end()


class Network:
    """A proxy for tests without a loop: it turns in a thread of its own."""

    def __init__(self, proxy: Proxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy = proxy
        self._loop = loop
        self.port = proxy.port

    def stall(self, *, up: bool = True, down: bool = True) -> None:
        self._there(lambda: self._proxy.stall(up=up, down=down))

    def flow(self) -> None:
        self._there(self._proxy.flow)

    def lose(self) -> None:
        self._there(self._proxy.lose)

    def cut(self) -> None:
        self._there(self._proxy.cut)

    def refuse(self) -> None:
        self._there(self._proxy.refuse)

    def listen(self) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.listen(), self._loop).result(10)

    def _there(self, act: Callable[[], None]) -> None:
        async def acted() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acted(), self._loop).result(10)


@contextmanager
def network(host: str, port: int) -> Iterator[Network]:
    """A proxy on a free port, for processes to go through while a test breaks it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="network", daemon=True)
    thread.start()
    it = Proxy(host, port)
    asyncio.run_coroutine_threadsafe(it.listen(), loop).result(10)
    try:
        yield Network(it, loop)
    finally:
        asyncio.run_coroutine_threadsafe(it.end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
