"""Deliveries for staff: listed by what they have in common, and one with all its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import NotThere
from hub.model import DeliveryKind, Lane, StepState
from hub.store import tables
from hub.store.engine import database_now
from hub.store.paging import Page, after, cut
from hub.store.steps import discard_behind, promote, unfinished_ahead
from hub.store.submissions import DeliveryView, delivery_query, delivery_view, delivery_views

_DEL = tables.delivery.c
_STEP = tables.step.c
_SUB = tables.submission.c
_GROUP = tables.error_group.c


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
    issues: bool = False  #: only those of which a later part needs a person

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
        if self.issues:
            later = tables.step.alias("stuck")
            stuck = later.c.state.in_((StepState.DEAD.value, StepState.UNCLEAR.value))
            found.append(sa.exists().where(later.c.delivery == _DEL.id, later.c.position > 0, stuck))
        if self.since:
            found.append(_DEL.created_at >= self.since)
        if self.until:
            found.append(_DEL.created_at < self.until)
        if self.submission:
            found.append(_DEL.submission == self.submission)
        if self.q:
            found.append(
                sa.or_(
                    _DEL.our_reference == _as_given(self.q),
                    _DEL.their_reference == self.q,
                    _SUB.reference == self.q.upper(),
                    _SUB.front_end_reference == self.q,
                )
            )
        return found


def _as_given(reference: str) -> str:
    """What a destination was given, however it was typed: `ABCD-EFGH-r2`, `ABCD-EFGH-u1`."""
    return reference[:9].upper() + reference[9:].lower()


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
    where = _DEL.id == delivery if len(delivery) == 36 else _DEL.our_reference == _as_given(delivery)
    views = delivery_views(connection, where)
    if not views:
        raise NotThere("There is no delivery with that id; `hub deliveries list` shows those there are.")
    return views[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    position: int
    kind: str
    state: str
    attempts_used: int
    reason: str | None
    updated_at: datetime


def steps(connection: Connection, delivery: str) -> list[StepView]:
    """Every part of a delivery, in order."""
    columns = [_STEP[name] for name in StepView.__slots__]
    query = sa.select(*columns).where(_STEP.delivery == delivery).order_by(_STEP.position)
    return [StepView(**row._mapping) for row in connection.execute(query)]


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
    failure: str | None  #: what went wrong and where, as the group of its failures is called
    group: bytes | None


def attempts(connection: Connection, delivery: str) -> list[AttemptView]:
    """Every try of every step of a delivery, the oldest first."""
    row = tables.attempt.c
    query = (
        sa.select(tables.attempt, _STEP.position, _GROUP.title.label("failure"), _GROUP.fingerprint.label("group"))
        .join(tables.step, _STEP.id == row.step)
        .outerjoin(tables.error_group, _GROUP.fingerprint == row.fingerprint)
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
    call: str | None
    behind: str | None
    stuck: Sequence[Stuck]  #: its later steps that a person must look at, locked too

    @property
    def steps(self) -> list[Stuck]:
        """What a verb moves: the create, or once that is delivered, the later steps that are stuck.

        Of a follow-up whose words were set aside, too: its files went on without them.
        """
        over = self.state is StepState.DISCARDED and self.kind == DeliveryKind.FOLLOW_UP.value and self.stuck
        if self.state is StepState.DELIVERED or over:
            return list(self.stuck)
        return [Stuck(step=self.step, state=self.state)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    step: str
    state: StepState


def lock(connection: Connection, delivery: str) -> Lockable:
    """Raises NotThere."""
    query = (
        sa.select(tables.delivery, _STEP.id.label("step"), _STEP.state, _STEP.call, _STEP.behind, _SUB.front_end)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .join(tables.submission, _SUB.id == _DEL.submission)
        .where(_DEL.id == delivery)
        .with_for_update(of=tables.step)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotThere("There is no delivery with that id; `hub deliveries list` shows those there are.")
    later = (
        sa.select(_STEP.id, _STEP.state)
        .where(_STEP.delivery == delivery, _STEP.position > 0, _STEP.state.in_(("dead", "unclear")))
        .order_by(_STEP.position)
        .with_for_update()
    )
    stuck = tuple(Stuck(step=one.id, state=StepState(one.state)) for one in connection.execute(later))
    values = {name: getattr(row, name) for name in Lockable.__slots__ if name not in ("delivery", "state", "stuck")}
    return Lockable(delivery=row.id, state=StepState(row.state), stuck=stuck, **values)


def requeue(connection: Connection, step: str, *, lane: Lane, reason: str | None, operation: str | None = None) -> None:
    """Due now, or when what it waits for is delivered, with a full ladder before it.

    `operation` is the bulk operation that does it.
    """
    now = database_now(connection)
    values = {
        "state": StepState.QUEUED.value,
        "lane": lane.value,
        "operation": operation,
        "due_at": now,
        "attempts_used": 0,
        "fingerprint": None,
        "reason": reason,
    }
    ahead = unfinished_ahead(connection, step)
    if ahead is not None:
        values |= {"due_at": None, "behind": ahead}
    _settle(connection, step, now=now, **values)


def settle(connection: Connection, step: str, *, state: StepState, reason: str | None) -> None:
    """A person's word ends it: delivered, or discarded with a reason, and then so is what waited behind it."""
    now = database_now(connection)
    ahead = unfinished_ahead(connection, step) if state is StepState.DISCARDED else None
    _settle(connection, step, now=now, state=state.value, due_at=None, reason=reason)
    if state is StepState.DISCARDED:
        why = f"what it waited for was discarded: {reason}"
        discard_behind(connection, step, reason=why, now=now, ahead=ahead)
    if state is StepState.DELIVERED:
        promote(connection, [step], now=now)


def _settle(connection: Connection, step: str, *, now: datetime, **values: Any) -> None:
    common = {
        # A further token: a look that is under way must not undo what a person has said.
        "lease_token": _STEP.lease_token + 1,
        "lease_until": None,
        "worker": None,
        "hold_reason": None,
        "hold_until": None,
        "looks": 0,
        "settled_at": None,
        "behind": None,
        "updated_at": now,
    }
    connection.execute(sa.update(tables.step).where(_STEP.id == step).values(common | values))


def set_reference(connection: Connection, delivery: str, reference: str) -> None:
    connection.execute(sa.update(tables.delivery).where(_DEL.id == delivery).values(their_reference=reference))
