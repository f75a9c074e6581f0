"""What becomes of a step whose worker is gone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model import Outcome, Phase, ReplaySafety, StepState, WaitReason
from hub.store import events, tables, workers
from hub.store.engine import database_now, is_sqlite
from hub.store.ids import uuid7

_STEP = tables.step.c
_ATTEMPT = tables.attempt.c
LOST = "worker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Steps given back, and steps that are now unclear."""

    queued: int = 0
    unclear: int = 0
    destinations: frozenset[str] = frozenset()


def recover(
    connection: Connection,
    *,
    mine: str,
    held: Collection[str] = (),
    silence: timedelta,
    sole: bool = False,
    limit: int = 200,
) -> Recovered:
    """Take back the steps of workers that are gone.

    A lease has run out and its worker's heartbeat is stale; steps that this
    process holds itself are never touched. `sole` is for a process that knows
    that it is the only one (SQLite at start): then every lease but its own is
    void, run out or not.
    """
    now = database_now(connection)
    query = (
        sa.select(_STEP.id, _STEP.destination, _STEP.delivery, _STEP.submission, _STEP.worker, _STEP.lease_token,
                  _STEP.attempts_used)
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
    outcomes = [_recover_one(connection, row, now=now) for row in rows]
    return Recovered(
        queued=outcomes.count(StepState.QUEUED),
        unclear=outcomes.count(StepState.UNCLEAR),
        destinations=frozenset(row.destination for row in rows),
    )


def _recover_one(connection: Connection, row: Any, *, now: Any) -> StepState:
    attempt = connection.execute(
        sa.select(_ATTEMPT.id, _ATTEMPT.phase, _ATTEMPT.replay_safety, _ATTEMPT.took).where(
            _ATTEMPT.step == row.id, _ATTEMPT.lease_token == row.lease_token
        )
    ).one_or_none()
    sent = attempt is not None and attempt.phase != Phase.PREPARED.value
    repeatable = attempt is not None and attempt.replay_safety in (
        ReplaySafety.IDEMPOTENT.value,
        ReplaySafety.REJECTS_DUPLICATES.value,
    )
    state = StepState.UNCLEAR if sent and not repeatable else StepState.QUEUED
    values: dict[str, Any] = {
        "state": state.value,
        # One further token: a result that comes late is recognised and changes nothing by itself.
        "lease_token": row.lease_token + 1,
        "lease_until": None,
        "worker": None,
        "due_at": now if state is StepState.QUEUED else None,
        "hold_reason": None if state is StepState.QUEUED else WaitReason.LOOKUP.value,
        "attempts_used": row.attempts_used + (1 if sent else 0),
        "updated_at": now,
    }
    connection.execute(sa.update(tables.step).where(_STEP.id == row.id).values(**values))
    if attempt is not None:
        outcome = Outcome.UNCLEAR if sent else Outcome.UNAVAILABLE
        ended = {"phase": Phase.ANSWERED.value, "outcome": outcome.value, "fault_code": LOST, "ended_at": now}
        connection.execute(sa.update(tables.attempt).where(_ATTEMPT.id == attempt.id).values(**ended))
    submission = connection.execute(
        sa.select(tables.submission.c.council, tables.submission.c.front_end).where(
            tables.submission.c.id == row.submission
        )
    ).one()
    event = events.row(
        event_id=uuid7(),
        at=now,
        kind=events.UNCLEAR if state is StepState.UNCLEAR else events.RECOVERED,
        council=submission.council,
        front_end=submission.front_end,
        submission=row.submission,
        delivery=row.delivery,
        detail={"fault_code": LOST},
    )
    events.INSERT.run(connection, [event])
    return state
