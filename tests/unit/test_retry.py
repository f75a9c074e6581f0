"""Every failure has its consequence, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core.retry import RetryPolicy, decide
from hub.errors import STORE_AWAY, MappingFault, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Outcome, Receipt, ReplaySafety, StepState, WaitReason

UNSAFE, IDEMPOTENT = ReplaySafety.UNSAFE, ReplaySafety.IDEMPOTENT


@pytest.mark.parametrize(
    ("result", "safety", "state"),
    [
        (Receipt(reference="1"), UNSAFE, StepState.DELIVERED),
        (Unavailable(), UNSAFE, StepState.QUEUED),
        (Refused(), UNSAFE, StepState.DEAD),
        (MappingFault("p", where="f:1"), UNSAFE, StepState.DEAD),
        (Unclear(), UNSAFE, StepState.UNCLEAR),
        (Unclear(), ReplaySafety.LOOKUP, StepState.UNCLEAR),
        (Unclear(), ReplaySafety.LISTING, StepState.UNCLEAR),
        (Unclear(), IDEMPOTENT, StepState.QUEUED),
        (Unclear(), ReplaySafety.REJECTS_DUPLICATES, StepState.QUEUED),
        (Misconfigured(), UNSAFE, StepState.QUEUED),
        (KeyError("bug"), UNSAFE, StepState.UNCLEAR),
        (KeyError("bug"), IDEMPOTENT, StepState.QUEUED),
    ],
)
def test_a_result_leads_to_a_state(result: Receipt | Exception, safety: ReplaySafety, state: StepState) -> None:
    assert decide(result, attempts_used=0, safety=safety, dice=0.5).state is state


def test_the_default_ladder_waits_about_22_hours_and_then_stops() -> None:
    waits = [RetryPolicy().wait(retry, dice=0.5) for retry in range(1, 9)]
    assert sum((wait for wait in waits if wait), timedelta()) == timedelta(hours=22, minutes=21, seconds=10)
    assert RetryPolicy().wait(9, dice=0.5) is None


def test_the_jitter_grows_with_the_wait() -> None:
    policy = RetryPolicy()
    spreads = [policy.wait(n, dice=1.0) - policy.wait(n, dice=0.0) for n in range(1, 9)]  # type: ignore[operator]
    assert spreads == sorted(spreads) and spreads[0] == timedelta(seconds=4)


def test_after_the_last_wait_what_was_never_taken_is_a_dead_letter() -> None:
    assert decide(Unavailable(), attempts_used=8, safety=UNSAFE, dice=0.5).state is StepState.DEAD


def test_after_the_last_wait_what_may_have_been_taken_is_a_persons() -> None:
    assert decide(Unclear(), attempts_used=8, safety=IDEMPOTENT, dice=0.5).state is StepState.UNCLEAR


def test_a_longer_retry_after_wins_and_a_shorter_one_does_not() -> None:
    long = decide(Unavailable(retry_after=timedelta(hours=1)), attempts_used=0, safety=UNSAFE, dice=0.5)
    short = decide(Unavailable(retry_after=timedelta(seconds=1)), attempts_used=0, safety=UNSAFE, dice=0.5)
    assert (long.after, short.after) == (timedelta(hours=1), timedelta(seconds=10))


def test_a_wrong_key_uses_no_attempt_and_pauses() -> None:
    verdict = decide(Misconfigured(), attempts_used=3, safety=UNSAFE, dice=0.5)
    assert (verdict.uses_attempt, verdict.pauses, verdict.hold) == (False, True, WaitReason.PAUSED)


def test_a_suspect_answer_does_not_pause_before_it_is_checked() -> None:
    verdict = decide(Misconfigured(suspect=True), attempts_used=0, safety=UNSAFE, dice=0.5)
    assert (verdict.suspect, verdict.pauses) == (True, False)


def test_a_bug_in_a_connector_counts_as_unclear_and_names_its_type() -> None:
    verdict = decide(KeyError("bug"), attempts_used=0, safety=UNSAFE, dice=0.5)
    assert (verdict.outcome, verdict.fault_code) == (Outcome.UNCLEAR, "connector_bug_KeyError")


def test_a_store_that_is_away_uses_no_attempt_and_no_rung() -> None:
    verdict = decide(Unavailable(code=STORE_AWAY), attempts_used=8, safety=UNSAFE, dice=0.5)
    assert (verdict.state, verdict.uses_attempt) == (StepState.QUEUED, False)
    assert verdict.after is not None and verdict.after < timedelta(seconds=10)
