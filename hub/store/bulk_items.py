"""The items of a bulk operation as their deliveries stand: what its rules ask about, and how each one ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.bulk import ItemState, OperationKind, Sends, Skip, Underway, why_not
from hub.model import Phase, ReplaySafety, StepKind, StepState, Trigger
from hub.store import tables

_ITEM = tables.operation_item.c
_DEL = tables.delivery.c
_STEP = tables.step.c
_TRY = tables.attempt.c

Safety = Callable[[str, str, StepKind], ReplaySafety]  #: by council, route name and kind

#: The worst first.
_ENDS: Final = {
    StepState.DEAD: ItemState.FAILED,
    StepState.UNCLEAR: ItemState.UNCLEAR,
    StepState.DELIVERED: ItemState.DELIVERED,
    StepState.DISCARDED: ItemState.DISCARDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item with what its rules ask about."""

    position: int
    delivery: str
    destination: str
    council: str
    route: str
    submission: str
    front_end: str
    step: str
    kind: StepKind
    state: StepState
    sends: Sends
    stuck: bool  #: its case is there, and a later step of it (a photo, a note) is dead

    def why_not(self, kind: OperationKind, safety_of: Safety) -> Skip | None:
        if self.stuck:
            return None  # the create is not touched
        return why_not(kind, self.state, safety=safety_of(self.council, self.route, self.kind), sends=self.sends)


def look(connection: Connection, operation: str, *, behind: int, limit: int) -> list[Item]:
    """Items of the list behind a position, as their deliveries stand now."""
    return _items(connection, _ITEM.operation == operation, _ITEM.position > behind, limit=limit)


def at(connection: Connection, operation: str, positions: Sequence[int]) -> list[Item]:
    """Those at these positions, in their order."""
    here = _ITEM.operation == operation, _ITEM.position.in_(positions)
    return _items(connection, *here, limit=len(positions)) if positions else []


def _items(connection: Connection, *where: Any, limit: int) -> list[Item]:
    sends = sa.and_(_TRY.step == _STEP.id, _TRY.trigger != Trigger.RESOLVER.value)
    doubtful = sa.or_(
        _TRY.outcome == "unclear",
        sa.and_(_TRY.outcome.is_(None), _TRY.phase != Phase.PREPARED.value),
        _TRY.took.is_not(None),
    )
    ever = sa.select(sa.literal(1)).where(sends, doubtful).correlate(tables.step).exists()
    last = (
        sa.select(sa.case((doubtful, 1), else_=0))
        .where(sends)
        .order_by(_TRY.started_at.desc(), _TRY.id.desc())
        .limit(1)
        .correlate(tables.step)
        .scalar_subquery()
    )
    later = tables.step.alias("later")
    stuck = (
        sa.select(sa.literal(1))
        .where(later.c.delivery == _DEL.id, later.c.position > 0, later.c.state == "dead")
        .correlate(tables.delivery)
        .exists()
    )
    query = (
        sa.select(
            _ITEM.position, _ITEM.delivery, _ITEM.destination, _DEL.council, _DEL.route, _DEL.submission,
            tables.submission.c.front_end, _STEP.id.label("step"), _STEP.kind, _STEP.state,
            ever.label("ever"), last.label("last"), stuck.label("stuck"),
        )
        .select_from(tables.operation_item)
        .join(tables.delivery, _DEL.id == _ITEM.delivery)
        .join(tables.submission, tables.submission.c.id == _DEL.submission)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .where(*where)
        .order_by(_ITEM.position)
        .limit(limit)
    )  # fmt: skip
    return [_item(row) for row in connection.execute(query)]


def _item(row: Any) -> Item:
    names = ("position", "delivery", "destination", "council", "route", "submission", "front_end", "step")
    return Item(
        **{name: getattr(row, name) for name in names},
        kind=StepKind(row.kind),
        state=StepState(row.state),
        sends=Sends(ever_doubtful=bool(row.ever), last_doubtful=bool(row.last)),
        stuck=bool(row.stuck) and row.state == StepState.DELIVERED.value,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """One item whose steps have all come to an end."""

    position: int
    destination: str
    step: str
    state: ItemState


def follow(
    connection: Connection, operation: str, *, now: datetime, unaskable: Collection[str]
) -> tuple[list[Ended], Underway]:
    """Released items that have come to their end, and how many at destinations that are asked have not."""
    over: list[Ended] = []
    due = later = 0
    for position, steps in groupby(_released(connection, operation), key=lambda one: one.position):
        mine = list(steps)
        still = [one for one in mine if not _is_over(one)]
        if not still:
            over.append(_ended(position, mine))
        elif mine[0].destination not in unaskable:
            waits = not any(_is_due(one, now) for one in still)
            due, later = due + (not waits), later + waits
    return over, Underway(due=due, later=later)


def _released(connection: Connection, operation: str) -> Sequence[Any]:
    """The steps of every item that was released and is not known to have ended."""
    query = (
        sa.select(
            _ITEM.position, _ITEM.destination, _STEP.id.label("step"), _STEP.state, _STEP.due_at, _STEP.lease_until
        )
        .join(tables.step, _STEP.delivery == _ITEM.delivery)
        .where(_ITEM.operation == operation, _ITEM.state == ItemState.QUEUED.value)
        .where(sa.or_(_STEP.id == _ITEM.step, _STEP.operation == _ITEM.operation))
        .order_by(_ITEM.position, _STEP.position)
    )
    return connection.execute(query).all()


def _is_over(one: Any) -> bool:
    """Whether nothing more happens to a step by itself: it is not, while it is looked for."""
    if one.state == StepState.UNCLEAR.value:
        return one.due_at is None and one.lease_until is None
    return StepState(one.state) in _ENDS


def _is_due(one: Any, now: datetime) -> bool:
    if one.state == StepState.SENDING.value:
        return True
    return one.state == StepState.QUEUED.value and one.due_at is not None and one.due_at <= now


def _ended(position: int, steps: Sequence[Any]) -> Ended:
    """Several steps of one item end as the worst of them did."""
    worst = min(steps, key=lambda one: list(_ENDS).index(StepState(one.state)))
    return Ended(position, worst.destination, worst.step, _ENDS[StepState(worst.state)])


def last_attempts(connection: Connection, steps: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """The last attempt of each step, and its fault code."""
    query = (
        sa.select(_TRY.step, _TRY.id, _TRY.fault_code)
        .where(_TRY.step.in_(steps), _TRY.trigger != Trigger.RESOLVER.value)
        .order_by(_TRY.started_at, _TRY.id)
    )
    return {row.step: (row.id, row.fault_code) for row in connection.execute(query)}


def unaskable(connection: Connection, names: Collection[str], *, now: datetime) -> frozenset[str]:
    """Those of the destinations that are paused, closed or not well at this moment."""
    place = tables.destination.c
    not_now = sa.or_(
        place.paused_at.is_not(None),
        place.closed_until > now,
        sa.and_(place.breaker == "open", place.breaker_until > now),
        place.active.is_(False),
    )
    query = sa.select(place.id).where(place.id.in_(sorted(names)), not_now)
    return frozenset(connection.execute(query).scalars())


def places(connection: Connection, names: Collection[str]) -> Mapping[str, Any]:
    """The rows of these destinations."""
    query = sa.select(tables.destination).where(tables.destination.c.id.in_(sorted(names)))
    return {row.id: row for row in connection.execute(query)}
