"""What a look for an unclear case leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.resolving import PASSES, Doubt, decide_look, first_look
from hub.core.retry import RetryPolicy, Verdict
from hub.errors import Refused, Unavailable
from hub.model import Outcome, Receipt, StepState

S = StepState
POLICY = RetryPolicy(ladder=(timedelta(seconds=10), timedelta(minutes=1)))
MINUTE = timedelta(minutes=1)


def look(found: Receipt | BaseException | None, *, settles_in: float = -1, looks: int = 0, used: int = 1,
         unclear_for: float = 60) -> Verdict:  # fmt: skip
    doubt = Doubt(
        unclear_for=timedelta(seconds=unclear_for), settles_in=timedelta(seconds=settles_in), settle=MINUTE, looks=looks
    )
    return decide_look(found, doubt, attempts_used=used, policy=POLICY)


def test_what_is_found_is_delivered_even_before_it_is_settled() -> None:
    assert look(Receipt(reference="C-1"), settles_in=50).state is S.DELIVERED


def test_nothing_found_before_it_is_settled_counts_for_nothing() -> None:
    verdict = look(None, settles_in=50, unclear_for=10)
    assert (verdict.state, verdict.looks, verdict.after) == (S.UNCLEAR, 0, timedelta(seconds=10))


def test_the_last_look_before_it_is_settled_is_followed_by_one_when_it_is() -> None:
    assert look(None, settles_in=3, unclear_for=57).after == timedelta(seconds=3)


def test_two_looks_that_count_and_find_nothing_send_it_again() -> None:
    first = look(None)
    assert (first.state, first.looks, first.after) == (S.UNCLEAR, 1, timedelta(seconds=30))
    assert look(None, looks=1).state is S.QUEUED


def test_it_is_dead_when_there_are_no_tries_left() -> None:
    verdict = look(None, looks=1, used=3)
    assert (verdict.state, verdict.fault_code) == (S.DEAD, "not_there")


@pytest.mark.parametrize("failure", [Unavailable(code="x"), Refused(), KeyError("a"), TimeoutError()])
def test_a_look_that_fails_is_made_again_and_counts_for_nothing(failure: BaseException) -> None:
    verdict = look(failure, looks=1)
    assert (verdict.state, verdict.looks, verdict.outcome) == (S.UNCLEAR, 1, Outcome.UNAVAILABLE)
    assert verdict.after is not None


def test_a_system_that_cannot_be_asked_for_as_long_as_anything_is_tried_leaves_it_to_a_person() -> None:
    verdict = look(Unavailable(code="x"), unclear_for=131)
    assert (verdict.state, verdict.after) == (S.UNCLEAR, None)


@given(
    settles_in=st.integers(-100_000, 100_000),
    looks=st.integers(0, 5),
    used=st.integers(0, 9),
    unclear_for=st.integers(0, 1_000_000),
)
def test_only_a_counted_pass_ever_leads_to_a_second_create(
    settles_in: float, looks: int, used: int, unclear_for: float
) -> None:
    for found in (None, Unavailable(code="x"), ValueError()):
        verdict = look(found, settles_in=settles_in, looks=looks, used=used, unclear_for=unclear_for)
        if verdict.state is not S.UNCLEAR:
            assert found is None and settles_in <= 0 and looks + 1 >= PASSES
        assert not verdict.uses_attempt


def test_the_first_look_comes_soon() -> None:
    assert first_look(MINUTE) == timedelta(seconds=1) and first_look(timedelta(0)) == timedelta(0)
