"""Who goes first when there is more than may go: weighted turns among the lanes of one destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from hub.model import Lane

T = TypeVar("T")

#: Not a lane of the store: unclear steps that are to be looked up.
LOOKS: Final = "look"

WEIGHTS: Final[Mapping[str, int]] = {Lane.FRESH: 8, Lane.FOLLOW_UP: 4, LOOKS: 4, Lane.NOTICE: 4, Lane.REPLAY: 2}


def _round() -> tuple[str, ...]:
    """Each lane as often as it weighs, spread out as evenly as can be."""
    total, owed, turns = sum(WEIGHTS.values()), dict.fromkeys(WEIGHTS, 0), []
    for _ in range(total):
        for lane, weight in WEIGHTS.items():
            owed[lane] += weight
        lane = max(owed, key=lambda each: owed[each])
        owed[lane] -= total
        turns.append(lane)
    return tuple(turns)


ROUND: Final = _round()


def take(waiting: Mapping[str, Sequence[T]], *, wanted: int, turn: int) -> tuple[list[T], int]:
    """At most `wanted` of those waiting by lane, each lane in its own order, and whose turn it is next.

    A lane where nobody waits gives up its turn, so nothing stands idle.
    """
    left = {lane: list(reversed(items)) for lane, items in waiting.items() if items}
    taken: list[T] = []
    while left and len(taken) < wanted:
        lane = ROUND[turn % len(ROUND)]
        turn += 1
        if lane in left:
            taken.append(left[lane].pop())
            if not left[lane]:
                del left[lane]
    return taken, turn % len(ROUND)
