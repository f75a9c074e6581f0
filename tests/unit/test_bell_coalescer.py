"""Many rings, few bells: the first at once, then at most one in each interval, and never none."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker.coalescer import Coalescer

INTERVAL = 0.05


@pytest.fixture
def coalescer() -> Coalescer:
    return Coalescer(timedelta(seconds=INTERVAL))


def test_the_first_ring_leaves_at_once(coalescer: Coalescer) -> None:
    coalescer.add("a/waste", now=10.0)
    assert coalescer.take(now=10.0, most=9) == ["a/waste"]


def test_a_ring_soon_after_waits_for_the_end_of_the_interval(coalescer: Coalescer) -> None:
    coalescer.add("a/waste", now=10.0)
    coalescer.take(now=10.0, most=9)
    assert coalescer.add("a/waste", now=10.01) == pytest.approx(10.05)
    assert coalescer.take(now=10.04, most=9) == []
    assert coalescer.take(now=10.06, most=9) == ["a/waste"]


def test_a_ring_while_one_is_waiting_adds_nothing(coalescer: Coalescer) -> None:
    coalescer.add("a/waste", now=10.0)
    assert coalescer.add("a/waste", now=10.0) is None


def test_destinations_do_not_quieten_each_other(coalescer: Coalescer) -> None:
    coalescer.add("a/waste", now=10.0)
    coalescer.take(now=10.0, most=9)
    coalescer.add("b/crm", now=10.01)
    assert coalescer.take(now=10.01, most=9) == ["b/crm"]


def test_what_did_not_leave_is_rung_again_at_once(coalescer: Coalescer) -> None:
    coalescer.add("a/waste", now=10.0)
    coalescer.give_back(coalescer.take(now=10.0, most=9), now=10.01)
    assert coalescer.take(now=10.01, most=9) == ["a/waste"]


def test_one_message_names_no_more_than_it_may(coalescer: Coalescer) -> None:
    for number in range(5):
        coalescer.add(f"a/{number}", now=10.0)
    assert [len(coalescer.take(now=10.0, most=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_nothing_to_ring_is_never_due(coalescer: Coalescer) -> None:
    assert coalescer.next_due == inf


@given(st.lists(st.integers(min_value=0, max_value=400), min_size=1).map(sorted))
def test_every_ring_is_followed_by_a_bell_within_the_interval(rings_ms: list[int]) -> None:
    coalescer = Coalescer(timedelta(seconds=INTERVAL))
    bells: list[int] = []
    for now in range(501):  # a clock of whole milliseconds
        for _ in range(rings_ms.count(now)):
            coalescer.add("a/waste", now=now / 1000)
        bells += [now] * len(coalescer.take(now=now / 1000, most=9))
    assert all(any(ring <= bell <= ring + 51 for bell in bells) for ring in rings_ms)
    assert all(later - earlier >= 50 for earlier, later in pairwise(bells))
