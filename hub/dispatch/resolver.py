"""Settles outcomes that nobody is sure of: looks whether the council's system has the case."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.connector import Connector, Receipt, ReplaySafety, Unavailable, http_evidence
from hub.core import breaker
from hub.core.resolving import Doubt, ResolvedBy, decide_look
from hub.core.retry import Verdict
from hub.councils import Destination
from hub.dispatch.attempt import policy_of
from hub.dispatch.conclusions import Conclusions
from hub.dispatch.doubt import Doubts
from hub.dispatch.health import Pulse
from hub.dispatch.steps import Steps
from hub.errors import HubError, Misconfigured
from hub.model import Outcome, StepKind, StepState
from hub.store import attempts
from hub.store.claims import Claimed
from hub.store.store import Store

#: Their clock may be behind the hub's, and a case is listed by theirs.
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Looks for one unclear case. Reads only; whatever happens to it, the case is as unclear as before."""

    store: Store
    steps: Steps
    doubts: Doubts
    pulse: Pulse
    conclusions: Conclusions
    _listings: dict[str, _Listing] = field(default_factory=dict)

    async def look(self, claimed: Claimed) -> bool:
        """Look once and write down what was seen; whether there may be more to claim now."""
        started = time.perf_counter()
        destination = self.steps.destination(claimed)
        with http_evidence() as exchanges:
            found = await self._found(claimed, destination)
        took = timedelta(seconds=time.perf_counter() - started)
        verdict = await self._verdict(claimed, destination, found)
        await self.conclusions.write(
            claimed, verdict, found, exchanges=exchanges, took=took, resolved_by=_by(claimed, verdict)
        )
        return await self.pulse.heard(
            claimed.destination,
            claimed.call,
            _evidence(claimed, found, verdict),
            asked=found.retry_after if isinstance(found, Unavailable) else None,
            probe=claimed.step if claimed.probe else None,
            on=destination is None or destination.breaker,
        )

    async def _verdict(
        self, claimed: Claimed, destination: Destination | None, found: Receipt | BaseException | None
    ) -> Verdict:
        if isinstance(found, Misconfigured) and destination is not None:
            meant: HubError = found
            if found.suspect:
                meant = await self.doubts.settle(destination, found, submission=claimed.submission)
            if isinstance(meant, Misconfigured):
                await self.doubts.pause(claimed.destination, meant)
        if destination is None or claimed.kind is not StepKind.CREATE:
            return _a_persons(found)
        doubt = _doubt(claimed, destination)
        return decide_look(found, doubt, attempts_used=claimed.attempts_used, policy=policy_of(destination))

    async def _found(self, claimed: Claimed, destination: Destination | None) -> Receipt | BaseException | None:
        if destination is None or claimed.kind is not StepKind.CREATE:
            return Unavailable(code="cannot_be_asked")
        try:
            connector = self.steps.connector(claimed)
            async with asyncio.timeout(destination.limits.timeout.total_seconds()):
                if claimed.safety is ReplaySafety.LISTING:
                    return await self._listed(claimed, connector)
                return await self._asked(claimed, connector)
        except asyncio.CancelledError:
            raise
        except TimeoutError:
            return Unavailable(code="deadline")
        except Exception as failure:  # a connector's bug too: the case stays unclear, which is what it is
            return failure

    async def _asked(self, claimed: Claimed, connector: Connector) -> Receipt | None:
        find = getattr(connector, "find", None)
        if find is None:
            raise Unavailable("It cannot be asked by our reference.", code="no_find")
        receipt: Receipt | None = await find(claimed.our_reference)
        return receipt

    async def _listed(self, claimed: Claimed, connector: Connector) -> Receipt | None:
        changes = getattr(connector, "changes", None)
        if changes is None:
            raise Unavailable("It cannot list what changed.", code="no_changes")
        since = await self.store.read(lambda connection: attempts.first_sent(connection, claimed.step))
        listing = self._listings.setdefault(claimed.destination, _Listing())
        seen = await listing.of(changes, since=(since or claimed.received_at) - _CLOCKS_DIFFER)
        reference = seen.get(claimed.our_reference)
        return Receipt(reference=reference) if reference is not None else None


@dataclass(slots=True)
class _Listing:
    """One destination's list of what changed, asked for once by all who wait for it.

    Whoever comes while it is being read waits for the next: what it looks for
    may have been made after the page where it would stand had gone by.
    """

    _next: _Reading | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, changes: Callable[[datetime], Any], *, since: datetime) -> dict[str, str]:
        """References by ours. Raises what the connector raises."""
        if self._next is None:
            self._next = _Reading(since=since)
        reading = self._next
        reading.since = min(reading.since, since)
        async with self._turn:
            if reading.seen is None:
                if self._next is reading:
                    self._next = None
                reading.seen = await _read(changes, reading.since)
        return reading.seen


@dataclass(slots=True)
class _Reading:
    since: datetime
    seen: dict[str, str] | None = None


async def _read(changes: Callable[[datetime], Any], since: datetime) -> dict[str, str]:
    return {change.our_reference: change.reference async for change in changes(since) if change.our_reference}


def _doubt(claimed: Claimed, destination: Destination) -> Doubt:
    settle = destination.settles_in(claimed.call or "")
    settled = claimed.unclear_until or claimed.claimed_at
    return Doubt(
        # From when the attempt ended, as far as the settle time of now tells.
        unclear_for=max(claimed.claimed_at - (settled - settle), timedelta(0)),
        settles_in=settled - claimed.claimed_at,
        settle=settle,
        looks=claimed.looks,
    )


def _evidence(claimed: Claimed, found: Receipt | BaseException | None, verdict: Verdict) -> breaker.Evidence:
    if isinstance(found, BaseException):
        return breaker.evidence(found, safety=claimed.safety, kind=claimed.kind, probe=claimed.probe)
    certain = verdict.state is not StepState.UNCLEAR
    return breaker.of_look(found is not None, probe=claimed.probe, certain=certain)


def _by(claimed: Claimed, verdict: Verdict) -> ResolvedBy | None:
    if verdict.state is StepState.UNCLEAR:
        return None
    return ResolvedBy.LISTING if claimed.safety is ReplaySafety.LISTING else ResolvedBy.LOOKUP


def _a_persons(found: Receipt | BaseException | None) -> Verdict:
    code = found.code if isinstance(found, HubError) and hasattr(found, "code") else "cannot_be_asked"
    return Verdict(outcome=Outcome.UNAVAILABLE, state=StepState.UNCLEAR, fault_code=code)
