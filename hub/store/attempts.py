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
from hub.store.columns import Id, Instant
from hub.store.hot import Hot

_STEP = tables.step.c
_ATTEMPT = tables.attempt.c

_TO_SENDING = Hot.update(
    tables.attempt,
    {"attempt": Id, "step": Id, "token": sa.BigInteger(), "at": Instant()},
    where=lambda given: (
        _ATTEMPT.id == given.attempt,
        # Again after a write that was not taken (an expired session): still one attempt, under the same lease.
        _ATTEMPT.phase != Phase.ANSWERED.value,
        # Fenced: once the lease is gone, nothing may be sent under it.
        sa.exists().where(
            _STEP.id == given.step, _STEP.lease_token == given.token, _STEP.state == StepState.SENDING.value
        ),
    ),
    values=lambda given: {"phase": Phase.SENDING.value, "sent_at": given.at},
)


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
        rows = [{"attempt": t.attempt, "step": t.step, "token": t.token, "at": t.at} for t in thoughts]
        if _TO_SENDING.run(connection, rows) != len(thoughts):
            raise LeaseLost
        return [None] * len(thoughts)

    def landed(self, connection: Connection) -> bool:
        query = sa.select(_ATTEMPT.phase).where(_ATTEMPT.id == self.attempt)
        return connection.execute(query).scalar_one_or_none() != Phase.PREPARED.value

    def result_if_landed(self) -> None:
        return None


_TOOK = Hot.update(
    tables.attempt,
    {"attempt": Id, "took": sa.LargeBinary()},
    where=lambda given: (_ATTEMPT.id == given.attempt,),
    values=lambda given: {"took": given.took},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """The product has accepted the write. `took` is sealed: its reference, or a token to ask for it by."""

    rank: ClassVar[int] = 2

    attempt: str
    took: bytes

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        _TOOK.run(connection, [{"attempt": t.attempt, "took": t.took} for t in thoughts])
        return [None] * len(thoughts)

    def landed(self, connection: Connection) -> bool:
        query = sa.select(_ATTEMPT.took).where(_ATTEMPT.id == self.attempt)
        return connection.execute(query).scalar_one_or_none() is not None

    def result_if_landed(self) -> None:
        return None


_FINISH_STEP = Hot.update(
    tables.step,
    {
        "step": Id,
        "token": sa.BigInteger(),
        "state": sa.String(),
        "due": Instant(),
        "hold": sa.String(),
        "hold_until": Instant(),
        "used": sa.Integer(),
        "print": sa.LargeBinary(),
        "at": Instant(),
    },
    where=lambda given: (
        _STEP.id == given.step,
        _STEP.lease_token == given.token,
        _STEP.state == StepState.SENDING.value,
    ),
    values=lambda given: {
        "state": given.state,
        "due_at": given.due,
        "hold_reason": given.hold,
        "hold_until": given.hold_until,
        "attempts_used": given.used,
        "fingerprint": given.print,
        "lease_until": None,
        "worker": None,
        "updated_at": given.at,
    },
)
_FINISH_ATTEMPT = Hot.update(
    tables.attempt,
    {
        "attempt": Id,
        "outcome": sa.String(),
        "code": sa.String(),
        "print": sa.LargeBinary(),
        "at": Instant(),
        "evidence": sa.LargeBinary(),
        "expires": Instant(),
    },
    where=lambda given: (_ATTEMPT.id == given.attempt,),
    values=lambda given: {
        "phase": Phase.ANSWERED.value,
        "outcome": given.outcome,
        "fault_code": given.code,
        "fingerprint": given.print,
        "ended_at": given.at,
        "evidence": given.evidence,
        "evidence_expires_at": given.expires,
    },
)
_SET_REFERENCE = Hot.update(
    tables.delivery,
    {"delivery": Id, "reference": sa.String(), "joined": sa.Boolean()},
    where=lambda given: (tables.delivery.c.id == given.delivery,),
    values=lambda given: {"their_reference": given.reference, "joined": given.joined},
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
            {"delivery": t.delivery, "reference": t.their_reference, "joined": t.joined}
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
            "step": self.step,
            "token": self.token,
            "state": self.state.value,
            "due": self.due_at,
            "hold": self.hold_reason,
            "hold_until": self.hold_until,
            "used": self.attempts_used,
            "print": self.fingerprint,
            "at": self.at,
        }

    def _attempt_row(self) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "outcome": self.outcome,
            "code": self.fault_code,
            "print": self.fingerprint,
            "at": self.at,
            "evidence": self.evidence,
            "expires": self.evidence_expires_at,
        }

    def _event_row(self) -> dict[str, Any]:
        detail = {"outcome": self.outcome, "fault_code": self.fault_code} if self.fault_code else None
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
                [{"delivery": late.delivery, "reference": late.their_reference, "joined": late.joined}],
            )
    event = late._event_row() | {"kind": events.LATE_RESULT}
    events.INSERT.run(connection, [event])
    return late.state if settles else StepState(row.state)
