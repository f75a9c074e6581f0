"""The store as the rooms see it: read, write a thought, or run a short transaction of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import StoreUnavailable
from hub.store.blobs import Blobs
from hub.store.engine import READERS, open_engines
from hub.store.patience import Closing, Patience, store_is_away
from hub.store.seal import Hasher, Sealer
from hub.store.thoughts import Thought
from hub.store.threads import Threads
from hub.store.writer import Writer

BLOBS: Final = Path("var/blobs")  #: where files are, unless it is said or the database is a file itself
_CLASHED = ("40001", "40P01")  #: a serialisation failure or a deadlock: it changed nothing, so it may run again

T = TypeVar("T")


class Store:
    """Memory. Nothing here blocks the event loop; everything raises StoreUnavailable when nothing can be kept."""

    def __init__(
        self,
        url: str,
        *,
        sealer: Sealer,
        hasher: Hasher,
        patience: Patience | None = None,
        blobs: Path | None = None,
    ) -> None:
        self.url = url
        self.patience = patience or Patience()
        self._closing = Closing()
        self.writing, self.reading = open_engines(url, patience=self.patience, closing=self._closing)
        self.sqlite = self.writing.dialect.name == "sqlite"
        self.sealer = sealer
        self.hasher = hasher
        # By the one key that is never rotated: two hubs that share a folder never sweep up each other's files.
        self.blobs = Blobs((blobs or self._beside()) / hasher.digest("blobs").hex()[:12], sealer)
        self._writer = Writer(self.writing, patience=self.patience)
        # Apart, so that a claim does not wait for the readers of four slow pages.
        self._readers = Threads(most=READERS, name="store-read")
        self._actors = Threads(most=READERS, name="store-act")

    @property
    def batching(self) -> tuple[int, int]:
        """Batches and thoughts written since the start: how well commits are shared."""
        return self._writer.batches, self._writer.thoughts

    async def write(self, thought: Thought) -> Any:
        """Write a thought down, in company where there is some. Durable when this returns, which is within seconds."""
        return await self._writer.write(thought)

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run a short transaction of its own, for rows that others share. `work` may run again after a clash."""
        if self.sqlite:
            return await self._writer.alone(work)  # type: ignore[no-any-return]
        return await self._actors.run(lambda: self._transact_here(work))

    async def read(self, work: Callable[[Connection], T], *, patience: timedelta | None = None) -> T:
        """Read, within `patience`. Whoever reads so much that it takes longer by itself brings more of it."""
        return await self._readers.run(lambda: self._read_here(work), patience=patience or self.patience.read)

    async def prove(self, work: Callable[[Connection], T]) -> None:
        """Transact, and see that the writer's thread turns as well: what it takes to accept a submission."""
        if self.sqlite:
            await self.transact(work)
        else:
            await asyncio.gather(self.transact(work), self._writer.alone(_nothing))

    def transact_now(self, work: Callable[[Connection], T]) -> T:
        """The same without an event loop, for the command line and for start-up."""
        return self._transact_here(work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        return self._read_here(work)

    def hurry(self) -> None:
        """The end is near: from now on whoever asks a database that does not answer waits a few seconds and no more."""
        self._closing.within(self.patience.farewell)

    def close(self) -> None:
        """Write what waits and let go of every connection. Blocks, but not for a database that does not answer."""
        self.hurry()
        self._writer.stop()
        self._readers.close()
        self._actors.close()
        self.blobs.close()
        self.writing.dispose()
        self.reading.dispose()

    def _beside(self) -> Path:
        file = self.writing.url.database if self.sqlite else None
        return Path(file).parent / BLOBS.name if file else BLOBS

    def _read_here(self, work: Callable[[Connection], T]) -> T:
        for last in (False, True):
            try:
                with self.reading.connect() as connection:
                    return work(connection)
            except (DBAPIError, PoolTimeout) as failure:
                if not last and _was_lost(failure):
                    continue
                if store_is_away(failure):
                    raise StoreUnavailable from failure
                raise
        raise StoreUnavailable

    def _transact_here(self, work: Callable[[Connection], T]) -> T:
        for left in (2, 1, 0):
            committing = False
            try:
                with self.writing.connect() as connection, _left_behind_if_away(connection):
                    transaction = connection.begin()
                    found = work(connection)
                    committing = True
                    transaction.commit()
                    return found
            except (DBAPIError, PoolTimeout) as failure:
                # Lost before COMMIT was said, it changed nothing either.
                if left and (_clashed(failure) or (_was_lost(failure) and not committing)):
                    continue
                if store_is_away(failure):
                    raise StoreUnavailable from failure
                raise
        raise StoreUnavailable


@contextmanager
def _left_behind_if_away(connection: Connection) -> Iterator[None]:
    """A connection that cannot keep anything is not used again: the next one may lead to a server that can."""
    try:
        yield
    except DBAPIError as failure:
        if store_is_away(failure):
            connection.invalidate()
        raise


def _nothing(_: Connection) -> None:
    return None


def _clashed(failure: Exception) -> bool:
    return isinstance(failure, DBAPIError) and getattr(failure.orig, "sqlstate", None) in _CLASHED


def _was_lost(failure: Exception) -> bool:
    return isinstance(failure, DBAPIError) and failure.connection_invalidated
