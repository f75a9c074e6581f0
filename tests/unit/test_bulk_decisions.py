"""What may be done to one item of many, how fast, and what a wish and a change are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.bulk import (
    ARROWS,
    OperationKind,
    OperationState,
    Sends,
    Skip,
    Underway,
    earned_since,
    may_release,
    why_not,
)
from hub.core.moments import moment
from hub.model import ReplaySafety, StepState

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
CERTAIN, DOUBTFUL = Sends(), Sends(ever_doubtful=True, last_doubtful=True)
ONCE_DOUBTFUL = Sends(ever_doubtful=True)
REPLAY, DISCARD = OperationKind.REPLAY, OperationKind.DISCARD


@pytest.mark.parametrize("safety", list(ReplaySafety))
@pytest.mark.parametrize("state", [StepState.DEAD, StepState.DISCARDED])
def test_what_certainly_was_not_taken_is_replayed_anywhere(safety: ReplaySafety, state: StepState) -> None:
    assert why_not(REPLAY, state, safety=safety, sends=CERTAIN) is None


@pytest.mark.parametrize(
    ("safety", "state", "sends", "why"),
    [
        (ReplaySafety.UNSAFE, StepState.DEAD, ONCE_DOUBTFUL, Skip.APART),
        (ReplaySafety.UNSAFE, StepState.DISCARDED, DOUBTFUL, Skip.APART),
        (ReplaySafety.LOOKUP, StepState.DEAD, DOUBTFUL, None),  # it was looked for, and is not there
        (ReplaySafety.LISTING, StepState.DISCARDED, DOUBTFUL, Skip.APART),  # nobody had looked
        (ReplaySafety.LOOKUP, StepState.DISCARDED, ONCE_DOUBTFUL, None),  # a look had let it go again
        (ReplaySafety.IDEMPOTENT, StepState.DISCARDED, DOUBTFUL, None),
        (ReplaySafety.REJECTS_DUPLICATES, StepState.DEAD, DOUBTFUL, None),
    ],
)
def test_what_may_be_there_goes_only_where_that_is_harmless(
    safety: ReplaySafety, state: StepState, sends: Sends, why: Skip | None
) -> None:
    assert why_not(REPLAY, state, safety=safety, sends=sends) is why


@given(st.sampled_from(ReplaySafety), st.builds(Sends, ever_doubtful=st.booleans(), last_doubtful=st.booleans()))
def test_nothing_is_sent_again_that_is_there_or_on_its_way(safety: ReplaySafety, sends: Sends) -> None:
    for state in (StepState.DELIVERED, StepState.SENDING, StepState.UNCLEAR, StepState.QUEUED):
        assert why_not(REPLAY, state, safety=safety, sends=sends) is Skip(state.value)


def test_only_what_waits_or_is_dead_is_discarded() -> None:
    may = {state for state in StepState if why_not(DISCARD, state, safety=ReplaySafety.UNSAFE, sends=DOUBTFUL) is None}
    assert may == {StepState.QUEUED, StepState.DEAD}


def test_an_operation_that_is_over_stays_so() -> None:
    assert not ARROWS[OperationState.DONE] and not ARROWS[OperationState.CANCELLED]


@pytest.mark.parametrize(
    ("rate", "earned", "underway", "canary", "allowed"),
    [
        (50.0, 12.6, Underway(), None, 12),
        (50.0, 12.6, Underway(due=95), None, 5),  # two seconds' worth may be due at once
        (50.0, 12.6, Underway(due=200), None, 0),
        (1.0, 3.0, Underway(due=9), None, 1),
        (1.0, 3.0, Underway(later=100), None, 0),  # a system that takes nothing is not sent ever more
        (50.0, 12.0, Underway(due=1, later=1), 3, 1),
        (50.0, 12.0, Underway(due=3), 3, 0),
        (50.0, 12.0, Underway(), 0, 12),  # the canary is home
        (None, 0.0, Underway(due=5), None, 100),
    ],
)
def test_so_many_may_be_released(
    rate: float | None, earned: float, underway: Underway, canary: int | None, allowed: int
) -> None:
    assert may_release(rate=rate, earned=earned, underway=underway, canary_left=canary) == allowed


@given(st.floats(0.01, 1000), st.lists(st.floats(0.01, 30), min_size=1, max_size=40))
def test_what_is_released_never_outruns_the_rate(rate: float, waits: list[float]) -> None:
    now, mark, released, first = NOW, None, 0, NOW
    for wait in waits:
        earned, since = earned_since(mark, now, rate=rate)
        taken = int(earned + 1e-6)
        if taken:
            mark, released = since + timedelta(seconds=taken / rate), released + taken
        burst = max(1.0, 0.5 * rate)
        assert released <= (now - first).total_seconds() * rate + burst + 1
        now += timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2h", datetime(2026, 11, 23, 8, 30, tzinfo=UTC)),
        ("30 M", datetime(2026, 11, 23, 10, 0, tzinfo=UTC)),
        ("1w", datetime(2026, 11, 16, 10, 30, tzinfo=UTC)),
        ("today", datetime(2026, 11, 23, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 22, tzinfo=UTC)),
        ("now", NOW),
        ("2026-07-01T09:00", datetime(2026, 7, 1, 8, 0, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 23, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_fixed_when_it_is_said(said: str, meant: datetime) -> None:
    assert moment(said, now=NOW) == meant


@pytest.mark.parametrize("said", ["", "soon", "2y", "999999w", "2026-13-01", "-2h"])
def test_what_is_no_moment_says_how_to_write_one(said: str) -> None:
    with pytest.raises(ValueError, match="2h"):
        moment(said, now=NOW)
