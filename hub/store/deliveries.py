"""Deliveries for staff: listed by what they have in common, and one with all its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import NotThere
from hub.model import Lane, StepState
from hub.store import tables
from hub.store.engine import database_now
from hub.store.paging import Page, after, cut
from hub.store.submissions import DeliveryView, delivery_query, delivery_view, delivery_views

_DEL = tables.delivery.c
_STEP = tables.step.c
_SUB = tables.submission.c


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """What deliveries have in common; None and empty mean any. `q` is anybody's reference for it."""

    state: Sequence[StepState] = ()
    councils: Sequence[str] | None = None
    destination: str | None = None
    service: str | None = None
    group: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    submission: str | None = None

    def conditions(self) -> list[Any]:
        found: list[Any] = []
        if self.state:
            found.append(_STEP.state.in_([state.value for state in self.state]))
        if self.councils is not None:
            found.append(_DEL.council.in_(self.councils))
        if self.destination:
            found.append(_DEL.destination == self.destination)
        if self.service:
            found.append(_DEL.service == self.service)
        if self.group is not None:
            found.append(_STEP.fingerprint == self.group)
        if self.since:
            found.append(_DEL.created_at >= self.since)
        if self.until:
            found.append(_DEL.created_at < self.until)
        if self.submission:
            found.append(_DEL.submission == self.submission)
        if self.q:
            found.append(
                sa.or_(
                    _DEL.our_reference == self.q.upper(),
                    _DEL.their_reference == self.q,
                    _SUB.reference == self.q.upper(),
                    _SUB.front_end_reference == self.q,
                )
            )
        return found


def page(
    connection: Connection, wanted: DeliveryFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[DeliveryView]:
    """Deliveries that fit, the newest first."""
    query = delivery_query().where(*wanted.conditions()).order_by(_DEL.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(_DEL.id < after(cursor))
    rows, following = cut(connection.execute(query).all(), limit)
    return Page(items=[delivery_view(row) for row in rows], next=following)


def ids(connection: Connection, wanted: DeliveryFilter, *, limit: int) -> list[str]:
    """The ids of the deliveries that fit, the oldest first: a frozen list for a replay of some."""
    query = (
        sa.select(_DEL.id)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .join(tables.submission, _SUB.id == _DEL.submission)
        .where(*wanted.conditions())
        .order_by(_DEL.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def get(connection: Connection, delivery: str) -> DeliveryView:
    """One delivery by its id or our reference. Raises NotThere."""
    where = _DEL.id == delivery if len(delivery) == 36 else _DEL.our_reference == delivery.upper()
    views = delivery_views(connection, where)
    if not views:
        raise NotThere("There is no delivery with that id; `hub deliveries list` shows those there are.")
    return views[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    id: str
    step: str
    position: int
    trigger: str
    actor: str | None
    phase: str
    outcome: str | None
    fault_code: str | None
    replay_safety: str
    mapping_generation: int
    started_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    evidence: bytes | None  #: sealed


def attempts(connection: Connection, delivery: str) -> list[AttemptView]:
    """Every try of every step of a delivery, the oldest first."""
    row = tables.attempt.c
    query = (
        sa.select(tables.attempt, _STEP.position)
        .join(tables.step, _STEP.id == row.step)
        .where(_STEP.delivery == delivery)
        .order_by(row.started_at, row.id)
    )
    names = AttemptView.__slots__
    return [AttemptView(**{name: getattr(one, name) for name in names}) for one in connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockable:
    """A delivery's create step, locked for a verb, with what the verb's rules ask about."""

    delivery: str
    step: str
    state: StepState
    council: str
    destination: str
    submission: str
    front_end: str
    our_reference: str
    order_key: str
    generation: int
    kind: str
    service: str
    route: str
    item_index: int | None


def lock(connection: Connection, delivery: str) -> Lockable:
    query = (
        sa.select(tables.delivery, _STEP.id.label("step"), _STEP.state, _SUB.front_end)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .join(tables.submission, _SUB.id == _DEL.submission)
        .where(_DEL.id == delivery)
        .with_for_update(of=tables.step)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotThere("There is no delivery with that id; `hub deliveries list` shows those there are.")
    values = {name: getattr(row, name) for name in Lockable.__slots__ if name not in ("delivery", "state")}
    return Lockable(delivery=row.id, state=StepState(row.state), **values)


def requeue(connection: Connection, step: str, *, lane: Lane, reason: str | None) -> None:
    """Due now, with a full ladder before it."""
    now = database_now(connection)
    values = {
        "state": StepState.QUEUED.value,
        "lane": lane.value,
        "due_at": now,
        "hold_reason": None,
        "hold_until": None,
        "attempts_used": 0,
        "fingerprint": None,
        "reason": reason,
        "updated_at": now,
    }
    connection.execute(sa.update(tables.step).where(_STEP.id == step).values(**values))


def settle(connection: Connection, step: str, *, state: StepState, reason: str | None) -> None:
    """A person's word ends it: delivered, or discarded with a reason."""
    now = database_now(connection)
    values = {
        "state": state.value,
        "due_at": None,
        "hold_reason": None,
        "hold_until": None,
        "reason": reason,
        "updated_at": now,
    }
    connection.execute(sa.update(tables.step).where(_STEP.id == step).values(**values))


def set_reference(connection: Connection, delivery: str, reference: str) -> None:
    connection.execute(sa.update(tables.delivery).where(_DEL.id == delivery).values(their_reference=reference))
