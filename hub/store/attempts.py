"""The thoughts about an attempt: it is about to send, the case was taken, it is concluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.resolving import ResolvedBy
from hub.errors import LeaseLost
from hub.model import Phase, StepState, Trigger
from hub.store import events, tables
from hub.store.columns import Id, Instant
from hub.store.engine import database_now
from hub.store.hot import Hot
from hub.store.steps import INSERT, LaterStep, later_rows, promote, wait_for_number

_STEP = tables.step.c
_ATTEMPT = tables.attempt.c

#: Attachments stand before it; there is one for each delivery, and never so many attachments.
NUMBER_POSITION = 1_000

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

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        now = database_now(connection)
        rows = [{"attempt": t.attempt, "step": t.step, "token": t.token, "at": now} for t in thoughts]
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


def _while_unclear(given: Any, told: Any, known: Any, *, otherwise: Any) -> Any:
    unclear = given.state == sa.literal_column(f"'{StepState.UNCLEAR.value}'")
    return sa.case((unclear, sa.func.coalesce(told, known)), else_=otherwise)


_FINISH_STEP = Hot.update(
    tables.step,
    {
        "step": Id,
        "token": sa.BigInteger(),
        "before": sa.String(),
        "state": sa.String(),
        "due": Instant(),
        "hold": sa.String(),
        "hold_until": Instant(),
        "used": sa.Integer(),
        "looks": sa.Integer(),
        "settled": Instant(),
        "print": sa.LargeBinary(),
        "at": Instant(),
    },
    where=lambda given: (_STEP.id == given.step, _STEP.lease_token == given.token, _STEP.state == given.before),
    values=lambda given: {
        "state": given.state,
        "due_at": given.due,
        "hold_reason": given.hold,
        "hold_until": given.hold_until,
        "attempts_used": given.used,
        "looks": given.looks,
        # While it is unclear, what is not told anew stays as it is: since when, and because of what.
        "settled_at": _while_unclear(given, given.settled, _STEP.settled_at, otherwise=None),
        "fingerprint": _while_unclear(given, given.print, _STEP.fingerprint, otherwise=given.print),
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
        "took": sa.LargeBinary(),
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
        "took": sa.func.coalesce(given.took, _ATTEMPT.took),
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
    """One attempt or look is over: attempt, state, receipt, event and what follows in one transaction.

    Fenced by the lease token and by the state it was claimed in (`before`);
    raises LeaseLost when the step is no longer this worker's, and then nothing
    is changed. Times to come are given as waits: the database's clock makes
    instants of them, whatever this process's clock shows.
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
    event_id: str
    before: StepState = StepState.SENDING
    create: bool = True  #: the create step: its receipt is the delivery's
    destination: str = ""
    after: timedelta | None = None  #: until it is sent, or looked for
    hold_reason: str | None = None
    looks: int = 0
    settled_after: timedelta | None = None  #: unclear: until a look that finds nothing counts
    fault_code: str | None = None
    fingerprint: bytes | None = None
    their_reference: str | None = None
    joined: bool = False
    took: bytes | None = None  #: sealed, when the number is still to follow
    number: LaterStep | None = None  #: the step that asks for its number, where that is still to follow
    resolved_by: str | None = None
    silent: bool = False  #: nothing has changed that anybody must be told
    evidence: bytes | None = None
    evidence_for: timedelta | None = None

    @classmethod
    def write_all(cls, connection: Connection, thoughts: Sequence[Self]) -> list[Any]:
        now = database_now(connection)
        if _FINISH_STEP.run(connection, [t._step_row(now) for t in thoughts]) != len(thoughts):
            raise LeaseLost
        _FINISH_ATTEMPT.run(connection, [t._attempt_row(now) for t in thoughts])
        _delivered(connection, thoughts, now=now)
        events.INSERT.run(connection, [t._event_row(now) for t in thoughts if not t.silent])
        return [None] * len(thoughts)

    def landed(self, connection: Connection) -> bool:
        query = sa.select(_ATTEMPT.phase, _ATTEMPT.outcome, _ATTEMPT.fault_code).where(_ATTEMPT.id == self.attempt)
        return connection.execute(query).one_or_none() == (Phase.ANSWERED.value, self.outcome, self.fault_code)

    def result_if_landed(self) -> None:
        return None

    def _step_row(self, now: datetime) -> dict[str, Any]:
        due = now + self.after if self.after is not None else None
        return {
            "step": self.step,
            "token": self.token,
            "before": self.before.value,
            "state": self.state.value,
            "due": due,
            "hold": self.hold_reason,
            "hold_until": due if self.hold_reason else None,
            "used": self.attempts_used,
            "looks": self.looks,
            "settled": now + self.settled_after if self.settled_after is not None else None,
            "print": self.fingerprint,
            "at": now,
        }

    def _attempt_row(self, now: datetime) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "outcome": self.outcome,
            "code": self.fault_code,
            "print": self.fingerprint,
            "took": self.took,
            "at": now,
            "evidence": self.evidence,
            "expires": now + self.evidence_for if self.evidence_for is not None else None,
        }

    def _event_row(self, now: datetime) -> dict[str, Any]:
        detail: dict[str, Any] = {}
        if self.fault_code:
            detail = {"outcome": self.outcome, "fault_code": self.fault_code}
        if self.state is StepState.UNCLEAR and self.after is not None:
            detail["looked_for"] = True
        if self.resolved_by is not None:
            detail |= {"outcome": self.outcome, "by": self.resolved_by}
        return events.row(
            event_id=self.event_id,
            at=now,
            kind=self._event_kind(),
            council=self.council,
            front_end=self.front_end,
            submission=self.submission,
            delivery=self.delivery,
            detail=detail,
        )

    def _event_kind(self) -> str:
        if not self.create:
            return _LATER_EVENTS[self.state]
        if self.before is StepState.UNCLEAR and self.state is StepState.QUEUED:
            return events.RESOLVED
        return _EVENTS[self.state]


_EVENTS = {
    StepState.DELIVERED: events.DELIVERED,
    StepState.QUEUED: events.RETRY,
    StepState.DEAD: events.DEAD,
    StepState.UNCLEAR: events.UNCLEAR,
}
_LATER_EVENTS = {
    StepState.DELIVERED: events.LATER_DONE,
    StepState.QUEUED: events.RETRY,
    StepState.DEAD: events.ISSUE,
    StepState.UNCLEAR: events.ISSUE,
}


def _delivered(connection: Connection, thoughts: Sequence[Conclude], *, now: datetime) -> None:
    """The references that are known now, what follows, and what waited for these."""
    known = [
        {"delivery": t.delivery, "reference": t.their_reference, "joined": t.joined}
        for t in thoughts
        if t.their_reference is not None or t.joined
    ]
    _SET_REFERENCE.run(connection, known)
    done = [t for t in thoughts if t.state is StepState.DELIVERED]
    if not done:
        return
    promote(connection, [t.step for t in done if t.number is None], now=now)
    for t in done:
        if t.number is not None:
            wait_for_number(connection, t.step, number=t.number.id)
            rows = later_rows(
                [t.number], create=t.step, delivery=t.delivery, submission=t.submission, destination=t.destination,
                order_key=t.submission, now=now, first=NUMBER_POSITION, due=now,
            )  # fmt: skip
            INSERT.run(connection, rows)


def taken(connection: Connection, delivery: str) -> Any:
    """The attempt of the create that the product has taken, with its sealed `took`; None where nothing was kept."""
    query = (
        sa.select(_ATTEMPT.id, _ATTEMPT.took)
        .join(tables.step, _STEP.id == _ATTEMPT.step)
        .where(_STEP.delivery == delivery, _STEP.position == 0, _ATTEMPT.took.is_not(None))
        .order_by(_ATTEMPT.lease_token.desc())
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def first_sent(connection: Connection, step: str) -> datetime | None:
    """When this step was first tried: what it may have made is not older."""
    query = sa.select(sa.func.min(_ATTEMPT.started_at, type_=Instant())).where(
        _ATTEMPT.step == step, _ATTEMPT.trigger != Trigger.RESOLVER.value
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def late_result(connection: Connection, late: Conclude) -> StepState:
    """Keep an answer that came after its lease was lost, and let it settle the doubt it left.

    The step is touched only while it is still unclear because of this very
    attempt, the last that was sent: a receipt makes it delivered, a certain
    "no" makes it what it would have been. Returns the step's state.
    """
    if late.landed(connection):
        return late.state  # it is not late: it was written, and only the word of that was lost
    now = database_now(connection)
    _FINISH_ATTEMPT.run(connection, [late._attempt_row(now)])
    row = connection.execute(
        sa.select(_STEP.state, _STEP.lease_token).where(_STEP.id == late.step).with_for_update()
    ).one()
    last = sa.select(_ATTEMPT.id).where(_ATTEMPT.step == late.step, _ATTEMPT.trigger != Trigger.RESOLVER.value)
    last_sent = connection.execute(last.order_by(_ATTEMPT.lease_token.desc()).limit(1)).scalar_one()
    unclear = row.state == StepState.UNCLEAR.value and last_sent == late.attempt
    settles = unclear and late.before is StepState.SENDING and late.state is not StepState.UNCLEAR
    event = late._event_row(now) | {"kind": events.LATE_RESULT}
    if settles:
        # Under a token of its own, so that a look that is under way changes nothing any more.
        late = replace(late, token=row.lease_token, before=StepState.UNCLEAR, resolved_by=ResolvedBy.LATE_ANSWER.value)
        _FINISH_STEP.run(connection, [late._step_row(now)])
        connection.execute(sa.update(tables.step).where(_STEP.id == late.step).values(lease_token=row.lease_token + 1))
        _delivered(connection, [late], now=now)
        event = late._event_row(now)
    events.INSERT.run(connection, [event])
    return late.state if settles else StepState(row.state)
