"""What must be forgotten, and when: decided without a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.retention import AGAIN, Fate, Keep, fate_of_content, final_since
from hub.model import StepState

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEEP = Keep(content=90 * DAY)


def ago(days: float) -> datetime:
    return NOW - days * DAY


def test_a_submission_is_over_when_its_last_step_is() -> None:
    steps = [(StepState.DELIVERED, ago(9)), (StepState.DISCARDED, ago(3))]
    assert final_since(steps) == ago(3)


@pytest.mark.parametrize("state", set(StepState) - {StepState.DELIVERED, StepState.DISCARDED})
def test_one_step_that_may_go_on_keeps_it_open(state: StepState) -> None:
    steps = [(StepState.DELIVERED, ago(9)), (state, ago(3))]
    assert final_since(steps) is None
    assert final_since(steps, set_aside_at=ago(1)) is None


def test_one_that_could_not_be_planned_is_over_when_a_person_sets_it_aside() -> None:
    assert final_since([]) is None
    assert final_since([], set_aside_at=ago(2)) == ago(2)


def test_content_goes_when_its_time_is_over_and_not_a_moment_before() -> None:
    assert fate_of_content(ago(90), keep=KEEP, now=NOW) == Fate(forget=True)
    assert not fate_of_content(ago(89.99), keep=KEEP, now=NOW).forget


def test_what_is_spared_is_looked_at_again_soon_enough() -> None:
    assert fate_of_content(None, keep=KEEP, now=NOW).look_at == NOW + AGAIN
    assert fate_of_content(ago(10), keep=KEEP, now=NOW).look_at == NOW + AGAIN
    assert fate_of_content(ago(89.5), keep=KEEP, now=NOW).look_at == NOW + DAY / 2
