"""What is shown of submissions and deliveries, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.core.lifecycle import waiting
from hub.model import ReceivedState, StepKind, SubmissionStatus
from hub.store.deliveries import AttemptView, StepView
from hub.store.submissions import DeliveryView, FollowUpView, SubmissionView


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, as every answer writes it."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def submission(view: SubmissionView, *, now: datetime) -> dict[str, Any]:
    """The body of `GET /v1/submissions/{id}`."""
    body: dict[str, Any] = {
        "id": view.id,
        "reference": view.reference,
        "front_end_reference": view.front_end_reference,
        "council": view.council,
        "service": view.service,
        "version": view.version,
        "status": view.status.value,
        "final": view.final,
        "case_status": view.case_status,
        "received_at": instant(view.received_at),
        "warnings": list(view.warnings),
        "deliveries": [delivery(one, now=now) for one in view.deliveries if one.follow_up is None],
        "updates": [{**update, "at": instant(update["at"])} for update in view.updates],
        "follow_ups": [follow_up(one, now=now) for one in view.follow_ups],
    }
    if view.due_by is not None:
        body["due_by"] = view.due_by.isoformat()
    return body


def parked(row: Any, *, service: str | None, updates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same of a form that is no submission yet: a person's, or set aside by one."""
    discarded = row.state == ReceivedState.DISCARDED.value
    status = SubmissionStatus.DISCARDED if discarded else SubmissionStatus.NEEDS_ATTENTION
    return {
        "id": row.id,
        "reference": row.reference,
        "front_end_reference": None,
        "council": row.council,
        "service": service,
        "status": status.value,
        "final": discarded,
        "case_status": None,
        "received_at": instant(row.received_at),
        "warnings": [],
        "deliveries": [],
        "updates": [{**update, "at": instant(update["at"])} for update in updates],
        "follow_ups": [],
    }


def follow_up(view: FollowUpView, *, now: datetime) -> dict[str, Any]:
    """What was said of a submission afterwards, without the words."""
    return {
        "id": view.id,
        "kind": view.kind,
        "status": view.status.value,
        "received_at": instant(view.received_at),
        "deliveries": [delivery(one, now=now) for one in view.deliveries],
    }


def delivery(view: DeliveryView, *, now: datetime) -> dict[str, Any]:
    """A delivery as its front end sees it."""
    why = waiting(
        state=view.state,
        due_at=view.due_at,
        hold_reason=view.hold_reason,
        hold_until=view.hold_until,
        destination=view.health,
        ahead=view.ahead,
        now=now,
    )
    return {
        "id": view.id,
        "destination": view.destination,
        "connector": view.connector,
        "state": view.state.value,
        "reference": view.reference,
        "our_reference": view.our_reference,
        "attempts": view.attempts,
        "waiting": why.as_dict() if why else None,
        "issues": _issues(view),
        "updated_at": instant(view.updated_at),
    }


def delivery_for_staff(view: DeliveryView, *, now: datetime) -> dict[str, Any]:
    """The same, with what staff need to find and mend it."""
    return {
        **delivery(view, now=now),
        "kind": view.kind,
        "council": view.council,
        "service": view.service,
        "submission": view.submission,
        "submission_reference": view.submission_reference,
        "joined": view.joined,
        "attempts_used": view.attempts_used,
        "fault_code": view.fault_code,
        "reason": view.reason,
        "created_at": instant(view.created_at),
    }


def attempt(view: AttemptView) -> dict[str, Any]:
    """One try. What was sent and answered is not in it: that is personal."""
    return {
        "id": view.id,
        "step": view.position,
        "trigger": view.trigger,
        "actor": view.actor,
        "phase": view.phase,
        "outcome": view.outcome,
        "fault_code": view.fault_code,
        "failure": view.failure,
        "group": view.group.hex() if view.group is not None else None,
        "replay_safety": view.replay_safety,
        "mapping_generation": view.mapping_generation,
        "started_at": instant(view.started_at),
        "sent_at": instant(view.sent_at),
        "ended_at": instant(view.ended_at),
        "evidence": view.evidence is not None,
    }


def _issues(view: DeliveryView) -> list[dict[str, Any]]:
    if not view.issues:
        return []
    return [{"count": view.issues, "text": "A later part of this case needs a person."}]


def steps(found: Sequence[StepView]) -> list[dict[str, Any]]:
    """The parts of a delivery; files by their number."""
    files = [view.position for view in found if view.kind == StepKind.ATTACH.value]
    return [
        {
            "position": view.position,
            "kind": view.kind,
            "file": files.index(view.position) + 1 if view.position in files else None,
            "state": view.state,
            "attempts_used": view.attempts_used,
            "reason": view.reason,
            "updated_at": instant(view.updated_at),
        }
        for view in found
    ]
