"""One try: map, speak, decide, write down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from sqlalchemy import Connection
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from hub.connector import Connector, Delivery, Unavailable, Unclear, http_evidence
from hub.core import fingerprint
from hub.core.redaction import shape_of
from hub.core.retry import DEFAULT_POLICY, RetryPolicy, Verdict, decide
from hub.councils import Councils, Destination, Route
from hub.dispatch import evidence
from hub.dispatch.doubt import Doubts
from hub.dispatch.marks import Marks
from hub.dispatch.pool import ConnectorPool
from hub.errors import HubError, LeaseLost, MappingFault, Misconfigured, NotThere, StoreUnavailable
from hub.metrics import Metrics
from hub.model import Receipt, StepState
from hub.store import attempts, groups
from hub.store.attempts import Conclude
from hub.store.claims import Claimed
from hub.store.store import Store

log = structlog.get_logger()

_GRACE = timedelta(milliseconds=500)  #: shorter than any lease margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Takes a claimed step to its destination. No transaction and no connection is open while it is away."""

    store: Store
    councils: Callable[[], Councils]
    pool: ConnectorPool
    doubts: Doubts
    metrics: Metrics
    clock: Callable[[], datetime]
    dice: Callable[[], float]
    ids: Callable[[], str]
    evidence_for: timedelta

    async def attempt(self, claimed: Claimed) -> Verdict:
        """Try once and write down what came of it. Never raises what a connector raised."""
        started = time.perf_counter()
        with http_evidence() as exchanges:
            result = await self._try(claimed)
        took = timedelta(seconds=time.perf_counter() - started)
        verdict, meant = await self._verdict(claimed, result)
        facts = _facts(claimed, verdict, meant)
        conclusion = self._conclusion(claimed, verdict, meant, kept=evidence.gather(exchanges, meant), facts=facts)
        await self._write_down(claimed, conclusion)
        self.metrics.attempt(claimed.destination, outcome=verdict.outcome.value, took=took)
        if verdict.state in (StepState.DEAD, StepState.UNCLEAR):
            await self._count(claimed, conclusion, facts)
        return verdict

    async def _try(self, claimed: Claimed) -> Receipt | BaseException:
        try:
            destination, connector, record = self._prepare(claimed)
        except HubError as failure:
            return failure
        marks = Marks(store=self.store, claimed=claimed, clock=self.clock)
        delivery = self._delivery(claimed, marks)
        # The seam's own deadline comes first, where there is one: it knows better what had happened by then.
        timeout = (destination.limits.timeout + _GRACE).total_seconds()
        try:
            async with asyncio.timeout(timeout) as deadline:
                return await connector.create(record, delivery)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            return _what_it_means(failure, delivery, late=deadline.expired())
        finally:
            await marks.over()

    def _prepare(self, claimed: Claimed) -> tuple[Destination, Connector, BaseModel]:
        """The record, made and validated before anything is sent. Raises MappingFault or Misconfigured."""
        route = self._route(claimed)
        if claimed.body is None:
            raise MappingFault("the content was forgotten on time; nothing can be sent", where="retention")
        raw = self.store.sealer.open(claimed.body, place=f"submission_content|{claimed.submission}|{claimed.revision}")
        context = route.context(from_json(raw), _hub_facts(claimed))
        record = route.record(claimed.kind.value, context, item_index=claimed.item_index)
        connector = self.pool.get(route.destination)
        operation = connector.operations[route.mapping.operation(claimed.kind.value)]
        try:
            return route.destination, connector, operation.record.model_validate(record)
        except ValidationError as failure:
            problem = "; ".join(shape_of(failure.errors(include_input=False, include_url=False)))
        raise MappingFault(problem, where=f"{route.mapping.file} {claimed.kind.value}.record", code="record")

    def _route(self, claimed: Claimed) -> Route:
        try:
            return self.councils().find(claimed.council).route(claimed.route)
        except NotThere:
            raise MappingFault(
                f"the council files have no route {claimed.route} any more; put it back, or discard this",
                where=f"{claimed.council}/council.yaml",
                code="no_route",
            ) from None

    def _delivery(self, claimed: Claimed, marks: Marks) -> Delivery:
        return Delivery(
            our_reference=claimed.our_reference,
            reference=claimed.reference,
            operation=self._route(claimed).mapping.operation(claimed.kind.value),
            received_at=claimed.received_at,
            kind=claimed.kind,
            on_sending=marks.sending,
            on_took=marks.took,
        )

    async def _verdict(
        self, claimed: Claimed, result: Receipt | BaseException
    ) -> tuple[Verdict, Receipt | BaseException]:
        """The verdict, and what the result meant once a suspect answer is settled."""
        verdict = self._decide(claimed, result)
        if isinstance(result, Misconfigured) and verdict.suspect:
            destination = self._route(claimed).destination
            result = await self.doubts.settle(destination, result, submission=claimed.submission)
            verdict = self._decide(claimed, result)
        elif isinstance(result, Receipt):
            self.doubts.heard_well(claimed.destination)
        if verdict.pauses and isinstance(result, Misconfigured):
            await self.doubts.pause(claimed.destination, result)
        return verdict, result

    def _decide(self, claimed: Claimed, result: Receipt | BaseException) -> Verdict:
        return decide(
            result,
            attempts_used=claimed.attempts_used,
            safety=claimed.safety,
            policy=self._policy(claimed),
            dice=self.dice(),
        )

    def _policy(self, claimed: Claimed) -> RetryPolicy:
        try:
            ladder = self._route(claimed).destination.retry
        except MappingFault:
            return DEFAULT_POLICY
        return replace(DEFAULT_POLICY, ladder=tuple(ladder)) if ladder else DEFAULT_POLICY

    def _conclusion(
        self, claimed: Claimed, verdict: Verdict, result: Receipt | BaseException, *, kept: bytes, facts: dict[str, str]
    ) -> Conclude:
        now = self.clock()
        due = now + verdict.after if verdict.after is not None else None
        receipt = result if isinstance(result, Receipt) else Receipt()
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
            attempts_used=claimed.attempts_used + verdict.uses_attempt,
            at=now,
            event_id=self.ids(),
            due_at=due,
            hold_reason=verdict.hold.value if verdict.hold else None,
            hold_until=due if verdict.hold else None,
            fault_code=verdict.fault_code,
            fingerprint=fingerprint.fingerprint(**facts) if verdict.fault_code else None,
            their_reference=receipt.reference,
            joined=receipt.joined,
            evidence=self.store.sealer.seal(kept, place=evidence.place(claimed.attempt)),
            evidence_expires_at=now + self.evidence_for,
        )

    async def _write_down(self, claimed: Claimed, conclusion: Conclude) -> None:
        try:
            try:
                await self.store.write(conclusion)
            except StoreUnavailable:
                await self._insist(claimed, conclusion)
        except LeaseLost:
            state = await self.store.transact(lambda connection: attempts.late_result(connection, conclusion))
            log.warning("attempt.late", delivery=claimed.delivery, attempt=claimed.attempt, state=state.value)

    async def _insist(self, claimed: Claimed, conclusion: Conclude) -> None:
        """The answer is known and must not be lost: try for as long as the lease is ours."""
        left = (claimed.lease_until - self.clock()).total_seconds()
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            stop=stop_after_delay(max(left, 5.0)),
            reraise=True,
        )
        await retrying(self.store.write, conclusion)

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
                connection,
                fingerprint=same,
                destination=claimed.destination,
                title=title,
                fault_code=facts["fault_code"],
                at=conclusion.at,
            )

        try:
            await self.store.transact(work)
        except StoreUnavailable:
            log.warning("group.uncounted", delivery=claimed.delivery)


def _what_it_means(failure: Exception, delivery: Delivery, *, late: bool) -> Receipt | BaseException:
    if delivery.taken is not None:
        # The product said that it has it: whatever came after, the case exists.
        return Receipt(token=delivery.taken)
    if isinstance(failure, TimeoutError) and late:
        return Unclear(code="deadline") if delivery.writes else Unavailable(code="deadline")
    return failure


def _facts(claimed: Claimed, verdict: Verdict, result: Receipt | BaseException) -> dict[str, str]:
    """What makes two failures the same one; codes and places only."""
    return {
        "destination": claimed.destination,
        "operation": f"{claimed.route} {claimed.kind.value}",
        "outcome": verdict.outcome.value,
        "fault_code": verdict.fault_code or "",
        "where": result.where if isinstance(result, MappingFault) else "",
    }


def _hub_facts(claimed: Claimed) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "our_reference": claimed.our_reference,
        "reference": claimed.reference,
        "received_at": claimed.received_at.isoformat().replace("+00:00", "Z"),
        "council": claimed.council,
        "warnings": [dict(warning) for warning in claimed.warnings],
    }
    if claimed.front_end_reference is not None:
        facts["front_end_reference"] = claimed.front_end_reference
    if claimed.due_by is not None:
        facts["due_by"] = claimed.due_by.isoformat()
    return facts
