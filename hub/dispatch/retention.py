"""Forgets on time, a little at once, beside everything else that goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import structlog

from hub.core.retention import Keep
from hub.dispatch.orphans import Orphans
from hub.errors import Conflict
from hub.fuse import UNARMED, CrashPoint
from hub.store import attachments, retention
from hub.store.retention import BATCH, Batch, Forgotten, Run, Stage
from hub.store.store import Store

log = structlog.get_logger()

_TURNS = 100  #: waits for another run's batch before this one gives way
_TURN = 0.05
_MOST = 1_000_000  #: files that a dry run counts


class AnotherRuns(Conflict):
    """Another process is forgetting right now; it does the same, so nothing is left to do here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Runs through everything that may be forgotten by now. Any number of runs may meet: each batch is one's own."""

    store: Store
    keep: Keep
    reach: Callable[[CrashPoint], None] = UNARMED.reach

    async def run(self, *, dry: bool = False) -> Forgotten:
        """Forget what is due, or with `dry` only say how much that is. Raises AnotherRuns."""
        run = await self.store.read(
            lambda connection: retention.begin(connection, keep=self.keep, dry=dry, between=self._between)
        )
        total = Forgotten()
        for stage in Stage:
            total += await self._stage(stage, run)
        total += await self._files(run)
        if not dry:
            await Orphans(store=self.store).sweep(run)
            if total != Forgotten():
                log.info("retention.forgot", **asdict(total))
        return total

    async def _files(self, run: Run) -> Forgotten:
        """The bytes first and then their rows: whoever dies between the two leaves a row, and the next run both."""
        if run.dry:
            most = lambda connection: len(attachments.gone(connection, now=run.now, limit=_MOST))  # noqa: E731
            return Forgotten(files=await self.store.read(most))
        count = 0
        while True:
            found = await self.store.transact(lambda c: attachments.gone(c, now=run.now, limit=BATCH))
            if not found:
                return Forgotten(files=count)
            await self.store.blobs.remove([row.blob for row in found if row.blob is not None])
            self._between()
            gone = [row.id for row in found]
            count += await self.store.transact(lambda c, gone=gone: attachments.remove(c, gone))  # type: ignore[misc]

    async def _stage(self, stage: Stage, run: Run) -> Forgotten:
        total, after = Forgotten(), run.start_of(stage)
        while after is not None:
            began = time.monotonic()
            done = await self._batch(stage, after, run)
            total, after = total + done.forgotten, done.after
            # As long as it worked it rests, so that what residents and councils wait for has its turn.
            await asyncio.sleep(0 if run.dry else time.monotonic() - began)
        return total

    async def _batch(self, stage: Stage, after: object, run: Run) -> Batch:
        ask = self.store.read if run.dry else self.store.transact
        for _ in range(_TURNS):
            done = await ask(lambda connection: retention.batch(connection, stage, after, run=run))
            if done is not None:
                return done
            await asyncio.sleep(_TURN)
        raise AnotherRuns

    def _between(self) -> None:
        self.reach(CrashPoint.MID_RETENTION)
