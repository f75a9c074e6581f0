"""A small world: a hub of two worker processes, the offices that they speak to, and people."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from hub.bulk import Bulk
from hub.core.bulk import OperationKind
from hub.dispatch.bulk import BulkJob
from hub.errors import NotAllowed, StoreUnavailable, WrongState
from hub.fuse import CrashPoint
from hub.model import Role, StepKind, StepState, User
from hub.operations import Operations
from hub.store import breakers, destinations, follow_ups, tables
from hub.store.accept import NewDelivery
from hub.store.bulk import Wish
from hub.store.deliveries import DeliveryFilter
from hub.store.destinations import DestinationSpec
from hub.store.follow_ups import FollowUp
from hub.store.ids import uuid7
from hub.store.steps import LaterStep
from hub.store.store import Store
from tests.properties import clock
from tests.properties.accounts import Accounts
from tests.properties.office import Call, Fate, Office, Place
from tests.properties.process import Desk, Gone, Process, Town
from tests.stores import FRONT_END, HASHER, SEALER, accept

ANN = User(id="a", name="ann", role=Role.OPERATOR)
BEN = User(id="b", name="ben", role=Role.ADMIN)
CALLS = {StepKind.CREATE: "case", StepKind.ATTACH: "file", StepKind.UPDATE: "note", StepKind.CANCEL: "note"}
VERBS = ("replay", "discard", "found", "not there", "set aside", "new case")
_REASON = "by telephone"


class World:
    """Everything that happens in it is begun by a test; `accounts` looks at every transaction."""

    def __init__(self, store: Store, path: Path, places: Sequence[Place]) -> None:
        self.store = store
        self.accounts = Accounts(str(path))
        self.offices = [Office(f"place{at}", place, self.accounts.arrives) for at, place in enumerate(places)]
        self.accounts.offices = {office.id: office for office in self.offices}
        self.town = Town(self.offices)
        self.calls: list[Call] = []
        self.submissions: list[str] = []
        self.desk: Any = Desk(store, self.accounts)
        self.sync(slow=True)
        self.processes = [self._process(), self._process()]
        preview: Any = type("Preview", (), {"safety_of": staticmethod(self.town.safety_of), "make": _no_preview})
        self.verbs = Operations(store=self.desk, ring=self.ring, safety_of=self.town.safety_of)
        self.many = Bulk(store=self.desk, preview=preview)

    def _process(self) -> Process:
        return Process(self.store, self.accounts, self.town, self.calls)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        self.accounts.close()

    def sync(self, *, slow: bool) -> None:
        """Write the destinations down; without `slow`, none has a rate."""
        specs = [
            DestinationSpec(
                id=office.id, council=office.council, name=office.name, connector="x", breaker=office.breaker,
                concurrency=office.place.cap, per_second=office.limits.per_second if slow else None,
            )
            for office in self.offices
        ]  # fmt: skip
        self.store.transact_now(lambda connection: destinations.sync(connection, specs))

    # What comes in.

    def publish(self, at: Sequence[int], *, parts: int, files: int) -> None:
        """A submission for the offices named; one that is named twice has two routes to it."""
        thought = accept()
        self.submissions.append(thought.id)
        planned = [
            (self.offices[place % len(self.offices)], route, part)
            for route, place in enumerate(at) for part in range(parts)
        ]  # fmt: skip
        made = tuple(
            NewDelivery(
                id=uuid7(), step=uuid7(), destination=office.id, route=f"{office.id}#{route}",
                call=CALLS[StepKind.CREATE], item_index=part if parts > 1 else None,
                our_reference=thought.reference if len(planned) == 1 else f"{thought.reference}-{number}",
                later=[
                    LaterStep(id=uuid7(), kind=StepKind.ATTACH, call=CALLS[StepKind.ATTACH]) for _ in range(files)
                ],
            )
            for number, (office, route, part) in enumerate(planned, start=1)
        )  # fmt: skip
        self.act(self.desk.write(replace(thought, deliveries=made)))
        for office, _, _ in planned:
            self.ring(office.id)

    def say(self, about: int, kind: StepKind) -> None:
        """Somebody says more of a case."""
        if not self.submissions:
            return
        new = uuid7()
        follow_up = FollowUp(
            id=new, submission=self.submissions[about % len(self.submissions)], front_end=FRONT_END, kind=kind,
            body=SEALER.seal(b'{"text": "still there"}', place=follow_ups.place(new)),
        )  # fmt: skip
        said = follow_ups.add
        self.act(self.desk.transact(lambda c: said(c, follow_up, call_of=lambda _route, kind: CALLS[kind])))

    # What processes do.

    def ring(self, destination: str) -> None:
        """A bell in the first process: it is heard when that goes on."""
        process = self.processes[0]
        process.loop.call_soon(process.worker.ring, destination)

    def answer(self, pick: int, fate: Fate, *, gates: int) -> None:
        """One of the calls that are away goes on, past so many gates."""
        if not self.calls:
            return
        call = self.calls[pick % len(self.calls)]
        for _ in range(gates):
            if call.gate is not None:
                call.process.answer(call, fate)

    def flow(self, fate: Fate) -> None:
        """All that is away goes on to its end."""
        for call in list(self.calls):
            self.answer(self.calls.index(call) if call in self.calls else 0, fate, gates=4)

    def pass_time(self, seconds: float, *, frozen: Sequence[int] = ()) -> None:
        clock.shift(self.store, seconds)
        self.accounts.watched(lambda: None)
        for office in self.offices:
            office.now += seconds
            office.closed_for = max(0.0, office.closed_for - seconds)
        for at, process in enumerate(self.processes):
            process.pass_time(seconds, frozen=at in frozen)

    def kill(self, at: int) -> None:
        self.processes[at].kill()
        self.processes[at] = self._process()

    # What people do.

    def act(self, work: Coroutine[Any, Any, Any], *, verb: str | None = None) -> Any:
        """A verb of staff; None where it is refused."""
        self.accounts.person = verb
        try:
            return clock.finish(work)
        except (WrongState, NotAllowed):
            return None
        finally:
            self.accounts.person = None

    def person(self, pick: int, verb: str, *, actor: User = BEN) -> None:
        found = self.accounts.ask("SELECT id FROM delivery ORDER BY id")
        if not found:
            return
        delivery = found[pick % len(found)]["id"]
        match verb:
            case "replay":
                work = self.verbs.replay(delivery, actor=actor, reason=_REASON)
            case "new case":
                work = self.verbs.replay(delivery, actor=actor, reason=_REASON, new_case=True)
            case "discard":
                work = self.verbs.discard(delivery, actor=actor, reason=_REASON)
            case _:
                outcome: Any = {"found": "delivered", "not there": "not_there", "set aside": "discard"}[verb]
                work = self.verbs.resolve(delivery, outcome=outcome, actor=actor, reason=_REASON)
        self.act(work, verb=verb)

    def pause(self, place: int) -> None:
        self.act(self.verbs.pause(self._name(place), actor=BEN, reason=_REASON))

    def resume(self, place: int) -> None:
        self.act(self.verbs.resume(self._name(place), actor=BEN))

    def close(self, place: int, seconds: float) -> None:
        self.offices[place % len(self.offices)].closed_for = seconds

    def trip(self, place: int, call: str) -> None:
        """A third process has seen enough of it."""
        office = self.offices[place % len(self.offices)]
        if office.breaker:
            self.act(self.desk.transact(lambda connection: breakers.trip(connection, office.id, call, dice=0.5)))

    def _name(self, place: int) -> str:
        return self.offices[place % len(self.offices)].id

    # What people do to many.

    def draft(self, kind: OperationKind, states: Sequence[StepState], *, unsafe: bool, canary: int | None) -> None:
        wish = Wish(
            kind=kind, wanted=DeliveryFilter(state=tuple(states)), reason=_REASON, include_unsafe=unsafe,
            canary=canary if kind is OperationKind.REPLAY else None,
        )  # fmt: skip
        self.act(self.many.draft(wish, actor=ANN))

    def steer(self, pick: int, verb: str) -> None:
        """Start, pause, resume or cancel one of the operations that are not over."""
        open_ = self.accounts.ask("SELECT id FROM operation WHERE ended_at IS NULL ORDER BY id")
        if open_:
            steered = getattr(self.many, verb)(open_[pick % len(open_)]["id"], actor=BEN)
            self.act(steered, verb="bulk")

    def turn(self, *, dies_after: int | None = None) -> None:
        """One turn of the job of bulk operations; it may be cut off after so many transactions."""
        left = iter(range(dies_after or 0, 0, -1))

        def reach(point: CrashPoint) -> None:
            if next(left, 0) == 1:
                raise Gone

        job = BulkJob(store=self.desk, verbs=self.many, safety_of=self.town.safety_of, ring=self.ring, fuse=reach)
        try:
            self.act(job.turn(), verb="bulk")
        except Gone:
            return

    # The end of all trouble.

    def heal(self) -> None:
        """Every office is well, nobody holds anything up, and time passes until nothing moves by itself."""
        for at in range(len(self.processes)):
            self.kill(at)
        self.sync(slow=False)
        for office in self.offices:
            office.key_is_well, office.closed_for = True, 0.0
            self.resume(self.offices.index(office))
        for number in range(60):
            self.pass_time(3600.0)
            self.processes[0].recover()
            self.processes[0].tick()
            while self.calls:
                self.flow(Fate.WELL)
            self.turn()
            self.accounts.check()
            if number > 2 and self.at_rest():
                return
        told = ("kind", "state", "due_at", "lease_until", "worker")
        raise AssertionError(f"it never comes to rest: {[[row[name] for name in told] for row in self._moving()]}")

    def at_rest(self) -> bool:
        running = self.accounts.ask("SELECT id FROM operation WHERE state = 'running' OR state = 'marking'")
        return not self._moving() and not running

    def _moving(self) -> list[Any]:
        return [
            row
            for row in self.accounts.steps.values()
            if row["state"] == StepState.SENDING or row["due_at"] is not None
        ]


async def _no_preview(operation: str) -> dict[str, Any]:
    return {}


def fresh_store(folder: Path) -> Store:
    """A store that forgets everything when the machine stops, and is so much quicker."""
    store = Store(f"sqlite:///{folder / 'hub.db'}", sealer=SEALER, hasher=HASHER)

    @sa.event.listens_for(store.writing, "connect")
    def _careless(connection: Any, _: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    return store


def empty(store: Store) -> None:
    """Forget all that an earlier example has left."""
    with store.writing.begin() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in tables.metadata.tables.values():
            connection.execute(sa.delete(table))


@contextmanager
def heard() -> Iterator[list[str]]:
    """Whatever the rooms log as an exception: each would be a bug."""
    said: list[str] = []

    def listen(_logger: Any, method: str, told: Any) -> Any:
        known = isinstance(sys.exception(), StoreUnavailable)  # KNOWN: a wrong key is heard while the store is away
        if told.get("exc_info") and not known:
            said.append(f"{told['event']}\n{traceback.format_exc()}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[listen])
    try:
        yield said
    finally:
        structlog.configure(**before)
