"""What is due, for whom, fairly, fenced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core import lanes, pace
from hub.model import Lane, Phase, ReplaySafety, StepKind, StepState, Trigger
from hub.store import breakers, tables
from hub.store.ask import Ask
from hub.store.columns import Id, Instant
from hub.store.due import due, due_for
from hub.store.engine import database_now
from hub.store.hot import Hot

_STEP = tables.step.c
_PLACE = tables.destination.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A step this worker owns until `lease_until`, with everything needed to send it, or to look for it."""

    step: str
    token: int
    attempt: str
    state: StepState  #: QUEUED: to be sent; UNCLEAR: to be looked for, and it stays unclear meanwhile
    phase: Phase
    safety: ReplaySafety
    kind: StepKind
    position: int
    call: str | None
    probe: bool  #: its destination is not well, and this one finds out whether it is again
    attempts_used: int
    trigger: Trigger
    operation: str | None
    past: int | None  #: the generation of council files that its operation names, where that is not the newest
    looks: int
    unclear_until: datetime | None  #: `settled_at`, for a look
    claimed_at: datetime  #: by the database's clock
    delivery: str
    destination: str
    route: str
    item_index: int | None
    attachment: str | None
    our_reference: str
    their_reference: str | None
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

    @property
    def looks_only(self) -> bool:
        return self.state is StepState.UNCLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one look at a destination gave; `again_at` says when a further look may pay (None: when a bell rings)."""

    claimed: Sequence[Claimed] = ()
    full: bool = False  #: as many as were asked for: there may be more
    contended: bool = False  #: another worker was looking at the same moment
    again_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who claims, how long for, and what each operation is declared to be."""

    worker: str
    lease: timedelta
    generation: int
    safety_of: Callable[[str, StepKind], ReplaySafety]  #: by route name and kind
    ids: Callable[[], str]


def due_destinations(connection: Connection, *, limit: int = 500) -> list[str]:
    """Destinations with something due, the longest unserved first. Two index probes for each destination."""
    now = database_now(connection)

    def waits(state: StepState) -> Any:
        due_now = (
            _STEP.destination == _PLACE.id, _STEP.state == sa.literal_column(f"'{state.value}'"),
            _STEP.due_at.is_not(None), _STEP.due_at <= now,
        )  # fmt: skip
        return sa.select(sa.literal(1)).where(*due_now).exists()

    query = (
        sa.select(_PLACE.id)
        .where(_PLACE.active, _PLACE.paused_at.is_(None), sa.or_(waits(StepState.QUEUED), waits(StepState.UNCLEAR)))
        .order_by(_PLACE.last_served.asc().nulls_first())
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
    free = min(limit, row.concurrency - _in_flight(connection, destination, now))
    if free <= 0:
        return Claim(full=True)
    admission = _admitted(row, free, now)
    if admission.granted <= 0:
        return Claim(again_after=_until(admission.again_at, now))
    health = breakers.admissible(row, now=now)
    rows, probing = _probes(connection, destination, health, now=now, most=admission.granted)
    others, turn = _others(connection, row, health, now=now, wanted=admission.granted - len(rows))
    rows += others
    if not rows:
        return Claim(again_after=_until(health.again_at, now))
    claimed = _lease(connection, rows, probing=probing, now=now, terms=terms)
    for one in claimed:
        if one.probe:
            breakers.started_probe(
                connection, destination, one.call or breakers.CREATE, step=one.step, until=one.lease_until
            )
    served = {"id": destination, "now": now, "rate": admission.after(len(rows)), "turn": turn}
    _SERVED.run(connection, [served])
    full = len(rows) == admission.granted
    return Claim(
        claimed=claimed,
        full=full,
        again_after=_until(admission.again_at, now) if full and admission.granted < free else None,
    )


_DESTINATION_QUERY = sa.select(
    _PLACE.id, _PLACE.active, _PLACE.paused_at, _PLACE.concurrency, _PLACE.per_second, _PLACE.rate_next_at,
    _PLACE.pace_next_at, _PLACE.breaker, _PLACE.breaker_counts, _PLACE.turn,
).where(_PLACE.id == sa.bindparam("b_id"))  # fmt: skip
_DESTINATION = Ask(_DESTINATION_QUERY.with_for_update(skip_locked=True))  # SQLite has no row locks, and one writer


def _leased(*conditions: Any) -> Any:
    here = _STEP.destination == sa.bindparam("b_id")
    return sa.select(sa.func.count()).select_from(tables.step).where(here, *conditions).scalar_subquery()


# Bounded by the cap itself, through the partial indexes of what is in flight.
_LIVE = Ask(
    sa.select(
        _leased(_STEP.state == sa.literal_column("'sending'")).label("sending"),
        _leased(
            _STEP.state == sa.literal_column("'unclear'"),
            _STEP.lease_until.is_not(None),
            _STEP.lease_until > sa.bindparam("b_now", type_=Instant()),
        ).label("looking"),
    )
)
_SERVED = Hot.update(
    tables.destination,
    {"id": sa.String(), "now": Instant(), "rate": Instant(), "turn": sa.Integer()},
    where=lambda given: (_PLACE.id == given.id,),
    values=lambda given: {"last_served": given.now, "rate_next_at": given.rate, "turn": given.turn},
)


def _in_flight(connection: Connection, destination: str, now: datetime) -> int:
    live = _LIVE.one_or_none(connection, b_id=destination, b_now=now)
    return int(live.sending + live.looking)


def _admitted(row: Any, free: int, now: datetime) -> pace.Admission:
    return pace.admit(
        per_second=row.per_second, rate_next_at=row.rate_next_at, pace_next_at=row.pace_next_at, now=now, wanted=free
    )


def _until(at: datetime | None, now: datetime) -> timedelta | None:
    return None if at is None else at - now


def _probes(
    connection: Connection, destination: str, health: breakers.Admissible, *, now: datetime, most: int
) -> tuple[list[Any], frozenset[str]]:
    """One step for each operation that may be tried again, and their ids."""
    found = [row for call in sorted(health.probes) for row in due_for(connection, destination, call, now=now)][:most]
    return found, frozenset(row.step for row in found)


def _others(
    connection: Connection, row: Any, health: breakers.Admissible, *, now: datetime, wanted: int
) -> tuple[list[Any], int]:
    if wanted <= 0:
        return [], row.turn
    waiting = due(connection, row.id, now=now, limit=wanted, blocked=health.blocked | health.probes)
    return lanes.take(waiting, wanted=wanted, turn=row.turn)


_TAKE = Hot.update(
    tables.step,
    {"step": Id, "token": sa.BigInteger(), "state": sa.String(), "until": Instant(), "worker": Id, "now": Instant()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {
        "state": given.state,
        "lease_token": given.token,
        "lease_until": given.until,
        "worker": given.worker,
        "hold_reason": None,
        "hold_until": None,
        "updated_at": given.now,
    },
)
_LOOK = Hot.update(
    tables.step,
    {"step": Id, "token": sa.BigInteger(), "until": Instant(), "worker": Id},
    where=lambda given: (_STEP.id == given.step,),
    # It goes on saying that it is unclear and looked for; whoever dies over it leaves it due when the lease is over.
    values=lambda given: {
        "lease_token": given.token, "lease_until": given.until, "worker": given.worker, "due_at": given.until,
    },
)  # fmt: skip
_ATTEMPTS = Hot.insert(
    tables.attempt,
    without=("actor", "outcome", "fault_code", "fingerprint", "took", "ended_at", "evidence", "evidence_expires_at"),
)


def _lease(
    connection: Connection, rows: Sequence[Any], *, probing: frozenset[str], now: datetime, terms: Terms
) -> list[Claimed]:
    until = now + terms.lease
    claimed = [_claimed(row, probe=row.step in probing, now=now, until=until, terms=terms) for row in rows]
    common = {"until": until, "worker": terms.worker, "now": now, "state": StepState.SENDING.value}
    taken = [{"step": one.step, "token": one.token, **common} for one in claimed if not one.looks_only]
    _TAKE.run(connection, taken)
    _LOOK.run(connection, [{"step": one.step, "token": one.token, **common} for one in claimed if one.looks_only])
    _ATTEMPTS.run(connection, [_attempt_row(one, now=now, terms=terms) for one in claimed])
    return claimed


def _claimed(row: Any, *, probe: bool, now: datetime, until: datetime, terms: Terms) -> Claimed:
    safety, state = terms.safety_of(row.route, StepKind(row.kind)), StepState(row.state)
    # Where a repeat is harmless, `prepared` and `sending` are one commit; a look sends nothing.
    at_once = state is StepState.QUEUED and safety is ReplaySafety.IDEMPOTENT
    return Claimed(
        step=row.step,
        token=row.lease_token + 1,
        attempt=terms.ids(),
        state=state,
        phase=Phase.SENDING if at_once else Phase.PREPARED,
        safety=safety,
        kind=StepKind(row.kind),
        position=row.position,
        call=row.call,
        probe=probe,
        attempts_used=row.attempts_used,
        trigger=_trigger(row, state),
        operation=row.operation,
        past=row.past,
        looks=row.looks,
        unclear_until=row.settled_at,
        claimed_at=now,
        delivery=row.delivery,
        destination=row.destination,
        route=row.route,
        item_index=row.item_index,
        attachment=row.attachment,
        our_reference=row.our_reference,
        their_reference=row.their_reference,
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


def _trigger(row: Any, state: StepState) -> Trigger:
    if state is StepState.UNCLEAR:
        return Trigger.RESOLVER
    return Trigger.REPLAY if row.lane == Lane.REPLAY.value else Trigger.AUTO


def _attempt_row(one: Claimed, *, now: datetime, terms: Terms) -> dict[str, Any]:
    return {
        "id": one.attempt,
        "step": one.step,
        "delivery": one.delivery,
        "trigger": one.trigger.value,
        "operation": one.operation if one.trigger is Trigger.REPLAY else None,
        "worker": terms.worker,
        "lease_token": one.token,
        "phase": one.phase.value,
        "replay_safety": one.safety.value,
        "mapping_generation": one.past or terms.generation,
        "started_at": now,
        "sent_at": now if one.phase is Phase.SENDING else None,
    }
