"""Bodies as front ends sent them in formats of their own; parked if they cannot be a submission yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.errors import NotThere
from hub.store import tables
from hub.store.paging import Page, after, cut

_ROW = tables.received.c


def page(
    connection: Connection,
    *,
    state: str | None = None,
    councils: Sequence[str] | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Any]:
    """What was received, the newest first, without the bodies."""
    columns = [column for column in tables.received.c if column.name != "body"]
    query = sa.select(*columns).order_by(_ROW.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(_ROW.state == state)
    if councils is not None:
        query = query.where(_ROW.council.in_(councils))
    if cursor is not None:
        query = query.where(_ROW.id < after(cursor))
    rows, following = cut(connection.execute(query).all(), limit)
    return Page(items=rows, next=following)


def get(connection: Connection, id: str) -> Any:
    """One of them, without its body. Raises NotThere."""
    columns = [column for column in tables.received.c if column.name != "body"]
    row = connection.execute(sa.select(*columns).where(_ROW.id == id)).one_or_none()
    if row is None:
        raise NotThere("Nothing was received under that id; `hub received list` shows what was.")
    return row
