"""Feels the pulse of every destination: evidence is counted here, and only what changes is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from hub.core.breaker import Circuit, Evidence, Window
from hub.errors import StoreUnavailable
from hub.store import breakers
from hub.store.breakers import CREATE, Change
from hub.store.store import Store

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Pulse:
    """What this process heard of each operation of each destination; opens and closes their breakers."""

    store: Store
    dice: Callable[[], float]
    clock: Callable[[], float] = time.monotonic
    _windows: dict[tuple[str, str], Window] = field(default_factory=dict)

    async def heard(
        self,
        destination: str,
        call: str | None,
        evidence: Evidence,
        *,
        asked: timedelta | None = None,
        probe: str | None = None,
        on: bool = True,
    ) -> bool:
        """Count one result. Writes only when a breaker opens or closes, or a probe ends; never raises.

        `asked` is the system's own Retry-After, `probe` the step if it was let
        through as one, and `on` False where council.yaml has `breaker: off`.
        True when there may be something new to claim.
        """
        name = call or CREATE
        if probe is not None:
            return await self._probed(destination, name, evidence, step=probe, asked=asked)
        if asked is not None and evidence is Evidence.SICK:
            await self._asked(destination, name, asked, on=on)
        elif on and evidence is not Evidence.NEUTRAL and self._window(destination, name).add(self.clock(), evidence):
            await self._tripped(destination, name)
        return False

    def _window(self, destination: str, call: str) -> Window:
        known = self._windows.get((destination, call))
        if known is None:
            known = self._windows[(destination, call)] = Window()
        return known

    async def _tripped(self, destination: str, call: str) -> None:
        # What has been judged is not counted again: neither when another process was first, nor once it is closed.
        self._window(destination, call).clear()
        dice = self.dice()
        circuit = await self._write(
            destination, lambda connection: breakers.trip(connection, destination, call, dice=dice)
        )
        self._say_opened(destination, call, circuit)

    async def _asked(self, destination: str, call: str, wait: timedelta, *, on: bool) -> None:
        circuit = await self._write(
            destination,
            lambda connection: breakers.ask_to_wait(connection, destination, call, wait=wait, probes=on),
        )
        self._say_opened(destination, call, circuit)

    async def _probed(
        self, destination: str, call: str, evidence: Evidence, *, step: str, asked: timedelta | None
    ) -> bool:
        dice = self.dice()
        well = None if evidence is Evidence.NEUTRAL else evidence is Evidence.WELL
        change = await self._write(
            destination,
            lambda connection: breakers.probe_ended(
                connection, destination, call, step=step, well=well, dice=dice, asked=asked
            ),
        )
        if change is Change.CLOSED:
            self._window(destination, call).clear()
            log.info("breaker.closed", destination=destination, operation=call)
        if change is Change.OPENED:
            log.warning("breaker.opened", destination=destination, operation=call, probe=step)
        return change in (Change.CLOSED, Change.FREED)

    async def _write(self, destination: str, work: Callable[[Connection], T]) -> T | None:
        try:
            return await self.store.transact(work)
        except StoreUnavailable:
            # The next evidence says it again, and a probe is void when its lease is over.
            log.warning("breaker.unwritten", destination=destination)
        except Exception:
            log.exception("breaker.unwritten", destination=destination)
        return None

    def _say_opened(self, destination: str, call: str, circuit: Circuit | None) -> None:
        if circuit is not None and circuit.until is not None:
            until = circuit.until.isoformat(timespec="seconds")
            log.warning("breaker.opened", destination=destination, operation=call, until=until)
