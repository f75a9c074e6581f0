"""Writes down what came of an attempt or a look, whatever the store does meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from hub.core import fingerprint
from hub.core.resolving import ResolvedBy
from hub.core.retry import Verdict
from hub.dispatch import evidence
from hub.errors import LeaseLost, MappingFault, StoreUnavailable
from hub.fuse import UNARMED, CrashPoint, Fuse
from hub.metrics import Metrics
from hub.model import Receipt, StepKind, StepState
from hub.store import attempts, groups
from hub.store.attempts import Conclude
from hub.store.claims import Claimed
from hub.store.steps import LaterStep
from hub.store.store import Store

T = TypeVar("T")

log = structlog.get_logger()

_INSIST = timedelta(hours=1)  #: a store that is away for longer has its operators' attention, and theirs is the word


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusions:
    """One conclusion for each attempt. Raises nothing but what would be a bug."""

    store: Store
    metrics: Metrics
    ids: Callable[[], str]
    evidence_for: timedelta
    fuse: Fuse = UNARMED

    async def write(
        self,
        claimed: Claimed,
        verdict: Verdict,
        meant: Receipt | BaseException | None,
        *,
        exchanges: Sequence[Any],
        took: timedelta,
        settle: timedelta | None = None,
        resolved_by: ResolvedBy | None = None,
    ) -> None:
        """Durable when this returns. `settle` is for one that is unclear and will be looked for."""
        facts = _facts(claimed, verdict, meant)
        conclusion = self._conclusion(
            claimed, verdict, meant, kept=evidence.gather(exchanges, meant), facts=facts, settle=settle,
            resolved_by=resolved_by,
        )  # fmt: skip
        await self._keep(claimed, conclusion)
        self.metrics.attempt(claimed.destination, outcome=verdict.outcome.value, took=took)
        if verdict.state is StepState.DEAD or (verdict.state is StepState.UNCLEAR and verdict.after is None):
            await self._count(claimed, conclusion, facts)

    def _conclusion(
        self,
        claimed: Claimed,
        verdict: Verdict,
        meant: Receipt | BaseException | None,
        *,
        kept: bytes,
        facts: dict[str, str],
        settle: timedelta | None,
        resolved_by: ResolvedBy | None,
    ) -> Conclude:
        receipt = meant if isinstance(meant, Receipt) else Receipt()
        place, create = evidence.place(claimed.attempt), claimed.kind is StepKind.CREATE
        delivered = verdict.state is StepState.DELIVERED
        return Conclude(
            attempt=claimed.attempt,
            step=claimed.step,
            token=claimed.token,
            delivery=claimed.delivery,
            submission=claimed.submission,
            council=claimed.council,
            front_end=claimed.front_end,
            outcome=verdict.outcome.value,
            state=verdict.state,
            before=StepState.UNCLEAR if claimed.looks_only else StepState.SENDING,
            create=create,
            destination=claimed.destination,
            attempts_used=claimed.attempts_used + verdict.uses_attempt,
            event_id=self.ids(),
            after=verdict.after,
            hold_reason=verdict.hold.value if verdict.hold else None,
            looks=verdict.looks,
            settled_after=settle if verdict.state is StepState.UNCLEAR else None,
            fault_code=verdict.fault_code,
            fingerprint=fingerprint.fingerprint(**facts) if verdict.fault_code else None,
            their_reference=receipt.reference,
            joined=receipt.joined,
            took=self.store.sealer.seal(receipt.token.encode(), place=place) if receipt.token else None,
            number=self._number(receipt) if delivered and create else None,
            resolved_by=resolved_by.value if resolved_by else None,
            # A look that settles nothing is nobody's news; its attempt row tells that it was made.
            silent=claimed.looks_only and verdict.state is StepState.UNCLEAR and verdict.after is not None,
            evidence=self.store.sealer.seal(kept, place=place),
            evidence_for=self.evidence_for,
        )

    def _number(self, receipt: Receipt) -> LaterStep | None:
        """The case is there and its number is not: a step of its own asks for that."""
        if receipt.reference is not None or receipt.token is None:
            return None
        return LaterStep(id=self.ids(), kind=StepKind.NUMBER, call=None)

    async def _keep(self, claimed: Claimed, conclusion: Conclude) -> None:
        if not claimed.looks_only:
            self.fuse.reach(CrashPoint.BEFORE_CONCLUDE)
        try:
            try:
                await self.store.write(conclusion)
            except StoreUnavailable:
                await self._insist(lambda: self.store.write(conclusion))
        except LeaseLost:
            if claimed.looks_only:
                return  # somebody else has settled it meanwhile
            state = await self._insist(
                lambda: self.store.transact(lambda connection: attempts.late_result(connection, conclusion))
            )
            log.warning("attempt.late", delivery=claimed.delivery, attempt=claimed.attempt, state=state.value)

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """The answer is known and must not be lost, however long the store is away.

        Also when the lease has run out: nobody ends one whose holder is alive,
        and an answer that comes too late settles the doubt it left.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            stop=stop_after_delay(_INSIST.total_seconds()),
            reraise=True,
        )

        async def again() -> T:
            # tenacity awaits only what is declared with `async def`; the coroutine of a lambda it hands back unawaited.
            return await write()

        return await retrying(again)

    async def _count(self, claimed: Claimed, conclusion: Conclude, facts: dict[str, str]) -> None:
        log.warning(
            "delivery.stopped",
            delivery=claimed.delivery,
            destination=claimed.destination,
            state=conclusion.state.value,
            fault_code=conclusion.fault_code,
        )
        same, title = fingerprint.fingerprint(**facts), fingerprint.title(**facts)

        def work(connection: Connection) -> None:
            groups.record(
                connection, fingerprint=same, destination=claimed.destination, title=title,
                fault_code=facts["fault_code"],
            )  # fmt: skip

        try:
            await self.store.transact(work)
        except StoreUnavailable:
            log.warning("group.uncounted", delivery=claimed.delivery)


def _facts(claimed: Claimed, verdict: Verdict, meant: Receipt | BaseException | None) -> dict[str, str]:
    """What makes two failures the same one; codes and places only."""
    return {
        "destination": claimed.destination,
        "operation": f"{claimed.route} {claimed.kind.value}",
        "outcome": verdict.outcome.value,
        "fault_code": verdict.fault_code or "",
        "where": meant.where if isinstance(meant, MappingFault) else "",
    }
