"""A submission that not every route could be decided for, routed again or set aside by a person's word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.retention import AGAIN
from hub.errors import WrongState
from hub.model import DeliveryKind
from hub.store import accept, audit, events, follow_ups, submissions, tables
from hub.store.accept import NewDelivery
from hub.store.engine import database_now
from hub.store.follow_ups import Calls, Words
from hub.store.ids import uuid7

_SUB = tables.submission.c
_DEL = tables.delivery.c
_CONTENT = tables.submission_content.c

_ROUTED = "All its routes were decided; replay its deliveries instead (`hub deliveries replay`)."
_MOVED = "Somebody else has just done something with it; look at it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrouted:
    """A submission with faults of routing: its row, its newest content, and the cases that it has."""

    row: Any
    revision: int
    body: bytes | None  #: sealed; None once it is forgotten
    cases: Sequence[Any]  #: rows of delivery

    @property
    def discarded(self) -> bool:
        return self.row.discarded_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does it, and why."""

    actor: str
    reason: str | None = None


def find(connection: Connection, name: str) -> Unrouted:
    """The submission of this id or reference. Raises NotThere, and WrongState for one that was routed whole."""
    row = submissions.find(connection, name)
    if row.faults is None:
        raise WrongState(_ROUTED)
    return _whole(connection, row)


def _whole(connection: Connection, row: Any) -> Unrouted:
    newest = (
        sa.select(tables.submission_content)
        .where(_CONTENT.submission == row.id)
        .order_by(_CONTENT.revision.desc())
        .limit(1)
    )
    content = connection.execute(newest).one()
    case = _DEL.submission == row.id, _DEL.kind == DeliveryKind.CASE.value
    cases = connection.execute(sa.select(tables.delivery).where(*case).order_by(_DEL.id)).all()
    return Unrouted(row=row, revision=content.revision, body=content.body, cases=cases)


def _again(connection: Connection, seen: Unrouted) -> None:
    """Nobody else does anything with it before this transaction ends, and nobody has since it was seen.

    Raises WrongState.
    """
    row = connection.execute(sa.select(tables.submission).where(_SUB.id == seen.row.id).with_for_update()).one()
    now = _whole(connection, row)
    before = seen.row.faults, seen.row.discarded_at, len(seen.cases)
    if (row.faults, row.discarded_at, len(now.cases)) != before:
        raise WrongState(_MOVED)


def route(
    connection: Connection,
    seen: Unrouted,
    made: Sequence[NewDelivery],
    *,
    faults: Sequence[str],
    act: Act,
    said: Callable[[Any], Words],
    call_of: Calls,
) -> None:
    """It gets these deliveries more; `faults` are what routing still cannot decide.

    What was said of it before any system had it follows, as `said` reads it.
    Raises WrongState where somebody else was faster.
    """
    _again(connection, seen)
    now = database_now(connection)
    row = seen.row
    accept.deliver(connection, row, made, now=now)
    connection.execute(
        sa.update(tables.submission)
        .where(_SUB.id == row.id)
        .values(faults=list(faults) or sa.null(), discarded_at=None)
    )
    # Retention may have passed by, or have been told to come.
    _look_at(connection, seen, at=now + AGAIN)
    if made:
        follow_ups.catch_up(connection, row.id, cases=[each.id for each in made], said=said, call_of=call_of)
        told = _event(seen, events.ACCEPTED if not faults else events.REPLAYED, act, now=now)
        events.INSERT.run(connection, [told])
    detail = {"deliveries": len(made), "still_unrouted": bool(faults)}
    _audit(connection, seen, "submission.replay", act, detail)


def discard(connection: Connection, seen: Unrouted, *, act: Act) -> None:
    """Nothing more is routed. One that went nowhere is set aside; of any other, the rest stays as it is.

    Raises WrongState.
    """
    if seen.discarded:
        raise WrongState("It is set aside already; `hub submissions replay` with a reason brings it back.")
    _again(connection, seen)
    now = database_now(connection)
    rest: dict[str, Any] = {"faults": sa.null()} if seen.cases else {"discarded_at": now}
    connection.execute(sa.update(tables.submission).where(_SUB.id == seen.row.id).values(**rest))
    _look_at(connection, seen, at=now + AGAIN)
    if not seen.cases:
        events.INSERT.run(connection, [_event(seen, events.DISCARDED, act, now=now)])
    _audit(connection, seen, "submission.discard", act, None)


def _look_at(connection: Connection, seen: Unrouted, *, at: datetime) -> None:
    connection.execute(
        sa.update(tables.submission_content).where(_CONTENT.submission == seen.row.id).values(expires_at=at)
    )


def _event(seen: Unrouted, kind: str, act: Act, *, now: datetime) -> dict[str, Any]:
    return events.row(
        event_id=uuid7(), at=now, kind=kind, council=seen.row.council, front_end=seen.row.front_end,
        submission=seen.row.id, actor=act.actor,
    )  # fmt: skip


def _audit(connection: Connection, seen: Unrouted, verb: str, act: Act, detail: dict[str, Any] | None) -> None:
    audit.record(
        connection, actor=act.actor, verb=verb, subject=seen.row.id, council=seen.row.council, reason=act.reason,
        detail=detail,
    )  # fmt: skip
