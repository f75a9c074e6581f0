"""Hears a bell or a tick, claims what is due, fair to every destination."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from hub.core.pace import allowance
from hub.councils import Councils, Destination
from hub.dispatch.attempt import Sender
from hub.dispatch.resolver import Resolver
from hub.errors import NotThere, StoreUnavailable
from hub.fuse import UNARMED, CrashPoint, Fuse
from hub.model import ReplaySafety, StepKind
from hub.store import claims, destinations
from hub.store.claims import Claim, Claimed, Terms
from hub.store.store import Store

log = structlog.get_logger()

_CONTENDED = 0.005  #: seconds until another look, where another worker was looking
_GATHER = 0.004  #: seconds that free slots are gathered for one claim while many calls are in flight
_AWAY = 1.0  #: seconds until another look, while the store is away


@dataclass(slots=True)
class _Counter:
    """One destination as this process serves it."""

    name: str
    in_flight: int = 0
    more: bool = False  #: the last claim was cut short: there may be more due
    wanted: bool = False  #: somebody asked for a look since the last one
    serving: asyncio.Task[None] | None = None
    cap: int = 1  #: the most it ever had in flight here
    again: asyncio.TimerHandle | None = None  #: the one look that is planned for later


@dataclass(slots=True, kw_only=True)
class Worker:
    """Claims for every destination and sends what it claimed, up to `slots` at once.

    Everything runs in one event loop. A bell or tick only asks for a look; a
    look that finds nothing is normal.
    """

    id: str
    store: Store
    sender: Sender
    resolver: Resolver
    clock: Callable[[], datetime]
    councils: Callable[[], Councils]
    ids: Callable[[], str]
    slots: int
    lease_margin: timedelta
    tick: timedelta
    fuse: Fuse = UNARMED
    held: dict[str, Claimed] = field(default_factory=dict)  #: by step: what this process holds a lease on
    _counters: dict[str, _Counter] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _closed: dict[str, datetime] = field(default_factory=dict)  #: what the rows say of maintenance windows
    _ahead: timedelta = timedelta(0)  #: how far the database's clock is before this process's own
    _stopping: bool = False

    def ring(self, destination: str) -> None:
        """Somebody says that this destination has work; a name that nobody knows is not remembered. In the loop."""
        if destination in self._counters or self._knows(destination):
            self._look(self._counter(destination))

    async def run(self) -> None:
        """Look at the clock until cancelled: bells may be lost, a tick finds every row."""
        away = False
        while not self._stopping:
            try:
                for destination in await self.store.read(claims.due_destinations):
                    self.ring(destination)
                away = False
            except StoreUnavailable:
                if not away:
                    log.warning("worker.store_away")
                away = True
            except Exception:
                # This loop finds what every bell has missed: whatever happens, it goes on.
                log.exception("worker.tick_failed")
            await asyncio.sleep(self.tick.total_seconds())

    async def stop(self, *, patience: timedelta) -> None:
        """Claim nothing more and let what is in flight finish, and what a claim that was under way still brings."""
        self._stopping = True
        loop = asyncio.get_running_loop()
        until = loop.time() + patience.total_seconds()
        while self._tasks and (left := until - loop.time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        for task in self._tasks:
            task.cancel()

    def _knows(self, destination: str) -> bool:
        try:
            self.councils().destination(destination)
        except NotThere:
            return False
        return True

    def _counter(self, destination: str) -> _Counter:
        return self._counters.setdefault(destination, _Counter(name=destination))

    def _look(self, counter: _Counter) -> None:
        counter.wanted = True
        if counter.serving is None and not self._stopping:
            counter.serving = self._spawn(self._serve(counter))

    async def _serve(self, counter: _Counter) -> None:
        try:
            while counter.wanted and not self._stopping:
                counter.wanted = False
                free = self.slots - len(self.held)
                if free <= 0:
                    counter.more = True
                    return
                claim = await self._claim(counter.name, limit=free)
                self._start(counter, claim)
                if claim.contended:
                    counter.wanted = True
                    await asyncio.sleep(_CONTENDED)
        except StoreUnavailable:
            self._look_later(counter, _AWAY)
        except Exception:
            # A loop that dies in silence strands a council's work; the next tick starts it again.
            log.exception("worker.claim_failed", destination=counter.name)
        finally:
            counter.serving = None

    async def _claim(self, destination: str, *, limit: int) -> Claim:
        now = self.clock() + self._ahead
        try:
            known = self.councils().destination(destination)
        except NotThere:
            return Claim()  # its council's files are gone: held, and said so, until they are back
        opens = known.closed_until(now)
        if opens is not None:
            if self._closed.get(destination) != opens:
                self._closed[destination] = opens
                await self.store.transact(lambda connection: destinations.close_until(connection, destination, opens))
            return Claim(again_after=opens - now)
        terms = self._terms(known)
        claim = await self.store.transact(
            lambda connection: claims.claim(connection, destination, limit=limit, terms=terms)
        )
        if claim.claimed:
            self._ahead = claim.claimed[0].claimed_at - self.clock()
            self.fuse.reach(CrashPoint.AFTER_CLAIM)
        return claim

    def _terms(self, destination: Destination) -> Terms:
        councils = self.councils()
        council = councils.find(destination.council)

        def safety_of(route: str, kind: StepKind) -> ReplaySafety:
            try:
                return council.route(route).safety(kind.value)
            except NotThere:
                return ReplaySafety.UNSAFE

        return Terms(
            worker=self.id,
            lease=destination.limits.timeout + allowance(destination.limits) + self.lease_margin,
            generation=councils.generation,
            safety_of=safety_of,
            ids=self.ids,
        )

    def _start(self, counter: _Counter, claim: Claim) -> None:
        for claimed in claim.claimed:
            self.held[claimed.step] = claimed
            counter.in_flight += 1
            self._spawn(self._send(counter, claimed))
        counter.cap = max(counter.cap, counter.in_flight)
        counter.more = counter.more or claim.full
        if claim.again_after is not None:
            counter.more = False
            self._look_later(counter, claim.again_after.total_seconds())

    async def _send(self, counter: _Counter, claimed: Claimed) -> None:
        try:
            if await (self.resolver.look(claimed) if claimed.looks_only else self.sender.attempt(claimed)):
                self.ring(claimed.destination)
        except Exception:
            # Nothing was written down: the lease runs out and the sweep decides by what the attempt's row says.
            log.exception("attempt.unwritten", delivery=claimed.delivery, attempt=claimed.attempt)
        finally:
            self.held.pop(claimed.step, None)
            counter.in_flight -= 1
            if counter.more:
                self._look_when_it_pays(counter)

    def _look_when_it_pays(self, counter: _Counter) -> None:
        """A claim costs a transaction however few it takes: with many in flight, gather some free slots first."""
        counter.more = False
        if counter.in_flight * 2 <= counter.cap:
            self._look(counter)
        else:
            self._look_later(counter, _GATHER)

    def _look_later(self, counter: _Counter, seconds: float) -> None:
        """Plan a look. There is one plan at a time: a night of ticks must not leave a thousand for the morning."""
        if counter.again is not None:
            counter.again.cancel()
        counter.again = asyncio.get_running_loop().call_later(max(seconds, 0.001), self._look, counter)

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
