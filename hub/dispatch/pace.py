"""Every call in its turn: no destination, and no bulk operation, goes faster than it may, over all workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub.councils import Destination
from hub.errors import STORE_AWAY, StoreUnavailable, Unavailable
from hub.store import slots
from hub.store.slots import Slot
from hub.store.store import Store

#: The bulk operation that the step in hand belongs to; its writes keep to that operation's rate as well.
operation: ContextVar[str | None] = ContextVar("operation", default=None)

#: Seconds after which a slot is missed: what leaves later would crowd those behind it.
LATE: Final = 0.040
_EARLY: Final = 0.0005  #: timers are no finer
_MOST_LEAD: Final = 0.5
_BREATH: Final = 0.005
_DRIFT: Final = 1e-3  #: seconds in a second by which two clocks may part
_CLOCK_SET: Final = 1.0


@dataclass(slots=True)
class Clock:
    """The database's clock as this process's monotonic time.

    What a reservation says of the clock is late by its way back to us; the
    quickest of many ways back is nearest the truth.
    """

    _offset: float | None = None
    _heard: float = 0.0

    def hear(self, said: datetime, at: float) -> None:
        """The database's clock said this when the answer was here at `at`."""
        offset = at - said.timestamp()
        known = self._offset
        if known is not None:
            known += (at - self._heard) * _DRIFT
        if known is None or offset < known or offset > known + _CLOCK_SET:
            known = offset
        self._offset, self._heard = known, at

    def monotonic(self, instant: datetime) -> float:
        assert self._offset is not None
        return instant.timestamp() + self._offset


@dataclass(slots=True, kw_only=True)
class Pacer:
    """Reserves slots in the store, each in a short transaction of its own. One for each process."""

    store: Store
    _clock: Clock = field(default_factory=Clock)

    def of(self, destination: Destination) -> _Pace:
        """What gives the turns of one destination to its seam."""
        return _Pace(pacer=self, destination=destination.id, per_second=destination.limits.per_second)

    async def destination(self, name: str, *, per_second: float, after: float) -> float:
        """The monotonic time of the destination's next slot. Raises Unavailable when the store is away."""
        reserved = await self._reserve(
            lambda connection: slots.reserve(connection, name, per_second=per_second, after=timedelta(seconds=after))
        )
        assert reserved is not None
        return reserved

    async def bulk(self, name: str, *, after: float) -> float | None:
        """The same of a bulk operation; None where it has no rate."""
        return await self._reserve(
            lambda connection: slots.reserve_bulk(connection, name, after=timedelta(seconds=after))
        )

    async def _reserve(self, reserve: Callable[[Connection], Slot | None]) -> float | None:
        def work(connection: Connection) -> tuple[Slot | None, float]:
            return reserve(connection), time.monotonic()

        try:
            slot, at = await self.store.transact(work)
        except StoreUnavailable:
            raise Unavailable(
                "No turn can be had while the hub's store is away; nothing has left.", code=STORE_AWAY
            ) from None
        if slot is None:
            return None
        self._clock.hear(slot.now, at)
        return self._clock.monotonic(slot.at.astimezone(UTC))


@dataclass(slots=True, kw_only=True)
class _Pace:
    """The turns of one destination, in this process."""

    pacer: Pacer
    destination: str
    per_second: float | None
    lead: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})

    def turn(self, *, write: bool) -> _Turn | None:
        bulk = operation.get() if write else None
        if self.per_second is None and bulk is None:
            return None
        return _Turn(pace=self, write=write, bulk=bulk)

    def took(self, seconds: float, *, write: bool) -> None:
        """So long it took from coming to leaving (the mark of a write, a new connection): come earlier by as much."""
        self.lead[write] = min((self.lead[write] + seconds) / 2, _MOST_LEAD)


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One call's slots: the destination's, and its bulk operation's. It leaves within 40 ms of both."""

    pace: _Pace
    write: bool
    bulk: str | None
    _bulk_at: float | None = None
    _at: float | None = None
    _came: float | None = None
    _misses: int = 0

    async def come(self) -> None:
        await self._settle(early=self.pace.lead[self.write])
        self._came = time.monotonic()

    async def leave(self) -> None:
        if self._came is not None:
            self.pace.took(time.monotonic() - self._came, write=self.write)
            self._came = None
        await self._settle(early=0.0)
        # aiohttp may send a read again by itself when its connection drops: that is another call.
        self._at = self._bulk_at = None
        self._misses = 0

    async def _settle(self, *, early: float) -> None:
        """Wait until it is time, but for `early`; slots that were missed are reserved anew."""
        while True:
            if self.bulk is not None and self._missed(self._bulk_at):
                self._misses += self._bulk_at is not None and self.pace.per_second is None
                self._bulk_at = await self.pace.pacer.bulk(self.bulk, after=self._ahead())
                self.bulk = self.bulk if self._bulk_at is not None else None
            if self.pace.per_second is not None and self._missed(self._at):
                self._misses += self._at is not None
                self._at = None
                # The operation's slot may be far off: the destination's is only taken when it is near.
                await _until(self._bulk_at, early)
                self._at = await self.pace.pacer.destination(
                    self.pace.destination, per_second=self.pace.per_second, after=self._ahead()
                )
                continue
            target = self._target()
            if target is None or target - time.monotonic() <= early + _EARLY:
                return
            await _until(target, early)

    def _target(self) -> float | None:
        return max((at for at in (self._at, self._bulk_at) if at is not None), default=None)

    def _ahead(self) -> float:
        """From when on a slot is of use: a process that is too busy to keep to its slots asks for later ones."""
        breath = min(_BREATH * (1 << self._misses), _MOST_LEAD) if self._misses else 0.0
        return max(breath, (self._target() or 0.0) - time.monotonic())

    def _missed(self, at: float | None) -> bool:
        """Whether there is no slot yet, or it will be too late for it when the call can leave."""
        return at is None or max(self._target() or 0.0, time.monotonic()) - at > LATE


async def _until(at: float | None, early: float) -> None:
    if at is not None and (left := at - early - time.monotonic()) > 0:
        await asyncio.sleep(left)
