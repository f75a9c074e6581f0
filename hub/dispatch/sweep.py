"""The jobs of the middle room: heartbeats, lost leases, the order of events, paused destinations, forgetting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from hub.councils import Councils
from hub.dispatch import bulk
from hub.dispatch.bulk import BulkJob
from hub.dispatch.doubt import Doubts
from hub.dispatch.retention import AnotherRuns, Retention
from hub.dispatch.worker import Worker
from hub.errors import NotThere, StoreUnavailable
from hub.store import breakers, destinations, jobs, leases, retention, sequencer, workers
from hub.store.store import Store

log = structlog.get_logger()

SEQUENCE_EVERY = timedelta(milliseconds=200)
LEASES = "leases"
PROBES = "probes"
EVERY = {
    LEASES: timedelta(seconds=2),
    PROBES: timedelta(seconds=15),
    bulk.NAME: bulk.EVERY,
    retention.NAME: timedelta(hours=1),
    sequencer.NAME: SEQUENCE_EVERY,
}
_LEASE = timedelta(minutes=2)
_AWAY = 1.0  #: seconds between tries while the store is away
_SETTLE = timedelta(minutes=1)  #: for a destination that the council files have no more
_LONG_SILENT = timedelta(days=1)
_ASK_TO_FORGET = timedelta(minutes=1)  #: how often a worker asks whether the hour is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs the jobs of a worker process. Each loop goes on whatever happens; a job runs once over all workers."""

    store: Store
    worker: Worker
    doubts: Doubts
    bulk: BulkJob
    retention: Retention
    councils: Callable[[], Councils]
    host: str
    role: str
    version: str
    silence: timedelta  #: a worker not heard of for so long may be gone
    sole: bool  #: no other process can hold a lease (SQLite)

    async def start(self) -> None:
        """Sign on, and take back what a dead predecessor held."""
        await self.store.transact(lambda connection: jobs.ensure(connection, EVERY))
        await self._sign_on()
        if self.sole:
            while (await self._recover(sole=True)) > 0:
                continue

    async def run(self) -> None:
        beat = min(max(self.silence / 5, timedelta(milliseconds=500)), timedelta(seconds=5))
        await asyncio.gather(
            self._loop("heartbeat", beat, self._beat),
            self._loop("sequencer", SEQUENCE_EVERY, self._sequence),
            self._loop(LEASES, EVERY[LEASES], lambda: self._as_job(LEASES, self._sweep_leases)),
            self._loop(PROBES, EVERY[PROBES], lambda: self._as_job(PROBES, self._probe)),
            self._loop(bulk.NAME, bulk.EVERY, self._move_many),
            self._loop(retention.NAME, _ASK_TO_FORGET, lambda: self._as_job(retention.NAME, self._forget)),
        )

    async def stop(self) -> None:
        try:
            await self.store.transact(lambda connection: workers.leave(connection, self.worker.id))
        except StoreUnavailable:
            log.warning("worker.left_without_word", worker=self.worker.id)

    async def _loop(self, name: str, every: timedelta, work: Callable[[], Awaitable[object]]) -> None:
        away = False  # said once for each outage, not five times a second
        while True:
            try:
                await work()
                if away:
                    log.info("job.store_back", job=name)
                away = False
            except StoreUnavailable:
                if not away:
                    log.warning("job.store_away", job=name)
                away = True
            except Exception:
                log.exception("job.failed", job=name)
            await asyncio.sleep(max(every.total_seconds(), _AWAY if away else 0))

    async def _as_job(self, name: str, work: Callable[[], Awaitable[object]], *, lease: timedelta = _LEASE) -> None:
        me = self.worker.id
        mine = await self.store.transact(
            lambda connection: jobs.take(
                connection, name, worker=me, every=EVERY[name], lease=lease, silence=self.silence
            )
        )
        if not mine:
            return
        error: str | None = None
        try:
            await work()
        except Exception as failure:
            error = type(failure).__name__
            raise
        finally:
            told = error
            await self.store.transact(lambda connection: jobs.finish(connection, name, worker=me, error=told))

    async def _sign_on(self) -> None:
        await self.store.transact(
            lambda connection: workers.start(
                connection, self.worker.id, role=self.role, host=self.host, version=self.version
            )
        )

    async def _beat(self) -> None:
        if not await self.store.transact(lambda connection: workers.beat(connection, self.worker.id)):
            await self._sign_on()

    async def _sequence(self) -> None:
        while await self.store.transact(sequencer.sequence) >= sequencer.BATCH:
            continue

    async def _sweep_leases(self) -> None:
        await self._recover(sole=False)
        await self.store.transact(lambda connection: workers.bury(connection, silence=_LONG_SILENT))

    async def _recover(self, *, sole: bool) -> int:
        held = frozenset(self.worker.held)
        found = await self.store.transact(
            lambda connection: leases.recover(
                connection, mine=self.worker.id, held=held, silence=self.silence, settle_of=self._settle, sole=sole
            )
        )
        if found.queued or found.unclear or found.delivered:
            log.warning("leases.recovered", queued=found.queued, unclear=found.unclear, delivered=found.delivered)
        for destination in found.destinations:
            self.worker.ring(destination)
        return found.queued + found.unclear + found.delivered

    def _settle(self, destination: str) -> timedelta:
        try:
            known = self.councils().destination(destination)
        except NotThere:
            return _SETTLE
        operations = known.connector_class.operations
        return max((known.settles_in(name) for name in operations), default=_SETTLE)

    async def _move_many(self) -> None:
        if await self.bulk.wanted():
            await self._as_job(bulk.NAME, self.bulk.run, lease=bulk.LEASE)

    async def _forget(self) -> None:
        with suppress(AnotherRuns):
            await self.retention.run()

    async def _probe(self) -> None:
        await self.store.transact(breakers.tidy)
        # At once, not in turn: one that hangs must not keep the others waiting for an hour.
        await asyncio.gather(*map(self._probe_one, await self.store.transact(destinations.to_probe)))

    async def _probe_one(self, name: str) -> None:
        try:
            destination = self.councils().destination(name)
        except NotThere:
            return
        if await self.doubts.probe(destination):
            self.worker.ring(name)
