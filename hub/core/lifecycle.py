"""Which state may follow which, and what the states of many mean for one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.model import StepState, SubmissionStatus, Waiting, WaitReason

S = StepState

#: Every arrow of the drawing in hub/README.md; nothing else may happen to a step.
ARROWS: Mapping[StepState, frozenset[StepState]] = {
    S.QUEUED: frozenset({S.SENDING, S.QUEUED, S.DISCARDED}),
    S.SENDING: frozenset({S.DELIVERED, S.QUEUED, S.UNCLEAR, S.DEAD}),
    S.UNCLEAR: frozenset({S.DELIVERED, S.QUEUED, S.DISCARDED}),
    S.DEAD: frozenset({S.QUEUED, S.DISCARDED}),
    S.DISCARDED: frozenset({S.QUEUED}),
    S.DELIVERED: frozenset(),
}


def may_follow(before: StepState, after: StepState) -> bool:
    return after in ARROWS[before]


def status_of(states: Collection[StepState], *, planned: bool, discarded: bool = False) -> SubmissionStatus:
    """A submission's status from its case deliveries; `planned` is False when routing found no way."""
    if discarded:
        return SubmissionStatus.DISCARDED
    if not planned or not states or StepState.DEAD in states or StepState.UNCLEAR in states:
        return SubmissionStatus.NEEDS_ATTENTION
    if all(state is StepState.DISCARDED for state in states):
        return SubmissionStatus.DISCARDED
    if all(state in (StepState.DELIVERED, StepState.DISCARDED) for state in states):
        return SubmissionStatus.DELIVERED
    if StepState.DELIVERED in states:
        return SubmissionStatus.PARTLY_DELIVERED
    return SubmissionStatus.ACCEPTED


def is_final(states: Collection[StepState]) -> bool:
    """Whether the hub's job is done: every case delivery is delivered or discarded."""
    return bool(states) and all(state in (StepState.DELIVERED, StepState.DISCARDED) for state in states)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationHealth:
    """What a destination's row says about being asked now."""

    name: str  #: as staff call it: "council/name"
    paused: bool = False
    pause_reason: str | None = None
    probe_at: datetime | None = None
    closed_until: datetime | None = None
    closed_reason: str | None = None
    breaker_until: datetime | None = None
    rate_next_at: datetime | None = None


def waiting(
    *,
    state: StepState,
    due_at: datetime | None,
    hold_reason: WaitReason | None,
    hold_until: datetime | None,
    destination: DestinationHealth,
    now: datetime,
) -> Waiting | None:
    """Why a step is not being sent right now, or None. The only place that says so."""
    if state is StepState.UNCLEAR:
        return Waiting(
            reason=WaitReason.LOOKUP,
            until=hold_until,
            text=f"Sent to {destination.name}, and no clear answer came; it is not sent again until that is settled.",
        )
    if state is not StepState.QUEUED:
        return None
    if due_at is None:
        return Waiting(reason=WaitReason.BEHIND, until=None, text="Behind an earlier part of the same case.")
    if destination.paused:
        why = f": {destination.pause_reason}" if destination.pause_reason else ""
        return Waiting(reason=WaitReason.PAUSED, until=destination.probe_at, text=f"{destination.name} is paused{why}.")
    if destination.closed_until and destination.closed_until > now:
        why = f" ({destination.closed_reason})" if destination.closed_reason else ""
        return Waiting(
            reason=WaitReason.WINDOW, until=destination.closed_until, text=f"{destination.name} is closed{why}."
        )
    if destination.breaker_until and destination.breaker_until > now:
        return Waiting(
            reason=WaitReason.BREAKER,
            until=destination.breaker_until,
            text=f"{destination.name} is not well; it is left alone for a while.",
        )
    if due_at > now:
        reason = hold_reason or WaitReason.RETRY
        text = {
            WaitReason.LOOKUP: f"Checking with {destination.name} before anything else is done.",
        }.get(reason, f"{destination.name} could not take it; it is tried again.")
        return Waiting(reason=reason, until=hold_until or due_at, text=text)
    if destination.rate_next_at and destination.rate_next_at > now:
        return Waiting(
            reason=WaitReason.RATE,
            until=destination.rate_next_at,
            text=f"{destination.name} takes only so many a second; this one has its turn soon.",
        )
    return None
