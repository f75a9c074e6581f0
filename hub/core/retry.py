"""That failed; what now?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hub.errors import STORE_AWAY, DeliveryFailure, MappingFault, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Outcome, Receipt, ReplaySafety, StepState, WaitReason

_OUR_OWN_WAIT = timedelta(seconds=2)  #: nothing left, and what was away was ours
_REPEATABLE = frozenset({ReplaySafety.IDEMPOTENT, ReplaySafety.REJECTS_DUPLICATES})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try again: one wait for each retry, then a dead letter. About 22 hours by default.

    Each wait is moved by up to `jitter` of itself, so that the spread grows
    with the wait and a thousand failures of one minute do not return in one.
    """

    ladder: tuple[timedelta, ...] = (
        timedelta(seconds=10),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=3),
        timedelta(hours=6),
        timedelta(hours=12),
    )
    jitter: float = 0.2

    def wait(self, retry: int, *, dice: float) -> timedelta | None:
        """The wait before retry number `retry` (from 1), or None when there is none left. `dice` is in [0, 1)."""
        if retry > len(self.ladder):
            return None
        return self.ladder[retry - 1] * (1 + self.jitter * (2 * dice - 1))


DEFAULT_POLICY = RetryPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from one attempt; somebody else does it."""

    outcome: Outcome
    state: StepState
    fault_code: str | None = None
    after: timedelta | None = None  #: for QUEUED: how long until it is sent; for UNCLEAR: until it is looked for
    hold: WaitReason | None = None
    uses_attempt: bool = False
    pauses: bool = False  #: the destination must not be asked again until `check` passes
    suspect: bool = False  #: ask `check` before believing it
    looks: int = 0  #: for UNCLEAR: how many counted looks found nothing


def decide(
    result: Receipt | BaseException,
    *,
    attempts_used: int,
    safety: ReplaySafety,
    policy: RetryPolicy = DEFAULT_POLICY,
    dice: float,
    look_after: timedelta | None = None,
) -> Verdict:
    """The verdict on an attempt that gave this receipt or raised this. Anything unknown counts as Unclear.

    `look_after` says when an unclear one is to be looked for; None where it cannot be, and is a person's.
    """
    match result:
        case Receipt():
            return Verdict(outcome=Outcome.DELIVERED, state=StepState.DELIVERED, uses_attempt=True)
        case Unavailable(code=code) if code == STORE_AWAY:
            return Verdict(
                outcome=Outcome.UNAVAILABLE,
                state=StepState.QUEUED,
                fault_code=code,
                after=_OUR_OWN_WAIT * (1 + dice),
                hold=WaitReason.RETRY,
            )
        case Unavailable():
            return _again(result, Outcome.UNAVAILABLE, attempts_used, policy, dice)
        case Refused():
            return Verdict(outcome=Outcome.REFUSED, state=StepState.DEAD, fault_code=result.code, uses_attempt=True)
        case MappingFault():
            return Verdict(outcome=Outcome.REFUSED, state=StepState.DEAD, fault_code=result.code)
        case Misconfigured():
            return Verdict(
                outcome=Outcome.MISCONFIGURED,
                state=StepState.QUEUED,
                fault_code=result.code,
                after=timedelta(0),
                hold=WaitReason.PAUSED,
                pauses=not result.suspect,
                suspect=result.suspect,
            )
        case Unclear() if safety in _REPEATABLE:
            return _again(result, Outcome.UNCLEAR, attempts_used, policy, dice)
        case Unclear():
            return Verdict(
                outcome=Outcome.UNCLEAR,
                state=StepState.UNCLEAR,
                fault_code=result.code,
                after=look_after,
                hold=WaitReason.LOOKUP if look_after is not None else None,
                uses_attempt=True,
            )
        case _:
            bug = Unclear(code=f"connector_bug_{type(result).__name__}")
            return decide(
                bug, attempts_used=attempts_used, safety=safety, policy=policy, dice=dice, look_after=look_after
            )


def _again(failure: DeliveryFailure, outcome: Outcome, attempts_used: int, policy: RetryPolicy, dice: float) -> Verdict:
    wait = policy.wait(attempts_used + 1, dice=dice)
    asked = failure.retry_after if isinstance(failure, Unavailable) else None
    waits = [each for each in (wait, asked) if each is not None]
    if not waits:
        # What may have been taken never becomes a dead letter: a replay would make it twice.
        state = StepState.UNCLEAR if outcome is Outcome.UNCLEAR else StepState.DEAD
        return Verdict(outcome=outcome, state=state, fault_code=failure.code, uses_attempt=True)
    return Verdict(
        outcome=outcome,
        state=StepState.QUEUED,
        fault_code=failure.code,
        after=max(waits),
        hold=WaitReason.RETRY,
        # It has said when to come: whoever keeps to that has not tried in vain.
        uses_attempt=asked is None,
    )
