"""Nobody knows whether it was taken; what now?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from hub.core.retry import RetryPolicy, Verdict
from hub.errors import DeliveryFailure
from hub.model import Outcome, Receipt, ReplaySafety, StepState, WaitReason

#: What looks through the back office settles; everything else is repeated, or a person's.
LOOKED_UP: Final = frozenset({ReplaySafety.LOOKUP, ReplaySafety.LISTING})

PASSES: Final = 2  #: looks in a row, once settled, that must find nothing before it counts as not there
FIRST: Final = timedelta(seconds=1)  #: until the first look: most cases are there by then
_BETWEEN_PASSES: Final = (timedelta(seconds=1), timedelta(minutes=5))
_AFTER_FAILED: Final = (timedelta(seconds=5), timedelta(hours=1))


class ResolvedBy(StrEnum):
    """What told what had become of an unclear one; stands in the events that tell it."""

    LOOKUP = "lookup"
    LISTING = "listing"
    REPEAT = "repeat"  #: sent again, where that is harmless
    LATE_ANSWER = "late_answer"  #: the answer came after its lease was lost
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """How an unclear step stands when a look begins. Times are by the database's clock."""

    unclear_for: timedelta
    settles_in: timedelta  #: zero or less: what is there would be found by now
    settle: timedelta
    looks: int  #: that found nothing and counted


def first_look(settle: timedelta) -> timedelta:
    """When to look for the first time. What is found then is found; what is not may still turn up."""
    return min(FIRST, settle)


def decide_look(
    found: Receipt | BaseException | None, doubt: Doubt, *, attempts_used: int, policy: RetryPolicy
) -> Verdict:
    """The verdict on a look that found this receipt, found nothing, or failed."""
    match found:
        case Receipt():
            return Verdict(outcome=Outcome.DELIVERED, state=StepState.DELIVERED)
        case None:
            return _not_there(doubt, attempts_used=attempts_used, policy=policy)
        case _:
            code = found.code if isinstance(found, DeliveryFailure) else f"connector_bug_{type(found).__name__}"
            patience = sum(policy.ladder, timedelta(0)) + doubt.settle
            if doubt.unclear_for > patience:
                # It cannot be asked, for as long as anything is tried: a person has to.
                return Verdict(outcome=Outcome.UNAVAILABLE, state=StepState.UNCLEAR, fault_code=code, looks=doubt.looks)
            return _look_again(
                _within(doubt.unclear_for, _AFTER_FAILED), Outcome.UNAVAILABLE, looks=doubt.looks, code=code
            )


def _not_there(doubt: Doubt, *, attempts_used: int, policy: RetryPolicy) -> Verdict:
    if doubt.settles_in > timedelta(0):
        # It may still turn up, so this proves nothing: look again, less and less often, and once it is settled.
        after = min(max(doubt.unclear_for, FIRST), doubt.settles_in)
        return _look_again(after, Outcome.NOT_THERE, looks=0)
    looks = doubt.looks + 1
    if looks < PASSES:
        return _look_again(_within(doubt.settle / 2, _BETWEEN_PASSES), Outcome.NOT_THERE, looks=looks)
    if attempts_used > len(policy.ladder):
        # Certainly not there, so as safe to replay as any dead letter.
        return Verdict(outcome=Outcome.NOT_THERE, state=StepState.DEAD, fault_code="not_there")
    return Verdict(outcome=Outcome.NOT_THERE, state=StepState.QUEUED, after=timedelta(0))


def _look_again(after: timedelta, outcome: Outcome, *, looks: int, code: str | None = None) -> Verdict:
    return Verdict(
        outcome=outcome, state=StepState.UNCLEAR, fault_code=code, after=after, hold=WaitReason.LOOKUP, looks=looks
    )


def _within(wait: timedelta, bounds: tuple[timedelta, timedelta]) -> timedelta:
    return min(max(wait, bounds[0]), bounds[1])
