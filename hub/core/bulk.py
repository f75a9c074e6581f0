"""What a bulk operation may do to each of its items, how fast, and when it must stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.model import ReplaySafety, StepState


class OperationKind(StrEnum):
    """What is done to every item."""

    REPLAY = "replay"
    DISCARD = "discard"


class OperationState(StrEnum):
    """Where an operation stands. Its list is whole, and never changes again, from READY on."""

    DRAFT = "draft"  #: wished for; nothing is listed yet
    MARKING = "marking"  #: its list is being made, in stages
    READY = "ready"  #: previewed; a person may start it
    RUNNING = "running"
    PAUSED = "paused"  #: by a person, or by itself: it says why
    DONE = "done"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """What became of one item. The numbers of all states always add up to the length of the list."""

    PENDING = "pending"  #: nothing was done yet
    QUEUED = "queued"  #: released: it is due, or on its way
    DELIVERED = "delivered"
    FAILED = "failed"  #: a dead letter again
    UNCLEAR = "unclear"  #: a person's
    DISCARDED = "discarded"
    SKIPPED = "skipped"  #: its state did not allow it; it says which
    CANCELLED = "cancelled"  #: never released


class Skip(StrEnum):
    """Why an item is left alone."""

    QUEUED = "queued"
    SENDING = "sending"
    UNCLEAR = "unclear"
    DELIVERED = "delivered"
    DISCARDED = "discarded"
    APART = "apart"


SKIPPED: Final[Mapping[Skip, str]] = {
    Skip.QUEUED: "It is queued already.",
    Skip.SENDING: "It is being sent right now.",
    Skip.UNCLEAR: "It may have been taken; resolve it first.",
    Skip.DELIVERED: "It is delivered.",
    Skip.DISCARDED: "It is discarded already.",
    Skip.APART: "It may have been taken, and a repeat would make it twice: look in the council's system first, "
    "or make an operation that includes the unsafe, which another person has to start.",
}

O = OperationState  # noqa: E741  # short, for the drawing

#: What may follow what; nothing else may happen to an operation.
ARROWS: Final[Mapping[OperationState, frozenset[OperationState]]] = {
    O.DRAFT: frozenset({O.MARKING, O.READY, O.CANCELLED}),
    O.MARKING: frozenset({O.READY, O.CANCELLED}),
    O.READY: frozenset({O.RUNNING, O.CANCELLED}),
    O.RUNNING: frozenset({O.PAUSED, O.DONE, O.CANCELLED}),
    O.PAUSED: frozenset({O.RUNNING, O.CANCELLED}),
    O.DONE: frozenset(),
    O.CANCELLED: frozenset(),
}

DEFAULT_RATE: Final = 5.0  #: a second, where nobody says another
TURN: Final = timedelta(milliseconds=250)  #: how often the next items are released
AT_ONCE: Final = 100  #: the most items in one transaction
_LEAST_UNDERWAY: Final = 10
_WAITING: Final = 10  #: times as many may wait on their ladders as may be due


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """What a step's earlier attempts leave open: whether its create may be there already."""

    ever_doubtful: bool = False  #: some attempt had no clear answer
    last_doubtful: bool = False  #: the last one had none


def why_not(kind: OperationKind, state: StepState, *, safety: ReplaySafety, sends: Sends) -> Skip | None:
    """Why an operation leaves an item in this state alone; None where it may go. APART may go with approval."""
    match state:
        case StepState.DEAD:
            may_be_there = kind is OperationKind.REPLAY and _may_be_there(state, safety, sends)
            return Skip.APART if may_be_there else None
        case StepState.QUEUED if kind is OperationKind.DISCARD:
            return None
        case StepState.DISCARDED if kind is OperationKind.REPLAY:
            return Skip.APART if _may_be_there(state, safety, sends) else None
        case _:
            return Skip(state.value)


def _may_be_there(state: StepState, safety: ReplaySafety, sends: Sends) -> bool:
    match safety:
        case ReplaySafety.IDEMPOTENT | ReplaySafety.REJECTS_DUPLICATES:
            return False  # a repeat is harmless
        case ReplaySafety.LOOKUP | ReplaySafety.LISTING:
            # Before it may die it was looked for and not found; a person's discard asks nobody.
            return state is not StepState.DEAD and sends.last_doubtful
        case ReplaySafety.UNSAFE:
            return sends.ever_doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """Items that were released and have not come to their end."""

    due: int = 0  #: to be sent now, or away
    later: int = 0  #: waiting for a retry, or for a look


def may_release(
    *, rate: float | None, earned: float, underway: Underway, canary_left: int | None, most: int = AT_ONCE
) -> int:
    """How many items may be released now. `earned` is what the rate allows since the last release."""
    allowed = most
    if rate is not None:
        cap = max(int(2 * rate), _LEAST_UNDERWAY)
        room = cap - underway.due if underway.later < cap * _WAITING else 0
        allowed = min(allowed, int(earned + 1e-6), room)
    if canary_left:
        allowed = min(allowed, canary_left - underway.due - underway.later)
    return max(allowed, 0)


def earned_since(mark: datetime | None, now: datetime, *, rate: float) -> tuple[float, datetime]:
    """How many items the rate has earned since the mark, and the mark they are counted from.

    At most one turn is caught up on: after a stop nothing comes in a burst.
    """
    patience = max(2 * TURN, timedelta(seconds=1 / rate))
    since = max(mark, now - patience) if mark is not None else now - max(TURN, timedelta(seconds=1 / rate))
    return (now - since).total_seconds() * rate, since
