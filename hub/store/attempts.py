"""The thoughts about an attempt: it is about to send, the case was taken, it is concluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import LeaseLost
from hub.model import Phase, StepState
from hub.store import events, tables
from hub.store.columns import Instant
from hub.store.hot import Hot

_STEP = tables.step.c
_ATTEMPT = tables.attempt.c

_TO_SENDING = Hot(
    sa.update(tables.attempt)
    .where(
        _ATTEMPT.id == sa.bindparam("b_attempt"),
        _ATTEMPT.phase == Phase.PREPARED.value,
        # Fenced: once the lease is gone, nothing may be sent under it.
        sa.exists().where(_STEP.id == sa.bindparam("b_step"), _STEP.lease_token == sa.bindparam("b_token"),
                          _STEP.state == StepState.SENDING.value),
    )
    .values(phase=Phase.SENDING.value, sent_at=sa.bindparam("b_at", type_=Instant()))
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The write is about to leave: from now on an expired lease means that it may have been taken."""

    rank: ClassVar[int] = 1

    attempt: str
    step: str
    token: int
    at: datetime

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        rows = [
            {"b_attempt": t.attempt, "b_step": t.step, "b_token": t.token, "b_at": t.at} for t in thoughts
        ]  # fmt: skip
        if _TO_SENDING.run(connection, rows) != len(thoughts):
            raise LeaseLost
        return [None] * len(thoughts)

    def landed(self, connection: Connection) -> bool:
        query = sa.select(_ATTEMPT.phase).where(_ATTEMPT.id == self.attempt)
        return connection.execute(query).scalar_one_or_none() != Phase.PREPARED.value

    def result_if_landed(self) -> None:
        return None


_TOOK = Hot(
    sa.update(tables.attempt)
    .where(_ATTEMPT.id == sa.bindparam("b_attempt"))
    .values(took=sa.bindparam("b_took", type_=sa.LargeBinary()))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """The product has accepted the write. `took` is sealed: its reference, or a token to ask for it by."""

    rank: ClassVar[int] = 2

    attempt: str
    took: bytes

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        _TOOK.run(connection, [{"b_attempt": t.attempt, "b_took": t.took} for t in thoughts])
        return [None] * len(thoughts)

    def landed(self, connection: Connection) -> bool:
        query = sa.select(_ATTEMPT.took).where(_ATTEMPT.id == self.attempt)
        return connection.execute(query).scalar_one_or_none() is not None

    def result_if_landed(self) -> None:
        return None


_FINISH_STEP = Hot(
    sa.update(tables.step)
    .where(
        _STEP.id == sa.bindparam("b_step"),
        _STEP.lease_token == sa.bindparam("b_token"),
        _STEP.state == StepState.SENDING.value,
    )
    .values(
        state=sa.bindparam("b_state"),
        due_at=sa.bindparam("b_due", type_=Instant()),
        hold_reason=sa.bindparam("b_hold"),
        hold_until=sa.bindparam("b_hold_until", type_=Instant()),
        attempts_used=sa.bindparam("b_used"),
        fingerprint=sa.bindparam("b_print", type_=sa.LargeBinary()),
        lease_until=None,
        worker=None,
        updated_at=sa.bindparam("b_at", type_=Instant()),
    )
)
_FINISH_ATTEMPT = Hot(
    sa.update(tables.attempt)
    .where(_ATTEMPT.id == sa.bindparam("b_attempt"))
    .values(
        phase=Phase.ANSWERED.value,
        outcome=sa.bindparam("b_outcome"),
        fault_code=sa.bindparam("b_code"),
        fingerprint=sa.bindparam("b_print", type_=sa.LargeBinary()),
        ended_at=sa.bindparam("b_at", type_=Instant()),
        evidence=sa.bindparam("b_evidence", type_=sa.LargeBinary()),
        evidence_expires_at=sa.bindparam("b_expires", type_=Instant()),
    )
)
_SET_REFERENCE = Hot(
    sa.update(tables.delivery)
    .where(tables.delivery.c.id == sa.bindparam("b_delivery"))
    .values(their_reference=sa.bindparam("b_reference"), joined=sa.bindparam("b_joined"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """One attempt is over: attempt, state, receipt and event in one transaction, fenced by the lease token.

    Raises LeaseLost when the step is no longer this worker's; then nothing is changed.
    """

    rank: ClassVar[int] = 3

    attempt: str
    step: str
    token: int
    delivery: str
    submission: str
    council: str
    front_end: str
    outcome: str
    state: StepState
    attempts_used: int
    at: datetime
    event_id: str
    due_at: datetime | None = None
    hold_reason: str | None = None
    hold_until: datetime | None = None
    fault_code: str | None = None
    fingerprint: bytes | None = None
    their_reference: str | None = None
    joined: bool = False
    evidence: bytes | None = None
    evidence_expires_at: datetime | None = None

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        if _FINISH_STEP.run(connection, [t._step_row() for t in thoughts]) != len(thoughts):
            raise LeaseLost
        _FINISH_ATTEMPT.run(connection, [t._attempt_row() for t in thoughts])
        known = [
            {"b_delivery": t.delivery, "b_reference": t.their_reference, "b_joined": t.joined}
            for t in thoughts
            if t.their_reference is not None or t.joined
        ]
        _SET_REFERENCE.run(connection, known)
        events.INSERT.run(connection, [t._event_row() for t in thoughts])
        return [None] * len(thoughts)

    def landed(self, connection: Connection) -> bool:
        query = sa.select(tables.event.c.id).where(tables.event.c.id == self.event_id)
        return connection.execute(query).first() is not None

    def result_if_landed(self) -> None:
        return None

    def _step_row(self) -> dict[str, Any]:
        return {
            "b_step": self.step,
            "b_token": self.token,
            "b_state": self.state.value,
            "b_due": self.due_at,
            "b_hold": self.hold_reason,
            "b_hold_until": self.hold_until,
            "b_used": self.attempts_used,
            "b_print": self.fingerprint,
            "b_at": self.at,
        }

    def _attempt_row(self) -> dict[str, Any]:
        return {
            "b_attempt": self.attempt,
            "b_outcome": self.outcome,
            "b_code": self.fault_code,
            "b_print": self.fingerprint,
            "b_at": self.at,
            "b_evidence": self.evidence,
            "b_expires": self.evidence_expires_at,
        }

    def _event_row(self) -> dict[str, Any]:
        detail = {"outcome": self.outcome}
        if self.fault_code:
            detail["fault_code"] = self.fault_code
        return events.row(
            event_id=self.event_id,
            at=self.at,
            kind=_EVENTS[self.state],
            council=self.council,
            front_end=self.front_end,
            submission=self.submission,
            delivery=self.delivery,
            detail=detail,
        )


_EVENTS = {
    StepState.DELIVERED: events.DELIVERED,
    StepState.QUEUED: events.RETRY,
    StepState.DEAD: events.DEAD,
    StepState.UNCLEAR: events.UNCLEAR,
}


def late_result(connection: Connection, late: Conclude) -> StepState:
    """Keep an answer that came after its lease was lost, and let it settle the doubt it left.

    The step is touched only while it is still unclear because of this very
    attempt (one token later): a receipt makes it delivered, a certain "no"
    makes it what it would have been. Returns the step's state.
    """
    _FINISH_ATTEMPT.run(connection, [late._attempt_row()])
    row = connection.execute(
        sa.select(_STEP.state, _STEP.lease_token).where(_STEP.id == late.step).with_for_update()
    ).one()
    settles = row.state == StepState.UNCLEAR.value and row.lease_token == late.token + 1
    if settles and late.state is not StepState.UNCLEAR:
        values = {
            "state": late.state.value,
            "due_at": late.due_at,
            "hold_reason": late.hold_reason,
            "hold_until": late.hold_until,
            "attempts_used": late.attempts_used,
            "fingerprint": late.fingerprint,
            "updated_at": late.at,
        }
        connection.execute(sa.update(tables.step).where(_STEP.id == late.step).values(**values))
        if late.their_reference is not None:
            _SET_REFERENCE.run(
                connection,
                [{"b_delivery": late.delivery, "b_reference": late.their_reference, "b_joined": late.joined}],
            )
    event = late._event_row() | {"kind": events.LATE_RESULT}
    events.INSERT.run(connection, [event])
    return late.state if settles else StepState(row.state)
