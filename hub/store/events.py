"""What happened, as rows for everybody who reads in order; never a payload."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.store import tables
from hub.store.hot import Hot

INSERT = Hot.insert(tables.event, without=("feed_seq", "hash"))

ACCEPTED = "submission.accepted"
NEEDS_ATTENTION = "submission.needs_attention"
FOLLOW_UP = "submission.follow_up"  #: something was said of it afterwards
DELIVERED = "delivery.delivered"
RETRY = "delivery.retry"
DEAD = "delivery.dead"
UNCLEAR = "delivery.unclear"
REPLAYED = "delivery.replayed"
DISCARDED = "delivery.discarded"
RESOLVED = "delivery.resolved"
LATER_DONE = "delivery.completed"  #: a later step (a photo, a number, a note) went well
ISSUE = "delivery.issue"  #: a later step needs a person; the case itself is delivered
RECOVERED = "delivery.recovered"  #: a lease ran out; the step was made due or unclear
LATE_RESULT = "delivery.late_result"  #: an answer came after the lease was lost


def row(
    *,
    event_id: str,
    at: datetime,
    kind: str,
    council: str | None,
    front_end: str | None,
    submission: str | None,
    delivery: str | None = None,
    actor: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A row for the event table. `detail` holds codes and ids only: events leave the hub."""
    return {
        "id": event_id,
        "at": at,
        "kind": kind,
        "council": council,
        "front_end": front_end,
        "submission": submission,
        "delivery": delivery,
        "actor": actor,
        "detail": dict(detail) if detail else None,
    }
