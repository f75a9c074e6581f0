"""Deliveries with all that their record is made from: a few of a long list, to try a mapping on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model import Trigger
from hub.store import tables

_DEL = tables.delivery.c
_STEP = tables.step.c
_SUB = tables.submission.c
_CONTENT = tables.submission_content.c
_TRY = tables.attempt.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One delivery. `generation` is that of the council files of its last attempt; None where nothing was tried."""

    delivery: str
    destination: str
    council: str
    route: str
    kind: str
    item_index: int | None
    our_reference: str
    submission: str
    reference: str
    front_end_reference: str | None
    received_at: datetime
    due_by: date | None
    warnings: Sequence[dict[str, str]]
    revision: int
    body: bytes | None  #: sealed; None once forgotten
    generation: int | None
    follow_up: str | None
    said: bytes | None  #: what a follow-up says, sealed


def load(connection: Connection, deliveries: Sequence[str]) -> list[Sample]:
    """These deliveries, in the order they were made."""
    latest = (
        sa.select(sa.func.max(_CONTENT.revision))
        .where(_CONTENT.submission == _SUB.id)
        .correlate(tables.submission)
        .scalar_subquery()
    )
    tried = (
        sa.select(_TRY.mapping_generation)
        .where(_TRY.step == _STEP.id, _TRY.trigger != Trigger.RESOLVER.value)
        .order_by(_TRY.started_at.desc(), _TRY.id.desc())
        .limit(1)
        .correlate(tables.step)
        .scalar_subquery()
    )
    query = (
        sa.select(
            _DEL.id.label("delivery"), _DEL.destination, _DEL.council, _DEL.route, _STEP.kind, _DEL.item_index,
            _DEL.our_reference, _SUB.id.label("submission"), _SUB.reference, _SUB.front_end_reference,
            _SUB.accepted_at.label("received_at"), _SUB.due_by, _SUB.warnings, _CONTENT.revision, _CONTENT.body,
            tried.label("generation"), _DEL.follow_up, tables.follow_up.c.body.label("said"),
        )
        .join(tables.submission, _SUB.id == _DEL.submission)
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .join(tables.submission_content, sa.and_(_CONTENT.submission == _SUB.id, _CONTENT.revision == latest))
        .outerjoin(tables.follow_up, tables.follow_up.c.id == _DEL.follow_up)
        .where(_DEL.id.in_(deliveries))
        .order_by(_DEL.id)
    )  # fmt: skip
    names = tuple(name for name in Sample.__slots__ if name != "warnings")
    return [
        Sample(**{name: getattr(row, name) for name in names}, warnings=row.warnings or ())
        for row in connection.execute(query)
    ]
