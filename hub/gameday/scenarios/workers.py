"""Workers that meet, that are replaced, and whose clocks are wrong."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from itertools import pairwise
from typing import Any

from hub.gameday.council import LONG, NARROW, NUMBERED, SLOW
from hub.gameday.processes import ALL, WORKER
from hub.gameday.scenario import IN_FLIGHT, MANY, Act, Doubts, scenario

_NARROW = 40  #: places over all classes


@scenario(
    "race-for-one-row",
    "two workers are rung at once for forty places with room for one call each",
    doubts=Doubts.NEVER,
    each_class=False,
)
def race(act: Act) -> None:
    each = min(NUMBERED, math.ceil(_NARROW / len(act.places)))
    places = [
        act.rig.places[place.id]
        for wide in act.places
        for place in [narrow for narrow in NARROW if narrow.safety is wide.safety][:each]
    ]
    act.rig.behave(places, "slow", seconds=0.15)
    act.publish(places=places, many=math.ceil(act.many / each))
    act.note_fault(act.until_away(IN_FLIGHT))
    act.checks.append(_one_at_a_time)


def _one_at_a_time(act: Act) -> None:
    """At no place were two calls away at the same moment."""
    by_place: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for case in act.cases:
        by_place[case.destination] += [(each.sent_at, each.ended_at) for each in case.sends if each.sent_at]
    for place, calls in by_place.items():
        calls.sort()
        over = sum(later[0] < earlier[1] for earlier, later in pairwise(calls))
        if over:
            act.wrong.append(f"at {place} there were two calls at once, {over} times, and there is room for one")


@scenario(
    "clock-jumped",
    "the workers die, and come back with clocks an hour ahead and an hour behind",
    doubts=Doubts.MUST,
)
def clock(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    processes = act.rig.processes
    act.note_fault(act.freeze_in_the_middle(processes.workers))
    act.kill(processes.workers)
    skewed = [
        processes.start(name, extra={"HUB_CLOCK_SKEW": skew}, wait=False)
        for name, skew in (("worker-1", "1h"), ("worker-2", "-1h"))
    ]
    for process in skewed:
        processes.ready(process)
    act.until_settled()


@scenario(
    "upgrade-with-a-full-queue",
    "the queue is full, the schema is upgraded, every process is replaced by SIGTERM while others still run",
    embedded=True,
    doubts=Doubts.NEVER,
)
def upgrade(act: Act) -> None:
    processes = act.rig.processes
    alone = act.rig.servers.embedded
    act.behave("slow", seconds=LONG)
    if not alone:
        for worker in processes.workers:
            worker.stop()
    # Enough for both to be replaced while there is still work.
    publishing = act.publish(many=max(act.many, MANY))
    if not alone:
        publishing.wait()
        act.rig.command("db", "upgrade")
        for worker in processes.workers:
            processes.start(worker.name, wait=False)
    for name in (ALL,) if alone else (f"{WORKER}-1", f"{WORKER}-2"):
        act.until_in_sending()
        act.note_fault()
        began = time.monotonic()
        processes.by_name[name].stop()
        act.told["left_within"] = round(time.monotonic() - began, 1)
        processes.start(name)
    if not alone:
        processes.by_name["intake"].stop()
