"""Whether the hub can accept durably, found out by writing, at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from hub.errors import StoreUnavailable
from hub.store.backlog import probe
from hub.store.store import Store

KEEP = timedelta(seconds=1)
PATIENCE = timedelta(seconds=3)


class Readiness:
    """Answers from memory within a second of the last write: a watcher must not become a load."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._until = float("-inf")
        self._failure: StoreUnavailable | None = None
        self._one = asyncio.Lock()
        self._leaving = False

    def leave(self) -> None:
        """From now on this process is not ready: it is about to close its doors, and whoever watches may know first."""
        self._leaving = True

    async def check(self) -> None:
        """Raises StoreUnavailable while nothing can be kept, also when the store takes too long to say."""
        if self._leaving:
            raise StoreUnavailable("The hub is stopping; another process takes what comes now.")
        async with self._one:
            if self._monotonic() >= self._until:
                self._failure = await self._probe()
                self._until = self._monotonic() + KEEP.total_seconds()
        if self._failure is not None:
            raise StoreUnavailable(str(self._failure))

    async def _probe(self) -> StoreUnavailable | None:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await self._store.prove(probe)
        except TimeoutError:
            return StoreUnavailable(f"The store did not answer within {PATIENCE.seconds} s; look at the database.")
        except StoreUnavailable as failure:
            return failure
        return None
