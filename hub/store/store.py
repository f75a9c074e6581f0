"""The store as the rooms see it: read, write a thought, or run a short transaction of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import StoreUnavailable
from hub.store.engine import READERS, open_engines
from hub.store.seal import Hasher, Sealer
from hub.store.thoughts import Thought
from hub.store.writer import Writer

T = TypeVar("T")


class Store:
    """Memory. Nothing here blocks the event loop; everything raises StoreUnavailable when nothing can be kept."""

    def __init__(self, url: str, *, sealer: Sealer, hasher: Hasher) -> None:
        self.url = url
        self.writing, self.reading = open_engines(url)
        self.sqlite = self.writing.dialect.name == "sqlite"
        self.sealer = sealer
        self.hasher = hasher
        self._writer = Writer(self.writing)
        self._threads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="store-read")

    @property
    def batching(self) -> tuple[int, int]:
        """Batches and thoughts written since the start: how well commits are shared."""
        return self._writer.batches, self._writer.thoughts

    async def write(self, thought: Thought) -> Any:
        """Write a thought down, in company where there is some. Durable when this returns."""
        return await self._writer.write(thought)

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run a short transaction of its own, for rows that others share. `work` may run again after a clash."""
        if self.sqlite:
            return await self._writer.alone(work)  # type: ignore[no-any-return]
        return await self._in_thread(self._transact_here, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._in_thread(self._read_here, work)

    def transact_now(self, work: Callable[[Connection], T]) -> T:
        """The same without an event loop, for the command line and for start-up."""
        return self._transact_here(work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        return self._read_here(work)

    def close(self) -> None:
        """Write what waits and let go of every connection. Blocks."""
        self._writer.stop()
        self._threads.shutdown(wait=True)
        self.writing.dispose()
        self.reading.dispose()

    async def _in_thread(self, run: Callable[..., T], work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, work)

    def _read_here(self, work: Callable[[Connection], T]) -> T:
        try:
            with self.reading.connect() as connection:
                return work(connection)
        except (OperationalError, PoolTimeout) as failure:
            raise StoreUnavailable from failure

    def _transact_here(self, work: Callable[[Connection], T]) -> T:
        for left in (2, 1, 0):
            try:
                with self.writing.begin() as connection:
                    return work(connection)
            except PoolTimeout as failure:
                raise StoreUnavailable from failure
            except DBAPIError as failure:
                if left and getattr(failure.orig, "sqlstate", None) in ("40001", "40P01"):
                    continue  # a serialisation failure or a deadlock: it changed nothing, so it may run again
                if isinstance(failure, OperationalError) or failure.connection_invalidated:
                    raise StoreUnavailable from failure
                raise
        raise StoreUnavailable
