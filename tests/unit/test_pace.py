"""How many steps may be claimed now, so that the calls that follow keep to the rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.pace import CATCH_UP, Admission, admit, allowance, next_claim, spacing
from hub.model import Limits

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def ask(
    per_second: float | None = 10,
    *,
    rate: datetime | None = None,
    pace: datetime | None = None,
    now: datetime = NOW,
    wanted: int = 100,
) -> Admission:
    return admit(per_second=per_second, rate_next_at=rate, pace_next_at=pace, now=now, wanted=wanted)


def ms(milliseconds: float) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def test_without_a_rate_all_may_go() -> None:
    admission = ask(None)
    assert (admission.granted, admission.again_at, admission.after(100)) == (100, None, None)


def test_after_a_rest_a_quarter_second_is_made_up_for() -> None:
    assert ask(10).granted == 3
    assert ask(100).granted == 24
    assert ask(1).granted == 1


def test_right_after_a_claim_none_may_go_and_it_says_when_the_next_may() -> None:
    admission = ask(10, rate=NOW + ms(60))
    assert (admission.granted, admission.again_at) == (0, NOW + ms(60))


def test_while_the_calls_fill_the_next_quarter_second_nothing_is_claimed() -> None:
    admission = ask(10, pace=NOW + ms(400))
    assert (admission.granted, admission.again_at) == (0, NOW + ms(150))


def test_the_mark_counts_what_was_taken() -> None:
    admission = ask(10, rate=NOW - ms(10))
    assert admission.after(0) == NOW - ms(10)
    assert admission.after(1) == NOW + ms(95) == admission.next_at


def test_where_all_that_were_wanted_may_go_no_further_look_is_planned() -> None:
    assert ask(10, wanted=2).again_at is None


def test_looks_for_the_rates_sake_are_not_made_a_thousand_times_a_second() -> None:
    admission = ask(1000, rate=NOW)
    assert admission.again_at is not None and admission.again_at >= NOW + ms(20)


@pytest.mark.parametrize("mark", ["rate", "pace"])
def test_a_clock_that_was_set_back_stops_nothing(mark: str) -> None:
    assert ask(10, **{mark: NOW + timedelta(hours=1)}).granted >= 1  # type: ignore[arg-type]


@given(st.floats(0.2, 200), st.lists(st.integers(1, 500), min_size=5, max_size=60))
def test_over_any_time_no_more_are_claimed_than_the_rate_and_a_quarter_second(rate: float, gaps: list[int]) -> None:
    now, mark, claims = NOW, None, []
    for gap in gaps:
        admission = ask(rate, rate=mark, now=now, wanted=7)
        mark = admission.next_at
        claims.append((now, admission.granted))
        now += ms(gap)
    for start in range(len(claims)):
        taken = sum(granted for _, granted in claims[start:])
        seconds = claims[-1][0] - claims[start][0]
        assert taken <= (seconds + CATCH_UP) / spacing(rate) + 1 + 1e-6


def test_what_waits_for_the_rate_is_told_when_it_may_be_claimed() -> None:
    assert next_claim(None, None) is None
    assert next_claim(NOW, None) == next_claim(NOW, NOW + ms(250)) == NOW
    assert next_claim(None, NOW + ms(1000)) == next_claim(NOW, NOW + ms(1000)) == NOW + ms(750)


def test_what_a_call_may_wait_is_known_beforehand() -> None:
    assert allowance(Limits(concurrency=4)) == timedelta(0)
    assert allowance(Limits(concurrency=4, per_second=10)) == ms(250 + 5 * 105)
    assert allowance(Limits(concurrency=100, per_second=0.1)) == timedelta(minutes=1)
