"""Bulk operations as rows: wished for, listed in stages, started and stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.bulk import ARROWS, ItemState, OperationKind, OperationState
from hub.errors import NotThere, WrongState
from hub.model import StepState
from hub.store import tables
from hub.store.deliveries import DeliveryFilter
from hub.store.engine import database_now, is_sqlite
from hub.store.ids import uuid7
from hub.store.paging import Page, after, cursor_of, cut

_ROW = tables.operation.c
_ITEM = tables.operation_item.c
_DEL = tables.delivery.c
_STEP = tables.step.c

BATCH: Final = 1_000  #: items listed in one transaction
SCAN: Final = 20_000  #: deliveries looked through in one transaction, where no index leads to those that fit

_MAKING: Final = (OperationState.DRAFT.value, OperationState.MARKING.value)
_STUCK: Final = frozenset({StepState.DEAD, StepState.UNCLEAR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants done to all that fit, or to those with these ids."""

    kind: OperationKind
    wanted: DeliveryFilter
    ids: Sequence[str] = ()
    reason: str
    rate: float | None = None
    canary: int | None = None
    include_unsafe: bool = False
    generation: int | None = None

    def told(self) -> dict[str, Any]:
        """The filter as it is stored and shown: absolute times, and nothing that was not asked for."""
        asked = self.wanted
        found: dict[str, Any] = {
            "ids": list(self.ids),
            "state": [state.value for state in asked.state],
            "council": asked.councils[0] if asked.councils and len(asked.councils) == 1 else None,
            "destination": asked.destination,
            "service": asked.service,
            "group": asked.group.hex() if asked.group else None,
            "submission": asked.submission,
            "since": _instant(asked.since),
            "until": _instant(asked.until),
            "q": asked.q,
        }
        return {name: value for name, value in found.items() if value}


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def wanted_by(row: Any) -> DeliveryFilter:
    """The stored filter, within the councils that the operation may reach."""
    told: Mapping[str, Any] = row.filter
    return DeliveryFilter(
        state=tuple(StepState(state) for state in told.get("state", ())),
        councils=row.councils,
        destination=told.get("destination"),
        service=told.get("service"),
        group=bytes.fromhex(told["group"]) if "group" in told else None,
        submission=told.get("submission"),
        since=_moment(told.get("since")),
        until=_moment(told.get("until")),
        q=told.get("q"),
    )


def draft(connection: Connection, wish: Wish, *, by: str) -> str:
    """A new operation. What is made after this moment is not in it. Returns its id."""
    newest = sa.select(_DEL.id).order_by(_DEL.id.desc()).limit(1)
    made = uuid7()
    councils = wish.wanted.councils
    values = {
        "id": made, "kind": wish.kind.value, "filter": wish.told(), "state": OperationState.DRAFT.value,
        "rate": wish.rate, "canary": wish.canary, "canary_left": wish.canary, "reason": wish.reason,
        "created_by": by, "created_at": database_now(connection), "counts": {},
        "upper_id": connection.execute(newest).scalar_one_or_none(),
        "councils": None if councils is None else sorted(councils),
        "include_unsafe": wish.include_unsafe, "generation": wish.generation,
    }  # fmt: skip
    connection.execute(sa.insert(tables.operation).values(**values))
    return made


def known_ids(connection: Connection, ids: Sequence[str], *, councils: Sequence[str] | None) -> set[str]:
    """Those of the ids that are deliveries of these councils."""
    query = sa.select(_DEL.id).where(_DEL.id.in_(ids))
    if councils is not None:
        query = query.where(_DEL.council.in_(councils))
    return set(connection.execute(query).scalars())


def get(connection: Connection, operation: str) -> Any:
    """Raises NotThere."""
    row = connection.execute(sa.select(tables.operation).where(_ROW.id == operation)).one_or_none()
    if row is None:
        raise NotThere("There is no operation with that id; `hub operations list` shows those there are.")
    return row


def lock(connection: Connection, operation: str) -> Any:
    """The same, and nobody else's until the transaction ends: whoever changes an operation or its items locks it.

    By name and not by its row: every call of its items moves the row's
    `next_at`, and must not wait for a hundred of them to be released.
    """
    if not is_sqlite(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(operation, 0))))
    return get(connection, operation)


def change(connection: Connection, row: Any, state: OperationState | None = None, **values: Any) -> None:
    """Change a locked operation. Raises WrongState where `state` may not follow the one it is in."""
    if state is not None:
        if state not in ARROWS[OperationState(row.state)]:
            raise WrongState(f"This operation is {row.state}.")
        values["state"] = state.value
    connection.execute(sa.update(tables.operation).where(_ROW.id == row.id).values(**values))


def mark(connection: Connection, operation: str, *, batch: int = BATCH, scan: int = SCAN) -> bool:
    """One stage of the list: the next deliveries that fit, in the order they were made. True once it is whole.

    Stopped at any point it goes on where it was: items and the place up to
    which they were looked for are written together.
    """
    row = lock(connection, operation)
    if row.state not in _MAKING or row.upper_id is None or row.marked_to == row.upper_id:
        return True
    end = _end_of_stage(connection, row, scan=scan)
    found = connection.execute(_fitting(row, end).limit(batch)).all()
    counts = Tally(row.counts or {})
    first = counts.total + 1
    items = [
        {"operation": row.id, "position": first + at, "delivery": one.id, "destination": one.destination,
         "state": ItemState.PENDING.value}
        for at, one in enumerate(found)
    ]  # fmt: skip
    if items:
        connection.execute(sa.insert(tables.operation_item), items)
    for one in found:
        counts.add(one.destination, ItemState.PENDING)
    reached = found[-1].id if len(found) == batch else end
    state = OperationState.MARKING if row.state == OperationState.DRAFT.value else None
    change(connection, row, state, marked_to=reached, counts=counts.by_destination)
    return bool(reached == row.upper_id)


def _end_of_stage(connection: Connection, row: Any, *, scan: int) -> str:
    """Up to where this stage looks, so that a rare thing among millions is not looked for in one statement."""
    asked = wanted_by(row)
    if row.filter.get("ids") or asked.submission or (asked.state and set(asked.state) <= _STUCK):
        return str(row.upper_id)  # an index leads to those that fit
    query = sa.select(_DEL.id).where(_DEL.id <= row.upper_id).order_by(_DEL.id).offset(scan).limit(1)
    if row.marked_to is not None:
        query = query.where(_DEL.id > row.marked_to)
    return str(connection.execute(query).scalar_one_or_none() or row.upper_id)


def _fitting(row: Any, end: str) -> Any:
    query = (
        sa.select(_DEL.id, _DEL.destination)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .join(tables.submission, tables.submission.c.id == _DEL.submission)
        .where(*wanted_by(row).conditions(), _DEL.id <= end)
        .order_by(_DEL.id)
    )
    if row.marked_to is not None:
        query = query.where(_DEL.id > row.marked_to)
    if ids := row.filter.get("ids"):
        query = query.where(_DEL.id.in_(ids))
    return query


def ready(connection: Connection, operation: str, *, preview: Mapping[str, Any]) -> None:
    """Its list is whole and was looked at. Nothing, if somebody cancelled it meanwhile."""
    row = lock(connection, operation)
    if row.state in _MAKING:
        told = Tally(row.counts or {}).by_destination
        councils = sorted({name.partition("/")[0] for name in told}) or row.councils
        change(connection, row, OperationState.READY, preview=dict(preview), councils=councils)


def to_do(connection: Connection) -> list[tuple[str, OperationState]]:
    """Operations that the job has something to do for, the oldest first."""
    states = [OperationState.DRAFT, OperationState.MARKING, OperationState.RUNNING, OperationState.PAUSED,
              OperationState.CANCELLED]  # fmt: skip
    query = (
        sa.select(_ROW.id, _ROW.state, _ROW.counts)
        .where(_ROW.ended_at.is_(None), _ROW.state.in_([state.value for state in states]))
        .order_by(_ROW.id)
    )
    rows = connection.execute(query).all()
    # One that is paused is only followed: what was released goes on to its end.
    idle = [row.id for row in rows if row.state == "paused" and not Tally(row.counts or {}).of(ItemState.QUEUED)]
    return [(row.id, OperationState(row.state)) for row in rows if row.id not in idle]


def page(
    connection: Connection,
    *,
    councils: Sequence[str] | None = None,
    state: OperationState | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Any]:
    """Operations that reach into these councils and no others, the newest first."""
    found: list[Any] = []
    upper = after(cursor) if cursor is not None else None
    while True:
        query = sa.select(tables.operation).order_by(_ROW.id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(_ROW.state == state.value)
        if upper is not None:
            query = query.where(_ROW.id < upper)
        rows = connection.execute(query).all()
        found += [row for row in rows if within(row, councils)]
        if len(found) > limit or len(rows) <= limit:
            kept, following = cut(found[: limit + 1], limit)
            return Page(items=kept, next=following)
        upper = rows[-1].id


def within(row: Any, councils: Sequence[str] | None) -> bool:
    """Whether an operation reaches into these councils (None: all) and no others."""
    return councils is None or (row.councils is not None and set(row.councils) <= set(councils))


def items(
    connection: Connection,
    operation: str,
    *,
    state: ItemState | None = None,
    behind: int = 0,
    limit: int = 50,
) -> Page[Any]:
    """The account: every item in the order of the list, behind a position."""
    query = (
        sa.select(tables.operation_item, _DEL.our_reference)
        .join(tables.delivery, _DEL.id == _ITEM.delivery)
        .where(_ITEM.operation == operation, _ITEM.position > behind)
        .order_by(_ITEM.position)
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(_ITEM.state == state.value)
    rows = connection.execute(query).all()
    kept = rows[:limit]
    return Page(items=kept, next=cursor_of(str(kept[-1].position)) if len(rows) > limit else None)


class Tally:
    """How many items are in each state, by destination. Kept in the operation's row, changed with the items."""

    def __init__(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        self.by_destination: dict[str, dict[str, int]] = {name: dict(states) for name, states in counts.items()}

    def add(self, destination: str, state: ItemState, number: int = 1) -> None:
        states = self.by_destination.setdefault(destination, {})
        states[state.value] = states.get(state.value, 0) + number
        if not states[state.value]:
            del states[state.value]

    def move(self, destination: str, before: ItemState, after_: ItemState, number: int = 1) -> None:
        self.add(destination, before, -number)
        self.add(destination, after_, number)

    def of(self, *states: ItemState) -> int:
        return sum(each.get(state.value, 0) for each in self.by_destination.values() for state in states)

    @property
    def total(self) -> int:
        return sum(sum(each.values()) for each in self.by_destination.values())
