"""A slot for each call that leaves: one mark for a destination, and one for a bulk operation, over all workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.pace import spacing, too_far
from hub.store import tables
from hub.store.columns import Instant
from hub.store.engine import database_now, is_sqlite

_PLACE = tables.destination.c
_OPERATION = tables.operation.c
NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The moment at which one call may leave, by the database's clock, which said `now` when it was reserved."""

    at: datetime
    now: datetime

    @property
    def wait(self) -> timedelta:
        return self.at - self.now


def reserve(connection: Connection, destination: str, *, per_second: float, after: timedelta = NO_WAIT) -> Slot:
    """The destination's next free slot, at least `after` from now. The caller commits at once."""
    return _reserve(connection, _PLACE.id == destination, _PLACE.pace_next_at, per_second=per_second, after=after)


def reserve_bulk(connection: Connection, operation: str, *, after: timedelta = NO_WAIT) -> Slot | None:
    """A bulk operation's next free slot; None where it has no rate, or is not there any more."""
    rate = connection.execute(sa.select(_OPERATION.rate).where(_OPERATION.id == operation)).scalar_one_or_none()
    if not rate:
        return None
    return _reserve(connection, _OPERATION.id == operation, _OPERATION.next_at, per_second=rate, after=after)


def _reserve(connection: Connection, where: Any, mark: sa.Column[Any], *, per_second: float, after: timedelta) -> Slot:
    each, most = spacing(per_second), too_far(per_second)
    if is_sqlite(connection):
        return _on_sqlite(connection, where, mark, each=each, most=most, after=after)
    given = {"after": after, "each": each, "most": most}
    row = connection.execute(_statement(mark).where(where), given).one_or_none()
    if row is None:
        now = database_now(connection)
        return Slot(at=now + after, now=now)
    return Slot(at=row[0] - each, now=row[1])


@lru_cache(maxsize=4)
def _statement(mark: sa.Column[Any]) -> Any:
    """One statement: the row's lock is the queue, and the clock is read once it is ours."""
    now = sa.func.clock_timestamp(type_=Instant())
    earliest = now + sa.bindparam("after", type_=sa.Interval())
    free = sa.case(
        (mark > now + sa.bindparam("most", type_=sa.Interval()), earliest), else_=sa.func.greatest(mark, earliest)
    )
    # Without waiting for the disk: whoever holds the row holds up the claims, and a slot lost in a crash is a slot.
    quick = sa.func.set_config("synchronous_commit", "off", sa.true()) == "off"
    moved = sa.update(mark.table).where(quick).values({mark: free + sa.bindparam("each", type_=sa.Interval())})
    return moved.returning(mark, now)


def _on_sqlite(
    connection: Connection, where: Any, mark: sa.Column[Any], *, each: timedelta, most: timedelta, after: timedelta
) -> Slot:
    """SQLite has one writer: what was read is still so when it is written."""
    now = database_now(connection)
    known: datetime | None = connection.execute(sa.select(mark).where(where)).scalar_one_or_none()
    at = now + after
    if known is not None and at < known <= now + most:
        at = known
    connection.execute(sa.update(mark.table).where(where).values({mark: at + each}))
    return Slot(at=at, now=now)
