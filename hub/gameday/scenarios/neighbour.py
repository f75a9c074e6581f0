"""A council whose system never answers, beside one whose system is well."""

from __future__ import annotations

import statistics
from functools import partial

from hub.gameday.council import HEALTHY, SICK
from hub.gameday.publisher import Publishing
from hub.gameday.scenario import IN_FLIGHT, Act, scenario
from hub.gameday.times import latencies, percentile

BLOCKS = 6  #: in turn the neighbour is well and never answers; what is asked of it is the same in both
BLOCK = 60.0  #: seconds
SHORT_BLOCK = 5.0
PER_SECOND = 30.0  #: submissions for the council that is well
NOISY = 8.0  #: and for its neighbour: more than can hang and be given up in that time
HANGING = 8  #: of the neighbour's submissions, for each of its places, before the block begins
RATIO = 1.15  #: what the healthy council may notice of it, at most: so much longer
MORE = 0.015  #: and so many seconds


@scenario(
    "noisy-neighbour",
    "one council's systems never answer, breaker off, four calls at each; does another council notice?",
    brief=False,
    embedded=True,
    each_class=False,
    own_places=True,
)
def noisy_neighbour(act: Act) -> None:
    block = SHORT_BLOCK if act.short else BLOCK
    sick = [act.rig.places[place.id] for place in SICK]
    well = [act.rig.places[HEALTHY.id]]
    blocks: list[Publishing] = []
    for number in range(BLOCKS):
        noisy = bool(number % 2)
        if noisy:
            act.rig.behave(sick[:1], "timeout")
        act.publish(places=sick, many=HANGING).wait()
        # The same load in every block: a neighbour that is sick is compared with one that is well, not with none.
        act.publish(places=sick, many=int(NOISY * block / len(sick)), per_second=NOISY)
        if noisy:
            act.until_away(IN_FLIGHT)
        healthy = act.publish(places=well, many=int(PER_SECOND * block), per_second=PER_SECOND)
        healthy.wait()
        blocks.append(healthy)
        if noisy:
            if number == 1:
                act.note_fault()
            act.rig.behave(sick[:1], "ok")
        act.until_settled()
    act.checks.append(partial(_hardly_noticed, blocks=blocks))


def _hardly_noticed(act: Act, *, blocks: list[Publishing]) -> None:
    by_mark = {taken.letter.mark: wait for taken, wait in latencies(act)}
    waits = [[by_mark[taken.letter.mark] for taken in block.taken] for block in blocks]
    p95 = [percentile(some, 0.95) for some in waits]
    pairs = list(zip(p95[::2], p95[1::2], strict=True))
    ratio = statistics.median(noisy / quiet for quiet, noisy in pairs)
    more = statistics.median(noisy - quiet for quiet, noisy in pairs)
    act.told |= {
        "p95_ms": [round(each * 1000, 1) for each in p95],
        "ratio": round(ratio, 3),
        "more_ms": round(more * 1000, 1),
    }
    # A short block has too few of them for a p95 that means anything.
    if not act.short and (ratio > RATIO or more > MORE):
        act.wrong.append(f"the healthy council's p95 was {ratio:.2f} times as long, {more * 1000:.0f} ms more")
