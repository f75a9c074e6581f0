"""What is due at one destination: the queries of the claim, lane by lane."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.lanes import LOOKS
from hub.model import Lane
from hub.store import tables
from hub.store.ask import Ask
from hub.store.columns import Instant

_STEP = tables.step.c
_CONTENT = tables.submission_content.c

#: Operations with an open breaker that one claim can leave out; a destination has a handful.
MOST_BLOCKED: Final = 8

_CALL = sa.func.coalesce(_STEP.call, sa.literal_column("'create'"))


def _some(*conditions: Any) -> Any:
    """The ids of at most `b_limit` steps that are due, the longest due first."""
    found = (
        sa.select(_STEP.id)
        .where(
            _STEP.destination == sa.bindparam("b_id"),
            _STEP.due_at.is_not(None),
            _STEP.due_at <= sa.bindparam("b_now", type_=Instant()),
            *conditions,
        )
        .order_by(_STEP.due_at, _STEP.id)
        .limit(sa.bindparam("b_limit", type_=sa.Integer()))
        .subquery()
    )
    return sa.select(found.c.id)


def _query(*conditions: Any) -> Ask:
    """Everything that is needed to send them; each lane is looked at by itself, so that none hides another."""
    queued = _STEP.state == sa.literal_column("'queued'")
    lanes = [_some(queued, _STEP.lane == sa.literal_column(f"'{lane.value}'"), *conditions) for lane in Lane]
    looks = _some(
        _STEP.state == sa.literal_column("'unclear'"),
        # One that is being looked at has its lease until then.
        sa.or_(_STEP.lease_until.is_(None), _STEP.lease_until <= sa.bindparam("b_now", type_=Instant())),
        *conditions,
    )
    due = sa.union_all(*lanes, looks).subquery()
    latest = (
        sa.select(sa.func.max(_CONTENT.revision))
        .where(_CONTENT.submission == _STEP.submission)
        .correlate(tables.step)
        .scalar_subquery()
    )
    return Ask(
        sa.select(
            _STEP.id.label("step"), _STEP.lease_token, _STEP.kind, _STEP.position, _STEP.state, _STEP.attempts_used,
            _STEP.lane, _STEP.call, _STEP.operation, _STEP.attachment, _STEP.looks, _STEP.settled_at, _STEP.due_at,
            tables.delivery.c.id.label("delivery"), tables.delivery.c.destination, tables.delivery.c.route,
            tables.delivery.c.item_index, tables.delivery.c.our_reference, tables.delivery.c.their_reference,
            tables.submission.c.id.label("submission"), tables.submission.c.reference,
            tables.submission.c.front_end_reference, tables.submission.c.front_end, tables.submission.c.council,
            tables.submission.c.service, tables.submission.c.version, tables.submission.c.accepted_at,
            tables.submission.c.due_by, tables.submission.c.warnings, tables.submission.c.trace_id,
            _CONTENT.revision, _CONTENT.body, tables.operation.c.generation.label("past"),
        )
        .select_from(due)
        .join(tables.step, _STEP.id == due.c.id)
        .join(tables.delivery, tables.delivery.c.id == _STEP.delivery)
        .join(tables.submission, tables.submission.c.id == _STEP.submission)
        .join(tables.submission_content, sa.and_(_CONTENT.submission == _STEP.submission, _CONTENT.revision == latest))
        .outerjoin(tables.operation, tables.operation.c.id == _STEP.operation)
        .order_by(_STEP.due_at, _STEP.id)
    )  # fmt: skip


_ANY = _query()
_NOT_BLOCKED = _query(_CALL.not_in([sa.bindparam(f"b_blocked{at}") for at in range(MOST_BLOCKED)]))
_OF_ONE_CALL = _query(sa.bindparam("b_call") == _CALL)


def due(
    connection: Connection, destination: str, *, now: datetime, limit: int, blocked: Collection[str] = ()
) -> dict[str, Sequence[Any]]:
    """By lane, at most `limit` each, without the operations that are blocked."""
    if blocked:
        padded = [*sorted(blocked)[:MOST_BLOCKED], *[""] * (MOST_BLOCKED - len(blocked))]
        given = {f"b_blocked{at}": call for at, call in enumerate(padded)}
        rows = _NOT_BLOCKED.all(connection, b_id=destination, b_now=now, b_limit=limit, **given)
    else:
        rows = _ANY.all(connection, b_id=destination, b_now=now, b_limit=limit)
    return _by_lane(rows)


def due_for(connection: Connection, destination: str, call: str, *, now: datetime) -> list[Any]:
    """The first step that is due for this operation, if there is one: a probe."""
    return list(_OF_ONE_CALL.all(connection, b_id=destination, b_now=now, b_limit=1, b_call=call)[:1])


def _by_lane(rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    lanes: dict[str, list[Any]] = {}
    for row in rows:
        lanes.setdefault(LOOKS if row.state == "unclear" else row.lane, []).append(row)
    return dict(lanes)
