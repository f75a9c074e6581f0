"""Is this destination well enough to be asked?"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from hub.errors import STORE_AWAY, MappingFault, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Receipt, ReplaySafety, StepKind

_LOOKED_FOR: Final = frozenset({ReplaySafety.LOOKUP, ReplaySafety.LISTING})
#: Failures of the hub itself, which a seam may have to tell as Unavailable: nothing has left.
OURS: Final = frozenset({STORE_AWAY})


class Evidence(StrEnum):
    """What a result says about the destination's health."""

    WELL = "well"
    SICK = "sick"
    NEUTRAL = "neutral"  #: nothing, or nothing yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a breaker opens, for how long, and what closes it."""

    within: timedelta = timedelta(seconds=60)
    least: int = 10  #: results that it takes to judge
    most: int = 40  #: only the latest count, so that a good past does not hide a bad minute
    share: float = 0.5  #: of them that are sick
    first: timedelta = timedelta(seconds=10)  #: open for so long, twice as long each time that a probe fails
    longest: timedelta = timedelta(minutes=5)
    jitter: float = 0.2
    probes: int = 2  #: good ones in a row that close it

    def lasts(self, trips: int, *, dice: float) -> timedelta:
        """How long it stays open the `trips`th time (from 1). `dice` is in [0, 1)."""
        wait = min(self.first * (1 << min(trips - 1, 16)), self.longest)
        return min(wait * (1 + self.jitter * (2 * dice - 1)), self.longest)


RULES: Final = Rules()


def evidence(result: Receipt | BaseException, *, safety: ReplaySafety, kind: StepKind, probe: bool = False) -> Evidence:
    """What the result of a try says.

    A no is an answer. A create without a clear answer says nothing yet where
    a later look tells whether it was taken; but no probe has passed with it.
    """
    match result:
        case Receipt() | Refused():
            return Evidence.WELL
        case Misconfigured() | MappingFault():
            return Evidence.NEUTRAL
        case Unavailable(code=code) if code in OURS:
            return Evidence.NEUTRAL
        case Unclear() if safety in _LOOKED_FOR and kind is StepKind.CREATE and not probe:
            return Evidence.NEUTRAL
        case _:  # a bug in a connector too: each try may leave a doubt behind
            return Evidence.SICK


def of_look(found: object, *, certain: bool = False, probe: bool = False) -> Evidence:
    """What an answered look says of the create before it.

    Nothing found is a sign only where it is `certain` that nothing will be;
    and a look that was let through as a probe has been answered, no more.
    """
    if found:
        return Evidence.WELL
    return Evidence.SICK if certain and not probe else Evidence.NEUTRAL


@dataclass(slots=True)
class Window:
    """The latest results of one operation of a destination, as one process saw them."""

    rules: Rules = RULES
    _results: deque[tuple[float, bool]] = field(default_factory=deque)
    _sick: int = 0

    def add(self, at: float, evidence: Evidence) -> bool:
        """Count a result at this time (any clock, in seconds). True when the breaker should open."""
        sick = evidence is Evidence.SICK
        self._results.append((at, sick))
        self._sick += sick
        if len(self._results) > self.rules.most:
            self._drop()
        if not sick:
            return False
        while self._results[0][0] < at - self.rules.within.total_seconds():
            self._drop()
        return len(self._results) >= self.rules.least and self._sick >= self.rules.share * len(self._results)

    def _drop(self) -> None:
        self._sick -= self._results.popleft()[1]

    def clear(self) -> None:
        self._results.clear()
        self._sick = 0


class State(StrEnum):
    """A closed breaker is none: nothing is kept of it."""

    CLOSED = "closed"
    OPEN = "open"  #: nothing is asked until then
    HALF_OPEN = "half_open"  #: one at a time finds out whether it is well


class Way(StrEnum):
    """Whether a step may be sent past a breaker."""

    FREE = "free"
    PROBE = "probe"  #: exactly one, to find out
    SHUT = "shut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The breaker of one operation of one destination, while it is not closed."""

    state: State
    until: datetime | None = None  #: open until then
    trips: int = 0  #: times that evidence has opened it since it was closed
    need: int = RULES.probes  #: good probes that close it; none where only the system's own wish opened it
    well: int = 0  #: good ones so far
    probe: str | None = None  #: the step that was let through
    probe_until: datetime | None = None  #: its lease: a probe whose worker died is void after it
    trial: bool = False  #: half-open because the hub lifted its own pause, without a `check` to ask

    def way(self, now: datetime, *, rules: Rules = RULES) -> Way:
        if self.state is State.OPEN and self.until is not None and now < self.until <= now + 2 * rules.longest:
            return Way.SHUT  # further ahead it was made by a clock that has since been set back
        if self.need == 0:
            return Way.FREE
        if self.probe is not None and self.probe_until is not None and self.probe_until > now:
            return Way.SHUT
        return Way.PROBE

    @property
    def waits_until(self) -> datetime | None:
        return self.until if self.state is State.OPEN else self.probe_until

    def probing(self, step: str, until: datetime) -> Circuit:
        """One step is let through, under a lease until then."""
        return replace(self, state=State.HALF_OPEN, until=None, probe=step, probe_until=until)

    def passed(self) -> Circuit | None:
        """The probe was good; None when that closes it."""
        well = self.well + 1
        return None if well >= self.need else replace(self.released(), well=well)

    def failed(self, now: datetime, *, dice: float, asked: timedelta | None = None, rules: Rules = RULES) -> Circuit:
        """The probe was sick: open again, for longer, or for as long as the system itself asks."""
        if asked is not None:
            return replace(self.released(), state=State.OPEN, until=now + min(asked, rules.longest), well=0)
        trips = self.trips + 1
        until = now + rules.lasts(trips, dice=dice)
        return replace(self.released(), state=State.OPEN, until=until, trips=trips, well=0, need=rules.probes)

    def released(self) -> Circuit:
        """The probe is over and has shown nothing: another may be let through."""
        return replace(self, probe=None, probe_until=None)

    def to_json(self) -> dict[str, Any]:
        """As the destination's row keeps it; what says nothing is left out."""
        kept = {
            "state": self.state.value,
            "until": self.until.isoformat() if self.until else None,
            "trips": self.trips,
            "need": self.need,
            "well": self.well,
            "probe": self.probe,
            "probe_until": self.probe_until.isoformat() if self.probe_until else None,
            "trial": self.trial or None,
        }
        return {key: value for key, value in kept.items() if value is not None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Circuit:
        return cls(
            state=State(kept["state"]),
            until=_instant(kept.get("until")),
            trips=int(kept.get("trips", 0)),
            need=int(kept.get("need", RULES.probes)),
            well=int(kept.get("well", 0)),
            probe=kept.get("probe"),
            probe_until=_instant(kept.get("probe_until")),
            trial=bool(kept.get("trial")),
        )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def opened(now: datetime, *, dice: float, rules: Rules = RULES) -> Circuit:
    """Evidence has opened it for the first time."""
    return Circuit(state=State.OPEN, until=now + rules.lasts(1, dice=dice), trips=1, need=rules.probes)


def asked_to_wait(
    before: Circuit | None, now: datetime, wait: timedelta, *, probes: bool, rules: Rules = RULES
) -> Circuit | None:
    """The system itself said when to come again; None where it is left alone for as long already.

    Without `probes` all come back at that time; with them one goes first.
    """
    until = now + min(wait, rules.longest)
    if before is None:
        return Circuit(state=State.OPEN, until=until, need=rules.probes if probes else 0)
    if before.state is State.OPEN and before.until is not None and before.until >= until:
        return None
    return replace(before.released(), state=State.OPEN, until=until, well=0)
