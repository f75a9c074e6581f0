"""Breakers of councils' systems, one for each operation, kept in the destination's row while they are not closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core import breaker
from hub.core.breaker import Circuit, State, Way
from hub.store import tables
from hub.store.engine import database_now, is_sqlite

CREATE: Final = "create"  #: the operation of steps from before operations were written down

_ROW = tables.destination.c
Circuits = dict[str, Circuit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admissible:
    """Which operations of a destination may be asked now."""

    blocked: frozenset[str] = frozenset()
    probes: frozenset[str] = frozenset()  #: exactly one step of each may be claimed, as a probe
    again_at: datetime | None = None  #: when one that is blocked may be asked again


_ALL_WELL: Final = Admissible()


def admissible(row: Any, *, now: datetime) -> Admissible:
    """What a destination's row (its `breaker_counts`) says; a claim that has the row locked may rely on it."""
    if not row.breaker_counts:
        return _ALL_WELL
    circuits = circuits_of(row)
    ways = {call: circuit.way(now) for call, circuit in circuits.items()}
    blocked = frozenset(call for call, way in ways.items() if way is Way.SHUT)
    return Admissible(
        blocked=blocked,
        probes=frozenset(call for call, way in ways.items() if way is Way.PROBE),
        again_at=_first(circuits[call] for call in blocked),
    )


def circuits_of(row: Any) -> Circuits:
    return {call: Circuit.from_json(kept) for call, kept in (row.breaker_counts or {}).items()}


def waits_until(row: Any, call: str) -> datetime | None:
    """Until when one operation is left alone; None where it is not."""
    kept = (row.breaker_counts or {}).get(call)
    return Circuit.from_json(kept).waits_until if kept else None


class Change(StrEnum):
    """What a result did to a breaker."""

    OPENED = "opened"
    CLOSED = "closed"
    FREED = "freed"  #: the probe is over, another may be let through


def trip(connection: Connection, destination: str, call: str, *, dice: float) -> Circuit | None:
    """Open it on this process's evidence; None where it is not closed: then only probes decide."""

    def opened(before: Circuit | None, now: datetime) -> Circuit | None:
        known = before is not None and before.way(now) is not Way.FREE
        return None if known else breaker.opened(now, dice=dice)

    return _change(connection, destination, call, opened)


def ask_to_wait(
    connection: Connection, destination: str, call: str, *, wait: timedelta, probes: bool
) -> Circuit | None:
    """The system itself said when to come again. None where nothing changes by it."""
    return _change(
        connection, destination, call, lambda before, now: breaker.asked_to_wait(before, now, wait, probes=probes)
    )


def _change(
    connection: Connection, destination: str, call: str, change: Callable[[Circuit | None, datetime], Circuit | None]
) -> Circuit | None:
    circuits = _locked(connection, destination)
    if circuits is None:
        return None
    made = change(circuits.get(call), database_now(connection))
    if made is not None:
        _keep(connection, destination, {**circuits, call: made})
    return made


def started_probe(connection: Connection, destination: str, call: str, *, step: str, until: datetime) -> None:
    """The claim, which has the row locked, lets one step through."""
    circuits = _locked(connection, destination) or {}
    if call in circuits:
        _keep(connection, destination, {**circuits, call: circuits[call].probing(step, until)})


def probe_ended(
    connection: Connection,
    destination: str,
    call: str,
    *,
    step: str,
    well: bool | None,
    dice: float,
    asked: timedelta | None = None,
) -> Change | None:
    """The probe has been answered (`well` None: which shows nothing). None where it was void by then."""
    circuits = _locked(connection, destination) or {}
    before = circuits.get(call)
    if before is None or before.probe != step:
        return None
    if well:
        after = before.passed()
        if after is None and before.trial:
            # Our key is taken: that was in doubt for every operation alike.
            circuits = {each: circuit for each, circuit in circuits.items() if not circuit.trial}
            forget = {"suspects": 0, "last_suspect": None}
            connection.execute(sa.update(tables.destination).where(_ROW.id == destination).values(**forget))
    elif well is None:
        after = before.released()
    else:
        after = before.failed(database_now(connection), dice=dice, asked=asked)
    others = {each: circuit for each, circuit in circuits.items() if each != call}
    _keep(connection, destination, others if after is None else {**others, call: after})
    if after is None:
        return Change.CLOSED
    return Change.OPENED if after.state is State.OPEN else Change.FREED


def close(connection: Connection, destination: str, call: str | None = None) -> None:
    """Forget what is held against one operation, or against all."""
    circuits = _locked(connection, destination) or {}
    if circuits:
        left = {each: circuit for each, circuit in circuits.items() if call is not None and each != call}
        _keep(connection, destination, left)


def start_trial(connection: Connection, destination: str, calls: Iterable[str]) -> None:
    """Let one step at a time of each of these operations find out whether our key is taken."""
    circuits = _locked(connection, destination) or {}
    trial = Circuit(state=State.HALF_OPEN, need=1, trial=True)
    _keep(connection, destination, {**circuits, **dict.fromkeys({CREATE, *calls}, trial)})


def end_trial(connection: Connection, destination: str) -> None:
    """A person or a passing `check` says that our key is taken."""
    circuits = _locked(connection, destination) or {}
    left = {call: circuit for call, circuit in circuits.items() if not circuit.trial}
    if len(left) < len(circuits):
        _keep(connection, destination, left)


def tidy(connection: Connection) -> None:
    """Forget what is over by itself, so that nobody is told of a wait that has passed."""
    now = database_now(connection)
    over = sa.select(_ROW.id).where(_ROW.breaker != State.CLOSED.value, _ROW.breaker_until <= now)
    for destination in connection.execute(over).scalars().all():
        circuits = _locked(connection, destination) or {}
        left = {call: circuit for call, circuit in circuits.items() if circuit.way(now) is not Way.FREE}
        if len(left) < len(circuits):
            _keep(connection, destination, left)


def _locked(connection: Connection, destination: str) -> Circuits | None:
    """Its circuits, the row locked until the transaction ends; None where there is no such destination."""
    query = sa.select(_ROW.breaker_counts).where(_ROW.id == destination)
    if not is_sqlite(connection):
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else circuits_of(row)


def _keep(connection: Connection, destination: str, circuits: Mapping[str, Circuit]) -> None:
    states = {circuit.state for circuit in circuits.values()}
    worst = next((state for state in (State.OPEN, State.HALF_OPEN) if state in states), State.CLOSED)
    values = {
        "breaker": worst.value,
        "breaker_until": _first(circuits.values()),
        "breaker_counts": {call: circuit.to_json() for call, circuit in circuits.items()} or None,
    }
    connection.execute(sa.update(tables.destination).where(_ROW.id == destination).values(**values))


def _first(circuits: Iterable[Circuit]) -> datetime | None:
    return min((circuit.waits_until for circuit in circuits if circuit.waits_until is not None), default=None)
