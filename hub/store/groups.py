"""Failures that are the same failure, counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from hub.store import tables
from hub.store.engine import database_now, is_sqlite

_ROW = tables.error_group.c


def record(
    connection: Connection, *, fingerprint: bytes, destination: str, title: str, fault_code: str, count: int = 1
) -> None:
    """So many more of this kind. A row that others share: a transaction of its own, never a batched thought."""
    at = database_now(connection)
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    row = insert(tables.error_group).values(
        fingerprint=fingerprint,
        destination=destination,
        title=title,
        fault_code=fault_code,
        state="open",
        first_at=at,
        last_at=at,
        count=count,
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["fingerprint"],
            set_={"count": tables.error_group.c.count + count, "last_at": at, "state": "open"},
        )
    )


def page(connection: Connection, *, councils: Sequence[str] | None = None, limit: int = 200) -> list[Any]:
    """Groups, the most recent first, each with how many of its deliveries still wait for a person (at most 1,000)."""
    step = tables.step.c
    some = (
        sa.select(step.id)
        .where(step.fingerprint == _ROW.fingerprint, step.state.in_(("dead", "unclear")))
        .limit(1000)
        .correlate(tables.error_group)
        .subquery()
    )
    query = (
        sa.select(tables.error_group, sa.select(sa.func.count()).select_from(some).scalar_subquery().label("waiting"))
        .order_by(_ROW.last_at.desc())
        .limit(limit)
    )
    if councils is not None:
        query = query.where(sa.or_(*[_ROW.destination.startswith(f"{council}/") for council in councils]))
    return list(connection.execute(query))
