"""Processes of a pretend hub: the real rooms over one store, which may be killed, frozen and cut off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.connector import Attachment
from hub.dispatch.attempt import Sender
from hub.dispatch.conclusions import Conclusions
from hub.dispatch.doubt import Doubts
from hub.dispatch.health import Pulse
from hub.dispatch.resolver import Resolver
from hub.dispatch.steps import Steps
from hub.dispatch.worker import Worker
from hub.errors import NotThere, StoreUnavailable
from hub.metrics import Metrics
from hub.model import ReplaySafety, StepKind
from hub.store import breakers, claims, destinations, leases, workers
from hub.store.claims import Claimed
from hub.store.ids import uuid7
from hub.store.store import Store
from tests.properties.accounts import Accounts
from tests.properties.clock import Loop
from tests.properties.office import Call, Fate, Office, Product, Stage
from tests.stores import SEALER

MARGIN = timedelta(seconds=10)  #: of leases, and how long a worker may be silent
_METRICS = Metrics()


class Gone(BaseException):
    """The process is dead: nothing may catch this."""


class Desk:
    """The store as one process has it: every transaction is looked at, and may fail."""

    sqlite = True
    sealer = SEALER

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self.store, self.accounts = store, accounts
        self.dead = self.cut_off = False
        self.faults: list[str] = []  #: of the next transactions: "before" or "after" the commit

    async def write(self, thought: Any) -> Any:
        return self._do(lambda connection: type(thought).write_all(connection, [thought])[0], thought=thought)

    async def transact(self, work: Callable[[Connection], Any]) -> Any:
        return self._do(work)

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        self._there()
        return self.store.read_now(work)

    def _there(self) -> None:
        if self.dead:
            raise Gone
        if self.cut_off:
            raise StoreUnavailable

    def _do(self, work: Callable[[Connection], Any], *, thought: Any = None) -> Any:
        self._there()
        fault = self.faults.pop() if self.faults else None
        if fault == "before":
            raise StoreUnavailable
        result = self.accounts.watched(lambda: self.store.transact_now(work), thought=thought)
        if fault == "after":
            raise StoreUnavailable
        return result


class Town:
    """The council files: one council, whose routes are called `<destination>#<number>`."""

    generation = 1

    def __init__(self, offices: list[Office]) -> None:
        self.offices = {office.id: office for office in offices}

    def destination(self, name: str) -> Office:
        return self.offices[name]

    def find(self, _council: str) -> Town:
        return self

    def route(self, name: str) -> Route:
        return Route(self.offices[name.partition("#")[0]])

    def safety_of(self, _council: str, route: str, kind: StepKind) -> ReplaySafety:
        return self.route(route).safety(kind.value)


class Route:
    """A route, and the mapping that it has."""

    mapping: Any = type("Mapping", (), {"where": "f:1", "file": "f"})

    def __init__(self, destination: Office) -> None:
        self.destination = destination
        self.safety = destination.safety


class Pool:
    """The connectors of one process."""

    def __init__(self, process: Process, calls: list[Call]) -> None:
        self.process, self.calls = process, calls
        self.made: dict[str, Product] = {}

    def get(self, office: Office) -> Product:
        if office.id not in self.made:
            self.made[office.id] = Product(office, self.process, self.calls)
        return self.made[office.id]


class PretendSteps(Steps):
    """The real preparation of steps; a record, and a file, is the name of its step."""

    def _record(self, claimed: Claimed, route: Any, **more: Any) -> Any:
        return claimed.step

    def _file_inside(self, claimed: Claimed, route: Any) -> Attachment:
        return claimed.step  # type: ignore[return-value]


class Process:
    """One worker process. Nothing of it runs but when it is told to go on."""

    def __init__(self, store: Store, accounts: Accounts, town: Town, calls: list[Call]) -> None:
        self.desk: Any = Desk(store, accounts)
        self.town, self.calls, self.loop, self.frozen_for = town, calls, Loop(), 0.0
        pool: Any = Pool(self, calls)
        councils: Any = lambda: town  # noqa: E731
        steps = PretendSteps(store=self.desk, councils=councils, past=_no_past, pool=pool)
        conclusions = Conclusions(store=self.desk, metrics=_METRICS, ids=uuid7, evidence_for=timedelta(days=1))
        self.doubts = Doubts(store=self.desk, pool=pool)
        pulse = Pulse(store=self.desk, dice=lambda: 0.5, clock=self.loop.time)
        common: dict[str, Any] = {
            "store": self.desk, "steps": steps, "doubts": self.doubts, "pulse": pulse, "conclusions": conclusions,
        }  # fmt: skip
        self.worker = Worker(
            id=uuid7(), store=self.desk, sender=Sender(**common, dice=lambda: 0.5), resolver=Resolver(**common),
            clock=lambda: datetime.now(UTC), councils=councils, ids=uuid7, slots=8, lease_margin=MARGIN,
            tick=timedelta(seconds=1),
        )  # fmt: skip
        start = {"role": "worker", "host": "here", "version": "0"}
        store.transact_now(lambda connection: workers.start(connection, self.worker.id, **start))

    def pass_time(self, seconds: float, *, frozen: bool = False) -> None:
        if frozen:
            self.frozen_for += seconds
            return
        self.thaw()
        self.loop.go_on(seconds)
        self.run(self._beat)

    async def _beat(self) -> None:
        await self.desk.transact(lambda connection: workers.beat(connection, self.worker.id))

    def thaw(self) -> None:
        """What has to happen because of the time that passed meanwhile happens now."""
        if self.frozen_for:
            seconds, self.frozen_for = self.frozen_for, 0.0
            self.loop.go_on(seconds)

    def run(self, work: Callable[[], Any]) -> None:
        """Begin something in the process; its store may be away."""
        self.thaw()
        self.loop.call_soon(lambda: self.loop.create_task(_quietly(work)))
        self.loop.go_on()

    def tick(self) -> None:
        """What the worker's own loop does each second."""

        async def look() -> None:
            for destination in await self.desk.read(claims.due_destinations):
                self.worker.ring(destination)

        self.run(look)

    def recover(self) -> None:
        """What the sweep does each two seconds."""

        async def work() -> None:
            found = await self.desk.transact(
                lambda connection: leases.recover(
                    connection, mine=self.worker.id, held=frozenset(self.worker.held), silence=MARGIN,
                    settle_of=lambda name: self.town.destination(name).place.settle,
                )
            )  # fmt: skip
            for destination in found.destinations:
                self.worker.ring(destination)

        self.run(work)

    def probe(self) -> None:
        """What the sweep does each quarter of a minute."""

        async def work() -> None:
            await self.desk.transact(breakers.tidy)
            for name in await self.desk.transact(destinations.to_probe):
                if await self.doubts.probe(self.town.destination(name)):  # type: ignore[arg-type]
                    self.worker.ring(name)

        self.run(work)

    def answer(self, call: Call, fate: Fate) -> None:
        """Open the gate that a call of this process waits at; what has left already is answered before time is told."""
        if call.stage in (Stage.PREPARED, Stage.LEAVING):
            self.thaw()
        if call.gate is not None and not call.gate.done():
            call.gate.set_result(fate)
            self.loop.go_on(0.03)  # time enough for a mark to be written
        self.thaw()

    def kill(self) -> None:
        self.desk.dead = True
        self.loop.end()


def _no_past(generation: int, council: str) -> Any:
    raise NotThere


async def _quietly(work: Callable[[], Any]) -> None:
    try:
        await work()
    except StoreUnavailable:
        return
