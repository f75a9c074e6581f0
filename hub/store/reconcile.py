"""Everything that was accepted in a time, a page at a time, as it stands now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.dates import LONDON
from hub.core.reconciling import Piece, Standing, standing_of
from hub.model import DeliveryKind, StepState
from hub.store import tables
from hub.store.ids import first_id

PAGE: Final = 500  #: submissions
_SPARE: Final = timedelta(days=1)  #: ids are given by a clock that may differ from the one that dates what is accepted
_SUB = tables.submission.c
_DEL = tables.delivery.c
_STEP = tables.step.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is reconciled: accepted in [since, until), by one council, for one service; None means any."""

    since: datetime
    until: datetime
    council: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One submission with its pieces of work."""

    id: str
    pieces: Sequence[Piece]


def page(connection: Connection, scope: Scope, *, after: str | None) -> list[Accepted]:
    """The next submissions after this one, in the order of their ids; none when that was the last."""
    where = [
        _SUB.accepted_at >= scope.since, _SUB.accepted_at < scope.until,
        _SUB.id > (after or first_id(scope.since - _SPARE)), _SUB.id < first_id(scope.until + _SPARE),
    ]  # fmt: skip
    where += [_SUB.council == scope.council] if scope.council else []
    where += [_SUB.service == scope.service] if scope.service else []
    found = connection.execute(sa.select(tables.submission).where(*where).order_by(_SUB.id).limit(PAGE)).all()
    parts: dict[str, list[Any]] = {}
    for row in connection.execute(_deliveries().where(_DEL.submission.in_([row.id for row in found]))):
        parts.setdefault(row.submission, []).append(row)
    return [Accepted(id=row.id, pieces=_pieces(row, parts.get(row.id, ()))) for row in found]


def again(connection: Connection, pieces: Collection[Piece]) -> dict[str, Piece]:
    """The same pieces as they stand at this moment, by delivery."""
    before = {piece.delivery: piece for piece in pieces if piece.delivery is not None}
    rows = connection.execute(_deliveries().where(_DEL.id.in_(list(before))))
    return {row.id: _piece(row, council=row.council, service=row.service, day=before[row.id].day) for row in rows}


def held(connection: Connection, destination: str, references: Collection[str]) -> frozenset[str]:
    """Those of our references that the hub has a delivery for at this destination, of whatever time."""
    query = sa.select(_DEL.our_reference).where(
        _DEL.destination == destination, _DEL.our_reference.in_(sorted(references))
    )
    return frozenset(connection.execute(query).scalars())


def _deliveries() -> Any:
    return (
        sa.select(
            _DEL.id, _DEL.submission, _DEL.council, _DEL.service, _DEL.destination, _DEL.our_reference,
            _DEL.their_reference, _DEL.joined, _STEP.state, _STEP.due_at, _STEP.updated_at,
        )
        .outerjoin(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .where(_DEL.kind == DeliveryKind.CASE.value)
        .order_by(_DEL.id)
    )  # fmt: skip


def _pieces(submission: Any, parts: Sequence[Any]) -> list[Piece]:
    council, service = submission.council, submission.service
    day = submission.accepted_at.astimezone(LONDON).date()
    if parts:
        return [_piece(row, council=council, service=service, day=day) for row in parts]
    if submission.discarded_at is not None:
        standing = Standing.DISCARDED
    else:
        # One without deliveries and without a word why would be lost: nobody would ever look at it.
        standing = Standing.NEEDS_PERSON if submission.faults is not None else Standing.UNEXPLAINED
    return [Piece(council=council, service=service, day=day, reference=submission.reference, standing=standing)]


def _piece(row: Any, *, council: str, service: str, day: Any) -> Piece:
    return Piece(
        council=council,
        service=service,
        day=day,
        reference=row.our_reference,
        standing=standing_of(StepState(row.state) if row.state else None, due_at=row.due_at),
        destination=row.destination,
        delivery=row.id,
        theirs=row.their_reference,
        joined=row.joined,
        since=row.updated_at,
    )
