"""Requests that came by a door that tells their state to anybody who has their number: little, and nothing personal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.store import tables

_ROW = tables.received.c
_SUB = tables.submission.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """One body that came in, and how far the case that came of it is."""

    reference: str
    profile: str
    front_end: str | None
    discarded: bool
    case_status: str | None  #: the council's own progress; None until there is any
    received_at: datetime
    updated_at: datetime  #: the last thing that is known of it


def find(connection: Connection, references: Collection[str], *, council: str, format: str) -> list[ServiceRequest]:
    """Those there are of this council and door, the oldest first."""
    last = sa.select(sa.func.max(tables.event.c.at)).where(tables.event.c.submission == _SUB.id).scalar_subquery()
    query = (
        sa.select(
            _ROW.reference, _ROW.profile, _ROW.front_end, _ROW.state, _ROW.received_at,
            _SUB.case_status, _SUB.discarded_at, last.label("updated_at"),
        )
        .outerjoin(tables.submission, _SUB.reference == _ROW.reference)
        .where(_ROW.reference.in_(list(references)), _ROW.council == council, _ROW.format == format)
        .order_by(_ROW.id)
    )  # fmt: skip
    return [
        ServiceRequest(
            reference=row.reference,
            profile=row.profile,
            front_end=row.front_end,
            discarded=row.state == "discarded" or row.discarded_at is not None,
            case_status=row.case_status,
            received_at=row.received_at,
            updated_at=row.updated_at or row.received_at,
        )
        for row in connection.execute(query)
    ]
