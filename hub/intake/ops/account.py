"""A bulk operation as JSON: what was wished, what would happen, and what became of every item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from hub.core.bulk import SKIPPED, ItemState, OperationKind, OperationState, Skip
from hub.core.lifecycle import waiting
from hub.intake.shapes import WaitingBody
from hub.intake.views import instant
from hub.model import ReplaySafety, StepState
from hub.store.bulk import Tally
from hub.store.destinations import health_of


class FoundBody(BaseModel):
    state: StepState
    count: int
    goes: bool
    why: str | None = Field(description="Why it would be skipped.")


class ChangeBody(BaseModel):
    """One kind of change from the record of the last attempt to the one that would be sent now. Never a value."""

    kind: str = Field(
        description="unchanged, changed, mended (failed before, maps now), still_fails, fails_now (mapped before), "
        "never_tried, or not_compared (the files it takes cannot be loaded)."
    )
    count: int
    changed: list[str] = Field(default=[], description="Leaves, as the mapping file names them.")
    added: list[str] = []
    removed: list[str] = []
    where: str | None = Field(default=None, description="File, line and leaf that fails.")
    code: str | None = None


class PreviewDestination(BaseModel):
    destination: str
    replay_safety: ReplaySafety = Field(description="What a repeat of the create does there; the worst of its routes.")
    paused: bool
    breaker: str
    closed: bool = Field(description="By a maintenance window.")
    count: int
    goes: int
    apart: int = Field(description="May have been taken: they go only with include_unsafe and a second person.")
    seconds: int | None = Field(description="How long its part takes at least.")
    changes: list[ChangeBody] = Field(description="Of a sample: its first 20, and 100 of all.")


class PreviewBody(BaseModel):
    """What it would do, as it stood when the list was whole."""

    at: datetime
    count: int
    goes: int
    apart: int
    rate: float | None
    seconds: int | None = Field(description="How long it takes at least.")
    found: list[FoundBody]
    destinations: list[PreviewDestination]


class DestinationAccount(BaseModel):
    destination: str
    counts: dict[str, int]
    waiting: WaitingBody | None = Field(description="Why nothing is released to it right now.")


class Progress(BaseModel):
    ended: int
    total: int


class OperationBody(BaseModel):
    """A replay or discard of many, over a list that never changes once it is ready."""

    id: str
    kind: OperationKind
    state: OperationState
    filter: dict[str, Any] = Field(description="As it was understood: relative times are absolute.")
    councils: list[str] | None = Field(description="Whose deliveries it reaches; null for all.")
    reason: str
    rate: float | None = Field(description="A second, at most.")
    canary: int | None
    canary_left: int | None = Field(description="How many must still be delivered before the rest may go.")
    include_unsafe: bool = Field(description="Then another person than its author has to start it, an approver.")
    generation: int | None = Field(description="Of the council files it uses; null for the newest.")
    created_by: str
    created_at: datetime
    approved_by: str | None
    started_by: str | None
    started_at: datetime | None
    ended_at: datetime | None = Field(description="When every item had come to its end.")
    why: str | None = Field(description="Why it is paused or was cancelled.")
    progress: Progress
    counts: dict[str, int] = Field(description="Items by state; they always add up to the total.")
    destinations: list[DestinationAccount]


class WholeOperation(OperationBody):
    preview: PreviewBody | None = Field(description="Null while its list is being made.")


class ItemBody(BaseModel):
    position: int
    delivery: str = Field(description="Its id.")
    our_reference: str
    destination: str
    state: ItemState
    why: str | None = Field(description="Why it was skipped, or the fault that stopped it.")
    attempt: str | None = Field(description="The last one.")


_OPEN = (ItemState.PENDING, ItemState.QUEUED)
_SHOWN = (
    "id", "kind", "state", "filter", "councils", "reason", "rate", "canary", "canary_left", "include_unsafe",
    "generation", "created_by", "approved_by", "started_by", "why",
)  # fmt: skip


def operation(row: Any, places: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """For lists. `places` are the rows of its destinations, where it is known whether they are asked."""
    counts = Tally(row.counts or {})
    running = row.state == OperationState.RUNNING.value
    return {
        **{name: getattr(row, name) for name in _SHOWN},
        **{name: instant(getattr(row, name)) for name in ("created_at", "started_at", "ended_at")},
        "progress": {"ended": counts.total - counts.of(*_OPEN), "total": counts.total},
        "counts": {state.value: counts.of(state) for state in ItemState},
        "destinations": [
            {
                "destination": name,
                "counts": states,
                "waiting": _waiting(name, places.get(name), now=now)
                if running and states.get(ItemState.PENDING.value)
                else None,
            }
            for name, states in sorted(counts.by_destination.items())
        ],
    }


def whole(row: Any, places: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The same with its preview."""
    return {**operation(row, places, now=now), "preview": row.preview}


def item(row: Any) -> dict[str, Any]:
    skipped = row.state == ItemState.SKIPPED.value
    return {
        "position": row.position,
        "delivery": row.delivery,
        "our_reference": row.our_reference,
        "destination": row.destination,
        "state": row.state,
        "why": SKIPPED[Skip(row.result)] if skipped else row.result,
        "attempt": row.attempt,
    }


def _waiting(name: str, place: Any, *, now: datetime) -> dict[str, Any] | None:
    if place is None:
        return None
    why = waiting(
        state=StepState.QUEUED, due_at=now, hold_reason=None, hold_until=None,
        destination=health_of(place, name=name), now=now,
    )  # fmt: skip
    return why.as_dict() if why else None
