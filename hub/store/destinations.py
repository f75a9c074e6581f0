"""Councils' systems as rows: what is paused, how hard each may be pressed, who was served last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from hub.core import pace
from hub.core.lifecycle import DestinationHealth
from hub.errors import NotThere
from hub.store import breakers, tables
from hub.store.engine import database_now, is_sqlite

_ROW = tables.destination.c
PROBE_EVERY = timedelta(minutes=15)
HUB = "hub"  #: who paused it, when the hub did so itself


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSpec:
    """What the council files say of a destination, as far as the store needs it."""

    id: str
    council: str
    name: str
    connector: str
    concurrency: int
    per_second: float | None
    breaker: bool = True


def sync(connection: Connection, specs: Iterable[DestinationSpec]) -> None:
    """Make the rows agree with the council files of the newest generation; nothing is ever deleted."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    known = []
    for spec in sorted(specs, key=lambda spec: spec.id):
        values: dict[str, Any] = {
            "council": spec.council,
            "name": spec.name,
            "connector": spec.connector,
            "concurrency": spec.concurrency,
            "per_second": spec.per_second,
            "active": True,
        }
        if not spec.breaker:
            # Nobody would probe what was open before its file said so.
            values |= {"breaker": "closed", "breaker_until": None, "breaker_counts": None}
        row = insert(tables.destination).values({"id": spec.id, "suspects": 0, "breaker": "closed", **values})
        connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
        known.append(spec.id)
    connection.execute(sa.update(tables.destination).where(_ROW.id.not_in(known)).values(active=False))


def health_of(row: Any, *, name: str, call: str | None = None) -> DestinationHealth:
    """What the row says to one operation (it needs `breaker_counts` then), or of the worst of all."""
    return DestinationHealth(
        name=name,
        paused=row.paused_at is not None,
        pause_reason=row.pause_reason,
        probe_at=row.probe_at,
        closed_until=row.closed_until,
        breaker_until=row.breaker_until if call is None else breakers.waits_until(row, call),
        rate_next_at=pace.next_claim(row.rate_next_at, row.pace_next_at),
    )


def page(connection: Connection, *, councils: Sequence[str] | None = None) -> list[Any]:
    """Every active destination's row; there are hundreds, not millions."""
    query = sa.select(tables.destination).where(_ROW.active).order_by(_ROW.id)
    if councils is not None:
        query = query.where(_ROW.council.in_(councils))
    return list(connection.execute(query))


def get(connection: Connection, destination: str) -> Any:
    row = connection.execute(sa.select(tables.destination).where(_ROW.id == destination)).one_or_none()
    if row is None:
        raise NotThere(f"There is no destination {destination}; `hub destinations list` names those there are.")
    return row


def pause(connection: Connection, destination: str, *, by: str, reason: str) -> bool:
    """Stop asking this destination. A pause that a person set is not overwritten by the hub. True if it changed."""
    get(connection, destination)
    now = database_now(connection)
    values = {
        "paused_at": now,
        "paused_by": by,
        "pause_reason": reason,
        "probe_at": now + PROBE_EVERY if by == HUB else None,
    }
    changing = sa.update(tables.destination).where(_ROW.id == destination)
    if by == HUB:
        changing = changing.where(_ROW.paused_at.is_(None))  # decided by the row itself: a person may do so right now
    return bool(connection.execute(changing.values(**values)).rowcount)


_UNPAUSED = {"paused_at": None, "paused_by": None, "pause_reason": None, "probe_at": None}
_UNSUSPECTED = {"suspects": 0, "last_suspect": None}


def resume(connection: Connection, destination: str) -> bool:
    """Ask it again. True if it was paused."""
    row = get(connection, destination)
    values = {**_UNPAUSED, **_UNSUSPECTED}
    connection.execute(sa.update(tables.destination).where(_ROW.id == destination).values(**values))
    breakers.end_trial(connection, destination)
    return row.paused_at is not None


def lift(connection: Connection, destination: str) -> bool:
    """Ask it again, if the hub itself paused it: a person's pause is a person's. True if it was so."""
    mine = _ROW.id == destination, _ROW.paused_by == HUB
    lifted = connection.execute(sa.update(tables.destination).where(*mine).values(**_UNPAUSED, **_UNSUSPECTED))
    breakers.end_trial(connection, destination)
    return bool(lifted.rowcount)


def put_on_trial(connection: Connection, destination: str, *, calls: Iterable[str]) -> bool:
    """Lift the hub's own pause for one step at a time of each operation: there is no other way to ask.

    What was suspected stays so: the next answer of that kind pauses it again. False if it is not the hub's pause.
    """
    mine = _ROW.id == destination, _ROW.paused_by == HUB
    lifted = connection.execute(sa.update(tables.destination).where(*mine).values(**_UNPAUSED)).rowcount
    if lifted:
        breakers.start_trial(connection, destination, calls)
    return bool(lifted)


def close_until(connection: Connection, destination: str, opens: datetime) -> None:
    """Write down that a maintenance window holds its work until then."""
    connection.execute(sa.update(tables.destination).where(_ROW.id == destination).values(closed_until=opens))


def count_suspect(connection: Connection, destination: str, *, submission: str) -> int:
    """Another submission was answered as if our key were wrong; how many different ones in a row now."""
    row = get(connection, destination)
    if row.last_suspect == submission:
        return int(row.suspects)
    values = {"suspects": row.suspects + 1, "last_suspect": submission}
    connection.execute(sa.update(tables.destination).where(_ROW.id == destination).values(**values))
    return int(row.suspects) + 1


def forget_suspects(connection: Connection, destination: str) -> None:
    connection.execute(sa.update(tables.destination).where(_ROW.id == destination).values(**_UNSUSPECTED))


def to_probe(connection: Connection) -> list[str]:
    """Destinations that the hub paused itself and that are due for another look; their next look is moved on."""
    now = database_now(connection)
    due = sa.and_(_ROW.paused_by == HUB, _ROW.probe_at.is_not(None), _ROW.probe_at <= now)
    found = list(connection.execute(sa.select(_ROW.id).where(due)).scalars())
    if found:
        connection.execute(sa.update(tables.destination).where(_ROW.id.in_(found)).values(probe_at=now + PROBE_EVERY))
    return found


def oldest_due(connection: Connection) -> tuple[str, datetime] | None:
    """The destination and time of the step that has been due the longest: the first metric and alert."""
    step = tables.step.c
    query = (
        sa.select(step.destination, step.due_at)
        .where(step.state == "queued", step.due_at.is_not(None), step.due_at <= database_now(connection))
        .order_by(step.due_at)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row.destination, row.due_at) if row else None
