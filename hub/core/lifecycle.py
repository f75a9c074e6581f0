"""Which state may follow which, and what the states of many mean for one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.model import StepState, SubmissionStatus, Waiting, WaitReason

S = StepState

#: Every arrow of the drawing in hub/README.md; nothing else may happen to a step.
ARROWS: Mapping[StepState, frozenset[StepState]] = {
    # Unclear: a backup was put back, and it may have been sent since.
    S.QUEUED: frozenset({S.SENDING, S.QUEUED, S.DISCARDED, S.UNCLEAR}),
    S.SENDING: frozenset({S.DELIVERED, S.QUEUED, S.UNCLEAR, S.DEAD}),
    # Dead: it was looked for, it is certainly not there, and there are no tries left.
    S.UNCLEAR: frozenset({S.DELIVERED, S.QUEUED, S.DISCARDED, S.UNCLEAR, S.DEAD}),
    S.DEAD: frozenset({S.QUEUED, S.DISCARDED}),
    S.DISCARDED: frozenset({S.QUEUED}),
    S.DELIVERED: frozenset(),
}


def may_follow(before: StepState, after: StepState) -> bool:
    return after in ARROWS[before]


def status_of(
    states: Collection[StepState], *, planned: bool, discarded: bool = False, persons: bool = True
) -> SubmissionStatus:
    """A submission's status from its case deliveries.

    `planned` is False when routing found no way; `persons` is False while
    every unclear one is still being looked for.
    """
    if discarded:
        return SubmissionStatus.DISCARDED
    if not planned or not states or StepState.DEAD in states or (persons and StepState.UNCLEAR in states):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The part of the same case that has to be delivered first."""

    our_reference: str
    state: StepState
    persons: bool  #: it will not move by itself


def needs_person(state: StepState, *, due_at: datetime | None) -> bool:
    """Whether a step stays as it is until a person says what becomes of it."""
    return state is StepState.DEAD or (state is StepState.UNCLEAR and due_at is None)


def waiting(
    *,
    state: StepState,
    due_at: datetime | None,
    hold_reason: WaitReason | None,
    hold_until: datetime | None,
    destination: DestinationHealth,
    now: datetime,
    ahead: Ahead | None = None,
) -> Waiting | None:
    """Why a step is not being sent right now, or None: it is not waiting, or it needs a person.

    The only place that says so: API, console and alerts ask here.
    """
    if state not in (StepState.QUEUED, StepState.UNCLEAR) or needs_person(state, due_at=due_at):
        return None
    if due_at is None:
        return Waiting(reason=WaitReason.BEHIND, until=None, text=_behind(ahead))
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
    if state is StepState.UNCLEAR:
        text = f"Sent to {destination.name} and no clear answer came; it is looked for there before anything is sent."
        return Waiting(reason=WaitReason.LOOKUP, until=hold_until or due_at, text=text)
    if due_at > now:
        text = f"{destination.name} could not take it; it is tried again."
        return Waiting(reason=hold_reason or WaitReason.RETRY, until=hold_until or due_at, text=text)
    if destination.rate_next_at and destination.rate_next_at > now:
        return Waiting(
            reason=WaitReason.RATE,
            until=destination.rate_next_at,
            text=f"{destination.name} takes only so many a second; this one has its turn soon.",
        )
    return None


def _behind(ahead: Ahead | None) -> str:
    if ahead is None:
        return "Behind an earlier part of the same case."
    why = "which needs a person" if ahead.persons else "which goes first"
    return f"Behind {ahead.our_reference}, {why}."
