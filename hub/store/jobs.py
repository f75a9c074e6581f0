"""Periodic work as leased rows: run once, however many workers there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from hub.store import tables
from hub.store.engine import database_now, is_sqlite

_ROW = tables.job.c


def ensure(connection: Connection, names: Mapping[str, timedelta]) -> None:
    """Make a row for each job that has none yet."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    now = database_now(connection)
    for name in sorted(names):
        row = insert(tables.job).values(name=name, due_at=now, lease_token=0)
        connection.execute(row.on_conflict_do_nothing(index_elements=["name"]))


def take(
    connection: Connection,
    name: str,
    *,
    worker: str,
    every: timedelta,
    lease: timedelta,
    silence: timedelta | None = None,
) -> bool:
    """Take a job that is due and not leased by a living worker; its next turn is set. False if it is not ours.

    Who has not been heard of within `silence` has died over it: nobody waits for that lease to run out.
    """
    now = database_now(connection)
    # One's own: the word that it was finished did not get through, for the store was away.
    free = sa.or_(_ROW.lease_until.is_(None), _ROW.lease_until <= now, _ROW.worker == worker)
    if silence is not None:
        beats = tables.worker.c
        free = sa.or_(free, ~sa.exists().where(beats.id == _ROW.worker, beats.beat_at > now - silence))
    taken = connection.execute(
        sa.update(tables.job)
        .where(_ROW.name == name, _ROW.due_at <= now, free)
        .values(due_at=now + every, lease_until=now + lease, worker=worker, lease_token=_ROW.lease_token + 1)
    )
    return taken.rowcount == 1


def finish(connection: Connection, name: str, *, worker: str, error: str | None = None) -> None:
    connection.execute(
        sa.update(tables.job).where(_ROW.name == name, _ROW.worker == worker).values(lease_until=None, last_error=error)
    )


def lock_state(connection: Connection, name: str) -> dict[str, Any] | None:
    """A job's own memory, locked until the transaction ends; None when another has it locked."""
    query = sa.select(_ROW.state).where(_ROW.name == name)
    if not is_sqlite(connection):
        query = query.with_for_update(skip_locked=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else dict(row.state or {})


def keep_state(connection: Connection, name: str, state: Mapping[str, Any]) -> None:
    connection.execute(sa.update(tables.job).where(_ROW.name == name).values(state=dict(state)))
