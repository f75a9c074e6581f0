"""The job of bulk operations: makes their lists and lets their items go, in steps that may be cut off anywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from hub.bulk import Bulk
from hub.core.bulk import TURN, OperationState
from hub.errors import StoreUnavailable
from hub.fuse import CrashPoint
from hub.store import bulk, bulk_run
from hub.store.bulk_items import Safety
from hub.store.store import Store

log = structlog.get_logger()

NAME: Final = "bulk"
EVERY: Final = TURN
HOLD: Final = timedelta(seconds=2)  #: the job is kept for so long at most, then any worker may have it
LEASE: Final = timedelta(seconds=6)  #: until another takes it from a worker that is gone
_STAGES: Final = 20  #: of a list, before another list has its turn


def _nothing(point: CrashPoint) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """Run by one worker at a time. Two at once would do no harm: whoever changes an operation locks it."""

    store: Store
    verbs: Bulk
    safety_of: Safety
    ring: Callable[[str], None]
    fuse: Callable[[CrashPoint], None] = _nothing  #: told between two transactions

    async def wanted(self) -> bool:
        """Whether there is anything to do. A cheap look, for most of the time there is not."""
        return bool(await self.store.read(bulk.to_do))

    async def run(self) -> None:
        """Turn after turn, while there is something to do and the job is ours."""
        until = time.monotonic() + HOLD.total_seconds()
        making = asyncio.get_running_loop().create_task(self.make_lists())
        try:
            while await self.release() or not making.done():
                if making.done() and time.monotonic() >= until:
                    break
                # One that runs does not wait for one that is being made: its rate is counted in these turns.
                await asyncio.sleep(TURN.total_seconds())
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def turn(self) -> bool:
        """Bring every operation on by as much as may happen now. False when there is none to bring on."""
        return (await self.release()) + (await self.make_lists()) > 0

    async def make_lists(self) -> int:
        """A part of every list that is being made; how many there are."""
        found = [one for one, state in await self.store.read(bulk.to_do) if state in _MAKING]
        for operation in found:
            await self._whatever_happens(operation, self._mark(operation))
        return len(found)

    async def release(self) -> int:
        """The next items of every operation that runs, or is followed to its end; how many there are."""
        found = [(one, state) for one, state in await self.store.read(bulk.to_do) if state not in _MAKING]
        for operation, state in found:
            await self._whatever_happens(operation, self._advance(operation, state))
        return len(found)

    async def _whatever_happens(self, operation: str, work: Awaitable[None]) -> None:
        """One operation that cannot go on must not keep the others."""
        try:
            await work
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("operation.failed", operation=operation)

    async def _mark(self, operation: str) -> None:
        for _ in range(_STAGES):
            whole = await self.store.transact(lambda connection: bulk.mark(connection, operation))
            self.fuse(CrashPoint.MID_OPERATION)
            if whole:
                await self.verbs.finish(operation)
                log.info("operation.ready", operation=operation)
                return

    async def _advance(self, operation: str, before: OperationState) -> None:
        until = time.monotonic() + TURN.total_seconds()
        while True:
            done = await self.store.transact(
                lambda connection: bulk_run.advance(connection, operation, safety_of=self.safety_of)
            )
            self.fuse(CrashPoint.MID_OPERATION)
            for destination in done.destinations:
                self.ring(destination)
            if not done.more or time.monotonic() >= until:
                break
        if done.state is not before:
            log.info("operation.stopped", operation=operation, state=done.state.value)


_MAKING: Final = (OperationState.DRAFT, OperationState.MARKING)
