"""What is due, for whom, fairly, fenced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model import Phase, ReplaySafety, StepKind, StepState, Trigger
from hub.store import tables
from hub.store.ask import Ask
from hub.store.columns import Id, Instant
from hub.store.engine import database_now
from hub.store.hot import Hot

_STEP = tables.step.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A step this worker owns until `lease_until`, with everything needed to send it."""

    step: str
    token: int
    attempt: str
    phase: Phase
    safety: ReplaySafety
    kind: StepKind
    attempts_used: int
    trigger: Trigger
    delivery: str
    destination: str
    route: str
    item_index: int | None
    our_reference: str
    submission: str
    reference: str
    front_end_reference: str | None
    front_end: str
    council: str
    service: str
    version: int
    received_at: datetime
    due_by: date | None
    warnings: Sequence[dict[str, str]]
    trace_id: str | None
    revision: int
    body: bytes | None  #: sealed; None once forgotten
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one look at a destination gave; `again_at` says when a further look may pay (None: when a bell rings)."""

    claimed: Sequence[Claimed] = ()
    full: bool = False  #: as many as were asked for: there may be more
    contended: bool = False  #: another worker was looking at the same moment
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who claims, how long for, and what each operation is declared to be."""

    worker: str
    lease: timedelta
    generation: int
    safety_of: Callable[[str, StepKind], ReplaySafety]  #: by route name and kind
    ids: Callable[[], str]


def due_destinations(connection: Connection, *, limit: int = 500) -> list[str]:
    """Destinations with something due, the longest unserved first. One index probe for each destination."""
    place = tables.destination.c
    now = database_now(connection)
    due = (
        sa.select(sa.literal(1))
        .where(_STEP.destination == place.id, _STEP.state == "queued", _STEP.due_at.is_not(None), _STEP.due_at <= now)
        .exists()
    )
    query = (
        sa.select(place.id)
        .where(place.active, place.paused_at.is_(None), due)
        .order_by(place.last_served.asc().nulls_first())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def claim(connection: Connection, destination: str, *, limit: int, terms: Terms) -> Claim:
    """Lease at most `limit` due steps of one destination.

    The caller commits at once. The destination's row is locked meanwhile, so
    that the cap counts true over all workers; who finds it locked goes on.
    """
    row = _DESTINATION.one_or_none(connection, b_id=destination)
    if row is None:
        return Claim(contended=True)
    if row.paused_at is not None or not row.active:
        return Claim()
    now = database_now(connection)
    free = min(limit, row.concurrency - _live_leases(connection, destination))
    if free <= 0:
        return Claim(full=True)
    free, again_at, next_at = _rate_slots(row, free, now)
    if free <= 0:
        return Claim(again_at=again_at)
    found = _DUE.all(connection, b_id=destination, b_now=now, b_limit=free)
    if not found:
        return Claim()
    if row.per_second:
        next_at = _rate_after(row, len(found), now)
    claimed = _lease(connection, found, now=now, terms=terms)
    _SERVED.run(connection, [{"id": destination, "now": now, "rate": next_at}])
    return Claim(claimed=claimed, full=len(found) == free, again_at=again_at)


_DESTINATION_QUERY = sa.select(
    tables.destination.c.id,
    tables.destination.c.active,
    tables.destination.c.paused_at,
    tables.destination.c.concurrency,
    tables.destination.c.per_second,
    tables.destination.c.rate_next_at,
).where(tables.destination.c.id == sa.bindparam("b_id"))
_DESTINATION = Ask(_DESTINATION_QUERY.with_for_update(skip_locked=True))  # SQLite has no row locks, and one writer
_LIVE = Ask(
    sa.select(sa.func.count().label("live")).where(
        _STEP.destination == sa.bindparam("b_id"), _STEP.state == sa.literal_column("'sending'")
    )
)
_SERVED = Hot.update(
    tables.destination,
    {"id": sa.String(), "now": Instant(), "rate": Instant()},
    where=lambda given: (tables.destination.c.id == given.id,),
    values=lambda given: {"last_served": given.now, "rate_next_at": given.rate},
)


def _live_leases(connection: Connection, destination: str) -> int:
    # Bounded by the cap itself, through the partial index of what is in flight.
    return int(_LIVE.one_or_none(connection, b_id=destination).live)


def _rate_slots(row: Any, wanted: int, now: datetime) -> tuple[int, datetime | None, datetime | None]:
    """GCRA with a burst of one: how many of `wanted` may go now, when the next may, and the row's new mark."""
    if not row.per_second:
        return wanted, None, row.rate_next_at
    if row.rate_next_at and row.rate_next_at > now:
        return 0, row.rate_next_at, row.rate_next_at
    return 1, now + timedelta(seconds=1 / row.per_second), row.rate_next_at


def _rate_after(row: Any, taken: int, now: datetime) -> datetime:
    return now + timedelta(seconds=taken / row.per_second)


_CONTENT = tables.submission_content.c
_LATEST = (
    sa.select(sa.func.max(_CONTENT.revision))
    .where(_CONTENT.submission == _STEP.submission)
    .correlate(tables.step)
    .scalar_subquery()
)
_DUE = Ask(
    sa.select(
        _STEP.id.label("step"), _STEP.lease_token, _STEP.kind, _STEP.attempts_used, _STEP.lane,
        tables.delivery.c.id.label("delivery"), tables.delivery.c.destination, tables.delivery.c.route,
        tables.delivery.c.item_index, tables.delivery.c.our_reference,
        tables.submission.c.id.label("submission"), tables.submission.c.reference,
        tables.submission.c.front_end_reference, tables.submission.c.front_end, tables.submission.c.council,
        tables.submission.c.service, tables.submission.c.version, tables.submission.c.accepted_at,
        tables.submission.c.due_by, tables.submission.c.warnings, tables.submission.c.trace_id,
        _CONTENT.revision, _CONTENT.body,
    )
    .select_from(tables.step)
    .join(tables.delivery, tables.delivery.c.id == _STEP.delivery)
    .join(tables.submission, tables.submission.c.id == _STEP.submission)
    .join(tables.submission_content, sa.and_(_CONTENT.submission == _STEP.submission, _CONTENT.revision == _LATEST))
    .where(
        _STEP.destination == sa.bindparam("b_id"),
        _STEP.state == sa.literal_column("'queued'"),
        _STEP.due_at.is_not(None),
        _STEP.due_at <= sa.bindparam("b_now", type_=Instant()),
    )
    .order_by(_STEP.due_at, _STEP.id)
    .limit(sa.bindparam("b_limit", type_=sa.Integer()))
)  # fmt: skip


_TAKE = Hot.update(
    tables.step,
    {"step": Id, "token": sa.BigInteger(), "until": Instant(), "worker": Id, "now": Instant()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {
        "state": StepState.SENDING.value,
        "lease_token": given.token,
        "lease_until": given.until,
        "worker": given.worker,
        "hold_reason": None,
        "hold_until": None,
        "updated_at": given.now,
    },
)
_ATTEMPTS = Hot.insert(
    tables.attempt,
    without=("operation", "actor", "outcome", "fault_code", "fingerprint", "took", "ended_at", "evidence",
             "evidence_expires_at"),
)  # fmt: skip


def _lease(connection: Connection, rows: Sequence[Any], *, now: datetime, terms: Terms) -> list[Claimed]:
    until = now + terms.lease
    claimed = [_claimed(row, until=until, terms=terms) for row in rows]
    _TAKE.run(
        connection,
        [{"step": one.step, "token": one.token, "until": until, "worker": terms.worker, "now": now} for one in claimed],
    )
    _ATTEMPTS.run(connection, [_attempt_row(one, now=now, terms=terms) for one in claimed])
    return claimed


def _claimed(row: Any, *, until: datetime, terms: Terms) -> Claimed:
    safety = terms.safety_of(row.route, StepKind(row.kind))
    return Claimed(
        step=row.step,
        token=row.lease_token + 1,
        attempt=terms.ids(),
        # Where a repeat is harmless, `prepared` and `sending` are one commit.
        phase=Phase.PREPARED if safety is not ReplaySafety.IDEMPOTENT else Phase.SENDING,
        safety=safety,
        kind=StepKind(row.kind),
        attempts_used=row.attempts_used,
        trigger=Trigger.REPLAY if row.lane == "replay" else Trigger.AUTO,
        delivery=row.delivery,
        destination=row.destination,
        route=row.route,
        item_index=row.item_index,
        our_reference=row.our_reference,
        submission=row.submission,
        reference=row.reference,
        front_end_reference=row.front_end_reference,
        front_end=row.front_end,
        council=row.council,
        service=row.service,
        version=row.version,
        received_at=row.accepted_at,
        due_by=row.due_by,
        warnings=row.warnings or (),
        trace_id=row.trace_id,
        revision=row.revision,
        body=row.body,
        lease_until=until,
    )


def _attempt_row(one: Claimed, *, now: datetime, terms: Terms) -> dict[str, Any]:
    return {
        "id": one.attempt,
        "step": one.step,
        "delivery": one.delivery,
        "trigger": one.trigger.value,
        "worker": terms.worker,
        "lease_token": one.token,
        "phase": one.phase.value,
        "replay_safety": one.safety.value,
        "mapping_generation": terms.generation,
        "started_at": now,
        "sent_at": now if one.phase is Phase.SENDING else None,
    }
