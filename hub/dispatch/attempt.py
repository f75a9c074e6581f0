"""One try: map, speak, decide, write down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.connector import Connector, Delivery, Exchange, Unavailable, Unclear, http_evidence
from hub.core import breaker
from hub.core.pace import allowance
from hub.core.resolving import LOOKED_UP, first_look
from hub.core.retry import DEFAULT_POLICY, RetryPolicy, Verdict, decide
from hub.councils import Destination
from hub.dispatch.conclusions import Conclusions
from hub.dispatch.doubt import Doubts
from hub.dispatch.health import Pulse
from hub.dispatch.marks import Marks
from hub.dispatch.pace import operation as keeping_pace_of
from hub.dispatch.steps import Steps
from hub.errors import STORE_AWAY, HubError, LeaseLost, Misconfigured, StoreUnavailable
from hub.fuse import UNARMED, Fuse
from hub.model import Receipt, StepKind
from hub.store.claims import Claimed
from hub.store.store import Store

_GRACE = timedelta(milliseconds=500)  #: shorter than any lease margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Takes a claimed step to its destination. No transaction and no connection is open while it is away."""

    store: Store
    steps: Steps
    doubts: Doubts
    pulse: Pulse
    conclusions: Conclusions
    dice: Callable[[], float]
    fuse: Fuse = UNARMED

    async def attempt(self, claimed: Claimed) -> bool:
        """Try once and write down what came of it; whether there may be more to claim now.

        Never raises what a connector raised.
        """
        started = time.perf_counter()
        marks = Marks(store=self.store, claimed=claimed, fuse=self.fuse)
        keeping_pace_of.set(claimed.operation)  # for this task, which sends nothing else
        try:
            with http_evidence() as exchanges:
                result = await self._try(claimed, marks)
            return await self._conclude(claimed, result, exchanges, started=started)
        finally:
            marks.written()

    async def _conclude(
        self, claimed: Claimed, result: Receipt | BaseException, exchanges: Sequence[Exchange], *, started: float
    ) -> bool:
        took = timedelta(seconds=time.perf_counter() - started)
        destination = self.steps.destination(claimed)
        verdict, meant = await self._verdict(claimed, destination, result)
        settle = self._settle(claimed, destination)
        await self.conclusions.write(claimed, verdict, meant, exchanges=exchanges, took=took, settle=settle)
        return await self.pulse.heard(
            claimed.destination,
            claimed.call,
            breaker.evidence(meant, safety=claimed.safety, kind=claimed.kind, probe=claimed.probe),
            asked=meant.retry_after if isinstance(meant, Unavailable) else None,
            probe=claimed.step if claimed.probe else None,
            on=destination is None or destination.breaker,
        )

    async def _try(self, claimed: Claimed, marks: Marks) -> Receipt | BaseException:
        try:
            speak = await self.steps.prepare(claimed)
            route = self.steps.route(claimed)
        except HubError as failure:
            return failure
        delivery = Delivery(
            our_reference=claimed.our_reference,
            reference=claimed.reference,
            operation=claimed.call or claimed.kind.value,
            received_at=claimed.received_at,
            kind=claimed.kind,
            on_sending=marks.sending,
            on_took=marks.took,
        )
        connector = self.steps.pool.get(route.destination)
        # The seam's own deadline comes first, where there is one: it knows better what had happened by then.
        limits = route.destination.limits
        timeout = (limits.timeout + allowance(limits) + _GRACE).total_seconds()
        try:
            async with asyncio.timeout(timeout) as deadline:
                return _with_number(await speak(delivery), delivery, connector)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            return _what_it_means(failure, delivery, connector, late=deadline.expired())
        finally:
            await marks.over()

    async def _verdict(
        self, claimed: Claimed, destination: Destination | None, result: Receipt | BaseException
    ) -> tuple[Verdict, Receipt | BaseException]:
        """The verdict, and what the result meant once a suspect answer is settled."""
        verdict = self._decide(claimed, destination, result)
        if isinstance(result, Misconfigured) and verdict.suspect and destination is not None:
            result = await self.doubts.settle(destination, result, submission=claimed.submission)
            verdict = self._decide(claimed, destination, result)
        elif isinstance(result, Receipt):
            self.doubts.heard_well(claimed.destination)
        if verdict.pauses and isinstance(result, Misconfigured):
            await self.doubts.pause(claimed.destination, result)
        return verdict, result

    def _decide(self, claimed: Claimed, destination: Destination | None, result: Receipt | BaseException) -> Verdict:
        settle = self._settle(claimed, destination)
        return decide(
            result,
            attempts_used=claimed.attempts_used,
            safety=claimed.safety,
            policy=policy_of(destination),
            dice=self.dice(),
            look_after=first_look(settle) if settle is not None else None,
        )

    def _settle(self, claimed: Claimed, destination: Destination | None) -> timedelta | None:
        """How long it may still turn up, for a case that can be looked for; None for all else."""
        if destination is None or claimed.kind is not StepKind.CREATE or claimed.safety not in LOOKED_UP:
            return None
        return destination.settles_in(claimed.call or "")


def policy_of(destination: Destination | None) -> RetryPolicy:
    ladder = destination.retry if destination is not None else None
    return replace(DEFAULT_POLICY, ladder=tuple(ladder)) if ladder else DEFAULT_POLICY


def _with_number(receipt: Receipt, delivery: Delivery, connector: Connector) -> Receipt:
    """A receipt without a number keeps what the number can be asked for by."""
    if receipt.reference is not None or delivery.taken is None:
        return receipt
    return replace(_taken(delivery.taken, connector), joined=receipt.joined)


def _taken(reference_or_token: str, connector: Connector) -> Receipt:
    """What was said when it was taken: the reference, unless the connector can be asked for that."""
    can_ask = any(callable(getattr(connector, verb, None)) for verb in ("number", "find"))
    return Receipt(token=reference_or_token) if can_ask else Receipt(reference=reference_or_token)


def _what_it_means(
    failure: Exception, delivery: Delivery, connector: Connector, *, late: bool
) -> Receipt | BaseException:
    if delivery.taken is not None:
        # The product said that it has it: whatever came after, the case exists.
        return _taken(delivery.taken, connector)
    if isinstance(failure, StoreUnavailable | LeaseLost) and not delivery.writes:
        return Unavailable(code=STORE_AWAY)  # `sending` could not be committed, so not a byte has left
    if isinstance(failure, TimeoutError) and late:
        return Unclear(code="deadline") if delivery.writes else Unavailable(code="deadline")
    return failure
