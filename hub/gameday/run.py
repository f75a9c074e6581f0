"""Runs a whole rehearsal: which scenarios, on which rig, against whose back office."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from hub.errors import SettingsError
from hub.gameday.council import EVERYWHERE, PLACES, SICK, Place
from hub.gameday.network import RigFailed
from hub.gameday.offices import Foreign
from hub.gameday.rehearsal import Result, play
from hub.gameday.rig import Rig, set_up
from hub.gameday.scenario import MANY, Scenario
from hub.gameday.scenarios import ALL
from hub.model import ReplaySafety

BRIEF = 150  #: submissions of each class in the short form
FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be rehearsed."""

    names: Sequence[str] = ()  #: none: all that fit
    embedded: bool = False
    short: bool = False
    backoffice: str | None = None  #: the address of one that is not ours

    def scenarios(self) -> list[Scenario]:
        """Those named, or all that fit. Raises SettingsError for one that there is not, or that cannot be played."""
        for name in self.names:
            if name not in ALL:
                raise SettingsError(f"There is no scenario {name}; `hub gameday --list` shows those there are.")
            if not ALL[name].fits(embedded=self.embedded):
                raise SettingsError(f"{name} needs PostgreSQL, RabbitMQ and several processes; leave out --embedded.")
            if self.backoffice and ALL[name].ours:
                raise SettingsError(f"{name} needs what only our own back offices can do; leave out --backoffice.")
        if self.names:
            return [ALL[name] for name in self.names]
        return [
            each
            for each in ALL.values()
            if each.fits(embedded=self.embedded)
            and (each.brief or not self.short)
            and not (self.backoffice and each.ours)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The classes that the back offices can be at one time, and how they become so."""

    places: Sequence[Place]
    options: Mapping[str, Any]


def rehearse(wanted: Wanted, *, tell: Callable[[str], None]) -> Iterator[Result]:
    """Play each in turn. Everything that was started ends with the generator, and with this process."""
    scenarios = wanted.scenarios()
    foreign = Foreign(wanted.backoffice) if wanted.backoffice else None
    rounds = _rounds(foreign) if foreign else [Round(places=list(PLACES.values()), options={})]
    with ExitStack() as stack:
        rigs: dict[bool, Rig] = {}
        for scenario in scenarios:
            embedded = wanted.embedded or not scenario.spread
            if embedded not in rigs:
                tell(f"setting up a hub {'in one process, on SQLite' if embedded else 'in three processes'}")
                rigs[embedded] = stack.enter_context(_rig(embedded=embedded, foreign=foreign))
            tell(f"{scenario.name}: {scenario.what}")
            yield _played(rigs[embedded], scenario, rounds, foreign=foreign, short=wanted.short)


def _played(rig: Rig, scenario: Scenario, rounds: Sequence[Round], *, foreign: Foreign | None, short: bool) -> Result:
    whole = Result(name=scenario.name)
    for each in rounds[-1:] if scenario.own_places else rounds:
        if foreign and each.options:
            foreign.options(**each.options)
        result = play(rig, scenario, places=each.places, many=BRIEF if short else MANY, short=short)
        whole = replace(
            whole,
            classes={**whole.classes, **result.classes},
            took=whole.took + result.took,
            why=[*whole.why, *result.why],
            told={**whole.told, **result.told},
        )
    return whole


def _rig(*, embedded: bool, foreign: Foreign | None) -> Any:
    if foreign is None:
        return set_up(embedded=embedded, places=EVERYWHERE)
    # The sick neighbour stays ours: it is another council's system.
    places = [place if place in SICK else replace(place, office=FOREIGN) for place in EVERYWHERE]
    return set_up(embedded=embedded, places=places, others={FOREIGN: foreign})


def _rounds(foreign: Foreign) -> list[Round]:
    """What a back office that is not ours can be: idempotent if it can be told to, and what it is when it is not."""
    foreign.ledger()
    plain = [ReplaySafety.UNSAFE]
    if foreign.answers("/cases?our_reference=-"):
        plain.insert(0, ReplaySafety.LOOKUP)
    try:
        foreign.options(idempotent=True)
        foreign.options(idempotent=False)
    except RigFailed:
        return [_round(plain, {})]
    return [_round(plain, {"idempotent": False}), _round([ReplaySafety.IDEMPOTENT], {"idempotent": True})]


def _round(classes: Sequence[ReplaySafety], options: Mapping[str, Any]) -> Round:
    return Round(places=[replace(PLACES[safety], office=FOREIGN) for safety in classes], options=options)
