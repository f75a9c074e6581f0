"""Heartbeats of the processes that may hold leases."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import tables
from hub.store.engine import database_now

_ROW = tables.worker.c


def start(connection: Connection, worker: str, *, role: str, host: str, version: str) -> None:
    now = database_now(connection)
    connection.execute(
        sa.insert(tables.worker).values(id=worker, role=role, host=host, version=version, started_at=now, beat_at=now)
    )


def beat(connection: Connection, worker: str) -> bool:
    """Still here. False when the row is gone, so that the process can write itself down again."""
    values = {"beat_at": database_now(connection)}
    return connection.execute(sa.update(tables.worker).where(_ROW.id == worker).values(**values)).rowcount == 1


def leave(connection: Connection, worker: str) -> None:
    connection.execute(sa.delete(tables.worker).where(_ROW.id == worker))


def living(connection: Connection, *, silence: timedelta) -> frozenset[str]:
    """Who has been heard of within `silence`, by the database's clock."""
    since = database_now(connection) - silence
    return frozenset(connection.execute(sa.select(_ROW.id).where(_ROW.beat_at > since)).scalars())


def bury(connection: Connection, *, silence: timedelta) -> None:
    """Forget processes that have been silent for long."""
    connection.execute(sa.delete(tables.worker).where(_ROW.beat_at < database_now(connection) - silence))
