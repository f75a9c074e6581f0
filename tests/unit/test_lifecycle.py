"""What the states of many mean for one, and why something waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.lifecycle import ARROWS, Ahead, DestinationHealth, is_final, may_follow, status_of, waiting
from hub.model import StepState, SubmissionStatus, Waiting, WaitReason

S = StepState
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=42)
WELL = DestinationHealth(name="northborough/waste")


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([S.QUEUED, S.SENDING], SubmissionStatus.ACCEPTED),
        ([S.DELIVERED, S.QUEUED], SubmissionStatus.PARTLY_DELIVERED),
        ([S.DELIVERED, S.DISCARDED], SubmissionStatus.DELIVERED),
        ([S.DISCARDED, S.DISCARDED], SubmissionStatus.DISCARDED),
        ([S.DELIVERED, S.DEAD], SubmissionStatus.NEEDS_ATTENTION),
        ([S.QUEUED, S.UNCLEAR], SubmissionStatus.NEEDS_ATTENTION),
        ([], SubmissionStatus.NEEDS_ATTENTION),
    ],
)
def test_a_submission_is_as_its_deliveries_are(states: list[StepState], status: SubmissionStatus) -> None:
    assert status_of(states, planned=True) is status


@given(st.lists(st.sampled_from(list(StepState)), min_size=1, max_size=6))
def test_what_is_final_never_needs_attention(states: list[StepState]) -> None:
    if is_final(states):
        assert status_of(states, planned=True) in (SubmissionStatus.DELIVERED, SubmissionStatus.DISCARDED)


def test_nothing_leads_from_delivered() -> None:
    assert not ARROWS[S.DELIVERED]
    assert not may_follow(S.UNCLEAR, S.SENDING)


@pytest.mark.parametrize(
    ("due_at", "health", "reason"),
    [
        (NOW, WELL, None),
        (LATER, WELL, WaitReason.RETRY),
        (None, WELL, WaitReason.BEHIND),
        (NOW, DestinationHealth(name="n/w", paused=True), WaitReason.PAUSED),
        (NOW, DestinationHealth(name="n/w", closed_until=LATER), WaitReason.WINDOW),
        (NOW, DestinationHealth(name="n/w", breaker_until=LATER), WaitReason.BREAKER),
        (NOW, DestinationHealth(name="n/w", rate_next_at=LATER), WaitReason.RATE),
    ],
)
def test_a_queued_step_says_why_it_waits(
    due_at: datetime | None, health: DestinationHealth, reason: WaitReason | None
) -> None:
    told = waiting(state=S.QUEUED, due_at=due_at, hold_reason=None, hold_until=None, destination=health, now=NOW)
    assert (told.reason if told else None) is reason


def told(state: StepState, due_at: datetime | None, **more: Any) -> Waiting | None:
    return waiting(state=state, due_at=due_at, hold_reason=None, hold_until=None, destination=WELL, now=NOW, **more)


def test_an_unclear_one_that_is_looked_for_waits_until_the_next_look() -> None:
    found = told(S.UNCLEAR, LATER)
    assert found is not None
    assert (found.reason, found.until) == (WaitReason.LOOKUP, LATER) and "before anything is sent" in found.text


@pytest.mark.parametrize("state", [S.UNCLEAR, S.DEAD])
def test_what_only_a_person_can_move_does_not_wait(state: StepState) -> None:
    assert told(state, None) is None


def test_a_follower_names_who_goes_first_and_what_keeps_it() -> None:
    ahead = Ahead(our_reference="ABCD-EFGH", state=S.DEAD, persons=True)
    found = told(S.QUEUED, None, ahead=ahead)
    assert found is not None and found.text == "Behind ABCD-EFGH, which needs a person."


def test_while_it_is_looked_for_nobody_has_to_attend_to_it() -> None:
    assert status_of([S.UNCLEAR], planned=True, persons=False) is SubmissionStatus.ACCEPTED
