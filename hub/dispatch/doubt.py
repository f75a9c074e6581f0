"""An answer that may mean our key, or only this request: ask before a borough is halted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from hub.connector import Health
from hub.councils import Destination
from hub.dispatch.pool import ConnectorPool
from hub.errors import HubError, Misconfigured, Refused, StoreUnavailable, Unavailable
from hub.store import destinations
from hub.store.store import Store

log = structlog.get_logger()

IN_A_ROW = 3  #: different submissions answered so, where a connector has no `check`


@dataclass(slots=True, kw_only=True)
class Doubts:
    """Settles suspect answers and sets or lifts the hub's own pauses."""

    store: Store
    pool: ConnectorPool
    _asking: dict[str, asyncio.Task[bool | None]] = field(default_factory=dict)
    _suspected: set[str] = field(default_factory=set)

    async def settle(self, destination: Destination, suspect: Misconfigured, *, submission: str) -> HubError:
        """What a suspect answer means: Misconfigured when `check` fails too, else Refused for this one alone.

        Without a `check`, the third different submission in a row decides.
        """
        try:
            well = await self._ask_once(destination)
        except Unavailable as failure:
            # It is not there to be asked, so nothing is known about our key; this one waits its turn.
            return Unavailable(code=suspect.code, retry_after=failure.retry_after)
        if well is None:
            self._suspected.add(destination.id)
            count = await self.store.transact(
                lambda connection: destinations.count_suspect(connection, destination.id, submission=submission)
            )
            well = count < IN_A_ROW
        if well:
            return Refused(
                "The system takes our key but not this request; mend the data or the mapping, then replay.",
                code=suspect.code,
                reasons=suspect.reasons,
            )
        return Misconfigured(code=suspect.code, reasons=suspect.reasons)

    def heard_well(self, destination: str) -> None:
        """A good answer came: suspects are counted from nothing again."""
        if destination in self._suspected:
            self._suspected.discard(destination)
            task = asyncio.get_running_loop().create_task(
                self.store.transact(lambda connection: destinations.forget_suspects(connection, destination))
            )
            task.add_done_callback(lambda done: done.exception())

    async def pause(self, destination: str, why: Misconfigured) -> None:
        reason = f"it does not accept our key, address or settings ({why.code})"
        changed = await self.store.transact(
            lambda connection: destinations.pause(connection, destination, by=destinations.HUB, reason=reason)
        )
        if changed:
            log.warning("destination.paused", destination=destination, fault_code=why.code)

    async def probe(self, destination: Destination) -> bool:
        """Ask a destination that the hub paused itself; lift the pause when it is well. True if it was lifted.

        Where the connector has no `check`, one step of each operation is let through to find out.
        """
        try:
            well = await self._ask_once(destination)
        except Unavailable:
            return False
        if well is None:
            calls = tuple(destination.connector_class.operations)
            tried = await self.store.transact(
                lambda connection: destinations.put_on_trial(connection, destination.id, calls=calls)
            )
            if tried:
                log.info("destination.on_trial", destination=destination.id)
            return tried
        return well

    async def _ask_once(self, destination: Destination) -> bool | None:
        """Whether `check` passes; None where there is no check. A hundred suspects at once ask once."""
        task = self._asking.get(destination.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self.ask(destination))
            self._asking[destination.id] = task
            task.add_done_callback(lambda _: self._asking.pop(destination.id, None))
        return await asyncio.shield(task)

    async def ask(self, destination: Destination) -> bool | None:
        """What `check` says; a pause that the hub set itself ends with one that passes, whoever asked."""
        health = await check(self.pool, destination)
        if health is None or not health.ok:
            return None if health is None else False
        try:
            lifted = await self.store.transact(lambda connection: destinations.lift(connection, destination.id))
        except StoreUnavailable:
            lifted = False  # asked again in 15 minutes; what `check` has said is no less true
        if lifted:
            log.info("destination.resumed", destination=destination.id)
        return True


async def check(pool: ConnectorPool, destination: Destination) -> Health | None:
    """What the connector's own `check` says; None where it has none. Raises Unavailable, and nothing else."""
    try:
        asked = getattr(pool.get(destination), "check", None)
        if asked is None:
            return None
        async with asyncio.timeout(destination.limits.timeout.total_seconds()):
            health: Health = await asked()
            return health
    except Unavailable:
        raise
    except TimeoutError:
        raise Unavailable(code="deadline") from None
    except HubError as failure:
        return Health(ok=False, detail=str(failure))
    except Exception as failure:
        return Health(ok=False, detail=f"check ended with {type(failure).__name__}")
