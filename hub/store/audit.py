"""Who did what, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import tables
from hub.store.engine import database_now
from hub.store.ids import uuid7
from hub.store.paging import Page, after, cut

_ROW = tables.audit.c


def record(
    connection: Connection,
    *,
    actor: str,
    verb: str,
    subject: str,
    council: str | None = None,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """One act, in the same transaction as the act itself."""
    connection.execute(
        sa.insert(tables.audit).values(
            id=uuid7(),
            at=database_now(connection),
            actor=actor,
            verb=verb,
            council=council,
            subject=subject,
            reason=reason,
            detail=dict(detail) if detail else None,
        )
    )


def page(
    connection: Connection,
    *,
    councils: Sequence[str] | None = None,
    subject: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Any]:
    """Acts, the newest first."""
    query = sa.select(tables.audit).order_by(_ROW.id.desc()).limit(limit + 1)
    if councils is not None:
        query = query.where(_ROW.council.in_(councils))
    if subject is not None:
        query = query.where(_ROW.subject == subject)
    if cursor is not None:
        query = query.where(_ROW.id < after(cursor))
    rows, following = cut(connection.execute(query).all(), limit)
    return Page(items=rows, next=following)
