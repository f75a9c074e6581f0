"""Where a submission is now, read for whoever may ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.lifecycle import Ahead, DestinationHealth, is_final, needs_person, status_of
from hub.errors import NotThere
from hub.model import DeliveryKind, StepState, SubmissionStatus, Trigger, WaitReason
from hub.store import events, tables
from hub.store.destinations import health_of
from hub.store.paging import Page, after, cut

_SUB = tables.submission.c
_DEL = tables.delivery.c
_STEP = tables.step.c
_SAID = tables.follow_up.c
_MOST_SAID: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One delivery as its create step stands; `issues` counts later steps that a person must look at."""

    id: str
    destination: str
    connector: str
    council: str
    service: str
    submission: str
    submission_reference: str
    kind: str
    follow_up: str | None
    state: StepState
    reference: str | None
    joined: bool
    our_reference: str
    attempts: int
    attempts_used: int
    due_at: datetime | None
    hold_reason: WaitReason | None
    hold_until: datetime | None
    issues: int
    fault_code: str | None
    reason: str | None
    created_at: datetime
    updated_at: datetime
    ahead: Ahead | None
    health: DestinationHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpView:
    """What was said of a submission afterwards, and its deliveries; `kind` as its front end called it."""

    id: str
    kind: str
    received_at: datetime
    status: SubmissionStatus
    deliveries: Sequence[DeliveryView]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionView:
    id: str
    reference: str
    front_end_reference: str | None
    front_end: str
    council: str
    service: str
    version: int
    status: SubmissionStatus
    final: bool
    case_status: str | None
    received_at: datetime
    due_by: date | None
    warnings: Sequence[dict[str, str]]
    faults: Sequence[str]
    deliveries: Sequence[DeliveryView]
    updates: Sequence[dict[str, Any]]
    follow_ups: Sequence[FollowUpView] = ()  #: only where one submission is looked at


def status(connection: Connection, name: str, *, front_end: str | None = None) -> SubmissionView:
    """The submission with this id or reference. Raises NotThere, also for another front end's."""
    row = find(connection, name, front_end=front_end)
    views = delivery_views(connection, _DEL.submission == row.id)
    said = sa.select(tables.follow_up).where(_SAID.submission == row.id).order_by(_SAID.received_at, _SAID.id)
    follow_ups = [_follow_up(one, views) for one in connection.execute(said.limit(_MOST_SAID)).all()]
    return _view(row, views, updates_of(connection, row.id), follow_ups)


def find(connection: Connection, name: str, *, front_end: str | None = None) -> Any:
    """Its row, by id or reference. Raises NotThere, also for another front end's."""
    query = sa.select(tables.submission)
    # An id has 36 characters and a reference 9: one index lookup either way.
    query = query.where(_SUB.id == name) if len(name) == 36 else query.where(_SUB.reference == name.upper())
    row = connection.execute(query).one_or_none()
    if row is None or (front_end is not None and row.front_end != front_end):
        raise NotThere(
            "There is no submission of yours with that id or reference; check it, or look it up by the id in your 202."
        )
    return row


def follow_up(connection: Connection, id: str) -> FollowUpView:
    """One thing that was said afterwards."""
    row = connection.execute(sa.select(tables.follow_up).where(_SAID.id == id)).one()
    return _follow_up(row, delivery_views(connection, _DEL.follow_up == id))


def _follow_up(row: Any, views: Sequence[DeliveryView]) -> FollowUpView:
    mine = [view for view in views if view.follow_up == row.id]
    persons = any(needs_person(view.state, due_at=view.due_at) for view in mine)
    # Without a delivery it went to no system: whoever decides about the submission has to read it.
    well = bool(mine) and not any(view.issues for view in mine)
    status = status_of([view.state for view in mine], planned=well, persons=persons)
    return FollowUpView(id=row.id, kind=row.kind, received_at=row.received_at, deliveries=mine, status=status)


def page(
    connection: Connection,
    *,
    councils: Sequence[str] | None = None,
    front_end: str | None = None,
    reference: str | None = None,
    unrouted: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[SubmissionView]:
    """Submissions, the newest first. `reference` finds the hub's or the front end's, `unrouted` a person's."""
    query = sa.select(tables.submission).order_by(_SUB.id.desc()).limit(limit + 1)
    if councils is not None:
        query = query.where(_SUB.council.in_(councils))
    if front_end is not None:
        query = query.where(_SUB.front_end == front_end)
    if reference is not None:
        query = query.where(sa.or_(_SUB.reference == reference.upper(), _SUB.front_end_reference == reference))
    if unrouted:
        query = query.where(_SUB.faults.is_not(None), _SUB.discarded_at.is_(None))
    if cursor is not None:
        query = query.where(_SUB.id < after(cursor))
    rows, following = cut(connection.execute(query).all(), limit)
    views: dict[str, list[DeliveryView]] = {row.id: [] for row in rows}
    for view in delivery_views(connection, _DEL.submission.in_(list(views))) if rows else ():
        views[view.submission].append(view)
    return Page(items=[_view(row, views[row.id], []) for row in rows], next=following)


def _view(
    row: Any,
    views: Sequence[DeliveryView],
    updates: Sequence[dict[str, Any]],
    follow_ups: Sequence[FollowUpView] = (),
) -> SubmissionView:
    cases = [view for view in views if view.kind == DeliveryKind.CASE.value]
    states = [view.state for view in cases]
    persons = any(needs_person(view.state, due_at=view.due_at) for view in cases)
    discarded = row.discarded_at is not None
    return SubmissionView(
        id=row.id,
        reference=row.reference,
        front_end_reference=row.front_end_reference,
        front_end=row.front_end,
        council=row.council,
        service=row.service,
        version=row.version,
        status=status_of(states, planned=row.faults is None, discarded=discarded, persons=persons),
        final=discarded or (row.faults is None and is_final(states)),
        case_status=row.case_status,
        received_at=row.accepted_at,
        due_by=row.due_by,
        warnings=row.warnings or (),
        faults=row.faults or (),
        deliveries=views,
        updates=updates,
        follow_ups=follow_ups,
    )


def delivery_query() -> Any:
    """Deliveries with their create step and destination: the shape every list and page is made from."""
    attempts = (
        sa.select(sa.func.count())
        .where(tables.attempt.c.step == _STEP.id, tables.attempt.c.trigger != Trigger.RESOLVER.value)
        .correlate(tables.step)
        .scalar_subquery()
    )
    later = tables.step.alias("later")
    issues = (
        sa.select(sa.func.count())
        .where(later.c.delivery == _DEL.id, later.c.position > 0, later.c.state.in_(("unclear", "dead")))
        .correlate(tables.delivery)
        .scalar_subquery()
    )
    last = tables.attempt.alias("last")
    fault = (
        sa.select(last.c.fault_code)
        .where(last.c.step == _STEP.id, last.c.trigger != Trigger.RESOLVER.value)
        .order_by(last.c.started_at.desc())
        .limit(1)
        .correlate(tables.step)
        .scalar_subquery()
    )
    ahead, of_ahead = tables.step.alias("ahead"), tables.delivery.alias("of_ahead")
    return (
        sa.select(
            tables.delivery,
            ahead.c.state.label("ahead_state"), ahead.c.due_at.label("ahead_due_at"),
            of_ahead.c.our_reference.label("ahead_reference"), _STEP.call,
            _STEP.state, _STEP.attempts_used, _STEP.due_at, _STEP.hold_reason, _STEP.hold_until, _STEP.updated_at,
            _STEP.reason, _SUB.reference.label("submission_reference"),
            attempts.label("attempts"), issues.label("issues"), fault.label("fault_code"),
            tables.destination.c.connector, tables.destination.c.paused_at, tables.destination.c.pause_reason,
            tables.destination.c.probe_at,
            tables.destination.c.closed_until, tables.destination.c.breaker_until, tables.destination.c.rate_next_at,
            tables.destination.c.breaker_counts, tables.destination.c.pace_next_at,
        )
        .join(tables.step, sa.and_(_STEP.delivery == _DEL.id, _STEP.position == 0))
        .join(tables.submission, _SUB.id == _DEL.submission)
        .outerjoin(tables.destination, tables.destination.c.id == _DEL.destination)
        .outerjoin(ahead, ahead.c.id == _STEP.behind)
        .outerjoin(of_ahead, of_ahead.c.id == ahead.c.delivery)
    )  # fmt: skip


def delivery_views(connection: Connection, *where: Any) -> list[DeliveryView]:
    return [delivery_view(row) for row in connection.execute(delivery_query().where(*where).order_by(_DEL.id))]


def delivery_view(row: Any) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        destination=row.destination,
        connector=row.connector or "",
        council=row.council,
        service=row.service,
        submission=row.submission,
        submission_reference=row.submission_reference,
        kind=row.kind,
        follow_up=row.follow_up,
        state=StepState(row.state),
        reference=row.their_reference,
        joined=row.joined,
        our_reference=row.our_reference,
        attempts=row.attempts,
        attempts_used=row.attempts_used,
        due_at=row.due_at,
        hold_reason=WaitReason(row.hold_reason) if row.hold_reason else None,
        hold_until=row.hold_until,
        issues=row.issues,
        fault_code=row.fault_code if row.state != StepState.DELIVERED.value else None,
        reason=row.reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ahead=_ahead(row),
        health=health_of(row, name=row.destination, call=row.call),
    )


def _ahead(row: Any) -> Ahead | None:
    if row.ahead_state is None:
        return None
    state = StepState(row.ahead_state)
    persons = needs_person(state, due_at=row.ahead_due_at)
    return Ahead(our_reference=row.ahead_reference, state=state, persons=persons)


_TOLD = {
    events.ACCEPTED: ("accepted", "We have it and are passing it on."),
    events.NEEDS_ATTENTION: ("needs_attention", "We have it; a member of staff has to decide where it goes."),
    events.DELIVERED: ("delivered", "The council's system has it."),
    events.DEAD: ("needs_attention", "The council's system did not take it; staff are looking at it."),
    events.UNCLEAR: ("needs_attention", "We are checking whether the council's system has it."),
    events.DISCARDED: ("discarded", "Staff have set it aside."),
}


def updates_of(connection: Connection, submission: str) -> list[dict[str, Any]]:
    """What its front end was told of it, in order."""
    row = tables.event.c
    query = sa.select(row.at, row.kind, row.detail).where(row.submission == submission).order_by(row.id).limit(500)
    return [
        {"at": event.at, "status": _told_status(event), "text": _TOLD[event.kind][1]}
        for event in connection.execute(query)
        if event.kind in _TOLD
    ]


def _told_status(event: Any) -> str:
    looked_for = event.kind == events.UNCLEAR and bool(event.detail) and event.detail.get("looked_for")
    return SubmissionStatus.ACCEPTED.value if looked_for else _TOLD[event.kind][0]
