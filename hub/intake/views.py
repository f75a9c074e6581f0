"""What is shown of submissions and deliveries, as plain JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.core.lifecycle import waiting
from hub.store.deliveries import AttemptView
from hub.store.submissions import DeliveryView, SubmissionView


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
        "deliveries": [delivery(one, now=now) for one in view.deliveries],
        "updates": [{**update, "at": instant(update["at"])} for update in view.updates],
    }
    if view.due_by is not None:
        body["due_by"] = view.due_by.isoformat()
    return body


def delivery(view: DeliveryView, *, now: datetime) -> dict[str, Any]:
    """A delivery as its front end sees it."""
    why = waiting(
        state=view.state,
        due_at=view.due_at,
        hold_reason=view.hold_reason,
        hold_until=view.hold_until,
        destination=view.health,
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
        "trigger": view.trigger,
        "actor": view.actor,
        "phase": view.phase,
        "outcome": view.outcome,
        "fault_code": view.fault_code,
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
