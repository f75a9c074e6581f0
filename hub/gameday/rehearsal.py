"""Plays scenarios one after another, and judges each by what the ledgers hold."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from hub.gameday import counting
from hub.gameday.council import Place
from hub.gameday.counting import Tally
from hub.gameday.network import RigFailed
from hub.gameday.rig import Rig
from hub.gameday.scenario import IN_FLIGHT, Act, Doubts, Scenario
from hub.model import ReplaySafety

_TOLD_MOST = 5  #: odd references that are named


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of one scenario; `why` says what failed, and is empty where all held."""

    name: str
    classes: dict[ReplaySafety, Tally] = field(default_factory=dict)
    took: timedelta = timedelta(0)
    why: list[str] = field(default_factory=list)
    told: dict[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.why

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "classes": {safety.value: tally.as_dict() for safety, tally in self.classes.items()},
            **self.told,
            "took": round(self.took.total_seconds(), 1),
            "why": "; ".join(self.why),
        }


def play(rig: Rig, scenario: Scenario, *, places: Iterable[Place], many: int, short: bool) -> Result:
    """Strike, let it recover, count. Whatever the fault leaves behind is put right afterwards."""
    started = time.monotonic()
    result = Result(name=scenario.name)
    act = Act(rig=rig, mark=f"{scenario.name}.{time.time_ns():x}", places=list(places), many=many, short=short)
    try:
        rig.calm()
        rig.forget()
        scenario.strike(act)
        for publishing in act.publishings:
            publishing.wait()
        rig.calm()
        act.until_settled(scenario.patience)
    except RigFailed as failure:
        result.why.append(str(failure))
    except (SQLAlchemyError, OSError, ValueError) as failure:
        result.why.append(f"the rehearsal itself failed: {type(failure).__name__}")
        # What is still being taken must not look as if it were lost.
        with suppress(RigFailed):
            rig.calm()
            act.until_settled(scenario.patience)
    act.cases = counting.cases(rig.servers.engine, since=act.mark)
    if not result.why:
        for check in act.checks:
            check(act)
    result.classes = counting.count(
        act.cases,
        taken=[one for publishing in act.publishings for one in publishing.taken],
        ledgers=rig.ledgers(),
        places=rig.places,
        struck=act.struck,
    )
    result.told = act.told
    result.why += [*act.wrong, *_wrong_answers(act), *_failures(scenario, result.classes)]
    result.took = timedelta(seconds=time.monotonic() - started)
    return result


def _wrong_answers(act: Act) -> Iterator[str]:
    for wrong in sorted({wrong for publishing in act.publishings for wrong in publishing.wrong}):
        yield f"a front end was answered {wrong}"


def _failures(scenario: Scenario, classes: dict[ReplaySafety, Tally]) -> Iterator[str]:
    """The promises that did not hold."""
    in_flight = {safety: tally.in_flight_at_fault for safety, tally in classes.items()}
    if sum(in_flight.values()) < IN_FLIGHT or (scenario.each_class and min(in_flight.values()) < IN_FLIGHT):
        yield f"too few were in `sending` when the fault struck, so it proves nothing: {_by_class(in_flight)}"
    unclear = {safety: tally.unclear_made for safety, tally in classes.items()}
    if scenario.doubts is Doubts.MUST and not all(unclear.values()):
        yield f"it was meant to make unclear ones in every class: {_by_class(unclear)}"
    if scenario.doubts is Doubts.NEVER and any(unclear.values()):
        yield f"it must make no unclear ones: {_by_class(unclear)}"
    for safety, tally in classes.items():
        counts = {"lost": tally.lost, "twice": tally.duplicates, "unexplained": tally.unexplained,
                  "sent again unasked": tally.resent}  # fmt: skip
        said = ", ".join(f"{many} {what}" for what, many in counts.items() if many)
        if said:
            yield f"{safety.value}: {said} ({'; '.join(tally.odd[:_TOLD_MOST])})"
        yield from _left_over(safety, tally)


def _left_over(safety: ReplaySafety, tally: Tally) -> Iterator[str]:
    """Where the hub can settle a doubt itself, nobody is asked."""
    person = tally.resolved_by["person"]
    if person and safety is not ReplaySafety.UNSAFE:
        yield f"{safety.value}: {person} were left to a person, which the hub can settle itself"


def _by_class(counts: dict[ReplaySafety, int]) -> str:
    return ", ".join(f"{safety.value} {count}" for safety, count in counts.items()) or "none"
