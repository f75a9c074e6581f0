"""Where every id stands: delivered, waiting with a time or behind another, with a person, or discarded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hub.core.lifecycle import needs_person, waiting
from hub.model import StepState, SubmissionStatus, WaitReason
from hub.store import submissions
from hub.store.store import Store
from hub.store.submissions import DeliveryView, SubmissionView

S = StepState
_DELIVERIES = submissions.delivery_query()


def standings(store: Store) -> list[str]:
    """Every delivery stands in exactly one way; their ids."""
    rows = store.read_now(lambda connection: connection.execute(_DELIVERIES).all())
    now = datetime.now(UTC)
    for view in map(submissions.delivery_view, rows):
        assert len(standing(view, now=now)) == 1, f"{standing(view, now=now)}: {view}"
    return [row.id for row in rows]


def statuses(store: Store, published: Sequence[str]) -> None:
    """Every submission that was accepted is there, in one state, which is that of its cases together."""
    views = store.read_now(lambda connection: submissions.page(connection, limit=500)).items
    assert sorted(view.id for view in views) == sorted(published), "one is lost, or one that nobody sent is there"
    now = datetime.now(UTC)
    for view in views:
        _status(view, {way for one in view.deliveries if one.kind == "case" for way in standing(one, now=now)})


def standing(view: DeliveryView, *, now: datetime) -> list[str]:
    """Every way in which this delivery is accounted for."""
    person = needs_person(view.state, due_at=view.due_at)
    why = waiting(
        state=view.state, due_at=view.due_at, hold_reason=view.hold_reason, hold_until=view.hold_until,
        destination=view.health, now=now, ahead=view.ahead,
    )  # fmt: skip
    found = ["person"] if person else []
    if view.state is S.DELIVERED:
        found.append("delivered")
    if view.state is S.DISCARDED and view.reason:
        found.append("discarded")
    if view.state is S.SENDING:
        found.append("away")
    if why is not None and (why.until is not None or _held(view, why.reason)):
        found.append("waiting")
    if why is None and not person and view.state in (S.QUEUED, S.UNCLEAR):
        found += ["due"] if view.due_at is not None and view.due_at <= now else []
    return found


def _held(view: DeliveryView, reason: WaitReason) -> bool:
    """It waits for another, or for a person who has said so; nobody knows for how long."""
    if reason is WaitReason.BEHIND:
        return view.ahead is not None and view.ahead.state not in (S.DELIVERED, S.DISCARDED)
    return reason is WaitReason.PAUSED


def _status(view: SubmissionView, ways: set[str]) -> None:
    """The first of these that is so."""
    told: dict[SubmissionStatus, bool] = {
        SubmissionStatus.NEEDS_ATTENTION: "person" in ways,
        SubmissionStatus.DISCARDED: ways == {"discarded"},
        SubmissionStatus.DELIVERED: ways <= {"delivered", "discarded"},
        SubmissionStatus.PARTLY_DELIVERED: "delivered" in ways,
        SubmissionStatus.ACCEPTED: True,
    }
    assert told[view.status] and view.status is next(status for status, holds in told.items() if holds), ways
