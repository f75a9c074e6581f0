"""Weighted turns among those who wait at one destination."""

from __future__ import annotations

from collections import Counter

from hub.core.lanes import LOOKS, ROUND, WEIGHTS, take
from hub.model import Lane


def test_a_round_gives_each_lane_as_many_turns_as_it_weighs() -> None:
    assert Counter(ROUND) == WEIGHTS and len(ROUND) == sum(WEIGHTS.values())


def test_a_busy_destination_serves_fresh_follow_ups_and_replays_as_eight_four_and_two() -> None:
    waiting = {lane: [lane] * 1000 for lane in (Lane.FRESH, Lane.FOLLOW_UP, Lane.REPLAY)}
    taken: list[str] = []
    turn = 0
    while len(taken) < 700:  # one slot at a time, as a full destination frees them
        some, turn = take(waiting, wanted=1, turn=turn)
        taken += some
    assert Counter(taken) == {Lane.FRESH: 400, Lane.FOLLOW_UP: 200, Lane.REPLAY: 100}


def test_nobody_waits_long_for_a_turn() -> None:
    waiting = {lane: [lane] * 100 for lane in WEIGHTS}
    taken, _ = take(waiting, wanted=2 * len(ROUND), turn=0)
    first_replay = taken.index(Lane.REPLAY)
    assert first_replay < len(ROUND) / 2 + 1


def test_a_lane_where_nobody_waits_gives_up_its_turn() -> None:
    taken, _ = take({Lane.REPLAY: [1, 2, 3], LOOKS: []}, wanted=5, turn=4)
    assert taken == [1, 2, 3]


def test_each_lane_keeps_its_own_order() -> None:
    taken, _ = take({Lane.FRESH: list(range(20)), LOOKS: list(range(100, 110))}, wanted=30, turn=3)
    assert [one for one in taken if one < 100] == list(range(20))
    assert [one for one in taken if one >= 100] == list(range(100, 110))
