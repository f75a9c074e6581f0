"""The statements of a restore: steps and attempts, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model import Outcome, Phase, StepState, WaitReason
from hub.store import tables
from hub.store.columns import Id, Instant
from hub.store.hot import Hot

_STEP = tables.step.c
_ATTEMPT = tables.attempt.c

#: One further token: nothing that held the step when the backup was made can write to it again.
_FREE: Mapping[str, Any] = {"lease_token": _STEP.lease_token + 1, "lease_until": None, "worker": None}

_REQUEUE = Hot.update(
    tables.step,
    {"step": Id, "now": Instant()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {
        "state": StepState.QUEUED.value, "due_at": given.now, "hold_reason": None, "hold_until": None,
        "updated_at": given.now, **_FREE,
    },
)  # fmt: skip
_UNCLEAR = Hot.update(
    tables.step,
    {"step": Id, "due": Instant(), "settled": Instant(), "hold": sa.String(), "print": sa.LargeBinary(),
     "now": Instant()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {
        "state": StepState.UNCLEAR.value, "due_at": given.due, "settled_at": given.settled, "looks": 0,
        "hold_reason": given.hold, "hold_until": given.due, "fingerprint": given.print, "updated_at": given.now,
        **_FREE,
    },
)  # fmt: skip
_LOOK_ANEW = Hot.update(
    tables.step,
    {"step": Id, "settled": Instant(), "now": Instant()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {
        "due_at": given.now, "settled_at": given.settled, "looks": 0, "hold_reason": WaitReason.LOOKUP.value,
        "hold_until": given.now, "updated_at": given.now, **_FREE,
    },
)  # fmt: skip
_RUN_OUT = Hot.update(
    tables.step,
    {"step": Id, "now": Instant()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {"lease_until": given.now, "worker": None},
)
_NOTE = Hot.update(
    tables.step,
    {"step": Id, "reason": sa.Text()},
    where=lambda given: (_STEP.id == given.step,),
    values=lambda given: {"reason": given.reason},
)
_END = Hot.update(
    tables.attempt,
    {"attempt": Id, "code": sa.String(), "now": Instant()},
    where=lambda given: (_ATTEMPT.id == given.attempt,),
    values=lambda given: {
        "phase": Phase.ANSWERED.value, "outcome": Outcome.UNCLEAR.value, "fault_code": given.code,
        "ended_at": given.now,
    },
)  # fmt: skip


def open_attempts(connection: Connection, steps: Sequence[str]) -> Sequence[Any]:
    """The attempts of these steps that were under way."""
    query = sa.select(_ATTEMPT.id, _ATTEMPT.step, _ATTEMPT.lease_token, _ATTEMPT.took).where(
        _ATTEMPT.step.in_(steps), _ATTEMPT.phase != Phase.ANSWERED.value
    )
    return connection.execute(query).all()


def took(attempts: Sequence[Any], step: Any) -> bool:
    """Whether the product had said, when the backup was made, that it has this one."""
    return step.state == StepState.SENDING.value and any(
        one.lease_token == step.lease_token and one.took is not None for one in attempts
    )


def leave_to_recovery(connection: Connection, steps: Sequence[Any], *, now: datetime) -> None:
    """The next worker takes these back as delivered, with what is left to do of them."""
    _RUN_OUT.run(connection, [{"step": step.id, "now": now} for step in steps])


def end_attempts(connection: Connection, attempts: Sequence[Any], *, code: str, now: datetime) -> None:
    _END.run(connection, [{"attempt": one.id, "code": code, "now": now} for one in attempts])


def requeue(connection: Connection, steps: Sequence[Any], *, now: datetime) -> None:
    _REQUEUE.run(connection, [{"step": step.id, "now": now} for step in steps])


def make_unclear(connection: Connection, steps: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """`due` and `settled` say when they are looked for; without, they are a person's."""
    hold = WaitReason.LOOKUP.value
    _UNCLEAR.run(connection, [{**step, "hold": hold if step["due"] else None, "now": now} for step in steps])


def look_anew(connection: Connection, steps: Sequence[tuple[Any, datetime]], *, now: datetime) -> None:
    """What was being looked for may have been found missing and sent since: no look of before counts."""
    _LOOK_ANEW.run(connection, [{"step": step.id, "settled": settled, "now": now} for step, settled in steps])


def note(connection: Connection, notes: Sequence[tuple[Any, str]]) -> None:
    _NOTE.run(connection, [{"step": step.id, "reason": text} for step, text in notes])
