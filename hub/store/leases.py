"""What becomes of a step whose worker is gone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.resolving import LOOKED_UP, first_look
from hub.model import Outcome, Phase, ReplaySafety, StepKind, StepState, WaitReason
from hub.store import events, tables, workers
from hub.store.attempts import NUMBER_POSITION
from hub.store.engine import database_now, is_sqlite
from hub.store.ids import uuid7
from hub.store.steps import INSERT, LaterStep, later_rows, promote, wait_for_number

_STEP = tables.step.c
_ATTEMPT = tables.attempt.c
LOST = "worker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Steps given back, steps that are now unclear, and those that the product had taken already."""

    queued: int = 0
    unclear: int = 0
    delivered: int = 0
    destinations: frozenset[str] = frozenset()


def recover(
    connection: Connection,
    *,
    mine: str,
    held: Collection[str] = (),
    silence: timedelta,
    settle_of: Callable[[str], timedelta],
    sole: bool = False,
    limit: int = 200,
) -> Recovered:
    """Take back the steps of workers that are gone.

    A lease has run out and its worker's heartbeat is stale; steps that this
    process holds itself are never touched. `sole` is for a process that knows
    that it is the only one (SQLite at start): then every lease but its own is
    void, run out or not. `settle_of` says how long after an attempt a case may
    still turn up at a destination. A look whose worker is gone needs nothing:
    it is due again when its lease is over.
    """
    now = database_now(connection)
    query = (
        sa.select(_STEP.id, _STEP.destination, _STEP.delivery, _STEP.submission, _STEP.worker, _STEP.lease_token,
                  _STEP.attempts_used, _STEP.position, _STEP.kind, _STEP.order_key)
        .where(_STEP.state == StepState.SENDING.value)
        .limit(limit)
    )  # fmt: skip
    if sole:
        query = query.where(sa.or_(_STEP.worker.is_(None), _STEP.worker != mine))
    else:
        query = query.where(_STEP.lease_until < now)
    if held:
        query = query.where(_STEP.id.not_in(list(held)))
    if not is_sqlite(connection):
        query = query.with_for_update(skip_locked=True)
    # What this process holds stands in `held`; a lease of its own that is not there was never answered.
    living = frozenset() if sole else workers.living(connection, silence=silence) - {mine}
    rows = [row for row in connection.execute(query).all() if row.worker not in living]
    outcomes = [_recover_one(connection, row, now=now, settle=settle_of(row.destination)) for row in rows]
    return Recovered(
        queued=outcomes.count(StepState.QUEUED),
        unclear=outcomes.count(StepState.UNCLEAR),
        delivered=outcomes.count(StepState.DELIVERED),
        destinations=frozenset(row.destination for row in rows),
    )


def _recover_one(connection: Connection, row: Any, *, now: datetime, settle: timedelta) -> StepState:
    attempt = connection.execute(
        sa.select(_ATTEMPT.id, _ATTEMPT.phase, _ATTEMPT.replay_safety, _ATTEMPT.took).where(
            _ATTEMPT.step == row.id, _ATTEMPT.lease_token == row.lease_token
        )
    ).one_or_none()
    sent = attempt is not None and attempt.phase != Phase.PREPARED.value
    state = _state_after(attempt, sent=sent)
    looked_for = attempt is not None and row.kind == StepKind.CREATE.value and attempt.replay_safety in LOOKED_UP
    connection.execute(
        sa.update(tables.step)
        .where(_STEP.id == row.id)
        .values(
            state=state.value,
            # One further token: a result that comes late is recognised and changes nothing by itself.
            lease_token=row.lease_token + 1,
            lease_until=None,
            worker=None,
            attempts_used=row.attempts_used + (1 if sent else 0),
            looks=0,
            updated_at=now,
            **_held(state, looked_for=looked_for, now=now, settle=settle),
        )
    )
    if attempt is not None:
        ended = {"phase": Phase.ANSWERED.value, "outcome": _OUTCOMES[state, sent].value, "fault_code": LOST}
        connection.execute(sa.update(tables.attempt).where(_ATTEMPT.id == attempt.id).values(**ended, ended_at=now))
    if state is StepState.DELIVERED:
        _follow(connection, row, now=now)
    more = {"looked_for": True} if state is StepState.UNCLEAR and looked_for else {}
    _tell(connection, row, state=state, now=now, detail={"fault_code": LOST, **more})
    return state


def _state_after(attempt: Any, *, sent: bool) -> StepState:
    if attempt is not None and attempt.took is not None:
        # The product has it and said so; only its number may still be to come.
        return StepState.DELIVERED
    repeatable = attempt is not None and attempt.replay_safety in (
        ReplaySafety.IDEMPOTENT.value,
        ReplaySafety.REJECTS_DUPLICATES.value,
    )
    return StepState.UNCLEAR if sent and not repeatable else StepState.QUEUED


_OUTCOMES = {
    (StepState.DELIVERED, True): Outcome.DELIVERED,
    (StepState.DELIVERED, False): Outcome.DELIVERED,
    (StepState.UNCLEAR, True): Outcome.UNCLEAR,
    (StepState.QUEUED, True): Outcome.UNCLEAR,
    (StepState.QUEUED, False): Outcome.UNAVAILABLE,
}


def _held(state: StepState, *, looked_for: bool, now: datetime, settle: timedelta) -> dict[str, Any]:
    """When it is due, and why not before. Only a case can be looked for: a file or a note is in none of the answers."""
    if state is StepState.QUEUED:
        return {"due_at": now, "hold_reason": None, "hold_until": None, "settled_at": None}
    if state is StepState.UNCLEAR and looked_for:
        look = now + first_look(settle)
        held = {"hold_reason": WaitReason.LOOKUP.value, "hold_until": look}
        return {"due_at": look, "settled_at": now + settle, **held}
    return {"due_at": None, "hold_reason": None, "hold_until": None, "settled_at": None}


def _follow(connection: Connection, row: Any, *, now: datetime) -> None:
    """The number is fetched by a step of its own, from what was kept when the product took it."""
    if row.kind != StepKind.CREATE.value:
        promote(connection, [row.id], now=now)
    else:
        number = LaterStep(id=uuid7(), kind=StepKind.NUMBER, call=None)
        wait_for_number(connection, row.id, number=number.id)
        INSERT.run(
            connection,
            later_rows(
                [number], create=row.id, delivery=row.delivery, submission=row.submission,
                destination=row.destination, order_key=row.order_key, now=now, first=NUMBER_POSITION, due=now,
            ),
        )  # fmt: skip


_KINDS = {
    StepState.UNCLEAR: events.UNCLEAR,
    StepState.QUEUED: events.RECOVERED,
    StepState.DELIVERED: events.DELIVERED,
}


def _tell(connection: Connection, row: Any, *, state: StepState, now: datetime, detail: dict[str, Any]) -> None:
    submission = connection.execute(
        sa.select(tables.submission.c.council, tables.submission.c.front_end).where(
            tables.submission.c.id == row.submission
        )
    ).one()
    event = events.row(
        event_id=uuid7(),
        at=now,
        kind=_KINDS[state] if row.kind == StepKind.CREATE.value else _LATER_KINDS[state],
        council=submission.council,
        front_end=submission.front_end,
        submission=row.submission,
        delivery=row.delivery,
        detail=detail,
    )
    events.INSERT.run(connection, [event])


_LATER_KINDS = {
    StepState.UNCLEAR: events.ISSUE,
    StepState.QUEUED: events.RECOVERED,
    StepState.DELIVERED: events.LATER_DONE,
}
